"""A ledger copied to another of any kind, with everything that it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expense_lib import CurrencyError, Ledger, LedgerUnavailable, open_ledger, statements
from expense_lib.__main__ import main
from expense_lib.store import copying
from expense_lib.store.transaction import Transaction
from tests.builders import an_expense, harm, sibling

BANK = b"""Date,Description,Amount,Reference
2026-11-23,LUNCH CORNER,12.50,A1
2026-11-20,Rent,800.00,A2
2026-11-20,Something,12.50,A3
"""


def lived(ledger: Ledger) -> Ledger:
    """A ledger that has something of everything."""
    ledger.record(an_expense(), "key-1")
    ledger.amend(1, {"tags": ["a"], "account": "Giro", "note": "with Anna"}, 1)
    ledger.record(an_expense(amount="800.00", description="Flat", category="Home", date="2026-11-19"))
    ledger.record(an_expense(amount="3.00", description="Été ☕"))
    ledger.add_rule("rent", "Home")
    ledger.import_statement(statements.read(BANK, spending="positive"))
    ledger.rename_category("Food", "Meals")
    ledger.delete(3)
    ledger.undo(ledger.changes()[0].number)
    for waiting in ledger.undecided():
        ledger.decide(waiting.id, "new")
    ledger.split(2, [("700.00", "Home"), ("100.00", "Garage")])
    return ledger


def columns(tx: Transaction, table: str) -> list[str]:
    return sorted({*copying._columns(tx, table)} - {"said_account_key"})


def everything(ledger: Ledger) -> dict[str, list[Any]]:
    engine = ledger.engine
    with engine.connection(ledger.currency.code) as con, engine.transaction(con, write=False):
        tx = Transaction(con, ledger.currency)
        return {table: list(copying._batches(tx, table, columns(tx, table))) for table in copying.TABLES}


def test_copy_has_everything(ledger: Ledger, address: str, tmp_path: Path) -> None:
    lived(ledger)
    there, back = sibling(address, "copy"), tmp_path / "back.db"
    told: list[tuple[int, int]] = []
    ledger.copy_to(there, progress=lambda done, total: told.append((done, total)))
    Ledger(there).copy_to(back)
    for copied in (Ledger(there), Ledger(back)):
        assert everything(copied) == everything(ledger)
        assert copied.check() == []
        assert copied.log() == ledger.log()
        assert copied.generation() not in (ledger.generation(), "")  # what is seen in one is not of the other
        assert not copied.record(an_expense(), "key-1").created
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0


def test_engines_have_the_same_columns(database: str, tmp_path: Path) -> None:
    ledgers = Ledger(tmp_path / "expenses.db"), Ledger(f"{database}&ledger=columns")
    found = []
    for ledger in ledgers:
        engine = ledger.engine
        with engine.connection("USD") as con, engine.transaction(con, write=False):
            tx = Transaction(con, ledger.currency)
            found.append({table: {*copying._columns(tx, table)} for table in copying.TABLES})
    in_file, in_database = found
    for table, names in in_file.items():
        assert names <= in_database[table]


def test_what_is_not_empty_is_left_as_it_is(ledger: Ledger, address: str) -> None:
    ledger.record(an_expense())
    other = Ledger(sibling(address, "other"))
    other.add_rule("rent", "Home")
    with pytest.raises(LedgerUnavailable, match="something in this one already"):
        ledger.copy_to(sibling(address, "other"))
    assert other.search().count == 0
    with pytest.raises(LedgerUnavailable, match="to itself"):
        ledger.copy_to(address)
    with pytest.raises(CurrencyError):
        Ledger(sibling(address, "yen"), "JPY").copy_to(sibling(address, "other"))


@pytest.mark.parametrize("broken", [KeyboardInterrupt, None])
def test_what_fails_leaves_the_target_empty(
    ledger: Ledger, address: str, monkeypatch: pytest.MonkeyPatch, broken: type[BaseException] | None
) -> None:
    lived(ledger)
    if broken is None:
        monkeypatch.setattr(copying, "_NEXT", copying._FIRST.replace(":rows", "0"))
        monkeypatch.setattr(copying, "_BATCH", 2)
        kept = copying._batches
        reads: list[str] = []

        def lossy(tx: Transaction, table: str, columns: list[str]) -> Any:
            reads.append(table)
            return iter(list(kept(tx, table, columns))[: None if reads.count(table) == 1 else 0])

        monkeypatch.setattr(copying, "_batches", lossy)

    def interrupt(done: int, total: int) -> None:
        if broken is not None and done > total * 3 // 4:
            raise broken

    with pytest.raises(broken or LedgerUnavailable):
        ledger.copy_to(sibling(address, "copy"), progress=interrupt)
    there = sibling(address, "copy")
    copied = Ledger(there)
    assert (copied.log(), copied.search().count, copied.check()) == ([], 0, [])
    monkeypatch.undo()
    ledger.copy_to(there)
    assert everything(Ledger(there)) == everything(ledger)


def test_backup_is_a_ledger_in_a_file(ledger: Ledger, tmp_path: Path) -> None:
    lived(ledger).backup(tmp_path / "backup.db")
    assert [file.name for file in tmp_path.glob("*backup*")] == ["backup.db"]
    with Ledger(tmp_path / "backup.db") as backup:
        assert everything(backup) == everything(ledger)
        assert backup.check() == []


def test_command_copies_and_checks(
    ledger: Ledger, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lived(ledger)
    there = sibling(address, "copy")
    assert main(["copy", address, there]) == 0
    assert (
        capsys.readouterr().out == "Copied: 7 expenses, and all that belongs to them.\nThe ledger is sound.\n"
    )
    assert open_ledger(there).search().items == ledger.search().items
    assert main(["copy", address, there]) == 2
    assert "something in this one already" in capsys.readouterr().err
    assert main(["copy", str(tmp_path / "nothing.db"), sibling(address, "new")]) == 2
    assert not (tmp_path / "nothing.db").exists()
    assert main(["copy", "https://example.org", there]) == 2


def test_harm_goes_along_and_is_told(ledger: Ledger, address: str) -> None:
    lived(ledger)
    harm(ledger, "UPDATE category SET count = count + 1 WHERE key = 'meals'")
    assert main(["copy", address, sibling(address, "copy")]) == 1
