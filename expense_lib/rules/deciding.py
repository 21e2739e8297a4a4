"""The rules of deciding: what waits is another expense, a new one, or left out; two become one."""

from __future__ import annotations

from expense_lib.domain import likeness
from expense_lib.domain.errors import FieldError, InvalidInput, NotUndecided
from expense_lib.domain.rows import Row
from expense_lib.domain.statement import Said
from expense_lib.rules import settlement, undecided
from expense_lib.rules.change import Change, Edit
from expense_lib.rules.matching import learnt, pair_of
from expense_lib.rules.recording import found, live
from expense_lib.store import decisions, expenses, tellings
from expense_lib.store.effects import Effect
from expense_lib.store.transaction import Transaction


def decide(tx: Transaction, expense_id: int, same_as: Said, *, keep_amount: bool) -> int | None:
    """Say what an undecided expense is. Said before, it stays so.

    Returns:
        The number of the change; None if it was so before.

    Raises:
        ExpenseNotFound: there is none of this id, or of that in *same_as*.
        NotUndecided: there is nothing to be decided about it.
        InvalidInput: *same_as* is none of what it may be.
    """
    row = found(tx, expense_id)
    if _is_decided(row, same_as):
        return None
    doubt = undecided.of(tx, row)
    if doubt is None:
        if same_as == "new" and row.state == "live" and decisions.apart(tx, [row.id]):
            return None
        raise NotUndecided(expense_id)
    change = Change(tx)
    again = [expense_id]
    if same_as == "skip":
        change.delete([row])
        change.effects.append(Effect("state", (row.id,), (row.state,), ("skipped",)))
    elif same_as == "new":
        if row.state == "held":
            change.restore([row])
        for each in doubt.candidates:
            change.put(tx, "apart", pair_of(row.id, each), (1,))
    else:
        other = live(tx, same_as)
        if other.id == row.id or other.part_of is not None:
            raise InvalidInput(
                [FieldError("same_as", "must be another expense, the first part if it is split")]
            )
        _make_one(tx, change, row, other, keep_amount=keep_amount)
        again = [*_learn(tx, change, row, other), other.id]
    number = change.write(tx)
    settlement.settle(tx, again, [row.content])
    return number


def merge(tx: Transaction, expense_id: int, into: int) -> Row:
    """Make two live expenses one, which keeps its content. Merged before, it stays so.

    Raises:
        ExpenseNotFound, ExpenseDeleted, ExpenseMerged: there is none, or no longer.
        InvalidInput: they are the same, or parts of a payment.
    """
    expenses.announce(tx, into)
    row = found(tx, expense_id)
    if row.merged_into == into:
        return found(tx, into)
    if row.state != "held":
        row = live(tx, expense_id)
    other = live(tx, into)
    if row.id == other.id or row.part_of or row.whole_minor or other.part_of:
        raise InvalidInput(
            [FieldError("into", "must be another expense; parts of a payment can't be merged")]
        )
    change = Change(tx)
    settlement.announce(tx, [other], [row.content])
    _make_one(tx, change, row, other, keep_amount=True)
    now = change.rows(tx, change.write(tx))[into]
    if settlement.settle_rows(tx, {into: now}, [row.content]) is None:
        return now
    return found(tx, into)


def _is_decided(row: Row, same_as: Said) -> bool:
    if same_as == "skip":
        return row.state == "skipped"
    return same_as != "new" and row.merged_into == same_as


def _make_one(tx: Transaction, change: Change, row: Row, other: Row, *, keep_amount: bool) -> None:
    """Add to a change that *row* is *other*, which takes its rows, and its amount unless it is kept."""
    for told in tellings.of_expenses(tx, [row.id]):
        change.effects.append(Effect("row", (told.id,), (told.expense_id, told.decided), (other.id, 1)))
    if row.entered and not other.entered:
        change.effects.append(Effect("entered", (other.id,), (0,), (1,)))
    if row.said_account_key is not None and other.said_account_key is None:
        change.effects.append(Effect("said_account", (other.id,), (None,), (row.said_account_key,)))
    change.merge([row], other.id)
    content = other.content
    if content.account is None or (not row.entered and row.content.account is not None):
        content = content._replace(account=row.content.account)
    if row.entered and not other.entered:  # a person's words beside a bank's
        said = row.content
        content = said._replace(
            amount_minor=content.amount_minor, account=content.account, occurrence=content.occurrence
        )
    if not keep_amount and not row.entered and other.whole_minor is None:
        content = content._replace(amount_minor=row.content.amount_minor)
    change.edit([Edit(other, content)], "joined")


def _learn(tx: Transaction, change: Change, row: Row, other: Row) -> list[int]:
    """Keep that two texts are of one payment, if they are not alike. Returns what waits with such a text."""
    one, two = row.content.description, other.content.description
    key = learnt(one, two)
    if not all(key) or likeness.likeness(one, two):
        return []
    change.put(tx, "alike", key, (1,))
    words = likeness.words(one)
    return [each.id for each in expenses.held(tx) if likeness.words(each.content.description) == words]
