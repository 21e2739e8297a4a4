"""Going back to a backup: its content becomes the ledger's, in one transaction, while others have it open."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from expense_lib.domain.errors import (
    CurrencyError,
    LedgerBusy,
    LedgerLogForeign,
    LedgerLogMoved,
    LedgerUnavailable,
    LedgerUnsafe,
    NotALedger,
)
from expense_lib.store import blueprint, companions, health, left_log, schema, sqlite

PAGES_AT_ONCE = 1  # so that there is a call before the last is written, with which all is committed
_WAIT_S = 0.05


def restore(path: Path, backup: Path, currency: str | None = None) -> Path | None:
    """Put the content of *backup* in the place of what is in the ledger at *path*, which is copied before.

    Whoever has the ledger open goes on, with what is there then; who is writing is waited for. All that is in
    the ledger when it is replaced is in the copy. The new content is on disk, and of a generation of its own.

    Args:
        path: The ledger; made if it is not there.
        backup: A ledger, which is left as it is, of this version or an earlier one.
        currency: What both must be kept in, if it is given.

    Returns:
        The copy of what was there, beside the ledger; None if nothing was.

    Raises:
        NotALedger, LedgerTooNew: the backup, or what is there, is something else or too new.
        CurrencyError: the backup is kept in another currency than the ledger, or than is asked for.
        LedgerBusy: others kept it locked for too long.
        LedgerUnsafe, LedgerLogForeign, LedgerLogMoved: what is written to the ledger could get lost.
        LedgerUnavailable: the backup is damaged, or one of both can't be read or written.
    """
    if companions.file_at(str(backup)) in (None, companions.file_at(str(path))):
        raise LedgerUnavailable(f"There is no backup there, or it is the ledger itself: {backup}.")
    sqlite.close(path)
    _refuse_unsafe(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".expenses-restore-", dir=path.parent) as folder:
            candidate = Path(folder) / "candidate"
            _take(backup, candidate)
            kept_in = _prepare(candidate)
            for other in (currency, _currency_of(path)):
                if other not in (None, kept_in):
                    raise CurrencyError(f"This backup is kept in {kept_in}, not in {other}.")
            return _replace(path, candidate)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise LedgerBusy from None
        raise LedgerUnavailable(f"The backup or the ledger can't be read or written: {error}.") from error
    except OSError as error:
        if isinstance(error, LedgerUnavailable):
            raise
        raise LedgerUnavailable(f"The ledger can't be written: {error.strerror}.") from error
    finally:
        sqlite.close(path)


def _refuse_unsafe(path: Path) -> None:
    """Refuse where what is written to the file would get lost; that its tables are others is no matter."""
    why = companions.unsafe(str(path))
    if why is not None:
        raise LedgerUnsafe(why)
    if companions.is_in_use_without_log(str(path), schema.BUSY_TIMEOUT_MS / 1000):
        raise LedgerLogMoved
    if companions.has_older_log(str(path)) and left_log.is_foreign(path):
        raise LedgerLogForeign


def _take(backup: Path, candidate: Path) -> None:
    """Copy a sound ledger to a new file."""
    how = "mode=ro" if Path(companions.log_of(str(backup))).exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(os.fsencode(backup))}?{how}", uri=True)) as source:
            if schema.version_of(source, backup) == 0:
                raise NotALedger(f"This file is no ledger: {backup}.")
            with closing(sqlite3.connect(candidate)) as copy:
                source.backup(copy)
                if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                    raise _damaged(backup)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise _damaged(backup) from error


def _damaged(backup: Path) -> LedgerUnavailable:
    return LedgerUnavailable(f"This backup is damaged: {backup}. Nothing was changed.")


def _prepare(candidate: Path) -> str:
    """Bring the copy of a backup up to date, with a generation of its own. Returns its currency."""
    with closing(schema.connect(candidate, make=False)) as con:
        different = ", ".join(blueprint.differences(con, schema.MIGRATIONS))
        if different:
            raise LedgerUnavailable(f"The tables of this backup are not as they were made ({different}).")
        health.renew_generation(con)
        return schema.currency(con).code


def _currency_of(path: Path) -> str | None:
    """The currency of what is there; None if nothing is, or it can't be read any more."""
    if not _is_there(path):
        return None
    try:
        with closing(schema.connect(path, make=False)) as con:
            return schema.currency(con).code
    except LedgerUnsafe:  # its tables are others
        return None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        return None


def _is_there(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _replace(path: Path, candidate: Path) -> Path | None:
    """Write *candidate* over the ledger, in one transaction, of which the copy of the ledger is a part."""
    copied = _name_of_copy(path) if _is_there(path) else None
    with closing(sqlite3.connect(candidate)) as source, closing(_opened(path)) as target:
        with suppress(sqlite3.DatabaseError):  # as it is by default; a damaged file can't be told
            target.execute("PRAGMA synchronous = FULL")
        source.backup(target, pages=PAGES_AT_ONCE, progress=_copying_before(path, copied), sleep=_WAIT_S)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copied


def _copying_before(path: Path, target: Path | None) -> Callable[[int, int, int], None]:
    """What is called for each page that is written: at first it copies what was there; nobody can write."""
    deadline = time.monotonic() + schema.BUSY_TIMEOUT_MS / 1000
    done = target is None

    def progress(status: int, remaining: int, total: int) -> None:
        nonlocal done
        if status not in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE) and time.monotonic() > deadline:
            raise LedgerBusy
        if not done and status == sqlite3.SQLITE_OK and target is not None:
            done = True
            with closing(_opened(path)) as con:
                health.copy(con, target)

    return progress


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=schema.BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def _name_of_copy(path: Path) -> Path:
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return path.with_name(f"{path.stem}-before-restore-{now}{path.suffix}")
