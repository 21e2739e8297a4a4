"""How fast the handler is, beside named floors in the same run: ``pytest tests/benchmarks/bench_http.py``.

``rival.py`` is the app that most would write; what it needs is in the extra ``benchmarks``.
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from expense_lib import Ledger, NewExpense
from handlers.wsgi import app
from tests.builders import ROOT, environment, free_port, running

HERE = Path(__file__).parent
PYTHON = sys.executable
ROUNDS = 9
REQUESTS = 1200

BODY = '{"amount": "12.50", "category": "Food", "description": "Lunch", "date": "2026-11-22"}'
STARTS = {
    "floor": """
import werkzeug
from pydantic import BaseModel

class Expense(BaseModel):
    amount: str
    category: str
""",
    "ours": f"""
import io, sys
from handlers.wsgi import app

body = {BODY!r}.encode()
environ = {{
    "REQUEST_METHOD": "POST", "PATH_INFO": "/expenses", "SCRIPT_NAME": "", "QUERY_STRING": "",
    "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
    "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0), "wsgi.errors": sys.stderr,
}}
b"".join(app(environ, lambda status, headers: print(status)))
""",
    "rival": f"""
import asyncio
from tests.benchmarks.rival import app

body = {BODY!r}.encode()

async def receive():
    return {{"type": "http.request", "body": body, "more_body": False}}

async def send(message):
    print(message.get("status", ""))

asyncio.run(app({{
    "type": "http", "http_version": "1.1", "method": "POST", "path": "/expenses", "raw_path": b"/expenses",
    "root_path": "", "query_string": b"", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
}}, receive, send))
""",
}


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the ratios of what was measured by turns, so that both met the same moods of the machine."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


@pytest.fixture
def has_rival() -> None:
    for module in ("fastapi", "sqlalchemy", "uvicorn"):
        pytest.importorskip(module)


@pytest.mark.usefixtures("has_rival")
def test_from_process_start_to_the_first_201(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Each process has a file of its own that was made before: what is measured is a new instance of a service."""
    taken: dict[str, list[float]] = {name: [] for name in STARTS}

    def start(name: str, n: int) -> None:
        files = {"EXPENSE_LEDGER": f"{tmp_path}/{name}{n}.db", "RIVAL_LEDGER": f"{tmp_path}/{name}{n}.db"}
        if name == "ours":
            Ledger(files["EXPENSE_LEDGER"])
        env = environment(**files, PYTHONPATH=str(ROOT))
        begun = time.perf_counter()
        done = subprocess.run(
            [PYTHON, "-c", STARTS[name]], env=env, capture_output=True, text=True, check=True
        )
        taken[name].append(time.perf_counter() - begun)
        assert name == "floor" or "201" in done.stdout

    for n in range(2 * ROUNDS):
        for name in STARTS:
            start(name, n)
    to_floor, to_rival = ratio(taken["ours"], taken["floor"]), ratio(taken["ours"], taken["rival"])
    benchmark.extra_info |= {
        "ours / importing werkzeug and defining one model": round(to_floor, 2),
        "ours / FastAPI and SQLAlchemy": round(to_rival, 2),
    }
    benchmark.pedantic(start, ("ours", -1), rounds=1)  # type: ignore[no-untyped-call]
    assert to_floor <= 1.3
    assert to_rival <= 0.4


def test_cpu_of_a_post_above_that_of_recording(
    benchmark: BenchmarkFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In milliseconds. The expenses that ``ledger.record`` gets are made beforehand: validation is the POST's."""
    path = tmp_path / "expenses.db"
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    ledger, numbers = Ledger(path), count()

    def values(n: int) -> dict[str, str]:
        return {
            "amount": "12.50",
            "category": f"Category {n % 20}",
            "description": f"Thing {n}",
            "date": "2026-11-22",
        }

    def posted(rows: int) -> Callable[[], object]:
        sent = [environ(json.dumps(values(next(numbers))).encode()) for _ in range(rows)]
        return lambda: [b"".join(app(one, must_create)) for one in sent]

    def recorded(rows: int) -> Callable[[], object]:
        made = [NewExpense.model_validate(values(next(numbers))) for _ in range(rows)]
        return lambda: [ledger.record(one) for one in made]

    def cpu_ms(action: Callable[[], object], rows: int) -> float:
        begun = time.process_time()
        action()
        return (time.process_time() - begun) * 1000 / rows

    above = []
    for _ in range(30):
        post, record = cpu_ms(posted(100), 100), cpu_ms(recorded(100), 100)
        above.append(post - record)
    benchmark.extra_info["CPU of a POST above ledger.record, ms"] = round(statistics.median(above), 3)
    benchmark.pedantic(posted(100), rounds=1)  # type: ignore[no-untyped-call]
    assert statistics.median(above) <= 0.15


def environ(body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/expenses",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1:8000",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
    }


def must_create(status: str, headers: list[tuple[str, str]]) -> None:
    assert status == "201 Created"


SERVERS = {
    "python -m handlers": ["-m", "handlers", "--port", "{port}"],
    "uvicorn, FastAPI, SQLAlchemy": [
        "-m",
        "uvicorn",
        "tests.benchmarks.rival:app",
        "--port",
        "{port}",
        "--log-level",
        "error",
    ],
    "the same with uvloop and httptools": [
        *("-m", "uvicorn", "tests.benchmarks.rival:app", "--port", "{port}", "--log-level", "error"),
        *("--loop", "uvloop", "--http", "httptools"),
    ],
    "gunicorn, 1 worker, 4 threads": [
        *(
            "-m",
            "gunicorn",
            "-b",
            "127.0.0.1:{port}",
            "--threads",
            "4",
            "--log-level",
            "error",
            "handlers.wsgi:app",
        ),
    ],
    "waitress, 4 threads": [
        "-m",
        "waitress",
        "--listen=127.0.0.1:{port}",
        "--threads=4",
        "handlers.wsgi:app",
    ],
}
NEEDS = {"the same with uvloop and httptools": "uvloop", "waitress, 4 threads": "waitress"}


@contextmanager
def served(name: str, folder: Path) -> Iterator[int]:
    port = free_port()
    folder.mkdir()
    env = environment(
        EXPENSE_LEDGER=str(folder / "e.db"),
        RIVAL_LEDGER=str(folder / "r.db"),
        PYTHONPATH=str(ROOT),
        EXPENSE_LOG_LEVEL="info",
    )
    command = [PYTHON, *(part.format(port=port) for part in SERVERS[name])]
    with running(command, f"http://127.0.0.1:{port}", env, folder):
        yield port


@pytest.mark.usefixtures("has_rival")
@pytest.mark.parametrize(("connections", "least"), [(1, 2.5), (8, 3.0)])
def test_requests_in_a_second_over_loopback(
    benchmark: BenchmarkFixture, tmp_path: Path, connections: int, least: float
) -> None:
    names = [name for name in SERVERS if name not in NEEDS or is_there(NEEDS[name])]
    rates: dict[str, list[float]] = {name: [] for name in names}
    seeds = count()

    def load(port: int) -> float:
        command = [
            PYTHON,
            str(HERE / "load.py"),
            str(port),
            str(connections),
            str(REQUESTS),
            str(next(seeds)),
        ]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    with ExitStack() as stack:
        ports = {name: stack.enter_context(served(name, tmp_path / f"{n}")) for n, name in enumerate(names)}
        for _ in range(ROUNDS):
            for name in names:
                rates[name].append(load(ports[name]))
        benchmark.pedantic(load, (ports["python -m handlers"],), rounds=1)  # type: ignore[no-untyped-call]
    rival = rates["uvicorn, FastAPI, SQLAlchemy"]
    benchmark.extra_info |= {name: round(statistics.median(rates[name])) for name in names}
    benchmark.extra_info |= {f"{name} / rival": round(ratio(rates[name], rival), 2) for name in names}
    assert ratio(rates["python -m handlers"], rival) >= least


def is_there(module: str) -> bool:
    return (
        subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0
    )
