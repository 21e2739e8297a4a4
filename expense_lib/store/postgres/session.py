"""A session: what a Transaction's ``execute`` and ``executemany`` are on PostgreSQL.

The network is what a database elsewhere costs, so a statement that gives no rows waits until one that does,
or the commit, and they are sent together; so are the beginning of a transaction and its first statement, and
what was announced to be read. An error comes when what it is about was sent, at the latest with the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any, BinaryIO

import psycopg
from psycopg import ClientCursor

from expense_lib.store.postgres.connections import Kept
from expense_lib.store.postgres.errors import NoLedger
from expense_lib.store.postgres.schema import SETTING, Found
from expense_lib.store.postgres.texts import Text, text

LOCK_TIMEOUT = "5s"
IDLE_TIMEOUT = "5s"  # of a transaction that holds the lock and sends nothing: its process may be frozen
BULK_IDLE_TIMEOUT = "60s"

_MANY = 200  # rows from which on they are copied
_BATCH = 2_000  # statements sent at once
_UNKNOWN = 10_000  # new rows from which on the planner is to know of them
_VACUUM = "VACUUM (ANALYZE, SKIP_LOCKED) all_expense, all_claim, all_log_entry, all_statement_row"

# What a transaction begins with. The ledger's own row is its lock: one writer a ledger.
_READING = """
    BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SELECT set_config('{setting}', '{number}', true);
    SELECT 1 FROM all_ledger WHERE id = {number} AND uid = '{uid}' AND generation = '{generation}'
"""
_WRITING = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SELECT set_config('{setting}', '{number}', true),
           set_config('synchronous_commit', 'on', true),
           set_config('lock_timeout', '{lock_timeout}', true),
           set_config('idle_in_transaction_session_timeout', '{idle_timeout}', true);
    SELECT 1 FROM all_ledger WHERE id = {number} AND uid = '{uid}' AND generation = '{generation}'
       FOR NO KEY UPDATE;
    SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
"""
_TRY_LOCK = "SELECT 1 FROM all_ledger WHERE id = %s AND uid = %s FOR NO KEY UPDATE NOWAIT"
_BEFORE_LOOK = 2  # statements before that which says whether the ledger is there

Values = Sequence[Any] | Mapping[str, Any]
Rows = Iterator[Sequence[Any]]


class Fetched:
    """The rows of a statement that were fetched ahead, as a cursor gives them."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def fetchone(self) -> Any:
        """The next row; None if there is no more."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return list(self._rows)


class Session:
    """One ledger on one connection. Outside of a transaction, each statement is one that reads."""

    def __init__(self, kept: Kept, ledger: Found) -> None:
        self._kept, self.ledger = kept, ledger
        self._writer = ClientCursor(kept.raw)
        self._beginning: str | None = None  # of a transaction of which the server does not know yet
        self._waiting: list[str] = []  # statements that give no rows
        self._announced: dict[str, Text] = {}  # statements that give rows, to be sent with the next
        self._known: dict[str, tuple[Text, list[Any]]] = {}  # what they gave
        self._writes = False
        self._ends = False  # a transaction that reads, with the next statement
        self._copied = 0  # rows in this transaction
        self._at = ""
        self.in_transaction = False

    def begin(self, *, write: bool, bulk: bool = False) -> None:
        """Begin a transaction: with *write* it holds the ledger's lock, else it reads one snapshot."""
        number, uid, generation, _ = self.ledger
        self._forget()
        self._beginning = (_WRITING if write else _READING).format(
            setting=SETTING,
            number=number,
            uid=uid,
            generation=generation,
            lock_timeout=LOCK_TIMEOUT,
            idle_timeout=BULK_IDLE_TIMEOUT if bulk else IDLE_TIMEOUT,
        )
        self._writes, self._ends, self.in_transaction = write, False, True
        self._copied = 0

    def commit(self) -> None:
        """End the transaction; when this returns, what it wrote is on disk."""
        if self._beginning is None and not self._writes:
            if not self._ends:
                self._kept.send_only("COMMIT")
        elif self._beginning is None or self._waiting:
            self._announced = {}
            self._waiting.append("COMMIT")
            self._send()
        self._forget()  # of a transaction that did nothing, nothing is sent
        self.in_transaction = False
        if self._copied >= _UNKNOWN:
            self._analyze()

    def clock(self) -> str:
        """The database's time when the lock was taken: UTC, RFC 3339."""
        if self._beginning is not None:
            self._begin()
        return self._at

    def ahead(self, sql: str, values: Values = ()) -> None:
        """Send a statement that gives rows with the next, and keep them for when it is executed."""
        if self.in_transaction:
            spelled = self.spelled(sql, values)
            if spelled not in self._known:
                self._announced[spelled] = text(sql)

    def ends_with_next(self) -> None:
        """Send the end of a transaction that reads together with the next statement, which is its last."""
        self._ends = True

    def _forget(self) -> None:
        self._beginning, self._waiting, self._announced, self._known = None, [], {}, {}

    def roll_back(self) -> None:
        """End the transaction without a trace."""
        self._forget()
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

    def call(self, sql: str, values: Values) -> ClientCursor[Any]:
        """Execute a statement outside of a transaction, which it begins and commits itself."""
        self._kept.settle()
        cursor = ClientCursor(self._kept.raw)
        cursor.execute(self.spelled(sql, values).encode())
        return cursor

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
        if first:
            self._outdate(statement)
        if len(first) == _MANY and statement.copy is not None:
            self._copy(statement.copy, chain(first, rows))
        elif len(first) == _MANY and statement.update is not None:
            self._update(statement.update, chain(first, rows))
        else:
            while first:
                self._waiting.extend(self._bound(statement.sql, row) for row in first)
                if len(self._waiting) > _BATCH:
                    self._send()
                first = list(islice(rows, _MANY))

    def _execute(self, sql: str, values: Values) -> Any:
        spelled, statement = self.spelled(sql, values), text(sql)
        self._outdate(statement)
        if spelled in self._known:
            return Fetched(self._known[spelled][1])
        if statement.answers:
            return self._send(spelled)
        self._waiting.append(spelled)
        return None

    def _outdate(self, statement: Text) -> None:
        """Forget the answers that a statement may change."""
        if statement.writes is not None and self._known:
            self._known = {
                spelled: known
                for spelled, known in self._known.items()
                if not known[0].depends_on(statement.writes)
            }

    def spelled(self, sql: str, values: Values) -> str:
        """A statement of the store's as it is sent, with its values."""
        statement = text(sql)
        if statement.lists and isinstance(values, Mapping):
            values = {**values, **{name: json.loads(values[name]) for name in statement.lists}}
        return self._bound(statement.sql, values)

    def _bound(self, sql: str, values: Values) -> str:
        return self._writer.mogrify(sql.encode(), values)

    def _send(self, asked: str | None = None) -> ClientCursor[Any]:
        """Send all that waits or was announced at once, and then what is asked; its rows."""
        self._kept.settle()
        if self._beginning is not None and self._waiting:
            self._begin()  # nothing is written before the ledger is known to be there
        waiting, self._waiting = self._waiting, []
        announced, self._announced = self._announced, {}
        if asked is not None:
            announced.pop(asked, None)
        sent = [*waiting, *announced, *([] if asked is None else [asked])]
        end = ["COMMIT"] if self._ends else []
        cursor = self._begin(*sent, *end) if self._beginning is not None else self._sent([*sent, *end])
        for at, spelled in enumerate(sent):
            if at:
                cursor.nextset()
            if spelled in announced:
                self._known[spelled] = announced[spelled], cursor.fetchall()
        return cursor

    def _begin(self, *following: str) -> ClientCursor[Any]:
        """Begin the transaction, and send what follows with that; what that gives."""
        beginning, self._beginning = self._beginning or "", None
        cursor = self._sent([beginning, *following])
        for _ in range(_BEFORE_LOOK):
            cursor.nextset()
        if cursor.fetchone() is None:
            raise NoLedger
        if self._writes:
            cursor.nextset()
            [(self._at,)] = cursor.fetchall()
        cursor.nextset()
        return cursor

    def _sent(self, statements: Iterable[str]) -> ClientCursor[Any]:
        cursor = ClientCursor(self._kept.raw)
        cursor.execute(";\n".join(statements).encode())
        return cursor

    def _copy(self, sql: str, rows: Rows) -> None:
        if self._waiting:
            self._send()
        with self._kept.raw.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            number = 0
            for number, row in enumerate(rows, 1):  # noqa: B007 - counted while it is copied
                copy.write_row(row)
        self._copied += number

    def copy_out(self, sql: str, values: Values, file: BinaryIO) -> None:
        """Write what a statement of the store's gives to *file*, as CSV: a null is empty, a text quoted."""
        if self._beginning is not None or self._waiting:
            self._send()
        with self._kept.raw.cursor() as cursor:
            sent = f"COPY ({self.spelled(sql, values)}) TO STDOUT (FORMAT csv)"
            with cursor.copy(sent.encode()) as copy:
                file.writelines(copy)

    def _update(self, sql: str, rows: Rows) -> None:
        while some := list(islice(rows, _BATCH)):
            one = f"({', '.join(['%s'] * len(some[0]))})"
            self._waiting.append(sql.format(rows=", ".join(self._bound(one, row) for row in some)))
            self._send()

    def _analyze(self) -> None:
        """Have the planner and index-only scans know of many new rows, if nobody else is at the same."""
        try:
            self._kept.raw.execute(_VACUUM)
        except psycopg.Error:
            self.roll_back()
