"""Statements in Quicken's QIF.

Read line by line here, since the one library for it that is kept (quiffen) refuses the whole file for one
line that it does not understand, and can't be installed on every Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from expense_lib.domain.errors import NotAStatement
from expense_lib.statements import amounts, dates, decoding, texts
from expense_lib.statements.evidence import Said
from expense_lib.statements.plan import BadLine, Found, Reading, Rows, Texts

# Lists of something else. All others are of payments: programs call them by many names.
_OTHERS = {"cat", "class", "memorized", "prices", "security", "tag", "budget", "account", "template"}
_INVESTMENTS = "invst"
_PAIR_OF_YEAR = re.compile(r"(.*[/.-])([0-9]{2})")
_PIVOT = 69  # of two digits of a year, as POSIX has it: 69 is 1969, 68 is 2068


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
    said: Said,
    progress: Callable[[int], None],
) -> Found:
    """Read a QIF file. A payment that is split keeps its total and its first category.

    Returns:
        The rows, the records that are none, and how it was read.

    Raises:
        NotAStatement: it has no list of payments.
        StatementUnclear: the order of day and month must be said.
    """
    records = list(_records(decoding.whole_text(file, encoding)))
    if not records:
        raise NotAStatement("This QIF file has no list of payments.")
    payments = [record for record in records if record.kind != _INVESTMENTS]
    date_format = said.date_format or dates.propose({_date(record) for record in payments}) or "%m/%d/%Y"
    totals = [record.values.get("T", record.values.get("U", "")) for record in payments]
    mark = said.decimal or amounts.decimal_mark(totals)
    if mark is None:
        raise amounts.ask_for_decimal_mark()
    sign = 1 if said.spending == "positive" else -1
    rows, bad = Rows(), []
    for number, record in enumerate(records, 1):
        reason = "it is an investment and not a payment"
        if record.kind != _INVESTMENTS:
            reason = _add(rows, record, sign, date_format, mark, account)
        if reason:
            bad.append(BadLine(record.line, reason))
        if not number % 10_000:
            progress(number)
    reading = Reading(
        "qif",
        encoding,
        date_format=date_format,
        decimal=mark,
        spending=said.spending or "negative",
        layout="qif",
    )
    return Found(rows, bad, reading)


def _add(rows: Rows, record: _Record, sign: int, date_format: str, decimal: str, account: str) -> str:
    """Append the row; or the reason why it is none."""
    values = record.values
    day = dates.read(record.values.get("D", ""), date_format) or dates.read(_date(record), date_format)
    if day is None:
        return f"its date (D) is missing or not as {date_format} says"
    amount = amounts.read(values.get("T", values.get("U", "")), decimal)
    if amount is None:
        return "its amount (T) is missing or can't be read"
    units = sign * amount.units
    if amount.side:
        units = abs(units) if amount.side == "D" else -abs(units)
    told = Texts(
        texts.description(values.get("P") or values.get("M") or ""),
        _category(values.get("L") or values.get("S") or ""),
        None,
        None,
        texts.clean(record.account) or account,
    )
    rows.add(record.line, day, units, amount.digits, told)
    return ""


def _records(whole: str) -> Iterator[_Record]:
    """Every record of every list but those of something else; also where the end of one is missing."""
    kind, account, begin = "", "", 0
    values: dict[str, str] = {}
    for number, line in enumerate(re.split("\r\n|\r|\n", whole), 1):
        letter, text = line[:1].upper(), line[1:].strip()
        ends = letter in ("!", "^") or (letter == "D" and {"D", "T"} <= values.keys() and "S" not in values)
        if ends and kind == "account":
            account = values.get("N", account)
        elif ends and values and kind not in _OTHERS:
            yield _Record(begin, kind, account, values)
        if ends:
            values = {}
        if letter == "!" and text.casefold().startswith("type:"):
            kind = text[len("type:") :].strip().casefold()
        elif letter == "!" and text.casefold().startswith("account"):
            kind = "account"
        elif letter not in ("!", "^") and kind and line.strip():
            begin = number if not values else begin
            values.setdefault(letter, text)
    if values and kind not in _OTHERS:
        yield _Record(begin, kind, account, values)


def _date(record: _Record) -> str:
    """The date with all digits of its year: ``2/ 1' 9`` is 2/01/2009, ``2/1/98`` is 2/1/1998."""
    text = record.values.get("D", "").replace("' ", "'0")
    text = re.sub(r"(?<=[/.-]) (?=[0-9])", "0", text)
    text = re.sub(r"'([0-9]{2})$", r"/20\1", text.strip()).replace("'", "/")
    pair = _PAIR_OF_YEAR.fullmatch(text)
    if pair is None:
        return text
    return f"{pair[1]}{'20' if int(pair[2]) < _PIVOT else '19'}{pair[2]}"


def _category(text: str) -> str | None:
    """The category without its class; in brackets it is another account, to which money was moved."""
    return texts.category(text.partition("/")[0].strip("[]"))
