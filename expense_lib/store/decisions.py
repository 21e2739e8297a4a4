"""What persons decided of payments that look like one, and what those that wait may be."""

from __future__ import annotations

import json
from collections.abc import Iterable

from expense_lib.store.transaction import Transaction

_APART = """
    SELECT expense_id, other_id
      FROM apart
     WHERE expense_id IN (SELECT value FROM json_each(:ids))
        OR other_id IN (SELECT value FROM json_each(:ids))
"""
_ALIKE = "SELECT text, other FROM alike"
_CANDIDATES = """
    SELECT expense_id, candidate_id
      FROM candidate
     WHERE expense_id IN (SELECT value FROM json_each(:ids))
     ORDER BY expense_id, candidate_id
"""
_ADD_APART = "INSERT INTO apart (expense_id, other_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_CANDIDATES = "INSERT INTO candidate (expense_id, candidate_id) VALUES (?, ?) ON CONFLICT DO NOTHING"


def apart(tx: Transaction, expense_ids: Iterable[int]) -> set[tuple[int, int]]:
    """The pairs, with one of these expenses, that somebody said are two payments; the smaller id first."""
    return set(tx.execute(_APART, {"ids": json.dumps(list(expense_ids))}))


def announce_alike(tx: Transaction) -> None:
    """Announce that ``alike`` will be asked."""
    tx.ahead(_ALIKE)


def alike(tx: Transaction) -> set[tuple[str, str]]:
    """The pairs of texts, as words, that somebody said are of one payment; in the order of the texts."""
    return set(tx.execute(_ALIKE))


def candidates(tx: Transaction, expense_ids: Iterable[int]) -> dict[int, list[int]]:
    """What held expenses may be, where only their statement could tell."""
    found: dict[int, list[int]] = {}
    for expense_id, candidate_id in tx.execute(_CANDIDATES, {"ids": json.dumps(list(expense_ids))}):
        found.setdefault(expense_id, []).append(candidate_id)
    return found


def add_candidates(tx: Transaction, found: Iterable[tuple[int, int]]) -> None:
    """Keep what held expenses may be."""
    tx.executemany(_ADD_CANDIDATES, found)


def tell_apart(tx: Transaction, found: Iterable[tuple[int, int]]) -> None:
    """Keep that expenses are two payments; the smaller id first."""
    tx.executemany(_ADD_APART, found)
