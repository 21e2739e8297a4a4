"""An expense as it is sent, validated with Pydantic."""

from __future__ import annotations

import datetime as dt
import functools
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from typing_extensions import TypedDict

from expense_lib.domain.errors import InvalidInput
from expense_lib.domain.keys import MAX_OCCURRENCE, Content
from expense_lib.domain.limits import MAX_CATEGORY_LENGTH, MAX_DESCRIPTION_LENGTH
from expense_lib.domain.money import PLAIN_DECIMAL, Currency, read_amount
from expense_lib.domain.text import canonical_text, fold

ChangeKind = Literal["created", "amended", "deleted", "restored"]
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_date(given: object) -> dt.date:
    """A calendar date, from itself or from its ISO text only: no timestamp, no time of day."""
    if isinstance(given, dt.date) and not isinstance(given, dt.datetime):
        return given
    if isinstance(given, str) and _ISO_DATE.fullmatch(given):
        try:
            return dt.date.fromisoformat(given)
        except ValueError:
            raise ValueError("must be a day that exists in the calendar") from None
    raise ValueError("must be a date written as YYYY-MM-DD")


AMOUNT_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string", "pattern": PLAIN_DECIMAL}, {"type": "number"}]})
AmountIn = Annotated[
    Decimal,
    BeforeValidator(read_amount),
    PlainSerializer(lambda amount: f"{amount:f}", when_used="json"),
    AMOUNT_SCHEMA,
]
Category = Annotated[
    StrictStr,
    AfterValidator(canonical_text),
    Field(min_length=1, max_length=MAX_CATEGORY_LENGTH),
    WithJsonSchema({"type": "string", "minLength": 1}),  # as it is sent it may be longer: spaces don't count
]
Description = Annotated[
    StrictStr,
    AfterValidator(canonical_text),
    Field(max_length=MAX_DESCRIPTION_LENGTH),
    WithJsonSchema({"type": "string"}),
]
CalendarDate = Annotated[
    dt.date, BeforeValidator(_read_date), WithJsonSchema({"type": "string", "format": "date"})
]
Occurrence = Annotated[StrictInt, Field(ge=1, le=MAX_OCCURRENCE)]


class NewExpense(BaseModel):
    """One payment to be recorded, in canonical form but for the currency's fraction digits.

    A negative amount is a refund and needs ``refund=True``, so that a stray minus does not pass.

    Raises:
        pydantic.ValidationError: names each field that can't be accepted. It is a ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    amount: AmountIn
    category: Category
    description: Description = ""
    date: CalendarDate
    occurrence: Occurrence | None = None
    refund: Annotated[StrictBool, Field(validate_default=True)] = False

    @field_validator("refund")
    @classmethod
    def _has_the_sign_of_the_amount(cls, refund: bool, info: ValidationInfo) -> bool:
        amount = info.data.get("amount")
        if amount is not None and amount < 0 and not refund:
            raise ValueError("must be true for a negative amount, which says that money came back")
        if amount is not None and amount > 0 and refund:
            raise ValueError("needs a negative amount")
        return refund

    def content(self, currency: Currency) -> Content:
        """What the dedup key is made of.

        Raises:
            AmountError: the amount is finer or larger than *currency* allows.
        """
        return Content(currency.to_minor(self.amount), fold(self.category), self.description, self.date)


class ExpenseChanges(TypedDict, total=False):
    """Fields of an expense to be changed; what is left out stays as it is."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc] # so pydantic wants it

    amount: AmountIn
    category: Category
    description: Description
    date: CalendarDate
    occurrence: Occurrence
    refund: StrictBool


@functools.cache
def expense_changes() -> TypeAdapter[ExpenseChanges]:
    """What validates and serialises ExpenseChanges, built when it is first needed."""
    return TypeAdapter(ExpenseChanges)


def read_changes(given: object) -> ExpenseChanges:
    """The changes that are given, by name.

    Raises:
        InvalidInput: a name or a value can't be accepted.
    """
    try:
        return expense_changes().validate_python(given)
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None


class NewCategory(BaseModel):
    """The name to give to a category."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: Category


def read_category(given: object) -> str:
    """The canonical text of a category's name.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return NewCategory.model_validate({"name": given}).name
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None
