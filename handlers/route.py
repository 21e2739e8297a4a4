"""The Route of an endpoint, from which routing, reading, the OpenAPI document and ``/docs`` are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from expense_lib.domain.errors import (
    AmountError,
    ExpenseDeleted,
    ExpenseError,
    ExpenseHeld,
    ExpenseMerged,
    ExpenseNotFound,
    InvalidInput,
    LedgerRestored,
    StaleVersion,
)
from handlers.inputs import Input
from handlers.responses import Answer

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
UNACCEPTABLE = (InvalidInput, AmountError)


class Items(NamedTuple):
    """The body ``{"items": [...]}``, a list of *of*."""

    of: type[BaseModel] | str | Schema


class Answered(NamedTuple):
    """A response that is no refusal.

    Attributes:
        meaning: A sentence for the document.
        body: Its model, or the model's "module:name", which is imported for the document only; or a JSON
            schema. None is no body.
        headers: Names of the headers that it has beside those of every response.
        media_type: Of the body.
    """

    meaning: str
    body: type[BaseModel] | str | Schema | Items | None = None
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


class Refusal(NamedTuple):
    """The errors of one status, which ``problems.status_of`` gives, and a sentence on when they occur."""

    when: str
    kinds: tuple[type[ExpenseError | HTTPException], ...]
    headers: tuple[str, ...] = ()


NOT_FOUND = Refusal("There never was such an expense.", (ExpenseNotFound,))
DELETED = Refusal("The expense was deleted; it can be restored.", (ExpenseDeleted,))
NOT_ALONE = Refusal(
    "It was found to be the same payment as another, or it waits to be decided.", (ExpenseMerged, ExpenseHeld)
)
STALE = Refusal(
    "The expense was changed since it was seen, or the ledger went back to a backup since.",
    (StaleVersion, LedgerRestored),
    ("ETag",),
)


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """One endpoint.

    Attributes:
        method: GET answers HEAD as well.
        template: The path as OpenAPI writes it. ``{name}`` is any text, every other part a positive integer.
        handler: Called with the request, the path's parts and then the values of *takes*, all by position.
            Its name in camel case is the ``operationId``.
        summary: A line for the document, without a full stop.
        answers: By status, those that are no refusals.
        takes: What is read of the request, in this order, before *handler* is called.
        refuses: Beside what ``openapi`` adds by itself: what every endpoint refuses, what each of *takes*
            does, 403 and 412 to what changes the ledger, 503 to what *needs_ledger*.
        needs_token: Whether it wants a token, where any is set.
        needs_ledger: Whether it uses the ledger.
    """

    method: str
    template: str
    handler: Callable[..., Answer]
    summary: str
    answers: Mapping[int, Answered]
    takes: tuple[Input, ...] = ()
    refuses: tuple[Refusal, ...] = ()
    needs_token: bool = True
    needs_ledger: bool = True
