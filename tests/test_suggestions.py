"""Categories for texts: by rules, as before, of texts alike; measured on a ledger that people kept."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence

import pytest

from expense_lib.domain.text import fold
from expense_lib.rules.suggestions import suggest
from tests.builders import STATEMENTS

LEDGER = STATEMENTS / "ledger" / "hackclub-expenses.csv"
NAMES = {"food": "Food", "travel": "TRAVEL", "home": "Home"}
AROUND = (
    "{text} {number} {day} KARTE {reference}",
    "POS {number} {text} {day} REF {reference}",
    "{day} {text} SAGT DANKE {number}",
    "{text}*{reference} CARD {number} {day}",
    "SEPA {reference} {text} {number} ON {day}",
)

Told = Sequence[tuple[str, str]]  # text and category, the latest first


def asked(text: str, told: Told = (), rules: Told = ()) -> tuple[str, str] | None:
    """The category of a text, and from where."""
    latest = [(fold(known), fold(category)) for known, category in told]
    found = suggest({text}, rules, NAMES, lambda: latest).get(text)
    return None if found is None else (found.category, found.category_from)


def test_rule_goes_before_what_was_before() -> None:
    told = [("Rewe", "Home")] * 5
    assert asked("Rewe", told, [("rew", "food"), ("r", "Home")]) == ("Food", "rule")


def test_category_of_a_rule_that_no_expense_has_is_as_the_rule_spells_it() -> None:
    assert asked("Rewe", rules=[("rewe", "Groceries")]) == ("Groceries", "rule")


def test_commonest_of_the_last_five_with_the_text() -> None:
    told = [("Rewe", "Food"), ("REWE", "Home"), ("rewe", "Home"), ("Rewe", "Home"), ("Rewe", "Food")]
    assert asked("Rewe", told + [("Rewe", "Food")] * 9) == ("Home", "before")


def test_latest_wins_a_tie() -> None:
    assert asked("Rewe", [("Rewe", "Travel"), ("Rewe", "Food")]) == ("TRAVEL", "before")
    assert asked("Rewe 1", [("Rewe 2", "Travel"), ("Rewe 3", "Food")]) == ("TRAVEL", "alike")


def test_nothing_is_guessed_where_less_than_half_agree() -> None:
    told = [("Rewe", "Travel"), ("Rewe", "Food"), ("Rewe", "Home")]
    assert asked("Rewe", told) is None
    assert asked("Rewe 17", told) is None


def test_numbers_dates_and_noise_do_not_tell_texts_apart() -> None:
    told = [("REWE SAGT DANKE 1234 01.10. KARTE 9", "Food"), ("SHELL 4711 KARTE 0815", "Travel")]
    assert asked("REWE SAGT DANKE 4711 22.11 KARTE 0815", told) == ("Food", "alike")


def test_text_as_it_is_goes_before_texts_alike() -> None:
    assert asked("Rewe", [("Rewe 1", "Home"), ("Rewe", "Food")]) == ("Food", "before")


@pytest.mark.parametrize("text", ["", "4711", "KARTE 4711", "Aldi"])
def test_text_that_says_nothing_gets_nothing(text: str) -> None:
    assert asked(text, [("Rewe", "Food"), ("", "Food"), ("4712", "Food"), ("KARTE 1", "Food")]) is None


def test_texts_alike_are_not_read_where_all_are_known() -> None:
    reads = []

    def latest() -> Told:
        reads.append(1)
        return [("rewe", "food")]

    suggest({"Rewe"}, (), NAMES, latest)
    assert len(reads) == 1
    suggest({"Rewe", "Aldi"}, (), NAMES, latest)
    assert len(reads) == 3


def share(known: Told, of: Told) -> tuple[float, float]:
    """The shares of texts whose category is found, and is found wrong; *known* by date."""
    names = {fold(category): category for _, category in known}
    latest = [(fold(text), fold(category)) for text, category in reversed(known)]
    found = suggest({text for text, _ in of}, (), names, lambda: latest)
    right = sum(text in found and found[text].category == category for text, category in of)
    blank = sum(text not in found for text, _ in of)
    return right / len(of), (len(of) - right - blank) / len(of)


@pytest.fixture
def halves() -> tuple[Told, Told]:
    if not LEDGER.exists():
        pytest.skip("no folder of real statements on this machine")
    with LEDGER.open(encoding="utf-8", newline="") as file:
        told = [(row["description"], row["category"]) for row in csv.DictReader(file)]
    return told[: len(told) // 2], told[len(told) // 2 :]


def test_second_half_of_a_ledger_is_known_by_its_first(halves: tuple[Told, Told]) -> None:
    right, wrong = share(*halves)
    assert right >= 0.70
    assert wrong <= 0.10


@pytest.mark.parametrize("seed", range(3))
def test_the_same_as_a_bank_writes_it(halves: tuple[Told, Told], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - made-up references

    def written(told: Told) -> Told:
        return [
            (
                chance.choice(AROUND).format(
                    text=text.upper(),
                    number=chance.randrange(10**4),
                    reference=chance.randrange(10**6),
                    day=f"{chance.randint(1, 28):02}.{chance.randint(1, 12):02}",
                ),
                category,
            )
            for text, category in told
        ]

    first, second = halves
    for known in (first, written(first)):
        right, wrong = share(known, written(second))
        assert right >= 0.65
        assert wrong <= 0.10
