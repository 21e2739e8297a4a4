"""The dialog for all that changes what is recorded: the fields it asks for, and what its answer does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from expense_lib.app import edits, messages
from expense_lib.app.edits import Done, Failed, Open
from expense_lib.app.entry import FIELDS, Typed
from expense_lib.domain.errors import ExpenseError
from expense_lib.domain.filters import Filter
from expense_lib.domain.results import Expense

ACTS = ({"name": "cancel", "label": "Cancel"}, {"name": "delete", "label": "Delete"})

NOTHING = Failed("Nothing was asked.")

Answer = tuple[dict[str, Any], Done | None]


class Dialog:
    """One dialog, open for one thing at a time.

    ``edit``, ``recategorise`` and ``rename`` return the message that opens it. ``send`` and ``delete`` return
    the message that answers it and what was done, None if nothing was. Until it is closed it may be sent more
    than once: each time starts from what the last one made.
    """

    def __init__(self, ledger: Open, currency: Callable[[], str]) -> None:
        self._ledger = ledger
        self._currency = currency
        self._expense: Expense | None = None
        self._category = ""  # that is renamed
        self._act: Callable[[Typed], Done | Failed] = lambda _: NOTHING
        self._done: tuple[object, Done] | None = None

    def edit(self, expense: Expense) -> dict[str, Any]:
        """Ask for the fields of an expense as it is now; below them stands what happened to it."""
        self._expense, self._done = expense, None
        self._act = self._edit
        try:
            lines = messages.history(self._ledger().history(expense.id), self._currency())
        except ExpenseError as failed:
            lines = [str(failed)]
        values = {name: getattr(Typed.of(expense), name) for name in FIELDS}
        return _ask("Edit expense", "Save", values, lines, acts=("cancel", "delete"))

    def recategorise(
        self, count: int, *, ids: Sequence[int] | None = None, where: Filter | None = None
    ) -> dict[str, Any]:
        """Ask for a category to move expenses to: those of these *ids*, or all that match *where*."""
        self._expense, self._done = None, None
        self._act = lambda typed: edits.recategorise(self._ledger, typed.category, ids=ids, where=where)
        which = f"all that match, {count:,} now," if where else messages.number(count, "expense")
        return _ask(f"Move {which} to a category", "Move", {"category": ""})

    def rename(self, category: str) -> dict[str, Any]:
        """Ask for a category's new name."""
        self._expense, self._category, self._done = None, category, None
        self._act = self._rename
        hint = "The name of another category merges both."
        return _ask(f"Rename {category}", "Rename", {"category": category}, [hint])

    def send(self, message: Mapping[str, Any]) -> Answer:
        """Do what was typed. Idempotent: a message sent again since no answer came is answered as before."""
        if self._done and self._done[0] == message["id"]:
            return _answer(self._done[1], message["id"])
        done = self._act(Typed(**message["values"]))
        self._done = (message["id"], done) if isinstance(done, Done) else None
        return _answer(done, message["id"])

    def delete(self) -> Answer:
        """Delete the expense that is edited."""
        if self._expense is None:
            return _answer(None, None)
        return _answer(edits.delete(self._ledger, self._expense, self._currency()), None)

    def _edit(self, typed: Typed) -> Done | Failed:
        if self._expense is None:
            return NOTHING
        done = edits.edit(self._ledger, self._expense, typed, self._currency())
        if isinstance(done, Done) and isinstance(done.now, Expense):
            self._expense = done.now
        return done

    def _rename(self, typed: Typed) -> Done | Failed:
        done = edits.rename(self._ledger, self._category, typed.category)
        if isinstance(done, Done) and isinstance(done.now, str):
            self._category = done.now
        return done


def _ask(
    title: str,
    submit: str,
    values: dict[str, Any],
    lines: Sequence[str] = (),
    acts: Sequence[str] = ("cancel",),
) -> dict[str, Any]:
    asked = {"title": title, "submit": submit, "values": values, "fields": list(values)}
    return {"ask": asked | {"lines": list(lines), "acts": list(acts)}}


def _answer(done: Done | Failed | None, sent: object) -> Answer:
    if not isinstance(done, Failed):
        return {"close": True, "id": sent}, done
    known, others = messages.errors(done.errors, FIELDS)
    told = {"id": sent, "kind": "danger", "text": done.text + others, "errors": known}
    return {"outcome": told}, None
