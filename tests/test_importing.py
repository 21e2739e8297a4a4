from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import itertools
import random
import subprocess
import sys
import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expense_lib import (
    ExpenseFilter,
    ImportNotFound,
    InvalidInput,
    Ledger,
    LedgerBusy,
    RuleNotFound,
    statements,
)
from expense_lib.domain import keys
from expense_lib.domain.statement import Imported
from expense_lib.rules.importing import writing
from expense_lib.statements import Plan
from tests.builders import STATEMENTS, an_expense, environment

Line = tuple[str, ...]
LUNCH: Line = ("2026-11-22", "Lunch", "12.50")
TEA: Line = ("2026-11-22", "Tea", "3.00")


def a_plan(*lines: Line, header: str = "Date,Description,Amount", **told: Any) -> Plan:
    """A statement of these lines."""
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *lines])
    return statements.read(
        text.getvalue().encode(), **{"spending": "positive", "date_format": "%Y-%m-%d"} | told
    )


def with_references(*lines: Line, **told: Any) -> Plan:
    return a_plan(*lines, header="Date,Description,Amount,Transaction ID", **told)


def whats(done: Imported) -> list[str]:
    return [verdict.what for verdict in done.verdicts]


def contents(ledger: Ledger) -> Counter[tuple[str, str, str]]:
    """What is in the ledger, however it got there."""
    page = ledger.search(ExpenseFilter(limit=500))
    found = list(page.items)
    while page.next_cursor:
        page = ledger.search(ExpenseFilter(limit=500, cursor=page.next_cursor))
        found += page.items
    return Counter((expense.date.isoformat(), expense.description, str(expense.amount)) for expense in found)


GOLDEN = {
    '["row1","Card","A1"]': keys.of_reference("Card", "A1"),
    '["row1","",1250,"Café \\"7\\"","2026-11-22",2]': keys.of_content("", 1250, 'Café "7"', "2026-11-22", 2),
}
GOLDEN_DIGESTS = (
    "db21aee8fcb8b059e5596020264c83501e83f8b3b2c65e08a5adf0ffe9e42bfb",
    "843d93a3c0b7fa78d537880f76a8a9c4c4a2ff87736f0817430dc7f181b10676",
)


def test_golden_identities() -> None:
    assert tuple(found.hex() for found in GOLDEN.values()) == GOLDEN_DIGESTS
    assert tuple(hashlib.sha256(text.encode()).hexdigest() for text in GOLDEN) == GOLDEN_DIGESTS


def test_equal_rows_are_all_recorded_once(ledger: Ledger) -> None:
    plan = a_plan(LUNCH, TEA, LUNCH, LUNCH)
    done = ledger.import_statement(plan)
    assert (done.created, done.existing, done.skipped) == (4, 0, 0)
    assert contents(ledger) == {LUNCH: 3, TEA: 1}
    assert sorted(expense.occurrence for expense in ledger.search(ExpenseFilter(q="lunch")).items) == [
        1,
        2,
        3,
    ]
    again = ledger.import_statement(plan)
    assert (again.created, again.existing) == (0, 4)
    assert [verdict.expense_id for verdict in again.verdicts] == [
        verdict.expense_id for verdict in done.verdicts
    ]
    assert contents(ledger) == {LUNCH: 3, TEA: 1}
    assert ledger.check() == []


@pytest.mark.parametrize("many", [2, 3])
def test_first_import_of_many_leaves_the_tables_as_they_must_be(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(writing, "_MANY", many)
    plan = a_plan(LUNCH, TEA, account="Giro")
    assert whats(ledger.import_statement(plan)) == ["created"] * 2
    assert ledger.check() == []
    again = a_plan(LUNCH, TEA, ("2026-11-23", "Soup", "4.00"), account="Giro")
    assert whats(ledger.import_statement(again)) == ["existing", "existing", "created"]
    assert ledger.check() == []
    assert ledger.search(ExpenseFilter(category="uncategorised", q="tea")).count == 1


def test_overlap_adds_what_is_missing(ledger: Ledger) -> None:
    ledger.import_statement(a_plan(LUNCH, TEA))
    done = ledger.import_statement(a_plan(TEA, ("2026-11-23", "Supper", "20.00")))
    assert whats(done) == ["existing", "created"]


def test_equal_rows_of_two_accounts_are_two_payments(ledger: Ledger) -> None:
    ledger.import_statement(a_plan(LUNCH, account="Card"))
    assert whats(ledger.import_statement(a_plan(LUNCH, account="Bank"))) == ["created"]
    assert whats(ledger.import_statement(a_plan(LUNCH, account=" Bank "))) == ["existing"]


def test_payment_entered_by_hand_is_joined_one_to_one(ledger: Ledger) -> None:
    entered = ledger.record(an_expense(category="Eating out")).expense
    done = ledger.import_statement(a_plan(LUNCH, LUNCH))
    assert whats(done) == ["joined", "created"]
    assert done.verdicts[0].expense_id == entered.id
    assert ledger.get(entered.id).category == "Eating out"
    assert whats(ledger.import_statement(a_plan(LUNCH, LUNCH))) == ["existing", "existing"]


def test_edited_expense_is_known_as_before(ledger: Ledger) -> None:
    done = ledger.import_statement(a_plan(LUNCH))
    ledger.amend(done.verdicts[0].expense_id or 0, {"amount": "13.00", "description": "Lunch with Ada"}, 1)
    assert whats(ledger.import_statement(a_plan(LUNCH))) == ["existing"]


def test_deleted_expense_stays_deleted(ledger: Ledger) -> None:
    done = ledger.import_statement(a_plan(LUNCH, TEA))
    ledger.delete(done.verdicts[0].expense_id or 0)
    again = ledger.import_statement(a_plan(LUNCH, TEA))
    assert whats(again) == ["deleted", "existing"]
    assert again.deleted == 1
    assert contents(ledger) == {TEA: 1}


def test_known_reference_with_another_amount_waits(ledger: Ledger) -> None:
    ledger.import_statement(with_references((*LUNCH, "A1")))
    done = ledger.import_statement(with_references(("2026-11-22", "Lunch", "99.00", "A1")))
    assert whats(done) == ["changed"]
    assert "reference" in done.verdicts[0].why
    assert contents(ledger) == {LUNCH: 1}


def test_edited_expense_is_known_by_what_its_row_says(ledger: Ledger) -> None:
    ledger.import_statement(with_references((*LUNCH, "A1")))
    ledger.amend(1, {"amount": "99.00"}, 1)
    assert whats(ledger.import_statement(with_references((*LUNCH, "A1")))) == ["existing"]
    corrected = with_references(("2026-11-22", "Lunch", "99.00", "A1"))
    assert whats(ledger.import_statement(corrected)) == ["joined"]
    assert whats(ledger.import_statement(corrected)) == ["existing"]


def test_copies_of_a_reference_count_once(ledger: Ledger) -> None:
    done = ledger.import_statement(
        with_references((*LUNCH, "A1"), (*LUNCH, "A2"), (*LUNCH, "A1"), (*TEA, "A1"), references=True)
    )
    assert whats(done) == ["created", "created", "existing", "created"]
    assert done.verdicts[2].expense_id == done.verdicts[0].expense_id
    assert contents(ledger) == {LUNCH: 2, TEA: 1}


def test_rows_without_their_reference_are_known_by_content(ledger: Ledger) -> None:
    plan = with_references((*LUNCH, ""), (*LUNCH, ""), (*LUNCH, "A1"))
    assert whats(ledger.import_statement(plan)) == ["created"] * 3
    assert whats(ledger.import_statement(plan)) == ["existing"] * 3


@pytest.mark.parametrize(
    ("line", "told", "why"),
    [
        (("2026-11-22", "Nothing", "0.00"), {}, "zero"),
        (("2026-11-22", "Pay", "-900.00"), {}, "came in"),
        (("2026-11-22", "Fuel", "12.345"), {}, "fraction digits"),
        (("2026-11-22", "House", "999999999999999"), {}, None),
    ],
)
def test_rows_that_can_be_no_expense_are_skipped_with_the_reason(
    ledger: Ledger, line: Line, told: dict[str, Any], why: str | None
) -> None:
    done = ledger.import_statement(a_plan(line, LUNCH, **told))
    if why is None:
        assert whats(done) == ["created", "created"]
    else:
        assert whats(done) == ["skipped", "created"]
        assert why in done.verdicts[0].why


def test_row_in_another_currency_is_skipped(ledger: Ledger) -> None:
    plan = a_plan((*LUNCH, "EUR"), (*TEA, "usd"), header="Date,Description,Amount,Currency")
    done = ledger.import_statement(plan)
    assert whats(done) == ["skipped", "created"]
    assert "another currency" in done.verdicts[0].why


def test_money_that_came_in_is_a_refund_if_asked(ledger: Ledger) -> None:
    ledger.import_statement(a_plan(("2026-11-22", "Back", "-3.00"), credits="refund"))
    (expense,) = ledger.search().items
    assert (expense.amount, expense.refund) == (Decimal("-3.00"), True)


def test_zeros_at_the_end_of_an_amount_do_not_matter(tmp_path: Path) -> None:
    yen = Ledger(tmp_path / "yen.db", "JPY")
    assert whats(yen.import_statement(a_plan(("2026-11-22", "Lunch", "1200.00")))) == ["created"]
    assert yen.search().total == 1200


def test_dry_run_answers_as_the_real_run_and_writes_nothing(ledger: Ledger) -> None:
    ledger.record(an_expense())
    ledger.import_statement(with_references((*TEA, "A1")))
    ledger.delete(2)
    plan = with_references(
        (*LUNCH, "B1"), (*TEA, "A1"), ("2026-11-22", "x", "0", "B2"), ("2026-11-21", "Launch", "12.50", "B3")
    )
    before, number = contents(ledger), len(ledger.log())
    dry = ledger.import_statement(plan, dry_run=True)
    assert (contents(ledger), len(ledger.log())) == (before, number)
    assert len(ledger.imports()) == 1
    real = ledger.import_statement(plan)
    assert (dry.id, dry.dry_run) == (None, True)
    assert [
        verdict.model_copy(update={"expense_id": None} if verdict.what == "created" else {})
        for verdict in real.verdicts
    ] == list(dry.verdicts)
    assert (dry.created, dry.existing, dry.deleted, dry.skipped) == (
        real.created,
        real.existing,
        real.deleted,
        real.skipped,
    )


def test_categories_come_from_the_column_a_rule_the_past_or_the_default(ledger: Ledger) -> None:
    ledger.record(an_expense(description="Bakery", category="Breakfast", date="2026-10-01"))
    ledger.add_rule("grocer", "Food")
    ledger.add_rule("grocer deluxe", "Luxury")
    plan = a_plan(
        ("2026-11-22", "Cinema", "9.00", "Fun"),
        ("2026-11-22", "GROCER 42", "8.00", ""),
        ("2026-11-22", "Grocer Deluxe", "7.00", ""),
        ("2026-11-22", "BAKERY", "6.00", ""),
        ("2026-11-22", "Unknown", "5.00", ""),
        header="Date,Description,Amount,Category",
        default_category="To sort",
    )
    done = ledger.import_statement(plan)
    categories = ["Fun", "Food", "Luxury", "Breakfast", "To sort"]
    assert [verdict.category for verdict in done.verdicts] == categories
    assert [ledger.get(verdict.expense_id or 0).category for verdict in done.verdicts] == categories


def test_another_category_between_two_imports_adds_none(ledger: Ledger) -> None:
    ledger.import_statement(a_plan(LUNCH, TEA, LUNCH))
    ledger.add_rule("lunch", "Food")
    ledger.rename_category("Uncategorised", "Sundry")
    done = ledger.import_statement(a_plan(LUNCH, TEA, LUNCH, default_category="Other"))
    assert whats(done) == ["existing"] * 3


def test_category_keeps_the_spelling_first_seen(ledger: Ledger) -> None:
    ledger.record(an_expense(category="Food"))
    header = "Date,Description,Amount,Category"
    ledger.import_statement(
        a_plan(
            ("2026-11-01", "a", "1", "FOOD"),
            ("2026-11-01", "b", "1", "Fun"),
            ("2026-11-01", "c", "1", "FUN"),
            header=header,
        )
    )
    assert [(total.name, total.count) for total in ledger.categories()] == [("Food", 2), ("Fun", 2)]
    assert ledger.check() == []


def test_rules_are_listed_replaced_and_deleted(ledger: Ledger) -> None:
    first = ledger.add_rule("Tea ", "Drinks")
    assert ledger.add_rule("TEA", "Food").id == first.id
    ledger.add_rule("Teahouse", "Fun")
    assert [(rule.text, rule.category) for rule in ledger.rules()] == [("Teahouse", "Fun"), ("TEA", "Food")]
    ledger.delete_rule(first.id)
    with pytest.raises(RuleNotFound):
        ledger.delete_rule(first.id)
    for text, category in (("", "Food"), ("tea", " ")):
        with pytest.raises(InvalidInput):
            ledger.add_rule(text, category)


def test_import_is_undone_as_one_and_comes_back(ledger: Ledger) -> None:
    joined = ledger.record(an_expense()).expense
    plan = a_plan(LUNCH, LUNCH, TEA, TEA)
    done = ledger.import_statement(plan)
    edited, deleted = done.verdicts[2].expense_id or 0, done.verdicts[3].expense_id or 0
    ledger.amend(edited, {"category": "Drinks"}, 1)
    ledger.delete(deleted)
    undone = ledger.undo_import(done.id or 0)
    assert undone.undone == (done.verdicts[1].expense_id,)
    assert set(undone.kept) == {edited, deleted}
    assert ledger.get(joined.id).account == joined.account
    assert contents(ledger) == {LUNCH: 1, TEA: 1}
    (listed,) = ledger.imports()
    assert listed.undone_at is not None
    assert ledger.undo_import(done.id or 0).undone == ()
    back = ledger.import_statement(plan)
    assert whats(back) == ["joined", "created", "existing", "deleted"]
    assert [verdict.expense_id for verdict in back.verdicts] == [
        verdict.expense_id for verdict in done.verdicts
    ]
    assert contents(ledger) == {LUNCH: 2, TEA: 1}
    assert ledger.check() == []


def test_undone_import_with_another_mapping_is_recorded_anew(ledger: Ledger) -> None:
    done = ledger.import_statement(a_plan(LUNCH))
    ledger.undo_import(done.id or 0)
    ledger.add_rule("lunch", "Food")
    back = ledger.import_statement(a_plan(LUNCH))
    assert back.verdicts[0].expense_id != done.verdicts[0].expense_id
    assert ledger.search().items[-1].category == "Food"
    assert whats(ledger.import_statement(a_plan(LUNCH))) == ["existing"]


def test_undo_of_the_undo_brings_all_back(ledger: Ledger) -> None:
    done = ledger.import_statement(a_plan(LUNCH, TEA))
    undone = ledger.undo_import(done.id or 0)
    ledger.undo(undone.number or 0)
    assert contents(ledger) == {LUNCH: 1, TEA: 1}
    assert whats(ledger.import_statement(a_plan(LUNCH, TEA))) == ["existing", "existing"]


def test_undo_of_the_undo_gives_the_identities_back(ledger: Ledger) -> None:
    done = ledger.import_statement(a_plan(LUNCH))
    undone = ledger.undo_import(done.id or 0)
    ledger.undo(undone.number or 0)
    assert ledger.imports()[0].undone_at is None
    ledger.amend(1, {"amount": "13.00"}, None)
    assert whats(ledger.import_statement(a_plan(LUNCH))) == ["existing"]
    ledger.amend(1, {"amount": "12.50"}, None)
    assert ledger.undo_import(done.id or 0).undone == ()  # the second import lists it too
    assert ledger.undo_import(2).undone == (1,)
    assert [verdict.expense_id for verdict in ledger.import_statement(a_plan(LUNCH)).verdicts] == [1]


@pytest.mark.parametrize("change", ["amend", "delete"])
def test_joined_expense_that_was_changed_stays_known_after_an_undo(ledger: Ledger, change: str) -> None:
    ledger.record(an_expense())
    done = ledger.import_statement(a_plan(LUNCH))
    if change == "amend":
        ledger.amend(1, {"amount": "13.00"}, None)
    else:
        ledger.delete(1)
    ledger.undo_import(done.id or 0)
    again = ledger.import_statement(a_plan(LUNCH))
    assert whats(again) == ["joined" if change == "amend" else "deleted"]


@pytest.mark.parametrize("category", ["Uncategorised", "Food"])
def test_what_was_entered_after_an_undo_is_joined(ledger: Ledger, category: str) -> None:
    done = ledger.import_statement(a_plan(LUNCH))
    ledger.undo_import(done.id or 0)
    entered = ledger.record(an_expense(category=category), idempotency_key="again").expense
    back = ledger.import_statement(a_plan(LUNCH))
    assert [verdict.expense_id for verdict in back.verdicts] == [entered.id]
    assert contents(ledger) == {LUNCH: 1}


def test_ledger_can_not_be_used_by_the_callback_of_its_own_import(ledger: Ledger) -> None:
    def look(done: int, total: int) -> None:
        if done == total:
            ledger.categories()

    with pytest.raises(LedgerBusy):
        ledger.import_statement(a_plan(LUNCH), progress=look)
    assert contents(ledger) == {}
    assert ledger.import_statement(a_plan(LUNCH)).created == 1


def test_undoing_an_undone_import_leaves_the_next_one_alone(ledger: Ledger) -> None:
    first = ledger.import_statement(a_plan(LUNCH))
    ledger.undo_import(first.id or 0)
    ledger.import_statement(a_plan(LUNCH))
    assert ledger.undo_import(first.id or 0).undone == ()
    assert contents(ledger) == {LUNCH: 1}


def test_undo_of_an_undo_does_not_double_what_was_imported_anew(ledger: Ledger) -> None:
    undone = ledger.undo_import(ledger.import_statement(a_plan(LUNCH, TEA)).id or 0)
    ledger.add_rule("lunch", "Food")
    ledger.import_statement(a_plan(LUNCH))
    put_back = ledger.undo(undone.number or 0)
    assert (put_back.undone, put_back.kept) == ((2,), (1,))
    assert contents(ledger) == {LUNCH: 1, TEA: 1}
    assert ledger.check() == []


@pytest.mark.parametrize(
    "entered",
    [
        {"description": "Something else"},
        {},
        {"date": "2026-11-23"},
        {"occurrence": 2},
        {"date": "2026-11-01", "category": "UNCATEGORISED"},
    ],
)
def test_what_is_entered_between_looking_and_writing_counts(
    ledger: Ledger, address: str, monkeypatch: pytest.MonkeyPatch, entered: dict[str, Any]
) -> None:
    """Somebody is quicker than the lock, with something that matters to the import or does not."""
    others = threading.Thread(
        target=lambda: Ledger(address).record(an_expense(**{"category": "Uncategorised"} | entered))
    )
    kept = ledger.engine.bulk_transaction

    def quicker(con: Any) -> Any:
        if others.ident is None:
            others.start()
            others.join()
        return kept(con)

    monkeypatch.setattr(ledger.engine, "bulk_transaction", quicker)
    done = ledger.import_statement(a_plan(LUNCH, TEA))
    joins, waits = entered in ({}, {"occurrence": 2}, {"date": "2026-11-23"}), "description" in entered
    assert whats(done) == ["joined" if joins else "held" if waits else "created", "created"]
    assert ledger.search().count == (2 if joins or waits else 3)
    assert len({expense.category for expense in ledger.search().items}) == 1
    assert ledger.check() == []


def test_imports_are_listed_the_latest_first(ledger: Ledger) -> None:
    ledger.import_statement(a_plan(LUNCH, account="Card"))
    ledger.import_statement(a_plan(LUNCH, TEA, ("x", "y", "z"), account="Card"))
    last, first = ledger.imports()
    assert (first.created, first.existing, first.account) == (1, 0, "Card")
    assert (last.created, last.existing, last.bad) == (1, 1, 1)
    for wrong in (3, 0, -1, 2**70):
        with pytest.raises(ImportNotFound):
            ledger.undo_import(wrong)


def test_progress_ends_with_all_rows(ledger: Ledger) -> None:
    told: list[tuple[int, int]] = []
    ledger.import_statement(a_plan(*[LUNCH] * 30), progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (30, 30)


def test_failure_on_the_way_leaves_all_as_it_was(ledger: Ledger) -> None:
    def fail(done: int, total: int) -> None:
        if done >= total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.import_statement(a_plan(LUNCH, TEA), progress=fail)
    assert contents(ledger) == {}
    ledger.record(an_expense())
    assert ledger.check() == []


@pytest.mark.parametrize("currency", ["USD", "IDR"])
def test_totals_of_large_amounts_are_exact(address: str, currency: str) -> None:
    """Of 10^9 minor units and more: what a category comes to is kept in two parts."""
    ledger = Ledger(address, currency)
    amounts = ["10000000.00", "12345678.90", "9999999.99", "-10000000.00", "-20000000.01", "123456789012.34"]
    file = "Date,Description,Amount\n" + "".join(f"2026-11-22,Shop {n},{a}\n" for n, a in enumerate(amounts))
    plan = statements.read(file.encode(), spending="positive", credits="refund")
    done = ledger.import_statement(plan)
    assert (done.created, done.bad) == (6, 0)
    assert ledger.categories()[0].total == ledger.search().total == sum(map(Decimal, amounts))
    ledger.rename_category("Uncategorised", "Large")
    assert ledger.categories()[0].total == sum(map(Decimal, amounts))
    ledger.undo(ledger.changes()[0].number)
    ledger.undo_import(1)
    assert (ledger.categories(), ledger.check()) == ([], [])


def test_import_under_contention_is_decided_once_more_with_the_lock_held(
    ledger: Ledger, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time before the lock is had, somebody writes what has to do with the statement; at last it is held."""
    others, kept = Ledger(address), ledger.engine.bulk_transaction
    tries: list[threading.Thread] = []

    def late(con: Any) -> Any:
        tries.append(threading.Thread(target=others.record, args=(an_expense(occurrence=len(tries) + 1),)))
        tries[-1].start()
        tries[-1].join()
        return kept(con)

    monkeypatch.setattr(ledger.engine, "bulk_transaction", late)
    done = ledger.import_statement(a_plan(*[LUNCH] * 5, TEA))
    assert len(tries) == 4
    assert (done.id, done.dry_run, whats(done)) == (1, False, ["joined"] * 4 + ["created"] * 2)
    assert [(each.created, each.joined) for each in ledger.imports()] == [(2, 4)]
    assert ledger.search().count == 6
    assert ledger.check() == []


KILLED = """
import os, signal, sys
from expense_lib import Ledger, statements
from expense_lib.store import tellings
kept = tellings.add
def die(*given):
    kept(*given)
    os.kill(os.getpid(), signal.SIGKILL)
tellings.add = die
Ledger(sys.argv[1]).import_statement(statements.read(sys.argv[2]))
"""


def test_killed_in_between_nothing_is_there_and_again_everything(
    ledger: Ledger, tmp_path: Path, address: str
) -> None:
    file = tmp_path / "bank.csv"
    file.write_text("Date,Description,Amount\n" + "2026-11-22,Lunch,12.50\n" * 500)
    killed = subprocess.run([sys.executable, "-c", KILLED, address, file], env=environment(), check=False)
    assert killed.returncode == -9
    assert contents(ledger) == {}
    assert ledger.import_statement(statements.read(file)).created == 500
    assert ledger.check() == []


IMPORTED = """
import sys
from expense_lib import Ledger, statements
done = Ledger(sys.argv[1]).import_statement(statements.read(sys.argv[2]))
print(done.created)
"""


def test_many_processes_import_one_file_at_once(tmp_path: Path, address: str) -> None:
    file = tmp_path / "bank.csv"
    file.write_text("Date,Description,Amount\n" + "2026-11-22,Lunch,12.50\n" * 300)
    command = [sys.executable, "-c", IMPORTED, address, str(file)]
    started = [
        subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(5)
    ]
    created = [int(process.communicate()[0]) for process in started]
    assert sorted(created) == [0, 0, 0, 0, 300]
    assert Ledger(address).search().count == 300


def test_entering_goes_on_while_a_statement_is_imported(ledger: Ledger, address: str) -> None:
    plan = a_plan(
        *(
            (f"2026-{month:02}-01", f"Shop {number}", "1.00")
            for month in range(1, 13)
            for number in range(1000)
        )
    )
    begun = threading.Event()
    recorded: list[bool] = []

    def enter() -> None:
        begun.wait()
        mine = Ledger(address)
        recorded.extend(
            mine.record(an_expense(description=f"By hand {number}")).created for number in range(20)
        )

    person = threading.Thread(target=enter)
    person.start()
    try:
        done = ledger.import_statement(plan, progress=lambda done, total: begun.set())
    finally:
        begun.set()
        person.join()
    assert done.created == 12_000
    assert recorded == [True] * 20
    assert ledger.search().count == 12_020
    assert ledger.check() == []


days = st.integers(0, 4).map(lambda day: (dt.date(2026, 11, 1) + dt.timedelta(day)).isoformat())
lines = st.lists(
    st.tuples(days, st.sampled_from(["Tea", "Lunch", "Bus"]), st.sampled_from(["2.40", "3.00", "-3.00"])),
    max_size=25,
)


@settings(max_examples=60)
@given(lines, st.randoms(use_true_random=False))
def test_any_parts_of_whole_days_end_at_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Line], chance: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("split")
    rows.sort(key=lambda line: line[0])
    present = sorted({line[0] for line in rows})
    parts = [present]
    for _ in range(3):
        begin = chance.randrange(len(present) + 1)
        parts.append(present[begin : begin + chance.randrange(1, 4)])
    covered = list(itertools.chain.from_iterable(parts[1:]))
    parts += [[day] for day in present if day not in covered]
    parts = parts[1:]
    chance.shuffle(parts)
    whole, split = Ledger(folder / "whole.db"), Ledger(folder / "split.db")
    whole.import_statement(a_plan(*rows, credits="refund"))
    for part in parts:
        ledger_part = a_plan(*(line for line in rows if line[0] in part), credits="refund")
        dry = split.import_statement(ledger_part, dry_run=True)
        assert whats(split.import_statement(ledger_part)) == whats(dry)
        split.record(an_expense(date="2026-11-03", description="By hand", occurrence=1))
    extra = Counter({("2026-11-03", "By hand", "12.50"): 1} if parts else {})
    assert contents(split) == contents(whole) + extra == Counter(rows) + extra
    assert split.check() == []


@settings(max_examples=60)
@given(lines, st.randoms(use_true_random=False))
def test_any_parts_of_whole_days_with_references_end_at_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Line], chance: random.Random
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("split") / "split.db")
    referenced = [(*line, f"R{number}") for number, line in enumerate(rows)]
    chance.shuffle(referenced)
    for _ in range(4):
        days = {f"2026-11-0{day}" for day in range(1, 6) if chance.random() < 0.5}
        part = [line for line in referenced if line[0] in days]
        ledger.import_statement(with_references(*part, credits="refund"))
    ledger.import_statement(with_references(*referenced, credits="refund"))
    assert contents(ledger) == Counter(rows)
    assert ledger.check() == []


CARD = {
    "date": "Transaction Date",
    "amount": "Net Amount",
    "description": "Supplier Name",
    "category": "Expense Type",
}
REAL = [
    ("card/calderdale-2016-11-card.csv", CARD | {"reference": "Transaction number"}, "Net Amount"),
    ("card/calderdale-2019-01-card.csv", CARD | {"reference": "Transaction number"}, "Net Amount"),
    ("card/calderdale-2016-11-card.csv", CARD, "Net Amount"),
    ("ledger/hackclub-expenses.csv", None, "amount"),
]


@pytest.mark.parametrize(("name", "mapping", "column"), REAL)
def test_real_statement_is_imported_to_the_cent_and_once(
    ledger: Ledger, name: str, mapping: Any, column: str
) -> None:
    file = STATEMENTS / name
    if not file.exists():
        pytest.skip("no folder of real statements on this machine")
    with file.open(newline="", encoding="utf-8") as opened:
        sums = [Decimal(row[column]) for row in csv.DictReader(opened)]
    plan = statements.read(file, mapping=mapping, spending="positive", credits="refund")
    done = ledger.import_statement(plan)
    assert (done.created, done.skipped, done.bad) == (
        len([one for one in sums if one]),
        sums.count(Decimal(0)),
        0,
    )
    assert (ledger.search().count, ledger.search().total) == (done.created, sum(sums))
    again = ledger.import_statement(plan)
    assert (again.created, again.existing) == (0, done.created)
    assert ledger.search().total == sum(sums)


def test_expense_of_an_export_is_itself_whatever_its_account(ledger: Ledger, tmp_path: Path) -> None:
    """An account is but an annotation: another one makes no other payment of it, in any ledger."""
    edited = ledger.record(an_expense()).expense
    ledger.amend(edited.id, {"amount": "12.00"}, None)
    second = ledger.record(an_expense(occurrence=2)).expense
    other = Ledger(tmp_path / "other.db")
    for name, account in (("1.csv", None), ("2.csv", "Cash"), ("3.csv", "Giro")):
        for expense in (edited, second):
            ledger.amend(expense.id, {"account": account}, None)
        ledger.export_csv(tmp_path / name)
        other.import_statement(statements.read(tmp_path / name))
        assert (other.search().total, other.search().count) == (ledger.search().total, 2)


def test_account_is_spelled_once(ledger: Ledger) -> None:
    file = b"Date,Description,Amount,Of\n2026-11-22,Bus,2.40,GIRO\n2026-11-22,Tea,3.00,Giro\n2026-11-23,Tea,3.00,giro\n"
    ledger.import_statement(
        statements.read(file, spending="positive", mapping={"amount": "Amount", "account": "Of"})
    )
    assert {each.account for each in ledger.search().items} == {"GIRO"}
    assert [each.name for each in ledger.accounts()] == ["GIRO"]


def test_long_account_is_cut_and_its_expense_can_be_edited(ledger: Ledger) -> None:
    file = f"Date,Description,Amount,Of\n2026-11-22,Bus,2.40,{'x' * 150}\n".encode()
    plan = statements.read(file, spending="positive", mapping={"amount": "Amount", "account": "Of"})
    ledger.import_statement(plan)
    assert ledger.amend(1, {"amount": "3.00"}, 1).account == "x" * 100
    assert ledger.import_statement(plan).created == 0


def test_what_comes_back_is_in_one_spelling(ledger: Ledger) -> None:
    def read(*rows: str) -> Plan:
        return statements.read(
            "\n".join(("Date,Amount,Description,Category", *rows, "")).encode(), spending="positive"
        )

    one, two = "2026-01-01,1.00,a,Food", "2026-01-02,1.00,b,FOOD"
    for number, row in enumerate((one, two), 1):
        ledger.import_statement(read(row))
        ledger.undo_import(number)
    ledger.import_statement(read(one, two))
    assert len({each.category for each in ledger.search().items}) == 1


@pytest.mark.parametrize("meanwhile", ["rename", "rule"])
def test_category_that_is_renamed_during_an_import_does_not_come_back(
    ledger: Ledger, address: str, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    ledger.record(an_expense(category="Fod", description="coffee"))
    others, kept = Ledger(address), ledger.engine.bulk_transaction
    act = {
        "rename": lambda: others.rename_category("Fod", "Food"),
        "rule": lambda: others.add_rule("coffee", "Food"),
    }[meanwhile]
    acting = threading.Thread(target=act)

    def quicker(con: Any) -> Any:
        if acting.ident is None and threading.current_thread() is threading.main_thread():
            acting.start()
            acting.join()
        return kept(con)

    monkeypatch.setattr(ledger.engine, "bulk_transaction", quicker)
    plan = statements.read(b"Date,Amount,Description\n2026-02-01,2.00,coffee\n", spending="positive")
    ledger.import_statement(plan)
    assert ledger.search().items[-1].category == "Food"


def test_verdict_says_from_where_its_category_is(ledger: Ledger) -> None:
    for description in ("Rewe", "Shell"):
        ledger.record(an_expense(description=description, date="2026-10-01"))
    ledger.add_rule("shell", "Travel")
    plan = statements.read(
        b"Date,Description,Amount,Category\n"
        b"2026-11-01,Rewe,-1.00,Home\n2026-11-02,Shell 5,-2.00,\n2026-11-03,REWE,-3.00,\n"
        b"2026-11-04,REWE 4711 KARTE,-4.00,\n2026-11-05,Museum,-5.00,\n"
    )
    verdicts = ledger.import_statement(plan).verdicts
    assert [(verdict.category, verdict.category_from) for verdict in verdicts] == [
        ("Home", "statement"),
        ("Travel", "rule"),
        ("Food", "before"),
        ("Food", "alike"),
        ("Uncategorised", "default"),
    ]
    assert verdicts[3].why == "It is new. Its category is as descriptions like it had before."
