from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from expense_lib import (
    AmountError,
    CategoryNotFound,
    CursorError,
    ExpenseDeleted,
    ExpenseFilter,
    ExpenseNotFound,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    Ledger,
    LedgerBusy,
    LedgerUnavailable,
    RecordedThenDeleted,
    StaleVersion,
    open_ledger,
)
from expense_lib.client import RemoteLedger
from tests.builders import an_expense, free_port, handler


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    path = tmp_path_factory.mktemp("served") / "expenses.db"
    with handler(path) as url:
        yield url, path


@pytest.fixture
def remote(served: tuple[str, Path]) -> RemoteLedger:
    return RemoteLedger(served[0])


def test_environment_names_the_handler(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPENSE_API_URL", served[0] + "/")
    monkeypatch.setenv("EXPENSE_LEDGER", "/nowhere/at/all.db")
    assert open_ledger().search().currency == "USD"


def test_remote_ledger_answers_as_the_local_one(served: tuple[str, Path], remote: RemoteLedger) -> None:
    new = an_expense(description='Wie üblich: "15 %" & 1+1 ☕', category="Café/Bar")
    receipts = [
        remote.record(new),
        remote.record(new),
        remote.record(new, 'k"\\1'),
        remote.record(new, 'k"\\1'),
    ]
    assert [receipt.created for receipt in receipts] == [True, False, True, False]
    local = Ledger(served[1])
    assert [remote.get(receipt.expense.id) for receipt in receipts] == [
        receipt.expense for receipt in receipts
    ]
    wanted = ExpenseFilter(category="CAFÉ/bar", limit=1)
    page = remote.search(wanted)
    assert page == local.search(wanted)
    assert page.next_cursor is not None
    assert remote.search(wanted.after(page.next_cursor)) == local.search(wanted.after(page.next_cursor))
    assert remote.categories() == local.categories()


def test_errors_are_those_of_the_local_ledger(remote: RemoteLedger) -> None:
    with pytest.raises(ExpenseNotFound) as missing:
        remote.get(4711)
    assert missing.value.expense_id == 4711
    with pytest.raises(AmountError, match="amount must have at most 2 fraction digits in USD"):
        remote.record(an_expense(amount="1.234"))
    with pytest.raises(CursorError, match="cursor must be"):
        remote.search(ExpenseFilter(cursor="x"))
    for key in ("", "☕", "a\n", "x" * 256):
        with pytest.raises(IdempotencyKeyError):
            remote.record(an_expense(), key)
    remote.record(an_expense(), "reused")
    with pytest.raises(IdempotencyKeyReused) as reused:
        remote.record(an_expense(amount="13", date="2026-11-21"), "reused")
    assert reused.value.fields == ["amount", "date"]


def test_handler_that_is_down_is_unavailable() -> None:
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        RemoteLedger(f"http://127.0.0.1:{free_port()}").search()


def test_handler_whose_ledger_fails_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "expenses.db"
    path.parent.mkdir()
    with handler(path) as url:
        remote = RemoteLedger(url)
        remote.record(an_expense())
        path.parent.rename(tmp_path / "away")
        with pytest.raises(LedgerUnavailable):
            remote.record(an_expense(amount="1"))


class Scripted(BaseHTTPRequestHandler):
    """Answers what *answers* hold, one for each request, and counts the requests."""

    answers: ClassVar[list[tuple[int | None, str, bytes]]]
    seen: ClassVar[list[str]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.seen.append(self.path)
        status, content_type, body = self.answers.pop(0)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def scripted() -> Iterator[tuple[type[Scripted], RemoteLedger]]:
    class Script(Scripted):
        answers: ClassVar[list[tuple[int | None, str, bytes]]] = []
        seen: ClassVar[list[str]] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Script, RemoteLedger(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


EMPTY = (200, "application/json", b'{"items":[],"count":0,"total":"0.00","currency":"USD","next":null}')
BUSY = b'{"type":"urn:expense-ledger:problem:ledger-busy","title":"Busy","status":503,"detail":"Busy."}'


@pytest.mark.parametrize(
    "lost", [(None, "", b""), (502, "text/html", b""), (503, "text/html", b""), (504, "text/html", b"")]
)
def test_lost_answers_are_asked_for_again(scripted: Any, lost: Any) -> None:
    script, remote = scripted
    script.answers = [lost, lost, EMPTY]
    assert remote.search().count == 0
    assert len(script.seen) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((503, "application/problem+json", BUSY), LedgerBusy),
        ((502, "text/html", b"<h1>Bad gateway</h1>"), LedgerUnavailable),
        ((200, "text/html", b"<h1>A router</h1>"), LedgerUnavailable),
        ((302, "text/html", b""), LedgerUnavailable),
        (
            (500, "application/problem+json", b'{"type":"about:blank","status":500,"detail":"Oh."}'),
            LedgerUnavailable,
        ),
        ((500, "application/problem+json", b"not even JSON"), LedgerUnavailable),
        ((200, "application/json", b'{"items": "?"}'), LedgerUnavailable),
    ],
    ids=str,
)
def test_strange_answers_are_told(scripted: Any, answer: Any, error: type[Exception]) -> None:
    script, remote = scripted
    script.answers = [answer] * 4
    with pytest.raises(error):
        remote.search()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://127.0.0.1", "127.0.0.1:8000", "/expenses.db"])
def test_address_without_http_is_refused_and_no_file_is_made(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPENSE_API_URL", url)
    with pytest.raises(LedgerUnavailable, match="http://"):
        open_ledger()
    assert list(tmp_path.iterdir()) == []


def test_ids_that_no_expense_can_have_are_not_found(remote: RemoteLedger) -> None:
    for expense_id in (0, -1, 10**20):
        with pytest.raises(ExpenseNotFound):
            remote.get(expense_id)


def test_whole_life_over_http(remote: RemoteLedger) -> None:
    first = remote.record(an_expense(amount="77", category="Life/Long & 50 %")).expense
    edited = remote.amend(first.id, {"amount": Decimal("78.5"), "date": dt.date(2026, 11, 1)}, version=1)
    assert (str(edited.amount), edited.version) == ("78.50", 2)
    with pytest.raises(StaleVersion) as stale:
        remote.delete(first.id, version=1)
    assert (stale.value.expense_id, stale.value.version) == (first.id, 2)
    assert remote.rename_category("life/long & 50 %", "Life?").name == "Life?"
    with pytest.raises(CategoryNotFound):
        remote.rename_category("life/long & 50 %", "x")
    remote.delete(first.id, version=3)
    remote.delete(first.id, version=3)
    with pytest.raises(ExpenseDeleted):
        remote.get(first.id)
    with pytest.raises(RecordedThenDeleted):
        remote.record(an_expense(amount="77", category="Life/Long & 50 %"))
    assert remote.restore(first.id).version == 5
    assert [line.change for line in remote.history(first.id)] == [
        "created",
        "amended",
        "amended",
        "deleted",
        "restored",
    ]
    wanted = ExpenseFilter(q="life?", amount_min="78", date_to="2026-11-01", sort="amount_asc")
    assert [e.id for e in remote.search(wanted).items] == [first.id]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_processes_do_not_read_each_others_answers(remote: RemoteLedger) -> None:
    remote.search()
    children = []
    for n in range(1, 5):
        child = os.fork()
        if child == 0:
            sent = [an_expense(amount=str(1000 * n + i), category="Fork") for i in range(10)]
            os._exit(0 if all(remote.record(new).expense.amount == new.amount for new in sent) else 1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert remote.search(ExpenseFilter(category="Fork")).count == 40
