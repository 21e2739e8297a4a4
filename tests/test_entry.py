from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

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


def test_added_is_on_disk(ledger: Ledger) -> None:
    outcome = submit(lambda: ledger, LUNCH)
    assert isinstance(outcome, Added)
    assert outcome.expense == ledger.search().items[0]


def test_the_same_again_is_told_and_can_be_added_as_another_once(ledger: Ledger) -> None:
    submit(lambda: ledger, LUNCH)
    again = submit(lambda: ledger, LUNCH)
    assert isinstance(again, AlreadyRecorded)
    assert ledger.search().count == 1
    clicks = [submit(lambda: ledger, LUNCH, "a-key") for _ in range(2)]
    assert all(isinstance(click, Added) for click in clicks)
    assert ledger.search().count == 2


def test_another_one_whose_answer_was_lost_is_not_doubled(ledger: Ledger) -> None:
    submit(lambda: ledger, LUNCH)

    class Losing(Ledger):
        def record(self, new: NewExpense, idempotency_key: str | None = None) -> NoReturn:
            super().record(new, idempotency_key)
            down()

    assert isinstance(submit(lambda: Losing(ledger.path), LUNCH, "a-key"), NotReached)
    assert isinstance(submit(lambda: ledger, LUNCH, "a-key"), Added)
    assert ledger.search().count == 2


@pytest.mark.parametrize("choice", ["restore", "another"])
def test_deleted_expense_typed_again_can_be_restored_or_added_as_another(ledger: Ledger, choice: str) -> None:
    submit(lambda: ledger, LUNCH)
    ledger.delete(1)
    again = submit(lambda: ledger, LUNCH)
    assert again == WasDeleted(1)
    for _ in range(2):
        done = (
            entry.restore(lambda: ledger, 1)
            if choice == "restore"
            else submit(lambda: ledger, LUNCH, "a-key")
        )
        assert isinstance(done, Added)
        assert done.expense.id == (1 if choice == "restore" else 2)
    assert ledger.search().count == 1


def test_category_that_was_not_typed_is_the_ledgers_to_decide(ledger: Ledger) -> None:
    unsaid = replace(LUNCH, amount="7", category=" ")
    refused = submit(lambda: ledger, unsaid)
    assert isinstance(refused, Refused)
    assert refused.lacks_only_a_category
    submit(lambda: ledger, LUNCH)
    added = submit(lambda: ledger, unsaid)
    assert isinstance(added, Added)
    assert added.expense.category == "Food"


def test_what_is_wrong_is_named_by_field(ledger: Ledger) -> None:
    typed = Typed("12,50", "x" * 101, "Lunch", "yesterday")
    outcome = submit(lambda: ledger, typed)
    assert isinstance(outcome, Refused)
    assert [field for field, _ in outcome.errors] == ["amount", "category", "date"]


def test_amount_that_the_currency_refuses_is_named_too(tmp_path: Path) -> None:
    yen = Ledger(tmp_path / "yen.db", "JPY")
    outcome = submit(lambda: yen, LUNCH)
    assert isinstance(outcome, Refused)
    assert [field for field, _ in outcome.errors] == ["amount"]


def test_blank_form_is_told_what_is_missing(ledger: Ledger) -> None:
    assert isinstance(submit(lambda: ledger, Typed()), Refused)


@pytest.mark.parametrize("error", [LedgerUnavailable("It is down."), RuntimeError("boom")], ids=repr)
def test_failure_says_a_reason_and_nothing_of_the_inside(error: Exception) -> None:
    def fail() -> NoReturn:
        raise error

    outcome = submit(fail, LUNCH)
    assert isinstance(outcome, NotReached)
    assert "boom" not in outcome.reason


def test_form_sent_again_after_a_failure_records_once(ledger: Ledger) -> None:
    assert isinstance(submit(down, LUNCH), NotReached)
    assert isinstance(submit(lambda: ledger, LUNCH), Added)
    assert ledger.search().count == 1


@pytest.mark.parametrize("amount", ["3.00", "-3.00", " 3.00 "])
def test_refund_box_makes_the_amount_negative(ledger: Ledger, amount: str) -> None:
    outcome = submit(lambda: ledger, replace(LUNCH, amount=amount, refund=True))
    assert isinstance(outcome, Added)
    assert str(outcome.expense.amount) == "-3.00"


def test_stray_minus_does_not_pass(ledger: Ledger) -> None:
    outcome = submit(lambda: ledger, replace(LUNCH, amount="-3.00"))
    assert isinstance(outcome, Refused)
    assert [field for field, _ in outcome.errors] == ["refund"]
