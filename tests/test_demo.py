from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from expense_lib import Ledger
from expense_lib.app import demo
from expense_lib.app.demo import MONTHS, sample_expenses
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.money import Currency

pytestmark = pytest.mark.of_the_file

DAYS = [dt.date(2026, 11, 22), dt.date(2026, 1, 1), dt.date(2028, 2, 29), dt.date(2025, 12, 31)]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_samples_are_of_the_last_months_until_today_and_the_same_each_time(today: dt.date) -> None:
    samples = list(sample_expenses(today))
    assert samples == list(sample_expenses(today))
    assert max(each.date for each in samples) <= today
    assert len({(each.date.year, each.date.month) for each in samples}) == MONTHS
    assert min(each.amount for each in samples) > 0


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_no_two_samples_are_taken_for_one(today: dt.date) -> None:
    def key(each: NewExpense) -> str:
        return each.content(Currency("USD", 2)).dedup_key()

    assert Counter(map(key, sample_expenses(today))).most_common(1)[0][1] == 1


def test_demo_is_one_ledger_of_its_own_with_all_samples(ledger: Ledger) -> None:
    made = demo.ledger()
    assert made is demo.ledger()
    assert made.path != ledger.path
    today = dt.date.today()  # noqa: DTZ011 - as the demo has it
    assert (
        abs(made.search().count - len(list(sample_expenses(today)))) <= 10
    )  # it may be past midnight by now
    assert made.check() == []
