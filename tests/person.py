"""Somebody at the app, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.builders import PATIENCE_S

expect.set_options(timeout=PATIENCE_S * 1000)

LUNCH = {"Amount": "12.50", "Description": "Lunch", "Category": "Food", "Date": "2026-11-22"}


SHOWN_IN = {  # a cell that is empty unless its section is seen
    "List": "actions",
    "Charts": "month_chart",
    "Insights": "coming_again",
    "Import": "imported",
    "Categories": "all_categories",
    "Changes": "changes",
}


class Person:
    """Somebody at the app: does and sees what is on the page, by its labels and roles."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        expect(page.get_by_label("Amount", exact=True)).to_be_visible()

    # Does

    def types(self, **texts: str) -> None:
        for label, text in texts.items():
            self.form.get_by_label(label, exact=True).fill(text)

    def adds(self, **texts: str) -> None:
        self.types(**texts)
        self.page.keyboard.press("Enter")

    def clicks(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def goes_to(self, section: str) -> None:
        bar = self.page.get_by_role("navigation", name="Sections")
        bar.get_by_role("button", name=section).click()
        expect(self.page.locator(f'[data-cell-name="{SHOWN_IN[section]}"] *').first).to_be_attached()

    def edits(self, named: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^Edit {named}")).first.click()
        expect(self.dialog).to_be_visible()

    def selects(self, named: str) -> None:
        self.page.get_by_role("checkbox", name=re.compile(f"^Select {named}")).check()

    def filters(self, **texts: str) -> None:
        for label, text in texts.items():
            labelled = self.page.get_by_label(label.replace("_", " "), exact=True)
            field = labelled.locator("visible=true")
            field.fill(text)
            field.press("Enter")

    def chooses(self, label: str, option: str) -> None:
        self.page.get_by_label(label, exact=True).select_option(option)

    def drops(self, path: Path) -> None:
        self.page.locator("input[type=file]").set_input_files(path)

    def picks_account(self, name: str) -> None:
        asked = self.page.locator('[data-cell-name="account"]')
        asked.get_by_label("Account", exact=True).select_option(name)

    def types_account(self, name: str) -> None:
        field = self.page.get_by_label("Another account", exact=True)
        field.fill(name)
        field.press("Enter")

    def says_of_line(self, line: int, choice: str) -> None:
        self.line(line).select_option(choice)

    # Sees

    def line(self, line: int) -> Locator:
        """What is chosen for a line of a statement."""
        return self.page.get_by_label(re.compile(f"^What becomes of line {line},"))

    @property
    def form(self) -> Locator:
        return self.page.get_by_role("form", name="New expense")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def tray(self) -> Locator:
        return self.page.locator("section.tray")

    @property
    def waiting(self) -> Locator:
        """What stands in the tray."""
        return self.tray.get_by_role("listitem")

    @property
    def rows(self) -> Locator:
        return self.page.locator('[data-cell-name="listing"] tbody tr')

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    def sees_no(self, text: str) -> None:
        expect(self.page.get_by_text(text).locator("visible=true")).to_have_count(0)

    def sees_choice(self, line: int, text: str) -> None:
        expect(self.line(line).locator("option:checked")).to_have_text(text)

    def sees_added(self, text: str) -> None:
        self.sees(f"Added: {text}")
        self.sees_in(Amount="")

    def sees_total(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator('[data-cell-name="totals"]')).to_contain_text(text)

    def sees_in(self, **texts: str) -> None:
        for label, text in texts.items():
            expect(self.page.get_by_label(label, exact=True)).to_have_value(text)

    def sees_rows(self, *texts: str) -> None:
        """Exactly these rows, each with its text somewhere in it."""
        expect(self.rows).to_have_count(len(texts))
        for row, text in zip(self.rows.all(), texts, strict=True):
            expect(row).to_contain_text(text)

    def sees_tray(self, heading: str, *texts: str) -> None:
        """Exactly this in the tray, each with its text somewhere in it; "" and nothing where there is none."""
        expect(self.waiting).to_have_text([re.compile(re.escape(text)) for text in texts])
        if heading:
            expect(self.tray.get_by_role("heading")).to_have_text(heading)

    def sees_focus_in(self, label: str) -> None:
        self.page.wait_for_function(
            """label => {
                let seen = document.activeElement;
                while (seen?.shadowRoot?.activeElement) seen = seen.shadowRoot.activeElement;
                return (seen?.labels?.[0]?.textContent ?? "") === label;
            }""",
            arg=label,
            timeout=PATIENCE_S * 1000,
        )

    def sees_in_address(self, text: str) -> None:
        self.page.wait_for_function(
            "text => decodeURIComponent(location.search.replaceAll('+', ' ')).includes(text)",
            arg=text,
            timeout=PATIENCE_S * 1000,
        )
