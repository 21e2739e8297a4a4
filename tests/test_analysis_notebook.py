from __future__ import annotations

import datetime as dt
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from expense_lib import Ledger
from tests.builders import ROOT, an_expense, environment, free_port, handler, running

NOTEBOOK = ROOT / "notebooks" / "analysis.py"


def ran() -> tuple[str, dict[str, Any]]:
    """The notebook, run from top to bottom: what it shows as text, and its variables."""
    spec = importlib.util.spec_from_file_location("analysis", NOTEBOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, names = module.app.run()
    return "\n".join(output.text for output in outputs if hasattr(output, "text")), dict(names)


@pytest.fixture
def a_year(path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    ledger = Ledger(path)
    for month in range(1, 13):
        ledger.record(an_expense(amount=f"{month}.50", date=f"2025-{month:02}-03", description="Market"))
        ledger.record(
            an_expense(amount="900", date=f"2026-{month:02}-01", description="Landlord", category="Rent")
        )
    return ledger


def assert_answers(text: str, names: dict[str, Any]) -> None:
    assert "<strong>24</strong> expenses, <strong>10,884.00 USD</strong> in all." in text
    assert (names["count"], names["total"]) == (24, Decimal("10884.00"))
    assert names["months"].row(0) == (dt.date(2025, 1, 1), 1, Decimal("1.50"))
    assert names["categories"].rows() == [("Rent", 12, Decimal("10800.00")), ("Food", 12, Decimal("84.00"))]
    assert names["mixed"].height == 24
    assert names["compared"].row(-1) == (
        dt.date(2026, 12, 1),
        Decimal("900.00"),
        Decimal("12.50"),
        Decimal("887.50"),
    )
    assert names["recurring"]["description"].to_list() == ["Landlord"]
    assert names["dearest_days"].row(0) == (dt.date(2026, 1, 1), 1, Decimal("900.00"))


def test_notebook_answers_its_five_questions_and_one_in_sql(a_year: Ledger) -> None:
    assert_answers(*ran())


def test_notebook_asks_a_handler_where_one_is_named(
    a_year: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with handler(a_year.path) as url:
        monkeypatch.setenv("EXPENSE_API_URL", url)
        monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path / "another.db"))
        assert_answers(*ran())


def test_notebook_says_that_nothing_is_recorded_yet(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    text, names = ran()
    assert text.count("Nothing recorded yet.") == 4
    assert "<strong>0</strong> expenses, <strong>0.00 USD</strong> in all." in text
    assert names["dearest_days"].height == 0


def test_notebook_runs_as_a_script(a_year: Ledger) -> None:
    env = environment(EXPENSE_LEDGER=str(a_year.path))
    done = subprocess.run(
        [sys.executable, str(NOTEBOOK)], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def opened(folder: Path, ledger: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", str(NOTEBOOK), "--headless", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", environment(EXPENSE_LEDGER=ledger), folder) as url:
        yield url


def test_charts_are_drawn_with_no_request_to_another_host_and_show_what_is_new(
    a_year: Ledger, browser: Browser, tmp_path: Path
) -> None:
    with opened(tmp_path, str(a_year.path)) as url:
        page = browser.new_page(viewport={"width": 1000, "height": 3000})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        expect(page.get_by_text("24 expenses")).to_be_visible(timeout=30_000)
        expect(page.locator("canvas.marks")).to_have_count(4, timeout=30_000)
        a_year.record(an_expense(amount="1"))
        page.get_by_role("button", name="Bring what is new").click()
        expect(page.get_by_text("25 expenses")).to_be_visible(timeout=30_000)
        page.close()
    hosts = {address.split("/")[2] for address in asked if address.startswith(("http", "ws"))}
    assert hosts == {url.split("/")[2]}


def test_notebook_tells_why_a_ledger_can_not_be_opened(browser: Browser, tmp_path: Path) -> None:
    with opened(tmp_path, str(tmp_path)) as url:
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_text("The ledger can't be a folder")).to_be_visible(timeout=30_000)
        page.close()
