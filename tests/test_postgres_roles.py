"""Who owns the tables in PostgreSQL and who uses them, and two releases on one database."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expense_lib import (
    Ledger,
    LedgerBusy,
    LedgerTooNew,
    LedgerUnavailable,
    statements,
)
from expense_lib.__main__ import main
from expense_lib.store.postgres import schema, session
from tests.builders import ROOT, an_expense, environment, named

Admin = psycopg.Connection[Any]

GRANTS = re.findall(
    r"^```sql\n(CREATE ROLE.*?)^```$",
    (ROOT / "expense_lib" / "store" / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture
def fresh(database: str) -> Iterator[str]:
    """A database without tables, of an owner of its own. Yields the owner's address of it."""
    name = f"fresh_{uuid.uuid4().hex}"
    with psycopg.connect(database, autocommit=True) as con:
        con.execute(f"CREATE ROLE {name}_owner LOGIN".encode())
        con.execute(f"CREATE DATABASE {name} OWNER {name}_owner".encode())
        yield re.sub(r"//.*?@(.*?)/\w+\?", rf"//{name}_owner@\1/{name}?", database)
        con.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        for (role,) in con.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (name,)):
            con.execute(f"DROP ROLE {role}".encode())


@pytest.fixture
def handler(fresh: str) -> str:
    """The address of the same database for a role that has what the README grants."""
    owner = re.findall(r"//(\w+)@", fresh)[0]
    role = owner.replace("_owner", "_handler")
    with psycopg.connect(fresh.replace(owner, "postgres"), autocommit=True) as con:
        create, *granted = GRANTS[0].replace("expenses_handler", role).strip().splitlines()
        con.execute(create.encode())
        con.execute(f"SET ROLE {owner}".encode())
        for statement in granted:
            con.execute(statement.encode())
    return fresh.replace(owner, role)


def bank(rows: int, account: str = "Giro") -> statements.Plan:
    lines = [f"2026-11-{1 + n % 28:02},Shop {n},{100 + n}" for n in range(rows)]
    return statements.read("\n".join(["Date,Description,Amount", *lines]).encode(), account=account)


class TestRoles:
    def test_handler_of_rows_alone_does_everything(
        self, fresh: str, handler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before the tables were made it is told who makes them; then it may do all that a ledger does."""
        with pytest.raises(LedgerUnavailable, match="let their owner run `expenses migrate`"):
            Ledger(handler)
        assert main(["migrate", "--ledger", fresh]) == 0
        monkeypatch.setattr(session, "_UNKNOWN", 100)
        with Ledger(handler, "EUR") as ledger:
            assert ledger.record(an_expense()).created
            assert not ledger.record(an_expense()).created
            assert ledger.amend(1, {"amount": "13.00"}, 1).version == 2
            imported = ledger.import_statement(bank(450))
            assert (imported.created, ledger.search().count) == (450, 451)
            ledger.add_rule("shop", "Food")
            ledger.rename_category("Uncategorised", "Other")
            ledger.undo(ledger.changes()[0].number)
            ledger.undo_import(imported.id or 0)
            ledger.delete_rule(1)
            ledger.copy_to(named(handler, "copy"))
            ledger.backup(tmp_path / "copy.db")
            assert ledger.health().status == "ok"
            assert (ledger.search().count, ledger.check()) == (1, [])
        with Ledger(named(handler, "copy")) as copied:
            assert (copied.search().count, copied.check()) == (1, [])

    def test_handler_does_not_migrate(
        self, fresh: str, handler: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        main(["migrate", "--ledger", fresh])
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ADDED))
        with pytest.raises(LedgerUnavailable, match="`expenses migrate`"):
            Ledger(handler)
        main(["migrate", "--ledger", fresh])
        with Ledger(handler) as ledger:
            assert ledger.record(an_expense()).created

    def test_password_is_in_no_message_of_the_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["migrate", "--ledger", "postgresql://anna:s3cret@127.0.0.1:1/db"]) == 2
        assert "s3cret" not in "".join(capsys.readouterr())


class TestMigrate:
    def test_tells_what_was_done(
        self, fresh: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EXPENSE_LEDGER", fresh)
        latest = len(schema.MIGRATIONS)
        assert [main(["migrate"]), main(["migrate"])] == [0, 0]
        assert capsys.readouterr().out == (
            f"Migrated: from version 0 to {latest}.\nUp to date: version {latest}.\n"
        )
        with psycopg.connect(fresh) as con:
            assert con.execute("SELECT count(*) FROM all_ledger").fetchone() == (0,)

    def test_tables_of_a_newer_release_stay(self, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as newer:
            newer.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ADDED))
            main(["migrate", "--ledger", fresh])
        assert main(["migrate", "--ledger", fresh]) == 0
        with psycopg.connect(fresh) as con:
            row = con.execute("SELECT version FROM expense_schema").fetchone()
        assert row == (len(schema.MIGRATIONS) + 1,)


# What a release to come may do: it adds a column, an index, and a view's column, and takes nothing away.
ADDED = (
    "ALTER TABLE all_expense ADD COLUMN paid_by text NOT NULL DEFAULT ''",
    """
    CREATE OR REPLACE VIEW expense AS
    SELECT * FROM all_expense WHERE ledger_id = (SELECT current_setting('expenses.ledger')::bigint)
    """,
    "CREATE INDEX paid_by ON all_expense (ledger_id, paid_by) WHERE paid_by <> ''",
    "CREATE TABLE all_payer (ledger_id bigint, name text, PRIMARY KEY (ledger_id, name))",
)


class TestTwoReleases:
    NEWER = """
import sys
from expense_lib.__main__ import main
from expense_lib.store.postgres import schema
from tests.test_postgres_roles import ADDED
schema.MIGRATIONS += (ADDED,)
sys.exit(main(["migrate"]))
"""

    def test_older_one_works_while_and_after_the_newer_migrates(self, fresh: str, handler: str) -> None:
        main(["migrate", "--ledger", fresh])
        Ledger(handler).close()
        migrated = 0

        def work(thread: int) -> int:
            """Record, read, import and open anew, until some time after the migration; how many records."""
            done = after = 0
            while after < 5:
                after += migrated
                while not self.is_done(named(handler, f"of-{thread}"), done):
                    pass
                done += 1
            return done

        with ThreadPoolExecutor(3) as pool:
            working = [pool.submit(work, thread) for thread in range(3)]
            newer = subprocess.run(
                [sys.executable, "-c", self.NEWER],
                env=environment(PYTHONPATH=str(ROOT), EXPENSE_LEDGER=fresh),
                text=True,
                capture_output=True,
                check=False,
            )
            migrated = 1
            counts = [each.result() for each in working]
        latest = len(schema.MIGRATIONS)
        assert newer.stdout == f"Migrated: from version {latest} to {latest + 1}.\n", newer.stderr
        for thread, done in enumerate(counts):
            ledger = Ledger(named(handler, f"of-{thread}"))
            assert (ledger.search().count, ledger.check()) == (done * 251, [])
            ledger.close()

    @staticmethod
    def is_done(address: str, number: int) -> bool:
        """Record a payment and a statement of many; False where the migration was in the way."""
        try:
            with Ledger(address) as ledger:
                ledger.record(an_expense(description=f"Lunch {number}"))
                ledger.import_statement(bank(250, account=f"Giro {number}"))
                assert ledger.search().count == (number + 1) * 251
        except LedgerBusy:
            return False
        return True

    def test_older_one_is_refused_once_it_can_not_use_the_tables(self, fresh: str, handler: str) -> None:
        main(["migrate", "--ledger", fresh])
        with psycopg.connect(fresh) as con:
            con.execute("UPDATE expense_schema SET version = version + 2, oldest = version + 1")
        for address in (fresh, handler):
            with pytest.raises(LedgerTooNew):
                Ledger(address)
        assert main(["migrate", "--ledger", fresh]) == 2

    def test_tables_of_before_there_was_an_oldest_are_migrated(
        self, fresh: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as older:
            older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
            main(["migrate", "--ledger", fresh])
        with Ledger(fresh) as ledger:
            assert ledger.record(an_expense()).created
