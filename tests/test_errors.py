from __future__ import annotations

import pickle

import pytest

import expense_lib
from expense_lib import ExpenseError, FieldError
from expense_lib.client import RemoteLedger

ERRORS = [
    expense_lib.AmountError([FieldError("amount", "must be small")]),
    expense_lib.ChangedSince([1, 2]),
    expense_lib.ExpenseNotFound(5),
    expense_lib.IdempotencyKeyError(),
    expense_lib.IdempotencyKeyReused(["amount"]),
    expense_lib.LedgerBusy(),
    expense_lib.LedgerUnavailable("It is down."),
    expense_lib.StaleVersion(5, 2),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_error_survives_the_way_between_processes(error: ExpenseError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_every_error_is_public_and_has_a_code() -> None:
    kinds: set[type[ExpenseError]] = set()
    todo = [ExpenseError]
    while todo:
        todo += (found := set(todo.pop().__subclasses__()) - kinds)
        kinds |= found
    ours = {kind for kind in kinds if kind.__module__.startswith("expense_lib")}
    assert {kind.__name__ for kind in ours} <= set(expense_lib.__all__)
    assert all(kind.code for kind in kinds)


def test_remote_ledger_survives_the_way_between_processes() -> None:
    remote = RemoteLedger("http://127.0.0.1:1/")
    assert repr(pickle.loads(pickle.dumps(remote))) == repr(remote)  # noqa: S301 - our own
