"""A ledger behind an HTTP handler, with the methods and the errors of a local one."""

from __future__ import annotations

import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from expense_lib import errors
from expense_lib.models import CategoryTotal, Expense, ExpenseFilter, NewExpense, Page, Receipt

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10  # a handler may wait for its ledger's lock for half of that
RETRIES = 3


class RemoteLedger:
    """The ledger of the handler at *url*. Nothing is asked of it before the first call.

    Every request is sent again a few times when it is lost or answered 502, 503 or 504. That is safe, since
    recording is: what was committed before its answer got lost is found again.

    Every method raises LedgerUnavailable while the handler can't be reached.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._of_thread = threading.local()

    def __repr__(self) -> str:
        return f"RemoteLedger({self.url!r})"

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """As ``Ledger.record``."""
        answer = self._ask(
            "POST",
            "/expenses",
            json=new.model_dump(mode="json", exclude_none=True),
            headers={} if idempotency_key is None else {"Idempotency-Key": f'"{idempotency_key}"'},
        )
        return Receipt(created=answer.status_code == 201, expense=Expense.model_validate(answer.json()))

    def get(self, expense_id: int) -> Expense:
        """As ``Ledger.get``."""
        return Expense.model_validate(self._ask("GET", f"/expenses/{expense_id}").json())

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """As ``Ledger.search``."""
        query = (wanted or ExpenseFilter()).model_dump(mode="json", exclude_none=True)
        return Page.model_validate(self._ask("GET", "/expenses", params=query).json())

    def categories(self) -> list[CategoryTotal]:
        """As ``Ledger.categories``."""
        return [
            CategoryTotal.model_validate(item) for item in self._ask("GET", "/categories").json()["items"]
        ]

    def _ask(self, method: str, path: str, **parts: Any) -> requests.Response:
        try:
            answer = self._session().request(
                method,
                self.url + path,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                **parts,
            )
        except requests.RequestException as error:
            raise errors.LedgerUnavailable(f"The handler at {self.url} can't be reached.") from error
        content_type = answer.headers.get("Content-Type", "")
        if content_type == "application/problem+json":
            raise _error_in(answer.json())
        if answer.status_code not in (200, 201) or content_type != "application/json":
            raise errors.LedgerUnavailable(
                f"What answers at {self.url} is no expense handler: status {answer.status_code}."
            )
        return answer

    def _session(self) -> requests.Session:
        """This thread's session, whose connections stay open. A session is not to be shared by threads."""
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            retries = Retry(
                RETRIES,
                redirect=0,
                allowed_methods=None,
                status_forcelist=(502, 503, 504),
                backoff_factor=0.2,
                backoff_jitter=0.1,
                raise_on_status=False,
            )
            session.mount(self.url, HTTPAdapter(max_retries=retries))
        return session


def _error_in(problem: dict[str, Any]) -> errors.ExpenseError:
    """The library's own error that a handler's problem (RFC 9457) stands for."""
    code = str(problem.get("type", "")).removeprefix(errors.PROBLEM_TYPE_PREFIX)
    detail = problem.get("detail") or problem.get("title") or "The handler refused without saying why."
    for kind in (errors.InvalidInput, errors.AmountError, errors.CursorError):
        if code == kind.code:
            return kind(
                errors.FieldError(
                    error.get("parameter") or error.get("pointer", "").removeprefix("#/"), error["detail"]
                )
                for error in problem["errors"]
            )
    match code:
        case errors.ExpenseNotFound.code:
            return errors.ExpenseNotFound(problem["expense_id"])
        case errors.IdempotencyKeyReused.code:
            return errors.IdempotencyKeyReused(problem["fields"])
        case errors.IdempotencyKeyError.code:
            return errors.IdempotencyKeyError()
        case errors.LedgerBusy.code:
            return errors.LedgerBusy()
        case _:
            return errors.LedgerUnavailable(f"The handler answered {problem.get('status')}: {detail}")
