"""Input and result models of statement imports and category rules; Pydantic builds each on first use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import from_json

from expense_lib.domain.errors import InvalidInput
from expense_lib.domain.expense import Category
from expense_lib.domain.limits import MAX_ACCOUNT_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_LAYOUT_LENGTH
from expense_lib.domain.results import Answer
from expense_lib.domain.text import canonical_text

Similar = Literal["import", "skip"]  # what becomes of a statement's row that looks like an expense
What = Literal["created", "existing", "changed", "deleted", "skipped"]


def _from_json(given: object) -> object:
    """Parse a text as JSON; return anything else unchanged."""
    if not isinstance(given, str):
        return given
    try:
        return from_json(given)
    except ValueError:
        raise ValueError("must be an object in JSON, of fields and the columns they are in") from None


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
    """Payments of a statement whose description has *text*, whatever its case, are of *category*."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    text: RuleText
    category: Category


def read_rule(text: object, category: object) -> NewRule:
    """A rule in canonical form.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return NewRule.model_validate({"text": text, "category": category})
    except ValidationError as refused:
        raise InvalidInput.from_pydantic(refused) from None


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
    default_category: Category = "Uncategorised"
    date_format: StrictStr | None = None
    decimal: Literal[".", ","] | None = None
    encoding: StrictStr | None = None
    references: Annotated[bool | None, BeforeValidator(_read_flag), WithJsonSchema({"type": "boolean"})] = (
        None
    )
    similar: Similar = "import"
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
    """Payments of a statement whose description has *text*, whatever its case, are of *category*."""

    id: int
    text: str
    category: str


class Verdict(Answer):
    """The verdict of an import on one row of a statement, the one on *line*.

    *what*: ``created`` as a new expense; ``existing`` in the ledger before; ``changed``, which is known by
    its reference but not with this content, so that nothing is written; ``deleted`` once, and left so;
    ``skipped``. *why* says it in words. *expense_id* is None where there is no expense, or none yet.
    *category* is that of the row. *looks_like* is an expense of the same amount on the same day, or within a
    few days with another description; it may be the same payment.
    """

    line: int
    what: What
    why: str
    expense_id: int | None = None
    category: str | None = None
    looks_like: int | None = None


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
    changed: int
    deleted: int
    skipped: int
    bad: int
    undone_at: dt.datetime | None
