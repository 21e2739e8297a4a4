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
from expense_lib.app import import_wizard
from expense_lib.app.edits import Done, Failed, Open
from expense_lib.app.import_wizard import (
    Asked,
    Empty,
    ImportWizard,
    Options,
    Phase,
    Proposed,
    Working,
    counted,
)
from expense_lib.app.messages import UNEXPECTED
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported
from expense_lib.store import schema
from tests.builders import PATIENCE_S, an_expense, handler


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
        "bank.csv: 2 new, 1 left out. Nothing is written yet. Read as CSV, dates as"
    )
    assert [row["what"] for row in proposed(hand).rows] == ["new", "new", "left out"]
    assert (hand.count_in_words(), hand.has_file, hand.done) == ("2 expenses", True, [])
    assert (ledger.imports(), ledger.log()) == ([], [])


def test_import_says_what_it_came_to_and_its_undo_brings_back_what_was(hand: Hand, ledger: Ledger) -> None:
    ledger.record(an_expense(category="Eating out"))
    was = contents(ledger)
    hand.take(PLAIN, "bank.csv")
    hand.land()
    now = contents(ledger)
    (done,) = hand.done
    assert (hand.phase, done.text) == (done, "Imported bank.csv: 1 new, 1 there already, 1 left out.")
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
    hand.land()
    now, done = contents(ledger), hand.done[0]
    for _ in range(times):
        assert done.undo is not None
        again = done.undo(lambda: ledger)
        assert isinstance(again, Done)
        done = again
    hand.take(PLAIN, "bank.csv")
    hand.land()
    assert contents(ledger) == now


def test_import_clicked_twice_is_done_once(hand: Hand, ledger: Ledger) -> None:
    hand.take(PLAIN, "bank.csv")
    hand.land()
    hand.land()
    assert (len(hand.done), len(ledger.imports())) == (1, 1)


def test_second_import_adds_nothing_and_has_nothing_to_undo(hand: Hand, ledger: Ledger) -> None:
    for _ in range(2):
        hand.take(PLAIN, "bank.csv")
        hand.land()
    assert (hand.done[1].text, hand.done[1].undo) == (
        "Imported bank.csv: 2 there already, 1 left out.",
        None,
    )
    assert ledger.search().count == 2


def test_file_of_nothing_that_counts_brings_nothing(hand: Hand) -> None:
    hand.take(a_file("2026-11-24,Nothing,0.00,Work"), "bank.csv")
    assert not proposed(hand).brings_something
    assert hand.count_in_words() == "0 expenses"


def test_reason_is_said_once(hand: Hand, ledger: Ledger) -> None:
    ledger.record(an_expense(description="Lunch with Ada", date="2026-11-21"))
    hand.take(PLAIN, "bank.csv")
    assert str(proposed(hand).rows[0]["why"]).lower().count("looks like") == 1


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
    assert [row["account"] for row in rows] == ["Cash", "Giro", ""]
    assert rows[0]["details"] == [{"kind": "tag", "text": "#trip"}, {"kind": "note", "text": "with Kim"}]
    assert "details" not in rows[1]
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
    assert (hand.columns(), hand.mapping()) == ((), FOUND)
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


def test_account_is_kept_for_the_next_file_and_the_mapping_is_not(hand: Hand) -> None:
    hand.say(account="Card", credits="refund")
    assert hand.phases == []
    hand.take(PLAIN, "bank.csv")
    hand.map("category", None)
    hand.take(PLAIN, "bank.csv")
    assert hand.options == Options(account="Card", credits="refund")
    assert (proposed(hand).plan.account, proposed(hand).dry.created) == ("Card", 2)


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
        hand.land()
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
    held.let_go.release()
    threads.join()
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
    hand.land()
    assert (hand.name, hand.has_file, len(hand.done)) == ("next.csv", True, 1)


def test_progress_is_told(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_wizard, "TELL_EVERY_S", 0)
    hand.take(PLAIN, "bank.csv")
    hand.land()
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
        hand.land()
        assert contents(remote) == [(1, "12.50", "Food", "Lunch"), (2, "3.00", "Drinks", "Tea")]
        (done,) = hand.done
        assert done.undo is not None
        assert isinstance(done.undo(lambda: remote), Done)
        assert contents(remote) == []
        hand.take(PLAIN, "bank.csv")
    hand.land()
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
    starts = iter([True, False, True])

    def start(work: Callable[[], None]) -> None:
        if not next(starts):
            raise RuntimeError("can't start new thread")
        work()

    hand = Hand(lambda: ledger, start)
    hand.take(PLAIN, "bank.csv")
    with pytest.raises(RuntimeError):
        hand.land()
    hand.take(PLAIN, "again.csv")
    assert hand.name == "again.csv"
