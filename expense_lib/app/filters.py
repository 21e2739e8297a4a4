"""The filters of the list, as they were typed and as the page's address keeps them."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args
from urllib.parse import unquote

from pydantic import ValidationError

from expense_lib.domain.errors import FieldError, InvalidInput
from expense_lib.domain.filters import ExpenseFilter, Sort

CUSTOM = "custom"
PERIODS = {
    "All time": "all",
    "This month": "this-month",
    "Last month": "last-month",
    "Last 12 months": "last-12-months",
    "This year": "this-year",
    "Last year": "last-year",
    "Custom range": CUSTOM,
}
LABELS = {
    "date_from": "From",
    "date_to": "To",
    "amount_min": "At least",
    "amount_max": "At most",
    "q": "Search",
    "category": "Categories",
    "account": "Accounts",
    "tag": "Tags",
}

NAMES = ("period", "categories", "accounts", "tags", "q", "amount", "sort")  # in the page's address

_BETWEEN = ".."
_BETWEEN_TAGS = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class View:
    """The filters, as they were typed.

    *period* is one of PERIODS' values; *date_from* and *date_to* are for a custom one. *tags* are separated
    as ``read_tags`` has it.
    """

    period: str = "all"
    date_from: str = ""
    date_to: str = ""
    categories: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    tags: str = ""
    q: str = ""
    amount_min: str = ""
    amount_max: str = ""
    sort: Sort = "date_desc"

    @classmethod
    def of_address(cls, query: Mapping[str, str | list[str]]) -> View:
        """The view that a page's address asks for; parts of it that can't be read are ignored."""
        given = {name: value if isinstance(value, str) else value[-1] for name, value in query.items()}
        period = given.get("period", "all")
        date_from, date_to = _pair(period)
        amount_min, amount_max = _pair(given.get("amount", ""))
        if _BETWEEN in period:
            period = CUSTOM if date_from or date_to else "all"
        sort = given.get("sort", "date_desc")
        return cls(
            period=period if period in PERIODS.values() else "all",
            date_from=date_from,
            date_to=date_to,
            categories=_names(given.get("categories", "")),
            accounts=_names(given.get("accounts", "")),
            tags=given.get("tags", ""),
            q=given.get("q", ""),
            amount_min=amount_min,
            amount_max=amount_max,
            sort=sort if sort in get_args(Sort) else "date_desc",  # type: ignore[arg-type] # it is one
        )

    def address(self) -> dict[str, str]:
        """The query of the page's address: one value for each filter, as marimo loses repeated names."""
        days = _joined(self.date_from, self.date_to)
        amounts = _joined(self.amount_min, self.amount_max)
        period = days if self.period == CUSTOM else self.period
        kept = {
            "period": "" if period in ("all", _BETWEEN) else period,
            "categories": ",".join(map(_escaped, self.categories)),
            "accounts": ",".join(map(_escaped, self.accounts)),
            "tags": self.tags,
            "q": self.q,
            "amount": "" if amounts == _BETWEEN else amounts,
            "sort": "" if self.sort == "date_desc" else self.sort,
        }
        return {name: value for name, value in kept.items() if value}

    def wanted(self, today: dt.date) -> ExpenseFilter:
        """The filter for the library, with periods resolved on the day *today*.

        Raises:
            InvalidInput: something typed can't be accepted; its fields are named as LABELS has them.
        """
        date_from, date_to = self._days(today)
        try:
            return ExpenseFilter.model_validate(
                {
                    "date_from": date_from or None,
                    "date_to": date_to or None,
                    "category": self.categories,
                    "account": self.accounts,
                    "tag": read_tags(self.tags),
                    "q": self.q,
                    "amount_min": self.amount_min.strip() or None,
                    "amount_max": self.amount_max.strip() or None,
                    "sort": self.sort,
                }
            )
        except ValidationError as refused:
            raise labelled(InvalidInput.from_pydantic(refused)) from None

    def _days(self, today: dt.date) -> tuple[str | dt.date, str | dt.date]:
        """The first and the last day of the period; empty where it is open."""
        month, january = today.replace(day=1), today.replace(month=1, day=1)
        days: dict[str, tuple[str | dt.date, str | dt.date]] = {
            "this-month": (month, last_day(month)),
            "last-month": (month_after(month, -1), month - dt.timedelta(days=1)),
            "last-12-months": (month_after(month, -11), last_day(month)),
            "this-year": (january, month_after(january, 12) - dt.timedelta(days=1)),
            "last-year": (month_after(january, -12), january - dt.timedelta(days=1)),
            CUSTOM: (self.date_from.strip(), self.date_to.strip()),
        }
        return days.get(self.period, ("", ""))


def read_tags(text: str) -> tuple[str, ...]:
    """The tags in a text, between spaces or commas, without a leading #: "#trip, kids" is trip and kids."""
    words = (word.removeprefix("#") for word in _BETWEEN_TAGS.split(text))
    return tuple(word for word in words if word)


def labelled(refused: InvalidInput) -> InvalidInput:
    """The same refusal, its fields named as a person sees them."""
    return InvalidInput(FieldError(LABELS.get(field, field), message) for field, message in refused.errors)


def month_after(first: dt.date, months: int = 1) -> dt.date:
    """The first day of the month *months* after that of *first*."""
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1, day=1)


def last_day(first: dt.date) -> dt.date:
    """The last day of the month of *first*."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _joined(least: str, most: str) -> str:
    """Two bounds in one text, in which a point of theirs can't be taken for what is between them."""
    return _BETWEEN.join(each.replace("%", "%25").replace(".", "%2E") for each in (least, most))


def _pair(text: str) -> tuple[str, str]:
    least, between, most = text.partition(_BETWEEN)
    return (unquote(least), unquote(most)) if between else ("", "")


def _names(text: str) -> tuple[str, ...]:
    return tuple(unquote(name) for name in text.split(",") if name)


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace(",", "%2C")
