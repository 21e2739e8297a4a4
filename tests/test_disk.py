"""What happens to the ledger when processes are killed, disks fill up and files go away."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from expense_lib import ExpenseFilter, Ledger, LedgerDamaged, LedgerMoved, LedgerUnavailable
from tests.builders import ROOT, an_expense, environment, talking

WRITER = """
import sys
from expense_lib import NewExpense, open_ledger

ledger = open_ledger(sys.argv[1])
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 1000):
    receipt = ledger.record(NewExpense(amount=n, category=f"C{n % 3}", date="2026-11-22"))
    if n % 5 == 0:
        ledger.amend(receipt.expense.id, {"description": "edited"}, version=1)
    print(n, flush=True)
"""


def test_every_acknowledged_expense_survives_a_kill_and_a_resend_adds_none(path: Path) -> None:
    chance = random.Random(0)  # noqa: S311 - where to kill, not a secret
    acknowledged: set[int] = set()
    for round_ in range(20):
        first = 1 + round_ * 30
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(first)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        ) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randint(0, 60)):
                acknowledged.add(int(writer.stdout.readline()))
            writer.send_signal(signal.SIGKILL)
            acknowledged.update(int(line) for line in writer.stdout if line.endswith("\n"))
        ledger = Ledger(path)
        assert ledger.check() == []
        there = {int(change.after.amount) for change in ledger.log() if change.after}
        assert acknowledged <= there
    before = ledger.search()
    receipts = [
        ledger.record(an_expense(amount=n, category=f"C{n % 3}", description="")) for n in acknowledged
    ]
    assert not any(receipt.created for receipt in receipts)
    assert (ledger.search().count, ledger.search().total) == (before.count, before.total)


def test_a_reader_never_sees_half_of_a_change(path: Path) -> None:
    ledger = Ledger(path)
    for n in range(1, 51):
        ledger.record(an_expense(amount=n, category="There"))
    total, stop, seen = sum(range(1, 51)), threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            page = ledger.search(ExpenseFilter(limit=500))
            seen.add(frozenset(e.category for e in page.items))
            assert page.total == sum(e.amount for e in page.items)
            assert page.count == len(page.items)
            parts = [ledger.search(ExpenseFilter(category=name)) for name in ("There", "Back")]
            assert all(part.total in (0, total) for part in parts)
            assert sum(category.total for category in ledger.categories()) == total
            overview = ledger.overview()
            assert sum(each.total for each in overview.categories) == overview.total == total
            assert {each.name for each in overview.categories} == {e.category for e in overview.items}

    with ThreadPoolExecutor(2) as readers:
        reading = [readers.submit(read) for _ in range(2)]
        try:
            for _ in range(20):
                ledger.rename_category("There", "Back")
                ledger.rename_category("Back", "There")
        finally:
            stop.set()
        for reader in reading:
            reader.result()
    assert seen <= {frozenset({"There"}), frozenset({"Back"})}


def test_writers_wait_for_each_other_instead_of_failing(path: Path) -> None:
    """An edit reads before it writes: it must hold the write lock from the start."""
    ledger = Ledger(path)
    for n in range(1, 5):
        ledger.record(an_expense(amount=n))

    def edit(expense_id: int) -> None:
        for version in range(1, 51):
            ledger.amend(expense_id, {"description": f"version {version + 1}"}, version)

    with ThreadPoolExecutor(4) as writers:
        for writer in [writers.submit(edit, expense_id) for expense_id in range(1, 5)]:
            writer.result()
    assert {e.version for e in ledger.search().items} == {51}
    assert ledger.check() == []


INTERRUPTED = """
import sys
from expense_lib import NewExpense, open_ledger

ledger = open_ledger(sys.argv[1])
new = NewExpense(amount=1, category="Food", date="2026-11-22")
try:
    print("waiting", flush=True)
    ledger.record(new)
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
print(ledger.search().count, ledger.record(new).created, flush=True)
"""


def test_interrupted_write_leaves_no_transaction_behind(path: Path) -> None:
    """Ctrl-C while waiting for the lock: afterwards nobody is locked out, and nothing unwritten is acknowledged."""
    Ledger(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as other,
        talking(INTERRUPTED, path) as writer,
    ):
        assert writer.stdin is not None
        assert writer.stdout is not None
        other.execute("BEGIN IMMEDIATE")
        assert writer.stdout.readline() == "waiting\n"
        time.sleep(
            0.3
        )  # the nearer the interrupt comes to the lock, the more it asks; at any time it must hold
        writer.send_signal(signal.SIGINT)
        other.execute("ROLLBACK")
        assert writer.stdout.readline() == "interrupted\n"
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        answer, _ = writer.communicate("go on\n", timeout=30)
        assert answer == "0 True\n"


def in_a_child(work: Callable[[], None]) -> None:
    """Do *work* in a forked process, for the sake of limits and rights that can't be taken back."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is told below, and ends the child
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@needs_fork
def test_full_disk_is_told_and_nothing_is_acknowledged_that_is_not_there(path: Path) -> None:
    def fill() -> None:
        ledger = Ledger(path)
        ledger.record(an_expense())
        size = max(file.stat().st_size for file in path.parent.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, resource.RLIM_INFINITY))
        recorded = 1

        def record_on() -> None:
            nonlocal recorded
            for n in range(1, 10_000):
                ledger.record(an_expense(amount=n, category="Much " + "x" * 90))
                recorded += 1

        with pytest.raises(LedgerUnavailable, match="can't be read or written"):
            record_on()
        assert 1 < recorded < 1000
        assert ledger.search().count == recorded
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert ledger.record(an_expense(amount="0.01")).created
        assert ledger.search().count == recorded + 1
        assert ledger.check() == []

    in_a_child(fill)


@needs_fork
def test_read_only_file_is_told() -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "expenses.db"
    maker = threading.Thread(target=lambda: Ledger(path).record(an_expense()))
    maker.start()
    maker.join()
    path.chmod(0o444)
    folder.chmod(0o555)

    def try_to_write() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)  # nobody: whoever is root may write anywhere
        with pytest.raises(LedgerUnavailable):
            Ledger(path).record(an_expense(amount="1"))

    try:
        in_a_child(try_to_write)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize("write", [True, False], ids=["writing", "reading"])
def test_file_that_was_removed_is_told(path: Path, write: bool) -> None:
    ledger = Ledger(path)
    ledger.record(an_expense())
    for file in path.parent.glob("expenses.db*"):
        file.unlink()
    use = (lambda: ledger.record(an_expense(amount="1"))) if write else ledger.search
    with pytest.raises(LedgerMoved, match="removed or replaced"):
        use()
    with pytest.raises(LedgerUnavailable):
        use()
    assert not path.exists()
    assert Ledger(path).record(an_expense()).created


def test_file_that_was_replaced_is_told_and_then_used(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    ledger.record(an_expense())
    ledger.backup(tmp_path / "backup.db")
    ledger.record(an_expense(amount="1"))
    (tmp_path / "backup.db").rename(path)
    with pytest.raises(LedgerMoved):
        ledger.record(an_expense(amount="2"))
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    assert ledger.record(an_expense(amount="2")).created
    assert ledger.search().total == Decimal("14.50")


def test_replaced_by_a_ledger_in_another_currency_is_refused(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    yen = Ledger(tmp_path / "yen.db", "JPY")
    yen.backup(tmp_path / "copy.db")
    (tmp_path / "copy.db").rename(path)
    with pytest.raises(LedgerMoved):
        ledger.search()
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    with pytest.raises(ValueError, match="kept in JPY, not in USD"):
        ledger.search()


def damage(path: Path, pages: slice) -> None:
    content = bytearray(path.read_bytes())
    for page in range(*pages.indices(len(content) // 4096)):
        content[page * 4096 : page * 4096 + 200] = b"\xa5" * 200
    path.write_bytes(content)


@pytest.fixture
def filled(path: Path) -> Path:
    """A ledger of many pages that nobody has open: with the thread ended its connection."""

    def fill() -> None:
        ledger = Ledger(path)
        for n in range(1, 400):
            ledger.record(an_expense(amount=n, description="x" * 200))

    filler = threading.Thread(target=fill)
    filler.start()
    filler.join()
    return path


def test_damaged_page_is_told(filled: Path) -> None:
    damage(filled, slice(60, None))
    ledger = Ledger(filled)
    with pytest.raises(LedgerDamaged, match="damaged"):
        ledger.record(an_expense(amount=1, description="x" * 200))
    with pytest.raises(LedgerDamaged):
        ledger.search(ExpenseFilter(q="x"))
    assert any("damaged" in finding or "SQLite finds" in finding for finding in ledger.check())


def test_ledger_damaged_all_over_is_told_at_once(filled: Path) -> None:
    damage(filled, slice(1, None))
    with pytest.raises(LedgerDamaged):
        Ledger(filled)


def test_backup_is_a_ledger_taken_while_others_write(path: Path, tmp_path: Path) -> None:
    ledger, stop = Ledger(path), threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            ledger.record(an_expense(amount=n))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            ledger.backup(tmp_path / f"backup-{n}.db")
    finally:
        stop.set()
        writer.join()
    for n in range(5):
        copy = Ledger(tmp_path / f"backup-{n}.db")
        assert copy.check() == []
        assert copy.search().count <= ledger.search().count
    assert not list(tmp_path.glob("*.part*"))


def test_backup_takes_a_new_name(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    for target in (path, tmp_path, tmp_path / "nowhere" / "b.db", path / "b.db", tmp_path / ("x" * 300)):
        with pytest.raises(LedgerUnavailable):
            ledger.backup(target)
    assert Ledger(path).check() == []


def test_no_lock_of_the_process_is_dropped_by_anything_it_does(path: Path, tmp_path: Path) -> None:
    """POSIX drops all locks of a process on a file when any descriptor of it is closed."""
    locks = Path("/proc/locks")
    if not locks.exists():
        pytest.skip("this system does not show its locks in /proc/locks")
    ledger = Ledger(path)
    ledger.record(an_expense())

    def held() -> list[list[str]]:
        inodes = {str(file.stat().st_ino) for file in (path, path.with_name(path.name + "-shm"))}
        lines = [line.split()[1:] for line in locks.read_text().splitlines()]
        return [
            line for line in lines if line[3] == str(os.getpid()) and line[4].rpartition(":")[2] in inodes
        ]

    before = held()
    assert before
    ledger.backup(tmp_path / "backup.db")
    ledger.check()
    ledger.amend(1, {"amount": "1"}, version=1)
    ledger.undo(2)
    Ledger(path).search()
    other = threading.Thread(target=ledger.search)
    other.start()
    other.join()
    assert held() == before
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("SELECT COUNT(*) FROM expense").fetchone() == (1,)
