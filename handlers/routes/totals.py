"""The endpoints that add up: the overview, categories, accounts, summaries; and the ledger's position."""

from __future__ import annotations

from werkzeug.wrappers import Request

from expense_lib import ExpenseFilter, NewCategory, SummaryQuery
from expense_lib.domain.errors import CategoryNotFound, CursorError, InvalidInput
from expense_lib.domain.results import CategoryTotal, Overview, Position, Renamed, Summary
from handlers import settings
from handlers.inputs import Body, Query
from handlers.responses import Answer, in_json
from handlers.route import UNACCEPTABLE, Answered, Items, Refusal, Route


def overview(request: Request, wanted: ExpenseFilter) -> Answer:
    """Everything that the app shows, from one snapshot."""
    return in_json(settings.ledger().overview(wanted))


def position(request: Request) -> Answer:
    """A fingerprint of the ledger, for cheap polling."""
    return in_json(Position(position=settings.ledger().position()))


def list_categories(request: Request) -> Answer:
    """Count and total of each category."""
    return in_json({"items": settings.ledger().categories()})


def rename_category(request: Request, name: str, new: NewCategory) -> Answer:
    """Rename or merge a category, in one change."""
    return in_json(settings.ledger().rename_category(name, new.name))


def list_accounts(request: Request) -> Answer:
    """Count and total of each account."""
    return in_json({"items": settings.ledger().accounts()})


def summarise(request: Request, wanted: SummaryQuery) -> Answer:
    """Totals by one part or two."""
    return in_json(settings.ledger().summary(wanted))


ROUTES = (
    Route(
        "GET",
        "/overview",
        overview,
        "The page of the expenses that match, with all categories and accounts, from one snapshot",
        {200: Answered("The page and what is beside it.", Overview)},
        takes=(Query(ExpenseFilter),),
        refuses=(Refusal("A part of the query can't be accepted.", (*UNACCEPTABLE, CursorError)),),
    ),
    Route(
        "GET",
        "/position",
        position,
        "Where the ledger is: another text as soon as anything in it is another",
        {200: Answered("The position.", Position)},
    ),
    Route(
        "GET",
        "/categories",
        list_categories,
        "Every category that has expenses, by name",
        {200: Answered("The categories.", Items(CategoryTotal))},
    ),
    Route(
        "PATCH",
        "/categories/{name}",
        rename_category,
        "Rename a category, or merge it into the one of that name",
        {200: Answered("The category in which the expenses are now. The number undoes it.", Renamed)},
        takes=(Body(NewCategory),),
        refuses=(
            Refusal("No expense has this category.", (CategoryNotFound,)),
            Refusal("The name can't be accepted.", (InvalidInput,)),
        ),
    ),
    Route(
        "GET",
        "/accounts",
        list_accounts,
        "Every account that has expenses, by name",
        {200: Answered("The accounts.", Items(CategoryTotal))},
    ),
    Route(
        "GET",
        "/summary",
        summarise,
        "The totals of the expenses that match, by month, category, account, tag, or two of them",
        {200: Answered("The totals.", Summary)},
        takes=(Query(SummaryQuery),),
        refuses=(Refusal("A part of the query can't be accepted.", UNACCEPTABLE),),
    ),
)
