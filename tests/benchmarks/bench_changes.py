"""How long a change of very many expenses takes, and how long others wait meanwhile to write.

The floor is what SQLite takes to put down as many new rows of the log, and to update as many expenses by their ids.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from expense_lib import Filter, Ledger, statements
from expense_lib.store import sqlite

MANY = 100_000
LONGEST_S = 2.0


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which the write lock was held, each time, from having it to the end of the commit."""
    times: list[float] = []
    begin = sqlite.bulk_transaction

    @contextmanager
    def timed(con: sqlite3.Connection) -> Iterator[None]:
        with begin(con):
            begun = time.perf_counter()
            try:
                yield
            finally:
                times.append(begun)
        times[-1] = time.perf_counter() - times[-1]

    monkeypatch.setattr("expense_lib.ledger.bulk_transaction", timed)
    return times


def a_statement(rows: int) -> bytes:
    lines = (f"2026-{1 + n % 12:02}-{1 + n % 28:02},Shop {n},{1 + n % 90_000}.25" for n in range(rows))
    return "\n".join(("Date,Description,Amount", *lines, "")).encode()


def floor(path: Path) -> float:
    """The seconds of the floor, on a copy of the ledger's tables."""
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("PRAGMA synchronous = FULL")
    ids = [(n,) for n in range(1, MANY + 1)]
    begun = time.perf_counter()
    con.execute("BEGIN IMMEDIATE")
    con.execute(
        """
        INSERT INTO log_entry (previous, kind, at, expense_id, version, amount_minor, category, description, date,
                               occurrence)
        SELECT seq, kind, at, expense_id, version + 1, amount_minor, category, description, date, occurrence
          FROM log_entry WHERE seq <= ?
        """,
        (MANY,),
    )
    con.executemany("UPDATE expense SET category_key = category_key || 'x' WHERE id = ?", ids)
    con.execute("COMMIT")
    con.close()
    return time.perf_counter() - begun


def test_changes_of_very_many(benchmark: BenchmarkFixture, held: list[float], tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "expenses.db")
    found: dict[str, tuple[float, float]] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        held.clear()
        begun = time.perf_counter()
        done = act()
        found[name] = time.perf_counter() - begun, sum(held)
        return done

    plan = statements.read(a_statement(MANY), account="Giro", spending="positive")
    timed("import", lambda: ledger.import_statement(plan))
    ledger.backup(tmp_path / "floor.db")
    least = floor(tmp_path / "floor.db")
    moved = timed("move", lambda: ledger.recategorise("Fun", where=Filter()))
    timed("undo of the move", lambda: ledger.undo(moved.number))
    renamed = timed("rename", lambda: ledger.rename_category("Uncategorised", "Other"))
    timed("undo of the rename", lambda: ledger.undo(renamed.number))
    respelled = timed("respell", lambda: ledger.rename_category("Uncategorised", "UNCATEGORISED"))
    timed("undo of the respelling", lambda: ledger.undo(respelled.number))
    undone = timed("undo of the import", lambda: ledger.undo_import(1))
    timed("undo of that", lambda: ledger.undo(undone.number))
    assert ledger.check() == []
    benchmark.extra_info["floor, s"] = round(least, 2)
    for name, (whole, lock) in found.items():
        benchmark.extra_info[name] = f"{whole:.2f} s, lock {lock:.2f} s, {lock / least:.1f} times the floor"
    benchmark.pedantic(ledger.position, rounds=20)  # type: ignore[no-untyped-call]
    assert max(lock for _, lock in found.values()) <= LONGEST_S, found
