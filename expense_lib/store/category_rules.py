"""The rules of imports: a text in a description means a category, or that the row is left out."""

from __future__ import annotations

from typing import NamedTuple

from expense_lib.store.transaction import Transaction

_RULES = """
    SELECT id, text, category, skip
      FROM category_rule
     WHERE deleted = 0
     ORDER BY length(text_key) DESC, id
"""
_FIND = "SELECT text_key FROM category_rule WHERE id = :id AND deleted = 0"
_ID = "SELECT id FROM category_rule WHERE text_key = :key"
_LAST = "SELECT COALESCE(MAX(id), 0) + 1 FROM category_rule"


class StoredRule(NamedTuple):
    """A rule; *category* is None for one that leaves rows out."""

    id: int
    text: str
    category: str | None
    skip: int


def listed(tx: Transaction) -> list[StoredRule]:
    """Every rule, the one with the longest text first."""
    return [StoredRule(*row) for row in tx.execute(_RULES)]


def announce(tx: Transaction) -> None:
    """Announce that ``listed`` will be asked."""
    tx.ahead(_RULES)


def key_of(tx: Transaction, rule_id: int) -> str | None:
    """The key of the rule of this id; None if there is none."""
    row = tx.execute(_FIND, {"id": rule_id}).fetchone()
    return None if row is None else str(row[0])


def id_for(tx: Transaction, key: str) -> int:
    """The id of the rule of this key, deleted or not, or that of a new one. Ids are never used again."""
    row = tx.execute(_ID, {"key": key}).fetchone() or tx.execute(_LAST).fetchone()
    return int(row[0])
