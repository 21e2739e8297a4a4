"""Writes a decided import in one transaction, table by table, each in the order of its key."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count, repeat

from expense_lib.domain.content import tags_key
from expense_lib.domain.progress import Progress
from expense_lib.domain.text import fold
from expense_lib.rules.importing.decision import CHANGED, HELD, HELD_BACK, LEFT, MAKING, NEW, Decision
from expense_lib.rules.importing.occurrences import as_key
from expense_lib.rules.importing.payments import TELL_EVERY, position_of
from expense_lib.rules.importing.verdicts import numbers
from expense_lib.rules.matching import pair_of
from expense_lib.store import accounts, categories, claims, decisions, expenses, imports, tellings
from expense_lib.store.expenses import New
from expense_lib.store.transaction import Transaction

_MAX_FOLDED = 65_536
_MANY = 10_000  # rows from which on the indexes of an empty table are made afterwards
_STATES = {NEW: "live", HELD: "held", CHANGED: "held", LEFT: "skipped"}


def write(tx: Transaction, decision: Decision, progress: Progress) -> int:
    """Write what was decided, the caller holding the lock. Returns the import's id."""
    payments, made = decision.payments, decision.made
    last_id, last_seq = expenses.last(tx)
    import_id = imports.next_id(tx)
    for expense_id, position in enumerate(made, last_id + 1):
        decision.expense_ids[position] = expense_id
    imports.add_import(
        tx,
        {
            "id": import_id,
            "at": tx.at,
            "actor": tx.actor,
            "source": payments.plan.source,
            "account": payments.plan.account,
            "layout": payments.layout or None,
            "first_seq": last_seq + 1,
            "last_seq": last_seq + len(made) + len(decision.change),
            **numbers(decision),
        },
    )
    if made:
        accounts.add(tx, decision.accounts.values())
        created = _created(tx, decision, last_seq + 1, progress)
        with _filled(tx, "expense", len(made), is_empty=last_id == 0):
            expenses.add(tx, created, _owned_keys(decision), _totals(decision), last_id)
    decision.change.write(tx)
    for position, at in decision.waiting.items():
        decision.expense_ids[position] = decision.change.added[at]
    tellings.move(
        tx, ((decision.expense_ids[position], 0, row) for position, row in decision.replaced.items())
    )
    tellings.witness(tx, [*decision.witnessed, *decision.replaced.values()], import_id)
    first_row = tellings.next_id(tx)
    with _filled(tx, "statement_row", len(made), is_empty=first_row == 1):
        tellings.add(tx, _rows(decision, import_id, first_row))
    decisions.add_candidates(
        tx,
        (
            (decision.expense_ids[position], candidate)
            for position, found in decision.candidates.items()
            if decision.what[position] in (*MAKING, HELD_BACK) and position not in decision.by_persons
            for candidate in found
        ),
    )
    decisions.tell_apart(
        tx, (pair_of(decision.expense_ids[position], each) for position, each in decision.apart)
    )
    return import_id


def _filled(tx: Transaction, table: str, rows: int, *, is_empty: bool) -> AbstractContextManager[None]:
    """Around what fills a table, as is faster for so many rows."""
    return tx.indexed_afterwards(table) if is_empty and rows >= _MANY else nullcontext()


def _created(
    tx: Transaction, decision: Decision, first_seq: int, progress: Progress
) -> Iterator[Iterable[New]]:
    """The new expenses in the order of their ids, TELL_EVERY at a time, put together by columns."""
    payments, rows = decision.payments, decision.payments.rows
    dedup_keys = [b""] * payments.size
    for key in decision.keys:
        dedup_keys[position_of(key)] = key
    no_text = repeat("")
    folded = functools.lru_cache(_MAX_FOLDED)(fold)
    account_keys = {name: None if name is None else fold(name) for name in decision.accounts.values()}
    for begin in range(0, len(decision.made), TELL_EVERY):
        new = decision.made[begin : begin + TELL_EVERY]
        whats = [decision.what[position] for position in new]
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
            "deleted_at": (None if what == NEW else tx.at for what in whats),
            "state": map(_STATES.__getitem__, whats),
            "entered": repeat(0),
            "said_account_key": repeat(None),
        }
        yield expenses.new_rows(columns)
        progress((payments.size + begin + len(new)) // 2, payments.size)


def _owned_keys(decision: Decision) -> Iterator[claims.Owned]:
    """The dedup keys of the new expenses, in their order."""
    owners = map(decision.expense_ids.__getitem__, map(position_of, decision.keys))
    return zip(map(as_key, decision.keys), owners, repeat(None))


def _rows(decision: Decision, import_id: int, first_row: int) -> Iterator[tellings.NewTold]:
    """Every row that is to be kept: those that made an expense, and those that another expense takes."""
    payments, rows = decision.payments, decision.payments.rows
    others = decision.attached or decision.replaced
    kept = sorted({*decision.made, *decision.attached} - {*decision.replaced} if others else decision.made)
    return zip(
        count(first_row),
        map(decision.expense_ids.__getitem__, kept),
        repeat(import_id),
        map(payments.account, kept),
        map(payments.date, kept),
        map(payments.minor.__getitem__, kept),
        map(rows.descriptions.__getitem__, kept),
        map(decision.references.__getitem__, kept),
        map(int, map(decision.said_same.__contains__, kept)),
        strict=False,
    )


def _totals(decision: Decision) -> list[categories.Change]:
    """The changes of the categories' totals."""
    tally, minor = categories.Tally(), decision.payments.minor
    amounts: defaultdict[str, list[int]] = defaultdict(list)
    for position in decision.made:
        if decision.what[position] != NEW:
            continue
        amounts[decision.categories[position]].append(minor[position])
    for category, each in amounts.items():
        tally.count_all(category, each)
    return tally.changes()
