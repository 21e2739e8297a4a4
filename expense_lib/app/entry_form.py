"""The entry form's side in Python: messages of the page in, outcomes in words out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from expense_lib.app import entry, messages
from expense_lib.app.answers import Answers
from expense_lib.app.entry import (
    Added,
    AlreadyRecorded,
    Amended,
    NotAmended,
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
CHIPS = 6  # categories to choose from with one click
LATEST = 5  # expenses of a description, whose commonest category is offered, as the ledger decides it

_JOINED = " The bank had told of it, and it is there once."
_LOOKS_LIKE = " The bank told of one that may be the same; it counts nowhere until you decide below."

_UNDO = {"name": "undo", "label": "Undo"}
_RESTORE = {"name": "restore", "label": "Restore it"}
_AGAIN = {"name": "again", "label": "Try again"}
# In the tray, which does what needs no ledger itself.
_ANOTHER = {"name": "another", "label": "Another one"}
_SAME = {"name": "same", "label": "The same"}
_BRING_BACK = {"name": "restore", "label": "Restore"}
_SEND = {"name": "send", "label": "Try again"}
_EDIT = {"name": "edit", "label": "Edit"}
_DROP = {"name": "drop", "label": "Throw away"}
_KEEP = {"name": "keep", "label": "Leave it"}


def suggestions(ledger: Callable[[], Recorder], text: str) -> list[tuple[str, str]]:
    """Descriptions that have *text* in them, those that begin with it first, each with its usual category.

    Of equal ones, the latest used comes first. Nothing where the ledger can't be reached: a suggestion is
    no reason for an error.
    """
    try:
        found = ledger().search(ExpenseFilter(q=text, limit=MAX_PAGE)).items
    except (ExpenseError, ValidationError):
        return []
    typed = fold(canonical_text(text))
    latest: dict[str, list[str]] = {}
    for expense in found:
        if typed in fold(expense.description):
            latest.setdefault(expense.description, []).append(expense.category)
    ordered = sorted(latest, key=lambda description: not fold(description).startswith(typed))
    return [
        (description, Counter(latest[description][:LATEST]).most_common(1)[0][0])
        for description in ordered[:OFFERED]
    ]


class EntryForm:
    """Records what the page's form sends, and answers with the outcome in words.

    The page sends what was typed until it is answered, each time with the same *id*, and so does every other
    tab that finds it unanswered. Sending is idempotent: what *answers* knows is answered as before.
    """

    def __init__(
        self, ledger: Callable[[], Recorder], currency: Callable[[], str], answers: Answers | None = None
    ) -> None:
        self._ledger = ledger
        self._currency = currency
        self._answers = answers or Answers()
        self.number = 0  # of the outcome, so that a button of an earlier one does nothing
        self.outcome: Outcome = entry.Ready()  # that can be undone, or was

    def send(self, message: Mapping[str, Any]) -> tuple[dict[str, Any], Outcome]:
        """Record what was typed, or do what was decided of it; the answer for the page, and what it tells."""
        sent = (message["id"], message.get("as"))
        outcome = self._answers.once(sent, lambda: self._done(message))
        if isinstance(outcome, Added):
            self._became(outcome)
        return self._told(outcome, message["id"]), outcome

    def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a button beside an outcome says; the answer for the page. Twice clicked is once done."""
        if message["of"] == self.number:
            match message["name"], self.outcome:
                case "restore", TakenBack(expense=expense, joined=False):
                    self._became(entry.restore(self._ledger, expense.id))
                case ("undo", Added(expense=expense, joined=joined)) | (
                    "again",
                    NotTakenBack(expense=expense, joined=joined),
                ):
                    self._became(entry.take_back(self._ledger, expense, joined=joined))
        return self._told(self.outcome, None)

    def complete(self, text: str) -> dict[str, Any]:
        """The descriptions to offer for *text*."""
        found = suggestions(self._ledger, text)
        return {"text": text, "items": [{"text": said, "category": category} for said, category in found]}

    def _done(self, message: Mapping[str, Any]) -> Outcome:
        match message.get("as"):
            case "another":  # its id is its idempotency key: two tabs, or two clicks, add one
                return entry.submit(self._ledger, Typed(**message["values"]), message["id"])
            case "restore":
                return entry.restore(self._ledger, message["expense"])
            case "amend":
                return entry.amend(self._ledger, message["expense"], message["changes"], message["version"])
            case _:
                return entry.submit(self._ledger, Typed(**message["values"]))

    def _became(self, outcome: Outcome) -> None:
        self.number += outcome is not self.outcome
        self.outcome = outcome

    def _told(self, outcome: Outcome, sent: object) -> dict[str, Any]:
        answer = told(outcome, self._currency())
        if isinstance(outcome, Refused) and outcome.lacks_only_a_category:
            answer |= {"kind": "category", "acts": [*self._chips(), _EDIT, _DROP]}
        return answer | {"id": sent, "of": self.number}

    def _chips(self) -> list[dict[str, str]]:
        """The ledger's most used categories, to answer with one click."""
        try:
            found = sorted(self._ledger().categories(), key=lambda each: -each.count)
        except ExpenseError:
            return []
        return [{"name": f"in-{each.name}", "label": each.name, "in": each.name} for each in found[:CHIPS]]


def told(outcome: Outcome, currency: str) -> dict[str, Any]:
    """An outcome in words, for the page: its *kind*, *text*, the *errors* by field, the *acts* beside it.

    *fill* is what may come back to the form, *expense* and *version* are those of what it is about.
    """
    answer = _said("", "")
    match outcome:
        case Added(expense=expense, joined=joined, looks_like=looks_like):
            also = _JOINED if joined else _LOOKS_LIKE if looks_like is not None else ""
            answer = _said("added", f"Added: {messages.expense(expense, currency)}.{also}", _UNDO)
        case AlreadyRecorded(expense=expense, differs=differs):
            text = f"Already recorded at {messages.moment(expense.created_at)}: "
            text += f"{messages.expense(expense, currency)}{messages.differing(differs)}."
            answer = _said("repeat", text, _ANOTHER, _SAME)
        case WasDeleted(expense_id=expense_id):
            text = f"This was recorded as number {expense_id} and then deleted."
            answer = _said("deleted", text, _BRING_BACK, _ANOTHER, _DROP) | {"expense": expense_id}
        case Refused(errors=errors):
            known, others = messages.errors(errors, entry.FIELDS)
            text = " ".join(known.values()) + others
            answer = _said("refused", text.strip(), _EDIT, _DROP) | {"errors": known}
        case NotReached(reason=reason):
            answer = _said("unreached", f"Not added: {reason} What you typed is kept.", _SEND, _EDIT, _DROP)
        case Amended(expense=expense):
            answer = _said("added", f"Changed: {messages.expense(expense, currency)}.")
            answer |= {"expense": expense.id, "version": expense.version}
        case NotAmended(reason=reason):
            answer = _said("remark", f"Not changed: {reason}", _KEEP)
        case TakenBack(expense=expense, typed=typed, joined=joined):
            now = "It is as the bank told of it." if joined else "It is deleted."
            text = f"Taken back: {messages.expense(expense, currency)}. {now}"
            acts = () if joined else (_RESTORE,)
            answer = _said("warn", text, *acts) | {"fill": asdict(typed), "expense": expense.id}
        case NotTakenBack(expense=expense, reason=reason):
            answer = _said(
                "danger", f"{messages.expense(expense, currency)} is not taken back: {reason}", _AGAIN
            )
    return answer


def _said(kind: str, text: str, *acts: dict[str, str]) -> dict[str, Any]:
    return {"kind": kind, "text": text, "acts": list(acts), "errors": {}}
