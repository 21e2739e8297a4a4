"""The rules of recording: which submission is a repeat of what, and which is one more payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from expense_lib.domain.content import Content, folded
from expense_lib.domain.errors import (
    ExpenseDeleted,
    ExpenseError,
    ExpenseHeld,
    ExpenseMerged,
    ExpenseNotFound,
    FieldError,
    InvalidInput,
    RecordedThenDeleted,
)
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.rows import Row
from expense_lib.rules.claims import Claims
from expense_lib.rules.pairing import Telling
from expense_lib.rules.submission import Submission
from expense_lib.store import accounts, categories, claims, expenses, log
from expense_lib.store.addition import Addition
from expense_lib.store.claims import Claim
from expense_lib.store.expenses import Surroundings
from expense_lib.store.transaction import Transaction

AtOnce = Callable[[Addition], tuple[Claim, bool] | None]  # ``Engine.record_at_once`` of a ledger

NOBODY = 0  # the id of a telling that is no expense yet


class Recorded(NamedTuple):
    """The outcome of a submission.

    *joined*: a bank had told of it. *looks_like* is a bank's expense that may be it, and waits.
    """

    row: Row
    created: bool
    joined: bool = False
    looks_like: int | None = None


def known(tx: Transaction, sent: Submission) -> Row | None:
    """The expense that this submission is a repeat of, if it is one, or of which only a bank told so far.

    Raises:
        IdempotencyKeyReused: the key was first sent with another body.
        RecordedThenDeleted: it is a repeat of a deleted expense.
    """
    if sent.idempotency_key is None:
        claim = claims.find(tx, sent.key)
    else:
        claim = claims.find(tx, sent.name)
        if claim is not None:
            sent.refuse_another_body(claim.request or {})
    if claim is None or is_a_banks(claim.owner):
        return None if claim is None else claim.owner
    return _live(claim.owner)


def at_once(sent: Submission, record: AtOnce) -> Recorded | None:
    """Record in one round trip what needs no judging. None if the rules have to decide: nothing is written.

    Raises:
        IdempotencyKeyReused, RecordedThenDeleted: as ``known``.
    """
    found = None if sent.new.category is None else record(sent.addition())
    if found is None:
        return None
    claim, created = found
    if created:
        return Recorded(claim.owner, created=True)
    if is_a_banks(claim.owner) or claim.owner.merged_into is not None:
        return None
    if sent.idempotency_key is not None:
        sent.refuse_another_body(claim.request or {})
    return Recorded(_live(claim.owner), created=False)


def is_a_banks(row: Row) -> bool:
    """Whether only a bank told of an expense, which nobody deleted."""
    return not row.entered and row.state in ("live", "held")


def added(tx: Transaction, sent: Submission, owner: Row | None = None) -> Recorded:
    """Add what is not known, with its keys, unless a bank told of it; or give its key to what is there.

    Args:
        tx: Holds the write lock.
        sent: The submission.
        owner: What is known of it: nothing, or an expense of which only a bank told.

    Raises:
        RecordedThenDeleted: the occurrence that it names is a deleted expense's.
        InvalidInput: no occurrence is free, or no category is known.
        KeyTaken: it is known by now. Nothing was added, if the caller rolls back.
    """
    owned = list[claims.Owned]()
    if sent.idempotency_key is not None:
        owned.append((sent.name, 0, claims.request_text(sent.request())))
    if sent.new.category is None:
        _decide_category(tx, sent, owner)
    content = sent.content
    if not sent.is_another and (owned or sent.new.category is None):
        claim = claims.find(tx, sent.dedup_key)
        owner = owner if claim is None else claim.owner
        if claim is not None and not is_a_banks(claim.owner):
            owned += _uncategorised(tx, sent, content)
            claims.add(tx, [(key, _live(claim.owner).id, request) for key, _, request in owned])
            return Recorded(claim.owner, created=False)
    if owner is not None:
        owner = found(tx, owner.id)
        if not is_a_banks(owner):
            raise claims.KeyTaken
        mine, theirs = content.account, owner.content.account
        if mine is None or theirs is None or content.has_account_of(owner.content):
            owned += _uncategorised(tx, sent, content)
            return Recorded(_join(tx, sent, owner, owned), created=False, joined=True)
    if owner is not None or sent.is_another:
        content = content._replace(occurrence=Claims(tx).next_free(content.identity))
    owned += _uncategorised(tx, sent, content)
    around = expenses.surroundings(tx, content, *sent.days_near())
    if around.is_told_of and sent.new.occurrence in (None, 1):
        return _judged(tx, sent, content, owned, around)
    dedup_key = sent.dedup_key if content is sent.content else content.dedup_key()
    return Recorded(_add(tx, content, dedup_key, owned, around), created=True)


def _decide_category(tx: Transaction, sent: Submission, owner: Row | None) -> None:
    """Give a submission the category that the ledger knows for its description.

    Raises:
        InvalidInput: it knows none.
        KeyTaken: somebody recorded it meanwhile.
    """
    from expense_lib.rules import suggestions  # noqa: PLC0415 - few need it: a process starts sooner

    if owner is None and sent.idempotency_key is None and claims.find(tx, sent.key) is not None:
        raise claims.KeyTaken
    text = sent.content.description
    found = suggestions.known(tx, {text}, categories.names(tx)).get(text)
    if found is None:
        raise InvalidInput([FieldError("category", "is needed: none is known for this description")])
    sent.take_category(found.category)


def _uncategorised(tx: Transaction, sent: Submission, content: Content) -> list[claims.Owned]:
    """The key by which a submission without a category is found again, unless it has an owner already."""
    if sent.new.category is not None:
        return []
    key = sent.key if sent.idempotency_key is None else sent.uncategorised(content.occurrence)
    return [] if claims.find(tx, key) is not None else [(key, 0, None)]


def _judged(
    tx: Transaction, sent: Submission, content: Content, owned: list[claims.Owned], around: Surroundings
) -> Recorded:
    """Add a submission near a bank's payment of its amount, or let it be that payment."""
    from expense_lib.rules import matching, settlement  # noqa: PLC0415 - few need it: a process starts sooner

    day = matching.ordinal(content.date)
    there = matching.Matching(tx, [content.amount_minor], day, day)
    group = there.groups[content.amount_minor]
    account = None if content.account is None else folded(content.account)
    group.persons[NOBODY] = Telling(NOBODY, ((day, content.description),), account)
    there.pair({content.amount_minor: [NOBODY]}, {}, is_new=True)
    shifts = list(there.shifts())
    if len(shifts) == 1 and shifts[0].to == NOBODY and not shifts[0].payment.is_entered:
        owner = found(tx, shifts[0].payment.expense_id)
        return Recorded(_join(tx, sent, owner, owned), created=False, joined=True)
    row = _add(tx, content, content.dedup_key(), owned, around)
    following = settlement.follow(tx, there, {NOBODY}, {NOBODY: row.id})
    looks_like = next(iter(following.hold), None)
    return Recorded(found(tx, row.id), created=True, looks_like=looks_like)


def _join(tx: Transaction, sent: Submission, owner: Row, owned: list[claims.Owned]) -> Row:
    """Have a bank's expense be what a person told of too; it keeps account, amount and what was edited."""
    from expense_lib.rules.change import Change, Edit  # noqa: PLC0415 - few need it: a process starts sooner

    now = owner.content
    said = sent.content._replace(
        amount_minor=now.amount_minor,
        occurrence=now.occurrence,
        account=now.account if now.account is not None else sent.content.account,
    )
    as_told = log.history(tx, owner.id)[0].content if owner.version > 1 else now
    edited = as_told.differences(now)
    change = Change(tx)
    change.claim(sent.dedup_key, owner.id)
    change.edit([Edit(owner, said._replace(**{name: getattr(now, name) for name in edited}))], "joined")
    change.put(tx, "entered", (owner.id,), (1,))
    if sent.content.account is not None:
        change.put(tx, "said_account", (owner.id,), (folded(sent.content.account),))
    change.write(tx)
    claims.add(tx, [(key, owner.id, request) for key, _, request in owned])
    return found(tx, owner.id)


def found(tx: Transaction, expense_id: int) -> Row:
    """The expense of this id, live or deleted.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = expenses.find(tx, expense_id) if 1 <= expense_id <= MAX_ID else None
    if row is None:
        raise ExpenseNotFound(expense_id)
    return row


def live(tx: Transaction, expense_id: int) -> Row:
    """The live expense of this id.

    Raises:
        ExpenseNotFound, ExpenseDeleted, ExpenseMerged, ExpenseHeld: there is none, or no longer, or not yet.
    """
    row = found(tx, expense_id)
    if row.deleted_at is not None:
        raise not_live(tx, row)
    return row


def not_live(tx: Transaction, row: Row) -> ExpenseError:
    """Why an expense that is not live is not."""
    if row.merged_into is not None:
        return ExpenseMerged(row.id, row.merged_into, log.number(tx, row.last_seq))
    return ExpenseHeld(row.id) if row.state == "held" else ExpenseDeleted(row.id)


def _add(
    tx: Transaction, content: Content, dedup_key: str, owned: list[claims.Owned], around: Surroundings
) -> Row:
    """Add one expense, spelled as the ledger has it, with its dedup key and, if sent, its idempotency key."""
    if around.category not in (None, content.category):
        content = content._replace(category=around.category)
    if content.account is not None:
        content = content._replace(account=accounts.spelled(tx, [content.account])[content.account])
        accounts.add(tx, [content.account])
    at = tx.at
    row = Row(around.last_id + 1, content, dedup_key, 1, at, at, None, around.last_seq + 1)
    if content.account is not None:
        row = row._replace(said_account_key=folded(content.account))
    owned = [(dedup_key, row.id, None), *((key, row.id, request) for key, _, request in owned)]
    expenses.add(tx, [[expenses.new_row(row)]], owned, [categories.one_more(content)], around.last_id)
    return row


def _live(row: Row) -> Row:
    if row.deleted_at is not None:
        raise RecordedThenDeleted(row.id)
    return row
