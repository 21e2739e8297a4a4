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
from typing import Any

import psycopg
from psycopg import ClientCursor

from expense_lib.store.postgres.connections import Kept
from expense_lib.store.postgres.errors import NoLedger
from expense_lib.store.postgres.schema import SETTING, Found
from expense_lib.store.postgres.texts import text

LOCK_TIMEOUT = "5s"
IDLE_TIMEOUT = "5s"  # of a transaction that holds the lock and sends nothing: its process may be frozen
BULK_IDLE_TIMEOUT = "60s"

_MANY = 200  # rows from which on they are copied
_AT_ONCE = 2_000  # statements
_UNKNOWN = 10_000  # new rows from which on the planner is to know of them
_ANALYZE = """
    BEGIN;
    SET LOCAL lock_timeout = '1s';
    ANALYZE all_expense, all_claim, all_log_entry, all_statement_row;
    COMMIT
"""

# What a transaction begins with. The ledger's own row is its lock: one writer a ledger.
_READING = """
    BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SELECT set_config('{setting}', '{number}', true);
    SELECT 1 FROM all_ledger WHERE id = {number} AND uid = '{uid}' AND generation = '{generation}'
"""
_WRITING = """
    BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;
    SELECT set_config('{setting}', '{number}', true),
           set_config('synchronous_commit', 'on', true),
           set_config('lock_timeout', '{lock_timeout}', true),
           set_config('idle_in_transaction_session_timeout', '{idle_timeout}', true);
    SELECT 1 FROM all_ledger WHERE id = {number} AND uid = '{uid}' AND generation = '{generation}'
       FOR NO KEY UPDATE
"""
_TRY_LOCK = "SELECT 1 FROM all_ledger WHERE id = %s AND uid = %s FOR NO KEY UPDATE NOWAIT"
_BEGINNING = 3  # statements, of which the last says whether the ledger is there

Values = Sequence[Any] | Mapping[str, Any]
Rows = Iterator[Sequence[Any]]


class Session:
    """One ledger on one connection. Outside of a transaction, each statement is one that reads."""

    def __init__(self, kept: Kept, ledger: Found) -> None:
        self._kept, self.ledger = kept, ledger
        self._writer = ClientCursor(kept.raw)
        self._waiting: list[str] = []
        self._begun = self._writes = False  # whether the server knows of the transaction; whether it writes
        self._copied = 0  # rows in this transaction
        self.in_transaction = False

    def begin(self, *, write: bool, bulk: bool = False) -> None:
        """Begin a transaction: with *write* it holds the ledger's lock, else it reads one snapshot."""
        number, uid, generation, _ = self.ledger
        beginning = (_WRITING if write else _READING).format(
            setting=SETTING,
            number=number,
            uid=uid,
            generation=generation,
            lock_timeout=LOCK_TIMEOUT,
            idle_timeout=BULK_IDLE_TIMEOUT if bulk else IDLE_TIMEOUT,
        )
        self._waiting = [beginning]
        self._begun, self._writes, self.in_transaction = False, write, True
        self._copied = 0

    def commit(self) -> None:
        """End the transaction; when this returns, what it wrote is on disk."""
        if not self._writes and self._begun:
            self._kept.send_only("COMMIT")
        elif self._begun or len(self._waiting) > 1:
            self._waiting.append("COMMIT")
            self._send()
        self._waiting = []  # of a transaction that did nothing, nothing is sent
        self.in_transaction = False
        if self._copied >= _UNKNOWN:
            self._analyze()

    def roll_back(self) -> None:
        """End the transaction without a trace."""
        self._waiting = []
        self.in_transaction = False
        raw = self._kept.raw
        self._kept.settle()
        if not raw.closed and raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # then the server has ended it
                raw.execute("ROLLBACK")

    def can_lock(self) -> bool:
        """Whether nobody else holds the ledger's lock at this moment."""
        number, uid, *_ = self.ledger
        try:
            self._kept.raw.execute(_TRY_LOCK, (number, uid))
        except psycopg.errors.LockNotAvailable:
            return False
        return True

    def execute(self, sql: str, values: Values = ()) -> Any:
        """Execute a statement of the store's. Its rows, if it gives any, are there: fetch or iterate."""
        if self.in_transaction:
            return self._execute(sql, values)
        self.begin(write=False)
        try:
            found = self._execute(sql, values)
            self.commit()
        except BaseException:
            self.roll_back()
            raise
        return found

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement of the store's that gives no rows, once for each of *rows*."""
        statement = text(sql)
        rows = iter(rows)
        first = list(islice(rows, _MANY))
        if len(first) == _MANY and statement.copy is not None:
            self._copy(statement.copy, chain(first, rows))
        elif len(first) == _MANY and statement.update is not None:
            self._update(statement.update, chain(first, rows))
        else:
            while first:
                self._waiting.extend(self._bound(statement.sql, row) for row in first)
                if len(self._waiting) > _AT_ONCE:
                    self._send()
                first = list(islice(rows, _MANY))

    def _execute(self, sql: str, values: Values) -> Any:
        self._waiting.append(self.spelled(sql, values))
        return self._send() if text(sql).answers else None

    def spelled(self, sql: str, values: Values) -> str:
        """A statement of the store's as it is sent, with its values."""
        statement = text(sql)
        if statement.lists and isinstance(values, Mapping):
            values = {**values, **{name: json.loads(values[name]) for name in statement.lists}}
        return self._bound(statement.sql, values)

    def _bound(self, sql: str, values: Values) -> str:
        return self._writer.mogrify(sql.encode(), values)

    def _send(self) -> ClientCursor[Any]:
        """Send all that waits at once; what the last of it gives."""
        sent, self._waiting = self._waiting, []
        self._kept.settle()
        if not self._begun and len(sent) > 2:  # nothing is written before the ledger is known to be there
            self._begin(sent[:1])
            sent = sent[1:]
        if not self._begun:
            return self._begin(sent)
        cursor = ClientCursor(self._kept.raw)
        cursor.execute(";\n".join(sent).encode())
        while cursor.nextset():
            pass
        return cursor

    def _begin(self, sent: list[str]) -> ClientCursor[Any]:
        cursor = ClientCursor(self._kept.raw)
        cursor.execute(";\n".join(sent).encode())
        for _ in range(_BEGINNING - 1):
            cursor.nextset()
        if cursor.fetchone() is None:
            raise NoLedger
        self._begun = True
        cursor.nextset()
        return cursor

    def _copy(self, sql: str, rows: Rows) -> None:
        if self._waiting:
            self._send()
        with self._kept.raw.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)
                self._copied += 1

    def _update(self, sql: str, rows: Rows) -> None:
        while some := list(islice(rows, _AT_ONCE)):
            one = f"({', '.join(['%s'] * len(some[0]))})"
            self._waiting.append(sql.format(rows=", ".join(self._bound(one, row) for row in some)))
            self._send()

    def _analyze(self) -> None:
        """Have the planner know of many new rows, if nobody else is at the same."""
        try:
            self._kept.raw.execute(_ANALYZE)
        except psycopg.Error:
            self.roll_back()
