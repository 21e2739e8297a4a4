"""The ledger as a stateless WSGI application: ``app``, also named ``application``.

    POST /expenses           201 created; 200 it was there already: ``Idempotent-Replayed: true``
                             ``Idempotency-Key``: another payment, however equal, once for each key
    GET  /expenses           a page, with count and total of all that match; ``category`` (repeatable),
                             ``date_from``, ``date_to``, ``amount_min``, ``amount_max``, ``q``, ``sort``,
                             ``limit``, ``cursor``; ``Link: <...>; rel="next"``
    GET  /expenses/{id}      one expense, its version as ``ETag``; 304 if ``If-None-Match`` has that
    PATCH                    change fields; needs ``If-Match``: 428 without, 412 if changed since
    DELETE                   204, and 204 again; 412 if ``If-Match`` is given and it was changed since
    POST .../{id}/restore    bring a deleted expense back
    GET  .../{id}/history    every version of it
    GET  /categories         every category that has expenses, with count and total
    PATCH /categories/{name} rename it, or merge it into the one of that name
    GET  /health             200 while the ledger can be read, else 503

JSON in and out; amounts go out as text. A refusal is ``application/problem+json`` (RFC 9457). The ledger is
the file that ``EXPENSE_LEDGER`` names, opened by the first request that needs it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.wrappers import Request, Response

from expense_lib import Expense, Ledger, NewCategory, NewExpense
from expense_lib.settings import open_file
from handlers import reading
from handlers.problems import problem_for

Leaf = Callable[..., Response]

CACHING = "private, no-cache"

_json = TypeAdapter(Any)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request (PEP 3333)."""
    request = Request(environ)
    try:
        response = _answer_to(request)
    except Exception as error:  # noqa: BLE001 - every failure is answered as a problem
        response = problem_for(error)
    return response(environ, start_response)


application = app


def _answer_to(request: Request) -> Response:
    urls = ROUTES.bind("", path_info=request.path, default_method=request.method)
    if request.method == "OPTIONS" and urls.allowed_methods():
        return _no_content({"Allow": ", ".join(sorted(urls.allowed_methods()))})
    leaf: Leaf
    leaf, arguments = urls.match()
    return leaf(request, **arguments)


def record_expense(request: Request) -> Response:
    """POST /expenses."""
    new = NewExpense.model_validate(reading.json_body(request))
    receipt = _ledger().record(new, reading.idempotency_key(request))
    where = f"{request.root_path}/expenses/{receipt.expense.id}"
    if receipt.created:
        return _expense(receipt.expense, 201, {"Location": where})
    return _expense(receipt.expense, 200, {"Content-Location": where, "Idempotent-Replayed": "true"})


def list_expenses(request: Request) -> Response:
    """GET /expenses."""
    wanted = reading.query(request)
    page = _ledger().search(wanted)
    headers = {}
    if page.next_cursor is not None:
        query = urlencode([*_without_cursor(request), ("cursor", page.next_cursor)])
        headers["Link"] = f'<{quote(request.root_path)}/expenses?{query}>; rel="next"'
    return _answer(page, headers=headers)


def get_expense(request: Request, expense_id: int) -> Response:
    """GET /expenses/{id}."""
    expense = _ledger().get(expense_id)
    if request.if_none_match.contains_weak(str(expense.version)):
        return _no_content({"ETag": f'"{expense.version}"', "Cache-Control": CACHING}, status=304)
    return _expense(expense, 200, {})


def amend_expense(request: Request, expense_id: int) -> Response:
    """PATCH /expenses/{id}."""
    version = reading.if_match(request)
    changes = reading.json_body(request)
    return _expense(_ledger().amend(expense_id, changes, version), 200, {})


def delete_expense(request: Request, expense_id: int) -> Response:
    """DELETE /expenses/{id}."""
    _ledger().delete(expense_id, reading.if_match_or_any(request))
    return _no_content()


def restore_expense(request: Request, expense_id: int) -> Response:
    """POST /expenses/{id}/restore."""
    return _expense(_ledger().restore(expense_id), 200, {})


def get_history(request: Request, expense_id: int) -> Response:
    """GET /expenses/{id}/history."""
    return _answer({"items": _ledger().history(expense_id)})


def list_categories(request: Request) -> Response:
    """GET /categories."""
    return _answer({"items": _ledger().categories()})


def rename_category(request: Request, name: str) -> Response:
    """PATCH /categories/{name}."""
    new = NewCategory.model_validate(reading.json_body(request))
    return _answer(_ledger().rename_category(name, new.name))


def health(request: Request) -> Response:
    """GET /health."""
    ledger = _ledger()
    ledger.ping()
    return _answer({"status": "ok", "currency": ledger.currency.code})


class _Id(BaseConverter):
    """An expense's id as the ledger writes it, in ASCII digits; any other path is not found."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        return int(value)


class _Name(BaseConverter):
    """A category's name, which may have slashes anywhere."""

    regex = ".+"
    part_isolating = False


ROUTES = Map(
    [
        Rule("/expenses", methods=["POST", "OPTIONS"], endpoint=record_expense),
        Rule("/expenses", methods=["GET", "OPTIONS"], endpoint=list_expenses),
        Rule("/expenses/<id:expense_id>", methods=["GET", "OPTIONS"], endpoint=get_expense),
        Rule("/expenses/<id:expense_id>", methods=["PATCH", "OPTIONS"], endpoint=amend_expense),
        Rule("/expenses/<id:expense_id>", methods=["DELETE", "OPTIONS"], endpoint=delete_expense),
        Rule("/expenses/<id:expense_id>/restore", methods=["POST", "OPTIONS"], endpoint=restore_expense),
        Rule("/expenses/<id:expense_id>/history", methods=["GET", "OPTIONS"], endpoint=get_history),
        Rule("/categories", methods=["GET", "OPTIONS"], endpoint=list_categories),
        Rule("/categories/<name:name>", methods=["PATCH", "OPTIONS"], endpoint=rename_category),
        Rule("/health", methods=["GET", "OPTIONS"], endpoint=health),
    ],
    converters={"id": _Id, "name": _Name},
    merge_slashes=False,
)


def _ledger() -> Ledger:
    return _opened(os.environ.get("EXPENSE_LEDGER"), os.environ.get("EXPENSE_CURRENCY"))


@functools.lru_cache
def _opened(path: str | None, currency: str | None) -> Ledger:
    """The ledger of these settings. It keeps no connection of its own: the library does, for each thread."""
    return open_file(path, currency)


def _no_content(headers: dict[str, str] | None = None, status: int = 204) -> Response:
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response


def _without_cursor(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]


def _expense(expense: Expense, status: int, headers: dict[str, str]) -> Response:
    return _answer(expense, status, headers | {"ETag": f'"{expense.version}"'})


def _answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        _json.dump_json(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": CACHING} | (headers or {}),
    )
