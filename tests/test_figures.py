from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib import Ledger
from expense_lib.app.figures import Compared, average_per_month, compare, months_spanned, total
from expense_lib.domain.money import Currency
from tests.builders import an_expense

currencies = st.sampled_from([Currency("JPY", 0), Currency("USD", 2), Currency("KWD", 3)])
minors = st.integers(-(10**30), 10**30)  # more digits than a decimal context has unless it is told


@given(currencies, st.lists(minors))
def test_total_is_exact_however_many_digits(currency: Currency, amounts: list[int]) -> None:
    assert total(map(currency.from_minor, amounts)) == currency.from_minor(sum(amounts))


@given(currencies, minors, st.integers(1, 120_000))
def test_average_is_the_nearest_smallest_unit_half_to_even(
    currency: Currency, amount: int, months: int
) -> None:
    average = average_per_month(currency.from_minor(amount), months)
    assert average == currency.from_minor(round(Fraction(amount, months)))
    assert average.as_tuple().exponent == -currency.exponent


@pytest.mark.parametrize(
    ("amount", "months", "average"),
    [
        ("10.00", 3, "3.33"),
        ("0.05", 2, "0.02"),
        ("0.15", 2, "0.08"),
        ("-0.15", 2, "-0.08"),
        ("7", 2, "4"),
        ("1.001", 2, "0.500"),
        ("12.50", 0, "12.50"),
        ("-0.01", 12, "0.00"),
    ],
)
def test_average_is_written_with_the_currencys_digits(amount: str, months: int, average: str) -> None:
    assert str(average_per_month(Decimal(amount), months)) == average


def months_of(begin: dt.date, end: dt.date) -> int:
    """Month by month, until there is none."""
    seen = {(begin.year, begin.month)}
    while begin < end:
        begin += dt.timedelta(days=1)
        seen.add((begin.year, begin.month))
    return len(seen)


near = st.dates(dt.date(2023, 12, 1), dt.date(2026, 1, 31))


@given(near, near, near, st.booleans(), st.booleans(), st.tuples(near, near))
def test_months_are_those_from_the_first_to_the_last_that_count(
    one: dt.date, other: dt.date, today: dt.date, begins: bool, ends: bool, period: tuple[dt.date, dt.date]
) -> None:
    first, last = sorted((one, other))
    date_from = min(*period, first) if begins else None
    date_to = max(*period, last) if ends else None
    end = last
    if date_to is not None:
        end = min(date_to, max(today, last))
    assert months_spanned(date_from, date_to, first, last, today) == months_of(date_from or first, end)


def a_day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def record(ledger: Ledger, *expenses: tuple[str, str, str]) -> None:
    """Expenses by amount, category and date; negative ones are refunds."""
    for amount, category, date in expenses:
        refund = amount.startswith("-")
        ledger.record(an_expense(amount=amount, category=category, date=date, refund=refund))


def test_month_is_compared_up_to_the_same_day_with_the_last_and_a_year_ago(ledger: Ledger) -> None:
    record(
        ledger,
        ("10.00", "Food", "2026-11-22"),
        ("99.00", "Food", "2026-11-23"),
        ("4.00", "Food", "2026-10-22"),
        ("99.00", "Food", "2026-10-23"),
        ("7.00", "Fuel", "2025-11-01"),
        ("-3.00", "Food", "2025-11-22"),
        ("99.00", "Rent", "2026-09-30"),
    )
    found = compare(ledger, a_day("2026-11-22"))
    assert found.currency == "USD"
    assert found.rows == (
        Compared("Food", Decimal("10.00"), Decimal("4.00"), Decimal("-3.00")),
        Compared("Fuel", Decimal(0), Decimal(0), Decimal("7.00")),
    )
    assert found.total == Compared("All", Decimal("10.00"), Decimal("4.00"), Decimal("4.00"))
    assert (found.total.since_last_month, found.total.since_year_ago) == (Decimal("6.00"), Decimal("6.00"))
    assert found.rows[0].since_year_ago == Decimal("13.00")

    whole = compare(ledger, a_day("2026-11-22"), whole=True)
    assert whole.total == Compared("All", Decimal("109.00"), Decimal("103.00"), Decimal("4.00"))


@pytest.mark.parametrize(
    ("today", "periods"),
    [
        ("2026-01-31", "2026-01-01 2026-01-31 2025-12-01 2025-12-31 2025-01-01 2025-01-31"),
        ("2027-03-30", "2027-03-01 2027-03-30 2027-02-01 2027-02-28 2026-03-01 2026-03-30"),
        ("2028-02-29", "2028-02-01 2028-02-29 2028-01-01 2028-01-29 2027-02-01 2027-02-28"),
        ("2025-12-31", "2025-12-01 2025-12-31 2025-11-01 2025-11-30 2024-12-01 2024-12-31"),
    ],
)
def test_compared_days_end_where_their_month_does(ledger: Ledger, today: str, periods: str) -> None:
    found = compare(ledger, a_day(today)).periods
    assert " ".join(str(day) for period in found for day in period) == periods


def test_nothing_is_compared_with_nothing(ledger: Ledger) -> None:
    found = compare(ledger, a_day("2026-11-22"))
    assert (found.rows, found.total.since_last_month) == ((), Decimal("0.00"))
