"""A ledger in an SQLite file, as the engine that ``Ledger`` uses."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from expense_lib import files
from expense_lib.domain.money import Currency
from expense_lib.domain.results import Health
from expense_lib.store import opened_file, schema, sqlite
from expense_lib.store.addition import Addition
from expense_lib.store.transaction import Transaction

if TYPE_CHECKING:
    from expense_lib.store.extract import Line

P = ParamSpec("P")

# ruff: noqa: PLC0415 - recording needs none of it


class File:
    """The engine of one ledger in the file at *path*, as ``Engine`` says; ``sqlite`` and ``health`` do it."""

    extracts = "sqlite"
    transaction = staticmethod(sqlite.transaction)
    bulk_transaction = staticmethod(sqlite.bulk_transaction)

    def __init__(self, path: str | Path) -> None:
        self.path = files.absolute(path)
        self.where = os.fspath(self.path)  # hashed for every use: a text is faster than a Path

    def make(self, currency: str | None) -> Currency:
        """Open the file, or make it a ledger in *currency*; its currency."""
        with sqlite.connection(self.where, currency, make=True) as con:
            return schema.currency(con)

    def migrate(self) -> tuple[int, int]:
        """Open the file, which brings it up to date."""
        before = schema.version(self.path)
        with sqlite.connection(self.where):
            return before, len(schema.MIGRATIONS)

    def generation(self, con: sqlite3.Connection) -> str:
        """Of which time the ledger's ids are."""
        return schema.generation(con)

    def connection(self, currency: str) -> sqlite.connection:
        """This thread's connection to the file."""
        return sqlite.connection(self.where, currency)

    def record_at_once(self, con: sqlite3.Connection, new: Addition, actor: str) -> None:
        """The rules record, as fast: there is no round trip to be saved."""

    def close(self) -> None:
        """Close this process's connections to the file."""
        sqlite.close(self.where)

    def closed_to(self, callback: Callable[P, None]) -> Callable[P, None]:
        """Wrap *callback*: to it this ledger is busy."""
        return sqlite.closed_to(callback, self.where)

    def findings(self, tx: Transaction) -> Iterator[str]:
        """What SQLite itself finds wrong. Of damage it is noted that nothing may be written any more."""
        from expense_lib.store import health

        for sentence in health.damage(tx):
            opened_file.note_damage(self.where)
            yield sentence
        yield from health.findings(tx)

    def health(self, con: sqlite3.Connection) -> Health:
        """Whether the file can be written at present."""
        from expense_lib.store import health

        return health.health(con)

    def extract(self, con: sqlite3.Connection, target: Path, known: Line) -> Line | None:
        """Put what changed after a known line of the log into an empty file."""
        from expense_lib.store import extract

        return extract.write(con, target, known)

    def copy(self, con: sqlite3.Connection, target: Path) -> None:
        """Write a consistent copy, itself a ledger."""
        from expense_lib.store import health

        health.copy(con, target)
