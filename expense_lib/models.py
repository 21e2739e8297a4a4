"""What goes into a ledger, validated with Pydantic."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

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

from expense_lib.dedup import MAX_OCCURRENCE, Content
from expense_lib.errors import IdempotencyKeyError, InvalidInput
from expense_lib.money import PLAIN_DECIMAL, Currency, read_amount, read_decimal
from expense_lib.text import canonical_text, fold

MAX_CATEGORY_LENGTH = 100
MAX_DESCRIPTION_LENGTH = 500
MAX_ACCOUNT_LENGTH = 200
MAX_PAGE = 500
MAX_CHANGES = 10_000
MAX_ID = 2**63 - 1  # SQLite's largest integer

ChangeKind = Literal["created", "amended", "deleted", "restored"]
Similar = Literal["import", "skip"]  # what becomes of a statement's row that looks like an expense
Progress = Callable[[int, int], None]  # told how many rows are done, of how many
Sort = Literal["date_desc", "date_asc", "amount_desc", "amount_asc"]

_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def tell_nobody(done: int, total: int) -> None:
    """Tell nobody how many rows are done, of how many."""


def check_idempotency_key(key: str | None) -> None:
    """Refuse a key that a header could not carry as it is; None is no key.

    Raises:
        IdempotencyKeyError: it is not 1 to 255 visible ASCII characters.
    """
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise IdempotencyKeyError


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


def _many(given: object) -> object:
    """One text, or none, where a list of texts may stand."""
    if given is None or given == "":
        return ()
    return (given,) if isinstance(given, str) else given


def _read_ids(given: object) -> tuple[int, ...]:
    """A list of numbers, whether expenses have them as their ids or not."""
    if (
        isinstance(given, Sequence)
        and not isinstance(given, str | bytes)
        and len(given) <= MAX_PAGE
        and all(isinstance(each, int) and not isinstance(each, bool) for each in given)
    ):
        return tuple(given)
    raise ValueError(f"must be a list of at most {MAX_PAGE} ids")


def _parts_of_summary(given: object) -> object:
    """What to total by, from a text as the query has it, or a list: each once."""
    parts = given.split(",") if isinstance(given, str) else given
    if (
        isinstance(parts, list | tuple)
        and set(parts) <= {"month", "category"}
        and 0 < len(set(parts)) == len(parts)
    ):
        return tuple(parts)
    raise ValueError("must be month, category, or both with a comma")


_AMOUNT_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string", "pattern": PLAIN_DECIMAL}, {"type": "number"}]})
AmountIn = Annotated[
    Decimal,
    BeforeValidator(read_amount),
    PlainSerializer(lambda amount: f"{amount:f}", when_used="json"),
    _AMOUNT_SCHEMA,
]
AmountBound = Annotated[
    Decimal,
    BeforeValidator(read_decimal),
    PlainSerializer(str, when_used="json"),
    _AMOUNT_SCHEMA,
]
Category = Annotated[
    StrictStr,
    AfterValidator(canonical_text),
    Field(min_length=1, max_length=MAX_CATEGORY_LENGTH),
    WithJsonSchema({"type": "string", "minLength": 1}),  # as it is sent it may be longer: spaces don't count
]
_CATEGORIES_SCHEMA = {"type": "array", "items": {"type": "string", "minLength": 1}}
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


class ChangesWanted(BaseModel):
    """Which part of the log to read: at most *limit* lines after line *since*."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    since: Annotated[StrictInt, Field(ge=0, le=MAX_ID)] = 0
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_CHANGES)] = 1000


class DeedsWanted(BaseModel):
    """Which deeds to read: at most *limit* of those with a smaller number than *before*."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    before: Annotated[StrictInt, Field(ge=1, le=MAX_ID)] | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE)] = 50


class Wanted(BaseModel):
    """Which expenses. Everything that is given must hold; bounds are included.

    *category* is a text or a list of them; *q* is looked for in description and category, whatever its case.

    Raises:
        pydantic.ValidationError: names each part that can't be accepted. It is a ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    category: Annotated[
        tuple[Category, ...],
        BeforeValidator(_many),
        WithJsonSchema({"anyOf": [_CATEGORIES_SCHEMA, {"type": "string"}, {"type": "null"}]}),
    ] = ()
    date_from: CalendarDate | None = None
    date_to: CalendarDate | None = None
    amount_min: AmountBound | None = None
    amount_max: AmountBound | None = None
    q: Description = ""

    def category_keys(self) -> list[str]:
        """The keys of the categories asked for."""
        return [fold(name) for name in self.category]


class CategoryMove(BaseModel):
    """Which expenses to move to *category*: those of *ids*, or all that match *where*. One of both is given.

    Raises:
        pydantic.ValidationError: names each part that can't be accepted. It is a ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    category: Category
    ids: (
        Annotated[
            tuple[int, ...],
            BeforeValidator(_read_ids),
            WithJsonSchema({"type": "array", "items": {"type": "integer"}, "maxItems": MAX_PAGE}),
        ]
        | None
    ) = None
    where: Annotated[Wanted | None, Field(validate_default=True)] = None

    @field_validator("where")
    @classmethod
    def _is_given_where_ids_is_not(cls, where: Wanted | None, info: ValidationInfo) -> Wanted | None:
        if "ids" in info.data and (where is None) == (info.data["ids"] is None):
            raise ValueError("must be given, or else ids, and not both")
        return where


def read_move(category: str, ids: Sequence[int] | None, where: Wanted | None) -> CategoryMove:
    """Which expenses to move to which category.

    Raises:
        InvalidInput: a part of it can't be accepted.
    """
    try:
        return CategoryMove(category=category, ids=ids, where=where)
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None


class ExpenseFilter(Wanted):
    """Which expenses to list, as Wanted has it, in which order, and from where on."""

    sort: Sort = "date_desc"
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: StrictStr | None = None

    def after(self, cursor: str) -> Self:
        """The same filter, for the page that follows."""
        return self.model_copy(update={"cursor": cursor})


class SummaryWanted(Wanted):
    """Of which expenses to have the totals, as Wanted has it, and *by* what: month, category, or both."""

    by: Annotated[
        tuple[Literal["month", "category"], ...],
        BeforeValidator(_parts_of_summary),
        WithJsonSchema({"type": "string", "enum": ["month", "category", "month,category", "category,month"]}),
    ] = ("month",)
