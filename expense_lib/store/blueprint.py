"""What the tables of a ledger must be: those that its migrations make, and nothing beside them."""

from __future__ import annotations

import functools
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Protocol

from expense_lib.domain.text import fold

Migrations = tuple[tuple[str, ...], ...]
Schema = dict[tuple[str, str], str]  # by kind and name: the statement that makes it

# How many migrations there are, and the digest of what they make: by it a ledger that is as it must be is
# recognised without making another one in memory, which would take longer than all else that opening does.
NEWEST = (8, "3ee860c97cb6562cf4ebfc8b3f5ede242dbcf192785614680dac8f3c11097319")

# Rows: what is in the file but for SQLite's own.
_SCHEMA = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


class Readable(Protocol):
    """A connection, or a transaction on one."""

    @property
    def execute(self) -> Any:
        """Runs a statement, and gives its rows."""
        ...


def differences(con: Readable, migrations: Migrations) -> Iterator[str]:
    """What is not as *migrations* make it, a phrase each: "trigger tidy does not belong there"."""
    made = _schema(con)
    if (len(migrations), digest(made)) == NEWEST:
        return
    expected = expected_of(migrations)
    for kind, name in sorted(made.keys() | expected.keys()):
        if (kind, name) not in expected:
            yield f"{kind} {name} does not belong there"
        elif (kind, name) not in made:
            yield f"{kind} {name} is missing"
        elif made[kind, name] != expected[kind, name]:
            yield f"{kind} {name} is not as it was made"


def digest(schema: Schema) -> str:
    """The digest of a schema, SHA-256."""
    return hashlib.sha256(repr(sorted(schema.items())).encode()).hexdigest()


@functools.lru_cache(maxsize=4)
def expected_of(migrations: Migrations) -> Schema:
    """What *migrations* make of an empty file."""
    with closing(sqlite3.connect(":memory:")) as con:
        con.create_function("fold", 1, fold, deterministic=True)
        for migration in migrations:
            for statement in migration:
                con.execute(statement)
        return _schema(con)


def _schema(con: Readable) -> Schema:
    return {(kind, name): _spelled(sql) for kind, name, sql in con.execute(_SCHEMA)}


@functools.lru_cache(maxsize=1024)
def _spelled(sql: str) -> str:
    """A statement without what differs between versions of SQLite where they rename: quotes and space."""
    return "".join(sql.replace('"', "").split())
