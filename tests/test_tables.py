"""What the tables show, in which words."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from expense_lib import Ledger, statements
from expense_lib.app import messages, tables
from expense_lib.app.figures import compare
from expense_lib.app.filters import View
from expense_lib.app.recurring import Recurring
from expense_lib.app.snapshot import Snapshot, load
from tests.builders import an_expense

pytestmark = pytest.mark.of_the_file

TODAY = dt.date(2026, 11, 22)


def seen(ledger: Ledger) -> Snapshot:
    return load(lambda: ledger, View(), None, TODAY)


def cells(table: tables.Table, name: str) -> list[Any]:
    return [row[name] for row in table["rows"]]


def test_every_table_can_be_sent_to_the_page(ledger: Ledger) -> None:
    ledger.record(an_expense())
    ledger.amend(1, {"amount": "2"}, version=1)
    ledger.import_statement(statements.read(b"Date,Description,Amount\n2026-11-22,Tea,3.00\n"))
    again = Recurring("Rent", "Housing", 12, Decimal("950.00"), 30, TODAY, None)
    for table in (
        tables.EMPTY,
        tables.expenses(seen(ledger), newer=False),
        tables.compared(compare(ledger, TODAY)),
        tables.recurring([again]),
        tables.categories(ledger.categories()),
        tables.imports(ledger.imports()),
        tables.changes(ledger.changes(), "USD", newer=False, older=False),
    ):
        assert json.loads(json.dumps(table)) == table
        ids = cells(table, "id") if table["rows"] else []
        assert len(set(ids)) == len(ids)
        for row in table["rows"]:
            assert {column["name"] for column in table["columns"]} <= set(row)


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("USD", "-1234567.5", "-1,234,567.50"),
        ("JPY", "1234567", "1,234,567"),
        ("BHD", "1234.5", "1,234.500"),
    ],
)
def test_expenses_are_shown_as_they_were_typed(
    tmp_path: Path, currency: str, amount: str, shown: str
) -> None:
    ledger = Ledger(tmp_path / "expenses.db", currency)
    new = an_expense(amount=amount, refund=amount[0] == "-", description="<b>5%", category="Food, drinks")
    ledger.record(new)
    table = tables.expenses(replace(seen(ledger), sort="amount_asc"), newer=True)
    assert table["rows"] == [
        {
            "id": 1,
            "named": f"<b>5%, {shown}, 2026-11-22",
            "date": "2026-11-22",
            "category": "Food, drinks",
            "description": "<b>5%",
            "details": [],
            "amount": shown,
        }
    ]
    assert (table["caption"], table["sort"]) == ("1 expense of 1", "amount_asc")
    assert (table["newer"], table["older"]) == (True, False)


def test_annotations_are_shown_where_there_are_any(ledger: Ledger) -> None:
    ledger.record(an_expense(account="Giro", note="<b>With Kim</b>", tags=["work", "Trip"]))
    ledger.record(an_expense(amount="1", tags=["kids"]))
    assert cells(tables.expenses(seen(ledger), newer=False), "details") == [
        [{"kind": "tag", "text": "#kids"}],
        [
            {"kind": "account", "text": "Giro"},
            {"kind": "tag", "text": "#Trip"},
            {"kind": "tag", "text": "#work"},
            {"kind": "note", "text": "<b>With Kim</b>"},
        ],
    ]


def test_expense_without_description_is_named_by_its_category(ledger: Ledger) -> None:
    ledger.record(an_expense(description=""))
    assert cells(tables.expenses(seen(ledger), newer=False), "named") == ["Food, 12.50, 2026-11-22"]


def test_nothing_is_shown_of_what_can_not_be_had() -> None:
    assert tables.expenses(Snapshot(), newer=False) == tables.EMPTY


def test_columns_are_named_after_the_days_that_were_compared(ledger: Ledger) -> None:
    ledger.record(an_expense(date="2028-02-29"))
    table = tables.compared(compare(ledger, dt.date(2028, 2, 29)))
    assert [column["label"] for column in table["columns"]] == [
        "Category",
        "Feb 2028, 1 to 29",
        "Jan 2028, 1 to 29",
        "More than then",
        "Feb 2027, 1 to 28",
        "More than then",
    ]
    assert cells(table, "name") == ["All", "Food"]


def test_nothing_is_written_with_the_currencys_digits(ledger: Ledger) -> None:
    ledger.record(an_expense())
    assert cells(tables.compared(compare(ledger, TODAY)), "last_month") == ["0.00", "0.00"]


def test_category_is_its_name(ledger: Ledger) -> None:
    for category in ("Zoo", "Été, 1%"):
        ledger.record(an_expense(category=category, amount="1000"))
    table = tables.categories(ledger.categories())
    assert [(row["id"], row["name"], row["total"]) for row in table["rows"]] == [
        ("Zoo", "Zoo", "1,000.00"),
        ("Été, 1%", "Été, 1%", "1,000.00"),
    ]


def test_import_is_fixed_once_it_is_undone_and_not_once_that_is(ledger: Ledger) -> None:
    plan = statements.read(
        b"Date,Description,Amount\n2026-11-22,Tea,3.00\n", filename="bank.csv", account="Card"
    )
    for _ in range(2):
        ledger.import_statement(plan)
    assert cells(tables.imports(ledger.imports()), "fixed") == [True, False]
    number = ledger.undo_import(1).number
    undone = tables.imports(ledger.imports())["rows"][1]
    assert (undone["fixed"], undone["state"][:7]) == (True, "Undone ")
    assert number is not None
    ledger.undo(number)
    assert cells(tables.imports(ledger.imports()), "fixed") == [True, False]


def test_imports_are_listed_with_what_was_refused(ledger: Ledger) -> None:
    lines = b"Date,Description,Amount\n2026-11-22,Tea,3.00\nsoon,Tea,1\n2026-11-22,Pay,0\n"
    ledger.import_statement(statements.read(lines, date_format="%Y-%m-%d"))
    table = tables.imports(ledger.imports())
    labels = {column["name"]: column["label"] for column in table["columns"]}
    assert labels["bad"] == "Not understood"
    assert [table["rows"][0].get(name) for name in ("created", "skipped", "bad", "existing")] == [
        "1",
        "1",
        "1",
        None,
    ]


def test_change_says_what_it_did(ledger: Ledger) -> None:
    for occurrence in (1, 2):
        ledger.record(an_expense(occurrence=occurrence))
    ledger.amend(1, {"amount": "-3", "refund": True, "description": ""}, version=1)
    ledger.rename_category("Food", "Meals")
    ledger.delete(2)
    ledger.restore(2)
    table = tables.changes(ledger.changes(), "USD", newer=True, older=False)
    lunch = "12.50 USD, Meals, Lunch, 2026-11-22, number 2 of its kind that day"
    assert cells(table, "what") == [
        f"restored: {lunch}",
        f"deleted: {lunch}",
        "2 expenses edited, the first: edited: category from Food to Meals",
        "-3.00 USD, Food, 2026-11-22: edited: amount from 12.50 to -3.00, description from Lunch to nothing",
    ]
    assert (table["newer"], table["older"], table["act"]) == (True, False, "Undo")


def test_changes_of_every_kind_are_said(ledger: Ledger) -> None:
    rule = ledger.add_rule("netflix", skip=True)
    done = ledger.import_statement(
        statements.read(b"Date;Text;Amount\n2026-11-27;TRATTORIA;-18.40\n2026-11-28;CINEMA;-9.99\n")
    )
    ledger.record(an_expense(amount="9.99", description="Cinema", date="2026-11-28"))
    pizza = ledger.record(an_expense(amount="18.40", description="Pizza", date="2026-11-26")).expense.id
    ledger.decide(done.verdicts[0].expense_id or 0, pizza)
    ledger.split(pizza, [("10.00", "Food"), ("8.40", "Wine")])
    ledger.delete_rule(rule.id)
    found = ledger.changes()
    assert {each.change for each in found} == {"rule", "joined", "held", "merged", "split"}
    said = cells(tables.changes(found, "USD", newer=False, older=False), "what")
    assert said[0] == said[-1] == "rule of imports: netflix"
    assert all(said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (messages.money(Decimal("-1234567.50"), "USD"), "-1,234,567.50 USD"),
        (messages.money(Decimal("12.50"), ""), "12.50"),
        (messages.number(1, "expense"), "1 expense"),
        (messages.number(0, "expense"), "0 expenses"),
        (messages.number(2000, "category", "categories"), "2,000 categories"),
    ],
)
def test_numbers_are_said_as_people_do(said: str, expected: str) -> None:
    assert said == expected


def test_history_says_the_latest_first_and_what_differs(ledger: Ledger) -> None:
    ledger.record(an_expense(description=""))
    ledger.amend(1, {"description": "<i>", "date": "2026-12-31"}, version=1)
    ledger.amend(1, {"occurrence": 5}, version=2)
    ledger.delete(1)
    assert [line[17:] for line in messages.history(ledger.history(1), "USD")] == [
        "deleted: 12.50 USD, Food, <i>, 2026-12-31, number 5 of its kind that day",
        "edited: its number among equal ones that day",
        "edited: description from nothing to <i>, date from 2026-11-22 to 2026-12-31",
        "added: 12.50 USD, Food, 2026-11-22",
    ]
