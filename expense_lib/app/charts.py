"""The app's charts, of exact totals that are floats only where they are drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import altair as alt

from expense_lib.app import figures, messages
from expense_lib.app.filters import month_after
from expense_lib.domain.results import Part
from expense_lib.domain.text import fold

MOST_MONTHS = 36
MOST_CATEGORIES = 15

_BLUE = "#4c78a8"
_PALE = f"{_BLUE}55"  # a bar of what the list is not of; opacity itself is marimo's to set
_EMBEDDED = {"embedOptions": {"renderer": "svg", "actions": False}}  # SVG names each bar to screen readers


class Bar(NamedTuple):
    """One bar: its name, what it comes to, of how many expenses, and whether the list is of it only."""

    name: str
    total: Decimal
    expenses: int
    chosen: bool = False


def month_bars(parts: Sequence[Part], chosen: str) -> list[Bar]:
    """Each month from the first to the last that has expenses, at most the latest MOST_MONTHS.

    *chosen* is the month that the list is of, as ``"2026-11"``; empty if it is of several.
    """
    if not parts:
        return []
    by_month = {part.month or "": part for part in parts}
    none = figures.nothing(parts[0].total)
    month, last = (dt.date.fromisoformat(f"{name}-01") for name in (min(by_month), max(by_month)))
    bars = []
    month = max(month, month_after(last, 1 - MOST_MONTHS)) if last.year > 1 + MOST_MONTHS // 12 else month
    while month <= last:
        name = f"{month:%Y-%m}" if month.year > 999 else month.isoformat()[:7]
        part = by_month.get(name)
        bars.append(Bar(name, part.total if part else none, part.count if part else 0, name == chosen))
        if (month.year, month.month) == (9999, 12):
            break
        month = month_after(month)
    return bars


def category_bars(parts: Sequence[Part], chosen: Sequence[str]) -> list[Bar]:
    """The categories that came to most, at most MOST_CATEGORIES, and the sum of all others.

    *chosen* are those that the list is of; none if it is of all.
    """
    keys = {fold(name) for name in chosen}
    ordered = sorted(parts, key=lambda part: (-part.total, part.category))
    bars = [
        Bar(part.category or "", part.total, part.count, fold(part.category or "") in keys)
        for part in ordered[:MOST_CATEGORIES]
    ]
    if others := ordered[MOST_CATEGORIES:]:
        total = figures.total(part.total for part in others)
        bars.append(Bar(f"{len(others):,} others", total, sum(part.count for part in others)))
    return bars


def by_month(bars: Sequence[Bar], currency: str) -> alt.Chart:
    """What was spent month by month, a bar each."""
    return (
        _drawn(bars, currency, "Month")
        .encode(
            x=alt.X("name:O", title=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
            y=alt.Y("drawn:Q", title=None, axis=alt.Axis(tickCount=4, format="~s")),
        )
        .properties(height=180, title="Month by month")
    )


def by_category(bars: Sequence[Bar], currency: str) -> alt.Chart:
    """What was spent in each category, a bar each."""
    return (
        _drawn(bars, currency, "Category")
        .encode(
            y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=140)),
            x=alt.X("drawn:Q", title=None, axis=alt.Axis(tickCount=4, format="~s")),
        )
        .properties(height=alt.Step(22), title="By category")
    )


def clicked(selections: Mapping[str, Any]) -> str | None:
    """The name of the bar that was clicked; None if none is selected."""
    for selected in selections.values():
        names = selected.get("name") if isinstance(selected, Mapping) else None
        if names:
            return str(names[0])
    return None


def _in_words(bar: Bar, currency: str) -> str:
    return f"{bar.name}: {messages.money(bar.total, currency)}, {messages.number(bar.expenses, 'expense')}"


def _drawn(bars: Sequence[Bar], currency: str, what: str) -> alt.Chart:
    any_chosen = any(bar.chosen for bar in bars)
    rows = [
        {
            "name": bar.name,
            "drawn": float(bar.total),  # the only place where an amount is inexact: the length of a bar
            "total": messages.money(bar.total, currency),
            "count": f"{bar.expenses:,}",
            "said": _in_words(bar, currency),
            "color": _BLUE if bar.chosen or not any_chosen else _PALE,
        }
        for bar in bars
    ]
    picked = alt.selection_point(name="picked", fields=["name"], on="click", toggle=False)
    drawn: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(cursor="pointer")
        .encode(
            color=alt.Color("color:N", scale=None, legend=None),
            description="said:N",  # to screen readers
            tooltip=[
                alt.Tooltip("name:N", title=what),
                alt.Tooltip("total:N", title="Total"),
                alt.Tooltip("count:N", title="Expenses"),
            ],
        )
        .add_params(picked)
        .properties(width="container", usermeta=_EMBEDDED)
    )
    return drawn
