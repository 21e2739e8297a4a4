"""Statements in OFX, versions 1 (SGML) and 2 (XML), also named QFX."""

from __future__ import annotations

import bisect
import datetime as dt
import html
import itertools
import re
from collections.abc import Callable
from typing import BinaryIO
from xml.etree.ElementTree import Element

from expense_lib.domain.errors import NotAStatement
from expense_lib.statements import amounts, decoding, references, texts
from expense_lib.statements.evidence import Said
from expense_lib.statements.plan import BadLine, Found, Reading, Rows, Texts

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]*)(?:\s[^<>]*)?/?>")
_CDATA = re.compile(r"<!\[CDATA\[((?:(?!\]\]>|<!\[CDATA\[).)*)\]\]>", re.DOTALL)
_COMMENT = re.compile(r"<!--(?:(?!-->|<!--).)*-->", re.DOTALL)
_TRANSACTION = re.compile(r"<STMTTRN>(.*?)(?=</STMTTRN>|<STMTTRN>|</BANKTRANLIST>|\Z)", re.DOTALL)
_ACCOUNT = re.compile(r"<ACCTID>([^<\r\n]*)")
_CURRENCY = re.compile(r"<CURDEF>([^<\r\n]*)")
_STATEMENT = re.compile(r"<(?:CC)?STMTRS>|<INVSTMTRS>")
_INVESTMENT = re.compile(r"<(?:(?:BUY|SELL)(?:DEBT|MF|OPT|OTHER|STOCK)|REINVEST|INCOME|TRANSFER|INVEXPENSE)>")
_ONCE = ("TRNAMT", "DTPOSTED")  # in one transaction


def read(
    file: BinaryIO,
    encoding: str,
    account: str,
    said: Said,
    progress: Callable[[int], None],
) -> Found:
    """Read an OFX file; each transaction by itself, so that a malformed one does not take others with it.

    Returns:
        The rows, the transactions that are none, and how it was read.

    Raises:
        NotAStatement: it has no statement of an account.
    """
    whole = decoding.whole_text(file, encoding)
    begin = re.search(r"<OFX[\s>]", whole, re.IGNORECASE)
    body = whole[begin.start() :] if begin else ""
    body = _TAG.sub(
        lambda tag: f"<{tag[1]}{tag[2].upper()}>", _CDATA.sub(_escaped, _COMMENT.sub(_blank, body))
    )
    statements = [found.start() for found in _STATEMENT.finditer(body)]
    heads = [
        body[begin:end].partition("<BANKTRANLIST>")[0]
        for begin, end in itertools.pairwise((*statements, len(body)))
    ]
    named = [(_named(_ACCOUNT, head), _named(_CURRENCY, head)) for head in heads]
    if not statements:
        raise NotAStatement("This OFX file has no statement of an account.")
    first_line = whole.count("\n", 0, begin.start() if begin else 0) or 0
    ends = [found.start() for found in re.finditer("\n|\r(?!\n)", body)]
    found = list(_TRANSACTION.finditer(body))
    fields = [_fields(transaction[1]) for transaction in found]
    mark = (
        said.decimal
        or amounts.decimal_mark((each.get("TRNAMT", "") for each in fields), grouped=False)
        or "."
    )
    sign = 1 if said.spending == "positive" else -1
    rows, bad = Rows(), []
    for number, (transaction, values) in enumerate(zip(found, fields, strict=True), 1):
        line = first_line + bisect.bisect(ends, transaction.start()) + 1
        own_account, currency = named[max(bisect.bisect(statements, transaction.start()) - 1, 0)]
        reason = _add(rows, line, values, sign, mark, own_account or account, currency)
        if reason:
            bad.append(BadLine(line, reason))
        if not number % 10_000:
            progress(number)
    for investment in _INVESTMENT.finditer(body):
        line = first_line + bisect.bisect(ends, investment.start()) + 1
        bad.append(BadLine(line, "it is an investment and not a payment"))
    judged = references.judge(rows, "FITID", said.references)
    reading = Reading(
        "ofx",
        encoding,
        decimal=mark,
        spending=said.spending or "negative",
        references=judged.use,
        layout="ofx",
        remarks=judged.remarks,
    )
    return Found(rows, sorted(bad), reading)


def _add(
    rows: Rows, line: int, values: dict[str, str], sign: int, decimal: str, account: str, currency: str
) -> str:
    """Append the row; or the reason why it is none."""
    if not values:
        return "its tags are not closed as they should be"
    day = _day(values.get("DTPOSTED", "")) or _day(values.get("DTUSER", ""))
    if day is None:
        return "its date (DTPOSTED) is missing or no day of the calendar"
    amount = amounts.read(values.get("TRNAMT", ""), decimal)
    if amount is None:
        return "its amount (TRNAMT) is missing or can't be read"
    currency = values.get("CURSYM", "") or currency
    told = Texts(
        texts.description(_description(values)),
        None,
        references.read(values.get("FITID", "")),
        texts.category(currency),
        texts.clean(account),
    )
    rows.add(line, day, sign * amount.units, amount.digits, told)
    return ""


def _fields(transaction: str) -> dict[str, str]:
    """A transaction's elements by name, the first of each; nothing if it is malformed."""
    from ofxtools.Parser import TreeBuilder  # noqa: PLC0415 - it takes its time, for OFX only

    builder = TreeBuilder()
    try:
        builder.feed(f"<STMTTRN>{transaction}</STMTTRN>")
        root = builder.close()
    except (SyntaxError, AssertionError, IndexError):
        return {}
    for original in root.findall(".//ORIGCURRENCY"):
        original.clear()  # of another amount: TRNAMT is in the statement's currency (OFX 2.3, section 5.2)
    found: dict[str, str] = {}
    element: Element
    for element in root.iter():
        if not element.text:
            continue
        if element.tag in _ONCE and element.tag in found:
            return {}
        found.setdefault(element.tag, html.unescape(element.text).strip())
    return found


def _description(values: dict[str, str]) -> str:
    """Who and what for. The memo often has the name again, which had to be cut for its own element."""
    name, memo = values.get("NAME", ""), values.get("MEMO", "")
    if name and memo:
        return memo if name in memo else name if memo in name else f"{name} {memo}"
    check = values.get("CHECKNUM", "").strip("0")
    return name or memo or (f"Check {values['CHECKNUM']}" if check else "")


def _day(text: str) -> int | None:
    """The day of an OFX date (OFX 2.3, section 3.2.8.2), as it is in the zone of the bank."""
    if not re.match("[0-9]{8}", text):
        return None
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return None


def _named(element: re.Pattern[str], part: str) -> str:
    found = element.search(part)
    return html.unescape(found[1]).strip() if found else ""


def _blank(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def _escaped(cdata: re.Match[str]) -> str:
    return cdata[1].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
