"""Statements as tables in text: CSV of any dialect."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from itertools import repeat
from types import MappingProxyType
from typing import BinaryIO

from expense_lib.domain.money import MAX_SIGNIFICANT_DIGITS
from expense_lib.domain.spreadsheets import unguarded
from expense_lib.statements import amounts, columns, dates, evidence, layout, references, texts
from expense_lib.statements.columns import Columns
from expense_lib.statements.evidence import Evidence, Said
from expense_lib.statements.plan import BadLine, Found, PlainTexts, Reading, Rows
from expense_lib.statements.records import Record, Table

_MAX_CACHED = 65_536
_BATCH = 200  # records: with many more, Python looks for garbage among them again and again


def read(file: BinaryIO, encoding: str, account: str, said: Said, progress: Callable[[int], None]) -> Found:
    """Read a table.

    Returns:
        The rows, the lines that are none, and how it was read.

    Raises:
        NotAStatement: it has no columns of dates and amounts.
        StatementUnclear: something must be said.
        InvalidInput: what was said does not fit.
    """
    table = Table(file, encoding)
    header, names, found = evidence.find_header(table, said)
    table.width = len(names.names)
    written = evidence.gather(table, header, names, found, said)
    rows, bad = _read_rows(table, header, names, written, account, progress)
    body = functools.partial(evidence.body, table, header)
    mapping, judged = references.settle(body, names, written.mapping, rows, said.references)
    shown = {field: parts[0] if len(parts) == 1 else parts for field, parts in mapping.items()}
    return Found(
        rows,
        bad,
        Reading(
            format="csv",
            encoding=encoding,
            mapping=MappingProxyType(shown),
            columns=names.names,
            delimiter=table.dialect.delimiter,
            header_line=header.line if header else None,
            date_format=written.date_format,
            decimal=written.decimal,
            spending=written.spending,
            references=judged.use,
            layout=layout.of_table(header, body(), len(names.names)),
            remarks=judged.remarks,
        ),
    )


def _read_rows(
    table: Table,
    header: Record | None,
    names: Columns,
    written: Evidence,
    account: str,
    progress: Callable[[int], None],
) -> tuple[Rows, list[BadLine]]:
    """Every record as a row, or as a line with the reason why it is none."""
    rows, bad = Rows(), []
    reader = _Cells(names, written, account)
    width = len(names.names)
    records = evidence.body(table, header)
    while batch := list(itertools.islice(records, _BATCH)):
        if not reader.add_all(rows, batch, width):
            for record in batch:
                cells = _fitted(record.cells, width, written.extra)
                if record.cut:
                    reason = "a quote is not closed"
                elif cells is None:
                    reason = f"it has {len(record.cells)} columns and not {width}"
                else:
                    reason = reader.add_to(rows, record.line, cells)
                if reason:
                    bad.append(BadLine(record.line, reason))
        progress(len(rows) + len(bad))
    return rows, bad


def _fitted(cells: list[str], width: int, extra: int) -> list[str] | None:
    """A record with as many cells as there are columns; None if some would have to go.

    Lines may end in as many empty cells as most of them do; with another number, one has moved the others.
    """
    if len(cells) == width:
        return cells
    if len(cells) > width + extra or any(map(str.strip, cells[width:])):
        return None
    return cells[:width] + [""] * (width - len(cells))


class _Cells:
    """Reads a record's cells into a row. What was read before is not read again."""

    def __init__(self, names: Columns, written: Evidence, account: str) -> None:
        at = {name: number for number, name in enumerate(names.names)}
        mapping = {field: [at[part] for part in parts] for field, parts in written.mapping.items()}
        self.written = written
        self.account = account
        self.date = mapping["date"][0]
        self.amount, self.debit, self.credit, self.type = (
            mapping[field][0] if field in mapping else None for field in ("amount", "debit", "credit", "type")
        )
        self.description = mapping.get("description", [])
        self.reference = mapping.get("reference", [])
        self.category, self.currency, self.in_account, self.note, self.tags = (
            mapping[field][0] if field in mapping else None
            for field in ("category", "currency", "account", "note", "tags")
        )
        is_own = columns.OWN_KEY in written.mapping.get("reference", ())

        def own(text: str) -> str:
            return unguarded(text) if is_own else text

        once = functools.lru_cache(_MAX_CACHED)  # most texts come again, and then are the same object
        self.day = once(lambda text: dates.read(text, written.date_format))
        self.read_amount = once(lambda text: amounts.read(text, written.decimal))
        self.described = once(lambda text: texts.description(own(text)))
        self.account_of = once(lambda text: texts.account(own(text)))
        self.noted = once(lambda text: texts.note(own(text)))
        self.tagged = once(lambda text: texts.tags(own(text)))
        self.label = once(lambda text: texts.category(own(text)))

    def add_all(self, rows: Rows, batch: list[Record], width: int) -> bool:
        """Append the rows of a batch by columns, in a third of the time that they take one by one.

        Returns:
            False if one of them wants a closer look. Then none is appended.
        """
        if self.amount is None or self.type is not None or len(self.description) != 1:
            return False
        if any(record.cut or len(record.cells) != width for record in batch):
            return False
        cells = list(zip(*(record.cells for record in batch), strict=True))
        days = list(map(self.day, cells[self.date]))
        found = list(map(self.read_amount, cells[self.amount]))
        if None in days or None in found:
            return False
        units, digits, sides = zip(*found, strict=True)
        if any(sides):
            return False
        nothing = [None] * len(batch)
        self._annotate(rows, cells)
        rows.lines.extend(record.line for record in batch)
        rows.days.extend(days)  # type: ignore[arg-type] # none of them is None
        rows.units.extend(units if self.written.spending == "positive" else map(operator.neg, units))
        rows.digits.extend(digits)
        rows.descriptions.extend(map(self.described, cells[self.description[0]]))
        rows.categories.extend(nothing if self.category is None else map(self.label, cells[self.category]))
        in_parts = (cells[number] for number in self.reference)
        rows.references.extend(map(references.read, *in_parts) if self.reference else nothing)
        rows.currencies.extend(nothing if self.currency is None else map(self.label, cells[self.currency]))
        rows.accounts.extend(
            repeat(self.account, len(batch))
            if self.in_account is None
            else (self.account_of(cell) or self.account for cell in cells[self.in_account])
        )
        return True

    def add_to(self, rows: Rows, line: int, cells: list[str]) -> str:
        """Append the row; or the reason why it is none."""
        day = self.day(cells[self.date])
        if day is None:
            as_said = f"its date is not as {self.written.date_format} says"
            return as_said if cells[self.date].strip() else "it has no date"
        amount = self._spent(cells)
        if isinstance(amount, str):
            return amount
        self._annotate(rows, [(cell,) for cell in cells])
        rows.add(line, day, amount[0], amount[1], self._texts(cells))
        return ""

    def _annotate(self, rows: Rows, cells: Sequence[Sequence[str]]) -> None:
        """Give notes and tags, from their columns, to the rows that are to follow."""
        if self.note is not None or self.tags is not None:
            notes = () if self.note is None else map(self.noted, cells[self.note])
            rows.annotate(len(rows), notes, () if self.tags is None else map(self.tagged, cells[self.tags]))

    def _spent(self, cells: list[str]) -> tuple[int, int] | str:
        """The amount that was spent, as units and digits; or the reason why there is none."""
        if self.amount is None:
            return self._of_sides(cells)
        amount = self.read_amount(cells[self.amount])
        if amount is None:
            return "its amount can't be read" if cells[self.amount].strip() else "it has no amount"
        units, digits, side = amount
        if self.type is not None:
            side = columns.side(cells[self.type])
            if not side:
                return "it does not say whether money went out or came in"
        if side:
            return (abs(units) if side == "D" else -abs(units)), digits
        return (units if self.written.spending == "positive" else -units), digits

    def _of_sides(self, cells: list[str]) -> tuple[int, int] | str:
        """Money out less money in, of two columns of which one may be empty."""
        total, digits, found = 0, 0, False
        for field, number, sign in (("debit", self.debit, 1), ("credit", self.credit, -1)):
            text = cells[number] if number is not None else ""
            if not text.strip():
                continue
            amount = self.read_amount(text)
            if amount is None:
                return "its amount can't be read"
            found = True
            scale = max(digits, amount.digits)
            units = -amount.units if field in self.written.flipped else amount.units
            if amount.side:
                units = sign * (abs(units) if amount.side == "D" else -abs(units))
            total = total * 10 ** (scale - digits) + sign * units * 10 ** (scale - amount.digits)
            digits = scale
        if abs(total) >= 10**MAX_SIGNIFICANT_DIGITS:
            return "its amount can't be read"
        return (total, digits) if found else "it has no amount"

    def _texts(self, cells: list[str]) -> PlainTexts:
        if len(self.description) == 1:
            raw = cells[self.description[0]]
        else:
            raw = " ".join(filter(None, (cells[number].strip() for number in self.description)))
        return (
            self.described(raw),
            None if self.category is None else self.label(cells[self.category]),
            references.read(*(cells[number] for number in self.reference)) if self.reference else None,
            None if self.currency is None else self.label(cells[self.currency]),
            (self.in_account is not None and self.account_of(cells[self.in_account])) or self.account,
        )
