"""What a filter asks, as conditions of SQL: of pages, totals, days, summaries and moves alike."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from expense_lib.domain.filters import Filter
from expense_lib.domain.text import fold
from expense_lib.store.transaction import Transaction

# The conditions that a filter can set, by the names of its fields.
_CONDITIONS = {
    "category": "category_key IN (SELECT value FROM json_each(:category))",
    "account": "account_key IN (SELECT value FROM json_each(:account))",
    "tag": "EXISTS (SELECT 1 FROM json_each(:tag) WHERE instr(tags_key, value) > 0)",
    "date_from": "date >= :date_from",
    "date_to": "date <= :date_to",
    "amount_min": "amount_minor >= :amount_min",
    "amount_max": "amount_minor <= :amount_max",
}
_ONE_CATEGORY = "category_key = :category"
_LIVE = "deleted_at IS NULL"

# Where a text is looked for. Where no category and no note has it, as one look at the few of each tells, no
# row's category or note needs a look.
_IN_DESCRIPTION = "instr(description_key, :q) > 0"
_IN_CATEGORY = "instr(category_key, :q) > 0"
_IN_NOTE = """
    id IN (
        SELECT id FROM expense INDEXED BY noted
         WHERE deleted_at IS NULL AND note_key <> '' AND instr(note_key, :q) > 0
    )
"""
# The same for a remote ledger, which is told by one statement.
_IN_CATEGORY_IF_ANY = f"""
    ((SELECT EXISTS (SELECT 1 FROM category WHERE instr(key, :q) > 0)) AND {_IN_CATEGORY})
"""
_IN_NOTE_IF_ANY = f"""
    ((SELECT EXISTS (
        SELECT 1 FROM expense INDEXED BY noted
         WHERE deleted_at IS NULL AND note_key <> '' AND instr(note_key, :q) > 0
     )) AND {_IN_NOTE})
"""
_PLACES = (
    "description_key LIKE :pattern",
    "category_key IN (SELECT key FROM category WHERE instr(key, :q) > 0)",
    _IN_NOTE,
)
_SPECIAL, _ESCAPED = re.compile(r"[\\%_]"), r"\\\g<0>"  # in a pattern of LIKE
_ELSEWHERE = """
    SELECT EXISTS (SELECT 1 FROM category WHERE instr(key, :q) > 0),
           EXISTS (
               SELECT 1 FROM expense INDEXED BY noted
                WHERE deleted_at IS NULL AND note_key <> '' AND instr(note_key, :q) > 0
           )
"""


def scans(tx: Transaction, wanted: Filter) -> bool:
    """Whether a remote ledger looks at each expense for what *wanted* asks, since no index holds that."""
    return tx.is_remote and bool(wanted.q or wanted.account or wanted.tag)


def index_of(wanted: Filter) -> str:
    """The index that holds all that *wanted* asks."""
    plain = not (wanted.q or wanted.account or wanted.tag)
    return "live_by_category" if len(wanted.category) == 1 and plain else "live_by_date"


def alternatives(tx: Transaction, wanted: Filter) -> list[str]:
    """The conditions that *wanted* sets, once for each place where its text is looked for.

    So each place can have an index: that of the description by trigrams, if the owner of a database made one.
    Their values are those of ``where``.
    """
    if not wanted.q:
        return [" AND ".join(where(tx, wanted)[0])]
    plain = where(tx, wanted.model_copy(update={"q": None}))[0]
    return [" AND ".join((*plain, place)) for place in _PLACES]


def where(tx: Transaction, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """The conditions that *wanted* sets, after that of being live, and the values bound in them."""
    categories = wanted.keys("category")
    given = {
        "category": categories[0] if len(categories) == 1 else json.dumps(categories) if categories else None,
        "account": json.dumps(wanted.keys("account")) if wanted.account else None,
        "tag": json.dumps([f" {key} " for key in wanted.keys("tag")]) if wanted.tag else None,
        "date_from": wanted.date_from and wanted.date_from.isoformat(),
        "date_to": wanted.date_to and wanted.date_to.isoformat(),
        "amount_min": _minor(tx, wanted.amount_min, "amount_min"),
        "amount_max": _minor(tx, wanted.amount_max, "amount_max"),
    }
    values = {name: value for name, value in given.items() if value is not None}
    conditions = [_LIVE, *(_CONDITIONS[name] for name in values)]
    if len(categories) == 1:
        conditions[1] = _ONE_CATEGORY
    if wanted.q:
        text = values["q"] = fold(wanted.q)
        if tx.is_remote:
            values["pattern"] = f"%{_SPECIAL.sub(_ESCAPED, text)}%"
            places = [_IN_DESCRIPTION, _IN_CATEGORY_IF_ANY, _IN_NOTE_IF_ANY]
        else:
            in_category, in_note = tx.execute(_ELSEWHERE, values).fetchone()
            places = [_IN_DESCRIPTION, *[_IN_CATEGORY] * in_category, *[_IN_NOTE] * in_note]
        conditions.append(f"({' OR '.join(places)})")
    return conditions, values


def _minor(tx: Transaction, amount: Decimal | None, field: str) -> int | None:
    return None if amount is None else tx.currency.to_minor(amount, field)
