"""References: a number that a bank gives to no other payment is evidence, where a file proves it to be that.

A column may be named so and be the number of a batch; a bank may give a purchase and its fee one FITID; a
spreadsheet may have made ``1.23457E+17`` of all. A reference that different payments have tells nothing.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from expense_lib.statements import columns, evidence, texts
from expense_lib.statements.columns import Columns
from expense_lib.statements.plan import ReferenceUse, Rows
from expense_lib.statements.records import Record

MAX_PERCENT = 1  # of the lines with a reference: those whose reference other payments have too
_SAMPLE_RECORDS = 1_000  # in which a column must do before the whole file is asked
_TRIES = 3  # columns of which the whole file is asked
_ENOUGH_ROWS = 30  # with fewer, almost any column is another in each of them

_is_plain = re.compile(r"(?=[0A-Za-z-]*[1-9])[0-9A-Za-z-]+").fullmatch  # as most are, and no placeholder
_tells = re.compile(r"[^\W0_]").search  # it has a letter, or a digit that is not 0
_is_placeholder = re.compile(
    r"""
    [\W_]*                                                               # nothing, or -, --, ...
    | \W*(?:n\W?a|none|null|nil|nan|unknown|no\W?ref(?:erence)?|non\W?ref|not\W?(?:provided|available))\W*
    | [-+]?[0-9](?:[.,][0-9]+[ ]?E[ ]?[+]?|[ ]?E[ ]?[+])[0-9]{1,3}       # what a spreadsheet left of it
    """,
    re.IGNORECASE | re.VERBOSE,
).fullmatch


class Judgement(NamedTuple):
    """What is made of a file's references, and a sentence where that is not what one expects."""

    use: ReferenceUse
    remarks: tuple[str, ...] = ()


def read(*cells: str) -> str | None:
    """The reference in the cells of some columns, joined by ``/``; None for a placeholder."""
    if len(cells) == 1 and _is_plain(cells[0]):
        return cells[0]
    parts = [texts.clean(cell) for cell in cells]
    joined = "/".join(parts)
    return None if any(map(_is_placeholder, parts)) or not _tells(joined) else joined


def contradicted(rows: Rows, references: Sequence[str | None]) -> int:
    """In how many of a hundred lines the reference is one of different payments; rounded up.

    Another day, amount or description on the same account is another payment; a copy of a line is not.

    Args:
        rows: The payments.
        references: Those of the first so many rows; None is not counted.
    """
    distinct = set(references)
    distinct.discard(None)
    given = len(references) - references.count(None)
    if len(distinct) == given:
        return 0
    del distinct
    repeated = {reference for reference, count in Counter(references).items() if count > 1 and reference}
    first: dict[tuple[str, str | None], int] = {}
    shared: set[tuple[str, str | None]] = set()
    for at, key in enumerate(zip(rows.accounts, references, strict=False)):
        if key[1] in repeated and not _are_one(rows, first.setdefault(key, at), at):
            shared.add(key)
    contradicting = sum(map(shared.__contains__, zip(rows.accounts, references, strict=False)))
    return -(-100 * contradicting // given)


def _are_one(rows: Rows, one: int, other: int) -> bool:
    """Whether two rows say the same, however they write their amount."""
    return one == other or (
        rows.days[one] == rows.days[other]
        and rows.units[one] * 10 ** rows.digits[other] == rows.units[other] * 10 ** rows.digits[one]
        and rows.descriptions[one] == rows.descriptions[other]
    )


def judge(rows: Rows, name: str, trusted: bool | None) -> Judgement:
    """Whether references tell payments apart; if they don't, they are taken away.

    Args:
        rows: The payments.
        name: What they are called in the file.
        trusted: True takes them as they stand, False takes none.
    """
    if not any(rows.references):
        return Judgement("none")
    percent = contradicted(rows, rows.references) if trusted is None else 0
    is_counter = trusted is None and _count_lines(rows)
    if percent <= MAX_PERCENT and trusted is not False and not is_counter:
        return Judgement("as given")
    rows.references = [None] * len(rows)
    why = "since it numbers the lines of the file" if is_counter else f"since it {_stands(percent)}"
    if trusted is False:
        why = "as was said"
    return Judgement("left out", (f"{name} is left out, {why}.",))


def settle(
    records: Callable[[], Iterable[Record]],
    names: Columns,
    mapping: Mapping[str, tuple[str, ...]],
    rows: Rows,
    trusted: bool | None,
) -> tuple[Mapping[str, tuple[str, ...]], Judgement]:
    """As ``judge``, for a table: a column that does not tell payments apart may do so together with another.

    Args:
        records: Begins with the table's first record again.
        names: Its columns.
        mapping: The columns of each field.
        rows: The payments; their references are settled.
        trusted: As in ``judge``.

    Returns:
        The columns of each field, and what is made of the references.
    """
    given = mapping.get("reference", ())
    if not given:
        return mapping, Judgement("none")
    named = " with ".join(map(repr, given))
    if trusted is None and columns.OWN_KEY in given:
        trusted = True
    percent = contradicted(rows, rows.references) if trusted is None else 0
    if percent > MAX_PERCENT and len(given) == 1:
        for other in _partners(records, names, mapping, rows):
            both = list(_together(records(), rows, names.positions(given[0], other)))
            if _serve(both, rows):
                rows.references = both
                remark = f"{named} {_stands(percent)}, so it is read together with {other!r}."
                return {**mapping, "reference": (given[0], other)}, Judgement("combined", (remark,))
    judged = judge(rows, named, trusted)
    if judged.use == "none" and _are_filled(records(), names.positions(*given)):
        judged = Judgement("none", (f"{named} has placeholders where references would be.",))
    if judged.use == "left out":
        mapping = {field: parts for field, parts in mapping.items() if field != "reference"}
    return mapping, judged


def _partners(
    records: Callable[[], Iterable[Record]],
    names: Columns,
    mapping: Mapping[str, tuple[str, ...]],
    rows: Rows,
) -> Iterator[str]:
    """The few columns that, as far as the first records tell, make a reference of the one that is none."""
    sample = list(itertools.islice(records(), _SAMPLE_RECORDS))
    (given,) = mapping["reference"]
    batches = set(rows.references[: len(sample)])

    def serves(name: str) -> bool:
        at = names.positions(given, name)
        cells = [record.cells[at[1]].strip() for record in sample if at[1] < len(record.cells)]
        if len(batches) > 1 and _counts_rows(cells):
            return False
        if not columns.is_of_a_part(name) and (len(rows) < _ENOUGH_ROWS or any(map(_is_content, cells))):
            return False
        return _serve(list(_together(sample, rows, at)), rows)

    taken = {part for parts in mapping.values() for part in parts}
    free = [name for name in names.names if name not in taken]
    return itertools.islice(
        filter(serves, sorted(free, key=lambda name: not columns.is_of_a_part(name))), _TRIES
    )


def _together(records: Iterable[Record], rows: Rows, at: Sequence[int]) -> Iterator[str | None]:
    """The reference of each row that is among *records*, from its cells *at* these places."""
    lines = iter(rows.lines)
    line = next(lines, None)
    for record in records:
        if record.line == line:
            yield read(*(record.cells[number] if number < len(record.cells) else "" for number in at))
            line = next(lines, None)


def _are_filled(records: Iterable[Record], at: Sequence[int]) -> bool:
    """Whether anything stands *at* these places of the first records."""
    sample = itertools.islice(records, _SAMPLE_RECORDS)
    return any(
        record.cells[number].strip() for record in sample for number in at if number < len(record.cells)
    )


def _serve(both: Sequence[str | None], rows: Rows) -> bool:
    """Whether these references tell the first so many rows apart, and almost no row has lost its own."""
    lost = both.count(None) - rows.references[: len(both)].count(None)
    return contradicted(rows, both) <= MAX_PERCENT and 100 * lost <= MAX_PERCENT * len(both)


def _counts_rows(cells: Sequence[str]) -> bool:
    """They number the rows of the file, in which the next file has others."""
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return len(numbers) == len(cells) and steps in ({1}, {-1})


def _count_lines(rows: Rows) -> bool:
    """The references number the file's lines, or those of each account, from 0 or 1, up or down.

    The next file has them again, for other payments.
    """
    of_account: dict[str, list[str]] = {}
    for account, reference in zip(rows.accounts, rows.references, strict=True):
        if reference is None or not reference.isdecimal():
            return False
        of_account.setdefault(account, []).append(reference)
    counted = [*of_account.values()] if len(of_account) > 1 else []
    return _count_from_start(rows.references) or (bool(counted) and all(map(_count_from_start, counted)))


def _count_from_start(references: Sequence[str | None]) -> bool:
    numbers = [int(reference or "") for reference in references]
    start = min(numbers)
    up = range(start, start + len(numbers))
    return start in (0, 1) and numbers in ([*up], [*reversed(up)])


def _is_content(cell: str) -> bool:
    """It is a date or an amount, which says what a payment is and not which."""
    return evidence.is_value(cell) and not cell.isdigit()


def _stands(percent: int) -> str:
    return f"stands with different payments in {percent} % of its lines"
