from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from expense_lib import Ledger, LedgerUnavailable, NewExpense
from expense_lib.app import entry
from expense_lib.app.entry import (
    Added,
    AlreadyRecorded,
    NotReached,
    Refused,
    Typed,
    WasDeleted,
    submit,
    submit_another,
)
from expense_lib.domain.content import ANNOTATIONS
from tests.builders import an_expense

LUNCH = Typed("12.50", "Food", "Lunch", "2026-11-22")


def down() -> NoReturn:
    raise LedgerUnavailable("It is down.")


def test_form_has_every_field_of_an_expense_but_its_occurrence() -> None:
    assert set(entry.FIELDS) == {field.name for field in dataclasses.fields(Typed)}
    assert set(entry.FIELDS) == set(NewExpense.model_fields) - {"occurrence"}
    assert set(entry.MORE) == set(ANNOTATIONS)


def test_expense_typed_as_it_is_is_the_same(ledger: Ledger) -> None:
    for changes in (
        {},
        {"account": "Giro", "note": "Kim", "tags": ["a", "b"], "amount": "-3", "refund": True},
    ):
        expense = ledger.record(an_expense(**changes)).expense
        again = Typed.of(expense).expense().model_dump(exclude={"occurrence"})
        assert again == expense.model_dump(include=set(again))


@pytest.mark.parametrize("kept", ["category", "date", "account"])
def test_form_is_blank_with_what_it_keeps_for_the_next_expense(kept: str) -> None:
    values: dict[str, Any] = {kept: "x"}
    assert Typed(**values).is_blank()


@pytest.mark.parametrize("typed", ["amount", "description", "note", "tags"])
def test_form_is_not_blank_with_anything_else(typed: str) -> None:
    values: dict[str, Any] = {typed: "x"}
    assert not Typed(**values).is_blank()


def test_added_is_on_disk(ledger: Ledger) -> None:
    outcome = submit(lambda: ledger, LUNCH, entry.Ready())
    assert isinstance(outcome, Added)
    assert outcome.expense == ledger.search().items[0]


def test_second_half_of_a_double_click_changes_nothing(ledger: Ledger) -> None:
    added = submit(lambda: ledger, LUNCH, entry.Ready())
    blank = replace(LUNCH, amount="", description="")  # but for what the form keeps
    assert submit(lambda: ledger, blank, added) is added


def test_the_same_again_is_told_and_can_be_added_as_another_once(ledger: Ledger) -> None:
    submit(lambda: ledger, LUNCH, entry.Ready())
    again = submit(lambda: ledger, LUNCH, entry.Ready())
    assert isinstance(again, AlreadyRecorded)
    assert (again.typed, ledger.search().count) == (LUNCH, 1)
    clicks = [submit_another(lambda: ledger, again) for _ in range(2)]
    assert all(isinstance(click, Added) for click in clicks)
    assert ledger.search().count == 2


def test_another_one_whose_answer_was_lost_is_not_doubled(ledger: Ledger) -> None:
    submit(lambda: ledger, LUNCH, entry.Ready())
    again = submit(lambda: ledger, LUNCH, entry.Ready())
    assert isinstance(again, AlreadyRecorded)

    class Losing(Ledger):
        def record(self, new: NewExpense, idempotency_key: str | None = None) -> NoReturn:
            super().record(new, idempotency_key)
            down()

    failed = submit_another(lambda: Losing(ledger.path), again)
    assert isinstance(failed, NotReached)
    assert isinstance(submit(lambda: ledger, failed.typed, failed), Added)
    assert ledger.search().count == 2


@pytest.mark.parametrize("choice", ["restore", "another"])
def test_deleted_expense_typed_again_can_be_restored_or_added_as_another(ledger: Ledger, choice: str) -> None:
    submit(lambda: ledger, LUNCH, entry.Ready())
    ledger.delete(1)
    again = submit(lambda: ledger, LUNCH, entry.Ready())
    assert isinstance(again, WasDeleted)
    assert (again.typed, again.expense_id, ledger.search().count) == (LUNCH, 1, 0)
    for _ in range(2):
        done = (entry.restore if choice == "restore" else submit_another)(lambda: ledger, again)
        assert isinstance(done, Added)
        assert done.expense.id == (1 if choice == "restore" else 2)
    assert ledger.search().count == 1


def test_what_is_wrong_is_named_by_field(ledger: Ledger) -> None:
    typed = Typed("12,50", " ", "Lunch", "yesterday")
    outcome = submit(lambda: ledger, typed, entry.Ready())
    assert isinstance(outcome, Refused)
    assert [field for field, _ in outcome.errors] == ["amount", "category", "date"]


def test_amount_that_the_currency_refuses_is_named_too(tmp_path: Path) -> None:
    yen = Ledger(tmp_path / "yen.db", "JPY")
    outcome = submit(lambda: yen, LUNCH, entry.Ready())
    assert isinstance(outcome, Refused)
    assert [field for field, _ in outcome.errors] == ["amount"]


def test_blank_form_is_told_what_is_missing(ledger: Ledger) -> None:
    assert isinstance(submit(lambda: ledger, Typed(), entry.Ready()), Refused)


@pytest.mark.parametrize("error", [LedgerUnavailable("It is down."), RuntimeError("boom")], ids=repr)
def test_failure_keeps_what_was_typed(error: Exception) -> None:
    def fail() -> NoReturn:
        raise error

    outcome = submit(fail, LUNCH, entry.Ready())
    assert isinstance(outcome, NotReached)
    assert outcome.typed == LUNCH
    assert "boom" not in outcome.reason


def test_form_sent_again_after_a_failure_records_once(ledger: Ledger) -> None:
    failed = submit(down, LUNCH, entry.Ready())
    assert isinstance(failed, NotReached)
    assert isinstance(submit(lambda: ledger, failed.typed, failed), Added)
    assert ledger.search().count == 1


@pytest.mark.parametrize("amount", ["3.00", "-3.00", " 3.00 "])
def test_refund_box_makes_the_amount_negative(ledger: Ledger, amount: str) -> None:
    outcome = submit(lambda: ledger, replace(LUNCH, amount=amount, refund=True), entry.Ready())
    assert isinstance(outcome, Added)
    assert str(outcome.expense.amount) == "-3.00"


def test_stray_minus_does_not_pass(ledger: Ledger) -> None:
    outcome = submit(lambda: ledger, replace(LUNCH, amount="-3.00"), entry.Ready())
    assert isinstance(outcome, Refused)
    assert [field for field, _ in outcome.errors] == ["refund"]
