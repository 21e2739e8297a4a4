"""Statements in Quicken's QIF.

Read line by line here, since the one library for it that is kept (quiffen) refuses the whole file for one
line that it does not understand, and can't be installed on every Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from expense_lib.errors import NotAStatement
from expense_lib.statements import amounts, dates, decoding, texts
from expense_lib.statements.plan import BadLine, Reading, Rows, Spending, Texts

_OF_PAYMENTS = {"bank", "cash", "ccard", "oth a", "oth l"}


class _Record(NamedTuple):
    """A record: its first line, the kind of list and the account it is in, its fields by their letters."""

    line: int
    kind: str
    account: str
    values: dict[str, str]


def read(
    file: BinaryIO,
    encoding: str,
    account: str,
    spending: Spending | None,
    date_format: str | None,
    decimal: str | None,
    progress: Callable[[int], None],
) -> Any:
    """Read a QIF file. A payment that is split keeps its total and its first category.

    Returns:
        The rows, the records that are none, and how it was read.

    Raises:
        NotAStatement: it has no list of payments.
        StatementUnclear: the order of day and month must be said.
    """
    records = list(_records(decoding.whole_text(file, encoding)))
    if not any(record.kind in _OF_PAYMENTS or record.kind == "invst" for record in records):
        raise NotAStatement("This QIF file has no list of payments.")
    payments = [record for record in records if record.kind in _OF_PAYMENTS]
    date_format = date_format or dates.propose({_date(record) for record in payments}) or "%m/%d/%Y"
    totals = [record.values.get("T", record.values.get("U", "")) for record in payments]
    mark = decimal or amounts.decimal_mark(totals) or "."
    sign = 1 if spending == "positive" else -1
    rows, bad = Rows(), []
    for number, record in enumerate(records, 1):
        reason = ""
        if record.kind in _OF_PAYMENTS:
            reason = _add(rows, record, sign, date_format, mark, account)
        elif record.kind == "invst":
            reason = "it is an investment and not a payment"
        if reason:
            bad.append(BadLine(record.line, reason))
        if not number % 10_000:
            progress(number)
    reading = Reading("qif", encoding, date_format=date_format, decimal=mark, spending=spending or "negative")
    return rows, bad, reading


def _add(rows: Rows, record: _Record, sign: int, date_format: str, decimal: str, account: str) -> str:
    """Append the row; or the reason why it is none."""
    values = record.values
    day = dates.read(_date(record), date_format)
    if day is None:
        return f"its date (D) is missing or not as {date_format} says"
    amount = amounts.read(values.get("T", values.get("U", "")), decimal)
    if amount is None:
        return "its amount (T) is missing or can't be read"
    told = Texts(
        texts.description(values.get("P") or values.get("M") or ""),
        _category(values.get("L") or values.get("S") or ""),
        None,
        None,
        texts.clean(account or record.account),
    )
    rows.add(record.line, day, sign * amount.units, amount.digits, told)
    return ""


def _records(whole: str) -> Iterator[_Record]:
    """Every record of every list, the last one also where its end is missing."""
    kind, account, begin = "", "", 0
    values: dict[str, str] = {}
    for number, line in enumerate(re.split("\r\n|\r|\n", whole), 1):
        letter, text = line[:1], line[1:].strip()
        if letter == "!":
            name = text.partition(":")[2].strip().casefold()
            if text.casefold().startswith("type:"):
                kind = name
            elif text.casefold().startswith("account"):
                kind = "account"
            values = {}
        elif letter == "^":
            if kind == "account":
                account = values.get("N", "")
            elif values:
                yield _Record(begin, kind, account, values)
            values = {}
        elif line.strip():
            begin = number if not values else begin
            values.setdefault(letter.upper(), text)
    if values and kind != "account":
        yield _Record(begin, kind, account, values)


def _date(record: _Record) -> str:
    """The date without the spaces that stand for zeros: ``2/ 1' 9``."""
    return re.sub(r"(?<=['/-]) +", "", record.values.get("D", ""))


def _category(text: str) -> str | None:
    """The category without its class; in brackets it is another account, to which money was moved."""
    return texts.category(text.partition("/")[0].strip("[]"))
