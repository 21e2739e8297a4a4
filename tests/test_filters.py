from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from expense_lib import InvalidInput
from expense_lib.app.filters import CUSTOM, PERIODS, View, last_day, month_after, read_tags

TODAY = dt.date(2026, 11, 22)
SORTS = ("date_desc", "date_asc", "amount_desc", "amount_asc")

typed = st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]))
days = st.one_of(
    st.fixed_dictionaries({"period": st.sampled_from([key for key in PERIODS.values() if key != CUSTOM])}),
    st.fixed_dictionaries({"period": st.just(CUSTOM), "date_from": typed, "date_to": typed}).filter(
        lambda given: bool(given["date_from"] or given["date_to"])
    ),
)
views = st.builds(
    lambda period, **others: View(**period, **others),
    period=days,
    categories=st.lists(st.text(min_size=1), max_size=4).map(tuple),
    accounts=st.lists(st.text(min_size=1), max_size=4).map(tuple),
    tags=st.text(),
    q=st.text(),
    amount_min=typed,
    amount_max=typed,
    sort=st.sampled_from(SORTS),
)


@given(views)
@example(View(categories=("Food, drinks", "100%", "%2C", "%", "Café ☕", "a,b,,c")))
@example(View(accounts=("Giro, mine", "100%"), tags="#trip, kids"))
@example(View(q="50% & more, 'or' <b>=#?"))
@example(View(period=CUSTOM, date_to="2026-12-31", amount_max="5"))
@example(View())
def test_view_survives_its_address(view: View) -> None:
    address = view.address()
    assert View.of_address(address) == view
    assert View.of_address({name: [value] for name, value in address.items()}) == view
    assert all(address.values())


@pytest.mark.parametrize("text", ["5.", "..", "1..2"])
def test_bound_with_dots_survives_the_address_as_it_was_typed(text: str) -> None:
    view = View(period=CUSTOM, date_from=text, amount_min=text)
    assert View.of_address(view.address()) == view


def test_address_of_everything_is_empty() -> None:
    assert View().address() == {}
    assert View(period=CUSTOM).address() == {}


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "random"},
        {"sort": ""},
        {"categories": ",,"},
        {"period": ".."},
        {"amount": ".."},
        {"nothing": "known", "demo": "1"},
    ],
    ids=str,
)
def test_what_the_address_can_not_mean_asks_for_nothing(query: dict[str, str]) -> None:
    assert View.of_address(query) == View()


def test_unknown_period_in_the_address_asks_for_nothing() -> None:
    assert View.of_address({"period": "next-week"}) == View()


def test_of_several_values_in_the_address_the_last_counts() -> None:
    assert View.of_address({"q": ["tea", "lunch"]}) == View(q="lunch")


LEAP = dt.date(2028, 2, 29)
NEW_YEAR = dt.date(2026, 1, 1)
EVE = dt.date(2025, 12, 31)
MARCH_31 = dt.date(2027, 3, 31)


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        ("all", TODAY, None, None),
        ("this-month", LEAP, "2028-02-01", "2028-02-29"),
        ("this-month", EVE, "2025-12-01", "2025-12-31"),
        ("last-month", NEW_YEAR, "2025-12-01", "2025-12-31"),
        ("last-month", MARCH_31, "2027-02-01", "2027-02-28"),
        ("last-month", LEAP, "2028-01-01", "2028-01-31"),
        ("last-12-months", NEW_YEAR, "2025-02-01", "2026-01-31"),
        ("last-12-months", EVE, "2025-01-01", "2025-12-31"),
        ("last-12-months", LEAP, "2027-03-01", "2028-02-29"),
        ("this-year", LEAP, "2028-01-01", "2028-12-31"),
        ("this-year", EVE, "2025-01-01", "2025-12-31"),
        ("last-year", NEW_YEAR, "2025-01-01", "2025-12-31"),
        ("last-year", LEAP, "2027-01-01", "2027-12-31"),
        (CUSTOM, TODAY, None, None),
    ],
)
def test_period_is_whole_months(period: str, today: dt.date, first: str | None, last: str | None) -> None:
    wanted = View(period=period).wanted(today)
    found = [day and str(day) for day in (wanted.date_from, wanted.date_to)]
    assert found == [first, last]


def test_custom_period_may_be_open_and_typed_with_spaces() -> None:
    wanted = View(period=CUSTOM, date_from=" 2028-02-29 ", amount_max=" 5 ").wanted(TODAY)
    assert (wanted.date_from, wanted.date_to, str(wanted.amount_max)) == (LEAP, None, "5")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        (" , # ", ()),
        ("trip", ("trip",)),
        ("#trip, kids  work,x", ("trip", "kids", "work", "x")),
        ("a#b", ("a#b",)),
    ],
)
def test_tags_are_words_between_spaces_or_commas(text: str, tags: tuple[str, ...]) -> None:
    assert read_tags(text) == tags


def test_accounts_and_tags_are_asked_for() -> None:
    wanted = View(accounts=("Giro", "Cash"), tags="#trip kids").wanted(TODAY)
    assert (wanted.account, wanted.tag) == (("Giro", "Cash"), ("trip", "kids"))


def test_dates_count_for_a_custom_period_only() -> None:
    view = View(period=CUSTOM, date_from="2026-01-01", date_to="nonsense")
    assert replace(view, period="all").wanted(TODAY).date_from is None


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"period": CUSTOM, "date_from": "2026-02-29"}, "From"),
        ({"period": CUSTOM, "date_to": "tomorrow"}, "To"),
        ({"amount_min": "12,50"}, "At least"),
        ({"amount_max": "1e3"}, "At most"),
        ({"q": "\0"}, "Search"),
        ({"categories": ("x" * 101,)}, "Categories"),
        ({"categories": ("Food", " ")}, "Categories"),
        ({"accounts": ("x" * 101,)}, "Accounts"),
        ({"tags": "a#b"}, "Tags"),
    ],
    ids=str,
)
def test_refusal_is_named_as_the_filter_is(changes: dict[str, Any], label: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        View(**changes).wanted(TODAY)
    assert [error.field for error in refused.value.errors] == [label]


@given(st.dates(dt.date(2, 1, 1), dt.date(9990, 12, 31)), st.integers(-12, 100))
def test_month_after_counts_months_and_its_last_day_is_the_calendars(day: dt.date, months: int) -> None:
    after = month_after(day, months)
    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months
    assert last_day(after) == after.replace(day=monthrange(after.year, after.month)[1])


def test_december_9999_has_a_last_day() -> None:
    assert last_day(dt.date(9999, 12, 1)) == dt.date.max
