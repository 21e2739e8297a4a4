"""Delimited text as records, whatever its dialect: delimiter, quotes, line ends, quotes that never close."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from expense_lib.statements import columns, decoding
from expense_lib.statements.columns import Columns

_DELIMITERS = (",", ";", "\t", "|")
_HEAD_LINES = 120
_MAX_RECORD_LINES = 100  # a quote that is open for longer was never closed


@dataclass(frozen=True)
class Dialect:
    """How cells are put into a line."""

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    spaced: bool = False

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The cells of each record in *lines*."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            skipinitialspace=self.spaced,
            strict=True,
        )


class Record(NamedTuple):
    """A line of the table, from line *line* of the file. *cut*: it has a quote that is not closed."""

    line: int
    cells: list[str]
    cut: bool = False


class Table:
    """A file of delimited text, to be read from its beginning as often as needed."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self.file, self.encoding = file, encoding
        with self._lines() as lines:
            head = list(itertools.islice(lines, _HEAD_LINES))
        self.skipped = 1 if head and re.match(r"sep=.\r?\n?\Z", head[0]) else 0
        self.dialect = _dialect(head[self.skipped :], head[0][4] if self.skipped else None)
        self.width: int | None = None

    def records(self) -> Iterator[Record]:
        """Every line of the table but the blank ones, in order."""
        with self._lines() as lines:
            for line in itertools.islice(lines, self.skipped):
                del line
            yield from _records(lines, self.dialect, self.skipped + 1, lambda: self.width)

    @contextmanager
    def _lines(self) -> Iterator[Iterator[str]]:
        text = decoding.as_text(self.file, self.encoding)
        try:
            yield iter(text)
        finally:
            text.detach()


def _records(
    lines: Iterator[str], dialect: Dialect, number: int, width: Callable[[], int | None]
) -> Iterator[Record]:
    """Every record but blank ones. After a quote that is not closed, it goes on with the next line."""
    waiting: list[str] = []
    while True:
        line = waiting.pop() if waiting else next(lines, None)
        if line is None:
            return
        taken = [line]
        if dialect.quote not in line and dialect.escape is None:
            cells: list[str] | None = line.rstrip("\r\n").split(dialect.delimiter)
        else:
            cells = _quoted(taken, waiting, lines, dialect)
        if cells is None or (len(taken) > 1 and not _is_plausible(cells, len(taken), width())):
            cells = line.rstrip("\r\n").split(dialect.delimiter)
            bare = [cell.strip().strip(dialect.quote) for cell in cells]
            yield Record(number, bare, cut=not _is_plausible(cells, 1, width()))
            waiting.extend(reversed(taken[1:]))
            number += 1
        else:
            if cells and (cells[0].strip() or any(map(str.strip, cells))):
                yield Record(number, cells)
            number += len(taken)


def _quoted(taken: list[str], waiting: list[str], lines: Iterator[str], dialect: Dialect) -> list[str] | None:
    """The record that begins with the line in *taken*, to which the lines that it goes on in are added.

    None if its quotes don't fit.
    """

    def more() -> Iterator[str]:
        yield taken[0]
        while len(taken) < _MAX_RECORD_LINES:
            line = waiting.pop() if waiting else next(lines, None)
            if line is None:
                return
            taken.append(line)
            yield line

    try:
        return next(dialect.reader(more()), None)
    except csv.Error:
        return None


def _is_plausible(cells: list[str], lines: int, width: int | None) -> bool:
    """A record of so many lines has as many cells as there are columns, as far as that is known."""
    if lines == _MAX_RECORD_LINES:
        return False
    return width is None or len(cells) == width or (len(cells) > width and not any(cells[width:]))


def _dialect(head: list[str], said: str | None) -> Dialect:
    """The dialect in which most lines have the same number of cells."""
    text = "".join(head)
    quote = "'" if '"' not in text and re.search(r"(?m)^'[^'\r\n]*'[,;\t|]'", text) else '"'
    ends_in_it = re.search(r'\\"(?=[,;\t|\r\n]|\Z)', text)
    escape = "\\" if '\\"' in text and '""' not in text and not ends_in_it else None

    def fit(delimiter: str) -> tuple[bool, int, int]:
        found = [
            record.cells
            for record in _records(iter(head), Dialect(delimiter, quote, escape), 1, lambda: None)
            if 1 < len(record.cells) <= columns.MAX_COLUMNS
        ]
        has_header = any(columns.is_whole(columns.propose(Columns(cells, named=True))) for cells in found)
        widths = Counter(map(len, found))
        width, count = max(
            widths.items(), key=lambda item: (item[1] * (item[0] - 1), item[0]), default=(1, 0)
        )
        return has_header, count * (width - 1), width

    delimiter = said or max(_DELIMITERS, key=fit)
    spaced = re.search(re.escape(delimiter) + r' +"', text) is not None
    return Dialect(delimiter, quote, escape, spaced)
