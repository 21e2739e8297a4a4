"""Whether what was decided of a statement still holds, after others wrote."""

from __future__ import annotations

from bisect import bisect_left

from expense_lib.domain.content import Content
from expense_lib.domain.keys import KEY_PREFIX
from expense_lib.domain.rows import Entry
from expense_lib.domain.text import fold
from expense_lib.rules.importing.decision import Decision
from expense_lib.rules.importing.payments import split
from expense_lib.rules.matching import ordinal
from expense_lib.rules.pairing import AFTER_DAYS, BEFORE_DAYS
from expense_lib.store import imports, log
from expense_lib.store.imports import Position
from expense_lib.store.transaction import Transaction

_FEW = 1_000  # lines of the log


def holds(tx: Transaction, decision: Decision, decided_at: Position) -> bool:
    """Whether it would be decided the same after what was written since *decided_at*.

    Others may have entered what no row of the statement has to do with. Anything else, or much, is decided
    anew.
    """
    now = imports.position(tx)
    if now == decided_at:
        return True
    entries = [logged for logged, _ in log.since(tx, decided_at.last_seq, _FEW + 1)]
    if now[1:] != decided_at[1:] or len(entries) > _FEW or len(entries) < now[0] - decided_at[0]:
        return False
    matched = {*decision.expense_ids, *decision.expenses_to_change}
    amounts = {*decision.payments.minor}
    return not any(
        logged.expense_id in matched
        or logged.kind != "created"
        or _spells_otherwise(decision, logged)
        or _has_the_key_of_a_row(decision, logged.content)
        or (logged.content.amount_minor in amounts and _is_near(decision, logged.content))
        for logged in entries
    )


def _spells_otherwise(decision: Decision, logged: Entry) -> bool:
    """Whether a category or an account of the rows is spelled otherwise by now."""
    category, key = logged.content.category, logged.content.category_key
    if key in decision.category_keys.values() and category not in decision.category_keys:
        return True
    account = logged.content.account
    return account is not None and any(
        fold(each) == fold(account) and each != account for each in decision.accounts.values() if each
    )


def _has_the_key_of_a_row(decision: Decision, content: Content) -> bool:
    key = bytes.fromhex(content.dedup_key().removeprefix(KEY_PREFIX))
    at = bisect_left(decision.keys, key)
    return at < len(decision.keys) and split(decision.keys[at])[0] == key


def _is_near(decision: Decision, content: Content) -> bool:
    days, day = decision.payments.rows.days, ordinal(content.date)
    return min(days) - BEFORE_DAYS <= day <= max(days) + AFTER_DAYS
