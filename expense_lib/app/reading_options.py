"""How a statement is read, as a person says it: the options, and what each of them can be."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expense_lib.domain.errors import ExpenseError
from expense_lib.domain.limits import DEFAULT_CATEGORY
from expense_lib.statements import Credits, Spending, decoding
from expense_lib.statements.columns import FIELDS, Columns
from expense_lib.statements.records import Table

MAPPING = "mapping."  # before the name of a field: the option that says its column
FURTHER = "further."  # before the name of a field: the option that says one more

NONE = "(none)"
AS_FOUND = "as it was found"
LABELS = {
    "spending": "Money spent is written",
    "credits": "Money that came in",
    "date_format": "Dates are written",
    "decimal": "Before the cents is",
    "references": "Reference numbers",
    "encoding": "Letters are encoded as",
    f"{MAPPING}type": "Debit or credit",
}
CHOICES: dict[str, dict[str, object]] = {
    "spending": {AS_FOUND: None, "with a minus": "negative", "without a sign": "positive"},
    "credits": {"left out": "skip", "as refunds": "refund"},
    "decimal": {AS_FOUND: None, "a point": ".", "a comma": ","},
    "references": {AS_FOUND: None, "are unique": True, "are not used": False},
    "encoding": {
        AS_FOUND: None,
        "UTF-8": "utf-8",
        "UTF-16": "utf-16",
        "Western European (Windows)": "cp1252",
        "Western European (ISO)": "iso8859-15",
        "Western European (DOS)": "cp850",
        "Western European (Mac)": "mac-roman",
        "Central European (Windows)": "cp1250",
        "Cyrillic (Windows)": "cp1251",
        "Greek (Windows)": "cp1253",
        "Turkish (Windows)": "cp1254",
        "Japanese (Shift JIS)": "shift_jis",
        "Chinese (GB 18030)": "gb18030",
    },
}
_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d/%m/%y", "%m/%d/%Y"),
    *("%m/%d/%y", "%d-%m-%Y", "%d-%m-%y", "%m-%d-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
    "%A, %B %d, %Y",
)
_A_DAY = dt.date(2026, 11, 22)
_HEAD_RECORDS = 60
_HEAD_BYTES = 64 * 1024
_NOT_A_TABLE = re.compile(rb"\s*[<{\[]")

WRITTEN = ("date_format", "decimal", "encoding", "references")  # how a file is written, beside its columns


@dataclass(frozen=True)
class Options:
    """The options of ``statements.read`` that a person set; those left out are detected.

    *account* is None until somebody says it; empty is "not known", said on purpose.
    """

    account: str | None = None
    mapping: Mapping[str, object] | None = None
    spending: Spending | None = None
    credits: Credits = "skip"
    default_category: str = DEFAULT_CATEGORY
    date_format: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    references: bool | None = None

    @property
    def is_corrected(self) -> bool:
        """Something was said about how the file is written."""
        how = (self.mapping, self.date_format, self.decimal, self.encoding, self.references)
        return any(each is not None for each in how)

    def arguments(self) -> dict[str, Any]:
        """The arguments of ``statements.read``."""
        return vars(self) | {"account": self.account or ""}


@dataclass(frozen=True)
class Choice:
    """What an option can be, each by what it is called, and which of them holds."""

    label: str
    options: Mapping[str, object] = field(default_factory=dict)
    value: object = None

    @classmethod
    def of(cls, option: str, value: object) -> Choice:
        """Of an option that is no column."""
        known = CHOICES.get(option) or {AS_FOUND: None} | {day(each): each for each in _DATES}
        return cls(LABELS[option], _with(value, known, day(str(value))), value)

    @classmethod
    def of_further(cls, name: str, columns: Mapping[str, str]) -> Choice:
        """Of one more column that is a field together with those that are it."""
        return cls(f"{name.capitalize()}, and also", {NONE: None, **columns})

    @classmethod
    def of_column(cls, name: str, columns: Mapping[str, str], value: object) -> Choice:
        """Of a field's column: any of the *columns*, by what they are called, or none."""
        option = f"{MAPPING}{name}"
        together = " + ".join(value) if isinstance(value, tuple) else str(value)
        label = LABELS.get(option, name.capitalize())
        return cls(label, _with(value, {NONE: None, **columns}, together), value)


def _with(value: object, known: Mapping[str, object], label: str) -> dict[str, object]:
    """What is *known*, and *value* if it is none of that."""
    return {**known} if value in known.values() else {**known, label: value}


def day(date_format: str) -> str:
    """A day as this format writes it: 22/11/2026 for %d/%m/%Y."""
    return _A_DAY.strftime(date_format)


def head(content: bytes, encoding: str | None) -> list[list[str]]:
    """The cells of the first records of delimited text, those of the usual width; none if it is no table."""
    if _NOT_A_TABLE.match(content):
        return []
    file, _ = decoding.open_source(content[:_HEAD_BYTES])
    try:
        table = Table(file, encoding or decoding.encoding_of(file))
        records = [record.cells for record in itertools.islice(table.records(), _HEAD_RECORDS)]
    except (ExpenseError, LookupError, ValueError):
        return []
    ((width, _),) = Counter(map(len, records)).most_common(1) or ((0, 0),)
    return [cells for cells in records if len(cells) == width] if width > 1 else []


def names_of(records: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The columns of a head: by their names if the first record has no digit, else by their numbers."""
    if not records:
        return ()
    named = len(records) > 1 and not any(re.search("[0-9]", cell) for cell in records[0])
    return Columns(records[0] if named else [""] * len(records[0]), named=named).names


def labelled(columns: Sequence[str], records: Sequence[Sequence[str]]) -> dict[str, str]:
    """Columns by what they are called: a name, or a number with what stands there first."""
    cells = records[0] if records else ()
    samples = {str(number): cell.strip() for number, cell in enumerate(cells, 1)}
    return {f"{name}: {sample}" if (sample := samples.get(name)) else name: name for name in columns}


__all__ = [
    "FIELDS",
    "FURTHER",
    "MAPPING",
    "WRITTEN",
    "Choice",
    "Options",
    "day",
    "head",
    "labelled",
    "names_of",
]
