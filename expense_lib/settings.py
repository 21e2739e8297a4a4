"""Which ledger the environment names: a file, or a handler elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from expense_lib import files
from expense_lib.domain.errors import LedgerUnavailable
from expense_lib.ledger import Ledger
from expense_lib.store.engine import is_address

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


def restore_backup(
    backup: str | Path, target: str | Path | None = None, currency: str | None = None
) -> Path | None:
    """Go back to *backup*: its content becomes that of the ledger at *target*, in one transaction.

    Others may have the ledger open, and go on with what is there then. What they hold of before, such as an
    ``ETag`` or a cursor, is refused. What was in the ledger is in a copy, to which one can go back in turn.

    Args:
        backup: A ledger, as ``Ledger.backup`` writes it, of this version or an earlier one. It is only read.
        target: The ledger's file, made if it is not there; left out, it is found as ``open_ledger`` does.
        currency: What both must be kept in; the default is that of ``EXPENSE_CURRENCY``, if it is set.

    Returns:
        Where the copy is, beside the ledger; None if nothing was there.

    Raises:
        NotALedger, LedgerTooNew: the backup is something else, or newer than this code.
        CurrencyError: the backup is kept in another currency than the ledger.
        LedgerUnavailable: the backup is damaged; or one of both can't be read or written, or not safely.
    """
    from expense_lib.store import restoration  # noqa: PLC0415 - recording needs none of it

    if (target is None and os.environ.get("EXPENSE_API_URL", "").strip()) or is_url(str(target)):
        raise LedgerUnavailable("A ledger goes back to a backup where its file is, not through its handler.")
    target = target or os.environ.get("EXPENSE_LEDGER") or DEFAULT_PATH
    if is_address(str(target)):
        raise LedgerUnavailable(
            "In PostgreSQL, no ledger goes back: copy the backup to a ledger of a new name."
        )
    return restoration.restore(
        files.absolute(target), files.absolute(backup), currency or os.environ.get("EXPENSE_CURRENCY") or None
    )


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
