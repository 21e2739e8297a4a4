"""Which account a statement is of: picked or typed by a person, for each file anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expense_lib.domain.text import fold
from expense_lib.statements import Plan

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

NOT_KNOWN = "(not known)"


class Accounts:
    """The accounts that a file may be of: the ledger's, and those that were said of files of its layout."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._said: dict[str, str] = {}

    def look(self, ledger: AnyLedger) -> None:
        """Ask the ledger for the accounts of its expenses and imports; each is spelled as it was first."""
        names = [each.name for each in ledger.accounts()] + [each.account for each in ledger.imports()]
        self._names = tuple({fold(name): name for name in reversed(names) if name}.values())[::-1]

    def spelled(self, name: str) -> str:
        """The account that somebody means, as the ledger spells it; empty for a blank name."""
        clean = " ".join(name.split())
        return next((each for each in self._names if fold(each) == fold(clean)), clean)

    def remember(self, plan: Plan, account: str | None) -> None:
        """What was said of a file, to be proposed for the next one of its layout."""
        if account:
            self._said[plan.reading.layout] = account

    def proposed(self, plan: Plan | None) -> str | None:
        """What was said of the last file of this layout; a guess, as two cards of one bank share one."""
        return self._said.get(plan.reading.layout) if plan else None

    def choices(self, plan: Plan | None, said: str | None) -> dict[str, str]:
        """The accounts by what they are called: the proposed one first, what was *said*, and none."""
        names = dict.fromkeys(name for name in (self.proposed(plan), *self._names, said) if name)
        return {name: name for name in names} | {NOT_KNOWN: ""}


def is_missing(plan: Plan | None, said: str | None) -> bool:
    """The file names no account for some of its rows, and nobody has said which it is."""
    return said is None and plan is not None and "" in plan.rows.accounts
