"""Which ledger the environment names: a file, or a handler elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from expense_lib.domain.errors import LedgerUnavailable
from expense_lib.ledger import Ledger

if TYPE_CHECKING:
    from expense_lib.api import LedgerAPI
    from expense_lib.client import RemoteLedger

    AnyLedger = LedgerAPI

DEFAULT_PATH = "expenses.db"


def open_ledger(target: str | Path | None = None, currency: str | None = None, *, by: str = "") -> LedgerAPI:
    """The ledger at *target*: a path or a ``postgresql://`` address, made on first use, or a handler's URL.

    Left out, it is the handler at ``EXPENSE_API_URL``, else the one at ``EXPENSE_LEDGER``, else the file at
    DEFAULT_PATH in the working directory. *currency* (ISO 4217) falls back to ``EXPENSE_CURRENCY``; a handler
    has its own, and gets the first of ``EXPENSE_API_TOKEN``. *by* is who acts, as the log keeps it.

    Raises:
        CurrencyError: the file is kept in another currency, or none can be made in this one.
        LedgerUnavailable: the file can't be opened or made, or is no ledger; or ``EXPENSE_API_URL`` is no
            URL. A handler is not asked yet.
    """
    url = os.environ.get("EXPENSE_API_URL", "").strip()
    if target is None and url:
        return _remote(url)
    if isinstance(target, str) and is_url(target):
        return _remote(target)
    return open_file(target, currency, by=by)


def is_url(target: str) -> bool:
    """Whether *target* is the address of a handler, and no file's name."""
    return target.lower().startswith(("http://", "https://"))


def use_ledger(target: str) -> None:
    """Have ``open_ledger()`` find *target* by itself, in this process and in those that it starts."""
    if is_url(target):
        os.environ["EXPENSE_API_URL"] = target
    else:
        os.environ.pop("EXPENSE_API_URL", None)
        os.environ["EXPENSE_LEDGER"] = target


def open_file(path: str | Path | None = None, currency: str | None = None, *, by: str = "") -> Ledger:
    """The ledger in a file, as ``open_ledger`` finds it where no handler is named."""
    return Ledger(
        path or default_target(),
        currency or os.environ.get("EXPENSE_CURRENCY") or None,
        by=by,
    )


def default_target() -> str:
    """The path or the address of the ledger, where neither it nor a handler is named."""
    return os.environ.get("EXPENSE_LEDGER") or DEFAULT_PATH


def _remote(url: str) -> RemoteLedger:
    try:
        from expense_lib.client import RemoteLedger  # noqa: PLC0415 - whoever uses a file needs no requests
    except ModuleNotFoundError:
        raise LedgerUnavailable("A ledger at a URL needs requests: install expense-ledger[remote].") from None
    tokens = filter(None, map(str.strip, os.environ.get("EXPENSE_API_TOKEN", "").split(",")))
    return RemoteLedger(url, next(tokens, None))
