"""Lines of JSON on standard error, one for each request. Never an amount, a description or a category.

They are written straight to the stream: a record of the logging package takes longer than most of an answer.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import traceback
from contextlib import suppress
from typing import Any

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
DEFAULT_LEVEL = "info"

_as_json = json.JSONEncoder(separators=(",", ":")).encode  # in ASCII, whatever is in a path


class Log:
    """A logger that drops events below *level*."""

    def __init__(self, level: str = DEFAULT_LEVEL) -> None:
        self._least = LEVELS.get(level, LEVELS[DEFAULT_LEVEL])

    def write(self, level: str, event: str, **fields: Any) -> None:
        """Write one event. A stream that can't be written to is ignored: no reason to refuse an expense."""
        if LEVELS[level] < self._least:
            return
        time = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        line = _as_json({"time": f"{time}Z", "level": level, "event": event, **fields})
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{line}\n")

    def failure(self, error: BaseException, request_id: str) -> None:
        """Log an unexpected exception by its class and stack, without its message, which may have input."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        self.write("error", "failure", request_id=request_id, error=type(error).__name__, where=where)
