"""From a ledger into DuckDB: what changed, through a private file that is gone at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from expense_lib.errors import AnalyticsUnavailable, LedgerUnavailable
from expense_lib.ledger import Ledger
from expense_lib.models import ExpenseFilter
from expense_lib.store import extract
from expense_lib.store.connections import connection
from expense_lib.store.extract import Line

if TYPE_CHECKING:
    from expense_lib.client import RemoteLedger

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
_LOCAL_EXPENSES = """
    CREATE TEMP VIEW changed AS
    SELECT id, CAST(date AS DATE) AS date, {amount} AS amount, category, description,
           CAST(occurrence AS INTEGER) AS occurrence, dedup_key, CAST(version AS INTEGER) AS version,
           CAST(created_at AS TIMESTAMPTZ) AS created_at, CAST(updated_at AS TIMESTAMPTZ) AS updated_at,
           CAST(deleted_at AS TIMESTAMPTZ) AS deleted_at, last_seq
      FROM sqlite_scan({file}, 'expense')
"""
_LOCAL_LINES = """
    CREATE TEMP VIEW lines AS
    SELECT seq, number, expense_id, CAST(version AS INTEGER) AS version, kind AS change,
           CAST("at" AS TIMESTAMPTZ) AS "at", {amount} AS amount, category, description,
           CAST(date AS DATE) AS date, CAST(occurrence AS INTEGER) AS occurrence
      FROM sqlite_scan({file}, 'line')
"""

# The same from lines of JSON as GET /changes has them. What a deleted expense was is its line's "before".
_REMOTE_LINES = """
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
_STRANGE = """
    SELECT EXISTS (
        SELECT 1 FROM logged
         WHERE seq IS NULL OR number IS NULL OR expense_id IS NULL OR version IS NULL OR change IS NULL
            OR "at" IS NULL OR dedup_key IS NULL OR amount IS NULL OR category IS NULL OR description IS NULL
            OR date IS NULL OR occurrence IS NULL
    )
"""
_SNAPSHOT = "STRUCT(amount VARCHAR, category VARCHAR, description VARCHAR, date DATE, occurrence INTEGER)"
_LINE_AT = "SELECT said_at FROM logged WHERE seq = $seq"
_REMOTE_EXPENSES = (
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

_ADD_LINES = "INSERT INTO memory.expense_ledger.line BY NAME SELECT * FROM lines"
_ADD_EXPENSES = "INSERT INTO memory.expense_ledger.expense BY NAME SELECT * FROM changed"
# An expense that was as recorded, and no longer is, gets the line that its row stood for.
_REMOVE = (
    """
    INSERT INTO memory.expense_ledger.line
    SELECT last_seq, last_seq, id, 1, 'created', created_at, amount, category, description, date, occurrence
      FROM memory.expense_ledger.expense
     WHERE version = 1 AND id IN (SELECT id FROM changed WHERE version > 1)
    """,
    "DELETE FROM memory.expense_ledger.expense WHERE id IN (SELECT id FROM changed)",
)
_FORGET = "DELETE FROM memory.expense_ledger.expense; DELETE FROM memory.expense_ledger.line"
_COPIED = 'SELECT seq, "at" FROM memory.expense_ledger.copied'
_COPY = 'UPDATE memory.expense_ledger.copied SET seq = $seq, "at" = $at'
_NOTHING: Line = (0, None)


def open_duckdb() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that can read SQLite files, with the extension that is installed and no other.

    Raises:
        AnalyticsUnavailable: the extension is not installed, or is one for another DuckDB.
    """
    try:
        import duckdb_extension_sqlite_scanner as package  # noqa: PLC0415 - what is missing is told in words
    except ModuleNotFoundError:
        raise AnalyticsUnavailable(
            "Analysis needs DuckDB's SQLite extension: install expense-ledger[analysis]."
        ) from None
    (folder,) = package.__path__
    file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / "sqlite_scanner.duckdb_extension"
    if not file.exists():
        found = sorted(version.name for version in (Path(folder) / "extensions").glob("v*"))
        raise AnalyticsUnavailable(
            f"DuckDB is v{duckdb.__version__}, but its SQLite extension is for {', '.join(found) or 'none'}: "
            "install the versions that expense-ledger[analysis] names."
        )
    con = duckdb.connect()
    try:
        con.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        con.execute(f"LOAD {_quoted(file)}")
    except duckdb.Error as error:
        con.close()
        raise AnalyticsUnavailable("DuckDB can't load its SQLite extension.") from error
    return con


def load(con: duckdb.DuckDBPyConnection, ledger: Ledger | RemoteLedger, digits: int) -> int:
    """Bring what changed since the last load into the tables, all of it or nothing.

    If the ledger was replaced meanwhile, by a backup say, its log is another one, and everything is brought
    anew. It works on a cursor of its own: what the caller has begun to read from *con* stays as it is.

    Returns:
        How many expenses that is.
    """
    with closing(con.cursor()) as own:
        own.execute("BEGIN")
        try:
            known: Line = own.execute(_COPIED).fetchone() or _NOTHING
            count = _fill(own, ledger, known, digits)
            if count is None:
                own.execute(_FORGET)
                count = _fill(own, ledger, _NOTHING, digits)
            own.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                own.execute("ROLLBACK")
            raise
    return count or 0


def _fill(
    con: duckdb.DuckDBPyConnection, ledger: Ledger | RemoteLedger, known: Line, digits: int
) -> int | None:
    """Merge what changed after the line *known* into the tables.

    Returns:
        How many expenses that is; None, and nothing is merged, if the log does not have the line *known*.
    """
    with _private_file() as file:
        read = _from_file if isinstance(ledger, Ledger) else _from_afar
        last = read(con, ledger, file, known, digits)  # type: ignore[arg-type] # it is that one's
        if last is None:
            return None
        for statement in _REMOVE if known[0] else ():
            con.execute(statement)
        con.execute(_ADD_LINES)
        (count,) = con.execute(_ADD_EXPENSES).fetchone() or (0,)
        con.execute(_COPY, {"seq": last[0], "at": last[1]})
    return int(count)


def exponent(ledger: Ledger | RemoteLedger) -> int:
    """How many fraction digits the ledger's amounts have; a handler's are seen in its totals."""
    if isinstance(ledger, Ledger):
        return ledger.currency.exponent
    digits = ledger.search(ExpenseFilter(limit=1)).total.as_tuple().exponent
    return -int(digits)


def amount_type(digits: int) -> str:
    """The type of an amount with so many fraction *digits*."""
    return f"DECIMAL(18, {digits})"


def _from_file(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, file: Path, known: Line, digits: int
) -> Line | None:
    with connection(ledger.path, ledger.currency.code) as sqlite:
        last = extract.write(sqlite, file, known)
    if last is not None:
        unit = f"CAST('{Decimal(1).scaleb(-digits)}' AS DECIMAL({digits + 1}, {digits}))"
        amount = f"CAST(CAST(amount_minor AS DECIMAL(18, 0)) * {unit} AS {amount_type(digits)})"
        for view in (_LOCAL_EXPENSES, _LOCAL_LINES):
            con.execute(view.format(amount=amount, file=_quoted(file)))
    return last


def _from_afar(
    con: duckdb.DuckDBPyConnection, ledger: RemoteLedger, file: Path, known: Line, digits: int
) -> Line | None:
    since, at = known
    last = ledger.copy_changes(file, max(since - 1, 0))  # so that the line that is known comes again
    fraction = rf"\.[0-9]{{{digits}}}" if digits else ""
    lines = _REMOTE_LINES.format(type=amount_type(digits), fraction=fraction, snapshot=_SNAPSHOT)
    try:
        con.execute(lines, {"file": str(file)})
        strange = con.execute(_STRANGE).fetchone() != (False,)
    except duckdb.Error:
        strange = True
    if strange:
        raise LedgerUnavailable(f"What {ledger.url} tells of its changes makes no sense.")
    if since and con.execute(_LINE_AT, {"seq": since}).fetchone() != (at,):
        con.execute("DROP TABLE logged")
        return None
    said_at = con.execute(_LINE_AT, {"seq": last}).fetchone()
    con.execute("DELETE FROM logged WHERE seq <= $since", {"since": since})
    for table in _REMOTE_EXPENSES:
        con.execute(table)
    return (last, said_at[0]) if said_at else _NOTHING


@contextmanager
def _private_file() -> Iterator[Path]:
    """An empty file that nobody else can read, in a folder that nobody else can enter; gone afterwards."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="expense-extract-", ignore_cleanup_errors=True)
    except OSError as error:
        raise AnalyticsUnavailable(f"There is no place for a private copy: {error.strerror}.") from None
    with folder as place:
        file = Path(place) / "extract"
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        yield file


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
