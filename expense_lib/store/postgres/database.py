"""A ledger in a PostgreSQL database, as the engine that ``Ledger`` uses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ParamSpec

import psycopg

from expense_lib import files
from expense_lib.domain.errors import LedgerBusy
from expense_lib.domain.money import Currency
from expense_lib.domain.progress import no_progress
from expense_lib.domain.results import Health
from expense_lib.store import copying, extract
from expense_lib.store.addition import Addition
from expense_lib.store.claims import Claim
from expense_lib.store.file import File
from expense_lib.store.postgres import address, connections, errors, extracting, orphans, recording, schema
from expense_lib.store.postgres.connections import Kept
from expense_lib.store.postgres.session import Session
from expense_lib.store.transaction import Transaction

P = ParamSpec("P")


class Database:
    """The engine of one ledger in a PostgreSQL database, at *url*.

    Attributes:
        where: Its address, without what it needs to be let in.
        extracts: As what ``extract`` writes.
    """

    extracts = "csv"

    def __init__(self, url: str) -> None:
        self._address = address.read(url)
        self.where = self._address.shown
        self._found: schema.Found | None = None
        self._calls_back = _CallsBack()

    def make(self, currency: str | None) -> Currency:
        """Find the ledger, or make it in *currency*, once, however many try; its currency."""
        with self._connection() as kept:
            self._found = schema.ledger(kept.raw, self._address.name, currency)
        return self._found.currency

    def migrate(self) -> tuple[int, int]:
        """Bring the database's tables up to date, as their owner; no ledger is made."""
        with self._connection() as kept:
            return schema.migrate(kept.raw)

    def generation(self, con: Session) -> str:
        """Of which time the ledger's ids are; a transaction begins in no other."""
        return con.ledger.generation

    @contextmanager
    def connection(self, currency: str) -> Iterator[Session]:
        """A session of this thread's on the ledger, which is kept in *currency*. Blocks may be nested."""
        if self._calls_back.depth:
            raise LedgerBusy
        with self._connection() as kept:
            if self._found is None:
                self._found = schema.find(kept.raw, self._address.name)
            if self._found is None:
                raise errors.gone()
            try:
                yield Session(kept, self._found)
            except errors.NoLedger:
                self._found = None  # the next use looks for what is there now
                raise errors.gone() from None

    def record_at_once(self, con: Session, new: Addition, actor: str) -> tuple[Claim, bool] | None:
        """Add an expense unless its key has an owner, in one round trip; None if the rules have to judge."""
        return recording.record(con, new, actor)

    @contextmanager
    def transaction(self, con: Session, *, write: bool, bulk: bool = False) -> Iterator[None]:
        """A transaction: the block reads one snapshot. With *write* it is on disk when the block has ended.

        If the block raises, everything is rolled back. A writer takes the ledger's lock at the beginning, and
        what it looks up it looks up after that.
        """
        con.begin(write=write, bulk=bulk)
        try:
            yield
            con.commit()
        except BaseException as error:
            con.roll_back()
            errors.raise_as_ours(error)
            raise

    def bulk_transaction(self, con: Session) -> AbstractContextManager[None]:
        """The write lock, all or nothing, for many rows."""
        return self.transaction(con, write=True, bulk=True)

    def close(self) -> None:
        """Close this process's connections to the database; those in use, when they are not any more."""
        connections.close(self._address.dsn)

    def closed_to(self, callback: Callable[P, None]) -> Callable[P, None]:
        """Wrap *callback*, which is called during a transaction: to it this ledger raises LedgerBusy."""

        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            self._calls_back.depth += 1
            try:
                callback(*args, **kwargs)
            finally:
                self._calls_back.depth -= 1

        return call

    def findings(self, tx: Transaction) -> Iterator[str]:
        """What only this engine can have wrong: rows that belong to a row that is not there."""
        return orphans.findings(tx)

    def health(self, con: Session) -> Health:
        """Read from the database, and begin a write without waiting and without writing."""
        busy = writable = False
        try:
            busy = not con.can_lock()
            writable = True
        except psycopg.errors.ReadOnlySqlTransaction:
            pass
        except psycopg.Error as error:
            errors.raise_as_ours(error)
            raise
        return Health(
            status="ok" if writable else "read-only",
            writable=writable,
            busy=busy,
            currency=con.ledger.currency.code,
            journal_mode="wal",
            synchronous="full",
        )

    def extract(self, con: Session, target: Path, known: extract.Line) -> extract.Line | None:
        """Put what changed after a known line of the log into an empty file, from one snapshot."""
        with self.transaction(con, write=False):
            return extracting.write(con, target, known)

    def copy(self, con: Session, target: Path) -> None:
        """Write a copy of one snapshot, a ledger in a file.

        Raises:
            LedgerUnavailable: there is a file at *target* already, or it can't be written.
        """
        currency = con.ledger.currency
        with files.new_file(target) as part:
            file = File(part)
            file.make(currency.code)
            with (
                self.transaction(con, write=False),
                file.connection(currency.code) as other,
                file.bulk_transaction(other),
            ):
                copying.copy(Transaction(con, currency), Transaction(other, currency), no_progress)
            file.close()

    @contextmanager
    def _connection(self) -> Iterator[Kept]:
        """A connection for the block; what fails with it is an error of this library."""
        kept = connections.take(self._address.dsn)
        try:
            yield kept
        except BaseException as error:
            if not isinstance(error, Exception):
                kept.close()  # an interrupt came before everything was as at the beginning again
            errors.raise_as_ours(error)
            raise
        finally:
            connections.give_back(kept)


class _CallsBack(threading.local):
    """How many callbacks of the ledger's this thread is in."""

    depth = 0
