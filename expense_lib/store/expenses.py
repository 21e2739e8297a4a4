"""The expenses: read by id or key; one to any number of them added or revised, with all that belongs to each.

Every function works inside the caller's transaction. No expense is in the ledger without its key, its entry
in the log and its place in its category's total: ``add`` and ``revise`` are the only two that write expenses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from operator import attrgetter
from typing import Any, NamedTuple

from expense_lib.domain.content import FIELDS, KEYS, Content
from expense_lib.domain.rows import COLUMNS, LEAVING, Revision, Row
from expense_lib.store import categories, claims, log
from expense_lib.store.transaction import Transaction

SELECT = f"SELECT {', '.join(COLUMNS)} FROM expense"
_BY_ID = f"{SELECT} WHERE id = :id"
_BY_IDS = f"{SELECT} WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id"
_LIVE_IN_CATEGORY = f"{SELECT} WHERE deleted_at IS NULL AND category_key = :key ORDER BY id"

_HELD = f"{SELECT} WHERE state = 'held' ORDER BY id"
_PARTS = f"{SELECT} WHERE part_of = :id AND deleted_at IS NULL ORDER BY id"

# One row: the largest id of an expense, and the last number of the log.
_LAST = """
    SELECT (SELECT COALESCE(MAX(id), 0) FROM expense),
           (SELECT COALESCE(MAX(seq), 0) FROM log_entry)
"""

# One row: the same, the name of a category, and whether a bank told of a payment of an amount near a day.
_SURROUNDINGS = """
    SELECT (SELECT COALESCE(MAX(id), 0) FROM expense),
           (SELECT COALESCE(MAX(seq), 0) FROM log_entry),
           (SELECT name FROM category WHERE key = ?),
           EXISTS (SELECT 1 FROM statement_row WHERE amount_minor = ? AND date BETWEEN ? AND ?)
"""

# In the order of New.
NEW = (
    *("id", *FIELDS, *KEYS, "dedup_key", "last_seq", "created_at", "updated_at", "version"),
    *("deleted_at", "state", "entered", "said_account_key"),
)
_INSERT = f"INSERT INTO expense ({', '.join(NEW)}) VALUES ({', '.join('?' * len(NEW))})"
_UPDATE = "UPDATE expense SET {columns} WHERE id = ?"

New = tuple[Any, ...]  # an expense to be added: the values of NEW


def find(tx: Transaction, expense_id: int) -> Row | None:
    """The expense of this id, live or deleted."""
    columns = tx.execute(_BY_ID, {"id": expense_id}).fetchone()
    return None if columns is None else Row.of(columns)


def find_all(tx: Transaction, expense_ids: Iterable[int]) -> dict[int, Row]:
    """The expenses of these ids, live or deleted, by id, in its order."""
    found = tx.execute(_BY_IDS, {"ids": json.dumps(list(expense_ids))})
    return {columns[0]: Row.of(columns) for columns in found}


def live_in_category(tx: Transaction, key: str) -> list[Row]:
    """All live expenses of a category, by id."""
    return [Row.of(columns) for columns in tx.execute(_LIVE_IN_CATEGORY, {"key": key})]


def held(tx: Transaction) -> list[Row]:
    """The expenses that wait for somebody to say what they are, by id."""
    return [Row.of(columns) for columns in tx.execute(_HELD)]


def parts_of(tx: Transaction, expense_id: int) -> list[Row]:
    """The live parts of a payment besides its first, by id."""
    return [Row.of(columns) for columns in tx.execute(_PARTS, {"id": expense_id})]


def announce_in_category(tx: Transaction, key: str) -> None:
    """Announce that ``live_in_category`` will be asked."""
    tx.ahead(_LIVE_IN_CATEGORY, {"key": key})


def announce(tx: Transaction, expense_id: int) -> None:
    """Announce that ``find`` will be asked."""
    tx.ahead(_BY_ID, {"id": expense_id})


def announce_held(tx: Transaction) -> None:
    """Announce that ``held`` will be asked."""
    tx.ahead(_HELD)


def announce_parts_of(tx: Transaction, expense_id: int) -> None:
    """Announce that ``parts_of`` will be asked."""
    tx.ahead(_PARTS, {"id": expense_id})


def last(tx: Transaction) -> tuple[int, int]:
    """The largest id of an expense so far, and the last number of the log."""
    expense_id, seq = tx.execute(_LAST).fetchone()
    return expense_id, seq


def announce_last(tx: Transaction) -> None:
    """Announce that ``last`` will be asked."""
    tx.ahead(_LAST)


class Surroundings(NamedTuple):
    """What adding one expense has to know: the last numbers, its category's spelling, what banks told of."""

    last_id: int
    last_seq: int
    category: str | None
    is_told_of: int


def surroundings(tx: Transaction, content: Content, first: str, until: str) -> Surroundings:
    """What is around a new expense; and whether a bank told of one of its amount between two days."""
    values = (content.category_key, content.amount_minor, first, until)
    return Surroundings(*tx.execute(_SURROUNDINGS, values).fetchone())


def add(
    tx: Transaction,
    new: Iterable[Iterable[New]],
    owned: Iterable[claims.Owned],
    totals: Iterable[categories.Change],
    after: int,
    part_of: int | None = None,
) -> None:
    """Put down new expenses: the one way in, for one or for a million.

    Args:
        tx: Holds the write lock.
        new: The expenses, in parts, with the ids that follow *after* without a gap, in the order of the log.
        owned: Their keys; faster in the order of the keys.
        totals: What each category gets.
        after: The largest id so far.
        part_of: The change that they are part of, if they are of one.

    Raises:
        KeyTaken: one of the keys has an owner. The caller rolls back.
    """
    for part in new:
        tx.executemany(_INSERT, part)
    claims.add(tx, owned)
    log.created(tx, after, part_of)
    categories.change(tx, totals)


def revise(
    tx: Transaction,
    revisions: Sequence[Revision],
    columns: Set[str],
    totals: Iterable[categories.Change],
) -> int | None:
    """Write the next version of expenses and log it as one change: the one way to alter any number of them.

    Args:
        tx: Holds the write lock.
        revisions: What each expense becomes, each expense once.
        columns: What ``altered`` says of them.
        totals: What each category gets, or loses.

    Returns:
        The change's number; None if there are no revisions.
    """
    if not revisions:
        return None
    _, seq = last(tx)
    number = seq + 1
    log.revised(tx, revisions, number)
    written = [name for name in (*FIELDS, *KEYS, "deleted_at", "state") if name in columns]
    names = [*written, "version", "updated_at", "last_seq"]
    sql = _UPDATE.format(columns=", ".join(f"{name} = ?" for name in names))
    tx.executemany(sql, _updates(tx, revisions, written, number))
    categories.change(tx, totals)
    return number


def revised(revisions: Sequence[Revision], number: int | None, at: str) -> dict[int, Row]:
    """The expenses as ``revise`` has just written them as change *number*, by id."""
    return {
        row.id: row._replace(
            content=content,
            version=row.version + 1,
            updated_at=at,
            deleted_at=at if kind in LEAVING else None,
            last_seq=seq,
            state=LEAVING.get(kind, "live"),
        )
        for seq, (row, content, kind) in enumerate(revisions, number or 0)
    }


def altered(revisions: Sequence[Revision]) -> set[str]:
    """The columns that any of the revisions alters: only these are written, and only their indexes."""
    same = dict(enumerate(FIELDS))
    same_state = 0
    for row, content, kind in revisions:
        for at in [at for at in same if row.content[at] != content[at]]:
            del same[at]
        same_state += LEAVING.get(kind, "live") == row.state
    found = {*FIELDS} - {*same.values()}
    found |= {key for key in KEYS if key.removesuffix("_key") in found}
    return found if same_state == len(revisions) else found | {"deleted_at", "state"}


def _updates(
    tx: Transaction, revisions: Sequence[Revision], columns: Sequence[str], first: int
) -> Iterator[tuple[Any, ...]]:
    """The values of each revision's *columns*, version, time, number in the log, and id."""
    at = tx.at
    contents = [name for name in columns if name in FIELDS]
    keys = [KEYS.index(name) for name in columns if name in KEYS]
    values = attrgetter(*contents) if contents else None
    with_state = "state" in columns
    for seq, (row, content, kind) in enumerate(revisions, first):
        found: Any = ()
        if values is not None:
            found = values(content) if len(contents) > 1 else (values(content),)
        if keys:
            folded = content.keys()
            found += tuple(folded[key] for key in keys)
        if with_state:
            found += (at if kind in LEAVING else None, LEAVING.get(kind, "live"))
        yield (*found, row.version + 1, at, seq, row.id)


def new_rows(columns: Mapping[str, Iterable[Any]]) -> Iterator[New]:
    """Expenses to be added, from the values of each of the columns of NEW."""
    return zip(*(columns[name] for name in NEW), strict=False)


def new_row(row: Row) -> New:
    """One expense to be added."""
    return (
        row.id,
        *row.content,
        *row.content.keys(),
        row.dedup_key,
        row.last_seq,
        row.created_at,
        row.updated_at,
        row.version,
        row.deleted_at,
        row.state,
        row.entered,
        row.said_account_key,
    )
