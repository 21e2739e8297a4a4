"""The log that a killed process left beside a ledger: does it go with the file that is there now?"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

# One row: which ledger it is, and of which time.
_ID = "SELECT uid, generation FROM ledger"
_SOUND = "PRAGMA quick_check(1)"

# How the file is opened to be read: by itself, or with its log, which is left as it is.
_ALONE, _TOGETHER = "mode=ro&immutable=1", "mode=ro"


def is_foreign(path: Path) -> bool:
    """Whether the file is sound or another ledger without the log beside it. Both are left as they are.

    Nobody may have the file open, this process neither: it would lose its locks.
    """
    together, alone = _read(path, _TOGETHER, _ID), _read(path, _ALONE, _ID)
    if None not in (together, alone) and together != alone:
        return True
    return _read(path, _TOGETHER, _SOUND) != ("ok",) == _read(path, _ALONE, _SOUND)


def _read(path: Path, how: str, query: str) -> tuple[str, ...] | None:
    """A row of the file at *path*; None if it can't be read."""
    try:
        with closing(sqlite3.connect(f"file:{quote(os.fsencode(path))}?{how}", uri=True)) as con:
            row: tuple[str, ...] | None = con.execute(query).fetchone()
            return row
    except sqlite3.Error:
        return None
