"""An expense as it is sent, validated with Pydantic."""

from __future__ import annotations

import datetime as dt
import functools
import re
import typing
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

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
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
)

from expense_lib.domain.content import Content, join_tags
from expense_lib.domain.errors import InvalidInput
from expense_lib.domain.keys import MAX_OCCURRENCE
from expense_lib.domain.limits import (
    MAX_ACCOUNT_LENGTH,
    MAX_CATEGORY_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NOTE_LENGTH,
    MAX_PARTS,
    MAX_TAG_LENGTH,
    MAX_TAGS,
)
from expense_lib.domain.money import PLAIN_DECIMAL, Currency, read_amount
from expense_lib.domain.text import canonical_text

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


def _read_tag(given: str) -> str:
    """A tag in canonical form."""
    tag = canonical_text(given)
    if not tag or len(tag) > MAX_TAG_LENGTH or any(character in tag for character in " ,#"):
        raise ValueError(f"must be tags of 1 to {MAX_TAG_LENGTH} characters without spaces, commas or #")
    return tag


def _read_tags(given: object) -> tuple[str, ...]:
    """Tags in canonical form, each once whatever its case; None is as good as none."""
    if given is None:
        return ()
    if not isinstance(given, list | tuple | set | frozenset) or not all(
        isinstance(tag, str) for tag in given
    ):
        raise ValueError("must be a list of texts")
    tags = join_tags(tuple(map(_read_tag, given)))
    if tags.count(" ") >= MAX_TAGS:
        raise ValueError(f"must be at most {MAX_TAGS} tags")
    return tuple(tags.split())


def _none_if_blank(given: object) -> object:
    """None for a blank text, which is what a form sends for an account that is not known."""
    return None if isinstance(given, str) and not given.strip() else given


def _blank_if_none(given: object) -> object:
    return "" if given is None else given


# As they are sent, texts may be longer than their limit: outer and doubled spaces don't count.
_TEXT = WithJsonSchema({"type": "string"})
_TEXT_OR_NULL = WithJsonSchema({"type": ["string", "null"]})
_FILLED_TEXT = WithJsonSchema({"type": "string", "minLength": 1})
_CANONICAL = AfterValidator(canonical_text)

AMOUNT_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string", "pattern": PLAIN_DECIMAL}, {"type": "number"}]})
AmountIn = Annotated[
    Decimal,
    BeforeValidator(read_amount),
    PlainSerializer(lambda amount: f"{amount:f}", when_used="json"),
    AMOUNT_SCHEMA,
]
Category = Annotated[StrictStr, _CANONICAL, Field(min_length=1, max_length=MAX_CATEGORY_LENGTH), _FILLED_TEXT]
Description = Annotated[StrictStr, _CANONICAL, Field(max_length=MAX_DESCRIPTION_LENGTH), _TEXT]
CalendarDate = Annotated[
    dt.date, BeforeValidator(_read_date), WithJsonSchema({"type": "string", "format": "date"})
]
Occurrence = Annotated[StrictInt, Field(ge=1, le=MAX_OCCURRENCE)]
AccountName = Annotated[
    StrictStr, _CANONICAL, Field(min_length=1, max_length=MAX_ACCOUNT_LENGTH), _FILLED_TEXT
]
Account = Annotated[AccountName | None, BeforeValidator(_none_if_blank), _TEXT_OR_NULL]
Note = Annotated[
    StrictStr, BeforeValidator(_blank_if_none), _CANONICAL, Field(max_length=MAX_NOTE_LENGTH), _TEXT_OR_NULL
]
Tag = Annotated[StrictStr, AfterValidator(_read_tag), _FILLED_TEXT]
Tags = Annotated[
    tuple[StrictStr, ...],
    BeforeValidator(_read_tags),
    WithJsonSchema({"type": ["array", "null"], "items": {"type": "string"}}),
]


class NewExpense(BaseModel):
    """One payment to be recorded, in canonical form but for the currency's fraction digits.

    A negative amount is a refund and needs ``refund=True``, so that a stray minus does not pass. *account*,
    *note* and *tags* are annotations: no part of what makes two payments equal. A *category* of None is not
    said: the ledger decides it.

    Raises:
        pydantic.ValidationError: names each field that can't be accepted. It is a ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    amount: AmountIn
    category: Category | None = None
    description: Description = ""
    date: CalendarDate
    occurrence: Occurrence | None = None
    refund: Annotated[StrictBool, Field(validate_default=True)] = False
    account: Account = None
    note: Note = ""
    tags: Tags = ()

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
        """The same as a ledger in *currency* keeps it; the first of its kind, unless it names an occurrence.

        A category that is not said is empty.

        Raises:
            AmountError: the amount is finer or larger than *currency* allows.
        """
        return Content(
            currency.to_minor(self.amount),
            self.category or "",
            self.description,
            self.date.isoformat(),
            self.occurrence or 1,
            self.account,
            self.note,
            join_tags(self.tags),
        )


def fields_of(content: Content, currency: Currency) -> dict[str, Any]:
    """The fields of an expense as a sender writes them, which NewExpense reads."""
    fields = content._asdict()
    minor = fields.pop("amount_minor")
    fields["amount"] = currency.from_minor(minor)
    fields["refund"] = minor < 0
    fields["tags"] = tuple(content.tags.split())
    return fields


def _left_out() -> None:
    """The value of a field that is not to be changed; nobody looks at it."""


@functools.cache
def expense_changes() -> type[BaseModel]:
    """The model ExpenseChanges: any of NewExpense's fields; one that is left out stays as it is.

    Made from NewExpense when it is first used; its values by name are what ``read_changes`` gives.
    """
    kinds = typing.get_type_hints(NewExpense, include_extras=True)
    # Not null; the sign is checked with the result.
    kinds |= {"category": Category, "occurrence": Occurrence, "refund": StrictBool}
    changes: dict[str, Any] = {
        name: (kinds[name], Field(default_factory=_left_out)) for name in NewExpense.model_fields
    }
    config = ConfigDict(extra="forbid", frozen=True)
    return create_model("ExpenseChanges", __config__=config, __doc__=_CHANGES, **changes)


_CHANGES = "Fields of an expense to be changed; what is left out stays as it is."


def read_changes(given: object) -> dict[str, Any]:
    """The changes that are given, by the names of NewExpense's fields.

    Raises:
        InvalidInput: a name or a value can't be accepted.
    """
    try:
        changes = expense_changes().model_validate(given)
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None
    return {name: getattr(changes, name) for name in changes.model_fields_set}


def changes_in_json(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that ``read_changes`` returned, as JSON values."""
    return (
        expense_changes().model_construct(set(changes), **changes).model_dump(mode="json", exclude_unset=True)
    )


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


class NewPart(BaseModel):
    """One part of a payment: what it comes to, negative for one of a refund, and its category."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    amount: AmountIn
    category: Category


class NewParts(BaseModel):
    """The parts of a payment, the first of which keeps its id."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    parts: Annotated[tuple[NewPart, ...], Field(min_length=1, max_length=MAX_PARTS)]


def read_parts(given: object) -> NewParts:
    """Parts of a payment, from pairs of an amount and a category.

    Raises:
        InvalidInput: one of them is none, or there is none or too many.
    """
    pairs = [
        dict(zip(("amount", "category"), each, strict=False)) if isinstance(each, tuple | list) else each
        for each in (given if isinstance(given, Sequence) and not isinstance(given, str) else ())
    ]
    try:
        return NewParts.model_validate({"parts": pairs})
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None
