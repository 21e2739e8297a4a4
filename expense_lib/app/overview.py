"""What there is to see: a page of what is looked at, or why there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from expense_lib.app.figures import average_per_month, months_spanned
from expense_lib.app.filters import View, labelled
from expense_lib.domain.errors import ExpenseError, InvalidInput
from expense_lib.domain.filters import ExpenseFilter, Filter, Sort
from expense_lib.domain.results import CategoryTotal, Page

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

READ_ONLY = "The ledger can be read but not written: what you add or change now would not be kept."


@dataclass(frozen=True)
class Seen:
    """What is seen at one moment. Two are equal if a person would see the same.

    Attributes:
        wanted: Which expenses were asked for.
        sort: In which order.
        page: The expenses; None if they can't be had.
        categories: All of the ledger's, by name.
        average: What was spent in a month, over *months* of them, rounded to the currency's smallest unit.
        months: How many months the visible expenses span.
        trouble: Why the ledger can't be read or written, a sentence; empty if it can.
        unclear: What is wrong with the filters; empty if nothing is.
    """

    wanted: Filter = field(default_factory=Filter)
    sort: Sort = "date_desc"
    page: Page | None = None
    categories: tuple[CategoryTotal, ...] = ()
    average: Decimal = Decimal(0)
    months: int = 0
    trouble: str = ""
    unclear: str = ""

    @property
    def currency(self) -> str:
        """The ledger's, as far as it is known."""
        return self.page.currency if self.page else ""

    @property
    def is_new(self) -> bool:
        """There is not one expense in the ledger."""
        return self.page is not None and not self.categories


def look(
    ledger: Callable[[], AnyLedger],
    view: View,
    cursor: str | None,
    today: dt.date,
    before: Seen | None = None,
) -> Seen:
    """Look at the ledger. What can't be had leaves what was seen *before*, with the reason."""
    before = before or Seen()
    kept = {
        name: getattr(before, name) for name in ("wanted", "sort", "page", "categories", "average", "months")
    }
    try:
        wanted = view.wanted(today)
        opened = ledger()
        wanted = wanted.after(cursor) if cursor else wanted
        page = opened.search(wanted)
        categories = tuple(opened.categories())
        months = _months(opened, wanted, page, today)
        writable = opened.health().writable
    except InvalidInput as refused:
        said = "; ".join(f"{label} {message}" for label, message in labelled(refused).errors)
        return Seen(**kept, unclear=f"{said}.")
    except ExpenseError as failed:
        return Seen(**kept, trouble=str(failed))
    return Seen(
        wanted=Filter.model_validate(wanted.model_dump(include=set(Filter.model_fields))),
        sort=wanted.sort,
        page=page,
        categories=categories,
        average=average_per_month(page.total, months),
        months=months,
        trouble="" if writable else READ_ONLY,
    )


def _months(ledger: AnyLedger, wanted: ExpenseFilter, page: Page, today: dt.date) -> int:
    """Over how many months the expenses that match are spread."""
    if not page.count:
        return 0
    found = {}
    for sort in ("date_asc", "date_desc"):
        is_first_page = wanted.sort == sort and not wanted.cursor
        only = wanted.model_copy(update={"sort": sort, "limit": 1, "cursor": None})
        items = page.items if is_first_page else ledger.search(only).items
        if not items:  # somebody deleted the last one meanwhile
            return 0
        found[sort] = items[0].date
    return months_spanned(wanted.date_from, wanted.date_to, found["date_asc"], found["date_desc"], today)
