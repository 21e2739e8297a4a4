from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from expense_lib import Ledger
from handlers import metrics, settings
from handlers.wsgi import app
from tests.builders import ROOT, environment, fields

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def client(path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    monkeypatch.setattr(metrics, "_meter", metrics._Meter())
    return Client(app)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def counted(client: Client) -> dict[tuple[str, ...], float]:
    """What /metrics says, by the name and the values of the labels."""
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


def test_each_request_is_one_line(client: Client, lines: Lines) -> None:
    for _ in range(2):
        client.post("/expenses", json=fields())
    client.post("/expenses", json=fields(amount="x"))
    client.patch("/categories/Food", json={"name": "Fun"})
    client.get("/nowhere")
    told = lines()
    assert [(line["method"], line["route"], line["status"], line.get("outcome")) for line in told] == [
        ("POST", "/expenses", 201, "created"),
        ("POST", "/expenses", 200, "exists"),
        ("POST", "/expenses", 422, "refused"),
        ("PATCH", "/categories/{name}", 200, None),
        ("GET", "", 404, "refused"),
    ]
    assert all(line["event"] == "request" and line["duration_ms"] > 0 for line in told)
    assert all(re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in told)


def test_nothing_of_an_expense_is_logged(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    secret = fields(amount="4711.42", category="Doctor", description="Secret", date="2019-01-31")
    client.post("/expenses", json=secret, headers={"Idempotency-Key": "my-own-key"})
    client.post("/expenses", json={**secret, "date": "2019-02-31"})
    client.get("/expenses?q=Secret&category=Doctor&amount_min=4711.42")
    client.patch("/categories/Doctor", json={"name": "Secret"})
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 4
    for part in ("4711", "Doctor", "Secret", "2019", "my-own-key"):
        assert part not in said


def test_request_id_is_taken_or_made(client: Client, lines: Lines) -> None:
    taken = client.get("/health", headers={"X-Request-Id": "phone-42/a"})
    made = [client.get("/health").headers["X-Request-Id"] for _ in range(2)]
    assert taken.headers["X-Request-Id"] == "phone-42/a"
    assert len({*made}) == 2
    assert [line["request_id"] for line in lines()] == ["phone-42/a", *made]


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", 'a"b', "caf\u00e9", "a\tb"], ids=repr)
def test_request_id_unfit_for_a_log_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/health", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_unexpected_failure_is_named_by_its_request_id(
    client: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("SELECT Secret")

    monkeypatch.setattr(Ledger, "search", fail)
    answer = client.get("/expenses", headers={"X-Request-Id": "r-1"})
    assert (answer.status_code, answer.get_json(force=True)["request_id"]) == (500, "r-1")
    failure, request = lines()
    assert (failure["event"], failure["level"], failure["request_id"]) == ("failure", "error", "r-1")
    assert failure["error"] == "RuntimeError"
    assert failure["where"][-1].endswith(" fail")
    assert (request["level"], request["outcome"]) == ("error", "failed")
    assert "Secret" not in json.dumps([failure, request])


def test_reason_of_an_unusable_ledger_is_logged_and_not_answered(
    client: Client, lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path))
    answer = client.get("/expenses")
    assert str(tmp_path) not in answer.get_data(as_text=True)
    reason, request = lines()
    assert str(tmp_path) in reason["reason"]
    assert (request["level"], request["status"]) == ("warning", 503)


@pytest.mark.parametrize(
    ("level", "told"),
    [("debug", 2), ("info", 2), ("", 2), ("LOUD", 2), ("warning", 1), ("ERROR", 1), ("critical", 0)],
)
def test_level_says_what_is_told(
    client: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, level: str, told: int
) -> None:
    monkeypatch.setenv("EXPENSE_LOG_LEVEL", level)
    client.get("/health")
    monkeypatch.setattr(Ledger, "search", lambda *_: 1 / 0)
    client.get("/expenses")
    assert len({line["request_id"] for line in lines()}) == told


def test_expense_is_recorded_where_nothing_can_be_logged(path: Path) -> None:
    script = (
        "import os, sys; os.close(2); sys.stderr = open(os.devnull); from werkzeug.test import Client;"
        "from handlers.wsgi import app; from tests.builders import fields;"
        "print(*[Client(app).post('/expenses', json=fields()).status_code for _ in range(2)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["201", "200"]


def test_requests_are_counted_by_route_and_status(client: Client) -> None:
    for occurrence in (1, 2, 2):
        client.post("/expenses", json=fields(occurrence=occurrence))
    client.post("/expenses", json={})
    for expense_id in (1, 2, 3):
        client.get(f"/expenses/{expense_id}")
    client.get("/no/such/path")
    client.open("/expenses", method="BREW")
    found = counted(client)
    requests = "expense_http_requests_total"
    assert found[(requests, "POST", "/expenses", "201")] == 2
    assert found[(requests, "POST", "/expenses", "200")] == 1
    assert found[(requests, "POST", "/expenses", "422")] == 1
    assert found[(requests, "GET", "/expenses/{id}", "200")] == 2
    assert found[(requests, "GET", "/expenses/{id}", "404")] == 1
    assert found[(requests, "GET", "", "404")] == 1
    assert found[(requests, "other", "", "405")] == 1
    assert found[("expense_http_request_duration_seconds_count", "GET", "/expenses/{id}")] == 3
    outcomes = {key[1]: value for key, value in found.items() if key[0] == "expense_recordings_total"}
    assert outcomes == {"created": 2, "replayed": 1, "refused": 1}
    assert found[("expense_ledger_busy_total",)] == 0


def test_first_request_is_counted_though_it_is_answered_before_anything_is_loaded(path: Path) -> None:
    script = (
        "import sys; from werkzeug.test import Client; from handlers.wsgi import app; client = Client(app);"
        "client.get('/categories'); print('prometheus_client' in sys.modules);"
        "print('route=\"/categories\",status=\"200\"} 1.0' in client.get('/metrics').text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]


def test_metrics_say_what_they_need(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    client.get("/health")
    answer = client.get("/metrics")
    assert (answer.status_code, "expense-ledger[metrics]" in answer.get_data(as_text=True)) == (501, True)
    assert client.post("/expenses", json=fields()).status_code == 201


@pytest.mark.parametrize("folder", ["/nowhere/at/all", ""])
def test_expense_is_answered_though_it_can_not_be_counted(path: Path, tmp_path: Path, folder: str) -> None:
    script = (
        "from werkzeug.test import Client; from handlers.wsgi import app; from tests.builders import fields;"
        "print(*[Client(app).post('/expenses', json=fields(occurrence=n)).status_code for n in (1, 2, 3)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT), PROMETHEUS_MULTIPROC_DIR=folder),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["201"] * 3
    assert {file.name.partition("-")[0] for file in tmp_path.iterdir()} == {"expenses.db"}


@pytest.mark.skipif(os.name != "posix", reason="here paths are texts")
def test_reason_with_a_path_that_is_no_text_is_logged(
    client: Client, lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", os.fsdecode(os.fsencode(tmp_path) + b"/no\xff/expenses.db"))
    assert client.get("/expenses").status_code == 503
    assert "no" in lines()[0]["reason"]


@pytest.mark.skipif(os.name != "posix", reason="here settings are texts")
def test_token_that_is_no_text_lets_nobody_in_and_is_not_repeated(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_API_TOKEN", os.fsdecode(b"sec\xffret"))
    assert client.get("/health").status_code == 200
    assert client.get("/expenses", headers={"Authorization": "Bearer sec\xffret"}).status_code == 401
    assert settings.current().complaints() == [
        "EXPENSE_API_TOKEN: a token is letters, digits and ._~+/- with = at its end."
    ]
