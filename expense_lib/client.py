"""A ledger behind an HTTP handler, with the methods and the errors of a local one."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from expense_lib import errors
from expense_lib.answers import CategoryTotal, Expense, Page, Receipt, Version
from expense_lib.models import (
    EXPENSE_CHANGES,
    MAX_ID,
    ExpenseFilter,
    NewExpense,
    check_idempotency_key,
    read_category,
    read_changes,
)

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10  # a handler may wait for its ledger's lock for half of that
RETRIES = 3
MAX_RETRY_AFTER_S = 5


Shape = TypeVar("Shape", bound=BaseModel)


Item = TypeVar("Item", bound=BaseModel)


class _Items(BaseModel, Generic[Item]):
    items: tuple[Item, ...]


class _Nothing(BaseModel):
    """The body of an answer without one."""


class RemoteLedger:
    """The ledger of the handler at *url*. Nothing is asked of it before the first call.

    A request is sent again a few times when it gets no answer, or 502, 503 or 504. That is safe, since
    recording is: what was committed before its answer got lost is found again. Only renaming is sent once.

    Every method raises LedgerUnavailable while the handler can't be reached.

    Raises:
        LedgerUnavailable: *url* is not http or https.
    """

    def __init__(self, url: str) -> None:
        if not url.lower().startswith(("http://", "https://")):
            raise errors.LedgerUnavailable("A handler's address begins with http:// or https://.")
        self.url = url.rstrip("/")
        self._of_thread = threading.local()

    def __reduce__(self) -> tuple[type[RemoteLedger], tuple[str]]:
        return RemoteLedger, (self.url,)

    def __repr__(self) -> str:
        return f"RemoteLedger({self.url!r})"

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """As ``Ledger.record``."""
        check_idempotency_key(idempotency_key)
        status, expense = self._ask(
            Expense,
            "POST",
            "/expenses",
            json=new.model_dump(mode="json", exclude_none=True),
            headers={} if idempotency_key is None else {"Idempotency-Key": _quoted(idempotency_key)},
        )
        return Receipt(created=status == 201, expense=expense)

    def get(self, expense_id: int) -> Expense:
        """As ``Ledger.get``."""
        return self._ask(Expense, "GET", _where(expense_id))[1]

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """As ``Ledger.search``."""
        query = (wanted or ExpenseFilter()).model_dump(mode="json", exclude_none=True)
        return self._ask(Page, "GET", "/expenses", params=query)[1]

    def amend(self, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Expense:
        """As ``Ledger.amend``."""
        given = read_changes(changes)
        body = EXPENSE_CHANGES.dump_python(given, mode="json")
        headers = _if_match(version) or {"If-Match": "*"}
        return self._ask(Expense, "PATCH", _where(expense_id), json=body, headers=headers)[1]

    def delete(self, expense_id: int, version: int | None = None) -> None:
        """As ``Ledger.delete``."""
        self._ask(_Nothing, "DELETE", _where(expense_id), headers=_if_match(version))

    def restore(self, expense_id: int) -> Expense:
        """As ``Ledger.restore``."""
        return self._ask(Expense, "POST", _where(expense_id) + "/restore")[1]

    def history(self, expense_id: int) -> list[Version]:
        """As ``Ledger.history``."""
        return list(self._ask(_Items[Version], "GET", _where(expense_id) + "/history")[1].items)

    def categories(self) -> list[CategoryTotal]:
        """As ``Ledger.categories``."""
        return list(self._ask(_Items[CategoryTotal], "GET", "/categories")[1].items)

    def rename_category(self, old: str, new: str) -> CategoryTotal:
        """As ``Ledger.rename_category``, but sent once: sent again after it was done, it finds no old name.

        When it raises LedgerUnavailable it may have been done; ``categories`` shows it.
        """
        name = {"name": read_category(new)}
        return self._ask(CategoryTotal, "PATCH", f"/categories/{quote(old, safe='')}", json=name)[1]

    def _ask(self, shape: type[Shape], method: str, path: str, **parts: Any) -> tuple[int, Shape]:
        """Send one request. Returns the status of the answer and its body as *shape*."""
        try:
            answer = self._session().request(
                method,
                self.url + path,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                **parts,
            )
        except (requests.RequestException, HTTPError) as error:
            raise errors.LedgerUnavailable(f"The handler at {self.url} can't be reached.") from error
        try:
            if answer.headers.get("Content-Type") == "application/problem+json":
                refusal = _error_in(answer.json())
            elif answer.status_code in (200, 201, 204):
                return answer.status_code, shape.model_validate_json(answer.content or b"{}")
            else:
                refusal = None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            refusal = None
        raise refusal or errors.LedgerUnavailable(
            f"What answers at {self.url} is no expense handler: status {answer.status_code}."
        )

    def _session(self) -> requests.Session:
        """The session of this thread in this process; its connections stay open and can't be shared."""
        owner, session = getattr(self._of_thread, "session", (None, None))
        if session is None or owner != os.getpid():
            session = requests.Session()
            self._of_thread.session = os.getpid(), session
            retries = Retry(
                RETRIES,
                status=2,
                redirect=0,
                retry_after_max=MAX_RETRY_AFTER_S,
                allowed_methods=None,
                status_forcelist=(502, 503, 504),
                backoff_factor=0.2,
                backoff_jitter=0.1,
                raise_on_status=False,
            )
            session.mount(self.url, HTTPAdapter(max_retries=retries))
            session.mount(f"{self.url}/categories/", HTTPAdapter())
        return session


def _where(expense_id: int) -> str:
    if not 1 <= expense_id <= MAX_ID:
        raise errors.ExpenseNotFound(expense_id)
    return f"/expenses/{expense_id}"


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _quoted(idempotency_key: str) -> str:
    """A key as a header's quoted string (RFC 8941, section 3.3.3)."""
    escaped = idempotency_key.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


# The errors that a problem's type can name, and those of its members that make it again.
_ERRORS: dict[type[errors.ExpenseError], list[str]] = {
    errors.ExpenseNotFound: ["expense_id"],
    errors.ExpenseDeleted: ["expense_id"],
    errors.RecordedThenDeleted: ["expense_id"],
    errors.StaleVersion: ["expense_id", "version"],
    errors.CategoryNotFound: [],
    errors.IdempotencyKeyError: [],
    errors.IdempotencyKeyReused: ["fields"],
    errors.LedgerBusy: [],
}
_BY_CODE = {kind.code: kind for kind in _ERRORS}
_INVALID = {kind.code: kind for kind in (errors.InvalidInput, errors.AmountError, errors.CursorError)}


def _error_in(problem: dict[str, Any]) -> errors.ExpenseError:
    """The library's own error that a handler's problem (RFC 9457) stands for."""
    code = str(problem["type"]).removeprefix(errors.PROBLEM_TYPE_PREFIX)
    if code in _INVALID:
        named = ((error["pointer"].lstrip("#/"), error["detail"]) for error in problem["errors"])
        return _INVALID[code](errors.FieldError(*error) for error in named)
    if code in _BY_CODE:
        kind = _BY_CODE[code]
        return kind(*(problem[member] for member in _ERRORS[kind]))
    return errors.LedgerUnavailable(f"The handler answered {problem['status']}: {problem['detail']}")
