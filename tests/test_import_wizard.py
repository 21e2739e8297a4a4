"""A statement on its way in: what it ends in is what reading and importing it directly would."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib import InvalidInput, Ledger, LedgerUnavailable, NotAStatement, open_ledger, statements
from expense_lib.api import LedgerAPI
from expense_lib.app import import_work
from expense_lib.app.edits import Done, Failed, Open
from expense_lib.app.import_phases import Asked, Empty, Phase, Proposed, Working, counted
from expense_lib.app.import_wizard import ImportWizard
from expense_lib.app.messages import UNEXPECTED
from expense_lib.app.reading_options import Options
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported
from expense_lib.store import schema
from tests.builders import PATIENCE_S, an_expense, handler

pytestmark = pytest.mark.of_the_file


def a_file(*lines: str, header: str = "Date,Description,Amount,Category") -> bytes:
    return "\n".join((header, *lines)).encode()


PLAIN = a_file("2026-11-22,Lunch,12.50,Food", "2026-11-23,Tea,3.00,Drinks", "2026-11-24,Nothing,0.00,Work")
DAY_OR_MONTH = a_file("01/02/2026,Lunch,12.50,Food", "03/04/2026,Tea,3.00,Food")
POINT_OR_COMMA = a_file("2026-01-02;Lunch;1,234;Food", header="Date;Description;Amount;Category")
WHICH_AMOUNT = a_file(
    "2026-01-02,Lunch,1.50,2.50,Food,A1",
    "2026-01-03,Tea,3.00,4.00,Drinks,A2",
    header="Date,Description,One,Two,Category,Transaction ID",
)
FOUND = {
    "date": "Date",
    "description": ("Description",),
    "category": "Category",
    "reference": "Transaction ID",
}
TWO_SIDES = a_file("2026-01-02,Lunch,1.50,", "2026-01-03,Pay,,9.00", header="Date,Description,Debit,Credit")


class Hand(ImportWizard):
    """An intake, with what it told."""

    def __init__(self, ledger: Open, start: Callable[[Callable[[], None]], object] | None = None) -> None:
        self.phases: list[Phase] = []
        self.done: list[Done] = []
        super().__init__(ledger, start or (lambda work: work()), self.phases.append, self.done.append)

    def lands(self) -> None:
        """Import the file, of an account that is not known."""
        self.say(account="")
        self.land()


@pytest.fixture
def hand(ledger: Ledger) -> Hand:
    return Hand(lambda: ledger)


def proposed(hand: ImportWizard) -> Proposed:
    assert isinstance(hand.phase, Proposed), hand.phase
    return hand.phase


def asked(hand: ImportWizard) -> Asked:
    assert isinstance(hand.phase, Asked), hand.phase
    return hand.phase


def contents(ledger: LedgerAPI) -> list[tuple[int, str, str, str]]:
    items = ledger.search(ExpenseFilter(limit=500, sort="date_asc")).items
    return [(each.id, str(each.amount), each.category, each.description) for each in items]


def test_file_is_read_and_nothing_written_before_it_is_said(hand: Hand, ledger: Ledger) -> None:
    hand.take(PLAIN, "bank.csv")
    assert [type(phase) for phase in hand.phases] == [Working, Proposed]
    assert hand.told().startswith(
        "bank.csv: 2 new, 1 left out, as far as can be told before its account is said. Nothing is written yet."
    )
    assert [row["what"] for row in proposed(hand).rows] == ["new", "new", "left out"]
    assert (hand.deed(), hand.has_file, hand.done) == ("Import 2 expenses", True, [])
    assert (ledger.imports(), ledger.log()) == ([], [])


def test_import_says_what_it_came_to_and_its_undo_brings_back_what_was(hand: Hand, ledger: Ledger) -> None:
    ledger.record(an_expense(category="Eating out"))
    was = contents(ledger)
    hand.take(PLAIN, "bank.csv")
    hand.lands()
    now = contents(ledger)
    (done,) = hand.done
    assert (hand.phase, done.text) == (
        done,
        "Imported bank.csv: 1 new, 1 taken for expenses you have, 1 left out.",
    )
    assert (hand.has_file, hand.is_landing, hand.columns(), hand.told()) == (False, False, (), "")
    for expected in (was, now, was):
        assert done.undo is not None
        again = done.undo(lambda: ledger)
        assert isinstance(again, Done)
        assert contents(ledger) == expected
        done = again
    assert ledger.check() == []


@pytest.mark.parametrize(
    "times",
    [
        1,
        2,
        3,
    ],
)
def test_undone_import_can_be_imported_again(hand: Hand, ledger: Ledger, times: int) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.lands()
    now, done = contents(ledger), hand.done[0]
    for _ in range(times):
        assert done.undo is not None
        again = done.undo(lambda: ledger)
        assert isinstance(again, Done)
        done = again
    hand.take(PLAIN, "bank.csv")
    hand.lands()
    assert contents(ledger) == now


def test_import_clicked_twice_is_done_once(hand: Hand, ledger: Ledger) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.lands()
    hand.land()
    assert (len(hand.done), len(ledger.imports())) == (1, 1)


def test_second_import_adds_nothing_and_has_nothing_to_undo(hand: Hand, ledger: Ledger) -> None:
    for _ in range(2):
        hand.take(PLAIN, "bank.csv")
        hand.lands()
    assert (hand.done[1].text, hand.done[1].undo) == (
        "Imported bank.csv: 2 there already, 1 left out.",
        None,
    )
    assert ledger.search().count == 2


def test_file_of_nothing_that_counts_brings_nothing(hand: Hand) -> None:
    hand.take(a_file("2026-11-24,Nothing,0.00,Work"), "bank.csv")
    assert not proposed(hand).brings_something
    assert hand.deed() == "Import without a new expense"


def test_reason_is_said_once(hand: Hand, ledger: Ledger) -> None:
    ledger.record(an_expense(description="Lunch with Ada", date="2026-11-21"))
    hand.take(PLAIN, "bank.csv")
    assert str(proposed(hand).rows[0]["why"]).lower().count("somebody entered it") == 1


def test_every_line_has_its_row_in_the_order_of_the_file(hand: Hand) -> None:
    hand.take(a_file("2026-11-22,<b>Tea</b>,1234.50,Food", "soon,Tea,1,Food", "2026-11-23,Bus,0,Food"), "f")
    assert [(row["line"], row["what"], row["amount"]) for row in proposed(hand).rows] == [
        ("2", "new", "1,234.50"),
        ("3", "not understood", ""),
        ("4", "left out", "0"),
    ]
    assert proposed(hand).rows[0]["description"] == "<b>Tea</b>"
    assert counted(proposed(hand).dry) == "1 new, 1 left out, 1 not understood"


def test_accounts_notes_and_tags_of_the_rows_are_shown(hand: Hand) -> None:
    hand.take(a_file("2026-11-22,Tea,3.00,Food"), "bank.csv")
    assert "account" not in [column["name"] for column in hand.table()["columns"]]
    assert "no account named" in hand.told()
    hand.say(account="Giro")
    assert "account Giro" in hand.told()
    assert [row["account"] for row in hand.table()["rows"]] == ["Giro"]

    lines = ("2026-11-22,Tea,3.00,Cash,with Kim,trip", "2026-11-23,Bus,2.00,,,", "kaputt,x,y,,,")
    hand.take(a_file(*lines, header="Date,Description,Amount,Where,Remark,Labels"), "other.csv")
    for field, column in (("account", "Where"), ("note", "Remark"), ("tags", "Labels")):
        hand.map(field, column)
    rows = hand.table()["rows"]
    assert [row["account"] for row in rows] == ["Cash", "", ""]
    assert rows[0]["details"] == [{"kind": "tag", "text": "#trip"}, {"kind": "note", "text": "with Kim"}]
    assert "details" not in rows[1]
    hand.say(account="Giro")
    assert [row["account"] for row in hand.table()["rows"]] == ["Cash", "Giro", ""]
    assert "2 accounts" in hand.told()


@pytest.mark.parametrize(
    ("content", "choice", "told"),
    [
        (DAY_OR_MONTH, "%d/%m/%Y", {"date_format": "%d/%m/%Y"}),
        (DAY_OR_MONTH, "%m/%d/%Y", {"date_format": "%m/%d/%Y"}),
        (POINT_OR_COMMA, ",", {"decimal": ","}),
        (POINT_OR_COMMA, ".", {"decimal": "."}),
        (WHICH_AMOUNT, "Two", {"mapping": FOUND | {"amount": "Two"}}),
    ],
    ids=["day first", "month first", "comma", "point", "column"],
)
def test_answer_to_what_is_asked_is_as_if_it_was_said_at_once(
    hand: Hand, content: bytes, choice: str, told: dict[str, Any]
) -> None:
    hand.take(content, "bank.csv")
    assert choice in asked(hand).choices
    assert hand.told().startswith("bank.csv: ")
    hand.land()
    hand.answer(choice)
    assert proposed(hand).plan == statements.read(content, filename="bank.csv", **told)


def test_answered_column_leaves_the_others_as_they_are_found(hand: Hand) -> None:
    hand.take(WHICH_AMOUNT, "bank.csv")
    hand.answer("One")
    assert [(row.category, row.reference) for row in proposed(hand).plan.rows] == [
        ("Food", "A1"),
        ("Drinks", "A2"),
    ]


@pytest.mark.parametrize("leave", ["drop", "take"])
def test_next_file_is_asked_about_as_if_it_was_the_first(hand: Hand, leave: str) -> None:
    hand.take(a_file("2026-11-22,Lunch,12.50", header="Day,Text,Sum"), "bank.csv")
    assert hand.columns() == ("Day", "Text", "Sum")
    if leave == "drop":
        hand.drop()
        assert (hand.columns(), hand.mapping()) == ((), {})
    hand.take(WHICH_AMOUNT, "other.csv")
    assert (hand.columns(), hand.mapping()) == (
        ("Date", "Description", "One", "Two", "Category", "Transaction ID"),
        FOUND,
    )
    hand.answer("One")
    assert proposed(hand).dry.created == 2


def test_nothing_is_answered_where_nothing_is_asked(hand: Hand) -> None:
    hand.answer("%d/%m/%Y")
    hand.take(PLAIN, "bank.csv")
    hand.answer("%d/%m/%Y")
    assert proposed(hand).plan.reading.date_format == "%Y-%m-%d"


def test_corrected_column_leaves_the_others_as_they_were_read(hand: Hand) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.map("description", "Category")
    hand.map("category", None)
    assert [(row.description, row.category) for row in proposed(hand).plan.rows] == [
        ("Food", None),
        ("Drinks", None),
        ("Work", None),
    ]
    assert (hand.column_of("description"), hand.column_of("category")) == ("Category", None)
    assert hand.column_of("amount") == "Amount"


def test_amount_is_in_one_column_or_in_one_for_each_direction(hand: Hand) -> None:
    hand.take(TWO_SIDES, "bank.csv")
    hand.map("amount", "Debit")
    assert (hand.column_of("debit"), hand.column_of("credit")) == (None, None)
    assert proposed(hand).dry.created == 1
    hand.map("debit", "Debit")
    assert hand.column_of("amount") is None
    assert proposed(hand).dry.created == 1


def test_column_is_one_field_at_a_time(hand: Hand) -> None:
    hand.take(PLAIN, "bank.csv")
    was = hand.column_of("category")
    hand.map("reference", was)
    assert (hand.column_of("reference"), hand.column_of("category")) == (was, None)


def test_column_that_a_file_has_not_is_told(hand: Hand) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.map("amount", "Sum")
    assert [field for field, _ in asked(hand).errors] == ["mapping.amount"]


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "account": st.sampled_from(["", "Card", "Été, 1%"]),
        "spending": st.sampled_from([None, "positive", "negative"]),
        "credits": st.sampled_from(["skip", "refund"]),
        "default_category": st.sampled_from(["Uncategorised", "Misc, other", ""]),
        "date_format": st.sampled_from([None, "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Q"]),
        "decimal": st.sampled_from([None, ".", ",", ";"]),
        "encoding": st.sampled_from([None, "utf-8", "utf-16", "no such"]),
        "mapping": st.sampled_from(
            [None, {"amount": "One"}, {"amount": "Two", "category": "Category"}, {"amount": 3, "date": None}]
        ),
    },
)


@given(
    st.sampled_from([PLAIN, DAY_OR_MONTH, POINT_OR_COMMA, WHICH_AMOUNT, TWO_SIDES, b"<html>", b"\0\1"]),
    st.lists(OPTIONS, max_size=4),
)
def test_options_in_any_order_end_in_what_reading_directly_gives(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, steps: list[dict[str, Any]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("options") / "expenses.db")
    hand = Hand(lambda: ledger)
    hand.take(content, "bank.csv")
    said: dict[str, Any] = {}
    for step in steps:
        hand.say(**step)
        said |= step
    try:
        plan = statements.read(content, **said, filename="bank.csv")
    except (InvalidInput, NotAStatement) as refused:
        expected: object = refused.errors if isinstance(refused, InvalidInput) else str(refused)
    else:
        dry = ledger.import_statement(plan, dry_run=True)
        expected = (plan, list(dry.verdicts), counted(dry))
    match hand.phase:
        case Asked(errors=errors):
            assert errors == expected
        case Failed(text=text):
            assert text == expected
        case _:
            found = proposed(hand)
            assert (found.plan, list(found.dry.verdicts), counted(found.dry)) == expected
    assert ledger.imports() == []


@pytest.mark.parametrize("content", [b"<html>", bytes(range(256))], ids=["web page", "binary"])
def test_what_is_no_statement_is_told(hand: Hand, content: bytes) -> None:
    hand.take(content, "photo.jpg")
    assert isinstance(hand.phase, Failed)
    assert (hand.told(), hand.has_file) == (f"photo.jpg: {hand.phase.text}", True)
    hand.land()
    assert hand.done == []


def test_empty_file_is_a_file_about_which_something_is_said(hand: Hand) -> None:
    hand.take(b"", "empty.csv")
    assert (hand.told(), hand.has_file) == ("empty.csv: The file is empty.", True)


def test_dropped_file_is_forgotten_with_all_that_was_said(hand: Hand, ledger: Ledger) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.say(account="Card", default_category="Misc")
    hand.drop()
    hand.land()
    assert (hand.phase, hand.has_file, hand.options, hand.told()) == (Empty(), False, Options(), "")
    assert ledger.imports() == []


def test_what_was_said_of_a_file_does_not_count_for_the_next(hand: Hand) -> None:
    hand.say(account="Card", credits="refund")
    assert hand.phases == []
    for _ in range(2):
        hand.take(PLAIN, "bank.csv")
        assert hand.options == Options()
        hand.say(account="Card", credits="refund", default_category="Misc")
        hand.map("category", None)
        assert proposed(hand).plan.account == "Card"


@pytest.mark.parametrize(
    ("currency", "created", "skipped"), [("JPY", 0, 2), ("KWD", 2, 0)], ids=["JPY", "KWD"]
)
def test_amounts_finer_than_the_currency_are_left_out(
    tmp_path: Path, currency: str, created: int, skipped: int
) -> None:
    yen = Ledger(tmp_path / "expenses.db", currency)
    hand = Hand(lambda: yen)
    hand.take(a_file("2026-11-22,Lunch,12.505,Food", "2026-11-23,Tea,3.01,Food"), "bank.csv")
    hand.say(decimal=".")
    dry = proposed(hand).dry
    assert (dry.created, dry.skipped) == (created, skipped)


def test_unexpected_failure_is_told_without_its_words() -> None:
    def fail() -> NoReturn:
        raise RuntimeError("boom")

    hand = Hand(fail)
    hand.take(PLAIN, "bank.csv")
    assert hand.phase == Failed(UNEXPECTED)


class Patchy:
    """A ledger that can be reached only now and then."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.is_up = True

    def __call__(self) -> Ledger:
        if not self.is_up:
            raise LedgerUnavailable("It is down.")
        return self.ledger


def test_ledger_that_is_down_is_told_and_the_file_can_be_read_again(ledger: Ledger) -> None:
    patchy = Patchy(ledger)
    hand = Hand(patchy)
    patchy.is_up = False
    hand.take(PLAIN, "bank.csv")
    assert hand.told() == "bank.csv: It is down."
    patchy.is_up = True
    hand.say()
    assert proposed(hand).dry.created == 2


def test_import_into_a_busy_ledger_is_told_and_can_be_done_afterwards(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 0)
    ledger = Ledger(path)
    hand = Hand(lambda: ledger)
    hand.take(PLAIN, "bank.csv")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        hand.lands()
    assert isinstance(hand.phase, Failed)
    assert hand.phase.text.startswith("The ledger is busy")
    assert (hand.done, hand.is_landing, hand.has_file, ledger.search().count) == ([], False, True, 0)
    hand.say()
    hand.land()
    assert ledger.search().count == 2


class Held(Ledger):
    """A ledger whose imports and dry runs wait until they are let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.entered = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)
        self.fails = False

    def import_statement(self, plan: statements.Plan, **how: Any) -> Imported:
        progress: Progress = how.pop("progress")
        self.entered.release()
        assert self.let_go.acquire(timeout=PATIENCE_S)
        if self.fails:
            raise LedgerUnavailable("It is down.")
        progress(0, 1)
        return super().import_statement(plan, progress=progress, **how)


class Threads:
    """Each work in a thread of its own."""

    def __init__(self) -> None:
        self.running: list[threading.Thread] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.running.append(threading.Thread(target=work))
        self.running[-1].start()

    def join(self) -> None:
        for thread in self.running:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def threads() -> Iterator[Threads]:
    found = Threads()
    yield found
    found.join()


def test_file_taken_while_another_is_read_overtakes_it(path: Path, threads: Threads) -> None:
    held = Held(path)
    hand = Hand(lambda: held, threads)
    hand.take(DAY_OR_MONTH.replace(b"01/02", b"31/02"), "first.csv")
    hand.take(PLAIN, "second.csv")
    assert held.entered.acquire(timeout=PATIENCE_S)
    held.let_go.release(2)
    threads.join()
    assert hand.told().startswith("second.csv: 2 new")
    assert proposed(hand).plan.source == "second.csv"


@pytest.mark.parametrize("fails", [False, True], ids=["goes on", "fails"])
def test_what_was_overtaken_tells_nothing_any_more(path: Path, threads: Threads, fails: bool) -> None:
    held = Held(path)
    held.fails = fails
    hand = Hand(lambda: held, threads)
    hand.take(PLAIN, "bank.csv")
    assert held.entered.acquire(timeout=PATIENCE_S)
    hand.drop()
    held.let_go.release()
    threads.join()
    assert [type(phase) for phase in hand.phases] == [Working, Empty]
    assert hand.phase == Empty()


def test_nothing_is_taken_said_or_dropped_while_a_file_lands(path: Path, threads: Threads) -> None:
    held = Held(path)
    hand = Hand(lambda: held, threads)
    hand.take(PLAIN, "bank.csv")
    held.let_go.release(2)
    threads.join()
    hand.say(account="")
    threads.join()
    for _ in range(2):
        assert held.entered.acquire(timeout=PATIENCE_S)
    hand.land()
    assert held.entered.acquire(timeout=PATIENCE_S)
    hand.take(TWO_SIDES, "other.csv")
    hand.say(account="Card")
    hand.map("amount", None)
    hand.drop()
    hand.land()
    assert (hand.is_landing, hand.name, hand.phase) == (True, "bank.csv", Working("Importing bank.csv"))
    held.let_go.release()
    threads.join()
    assert [done.text for done in hand.done] == ["Imported bank.csv: 2 new, 1 left out."]
    assert (Ledger(path).search().count, hand.is_landing) == (2, False)


def test_file_taken_as_soon_as_another_has_landed_is_kept(ledger: Ledger) -> None:
    class Eager(Hand):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "is_landing" and value is False and self.name == "bank.csv":
                self.take(TWO_SIDES, "next.csv")

    hand = Eager(lambda: ledger)
    hand.take(PLAIN, "bank.csv")
    hand.lands()
    assert (hand.name, hand.has_file, len(hand.done)) == ("next.csv", True, 1)


def test_progress_is_told(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_work, "TELL_EVERY_S", 0)
    hand.take(PLAIN, "bank.csv")
    hand.lands()
    told = [phase for phase in hand.phases if isinstance(phase, Working)]
    assert told[0] == Working("Reading bank.csv")
    assert {phase.what for phase in told} == {
        "Reading bank.csv",
        "Looking for what is there already",
        "Importing bank.csv",
    }
    assert all(0 <= phase.done <= (phase.total or phase.done) for phase in told)


def test_intake_through_a_handler_is_the_same(tmp_path: Path) -> None:
    with handler(tmp_path / "expenses.db") as url:
        remote = open_ledger(url)
        hand = Hand(lambda: open_ledger(url))
        hand.take(PLAIN, "bank.csv")
        assert counted(proposed(hand).dry) == "2 new, 1 left out"
        hand.lands()
        assert contents(remote) == [(1, "12.50", "Food", "Lunch"), (2, "3.00", "Drinks", "Tea")]
        (done,) = hand.done
        assert done.undo is not None
        assert isinstance(done.undo(lambda: remote), Done)
        assert contents(remote) == []
        hand.take(PLAIN, "bank.csv")
    hand.lands()
    assert isinstance(hand.phase, Failed)
    assert (hand.has_file, hand.is_landing) == (True, False)


def test_lines_are_shown_page_by_page_and_by_verdict(hand: Hand) -> None:
    rows = [f"2026-01-{1 + n % 28:02d},Tea {n},{n % 50},Food" for n in range(120)]  # three of them are zero
    hand.take(a_file(*rows), "bank.csv")
    assert list(hand.kinds()) == ["all 120", "left out (3)", "new (117)"]
    first = hand.table()
    assert (len(first["rows"]), first["newer"], first["older"]) == (50, False, True)
    hand.turn("older")
    hand.turn("older")
    last = hand.table()
    assert (len(last["rows"]), last["newer"], last["older"]) == (20, True, False)
    hand.show_only("left out")
    assert [row["description"] for row in hand.table()["rows"]] == ["Tea 0", "Tea 50", "Tea 100"]
    assert hand.phases[-1] is hand.phase


def test_import_that_can_not_even_begin_leaves_room_for_the_next_file(ledger: Ledger) -> None:
    starts = iter([True, True, False, True])

    def start(work: Callable[[], None]) -> None:
        if not next(starts):
            raise RuntimeError("can't start new thread")
        work()

    hand = Hand(lambda: ledger, start)
    hand.take(PLAIN, "bank.csv")
    with pytest.raises(RuntimeError):
        hand.lands()
    hand.take(PLAIN, "again.csv")
    assert hand.name == "again.csv"


CARD = a_file("2026-11-23,Lunch with Ada,12.50", "2026-11-23,POS 4411,31.75", header="Date,Text,Amount")


@pytest.fixture
def deciding(hand: Hand, ledger: Ledger) -> Hand:
    """A file of which one row is joined with expense 1, and one is held, as it may be expense 2."""
    ledger.record(an_expense())
    ledger.record(an_expense(amount="31.75", description="Market"))
    hand.take(CARD, "card.csv")
    hand.say(account="")
    return hand


def offered(hand: ImportWizard) -> list[tuple[str, list[str]] | str]:
    """Of each line on the page what is chosen, and the other choices in words; or what is merely told."""
    found: list[tuple[str, list[str]] | str] = []
    for row in hand.table()["rows"]:
        what = row["what"]
        if isinstance(what, str):
            found.append(what)
        else:
            words = dict(what["choices"])
            found.append((words.pop(what["value"]), list(words.values())))
    return found


def test_account_of_the_file_before_is_not_assumed_for_the_next(hand: Hand, ledger: Ledger) -> None:
    coffee = a_file("2026-11-22,Coffee,12.99", header="Date,Text,Amount")
    hand.take(coffee, "giro.csv")
    hand.say_account("Giro")
    hand.land()
    hand.take(coffee, "card.csv")
    assert (hand.needs_account, hand.can_land, hand.options.account) == (True, False, None)
    assert (hand.proposed_account, list(hand.account_choices())) == ("Giro", ["Giro", "(not known)"])
    hand.land()
    assert ledger.search().count == 1
    hand.say_account("Card")
    hand.land()
    assert [each.account for each in ledger.search().items] == ["Card", "Giro"]


@pytest.mark.parametrize("typed", ["giro", " GIRO ", "Giro"])
def test_account_that_the_ledger_has_is_spelled_as_there(hand: Hand, ledger: Ledger, typed: str) -> None:
    ledger.record(an_expense(account="Giro"))
    hand.take(PLAIN, "bank.csv")
    hand.say_account("  ")
    assert hand.needs_account
    hand.say_account(typed)
    assert (hand.needs_account, proposed(hand).plan.account) == (False, "Giro")


def test_account_is_not_known_only_if_somebody_says_so(hand: Hand) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.pick_account(None)
    assert not hand.can_land
    hand.pick_account(hand.account_choices()["(not known)"])
    assert (hand.can_land, hand.asks_account) == (True, True)


def test_account_that_the_file_names_is_not_asked_for(hand: Hand) -> None:
    hand.take(a_file("2026-11-22,Tea,3.00,Cash", header="Date,Text,Amount,Where"), "bank.csv")
    assert hand.asks_account
    hand.map("account", "Where")
    assert (hand.asks_account, hand.can_land) == (False, True)


@pytest.mark.parametrize("name", ["description", "category"])
def test_column_that_was_found_can_be_none(hand: Hand, name: str) -> None:
    hand.take(PLAIN, "bank.csv")
    option = hand.choice(f"mapping.{name}")
    assert list(option.options) == ["(none)", "Date", "Description", "Amount", "Category"]
    hand.set(f"mapping.{name}", option.options["(none)"])
    assert hand.choice(f"mapping.{name}").value is None
    assert not any(getattr(row, name) for row in proposed(hand).plan.rows)


def test_columns_that_are_one_field_together_are_shown_so(hand: Hand) -> None:
    hand.take(a_file("2026-11-22,Tea,1 cup,3", header="Date,Description 1,Description 2,Amount"), "bank.csv")
    option = hand.choice("mapping.description")
    assert option.options["Description 1 + Description 2"] == option.value
    hand.map("category", "Amount")
    assert hand.choice("mapping.description").value == option.value


def test_columns_can_be_one_field_together(hand: Hand) -> None:
    hand.take(a_file("2026-11-22,Tea,1 cup,3,A1,7", header="Date,Payee,Text,Amount,Batch,Seq"), "bank.csv")
    assert list(hand.choice("further.description").options)[:2] == ["(none)", "Date"]
    hand.set("mapping.description", "Payee")
    hand.set("further.description", "Text")
    assert (hand.choice("mapping.description").value, hand.column_of("description")) == (
        ("Payee", "Text"),
        "Payee",
    )
    assert [row.description for row in proposed(hand).plan.rows] == ["Tea 1 cup"]
    hand.set("further.description", None)
    hand.set("mapping.note", "Text")  # which is one field only
    assert [(row.description, row.note) for row in proposed(hand).plan.rows] == [("Tea", "1 cup")]
    assert "further.reference" not in hand.column_options()
    hand.set("mapping.reference", "Batch")
    hand.set("further.reference", "Seq")
    assert "further.reference" in hand.column_options()
    assert proposed(hand).plan.reading.mapping["reference"] == ("Batch", "Seq")


def test_columns_can_be_said_where_something_else_is_asked(hand: Hand) -> None:
    hand.take(DAY_OR_MONTH, "bank.csv")
    assert "mapping.category" in hand.column_options()
    assert list(hand.choice("mapping.category").options)[1:] == ["Date", "Description", "Amount", "Category"]
    hand.set("mapping.category", None)
    hand.set("date_format", "%d/%m/%Y")
    assert [(str(row.date), row.category) for row in proposed(hand).plan.rows] == [
        ("2026-02-01", None),
        ("2026-04-03", None),
    ]


def test_rows_say_from_where_their_category_is(hand: Hand, ledger: Ledger) -> None:
    for text in ("Bus 11", "Bus 12", "Market"):
        ledger.record(an_expense(description=text, category="Transport" if "Bus" in text else "Food"))
    ledger.add_rule("rent", "Home")
    rows = [f"2026-01-0{n},{text},{n}" for n, text in enumerate(("Bus 13", "Market", "Rent", "Zoo"), 1)]
    hand.take(a_file(*rows, header="Date,Description,Amount"), "bank.csv")
    assert [(row["category"], row["source"]["text"]) for row in hand.table()["rows"]] == [
        ("Transport", "guessed"),
        ("Food", "as before"),
        ("Home", "by rule"),
        ("Uncategorised", "none known"),
    ]
    assert "category guessed (1)" in hand.kinds()
    hand.show_only("category guessed")
    assert [row["description"] for row in hand.table()["rows"]] == ["Bus 13"]
    hand.take(PLAIN, "bank.csv")
    assert not any("source" in row for row in hand.table()["rows"][:2])


def test_every_option_of_reading_can_be_said(hand: Hand) -> None:
    hand.take(PLAIN, "bank.csv")
    for option in ("spending", "credits", "date_format", "decimal", "encoding"):
        found = hand.choice(option)
        assert found.value in found.options.values()
        hand.set(option, list(found.options.values())[-1])
    assert hand.choice("date_format").options["Sunday, November 22, 2026"] == hand.options.date_format
    hand.set("date_format", "%Y-%j")
    assert hand.choice("date_format").options["2026-326"] == "%Y-%j"


@pytest.mark.parametrize("header", ["When,Text,Amount", None])
def test_file_that_has_no_dates_can_be_read_after_all(hand: Hand, header: str | None) -> None:
    lines = ('"Friday, April 29, 2022",Bus,2.40', '"Monday, May 2, 2022",Tram,3.00')
    hand.take(a_file(*lines, header=header) if header else "\n".join(lines).encode(), "bank.csv")
    assert hand.told().endswith("If it is one, say below how it is written.")
    date, text, amount = [*hand.choice("mapping.date").options.values()][1:]
    hand.set("date_format", "%A, %B %d, %Y")
    for name, column in {"date": date, "amount": amount, "description": text}.items():
        hand.set(f"mapping.{name}", column)
    assert [(str(row.date), row.description, str(row.amount)) for row in proposed(hand).plan.rows] == [
        ("2022-04-29", "Bus", "2.40"),
        ("2022-05-02", "Tram", "3.00"),
    ]


def test_column_without_a_name_is_called_by_what_is_in_it(hand: Hand) -> None:
    hand.take(b"2026-01-02,Tea,1.50,2.50\n2026-01-03,Bus,3.00,4.00\n", "bank.csv")
    assert list(hand.answers()) == ["1: 2026-01-02", "2: Tea", "3: 1.50", "4: 2.50"]
    hand.answer(hand.answers()["4: 2.50"])
    assert [str(row.amount) for row in proposed(hand).plan.rows] == ["2.50", "4.00"]


def test_date_formats_are_offered_as_days(hand: Hand) -> None:
    hand.take(DAY_OR_MONTH, "bank.csv")
    assert hand.answers() == {"22/11/2026": "%d/%m/%Y", "11/22/2026": "%m/%d/%Y"}


def test_rows_say_what_they_are_taken_for(deciding: Hand) -> None:
    assert deciding.told().startswith(
        "card.csv: 1 taken for expenses you have, 1 to decide later. Nothing is written yet. What is to decide"
    )
    assert offered(deciding) == [
        ("the same as #1, Lunch, 22 Nov", ["new", "leave out"]),
        ("decide later", ["the same as #2, Market, 22 Nov", "new", "leave out"]),
    ]


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ({0: "new"}, "1 new, 1 to decide later"),
        ({1: "2"}, "2 taken for expenses you have"),
        ({0: "skip", 1: "new"}, "1 new, 1 left out"),
        ({1: "99"}, "1 taken for expenses you have, 1 to decide later"),
    ],
)
def test_decisions_are_looked_at_at_once_and_imported(
    deciding: Hand, said: dict[int, str], numbers: str
) -> None:
    for position, what in said.items():
        deciding.decide(position, what)
    assert counted(proposed(deciding).dry) == numbers
    deciding.land()
    assert deciding.done[0].text.startswith(f"Imported card.csv: {numbers}.")
    assert deciding.rows.decisions == {}


def test_decision_can_be_taken_back(deciding: Hand) -> None:
    before = offered(deciding)
    deciding.decide(0, "skip")
    deciding.decide(1, "2")
    assert [each[0] for each in offered(deciding)] == ["leave out", "the same as #2, Market, 22 Nov"]
    deciding.decide(1, "later")
    assert deciding.rows.decisions == {2: "skip"}
    deciding.undecide()
    assert (deciding.rows.decisions, offered(deciding)) == ({}, before)


def test_page_stays_while_a_decision_is_looked_at(deciding: Hand) -> None:
    deciding.show_only("to decide later")
    deciding.phases.clear()
    deciding.decide(1, "new")
    assert [type(phase) for phase in deciding.phases] == [Proposed]
    assert deciding.only == "to decide later"


def test_decisions_outlive_other_options_as_long_as_their_rows_do(deciding: Hand) -> None:
    deciding.decide(0, "new")
    deciding.say(default_category="Misc")
    assert deciding.rows.decisions == {2: "new"}
    deciding.map("description", None)
    assert deciding.rows.decisions == {}
    assert "What you said of 1 row was dropped" in deciding.told()


def test_row_that_changed_since_can_be_decided(hand: Hand) -> None:
    for amount in ("50.00", "58.00"):
        hand.take(
            a_file(f"2026-11-22,Bistro,{amount},T1", header="Date,Text,Amount,Transaction ID"), "bank.csv"
        )
        hand.lands()
    hand.take(a_file("2026-11-22,Bistro,58.00,T1", header="Date,Text,Amount,Transaction ID"), "bank.csv")
    hand.say(account="")
    assert offered(hand) == [("decide later", ["the same as #1, Bistro, 22 Nov, 50.00", "new", "leave out"])]


def test_nothing_is_said_of_rows_before_the_account_is(hand: Hand, ledger: Ledger) -> None:
    ledger.record(an_expense())
    hand.take(CARD, "card.csv")
    hand.decide(0, "skip")
    assert (hand.rows.decisions, offered(hand)) == ({}, ["taken for expenses you have", "new"])


def test_expense_that_is_gone_is_called_by_its_number(deciding: Hand, ledger: Ledger) -> None:
    ledger.delete(1)
    assert offered(deciding)[0] == ("the same as #1", ["new", "leave out"])


@pytest.mark.parametrize(
    ("lines", "text", "option"),
    [
        (
            ["Salary,-9.00", "Bonus,-8", "Tea,1"],
            "2 of 3 rows would be left out: money that came in. Is the sign right?",
            "spending",
        ),
        (
            ["Tea,0", "Bus,0", "Tram,-1", "Pen,1"],
            "3 of 4 rows would be left out: 2 of them for amounts of zero. Is that the column of amounts?",
            "mapping.amount",
        ),
        (
            ["Tea,x", "Bus,y", "Tram,1", "Pen,1"],
            "2 of 4 rows would be left out: amounts that are not understood. Is the decimal mark right?",
            "decimal",
        ),
        (["Tea,1", "Bus,1", "Tram,1", "Pen,1", "Ink,0"], "", ""),
    ],
    ids=["came in", "zero", "unread", "one in five"],
)
def test_alarm_where_more_than_a_fifth_is_refused(
    hand: Hand, lines: list[str], text: str, option: str
) -> None:
    hand.take(a_file(*(f"2026-11-22,{each}" for each in lines), header="Date,Text,Amount"), "bank.csv")
    hand.say(spending="positive")
    assert (hand.alarm or ("", "")) == (text, option)
    if option:
        assert hand.choice(option).options


def test_what_a_person_leaves_out_gives_no_alarm(deciding: Hand) -> None:
    deciding.decide(0, "skip")
    assert deciding.alarm is None


def test_alarm_about_references_that_are_known(hand: Hand) -> None:
    for amount in (3, 4):
        hand.take(a_file(f"2026-11-22,Tea,{amount},T1", header="Date,Text,Amount,Transaction ID"), "bank.csv")
        hand.say(account="")
        alarm = hand.alarm
        hand.land()
    assert alarm is not None
    assert alarm.text == (
        "1 of 1 rows would be left out or wait for you: references that are known."
        " Are the bank's numbers unique?"
    )
    assert alarm.option in ("references", "mapping.reference")
