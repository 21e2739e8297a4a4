"""The ledger's undecided rows, as the tray beside the form shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from expense_lib.app import messages


def items(rows: Iterable[Mapping[str, Any]], names: Mapping[int, str], currency: str) -> list[dict[str, Any]]:
    """What is to be decided, in words.

    Args:
        rows: Each with *id*, *kind*, *date*, *amount*, *description*, *account*, *candidates* and *why*.
        names: What the expenses are that are candidates, by their ids.
        currency: The ledger's.

    Returns:
        For each row its *row*, *title*, *text*, and the *acts* that answer it, the likeliest first; what an
        act *says* is what ``Session.decide`` takes: an expense's id, "new" or "skip".
    """
    return [_item(row, names, currency) for row in rows]


def _item(row: Mapping[str, Any], names: Mapping[int, str], currency: str) -> dict[str, Any]:
    title = (messages.money(row["amount"], currency), row["description"], str(row["date"]), row["account"])
    same = [_act(f"The same as {names.get(each, f'#{each}')}", each) for each in row["candidates"]]
    skip = [_act("Leave it out", "skip")] if row["kind"] == "row" else []
    return {
        "id": f"row-{row['id']}",
        "kind": "row",
        "row": row["id"],
        "title": ", ".join(filter(None, title)),
        "text": row["why"],
        "acts": [*same, _act("Another one", "new"), *skip],
    }


def _act(label: str, says: int | str) -> dict[str, Any]:
    return {"name": f"say-{says}", "label": label, "says": says}
