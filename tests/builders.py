"""What tests are made of: an expense, the processes that a person would start, a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from werkzeug.datastructures import Headers

from expense_lib import Ledger, NewExpense
from expense_lib.statements import read
from expense_lib.store.engine import is_address
from expense_lib.store.file import File

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "cases"
STATEMENTS = Path(os.environ.get("EXPENSE_TEST_STATEMENTS", ROOT.parent / "shared" / "data"))
APP = ROOT / "notebooks" / "expenses.py"
PATIENCE_S = 30

GOLDEN_KEYS = {
    '[1,1250,"food","Lunch","2026-11-22",1]': "23e6db85c73ddd0d1d3b2e7069cddb4423f1e9fa9c607acb676802a60d0ecb31",
    '[1,1250,"food","Lunch","2026-11-22",2]': "7bf38e663dc02dc4d3f273051610756d027d262252b30b74ecb2e28ee95b9138",
    '[1,-300,"food","Lunch","2026-11-22",1]': "3da6f9118dbc41e549c20c628840002c5a5c8697181ff978b4f8c781731472d7",
    r'[1,99,"café","Straße \"7\"","2024-02-29",1]': (
        "10553cd98bacfcc3a272f67a7dc5cb3ad3a60ee678cda719ddd7ec3f5ede1daa"
    ),
    '[1,99,"strasse","","0001-01-01",1000000]': (
        "48718584e92cf98b1e95cf39903bfcfaffe0582ad954d43bd775b1cc864f0ca6"
    ),
}


def fields(**changes: Any) -> dict[str, Any]:
    """The fields of a lunch, with *changes*."""
    return {
        "amount": "12.50",
        "category": "Food",
        "description": "Lunch",
        "date": "2026-11-22",
        **changes,
    }


def an_expense(**changes: Any) -> NewExpense:
    """A lunch, with *changes*."""
    return NewExpense.model_validate(fields(**changes))


def hold(ledger: Ledger, count: int) -> None:
    """Have *count* payments wait until somebody says whether they are what a person entered."""
    for number in range(1, count + 1):
        ledger.record(an_expense(description=f"Present {number}", amount=str(number)))
    rows = [f"2026-11-23,SHOP {chr(64 + number)},{number}" for number in range(1, count + 1)]
    ledger.import_statement(read("\n".join(["Date,Description,Amount", *rows]).encode(), account="Giro"))


def named(database: str, name: str) -> str:
    """The address of the ledger of this name in a PostgreSQL database."""
    return f"{database}{'&' if '?' in database else '?'}ledger={name}"


def sibling(address: str, name: str) -> str:
    """The address of another ledger, beside the one at *address*."""
    if is_address(address):
        return re.sub(r"ledger=\w+", lambda ledger: f"{ledger[0]}-{name}", address)
    return str(Path(address).with_name(f"{name}.db"))


def harm(ledger: Ledger, sql: str) -> None:
    """Write to a ledger what no rule would."""
    if isinstance(ledger.engine, File):
        with closing(sqlite3.connect(ledger.path)) as con, con:
            con.execute(sql)
    else:
        engine = ledger.engine
        with engine.connection(ledger.currency.code) as session, engine.transaction(session, write=True):
            session.execute(sql)


def etag(headers: Headers) -> str:
    """The ``ETag`` of an answer, with nothing but the version: without the generation, which is random."""
    return headers["ETag"].replace(f"-{headers['Ledger-Generation']}", "")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with no ledger settings but *settings*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXPENSE_")}
    return kept | settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[str] | None) -> None:
    """Until *url* answers, however long that takes within PATIENCE_S, as long as *process* lives."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}")
        with suppress(requests.ConnectionError):
            requests.get(url, timeout=PATIENCE_S)
            return
        time.sleep(0.05)
    raise TimeoutError(url)


@contextmanager
def running(command: list[str], url: str, env: dict[str, str], cwd: Path) -> Iterator[str]:
    """A server process for the time of the block, ended by its id."""
    process = subprocess.Popen(
        command, env=env, cwd=cwd, text=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(f"{url}/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def handler(ledger: Path | str, port: int | None = None, **settings: str) -> Iterator[str]:
    """``python -m handlers`` on *ledger*, a path or an address. Yields its URL."""
    port = port or free_port()
    command = [sys.executable, "-m", "handlers", "--port", str(port)]
    env = environment(EXPENSE_LEDGER=str(ledger), **settings)
    folder = ledger.parent if isinstance(ledger, Path) else ROOT
    with running(command, f"http://127.0.0.1:{port}", env, folder) as url:
        yield url


@contextmanager
def app(folder: Path, *options: str, **settings: str) -> Iterator[str]:
    """``marimo run notebooks/expenses.py`` in *folder*, with *options*. Yields its URL."""
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", str(APP), "--headless", "--port", str(port), *options]
    with running(command, f"http://127.0.0.1:{port}", environment(**settings), folder) as url:
        yield url


def chromium() -> str | None:
    """A Chromium to drive, if this machine has one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def output_of(script: str, *arguments: object) -> str:
    """What *script* prints in a process of its own, which is killed if it hangs, with its errors after it."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
    )
    return done.stdout


def talking(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of *script*'s own that can be told lines and tells some."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
