"""The app's tables: pages of rows, as ``table.js`` takes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from expense_lib.app import messages
from expense_lib.app.figures import Compared, Comparison
from expense_lib.app.recurring import Recurring
from expense_lib.app.snapshot import Snapshot
from expense_lib.domain.results import CategoryTotal, Change
from expense_lib.domain.statement import Import

Table = dict[str, Any]

EMPTY: Table = {"columns": [], "rows": [], "caption": ""}

VERDICTS = {
    "created": "new",
    "joined": "taken for expenses you have",
    "held": "to decide later",
    "existing": "there already",
    "changed": "changed since",
    "deleted": "deleted before",
    "skipped": "left out",
}
NOT_READ = "not understood"
COUNTS = VERDICTS | {"bad": NOT_READ}  # the numbers of an import
_BROUGHT = ("created", "joined", "held")  # what undoing an import takes back


def expenses(seen: Snapshot, *, newer: bool) -> Table:
    """The expenses that are seen, to be picked and edited; *newer* says that a page comes before."""
    page = seen.page
    if page is None:
        return EMPTY
    return {
        "columns": [
            {"name": "date", "label": "Date", "kind": "date", "sorts": ["date_desc", "date_asc"]},
            {"name": "category", "label": "Category"},
            {"name": "description", "label": "Description", "kind": "detailed"},
            {"name": "amount", "label": "Amount", "kind": "amount", "sorts": ["amount_desc", "amount_asc"]},
        ],
        "rows": [
            {
                "id": each.id,
                "named": f"{each.description or each.category}, {each.amount:,}, {each.date}",
                "date": str(each.date),
                "category": each.category,
                "description": each.description,
                "details": details(each.account, each.tags, each.note),
                "amount": f"{each.amount:,}",
            }
            for each in page.items
        ],
        "sort": seen.sort,
        "newer": newer,
        "older": page.next_cursor is not None,
        "caption": f"{messages.number(len(page.items), 'expense')} of {page.count:,}",
        "picks": True,
        "act": "Edit",
    }


def details(account: str | None, tags: Iterable[str], note: str) -> list[dict[str, str]]:
    """Annotations, as they are shown small."""
    found = [("account", account), *(("tag", messages.tag(name)) for name in tags), ("note", note)]
    return [{"kind": kind, "text": text} for kind, text in found if text]


def compared(comparison: Comparison) -> Table:
    """A row for all categories, and one for each; the columns are named after the days that were compared."""
    this, last, year_ago = (_days(*period) for period in comparison.periods)
    columns = {
        "name": ("Category", ""),
        "this_month": (this, "amount"),
        "last_month": (last, "amount"),
        "since_last_month": ("More than then", "amount"),
        "year_ago": (year_ago, "amount"),
        "since_year_ago": ("More than then", "amount"),
    }

    def row(each: Compared) -> Table:
        amounts = {name: f"{getattr(each, name):,}" for name, (_, kind) in columns.items() if kind}
        return {"id": each.name, "name": each.name, **amounts}

    rows = [row(each) for each in (comparison.total, *comparison.rows)]
    return table("This month beside others", columns, rows)


def recurring(found: Sequence[Recurring]) -> Table:
    """A row for each payment that likely comes again, with the day on which it is due."""
    columns = {
        "description": ("Description", ""),
        "category": ("Category", ""),
        "amount": ("Amount", "amount"),
        "every": ("Every", ""),
        "count": ("Came", ""),
        "last": ("Last", "date"),
        "next": ("Next", "date"),
    }
    rows = [
        {
            "id": each.description,
            "description": each.description,
            "category": each.category,
            "amount": f"{each.amount:,}",
            "every": messages.number(each.every_days, "day"),
            "count": messages.number(each.count, "time"),
            "last": str(each.last),
            "next": str(each.next),
        }
        for each in found
    ]
    none = "Nothing came three times at regular intervals yet."
    return table("Likely to come again", columns, rows) | {"none": none}


def categories(found: Sequence[CategoryTotal]) -> Table:
    """A row for each category, to be renamed; its name is its id."""
    columns = {"name": ("Category", ""), "count": ("Expenses", "amount"), "total": ("Total", "amount")}
    rows = [
        {
            "id": each.name,
            "named": each.name,
            "name": each.name,
            "count": f"{each.count:,}",
            "total": f"{each.total:,}",
        }
        for each in found
    ]
    return table("Categories", columns, rows, "Rename") | {"none": "There are no categories yet."}


def imports(found: Sequence[Import]) -> Table:
    """A row for each statement that was imported, the latest first, to be undone.

    Of its numbers those that are not 0 everywhere.
    """
    given = [each.model_dump(include={*COUNTS}) for each in found]
    numbers = {name: None for name in COUNTS if name == "created" or any(each.get(name) for each in given)}
    columns = {
        "at": ("When", "date"),
        "source": ("File", ""),
        "account": ("Account", ""),
        **{name: (COUNTS[name].capitalize(), "amount") for name in numbers},
        "state": ("", ""),
    }
    rows = [
        {
            "id": each.id,
            "named": f"the import of {each.source or 'a statement'} at {messages.moment(each.at)}",
            "at": messages.moment(each.at),
            "source": each.source,
            "account": each.account,
            **{name: f"{count:,}" for name, count in each.model_dump(include={*numbers}).items()},
            "state": f"Undone {messages.moment(each.undone_at)}" if each.undone_at else "",
            "fixed": each.undone_at is not None or not any(each.model_dump(include={*_BROUGHT}).values()),
        }
        for each in found
    ]
    return table("Imports", columns, rows, "Undo") | {"none": "No statement was imported yet."}


def changes(found: Sequence[Change], currency: str, *, newer: bool, older: bool) -> Table:
    """A row for each change, the latest first, to be undone."""
    columns = {"at": ("When", "date"), "what": ("What", "")}
    rows = [
        {
            "id": each.number,
            "named": f"the change of {messages.moment(each.at)}",
            "at": messages.moment(each.at),
            "what": _in_words(each, currency),
        }
        for each in found
    ]
    turning = {"newer": newer, "older": older, "none": "Nothing was changed yet."}
    return table("Changes", columns, rows, "Undo") | turning


def table(
    caption: str, columns: dict[str, tuple[str, str]], rows: Sequence[Table], act: str | None = None
) -> Table:
    """A table of *rows*; each column has a label and a kind, as ``table.js`` has them."""
    return {
        "columns": [{"name": name, "label": label, "kind": kind} for name, (label, kind) in columns.items()],
        "rows": rows,
        "caption": caption,
        "act": act,
    }


def _in_words(change: Change, currency: str) -> str:
    if change.change == "rule":
        return f"rule of imports: {change.rule}"
    if change.change == "import":
        return "import undone, which had brought nothing"
    said = messages.changed(change, currency)
    if change.count > 1:
        return f"{messages.number(change.count, 'expense')} {messages.DONE[change.change]}, the first: {said}"
    return (
        said
        if change.change != "amended" or not change.after
        else f"{messages.expense(change.after, currency)}: {said}"
    )


def _days(first: dt.date, last: dt.date) -> str:
    return f"{first:%b %Y}, {first.day} to {last.day}"
