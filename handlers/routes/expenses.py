"""The endpoints of ``/expenses``: record, list, edit, delete."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote

from werkzeug.datastructures import ETags
from werkzeug.exceptions import PreconditionRequired
from werkzeug.wrappers import Request

from expense_lib import CategoryMove, ExpenseDeleted, ExpenseFilter, NewExpense
from expense_lib.domain.errors import (
    CursorError,
    ExpenseNotFound,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    RecordedThenDeleted,
)
from expense_lib.domain.results import Expense, Page, Recategorised, Recorded, Replayed, Version
from handlers import responses, settings
from handlers.inputs import IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_OR_ANY, IF_NONE_MATCH, Body, Query
from handlers.requests import Version as Seen
from handlers.responses import Answer, in_json
from handlers.route import DELETED, NOT_ALONE, NOT_FOUND, STALE, UNACCEPTABLE, Answered, Items, Refusal, Route

THE_EXPENSE = Answered("The expense.", Expense, ("ETag",))


def record_expense(request: Request, new: NewExpense, idempotency_key: str | None) -> Answer:
    """Record exactly once (idempotent): 201, or 200 with ``Idempotent-Replayed`` if it was there."""
    receipt = settings.ledger().record(new, idempotency_key)
    where = f"{quote(request.root_path)}/expenses/{receipt.expense.id}"
    expense = receipt.expense
    if receipt.looks_like is not None:
        expense = Recorded.model_validate(expense.model_dump() | {"looks_like": receipt.looks_like})
    if receipt.created:
        return responses.expense(expense, 201, {"Location": where}, "created")
    replayed = {"Content-Location": where, "Idempotent-Replayed": "true"}
    if receipt.differs or receipt.joined:
        more = {"differs": receipt.differs, "joined": receipt.joined}
        expense = Replayed.model_validate(expense.model_dump() | more)
    return responses.expense(expense, 200, replayed, "exists")


def list_expenses(request: Request, wanted: ExpenseFilter) -> Answer:
    """One page; ``Link`` leads to the next with the same filter."""
    page = settings.ledger().search(wanted)
    if page.next_cursor is None:
        return in_json(page)
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return in_json(page, headers=responses.next_link(request, [*query, ("cursor", page.next_cursor)]))


def recategorise(request: Request, move: CategoryMove) -> Answer:
    """Move many expenses to another category, in one change."""
    return in_json(settings.ledger().recategorise(move.category, ids=move.ids, where=move.where))


def get_expense(request: Request, expense_id: int, known: ETags) -> Answer:
    """One expense, or 304 where the client *known* its version."""
    generation = settings.ledger().generation()
    expense = settings.ledger().get(expense_id)
    if known.contains_weak(responses.tag_of(expense.version, generation)):
        return responses.empty(304, {"ETag": f'"{expense.version}"', "Cache-Control": responses.CACHING})
    return responses.expense(expense)


def amend_expense(request: Request, expense_id: int, versions: list[Seen] | None, changes: Any) -> Answer:
    """Change the fields that were sent, under optimistic concurrency."""
    version, seen_in = matching(expense_id, versions)
    return responses.expense(settings.ledger(seen_in).amend(expense_id, changes, version))


def delete_expense(request: Request, expense_id: int, versions: list[Seen] | None) -> Answer:
    """Soft delete; deleting again is no error."""
    version, seen_in = matching(expense_id, versions)
    settings.ledger(seen_in).delete(expense_id, version)
    return responses.empty()


def restore_expense(request: Request, expense_id: int) -> Answer:
    """Bring a deleted expense back."""
    return responses.expense(settings.ledger().restore(expense_id))


def get_history(request: Request, expense_id: int) -> Answer:
    """All versions of one expense."""
    return in_json({"items": settings.ledger().history(expense_id)})


def matching(expense_id: int, versions: list[Seen] | None) -> tuple[int | None, str | None]:
    """The one of *versions* that the expense is at, else the last of them; None if any version will do.

    With it comes the generation in which it must be at that, None if the ETag does not say it.
    """
    if versions is None or len(versions) == 1:
        return versions[0] if versions else (None, None)
    generation = settings.ledger().generation()
    with suppress(ExpenseDeleted):
        version = settings.ledger().get(expense_id).version
        for seen in ((version, generation), (version, None)):
            if seen in versions:
                return seen
    return versions[-1]


ROUTES = (
    Route(
        "POST",
        "/expenses",
        record_expense,
        "Have an expense in the ledger once",
        {
            201: Answered(
                "It is recorded; looks_like is a bank's payment that may be it, and waits to be decided.",
                Recorded,
                ("ETag", "Location"),
            ),
            200: Answered(
                "It was there already, and is as this says by now; differs names what was sent otherwise. "
                "joined: only a bank had told of it.",
                Replayed,
                ("ETag", "Content-Location", "Idempotent-Replayed"),
            ),
        },
        takes=(Body(NewExpense), IDEMPOTENCY_KEY),
        refuses=(
            Refusal(
                "The body is not UTF-8, not JSON, not whole, or has a name twice; or a header is malformed.",
                (IdempotencyKeyError,),
            ),
            Refusal("It was recorded, and deleted since.", (RecordedThenDeleted,)),
            Refusal(
                "A field can't be accepted, or the idempotency key came with another body before.",
                (*UNACCEPTABLE, IdempotencyKeyReused),
            ),
        ),
    ),
    Route(
        "GET",
        "/expenses",
        list_expenses,
        "A page of the expenses that match, with count and total of all that do",
        {200: Answered("The page.", Page, ("Link",))},
        takes=(Query(ExpenseFilter),),
        refuses=(Refusal("A part of the query can't be accepted.", (*UNACCEPTABLE, CursorError)),),
    ),
    Route(
        "PATCH",
        "/expenses",
        recategorise,
        "Move the expenses of these ids, or all that match, to a category; one change",
        {200: Answered("How many were moved. The number undoes it.", Recategorised)},
        takes=(Body(CategoryMove),),
        refuses=(
            Refusal("One of the ids never was. Nothing was moved.", (ExpenseNotFound,)),
            Refusal("A field can't be accepted.", UNACCEPTABLE),
        ),
    ),
    Route(
        "GET",
        "/expenses/{id}",
        get_expense,
        "One expense",
        {200: THE_EXPENSE, 304: Answered("It is as you know it.", None, ("ETag",))},
        takes=(IF_NONE_MATCH,),
        refuses=(NOT_FOUND, DELETED, NOT_ALONE),
    ),
    Route(
        "PATCH",
        "/expenses/{id}",
        amend_expense,
        "Change fields of an expense",
        {200: THE_EXPENSE},
        takes=(IF_MATCH, Body("expense_lib.domain.expense:expense_changes", raw=True)),
        refuses=(
            NOT_FOUND,
            DELETED,
            NOT_ALONE,
            STALE,
            Refusal("What it would become can't be accepted.", UNACCEPTABLE),
            Refusal("If-Match is missing.", (PreconditionRequired,)),
        ),
    ),
    Route(
        "DELETE",
        "/expenses/{id}",
        delete_expense,
        "Delete an expense; it keeps its id and its history",
        {204: Answered("It is deleted, or was already.")},
        takes=(IF_MATCH_OR_ANY,),
        refuses=(NOT_FOUND, NOT_ALONE, STALE),
    ),
    Route(
        "POST",
        "/expenses/{id}/restore",
        restore_expense,
        "Bring a deleted expense back",
        {200: THE_EXPENSE},
        refuses=(NOT_FOUND, NOT_ALONE),
    ),
    Route(
        "GET",
        "/expenses/{id}/history",
        get_history,
        "Every version of an expense, live or deleted, the first one first",
        {200: Answered("Its versions.", Items(Version))},
        refuses=(NOT_FOUND,),
    ),
)
