"""Strict parsers of the parts of a request: JSON bodies, forms, queries and headers."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
from collections.abc import Set
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import (
    BadRequest,
    LengthRequired,
    PreconditionRequired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.wrappers import Request

from expense_lib import FieldError, IdempotencyKeyError, InvalidInput

MAX_BODY_BYTES = 64 * 1024
MAX_STATEMENT_BYTES = 16 * 1024 * 1024
MAX_INT_DIGITS = 1000  # Python itself reads a few thousand

NO_VERSION = 0

Version = tuple[int, str | None]  # of an expense, and the generation of the ledger, if the ETag has it

_TAG = re.compile(r'(?:W/)?"[!\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"[ \t]*{_TAG.pattern}(?:[ \t]*,[ \t]*{_TAG.pattern})*[ \t]*")
_VERSION_TAG = re.compile(r'(?:W/)?"([1-9][0-9]{0,17})(?:-([0-9a-f]{16}))?"')
_GENERATION = re.compile(r"[0-9a-f]{16}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}")
_INTEGERS = {"before", "limit", "since"}
_STATEMENT_TYPES = {  # beside all of text/: what browsers, phones and curl call such files
    *("application/octet-stream", "application/csv", "application/vnd.ms-excel", "application/ofx"),
    *("application/x-ofx", "application/vnd.intu.qfx", "application/qif", "application/x-qif"),
    *("application/x-qw", "application/vnd.intu.qbo"),
}
_MAX_FORM_PARTS = 32
_DIGITS = re.compile(r"[0-9]{1,30}")
_QUOTED_KEY = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def json_body(request: Request) -> Any:
    """The JSON body, parsed. Numbers are exact: int, or Decimal.

    A number with an exponent becomes a NaN, which no field accepts: ``Decimal("1.0e1")`` would forget
    how it was written.

    Raises:
        werkzeug.exceptions.HTTPException: 400 (no JSON, no UTF-8, a name twice in one object), 411, 413
            or 415.
    """
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedMediaType("Send the body as application/json.")
    try:
        return _decode(_body(request).decode("utf-8"))
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON, or an object in it has the same name twice.") from None


def statement(request: Request) -> tuple[bytes, dict[str, Any]]:
    """A statement and its options by name: the raw body and the query, or a form's one file and its fields.

    Raises:
        werkzeug.exceptions.HTTPException: 400 (a form that is none, or without a file), 411, 413 or 415.
        InvalidInput: an option is repeated.
    """
    if request.mimetype != "multipart/form-data":
        if request.mimetype not in _STATEMENT_TYPES and not request.mimetype.startswith("text/"):
            raise UnsupportedMediaType(
                "Send the file as text/csv, application/x-ofx or in a form (multipart)."
            )
        return _whole(request), query(request)
    file, name, fields = _form(request)
    return file, {"filename": name} | query(request) | _once(fields)


def _form(request: Request) -> tuple[bytes, str, MultiDict[str, str]]:
    """The one file of a form with its name, and the other fields."""
    from werkzeug.formparser import FormDataParser  # noqa: PLC0415 - whoever records an expense sends no form

    body = _whole(request)
    parser = FormDataParser(max_form_parts=_MAX_FORM_PARTS, silent=False)
    try:
        _, fields, files = parser.parse(
            io.BytesIO(body), request.mimetype, len(body), dict(request.mimetype_params)
        )
    except (ValueError, RequestEntityTooLarge):
        raise BadRequest("The form is malformed, or has too many fields.") from None
    uploaded = list(itertools.chain.from_iterable(files.listvalues()))
    sent = [(file.read(), file.filename or "") for file in uploaded]
    for file in uploaded:
        file.close()
    if len(sent) != 1:
        raise BadRequest("The form must have one file.")
    return *sent[0], fields


def _whole(request: Request) -> bytes:
    """The body of a statement. It needs a Content-Length: without, a body that was cut off may seem whole."""
    if request.content_length is None:
        raise LengthRequired("Send the statement with its Content-Length.")
    return _body(request, MAX_STATEMENT_BYTES)


def _body(request: Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """The complete body: of its Content-Length, or up to its end where the server marks that (chunked)."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without a content encoding.")
    too_large = RequestEntityTooLarge(f"The body may have at most {limit} bytes.")
    length = request.content_length
    if length is None and not request.environ.get("wsgi.input_terminated"):
        raise LengthRequired("Send the body with its Content-Length.")
    if length is not None and length > limit:
        raise too_large
    stream = request.environ["wsgi.input"]
    wanted = limit + 1 if length is None else length
    body = bytearray()
    while len(body) < wanted and (part := stream.read(wanted - len(body))):
        body += part
    if len(body) > limit:
        raise too_large
    if length is not None and len(body) < length:
        raise BadRequest("The body is shorter than its Content-Length.")
    return bytes(body)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= MAX_INT_DIGITS else Decimal(text)


def _decimal(text: str) -> Decimal:
    return Decimal("NaN" if "e" in text.lower() else text)


def _refuse_constant(_: str) -> None:
    raise ValueError


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError
    return names


_decode = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_refuse_constant,
    object_pairs_hook=_without_repeats,
).decode


def refuse_foreign_encoding(request: Request) -> None:
    """Refuse a path or a query that is not UTF-8.

    Raises:
        werkzeug.exceptions.BadRequest: it is not.
    """
    path, query = request.environ.get("PATH_INFO", ""), request.environ.get("QUERY_STRING", "")
    try:
        if not path.isascii():
            path.encode("latin-1").decode("utf-8")
        if query:
            unquote_to_bytes(query.encode("latin-1")).decode("utf-8")
    except UnicodeError:
        raise BadRequest("The path and the query must be UTF-8.") from None


def request_id(request: Request) -> str:
    """The value of X-Request-Id, if it is fit for a header and a log; else a new random id."""
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def query(request: Request, repeatable: Set[str] = frozenset()) -> dict[str, Any]:
    """The query's values by name: lists for the *repeatable*, integers for those that can be nothing else.

    Raises:
        InvalidInput: another name is repeated.
    """
    return _once(request.args, repeatable)


def _once(values: MultiDict[str, str], repeatable: Set[str] = frozenset()) -> dict[str, Any]:
    given: dict[str, Any] = dict(values.lists())
    repeated = [name for name, values in given.items() if len(values) > 1 and name not in repeatable]
    if repeated:
        raise InvalidInput(FieldError(name, "must be given once") for name in repeated)
    given |= {name: values[0] for name, values in given.items() if name not in repeatable}
    for name in _INTEGERS & given.keys():
        if _DIGITS.fullmatch(given[name]):
            given[name] = int(given[name])
    return given


def idempotency_key(request: Request) -> str | None:
    """The value of Idempotency-Key, bare or a quoted string (RFC 8941, section 3.3.3).

    Raises:
        IdempotencyKeyError: it begins like a quoted string and is none, or came twice.
    """
    header = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if header is None or not header.startswith('"'):
        _refuse_doubled(header)
        return header
    quoted = _QUOTED_KEY.fullmatch(header)
    if quoted is None:
        raise IdempotencyKeyError
    return re.sub(r"\\(.)", r"\1", quoted[1])


def _refuse_doubled(header: str | None) -> None:
    """Refuse a bare key that came twice: servers join the two with a comma, which would be another key."""
    parts = [part.strip() for part in (header or "").split(",")]
    if len(parts) > 1 and len(set(parts)) == 1:
        raise IdempotencyKeyError


def if_match(request: Request) -> list[Version] | None:
    """The versions that If-Match names, None for ``*``. An ETag that is no version of ours is NO_VERSION.

    One may be weak, as a server between makes it that packs the answer, or a version alone.

    Raises:
        PreconditionRequired: there is no such header.
        werkzeug.exceptions.BadRequest: it is no list of entity tags (RFC 9110, section 13.1.1).
    """
    given = request.environ.get("HTTP_IF_MATCH")
    if given is None:
        raise PreconditionRequired("Send If-Match with the ETag of the expense as you saw it.")
    if given.strip() == "*":
        return None
    if not _TAGS.fullmatch(given):
        raise BadRequest("If-Match is * or a list of quoted ETags.")
    return [_version(tag) for tag in _TAG.findall(given)]


def _version(tag: str) -> Version:
    named = _VERSION_TAG.fullmatch(tag)
    return (int(named[1]), named[2]) if named else (NO_VERSION, None)


def generation(request: Request) -> str | None:
    """The generation of the ledger in which the ids of the request were seen, if it is said.

    Raises:
        werkzeug.exceptions.BadRequest: it can't be one.
    """
    given: str | None = request.environ.get("HTTP_LEDGER_GENERATION")
    if given is not None and not _GENERATION.fullmatch(given):
        raise BadRequest("Ledger-Generation is as an answer had it.")
    return given


def if_match_or_any(request: Request) -> list[Version] | None:
    """As ``if_match``, but None without the header."""
    return if_match(request) if "HTTP_IF_MATCH" in request.environ else None
