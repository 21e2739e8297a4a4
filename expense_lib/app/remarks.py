"""Questions about an expense that was recorded as it was typed and looks like a slip. Nothing waits."""

from __future__ import annotations

import datetime as dt
import difflib
import statistics
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from expense_lib.app import messages
from expense_lib.app.entry import Recorder
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.domain.limits import MAX_PAGE
from expense_lib.domain.results import CategoryTotal, Expense
from expense_lib.domain.text import fold

TIMES = 50  # what the payee usually costs
ENOUGH = 3  # expenses that say what a payee usually costs
NEAR_DAYS = 45  # of today is where a date that is a year off would be without the slip
LIKENESS = 0.75  # as difflib counts it: one letter of four is another

Remark = dict[str, Any]


def remarks(
    ledger: Recorder, expense: Expense, categories: Sequence[CategoryTotal], today: dt.date, currency: str
) -> list[Remark]:
    """What somebody may want to look at again: each with its *text* and the *acts* that answer it.

    Args:
        ledger: Asked for what the payee costs, where the amount is large enough to be a slip.
        expense: Recorded just now.
        categories: The ledger's, the expense counted in.
        today: The day that it is.
        currency: The ledger's.
    """
    found = [
        *_of_date(expense, today),
        *_of_category(expense, categories),
        *_of_amount(ledger, expense, currency),
    ]
    return [
        {"id": f"remark-{expense.id}-{number}", "kind": "remark", "expense": expense.id, **each}
        for number, each in enumerate(found)
    ]


def _of_date(expense: Expense, today: dt.date) -> Iterator[Remark]:
    for years in (1, -1):
        with suppress(ValueError):  # the 29th of February, or the calendar's end
            meant = expense.date.replace(year=expense.date.year + years)
            if abs((meant - today).days) <= NEAR_DAYS:
                text = f"{_name(expense)} is dated {expense.date}. Was it {meant}?"
                yield _fix(expense, text, f"Change it to {meant}", date=str(meant))


def _of_category(expense: Expense, categories: Sequence[CategoryTotal]) -> Iterator[Remark]:
    others = {fold(each.name): each.name for each in categories if each.name != expense.category}
    is_new = any(each.name == expense.category and each.count == 1 for each in categories)
    if is_new and (like := difflib.get_close_matches(fold(expense.category), others, 1, LIKENESS)):
        meant = others[like[0]]
        yield _fix(expense, f"{expense.category}: {meant}?", f"Change it to {meant}", category=meant)


def _of_amount(ledger: Recorder, expense: Expense, currency: str) -> Iterator[Remark]:
    if not expense.description or abs(expense.amount) < TIMES:  # which nothing costs a fiftieth of
        return
    found = ledger.search(ExpenseFilter(q=expense.description, limit=MAX_PAGE)).items
    payee = fold(expense.description)
    usual = [abs(each.amount) for each in found if fold(each.description) == payee and each.id != expense.id]
    if len(usual) >= ENOUGH and abs(expense.amount) >= TIMES * statistics.median_low(usual):
        costs = messages.money(statistics.median_low(usual), currency)
        paid = messages.money(expense.amount, currency)
        yield _asked(expense, f"{_name(expense)} usually costs {costs}, this time {paid}?")


def _name(expense: Expense) -> str:
    return expense.description or expense.category


def _asked(expense: Expense, text: str, *acts: dict[str, Any]) -> Remark:
    right = {"name": "keep", "label": "It is right"}
    return {"text": text, "acts": [*acts, right], "version": expense.version}


def _fix(expense: Expense, text: str, label: str, **changes: str) -> Remark:
    return _asked(expense, text, {"name": "amend", "label": label, "changes": changes})
