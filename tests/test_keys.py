from __future__ import annotations

import datetime as dt
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib.domain import keys
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.keys import Identity
from expense_lib.domain.money import Currency
from expense_lib.domain.text import canonical_text, fold
from tests.builders import GOLDEN_KEYS, an_expense

USD = Currency("USD", 2)
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=50)


def key(new: NewExpense) -> str:
    return new.content(USD).dedup_key()


@pytest.mark.parametrize(("canonical", "digits"), GOLDEN_KEYS.items())
def test_golden_key_never_changes(canonical: str, digits: str) -> None:
    _, minor, category, description, date, occurrence = json.loads(canonical)
    identity = Identity(minor, category, description, date)
    assert identity.dedup_key(occurrence) == f"v1:{digits}"


@pytest.mark.parametrize(
    ("canonical", "digits"),
    [
        (
            '[1,1250,null,"Lunch","2026-11-22",1]',
            "93664aab09233e486e3e42a0dfb9c600ee0a5237d9f410e275468710f52267de",
        ),
        (
            '[1,1250,null,"Lunch","2026-11-22",2]',
            "ec292077d39c42b5cc450814891849b3cf542bb804a00a5cdc7540b00715e1a0",
        ),
        (
            r'[1,-300,null,"Straße \"7\"","2024-02-29",1]',
            "735d61c0a78e1a98cc29562c45031bd6c1131c26d17c3e322be01c9ed05b3cc9",
        ),
    ],
)
def test_golden_key_without_a_category_never_changes(canonical: str, digits: str) -> None:
    _, minor, category, description, date, occurrence = json.loads(canonical)
    assert category is None
    assert keys.uncategorised(minor, description, date, occurrence) == f"u1:{digits}"


@pytest.mark.parametrize(
    "same",
    [
        {"amount": "12.5"},
        {"category": " food "},
        {"category": "FOOD"},
        {"description": "  Lunch\t"},
        {"date": dt.date(2026, 11, 22)},
        {"occurrence": 1},
        {"refund": False},
    ],
    ids=str,
)
def test_key_is_the_same_for(same: dict[str, Any]) -> None:
    assert key(an_expense(**same)) == key(an_expense())


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "12.51"},
        {"amount": "-12.50", "refund": True},
        {"category": "Foods"},
        {"description": "lunch"},
        {"description": ""},
        {"date": "2026-11-23"},
        {"occurrence": 2},
    ],
    ids=str,
)
def test_key_differs_for(other: dict[str, Any]) -> None:
    assert key(an_expense(**other)) != key(an_expense())


def test_fields_are_framed() -> None:
    assert key(an_expense(category="a", description="b c")) != key(
        an_expense(category="a b", description="c")
    )
    assert key(an_expense(category='a","b', description="")) != key(an_expense(category="a", description="b"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café", "CAFE\u0301"),
        ("Straße", "STRASSE"),
        ("a\u00a0b", "A  b"),
        ("\u212bngstr\u00f6m", "a\u030angstro\u0308m"),
    ],
)
def test_spellings_of_one_category(one: str, other: str) -> None:
    assert fold(canonical_text(one)) == fold(canonical_text(other))


@given(TEXT)
def test_canonical_text_is_a_fixed_point(text: str) -> None:
    once = canonical_text(text)
    assert canonical_text(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once.split() == once.split(" ") or once == ""


@given(TEXT, st.sampled_from(["NFC", "NFD"]), st.sampled_from([" ", "\t", "\n", "\u2003", "  "]))
def test_composition_and_white_space_do_not_tell_texts_apart(text: str, form: Any, space: str) -> None:
    spelled = space + unicodedata.normalize(form, text).replace(" ", space) + space
    assert canonical_text(spelled) == canonical_text(text)


@given(TEXT.map(canonical_text))
def test_category_key_is_a_fixed_point(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(TEXT.map(canonical_text).filter(bool))
def test_case_does_not_tell_categories_apart(name: str) -> None:
    folded = canonical_text(unicodedata.normalize("NFC", name.casefold()))
    assert fold(folded) == fold(name)


PARTS = st.tuples(st.integers(), TEXT, TEXT, st.dates().map(str), st.integers(1, 10**6))


@given(PARTS, st.data())
def test_different_contents_have_different_keys(parts: Any, data: st.DataObject) -> None:
    others = data.draw(PARTS)
    for index, other in enumerate(others):
        changed = (*parts[:index], other, *parts[index + 1 :])
        one, two = Identity(*parts[:4]).dedup_key(parts[4]), Identity(*changed[:4]).dedup_key(changed[4])
        assert (one == two) == (parts == changed)
