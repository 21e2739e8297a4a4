"""A ledger's file that is open: its connection, and whether it is still the file that was opened.

Before each use, and after each write, the file and the log beside it are looked at from outside: what is
written to a file or a log that somebody removed or replaced is not acknowledged. Where writing is not safe
for another reason, the connection is kept from writing (``query_only``), and says why.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from expense_lib.domain.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerLogForeign,
    LedgerLogMoved,
    LedgerMoved,
    LedgerUnavailable,
    LedgerUnsafe,
    NotALedger,
)
from expense_lib.store import companions, left_log, schema
from expense_lib.store.companions import Companions, Glance

_left_log = threading.Lock()  # whoever holds it looks at the log that was left beside a file, and opens both
_damaged: set[tuple[int, int]] = set()  # files in which SQLite found damage


class OpenedFile:
    """One thread's connection to one file, opened when it is needed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.depth = 0  # how many blocks use it, one inside the other
        self.connection: sqlite3.Connection | None = None
        self.log = ""
        self.folder: companions.Folder = ""
        self.glanced: Glance | None = None
        self.seen = companions.NOTHING
        self.refusal: Callable[[], LedgerUnavailable] | None = None  # makes the error: why not to write
        self.all_to_close = False  # this process's other connections too, as they must look anew
        self.calls_back = False

    def open(self, currency: str | None, *, make: bool) -> sqlite3.Connection:
        """Open it as ``schema.connect`` does, and see whether it may be written.

        Raises:
            LedgerLogMoved: others go on using a log that is not beside the file any more.
            LedgerLogForeign: the log that is beside it was left by another file.
        """
        self.close()
        self.refusal = None
        if companions.is_in_use_without_log(self.path, schema.BUSY_TIMEOUT_MS / 1000):
            self.all_to_close = True  # it may be a connection of this process
            raise LedgerLogMoved
        with _left_log if companions.has_older_log(self.path) else nullcontext():
            if companions.has_older_log(self.path) and left_log.is_foreign(Path(self.path)):
                raise LedgerLogForeign
            opened = self.connection = schema.connect(Path(self.path), currency, make=make)
        self.log = companions.log_of(self.path)
        self.folder = companions.opened(os.path.dirname(self.log))  # noqa: PTH120
        self.glanced = None
        self.seen = companions.look(self.path, self.log)
        self._refuse(self._found_unsafe(opened))
        return opened

    def look(self) -> None:
        """Look whether the file and its log are those that were opened.

        If they are not, all connections of this process will be closed: SQLite has the last one move what is
        in the log into the file, although the log has no name any more.

        Raises:
            LedgerMoved, LedgerLogMoved: they are not.
        """
        now = companions.glance(self.path, self.folder)
        if now is None or now != self.glanced:
            self.glanced = now if now is not None and companions.is_settled(now) else None
            found = companions.look(self.path, self.log)
            if found != self.seen:
                self._tell(self.seen, found)

    def look_after_writing(self) -> None:
        """The same, where a name in the folder changed meanwhile; what else there is, the next use sees."""
        if self.glanced is None or companions.changed_at(self.folder) != self.glanced[-1]:
            self.look()

    def _tell(self, before: Companions, now: Companions) -> None:
        self.seen = now
        file_moved, log_moved = now[:2] != before[:2], now[3:] != before[3:]
        if file_moved or log_moved:
            self.close()
            self.all_to_close = True
            raise LedgerMoved if file_moved else LedgerLogMoved
        if self.connection is not None:  # its names are more or fewer
            self._refuse(self._found_unsafe(self.connection))

    def _found_unsafe(self, opened: sqlite3.Connection) -> Callable[[], LedgerUnavailable] | None:
        """Why writing is not safe, as the error that says it."""
        file = self.seen[:2]
        if file in _damaged:
            if opened.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                return LedgerDamaged
            _damaged.discard(file)
        why = schema.unsafe(opened, self.path)
        return None if why is None else partial(LedgerUnsafe, why)

    def _refuse(self, refusal: Callable[[], LedgerUnavailable] | None) -> None:
        if self.connection is not None and refusal is not self.refusal:
            self.connection.execute(f"PRAGMA query_only = {int(refusal is not None)}")
        self.refusal = refusal

    def close(self) -> None:
        """Close the connection, if it is open."""
        (ended, self.connection), (folder, self.folder) = (self.connection, None), (self.folder, "")
        if isinstance(folder, int):
            os.close(folder)
        if ended is not None:
            ended.close()

    __del__ = close

    def raise_as_ours(self, error: BaseException) -> None:
        """Raise *error*, if it is SQLite's and about the file, as the LedgerUnavailable that says so."""
        if not isinstance(error, sqlite3.Error) or isinstance(
            error, sqlite3.IntegrityError | sqlite3.ProgrammingError
        ):
            return  # those two would be a mistake of this library
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise LedgerBusy from error
        refusal = self.refusal
        self.close()
        match code:
            case sqlite3.SQLITE_READONLY if refusal is not None:
                raise refusal() from error
            case sqlite3.SQLITE_CORRUPT:
                note_damage(self.path)
                self.all_to_close = True
                raise LedgerDamaged from error
            case sqlite3.SQLITE_NOTADB:
                raise NotALedger("The file is no ledger any more.") from error
            case _:
                raise LedgerUnavailable(f"The ledger can't be read or written: {error}.") from error


def note_damage(path: Path | str) -> None:
    """Have nothing written to the file at *path* by this process until it is found whole again."""
    _damaged.add(companions.look(os.fspath(path), "")[:2])
