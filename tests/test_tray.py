from __future__ import annotations

from decimal import Decimal
from typing import Any

from expense_lib.app import tray


def a_row(**changes: Any) -> dict[str, Any]:
    row = {"id": 12, "kind": "row", "date": "2026-11-22", "amount": Decimal("12.50"), "description": "REWE"}
    return row | {"account": "Giro", "candidates": (33, 34), "why": "The amount is the same."} | changes


def test_row_is_told_with_the_likeliest_answer_first() -> None:
    [item] = tray.items([a_row()], {33: "12.50 USD, Food, Lunch, 2026-11-21"}, "USD")
    assert (item["title"], item["text"]) == ("12.50 USD, REWE, 2026-11-22, Giro", "The amount is the same.")
    assert [(act["label"], act["says"]) for act in item["acts"]] == [
        ("The same as 12.50 USD, Food, Lunch, 2026-11-21", 33),
        ("The same as #34", 34),
        ("Another one", "new"),
        ("Leave it out", "skip"),
    ]


def test_pair_that_looks_like_one_payment_is_not_left_out() -> None:
    [item] = tray.items([a_row(kind="pair", account=None)], {}, "USD")
    assert [act["says"] for act in item["acts"]] == [33, 34, "new"]
    assert item["title"] == "12.50 USD, REWE, 2026-11-22"
