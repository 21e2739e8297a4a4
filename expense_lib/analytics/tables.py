"""The tables of a copy, what goes into them, and how: all of the copy's SQL."""

from __future__ import annotations

# The tables behind the views. An expense that is as it was recorded has no line: its row says it all.
# copied: the last line of the log that is in here, and its time as the source writes it.
TABLES = """
    CREATE SCHEMA memory.expense_ledger;
    CREATE TABLE memory.expense_ledger.copied (seq BIGINT, "at" VARCHAR);
    INSERT INTO memory.expense_ledger.copied VALUES (0, NULL);
    CREATE TABLE memory.expense_ledger.expense (
        id BIGINT, date DATE, amount {amount}, category VARCHAR, description VARCHAR, occurrence INTEGER,
        dedup_key VARCHAR, version INTEGER, created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ,
        deleted_at TIMESTAMPTZ, last_seq BIGINT
    );
    CREATE TABLE memory.expense_ledger.line (
        seq BIGINT, number BIGINT, expense_id BIGINT, version INTEGER, change VARCHAR, "at" TIMESTAMPTZ,
        amount {amount}, category VARCHAR, description VARCHAR, date DATE, occurrence INTEGER
    );
    CREATE VIEW expenses AS
    SELECT id, date, amount, category, description, occurrence, amount < 0 AS refund, dedup_key, created_at,
           updated_at
      FROM memory.expense_ledger.expense
     WHERE deleted_at IS NULL;
    CREATE VIEW deleted_expenses AS
    SELECT id, date, amount, category, description, occurrence, amount < 0 AS refund, dedup_key, created_at,
           updated_at, deleted_at
      FROM memory.expense_ledger.expense
     WHERE deleted_at IS NOT NULL;
    CREATE VIEW history AS
    SELECT seq, number, expense_id, version, change, "at", amount, category, description, date, occurrence
      FROM memory.expense_ledger.line
     UNION ALL
    SELECT last_seq, last_seq, id, version, 'created', created_at, amount, category, description, date,
           occurrence
      FROM memory.expense_ledger.expense
     WHERE version = 1;
"""

# Rows as the tables have them, from the file that a local ledger was extracted to.
LOCAL_EXPENSES = """
    CREATE TEMP VIEW changed AS
    SELECT id, CAST(date AS DATE) AS date, {amount} AS amount, category, description,
           CAST(occurrence AS INTEGER) AS occurrence, dedup_key, CAST(version AS INTEGER) AS version,
           CAST(created_at AS TIMESTAMPTZ) AS created_at, CAST(updated_at AS TIMESTAMPTZ) AS updated_at,
           CAST(deleted_at AS TIMESTAMPTZ) AS deleted_at, last_seq
      FROM sqlite_scan({file}, 'expense')
"""
LOCAL_LINES = """
    CREATE TEMP VIEW lines AS
    SELECT seq, number, expense_id, CAST(version AS INTEGER) AS version, kind AS change,
           CAST("at" AS TIMESTAMPTZ) AS "at", {amount} AS amount, category, description,
           CAST(date AS DATE) AS date, CAST(occurrence AS INTEGER) AS occurrence
      FROM sqlite_scan({file}, 'line')
"""

# The same from lines of JSON as GET /log has them. What a deleted expense was is its line's "before".
REMOTE_LINES = """
    CREATE TEMP TABLE logged AS
    SELECT seq, number, expense_id, version, change, CAST("at" AS TIMESTAMPTZ) AS "at", "at" AS said_at,
           dedup_key,
           CASE WHEN regexp_full_match(content.amount, '-?[0-9]+{fraction}')
                THEN CAST(content.amount AS {type}) ELSE error('an amount of another currency') END AS amount,
           content.category AS category, content.description AS description, content.date AS date,
           content.occurrence AS occurrence
      FROM (
        SELECT *, COALESCE(after, before) AS content
          FROM read_json($file, format = 'newline_delimited', maximum_object_size = 1000000, columns = {{
            seq: 'BIGINT', number: 'BIGINT', expense_id: 'BIGINT', version: 'INTEGER', change: 'VARCHAR',
            'at': 'VARCHAR', dedup_key: 'VARCHAR', before: '{snapshot}', after: '{snapshot}'
          }})
      )
"""
STRANGE = """
    SELECT EXISTS (
        SELECT 1 FROM logged
         WHERE seq IS NULL OR number IS NULL OR expense_id IS NULL OR version IS NULL OR change IS NULL
            OR "at" IS NULL OR dedup_key IS NULL OR amount IS NULL OR category IS NULL OR description IS NULL
            OR date IS NULL OR occurrence IS NULL
    )
"""
SNAPSHOT = "STRUCT(amount VARCHAR, category VARCHAR, description VARCHAR, date DATE, occurrence INTEGER)"
LINE_AT = "SELECT said_at FROM logged WHERE seq = $seq"
REMOTE_EXPENSES = (
    """
    CREATE TEMP TABLE changed AS
    SELECT expense_id AS id, arg_max(date, seq) AS date, arg_max(amount, seq) AS amount,
           arg_max(category, seq) AS category, arg_max(description, seq) AS description,
           arg_max(occurrence, seq) AS occurrence, any_value(dedup_key) AS dedup_key, max(version) AS version,
           COALESCE(
               min("at") FILTER (version = 1),
               (SELECT created_at FROM memory.expense_ledger.expense WHERE id = expense_id)
           ) AS created_at,
           arg_max("at", seq) AS updated_at,
           CASE WHEN arg_max(change, seq) = 'deleted' THEN arg_max("at", seq) END AS deleted_at,
           max(seq) AS last_seq
      FROM logged
     GROUP BY expense_id
    """,
    """
    CREATE TEMP TABLE lines AS
    SELECT seq, number, expense_id, version, change, "at", amount, category, description, date, occurrence
      FROM logged
     WHERE expense_id IN (SELECT id FROM changed WHERE version > 1)
    """,
)

ADD_LINES = "INSERT INTO memory.expense_ledger.line BY NAME SELECT * FROM lines"
ADD_EXPENSES = "INSERT INTO memory.expense_ledger.expense BY NAME SELECT * FROM changed"
# An expense that was as recorded, and no longer is, gets the line that its row stood for.
REMOVE = (
    """
    INSERT INTO memory.expense_ledger.line
    SELECT last_seq, last_seq, id, 1, 'created', created_at, amount, category, description, date, occurrence
      FROM memory.expense_ledger.expense
     WHERE version = 1 AND id IN (SELECT id FROM changed WHERE version > 1)
    """,
    "DELETE FROM memory.expense_ledger.expense WHERE id IN (SELECT id FROM changed)",
)
FORGET = "DELETE FROM memory.expense_ledger.expense; DELETE FROM memory.expense_ledger.line"
COPIED = 'SELECT seq, "at" FROM memory.expense_ledger.copied'
COPY = 'UPDATE memory.expense_ledger.copied SET seq = $seq, "at" = $at'
