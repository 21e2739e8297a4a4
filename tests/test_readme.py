from __future__ import annotations

import argparse
import ast
import doctest
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import requests

import expense_lib
from expense_lib import ExpenseError, Ledger
from expense_lib.__main__ import main
from expense_lib.arguments import parser
from tests.builders import GOLDEN_KEYS, ROOT, handler

LIBRARY, HTTP = "expense_lib/README.md", "handlers/README.md"
NAMES = ("README.md", LIBRARY, HTTP, "notebooks/README.md", "tests/benchmarks/README.md")
README = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
LINKED = (*NAMES, "CHANGELOG.md", "expense_lib/store/README.md")

STATEMENT = """\
Date;Text;Amount
22.11.2026;Bus;-2,40
22.11.2026;Bus;-2,40
23.11.2026;Grocer;-31,75
25.11.2026;Salary;2.900,00
"""


def shell_lines(text: str, command: str) -> list[tuple[list[str], str]]:
    """The arguments of each call of *command* in the blocks of sh, and the comment behind it."""
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            for part in line.partition("  # ")[0].split(" && "):
                name, *arguments = shlex.split(part)
                if Path(name).name == command:
                    found.append((arguments, line.partition("  # ")[2]))
    return found


def commands_of_the_parser() -> set[str]:
    actions = parser("")._actions
    return {name for each in actions if isinstance(each, argparse._SubParsersAction) for name in each.choices}


def settings_that_the_code_reads() -> set[str]:
    return {
        node.value
        for folder in ("expense_lib", "handlers")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"EXPENSE_[A-Z_]+", node.value)
    }


def anchors(file: Path) -> set[str]:
    """What its headings are called in an address, as GitHub makes these names."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["README.md", LIBRARY])
def test_examples_print_what_the_readme_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(README[name], {}, name, name, 0)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_golden_keys_of_the_readme_are_those_of_the_tests() -> None:
    rows = re.findall(r"^\| `(\[1,.*\])` \| `([0-9a-f]{64})` \|$", README[LIBRARY], re.MULTILINE)
    assert dict(rows) == GOLDEN_KEYS


def test_errors_of_the_readme_are_all_there_are() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", README[LIBRARY], re.MULTILINE)
    public = {name: getattr(expense_lib, name) for name in expense_lib.__all__}
    errors = {name: kind for name, kind in public.items() if name in dict(rows)}
    assert set(errors) == {
        name
        for name, kind in public.items()
        if isinstance(kind, type) and issubclass(kind, ExpenseError) and kind is not ExpenseError
    }
    assert {name: builtin in [base.__name__ for base in errors[name].__mro__] for name, builtin in rows} == (
        dict.fromkeys(errors, True)
    )


def test_requests_of_the_readme_are_answered(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it gives to curl, one after the other; the comment begins with the status."""
    monkeypatch.chdir(tmp_path)
    Path("november.csv").write_text(STATEMENT, encoding="utf-8")
    calls = shell_lines(README[HTTP], "curl")
    curl = argparse.ArgumentParser()
    curl.add_argument("address")
    curl.add_argument("-X", dest="method")
    curl.add_argument("-H", dest="headers", action="append", default=[])
    curl.add_argument("--json")
    curl.add_argument("--data-binary", dest="data")
    curl.add_argument("-o", "--output")
    curl.add_argument("-i", action="store_true")
    assert len(calls) > 10
    with handler(path) as url:
        for arguments, comment in calls:
            given = curl.parse_args(arguments)
            has_body = given.json is not None or given.data is not None
            answer = requests.request(
                given.method or ("POST" if has_body else "GET"),
                given.address.replace("http://127.0.0.1:8000", url),
                headers=dict(header.split(": ", 1) for header in given.headers),
                json=given.json and json.loads(given.json),
                data=given.data and Path(given.data.removeprefix("@")).read_bytes(),
                timeout=10,
            )
            assert (arguments, str(answer.status_code)) == (arguments, comment[:3]), answer.text
        paths = requests.get(f"{url}/openapi.json", timeout=10).json()["paths"]
    assert Ledger(path).search().count == 5
    without_names = re.compile(r"\{\w+\}")
    said = without_names.sub("{}", README[HTTP])
    assert [each for each in paths if f"{without_names.sub('{}', each)}`" not in said] == []


def test_lines_of_the_readme_import_a_bank_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("november.csv").write_text(STATEMENT, encoding="utf-8")
    section = README["README.md"].partition("## I have a bank file")[2].partition("\n## ")[0]
    *lines, (last, _) = shell_lines(section, "expenses")
    assert [main(arguments) for arguments, _ in lines] == [0, 0, 0, 0]
    assert last == ["app"]
    told = capsys.readouterr().out
    assert re.findall(r"\d+ (?:would be )?created", told) == ["3 would be created", "3 created", "0 created"]
    assert len(Path("all.csv").read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize("name", NAMES)
def test_commands_of_the_readmes_are_the_parsers(name: str) -> None:
    for arguments, _ in shell_lines(README[name], "expenses"):
        if arguments != ["--version"]:
            parser("").parse_args(arguments)
    named = re.findall(r"`expenses ([a-z]+)\b[^`]*`", README[name])
    assert set(named) <= commands_of_the_parser()


def test_every_command_is_in_the_reference() -> None:
    shown = [arguments[0] for arguments, _ in shell_lines(README[LIBRARY], "expenses")]
    assert set(shown) == commands_of_the_parser() | {"--version"}


def test_every_setting_is_documented_in_one_place_and_none_that_is_not_read() -> None:
    documented = [
        name
        for text in README.values()
        for name in re.findall(r"^\| `(EXPENSE_[A-Z_]+)` \|", text, re.MULTILINE)
    ]
    read = settings_that_the_code_reads()
    assert sorted(documented) == sorted(read)
    assert {name for text in README.values() for name in re.findall(r"\bEXPENSE_[A-Z_]+", text)} == read


@pytest.mark.parametrize("name", LINKED)
def test_links_lead_to_files_and_headings(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for to in re.findall(r"\]\(([^)]+)\)", text):
        if not to.startswith("https://"):
            path, _, heading = to.partition("#")
            target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
            assert target.is_relative_to(ROOT.resolve()), to
            assert target.exists(), to
            assert not heading or heading in anchors(target), to


def test_every_folder_of_the_project_is_in_the_readme() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    folders = {file.partition("/")[0] for file in files.split() if "/" in file and not file.startswith(".")}
    assert folders <= set(re.findall(r"^\| `(\w+)/` \|", README["README.md"], re.MULTILINE)) | {""}
