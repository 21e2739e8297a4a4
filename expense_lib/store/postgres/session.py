"""A session: what a Transaction's ``execute`` and ``executemany`` are on PostgreSQL.

The network is what a database elsewhere costs, so a statement that gives no rows waits until one that does,
or the commit, and they are sent together; so are the beginning of a transaction and its first statement. An
error comes when what it is about was sent, at the latest with the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any, NamedTuple

import psycopg
from psycopg import Cursor

from expense_lib.domain.errors import LedgerUnavailable
from expense_lib.store.postgres.connections import Kept
from expense_lib.store.postgres.schema import SETTING, Found
from expense_lib.store.postgres.texts import Text, text

LOCK_TIMEOUT = "5s"
IDLE_TIMEOUT = "5s"  # of a transaction that holds the lock and sends nothing: its process may be frozen
BULK_IDLE_TIMEOUT = "60s"

_MANY = 200  # rows from which on they are copied

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"
_SET_READING = f"SELECT set_config('{SETTING}', %s, true)"
_SET_WRITING = f"""
    SELECT set_config('{SETTING}', %s, true),
           set_config('synchronous_commit', 'on', true),
           set_config('lock_timeout', %s, true),
           set_config('idle_in_transaction_session_timeout', %s, true)
"""
_IS_THERE = "SELECT 1 FROM all_ledger WHERE id = %s AND uid = %s"
_LOCK = f"{_IS_THERE} FOR NO KEY UPDATE"  # of the ledger's own row: one writer a ledger

Values = Sequence[Any] | Mapping[str, Any]
Rows = Iterator[Sequence[Any]]


class _Waiting(NamedTuple):
    """A statement that was not sent yet; *rows*: once for each of them."""

    sql: str
    values: Any
    rows: bool = False


class Session:
    """One ledger on one connection. Outside of a transaction, each statement is one that reads."""

    def __init__(self, kept: Kept, ledger: Found) -> None:
        self._kept, self.ledger = kept, ledger
        self._waiting: list[_Waiting] = []
        self._checked = True  # whether the ledger is known to be there
        self.in_transaction = False

    def begin(self, *, write: bool, bulk: bool = False) -> None:
        """Begin a transaction: with *write* it holds the ledger's lock, else it reads one snapshot."""
        number, uid, _ = self.ledger
        if write:
            settings = (str(number), LOCK_TIMEOUT, BULK_IDLE_TIMEOUT if bulk else IDLE_TIMEOUT)
            self._waiting = [_Waiting(_WRITING, ()), _Waiting(_SET_WRITING, settings)]
        else:
            self._waiting = [_Waiting(_READING, ()), _Waiting(_SET_READING, (str(number),))]
        self._waiting.append(_Waiting(_LOCK if write else _IS_THERE, (number, uid)))
        self._checked = False
        self.in_transaction = True

    def commit(self) -> None:
        """End the transaction; when this returns, what it wrote is on disk."""
        if self._checked or len(self._waiting) > 3:
            self._send(_Waiting("COMMIT", ()))
        self._waiting = []  # of a transaction that did nothing, nothing is sent
        self.in_transaction = False

    def roll_back(self) -> None:
        """End the transaction without a trace."""
        self._waiting = []
        self.in_transaction = False
        raw = self._kept.raw
        if not raw.closed and raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # then the server has ended it
                raw.execute("ROLLBACK")

    def can_lock(self) -> bool:
        """Whether nobody else holds the ledger's lock at this moment."""
        number, uid, _ = self.ledger
        try:
            self._kept.raw.execute(f"{_LOCK} NOWAIT".encode(), (number, uid))
        except psycopg.errors.LockNotAvailable:
            return False
        return True

    def execute(self, sql: str, values: Values = ()) -> Any:
        """Execute a statement of the store's. Its rows, if it gives any, are there: fetch or iterate."""
        if not self.in_transaction:
            self.begin(write=False)
            try:
                cursor = self._execute(sql, values)
                self.commit()
            except BaseException:
                self.roll_back()
                raise
            return cursor
        return self._execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement of the store's that gives no rows, once for each of *rows*."""
        statement = text(sql)
        rows = iter(rows)
        first = list(islice(rows, _MANY))
        if len(first) == _MANY and statement.copy is not None:
            self._copy(statement.copy, chain(first, rows))
        elif first:
            first.extend(rows)
            self._waiting.append(_Waiting(statement.sql, first, rows=True))

    def _execute(self, sql: str, values: Values) -> Any:
        statement = text(sql)
        waiting = _Waiting(statement.sql, _bound(statement, values))
        if statement.answers:
            return self._send(waiting)
        self._waiting.append(waiting)
        return None

    def _copy(self, sql: str, rows: Rows) -> None:
        self._send(None)
        with self._kept.raw.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def _send(self, last: _Waiting | None) -> Cursor[Any] | None:
        """Send all that waits, and *last*, at once; what *last* gives."""
        sent = [*self._waiting, *([] if last is None else [last])]
        self._waiting = []
        raw = self._kept.raw
        cursors = []
        with raw.pipeline():
            for each in sent:
                cursor = raw.cursor()
                if each.rows:
                    cursor.executemany(each.sql.encode(), each.values)
                else:
                    cursor.execute(each.sql.encode(), each.values)
                cursors.append(cursor)
        if not self._checked:
            if cursors[2].fetchone() is None:
                raise LedgerUnavailable("There is no ledger of this name in the database any more.")
            self._checked = True
        return cursors[-1] if cursors else None


def _bound(statement: Text, values: Values) -> Values:
    """The values as PostgreSQL takes them: what is JSON for SQLite's ``json_each`` is a list."""
    if not statement.lists or not isinstance(values, Mapping):
        return values
    return {**values, **{name: json.loads(values[name]) for name in statement.lists}}
