"""The inputs of an endpoint: headers, query, body. Each reads its value; ``openapi`` describes each.

A model may be given as "module:name", to be imported when it is first needed: recording starts sooner.
"""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel
from werkzeug.wrappers import Request

from handlers import requests

_REPEATABLE = frozenset({"category", "account", "tag"})  # in a query: any of these


class Input(Protocol):
    """One thing that an endpoint takes."""

    @property
    def read(self) -> Callable[[Request], Any]:
        """Reads its value.

        Raises:
            pydantic.ValidationError, ExpenseError, werkzeug.exceptions.HTTPException: it can't be accepted.
        """
        ...


def model_of(given: type[BaseModel] | str) -> type[BaseModel]:
    """The model itself, imported where *given* is its "module:name". A function of that name makes it."""
    return _imported(given) if isinstance(given, str) else given


@functools.cache
def _imported(reference: str) -> type[BaseModel]:
    named = pkgutil.resolve_name(reference)
    model: type[BaseModel] = named if isinstance(named, type) else named()
    return model


class Header(NamedTuple):
    """A header; *read* gives its value."""

    name: str
    read: Callable[[Request], Any]
    description: str
    schema: Mapping[str, Any]
    example: str | None = None
    required: bool = False


class Query(NamedTuple):
    """The query, as an instance of *model*."""

    model: type[BaseModel] | str

    def read(self, request: Request) -> BaseModel:
        """The query. A single empty category, account or tag is as good as none: a form sends it for "all".

        Raises:
            pydantic.ValidationError, InvalidInput: a name or a value can't be accepted, or is repeated.
        """
        model = model_of(self.model)
        repeatable = _REPEATABLE & model.model_fields.keys()
        given = requests.query(request, repeatable)
        for name in repeatable:
            if given.get(name) == [""]:
                del given[name]
        return model.model_validate(given)


class Body(NamedTuple):
    """The JSON body, as an instance of *model*; if *raw*, as it was parsed, where the ledger validates it."""

    model: type[BaseModel] | str
    raw: bool = False

    def read(self, request: Request) -> Any:
        """The body.

        Raises:
            werkzeug.exceptions.HTTPException: 400 (no JSON, no UTF-8), 411, 413 or 415.
            pydantic.ValidationError: a name or a value can't be accepted.
        """
        body = requests.json_body(request)
        if self.raw:
            return body
        model = self.model if isinstance(self.model, type) else model_of(self.model)  # one call less
        return model.model_validate(body)


class Statement(NamedTuple):
    """A bank's file and how to read it: raw with *options* in the query, or both in a form."""

    options: type[BaseModel] | str

    def read(self, request: Request) -> tuple[bytes, BaseModel]:
        """The file and its options.

        Raises:
            werkzeug.exceptions.HTTPException: 400 (a form that is none, or without a file), 411, 413 or 415.
            pydantic.ValidationError, InvalidInput: a name or a value can't be accepted, or is repeated.
        """
        file, given = requests.statement(request)
        return file, model_of(self.options).model_validate(given)


IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    requests.idempotency_key,
    "Of the sender's choice, bare or quoted. One not seen before makes this another payment, however "
    "equal; keep it through the retries of one payment.",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    example="6f1d0b5c",
)
IF_MATCH = Header(
    "If-Match",
    requests.if_match,
    "The ETag of the expense as it was seen, or * for whatever it is now.",
    {"type": "string"},
    example='"1"',
    required=True,
)
IF_MATCH_OR_ANY = IF_MATCH._replace(read=requests.if_match_or_any, required=False)
GENERATION = Header(  # of every request that changes something; ``wsgi`` reads it
    "Ledger-Generation",
    requests.generation,
    "As an answer had it: refused if the ledger went back to a backup since, and the ids and numbers in this "
    "request are of before.",
    {"type": "string", "pattern": "^[0-9a-f]{16}$"},
)
IF_NONE_MATCH = Header(
    "If-None-Match",
    lambda request: request.if_none_match,
    "An ETag that is known already: 304 if it is still that.",
    {"type": "string"},
)
