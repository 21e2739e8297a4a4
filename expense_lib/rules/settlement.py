"""What follows from pairs of tellings: rows move, expenses become one, and what is in doubt waits.

``settle`` is for whoever changed an expense; ``follow`` for whoever paired tellings, as recording does. An
import has the same done by ``shift``, within its own change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from expense_lib.domain.content import Content
from expense_lib.domain.limits import DEFAULT_CATEGORY
from expense_lib.domain.rows import Row
from expense_lib.rules import suggestions
from expense_lib.rules.change import Change, Edit
from expense_lib.rules.matching import MARGIN_DAYS, Matching, Payment, Shift, iso, ordinal
from expense_lib.store import accounts, categories, decisions, expenses, log, tellings
from expense_lib.store.effects import Effect
from expense_lib.store.transaction import Transaction


def settle(tx: Transaction, expense_ids: Iterable[int], before: Iterable[Content] = ()) -> int | None:
    """After a change: pair these expenses anew, and let go or hold what it made certain or doubtful.

    Args:
        tx: Holds the write lock.
        expense_ids: The expenses that are new, or free again, or of another amount, day or account.
        before: What they said before.

    Returns:
        The number of the change that this is; None if nothing follows.
    """
    return settle_rows(tx, expenses.find_all(tx, expense_ids), before)


def announce(tx: Transaction, touched: Iterable[Row], before: Iterable[Content] = ()) -> None:
    """Announce that these expenses will be settled, as they will be by then."""
    amounts, first, last = _span(touched, before)
    if amounts:
        tellings.announce_near(tx, amounts, iso(first - MARGIN_DAYS), iso(last + MARGIN_DAYS))


def settle_rows(tx: Transaction, touched: Mapping[int, Row], before: Iterable[Content] = ()) -> int | None:
    """The same as ``settle`` where the expenses are known as they are."""
    amounts, first, last = _span(touched.values(), before)
    if not amounts or not tellings.any_near(tx, amounts, iso(first - MARGIN_DAYS), iso(last + MARGIN_DAYS)):
        return None
    matching = Matching(tx, amounts, first, last)
    persons: defaultdict[int, list[int]] = defaultdict(list)
    banks: defaultdict[int, list[int]] = defaultdict(list)
    for amount in amounts:
        group = matching.groups[amount]
        persons[amount] = [each for each in group.persons if each in touched]
        banks[amount] = [
            bank
            for bank, payment in group.payments.items()
            if payment.expense_id in touched or payment.state == "held"
        ]
    matching.pair(persons, banks)
    return follow(tx, matching, set(touched)).number


def _span(touched: Iterable[Row], before: Iterable[Content]) -> tuple[set[int], int, int]:
    """The amounts of expenses as they are and were, and their first and last day as ordinals."""
    rows, earlier = [*touched], [*before]
    amounts = {row.whole_minor or row.content.amount_minor for row in rows}
    amounts |= {content.amount_minor for content in earlier}
    days = [ordinal(content.date) for content in (*earlier, *(row.content for row in rows))]
    return amounts, min(days, default=0), max(days, default=0)


def follow(
    tx: Transaction, matching: Matching, touched: set[int], ids: Mapping[int, int] | None = None
) -> Following:
    """Write what follows from the pairs, as one change.

    Args:
        tx: Holds the write lock.
        matching: The tellings, paired.
        touched: The persons' tellings and expenses that are new or other than before.
        ids: The expenses of persons' tellings that were none yet when they were paired.
    """
    ids = ids or {}
    found = [
        each if each.to is None else each._replace(to=ids.get(each.to, each.to)) for each in matching.shifts()
    ]
    freed = [*matching.freed()]
    following = Following(matching, touched)
    rows = expenses.find_all(tx, {*involved(found), *freed, *following.expense_ids()})
    change = Change(tx)
    shift(tx, change, found, freed, rows)
    following.add(tx, change, rows)
    following.number = change.write(tx)
    return following


class Following:
    """Which banks' expenses wait from now on, and which no longer.

    Args:
        matching: The tellings, paired.
        touched: The expenses that are new or other than before: what they are doubtful with waits.
    """

    def __init__(self, matching: Matching, touched: set[int]) -> None:
        self.number: int | None = None  # of the change that it is
        self.hold: dict[int, list[int]] = {}  # with what each may be
        self.release: list[int] = []
        for amount, pairing in matching.pairings.items():
            for bank, payment in matching.groups[amount].payments.items():
                if payment.is_entered or bank in pairing.of_bank:  # or it waits from now on, by a shift
                    continue
                doubts = pairing.doubts(bank)
                if payment.state == "held" and not doubts:
                    self.release.append(payment.expense_id)
                elif payment.state == "live" and (
                    touched & set(doubts)
                    or (doubts and payment.expense_id in touched)
                    or bank in pairing.opened
                ):
                    self.hold[payment.expense_id] = doubts

    def expense_ids(self) -> set[int]:
        """The expenses that it has to do with."""
        return {*self.hold, *self.release}

    def add(self, tx: Transaction, change: Change, rows: Mapping[int, Row]) -> None:
        """Add it to a change. What somebody edited does not wait; it is listed as one of a pair."""
        untouched = [
            rows[each] for each in self.hold if rows[each].version == 1 or not log.is_edited(tx, each)
        ]
        self.hold = {row.id: self.hold[row.id] for row in untouched}
        change.hold(untouched)
        kept = kept_candidates(tx, self.release)
        change.restore([rows[each] for each in self.release if not kept[each]])


def involved(found: Iterable[Shift]) -> Iterator[int]:
    """The expenses that have to do with shifts."""
    for each in found:
        yield each.payment.expense_id
        if each.to is not None:
            yield each.to


def shift(
    tx: Transaction, change: Change, found: Iterable[Shift], freed: Iterable[int], rows: Mapping[int, Row]
) -> None:
    """Have persons' expenses take payments: rows move, and a bank's expense becomes one with the person's.

    A payment that a person's expense loses becomes an expense of its own, which waits.

    Args:
        tx: The transaction.
        change: What it is added to.
        found: The shifts.
        freed: The persons' expenses that lose theirs, and are of the account again that the person said.
        rows: All expenses that have to do with it, by id.
    """
    spelled = accounts.by_key(tx)
    edits = []
    for expense_id in freed:
        said = rows[expense_id].said_account_key
        content = rows[expense_id].content._replace(account=said and spelled.get(said, said))
        edits.append(Edit(rows[expense_id], content))
    for each in found:
        payment = each.payment
        if each.to is None:
            change.add_waiting(payment.rows, _content(tx, payment, spelled))
            continue
        person = rows[each.to]
        change.effects += [
            Effect("row", (row.id,), (row.expense_id, row.decided), (each.to, row.decided))
            for row in payment.rows
        ]
        if not payment.is_entered:
            change.merge([rows[payment.expense_id]], each.to)
        account = next((row.account for row in payment.rows if row.account is not None), None)
        content = person.content
        if account is not None:
            content = content._replace(account=spelled.get(account, account))
        edits.append(Edit(person, content))
    change.edit(edits, "joined")


def _content(tx: Transaction, payment: Payment, spelled: Mapping[str, str]) -> Content:
    """A payment as the first of its rows told of it."""
    row = payment.rows[0]
    found = suggestions.known(tx, {row.text}, categories.names(tx)).get(row.text)
    category = found.category if found else DEFAULT_CATEGORY
    account = row.account and spelled.get(row.account, row.account)
    return Content(row.amount_minor, category, row.text, row.date, 1, account)


def kept_candidates(tx: Transaction, held: Sequence[int]) -> dict[int, list[Row]]:
    """What held expenses may be by their statement: as it is by now, if it is live or waits itself."""
    found = decisions.candidates(tx, held)
    rows = expenses.find_all(tx, {each for ids in found.values() for each in ids})
    while more := {row.merged_into for row in rows.values() if row.merged_into} - {*rows}:
        rows |= expenses.find_all(tx, more)

    def now(expense_id: int) -> int:
        into = rows[expense_id].merged_into
        return expense_id if into is None else now(into)

    return {
        each: [
            rows[other]
            for other in dict.fromkeys(map(now, found.get(each, ())))
            if rows[other].state in ("live", "held") and other != each
        ]
        for each in held
    }
