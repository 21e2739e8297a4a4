"""Writes a decided import in one transaction, table by table, each in the order of its key."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import repeat

from expense_lib.domain.content import tags_key
from expense_lib.domain.progress import Progress
from expense_lib.domain.text import fold
from expense_lib.rules.change import Change
from expense_lib.rules.importing.matching import Decision, as_key
from expense_lib.rules.importing.payments import DIGEST_BYTES, TELL_EVERY, position_of
from expense_lib.rules.importing.verdicts import numbers
from expense_lib.store import accounts, categories, claims, expenses, imports
from expense_lib.store.expenses import New
from expense_lib.store.transaction import Transaction

_MAX_FOLDED = 65_536


def write(tx: Transaction, decision: Decision, progress: Progress) -> int:
    """Write what was decided, the caller holding the lock. Returns the import's id."""
    payments, new = decision.payments, decision.new
    last_id, last_seq, _ = expenses.last(tx)
    import_id = imports.next_id(tx)
    for expense_id, position in enumerate(new, last_id + 1):
        decision.expense_ids[position] = expense_id
    imports.add_import(
        tx,
        {
            "id": import_id,
            "at": tx.at,
            "actor": tx.actor,
            "source": payments.plan.source,
            "account": payments.plan.account,
            "first_seq": last_seq + 1,
            "last_seq": last_seq + len(new) + len(decision.back),
            **numbers(decision),
        },
    )
    if new:
        accounts.add(tx, decision.accounts.values())
        created = _created(tx, decision, last_seq + 1, import_id, progress)
        expenses.add(tx, created, _owned_keys(decision), _totals(decision), last_id)
    if decision.back:
        back = expenses.find_all(tx, [decision.expense_ids[position] for position in decision.back])
        change = Change(tx)
        change.restore(list(back.values()))
        change.write(tx)
    imports.take(tx, decision.replaced, None)
    taken = [decision.expense_ids[position] for position in (*decision.back, *decision.joined)]
    imports.take(tx, taken, import_id)
    imports.add_identities(tx, _owned_rows(decision, import_id))
    return import_id


def _created(
    tx: Transaction, decision: Decision, first_seq: int, import_id: int, progress: Progress
) -> Iterator[list[New]]:
    """The new expenses in the order of their ids, TELL_EVERY at a time, put together by columns."""
    payments, rows = decision.payments, decision.payments.rows
    dedup_keys = [b""] * payments.size
    for key in decision.keys:
        dedup_keys[position_of(key)] = key
    no_text = repeat("")
    folded = functools.lru_cache(_MAX_FOLDED)(fold)
    account_keys = {name: None if name is None else fold(name) for name in decision.accounts.values()}
    for begin in range(0, len(decision.new), TELL_EVERY):
        new = decision.new[begin : begin + TELL_EVERY]
        named = [decision.categories[position] for position in new]
        descriptions = [rows.descriptions[position] for position in new]
        of_account = [decision.accounts[rows.accounts[position] or None] for position in new]
        notes = [rows.notes.get(position, "") for position in new] if rows.notes else no_text
        tags = [rows.tags.get(position, "") for position in new] if rows.tags else no_text
        columns = {
            "id": (decision.expense_ids[position] for position in new),
            "amount_minor": map(payments.minor.__getitem__, new),
            "category": named,
            "category_key": map(decision.category_keys.__getitem__, named),
            "description": descriptions,
            "description_key": map(folded, descriptions),
            "date": map(payments.date, new),
            "occurrence": (decision.occurrences.get(position, 1) for position in new),
            "account": of_account,
            "account_key": map(account_keys.__getitem__, of_account),
            "note": notes,
            "note_key": map(fold, notes) if rows.notes else no_text,
            "tags": tags,
            "tags_key": map(tags_key, tags) if rows.tags else no_text,
            "dedup_key": (as_key(dedup_keys[position]) for position in new),
            "last_seq": range(first_seq + begin, first_seq + begin + len(new)),
            "created_at": repeat(tx.at),
            "updated_at": repeat(tx.at),
            "version": repeat(1),
            "import_id": repeat(import_id),
        }
        yield list(expenses.new_rows(columns))
        progress((payments.size + begin + len(new)) // 2, payments.size)


def _owned_keys(decision: Decision) -> Iterator[claims.Owned]:
    """The dedup keys of the new expenses, in their order."""
    for together in decision.keys:
        yield as_key(together), decision.expense_ids[position_of(together)], None


def _owned_rows(decision: Decision, import_id: int) -> Iterator[tuple[bytes, int, int]]:
    """Every row identity that is given now, with its expense; in their order."""
    given = bytearray(decision.payments.size)
    for position in (*decision.new, *decision.back, *decision.joined):
        given[position] = 1
    for together in decision.payments.entries:
        position = position_of(together)
        if given[position]:
            yield together[:DIGEST_BYTES], decision.expense_ids[position], import_id


def _totals(decision: Decision) -> list[categories.Change]:
    """The changes of the categories' totals."""
    tally, minor = categories.Tally(), decision.payments.minor
    for position in decision.new:
        tally.count(decision.categories[position], minor[position], 1)
    return tally.changes()
