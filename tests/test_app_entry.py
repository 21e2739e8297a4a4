"""Entering at a person's speed, in a real browser: nothing that was typed is lost, and nothing is misfiled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from expense_lib import Ledger, LedgerMoved
from expense_lib.statements import read
from tests.builders import an_expense, app, hold
from tests.person import LUNCH, Person

TODAY = dt.datetime.now().astimezone().date()
SPEEDS_MS = (20, 60, 100, 150)  # a key
RECEIPTS = [
    (str(number % 9 + 1), shop) for number, shop in enumerate("abcdefghijklmnopq")
]  # few keys, as each waits
RECEIPTS = [*RECEIPTS[:5], RECEIPTS[4], *RECEIPTS[5:9], RECEIPTS[2], *RECEIPTS[9:], RECEIPTS[16]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    path = tmp_path_factory.mktemp("ledger") / "expenses.db"
    with app(tmp_path_factory.mktemp("elsewhere"), EXPENSE_LEDGER=str(path)) as url:
        yield url, path


@pytest.fixture
def path(place: tuple[str, Path]) -> Path:
    for file in place[1].parent.iterdir():
        file.unlink()
    with suppress(LedgerMoved):  # this process had the last test's file open
        Ledger(place[1])
    return place[1]


@pytest.fixture
def url(place: tuple[str, Path], path: Path) -> str:
    return place[0]


@pytest.fixture
def person(tab: Page, url: str) -> Person:
    return Person(tab, url)


def types_receipt(person: Person, *texts: str, delay: float) -> None:
    """By keyboard only, field after field, and Enter."""
    keys = person.page.keyboard
    for number, text in enumerate(texts):
        if number:
            keys.press("Tab", delay=delay)
        keys.type(text, delay=delay)
    keys.press("Enter", delay=delay)


@pytest.mark.parametrize("delay", SPEEDS_MS)
def test_of_twenty_receipts_three_stand_in_the_tray_until_they_are_decided(
    person: Person, path: Path, delay: int
) -> None:
    person.sees_focus_in("Amount")
    for amount, shop in RECEIPTS:
        types_receipt(person, amount, shop, "F", delay=delay)
    assert len(RECEIPTS) == 20
    person.sees_tray("3 to decide", "5, e", "3, c", "8, q")
    assert Ledger(path).search().count == 17
    person.page.reload()
    person.sees_tray("3 to decide", "5, e", "3, c", "8, q")
    person.sees_focus_in("Amount")
    person.page.keyboard.press("Enter")  # from the blank form to the tray
    for left in ("2 to decide", "1 to decide", ""):
        person.page.keyboard.press("Enter")
        expect(person.waiting).to_have_count(int(left[:1] or 0))
    total = sum(Decimal(amount) for amount, _ in RECEIPTS)
    person.sees_total(f"{total:.2f} USD", "Expenses20")
    found = Ledger(path).search()
    assert (found.count, found.total) == (20, total)
    person.sees_focus_in("Amount")


@pytest.mark.parametrize("delay", SPEEDS_MS)
def test_known_payee_gets_its_own_category_at_any_speed(person: Person, path: Path, delay: int) -> None:
    ledger = Ledger(path)
    ledger.record(an_expense(description="Bus", category="Transport", date="2026-11-01"))
    ledger.record(an_expense(description="Grocer", category="Groceries", date="2026-11-01"))
    person.sees_focus_in("Amount")
    for amount, shop in (("31.75", "Grocer"), ("2.40", "Bus"), ("8.10", "Grocer"), ("2.60", "Bus")):
        types_receipt(person, amount, shop, delay=delay)
    person.sees_total("Expenses6")
    recorded = [(str(each.amount), each.category) for each in ledger.search().items[:4]]
    assert sorted(recorded) == [
        ("2.40", "Transport"),
        ("2.60", "Transport"),
        ("31.75", "Groceries"),
        ("8.10", "Groceries"),
    ]


def test_likely_category_is_shown_and_sent_only_if_accepted(person: Person, path: Path) -> None:
    Ledger(path).record(an_expense(description="Bus", category="Transport", date="2026-11-01"))
    category = person.form.get_by_label("Category", exact=True)
    person.types(Amount="2.40", Description="Bus")
    expect(category).to_have_attribute("placeholder", "Transport")
    person.sees_in(Category="")
    category.press("Tab")
    person.sees_in(Category="Transport")
    person.types(Category="Travel")
    person.page.keyboard.press("Enter")
    person.sees_added("2.40 USD, Travel, Bus")
    expect(category).to_have_attribute("placeholder", "")
    person.sees_in(Category="")


def test_tab_leads_past_a_list_that_scrolls(person: Person, path: Path) -> None:
    for number in range(8):
        Ledger(path).record(an_expense(description=f"Shop {number} with a name that is long" * 3))
    person.sees_focus_in("Amount")
    person.page.keyboard.type("3")
    person.page.keyboard.press("Tab")
    person.page.keyboard.type("Shop")
    offered = person.form.get_by_role("option")
    expect(offered).to_have_count(8)
    expect(offered.last).not_to_be_in_viewport(ratio=1)
    person.page.keyboard.press("Tab")
    person.page.keyboard.type("Food")
    person.sees_in(Amount="3", Description="Shop", Category="Food")


def test_category_that_nobody_knows_is_asked_for_with_one_key(person: Person, path: Path) -> None:
    Ledger(path).record(an_expense())
    person.sees_focus_in("Amount")
    types_receipt(person, "7", "Zoo", delay=0)
    person.sees_tray("1 to decide", "7, Zoo")
    types_receipt(person, "8", "Lake", delay=0)  # which nothing keeps from being entered
    person.sees_tray("2 to decide", "7, Zoo", "8, Lake")
    person.waiting.first.get_by_role("button", name="Food", exact=True).click()
    person.sees_added("7.00 USD, Food, Zoo")
    person.waiting.first.focus()
    person.page.keyboard.press("Enter")
    person.sees_added("8.00 USD, Food, Lake")
    person.sees_tray("")


def test_two_tabs_share_the_tray_and_double_nothing(
    person: Person, context: BrowserContext, path: Path
) -> None:
    person.adds(**LUNCH)
    person.sees_added("12.50 USD")
    person.adds(**LUNCH)
    other = Person(context.new_page(), person.page.url)
    for each in (person, other):
        each.sees_tray("1 to decide", "Already recorded at")
    person.waiting.get_by_role("button", name="Another one").dblclick()
    for each in (person, other):
        each.sees_tray("")
        each.sees_total("25.00 USD", "Expenses2")
    person.adds(**LUNCH)
    other.sees_tray("1 to decide", "Already recorded at")
    other.waiting.focus()
    other.page.keyboard.press("Shift+Enter")
    person.sees_tray("")
    assert Ledger(path).search().count == 2
    other.page.close()


def test_edited_entry_is_out_of_the_tray_once_it_is_sent(person: Person, path: Path) -> None:
    person.adds(**LUNCH | {"Amount": "7,5"})
    person.sees_tray("1 to decide", "Amount must be a plain decimal")
    person.types(Amount="9", Description="Half-typed")
    person.waiting.get_by_role("button", name="Edit").click()
    person.sees_in(**LUNCH | {"Amount": "7,5"})
    person.sees_focus_in("Amount")
    person.sees("Amount must be a plain decimal")
    person.sees_tray("1 to decide", "9, Half-typed")  # which was in the form
    person.page.reload()
    person.sees_in(**LUNCH | {"Amount": "7,5"})
    person.adds(Amount="7.50")
    person.sees_added("7.50 USD, Food, Lunch")
    person.sees_tray("1 to decide", "9, Half-typed")
    person.waiting.get_by_role("button", name="Throw away").click()
    person.sees_tray("")
    person.clicks("Put it back")
    person.sees_tray("1 to decide", "9, Half-typed")
    assert Ledger(path).search().count == 1


def test_date_that_is_not_today_is_said_and_goes_after_some_minutes(tab: Page, url: str) -> None:
    noon = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
    tab.clock.install(time=noon)
    person = Person(tab, url)
    person.clicks("Yesterday")
    still = person.form.get_by_role("button", name="still 24 Nov")
    expect(still).to_be_visible()
    person.adds(Amount="3", Description="Tea", Category="Food")
    person.sees_added("3.00 USD, Food, Tea, 2026-11-24")
    expect(still).to_be_visible()
    tab.clock.run_for(4 * 60_000)
    person.sees_in(Date="2026-11-24")
    tab.clock.run_for(2 * 60_000)
    person.sees_in(Date="2026-11-25")
    expect(still).to_have_count(0)
    person.clicks("Yesterday")
    still.click()
    person.sees_in(Date="2026-11-25")
    person.clicks("Yesterday")
    tab.reload()
    person.sees_in(Date="2026-11-25")


def test_account_is_a_pill_for_the_next_entry(person: Person, path: Path) -> None:
    Ledger(path).record(an_expense(account="Card"))
    person.page.reload()
    person.clicks("More")
    person.adds(Amount="3", Description="Tea", Category="Food", Account="Cash")
    person.sees_added("3.00 USD, Food, Tea")
    person.clicks("More")
    pill = person.form.get_by_role("button", name="Account Cash", exact=True)
    expect(pill).to_be_visible()
    pill.press("ArrowUp")
    expect(person.form.get_by_role("button", name="Account Card", exact=True)).to_be_focused()
    person.adds(Amount="4", Description="Tea")
    person.sees_added(f"4.00 USD, Food, Tea, {TODAY}, Card")
    person.form.get_by_role("button", name="No account").click()
    person.adds(Amount="5", Description="Tea")
    person.sees_added(f"5.00 USD, Food, Tea, {TODAY}.")


def test_what_looks_like_a_slip_is_recorded_and_asked_about(person: Person, path: Path) -> None:
    ledger = Ledger(path)
    for day in (1, 2, 3):
        ledger.record(an_expense(description="Tea", amount="2", date=f"2026-11-{day:02d}"))
    person.types(Date=str(TODAY.replace(year=TODAY.year - 1, day=1)))
    person.adds(Amount="200", Description="Tea", Category="Fodd")
    person.sees_tray(
        "To look at",
        f"{TODAY.replace(day=1)}?",
        "Fodd: Food?",
        "usually costs 2.00 USD, this time 200.00 USD?",
    )
    assert ledger.search().count == 4
    person.waiting.filter(has_text="Fodd").get_by_role("button", name="Change it to Food").click()
    person.sees("Changed: 200.00 USD, Food, Tea")
    person.page.reload()
    person.waiting.filter(has_text="costs").get_by_role("button", name="It is right").click()
    expect(person.waiting).to_have_count(1)
    assert {each.category for each in ledger.search().items} == {"Food"}


def test_all_that_the_ledger_asks_can_be_reached(person: Person, path: Path) -> None:
    hold(Ledger(path), 8)
    person.page.reload()
    person.sees_tray("8 to decide", "SHOP A", "SHOP B", "SHOP C", "SHOP D", "SHOP E")
    person.waiting.first.get_by_role("button", name="The same as Present 1").click()
    person.sees_tray("7 to decide", "SHOP B", "SHOP C", "SHOP D", "SHOP E", "SHOP F")
    person.clicks("2 more to decide")
    expect(person.waiting).to_have_count(7)
    person.waiting.last.get_by_role("button", name="Leave it out").click()
    person.waiting.first.focus()
    for left in range(5, -1, -1):
        person.page.keyboard.press("Enter")
        expect(person.waiting).to_have_count(left)
    person.sees_focus_in("Amount")
    person.sees_total("36.00 USD", "Expenses8")


def test_what_the_bank_may_have_told_of_is_asked_beside_the_entry(person: Person, path: Path) -> None:
    ledger = Ledger(path)
    hold(ledger, 6)
    ledger.import_statement(read(b"Date,Description,Amount\n2026-11-23,TRATTORIA,18.40\n", account="Giro"))
    person.page.reload()
    person.sees_total("39.40 USD", "Expenses7")
    person.adds(**LUNCH | {"Amount": "18.40", "Description": "Supper"})
    person.sees("The bank told of one that may be the same; it counts nowhere until you decide below.")
    expect(person.waiting.first).to_contain_text("TRATTORIA")
    person.sees_total("39.40 USD", "Expenses7")
    person.waiting.first.get_by_role("button", name="The same as Supper, 22 Nov").click()
    person.sees("It is the same payment as")
    person.sees_total("39.40 USD", "Expenses7")
    expect(person.waiting.filter(has_text="TRATTORIA")).to_have_count(0)


def test_undo_of_an_entry_that_the_bank_had_told_of_leaves_the_payment(person: Person, path: Path) -> None:
    ledger = Ledger(path)
    ledger.import_statement(read(b"Date,Description,Amount\n2026-11-22,LUNCH 0815,12.50\n", account="Giro"))
    person.adds(**LUNCH)
    person.sees("The bank had told of it, and it is there once.")
    person.form.locator("xpath=..").get_by_role("button", name="Undo").click()
    person.sees("It is as the bank told of it.")
    person.sees_total("12.50 USD", "Expenses1")
    person.sees_in(Amount="12.50", Description="Lunch")
    assert [each.description for each in ledger.search().items] == ["LUNCH 0815"]


def test_tray_of_another_ledger_at_the_same_address_is_another(
    person: Person, path: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        person.adds(**LUNCH)
    person.sees_tray("1 to decide", "12.50, Lunch")
    files = [file.name for file in path.parent.iterdir()]
    for name in files:
        (path.parent / name).rename(tmp_path / name)
    person.page.reload()
    person.sees_total("0.00 USD")
    person.sees_tray("")
    for file in path.parent.iterdir():
        file.unlink()
    for name in files:
        (tmp_path / name).rename(path.parent / name)
    person.page.reload()
    person.sees_tray("1 to decide", "12.50, Lunch")
