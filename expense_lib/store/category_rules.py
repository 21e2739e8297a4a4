"""The rules by which an import finds categories: a text in a description means a category."""

from __future__ import annotations

from expense_lib.domain.text import fold
from expense_lib.store.transaction import Transaction

_RULES = "SELECT id, text, category FROM category_rule ORDER BY length(text_key) DESC, id"
_ADD = """
    INSERT INTO category_rule (text, text_key, category) VALUES (:text, :text_key, :category)
    ON CONFLICT (text_key) DO UPDATE SET text = excluded.text, category = excluded.category
    RETURNING id, text, category
"""
_DELETE = "DELETE FROM category_rule WHERE id = :id"


def listed(tx: Transaction) -> list[tuple[int, str, str]]:
    """Id, text and category of every rule, the one with the longest text first."""
    return list(tx.execute(_RULES))


def add(tx: Transaction, text: str, category: str) -> tuple[int, str, str]:
    """Add a rule, or give the one of the same text another category."""
    values = {"text": text, "text_key": fold(text), "category": category}
    rule_id, text, category = tx.execute(_ADD, values).fetchone()
    return rule_id, text, category


def delete(tx: Transaction, rule_id: int) -> bool:
    """Delete a rule. Returns whether it was there."""
    return bool(tx.execute(_DELETE, {"id": rule_id}).rowcount)
