"""The endpoints of the past: the log, entry by entry, and the changes, which can be undone."""

from __future__ import annotations

from pydantic_core import to_json
from werkzeug.wrappers import Request

from expense_lib import ChangesQuery, LogQuery
from expense_lib.domain.errors import BuiltUpon, ChangedSince, ChangeNotFound
from expense_lib.domain.results import Change, Undone
from handlers import responses, settings
from handlers.inputs import Query
from handlers.responses import Answer, in_json
from handlers.route import TEXT, Answered, Items, Refusal, Route


def list_log(request: Request, wanted: LogQuery) -> Answer:
    """Log entries after a position, one line of JSON each; ``Link`` where there may be more."""
    entries = settings.ledger().log(wanted.since, wanted.limit)
    headers = {"Content-Type": "application/jsonl", "Cache-Control": responses.CACHING}
    if len(entries) == wanted.limit:
        headers |= responses.next_link(request, [("since", entries[-1].seq), ("limit", wanted.limit)])
    return Answer(200, b"".join(to_json(entry) + b"\n" for entry in entries), headers)


def list_changes(request: Request, wanted: ChangesQuery) -> Answer:
    """Changes, the latest first; ``Link`` where there may be earlier ones."""
    changes = settings.ledger().changes(wanted.before, wanted.limit)
    headers = {}
    if len(changes) == wanted.limit:
        headers = responses.next_link(request, [("before", changes[-1].number), ("limit", wanted.limit)])
    return in_json({"items": changes}, headers=headers)


def undo_change(request: Request, number: int) -> Answer:
    """Revert a change, but for the fields that were changed again later."""
    return in_json(settings.ledger().undo(number))


ROUTES = (
    Route(
        "GET",
        "/log",
        list_log,
        "Every change after a line of the log, in order, for a copy of the ledger",
        {
            200: Answered(
                "A line of JSON for each, at most limit of them; none if there is nothing new.",
                TEXT,
                ("Link",),
                "application/jsonl",
            )
        },
        takes=(Query(LogQuery),),
    ),
    Route(
        "GET",
        "/changes",
        list_changes,
        "What was edited, deleted or restored, each change once with its first expense, the last first",
        {200: Answered("The changes.", Items(Change), ("Link",))},
        takes=(Query(ChangesQuery),),
    ),
    Route(
        "POST",
        "/changes/{number}/undo",
        undo_change,
        "Put back what a change changed, wherever it was left alone since",
        {200: Answered("What was put back, and what was kept.", Undone)},
        refuses=(
            Refusal("There is no such change.", (ChangeNotFound,)),
            Refusal(
                "All of it was changed again since, or a later change builds on it.",
                (ChangedSince, BuiltUpon),
            ),
        ),
    ),
)
