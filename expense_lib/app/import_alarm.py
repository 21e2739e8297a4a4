"""The warning before an import that would refuse much of its file: for what, and which option to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from expense_lib.app import tables
from expense_lib.app.reading_options import MAPPING

_OF = 5  # an alarm where more than one row in so many is refused

_REFUSED = (tables.VERDICTS["skipped"], tables.VERDICTS["changed"], tables.NOT_READ)


class Cause(NamedTuple):
    """Why rows are refused: what verdicts say, in words, what to ask, and the option that changes it."""

    says: str
    words: str
    question: str
    option: str


_CAUSES = (
    Cause("money came in", "money that came in", "Is the sign right?", "spending"),
    Cause("in another currency", "another currency", "Is that column the currency?", f"{MAPPING}currency"),
    Cause("fraction digits", "too many digits after the point", "Is the decimal mark right?", "decimal"),
    Cause("too large", "amounts that are too large", "Is the decimal mark right?", "decimal"),
    Cause("amount is zero", "amounts of zero", "Is that the column of amounts?", f"{MAPPING}amount"),
    Cause("reference", "references that are known", "Are the bank's numbers unique?", "references"),
    Cause("went out or came in", "no direction", "Is that the column of it?", f"{MAPPING}type"),
    Cause("no date", "no date", "Is that the column of dates?", f"{MAPPING}date"),
    Cause("date", "dates that are not understood", "Are they written so?", "date_format"),
    Cause("no amount", "no amount", "Is that the column of amounts?", f"{MAPPING}amount"),
    Cause("amount", "amounts that are not understood", "Is the decimal mark right?", "decimal"),
)


class Alarm(NamedTuple):
    """What is wrong, and the option that may change it; empty if none does."""

    text: str
    option: str


def alarm(rows: Sequence[tables.Table], decided: Collection[int] = ()) -> Alarm | None:
    """The alarm about a statement's lines, if there is need for one; what a person *decided* gives none."""
    refused = [row for row in rows if row["what"] in _REFUSED and int(row["line"]) not in decided]
    if len(refused) * _OF <= len(rows):
        return None
    ((cause, count),) = Counter(_cause(str(row["why"])) for row in refused).most_common(1)
    held = any(row["what"] == tables.VERDICTS["changed"] for row in refused)
    fate = "would be left out or wait for you" if held else "would be left out"
    share = "" if count == len(refused) else f" {count:,} of them for"
    question = f" {cause.question}" if cause.question else ""
    text = f"{len(refused):,} of {len(rows):,} rows {fate}:{share} {cause.words}.{question}"
    return Alarm(text, cause.option)


def _cause(why: str) -> Cause:
    folded = why.casefold()
    known = next((cause for cause in _CAUSES if cause.says in folded), None)
    return known or Cause(why, why.rstrip("."), "", "")
