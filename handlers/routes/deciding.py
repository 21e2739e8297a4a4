"""The endpoints of deciding which payments are one: undecided, merge, split. Each is safe to send again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import PreconditionRequired
from werkzeug.wrappers import Request

from expense_lib.domain.errors import InvalidInput, NotUndecided
from expense_lib.domain.results import Expense, Undecided
from handlers import responses, settings
from handlers.inputs import IF_MATCH, Body
from handlers.requests import Version as Seen
from handlers.responses import Answer, in_json
from handlers.route import DELETED, NOT_ALONE, NOT_FOUND, STALE, UNACCEPTABLE, Answered, Items, Refusal, Route
from handlers.routes.expenses import THE_EXPENSE, matching

if TYPE_CHECKING:
    from expense_lib.domain.expense import NewParts
    from expense_lib.domain.statement import Decision, Merging

MODELS = "expense_lib.domain.statement"


def list_undecided(request: Request) -> Answer:
    """All that somebody is to decide."""
    return in_json({"items": settings.ledger().undecided()})


def decide(request: Request, expense_id: int, said: Decision) -> Answer:
    """Say what an undecided expense is; said again, it stays so."""
    number = settings.ledger().decide(expense_id, said.same_as, keep_amount=said.keep_amount)
    return in_json({"number": number})


def merge_expense(request: Request, expense_id: int, merging: Merging) -> Answer:
    """Make two expenses one; sent again, it stays so."""
    return responses.expense(settings.ledger().merge(expense_id, merging.into))


def split_expense(request: Request, expense_id: int, versions: list[Seen] | None, given: NewParts) -> Answer:
    """Split a payment; sent again, it stays so."""
    parts = [(part.amount, part.category) for part in given.parts]
    version, seen_in = matching(expense_id, versions)
    return in_json({"items": settings.ledger(seen_in).split(expense_id, parts, version)})


ROUTES = (
    Route(
        "GET",
        "/undecided",
        list_undecided,
        "Payments that may be one with another: those that wait and count nowhere, and pairs that both count",
        {200: Answered("What is to be decided, by id.", Items(Undecided))},
    ),
    Route(
        "POST",
        "/undecided/{id}",
        decide,
        "Say that it is the same payment as another expense, a new one, or to be left out",
        {200: Answered("The change, which can be undone; null if it was so before.", f"{MODELS}:Decided")},
        takes=(Body(f"{MODELS}:Decision"),),
        refuses=(
            NOT_FOUND,
            DELETED,
            Refusal(
                "There is nothing to be decided about it, or the other one is none that it can be.",
                (NotUndecided, *NOT_ALONE.kinds),
            ),
            Refusal("A field can't be accepted.", (InvalidInput,)),
        ),
    ),
    Route(
        "POST",
        "/expenses/{id}/merge",
        merge_expense,
        "Make two expenses one payment: what is sent of this one again finds the other from now on",
        {200: THE_EXPENSE},
        takes=(Body(f"{MODELS}:Merging"),),
        refuses=(NOT_FOUND, DELETED, NOT_ALONE, Refusal("They can't be one.", (InvalidInput,))),
    ),
    Route(
        "POST",
        "/expenses/{id}/parts",
        split_expense,
        "Split a payment into parts of several categories, which add up to it",
        {200: Answered("The parts, the first of which keeps the id.", Items(Expense))},
        takes=(IF_MATCH, Body("expense_lib.domain.expense:NewParts")),
        refuses=(
            NOT_FOUND,
            DELETED,
            NOT_ALONE,
            STALE,
            Refusal("The parts can't be accepted, or don't add up.", UNACCEPTABLE),
            Refusal("If-Match is missing.", (PreconditionRequired,)),
        ),
    ),
)
