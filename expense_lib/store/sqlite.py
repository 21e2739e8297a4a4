"""Connections to ledger files, and transactions on them.

Opening a connection for each write would cost ten times the write, so every thread keeps those that it used
last: an LRU of CONNECTIONS_PER_THREAD, since each takes four file descriptors. A kept connection is closed
when it is the least recently used of too many, when its ledger is closed, when its thread ends, and before a
fork. Whoever needs it again opens it again.

A connection must never cross a fork: the child would share SQLite's table of locks with its parent, believe
that it holds locks which it does not, and could lose what it commits when the parent closes the file. So a
fork waits until no thread is in the middle of a call, and closes every connection.

Nor may a fork come while another thread uses a Pydantic model for the first time. That takes two locks, which
nobody would release in the child: one to build the model, and one in pydantic_core for each type that it
validates. The first is held over the fork. The second can't be, so a model that has all of our types is used
before.

Before each use, and after each write, the file and the log beside it are looked at from outside: what is
written to a file or a log that somebody removed or replaced is not acknowledged. Where writing is not safe
for another reason, the connection is kept from writing (``query_only``), and says why.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import ParamSpec

import pydantic.main

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
from expense_lib.domain.expense import NewExpense
from expense_lib.store import companions, left_log, schema
from expense_lib.store.companions import Companions, Glance

CONNECTIONS_PER_THREAD = 8

P = ParamSpec("P")

_BULK_CACHE_KIB = 24 * 1024


class _Kept:
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
        (ended, self.connection), (folder, self.folder) = (self.connection, None), (self.folder, "")
        if isinstance(folder, int):
            os.close(folder)
        if ended is not None:
            ended.close()

    __del__ = close


class _Connections:
    """One thread's kept connections by path, the least recently used first.

    Its thread holds *in_use* during a call; other threads must hold it to close one. It is one lock for all
    of them, as a call may use one ledger inside another's, and locks taken in turn could wait for each other.
    """

    def __init__(self) -> None:
        self.in_use = threading.RLock()
        self.by_path: OrderedDict[str, _Kept] = OrderedDict()
        self.to_close: set[str] = set()  # paths, while a call keeps them from being closed

    def add(self, path: str) -> _Kept:
        """Keep one to *path* too, and close those used longest ago that are too many; none in use is."""
        too_many = len(self.by_path) + 1 - CONNECTIONS_PER_THREAD
        idle = [kept for kept in self.by_path.values() if not kept.depth]
        for kept in idle[: max(too_many, 0)]:
            del self.by_path[kept.path]
            kept.close()
        added = self.by_path[path] = _Kept(path)
        return added

    def close(self, path: str) -> None:
        """Close the connection to *path*: at once, or when the call that the thread is in returns."""
        self.to_close.add(path)
        self.close_idle()

    def close_idle(self) -> None:
        """Close what is to be closed and not in use. Whoever releases *in_use* calls it afterwards."""
        if not self.in_use.acquire(blocking=False):
            return
        try:
            for path in tuple(self.to_close):
                kept = self.by_path.get(path)
                if kept is None or not kept.depth:
                    self.by_path.pop(path, None)
                    self.to_close.discard(path)
                    if kept is not None:
                        kept.close()
        finally:
            self.in_use.release()

    def close_all(self) -> None:
        for kept in self.by_path.values():
            kept.close()


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.connections = _Connections()
        with _everyones_lock:
            _everyones.add(self.connections)


_everyones: weakref.WeakSet[_Connections] = weakref.WeakSet()  # those of all threads that have not ended
_everyones_lock = threading.RLock()
_of_thread = _OfThread()
_held_over_fork: list[_Connections] = []
_left_log = threading.Lock()  # whoever holds it looks at the log that was left beside a file, and opens both
_damaged: set[tuple[int, int]] = set()  # files in which SQLite found damage
_model_building = getattr(pydantic.main, "_rebuild_lock", None) or threading.RLock()  # no public name for it


def _before_fork() -> None:
    NewExpense(amount=1, category="Fork", date="2000-01-01")  # the docstring above says why
    _everyones_lock.acquire()
    _held_over_fork[:] = _everyones
    for connections in _held_over_fork:
        connections.in_use.acquire()
        connections.close_all()
    _model_building.acquire()  # last: a call may build models, but building one calls nothing here


def _after_fork() -> None:
    _model_building.release()
    for connections in _held_over_fork:
        connections.in_use.release()
    _held_over_fork.clear()
    _everyones_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def close(path: Path | str) -> None:
    """Close this process's connections to the file at *path*, those of other threads too.

    A thread that is in the middle of a call, on whichever ledger, closes its own when the call returns.
    """
    with _everyones_lock:
        everyones = list(_everyones)
    for connections in everyones:
        connections.close(os.fspath(path))


def note_damage(path: Path | str) -> None:
    """Have nothing written to the file at *path* by this process until it is found whole again."""
    _damaged.add(companions.look(os.fspath(path), "")[:2])


class connection:  # noqa: N801 - it is used as a function; as a generator it would take twice as long
    """This thread's connection to the ledger at *path*, opened if need be as ``schema.connect`` does.

    It stays open after the block. Blocks may be nested, on one ledger or on several.

    Raises:
        LedgerBusy: another writer held the file for longer than the time-out.
        LedgerMoved, LedgerLogMoved: the file, or its log, is not the one that was opened any more.
        LedgerUnsafe: something was to be written, which could get lost.
        LedgerDamaged: SQLite found it damaged, or had, and something was to be written.
        LedgerUnavailable: SQLite can't read or write it, a full disk or a read-only file being the reasons.
    """

    __slots__ = ("changes", "connections", "currency", "kept", "make", "path")

    def __init__(self, path: Path | str, currency: str | None = None, *, make: bool = False) -> None:
        self.path, self.currency, self.make = os.fspath(path), currency, make

    def __enter__(self) -> sqlite3.Connection:
        self.connections = connections = _of_thread.connections
        connections.in_use.acquire()
        self.kept = kept = connections.by_path.get(self.path) or connections.add(self.path)
        connections.by_path.move_to_end(self.path)
        kept.depth += 1
        try:
            if kept.calls_back:
                raise LedgerBusy
            con = kept.connection
            if con is None or con.in_transaction:  # in one that an interrupt left, and nobody will end
                con = kept.open(self.currency, make=self.make)
            elif kept.depth == 1:
                kept.look()
            self.changes = con.total_changes
        except BaseException as error:
            try:
                _raise_as_ours(error, kept)
            finally:
                self._release()
            raise
        return con

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        kept = self.kept
        try:
            if error is None:
                if kept.connection is not None and kept.connection.total_changes != self.changes:
                    kept.look_after_writing()  # what was read needs none: the next use looks first
            else:
                if not isinstance(error, Exception) or (
                    kept.connection is not None and kept.connection.in_transaction
                ):
                    kept.close()  # an interrupt came before everything was as at the beginning again
                _raise_as_ours(error, kept)
        finally:
            self._release()

    def _release(self) -> None:
        self.kept.depth -= 1
        all_to_close = self.kept.all_to_close and not self.kept.depth
        if all_to_close:
            self.kept.all_to_close = False
        self.connections.in_use.release()
        if all_to_close:
            close(self.path)
        elif self.connections.to_close:
            self.connections.close_idle()


def closed_to(callback: Callable[P, None], path: Path | str) -> Callable[P, None]:
    """Wrap *callback*, which is called during a transaction: to it the ledger at *path* raises LedgerBusy.

    Otherwise a call on that ledger would find the connection in a transaction, and close it as one that an
    interrupt left behind.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        kept = _of_thread.connections.by_path[os.fspath(path)]
        kept.calls_back = True
        try:
            callback(*args, **kwargs)
        finally:
            kept.calls_back = False

    return call


class transaction:  # noqa: N801 - as above
    """A transaction: the block reads one snapshot. With *write* it is on disk when the block has ended.

    If the block raises, everything is rolled back. A writer takes the write lock at the beginning, so that
    what it read can't change before it writes.
    """

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


def _raise_as_ours(error: BaseException, kept: _Kept) -> None:
    """Raise *error*, if it is SQLite's and about the file, as the LedgerUnavailable that says the same."""
    if not isinstance(error, sqlite3.Error) or isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        return  # those two would be a mistake of this library
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise LedgerBusy from error
    refusal = kept.refusal
    kept.close()
    match code:
        case sqlite3.SQLITE_READONLY if refusal is not None:
            raise refusal() from error
        case sqlite3.SQLITE_CORRUPT:
            note_damage(kept.path)
            kept.all_to_close = True
            raise LedgerDamaged from error
        case sqlite3.SQLITE_NOTADB:
            raise NotALedger("The file is no ledger any more.") from error
        case _:
            raise LedgerUnavailable(f"The ledger can't be read or written: {error}.") from error
