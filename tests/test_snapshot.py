from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest

from expense_lib import Ledger, LedgerUnavailable, open_ledger
from expense_lib.app.filters import CUSTOM, View
from expense_lib.app.snapshot import READ_ONLY, Snapshot, load
from expense_lib.client import RemoteLedger
from expense_lib.domain.results import Health
from tests.builders import an_expense, handler

TODAY = dt.date(2026, 11, 22)


@pytest.fixture(scope="module")
def behind_a_handler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, RemoteLedger]]:
    path = tmp_path_factory.mktemp("served") / "expenses.db"
    local = Ledger(path)
    with handler(path) as url:
        remote = open_ledger(url)
        assert isinstance(remote, RemoteLedger)
        yield local, remote


def down() -> NoReturn:
    raise LedgerUnavailable("It is down.")


def see(ledger: Ledger | RemoteLedger, view: View | None = None, before: Snapshot | None = None) -> Snapshot:
    return load(lambda: ledger, view or View(), None, TODAY, before)


def test_new_ledger_has_nothing_to_see(ledger: Ledger) -> None:
    seen = see(ledger)
    assert seen.is_new
    assert (seen.average, seen.months, seen.trouble, seen.unclear) == (Decimal("0.00"), 0, "", "")
    assert seen.currency == "USD"


def test_ledger_with_expenses_elsewhere_is_not_new(ledger: Ledger) -> None:
    ledger.record(an_expense())
    seen = see(ledger, View(q="nothing like it"))
    assert (seen.is_new, seen.page and seen.page.count, seen.months) == (False, 0, 0)


def test_ledger_whose_only_expense_was_deleted_is_new(ledger: Ledger) -> None:
    ledger.record(an_expense())
    ledger.delete(1)
    assert see(ledger).is_new


@pytest.mark.parametrize(
    ("currency", "amounts", "average"),
    [("USD", "10.00 0.01", "3.34"), ("JPY", "10 1", "4"), ("BHD", "1.000 0.001", "0.334")],
)
def test_average_is_over_the_months_seen(tmp_path: Path, currency: str, amounts: str, average: str) -> None:
    ledger = Ledger(tmp_path / "expenses.db", currency)
    for amount, date in zip(amounts.split(), ("2025-12-31", "2026-02-01"), strict=True):
        ledger.record(an_expense(amount=amount, date=date))
    seen = see(ledger)
    assert (str(seen.average), seen.months, seen.currency) == (average, 3, currency)


def test_average_of_refunds_is_negative(ledger: Ledger) -> None:
    ledger.record(an_expense(amount="-9.00", refund=True))
    seen = see(ledger, View(period="last-12-months"))
    assert (str(seen.average), seen.months) == ("-0.75", 12)


def test_months_are_of_what_the_filters_leave_whatever_the_page(ledger: Ledger) -> None:
    for month in range(1, 11):
        ledger.record(an_expense(date=f"2026-{month:02d}-28", category="Fuel" if month % 2 else "Food"))
    seen = see(ledger, View(categories=("FUEL",), sort="amount_asc"))
    assert (seen.page and seen.page.count, seen.months) == (5, 9)
    assert see(ledger, View(period=CUSTOM, date_from="2026-04-01")).months == 7


def test_what_can_not_be_had_leaves_what_was_seen_with_the_reason(ledger: Ledger) -> None:
    ledger.record(an_expense())
    before = see(ledger)
    failed = load(down, View(), None, TODAY, before)
    assert (failed.trouble, failed.page, failed.categories) == ("It is down.", before.page, before.categories)
    assert (failed.average, failed.months, failed.currency) == (before.average, before.months, "USD")
    assert see(ledger, before=failed) == before


def test_nothing_was_seen_before_the_first_failure() -> None:
    assert load(down, View(), None, TODAY) == Snapshot(trouble="It is down.")
    assert not load(down, View(), None, TODAY).is_new


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(amount_min="12,50"), "At least must be a plain decimal"),
        (View(amount_max="1.005"), "At most must have at most 2 fraction digits in USD."),
        (View(period=CUSTOM, date_from="2027-02-29"), "From must be a day that exists in the calendar."),
    ],
)
def test_filter_that_is_wrong_is_told_by_its_label_and_what_was_seen_stays(
    ledger: Ledger, view: View, said: str
) -> None:
    ledger.record(an_expense())
    before = see(ledger)
    seen = see(ledger, view, before)
    assert seen.unclear.startswith(said)
    assert (seen.page, seen.trouble) == (before.page, "")


def test_filter_refused_by_a_handler_is_told_by_its_label(
    behind_a_handler: tuple[Ledger, RemoteLedger],
) -> None:
    assert see(behind_a_handler[1], View(amount_max="1.005")).unclear.startswith("At most must have")


def test_same_is_seen_through_a_handler(behind_a_handler: tuple[Ledger, RemoteLedger]) -> None:
    local, remote = behind_a_handler
    local.record(an_expense(description="<b>Tea</b> & 50%, é"))
    local.record(an_expense(amount="-3.00", category="Fuel, oil", refund=True, date="2026-02-28"))
    for view in (View(), View(categories=("fuel, oil",)), View(q="<b>tea"), View(period="this-month")):
        assert see(remote, view) == see(local, view)


def test_second_look_at_the_same_sees_the_same(ledger: Ledger) -> None:
    ledger.record(an_expense())
    assert see(ledger) == see(ledger)


def test_ledger_that_can_only_be_read_is_seen_with_a_warning(ledger: Ledger, address: str) -> None:
    class OnlyRead(Ledger):
        def health(self) -> Health:
            return super().health().model_copy(update={"writable": False, "status": "read-only"})

    ledger.record(an_expense())
    seen = see(OnlyRead(address))
    assert (seen.trouble, seen.page) == (READ_ONLY, see(ledger).page)
    assert see(ledger, before=seen).trouble == ""


def test_writable_is_asked_until_it_is_known(address: str) -> None:
    class Asked(Ledger):
        times = 0

        def health(self) -> Health:
            self.times += 1
            return super().health()

    asked = Asked(address)
    first = see(asked)
    unclear = see(asked, View(amount_min="1,5"), first)
    assert (see(asked, before=unclear).trouble, asked.times) == ("", 1)


def test_page_after_a_cursor_is_seen_and_one_of_another_order_is_refused(ledger: Ledger) -> None:
    for day in range(51):
        ledger.record(an_expense(date=str(dt.date(2026, 1, 1) + dt.timedelta(days=day))))
    first = see(ledger).page
    assert first is not None
    second = load(lambda: ledger, View(), first.next_cursor, TODAY)
    assert second.page is not None
    assert [str(each.date) for each in second.page.items] == ["2026-01-01"]
    assert (second.page.count, second.months) == (51, 2)
    refused = load(lambda: ledger, View(sort="amount_asc"), first.next_cursor, TODAY, second)
    assert refused.unclear.startswith("cursor")
    assert refused.page == second.page
