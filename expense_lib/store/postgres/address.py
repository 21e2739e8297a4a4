"""The address of a ledger in PostgreSQL: ``postgresql://user@host/database?sslmode=…&ledger=NAME``."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from expense_lib.domain.errors import LedgerUnavailable

DEFAULT_NAME = "main"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Address(NamedTuple):
    """Where a ledger is: *dsn* is the database's, with what it needs to be let in; *shown* is without."""

    dsn: str
    name: str
    shown: str


def read(url: str) -> Address:
    """The parts of an address. ``ledger`` is ours, and libpq does not see it; left out, it is DEFAULT_NAME.

    Raises:
        LedgerUnavailable: it is no address, or no ledger can have this name. The address is not repeated.
    """
    try:
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        conninfo = parts._replace(
            query=urlencode([each for each in options if each[0] != "ledger"], quote_via=quote)
        )
        dsn = conninfo.geturl().replace(":?", "://?", 1) if not parts.netloc else conninfo.geturl()
        conninfo_to_dict(dsn)
    except (ProgrammingError, ValueError):
        raise LedgerUnavailable(
            "The ledger's address is none: write postgresql://user@host/database?ledger=name."
        ) from None
    names = [value for option, value in options if option == "ledger"] or [DEFAULT_NAME]
    if len(names) > 1 or not _NAME.fullmatch(names[0]):
        raise LedgerUnavailable("A ledger's name is one of letters, digits, dots, hyphens and underscores.")
    return Address(dsn, names[0], _shown(parts, names[0]))


def _shown(parts: SplitResult, name: str) -> str:
    """The address without password and options."""
    user, _, host = parts.netloc.rpartition("@")
    user = user.partition(":")[0]
    return f"{parts.scheme}://{user and f'{user}@'}{host}{parts.path}?ledger={name}"
