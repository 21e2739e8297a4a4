"""A bank's statement, read into rows that a ledger can import.

    plan = statements.read("bank.csv")
    plan.rows, plan.bad  # what was understood; which lines were not, and why
    ledger.import_statement(plan, dry_run=True)

Read in this order: ``plan`` (what comes out), ``texts``, ``amounts`` and ``dates`` (how banks write them),
``decoding`` (bytes to text); then ``records``, ``columns``, ``evidence``, ``references``, ``layout`` and
``delimited`` for CSV, ``ofx`` and ``qif``; ``upload`` writes a plan down for a handler.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, get_args

from expense_lib.domain.errors import FieldError, InvalidInput, NotAStatement
from expense_lib.domain.expense import read_category
from expense_lib.domain.limits import DEFAULT_CATEGORY, MAX_ACCOUNT_LENGTH
from expense_lib.statements import dates, decoding, delimited, ofx, qif, texts
from expense_lib.statements.evidence import Said
from expense_lib.statements.plan import BadLine, Credits, FileFormat, Plan, Reading, Row, Rows, Spending

__all__ = ["BadLine", "Credits", "FileFormat", "Plan", "Reading", "Row", "Rows", "Spending", "read"]

_HEAD_BYTES = 8 * 1024
_ANY_QIF = re.compile(r"^\s*!(type|account|option|clear)\b", re.IGNORECASE | re.MULTILINE)
_ANY_OFX = re.compile(
    r"^\s*(?:<OFX[\s>]|OFXHEADER\s*:|<\?OFX\b)|\?>\s*<\??OFX\b", re.IGNORECASE | re.MULTILINE
)


def read(  # noqa: PLR0913 - what a bank's file may leave open
    source: str | Path | bytes | IO[bytes],
    *,
    account: str = "",
    mapping: Mapping[str, object] | None = None,
    spending: Spending | None = None,
    credits: Credits = "skip",  # noqa: A002 - what banks call money that comes in
    default_category: str = DEFAULT_CATEGORY,
    date_format: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    references: bool | None = None,
    filename: str | None = None,
    layout: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Plan:
    """Read a statement: CSV of any dialect, OFX 1 and 2, QFX, or QIF. Nothing is written anywhere.

    What is left out is found in the content, and told in ``plan.reading``; what the content leaves open is
    asked for by an error, not guessed.

    Args:
        source: A path, the file's bytes, or a file opened in binary mode, which is read to its end.
        account: Which account it is of, so that two accounts' equal payments are not taken for one. Where
            an OFX or QIF file names its own, that is it.
        mapping: The columns of a CSV file by the fields they are: ``date``, ``amount`` (or ``debit`` and
            ``credit``), ``description`` (one or several), ``category``, ``reference`` (a number that the
            bank gives to no other payment; one column, or several together), ``currency``, ``account``,
            ``note``, ``tags``, ``type`` (debit or credit). By name, or by number from 1; None says that a
            field is in no column. Where it names any, of the fields that it leaves out only date, amount,
            description and currency are looked for.
        spending: "negative" where money out is written with a minus.
        credits: Whether money in is recorded as refunds.
        default_category: For payments that nothing else has a category for.
        date_format: As ``strptime`` takes it.
        decimal: What separates the fraction of amounts, ``"."`` or ``","``.
        encoding: As Python names it.
        references: Whether the bank's numbers (a column, or FITID) tell its payments apart. What is left out
            is proved: those that stand with different payments in more than 1 % of their lines are read
            together with another column, or left out. True takes them as they stand, False takes none.
        filename: What its import is listed by; that of the path, if it is left out.
        layout: What ``plan.reading.layout`` is to be, where the file was made of another one.
        progress: Called now and then with the number of rows read.

    Raises:
        NotAStatement: the file can't be read, or is none.
        StatementUnclear: something must be said; its ``choices`` are what it can be.
        InvalidInput: an argument can't be accepted, or does not fit the file.
    """
    _check(mapping, spending, credits, date_format, decimal, account, references)
    category = _default_category(default_category)
    account = texts.clean(account)
    said = Said(mapping, spending, date_format, decimal, references)
    file, name = decoding.open_source(source)
    told = progress or _nobody
    with file:
        if encoding is None:
            encoding = decoding.encoding_of(file)
        else:
            decoding.check_encoding(file, encoding)
        match _format_of(file, encoding):
            case "ofx":
                found = ofx.read(file, encoding, account, said, told)
            case "qif":
                found = qif.read(file, encoding, account, said, told)
            case _:
                found = delimited.read(file, encoding, account, said, told)
    told(len(found.rows))
    accounts = set(found.rows.accounts) or {account}
    return Plan(
        rows=found.rows,
        bad=tuple(found.bad),
        source=texts.description(name if filename is None else filename),
        account=accounts.pop() if len(accounts) == 1 else "",
        reading=found.reading if layout is None else dataclasses.replace(found.reading, layout=layout),
        credits=credits,
        default_category=category,
    )


def _check(
    mapping: object,
    spending: object,
    credits_: object,
    date_format: object,
    decimal: object,
    account: object,
    references: object,
) -> None:
    """Refuse arguments that can't be accepted, all at once."""
    errors = []
    if mapping is not None and not isinstance(mapping, Mapping):
        errors.append(FieldError("mapping", "must be an object of fields and the columns they are in"))
    for field, given, choices in (
        ("spending", spending, (None, *get_args(Spending))),
        ("credits", credits_, get_args(Credits)),
        ("decimal", decimal, (None, ".", ",")),
    ):
        if given not in choices:
            known = " or ".join(repr(choice) for choice in choices if choice)
            errors.append(FieldError(field, f"must be {known}"))
    if references not in (None, True, False):
        errors.append(FieldError("references", "must be true or false"))
    if not isinstance(account, str) or len(account) > MAX_ACCOUNT_LENGTH:
        errors.append(FieldError("account", f"must be a text of at most {MAX_ACCOUNT_LENGTH} characters"))
    if date_format is not None:
        try:
            dates.check_format(str(date_format))
        except InvalidInput as refused:
            errors.extend(refused.errors)
    if errors:
        raise InvalidInput(errors)


def _default_category(given: str) -> str:
    try:
        return read_category(given)
    except InvalidInput as refused:
        raise InvalidInput(
            FieldError("default_category", error.message) for error in refused.errors
        ) from None


def _format_of(file: IO[bytes], encoding: str) -> FileFormat:
    """What kind of file it is, by its beginning."""
    file.seek(0)
    head = file.read(_HEAD_BYTES).decode(encoding, errors="replace")
    if _ANY_OFX.search(head):
        return "ofx"
    if head.lstrip("\ufeff \t\r\n")[:1] in ("{", "[", "<"):
        raise NotAStatement("This is JSON, XML or a web page; a statement is a CSV, OFX, QFX or QIF file.")
    return "qif" if _ANY_QIF.search(head) else "csv"


def _nobody(_: int) -> None:
    """A progress callback that does nothing."""
