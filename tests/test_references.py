"""References of a statement are evidence: which are taken, which are read together, which are left out."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from expense_lib import Ledger, statements
from expense_lib.statements import Plan, references
from tests.builders import STATEMENTS

CASES = STATEMENTS.parent / "cases"
REAL_CARDS = ("calderdale-2016-11-card.csv", "calderdale-2019-01-card.csv")


def a_table(header: str, lines: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *lines])
    return text.getvalue().encode()


def read(file: bytes, **told: Any) -> Plan:
    return statements.read(file, **{"spending": "positive", "date_format": "%Y-%m-%d"} | told)


def payments(count: int, seed: int = 7) -> list[tuple[str, str, str]]:
    """So many payments of November, by day: date, description, amount."""
    chance = random.Random(seed)  # noqa: S311 - made-up shopping
    days = sorted(chance.randrange(1, 31) for _ in range(count))
    return [
        (f"2026-11-{day:02}", f"SHOP {chance.randrange(400)}", f"{chance.randrange(1, 20_000) / 100:.2f}")
        for day in days
    ]


def in_batches(count: int, size: int = 126) -> list[tuple[str, str, str, int, int]]:
    """Payments with the number of their batch, and the sequence number in it."""
    return [(*each, 7_000 + n // size, n % size + 1) for n, each in enumerate(payments(count))]


BATCHES = "Trans Date,Supplier Name,Net Amount,TransNo,Seq No"


def an_ofx(*transactions: tuple[str, str, str, str], account: str = "42") -> bytes:
    """Of these days, names, amounts and FITIDs."""
    lines = "\n".join(
        f"<STMTTRN><DTPOSTED>{day.replace('-', '')}<TRNAMT>-{amount}<FITID>{fitid}<NAME>{name}</STMTTRN>"
        for day, name, amount, fitid in transactions
    )
    head = f"<OFX><STMTRS><CURDEF>USD<BANKACCTFROM><ACCTID>{account}</BANKACCTFROM><BANKTRANLIST>"
    return f"{head}{lines}</BANKTRANLIST></STMTRS></OFX>".encode()


def arrived(ledger: Ledger, plan: Plan) -> tuple[int, Decimal]:
    """How many expenses an import of *plan* brings, and their total; a second one brings none."""
    created = ledger.import_statement(plan).created
    page = ledger.search()
    assert ledger.import_statement(plan).created == 0
    assert page.count == created
    return created, page.total


def test_batch_and_its_sequence_number_are_read_together(ledger: Ledger) -> None:
    """A purchase-card file as councils publish them: 5,155 lines, of which 121 are credits."""
    lines = [
        (day, name, f"-{amount}" if n % 43 == 0 and n < 121 * 43 else amount, batch, number)
        for n, (day, name, amount, batch, number) in enumerate(in_batches(5_155))
    ]
    spent = [Decimal(line[2]) for line in lines if not line[2].startswith("-")]
    plan = read(a_table(BATCHES, lines))
    assert arrived(ledger, plan) == (len(spent), sum(spent))
    assert (len(spent), plan.reading.references) == (5_035, "combined")
    assert plan.reading.mapping["reference"] == ("TransNo", "Seq No")
    assert plan.reading.remarks == (
        "'TransNo' stands with different payments in 100 % of its lines, so it is read together with 'Seq No'.",
    )
    assert [row.reference for row in plan.rows[:2]] == ["7000/1", "7000/2"]


@pytest.mark.parametrize("name", REAL_CARDS)
@pytest.mark.parametrize("in_batch", [False, True], ids=["as it is", "numbered in batches"])
def test_all_payments_of_a_real_card_arrive(ledger: Ledger, name: str, in_batch: bool) -> None:
    file = STATEMENTS / "card" / name
    if not file.exists():
        pytest.skip("no folder of real statements on this machine")
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    sums = [amount for row in rows if (amount := Decimal(row["Net Amount"]))]
    for row in rows if in_batch else ():
        number = int(row.pop("Transaction number"))
        row |= {"TransNo": str(number // 100), "Seq No": str(number % 100)}
    table = a_table(",".join(rows[0]), [row.values() for row in rows])
    plan = statements.read(table, spending="positive", credits="refund")
    assert plan.reading.references == ("combined" if in_batch else "as given")
    assert arrived(ledger, plan) == (len(sums), sum(sums))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [("2026-11-03", "HOTEL", "80.00", "F1"), ("2026-11-03", "FOREIGN FEE", "2.40", "F1")],
            id="purchase and fee",
        ),
        pytest.param([(*each, str(n // 5)) for n, each in enumerate(payments(20))], id="five of each"),
        pytest.param([(*each, "0") for each in payments(20)], id="all 0"),
        pytest.param([(*each, "NONREF") for each in payments(20)], id="NONREF"),
        pytest.param([(*each, f"1.2345{n % 3}E+17") for n, each in enumerate(payments(20))], id="spoiled"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "ofx"])
def test_payments_that_share_a_reference_all_arrive(
    ledger: Ledger, form: str, lines: list[tuple[str, str, str, str]]
) -> None:
    header = "Date,Description,Amount,Transaction ID"
    plan = statements.read(an_ofx(*lines)) if form == "ofx" else read(a_table(header, lines))
    assert arrived(ledger, plan) == (len(lines), sum(Decimal(line[2]) for line in lines))
    assert plan.reading.references in ("none", "left out")
    assert not any(plan.rows.references)


def test_banco_do_brasil_gives_all_one_fitid(tmp_path: Any) -> None:
    file = CASES / "ofx-repeated-fitid-bb.ofx"
    if not file.exists():
        pytest.skip("no folder of small statements on this machine")
    assert Ledger(tmp_path / "real.db", "BRL").import_statement(statements.read(file)).created == 3


def test_what_was_left_out_is_told() -> None:
    lines = [
        ("2026-11-03", "HOTEL", "80.00", "F1"),
        ("2026-11-03", "FEE", "2.40", "F1"),
        (*payments(1)[0], "F2"),
    ]
    why = "since it stands with different payments in 67 % of its lines."
    assert statements.read(an_ofx(*lines)).reading.remarks == (f"FITID is left out, {why}",)
    reading = read(a_table("Date,Description,Amount,Transaction ID", lines)).reading
    assert (reading.references, reading.remarks) == ("left out", (f"'Transaction ID' is left out, {why}",))
    assert "reference" not in reading.mapping
    spoiled = [(*line[:3], "1.23457E+17") for line in lines]
    reading = read(a_table("Date,Description,Amount,Transaction ID", spoiled)).reading
    assert (reading.references, reading.remarks) == (
        "none",
        ("'Transaction ID' has placeholders where references would be.",),
    )


@pytest.mark.parametrize(("fees", "use"), [(1, "as given"), (2, "left out")])
def test_more_than_one_line_of_a_hundred_is_too_many(fees: int, use: str) -> None:
    lines = [(*each, f"F{n}") for n, each in enumerate(payments(220))]
    for n in range(fees):
        lines[2 * n + 1] = ("2026-11-01", "FOREIGN FEE", "0.50", f"F{2 * n}")
    plan = statements.read(an_ofx(*lines))
    assert plan.reading.references == use
    assert plan.rows.references[:2] == (["F0", "F0"] if use == "as given" else [None, None])


def test_copies_of_one_line_are_no_contradiction(ledger: Ledger) -> None:
    lines = [(*each, f"T{n}") for n, each in enumerate(payments(10))]
    plan = read(a_table("Date,Description,Amount,Transaction ID", lines * 3))
    assert (plan.reading.references, plan.reading.remarks) == ("as given", ())
    page = ledger.import_statement(plan)
    assert (page.created, page.existing) == (10, 20)


def test_accounts_number_their_payments_each(ledger: Ledger) -> None:
    lines = [(*each, n % 10 + 501, "Giro" if n < 10 else "Card") for n, each in enumerate(payments(20))]
    mapping = {"date": "Date", "amount": "Amount", "reference": "No", "account": "Of"}
    plan = read(a_table("Date,Description,Amount,No,Of", lines), mapping=mapping)
    assert plan.reading.references == "as given"
    assert arrived(ledger, plan)[0] == 20
    assert (
        read(
            a_table("Date,Description,Amount,No,Of", lines), mapping=mapping | {"account": None}
        ).reading.references
        == "left out"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0012", "0012"),
        (" A  1 ", "A 1"),
        ("1E17", "1E17"),
        ("12-34", "12-34"),
        *(
            (text, None)
            for text in ("", " ", "0", "0000", "0.00", "-", "--", "...", "n/a", "N.A.", "None", "NULL")
        ),
        *(
            (text, None)
            for text in ("NONREF", "non-ref", "NOTPROVIDED", "not provided", "No reference", "nan")
        ),
        *((text, None) for text in ("1.23457E+17", "1,23457E+17", "1.23457e17", "1E+17", "1.2 E+17", "9e+9")),
    ],
)
def test_placeholders_are_no_references(given: str, expected: str | None) -> None:
    assert references.read(given) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("77", "0"), "77/0"),
        (("0", "3"), "0/3"),
        (("77", ""), None),
        (("NONREF", "3"), None),
        (("0", "0"), None),
        (("1.2E+17", "3"), None),
    ],
)
def test_reference_of_several_columns_has_all_of_them(cells: tuple[str, ...], expected: str | None) -> None:
    assert references.read(*cells) == expected


def test_columns_that_are_said_are_proved_unless_trusted() -> None:
    table = a_table(BATCHES, in_batches(252))
    both = {"reference": ("TransNo", "Seq No")}
    for mapping, told, expected in (
        (both, None, ("as given", "7000/1")),
        (both, True, ("as given", "7000/1")),
        (both, False, ("left out", None)),
        ({"reference": ["Seq No", 4]}, None, ("as given", "1/7000")),
        ({"reference": "TransNo"}, None, ("combined", "7000/1")),
        ({"reference": "TransNo"}, True, ("as given", "7000")),
        ({"reference": ["TransNo", "TransNo"]}, None, ("left out", None)),
        ({"reference": None}, None, ("none", None)),
        (None, True, ("as given", "7000")),
        (None, False, ("left out", None)),
    ):
        plan = read(table, mapping=mapping, references=told)
        assert (plan.reading.references, plan.rows[0].reference) == expected
        assert ("reference" in plan.reading.mapping) == (expected[1] is not None)
        assert len(plan.rows) == 252


def test_any_format_is_read_without_references() -> None:
    ofx = an_ofx(*((*each, f"F{n}") for n, each in enumerate(payments(3))))
    qif = b"!Type:Bank\nD11/22'2026\nT-12.50\nPLunch\nN101\n^\n"
    for file, use in ((ofx, "left out"), (qif, "none")):
        plan = statements.read(file, references=False)
        assert (plan.reading.references, {row.reference for row in plan.rows}) == (use, {None})
    assert statements.read(ofx, references=True).reading.references == "as given"


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        pytest.param("Cost centre", "SCHOOLS {seq}", "Cost centre", id="any text"),
        pytest.param("Code", "{seq}", "Code", id="any number"),
        pytest.param("Gross", "{seq}.50", None, id="an amount is content"),
        pytest.param("Booked", "2026-{seq:02}-01", None, id="a date is content"),
        pytest.param("Line", "{row}", None, id="a number of rows of the file is another in the next"),
        pytest.param("Code", "", None, id="empty"),
        pytest.param("Code", "same", None, id="always the same"),
    ],
)
def test_column_that_completes_a_reference(column: str, cells: str, expected: str | None) -> None:
    lines = [
        (*line, cells.format(seq=seq, row=row)) for row, (*line, seq) in enumerate(in_batches(60, size=6), 1)
    ]
    reading = read(a_table(f"Date,Description,Amount,TransNo,{column}", lines)).reading
    assert reading.mapping.get("reference") == (expected and ("TransNo", expected))


def test_column_that_is_named_so_completes_a_reference_first() -> None:
    lines = [(*line, f"X{n}Y", seq) for n, (*line, seq) in enumerate(in_batches(60, size=6))]
    table = a_table("Date,Description,Amount,TransNo,Code,Item", lines)
    assert read(table).reading.mapping["reference"] == ("TransNo", "Item")


def test_few_lines_prove_a_column_by_its_name_only() -> None:
    for column, use in (("Code", "left out"), ("Seq No", "combined")):
        for size in (2, 4, 8):
            lines = in_batches(8, size=size)
            assert read(a_table(f"Date,Description,Amount,TransNo,{column}", lines)).reading.references == use


def test_column_must_serve_in_the_whole_file() -> None:
    """It is another in each of the first lines, and then no more."""
    lines = [(*line, seq if n < 1_500 else 1) for n, (*line, seq) in enumerate(in_batches(3_000))]
    assert read(a_table(BATCHES, lines)).reading.references == "left out"


def test_lines_that_are_none_move_no_reference() -> None:
    lines: list[Any] = in_batches(60, size=6)
    lines[10:10] = [("later", "?", "1.00", 1, 1), ("2026-11-01", "cut"), ()]
    plan = read(a_table(BATCHES, lines))
    assert plan.reading.references == "combined"
    assert [row.reference for row in plan.rows] == [
        f"{batch}/{seq}" for *_, batch, seq in in_batches(60, size=6)
    ]
