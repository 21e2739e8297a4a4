from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expense_lib import AnalyticsUnavailable, Ledger, LedgerUnavailable, NewExpense, SummaryQuery, analytics
from expense_lib.analytics import loading, tables
from expense_lib.client import RemoteLedger
from expense_lib.store import extract
from tests.builders import ROOT, an_expense, environment, handler

pytestmark = pytest.mark.of_the_file

VIEWS = ("expenses", "deleted_expenses", "history")
QUESTIONS: list[Callable[[DuckDBPyConnection], Any]] = [
    analytics.by_month,
    analytics.by_category,
    analytics.by_month_and_category,
    analytics.running_total,
    analytics.top_payees,
    analytics.compared_to_the_year_before,
    lambda con: analytics.compared_to_the_year_before(con, by="day"),
    analytics.recurring,
]


@pytest.fixture(autouse=True)
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the extracts are, which must be gone at the end of each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(params=["local", "remote"])
def any_ledger(request: pytest.FixtureRequest, path: Path) -> Iterator[Ledger | RemoteLedger]:
    if request.param == "local":
        yield Ledger(path)
        return
    with handler(path) as url:
        yield RemoteLedger(url)


def rows(con: DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.sql(query).fetchall()


def everything(con: DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
    return [rows(con, f"FROM {view} ORDER BY ALL") for view in VIEWS]


def test_columns_have_the_types_that_are_promised(ledger: Ledger) -> None:
    con = analytics.connect(ledger)
    described = {name: kind for name, kind, *_ in rows(con, "DESCRIBE expenses")}
    assert described == {
        "id": "BIGINT",
        "date": "DATE",
        "amount": "DECIMAL(18,2)",
        "category": "VARCHAR",
        "description": "VARCHAR",
        "occurrence": "INTEGER",
        "account": "VARCHAR",
        "note": "VARCHAR",
        "tags": "VARCHAR[]",
        "refund": "BOOLEAN",
        "dedup_key": "VARCHAR",
        "created_at": "TIMESTAMP WITH TIME ZONE",
        "updated_at": "TIMESTAMP WITH TIME ZONE",
    }


@pytest.mark.parametrize(
    ("currency", "amount", "kind"),
    [
        ("JPY", "1250", "DECIMAL(18,0)"),
        ("KWD", "12.345", "DECIMAL(18,3)"),
        ("CLF", "1.2345", "DECIMAL(18,4)"),
    ],
)
def test_amounts_are_exact_in_any_currency(path: Path, currency: str, amount: str, kind: str) -> None:
    ledger = Ledger(path, currency)
    ledger.record(an_expense(amount=amount))
    ledger.record(an_expense(amount=f"-{amount}", refund=True))
    con = analytics.connect(ledger)
    assert rows(con, "SELECT amount, refund, typeof(amount) FROM expenses ORDER BY id") == [
        (Decimal(amount), False, kind),
        (Decimal(f"-{amount}"), True, kind),
    ]


def test_largest_amounts_stay_exact(ledger: Ledger) -> None:
    for occurrence in range(1, 12):
        ledger.record(an_expense(amount="9999999999999.99", occurrence=occurrence))
    con = analytics.connect(ledger)
    assert rows(con, "SELECT sum(amount) FROM expenses") == [(ledger.search().total,)]


def test_row_is_the_expense(any_ledger: Ledger | RemoteLedger) -> None:
    annotated = an_expense(
        description='Wie üblich: "15 %" & 1+1 ☕', account="Giro", note="ein, zwei", tags=["b", "A"]
    )
    expense = any_ledger.record(annotated).expense
    any_ledger.record(an_expense())
    con = analytics.connect(any_ledger)
    con.execute("SET TimeZone = 'UTC'")
    row, plain = con.sql("FROM expenses ORDER BY id").fetchall()
    found = dict(zip(con.sql("FROM expenses").columns, row, strict=True))
    assert found | {"tags": tuple(found["tags"])} == expense.model_dump(exclude={"version"})
    assert tuple(plain[con.sql("FROM expenses").columns.index("account") :][:3]) == (None, "", [])


def test_refresh_brings_what_changed_and_says_how_many(any_ledger: Ledger | RemoteLedger) -> None:
    ids = [any_ledger.record(an_expense(description=str(n))).expense.id for n in range(6)]
    con = analytics.connect(any_ledger)
    assert analytics.refresh(con) == 0
    any_ledger.record(an_expense(description="new"))
    assert analytics.refresh(con) == 1
    any_ledger.amend(ids[0], {"amount": "13"}, None)
    any_ledger.amend(ids[0], {"amount": "14"}, None)
    any_ledger.delete(ids[1])
    assert analytics.refresh(con) == 2
    any_ledger.restore(ids[1])
    any_ledger.rename_category("Food", "Fun")
    assert analytics.refresh(con) == 7
    assert rows(con, "SELECT DISTINCT category FROM expenses") == [("Fun",)]
    assert rows(con, "SELECT sum(amount) FROM expenses") == [(any_ledger.search().total,)]
    assert everything(con) == everything(analytics.connect(any_ledger))


def test_deleted_expenses_and_history_are_there_too(any_ledger: Ledger | RemoteLedger) -> None:
    any_ledger.record(an_expense())
    con = analytics.connect(any_ledger)
    any_ledger.amend(1, {"amount": "13"}, None)
    any_ledger.delete(1)
    analytics.refresh(con)
    assert rows(con, "SELECT count(*) FROM expenses") == [(0,)]
    assert rows(con, "SELECT id, amount, deleted_at >= created_at FROM deleted_expenses") == [
        (1, Decimal("13.00"), True)
    ]
    assert rows(con, 'SELECT version, change, amount, "at" IS NOT NULL FROM history ORDER BY seq') == [
        (1, "created", Decimal("12.50"), True),
        (2, "amended", Decimal("13.00"), True),
        (3, "deleted", Decimal("13.00"), True),
    ]
    assert rows(con, "SELECT number FROM history ORDER BY seq") == [(n,) for n in (1, 2, 3)]


LIVES = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(1, 4), st.integers(-300, 300).filter(bool)),
        st.tuples(st.just("amend"), st.integers(1, 6), st.integers(1, 300)),
        st.tuples(st.just("delete"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("restore"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("rename"), st.integers(1, 4), st.integers(1, 4)),
        st.tuples(st.just("refresh"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


def live(ledger: Ledger, what: str, which: int, value: int) -> None:
    """Do one thing of LIVES, if it can be done."""
    try:
        match what:
            case "record":
                amount = Decimal(value) / 100
                date = dt.date(2026, which, 1 + abs(value) % 28)
                ledger.record(
                    NewExpense(
                        amount=amount,
                        category=f"C{which}",
                        date=date,
                        refund=value < 0,
                        description=f"{value}",
                    )
                )
            case "amend":
                ledger.amend(which, {"amount": Decimal(value) / 100, "refund": False}, None)
            case "delete":
                ledger.delete(which)
            case "restore":
                ledger.restore(which)
            case "rename":
                ledger.rename_category(f"C{which}", f"C{value}")
    except (LookupError, ValueError):
        pass


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=LIVES)
def test_refreshed_copy_is_the_same_as_a_new_one_and_as_the_summary(
    tmp_path_factory: pytest.TempPathFactory, life: list[tuple[str, int, int]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("life") / "expenses.db")
    con = analytics.connect(ledger)
    for what, which, value in life:
        if what == "refresh":
            analytics.refresh(con)
        live(ledger, what, which, value)
    analytics.refresh(con)
    fresh = analytics.connect(ledger)
    assert everything(con) == everything(fresh)
    assert rows(con, "SELECT count(*) FROM history") == [(len(ledger.log()),)]
    for by, query in (
        ("month", analytics.by_month(con)),
        ("category", analytics.by_category(con)),
        ("month,category", analytics.by_month_and_category(con)),
    ):
        summed = ledger.summary(SummaryQuery.model_validate({"by": by}))
        ours = [
            (
                *([f"{part.month}-01"] if part.month else []),
                *([part.category] if part.category else []),
                part.count,
                part.total,
            )
            for part in summed.items
        ]
        assert sorted(ours) == sorted(
            tuple(str(v) if isinstance(v, dt.date) else v for v in row) for row in query.fetchall()
        )
        assert (summed.count, summed.total) == (ledger.search().count, ledger.search().total)
    con.close()
    fresh.close()


def test_only_the_connection_that_was_given_can_be_refreshed(ledger: Ledger) -> None:
    con = analytics.connect(ledger)
    for other in (duckdb.connect(), con.cursor()):
        with pytest.raises(ValueError, match="Only the connection"):
            analytics.refresh(other)


def test_two_threads_refresh_while_one_records(ledger: Ledger) -> None:
    con = analytics.connect(ledger)
    seen: list[int] = []

    def refresh() -> None:
        seen.extend(analytics.refresh(con) for _ in range(15))

    def record() -> None:
        for n in range(60):
            ledger.record(an_expense(description=str(n)))

    threads = [threading.Thread(target=target) for target in (refresh, record, refresh)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.append(analytics.refresh(con))
    assert sum(seen) == 60
    assert everything(con) == everything(analytics.connect(ledger))


def test_result_that_is_being_read_survives_a_refresh(ledger: Ledger) -> None:
    for n in range(5):
        ledger.record(an_expense(description=str(n)))
    con = analytics.connect(ledger)
    reading = con.execute("SELECT id FROM expenses ORDER BY id")
    first = reading.fetchone()
    ledger.record(an_expense())
    analytics.refresh(con)
    assert [first, *reading.fetchall()] == [(n,) for n in range(1, 6)]


def test_extract_is_private_and_gone_at_once(
    ledger: Ledger, temporary_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    write = extract.write

    def watched(con: Any, target: Path, known: extract.Line) -> extract.Line | None:
        seen.append((target.stat().st_mode & 0o777, target.parent.stat().st_mode & 0o777))
        return write(con, target, known)

    monkeypatch.setattr(extract, "write", watched)
    con = analytics.connect(ledger)
    assert list(temporary_files.iterdir()) == []
    analytics.refresh(con)
    assert seen == [(0o600, 0o700)] * 2


@pytest.mark.parametrize("broken", ["LOCAL_EXPENSES", "LOCAL_ENTRIES", "ADD_ENTRIES", "ADD_EXPENSES", "COPY"])
def test_load_that_fails_leaves_nothing_and_the_copy_as_it_was(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    ledger.record(an_expense())
    con = analytics.connect(ledger)
    before = everything(con)
    ledger.record(an_expense(amount="1"))
    with monkeypatch.context() as patch:
        patch.setattr(tables, broken, "SELECT no_such_function()")
        with pytest.raises(duckdb.Error):
            analytics.refresh(con)
    assert everything(con) == before
    assert analytics.refresh(con) == 1
    assert ledger.record(an_expense(amount="2")).created


class Interrupted:
    """Raises KeyboardInterrupt when the *nth* statement is executed on what it stands for."""

    def __init__(self, con: Any, nth: int) -> None:
        self.con, self.left = con, nth

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)

    def execute(self, *arguments: Any) -> Any:
        done = self.con.execute(*arguments)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return done


@pytest.mark.parametrize("nth", range(1, 12))
def test_interrupt_while_extracting_changes_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    ledger.record(an_expense())
    con = analytics.connect(ledger)
    before = everything(con)
    ledger.record(an_expense(amount="1"))
    write = extract.write
    with monkeypatch.context() as patch:
        patch.setattr(extract, "write", lambda con, *rest: write(Interrupted(con, nth), *rest))  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            analytics.refresh(con)
    assert everything(con) == before
    assert ledger.record(an_expense(amount="2")).created
    assert analytics.refresh(con) == 2
    assert everything(con) == everything(analytics.connect(ledger))


def test_interrupt_after_the_load_doubles_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    con = analytics.connect(ledger)
    ledger.record(an_expense())
    merge = loading.load

    def interrupted(*arguments: Any) -> int:
        merge(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loading, "load", interrupted)
        with pytest.raises(KeyboardInterrupt):
            analytics.refresh(con)
    assert analytics.refresh(con) == 0
    assert everything(con) == everything(analytics.connect(ledger))


def test_backup_that_was_put_back_is_copied_anew(
    any_ledger: Ledger | RemoteLedger, path: Path, tmp_path: Path
) -> None:
    local = Ledger(path)
    any_ledger.record(an_expense(amount="1"))
    local.backup(tmp_path / "backup.db")
    any_ledger.record(an_expense(amount="2"))
    any_ledger.record(an_expense(amount="3"))
    con = analytics.connect(any_ledger)
    (tmp_path / "backup.db").replace(path)
    for name in ("expenses.db-wal", "expenses.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    for amount in ("10", "20", "30"):
        until_read(lambda amount=amount: any_ledger.record(an_expense(amount=amount)))  # type: ignore[misc]
    assert until_read(lambda: analytics.refresh(con)) == 4
    assert rows(con, "SELECT amount FROM expenses ORDER BY id") == [
        (D("1.00"),),
        (D("10.00"),),
        (D("20.00"),),
        (D("30.00"),),
    ]
    assert everything(con) == everything(analytics.connect(any_ledger))


def until_read(action: Callable[[], Any]) -> Any:
    """Do it again where the first time told that the file was replaced."""
    for _ in range(5):
        try:
            return action()
        except LedgerUnavailable:
            continue
    return action()


def test_tables_can_be_listed_while_a_refresh_goes_on(ledger: Ledger) -> None:
    con = analytics.connect(ledger)
    ended = threading.Event()
    failed: list[BaseException] = []

    def look() -> None:
        own = con.cursor()
        try:
            while not ended.is_set():
                own.execute("FROM duckdb_columns()").fetchall()
                own.execute("SHOW ALL TABLES").fetchall()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a failure
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for n in range(25):
            ledger.record(an_expense(description=str(n)))
            assert analytics.refresh(con) == 1
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failed == []


@pytest.mark.parametrize("name", ["extract", "ledger"])
def test_databases_of_the_analyst_may_have_any_name(ledger: Ledger, tmp_path: Path, name: str) -> None:
    con = analytics.connect(ledger)
    con.execute(f"ATTACH '{tmp_path}/mine.duckdb' AS {name}; CREATE TABLE {name}.kept AS SELECT 1 AS one")
    ledger.record(an_expense())
    assert analytics.refresh(con) == 1
    assert rows(con, "SELECT count(*) FROM expenses") == [(1,)]
    assert rows(con, f"FROM {name}.kept") == [(1,)]


def test_copy_without_a_place_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nowhere/at/all")
        with pytest.raises(AnalyticsUnavailable, match="no place"):
            analytics.connect(ledger)


LINE = {
    "seq": 1,
    "number": 1,
    "expense_id": 1,
    "version": 1,
    "change": "created",
    "at": "2026-11-22T09:12:00.000Z",
    "dedup_key": "v1:0",
    "before": None,
    "after": {
        "amount": "1.00",
        "category": "a",
        "description": "",
        "date": "2026-11-22",
        "occurrence": 1,
        "refund": False,
    },
}


@pytest.mark.parametrize(
    "lines",
    [
        b"<h1>Sign in</h1>",
        b'{"seq": 5}\n',
        json.dumps(LINE | {"seq": "1"}).encode(),
        json.dumps(LINE | {"seq": 0}).encode(),
        json.dumps(LINE | {"seq": 2**70}).encode(),
        json.dumps(LINE | {"after": None}).encode(),
        json.dumps(LINE | {"after": LINE["after"] | {"amount": "1.005"}}).encode(),  # type: ignore[operator]
        json.dumps(LINE | {"after": LINE["after"] | {"amount": "abc"}}).encode(),  # type: ignore[operator]
        b"[" * 100_000,
        b"rubbish\n" + json.dumps(LINE).encode(),
    ],
    ids=lambda lines: lines[:40],
)
def test_rubbish_from_a_handler_is_told_and_nothing_is_copied(
    lines: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = RemoteLedger("http://127.0.0.1:1")
    pages = [lines]
    monkeypatch.setattr(remote, "_log", lambda *_: (pages.pop(0) if pages else b"", ""))
    monkeypatch.setattr(loading, "exponent", lambda _: 2)
    with pytest.raises(LedgerUnavailable):
        analytics.connect(remote)


def test_handler_that_repeats_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = RemoteLedger("http://127.0.0.1:1")
    monkeypatch.setattr(remote, "_log", lambda *_: (json.dumps(LINE).encode() + b"\n", ""))
    monkeypatch.setattr(loading, "exponent", lambda _: 2)
    with pytest.raises(LedgerUnavailable):
        analytics.connect(remote)


def test_ledger_that_can_not_be_read_is_told(ledger: Ledger, path: Path) -> None:
    con = analytics.connect(ledger)
    path.unlink()
    with pytest.raises(LedgerUnavailable):
        analytics.refresh(con)
    with pytest.raises(LedgerUnavailable):
        analytics.connect(ledger)


def test_missing_extension_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb_extension_sqlite_scanner", None)
    with pytest.raises(AnalyticsUnavailable, match=r"install expense-ledger\[analysis\]"):
        analytics.connect(ledger)


def test_extension_of_another_version_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "__version__", "2.0.0")
    with pytest.raises(
        AnalyticsUnavailable, match=r"DuckDB is v2\.0\.0, but its SQLite extension is for v1\."
    ):
        analytics.connect(ledger)


def test_missing_duckdb_is_told_and_nothing_else_needs_it() -> None:
    script = (
        "import sys; sys.modules['duckdb'] = None; import expense_lib, handlers.wsgi;"
        "\ntry: import expense_lib.analytics\nexcept expense_lib.AnalyticsUnavailable as e: print(e)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "install expense-ledger[analysis]" in done.stdout


def test_whoever_writes_imports_no_duckdb() -> None:
    script = (
        "import sys, expense_lib, handlers.wsgi, expense_lib.client; from handlers import openapi, docs;"
        "print('duckdb' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def locks_on(path: Path) -> set[str]:
    """This process's locks on a ledger's files, as the kernel has them."""
    inodes = {str(file.stat().st_ino) for file in path.parent.glob(f"{path.name}*")}
    found = set()
    for line in Path("/proc/locks").read_text().splitlines():
        _, kind, _, mode, pid, where, start, end = line.replace("-> ", "").split()[:8]
        if pid == str(os.getpid()) and where.rpartition(":")[2] in inodes:
            found.add(f"{kind} {mode} {where} {start} {end}")
    return found


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system does not show its locks")
def test_locks_on_the_ledger_are_untouched_by_analysis(ledger: Ledger, path: Path, tmp_path: Path) -> None:
    ledger.record(an_expense())
    held = locks_on(path)
    assert held
    con = analytics.connect(ledger)
    assert locks_on(path) == held
    ledger.record(an_expense(amount="1"))
    analytics.refresh(con)
    assert locks_on(path) == held
    analytics.by_month(con).fetchall()
    con.close()
    assert locks_on(path) == held
    ledger.backup(tmp_path / "copy.db")
    ledger.check()
    ledger.health()
    ledger.summary()
    ledger.log()
    assert locks_on(path) == held


@pytest.mark.skipif(os.name != "posix", reason="this is about locks of POSIX systems")
def test_commit_after_analysis_survives_a_kill(path: Path) -> None:
    """The trap: were DuckDB to open the ledger, its closing would drop this process's locks on it."""
    script = (
        "import os, signal, subprocess, sys\n"
        "from expense_lib import Ledger, analytics\n"
        "from tests.builders import an_expense\n"
        "ledger = Ledger(sys.argv[1])\n"
        "ledger.record(an_expense(amount='1'))\n"
        "con = analytics.connect(ledger)\n"
        "ledger.record(an_expense(amount='2'))\n"
        "analytics.refresh(con)\n"
        "con.close()\n"
        "look = 'import sys; from expense_lib import Ledger; print(Ledger(sys.argv[1]).search().count)'\n"
        "subprocess.run([sys.executable, '-c', look, sys.argv[1]], check=True)\n"
        "ledger.record(an_expense(amount='3'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "2\n"), done.stderr
    assert str(Ledger(path).search().total) == "6.00"


@pytest.mark.parametrize("question", range(len(QUESTIONS)))
def test_every_question_can_be_asked_of_an_empty_ledger(ledger: Ledger, question: int) -> None:
    assert QUESTIONS[question](analytics.connect(ledger)).fetchall() == []


@pytest.fixture
def asked(ledger: Ledger) -> DuckDBPyConnection:
    def paid(amount: str, category: str, description: str, date: str, **more: Any) -> None:
        ledger.record(
            an_expense(amount=amount, category=category, description=description, date=date, **more)
        )

    for month in range(1, 7):
        paid("9.99", "Media", "Streaming", f"2026-{month:02}-03")
        paid(f"{40 + 30 * (month % 3)}", "Food", "Market", f"2026-{month:02}-{3 + month * 3:02}")
    paid("100", "Rent", "Landlord", "2025-03-01")
    paid("110", "Rent", "Landlord", "2026-03-01")
    paid("-10", "Rent", "Landlord", "2026-03-02", refund=True)
    paid("5", "Food", "", "2024-02-29")
    return analytics.connect(ledger)


def D(text: str) -> Decimal:  # noqa: N802
    return Decimal(text)


def test_totals_by_month_and_category(asked: DuckDBPyConnection) -> None:
    assert analytics.by_month(asked).fetchall()[:4] == [
        (dt.date(2024, 2, 1), 1, D("5.00")),
        (dt.date(2025, 3, 1), 1, D("100.00")),
        (dt.date(2026, 1, 1), 2, D("79.99")),
        (dt.date(2026, 2, 1), 2, D("109.99")),
    ]
    assert analytics.by_category(asked).fetchall() == [
        ("Food", 7, D("425.00")),
        ("Rent", 3, D("200.00")),
        ("Media", 6, D("59.94")),
    ]
    assert (dt.date(2026, 3, 1), "Rent", 2, D("100.00")) in analytics.by_month_and_category(asked).fetchall()


def test_running_total_ends_at_the_total(asked: DuckDBPyConnection) -> None:
    found = analytics.running_total(asked).fetchall()
    assert found[:2] == [
        (dt.date(2024, 2, 29), D("5.00"), D("5.00")),
        (dt.date(2025, 3, 1), D("100.00"), D("105.00")),
    ]
    assert found[-1][2] == D("684.94")


def test_top_payees_have_names(asked: DuckDBPyConnection) -> None:
    assert analytics.top_payees(asked, rows=2).fetchall() == [
        ("Market", 6, D("420.00"), dt.date(2026, 6, 21)),
        ("Landlord", 3, D("200.00"), dt.date(2026, 3, 2)),
    ]


def test_months_and_days_are_compared_to_the_year_before(asked: DuckDBPyConnection) -> None:
    months = {row[0]: row[1:] for row in analytics.compared_to_the_year_before(asked).fetchall()}
    assert months[dt.date(2026, 3, 1)] == (D("149.99"), D("100.00"), D("49.99"))
    assert months[dt.date(2025, 2, 1)] == (D("0.00"), D("5.00"), D("-5.00"))
    assert len(months) == 29
    days = {row[0]: row[1:] for row in analytics.compared_to_the_year_before(asked, by="day").fetchall()}
    assert days[dt.date(2026, 3, 1)] == (D("110.00"), D("100.00"), D("10.00"))
    with pytest.raises(ValueError, match="month"):
        analytics.compared_to_the_year_before(asked, by="week")


def test_recurring_payments_are_regular_in_time_and_amount(asked: DuckDBPyConnection) -> None:
    assert analytics.recurring(asked).fetchall() == [
        ("Streaming", "Media", 6, D("9.99"), 31.0, dt.date(2026, 6, 3), dt.date(2026, 7, 4))
    ]


@pytest.mark.parametrize(
    "amounts", [("0.09", "0.09", "0.10", "0.10"), ("0.70", "0.70", "0.77"), ("3.30", "3.30", "3.63")]
)
def test_tenth_of_a_recurring_amount_is_exact(ledger: Ledger, amounts: tuple[str, ...]) -> None:
    for month, amount in enumerate(amounts, 1):
        ledger.record(an_expense(amount=amount, date=f"2026-{month:02}-01"))
    assert len(analytics.recurring(analytics.connect(ledger)).fetchall()) == 1


def test_recurring_payment_at_the_end_of_the_calendar_has_no_next(ledger: Ledger) -> None:
    for month in (10, 11, 12):
        ledger.record(an_expense(date=f"9999-{month}-20"))
    ((*_, last, due),) = analytics.recurring(analytics.connect(ledger)).fetchall()
    assert (last, due) == (dt.date(9999, 12, 20), None)


def test_results_go_to_data_frames_where_there_are_any(asked: DuckDBPyConnection) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(analytics.by_category(asked))
    assert frame.rows() == analytics.by_category(asked).fetchall()
    assert frame.schema["total"] == polars.Decimal(38, 2)
