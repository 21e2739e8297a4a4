from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expense_lib import AmountError, CurrencyError
from expense_lib.domain.money import MAX_MINOR_DIGITS, Currency, read_amount

USD, JPY, KWD = Currency("USD", 2), Currency("JPY", 0), Currency("KWD", 3)


@pytest.mark.parametrize(
    ("given", "currency", "minor"),
    [
        ("12.50", USD, 1250),
        ("12.5", USD, 1250),
        ("12", USD, 1200),
        (12, USD, 1200),
        (Decimal("12.50"), USD, 1250),
        ("-12.30", USD, -1230),
        ("0.01", USD, 1),
        ("999999999999999", USD, 99_999_999_999_999_900),
        ("9999999999999.99", USD, 999_999_999_999_999),
        ("1200", JPY, 1200),
        ("1.234", KWD, 1234),
    ],
)
def test_amount_is_read_exactly(given: str | int | Decimal, currency: Currency, minor: int) -> None:
    assert currency.to_minor(read_amount(given)) == minor


@pytest.mark.parametrize(
    "given",
    [
        *(
            "",
            " ",
            "abc",
            "1e2",
            "1.0e1",
            "1E2",
            "+5",
            "1_000",
            "1,000.00",
            "12,50",
            "007",
            "00.5",
            ".5",
            "5.",
        ),
        *(
            " 1",
            "1 ",
            "1\n",
            "١٢",
            "１２",
            "--1",
            "1.2.3",
            "0x10",
            "NaN",
            "Infinity",
            "-Infinity",
            "$5",
            "−5",
        ),
        *("0", "0.00", "-0", 0, Decimal("-0.0")),
        *("1234567890123456", "0.1234567890123456", 10**15, 10**5000),
        *(Decimal("1E+2"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")),
        *(12.5, 1.0, True, False, None, [], b"12"),
    ],
    ids=lambda given: repr(given)[:30] if not isinstance(given, int) or abs(given) < 10**20 else "10**5000",
)
def test_amount_is_refused_never_rounded(given: object) -> None:
    with pytest.raises(ValueError, match="must"):
        read_amount(given)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("12.500", USD),
        ("0.001", USD),
        ("12.0", JPY),
        ("1.2345", KWD),
        ("999999999999999", Currency("CLF", 4)),
    ],
)
def test_amount_is_refused_by_the_currency(amount: str, currency: Currency) -> None:
    with pytest.raises(AmountError):
        currency.to_minor(read_amount(amount))


@given(
    st.integers(-(10**15) + 1, 10**15 - 1).filter(bool),
    st.sampled_from([USD, JPY, KWD, Currency("CLF", 4)]),
    st.integers(1, 30),
)
def test_amount_survives_the_round_trip_in_any_decimal_context(
    minor: int, currency: Currency, precision: int
) -> None:
    with decimal.localcontext() as context:
        context.prec = precision
        shown = str(currency.from_minor(minor))
        assert currency.to_minor(read_amount(shown)) == minor


@given(st.integers(), st.integers(0, 4))
def test_minor_units_are_shown_with_all_fraction_digits(minor: int, exponent: int) -> None:
    shown = str(Currency("XXX", exponent).from_minor(minor))
    assert "E" not in shown
    assert len(shown.partition(".")[2]) == exponent
    assert int(shown.replace(".", "")) == minor


@given(st.text(alphabet="0123456789.-+eE_, ", max_size=25))
def test_what_is_read_is_what_was_written(text: str) -> None:
    try:
        amount = read_amount(text)
    except ValueError:
        return
    assert str(amount) == text


def test_exponents_are_those_of_iso_4217() -> None:
    assert [Currency.of(code).exponent for code in ("USD", "EUR", "JPY", "KWD", "CLF")] == [2, 2, 0, 3, 4]


@pytest.mark.parametrize("code", ["usd", "US", "ZZZ", "", "XAU", "XXX"])
def test_currency_is_refused(code: str) -> None:
    with pytest.raises(CurrencyError):
        Currency.of(code)


def test_largest_amount_fits_the_columns() -> None:
    largest = USD.to_minor(read_amount("9" * 15))
    assert len(str(largest)) <= MAX_MINOR_DIGITS < len(str(2**63 - 1))
