"""The endpoints of whoever runs the service: checks, health, metrics and the API's own description."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import NotImplemented as NotInstalled
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Request

from expense_lib.domain.errors import CurrencyError, LedgerUnavailable
from expense_lib.domain.results import Health
from handlers import settings
from handlers.metrics import exposition
from handlers.responses import Answer, in_json
from handlers.route import TEXT, Answered, Items, Refusal, Route


def check_ledger(request: Request) -> Answer:
    """A full integrity check."""
    return in_json({"items": settings.ledger().check()})


def health(request: Request) -> Answer:
    """Whether the ledger can be read and written."""
    found = settings.ledger().health()
    if not found.writable:
        raise ServiceUnavailable("The ledger can be read, but not written.")
    return in_json(found, headers={"Cache-Control": "no-store"})


def metrics(request: Request) -> Answer:
    """The counters of this process, or of all that share PROMETHEUS_MULTIPROC_DIR."""
    counted = exposition()
    if counted is None:
        raise NotInstalled("Metrics need prometheus-client: install expense-ledger[metrics].")
    body, media_type = counted
    return Answer(200, body, {"Content-Type": media_type, "Cache-Control": "no-store"})


def openapi(request: Request) -> Answer:
    """The OpenAPI document."""
    return in_json(_document(request))


def docs(request: Request) -> Answer:
    """The OpenAPI document as a page of HTML."""
    from handlers.docs import page  # noqa: PLC0415 - recording an expense needs no page

    return page(_document(request))


def _document(request: Request) -> dict[str, Any]:
    from handlers import routes  # noqa: PLC0415 - this module is one of its parts
    from handlers.openapi import document  # noqa: PLC0415 - recording an expense needs no document

    return document(routes.router.routes, request.root_path, with_tokens=bool(settings.current().tokens))


ROUTES = (
    Route(
        "GET",
        "/check",
        check_ledger,
        "What is wrong with the ledger, a sentence each; nothing if it is sound",
        {200: Answered("The sentences.", Items(TEXT))},
    ),
    Route(
        "GET",
        "/health",
        health,
        "Whether the ledger can be read and written; needs no token",
        {200: Answered("It can be.", Health)},
        refuses=(Refusal("It can't be read, or it can't be written.", (LedgerUnavailable, CurrencyError)),),
        needs_token=False,
    ),
    Route(
        "GET",
        "/metrics",
        metrics,
        "What was counted, in Prometheus' text format",
        {200: Answered("The metrics.", TEXT, media_type="text/plain")},
        refuses=(Refusal("prometheus-client is not installed.", (NotInstalled,)),),
        needs_ledger=False,
    ),
    Route(
        "GET",
        "/openapi.json",
        openapi,
        "This document",
        {200: Answered("OpenAPI 3.1.", {"type": "object"})},
        needs_ledger=False,
    ),
    Route(
        "GET",
        "/docs",
        docs,
        "This document, to be read",
        {200: Answered("A page.", TEXT, media_type="text/html")},
        needs_ledger=False,
    ),
)
