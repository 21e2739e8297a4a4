"""The app in a real browser, as a person uses it."""

from __future__ import annotations

import csv
import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from expense_lib import Ledger, LedgerMoved
from tests.builders import an_expense, app, free_port, handler
from tests.person import LUNCH, Person

pytestmark = pytest.mark.of_the_file

TODAY = dt.datetime.now().astimezone().date()


class Place(NamedTuple):
    """Where an app runs that all tests here use: its address, the file, and the port of the handler if there is one."""

    app: str
    path: Path
    port: int | None


@pytest.fixture(scope="module", params=["file", "handler"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The app, on a file and on a handler, which then is the only one that touches the file."""
    path = tmp_path_factory.mktemp("ledger") / "expenses.db"
    port = free_port() if request.param == "handler" else None
    where = {"EXPENSE_API_URL": f"http://127.0.0.1:{port}"} if port else {"EXPENSE_LEDGER": str(path)}
    with app(tmp_path_factory.mktemp("elsewhere"), **where) as url:
        yield Place(url, path, port)


@pytest.fixture
def path(place: Place) -> Path:
    for file in place.path.parent.iterdir():
        file.unlink()
    with suppress(LedgerMoved):  # this process had the last test's file open
        Ledger(place.path)
    return place.path


@pytest.fixture
def url(place: Place, path: Path) -> Iterator[str]:
    with handler(path, place.port) if place.port else nullcontext():
        yield place.app


@pytest.fixture
def opened(tab: Page, url: str) -> Callable[[], Person]:
    """Opens the app, once the ledger has what the test is about."""
    return lambda: Person(tab, url)


@pytest.fixture
def person(opened: Callable[[], Person]) -> Person:
    return opened()


def test_an_expense_is_added_once_whatever_is_clicked(person: Person, path: Path) -> None:
    person.sees("No expenses yet")
    person.adds(**LUNCH)
    person.sees_added("12.50 USD, Food, Lunch, 2026-11-22.")
    person.sees_total("12.50 USD", "Expenses1")
    person.sees_in(Amount="", Category="", Description="", Date="2026-11-22")
    person.sees_focus_in("Amount")

    person.adds(**LUNCH)
    person.sees_tray("1 to decide", "Already recorded at")
    person.sees_in(Amount="", Description="")
    person.sees_total("12.50 USD", "Expenses1")

    person.page.reload()
    person.sees_total("12.50 USD", "Expenses1")
    person.sees_rows("Lunch")
    person.sees_tray("1 to decide", "Already recorded at")  # what was typed and not added is still there
    person.page.get_by_role("button", name="Another one").dblclick()
    person.sees_added("12.50 USD, Food, Lunch, 2026-11-22, number 2 of its kind that day.")
    person.sees_total("25.00 USD", "Expenses2")

    person.types(**LUNCH | {"Amount": "0.10"})
    person.page.get_by_role("button", name="Add expense").dblclick()
    person.sees_added("0.10 USD")
    person.sees_total("25.10 USD", "Expenses3")
    assert Ledger(path).search().count == 3


def test_many_are_typed_in_a_row_without_waiting_for_the_answers(person: Person, path: Path) -> None:
    for amount in range(1, 13):
        person.types(Description=f"Bus {amount}", Category="Transport")
        amounts = person.page.get_by_label("Amount", exact=True)
        amounts.fill(str(amount))
        amounts.press("Enter")
    person.sees_total("78.00 USD", "Expenses12")
    assert sorted(each.description for each in Ledger(path).search().items) == sorted(
        f"Bus {amount}" for amount in range(1, 13)
    )


def test_everything_is_done_by_keyboard(person: Person) -> None:
    person.sees_focus_in("Amount")
    keys = person.page.keyboard
    keys.type("3.20")
    for text in ("Bus", "Transport"):
        keys.press("Tab")
        keys.type(text)
    keys.press("Tab")
    person.sees_focus_in("Date")
    keys.press("ArrowDown")
    yesterday = str(TODAY - dt.timedelta(days=1))
    person.sees_in(Date=yesterday)
    keys.press("Enter")
    person.sees_added(f"3.20 USD, Transport, Bus, {yesterday}.")
    person.sees_focus_in("Amount")
    keys.type("9")
    for label in ("Description", "Category", "Date", "Yesterday", "Refund", "Add expense", "More"):
        keys.press("Tab")
        if label == "Category":
            keys.type("Transport")
    keys.press("Enter")
    for label, text in {"Account": "Giro", "Tags": "trip", "Note": "Late"}.items():
        person.sees_focus_in(label)
        keys.type(text)
        keys.press("Tab" if label != "Note" else "Enter")
    person.sees_added(f"9.00 USD, Transport, {yesterday}, Giro, #trip.")
    person.sees_focus_in("Amount")


def test_a_description_that_is_picked_brings_its_category(
    ledger: Ledger, opened: Callable[[], Person]
) -> None:
    ledger.record(an_expense(description="Lunch at Kim's", category="Snacks", date="2026-11-01"))
    ledger.record(an_expense(description="Lunch at Kim's", category="Food", date="2026-11-02"))
    ledger.record(an_expense(description="Launch party", category="Fun", date="2026-11-03"))
    person = opened()
    person.types(Amount="9")
    person.page.get_by_label("Description", exact=True).press_sequentially("lun")
    offered = person.page.get_by_role("form").get_by_role("option")
    expect(offered).to_have_text(["Lunch at Kim'sFood"])
    person.page.keyboard.press("ArrowDown")
    person.page.keyboard.press("Enter")
    person.sees_in(Description="Lunch at Kim's", Category="Food")
    person.page.get_by_label("Category", exact=True).fill("")
    person.page.get_by_label("Category", exact=True).press_sequentially("n")
    expect(offered).to_have_text(["Fun", "Snacks"])
    offered.last.click()
    person.page.keyboard.press("Enter")
    person.sees_added("9.00 USD, Snacks, Lunch at Kim's")


def test_what_is_wrong_is_told_at_its_field_and_kept(person: Person) -> None:
    wrong = {"Amount": "12,50", "Category": "Food", "Description": "Lunch", "Date": "2026-02-30"}
    person.adds(**wrong)
    person.sees_tray("1 to decide", "Amount must be a plain decimal such as 12.50")
    person.sees_in(Amount="", Description="")
    person.page.keyboard.press("Enter")
    person.page.keyboard.press("Enter")  # Edit
    person.sees("Date must be a day that exists in the calendar.")
    person.sees_in(**wrong)
    person.sees_focus_in("Amount")
    expect(person.page.get_by_label("Amount", exact=True)).to_have_attribute("aria-invalid", "true")
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    person.sees_no("Amount must be")


def test_what_was_added_by_mistake_is_taken_back_and_can_be_corrected(person: Person) -> None:
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    person.clicks("Undo")
    person.sees("Taken back: 12.50 USD")
    person.sees_total("0.00 USD", "Expenses0")
    person.sees_in(**LUNCH)
    person.clicks("Restore it")
    person.sees_total("12.50 USD", "Expenses1")


def test_deleted_expense_typed_again_can_be_restored(person: Person, path: Path) -> None:
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    Ledger(path).delete(1)
    person.adds(**LUNCH)
    person.sees("This was recorded as number 1 and then deleted.")
    person.sees_total("0.00 USD", "Expenses0")
    person.clicks("Restore")
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


ANNOTATED = LUNCH | {"Account": "Giro", "Tags": "#trip, work", "Note": "With <b>Kim</b>"}


def test_annotations_are_entered_and_kept_over_a_reload(person: Person, path: Path) -> None:
    person.clicks("More")
    person.sees_focus_in("Account")
    person.types(**ANNOTATED)
    person.page.reload()
    expect(person.form.get_by_label("Note", exact=True)).to_have_value("With <b>Kim</b>")
    person.adds(Tags="#trip, work")
    person.sees_added("12.50 USD, Food, Lunch, 2026-11-22, Giro, #trip, #work")
    person.sees_rows("LunchGiro#trip#workWith <b>Kim</b>")
    for label, text in {"Account": "Giro", "Tags": "", "Note": ""}.items():
        expect(person.form.get_by_label(label, exact=True)).to_have_value(text)
    person.clicks("More")
    expect(person.page.get_by_role("button", name="Account Giro", exact=True)).to_be_visible()
    person.adds(**LUNCH | {"Amount": "3"})
    person.sees_added("3.00 USD, Food, Lunch, 2026-11-22, Giro.")
    first = Ledger(path).get(1)
    assert (first.account, first.tags, first.note) == ("Giro", ("trip", "work"), "With <b>Kim</b>")


def test_a_repeat_with_another_note_says_so(person: Person, path: Path) -> None:
    Ledger(path).record(an_expense(note="Alone"))
    person.clicks("More")
    person.adds(**ANNOTATED)
    person.sees(re.compile("Already recorded at .*; its account, note and tags differ."))
    assert Ledger(path).get(1).note == "Alone"


def test_annotations_are_edited_and_the_edit_is_undone(ledger: Ledger, opened: Callable[[], Person]) -> None:
    ledger.record(an_expense(account="Giro", tags=["trip"], note="With Kim"))
    person = opened()
    person.edits("Lunch")
    for label, was, now in (
        ("Account", "Giro", "Cash"),
        ("Tags", "trip", "trip kids"),
        ("Note", "With Kim", ""),
    ):
        field = person.dialog.get_by_label(label, exact=True)
        expect(field).to_have_value(was)
        field.fill(now)
    person.page.keyboard.press("Enter")
    person.sees("Saved: 12.50 USD, Food, Lunch, 2026-11-22, Cash, #kids, #trip.")
    person.sees_rows("LunchCash#kids#trip")
    person.goes_to("Changes")
    person.sees(
        "edited: account from Giro to Cash, note from With Kim to nothing, tags from trip to kids trip"
    )
    person.goes_to("List")
    person.clicks("Undo")
    person.sees_rows("LunchGiro#tripWith Kim")
    undone = ledger.get(1)
    assert (undone.account, undone.tags, undone.note, undone.version) == ("Giro", ("trip",), "With Kim", 3)


def test_filter_by_account_and_tag(ledger: Ledger, opened: Callable[[], Person]) -> None:
    for amount, account, tags in (
        ("1", "Giro", ["trip"]),
        ("20", "Cash", ["trip", "kids"]),
        ("300", None, ["work"]),
    ):
        ledger.record(an_expense(amount=amount, account=account, tags=tags))
    person = opened()
    filters = person.page.locator('[data-cell-name="filter_fields"]')
    filters.get_by_label("Tags").fill("#trip, work")
    filters.get_by_label("Tags").press("Enter")
    person.sees_in_address("tags=#trip, work")
    person.sees_total("321.00 USD", "Expenses3")
    filters.get_by_label("Tags").fill("#trip")
    filters.get_by_label("Tags").press("Enter")
    person.sees_total("21.00 USD", "Expenses2")
    filters.get_by_role("button", name="Accounts").click()
    person.page.get_by_role("option", name="Cash").click()
    person.page.keyboard.press("Escape")
    person.sees_total("20.00 USD", "Expenses1")
    person.sees_in_address("accounts=Cash")
    person.page.reload()
    person.sees_total("20.00 USD", "Expenses1")
    person.clicks("Clear filters")
    person.sees_total("321.00 USD", "Expenses3")


@contextmanager
def busy(path: Path) -> Iterator[None]:
    """Another process writes, for as long as the block takes: what is sent meanwhile waits for its answer."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_what_is_typed_while_an_answer_is_outstanding_stays(person: Person, path: Path) -> None:
    person.adds(**LUNCH | {"Amount": "1", "Description": "Bus", "Category": "Transport"})
    person.sees_added("1.00 USD")
    with busy(path):
        person.adds(**LUNCH | {"Amount": "1", "Description": "Tram", "Category": "Transport"})
        person.types(Amount="1", Category="Gifts")  # the same amount again, and another category
    person.sees("Added: 1.00 USD, Transport, Tram")
    person.sees_in(Amount="1", Category="Gifts", Description="")
    person.page.get_by_label("Description", exact=True).press_sequentially("tra")
    person.page.get_by_role("form").get_by_role("option", name="Tram").click()
    person.page.keyboard.press("Enter")  # what was typed stays, though Tram had another category
    person.sees_added("1.00 USD, Gifts, Tram")


def test_what_was_refused_while_the_next_was_typed_can_be_put_back(person: Person, path: Path) -> None:
    with busy(path):
        person.adds(**LUNCH)
        person.adds(**LUNCH | {"Amount": "7,5", "Description": "Bread"})
        person.adds(**LUNCH | {"Amount": "9", "Description": "Fish"})
    person.sees("Added: 9.00 USD, Food, Fish")
    person.sees_tray("1 to decide", "7,5, Bread Amount must be a plain decimal")
    person.page.reload()
    person.sees_tray("1 to decide", "7,5, Bread Amount must be a plain decimal")
    person.clicks("Edit")
    person.adds(Amount="7.50")
    person.sees_added("7.50 USD, Food, Bread")
    person.sees_tray("")
    assert sorted(str(each.amount) for each in Ledger(path).search().items) == ["12.50", "7.50", "9.00"]


def test_what_is_outstanding_is_sent_after_a_reload(person: Person, path: Path) -> None:
    with busy(path):
        person.adds(**LUNCH)
        person.adds(**LUNCH | {"Amount": "22", "Description": "Book"})
        person.types(**LUNCH | {"Amount": "33", "Description": "Half-typed"})
        person.page.reload()
        person.sees_in(Amount="33", Description="Half-typed")
    person.sees_total("34.50 USD", "Expenses2")
    person.sees_in(Amount="33", Description="Half-typed")
    person.page.keyboard.press("Enter")
    person.sees_total("67.50 USD", "Expenses3")


def test_enter_sends_the_category_that_is_seen(ledger: Ledger, opened: Callable[[], Person]) -> None:
    ledger.record(an_expense(description="Cinema", category="Fun"))
    person = opened()
    person.types(Amount="8", Category="Clothes")
    person.types(Description="Cinema")
    person.page.keyboard.press("Enter")
    person.sees_added("8.00 USD, Clothes, Cinema")


def test_double_click_on_undo_undoes_once(ledger: Ledger, opened: Callable[[], Person]) -> None:
    ledger.record(an_expense())
    person = opened()
    person.edits("Lunch")
    person.dialog.get_by_label("Amount", exact=True).fill("70")
    person.page.keyboard.press("Enter")
    person.sees("Saved: 70.00 USD")
    undo = person.page.get_by_role("button", name="Undo", exact=True)
    undo.click()
    person.sees("Undone: 12.50 USD")
    undo.hover()  # what undoes the undo has come into its place
    person.page.mouse.down(click_count=2)
    person.page.mouse.up(click_count=2)
    person.sees_total("12.50 USD")
    undo.click()  # a click of its own is another matter
    person.sees("Undone: 70.00 USD")
    person.clicks("Undo")
    person.sees("Undone: 12.50 USD")
    person.sees_total("12.50 USD")
    assert [line.change for line in ledger.history(1)] == ["created", *["amended"] * 4]


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Five expenses of three categories, in this month and in the one a year ago."""
    this, year_ago = TODAY.replace(day=1), TODAY.replace(year=TODAY.year - 1, day=1)
    for number, (amount, category, description, date) in enumerate(
        [
            ("900", "Rent", "Flat", this),
            ("31.75", "Food", "Grocer", this),
            ("2.40", "Transport", "Bus", this),
            ("29.10", "Food", "Grocer", year_ago),
            ("850", "Rent", "Flat", year_ago),
        ]
    ):
        ledger.record(
            an_expense(amount=amount, category=category, description=description, date=str(date)),
            f"filled-{number}",
        )
    return ledger


def test_filters_are_kept_in_the_address(
    filled: Ledger, opened: Callable[[], Person], context: BrowserContext
) -> None:
    person = opened()
    person.sees_total("1,813.25 USD", "Expenses5", "A month, over 13 months", "139.48 USD")
    person.chooses("Period", "This month")
    person.sees_total("934.15 USD", "Expenses3", "A month, over 1 month")
    person.filters(At_most="100")
    person.sees_total("34.15 USD", "Expenses2")
    person.page.get_by_label("Search", exact=True).fill("groc")
    person.sees_rows("31.75")
    person.sees_in_address("period=this-month")
    person.sees_in_address("amount=..100")
    person.sees_in_address("q=groc")
    page = context.new_page()
    other = Person(page, person.page.url)
    other.sees_rows("31.75")
    other.sees_in(**{"Search": "groc", "At most": "100"})
    other.clicks("Clear filters")
    other.sees_total("1,813.25 USD", "Expenses5")
    other.sees_in(Search="")
    page.close()


def test_filter_by_categories_and_by_days_of_ones_own(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.page.locator('[data-cell-name="filter_fields"]').get_by_role("button", name="Categories").click()
    for name in ("Food", "Transport"):
        person.page.get_by_role("option", name=name).click()
    person.page.keyboard.press("Escape")
    person.sees_total("63.25 USD", "Expenses3")
    person.sees_in_address("categories=Food,Transport")
    person.chooses("Period", "Custom range")
    person.filters(From="2020-13-01")
    person.sees("From must be a day that exists in the calendar.")
    person.filters(From=str(TODAY.replace(day=1)))
    person.sees_no("From must be")
    person.sees_total("34.15 USD", "Expenses2")
    person.filters(At_least="1,5")
    person.sees("At least must be a plain decimal")


def test_the_list_is_sorted_and_paged_by_the_ledger(ledger: Ledger, opened: Callable[[], Person]) -> None:
    for number in range(1, 121):
        ledger.record(an_expense(amount=f"{number}.00", description=f"Nr {number}"))
    person = opened()
    expect(person.rows).to_have_count(50)
    expect(person.rows.first).to_contain_text("Nr 120")
    person.page.get_by_role("button", name="Amount").click()
    expect(person.page.get_by_role("columnheader", name="Amount")).to_have_attribute(
        "aria-sort", "descending"
    )
    person.page.get_by_role("button", name="Amount").click()
    expect(person.rows.first).to_contain_text("Nr 1")
    person.page.get_by_role("button", name="Older").dblclick()  # two pages on
    expect(person.rows.first).to_contain_text("Nr 101")
    expect(person.page.get_by_role("button", name="Older")).to_be_disabled()
    person.clicks("Newer")
    expect(person.rows.first).to_contain_text("Nr 51")
    person.sees_total("7,260.00 USD", "Expenses120")
    amounts = person.page.locator('[data-cell-name="listing"] td.amount').first
    assert amounts.evaluate("cell => getComputedStyle(cell).textAlign") == "right"


def test_selected_rows_have_a_sum_of_their_own_and_move_together(
    filled: Ledger, opened: Callable[[], Person]
) -> None:
    person = opened()
    person.selects("Grocer, 31.75")
    person.selects("Bus")
    person.sees("2 selected: 34.15 USD")
    person.clicks("Move to a category")
    person.dialog.get_by_label("Category", exact=True).fill("Daily")
    person.page.keyboard.press("Enter")
    person.sees("Moved 2 expenses to Daily.")
    expect(person.dialog).to_have_count(0)
    assert {each.name: each.count for each in filled.categories()} == {"Daily": 2, "Food": 1, "Rent": 2}
    person.clicks("Undo")
    person.sees("Undone: 2 expenses as before.")
    assert {each.name: each.count for each in filled.categories()} == {"Food": 2, "Rent": 2, "Transport": 1}


def test_all_that_is_visible_moves_together(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.chooses("Period", "This month")
    person.clicks("Move all 3 to a category")
    person.dialog.get_by_label("Category", exact=True).fill("Daily")
    person.clicks("Move")
    person.sees("Moved 3 expenses to Daily.")
    assert {each.name: each.count for each in filled.categories()} == {"Daily": 3, "Food": 1, "Rent": 1}


def test_an_expense_is_edited_deleted_and_brought_back(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.edits("Bus")
    expect(person.dialog).to_contain_text("added: 2.40 USD, Transport, Bus")
    person.dialog.get_by_label("Amount", exact=True).fill("2,60")
    person.page.keyboard.press("Enter")
    expect(person.dialog).to_contain_text("Amount must be a plain decimal")
    person.dialog.get_by_label("Amount", exact=True).fill("2.60")
    person.page.keyboard.press("Enter")
    person.sees("Saved: 2.60 USD, Transport, Bus")
    person.sees_total("1,813.45 USD")
    person.clicks("Undo")
    person.sees_total("1,813.25 USD")

    person.edits("Bus")
    expect(person.dialog).to_contain_text("edited: amount from 2.40 to 2.60")
    person.clicks("Delete")
    person.sees("Deleted: 2.40 USD, Transport, Bus")
    person.sees_total("1,810.85 USD", "Expenses4")
    person.goes_to("Changes")
    person.page.get_by_role("button", name="Undo the change").first.click()
    person.sees_total("1,813.25 USD", "Expenses5")


def test_an_edit_of_what_somebody_changed_meanwhile_is_refused(
    filled: Ledger, opened: Callable[[], Person]
) -> None:
    person = opened()
    person.edits("Bus")
    filled.amend(3, {"amount": "5"}, version=1)
    person.dialog.get_by_label("Amount", exact=True).fill("2.60")
    person.page.keyboard.press("Enter")
    expect(person.dialog).to_contain_text("Somebody changed this expense meanwhile.")
    person.page.keyboard.press("Escape")
    expect(person.dialog).to_have_count(0)
    assert str(filled.get(3).amount) == "5.00"


def test_an_edit_saved_twice_before_the_first_answer_is_saved_twice(
    filled: Ledger, opened: Callable[[], Person], path: Path
) -> None:
    person = opened()
    person.edits("Bus")
    with busy(path):
        for amount in ("2.60", "2.80"):
            person.dialog.get_by_label("Amount", exact=True).fill(amount)
            person.page.keyboard.press("Enter")
    person.sees("Saved: 2.80 USD, Transport, Bus")
    expect(person.dialog).to_have_count(0)
    assert [str(each.after and each.after.amount) for each in filled.history(3)] == ["2.40", "2.60", "2.80"]


def test_categories_are_renamed_and_merged(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.goes_to("Categories")
    person.clicks("Rename Transport")
    person.dialog.get_by_label("Category", exact=True).fill("food")
    person.page.keyboard.press("Enter")
    person.sees("Transport is now Food, which has 3 expenses.")
    expect(person.page.get_by_role("button", name="Rename Transport")).to_have_count(0)
    person.clicks("Undo")
    expect(person.page.get_by_role("button", name="Rename Transport")).to_be_visible()
    assert {each.name: each.count for each in filled.categories()} == {"Food": 2, "Rent": 2, "Transport": 1}


def test_a_click_on_a_bar_filters_the_list(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.goes_to("Charts")
    bar = person.page.get_by_label(f"{TODAY:%Y-%m}: 934.15 USD, 3 expenses")
    bar.click()
    person.sees_total("934.15 USD", "Expenses3")
    person.page.get_by_label("Food: 31.75 USD, 1 expense").click()
    person.sees_rows("Grocer")
    person.sees_in_address("categories=Food")
    bar = person.page.get_by_label(f"{TODAY:%Y-%m}: 31.75 USD, 1 expense")
    bar.click()  # once more: all months again
    person.sees_total("60.85 USD", "Expenses2")


def test_this_month_stands_beside_the_same_a_year_ago(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.goes_to("Insights")
    table = person.page.locator('[data-cell-name="comparison"] table')
    expect(table.locator("tbody tr").first).to_have_text(
        "All" + "934.15" + "0.00" + "934.15" + "879.10" + "55.05"
    )
    expect(table.locator("tbody tr")).to_have_count(4)
    person.sees("Nothing came three times")


def test_what_likely_comes_again_is_told(ledger: Ledger, opened: Callable[[], Person]) -> None:
    for days in (100, 70, 40, 10):
        date = TODAY - dt.timedelta(days=days)
        ledger.record(an_expense(description="Phone", amount="19.99", date=str(date)))
    person = opened()
    person.goes_to("Insights")
    table = person.page.locator('[data-cell-name="coming_again"] table')
    expect(table.locator("tbody tr")).to_contain_text(["19.99"])
    expect(table).to_contain_text(str(TODAY + dt.timedelta(days=20)))


STATEMENT = """Date;Text;Amount
22.11.2026;Bus;-2,40
22.11.2026;Bus;-2,40
23.11.2026;Grocer;-31,75
25.11.2026;Salary;2.900,00
kaputt;x;y
"""


def test_a_statement_is_looked_at_imported_and_undone(person: Person, path: Path, tmp_path: Path) -> None:
    file = tmp_path / "november.csv"
    file.write_text(STATEMENT, encoding="utf-8")
    person.goes_to("Import")
    person.drops(file)
    person.sees("november.csv: 3 new, 1 left out, 1 not understood, as far as can be told")
    person.sees("Money came in")
    assert Ledger(path).search().count == 0
    person.sees("2 of 5 rows would be left out")
    expect(person.page.get_by_label("Money spent is written", exact=True)).to_have_count(
        1
    )  # beside the alarm
    person.sees("Nothing can be imported before that is said.")
    expect(person.page.get_by_role("button", name="Import 3 expenses")).to_have_count(0)
    person.types_account("Giro")
    person.sees("account Giro")
    person.clicks("Import 3 expenses")
    person.sees("Imported november.csv: 3 new, 1 left out, 1 not understood.")
    person.sees_total("36.55 USD", "Expenses3")
    person.drops(file)
    person.sees("Of which account is this file?")
    person.clicks("Giro, as last time")
    person.sees("november.csv: 3 there already, 1 left out, 1 not understood.")
    person.clicks("Take another file")
    expect(person.page.locator('[data-cell-name="imported"]')).to_contain_text("Not understood")
    person.page.get_by_role("button", name="Undo the import of november.csv").click()
    person.sees("Undone: 3 expenses as before.")
    person.sees_total("0.00 USD", "Expenses0")


def test_a_statement_that_is_read_wrongly_is_corrected(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("When;Paid;Booked;Note;Other\n01/02/2026;3.10;4.20;Pen;Ink\n", encoding="utf-8")
    person.goes_to("Import")
    person.drops(file)
    person.sees("The amount must be said: no column is clearly that")
    person.chooses("It is", "Booked")
    person.sees("The date format must be said: the days and months fit %d/%m/%Y and %m/%d/%Y.")
    person.chooses("It is", "22/11/2026")
    person.sees("shop.csv: 1 new")
    person.picks_account("(not known)")
    person.sees("shop.csv: 1 new. Nothing is written yet.")
    correction = person.page.locator('[data-cell-name="correction"]')
    correction.get_by_label("Amount").select_option("Paid")
    expect(person.page.locator('[data-cell-name="verdicts"]')).to_contain_text("3.10")
    correction.get_by_label("Description, and also", exact=True).select_option("Other")
    expect(person.page.locator('[data-cell-name="verdicts"]')).to_contain_text("Pen Ink")
    correction.get_by_label("Description", exact=True).select_option("(none)")
    expect(person.page.locator('[data-cell-name="verdicts"]')).not_to_contain_text("Pen")
    person.clicks("Import 1 expense")
    person.sees_total("3.10 USD", "Expenses1")


def test_a_file_that_is_not_understood_can_be_explained(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("When,Text,Amount\n22nov26,Pen,3.10\n", encoding="utf-8")
    person.goes_to("Import")
    person.drops(file)
    person.sees("If it is one, say below how it is written.")
    person.filters(Or_dates_are_written_as="%d%b%y")
    correction = person.page.locator('[data-cell-name="correction"]')
    expect(person.page.get_by_label("Or dates are written as", exact=True)).to_have_value("%d%b%y")
    correction.get_by_label("Date", exact=True).select_option("When")
    person.sees("shop.csv: 1 new")


def test_rows_are_the_same_as_expenses_new_or_left_out(
    ledger: Ledger, opened: Callable[[], Person], tmp_path: Path
) -> None:
    ledger.record(an_expense())
    ledger.record(an_expense(amount="31.75", description="Market"))
    file = tmp_path / "card.csv"
    file.write_text(
        "Date,Text,Amount\n2026-11-23,Lunch with Ada,12.50\n2026-11-23,POS 4411,31.75\n2026-11-23,Pen,1.00\n",
        encoding="utf-8",
    )
    person = opened()
    person.goes_to("Import")
    person.drops(file)
    person.picks_account("(not known)")
    person.sees("card.csv: 1 new, 1 taken for expenses you have, 1 to decide later.")
    person.sees("counts in no total until you decide")
    person.sees_choice(2, "the same as #1, Lunch, 22 Nov")
    person.sees_choice(3, "decide later")
    person.line(3).focus()
    person.says_of_line(3, "the same as #2, Market, 22 Nov")
    person.sees("card.csv: 1 new, 2 taken for expenses you have.")
    expect(person.line(3)).to_be_focused()
    person.says_of_line(4, "leave out")
    person.says_of_line(2, "new")
    person.sees("card.csv: 1 new, 1 taken for expenses you have, 1 left out.")
    person.clicks("Import 1 expense")
    person.sees("Imported card.csv: 1 new, 1 taken for expenses you have, 1 left out.")
    person.sees_total("56.75 USD", "Expenses3")


def test_entering_goes_on_while_a_statement_is_imported(person: Person, path: Path, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    lines = [f"2026-01-{1 + number % 28:02d},Shop {number},{number % 97 + 1}.00" for number in range(30_000)]
    file.write_text("\n".join(["date,description,amount", *lines]), encoding="utf-8")
    person.goes_to("Import")
    person.drops(file)
    person.sees("30,000 new")
    person.picks_account("(not known)")
    person.sees("30,000 new. Nothing is written yet.")
    person.clicks("Import 30,000 expenses")
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    person.sees("Imported many.csv: 30,000 new.")
    person.sees_total("Expenses30,001")
    assert Ledger(path).search().count == 30_001


def test_the_visible_rows_are_downloaded(filled: Ledger, opened: Callable[[], Person]) -> None:
    person = opened()
    person.chooses("Period", "This month")
    person.sees_total("Expenses3")
    with person.page.expect_download() as download:
        person.page.get_by_text("Download as CSV").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("934.15")


def test_two_people_see_each_others_entries(person: Person, context: BrowserContext) -> None:
    page = context.new_page()
    other = Person(page, person.page.url)
    person.adds(**LUNCH)
    person.sees_added("")
    expect(other.page.locator('[data-cell-name="totals"]')).to_contain_text("12.50 USD", timeout=10_000)
    other.adds(**LUNCH)
    other.sees("Already recorded")
    other.adds(**LUNCH | {"Amount": "1"})
    other.sees_added("")
    expect(person.page.locator('[data-cell-name="totals"]')).to_contain_text("13.50 USD", timeout=10_000)
    page.close()


def test_what_a_person_typed_is_never_html(person: Person, tmp_path: Path) -> None:
    evil = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>"
    person.adds(**LUNCH | {"Description": evil, "Category": "<i>Food</i>"})
    person.sees_added("12.50 USD, <i>Food</i>, <img src=x")
    person.edits("<img")
    expect(person.dialog).to_contain_text("<b>bold</b>")
    person.dialog.get_by_label("Amount", exact=True).fill("13")
    person.page.keyboard.press("Enter")
    person.sees("Saved: 13.00 USD, <i>Food</i>")
    file = tmp_path / "<b>bold<b>.csv"
    file.write_text("date,description,amount\n2026-11-22,<b>bold</b> & more,1.00\n", encoding="utf-8")
    for section in ("List", "Charts", "Insights", "Categories", "Changes", "Import"):
        person.goes_to(section)
        assert person.page.locator("b, i, img[src=x]").count() == 0
    person.drops(file)
    expect(person.page.locator('[data-cell-name="verdicts"]')).to_contain_text("<b>bold</b> & more")
    assert person.page.locator("b, i, img[src=x]").count() == 0
    assert person.page.title() == "Expenses"


def test_sample_expenses_are_in_a_ledger_of_their_own(person: Person, path: Path) -> None:
    person.page.get_by_role("link", name="Load sample expenses").click()
    person.sees("These are sample expenses")
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    person.page.reload()
    person.sees("These are sample expenses")
    person.page.get_by_role("link", name="Leave the demo").click()
    person.sees("No expenses yet")
    assert Ledger(path).search().count == 0


def test_nothing_is_asked_of_another_host(filled: Ledger, tab: Page, url: str, tmp_path: Path) -> None:
    linked = "https://elsewhere.example/image.png"
    filled.record(an_expense(description=linked))
    file = tmp_path / "linked.csv"
    file.write_text(f"date,description,amount\n2026-11-22,{linked},1.00\n", encoding="utf-8")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("websocket", lambda socket: asked.append(socket.url.replace("ws:", "http:")))
    person = Person(tab, url)
    for section in ("Charts", "Insights", "Categories", "Changes", "Import"):
        person.goes_to(section)
    person.drops(file)
    expect(tab.locator('[data-cell-name="verdicts"]')).to_contain_text(linked)
    elsewhere = [each for each in asked if not each.startswith((url, "data:", "blob:"))]
    assert len(asked) > 50
    assert elsewhere == []


# What sticks out to the right of the window, in shadow roots too; scrolled regions of their own aside.
TOO_WIDE = """() => {
    const found = [];
    const look = (root) => {
        for (const each of root.querySelectorAll("*")) {
            const box = each.getBoundingClientRect();
            if (box.width && box.right > innerWidth + 1 && !each.closest(".across")) found.push(each.outerHTML.slice(0, 200));
            if (each.shadowRoot) look(each.shadowRoot);
        }
    };
    look(document);
    return found;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_fits_a_phone(
    filled: Ledger, url: str, browser: Browser, tmp_path: Path, *, dark: bool
) -> None:
    page = browser.new_page(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if dark else "light", has_touch=True
    )
    long = "w" * 50
    filled.record(an_expense(account="x" * 100, tags=[long, f"{long[1:]}x"], note="n" * 2_000))
    person = Person(page, url)
    person.clicks("More")
    person.types(Account="x" * 100)
    person.clicks("More")
    for section in ("Charts", "Insights", "Import", "Categories", "Changes", "List"):
        person.goes_to(section)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(TOO_WIDE) == []
    person.goes_to("Import")
    file = tmp_path / "november.csv"
    file.write_text(STATEMENT + f"24.11.2026;{long};-1", encoding="utf-8")
    person.drops(file)
    person.types_account("x" * 100)
    expect(person.line(2)).to_be_visible()
    page.get_by_text("Not read rightly?").click()
    assert page.evaluate(TOO_WIDE) == []
    person.goes_to("List")
    person.edits("Bus")
    box = person.dialog.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
    page.close()
