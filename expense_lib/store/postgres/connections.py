"""Connections to PostgreSQL: each thread keeps those that it used, and uses each for one ledger at a time.

A kept connection is closed when its ledger is closed and when its thread ends. One that the server hung up,
between two invocations of a serverless function say, is replaced before anything is sent. After a fork the
child drops its parent's connections and does not close them: closing would end the parent's.
"""

from __future__ import annotations

import os
import select
import threading
import weakref
from collections import defaultdict
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import IntDumper

from expense_lib.store.postgres import errors

# What holds unless the address says otherwise: a server that is gone is found out in seconds.
_DEFAULTS = {
    "application_name": "expenses",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class _WholeNumber(Loader):
    """Sums of integers are ``numeric`` in PostgreSQL."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


class _Connection(psycopg.Connection[Any]):
    """One that is closed when nobody has it any more, in whichever order a cycle is collected."""

    _process = 0  # the one that opened it

    def __del__(self, *_: object) -> None:
        if self._process == os.getpid():
            self.close()


class Kept:
    """An open connection to a database, of one thread of one process."""

    def __init__(self, dsn: str, epoch: int) -> None:
        self.dsn, self.epoch, self.process = dsn, epoch, os.getpid()
        self._unsettled = False
        try:
            options: dict[str, Any] = {**_DEFAULTS, **conninfo_to_dict(dsn)}
            self.raw = _Connection.connect(
                **options, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.ClientCursor
            )
        except psycopg.Error as error:
            raise errors.unreached(error) from error
        self.raw._process = self.process
        self.raw.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        self.raw.adapters.register_loader("numeric", _WholeNumber)
        self.raw.adapters.register_dumper(bool, _Flag)

    def is_usable(self) -> bool:
        """Whether the server is still there, as far as it said so, and nothing is going on."""
        if not self.is_to_be_kept():
            return False
        try:
            self.settle()
            while _has_something_to_say(self.raw.fileno()):  # unasked: a notice, or it hung up
                self.raw.pgconn.consume_input()
        except psycopg.Error:
            return False
        return not self.raw.closed and self._is_idle()

    def is_to_be_kept(self) -> bool:
        """Whether it may be used again, as far as is known without asking the server."""
        is_mine = self.process == os.getpid() and self.epoch == _epochs[self.dsn]
        return is_mine and not self.raw.closed and (self._unsettled or self._is_idle())

    def send_only(self, sql: str) -> None:
        """Send a statement that gives nothing, and do not wait until it is done: whoever is next will."""
        self.raw.pgconn.send_query(sql.encode())
        self.raw.pgconn.flush()
        self._unsettled = True

    def settle(self) -> None:
        """Wait until what was only sent is done; other threads run meanwhile, which get_result lets none."""
        if self._unsettled:
            self._unsettled = False
            waiting = True
            while waiting:
                while self.raw.pgconn.is_busy():
                    _has_something_to_say(self.raw.fileno(), wait=True)
                    self.raw.pgconn.consume_input()
                waiting = self.raw.pgconn.get_result() is not None

    def _is_idle(self) -> bool:
        return self.raw.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def close(self) -> None:
        """Close it; in a forked child let it be, for ever."""
        if self.process == os.getpid():
            self.raw.close()
        else:
            _abandoned.append(self.raw)

    def __del__(self) -> None:
        if hasattr(self, "raw"):
            self.close()


def _has_something_to_say(socket: int, *, wait: bool = False) -> bool:
    """Whether there is something to be read; with *wait*, once there is."""
    if not hasattr(select, "poll"):
        return bool(select.select([socket], [], [], None if wait else 0)[0])
    polled = select.poll()
    polled.register(socket, select.POLLIN)
    return bool(polled.poll(None if wait else 0))


class _Flag(IntDumper):
    """Flags are kept as 0 and 1, as in SQLite."""

    def dump(self, value: Any) -> Buffer:
        return b"1" if value else b"0"


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.idle = _Idle()
        with _everyones_lock:
            _everyones.add(self.idle)


class _Idle:
    """The connections of one thread that nothing uses at present, by their databases."""

    def __init__(self) -> None:
        self.of = defaultdict[str, list[Kept]](list)


_abandoned: list[psycopg.Connection[Any]] = []
_epochs: defaultdict[str, int] = defaultdict(int)  # by database: how often its connections were closed
_everyones: weakref.WeakSet[_Idle] = weakref.WeakSet()
_everyones_lock = threading.Lock()
_of_thread = _OfThread()


def take(dsn: str) -> Kept:
    """A connection that nothing else uses until it is given back: a kept one, or a new one.

    Raises:
        LedgerUnavailable: the database can't be reached, or refuses its user.
    """
    idle = _of_thread.idle.of[dsn]
    while idle:
        kept = idle.pop()
        if kept.is_usable():
            return kept
        kept.close()
    return Kept(dsn, _epochs[dsn])


def give_back(kept: Kept) -> None:
    """Keep a connection for the next use, if it is as it was."""
    if kept.is_to_be_kept():
        _of_thread.idle.of[kept.dsn].append(kept)
    else:
        kept.close()


def close(dsn: str) -> None:
    """Close this process's connections to a database; those in use, when they are given back."""
    _epochs[dsn] += 1
    with _everyones_lock:
        everyones = list(_everyones)
    for idle in everyones:
        kept_by_thread = idle.of.get(dsn, [])
        while kept_by_thread:
            with suppress(IndexError):  # its thread took the last one
                kept_by_thread.pop().close()


def _after_fork() -> None:
    """In the child: whoever held the lock is not there to release it."""
    global _everyones_lock  # noqa: PLW0603
    _everyones_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
