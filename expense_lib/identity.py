"""Row identities: what a line of a statement *is*. An overlapping statement adds only what is missing.

Where the bank gives a reference, it is ``[account, reference]``; else it is what the line says, and which one
of its equals it is within the file, *n*, counted from 1. Never a category, which may come from a rule that
changes. Hashed as JSON in UTF-8, without spaces, with a version of its own in front, as the dedup key is:

    ["row1", account, reference]
    ["row1", account, amount_minor, description, "YYYY-MM-DD", n]
"""

from __future__ import annotations

import hashlib
from json.encoder import encode_basestring as json_text

VERSION = "row1"


def of_reference(account: str, reference: str) -> bytes:
    """The 32 bytes that identify a row to which the bank gave a reference. Texts are canonical."""
    return _sha256(f'["{VERSION}",{json_text(account)},{json_text(reference)}]')


def of_content(account: str, amount_minor: int, description: str, date: str, n: int) -> bytes:
    """The 32 bytes that identify the *n*-th of an account's equal rows in one file. *date* is ISO."""
    return _sha256(f'["{VERSION}",{json_text(account)},{amount_minor},{json_text(description)},"{date}",{n}]')


def _sha256(canonical: str) -> bytes:
    return hashlib.sha256(canonical.encode()).digest()
