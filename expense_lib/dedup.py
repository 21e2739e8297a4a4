"""The dedup key: what an expense *is*, as 64 hexadecimal digits.

The canonical form is a file format. Within version 1 it never changes meaning, so that a key computed
years ago, on a phone or in another language, still finds its expense:

    [1, amount_minor, category_key, description, "YYYY-MM-DD", occurrence]

as JSON in UTF-8, without spaces and without escapes for anything but what JSON must escape.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from json.encoder import encode_basestring as json_text

KEY_VERSION = 1
KEY_PREFIX = f"v{KEY_VERSION}:"
MAX_OCCURRENCE = 1_000_000
_KEY = re.compile(f"{KEY_PREFIX}[0-9a-f]{{64}}")


def digest(amount_minor: int, category_key: str, description: str, date: str, occurrence: int) -> bytes:
    """The 32 bytes of the SHA-256 that a dedup key writes in hexadecimal; *date* is ISO."""
    canonical = (
        f"[{KEY_VERSION},{amount_minor},{json_text(category_key)},{json_text(description)},"
        f'"{date}",{occurrence}]'
    )
    return hashlib.sha256(canonical.encode()).digest()


def is_key(text: str) -> bool:
    """*text* has the form of a dedup key of this version."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Content:
    """What two expenses must share to be equal, but for their occurrence. Texts are canonical."""

    amount_minor: int
    category_key: str
    description: str
    date: dt.date

    def dedup_key(self, occurrence: int) -> str:
        """The key of the *occurrence*-th such payment of the day, counted from 1."""
        found = digest(
            self.amount_minor, self.category_key, self.description, self.date.isoformat(), occurrence
        )
        return KEY_PREFIX + found.hex()
