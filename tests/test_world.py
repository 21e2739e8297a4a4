"""A world of payments, told by persons and banks in any order: once in the ledger, to the cent."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.world import PAYEES, Act, File, Payment, References, Touch, Typed, Undo, World, a_telling

EXAMPLES = os.environ.get("EXPENSE_TEST_EXAMPLES")  # of each test, drawn anew, and made small where one fails
DAYS = 9
OF_LIKE_WORDS = 240  # the amount, in cents, of what persons call as the bank does

if EXAMPLES is None:
    worlds_of = settings(max_examples=60, derandomize=True, database=None, phases=[Phase.generate])
else:
    worlds_of = settings(max_examples=int(EXAMPLES))


@st.composite
def payments(draw: st.DrawFn, *, marks_cash: bool = True) -> Payment:
    cents = draw(st.sampled_from([240, 500]))
    day = draw(st.integers(5, 5 + DAYS))
    account = draw(st.sampled_from(["Giro", "Giro", "Giro", "Visa", "Cash"]))
    is_card = account != "Cash"
    alike = ("first", "first", "stub", "typo") if cents == OF_LIKE_WORDS else ("own",)
    words = draw(st.sampled_from([*alike, *([None] * len(alike) if is_card else [])]))
    return Payment(
        cents=cents,
        day=day,
        booked=day + (draw(st.integers(0, 3)) if is_card else 0),
        payee=draw(st.integers(0, len(PAYEES) - 1)),
        account=account,
        words=words,
        says_account=draw(st.booleans()) if is_card else marks_cash,
    )


@st.composite
def worlds(draw: st.DrawFn, *, marks_cash: bool = True, undoes: bool = False, pending: bool = False) -> World:
    """Payments; and acts that tell of all of them, in an order of their own."""
    found = draw(st.lists(payments(marks_cash=marks_cash), min_size=1, max_size=5))
    if draw(st.booleans()):
        found.append(draw(st.sampled_from(found)))  # an equal one on one day
    if pending:
        late = [draw(st.integers(0, 2)) if each.is_card else 0 for each in found]
        found = [
            replace(each, booked=each.booked + days, pending_days=days)
            for each, days in zip(found, late, strict=True)
        ]
    acts: list[Act] = [
        Typed(at, draw(st.booleans()), draw(st.integers(1, 2))) for at, each in enumerate(found) if each.words
    ]
    is_told_apart = len({(each.cents, each.payee, each.account) for each in found}) == len(found)
    references: References = draw(st.sampled_from(["none", "own", *(["from 1"] if is_told_apart else [])]))
    for account in sorted({each.account for each in found if each.is_card}):
        cut = draw(st.integers(5, 5 + DAYS))
        back = draw(st.integers(0, 4))
        for first, last in ((1, cut), (max(cut + 1 - back, 1), 30)):
            acts.append(
                File(
                    "csv", account, first, last, references, draw(st.integers(0, 9)), draw(st.integers(1, 2))
                )
            )
        if draw(st.booleans()):
            first = draw(st.integers(1, 5 + DAYS))
            acts.append(File("ofx", account, first, 30, draw(st.sampled_from(["own", "none"])), 1))
    if undoes:
        for _ in range(draw(st.integers(0, 2))):
            acts.append(Undo(draw(st.integers(0, 3)), draw(st.booleans())))
            acts.append(Touch(draw(st.integers(0, 5)), draw(st.sampled_from(["description", "note"]))))
    acts = draw(st.permutations(acts))
    if pending:  # files are brought in the order of their days
        files = iter(sorted((act for act in acts if isinstance(act, File)), key=lambda act: act.last))
        acts = [next(files) if isinstance(act, File) else act for act in acts]
    return World(tuple(found), tuple(acts))


def outcome(world: World, acts: list[Act] | tuple[Act, ...]) -> tuple[Counter[int], Counter[int]]:
    """What counts and what waits, by amount, before anything is decided; after that it is as the world is."""
    with a_telling(world) as told:
        told.tell(acts)
        before = told.live(), told.waiting()
        told.answer()
        assert told.live() == told.truth()
    return before


@worlds_of
@given(worlds())
def test_world_is_in_the_ledger_once(world: World) -> None:
    outcome(world, world.acts)


@worlds_of
@given(worlds(), st.randoms(use_true_random=False))
def test_order_of_tellings_does_not_matter(world: World, order: random.Random) -> None:
    shuffled = list(world.acts)
    order.shuffle(shuffled)
    assert outcome(world, world.acts) == outcome(world, shuffled)


@worlds_of
@given(worlds(undoes=True))
def test_undone_and_redone_imports_and_edits_change_nothing(world: World) -> None:
    outcome(world, world.acts)


@worlds_of
@given(worlds(pending=True))
def test_pending_rows_become_posted_ones(world: World) -> None:
    outcome(world, world.acts)


@worlds_of
@given(worlds(undoes=True, pending=True))
def test_everything_can_be_undone_one_after_the_other(world: World) -> None:
    with a_telling(world) as told:
        told.tell(world.acts)
        told.answer()
        told.undo_all()
        assert told.live() == Counter()
        assert told.ledger.undecided() == []


@worlds_of
@given(worlds(marks_cash=False))
def test_row_that_cash_swallows_is_among_those_that_said_so(world: World) -> None:
    with a_telling(world) as told:
        told.tell(world.acts)
        told.answer()
        live, truth = told.live(), told.truth()
        assert not live - truth
        assert (truth - live).total() <= told.said_joined
