from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests

import expense_lib
from expense_lib import Ledger
from expense_lib.app import server
from expense_lib.arguments import COLUMN_FIELDS
from expense_lib.statements.columns import FIELDS
from tests.builders import APP, environment, fields, free_port, handler, running, wait_for

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
        "Dry run: 2 would be created, 0 existing, 0 joined, 0 held, 0 changed, 0 deleted, 1 skipped, 0 lines not understood",
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
        ("check", "--ledger", "bank.csv"),
        ("add", "12.50"),
        ("add", "12.50", "Food", "--ledger", "bank.csv"),
        ("app", "--port", "65536"),
        ("app", "--port", "soon"),
        ("app", "--host", "not..a host"),
        ("app", "--token-password-file", "missing.txt"),
        ("serve", "--port", "-1"),
        ("serve", "--ledger", "bank.csv"),
        ("serve", "--ledger", "http://127.0.0.1:9"),
        ("import", "bank.csv", "--decide", "new"),
        ("import", "bank.csv", "--decide", "2=old"),
        ("import", "bank.csv", "--decide", "9=new"),
        ("import", "bank.csv", "--decide", "2=4711"),
        ("decide", "1", "old"),
        ("decide", "1", "new"),
        ("decide", "0", "new"),
        ("merge", "1", "2"),
        ("split", "1", "12.50"),
        ("split", "1", "12.50=Food"),
        ("rules", "tea"),
        ("rules", "tea", "Food", "--skip"),
        ("rules", "--delete", "7"),
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


def test_category_may_be_left_to_the_ledger(tmp_path: Path) -> None:
    refused = run(tmp_path, "add", "9.80", "", "Lunch")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "category is needed: none is known for this description" in refused.stderr
    run(tmp_path, "add", "12.50", "Food", "Lunch")
    assert "Food" in run(tmp_path, "add", "9.80", "", "Lunch").stdout
    assert run(tmp_path, "add", "9.80", "", "Lunch").stdout.startswith("There already: #2")


def test_mapping_by_hand(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("A;B;C\n03/04/2026;Lunch;-12,50\n")
    told = ("--map", "date=A", "--map", "amount=C", "--map", "description=B", "--date-format", "%d/%m/%Y")
    assert run(tmp_path, "import", "odd.csv", *told, "--category", "Food").returncode == 0
    (expense,) = Ledger(tmp_path / "expenses.db").search().items
    assert (str(expense.date), str(expense.amount), expense.category) == ("2026-04-03", "12.50", "Food")


def test_migrate_opens_a_file_and_makes_none(tmp_path: Path) -> None:
    refused = run(tmp_path, "migrate")
    assert (refused.returncode, refused.stderr[:28]) == (2, "expenses: There is no ledger")
    Ledger(tmp_path / "expenses.db").close()
    assert re.fullmatch(r"Up to date: version \d+\.\n", run(tmp_path, "migrate").stdout)
    assert run(tmp_path, "migrate", EXPENSE_API_URL="http://127.0.0.1:1").returncode == 2


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
    assert "Expense 2: nobody told of it, no person and no statement." in found.stdout


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


def test_import_says_every_option_of_reading(tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_bytes(
        "Tag;Wer;Betrag;Los;Pos;Konto;Notiz\n22.11.2026;Café;-1,50;7;1;Giro;mit Ada\n22.11.2026;Tee;2,00;7;2;Giro;\n".encode(
            "cp1252"
        )
    )
    columns = ("date=1", "description=Wer", "amount=Betrag", "reference=Los", "reference=Pos", "category=")
    said = [part for column in (*columns, "account=Konto", "note=Notiz") for part in ("--map", column)]
    said += [
        "--spending",
        "negative",
        "--credits",
        "refund",
        "--category",
        "Food",
        "--date-format",
        "%d.%m.%Y",
    ]
    said += ["--decimal", ",", "--encoding", "cp1252"]
    done = run(tmp_path, "import", "odd.csv", *said, "--references")
    assert (done.returncode, "reference from Los + Pos" in done.stderr) == (0, True)
    tea, coffee = Ledger(tmp_path / "expenses.db").search().items
    assert (coffee.description, coffee.account, coffee.note, str(tea.amount)) == (
        "Café",
        "Giro",
        "mit Ada",
        "-2.00",
    )
    without = run(tmp_path, "import", "odd.csv", *said, "--no-references", "--dry-run")
    assert "'Los' with 'Pos' is left out, as was said." in without.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--map", "amount=Sum"), "--map amount must name a column; there are: "),
        (("--map", "payee=Who"), "must be FIELD=COLUMN"),
        (("--date-format", "%d"), "--date-format must"),
        (("--encoding", "none"), "--encoding must be one that Python knows"),
        (("--category", ""), "--category must not be empty"),
        (("--account", "x" * 300), "--account must be a text of at most 100 characters"),
    ],
)
def test_import_names_the_option_that_is_wrong(
    tmp_path: Path, bank: Path, arguments: tuple[str, ...], named: str
) -> None:
    done = run(tmp_path, "import", str(bank), *arguments)
    assert done.returncode == 2
    assert named in done.stderr


def test_name_that_is_no_utf_8(tmp_path: Path, bank: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff.csv")
    bank.rename(odd)
    assert run(tmp_path, "import", str(odd)).returncode == 0


LUNCH = ("add", "12.50", "Food", "Lunch", "--date", "2026-11-22")


def test_add_records_once_and_says_what_became_of_it(tmp_path: Path) -> None:
    first = run(tmp_path, *LUNCH)
    assert (first.returncode, first.stdout) == (0, "Added #1: 12.50 USD, Food, Lunch, 2026-11-22\n")
    again = run(tmp_path, *LUNCH)
    assert again.returncode == 0
    assert re.fullmatch(
        r"There already: #1 12\.50 USD, Food, Lunch, 2026-11-22, recorded at \d{4}-\d\d-\d\d \d\d:\d\d; "
        r"--another adds one more\n",
        again.stdout,
    )
    assert Ledger(tmp_path / "expenses.db").search().count == 1


@pytest.fixture
def trattoria(tmp_path: Path) -> Path:
    file = tmp_path / "trattoria.csv"
    file.write_text("Date;Text;Amount\n2026-11-27;TRATTORIA DA ADA;-18.40\n2026-11-28;NETFLIX.COM;-9.99\n")
    return file


PIZZA = ("add", "18.40", "Food", "Pizza", "--date", "2026-11-26")
GIRO = ("import", "trattoria.csv", "--account", "Giro")


def test_import_tells_what_waits_and_it_is_decided(tmp_path: Path, trattoria: Path) -> None:
    run(tmp_path, *PIZZA)
    done = run(tmp_path, *GIRO)
    assert done.returncode == 0
    assert done.stdout.startswith("Import 1: 1 created, 0 existing, 0 joined, 1 held, 0 changed")
    assert re.search(r"line 2: held\. .* It may be #1\n", done.stdout)
    assert re.match(
        r"#2 2026-11-27 18\.40 TRATTORIA DA ADA, Giro: waits; may be #1\. ",
        run(tmp_path, "undecided").stdout,
    )
    decided = [run(tmp_path, "decide", "2", "1") for _ in range(2)]
    assert [each.returncode for each in decided] == [0, 0]
    assert re.fullmatch(r"Decided; change \d+\.\n", decided[0].stdout)
    assert decided[1].stdout == "It was so before.\n"
    assert run(tmp_path, "undecided").stdout == "There is nothing to decide.\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("2=1",), "0 created, 0 existing, 1 joined, 0 held"),
        (("2=new", "3=skip"), "1 created, 0 existing, 0 joined, 0 held"),
    ],
    ids=str,
)
def test_import_decides_rows_by_their_lines(
    tmp_path: Path, trattoria: Path, said: tuple[str, ...], told: str
) -> None:
    run(tmp_path, *PIZZA)
    run(tmp_path, "rules", "netflix", "--skip")
    done = run(tmp_path, *GIRO, *(part for each in said for part in ("--decide", each)))
    assert (done.returncode, done.stdout.partition(": ")[2].startswith(told)) == (0, True), done.stdout


def test_add_says_that_the_bank_told_of_it_or_may_have(tmp_path: Path, trattoria: Path) -> None:
    run(tmp_path, *GIRO)
    joined = run(tmp_path, "add", "9.99", "Fun", "Netflix", "--date", "2026-11-28")
    assert joined.stdout == "The bank told of it already: #2 9.99 USD, Fun, Netflix, 2026-11-28, Giro\n"
    assert run(tmp_path, *PIZZA).stdout == (
        "Added #3: 18.40 USD, Food, Pizza, 2026-11-26\n"
        "The bank's #1 may be the same, and waits: expenses undecided\n"
    )


def test_merge_and_split_are_done_once(tmp_path: Path) -> None:
    run(tmp_path, *PIZZA)
    run(tmp_path, "add", "18.40", "Food", "Pizza with Ada", "--date", "2026-11-26")
    for _ in range(2):
        merged = run(tmp_path, "merge", "2", "1")
        assert (merged.returncode, merged.stdout) == (
            0,
            "#2 is the same payment as #1 from now on.\n",
        )
        split = run(tmp_path, "split", "1", "10.00=Food", "8.40=Wine")
        assert (split.returncode, split.stdout) == (0, "#1 10.00 Food\n#3 8.40 Wine\n")
    wrong = run(tmp_path, "split", "1", "10.00=Food", "8.50=Wine")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "expenses: parts add up to 18.50, 0.10 too much; the payment is 18.40\n",
    )


def test_rules_are_listed_added_and_deleted(tmp_path: Path) -> None:
    assert run(tmp_path, "rules").stdout == ""
    assert run(tmp_path, "rules", "grocer", "Food").stdout == "1: grocer: Food\n"
    assert run(tmp_path, "rules", "card payment", "--skip").stdout == "2: card payment: left out\n"
    assert run(tmp_path, "rules").stdout == "2: card payment: left out\n1: grocer: Food\n"
    assert run(tmp_path, "rules", "--delete", "1").stdout == "Deleted rule 1.\n"
    assert run(tmp_path, "rules").stdout == "2: card payment: left out\n"


def test_add_another_adds_one_each_time(tmp_path: Path) -> None:
    outcomes = [run(tmp_path, *LUNCH, "--another").stdout for _ in range(2)]
    assert outcomes == [
        "Added #1: 12.50 USD, Food, Lunch, 2026-11-22\n",
        "Added #2: 12.50 USD, Food, Lunch, 2026-11-22, number 2 of its kind that day\n",
    ]


def test_add_of_an_occurrence_is_added_once(tmp_path: Path) -> None:
    outcomes = [run(tmp_path, *LUNCH, "--occurrence", "2").stdout for _ in range(2)]
    assert [outcome.partition(":")[0] for outcome in outcomes] == ["Added #1", "There already"]


def test_add_takes_today_and_no_description(tmp_path: Path) -> None:
    before = dt.date.today()  # noqa: DTZ011 - the day of whoever types this
    run(tmp_path, "add", "900", "Rent")
    (expense,) = Ledger(tmp_path / "expenses.db").search().items
    assert before <= expense.date <= dt.date.today()  # noqa: DTZ011
    assert (expense.description, str(expense.amount)) == ("", "900.00")


@pytest.mark.parametrize("amount", ["3.00", "-3.00"])
def test_add_of_a_refund_is_negative(tmp_path: Path, amount: str) -> None:
    done = run(tmp_path, "add", amount, "Food", "Bottle deposit", "--refund", "--date", "2026-11-22")
    assert done.stdout == "Added #1: -3.00 USD, Food, Bottle deposit, 2026-11-22\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("1,50", "Food"), "amount must be a plain decimal"),
        (("0", "Food"), "amount must not be zero"),
        (("1.555", "Food"), "amount must have at most 2 fraction digits in USD"),
        (("-3.00", "Food"), "amount is negative: --refund says that money came back"),
        (("1", " "), "category must not be empty"),
        (("1", "Food", "x" * 501), "description must have at most 500 characters"),
        (("1", "Food", "--date", "22.11.2026"), "--date must be a date written as YYYY-MM-DD"),
        (("1", "Food", "--occurrence", "0"), "--occurrence must be at least 1"),
        (("1", "Food", "--occurrence", "two"), "argument --occurrence"),
    ],
)
def test_add_names_the_argument_that_is_wrong(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    done = run(tmp_path, "add", *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_add_of_a_deleted_expense_says_how_to_add_one_more(tmp_path: Path) -> None:
    run(tmp_path, *LUNCH)
    Ledger(tmp_path / "expenses.db").delete(1)
    refused = run(tmp_path, *LUNCH)
    assert refused.returncode == 2
    assert "This is expense 1, which was deleted. --another adds one more" in refused.stderr
    assert run(tmp_path, *LUNCH, "--another").stdout.startswith("Added #2")


def test_add_to_the_ledger_that_is_named(tmp_path: Path) -> None:
    assert run(tmp_path, *LUNCH, EXPENSE_LEDGER="mine.db").stdout.startswith("Added #1")
    assert run(tmp_path, *LUNCH, "--ledger", "mine.db").stdout.startswith("There already: #1")
    with handler(tmp_path / "mine.db") as url:
        assert run(tmp_path, *LUNCH, EXPENSE_API_URL=url).stdout.startswith("There already: #1")
        assert run(tmp_path, "--ledger", url, *LUNCH, "--another").stdout.startswith("Added #2")
    assert not (tmp_path / "expenses.db").exists()


def test_version_is_told_without_what_it_does_not_need(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "expense_lib", "--version"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), text=True, capture_output=True, check=True
    )
    assert done.stdout == f"expenses {expense_lib.__version__}\n"
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    heavy = {
        "altair",
        "anywidget",
        "charset_normalizer",
        "duckdb",
        "granian",
        "handlers",
        "iso4217",
        "marimo",
    }
    assert not imported & (heavy | {"ofxtools", "requests", "tqdm", "werkzeug"})


def test_version_is_that_of_the_package() -> None:
    assert importlib.metadata.version("expense-ledger") == expense_lib.__version__


@pytest.mark.parametrize(
    "command",
    [
        *("app", "serve", "add", "import", "undecided", "decide", "merge", "split", "rules"),
        *("export", "check", "backup"),
    ],
)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    assert re.search(rf"^    {command} +\S", run(tmp_path, "--help").stdout, re.MULTILINE)
    told = run(tmp_path, command, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert "--ledger" in told.stdout


def test_annotations_are_added_and_a_repeat_says_what_differs(tmp_path: Path) -> None:
    lunch = ("add", "12.50", "Food", "Lunch", "--date", "2026-11-22", "--account", "Giro", "--tag", "work")
    assert run(tmp_path, *lunch, "--tag", "ada").stdout.startswith("Added #1: 12.50 USD, Food, Lunch")
    told = run(tmp_path, *lunch, "--note", "with Ada")
    assert "There already: #1" in told.stdout
    assert "its note and tags is not what you gave; --another adds one more" in told.stdout
    run(tmp_path, "export", "out.csv", "--account", "giro", "--tag", "ADA")
    assert (
        (tmp_path / "out.csv")
        .read_text()
        .splitlines()[1]
        .startswith("2026-11-22,12.50,USD,Food,Lunch,Giro,,ada work,1,1,")
    )
    refused = run(tmp_path, *lunch, "--tag", "two words")
    assert (refused.returncode, "tag must be tags of 1 to 50 characters" in refused.stderr) == (2, True)


def test_fields_in_the_help_are_those_of_a_statement() -> None:
    assert COLUMN_FIELDS.split(", ") == list(FIELDS)


@pytest.mark.parametrize("missing", ["marimo", "altair", "anywidget"])
def test_app_that_is_not_installed_says_what_to_install(tmp_path: Path, missing: str) -> None:
    without = f"import sys; sys.modules[{missing!r}] = None; from expense_lib.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", without, "app"],
        cwd=tmp_path,
        env=environment(),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "expenses: The app is not installed: install expense-ledger[app].\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - what is refused
@pytest.mark.parametrize(
    ("command", "remedy"), [("app", "--token-password-file"), ("serve", "EXPENSE_API_TOKEN")]
)
def test_network_is_not_served_without_a_secret(tmp_path: Path, command: str, remedy: str, host: str) -> None:
    refused = run(tmp_path, command, "--host", host, "--port", "0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"to this machine only, not on {host}" in refused.stderr
    assert remedy in refused.stderr


@pytest.mark.parametrize("command", ["app", "serve"])
def test_port_that_is_taken_is_told(tmp_path: Path, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run(tmp_path, command, "--port", str(port))
    assert refused.returncode == 2
    assert f"Port {port} of 127.0.0.1 can't be had" in refused.stderr


def test_empty_password_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text("\n")
    refused = run(tmp_path, "app", "--token-password-file", "password.txt")
    assert (refused.returncode, refused.stderr) == (2, "expenses: There is no password in password.txt.\n")


def test_app_asks_for_its_password_and_never_tells_it(tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text("correct-horse\n")
    port = free_port()
    command = [sys.executable, "-m", "expense_lib", "app", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--token-password-file", "password.txt"],
        cwd=tmp_path,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", process)
        assert "/auth/login" in requests.get(url, timeout=10).url
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert told == ("", f"The app is at {url}. Ctrl-C ends.\n")
    assert process.returncode == 0


def test_app_takes_the_first_free_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # somebody has it: that will do
            taken.bind(("127.0.0.1", server.FIRST_PORT))
            taken.listen()
        assert server.FIRST_PORT < server.first_free("127.0.0.1") < server.FIRST_PORT + server.PORTS_TRIED


def test_serve_is_the_handler(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "expense_lib", "serve", "--ledger", "mine.db", "--port", str(port)]
    with running(command, url, environment(EXPENSE_API_URL="http://127.0.0.1:9"), tmp_path):
        assert requests.post(f"{url}/expenses", json=fields(), timeout=10).status_code == 201
    assert Ledger(tmp_path / "mine.db").search().count == 1


def test_notebook_of_the_checkout_is_the_one_in_the_package() -> None:
    assert APP.resolve() == server.NOTEBOOK


def test_no_module_beside_the_notebook_hides_one_of_pythons() -> None:
    """Run as a script, its folder comes first among those that modules are looked for in."""
    beside = {path.stem for path in server.NOTEBOOK.parent.iterdir()}
    assert not beside & sys.stdlib_module_names
