"""The ledger: the rules of recording, over one SQLite file."""

from __future__ import annotations

import base64
import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

from expense_lib import store
from expense_lib.connections import connection, transaction
from expense_lib.dedup import MAX_OCCURRENCE, Content
from expense_lib.errors import (
    CurrencyError,
    CursorError,
    ExpenseNotFound,
    FieldError,
    IdempotencyKeyReused,
    InvalidInput,
)
from expense_lib.models import (
    CategoryTotal,
    Expense,
    ExpenseFilter,
    NewExpense,
    Page,
    Receipt,
    check_idempotency_key,
)

MAX_ID = 2**63 - 1


class Ledger:
    """An expense ledger in the SQLite file at *path*, made in *currency* (ISO 4217) if it is not there.

    Any number of processes and threads may use one file, and any number of threads one Ledger.

    Raises:
        CurrencyError: *currency* is given, and the file is kept in another one.
        LedgerUnavailable: the file can't be opened or made, or is no ledger.
    """

    def __init__(self, path: str | Path, currency: str | None = None) -> None:
        self.path = Path(path).expanduser().absolute()
        with connection(self.path, currency, make=True) as con:
            self.currency = store.currency(con)
        if currency not in (None, self.currency.code):
            raise CurrencyError(f"This ledger is kept in {self.currency.code}, not in {currency}.")

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r}, {self.currency.code!r})"

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """Have *new* in the ledger once. When this returns, the expense is on disk.

        Without a key, the same content is the same payment: sending it again finds it. With a key not seen
        before, it is another payment, which takes the next free occurrence unless *new* names one.

        Raises:
            AmountError: the amount is finer or larger than the ledger's currency allows.
            IdempotencyKeyError: the key is malformed.
            IdempotencyKeyReused: the key was first sent with another body.
            LedgerUnavailable: nothing was written, or its answer was lost; sending again is safe.
        """
        content = new.content(self.currency)
        check_idempotency_key(idempotency_key)
        with connection(self.path) as con:
            known = self._known(con, new, content, idempotency_key)
        if known is not None:
            return known
        with transaction(self.path, write=True) as con:
            return self._known(con, new, content, idempotency_key) or self._added(
                con, new, content, idempotency_key
            )

    def get(self, expense_id: int) -> Expense:
        """The expense of this id.

        Raises:
            ExpenseNotFound: there is none.
        """
        if not 1 <= expense_id <= MAX_ID:
            raise ExpenseNotFound(expense_id)
        with connection(self.path) as con:
            return self._expense(con, expense_id)

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """A page of the expenses that match, with count and total of all that do, from one snapshot.

        Raises:
            CursorError: the filter's cursor is none that a page gave.
        """
        wanted = wanted or ExpenseFilter()
        after = None if wanted.cursor is None else _read_cursor(wanted.cursor, wanted.sort)
        with transaction(self.path, write=False) as con:
            items = store.page(con, wanted, after, self.currency)
            matching = store.total(con, wanted)
        more, items = len(items) > wanted.limit, items[: wanted.limit]
        return Page(
            items=tuple(items),
            count=matching.count,
            total=self.currency.from_minor(matching.total_minor),
            currency=self.currency.code,
            next_cursor=_cursor(wanted.sort, items[-1]) if more else None,
        )

    def ping(self) -> None:
        """Read from the file, to see that it can be read.

        Raises:
            LedgerUnavailable: it can't.
        """
        with connection(self.path) as con:
            store.currency(con)

    def categories(self) -> list[CategoryTotal]:
        """Every category that has expenses, by name, with their count and exact total."""
        with connection(self.path) as con:
            found = store.categories(con)
        return [
            CategoryTotal(name=name, count=sum_.count, total=self.currency.from_minor(sum_.total_minor))
            for name, sum_ in found
        ]

    def _known(
        self, con: sqlite3.Connection, new: NewExpense, content: Content, idempotency_key: str | None
    ) -> Receipt | None:
        """The expense that this submission is a repeat of, if it is one."""
        if idempotency_key is None:
            claim = store.claim(con, content.dedup_key(new.occurrence or 1))
        else:
            claim = store.claim(con, _sent(idempotency_key))
            if claim is not None:
                _refuse_another_body(claim.request or {}, _request(new, content))
        if claim is None:
            return None
        return Receipt(created=False, expense=self._expense(con, claim.expense_id))

    def _added(
        self, con: sqlite3.Connection, new: NewExpense, content: Content, idempotency_key: str | None
    ) -> Receipt:
        """Add what is not known yet; a fresh idempotency key may still join an expense that is there."""
        occurrence = new.occurrence or (1 if idempotency_key is None else _next_free(con, content))
        dedup_key = content.dedup_key(occurrence)
        owner = store.claim(con, dedup_key)
        expense_id = (
            owner.expense_id
            if owner is not None
            else store.add_expense(con, content, new.category, occurrence, dedup_key, _now())
        )
        if idempotency_key is not None:
            store.add_claim(con, _sent(idempotency_key), expense_id, _request(new, content))
        return Receipt(created=owner is None, expense=self._expense(con, expense_id))

    def _expense(self, con: sqlite3.Connection, expense_id: int) -> Expense:
        found = store.expense(con, expense_id, self.currency)
        if found is None:
            raise ExpenseNotFound(expense_id)
        return found


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sent(idempotency_key: str) -> str:
    """An idempotency key's name among the claims, where it can't be taken for a dedup key."""
    return f"sent:{idempotency_key}"


def _request(new: NewExpense, content: Content) -> dict[str, Any]:
    """What was sent, by the sender's field names, in the form in which two bodies are compared."""
    return {
        "amount": content.amount_minor,
        "category": content.category_key,
        "description": content.description,
        "date": content.date.isoformat(),
        "occurrence": new.occurrence,
    }


def _refuse_another_body(first: dict[str, Any], now: dict[str, Any]) -> None:
    differing = [field for field in now if now[field] != first.get(field)]
    if differing:
        raise IdempotencyKeyReused(differing)


def _next_free(con: sqlite3.Connection, content: Content) -> int:
    for occurrence in range(1, MAX_OCCURRENCE + 1):
        if store.claim(con, content.dedup_key(occurrence)) is None:
            return occurrence
    raise InvalidInput([FieldError("occurrence", f"has none left: {MAX_OCCURRENCE} are taken")])


def _cursor(sort: str, last: Expense) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, last.date.isoformat(), last.id]).encode()).decode()


def _read_cursor(cursor: str, sort: str) -> tuple[str, int]:
    """The date and id after which the next page begins."""
    try:
        for_sort, date, expense_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        after = dt.date.fromisoformat(date).isoformat(), int(expense_id)
    except (ValueError, TypeError):
        raise _unknown_cursor() from None
    if for_sort != sort or not 0 < after[1] <= MAX_ID:
        raise _unknown_cursor()
    return after


def _unknown_cursor() -> CursorError:
    return CursorError([FieldError("cursor", "must be one that an earlier page gave, for the same sort")])
