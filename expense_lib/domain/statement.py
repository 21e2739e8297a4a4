"""Input and result models of statement imports and category rules; Pydantic builds each on first use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import from_json

from expense_lib.domain.errors import FieldError, InvalidInput
from expense_lib.domain.expense import Category
from expense_lib.domain.limits import (
    DEFAULT_CATEGORY,
    MAX_ACCOUNT_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_LAYOUT_LENGTH,
)
from expense_lib.domain.results import Answer
from expense_lib.domain.text import canonical_text

Said = int | Literal["new", "skip"]  # what somebody says of a row: which expense it is, a new one, or none
CategoryFrom = Literal["statement", "rule", "before", "alike", "default"]  # what says a row's category
What = Literal["created", "existing", "joined", "held", "changed", "deleted", "skipped"]


def _from_json(given: object) -> object:
    """Parse a text as JSON; return anything else unchanged."""
    if not isinstance(given, str):
        return given
    try:
        return from_json(given)
    except ValueError:
        raise ValueError("must be an object in JSON, of fields and the columns they are in") from None


def _by_line(given: object) -> object:
    """Parse decisions as JSON, in which the numbers of lines are texts; return anything else unchanged."""
    if not isinstance(given, str):
        return given
    try:
        return {int(line): each for line, each in from_json(given).items()}
    except (ValueError, AttributeError):
        raise ValueError("must be an object in JSON, of the numbers of lines and what they are") from None


def _is_false(value: object) -> bool:
    return value is False


def _read_flag(given: object) -> bool:
    """Yes or no, as a query writes it, or itself."""
    flags = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given in flags:
        return flags[given]
    raise ValueError("must be true or false")


RuleText = Annotated[
    StrictStr,
    AfterValidator(canonical_text),
    Field(min_length=1, max_length=MAX_DESCRIPTION_LENGTH),
    WithJsonSchema({"type": "string", "minLength": 1}),
]


class NewRule(BaseModel):
    """Rows of a statement whose description has *text*, whatever its case, are of *category*, or left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    text: RuleText
    category: Category | None = None
    skip: StrictBool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.category is None) is not self.skip:
            raise ValueError("must have either a category or skip")
        return self


def read_rule(text: object, category: object, skip: object) -> NewRule:
    """A rule in canonical form.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return NewRule.model_validate({"text": text, "category": category, "skip": skip})
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None


class Decision(BaseModel):
    """What an undecided expense is: an expense of which it is the same payment, a new one, or to be left out.

    If it is the same, that takes the bank's amount, unless *keep_amount*.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    same_as: Annotated[StrictInt, Field(ge=1)] | Literal["new", "skip"]
    keep_amount: StrictBool = False


class Merging(BaseModel):
    """The expense that another one is to be merged *into*."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    into: Annotated[StrictInt, Field(ge=1)]


class Decided(Answer):
    """The *number* of the change by which something was decided; None if it was so before."""

    number: int | None


def not_a_row(line: int) -> FieldError:
    """What is wrong with a decision about a line that is no row."""
    return FieldError(f"decisions.{line}", "names no row of the statement")


def read_said(given: object, field: str) -> Said:
    """What somebody says of a payment.

    Raises:
        InvalidInput: it is none of an expense's id, ``"new"`` and ``"skip"``.
    """
    if given in ("new", "skip") or (isinstance(given, int) and not isinstance(given, bool) and given > 0):
        return given
    raise InvalidInput([FieldError(field, "must be the id of an expense, 'new' or 'skip'")])


def read_decisions(given: Mapping[Any, Any]) -> dict[int, Said]:
    """What somebody says of rows, by their lines.

    Raises:
        InvalidInput: a line is no number, or what is said of it is nothing that can be said.
    """
    found: dict[int, Said] = {}
    for line, each in given.items():
        if isinstance(line, bool) or not isinstance(line, int):
            raise InvalidInput([FieldError(f"decisions.{line}", "must be the number of a line")])
        found[line] = read_said(each, f"decisions.{line}")
    return found


class ImportOptions(BaseModel):
    """The options of an import over HTTP: those of ``statements.read``, and whether it is a dry run.

    *mapping* may be a text of JSON. *filename* is what the import is listed by; *layout* is that of the file
    which a client read itself and sends as another. An empty text is as good as nothing: a form sends that
    for what was not filled in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    account: Annotated[StrictStr, Field(max_length=MAX_ACCOUNT_LENGTH)] = ""
    mapping: Annotated[
        dict[str, Any] | None,
        BeforeValidator(_from_json),
        WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
    ] = None
    spending: Literal["positive", "negative"] | None = None
    credits: Literal["skip", "refund"] = "skip"
    default_category: Category = DEFAULT_CATEGORY
    date_format: StrictStr | None = None
    decimal: Literal[".", ","] | None = None
    encoding: StrictStr | None = None
    references: Annotated[bool | None, BeforeValidator(_read_flag), WithJsonSchema({"type": "boolean"})] = (
        None
    )
    decisions: Annotated[
        dict[StrictInt, Any] | None,  # what is said of a line is looked at where the lines are known
        BeforeValidator(_by_line),
        WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
    ] = None
    dry_run: Annotated[bool, BeforeValidator(_read_flag), WithJsonSchema({"type": "boolean"})] = True
    filename: StrictStr = ""
    layout: Annotated[StrictStr, Field(max_length=MAX_LAYOUT_LENGTH)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: Any) -> Any:
        return (
            {name: value for name, value in given.items() if value != ""}
            if isinstance(given, dict)
            else given
        )


class Rule(Answer):
    """Rows of a statement whose description has *text*, whatever its case, are of *category*, or left out."""

    id: int
    text: str
    category: str | None = None
    skip: Annotated[bool, Field(exclude_if=_is_false)] = False


class Verdict(Answer):
    """The verdict of an import on one row of a statement, the one on *line*.

    *what*: ``created`` as a new expense; ``existing`` in the ledger before; ``joined`` to an expense that
    somebody entered, or that the bank told of otherwise; ``held`` until somebody says what it is, counting
    nowhere; ``changed``, held too, since its reference is known with another amount; ``deleted`` once, and
    left so; ``skipped``. *why* says it in words. *expense_id* is None where there is no expense, or none yet.
    *category* is that of the row, and *category_from* what says so: the ``statement``, a ``rule``, what the
    last expenses of this description had ``before``, or those of descriptions ``alike``, or the ``default``.
    *candidates* are the expenses that a held one may be, the likeliest first.
    """

    line: int
    what: What
    why: str
    expense_id: int | None = None
    category: str | None = None
    category_from: CategoryFrom | None = None
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class Imported:
    """The result of an import. Nothing was written if it is a *dry_run*, which has no *id*.

    The numbers are those of the *verdicts*, one for each row in the order of the file. *bad* is how many
    lines were not understood.
    """

    id: int | None
    dry_run: bool
    created: int
    existing: int
    joined: int
    held: int
    changed: int
    deleted: int
    skipped: int
    bad: int
    verdicts: Sequence[Verdict]


class Import(Answer):
    """A statement that was imported at *at* (UTC), with its numbers as ``Imported`` has them.

    *source* is the file's name, if it had one; *undone_at* is None unless it was undone.
    """

    id: int
    at: dt.datetime
    source: str
    account: str
    created: int
    existing: int
    joined: int
    held: int
    changed: int
    deleted: int
    skipped: int
    bad: int
    undone_at: dt.datetime | None
