"""What changes do beside the versions in the log, each as JSON before and after, so that it can be undone.

An effect has a kind and a key; ``get`` and ``put`` are the one way to read and to write what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from expense_lib.store.transaction import Transaction

_INSERT = "INSERT INTO effect (number, kind, key, before, after) VALUES (?, ?, ?, ?, ?)"
_OF = "SELECT kind, key, before, after FROM effect WHERE number = :number ORDER BY kind, key"
_LATER = "SELECT MAX(number) FROM effect WHERE kind = :kind AND key = :key AND number > :number"

# By kind: how the value of a key is read, as one row of columns; how it is written, the values and then the
# key; and, where it can be absent, how it is removed.
_GET = {
    "row": "SELECT expense_id, decided FROM statement_row WHERE id = ?",
    "entered": "SELECT entered FROM expense WHERE id = ?",
    "said_account": "SELECT said_account_key FROM expense WHERE id = ?",
    "merged_into": "SELECT merged_into FROM expense WHERE id = ?",
    "part_of": "SELECT part_of FROM expense WHERE id = ?",
    "whole_minor": "SELECT whole_minor FROM expense WHERE id = ?",
    "state": "SELECT state FROM expense WHERE id = ?",
    "apart": "SELECT 1 FROM apart WHERE expense_id = ? AND other_id = ?",
    "alike": "SELECT 1 FROM alike WHERE text = ? AND other = ?",
    "undone": "SELECT 1 FROM undone WHERE number = ?",
    "rule": "SELECT id, text, category, skip FROM category_rule WHERE text_key = ? AND deleted = 0",
}
_PUT = {
    "row": "UPDATE statement_row SET expense_id = ?, decided = ? WHERE id = ?",
    "entered": "UPDATE expense SET entered = ? WHERE id = ?",
    "said_account": "UPDATE expense SET said_account_key = ? WHERE id = ?",
    "merged_into": "UPDATE expense SET merged_into = ? WHERE id = ?",
    "part_of": "UPDATE expense SET part_of = ? WHERE id = ?",
    "whole_minor": "UPDATE expense SET whole_minor = ? WHERE id = ?",
    "state": "UPDATE expense SET state = ? WHERE id = ?",
    "apart": "INSERT INTO apart (expense_id, other_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
    "alike": "INSERT INTO alike (text, other) VALUES (?, ?) ON CONFLICT DO NOTHING",
    "undone": "INSERT INTO undone (number) VALUES (?) ON CONFLICT DO NOTHING",
    "rule": """
        INSERT INTO category_rule (id, text, category, skip, text_key) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (text_key) DO UPDATE
           SET text = excluded.text, category = excluded.category, skip = excluded.skip, deleted = 0
    """,
}
_REMOVE = {
    "apart": "DELETE FROM apart WHERE expense_id = ? AND other_id = ?",
    "alike": "DELETE FROM alike WHERE text = ? AND other = ?",
    "undone": "DELETE FROM undone WHERE number = ?",
    "rule": "UPDATE category_rule SET deleted = 1 WHERE text_key = ?",
}

# The kinds that are about one column of an expense.
COLUMNS = {
    "entered": "entered",
    "said_account": "said_account_key",
    "merged_into": "merged_into",
    "part_of": "part_of",
    "whole_minor": "whole_minor",
    "state": "state",
}
_IS_THERE = ("apart", "alike", "undone")  # of these there is nothing but the key


class Effect(NamedTuple):
    """The values, by the columns of the kind, before and after; None: it was, or is, not there."""

    kind: str
    key: tuple[Any, ...]
    before: tuple[Any, ...] | None
    after: tuple[Any, ...] | None


def get(tx: Transaction, kind: str, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The value of what effects of this kind and key are about; None if it is not there."""
    found: tuple[Any, ...] | None = tx.execute(_GET[kind], key).fetchone()
    return found


def put(tx: Transaction, number: int, found: Iterable[Effect]) -> None:
    """Do what change *number* does, and keep it with the change."""
    rows = []
    for kind, key, before, after in found:
        if after is None:
            tx.execute(_REMOVE[kind], key)
        else:
            tx.execute(_PUT[kind], key if kind in _IS_THERE else (*after, *key))
        rows.append((number, kind, json.dumps(key), _text(before), _text(after)))
    if rows:
        tx.executemany(_INSERT, rows)


def announce(tx: Transaction, number: int) -> None:
    """Announce that the effects of a change will be asked, and whether it is undone."""
    tx.ahead(_GET["undone"], (number,))
    tx.ahead(_OF, {"number": number})


def of(tx: Transaction, number: int) -> Iterator[Effect]:
    """The effects of a change."""
    for kind, key, before, after in tx.execute(_OF, {"number": number}).fetchall():
        yield Effect(kind, tuple(json.loads(key)), _value(before), _value(after))


def later(tx: Transaction, number: int, effect: Effect) -> int | None:
    """The last change after *number* with an effect on the same."""
    values = {"kind": effect.kind, "key": json.dumps(effect.key), "number": number}
    found: int | None = tx.execute(_LATER, values).fetchone()[0]
    return found


def _text(value: tuple[Any, ...] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _value(text: str | None) -> tuple[Any, ...] | None:
    return None if text is None else tuple(json.loads(text))
