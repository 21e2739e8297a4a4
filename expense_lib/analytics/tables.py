"""The tables of a copy, what goes into them, and how: all of the copy's SQL."""

from __future__ import annotations

from expense_lib.domain.content import FIELDS

# Every column that is a field of an expense, with its type; the list's ``amount_minor`` is ``amount`` here.
_TYPES = {"amount": "{amount}", "date": "DATE", "occurrence": "INTEGER", "tags": "VARCHAR[]"}
NAMES = ("date", "amount", *(name for name in FIELDS if name not in ("date", "amount_minor")))
_FIELDS = ", ".join(NAMES)
_TYPED = ", ".join(f"{name} {_TYPES.get(name, 'VARCHAR')}" for name in NAMES)

# The tables behind the views. An expense that is as it was recorded, by nobody named, has no entry: its row
# says it all. copied: the last entry of the log that is in here, its time as the source writes it, and its
# generation.
TABLES = f"""
    CREATE SCHEMA memory.expense_ledger;
    CREATE TABLE memory.expense_ledger.copied (seq BIGINT, "at" VARCHAR, generation VARCHAR);
    INSERT INTO memory.expense_ledger.copied VALUES (0, NULL, '');
    CREATE TABLE memory.expense_ledger.expense (
        id BIGINT, {_TYPED}, dedup_key VARCHAR, version INTEGER, created_at TIMESTAMPTZ,
        updated_at TIMESTAMPTZ, deleted_at TIMESTAMPTZ, last_seq BIGINT
    );
    CREATE TABLE memory.expense_ledger.entry (
        seq BIGINT, number BIGINT, "by" VARCHAR, expense_id BIGINT, version INTEGER, change VARCHAR,
        "at" TIMESTAMPTZ, {_TYPED}
    );
    CREATE VIEW expenses AS
    SELECT id, {_FIELDS}, amount < 0 AS refund, dedup_key, created_at, updated_at
      FROM memory.expense_ledger.expense
     WHERE deleted_at IS NULL;
    CREATE VIEW deleted_expenses AS
    SELECT id, {_FIELDS}, amount < 0 AS refund, dedup_key, created_at, updated_at, deleted_at
      FROM memory.expense_ledger.expense
     WHERE deleted_at IS NOT NULL;
    CREATE VIEW history AS
    SELECT seq, number, "by", expense_id, version, change, "at", {_FIELDS}
      FROM memory.expense_ledger.entry
     UNION ALL
    SELECT last_seq, last_seq, '', id, version, 'created', created_at, {_FIELDS}
      FROM memory.expense_ledger.expense
     WHERE version = 1 AND id NOT IN (SELECT expense_id FROM memory.expense_ledger.entry);
"""

# What reads a table of an extract, by what that is: its file, its table, and the columns with their types.
SCANS = {
    "sqlite": "sqlite_scan({file}, '{table}')",
    "csv": """
        read_csv(
            {file}, columns = {columns}, header = false, auto_detect = false,
            delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false
        )
    """,
}

# Rows as the tables have them, from the file that a local ledger was extracted to.
_LOCAL = {
    "amount": "{amount} AS amount",
    "date": "CAST(date AS DATE) AS date",
    "occurrence": "CAST(occurrence AS INTEGER) AS occurrence",
    "tags": "list_filter(string_split(tags, ' '), tag -> tag <> '') AS tags",
}
_LOCAL_FIELDS = ", ".join(_LOCAL.get(name, name) for name in NAMES)
LOCAL_EXPENSES = f"""
    CREATE TEMP VIEW changed AS
    SELECT id, {_LOCAL_FIELDS}, dedup_key, CAST(version AS INTEGER) AS version,
           CAST(created_at AS TIMESTAMPTZ) AS created_at, CAST(updated_at AS TIMESTAMPTZ) AS updated_at,
           CAST(deleted_at AS TIMESTAMPTZ) AS deleted_at, last_seq
      FROM {{scan}}
"""
LOCAL_ENTRIES = f"""
    CREATE TEMP VIEW entries AS
    SELECT seq, number, actor AS "by", expense_id, CAST(version AS INTEGER) AS version, kind AS change,
           CAST("at" AS TIMESTAMPTZ) AS "at", {_LOCAL_FIELDS}
      FROM {{scan}}
"""

# The same from lines of JSON as GET /log has them. What a deleted expense was is its entry's "before".
_REMOTE = {
    "amount": """
           CASE WHEN regexp_full_match(content.amount, '-?[0-9]+{fraction}')
                THEN CAST(content.amount AS {type}) ELSE error('an amount of another currency') END AS amount
    """,
    "note": "COALESCE(content.note, '') AS note",
    "tags": "COALESCE(content.tags, []) AS tags",
}
_REMOTE_FIELDS = ", ".join(_REMOTE.get(name, f"content.{name} AS {name}") for name in NAMES)
REMOTE_ENTRIES = f"""
    CREATE TEMP TABLE logged AS
    SELECT seq, number, COALESCE("by", '') AS "by", expense_id, version, change,
           CAST("at" AS TIMESTAMPTZ) AS "at", "at" AS said_at, dedup_key, {_REMOTE_FIELDS}
      FROM (
        SELECT *, COALESCE(after, before) AS content
          FROM read_json($file, format = 'newline_delimited', maximum_object_size = 1000000, columns = {{{{
            seq: 'BIGINT', number: 'BIGINT', "by": 'VARCHAR', expense_id: 'BIGINT', version: 'INTEGER',
            change: 'VARCHAR', 'at': 'VARCHAR', dedup_key: 'VARCHAR', before: '{{values}}', after:
            '{{values}}'
          }}}})
      )
"""
_MUST_BE = (
    *("seq", "number", "expense_id", "version", "change", '"at"', "dedup_key"),
    *(name for name in NAMES if name != "account"),
)
STRANGE = f"SELECT EXISTS (SELECT 1 FROM logged WHERE {' OR '.join(f'{name} IS NULL' for name in _MUST_BE)})"
VALUES = "STRUCT({})".format(
    ", ".join(f"{name} {'VARCHAR' if name == 'amount' else _TYPES.get(name, 'VARCHAR')}" for name in NAMES)
)
LINE_AT = "SELECT said_at FROM logged WHERE seq = $seq"
REMOTE_EXPENSES = (
    f"""
    CREATE TEMP TABLE changed AS
    SELECT expense_id AS id, {", ".join(f"arg_max_null({name}, seq) AS {name}" for name in NAMES)},
           any_value(dedup_key) AS dedup_key, max(version) AS version,
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
    f"""
    CREATE TEMP TABLE entries AS
    SELECT seq, number, "by", expense_id, version, change, "at", {_FIELDS}
      FROM logged
     WHERE "by" <> '' OR expense_id IN (SELECT id FROM changed WHERE version > 1)
    """,
)

ADD_ENTRIES = "INSERT INTO memory.expense_ledger.entry BY NAME SELECT * FROM entries"
ADD_EXPENSES = "INSERT INTO memory.expense_ledger.expense BY NAME SELECT * FROM changed"
# An expense that was as recorded, and no longer is, gets the entry that its row stood for.
REMOVE = (
    f"""
    INSERT INTO memory.expense_ledger.entry
    SELECT last_seq, last_seq, '', id, 1, 'created', created_at, {_FIELDS}
      FROM memory.expense_ledger.expense
     WHERE version = 1 AND id IN (SELECT id FROM changed WHERE version > 1)
       AND id NOT IN (SELECT expense_id FROM memory.expense_ledger.entry)
    """,
    "DELETE FROM memory.expense_ledger.expense WHERE id IN (SELECT id FROM changed)",
)
FORGET = "DELETE FROM memory.expense_ledger.expense; DELETE FROM memory.expense_ledger.entry"
COPIED = 'SELECT seq, "at", generation FROM memory.expense_ledger.copied'
COPY = 'UPDATE memory.expense_ledger.copied SET seq = $seq, "at" = $at, generation = $generation'
