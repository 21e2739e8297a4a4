"""Decides what becomes of each row of a statement, in one snapshot: verdicts, and all that is to be written.

The verdicts are given in the order of the rules, each to all rows before the next is looked at: rows that are
known (``recognition``), those to be left out, what somebody said of them, what the bank made of rows that are
gone, what persons told of (``expense_lib.rules.matching``), corrections; and the rest is new.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from expense_lib.domain.content import Content, folded
from expense_lib.domain.errors import FieldError, InvalidInput
from expense_lib.domain.keys import is_key
from expense_lib.domain.rows import Row
from expense_lib.domain.statement import Said, not_a_row
from expense_lib.domain.text import fold
from expense_lib.rules import suggestions, undecided
from expense_lib.rules.change import Change, Edit
from expense_lib.rules.importing import occurrences
from expense_lib.rules.importing.payments import Payments
from expense_lib.rules.importing.recognition import Match, Recognition
from expense_lib.rules.matching import Matching, iso, ordinal
from expense_lib.rules.pairing import AFTER_DAYS, BEFORE_DAYS, Telling
from expense_lib.rules.settlement import involved, shift
from expense_lib.rules.suggestions import Suggestion
from expense_lib.store import (
    accounts,
    categories,
    category_rules,
    claims,
    decisions,
    expenses,
    imports,
    ledger_id,
    log,
    tellings,
)
from expense_lib.store.tellings import Told
from expense_lib.store.transaction import Transaction

_FEW = 1_000  # lines of the log

# What becomes of a row, as a byte. The first four make an expense: CHANGED and HELD one that waits, LEFT one
# that never counts.
NEW, HELD, CHANGED, LEFT, BACK, HELD_BACK, EXISTING, STILL_HELD, JOINED, DELETED, SKIPPED = range(11)
MAKING = (NEW, HELD, CHANGED, LEFT)

_COMES_BACK = "It comes back as it was before its import was undone."
_OWN = "It is named by its dedup key."
_OWN_DELETED = "It is named by its dedup key; it was deleted and stays so."
_OTHER_SOURCE = "Another statement told of it."
_WAITS = "It waits for somebody to say what it is, as before."
_WAITS_NO_LONGER = "It waited; what it might have been are other payments."
_LEFT_OUT = "Somebody said that it is to be left out."
_SAID_SAME = "Somebody said that it is the same."
_SAID_NEW = "Somebody said that it is another payment."
_MAY_BE_ENTERED = "Somebody may have entered it, in other words."
_MAY_BE_REWRITTEN = "The bank may have told of it otherwise before."
_UNCLEAR = "A row of an unknown account says the same."


class Decision:
    """The verdict on each row, and all that is needed to write it. Rows are named by their position.

    Attributes:
        what: What becomes of each row, as one of the bytes above.
        expense_ids: Whose expense it is; 0 for none, or for none yet.
        whys: Why, where that is particular.
        categories: Each row's category, as it is spelled.
        sources: Where each category is from.
        candidates: The expenses that rows may be, the likeliest first.
        by_persons: Rows whose candidates are persons' expenses, worked out whenever they are listed.
        made: The rows that make an expense, by date and their order in the file.
        attached: The rows that an expense takes which is there already, each to be kept as a row of it.
        rejoined: The rows that are kept already, and are their expense's again.
        witnessed: The rows of the ledger that rows of the file are.
        replaced: Rows of undone imports that rows of this one are, but of another expense now; by position.
        waiting: Known rows that no expense has any more: which of those that the change adds.
        decided: Expenses that wait, and what somebody said of their rows.
        apart: Rows and expenses of which somebody said that they are two payments.
        keys: The dedup keys' digests of the new expenses, followed by their positions; sorted.
        occurrences: The occurrences of the new expenses, where that is not 1.
        accounts: How each account is spelled, by how the rows spell it; None for none.
        change: What becomes of expenses that are there.
        expenses_to_change: Their ids, and those of expenses that it has to do with.
    """

    def __init__(self, tx: Transaction, payments: Payments, said: Mapping[int, Said]) -> None:
        self.tx, self.payments = tx, payments
        size = payments.size
        _announce(tx)
        self.what = bytearray(size)
        self.expense_ids = array("q", bytes(8 * size))
        self.whys: dict[int, str] = {}
        self.candidates: dict[int, list[int]] = {}
        self.attached: dict[int, int] = {}
        self.witnessed: list[int] = []
        self.replaced: dict[int, int] = {}
        self.apart: list[tuple[int, int]] = []
        self.rejoined: dict[int, int] = {}
        self.by_persons: set[int] = set()
        self._undone: dict[int, Told] = {}
        self.waiting: dict[int, int] = {}
        self.decided: dict[int, Said] = {}
        self.said_same: dict[int, int] = {}
        self.change = Change(tx)
        self.categories, self.sources = self._categorise()
        self.category_keys = {name: fold(name) for name in set(self.categories)}
        self._open = bytearray(1 if minor else 0 for minor in payments.minor)
        for position, why in payments.unfit.items():
            if not payments.minor[position]:
                self.settle(position, SKIPPED, 0, why)
        self._recognise_own()
        self._matching: Matching | None = None
        self.recognition = Recognition(tx, payments, self._open, self._alike)
        self.references = self.recognition.references
        for position in self.recognition.copies:
            self.what[position] = EXISTING
        self._said = self._by_position(said)
        self._settle_known()
        self._decide_held()
        self._leave_out()
        self._heed()
        self._take_from_elsewhere()
        self._take_rewritten()
        self._hold_unclear()
        self._match_persons()
        self._hold_doubts()
        self._hold_earlier_amounts()
        self._hold_changed()
        self._bring_back()
        self.made = [position for position, what in enumerate(self.what) if what in MAKING]
        self.made.sort(key=payments.rows.days.__getitem__)
        self.keys, self.occurrences = occurrences.of_new(tx, payments, self.made, self.category_key)
        self.accounts = accounts.spelled(tx, dict.fromkeys(each or None for each in payments.rows.accounts))
        self._compose()
        self._let_go()

    def settle(self, position: int, what: int, expense_id: int = 0, why: str = "") -> None:
        """Say what becomes of a row."""
        self.what[position] = what
        self.expense_ids[position] = expense_id
        self._open[position] = 0
        if why:
            self.whys[position] = why

    def category_key(self, position: int) -> str:
        """The folded category of a row."""
        return self.category_keys[self.categories[position]]

    def settle_copies(self) -> None:
        """Say of rows that say the same as an earlier one, reference included, what is said of that."""
        as_the_first = {CHANGED: HELD, NEW: EXISTING, BACK: EXISTING, JOINED: EXISTING, LEFT: SKIPPED}
        for position, first in self.recognition.copies.items():
            what = as_the_first.get(self.what[first], self.what[first])
            self.settle(
                position, what, self.expense_ids[first], "An earlier line is the same, with its reference."
            )

    def _alike(self, one: str, other: str) -> int:
        return self._likeness.alike(one, other)

    @cached_property
    def _likeness(self) -> Matching:
        return Matching(self.tx, (), 1, 1)

    def _categorise(self) -> tuple[list[str], list[Suggestion]]:
        """Each row's category, and where it is from."""
        rows = self.payments.rows
        pairs = list(zip(rows.descriptions, rows.categories, strict=True))
        names = categories.names(self.tx)
        found = suggestions.known(self.tx, {text for text, category in pairs if category is None}, names)
        default = Suggestion(
            self.payments.plan.default_category, "default", "Its category is the default one."
        )
        said = {
            category: Suggestion(category, "statement", "Its category is the statement's.")
            for category in set(rows.categories)
            if category is not None
        }
        sources = [
            found.get(text, default) if category is None else said[category] for text, category in pairs
        ]
        spelled = {
            source.category: names.setdefault(fold(source.category), source.category)
            for source in dict.fromkeys(sources)
        }
        return [spelled[source.category] for source in sources], sources

    def _recognise_own(self) -> None:
        """Rows of an export of this ledger: their references are dedup keys."""
        named: dict[str, list[int]] = defaultdict(list)
        of_this_ledger = f"{ledger_id.ledger_id(self.tx)}/"
        for position, reference in enumerate(self.payments.rows.references):
            if (
                reference is not None
                and self._open[position]
                and is_key(key := reference.removeprefix(of_this_ledger))
            ):
                named[key].append(position)
        for key, owner in claims.owning(self.tx, sorted(named)):
            for position in named[key]:
                if owner.deleted_at is not None:
                    self.settle(position, DELETED, owner.id, _OWN_DELETED)
                elif self._has_content(position, owner):
                    self.settle(position, EXISTING, owner.id, _OWN)
                else:
                    self.settle(position, HELD)
                    self.candidates[position] = [owner.id]

    def _has_content(self, position: int, owner: Row) -> bool:
        """The expense has what the row says, as it is or as it once was."""
        payments, now = self.payments, owner.content
        says = payments.minor[position], payments.rows.descriptions[position], payments.date(position)
        return (now.amount_minor, now.description, now.date) == says or any(
            (entry.content.amount_minor, entry.content.description, entry.content.date) == says
            for entry in log.history(self.tx, owner.id)
        )

    def _settle_known(self) -> None:
        undone_by = imports.undone_by(self.tx)
        for position, row_id in enumerate(self.recognition.row_ids):
            if row_id:
                self.settle(position, EXISTING, self.recognition.expense_ids[position])
        self.witnessed = [row_id for row_id in self.recognition.row_ids if row_id]
        for position, match in self.recognition.known.items():
            row = match.row
            if not row.alive and (row.entered or row.state == "skipped" or row.left_by in undone_by):
                self._settle_undone(position, row)
            elif row.state == "deleted":
                self._settle_match(position, match, DELETED)
            elif row.state == "skipped":
                self._settle_match(position, match, SKIPPED, _LEFT_OUT)
            elif row.state == "held":
                self._settle_match(position, match, STILL_HELD, _WAITS)
            else:
                self._settle_match(position, match, EXISTING, _OTHER_SOURCE if match.is_other else "")
        self.recognition.reopen(self.replaced)

    def _decide_held(self) -> None:
        """What waits already: what it may be, or what somebody says of it now."""
        held = {
            self.expense_ids[position]: position
            for position, match in self.recognition.known.items()
            if self.what[position] == STILL_HELD and match.row.state == "held"
        }
        rows = expenses.find_all(self.tx, sorted(held))
        for doubt in undecided.waiting(self.tx, list(rows.values())):
            position = held[doubt.row.id]
            said = self._said.get(position)
            if said is None:
                self.candidates[position] = doubt.candidates
                continue
            self.decided[doubt.row.id] = said
            if said == "skip":
                self.settle(position, SKIPPED, doubt.row.id, _LEFT_OUT)
            elif said == "new":
                self.settle(position, EXISTING, doubt.row.id, _SAID_NEW)
            else:
                self._refuse_unless_there(position, said)
                self.settle(position, JOINED, said, _SAID_SAME)

    def _settle_match(self, position: int, match: Match, what: int, why: str = "") -> None:
        self.settle(position, what, match.row.expense_id, why)
        if match.is_other:
            self.attached[position] = match.row.expense_id
        else:
            self.witnessed.append(match.row.id)

    def _settle_undone(self, position: int, row: Told) -> None:
        """A row that was undone with its import: it is of whatever it is of now."""
        if row.entered and row.state != "live":
            self.settle(position, DELETED, row.expense_id)
            return
        if row.entered and position not in self._said and not self._is_told_of_here(row.expense_id):
            self.settle(position, JOINED, row.expense_id, "It was so before its import was undone.")
            self.witnessed.append(row.id)
            self.rejoined[position] = row.expense_id
            return
        self.recognition.taken.discard(row.expense_id)
        self.replaced[position] = row.id
        is_as_it_was = row.category_key == self.category_key(position)
        if is_as_it_was and row.state == "deleted" and not row.entered:
            self._undone[position] = row

    def _is_told_of_here(self, expense_id: int) -> bool:
        """Whether an expense has a row of this source already; it takes one of each."""
        mine = (None, self.payments.layout)
        return any(row.alive and row.layout in mine for row in tellings.of_expenses(self.tx, [expense_id]))

    def _bring_back(self) -> None:
        """Rows that would make the same as what was undone with their import: that comes back."""
        for position, row in self._undone.items():
            if self._open[position]:
                self.settle(position, BACK, row.expense_id, _COMES_BACK)
            elif self.what[position] == HELD:
                self.settle(position, HELD_BACK, row.expense_id)
            else:
                continue
            self.witnessed.append(row.id)
            del self.replaced[position]

    def _leave_out(self) -> None:
        """Rows that can be no expense of this ledger, and those of rules that leave them out."""
        for position, why in self.payments.unfit.items():
            if self._open[position]:
                self.settle(position, SKIPPED, 0, why)
        rules = [(fold(rule.text), rule.text) for rule in category_rules.listed(self.tx) if rule.skip]
        if rules:
            for position, text in enumerate(self.payments.rows.descriptions):
                rule = next((text_ for key, text_ in rules if key in folded(text)), None)
                if rule is not None and self._open[position]:
                    self.settle(position, SKIPPED, 0, f"By the rule {rule!r}.")

    def _by_position(self, said: Mapping[int, Said]) -> dict[int, Said]:
        at = {line: position for position, line in enumerate(self.payments.rows.lines if said else ())}
        unknown = [not_a_row(line) for line in said if line not in at]
        if unknown:
            raise InvalidInput(unknown)
        return {at[line]: each for line, each in said.items()}

    def _heed(self) -> None:
        """What somebody said of rows. What is known stays as it is."""
        for position, each in self._said.items():
            if not self._open[position]:
                continue
            if each == "new":
                self.settle(position, NEW, 0, _SAID_NEW)
            elif each == "skip":
                self.settle(position, LEFT, 0, _LEFT_OUT)
            else:
                self._refuse_unless_there(position, each)
                self.recognition.taken.add(each)
                self.settle(position, JOINED, each, _SAID_SAME)
                self.attached[position] = each
                self.said_same[position] = each

    def _refuse_unless_there(self, position: int, expense_id: int) -> None:
        """Refuse to take a row for an expense that is not live, or is another row of the file.

        Raises:
            InvalidInput: it is so.
        """
        there = expenses.find_all(self.tx, [expense_id]).get(expense_id)
        field = f"decisions.{self.payments.rows.lines[position]}"
        if there is None or there.deleted_at is not None:
            raise InvalidInput([FieldError(field, f"names expense {expense_id}, which is not there")])
        if expense_id in self.recognition.taken:
            raise InvalidInput([FieldError(field, f"names expense {expense_id}, which is another row's")])

    def _take_from_elsewhere(self) -> None:
        """The expenses of another ledger are payments of their own, however equal."""
        for position, is_open in enumerate(self._open):
            if is_open and self.recognition.is_from_elsewhere(position):
                self.settle(position, NEW)

    def _free(self, expense_ids: list[int]) -> set[int]:
        """Those of the expenses that have no row of an import that is not undone."""
        return {*expense_ids} - {
            row.expense_id for row in tellings.of_expenses(self.tx, expense_ids) if row.alive
        }

    def _take_rewritten(self) -> None:
        """Rule 4: what the bank made of a row that is gone."""
        for position, found, is_certain in list(self.recognition.rewritten()):
            if is_certain:
                self.settle(position, JOINED, found[0], "The bank told of it otherwise before.")
                self.attached[position] = found[0]
            else:
                self.settle(position, HELD, 0, _MAY_BE_REWRITTEN)
                self.candidates[position] = found

    def _follow(self, matching: Matching) -> None:
        """Rows of a payment are of the expense that takes it; they wait if it lost its own and none does."""
        to = {each.payment.expense_id: each.to for each in matching.shifts()}
        lost = {each.payment.expense_id: each.payment for each in matching.shifts() if each.to is None}
        order = list(lost)
        for position, expense_id in enumerate(self.expense_ids if to else ()):
            if expense_id not in to or position in self.said_same:
                continue
            taker = to[expense_id]
            if taker is None:
                self.settle(position, STILL_HELD, 0, _MAY_BE_ENTERED)
                self.waiting[position] = order.index(expense_id)
                bank = lost[expense_id].rows[0]
                self.candidates[position] = matching.doubts(bank.amount_minor, bank.id)
            else:
                self.expense_ids[position] = taker
                if position in self.attached:
                    self.attached[position] = taker

    def _hold_doubts(self) -> None:
        """Rule 4, of rows from before the file, and rule 5, both where nothing is certain."""
        for position, found in list(self.recognition.rewritten_before()):
            self.settle(position, HELD, 0, _MAY_BE_REWRITTEN)
            self.candidates[position] = list(dict.fromkeys([*found, *self._persons_doubts(position)]))
        for position, is_open in enumerate(self._open if self._matching else ()):
            if is_open and (doubts := self._persons_doubts(position)):
                self.settle(position, HELD, 0, _MAY_BE_ENTERED)
                self.candidates[position] = doubts
                self.by_persons.add(position)

    def _hold_unclear(self) -> None:
        for position, expense_id in self.recognition.unclear.items():
            if self._open[position] and expense_id not in self.recognition.taken:
                self.settle(position, HELD, 0, _UNCLEAR)
                self.candidates[position] = [expense_id]

    def _match_persons(self) -> None:
        """Rule 5: what persons told of."""
        payments, rows = self.payments, self.payments.rows
        waiting = [position for position, is_open in enumerate(self._open) if is_open]
        said_new = [position for position, why in self.whys.items() if why == _SAID_NEW]
        if not (waiting or said_new) or not tellings.any_entered(self.tx):
            return
        days = [rows.days[position] for position in (*waiting, *said_new)]
        amounts = {payments.minor[position] for position in (*waiting, *said_new)}
        matching = self._matching = Matching(self.tx, amounts, min(days), max(days))
        matching.reserve(self.recognition.taken, {*self.said_same.values()})
        banks: defaultdict[int, list[int]] = defaultdict(list)
        for position in (*waiting, *said_new):
            telling = Telling(
                position - payments.size,
                ((rows.days[position], rows.descriptions[position]),),
                payments.account(position),
            )
            matching.groups[payments.minor[position]].banks[telling.id] = telling
            if self._open[position]:
                banks[payments.minor[position]].append(telling.id)
        of_amounts = {
            payments.minor[position]: banks[payments.minor[position]] for position in waiting + said_new
        }
        matching.pair({}, of_amounts, is_new=True)
        self._follow(matching)
        for position in waiting:
            minor, bank = payments.minor[position], position - payments.size
            person = matching.pairings[minor].of_bank.get(bank)
            if person is not None:
                self.settle(position, JOINED, person, "Somebody entered it.")
                self.attached[position] = person
        for position in said_new:
            self.apart.extend((position, expense_id) for expense_id in self._persons_doubts(position))

    def _persons_doubts(self, position: int) -> list[int]:
        """The free expenses of persons that a row may be, the likeliest first."""
        if self._matching is None:
            return []
        return self._matching.doubts(self.payments.minor[position], position - self.payments.size)

    def _hold_earlier_amounts(self) -> None:
        """Rule 6: an amount that a person's expense had before it was corrected, with the same text."""
        if not any(self._open) or not tellings.any_entered(self.tx):
            return
        payments, rows = self.payments, self.payments.rows
        waiting = [position for position, is_open in enumerate(self._open) if is_open]
        days = [rows.days[position] for position in waiting]
        span = iso(min(days) - BEFORE_DAYS), iso(max(days) + AFTER_DAYS)
        edited = {each.id: each for each in tellings.entered_and_edited(self.tx, *span)}
        free = sorted(self._free(sorted(edited)) - self.recognition.taken)
        earlier: defaultdict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        for expense_id, *fields in log.versions(self.tx, free):
            was = Content(*fields)
            if was.amount_minor != edited[expense_id].amount_minor:
                earlier[was.amount_minor, folded(was.description)].append((ordinal(was.date), expense_id))
        for position in waiting if earlier else ():
            account, day, text = payments.content(position)
            found = [
                expense_id
                for said, expense_id in earlier.get((payments.minor[position], text), ())
                if day - BEFORE_DAYS <= said <= day + AFTER_DAYS
                and edited[expense_id].account in (None, account)
            ]
            if found:
                self.settle(position, HELD, 0, "Somebody entered it with this amount, and corrected that.")
                self.candidates[position] = list(dict.fromkeys(found))

    def _hold_changed(self) -> None:
        """Rule 7: a known reference with another amount. Somebody may have given the expense that already."""
        changed = self.recognition.changed
        there = expenses.find_all(self.tx, set(changed.values()))
        for position, expense_id in changed.items():
            if not self._open[position] or expense_id in self.recognition.taken:
                continue
            if there[expense_id].state == "live" and (
                there[expense_id].content.amount_minor == self.payments.minor[position]
            ):
                self.settle(
                    position, JOINED, expense_id, "Its reference is known, and the amount was corrected."
                )
                self.attached[position] = expense_id
            else:
                why = (
                    "Its reference is known with another amount; it waits for somebody to say which is right."
                )
                self.settle(position, CHANGED, 0, why)
                self.candidates[position] = [expense_id]

    def _compose(self) -> None:
        """Put together what becomes of expenses that are there: what comes back, and what is joined."""
        shifts = list(self._matching.shifts()) if self._matching else []
        freed = list(self._matching.freed()) if self._matching else []
        back = [self.expense_ids[position] for position, what in enumerate(self.what) if what == BACK]
        held = [self.expense_ids[position] for position, what in enumerate(self.what) if what == HELD_BACK]
        joined = {
            each: position
            for position, each in (*self.attached.items(), *self.rejoined.items())
            if position not in self.waiting
        }
        rows = expenses.find_all(self.tx, {*back, *held, *joined, *freed, *involved(shifts)})
        self.expenses_to_change = set(rows)
        self._persons_taken = {row.id for row in rows.values() if row.entered} - {*freed}
        self.change.restore([rows[each] for each in back])
        self.change.hold([rows[each] for each in held])
        shift(self.tx, self.change, shifts, freed, rows)
        edits, taking = [], {each.to for each in shifts}
        for expense_id, position in joined.items():
            row, content = rows[expense_id], rows[expense_id].content
            if self.what[position] != JOINED or row.state != "live" or expense_id in taking:
                continue
            account = self.accounts[self.payments.rows.accounts[position] or None]
            if account is not None:
                content = content._replace(account=account)
            if position in self.said_same and row.part_of is None and row.whole_minor is None:
                content = content._replace(amount_minor=self.payments.minor[position])
            edits.append(Edit(row, content))
        self.change.edit(edits, "joined")

    def _let_go(self) -> None:
        """What waits no longer has to if rows of the file take all that it may be."""
        amounts = {self.payments.minor[position] for position, what in enumerate(self.what) if what == JOINED}
        others = {*self.decided, *(revision.before.id for revision in self.change.revisions)}
        held = [
            row
            for row in (expenses.held(self.tx) if self._persons_taken else ())
            if row.content.amount_minor in amounts and row.id not in others
        ]
        doubts = undecided.waiting(self.tx, held)
        free = [
            doubt.row for doubt in doubts if doubt.candidates and self._persons_taken >= {*doubt.candidates}
        ]
        self.change.restore(free)
        let_go = {row.id for row in free}
        for position, match in self.recognition.known.items():
            if match.row.expense_id in let_go and self.what[position] == STILL_HELD:
                self.settle(position, EXISTING, match.row.expense_id, _WAITS_NO_LONGER)
                self.candidates.pop(position, None)


def _announce(tx: Transaction) -> None:
    """Announce what is asked of every import."""
    categories.announce_all(tx)
    category_rules.announce(tx)
    ledger_id.announce(tx)
    tellings.announce_any(tx)
    imports.announce_undone_by(tx)
    expenses.announce_held(tx)
    decisions.announce_alike(tx)
