"""Money, exactly or not at all: decimals as people write them, integers of minor units on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

from expense_lib.domain.errors import AmountError, CurrencyError, FieldError

MAX_SIGNIFICANT_DIGITS = 15
MAX_MINOR_DIGITS = 18  # what DuckDB's DECIMAL(18, exponent) holds; SQLite's integers hold one more

_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)  # whatever the caller's context is
_TOO_LONG = f"must have at most {MAX_SIGNIFICANT_DIGITS} significant digits"
PLAIN_DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"  # for a JSON Schema
_PLAIN_DECIMAL = re.compile(PLAIN_DECIMAL)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its ISO 4217 *code*; one major unit is ``10 ** exponent`` minor ones."""

    code: str
    exponent: int

    @classmethod
    def of(cls, code: str) -> Currency:
        """The currency of this ISO 4217 code: ``Currency.of("KWD").exponent`` is 3.

        Raises:
            CurrencyError: *code* is none of ISO 4217's, or of something without minor units, as gold.
        """
        from iso4217 import Currency as Listed  # noqa: PLC0415 - it parses a table, for new ledgers only

        try:
            exponent = Listed(code).exponent
        except ValueError:
            raise CurrencyError(
                "The currency must be an ISO 4217 code in capitals, such as USD, JPY or KWD."
            ) from None
        if exponent is None:
            raise CurrencyError(f"{code} has no minor unit, so no ledger can be kept in it.")
        return cls(code, exponent)

    def to_minor(self, amount: Decimal, field: str = "amount") -> int:
        """Minor units of *amount*: -1230 for ``Decimal("-12.30")`` in USD.

        Raises:
            AmountError: *amount*, which came in *field*, is too large, or has more fraction digits than the
                currency, be they zeros.
        """
        power = amount.as_tuple().exponent
        if not isinstance(power, int) or -power > self.exponent:
            message = f"must have at most {self.exponent} fraction digits in {self.code}"
            raise AmountError([FieldError(field, message)])
        minor = int(_EXACT.scaleb(amount, self.exponent))
        if abs(minor) >= 10**MAX_MINOR_DIGITS:
            raise AmountError([FieldError(field, f"is too large for a ledger in {self.code}")])
        return minor

    def from_minor(self, minor: int) -> Decimal:
        """*minor* units as a decimal with all the currency's fraction digits, in any decimal context."""
        return _EXACT.scaleb(Decimal(minor), -self.exponent)


def read_amount(given: object) -> Decimal:
    """Read the amount of an expense: a plain decimal as ``read_decimal`` has it, but not zero.

    Raises:
        ValueError: *given* is no plain decimal, or zero.
    """
    amount = read_decimal(given)
    if not amount:
        raise ValueError("must not be zero")
    return amount


def read_decimal(given: object) -> Decimal:
    """Read a decimal in major units of no particular currency yet.

    Args:
        given: A text, int or Decimal: ``"12.50"``, ``"-3"``. A point separates the fraction; no exponent,
            plus sign, grouping, leading zeros or space. Fraction digits are kept as written.

    Raises:
        ValueError: *given* is of another type (a float, a bool), is no plain decimal, or has too many
            significant digits; zeros at the fraction's end don't count, so what a ledger gives out is read.
    """
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise ValueError(
            "must be a plain decimal such as 12.50, as a text or a number; binary floats are not exact"
        )
    if isinstance(given, int) and abs(given) >= 10**MAX_SIGNIFICANT_DIGITS:
        raise ValueError(_TOO_LONG)
    text = format(given, "f") if isinstance(given, Decimal) and _has_no_power(given) else str(given)
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise ValueError(
            "must be a plain decimal such as 12.50: digits and at most one point, "
            "without comma, exponent, plus sign, space or leading zeros"
        )
    units, _, fraction = text.lstrip("-").partition(".")
    if len((units + fraction.rstrip("0")).lstrip("0")) > MAX_SIGNIFICANT_DIGITS:
        raise ValueError(_TOO_LONG)
    return Decimal(text)


def _has_no_power(number: Decimal) -> bool:
    """It is no NaN and no infinity, and was written without a positive exponent."""
    power = number.as_tuple().exponent
    return isinstance(power, int) and power <= 0
