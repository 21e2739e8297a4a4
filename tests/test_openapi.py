from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

from expense_lib import Ledger
from handlers.wsgi import app
from tests.builders import an_expense

# What a schema can't say: a text is no JSON of ours, is there, is deleted, is stale, is a day that exists.
EXPECTED = ["2xx", 304, 400, 404, 409, 410, 412, 422, 428]
CONFIG = {
    "generation": {"max-examples": 60},
    "checks": {
        "positive_data_acceptance": {"expected-statuses": EXPECTED},
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
    return path


@pytest.fixture(autouse=True)
def settings(ledger_with_a_past: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(ledger_with_a_past))
    monkeypatch.setenv("EXPENSE_LOG_LEVEL", "critical")


@described.parametrize()
def test_every_answer_is_as_described(case: Any) -> None:
    case.call_and_validate()
