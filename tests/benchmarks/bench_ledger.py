"""How fast the ledger is, beside a named floor in the same run: ``pytest tests/benchmarks/bench_ledger.py``.

The first run makes a ledger of a million expenses, through the library's own rules in one transaction, which takes
a minute or two. Every limit is a ratio, or a time that says what a person waits for.
"""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from expense_lib import ExpenseFilter, Ledger, NewExpense
from expense_lib.rules.recording import added
from expense_lib.rules.submission import Submission
from expense_lib.store.schema import MIGRATIONS
from expense_lib.store.sqlite import connection, transaction
from expense_lib.store.transaction import Transaction

MILLION = 1_000_000
CATEGORIES = [f"Category {letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
DAYS = 4000

# The floors: what SQLite alone takes to put the row of an expense down and to commit.
BARE_INSERT = """
    INSERT INTO expense (
        amount_minor, category, category_key, description, description_key, date, occurrence,
        dedup_key, version, created_at, updated_at, last_seq
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def expenses(seed: int) -> Iterator[NewExpense]:
    """Endless different payments: 20 categories, eleven years, three words of 5,000 in a description."""
    chance = random.Random(seed)  # noqa: S311 - made-up shopping
    words = [
        "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(5000)
    ]
    first = dt.date(2015, 1, 1)
    for n in count():
        yield NewExpense(
            amount=chance.randint(1, 99_999),
            category=chance.choice(CATEGORIES),
            description=f"{' '.join(chance.choices(words, k=3)).title()} {seed}-{n}",
            date=first + dt.timedelta(chance.randrange(DAYS)),
        )


def filled(path: Path, rows: int) -> Ledger:
    """A ledger with *rows* expenses, recorded by the library's own rules, in one transaction."""
    ledger = Ledger(path)
    with connection(path) as con, transaction(con, write=True):
        for new in islice(expenses(rows), rows):
            added(Transaction(con, ledger.currency), Submission(new, ledger.currency, None))
    return ledger


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledgers")


@pytest.fixture(scope="session")
def large(folder: Path) -> Ledger:
    return filled(folder / "large.db", MILLION)


@pytest.fixture(scope="session")
def small(folder: Path) -> Ledger:
    return filled(folder / "small.db", 1_000)


@pytest.fixture(scope="session")
def one_table(folder: Path) -> Iterator[sqlite3.Connection]:
    """The table of expenses with its two indexes and a unique key: no claims, no log, no totals."""
    with closing(sqlite3.connect(folder / "one-table.db", isolation_level=None)) as con:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            con.execute(f"PRAGMA {pragma}")
        table, *indexes = (sql for sql in MIGRATIONS[0] if " expense (" in sql and "TRIGGER" not in sql)
        con.execute(table.replace("dedup_key TEXT", "dedup_key TEXT UNIQUE"))
        for index in indexes:
            if "INDEX" in index:
                con.execute(index)
        yield con


@pytest.fixture(scope="session")
def same_rows(folder: Path) -> Iterator[sqlite3.Connection]:
    """A ledger file, for a row with its claim, its entry in the log and its place in a total, as recorded."""
    path = folder / "same-rows.db"
    Ledger(path)
    with connection(path) as con:
        yield con


def seconds(action: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def in_turns(*actions: Callable[[], Any], rounds: int = 2000) -> list[float]:
    """The median seconds of each action, done by turns, so that all meet the same moods of the machine."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, times in zip(actions, taken, strict=True):
            times.append(seconds(action))
    return [statistics.median(times) for times in taken]


def bare_insert(con: sqlite3.Connection, rows: list[NewExpense]) -> Callable[[], None]:
    at = "2026-11-22T09:12:00.000Z"
    values = []
    for n, new in enumerate(rows, 1):
        texts = (new.category, new.category, new.description, new.description, str(new.date))
        values.append((1, *texts, 1, f"v1:{n * 7919 * 2**200 % 2**256:064x}", 1, at, at, n))
    waiting = iter(values)

    def insert() -> None:
        con.execute("BEGIN IMMEDIATE")
        con.execute(BARE_INSERT, next(waiting))
        con.execute("COMMIT")

    return insert


ALL_ROWS = (
    "INSERT INTO claim (key, expense_id) VALUES (?, ?)",
    """
    INSERT INTO log_entry (seq, kind, at, expense_id, version, amount_minor, category, description, date, occurrence)
    SELECT last_seq, 'created', created_at, id, 1, amount_minor, category, description, date, occurrence
      FROM expense WHERE id = ?
    """,
    """
    INSERT INTO category (key, name, count, total_high, total_low) VALUES (?, ?, 1, 0, 1)
    ON CONFLICT (key) DO UPDATE SET count = count + 1, total_low = total_low + excluded.total_low
    """,
)


def bare_inserts(con: sqlite3.Connection, rows: list[NewExpense]) -> Callable[[], None]:
    """The four rows that a record writes: expense, claim, entry of the log, place in a total."""
    at = "2026-11-22T09:12:00.000Z"
    values = []
    for n, new in enumerate(rows, 1):
        texts = (new.category, new.category, new.description, new.description, str(new.date))
        values.append((1, *texts, 1, f"v1:{n * 7919 * 2**200 % 2**256:064x}", 1, at, at, n))
    waiting = enumerate(values, 1)

    def insert() -> None:
        n, row = next(waiting)
        con.execute("BEGIN IMMEDIATE")
        con.execute(BARE_INSERT, row)
        for sql, bound in zip(ALL_ROWS, ((row[7], n), (n,), (row[2], row[1])), strict=True):
            con.execute(sql, bound)
        con.execute("COMMIT")

    return insert


def recording(ledger: Ledger, rows: list[NewExpense]) -> Callable[[], None]:
    waiting = iter(rows)
    return lambda: None if ledger.record(next(waiting)).created else pytest.fail("it was there")


def some(seed: int) -> list[NewExpense]:
    """Enough expenses, made beforehand, for what one benchmark records."""
    return list(islice(expenses(seed), 3_000))


def test_record_beside_a_bare_insert(
    benchmark: BenchmarkFixture, small: Ledger, one_table: sqlite3.Connection, same_rows: sqlite3.Connection
) -> None:
    known = next(expenses(1_000))
    record = recording(small, some(8))
    ours, rows, table = in_turns(record, bare_inserts(same_rows, some(7)), bare_insert(one_table, some(7)))
    (replay,) = in_turns(lambda: small.record(known))
    benchmark.extra_info |= {
        "record / bare insert of the same rows": round(ours / rows, 2),
        "record / bare insert into one table": round(ours / table, 2),
        "replay / bare insert of the same rows": round(replay / rows, 2),
        "replay / bare insert into one table": round(replay / table, 2),
    }
    benchmark.pedantic(record, rounds=200)  # type: ignore[no-untyped-call]
    assert ours / rows <= 1.8
    assert replay / table <= 0.2


def test_record_grows_little_from_a_thousand_to_a_million(
    benchmark: BenchmarkFixture, small: Ledger, large: Ledger
) -> None:
    at_a_million, at_a_thousand = in_turns(record := recording(large, some(9)), recording(small, some(9)))
    benchmark.extra_info["a million / a thousand"] = at_a_million / at_a_thousand
    benchmark.pedantic(record, rounds=200)  # type: ignore[no-untyped-call]
    assert at_a_million / at_a_thousand <= 1.5


@pytest.mark.parametrize(
    ("wanted", "limit_ms"),
    [
        (ExpenseFilter(), 120),
        (ExpenseFilter(category=CATEGORIES[3]), 25),
        (ExpenseFilter(category=CATEGORIES[:7]), 120),
        (ExpenseFilter(date_from=dt.date(2020, 1, 1), date_to=dt.date(2020, 12, 31)), 120),
        (ExpenseFilter(q="abc"), 300),
        (ExpenseFilter(q="qzxv"), 300),
        (ExpenseFilter(q="Category"), 500),  # in every category's name
        (ExpenseFilter(q="a"), 500),  # in every description, nearly
        (ExpenseFilter(sort="amount_desc"), 300),
        (ExpenseFilter(sort="amount_asc", q="abc", category=CATEGORIES[3]), 300),
    ],
    ids=lambda part: part.model_dump_json(exclude_defaults=True) if isinstance(part, ExpenseFilter) else "",
)
def test_page_with_count_and_total_of_a_million(
    benchmark: BenchmarkFixture, large: Ledger, wanted: ExpenseFilter, limit_ms: int
) -> None:
    page = benchmark.pedantic(large.search, (wanted,), rounds=7, warmup_rounds=1)  # type: ignore[no-untyped-call]
    assert len(page.items) == min(50, page.count)
    assert statistics.median(seconds(lambda: large.search(wanted)) for _ in range(7)) * 1000 <= limit_ms
