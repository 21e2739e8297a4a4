"""The rules of undoing: a change is put back wherever nobody changed the same since."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal, NamedTuple

from expense_lib.domain.content import FIELDS, Content
from expense_lib.domain.errors import BuiltUpon, ChangedSince, ChangeNotFound, ImportNotFound
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.results import Undone
from expense_lib.domain.rows import Entry, Row, State
from expense_lib.rules import settlement
from expense_lib.rules.change import Change, Edit, Fresh
from expense_lib.store import accounts, effects, expenses, imports, log
from expense_lib.store.effects import Effect
from expense_lib.store.transaction import Transaction

_OF_EXPENSES = {"row", "entered", "state", "merged_into", "part_of", "whole_minor"}  # go with the versions


def undo(tx: Transaction, number: int) -> Undo | UndoImport:
    """The undo of the change of this number; what an import did to older expenses is undone with it."""
    if not 1 <= number <= MAX_ID:
        raise ChangeNotFound(number)
    imports.announce_of_change(tx, number)
    log.announce_change(tx, number)
    effects.announce(tx, number)
    import_id = imports.of_change(tx, number)
    return Undo(tx, number) if import_id is None else UndoImport(tx, import_id)


class Undo(Fresh):
    """The undo of a change, field by field, wherever nobody changed the same field later.

    It is done once: what is undone already stays so until that undo is undone.

    An expense that was undone with its import, and whose payment was imported anew since, is kept deleted.

    Raises:
        ChangeNotFound: there is no such entry in the log.
        ChangedSince: everything that it changed was changed again.
    """

    def __init__(self, tx: Transaction, number: int) -> None:
        self.entries = log.change(tx, number)
        if not self.entries:
            raise ChangeNotFound(number)
        self.number = self.entries[0].number
        self.change = Change(tx)
        self.undone: list[int] = []
        self.kept: list[int] = []
        self.settled: dict[int, Row] = {}  # expenses of which another pairing may follow
        todo = self._todo(tx)
        if effects.get(tx, "undone", (self.number,)) is not None:
            self.kept = [line.row.id for line in todo]
        else:
            self._revert_effects(tx)
            self._decide(tx, todo)
        belongs_together = {each.kind for each in self.change.effects} & _OF_EXPENSES
        if self.kept and (belongs_together or len(self.kept) == len(self.entries)):
            raise ChangedSince(self.kept)
        if self.change.effects or self.change.revisions:
            self.change.put(tx, "undone", (self.number,), (1,))

    def write(self, tx: Transaction) -> Undone:
        """Put it back."""
        settlement.announce(tx, self._touched(tx, None).values())
        number = self.change.write(tx)
        imports.mark_redone(tx, self.number)
        settlement.settle_rows(tx, self._touched(tx, number))
        return Undone(number=number, undone=tuple(self.undone), kept=tuple(self.kept))

    def _touched(self, tx: Transaction, number: int | None) -> dict[int, Row]:
        """The expenses of which another pairing may follow, as they are when it is written as *number*."""
        now = self.change.rows(tx, number)
        return {expense_id: now.get(expense_id, row) for expense_id, row in self.settled.items()}

    def _revert_effects(self, tx: Transaction) -> None:
        """What the change did beside the versions, each unless it is so already; parts stay parts."""
        earlier = {entry.expense_id: entry.earlier_state for entry in self.entries}
        for each in effects.of(tx, self.number):
            if each.kind == "part_of":
                continue
            now = effects.get(tx, each.kind, each.key)
            if now == each.before or (each.kind == "said_account" and now != each.after):
                continue
            later = effects.later(tx, self.number, each)
            if now != each.after and later is not None:
                raise BuiltUpon(self.number, later)
            before = each.before
            if before == ("deleted",):  # of a skip as it was kept once: that is what it was on the way
                before = (earlier[each.key[0]],)
            self.change.effects.append(Effect(each.kind, each.key, now, before))

    def _todo(self, tx: Transaction) -> list[_Line]:
        """The entries after which something is not as it was before them."""
        entries = [entry for entry in self.entries if entry.kind not in ("rule", "import")]
        rows = expenses.find_all(tx, [entry.expense_id for entry in entries])
        return [
            line for entry in entries if not (line := _Line.of(entry, rows[entry.expense_id])).is_as_before()
        ]

    def _decide(self, tx: Transaction, todo: list[_Line]) -> None:
        """Sort the expenses by what is to be done with each: what differs from before is undone or kept."""
        moved = imports.moved(tx, self.number)
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
        by_state: defaultdict[str, list[_Line]] = defaultdict(list)
        for line in possible:
            by_state[line.turn()].append(line)
        if not {entry.kind for entry in self.entries} & {"held", "merged"}:
            self.settled = {line.row.id: line.row for line in possible if line.entry.earlier != "held"}
        self.change.delete(line.row for line in by_state["deleted"])
        self.change.restore([line.row for line in by_state["live"]])
        held = by_state["held"]
        self.change.hold((line.row for line in held), {line.row.id: line.was() for line in held})
        self.change.merge_again(line.row for line in by_state["merged"])
        edited = by_state[""]
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
    """The undo of an import: it tells of nothing any more, and what it alone told of goes.

    That is deleted if nobody changed it. What a person told of too stays, with the account that the person
    gave. What other imports list stays theirs. What is undone already stays so.

    Raises:
        ImportNotFound: there is no such import.
    """

    def __init__(self, tx: Transaction, import_id: int) -> None:
        found = imports.find(tx, import_id) if 1 <= import_id <= MAX_ID else None
        if found is None:
            raise ImportNotFound(import_id)
        self.found = found
        self.change = Change(tx)
        rows = expenses.find_all(tx, imports.alone(tx, import_id) if found.undone_at is None else ())
        others = [row for row in rows.values() if not row.entered and row.state in ("live", "held")]
        edited = _edited(tx, [row for row in others if row.version > 1])
        self.undone = [row.id for row in others if row.id not in edited]
        gone = {row.id for row in rows.values() if not row.entered and row.state == "deleted"}
        self.kept = sorted(edited | gone)
        self.change.delete(rows[expense_id] for expense_id in self.undone)
        self.freed = [row.id for row in rows.values() if row.entered and row.state == "live"]
        spelled = accounts.by_key(tx) if self.freed else {}
        said = {each: rows[each].said_account_key for each in self.freed}
        self.change.edit(
            Edit(rows[each], rows[each].content._replace(account=key and spelled.get(key, key)))
            for each, key in said.items()
        )

    def write(self, tx: Transaction) -> Undone:
        """Undo it."""
        number = self.change.write(tx)
        if self.found.undone_at is None:
            number = number or log.changed_otherwise(tx, "import")
            imports.mark_undone(tx, self.found.id, number)
            settlement.settle(tx, self.freed)
        return Undone(number=number, undone=tuple(self.undone), kept=tuple(self.kept))


def _edited(tx: Transaction, rows: list[Row]) -> set[int]:
    """Those of the expenses that are not as they were first."""
    now = {row.id: row for row in rows}
    first: dict[int, Content] = {}
    for expense_id, *fields in log.versions(tx, sorted(now)):
        first.setdefault(expense_id, Content(*fields))
    return {each for each, content in first.items() if not _agrees(now[each], content, FIELDS)}


class _Line(NamedTuple):
    """An entry of the log, the expense as it is now, and the names of the fields that the entry changed."""

    entry: Entry
    row: Row
    names: tuple[str, ...]
    is_respelling: bool  # it changed how the category is spelled, and nothing else

    @classmethod
    def of(cls, entry: Entry, row: Row) -> _Line:
        before = entry.earlier_content if entry.kind == "joined" else entry.before
        if before is None:
            return cls(entry, row, (), is_respelling=False)
        names = before.differences(entry.content)
        same_key = names == ("category",) and before.category_key == entry.content.category_key
        return cls(entry, row, names, is_respelling=same_key)

    def was(self) -> Content:
        """The expense's content with the fields that the entry changed reverted to their values before it."""
        before = self.entry.earlier_content or self.entry.content
        return self.row.content._replace(**{name: getattr(before, name) for name in self.names})

    def turn(self) -> State | Literal[""]:
        """The state that the expense is to have again; empty if the entry left it live and changed fields."""
        before = self.entry.earlier_state
        return "" if before == "live" == self.entry.state else before

    def is_as_before(self) -> bool:
        """Whether the fields that the entry changed already have their values from before it."""
        live = self.row.deleted_at is None
        if self.turn():
            return self.row.state == self.turn() or (self.entry.earlier is None and not live)
        before = self.entry.before or self.entry.content
        return live and _agrees(self.row, before, self.names, spelled=self.is_respelling)

    def is_untouched(self) -> bool:
        """The expense is what it was after the entry: what it was before it is known, the occurrence too."""
        return self.row.content == self.entry.after

    def is_left_alone(self) -> bool:
        """Nobody changed since what the entry changed."""
        live = self.row.deleted_at is None
        if self.entry.before is None and self.entry.after is not None:  # it was created or restored
            return live and _agrees(self.row, self.entry.content, FIELDS)
        if self.entry.after is None:  # it was deleted, held or merged
            return self.row.state in (self.entry.state, "skipped")
        return live and _agrees(self.row, self.entry.after, self.names, spelled=self.is_respelling)


def _agrees(row: Row, content: Content, names: tuple[str, ...], *, spelled: bool = False) -> bool:
    """The expense has these fields of *content*; if *spelled*, in the very same spelling."""
    now = row.content
    if now == content:
        return True
    if not spelled:
        now, content = now.folded(), content.folded()
    return all(getattr(now, name) == getattr(content, name) for name in names)
