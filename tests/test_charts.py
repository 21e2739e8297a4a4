from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib.app.charts import (
    MOST_CATEGORIES,
    MOST_MONTHS,
    Bar,
    by_category,
    by_month,
    category_bars,
    clicked,
    month_bars,
)
from expense_lib.domain.results import Part


def months(*names: str) -> list[Part]:
    return [Part(month=name, count=1, total=Decimal("1.50")) for name in names]


def categories(**totals: str) -> list[Part]:
    return [Part(category=name, count=2, total=Decimal(total)) for name, total in totals.items()]


def test_months_without_expenses_have_a_bar_of_nothing() -> None:
    bars = month_bars(months("2026-02", "2025-11"), "2025-12")
    assert [(bar.name, bar.expenses, bar.chosen) for bar in bars] == [
        ("2025-11", 1, False),
        ("2025-12", 0, True),
        ("2026-01", 0, False),
        ("2026-02", 1, False),
    ]
    assert sum(bar.total for bar in bars) == 3


@pytest.mark.parametrize(
    ("names", "first", "last", "count"),
    [
        (["2020-01", "2026-12"], "2024-01", "2026-12", MOST_MONTHS),
        (["0001-01", "0002-01"], "0001-01", "0002-01", 13),
        (["0001-01", "9999-12"], "9997-01", "9999-12", MOST_MONTHS),
        (["9999-12"], "9999-12", "9999-12", 1),
    ],
)
def test_only_the_latest_months_have_bars(names: list[str], first: str, last: str, count: int) -> None:
    bars = month_bars(months(*names), "")
    assert (bars[0].name, bars[-1].name, len(bars)) == (first, last, count)


def test_nothing_has_no_bars() -> None:
    assert month_bars([], "2026-11") == category_bars([], ["Food"]) == []


def test_dearest_categories_come_first_and_refunds_last() -> None:
    bars = category_bars(categories(Refunds="-9.00", Food="5.00", Fuel="20.00", Cafe="5.00"), ["Food"])
    assert [(bar.name, bar.chosen) for bar in bars] == [
        ("Fuel", False),
        ("Cafe", False),
        ("Food", True),
        ("Refunds", False),
    ]


@given(st.lists(st.integers(-(10**20), 10**20), max_size=40))
def test_bars_come_to_the_exact_total_of_all(amounts: list[int]) -> None:
    parts = [
        Part(category=f"c{at}", count=1, total=Decimal(amount).scaleb(-2))
        for at, amount in enumerate(amounts)
    ]
    bars = category_bars(parts, [])
    assert sum(int(bar.total.scaleb(2)) for bar in bars) == sum(amounts)
    assert sum(bar.expenses for bar in bars) == len(amounts)
    assert len(bars) == min(len(amounts), MOST_CATEGORIES + 1)


def values(chart: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chart.data.values
    return found


def test_drawn_bar_says_its_exact_total_as_text() -> None:
    bars = [
        Bar("<b>Food, 5%", Decimal("12345678901234567.89"), 2000, chosen=True),
        Bar("Fuel", Decimal(-3), 1),
    ]
    for chart in (by_category(bars, "USD"), by_month(bars, "USD")):
        food, fuel = values(chart)
        assert (food["name"], food["total"], food["count"]) == (
            "<b>Food, 5%",
            "12,345,678,901,234,567.89 USD",
            "2,000",
        )
        assert fuel["drawn"] < 0
        assert food["color"] != fuel["color"]
        assert food["said"] == "<b>Food, 5%: 12,345,678,901,234,567.89 USD, 2,000 expenses"
    unmarked = values(by_month([bar._replace(chosen=False) for bar in bars], ""))
    assert {row["color"] for row in unmarked} == {food["color"]}


def test_chart_of_nothing_can_be_drawn() -> None:
    for chart in (by_month([], "USD"), by_category([], "")):
        assert values(chart) == []
        assert chart.to_dict()


@pytest.mark.parametrize(
    ("selections", "name"),
    [
        ({}, None),
        ({"picked": {}}, None),
        ({"picked": {"name": []}}, None),
        ({"picked": None}, None),
        ({"other": {"vlPoint": 1}, "picked": {"name": ["Food, 5%"]}}, "Food, 5%"),
    ],
)
def test_clicked_bar_is_named(selections: dict[str, Any], name: str | None) -> None:
    assert clicked(selections) == name
