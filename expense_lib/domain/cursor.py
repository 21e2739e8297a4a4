"""The place in a list where the next page begins, as an opaque text."""

from __future__ import annotations

import base64
import functools
import json
from typing import Annotated, Any

from pydantic import Field, StrictInt, StrictStr, TypeAdapter

from expense_lib.domain.errors import CursorError, FieldError
from expense_lib.domain.filters import Sort
from expense_lib.domain.limits import MAX_ID

_Id = Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
_Date = Annotated[StrictStr, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
_Minor = Annotated[StrictInt, Field(ge=-(10**18), le=10**18)]


@functools.cache
def _form(value: Any) -> TypeAdapter[Any]:
    """The validator of a cursor whose sort value has this type."""
    return TypeAdapter(tuple[Sort, value, _Id, str])


def write(sort: Sort, value: str | int, expense_id: int, generation: str) -> str:
    """The cursor after an expense of a *generation*, whose sorted value is *value*: a date or minor units."""
    return base64.urlsafe_b64encode(json.dumps([sort, value, expense_id, generation]).encode()).decode()


def read(cursor: str, sort: Sort, generation: str) -> tuple[str | int, int]:
    """The sorted value and the id after which the next page of *sort* begins.

    Raises:
        CursorError: it is none that was written for this sort, or in another *generation* of the ledger.
    """
    form = _form(_Date if sort.startswith("date") else _Minor)
    try:
        for_sort, value, expense_id, of = form.validate_json(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, RecursionError):
        for_sort = None
    if for_sort != sort:
        raise CursorError([FieldError("cursor", "must be one that an earlier page gave, for the same sort")])
    if of != generation:
        raise CursorError.of_before("cursor")
    return value, expense_id
