"""What the ledger asks, as the tray below the form shows it: payments that wait, and pairs alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from expense_lib.app import messages
from expense_lib.app.edits import Done, Failed, undo_of
from expense_lib.domain.errors import ExpenseError
from expense_lib.domain.results import Expense, Undecided

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

SHOWN = 5  # at first
MORE = 25  # with each asking

_DECIDED = {"new": "It is another payment.", "skip": "It is left out."}


class Tray:
    """The undecided payments that one browser tab shows: the first few, and more on demand.

    Args:
        ledger: Opens the ledger. It is asked only where its position is another than the last time.
        currency: The ledger's.
    """

    def __init__(self, ledger: Callable[[], AnyLedger], currency: Callable[[], str]) -> None:
        self._ledger = ledger
        self._currency = currency
        self._shown = SHOWN
        self._first: int | None = None
        self._rows: list[Undecided] = []
        self._at = ""  # the position of the ledger when it was asked
        self._found: dict[int, Expense] = {}  # at that position

    def show_more(self) -> None:
        """Show more of what there is."""
        self._shown += MORE

    def put_first(self, expense_id: int | None) -> None:
        """Show this one before all others: what was entered just now may be the same payment."""
        self._first = expense_id

    def look(self, position: str) -> None:
        """Ask the ledger, which is at *position* now; where it can't be had, what was there stays."""
        if not position or position == self._at:
            return
        try:
            rows = self._ledger().undecided()
        except ExpenseError:  # what the page shows says so
            self._at = ""
            return
        self._rows, self._at, self._found = rows, position, {}

    def items(self) -> list[dict[str, Any]]:
        """What is shown, as ``items`` has it, and whether it *isNew*: asked because of the last entry."""
        rows = sorted(self._rows, key=lambda row: row.id != self._first)[: self._shown]
        for each in {each for row in rows for each in row.candidates} - self._found.keys():
            with suppress(ExpenseError):  # it was deleted meanwhile
                self._found[each] = self._ledger().get(each)
        names = {
            each: messages.beside(self._found[each], row.date, row.amount)
            for row in rows
            for each in row.candidates
            if each in self._found
        }
        shown = items([row.model_dump() for row in rows], names, self._currency())
        return [item | {"isNew": item["row"] == self._first} for item in shown]

    def beyond(self) -> int:
        """How many there are beyond those that are shown."""
        return max(0, len(self._rows) - self._shown)

    def decide(self, row: int, says: int | str) -> Done | Failed:
        """Answer a payment: it is the expense of this id, "new", or to be left out ("skip")."""
        try:
            number = self._ledger().decide(row, says)  # type: ignore[arg-type] # what the tray says is one of these
        except ExpenseError as failed:
            return Failed(str(failed))
        text = _DECIDED.get(str(says), f"It is the same payment as #{says}.")
        return Done(text, None if number is None else undo_of(number))


def items(rows: Iterable[Mapping[str, Any]], names: Mapping[int, str], currency: str) -> list[dict[str, Any]]:
    """What is to be decided, in words.

    Args:
        rows: Each with *id*, *kind*, *date*, *amount*, *description*, *account*, *candidates* and *why*.
        names: What the expenses are that are candidates, by their ids.
        currency: The ledger's.

    Returns:
        For each row its *row*, *title*, *text*, and the *acts* that answer it, the likeliest first; what an
        act *says* is what ``Tray.decide`` takes: an expense's id, "new" or "skip".
    """
    return [_item(row, names, currency) for row in rows]


def _item(row: Mapping[str, Any], names: Mapping[int, str], currency: str) -> dict[str, Any]:
    title = (messages.money(row["amount"], currency), row["description"], str(row["date"]), row["account"])
    same = [_act(f"The same as {names.get(each, f'#{each}')}", each) for each in row["candidates"]]
    skip = [_act("Leave it out", "skip")] if row["kind"] == "row" else []
    return {
        "id": f"row-{row['id']}",
        "kind": "row",
        "row": row["id"],
        "title": ", ".join(filter(None, title)),
        "text": row["why"],
        "acts": [*same, _act("Another one", "new"), *skip],
    }


def _act(label: str, says: int | str) -> dict[str, Any]:
    return {"name": f"say-{says}", "label": label, "says": says}
