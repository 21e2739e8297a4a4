"""The app in a real browser, as a person uses it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from expense_lib import Ledger
from tests.builders import PATIENCE_S, STATEMENTS, app, free_port, handler

expect.set_options(timeout=PATIENCE_S * 1000)


class Person:
    """Somebody at the app."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        self.sees_total("Total")

    def types(self, **texts: str) -> None:
        for label, text in texts.items():
            self.page.get_by_label(label, exact=True).fill(text)

    def adds(self, **texts: str) -> None:
        self.types(**texts)
        self.page.get_by_role("button", name="Add expense").click()

    def clicks(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    def sees_added(self, text: str) -> None:
        self.sees(f"Added: {text}")
        self.sees_in(Amount="")

    def sees_total(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator('[data-cell-name="totals"]')).to_contain_text(text)

    def sees_in(self, **texts: str) -> None:
        for label, text in texts.items():
            expect(self.page.get_by_label(label, exact=True)).to_have_value(text)

    def sees_rows(self, number: int) -> None:
        expect(self.page.locator('[data-cell-name="listing"] tbody tr')).to_have_count(number)


LUNCH = {"Amount": "12.50", "Category": "Food", "Description": "Lunch", "Date": "2026-11-22"}


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1000, "height": 1400})
    yield page
    page.close()


@pytest.fixture
def person(tab: Page, tmp_path: Path) -> Iterator[Person]:
    with app(tmp_path, EXPENSE_LEDGER=str(tmp_path / "expenses.db")) as url:
        yield Person(tab, url)


def test_an_expense_is_added_once_whatever_is_clicked(person: Person, tmp_path: Path) -> None:
    person.sees("No expenses yet")
    person.adds(**LUNCH)
    person.sees_added("12.50 USD, Food, Lunch, 2026-11-22.")
    person.sees_total("12.50 USD", "Expenses1")
    person.sees_in(Amount="", Category="Food", Description="", Date="2026-11-22")

    person.adds(**LUNCH)
    person.sees("Already recorded at")
    person.sees_in(**LUNCH)
    person.sees_total("12.50 USD", "Expenses1")

    person.page.reload()
    person.sees_total("12.50 USD", "Expenses1")
    person.sees_rows(1)

    person.adds(**LUNCH)
    person.sees("Already recorded")
    person.page.get_by_role("button", name="Add it as another one").dblclick()
    person.sees_added("12.50 USD, Food, Lunch, 2026-11-22, number 2 of its kind that day.")
    person.sees_total("25.00 USD", "Expenses2")

    person.types(**LUNCH | {"Amount": "0.10"})
    person.page.get_by_role("button", name="Add expense").dblclick()
    person.sees_added("0.10 USD")
    person.sees_total("25.10 USD", "Expenses3")
    assert Ledger(tmp_path / "expenses.db").search().count == 3


def test_a_second_tab_never_doubles(person: Person, browser: Browser) -> None:
    other = Person(browser.new_page(), person.page.url)
    person.adds(**LUNCH)
    person.sees_added("")
    other.adds(**LUNCH)
    other.sees("Already recorded")
    other.sees_total("12.50 USD", "Expenses1")
    other.adds(**LUNCH | {"Amount": "1"})
    other.sees_added("")
    person.clicks("Refresh")
    person.sees_total("13.50 USD", "Expenses2")
    other.page.close()


def test_what_is_wrong_is_told_at_its_field_and_kept(person: Person) -> None:
    wrong = {"Amount": "12,50", "Category": " ", "Description": "Lunch", "Date": "2026-02-30"}
    person.adds(**wrong)
    person.sees("Amount must be a plain decimal such as 12.50")
    person.sees("Category must not be empty.")
    person.sees("Date must be a day that exists in the calendar.")
    person.sees_in(**wrong)
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    expect(person.page.get_by_text("Amount must be")).to_have_count(0)


def test_deleted_expense_typed_again_can_be_restored(person: Person, tmp_path: Path) -> None:
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    Ledger(tmp_path / "expenses.db").delete(1)
    person.adds(**LUNCH)
    person.sees("This was recorded as number 1 and then deleted.")
    person.sees_total("0.00 USD", "Expenses0")
    person.clicks("Restore it")
    person.sees_added("12.50 USD")
    person.sees_total("12.50 USD", "Expenses1")


def test_refund_is_ticked_and_shown_negative(person: Person) -> None:
    person.adds(**LUNCH)
    person.sees_added("")
    person.types(**LUNCH | {"Amount": "3"})
    person.page.get_by_label("Refund").click()
    person.clicks("Add expense")
    person.sees_added("-3.00 USD")
    person.sees_total("9.50 USD", "Expenses2")


def test_filter_shows_one_category_with_its_total(person: Person) -> None:
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    person.adds(**LUNCH | {"Category": "Fuel", "Amount": "40"})
    person.sees_added("40.00 USD")
    person.page.get_by_label("Filter").click()
    person.page.get_by_role("option", name="Fuel").click()
    person.sees_total("40.00 USD", "Expenses1")
    person.sees_rows(1)
    person.adds(**LUNCH | {"Category": "FUEL", "Amount": "0.05"})
    person.sees_total("40.05 USD", "Expenses2")


def test_app_on_a_handler_that_stops_and_starts_again(tab: Page, tmp_path: Path) -> None:
    ledger, port = tmp_path / "expenses.db", free_port()
    with app(tmp_path, EXPENSE_API_URL=f"http://127.0.0.1:{port}") as url:
        with handler(ledger, port):
            person = Person(tab, url)
            person.adds(**LUNCH)
            person.sees_added("12.50 USD")
            person.sees_total("12.50 USD", "Expenses1")
        person.adds(**LUNCH | {"Amount": "7"})
        person.sees("can't be reached. What you typed is kept.")
        person.sees_in(**LUNCH | {"Amount": "7"})
        with handler(ledger, port):
            person.clicks("Add expense")
            person.sees_added("7.00 USD")
            person.sees_total("19.50 USD", "Expenses2")
            person.page.reload()
            person.adds(**LUNCH)
            person.sees("Already recorded")
            person.sees_total("19.50 USD", "Expenses2")


def rows_of_a_real_ledger() -> list[dict[str, Any]]:
    """Every payment of the file as a body to send, equal ones numbered, refunds said, the zero left out."""
    seen: Counter[tuple[str, ...]] = Counter()
    bodies = []
    with (STATEMENTS / "ledger" / "hackclub-expenses.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            amount = Decimal(row["amount"])
            if amount:
                same = {name: " ".join(row[name].split()) for name in ("category", "description", "date")}
                key = (str(amount), *map(str.casefold, same.values()))
                seen[key] += 1
                bodies.append({"amount": str(amount), **same, "occurrence": seen[key], "refund": amount < 0})
    return bodies


@pytest.mark.skipif(not STATEMENTS.is_dir(), reason="the folder of real statements is not here")
def test_a_real_ledger_sent_twice_is_there_once_and_to_the_cent(tab: Page, tmp_path: Path) -> None:
    bodies = rows_of_a_real_ledger()
    total = sum(Decimal(body["amount"]) for body in bodies)
    ledger = tmp_path / "expenses.db"
    with handler(ledger) as url, requests.Session() as session:
        answers = [
            [session.post(f"{url}/expenses", json=body, timeout=10).status_code for body in bodies]
            for _ in "12"
        ]
        with app(tmp_path, EXPENSE_API_URL=url) as shown:
            person = Person(tab, shown)
            person.sees_total(f"{total:,.2f} USD", f"Expenses{len(bodies):,}")
            person.sees_rows(50)
            person.clicks("Older")
            expect(person.page.get_by_role("button", name="Newer")).to_be_enabled()
            person.sees_rows(50)
    assert answers == [[201] * len(bodies), [200] * len(bodies)]
