"""Matches the rows of a statement with the ledger, in one snapshot: which are known, which are new."""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from itertools import groupby

from expense_lib.domain.content import Content
from expense_lib.domain.keys import KEY_PREFIX, is_key
from expense_lib.domain.keys import digest as key_digest
from expense_lib.domain.rows import Entry
from expense_lib.domain.text import fold
from expense_lib.rules.claims import Claims
from expense_lib.rules.importing.payments import (
    DIGEST_BYTES,
    TELL_EVERY,
    Payments,
    entry,
    position_of,
    repeats,
    split,
)
from expense_lib.store import accounts, categories, category_rules, claims, imports, log
from expense_lib.store.imports import Position
from expense_lib.store.ledger_id import ledger_id
from expense_lib.store.transaction import Transaction

SIMILAR_DAYS = 3
_FEW = 1_000  # lines of the log

# What becomes of a row, as a byte.
NEW, BACK, EXISTING, CHANGED, DELETED, SKIPPED = range(6)

_JOINED = "An expense of this amount, date and description is there."
_COMES_BACK = "It comes back as it was before its import was undone."
_OWN = "It is named by its dedup key."
_OWN_DELETED = "It is named by its dedup key; it was deleted and stays so."
_LEFT_OUT = "It was asked to leave such rows out."


class Decision:
    """The verdict on each row, and all that is needed to write it. Rows are named by their position.

    Attributes:
        what: What becomes of each row, as one of the bytes above.
        expense_ids: Whose expense it is; 0 for none, or for none yet.
        whys: Why, where that is particular.
        categories: Each row's category, as it is spelled.
        sources: Where each category is from, in a sentence.
        similar: The expenses that rows look like.
        new: The rows that are new, by date and their order in the file.
        back: The rows whose expenses come back.
        joined: The rows that take an expense without an identity.
        replaced: Expenses of undone imports whose identities rows of this one take.
        keys: The dedup keys' digests of the new rows, followed by their positions; sorted.
        occurrences: The occurrences of the new rows, where that is not 1.
        accounts: How each account is spelled, by how the rows spell it; None for none.
    """

    def __init__(self, tx: Transaction, payments: Payments, *, skip_similar: bool) -> None:
        self.tx, self.payments, self.skip_similar = tx, payments, skip_similar
        self.what = bytearray(payments.size)
        self.expense_ids = array("q", bytes(8 * payments.size))
        self.whys: dict[int, str] = {}
        for position, why in payments.unfit.items():
            self.settle(position, SKIPPED, 0, why)
        self.categories, self.sources = self._categorise()
        self.category_keys = {name: fold(name) for name in set(self.categories)}
        self.copies = self._find_copies()
        undone = self._recognise()
        self._recognise_own(undone)
        self.joined = self._join_recorded()
        self.back = self._bring_back(undone)
        self.similar = self._find_similar(skip=skip_similar)
        self.new = self._undecided()
        self.replaced = [
            undone[position].expense_id for position in (*self.new, *self.joined) if position in undone
        ]
        self.keys, self.occurrences = self._find_keys()
        named = dict.fromkeys(account or None for account in payments.rows.accounts)
        self.accounts = accounts.spelled(tx, named)

    def settle(self, position: int, what: int, expense_id: int = 0, why: str = "") -> None:
        """Say what becomes of a row."""
        self.what[position] = what
        self.expense_ids[position] = expense_id
        if why:
            self.whys[position] = why

    def settle_copies(self) -> None:
        """Say of rows with the reference of an earlier one what is said of that, if they say the same."""
        payments, rows = self.payments, self.payments.rows
        for position, first in self.copies:
            same = (payments.minor[position], rows.days[position], rows.descriptions[position]) == (
                payments.minor[first],
                rows.days[first],
                rows.descriptions[first],
            )
            if not same:
                why = "An earlier line has its reference, with another amount, date or description."
                self.settle(position, CHANGED, self.expense_ids[first], f"{why} Nothing was written.")
            else:
                what = self.what[first] if self.what[first] in (CHANGED, DELETED, SKIPPED) else EXISTING
                self.settle(
                    position,
                    what,
                    self.expense_ids[first],
                    "An earlier line is the same, with its reference.",
                )

    def holds(self, tx: Transaction, decided_at: Position) -> bool:
        """It would be the same after what was written since *decided_at*.

        Others may have entered what no row of the statement has to do with. Anything else, or much, is
        decided anew.
        """
        now = imports.position(tx)
        if now == decided_at:
            return True
        entries = list(log.since(tx, decided_at.last_seq, _FEW + 1))
        if now[1:] != decided_at[1:] or len(entries) > _FEW or self.skip_similar:
            return False
        matched, category_keys = {*self.expense_ids, *self.replaced}, set(self.category_keys.values())
        return not any(
            logged.expense_id in matched
            or self._takes_its_category(logged, category_keys)
            or (logged.content.account and self._spells_otherwise(logged.content.account))
            or self._may_be(logged.content)
            for logged, _ in entries
        )

    def _takes_its_category(self, logged: Entry, category_keys: set[str]) -> bool:
        """Whether a category of the rows is spelled otherwise by now, or an expense has left it."""
        now = logged.content.category_key
        return (now in category_keys and logged.content.category not in self.category_keys) or (
            logged.before is not None and logged.before.category_key in category_keys - {now}
        )

    def _may_be(self, content: Content) -> bool:
        """Whether an expense has the key of a new row, or its day, amount and description."""
        payments, rows = self.payments, self.payments.rows
        key = bytes.fromhex(content.dedup_key().removeprefix(KEY_PREFIX))
        at = bisect_left(self.keys, key)
        if at < len(self.keys) and split(self.keys[at])[0] == key:
            return True
        day, day_of = dt.date.fromisoformat(content.date).toordinal(), rows.days.__getitem__
        same_day = self.new[bisect_left(self.new, day, key=day_of) : bisect_right(self.new, day, key=day_of)]
        amount_and_text = content.amount_minor, content.description
        return any((payments.minor[at], rows.descriptions[at]) == amount_and_text for at in same_day)

    def _spells_otherwise(self, account: str) -> bool:
        """Whether the rows' new spelling of an account is not the one that the ledger has by now."""
        return any(fold(each) == fold(account) and each != account for each in self.accounts.values() if each)

    def _undecided(self) -> list[int]:
        """The rows that are new as far as is known, by date and place in the file."""
        new = [position for position, what in enumerate(self.what) if what == NEW]
        new.sort(key=self.payments.rows.days.__getitem__)
        return new

    def _categorise(self) -> tuple[list[str], list[str]]:
        """Each row's category: its column's, a rule's, that of its description before, or the default one."""
        payments, rows = self.payments, self.payments.rows
        by_text = [(fold(text), text, category) for _, text, category in category_rules.listed(self.tx)]
        uncategorised = {
            description
            for description, category in zip(rows.descriptions, rows.categories, strict=True)
            if category is None
        }
        by_rule: dict[str, tuple[str, str]] = {}
        unruled: dict[str, str] = {}
        for description in uncategorised:
            key = fold(description)
            rule = next((rule for rule in by_text if rule[0] in key), None)
            if rule is None:
                unruled[description] = key
            else:
                by_rule[description] = rule[2], f"Its category is by the rule for {rule[1]!r}."
        names = categories.names(self.tx)
        before = imports.last_categories(self.tx, set(unruled.values()))
        for description, key in unruled.items():
            if key in before:
                by_rule[description] = names[before[key]], "Its category is as this description had before."
        default = payments.plan.default_category, "Its category is the default one."
        spelled: dict[str, str] = {}
        found: list[str] = []
        sources: list[str] = []
        for description, category in zip(rows.descriptions, rows.categories, strict=True):
            if category is None:
                category, from_where = by_rule.get(description, default)  # noqa: PLW2901 - the row's
            else:
                from_where = "Its category is the statement's."
            name = spelled.get(category)
            if name is None:
                name = spelled[category] = names.setdefault(fold(category), category)
            found.append(name)
            sources.append(from_where)
        return found, sources

    def _find_copies(self) -> list[tuple[int, int]]:
        """Rows with the reference of an earlier row, each with the first of those."""
        copies: list[tuple[int, int]] = []
        first, last = -1, b""
        for digest, position in map(split, self.payments.entries):
            if digest == last:
                copies.append((position, first))
                self.settle(position, EXISTING)
            else:
                first, last = position, digest
        return copies

    def _recognise(self) -> dict[int, imports.Known]:
        """Settle the rows whose identity is known. Returns those that were undone with their import."""
        undone: dict[int, imports.Known] = {}
        entries, rows = self.payments.entries, self.payments.rows
        for seen in imports.known(self.tx, (each[:DIGEST_BYTES] for each in entries)):
            position = position_of(entries[bisect_left(entries, seen.identity)])
            if seen.undone:
                undone[position] = seen
            elif seen.deleted:
                self.settle(position, DELETED, seen.expense_id)
            else:
                now = seen.amount_minor, seen.description, seen.date
                same = rows.references[position] is None or self._has_content(position, seen.expense_id, now)
                self.settle(position, EXISTING if same else CHANGED, seen.expense_id)
        return undone

    def _recognise_own(self, undone: dict[int, imports.Known]) -> None:
        """Rows of an export: their references are dedup keys, which this ledger may have given out."""
        named: dict[str, list[int]] = defaultdict(list)
        of_this_ledger = f"{ledger_id(self.tx)}/"
        for position, reference in enumerate(self.payments.rows.references):
            if (
                reference is not None
                and self.what[position] == NEW
                and position not in undone
                and is_key(key := reference.removeprefix(of_this_ledger))
            ):
                named[key].append(position)
        matched = set(self.expense_ids)
        for key, owner in claims.owning(self.tx, sorted(named)):
            for position in named[key]:
                if owner.id in matched:
                    continue  # it is another row's, which was recorded here under this key
                matched.add(owner.id)
                if owner.deleted_at is not None:
                    self.settle(position, DELETED, owner.id, _OWN_DELETED)
                else:
                    now = owner.content
                    same = self._has_content(
                        position, owner.id, (now.amount_minor, now.description, now.date)
                    )
                    self.settle(position, EXISTING if same else CHANGED, owner.id, _OWN if same else "")

    def _bring_back(self, undone: dict[int, imports.Known]) -> list[int]:
        """Settle rows that would make the same as what was undone with their import: that comes back."""
        back = []
        for position, seen in undone.items():
            if self.what[position] == NEW and self._would_be(position, seen):
                self.settle(position, BACK, seen.expense_id, _COMES_BACK)
                back.append(position)
        return back

    def _has_content(self, position: int, expense_id: int, now: tuple[int, str, str]) -> bool:
        """The expense has what the row says, as it is *now* or as it once was."""
        payments = self.payments
        says = payments.minor[position], payments.rows.descriptions[position], payments.date(position)
        return now == says or any(
            (entry.content.amount_minor, entry.content.description, entry.content.date) == says
            for entry in log.history(self.tx, expense_id)
        )

    def _would_be(self, position: int, seen: imports.Known) -> bool:
        """The expense is what the row would make, its category included."""
        payments = self.payments
        return (seen.amount_minor, seen.description, seen.date, seen.category_key) == (
            payments.minor[position],
            self.payments.rows.descriptions[position],
            payments.date(position),
            fold(self.categories[position]),
        )

    def _join_recorded(self) -> list[int]:
        """Let new rows take live expenses of equal amount, date and description that have no identity yet."""
        payments, rows = self.payments, self.payments.rows
        joined: list[int] = []
        new = self._undecided()
        if not new:
            return joined
        waiting = groupby(
            imports.without_identity(self.tx, payments.date(new[0]), payments.date(new[-1])),
            key=lambda expense: expense[0],
        )
        day, expenses = next(waiting, ("", iter(())))
        for date, positions in groupby(new, key=payments.date):
            while day and day < date:
                day, expenses = next(waiting, ("", iter(())))
            if day != date:
                continue
            there: defaultdict[tuple[int, str], deque[int]] = defaultdict(deque)
            for _, expense_id, minor, description in expenses:
                there[minor, description].append(expense_id)
            for position in positions:
                same = there.get((payments.minor[position], rows.descriptions[position]))
                if same:
                    self.settle(position, EXISTING, same.popleft(), _JOINED)
                    joined.append(position)
        return joined

    def _find_similar(self, *, skip: bool) -> dict[int, int]:
        """New rows that may be an expense that no row of the file is; the nearest are told first."""
        payments, rows = self.payments, self.payments.rows
        similar: dict[int, int] = {}
        new = self._undecided()
        if not new:
            return similar
        matched, amounts = set(self.expense_ids), {payments.minor[position] for position in new}
        there: defaultdict[tuple[int, int], dict[str, deque[int]]] = defaultdict(dict)
        for date, expense_id, minor, text in imports.live(
            self.tx,
            _shifted(rows.days[new[0]], -SIMILAR_DAYS),
            _shifted(rows.days[new[-1]], SIMILAR_DAYS),
            set(rows.accounts) if skip else None,
        ):
            if minor in amounts and expense_id not in matched:
                day = dt.date.fromisoformat(date).toordinal()
                there[minor, day].setdefault(text, deque()).append(expense_id)
        if not there:
            return similar
        for distance in (0, *(sign * days for days in range(1, SIMILAR_DAYS + 1) for sign in (-1, 1))):
            for position in new:
                if position in similar:
                    continue
                by_text = there.get((payments.minor[position], rows.days[position] + distance))
                if by_text:
                    key = fold(rows.descriptions[position]) if distance else None
                    other = next((text for text in by_text if text != key), None)
                    if other is not None:
                        similar[position] = by_text[other].popleft()
                        if not by_text[other]:
                            del by_text[other]
        if skip:
            for position in similar:
                self.settle(position, SKIPPED, 0, _LEFT_OUT)
        return similar

    def _find_keys(self) -> tuple[list[bytes], dict[int, int]]:
        """The keys of the new rows, each at the next free occurrence, and the occurrences that are not 1."""
        payments, rows = self.payments, self.payments.rows
        keys = [
            entry(
                key_digest(
                    payments.minor[position],
                    self.category_keys[self.categories[position]],
                    rows.descriptions[position],
                    payments.date(position),
                    1,
                ),
                position,
            )
            for position in self.new
        ]
        keys.sort()
        taken = {key for key, _ in claims.owners(self.tx, map(as_key, keys))}
        later = {at for at, _ in repeats(keys)}
        if taken:
            later.update(at for at, key in enumerate(keys) if as_key(key) in taken)
        occurrences: dict[int, int] = {}
        last: dict[bytes, int] = {}
        changed: list[tuple[int, bytes]] = []
        ordered = sorted(later)  # equal rows are neighbours
        for begin in range(0, len(ordered), TELL_EVERY):
            batch = ordered[begin : begin + TELL_EVERY]
            free = Claims(self.tx)  # anew for each batch: a statement may have very many equal rows
            free.look_for_free(
                payments.identity(position, self.category_keys[self.categories[position]])
                for position in (position_of(keys[at]) for at in batch)
            )
            for at in batch:
                digest, position = split(keys[at])
                identity = payments.identity(position, self.category_keys[self.categories[position]])
                after = last.get(digest, 0 if as_key(keys[at]) in taken else 1)
                occurrence = last[digest] = occurrences[position] = free.next_free(identity, after)
                key = identity.dedup_key(occurrence).removeprefix(KEY_PREFIX)
                changed.append((at, entry(bytes.fromhex(key), position)))
        for at, key_entry in changed:
            keys[at] = key_entry
        keys.sort()
        return keys, occurrences


def as_key(together: bytes) -> str:
    """The dedup key that an entry begins with."""
    return KEY_PREFIX + together[:DIGEST_BYTES].hex()


def _shifted(day: int, days: int) -> str:
    """The ISO date of a day some days later, or of the calendar's end."""
    return dt.date.fromordinal(min(max(day + days, 1), dt.date.max.toordinal())).isoformat()
