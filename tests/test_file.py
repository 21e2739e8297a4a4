from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from decimal import Decimal
from pathlib import Path

import pytest

from expense_lib import (
    CurrencyError,
    ExpenseNotFound,
    Ledger,
    LedgerBusy,
    LedgerTooNew,
    LedgerUnavailable,
    NotALedger,
    open_ledger,
)
from expense_lib.domain import keys
from expense_lib.domain.money import Currency
from expense_lib.store import schema, sqlite
from tests.builders import PATIENCE_S, ROOT, an_expense, environment, output_of


def test_file_is_made_on_first_use(path: Path) -> None:
    assert not path.exists()
    open_ledger(path)
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert con.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert {
            strict
            for (strict,) in con.execute(
                "SELECT strict FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
        } == {1}


def test_every_commit_is_synced_to_disk(path: Path) -> None:
    Ledger(path)
    with sqlite.connection(path) as con:
        assert con.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert con.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()
    assert Ledger(path).record(an_expense()).created


def test_environment_names_the_file_and_the_currency(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(path))
    monkeypatch.setenv("EXPENSE_CURRENCY", "JPY")
    assert open_ledger().search().currency == "JPY"
    assert path.exists()


def test_default_is_expenses_db_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_ledger()
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".db"] == ["expenses.db"]


def test_currency_is_fixed_when_the_file_is_made(path: Path) -> None:
    Ledger(path, "KWD")
    assert Ledger(path).currency.exponent == 3
    with pytest.raises(CurrencyError, match="kept in KWD, not in USD"):
        Ledger(path, "USD")


def test_unknown_currency_leaves_no_file(path: Path) -> None:
    with pytest.raises(CurrencyError, match="ISO 4217"):
        Ledger(path, "DOLLAR")
    assert not path.exists()


def in_another_thread(path: Path) -> Ledger:
    """Opened anew, as another process would."""
    with ThreadPoolExecutor() as threads:
        return threads.submit(Ledger, path).result()


def test_older_ledger_is_brought_up_to_date_and_keeps_everything(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ledger(path).record(an_expense())
    later = ("CREATE TABLE note (text TEXT) STRICT", "INSERT INTO note SELECT description FROM expense")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, later))
    assert in_another_thread(path).search().count == 1
    assert in_another_thread(path).check() == []
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("SELECT text FROM note").fetchall() == [("Lunch",)]
        assert con.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)


def test_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(path).record(an_expense())
    faulty = ("CREATE TABLE note (text TEXT) STRICT", "INSERT INTO nowhere VALUES (1)")
    before = len(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, faulty))
    with pytest.raises(LedgerUnavailable, match="no such table"):
        in_another_thread(path)
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'note'").fetchone() == (0,)
        assert con.execute("PRAGMA user_version").fetchone() == (before,)


def test_newer_ledger_is_refused_and_unchanged(path: Path) -> None:
    Ledger(path)
    with closing(sqlite3.connect(path)) as con:
        con.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    with pytest.raises(LedgerTooNew, match="newer version"):
        in_another_thread(path)


@pytest.mark.parametrize(
    "content", [b"date,amount\n2026-11-22,12.50\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_file_that_is_no_ledger_is_refused_and_unchanged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(NotALedger, match=f"This file is no ledger: {path}"):
        Ledger(path)
    assert path.read_bytes() == content


def test_database_of_something_else_is_refused_and_unchanged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotALedger, match="no ledger"):
        Ledger(path)
    assert path.read_bytes() == before


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="folder"):
        Ledger(tmp_path)


def test_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="can't be opened or made"):
        Ledger(tmp_path / "nowhere" / "expenses.db")
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnavailable):
        Ledger(tmp_path / "file" / "expenses.db")


def test_busy_ledger_says_so_and_nothing_is_written(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 1000)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor() as another_thread,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="try again"):
            another_thread.submit(ledger.record, an_expense()).result()
        other.execute("ROLLBACK")
    assert ledger.record(an_expense()).created


def test_connection_is_kept_by_its_thread_and_closed_with_it(path: Path) -> None:
    ledger = Ledger(path)
    seen = []

    def twice() -> None:
        for _ in range(2):
            with sqlite.connection(path) as con:
                seen.append(con)
                ledger.record(an_expense())

    twice()
    thread = threading.Thread(target=twice)
    thread.start()
    thread.join()
    assert seen[0] is seen[1]
    assert seen[2] is seen[3]
    assert seen[0] is not seen[2]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        seen[2].execute("SELECT 1")
    seen[0].execute("SELECT 1")


def descriptors(path: Path) -> list[str]:
    """The open files of this process that are the ledger at *path*, its log or its shared memory."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them is gone by now
            found.append(str(descriptor.readlink()))
    return sorted(name for name in found if name.startswith(str(path)))


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc/self/fd")


@needs_proc
def test_closed_ledger_leaves_no_descriptor_of_its_file(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.record(an_expense())
        assert str(path) in descriptors(path)
    assert descriptors(path) == []
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # the log is in the file, and gone


@needs_proc
def test_ledger_is_closed_when_its_block_raises(path: Path) -> None:
    with pytest.raises(ExpenseNotFound), Ledger(path) as ledger:
        ledger.get(1)
    assert descriptors(path) == []


@needs_proc
def test_closing_again_does_nothing_and_a_closed_ledger_opens_its_file_again(path: Path) -> None:
    ledger, other = Ledger(path), Ledger(path)
    ledger.close()
    ledger.close()
    assert descriptors(path) == []
    assert other.record(an_expense()).created
    assert ledger.search().count == 1
    other.close()
    assert descriptors(path) == []


def test_closed_ledger_whose_file_is_gone_makes_no_other(path: Path) -> None:
    ledger = Ledger(path)
    ledger.close()
    path.unlink()
    with pytest.raises(LedgerUnavailable):
        ledger.search()
    assert not path.exists()


@needs_proc
def test_closing_closes_the_connections_of_idle_threads(path: Path) -> None:
    ledger, elsewhere = Ledger(path), Ledger(path.with_name("elsewhere.db"))
    with ThreadPoolExecutor(3) as threads:
        together = threading.Barrier(3)

        def use() -> int:
            together.wait(PATIENCE_S)
            return ledger.search().count + elsewhere.search().count

        assert [each.result() for each in [threads.submit(use) for _ in range(3)]] == [0] * 3
        ledger.close()
        assert descriptors(path) == []
        assert descriptors(elsewhere.path)
        assert [each.result() for each in [threads.submit(use) for _ in range(3)]] == [0] * 3


@needs_proc
def test_call_in_another_thread_goes_on_and_closes_when_it_returns(path: Path) -> None:
    ledger = Ledger(path)
    in_the_middle, closed = threading.Event(), threading.Event()

    def use() -> list[str]:
        with sqlite.connection(path) as con, sqlite.transaction(con, write=True):
            con.execute("UPDATE ledger SET currency = currency")
            in_the_middle.set()
            assert closed.wait(PATIENCE_S)
            con.execute("SELECT * FROM ledger").fetchone()
        return descriptors(path)

    with ThreadPoolExecutor(1) as threads:
        using = threads.submit(use)
        assert in_the_middle.wait(PATIENCE_S)
        ledger.close()
        assert descriptors(path)
        closed.set()
        assert using.result(PATIENCE_S) == []


@needs_proc
def test_closing_in_the_middle_of_ones_own_call_waits_for_its_end(path: Path) -> None:
    ledger = Ledger(path)
    with sqlite.connection(path) as con:
        with sqlite.connection(path):
            ledger.close()
        assert con.execute("SELECT COUNT(*) FROM ledger").fetchone() == (1,)
    assert descriptors(path) == []


@needs_proc
def test_thread_keeps_its_last_connections_and_closes_the_one_used_longest_ago(path: Path) -> None:
    paths = [path.with_name(f"{n}.db") for n in range(sqlite.CONNECTIONS_PER_THREAD + 1)]
    ledgers = [Ledger(each) for each in paths[:-1]]
    ledgers[0].search()
    Ledger(paths[-1])
    assert [n for n, each in enumerate(paths) if not descriptors(each)] == [1]


def test_connection_in_use_is_kept_however_many_are_used_meanwhile(path: Path) -> None:
    """A callback of one ledger may use others: a report while an import is running."""
    ledger = Ledger(path)
    with sqlite.connection(path) as con, sqlite.transaction(con, write=True):
        con.execute("UPDATE ledger SET currency = 'EUR'")
        for n in range(3 * sqlite.CONNECTIONS_PER_THREAD):
            assert Ledger(path.with_name(f"{n}.db")).search().count == 0
        assert con.execute("UPDATE ledger SET currency = 'USD' WHERE currency = 'EUR'").rowcount == 1
    assert ledger.record(an_expense()).created


def test_connections_in_use_inside_each_other_are_all_kept(path: Path) -> None:
    with ExitStack() as nested:
        cons = [
            nested.enter_context(sqlite.connection(Ledger(path.with_name(f"{n}.db")).path))
            for n in range(2 * sqlite.CONNECTIONS_PER_THREAD)
        ]
        assert len(set(map(id, cons))) == len(cons)
        for con in cons:
            assert con.execute("SELECT COUNT(*) FROM ledger").fetchone() == (1,)


MANY = """
import resource, shutil, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from expense_lib import Ledger

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
folder = Path(sys.argv[1])
with Ledger(folder / "0.db"):
    pass
for n in range(1, 600):
    shutil.copy(folder / "0.db", folder / f"{n}.db")

def use(n):
    ledger = Ledger(folder / f"{n}.db")
    assert ledger.search().count == 0
    return ledger

with ThreadPoolExecutor(4) as threads:
    ledgers = list(threads.map(use, range(600)))
    print(sum(threads.map(lambda ledger: ledger.search().count + 1, ledgers)))
"""


def test_one_process_uses_more_ledgers_than_it_may_have_files_open(tmp_path: Path) -> None:
    assert output_of(MANY, tmp_path) == "600\n"


RECORD_ALL = """
import sys
from concurrent.futures import ThreadPoolExecutor
from expense_lib import NewExpense, open_ledger

def record(n):
    new = NewExpense(amount=n + 1, category="Food", date="2026-11-22")
    return open_ledger(sys.argv[1]).record(new).created

sys.stdin.readline()
with ThreadPoolExecutor(4) as threads:
    print(sum(threads.map(record, range(25))))
"""


def test_many_processes_make_one_ledger_and_record_each_expense_once(path: Path) -> None:
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", RECORD_ALL, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        for _ in range(8)
    ]
    answers = [process.communicate("go\n", timeout=60) for process in crowd]
    assert [process.returncode for process in crowd] == [0] * 8, answers
    assert sum(int(created) for created, _ in answers) == 25
    page = Ledger(path).search()
    assert (page.count, str(page.total)) == (25, "325.00")


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@needs_fork
def test_no_connection_is_open_at_a_fork(path: Path) -> None:
    ledger = Ledger(path)
    with sqlite.connection(path) as before:
        pass
    child = os.fork()
    if child == 0:
        os._exit(0 if ledger.record(an_expense()).created else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        before.execute("SELECT 1")
    assert not ledger.record(an_expense()).created


FORK_BESIDE_NESTED_CALLS = """
import os, sys, threading, time
from pathlib import Path
from expense_lib import Ledger
from expense_lib.store import sqlite

folder, in_the_middle = Path(sys.argv[1]), threading.Event()
outer, inner = Ledger(folder / "outer.db"), Ledger(folder / "inner.db")

def use():
    inner.search()
    with sqlite.connection(outer.path):
        in_the_middle.set()
        time.sleep(0.2)  # in which the other thread comes to its fork
        print(inner.search().count, Ledger(folder / "new.db").search().count, flush=True)

using = threading.Thread(target=use)
using.start()
in_the_middle.wait()
child = os.fork()
if child == 0:
    print("child", outer.search().count, flush=True)
    os._exit(0)
os.waitpid(child, 0)
using.join()
"""


@needs_fork
def test_fork_waits_for_calls_that_use_one_ledger_inside_anothers(tmp_path: Path) -> None:
    """With a lock for each connection, the fork could hold the inner one while it waits for the outer one."""
    assert output_of(FORK_BESIDE_NESTED_CALLS, tmp_path) == "0 0\nchild 0\n"


@needs_fork
def test_child_starts_with_what_recording_needs() -> None:
    """It would wait for ever for a lock in pydantic_core that another thread held during its first use."""
    script = """
import os
from expense_lib import NewExpense
child = os.fork()
if child == 0:
    os._exit(0 if NewExpense.__pydantic_complete__ else 1)
print(os.waitpid(child, 0)[1])
"""
    assert output_of(script) == "0\n"


FORK_BESIDE_A_BUILD = """
import os, signal, sys, threading, time
from expense_lib import Ledger, NewExpense, Summary

sys.setswitchinterval(1e-5)  # so that a fork comes in the middle of a build
ledger, stop = Ledger(sys.argv[1]), threading.Event()

def build():
    while not stop.is_set():
        Summary.model_rebuild(force=True)  # as its first use does; the child builds others
        time.sleep(0.0001)

def record(n):
    signal.alarm(10)  # which ends a child that hangs
    created = ledger.record(NewExpense(amount=n, category="Food", date="2026-11-22")).created
    os._exit(0 if created else 1)

builder = threading.Thread(target=build)
builder.start()
ends = []
for n in range(1, 21):
    child = os.fork()
    if child == 0:
        record(n)
    ends.append(os.waitpid(child, 0)[1])
    if ends[-1]:
        break
stop.set()
builder.join()
print(ends)
"""


FORK_BESIDE_A_FIRST_USE = """
import os, signal, sys, threading, time
from expense_lib import Ledger, NewExpense

sys.setswitchinterval(10)  # another thread comes on where this one waits, which is where it has locks
ledger, go = Ledger(sys.argv[1]), threading.Event()

def use_for_the_first_time():
    go.wait()
    NewExpense(amount=1, category="Food", date="2026-11-22")

threading.Thread(target=use_for_the_first_time).start()
go.set()
time.sleep(float(sys.argv[2]))
child = os.fork()
if child == 0:
    signal.alarm(10)  # which ends a child that hangs
    created = ledger.record(NewExpense(amount=2, category="Food", date="2026-11-22")).created
    os._exit(0 if created else 1)
print(os.waitpid(child, 0)[1])
"""


@needs_fork
def test_child_records_though_its_parent_forked_while_another_thread_used_a_model_first(path: Path) -> None:
    for n in range(8):
        Ledger(path.with_name(f"{n}.db")).close()
        assert output_of(FORK_BESIDE_A_FIRST_USE, path.with_name(f"{n}.db"), f"{n * 0.002}") == "0\n", n


@needs_fork
def test_child_records_though_its_parent_forked_while_another_thread_built_a_model(path: Path) -> None:
    assert output_of(FORK_BESIDE_A_BUILD, path) == f"{[0] * 20}\n"


@needs_fork
def test_what_a_forked_child_commits_survives_its_parent_closing_and_its_own_death(path: Path) -> None:
    """With a connection carried over the fork, the parent's end deletes the log that the child still writes."""
    script = f"""
import os, sys
from expense_lib import NewExpense, open_ledger
def new(n): return NewExpense(amount=n, category="Food", date="2026-11-22")
ledger = open_ledger({str(path)!r})
ledger.record(new(1))
ended, end = os.pipe()
if os.fork() == 0:
    os.close(end)
    ledger.record(new(2))
    sys.stdout.write("ready\\n"); sys.stdout.flush()
    os.read(ended, 1)
    ledger.record(new(3))
    sys.stdout.write("recorded\\n"); sys.stdout.flush()
    os.kill(os.getpid(), {int(signal.SIGKILL)})
os.close(ended)
sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.stdin.write("end\n")
        parent.stdin.flush()
        assert parent.wait(30) == 0
        assert parent.stdout.readline() == "recorded\n"
    assert str(Ledger(path).search().total) == "6.00"


@needs_fork
def test_threads_go_on_recording_while_their_process_forks(path: Path) -> None:
    ledger = Ledger(path)
    stop = threading.Event()
    recorded: list[bool] = []

    def record_on() -> None:
        while not stop.is_set():
            recorded.append(ledger.record(an_expense(occurrence=len(recorded) + 1)).created)

    thread = threading.Thread(target=record_on)
    thread.start()
    try:
        fork = multiprocessing.get_context("fork")
        for n in range(10):
            child = fork.Process(
                target=ledger.record, args=(an_expense(amount=str(n + 1), category="Child"),)
            )
            child.start()
            child.join(30)
            assert child.exitcode == 0
    finally:
        stop.set()
        thread.join()
    assert all(recorded)
    assert ledger.search().count == len(recorded) + 10


def test_file_of_an_earlier_version_is_brought_up_to_date(path: Path) -> None:
    """What stood in it is there: undone, found and totalled as before; imports have given their account."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for migration in schema.MIGRATIONS[:3]:
            for statement in migration:
                con.execute(statement)
        con.execute("INSERT INTO ledger (id, currency, exponent) VALUES (1, 'USD', 2)")
        con.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        con.execute("PRAGMA user_version = 3")
        at = "2026-11-22T09:12:00.000Z"
        for number, (account, new) in enumerate({"": an_expense(), "GIRO": an_expense(amount=3)}.items(), 1):
            content = new.content(Currency("USD", 2))
            con.execute(
                """
                INSERT INTO expense (amount_minor, category, category_key, description, description_key, date,
                                     occurrence, dedup_key, version, created_at, updated_at, last_seq)
                VALUES (?, 'Food', 'food', 'Lunch', 'lunch', '2026-11-22', 1, ?, 1, ?, ?, ?)
                """,
                (content.amount_minor, content.dedup_key(), at, at, number),
            )
            con.execute(
                "INSERT INTO import VALUES (?, ?, 'bank.csv', ?, ?, ?, 1, 0, 0, 0, 0, 0, NULL, NULL)",
                (number, at, account, number, number),
            )
            con.execute("UPDATE expense SET import_id = ? WHERE id = ?", (number, number))
            identity = keys.of_content(account, content.amount_minor, "Lunch", "2026-11-22", 1)
            con.execute("INSERT INTO statement_row VALUES (?, ?, ?, NULL)", (identity, number, number))
    ledger = Ledger(path)
    assert ledger.check() == []
    assert [(each.account, each.version) for each in ledger.search().items] == [("GIRO", 1), (None, 1)]
    assert (ledger.search().total, ledger.categories()[0].count) == (Decimal("15.50"), 2)
    assert [each.name for each in ledger.accounts()] == ["GIRO"]
    assert not ledger.record(an_expense()).created
    assert ledger.record(an_expense(amount=4, account="giro")).expense.account == "GIRO"
    assert ledger.undo_import(2).undone == (2,)
    assert [entry.change for entry in ledger.history(2)] == ["created", "deleted"]
    assert ledger.check() == []
