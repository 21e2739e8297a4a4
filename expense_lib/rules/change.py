"""A change: what somebody does to any number of expenses at once, decided first and then written as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from expense_lib.domain.content import Content, folded
from expense_lib.domain.rows import ChangeKind, Revision, Row
from expense_lib.rules.claims import Claims
from expense_lib.store import accounts, categories, claims, effects, expenses, imports, log
from expense_lib.store.effects import Effect
from expense_lib.store.tellings import Told
from expense_lib.store.transaction import Transaction


class Edit(NamedTuple):
    """An expense as it is, the content it is to have, and whether its occurrence must be that of *content*.

    If not, it is again the one that the expense had with this content before, else stays what it is; and if
    that is another expense's, it is the next free one.
    """

    row: Row
    content: Content
    exactly: bool = False

    def is_done(self) -> bool:
        """Whether the expense has the content already, but for spelling that does not count."""
        now = self.row.content
        return self.content.equals(now) and not (self.exactly and self.content.occurrence != now.occurrence)

    def needs_a_key(self) -> bool:
        """Whether the content has another dedup key than the expense has now."""
        return self.row.content.occurrence != self.content.occurrence or not self.keeps_identity()

    def keeps_identity(self) -> bool:
        """Whether the content has the identity that the expense has now."""
        return self.content.has_identity_of(self.row.content)

    def with_occurrence(self, occurrence: int | None) -> Edit:
        """The same for this occurrence, or for the one that the expense has now."""
        return self._replace(
            content=self.content._replace(occurrence=occurrence or self.row.content.occurrence)
        )


class _New(NamedTuple):
    """An expense to be added: another part of the payment of *first*, or one of rows of statements."""

    content: Content
    first: Row | None
    told: tuple[Told, ...] = ()


class Change:
    """The next versions of expenses, decided in a snapshot; ``write`` puts them down under the write lock.

    Nothing is written before. What is needed is looked up for all of them at once, so that a change costs a
    handful of statements, whatever its size.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._claims = Claims(tx)
        self._names: dict[str, str] = {}  # the categories that are spelled anew
        self._columns: set[str] = set()  # that the revisions alter
        self._tally = categories.Tally()
        self._owned: list[claims.Owned] = []
        self.revisions: list[Revision] = []
        self.effects: list[Effect] = []
        self._new: list[_New] = []
        self.added: list[int] = []  # the ids of the expenses that writing it added

    def delete(self, rows: Iterable[Row]) -> None:
        """Delete expenses. Their keys stay their own."""
        self._add([Revision(row, row.content, "deleted") for row in rows])

    def hold(self, rows: Iterable[Row], contents: Mapping[int, Content] | None = None) -> None:
        """Have expenses wait for somebody to say what they are; until then they count nowhere.

        Args:
            rows: The expenses.
            contents: What they say from now on, by id, if that is something that they once said.
        """
        contents = contents or {}
        self._add([Revision(row, contents.get(row.id, row.content), "held") for row in rows])

    def merge_again(self, rows: Iterable[Row]) -> None:
        """Have expenses be merged again; an effect says into which."""
        self._add([Revision(row, row.content, "merged") for row in rows])

    def merge(self, rows: Iterable[Row], into: int) -> None:
        """Make expenses one with another, to which their keys lead from now on."""
        found = list(rows)
        self._add([Revision(row, row.content, "merged") for row in found])
        self.effects += [Effect("merged_into", (row.id,), (None,), (into,)) for row in found]

    def put(self, tx: Transaction, kind: str, key: tuple[Any, ...], after: tuple[Any, ...] | None) -> None:
        """Do something beside the versions, unless it is so already."""
        before = effects.get(tx, kind, key)
        if before != after:
            self.effects.append(Effect(kind, key, before, after))

    def restore(self, rows: Sequence[Row]) -> None:
        """Bring deleted expenses back, their categories in today's spelling."""
        names = categories.names(self._tx, {row.content.category_key for row in rows})
        self._add(
            [
                Revision(
                    row,
                    row.content._replace(
                        category=names.setdefault(row.content.category_key, row.content.category)
                    ),
                    "restored",
                )
                for row in rows
            ]
        )

    def edit(self, edits: Iterable[Edit], kind: ChangeKind = "amended") -> None:
        """Give live expenses another content, and that content's key, one after the other.

        One that has it already, but for spelling that does not count, is left alone, unless it is more than
        an amendment. Categories and accounts are spelled as the ledger has them.
        """
        todo = [each for each in edits if kind != "amended" or not each.is_done()]
        self._announce(todo)
        todo = self._with_occurrences(self._spelled(todo))
        if kind == "amended":
            self._said_accounts(todo)
        keys = [each.content.dedup_key() if each.needs_a_key() else None for each in todo]
        self._claims.look_up(filter(None, keys))
        self._claims.look_for_free(
            each.content.identity
            for each, key in zip(todo, keys, strict=True)
            if key is not None and not self.is_free(key, each.row.id)
        )
        self._add(
            [
                Revision(each.row, each.content if key is None else self._claimed(each, key), kind)
                for each, key in zip(todo, keys, strict=True)
            ]
        )

    def add_parts(self, first: Row, contents: Iterable[Content]) -> None:
        """Add further parts of the payment of which *first* is the first, at the next free occurrences."""
        self._new += [_New(content, first) for content in contents]

    def add_waiting(self, told: Sequence[Told], content: Content) -> None:
        """Add an expense for rows of statements that no other expense is to have; it waits."""
        self._new.append(_New(content, None, tuple(told)))

    def respell(self, key: str, name: str) -> None:
        """Spell a category anew for all its expenses. Their content stays the same, and so do their keys."""
        self._names[key] = name
        self._add(
            [
                Revision(row, row.content._replace(category=name), "amended")
                for row in expenses.live_in_category(self._tx, key)
            ]
        )

    def write(self, tx: Transaction) -> int | None:
        """Put the change down. Returns its number; None if there is nothing to write."""
        claims.add(tx, self._owned)
        accounts.add(tx, {revision.content.account for revision in self.revisions})
        number = expenses.revise(tx, self.revisions, self._columns, self._tally.changes())
        for key, name in self._names.items():
            categories.rename(tx, key, name)
        if self._new:
            self._write_new(tx, number)
        if self.effects:
            if number is None:
                number = log.changed_otherwise(tx, "rule")
            effects.put(tx, number, self.effects)
        return number

    def rows(self, tx: Transaction, number: int | None) -> dict[int, Row]:
        """The expenses that it revised, by id, as they are since it was written as *number*."""
        found = expenses.revised(self.revisions, number, tx.at) if self.revisions else {}
        for kind, (expense_id, *_), _, after in self.effects:
            if kind in effects.COLUMNS and expense_id in found and after is not None:
                found[expense_id] = found[expense_id]._replace(**{effects.COLUMNS[kind]: after[0]})
        return found

    def _write_new(self, tx: Transaction, number: int | None) -> None:
        after, last_seq = expenses.last(tx)
        tally, rows, taken = categories.Tally(), [], Claims(tx)
        identities = [new.content.identity for new in self._new]
        taken.announce_free(identities)
        names = categories.names(tx, {new.content.category_key for new in self._new})
        taken.look_for_free(identities)
        for at, (given, first, told) in enumerate(self._new, 1):
            content = given._replace(category=names.setdefault(given.category_key, given.category))
            content = content._replace(occurrence=taken.next_free(content.identity))
            key = content.dedup_key()
            taken.claim(key, after + at)
            row = Row(after + at, content, key, 1, tx.at, tx.at, None, last_seq + at)
            if first is None:
                row = row._replace(deleted_at=tx.at, state="held", entered=0)
            else:
                row = row._replace(entered=first.entered, said_account_key=first.said_account_key)
                tally.count(content.category, content.amount_minor, 1)
                self.effects.append(Effect("part_of", (row.id,), (None,), (first.id,)))
            self.effects += [
                Effect("row", (each.id,), (each.expense_id, each.decided), (row.id, each.decided))
                for each in told
            ]
            rows.append(row)
        owned: list[claims.Owned] = [(row.dedup_key, row.id, None) for row in rows]
        expenses.add(tx, [map(expenses.new_row, rows)], owned, tally.changes(), after, number)
        self.added = [row.id for row in rows]

    def __len__(self) -> int:
        """The number of entries that it adds to the log, if it changes any expense."""
        return len(self.revisions) + len(self._new)

    def claim(self, key: str, expense_id: int) -> bool:
        """Claim *key* for an expense, unless another one owns it. Returns whether it is the expense's now."""
        if self._claims.owner(key) is None:
            self._claims.claim(key, expense_id)
        return self._claims.owner(key) == expense_id

    def is_free(self, key: str, expense_id: int) -> bool:
        """Whether no other expense owns *key*."""
        return self._claims.owner(key) in (None, expense_id)

    def look_up(self, keys: Iterable[str]) -> None:
        """Look up the owners of keys that ``is_free`` will be asked of."""
        self._claims.look_up(keys)

    def _add(self, revisions: list[Revision]) -> None:
        """Add revisions, with all that writing them takes: the less is done while the lock is held."""
        self.revisions += revisions
        self._columns |= expenses.altered(revisions)
        self._tally.revise(revisions)
        self._owned = [(key, owner, None) for key, owner in sorted(self._claims.new.items())]

    def _announce(self, edits: Sequence[Edit]) -> None:
        """Announce what edits will look up, as far as that is known by now."""
        if not self._tx.is_remote:
            return
        categories.announce(self._tx, dict.fromkeys(each.content.category_key for each in edits))
        accounts.announce(self._tx, [each.content.account for each in edits])
        log.announce_versions(self._tx, [*self._moved(edits)])
        settled = [each if each.exactly else each.with_occurrence(None) for each in edits]
        self._claims.announce(each.content.dedup_key() for each in settled if each.needs_a_key())

    def _said_accounts(self, edits: Sequence[Edit]) -> None:
        """Keep the accounts that persons say from now on, unless the change says already whose they were."""
        decided = {each.key for each in self.effects if each.kind == "said_account"}
        for row, content, _ in edits:
            said = None if content.account is None else folded(content.account)
            is_same = content.has_account_of(row.content) or said == row.said_account_key
            if not is_same and (row.id,) not in decided:
                self.effects.append(Effect("said_account", (row.id,), (row.said_account_key,), (said,)))

    def _spelled(self, edits: Sequence[Edit]) -> list[Edit]:
        """The same with categories and accounts as the ledger spells them."""
        names = categories.names(self._tx, dict.fromkeys(each.content.category_key for each in edits))
        known = accounts.spelled(self._tx, dict.fromkeys(each.content.account for each in edits))
        found = []
        for each in edits:
            content = each.content
            category, account = (
                names.setdefault(content.category_key, content.category),
                known[content.account],
            )
            if (category, account) != (content.category, content.account):
                content = content._replace(category=category, account=account)
                each = each._replace(content=content)  # noqa: PLW2901 - the same, spelled otherwise
            found.append(each)
        return found

    def _with_occurrences(self, edits: Sequence[Edit]) -> list[Edit]:
        """The same with the occurrence that each expense had when it last had this identity, else has now."""
        moved = self._moved(edits)
        before: dict[int, int] = {}
        for expense_id, *fields in log.versions(self._tx, [*moved]):
            version = Content(*fields)
            if version.has_identity_of(moved[expense_id]):
                before[expense_id] = version.occurrence
        return [each if each.exactly else each.with_occurrence(before.get(each.row.id)) for each in edits]

    @staticmethod
    def _moved(edits: Iterable[Edit]) -> dict[int, Content]:
        """The contents of those that may have had them before, by expense."""
        return {
            each.row.id: each.content
            for each in edits
            if each.row.version > 1 and not each.exactly and not each.keeps_identity()
        }

    def _claimed(self, edit: Edit, key: str) -> Content:
        """The content with an occurrence that is this expense's, whose key it owns from now on."""
        content = edit.content
        if not self.is_free(key, edit.row.id):
            content = content._replace(occurrence=self._claims.next_free(content.identity))
            key = content.dedup_key()
        if self._claims.owner(key) is None:
            self._claims.claim(key, edit.row.id)
        return content


class Fresh:
    """A decision that holds as long as nothing at all was written since it was made."""

    def holds(self, tx: Transaction, decided_at: imports.Position) -> bool:
        """Whether nothing was written since."""
        return imports.position(tx) == decided_at
