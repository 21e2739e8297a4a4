"""Transaction: the context of a rule. A connection, the ledger's currency, the actor and the time."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from expense_lib.domain.money import Currency

# Rows: the indexes of a table, and what makes each; but for those that its keys need.
_INDEXES = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"


class Transaction:
    """The one argument of every rule and of every function of the store.

    Whoever opens it begins and ends it; nothing below does. ``execute`` and ``executemany`` are those of the
    engine's connection *con*, with named or ``?`` placeholders. A statement that gives no rows may be sent
    later, with the next that does or with the commit; what it refuses is raised by then.

    Attributes:
        con: The engine's connection, for what the engine alone does.
        currency: What the ledger's amounts are counted in.
        actor: Who acts, as the log keeps it; empty where nobody is told apart.
    """

    __slots__ = ("_at", "actor", "con", "currency", "execute", "executemany")

    def __init__(self, con: Any, currency: Currency, actor: str = "") -> None:
        self.con = con
        self.execute: Any = con.execute
        self.executemany: Any = con.executemany
        self.currency, self.actor = currency, actor
        self._at: str | None = None

    @property
    def at(self) -> str:
        """The time of all that is written in it: UTC, RFC 3339. It is read once, when it is first needed."""
        if self._at is None and self.is_remote:
            self._at = self.con.clock()
        if self._at is None:
            self._at = f"{dt.datetime.now(dt.UTC).isoformat(timespec='milliseconds')[: -len('+00:00')]}Z"
        return self._at

    @property
    def is_remote(self) -> bool:
        """Whether a round trip costs more than what is asked."""
        return not isinstance(self.con, sqlite3.Connection)

    def ahead(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        """Announce a statement that reads: where the ledger is remote, it is sent together with the next.

        Its answer is kept for when it is executed, unless what it reads is written before.
        """
        if self.is_remote:
            self.con.ahead(sql, values)

    @contextmanager
    def indexed_afterwards(self, table: str) -> Iterator[None]:
        """Have the indexes of an empty table made when the block has filled it: sorting takes less then.

        PostgreSQL fills them by the way: only the owner of the tables could make them.
        """
        indexes = [] if self.is_remote else self.execute(_INDEXES, (table,)).fetchall()
        for name, _ in indexes:
            self.execute(f"DROP INDEX {name}")
        yield
        for _, statement in indexes:
            self.execute(statement)

    def ends_with_next(self) -> None:
        """Say that nothing more will be read than what was announced and the next statement.

        Where the ledger is remote, the transaction's end is sent together with that.
        """
        if self.is_remote:
            self.con.ends_with_next()
