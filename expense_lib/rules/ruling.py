"""The rules of imports, each added, replaced or deleted as a change of its own, which can be undone."""

from __future__ import annotations

from expense_lib.domain.errors import RuleNotFound
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.text import fold
from expense_lib.rules.change import Change
from expense_lib.store import category_rules, effects
from expense_lib.store.transaction import Transaction


def add(tx: Transaction, text: str, category: str | None, *, skip: bool) -> int:
    """Add a rule, or replace the one of the same text. Returns its id."""
    key = fold(text)
    rule_id = category_rules.id_for(tx, key)
    change = Change(tx)
    change.put(tx, "rule", (key,), (rule_id, text, category, int(skip)))
    change.write(tx)
    return rule_id


def delete(tx: Transaction, rule_id: int) -> None:
    """Delete a rule.

    Raises:
        RuleNotFound: there is none of this id.
    """
    key = category_rules.key_of(tx, rule_id) if 1 <= rule_id <= MAX_ID else None
    if key is None:
        raise RuleNotFound(rule_id)
    change = Change(tx)
    change.put(tx, "rule", (key,), None)
    change.write(tx)


def text(tx: Transaction, number: int) -> str | None:
    """The text of the rule that a change added, replaced or deleted."""
    for each in effects.of(tx, number):
        if each.kind == "rule":
            value = each.after or each.before
            return None if value is None else str(value[1])
    return None
