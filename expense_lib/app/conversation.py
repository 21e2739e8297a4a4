"""What the form on the page and the ledger say to each other: messages in, outcomes in words out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from expense_lib.app import entry, words
from expense_lib.app.entry import (
    Added,
    AlreadyRecorded,
    NotReached,
    NotTakenBack,
    Outcome,
    Recorder,
    Refused,
    TakenBack,
    Typed,
    WasDeleted,
)
from expense_lib.errors import ExpenseError
from expense_lib.models import MAX_PAGE, ExpenseFilter
from expense_lib.text import canonical_text, fold

OFFERED = 8

_FIELDS = ("amount", "category", "description", "date", "refund")
_UNDO = {"name": "undo", "label": "Undo"}
_ANOTHER = {"name": "another", "label": "Add it as another one"}
_RESTORE = {"name": "restore", "label": "Restore it"}
_AGAIN = {"name": "again", "label": "Try again"}


def suggestions(ledger: Callable[[], Recorder], text: str) -> list[tuple[str, str]]:
    """Descriptions that have *text* in them, those that begin with it first, each with its latest category.

    Of equal ones, the latest used comes first. Nothing where the ledger can't be reached: a suggestion is
    no reason for an error.
    """
    try:
        found = ledger().search(ExpenseFilter(q=text, limit=MAX_PAGE)).items
    except (ExpenseError, ValidationError):
        return []
    typed = fold(canonical_text(text))
    latest: dict[str, str] = {}
    for expense in found:
        if typed in fold(expense.description):
            latest.setdefault(expense.description, expense.category)
    ordered = sorted(latest, key=lambda description: not fold(description).startswith(typed))
    return [(description, latest[description]) for description in ordered[:OFFERED]]


class Conversation:
    """What the form on the page and the ledger say to each other.

    The page sends what was typed until it is answered, each time with the same *id*: the one answered last
    is not recorded anew but answered as before.
    """

    def __init__(self, ledger: Callable[[], Recorder], currency: Callable[[], str]) -> None:
        self._ledger = ledger
        self._currency = currency
        self._answered: object = None
        self.outcome: Outcome = entry.ready()

    def send(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Record what was typed; the answer for the page."""
        if message["id"] != self._answered:
            self.outcome = entry.submit(self._ledger, Typed(**message["values"]), self.outcome)
            self._answered = message["id"]
        return told(self.outcome, message["id"], self._currency())

    def act(self, name: str) -> dict[str, Any]:
        """Do what a button beside the outcome says; the answer for the page. Twice clicked is once done."""
        before = self.outcome
        match name, before:
            case "another", AlreadyRecorded() | WasDeleted():
                self.outcome = entry.submit_another(self._ledger, before)
            case "restore", WasDeleted():
                self.outcome = entry.restore(self._ledger, before)
            case "restore", TakenBack(typed=typed, expense=expense):
                self.outcome = entry.restore(self._ledger, WasDeleted(typed, expense.id, another_key=""))
            case "undo", Added():
                self.outcome = entry.take_back(self._ledger, before)
            case "again", NotTakenBack(typed=typed, expense=expense, sent=sent):
                self.outcome = entry.take_back(self._ledger, Added(typed, expense, sent))
            case "again", NotReached(typed=typed):
                self.outcome = entry.submit(self._ledger, typed, before)
        return told(self.outcome, None, self._currency())

    def complete(self, text: str) -> dict[str, Any]:
        """The descriptions to offer for *text*."""
        found = suggestions(self._ledger, text)
        return {"text": text, "items": [{"text": said, "category": category} for said, category in found]}


def told(outcome: Outcome, sent: object, currency: str) -> dict[str, Any]:
    """An outcome in words, for the page: *text*, its *kind*, the *errors* by field, the buttons beside it.

    *sent* is the id of what it answers, None for a button. *clear* is what need not stay in the form, *fill*
    what may come back to it.
    """
    answer: dict[str, Any] = {"id": sent, "errors": {}, "acts": []}
    match outcome:
        case Added(expense=expense, sent=typed):
            answer |= {
                "kind": "added",
                "text": f"Added: {words.expense(expense, currency)}.",
                "acts": [_UNDO],
                "clear": asdict(typed),
            }
        case AlreadyRecorded(expense=expense):
            since = words.moment(expense.created_at)
            text = f"Already recorded at {since}: {words.expense(expense, currency)}."
            answer |= {"kind": "warn", "text": text, "acts": [_ANOTHER]}
        case WasDeleted(expense_id=expense_id):
            text = f"This was recorded as number {expense_id} and then deleted."
            answer |= {"kind": "warn", "text": text, "acts": [_RESTORE, _ANOTHER]}
        case Refused(errors=errors):
            known = {field: f"{field.capitalize()} {why}." for field, why in errors if field in _FIELDS}
            others = [f" {field} {why}." for field, why in errors if field not in _FIELDS]
            text = "Not added yet: see above." + "".join(others)
            answer |= {"kind": "danger", "text": text, "errors": known}
        case NotReached(reason=reason):
            text = f"Not added: {reason} What you typed is kept."
            answer |= {"kind": "danger", "text": text, "acts": [_AGAIN]}
        case TakenBack(expense=expense, typed=typed):
            text = f"Taken back: {words.expense(expense, currency)}. It is deleted."
            answer |= {"kind": "warn", "text": text, "acts": [_RESTORE], "fill": asdict(typed)}
        case NotTakenBack(expense=expense, reason=reason):
            text = f"{words.expense(expense, currency)} is not taken back: {reason}"
            answer |= {"kind": "danger", "text": text, "acts": [_AGAIN]}
    return answer
