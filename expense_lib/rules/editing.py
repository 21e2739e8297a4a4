"""The rules of changing what is recorded. Nothing is lost by a change: every version stays in the log."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from expense_lib.domain.content import Content
from expense_lib.domain.errors import (
    AmountError,
    CategoryNotFound,
    ExpenseMerged,
    ExpenseNotFound,
    FieldError,
    InvalidInput,
    StaleVersion,
)
from expense_lib.domain.expense import NewExpense, fields_of
from expense_lib.domain.filters import CategoryMove
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.rows import Entry, Row, Sum
from expense_lib.domain.text import canonical_text, fold
from expense_lib.rules import settlement
from expense_lib.rules.change import Change, Edit, Fresh
from expense_lib.rules.recording import found, live, not_live
from expense_lib.store import categories, category_rules, claims, expenses, log, queries
from expense_lib.store.transaction import Transaction


def amend(tx: Transaction, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Row:
    """Change fields of a live expense that is at *version* (None: whichever). Done already, it stays so.

    Raises:
        ExpenseNotFound, ExpenseDeleted: there is none, or no longer.
        StaleVersion: it was changed since.
        InvalidInput: what it would become can't be accepted.
    """
    row = live(tx, expense_id)
    exactly = "occurrence" in changes
    if version is None or version == row.version:
        content = _amended(tx, row.content, changes)
        _refuse_parts(row, content)
        is_settled = not _matters(row.content, content)
        if not is_settled:
            settlement.announce(tx, [row._replace(content=content)], [row.content])
        change = Change(tx)
        change.edit([Edit(row, content, exactly)])
        now = change.rows(tx, change.write(tx)).get(expense_id, row)
        if is_settled or settlement.settle_rows(tx, {expense_id: now}, [row.content]) is None:
            return now
        return found(tx, expense_id)
    if 0 < version < row.version:
        history = log.history(tx, expense_id)
        with suppress(InvalidInput):  # then it can't have been done
            content = _amended(tx, history[version - 1].content, changes)
            if _was_done(tx, history[version], content, exactly=exactly):
                return row
    raise StaleVersion(row.id, row.version)


def delete(tx: Transaction, expense_id: int, version: int | None) -> None:
    """Delete an expense that is at *version* (None: whichever). If it is deleted, nothing more happens.

    Raises:
        ExpenseNotFound: there is none.
        StaleVersion: it was changed since.
    """
    expenses.announce_parts_of(tx, expense_id)
    row = found(tx, expense_id)
    if row.state == "held" or row.merged_into is not None:
        raise not_live(tx, row)
    if row.deleted_at is not None:
        return
    if version not in (None, row.version):
        raise StaleVersion(row.id, row.version)
    first = row if row.part_of is None else found(tx, row.part_of)
    change = Change(tx)
    change.delete([first, *expenses.parts_of(tx, first.id)])
    settlement.announce(tx, [first])
    now = change.rows(tx, change.write(tx))
    settlement.settle_rows(tx, {first.id: now[first.id]})


def restore(tx: Transaction, expense_id: int) -> Row:
    """Bring a deleted expense back under its id. If it is live, it stays as it is.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = found(tx, expense_id)
    if row.deleted_at is None:
        return row
    if row.state == "held" or row.merged_into is not None:
        raise not_live(tx, row)
    if row.part_of is not None and found(tx, row.part_of).state == "live":  # that is split otherwise by now
        raise ExpenseMerged(row.id, row.part_of, log.number(tx, row.last_seq))
    change = Change(tx)
    settlement.announce(tx, [row])
    change.restore(_whole(tx, row))
    now = change.rows(tx, change.write(tx))[expense_id]
    if settlement.settle_rows(tx, {expense_id: now}) is None:
        return now
    return found(tx, expense_id)


@dataclass(frozen=True)
class Moved:
    """The result of a bulk move."""

    number: int | None
    count: int
    category: str


class Move(Fresh):
    """Live expenses to be moved to another category, each as an edit would, in the order of their ids.

    Raises:
        ExpenseNotFound: an id never was.
        AmountError: a bound is finer than the ledger's currency.
    """

    def __init__(self, tx: Transaction, wanted: CategoryMove) -> None:
        self.category = wanted.category
        self.change = Change(tx)
        key = fold(wanted.category)
        self.change.edit(
            Edit(row, row.content._replace(category=wanted.category))
            for row in _named(tx, wanted)
            if row.deleted_at is None and row.content.category_key != key
        )

    def write(self, tx: Transaction) -> Moved:
        """Move them. Returns how many were not there already, and how the category is spelled."""
        number = self.change.write(tx)
        name = categories.name(tx, fold(self.category)) or self.category
        return Moved(number, len(self.change.revisions), name)


class Renaming(Fresh):
    """All live expenses of a category to be moved to another, which is named *new* if it is not there yet.

    Args:
        tx: The transaction.
        old: The category's name, in any spelling, canonical or not.
        new: A canonical text. Another spelling of the same name is how the category is spelled from now on.

    Raises:
        CategoryNotFound: no live expense has the old one.
    """

    def __init__(self, tx: Transaction, old: str, new: str) -> None:
        self.key = fold(new)
        try:
            old_key = fold(canonical_text(old))
        except ValueError:
            raise CategoryNotFound from None
        expenses.announce_in_category(tx, old_key)
        category_rules.announce(tx)
        name = categories.name(tx, old_key)
        if name is None:
            raise CategoryNotFound
        self.change = Change(tx)
        if self.key != old_key:
            self.change.edit(
                Edit(row, row.content._replace(category=new))
                for row in expenses.live_in_category(tx, old_key)
            )
        elif new != name:
            self.change.respell(old_key, new)
        for rule in category_rules.listed(tx):
            if rule.category is not None and fold(rule.category) == old_key:
                self.change.put(tx, "rule", (fold(rule.text),), (rule.id, rule.text, new, 0))

    def write(self, tx: Transaction) -> tuple[int | None, str, Sum]:
        """Rename it. Returns the change's number, and name and total of the category in which all are now."""
        return self.change.write(tx), *categories.total(tx, self.key)


def _refuse_parts(row: Row, content: Content) -> None:
    """The amounts and days of parts are altered by splitting again only.

    Raises:
        InvalidInput: one of them would be another.
    """
    now = row.content
    if row.part_of is not None or row.whole_minor is not None:
        refused = [
            FieldError(name, "is that of a part of a payment; split the payment again to change it")
            for name, is_same in (
                ("amount", content.amount_minor == now.amount_minor),
                ("date", content.date == now.date),
            )
            if not is_same
        ]
        if refused:
            raise InvalidInput(refused)


def _matters(before: Content, after: Content) -> bool:
    """Whether another bank's payment may be this one by now."""
    names = ("amount_minor", "date", "account", "description")
    return any(getattr(before, name) != getattr(after, name) for name in names)


def _whole(tx: Transaction, row: Row) -> list[Row]:
    """The deleted expense, or all parts of the payment that were deleted with it."""
    if row.part_of is None and row.whole_minor is None:
        return [row]
    entries = log.change(tx, row.last_seq)
    together = expenses.find_all(tx, [entry.expense_id for entry in entries])
    return [
        each
        for each in together.values()
        if each.state == "deleted" and each.last_seq in {e.seq for e in entries}
    ]


def _named(tx: Transaction, wanted: CategoryMove) -> list[Row]:
    """The expenses that are to be moved, by id."""
    if wanted.where is None:
        ids = sorted(set(wanted.ids or ()))
        known = expenses.find_all(tx, [each for each in ids if 1 <= each <= MAX_ID])
        unknown = next((each for each in ids if each not in known), None)
        if unknown is not None:
            raise ExpenseNotFound(unknown)
        return list(known.values())
    try:
        return sorted(queries.matching(tx, wanted.where), key=lambda row: row.id)
    except AmountError as refused:
        raise AmountError(FieldError(f"where.{field}", said) for field, said in refused.errors) from None


def _was_done(tx: Transaction, entry: Entry, content: Content, *, exactly: bool) -> bool:
    """The edit asked for is the one that *entry* logged: it is a retry, its answer got lost."""
    if entry.kind != "amended" or not entry.content.equals(content):
        return False
    if not exactly or content.occurrence == entry.content.occurrence:
        return True
    claim = claims.find(tx, content.dedup_key())
    return claim is not None and claim.owner.id != entry.expense_id


def _amended(tx: Transaction, content: Content, changes: Mapping[str, Any]) -> Content:
    """The content that the changes would give an expense."""
    try:
        return NewExpense.model_validate(fields_of(content, tx.currency) | dict(changes)).content(tx.currency)
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None
