"""Queries: filters of expenses, and pages of the log and of the changes, validated with Pydantic."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from expense_lib.domain.errors import InvalidInput
from expense_lib.domain.expense import AMOUNT_SCHEMA, AccountName, CalendarDate, Category, Description, Tag
from expense_lib.domain.limits import MAX_ID, MAX_LOG_ENTRIES, MAX_PAGE
from expense_lib.domain.money import read_decimal
from expense_lib.domain.text import fold

PARTS = ("month", "category", "account", "tag")  # what a summary can total by
MAX_PARTS = 2
_PARTS_PATTERN = f"^({'|'.join(PARTS)})(,({'|'.join(PARTS)}))?$"
Sort = Literal["date_desc", "date_asc", "amount_desc", "amount_asc"]


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
    """Validate the parts to total by, given as a list or joined by a comma."""
    parts = given.split(",") if isinstance(given, str) else given
    if (
        isinstance(parts, list | tuple)
        and set(parts) <= set(PARTS)
        and 0 < len(set(parts)) == len(parts) <= MAX_PARTS
    ):
        return tuple(parts)
    raise ValueError(f"must be {', '.join(PARTS[:-1])} or {PARTS[-1]}, or two of them with a comma")


AmountBound = Annotated[
    Decimal,
    BeforeValidator(read_decimal),
    PlainSerializer(str, when_used="json"),
    AMOUNT_SCHEMA,
]
_ONE_OR_MANY = WithJsonSchema(
    {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "minLength": 1}},
            {"type": "string"},
            {"type": "null"},
        ]
    }
)


class LogQuery(BaseModel):
    """A page of the log: at most *limit* entries after entry number *since*, which is one of *generation*."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    since: Annotated[StrictInt, Field(ge=0, le=MAX_ID)] = 0
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_LOG_ENTRIES)] = 1000
    generation: StrictStr | None = None


class ChangesQuery(BaseModel):
    """A page of the changes: at most *limit* with a number below *before*, which is one of *generation*."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    before: Annotated[StrictInt, Field(ge=1, le=MAX_ID)] | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE)] = 50
    generation: StrictStr | None = None


class Filter(BaseModel):
    """A filter of expenses: all conditions given must hold; bounds are inclusive.

    *category*, *account* and *tag* are each a text or a list of them, of which an expense has any. *q* is
    looked for in description, category and note, whatever its case.

    Raises:
        pydantic.ValidationError: names each part that can't be accepted. It is a ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    category: Annotated[tuple[Category, ...], BeforeValidator(_many), _ONE_OR_MANY] = ()
    account: Annotated[tuple[AccountName, ...], BeforeValidator(_many), _ONE_OR_MANY] = ()
    tag: Annotated[tuple[Tag, ...], BeforeValidator(_many), _ONE_OR_MANY] = ()
    date_from: CalendarDate | None = None
    date_to: CalendarDate | None = None
    amount_min: AmountBound | None = None
    amount_max: AmountBound | None = None
    q: Description = ""

    def keys(self, field: Literal["category", "account", "tag"]) -> list[str]:
        """The values given for *field*, case-folded as they are compared."""
        return [fold(name) for name in getattr(self, field)]


class CategoryMove(BaseModel):
    """A bulk move to *category* of the expenses in *ids*, or of all that match *where*; one of both is given.

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
    where: Annotated[Filter | None, Field(validate_default=True)] = None

    @field_validator("where")
    @classmethod
    def _is_given_where_ids_is_not(cls, where: Filter | None, info: ValidationInfo) -> Filter | None:
        if "ids" in info.data and (where is None) == (info.data["ids"] is None):
            raise ValueError("must be given, or else ids, and not both")
        return where


def read_move(category: str, ids: Sequence[int] | None, where: Filter | None) -> CategoryMove:
    """Validate a bulk move.

    Raises:
        InvalidInput: a part of it can't be accepted.
    """
    try:
        return CategoryMove(category=category, ids=ids, where=where)
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None


class ExpenseFilter(Filter):
    """A filter with sort order and pagination."""

    sort: Sort = "date_desc"
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: StrictStr | None = None

    def after(self, cursor: str) -> Self:
        """The same filter, for the page that follows."""
        return self.model_copy(update={"cursor": cursor})


class SummaryQuery(Filter):
    """Of which expenses to have the totals, as Filter has it, and *by* what: month, category, or both."""

    by: Annotated[
        tuple[Literal["month", "category", "account", "tag"], ...],
        BeforeValidator(_parts_of_summary),
        WithJsonSchema({"type": "string", "pattern": _PARTS_PATTERN}),
    ] = ("month",)
