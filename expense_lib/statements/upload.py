"""A statement that was read here, put down so that it is read the same elsewhere."""

from __future__ import annotations

import csv
import io
import json

from expense_lib.statements.plan import Plan

_COLUMNS = ("date", "amount", "description", "category", "reference", "currency", "account", "note", "tags")


def body(plan: Plan) -> bytes:
    """The rows as CSV in UTF-8, amounts positive for money spent; after them a line for each bad one."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for row in plan.rows:
        writer.writerow(
            (
                row.date.isoformat(),
                f"{row.amount:f}",
                row.description,
                row.category or "",
                row.reference or "",
                row.currency or "",
                row.account,
                row.note,
                row.tags,
            )
        )
    for _ in plan.bad:
        writer.writerow(["", "", "not understood", *[""] * (len(_COLUMNS) - 3)])
    return text.getvalue().encode()


def lines(plan: Plan) -> dict[int, int]:
    """The line of each row in the body, by its line in the file that it was read from."""
    return {line: sent for sent, line in enumerate(plan.rows.lines, 2)}


def query(plan: Plan) -> dict[str, str]:
    """What to say beside the body."""
    return {
        "mapping": json.dumps({column: column for column in _COLUMNS}),
        "account": plan.account,
        "spending": "positive",
        "credits": plan.credits,
        "default_category": plan.default_category,
        "date_format": "%Y-%m-%d",
        "decimal": ".",
        "encoding": "utf-8",
        "references": "true",
        "layout": plan.reading.layout,
        "filename": plan.source,
    }
