"""One payment, whoever says it: each rule by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from expense_lib import (
    BuiltUpon,
    ExpenseDeleted,
    ExpenseFilter,
    ExpenseHeld,
    ExpenseMerged,
    InvalidInput,
    Ledger,
    NotUndecided,
    Receipt,
)
from tests.builders import an_expense
from tests.statement_files import a_csv, an_ofx, bring, november, owners, whats


def enter(
    ledger: Ledger, day: int, text: str, amount: str = "12.50", key: str | None = None, **more: Any
) -> Receipt:
    """Record what a person says of a payment of November 2026."""
    return ledger.record(
        an_expense(date=f"2026-11-{day:02}", description=text, amount=amount, **more), idempotency_key=key
    )


def total(ledger: Ledger) -> tuple[int, str]:
    """How many live expenses there are, and what they come to; the ledger is sound."""
    assert ledger.check() == []
    page = ledger.search()
    return page.count, str(page.total)


def waiting(ledger: Ledger) -> list[tuple[int, str, tuple[int, ...]]]:
    """What is undecided: id, kind and candidates."""
    return [(each.id, each.kind, each.candidates) for each in ledger.undecided()]


# 1: known


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (november(10, "Quite other words", "12.50", "R1"), "existing"),
        (november(13, "LIDL SAGT DANKE 4711", "12.50", "R1"), "existing"),
        (november(20, "Lidl", "12.50", "R1"), "existing"),
        (november(13, "Cinema", "12.50", "R1"), "created"),
        (november(21, "Lidl", "12.50", "R1"), "created"),
    ],
    ids=["same day", "near and alike", "ten days and alike", "near and not alike", "next month"],
)
def test_1_trusted_reference_and_near_content_is_known(ledger: Ledger, line: Any, what: str) -> None:
    zoo = november(13, "Zoo", "8.00", "R0")
    assert bring(ledger, a_csv(november(10, "Lidl", "12.50", "R1"), zoo)) == ["created"] * 2
    assert bring(ledger, a_csv(line, zoo)) == [what, "existing"]


def test_1_account_content_and_count_are_known(ledger: Ledger) -> None:
    lidl = november(10, "Lidl")
    assert bring(ledger, a_csv(lidl), a_csv(lidl, lidl)) == ["existing", "created"]
    assert bring(ledger, a_csv(lidl, lidl, lidl)) == ["existing", "existing", "created"]
    assert bring(ledger, a_csv(november(10, "LIDL"))) == ["existing"]


@pytest.mark.parametrize("first", [0, 1], ids=["references first", "references later"])
def test_1_content_is_known_where_one_has_no_reference(ledger: Ledger, first: int) -> None:
    plans = [a_csv(november(10, "Lidl", "12.50", "R1")), a_csv(november(10, "Lidl"))]
    assert bring(ledger, plans[first], plans[1 - first]) == ["existing"]


def test_1_content_of_another_trusted_reference_is_another_payment(ledger: Ledger) -> None:
    lidl = november(10, "Lidl", "12.50", "R1")
    bring(ledger, a_csv(lidl))
    assert bring(ledger, a_csv(november(10, "Lidl", "12.50", "R2"), lidl)) == ["created", "existing"]


def test_1_known_and_deleted_stays_so(ledger: Ledger) -> None:
    plan = a_csv(november(10, "Lidl", "12.50", "R1"))
    (expense_id,) = owners(ledger.import_statement(plan))
    ledger.delete(expense_id)
    assert bring(ledger, plan) == ["deleted"]
    assert bring(ledger, an_ofx(november(10, "Lidl"))) == ["deleted"]
    assert total(ledger) == (0, "0.00")


# 2: skipped


def test_2_rule_zero_currency_and_credit_are_skipped_with_the_reason(ledger: Ledger) -> None:
    ledger.add_rule("card payment", skip=True)
    done = ledger.import_statement(
        a_csv(
            november(10, "CARD PAYMENT"), november(10, "Nothing", "0.00"), november(10, "Salary", "-900.00")
        )
    )
    assert whats(done) == ["skipped"] * 3
    assert all(verdict.why for verdict in done.verdicts)
    plan = an_ofx(november(10, "Lidl"))
    plan.rows.currencies[0] = "EUR"
    assert bring(ledger, plan) == ["skipped"]
    refund = a_csv(november(12, "Zalando", "-9.00"), november(12, "Lidl", "5.00"), credits="refund")
    assert bring(ledger, refund) == ["created", "created"]


def test_2_known_row_is_known_before_a_rule_leaves_it_out(ledger: Ledger) -> None:
    plan = a_csv(november(10, "Card payment"))
    bring(ledger, plan)
    ledger.add_rule("card payment", skip=True)
    assert bring(ledger, plan) == ["existing"]


# 3: another source's row


@pytest.mark.parametrize("first", [0, 1], ids=["CSV first", "OFX first"])
def test_3_equal_row_of_another_source_is_the_same_and_its_identity_is_kept(
    ledger: Ledger, first: int
) -> None:
    plans = [a_csv(november(10, "Lidl")), an_ofx(november(10, "LIDL", "12.50", "F1"))]
    (expense_id,) = owners(ledger.import_statement(plans[first]))
    done = ledger.import_statement(plans[1 - first])
    assert (whats(done), owners(done)) == (["existing"], [expense_id])
    assert bring(ledger, an_ofx(november(12, "Lidl markt", "12.50", "F1"))) == ["existing"]
    assert total(ledger) == (1, "12.50")


def test_3_two_in_each_of_two_sources_are_two(ledger: Ledger) -> None:
    lidl = november(10, "Lidl")
    bring(ledger, a_csv(lidl, lidl))
    assert bring(ledger, an_ofx(lidl, lidl)) == ["existing", "existing"]
    assert bring(ledger, a_csv(lidl, lidl, lidl, layout="three")) == ["existing", "existing", "created"]


def test_3_equal_row_of_another_account_is_another_payment(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(10, "Lidl")))
    assert bring(ledger, an_ofx(november(10, "Lidl"), account="Visa")) == ["created"]


def test_3_other_references_are_the_same_where_all_days_pair_by_content(ledger: Ledger) -> None:
    def lines(mark: str) -> list[Any]:
        return [november(9 + n // 2, f"Shop {'abcd'[n]}", "12.50", f"{mark}{n}") for n in range(4)]

    bring(ledger, a_csv(*lines("R")))
    assert bring(ledger, an_ofx(*lines("F"))) == ["existing"] * 4


def test_3_other_references_are_others_where_a_day_does_not_pair(ledger: Ledger) -> None:
    lidl, kino = november(10, "Lidl", "12.50", "R1"), november(10, "Kino", "8.00", "R2")
    bring(ledger, a_csv(lidl, kino, account=""))
    assert bring(ledger, a_csv(november(10, "Lidl", "12.50", "F1"), account="")) == ["created"]


def test_3_other_references_are_others_where_a_row_is_known_by_its_reference(ledger: Ledger) -> None:
    lidl, kino = november(10, "Lidl", "12.50", "R1"), november(10, "Kino", "8.00", "R2")
    bring(ledger, a_csv(lidl, kino, account=""))
    assert bring(ledger, a_csv(november(10, "Lidl", "12.50", "R3"), kino, account="")) == [
        "created",
        "existing",
    ]


def test_3_ids_that_change_with_each_download_are_known_by_content(ledger: Ledger) -> None:
    def download(mark: str, *days: int) -> Any:
        return a_csv(*(november(day, "Bus", "2.40", f"{mark}{day}") for day in days))

    bring(ledger, download("a", 9, 10, 11))
    assert bring(ledger, download("b", 10, 11, 12)) == ["existing", "existing", "created"]
    assert bring(ledger, download("c", 9, 10, 11, 12)) == ["existing"] * 4


def test_3_references_that_begin_at_1_in_each_file_are_no_evidence(ledger: Ledger) -> None:
    bring(ledger, a_csv(*(november(day, f"Shop {day}", f"{day}.00", str(day)) for day in range(1, 6))))
    december = a_csv(
        *((f"2026-12-{day:02}", f"Shop {day}", f"{day + 20}.00", str(day)) for day in range(1, 6))
    )
    assert bring(ledger, december) == ["created"] * 5
    assert bring(ledger, december) == ["existing"] * 5


# 4: the bank told of it otherwise


KINO = november(8, "Kino", "8.00")
ZOO = november(20, "Zoo", "20.00")


def test_4_posted_row_joins_its_pending_one_if_alike(ledger: Ledger) -> None:
    (_, lidl, _) = owners(ledger.import_statement(a_csv(KINO, november(10, "PENDING LIDL"), ZOO)))
    done = ledger.import_statement(a_csv(KINO, november(12, "Lidl Berlin 4711"), ZOO))
    assert (whats(done), owners(done)[1]) == (["existing", "joined", "existing"], lidl)
    assert bring(ledger, a_csv(KINO, november(12, "Lidl Berlin 4711"), ZOO)) == ["existing"] * 3
    assert total(ledger) == (3, "40.50")


def test_4_posted_row_of_other_words_is_held(ledger: Ledger) -> None:
    (_, lidl, _) = owners(ledger.import_statement(a_csv(KINO, november(10, "Lidl"), ZOO)))
    done = ledger.import_statement(a_csv(KINO, november(12, "Bananas"), ZOO))
    assert whats(done) == ["existing", "held", "existing"]
    assert done.verdicts[1].candidates == (lidl,)
    assert waiting(ledger) == [(owners(done)[1], "row", (lidl,))]
    ledger.decide(owners(done)[1], same_as=lidl)
    assert bring(ledger, a_csv(KINO, november(12, "Bananas"), ZOO)) == ["existing"] * 3
    assert total(ledger) == (3, "40.50")


def test_4_row_that_is_in_the_file_too_is_another_payment(ledger: Ledger) -> None:
    bring(ledger, a_csv(KINO, november(10, "Lidl"), ZOO))
    done = bring(ledger, a_csv(KINO, november(10, "Lidl"), november(12, "Lidl Berlin"), ZOO))
    assert done == ["existing", "existing", "created", "existing"]


def test_4_nearest_day_is_joined_first(ledger: Ledger) -> None:
    first = owners(ledger.import_statement(a_csv(KINO, november(10, "Lidl"), november(13, "Lidl"), ZOO)))
    done = ledger.import_statement(a_csv(KINO, november(14, "Lidl Berlin"), ZOO))
    assert (whats(done)[1], owners(done)[1]) == ("joined", first[2])


def test_4_is_for_named_accounts_only(ledger: Ledger) -> None:
    bring(ledger, a_csv(KINO, november(10, "Pending Lidl"), ZOO, account=""))
    assert bring(ledger, a_csv(KINO, november(12, "Lidl Berlin"), ZOO, account="")) == [
        "existing",
        "created",
        "existing",
    ]


def test_4_row_six_days_later_is_another_payment(ledger: Ledger) -> None:
    bring(ledger, a_csv(KINO, november(10, "Pending Lidl"), ZOO))
    assert bring(ledger, a_csv(KINO, november(16, "Lidl Berlin"), ZOO))[1] == "created"


@pytest.mark.parametrize(
    ("text", "what"),
    [("Lidl Berlin", "held"), ("Lidl", "created"), ("Bananas", "created")],
    ids=["alike and spelled otherwise", "spelled equally", "not alike"],
)
def test_4_row_from_before_the_file(ledger: Ledger, text: str, what: str) -> None:
    bring(ledger, a_csv(november(10, "Lidl")))
    assert bring(ledger, a_csv(november(12, text), ZOO)) == [what, "created"]


def test_4_daily_bus_ticket_stays_new(ledger: Ledger) -> None:
    for week in ((2, 3, 4), (5, 6, 9), (10, 11, 12)):
        assert bring(ledger, a_csv(*(november(day, "Bus ticket", "2.40") for day in week))) == ["created"] * 3
    assert total(ledger) == (9, "21.60")


# 5: a person told of it


@pytest.mark.parametrize(
    ("day", "what"), [(4, "created"), (5, "joined"), (10, "joined"), (11, "joined"), (12, "created")]
)
def test_5_expense_from_5_days_before_to_1_day_after_is_joined(ledger: Ledger, day: int, what: str) -> None:
    enter(ledger, day, "Lidl")
    assert bring(ledger, a_csv(november(10, "LIDL BERLIN"))) == [what]


def test_5_joining_keeps_the_persons_fields_and_takes_the_account(ledger: Ledger) -> None:
    mine = enter(ledger, 9, "Lidl", category="Groceries", note="party", tags=["home"]).expense
    bring(ledger, a_csv(november(10, "LIDL SAGT DANKE")))
    now = ledger.get(mine.id)
    assert now.account == "Giro"
    names = ("amount", "category", "description", "date", "note", "tags")
    assert all(getattr(now, name) == getattr(mine, name) for name in names)


@pytest.mark.parametrize(("account", "what"), [(None, "joined"), ("giro", "joined"), ("Cash", "created")])
def test_5_expense_is_of_no_account_or_the_rows(ledger: Ledger, account: str | None, what: str) -> None:
    enter(ledger, 10, "Lidl", account=account)
    assert bring(ledger, a_csv(november(10, "Lidl markt"))) == [what]


def test_5_both_name_the_same_account_is_certain_whatever_the_words(ledger: Ledger) -> None:
    enter(ledger, 10, "Fruit", account="Giro")
    assert bring(ledger, a_csv(november(10, "LIDL"))) == ["joined"]


def test_5_other_words_and_no_account_are_held(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Fruit").expense
    done = ledger.import_statement(a_csv(november(10, "LIDL")))
    assert (whats(done), done.verdicts[0].candidates) == (["held"], (mine.id,))
    assert total(ledger) == (1, "12.50")


def test_5_split_payment_counts_as_its_whole(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl", "12.50").expense
    ledger.split(mine.id, [("10.00", "Food"), ("2.50", "Home")], version=1)
    assert bring(ledger, a_csv(november(10, "Lidl markt", "10.00"))) == ["created"]
    done = ledger.import_statement(a_csv(november(11, "Lidl markt", "12.50")))
    assert (whats(done), owners(done)) == (["joined"], [mine.id])
    assert total(ledger) == (3, "22.50")


def test_5_expense_takes_one_row_of_each_source(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl").expense
    assert bring(ledger, a_csv(november(10, "Lidl markt"), november(10, "Lidl markt"))) == [
        "joined",
        "created",
    ]
    done = ledger.import_statement(an_ofx(november(10, "Lidl markt", "12.50", "F1")))
    assert (whats(done), owners(done)) == (["existing"], [mine.id])


# 6, 7 and 8


def test_6_amount_of_an_earlier_version_with_equal_text_is_held(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl").expense
    ledger.amend(mine.id, {"amount": "13.00"}, 1)
    assert bring(ledger, a_csv(november(10, "Lidl markt"), account="Visa")) == ["created"]
    done = ledger.import_statement(a_csv(november(11, "LIDL")))
    assert (whats(done), done.verdicts[0].candidates) == (["held"], (mine.id,))


def test_7_known_reference_with_another_amount_is_held_with_the_banks_values(ledger: Ledger) -> None:
    kino = november(10, "Kino", "8.00", "R0")
    (lunch, _) = owners(ledger.import_statement(a_csv(november(10, "Bistro", "12.50", "R1"), kino)))
    done = ledger.import_statement(a_csv(november(12, "BISTRO", "14.00", "R1"), kino))
    assert whats(done) == ["changed", "existing"]
    assert (str(ledger.get(lunch).amount), total(ledger)) == ("12.50", (2, "20.50"))
    ((held, kind, candidates),) = waiting(ledger)
    assert (kind, candidates) == ("row", (lunch,))
    ledger.decide(held, same_as=lunch)
    assert (str(ledger.get(lunch).amount), total(ledger)) == ("14.00", (2, "22.00"))
    assert bring(ledger, a_csv(november(12, "BISTRO", "14.00", "R1"), kino)) == ["existing", "existing"]


def test_7_keep_amount_leaves_the_amount(ledger: Ledger) -> None:
    kino = november(10, "Kino", "8.00", "R0")
    (lunch, _) = owners(ledger.import_statement(a_csv(november(10, "Bistro", "12.50", "R1"), kino)))
    ledger.import_statement(a_csv(november(12, "BISTRO", "14.00", "R1"), kino))
    ((held, _, _),) = waiting(ledger)
    ledger.decide(held, same_as=lunch, keep_amount=True)
    assert (str(ledger.get(lunch).amount), total(ledger)) == ("12.50", (2, "20.50"))
    assert bring(ledger, a_csv(november(12, "BISTRO", "14.00", "R1"), kino)) == ["existing", "existing"]


@pytest.mark.parametrize(
    ("line", "why"),
    [(november(21, "Bistro", "14.00", "R1"), "far"), (november(12, "Cinema", "14.00", "R1"), "not alike")],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_7_needs_a_near_day_and_a_text_alike(ledger: Ledger, line: Any, why: str) -> None:
    kino = november(10, "Kino", "8.00", "R0")
    zoo = november(11, "Zoo", "9.00", "R2")
    bring(ledger, a_csv(november(10, "Bistro", "12.50", "R1"), kino, zoo))
    assert bring(ledger, a_csv(line, kino, zoo))[0] == "created", why


def test_8_equal_content_takes_the_next_free_occurrence(ledger: Ledger) -> None:
    enter(ledger, 10, "Lidl", category="Uncategorised", account="Cash")
    done = ledger.import_statement(a_csv(november(10, "Lidl")))
    assert whats(done) == ["created"]
    assert ledger.get(owners(done)[0]).occurrence == 2


def test_8_reference_used_again_next_month_is_created(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(10, "Rent", "900.00", "42"), november(11, "Kino", "8.00", "43")))
    december = a_csv(("2026-12-10", "Rent", "900.00", "42"), november(11, "Kino", "8.00", "43"))
    assert bring(ledger, december) == ["created", "existing"]


def test_copies_of_one_line_count_once(ledger: Ledger) -> None:
    lidl = november(10, "Lidl", "12.50", "R1")
    assert bring(ledger, a_csv(lidl, november(11, "Kino", "8.00", "R2"), lidl)) == [
        "created",
        "created",
        "existing",
    ]
    assert total(ledger) == (2, "20.50")


def test_reference_that_collides_identifies_with_its_content(ledger: Ledger) -> None:
    lines = [november(10, "Lidl", "12.50", "R1"), november(10, "Kino", "8.00", "R1")]
    assert bring(ledger, a_csv(*lines)) == ["created", "created"]
    assert bring(ledger, a_csv(*reversed(lines))) == ["existing", "existing"]


def test_rows_are_compared_as_the_bank_told_them(ledger: Ledger) -> None:
    plan = a_csv(november(10, "LIDL 4711"))
    (expense_id,) = owners(ledger.import_statement(plan))
    ledger.amend(
        expense_id, {"description": "Fruit", "amount": "13.00", "date": "2026-11-08", "account": "Visa"}, 1
    )
    assert bring(ledger, plan) == ["existing"]
    assert bring(ledger, an_ofx(november(10, "LIDL 4711", "12.50", "F1"))) == ["existing"]
    assert total(ledger) == (1, "13.00")


def test_typed_expense_is_compared_with_what_the_person_sent(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl").expense
    ledger.amend(mine.id, {"description": "Fruit"}, 1)
    assert bring(ledger, a_csv(november(10, "LIDL 4711"))) == ["joined"]


# Alike


@pytest.mark.parametrize(
    ("typed", "text", "is_alike"),
    [
        ("Lidl fruit", "LIDL SAGT DANKE BERLIN", True),
        ("Aldi", "ALDI 4711", True),
        ("Spa", "HOTEL SPAR", False),
        ("KFC", "KFC STORE 12 BERLIN", True),
        ("Star", "STARBUCKS", True),
        ("Sta", "STARBUCKS", False),
        ("Resataurant", "RESTAURANT ADA", True),
        ("Retsaurant", "RESTAURANT ADA", True),
        ("Restoront", "RESTAURANT ADA", False),
        ("Café Müller", "CAFE MUELLER", True),
        ("Caffè", "CAFFE 99", True),
        ("Fruit", "LIDL", False),
        ("Payment card", "PAYMENT CARD", True),
        ("Payment to Ada", "PAYMENT TO BOB", False),
    ],
)
def test_texts_are_alike_by_words(ledger: Ledger, typed: str, text: str, is_alike: bool) -> None:
    enter(ledger, 10, typed)
    assert bring(ledger, a_csv(november(10, text))) == ["joined" if is_alike else "held"]


def test_several_alike_candidates_are_no_doubt(ledger: Ledger) -> None:
    first, second = (enter(ledger, day, "Lidl").expense.id for day in (9, 10))
    done = ledger.import_statement(a_csv(november(10, "LIDL 1"), november(11, "LIDL 2")))
    assert (whats(done), owners(done)) == (["joined", "joined"], [first, second])


def test_alike_pairs_join_first_the_best_likeness_first(ledger: Ledger) -> None:
    lidl = enter(ledger, 10, "Lidl Berlin", account="Giro").expense.id
    zoo = enter(ledger, 9, "Zoo", account="Giro").expense.id
    done = ledger.import_statement(a_csv(november(10, "LIDL BERLIN"), november(10, "TIERPARK")))
    assert owners(done) == [lidl, zoo]


def test_undecided_joins_are_paired_anew_if_one_more_finds_a_partner(ledger: Ledger) -> None:
    early, late = (enter(ledger, day, "Lidl").expense.id for day in (7, 10))
    newest = ledger.import_statement(a_csv(november(12, "Lidl 2")))
    assert owners(newest) == [early]
    done = ledger.import_statement(a_csv(november(8, "Lidl 1")))
    assert whats(done) == ["joined"]
    assert owners(ledger.import_statement(a_csv(november(12, "Lidl 2")))) == [late]
    assert total(ledger) == (2, "25.00")


# Held


def held_fruit(ledger: Ledger) -> tuple[int, int]:
    """A typed expense, and a row that may be it."""
    mine = enter(ledger, 10, "Fruit").expense.id
    done = ledger.import_statement(a_csv(november(11, "LIDL")))
    assert whats(done) == ["held"]
    return mine, owners(done)[0]


def test_held_row_counts_in_no_total_and_waits(ledger: Ledger) -> None:
    mine, held = held_fruit(ledger)
    assert total(ledger) == (1, "12.50")
    assert waiting(ledger) == [(held, "row", (mine,))]
    with pytest.raises(ExpenseHeld):
        ledger.get(held)


def test_held_row_takes_no_expense(ledger: Ledger) -> None:
    mine, held = held_fruit(ledger)
    done = ledger.import_statement(a_csv(november(12, "Fruit shop"), layout="two"))
    assert (whats(done), owners(done)) == (["joined"], [mine])
    assert total(ledger) == (2, "25.00"), "nothing is left that it may be, so it counts"
    assert ledger.get(held).id == held
    assert waiting(ledger) == []


@pytest.mark.parametrize("way", ["delete", "amount", "date", "account"])
def test_held_row_is_released_when_no_candidate_is_left(ledger: Ledger, way: str) -> None:
    mine, _held = held_fruit(ledger)
    if way == "delete":
        ledger.delete(mine)
    else:
        changes = {
            "amount": {"amount": "9.00"},
            "date": {"date": "2026-10-01"},
            "account": {"account": "Cash"},
        }
        ledger.amend(mine, changes[way], 1)
    assert waiting(ledger) == []
    count = 1 if way == "delete" else 2
    assert total(ledger)[0] == count


def test_candidates_are_worked_out_when_listed(ledger: Ledger) -> None:
    mine, held = held_fruit(ledger)
    other = enter(ledger, 9, "Something").expense.id
    assert [(each[0], set(each[2])) for each in waiting(ledger)] == [(held, {mine, other})]
    ledger.delete(mine)
    assert waiting(ledger) == [(held, "row", (other,))]


def test_row_already_held_is_held_again_and_listed_once(ledger: Ledger) -> None:
    _, held = held_fruit(ledger)
    done = ledger.import_statement(a_csv(november(11, "LIDL")))
    assert (whats(done), owners(done)) == (["held"], [held])
    assert bring(ledger, an_ofx(november(11, "Lidl", "12.50", "F1"))) == ["held"]
    assert [each[0] for each in waiting(ledger)] == [held]


@pytest.mark.parametrize(
    ("said", "again", "count"), [("same", "existing", 1), ("new", "existing", 2), ("skip", "skipped", 1)]
)
def test_decision_is_remembered_by_an_overlapping_statement(
    ledger: Ledger, said: str, again: str, count: int
) -> None:
    mine, held = held_fruit(ledger)
    ledger.decide(held, same_as=mine if said == "same" else said)  # type: ignore[arg-type]
    for plan in (a_csv(november(11, "LIDL"), ZOO), an_ofx(november(11, "LIDL", "12.50", "F1"), ZOO)):
        assert bring(ledger, plan)[0] == again
        assert waiting(ledger) == []
    assert total(ledger)[0] == count + 1


@pytest.mark.parametrize(("said", "count"), [("same", 1), ("new", 2), ("skip", 1)])
def test_decision_is_undone_as_one_change(ledger: Ledger, said: str, count: int) -> None:
    mine, held = held_fruit(ledger)
    number = ledger.decide(held, same_as=mine if said == "same" else said)  # type: ignore[arg-type]
    assert number is not None
    assert ledger.decide(held, same_as=mine if said == "same" else said) is None  # type: ignore[arg-type]
    assert total(ledger)[0] == count
    ledger.undo(number)
    assert waiting(ledger) == [(held, "row", (mine,))]
    assert total(ledger) == (1, "12.50")


def test_what_is_the_same_is_learnt_and_waiting_rows_with_it(ledger: Ledger) -> None:
    first, second = (
        enter(ledger, day, "Fruit", amount).expense.id for day, amount in ((10, "5.00"), (12, "6.00"))
    )
    done = ledger.import_statement(a_csv(november(11, "LIDL", "5.00"), november(13, "LIDL", "6.00")))
    one, two = owners(done)
    assert whats(done) == ["held", "held"]
    number = ledger.decide(one, same_as=first)
    assert waiting(ledger) == []
    assert total(ledger) == (2, "11.00")
    assert owners(ledger.import_statement(a_csv(november(13, "LIDL", "6.00")))) == [second]
    enter(ledger, 16, "Fruit", "7.00")
    assert bring(ledger, a_csv(november(16, "LIDL 4711", "7.00"))) == ["joined"]
    assert number is not None
    assert two


def test_what_was_learnt_is_undone_with_the_decision(ledger: Ledger) -> None:
    mine, held = held_fruit(ledger)
    number = ledger.decide(held, same_as=mine)
    assert number is not None
    ledger.undo(number)
    enter(ledger, 20, "Fruit", "7.00")
    assert bring(ledger, a_csv(november(20, "LIDL", "7.00"))) == ["held"]


@pytest.mark.parametrize("keep", [False, True])
def test_same_as_takes_the_banks_amount_unless_it_is_kept(ledger: Ledger, keep: bool) -> None:
    _, held = held_fruit(ledger)
    other = enter(ledger, 10, "Fruit with tip", "14.00").expense.id
    ledger.decide(held, same_as=other, keep_amount=keep)
    assert str(ledger.get(other).amount) == ("14.00" if keep else "12.50")
    assert bring(ledger, a_csv(november(11, "LIDL"))) == ["existing"]


def test_decisions_of_an_import_are_by_the_line_of_the_file(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Fruit", "14.00").expense.id
    lines = november(10, "LIDL", "1.00"), november(10, "ALDI", "12.50"), november(10, "NETTO", "3.00")
    plan = a_csv(*lines)
    done = ledger.import_statement(plan, decisions={2: "new", 3: mine, 4: "skip"})
    assert whats(done) == ["created", "joined", "skipped"]
    assert str(ledger.get(mine).amount) == "12.50"
    assert total(ledger) == (2, "13.50")
    assert bring(ledger, plan) == ["existing", "existing", "skipped"]
    with pytest.raises(InvalidInput, match="99"):
        ledger.import_statement(a_csv(*lines, ZOO), decisions={99: "new"})


def test_new_by_the_line_is_told_apart_from_what_it_may_be(ledger: Ledger) -> None:
    enter(ledger, 10, "Lidl")
    assert whats(ledger.import_statement(a_csv(november(10, "LIDL 1")), decisions={2: "new"})) == ["created"]
    assert waiting(ledger) == []
    assert total(ledger) == (2, "25.00")


def test_what_is_decided_can_not_be_decided_otherwise(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Fruit").expense.id
    with pytest.raises(NotUndecided):
        ledger.decide(mine, same_as="skip")


# The other way round


def test_post_after_the_statement_joins_for_certain(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL 4711"))))
    said = enter(ledger, 9, "Lidl", category="Groceries", note="party", tags=["home"])
    assert (said.created, said.joined, said.expense.id) == (False, True, bank)
    now = ledger.get(bank)
    assert (now.description, now.category, now.date.day, now.note, now.tags) == (
        "Lidl",
        "Groceries",
        9,
        "party",
        ("home",),
    )
    assert (now.account, str(now.amount)) == ("Giro", "12.50")
    again = enter(ledger, 9, "Lidl", category="Groceries", note="party", tags=["home"])
    assert (again.created, again.joined, again.expense.id) == (False, False, bank)
    assert total(ledger) == (1, "12.50")


def test_undoing_that_gives_the_fields_back(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL 4711"))))
    before = ledger.get(bank)
    enter(ledger, 9, "Lidl", category="Groceries", note="party")
    ledger.undo(ledger.changes()[0].number)
    now = ledger.get(bank)
    names = ("amount", "category", "description", "date", "account", "note")
    assert [getattr(now, name) for name in names] == [getattr(before, name) for name in names]
    assert total(ledger) == (1, "12.50")


def test_fresh_idempotency_key_joins_too_and_belongs_to_it(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL 4711"))))
    for joined in (True, False):
        said = enter(ledger, 9, "Lidl", key="k1")
        assert (said.created, said.joined, said.expense.id) == (False, joined, bank)
    second = enter(ledger, 9, "Lidl", key="k2")
    assert second.created
    assert total(ledger) == (2, "25.00")


def test_occurrence_of_2_says_another_one(ledger: Ledger) -> None:
    ledger.import_statement(a_csv(november(10, "LIDL 4711")))
    assert enter(ledger, 10, "Lidl", occurrence=2).created


def test_fields_that_somebody_edited_stay(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL 4711"))))
    ledger.amend(bank, {"category": "Home", "note": "mine"}, 1)
    assert enter(ledger, 9, "Lidl", category="Groceries", note="other").joined
    now = ledger.get(bank)
    assert (now.category, now.note, now.description) == ("Home", "mine", "Lidl")


def test_retry_of_what_joined_an_edited_expense_finds_it(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL 4711"))))
    ledger.amend(bank, {"description": "Touched"}, 1)
    for joined in (True, False):
        said = enter(ledger, 9, "Lidl")
        assert (said.created, said.joined, said.expense.id) == (False, joined, bank)


def test_account_that_a_join_gave_does_not_keep_a_row_from_pairing_anew(ledger: Ledger) -> None:
    for day in (5, 7):
        enter(ledger, day, "Lidl")
    assert bring(ledger, a_csv(november(7, "LIDL 1"))) == ["joined"]
    assert bring(ledger, a_csv(november(5, "LIDL 2"), account="Visa")) == ["joined"]
    assert total(ledger) == (2, "25.00")


def test_post_of_other_words_is_created_and_the_banks_expense_is_held(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL"))))
    said = enter(ledger, 9, "Fruit")
    assert (said.created, said.looks_like) == (True, bank)
    assert waiting(ledger) == [(bank, "row", (said.expense.id,))]
    assert total(ledger) == (1, "12.50")
    ledger.decide(bank, same_as=said.expense.id)
    assert (ledger.get(said.expense.id).account, total(ledger)) == ("Giro", (1, "12.50"))
    assert bring(ledger, a_csv(november(10, "LIDL"))) == ["existing"]


def test_banks_expense_that_somebody_touched_is_listed_as_a_pair(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL"))))
    ledger.amend(bank, {"note": "for Ada"}, 1)
    mine = enter(ledger, 9, "Fruit").expense.id
    assert waiting(ledger) == [(mine, "pair", (bank,))]
    assert total(ledger) == (2, "25.00")


def test_pair_that_is_the_same_is_merged(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL"))))
    ledger.amend(bank, {"note": "for Ada"}, 1)
    mine = enter(ledger, 9, "Fruit").expense.id
    ledger.decide(mine, same_as=bank)
    assert total(ledger) == (1, "12.50")
    with pytest.raises(ExpenseMerged):
        ledger.get(mine)
    assert enter(ledger, 9, "Fruit").expense.id == bank
    assert waiting(ledger) == []


def test_pair_that_is_new_is_two_payments(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL"))))
    ledger.amend(bank, {"note": "for Ada"}, 1)
    mine = enter(ledger, 9, "Fruit").expense.id
    number = ledger.decide(mine, same_as="new")
    assert (waiting(ledger), total(ledger)) == ([], (2, "25.00"))
    assert number is not None
    ledger.undo(number)
    assert waiting(ledger) == [(mine, "pair", (bank,))]


@pytest.mark.parametrize(
    ("mine", "theirs", "created"),
    [("Giro", "Giro", False), (None, "Giro", False), ("Giro", "", False), ("Cash", "Giro", True)],
)
def test_content_key_of_a_bank_answers_where_accounts_agree(
    ledger: Ledger, mine: str | None, theirs: str, created: bool
) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "Lidl"), account=theirs)))
    said = enter(ledger, 10, "Lidl", category="Uncategorised", account=mine)
    assert (said.created, said.expense.id == bank) == (created, not created)
    assert said.expense.occurrence == (2 if created else 1)


@pytest.mark.parametrize("way", ["restore", "undo", "amount", "date", "account"])
def test_restoring_undoing_and_editing_look_for_a_banks_row(ledger: Ledger, way: str) -> None:
    changes = {"amount": {"amount": "13.00"}, "date": {"date": "2026-10-01"}, "account": {"account": "Cash"}}
    back = {"amount": {"amount": "12.50"}, "date": {"date": "2026-11-09"}, "account": {"account": "Giro"}}
    mine = enter(ledger, 9, "Lidl").expense.id
    if way in changes:
        ledger.amend(mine, changes[way], 1)
    else:
        ledger.delete(mine)
    assert bring(ledger, a_csv(november(10, "LIDL 4711"))) == ["created"]
    if way == "restore":
        ledger.restore(mine)
    elif way == "undo":
        ledger.undo(ledger.changes()[-1].number)
    else:
        ledger.amend(mine, back[way], 2)
    assert total(ledger) == (1, "12.50")
    assert (ledger.get(mine).description, ledger.get(mine).account) == ("Lidl", "Giro")
    assert bring(ledger, a_csv(november(10, "LIDL 4711"))) == ["existing"]


# Merge and split


def test_merged_expenses_are_one_payment_and_keys_lead_to_it(ledger: Ledger) -> None:
    one, two = enter(ledger, 9, "Lidl").expense.id, enter(ledger, 10, "Aldi").expense.id
    assert ledger.merge(two, into=one).id == one
    assert enter(ledger, 10, "Aldi").expense.id == one
    assert total(ledger) == (1, "12.50")
    assert ledger.merge(two, into=one).id == one, "merged before, it stays so"


@pytest.mark.parametrize("way", ["restore", "edit", "get", "delete"])
def test_merged_expense_is_refused_naming_the_survivor_and_the_change(ledger: Ledger, way: str) -> None:
    one, two = enter(ledger, 9, "Lidl").expense.id, enter(ledger, 10, "Aldi").expense.id
    ledger.merge(two, into=one)
    number = ledger.changes()[0].number
    acts: dict[str, Callable[[], object]] = {
        "restore": lambda: ledger.restore(two),
        "edit": lambda: ledger.amend(two, {"note": "x"}, None),
        "get": lambda: ledger.get(two),
        "delete": lambda: ledger.delete(two),
    }
    with pytest.raises(ExpenseMerged, match=rf"{one}\b.*{number}\b"):
        acts[way]()
    ledger.undo(number)
    assert total(ledger) == (2, "25.00")


def test_statement_row_of_a_merged_expense_leads_to_the_survivor(ledger: Ledger) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "LIDL"))))
    mine = enter(ledger, 20, "Fruit").expense.id
    ledger.merge(bank, into=mine)
    done = ledger.import_statement(a_csv(november(10, "LIDL")))
    assert (whats(done), owners(done)) == (["existing"], [mine])


def test_parts_must_add_up_and_can_not_be_merged(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl").expense.id
    with pytest.raises(InvalidInput):
        ledger.split(mine, [("10.00", "Food"), ("2.00", "Home")], version=1)
    _, second = ledger.split(mine, [("10.00", "Food"), ("2.50", "Home")], version=1)
    other = enter(ledger, 10, "Aldi").expense.id
    for one, into in ((second.id, other), (other, second.id)):
        with pytest.raises(InvalidInput):
            ledger.merge(one, into=into)


def test_split_is_retry_safe_and_undone_as_one(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl").expense.id
    parts = [("10.00", "Food"), ("2.50", "Home")]
    first = ledger.split(mine, parts, version=1)
    assert [each.id for each in ledger.split(mine, parts, version=1)] == [each.id for each in first]
    assert total(ledger) == (2, "12.50")
    ledger.undo(ledger.changes()[0].number)
    assert total(ledger) == (1, "12.50")


# Undo of imports


def test_undo_of_an_import_hands_rows_over_to_a_later_one(ledger: Ledger) -> None:
    first = ledger.import_statement(a_csv(november(10, "Lidl"), november(11, "Kino", "8.00")))
    later = ledger.import_statement(a_csv(november(10, "Lidl"), ZOO))
    assert whats(later) == ["existing", "created"]
    ledger.undo_import(first.id or 0)
    assert total(ledger) == (2, "32.50")
    assert bring(ledger, a_csv(november(10, "Lidl"))) == ["existing"]
    ledger.undo_import(later.id or 0)
    assert total(ledger) == (1, "12.50"), "the third one lists it"
    ledger.undo_import(ledger.imports()[0].id)
    assert total(ledger) == (0, "0.00")


@pytest.mark.parametrize("is_entered", [False, True])
def test_undo_of_an_import_leaves_what_another_source_tells_of(ledger: Ledger, is_entered: bool) -> None:
    if is_entered:
        enter(ledger, 10, "Lidl")
    bring(ledger, a_csv(november(10, "LIDL BERLIN")))
    done = ledger.import_statement(an_ofx(november(10, "Lidl Markt", "12.50", "F1")))
    assert whats(done) == ["joined"]
    ledger.undo_import(done.id or 0)
    assert total(ledger) == (1, "12.50")
    assert ledger.search().items[0].account == "Giro"


def test_undone_row_of_one_of_two_sources_comes_back_to_its_expense(ledger: Ledger) -> None:
    mine = enter(ledger, 10, "Lidl").expense.id
    bring(ledger, a_csv(november(10, "LIDL BERLIN")))
    plan = an_ofx(november(10, "Lidl Markt", "12.50", "F1"))
    done = ledger.import_statement(plan)
    ledger.undo_import(done.id or 0)
    again = ledger.import_statement(plan)
    assert (owners(again), total(ledger)) == ([mine], (1, "12.50"))


def test_references_that_count_lines_do_not_make_equal_payments_one(ledger: Ledger) -> None:
    first, second = ([november(day + at, "Bus", "2.40", str(at + 1)) for at in range(5)] for day in (2, 9))
    assert bring(ledger, a_csv(*first, references=None)) == ["created"] * 5
    assert bring(ledger, a_csv(*second, references=None)) == ["created"] * 5


def test_row_of_a_files_first_days_joins_what_somebody_entered(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(8, "LIDL 4711")))
    mine = enter(ledger, 10, "Lidl").expense.id
    done = ledger.import_statement(a_csv(november(10, "LIDL 4712"), ZOO))
    assert (whats(done), owners(done)[0]) == (["joined", "created"], mine)


def test_expense_in_other_words_is_asked_about_whatever_the_order(ledger: Ledger) -> None:
    for day, text, occurrence in ((5, "Lidl", 1), (5, "Lidl", 2), (7, "Fruit", 1)):
        enter(ledger, day, text, occurrence=occurrence)
    bring(ledger, a_csv(november(7, "LIDL 0")), a_csv(*(november(5, f"LIDL {n}") for n in (1, 2, 3))))
    assert (total(ledger)[0], len(waiting(ledger))) == (4, 1)


def test_payment_that_a_file_lists_pairs_anew_with_a_new_row_of_it(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(12, "LIDL 1")))
    later = enter(ledger, 13, "Lidl", account="Giro").expense.id
    earlier = enter(ledger, 10, "Lidl").expense.id
    assert (later, total(ledger)) == (1, (2, "25.00"))
    done = ledger.import_statement(a_csv(november(12, "LIDL 1"), november(16, "LIDL 2")))
    assert (whats(done), owners(done)) == (["existing", "joined"], [earlier, later])
    assert (total(ledger), waiting(ledger)) == ((2, "25.00"), [])


def test_person_whose_payment_another_takes_is_of_the_account_that_was_said(ledger: Ledger) -> None:
    enter(ledger, 5, "Lidl")
    bring(ledger, a_csv(november(5, "LIDL")))
    enter(ledger, 3, "Lidl")
    assert [ledger.get(each).account for each in (1, 2)] == ["Giro", None]
    bring(ledger, a_csv(november(9, "KINO")))
    assert [(each[0], each[2]) for each in waiting(ledger)] == [(3, (1,))]
    assert [ledger.get(each).account for each in (1, 2)] == [None, "Giro"]


def test_opened_doubt_of_an_import_is_undone_with_it(ledger: Ledger) -> None:
    for day, text, occurrence in ((5, "Lidl", 1), (5, "Lidl", 2), (7, "Fruit", 1)):
        enter(ledger, day, text, occurrence=occurrence)
    bring(ledger, a_csv(november(7, "LIDL 0")))
    done = ledger.import_statement(a_csv(*(november(5, f"LIDL {n}") for n in (1, 2, 3))))
    assert (total(ledger), len(waiting(ledger))) == ((4, "50.00"), 1)
    ledger.undo_import(done.id or 0)
    assert (total(ledger), waiting(ledger)) == ((3, "37.50"), [])
    assert bring(ledger, a_csv(november(7, "LIDL 0"))) == ["existing"]


def test_posted_row_waits_for_its_pending_one_to_be_decided(ledger: Ledger) -> None:
    mine = enter(ledger, 5, "Fruit").expense.id
    (pending,) = owners(ledger.import_statement(a_csv(november(8, "PENDING LIDL"))))
    (posted,) = owners(ledger.import_statement(a_csv(november(9, "LIDL BERLIN"))))
    ledger.decide(pending, same_as=mine)
    assert waiting(ledger) == [(posted, "row", (mine,))]
    ledger.decide(posted, same_as=mine)
    assert (total(ledger), waiting(ledger)) == ((1, "12.50"), [])


@pytest.mark.parametrize(
    ("earlier", "what"),
    [("LIDL 4711", "created"), ("PENDING LIDL 4711", "held"), ("LIDL", "held"), ("LIDL BERLIN 1", "held")],
)
def test_4_numbers_alone_are_no_other_spelling(ledger: Ledger, earlier: str, what: str) -> None:
    bring(ledger, a_csv(november(8, earlier)))
    assert bring(ledger, a_csv(november(10, "LIDL 4712"))) == [what]


def test_skip_that_is_done_again_is_a_skip(ledger: Ledger) -> None:
    _, held = held_fruit(ledger)
    ledger.decide(held, same_as="skip")
    for _ in range(2):
        ledger.undo(ledger.changes()[0].number)
    assert total(ledger) == (1, "12.50")
    assert bring(ledger, a_csv(november(11, "LIDL"))) == ["skipped"]


def test_account_that_a_person_said_outlives_the_import(ledger: Ledger) -> None:
    done = ledger.import_statement(a_csv(november(10, "LIDL")))
    enter(ledger, 9, "Lidl", account="giro")
    ledger.undo_import(done.id or 0)
    assert ledger.get(1).account == "Giro"
    ledger.amend(1, {"account": "Cash"}, None)
    ledger.undo(ledger.changes()[0].number)
    assert ledger.get(1).account == "Giro"


def test_held_row_that_comes_back_is_held(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(13, "PENDING LIDL")))
    plan = a_csv(november(15, "LIDL BERLIN"))
    done = ledger.import_statement(plan)
    assert whats(done) == ["held"]
    ledger.undo_import(done.id or 0)
    assert bring(ledger, plan) == ["held"]
    assert total(ledger) == (1, "12.50")


def test_undoing_a_join_onto_a_held_row_gives_the_fields_back(ledger: Ledger) -> None:
    _, held = held_fruit(ledger)
    assert enter(ledger, 10, "Lidl", category="Groceries").expense.id == held
    ledger.undo(ledger.changes()[0].number)
    (waits,) = ledger.undecided()
    assert (waits.id, waits.description, waits.category, waits.date.day) == (
        held,
        "LIDL",
        "Uncategorised",
        11,
    )


def test_what_joined_again_after_an_undo_takes_the_persons_words_again(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(11, "LIDL")))
    for key in ("one", "two"):
        joined = enter(ledger, 10, "Lidl", category="Groceries", key=key)
        assert (joined.joined, joined.expense.description, joined.expense.category) == (
            True,
            "Lidl",
            "Groceries",
        )
        ledger.undo(ledger.changes()[0].number)
        assert (ledger.get(1).description, ledger.get(1).category) == ("LIDL", "Uncategorised")


def test_import_witnesses_held_rows_too(ledger: Ledger) -> None:
    mine, held = held_fruit(ledger)
    again = ledger.import_statement(a_csv(november(11, "LIDL")))
    ledger.undo_import(ledger.imports()[-1].id)
    assert waiting(ledger) == [(held, "row", (mine,))]
    ledger.undo_import(again.id or 0)
    assert waiting(ledger) == []


@pytest.mark.parametrize("typed_first", [True, False])
def test_expense_that_a_person_told_of_is_never_deleted_with_an_import(
    ledger: Ledger, typed_first: bool
) -> None:
    if typed_first:
        enter(ledger, 9, "Lidl", category="Groceries")
    done = ledger.import_statement(a_csv(november(10, "LIDL 4711")))
    if not typed_first:
        enter(ledger, 9, "Lidl", category="Groceries")
    ledger.undo_import(done.id or 0)
    (now,) = ledger.search().items
    assert (now.description, now.category, now.date.day, now.account) == ("Lidl", "Groceries", 9, None)
    assert bring(ledger, a_csv(november(10, "LIDL 4711"))) == ["joined"]
    assert total(ledger) == (1, "12.50")


def test_undo_on_which_a_later_change_builds_is_refused_naming_it(ledger: Ledger) -> None:
    mine, held = held_fruit(ledger)
    other = enter(ledger, 20, "Other").expense.id
    first = ledger.decide(held, same_as=mine)
    ledger.merge(mine, into=other)
    later = ledger.changes()[0].number
    assert first is not None
    with pytest.raises(BuiltUpon, match=str(later)):
        ledger.undo(first)
    ledger.undo(later)
    ledger.undo(first)
    assert (waiting(ledger), total(ledger)) == ([(held, "row", (mine,))], (2, "25.00"))


def test_merges_are_undone_the_latest_first(ledger: Ledger) -> None:
    one, two, three = (enter(ledger, day, text).expense.id for day, text in ((1, "A"), (10, "B"), (20, "C")))
    numbers = []
    for each, into in ((one, two), (two, three)):
        ledger.merge(each, into=into)
        numbers.append(ledger.changes()[0].number)
    for number in reversed(numbers):
        ledger.undo(number)
    assert total(ledger) == (3, "37.50")
    assert [enter(ledger, 1, "A").expense.id, enter(ledger, 10, "B").expense.id] == [one, two]


# Accounts


def test_account_is_one_however_it_is_spelled(ledger: Ledger) -> None:
    bring(ledger, a_csv(november(10, "Lidl"), account="Giro"))
    assert bring(ledger, a_csv(november(10, "Lidl"), account=" GIRO ")) == ["existing"]
    assert {each.name for each in ledger.accounts()} == {"Giro"}


@pytest.mark.parametrize(("one", "other"), [("", ""), ("Giro", ""), ("", "Giro")])
def test_equal_rows_of_two_layouts_of_an_unknown_account_are_held(
    ledger: Ledger, one: str, other: str
) -> None:
    (bank,) = owners(ledger.import_statement(a_csv(november(10, "Lidl"), account=one)))
    done = ledger.import_statement(a_csv(november(10, "Lidl"), account=other, layout="two"))
    assert (whats(done), done.verdicts[0].candidates) == (["held"], (bank,))
    assert total(ledger) == (1, "12.50")


def test_equal_rows_of_one_layout_of_an_unknown_account_are_one(ledger: Ledger) -> None:
    plan = a_csv(november(10, "Lidl"), account="")
    assert bring(ledger, plan, plan) == ["existing"]


# Categories


def test_verdict_says_from_where_its_category_is(ledger: Ledger) -> None:
    ledger.add_rule("netflix", "Fun")
    enter(ledger, 1, "Lidl", "1.00", category="Groceries")
    plan = a_csv(
        november(10, "NETFLIX.COM", "9.00"),
        november(10, "Lidl", "9.10"),
        november(10, "LIDL BERLIN 4711", "9.20"),
        november(10, "Zoo", "9.30"),
    )
    done = ledger.import_statement(plan)
    assert [(each.category, each.category_from) for each in done.verdicts] == [
        ("Fun", "rule"),
        ("Groceries", "before"),
        ("Groceries", "alike"),
        ("Uncategorised", "default"),
    ]


def test_deleted_payment_is_told_of_again_and_stays_deleted(ledger: Ledger) -> None:
    mine = enter(ledger, 9, "Lidl").expense.id
    bring(ledger, a_csv(november(10, "LIDL 4711")))
    ledger.delete(mine)
    assert bring(ledger, a_csv(november(10, "LIDL 4711"))) == ["deleted"]
    with pytest.raises(ExpenseDeleted):
        ledger.get(mine)
    assert ledger.search(ExpenseFilter(q="lidl")).count == 0
