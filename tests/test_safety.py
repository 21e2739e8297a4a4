"""What can silently lose commits is told: nothing that could get lost is acknowledged."""

from __future__ import annotations

import os
import shutil
import sqlite3 as plain
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from werkzeug.test import Client

from expense_lib import (
    Ledger,
    LedgerDamaged,
    LedgerLogForeign,
    LedgerLogMoved,
    LedgerUnsafe,
)
from expense_lib.store import blueprint, companions, schema, sqlite
from handlers.wsgi import app
from tests.builders import ROOT, an_expense, environment, fields, output_of, talking
from tests.test_disk import damage, in_a_child, needs_fork

KILLED = """
import os, sys
from expense_lib import Ledger, NewExpense

ledger = Ledger(sys.argv[1])
for n in range(int(sys.argv[2]), int(sys.argv[3])):
    ledger.record(NewExpense(amount=n, category="Food", description="x" * 100, date="2026-11-22"))
os.kill(os.getpid(), 9)
"""
LOOKS = """
import sys
from expense_lib import Ledger

ledger = Ledger(sys.argv[1])
print(ledger.search().count, ledger.check())
"""

linux_only = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells of others' locks")


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def remove_log(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()


@pytest.mark.parametrize("write", [True, False], ids=["writing", "reading"])
def test_log_that_was_removed_is_told_and_nothing_of_it_is_lost(path: Path, write: bool) -> None:
    ledger = Ledger(path)
    for n in range(1, 21):
        ledger.record(an_expense(amount=n))
    remove_log(path)
    with pytest.raises(LedgerLogMoved, match="removed or replaced"):
        ledger.record(an_expense(amount=21)) if write else ledger.search()
    assert output_of(LOOKS, path) == "20 []\n"  # SQLite has moved it into the file
    assert ledger.record(an_expense(amount=21)).created
    assert ledger.search().total == Decimal(sum(range(1, 22)))


def test_log_that_was_replaced_is_told(path: Path) -> None:
    ledger = Ledger(path)
    ledger.record(an_expense())
    log_of(path).rename(path.with_name("aside"))
    log_of(path).touch()
    with pytest.raises(LedgerLogMoved):
        ledger.record(an_expense(amount=1))
    assert ledger.search().count == 1


def test_log_that_goes_during_a_write_leaves_the_write_unacknowledged(path: Path) -> None:
    ledger = Ledger(path)
    ledger.record(an_expense())

    def write() -> None:
        with sqlite.connection(path) as con, sqlite.transaction(con, write=True):
            con.execute("UPDATE expense SET note = 'written' WHERE id = 1")
            remove_log(path)

    with pytest.raises(LedgerLogMoved):
        write()
    assert ledger.get(1).note == "written"  # which could not be known


HOLDS = """
import sys
from expense_lib import Ledger, NewExpense

ledger = Ledger(sys.argv[1])
for n in range(1, 6):
    ledger.record(NewExpense(amount=n, category="Food", date="2026-11-22"))
print("holding", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that recorded 5 expenses and keeps the ledger open until it reads a line."""
    with talking(HOLDS, path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        yield holder


@linux_only
def test_ledger_is_not_opened_while_others_hold_a_log_without_a_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(path) as holder:
        remove_log(path)
        monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 100)
        with pytest.raises(LedgerLogMoved):
            Ledger(path)
        holder.communicate("go\n", timeout=30)
    assert Ledger(path).search().count == 5


@linux_only
def test_second_name_is_told_also_while_others_hold_the_first(path: Path) -> None:
    other = path.with_name("other.db")
    with held(path) as holder:
        os.link(path, other)
        with pytest.raises(LedgerUnsafe, match="another name"):
            Ledger(other).record(an_expense())
        holder.communicate("go\n", timeout=30)
    other.unlink()
    assert (Ledger(path).search().count, Ledger(path).check()) == (5, [])


def test_second_name_of_the_file_keeps_it_from_being_written(path: Path) -> None:
    ledger, other = Ledger(path), path.with_name("other.db")
    ledger.record(an_expense())
    os.link(path, other)
    for name in (path, other):
        with pytest.raises(LedgerUnsafe, match="can be read, but not written: its file has another name"):
            Ledger(name).record(an_expense(amount=1))
    assert ledger.search().count == 1
    assert not ledger.health().writable
    other.unlink()
    assert ledger.record(an_expense(amount=1)).created
    assert ledger.health().writable


def test_no_ledger_is_made_in_a_file_of_two_names(path: Path) -> None:
    path.touch()
    os.link(path, path.with_name("other.db"))
    with pytest.raises(LedgerUnsafe):
        Ledger(path)
    assert path.stat().st_size == 0


MOUNTED = """
import sys
from expense_lib import Ledger, LedgerUnsafe, NewExpense

ledger = Ledger(sys.argv[1])
try:
    ledger.record(NewExpense(amount=1, category="Food", date="2026-11-22"))
except LedgerUnsafe as refusal:
    print(refusal)
print(ledger.search().count)
"""
NOT_PERMITTED = 77


def test_file_that_is_mounted_without_its_folder_is_not_written(path: Path) -> None:
    """The mount is of a namespace of its own, and is gone with the process, however that ends."""
    Ledger(path).close()
    alone = path.with_name("elsewhere dir") / "expenses.db"
    alone.parent.mkdir()
    alone.touch()
    mounting = f'mount --bind "$0" "$1" || exit {NOT_PERMITTED}; exec "$2" -c "$3" "$1"'
    if shutil.which("unshare") is None:
        pytest.skip("this machine has no unshare, which makes namespaces")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounting, path, alone, sys.executable, MOUNTED],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
    )
    if done.returncode == NOT_PERMITTED or done.stderr.startswith("unshare:"):
        pytest.skip(f"this process may not mount: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    refusal, count = done.stdout.splitlines()
    assert "its file is mounted without its folder" in refusal
    assert count == "0"


def test_mount_of_a_file_is_read_from_what_linux_lists(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path.with_name("a b").with_suffix(".db")
    listed = path.with_name("mountinfo")
    line = f"36 35 98:0 / {str(path).replace(' ', chr(92) + '040')} rw - ext4 /dev/root rw\n"
    monkeypatch.setattr(companions, "_MOUNTS", listed)
    for text, alone in (("36 35 98:0 / / rw - ext4 /dev/root rw\n", False), (line, True)):
        listed.write_text(text)
        assert companions.is_mounted_alone(str(path)) == alone


TAMPERED = {
    "DROP INDEX row_by_amount": "index row_by_amount is missing",
    "CREATE TRIGGER tidy AFTER INSERT ON expense BEGIN DELETE FROM claim; END": "trigger tidy does not belong",
    "ALTER TABLE expense ADD COLUMN colour TEXT": "table expense is not as it was made",
    "CREATE TABLE mine (x)": "table mine does not belong there",
}


def tamper(path: Path, statement: str) -> None:
    with closing(plain.connect(path, isolation_level=None)) as con:
        con.execute(statement)


@pytest.mark.parametrize("statement", TAMPERED)
def test_ledger_of_other_tables_is_read_and_not_written(path: Path, statement: str) -> None:
    with Ledger(path) as ledger:
        ledger.record(an_expense())
    tamper(path, statement)
    ledger = Ledger(path)
    with pytest.raises(LedgerUnsafe, match=f"not as they were made .*{TAMPERED[statement]}"):
        ledger.record(an_expense(amount=1))
    assert ledger.search().count == 1
    assert any(TAMPERED[statement] in finding for finding in ledger.check())
    assert not ledger.health().writable


def test_check_finds_tables_that_changed_while_it_is_open_and_stops_writing(path: Path) -> None:
    ledger = Ledger(path)
    tamper(path, "CREATE TABLE mine (x)")
    assert ledger.check() == ["The tables are not as they were made: table mine does not belong there."]
    with pytest.raises(LedgerUnsafe):
        ledger.record(an_expense())


def test_older_ledger_of_other_tables_is_not_brought_up_to_date(path: Path) -> None:
    make(path, 3)
    tamper(path, "DROP TRIGGER expense_is_new")
    before = path.read_bytes()
    with pytest.raises(LedgerUnsafe, match="trigger expense_is_new is missing"):
        Ledger(path)
    assert path.read_bytes() == before


def make(path: Path, version: int) -> None:
    """An empty ledger as the first *version* migrations made it."""
    with closing(plain.connect(path, isolation_level=None)) as con:
        con.create_function("fold", 1, str.casefold, deterministic=True)
        for migration in schema.MIGRATIONS[:version]:
            for statement in migration:
                con.execute(statement)
        con.execute("INSERT INTO ledger (id, currency, exponent) VALUES (1, 'USD', 2)")
        con.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        con.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
def test_ledger_of_every_earlier_version_is_brought_up_to_date_and_written(path: Path, version: int) -> None:
    make(path, version)
    ledger = Ledger(path)
    assert ledger.record(an_expense()).created
    assert ledger.check() == []
    assert len(ledger.generation()) == 16


def test_newest_tables_are_recognised_by_their_digest() -> None:
    made = blueprint.expected_of(schema.MIGRATIONS)
    assert (len(schema.MIGRATIONS), blueprint.digest(made)) == blueprint.NEWEST


@pytest.fixture
def damaged(path: Path) -> Path:
    """A ledger with a damaged page that recording does not come to."""
    with Ledger(path) as ledger:
        for n in range(1, 400):
            ledger.record(an_expense(amount=n, description="x" * 200))
    with closing(plain.connect(path)) as con:
        (page,) = con.execute(  # that of the first expense
            "SELECT pageno FROM dbstat WHERE name = 'expense' AND pagetype = 'leaf' ORDER BY path LIMIT 1"
        )
    damage(path, slice(page[0] - 1, page[0]))
    return path


def test_damage_that_was_seen_once_keeps_the_ledger_from_being_written(damaged: Path) -> None:
    ledger = Ledger(damaged)
    assert ledger.record(an_expense(amount=1000)).created  # it was not seen yet
    with pytest.raises(LedgerDamaged):
        ledger.get(1)
    for _ in range(2):
        with pytest.raises(LedgerDamaged, match="go back to a backup"):
            ledger.record(an_expense(amount=1001))
        assert not ledger.health().writable


def test_damage_that_one_thread_saw_keeps_the_others_from_writing(damaged: Path) -> None:
    ledger = Ledger(damaged)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(ledger.record, an_expense(amount=1000)).result().created
        with pytest.raises(LedgerDamaged):
            ledger.get(1)
        with pytest.raises(LedgerDamaged):
            other.submit(ledger.record, an_expense(amount=1001)).result()


def test_damage_that_check_finds_keeps_the_ledger_from_being_written(damaged: Path) -> None:
    ledger = Ledger(damaged)
    assert ledger.check()
    with pytest.raises(LedgerDamaged):
        ledger.record(an_expense(amount=1001))


@linux_only
def test_log_of_another_ledger_beside_the_file_is_told_and_both_are_kept(path: Path) -> None:
    output_of(KILLED, path, 1, 31)
    good = path.with_name("good.db")
    with Ledger(good) as ledger:
        for n in range(1, 51):
            ledger.record(an_expense(amount=n))
    good.replace(path)
    before = path.read_bytes(), log_of(path).read_bytes()
    for _ in range(2):
        with pytest.raises(LedgerLogForeign, match="Move the log away"):
            Ledger(path)
    assert (path.read_bytes(), log_of(path).read_bytes()) == before
    log_of(path).unlink()
    assert Ledger(path).search().count == 50


@linux_only
def test_log_of_after_the_backup_that_was_copied_over_the_file_is_told(path: Path, tmp_path: Path) -> None:
    output_of(KILLED, path, 1, 200)
    with Ledger(path) as ledger:
        ledger.backup(tmp_path / "backup.db")
    output_of(KILLED, path, 200, 500)
    path.write_bytes((tmp_path / "backup.db").read_bytes())
    with pytest.raises(LedgerLogForeign):
        Ledger(path)


@linux_only
def test_log_that_a_killed_process_had_moved_into_the_file_is_its_own(path: Path) -> None:
    """The file is newer than the log then, as one is that was put there."""
    moves = "from expense_lib.store.sqlite import connection\nwith connection(sys.argv[1]) as con:"
    moves += " con.execute('PRAGMA wal_checkpoint')\n"
    output_of(KILLED.replace("os.kill(", f"{moves}os.kill("), path, 1, 31)
    os.utime(log_of(path), ns=(0, 0))  # a clock of files may be coarse
    assert companions.has_older_log(str(path))
    ledger = Ledger(path)
    assert (ledger.search().count, ledger.check()) == (30, [])
    assert not companions.has_older_log(str(path))  # it is in use


@needs_fork
def test_health_says_that_a_file_can_only_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "expenses.db"
    output_of(f"from expense_lib import Ledger; Ledger({str(path)!r})")
    keeper = plain.connect(path)  # keeps the log there, without which the file could not be read either
    keeper.execute("SELECT * FROM ledger").fetchone()
    for file in folder.iterdir():
        file.chmod(0o666)
    path.chmod(0o444)
    folder.chmod(0o777)
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))

    def look() -> None:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        found = Ledger(path).health()
        assert (found.status, found.readable, found.writable, found.busy) == ("read-only", True, False, False)
        client = Client(app)
        answer = client.get("/health")
        assert (answer.status_code, answer.get_json()["detail"]) == (
            503,
            "The ledger can be read, but not written.",
        )
        assert client.post("/expenses", json=fields()).status_code == 503
        assert client.get("/expenses").status_code == 200

    in_a_child(look)
    keeper.close()


def test_handler_says_why_a_ledger_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(path)
    os.link(path, path.with_name("other.db"))
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    client = Client(app)
    refused = client.post("/expenses", json=fields())
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    problem = refused.get_json(force=True)
    assert problem["type"].endswith("ledger-unsafe")
    assert "another name (a hard link)" in problem["detail"]
    assert str(path) not in refused.get_data(as_text=True)
    assert client.get("/health").status_code == 503
    assert client.get("/expenses").status_code == 200


def test_log_of_this_process_is_looked_at_where_the_file_is_and_not_the_link(
    path: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    ledger = Ledger(link)
    ledger.record(an_expense())
    remove_log(path)
    with pytest.raises(LedgerLogMoved):
        ledger.record(an_expense(amount=1))
    assert ledger.search().count == 1
