"""What is done to what is recorded, and that its undoing brings back exactly what was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib import Ledger, LedgerUnavailable, NewExpense, open_ledger
from expense_lib.app import edits
from expense_lib.app.edits import CHANGED_MEANWHILE, GONE, Done, Failed, Open
from expense_lib.app.entry import Typed
from expense_lib.app.messages import UNEXPECTED
from expense_lib.client import RemoteLedger
from expense_lib.domain.filters import ExpenseFilter, Filter
from expense_lib.domain.results import Expense
from expense_lib.store import schema
from tests.builders import an_expense, handler

pytestmark = pytest.mark.of_the_file

AnyLedger = Ledger | RemoteLedger
Deed = Callable[[AnyLedger], Done | Failed]

DEEDS: dict[str, Deed] = {
    "amount": lambda ledger: edit(ledger, amount="13"),
    "refund": lambda ledger: edit(ledger, refund=True),
    "category": lambda ledger: edit(ledger, category="Fuel"),
    "description": lambda ledger: edit(ledger, description=""),
    "date": lambda ledger: edit(ledger, date="2028-02-29"),
    "account": lambda ledger: edit(ledger, account="Giro"),
    "note": lambda ledger: edit(ledger, note="With Kim"),
    "tags": lambda ledger: edit(ledger, tags="trip, #work"),
    "everything": lambda ledger: edit(
        ledger, "0.01", "Fuel, oil", "<b>", "2026-12-31", refund=True, note="Kim"
    ),
    "into another's content": lambda ledger: edit(ledger, amount="3.00"),
    "delete": lambda ledger: edits.delete(lambda: ledger, ledger.get(2), "USD"),
    "move": lambda ledger: edits.recategorise(lambda: ledger, "Fuel", ids=[2, 3]),
    "move all": lambda ledger: edits.recategorise(lambda: ledger, "Misc", where=Filter()),
    "rename": lambda ledger: edits.rename(lambda: ledger, "Food", "Meals"),
    "respell": lambda ledger: edits.rename(lambda: ledger, "Food", "FOOD"),
    "merge": lambda ledger: edits.rename(lambda: ledger, "Food", "fuel"),
}


def edit(
    ledger: AnyLedger,
    amount: str = "12.50",
    category: str = "Food",
    description: str = "Lunch",
    date: str = "2026-11-22",
    *,
    refund: bool = False,
    **annotations: str,
) -> Done | Failed:
    """Edit the second of the two lunches: what is left out stays, and annotations are blank."""
    typed = Typed(amount, category, description, date, refund, **annotations)
    return edits.edit(lambda: ledger, ledger.get(2), typed, "USD")


def fill(ledger: AnyLedger) -> None:
    """Two equal lunches; a cheaper one; some fuel."""
    ledger.record(an_expense())
    ledger.record(an_expense(occurrence=2))
    ledger.record(an_expense(amount="3.00"))
    ledger.record(an_expense(category="Fuel"))


def contents(ledger: AnyLedger) -> dict[int, tuple[object, ...]]:
    """What every expense says, by its id."""
    items = ledger.search(ExpenseFilter(limit=500)).items
    return {each.id: tuple(getattr(each, name) for name in sorted(NewExpense.model_fields)) for each in items}


def undone(done: Done | Failed, ledger: AnyLedger) -> Done:
    assert isinstance(done, Done)
    assert done.undo is not None
    again = done.undo(lambda: ledger)
    assert isinstance(again, Done), again
    return again


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    fill(ledger)
    return ledger


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteLedger]:
    with handler(tmp_path_factory.mktemp("served") / "expenses.db") as url:
        found = open_ledger(url)
        assert isinstance(found, RemoteLedger)
        fill(found)
        yield found


def there_and_back(ledger: AnyLedger, deed: Deed) -> None:
    was = contents(ledger)
    done = deed(ledger)
    now = contents(ledger)
    assert now != was
    back = undone(done, ledger)
    assert contents(ledger) == was
    again = undone(back, ledger)
    assert contents(ledger) == now
    undone(again, ledger)
    assert contents(ledger) == was


@pytest.mark.parametrize("deed", DEEDS.values(), ids=list(DEEDS))
def test_undo_brings_back_exactly_what_was_and_undoing_that_the_change(filled: Ledger, deed: Deed) -> None:
    there_and_back(filled, deed)
    assert filled.check() == []


@pytest.mark.parametrize("deed", DEEDS.values(), ids=list(DEEDS))
def test_undo_through_a_handler_does_the_same(remote: RemoteLedger, deed: Deed) -> None:
    there_and_back(remote, deed)


EDITS = st.fixed_dictionaries(
    {
        "amount": st.sampled_from(["12.50", "3.00", "7"]),
        "category": st.sampled_from(["Food", "Fuel", "Fuel, oil", "Été"]),
        "description": st.sampled_from(["Lunch", "", "Tea"]),
        "date": st.sampled_from(["2026-11-22", "2026-01-01", "2028-02-29"]),
        "refund": st.booleans(),
    }
)


@given(st.lists(EDITS, min_size=1, max_size=5))
def test_every_edit_is_undone_and_done_again_whatever_went_before(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, Any]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("steps") / "expenses.db")
    fill(ledger)
    for step in steps:
        was = contents(ledger)
        done = edit(ledger, **step)
        assert isinstance(done, Done), done
        now = contents(ledger)
        if done.undo:
            back = undone(done, ledger)
            assert contents(ledger) == was
            undone(back, ledger)
            assert contents(ledger) == now
    assert ledger.check() == []


def test_undo_is_not_said_to_be_done_where_others_went_on(filled: Ledger) -> None:
    done = DEEDS["amount"](filled)
    filled.amend(2, {"amount": "12.50", "occurrence": 2}, version=2)
    filled.amend(2, {"amount": "99"}, version=3)
    assert isinstance(done, Done)
    assert done.undo is not None
    assert isinstance(done.undo(lambda: filled), Failed)
    assert str(filled.get(2).amount) == "99.00"


@pytest.mark.parametrize(
    ("deed", "text"),
    [
        ("amount", "Saved: 13.00 USD, Food, Lunch, 2026-11-22, number 2 of its kind that day."),
        ("refund", "Saved: -12.50 USD, Food, Lunch, 2026-11-22, number 2 of its kind that day."),
        ("delete", "Deleted: 12.50 USD, Food, Lunch, 2026-11-22, number 2 of its kind that day."),
        ("move", "Moved 2 expenses to Fuel."),
        ("rename", "Food is now Meals, which has 3 expenses."),
        ("merge", "Food is now Fuel, which has 4 expenses."),
    ],
)
def test_what_was_done_is_said(filled: Ledger, deed: str, text: str) -> None:
    done = DEEDS[deed](filled)
    assert done.text == text
    assert undone(done, filled).text.startswith("Restored" if deed == "delete" else "Undone: ")


@pytest.mark.parametrize(
    "deed",
    [
        lambda ledger: edit(ledger, amount=" 12.5 ", description="Lunch"),
        lambda ledger: edits.rename(lambda: ledger, "Food", " Food "),
        lambda ledger: edits.recategorise(lambda: ledger, "FOOD", ids=[1, 2]),
        lambda ledger: edit(ledger, category="FOOD"),
        lambda ledger: edit(ledger, description=" Lunch "),
    ],
    ids=["equal amount", "same name", "there already", "another spelling", "spaces"],
)
def test_nothing_to_change_is_said_and_can_not_be_undone(filled: Ledger, deed: Deed) -> None:
    done = deed(filled)
    assert isinstance(done, Done)
    assert (done.undo, filled.changes()) == (None, [])
    assert done.text in ("Nothing was changed.", "There was nothing to move to Food.")


def test_deleted_expenses_are_not_said_to_be_in_the_category(filled: Ledger) -> None:
    filled.delete(1)
    assert edits.recategorise(lambda: filled, "Fuel", ids=[1]).text != "They are in Fuel already."


def a_busy(ledger: Ledger) -> Done | Failed:
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        return edit(ledger, amount="13")


def test_busy_ledger_is_told_and_nothing_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 0)
    ledger = Ledger(path)
    fill(ledger)
    was = contents(ledger)
    failed = a_busy(ledger)
    assert (type(failed), failed.text[:18]) == (Failed, "The ledger is busy")
    assert contents(ledger) == was


def raising(error: Exception) -> Open:
    def fail() -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "text"),
    [(LedgerUnavailable("It is down."), "It is down."), (RuntimeError("boom"), UNEXPECTED)],
    ids=["down", "unexpected"],
)
def test_failure_is_told_and_not_raised(filled: Ledger, error: Exception, text: str) -> None:
    fail, expense = raising(error), filled.get(2)
    undos = [DEEDS[name](filled) for name in ("move", "rename")]
    was = contents(filled)
    found = [
        edits.edit(fail, expense, Typed("1", "Food", "Lunch", "2026-11-22"), "USD"),
        edits.delete(fail, expense, "USD"),
        edits.recategorise(fail, "Fuel", ids=[2]),
        edits.rename(fail, "Food", "Meals"),
        edits.undo_of(1)(fail),
        edits.undo_of_import(1)(fail),
        *(done.undo(fail) for done in undos if isinstance(done, Done) and done.undo),
    ]
    asked_once = f"{text} If it was done all the same, Changes lists it." if text != UNEXPECTED else text
    assert found == [Failed(text), Failed(text), *[Failed(asked_once)] * 2, *[Failed(text)] * 4]
    assert contents(filled) == was


def at_version_1(ledger: Ledger) -> Expense:
    return ledger.get(2)


@pytest.mark.parametrize("what", ["edit", "delete"])
def test_expense_changed_meanwhile_is_left_alone(filled: Ledger, what: str) -> None:
    looked_at = at_version_1(filled)
    edit(filled, description="Supper")
    was = contents(filled)
    typed = Typed("99", "Food", "Lunch", "2026-11-22")
    failed = (
        edits.edit(lambda: filled, looked_at, typed, "USD")
        if what == "edit"
        else edits.delete(lambda: filled, looked_at, "USD")
    )
    assert (failed, contents(filled)) == (Failed(CHANGED_MEANWHILE), was)


def test_edit_of_what_was_deleted_meanwhile_is_told(filled: Ledger) -> None:
    looked_at = at_version_1(filled)
    filled.delete(2)
    typed = Typed("99", "Food", "Lunch", "2026-11-22")
    assert edits.edit(lambda: filled, looked_at, typed, "USD") == Failed(GONE)
    assert isinstance(edits.delete(lambda: filled, looked_at, "USD"), Done)


def test_edit_sent_twice_is_done_once_and_told_twice(filled: Ledger) -> None:
    looked_at, typed = at_version_1(filled), Typed("99", "Food", "Lunch", "2026-11-22")
    first, second = (edits.edit(lambda: filled, looked_at, typed, "USD") for _ in range(2))
    assert first.text == second.text
    assert len(filled.changes()) == 1
    undone(second, filled)
    assert str(filled.get(2).amount) == "12.50"


def test_same_undo_twice_is_done_once(filled: Ledger) -> None:
    for deed in ("amount", "delete", "rename"):
        done = DEEDS[deed](filled)
        undone(done, filled)
        count, was = len(filled.changes()), contents(filled)
        undone(done, filled)
        assert (len(filled.changes()), contents(filled)) == (count, was)


def test_undo_of_an_edit_that_was_edited_since_is_refused(filled: Ledger) -> None:
    done = DEEDS["amount"](filled)
    filled.amend(2, {"description": "Supper"}, version=None)
    assert isinstance(done, Done)
    assert done.undo is not None
    was = contents(filled)
    assert isinstance(done.undo(lambda: filled), Failed)
    assert contents(filled) == was


def test_refused_undo_speaks_of_the_undo(filled: Ledger) -> None:
    done = DEEDS["amount"](filled)
    filled.amend(2, {"description": "Supper"}, version=None)
    assert isinstance(done, Done)
    assert done.undo is not None
    assert "Close this" not in done.undo(lambda: filled).text


def test_undo_of_a_move_keeps_what_was_changed_since(filled: Ledger) -> None:
    done = DEEDS["move"](filled)
    filled.amend(3, {"category": "Gifts"}, version=None)
    back = undone(done, filled)
    assert back.text == "Undone: 1 expense as before. 1 expense kept, being changed since."
    assert [filled.get(each).category for each in (2, 3)] == ["Food", "Gifts"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"amount": "0"}, ["amount"]),
        ({"amount": "1.005"}, ["amount"]),
        ({"amount": "-5"}, ["refund"]),
        ({"amount": "", "category": "\0", "date": "2027-02-29"}, ["amount", "category", "date"]),
        ({"description": "x" * 501}, ["description"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_by_field(filled: Ledger, changes: dict[str, str], fields: list[str]) -> None:
    was = contents(filled)
    failed = edit(filled, **changes)  # type: ignore[arg-type] # refund is none of them
    assert isinstance(failed, Failed)
    assert ([field for field, _ in failed.errors], contents(filled)) == (fields, was)


@pytest.mark.parametrize(
    ("deed", "text"),
    [
        (
            lambda ledger: edits.recategorise(lambda: ledger, "Fuel", ids=[1, 99]),
            "There is no expense 99.",
        ),
        (lambda ledger: edits.rename(lambda: ledger, "Nothing", "Fuel"), "There is no such category."),
        (lambda ledger: edits.undo_of(99)(lambda: ledger), "There is no change 99."),
        (lambda ledger: edits.undo_of_import(9)(lambda: ledger), "There is no import 9."),
    ],
    ids=["expense", "category", "change", "import"],
)
def test_what_is_not_there_is_told(filled: Ledger, deed: Deed, text: str) -> None:
    was = contents(filled)
    assert (deed(filled), contents(filled)) == (Failed(text), was)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1300"), ("KWD", "12.505"), ("BHD", "0.001")])
def test_edit_is_exact_in_every_currency(tmp_path: Path, currency: str, amount: str) -> None:
    ledger = Ledger(tmp_path / "expenses.db", currency)
    expense = ledger.record(an_expense(amount="12")).expense
    typed = Typed(amount, "Food", "Lunch", "2026-11-22")
    done = edits.edit(lambda: ledger, expense, typed, currency)
    assert str(ledger.get(1).amount) == amount
    undone(done, ledger)
    assert ledger.get(1).amount == expense.amount
