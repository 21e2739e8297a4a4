"""Every refusal, as a problem in JSON (RFC 9457). The one place that maps errors to HTTP."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from expense_lib import (
    CategoryNotFound,
    ChangedSince,
    ChangeNotFound,
    ExpenseDeleted,
    ExpenseError,
    ExpenseNotFound,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    InvalidInput,
    LedgerBusy,
    RecordedThenDeleted,
    StaleVersion,
)
from expense_lib.errors import PROBLEM_TYPE_PREFIX, UNKNOWN_NAME
from handlers.reading import MAX_BODY_BYTES

RETRY_AFTER_S = 1

_log = logging.getLogger(__name__)

_STATUS: dict[type[ExpenseError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyError: HTTPStatus.BAD_REQUEST,
    ExpenseNotFound: HTTPStatus.NOT_FOUND,
    CategoryNotFound: HTTPStatus.NOT_FOUND,
    ChangeNotFound: HTTPStatus.NOT_FOUND,
    RecordedThenDeleted: HTTPStatus.CONFLICT,
    ChangedSince: HTTPStatus.CONFLICT,
    ExpenseDeleted: HTTPStatus.GONE,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    ExpenseError: HTTPStatus.SERVICE_UNAVAILABLE,  # the ledger can't be used; why is for the log
}
_TITLES = {
    HTTPStatus.UNPROCESSABLE_ENTITY: "Not acceptable",
    HTTPStatus.SERVICE_UNAVAILABLE: "The ledger is not available",
}
_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not take this method; Allow names those it takes.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"A body may have at most {MAX_BODY_BYTES} bytes.",
}
_UNAVAILABLE = "The ledger can't be reached right now. Nothing was acknowledged; sending again is safe."
_BROKEN = "Something unexpected went wrong. Sending again is safe."


def problem_for(error: Exception) -> Response:
    """The response that tells *error*, with nothing of the input, no path and no SQL in it."""
    match error:
        case ValidationError():
            return problem_for(InvalidInput.from_pydantic(error))
        case ExpenseError():
            return _of_the_library(error)
        case HTTPException():
            status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
            detail = _DETAILS.get(status) or error.description or status.description
            response = _problem(status, detail)
            if isinstance(error, MethodNotAllowed):
                response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            return response
        case _:
            _log.error("a request failed", exc_info=error)
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, _BROKEN)


def _of_the_library(error: ExpenseError) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    detail = str(error) if not _has_unknown_names(error) else "Something sent has no known name."
    if status is HTTPStatus.SERVICE_UNAVAILABLE and not isinstance(error, LedgerBusy):
        _log.error("the ledger can't be used: %s", error)
        detail = _UNAVAILABLE
    members: dict[str, Any] = dict(vars(error))
    if isinstance(error, InvalidInput):
        members = {"errors": [{"detail": f.message, "pointer": _pointer(f.field)} for f in error.errors]}
    if isinstance(error, RecordedThenDeleted):
        members["restore"] = f"/expenses/{error.expense_id}/restore"
    response = _problem(status, detail, type=PROBLEM_TYPE_PREFIX + error.code, **members)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, StaleVersion):
        response.headers["ETag"] = f'"{error.version}"'
    return response


def _pointer(field: str) -> str:
    """A member of the body as a JSON pointer (RFC 6901) in a fragment."""
    return "#/" + field.replace("~", "~0").replace("/", "~1") if field else "#"


def _has_unknown_names(error: ExpenseError) -> bool:
    """Its sentence would repeat a name that was sent; the pointers have to."""
    return isinstance(error, InvalidInput) and any(f.message == UNKNOWN_NAME for f in error.errors)


def _problem(status: HTTPStatus, detail: str, **members: Any) -> Response:
    body = {"type": "about:blank", "title": _TITLES.get(status, status.phrase), "status": int(status)}
    return Response(
        json.dumps(body | {"detail": detail} | members),
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )
