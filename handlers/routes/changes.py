"""The endpoints of the past: the log, entry by entry, and the changes, which can be undone."""

from __future__ import annotations

from pydantic_core import to_json
from werkzeug.wrappers import Request

from expense_lib import ChangesQuery, LogQuery
from expense_lib.domain.errors import BuiltUpon, ChangedSince, ChangeNotFound, CursorError, InvalidInput
from expense_lib.domain.results import Change, Undone
from handlers import responses, settings
from handlers.inputs import Query
from handlers.responses import Answer, in_json
from handlers.route import TEXT, Answered, Items, Refusal, Route


def list_log(request: Request, wanted: LogQuery) -> Answer:
    """Log entries after a position, one line of JSON each; ``Link`` where there may be more."""
    of = _of_now(wanted)
    entries = settings.ledger().log(wanted.since, wanted.limit)
    headers = {"Content-Type": "application/jsonl", "Cache-Control": responses.CACHING}
    if len(entries) == wanted.limit:
        headers |= responses.next_link(request, [("since", entries[-1].seq), ("limit", wanted.limit), of])
    return Answer(200, b"".join(to_json(entry) + b"\n" for entry in entries), headers)


def list_changes(request: Request, wanted: ChangesQuery) -> Answer:
    """Changes, the latest first; ``Link`` where there may be earlier ones."""
    of = _of_now(wanted)
    changes = settings.ledger().changes(wanted.before, wanted.limit)
    headers = {}
    if len(changes) == wanted.limit:
        query = [("before", changes[-1].number), ("limit", wanted.limit), of]
        headers = responses.next_link(request, query)
    return in_json({"items": changes}, headers=headers)


def _of_now(wanted: LogQuery | ChangesQuery) -> tuple[str, str]:
    """The generation for the link to the next page.

    Raises:
        CursorError: *wanted* is of another one.
    """
    now = settings.ledger().generation()
    if wanted.generation not in (None, now):
        raise CursorError.of_before("generation")
    return "generation", now


def undo_change(request: Request, number: int) -> Answer:
    """Revert a change, but for the fields that were changed again later."""
    return in_json(settings.ledger().undo(number))


OF_BEFORE = Refusal(
    "A part of the query can't be accepted, or is of before the ledger went back to a backup.",
    (InvalidInput, CursorError),
)

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
        refuses=(OF_BEFORE,),
    ),
    Route(
        "GET",
        "/changes",
        list_changes,
        "What was edited, deleted or restored, each change once with its first expense, the last first",
        {200: Answered("The changes.", Items(Change), ("Link",))},
        takes=(Query(ChangesQuery),),
        refuses=(OF_BEFORE,),
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
