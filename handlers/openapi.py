"""The handler's description in OpenAPI 3.1, made from the models that it reads and writes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from expense_lib.domain.errors import PROBLEM_TYPE_PREFIX
from expense_lib.domain.expense import NewCategory, NewExpense, expense_changes
from expense_lib.domain.filters import (
    CategoryMove,
    ChangesQuery,
    ExpenseFilter,
    Filter,
    LogQuery,
    SummaryQuery,
)
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    Health,
    Overview,
    Page,
    Position,
    Recategorised,
    Renamed,
    Replayed,
    Summary,
    Undone,
    Values,
    Version,
)
from expense_lib.domain.statement import Import, ImportOptions, NewRule, Rule, Verdict
from handlers.operations import EVERYWHERE, OPERATIONS, TEXT, Answered, Operation, Refusal, Schema, ref
from handlers.problems import title

_EXPENSE = {
    "id": 1,
    "amount": "12.50",
    "category": "Food",
    "description": "Lunch",
    "date": "2026-11-22",
    "occurrence": 1,
    "refund": False,
    "account": "Giro",
    "note": "",
    "tags": ["work"],
    "dedup_key": "v1:23e6db85c73ddd0d1d3b2e7069cddb4423f1e9fa9c607acb676802a60d0ecb31",
    "version": 1,
    "created_at": "2026-11-22T09:12:00.000Z",
    "updated_at": "2026-11-22T09:12:00.000Z",
}
_LUNCH = {name: _EXPENSE[name] for name in ("amount", "category", "description", "date")}
_VALUES = {name: _EXPENSE[name] for name in Values.model_fields}

_NUMBERS = {"created": 1, "existing": 0, "changed": 0, "deleted": 0, "skipped": 0, "bad": 0}
_STATEMENT = "Date,Amount,Description\n2026-11-22,12.50,Lunch\n"
_VERDICT = {
    "line": 2,
    "what": "created",
    "why": "It is new. Its category is the default one.",
    "expense_id": None,
    "category": "Uncategorised",
    "looks_like": None,
}

# What stands in a body, by the name of its schema, with an example of it.
_TAKEN: dict[str, tuple[TypeAdapter[Any], Any]] = {
    "NewExpense": (TypeAdapter(NewExpense), _LUNCH),
    "ExpenseChanges": (TypeAdapter(expense_changes()), {"amount": "13.00"}),
    "CategoryMove": (
        TypeAdapter(CategoryMove),
        {"category": "Food", "where": {"category": ["Fod"], "q": "lunch"}},
    ),
    "NewCategory": (TypeAdapter(NewCategory), {"name": "Food"}),
    "NewRule": (TypeAdapter(NewRule), {"text": "grocer", "category": "Food"}),
}
_GIVEN: dict[str, tuple[TypeAdapter[Any], Any]] = {
    "Expense": (TypeAdapter(Expense), _EXPENSE),
    "Replayed": (TypeAdapter(Replayed), _EXPENSE | {"differs": ["note"]}),
    "Page": (
        TypeAdapter(Page),
        {"items": [_EXPENSE], "count": 1, "total": "12.50", "currency": "USD", "next": None},
    ),
    "Overview": (
        TypeAdapter(Overview),
        {
            "items": [_EXPENSE],
            "count": 1,
            "total": "12.50",
            "currency": "USD",
            "next": None,
            "first": "2026-11-22",
            "last": "2026-11-22",
            "categories": [{"name": "Food", "count": 1, "total": "12.50"}],
            "accounts": ["Giro"],
            "position": "1-5b0c1a2f",
        },
    ),
    "Position": (TypeAdapter(Position), {"position": "1-5b0c1a2f"}),
    "Version": (
        TypeAdapter(Version),
        {
            "version": 1,
            "change": "created",
            "at": _EXPENSE["created_at"],
            "by": "",
            "before": None,
            "after": _VALUES,
        },
    ),
    "CategoryTotal": (TypeAdapter(CategoryTotal), {"name": "Food", "count": 1, "total": "12.50"}),
    "Renamed": (TypeAdapter(Renamed), {"name": "Food", "count": 1, "total": "12.50", "number": 2}),
    "Recategorised": (TypeAdapter(Recategorised), {"number": 2, "count": 1, "category": "Food"}),
    "Summary": (
        TypeAdapter(Summary),
        {
            "items": [{"month": "2026-11", "count": 1, "total": "12.50"}],
            "count": 1,
            "total": "12.50",
            "currency": "USD",
        },
    ),
    "Rule": (TypeAdapter(Rule), {"id": 1, "text": "grocer", "category": "Food"}),
    "Import": (
        TypeAdapter(Import),
        {
            "id": 1,
            "at": _EXPENSE["created_at"],
            "source": "november.csv",
            "account": "checking",
            **_NUMBERS,
            "undone_at": None,
        },
    ),
    "Change": (
        TypeAdapter(Change),
        {
            "number": 2,
            "at": _EXPENSE["created_at"],
            "by": "",
            "change": "amended",
            "count": 1,
            "expense_id": 1,
            "before": _VALUES | {"category": "Fod"},
            "after": _VALUES,
        },
    ),
    "Undone": (TypeAdapter(Undone), {"number": 2, "undone": [1], "kept": []}),
    "Verdict": (TypeAdapter(Verdict), _VERDICT),
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
    "overview": TypeAdapter(ExpenseFilter),
    "listLog": TypeAdapter(LogQuery),
    "listChanges": TypeAdapter(ChangesQuery),
    "summarise": TypeAdapter(SummaryQuery),
    "exportCsv": TypeAdapter(Filter),
    "importStatement": TypeAdapter(ImportOptions),
}

_QUERY = {
    "category": "Of any of these categories, whatever their case. A single empty one means all.",
    "account": "Of any of these accounts, whatever their case; for a statement, the one that it is of.",
    "tag": "With any of these tags, whatever their case.",
    "date_from": "On this day or later.",
    "date_to": "On this day or earlier.",
    "amount_min": "Of this amount or more.",
    "amount_max": "Of this amount or less.",
    "q": "With this text in description, category or note, whatever its case.",
    "sort": "The order; expenses that are equal in it come by their ids, in the same direction.",
    "limit": "How many at most.",
    "by": "What to total by.",
    "since": "The number of the last line that is known already.",
    "before": "Only changes with a smaller number.",
    "mapping": 'Fields and the columns that they are in, as JSON: {"date": "Day", "amount": "Sum"}.',
    "spending": "negative where money out is written with a minus; found in the file if left out.",
    "credits": "What becomes of money that came in.",
    "default_category": "For payments that nothing else has a category for.",
    "date_format": "As strptime takes it; found in the file if left out.",
    "decimal": "What separates the fraction of amounts; found in the file if left out.",
    "encoding": "As Python names it; found in the file if left out.",
    "similar": "What becomes of rows that look like an expense that is there.",
    "dry_run": "Write nothing, only say what would become of each row.",
    "filename": "What the import is listed by.",
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

_PATH_PARAMETERS: dict[str, Schema] = {
    "id": {"type": "integer", "minimum": 1, "maximum": 10**19 - 1},
    "import_id": {"type": "integer", "minimum": 1, "maximum": 10**19 - 1},
    "rule_id": {"type": "integer", "minimum": 1, "maximum": 10**19 - 1},
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
        operation = _operation(template, OPERATIONS[leaf.__name__])
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
    refusals = EVERYWHERE | operation.refusals
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {str(status): _answer(found) for status, found in operation.answers.items()}
        | {str(status): _refusal(status, refusals[status]) for status in sorted(refusals)},
    }
    if operation.takes == "Statement":
        described["requestBody"] = {"required": True, "content": _STATEMENT_BODY}
    elif operation.takes is not None:
        _, example = _TAKEN[operation.takes]
        content = {"application/json": {"schema": ref(operation.takes), "example": example}}
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
        "content": {"application/problem+json": {"schema": ref("Problem"), "example": example}},
    }


def _headers(names: tuple[str, ...]) -> Schema:
    return {
        name: {**_HEADERS[name], "required": name not in _OPTIONAL_HEADERS, "schema": TEXT}
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
        if "items" in found[-1]["schema"]:
            del found[-1]["schema"]["items"]["minLength"]
        found[-1]["schema"].pop("minLength", None)  # an empty text says as much as none
    return found


def _schemas() -> Schema:
    named = [(name, "validation", adapter) for name, (adapter, _) in _TAKEN.items()]
    named += [(name, "serialization", adapter) for name, (adapter, _) in _GIVEN.items()]
    _, definitions = TypeAdapter.json_schemas(named, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return {**definitions["$defs"], "Imported": _imported(), "Problem": _PROBLEM}


def _imported() -> Schema:
    """The answer to a statement: numbers, a verdict for each row, bad lines, and how the file was read."""
    numbers = {name: {"type": "integer", "minimum": 0} for name in _NUMBERS}
    properties: Schema = {
        "id": {"type": ["integer", "null"]},
        "dry_run": {"type": "boolean"},
        **numbers,
        "verdicts": {"type": "array", "items": ref("Verdict")},
        "bad_lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"line": {"type": "integer"}, "reason": TEXT},
                "required": ["line", "reason"],
            },
        },
        "reading": {
            "type": "object",
            "description": "The columns, the encoding, the form of dates and so on.",
        },
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


_STATEMENT_BODY: Schema = {
    "text/csv": {"schema": TEXT | {"minLength": 1}, "example": _STATEMENT},
    "application/octet-stream": {"schema": TEXT | {"minLength": 1}},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
            "required": ["file"],
        }
    },
}

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
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "errors": {
            "type": "array",
            "description": "Each field that can't be accepted, by a JSON pointer, and what is expected.",
            "items": {
                "type": "object",
                "properties": {"detail": TEXT, "pointer": TEXT},
                "required": ["detail", "pointer"],
            },
        },
        "expense_id": {"type": "integer", "description": "The expense that it is about."},
        "version": {"type": "integer", "description": "The version that it is at."},
        "restore": {"type": "string", "description": "Where to POST to have it back."},
        "fields": {
            "type": "array",
            "items": TEXT,
            "description": "Those that differ from what first came with the idempotency key.",
        },
        "choices": {"type": "array", "items": TEXT, "description": "What the first field can be."},
        "import_id": {"type": "integer", "description": "The import that is not there."},
        "rule_id": {"type": "integer", "description": "The rule that is not there."},
        "expense_ids": {"type": "array", "items": {"type": "integer"}},
        "number": {"type": "integer", "description": "The change that is not there."},
        "request_id": {"type": "string", "description": "Names this failure in the handler's log."},
    },
    "required": ["type", "title", "status", "detail"],
}
