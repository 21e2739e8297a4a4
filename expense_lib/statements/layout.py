"""The layout of a file: what the next file of the same bank has in common with it, as a short text."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable

from expense_lib.domain.text import fold
from expense_lib.statements import evidence
from expense_lib.statements.columns import Columns
from expense_lib.statements.records import Record

_SAMPLE_RECORDS = 1_000
_OF_TEN = 9  # so many cells of ten make a column's kind: one that is filled now and then has none


def of_table(header: Record | None, body: Iterable[Record], width: int) -> str:
    """That of delimited text: the names of its columns in any case; without names, their number and kinds."""
    if header is not None:
        parts = [fold(name) for name in Columns(header.cells, named=True).names]
    else:
        sample = [record.cells for record in itertools.islice(body, _SAMPLE_RECORDS)]
        parts = [_kind([cells[number] for cells in sample if number < len(cells)]) for number in range(width)]
    return f"csv:{hashlib.sha256(json.dumps([header is not None, parts]).encode()).hexdigest()[:8]}"


def _kind(cells: list[str]) -> str:
    for kind, fits in (("date", evidence.is_date), ("number", evidence.is_value)):
        if 10 * sum(map(fits, cells)) > _OF_TEN * len(cells):
            return kind
    return "text"
