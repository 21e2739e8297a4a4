"""The rules of splitting: one payment as several expenses, whose amounts add up to it."""

from __future__ import annotations

from typing import NamedTuple

from expense_lib.domain.errors import FieldError, InvalidInput, StaleVersion
from expense_lib.domain.rows import Row
from expense_lib.domain.text import fold
from expense_lib.rules.change import Change, Edit
from expense_lib.rules.recording import live
from expense_lib.store import expenses
from expense_lib.store.effects import Effect
from expense_lib.store.transaction import Transaction


class Part(NamedTuple):
    """What one part of a payment comes to, and its category."""

    amount_minor: int
    category: str


def split(tx: Transaction, expense_id: int, parts: list[Part], version: int | None) -> list[Row]:
    """Make a payment several expenses: the first keeps id, keys and rows, the others are new. Idempotent.

    A payment that is split is split anew; into one part, it is whole again.

    Returns:
        The parts, the first one first.

    Raises:
        ExpenseNotFound, ExpenseDeleted, ExpenseMerged: there is none, or no longer.
        StaleVersion: it was changed since.
        InvalidInput: it is another part of a payment itself, or the parts don't add up to the whole.
    """
    expenses.announce_parts_of(tx, expense_id)
    row = live(tx, expense_id)
    if row.part_of is not None:
        raise InvalidInput([FieldError("id", f"is part of expense {row.part_of}; split that again")])
    whole = row.whole_minor or row.content.amount_minor
    others = expenses.parts_of(tx, expense_id)
    now = [(each.content.amount_minor, each.content.category_key) for each in (row, *others)]
    if now == [(part.amount_minor, fold(part.category)) for part in parts]:
        return [row, *others]
    if version not in (None, row.version):
        raise StaleVersion(row.id, row.version)
    total = sum(part.amount_minor for part in parts)
    if total != whole:
        exact = tx.currency.from_minor
        raise InvalidInput(
            [
                FieldError(
                    "parts",
                    f"add up to {exact(total)}, {exact(abs(whole - total))} too "
                    f"{'much' if abs(total) > abs(whole) else 'little'}; the payment is {exact(whole)}",
                )
            ]
        )
    change = Change(tx)
    change.delete(others)
    first, *rest = parts
    content = row.content._replace(amount_minor=first.amount_minor, category=first.category)
    change.edit([Edit(row, content)], "split")
    if row.whole_minor != (now_whole := whole if rest else None):
        change.effects.append(Effect("whole_minor", (row.id,), (row.whole_minor,), (now_whole,)))
    change.add_parts(
        row,
        (row.content._replace(amount_minor=part.amount_minor, category=part.category) for part in rest),
    )
    change.write(tx)
    expenses.announce_parts_of(tx, expense_id)
    return [live(tx, expense_id), *expenses.parts_of(tx, expense_id)]
