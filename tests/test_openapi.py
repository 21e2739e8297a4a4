from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from openapi_spec_validator import validate
from playwright.sync_api import Browser
from schemathesis.config import SchemathesisConfig
from werkzeug.test import Client

from expense_lib import Ledger, statements
from expense_lib.domain import errors
from expense_lib.domain.errors import PROBLEM_TYPE_PREFIX
from handlers import openapi
from handlers.routes import ROUTES
from handlers.wsgi import app
from tests.builders import an_expense, handler

# What a schema can't say: a text is no JSON of ours, is there, is deleted, is stale, is a day that exists.
EXPECTED = ["2xx", 304, 400, 404, 409, 410, 412, 422, 428]
REFUSED = [400, 403, 404, 405, 411, 412, 415, 422, 428]
CONFIG = {
    "generation": {"max-examples": 60},
    "checks": {
        "positive_data_acceptance": {"expected-statuses": EXPECTED},
        "negative_data_rejection": {"expected-statuses": REFUSED},
        "missing_required_header": {"expected-statuses": [428]},
    },
}

described = schemathesis.openapi.from_wsgi("/openapi.json", app, config=SchemathesisConfig.from_dict(CONFIG))


@pytest.fixture(scope="module", autouse=True)
def ledger_with_a_past(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("described") / "expenses.db"
    ledger = Ledger(path)
    for day in range(1, 4):
        ledger.record(an_expense(date=f"2026-11-{day:02}"))
    ledger.amend(1, {"amount": "13"}, None)
    ledger.delete(2)
    bank = b"Date;Text;Amount\n2026-11-03;TRATTORIA;-12.50\n2026-11-09;CINEMA;-9.99\n"
    ledger.import_statement(statements.read(bank))  # its first row waits
    ledger.record(an_expense(amount="30", date="2026-10-01"))
    ledger.split(
        ledger.record(an_expense(amount="31", date="2026-10-01")).expense.id, [("30", "a"), ("1", "b")]
    )
    ledger.merge(ledger.record(an_expense(amount="32", date="2026-10-01")).expense.id, into=1)
    return path


@pytest.fixture(autouse=True)
def settings(ledger_with_a_past: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(ledger_with_a_past))
    monkeypatch.setenv("EXPENSE_LOG_LEVEL", "critical")


@described.parametrize()
def test_every_answer_is_as_described(case: Any) -> None:
    case.call_and_validate()


def test_document_is_valid_openapi() -> None:
    for with_tokens in (True, False):
        validate(openapi.document(ROUTES, "/mounted", with_tokens=with_tokens))


def test_every_path_is_described_and_no_other() -> None:
    paths = openapi.document(ROUTES, "", with_tokens=False)["paths"]
    described = {(method.upper(), template) for template, methods in paths.items() for method in methods}
    assert described == {(route.method, route.template) for route in ROUTES}


def test_every_kind_of_refusal_is_described() -> None:
    told = json.dumps(openapi.document(ROUTES, "", with_tokens=False))
    kinds = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    here_only = {errors.AnalyticsUnavailable.code}
    assert {kind for kind in kinds if f"{PROBLEM_TYPE_PREFIX}{kind}" not in told} == here_only


def test_document_says_whether_a_token_is_wanted_and_where_it_is_mounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(app)
    plain = client.get("/openapi.json", environ_overrides={"SCRIPT_NAME": "/books"}).get_json()
    assert (plain["servers"], plain["security"]) == ([{"url": "/books"}], [])
    monkeypatch.setenv("EXPENSE_API_TOKEN", "secret")
    guarded = client.get("/openapi.json", headers={"Authorization": "Bearer secret"}).get_json()
    assert guarded["security"] == [{"token": []}]
    assert guarded["paths"]["/health"]["get"]["security"] == []


def test_examples_of_bodies_are_taken_and_answered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    document = openapi.document(ROUTES, "", with_tokens=False)
    client = Client(app)
    for template, method in (("/expenses", "post"), ("/expenses", "patch"), ("/categories/{name}", "patch")):
        content = document["paths"][template][method]["requestBody"]["content"]["application/json"]
        where = template.replace("{name}", "Food")
        answer = client.open(where, method=method.upper(), json=content["example"])
        assert answer.status_code in (200, 201)
        described = document["paths"][template][method]["responses"][str(answer.status_code)]
        example = described["content"]["application/json"]["example"]
        assert answer.get_json().keys() == example.keys()


def test_docs_are_the_document_and_need_nothing_else() -> None:
    page = Client(app).get("/docs", environ_overrides={"SCRIPT_NAME": "/books"})
    text = page.get_data(as_text=True)
    for route in ROUTES:
        assert f"<code>{route.method} {route.template}</code>" in text
    assert 'href="/books/openapi.json"' in text
    assert not re.search(r"<(script|img|link|iframe)|https?://|@import|url\(", text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]


def test_docs_in_a_browser_ask_for_nothing_and_break_no_policy(browser: Browser, path: Path) -> None:
    with handler(path) as url:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{url}/docs")
        page.get_by_role("link", name="POST /expenses", exact=True).click()
        assert page.get_by_role("heading", name="POST /expenses", exact=True).is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.close()
    assert ({request.partition("#")[0] for request in asked}, complaints) == ({f"{url}/docs"}, [])
