"""How a table's cells are to be read: its header, its columns, how dates, amounts and signs are written."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from expense_lib.domain.errors import InvalidInput, NotAStatement
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


class Said(NamedTuple):
    """What the caller says about a file; None is to be found in it."""

    mapping: Mapping[str, object] | None = None
    spending: Spending | None = None
    date_format: str | None = None
    decimal: str | None = None
    references: bool | None = None


class Evidence(NamedTuple):
    """How the cells are written.

    *flipped*: of debit and credit, those whose amounts have a minus that says the same again. *extra*: how
    many empty cells lines have beyond the last column.
    """

    mapping: dict[str, tuple[str, ...]]
    date_format: str
    decimal: str
    spending: Spending
    flipped: frozenset[str]
    extra: int


def gather(
    table: Table,
    header: Record | None,
    names: Columns,
    mapping: dict[str, tuple[str, ...]],
    said: Said,
) -> Evidence:
    """How dates and amounts are written, from the first records, or from more where those leave it open."""
    if said.mapping:
        mapping = _completed(names, mapping, said)
    if OWN_KEY in mapping.get("reference", ()):
        said = _as_exported(said)
    at = {name: number for number, name in enumerate(names.names)}
    positions = {field: at[mapping[field][0]] for field in mapping}
    in_amounts = [positions[field] for field in ("amount", "debit", "credit") if field in mapping]
    size: int | None = _SAMPLE_RECORDS
    while True:
        sample = [record.cells for record in itertools.islice(body(table, header), size)]
        if size is not None and len(sample) < size:
            size = None
        widths = Counter(map(len, sample))
        padded = [[cell.strip() for cell in cells] + [""] * (len(at) - len(cells)) for cells in sample]
        try:
            date_format = said.date_format or dates.propose({cells[positions["date"]] for cells in padded})
            decimal = said.decimal or amounts.decimal_mark(
                cells[number] for cells in padded for number in in_amounts
            )
            if decimal is None:
                raise amounts.ask_for_decimal_mark()
            break
        except InvalidInput:
            if size is None:
                raise
            size *= _MORE
    if padded and date_format is None and not said.mapping:
        raise NotAStatement(f"This is no statement: its column {mapping['date'][0]!r} has no dates.")
    if (
        not said.mapping
        and padded
        and not any(amounts.read(cells[number], decimal) for cells in padded for number in in_amounts)
    ):
        raise NotAStatement("This is no statement: its column of amounts has none.")
    usual = min(widths, key=lambda width: (-widths[width], width), default=len(at))
    found = Evidence(
        mapping, date_format or "%Y-%m-%d", decimal, "positive", frozenset(), max(usual - len(at), 0)
    )
    return _with_signs(found, padded, names, said)


def _as_exported(said: Said) -> Said:
    """How a ledger writes its own exports, unless something else is said."""
    return said._replace(
        spending=said.spending or "positive",
        date_format=said.date_format or "%Y-%m-%d",
        decimal=said.decimal or ".",
    )


def _with_signs(evidence: Evidence, sample: list[list[str]], names: Columns, said: Said) -> Evidence:
    """Which sign money out has, or which column says the direction."""
    mapping = dict(evidence.mapping)

    def cells_of(field: str) -> list[str]:
        return [cells[names.names.index(mapping[field][0])] for cells in sample] if field in mapping else []

    def written(field: str) -> list[int]:
        found = (amounts.read(cell, evidence.decimal) for cell in cells_of(field))
        return [amount.units for amount in found if amount is not None and amount.units]

    signed = written("amount")
    negatives = sum(units < 0 for units in signed)
    type_said = said.mapping is not None and "type" in said.mapping
    if "amount" in mapping and not type_said and not negatives and said.spending is None:
        _find_sides(mapping, sample, names)
    sides = [columns.side(cell) for cell in cells_of("type") if cell]
    by_type = bool(sides) and (type_said or (not negatives and sides.count("") * 2 < len(sides)))
    if not by_type:
        mapping.pop("type", None)
    guessed: Spending = "negative" if negatives * _NEGATIVES_OF_SPENDING >= len(signed) > 0 else "positive"
    if negatives and any(cell.startswith("+") for cell in cells_of("amount")):
        guessed = "negative"  # who writes a plus before what comes in writes a minus before what goes out
    both = {field: written(field) for field in ("debit", "credit")}
    flipped = frozenset(field for field, found in both.items() if found and max(found) < 0)
    return evidence._replace(mapping=mapping, spending=said.spending or guessed, flipped=flipped)


def _find_sides(mapping: dict[str, tuple[str, ...]], sample: list[list[str]], names: Columns) -> None:
    """Take the column that has nothing but the signs for debit and credit, whatever its name."""
    taken = {name for parts in mapping.values() for name in parts}
    for number, name in enumerate(names.names):
        cells = [cells[number] for cells in sample if cells[number]]
        if cells and name not in taken and "type" not in mapping and columns.says_side(cells):
            mapping["type"] = (name,)


def _completed(names: Columns, mapping: dict[str, tuple[str, ...]], said: Said) -> dict[str, tuple[str, ...]]:
    """A given mapping with what must not be missing, and the currency, unless it is said to be nowhere."""
    proposed = columns.propose(names)
    given = said.mapping or {}
    needed = ["date", "description", "currency"]
    if OWN_KEY in map(str.strip, names.names):
        needed.append("reference")
    if "debit" not in mapping and "credit" not in mapping:
        needed.append("amount")
    taken = {part for parts in mapping.values() for part in parts}
    completed = dict(mapping)
    for field in needed:
        if field not in given and field in proposed and not set(proposed[field]) & taken:
            completed[field] = proposed[field]
    if "amount" in needed and "amount" not in completed and {"debit", "credit"} <= proposed.keys():
        completed |= {field: proposed[field] for field in ("debit", "credit")}
    if "date" not in completed:
        raise columns.ask_for("date", names, completed)
    if not {"amount", "debit", "credit"} & completed.keys():
        raise columns.ask_for("amount", names, completed)
    return completed


def find_header(table: Table, said: Said) -> tuple[Record | None, Columns, dict[str, tuple[str, ...]]]:
    """The record that names the columns, the columns, and which of them is what, as far as names tell."""
    head = list(itertools.islice(table.records(), _HEAD_RECORDS))
    if said.mapping and any(said.mapping.values()):
        return _find_named(head, said.mapping)
    header, names, mapping = _find_known(head)
    nowhere = said.mapping or {}
    columns.as_asked(names, nowhere)
    return header, names, {field: parts for field, parts in mapping.items() if field not in nowhere}


def _find_known(head: list[Record]) -> tuple[Record | None, Columns, dict[str, tuple[str, ...]]]:
    """The record that has names of columns that are known, or else what its cells tell."""
    counted = Counter(len(record.cells) for record in head).most_common(1)
    width = counted[0][0] if counted else 0
    for record in sorted(head, key=lambda record: len(record.cells) < width):  # a preamble is narrower
        if len(record.cells) > columns.MAX_COLUMNS:
            continue
        names = Columns(record.cells, named=True)
        mapping = columns.propose(names)
        if columns.is_whole(mapping) and not any(map(is_value, record.cells)):
            return record, names, mapping
    return _without_known_names([record for record in head if len(record.cells) == width], width)


def _without_known_names(
    head: list[Record], width: int
) -> tuple[Record | None, Columns, dict[str, tuple[str, ...]]]:
    """The first record if it has no values, and which column is what by content, where names don't tell."""
    if not head or width > columns.MAX_COLUMNS:
        raise NotAStatement("This is no statement: it has no table of dates and amounts.")
    header = head[0] if len(head) > 1 and not any(map(is_value, head[0].cells)) else None
    names = Columns(head[0].cells if header else [""] * width, named=header is not None)
    mapping = _by_content([record.cells for record in head if record is not header], names)
    return header, names, mapping


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
        at = names.names.index(found["date"][0]) if "date" in found else 0
        before = [*itertools.takewhile(lambda record: not _has_digit(record.cells, at), head)]
        return before[-1] if before and len(before) < len(head) else None, names, found
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


def _has_digit(cells: list[str], at: int) -> bool:
    return at < len(cells) and re.search("[0-9]", cells[at]) is not None


def _is_number(cell: str) -> bool:
    return amounts.read(cell, ".") is not None or amounts.read(cell, ",") is not None


def is_value(cell: str) -> bool:
    """It is an amount or a date, as a header's cells are not."""
    return _AMOUNT.fullmatch(cell.strip()) is not None or is_date(cell)


def is_date(cell: str) -> bool:
    """It begins like a date of digits."""
    return _DATE.match(cell) is not None


def _by_content(records: list[list[str]], names: Columns) -> dict[str, tuple[str, ...]]:
    """Which column is what where none is named: that of dates, that of amounts, the longest text."""
    found: dict[str, tuple[str, ...]] = {}
    numbers: list[str] = []
    longest: tuple[int, str] = (0, "")
    for name, *cells in zip(names.names, *records, strict=False):
        filled = [cell for cell in cells if cell.strip()]
        dated = sum(map(is_date, filled))
        if filled and dated > len(filled) * _DATED_PART:
            found.setdefault("date", (name,))
        elif filled and sum(map(_is_number, filled)) > len(filled) * _DATED_PART:
            numbers.append(name)
        else:
            longest = max(longest, (sum(map(len, filled)), name))
    if "date" not in found or not numbers:
        raise NotAStatement("This is no statement: no column has dates, or none has amounts.")
    if len(numbers) > 1:
        raise columns.ask_for("amount", names, columns.propose(names) | found)
    found["amount"] = (numbers[0],)
    if longest[1]:
        found["description"] = (longest[1],)
    return found


def body(table: Table, header: Record | None) -> Iterator[Record]:
    """The records after the header, without its repetitions."""
    if header is None:
        return table.records()
    records = itertools.dropwhile(lambda record: record.line <= header.line, table.records())
    return (record for record in records if record.cells != header.cells)
