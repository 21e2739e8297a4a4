from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from expense_lib import (
    AmountError,
    CursorError,
    Expense,
    ExpenseFilter,
    ExpenseNotFound,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    InvalidInput,
    Ledger,
    SummaryQuery,
    open_ledger,
)
from tests.builders import GOLDEN_KEYS, an_expense


def everything(ledger: Ledger, **wanted: Any) -> list[Expense]:
    """All expenses that match, page by page."""
    page = ledger.search(ExpenseFilter(**wanted))
    found = list(page.items)
    while page.next_cursor:
        page = ledger.search(ExpenseFilter(**wanted).after(page.next_cursor))
        found += page.items
    return found


def test_recorded_expense_is_as_it_was_given(ledger: Ledger) -> None:
    receipt = ledger.record(an_expense())
    assert receipt.created
    assert str(receipt.expense.amount) == "12.50"
    assert receipt.expense.dedup_key == "v1:" + GOLDEN_KEYS['[1,1250,"food","Lunch","2026-11-22",1]']
    assert (receipt.expense.occurrence, receipt.expense.version, receipt.expense.refund) == (1, 1, False)
    assert ledger.get(receipt.expense.id) == receipt.expense


@pytest.mark.parametrize(
    "again",
    [{}, {"amount": "12.5"}, {"category": " FOOD"}, {"description": "Lunch "}, {"occurrence": 1}],
    ids=str,
)
def test_recording_twice_keeps_one_row(ledger: Ledger, again: dict[str, Any]) -> None:
    first = ledger.record(an_expense())
    second = ledger.record(an_expense(**again))
    assert (second.created, second.expense) == (False, first.expense)
    assert ledger.search().count == 1


def test_second_coffee_is_told_apart_by_its_occurrence(ledger: Ledger) -> None:
    receipts = [ledger.record(an_expense(occurrence=n)) for n in (1, 2, 2, 3)]
    assert [receipt.created for receipt in receipts] == [True, True, False, True]
    assert ledger.search().total == Decimal("37.50")


def test_fresh_idempotency_key_is_another_purchase(ledger: Ledger) -> None:
    ledger.record(an_expense())
    one, retry, other = (ledger.record(an_expense(), key) for key in ("a", "a", "b"))
    assert [receipt.created for receipt in (one, retry, other)] == [True, False, True]
    assert [receipt.expense.occurrence for receipt in (one, retry, other)] == [2, 2, 3]


def test_fresh_key_takes_the_smallest_free_occurrence(ledger: Ledger) -> None:
    for occurrence in (1, 2, 4):
        ledger.record(an_expense(occurrence=occurrence))
    assert [ledger.record(an_expense(), key).expense.occurrence for key in ("a", "b")] == [3, 5]


def test_fresh_key_with_a_taken_occurrence_joins_its_expense(ledger: Ledger) -> None:
    first = ledger.record(an_expense())
    for _ in range(2):
        joined = ledger.record(an_expense(occurrence=1), "a")
        assert (joined.created, joined.expense) == (False, first.expense)


def test_retry_without_the_key_finds_what_the_key_made(ledger: Ledger) -> None:
    keyed = ledger.record(an_expense(), "a")
    assert ledger.record(an_expense()).expense == keyed.expense


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"amount": "12.51"}, ["amount"]),
        ({"category": "Fuel", "date": "2026-11-23"}, ["category", "date"]),
        ({"description": "Dinner", "occurrence": 1}, ["description", "occurrence"]),
        ({"amount": "-12.50", "refund": True}, ["amount"]),
    ],
    ids=str,
)
def test_key_with_another_body_is_refused(
    ledger: Ledger, changes: dict[str, Any], differing: list[str]
) -> None:
    ledger.record(an_expense(), "a")
    with pytest.raises(IdempotencyKeyReused) as refused:
        ledger.record(an_expense(**changes), "a")
    assert refused.value.fields == differing
    assert all(field in str(refused.value) for field in differing)
    assert ledger.search().count == 1


def test_key_with_the_same_body_spelled_differently_is_a_retry(ledger: Ledger) -> None:
    ledger.record(an_expense(), "a")
    assert not ledger.record(an_expense(amount="12.5", category="FOOD "), "a").created


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "a\n", "\x7f"], ids=repr)
def test_malformed_idempotency_key_is_refused(ledger: Ledger, key: str) -> None:
    with pytest.raises(IdempotencyKeyError):
        ledger.record(an_expense(), key)
    assert ledger.search().count == 0


def test_idempotency_key_cannot_pass_for_a_dedup_key(ledger: Ledger) -> None:
    first = ledger.record(an_expense()).expense
    assert ledger.record(an_expense(amount="1"), first.dedup_key).created


def test_amount_finer_than_the_currency_is_refused(tmp_path: Path) -> None:
    yen = Ledger(tmp_path / "yen.db", "JPY")
    with pytest.raises(AmountError, match="at most 0 fraction digits in JPY"):
        yen.record(an_expense(amount="12.0"))
    assert str(yen.record(an_expense(amount="1200")).expense.amount) == "1200"
    dinar = Ledger(tmp_path / "dinar.db", "KWD")
    assert str(dinar.record(an_expense(amount="1.5")).expense.amount) == "1.500"


def test_category_is_shown_in_the_spelling_first_seen(ledger: Ledger) -> None:
    ledger.record(an_expense(category="Cafe\u0301"))
    assert ledger.record(an_expense(category="CAFÉ", amount="1")).expense.category == "Café"
    assert [(c.name, c.count, str(c.total)) for c in ledger.categories()] == [("Café", 2, "13.50")]


@pytest.mark.parametrize("expense_id", [0, -1, 99, 2**63, 10**30])
def test_unknown_id_is_not_found(ledger: Ledger, expense_id: int) -> None:
    with pytest.raises(ExpenseNotFound) as missing:
        ledger.get(expense_id)
    assert missing.value.expense_id == expense_id


def test_empty_ledger_has_an_empty_page_and_an_exact_zero(ledger: Ledger) -> None:
    page = ledger.search()
    assert (page.items, page.count, str(page.total), page.currency, page.next_cursor) == (
        (),
        0,
        "0.00",
        "USD",
        None,
    )


def test_list_is_newest_first_and_ties_go_by_id(ledger: Ledger) -> None:
    for date in ("2026-11-01", "2026-11-03", "2026-11-02", "2026-11-03"):
        ledger.record(an_expense(date=date), idempotency_key=str(ledger.search().count))
    assert [(str(e.date), e.id) for e in ledger.search().items] == [
        ("2026-11-03", 4),
        ("2026-11-03", 2),
        ("2026-11-02", 3),
        ("2026-11-01", 1),
    ]


@pytest.mark.parametrize("wanted", ["food", " FOOD ", ["Food", "nowhere"]], ids=str)
def test_filter_finds_a_category_in_any_spelling(ledger: Ledger, wanted: Any) -> None:
    ledger.record(an_expense())
    ledger.record(an_expense(category="Fuel", amount="40"))
    page = ledger.search(ExpenseFilter(category=wanted))
    assert ([e.category for e in page.items], page.count, str(page.total)) == (["Food"], 1, "12.50")


def test_count_and_total_are_of_all_that_match_whatever_the_page(ledger: Ledger) -> None:
    for occurrence in range(1, 8):
        ledger.record(an_expense(occurrence=occurrence))
    ledger.record(an_expense(amount="-3.00", refund=True))
    page = ledger.search(ExpenseFilter(limit=2))
    assert (len(page.items), page.count, str(page.total)) == (2, 8, "84.50")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
def test_pages_together_are_the_list(ledger: Ledger, limit: int) -> None:
    for day in (1, 1, 2, 2, 2, 3, 1):
        ledger.record(an_expense(date=f"2026-11-0{day}"), idempotency_key=str(ledger.search().count))
    assert everything(ledger, limit=limit) == list(ledger.search(ExpenseFilter(limit=500)).items)


def test_page_after_a_cursor_is_untouched_by_a_newer_expense(ledger: Ledger) -> None:
    for day in (1, 2, 3):
        ledger.record(an_expense(date=f"2026-11-0{day}"))
    cursor = ledger.search(ExpenseFilter(limit=2)).next_cursor
    ledger.record(an_expense(date="2026-11-09"))
    assert [e.id for e in ledger.search(ExpenseFilter(cursor=cursor)).items] == [1]


@pytest.mark.parametrize(
    "cursor", ["", "x", "ééé", "bnVsbA==", "WzEsMiwzXQ==", "WyJkYXRlX2Rlc2MiLCAiMjAyNiIsIDFd"]
)
def test_unknown_cursor_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(CursorError):
        ledger.search(ExpenseFilter(cursor=cursor))


@given(
    st.lists(
        st.integers(-(10**15) + 1, 10**15 - 1).filter(bool).map(lambda minor: Decimal(minor).scaleb(-2)),
        max_size=30,
    )
)
def test_total_is_the_exact_sum_however_large(amounts: list[Decimal]) -> None:
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "expenses.db")
        for n, amount in enumerate(amounts):
            ledger.record(an_expense(amount=amount, refund=amount < 0), idempotency_key=str(n))
        assert ledger.search().total == sum(amounts)


def test_total_beyond_what_sqlite_can_add_is_exact(ledger: Ledger) -> None:
    largest = "9" * 15
    for occurrence in range(1, 1001):
        ledger.record(an_expense(amount=largest, occurrence=occurrence))
    assert ledger.search().total == 1000 * Decimal(largest)
    assert ledger.search(ExpenseFilter(q="lunch")).total == 1000 * Decimal(largest)
    assert ledger.categories()[0].total == 1000 * Decimal(largest)
    assert ledger.check() == []


def test_the_occurrences_of_a_day_end(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expense_lib.rules.claims.MAX_OCCURRENCE", 2)
    for key in ("a", "b"):
        ledger.record(an_expense(), key)
    with pytest.raises(InvalidInput, match="occurrence has none left"):
        ledger.record(an_expense(), "c")


def test_who_acts_is_in_the_log(address: str) -> None:
    with open_ledger(address, by="anna") as ledger:
        ledger.record(an_expense())
        ledger.recategorise("Fun", ids=[1])
    with open_ledger(address) as nobody:
        nobody.delete(1)
        assert [entry.by for entry in nobody.log()] == ["anna", "anna", ""]
        assert [change.by for change in nobody.changes()] == ["", "anna"]
        assert [version.by for version in nobody.history(1)] == ["anna", "anna", ""]


def test_repeat_says_in_what_it_differs(ledger: Ledger) -> None:
    ledger.record(an_expense(account="Giro", note="with Ada", tags=["work"]))
    assert ledger.record(an_expense()).differs == ()
    assert ledger.record(an_expense(account="GIRO", tags=["WORK"])).differs == ()
    assert ledger.record(an_expense(account="Cash", note="", tags=["work", "ada"])).differs == (
        "account",
        "note",
        "tags",
    )
    ledger.amend(1, {"amount": "13.00", "account": None}, 1)
    assert ledger.record(an_expense(account="Giro")).differs == ("amount", "account")
    assert ledger.get(1).account is None


def test_key_with_another_note_is_another_body(ledger: Ledger) -> None:
    ledger.record(an_expense(note="with Ada"), "a")
    assert not ledger.record(an_expense(note=" with  Ada "), "a").created
    for other in ({}, {"note": "with Bob"}):
        with pytest.raises(IdempotencyKeyReused, match="another note") as refused:
            ledger.record(an_expense(**other), "a")
        assert refused.value.fields == ["note"]


@pytest.mark.parametrize(
    ("annotation", "field", "words"),
    [
        ({"account": "x" * 101}, "account", "at most 100 characters"),
        ({"note": "x" * 2001}, "note", "at most 2000 characters"),
        ({"tags": ["two words"]}, "tags", "without spaces, commas or #"),
        ({"tags": ["#work"]}, "tags", "without spaces, commas or #"),
        ({"tags": ["x" * 51]}, "tags", "1 to 50 characters"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags", "at most 20 tags"),
        ({"tags": "work"}, "tags", "list of texts"),
        ({"tags": [1]}, "tags", "list of texts"),
    ],
    ids=lambda part: str(part)[:30],
)
def test_annotation_that_can_not_be_kept_is_named(annotation: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        an_expense(**annotation)
    (error,) = InvalidInput.from_pydantic(refused.value).errors
    assert (error.field, words in error.message) == (field, True)


def test_annotations_are_filtered_totalled_and_undone(ledger: Ledger) -> None:
    ledger.record(an_expense(account="Giro", tags=["work", "ada"]))
    ledger.record(an_expense(amount="3.00", account="giro", note="for the Müllers"))
    ledger.record(an_expense(amount="5.00", tags=["Work"]))

    def found(**wanted: Any) -> list[int]:
        return sorted(each.id for each in ledger.search(ExpenseFilter(**wanted)).items)

    assert (found(account="GIRO"), found(tag="work"), found(tag=["ada", "nobody"])) == ([1, 2], [1, 3], [1])
    assert (found(q="MÜLLERS"), found(account="Giro", q="müllers", category="food")) == ([2], [2])
    assert [(each.name, each.count, str(each.total)) for each in ledger.accounts()] == [("Giro", 2, "15.50")]
    by_tag = ledger.summary(SummaryQuery(by="tag"))
    assert [(part.tag, str(part.total)) for part in by_tag.items] == [
        ("", "3.00"),
        ("ada", "12.50"),
        ("work", "17.50"),
    ]
    assert (by_tag.count, str(by_tag.total)) == (3, "20.50")
    both = ledger.summary(SummaryQuery(by="month,account"))
    assert [(part.month, part.account, part.count) for part in both.items] == [
        ("2026-11", "", 1),
        ("2026-11", "Giro", 2),
    ]
    ledger.amend(2, {"note": "", "account": "Cash", "tags": ["b", "a"]}, 1)
    assert (found(q="müllers"), ledger.get(2).tags) == ([], ("a", "b"))
    ledger.undo(ledger.changes()[0].number)
    assert (found(q="müllers"), ledger.get(2).account, ledger.get(2).tags) == ([2], "Giro", ())
    assert ledger.amend(2, {"account": "GIRO"}, 3).version == 3  # spelling does not count
    assert ledger.check() == []
