"""The entry form's side in Python: messages of the page in, outcomes in words out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from expense_lib.app import entry, messages
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
from expense_lib.domain.errors import ExpenseError
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.domain.limits import MAX_PAGE
from expense_lib.domain.text import canonical_text, fold

OFFERED = 8

_UNDO = {"name": "undo", "label": "Undo"}
_ANOTHER = {"name": "another", "label": "Add it as another one"}
_RESTORE = {"name": "restore", "label": "Restore it"}
_AGAIN = {"name": "again", "label": "Try again"}
_SEND = {"name": "send", "label": "Try again"}  # the form as it is now; the page does that itself


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


class EntryForm:
    """Records what the page's form sends, and answers with the outcome in words.

    The page sends what was typed until it is answered, each time with the same *id*. Sending is idempotent:
    the message answered last is not recorded anew but answered as before.
    """

    def __init__(self, ledger: Callable[[], Recorder], currency: Callable[[], str]) -> None:
        self._ledger = ledger
        self._currency = currency
        self._answered: object = None
        self.number = 0  # of the outcome, so that a button of an earlier one does nothing
        self.outcome: Outcome = entry.Ready()

    def send(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Record what was typed; the answer for the page."""
        if message["id"] != self._answered:
            self._became(entry.submit(self._ledger, Typed(**message["values"]), self.outcome))
            self._answered = message["id"]
        return self._told(message["id"])

    def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a button beside an outcome says; the answer for the page. Twice clicked is once done."""
        if message["of"] == self.number:
            match message["name"], self.outcome:
                case "another", (AlreadyRecorded() | WasDeleted()) as before:
                    self._became(entry.submit_another(self._ledger, before))
                case "restore", WasDeleted() as before:
                    self._became(entry.restore(self._ledger, before))
                case "restore", TakenBack(typed=typed, expense=expense):
                    self._became(entry.restore(self._ledger, WasDeleted(typed, expense.id, another_key="")))
                case ("undo", Added(expense=expense)) | ("again", NotTakenBack(expense=expense)):
                    self._became(entry.take_back(self._ledger, expense))
        return self._told(None)

    def complete(self, text: str) -> dict[str, Any]:
        """The descriptions to offer for *text*."""
        found = suggestions(self._ledger, text)
        return {"text": text, "items": [{"text": said, "category": category} for said, category in found]}

    def _became(self, outcome: Outcome) -> None:
        self.number += outcome is not self.outcome
        self.outcome = outcome

    def _told(self, sent: object) -> dict[str, Any]:
        return told(self.outcome, self._currency()) | {"id": sent, "of": self.number}


def told(outcome: Outcome, currency: str) -> dict[str, Any]:
    """An outcome in words, for the page: its *kind*, *text*, the *errors* by field, the *acts* beside it.

    *fill* is what may come back to the form.
    """
    answer = _said("", "")
    match outcome:
        case Added(expense=expense):
            answer = _said("added", f"Added: {messages.expense(expense, currency)}.", _UNDO)
        case AlreadyRecorded(expense=expense, differs=differs):
            text = f"Already recorded at {messages.moment(expense.created_at)}: "
            text += f"{messages.expense(expense, currency)}{messages.differing(differs)}."
            answer = _said("warn", text, _ANOTHER)
        case WasDeleted(expense_id=expense_id):
            text = f"This was recorded as number {expense_id} and then deleted."
            answer = _said("warn", text, _RESTORE, _ANOTHER)
        case Refused(errors=errors):
            known, others = messages.errors(errors, entry.FIELDS)
            answer = _said("danger", f"Not added yet: see above.{others}") | {"errors": known}
        case NotReached(reason=reason):
            answer = _said("danger", f"Not added: {reason} What you typed is kept.", _SEND)
        case TakenBack(expense=expense, typed=typed):
            text = f"Taken back: {messages.expense(expense, currency)}. It is deleted."
            answer = _said("warn", text, _RESTORE) | {"fill": asdict(typed)}
        case NotTakenBack(expense=expense, reason=reason):
            answer = _said(
                "danger", f"{messages.expense(expense, currency)} is not taken back: {reason}", _AGAIN
            )
    return answer


def _said(kind: str, text: str, *acts: dict[str, str]) -> dict[str, Any]:
    return {"kind": kind, "text": text, "acts": list(acts), "errors": {}}
