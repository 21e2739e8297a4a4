from __future__ import annotations

import doctest
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import requests

from tests.builders import GOLDEN_KEYS, ROOT, handler

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_example_prints_what_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(README, {}, "README.md", "README.md", 0)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_golden_keys_of_the_readme_are_those_of_the_tests() -> None:
    rows = re.findall(r"^\| `(\[1,.*\])` \| `([0-9a-f]{64})` \|$", README, re.MULTILINE)
    assert dict(rows) == GOLDEN_KEYS


def test_requests_of_the_readme_are_answered(path: Path) -> None:
    """The bodies and addresses that README gives to curl."""
    commands = [shlex.split(line) for line in README.splitlines() if line.startswith("curl ")]
    with handler(path) as url:
        for command in commands:
            address = command[1].replace("http://127.0.0.1:8000", url)
            if "--json" in command:
                assert requests.post(address, json=json.loads(command[3]), timeout=10).status_code == 201
            else:
                assert requests.get(address, timeout=10).json()["total"] == "12.50"


def test_every_folder_of_the_project_is_in_the_readme() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    folders = {file.partition("/")[0] for file in files.split() if "/" in file and not file.startswith(".")}
    assert folders <= set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE)) | {""}
