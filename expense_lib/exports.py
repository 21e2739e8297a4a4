"""Expenses on their way out: as CSV for spreadsheets, as lines of JSON with their whole history."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from pydantic_core import to_json

from expense_lib import presenting
from expense_lib.domain.content import ANNOTATIONS
from expense_lib.domain.filters import Filter
from expense_lib.domain.money import Currency
from expense_lib.domain.rows import Entry
from expense_lib.domain.spreadsheets import guarded
from expense_lib.store import ledger_id, log, queries
from expense_lib.store.transaction import Transaction

_TEXTS = ("category", "description", *ANNOTATIONS)
COLUMNS = ("date", "amount", "currency", *_TEXTS, "occurrence", "id", "generation", "dedup_key", "ledger")
BATCH = 1_000  # rows in one piece


def as_csv(tx: Transaction, wanted: Filter, progress: Callable[[int, int], None]) -> Iterator[bytes]:
    """The expenses that match, by date, as CSV (RFC 4180) in UTF-8, piece by piece. It begins with COLUMNS.

    Amounts have all their fraction digits; a negative one is a refund. Importing it again adds nothing, since
    a row's ``dedup_key`` says which expense it is, and ``ledger`` of which ledger. An ``id`` is one of the
    ledger's ``generation``.
    """
    ledger, generation = ledger_id.ledger_id(tx), ledger_id.generation(tx)
    total, currency, texts = queries.total(tx, wanted).count, tx.currency, attrgetter(*_TEXTS)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    done = 0
    for row in queries.matching(tx, wanted):
        writer.writerow(
            (
                row.content.date,
                currency.from_minor(row.content.amount_minor),
                currency.code,
                *(guarded(text or "") for text in texts(row.content)),
                row.content.occurrence,
                row.id,
                generation,
                row.dedup_key,
                ledger,
            )
        )
        done += 1
        if not done % BATCH:
            progress(done, total)
            yield _taken(buffer)
    yield _taken(buffer)
    progress(done, total)


def as_jsonl(tx: Transaction, progress: Callable[[int, int], None]) -> Iterator[bytes]:
    """Every expense there ever was, deleted ones too, as a line of JSON each, by id; piece by piece.

    A line is ``{"id", "dedup_key", "deleted", "currency", "ledger", "generation", "history": [...]}``, its
    history as ``Ledger.history`` has it, the first version first. An id is one of the ledger's generation.
    """
    of = {"ledger": ledger_id.ledger_id(tx), "generation": ledger_id.generation(tx)}
    total, done = queries.number_of_expenses(tx), 0
    for batch in _batches(groupby(log.whole(tx), key=lambda line: line[0].expense_id)):
        yield b"".join(
            to_json(
                {
                    "id": expense_id,
                    "dedup_key": dedup_key,
                    "deleted": deleted,
                    "currency": tx.currency.code,
                    **of,
                    "history": history,
                }
            )
            + b"\n"
            for expense_id, dedup_key, deleted, history in _told(batch, tx.currency)
        )
        done += len(batch)
        progress(done, total)


def _told(batch: Iterable[list[tuple[Entry, str]]], currency: Currency) -> Iterator[tuple[object, ...]]:
    for lines in batch:
        last, dedup_key = lines[-1]
        history = [presenting.version(line, currency) for line, _ in lines]
        yield last.expense_id, dedup_key, last.after is None, history


def _batches(
    groups: Iterable[tuple[int, Iterator[tuple[Entry, str]]]],
) -> Iterator[list[list[tuple[Entry, str]]]]:
    batch: list[list[tuple[Entry, str]]] = []
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
