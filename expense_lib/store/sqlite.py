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
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

import pydantic.main

from expense_lib.domain.errors import LedgerBusy
from expense_lib.domain.expense import NewExpense
from expense_lib.store.opened_file import OpenedFile

CONNECTIONS_PER_THREAD = 8

P = ParamSpec("P")

_BULK_CACHE_KIB = 24 * 1024


class _Connections:
    """One thread's kept connections by path, the least recently used first.

    Its thread holds *in_use* during a call; other threads must hold it to close one. It is one lock for all
    of them, as a call may use one ledger inside another's, and locks taken in turn could wait for each other.
    """

    def __init__(self) -> None:
        self.in_use = threading.RLock()
        self.by_path: OrderedDict[str, OpenedFile] = OrderedDict()
        self.to_close: set[str] = set()  # paths, while a call keeps them from being closed

    def add(self, path: str) -> OpenedFile:
        """Keep one to *path* too, and close those used longest ago that are too many; none in use is."""
        too_many = len(self.by_path) + 1 - CONNECTIONS_PER_THREAD
        idle = [kept for kept in self.by_path.values() if not kept.depth]
        for kept in idle[: max(too_many, 0)]:
            del self.by_path[kept.path]
            kept.close()
        added = self.by_path[path] = OpenedFile(path)
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
                kept.raise_as_ours(error)
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
                kept.raise_as_ours(error)
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
