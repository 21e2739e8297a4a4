from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expense_lib import (
    AmountError,
    CategoryNotFound,
    ChangedSince,
    ChangeNotFound,
    ExpenseDeleted,
    ExpenseFilter,
    ExpenseNotFound,
    Filter,
    InvalidInput,
    Ledger,
    RecordedThenDeleted,
    StaleVersion,
    statements,
)
from expense_lib.domain.rows import Revision
from expense_lib.store import categories, expenses, log, sqlite
from expense_lib.store.transaction import Transaction
from tests.builders import an_expense, harm


def listed(ledger: Ledger) -> dict[int, str]:
    """Every live expense in a few words, by id."""
    return {
        e.id: f"{e.amount} {e.category} {e.occurrence}" for e in ledger.search(ExpenseFilter(limit=500)).items
    }


def the_last(ledger: Ledger) -> int:
    """The number of the last change."""
    return ledger.log()[-1].number


class TestAmending:
    def test_edit_keeps_id_and_key_and_counts_a_version(self, ledger: Ledger) -> None:
        first = ledger.record(an_expense()).expense
        edited = ledger.amend(first.id, {"amount": "13.00", "description": " Brunch "}, version=1)
        assert (edited.id, edited.dedup_key, edited.version) == (first.id, first.dedup_key, 2)
        assert (str(edited.amount), edited.description, edited.category) == ("13.00", "Brunch", "Food")
        assert ledger.get(first.id) == edited

    def test_late_retry_shows_the_edited_expense(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        edited = ledger.amend(1, {"amount": "13"}, version=1)
        late = ledger.record(an_expense())
        assert (late.created, late.expense) == (False, edited)

    def test_corrected_content_is_claimed_too(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "13"}, version=1)
        assert not ledger.record(an_expense(amount="13")).created

    def test_stale_version_is_refused(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "13"}, version=1)
        for version in (0, 1, 3, -1):
            with pytest.raises(StaleVersion) as stale:
                ledger.amend(1, {"amount": "14"}, version)
            assert stale.value.version == 2

    def test_edit_sent_again_after_its_answer_was_lost_is_done_already(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        for _ in range(2):
            assert ledger.amend(1, {"amount": "13"}, version=1).version == 2
        ledger.amend(1, {"category": "Fun"}, version=2)
        assert listed(ledger) == {1: "13.00 Fun 1"}
        assert ledger.amend(1, {"amount": "13"}, version=1).version == 3

    def test_edit_that_changes_nothing_makes_no_version(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        for changes in ({}, {"amount": "12.5"}, {"category": " FOOD"}, {"occurrence": 1}):
            assert ledger.amend(1, changes, version=1).version == 1

    def test_edit_back_to_a_content_of_its_own_is_that_occurrence_again(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.record(an_expense(amount="13"))
        assert ledger.amend(1, {"amount": "13"}, version=1).occurrence == 2
        assert ledger.amend(1, {"amount": "12.50"}, version=2).occurrence == 1
        assert ledger.amend(1, {"amount": "13"}, version=3).occurrence == 2

    def test_edit_to_the_content_of_another_takes_the_next_free_occurrence(self, ledger: Ledger) -> None:
        for amount in ("1", "2"):
            ledger.record(an_expense(amount=amount))
        ledger.record(an_expense(amount="2", occurrence=2))
        assert ledger.amend(1, {"amount": "2"}, version=1).occurrence == 3
        assert ledger.amend(2, {"occurrence": 2}, version=1).occurrence == 4

    def test_edit_of_the_occurrence_sent_again_is_done_already(self, ledger: Ledger) -> None:
        for occurrence in (1, 2):
            ledger.record(an_expense(occurrence=occurrence))
        for _ in range(2):
            assert ledger.amend(1, {"occurrence": 5}, version=1).occurrence == 5
            assert ledger.amend(2, {"occurrence": 1}, version=1).occurrence == 3

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": "-1"},
            {"refund": True},
            {"amount": None},
            {"id": 7},
            {"date": "x"},
            {"amount": 1.5},
            [],
            None,
        ],
        ids=str,
    )
    def test_result_must_be_acceptable(self, ledger: Ledger, changes: Any) -> None:
        ledger.record(an_expense())
        with pytest.raises(InvalidInput):
            ledger.amend(1, changes, version=1)
        with pytest.raises(AmountError):
            ledger.amend(1, {"amount": "1.234"}, version=1)
        assert listed(ledger) == {1: "12.50 Food 1"}

    def test_stale_edit_is_stale_even_if_it_could_not_be_accepted(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "-1", "refund": True}, version=1)
        with pytest.raises(StaleVersion):
            ledger.amend(1, {"amount": "-2"}, version=1)

    def test_what_a_ledger_gives_out_is_taken_back(self, ledger: Ledger) -> None:
        expense = ledger.record(an_expense(amount="9" * 15)).expense
        assert not ledger.record(an_expense(amount=str(expense.amount))).created

    def test_refund_can_become_a_payment(self, ledger: Ledger) -> None:
        ledger.record(an_expense(amount="-3", refund=True))
        with pytest.raises(InvalidInput):
            ledger.amend(1, {"amount": "3"}, version=1)
        assert not ledger.amend(1, {"amount": "3", "refund": False}, version=1).refund

    def test_largest_amount_can_have_its_description_edited(self, ledger: Ledger) -> None:
        ledger.record(an_expense(amount="9" * 15))
        assert ledger.amend(1, {"description": "House"}, version=1).amount == 10**15 - 1

    def test_unknown_and_deleted_expenses_are_refused(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.delete(1, version=1)
        with pytest.raises(ExpenseDeleted):
            ledger.amend(1, {"amount": "13"}, version=2)
        with pytest.raises(ExpenseNotFound):
            ledger.amend(2, {"amount": "13"}, version=1)


class TestDeleting:
    def test_deleted_expense_is_gone_but_not_forgotten(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.delete(1, version=1)
        page = ledger.search()
        assert (page.items, page.count, str(page.total), ledger.categories()) == ((), 0, "0.00", [])
        with pytest.raises(ExpenseDeleted) as gone:
            ledger.get(1)
        assert gone.value.expense_id == 1

    def test_retry_after_a_delete_is_refused_and_says_what_can_be_done(self, ledger: Ledger) -> None:
        ledger.record(an_expense(), "key")
        ledger.delete(1, version=1)
        for key in (None, "key"):
            with pytest.raises(RecordedThenDeleted, match=r"expense 1.*[Rr]estore.*another") as refused:
                ledger.record(an_expense(), key)
            assert refused.value.expense_id == 1
        assert ledger.record(an_expense(), "fresh").expense.occurrence == 2
        with pytest.raises(RecordedThenDeleted):
            ledger.record(an_expense(occurrence=1), "also-fresh")

    def test_deleting_twice_is_deleting_once(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        for version in (1, 1, None, 99):
            ledger.delete(1, version)
        assert [line.change for line in ledger.history(1)] == ["created", "deleted"]

    def test_stale_delete_is_refused(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "13"}, version=1)
        with pytest.raises(StaleVersion):
            ledger.delete(1, version=1)
        ledger.delete(1)
        with pytest.raises(ExpenseNotFound):
            ledger.delete(2)

    def test_restore_brings_back_the_same_expense(self, ledger: Ledger) -> None:
        first = ledger.record(an_expense()).expense
        ledger.delete(1)
        restored = ledger.restore(1)
        assert restored == first.model_copy(update={"version": 3, "updated_at": restored.updated_at})
        assert ledger.restore(1) == restored
        assert not ledger.record(an_expense()).created
        with pytest.raises(ExpenseNotFound):
            ledger.restore(2)

    def test_restored_category_has_the_spelling_of_today(self, ledger: Ledger) -> None:
        ledger.record(an_expense(category="food"))
        ledger.delete(1)
        ledger.record(an_expense(category="FOOD", amount="1"))
        assert ledger.restore(1).category == "FOOD"


class TestHistory:
    def test_every_version_says_what_was_done_when_and_from_what_to_what(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "13", "category": "Fun"}, version=1)
        ledger.delete(1)
        ledger.restore(1)
        lines = ledger.history(1)
        assert [(line.version, line.change) for line in lines] == [
            (1, "created"),
            (2, "amended"),
            (3, "deleted"),
            (4, "restored"),
        ]
        values = [
            tuple(side and f"{side.amount} {side.category}" for side in (line.before, line.after))
            for line in lines
        ]
        assert values == [
            (None, "12.50 Food"),
            ("12.50 Food", "13.00 Fun"),
            ("13.00 Fun", None),
            (None, "13.00 Fun"),
        ]
        assert lines[0].at == ledger.get(1).created_at
        assert lines[-1].at == ledger.get(1).updated_at

    def test_unknown_expense_has_none(self, ledger: Ledger) -> None:
        with pytest.raises(ExpenseNotFound):
            ledger.history(1)

    def test_changes_are_the_log_in_order_and_in_pages(self, ledger: Ledger) -> None:
        for n in range(1, 6):
            ledger.record(an_expense(occurrence=n))
        ledger.rename_category("food", "Fun")
        log = ledger.log()
        assert [line.seq for line in log] == list(range(1, 11))
        assert {line.number for line in log[5:]} == {6}
        pages = [ledger.log(since, limit=4) for since in (0, 4, 8, 10)]
        assert [line for page in pages for line in page] == log
        assert ledger.log(since=2**70) == ledger.log(limit=-1) == []


class TestCategories:
    def test_rename_moves_all_and_claims_their_new_content(self, ledger: Ledger) -> None:
        for n in (1, 2):
            ledger.record(an_expense(occurrence=n))
        renamed = ledger.rename_category(" FOOD", "Eating  out")
        assert (renamed.name, renamed.count, str(renamed.total)) == ("Eating out", 2, "25.00")
        assert listed(ledger) == {1: "12.50 Eating out 1", 2: "12.50 Eating out 2"}
        assert not ledger.record(an_expense(category="eating out", occurrence=2)).created
        assert not ledger.record(an_expense()).created

    def test_old_name_is_no_alias(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.rename_category("Food", "Fun")
        anew = ledger.record(an_expense(category="FOOD", amount="1"))
        assert (anew.created, anew.expense.category) == (True, "FOOD")

    def test_merge_keeps_every_payment_and_the_name_that_is_there(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.record(an_expense(category="Fod"))
        merged = ledger.rename_category("Fod", "FOOD")
        assert (merged.name, merged.count, str(merged.total)) == ("Food", 2, "25.00")
        assert listed(ledger) == {1: "12.50 Food 1", 2: "12.50 Food 2"}

    def test_change_of_spelling_claims_no_keys(self, ledger: Ledger, path: Path) -> None:
        ledger.record(an_expense())
        ledger.record(an_expense(amount="1"))
        with closing(sqlite3.connect(path)) as con:
            claims = con.execute("SELECT * FROM claim").fetchall()
            assert ledger.rename_category("food", "FOOD").name == "FOOD"
            assert con.execute("SELECT * FROM claim").fetchall() == claims
        assert {e.category for e in ledger.search().items} == {"FOOD"}
        assert {e.version for e in ledger.search().items} == {2}

    def test_deleted_expenses_keep_their_category(self, ledger: Ledger) -> None:
        for amount in ("1", "2"):
            ledger.record(an_expense(amount=amount))
        ledger.delete(1)
        ledger.rename_category("Food", "Fun")
        assert ledger.restore(1).category == "Food"
        assert [c.name for c in ledger.categories()] == ["Food", "Fun"]

    @pytest.mark.parametrize("old", ["nowhere", "", "\0", "x" * 1000])
    def test_unknown_category_is_refused(self, ledger: Ledger, old: str) -> None:
        with pytest.raises(CategoryNotFound):
            ledger.rename_category(old, "Fun")

    @pytest.mark.parametrize("new", ["", " ", "x" * 101, "\0"])
    def test_name_must_be_acceptable(self, ledger: Ledger, new: str) -> None:
        ledger.record(an_expense())
        with pytest.raises(InvalidInput):
            ledger.rename_category("Food", new)

    def test_rename_says_the_number_that_undoes_it(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        assert ledger.rename_category("Food", "Food").number is None
        for name in ("FOOD", "Fun"):
            before, number = listed(ledger), ledger.rename_category("food", name).number
            assert number == the_last(ledger)
            ledger.undo(number)
            assert listed(ledger) == before


class TestRecategorising:
    @pytest.mark.parametrize(
        "chosen", [{"ids": [3, 1, 3]}, {"where": Filter(q="lun", amount_max="2")}], ids=str
    )
    def test_those_chosen_are_moved_in_one_change_that_is_undone_as_one(
        self, ledger: Ledger, chosen: dict[str, Any]
    ) -> None:
        for amount, category in (("1", "Fod"), ("9", "Fod"), ("2", "Rent")):
            ledger.record(an_expense(amount=amount, category=category))
        before = listed(ledger)
        moved = ledger.recategorise(" Food", **chosen)
        assert (moved.number, moved.count, moved.category) == (4, 2, "Food")
        assert listed(ledger) == {1: "1.00 Food 1", 2: "9.00 Fod 1", 3: "2.00 Food 1"}
        assert not ledger.record(an_expense(amount="2")).created  # the new content is claimed
        assert ledger.undo(4).undone == (1, 3)
        assert (listed(ledger), ledger.check()) == (before, [])

    def test_nothing_said_of_which_is_all_of_them(self, ledger: Ledger) -> None:
        for category in ("Fod", "Rent"):
            ledger.record(an_expense(category=category))
        assert ledger.recategorise("Food", where=Filter()).count == 2
        assert ledger.recategorise("Food", ids=()).count == 0

    def test_category_that_is_there_keeps_its_spelling(self, ledger: Ledger) -> None:
        for category in ("Food", "Rent"):
            ledger.record(an_expense(category=category))
        assert ledger.recategorise("FOOD", ids=[2]).category == "Food"
        assert listed(ledger) == {1: "12.50 Food 1", 2: "12.50 Food 2"}

    def test_those_there_already_and_deleted_ones_are_left_alone(self, ledger: Ledger) -> None:
        for category in ("Food", "Rent", "Fun"):
            ledger.record(an_expense(category=category))
        ledger.delete(2)
        lines = len(ledger.log())
        none = ledger.recategorise("FOOD", ids=[1, 2])
        assert (none.number, none.count, none.category) == (None, 0, "Food")
        assert len(ledger.log()) == lines
        assert ledger.recategorise("food", where=Filter()).count == 1
        assert [line.change for line in ledger.history(2)] == ["created", "deleted"]

    def test_content_of_another_takes_the_next_free_occurrence(self, ledger: Ledger) -> None:
        for category in ("Food", "Fod", "Fud"):
            ledger.record(an_expense(category=category))
        ledger.recategorise("Food", ids=[3, 2])
        assert listed(ledger) == {1: "12.50 Food 1", 2: "12.50 Food 2", 3: "12.50 Food 3"}
        assert ledger.recategorise("Fud", ids=[3]).count == 1
        assert listed(ledger)[3] == "12.50 Fud 1"  # what it was when it was there before

    def test_move_back_is_the_occurrence_that_it_was_last(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"occurrence": 3}, version=1)
        ledger.recategorise("Fun", ids=[1])
        ledger.recategorise("Food", ids=[1])
        assert listed(ledger) == {1: "12.50 Food 3"}

    @pytest.mark.parametrize("unknown", [0, -1, 3, 2**70])
    def test_id_that_never_was_is_refused_and_nothing_is_moved(self, ledger: Ledger, unknown: int) -> None:
        for amount in ("1", "2"):
            ledger.record(an_expense(amount=amount))
        with pytest.raises(ExpenseNotFound) as refused:
            ledger.recategorise("Fun", ids=[1, unknown, 2])
        assert refused.value.expense_id == unknown
        assert listed(ledger) == {1: "1.00 Food 1", 2: "2.00 Food 1"}

    @pytest.mark.parametrize(
        ("category", "chosen", "field"),
        [
            ("Fun", {}, "where"),
            ("Fun", {"ids": [1], "where": Filter()}, "where"),
            (" ", {"ids": [1]}, "category"),
            (None, {"ids": [1]}, "category"),
            ("Fun", {"ids": range(501)}, "ids"),
            ("Fun", {"ids": ["1"]}, "ids"),
            ("Fun", {"ids": [True]}, "ids"),
            ("Fun", {"ids": ""}, "ids"),
            ("Fun", {"ids": 1}, "ids"),
            ("Fun", {"where": "Food"}, "where"),
            ("Fun", {"where": Filter(amount_min="1.234")}, "where.amount_min"),
        ],
        ids=str,
    )
    def test_what_can_not_be_accepted_is_named(
        self, ledger: Ledger, category: Any, chosen: dict[str, Any], field: str
    ) -> None:
        ledger.record(an_expense())
        with pytest.raises(InvalidInput) as refused:
            ledger.recategorise(category, **chosen)
        assert [error.field for error in refused.value.errors] == [field]
        assert listed(ledger) == {1: "12.50 Food 1"}

    def test_five_hundred_ids_are_taken(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        assert ledger.recategorise("Fun", ids=[1] * 500).count == 1


EDITS = st.tuples(
    st.integers(1, 8),
    st.fixed_dictionaries(
        {"category": st.sampled_from(["A", "a", "B", "C"])},
        optional={"amount": st.sampled_from(["1", "2"]), "occurrence": st.integers(1, 4)},
    ),
)


class TestManyAtOnce:
    """What a change of many writes is, row for row, what editing one by one does; but for its number."""

    @staticmethod
    def with_a_past(path: Path, edits: list[tuple[int, dict[str, Any]]], gone: set[int]) -> Ledger:
        """Eight expenses, alike but for their categories and amounts, of which some were edited or deleted."""
        ledger = Ledger(path)
        for n in range(8):
            ledger.record(an_expense(category="ABBB"[n % 4], amount=str(1 + n // 6)), f"k{n}")
        for expense_id, changes in edits:
            ledger.amend(expense_id, changes, None)
        for expense_id in gone:
            ledger.delete(expense_id)
        return ledger

    @staticmethod
    def rows_in(ledger: Ledger) -> dict[str, list[Any]]:
        """All that is in the file but for times."""
        selected = {
            "claim": "key, expense_id, request",
            "category": "key, name, count, total_high, total_low",
            "expense": "id, category, category_key, occurrence, version, deleted_at IS NULL, last_seq",
            "log_entry": "seq, previous, kind, expense_id, version, category, date, occurrence",
        }
        with sqlite.connection(ledger.path) as con:
            times = con.execute("SELECT updated_at FROM expense EXCEPT SELECT at FROM log_entry").fetchall()
            found = {
                table: con.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()  # noqa: S608
                for table, columns in selected.items()
            }
            return found | {"times that the log does not have": times}

    @given(
        edits=st.lists(EDITS, max_size=12),
        gone=st.sets(st.integers(1, 8), max_size=2),
        to=st.sampled_from(["A", "a", "B", "D"]),
        ids=st.sets(st.integers(1, 8)),
    )
    @settings(max_examples=200)
    def test_move_is_the_edits_one_by_one(
        self, edits: list[tuple[int, dict[str, Any]]], gone: set[int], to: str, ids: set[int]
    ) -> None:
        with TemporaryDirectory() as folder:
            moved, edited = (
                self.with_a_past(Path(folder) / name, edits, gone) for name in ("moved", "edited")
            )
            moved.recategorise(to, ids=sorted(ids))
            for expense_id in sorted(ids - gone):
                edited.amend(expense_id, {"category": to}, None)
            assert self.rows_in(moved) == self.rows_in(edited)
            assert moved.check() == []

    def test_respelling_is_the_versions_one_by_one(self, tmp_path: Path) -> None:
        respelled, written = (self.with_a_past(tmp_path / name, [], {2}) for name in ("respelled", "written"))
        respelled.rename_category("b", "b")
        with sqlite.connection(written.path) as con, sqlite.transaction(con, write=True):
            tx = Transaction(con, written.currency)
            for row in expenses.live_in_category(tx, "b"):
                revisions, tally = (
                    [Revision(row, row.content._replace(category="b"), "amended")],
                    categories.Tally(),
                )
                tally.revise(revisions)
                expenses.revise(tx, revisions, {"category"}, tally.changes())
            categories.rename(tx, "b", "b")
        assert self.rows_in(respelled) == self.rows_in(written)

    def test_many_alike_each_take_an_occurrence_of_their_own(self, ledger: Ledger) -> None:
        for n in range(1, 41):
            ledger.record(an_expense(category="Fod", occurrence=n))
            ledger.record(an_expense(occurrence=2 * n))
        ledger.rename_category("Fod", "Food")
        assert len(set(listed(ledger).values())) == 80
        assert {e.occurrence for e in ledger.search(ExpenseFilter(limit=500)).items} == {*range(1, 80), 80}
        assert ledger.check() == []


class TestDeeds:
    def test_every_change_to_what_was_there_stands_once_the_last_first(self, ledger: Ledger) -> None:
        for amount in ("1", "2", "3"):
            ledger.record(an_expense(amount=amount))
        ledger.amend(2, {"amount": "4"}, version=1)
        ledger.delete(1)
        ledger.record(an_expense(amount="5"))
        ledger.rename_category("Food", "Fun")
        ledger.restore(1)
        deeds = ledger.changes()
        assert [(d.number, d.change, d.count, d.expense_id) for d in deeds] == [
            (10, "restored", 1, 1),
            (7, "amended", 3, 2),
            (5, "deleted", 1, 1),
            (4, "amended", 1, 2),
        ]
        values = [
            tuple(side and f"{side.amount} {side.category}" for side in (d.before, d.after)) for d in deeds
        ]
        assert values == [
            (None, "1.00 Food"),
            ("4.00 Food", "4.00 Fun"),
            ("1.00 Food", None),
            ("2.00 Food", "4.00 Food"),
        ]
        assert deeds[1].at == ledger.history(2)[-1].at
        for deed in deeds:
            ledger.undo(deed.number)
        assert listed(ledger) == {1: "1.00 Food 1", 2: "2.00 Food 1", 3: "3.00 Food 1", 4: "5.00 Food 1"}

    def test_deeds_come_in_pages(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        for amount in range(1, 8):
            ledger.amend(1, {"amount": amount}, None)
        deeds = ledger.changes()
        pages = [ledger.changes(before, limit=3) for before in (None, deeds[2].number, deeds[5].number)]
        assert [deed for page in pages for deed in page] == deeds
        assert [len(page) for page in pages] == [3, 3, 1]
        assert ledger.changes(before=2**70) == ledger.changes(limit=10**9) == deeds
        assert (
            ledger.changes(before=deeds[-1].number)
            == ledger.changes(before=-1)
            == ledger.changes(limit=0)
            == []
        )

    @pytest.mark.of_the_file
    def test_deeds_are_found_without_reading_the_whole_log(self, ledger: Ledger) -> None:
        with sqlite.connection(ledger.path) as con:
            plan = con.execute(f"EXPLAIN QUERY PLAN {log._CHANGES}", {"before": 1, "limit": 1}).fetchall()
        steps = [step for *_, step in plan]
        assert "SEARCH entry USING INDEX first_entry (seq<?)" in steps
        assert "SEARCH part USING COVERING INDEX entry_by_change (part_of=?)" in steps
        assert not [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE" in step]


class TestUndoing:
    @pytest.mark.parametrize(
        "deed", ["create", "amend", "delete", "restore", "rename", "merge", "respell", "recategorise"]
    )
    def test_any_change_can_be_undone_and_the_undo_too(self, ledger: Ledger, deed: str) -> None:
        for amount in ("1", "2"):
            ledger.record(an_expense(amount=amount))
        ledger.record(an_expense(amount="1", category="Fod"))
        if deed == "restore":
            ledger.delete(1)
        before = listed(ledger)
        match deed:
            case "create":
                ledger.record(an_expense(amount="9"))
            case "amend":
                ledger.amend(1, {"amount": "2", "description": "x"}, version=1)
            case "delete":
                ledger.delete(1)
            case "restore":
                ledger.restore(1)
            case "rename":
                ledger.rename_category("Food", "Fun")
            case "merge":
                ledger.rename_category("Fod", "Food")
            case "respell":
                ledger.rename_category("Food", "FOOD")
            case "recategorise":
                ledger.recategorise("Food", where=Filter(amount_max="1"))
        number, after = the_last(ledger), listed(ledger)
        assert after != before
        undone = ledger.undo(number)
        assert (listed(ledger), undone.kept, undone.number) == (before, (), the_last(ledger))
        assert ledger.undo(number).undone == ()
        ledger.undo(the_last(ledger))
        assert (listed(ledger), ledger.check()) == (after, [])

    def test_older_edit_is_undone_where_nobody_touched_the_same_since(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "13"}, version=1)
        amended = the_last(ledger)
        ledger.amend(1, {"category": "Fun"}, version=2)
        ledger.undo(amended)
        assert listed(ledger) == {1: "12.50 Fun 1"}

    def test_what_was_changed_again_is_not_undone(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        created = the_last(ledger)
        ledger.amend(1, {"amount": "13"}, version=1)
        amended = the_last(ledger)
        ledger.amend(1, {"amount": "14"}, version=2)
        for number in (created, amended):
            with pytest.raises(ChangedSince, match="Expenses: 1") as refused:
                ledger.undo(number)
            assert refused.value.expense_ids == [1]
        assert listed(ledger) == {1: "14.00 Food 1"}

    def test_creation_is_undone_once_its_edits_are(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"amount": "13"}, version=1)
        ledger.undo(2)
        ledger.undo(1)
        assert (listed(ledger), ledger.check()) == ({}, [])

    def test_merge_is_undone_though_its_category_was_respelled(self, ledger: Ledger) -> None:
        for category in ("Fod", "Food"):
            ledger.record(an_expense(category=category))
        ledger.rename_category("Fod", "Food")
        merged = the_last(ledger)
        ledger.rename_category("Food", "FOOD")
        assert ledger.undo(merged).undone == (1,)
        assert listed(ledger) == {1: "12.50 Fod 1", 2: "12.50 FOOD 1"}

    def test_undo_of_a_rename_keeps_what_was_moved_on(self, ledger: Ledger) -> None:
        for amount in ("1", "2", "3"):
            ledger.record(an_expense(amount=amount))
        ledger.rename_category("Food", "Fun")
        renamed = the_last(ledger)
        ledger.amend(2, {"category": "Rent"}, version=2)
        ledger.delete(3)
        undone = ledger.undo(renamed)
        assert (undone.undone, undone.kept) == ((1,), (2, 3))
        assert listed(ledger) == {1: "1.00 Food 1", 2: "2.00 Rent 1"}

    def test_undo_of_a_spelling_takes_along_what_came_since(self, ledger: Ledger) -> None:
        ledger.record(an_expense(category="food"))
        ledger.rename_category("food", "Food")
        respelled = the_last(ledger)
        ledger.record(an_expense(amount="1"))
        ledger.undo(respelled)
        assert [(e.category, e.version) for e in ledger.search().items] == [("food", 2), ("food", 3)]

    def test_partial_undo_sent_again_stays_as_it_is(self, ledger: Ledger) -> None:
        for amount in ("1", "2"):
            ledger.record(an_expense(amount=amount))
        ledger.rename_category("Food", "Fun")
        ledger.delete(2)
        assert ledger.undo(3).undone == (1,)
        again = ledger.undo(3)
        assert (again.undone, again.kept, again.number) == ((), (2,), None)

    def test_occurrence_that_another_has_taken_since_is_kept(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        ledger.amend(1, {"occurrence": 2}, version=1)
        ledger.amend(1, {"description": "x"}, version=2)
        ledger.record(an_expense(description="x"))
        with pytest.raises(ChangedSince):
            ledger.undo(2)
        assert listed(ledger) == {1: "12.50 Food 2", 2: "12.50 Food 1"}

    def test_a_line_of_a_deed_names_the_whole_deed(self, ledger: Ledger) -> None:
        for amount in ("1", "2"):
            ledger.record(an_expense(amount=amount))
        ledger.rename_category("Food", "Fun")
        assert ledger.undo(ledger.log()[-1].seq).undone == (1, 2)

    @pytest.mark.parametrize("number", [0, 1, -1, 2**63])
    def test_unknown_change_is_refused(self, ledger: Ledger, number: int) -> None:
        with pytest.raises(ChangeNotFound):
            ledger.undo(number)


class TestChecking:
    def test_sound_ledger_has_no_findings(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        assert ledger.check() == []

    @pytest.mark.parametrize(
        ("damage", "finding"),
        [
            ("UPDATE expense SET amount_minor = 1", "not as its log says"),
            ("UPDATE expense SET occurrence = 2", "not as its log says"),
            ("UPDATE expense SET dedup_key = 'v1:0'", "dedup key is not that of what was recorded"),
            ("UPDATE expense SET version = 2", "log is not complete"),
            ("UPDATE expense SET category_key = 'fun' WHERE id = 1", "not as its log says"),
            ("UPDATE expense SET description_key = 'x'", "not as its log says"),
            ("UPDATE expense SET last_seq = 2", "not as its log says"),
            ("UPDATE log_entry SET previous = 2", "does not lead to the one before"),
            ("UPDATE claim SET expense_id = 2", "not its own"),
            ("UPDATE log_entry SET amount_minor = 1", "not its own"),
            ("DELETE FROM claim WHERE expense_id = 1", "not its own"),
            ("DELETE FROM log_entry WHERE expense_id = 1", "log is not complete"),
            ("UPDATE category SET total_low = 0", "total is not the sum"),
            ("DELETE FROM category", "total is not the sum"),
            ("DELETE FROM expense WHERE id = 1", "not there"),
        ],
    )
    def test_harm_is_found(self, ledger: Ledger, damage: str, finding: str) -> None:
        for amount in ("12.50", "2"):
            ledger.record(an_expense(amount=amount))
        harm(ledger, damage)
        assert any(finding in said for said in ledger.check()), ledger.check()


def test_two_that_want_one_key_back_do_not_both_get_it(ledger: Ledger) -> None:
    """The second one of them is kept as it is, and said to be."""
    for text in ("a", "b"):
        ledger.record(an_expense(category=f"X{text}", description=text))
        ledger.record(an_expense(category="Y", description=text))
    moved = ledger.recategorise("Y", ids=[1, 3])
    undone = ledger.undo(moved.number or 0)
    for expense_id in (1, 3):
        ledger.amend(expense_id, {"description": "c"}, None)
    done = ledger.undo(undone.number or 0)
    assert (done.undone, done.kept) == ((1,), (3,))
    assert ledger.check() == []


def test_rename_tells_the_total_at_its_own_time(
    ledger: Ledger, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody empties the category as soon as the rename is committed."""
    ledger.record(an_expense())
    others, kept = Ledger(address), ledger.engine.bulk_transaction

    @contextmanager
    def then_emptied(con: Any) -> Iterator[None]:
        with kept(con):
            yield
        emptying = threading.Thread(target=others.delete, args=(1,))
        emptying.start()
        emptying.join()

    monkeypatch.setattr(ledger.engine, "bulk_transaction", then_emptied)
    renamed = ledger.rename_category("Food", "Fun")
    assert (renamed.name, renamed.count, renamed.number) == ("Fun", 1, 2)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that rules ask of the store, one however many rows it is bound to."""
    found: list[str] = []

    class Counting(Transaction):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            execute, executemany = self.execute, self.executemany

            def once(sql: str, *values: Any) -> Any:
                found.append(sql)
                return execute(sql, *values)

            def many(sql: str, values: Any) -> Any:
                found.append(sql)
                return executemany(sql, values)

            self.execute, self.executemany = once, many

    monkeypatch.setattr("expense_lib.ledger.Transaction", Counting)
    return found


def test_change_costs_as_many_statements_whatever_its_size(tmp_path: Path, asked: list[str]) -> None:
    def costs(size: int) -> dict[str, int]:
        ledger, found = Ledger(tmp_path / f"{size}.db"), {}
        lines = "".join(f"2026-11-22,Shop {n},{n + 1}.00\n" for n in range(size))
        plan = statements.read(
            f"Date,Description,Amount\n{lines}".encode(), spending="positive", account="Giro"
        )

        def count(name: str, act: Callable[[], Any]) -> Any:
            asked.clear()
            done = act()
            found[name] = len(asked)
            return done

        count("import", lambda: ledger.import_statement(plan))
        moved = count("move", lambda: ledger.recategorise("Fun", where=Filter()))
        undone = count("undo", lambda: ledger.undo(moved.number))
        count("redo", lambda: ledger.undo(undone.number))
        renamed = count("rename", lambda: ledger.rename_category("Fun", "Uncategorised"))
        count("undo of the rename", lambda: ledger.undo(renamed.number))
        count("respell", lambda: ledger.rename_category("Fun", "FUN"))
        count("move back", lambda: ledger.recategorise("Uncategorised", where=Filter()))
        taken = count("undo of the import", lambda: ledger.undo_import(1))
        count("redo of the import", lambda: ledger.undo(taken.number))
        assert ledger.check() == []
        return found

    few, many = costs(5), costs(400)
    assert few == many
    assert max(many.values()) <= 50, many
