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

from expense_lib.analytics import tables
from expense_lib.domain.errors import AnalyticsUnavailable, CursorError, LedgerUnavailable
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.ledger import Ledger
from expense_lib.store import extract
from expense_lib.store.extract import Line

if TYPE_CHECKING:
    from expense_lib.api import LedgerAPI
    from expense_lib.client import RemoteLedger

_NOTHING: Line = (0, None, "")


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


def load(con: duckdb.DuckDBPyConnection, ledger: LedgerAPI, digits: int) -> int:
    """Bring what changed since the last load into the tables, all of it or nothing.

    If the ledger was replaced meanwhile, by a backup say, its log is another one, and everything is brought
    anew. It works on a cursor of its own: what the caller has begun to read from *con* stays as it is.

    Returns:
        How many expenses that is.
    """
    with closing(con.cursor()) as own:
        own.execute("BEGIN")
        try:
            known: Line = own.execute(tables.COPIED).fetchone() or _NOTHING
            count = _fill(own, ledger, known, digits)
            if count is None:
                own.execute(tables.FORGET)
                count = _fill(own, ledger, _NOTHING, digits)
            own.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                own.execute("ROLLBACK")
            raise
    return count or 0


def _fill(con: duckdb.DuckDBPyConnection, ledger: LedgerAPI, known: Line, digits: int) -> int | None:
    """Merge what changed after the line *known* into the tables.

    Returns:
        How many expenses that is; None, and nothing is merged, if the log does not have the line *known*, or
        is of another generation.
    """
    with _private_file() as file:
        read = _from_file if isinstance(ledger, Ledger) else _from_afar
        last = read(con, ledger, file, known, digits)  # type: ignore[arg-type] # it is that one's
        if last is None:
            return None
        for statement in tables.REMOVE if known[0] else ():
            con.execute(statement)
        con.execute(tables.ADD_ENTRIES)
        (count,) = con.execute(tables.ADD_EXPENSES).fetchone() or (0,)
        con.execute(tables.COPY, dict(zip(("seq", "at", "generation"), last, strict=True)))
    return int(count)


def exponent(ledger: LedgerAPI) -> int:
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
    with ledger.engine.connection(ledger.currency.code) as own:
        last = ledger.engine.extract(own, file, known)
    if last is not None:
        unit = f"CAST('{Decimal(1).scaleb(-digits)}' AS DECIMAL({digits + 1}, {digits}))"
        amount = f"CAST(CAST(amount_minor AS DECIMAL(18, 0)) * {unit} AS {amount_type(digits)})"
        for table, view in (("expense", tables.LOCAL_EXPENSES), ("entry", tables.LOCAL_ENTRIES)):
            con.execute(view.format(amount=amount, scan=_scan(ledger.engine.extracts, file, table)))
    return last


def _scan(kind: str, file: Path, table: str) -> str:
    """What reads a table of an extract of this kind in DuckDB."""
    columns = ", ".join(f"'{name}': '{of}'" for name, of in extract.columns(table).items())
    source = Path(f"{file}.{table}") if kind == "csv" else file
    return tables.SCANS[kind].format(file=_quoted(source), table=table, columns=f"{{{columns}}}")


def _from_afar(
    con: duckdb.DuckDBPyConnection, ledger: RemoteLedger, file: Path, known: Line, digits: int
) -> Line | None:
    since, at, of = known
    try:
        last, generation = ledger.copy_log(file, max(since - 1, 0), of)  # so that what is known comes again
    except CursorError:
        return None
    fraction = rf"\.[0-9]{{{digits}}}" if digits else ""
    lines = tables.REMOTE_ENTRIES.format(type=amount_type(digits), fraction=fraction, values=tables.VALUES)
    try:
        con.execute(lines, {"file": str(file)})
        strange = con.execute(tables.STRANGE).fetchone() != (False,)
    except duckdb.Error:
        strange = True
    if strange:
        raise LedgerUnavailable(f"What {ledger.url} tells of its changes makes no sense.")
    if since and con.execute(tables.LINE_AT, {"seq": since}).fetchone() != (at,):
        con.execute("DROP TABLE logged")
        return None
    said_at = con.execute(tables.LINE_AT, {"seq": last}).fetchone()
    con.execute("DELETE FROM logged WHERE seq <= $since", {"since": since})
    for table in tables.REMOTE_EXPENSES:
        con.execute(table)
    return (last, said_at[0], generation) if said_at else (0, None, generation)


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
