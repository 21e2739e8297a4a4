from __future__ import annotations

import datetime as dt
import io
import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib import ExpenseError, InvalidInput, NotAStatement, StatementUnclear, statements
from expense_lib.statements import Row, amounts
from tests.builders import STATEMENTS

HEADER = "Date,Description,Amount"


def a_file(*lines: str, header: str = HEADER, end: str = "\n", encoding: str = "utf-8") -> bytes:
    """A statement in CSV: a header and these lines."""
    return end.join((header, *lines, "")).encode(encoding)


def read(text: bytes | str, **told: Any) -> list[tuple[str, str, str]]:
    """What is read: date, amount and description of each row."""
    plan = statements.read(text.encode() if isinstance(text, str) else text, **told)
    return [(row.date.isoformat(), str(row.amount), row.description) for row in plan.rows]


LUNCH = ("2026-11-22", "12.50", "Lunch")


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(a_file("2026-11-22,Lunch,12.50"), id="plain"),
        pytest.param(a_file("2026-11-22,Lunch,12.50", end="\r\n"), id="CRLF"),
        pytest.param(a_file("2026-11-22,Lunch,12.50", end="\r"), id="CR alone"),
        pytest.param(a_file("2026-11-22,Lunch,12.50", encoding="utf-8-sig"), id="BOM"),
        pytest.param(a_file("2026-11-22,Lunch,12.50", encoding="utf-16"), id="UTF-16"),
        pytest.param(a_file("2026-11-22,Lunch,12.50", encoding="utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(a_file("2026-11-22;Lunch;12,50", header="Date;Description;Amount"), id="semicolons"),
        pytest.param(a_file("2026-11-22\tLunch\t12.50", header="Date\tDescription\tAmount"), id="tabs"),
        pytest.param(a_file("2026-11-22|Lunch|12.50", header="Date|Description|Amount"), id="pipes"),
        pytest.param(
            b"sep=;\n" + a_file("2026-11-22;Lunch;12.50", header="Date;Description;Amount"), id="sep="
        ),
        pytest.param(a_file('"2026-11-22","Lunch","12.50"'), id="quotes"),
        pytest.param(
            a_file("'2026-11-22','Lunch','12.50'", header="'Date','Description','Amount'"), id="single quotes"
        ),
        pytest.param(a_file('2026-11-22,"\nLunch\n",12.50'), id="newlines within quotes"),
        pytest.param(b"Bank of Somewhere\nAccount 123\n\n" + a_file("2026-11-22,Lunch,12.50"), id="preamble"),
        pytest.param(a_file(HEADER, "2026-11-22,Lunch,12.50", "", HEADER), id="repeated header, blank lines"),
        pytest.param(a_file("2026-11-22,Lunch,12.50,,", ",,,,"), id="more cells than columns, all empty"),
        pytest.param(
            a_file("2026-11-22,x,Lunch,12.50,7", header="Date,,Description,Amount,Amount"), id="double names"
        ),
        pytest.param(
            a_file("2026-11-22,Lunch,12.50,,1000", header="Date,Description,Debit,Credit,Balance"),
            id="debit and credit",
        ),
        pytest.param(
            a_file(
                "2026-11-22,Lunch,12.50,debit", "2026-11-22,Pay,9,credit", header=f"{HEADER},Transaction Type"
            )[:-24]
            + b"\n",
            id="type",
        ),
        pytest.param(a_file("22/11/2026,Lunch,12.50"), id="day first, as it can't be a month"),
        pytest.param(a_file("11/22/26,Lunch,12.50"), id="month first, two digits of a year"),
        pytest.param(a_file("22.11.2026,Lunch,12.50"), id="points"),
        pytest.param(a_file("22-Nov-26,Lunch,12.50"), id="named month"),
        pytest.param(a_file('"Nov 22, 2026",Lunch,12.50'), id="American"),
        pytest.param(a_file("2026-11-22T13:12:00Z,Lunch,12.50"), id="with a time"),
        pytest.param(a_file("22/11/2026 13:12,Lunch,12.50"), id="with another time"),
        pytest.param(b"2026-11-22,Lunch,12.50\n", id="no header"),
    ],
)
def test_any_dialect_is_read(file: bytes) -> None:
    assert read(file) == [LUNCH]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Café à Genève", "cp1252"),
        ("Café à Genève", "latin-1"),
        ("Крепкий кофе в магазине на углу", "cp1251"),
        ("東京ストアでの買い物", "cp932"),
        ("Prix: 12 €", "cp1252"),
    ],
)
def test_encodings_are_recognised(text: str, encoding: str) -> None:
    assert read(a_file(f"2026-11-22,{text},12.50", encoding=encoding)) == [("2026-11-22", "12.50", text)]


@pytest.mark.parametrize(
    ("written", "decimal", "expected"),
    [
        ("12.50", ".", "12.50"),
        ("1.234,56", ",", "1234.56"),
        ("11'373.94", ".", "11373.94"),
        ("11\u2019373.94", ".", "11373.94"),
        ("(65,000.00)", ".", "-65000.00"),
        ("+ $1,234.00", ".", "1234.00"),
        ("-98,76", ",", "-98.76"),
        ("98,76-", ",", "-98.76"),
        ("\u221298.76", ".", "-98.76"),
        ("1\u00a0234,56 €", ",", "1234.56"),
        ("1,23,456.00", ".", "123456.00"),
        ("USD 12.5", ".", "12.5"),
        ("R$ 1.234,56", ",", "1234.56"),
        (".50", ".", "0.50"),
        ("50000", ".", "50000"),
    ],
)
def test_amounts_are_read_exactly(written: str, decimal: str, expected: str) -> None:
    amount = amounts.read(written, decimal)
    assert amount is not None
    assert Decimal(amount.units).scaleb(-amount.digits) == Decimal(expected)
    assert amounts.decimal_mark([written]) == decimal


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abc",
        "1.2.3",
        "12,34,56.7.8",
        "--5",
        "1e5",
        "12.50 Lunch",
        "1234,56.78,9",
        "1 2",
        "5%",
        "1" * 16,
        "(5",
        "2026-11-22",
    ],
)
def test_amounts_that_are_none_are_refused(written: str) -> None:
    assert amounts.read(written, ".") is None


@given(
    st.integers(-(10**14), 10**14),
    st.sampled_from([(".", ","), (",", "."), (".", "'"), (",", " "), (".", "")]),
)
def test_every_amount_is_read_as_it_was_written(minor: int, marks: tuple[str, str]) -> None:
    decimal, group = marks
    written = f"{Decimal(minor).scaleb(-2):,.2f}".replace(",", "G").replace(".", decimal).replace("G", group)
    amount = amounts.read(written, decimal)
    assert amount == amounts.Amount(minor, 2)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (["03/04/2026,Lunch,12.50", "05/06/2026,Tea,3.00"], "date_format"),
        (['2026-11-22,Lunch,"1,234"', '2026-11-23,Tea,"2,345"'], "decimal"),
    ],
)
def test_what_the_file_leaves_open_is_asked(lines: list[str], field: str) -> None:
    with pytest.raises(StatementUnclear) as asked:
        read(a_file(*lines))
    assert [error.field for error in asked.value.errors] == [field]
    first, second = (read(a_file(*lines), **{field: choice}) for choice in asked.value.choices)
    assert first != second


def test_evidence_far_into_the_file_decides() -> None:
    rows = ["03/04/2026,Lunch,12.50"] * 40_000
    assert read(a_file(*rows, "25/04/2026,Tea,3.00"))[0] == ("2026-04-03", "12.50", "Lunch")


def test_equal_day_and_month_leave_nothing_open() -> None:
    assert read(a_file("04/04/2026,Lunch,12.50")) == [("2026-04-04", "12.50", "Lunch")]


def test_lines_that_are_no_rows_are_told_and_the_others_read() -> None:
    plan = statements.read(
        a_file(
            "2026-11-22,Lunch,12.50",
            "pending,Tea,3.00",
            "2026-02-30,Tea,3.00",
            "2026-11-22,Tea,",
            "2026-11-22,Tea,three",
            "2026-11-22,Tea,milk,3.00",
            '2026-11-22,"Never, closed,3.00',
            "2026-11-23,Supper,20.00",
            "Total,,35.50",
        )
    )
    assert [row.line for row in plan.rows] == [2, 9]
    assert [bad.line for bad in plan.bad] == [3, 4, 5, 6, 7, 8, 10]
    assert all(bad.reason for bad in plan.bad)


@pytest.mark.parametrize(
    ("lines", "descriptions"),
    [
        (
            ['2026-11-13,"Coffee,5.00', '2026-11-14,"Tea",5.00', "2026-11-15,Milk,5.00"],
            ["Coffee", "Tea", "Milk"],
        ),
        (['2026-11-13,Say "hi" now,5.00', '2026-11-14,"A "B" C",5.00'], ['Say "hi" now', 'A "B" C']),
        (['2026-11-13,"ACME\\",5.00', '2026-11-14,"Tea",5.00'], ["ACME\\", "Tea"]),
        (['2026-11-13,"He said \\"hi\\" twice",5.00'], ['He said "hi" twice']),
    ],
)
def test_quotes_that_do_not_close_take_no_other_row_with_them(
    lines: list[str], descriptions: list[str]
) -> None:
    found = read(a_file(*lines))
    assert [description for *_, description in found] == descriptions
    assert {amount for _, amount, _ in found} == {"5.00"}


@pytest.mark.parametrize(
    ("file", "amounts_spent"),
    [
        pytest.param(
            a_file("2026-11-13,a,5.00 CR", "2026-11-13,b,7.00 Dr."), ["-5.00", "7.00"], id="CR and DR"
        ),
        pytest.param(
            a_file("2026-11-13,a,500.00(Dr)", "2026-11-13,b,50.00(Cr)"),
            ["500.00", "-50.00"],
            id="in brackets",
        ),
        pytest.param(
            a_file("2026-11-13,a,Rs.500", "2026-11-13,b,Fr. 50"), ["500", "50"], id="abbreviated currency"
        ),
        pytest.param(
            a_file("2026-11-13,a,(5.00) USD", "2026-11-14,b,$(6.00)"),
            ["5.00", "6.00"],
            id="brackets and currency",
        ),
        pytest.param(
            a_file(
                "2026-11-13,a,5,debit",
                "2026-11-14,Pay,600,credit",
                "2026-11-15,Fee,1,fee",
                header=f"{HEADER},Type",
            ),
            ["5", "-600"],
            id="an unknown type is not guessed",
        ),
        pytest.param(
            a_file("13.11.2026;K;12,50;S", "13.11.2026;L;2000,00;H", header='Tag;Text;Umsatz;" "'),
            ["12.50", "-2000.00"],
            id="unnamed S and H",
        ),
        pytest.param(
            a_file("2026-11-13,ACME, 12,50.00,", "2026-11-14,Tea,6.00,", header=f"{HEADER},Note"),
            ["6.00"],
            id="a comma too many",
        ),
        pytest.param(
            a_file('2026-11-13,"a\nb",5.00,', "2026-11-14,c,6.00,"),
            ["5.00", "6.00"],
            id="newline and a delimiter at the end",
        ),
        pytest.param(b"2026-11-13,4567,Coffee,5.00\n", None, id="two columns of numbers"),
        pytest.param(a_file("26-01-13,a,5.00", "26-01-28,b,5.00"), None, id="year first or day first"),
    ],
)
def test_amounts_are_not_misread(file: bytes, amounts_spent: list[str] | None) -> None:
    if amounts_spent is None:
        with pytest.raises(StatementUnclear):
            read(file)
    else:
        assert [amount for _, amount, _ in read(file)] == amounts_spent


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(
            b"a," * 400 + b"\n" + a_file("2026-11-22,Lunch,12.50"), id="many columns without a name"
        ),
        pytest.param(a_file("2026-11-22,Lunch,12.50", "2026-11-14" + " " * 8000 + "x,a,5"), id="a long date"),
        pytest.param(
            a_file("2026-11-22,Lunch,12.50", '2026-11-14,"' + "x" * 100_000, *["a"] * 20_000),
            id="an open quote",
        ),
    ],
)
def test_awkward_files_take_no_time(file: bytes) -> None:
    assert read(file, mapping={"date": "Date", "amount": "Amount", "description": "Description"})[0] == LUNCH


@pytest.mark.parametrize(
    "text",
    ["Stra\u00dfenbahn M\u00fcller", "1\u00a0234,50 \u20ac", "\u00e0", "Caf\u00e9 Zo\u00eb, Citro\u00ebn"],
)
def test_western_letters_are_not_taken_for_others(text: str) -> None:
    header = "Datum;Text;Betrag"
    assert statements.read(a_file(f"13.01.2026;{text};1,50", header=header, encoding="cp1252")).rows[
        0
    ].description == " ".join(text.split())


def test_mapping_names_columns_or_numbers() -> None:
    file = a_file("2026-11-22,12.50,12.00,Lunch,A1", header="Day,Gross,Net Amount,Who,TransNo")
    by_name = {"date": "Day", "amount": "Gross", "description": "Who", "reference": "TransNo"}
    plan = statements.read(file, mapping=by_name, account="Card")
    assert plan.rows[0] == Row(
        2, dt.date(2026, 11, 22), Decimal("12.50"), "Lunch", None, "A1", None, "Card", note="", tags=""
    )
    assert read(file, mapping={"date": 1, "amount": 3, "description": [4, 5]}) == [
        ("2026-11-22", "12.00", "Lunch A1")
    ]


def test_mapping_to_nothing_leaves_the_rest_to_be_found() -> None:
    file = b"Bank of Somewhere\n\n" + a_file(
        "2026-11-22,Lunch,12.50,Food,A1", header=f"{HEADER},Category,Transaction ID"
    )
    plan = statements.read(file, mapping={"reference": None, "note": None})
    assert plan.rows[0] == statements.read(file).rows[0]._replace(reference=None)
    assert plan.reading.mapping == {
        "date": "Date",
        "amount": "Amount",
        "description": "Description",
        "category": "Category",
    }
    with pytest.raises(InvalidInput, match=r"mapping\.payee"):
        statements.read(file, mapping={"payee": None})


LINES = ("2026-11-22,Lunch,12.50", "2026-11-22,Tea,3.00")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_file("2026-12-01,Bus,-2.40"), id="the next month's"),
        pytest.param(b"Bank\nMarch\n\n" + a_file(*LINES), id="another preamble"),
        pytest.param(a_file(*LINES, header=HEADER.upper()), id="another case"),
        pytest.param(
            a_file(*(line.replace(",", ";") for line in LINES), header=HEADER.replace(",", ";")),
            id="semicolons",
        ),
    ],
)
@pytest.mark.parametrize(
    "mapping", [None, {"date": 1, "amount": 3}, {"amount": "Amount", "note": "Description"}]
)
def test_layout_is_of_the_columns_only(other: bytes, mapping: Any) -> None:
    layout = statements.read(a_file(*LINES)).reading.layout
    assert re.fullmatch("csv:[0-9a-f]{8}", layout)
    assert statements.read(other, mapping=mapping).reading.layout == layout


def test_layout_without_names_is_of_the_kinds_of_columns() -> None:
    def layout(*lines: str) -> str:
        return statements.read("\n".join(lines).encode()).reading.layout

    november = layout("2026-11-22,Lunch,12.50,", "2026-11-23,Tea,3.00,paid")
    assert layout("2026-12-01,Bus,2.40,") == november
    assert len({november, layout("2026-12-01,Bus,2.40"), layout("Bus,2026-12-01,2.40,")}) == 3


def test_layout_is_another_with_other_columns() -> None:
    other = [
        a_file(*LINES, header=header)
        for header in ("Date,Text,Amount", "Date,Amount,Description", "日期,描述,金额", "日期,说明,金额")
    ]
    mapping = {"date": 1, "amount": 3}
    layouts = {statements.read(file, mapping=mapping).reading.layout for file in other[:1] + other[2:]}
    assert len(layouts | {statements.read(a_file(*LINES)).reading.layout}) == 4


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"references": "maybe"}, "references"),
        ({"mapping": {"amount": "Sum"}}, "mapping.amount"),
        ({"mapping": {"payee": "Description"}}, "mapping.payee"),
        ({"mapping": {"amount": "Amount", "debit": "Amount"}}, "mapping.amount"),
        ({"mapping": "Amount"}, "mapping"),
        ({"spending": "up"}, "spending"),
        ({"credits": "keep"}, "credits"),
        ({"date_format": "%d"}, "date_format"),
        ({"decimal": ";"}, "decimal"),
        ({"encoding": "utf-7000"}, "encoding"),
        ({"encoding": "ascii"}, "encoding"),
        ({"default_category": ""}, "default_category"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(told: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(a_file("2026-11-22,Café,12.50"), **told)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b" \n",
        b"Once upon a time, there was no bank.\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00",
        b"PK\x03\x04\x14\x00\x08\x08",
        b'{"date": "2026-11-22", "amount": "12.50"}',
        b"<html><body><table><tr><td>2026-11-22</td></tr></table></body></html>",
        b"Name,Phone\nAda,12345\n",
        b"<OFX></OFX>",
        b"!Type:Cat\nNFood\n^\n",
    ],
)
def test_file_that_is_no_statement_is_told_in_a_sentence(file: bytes) -> None:
    with pytest.raises(NotAStatement, match=r"^[A-Z].*\.$"):
        statements.read(file)


def test_missing_file_is_told(tmp_path: Path) -> None:
    for source in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(NotAStatement, match="can't be read"):
            statements.read(source)


def test_paths_bytes_and_open_files_are_the_same(tmp_path: Path) -> None:
    file = a_file("2026-11-22,Lunch,12.50")
    (tmp_path / "bank.csv").write_bytes(file)
    assert statements.read(tmp_path / "bank.csv").source == "bank.csv"
    assert read(file) == [LUNCH]
    with (tmp_path / "bank.csv").open("rb") as opened:
        for source in (str(tmp_path / "bank.csv"), io.BytesIO(file), opened):
            assert list(statements.read(source).rows) == list(statements.read(file).rows)


@pytest.mark.parametrize(
    ("lines", "spending"),
    [
        (["2026-11-22,Lunch,12.50", "2026-11-23,Back,-2.00", *["2026-11-24,Tea,3.00"] * 5], "positive"),
        (["2026-11-22,Lunch,-12.50", "2026-11-23,Pay,900.00"], "negative"),
    ],
)
def test_sign_of_spending_is_seen(lines: list[str], spending: Any) -> None:
    plan = statements.read(a_file(*lines))
    assert plan.reading.spending == spending
    assert plan.rows[0].amount == Decimal("12.50")
    other: Any = "positive" if spending == "negative" else "negative"
    assert statements.read(a_file(*lines), spending=other).rows[0].amount == Decimal("-12.50")


def test_numbers_that_are_no_references_are_not_taken_for_them() -> None:
    file = a_file("1,2026-11-22,Lunch,12.50,RENT", header=f"#,{HEADER},Reference")
    assert "reference" not in statements.read(file).reading.mapping


OFX = """OFXHEADER:100
DATA:OFXSGML

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>42<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
{}
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_ofx_is_read_transaction_by_transaction() -> None:
    plan = statements.read(
        OFX.format(
            "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261122120000[-5:EST]<TRNAMT>-12.50<FITID>A1<NAME>Caf\u00e9 &amp; Co<MEMO>Lunch</STMTTRN>\n"
            "<stmttrn><trntype>DEBIT<dtposted>20261123<trnamt>-3,00<fitid>A2<name>Tea</stmttrn>\n"
            "<STMTTRN><DTPOSTED>20260230<TRNAMT>-1.00<FITID>A3</STMTTRN>\n"
            "<STMTTRN><DTPOSTED>20261124<TRNAMT>none<FITID>A4</STMTTRN>"
        ).encode()
    )
    assert [
        (str(row.date), str(row.amount), row.description, row.reference, row.currency, row.account)
        for row in plan.rows
    ] == [
        ("2026-11-22", "12.50", "Café & Co Lunch", "A1", "USD", "42"),
    ] + [("2026-11-23", "3.00", "Tea", "A2", "USD", "42")] * (len(plan.rows) - 1)
    assert [bad.line for bad in plan.bad][-2:] == [8, 9]
    assert plan.account == "42"
    assert plan.reading.layout == "ofx"


def test_qif_is_read_record_by_record() -> None:
    plan = statements.read(
        b"!Type:Bank\nD11/22'2026\nT-1,012.50\nPLunch\nLFood/Trip\n^\nD11/31'2026\nT-3.00\n^\n!Type:Invst\nD11/22'2026\nNBuy\n^\n"
    )
    assert [tuple(row)[1:5] for row in plan.rows] == [
        (dt.date(2026, 11, 22), Decimal("1012.50"), "Lunch", "Food")
    ]
    assert [bad.line for bad in plan.bad] == [7, 11]
    assert plan.reading.layout == "qif"


@pytest.mark.parametrize("path", sorted(STATEMENTS.glob("*/*.*")), ids=lambda path: path.name)
def test_real_statement_is_read(path: Path) -> None:
    plan = statements.read(path)
    assert len(plan.rows) + len(plan.bad) > 0
    assert all(row.date.year > 2000 for row in plan.rows)


def test_real_statements_are_here() -> None:
    if not STATEMENTS.is_dir():
        pytest.skip("no folder of real statements on this machine")
    assert len(list(STATEMENTS.glob("*/*.*"))) > 20


@given(st.binary(max_size=300), st.sampled_from([b"", a_file(), b"<OFX><STMTRS><STMTTRN>", b"!Type:Bank\n"]))
def test_no_file_makes_it_crash(noise: bytes, begin: bytes) -> None:
    with suppress(ExpenseError):
        statements.read(begin + noise)
