"""The rules of undoing: a change is put back wherever nobody changed the same since."""

from __future__ import annotations

from typing import NamedTuple

from expense_lib.domain.content import FIELDS, Content
from expense_lib.domain.errors import ChangedSince, ChangeNotFound, ImportNotFound
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.results import Undone
from expense_lib.domain.rows import Entry, Row
from expense_lib.rules.change import Change, Edit, Fresh
from expense_lib.store import expenses, imports, log
from expense_lib.store.transaction import Transaction


class Undo(Fresh):
    """The undo of a change, field by field, wherever nobody changed the same field later. Idempotent.

    An expense that was undone with its import, and whose payment was imported anew since, is kept deleted.

    Raises:
        ChangeNotFound: there is no such entry in the log.
        ChangedSince: everything that it changed was changed again.
    """

    def __init__(self, tx: Transaction, number: int) -> None:
        self.entries = log.change(tx, number) if 1 <= number <= MAX_ID else []
        if not self.entries:
            raise ChangeNotFound(number)
        self.change = Change(tx)
        self.undone: list[int] = []
        self.kept: list[int] = []
        self._decide(tx)
        if len(self.kept) == len(self.entries):
            raise ChangedSince(self.kept)

    def write(self, tx: Transaction) -> Undone:
        """Put it back."""
        number = self.change.write(tx)
        imports.mark_redone(tx, self.entries[0].number)
        return Undone(number=number, undone=tuple(self.undone), kept=tuple(self.kept))

    def _decide(self, tx: Transaction) -> None:
        """Sort the expenses by what is to be done with each; what differs from before is undone or kept."""
        rows = expenses.find_all(tx, [entry.expense_id for entry in self.entries])
        moved = imports.moved(tx, self.entries[0].number)
        todo = [
            line
            for entry in self.entries
            if not (line := _Line.of(entry, rows[entry.expense_id])).is_as_before()
        ]
        self.change.look_up(line.was().dedup_key() for line in todo if "occurrence" in line.names)
        possible = []
        for line in todo:
            if line.row.id not in moved and line.is_left_alone() and self._has_its_occurrence(line):
                possible.append(line)
                self.undone.append(line.row.id)
            else:
                self.kept.append(line.row.id)
        self._put_back(possible)

    def _has_its_occurrence(self, line: _Line) -> bool:
        """Where the change altered the occurrence, the old one is this expense's again, and no other's."""
        return "occurrence" not in line.names or self.change.claim(line.was().dedup_key(), line.row.id)

    def _put_back(self, possible: list[_Line]) -> None:
        self.change.delete(line.row for line in possible if line.entry.before is None)
        self.change.restore([line.row for line in possible if line.entry.after is None])
        edited = [line for line in possible if line.entry.before and line.entry.after]
        self.change.edit(
            Edit(line.row, line.was(), exactly="occurrence" in line.names or line.is_untouched())
            for line in edited
            if not line.is_respelling
        )
        respelled = {
            line.row.content.category_key: line.was().category for line in edited if line.is_respelling
        }
        for key, name in respelled.items():
            self.change.respell(key, name)


class UndoImport(Fresh):
    """The undo of an import: what it brought and nobody changed is deleted, and its row identities freed.

    Those that were changed keep theirs, so that importing again does not double them. What is undone already
    stays so.

    Raises:
        ImportNotFound: there is no such import.
    """

    def __init__(self, tx: Transaction, import_id: int) -> None:
        found = imports.find(tx, import_id) if 1 <= import_id <= MAX_ID else None
        if found is None:
            raise ImportNotFound(import_id)
        self.found = found
        self.change = Change(tx)
        brought = imports.brought(tx, found)
        rows = expenses.find_all(tx, [expense_id for expense_id, _ in brought])
        left_alone = {
            expense_id
            for expense_id, content in brought
            if rows[expense_id].deleted_at is None and _agrees(rows[expense_id], content, FIELDS)
        }
        self.undone = [expense_id for expense_id, _ in brought if expense_id in left_alone]
        self.kept = [expense_id for expense_id, _ in brought if expense_id not in left_alone]
        self.change.delete(rows[expense_id] for expense_id in self.undone)

    def write(self, tx: Transaction) -> Undone:
        """Delete them."""
        number = self.change.write(tx)
        if self.undone or self.found.undone_at is None:
            imports.mark_undone(tx, self.found, self.undone, number)
        return Undone(number=number, undone=tuple(self.undone), kept=tuple(self.kept))


class _Line(NamedTuple):
    """An entry of the log, the expense as it is now, and the names of the fields that the entry changed."""

    entry: Entry
    row: Row
    names: tuple[str, ...]
    is_respelling: bool  # it changed how the category is spelled, and nothing else

    @classmethod
    def of(cls, entry: Entry, row: Row) -> _Line:
        before = entry.before
        if before is None:
            return cls(entry, row, (), is_respelling=False)
        names = before.differences(entry.content)
        same_key = names == ("category",) and before.category_key == entry.content.category_key
        return cls(entry, row, names, is_respelling=same_key)

    def was(self) -> Content:
        """The expense's content with the fields that the entry changed reverted to their values before it."""
        before = self.entry.before or self.entry.content
        return self.row.content._replace(**{name: getattr(before, name) for name in self.names})

    def is_as_before(self) -> bool:
        """Whether the fields that the entry changed already have their values from before it."""
        live = self.row.deleted_at is None
        if self.entry.before is None or self.entry.after is None:
            return live == (self.entry.before is not None)
        return live and _agrees(self.row, self.entry.before, self.names, spelled=self.is_respelling)

    def is_untouched(self) -> bool:
        """The expense is what it was after the entry: what it was before it is known, the occurrence too."""
        return self.row.content == self.entry.after

    def is_left_alone(self) -> bool:
        """Nobody changed since what the entry changed."""
        live = self.row.deleted_at is None
        if self.entry.before is None:  # it was created or restored
            return live and _agrees(self.row, self.entry.content, FIELDS)
        if self.entry.after is None:  # it was deleted
            return True
        return live and _agrees(self.row, self.entry.after, self.names, spelled=self.is_respelling)


def _agrees(row: Row, content: Content, names: tuple[str, ...], *, spelled: bool = False) -> bool:
    """The expense has these fields of *content*; if *spelled*, in the very same spelling."""
    now = row.content
    if now == content:
        return True
    if not spelled:
        now, content = now.folded(), content.folded()
    return all(getattr(now, name) == getattr(content, name) for name in names)
