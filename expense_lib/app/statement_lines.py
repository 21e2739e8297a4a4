"""The lines of a statement, what would become of each, and which of them are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from expense_lib.app import tables
from expense_lib.app.import_phases import Proposed
from expense_lib.app.row_decisions import Saids
from expense_lib.domain.statement import Imported, Verdict
from expense_lib.statements import Plan

ON_PAGE = 50
GUESSED = "category guessed"

_SOURCES = {"rule": "by rule", "before": "as before", "alike": "guessed", "default": "none known"}


def lines(plan: Plan, dry: Imported) -> list[tables.Table]:
    """A row for each line of a statement, in the order of the file: what would become of it, and why."""
    rows: list[tables.Table] = [
        {
            "id": at,
            "line": str(row.line),
            "date": str(row.date),
            "description": row.description,
            "account": row.account,
            "amount": f"{row.amount:,}",
            "category": verdict.category or "",
            "what": tables.VERDICTS[verdict.what],
            "why": verdict.why,
            **({"details": tables.details("", row.tags.split(), row.note)} if row.tags or row.note else {}),
            **_source(verdict),
        }
        for at, (row, verdict) in enumerate(zip(plan.rows, dry.verdicts, strict=True))
    ]
    blank = dict.fromkeys(("date", "description", "account", "amount", "category"), "")
    rows += [
        {"id": -bad.line, "line": str(bad.line), **blank, "what": tables.NOT_READ, "why": bad.reason}
        for bad in plan.bad
    ]
    return sorted(rows, key=lambda row: int(row["line"])) if plan.bad else rows


@dataclass(frozen=True)
class Lines:
    """A page of lines: *only* those with this verdict, if it is not empty, from the one at *first* on."""

    only: str = ""
    first: int = 0

    def turned(self, to: str) -> Lines:
        """The *newer* or *older* page, which is to say the one before or after."""
        return replace(self, first=max(0, self.first + (ON_PAGE if to == "older" else -ON_PAGE)))

    def table(self, phase: Proposed, saids: Saids | None) -> tables.Table:
        """The page, and what would become of each line, with what a person may say of it, if anything."""
        rows = phase.rows
        if self.only:
            rows = [row for row in rows if self.only in (row["what"], _guess(row))]
        page = _page(rows, self.first)
        if saids is not None:
            page["rows"] = [row | _choosing(phase, saids, row) for row in page["rows"]]
        return page


def kinds(rows: Sequence[tables.Table]) -> dict[str, str]:
    """The choices of which lines to show, by label."""
    counted = Counter(row["what"] for row in rows) + Counter(filter(None, map(_guess, rows)))
    return {f"all {len(rows):,}": ""} | {f"{what} ({count:,})": what for what, count in counted.items()}


def _choosing(phase: Proposed, saids: Saids, row: tables.Table) -> tables.Table:
    position = row["id"]
    if position < 0:  # it was not understood
        return {}
    said, choices = saids.choices(phase.plan.rows[position], phase.dry.verdicts[position])
    named = f"What becomes of line {row['line']}, {row['description']}, {row['amount']}"
    return {"what": {"named": named, "value": said, "choices": choices}} if choices else {}


def _source(verdict: Verdict) -> tables.Table:
    """From where the category is of a row that is to have one, if not from the statement itself."""
    text = _SOURCES.get(verdict.category_from or "") if verdict.what in ("created", "held") else None
    return {"source": {"kind": verdict.category_from, "text": text}} if text else {}


def _guess(row: tables.Table) -> str:
    """GUESSED, if the category of a statement's line is that of expenses like it; else empty."""
    return GUESSED if row.get("source", {}).get("kind") == "alike" else ""


def _page(rows: Sequence[tables.Table], first: int) -> tables.Table:
    """A page of a statement's lines, from the one at *first* on; their accounts, if any has one."""
    account = {"account": ("Account", "")} if any(row["account"] for row in rows) else {}
    columns = {
        "line": ("Line", "amount"),
        "date": ("Date", "date"),
        "description": ("Description", "detailed"),
        **account,
        "amount": ("Amount", "amount"),
        "category": ("Category", "sourced"),
        "what": ("What", "choice"),
        "why": ("Why", ""),
    }
    turning = {
        "newer": first > 0,
        "older": first + ON_PAGE < len(rows),
        "turns": ["Previous", "Next"],
        "statement": True,
    }
    return tables.table("Lines of the statement", columns, list(rows[first : first + ON_PAGE])) | turning
