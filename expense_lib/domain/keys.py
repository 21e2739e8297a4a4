"""The dedup key: what an expense *is*, as 64 hexadecimal digits.

The canonical form is a file format. Within version 1 it never changes meaning, so that a key computed
years ago, on a phone or in another language, still finds its expense:

    [1, amount_minor, category_key, description, "YYYY-MM-DD", occurrence]

as JSON in UTF-8, without spaces and without escapes for anything but what JSON must escape.

What is recorded without a category, which the ledger then decides, is found again by a second key: ``u1:``
and the digits of the same form with ``null`` for the category. The expense owns both.

Row identities: what a line of a statement *is*. An overlapping statement adds only what is missing.

Where the bank gives a reference, it is ``[account, reference]``; else it is what the line says, and which one
of its equals it is within the file, *n*, counted from 1. Never a category, which may come from a rule that
changes. Hashed as JSON in UTF-8, without spaces, with a version of its own in front, as the dedup key is:

    ["row1", account, reference]
    ["row1", account, amount_minor, description, "YYYY-MM-DD", n]
"""

from __future__ import annotations

import hashlib
import re
from json.encoder import encode_basestring as json_text
from typing import NamedTuple

from expense_lib.domain.errors import IdempotencyKeyError

KEY_VERSION = 1
KEY_PREFIX = f"v{KEY_VERSION}:"
UNCATEGORISED_PREFIX = f"u{KEY_VERSION}:"
MAX_OCCURRENCE = 1_000_000
ROW_VERSION = "row1"
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
_KEY = re.compile(f"{KEY_PREFIX}[0-9a-f]{{64}}")


def digest(amount_minor: int, category_key: str, description: str, date: str, occurrence: int) -> bytes:
    """The 32 bytes of the SHA-256 that a dedup key writes in hexadecimal; *date* is ISO."""
    canonical = (
        f"[{KEY_VERSION},{amount_minor},{json_text(category_key)},{json_text(description)},"
        f'"{date}",{occurrence}]'
    )
    return hashlib.sha256(canonical.encode()).digest()


def uncategorised(amount_minor: int, description: str, date: str, occurrence: int) -> str:
    """The key of what was recorded without a category; *date* is ISO."""
    canonical = f'[{KEY_VERSION},{amount_minor},null,{json_text(description)},"{date}",{occurrence}]'
    return UNCATEGORISED_PREFIX + _sha256(canonical).hex()


def is_key(text: str) -> bool:
    """*text* has the form of a dedup key of this version."""
    return _KEY.fullmatch(text) is not None


class Identity(NamedTuple):
    """The fields that equal payments share; occurrences tell them apart. Texts are canonical, *date* ISO."""

    amount_minor: int
    category_key: str
    description: str
    date: str

    def dedup_key(self, occurrence: int) -> str:
        """The key of the *occurrence*-th such payment of the day, counted from 1."""
        return KEY_PREFIX + digest(*self, occurrence).hex()


def of_reference(account: str, reference: str) -> bytes:
    """The 32 bytes that identify a row to which the bank gave a reference. Texts are canonical."""
    return _sha256(f'["{ROW_VERSION}",{json_text(account)},{json_text(reference)}]')


def of_content(account: str, amount_minor: int, description: str, date: str, n: int) -> bytes:
    """The 32 bytes that identify the *n*-th of an account's equal rows in one file. *date* is ISO."""
    return _sha256(
        f'["{ROW_VERSION}",{json_text(account)},{amount_minor},{json_text(description)},"{date}",{n}]'
    )


def _sha256(canonical: str) -> bytes:
    return hashlib.sha256(canonical.encode()).digest()


def check_idempotency_key(key: str | None) -> None:
    """Refuse a key that a header could not carry as it is; None is no key.

    Raises:
        IdempotencyKeyError: it is not 1 to 255 visible ASCII characters.
    """
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise IdempotencyKeyError
