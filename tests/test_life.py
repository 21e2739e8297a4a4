"""The ledger's whole life, by chance: every step is done to a real ledger and to a model of a few dictionaries."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from expense_lib import (
    CategoryNotFound,
    ExpenseDeleted,
    ExpenseFilter,
    Filter,
    IdempotencyKeyReused,
    Ledger,
    RecordedThenDeleted,
    StaleVersion,
)
from tests.builders import an_expense, named

AMOUNTS = st.sampled_from(["1", "2.50"])
CATEGORIES = st.sampled_from(["Food", " food", "FUEL", "Rent"])
DESCRIPTIONS = st.sampled_from(["", "a"])
OCCURRENCES = st.sampled_from([None, 1, 2])
KEYS = st.sampled_from(["k1", "k2", "k3"])

Content = tuple[Decimal, str, str]


@dataclass(frozen=True)
class Known:
    """What the model knows of an expense."""

    content: Content
    occurrence: int
    version: int = 1
    live: bool = True
    past: tuple[tuple[Content, int], ...] = ()


def content_of(amount: str, category: str, description: str) -> Content:
    return Decimal(amount), category.strip().casefold(), description


class Life(RuleBasedStateMachine):
    def address(self) -> str:
        return str(self.folder / "expenses.db")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = Ledger(self.address())
        self.expenses: dict[int, Known] = {}
        self.owner: dict[tuple[Content, int], int] = {}
        self.sent: dict[str, tuple[tuple[Content, int | None], int]] = {}
        self.created = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def next_free(self, content: Content) -> int:
        return next(n for n in range(1, 100) if (content, n) not in self.owner)

    def some(self, data: Any, *, live: bool | None = None) -> int:
        return int(
            data.draw(st.sampled_from([i for i, e in self.expenses.items() if live in (None, e.live)]))
        )

    def has(self, *, live: bool) -> bool:
        return any(expense.live == live for expense in self.expenses.values())

    def add(self, content: Content, occurrence: int, expense_id: int) -> None:
        self.expenses[expense_id] = Known(content, occurrence)
        self.owner[content, occurrence] = expense_id
        self.created += 1

    @rule(amount=AMOUNTS, category=CATEGORIES, description=DESCRIPTIONS, occurrence=OCCURRENCES)
    def record(self, amount: str, category: str, description: str, occurrence: int | None) -> None:
        content = content_of(amount, category, description)
        new = an_expense(amount=amount, category=category, description=description, occurrence=occurrence)
        owner = self.owner.get((content, occurrence or 1))
        if owner is not None and not self.expenses[owner].live:
            with pytest.raises(RecordedThenDeleted):
                self.ledger.record(new)
            return
        receipt = self.ledger.record(new)
        assert receipt.created == (owner is None)
        if owner is None:
            self.add(content, occurrence or 1, receipt.expense.id)
        else:
            assert receipt.expense.id == owner

    @rule(key=KEYS, amount=AMOUNTS, category=CATEGORIES, description=DESCRIPTIONS, occurrence=OCCURRENCES)
    def record_keyed(
        self, key: str, amount: str, category: str, description: str, occurrence: int | None
    ) -> None:
        content = content_of(amount, category, description)
        new = an_expense(amount=amount, category=category, description=description, occurrence=occurrence)
        if key in self.sent and self.sent[key][0] != (content, occurrence):
            with pytest.raises(IdempotencyKeyReused):
                self.ledger.record(new, key)
            return
        n = occurrence or self.next_free(content)
        owner = self.sent[key][1] if key in self.sent else self.owner.get((content, n))
        if owner is not None and not self.expenses[owner].live:
            with pytest.raises(RecordedThenDeleted):
                self.ledger.record(new, key)
            return
        receipt = self.ledger.record(new, key)
        assert receipt.created == (owner is None)
        self.sent[key] = (content, occurrence), receipt.expense.id
        if owner is None:
            self.add(content, n, receipt.expense.id)
        else:
            assert receipt.expense.id == owner

    def edited(self, known: Known, expense_id: int, content: Content) -> Known:
        """What an edit to *content*, with no word of the occurrence, makes of an expense."""
        if content == known.content:
            return known
        past = (*known.past, (known.content, known.occurrence))
        n = next((n for c, n in reversed(past) if c == content), known.occurrence)
        if self.owner.get((content, n), expense_id) != expense_id:
            n = self.next_free(content)
        self.owner[content, n] = expense_id
        return replace(known, content=content, occurrence=n, version=known.version + 1, past=past)

    @precondition(lambda self: self.has(live=True))
    @rule(data=st.data(), amount=AMOUNTS, category=CATEGORIES, answer_lost=st.booleans())
    def amend(self, data: Any, amount: str, category: str, answer_lost: bool) -> None:
        expense_id = self.some(data, live=True)
        known = self.expenses[expense_id]
        wanted = content_of(amount, category, known.content[2])
        changes = {"amount": amount, "category": category}
        for _ in range(1 + answer_lost):
            amended = self.ledger.amend(expense_id, changes, known.version)
        self.expenses[expense_id] = after = self.edited(known, expense_id, wanted)
        assert (amended.version, amended.occurrence) == (after.version, after.occurrence)

    @precondition(lambda self: any(e.live and e.version > 1 for e in self.expenses.values()))
    @rule(data=st.data())
    def amend_stale(self, data: Any) -> None:
        stale = [i for i, e in self.expenses.items() if e.live and e.version > 1]
        expense_id = data.draw(st.sampled_from(stale))
        for version in (self.expenses[expense_id].version - 1, self.expenses[expense_id].version + 1):
            with pytest.raises(StaleVersion):
                self.ledger.amend(expense_id, {"description": "never said before"}, version)

    @precondition(lambda self: self.has(live=True))
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        expense_id = self.some(data)
        known = self.expenses[expense_id]
        if known.live:
            with pytest.raises(StaleVersion):
                self.ledger.delete(expense_id, known.version + 1)
            self.expenses[expense_id] = replace(known, live=False, version=known.version + 1)
        self.ledger.delete(expense_id, known.version)
        self.ledger.delete(expense_id, 77)

    @precondition(lambda self: bool(self.expenses))
    @rule(data=st.data())
    def restore(self, data: Any) -> None:
        expense_id = self.some(data)
        known = self.expenses[expense_id]
        if not known.live:
            self.expenses[expense_id] = replace(known, live=True, version=known.version + 1)
        assert self.ledger.restore(expense_id).version == self.expenses[expense_id].version

    @rule(old=CATEGORIES, new=CATEGORIES)
    def rename(self, old: str, new: str) -> None:
        old_key, new_key = old.strip().casefold(), new.strip().casefold()
        members = [i for i, e in sorted(self.expenses.items()) if e.live and e.content[1] == old_key]
        if not members:
            with pytest.raises(CategoryNotFound):
                self.ledger.rename_category(old, new)
            return
        owners = dict(self.owner)
        respelled = self.ledger.search(ExpenseFilter(category=old)).items[0].category != new.strip()
        self.ledger.rename_category(old, new)
        for expense_id in members:
            known = self.expenses[expense_id]
            if old_key != new_key:
                moved = (known.content[0], new_key, known.content[2])
                self.expenses[expense_id] = self.edited(known, expense_id, moved)
            elif respelled:
                self.expenses[expense_id] = replace(known, version=known.version + 1)
        assert old_key != new_key or owners == self.owner

    @rule(new=CATEGORIES, data=st.data())
    def recategorise(self, new: str, data: Any) -> None:
        """Those of some ids, or of some categories."""
        key = new.strip().casefold()
        ids = data.draw(st.none() | st.lists(st.sampled_from([*self.expenses]))) if self.expenses else None
        if ids is None:
            where = Filter(category=data.draw(st.lists(CATEGORIES, max_size=2)))
            keys = where.keys("category") or [e.content[1] for e in self.expenses.values()]
            chosen = [i for i, e in sorted(self.expenses.items()) if e.content[1] in keys]
        else:
            where, chosen = None, sorted(set(ids))
        moved = self.ledger.recategorise(new, ids=ids, where=where)
        members = [i for i in chosen if self.expenses[i].live and self.expenses[i].content[1] != key]
        assert (moved.count, moved.number is None) == (len(members), not members)
        for expense_id in members:
            known = self.expenses[expense_id]
            content = (known.content[0], key, known.content[2])
            self.expenses[expense_id] = self.edited(known, expense_id, content)
        if members:
            assert (self.ledger.changes()[0].number, self.ledger.changes()[0].count) == (
                moved.number,
                moved.count,
            )

    @precondition(lambda self: bool(self.expenses))
    @rule(old=CATEGORIES, new=CATEGORIES, data=st.data())
    def rename_and_undo(self, old: str, new: str, data: Any) -> None:
        """Afterwards everything is as it was, but for versions and claimed keys."""
        lines = len(self.ledger.log())
        try:
            self.ledger.rename_category(old, new)
        except CategoryNotFound:
            return
        self.sync_with_log()
        last = self.ledger.log()[-1]
        if last.seq == lines:
            return
        before = {e.id: (e.amount, e.category, e.occurrence) for e in self.ledger.search().items}
        self.ledger.undo(last.number)
        self.ledger.undo(self.ledger.log()[-1].number)
        after = {e.id: (e.amount, e.category, e.occurrence) for e in self.ledger.search().items}
        assert after == before
        self.ledger.undo(self.ledger.log()[-1].number)
        self.sync_with_log()

    def sync_with_log(self) -> None:
        """Take over what the log says of versions, contents and claims; check() proves the log itself."""
        for line in self.ledger.log():
            known = self.expenses[line.expense_id]
            if line.version <= known.version or line.after is None:
                continue
            content = (line.after.amount, line.after.category.casefold(), line.after.description)
            past = (*known.past, (known.content, known.occurrence))
            owner = self.owner.setdefault((content, line.after.occurrence), line.expense_id)
            assert owner == line.expense_id
            self.expenses[line.expense_id] = replace(
                known, content=content, occurrence=line.after.occurrence, version=line.version, past=past
            )

    @invariant()
    def ledger_is_as_the_model(self) -> None:
        live = {i: e for i, e in self.expenses.items() if e.live}
        page = self.ledger.search(ExpenseFilter(limit=500))
        assert {e.id: (e.amount, e.category.casefold(), e.description) for e in page.items} == {
            i: e.content for i, e in live.items()
        }
        assert {e.id: (e.occurrence, e.version) for e in page.items} == {
            i: (e.occurrence, e.version) for i, e in live.items()
        }
        assert (page.count, page.total) == (len(live), sum(e.content[0] for e in live.values()))
        assert sum(category.total for category in self.ledger.categories()) == page.total
        assert sum(change.change == "created" for change in self.ledger.log()) == self.created
        for expense_id in self.expenses.keys() - live.keys():
            with pytest.raises(ExpenseDeleted):
                self.ledger.get(expense_id)
        assert self.ledger.check() == []


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestLife = Life.TestCase


class LifeOnPostgres(Life):
    database: str

    def address(self) -> str:
        return named(self.database, uuid.uuid4().hex)


LifeOnPostgres.TestCase.settings = settings(max_examples=30, stateful_step_count=30)


class TestLifeOnPostgres(LifeOnPostgres.TestCase):  # type: ignore[misc, valid-type]
    @pytest.fixture(autouse=True)
    def in_a_database(self, database: str) -> None:
        LifeOnPostgres.database = database
