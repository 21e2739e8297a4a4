"""Adding an endpoint is one entry: its Route. All else that is told of it comes from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from wsgiref.validate import validator

import pytest
from openapi_spec_validator import validate
from werkzeug.test import Client
from werkzeug.wrappers import Request

from expense_lib import LogQuery
from expense_lib.domain.results import Position
from handlers import openapi, routes, wsgi
from handlers.inputs import Body, Header, Query, Statement, model_of
from handlers.problems import status_of
from handlers.responses import Answer, in_json
from handlers.route import Answered, Items, Route
from handlers.router import Router
from handlers.routes import ROUTES


def count_down(request: Request, number: int, wanted: LogQuery, agent: str) -> Answer:
    return in_json(Position(position=f"{number} {wanted.limit} {agent}"))


ENTRY = Route(
    "GET",
    "/countdown/{number}",
    count_down,
    "A number, and what was sent with it",
    {200: Answered("The number.", Position)},
    takes=(
        Query(LogQuery),
        Header("User-Agent", lambda request: request.user_agent.string, "Who asks.", {"type": "string"}),
    ),
    needs_ledger=False,
)


@pytest.fixture
def client(path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of the handler, which has one entry more."""
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    monkeypatch.setattr(routes, "router", Router((*ROUTES, ENTRY)))
    return Client(validator(wsgi.app))


def test_entry_is_answered_with_its_inputs_read(client: Client) -> None:
    answer = client.get("/countdown/7?limit=5", headers={"User-Agent": "a test"}, buffered=True)
    assert (answer.status_code, answer.get_json()) == (200, {"position": "7 5 a test"})
    assert client.get("/position", buffered=True).status_code == 200


@pytest.mark.parametrize(
    ("method", "where", "status"),
    [
        ("HEAD", "/countdown/7", 200),
        ("OPTIONS", "/countdown/7", 204),
        ("POST", "/countdown/7", 405),
        ("GET", "/countdown/x", 404),
        ("GET", "/countdown", 404),
        ("GET", "/countdown/7?limit=0", 422),
        ("GET", "/countdown/7?unknown=1", 422),
    ],
)
def test_entry_is_refused_as_every_endpoint_is(client: Client, method: str, where: str, status: int) -> None:
    answer = client.open(where, method=method, buffered=True)
    assert answer.status_code == status
    if status in (204, 405):
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_entry_needs_a_token(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_API_TOKEN", "secret")
    assert client.get("/countdown/7", buffered=True).status_code == 401
    known = {"Authorization": "Bearer secret"}
    assert client.get("/countdown/7", headers=known, buffered=True).status_code == 200


def test_entry_is_in_the_document_and_on_the_page(client: Client) -> None:
    document = client.get("/openapi.json", buffered=True).get_json()
    validate(document)
    described = document["paths"]["/countdown/{number}"]["get"]
    assert (described["operationId"], described["summary"]) == ("countDown", ENTRY.summary)
    assert [(parameter["name"], parameter["in"]) for parameter in described["parameters"]] == [
        ("number", "path"),
        ("since", "query"),
        ("limit", "query"),
        ("generation", "query"),
        ("User-Agent", "header"),
    ]
    assert described["responses"].keys() == {"200", "400", "401", "422", "500"}
    page = client.get("/docs", buffered=True).get_data(as_text=True)
    assert "<code>GET /countdown/{number}</code>" in page


def test_protocol_in_the_docstring_has_every_route_and_no_other() -> None:
    told = re.findall(r"^ {4}([A-Z]+) +(/\S*)", wsgi.__doc__ or "", re.MULTILINE)
    assert sorted(told) == sorted((route.method, route.template) for route in ROUTES)


def test_no_two_routes_have_one_path_and_method_or_one_name() -> None:
    assert len({(route.method, route.template) for route in ROUTES}) == len(ROUTES)
    assert len({openapi.operation_id(route) for route in ROUTES}) == len(ROUTES)


def test_errors_of_one_refusal_have_one_status() -> None:
    for route in ROUTES:
        statuses = [{status_of(kind) for kind in refusal.kinds} for refusal in route.refuses]
        assert all(len(each) == 1 for each in statuses), route
        assert len(set.union(set(), *statuses)) == len(statuses), route  # and no two the same


def models() -> Iterator[object]:
    """Every model of a body or a query that a route names."""
    for route in ROUTES:
        for each in route.takes:
            if isinstance(each, Query | Body):
                yield each.model
            if isinstance(each, Statement):
                yield each.options
        for answered in route.answers.values():
            yield answered.body.of if isinstance(answered.body, Items) else answered.body


def test_models_that_are_imported_later_are_there() -> None:
    named = {model for model in models() if isinstance(model, str)}
    assert {model_of(name).__name__ for name in named} == {
        *("Decided", "Decision", "ExpenseChanges", "Import", "ImportOptions", "Imported", "Merging"),
        *("NewParts", "NewRule", "Rule"),
    }


def test_every_parameter_of_a_query_is_described() -> None:
    document = openapi.document(ROUTES, "", with_tokens=False)
    for methods in document["paths"].values():
        for operation in methods.values():
            assert all(
                parameter["description"]
                for parameter in operation["parameters"]
                if parameter["in"] in ("query", "header")
            ), operation["operationId"]
