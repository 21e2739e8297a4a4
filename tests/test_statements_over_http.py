from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.test import Client

from expense_lib import Ledger, statements
from expense_lib.client import RemoteLedger
from expense_lib.domain.statement import Imported
from expense_lib.statements import upload
from handlers import wsgi
from handlers.requests import MAX_STATEMENT_BYTES
from tests.builders import an_expense, handler

FILE = b"Date,Description,Amount\n2026-11-22,Lunch,12.50\n2026-11-22,Lunch,12.50\nsoon,Tea,3.00\n"
ASKED = b"Date,Description,Amount\n03/04/2026,Lunch,12.50\n"


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", address)
    return Client(wsgi.app)


def send(client: Client, file: bytes = FILE, query: str = "", content_type: str = "text/csv") -> Any:
    return client.post(f"/statements{query}", data=file, content_type=content_type)


def test_dry_run_unless_told_otherwise(client: Client, ledger: Ledger) -> None:
    dry = send(client)
    assert dry.status_code == 200
    assert (dry.json["id"], dry.json["dry_run"], dry.json["created"]) == (None, True, 2)
    assert ledger.search().count == 0
    real = send(client, query="?dry_run=false&filename=bank.csv")
    assert (real.json["id"], real.json["dry_run"], real.json["created"], real.json["bad"]) == (1, False, 2, 1)
    assert [verdict["what"] for verdict in real.json["verdicts"]] == ["created", "created"]
    assert real.json["bad_lines"] == [{"line": 4, "reason": "its date is not as %Y-%m-%d says"}]
    assert real.json["reading"]["mapping"] == {
        "date": "Date",
        "amount": "Amount",
        "description": "Description",
    }
    assert ledger.search().count == 2
    assert send(client, query="?dry_run=0").json["existing"] == 2


ODD = "Bank\nTag;Wer;Betrag;Los;Pos;Konto;Notiz\n22.11.2026;Café;-1.234,50;7;1;Giro;mit Ada\n22.11.2026;Tee;2,00;7;2;Giro;\n"


@pytest.mark.parametrize("form", [False, True])
def test_every_option_of_reading_can_be_said(client: Client, ledger: Ledger, form: bool) -> None:
    columns = {
        "date": 1,
        "description": "Wer",
        "amount": "Betrag",
        "reference": ["Los", "Pos"],
        "category": None,
    }
    options = {
        "mapping": json.dumps(columns | {"account": "Konto", "note": "Notiz"}),
        "spending": "negative",
        "credits": "refund",
        "default_category": "Food",
        "date_format": "%d.%m.%Y",
        "decimal": ",",
        "encoding": "cp1252",
        "references": "true",
        "dry_run": "false",
        "layout": "csv:odd",
    }
    file = ODD.encode("cp1252")
    if form:
        answer = client.post("/statements", data=options | {"file": (io.BytesIO(file), "odd.csv")})
    else:
        answer = client.post("/statements", query_string=options, data=file, content_type="text/csv")
    reading = (answer.json or {})["reading"]
    assert (reading["references"], reading["layout"], reading["remarks"]) == ("as given", "csv:odd", [])
    assert reading["mapping"]["reference"] == ["Los", "Pos"]
    tea, coffee = ledger.search().items
    assert (coffee.description, str(coffee.amount), coffee.account, coffee.note, coffee.category) == (
        *("Café", "1234.50", "Giro", "mit Ada", "Food"),
    )
    assert str(tea.amount) == "-2.00"


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [
        ("references=perhaps", "#/references", "must be true or false"),
        ("decimal=;", "#/decimal", "must be '.' or ','"),
        ("spending=up", "#/spending", "must be 'positive' or 'negative'"),
        ("credits=keep", "#/credits", "must be 'skip' or 'refund'"),
        ("mapping=[]", "#/mapping", "must be an object with named fields"),
        (
            'mapping={"date":1.5}',
            "#/mapping.date",
            "must name a column; there are: Date, Description, Amount",
        ),
        ('mapping={"date":{}}', "#/mapping.date", "must name a column; there are: Date, Description, Amount"),
        (
            'mapping={"reference":["Date",true]}',
            "#/mapping.reference",
            "must name a column; there are: Date, Description, Amount",
        ),
        ("date_format=%25d", "#/date_format", ""),
        ("encoding=none", "#/encoding", "must be one that Python knows, as cp1252"),
    ],
)
def test_option_that_can_not_be_accepted_is_named(
    client: Client, query: str, pointer: str, detail: str
) -> None:
    (error,) = send(client, query=f"?{query}").json["errors"]
    assert error["pointer"] == pointer
    assert error["detail"].startswith(detail)


def test_form_with_a_file_is_as_good(client: Client, ledger: Ledger) -> None:
    form = {"file": (io.BytesIO(FILE), "november.csv"), "dry_run": "false", "account": "Card", "decimal": ""}
    answer = client.post("/statements", data=form)
    assert answer.json
    assert answer.json["created"] == 2
    (listed,) = client.get("/imports").json["items"]  # type: ignore[index]
    assert (listed["source"], listed["account"], listed["created"]) == ("november.csv", "Card", 2)
    assert client.post(f"/imports/{listed['id']}/undo").json == {"number": 3, "undone": [1, 2], "kept": []}


@pytest.mark.parametrize(
    ("file", "query", "content_type", "status"),
    [
        (b"", "", "text/csv", 411),
        (b"\n", "", "text/csv", 422),
        (b"\x89PNG\r\n\x1a\n\0\0", "", "application/octet-stream", 422),
        (ASKED, "", "text/csv", 422),
        (FILE, "?date_format=%25d", "text/csv", 422),
        (FILE, "?spending=up", "text/csv", 422),
        (FILE, "?mapping=[", "text/csv", 422),
        (FILE, "?mapping=%7B%22date%22:%22Day%22%7D", "text/csv", 422),
        (FILE, "?dry_run=maybe", "text/csv", 422),
        (FILE, "?unknown=1", "text/csv", 422),
        (FILE, "?account=a&account=b", "text/csv", 422),
        (FILE, f"?account={'a' * 300}", "text/csv", 422),
        (FILE, "?encoding=idna", "text/csv", 422),
        (FILE, "?encoding=rot13", "text/csv", 422),
        (FILE, "", "application/json", 415),
        (FILE, "", "image/png", 415),
        (FILE, "", "multipart/form-data; boundary=x", 400),
        (b"x" * (MAX_STATEMENT_BYTES + 1), "", "text/csv", 413),
    ],
)
def test_refusals(
    client: Client, ledger: Ledger, file: bytes, query: str, content_type: str, status: int
) -> None:
    answer = send(client, file, query, content_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]
    assert ledger.search().count == 0


def test_statement_without_its_length_is_refused(client: Client, ledger: Ledger) -> None:
    """A server may hand on what was cut off as if it were whole."""
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(
        "/statements?dry_run=0",
        input_stream=io.BytesIO(FILE),
        content_type="text/csv",
        environ_overrides=environ,
    )
    assert answer.status_code == 411
    assert ledger.search().count == 0


@pytest.mark.parametrize("name", ["a" * 900 + ".csv", "tab\tand\x07bell.csv", ""])
def test_name_of_a_file_is_only_a_label(client: Client, ledger: Ledger, name: str) -> None:
    answer = client.post(
        "/statements", query_string={"dry_run": "0", "filename": name}, data=FILE, content_type="text/csv"
    )
    assert answer.status_code == 200
    assert len(ledger.imports()[0].source) <= 500


def test_what_must_be_said_is_asked_with_its_choices(client: Client, ledger: Ledger) -> None:
    answer = send(client, ASKED)
    assert answer.json["type"] == "urn:expense-ledger:problem:statement-unclear"
    assert answer.json["errors"][0]["pointer"] == "#/date_format"
    for choice in answer.json["choices"]:
        assert send(client, ASKED, f"?date_format={choice.replace('%', '%25')}").json["created"] == 1


def test_rules_over_http(client: Client, ledger: Ledger) -> None:
    rule = {"text": "lunch", "category": "Food"}
    made = client.post("/rules", json=rule)
    assert made.json == {"id": 1, **rule}
    assert client.get("/rules").json == {"items": [made.json]}
    assert send(client).json["verdicts"][0]["category"] == "Food"
    assert client.post("/rules", json={"text": "", "category": "Food"}).status_code == 422
    assert client.delete("/rules/1").status_code == 204
    assert client.delete("/rules/1").status_code == 404
    assert client.post("/imports/7/undo").status_code == 404


def test_pages_of_other_sites_can_not_import(client: Client, ledger: Ledger) -> None:
    forged = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/statements?dry_run=false", data=FILE, content_type="text/plain", headers=forged)
    assert answer.status_code == 403
    assert ledger.search().count == 0


def told(done: Imported) -> Any:
    return (
        [verdict.model_dump() for verdict in done.verdicts],
        done.created,
        done.existing,
        done.skipped,
        done.bad,
    )


def test_remote_ledger_imports_as_the_local_one(tmp_path: Path) -> None:
    local = Ledger(tmp_path / "local.db")
    with handler(tmp_path / "served.db") as url:
        remote = RemoteLedger(url)
        for each in (local, remote):
            each.record(an_expense())
            each.add_rule("tea", "Drinks")
        bank = (
            b'Booked on;Who;Sum;No;Kind;Cur\n22.11.2026;Lunch;-12,50;;;USD\n22.11.2026;"Tea; \xc3\xa0 la";-3,00;A1;;usd\n'
            b"22.11.2026;Pay;900,00;A2;;\n21.11.2026;Launch;-12,50;A3;Fun;\n21.11.2026;Euro;-1,00;A4;;EUR\nlater;x;1;;;\n"
        )
        mapping = {
            "date": "Booked on",
            "description": "Who",
            "amount": "Sum",
            "reference": "No",
            "category": "Kind",
            "currency": "Cur",
        }
        for credits_, dry_run in (("skip", True), ("refund", True), ("refund", False), ("refund", False)):
            plan = statements.read(bank, mapping=mapping, credits=credits_, account="Giro")  # type: ignore[arg-type]
            seen: list[tuple[int, int]] = []
            done = remote.import_statement(plan, dry_run=dry_run, progress=lambda *now: seen.append(now))  # noqa: B023
            assert told(done) == told(local.import_statement(plan, dry_run=dry_run))
            assert seen[-1] == (5, 5)
        assert remote.rules() == local.rules()
        theirs, mine = (
            [listed.model_dump(exclude={"at", "undone_at"}) for listed in each.imports()]
            for each in (remote, local)
        )
        assert theirs == mine
        assert remote.undo_import(1) == local.undo_import(1)
        assert remote.search().total == local.search().total
        remote.delete_rule(1)
        assert remote.rules() == []
        for each in (local, remote):
            each.export_csv(tmp_path / "out.csv")
            each.export_history(tmp_path / "out.jsonl")
            assert each.import_statement(statements.read(tmp_path / "out.csv", credits="refund")).created == 0
            (tmp_path / "out.csv").unlink()
            (tmp_path / "out.jsonl").unlink()


def test_what_was_made_of_references_and_layout_is_the_same_from_afar(tmp_path: Path) -> None:
    """The handler reads rows, and does not judge again what was judged here."""
    batch = "".join(f"2026-11-{day:02},Bus {day},2.40,7,{day}\n" for day in range(1, 21))
    file = f"Date,Description,Amount,TransNo,Seq No\n{batch}".encode()
    told_again = []
    with handler(tmp_path / "served.db") as url:
        for references in (True, None, False):
            plan = statements.read(file, spending="positive", references=references)
            sent = requests.post(
                f"{url}/statements", params=upload.query(plan), data=upload.body(plan), timeout=10,
                headers={"Content-Type": "text/csv"},
            ).json()  # fmt: skip
            assert sent["reading"]["layout"] == plan.reading.layout
            here = Ledger(tmp_path / f"{references}.db").import_statement(plan, dry_run=True)
            assert told(RemoteLedger(url).import_statement(plan, dry_run=True)) == told(here)
            told_again.append(here.created)
    assert told_again == [20, 20, 20]


def test_plan_without_rows_is_the_same_from_afar(tmp_path: Path) -> None:
    plan = statements.read(
        b"Date,Description,Amount\nsoon,Tea,3.00\n",
        mapping={"date": "Date", "amount": "Amount"},
        date_format="%Y-%m-%d",
    )
    with handler(tmp_path / "served.db") as url:
        assert told(RemoteLedger(url).import_statement(plan)) == told(
            Ledger(tmp_path / "local.db").import_statement(plan)
        )


def test_real_handler_takes_an_ofx_file_from_a_form(tmp_path: Path) -> None:
    ofx = b"<OFX><STMTRS><CURDEF>USD<BANKTRANLIST><STMTTRN><DTPOSTED>20261122<TRNAMT>-12.50<FITID>1<NAME>Lunch</STMTTRN></BANKTRANLIST></STMTRS></OFX>"
    with handler(tmp_path / "served.db") as url:
        answer = requests.post(
            f"{url}/statements", files={"file": ("bank.ofx", ofx)}, data={"dry_run": "false"}, timeout=10
        )
        assert json.loads(answer.text)["created"] == 1
