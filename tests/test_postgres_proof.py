"""What was acknowledged is there, once: whoever is killed, whatever is cut, however long it takes."""

from __future__ import annotations

import random
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from expense_lib import Ledger, LedgerBusy, LedgerUnavailable
from tests import postgres, proxies
from tests.builders import ROOT, an_expense, environment, named

PATIENCE_S = 60

own_server = pytest.mark.skipif(postgres.DSN is not None, reason="EXPENSE_TEST_POSTGRES is not ours to stop")


@pytest.fixture
def address(database: str) -> str:
    return named(database, uuid.uuid4().hex)


class Lane:
    """A payer, whose payments a process of its own records, in order, each until it is acknowledged."""

    CLIENT = """
import sys, time
from expense_lib import Ledger, LedgerUnavailable, NewExpense

address, payer, first, end = sys.argv[1:]
ledger, number, deadline = None, int(first), time.monotonic() + 100
while number < int(end) and time.monotonic() < deadline:
    new = NewExpense(amount="1.00", category="Food", description=f"{payer} {number}", date="2026-11-22")
    try:
        ledger = ledger or Ledger(address)
        ledger.record(new, f"{payer}-{number}" if number % 2 else None)
    except LedgerUnavailable:
        time.sleep(0.02)
    else:
        print(number, flush=True)
        number += 1
"""

    def __init__(self, address: str, payer: str, end: int) -> None:
        self.address, self.payer, self.end = address, payer, end
        self.acknowledged: list[int] = []

    def start(self) -> subprocess.Popen[str]:
        """A process that goes on with the first payment that was not acknowledged."""
        first = str(len(self.acknowledged))
        return subprocess.Popen(
            [sys.executable, "-c", self.CLIENT, self.address, self.payer, first, str(self.end)],
            env=environment(PYTHONPATH=str(ROOT)),
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, process: subprocess.Popen[str]) -> Iterator[int]:
        """The payments that the process acknowledges, until it ends."""
        assert process.stdout is not None
        with process:
            for line in process.stdout:
                self.acknowledged.append(int(line))
                yield int(line)

    def run(self, kills: int = 0) -> None:
        """Have all of them acknowledged, though the process is killed so often, in the middle of its work."""
        for _ in range(kills):
            process, more = self.start(), random.randint(3, 9)  # noqa: S311
            for _ in self.read(process):
                more -= 1
                if more == 0:
                    process.kill()
            assert process.returncode == -9
        process = self.start()
        for _ in self.read(process):
            pass
        assert process.returncode == 0


def assert_each_is_there_once(address: str, lanes: list[Lane]) -> None:
    with Ledger(address) as ledger:
        log = ledger.log(limit=10_000)
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        expected = sorted(f"{lane.payer} {number}" for lane in lanes for number in range(lane.end))
        assert sorted(entry.after.description for entry in log if entry.after) == expected
        assert all(lane.acknowledged == list(range(lane.end)) for lane in lanes)
        assert (ledger.search().count, ledger.check()) == (len(expected), [])


class TestCrash:
    @own_server
    def test_server_stopped_at_once_ten_times_loses_nothing(self) -> None:
        with postgres.stoppable(fsync=True) as server:
            address = named(server.url, "main")
            lanes = [Lane(address, f"payer-{n}", 120) for n in range(3)]
            with ThreadPoolExecutor(3) as pool:
                running = [pool.submit(lane.run) for lane in lanes]
                for stop in range(1, 11):
                    expected = 24 * stop
                    wait_until(lambda: sum(len(lane.acknowledged) for lane in lanes) >= expected)  # noqa: B023
                    server.stop()
                    server.start()
                assert not all(each.done() for each in running)
                for each in running:
                    each.result(PATIENCE_S)
            assert_each_is_there_once(address, lanes)

    def test_clients_killed_twenty_times_lose_nothing(self, address: str) -> None:
        lanes = [Lane(address, f"payer-{n}", 60) for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            for each in [pool.submit(lane.run, kills=5) for lane in lanes]:
                each.result(PATIENCE_S)
        assert_each_is_there_once(address, lanes)


class TestCut:
    def test_answer_lost_after_the_commit_is_found_by_sending_again(self, database: str) -> None:
        with proxies.cutting(database) as cut:
            ledger = Ledger(named(cut.url, uuid.uuid4().hex))
            for number in range(1, 21):
                new, key = an_expense(description=f"Lunch {number}"), f"key-{number}" if number % 2 else None
                cut.next_commit()
                with pytest.raises(LedgerUnavailable, match="Sending again is safe"):
                    ledger.record(new, key)
                assert cut.cuts == number
                again = ledger.record(new, key)
                assert (again.created, again.expense.id) == (False, number)
            assert (ledger.search().count, ledger.check()) == (20, [])
            ledger.close()

    def test_edit_whose_answer_was_lost_is_found_done(self, database: str) -> None:
        with proxies.cutting(database) as cut:
            ledger = Ledger(named(cut.url, uuid.uuid4().hex))
            ledger.record(an_expense())
            cut.next_commit()
            with pytest.raises(LedgerUnavailable, match="lost"):
                ledger.amend(1, {"amount": "13.00"}, 1)
            assert ledger.amend(1, {"amount": "13.00"}, 1).version == 2
            assert (len(ledger.history(1)), ledger.check()) == (2, [])
            ledger.close()


def test_long_way_is_as_long_as_was_said(database: str) -> None:
    with proxies.delaying(database, 20) as url:
        ledger = Ledger(named(url, uuid.uuid4().hex))
        ledger.record(an_expense())
        began = time.monotonic()
        ledger.get(1)
        assert time.monotonic() - began >= 0.04
        ledger.close()


class TestReadOnly:
    @own_server
    def test_standby_answers_reads_and_refuses_writes_in_words(self) -> None:
        with postgres.stoppable(fsync=False) as primary:
            ledger = Ledger(named(primary.url, "main"))
            ledger.record(an_expense(), "key-1")
            with postgres.standby(primary) as standby:
                self.assert_reads_and_refuses(named(standby.url, "main"))
                ledger.record(an_expense(amount="2"))
                replica = Ledger(named(standby.url, "main"))
                wait_until(lambda: replica.search().count == 2)
                replica.close()
            ledger.close()

    def test_database_that_was_set_so_does_too(self, database: str, address: str) -> None:
        Ledger(address).record(an_expense(), "key-1")
        self.assert_reads_and_refuses(f"{address}&options=-c%20default_transaction_read_only%3Don")

    @staticmethod
    def assert_reads_and_refuses(address: str) -> None:
        ledger = Ledger(address)
        assert (ledger.search().count, ledger.get(1).version, ledger.check()) == (1, 1, [])
        assert len(ledger.log()) == 1
        assert not ledger.record(an_expense(), "key-1").created
        health = ledger.health()
        assert (health.status, health.writable, health.busy) == ("read-only", False, False)
        for write in (
            lambda: ledger.record(an_expense(), "key-2"),
            lambda: ledger.amend(1, {"amount": "13.00"}, 1),
            lambda: ledger.delete(1),
            lambda: Ledger(
                f"{address}-other"
                if address.endswith("main")
                else address.replace("ledger=", "ledger=other-")
            ),
        ):
            with pytest.raises(LedgerUnavailable, match="takes no writes: it is a read-only replica"):
                write()
        assert ledger.get(1).version == 1
        ledger.close()


class TestTLS:
    """What libpq is asked of TLS in the address holds; the server's side is the tests' own."""

    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def url(self, database: str, authority: trustme.CA) -> Iterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        with proxies.speaking_tls(database, context) as url:
            yield url.replace("postgres@", "postgres:s3cret@")

    def test_certificate_of_a_trusted_root_is_taken(
        self, url: str, authority: trustme.CA, tmp_path: Path
    ) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "root.pem"))
        asked = f"{url}&sslmode=verify-full&sslrootcert={tmp_path / 'root.pem'}"
        with Ledger(named(asked, uuid.uuid4().hex)) as ledger:
            assert ledger.record(an_expense()).created
            assert not ledger.record(an_expense()).created

    @pytest.mark.parametrize("fault", ["another root", "another name", "no root"])
    def test_another_is_refused_in_words(
        self, url: str, authority: trustme.CA, tmp_path: Path, fault: str
    ) -> None:
        root = authority if fault == "another name" else trustme.CA()
        if fault != "no root":
            root.cert_pem.write_to_path(str(tmp_path / "root.pem"))
        if fault == "another name":
            url = url.replace("127.0.0.1", "localhost")
        with pytest.raises(LedgerUnavailable, match="certificate") as refused:
            Ledger(f"{url}&sslmode=verify-full&sslrootcert={tmp_path / 'root.pem'}")
        assert "s3cret" not in f"{refused.value} {refused.value.__cause__!r}"

    def test_server_without_is_refused_where_it_is_asked_for(self, database: str) -> None:
        with proxies.delaying(database, 0) as url, pytest.raises(LedgerUnavailable, match="speaks no TLS"):
            Ledger(url.replace("sslmode=disable", "sslmode=require"))


class TestTimeouts:
    @pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
    def test_end_in_busy(self, address: str, setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
        ledger = Ledger(address)
        ledger.record(an_expense())
        if setting == "lock_timeout":  # the library has one of its own
            monkeypatch.setattr("expense_lib.store.postgres.session.LOCK_TIMEOUT", "100ms")
        hurried = Ledger(f"{address}&options=-c%20{setting}%3D100")
        with ledger._writing() as tx:
            tx.execute("SELECT 1 FROM ledger")
            for write in (
                lambda: hurried.record(an_expense(), "another"),
                lambda: hurried.amend(1, {"amount": "13.00"}, 1),
            ):
                with pytest.raises(LedgerBusy):
                    write()
        assert hurried.amend(1, {"amount": "13.00"}, 1).version == 2
        assert (hurried.search().count, hurried.check()) == (1, [])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
