from __future__ import annotations

import html
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from expense_lib import Ledger, LedgerUnavailable
from expense_lib.app.import_phases import Working
from tests.builders import APP, an_expense, environment, free_port


@pytest.fixture(scope="module")
def notebook() -> Any:
    spec = importlib.util.spec_from_file_location("expenses_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(notebook: Any) -> str:
    """All that the app shows when it is opened, as HTML."""
    outputs, _ = notebook.app.run()
    return html.unescape(html.unescape("\n".join(output.text for output in outputs if output is not None)))


def test_app_shows_the_exact_total(notebook: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    ledger = Ledger(path)
    ledger.record(an_expense(amount="1234.50"))
    ledger.record(an_expense(amount="-3.00", refund=True))
    text = shown(notebook)
    assert "1,231.50 USD" in text


def test_empty_ledger_invites(notebook: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    text = shown(notebook)
    assert "0.00 USD" in text
    assert "No expenses yet" in text


def test_unusable_ledger_is_told(notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path))
    assert "The ledger can't be a folder" in shown(notebook)


def test_handler_that_is_down_is_told(notebook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_API_URL", f"http://127.0.0.1:{free_port()}")
    assert "can't be reached" in shown(notebook)


def test_what_can_not_be_shown_says_why(notebook: Any) -> None:
    def down() -> NoReturn:
        raise LedgerUnavailable("It is down.")

    assert "It is down." in html.unescape(notebook.or_why(down).text)


def test_message_is_never_html(notebook: Any) -> None:
    assert "<b>x</b>" not in notebook.said("<b>x</b>", "info").text


def test_file_that_is_read_is_never_html(notebook: Any) -> None:
    assert "<b>x</b>" not in notebook.working(Working("Reading <b>x</b>.csv", 1, 2)).text


def test_notebook_runs_as_a_script(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(APP)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
