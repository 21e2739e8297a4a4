"""The engine of a ledger: where it is kept, and how transactions on it begin and end.

Two engines keep one contract: one writer a ledger at a time, a reader sees one snapshot, and what was
committed is on disk. All other modules here have one text of SQL for both, and work in a ``Transaction``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from expense_lib.domain.errors import LedgerUnavailable
from expense_lib.domain.money import Currency
from expense_lib.domain.results import Health
from expense_lib.store.addition import Addition
from expense_lib.store.claims import Claim
from expense_lib.store.file import File
from expense_lib.store.transaction import Transaction

if TYPE_CHECKING:
    from expense_lib.store.extract import Line

P = ParamSpec("P")

# ruff: noqa: PLC0415 - a ledger in a file needs no PostgreSQL


class Engine(Protocol):
    """What keeps one ledger. A *con* is what its ``connection`` gave.

    Attributes:
        where: The path or the address, as it may be shown.
        extracts: As what ``extract`` writes: ``sqlite``, or ``csv``, each table in a file beside the target.
    """

    where: str
    extracts: str

    def make(self, currency: str | None) -> Currency:
        """Open the ledger, or make it in *currency*; its currency."""
        ...

    def migrate(self) -> tuple[int, int]:
        """Bring the tables of what is there up to date: the numbers of migrations that they had, and have."""
        ...

    def generation(self, con: Any) -> str:
        """Of which time the ledger's ids are: 16 random hexadecimal digits, others after each restore."""
        ...

    def connection(self, currency: str) -> AbstractContextManager[Any]:
        """This thread's connection. Blocks may be nested, on one ledger or on several."""
        ...

    def transaction(self, con: Any, *, write: bool) -> AbstractContextManager[None]:
        """One snapshot; with *write* the ledger's lock, and all or nothing on disk when the block ends."""
        ...

    def record_at_once(self, con: Any, new: Addition, actor: str) -> tuple[Claim, bool] | None:
        """Add an expense unless its key has an owner, in one round trip; None where the rules have to do it.

        Returns:
            Whose the key is by then, and whether the expense was added.
        """
        ...

    def bulk_transaction(self, con: Any) -> AbstractContextManager[None]:
        """The same as one that writes, for many rows."""
        ...

    def close(self) -> None:
        """Close this process's connections, those of other threads when their call returns."""
        ...

    def closed_to(self, callback: Callable[P, None]) -> Callable[P, None]:
        """Wrap *callback*, which is called during a transaction: to it the ledger raises LedgerBusy."""
        ...

    def findings(self, tx: Transaction) -> Iterator[str]:
        """What the engine itself finds wrong, a sentence each."""
        ...

    def health(self, con: Any) -> Health:
        """Whether it can be written at present; nothing is written to see that."""
        ...

    def extract(self, con: Any, target: Path, known: Line) -> Line | None:
        """Put what changed after a known line of the log into an empty file, as ``extract.write`` says."""
        ...

    def copy(self, con: Any, target: Path) -> None:
        """Write a consistent copy to a new file, while others go on writing."""
        ...


def is_address(target: str) -> bool:
    """Whether *target* is the address of a ledger in PostgreSQL, and no file's name."""
    return target.lower().startswith(("postgresql://", "postgres://"))


def engine_of(target: str | Path) -> Engine:
    """The engine of the ledger at *target*, a path or an address; nothing is opened yet.

    Raises:
        LedgerUnavailable: there can't be one, or what it needs is not installed.
    """
    if not isinstance(target, str) or not is_address(target):
        return File(target)
    try:
        from expense_lib.store.postgres.database import Database
    except ModuleNotFoundError:
        raise LedgerUnavailable(
            "A ledger in PostgreSQL needs psycopg: install expense-ledger[postgres]."
        ) from None
    return Database(target)
