"""Dates as banks write them, and which way round they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection

from expense_lib.domain.errors import FieldError, InvalidInput, StatementUnclear

# As strptime has them.
_NAMED = ("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %b %y", "%d/%b/%Y", "%d/%b/%y", "%b %d, %Y", "%b %d %Y")
_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y"),
    *("%d %m %Y", "%m %d %Y", "%m/%d'%Y", "%d/%m'%Y", "%m/%d'%y", "%d/%m'%y", "%m-%d'%y", "%d-%m'%y"),
    *("%y-%m-%d", "%y/%m/%d", "%y.%m.%d", "%m.%d.%Y", "%m.%d.%y"),
    *_NAMED,
    *(named.replace("%b", "%B") for named in _NAMED),
)
# With points and the year last, every locale writes the day first; others are read where that can't be.
_SECOND_CHOICE = ("%m.%d.%Y", "%m.%d.%y")
_YEAR_FIRST = re.compile(r"([0-9]{2})[-/.][0-9]{2}[-/.]([0-9]{2})")
_WITHOUT_GAPS = re.compile("(?:%[a-zA-Z])+")
_MAX_LENGTH = 60
_TIME = re.compile(r"(?:T|,? +)[0-9]{1,2}[:.][0-9]{2}.*\Z", re.DOTALL)
_DATE = re.compile(r"[0-9]{1,4}[-/. ]|[0-9]{8}|[A-Za-z]{3,9}\.? [0-9]")


def read(text: str, date_format: str) -> int | None:
    """The day that *text* names, as ``date.toordinal`` has it, or None. A time after it is passed over.

    Args:
        text: A date.
        date_format: As ``strptime`` takes it.
    """
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        return None
    day = _day(text, date_format)
    if day is None:
        cut = _TIME.sub("", text)
        if cut != text:
            day = _day(cut, date_format)
    return day


def propose(texts: Collection[str]) -> str | None:
    """The format that most of these texts are dates in, or None if none are.

    Args:
        texts: Distinct ones, of which some may be no dates.

    Raises:
        StatementUnclear: as many are dates in another format, and not the same dates.
    """
    likely = [text for text in texts if _DATE.match(text.strip())]
    read_in = {
        date_format: {text: day for text in likely if (day := read(text, date_format)) is not None}
        for date_format in _FORMATS
    }
    most = max(map(len, read_in.values()))
    if not most:
        return None
    best = [date_format for date_format, days in read_in.items() if len(days) == most]
    best = [date_format for date_format in best if date_format not in _SECOND_CHOICE] or best
    if not _is_year_first(likely):
        best = [date_format for date_format in best if not date_format.startswith("%y")] or best
    differing = [date_format for date_format in best if read_in[date_format] != read_in[best[0]]]
    if differing:
        choices = (best[0], *differing)
        raise StatementUnclear(
            [FieldError("date_format", f"must be said: the days and months fit {' and '.join(choices)}")],
            choices,
        )
    return best[0]


def _is_year_first(texts: list[str]) -> bool:
    """Of three pairs of digits, it is the last that changes from date to date, as days do."""
    found = [pairs for text in texts if (pairs := _YEAR_FIRST.match(text.strip()))]
    return len({pairs[1] for pairs in found}) < len({pairs[2] for pairs in found})


def check_format(date_format: str) -> None:
    """Refuse what is no format of a date.

    Raises:
        InvalidInput: it does not name a day, a month and a year.
    """
    day, year_before = dt.date(2026, 11, 22), dt.date(2025, 11, 22)
    try:
        if day.strftime(date_format) == year_before.strftime(date_format):
            raise ValueError  # it names no year
        known = dt.datetime.strptime(day.strftime(date_format), date_format).date() == day  # noqa: DTZ007 - a day has no zone
    except (ValueError, re.error):
        known = False
    if not known:
        raise InvalidInput([FieldError("date_format", "must name day, month and year, as %d/%m/%Y does")])


def _day(text: str, date_format: str) -> int | None:
    if _WITHOUT_GAPS.fullmatch(date_format) and len(text) != len(dt.date.max.strftime(date_format)):
        return None  # strptime would take one digit for two
    try:
        return dt.datetime.strptime(text, date_format).toordinal()  # noqa: DTZ007 - as above
    except ValueError:
        return None
