"""Statements for tests: what a bank's CSV or OFX file says, read as any file is."""

from __future__ import annotations

import csv
import io
from typing import Any

from expense_lib import Ledger, statements
from expense_lib.domain.statement import Imported
from expense_lib.statements import Plan

Line = tuple[str, ...]  # date, description, amount, and a reference if it has one


def a_csv(*lines: Line, account: str = "Giro", layout: str = "one", **told: Any) -> Plan:
    """A CSV statement of these lines, in the order in which they are given; *layout* names what wrote it."""
    has_references = any(len(line) > 3 for line in lines)
    header = ["Date", "Description", "Amount", *(["Transaction ID"] if has_references else [])]
    text = io.StringIO()
    csv.writer(text).writerows([header, *lines])
    said: dict[str, Any] = {
        "spending": "positive",
        "date_format": "%Y-%m-%d",
        "references": has_references,
        "layout": layout,
    }
    return statements.read(text.getvalue().encode(), account=account, **said | told)


def an_ofx(*lines: Line, account: str = "Giro", **told: Any) -> Plan:
    """An OFX statement of these lines."""
    transactions = "".join(
        f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{line[0].replace('-', '')}<TRNAMT>-{line[2]}"
        + (f"<FITID>{line[3]}" if len(line) > 3 else "")
        + f"<NAME>{line[1]}</STMTTRN>\n"
        for line in lines
    )
    text = (
        "OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD"
        f"<BANKACCTFROM><ACCTID>{account}</BANKACCTFROM>"
        f"<BANKTRANLIST>{transactions}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )
    return statements.read(text.encode(), **{"references": True} | told)


def november(day: int, text: str, amount: str = "12.50", *reference: str) -> Line:
    """A line of a day of November 2026."""
    return (f"2026-11-{day:02}", text, amount, *reference)


def whats(done: Imported) -> list[str]:
    """The verdicts' words, in the order of the file."""
    return [verdict.what for verdict in done.verdicts]


def owners(done: Imported) -> list[int]:
    """The verdicts' expenses, 0 for none."""
    return [verdict.expense_id or 0 for verdict in done.verdicts]


def bring(ledger: Ledger, *plans: Plan) -> list[str]:
    """Import statements. Returns the verdicts' words on the last one; each dry run said the same before."""
    found: list[str] = []
    for plan in plans:
        dry = ledger.import_statement(plan, dry_run=True)
        found = whats(ledger.import_statement(plan))
        assert whats(dry) == found
        assert ledger.check() == []
    return found
