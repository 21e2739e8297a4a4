from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from expense_lib import Ledger, LedgerUnavailable, open_ledger
from expense_lib.app.recurring import MOST, Copies, Recurring
from tests.builders import an_expense, free_port, handler

pytestmark = pytest.mark.of_the_file

TODAY = dt.date(2026, 11, 22)


def pay(ledger: Ledger, description: str = "Rent", months: range = range(6, 12), amount: str = "950") -> None:
    for month in months:
        ledger.record(an_expense(amount=amount, description=description, date=f"2026-{month:02d}-05"))


def names(found: list[Recurring]) -> list[str]:
    return [each.description for each in found]


def test_what_came_every_month_is_due_next_month(ledger: Ledger) -> None:
    pay(ledger)
    ledger.record(an_expense(description="Once"))
    (rent,) = Copies().recurring(ledger, TODAY)
    assert (rent.description, rent.count, rent.last) == ("Rent", 6, dt.date(2026, 11, 5))
    assert (str(rent.amount), rent.every_days) == ("950.00", 31)
    assert rent.next is not None
    assert rent.next > TODAY


def test_what_stopped_coming_is_left_out(ledger: Ledger) -> None:
    pay(ledger, months=range(1, 7))
    assert Copies().recurring(ledger, TODAY) == []
    assert names(Copies().recurring(ledger, dt.date(2026, 7, 6))) == ["Rent"]


@pytest.mark.parametrize(
    ("every", "late", "is_due"), [(7, 3, True), (7, 4, False), (30, 6, True), (30, 7, False), (30, -90, True)]
)
def test_payment_is_due_until_it_is_late_by_more_than_usual(every: int, late: int, is_due: bool) -> None:
    due = TODAY - dt.timedelta(days=late)
    each = Recurring("Rent", "Housing", 3, Decimal(1), every, due - dt.timedelta(days=every), due)
    assert each.is_due(TODAY) is is_due


def test_empty_ledger_has_nothing_that_comes_again(ledger: Ledger) -> None:
    assert Copies().recurring(ledger, TODAY) == []


def test_copy_is_refreshed_and_of_its_own_ledger(ledger: Ledger, tmp_path: Path) -> None:
    copies, other = Copies(), Ledger(tmp_path / "other.db", "JPY")
    pay(ledger)
    assert names(copies.recurring(ledger, TODAY)) == ["Rent"]
    pay(other, "Été, <b>")
    assert names(copies.recurring(other, TODAY)) == ["Été, <b>"]
    pay(ledger, "Gym", amount="30")
    assert names(copies.recurring(Ledger(ledger.path), TODAY)) == ["Rent", "Gym"]
    for expense in ledger.search().items:
        ledger.delete(expense.id)
    assert copies.recurring(ledger, TODAY) == []


def test_dearest_come_first_and_only_so_many(ledger: Ledger) -> None:
    for number in range(MOST + 1):
        pay(ledger, f"Payment {number}", range(9, 12), str(100 + number))
    found = names(Copies().recurring(ledger, TODAY))
    assert (len(found), found[0], found[-1]) == (MOST, f"Payment {MOST}", "Payment 1")


def test_two_desks_may_ask_at_once(ledger: Ledger) -> None:
    pay(ledger)
    copies = Copies()
    found: list[list[str]] = []
    ask = [
        threading.Thread(target=lambda: found.append(names(copies.recurring(ledger, TODAY))))
        for _ in range(4)
    ]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert found == [["Rent"]] * 4


def test_handler_that_is_down_is_told_and_asked_again_later(path: Path) -> None:
    copies, port = Copies(), free_port()
    pay(Ledger(path))
    remote = open_ledger(f"http://127.0.0.1:{port}")
    with pytest.raises(LedgerUnavailable):
        copies.recurring(remote, TODAY)
    with handler(path, port):
        assert names(copies.recurring(remote, TODAY)) == ["Rent"]


def test_ledger_put_in_the_place_of_another_is_seen(ledger: Ledger) -> None:
    copies = Copies()
    pay(ledger)
    assert names(copies.recurring(ledger, TODAY)) == ["Rent"]
    other = Ledger(ledger.path.with_name("other.db"))
    pay(other, "Gym")
    other.backup(ledger.path.with_name("backup.db"))
    for suffix in ("-wal", "-shm"):
        ledger.path.with_name(ledger.path.name + suffix).unlink(missing_ok=True)
    ledger.path.with_name("backup.db").replace(ledger.path)
    with pytest.raises(LedgerUnavailable):
        copies.recurring(ledger, TODAY)
    assert names(copies.recurring(ledger, TODAY)) == ["Gym"]
