from __future__ import annotations

import datetime as dt
import inspect
import os
import pickle
import random
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from expense_lib import (
    AmountError,
    CategoryNotFound,
    ChangedSince,
    ChangeNotFound,
    CursorError,
    ExpenseDeleted,
    ExpenseFilter,
    ExpenseNotFound,
    Filter,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    InvalidInput,
    Ledger,
    LedgerBusy,
    LedgerUnavailable,
    RecordedThenDeleted,
    StaleVersion,
    SummaryQuery,
    client,
    open_ledger,
    transport,
)
from expense_lib.client import RemoteLedger
from expense_lib.transport import MAX_SENDS
from tests.builders import PATIENCE_S, an_expense, free_port, handler


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
    retry_after: ClassVar[str | None] = None
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
        if self.retry_after is not None:
            self.send_header("Retry-After", self.retry_after)
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


@pytest.mark.parametrize("wait", ["0", "rubbish", "", "1.5", "-1", "1, 2", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_wait_that_makes_no_sense_is_none(scripted: Any, wait: str) -> None:
    script, remote = scripted
    script.retry_after = wait
    script.answers = [(503, "application/problem+json", BUSY), (503, "text/html", b""), EMPTY]
    assert remote.search().count == 0
    script.answers = [(503, "application/problem+json", BUSY)] * 4
    with pytest.raises(LedgerBusy):
        remote.search()


@pytest.mark.parametrize("page", [b"<h1>Sign in</h1>", b""])
def test_page_that_is_no_backup_is_not_kept_as_one(scripted: Any, tmp_path: Path, page: bytes) -> None:
    script, remote = scripted
    script.answers = [(200, "text/html", page)]
    with pytest.raises(LedgerUnavailable, match="no expense handler"):
        remote.backup(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("token", ["two words", "☕", "a\nb", ""])
def test_token_that_no_handler_can_have_is_refused(token: str) -> None:
    with pytest.raises(LedgerUnavailable, match="A token is"):
        RemoteLedger("http://127.0.0.1:1", token)


def test_names_that_no_category_can_have_are_not_found(remote: RemoteLedger) -> None:
    for name in ("", "\ud800"):
        with pytest.raises(CategoryNotFound):
            remote.rename_category(name, "x")


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


class Flaky(socketserver.BaseRequestHandler):
    """Passes requests on to *target*, one for each connection, and answers as the next of *moods* has it."""

    target: ClassVar[tuple[str, int]]
    moods: ClassVar[list[str]]
    passed_on: ClassVar[list[bytes]]
    sends: ClassVar[int] = 0

    def whole_request(self) -> bytes:
        stream = self.request.makefile("rb")
        head = b"".join(iter(stream.readline, b"\r\n")) + b"\r\n"
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return head + (stream.read(int(length[1])) if length else b"")

    def handle(self) -> None:
        asked = self.whole_request()
        type(self).sends += 1
        mood = self.moods.pop(0) if self.moods else "passes"
        if mood == "drops before":
            return
        if mood[:3].isdigit():
            head = f"HTTP/1.1 {mood}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            self.request.sendall(head.encode())
            return
        self.passed_on.append(asked)
        with socket.create_connection(self.target) as handler_side:
            handler_side.sendall(asked.replace(b"Connection: keep-alive", b"Connection: close"))
            answer = b"".join(iter(lambda: handler_side.recv(65536), b""))
        self.request.sendall(
            {"drops after": b"", "cuts head": answer[:20], "cuts body": answer[:-9]}.get(mood, answer)
        )


@pytest.fixture
def flaky(served: tuple[str, Path]) -> Iterator[tuple[type[Flaky], RemoteLedger]]:
    host, _, port = served[0].rpartition("/")[2].partition(":")

    class Proxy(Flaky):
        target: ClassVar[tuple[str, int]] = (host, int(port))
        moods: ClassVar[list[str]] = []
        passed_on: ClassVar[list[bytes]] = []

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Proxy, RemoteLedger(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("key", [None, "a-key"])
@pytest.mark.parametrize(
    "moods",
    [
        ["passes"],
        ["drops before"],
        ["drops before", "drops before", "drops before"],
        ["drops after"],
        ["drops after", "drops before", "drops after"],
        ["cuts head"],
        ["cuts body"],
        ["cuts body", "drops after", "cuts body"],
    ],
    ids=" - ".join,
)
def test_payment_is_recorded_once_however_the_network_fails(
    flaky: tuple[type[Flaky], RemoteLedger], served: tuple[str, Path], moods: list[str], key: str | None
) -> None:
    proxy, remote = flaky
    new = an_expense(category="Flaky", description=f"{moods} {key}")
    proxy.moods[:] = moods
    receipt = remote.record(new, key and f"{key} {moods}".replace(" ", "_"))
    lost = [mood for mood in moods if mood not in ("passes", "drops before")]
    assert receipt.created == (not lost)  # else what is answered is that it was there already
    assert len(proxy.passed_on) == len(lost) + 1
    sent = {line for asked in proxy.passed_on for line in asked.split(b"\r\n") if b"Idempotency-Key" in line}
    assert len(sent) == (1 if key else 0)
    found = Ledger(served[1]).search(ExpenseFilter(q=new.description))
    assert [expense.id for expense in found.items] == [receipt.expense.id]


def test_network_that_fails_for_good_is_told_in_time(flaky: tuple[type[Flaky], RemoteLedger]) -> None:
    proxy, remote = flaky
    proxy.moods[:] = ["drops before"] * 20
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        remote.record(an_expense())
    assert proxy.sends == MAX_SENDS == 4


FAILURES = [
    "drops before",
    "drops after",
    "cuts head",
    "cuts body",
    "502 Bad Gateway",
    "503 Busy\r\nRetry-After: soon",
    "504 Late\r\nRetry-After: 9999999999999999999999",
]


def test_no_mix_of_failures_is_sent_more_than_four_times(
    flaky: tuple[type[Flaky], RemoteLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BACKOFF_S", 0.001)
    monkeypatch.setattr(transport, "MAX_RETRY_AFTER_S", 0.001)
    proxy, remote = flaky
    chance = random.Random(0)  # noqa: S311 - which mixes, no secret
    for _ in range(40):
        mix = chance.choices(FAILURES, k=20)
        proxy.moods[:], proxy.sends = mix[:], 0
        with pytest.raises(LedgerUnavailable):
            remote.categories()
        assert proxy.sends == 4, mix[:4]
        proxy.moods[:], proxy.sends = mix[:3], 0
        remote.categories()
        assert proxy.sends == 4, mix[:3]


def test_rename_is_sent_once(flaky: tuple[type[Flaky], RemoteLedger]) -> None:
    proxy, remote = flaky
    remote.record(an_expense(category="Once"))
    proxy.moods[:] = ["drops after", "passes"]
    with pytest.raises(LedgerUnavailable):
        remote.rename_category("Once", "Twice")
    assert {category.name for category in remote.categories()} >= {"Twice"}


@pytest.mark.parametrize("mood", FAILURES)
def test_what_is_not_idempotent_is_never_retried(flaky: tuple[type[Flaky], RemoteLedger], mood: str) -> None:
    proxy, remote = flaky
    proxy.moods[:] = [mood] * 4
    with pytest.raises(LedgerUnavailable):
        remote.delete_rule(7)
    assert proxy.sends == 1


@pytest.mark.parametrize("mood", ["drops after", "cuts body", "503 Busy"])
def test_decisions_whose_answers_are_lost_are_sent_again_and_made_once(
    flaky: tuple[type[Flaky], RemoteLedger], mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BACKOFF_S", 0.001)
    proxy, remote = flaky
    one, other = (
        remote.record(an_expense(category="Decisions", description=f"{name} {mood}")).expense
        for name in ("One", "Other")
    )
    last = max([change.number for change in remote.changes()], default=0)
    proxy.moods[:] = [mood, "passes"]
    version = remote.merge(other.id, into=one.id).version
    proxy.moods[:] = [mood, "passes"]
    first, _ = remote.split(one.id, [("10.00", "Decisions"), ("2.50", "Split")], version)
    proxy.moods[:] = [mood, "passes"]
    remote.add_rule(f"rule {mood}", skip=True)
    assert (proxy.moods, first.whole) == ([], Decimal("12.50"))
    found = remote.search(ExpenseFilter(category="Decisions", q=mood))
    assert [(each.id, str(each.amount)) for each in found.items] == [(one.id, "10.00")]
    changes = [change.change for change in remote.changes() if change.number > last]
    assert changes == ["rule", "split", "merged"]


def test_refused_connection_is_retried_whatever_is_sent() -> None:
    """Nothing of the request can have been sent."""
    port = free_port()

    class Late(Scripted):
        answers: ClassVar[list[tuple[int | None, str, bytes]]] = [(204, "application/json", b"")]
        seen: ClassVar[list[str]] = []
        do_DELETE = Scripted.do_GET  # noqa: N815 - the name that http.server looks for

    def start() -> ThreadingHTTPServer:
        time.sleep(0.15)  # the first request comes before, and a later one after this
        return ThreadingHTTPServer(("127.0.0.1", port), Late)

    with ThreadPoolExecutor(1) as threads:
        calling = threads.submit(RemoteLedger(f"http://127.0.0.1:{port}").delete_rule, 7)
        with start() as server:
            server.timeout = PATIENCE_S
            server.handle_request()
        calling.result(PATIENCE_S)
    assert Late.seen == ["/rules/7"]


@pytest.mark.parametrize(("asked", "waited_s"), [("1", 1), ("3600", 1.2)], ids=["as asked", "within bounds"])
def test_retry_waits_as_long_as_it_is_asked_to(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, asked: str, waited_s: float
) -> None:
    monkeypatch.setattr(transport, "MAX_RETRY_AFTER_S", 1.2)
    monkeypatch.setattr(transport, "BACKOFF_S", 0.001)
    script, remote = scripted
    script.retry_after = asked
    script.answers = [(503, "application/problem+json", BUSY), EMPTY]
    began = time.monotonic()
    remote.search()
    assert waited_s <= time.monotonic() - began < waited_s + 6


def test_call_ends_at_its_deadline_however_many_retries_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CALL_TIMEOUT_S", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and never answers
        began = time.monotonic()
        with pytest.raises(LedgerUnavailable, match="can't be reached"):
            transport.Transport(f"http://127.0.0.1:{silent.getsockname()[1]}", None).send(
                "GET", "/", timeout_s=1
            )
        assert 1 <= time.monotonic() - began < 3


@pytest.mark.parametrize("mood", FAILURES)
def test_download_is_retried_from_its_beginning(
    flaky: tuple[type[Flaky], RemoteLedger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    monkeypatch.setattr(transport, "MAX_RETRY_AFTER_S", 0.001)
    monkeypatch.setattr(client, "CHUNK_BYTES", 16)  # so that much is written before the body is cut off
    proxy, remote = flaky
    remote.record(an_expense(category="Download"))
    rows = remote.search().count
    proxy.moods[:] = [mood, mood]
    remote.backup(tmp_path / "copy.db")
    assert Ledger(tmp_path / "copy.db").search().count == rows
    proxy.moods[:], told = [mood], []
    remote.export_csv(tmp_path / "copy.csv", progress=lambda done, of: told.append((done, of)))
    assert told == [(rows, rows)]
    assert len((tmp_path / "copy.csv").read_text().splitlines()) == rows + 1


def sockets(url: str) -> int:
    """The sockets of this process that are connected to the server at *url*."""
    port = f":{urlsplit(url).port:04X}"
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    theirs = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(port)}
    names = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them is gone by now
            names.append(str(descriptor.readlink()))
    return sum(name in theirs for name in names)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc/self/fd")
def test_closed_remote_ledger_has_no_connection_until_it_is_used_again(tmp_path: Path) -> None:
    with (
        handler(tmp_path / "own.db") as url,  # to which no other test of this process is connected
        open_ledger(url) as remote,
        ThreadPoolExecutor(3) as threads,
    ):
        together = threading.Barrier(3)

        def use() -> None:
            together.wait(PATIENCE_S)
            remote.search()

        for _ in range(2):
            for each in [threads.submit(use) for _ in range(3)]:
                each.result()
            assert sockets(url) > 0
            remote.close()
            assert sockets(url) == 0


def test_move_is_sent_once_and_what_records_or_amends_still_again(
    flaky: tuple[type[Flaky], RemoteLedger],
) -> None:
    proxy, remote = flaky
    expense = remote.record(an_expense(category="Move once")).expense
    for mood in ("drops after", "cuts head"):
        proxy.moods[:] = [mood, "passes"]
        with pytest.raises(LedgerUnavailable):
            remote.recategorise(f"Moved: {mood}", ids=[expense.id])
        assert proxy.moods == ["passes"]
        assert remote.get(expense.id).category == f"Moved: {mood}"
        proxy.moods[:] = [mood, "passes"]
        assert remote.amend(expense.id, {"category": "Move once"}, None).category == "Move once"


def test_moves_and_deeds_from_afar(remote: RemoteLedger, served: tuple[str, Path]) -> None:
    local = Ledger(served[1])
    ids = [
        remote.record(an_expense(amount=amount, category="Move", date=f"2026-11-0{amount}")).expense.id
        for amount in (1, 2, 3)
    ]
    wanted = ExpenseFilter(
        category=["move", "elsewhere"], amount_min="2", date_to="2026-11-02", sort="date_asc"
    )
    for chosen, count in (({"where": wanted}, 1), ({"ids": ids}, 2), ({"ids": ids}, 0)):
        moved = remote.recategorise("Möved", **chosen)
        assert (moved.count, moved.category) == (count, "Möved")
        assert moved.number is None or moved.number == local.changes(limit=1)[0].number
    renamed = remote.rename_category("Möved", "Moved again")
    assert renamed.number is not None
    assert remote.undo(renamed.number).undone == tuple(ids)
    assert remote.changes() == local.changes() != []
    assert remote.changes(before=renamed.number, limit=2) == local.changes(before=renamed.number, limit=2)
    assert remote.changes(before=10**30, limit=10**6) == local.changes(limit=10**6)
    assert remote.changes(before=0) == remote.changes(limit=0) == []
    with pytest.raises(ExpenseNotFound) as missing:
        remote.recategorise("Fun", ids=[10**30])
    assert missing.value.expense_id == 10**30


@pytest.mark.parametrize(
    "chosen",
    [{}, {"ids": ["x"]}, {"where": Filter(amount_max="1.234")}, {"where": Filter(), "ids": []}],
    ids=str,
)
def test_moves_are_refused_as_by_the_local_ledger(remote: RemoteLedger, path: Path, chosen: Any) -> None:
    with pytest.raises(InvalidInput) as here:
        Ledger(path).recategorise("Fun", **chosen)
    with pytest.raises(InvalidInput) as afar:
        remote.recategorise("Fun", **chosen)
    assert (type(afar.value), afar.value.errors) == (type(here.value), here.value.errors)


def test_undo_check_and_health_from_afar(remote: RemoteLedger, served: tuple[str, Path]) -> None:
    local = Ledger(served[1])
    expense = remote.record(an_expense(amount="5", category="Undo")).expense
    remote.amend(expense.id, {"amount": "6"}, expense.version)
    change = next(line for line in reversed(local.log()) if line.expense_id == expense.id)
    undone = remote.undo(change.number)
    assert (undone.undone, str(remote.get(expense.id).amount)) == ((expense.id,), "5.00")
    remote.amend(expense.id, {"amount": "7"}, None)
    with pytest.raises(ChangedSince) as later:
        remote.undo(change.number)
    assert later.value.expense_ids == [expense.id]
    for number in (0, 10**6, 10**30):
        with pytest.raises(ChangeNotFound) as missing:
            remote.undo(number)
        assert missing.value.number == number
    assert remote.check() == local.check() == []
    assert remote.health() == local.health()


def test_changes_and_summary_from_afar(remote: RemoteLedger, served: tuple[str, Path]) -> None:
    local = Ledger(served[1])
    remote.record(an_expense(category="Sum", date="2026-10-01"))
    assert remote.log() == local.log()
    assert remote.log(since=2, limit=3) == local.log(since=2, limit=3)
    assert remote.log(since=10**30) == remote.log(limit=0) == []
    for by in ("month", "category", "month,category"):
        wanted = SummaryQuery.model_validate({"by": by, "category": ["sum", "food"], "amount_min": "1"})
        assert remote.summary(wanted) == local.summary(wanted)
    assert remote.summary() == local.summary()


def test_backup_from_afar_is_a_ledger_of_its_own(
    remote: RemoteLedger, served: tuple[str, Path], tmp_path: Path
) -> None:
    remote.record(an_expense(category="Backup"))
    copy = tmp_path / "copy.db"
    remote.backup(copy)
    assert Ledger(copy).check() == []
    there, here = Ledger(served[1]).search(), Ledger(copy).search()
    assert (here.items, here.count, here.total) == (there.items, there.count, there.total)
    with pytest.raises(LedgerUnavailable, match="already"):
        remote.backup(copy)


@pytest.mark.parametrize("mood", ["cuts head", "cuts body", "drops before"])
def test_backup_that_was_cut_off_leaves_nothing(
    flaky: tuple[type[Flaky], RemoteLedger], tmp_path: Path, mood: str
) -> None:
    proxy, remote = flaky
    proxy.moods[:] = [mood] * 5
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        remote.backup(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_handler_with_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with handler(tmp_path / "expenses.db", EXPENSE_API_TOKEN="one,two") as url:  # noqa: S106
        monkeypatch.setenv("EXPENSE_API_URL", url)
        monkeypatch.setenv("EXPENSE_API_TOKEN", " , one , two")
        assert open_ledger().record(an_expense()).created  # with the first
        remote = pickle.loads(pickle.dumps(RemoteLedger(url, "two")))  # noqa: S301
        assert remote.search().count == 1
        remote.backup(tmp_path / "copy.db")
        for token in (None, "three"):
            with pytest.raises(LedgerUnavailable, match="401"):
                RemoteLedger(url, token).search()
            assert RemoteLedger(url, token).health().status == "ok"
        assert "one" not in repr(open_ledger())


def test_every_method_of_a_ledger_is_there_from_afar() -> None:
    of_a_store = {"path", "copy_to"}
    public = {name for name in vars(Ledger) if not name.startswith("_")} - of_a_store
    assert public <= set(vars(RemoteLedger))
    for name in public:
        assert inspect.signature(getattr(Ledger, name)) == inspect.signature(getattr(RemoteLedger, name)), (
            name
        )


def test_what_differs_is_told_as_by_the_local_ledger(remote: RemoteLedger, tmp_path: Path) -> None:
    """A null that was said is sent: it is said that the account is not known."""
    local = Ledger(tmp_path / "local.db")
    for ledger in (remote, local):
        ledger.record(an_expense(description="Differs", account="Giro", note="with Ada"))
    for again in ({}, {"account": None}, {"account": "giro", "note": ""}, {"occurrence": None}):
        sent = an_expense(description="Differs", **again)
        assert remote.record(sent).differs == local.record(sent).differs
    assert remote.record(an_expense(description="Differs", account=None)).differs == ("account",)
