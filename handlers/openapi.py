"""The handler's description in OpenAPI 3.1, made from the models that it reads and writes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from expense_lib import errors
from expense_lib.answers import CategoryTotal, Expense, Health, Page, Summary, Undone, Version
from expense_lib.errors import PROBLEM_TYPE_PREFIX, ExpenseError
from expense_lib.models import (
    ChangesWanted,
    ExpenseChanges,
    ExpenseFilter,
    NewCategory,
    NewExpense,
    SummaryWanted,
)
from handlers.problems import title
from handlers.reading import MAX_BODY_BYTES

Schema = dict[str, Any]

_EXPENSE = {
    "id": 1,
    "amount": "12.50",
    "category": "Food",
    "description": "Lunch",
    "date": "2026-11-22",
    "occurrence": 1,
    "refund": False,
    "dedup_key": "v1:23e6db85c73ddd0d1d3b2e7069cddb4423f1e9fa9c607acb676802a60d0ecb31",
    "version": 1,
    "created_at": "2026-11-22T09:12:00.000Z",
    "updated_at": "2026-11-22T09:12:00.000Z",
}
_LUNCH = {name: _EXPENSE[name] for name in ("amount", "category", "description", "date")}
_SNAPSHOT = {name: _EXPENSE[name] for name in (*_LUNCH, "occurrence", "refund")}

# What stands in a body, by the name of its schema, with an example of it.
_TAKEN: dict[str, tuple[TypeAdapter[Any], Any]] = {
    "NewExpense": (TypeAdapter(NewExpense), _LUNCH),
    "ExpenseChanges": (TypeAdapter(ExpenseChanges), {"amount": "13.00"}),
    "NewCategory": (TypeAdapter(NewCategory), {"name": "Food"}),
}
_GIVEN: dict[str, tuple[TypeAdapter[Any], Any]] = {
    "Expense": (TypeAdapter(Expense), _EXPENSE),
    "Page": (
        TypeAdapter(Page),
        {"items": [_EXPENSE], "count": 1, "total": "12.50", "currency": "USD", "next": None},
    ),
    "Version": (
        TypeAdapter(Version),
        {"version": 1, "change": "created", "at": _EXPENSE["created_at"], "before": None, "after": _SNAPSHOT},
    ),
    "CategoryTotal": (TypeAdapter(CategoryTotal), {"name": "Food", "count": 1, "total": "12.50"}),
    "Summary": (
        TypeAdapter(Summary),
        {
            "items": [{"month": "2026-11", "count": 1, "total": "12.50"}],
            "count": 1,
            "total": "12.50",
            "currency": "USD",
        },
    ),
    "Undone": (TypeAdapter(Undone), {"number": 2, "undone": [1], "kept": []}),
    "Health": (
        TypeAdapter(Health),
        {
            "status": "ok",
            "readable": True,
            "writable": True,
            "busy": False,
            "currency": "USD",
            "journal_mode": "wal",
            "synchronous": "full",
        },
    ),
}
_QUERIES: dict[str, TypeAdapter[Any]] = {
    "listExpenses": TypeAdapter(ExpenseFilter),
    "listChanges": TypeAdapter(ChangesWanted),
    "summarise": TypeAdapter(SummaryWanted),
}

_QUERY = {
    "category": "Of any of these categories, whatever their case. A single empty one means all.",
    "date_from": "On this day or later.",
    "date_to": "On this day or earlier.",
    "amount_min": "Of this amount or more.",
    "amount_max": "Of this amount or less.",
    "q": "With this text in description or category, whatever its case.",
    "sort": "The order; expenses that are equal in it come by their ids, in the same direction.",
    "limit": "How many at most.",
    "by": "What to total by.",
    "since": "The number of the last line that is known already.",
    "cursor": "Where the page begins: `next` of the page before, of the same filter and sort.",
}

_HEADERS: dict[str, Schema] = {
    "X-Request-Id": {"description": "The one that was sent, or a new one."},
    "ETag": {"description": "The expense's version, for If-Match and If-None-Match."},
    "Location": {"description": "Where the expense is."},
    "Content-Location": {"description": "Where the expense is that was there already."},
    "Idempotent-Replayed": {"description": "Nothing was added: this had been recorded before."},
    "Link": {"description": 'The next page, as `<...>; rel="next"`.'},
    "Retry-After": {"description": "Seconds to wait before sending again."},
    "Allow": {"description": "The methods that this path takes."},
    "WWW-Authenticate": {"description": "How to send a token (RFC 6750)."},
}
_OPTIONAL_HEADERS = {"Link"}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Of the sender's choice, bare or quoted. One not seen before makes this another payment, however "
        "equal; keep it through the retries of one payment."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "example": "6f1d0b5c",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the expense as it was seen, or * for whatever it is now.",
    "schema": {"type": "string"},
    "example": '"1"',
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "An ETag that is known already: 304 if it is still that.",
    "schema": {"type": "string"},
}


class Refusal(NamedTuple):
    """When a status is answered, and the types that its problem may have; none is ``about:blank``."""

    when: str
    types: tuple[type[ExpenseError], ...] = ()
    headers: tuple[str, ...] = ()


_EVERYWHERE = {
    400: Refusal("The path, the query or a header is malformed, or the host is not this one's."),
    401: Refusal("A token is needed, or it is none of this handler's.", headers=("WWW-Authenticate",)),
    500: Refusal("Something unexpected, named by its request id. Sending again is safe."),
}
_LEDGER = {
    503: Refusal(
        "The ledger is busy or can't be used. Nothing was acknowledged; sending again is safe.",
        (errors.LedgerBusy, errors.LedgerUnavailable, errors.CurrencyError),
        ("Retry-After",),
    ),
}
_CHANGING = {403: Refusal("A browser sent this for a page of another site.")}
_MALFORMED = "The body is not UTF-8, not JSON, not whole, or has a name twice; or a header is malformed."
_BODY = _CHANGING | {
    400: Refusal(_MALFORMED),
    411: Refusal("The body came without its length."),
    413: Refusal(f"The body has more than {MAX_BODY_BYTES} bytes."),
    415: Refusal("The body is not application/json, or is encoded."),
}
_NOT_FOUND = Refusal("There never was such an expense.", (errors.ExpenseNotFound,))
_DELETED = Refusal("The expense was deleted; it can be restored.", (errors.ExpenseDeleted,))
_STALE = Refusal("The expense was changed since it was seen.", (errors.StaleVersion,), ("ETag",))
_UNACCEPTABLE = (errors.InvalidInput, errors.AmountError)


class Answered(NamedTuple):
    """A status that is no refusal: what it means, the schema of its body, and its headers."""

    meaning: str
    body: Schema | None = None
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


class Operation(NamedTuple):
    """What one path does with one method."""

    name: str
    summary: str
    answers: dict[int, Answered]
    refusals: dict[int, Refusal]
    parameters: tuple[Schema, ...] = ()
    takes: str | None = None


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _items(of: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": of}},
        "required": ["items"],
        "additionalProperties": False,
    }


_THE_EXPENSE = Answered("The expense.", _ref("Expense"), ("ETag",))
_TEXT = {"type": "string"}

# By the name of the function that does it.
_OPERATIONS: dict[str, Operation] = {
    "record_expense": Operation(
        "recordExpense",
        "Have an expense in the ledger once",
        {
            201: Answered("It is recorded.", _ref("Expense"), ("ETag", "Location")),
            200: Answered(
                "It was there already, and is as this says by now.",
                _ref("Expense"),
                ("ETag", "Content-Location", "Idempotent-Replayed"),
            ),
        },
        _BODY
        | _LEDGER
        | {
            400: Refusal(_MALFORMED, (errors.IdempotencyKeyError,)),
            409: Refusal("It was recorded, and deleted since.", (errors.RecordedThenDeleted,)),
            422: Refusal(
                "A field can't be accepted, or the idempotency key came with another body before.",
                (*_UNACCEPTABLE, errors.IdempotencyKeyReused),
            ),
        },
        (_IDEMPOTENCY_KEY,),
        "NewExpense",
    ),
    "list_expenses": Operation(
        "listExpenses",
        "A page of the expenses that match, with count and total of all that do",
        {200: Answered("The page.", _ref("Page"), ("Link",))},
        _LEDGER
        | {422: Refusal("A part of the query can't be accepted.", (*_UNACCEPTABLE, errors.CursorError))},
    ),
    "get_expense": Operation(
        "getExpense",
        "One expense",
        {200: _THE_EXPENSE, 304: Answered("It is as you know it.", None, ("ETag",))},
        _LEDGER | {404: _NOT_FOUND, 410: _DELETED},
        (_IF_NONE_MATCH,),
    ),
    "amend_expense": Operation(
        "amendExpense",
        "Change fields of an expense",
        {200: _THE_EXPENSE},
        _BODY
        | _LEDGER
        | {
            404: _NOT_FOUND,
            410: _DELETED,
            412: _STALE,
            422: Refusal("What it would become can't be accepted.", _UNACCEPTABLE),
            428: Refusal("If-Match is missing."),
        },
        (_IF_MATCH | {"required": True},),
        "ExpenseChanges",
    ),
    "delete_expense": Operation(
        "deleteExpense",
        "Delete an expense; it keeps its id and its history",
        {204: Answered("It is deleted, or was already.")},
        _CHANGING | _LEDGER | {404: _NOT_FOUND, 412: _STALE},
        (_IF_MATCH,),
    ),
    "restore_expense": Operation(
        "restoreExpense",
        "Bring a deleted expense back",
        {200: _THE_EXPENSE},
        _CHANGING | _LEDGER | {404: _NOT_FOUND},
    ),
    "get_history": Operation(
        "getHistory",
        "Every version of an expense, live or deleted, the first one first",
        {200: Answered("Its versions.", _items(_ref("Version")))},
        _LEDGER | {404: _NOT_FOUND},
    ),
    "list_categories": Operation(
        "listCategories",
        "Every category that has expenses, by name",
        {200: Answered("The categories.", _items(_ref("CategoryTotal")))},
        _LEDGER,
    ),
    "rename_category": Operation(
        "renameCategory",
        "Rename a category, or merge it into the one of that name",
        {200: Answered("The category in which the expenses are now.", _ref("CategoryTotal"))},
        _BODY
        | _LEDGER
        | {
            404: Refusal("No expense has this category.", (errors.CategoryNotFound,)),
            422: Refusal("The name can't be accepted.", (errors.InvalidInput,)),
        },
        takes="NewCategory",
    ),
    "summarise": Operation(
        "summarise",
        "The totals of the expenses that match, by month, by category or both",
        {200: Answered("The totals.", _ref("Summary"))},
        _LEDGER | {422: Refusal("A part of the query can't be accepted.", _UNACCEPTABLE)},
    ),
    "list_changes": Operation(
        "listChanges",
        "Every change after a line of the log, in order, for a copy of the ledger",
        {
            200: Answered(
                "A line of JSON for each, at most limit of them; none if there is nothing new.",
                _TEXT,
                ("Link",),
                "application/jsonl",
            )
        },
        _LEDGER | {422: Refusal("A part of the query can't be accepted.", (errors.InvalidInput,))},
    ),
    "undo_change": Operation(
        "undoChange",
        "Put back what a change changed, wherever it was left alone since",
        {200: Answered("What was put back, and what was kept.", _ref("Undone"))},
        _CHANGING
        | _LEDGER
        | {
            404: Refusal("There is no such change.", (errors.ChangeNotFound,)),
            409: Refusal("All of it was changed again since.", (errors.ChangedSince,)),
        },
    ),
    "check_ledger": Operation(
        "checkLedger",
        "What is wrong with the ledger, a sentence each; nothing if it is sound",
        {200: Answered("The sentences.", _items(_TEXT))},
        _LEDGER,
    ),
    "back_up": Operation(
        "backUp",
        "A consistent copy of the whole ledger",
        {200: Answered("An SQLite file.", {}, media_type="application/vnd.sqlite3")},
        _LEDGER,
    ),
    "health": Operation(
        "health",
        "Whether the ledger can be read and written; needs no token",
        {200: Answered("It can be.", _ref("Health"))},
        {
            503: Refusal(
                "It can't be read, or it can't be written.",
                (errors.LedgerUnavailable, errors.CurrencyError),
            )
        },
    ),
    "get_metrics": Operation(
        "metrics",
        "What was counted, in Prometheus' text format",
        {200: Answered("The metrics.", _TEXT, media_type="text/plain")},
        {501: Refusal("prometheus-client is not installed.")},
    ),
    "get_openapi": Operation(
        "openapi", "This document", {200: Answered("OpenAPI 3.1.", {"type": "object"})}, {}
    ),
    "get_docs": Operation(
        "docs", "This document, to be read", {200: Answered("A page.", _TEXT, media_type="text/html")}, {}
    ),
}

_PATH_PARAMETERS: dict[str, Schema] = {
    "id": {"type": "integer", "minimum": 1, "maximum": 10**19 - 1},
    "number": {"type": "integer", "minimum": 1, "maximum": 10**19 - 1},
    "name": {"type": "string", "minLength": 1},
}


@functools.lru_cache
def document(
    paths: tuple[tuple[str, str, Callable[..., Any]], ...],
    without_token: frozenset[str],
    root_path: str,
    *,
    with_tokens: bool,
) -> Schema:
    """The description of a handler.

    Args:
        paths: The method, the template and the function of each operation.
        without_token: The templates that never want a token.
        root_path: Where the handler is mounted.
        with_tokens: Whether the others want one.
    """
    where: dict[str, Schema] = {}
    for method, template, leaf in paths:
        operation = _operation(template, _OPERATIONS[leaf.__name__])
        if template in without_token:
            del operation["responses"]["401"]
            operation["security"] = []
        where.setdefault(template, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Expense ledger",
            "version": "1",
            "summary": "Record an expense as often as the network makes you send it: it is there once.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root_path or "/"}],
        "security": [{"token": []}] if with_tokens else [],
        "paths": where,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(template: str, operation: Operation) -> Schema:
    named = [part.strip("{}") for part in template.split("/") if part.startswith("{")]
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]} for name in named
    ]
    parameters += operation.parameters
    if operation.name in _QUERIES:
        parameters += _query(_QUERIES[operation.name])
    refusals = _EVERYWHERE | operation.refusals
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {str(status): _answer(found) for status, found in operation.answers.items()}
        | {str(status): _refusal(status, refusals[status]) for status in sorted(refusals)},
    }
    if operation.takes is not None:
        _, example = _TAKEN[operation.takes]
        content = {"application/json": {"schema": _ref(operation.takes), "example": example}}
        described["requestBody"] = {"required": True, "content": content}
    if 201 in operation.answers:
        described["responses"]["201"]["links"] = _links()
    return described


def _answer(found: Answered) -> Schema:
    described: Schema = {"description": found.meaning, "headers": _headers(found.headers)}
    if found.body is not None:
        described["content"] = {found.media_type: {"schema": found.body, **_example(found.body)}}
    return described


def _refusal(status: int, refusal: Refusal) -> Schema:
    types = [PROBLEM_TYPE_PREFIX + kind.code for kind in refusal.types]
    example = {
        "type": types[0] if types else "about:blank",
        "title": title(HTTPStatus(status)),
        "status": status,
        "detail": refusal.when,
    }
    named = f" Types: {', '.join(types)}." if types else ""
    return {
        "description": refusal.when + named,
        "headers": _headers(refusal.headers),
        "content": {"application/problem+json": {"schema": _ref("Problem"), "example": example}},
    }


def _headers(names: tuple[str, ...]) -> Schema:
    return {
        name: {**_HEADERS[name], "required": name not in _OPTIONAL_HEADERS, "schema": _TEXT}
        for name in (*names, "X-Request-Id")
    }


def _example(body: Schema) -> Schema:
    """An example of *body*, where it is one of the schemas, or a list of one."""
    listed = body.get("properties", {}).get("items", {}).get("items")
    name = (listed or body).get("$ref", "").rpartition("/")[2]
    if name not in _GIVEN:
        return {}
    _, example = _GIVEN[name]
    return {"example": {"items": [example]} if listed else example}


def _links() -> Schema:
    return {
        name: {"operationId": name, "parameters": {"id": "$response.body#/id"}}
        for name in ("getExpense", "amendExpense", "deleteExpense", "restoreExpense", "getHistory")
    }


def _query(of: TypeAdapter[Any]) -> list[Schema]:
    found: list[Schema] = []
    for name, schema in of.json_schema()["properties"].items():
        plain = {key: value for key, value in schema.items() if key not in ("title", "default", "anyOf")}
        choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
        default = schema.get("default")
        if isinstance(default, list):
            default = ",".join(default)
        found.append(
            {
                "name": name,
                "in": "query",
                "description": _QUERY[name],
                "schema": plain | (choices[0] if choices else {}) | ({"default": default} if default else {}),
            }
        )
        if name == "category":
            del found[-1]["schema"]["items"]["minLength"]
    return found


def _schemas() -> Schema:
    named = [(name, "validation", adapter) for name, (adapter, _) in _TAKEN.items()]
    named += [(name, "serialization", adapter) for name, (adapter, _) in _GIVEN.items()]
    _, definitions = TypeAdapter.json_schemas(named, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return {**definitions["$defs"], "Problem": _PROBLEM}


_PROBLEM: Schema = {
    "title": "Problem",
    "description": "Why something was refused (RFC 9457). Nothing of what was sent is in it.",
    "type": "object",
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "about:blank, or the kind of the problem, for machines.",
        },
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "errors": {
            "type": "array",
            "description": "Each field that can't be accepted, by a JSON pointer, and what is expected.",
            "items": {
                "type": "object",
                "properties": {"detail": _TEXT, "pointer": _TEXT},
                "required": ["detail", "pointer"],
            },
        },
        "expense_id": {"type": "integer", "description": "The expense that it is about."},
        "version": {"type": "integer", "description": "The version that it is at."},
        "restore": {"type": "string", "description": "Where to POST to have it back."},
        "fields": {
            "type": "array",
            "items": _TEXT,
            "description": "Those that differ from what first came with the idempotency key.",
        },
        "expense_ids": {"type": "array", "items": {"type": "integer"}},
        "number": {"type": "integer", "description": "The change that is not there."},
        "request_id": {"type": "string", "description": "Names this failure in the handler's log."},
    },
    "required": ["type", "title", "status", "detail"],
}
