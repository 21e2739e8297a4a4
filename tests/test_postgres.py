"""What is PostgreSQL's alone: how ledgers are made, kept apart, locked and reached over a network that fails."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import ClientCursor

from expense_lib import (
    CurrencyError,
    CursorError,
    ExpenseError,
    ExpenseFilter,
    Ledger,
    LedgerBusy,
    LedgerRestored,
    LedgerTooNew,
    LedgerUnavailable,
    NewExpense,
    analytics,
    open_ledger,
    statements,
)
from expense_lib.statements import read
from expense_lib.store import claims, expenses, queries
from expense_lib.store.postgres import schema, session
from expense_lib.store.postgres.texts import text
from expense_lib.store.transaction import Transaction
from tests import postgres
from tests.builders import ROOT, an_expense, environment, named

Admin = psycopg.Connection[Any]


@pytest.fixture
def address(database: str) -> str:
    return named(database, uuid.uuid4().hex)


@pytest.fixture
def ledger(address: str) -> Ledger:
    return Ledger(address)


@pytest.fixture
def admin(database: str) -> Iterator[Admin]:
    with psycopg.connect(database, autocommit=True) as con:
        yield con


@pytest.fixture
def fresh(admin: Admin, database: str) -> Iterator[str]:
    """A database without tables."""
    name = f"fresh_{uuid.uuid4().hex}"
    admin.execute(f"CREATE DATABASE {name}".encode())
    yield re.sub(r"/\w+\?", f"/{name}?", database)
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class TestMaking:
    RACING = """
import sys, threading
from expense_lib import NewExpense, open_ledger

def run(thread):
    ledger = open_ledger(sys.argv[1])
    for n in range(10):
        same = NewExpense(amount="1.00", category="Food", description=f"Equal {n}", date="2026-11-22")
        made = ledger.record(same)
        mine = NewExpense(amount="2.00", category="Own", description="Lunch", date="2026-11-22")
        keyed = [ledger.record(mine, f"{sys.argv[2]}-{thread}-{n}") for _ in range(2)]
        sys.stdout.write(f"{made.created} {keyed[0].created} {keyed[1].created}\\n")  # a line whole, of many threads
    ledger.amend(keyed[0].expense.id, {"note": "mine"}, None)
    ledger.delete(keyed[0].expense.id)

threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

    def test_race_of_many_processes_on_a_ledger_not_made_yet(self, fresh: str) -> None:
        """8 processes of 4 threads: each payment once, and a follower of the log misses nothing."""
        address = named(fresh, "main")
        started = [
            subprocess.Popen(
                [sys.executable, "-c", self.RACING, address, str(n)],
                env=environment(PYTHONPATH=str(ROOT)),
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(8)
        ]
        ledger, seen = Ledger(address), 0
        while any(process.poll() is None for process in started):
            for entry in ledger.log(since=seen):
                assert entry.seq == seen + 1
                seen = entry.seq
        said = [line.split() for process in started for line in process.communicate()[0].splitlines()]
        assert {process.returncode for process in started} == {0}
        assert [sum(each[at] == "True" for each in said) for at in range(3)] == [10, 320, 0]
        log = ledger.log()
        assert [entry.seq for entry in log] == list(range(1, 330 + 64 + 1))
        assert [entry.at for entry in log] == sorted(entry.at for entry in log)
        assert ledger.search().count == 330 - 32
        assert ledger.check() == []
        with psycopg.connect(fresh) as con:
            assert con.execute("SELECT name, id FROM all_ledger").fetchall() == [("main", 1)]
        ledger.close()

    def test_is_kept_in_its_currency(self, address: str) -> None:
        assert Ledger(address, "JPY").currency.exponent == 0
        assert Ledger(address).currency.code == "JPY"
        with pytest.raises(CurrencyError, match="kept in JPY, not in EUR"):
            Ledger(address, "EUR")

    def test_newer_tables_are_refused(self, fresh: str) -> None:
        Ledger(fresh).close()
        with psycopg.connect(fresh) as con:
            con.execute("UPDATE expense_schema SET version = version + 1, oldest = version + 1")
        with pytest.raises(LedgerTooNew):
            Ledger(fresh)

    def test_address_is_a_ledger_wherever_one_is_named(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EXPENSE_LEDGER", address)
        with open_ledger() as ledger:
            ledger.record(an_expense())
        assert open_ledger(address).search().count == 1

    def test_user_without_rights_to_make_tables_uses_those_that_are_there(
        self, fresh: str, admin: Admin
    ) -> None:
        ledger = Ledger(fresh)
        name = f"clerk_{uuid.uuid4().hex}"
        with psycopg.connect(fresh, autocommit=True) as con:
            con.execute(f"CREATE ROLE {name} LOGIN".encode())
            con.execute(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}".encode()
            )
        clerk = Ledger(fresh.replace("postgres@", f"{name}@"))
        assert clerk.record(an_expense()).created
        assert ledger.search().count == 1
        for each in (ledger, clerk):
            each.close()
        with psycopg.connect(fresh, autocommit=True) as con:
            con.execute(f"DROP OWNED BY {name}".encode())
            con.execute(f"DROP ROLE {name}".encode())


class TestGeneration:
    def test_ledger_of_before_there_were_generations_gets_one(self, fresh: str) -> None:
        before = next(n for n, each in enumerate(schema.MIGRATIONS) if "generation" in each[0])
        with psycopg.connect(fresh) as con:
            con.execute("CREATE TABLE expense_schema (version bigint NOT NULL)")
            con.execute("INSERT INTO expense_schema (version) VALUES (%s)", (before,))
            for statement in chain.from_iterable(schema.MIGRATIONS[:before]):
                con.execute(statement.encode())
            row = (1, "main", "ab" * 16, "USD", 2)
            con.execute("INSERT INTO all_ledger VALUES (%s, %s, %s, %s, %s)", row)
        with Ledger(named(fresh, "main")) as ledger:
            assert re.fullmatch("[0-9a-f]{16}", ledger.generation())
            assert ledger.record(an_expense()).created
            assert (ledger.search().count, ledger.check()) == (1, [])

    def test_ledger_of_another_time_is_told_and_what_is_of_before_is_refused(
        self, ledger: Ledger, address: str, admin: Admin
    ) -> None:
        """As where a database went back to its own backup, and whoever did it says so."""
        ledger.record(an_expense())
        ledger.record(an_expense(amount=1))
        before, cursor = ledger.generation(), ledger.search(ExpenseFilter(limit=1)).next_cursor
        assert ledger.search(ExpenseFilter(limit=1, cursor=cursor)).count == 2
        admin.execute("UPDATE all_ledger SET generation = %s WHERE name = %s", ("f" * 16, address[-32:]))
        with pytest.raises(LedgerUnavailable, match="another one by now"):
            ledger.search()
        with pytest.raises(LedgerRestored):
            ledger.delete(1)
        with pytest.raises(CursorError, match="of before"):
            ledger.search(ExpenseFilter(limit=1, cursor=cursor))
        assert (before, ledger.generation()) != ("f" * 16, before)
        ledger.delete(1)
        assert ledger.search().count == 1


class TestApart:
    def test_ledgers_of_equal_content_do_not_know_of_each_other(self, database: str) -> None:
        one, two = (Ledger(named(database, uuid.uuid4().hex)) for _ in range(2))
        for each in (one, two):
            for n in range(3):
                each.record(an_expense(description=f"Lunch {n}", tags=["a"], account="Giro"), f"key-{n}")
            each.add_rule("lunch", "Food")
        before = two.search().items, two.log(), two.categories(), two.accounts(), two.position()
        one.amend(1, {"amount": "13.00"}, 1)
        one.rename_category("Food", "Meals")
        one.delete(2)
        one.delete_rule(1)
        one.undo(one.changes()[0].number)
        assert (two.search().items, two.log(), two.categories(), two.accounts(), two.position()) == before
        assert one.check() == two.check() == []
        assert one.get(1).amount != two.get(1).amount

    def test_no_statement_of_the_store_names_a_table_or_another_ledger(self) -> None:
        """They name views, which show one ledger: what bypasses these stands in ``store/postgres`` alone."""
        for path in (ROOT / "expense_lib" / "store").glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not re.search(r"\ball_[a-z]+\b(?! )|\bledger_id\b(?= )", node.value), path

    def test_every_key_and_index_is_led_by_the_ledger(self, ledger: Ledger, admin: Admin) -> None:
        found = admin.execute(
            """
            SELECT tablename, indexname, indexdef FROM pg_indexes
             WHERE tablename LIKE 'all@_%' ESCAPE '@' AND tablename <> 'all_ledger'
            """
        ).fetchall()
        assert len(found) > len(schema.MIGRATIONS[0]) / 3
        for *_, definition in found:
            assert re.search(r"\(ledger_id, ", definition), definition

    def test_nothing_of_a_transaction_stays_with_the_connection(
        self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pooler gives it to somebody else then."""
        ledger.record(an_expense())
        with ledger.engine.connection("USD") as con:
            raw = con._kept.raw
            for setting, value in (("expenses.ledger", ""), ("lock_timeout", "0")):
                assert raw.execute(f"SHOW {setting}".encode()).fetchone() == (value,)
            assert raw.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


@pytest.fixture(scope="module")
def large(database: str) -> Ledger:
    """A ledger of 50,000 in a database whose statistics are of another."""
    other, unknown = (Ledger(named(database, uuid.uuid4().hex)) for _ in range(2))
    with psycopg.connect(database, autocommit=True) as con:
        for ledger in (other, unknown):
            with ledger.engine.connection("USD") as session:
                number = session.ledger.number
            con.execute(
                """
                INSERT INTO all_expense (
                    ledger_id, id, amount_minor, category, category_key, description, description_key,
                    date, occurrence, dedup_key, version, created_at, updated_at, last_seq
                )
                SELECT %(ledger)s, n, 1 + n %% 5000, 'Food', 'food ' || n %% 20, 'x' || n, 'x' || n,
                       to_char(date '2015-01-01' + (n %% 4000), 'YYYY-MM-DD'), 1, 'v1:' || n, 1, '2026-01-01T00:00:00.000Z',
                       '2026-01-01T00:00:00.000Z', n
                  FROM generate_series(1, 50000) AS n
                """,
                {"ledger": number},
            )
            con.execute(
                """
                INSERT INTO all_claim (ledger_id, key, expense_id)
                SELECT %s, 'v1:' || n, n FROM generate_series(1, 50000) AS n
                """,
                (number,),
            )
            if ledger is other:
                con.execute("ANALYZE all_expense, all_claim")
    return unknown


@pytest.mark.xdist_group("plans")
class TestPlans:
    @pytest.mark.parametrize(
        ("sql", "values", "index", "condition"),
        [
            (claims._CLAIM, {"key": "v1:7"}, "all_claim_pkey", "key = "),
            (claims._OWNERS, {"keys": json.dumps([f"v1:{n}" for n in range(99)])}, "all_claim_pkey", "key = ANY"),
            (claims._ROWS, {"keys": json.dumps([f"v1:{n}" for n in range(9)])}, "all_expense_pkey", "id = "),
            (expenses._BY_ID, {"id": 7}, "all_expense_pkey", "id = "),
            (expenses._BY_IDS, {"ids": json.dumps([7, 8, 9])}, "all_expense_pkey", "id = ANY"),
            (queries._PAGE.format(expense=expenses.SELECT, index="live_by_date", order="date, id", conditions="deleted_at IS NULL AND date >= :day"), {"day": "2024-01-01", "rows": 51}, "live_by_date", "date >= "),
            (queries._PAGE.format(expense=expenses.SELECT, index="live_by_category", order="date, id", conditions="deleted_at IS NULL AND category_key = :key"), {"key": "food 3", "rows": 51}, "live_by_category", "category_key = "),
        ],
        ids=["key", "keys", "owners", "id", "ids", "date", "category"],
    )  # fmt: skip
    def test_look_up_goes_by_an_index_led_by_the_ledger(
        self, large: Ledger, sql: str, values: dict[str, Any], index: str, condition: str
    ) -> None:
        engine = large.engine
        with engine.connection("USD") as con, engine.transaction(con, write=False):
            con.execute(sql, values)
            explained = con._kept.raw.execute(f"EXPLAIN {con.spelled(sql, values)}".encode()).fetchall()
        plan = [line for (line,) in explained]
        at = next(n for n, line in enumerate(plan) if f" using {index} on " in line)
        assert "Index Cond: ((ledger_id = " in plan[at + 1]
        assert condition in plan[at + 1]
        assert not [line for line in plan if "Seq Scan" in line]

    def test_rare_text_is_found_by_trigrams_where_the_owner_made_an_index(
        self, large: Ledger, admin: Admin
    ) -> None:
        if not admin.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").fetchone():
            pytest.skip("this server has no pg_trgm")
        said = (ROOT / "expense_lib" / "store" / "README.md").read_text(encoding="utf-8")
        admin.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        [index] = re.findall(r"^CREATE INDEX expense_text [^;]+;", said, re.MULTILINE)
        admin.execute(index)
        try:
            sql = queries._SOME.format(conditions="deleted_at IS NULL AND description_key LIKE :pattern")
            with large.engine.connection("USD") as con, large.engine.transaction(con, write=False):
                asked = con.spelled(sql, {"pattern": "%x4999%", "few": 5})
                con.execute("SELECT 1 FROM ledger")
                plan = [line for (line,) in con._kept.raw.execute(f"EXPLAIN {asked}".encode())]
            assert [line for line in plan if "Bitmap Index Scan on expense_text" in line]
            assert large.search(ExpenseFilter(q="X4999")).count == 11
        finally:
            admin.execute("DROP INDEX expense_text")


@pytest.mark.skipif(not postgres.has_pooler(), reason="no PgBouncer on this machine: install pgbouncer")
class TestPooler:
    """PgBouncer in transaction mode: each transaction may be on another connection to the server."""

    def test_many_share_few_connections(self, database: str) -> None:
        with postgres.pooler(database, 2) as url:
            names = [uuid.uuid4().hex for _ in range(3)]

            def work(n: int) -> None:
                ledger = Ledger(named(url, names[n % 3]))
                for m in range(5):
                    made = ledger.record(an_expense(description=f"{n} {m}"), f"{n}-{m}").expense
                    ledger.amend(made.id, {"amount": "13.00"}, 1)
                    assert ledger.get(made.id).version == 2
                ledger.import_statement(
                    statements.read(
                        b"Date,Description,Amount\n" + b"2026-01-01,Rent %d,1.00\n" % n * 250,
                        spending="positive",
                    )
                )

            with ThreadPoolExecutor(9) as pool:
                list(pool.map(work, range(9)))
            for name in names:
                ledger = Ledger(named(url, name))
                assert (ledger.search().count, ledger.check()) == (3 * 255, [])
                assert len(ledger.log(limit=10_000)) == 3 * 260
                ledger.close()


class TestNetwork:
    FAR = """
import sys
from expense_lib import NewExpense, open_ledger
from tests.builders import named
from tests.proxies import delaying

with delaying(sys.argv[1], 2) as far:  # by threads of this process
    with open_ledger(named(far, sys.argv[2])) as ledger:
        for n in range(3):
            ledger.record(NewExpense(amount="1.00", category="Food", description=f"{n}", date="2026-11-22"))
            print(ledger.search().count)
"""

    def test_other_threads_go_on_while_an_answer_is_on_its_way(self, database: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", self.FAR, database, uuid.uuid4().hex],
            env=environment(PYTHONPATH=str(ROOT)),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert done.stdout.split() == ["1", "2", "3"]

    def test_connection_that_the_server_hung_up_is_replaced(self, ledger: Ledger, admin: Admin) -> None:
        ledger.record(an_expense())
        terminate(ledger, admin)
        assert not ledger.record(an_expense()).created
        terminate(ledger, admin)
        assert ledger.amend(1, {"amount": "13.00"}, 1).version == 2

    def test_connection_lost_in_the_middle_is_told_and_sending_again_is_safe(
        self, ledger: Ledger, admin: Admin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger.record(an_expense())
        kept = expenses.last

        def after_that_lost(tx: Transaction) -> Any:
            found = kept(tx)
            terminate(ledger, admin)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(expenses, "last", after_that_lost)
            with pytest.raises(LedgerUnavailable, match="was lost"):
                ledger.amend(1, {"amount": "2.00"}, 1)
        assert ledger.amend(1, {"amount": "2.00"}, 1).version == 2
        assert ledger.check() == []

    def test_holder_that_froze_is_ended(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        ledger = Ledger(address)
        ledger.record(an_expense())
        monkeypatch.setattr(session, "IDLE_TIMEOUT", "300ms")
        with pytest.raises(LedgerUnavailable, match="lost"), ledger._writing() as tx:  # noqa: PT012
            tx.execute("SELECT 1 FROM ledger")
            assert ledger.record(an_expense(amount="2")).created
            tx.execute("SELECT 1 FROM ledger")
        assert ledger.search().count == 2

    def test_wait_for_the_lock_ends_in_busy(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session, "LOCK_TIMEOUT", "200ms")
        ledger = Ledger(address)
        with ledger._writing() as tx:
            tx.execute("SELECT 1 FROM ledger")
            with pytest.raises(LedgerBusy):
                ledger.record(an_expense())
            assert ledger.health().busy
        assert ledger.record(an_expense()).created
        assert not ledger.health().busy

    def test_another_ledger_of_the_database_is_not_locked(self, address: str, database: str) -> None:
        ledger, other = Ledger(address), Ledger(named(database, uuid.uuid4().hex))
        with ledger._writing() as tx:
            tx.execute("SELECT 1 FROM ledger")
            assert other.record(an_expense()).created
        assert (ledger.search().count, other.search().count) == (0, 1)

    def test_child_of_a_fork_has_a_connection_of_its_own(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        child = os.fork()
        if child == 0:
            try:
                ledger.record(an_expense(amount="2"))
                ledger.close()
            finally:
                os._exit(0 if ledger.search().count == 2 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert ledger.search().count == 2

    def test_thread_takes_its_connection_with_it(self, ledger: Ledger, admin: Admin) -> None:
        mine = connections(admin)
        with ThreadPoolExecutor(3) as pool:
            assert {page.count for page in pool.map(lambda _: ledger.search(), range(9))} == {0}
        wait_until(lambda: connections(admin) <= mine)

    def test_close_closes_the_connections_of_all_threads(self, ledger: Ledger, admin: Admin) -> None:
        inside, done = threading.Barrier(2), threading.Event()

        def work() -> None:
            ledger.search()
            inside.wait()
            done.wait()

        thread = threading.Thread(target=work)
        thread.start()
        inside.wait()
        before = connections(admin)
        ledger.close()
        wait_until(lambda: connections(admin) <= before - 2)
        done.set()
        thread.join()
        assert ledger.search().count == 0

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://anna:s3cret@127.0.0.1:1/db?ledger=main",
            "postgresql://anna@127.0.0.1:1/db?password=s3cret",
            "postgresql://anna:s3cret@127.0.0.1:1/db?nonsense=1",
            "postgresql://anna:s3cret@127.0.0.1:port/db",
            "postgresql://anna:s3cret@127.0.0.1/db?ledger=a&ledger=b",
            "postgresql://anna:s3cret@127.0.0.1/db?ledger=a%2Fb",
        ],
    )
    def test_password_is_in_no_message(self, url: str) -> None:
        with pytest.raises(LedgerUnavailable) as refused:
            Ledger(url)
        told: BaseException | None = refused.value
        while told is not None:
            assert "s3cret" not in f"{told} {told!r}"
            told = told.__cause__

    def test_password_is_not_shown(self, address: str) -> None:
        ledger = Ledger(address.replace("postgres@", "postgres:s3cret@"))
        assert repr(ledger) == f"Ledger('postgresql://postgres@/postgres?ledger={address[-32:]}', 'USD')"

    def test_removed_ledger_is_told(self, address: str, admin: Admin) -> None:
        ledger = Ledger(address)
        admin.execute("DELETE FROM all_ledger WHERE name = %s", (address[-32:],))
        for use in (ledger.search, lambda: ledger.record(an_expense())):
            with pytest.raises(LedgerUnavailable, match="no ledger of this name"):
                use()


class TestRecordingAtOnce:
    """What the database's function records is what the rules would."""

    def test_is_what_the_rules_record(self, ledger: Ledger, tmp_path: Path) -> None:
        chance = random.Random(3)  # noqa: S311 - made-up shopping
        other, told = Ledger(tmp_path / "other.db"), []
        for _ in range(300):
            new = an_expense(
                amount=str(chance.randint(1, 3)),
                category=chance.choice(["Food", "FOOD", "Fun"]),
                description=chance.choice(["", "Lunch", "lunch"]),
                account=chance.choice([None, "Giro", "GIRO"]),
                tags=chance.choice([[], ["b", "a"]]),
                occurrence=chance.choice([None, None, None, 1, 2, 7]),
            )
            key = chance.choice([None, f"key-{chance.randint(1, 60)}"])
            told.append([self.outcome(each, new, key) for each in (ledger, other)])
        assert [one for one, _ in told] == [two for _, two in told]
        assert {outcome for outcome, *_ in told[0]} == {"created"}
        assert {one[0] for one, _ in told} == {"created", "found", "IdempotencyKeyReused"}
        assert self.log(ledger) == self.log(other)
        assert (ledger.check(), other.check()) == ([], [])

    @staticmethod
    def outcome(ledger: Ledger, new: NewExpense, key: str | None) -> tuple[Any, ...]:
        try:
            receipt = ledger.record(new, key)
        except ExpenseError as error:
            return type(error).__name__, str(error)
        said = receipt.expense.model_dump(exclude={"created_at", "updated_at"})
        return "created" if receipt.created else "found", said, receipt.differs

    @staticmethod
    def log(ledger: Ledger) -> list[dict[str, Any]]:
        return [entry.model_dump(exclude={"at"}) for entry in ledger.log(limit=10_000)]

    def test_looks_beyond_the_occurrences_that_were_sent(self, ledger: Ledger) -> None:
        for n in range(20):
            assert ledger.record(an_expense(), f"key-{n}").expense.occurrence == n + 1
        assert not ledger.record(an_expense(), "key-19").created

    def test_is_not_what_a_repeat_waits_for(self, ledger: Ledger) -> None:
        ledger.record(an_expense())
        with ledger._writing() as tx:
            tx.execute("SELECT 1 FROM ledger")
            with ThreadPoolExecutor(1) as another:
                assert not another.submit(ledger.record, an_expense()).result(2).created


class TestScans:
    @pytest.mark.parametrize("few", [1, 7, 5_000])
    def test_few_and_many_are_found_alike(
        self, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
    ) -> None:
        monkeypatch.setattr(queries, "FEW", few)
        chance, other = random.Random(4), Ledger(tmp_path / "other.db")  # noqa: S311 - made-up shopping
        for n in range(40):
            new = an_expense(
                amount=str(chance.randint(1, 5)),
                category=chance.choice(["Food", "Fun"]),
                description=chance.choice(["Lunch", "Soup", "Cinema", "50%_off", "505 off", "a\\b"]),
                note=chance.choice(["", "with foo"]),
                account=chance.choice([None, "Giro"]),
                tags=chance.choice([[], ["a"]]),
            )
            for each in (ledger, other):
                each.record(new, f"{n}")
        for asked in (
            {"q": "oo"},
            {"q": "u"},
            {"q": "nothing"},
            {"q": "0%_"},
            {"q": "\\"},
            {"account": "Giro"},
            {"tag": "a", "q": "lun"},
        ):
            for sort in ("date_desc", "date_asc", "amount_desc", "amount_asc"):
                wanted = ExpenseFilter(**asked, sort=sort, limit=6)
                assert self.pages(ledger, wanted) == self.pages(other, wanted)
                days = [(seen.first, seen.last) for seen in (ledger.overview(wanted), other.overview(wanted))]
                assert days[0] == days[1]

    @staticmethod
    def pages(ledger: Ledger, wanted: ExpenseFilter) -> list[Any]:
        found, page = [], ledger.search(wanted)
        while True:
            found.append(([each.id for each in page.items], page.count, page.total))
            if page.next_cursor is None:
                return found
            page = ledger.search(wanted.model_copy(update={"cursor": page.next_cursor}))


class TestAnalysis:
    def test_texts_come_as_they_are(self, ledger: Ledger) -> None:
        texts = ["", "NULL", "\\N", 'say "hi", twice', "a,b;c", "'", "\\", "ünïcödé 😀", "x" * 400]
        for n, said in enumerate(texts):
            ledger.record(
                an_expense(description=said, note=f"{said}\n{n}", account=said[:100] or None), f"{n}"
            )
        ledger.amend(1, {"note": ""}, 1)
        with closing(analytics.connect(ledger)) as con:
            rows = con.sql("SELECT id, description, note, account FROM expenses ORDER BY id").fetchall()
            assert rows == [
                (each.id, each.description, each.note, each.account)
                for each in ledger.search(ExpenseFilter(sort="date_asc")).items
            ]
            ledger.amend(2, {"description": "other"}, 1)
            assert analytics.refresh(con) == 1
            assert con.sql("SELECT description FROM expenses WHERE id = 2").fetchall() == [("other",)]
            assert con.sql("SELECT count(*) FROM history WHERE expense_id IN (1, 2)").fetchall() == [(4,)]


class TestAnnounced:
    """What was announced is sent with the next statement, and is asked again if it may be other by then."""

    COUNT = "SELECT COUNT(*) FROM expense"
    NAMES = "SELECT COUNT(*) FROM category"

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        seen: list[str] = []
        kept = ClientCursor.execute

        def watched(self: ClientCursor[Any], query: Any, *given: Any) -> Any:
            seen.append(query.decode() if isinstance(query, bytes) else str(query))
            return kept(self, query, *given)

        monkeypatch.setattr(ClientCursor, "execute", watched)
        return seen

    def test_is_sent_with_the_next_and_not_again(self, ledger: Ledger, sent: list[str]) -> None:
        with ledger._writing() as tx:
            sent.clear()
            tx.ahead(self.COUNT)
            assert tx.execute(self.NAMES).fetchone() == (0,)
            assert [tx.execute(self.COUNT).fetchone() for _ in range(2)] == [(0,), (0,)]
            assert [self.COUNT in message for message in sent] == [True]

    def test_is_asked_again_after_its_table_was_written(self, ledger: Ledger, sent: list[str]) -> None:
        ledger.record(an_expense())
        with ledger._writing() as tx:
            tx.ahead(self.COUNT)
            tx.ahead(self.NAMES)
            assert tx.execute("SELECT 1 FROM ledger").fetchone() == (1,)
            sent.clear()
            tx.execute("UPDATE category SET name = name")
            assert tx.execute(self.COUNT).fetchone() == (1,)
            assert sent == []  # another table was written
            tx.executemany("DELETE FROM category WHERE key = ?", [("food",)])
            assert tx.execute(self.NAMES).fetchone() == (0,)
            tx.execute("DELETE FROM expense")
            assert tx.execute(self.COUNT).fetchone() == (0,)

    def test_is_asked_again_in_the_next_transaction(self, ledger: Ledger) -> None:
        for count in range(3):
            with ledger._reading() as tx:
                tx.ahead(self.COUNT)
                assert tx.execute(self.NAMES).fetchone() == (min(count, 1),)
                assert tx.execute(self.COUNT).fetchone() == (count,)
            ledger.record(an_expense(description=f"{count}"))


class TestRoundTrips:
    """What is sent at once is one round trip; so a change of many rows costs as many as one of few."""

    @pytest.fixture
    def sent(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        trips: list[int] = []
        kept = ClientCursor.execute

        def counted(self: ClientCursor[Any], *given: Any) -> Any:
            trips.append(1)
            return kept(self, *given)

        monkeypatch.setattr(ClientCursor, "execute", counted)
        return trips

    def test_one_expense_costs_few(self, ledger: Ledger, sent: list[int]) -> None:
        assert self.cost(sent, lambda: ledger.record(an_expense())) == 1
        assert self.cost(sent, lambda: ledger.record(an_expense())) == 1
        assert self.cost(sent, lambda: ledger.get(1)) == 1
        assert self.cost(sent, ledger.search) == 1
        assert self.cost(sent, lambda: ledger.search(ExpenseFilter(q="unc", category=["food", "fun"]))) == 1
        assert self.cost(sent, ledger.overview) == 1
        assert self.cost(sent, lambda: ledger.amend(1, {"amount": "13.00"}, 1)) == 3
        assert self.cost(sent, lambda: ledger.amend(1, {"category": "Fun", "account": "Giro"}, 2)) == 3
        assert self.cost(sent, lambda: ledger.delete(1)) == 3
        assert self.cost(sent, lambda: ledger.restore(1)) == 3
        assert self.cost(sent, lambda: ledger.split(1, [("6.00", "Food"), ("7.00", "Fun")])) <= 6

    @pytest.mark.parametrize("lines", [2, 150])
    def test_statement_costs_as_many_however_long_it_is(
        self, ledger: Ledger, sent: list[int], lines: int
    ) -> None:
        rows = [f"2026-11-{1 + n % 28:02},Shop {n},{1 + n}" for n in range(lines)]
        plan = read("\n".join(["Date,Description,Amount", *rows]).encode(), account="Giro")
        for n in range(3):
            ledger.record(an_expense(amount=str(n + 1), description=f"Shop {n}", date="2026-11-02"))
        assert self.cost(sent, lambda: ledger.import_statement(plan)) <= 20
        assert ledger.check() == []

    def test_two_expenses_are_one_in_few(self, ledger: Ledger, sent: list[int]) -> None:
        for n in range(2):
            ledger.record(an_expense(description=f"Lunch {n}"))
        assert self.cost(sent, lambda: ledger.merge(2, into=1)) <= 6
        assert ledger.check() == []

    @pytest.mark.parametrize("change", ["rename", "move", "undo"])
    def test_many_expenses_cost_as_many_as_few(self, ledger: Ledger, sent: list[int], change: str) -> None:
        costs = []
        for number in (2, 150):
            for n in range(number):
                ledger.record(an_expense(category=f"Of {number}", amount=str(1 + n)))
            if change == "move":
                found = ExpenseFilter(category=f"Of {number}")
                cost = self.cost(sent, lambda: ledger.recategorise(f"{number}", where=found))  # noqa: B023
            else:
                cost = self.cost(sent, lambda: ledger.rename_category(f"Of {number}", f"{number}"))  # noqa: B023
            if change == "undo":
                last = ledger.changes()[0].number
                cost = self.cost(sent, lambda: ledger.undo(last))  # noqa: B023
            costs.append(cost)
        assert costs[0] == costs[1] <= 6

    def test_very_many_expenses_are_changed_a_few_thousand_at_once(
        self, ledger: Ledger, sent: list[int]
    ) -> None:
        rows = [f"2026-11-{1 + n % 28:02},Shop {n},{1 + n}" for n in range(450)]
        plan = read("\n".join(["Date,Description,Amount", *rows]).encode(), account="Giro")
        done = ledger.import_statement(plan)
        total = ledger.search().total
        assert self.cost(sent, lambda: ledger.undo_import(done.id or 0)) <= 12
        assert (ledger.search().count, ledger.check()) == (0, [])
        assert ledger.import_statement(plan).created == 450
        assert (ledger.search().count, ledger.search().total, ledger.check()) == (450, total, [])

    @staticmethod
    def cost(sent: list[int], act: Callable[[], Any]) -> int:
        sent.clear()
        act()
        return len(sent)


def test_file_needs_no_postgresql(tmp_path: Any) -> None:
    code = """
import sys
sys.modules["psycopg"] = None
from expense_lib import Ledger, LedgerUnavailable, NewExpense, open_ledger
Ledger(sys.argv[1]).record(NewExpense(amount="1.00", category="Food", date="2026-11-22"))
try:
    open_ledger("postgresql://localhost/db")
except LedgerUnavailable as told:
    print(told)
"""
    said = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "expenses.db"],
        env=environment(),
        text=True,
        capture_output=True,
        check=True,
    )
    assert said.stdout == "A ledger in PostgreSQL needs psycopg: install expense-ledger[postgres].\n"


@pytest.mark.parametrize(
    ("sql", "converted"),
    [
        ("SELECT a FROM b WHERE c = :c AND d = ?", "SELECT a FROM b WHERE c = %(c)s AND d = %s"),
        ("SELECT a % 10, ':b', '?', c::text", "SELECT a %% 10, ':b', '?', c::text"),
        ("SELECT 1 WHERE a IN (SELECT value FROM json_each(:b))", "SELECT 1 WHERE a = ANY (%(b)s)"),
        ("SELECT a FROM b INDEXED BY c WHERE instr(d, :e) > 0", "SELECT a FROM b WHERE strpos(d, %(e)s) > 0"),
        ("INSERT INTO a (b) VALUES (?) ON CONFLICT (b) DO NOTHING", "INSERT INTO a (b) VALUES (%s) ON CONFLICT (ledger_id, b) DO NOTHING"),
        ("SELECT date(a.b, '-1 day')", "SELECT to_char(CAST(a.b AS date) + (-1), 'YYYY-MM-DD')"),
    ],
)  # fmt: skip
def test_text_is_spelled_for_postgresql(sql: str, converted: str) -> None:
    assert text(sql).sql == converted


def terminate(ledger: Ledger, admin: Admin) -> None:
    """End the server's side of this thread's connections, and wait until it is gone."""
    mine = "SELECT pid FROM pg_stat_activity WHERE application_name = 'expenses' AND datname = current_database()"
    admin.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({mine}) AS mine".encode())  # noqa: S608


def connections(admin: Admin) -> int:
    row = admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'expenses'"
    ).fetchone()
    return 0 if row is None else int(row[0])


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
