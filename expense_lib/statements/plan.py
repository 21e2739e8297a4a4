"""What was read from a statement: rows, lines that were not understood, and how it was read."""

from __future__ import annotations

import datetime as dt
import operator
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple, overload

from expense_lib.domain.limits import DEFAULT_CATEGORY

FileFormat = Literal["csv", "ofx", "qif"]
Spending = Literal["positive", "negative"]
Credits = Literal["skip", "refund"]
ReferenceUse = Literal["none", "as given", "combined", "left out"]


class Row(NamedTuple):
    """One payment of a statement. Texts are canonical.

    *amount* is positive for money that was spent and negative for money that came in, whatever the file
    writes. *line* is where it stands in the file, from 1. None is for what the file does not say. *tags* are
    joined by spaces.
    """

    line: int
    date: dt.date
    amount: Decimal
    description: str
    category: str | None
    reference: str | None
    currency: str | None
    account: str
    note: str = ""
    tags: str = ""


class BadLine(NamedTuple):
    """A line that was not understood: its number in the file, from 1, and what is wrong with it."""

    line: int
    reason: str


class Rows(Sequence[Row]):
    """The rows, in the order of the file. Kept by columns: a million of them take some 100 MB.

    *units* and *digits* make an amount: ``units / 10 ** digits``. *days* are ``date.toordinal``'s. A text
    that comes again is the same object. *references* are those that tell payments apart; None elsewhere.
    """

    def __init__(self) -> None:
        self.lines = array("q")
        self.days = array("l")
        self.units = array("q")
        self.digits = array("b")
        self.descriptions: list[str] = []
        self.categories: list[str | None] = []
        self.references: list[str | None] = []
        self.currencies: list[str | None] = []
        self.accounts: list[str] = []
        self.notes: dict[int, str] = {}  # of the few rows that have any, by position
        self.tags: dict[int, str] = {}

    def add(self, line: int, day: int, units: int, digits: int, texts: PlainTexts) -> None:
        """Append a row: *units* are positive for money spent."""
        self.lines.append(line)
        self.days.append(day)
        self.units.append(units)
        self.digits.append(digits)
        description, category, reference, currency, account = texts
        self.descriptions.append(description)
        self.categories.append(category)
        self.references.append(reference)
        self.currencies.append(currency)
        self.accounts.append(account)

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self._row(position) for position in range(*at.indices(len(self)))]
        return self._row(range(len(self))[at])

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(operator.eq, self, other))

    __hash__ = None  # type: ignore[assignment] # as any list

    def __repr__(self) -> str:
        return f"<{len(self)} rows of a statement>"

    def _row(self, at: int) -> Row:
        sign, digits = (1, str(-self.units[at])) if self.units[at] < 0 else (0, str(self.units[at]))
        return Row(
            self.lines[at],
            dt.date.fromordinal(self.days[at]),
            Decimal((sign, tuple(map(int, digits)), -self.digits[at])),
            self.descriptions[at],
            self.categories[at],
            self.references[at],
            self.currencies[at],
            self.accounts[at],
            self.notes.get(at, ""),
            self.tags.get(at, ""),
        )

    def annotate(self, first: int, notes: Iterable[str], tags: Iterable[str]) -> None:
        """Give notes and tags to the rows from position *first* on; an empty one is none."""
        self.notes.update((at, note) for at, note in enumerate(notes, first) if note)
        self.tags.update((at, each) for at, each in enumerate(tags, first) if each)


PlainTexts = tuple[str, str | None, str | None, str | None, str]  # in the order of Texts


class Texts(NamedTuple):
    """The texts of a row, canonical."""

    description: str = ""
    category: str | None = None
    reference: str | None = None
    currency: str | None = None
    account: str = ""


@dataclass(frozen=True)
class Reading:
    """How a file was read: what was given, and what was found in its content for the rest.

    Attributes:
        format: What kind of file it is.
        encoding: The name of its encoding, as Python has it.
        mapping: Which column each field came from, for a CSV file; several for a description or a reference
            in parts.
        columns: The names of all its columns.
        delimiter: What stands between two columns.
        header_line: Where the columns are named; None if nowhere.
        date_format: As ``strptime`` takes it; empty where the format fixes it.
        decimal: What separates the fraction of an amount.
        spending: Which sign money out has.
        references: What was made of the file's references: it has none; they are taken as they stand; they
            are read from two columns together; they are left out, since payments share them or as was said.
        layout: The format and its columns in short, the same for every file that the bank makes this way.
        remarks: What a person should know of how it was read, in sentences.
    """

    format: FileFormat
    encoding: str
    mapping: Mapping[str, str | tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    columns: tuple[str, ...] = ()
    delimiter: str = ""
    header_line: int | None = None
    date_format: str = ""
    decimal: str = "."
    spending: Spending = "positive"
    references: ReferenceUse = "none"
    layout: str = ""
    remarks: tuple[str, ...] = ()


class Found(NamedTuple):
    """What reading a file of any kind finds."""

    rows: Rows
    bad: list[BadLine]
    reading: Reading


@dataclass(frozen=True)
class Plan:
    """A statement, read and ready for ``Ledger.import_statement``. Nothing of it is in a ledger yet.

    Attributes:
        rows: The payments, a sequence of Row.
        bad: The lines that were not understood, a sequence of BadLine.
        source: The file's name, if it has one.
        account: The account that it is of; empty if none is named, or if its rows are of several.
        reading: How it was read.
        credits: What becomes of money that came in.
        default_category: Where a payment goes that nothing else has a category for.
    """

    rows: Rows
    bad: tuple[BadLine, ...]
    source: str
    account: str
    reading: Reading
    credits: Credits = "skip"
    default_category: str = DEFAULT_CATEGORY
