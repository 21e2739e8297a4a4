from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib import AmountError, CursorError, Expense, ExpenseFilter, Ledger, statements
from tests.builders import an_expense

ROWS: list[dict[str, Any]] = [
    {"amount": "5", "category": "Food", "description": "Döner Kebab", "date": "2026-11-01"},
    {"amount": "7.50", "category": "Food", "description": "100 % Juice", "date": "2026-11-02"},
    {"amount": "40", "category": "Fuel", "description": "a_b", "date": "2026-11-02"},
    {"amount": "-3", "category": "Fuel", "description": "ΣΊΣΥΦΟΣ", "date": "2026-11-03", "refund": True},
    {"amount": "900", "category": "Straße", "description": "", "date": "2026-12-01"},
]


@pytest.fixture
def stocked(ledger: Ledger) -> Ledger:
    for row in ROWS:
        ledger.record(an_expense(**row))
    return ledger


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"category": "fuel"}, [4, 3]),
        ({"category": ["FUEL", "strasse"]}, [5, 4, 3]),
        ({"date_from": "2026-11-02", "date_to": "2026-11-03"}, [4, 3, 2]),
        ({"date_from": "2026-11-04", "date_to": "2026-11-03"}, []),
        ({"amount_min": "5", "amount_max": "40"}, [3, 2, 1]),
        ({"amount_max": "0"}, [4]),
        ({"amount_min": "0"}, [5, 3, 2, 1]),
        ({"amount_max": "-3.00"}, [4]),
        ({"q": "kebab"}, [1]),
        ({"q": "DÖNER"}, [1]),
        ({"q": "do\u0308ner  k"}, [1]),
        ({"q": "foo"}, [2, 1]),
        ({"q": "fo"}, [2, 1]),
        ({"q": "F"}, [4, 3, 2, 1]),
        ({"q": "%"}, [2]),
        ({"q": "_"}, [3]),
        ({"q": "a%b"}, []),
        ({"q": "σίσυφος"}, [4]),
        ({"q": "STRASSE"}, [5]),
        ({"q": ""}, [5, 4, 3, 2, 1]),
        ({"q": "kebab food"}, []),
        ({"q": "0", "category": "food", "date_to": "2026-11-02", "amount_max": "7.5"}, [2]),
        ({"sort": "date_asc"}, [1, 2, 3, 4, 5]),
        ({"sort": "amount_desc"}, [5, 3, 2, 1, 4]),
        ({"sort": "amount_asc"}, [4, 1, 2, 3, 5]),
        ({"sort": "amount_asc", "category": ["food", "fuel"], "q": "o"}, [1, 2]),
    ],
    ids=str,
)
def test_filter_finds(stocked: Ledger, wanted: dict[str, Any], ids: list[int]) -> None:
    page = stocked.search(ExpenseFilter(**wanted))
    assert [e.id for e in page.items] == ids
    assert (page.count, page.total) == (len(ids), sum(Decimal(ROWS[i - 1]["amount"]) for i in ids))


def test_bound_finer_than_the_currency_is_refused(stocked: Ledger) -> None:
    with pytest.raises(AmountError, match="amount_min must have at most 2 fraction digits"):
        stocked.search(ExpenseFilter(amount_min="0.001"))


def test_cursor_of_another_sort_is_refused(stocked: Ledger) -> None:
    cursor = stocked.search(ExpenseFilter(limit=1)).next_cursor
    for sort in ("date_asc", "amount_desc"):
        with pytest.raises(CursorError):
            stocked.search(ExpenseFilter(sort=sort, cursor=cursor))


def test_deleted_expenses_are_in_no_list(stocked: Ledger) -> None:
    stocked.delete(1)
    assert [e.id for e in stocked.search(ExpenseFilter(q="food")).items] == [2]
    assert stocked.search(ExpenseFilter(category="food")).count == 1


EXPENSES = st.lists(
    st.tuples(st.sampled_from([1, 2, 350]), st.sampled_from(["A", "B", "C"]), st.integers(1, 4)), max_size=25
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "category": st.lists(st.sampled_from(["a", "B", "nowhere"]), max_size=2),
        "date_from": st.integers(1, 4).map(lambda day: dt.date(2026, 11, day)),
        "date_to": st.integers(1, 4).map(lambda day: dt.date(2026, 11, day)),
        "amount_min": st.sampled_from(["1", "2", "3.51"]),
        "amount_max": st.sampled_from(["1", "2", "350"]),
        "q": st.sampled_from(["a", "thing b", "x"]),
    },
)


def matches(expense: Expense, wanted: ExpenseFilter) -> bool:
    """What a filter means, said once more in Python."""
    return (
        (not wanted.category or expense.category.casefold() in map(str.casefold, wanted.category))
        and (wanted.date_from is None or expense.date >= wanted.date_from)
        and (wanted.date_to is None or expense.date <= wanted.date_to)
        and (wanted.amount_min is None or expense.amount >= wanted.amount_min)
        and (wanted.amount_max is None or expense.amount <= wanted.amount_max)
        and (wanted.q in expense.description.casefold() or wanted.q in expense.category.casefold())
    )


@given(
    EXPENSES,
    FILTERS,
    st.sampled_from(["date_desc", "date_asc", "amount_desc", "amount_asc"]),
    st.integers(1, 4),
    st.data(),
)
def test_pages_hold_every_match_once_in_order_while_others_come_and_go(
    rows: Any, wanted: Any, sort: Any, limit: int, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "expenses.db")
        for n, (amount, category, day) in enumerate(rows):
            new = an_expense(
                amount=amount, category=category, description=f"Thing {category}", date=f"2026-11-0{day}"
            )
            ledger.record(new, f"k{n}")
        everything = ledger.search(ExpenseFilter(limit=500)).items
        asked = ExpenseFilter(**wanted, sort=sort, limit=limit)
        sign = -1 if sort.endswith("desc") else 1
        expected = sorted(
            (e for e in everything if matches(e, asked)),
            key=lambda e: (sign * (e.date.toordinal() if "date" in sort else e.amount), sign * e.id),
        )
        seen: list[int] = []
        gone: set[int] = set()
        page = ledger.search(asked)
        assert (page.count, page.total) == (len(expected), sum(e.amount for e in expected))
        while True:
            seen += [e.id for e in page.items]
            if page.next_cursor is None:
                break
            victim = data.draw(st.sampled_from(everything)).id
            ledger.delete(victim)
            gone.add(victim)
            page = ledger.search(asked.after(page.next_cursor))
        assert len(seen) == len(set(seen))
        assert [i for i in seen if i not in gone] == [e.id for e in expected if e.id not in gone]


def test_overview_is_the_page_with_all_that_is_beside_it(ledger: Ledger) -> None:
    ledger.record(an_expense(account="Giro", date="2026-01-31"))
    ledger.record(an_expense(category="Fun", account="giro", date="2026-11-30"))
    wanted = ExpenseFilter(category="food", limit=1)
    seen = ledger.overview(wanted)
    page = ledger.search(wanted)
    assert {name: getattr(seen, name) for name in type(page).model_fields} == dict(page)
    assert (str(seen.first), str(seen.last)) == ("2026-01-31", "2026-01-31")
    assert [each.name for each in seen.categories] == ["Food", "Fun"]
    assert (seen.accounts, seen.position) == (("Giro",), ledger.position())
    nothing = ledger.overview(ExpenseFilter(q="nothing"))
    assert (nothing.first, nothing.last, nothing.count) == (None, None, 0)


def test_position_is_another_as_soon_as_anything_is_another(ledger: Ledger) -> None:
    plan = statements.read(b"Date,Description,Amount\n2026-11-22,Bus,2.40\n")
    done = [ledger.position()]
    for change in (
        lambda: ledger.record(an_expense()),
        lambda: ledger.amend(1, {"note": "with Ada"}, 1),
        lambda: ledger.add_rule("bus", "Travel"),
        lambda: ledger.add_rule("bus", "Commuting"),
        lambda: ledger.import_statement(plan),
        lambda: ledger.undo_import(1),
        lambda: ledger.delete_rule(1),
    ):
        change()
        done.append(ledger.position())
    assert len(set(done)) == len(done)
    ledger.record(an_expense())  # a repeat
    ledger.import_statement(plan, dry_run=True)
    assert ledger.position() == done[-1]
