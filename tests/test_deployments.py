from __future__ import annotations

import base64
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.test import Client

from expense_lib import Ledger
from handlers import aws_lambda, wsgi
from handlers.wsgi import app
from tests.builders import (
    PATIENCE_S,
    ROOT,
    environment,
    fields,
    free_port,
    handler,
    named,
    running,
    wait_for,
)

BODY = json.dumps(fields(category="Café")).encode()
QUERY = "category=caf%C3%A9&category=Fuel&limit=1"


# The events below have the shape that AWS documents for each of its front doors; only what no handler reads is left out.


def rest_api(
    method: str, path: str, query: str = "", body: bytes | None = None, **headers: str
) -> dict[str, Any]:
    """An event of API Gateway's REST API (payload 1.0), whose path is decoded and without its stage."""
    given = {"Host": "abc.execute-api.eu-central-1.amazonaws.com", "X-Forwarded-Proto": "https", **headers}
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(requests.utils.unquote(value))  # type: ignore[attr-defined]
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": {name: values[-1] for name, values in many.items()} or None,
        "multiValueQueryStringParameters": many or None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {"stage": "prod", "path": f"/prod{path}", "httpMethod": method, "apiId": "abc"},
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def http_api(
    method: str, path: str, query: str = "", body: bytes | None = None, **headers: str
) -> dict[str, Any]:
    """An event of API Gateway's HTTP API or a function URL (payload 2.0), here of the stage ``prod``."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/prod{path}",
        "rawQueryString": query,
        "headers": {
            "host": "abc.execute-api.eu-central-1.amazonaws.com",
            **{k.lower(): v for k, v in headers.items()},
        },
        "requestContext": {
            "apiId": "abc",
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": method,
                "path": f"/prod{path}",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
            },
            "stage": "prod",
        },
        **({} if body is None else {"body": base64.b64encode(body).decode()}),
        "isBase64Encoded": body is not None,
    }


def balancer(
    method: str, path: str, query: str = "", body: bytes | None = None, **headers: str
) -> dict[str, Any]:
    """An event of an Application Load Balancer with multi-value headers, whose query stays encoded."""
    many: dict[str, list[str]] = {}
    for name, _, value in (pair.partition("=") for pair in query.split("&") if pair):
        many.setdefault(name, []).append(value)
    return {
        "requestContext": {
            "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/a/b"}
        },
        "httpMethod": method,
        "path": path,
        "multiValueQueryStringParameters": many,
        "multiValueHeaders": {
            name.lower(): [value] for name, value in {"Host": "lb.example", **headers}.items()
        },
        "body": "" if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def header(answer: dict[str, Any], name: str) -> str | None:
    found = answer.get("multiValueHeaders") or {key: [value] for key, value in answer["headers"].items()}
    return next((values[0] for key, values in found.items() if key.lower() == name.lower()), None)


@pytest.fixture
def on_lambda(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "expenses")
    monkeypatch.setenv("EXPENSE_ALLOW_EPHEMERAL", "1")
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    return aws_lambda.handler


@pytest.mark.parametrize("event", [rest_api, http_api, balancer])
def test_whole_life_on_lambda(on_lambda: Any, event: Any) -> None:
    prefix = "" if event is balancer else "/prod"
    sent = {"Content-Type": "application/json"}
    created = on_lambda(event("POST", "/expenses", body=BODY, **sent), None)
    assert created["statusCode"] == 201, created
    assert header(created, "Location") == f"{prefix}/expenses/1"
    assert json.loads(created["body"])["category"] == "Café"
    again = on_lambda(event("POST", "/expenses", body=BODY, **sent), None)
    assert (again["statusCode"], header(again, "Idempotent-Replayed")) == (200, "true")
    keyed = on_lambda(event("POST", "/expenses", body=BODY, **sent, **{"Idempotency-Key": "k"}), None)
    assert keyed["statusCode"] == 201
    page = on_lambda(event("GET", "/expenses", QUERY), None)
    assert json.loads(page["body"])["count"] == 2
    assert str(header(page, "Link")).startswith(
        f"<{prefix}/expenses?category=caf%C3%A9&category=Fuel&limit=1&cursor="
    )
    refused = on_lambda(event("POST", "/expenses", body=b"{}", **sent), None)
    assert (refused["statusCode"], refused["isBase64Encoded"]) == (422, False)
    assert header(refused, "Content-Type") == "application/problem+json"
    head = on_lambda(event("HEAD", "/expenses/1"), None)
    assert (head["statusCode"], head["body"]) == (200, "")
    assert on_lambda(event("DELETE", "/expenses/1"), None)["statusCode"] == 204
    where = "/categories/Café" if event is rest_api else "/categories/Caf%C3%A9"
    renamed = on_lambda(event("PATCH", where, body=b'{"name": "Bar"}', **sent), None)
    assert (renamed["statusCode"], json.loads(renamed["body"])["name"]) == (200, "Bar")


@pytest.mark.parametrize("missing", ["headers", "multiValueHeaders", "queryStringParameters"])
def test_console_of_lambda_leaves_parts_out(on_lambda: Any, missing: str) -> None:
    event = rest_api("GET", "/health") | {missing: None, "multiValueQueryStringParameters": None}
    assert on_lambda(event, None)["statusCode"] == 200


@pytest.mark.parametrize("event", [rest_api, http_api, balancer])
def test_backup_from_lambda_is_whole(on_lambda: Any, tmp_path: Path, event: Any) -> None:
    on_lambda(event("POST", "/expenses", body=BODY, **{"Content-Type": "application/json"}), None)
    answer = on_lambda(event("GET", "/backup"), None)
    copy = tmp_path / "copy.db"
    copy.write_bytes(base64.b64decode(answer["body"]))
    assert Ledger(copy).check() == []
    assert Ledger(copy).search().count == 1


VOLUME = Path("/dev/shm")  # noqa: S108 - the one that Linux always has
PLATFORMS = {"AWS_LAMBDA_FUNCTION_NAME": "AWS Lambda", "VERCEL": "Vercel", "K_SERVICE": "Cloud Run"}


@pytest.mark.parametrize("variable", PLATFORMS)
@pytest.mark.parametrize("place", ["a folder of its own", "the working folder"])
def test_ledger_that_a_platform_would_lose_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if place == "a folder of its own":
        monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path / "not" / "there" / "expenses.db"))
    monkeypatch.setenv(variable, "1")
    client = Client(app)
    answer = client.post("/expenses", json=fields())
    assert answer.status_code == 503
    assert PLATFORMS[variable] in answer.get_json(force=True)["detail"]
    assert str(tmp_path) not in answer.get_data(as_text=True)
    assert client.get("/health").status_code == 503
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["loop/expenses.db", "~nobody-at-all/expenses.db"])
def test_ledger_that_has_no_place_is_unavailable_on_a_platform_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("K_SERVICE", "1")
    monkeypatch.setenv("EXPENSE_LEDGER", place)
    assert Client(app).get("/health").status_code == 503


@pytest.mark.parametrize("variable", PLATFORMS)
def test_ledger_that_a_platform_would_lose_can_be_tried_out(
    path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("EXPENSE_ALLOW_EPHEMERAL", "1")
    assert Client(app).post("/expenses", json=fields()).status_code == 201


@pytest.mark.parametrize("variable", PLATFORMS)
def test_ledger_in_postgresql_is_nowhere_lost(
    database: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", named(database, f"on-{variable}"))
    monkeypatch.setenv(variable, "1")
    client = Client(app)
    assert client.post("/expenses", json=fields()).status_code == 201
    assert client.post("/expenses", json=fields()).status_code == 200
    assert client.get("/health").status_code == 200


@pytest.mark.skipif(not VOLUME.is_mount(), reason="this system has no volume to stand for a mounted one")
@pytest.mark.parametrize(
    ("variable", "status"), [("K_SERVICE", 201), ("AWS_LAMBDA_FUNCTION_NAME", 201), ("VERCEL", 503)]
)
def test_ledger_on_a_mounted_volume_is_taken(
    monkeypatch: pytest.MonkeyPatch, variable: str, status: int
) -> None:
    volume = VOLUME / f"expenses-{os.getpid()}-{variable}.db"
    monkeypatch.setenv("EXPENSE_LEDGER", str(volume))
    monkeypatch.setenv(variable, "1")
    try:
        assert Client(app).post("/expenses", json=fields(description=variable)).status_code == status
    finally:
        for file in volume.parent.glob(f"{volume.name}*"):
            file.unlink()


def test_names_and_forms_that_platforms_look_for() -> None:
    """Vercel takes a callable with two positional parameters for WSGI, and one named handler for a class of its own."""
    assert wsgi.app is wsgi.application
    kinds = [parameter.kind for parameter in inspect.signature(wsgi.app).parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_OR_KEYWORD] * 2
    assert not hasattr(wsgi.app, "asgi")
    assert not hasattr(wsgi, "handler")


GUNICORN = [sys.executable, "-m", "gunicorn", "--log-level", "error", "--bind"]


@pytest.mark.skipif(os.name != "posix", reason="gunicorn is for POSIX systems")
@pytest.mark.parametrize(
    "more", [["-w", "3", "--threads", "4"], ["-w", "2", "--threads", "2", "--preload"]], ids=" ".join
)
def test_gunicorn_with_several_workers_and_threads(tmp_path: Path, more: list[str]) -> None:
    path, counts = tmp_path / "expenses.db", tmp_path / "counts"
    counts.mkdir()
    port = free_port()
    env = environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT), PROMETHEUS_MULTIPROC_DIR=str(counts))
    with running(
        [*GUNICORN, f"127.0.0.1:{port}", *more, "handlers.wsgi:app"],
        f"http://127.0.0.1:{port}",
        env,
        tmp_path,
    ) as url:

        def send(n: int) -> int:
            return requests.post(
                f"{url}/expenses", json=fields(occurrence=n // 8 + 1), timeout=30
            ).status_code

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(send, range(64)))
        assert sorted(answers) == [200] * 56 + [201] * 8
        for _ in range(6):  # whichever worker answers, after its first request
            requests.get(f"{url}/categories", timeout=30)
        told = requests.get(f"{url}/metrics", timeout=30).text
    assert 'expense_recordings_total{outcome="created"} 8.0' in told
    assert Ledger(path).search().count == 8
    assert Ledger(path).check() == []


@pytest.mark.skipif(os.name != "posix", reason="this is about processes that are killed")
def test_worker_that_is_killed_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    path, port = tmp_path / "expenses.db", free_port()
    env = environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT))
    command = [*GUNICORN, f"127.0.0.1:{port}", "-w", "1", "--threads", "2", "handlers.wsgi:app"]
    acknowledged = 0
    with running(command, f"http://127.0.0.1:{port}", env, tmp_path) as url:
        for round_ in range(3):
            for n in range(5):
                requests.post(
                    f"{url}/expenses", json=fields(occurrence=5 * round_ + n + 1), timeout=30
                ).raise_for_status()
                acknowledged += 1
            for worker in children_of(port):
                os.kill(worker, signal.SIGKILL)
            wait_for(f"{url}/health", None)
    assert Ledger(path).search().count == acknowledged
    assert Ledger(path).check() == []


def children_of(port: int) -> list[int]:
    """The workers of the gunicorn at *port*: its processes but the first."""
    done = subprocess.run(
        ["pgrep", "-f", f"gunicorn.*127.0.0.1:{port}"], capture_output=True, text=True, check=True
    )
    return sorted(map(int, done.stdout.split()))[1:]


@pytest.fixture
def server_here(tmp_path: Path) -> Any:
    """Runs ``python -m handlers`` to its end, with *settings*."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "handlers", *arguments],
            cwd=tmp_path,
            env=environment(PYTHONPATH=str(ROOT), **settings),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "books.example"])  # noqa: S104
def test_server_stays_on_this_machine_without_a_token(server_here: Any, tmp_path: Path, host: str) -> None:
    done = server_here("--host", host, "--port", "0")
    assert (done.returncode, "EXPENSE_API_TOKEN" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"EXPENSE_API_TOKEN": "two words"}, "EXPENSE_API_TOKEN: a token is"),
        ({"EXPENSE_API_TOKEN": " , "}, "EXPENSE_API_TOKEN: a token is"),
        ({"EXPENSE_CORS_ORIGINS": "*"}, "EXPENSE_CORS_ORIGINS: an origin is"),
        ({"EXPENSE_CORS_ORIGINS": "https://a.example/"}, "EXPENSE_CORS_ORIGINS: an origin is"),
        ({"EXPENSE_LOG_LEVEL": "loud"}, "EXPENSE_LOG_LEVEL is one of debug,"),
        ({"K_SERVICE": "expenses"}, "On Cloud Run this disk ends with the instance"),
    ],
    ids=str,
)
def test_server_tells_which_setting_is_wrong(server_here: Any, settings: dict[str, str], said: str) -> None:
    done = server_here("--port", "0", **settings)
    assert (done.returncode, done.stderr.startswith(said), done.stderr.count("\n")) == (1, True, 1)


def test_server_takes_its_port_from_the_platform_and_a_token_opens_it(tmp_path: Path) -> None:
    """As Cloud Run starts it: the port in a variable, every address, behind a name of its own."""
    port = free_port()
    env = environment(
        EXPENSE_LEDGER=str(tmp_path / "e.db"),
        EXPENSE_API_TOKEN="secret",  # noqa: S106
        EXPENSE_ALLOW_EPHEMERAL="1",
        K_SERVICE="expenses",
        PORT=str(port),
        PYTHONPATH=str(ROOT),
    )
    command = [sys.executable, "-m", "handlers", "--host", "0.0.0.0"]  # noqa: S104
    with running(command, f"http://127.0.0.1:{port}", env, tmp_path) as url:
        public = {"Host": "expenses-abc.a.run.app"}
        assert requests.get(f"{url}/expenses", headers=public, timeout=10).status_code == 401
        asked = requests.get(
            f"{url}/expenses", headers=public | {"Authorization": "Bearer secret"}, timeout=10
        )
        assert asked.status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_server_answers_under_the_address_that_it_was_given(tmp_path: Path, host: str) -> None:
    if host == "127.0.0.2" and sys.platform != "linux":
        pytest.skip("here 127.0.0.1 is the only such address")
    port = free_port()
    command = [sys.executable, "-m", "handlers", "--host", host, "--port", str(port)]
    env = environment(EXPENSE_LEDGER=str(tmp_path / "e.db"), PYTHONPATH=str(ROOT))
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    with running(command, address, env, tmp_path) as url:
        assert requests.get(f"{url}/expenses", timeout=10).json()["count"] == 0


@pytest.mark.skipif(os.name != "posix", reason="this is about signals")
def test_half_a_request_does_not_keep_the_server_from_ending(path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "handlers", "--port", str(port)]
    env = environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT))
    process = subprocess.Popen(command, env=env, cwd=path.parent, stderr=subprocess.DEVNULL, text=True)
    wait_for(f"http://127.0.0.1:{port}/health", process)
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(
            b"POST /expenses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200
        process.terminate()
        process.wait(PATIENCE_S)
    wait_until_gone(port)


def test_server_without_a_token_answers_to_its_own_names_only(path: Path) -> None:
    with handler(path) as url:
        refused = requests.post(
            f"{url}/expenses", json=fields(), headers={"Host": "evil.example"}, timeout=10
        )
        assert refused.status_code == 400
        assert (
            requests.get(f"{url}/expenses", headers={"Host": "localhost:1"}, timeout=10).json()["count"] == 0
        )


@pytest.mark.skipif(os.name != "posix", reason="this is about processes that are killed")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda end: end.name)
def test_server_leaves_nothing_behind_however_it_ends(path: Path, end: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-m", "handlers", "--port", str(port)]
    env = environment(EXPENSE_LEDGER=str(path), PYTHONPATH=str(ROOT))
    for round_ in (1, 2):  # and the port can be had again at once
        process = subprocess.Popen(command, env=env, cwd=path.parent, stderr=subprocess.DEVNULL, text=True)
        wait_for(f"http://127.0.0.1:{port}/health", process)
        sent = requests.post(f"http://127.0.0.1:{port}/expenses", json=fields(occurrence=round_), timeout=10)
        assert sent.status_code == 201
        process.send_signal(end)
        assert process.wait(30) == (0 if end != signal.SIGKILL else -signal.SIGKILL)
        wait_until_gone(port)
    assert Ledger(path).search().count == 2


def wait_until_gone(port: int) -> None:
    """Until no process of the server at *port* is left, within PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while (
        subprocess.run(
            ["pgrep", "-f", f"handlers --port {port}"], stdout=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    ):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.02)
