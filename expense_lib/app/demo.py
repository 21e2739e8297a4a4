"""A ledger of sample expenses to play with, apart from any other."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from expense_lib.app.filters import last_day, month_after
from expense_lib.domain.expense import NewExpense
from expense_lib.ledger import Ledger

TEXT = "These are sample expenses in a ledger of their own. It goes when the app ends."
MONTHS = 14

_making = threading.Lock()  # two who come at once get the same one

# Every month on that day: what, how much in cents, of which category.
_MONTHLY = (
    (1, "Rent", 95_000, "Housing"),
    (3, "Gym", 3_490, "Health"),
    (5, "Phone", 1_999, "Bills"),
    (12, "Electricity", 6_120, "Bills"),
    (20, "Music subscription", 1_099, "Leisure"),
)
# Each of these every so many days, its amount going up and down.
_OFTEN = (
    (3, "Grocer", 3_200, "Food"),
    (4, "Bakery", 640, "Food"),
    (5, "Bus", 240, "Transport"),
    (9, "Lunch with Kim", 1_450, "Food"),
    (17, "Fuel", 5_400, "Transport"),
    (23, "Books", 2_180, "Leisure"),
    (41, "Pharmacy", 1_275, "Health"),
)
_CASH = {"Bakery", "Bus"}  # all others are paid from the bank account
_TAGS = {"Lunch with Kim": ("friends",), "Books": ("gifts", "kids"), "Music subscription": ("subscription",)}


def sample_expenses(today: dt.date) -> Iterator[NewExpense]:
    """Some 14 months of a household's expenses until *today*, the same for the same day."""
    first = month_after(today.replace(day=1), 1 - MONTHS)
    for month in (month_after(first, number) for number in range(MONTHS)):
        for day, description, cents, category in _MONTHLY:
            date = month.replace(day=min(day, last_day(month).day))
            if date <= today:
                yield _an_expense(cents, category, description, date)
    for number in range((today - first).days + 1):
        date = first + dt.timedelta(days=number)
        for every, description, cents, category in _OFTEN:
            if number % every == every // 2:
                wave = (number * 37) % 100 - 50  # a change of up to a half, the same each time
                yield _an_expense(cents + cents * wave // 120, category, description, date)


def ledger() -> Ledger:
    """This process's demo ledger, in a folder of its own that goes when the process ends."""
    with _making:
        return _made()


@functools.cache
def _made() -> Ledger:
    folder = tempfile.mkdtemp(prefix="expenses-demo-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Ledger(Path(folder) / "demo.db", "USD")
    for new in sample_expenses(dt.date.today()):  # noqa: DTZ011 - the day of whoever runs the app
        made.record(new)
    return made


def _an_expense(cents: int, category: str, description: str, date: dt.date) -> NewExpense:
    return NewExpense(
        amount=f"{cents // 100}.{cents % 100:02d}",
        category=category,
        description=description,
        date=date,
        account="Cash" if description in _CASH else "Giro",
        tags=_TAGS.get(description, ()),
    )
