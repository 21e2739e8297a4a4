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
    ExpenseDeleted,
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
from expense_lib.rules.change import Change, Edit, Fresh
from expense_lib.rules.recording import found
from expense_lib.store import categories, claims, expenses, log, queries
from expense_lib.store.transaction import Transaction


def amend(tx: Transaction, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Row:
    """Change fields of a live expense that is at *version* (None: whichever). Done already, it stays so.

    Raises:
        ExpenseNotFound, ExpenseDeleted: there is none, or no longer.
        StaleVersion: it was changed since.
        InvalidInput: what it would become can't be accepted.
    """
    row = _live(tx, expense_id)
    exactly = "occurrence" in changes
    if version is None or version == row.version:
        change = Change(tx)
        change.edit([Edit(row, _amended(tx, row.content, changes), exactly)])
        change.write(tx)
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
    row = found(tx, expense_id)
    if row.deleted_at is not None:
        return
    if version not in (None, row.version):
        raise StaleVersion(row.id, row.version)
    change = Change(tx)
    change.delete([row])
    change.write(tx)


def restore(tx: Transaction, expense_id: int) -> Row:
    """Bring a deleted expense back under its id. If it is live, it stays as it is.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = found(tx, expense_id)
    if row.deleted_at is None:
        return row
    change = Change(tx)
    change.restore([row])
    change.write(tx)
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

    def write(self, tx: Transaction) -> tuple[int | None, str, Sum]:
        """Rename it. Returns the change's number, and name and total of the category in which all are now."""
        return self.change.write(tx), *categories.total(tx, self.key)


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


def _live(tx: Transaction, expense_id: int) -> Row:
    row = found(tx, expense_id)
    if row.deleted_at is not None:
        raise ExpenseDeleted(expense_id)
    return row


def _amended(tx: Transaction, content: Content, changes: Mapping[str, Any]) -> Content:
    """The content that the changes would give an expense."""
    try:
        return NewExpense.model_validate(fields_of(content, tx.currency) | dict(changes)).content(tx.currency)
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None
