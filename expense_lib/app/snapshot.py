"""What the app knows of the ledger at one moment: a page of expenses, or why there is none."""

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
from expense_lib.domain.results import CategoryTotal, Overview

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

READ_ONLY = "The ledger can be read but not written: what you add or change now would not be kept."


@dataclass(frozen=True)
class Snapshot:
    """The state of the ledger at one moment, as far as the page shows it.

    Attributes:
        wanted: Which expenses were asked for.
        sort: In which order.
        page: The expenses and what stands beside them; None if they can't be had.
        average: What was spent in a month, over *months* of them, rounded to the currency's smallest unit.
        months: How many months the matching expenses span.
        trouble: Why the ledger can't be read or written, a sentence; empty if it can.
        unclear: What is wrong with the filters; empty if nothing is.
        writable: The ledger said that it can be written.
    """

    wanted: Filter = field(default_factory=Filter)
    sort: Sort = "date_desc"
    page: Overview | None = None
    average: Decimal = Decimal(0)
    months: int = 0
    trouble: str = ""
    unclear: str = ""
    writable: bool = field(default=False, compare=False)

    @property
    def categories(self) -> tuple[CategoryTotal, ...]:
        """All of the ledger's, by name."""
        return self.page.categories if self.page else ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """All of the ledger's, by name."""
        return self.page.accounts if self.page else ()

    @property
    def position(self) -> str:
        """The ledger's position at that moment; empty if it was never read."""
        return self.page.position if self.page else ""

    @property
    def ledger(self) -> str:
        """The ledger's id; empty if it was never read."""
        return self.page.ledger if self.page else ""

    @property
    def currency(self) -> str:
        """The ledger's, as far as it is known."""
        return self.page.currency if self.page else ""

    @property
    def is_new(self) -> bool:
        """There is not one expense in the ledger."""
        return self.page is not None and not self.categories


def load(
    ledger: Callable[[], AnyLedger],
    view: View,
    cursor: str | None,
    today: dt.date,
    before: Snapshot | None = None,
) -> Snapshot:
    """Ask the ledger for what *view* shows on the day *today*, in one call.

    Whether the ledger can be written is a question that takes the write lock for a moment; it is asked until
    a snapshot says so.

    Args:
        ledger: Opens the ledger.
        view: What the filters say.
        cursor: Where the page begins; None for the first.
        today: The day that it is.
        before: The snapshot before this one. Where the ledger or the filters fail, its page stays, with the
            reason.
    """
    before = before or Snapshot()
    kept = {name: getattr(before, name) for name in ("wanted", "sort", "page", "average", "months")}
    try:
        wanted = view.wanted(today)
        opened = ledger()
        page = opened.overview(wanted.after(cursor) if cursor else wanted)
        writable = before.writable or opened.health().writable
    except InvalidInput as refused:
        said = "; ".join(f"{label} {message}" for label, message in labelled(refused).errors)
        return Snapshot(**kept, unclear=f"{said}.", writable=before.writable)
    except ExpenseError as failed:
        return Snapshot(**kept, trouble=str(failed))
    months = _months(wanted, page, today)
    return Snapshot(
        wanted=Filter.model_validate(wanted.model_dump(include=set(Filter.model_fields))),
        sort=wanted.sort,
        page=page,
        average=average_per_month(page.total, months),
        months=months,
        trouble="" if writable else READ_ONLY,
        writable=writable,
    )


def _months(wanted: ExpenseFilter, page: Overview, today: dt.date) -> int:
    """Over how many months the expenses that match are spread."""
    if page.first is None or page.last is None:
        return 0
    return months_spanned(wanted.date_from, wanted.date_to, page.first, page.last, today)
