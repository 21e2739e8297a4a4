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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expense_lib import schema
from expense_lib.errors import LedgerBusy, LedgerUnavailable, NotALedger


class _Kept:
    """A thread's connection to one file. It ends with the thread, or before a fork."""

    def __init__(self) -> None:
        self.in_use = threading.RLock()
        self.connection: sqlite3.Connection | None = None

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    __del__ = close


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.by_path: dict[Path, _Kept] = {}


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


@contextmanager
def connection(
    path: Path, currency: str | None = None, *, make: bool = False
) -> Iterator[sqlite3.Connection]:
    """This thread's connection to the ledger at *path*, opened if need be; as ``schema.connect`` has it.

    Raises:
        LedgerBusy: another writer held the file for longer than the time-out.
        LedgerUnavailable: SQLite can't read or write the file.
    """
    kept = _of_thread.by_path.get(path)
    if kept is None:
        kept = _of_thread.by_path[path] = _Kept()
        with _everyones_lock:
            _everyones.add(kept)
    with kept.in_use, _errors_of_our_own():
        if kept.connection is None:
            kept.connection = schema.connect(path, currency, make=make)
        yield kept.connection


@contextmanager
def transaction(path: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    """One snapshot to read; or with *write* all or nothing, and on disk once the block has ended."""
    with connection(path) as con:
        con.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield con
            con.execute("COMMIT")
        except BaseException:
            if con.in_transaction:
                con.execute("ROLLBACK")
            raise


@contextmanager
def _errors_of_our_own() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise LedgerBusy from error
        if code == sqlite3.SQLITE_NOTADB:
            raise NotALedger("The file is no ledger any more.") from error
        raise LedgerUnavailable(f"The ledger can't be read or written: {error}.") from error
