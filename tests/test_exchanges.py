"""One golden exchange, or two, for each row of the table "What recording does"."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from sqlite3 import connect
from typing import Any, NamedTuple
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client, TestResponse

from expense_lib import Ledger
from expense_lib.store import schema
from expense_lib.store.engine import is_address
from expense_lib.store.postgres import session
from handlers.wsgi import app
from tests.builders import etag, fields


class Exchange(NamedTuple):
    """A request as "METHOD path", what it carries, and what of the answer matters."""

    request: str
    status: int
    body: dict[str, Any] | None = None
    sent: dict[str, str] = {}  # noqa: RUF012 - never changed
    headers: dict[str, str | None] = {}  # noqa: RUF012 - never changed
    answer: dict[str, Any] = {}  # noqa: RUF012 - never changed


POST, OTHER = "POST /expenses", fields(amount="13.00")
REPLAYED = {"Idempotent-Replayed": "true", "Content-Location": "/expenses/1", "Location": None}
CREATED = Exchange(
    POST, 201, fields(), headers={"Location": "/expenses/1", "ETag": '"1"', "Idempotent-Replayed": None}
)
AMENDED = Exchange(
    "PATCH /expenses/1", 200, {"amount": "13.00"}, {"If-Match": '"1"'}, {"ETag": '"2"'}, {"amount": "13.00"}
)
DELETED = Exchange("DELETE /expenses/1", 204)


def keyed(key: str, status: int, body: dict[str, Any], **more: Any) -> Exchange:
    return Exchange(POST, status, body, {"Idempotency-Key": key}, **more)


EXCHANGES = {
    "first time": [CREATED],
    "exact retry": [CREATED, Exchange(POST, 200, fields(), headers=REPLAYED, answer={"id": 1})],
    "the same values spelled differently": [
        CREATED,
        Exchange(
            POST, 200, fields(amount="12.5", category=" food "), headers=REPLAYED, answer={"category": "Food"}
        ),
    ],
    "a second equal purchase, said with occurrence": [
        CREATED,
        Exchange(
            POST, 201, fields(occurrence=2), headers={"Location": "/expenses/2"}, answer={"occurrence": 2}
        ),
    ],
    "a second equal purchase, said with a fresh key": [
        CREATED,
        keyed("k", 201, fields(), answer={"id": 2, "occurrence": 2}),
    ],
    "a fresh key with an occurrence that is there": [
        CREATED,
        keyed("k", 200, fields(occurrence=1), headers=REPLAYED, answer={"id": 1}),
        keyed("k", 200, fields(occurrence=1), headers=REPLAYED, answer={"id": 1}),
    ],
    "same key, same body": [
        keyed("k", 201, fields()),
        keyed('"k"', 200, fields(amount="12.5"), headers=REPLAYED, answer={"id": 1}),
    ],
    "same key, another body": [
        keyed("k", 201, fields()),
        keyed("k", 422, fields(amount="13", date="2026-11-23"), answer={"fields": ["amount", "date"]}),
        Exchange("GET /expenses", 200, answer={"count": 1}),
    ],
    "malformed key": [
        keyed('"open', 400, fields()),
        keyed("x" * 256, 400, fields()),
        keyed("", 400, fields()),
    ],
    "retry after an edit": [
        CREATED,
        AMENDED,
        Exchange(
            POST, 200, fields(), headers=REPLAYED | {"ETag": '"2"'}, answer={"amount": "13.00", "version": 2}
        ),
        Exchange(POST, 200, OTHER, headers=REPLAYED, answer={"id": 1}),
    ],
    "retry after a delete": [
        CREATED,
        DELETED,
        Exchange(POST, 409, fields(), answer={"expense_id": 1, "restore": "/expenses/1/restore"}),
        keyed("k", 409, fields(occurrence=1)),
        keyed("fresh", 201, fields(), answer={"occurrence": 2}),
    ],
    "edit to content of its own": [
        CREATED,
        AMENDED,
        Exchange(
            "PATCH /expenses/1",
            200,
            {"amount": "12.50"},
            {"If-Match": '"2"'},
            answer={"occurrence": 1, "version": 3},
        ),
    ],
    "edit to content of another": [
        CREATED,
        Exchange(POST, 201, OTHER),
        Exchange("PATCH /expenses/1", 200, {"amount": "13"}, {"If-Match": '"1"'}, answer={"occurrence": 2}),
    ],
    "edit against a stale version": [
        CREATED,
        AMENDED,
        Exchange(
            "PATCH /expenses/1", 412, {"amount": "14"}, {"If-Match": '"1"'}, {"ETag": '"2"'}, {"version": 2}
        ),
        Exchange("PATCH /expenses/1", 412, {"amount": "14"}, {"If-Match": '"abc"'}),
        Exchange("PATCH /expenses/1", 412, {"amount": "14"}, {"If-Match": 'W/"1"'}),
        Exchange("PATCH /expenses/1", 200, {"amount": "14"}, {"If-Match": "*"}, {"ETag": '"3"'}),
        Exchange("PATCH /expenses/1", 200, {"amount": "15"}, {"If-Match": 'W/"3"'}, {"ETag": '"4"'}),
    ],
    "edit against one of several versions": [
        CREATED,
        AMENDED,
        Exchange("PATCH /expenses/1", 412, {"amount": "14"}, {"If-Match": '"7", "9"'}),
        Exchange("PATCH /expenses/1", 200, {"amount": "14"}, {"If-Match": '"9", "2", "1"'}, {"ETag": '"3"'}),
        Exchange("DELETE /expenses/1", 412, sent={"If-Match": '"1", "2"'}),
        Exchange("DELETE /expenses/1", 204, sent={"If-Match": '"3", "2"'}),
        Exchange("DELETE /expenses/1", 204, sent={"If-Match": '"3", "2"'}),
        Exchange("PATCH /expenses/1", 410, {"amount": "14"}, {"If-Match": '"4", "2"'}),
    ],
    "edit against what is no version": [
        CREATED,
        Exchange("PATCH /expenses/1", 400, {"amount": "14"}, {"If-Match": "garbage"}),
        Exchange("PATCH /expenses/1", 400, {"amount": "14"}, {"If-Match": '"1'}),
        Exchange("PATCH /expenses/1", 400, {"amount": "14"}, {"If-Match": '"7", *'}),
        Exchange("PATCH /expenses/1", 400, {"amount": "14"}, {"If-Match": ""}),
        Exchange("PATCH /expenses/1", 412, {"amount": "14"}, {"If-Match": '""'}),
        Exchange("GET /expenses/1", 200, headers={"ETag": '"1"'}),
    ],
    "edit without a version": [CREATED, Exchange("PATCH /expenses/1", 428, {"amount": "13"})],
    "edit retried after its answer was lost": [CREATED, AMENDED, AMENDED],
    "delete against a stale version": [
        CREATED,
        AMENDED,
        Exchange("DELETE /expenses/1", 412, sent={"If-Match": '"1"'}),
    ],
    "delete of a deleted expense": [
        CREATED,
        DELETED,
        DELETED,
        Exchange("DELETE /expenses/1", 204, sent={"If-Match": '"9"'}),
    ],
    "restore": [
        CREATED,
        DELETED,
        Exchange(
            "POST /expenses/1/restore", 200, headers={"ETag": '"3"'}, answer={"id": 1, "amount": "12.50"}
        ),
        Exchange("POST /expenses/1/restore", 200, answer={"version": 3}),
        Exchange("GET /expenses/1", 200, answer={"version": 3}),
    ],
    "a deleted expense": [
        CREATED,
        DELETED,
        Exchange("GET /expenses/1", 410, answer={"expense_id": 1}),
        Exchange("PATCH /expenses/1", 410, {"amount": "1"}, {"If-Match": '"2"'}),
        Exchange("GET /expenses/1/history", 200),
    ],
    "an unknown id": [
        Exchange("GET /expenses/7", 404, answer={"expense_id": 7}),
        Exchange("PATCH /expenses/7", 404, {"amount": "1"}, {"If-Match": '"1"'}),
        Exchange("DELETE /expenses/7", 404),
        Exchange("POST /expenses/7/restore", 404),
        Exchange("GET /expenses/7/history", 404),
    ],
    "an edit that can't be accepted": [
        CREATED,
        Exchange("PATCH /expenses/1", 422, {"amount": "-1"}, {"If-Match": '"1"'}),
        Exchange("PATCH /expenses/1", 422, {"id": 5}, {"If-Match": '"1"'}),
        Exchange("PATCH /expenses/1", 422, {"amount": None}, {"If-Match": '"1"'}),
        Exchange("GET /expenses/1", 200, headers={"ETag": '"1"'}),
    ],
    "reading again what did not change": [
        CREATED,
        Exchange(
            "GET /expenses/1",
            304,
            sent={"If-None-Match": '"1"'},
            headers={"ETag": '"1"', "Content-Type": None},
        ),
        Exchange("GET /expenses/1", 200, sent={"If-Match": '"7"'}),
        Exchange("GET /expenses/1", 304, sent={"If-None-Match": '"7", W/"1"'}),
        AMENDED,
        Exchange("GET /expenses/1", 200, sent={"If-None-Match": '"1"'}, headers={"ETag": '"2"'}),
    ],
    "moving some to another category, and taking it back": [
        CREATED,
        Exchange(POST, 201, OTHER),
        Exchange("PATCH /expenses", 200, {"category": "Fun", "ids": [2]}, answer={"number": 3, "count": 1}),
        Exchange(
            "PATCH /expenses",
            200,
            {
                "category": "fun",
                "where": {"category": ["food"], "amount_max": 12.5, "date_from": "2026-11-22"},
            },
            answer={"number": 4, "count": 1, "category": "Fun"},
        ),
        Exchange(
            "PATCH /expenses",
            200,
            {"category": "Fun", "where": {}},
            answer={"number": None, "count": 0, "category": "Fun"},
        ),
        Exchange("POST /changes/4/undo", 200, answer={"undone": [1], "kept": []}),
        Exchange("GET /expenses/1", 200, answer={"category": "Food"}),
    ],
    "moving what can't be moved": [
        CREATED,
        Exchange("PATCH /expenses", 404, {"category": "Fun", "ids": [1, 7]}, answer={"expense_id": 7}),
        Exchange(
            "PATCH /expenses",
            422,
            {"category": "", "where": {"date_from": "22.11.2026", "sort": "date_asc"}},
            answer={
                "errors": [
                    {"detail": "must not be empty", "pointer": "#/category"},
                    {"detail": "must be a date written as YYYY-MM-DD", "pointer": "#/where/date_from"},
                    {"detail": "is not a known name", "pointer": "#/where/sort"},
                ]
            },
        ),
        Exchange(
            "PATCH /expenses",
            422,
            {"category": "Fun", "where": {"amount_min": "1.234"}},
            answer={
                "errors": [
                    {"detail": "must have at most 2 fraction digits in USD", "pointer": "#/where/amount_min"}
                ]
            },
        ),
        Exchange(
            "PATCH /expenses",
            422,
            {"category": "Fun"},
            answer={"errors": [{"detail": "must be given, or else ids, and not both", "pointer": "#/where"}]},
        ),
        Exchange(
            "PATCH /expenses",
            422,
            {"category": "Fun", "ids": list(range(501))},
            answer={"errors": [{"detail": "must be a list of at most 500 ids", "pointer": "#/ids"}]},
        ),
        Exchange("GET /expenses/1", 200, headers={"ETag": '"1"'}),
    ],
    "renaming a category": [
        CREATED,
        Exchange(
            "PATCH /categories/FOOD",
            200,
            {"name": "Fun"},
            answer={"name": "Fun", "count": 1, "total": "12.50", "number": 2},
        ),
        Exchange("PATCH /categories/Food", 404, {"name": "Fun"}),
        Exchange(
            "PATCH /categories/Fun",
            422,
            {"name": " "},
            answer={"errors": [{"detail": "must not be empty", "pointer": "#/name"}]},
        ),
        Exchange("PATCH /categories/%20f%0Aun", 404, {"name": "Fun"}),
        Exchange("PATCH /categories/Fun", 200, {"name": "a/b"}),
        Exchange("PATCH /categories/a%2Fb", 200, {"name": "/a//b/"}),
        Exchange("PATCH /categories/%2Fa%2F%2Fb%2F", 200, {"name": "Fun"}),
        Exchange("GET /categories", 200, answer={"items": [{"name": "Fun", "count": 1, "total": "12.50"}]}),
    ],
}


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", address)
    return Client(validator(app))


def answer_to(client: Client, exchange: Exchange) -> TestResponse:
    method, where = exchange.request.split()
    body = (
        {}
        if exchange.body is None
        else {"data": json.dumps(exchange.body), "content_type": "application/json"}
    )
    sent = dict(exchange.sent)
    if "If-None-Match" in sent:
        sent["If-None-Match"] = _dated(sent["If-None-Match"], client)
    return client.open(where, method=method, headers=sent, buffered=True, **body)  # type: ignore[arg-type]


def _dated(tags: str, client: Client) -> str:
    """ETags of versions as the ledger gives them, with its generation."""
    generation = client.get("/position", buffered=True).headers["Ledger-Generation"]
    return re.sub(r'"(\d+)"', rf'"\1-{generation}"', tags)


def _headers(answer: TestResponse, names: Iterable[str]) -> dict[str, str | None]:
    """The answer's headers of these names, the ETag without the ledger's generation."""
    found = {name: answer.headers.get(name) for name in names}
    return found | ({"ETag": etag(answer.headers)} if found.get("ETag") else {})


@pytest.mark.parametrize("situation", EXCHANGES)
def test_exchange(client: Client, situation: str) -> None:
    for exchange in EXCHANGES[situation]:
        answer = answer_to(client, exchange)
        assert answer.status_code == exchange.status, (exchange, answer.get_data(as_text=True))
        assert _headers(answer, exchange.headers) == exchange.headers
        if exchange.status in (204, 304):
            assert answer.get_data() == b""
            continue
        assert (answer.content_type == "application/problem+json") == (exchange.status >= 400)
        got = answer.get_json(force=True)
        assert {name: got.get(name) for name in exchange.answer} == exchange.answer


def test_history_in_json(client: Client) -> None:
    for exchange in EXCHANGES["restore"]:
        answer_to(client, exchange)
    items = client.get("/expenses/1/history", buffered=True).get_json()["items"]
    assert [(item["version"], item["change"]) for item in items] == [
        (1, "created"),
        (2, "deleted"),
        (3, "restored"),
    ]
    lunch = {**fields(), "occurrence": 1, "refund": False, "account": None, "note": "", "tags": []}
    assert [(item["before"], item["after"]) for item in items] == [
        (None, lunch),
        (lunch, None),
        (None, lunch),
    ]
    assert all(item.keys() == {"version", "change", "at", "by", "before", "after"} for item in items)


def test_changes_in_json(client: Client) -> None:
    for exchange in EXCHANGES["restore"]:
        answer_to(client, exchange)
    answer_to(client, Exchange("PATCH /categories/Food", 200, {"name": "Fun"}))
    (renamed,) = client.get("/changes?limit=1", buffered=True).get_json()["items"]
    lunch = {**fields(), "occurrence": 1, "refund": False, "account": None, "note": "", "tags": []}
    assert renamed.pop("at").endswith("Z")
    assert renamed == {
        "number": 4,
        "change": "amended",
        "by": "",
        "count": 1,
        "expense_id": 1,
        "before": lunch,
        "after": {**lunch, "category": "Fun"},
    }
    earlier = client.get("/changes?before=4", buffered=True).get_json()["items"]
    assert [(change["number"], change["change"]) for change in earlier] == [(3, "restored"), (2, "deleted")]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "before=0", "before=", "since=1", "before=1&before=2"]
)
def test_bad_part_of_the_changes_is_refused(client: Client, query: str) -> None:
    assert client.get(f"/changes?{query}", buffered=True).status_code == 422


@pytest.fixture
def locked(address: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another writer holds the ledger."""
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 1000)
    monkeypatch.setattr(session, "LOCK_TIMEOUT", "1s")
    answer_to(client, CREATED)
    if is_address(address):
        engine = Ledger(address).engine
        with engine.connection("USD") as con, engine.transaction(con, write=True):
            con.execute("SELECT 1")
            yield
    else:
        with closing(connect(address, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


@pytest.mark.usefixtures("locked")
def test_ledger_locked_too_long_is_busy_and_readable(client: Client) -> None:
    answers: list[TestResponse] = []

    def send() -> None:  # in a thread of its own, whose connection has the shorter patience of this test
        answers.extend(answer_to(client, Exchange(POST, 503, OTHER)) for _ in range(1))
        answers.append(answer_to(client, Exchange(POST, 200, fields())))

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    busy, replay = answers
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
    assert busy.get_json(force=True)["type"].endswith("ledger-busy")
    assert replay.status_code == 200
    assert client.get("/expenses", buffered=True).get_json()["count"] == 1
