"""The house: which folder may import which, and what each may not do."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from expense_lib import Ledger
from expense_lib.domain.content import ANNOTATIONS, FIELDS, KEYS
from expense_lib.domain.expense import NewExpense, expense_changes
from expense_lib.domain.results import Expense, Values
from tests.builders import ROOT

# From the cellar to the roof: what stands in a line may import what stands in the lines above it, or its own.
ORDER = (
    ("expense_lib.domain",),
    ("expense_lib.files", "expense_lib.addresses"),
    ("expense_lib.store", "expense_lib.statements"),
    ("expense_lib.api",),
    ("expense_lib.rules",),
    ("expense_lib.presenting",),
    ("expense_lib.exports",),
    ("expense_lib.ledger",),
    ("expense_lib.transport",),
    ("expense_lib.client",),
    ("expense_lib.analytics",),
    ("expense_lib.settings",),
    ("expense_lib",),
    ("expense_lib.app",),
    ("handlers", "notebooks"),
    ("expense_lib.arguments",),
    ("expense_lib.__main__",),
)
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}
WRITE_SIDE = ("domain", "store", "rules", "statements", "ledger", "client", "settings", "files", "exports")
SCREEN = 60  # lines

SOURCES = sorted(
    path for folder in ("expense_lib", "handlers", "notebooks") for path in (ROOT / folder).rglob("*.py")
)
SCRIPTS = sorted((ROOT / "expense_lib" / "app" / "widgets").rglob("*.js"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The line of ORDER that a module stands in, by the longest name that fits."""
    parts = module.split(".")
    return next(name for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in LEVELS)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, also in a function or for types only; a name may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            for alias in node.names:
                part = ROOT / Path(*node.module.split(".")) / alias.name
                is_module = part.with_suffix(".py").exists() or (part / "__init__.py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text that is no docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    room = room_of(name_of(path))
    for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
        if module.partition(".")[0] in ("expense_lib", "handlers", "notebooks"):
            other = room_of(module)
            assert other == room or LEVELS[other] < LEVELS[room], f"{name_of(path)} imports {module}"


PURE = {
    *("__future__", "base64", "collections", "dataclasses", "datetime", "decimal", "functools", "hashlib"),
    *(
        "json",
        "operator",
        "re",
        "typing",
        "unicodedata",
        "pydantic",
        "pydantic_core",
        "iso4217",
        "expense_lib",
    ),
}


@pytest.mark.parametrize("path", [path for path in SOURCES if "domain" in path.parts], ids=name_of)
def test_domain_does_no_input_or_output(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {module.partition(".")[0] for module in imported(tree)} <= PURE
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not {"open", "print", "input", "exec", "eval"} & called


SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|PRAGMA\s|BEGIN\s+IMMEDIATE)"
)


@pytest.mark.parametrize(
    "path",
    # DuckDB's SQL, which writes to no ledger, is analytics' own; the analysis notebook has a place for a reader's.
    [path for path in SOURCES if not {"store", "analytics"} & {*path.parts} and path.stem != "analysis"],
    ids=name_of,
)
def test_no_sql_outside_of_the_store(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [text for text in texts(tree) if SQL.search(text)]
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not {"execute", "executemany", "executescript"} & called
    assert "sqlite3" not in set(imported(tree))


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in SOURCES
        if name_of(path).startswith(("handlers", *(f"expense_lib.{n}" for n in WRITE_SIDE)))
    ],
    ids=name_of,
)
def test_the_write_side_imports_neither_duckdb_nor_marimo(path: Path) -> None:
    found = {module.partition(".")[0] for module in imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert not {"duckdb", "marimo", "altair", "anywidget", "polars"} & found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_function_fits_a_screen(path: Path) -> None:
    """From its first statement after the docstring, which says what a caller must know, to its last."""
    long = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1:2] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = (node.end_lineno or 0) - first[0].lineno + 1
            if lines > SCREEN:
                long[node.name] = lines
    assert not long


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_function_of_the_widgets_fits_a_screen(path: Path) -> None:
    begun: dict[str, tuple[str, int]] = {}  # by its indentation: the name and the line of what is open
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        opened = re.fullmatch(r"( *)(?:export )?(?:async |static |get )*(?:function )?(#?\w+)\(.*\{", line)
        if opened and opened[2] not in ("if", "for", "while", "switch", "catch"):
            begun[opened[1]] = (opened[2], number)
        closed = re.fullmatch(r"( *)\}[,;)]*", line)
        if closed and closed[1] in begun:
            name, first = begun.pop(closed[1])
            assert number - first < SCREEN, name


@pytest.mark.of_the_file
def test_fields_of_an_expense_are_the_one_list_everywhere(ledger: Ledger) -> None:
    """What may be sent, changed and answered, and the columns of both tables, are the fields of Content."""
    fields = {"amount", "refund", *FIELDS} - {"amount_minor"}
    assert fields == {*NewExpense.model_fields} == {*expense_changes().model_fields} == {*Values.model_fields}
    assert fields < {*Expense.model_fields}
    assert set(ANNOTATIONS) < fields
    with closing(sqlite3.connect(ledger.path)) as con:
        for table in ("expense", "log_entry"):
            columns = {name for (name,) in con.execute("SELECT name FROM pragma_table_info(?)", (table,))}
            assert {*FIELDS} < columns
        assert {*KEYS} < {name for (name,) in con.execute("SELECT name FROM pragma_table_info('expense')")}
