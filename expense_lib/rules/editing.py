"""The rules of changing what is recorded. Nothing is lost by a change: every version stays in the log."""

from __future__ import annotations

import datetime as dt
import functools
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from expense_lib.domain.errors import (
    AmountError,
    CategoryNotFound,
    ExpenseDeleted,
    FieldError,
    InvalidInput,
    StaleVersion,
)
from expense_lib.domain.expense import ChangeKind, ExpenseChanges, NewExpense
from expense_lib.domain.filters import CategoryMove
from expense_lib.domain.keys import Content
from expense_lib.domain.money import Currency
from expense_lib.domain.text import canonical_text, fold
from expense_lib.rules.recording import found, next_free
from expense_lib.store import bulk, expenses, queries
from expense_lib.store.expenses import Row
from expense_lib.store.queries import Logged, Snapshot


class Deed:
    """One change by somebody, of one expense or of many: its lines in the log share a number."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con
        self.at = now()
        self.number: int | None = None

    def write(self, row: Row, kind: ChangeKind, **changes: Any) -> Row:
        """Give *row* its next version, with *changes*."""
        revised = self._next(row, **changes)
        self.number = expenses.revise(self.con, revised, kind, self.number)
        return revised

    def delete(self, row: Row) -> Row:
        """Delete a live expense. Its keys stay its own."""
        return self.write(row, "deleted", deleted_at=self.at)

    def restore(self, row: Row) -> Row:
        """Bring a deleted expense back, its category in today's spelling."""
        category = expenses.category_name(self.con, row.category_key) or row.category
        return self.write(row, "restored", deleted_at=None, category=category)

    def edit(self, row: Row, content: Content, category: str, occurrence: int | None = None) -> Row:
        """Give a live expense another content, and that content's key; nothing is written if it has it.

        Args:
            row: The expense as it is.
            content: What it is to be.
            category: How its category is spelled, unless it has a spelling already.
            occurrence: Which one it must be, if that is said. If not, it is again what it was when it had
                this content before, else stays what it is. If that is another expense's, the next free one.
        """
        if content == row.content() and occurrence in (None, row.occurrence):
            return row
        if occurrence is None:
            occurrence = self._occurrence_before(row, content) or row.occurrence
        claim = expenses.claim(self.con, content.dedup_key(occurrence))
        if claim is not None and claim.owner.id != row.id:
            occurrence, claim = next_free(self.con, content), None
        if claim is None:
            expenses.add_claim(self.con, content.dedup_key(occurrence), row.id)
        return self.write(
            row,
            "amended",
            amount_minor=content.amount_minor,
            category=expenses.category_name(self.con, content.category_key) or category,
            category_key=content.category_key,
            description=content.description,
            date=content.date.isoformat(),
            occurrence=occurrence,
        )

    def move(self, found: Iterable[Row], key: str, category: str) -> int:
        """Give expenses another category, one after the other, as ``edit`` does. Deleted ones are left alone.

        What ``edit`` asks of each is asked of all at once, and written so: it takes a fraction of the time.

        Args:
            found: The expenses as they are.
            key: The category's key.
            category: How it is spelled, unless it has a spelling already.

        Returns:
            How many were not in it already.
        """
        name = expenses.category_name(self.con, key) or category
        moved = [
            self._next(row, category=name, category_key=key)
            for row in found
            if row.deleted_at is None and row.category_key != key
        ]
        before = self._occurrences_before(moved, key)
        moved = [row._replace(occurrence=before[row.id]) if row.id in before else row for row in moved]
        keys = [row.content().dedup_key(row.occurrence) for row in moved]
        owners = bulk.owners(self.con, keys)
        claimed: dict[str, int] = {}  # with their expenses, but not written yet
        taken: dict[Content, int] = {}  # all its occurrences up to this one have an owner
        for position, dedup_key in enumerate(keys):
            row, owner = moved[position], owners.get(dedup_key)
            if owner not in (None, row.id):
                bulk.add_claims(self.con, claimed.items())
                claimed.clear()
                content = row.content()
                taken[content] = next_free(self.con, content, taken.get(content, 0))
                moved[position] = row._replace(occurrence=taken[content])
                keys[position], owner = content.dedup_key(taken[content]), None
            if owner is None:
                claimed[keys[position]] = owners[keys[position]] = row.id
        bulk.add_claims(self.con, sorted(claimed.items()))
        self.number = bulk.revise(self.con, moved, "amended", self.number)
        return len(moved)

    def respell(self, key: str, name: str) -> None:
        """Spell a category anew for all its expenses. Their content stays the same, and so do their keys."""
        respelled = [self._next(row, category=name) for row in expenses.live_in_category(self.con, key)]
        self.number = bulk.revise(self.con, respelled, "amended", self.number)
        expenses.name_category(self.con, key, name)

    def _next(self, row: Row, **changes: Any) -> Row:
        """The next version of *row*, with *changes*, not written yet."""
        return row._replace(version=row.version + 1, updated_at=self.at, **changes)

    def _occurrences_before(self, moved: list[Row], key: str) -> dict[int, int]:
        """Which occurrence expenses were when they last had this content; their keys are their own since."""
        edited = [row.id for row in moved if row.version > 2]
        folded = functools.cache(fold)
        return {
            expense_id: occurrence
            for expense_id, category, occurrence in bulk.alike(self.con, edited)
            if folded(category) == key
        }

    def _occurrence_before(self, row: Row, content: Content) -> int | None:
        """Which occurrence the expense was when it last had this content; its key is its own since."""
        if row.version == 1:
            return None
        return next(
            (
                logged.content.occurrence
                for logged in reversed(queries.history(self.con, row.id))
                if logged.content.content() == content
            ),
            None,
        )


def amend(
    con: sqlite3.Connection,
    currency: Currency,
    expense_id: int,
    changes: ExpenseChanges,
    version: int | None,
) -> Row:
    """Change fields of a live expense that is at *version* (None: whichever). Done already, it stays so.

    Raises:
        ExpenseNotFound, ExpenseDeleted: there is none, or no longer.
        StaleVersion: it was changed since.
        InvalidInput: what it would become can't be accepted.
    """
    row = _live(con, expense_id)
    occurrence = changes.get("occurrence")
    if version is None or version == row.version:
        wanted = _amended(Snapshot.of(row), changes, currency)
        return Deed(con).edit(row, wanted.content(currency), wanted.category, occurrence)
    if 0 < version < row.version:
        log = queries.history(con, expense_id)
        with suppress(InvalidInput):  # then it can't have been done
            content = _amended(log[version - 1].content, changes, currency).content(currency)
            if _was_done(con, log[version], content, occurrence):
                return row
    raise StaleVersion(row.id, row.version)


def delete(con: sqlite3.Connection, expense_id: int, version: int | None) -> None:
    """Delete an expense that is at *version* (None: whichever). If it is deleted, nothing more happens.

    Raises:
        ExpenseNotFound: there is none.
        StaleVersion: it was changed since.
    """
    row = found(con, expense_id)
    if row.deleted_at is not None:
        return
    if version not in (None, row.version):
        raise StaleVersion(row.id, row.version)
    Deed(con).delete(row)


def restore(con: sqlite3.Connection, expense_id: int) -> Row:
    """Bring a deleted expense back under its id. If it is live, it stays as it is.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = found(con, expense_id)
    return row if row.deleted_at is None else Deed(con).restore(row)


def recategorise(
    con: sqlite3.Connection, currency: Currency, move: CategoryMove
) -> tuple[int | None, int, str]:
    """Move live expenses to another category, as ``Deed.edit`` does each, in the order of their ids.

    Returns:
        The number of the deed, if anything was moved; how many were; and how the category is spelled.

    Raises:
        ExpenseNotFound: an id never was.
        AmountError: a bound is finer than the ledger's currency.
    """
    key = fold(move.category)
    if move.where is None:
        rows_named = [found(con, expense_id) for expense_id in sorted(set(move.ids or ()))]
    else:
        try:
            rows_named = sorted(queries.matching(con, move.where, currency))
        except AmountError as refused:
            raise AmountError(FieldError(f"where.{field}", said) for field, said in refused.errors) from None
    deed = Deed(con)
    count = deed.move(rows_named, key, move.category)
    return deed.number, count, expenses.category_name(con, key) or move.category


def rename_category(con: sqlite3.Connection, old: str, new: str) -> tuple[int | None, str]:
    """Move all live expenses of a category to another, which takes *new* as its name if it is not there yet.

    Args:
        con: A connection in a transaction.
        old: The category's name, in any spelling, canonical or not.
        new: A canonical text. Another spelling of the same name is how the category is spelled from now on.

    Returns:
        The number of the deed, if anything was changed, and the key of the category in which they are now.

    Raises:
        CategoryNotFound: no live expense has the old one.
    """
    new_key = fold(new)
    try:
        old_key = fold(canonical_text(old))
    except ValueError:
        raise CategoryNotFound from None
    name = expenses.category_name(con, old_key)
    if name is None:
        raise CategoryNotFound
    deed = Deed(con)
    if new_key != old_key:
        deed.move(expenses.live_in_category(con, old_key), new_key, new)
    elif new != name:
        deed.respell(old_key, new)
    return deed.number, new_key


def _was_done(con: sqlite3.Connection, line: Logged, content: Content, occurrence: int | None) -> bool:
    """The edit asked for is the one that *line* logged: it is a retry, its answer got lost."""
    if line.kind != "amended" or line.content.content() != content:
        return False
    if occurrence in (None, line.content.occurrence):
        return True
    claim = expenses.claim(con, content.dedup_key(occurrence or 1))
    return claim is not None and claim.owner.id != line.expense_id


def _live(con: sqlite3.Connection, expense_id: int) -> Row:
    row = found(con, expense_id)
    if row.deleted_at is not None:
        raise ExpenseDeleted(expense_id)
    return row


def _amended(snapshot: Snapshot, changes: ExpenseChanges, currency: Currency) -> NewExpense:
    """What an expense would become."""
    try:
        return NewExpense.model_validate(_fields(snapshot, currency) | dict(changes))
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None


def _fields(snapshot: Snapshot, currency: Currency) -> dict[str, Any]:
    """The fields of an expense as a sender would write them."""
    return {
        "amount": currency.from_minor(snapshot.amount_minor),
        "category": snapshot.category,
        "description": snapshot.description,
        "date": snapshot.date,
        "occurrence": snapshot.occurrence,
        "refund": snapshot.amount_minor < 0,
    }


def now() -> str:
    """This moment in UTC, as RFC 3339 and the ledger write it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"
