"""Who told of which payment: rows of statements, as the bank told of them, and expenses that persons entered.

A row is *alive* as long as an import that lists it is not undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from expense_lib.store.claims import chunks
from expense_lib.store.transaction import Transaction

_FEW = 500  # values bound in one statement

# Rows as Told has them.
_TOLD = """
    SELECT told_row.id, told_row.expense_id, told_row.import_id, told_row.account_key, told_row.date,
           told_row.amount_minor, told_row.text, told_row.reference, told_row.decided, told_row.layout,
           told_row.alive, expense.state, expense.entered, expense.category_key,
           CASE WHEN expense.deleted_at IS NOT NULL THEN
               (SELECT COALESCE(part_of, seq) FROM log_entry WHERE seq = expense.last_seq)
           END
"""
_OF_AMOUNTS = f"""
    {_TOLD}
      FROM told_row
      JOIN expense ON expense.id = told_row.expense_id
     WHERE told_row.amount_minor IN (SELECT value FROM json_each(:values))
       AND told_row.date BETWEEN :first AND :last
     ORDER BY told_row.amount_minor, told_row.date, told_row.id
"""
_OF_REFERENCES = f"""
    {_TOLD}
      FROM told_row
      JOIN expense ON expense.id = told_row.expense_id
     WHERE told_row.reference IN (SELECT value FROM json_each(:values))
     ORDER BY told_row.id
"""
_OF_EXPENSES = f"""
    {_TOLD}
      FROM told_row
      JOIN expense ON expense.id = told_row.expense_id
     WHERE told_row.expense_id IN (SELECT value FROM json_each(:values))
     ORDER BY told_row.id
"""
_OF_DIGESTS = f"""
    SELECT row_digest.digest, told.*
      FROM row_digest
      JOIN ({_TOLD} FROM told_row JOIN expense ON expense.id = told_row.expense_id) AS told
        ON told.id = row_digest.row_id
     WHERE row_digest.digest IN ({{values}})
"""
_ANY = "SELECT EXISTS (SELECT 1 FROM statement_row)"
_ANY_DIGEST = "SELECT EXISTS (SELECT 1 FROM row_digest)"
_NEAR = """
    SELECT EXISTS (
        SELECT 1
          FROM statement_row
         WHERE amount_minor IN (SELECT value FROM json_each(:values)) AND date BETWEEN :first AND :last
    )
"""
_LAST = "SELECT COALESCE(MAX(id), 0) FROM statement_row"

# Rows as Entered has them.
_ENTERED = """
    SELECT id, COALESCE(whole_minor, amount_minor), date, description, said_account_key, version
      FROM {expense}
     WHERE entered = 1 AND part_of IS NULL AND deleted_at IS NULL
"""
# By day, since an index of persons' expenses by amount would make each record write one more page.
_ENTERED_OF_AMOUNTS = f"""
    {_ENTERED.format(expense="expense INDEXED BY live_by_date")}
       AND date BETWEEN :first AND :last
       AND amount_minor IN (SELECT value FROM json_each(:values))
       AND whole_minor IS NULL
     UNION ALL
    {_ENTERED.format(expense="expense INDEXED BY split_payment")}
       AND date BETWEEN :first AND :last
       AND whole_minor IN (SELECT value FROM json_each(:values))
     ORDER BY id
"""
_ENTERED_AND_EDITED = f"""
    {_ENTERED.format(expense="expense")} AND version > 1 AND date BETWEEN :first AND :last
     ORDER BY id
"""
_ANY_ENTERED = f"SELECT EXISTS ({_ENTERED.format(expense='expense INDEXED BY live_by_date')})"

# Rows: amounts of which there is a free expense of a person's, and a live one that only banks told of.
_TOLD_TWICE = """
    SELECT DISTINCT COALESCE(whole_minor, amount_minor)
      FROM expense AS person
     WHERE entered = 1 AND part_of IS NULL AND deleted_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM told_row WHERE told_row.expense_id = person.id AND alive = 1)
       AND EXISTS (
           SELECT 1
             FROM statement_row
             JOIN expense AS bank ON bank.id = statement_row.expense_id
            WHERE statement_row.amount_minor = COALESCE(person.whole_minor, person.amount_minor)
              AND statement_row.date BETWEEN date(person.date, '-1 day') AND date(person.date, '+5 days')
              AND bank.entered = 0 AND bank.state = 'live'
       )
"""

_INSERT = """
    INSERT INTO statement_row (
        id, expense_id, import_id, account_key, date, amount_minor, text, reference, decided
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MOVE = "UPDATE statement_row SET expense_id = ?, decided = ? WHERE id = ?"
_WITNESS = "INSERT INTO witness (row_id, import_id) VALUES (?, ?) ON CONFLICT DO NOTHING"

# Rows: number of payments that an account's statements told of, by day.
_DAYS = """
    SELECT date, COUNT(DISTINCT expense_id)
      FROM told_row
     WHERE account_key IS NOT DISTINCT FROM :account AND date BETWEEN :first AND :last AND alive = 1
     GROUP BY date
"""


class Told(NamedTuple):
    """A row of a statement as the bank told of it, and its expense as it is.

    *left_by* is the change by which the expense is no longer live, None if it is.
    """

    id: int
    expense_id: int
    import_id: int
    account: str | None
    date: str
    amount_minor: int
    text: str
    reference: str | None
    decided: int
    layout: str | None
    alive: int
    state: str
    entered: int
    category_key: str
    left_by: int | None


class Entered(NamedTuple):
    """A live expense that a person told of, with the amount of the whole payment and the account as said."""

    id: int
    amount_minor: int
    date: str
    description: str
    account: str | None
    version: int


NewTold = tuple[int, int, int, str | None, str, int, str, str | None, int]  # as _INSERT has it


def any_told(tx: Transaction) -> bool:
    """Whether any statement was imported."""
    return bool(tx.execute(_ANY).fetchone()[0])


def any_entered(tx: Transaction) -> bool:
    """Whether a person told of any live expense."""
    return bool(tx.execute(_ANY_ENTERED).fetchone()[0])


def announce_any(tx: Transaction) -> None:
    """Announce that ``any_told`` and ``any_entered`` will be asked."""
    tx.ahead(_ANY)
    tx.ahead(_ANY_ENTERED)


def of_amounts(tx: Transaction, amounts_minor: Iterable[int], first: str, last: str) -> Iterator[Told]:
    """The rows of these amounts from one day to another, alive or not, by amount, day and id."""
    for chunk in chunks(sorted(amounts_minor)):
        for columns in tx.execute(_OF_AMOUNTS, {"values": json.dumps(chunk), "first": first, "last": last}):
            yield Told(*columns)


def of_references(tx: Transaction, references: Iterable[str]) -> Iterator[Told]:
    """The rows with these references, of whatever account, alive or not."""
    for chunk in chunks(references):
        for columns in tx.execute(_OF_REFERENCES, {"values": json.dumps(chunk)}):
            yield Told(*columns)


def of_expenses(tx: Transaction, expense_ids: Iterable[int]) -> Iterator[Told]:
    """The rows of these expenses, alive or not, by id."""
    for chunk in chunks(expense_ids):
        for columns in tx.execute(_OF_EXPENSES, {"values": json.dumps(chunk)}):
            yield Told(*columns)


def of_digests(tx: Transaction, digests: Sequence[bytes]) -> Iterator[tuple[bytes, Told]]:
    """The rows known by these digests, of imports from before rows were kept."""
    for begin in range(0, len(digests), _FEW):
        chunk = digests[begin : begin + _FEW]
        for digest, *columns in tx.execute(_OF_DIGESTS.format(values=", ".join("?" * len(chunk))), chunk):
            yield digest, Told(*columns)


def any_digest(tx: Transaction) -> bool:
    """Whether there are imports from before rows were kept."""
    return bool(tx.execute(_ANY_DIGEST).fetchone()[0])


def any_near(tx: Transaction, amounts_minor: Iterable[int], first: str, last: str) -> bool:
    """Whether a statement told of a payment of one of these amounts from one day to another."""
    return any(
        tx.execute(_NEAR, {"values": json.dumps(chunk), "first": first, "last": last}).fetchone()[0]
        for chunk in chunks(sorted(amounts_minor))
    )


def announce_near(tx: Transaction, amounts_minor: Iterable[int], first: str, last: str) -> None:
    """Announce that ``any_near`` will be asked."""
    tx.ahead(_NEAR, {"values": json.dumps(sorted(amounts_minor)), "first": first, "last": last})


def days(tx: Transaction, account: str | None, first: str, last: str) -> dict[str, int]:
    """How many payments an account's statements told of, by day."""
    return dict(tx.execute(_DAYS, {"account": account, "first": first, "last": last}))


def entered(tx: Transaction, amounts_minor: Iterable[int], first: str, last: str) -> Iterator[Entered]:
    """The live expenses of these amounts that persons told of, from one day to another."""
    values = {"values": json.dumps(sorted(amounts_minor)), "first": first, "last": last}
    for columns in tx.execute(_ENTERED_OF_AMOUNTS, values):
        yield Entered(*columns)


def entered_and_edited(tx: Transaction, first: str, last: str) -> list[Entered]:
    """The live expenses that persons told of and that have earlier versions, from one day to another."""
    return [Entered(*columns) for columns in tx.execute(_ENTERED_AND_EDITED, {"first": first, "last": last})]


def amounts_told_twice(tx: Transaction) -> list[int]:
    """The amounts of which both a person and a bank told, in expenses that are not one."""
    return [row[0] for row in tx.execute(_TOLD_TWICE)]


def next_id(tx: Transaction) -> int:
    """The first free id of a row."""
    return int(tx.execute(_LAST).fetchone()[0]) + 1


def add(tx: Transaction, rows: Iterable[NewTold]) -> None:
    """Keep rows of a statement."""
    tx.executemany(_INSERT, rows)


def move(tx: Transaction, rows: Iterable[tuple[int, int, int]]) -> None:
    """Give rows to expenses: expense, whether somebody decided so, row."""
    tx.executemany(_MOVE, rows)


def witness(tx: Transaction, rows: Iterable[int], import_id: int) -> None:
    """Say that an import lists rows that another told of first."""
    tx.executemany(_WITNESS, ((row_id, import_id) for row_id in rows))
