"""The rules of undoing: a deed is put back wherever nobody changed the same since."""

from __future__ import annotations

import sqlite3

from expense_lib.domain.errors import ChangedSince, ChangeNotFound, ImportNotFound
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.results import Undone
from expense_lib.domain.text import fold
from expense_lib.rules.editing import Deed
from expense_lib.rules.recording import found
from expense_lib.store import expenses, imports, queries
from expense_lib.store.expenses import Row
from expense_lib.store.queries import Logged, Snapshot


def undo(con: sqlite3.Connection, number: int) -> Undone:
    """Put back what a deed changed, wherever nobody changed the same since. Undone already, it stays so.

    An expense that was undone with its import, and whose payment was imported anew since, is kept deleted.

    Raises:
        ChangeNotFound: there is no such line in the log.
        ChangedSince: everything that it changed was changed again.
    """
    lines = queries.deed(con, number) if 1 <= number <= MAX_ID else []
    if not lines:
        raise ChangeNotFound(number)
    deed = Deed(con)
    undone: list[int] = []
    kept: list[int] = []
    moved = imports.moved(con, lines[0].number)
    todo = [line for line in lines if not _is_as_before(line, found(con, line.expense_id))]
    for line in todo:
        row = found(con, line.expense_id)
        done = row.id not in moved and (_is_as_before(line, row) or _put_back(deed, line, row))
        (undone if done else kept).append(row.id)
    if len(kept) == len(lines):
        raise ChangedSince(kept)
    imports.mark_redone(con, lines[0].number)
    return Undone(number=deed.number, undone=tuple(undone), kept=tuple(kept))


def undo_import(con: sqlite3.Connection, import_id: int) -> Undone:
    """Delete what an import brought and nobody changed since; the identities of those rows are free again.

    Those that were changed keep theirs, so that importing again does not double them. What is undone
    already stays so.

    Raises:
        ImportNotFound: there is no such import.
    """
    of = imports.find(con, import_id) if 1 <= import_id <= MAX_ID else None
    if of is None:
        raise ImportNotFound(import_id)
    deed = Deed(con)
    undone: list[int] = []
    kept: list[int] = []
    for expense_id, seq, untouched in imports.brought(con, of):
        row = found(con, expense_id)
        if untouched or _is_as_brought(con, row, seq):
            deed.delete(row)
            undone.append(expense_id)
        else:
            kept.append(expense_id)
    if undone or of.undone_at is None:
        imports.mark_undone(con, of, undone, deed.at, deed.number)
    return Undone(number=deed.number, undone=tuple(undone), kept=tuple(kept))


def _is_as_brought(con: sqlite3.Connection, row: Row, seq: int) -> bool:
    """The expense is live and has the content that line *seq* logged."""
    line = next(line for line in queries.history(con, row.id) if line.seq == seq)
    return row.deleted_at is None and _agrees(row, line.content, Snapshot._fields)


def _put_back(deed: Deed, line: Logged, row: Row) -> bool:
    """Make one expense what it was before *line*, unless the same was changed since."""
    live = row.deleted_at is None
    if line.before is None:  # it was created or restored
        left_alone = live and _agrees(row, line.content, Snapshot._fields)
        if left_alone:
            deed.delete(row)
    elif line.after is None:  # it was deleted
        left_alone = True
        deed.restore(row)
    else:
        left_alone = live and _agrees(row, line.after, _changed(line), respelled=_is_respelling(line))
        if left_alone:
            left_alone = _put_fields_back(deed, line, line.before, row)
    return left_alone


def _put_fields_back(deed: Deed, line: Logged, before: Snapshot, row: Row) -> bool:
    """Give the fields that *line* changed their old values, unless another expense has the old occurrence."""
    if _is_respelling(line):
        deed.respell(row.category_key, before.category)
        return True
    changed = _changed(line)
    was = Snapshot.of(row)._replace(**{name: getattr(before, name) for name in changed})
    occurrence = before.occurrence if "occurrence" in changed else None
    if occurrence is not None:
        claim = expenses.claim(deed.con, was.content().dedup_key(occurrence))
        if claim is not None and claim.owner.id != row.id:
            return False
    deed.edit(row, was.content(), was.category, occurrence)
    return True


def _is_as_before(line: Logged, row: Row) -> bool:
    """What *line* changed is as it was before it."""
    live = row.deleted_at is None
    if line.before is None or line.after is None:
        return live == (line.before is not None)
    return live and _agrees(row, line.before, _changed(line), respelled=_is_respelling(line))


def _agrees(row: Row, snapshot: Snapshot, names: tuple[str, ...], *, respelled: bool = False) -> bool:
    """The expense has the values of *snapshot* in these fields; spelling counts where it is what changed."""
    now = Snapshot.of(row)
    if not respelled:
        now, snapshot = (each._replace(category=fold(each.category)) for each in (now, snapshot))
    return all(getattr(now, name) == getattr(snapshot, name) for name in names)


def _changed(line: Logged) -> tuple[str, ...]:
    """The fields that an edit changed."""
    before = line.before or line.content
    return tuple(name for name in Snapshot._fields if getattr(before, name) != getattr(line.content, name))


def _is_respelling(line: Logged) -> bool:
    """The edit changed how the category is spelled, and nothing else."""
    before = line.before or line.content
    return _changed(line) == ("category",) and fold(before.category) == fold(line.content.category)
