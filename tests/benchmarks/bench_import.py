"""How long a statement of a million rows takes, beside a named floor: ``pytest tests/benchmarks/bench_import.py``.

The floor puts the same file into one table, the ledger's own with its indexes and a unique key, in the order of
the file: csv.reader, SHA-256, executemany, one transaction in WAL mode, SQLite's default cache. Each is a
process of its own, a round of both after the other, and the ratio is that of the pairs' median.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 1_000_000
ROUNDS = 3
LIMIT = 2.0
MEMORY_LIMIT_MB = 500
OVERLAP = 1_000  # rows of the next statement, half of which are known
OVERLAP_LIMIT_S = 1.0

FLOOR = """
import csv, hashlib, sqlite3, sys, time
from expense_lib.store.schema import MIGRATIONS

def rows(file):
    for date, description, amount, category, reference in file:
        key = hashlib.sha256(f"{date}|{description}|{amount}|{category}|{reference}".encode()).hexdigest()
        yield int(amount.replace(".", "")), category, category.lower(), description, description.lower(), date, key

con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("PRAGMA journal_mode = WAL")
con.execute("PRAGMA synchronous = FULL")
for statement in MIGRATIONS[0]:
    if "TABLE expense" in statement or "ON expense (" in statement:
        con.execute(statement)
con.execute("CREATE UNIQUE INDEX key ON expense (dedup_key)")
begun = time.perf_counter()
with open(sys.argv[2], newline="") as file:
    reader = csv.reader(file)
    next(reader)
    con.execute("BEGIN IMMEDIATE")
    con.executemany(
        "INSERT OR IGNORE INTO expense (amount_minor, category, category_key, description, description_key, date, "
        "dedup_key, occurrence, version, created_at, updated_at, last_seq) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, '2026-11-22T09:12:00.000Z', '2026-11-22T09:12:00.000Z', 1)",
        rows(reader),
    )
    con.execute("COMMIT")
print(time.perf_counter() - begun)
"""

OURS = """
import json, resource, sys, time
from expense_lib import Ledger, statements

ledger = Ledger(sys.argv[1])
begun = time.perf_counter()
done = ledger.import_statement(statements.read(sys.argv[2]))
took = time.perf_counter() - begun
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([took, done.created, done.existing, megabytes]))
"""


@pytest.fixture(scope="module")
def statement(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million payments by date, in 30 categories at 20,000 places, each with a number of its own."""
    chance = random.Random(1)  # noqa: S311 - made-up shopping
    places = [
        f"SHOP {chance.randrange(10**6):06} {town}" for town in ("LEEDS", "YORK") for _ in range(10_000)
    ]
    first = dt.date(2016, 1, 1)
    path = tmp_path_factory.mktemp("statement") / "million.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Date", "Description", "Amount", "Category", "Transaction number"])
        writer.writerows(
            (
                first + dt.timedelta(n // 400),
                chance.choice(places),
                f"{chance.randrange(1, 50_000) / 100:.2f}",
                f"Category {chance.randrange(30)}",
                100_000 + n,
            )
            for n in range(ROWS)
        )
    return path


def run(program: str, *arguments: Path) -> str:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_million_rows(statement: Path, tmp_path: Path) -> None:
    ratios, again = [], []
    for number in range(ROUNDS):
        floor_s = float(run(FLOOR, tmp_path / f"floor{number}.db", statement))
        took_s, created, _, megabytes = json.loads(run(OURS, tmp_path / f"ours{number}.db", statement))
        again_s, more, existing, more_megabytes = json.loads(
            run(OURS, tmp_path / f"ours{number}.db", statement)
        )
        assert (created, more, existing) == (ROWS, 0, ROWS)
        ratios.append(took_s / floor_s)
        again.append(again_s / took_s)
        sys.stdout.write(
            f"floor {floor_s:.1f} s, import {took_s:.1f} s, again {again_s:.1f} s, "
            f"{megabytes:.0f} and {more_megabytes:.0f} MB\n"
        )
        assert max(megabytes, more_megabytes) < MEMORY_LIMIT_MB
        for file in tmp_path.glob(f"*{number}.db*"):
            file.unlink()
    sys.stdout.write(f"import: {statistics.median(ratios):.2f} times the floor\n")
    assert statistics.median(again) < 1
    assert statistics.median(ratios) < LIMIT


def test_a_statement_that_overlaps_a_million(statement: Path, tmp_path: Path) -> None:
    ledger, following = tmp_path / "ledger.db", tmp_path / "following.csv"
    run(OURS, ledger, statement)
    head, *rows = statement.read_text().splitlines()
    shift = dt.date(2030, 1, 1) - dt.date.fromisoformat(rows[-1][:10])
    known = rows[-OVERLAP // 2 :]
    later = [
        f"{dt.date.fromisoformat(row[:10]) + shift}{row[10:].rpartition(',')[0]},{2 * ROWS + n}"
        for n, row in enumerate(rows[: OVERLAP // 2])
    ]
    following.write_text("\n".join([head, *known, *later, ""]))
    took_s, created, existing, _ = json.loads(run(OURS, ledger, following))
    sys.stdout.write(f"{OVERLAP} rows, half of them new, into a million: {took_s:.2f} s\n")
    assert (created, existing) == (OVERLAP // 2, OVERLAP // 2)
    assert took_s < OVERLAP_LIMIT_S
