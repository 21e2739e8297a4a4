"""Expenses recorded without a category, which the ledger decides."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from expense_lib import IdempotencyKeyReused, InvalidInput, Ledger, NewExpense, RecordedThenDeleted
from tests.builders import an_expense


def uncategorised(**changes: Any) -> NewExpense:
    return NewExpense.model_validate(
        {"amount": "9.80", "description": "Lunch", "date": "2026-11-23", **changes}
    )


@pytest.fixture
def ledger(address: str) -> Ledger:
    ledger = Ledger(address)
    ledger.record(an_expense())
    return ledger


def test_category_is_decided_once(ledger: Ledger) -> None:
    first = ledger.record(uncategorised())
    assert (first.created, first.expense.category, first.expense.description) == (True, "Food", "Lunch")
    ledger.add_rule("lunch", "Travel")
    again = ledger.record(uncategorised())
    assert (again.created, again.expense.id, again.differs) == (False, first.expense.id, ())
    assert ledger.record(uncategorised(occurrence=2)).expense.category == "Travel"
    assert ledger.check() == []


def test_retry_finds_it_however_it_was_edited(ledger: Ledger) -> None:
    first = ledger.record(uncategorised(category=None)).expense
    ledger.amend(first.id, {"category": "Fun", "amount": "10.00"}, 1)
    again = ledger.record(uncategorised())
    assert (again.created, again.expense.id, again.differs) == (False, first.id, ("amount",))
    ledger.delete(first.id)
    with pytest.raises(RecordedThenDeleted):
        ledger.record(uncategorised())


def test_it_is_the_same_with_the_category_that_was_decided(ledger: Ledger) -> None:
    first = ledger.record(uncategorised())
    assert ledger.record(uncategorised(category="food")).expense.id == first.expense.id
    said = ledger.record(uncategorised(category="Food", date="2026-11-24"))
    again = ledger.record(uncategorised(date="2026-11-24"))
    assert (again.created, again.expense.id) == (False, said.expense.id)
    ledger.add_rule("lunch", "Travel")
    assert not ledger.record(uncategorised(date="2026-11-24")).created
    assert ledger.check() == []


def test_fresh_idempotency_key_makes_another_one(ledger: Ledger) -> None:
    first = ledger.record(uncategorised(), "a")
    other = ledger.record(uncategorised(), "b")
    assert (first.created, other.created, other.expense.occurrence) == (True, True, 2)
    ledger.add_rule("lunch", "Travel")
    assert ledger.record(uncategorised(), "b").expense.id == other.expense.id
    assert ledger.record(uncategorised()).expense.id == first.expense.id
    assert ledger.record(uncategorised(occurrence=2)).expense.id == other.expense.id
    assert ledger.check() == []


def test_request_of_an_idempotency_key_has_no_category(ledger: Ledger) -> None:
    ledger.record(uncategorised(), "a")
    with pytest.raises(IdempotencyKeyReused, match="category"):
        ledger.record(uncategorised(category="Food"), "a")


def test_unknown_description_is_refused_in_words(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput, match="category is needed: none is known for this description"):
        ledger.record(uncategorised(description="Museum"))
    assert ledger.search().count == 1


def test_description_alike_is_enough(ledger: Ledger) -> None:
    assert ledger.record(uncategorised(description="LUNCH 4711 22.11")).expense.category == "Food"


def test_edit_leaves_no_expense_without_a_category(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput):
        ledger.amend(1, {"category": None}, 1)


def test_many_at_once_create_one(ledger: Ledger, address: str) -> None:
    together = threading.Barrier(9)
    created: list[bool] = []

    def submit() -> None:
        with Ledger(address) as mine:
            together.wait()
            created.append(mine.record(uncategorised()).created)

    def rule() -> None:
        together.wait()
        ledger.add_rule("lunch", "Travel")

    threads = [threading.Thread(target=submit) for _ in range(8)] + [threading.Thread(target=rule)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created) == [False] * 7 + [True]
    assert ledger.search().count == 2
    assert ledger.check() == []
