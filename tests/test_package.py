"""What is built and installed: not the checkout, in which every file is there anyway."""

from __future__ import annotations

import email
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

import expense_lib
from expense_lib import Ledger
from tests.builders import ROOT, environment, fields, free_port, running
from tests.person import LUNCH, Person

pytestmark = pytest.mark.xdist_group("package")

PACKAGES = ("expense_lib", "handlers")
IN_THE_SDIST = (  # a quick part of the suite: what needs the README, the notebooks, builders and conftest too
    *("tests/test_money.py", "tests/test_keys.py", "tests/test_readme.py", "tests/test_notebook.py"),
)


class Installed:
    """A virtual environment of its own, and the commands in it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self.scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
        self.python = str(self.scripts / "python")

    def install(self, what: str) -> None:
        """Install *what* with all that it declares."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", what], check=True)

    def run(self, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """``expenses`` with these arguments, in *folder*, which is outside of the checkout."""
        command = [str(self.scripts / "expenses"), *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment(**settings), text=True, capture_output=True, check=False
        )


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (wheel,) = dist.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def sdist(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    (archive,) = dist.glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return unpacked


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel as a person installs it who wants the app and the server."""
    installed = Installed(tmp_path_factory.mktemp("installed"))
    installed.install(f"{wheel}[app,server]")
    return installed


def test_wheel_is_both_packages_whole_and_nothing_else(wheel: Path) -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and not {"__pycache__", "__marimo__"} & set(file.parts)
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == files
    assert {"expense_lib/py.typed", "expense_lib/app/notebook.py"} <= packed
    assert {Path(name).suffix for name in packed if name.startswith("expense_lib/app/")} >= {".js", ".css"}


def test_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = email.message_from_bytes(archive.read(name))
        scripts = archive.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert about["Version"] == expense_lib.__version__
    assert (about["Requires-Python"], about["License-Expression"]) == (">=3.11", "MIT")
    assert "expenses = expense_lib.__main__:main" in scripts


def test_sdist_is_tested_as_it_is(sdist: Path) -> None:
    pytest_there = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n", "0"]
    where = "import expense_lib; print(expense_lib.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        cwd=sdist,
        env=environment(),
        text=True,
        capture_output=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(sdist)
    for arguments in (["--collect-only"], IN_THE_SDIST):
        done = subprocess.run(
            [*pytest_there, *arguments],
            cwd=sdist,
            env=environment(),
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_wheel_without_extras_records_and_says_what_is_not_installed(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    bare = Installed(tmp_path_factory.mktemp("bare"))
    bare.install(str(wheel))
    assert bare.run(tmp_path, "add", "12.50", "Food").stdout.startswith("Added #1: 12.50 USD, Food")
    for arguments, extra in (
        (["app"], "app"),
        (["serve"], "server"),
        (["check", "--ledger", "http://127.0.0.1:9"], "remote"),
    ):
        refused = bare.run(tmp_path, *arguments)
        assert refused.returncode == 2
        assert refused.stderr.rstrip().endswith(f"install expense-ledger[{extra}].")


def test_installed_command_is_the_wheels(installed: Installed, tmp_path: Path) -> None:
    assert installed.run(tmp_path, "--version").stdout == f"expenses {expense_lib.__version__}\n"
    where = [installed.python, "-c", "import expense_lib, handlers; print(expense_lib.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment(), text=True, capture_output=True, check=True)
    assert Path(found.stdout.strip()).is_relative_to(installed.scripts.parent)


def test_installed_commands_work_on_one_ledger(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "bank.csv").write_text("Date,Description,Amount\n2026-11-23,Bus,2.40\n2026-11-23,Bus,2.40\n")
    for arguments, told in (
        (("add", "12.50", "Food", "Lunch", "--date", "2026-11-22"), "Added #1: 12.50 USD, Food, Lunch"),
        (("add", "12.50", "Food", "Lunch", "--date", "2026-11-22"), "There already: #1 12.50 USD"),
        (("import", "bank.csv", "--account", "Giro"), "Import 1: 2 created, 0 existing"),
        (("import", "bank.csv", "--account", "Giro"), "Import 2: 0 created, 2 existing"),
        (("export", "all.csv"), "Written: all.csv"),
        (("export", "all.jsonl"), "Written: all.jsonl"),
        (("check",), "The ledger is sound."),
        (("backup", "copy.db"), "Written: copy.db"),
    ):
        done = installed.run(tmp_path, *arguments, EXPENSE_LEDGER="mine.db")
        assert (done.returncode, done.stdout[: len(told)]) == (0, told), done.stderr
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 4
    assert Ledger(tmp_path / "copy.db").search().count == 3


def test_installed_server_records_an_expense_once(installed: Installed, tmp_path: Path) -> None:
    port = free_port()
    command = [str(installed.scripts / "expenses"), "serve", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", environment(), tmp_path) as url:
        statuses = [requests.post(f"{url}/expenses", json=fields(), timeout=10).status_code for _ in range(2)]
    assert statuses == [201, 200]


def test_installed_app_shows_its_form_and_records(installed: Installed, tmp_path: Path, tab: Page) -> None:
    port = free_port()
    command = [str(installed.scripts / "expenses"), "app", "--headless", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", environment(), tmp_path) as url:
        person = Person(tab, url)
        person.adds(**LUNCH)
        person.sees_added("12.50 USD, Food, Lunch, 2026-11-22")
    assert Ledger(tmp_path / "expenses.db").search().count == 1
    assert not list(installed.scripts.parent.rglob("__marimo__"))
