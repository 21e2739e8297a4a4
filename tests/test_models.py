from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from expense_lib import Expense, ExpenseFilter, InvalidInput, NewExpense
from tests.builders import fields

REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"amount": 12.5}, "amount", "binary floats are not exact"),
    ({"amount": "12,50"}, "amount", "plain decimal"),
    ({"amount": "0.00"}, "amount", "zero"),
    ({"amount": "-3.00"}, "refund", "must be true for a negative amount"),
    ({"refund": True}, "refund", "needs a negative amount"),
    ({"refund": "yes"}, "refund", "true or false"),
    ({"category": "  \t "}, "category", "must not be empty"),
    ({"category": "x" * 101}, "category", "at most 100"),
    ({"category": 1}, "category", "must be a text"),
    ({"category": "a\x00b"}, "category", "control characters"),
    ({"description": "a\x1bb"}, "description", "control characters"),
    ({"description": "\ud800"}, "description", "lone surrogates"),
    ({"description": "x" * 501}, "description", "at most 500"),
    ({"description": 5}, "description", "must be a text"),
    ({"date": "2026-02-30"}, "date", "exists in the calendar"),
    ({"date": "22.11.2026"}, "date", "YYYY-MM-DD"),
    ({"date": "2026-11-22T00:00:00Z"}, "date", "YYYY-MM-DD"),
    ({"date": "1704067200"}, "date", "YYYY-MM-DD"),
    ({"date": 0}, "date", "YYYY-MM-DD"),
    ({"date": dt.datetime(2026, 11, 22, tzinfo=dt.UTC)}, "date", "YYYY-MM-DD"),
    ({"date": "２０２６-11-22"}, "date", "YYYY-MM-DD"),
    ({"occurrence": 0}, "occurrence", "at least 1"),
    ({"occurrence": 1_000_001}, "occurrence", "at most 1000000"),
    ({"occurrence": True}, "occurrence", "an integer"),
    ({"occurrence": "2"}, "occurrence", "an integer"),
    ({"occurrence": 1.0}, "occurrence", "an integer"),
    ({"payee": "Bistro"}, "payee", "not a known name"),
]


@pytest.mark.parametrize(("changes", "field", "words"), REFUSALS, ids=lambda part: str(part)[:40])
def test_bad_field_is_named_in_a_sentence(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NewExpense.model_validate(fields(**changes))
    ((named, message),) = InvalidInput.from_pydantic(refused.value).errors
    assert named == field
    assert words in message


def test_at_most_twenty_errors_are_told() -> None:
    with pytest.raises(ValidationError) as refused:
        NewExpense.model_validate(fields(**{f"n{i}": 1 for i in range(1000)}))
    assert len(InvalidInput.from_pydantic(refused.value).errors) == 20


@pytest.mark.parametrize("amount", [Decimal("0.0000001"), "0.0000001"])
def test_small_fraction_is_a_plain_decimal(amount: Any) -> None:
    new = NewExpense.model_validate(fields(amount=amount))
    assert new.model_dump(mode="json")["amount"] == "0.0000001"


def test_missing_fields_are_all_named() -> None:
    with pytest.raises(ValidationError) as refused:
        NewExpense.model_validate({})
    assert [field for field, _ in InvalidInput.from_pydantic(refused.value).errors] == [
        "amount",
        "date",
    ]


def test_new_expense_is_canonical() -> None:
    new = NewExpense(amount="-3", category=" Cafe\u0301  bar ", date="2026-11-22", refund=True)
    assert (new.amount, new.category, new.description) == (Decimal(-3), "Café bar", "")


@pytest.mark.parametrize(
    "changes",
    [{"category": "x" * 100}, {"category": " " * 500 + "x"}, {"description": "x" * 500 + " " * 9}],
    ids=["longest category", "padded category", "padded description"],
)
def test_length_counts_the_canonical_text(changes: dict[str, Any]) -> None:
    NewExpense.model_validate(fields(**changes))


def test_expense_as_json_has_its_amount_as_text_and_times_in_utc() -> None:
    expense = Expense(
        id=1,
        amount=Decimal("-3.00"),
        category="Food",
        description="",
        date=dt.date(2026, 11, 22),
        occurrence=1,
        refund=True,
        dedup_key="v1:0",
        version=1,
        created_at=dt.datetime(2026, 11, 22, 9, 12, tzinfo=dt.UTC),
        updated_at=dt.datetime(2026, 11, 22, 9, 12, tzinfo=dt.UTC),
    )
    shown = expense.model_dump(mode="json")
    assert (shown["amount"], shown["created_at"]) == ("-3.00", "2026-11-22T09:12:00Z")


@pytest.mark.parametrize(
    ("given", "categories"), [("food", ("food",)), (["a", " b "], ("a", "b")), ("", ()), (None, ()), ([], ())]
)
def test_filter_takes_one_category_or_several(given: Any, categories: tuple[str, ...]) -> None:
    assert ExpenseFilter(category=given).category == categories


@pytest.mark.parametrize(
    "bad",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": True},
        {"sort": "amount"},
        {"q": "\0"},
        {"amount_min": 1.5},
        {"date_to": "today"},
        {"text": "x"},
        {"category": [""]},
    ],
    ids=str,
)
def test_filter_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ExpenseFilter.model_validate(bad)
