from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from expense_lib import Ledger
from expense_lib.app.remarks import ENOUGH, remarks
from tests.builders import an_expense

TODAY = dt.date(2026, 11, 25)


def said(ledger: Ledger, **changes: Any) -> list[str]:
    """What is remarked on an expense with *changes* that is recorded now."""
    recorded = ledger.record(an_expense(**changes)).expense
    return [each["text"] for each in remarks(ledger, recorded, ledger.categories(), TODAY, "USD")]


@pytest.mark.parametrize(
    ("date", "meant"),
    [
        ("2025-11-24", "2026-11-24"),
        ("2027-11-24", "2026-11-24"),
        ("2025-12-20", "2026-12-20"),
        ("2026-11-24", None),
        ("2025-07-01", None),
        ("2024-11-24", None),
        ("2024-02-29", None),
    ],
)
def test_date_that_is_a_year_off_is_asked_about(ledger: Ledger, date: str, meant: str | None) -> None:
    assert said(ledger, date=date) == ([f"Lunch is dated {date}. Was it {meant}?"] if meant else [])


@pytest.mark.parametrize(
    ("category", "meant"),
    [("Fodd", "Food"), ("Foods", "Food"), ("food", None), ("Fun", None), ("Transprt", "Transport")],
)
def test_new_category_that_looks_like_an_old_one_is_asked_about(
    ledger: Ledger, category: str, meant: str | None
) -> None:
    for old in ("Food", "Transport"):
        ledger.record(an_expense(category=old, description=old))
    assert said(ledger, category=category) == ([f"{category}: {meant}?"] if meant else [])
    assert said(ledger, category=category, amount="1") == []  # it is an old one by now


@pytest.mark.parametrize(("amount", "times"), [("125", 50), ("124.99", 49)])
def test_amount_far_from_what_the_payee_costs_is_asked_about(ledger: Ledger, amount: str, times: int) -> None:
    for number in range(1, ENOUGH + 1):
        assert said(ledger, amount="2.50", date=f"2026-11-{number:02d}") == []
    asked = [f"Lunch usually costs 2.50 USD, this time {amount}{'.00' if times == 50 else ''} USD?"]
    assert said(ledger, amount=amount) == (asked if times >= 50 else [])


def test_payee_that_is_hardly_known_costs_what_it_costs(ledger: Ledger) -> None:
    said(ledger, amount="0.01")
    assert said(ledger, amount="900") == []
    assert said(ledger, amount="900", description="") == []
