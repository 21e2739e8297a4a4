"""What goes out: an answer as plain data, and the one place that hands it to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic_core import to_json

from expense_lib import Expense

CACHING = "private, no-cache"

_ALWAYS = {  # unless an answer has another
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. *outcome* is what the log and the metrics call it, where it has a name.

    A *body* that is not bytes is sent part by part; *headers* then has its length.
    """

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    outcome: str | None = None

    def send(
        self, start_response: Callable[..., object], more: list[tuple[str, str]], *, head: bool
    ) -> Iterable[bytes]:
        """Hand it to the server (PEP 3333), with *more* headers; without its body if *head*."""
        headers = [*(_ALWAYS | self.headers).items(), *more]
        if isinstance(self.body, bytes) and self.status not in _WITHOUT_BODY:
            headers.append(("Content-Length", str(len(self.body))))
        start_response(_LINES[self.status], headers)
        if head or self.status in _WITHOUT_BODY:
            getattr(self.body, "close", lambda: None)()
            return []
        return [self.body] if isinstance(self.body, bytes) else self.body


def in_json(
    body: object,
    status: int = 200,
    headers: dict[str, str] | None = None,
    outcome: str | None = None,
) -> Answer:
    """*body*, a model or plain data, as JSON."""
    given = {"Content-Type": "application/json", "Cache-Control": CACHING}
    return Answer(status, to_json(body), given if headers is None else given | headers, outcome)


def expense(
    found: Expense,
    status: int = 200,
    headers: dict[str, str] | None = None,
    outcome: str | None = None,
) -> Answer:
    """An expense, its version as ``ETag``."""
    return in_json(found, status, {"ETag": f'"{found.version}"'} | (headers or {}), outcome)


def empty(status: int = 204, headers: dict[str, str] | None = None) -> Answer:
    """An answer without a body."""
    return Answer(status, b"", headers or {})
