from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from expense_lib.app import widgets
from expense_lib.app.widgets.scripts import joined
from tests.builders import ROOT

FOLDER = Path(widgets.__file__).parent
WIDGETS = [widgets.ExpenseForm, widgets.Table, widgets.Notice, widgets.Sections]
NODE_NEEDED = 18


@pytest.fixture(scope="module")
def node() -> str:
    """A node whose test runner has all that the tests use. A run in CI may not leave them out."""
    path = shutil.which("node")
    version = "none"
    if path is not None:
        version = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        if int(version.removeprefix("v").partition(".")[0]) >= NODE_NEEDED:
            return path
    why = f"the tests of the widgets need node {NODE_NEEDED} or later; on this machine is {version}"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def test_unit_tests_of_the_widgets_pass(node: str) -> None:
    tests = sorted((ROOT / "tests" / "js").glob("*.test.mjs"))
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", *tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^\S+ pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > len(tests)


@pytest.mark.parametrize("widget", WIDGETS)
def test_script_of_a_widget_is_one_module_that_renders(
    widget: type[widgets.Table], node: str, tmp_path: Path
) -> None:
    script = tmp_path / "widget.mjs"
    script.write_text(str(widget._esm), encoding="utf-8")
    ask = "import(process.argv[1]).then((all) => console.log(Object.keys(all), typeof all.default.render))"
    done = subprocess.run([node, "-e", ask, script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[ 'default' ] function\n", "")


def test_every_module_is_part_of_a_widget() -> None:
    scripts = [str(widget._esm) for widget in WIDGETS]
    for path in FOLDER.rglob("*.js"):
        opening = path.read_text(encoding="utf-8").partition("\n")[0]
        assert any(opening in script for script in scripts), path.name


def modules(folder: Path, **texts: str) -> Path:
    """Writes modules, by their names, and returns the path of the first."""
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(texts))}.js"


def test_modules_are_joined_each_once_after_those_that_they_import(tmp_path: Path) -> None:
    entry = modules(
        tmp_path,
        entry='import { one } from "./one.js";\nimport {\n  two,\n  more,\n} from "./two.js";\n\nexport default { one, two };\n',
        one='import { shared } from "./shared.js";\nexport const one = shared;\n',
        two='import { shared } from "./shared.js";\nexport class two {}\nexport async function more() {}\n',
        shared="// export stays in a comment\nexport function shared() {}\n",
    )
    assert sorted(joined(entry).splitlines()) == sorted(
        [
            *["// export stays in a comment", "function shared() {}", ""],
            *["const one = shared;", ""],
            *["class two {}", "async function more() {}", ""],
            *["", "export default { one, two };"],
        ]
    )
    order = [joined(entry).index(text) for text in ("shared() {}", "const one", "export default")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("function one() {}", "entry.js: other.js declares one as well"),
        ("const one = 1;", "declares one as well"),
        ('import { one } from "./entry.js";', "cycle"),
        ('import * as all from "./two.js";', "not understood: import"),
        ('import { a as b } from "./two.js";', "not understood: import"),
        ('import two from "./two.js";', "not understood: import"),
        ('import "./two.js";', "not understood: import"),
        ('import { two } from "two";', "not understood: import"),
        ("export default { two };", "not understood: export default"),
        ("export { two };", "not understood: export"),
        ('export * from "./two.js";', "not understood: export"),
    ],
)
def test_what_would_be_joined_wrongly_is_refused(tmp_path: Path, other: str, why: str) -> None:
    entry = modules(
        tmp_path,
        entry='import { two } from "./other.js";\nfunction one() {}\nexport default { one };\n',
        other=f"{other}\n",
        two="export const two = 2;\n",
    )
    with pytest.raises(ValueError, match=why):
        joined(entry)


def test_a_module_that_is_not_there_is_refused(tmp_path: Path) -> None:
    entry = modules(tmp_path, entry='import { one } from "./one.js";\n')
    with pytest.raises(FileNotFoundError, match=r"one\.js"):
        joined(entry)
