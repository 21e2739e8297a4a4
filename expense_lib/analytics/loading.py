"""From a ledger into DuckDB: what changed, through a private file that is gone at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from expense_lib.errors import AnalyticsUnavailable
from expense_lib.ledger import Ledger
from expense_lib.models import ExpenseFilter
from expense_lib.store import extract
from expense_lib.store.connections import connection

if TYPE_CHECKING:
    from expense_lib.client import RemoteLedger

# The tables behind the views. An expense that is as it was recorded has no line: its row says it all.
TABLES = """
    CREATE SCHEMA ledger;
    CREATE TABLE ledger.expense (
        id BIGINT, date DATE, amount {amount}, category VARCHAR, description VARCHAR, occurrence INTEGER,
        dedup_key VARCHAR, version INTEGER, created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ,
        deleted_at TIMESTAMPTZ, last_seq BIGINT
    );
    CREATE TABLE ledger.line (
        seq BIGINT, number BIGINT, expense_id BIGINT, version INTEGER, change VARCHAR, "at" TIMESTAMPTZ,
        amount {amount}, category VARCHAR, description VARCHAR, date DATE, occurrence INTEGER
    );
    CREATE VIEW expenses AS
    SELECT id, date, amount, category, description, occurrence, amount < 0 AS refund, dedup_key, created_at,
           updated_at
      FROM ledger.expense
     WHERE deleted_at IS NULL;
    CREATE VIEW deleted_expenses AS
    SELECT id, date, amount, category, description, occurrence, amount < 0 AS refund, dedup_key, created_at,
           updated_at, deleted_at
      FROM ledger.expense
     WHERE deleted_at IS NOT NULL;
    CREATE VIEW history AS
    SELECT seq, number, expense_id, version, change, "at", amount, category, description, date, occurrence
      FROM ledger.line
     UNION ALL
    SELECT last_seq, last_seq, id, version, 'created', created_at, amount, category, description, date,
           occurrence
      FROM ledger.expense
     WHERE version = 1;
"""

# Rows as ledger.expense and ledger.line have them, from the file that a local ledger was extracted to.
_LOCAL_EXPENSES = """
    CREATE TEMP VIEW changed AS
    SELECT id, CAST(date AS DATE) AS date, {amount} AS amount, category, description,
           CAST(occurrence AS INTEGER) AS occurrence, dedup_key, CAST(version AS INTEGER) AS version,
           CAST(created_at AS TIMESTAMPTZ) AS created_at, CAST(updated_at AS TIMESTAMPTZ) AS updated_at,
           CAST(deleted_at AS TIMESTAMPTZ) AS deleted_at, last_seq
      FROM extract.expense
"""
_LOCAL_LINES = """
    CREATE TEMP VIEW lines AS
    SELECT seq, number, expense_id, CAST(version AS INTEGER) AS version, kind AS change,
           CAST("at" AS TIMESTAMPTZ) AS "at", {amount} AS amount, category, description,
           CAST(date AS DATE) AS date, CAST(occurrence AS INTEGER) AS occurrence
      FROM extract.line
"""

# The same from lines of JSON as GET /changes has them. What a deleted expense was is its line's "before".
_REMOTE_LINES = """
    CREATE TEMP TABLE logged AS
    SELECT seq, number, expense_id, version, change, "at", dedup_key,
           CAST(content.amount AS {type}) AS amount, content.category AS category,
           content.description AS description, content.date AS date, content.occurrence AS occurrence
      FROM (
        SELECT *, COALESCE(after, before) AS content
          FROM read_json($file, format = 'newline_delimited', maximum_object_size = 1000000, columns = {{
            seq: 'BIGINT', number: 'BIGINT', expense_id: 'BIGINT', version: 'INTEGER', change: 'VARCHAR',
            'at': 'TIMESTAMPTZ', dedup_key: 'VARCHAR', before: '{snapshot}', after: '{snapshot}'
          }})
      )
"""
_SNAPSHOT = "STRUCT(amount VARCHAR, category VARCHAR, description VARCHAR, date DATE, occurrence INTEGER)"
_REMOTE_EXPENSES = """
    CREATE TEMP TABLE changed AS
    SELECT expense_id AS id, arg_max(date, seq) AS date, arg_max(amount, seq) AS amount,
           arg_max(category, seq) AS category, arg_max(description, seq) AS description,
           arg_max(occurrence, seq) AS occurrence, any_value(dedup_key) AS dedup_key, max(version) AS version,
           COALESCE(
               min("at") FILTER (version = 1),
               (SELECT created_at FROM ledger.expense WHERE id = expense_id)
           ) AS created_at,
           arg_max("at", seq) AS updated_at,
           CASE WHEN arg_max(change, seq) = 'deleted' THEN arg_max("at", seq) END AS deleted_at,
           max(seq) AS last_seq
      FROM logged
     GROUP BY expense_id;
    CREATE TEMP TABLE lines AS
    SELECT seq, number, expense_id, version, change, "at", amount, category, description, date, occurrence
      FROM logged
     WHERE expense_id IN (SELECT id FROM changed WHERE version > 1);
    DROP TABLE logged
"""

# An expense that was as recorded, and no longer is, gets the line that its row stood for.
_REMOVE = """
    INSERT INTO ledger.line
    SELECT last_seq, last_seq, id, 1, 'created', created_at, amount, category, description, date, occurrence
      FROM ledger.expense
     WHERE version = 1 AND id IN (SELECT id FROM changed WHERE version > 1);
    DELETE FROM ledger.expense WHERE id IN (SELECT id FROM changed);
"""
_ADD_EXPENSES = "INSERT INTO ledger.expense BY NAME SELECT * FROM changed"
_DROP_VIEWS = "DROP VIEW changed; DROP VIEW lines"
_DROP_TABLES = "DROP TABLE changed; DROP TABLE lines"
_ADD_LINES = "INSERT INTO ledger.line BY NAME SELECT * FROM lines"


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


def load(
    con: duckdb.DuckDBPyConnection, ledger: Ledger | RemoteLedger, since: int, digits: int
) -> tuple[int, int]:
    """Bring what changed after line *since* of the log into the tables, all of it or nothing.

    It works on a cursor of its own: what the caller has begun to read from *con* stays as it is.

    Returns:
        How many expenses that is, and the number of the log's last line.
    """
    local = isinstance(ledger, Ledger)
    with _private_file() as file, closing(con.cursor()) as own:
        try:
            own.execute("BEGIN")
            if isinstance(ledger, Ledger):
                last = _from_file(own, ledger, file, since, digits)
            else:
                last = _from_afar(own, ledger, file, since, amount_type(digits))
            if since:
                own.execute(_REMOVE)
            (count,) = own.execute(_ADD_EXPENSES).fetchone() or (0,)
            own.execute(_ADD_LINES)
            own.execute(_DROP_VIEWS if local else _DROP_TABLES)
            own.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                own.execute("ROLLBACK")
            raise
        finally:
            own.execute("DETACH DATABASE IF EXISTS extract")
    return count, last


def exponent(ledger: Ledger | RemoteLedger) -> int:
    """How many fraction digits the ledger's amounts have; a handler's are seen in its totals."""
    if isinstance(ledger, Ledger):
        return ledger.currency.exponent
    digits = ledger.search(ExpenseFilter(limit=1)).total.as_tuple().exponent
    return -int(digits)


def amount_type(digits: int) -> str:
    """The type of an amount with so many fraction *digits*."""
    return f"DECIMAL(18, {digits})"


def _from_file(con: duckdb.DuckDBPyConnection, ledger: Ledger, file: Path, since: int, digits: int) -> int:
    with connection(ledger.path, ledger.currency.code) as sqlite:
        last = extract.write(sqlite, file, since)
    unit = f"CAST('{Decimal(1).scaleb(-digits)}' AS DECIMAL({digits + 1}, {digits}))"
    amount = f"CAST(CAST(amount_minor AS DECIMAL(18, 0)) * {unit} AS {amount_type(digits)})"
    con.execute(f"ATTACH {_quoted(file)} AS extract (TYPE sqlite, READ_ONLY)")
    con.execute(_LOCAL_EXPENSES.format(amount=amount))
    con.execute(_LOCAL_LINES.format(amount=amount))
    return last


def _from_afar(
    con: duckdb.DuckDBPyConnection, ledger: RemoteLedger, file: Path, since: int, kind: str
) -> int:
    last = ledger.copy_changes(file, since)
    con.execute(_REMOTE_LINES.format(type=kind, snapshot=_SNAPSHOT), {"file": str(file)})
    con.execute(_REMOTE_EXPENSES)
    return last


@contextmanager
def _private_file() -> Iterator[Path]:
    """An empty file that nobody else can read, in a folder that nobody else can enter; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="expense-extract-"))
    try:
        file = folder / "extract"
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
