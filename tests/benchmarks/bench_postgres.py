"""How fast a ledger in PostgreSQL is, beside a named floor: ``pytest tests/benchmarks/bench_postgres.py``.

The server is one of the tests' own, with ``fsync`` on; nothing else runs on it. The floors are one round trip
(``SELECT 1``), a bare INSERT of one row into a table with as many indexes, and the same ledger in SQLite.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from expense_lib import ExpenseFilter, Ledger, NewExpense, statements
from tests import postgres
from tests.benchmarks.bench_ledger import CATEGORIES, MILLION, expenses, filled, in_turns, seconds
from tests.builders import named
from tests.proxies import delaying

DELAY_MS = 5  # of a round trip
LINES = 2_000

Connection = psycopg.Connection[Any]

# One table with the indexes of an expense, and a unique key.
_TABLE = """
    CREATE TABLE bare (
        ledger_id bigint, id bigint, amount_minor bigint, category text COLLATE "C", category_key text COLLATE "C",
        description text COLLATE "C", description_key text COLLATE "C", date text COLLATE "C", occurrence bigint,
        dedup_key text COLLATE "C", version bigint, created_at text COLLATE "C", updated_at text COLLATE "C",
        last_seq bigint, deleted_at text, PRIMARY KEY (ledger_id, id)
    );
    CREATE UNIQUE INDEX ON bare (ledger_id, dedup_key);
    CREATE INDEX ON bare (ledger_id, date, id) INCLUDE (amount_minor) WHERE deleted_at IS NULL;
    CREATE INDEX ON bare (ledger_id, category_key, date, id) INCLUDE (amount_minor) WHERE deleted_at IS NULL;
    CREATE INDEX ON bare (ledger_id, amount_minor, id) WHERE deleted_at IS NULL
"""
_BARE = """
    INSERT INTO bare (
        ledger_id, id, amount_minor, category, category_key, description, description_key, date, occurrence,
        dedup_key, version, created_at, updated_at, last_seq
    )
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s, 1, %s, %s, %s)
"""
_AT = "2026-11-22T09:12:00.000Z"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if not postgres.is_there():
        pytest.skip("there is no PostgreSQL server")
    with postgres.server(fsync=True) as address:
        with psycopg.connect(address, autocommit=True) as con:
            con.execute(_TABLE)
        yield address


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return filled(tmp_path_factory.mktemp("ledgers") / "large.db", MILLION)


@pytest.fixture(scope="module")
def large(url: str, sqlite: Ledger) -> Ledger:
    """The same million expenses."""
    sqlite.copy_to(named(url, "large"))
    return Ledger(named(url, "large"))


@pytest.fixture
def new(url: str, request: pytest.FixtureRequest) -> Ledger:
    return Ledger(named(url, f"new-{abs(hash(request.node.name))}"))


def connect(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.ClientCursor)


def bare(con: Connection, number: int = 1) -> Callable[[], None]:
    ids = count(time.time_ns())

    def insert() -> None:
        n = next(ids)
        category, text = CATEGORIES[n % 20], f"Some words here {n}"
        values = (n % 99_999, category, category.lower(), text, text.lower(), f"2026-01-{1 + n % 28:02}")
        con.execute(_BARE, (number, n, *values, f"v1:{n * 7919 * 2**200 % 2**256:064x}", _AT, _AT, n))

    return insert


def recording(ledger: Ledger, seed: int) -> Callable[[], None]:
    rows = expenses(seed)
    return lambda: None if ledger.record(next(rows)).created else pytest.fail("it was there")


def ping(con: Connection) -> Callable[[], Any]:
    return lambda: con.execute("SELECT 1")


def editing(ledger: Ledger, number: int) -> Callable[[], Any]:
    """Edits of expenses that were not edited before, of which there are so many."""
    made = iter([ledger.record(new).expense.id for new in islice(expenses(4), number)])
    return lambda: ledger.amend(next(made), {"amount": "123.45"}, 1)


def rate(acts: list[Callable[[], Any]], each: int = 60) -> float:
    """How many a second are done by threads, each of which does one of these again and again."""
    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(lambda act: act(), acts))  # connected
        took = seconds(lambda: list(pool.map(lambda act: [act() for _ in range(each)], acts)))
    return len(acts) * each / took


def test_record_beside_a_bare_insert(benchmark: BenchmarkFixture, url: str, new: Ledger) -> None:
    with connect(url) as con:
        record, insert = recording(new, 1), bare(con)
        ours, floor = in_turns(record, insert, rounds=1500)
        known = next(expenses(1))
        (replay,) = in_turns(lambda: new.record(known))
        sys.stdout.write(f"record {ours / floor:.2f}, replay {replay / floor:.2f} of a bare INSERT\n")
        benchmark.extra_info |= {"record / bare INSERT": ours / floor, "replay / bare INSERT": replay / floor}
        benchmark.pedantic(record, rounds=200)  # type: ignore[no-untyped-call]
    assert ours / floor <= 2.0
    assert replay / floor <= 0.8


def test_over_a_network(benchmark: BenchmarkFixture, url: str) -> None:
    with delaying(url, DELAY_MS / 2) as far, connect(far) as con:
        ledger = Ledger(named(far, "far"))
        known = next(expenses(2))
        ledger.record(known)
        acts = (recording(ledger, 3), editing(ledger, 61), ledger.search, lambda: ledger.record(known))
        floor, record, edit, search, replay = in_turns(ping(con), *acts, rounds=60)
        sys.stdout.write(f"{[round(each / floor, 2) for each in (record, edit, search, replay)]} of a ping\n")
        benchmark.extra_info |= {
            "ping ms": floor * 1000,
            "record / ping": record / floor,
            "edit / ping": edit / floor,
            "search / ping": search / floor,
            "replay / ping": replay / floor,
        }
        benchmark.pedantic(acts[0], rounds=20)  # type: ignore[no-untyped-call]
        ledger.close()
    assert record / floor <= 1.6
    assert edit / floor <= 4
    assert max(search, replay) / floor <= 1.6


def test_many_at_once(benchmark: BenchmarkFixture, url: str, new: Ledger) -> None:
    seeds = count(100)
    one = {n: rate([recording(new, next(seeds)) for _ in range(n)]) for n in (1, 8, 32)}
    ledgers = [Ledger(named(url, f"of-{n}")) for n in range(32)]
    cons = [connect(url) for _ in ledgers]
    many = rate([recording(each, next(seeds)) for each in ledgers])
    floor = rate([bare(con, n) for n, con in enumerate(cons, 2)])
    for con in cons:
        con.close()
    benchmark.extra_info |= {
        "records a second, one ledger on 1": one[1],
        "on 8 / on 1": one[8] / one[1],
        "on 32 / on 1": one[32] / one[1],
        "32 ledgers on 32 / bare INSERT on 32": many / floor,
    }
    sys.stdout.write(f"{one}, 32 ledgers {many:.0f}, bare {floor:.0f} a second\n")
    benchmark.pedantic(recording(new, next(seeds)), rounds=50)  # type: ignore[no-untyped-call]
    assert one[8] / one[1] >= 0.7
    assert one[32] / one[1] >= 0.5
    assert many / floor >= 0.4


def test_undo_of_a_statement(benchmark: BenchmarkFixture, url: str, tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - made-up shopping
    rows = [f"2026-{1 + n % 12:02}-{1 + n % 28:02},Shop {n},{chance.randint(1, 9999)}" for n in range(LINES)]
    plan = statements.read("\n".join(["Date,Description,Amount", *rows]).encode(), account="Giro")
    taken = []
    for ledger in (Ledger(named(url, "undone")), Ledger(tmp_path / "undone.db")):
        done = ledger.import_statement(plan)
        taken.append(seconds(lambda: ledger.undo_import(done.id or 0)))  # noqa: B023
        assert (ledger.search().count, ledger.check()) == (0, [])
    benchmark.extra_info |= {"ms": taken[0] * 1000, "undo / SQLite's": taken[0] / taken[1]}
    sys.stdout.write(f"undo {taken}\n")
    benchmark.pedantic(lambda: None)  # type: ignore[no-untyped-call]
    assert taken[0] / taken[1] <= 3


def test_record_grows_little(benchmark: BenchmarkFixture, url: str, large: Ledger, new: Ledger) -> None:
    at_a_million, at_none = in_turns(recording(large, 77), recording(new, 78), rounds=500)
    benchmark.extra_info |= {"record at 1,000,000 / in a new ledger": at_a_million / at_none}
    sys.stdout.write(f"record at a million {at_a_million / at_none:.2f} of that in a new ledger\n")
    benchmark.pedantic(recording(large, 79), rounds=50)  # type: ignore[no-untyped-call]
    assert at_a_million / at_none <= 1.7


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"category": ["Category D"]},
        {"category": CATEGORIES[:7]},
        {"date_from": "2020-01-01", "date_to": "2020-12-31"},
        {"sort": "amount_desc"},
        {"q": "abc"},
        {"q": "qzxv"},
        {"q": "a"},
        {"q": "Category"},
    ],
    ids=str,
)
def test_page_of_a_million(
    benchmark: BenchmarkFixture, large: Ledger, sqlite: Ledger, wanted: dict[str, Any]
) -> None:
    search = ExpenseFilter(**wanted)
    ours, theirs = large.search(search), sqlite.search(search)
    assert (ours.count, ours.total) >= (theirs.count, theirs.total)
    taken, floor = in_turns(lambda: large.search(search), lambda: sqlite.search(search), rounds=7)
    benchmark.extra_info |= {"ms": taken * 1000, "SQLite's ms": floor * 1000}
    sys.stdout.write(f"{wanted}: {taken * 1000:.1f} ms, SQLite {floor * 1000:.1f} ms\n")
    benchmark.pedantic(lambda: large.search(search), rounds=3)  # type: ignore[no-untyped-call]
    assert taken <= max(1.2 * floor, 0.005)


def test_import_of_a_million(benchmark: BenchmarkFixture, url: str, tmp_path: Path) -> None:
    rows = islice(expenses(9), MILLION)
    path = tmp_path / "million.csv"
    with path.open("w") as file:
        file.write("Date,Description,Amount\n")
        file.writelines(f"{row.date},{row.description},{row.amount}\n" for row in rows)
    taken = []
    for ledger in (Ledger(named(url, "imported")), Ledger(tmp_path / "imported.db")):
        plan = statements.read(path, account="Giro", spending="positive")
        taken.append(seconds(lambda: ledger.import_statement(plan)))  # noqa: B023
        assert ledger.search().count == MILLION
    benchmark.extra_info |= {"s": taken[0], "import / SQLite's": taken[0] / taken[1]}
    sys.stdout.write(f"import {taken}\n")
    benchmark.pedantic(lambda: None)  # type: ignore[no-untyped-call]
    assert taken[0] / taken[1] <= 1.2


def test_analysis_of_a_million(benchmark: BenchmarkFixture, large: Ledger, sqlite: Ledger) -> None:
    from expense_lib import analytics  # noqa: PLC0415 - needs DuckDB

    first, refreshed = [], []
    for ledger in (large, sqlite):
        begun = time.perf_counter()
        con = analytics.connect(ledger)
        first.append(time.perf_counter() - begun)
        ledger.record(NewExpense(amount=1, category="Category A", description="One more", date="2026-11-22"))
        refreshed.append(seconds(lambda: analytics.refresh(con)))  # noqa: B023
        con.close()
    benchmark.extra_info |= {
        "first load / SQLite's": first[0] / first[1],
        "refresh / SQLite's": refreshed[0] / refreshed[1],
        "first load s": first[0],
        "refresh ms": refreshed[0] * 1000,
    }
    sys.stdout.write(f"first load {first}, refresh {refreshed}\n")
    benchmark.pedantic(lambda: None)  # type: ignore[no-untyped-call]
    assert first[0] / first[1] <= 1.2
    assert refreshed[0] / refreshed[1] <= 1.2
