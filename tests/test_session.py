"""One person at the app, or two, on a real ledger: what they are told, and what becomes of what they do."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expense_lib import Ledger, LedgerUnavailable
from expense_lib.app import demo, tray
from expense_lib.app import session as session_module
from expense_lib.app.edits import Done, Failed, Open
from expense_lib.app.filters import CUSTOM, View
from expense_lib.app.session import CHANGES, Session, Tell
from expense_lib.app.snapshot import Snapshot
from expense_lib.statements import read
from tests.builders import an_expense, fields, free_port, handler, hold

pytestmark = pytest.mark.of_the_file

_ids = itertools.count(1)


class Person:
    """Somebody at a session, with all that the session told and replied."""

    def __init__(self, **query: str) -> None:
        self.told: list[tuple[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.session = Session(
            query, Tell(*map(self._told, ("seen", "filters", "picked", "notice", "address")))
        )

    def _told(self, what: str) -> Callable[[object], None]:
        return lambda new: self.told.append((what, new))

    def adds(self, **changes: Any) -> dict[str, Any]:
        message = {"id": f"m{next(_ids)}", "values": {**fields(), "refund": False} | changes}
        self.session.add(message, self.replies.append)
        return message

    def decides(self, message: dict[str, Any], name: str, **more: Any) -> None:
        self.session.add(message | {"as": name} | more, self.replies.append)

    def answers(self, **values: Any) -> dict[str, Any]:
        self.session.answer({"id": f"m{next(_ids)}", "values": values}, self.replies.append)
        return self.replies[-1]

    def acts(self, name: str) -> None:
        self.session.act({"name": name, "of": self.session.entry.number}, self.replies.append)

    def undoes(self) -> None:
        self.session.undo(self.session.notices)

    @property
    def sees(self) -> tuple[int, str]:
        page = self.session.seen.page
        assert page is not None
        return page.count, str(page.total)

    @property
    def dates(self) -> list[str]:
        return [row["date"] for row in self.session.table()["rows"]]

    def heard(self) -> list[str]:
        """What it was told of since the last time."""
        found = [what for what, _ in self.told]
        self.told.clear()
        return found


@pytest.fixture
def used(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The ledger that the environment names."""
    monkeypatch.setenv("EXPENSE_LEDGER", str(ledger.path))
    return ledger


@pytest.fixture
def person(used: Ledger) -> Person:
    return Person()


@pytest.fixture
def small_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A demo of one expense in place of hundreds."""
    made = Ledger(tmp_path / "demo.db")
    made.record(an_expense(category="Sample"))
    monkeypatch.setattr(demo, "ledger", lambda: made)
    return made


def test_added_expense_is_replied_first_and_then_seen(person: Person) -> None:
    person.adds()
    assert person.replies[0]["outcome"]["kind"] == "added"
    assert person.heard() == ["seen", "filters"]
    assert person.sees == (1, "12.50")
    person.adds(amount="1")
    assert person.heard() == ["seen"]


def test_message_sent_twice_is_recorded_once_and_tells_nothing_new(person: Person) -> None:
    message = person.adds()
    person.heard()
    person.session.add(message, person.replies.append)
    assert (person.replies[0], person.heard(), person.sees) == (person.replies[1], [], (1, "12.50"))


def test_second_desk_sees_what_the_first_added_once_it_looks(person: Person) -> None:
    other = Person()
    person.adds()
    assert other.sees[0] == 0
    other.session.look()
    other.session.look()
    assert (other.heard(), other.sees) == (["seen", "filters"], person.sees)
    again = other.adds()
    assert "Already recorded" in other.replies[0]["outcome"]["text"]
    other.decides(again, "another")
    person.session.look()
    assert person.sees == other.sees == (2, "25.00")


def test_expense_is_edited_and_the_notice_undoes_it_once(person: Person, used: Ledger) -> None:
    person.adds()
    person.heard()
    person.session.ask_to_edit(1)
    assert person.answers(**fields(amount="13"), refund=False)["close"]
    assert (person.heard(), person.sees) == (["notice", "seen"], (1, "13.00"))
    person.undoes()
    assert (person.sees, isinstance(person.session.notice, Done)) == ((1, "12.50"), True)
    person.undoes()
    assert person.sees == (1, "13.00")


def test_undo_clicked_twice_before_it_is_done_is_done_once(person: Person) -> None:
    calls = []

    def undo(_: Open) -> Done:
        calls.append(1)
        person.undoes()
        return Done("Undone.")

    person.session.did(Done("Done.", undo))
    person.undoes()
    person.undoes()
    assert (calls, person.session.notice) == ([1], Done("Undone."))


def test_undo_that_failed_can_be_clicked_again(person: Person) -> None:
    outcomes: list[Done | Failed] = [Failed("It is down."), Done("Undone.")]
    person.session.did(Done("Done.", lambda _: outcomes.pop(0)))
    person.undoes()
    person.undoes()
    assert (outcomes, person.session.notice) == ([], Done("Undone."))


def test_two_desks_editing_one_expense_do_not_overwrite_each_other(person: Person, used: Ledger) -> None:
    person.adds()
    other = Person()
    for each in (person, other):
        each.session.ask_to_edit(1)
    person.answers(**fields(amount="13"), refund=False)
    assert "meanwhile" in other.answers(**fields(amount="14"), refund=False)["outcome"]["text"]
    other.session.delete(other.replies.append)
    assert "meanwhile" in other.replies[-1]["outcome"]["text"]
    assert str(used.get(1).amount) == "13.00"


def test_expense_is_deleted_from_its_dialog_and_comes_back(person: Person) -> None:
    person.adds()
    person.session.ask_to_edit(1)
    person.session.delete(person.replies.append)
    assert (person.replies[-1]["close"], person.sees) == (True, (0, "0.00"))
    person.undoes()
    assert person.sees == (1, "12.50")


def test_expense_that_is_gone_from_the_page_is_told(person: Person, used: Ledger) -> None:
    person.adds()
    used.delete(1)
    person.session.look()
    assert isinstance(person.session.ask_to_edit(1), dict)


def test_picked_expenses_are_summed_and_moved(person: Person, used: Ledger) -> None:
    for amount in ("1000", "0.05", "7"):
        person.adds(amount=amount)
    person.heard()
    person.session.pick([1, 2, 99])
    person.session.pick([2, 1])
    assert (person.heard(), person.session.picked_in_words()) == (["picked"], "2 selected: 1,000.05 USD")
    person.session.ask_to_move_picked()
    person.answers(category="Rent")
    assert [used.get(each).category for each in (1, 2, 3)] == ["Rent", "Rent", "Food"]
    person.undoes()
    assert {used.get(each).category for each in (1, 2, 3)} == {"Food"}
    person.session.pick([])
    assert person.session.picked == ()


def test_picked_expenses_are_summed_as_they_are_now(person: Person, used: Ledger) -> None:
    person.adds()
    person.session.pick([1])
    used.amend(1, {"amount": "20"}, version=1)
    person.session.look()
    assert person.session.picked_in_words() == "1 selected: 20.00 USD"


def test_all_that_the_filters_leave_is_moved_and_nothing_else(person: Person, used: Ledger) -> None:
    for category in ("Food", "Fuel, oil", "Rent"):
        person.adds(category=category)
    person.session.show(categories=("fuel, OIL",), amount_min="1")
    ask = person.session.ask_to_move_all()["ask"]
    assert ask["title"] == "Move all that match, 1 now, to a category"
    person.answers(category="Travel")
    assert [used.get(each).category for each in (1, 2, 3)] == ["Food", "Travel", "Rent"]


def test_category_is_renamed(person: Person, used: Ledger) -> None:
    person.adds(category="Fod")
    person.adds(category="Fuel")
    person.session.ask_to_rename("Fod")
    person.answers(category="Food")
    assert [each.name for each in person.session.seen.categories] == ["Food", "Fuel"]
    assert person.heard()[-3:] == ["notice", "seen", "filters"]


def test_filters_are_kept_by_the_address_and_survive_a_reload(person: Person) -> None:
    person.adds(category="Food, drinks")
    person.session.show(categories=("Food, drinks", "100%"), q="<b>", sort="amount_asc")
    address = next(new for what, new in person.told if what == "address")
    assert Person(**address).session.view == person.session.view
    assert person.session.category_names() == ["Food, drinks", "100%"]
    person.heard()
    person.session.clear()
    assert (person.session.view, person.sees) == (View(sort="amount_asc"), (1, "12.50"))
    assert person.heard() == ["address", "seen", "filters"]


def test_accounts_are_offered_and_filtered_with_tags(person: Person) -> None:
    person.adds(account="Giro", tags="trip")
    assert person.heard() == ["seen", "filters"]
    person.adds(amount="3", account="Cash", tags="trip kids")
    person.adds(amount="4")
    assert person.session.account_names() == ["Cash", "Giro"]
    person.session.show(accounts=("cash", "Gone"))
    assert (person.sees, person.session.account_names()) == ((1, "3.00"), ["Cash", "Giro", "cash", "Gone"])
    person.session.show(accounts=(), tags="#TRIP")
    assert person.sees == (2, "15.50")
    person.session.clear()
    assert (person.sees[0], person.session.view) == (3, View())


def test_custom_period_has_the_filters_laid_out_anew(person: Person) -> None:
    for period, told in ((CUSTOM, True), ("all", True), ("this-month", False)):
        person.heard()
        person.session.choose_period(period)
        assert ("filters" in person.heard()) is told


def test_unclear_filter_is_told_and_what_was_seen_stays(person: Person) -> None:
    person.adds()
    person.session.show(amount_min="1,5")
    assert person.session.seen.unclear.startswith("At least must be")
    assert person.sees == (1, "12.50")
    person.session.show(amount_min="")
    assert person.session.seen.unclear == ""


@pytest.mark.parametrize(
    "do",
    [
        lambda session: session.ask_to_move_all(),
        lambda session: session.month_bars(),
        lambda session: session.category_bars(),
        lambda session: session.choose_month("2026-11"),
        lambda session: session.export(),
    ],
    ids=["move all", "months", "categories", "choose month", "export"],
)
def test_unclear_filter_breaks_nothing_else(person: Person, do: Callable[[Session], object]) -> None:
    person.adds()
    person.session.show(amount_min="1,5")
    do(person.session)


def fill_pages(ledger: Ledger, count: int) -> None:
    for day in range(count):
        ledger.record(an_expense(date=str(dt.date(2026, 1, 1) + dt.timedelta(days=day))))


def test_pages_are_turned_there_and_back(person: Person, used: Ledger) -> None:
    fill_pages(used, 101)
    person.session.look()
    pages = [person.dates]
    for _ in range(3):
        person.session.turn("older")
        pages.append(person.dates)
    assert [len(page) for page in pages] == [50, 50, 1, 1]
    assert len(set(itertools.chain(*pages))) == 101
    assert (person.session.table()["newer"], person.session.table()["older"]) == (True, False)
    for expected in (pages[1], pages[0], pages[0]):
        person.session.turn("newer")
        assert person.dates == expected
    assert person.session.table()["newer"] is False


@pytest.mark.parametrize("do", ["show", "add"])
def test_first_page_is_shown_again_after_another_filter_or_an_added_expense(
    person: Person, used: Ledger, do: str
) -> None:
    fill_pages(used, 60)
    person.session.look()
    person.session.turn("older")
    person.session.show(sort="date_asc") if do == "show" else person.adds()
    assert (len(person.dates), person.session.table()["newer"]) == (50, False)


def test_page_that_could_not_be_had_is_not_turned_to(person: Person, used: Ledger, tmp_path: Path) -> None:
    fill_pages(used, 60)
    person.session.look()
    first = person.dates
    used.path.rename(tmp_path / "away.db")
    for _ in range(2):
        person.session.turn("older")
        assert person.session.seen.trouble
    (tmp_path / "away.db").rename(used.path)
    person.session.turn("newer")
    assert person.dates == first


def test_desk_opened_while_the_ledger_is_down_sees_it_once_it_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("EXPENSE_API_URL", f"http://127.0.0.1:{port}")
    with handler(tmp_path / "expenses.db", port):
        person = Person()
        person.adds(amount="7", category="Food, drinks")
        person.session.ask_to_edit(1)
        person.answers(**fields(amount="8"), refund=False)
        person.undoes()
        assert person.sees == (1, "7.00")
        assert [bar.name for bar in person.session.category_bars()] == ["Food, drinks"]
        assert len(person.session.changes()["rows"]) == 2
        assert person.session.export().count(b"\n") == 2
    late = Person()
    person.session.look()
    assert person.session.seen.trouble
    assert person.sees == (1, "7.00")
    assert late.session.seen == Snapshot(trouble=late.session.seen.trouble)
    assert (late.session.table()["rows"], late.session.currency()) == ([], "")
    late.adds()
    assert late.replies[-1]["outcome"]["acts"][0]["name"] == "send"
    with handler(tmp_path / "expenses.db", port):
        late.adds()
        assert (late.sees, late.session.seen.trouble) == ((2, "19.50"), "")


def test_month_clicked_is_looked_at_and_clicked_again_all_time(person: Person) -> None:
    for date in ("2028-02-29", "2027-12-31", "2028-01-01"):
        person.adds(date=date)
    person.session.choose_month("2028-02")
    assert (person.dates, person.heard()[-1]) == (["2028-02-29"], "filters")
    assert [(bar.name, bar.chosen) for bar in person.session.month_bars()] == [
        ("2027-12", False),
        ("2028-01", False),
        ("2028-02", True),
    ]
    person.session.choose_month(None)
    assert len(person.dates) == 1
    person.session.choose_month("2028-02")
    assert (len(person.dates), person.session.view) == (3, View())


@pytest.mark.parametrize(
    "month",
    [
        "2026-12",
        "0999-01",
        "9999-12",
    ],
)
def test_any_month_can_be_chosen_and_is_marked(person: Person, month: str) -> None:
    person.adds(date=f"{month}-31")
    person.session.choose_month(month)
    assert [(bar.name, bar.chosen) for bar in person.session.month_bars()] == [(month, True)]


def test_category_clicked_is_looked_at_and_clicked_again_all_of_them(person: Person) -> None:
    person.adds(category="Food, drinks")
    person.adds(category="Fuel", amount="-20", refund=True)
    person.session.choose_category("Food, drinks")
    assert person.sees == (1, "12.50")
    assert [(bar.name, bar.chosen) for bar in person.session.category_bars()] == [
        ("Food, drinks", True),
        ("Fuel", False),
    ]
    person.session.choose_category("2 others")
    person.session.choose_category(None)
    assert person.sees == (1, "12.50")
    person.session.choose_category("Food, drinks")
    assert person.sees == (2, "-7.50")


def test_category_is_marked_however_it_is_spelled(person: Person) -> None:
    person.adds()
    person.session.show(categories=("FOOD",))
    assert [bar.chosen for bar in person.session.category_bars()] == [True]


def test_export_is_of_what_is_looked_at(person: Person) -> None:
    person.adds(category="Food, drinks", description="<b>")
    person.adds(category="Fuel")
    person.session.show(categories=("Food, drinks",))
    rows = list(csv.DictReader(io.StringIO(person.session.export().decode())))
    assert [(row["category"], row["description"], row["amount"]) for row in rows] == [
        ("Food, drinks", "<b>", "12.50")
    ]


def many_edits(ledger: Ledger) -> None:
    ledger.record(an_expense())
    for number in range(CHANGES + 1):
        ledger.amend(1, {"amount": str(100 + number)}, version=None)


def test_changes_of_others_are_listed_page_by_page_and_undone(person: Person, used: Ledger) -> None:
    many_edits(used)
    first = person.session.changes()
    assert (len(first["rows"]), first["newer"], first["older"]) == (CHANGES, False, True)
    person.session.turn_changes("older")
    second = person.session.changes()
    assert (len(second["rows"]), second["newer"], second["older"]) == (1, True, False)
    person.session.turn_changes("newer")
    assert person.session.changes() == first
    person.session.undo_change(first["rows"][0]["id"])
    assert str(used.get(1).amount) == "149.00"
    person.undoes()
    assert str(used.get(1).amount) == "150.00"
    person.session.undo_change(999_999)
    assert person.session.notice == Failed("There is no change 999999.")
    person.session.undo_import(9)
    assert person.session.notice == Failed("There is no import 9.")


def test_older_clicked_twice_does_not_keep_a_page_twice(person: Person, used: Ledger) -> None:
    many_edits(used)
    first = person.session.changes()
    for to in ("older", "older", "newer"):
        person.session.turn_changes(to)
    assert person.session.changes() == first


def test_undo_of_a_notice_that_another_has_replaced_does_nothing(person: Person) -> None:
    person.session.did(Done("First.", lambda _: Done("Undone.")))
    first = person.session.notices
    person.session.did(Done("Second.", lambda _: Failed("It must not be called.")))
    person.session.undo(first)
    assert person.session.told()["text"] == "Second."


def test_order_is_seen_although_the_rows_are_the_same(person: Person) -> None:
    person.adds()
    person.heard()
    person.session.show(sort="amount_asc")
    assert "seen" in person.heard()
    assert person.session.table()["sort"] == "amount_asc"


def test_demo_is_apart_from_ones_own_ledger(person: Person, used: Ledger, small_demo: Ledger) -> None:
    person.adds()
    other = Person(demo="1")
    assert (other.session.is_demo, other.sees) == (True, (1, "12.50"))
    other.adds(amount="99")
    other.session.show(q="lunch")
    assert ("address", {"q": "lunch"}) in other.told
    assert (other.sees, used.search().count) == ((2, "111.50"), 1)
    assert Person(demo="1").sees == (2, "111.50")
    assert (Person().session.is_demo, Person().sees) == (False, (1, "12.50"))


@pytest.mark.parametrize(
    ("currency", "amount", "total"), [("JPY", "1250", "-1250"), ("KWD", "1.005", "-1.005")]
)
def test_totals_have_the_digits_of_the_currency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, currency: str, amount: str, total: str
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path / "expenses.db"))
    monkeypatch.setenv("EXPENSE_CURRENCY", currency)
    person = Person()
    person.adds(amount=amount, refund=True)
    assert (person.sees, person.session.currency()) == ((1, total), currency)
    assert [str(bar.total) for bar in person.session.month_bars()] == [total]


def test_no_ledger_is_told_where_none_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path))
    person = Person()
    assert person.session.seen.trouble
    with pytest.raises(LedgerUnavailable):
        person.session.changes()


def test_ledger_that_was_removed_is_not_made_anew_until_somebody_says_so(
    person: Person, used: Ledger
) -> None:
    person.adds()
    for file in used.path.parent.glob(f"{used.path.name}*"):
        file.unlink()
    for _ in range(3):
        person.session.look()
        person.adds(amount="7")
    assert "was removed or replaced" in person.session.seen.trouble
    assert person.sees == (1, "12.50")  # what was seen before stays
    assert not used.path.exists()
    person.session.retry()
    assert (person.sees, person.session.seen.trouble) == ((0, "0.00"), "")


class Statements(list[str]):
    """What was sent to SQLite, the comments that it traces of its own left out."""

    def during(self, act: Callable[[], object]) -> Counter[str]:
        """How often each kind of statement was sent while *act* was called."""
        self.clear()
        act()
        return Counter(text.split()[0] for text in self if not text.startswith("--"))


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """What every connection that is opened from now on sends to SQLite."""
    sent = Statements()
    connect = sqlite3.connect

    def connect_traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(sent.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_traced)
    return sent


READING = {"BEGIN": 1, "COMMIT": 1}


def test_idle_poll_is_one_question(
    statements: Statements, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    person = Person()
    person.adds()
    assert statements.during(person.session.poll) == {**READING, "SELECT": 1}


def test_added_expense_is_written_and_looked_at_in_two_transactions(
    statements: Statements, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    person = Person()
    person.adds()
    found = statements.during(lambda: person.adds(amount="3"))
    assert found == {"BEGIN": 2, "COMMIT": 2, "SELECT": 9, "INSERT": 4}


def test_whether_the_ledger_can_be_written_is_asked_at_first_on_retry_and_after_a_refusal(
    statements: Statements, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    assert statements.during(lambda: Ledger(path).overview())["ROLLBACK"] == 0
    people: list[Person] = []
    assert statements.during(lambda: people.append(Person()))["ROLLBACK"] == 1
    session = people[0].session
    for asks, act in (
        (0, session.look),
        (0, lambda: session.show(q="lunch")),
        (0, lambda: session.did(Done("Done."))),
        (1, lambda: session.did(Failed("It is read-only."))),
        (1, session.retry),
    ):
        assert statements.during(act)["ROLLBACK"] == asks


def test_poll_looks_when_anything_was_written_and_tells_it_once(person: Person, used: Ledger) -> None:
    used.record(an_expense())
    used.add_rule("bus", "Transport")  # nothing of the page shows it; the parts below it may
    for expected in (["seen", "filters"], []):
        person.session.poll()
        assert (person.heard(), person.sees[0]) == (expected, 1)


def test_poll_looks_again_on_another_day(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.session.show(period="this-month")
    person.heard()
    monkeypatch.setattr(session_module, "_today", lambda: dt.date(2020, 2, 29))
    person.session.poll()
    assert (person.heard(), str(person.session.seen.wanted.date_to)) == (["seen"], "2020-02-29")


def test_poll_tries_again_after_a_failure(person: Person, used: Ledger, tmp_path: Path) -> None:
    person.adds()
    used.path.rename(tmp_path / "away.db")
    person.session.poll()
    assert "was removed or replaced" in person.session.seen.trouble
    (tmp_path / "away.db").rename(used.path)
    person.session.poll()
    assert (person.session.seen.trouble, person.sees) == ("", (1, "12.50"))


def test_what_waits_is_in_the_tray_until_it_is_decided_and_that_is_undone(
    person: Person, used: Ledger
) -> None:
    used.record(an_expense(description="Lunch out", amount="18.40"))
    plan = read(b"Date,Description,Amount\n2026-11-23,TRATTORIA,18.40\n", account="Giro")
    used.import_statement(plan)
    person.session.look()
    (item,) = person.session.tray()
    assert "18.40" in item["title"]
    same = item["acts"][0]
    assert "Lunch out" in same["label"]
    person.session.decide(item["row"], same["says"])
    assert person.session.tray() == []
    assert used.search().items[0].account == "Giro"
    person.undoes()
    assert [each["row"] for each in person.session.tray()] == [item["row"]]


def test_tray_shows_the_first_of_what_the_ledger_asks_and_more_of_it_on_demand(
    person: Person, used: Ledger
) -> None:
    hold(used, 8)
    person.session.look()
    assert (len(person.session.tray()), person.session.asked.beyond()) == (tray.SHOWN, 8 - tray.SHOWN)
    first, *_ = person.session.tray()
    person.session.decide(first["row"], "skip")
    assert (len(person.session.tray()), person.session.asked.beyond()) == (tray.SHOWN, 7 - tray.SHOWN)
    person.heard()
    person.session.show_more()
    assert person.heard() == ["seen"]
    assert (len(person.session.tray()), person.session.asked.beyond()) == (7, 0)


def test_what_may_be_the_expense_just_added_is_asked_first(person: Person, used: Ledger) -> None:
    hold(used, 8)
    plan = read(b"Date,Description,Amount\n2026-11-23,TRATTORIA,18.40\n", account="Giro")
    used.import_statement(plan)
    person.adds(description="Supper", amount="18.40")
    first, *others = person.session.tray()
    assert ("TRATTORIA" in first["title"], first["isNew"]) == (True, True)
    assert "The same as Supper, 22 Nov" in first["acts"][0]["label"]
    assert not any(each["isNew"] for each in others)
    person.adds(description="Tea", amount="99")
    assert "TRATTORIA" not in person.session.tray()[0]["title"]
