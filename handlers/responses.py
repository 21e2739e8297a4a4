"""Responses as plain data, and the one place that sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote, urlencode

from pydantic_core import to_json
from werkzeug.wrappers import Request

from expense_lib import Expense

CACHING = "private, no-cache"
GENERATION = "Ledger-Generation"

_ALWAYS = {  # unless an answer has another
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}
_WITHOUT_BODY = (204, 304)


class Answer(NamedTuple):
    """A response.

    Attributes:
        status: The HTTP status.
        body: Bytes, or chunks of them: *headers* then has the Content-Length, and a ``close`` is called after
            the last (PEP 3333).
        headers: By name, beside those of every response.
        outcome: For the log and the metrics: "created", "exists", "refused" and so on. None has no name.
    """

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = {}
    outcome: str | None = None

    def of(self, generation: str) -> Answer:
        """The same of a *generation* of the ledger, which goes with an expense's version in its ``ETag``."""
        dated = {**self.headers, GENERATION: generation}
        if "ETag" in dated:
            version = dated["ETag"].strip('"')
            dated["ETag"] = f'"{tag_of(version, generation)}"'
        return self._replace(headers=dated)

    def send(
        self, start_response: Callable[..., object], more: list[tuple[str, str]], *, head: bool
    ) -> Iterable[bytes]:
        """Send it by WSGI (PEP 3333), with *more* headers; without its body if *head*."""
        headers = [*{**_ALWAYS, **self.headers}.items(), *more]
        if isinstance(self.body, bytes) and self.status not in _WITHOUT_BODY:
            headers.append(("Content-Length", str(len(self.body))))
        start_response(_LINES[self.status], headers)
        if head or self.status in _WITHOUT_BODY:
            getattr(self.body, "close", lambda: None)()
            return []
        return [self.body] if isinstance(self.body, bytes) else self.body


def tag_of(version: int | str, generation: str) -> str:
    """What stands in the ``ETag`` of an expense of this version."""
    return f"{version}-{generation}"


def in_json(
    body: object,
    status: int = 200,
    headers: dict[str, str] | None = None,
    outcome: str | None = None,
) -> Answer:
    """A response in JSON; *body* is a model, plain data, or a mix of both."""
    given = {"Content-Type": "application/json", "Cache-Control": CACHING}
    return Answer(status, to_json(body), given if headers is None else given | headers, outcome)


def expense(
    body: Expense,
    status: int = 200,
    headers: dict[str, str] | None = None,
    outcome: str | None = None,
) -> Answer:
    """A response with an expense, its version as ``ETag``, to which the generation comes when it is sent."""
    return in_json(body, status, {"ETag": f'"{body.version}"'} | (headers or {}), outcome)


def empty(status: int = 204, headers: dict[str, str] | None = None) -> Answer:
    """A response without a body."""
    return Answer(status, b"", headers or {})


def next_link(request: Request, query: Sequence[tuple[str, object]]) -> dict[str, str]:
    """The ``Link`` header (RFC 8288) to the next page, which has the path of *request* and *query*."""
    return {"Link": f'<{quote(request.root_path + request.path)}?{urlencode(query)}>; rel="next"'}
