from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client, TestResponse

from expense_lib import Ledger
from handlers.routes import ROUTES
from handlers.wsgi import app
from tests.builders import an_expense, fields

Ask = Callable[..., TestResponse]

ORIGIN = "https://books.example"


@pytest.fixture
def ask(path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    client = Client(validator(app))

    def send(request: str, body: Any = None, **headers: str) -> TestResponse:
        method, where = request.split()
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(where, method=method, headers=named, buffered=True, **sent)  # type: ignore[arg-type]

    return send


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_API_TOKEN", "first-token, second.token==")


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("token", ["first-token", "second.token=="])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_each_of_the_tokens_is_let_through(ask: Ask, scheme: str, token: str) -> None:
    assert ask("POST /expenses", fields(), Authorization=f"{scheme} {token}").status_code == 201


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize(("method", "template"), [(route.method, route.template) for route in ROUTES])
def test_everything_but_health_wants_a_token(ask: Ask, method: str, template: str) -> None:
    where = template.replace("{id}", "1").replace("{number}", "1").replace("{name}", "Food")
    answer = ask(f"{method} {where}")
    if where == "/health":
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="expense-ledger"')
    assert answer.content_type == "application/problem+json"


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize(
    "given",
    [
        "Bearer wrong",
        "Bearer first-toke",
        "Bearer first-token2",
        "Bearer ",
        "Bearer caf\u00e9",
        "Bearer first-token,second.token==",
    ],
)
def test_wrong_token_is_told_to_be_one(ask: Ask, path: Path, given: str) -> None:
    answer = ask("POST /expenses", fields(), Authorization=given)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="expense-ledger", error="invalid_token"'
    assert not path.exists()


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("given", ["Basic Zmlyc3QtdG9rZW4=", "first-token", "", "BearerX first-token"])
def test_other_schemes_are_no_token(ask: Ask, given: str) -> None:
    answer = ask("GET /expenses", Authorization=given)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="expense-ledger"')


@pytest.mark.usefixtures("tokens")
def test_token_in_the_query_is_none(ask: Ask) -> None:
    assert ask("GET /expenses?access_token=first-token").status_code == 401


@pytest.mark.usefixtures("tokens")
def test_nothing_is_read_of_a_body_without_a_token(ask: Ask) -> None:
    assert ask("POST /expenses", "x" * 100_000).status_code == 401


@pytest.mark.usefixtures("tokens")
def test_unknown_paths_are_not_told_without_a_token(ask: Ask) -> None:
    assert ask("GET /nowhere").status_code == 401
    assert ask("PUT /expenses").status_code == 401
    assert ask("GET /nowhere", Authorization="Bearer first-token").status_code == 404


@pytest.mark.parametrize("setting", [",", " ", " , "])
def test_setting_without_a_token_lets_nobody_in(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("EXPENSE_API_TOKEN", setting)
    for given in ("", "Bearer", "Bearer ", "Bearer ,"):
        assert ask("GET /expenses", Authorization=given).status_code == 401


def test_pages_of_other_origins_are_told_nothing(ask: Ask) -> None:
    for answer in (ask("GET /expenses", Origin=ORIGIN), ask("POST /expenses", fields(), Origin=ORIGIN)):
        assert answer.status_code in (200, 201)
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
    preflight = ask("OPTIONS /expenses", Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert (preflight.status_code, "Access-Control-Allow-Origin" in preflight.headers) == (204, False)


@pytest.mark.usefixtures("tokens")
def test_origin_of_the_settings_may_read_and_send(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_CORS_ORIGINS", f"http://localhost:3000, {ORIGIN}")
    preflight = ask(
        "OPTIONS /expenses",
        Origin=ORIGIN,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization",
    )
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "If-Match"):
        assert name in preflight.headers["Access-Control-Allow-Headers"]
    for sent in ("Bearer first-token", "Bearer wrong"):  # a page must be able to read why it was refused
        answer = ask("POST /expenses", fields(), Origin=ORIGIN, Authorization=sent)
        assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == (ORIGIN, "Origin")
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://books.example.evil.example", "*"]
)
def test_other_origins_stay_out(ask: Ask, monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("EXPENSE_CORS_ORIGINS", ORIGIN)
    answer = ask("GET /expenses", Origin=origin)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "forged",
    [
        {"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:9999"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[malformed"},
    ],
    ids=str,
)
def test_request_that_another_site_forged_changes_nothing(
    ask: Ask, path: Path, forged: dict[str, str]
) -> None:
    ledger = Ledger(path)
    ledger.record(an_expense())
    ledger.delete(1)
    assert ask("POST /expenses/1/restore", **forged).status_code == 403
    assert ask("POST /changes/1/undo", **forged).status_code == 403
    assert ask("GET /expenses/1", **forged).status_code == 410
    assert ask("GET /expenses", **forged).status_code == 200


def test_requests_of_this_host_of_named_origins_and_of_programs_are_none_of_that(
    ask: Ask, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ledger(path).record(an_expense())
    monkeypatch.setenv("EXPENSE_CORS_ORIGINS", ORIGIN)
    for asked in (
        {},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site", "Origin": ORIGIN},
    ):
        assert ask("POST /expenses/1/restore", **asked).status_code == 200


@pytest.mark.parametrize("setting", [",", " "])
def test_setting_without_a_host_answers_to_none(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("EXPENSE_ALLOWED_HOSTS", setting)
    assert ask("GET /expenses").status_code == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("localhost.evil.example:8000", 400),
        ("[::1", 400),
        ("evil@127.0.0.1", 400),
        ("127.0.0.1/evil", 400),
        ("", 400),
    ],
)
def test_page_whose_name_was_turned_to_point_here_is_refused(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    monkeypatch.setenv("EXPENSE_ALLOWED_HOSTS", "127.0.0.1,localhost,::1")
    assert ask("GET /expenses", Host=host).status_code == status


def test_every_answer_has_its_safety_headers(ask: Ask) -> None:
    for request in ("GET /expenses", "GET /nowhere", "OPTIONS /expenses", "HEAD /health", "GET /docs"):
        answer = ask(request)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        (policy,) = answer.headers.getlist("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; ")
        assert policy.endswith("frame-ancestors 'none'")
