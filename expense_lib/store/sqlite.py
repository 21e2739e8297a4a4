"""One open connection for each process, thread and ledger file, and the transactions on it.

Opening a connection for each write would cost ten times the write. A kept one must never cross a fork: the
child would share SQLite's table of locks with its parent, believe that it holds locks which it does not, and
could lose what it commits when the parent closes the file. So every connection is closed before a fork, once
its transaction has ended, and each side opens its own when it next needs one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

from expense_lib.domain.errors import LedgerBusy, LedgerDamaged, LedgerMoved, LedgerUnavailable, NotALedger
from expense_lib.store import schema

P = ParamSpec("P")

_BULK_CACHE_KIB = 24 * 1024


class _Kept:
    """A thread's connection to one file. It ends with the thread, before a fork, or with the file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.in_use = threading.RLock()
        self.connection: sqlite3.Connection | None = None
        self.file: tuple[int, int] | None = None
        self.calls_back = False

    def open(self, currency: str | None, *, make: bool) -> sqlite3.Connection:
        if self.connection is not None and self.connection.in_transaction:
            self.close()  # an interrupt left it in a transaction that nobody will end
        if self.connection is None:
            self.connection = schema.connect(Path(self.path), currency, make=make)
            self.file = _file_at(self.path)
        return self.connection

    def refuse_if_moved(self) -> None:
        if self.connection is not None and _file_at(self.path) != self.file:
            self.close()
            raise LedgerMoved

    def close(self) -> None:
        ended, self.connection = self.connection, None
        if ended is not None:
            ended.close()

    __del__ = close


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.by_path: dict[str, _Kept] = {}


_of_thread = _OfThread()
_everyones: weakref.WeakSet[_Kept] = weakref.WeakSet()
_everyones_lock = threading.Lock()
_held_over_fork: list[_Kept] = []


def _before_fork() -> None:
    _everyones_lock.acquire()
    _held_over_fork[:] = _everyones
    for kept in _held_over_fork:
        kept.in_use.acquire()
        kept.close()


def _after_fork() -> None:
    for kept in _held_over_fork:
        kept.in_use.release()
    _held_over_fork.clear()
    _everyones_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


class connection:  # noqa: N801 - it is used as a function; as a generator it would take twice as long
    """This thread's connection to the ledger at *path*, opened if need be as ``schema.connect`` does.

    Raises:
        LedgerBusy: another writer held the file for longer than the time-out.
        LedgerMoved: the file is not the one that was opened any more.
        LedgerDamaged: SQLite found it damaged.
        LedgerUnavailable: SQLite can't read or write it, a full disk or a read-only file being the reasons.
    """

    __slots__ = ("currency", "kept", "make")

    def __init__(self, path: Path | str, currency: str | None = None, *, make: bool = False) -> None:
        path = os.fspath(path)
        kept = _of_thread.by_path.get(path)
        if kept is None:
            kept = _of_thread.by_path[path] = _Kept(path)
            with _everyones_lock:
                _everyones.add(kept)
        self.kept, self.currency, self.make = kept, currency, make

    def __enter__(self) -> sqlite3.Connection:
        self.kept.in_use.acquire()
        try:
            if self.kept.calls_back:
                raise LedgerBusy
            return self.kept.open(self.currency, make=self.make)
        except BaseException as error:
            self.kept.in_use.release()
            _raise_as_ours(error, self.kept)
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self.kept.refuse_if_moved()
            else:
                if not isinstance(error, Exception) or (
                    self.kept.connection is not None and self.kept.connection.in_transaction
                ):
                    self.kept.close()  # an interrupt came before everything was as at the beginning again
                _raise_as_ours(error, self.kept)
        finally:
            self.kept.in_use.release()


def closed_to(callback: Callable[P, None], path: Path | str) -> Callable[P, None]:
    """*callback*, for which the ledger at *path* is busy as long as it is called: its writer waits for it.

    Otherwise the connection, in the middle of a transaction, would be taken for one that an interrupt left.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        kept = _of_thread.by_path[os.fspath(path)]
        kept.calls_back = True
        try:
            callback(*args, **kwargs)
        finally:
            kept.calls_back = False

    return call


class transaction:  # noqa: N801 - as above
    """One snapshot to read; or with *write* all or nothing, and on disk once the block has ended."""

    __slots__ = ("begin", "con")

    def __init__(self, con: sqlite3.Connection, *, write: bool) -> None:
        self.con, self.begin = con, "BEGIN IMMEDIATE" if write else "BEGIN"

    def __enter__(self) -> None:
        self.con.execute(self.begin)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self.con.execute("COMMIT")
        finally:
            if self.con.in_transaction:
                self.con.execute("ROLLBACK")


def writing_transaction(con: sqlite3.Connection) -> transaction:
    """The write lock, all or nothing."""
    return transaction(con, write=True)


@contextmanager
def bulk_transaction(con: sqlite3.Connection) -> Iterator[None]:
    """The write lock, all or nothing, for many rows: more cache, and no look at the foreign keys of each one.

    What belongs to what is right by construction, and ``integrity.findings`` looks at all of it.
    """
    (cache,) = con.execute("PRAGMA cache_size").fetchone()
    con.execute("PRAGMA foreign_keys = OFF")
    con.execute(f"PRAGMA cache_size = -{_BULK_CACHE_KIB}")
    try:
        with transaction(con, write=True):
            yield
    finally:
        con.execute("PRAGMA foreign_keys = ON")
        con.execute(f"PRAGMA cache_size = {cache}")


def _file_at(path: str) -> tuple[int, int] | None:
    """Which file is at *path*, without opening it."""
    try:
        status = os.stat(path)  # noqa: PTH116 - asked at every use, and Path.stat takes twice as long
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _raise_as_ours(error: BaseException, kept: _Kept) -> None:
    """Raise the error of this library that says what SQLite's says, if it is one about the file."""
    if not isinstance(error, sqlite3.Error) or isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        return  # those two would be a mistake of this library
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise LedgerBusy from error
    kept.close()
    match code:
        case sqlite3.SQLITE_CORRUPT:
            raise LedgerDamaged from error
        case sqlite3.SQLITE_NOTADB:
            raise NotALedger("The file is no ledger any more.") from error
        case _:
            raise LedgerUnavailable(f"The ledger can't be read or written: {error}.") from error
