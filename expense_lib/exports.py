"""Expenses on their way out: as CSV for spreadsheets, as lines of JSON with their whole history."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from pydantic_core import to_json

from expense_lib import presenting
from expense_lib.domain.filters import Filter
from expense_lib.domain.money import Currency
from expense_lib.domain.spreadsheets import guarded
from expense_lib.store import queries

COLUMNS = ("date", "amount", "currency", "category", "description", "occurrence", "id", "dedup_key")
BATCH = 1_000  # rows in one piece


def as_csv(
    con: sqlite3.Connection, wanted: Filter, currency: Currency, progress: Callable[[int, int], None]
) -> Iterator[bytes]:
    """The expenses that match, by date, as CSV (RFC 4180) in UTF-8, piece by piece. It begins with COLUMNS.

    Amounts have all their fraction digits; a negative one is a refund. Importing it again adds nothing, since
    a row's ``dedup_key`` says which expense it is.
    """
    total = queries.total(con, wanted, currency, None).count
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    done = 0
    for row in queries.matching(con, wanted, currency):
        writer.writerow(
            (
                row.date,
                currency.from_minor(row.amount_minor),
                currency.code,
                guarded(row.category),
                guarded(row.description),
                row.occurrence,
                row.id,
                row.dedup_key,
            )
        )
        done += 1
        if not done % BATCH:
            progress(done, total)
            yield _taken(buffer)
    yield _taken(buffer)
    progress(done, total)


def as_jsonl(
    con: sqlite3.Connection, currency: Currency, progress: Callable[[int, int], None]
) -> Iterator[bytes]:
    """Every expense there ever was, deleted ones too, as a line of JSON each, by id; piece by piece.

    A line is ``{"id", "dedup_key", "deleted", "currency", "history": [...]}``, its history as
    ``Ledger.history`` has it, the first version first.
    """
    total, done = queries.number_of_expenses(con), 0
    for batch in _batches(groupby(queries.whole_log(con), key=lambda line: line[0].expense_id)):
        yield b"".join(
            to_json(
                {
                    "id": expense_id,
                    "dedup_key": dedup_key,
                    "deleted": deleted,
                    "currency": currency.code,
                    "history": history,
                }
            )
            + b"\n"
            for expense_id, dedup_key, deleted, history in _told(batch, currency)
        )
        done += len(batch)
        progress(done, total)


def _told(
    batch: Iterable[list[tuple[queries.Logged, str]]], currency: Currency
) -> Iterator[tuple[object, ...]]:
    for lines in batch:
        last, dedup_key = lines[-1]
        history = [presenting.version(line, currency) for line, _ in lines]
        yield last.expense_id, dedup_key, last.after is None, history


def _batches(
    groups: Iterable[tuple[int, Iterator[tuple[queries.Logged, str]]]],
) -> Iterator[list[list[tuple[queries.Logged, str]]]]:
    batch: list[list[tuple[queries.Logged, str]]] = []
    for _, lines in groups:
        batch.append(list(lines))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _taken(buffer: io.StringIO) -> bytes:
    """What is in the buffer, which is empty afterwards."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
