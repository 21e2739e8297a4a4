"""One payment, whoever tells of it: each rule of the verdict table, from either direction."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from expense_lib import (
    BuiltUpon,
    ChangedSince,
    ExpenseHeld,
    ExpenseMerged,
    InvalidInput,
    Ledger,
    NotUndecided,
    StaleVersion,
    statements,
)
from expense_lib.domain.likeness import likeness
from expense_lib.domain.statement import Imported
from expense_lib.statements import Plan
from tests.builders import CASES, an_expense, sibling

Line = tuple[str, ...]
REWE: Line = ("2026-11-21", "REWE SAGT DANKE 0815", "12.50")
CSV, OTHER = "Date,Description,Amount", "Day,Text,Amount"
IDS = "Date,Description,Amount,Transaction ID"


def a_plan(*lines: Line, header: str = CSV, account: str = "Giro", **told: Any) -> Plan:
    text = "\n".join([header, *(",".join(line) for line in lines)])
    return statements.read(
        text.encode(), **{"spending": "positive", "date_format": "%Y-%m-%d", "account": account} | told
    )


def whats(done: Imported) -> list[str]:
    return [verdict.what for verdict in done.verdicts]


def told(ledger: Ledger, *lines: Line, **how: Any) -> list[str]:
    """What becomes of these lines, which a dry run says too."""
    plan = a_plan(*lines, **how)
    dry = ledger.import_statement(plan, dry_run=True)
    done = ledger.import_statement(plan)
    assert whats(dry) == whats(done)
    assert ledger.check() == []
    return whats(done)


def typed(ledger: Ledger, description: str = "Rewe", amount: str = "12.50", **more: Any) -> int:
    return ledger.record(
        an_expense(**{"description": description, "amount": amount, "date": "2026-11-20"} | more)
    ).expense.id


def money(ledger: Ledger) -> tuple[int, Decimal]:
    page = ledger.search()
    return page.count, page.total


def shop(day: int, name: str, amount: str, *more: str) -> Line:
    return (f"2026-11-{day:02}", name, amount, *more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rewe", "REWE SAGT DANKE 4711"),
        ("coffe", "COFFEE BAR"),  # a beginning
        ("Starbuks", "STARBUCKS 0042"),  # a letter is missing
        ("Amazno", "AMAZON.COM"),  # two are swapped
        ("Bar", "COFFEE BAR"),  # all words of the shorter
        ("Café Größe", "CAFE GROSSE 7"),
        ("4711", "4711"),
    ],
)
def test_texts_are_alike(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one) > 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("Lunch", "REWE"), ("", "REWE"), ("Card payment", "CARD REWE"), ("Bus", "BUSY BEE"), ("4711", "4712")],
)
def test_texts_are_not_alike(one: str, other: str) -> None:
    assert likeness(one, other) == 0


class TestOneOfAPerson:
    """Rules 5 and 6, and the other way round."""

    def test_entered_then_the_statement(self, ledger: Ledger) -> None:
        typed(ledger)
        assert told(ledger, REWE) == ["joined"]
        (expense,) = ledger.search().items
        assert (expense.description, str(expense.date), expense.account) == ("Rewe", "2026-11-20", "Giro")
        assert [each.change for each in ledger.history(1)] == ["created", "joined"]
        assert told(ledger, REWE) == ["existing"]

    def test_the_statement_then_entered(self, ledger: Ledger) -> None:
        assert told(ledger, REWE) == ["created"]
        new = an_expense(description="Rewe", date="2026-11-20", note="with Ada")
        receipt = ledger.record(new)
        assert (receipt.created, receipt.joined, receipt.expense.id) == (False, True, 1)
        expense = receipt.expense
        assert (expense.description, expense.category, expense.account, expense.note) == (
            *("Rewe", "Food", "Giro", "with Ada"),
        )
        again = ledger.record(new)
        assert (again.created, again.joined, again.differs) == (False, False, ())
        assert money(ledger) == (1, Decimal("12.50"))
        assert ledger.check() == []

    def test_undo_of_that_gives_the_fields_back(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        before = ledger.get(1)
        ledger.record(an_expense(description="Rewe", date="2026-11-20"))
        ledger.undo(ledger.changes()[0].number)
        assert ledger.get(1).description == before.description
        assert ledger.undo_import(1).undone == (1,)

    def test_fields_that_somebody_edited_stay(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        ledger.amend(1, {"category": "Household"}, 1)
        expense = ledger.record(an_expense(description="Rewe", date="2026-11-20")).expense
        assert (expense.category, expense.description) == ("Household", "Rewe")
        assert not ledger.record(an_expense(description="Rewe", date="2026-11-20")).created

    def test_a_fresh_idempotency_key_finds_it_too(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        new = an_expense(description="Rewe", date="2026-11-20")
        assert ledger.record(new, idempotency_key="k1").joined
        assert not ledger.record(new, idempotency_key="k1").created
        assert ledger.record(new, idempotency_key="k2").created

    def test_a_second_occurrence_is_another_one(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        assert ledger.record(an_expense(description="Rewe", date="2026-11-20", occurrence=2)).created

    @pytest.mark.parametrize(
        ("date", "what"),
        [
            ("2026-11-15", "created"),
            ("2026-11-16", "joined"),
            ("2026-11-22", "joined"),
            ("2026-11-23", "created"),
        ],
    )
    def test_days_from_five_before_to_one_after(self, ledger: Ledger, date: str, what: str) -> None:
        typed(ledger, date=date)
        assert told(ledger, REWE) == [what]

    @pytest.mark.parametrize(
        ("account", "text", "what"),
        [
            (None, "Rewe", "joined"),
            (None, "Lunch", "held"),
            ("giro", "Lunch", "joined"),
            ("Cash", "Rewe", "created"),
        ],
    )
    def test_certain_is_the_same_account_or_an_alike_text(
        self, ledger: Ledger, account: str | None, text: str, what: str
    ) -> None:
        typed(ledger, text, account=account)
        assert told(ledger, REWE) == [what]

    @pytest.mark.parametrize(
        ("account", "text", "outcome"),
        [
            (None, "Rewe", "joined"),
            (None, "Lunch", "looks like"),
            ("GIRO", "Lunch", "joined"),
            ("Cash", "Rewe", "created"),
        ],
    )
    def test_the_same_the_other_way_round(
        self, ledger: Ledger, account: str | None, text: str, outcome: str
    ) -> None:
        told(ledger, REWE)
        receipt = ledger.record(an_expense(description=text, date="2026-11-20", account=account))
        assert (receipt.joined, receipt.looks_like) == (
            outcome == "joined",
            1 if outcome == "looks like" else None,
        )
        assert ledger.search().count == (2 if outcome == "created" else 1)
        assert ledger.check() == []

    def test_what_waits_counts_nowhere_and_is_decided_once(self, ledger: Ledger) -> None:
        person = typed(ledger, "Lunch")
        assert told(ledger, REWE, shop(22, "Bus", "2.40")) == ["held", "created"]
        assert money(ledger) == (2, Decimal("14.90"))
        (held,) = ledger.undecided()
        assert (held.kind, held.candidates, held.account) == ("row", (person,), "Giro")
        with pytest.raises(ExpenseHeld):
            ledger.amend(held.id, {"amount": "1.00"}, None)
        assert told(ledger, REWE) == ["held"]
        assert [each.id for each in ledger.undecided()] == [held.id]

    @pytest.mark.parametrize(("said", "count"), [(1, 1), ("new", 2), ("skip", 1)])
    def test_decision_is_kept_and_undone(self, ledger: Ledger, said: Any, count: int) -> None:
        typed(ledger, "Lunch")
        told(ledger, REWE)
        number = ledger.decide(2, said)
        assert (ledger.search().count, ledger.undecided(), ledger.check()) == (count, [], [])
        assert ledger.decide(2, said) is None or said == "new"
        assert told(ledger, REWE) == ["skipped" if said == "skip" else "existing"]
        assert (ledger.search().count, ledger.undecided()) == (count, [])
        ledger.undo(number or 0)
        assert [each.id for each in ledger.undecided()] == [2]
        assert (ledger.search().count, ledger.check()) == (1, [])

    def test_what_is_decided_already_is_nothing_to_decide(self, ledger: Ledger) -> None:
        typed(ledger)
        with pytest.raises(NotUndecided):
            ledger.decide(1, "skip")

    def test_two_texts_are_alike_from_then_on(self, ledger: Ledger) -> None:
        for day in (1, 8, 15):
            typed(ledger, "Lunch", date=f"2026-11-{day:02}")
        rows = [shop(day, f"TRATTORIA {day}", "12.50") for day in (2, 9)]
        assert told(ledger, *rows) == ["held", "held"]
        number = ledger.decide(4, 1)
        assert ledger.undecided() == []  # the other one that waited is taken, too
        assert told(ledger, shop(16, "TRATTORIA 16", "12.50")) == ["joined"]
        ledger.undo(number or 0)
        assert [each.id for each in ledger.undecided()] == [4]
        assert told(ledger, shop(29, "TRATTORIA 29", "12.50")) == ["created"]

    def test_it_becomes_new_once_there_is_nothing_that_it_may_be(self, ledger: Ledger) -> None:
        typed(ledger, "Lunch")
        told(ledger, REWE)
        ledger.delete(1)
        assert (ledger.undecided(), ledger.search().items[0].description) == ([], REWE[1])
        ledger.restore(1)
        assert [each.id for each in ledger.undecided()] == [2]

    def test_it_becomes_new_once_what_it_may_be_is_of_another_account(self, ledger: Ledger) -> None:
        typed(ledger, "Lunch")
        told(ledger, REWE)
        ledger.amend(1, {"account": "Cash"}, None)
        assert (ledger.undecided(), ledger.search().count, ledger.check()) == ([], 2, [])

    def test_decision_takes_the_banks_amount_or_keeps_it(self, ledger: Ledger) -> None:
        typed(ledger, "Coffee", "3.50")
        ledger.amend(1, {"amount": "3.00"}, 1)
        assert told(ledger, shop(20, "Coffee", "3.50")) == ["held"]
        assert money(ledger) == (1, Decimal("3.00"))
        number = ledger.decide(2, 1)
        assert ledger.get(1).amount == Decimal("3.50")
        ledger.undo(number or 0)
        ledger.decide(2, 1, keep_amount=True)
        assert (ledger.get(1).amount, ledger.check()) == (Decimal("3.00"), [])

    def test_decisions_by_line(self, ledger: Ledger) -> None:
        person = typed(ledger, "Lunch")
        plan = a_plan(REWE, shop(21, "Bakery", "12.50"), shop(21, "Kiosk", "3.00"), shop(22, "Tip", "14.00"))
        done = ledger.import_statement(plan, decisions={2: "new", 3: "skip", 5: person})
        assert whats(done) == ["created", "skipped", "created", "joined"]
        assert ledger.get(person).amount == Decimal("14.00")
        assert whats(ledger.import_statement(plan)) == ["existing", "skipped", "existing", "existing"]
        assert (ledger.undecided(), ledger.check()) == ([], [])

    @pytest.mark.parametrize(("said", "what"), [(1, "joined"), ("new", "existing"), ("skip", "skipped")])
    def test_what_waits_can_be_decided_by_the_next_import(self, ledger: Ledger, said: Any, what: str) -> None:
        typed(ledger, "Lunch")
        told(ledger, REWE)
        plan = a_plan(REWE)
        assert ledger.import_statement(plan, dry_run=True).verdicts[0].candidates == (1,)
        assert whats(ledger.import_statement(plan, dry_run=True, decisions={2: said})) == [what]
        assert whats(ledger.import_statement(plan, decisions={2: said})) == [what]
        assert (ledger.undecided(), ledger.check()) == ([], [])

    @pytest.mark.parametrize(
        ("decisions", "field"),
        [({9: "new"}, "decisions.9"), ({2: 77}, "decisions.2"), ({2: "old"}, "decisions.2")],
    )
    def test_decision_about_nothing_is_refused(
        self, ledger: Ledger, decisions: dict[int, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            ledger.import_statement(a_plan(REWE), decisions=decisions)
        assert [each.field for each in refused.value.errors] == [field]
        assert ledger.imports() == []

    def test_pairs_are_made_anew_if_one_more_finds_one(self, address: str) -> None:
        """Whatever the order: the cinema of the 18th can only be the row of the 20th, that of the 20th both."""
        entries = [("Cinema", "2026-11-20"), ("Cinema", "2026-11-18")]
        rows = [shop(20, "CINEMA", "12.50"), shop(25, "CINEMA", "12.50")]
        for number, acts in enumerate(itertools.permutations([*entries, *rows])):
            other = Ledger(sibling(address, f"{number}"))
            for act in acts:
                if len(act) == 2:
                    other.record(an_expense(description=act[0], date=act[1]))
                else:
                    other.import_statement(a_plan(act))
            assert (other.search().count, other.undecided(), other.check()) == (2, [], []), acts

    def test_split_payment_counts_as_its_whole(self, ledger: Ledger) -> None:
        typed(ledger, "Rewe", "40.99")
        parts = ledger.split(1, [("31.00", "Food"), ("9.99", "Household")], 1)
        assert [(str(part.amount), part.category, part.part_of) for part in parts] == [
            ("31.00", "Food", None),
            ("9.99", "Household", 1),
        ]
        assert told(ledger, shop(21, "REWE", "40.99")) == ["joined"]
        assert money(ledger) == (2, Decimal("40.99"))


class TestOneOfTheBank:
    """Rules 1, 3, 4 and 7: rows with rows."""

    def test_csv_beside_ofx_as_a_multiset(self, ledger: Ledger) -> None:
        rows = [shop(20, "Bus", "2.40"), shop(20, "Bus", "2.40"), REWE]
        assert told(ledger, *rows) == ["created"] * 3
        assert told(ledger, *rows, shop(20, "BUS", "2.40"), header=OTHER) == ["existing"] * 3 + ["created"]
        assert told(ledger, *rows, header=OTHER) == ["existing"] * 3

    def test_references_there_and_then_not(self, ledger: Ledger) -> None:
        rows = [shop(20, "Bus", "2.40", "R1"), shop(20, "Bus", "2.40", "R2")]
        told(ledger, *rows, header=IDS)
        assert told(ledger, *(row[:3] for row in rows)) == ["existing"] * 2
        assert told(ledger, *rows, header=IDS) == ["existing"] * 2

    def test_ids_that_change_with_each_download(self, ledger: Ledger) -> None:
        rows = [shop(day, f"Shop {day}", "2.40") for day in (20, 21, 22)]
        told(ledger, *((*row, f"A{row[0]}") for row in rows), header=IDS)
        more = [*((*row, f"B{row[0]}") for row in rows), shop(23, "Shop 23", "2.40", "B4")]
        assert told(ledger, *more, header=IDS) == ["existing"] * 3 + ["created"]

    def test_two_references_are_two_payments_where_references_are_known(self, ledger: Ledger) -> None:
        told(ledger, shop(20, "Bus", "2.40", "R1"), shop(21, "Tea", "3.00", "R2"), header=IDS)
        more = [shop(20, "Bus", "2.40", "R1"), shop(20, "Bus", "2.40", "R3"), shop(21, "Tea", "3.00", "R2")]
        assert told(ledger, *more, header=IDS) == ["existing", "created", "existing"]

    def test_reference_that_is_used_again_next_month(self, ledger: Ledger) -> None:
        told(ledger, shop(1, "Netflix", "9.99", "1"), header=IDS)
        assert told(ledger, ("2026-12-01", "Netflix", "9.99", "1"), header=IDS) == ["created"]

    def test_references_that_begin_anew_in_each_file(self, ledger: Ledger) -> None:
        folder = CASES / "overlaps"
        if not folder.exists():
            pytest.skip("no folder of small statements on this machine")
        for name in ("overlap-S8-october.ofx", "overlap-S8-november.ofx", "overlap-S8-november.ofx"):
            ledger.import_statement(statements.read(folder / name, account="Giro"))
        assert (ledger.search().count, ledger.undecided()) == (6, [])

    def test_copies_of_one_line_count_once(self, ledger: Ledger) -> None:
        rows = [shop(day, "Bus", "2.40", f"R{day}") for day in range(1, 20)]
        assert told(ledger, *rows, rows[0], header=IDS) == ["created"] * 19 + ["existing"]

    def test_purchase_and_its_fee_with_one_reference(self, ledger: Ledger) -> None:
        rows = [shop(2, "Hotel", "80.00", "R1"), shop(2, "Foreign fee", "1.20", "R1")]
        assert told(ledger, *rows, header=IDS, references=True) == ["created", "created"]
        assert told(ledger, *rows, header=IDS, references=True) == ["existing", "existing"]

    def test_pending_then_posted(self, ledger: Ledger) -> None:
        around = [shop(18, "X", "1.00"), shop(25, "Y", "2.00")]
        told(ledger, *around, shop(20, "PENDING - COFFEE BAR", "3.00"))
        posted = [*around, shop(22, "COFFEE BAR 0042 SEATTLE", "3.00")]
        assert told(ledger, *posted) == ["existing", "existing", "joined"]
        assert told(ledger, *posted) == ["existing"] * 3
        assert money(ledger) == (3, Decimal("6.00"))

    def test_what_the_bank_made_of_a_row_waits_if_it_is_not_alike(self, ledger: Ledger) -> None:
        around = [shop(18, "X", "1.00"), shop(25, "Y", "2.00")]
        told(ledger, *around, shop(20, "Reserved", "3.00"))
        assert told(ledger, *around, shop(22, "COFFEE BAR", "3.00")) == ["existing", "existing", "held"]
        (held,) = ledger.undecided()
        ledger.decide(held.id, held.candidates[0])
        assert money(ledger) == (3, Decimal("6.00"))

    def test_a_daily_bus_ticket_stays_new(self, ledger: Ledger) -> None:
        assert told(ledger, *(shop(day, "Bus", "2.40") for day in (1, 2, 3))) == ["created"] * 3
        assert told(ledger, *(shop(day, "Bus", "2.40") for day in (4, 5, 6))) == ["created"] * 3

    def test_spelled_otherwise_just_before_the_file_waits(self, ledger: Ledger) -> None:
        told(ledger, shop(3, "PENDING COFFEE BAR", "3.00"))
        assert told(ledger, shop(5, "COFFEE BAR", "3.00")) == ["held"]

    def test_known_reference_with_another_amount(self, ledger: Ledger) -> None:
        told(ledger, shop(20, "Trattoria", "50.00", "R1"), header=IDS)
        tip = shop(21, "TRATTORIA", "58.00", "R1")
        assert told(ledger, tip, header=IDS) == ["changed"]
        assert money(ledger) == (1, Decimal("50.00"))
        (held,) = ledger.undecided()
        assert (held.candidates, held.amount) == ((1,), Decimal("58.00"))
        ledger.decide(held.id, 1)
        assert money(ledger) == (1, Decimal("58.00"))
        assert told(ledger, tip, header=IDS) == ["existing"]

    def test_account_is_one_whatever_its_case(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        assert told(ledger, REWE, account="gIRO") == ["existing"]

    def test_two_accounts_are_two(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        assert told(ledger, REWE, account="Visa") == ["created"]

    @pytest.mark.parametrize(("first", "second"), [("", "Giro"), ("Giro", "")])
    def test_equal_row_of_an_unknown_account_waits(self, ledger: Ledger, first: str, second: str) -> None:
        told(ledger, REWE, account=first)
        assert told(ledger, REWE, account=second) == ["held"]

    def test_equal_rows_of_two_layouts_of_which_no_account_is_known_wait(self, ledger: Ledger) -> None:
        told(ledger, REWE, account="")
        assert told(ledger, REWE, account="", header=OTHER) == ["held"]
        assert told(ledger, REWE, account="") == ["existing"]

    def test_rule_that_leaves_rows_out(self, ledger: Ledger) -> None:
        ledger.add_rule("card payment", skip=True)
        done = ledger.import_statement(a_plan(shop(20, "CARD PAYMENT THANK YOU", "100.00"), REWE))
        assert whats(done) == ["skipped", "created"]
        assert "card payment" in done.verdicts[0].why
        (change,) = ledger.changes()
        assert (change.change, change.rule, change.expense_id) == ("rule", "card payment", None)
        ledger.undo(change.number)
        assert ledger.rules() == []

    def test_rules_are_renamed_with_their_category(self, ledger: Ledger) -> None:
        typed(ledger, category="Fod")
        ledger.add_rule("rewe", "Fod")
        ledger.rename_category("fod", "Food")
        assert [rule.category for rule in ledger.rules()] == ["Food"]
        ledger.undo(ledger.changes()[0].number)
        assert [rule.category for rule in ledger.rules()] == ["Fod"]

    def test_ids_of_rules_are_never_used_again(self, ledger: Ledger) -> None:
        first = ledger.add_rule("a", "A").id
        ledger.delete_rule(first)
        assert ledger.add_rule("b", "B").id != first

    def test_undo_of_an_import_leaves_what_another_lists(self, ledger: Ledger) -> None:
        told(ledger, shop(20, "A", "1.00"), shop(21, "B", "2.00"))
        told(ledger, shop(21, "B", "2.00"), shop(22, "C", "3.00"))
        assert ledger.undo_import(1).undone == (1,)
        assert money(ledger) == (2, Decimal("5.00"))
        assert ledger.undo_import(2).undone == (2, 3)
        assert (money(ledger), ledger.check()) == ((0, Decimal(0)), [])

    def test_undo_of_an_import_leaves_what_another_source_tells_of(self, ledger: Ledger) -> None:
        told(ledger, REWE)
        assert told(ledger, REWE, header=OTHER) == ["existing"]
        assert ledger.undo_import(1).undone == ()
        assert money(ledger) == (1, Decimal("12.50"))
        assert (ledger.undo_import(2).undone, ledger.check()) == ((1,), [])

    def test_undone_row_of_one_of_two_sources_comes_back_to_its_expense(self, ledger: Ledger) -> None:
        typed(ledger)
        assert told(ledger, REWE) == ["joined"]
        assert told(ledger, REWE, header=OTHER) == ["existing"]
        ledger.undo_import(2)
        assert told(ledger, REWE, header=OTHER) == ["joined"]
        assert (money(ledger), ledger.check()) == ((1, Decimal("12.50")), [])

    def test_undo_of_an_import_leaves_what_a_person_told_of(self, ledger: Ledger) -> None:
        person = typed(ledger)
        told(ledger, REWE, shop(22, "Kiosk", "3.00"))
        ledger.record(an_expense(description="Kiosk", amount="3.00", date="2026-11-22"))
        assert ledger.undo_import(1).undone == ()
        assert ledger.get(person).account is None
        assert (money(ledger), ledger.check()) == ((2, Decimal("15.50")), [])


class TestMerge:
    def test_keys_lead_to_the_survivor(self, ledger: Ledger) -> None:
        one, other = typed(ledger, "A"), typed(ledger, "B")
        ledger.merge(other, one)
        receipt = ledger.record(an_expense(description="B", date="2026-11-20"))
        assert (receipt.created, receipt.expense.id, receipt.differs) == (False, one, ("description",))
        with pytest.raises(ExpenseMerged) as refused:
            ledger.restore(other)
        assert refused.value.into == one
        assert ledger.merge(other, one).id == one  # again
        undone = ledger.undo(refused.value.number)
        assert (ledger.search().count, ledger.check()) == (2, [])
        ledger.undo(undone.number or 0)
        assert (ledger.search().count, ledger.check()) == (1, [])
        with pytest.raises(ExpenseMerged):
            ledger.get(other)

    @pytest.mark.parametrize(("said", "count"), [(1, 1), ("new", 2), ("skip", 1)])
    def test_pair_that_both_count_is_listed_and_decided(self, ledger: Ledger, said: Any, count: int) -> None:
        told(ledger, REWE)
        later = typed(ledger, occurrence=2)  # said to be another one, so it was not matched
        (pair,) = ledger.undecided()
        assert (pair.kind, pair.id, pair.candidates) == ("pair", later, (1,))
        number = ledger.decide(pair.id, said)
        assert (ledger.undecided(), ledger.search().count, ledger.check()) == ([], count, [])
        assert told(ledger, REWE) == ["existing"]
        ledger.undo(number or 0)
        assert ledger.check() == []
        if said == "skip":  # it is back, and taken for the bank's
            assert (ledger.undecided(), ledger.search().count) == ([], 1)
        else:
            assert ([each.id for each in ledger.undecided()], ledger.search().count) == ([later], 2)

    def test_undo_on_which_a_later_change_builds_is_refused(self, ledger: Ledger) -> None:
        one, other, third = typed(ledger, "A"), typed(ledger, "B"), typed(ledger, "C", account="Giro")
        told(ledger, shop(21, "C", "12.50"))
        ledger.merge(third, other)
        number = ledger.changes()[0].number
        ledger.merge(other, one)
        with pytest.raises(BuiltUpon) as refused:
            ledger.undo(number)
        assert refused.value.later == ledger.changes()[0].number

    def test_expense_is_not_merged_into_itself(self, ledger: Ledger) -> None:
        typed(ledger)
        with pytest.raises(InvalidInput):
            ledger.merge(1, 1)


class TestSplit:
    def test_parts_add_up(self, ledger: Ledger) -> None:
        typed(ledger, "Rewe", "40.99")
        with pytest.raises(InvalidInput, match=r"0\.99"):
            ledger.split(1, [("31.00", "Food"), ("9.00", "Household")])
        ledger.split(1, [("31.00", "Food"), ("9.99", "Household")], 1)
        again = ledger.split(1, [("31.00", "food"), ("9.99", "Household")], 1)  # its answer was lost
        assert [part.id for part in again] == [1, 2]
        with pytest.raises(StaleVersion):
            ledger.split(1, [("40.98", "Food"), ("0.01", "Household")], 1)
        assert (money(ledger), ledger.check()) == ((2, Decimal("40.99")), [])

    def test_undo_makes_it_whole(self, ledger: Ledger) -> None:
        typed(ledger, "Rewe", "40.99")
        ledger.split(1, [("31.00", "Food"), ("9.99", "Household")])
        number = ledger.changes()[0].number
        ledger.undo(number)
        assert [(each.id, str(each.amount), each.category) for each in ledger.search().items] == [
            (1, "40.99", "Food")
        ]
        with pytest.raises(ExpenseMerged):
            ledger.restore(2)
        ledger.undo(ledger.changes()[0].number)
        assert (money(ledger), ledger.check()) == ((2, Decimal("40.99")), [])

    def test_undo_is_done_once(self, ledger: Ledger) -> None:
        typed(ledger, "Rewe", "40.99")
        parts = [("31.00", "Food"), ("9.99", "Household")]
        ledger.split(1, parts)
        number = ledger.changes()[0].number
        ledger.undo(number)
        ledger.split(1, parts)
        assert ledger.undo(number).number is None
        assert (money(ledger), ledger.check()) == ((2, Decimal("40.99")), [])

    def test_split_on_which_another_builds_is_not_undone(self, ledger: Ledger) -> None:
        typed(ledger, "Rewe", "40.99")
        ledger.split(1, [("31.00", "Food"), ("9.99", "Household")])
        number = ledger.changes()[0].number
        ledger.split(1, [("30.00", "Food"), ("10.99", "Household")])
        with pytest.raises(ChangedSince):
            ledger.undo(number)
        assert (money(ledger), ledger.check()) == ((2, Decimal("40.99")), [])

    def test_it_is_deleted_and_restored_whole(self, ledger: Ledger) -> None:
        typed(ledger, "Rewe", "40.99")
        ledger.split(1, [("31.00", "Food"), ("9.99", "Household")])
        ledger.delete(2)
        assert ledger.search().count == 0
        ledger.restore(1)
        assert (money(ledger), ledger.check()) == ((2, Decimal("40.99")), [])

    @pytest.mark.parametrize("field", ["amount", "date"])
    def test_amount_and_day_of_a_part_are_altered_by_splitting_again(
        self, ledger: Ledger, field: str
    ) -> None:
        typed(ledger, "Rewe", "40.99")
        ledger.split(1, [("31.00", "Food"), ("9.99", "Household")])
        for part in (1, 2):
            with pytest.raises(InvalidInput):
                ledger.amend(part, {field: "1.00" if field == "amount" else "2026-11-01"}, None)
        ledger.split(1, [("30.99", "Food"), ("5.00", "Household"), ("5.00", "Fun")])
        assert (money(ledger), ledger.check()) == ((3, Decimal("40.99")), [])
