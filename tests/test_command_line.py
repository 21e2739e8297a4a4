from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from expense_lib import Ledger
from tests.builders import environment, handler

FILE = "Date,Description,Amount\n2026-11-22,Lunch,12.50\n2026-11-22,Lunch,12.50\n2026-11-23,Nothing,0.00\n"


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    (tmp_path / "bank.csv").write_text(FILE)
    return tmp_path / "bank.csv"


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "expense_lib", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**settings), text=True, capture_output=True, check=False
    )


def test_import_tells_what_it_did_and_does_it_once(tmp_path: Path, bank: Path) -> None:
    dry = run(tmp_path, "import", "bank.csv", "--dry-run")
    assert (dry.returncode, dry.stdout.splitlines()[0]) == (
        0,
        "Dry run: 2 would be created, 0 existing, 1 skipped, 0 changed, 0 deleted, 0 lines not understood",
    )
    assert Ledger(tmp_path / "expenses.db").search().count == 0
    real = run(tmp_path, "import", "bank.csv")
    assert real.stdout.startswith("Import 1: 2 created")
    assert "1 skipped: Its amount is zero." in real.stdout
    assert "date from Date" in real.stderr
    assert run(tmp_path, "import", "bank.csv").stdout.startswith("Import 2: 0 created, 2 existing")


def test_lines_that_were_not_understood_are_told_and_counted(tmp_path: Path, bank: Path) -> None:
    bank.write_text(FILE + "soon,Tea,3.00\n")
    done = run(tmp_path, "import", "bank.csv")
    assert done.returncode == 1
    assert "line 5: its date is not as %Y-%m-%d says" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "missing.csv"),
        ("import", "bank.csv", "--map", "date=Day"),
        ("import", "bank.csv", "--map", "day=Date"),
        ("import", "bank.csv", "--date-format", "%d"),
        ("export", "bank.csv"),
        ("export", "out.txt"),
        ("export", "out.csv", "--date-from", "soon"),
        ("export", "out.jsonl", "--q", "lunch"),
        ("backup", "bank.csv"),
        ("--ledger", "bank.csv", "check"),
        ("--ledger", "http://127.0.0.1:9", "check"),
        ("undo",),
        (),
    ],
)
def test_refusal_is_a_sentence_and_2(tmp_path: Path, bank: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert bank.read_text() == FILE


def test_mapping_by_hand(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("A;B;C\n03/04/2026;Lunch;-12,50\n")
    told = ("--map", "date=A", "--map", "amount=C", "--map", "description=B", "--date-format", "%d/%m/%Y")
    assert run(tmp_path, "import", "odd.csv", *told, "--category", "Food").returncode == 0
    (expense,) = Ledger(tmp_path / "expenses.db").search().items
    assert (str(expense.date), str(expense.amount), expense.category) == ("2026-04-03", "12.50", "Food")


def test_export_check_and_backup(tmp_path: Path, bank: Path) -> None:
    run(tmp_path, "import", "bank.csv")
    assert run(tmp_path, "export", "out.csv", "--q", "lunch").stdout == "Written: out.csv\n"
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    assert run(tmp_path, "export", "out.jsonl").returncode == 0
    assert len([json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]) == 2
    assert run(tmp_path, "backup", "copy.db").returncode == 0
    assert Ledger(tmp_path / "copy.db").search().count == 2
    sound = run(tmp_path, "check")
    assert (sound.returncode, sound.stdout) == (0, "The ledger is sound.\n")


def test_damage_is_found_and_1(tmp_path: Path, bank: Path) -> None:
    run(tmp_path, "import", "bank.csv")
    with closing(sqlite3.connect(tmp_path / "expenses.db")) as con:
        con.execute("UPDATE expense SET description = 'Supper' WHERE id = 1")
        con.execute("DELETE FROM statement_row WHERE expense_id = 2")
        con.commit()
    found = run(tmp_path, "check")
    assert found.returncode == 1
    assert "Expense 1: it is not as its log says." in found.stdout
    assert "Expense 2: it has no row identity, though an import gave it one." in found.stdout


def test_ledger_of_a_handler(tmp_path: Path, bank: Path) -> None:
    with handler(tmp_path / "served.db") as url:
        assert run(tmp_path, "import", "bank.csv", EXPENSE_API_URL=url).stdout.startswith(
            "Import 1: 2 created"
        )
        assert run(tmp_path, "--ledger", url, "export", "out.csv").returncode == 0
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3


def test_file_that_comes_through_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "expense_lib", "import", "/dev/stdin"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), input=FILE, text=True, capture_output=True, check=False
    )
    assert done.stdout.startswith("Import 1: 2 created")


def test_output_that_can_not_be_written_is_no_stack_trace(tmp_path: Path, bank: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "expense_lib", "check"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_name_that_is_no_utf_8(tmp_path: Path, bank: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff.csv")
    bank.rename(odd)
    assert run(tmp_path, "import", str(odd)).returncode == 0
