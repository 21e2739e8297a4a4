"""The OpenAPI 3.1 document, made from the routes and the models that they name."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter

from expense_lib.domain.errors import (
    PROBLEM_TYPE_PREFIX,
    CurrencyError,
    ExpenseError,
    InvalidInput,
    LedgerBusy,
    LedgerDamaged,
    LedgerRestored,
    LedgerUnavailable,
    LedgerUnsafe,
)
from expense_lib.domain.statement import Verdict
from handlers.descriptions import (
    EXAMPLES,
    HEADERS,
    OPTIONAL_HEADERS,
    QUERY_PARAMETERS,
    SCHEMAS,
    STATEMENT_BODY,
)
from handlers.inputs import GENERATION, Body, Header, Query, Statement, model_of
from handlers.problems import status_of, title
from handlers.requests import MAX_BODY_BYTES, MAX_STATEMENT_BYTES
from handlers.route import TEXT, Answered, Items, Refusal, Route
from handlers.router import TEXT_PARTS, parts_of

Schema = dict[str, Any]
Refusals = dict[int, Refusal]

_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 10**19 - 1}
_FILLED_TEXT: Schema = {"type": "string", "minLength": 1}

# What routes refuse without saying so; what a route says of a status itself goes before it.
_EVERYWHERE: Refusals = {
    400: Refusal("The path, the query or a header is malformed, or the host is not this one's.", ()),
    401: Refusal("A token is needed, or it is none of this handler's.", (), ("WWW-Authenticate",)),
    500: Refusal("Something unexpected, named by its request id. Sending again is safe.", ()),
}
_LEDGER: Refusals = {
    503: Refusal(
        "The ledger is busy or can't be used. Nothing was acknowledged; sending again is safe.",
        (LedgerBusy, LedgerUnavailable, LedgerUnsafe, LedgerDamaged, CurrencyError),
        ("Retry-After",),
    ),
}
_CHANGING: Refusals = {
    403: Refusal("A browser sent this for a page of another site.", ()),
    412: Refusal("The ledger went back to a backup since. Look again.", (LedgerRestored,)),
}
_QUERY: Refusals = {422: Refusal("A part of the query can't be accepted.", (InvalidInput,))}
_BODY: Refusals = {
    400: Refusal(
        "The body is not UTF-8, not JSON, not whole, or has a name twice; or a header is malformed.", ()
    ),
    411: Refusal("The body came without its length.", ()),
    413: Refusal(f"The body has more than {MAX_BODY_BYTES} bytes.", ()),
    415: Refusal("The body is not application/json, or is encoded.", ()),
    422: Refusal("A field can't be accepted.", (InvalidInput,)),
}
_STATEMENT: Refusals = {
    400: Refusal("The body is not whole, or it is a form that is none or has not one file.", ()),
    411: Refusal("The body came without its length.", ()),
    413: Refusal(f"The body has more than {MAX_STATEMENT_BYTES} bytes.", ()),
    415: Refusal("The body has a type that no statement has, or is encoded.", ()),
    422: Refusal("An option can't be accepted.", (InvalidInput,)),
}


@functools.lru_cache
def document(routes: tuple[Route, ...], root_path: str, *, with_tokens: bool) -> Schema:
    """The description of a handler.

    Args:
        routes: Its endpoints.
        root_path: Where it is mounted.
        with_tokens: Whether it wants a token where a route needs one.
    """
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
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
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> Schema:
    refusals = _refusals(route)
    described: Schema = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": list(_parameters(route)),
        "responses": {str(status): _answer(found) for status, found in route.answers.items()}
        | {str(status): _refusal(status, refusals[status]) for status in sorted(refusals)},
    }
    for each in route.takes:
        if isinstance(each, Statement):
            described["requestBody"] = {"required": True, "content": STATEMENT_BODY}
        if isinstance(each, Body):
            content = {"schema": _schema_of(each.model), **_example(each.model)}
            described["requestBody"] = {"required": True, "content": {"application/json": content}}
    if 201 in route.answers:
        described["responses"]["201"]["links"] = _links()
    if not route.needs_token:
        described["security"] = []
    return described


def operation_id(route: Route) -> str:
    """The name of the route's handler in camel case."""
    first, *others = route.handler.__name__.split("_")
    return first + "".join(map(str.capitalize, others))


def _parameters(route: Route) -> Iterator[Schema]:
    for name in parts_of(route.template):
        schema = _FILLED_TEXT if name in TEXT_PARTS else _ID
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for each in (*route.takes, *((GENERATION,) if route.method != "GET" else ())):
        match each:
            case Header():
                yield {
                    "name": each.name,
                    "in": "header",
                    "description": each.description,
                    "schema": each.schema,
                    **({"example": each.example} if each.example else {}),
                    **({"required": True} if each.required else {}),
                }
            case Query(model) | Statement(model):
                yield from _query_parameters(model_of(model))


def _query_parameters(model: type[BaseModel]) -> Iterator[Schema]:
    for name, schema in TypeAdapter(model).json_schema()["properties"].items():
        apart = ("title", "default", "anyOf", "description")
        plain = {key: value for key, value in schema.items() if key not in apart}
        choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
        plain |= choices[0] if choices else {}
        default = schema.get("default")
        if default:
            plain["default"] = ",".join(default) if isinstance(default, list) else default
        if "items" in plain:
            del plain["items"]["minLength"]
        plain.pop("minLength", None)  # an empty text says as much as none
        description = schema.get("description") or QUERY_PARAMETERS.get(name, "")
        yield {"name": name, "in": "query", "description": description, "schema": plain}


def _refusals(route: Route) -> Refusals:
    found = dict(_EVERYWHERE)
    if not route.needs_token:
        del found[401]
    if route.method != "GET":
        found |= _CHANGING
    for each in route.takes:
        match each:
            case Query():
                found |= _QUERY
            case Body():
                found |= _BODY
            case Statement():
                found |= _STATEMENT
    if route.needs_ledger:
        found |= _LEDGER
    return found | {int(status_of(refusal.kinds[0])): refusal for refusal in route.refuses}


def _answer(found: Answered) -> Schema:
    described: Schema = {"description": found.meaning, "headers": _headers(found.headers)}
    if found.body is not None:
        content = {"schema": _schema_of(found.body), **_example(found.body)}
        described["content"] = {found.media_type: content}
    return described


def _refusal(status: int, refusal: Refusal) -> Schema:
    kinds = [kind for kind in refusal.kinds if issubclass(kind, ExpenseError)]
    types = [PROBLEM_TYPE_PREFIX + kind.code for kind in kinds]
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
        name: {"description": HEADERS[name], "required": name not in OPTIONAL_HEADERS, "schema": TEXT}
        for name in (*names, "X-Request-Id")
    }


def _links() -> Schema:
    return {
        name: {"operationId": name, "parameters": {"id": "$response.body#/id"}}
        for name in ("getExpense", "amendExpense", "deleteExpense", "restoreExpense", "getHistory")
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema_of(body: type[BaseModel] | str | Mapping[str, Any] | Items) -> Mapping[str, Any]:
    """A reference to the schema of a model; that of a list of them; or the schema itself."""
    match body:
        case Items(of):
            return {
                "type": "object",
                "properties": {"items": {"type": "array", "items": _schema_of(of)}},
                "required": ["items"],
                "additionalProperties": False,
            }
        case Mapping():
            return body
        case _:
            return _ref(_name(body))


def _name(model: type[BaseModel] | str) -> str:
    return model_of(model).__name__


def _example(body: type[BaseModel] | str | Mapping[str, Any] | Items) -> Schema:
    """An example of a body, where its model has one."""
    model = body.of if isinstance(body, Items) else body
    if isinstance(model, Mapping) or _name(model) not in EXAMPLES:
        return {}
    example = EXAMPLES[_name(model)]
    return {"example": {"items": [example]} if isinstance(body, Items) else example}


def _schemas(routes: Iterable[Route]) -> Schema:
    """The schemas of all models that bodies are of, by name, and those that are written here by hand."""
    taken = {each.model for route in routes for each in route.takes if isinstance(each, Body)}
    bodies = [answered.body for route in routes for answered in route.answers.values()]
    named = [body.of if isinstance(body, Items) else body for body in bodies]
    given = {model for model in named if isinstance(model, type | str)} | {Verdict}
    wanted = [(_name(model), "validation", TypeAdapter(model_of(model))) for model in taken]
    wanted += [(_name(model), "serialization", TypeAdapter(model_of(model))) for model in given]
    _, definitions = TypeAdapter.json_schemas(wanted, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return {**definitions["$defs"], **SCHEMAS}
