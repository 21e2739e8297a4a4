"""The rules of recording: which submission is a repeat of what, and which is one more payment."""

from __future__ import annotations

from typing import Any

from expense_lib.domain.content import ANNOTATIONS, Content
from expense_lib.domain.errors import ExpenseNotFound, IdempotencyKeyReused, RecordedThenDeleted
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.keys import check_idempotency_key
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.money import Currency
from expense_lib.domain.rows import Row
from expense_lib.rules.claims import Claims
from expense_lib.store import accounts, categories, claims, expenses
from expense_lib.store.transaction import Transaction


class Submission:
    """A submission to be recorded. *dedup_key* is that of the occurrence it names, or of the first."""

    def __init__(self, new: NewExpense, currency: Currency, idempotency_key: str | None) -> None:
        check_idempotency_key(idempotency_key)
        self.new = new
        self.content = new.content(currency)
        self.idempotency_key = idempotency_key
        self.dedup_key = self.content.dedup_key()

    def request(self) -> dict[str, Any]:
        """The submitted fields in the canonical form in which the bodies of one idempotency key are compared.

        What was not sent is null: so are the fields that a request stored by an older version lacks.
        """
        sent = self.content.folded()
        return {
            "amount": sent.amount_minor,
            "category": sent.category,
            "description": sent.description,
            "date": sent.date,
            "occurrence": self.new.occurrence,
            **{name: getattr(sent, name) or None for name in ANNOTATIONS},
        }

    def differs(self, now: Content) -> tuple[str, ...]:
        """The fields in which the expense is not what was sent, by the sender's names."""
        if self.content == now:
            return ()
        sent = self.new.model_fields_set
        names = [name for name in self.content.folded().differences(now.folded()) if name != "occurrence"]
        if self.new.occurrence is not None and self.new.occurrence != now.occurrence:
            names.append("occurrence")
        return tuple(
            "amount" if name == "amount_minor" else name
            for name in names
            if name not in ANNOTATIONS or name in sent
        )


def known(tx: Transaction, sent: Submission) -> Row | None:
    """The expense that this submission is a repeat of, if it is one.

    Raises:
        IdempotencyKeyReused: the key was first sent with another body.
        RecordedThenDeleted: it is a repeat of a deleted expense.
    """
    if sent.idempotency_key is None:
        claim = claims.find(tx, sent.dedup_key)
    else:
        claim = claims.find(tx, _name(sent.idempotency_key))
        if claim is not None:
            _refuse_another_body(claim.request or {}, sent.request())
    return None if claim is None else _live(claim.owner)


def added(tx: Transaction, sent: Submission) -> tuple[Row, bool]:
    """Add what is not known, with its keys; or join a fresh idempotency key to the expense that is there.

    Returns:
        The expense, and whether it was added.

    Raises:
        RecordedThenDeleted: the occurrence that it names is a deleted expense's.
        InvalidInput: no occurrence is free.
        KeyTaken: it is known by now. Nothing was added, if the caller rolls back.
    """
    if sent.idempotency_key is None:
        return _add(tx, sent.content, sent.dedup_key), True
    key, request = _name(sent.idempotency_key), claims.request_text(sent.request())
    if sent.new.occurrence is None:
        content = sent.content._replace(occurrence=Claims(tx).next_free(sent.content.identity))
        return _add(tx, content, content.dedup_key(), (key, request)), True
    owner = claims.find(tx, sent.dedup_key)
    if owner is None:
        return _add(tx, sent.content, sent.dedup_key, (key, request)), True
    row = _live(owner.owner)
    claims.add(tx, [(key, row.id, request)])
    return row, False


def found(tx: Transaction, expense_id: int) -> Row:
    """The expense of this id, live or deleted.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = expenses.find(tx, expense_id) if 1 <= expense_id <= MAX_ID else None
    if row is None:
        raise ExpenseNotFound(expense_id)
    return row


def _add(tx: Transaction, content: Content, dedup_key: str, sent: tuple[str, str] | None = None) -> Row:
    """Add one expense, spelled as the ledger has it, with its dedup key and the idempotency key *sent*."""
    last_id, last_seq, name = expenses.last(tx, content.category_key)
    if name not in (None, content.category):
        content = content._replace(category=name)
    if content.account is not None:
        content = content._replace(account=accounts.spelled(tx, [content.account])[content.account])
        accounts.add(tx, [content.account])
    at = tx.at
    row = Row(last_id + 1, content, dedup_key, 1, at, at, None, last_seq + 1)
    owned: list[claims.Owned] = [(dedup_key, row.id, None)]
    if sent is not None:
        owned.append((sent[0], row.id, sent[1]))
    expenses.add(tx, [[expenses.new_row(row)]], owned, [categories.one_more(content)], last_id)
    return row


def _live(row: Row) -> Row:
    if row.deleted_at is not None:
        raise RecordedThenDeleted(row.id)
    return row


def _name(idempotency_key: str) -> str:
    """An idempotency key's name among the claims, where it can't be taken for a dedup key."""
    return f"sent:{idempotency_key}"


def _refuse_another_body(first: dict[str, Any], again: dict[str, Any]) -> None:
    differing = [field for field in again if again[field] != first.get(field)]
    if differing:
        raise IdempotencyKeyReused(differing)
