"""The ledger as a stateless WSGI application: ``app``, also named ``application``.

    POST    /expenses                 201 created; 200 it was there already: ``Idempotent-Replayed: true``.
                                      ``Idempotency-Key``: another payment, however equal, once for each key
    GET     /expenses                 a page, with count and total of all that match: ``category``,
                                      ``account`` and ``tag`` (repeatable), ``date_from``, ``date_to``,
                                      ``amount_min``, ``amount_max``, ``q``, ``sort``, ``limit``, ``cursor``;
                                      ``Link: <...>; rel="next"``
    PATCH   /expenses                 move those of ``ids``, or all that match ``where``, to a ``category``:
                                      one change
    GET     /expenses/{id}            one expense, its version as ``ETag``; 304 if ``If-None-Match`` has that
    PATCH   /expenses/{id}            change fields; needs ``If-Match``: 428 without, 412 if changed since, or
                                      if the ledger went back to a backup since
    DELETE  /expenses/{id}            204, and 204 again; 412 if ``If-Match`` is given and another version
    POST    /expenses/{id}/restore    bring a deleted expense back
    GET     /expenses/{id}/history    every version of it
    POST    /expenses/{id}/merge      make it one payment with the expense ``into``
    POST    /expenses/{id}/parts      split it into parts of several categories; needs ``If-Match``
    GET     /undecided                payments that may be one with another, and which
    POST    /undecided/{id}           say what one is: ``same_as`` an expense, "new", or "skip"
    GET     /overview                 a page as of /expenses, with all categories and accounts, first and last
                                      day, position and the ledger's id: one snapshot
    GET     /position                 an opaque text, another one as soon as anything in the ledger is
    GET     /categories               every category that has expenses, with count and total
    PATCH   /categories/{name}        rename it, or merge it into the one of that name: one change
    GET     /accounts                 every account that has expenses, with count and total
    GET     /summary                  totals of all that match, ``by`` month, category, account, tag or two
    POST    /statements               a bank's file, as the body or in a form: what becomes of each row;
                                      imported with ``dry_run=false`` only
    GET     /imports                  the statements that were imported, the latest first
    POST    /imports/{import_id}/undo take back what an import brought and nobody changed since
    GET     /rules                    which texts in a statement mean which category, or are left out
    POST    /rules                    add one, or replace the one of the same text
    DELETE  /rules/{rule_id}          delete one
    GET     /expenses.csv             all expenses that match, with the list's filters
    GET     /expenses.jsonl           every expense there ever was, with its history
    GET     /backup                   a consistent copy of the whole ledger, an SQLite file
    GET     /log                      the log after entry ``since``, in order, as lines of JSON; ``limit`` of
                                      them; ``Link``
    GET     /changes                  each change once, the latest first: ``before``, ``limit``; ``Link``
    POST    /changes/{number}/undo    put back what a change changed, wherever it was left alone since
    GET     /check                    what is wrong with the ledger, a sentence each
    GET     /health                   200 while the ledger can be read and written, else 503
    GET     /metrics                  counters in Prometheus' text format
    GET     /openapi.json             this protocol as OpenAPI 3.1
    GET     /docs                     the same as a page

JSON in and out; amounts go out as text. A refusal is ``application/problem+json`` (RFC 9457). The ledger is
the file that ``EXPENSE_LEDGER`` names, opened by the first request that needs it. Where ``EXPENSE_API_TOKEN``
is set, everything but ``/health`` wants one of its tokens (RFC 6750). Every answer has an ``X-Request-Id``,
and one of the ledger a ``Ledger-Generation``: a request that brings it back is refused (412) if the ids and
numbers in it are of before a return to a backup.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from werkzeug.wrappers import Request

from handlers import auth, metrics, requests, routes, settings
from handlers.problems import problem_for
from handlers.responses import Answer, empty
from handlers.router import Found
from handlers.settings import Settings

_METHODS = {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request (PEP 3333)."""
    begun = time.perf_counter()
    request = Request(environ)
    request_id = requests.request_id(request)
    config = settings.current()
    found: Found | None = None
    generation = ""
    try:
        settings.seen_in.set(requests.generation(request))
        found = routes.router.find(request)
        if found.allowed:
            answer = empty(headers=auth.preflight(request, config, found.allowed))
        else:
            given = _inputs(request, found, config)
            if found.route.template and found.route.needs_ledger:
                generation = settings.ledger().generation()  # before: what is older than it says is refused
            answer = found.route.handler(request, *found.path, *given)
    except Exception as error:  # noqa: BLE001 - every failure is answered as a problem
        answer = problem_for(error, request_id, config.log, request.root_path)
    if generation:
        answer = answer.of(generation)
    with suppress(Exception):  # what is done is done, and must be answered
        _record(request, found, answer, request_id, config, time.perf_counter() - begun)
    more = [("X-Request-Id", request_id), *auth.cors(request, config)]
    return answer.send(start_response, more, head=request.method == "HEAD")


application = app


def _inputs(request: Request, found: Found, config: Settings) -> list[Any]:
    """What the route takes of a request that may come in."""
    if found.route.needs_token:
        auth.authorise(request, config)
    requests.refuse_foreign_encoding(request)
    return [each.read(request) for each in found.route.takes]


def _record(
    request: Request,
    found: Found | None,
    answer: Answer,
    request_id: str,
    config: Settings,
    seconds: float,
) -> None:
    """Log and count a request that is about to be answered."""
    method = request.method if request.method in _METHODS else "other"
    template = found.route.template if found else ""
    config.log.write(
        "error" if answer.status == 500 else "warning" if answer.status > 500 else "info",
        "request",
        method=method,
        route=template,
        status=answer.status,
        duration_ms=round(seconds * 1000, 3),
        request_id=request_id,
        **({"outcome": answer.outcome} if answer.outcome else {}),
    )
    metrics.count(metrics.Observation(method, template, answer.status, seconds, answer.outcome))
