"""The app when something is wrong, and with a real ledger, in a real browser."""

from __future__ import annotations

import csv
import uuid
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.builders import STATEMENTS, app, free_port, handler, named
from tests.person import LUNCH, Person


def test_a_handler_that_stops_and_starts_again_loses_nothing(tab: Page, path: Path) -> None:
    port = free_port()
    with app(path.parent, EXPENSE_API_URL=f"http://127.0.0.1:{port}") as url:
        with handler(path, port):
            person = Person(tab, url)
            person.adds(**LUNCH)
            person.sees_added("12.50 USD")
            person.sees_total("12.50 USD", "Expenses1")
        person.adds(**LUNCH | {"Amount": "7"})
        person.sees("can't be reached. What you typed is kept.")
        person.sees_tray("1 to decide", "7, Lunch")
        expect(person.page.locator('[data-cell-name="banner"]')).to_contain_text("can't be reached")
        person.sees_total("12.50 USD")  # what was seen before stays
        with handler(path, port):
            person.clicks("Try again")
            person.sees_added("7.00 USD")
            person.sees_total("19.50 USD", "Expenses2")
            person.sees_no("can't be reached")
            person.page.reload()
            person.sees_tray("")
            person.adds(**LUNCH)
            person.sees("Already recorded")
            person.sees_total("19.50 USD", "Expenses2")


def test_a_ledger_that_is_not_there_can_be_retried(tab: Page, path: Path) -> None:
    path.mkdir()
    with app(path.parent, EXPENSE_LEDGER=str(path)) as url:
        person = Person(tab, url)
        person.sees("The ledger can't be a folder")
        path.rmdir()
        person.clicks("Retry")
        person.sees("No expenses yet")
        person.adds(**LUNCH)
        person.sees_added("12.50 USD")


def test_a_ledger_in_a_database_is_one_as_well(tab: Page, tmp_path: Path, database: str) -> None:
    with app(tmp_path, EXPENSE_LEDGER=named(database, uuid.uuid4().hex)) as url:
        person = Person(tab, url)
        person.sees("No expenses yet")
        person.adds(**LUNCH)
        person.sees_added("12.50 USD")
        person.sees_total("12.50 USD", "Expenses1")
        person.adds(**LUNCH)
        person.sees("Already recorded")
        for section in ("Charts", "Insights", "Import", "Categories", "Changes"):
            person.goes_to(section)


def test_with_a_token_nobody_comes_in_without_it(tab: Page, path: Path) -> None:
    secret = path.parent / "password.txt"
    secret.write_text("a secret", encoding="utf-8")
    with app(path.parent, "--token", "--token-password-file", str(secret), EXPENSE_LEDGER=str(path)) as url:
        for inside in ("", "/assets/index.js", "/api/status"):
            answer = requests.get(f"{url}{inside}", allow_redirects=False, timeout=10)
            assert answer.status_code in (303, 401, 403, 404)
            assert "Expenses" not in answer.text
        tab.goto(url)
        expect(tab.get_by_label("Amount", exact=True)).to_have_count(0)
        person = Person(tab, f"{url}/?access_token=a%20secret")
        person.adds(**LUNCH)
        person.sees_added("12.50 USD")
        assert "secret" not in tab.url


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
def test_a_real_ledger_sent_twice_is_there_once_and_to_the_cent(tab: Page, path: Path) -> None:
    bodies = rows_of_a_real_ledger()
    total = sum(Decimal(body["amount"]) for body in bodies)
    with handler(path) as served, requests.Session() as session:
        answers = [
            [session.post(f"{served}/expenses", json=body, timeout=10).status_code for body in bodies]
            for _ in "12"
        ]
        with app(path.parent, EXPENSE_API_URL=served) as url:
            person = Person(tab, url)
            person.sees_total(f"{total:,.2f} USD", f"Expenses{len(bodies):,}")
            expect(person.rows).to_have_count(50)
    assert answers == [[201] * len(bodies), [200] * len(bodies)]
