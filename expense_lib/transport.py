"""Requests to one handler: their sessions, time-outs and retries, and the errors that answers stand for."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ClosedPoolError, HTTPError, NewConnectionError
from urllib3.util import Retry

from expense_lib.domain import errors

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10  # a handler may wait for its ledger's lock for half of that
PATIENT_TIMEOUT_S = 300  # for what reads the whole ledger
CALL_TIMEOUT_S = 30  # for a call with its retries, where one request may not take longer
MAX_SENDS = 4
MAX_RETRY_AFTER_S = 5
BACKOFF_S = 0.2

GENERATION = "Ledger-Generation"

_NOT_IDEMPOTENT = (
    "PATCH /categories/",
    "PATCH /expenses ",
    "POST /statements ",
    "POST /imports/",
    "DELETE /rules/",
)  # Not idempotent, so never retried.

_RETRIED = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
_TRANSIENT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, HTTPError)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_LENGTHS = ("Content-Length", "Transfer-Encoding")


def _read_body(answer: requests.Response) -> None:
    _ = answer.content  # which keeps it


class Transport:
    """Sends requests to the handler at *url*, each with *token* if there is one.

    Raises:
        LedgerUnavailable: *url* is not http or https, or *token* can't be one.
    """

    def __init__(self, url: str, token: str | None) -> None:
        if not url.lower().startswith(("http://", "https://")):
            raise errors.LedgerUnavailable("A handler's address begins with http:// or https://.")
        if token is not None and not _TOKEN.fullmatch(token):
            raise errors.LedgerUnavailable("A token is letters, digits and ._~+/- with = at its end.")
        try:
            self.url = str(requests.Request("GET", url).prepare().url).rstrip("/")
        except requests.RequestException:
            raise errors.LedgerUnavailable("This is no address of a handler.") from None
        self.token = token
        self._seen_in: str | None = None  # the ledger's generation, of which this client has seen something
        self._of_thread = threading.local()
        self._pool_of = (0, HTTPAdapter())  # a process and its pool, made when it is needed

    def of(self, generation: str | None) -> Transport:
        """The same for whoever saw the ledger in *generation*; None: in that which is answered first."""
        other = copy(self)
        other._seen_in = generation
        return other

    def send(
        self,
        method: str,
        path: str,
        *,
        timeout_s: int = READ_TIMEOUT_S,
        read: Callable[[requests.Response], None] = _read_body,
        **parts: Any,
    ) -> requests.Response:
        """Send a request until it has a whole answer: MAX_SENDS times at most, all retries counted.

        Retried is what got no answer, or one whose head or body was cut off, or 502, 503 or 504. Before each
        retry it waits with exponential back-off and jitter, or for the answer's Retry-After if that is
        longer, up to MAX_RETRY_AFTER_S. Requests that are not idempotent are retried only if no connection
        was made, so that nothing of them was sent.

        Args:
            method: The HTTP method.
            path: Where to send it, below the handler's URL, with its query.
            timeout_s: How long to wait for each read. No retry begins later than that after the first send,
                or later than CALL_TIMEOUT_S if that is longer.
            read: Reads the body of the answer; called anew for each answer.
            **parts: As ``requests.request`` takes them.

        Returns:
            The answer that came last, of whatever status, with its body read.

        Raises:
            LedgerUnavailable: there was no whole answer.
        """
        idempotent = not f"{method} {path} ".startswith(_NOT_IDEMPOTENT)
        deadline = time.monotonic() + max(timeout_s, CALL_TIMEOUT_S)
        for sends in range(1, MAX_SENDS + 1):
            answer, lost = self._send_once(
                method, path, min(timeout_s, max(deadline - time.monotonic(), BACKOFF_S)), read, parts
            )
            if answer is not None and answer.status_code not in _RETRIED:
                return answer
            wait_s = max(_backoff_s(sends), _retry_after_s(answer))
            may_retry = idempotent or (lost is not None and _nothing_was_sent(lost))
            if sends == MAX_SENDS or not may_retry or time.monotonic() + wait_s >= deadline:
                break
            time.sleep(wait_s)
        if answer is None:
            raise errors.LedgerUnavailable(f"The handler at {self.url} can't be reached.") from lost
        return answer

    def _send_once(
        self,
        method: str,
        path: str,
        timeout_s: float,
        read: Callable[[requests.Response], None],
        parts: dict[str, Any],
    ) -> tuple[requests.Response | None, Exception | None]:
        """Send a request. Returns its whole answer, or else None and what became of it, if that is known."""
        if method != "GET" and self._seen_in is not None:
            parts = {**parts, "headers": {GENERATION: self._seen_in, **(parts.get("headers") or {})}}
        try:
            with self._session().request(
                method,
                self.url + path,
                timeout=(CONNECT_TIMEOUT_S, timeout_s),
                allow_redirects=False,
                stream=True,
                **parts,
            ) as answer:
                read(answer)
        except _TRANSIENT as lost:
            return None, lost
        except requests.RequestException as error:
            raise errors.LedgerUnavailable(f"The handler at {self.url} can't be reached.") from error
        if self._seen_in is None:
            self._seen_in = answer.headers.get(GENERATION)
        if answer.status_code == HTTPStatus.NO_CONTENT or any(name in answer.headers for name in _LENGTHS):
            return answer, None
        return None, None  # its head was cut off: http.client takes what there is of it for a whole one

    def refusal(self, answer: requests.Response) -> errors.ExpenseError:
        """The library's own error that *answer* stands for."""
        with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            if answer.headers.get("Content-Type") == "application/problem+json":
                error = _error_in(answer.json())
                if isinstance(error, errors.LedgerRestored):
                    self._seen_in = None
                return error
        return self.no_handler(f": status {answer.status_code}")

    def no_handler(self, why: str = "") -> errors.LedgerUnavailable:
        """The error that says that something else answers at this URL."""
        return errors.LedgerUnavailable(f"What answers at {self.url} is no expense handler{why}.")

    def close(self) -> None:
        """Close the connections that no thread is using; others are closed when their answers are read."""
        pool_of, self._pool_of = self._pool_of, (0, HTTPAdapter())
        if pool_of[0] == os.getpid():
            pool_of[1].close()

    def _session(self) -> requests.Session:
        """This thread's session. Its connections are in a pool that all threads of this process share."""
        owner, pool = self._pool_of
        if owner != os.getpid():  # a connection can't be shared with the process that forked this one
            pool = HTTPAdapter(max_retries=0)  # urllib3 retries nothing: ``send`` counts
            self._pool_of = os.getpid(), pool
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None or session.adapters.get(self.url) is not pool:
            session = self._of_thread.session = requests.Session()
            session.auth = self._authorise  # as a function: a header alone would give way to a .netrc
            session.mount(self.url, pool)
        return session

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _backoff_s(sends: int) -> float:
    return BACKOFF_S * 2.0 ** (sends - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def _retry_after_s(answer: requests.Response | None) -> float:
    """How long *answer* asks to wait (RFC 9110, section 10.2.3); 0 if it does not, or makes no sense."""
    given = "" if answer is None else answer.headers.get("Retry-After", "")
    try:
        return min(float(Retry().parse_retry_after(given)), MAX_RETRY_AFTER_S)
    except (HTTPError, ValueError, OverflowError):
        return 0


def _nothing_was_sent(lost: Exception) -> bool:
    """Whether there was no connection on which anything of the request could have been sent."""
    cause = lost.args[0] if lost.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(lost, requests.ConnectTimeout) or isinstance(
        reason, NewConnectionError | ClosedPoolError
    )


# The errors that a problem's type can name, and those of its members that make it again.
_ERRORS: dict[type[errors.ExpenseError], list[str]] = {
    errors.ExpenseNotFound: ["expense_id"],
    errors.ExpenseDeleted: ["expense_id"],
    errors.ExpenseMerged: ["expense_id", "into", "number"],
    errors.ExpenseHeld: ["expense_id"],
    errors.NotUndecided: ["expense_id"],
    errors.RecordedThenDeleted: ["expense_id"],
    errors.StaleVersion: ["expense_id", "version"],
    errors.CategoryNotFound: [],
    errors.ChangeNotFound: ["number"],
    errors.ImportNotFound: ["import_id"],
    errors.RuleNotFound: ["rule_id"],
    errors.ChangedSince: ["expense_ids"],
    errors.BuiltUpon: ["number", "later"],
    errors.IdempotencyKeyError: [],
    errors.IdempotencyKeyReused: ["fields"],
    errors.LedgerBusy: [],
    errors.LedgerUnsafe: ["why"],
    errors.LedgerDamaged: [],
    errors.LedgerRestored: [],
}
_BY_CODE = {kind.code: kind for kind in _ERRORS}
_INVALID = {kind.code: kind for kind in (errors.InvalidInput, errors.AmountError, errors.CursorError)}


def _field(pointer: str) -> str:
    """What a JSON pointer in a fragment names (RFC 6901, section 6), as FieldError names it."""
    path = unquote(pointer.removeprefix("#").removeprefix("/"))
    return path.replace("/", ".").replace("~1", "/").replace("~0", "~")


def _error_in(problem: dict[str, Any]) -> errors.ExpenseError:
    """The library's own error that a handler's problem (RFC 9457) stands for."""
    code = str(problem["type"]).removeprefix(errors.PROBLEM_TYPE_PREFIX)
    if code in _INVALID:
        named = [errors.FieldError(_field(error["pointer"]), error["detail"]) for error in problem["errors"]]
        return _INVALID[code](named)
    if code in _BY_CODE:
        kind = _BY_CODE[code]
        return kind(*(problem[member] for member in _ERRORS[kind]))
    return errors.LedgerUnavailable(f"The handler answered {problem['status']}: {problem['detail']}")
