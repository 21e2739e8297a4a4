"""The rules of undoing: a change is put back wherever nobody changed the same since."""

from __future__ import annotations

from expense_lib.domain.content import FIELDS, Content
from expense_lib.domain.errors import ChangedSince, ChangeNotFound, ImportNotFound
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.results import Undone
from expense_lib.domain.rows import Entry, Row
from expense_lib.rules.change import Change, Edit, Fresh
from expense_lib.store import expenses, imports, log
from expense_lib.store.transaction import Transaction


class Undo(Fresh):
    """What a change did, to be put back wherever nobody changed the same since. Undone already, it stays so.

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
            (entry, rows[entry.expense_id])
            for entry in self.entries
            if not _is_as_before(entry, rows[entry.expense_id])
        ]
        self.change.look_up(
            _was(entry, row).dedup_key() for entry, row in todo if "occurrence" in _changed(entry)
        )
        possible = [
            (entry, row) for entry, row in todo if row.id not in moved and self._is_left_alone(entry, row)
        ]
        done = {row.id for _, row in possible}
        for _, row in todo:
            (self.undone if row.id in done else self.kept).append(row.id)
        self._put_back(possible)

    def _is_left_alone(self, entry: Entry, row: Row) -> bool:
        """Nobody changed since what the entry changed, and its old occurrence is no other expense's."""
        live = row.deleted_at is None
        if entry.before is None:  # it was created or restored
            return live and _agrees(row, entry.content, FIELDS)
        if entry.after is None:  # it was deleted
            return True
        names = _changed(entry)
        if not (live and _agrees(row, entry.after, names, spelled=_is_respelling(entry))):
            return False
        return "occurrence" not in names or self.change.is_free(_was(entry, row).dedup_key(), row.id)

    def _put_back(self, possible: list[tuple[Entry, Row]]) -> None:
        self.change.delete(row for entry, row in possible if entry.before is None)
        self.change.restore([row for entry, row in possible if entry.after is None])
        edited = [(entry, row) for entry, row in possible if entry.before and entry.after]
        self.change.edit(
            Edit(row, _was(entry, row), exactly="occurrence" in _changed(entry))
            for entry, row in edited
            if not _is_respelling(entry)
        )
        respelled = {
            row.content.category_key: entry.before.category
            for entry, row in edited
            if entry.before and _is_respelling(entry)
        }
        for key, name in respelled.items():
            self.change.respell(key, name)


class UndoImport(Fresh):
    """What an import brought and nobody changed since, to be deleted; its rows' identities are free again.

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


def _was(entry: Entry, row: Row) -> Content:
    """What the expense is, with the fields that the entry changed as they were before it."""
    before = entry.before or entry.content
    return row.content._replace(**{name: getattr(before, name) for name in _changed(entry)})


def _is_as_before(entry: Entry, row: Row) -> bool:
    """What the entry changed is as it was before it."""
    live = row.deleted_at is None
    if entry.before is None or entry.after is None:
        return live == (entry.before is not None)
    return live and _agrees(row, entry.before, _changed(entry), spelled=_is_respelling(entry))


def _agrees(row: Row, content: Content, names: tuple[str, ...], *, spelled: bool = False) -> bool:
    """The expense has these fields of *content*; if *spelled*, in the very same spelling."""
    now = row.content
    if not spelled and now != content:
        now, content = now.folded(), content.folded()
    return all(getattr(now, name) == getattr(content, name) for name in names)


def _changed(entry: Entry) -> tuple[str, ...]:
    """The fields that an edit changed."""
    return () if entry.before is None else entry.before.differences(entry.content)


def _is_respelling(entry: Entry) -> bool:
    """The edit changed how the category is spelled, and nothing else."""
    before = entry.before or entry.content
    return _changed(entry) == ("category",) and before.category_key == entry.content.category_key
