"""Refusals as problem details in JSON (RFC 9457). The one place that maps errors to HTTP."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from expense_lib import (
    BuiltUpon,
    CategoryNotFound,
    ChangedSince,
    ChangeNotFound,
    ExpenseDeleted,
    ExpenseError,
    ExpenseHeld,
    ExpenseMerged,
    ExpenseNotFound,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    ImportNotFound,
    InvalidInput,
    LedgerBusy,
    LedgerDamaged,
    LedgerRestored,
    LedgerUnsafe,
    NotAStatement,
    NotUndecided,
    RecordedThenDeleted,
    RuleNotFound,
    StaleVersion,
    StatementUnclear,
)
from expense_lib.domain.errors import PROBLEM_TYPE_PREFIX, UNKNOWN_NAME
from handlers.log import Log
from handlers.responses import Answer
from handlers.settings import EphemeralLedger

RETRY_AFTER_S = 1

_OBJECTS = {"where": 1, "parts": 2, "decisions": 1}  # how many points there are in names of their fields
_IN_FRAGMENT = "~!$&'()*+,;=:@/?"  # beside letters, digits and _.- (RFC 3986, section 3.5)

_STATUS: dict[type[ExpenseError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyError: HTTPStatus.BAD_REQUEST,
    ExpenseNotFound: HTTPStatus.NOT_FOUND,
    CategoryNotFound: HTTPStatus.NOT_FOUND,
    ChangeNotFound: HTTPStatus.NOT_FOUND,
    ImportNotFound: HTTPStatus.NOT_FOUND,
    RuleNotFound: HTTPStatus.NOT_FOUND,
    NotAStatement: HTTPStatus.UNPROCESSABLE_ENTITY,
    RecordedThenDeleted: HTTPStatus.CONFLICT,
    ChangedSince: HTTPStatus.CONFLICT,
    BuiltUpon: HTTPStatus.CONFLICT,
    ExpenseMerged: HTTPStatus.CONFLICT,
    ExpenseHeld: HTTPStatus.CONFLICT,
    NotUndecided: HTTPStatus.CONFLICT,
    ExpenseDeleted: HTTPStatus.GONE,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    LedgerRestored: HTTPStatus.PRECONDITION_FAILED,
    ExpenseError: HTTPStatus.SERVICE_UNAVAILABLE,  # the ledger can't be used; why is for the log
}
_TITLES = {
    HTTPStatus.UNPROCESSABLE_ENTITY: "Not acceptable",
    HTTPStatus.SERVICE_UNAVAILABLE: "The ledger is not available",
}
_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not take this method; Allow names those it takes.",
}
_UNAVAILABLE = "The ledger can't be reached right now. Nothing was acknowledged; sending again is safe."
_BROKEN = "Something unexpected went wrong. Sending again is safe."


def problem_for(error: Exception, request_id: str, log: Log, root_path: str = "") -> Answer:
    """The response to a request that raised *error*. It holds nothing of the input, no path and no SQL.

    What is not told is logged under *request_id*: why the ledger is unavailable, where an unexpected error
    was raised. The paths in it begin with *root_path*, where the handler is mounted.
    """
    match error:
        case ValidationError():
            return _of_the_library(InvalidInput.from_pydantic(error), request_id, log, root_path)
        case ExpenseError():
            return _of_the_library(error, request_id, log, root_path)
        case HTTPException():
            status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
            detail = _DETAILS.get(status) or error.description or status.description
            headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
            if isinstance(error, MethodNotAllowed):
                headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            return _problem(status, detail, headers)
        case _:
            log.failure(error, request_id)
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, _BROKEN, request_id=request_id)


def _of_the_library(error: ExpenseError, request_id: str, log: Log, root_path: str) -> Answer:
    status = status_of(type(error))
    detail = str(error) if not _has_unknown_names(error) else "Something sent has no known name."
    headers = {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
        if not isinstance(error, LedgerBusy | EphemeralLedger):
            log.write("error", "ledger unavailable", request_id=request_id, reason=detail)
            detail = detail if isinstance(error, LedgerUnsafe | LedgerDamaged) else _UNAVAILABLE
    members: dict[str, Any] = dict(vars(error))
    if isinstance(error, InvalidInput):
        members = {"errors": [{"detail": f.message, "pointer": _pointer(f.field)} for f in error.errors]}
    if isinstance(error, StatementUnclear):
        members["choices"] = error.choices
    if isinstance(error, RecordedThenDeleted):
        members["restore"] = f"{quote(root_path)}/expenses/{error.expense_id}/restore"
    if isinstance(error, StaleVersion):
        headers["ETag"] = f'"{error.version}"'
    return _problem(status, detail, headers, type=PROBLEM_TYPE_PREFIX + error.code, **members)


def _pointer(field: str) -> str:
    """A member of the body as a JSON pointer in a URI's fragment (RFC 6901, section 6)."""
    path = field.replace("~", "~0").replace("/", "~1")
    path = path.replace(".", "/", _OBJECTS.get(path.partition(".")[0], 0))
    return "#/" + quote(path, safe=_IN_FRAGMENT) if field else "#"


def _has_unknown_names(error: ExpenseError) -> bool:
    """Whether the error's sentence repeats a name that was sent, as only pointers may."""
    return isinstance(error, InvalidInput) and any(f.message == UNKNOWN_NAME for f in error.errors)


def _problem(
    status: HTTPStatus, detail: str, headers: dict[str, str] | None = None, **members: Any
) -> Answer:
    body = {"type": "about:blank", "title": title(status), "status": int(status)}
    given = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return Answer(
        int(status),
        json.dumps(body | {"detail": detail} | members).encode(),
        given | (headers or {}),
        _outcome(status, body | members),
    )


def status_of(kind: type[ExpenseError | HTTPException]) -> HTTPStatus:
    """The status that answers an error of this class: its own, or that of its nearest base."""
    if issubclass(kind, HTTPException):
        return HTTPStatus(kind.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return next(_STATUS[base] for base in kind.__mro__ if base in _STATUS)


def title(status: HTTPStatus) -> str:
    """The title of a problem of this status."""
    return _TITLES.get(status, status.phrase)


def _outcome(status: HTTPStatus, members: dict[str, Any]) -> str:
    if members["type"] == PROBLEM_TYPE_PREFIX + LedgerBusy.code:
        return "busy"
    return "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"
