"""How a table's cells are to be read: its header, its columns, how dates, amounts and signs are written."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from expense_lib.errors import InvalidInput, NotAStatement
from expense_lib.statements import amounts, columns, dates
from expense_lib.statements.columns import OWN_KEY, Columns
from expense_lib.statements.plan import Spending
from expense_lib.statements.records import Record, Table

_HEAD_RECORDS = 60  # within which a header must stand
_SAMPLE_RECORDS = 1_000  # what is looked at first to see how dates and amounts are written
_MORE = 30  # times as many, if they leave it open
_NEGATIVES_OF_SPENDING = 4  # at least every fourth amount below zero: that is how money out is written
_DATED_PART = 0.5

_AMOUNT = re.compile(r"[-+(]*[0-9][0-9.,' ]*\)?")
_DATE = re.compile(r"\s*([0-9]{1,4}[-/. ][0-9A-Za-z]{1,9}[-/. ][0-9]{1,4}|[12][0-9]{7}\b)")


class Wanted(NamedTuple):
    """What the caller says about a file; None is to be found in it."""

    account: str = ""
    mapping: Mapping[str, object] | None = None
    spending: Spending | None = None
    date_format: str | None = None
    decimal: str | None = None


class Evidence(NamedTuple):
    """How the cells are written."""

    mapping: dict[str, tuple[str, ...]]
    date_format: str
    decimal: str
    spending: Spending
    by_type: bool
    flipped: frozenset[str]


def gather(
    table: Table,
    header: Record | None,
    names: Columns,
    mapping: dict[str, tuple[str, ...]],
    wanted: Wanted,
) -> Evidence:
    """How dates and amounts are written, from the first records, or from more where those leave it open."""
    if wanted.mapping:
        mapping = _completed(names, mapping, wanted)
    at = {name: number for number, name in enumerate(names.names)}
    in_amounts = [at[mapping[field][0]] for field in ("amount", "debit", "credit") if field in mapping]
    in_date = at[mapping["date"][0]]
    size: int | None = _SAMPLE_RECORDS
    while True:
        sample = [
            [cell.strip() for cell in record.cells] + [""] * (len(at) - len(record.cells))
            for record in itertools.islice(body(table, header), size)
        ]
        if size is not None and len(sample) < size:
            size = None
        try:
            date_format = wanted.date_format or dates.propose({cells[in_date] for cells in sample})
            decimal = wanted.decimal or amounts.decimal_mark(
                cells[number] for cells in sample for number in in_amounts
            )
            if decimal is None:
                raise amounts.ask_for_decimal_mark()
            break
        except InvalidInput:
            if size is None:
                raise
            size *= _MORE
    if date_format is None and sample:
        raise NotAStatement(f"This is no statement: its column {mapping['date'][0]!r} has no dates.")
    written: dict[str, list[amounts.Amount]] = {
        field: [
            amount
            for cells in sample
            if (amount := amounts.read(cells[at[mapping[field][0]]], decimal)) is not None and amount.units
        ]
        for field in ("amount", "debit", "credit")
        if field in mapping
    }
    if (
        sample
        and not any(written.values())
        and not any(amounts.read(cells[n], decimal) for cells in sample for n in in_amounts)
    ):
        raise NotAStatement("This is no statement: its column of amounts has none.")
    return _with_signs(
        Evidence(mapping, date_format or "%Y-%m-%d", decimal, "positive", False, frozenset()),
        written,
        [cells[at[mapping["type"][0]]] for cells in sample] if "type" in mapping else [],
        wanted,
    )


def _with_signs(
    evidence: Evidence, written: dict[str, list[amounts.Amount]], types: list[str], wanted: Wanted
) -> Evidence:
    """Which sign money out has, or whether another column says the direction."""
    signed = written.get("amount", [])
    negatives = sum(amount.units < 0 for amount in signed)
    sides = {columns.side(kind) for kind in types if kind}
    said = wanted.mapping is not None and "type" in wanted.mapping
    by_type = bool(sides) and "" not in sides and (said or (wanted.spending is None and not negatives))
    guessed: Spending = "negative" if negatives * _NEGATIVES_OF_SPENDING >= len(signed) > 0 else "positive"
    mapping = evidence.mapping
    if not by_type:
        mapping = {field: parts for field, parts in mapping.items() if field != "type"}
    flipped = frozenset(
        field
        for field in ("debit", "credit")
        if written.get(field) and all(amount.units < 0 for amount in written[field])
    )
    return evidence._replace(
        mapping=mapping, spending=wanted.spending or guessed, by_type=by_type, flipped=flipped
    )


def _completed(
    names: Columns, mapping: dict[str, tuple[str, ...]], wanted: Wanted
) -> dict[str, tuple[str, ...]]:
    """A given mapping with what must not be missing, and the currency, unless it is said to be nowhere."""
    proposed = columns.propose(names)
    said = wanted.mapping or {}
    needed = ["date", "description", "currency"]
    if OWN_KEY in map(str.strip, names.names):
        needed.append("reference")
    if "debit" not in mapping and "credit" not in mapping:
        needed.append("amount")
    taken = {part for parts in mapping.values() for part in parts}
    completed = dict(mapping)
    for field in needed:
        if field not in said and field in proposed and not set(proposed[field]) & taken:
            completed[field] = proposed[field]
    if "amount" in needed and "amount" not in completed and {"debit", "credit"} <= proposed.keys():
        completed |= {field: proposed[field] for field in ("debit", "credit")}
    if "date" not in completed:
        raise columns.ask_for("date", names)
    if not {"amount", "debit", "credit"} & completed.keys():
        raise columns.ask_for("amount", names)
    return completed


def find_header(table: Table, wanted: Wanted) -> tuple[Record | None, Columns, dict[str, tuple[str, ...]]]:
    """The record that names the columns, the columns, and which of them is what, as far as names tell."""
    head = list(itertools.islice(table.records(), _HEAD_RECORDS))
    if wanted.mapping:
        return _find_named(head, wanted.mapping)
    for record in head:
        names = Columns(record.cells, named=True)
        mapping = columns.propose(names)
        if columns.is_whole(mapping) and not any(map(_is_value, record.cells)):
            return record, names, mapping
    width = Counter(len(record.cells) for record in head).most_common(1)
    names = Columns([""] * width[0][0] if width else [], named=False)
    mapping = _by_content([record.cells for record in head if len(record.cells) == len(names.names)], names)
    return None, names, mapping


def _find_named(
    head: list[Record], mapping: Mapping[str, object]
) -> tuple[Record | None, Columns, dict[str, tuple[str, ...]]]:
    """The record that has the names of a given mapping."""
    refused: InvalidInput | None = None
    given = [
        part
        for value in mapping.values()
        for part in (value if isinstance(value, list | tuple) else (value,))
        if part not in (None, "")
    ]
    if given and all(isinstance(part, int) or (isinstance(part, str) and part.isdigit()) for part in given):
        width = max((len(record.cells) for record in head), default=0)
        names = Columns([""] * width, named=False)
        found = columns.as_asked(names, mapping)
        first = next((record for record in head if any(map(_is_value, record.cells))), None)
        header = next((record for record in head if first is not None and record.line < first.line), None)
        return header, names, found
    for record in head:
        names = Columns(record.cells, named=True)
        try:
            found = columns.as_asked(names, mapping)
        except InvalidInput as error:
            if refused is None or len(error.errors) < len(refused.errors):
                refused = error
            continue
        return record, names, found
    raise refused or NotAStatement("The file has no lines of a table.")


def _is_value(cell: str) -> bool:
    """It is an amount or a date, as a header's cells are not."""
    return _AMOUNT.fullmatch(cell.strip()) is not None or _DATE.match(cell) is not None


def _by_content(records: list[list[str]], names: Columns) -> dict[str, tuple[str, ...]]:
    """Which column is what where none is named: that of dates, that of amounts, the longest text."""
    found: dict[str, tuple[str, ...]] = {}
    numbers: list[str] = []
    longest: tuple[int, str] = (0, "")
    for name, *cells in zip(names.names, *records, strict=False):
        filled = [cell for cell in cells if cell.strip()]
        dated = sum(_DATE.match(cell) is not None for cell in filled)
        if filled and dated > len(filled) * _DATED_PART:
            found.setdefault("date", (name,))
        elif filled and all(amounts.read(cell, ".") or amounts.read(cell, ",") for cell in filled):
            numbers.append(name)
        else:
            longest = max(longest, (sum(map(len, filled)), name))
    if "date" not in found or not numbers:
        raise NotAStatement("This is no statement: no column has dates, or none has amounts.")
    if len(numbers) > 1:
        raise columns.ask_for("amount", names)
    found["amount"] = (numbers[0],)
    if longest[1]:
        found["description"] = (longest[1],)
    return found


def body(table: Table, header: Record | None) -> Iterator[Record]:
    """The records after the header, without its repetitions."""
    if header is None:
        return table.records()
    return (
        record for record in table.records() if record.line > header.line and record.cells != header.cells
    )
