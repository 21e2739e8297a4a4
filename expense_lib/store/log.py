"""The log: one entry for each version of each expense, only ever added to. Its numbers have no gap."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from expense_lib.domain.content import FIELDS
from expense_lib.domain.rows import Entry, OtherKind, Revision
from expense_lib.store.transaction import Transaction

_FIELDS = ", ".join(FIELDS)
_COLUMNS = ("seq", "previous", "part_of", "kind", "at", "actor", "expense_id", "version", *FIELDS)
_INSERT = f"INSERT INTO log_entry ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_CREATED = f"""
    INSERT INTO log_entry (seq, part_of, kind, at, actor, expense_id, version, {_FIELDS})
    SELECT last_seq, CAST(? AS bigint),
           CASE state WHEN 'live' THEN 'created' WHEN 'held' THEN 'held' ELSE 'deleted' END,
           created_at, ?, id, 1, {_FIELDS}
      FROM expense
     WHERE id > ?
     ORDER BY id
"""

_CHANGED_OTHERWISE = """
    INSERT INTO log_entry (seq, kind, at, actor, version)
    SELECT COALESCE(MAX(seq), 0) + 1, :kind, :at, :actor, 0
      FROM log_entry
    RETURNING seq
"""

# Rows as Entry has them, each with the version before it, if there is one.
_ENTRY = f"""
    SELECT entry.seq, COALESCE(entry.part_of, entry.seq), entry.kind, entry.at, entry.actor, entry.expense_id,
           entry.version, {", ".join(f"entry.{name}" for name in FIELDS)},
           earlier.kind, {", ".join(f"earlier.{name}" for name in FIELDS)}
"""
_WITH_EARLIER = """
      FROM log_entry AS entry
      LEFT JOIN log_entry AS earlier ON earlier.seq = entry.previous
"""
_OF_EXPENSE = f"""
    WITH RECURSIVE line(seq) AS (
        SELECT last_seq FROM expense WHERE id = :expense_id
         UNION ALL
        SELECT log_entry.previous FROM line JOIN log_entry USING (seq)
    )
    {_ENTRY}
      FROM line
      JOIN log_entry AS entry ON entry.seq = line.seq
      LEFT JOIN log_entry AS earlier ON earlier.seq = entry.previous
     ORDER BY entry.version
"""
_SINCE = f"""
    {_ENTRY}, expense.dedup_key
    {_WITH_EARLIER}
      JOIN expense ON expense.id = entry.expense_id
     WHERE entry.seq > :since
     ORDER BY entry.seq
     LIMIT :limit
"""
_WHOLE = f"""
    {_ENTRY}, expense.dedup_key
    {_WITH_EARLIER}
      JOIN expense ON expense.id = entry.expense_id
     ORDER BY entry.expense_id, entry.version
"""
_OF_CHANGE = f"""
    {_ENTRY}
    {_WITH_EARLIER}
     WHERE entry.seq = :number OR entry.part_of = :number
     ORDER BY entry.seq
"""
_NUMBER = "SELECT COALESCE(part_of, seq) FROM log_entry WHERE seq = :seq"

# Rows as Entry has them, the first entry of each change, with how many entries it has.
_CHANGES = f"""
    {_ENTRY},
           (SELECT 1 + COUNT(*) FROM log_entry AS part INDEXED BY entry_by_change
             WHERE part.part_of = entry.seq)
      FROM log_entry AS entry INDEXED BY first_entry
      LEFT JOIN log_entry AS earlier ON earlier.seq = entry.previous
     WHERE entry.part_of IS NULL AND entry.version <> 1 AND entry.seq < :before
     ORDER BY entry.seq DESC
     LIMIT :limit
"""

# Rows, the first version first: id of the expense, and FIELDS as they were, for a JSON list of ids.
_VERSIONS = f"""
    WITH RECURSIVE line(seq) AS (
        SELECT last_seq FROM expense WHERE id IN (SELECT value FROM json_each(:ids))
         UNION ALL
        SELECT log_entry.previous FROM line JOIN log_entry USING (seq)
    )
    SELECT expense_id, {_FIELDS}
      FROM line
      JOIN log_entry USING (seq)
     ORDER BY seq
"""


def created(tx: Transaction, after: int, part_of: int | None = None) -> None:
    """Log the expenses with ids larger than *after*, which were just added, or as part of a change."""
    tx.execute(_CREATED, (part_of, tx.actor, after))


def revised(tx: Transaction, revisions: Sequence[Revision], number: int) -> None:
    """Log revisions as one change, its first entry at *number*, which is the next free one."""
    at, actor = tx.at, tx.actor
    tx.executemany(
        _INSERT,
        (
            (
                seq,
                row.last_seq,
                None if seq == number else number,
                kind,
                at,
                actor,
                row.id,
                row.version + 1,
                *content,
            )
            for seq, (row, content, kind) in enumerate(revisions, number)
        ),
    )


def changed_otherwise(tx: Transaction, kind: OtherKind) -> int:
    """Log a change of no expense, which is kept beside the log. Returns its number."""
    values = {"kind": kind, "at": tx.at, "actor": tx.actor}
    seq: int = tx.execute(_CHANGED_OTHERWISE, values).fetchone()[0]
    return seq


def history(tx: Transaction, expense_id: int) -> list[Entry]:
    """Every version of an expense, the first one first."""
    return [Entry.of(row) for row in tx.execute(_OF_EXPENSE, {"expense_id": expense_id})]


def is_edited(tx: Transaction, expense_id: int) -> bool:
    """Whether somebody edited an expense, as it is or as it once was."""
    return any(entry.kind == "amended" for entry in history(tx, expense_id))


def versions(tx: Transaction, expense_ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The id and the FIELDS of every version of these expenses, earlier ones first."""
    if expense_ids:
        yield from tx.execute(_VERSIONS, {"ids": json.dumps(expense_ids)})


def announce_versions(tx: Transaction, expense_ids: Sequence[int]) -> None:
    """Announce that the ``versions`` of these expenses will be asked."""
    if expense_ids:
        tx.ahead(_VERSIONS, {"ids": json.dumps(expense_ids)})


def since(tx: Transaction, seq: int, limit: int) -> Iterator[tuple[Entry, str]]:
    """The entries after *seq*, in order, at most *limit* of them, each with its expense's dedup key."""
    found = tx.execute(_SINCE, {"since": seq, "limit": limit})
    return ((Entry.of(row), row[-1]) for row in found)


def whole(tx: Transaction) -> Iterator[tuple[Entry, str]]:
    """The log of every expense there ever was, by ids and versions, each entry with the dedup key."""
    return ((Entry.of(row), row[-1]) for row in tx.execute(_WHOLE))


def number(tx: Transaction, seq: int) -> int:
    """The number of the change that entry *seq* is part of."""
    return int(tx.execute(_NUMBER, {"seq": seq}).fetchone()[0])


def change(tx: Transaction, seq: int) -> list[Entry]:
    """All entries of the change that entry *seq* is part of, in order; none if there is no such entry."""
    found = tx.execute(_NUMBER, {"seq": seq}).fetchone()
    rows = tx.execute(_OF_CHANGE, {"number": found[0]}) if found else ()
    return [Entry.of(row) for row in rows]


def announce_change(tx: Transaction, number: int) -> None:
    """Announce that ``change`` will be asked, which this is most likely the number of."""
    tx.ahead(_NUMBER, {"seq": number})
    tx.ahead(_OF_CHANGE, {"number": number})


def changes(tx: Transaction, before: int, limit: int) -> Iterator[tuple[Entry, int]]:
    """The first entries of the changes with smaller numbers than *before*, the last first, at most *limit*.

    Each with how many entries the change has. What created an expense is not listed.
    """
    found = tx.execute(_CHANGES, {"before": before, "limit": limit})
    return ((Entry.of(row), row[-1]) for row in found)
