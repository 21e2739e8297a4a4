"""Going back to a backup, and what is of before it: nothing of another time is taken for now."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from werkzeug.test import Client

from expense_lib import (
    CurrencyError,
    CursorError,
    Expense,
    ExpenseFilter,
    Ledger,
    LedgerBusy,
    LedgerRestored,
    LedgerTooNew,
    LedgerUnavailable,
    LedgerUnsafe,
    NotALedger,
    __main__,
    analytics,
    restore_backup,
)
from expense_lib.client import RemoteLedger
from expense_lib.store import schema
from handlers.wsgi import app
from tests.builders import an_expense, fields, handler, output_of
from tests.test_disk import damage
from tests.test_safety import KILLED, LOOKS, make, tamper

pytestmark = pytest.mark.of_the_file


@pytest.fixture
def backup(ledger: Ledger, tmp_path: Path) -> Path:
    """A backup of when the ledger had one expense; by now it has two."""
    ledger.record(an_expense())
    ledger.backup(tmp_path / "backup.db")
    ledger.record(an_expense(amount=900, category="Rent"))
    return tmp_path / "backup.db"


def test_ledger_is_as_the_backup_and_what_was_there_is_in_a_copy(ledger: Ledger, backup: Path) -> None:
    before, untouched = ledger.generation(), backup.read_bytes()
    copied = restore_backup(backup, ledger.path)
    assert (ledger.search().count, ledger.check()) == (1, [])
    assert copied is not None
    assert (copied.parent, copied.name.startswith("expenses-before-restore-")) == (ledger.path.parent, True)
    assert (Ledger(copied).search().total, Ledger(copied).check()) == (Decimal("912.50"), [])
    assert backup.read_bytes() == untouched
    assert len({before, ledger.generation(), Ledger(copied).generation(), Ledger(backup).generation()}) == 4
    assert not list(ledger.path.parent.glob(".expenses-restore-*"))
    restore_backup(copied, ledger.path)  # which takes the restoration back
    assert ledger.search().total == Decimal("912.50")


def test_others_who_have_it_open_go_on_with_what_is_there_then(
    ledger: Ledger, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with handler(ledger.path) as url, RemoteLedger(url) as other:
        assert other.search().count == 2
        restore_backup(backup, ledger.path)
        assert other.search().count == 1
        assert other.record(an_expense(amount=900, category="Rent")).created
    assert (ledger.search().count, ledger.check()) == (2, [])


def test_no_write_of_others_is_between_the_copy_and_the_backup(
    ledger: Ledger, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, recorded = threading.Event(), []

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            ledger.record(an_expense(amount=n, category="While"))
            recorded.append(n)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [restore_backup(backup, ledger.path) for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    found = [Ledger(copied) for copied in copies if copied] + [ledger]
    there = [{int(e.amount) for e in _all(each) if e.category == "While"} for each in found]
    assert sorted(n for each in there for n in each) == recorded  # each once, in a copy or in the ledger
    assert all(each.check() == [] for each in found)


def _all(ledger: Ledger) -> list[Expense]:
    page = ledger.search(ExpenseFilter(limit=500))
    found = list(page.items)
    while page.next_cursor:
        page = ledger.search(ExpenseFilter(limit=500, cursor=page.next_cursor))
        found += page.items
    return found


def test_ledger_is_made_from_a_backup_where_there_is_none(backup: Path, tmp_path: Path) -> None:
    made = tmp_path / "elsewhere" / "expenses.db"
    made.parent.mkdir()
    (made.parent / "expenses.db-wal").write_bytes(b"left")
    assert restore_backup(backup, made) is None
    assert (Ledger(made).search().count, Ledger(made).check()) == (1, [])


def test_damaged_ledger_goes_back_and_is_written_again(ledger: Ledger, backup: Path) -> None:
    for n in range(1, 300):
        ledger.record(an_expense(amount=n, description="x" * 200))
    ledger.close()
    damage(ledger.path, slice(20, None))
    assert ledger.check()
    with pytest.raises(LedgerUnavailable):
        ledger.record(an_expense(amount=1000))
    copied = restore_backup(backup, ledger.path)
    assert copied is not None
    assert copied.stat().st_size > backup.stat().st_size
    assert ledger.record(an_expense(amount=1000)).created
    assert ledger.check() == []


def test_log_that_a_killed_process_left_does_not_come_back(path: Path, tmp_path: Path) -> None:
    with Ledger(tmp_path / "good.db") as good:
        good.record(an_expense())
        good.backup(tmp_path / "backup.db")
    output_of(KILLED, path, 1, 31)
    copied = restore_backup(tmp_path / "backup.db", path)
    assert output_of(LOOKS, path) == "1 []\n"
    assert copied is not None
    assert Ledger(copied).search().count == 30


def test_older_backup_is_brought_up_to_date_on_its_way(ledger: Ledger, tmp_path: Path) -> None:
    make(tmp_path / "old.db", 3)
    restore_backup(tmp_path / "old.db", ledger.path)
    assert (ledger.check(), ledger.record(an_expense()).created) == ([], True)
    with closing(sqlite3.connect(tmp_path / "old.db")) as con:
        assert con.execute("PRAGMA user_version").fetchone() == (3,)


def test_refused_backup_changes_nothing(ledger: Ledger, backup: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.db"
    before = (ledger.search(), ledger.generation())

    def refused(kind: type[Exception], words: str, path: Path = bad) -> None:
        with pytest.raises(kind, match=words):
            restore_backup(path, ledger.path)
        assert (ledger.search(), ledger.generation()) == before
        assert not list(tmp_path.glob("expenses-before*")) + list(tmp_path.glob(".expenses*"))

    refused(LedgerUnavailable, "There is no backup there", tmp_path / "nowhere.db")
    refused(LedgerUnavailable, "or it is the ledger itself", ledger.path)
    bad.write_bytes(b"date,amount\n" * 1000)
    refused(NotALedger, "no ledger")
    bad.write_bytes(b"")
    refused(NotALedger, "no ledger")
    bad.unlink()
    tamper(bad, "CREATE TABLE bookmarks (url)")
    refused(NotALedger, "no ledger")
    shutil.copy(backup, bad)
    tamper(bad, f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    refused(LedgerTooNew, "newer version")
    shutil.copy(backup, bad)
    tamper(bad, "DROP TABLE claim")
    refused(LedgerUnavailable, "not as they were made .table claim is missing")
    shutil.copy(backup, bad)
    damage(bad, slice(5, None))
    refused(LedgerUnavailable, "This backup is damaged")
    yen = tmp_path / "yen.db"
    with Ledger(yen, "JPY"):
        pass
    refused(CurrencyError, "kept in JPY, not in USD", yen)
    os.link(ledger.path, tmp_path / "second.db")
    refused(LedgerUnsafe, "another name", backup)
    (tmp_path / "second.db").unlink()
    restore_backup(backup, ledger.path)


def test_writer_who_does_not_end_is_told(
    ledger: Ledger, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 200)
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy):
            restore_backup(backup, ledger.path)
        other.execute("ROLLBACK")
    assert ledger.search().count == 2


def test_copy_that_has_no_place_leaves_the_ledger_as_it_is(backup: Path, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / f"{'long' * 60}.db")  # with more in it, a name is too long
    before = ledger.generation()
    with pytest.raises(LedgerUnavailable, match="can't be written"):
        restore_backup(backup, ledger.path)
    assert (ledger.search().count, ledger.generation(), ledger.check()) == (0, before, [])


def test_command_goes_back_and_tells_where_the_copy_is(
    ledger: Ledger, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["restore", str(backup), "--ledger", str(ledger.path)]) == 0
    (copied,) = ledger.path.parent.glob("expenses-before-restore-*.db")
    assert capsys.readouterr().out == f"What was there is in {copied}\nThe ledger is as {backup} has it.\n"
    assert ledger.search().count == 1
    assert __main__.main(["restore", str(copied), "--ledger", "http://127.0.0.1:1"]) == 2
    assert "where its file is" in capsys.readouterr().err


def test_ledger_in_postgresql_does_not_go_back_and_what_does_it_is_told(backup: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="copy the backup to a ledger of a new name"):
        restore_backup(backup, "postgresql://me@localhost/expenses")


# What is of before


def test_handle_of_before_is_told_once(ledger: Ledger, backup: Path) -> None:
    restore_backup(backup, ledger.path)
    ledger.record(an_expense(amount="5.00", category="Fun"))  # has the id of the rent now
    with pytest.raises(LedgerRestored, match="Look again"):
        ledger.amend(2, {"amount": "950"}, version=1)
    assert ledger.get(2).category == "Fun"
    assert ledger.amend(2, {"amount": "6"}, version=1).version == 2


def test_remote_handle_of_before_is_told_once(ledger: Ledger, backup: Path) -> None:
    with handler(ledger.path) as url, RemoteLedger(url) as remote:
        assert remote.get(2).category == "Rent"
        restore_backup(backup, ledger.path)
        remote.record(an_expense(amount="5.00", category="Fun"))
        with pytest.raises(LedgerRestored):
            remote.delete(2)
        assert remote.generation() == ledger.generation()
        remote.delete(2)


@pytest.fixture
def client(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", str(ledger.path))
    return Client(app)


def test_etag_of_before_is_stale(client: Client, ledger: Ledger, backup: Path) -> None:
    before = client.get("/expenses/2").headers["ETag"]
    restore_backup(backup, ledger.path)
    assert client.post("/expenses", json=fields(amount="5.00", category="Fun")).status_code == 201
    stale = client.patch("/expenses/2", json={"amount": "950"}, headers={"If-Match": before})
    assert (stale.status_code, stale.get_json()["type"].rpartition(":")[2]) == (412, "ledger-restored")
    assert client.delete("/expenses/2", headers={"If-Match": f'"7", {before}'}).status_code == 412
    whole = client.get("/expenses/2", headers={"If-None-Match": before})
    assert (whole.status_code, whole.get_json()["category"]) == (200, "Fun")
    now = whole.headers["ETag"]
    assert client.get("/expenses/2", headers={"If-None-Match": f"W/{now}"}).status_code == 304
    assert (
        client.patch("/expenses/2", json={"amount": "6"}, headers={"If-Match": f"W/{now}"}).status_code == 200
    )
    assert client.patch("/expenses/2", json={"amount": "7"}, headers={"If-Match": '"2"'}).status_code == 200


def test_stale_etag_is_answered_with_that_of_now(client: Client, ledger: Ledger, backup: Path) -> None:
    refused = client.patch("/expenses/1", json={"amount": "1"}, headers={"If-Match": '"9"'})
    assert (refused.status_code, refused.headers["ETag"]) == (412, f'"1-{ledger.generation()}"')


@pytest.mark.parametrize(
    ("method", "where", "body"),
    [
        ("POST", "/expenses/1/restore", None),
        ("DELETE", "/expenses/1", None),
        ("PATCH", "/expenses", {"category": "Fun", "ids": [1]}),
        ("PATCH", "/categories/Food", {"name": "Fun"}),
        ("POST", "/changes/2/undo", None),
        ("POST", "/imports/1/undo", None),
        ("POST", "/undecided/1", {"same_as": "new"}),
        ("POST", "/expenses/1/merge", {"into": 2}),
        ("DELETE", "/rules/1", None),
    ],
)
def test_request_that_says_its_generation_is_refused_in_another(
    client: Client, ledger: Ledger, backup: Path, method: str, where: str, body: object
) -> None:
    before = {"Ledger-Generation": client.get("/expenses").headers["Ledger-Generation"]}
    restore_backup(backup, ledger.path)
    refused = client.open(where, method=method, json=body, headers=before)
    assert (refused.status_code, refused.get_json()["type"].rpartition(":")[2]) == (412, "ledger-restored")
    now = {"Ledger-Generation": refused.headers["Ledger-Generation"]}
    assert client.open(where, method=method, json=body, headers=now).status_code != 412
    assert client.post("/expenses", json=fields(amount="2"), headers=before).status_code == 201
    assert client.get("/expenses", headers={"Ledger-Generation": "x"}).status_code == 400


def test_cursor_of_before_is_refused_in_words(client: Client, ledger: Ledger, backup: Path) -> None:
    cursor = ledger.search(ExpenseFilter(limit=1)).next_cursor
    assert ledger.search(ExpenseFilter(limit=1, cursor=cursor)).count == 2
    restore_backup(backup, ledger.path)
    with pytest.raises(CursorError, match="cursor is of before the ledger went back to a backup"):
        ledger.search(ExpenseFilter(limit=1, cursor=cursor))
    assert client.get(f"/expenses?cursor={cursor}").status_code == 422


@pytest.mark.parametrize("where", ["/log?since=1&limit=1", "/changes?before=9&limit=1"])
def test_place_in_the_log_of_before_is_refused_in_words(
    client: Client, ledger: Ledger, backup: Path, where: str
) -> None:
    ledger.amend(2, {"amount": "901"}, version=1)
    ledger.amend(2, {"amount": "902"}, version=2)
    page = client.get(where)
    following = page.headers["Link"].partition("<")[2].partition(">")[0]
    assert f"generation={page.headers['Ledger-Generation']}" in following
    assert client.get(following).status_code == 200
    restore_backup(backup, ledger.path)
    refused = client.get(following)
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "#/generation")
    assert "went back to a backup" in refused.get_json()["errors"][0]["detail"]


def test_position_of_before_is_another(ledger: Ledger, backup: Path) -> None:
    restore_backup(backup, ledger.path)
    before = ledger.position()
    restore_backup(backup, ledger.path)
    assert ledger.position() != before


def test_analysis_copy_is_brought_anew(ledger: Ledger, backup: Path) -> None:
    """Also where the log has the very line that the copy knows."""
    restore_backup(backup, ledger.path)
    con = analytics.connect(ledger)
    assert analytics.refresh(con) == 0
    restore_backup(backup, ledger.path)
    assert analytics.refresh(con) == 1
    assert con.sql("SELECT count(*), sum(amount) FROM expenses").fetchall() == [(1, Decimal("12.50"))]


def test_analysis_copy_from_afar_is_brought_anew(ledger: Ledger, backup: Path) -> None:
    with handler(ledger.path) as url, RemoteLedger(url) as remote:
        con = analytics.connect(remote)
        assert con.sql("SELECT count(*) FROM expenses").fetchall() == [(2,)]
        restore_backup(backup, ledger.path)
        assert analytics.refresh(con) == 1
        assert con.sql("SELECT sum(amount) FROM expenses").fetchall() == [(Decimal("12.50"),)]


def test_exports_name_the_ledger_and_its_generation(ledger: Ledger, backup: Path, tmp_path: Path) -> None:
    restore_backup(backup, ledger.path)
    ledger.export_csv(tmp_path / "out.csv")
    ledger.export_history(tmp_path / "out.jsonl")
    for name in ("out.csv", "out.jsonl"):
        assert ledger.generation() in (tmp_path / name).read_text()
