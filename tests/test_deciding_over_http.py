"""What may be one payment, decided by HTTP and from afar."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from werkzeug.test import Client, TestResponse

from expense_lib import ExpenseError, InvalidInput, Ledger, statements
from expense_lib.api import LedgerAPI
from expense_lib.client import RemoteLedger
from expense_lib.domain.errors import PROBLEM_TYPE_PREFIX
from handlers import wsgi
from tests.builders import an_expense, etag, fields, handler

PIZZA = fields(amount="18.40", description="Pizza", date="2026-11-26")
BANK = b"Date;Text;Amount\n2026-11-27;TRATTORIA DA ADA 4711;-18.40\n2026-11-28;NETFLIX.COM;-9.99\n"
TOO_MUCH = {"amount": "20.00", "category": "Food"}


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", address)
    return Client(wsgi.app)


def send_bank(client: Client, file: bytes = BANK, **options: str) -> Any:
    query = {"account": "Giro", "dry_run": "false", **options}
    return client.post("/statements", query_string=query, data=file, content_type="text/csv")


@pytest.fixture
def held(client: Client) -> Client:
    """A client of a ledger in which 2, which a bank told of, waits: it may be 1, which a person entered."""
    assert client.post("/expenses", json=PIZZA).status_code == 201
    verdict = send_bank(client).json["verdicts"][0]
    assert (verdict["what"], verdict["expense_id"], verdict["candidates"]) == ("held", 2, [1])
    return client


def code(answer: TestResponse) -> str:
    assert answer.content_type == "application/problem+json"
    return str(answer.json["type"]).removeprefix(PROBLEM_TYPE_PREFIX)  # type: ignore[index]


def test_what_waits_is_listed_with_what_it_may_be(held: Client) -> None:
    (item,) = held.get("/undecided").json["items"]  # type: ignore[index]
    assert item.pop("why")
    assert item == {
        "id": 2,
        "kind": "row",
        "date": "2026-11-27",
        "amount": "18.40",
        "category": "Uncategorised",
        "description": "TRATTORIA DA ADA 4711",
        "account": "Giro",
        "candidates": [1],
    }
    assert held.get("/expenses").json["count"] == 2  # type: ignore[index] # it counts nowhere


def test_decision_is_a_change_that_stays_so_and_can_be_undone(held: Client) -> None:
    first = held.post("/undecided/2", json={"same_as": 1})
    assert first.status_code == 200
    assert held.post("/undecided/2", json={"same_as": 1}).json == {"number": None}
    assert held.get("/undecided").json == {"items": []}
    assert held.get("/expenses/1").json["account"] == "Giro"  # type: ignore[index]
    number = first.json["number"]  # type: ignore[index]
    assert held.post(f"/changes/{number}/undo").status_code == 200
    assert [each["id"] for each in held.get("/undecided").json["items"]] == [2]  # type: ignore[index]


@pytest.mark.parametrize("said", ["new", "skip"])
def test_what_is_new_counts_and_what_is_left_out_does_not(held: Client, said: str) -> None:
    assert held.post("/undecided/2", json={"same_as": said}).status_code == 200
    assert held.get("/undecided").json == {"items": []}
    assert held.get("/expenses").json["count"] == (3 if said == "new" else 2)  # type: ignore[index]


@pytest.mark.parametrize(("keep", "amount"), [(False, "20.40"), (True, "18.40")])
def test_amount_is_the_banks_unless_it_is_kept(client: Client, keep: bool, amount: str) -> None:
    file = "Date;Text;Amount;Reference\n2026-11-27;TRATTORIA DA ADA;-{};A1\n2026-11-28;CINEMA;-9.99;A2\n"
    columns = {"date": "Date", "description": "Text", "amount": "Amount", "reference": "Reference"}
    for each in ("18.40", "20.40"):
        send_bank(client, file.format(each).encode(), mapping=json.dumps(columns), references="true")
    (item,) = client.get("/undecided").json["items"]  # type: ignore[index]
    assert (item["amount"], item["candidates"]) == ("20.40", [1])
    client.post(f"/undecided/{item['id']}", json={"same_as": 1, "keep_amount": keep})
    assert client.get("/expenses/1").json["amount"] == amount  # type: ignore[index]


@pytest.mark.parametrize(
    ("expense_id", "said", "status"),
    [
        (2, {}, 422),
        (2, {"same_as": "1"}, 422),
        (2, {"same_as": "old"}, 422),
        (2, {"same_as": 0}, 422),
        (2, {"same_as": True}, 422),
        (2, {"same_as": 1, "keep_amount": 1}, 422),
        (2, {"same_as": 1, "unknown": 1}, 422),
        (2, {"same_as": 2}, 409),
        (2, {"same_as": 4711}, 404),
        (2, {"same_as": 10**30}, 404),
        (1, {"same_as": "new"}, 409),
        (4711, {"same_as": "new"}, 404),
    ],
    ids=str,
)
def test_decision_that_is_none_is_refused(
    held: Client, expense_id: int, said: dict[str, Any], status: int
) -> None:
    answer = held.post(f"/undecided/{expense_id}", json=said)
    assert answer.status_code == status, answer.text
    assert code(answer)
    assert len(held.get("/undecided").json["items"]) == 1  # type: ignore[index]


ON_AN_EXPENSE: list[Callable[[Client, int], TestResponse]] = [
    lambda client, each: client.get(f"/expenses/{each}"),
    lambda client, each: client.patch(f"/expenses/{each}", json={"note": "x"}, headers={"If-Match": "*"}),
    lambda client, each: client.delete(f"/expenses/{each}"),
    lambda client, each: client.post(f"/expenses/{each}/restore"),
    lambda client, each: client.post(
        f"/expenses/{each}/parts",
        json={"parts": [{"amount": "18.40", "category": "x"}]},
        headers={"If-Match": "*"},
    ),
]


@pytest.mark.parametrize("work", ON_AN_EXPENSE, ids=["get", "edit", "delete", "restore", "split"])
def test_what_waits_and_what_was_merged_are_409(held: Client, work: Any) -> None:
    waits = work(held, 2)
    assert (waits.status_code, code(waits), waits.json["expense_id"]) == (409, "expense-held", 2)
    number = held.post("/undecided/2", json={"same_as": 1}).json["number"]  # type: ignore[index]
    merged = work(held, 2)
    assert (merged.status_code, code(merged)) == (409, "expense-merged")
    assert (merged.json["into"], merged.json["number"]) == (1, number)


def test_merged_expense_is_found_as_the_one_that_stays(client: Client) -> None:
    client.post("/expenses", json=PIZZA)
    other = PIZZA | {"description": "Pizza with Ada"}
    client.post("/expenses", json=other)
    merged = client.post("/expenses/2/merge", json={"into": 1})
    assert (merged.status_code, merged.json["id"]) == (200, 1)  # type: ignore[index]
    assert etag(merged.headers) == f'"{merged.json["version"]}"'  # type: ignore[index]
    assert client.post("/expenses/2/merge", json={"into": 1}).json == merged.json
    replayed = client.post("/expenses", json=other)
    assert (replayed.status_code, replayed.headers["Content-Location"]) == (200, "/expenses/1")
    assert replayed.json["differs"] == ["description"]  # type: ignore[index]
    assert client.get("/expenses").json["count"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("expense_id", "body", "status"),
    [
        (1, {"into": 1}, 422),
        (1, {"into": "2"}, 422),
        (1, {"into": 0}, 422),
        (1, {}, 422),
        (1, {"into": 4711}, 404),
        (4711, {"into": 1}, 404),
        (1, {"into": 3}, 410),
        (3, {"into": 1}, 410),
    ],
    ids=str,
)
def test_expenses_that_can_not_be_one_are_refused(
    client: Client, expense_id: int, body: dict[str, Any], status: int
) -> None:
    for day in (1, 2, 3):
        client.post("/expenses", json=fields(date=f"2026-11-0{day}"))
    client.delete("/expenses/3")
    answer = client.post(f"/expenses/{expense_id}/merge", json=body)
    assert answer.status_code == status
    assert code(answer)


def split(client: Client, *parts: dict[str, str], **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/expenses/1/parts", json={"parts": list(parts)}, headers=given)


def test_parts_add_up_and_are_split_once(client: Client) -> None:
    assert {"part_of", "whole"}.isdisjoint(client.post("/expenses", json=PIZZA).json)  # type: ignore[arg-type]
    parts = ({"amount": "10.00", "category": "Food"}, {"amount": "8.40", "category": "Wine"})
    assert split(client, *parts).status_code == 428
    done = split(client, *parts, If_Match='"1"')
    assert done.status_code == 200
    first, second = done.json["items"]  # type: ignore[index]
    assert (first["id"], first["amount"], first["category"], first["whole"]) == (1, "10.00", "Food", "18.40")
    assert (second["amount"], second["category"], second["part_of"]) == ("8.40", "Wine", 1)
    assert ("part_of" in first, "whole" in second) == (False, False)
    assert split(client, *parts, If_Match='"1"').json == done.json  # its answer was lost
    stale = split(client, {"amount": "18.40", "category": "Food"}, If_Match='"1"')
    assert (stale.status_code, etag(stale.headers)) == (412, '"2"')
    page = client.get("/expenses").json
    assert (page["count"], page["total"]) == (2, "18.40")  # type: ignore[index]
    assert [entry["change"] for entry in client.get("/expenses/1/history").json["items"]] == [  # type: ignore[index]
        "created",
        "split",
    ]
    whole = split(client, {"amount": "18.40", "category": "Food"}, If_Match='"2"')
    assert ["whole" in each for each in whole.json["items"]] == [False]  # type: ignore[index]


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ([], "#/parts"),
        ([TOO_MUCH], "#/parts"),
        ([1], "#/parts"),
        ([{"amount": "18.40", "category": "Food"}, {"amount": "x", "category": "Food"}], "#/parts/1/amount"),
        ([{"amount": "18.40"}], "#/parts/0/category"),
        ([{"amount": "18.40", "category": "Food", "note": ""}], "#/parts/0/note"),
        ([{"amount": "18.401", "category": "Food"}], "#/parts/0/amount"),
    ],
    ids=str,
)
def test_bad_part_is_refused_and_named(client: Client, parts: list[Any], pointer: str) -> None:
    client.post("/expenses", json=PIZZA)
    answer = split(client, *parts, If_Match="*")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]  # type: ignore[index]


def test_record_says_that_the_bank_told_of_it(client: Client) -> None:
    send_bank(client)
    joined = client.post("/expenses", json=fields(amount="9.99", description="Netflix", date="2026-11-28"))
    assert (joined.status_code, joined.json["joined"]) == (200, True)  # type: ignore[index]
    assert joined.headers["Content-Location"] == "/expenses/2"
    doubtful = client.post("/expenses", json=PIZZA)
    assert (doubtful.status_code, doubtful.json["looks_like"]) == (201, 1)  # type: ignore[index]
    assert [each["id"] for each in client.get("/undecided").json["items"]] == [1]  # type: ignore[index]
    plain = client.post("/expenses", json=fields(date="2026-10-01"))
    assert {"joined", "looks_like", "differs"}.isdisjoint(plain.json)  # type: ignore[arg-type]


@pytest.mark.parametrize("in_form", [False, True], ids=["query", "form"])
def test_rows_are_decided_by_their_lines(client: Client, tmp_path: Path, in_form: bool) -> None:
    client.post("/expenses", json=PIZZA)
    decisions = json.dumps({"2": 1, "3": "skip"})
    if in_form:
        (tmp_path / "bank.csv").write_bytes(BANK)
        with (tmp_path / "bank.csv").open("rb") as file:
            form = {"file": file, "account": "Giro", "dry_run": "false", "decisions": decisions}
            done = client.post("/statements", data=form)
    else:
        done = send_bank(client, decisions=decisions)
    assert [each["what"] for each in done.json["verdicts"]] == ["joined", "skipped"]  # type: ignore[index]
    assert [done.json[name] for name in ("joined", "held", "skipped")] == [1, 0, 1]  # type: ignore[index]
    assert client.get("/expenses").json["count"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("decisions", "pointer"),
    [
        ("{", "#/decisions"),
        ("[]", "#/decisions"),
        ('{"two": "new"}', "#/decisions"),
        ('{"2": "old"}', "#/decisions/2"),
        ('{"2": 0}', "#/decisions/2"),
        ('{"2": 4711}', "#/decisions/2"),
        ('{"9": "new"}', "#/decisions/9"),
    ],
)
def test_bad_decision_is_refused_and_named(client: Client, decisions: str, pointer: str) -> None:
    answer = send_bank(client, decisions=decisions)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert client.get("/imports").json == {"items": []}


def test_what_became_of_similar_is_told(client: Client) -> None:
    answer = send_bank(client, similar="skip")
    assert [error["pointer"] for error in answer.json["errors"]] == ["#/similar"]


def test_rule_that_leaves_rows_out(client: Client) -> None:
    made = client.post("/rules", json={"text": "netflix", "skip": True})
    assert made.json == {"id": 1, "text": "netflix", "category": None, "skip": True}
    assert [each["what"] for each in send_bank(client).json["verdicts"]] == ["created", "skipped"]
    (change,) = client.get("/changes").json["items"]  # type: ignore[index]
    assert (change["change"], change["rule"], change["expense_id"]) == ("rule", "netflix", None)
    for bad in ({"text": "x"}, {"text": "x", "category": "Food", "skip": True}, {"text": "x", "skip": 1}):
        assert client.post("/rules", json=bad).status_code == 422


def test_undo_on_which_a_later_change_builds_names_that(client: Client) -> None:
    for category in ("Fun", "Films"):
        client.post("/rules", json={"text": "netflix", "category": category})
    later, first = (each["number"] for each in client.get("/changes").json["items"])  # type: ignore[index]
    answer = client.post(f"/changes/{first}/undo")
    assert (answer.status_code, code(answer)) == (409, "built-upon")
    assert (answer.json["number"], answer.json["later"]) == (first, later)  # type: ignore[index]


TIMES = {"at", "created_at", "updated_at"}


def plain(told: Any) -> Any:
    """What a ledger returned or raised, without its times."""
    if isinstance(told, ExpenseError):
        return type(told), str(told), vars(told)
    if isinstance(told, list | tuple):
        return [plain(each) for each in told]
    if isinstance(told, BaseModel):
        return {name: plain(value) for name, value in told if name not in TIMES}
    return told


WORK: list[Callable[[LedgerAPI], Any]] = [
    lambda ledger: ledger.undecided(),
    lambda ledger: ledger.get(2),
    lambda ledger: ledger.merge(4711, 1),
    lambda ledger: ledger.merge(1, 0),
    lambda ledger: ledger.merge(1, 10**30),
    lambda ledger: ledger.merge(1, 1),
    lambda ledger: ledger.decide(1, "new"),
    lambda ledger: ledger.decide(0, "new"),
    lambda ledger: ledger.decide(2, "old"),  # type: ignore[arg-type]
    lambda ledger: ledger.decide(2, 4711),
    lambda ledger: ledger.decide(2, 1),
    lambda ledger: ledger.decide(2, 1),
    lambda ledger: ledger.get(2),
    lambda ledger: ledger.delete(2),
    lambda ledger: ledger.history(2),
    lambda ledger: ledger.changes(),
    lambda ledger: ledger.undo(ledger.changes()[0].number),
    lambda ledger: ledger.undecided(),
    lambda ledger: ledger.merge(2, 1),
    lambda ledger: ledger.split(1, [("10", "Food"), ("8.4", "Wine")], version=1),
    lambda ledger: ledger.split(1, [("10", "Food"), ("8.4", "Wine")]),
    lambda ledger: ledger.split(1, [("10", "Food"), ("8.4", "Wine")], version=1),
    lambda ledger: ledger.split(1, [("10", "Food"), ("8.41", "Wine")]),
    lambda ledger: ledger.split(1, [("10", "Food"), ("8.401", "Wine")]),
    lambda ledger: ledger.split(1, [("10", "Food"), ("8.4", "")]),
    lambda ledger: ledger.split(1, [("18.40", "Food", "more")]),  # type: ignore[list-item]
    lambda ledger: ledger.split(1, []),
    lambda ledger: ledger.split(4711, [("10", "Food")]),
    lambda ledger: ledger.get(1),
    lambda ledger: ledger.record(
        an_expense(amount="9.99", description="Netflix", date="2026-11-28", category="Fun")
    ),
    lambda ledger: ledger.record(
        an_expense(amount="5.00", description="Tea", date="2026-11-29", category="Drinks")
    ),
    lambda ledger: ledger.undecided(),
    lambda ledger: ledger.add_rule("netflix", skip=True),
    lambda ledger: ledger.add_rule("netflix", "Fun"),
    lambda ledger: ledger.undo(ledger.changes()[1].number),
    lambda ledger: ledger.add_rule("netflix"),
    lambda ledger: ledger.rules(),
    lambda ledger: ledger.changes(),
    lambda ledger: ledger.log(),
    lambda ledger: ledger.search(),
]


def outcome(work: Callable[[LedgerAPI], Any], ledger: LedgerAPI) -> Any:
    try:
        return plain(work(ledger))
    except ExpenseError as refused:
        return plain(refused)


def test_remote_ledger_decides_as_the_local_one(tmp_path: Path) -> None:
    local = Ledger(tmp_path / "local.db")
    plan = statements.read(BANK + b"2026-11-29;DRINKS TO GO;-5.00\n", account="Giro")
    with handler(tmp_path / "served.db") as url:
        remote = RemoteLedger(url)
        for each in (local, remote):
            each.record(an_expense(**PIZZA))
            each.import_statement(plan)
        for at, work in enumerate(WORK):
            assert (at, outcome(work, remote)) == (at, outcome(work, local))


def test_remote_ledger_decides_rows_by_the_lines_of_the_file_that_was_read_here(tmp_path: Path) -> None:
    local = Ledger(tmp_path / "local.db")
    plan = statements.read(b"Date;Text;Amount\nsoon;Tea;-3.00\n\n" + BANK.partition(b"\n")[2], account="Giro")
    assert (plan.bad[0].line, plan.rows.lines[0]) == (2, 4)
    with handler(tmp_path / "served.db") as url:
        remote = RemoteLedger(url)
        for each in (local, remote):
            each.record(an_expense(**PIZZA))
        for decisions in ({2: "new"}, {4: 4711}, {4: "old"}, {"4": "new"}, {5: "skip"}, {4: 1}, {4: "new"}):
            done: list[Any] = []
            for each in (local, remote):
                try:
                    told = each.import_statement(plan, decisions=decisions)  # type: ignore[arg-type]
                    done.append((plain([*told.verdicts]), told.id, told.joined, told.skipped))
                except InvalidInput as refused:
                    done.append(plain(refused))
            assert done[0] == done[1]


def test_remote_ledger_sends_any_number_of_decisions(tmp_path: Path) -> None:
    rows = "".join(f"2026-11-{1 + n % 28:02};Shop {n};-{n + 1}.00\n" for n in range(5000))
    plan = statements.read(f"Date;Text;Amount\n{rows}".encode(), account="Giro")
    with handler(tmp_path / "served.db") as url:
        done = RemoteLedger(url).import_statement(plan, decisions=dict.fromkeys(plan.rows.lines, "skip"))
    assert done.skipped == 5000
