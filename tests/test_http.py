from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
import requests
from werkzeug.test import Client, TestResponse

from expense_lib import Health, Ledger
from expense_lib.domain.errors import PROBLEM_TYPE_PREFIX
from handlers import wsgi
from tests.builders import ROOT, environment, etag, fields, free_port, handler

Post = Callable[..., TestResponse]


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EXPENSE_LEDGER", address)
    return Client(validator(wsgi.app))


@pytest.fixture
def post(client: Client) -> Post:
    def send(body: Any, **headers: str) -> TestResponse:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(
            "/expenses", data=data, content_type="application/json", headers=named, buffered=True
        )

    return send


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The problem that *response* is, checked for its form (RFC 9457)."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    body = response.get_json(force=True)
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return dict(body)


def test_both_names_of_the_application() -> None:
    assert wsgi.app is wsgi.application


def test_nothing_is_opened_and_nothing_heavy_imported_before_a_request(tmp_path: Path) -> None:
    script = "import sys, handlers.wsgi; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {
        "duckdb",
        "marimo",
        "requests",
        "granian",
        "iso4217",
        "prometheus_client",
        "csv",
        "ofxtools",
        "tqdm",
    }
    later = {
        "expense_lib.rules.importing",
        "expense_lib.statements",
        "expense_lib.domain.statement",
        "expense_lib.exports",
    }
    assert not (heavy | later) & set(done.stdout.split())
    assert list(tmp_path.iterdir()) == []


def test_first_post_creates(post: Post) -> None:
    answer = post(fields())
    assert answer.status_code == 201
    assert answer.content_type == "application/json"
    assert (answer.headers["Location"], etag(answer.headers)) == ("/expenses/1", '"1"')
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Idempotent-Replayed" not in answer.headers
    assert answer.get_json().keys() == {
        *("id", "amount", "category", "description", "date", "occurrence", "refund", "dedup_key", "version"),
        *("account", "note", "tags", "created_at", "updated_at"),
    }
    assert answer.get_json()["amount"] == "12.50"
    assert answer.get_json()["created_at"].endswith("Z")


@pytest.mark.parametrize(
    "again", [{}, {"amount": "12.5"}, {"category": " FOOD "}, {"occurrence": 1}], ids=str
)
def test_post_again_replays(post: Post, again: dict[str, Any]) -> None:
    first = post(fields())
    answer = post(fields(**again))
    assert (answer.status_code, answer.get_json()) == (200, first.get_json())
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert (answer.headers["Content-Location"], etag(answer.headers)) == ("/expenses/1", '"1"')


def test_category_that_is_not_sent_is_the_ledgers_or_is_refused(post: Post) -> None:
    sent = {"amount": "9.80", "description": "Lunch", "date": "2026-11-23"}
    refused = post(sent)
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.get_json()["errors"]] == ["#/category"]
    post(fields())
    assert [(post(sent).status_code, post(sent).get_json()["category"]) for _ in range(2)] == [
        (201, "Food"),
        (200, "Food"),
    ]


@pytest.mark.parametrize("number", ["12.50", "12.5"])
def test_amount_may_be_a_json_number(post: Post, number: str) -> None:
    post(fields())
    body = json.dumps(fields()).replace('"12.50"', number)
    assert post(body).status_code == 200


@pytest.mark.parametrize(
    "number",
    [
        *(
            "1.0e1",
            "1e2",
            "1E2",
            "12.500",
            "0.1e0",
            "19.990000000000000001",
            "99999999999999.995",
            "1e-400",
            "1e999999",
        ),
        *(
            "12345678901234567.89",
            "1234567890123456789012345678901234567890",
            "0",
            "0.00",
            "-0",
            "-5",
            "true",
            "null",
        ),
        "9" * 5000,
    ],
    ids=lambda number: number[:30],
)
def test_json_number_is_read_exactly_or_refused(post: Post, number: str) -> None:
    body = json.dumps(fields()).replace('"12.50"', number)
    pointers = [error["pointer"] for error in problem(post(body), 422)["errors"]]
    assert pointers == (["#/refund"] if number == "-5" else ["#/amount"])


def test_large_json_number_keeps_every_digit(post: Post) -> None:
    body = json.dumps(fields()).replace('"12.50"', "9999999999999.99")
    assert post(body).get_json()["amount"] == "9999999999999.99"


def test_refund_is_a_negative_amount_that_says_so(post: Post) -> None:
    answer = post(fields(amount="-3.00", refund=True))
    assert (answer.status_code, answer.get_json()["amount"], answer.get_json()["refund"]) == (
        201,
        "-3.00",
        True,
    )


@pytest.mark.parametrize("key", ["k-1", '"k-1"', r'"with-\"quotes\"-and-\\"', 'a"b'])
def test_fresh_idempotency_key_is_another_purchase(post: Post, key: str) -> None:
    post(fields())
    answers = [post(fields(), Idempotency_Key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.get_json()["occurrence"] for answer in answers] == [2, 2]


def test_bare_and_quoted_are_one_key(post: Post) -> None:
    assert [post(fields(), Idempotency_Key=key).status_code for key in ("k", '"k"', "k")] == [201, 200, 200]


def test_idempotency_key_with_another_body_is_refused(post: Post, address: str) -> None:
    post(fields(), Idempotency_Key="k")
    refused = problem(post(fields(amount="13", date="2026-11-23"), Idempotency_Key="k"), 422)
    assert refused["type"] == PROBLEM_TYPE_PREFIX + "idempotency-key-reused"
    assert refused["fields"] == ["amount", "date"]
    assert Ledger(address).search().count == 1


@pytest.mark.parametrize(
    "key",
    ["", "twice,twice", "twice, twice", '""', '"open', '"a"b"', "x" * 256, '"a b"', "caf\u00e9", r'"\x"'],
    ids=repr,
)
def test_malformed_idempotency_key_is_refused(post: Post, address: str, key: str) -> None:
    problem(post(fields(), Idempotency_Key=key), 400)
    assert Ledger(address).search().count == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"amount": NaN}', 400),
        (b'{"amount": Infinity}', 400),
        (b'{"amount": "1", "amount": "2"}', 400),
        (b"[" * 60_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b'{"amount": "\\ud800"}', 422),
        (b" " * (64 * 1024 + 1), 413),
    ],
    ids=lambda part: str(part)[:30],
)
def test_body_is_refused(post: Post, address: str, body: bytes, status: int) -> None:
    problem(post(body), status)
    assert Ledger(address).search().count == 0


def test_body_shorter_than_it_says_is_refused(client: Client, address: str) -> None:
    sent = json.dumps(fields())
    for server in ({}, {"wsgi.input_terminated": True}):
        answer = client.post(
            "/expenses",
            data=sent,
            content_type="application/json",
            environ_overrides={"CONTENT_LENGTH": str(len(sent) + 1), **server},
            buffered=True,
        )
        assert "shorter" in problem(answer, 400)["detail"]
    assert Ledger(address).search().count == 0


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 10_000_000])
def test_chunked_body_is_read_to_its_end_or_refused(client: Client, address: str, size: int) -> None:
    sent = json.dumps(fields()).ljust(size - 1) + "!"
    answer = client.open(
        "/expenses",
        method="POST",
        input_stream=io.BytesIO(sent.encode()),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
        buffered=True,
    )
    problem(answer, 400 if size <= 64 * 1024 else 413)
    assert Ledger(address).search().count == 0


@pytest.mark.parametrize("length", ["abc", "-5", "+5", "5_0"])
@pytest.mark.usefixtures("client")
def test_length_that_is_no_number_is_refused(length: str) -> None:
    raw = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(json.dumps(fields()).encode())}
    answer = Client(wsgi.app).post("/expenses", content_type="application/json", environ_overrides=raw)
    assert answer.status_code in (400, 411)


def test_pointers_are_those_of_a_uri(post: Post) -> None:
    answer = problem(post({"a b": 1, "%41": 1, "a/b~c": 1}), 422)
    assert {error["pointer"] for error in answer["errors"]} >= {"#/a%20b", "#/%2541", "#/a~1b~0c"}


def test_huge_occurrence_is_told_to_be_too_large(post: Post) -> None:
    answer = problem(post(fields(occurrence=10**22)), 422)
    assert answer["errors"] == [{"detail": "must be at most 1000000", "pointer": "#/occurrence"}]


def test_backup_that_has_no_place_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/health", buffered=True)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    problem(client.get("/backup", buffered=True), 503)


def test_every_bad_field_has_its_pointer_and_no_input_is_echoed(post: Post) -> None:
    answer = post(fields(amount="SECRET", date="SECRET", description=["SECRET"], **{"a/b~c": 1}))
    pointers = {error["pointer"] for error in problem(answer, 422)["errors"]}
    assert pointers == {"#/amount", "#/date", "#/description", "#/a~1b~0c"}
    assert "SECRET" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
def test_other_content_types_are_refused(client: Client, content_type: str) -> None:
    answer = client.post("/expenses", data=json.dumps(fields()), content_type=content_type, buffered=True)
    problem(answer, 415)


def test_encoded_body_is_refused(post: Post) -> None:
    problem(post(fields(), Content_Encoding="gzip"), 415)


def test_list_has_page_count_total_currency_and_next(client: Client, post: Post) -> None:
    for occurrence in (1, 2, 3):
        post(fields(occurrence=occurrence))
    post(fields(category="Fuel", amount="40"))
    answer = client.get("/expenses?category=food&sort=date_desc&limit=2", buffered=True)
    page = answer.get_json()
    assert page.keys() == {"items", "count", "total", "currency", "next"}
    assert ([e["id"] for e in page["items"]], page["count"], page["total"]) == ([3, 2], 3, "37.50")
    assert page["currency"] == "USD"
    (link,) = answer.headers.getlist("Link")
    address, rel = link.split("; ")
    assert rel == 'rel="next"'
    last = client.get(address.strip("<>"), buffered=True)
    assert ([e["id"] for e in last.get_json()["items"]], last.get_json()["next"]) == ([1], None)
    assert "Link" not in last.headers


def test_category_may_be_repeated_and_an_empty_one_means_all(client: Client, post: Post) -> None:
    for category in ("Food", "Fuel", "Rent"):
        post(fields(category=category))
    assert client.get("/expenses?category=FOOD&category=rent", buffered=True).get_json()["count"] == 2
    assert client.get("/expenses?category=&sort=date_desc", buffered=True).get_json()["count"] == 3
    assert client.get("/expenses?category=nowhere", buffered=True).get_json()["total"] == "0.00"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("limit=1_0", "limit")),
        *(
            ("limit=5&limit=6", "limit"),
            ("limit=%D9%A3", "limit"),
            ("sort=random", "sort"),
            ("page=2", "page"),
        ),
        *(
            ("cursor=x", "cursor"),
            ("cursor=", "cursor"),
            ("category=%00", "category"),
            ("sort=date_desc&sort=date_desc", "sort"),
        ),
    ],
)
def test_bad_query_is_refused(client: Client, query: str, field: str) -> None:
    refused = problem(client.get(f"/expenses?{query}", buffered=True), 422)
    assert [error["pointer"] for error in refused["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize("query", ["category=%FF", "%C3", "q=%ED%A0%80"])
def test_query_that_is_no_utf8_is_refused(client: Client, query: str) -> None:
    assert "UTF-8" in problem(client.get(f"/expenses?{query}", buffered=True), 400)["detail"]


@pytest.mark.parametrize("where", ["/\xff", "/categories/\xff", "/expenses/\xc3"], ids=ascii)
def test_path_that_is_no_utf8_is_refused(client: Client, where: str) -> None:
    raw = {"PATH_INFO": where}
    answer = client.patch("/", json={"name": "x"}, environ_overrides=raw, buffered=True)
    assert "UTF-8" in problem(answer, 400)["detail"]


def test_one_expense(client: Client, post: Post) -> None:
    created = post(fields())
    answer = client.get(created.headers["Location"], buffered=True)
    assert (answer.status_code, answer.get_json()) == (200, created.get_json())
    assert etag(answer.headers) == '"1"'


@pytest.mark.parametrize(
    "where",
    [
        "/expenses/2",
        "/expenses/99999999999999999999",
        "/expenses/0",
        "/expenses/x",
        "/expenses/%D9%A1",
        "/expenses/",
        "/",
    ],
)
def test_what_is_not_there_is_not_found(client: Client, post: Post, where: str) -> None:
    post(fields())
    problem(client.get(where, buffered=True), 404)


def test_other_methods_are_refused_and_the_allowed_named(client: Client) -> None:
    answer = client.delete("/expenses", buffered=True)
    problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, PATCH, POST"


def test_head_and_options(client: Client, post: Post) -> None:
    post(fields())
    head = client.head("/expenses/1", buffered=True)
    assert (head.status_code, head.get_data(), etag(head.headers)) == (200, b"", '"1"')
    options = client.options("/expenses", buffered=True)
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, PATCH, POST")
    problem(client.options("/nowhere", buffered=True), 404)


def test_log_comes_in_order_page_by_page_and_completely(client: Client, post: Post, address: str) -> None:
    for occurrence in range(1, 8):
        post(fields(occurrence=occurrence))
    client.patch("/categories/Food", json={"name": "Fun"}, buffered=True)
    client.delete("/expenses/3", buffered=True)
    found, where, pages = [], "/log?limit=4", 0
    while where:
        answer = client.get(where, buffered=True)
        assert answer.content_type == "application/jsonl"
        found += [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]
        where = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
        pages += 1
    assert [line["seq"] for line in found] == list(range(1, 16))
    assert pages == 4
    logged = Ledger(address).log()
    assert found == [json.loads(line.model_dump_json()) for line in logged]
    assert (found[-1]["change"], found[-1]["after"], found[-1]["before"]["category"]) == (
        "deleted",
        None,
        "Fun",
    )
    assert client.get("/log?since=15", buffered=True).get_data() == b""
    assert len(client.get("/log?since=12", buffered=True).get_data().splitlines()) == 3


@pytest.mark.parametrize(
    "query", ["since=-1", "since=x", "limit=0", "limit=10001", "since=1&since=2", "page=1", f"since={2**63}"]
)
def test_bad_part_of_the_log_is_refused(client: Client, query: str) -> None:
    problem(client.get(f"/log?{query}", buffered=True), 422)


def next_page(answer: TestResponse) -> str:
    """Where the ``Link`` header leads; empty without one."""
    if "Link" not in answer.headers:
        return ""
    address, rel = answer.headers["Link"].split("; ")
    assert rel == 'rel="next"'
    return address.strip("<>")


def test_changes_are_paged_by_link_the_latest_first(client: Client, post: Post) -> None:
    post(fields())
    for note in "abcde":
        client.patch("/expenses/1", json={"note": note}, headers={"If-Match": "*"}, buffered=True)
    found, where = [], "/changes?limit=2"
    while where:
        answer = client.get(where, buffered=True)
        assert len(answer.get_json()["items"]) <= 2
        found += [change["after"]["note"] for change in answer.get_json()["items"]]
        where = next_page(answer)
    assert found == ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize("where", ["/expenses?limit=1&q=Lunch%26", "/log?limit=1", "/changes?limit=1"])
def test_link_leads_to_where_the_handler_is_mounted(client: Client, post: Post, where: str) -> None:
    for occurrence in (1, 2):
        post(fields(occurrence=occurrence, description="Lunch&"))
        client.delete(f"/expenses/{occurrence}", buffered=True)
        client.post(f"/expenses/{occurrence}/restore", buffered=True)
    mounted = {"SCRIPT_NAME": "/my books"}
    first = client.get(where, environ_overrides=mounted, buffered=True)
    link = next_page(first)
    assert link.startswith(f"/my%20books{where.partition('?')[0]}?")
    second = client.get(link.removeprefix("/my%20books"), environ_overrides=mounted, buffered=True)
    assert second.status_code == 200
    assert second.get_data() not in (b"", first.get_data())


def test_paths_of_an_expense_have_the_mount_before_them(client: Client) -> None:
    sent: dict[str, Any] = {"json": fields(), "environ_overrides": {"SCRIPT_NAME": "/my books"}}
    created, again = (client.post("/expenses", buffered=True, **sent) for _ in range(2))
    assert created.headers["Location"] == again.headers["Content-Location"] == "/my%20books/expenses/1"
    client.delete("/expenses/1", buffered=True)
    refused = problem(client.post("/expenses", buffered=True, **sent), 409)
    assert refused["restore"] == "/my%20books/expenses/1/restore"


def test_summary_by_month_category_and_both(client: Client, post: Post) -> None:
    post(fields())
    post(fields(amount="7.50", date="2026-10-31"))
    post(fields(amount="-2.50", category="fuel", refund=True))
    assert client.get("/summary", buffered=True).get_json() == {
        "items": [
            {"month": "2026-10", "count": 1, "total": "7.50"},
            {"month": "2026-11", "count": 2, "total": "10.00"},
        ],
        "count": 3,
        "total": "17.50",
        "currency": "USD",
    }
    by_category = client.get("/summary?by=category", buffered=True).get_json()["items"]
    assert by_category == [
        {"category": "Food", "count": 2, "total": "20.00"},
        {"category": "fuel", "count": 1, "total": "-2.50"},
    ]
    for by in ("month,category", "category,month"):
        both = client.get(f"/summary?by={by}&category=food&date_from=2026-11-01", buffered=True).get_json()
        assert both["items"] == [{"month": "2026-11", "category": "Food", "count": 1, "total": "12.50"}]
        assert (both["count"], both["total"]) == (1, "12.50")
    assert client.get("/summary?q=nothing", buffered=True).get_json()["items"] == []


@pytest.mark.parametrize(
    "query",
    ["by=week", "by=", "by=month,month", "by=month&by=category", "limit=5", "sort=date_asc", "amount_min=x"],
)
def test_bad_summary_is_refused(client: Client, query: str) -> None:
    problem(client.get(f"/summary?{query}", buffered=True), 422)


def test_categories(client: Client, post: Post) -> None:
    post(fields())
    answer = client.get("/categories", buffered=True)
    assert answer.get_json() == {"items": [{"name": "Food", "count": 1, "total": "12.50"}]}


@pytest.fixture
def annotated(post: Post) -> None:
    """Five expenses; the second and third of two tags, the fourth of no account, the last without anything."""
    post(fields(amount="1", account="Giro", tags=["trip"], note="with Ann"))
    post(fields(amount="2", account="Giro", tags=["trip", "work"]))
    post(fields(amount="4", account="Card", tags=["Work", "work", "gift"], date="2026-10-31"))
    post(fields(amount="8", tags=["gift"]))
    post(fields(amount="16", category="Rent"))


def test_annotations_come_back_in_canonical_form(client: Client, post: Post) -> None:
    sent = fields(account="  My   Giro ", note=" two\nlines ", tags=["b", "A", "a"])
    created = post(sent)
    assert created.status_code == 201
    found = client.get("/expenses/1", buffered=True).get_json()
    assert found == created.get_json()
    assert (found["account"], found["note"], found["tags"]) == ("My Giro", "two lines", ["A", "b"])
    nothing = post(fields(amount="1", account=" ", note=None, tags=None)).get_json()
    assert (nothing["account"], nothing["note"], nothing["tags"]) == (None, "", [])


@pytest.mark.usefixtures("annotated")
@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("account=giro", "3.00"),
        ("account=GIRO&account=card", "7.00"),
        ("tag=TRIP", "3.00"),
        ("tag=trip&tag=gift", "15.00"),
        ("tag=work&account=giro", "2.00"),
        ("q=ANN", "1.00"),
        ("account=&tag=&category=food", "15.00"),
        ("account=nowhere", "0.00"),
    ],
)
def test_account_and_tag_filter_and_may_be_repeated(client: Client, query: str, total: str) -> None:
    assert client.get(f"/expenses?{query}", buffered=True).get_json()["total"] == total
    assert client.get(f"/summary?{query}", buffered=True).get_json()["total"] == total
    csv = client.get(f"/expenses.csv?{query}", buffered=True).get_data(as_text=True)
    assert csv.count("\n") - 1 == client.get(f"/expenses?{query}", buffered=True).get_json()["count"]


@pytest.mark.parametrize(
    ("bad", "detail"),
    [
        ({"tags": ["two words"]}, "must be tags of 1 to 50 characters without spaces, commas or #"),
        ({"tags": ["#work"]}, "must be tags of 1 to 50 characters without spaces, commas or #"),
        ({"tags": [""]}, "must be tags of 1 to 50 characters without spaces, commas or #"),
        ({"tags": ["x" * 51]}, "must be tags of 1 to 50 characters without spaces, commas or #"),
        ({"tags": [f"tag{n}" for n in range(21)]}, "must be at most 20 tags"),
        ({"tags": "work"}, "must be a list of texts"),
        ({"tags": ["work", 1]}, "must be a list of texts"),
        ({"account": "x" * 101}, "must have at most 100 characters"),
        ({"account": 1}, "must be a text"),
        ({"note": "x" * 2001}, "must have at most 2000 characters"),
        ({"note": ["x"]}, "must be a text"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_bad_annotation_is_refused_and_named(
    client: Client, post: Post, bad: dict[str, Any], detail: str
) -> None:
    (name,) = bad
    post(fields())
    change = {"data": json.dumps(bad), "content_type": "application/json", "headers": {"If-Match": "*"}}
    for answer in (post(fields(**bad)), client.patch("/expenses/1", buffered=True, **change)):
        assert problem(answer, 422)["errors"] == [{"detail": detail, "pointer": f"#/{name}"}]


@pytest.mark.parametrize("query", ["tag=two%20words", "tag=work&tag=%23", f"account={'x' * 101}"])
def test_bad_annotation_in_a_query_is_refused_and_named(client: Client, query: str) -> None:
    refused = problem(client.get(f"/expenses?{query}", buffered=True), 422)
    assert [error["pointer"] for error in refused["errors"]] == [f"#/{query.partition('=')[0]}"]


def test_null_clears_an_annotation_and_what_is_left_out_stays(client: Client, post: Post) -> None:
    post(fields(account="Giro", note="with Ann", tags=["trip"]))

    def patch(**changes: Any) -> tuple[Any, ...]:
        answer = client.patch("/expenses/1", json=changes, headers={"If-Match": "*"}, buffered=True)
        assert answer.status_code == 200
        return tuple(answer.get_json()[name] for name in ("account", "note", "tags", "version"))

    assert patch(account=None) == (None, "with Ann", ["trip"], 2)
    assert patch(note=None) == (None, "", ["trip"], 3)
    assert patch(tags=None) == (None, "", [], 4)
    assert patch(account="Card", tags=["gift"]) == ("Card", "", ["gift"], 5)
    history = client.get("/expenses/1/history", buffered=True).get_json()["items"]
    assert [version["after"]["account"] for version in history] == ["Giro", None, None, None, "Card"]


def test_same_key_with_another_annotation_is_refused_and_named(post: Post, address: str) -> None:
    sent = fields(account="Giro", note="with Ann", tags=["trip"])
    post(sent, Idempotency_Key="k")
    others: list[dict[str, Any]] = [{"note": "with Bob"}, {"account": "Card"}, {"tags": []}]
    for changed in (*others, {"note": "", "tags": ["x"]}):
        refused = problem(post(sent | changed, Idempotency_Key="k"), 422)
        assert refused["type"] == PROBLEM_TYPE_PREFIX + "idempotency-key-reused"
        assert refused["fields"] == list(changed)
    same = {"account": "GIRO", "tags": ["Trip", "trip"]}
    assert post(sent | same, Idempotency_Key="k").status_code == 200
    assert Ledger(address).search().count == 1


def test_replay_tells_in_what_it_differs_from_what_was_sent(client: Client, post: Post) -> None:
    first = post(fields(account="Giro", note="with Ann", tags=["trip"])).get_json()
    assert "differs" not in first
    again = post(fields(account="Giro", note="with Bob", tags=["trip"]))
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.get_json() == first | {"differs": ["note"]}
    assert "differs" not in post(fields()).get_json()  # what was not sent can't differ
    assert "differs" not in post(fields(account="giro", tags=["TRIP"])).get_json()
    assert post(fields(account=None, tags=["x"])).get_json()["differs"] == ["account", "tags"]
    client.patch("/expenses/1", json={"amount": "13"}, headers={"If-Match": "*"}, buffered=True)
    assert post(fields()).get_json()["differs"] == ["amount"]


@pytest.mark.usefixtures("annotated")
def test_accounts(client: Client) -> None:
    assert client.get("/accounts", buffered=True).get_json() == {
        "items": [
            {"name": "Card", "count": 1, "total": "4.00"},
            {"name": "Giro", "count": 2, "total": "3.00"},
        ]
    }


@pytest.mark.usefixtures("annotated")
def test_account_is_spelled_as_at_first(post: Post) -> None:
    assert post(fields(amount="32", account="GIRO")).get_json()["account"] == "Giro"


@pytest.mark.usefixtures("annotated")
@pytest.mark.parametrize(
    ("by", "items"),
    [
        ("account", [("", 2, "24.00"), ("Card", 1, "4.00"), ("Giro", 2, "3.00")]),
        ("tag", [("", 1, "16.00"), ("gift", 2, "12.00"), ("trip", 2, "3.00"), ("work", 2, "6.00")]),
    ],
)
def test_summary_by_account_or_tag(client: Client, by: str, items: list[tuple[str, int, str]]) -> None:
    answer = client.get(f"/summary?by={by}", buffered=True).get_json()
    assert answer["items"] == [{by: name, "count": count, "total": total} for name, count, total in items]
    assert (answer["count"], answer["total"]) == (5, "31.00")  # each once, whatever its tags


@pytest.mark.usefixtures("annotated")
def test_summary_by_two_parts(client: Client) -> None:
    answer = client.get("/summary?by=month,account&category=food", buffered=True).get_json()
    assert [tuple(item.values()) for item in answer["items"]] == [
        ("2026-10", "Card", 1, "4.00"),
        ("2026-11", "", 1, "8.00"),
        ("2026-11", "Giro", 2, "3.00"),
    ]
    by_tag = client.get("/summary?by=account,tag&tag=trip", buffered=True).get_json()
    assert [item.keys() for item in by_tag["items"]] == [{"account", "tag", "count", "total"}] * len(
        by_tag["items"]
    )
    assert by_tag["total"] == "3.00"


@pytest.mark.usefixtures("annotated")
def test_overview_is_the_page_and_all_beside_it(client: Client) -> None:
    overview = client.get("/overview?account=giro&limit=1", buffered=True).get_json()
    page = client.get("/expenses?account=giro&limit=1", buffered=True).get_json()
    assert {name: overview.pop(name) for name in page} == page
    assert len(overview.pop("ledger")) == 32
    assert overview == {
        "first": "2026-11-22",
        "last": "2026-11-22",
        "categories": client.get("/categories", buffered=True).get_json()["items"],
        "accounts": ["Card", "Giro"],
        "position": client.get("/position", buffered=True).get_json()["position"],
    }
    whole = client.get("/overview", buffered=True).get_json()
    assert (whole["first"], whole["last"], whole["total"]) == ("2026-10-31", "2026-11-22", "31.00")
    none = client.get("/overview?tag=nowhere", buffered=True).get_json()
    assert (none["first"], none["last"], none["items"]) == (None, None, [])


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "account=a&sort=random", "by=month"])
def test_bad_overview_is_refused(client: Client, query: str) -> None:
    problem(client.get(f"/overview?{query}", buffered=True), 422)


def test_position_changes_with_the_ledger_and_only_then(client: Client, post: Post) -> None:
    def position() -> str:
        return str(client.get("/position", buffered=True).get_json()["position"])

    seen = [position()]
    for request, body in (
        ("POST /expenses", fields()),
        ("PATCH /expenses/1", {"note": "x"}),
        ("POST /rules", {"text": "a", "category": "b"}),
        ("DELETE /expenses/1", None),
        ("POST /changes/3/undo", None),
    ):
        method, where = request.split()
        answer = client.open(where, method=method, json=body, headers={"If-Match": "*"}, buffered=True)
        assert answer.status_code < 300
        seen.append(position())
        client.get("/expenses", buffered=True)
        assert position() == seen[-1]
    assert len({*seen}) == len(seen)


def test_health(client: Client) -> None:
    answer = client.get("/health", buffered=True)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ok",
        "readable": True,
        "writable": True,
        "busy": False,
        "currency": "USD",
        "journal_mode": "wal",
        "synchronous": "full",
    }


def test_health_says_that_another_writer_is_busy_and_does_not_wait_for_it(client: Client, path: Path) -> None:
    Ledger(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.get("/health", buffered=True)
    assert (answer.status_code, answer.get_json()["busy"], answer.get_json()["writable"]) == (200, True, True)


def test_health_is_bad_where_the_ledger_can_only_be_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/health", buffered=True)
    read_only = Health(
        status="read-only", writable=False, busy=False, currency="USD", journal_mode="wal", synchronous="full"
    )
    monkeypatch.setattr(Ledger, "health", lambda _: read_only)
    assert "not written" in problem(client.get("/health", buffered=True), 503)["detail"]


@pytest.mark.parametrize("where", ["/health", "/expenses", "/expenses/1"])
def test_unusable_ledger_is_unavailable_and_its_path_is_not_told(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("EXPENSE_LEDGER", str(tmp_path))
    answer = client.get(where, buffered=True)
    problem(answer, 503)
    assert answer.headers["Retry-After"]
    assert str(tmp_path) not in answer.get_data(as_text=True)


def test_unexpected_failure_is_a_problem_without_its_cause(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(Ledger, "search", fail)
    answer = client.get("/expenses", buffered=True)
    problem(answer, 500)
    assert "secret" not in answer.get_data(as_text=True)


def test_handler_ignores_the_setting_of_a_remote_ledger(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPENSE_API_URL", "http://127.0.0.1:1")
    assert client.get("/expenses", buffered=True).status_code == 200


def test_over_a_socket(path: Path) -> None:
    with handler(path) as url:
        first = requests.post(f"{url}/expenses", json=fields(), timeout=10)
        again = requests.post(f"{url}/expenses", json=fields(), timeout=10)
        chunked = requests.post(
            f"{url}/expenses",
            data=iter([json.dumps(fields(amount="1")).encode()]),
            headers={"Content-Type": "application/json"},
            timeout=10,
        )
        page = requests.get(f"{url}/expenses", params={"category": "food", "limit": "1"}, timeout=10)
        missing = requests.head(f"{url}/expenses/9", timeout=10)
    assert [first.status_code, again.status_code, chunked.status_code] == [201, 200, 201]
    assert (page.json()["count"], page.json()["total"]) == (2, "13.50")
    assert "cursor=" in page.links["next"]["url"]
    assert (missing.status_code, missing.content) == (404, b"")


@pytest.mark.parametrize("settings", [{"EXPENSE_LEDGER": "."}, {"EXPENSE_CURRENCY": "DOLLAR"}], ids=str)
def test_server_does_not_start_on_a_ledger_it_cannot_open(tmp_path: Path, settings: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "handlers", "--port", str(free_port())],
        cwd=tmp_path,
        env=environment(**settings, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_server_says_that_its_port_is_taken(path: Path) -> None:
    with handler(path) as url:
        done = subprocess.run(
            [sys.executable, "-m", "handlers", "--port", url.rpartition(":")[2]],
            env=environment(EXPENSE_LEDGER=str(path)),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, "can't be had" in done.stderr) == (1, True)
