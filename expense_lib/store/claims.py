"""Who owns which key: dedup keys as they are, idempotency keys behind ``sent:``. No claim is released."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from expense_lib.domain.rows import COLUMNS, Row
from expense_lib.store.transaction import Transaction

Owned = tuple[str, int, str | None]  # a key, its expense's id, and for an idempotency key the request as JSON

T = TypeVar("T")

_COLUMNS = ", ".join(COLUMNS)
_CHUNK = 10_000  # keys looked up by one statement

# One row or none: whose key it is, as Row has it, and the request first sent with it; ``claim`` reads it.
_CLAIM = f"""
    SELECT {_COLUMNS}, request
      FROM claim
      JOIN expense ON id = expense_id
     WHERE key = :key
"""
_SURVIVOR = f"""
    WITH RECURSIVE one(id) AS (
        SELECT merged_into FROM expense WHERE id = :id
         UNION ALL
        SELECT merged_into FROM one JOIN expense USING (id) WHERE merged_into IS NOT NULL
    )
    SELECT {_COLUMNS}
      FROM expense
     WHERE id = (SELECT id FROM one JOIN expense USING (id) WHERE merged_into IS NULL)
"""
_OWNERS = "SELECT key, expense_id FROM claim WHERE key IN (SELECT value FROM json_each(:keys))"
_ROWS = f"""
    SELECT key, {_COLUMNS}
      FROM claim
      JOIN expense ON expense.id = claim.expense_id
     WHERE key IN (SELECT value FROM json_each(:keys))
"""
_ANY = "SELECT EXISTS (SELECT 1 FROM claim)"
_INSERT = "INSERT INTO claim (key, expense_id, request) VALUES (?, ?, ?)"


class KeyTaken(Exception):
    """A key has an owner already. What was begun is to be rolled back."""


class Claim(NamedTuple):
    """The owner of a key, or what that was merged into.

    *request* is the first request sent with it, if it is an idempotency key.
    """

    owner: Row
    request: dict[str, Any] | None


def find(tx: Transaction, key: str) -> Claim | None:
    """The owner of *key*; None if it has none."""
    columns = tx.execute(_CLAIM, {"key": key}).fetchone()
    if columns is None:
        return None
    found = claim(columns)
    if found.owner.merged_into is not None:
        owner = Row.of(tx.execute(_SURVIVOR, {"id": found.owner.id}).fetchone())
        return found._replace(owner=owner)
    return found


def claim(columns: tuple[Any, ...]) -> Claim:
    """The claim in the columns of its owner, as Row has them, and its request. A merged owner stays so."""
    return Claim(Row.of(columns[:-1]), columns[-1] and json.loads(columns[-1]))


def owners(tx: Transaction, keys: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Those of the keys that have an owner, each with its id; faster if they come sorted."""
    for number, chunk in enumerate(chunks(keys)):
        if number == 0 and len(chunk) == _CHUNK and tx.execute(_ANY).fetchone() == (0,):
            return  # the first import: nothing is to be looked up
        yield from tx.execute(_OWNERS, {"keys": json.dumps(chunk)})


def announce(tx: Transaction, keys: Iterable[str]) -> None:
    """Announce that the ``owners`` of these will be asked, unless they are very many."""
    wanted = list(keys)
    if wanted and len(wanted) < _CHUNK:
        tx.ahead(_OWNERS, {"keys": json.dumps(wanted)})


def owning(tx: Transaction, keys: Iterable[str]) -> Iterator[tuple[str, Row]]:
    """Those of the keys that have an owner, each with it."""
    for chunk in chunks(keys):
        for key, *columns in tx.execute(_ROWS, {"keys": json.dumps(chunk)}):
            yield key, Row.of(tuple(columns))


def add(tx: Transaction, owned: Iterable[Owned]) -> None:
    """Give keys to expenses, for good.

    Raises:
        KeyTaken: one has an owner already. It may be raised later, as ``Transaction`` says.
    """
    try:
        tx.executemany(_INSERT, owned)
    except sqlite3.IntegrityError as taken:
        raise KeyTaken from taken


def request_text(request: dict[str, Any]) -> str:
    """A request as a claim keeps it."""
    return json.dumps(request, ensure_ascii=False)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, _CHUNK at a time."""
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
