from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from expense_lib import ExpenseFilter, Filter, Ledger, LedgerUnavailable, statements
from expense_lib.client import RemoteLedger
from expense_lib.domain import spreadsheets
from handlers import wsgi
from tests.builders import an_expense, handler

AWKWARD = ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", "'=1", "''@", 'a "b", c', "Café", "x;y", "'", "=="]


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", address)
    return Client(wsgi.app)


def exported(ledger: Ledger, folder: Path, **wanted: Any) -> list[dict[str, str]]:
    ledger.export_csv(folder / "out.csv", Filter(**wanted))
    with (folder / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (folder / "out.csv").unlink()
    return rows


def test_csv_has_each_expense_that_matches_by_date(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(an_expense(date="2026-11-23", amount="-3.00", refund=True))
    ledger.record(an_expense(date="2026-11-22"))
    ledger.record(an_expense(category="Rent", amount="900"))
    ledger.delete(ledger.record(an_expense(description="Gone")).expense.id)
    assert [
        (row["date"], row["amount"], row["currency"]) for row in exported(ledger, tmp_path, category="food")
    ] == [
        ("2026-11-22", "12.50", "USD"),
        ("2026-11-23", "-3.00", "USD"),
    ]
    assert len(exported(ledger, tmp_path)) == 3
    assert exported(ledger, tmp_path, amount_min="100")[0]["dedup_key"] == ledger.get(3).dedup_key


def test_annotations_come_back_from_an_export(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(an_expense(account="=Giro", note="-with, Ada", tags=["work", "@home", "Äpfel"]))
    ledger.record(an_expense(description="Tea"))
    ledger.export_csv(tmp_path / "out.csv")
    other = Ledger(tmp_path / "other.db")
    plan = statements.read(tmp_path / "out.csv")
    assert other.import_statement(plan, dry_run=True).created == 2
    with handler(tmp_path / "remote.db") as url:
        RemoteLedger(url).import_statement(plan)
        remote = RemoteLedger(url).search()
    other.import_statement(plan)
    for page in (other.search(), remote):
        tea, lunch = page.items
        assert (lunch.account, lunch.note, lunch.tags) == ("=Giro", "-with, Ada", ("@home", "work", "Äpfel"))
        assert (tea.account, tea.note, tea.tags) == (None, "", ())
    assert other.search(ExpenseFilter(tag="ÄPFEL", account="=giro", q="ada")).count == 1
    assert ledger.import_statement(plan).created == 0


def test_columns_of_a_statement_can_be_notes_and_tags(ledger: Ledger) -> None:
    file = b'Date,Text,Amount,Memo,Labels\n2026-11-22,Bus,2.40,to Ada,"#work, #bus"\n2026-11-22,Tea,3.00,,\n'
    plan = statements.read(
        file,
        spending="positive",
        account="Giro",
        mapping={"description": "Text", "note": "Memo", "tags": "Labels"},
    )
    ledger.import_statement(plan)
    tea, bus = ledger.search().items
    assert (bus.account, bus.note, bus.tags) == ("Giro", "to Ada", ("bus", "work"))
    assert (tea.account, tea.note, tea.tags) == ("Giro", "", ())
    assert ledger.check() == []


@given(st.text())
def test_guarded_text_can_not_run_and_comes_back(text: str) -> None:
    guarded = spreadsheets.guarded(text)
    assert guarded[:1] not in tuple("=+-@")
    assert spreadsheets.unguarded(guarded) == text


def test_importing_an_export_adds_none(ledger: Ledger, tmp_path: Path) -> None:
    for text in AWKWARD:
        ledger.record(an_expense(description=text, category=text))
    for occurrence in (2, 3):
        ledger.record(an_expense(description="=", occurrence=occurrence))
    bank = b"Date,Description,Amount\n2026-11-22,Bus,2.40\n2026-11-22,Bus,2.40\n2026-11-22,Pay,-900\n"
    ledger.import_statement(statements.read(bank, spending="positive", credits="refund"))
    ledger.amend(1, {"amount": "13.00"}, None)
    ledger.export_csv(tmp_path / "out.csv")
    before = ledger.search().total
    for told in (
        {},
        {"credits": "refund"},
        {"account": "other"},
        {"mapping": {"date": "date", "amount": "amount"}},
    ):
        done = ledger.import_statement(statements.read(tmp_path / "out.csv", **told))
        assert (done.created, done.changed) == (0, 0), told
    ledger.delete(2)
    assert ledger.import_statement(statements.read(tmp_path / "out.csv")).deleted == 1
    assert ledger.search().total == before - Decimal("12.50")


def test_export_can_be_imported_into_another_ledger(ledger: Ledger, tmp_path: Path) -> None:
    for text in AWKWARD:
        ledger.record(an_expense(description=text, category=text))
    ledger.record(an_expense(amount="-3.00", refund=True))
    ledger.export_csv(tmp_path / "out.csv")
    other = Ledger(tmp_path / "other.db")
    plan = statements.read(tmp_path / "out.csv", credits="refund")
    assert other.import_statement(plan).created == len(AWKWARD) + 1
    assert other.import_statement(plan).created == 0
    assert other.search().total == ledger.search().total
    (tmp_path / "out.csv").unlink()
    assert {row["description"] for row in exported(other, tmp_path)} == {
        row["description"] for row in exported(ledger, tmp_path)
    }


@pytest.mark.parametrize("currency", ["USD", "KWD", "JPY"])
def test_refunds_and_awkward_fields_come_back_as_they_were(tmp_path: Path, currency: str) -> None:
    ledger, other = Ledger(tmp_path / "one.db", currency), Ledger(tmp_path / "other.db", currency)
    for amount, refund in (("12", False), ("-3", True), ("-5", True)):
        for category, description in (("Credit", "a"), ("CR", "<OFX>"), ("S", "credit")):
            ledger.record(
                an_expense(
                    amount=amount,
                    refund=refund,
                    category=category,
                    description=description,
                    date="1899-12-31",
                )
            )
    ledger.export_csv(tmp_path / "out.csv")
    done = other.import_statement(statements.read(tmp_path / "out.csv", credits="refund"))
    assert (done.created, done.bad) == (9, 0)
    assert other.search().total == ledger.search().total
    assert [total.model_dump() for total in other.categories()] == [
        total.model_dump() for total in ledger.categories()
    ]
    undone = other.undo_import(done.id or 0)
    assert len(undone.undone) == 9
    assert other.import_statement(statements.read(tmp_path / "out.csv", credits="refund")).created == 9
    for credits_ in ("skip", "refund"):
        again = ledger.import_statement(statements.read(tmp_path / "out.csv", credits=credits_))
        assert (again.created, again.changed) == (0, 0)


def test_one_expense_is_one_row_of_another_ledgers_export(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(an_expense())
    ledger.record(an_expense(occurrence=2))
    ledger.delete(1)
    other = Ledger(tmp_path / "other.db")
    ledger.export_csv(tmp_path / "second.csv")
    other.import_statement(statements.read(tmp_path / "second.csv"))
    ledger.restore(1)
    ledger.export_csv(tmp_path / "both.csv")
    assert other.import_statement(statements.read(tmp_path / "both.csv")).created == 1
    assert other.search().total == ledger.search().total


def of_another(file: Path) -> bytes:
    """An export as another ledger would have written it."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = [row | {"ledger": "another"} for row in csv.DictReader(opened)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_export_names_its_ledger(ledger: Ledger, tmp_path: Path) -> None:
    """Two people's equal payments have the same dedup key, and are two."""
    bank = b"Date,Description,Amount,Category\n2026-11-22,Lunch,12.50,Food\n"
    ledger.import_statement(statements.read(bank, spending="positive"))
    ledger.export_csv(tmp_path / "out.csv")
    own = statements.read(tmp_path / "out.csv")
    assert own.reading.mapping["reference"] == ("ledger", "dedup_key")
    assert own.reading.references == "as given"
    assert (own.rows[0].reference or "").endswith(f"/{ledger.get(1).dedup_key}")
    assert [verdict.expense_id for verdict in ledger.import_statement(own).verdicts] == [1]
    other = statements.read(of_another(tmp_path / "out.csv"))
    assert other.rows[0].reference == f"another/{ledger.get(1).dedup_key}"
    for created, total in ((1, "25.00"), (0, "25.00")):
        assert ledger.import_statement(other).created == created
        assert ledger.search().total == Decimal(total)


def test_keys_of_an_export_are_not_judged(ledger: Ledger, tmp_path: Path) -> None:
    """Two exports put together have an edited expense twice, with other content; it stays one."""
    ledger.record(an_expense())
    ledger.export_csv(tmp_path / "before.csv")
    ledger.amend(1, {"amount": "13.00"}, 1)
    ledger.export_csv(tmp_path / "after.csv")
    after = (tmp_path / "after.csv").read_bytes().partition(b"\n")[2]
    plan = statements.read((tmp_path / "before.csv").read_bytes() + after)
    assert plan.reading.references == "as given"
    assert len(set(plan.rows.references)) == 1
    assert ledger.import_statement(plan).created == 0


def test_export_of_before_ledgers_had_names_is_known(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(an_expense(description="=1"))
    ledger.export_csv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as opened:
        old = "\r\n".join(line.rstrip().rpartition(",")[0] for line in opened)
    plan = statements.read(old.encode())
    assert (plan.rows[0].reference, plan.rows[0].description) == (ledger.get(1).dedup_key, "=1")
    assert ledger.import_statement(plan).verdicts[0].expense_id == 1


def test_history_has_every_version_of_every_expense(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(an_expense())
    ledger.amend(1, {"amount": "13.00"}, 1)
    ledger.delete(ledger.record(an_expense(description="Gone")).expense.id)
    ledger.export_history(tmp_path / "all.jsonl")
    first, second = map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines())
    assert [version["after"]["amount"] for version in first["history"]] == ["12.50", "13.00"]
    assert first["dedup_key"] == ledger.get(1).dedup_key
    assert (second["id"], second["deleted"], second["currency"]) == (2, True, "USD")


def test_file_that_is_there_is_not_written_over(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    for export in (ledger.export_csv, ledger.export_history):
        with pytest.raises(LedgerUnavailable):
            export(tmp_path / "mine.csv")
        with pytest.raises(LedgerUnavailable):
            export(tmp_path / "nowhere" / "out.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix in (".csv", ".part")) == [
        "mine.csv"
    ]


def test_csv_over_http_takes_the_filters_of_the_list(ledger: Ledger, client: Client) -> None:
    ledger.record(an_expense(description="=1+1"))
    ledger.record(an_expense(category="Rent"))
    answer = client.get("/expenses.csv?category=food&q=1")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline=""))
    assert row["description"] == "'=1+1"
    assert answer.get_data().count(b"\r\n") == 2
    for query in ("sort=date_asc", "amount_min=x", "q=a&q=b"):
        assert client.get(f"/expenses.csv?{query}").status_code == 422
    lines = client.get("/expenses.jsonl").get_data(as_text=True).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2]
