"""The phases of an import, and how each is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from expense_lib.app import messages, reading_options, tables
from expense_lib.app.edits import Done, Failed
from expense_lib.app.import_alarm import Alarm
from expense_lib.domain.errors import FieldError, InvalidInput, StatementUnclear
from expense_lib.domain.statement import Imported
from expense_lib.statements import Plan

WAITING = "What is to decide later, or changed since, waits for you and counts in no total until you decide."


@dataclass(frozen=True)
class Empty:
    """No file was given yet."""


@dataclass(frozen=True)
class Working:
    """Something takes its time: *what*, and how many rows of how many are done; of 0 if that is not known."""

    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Proposed:
    """The file was read. *dry* says what would become of each row; *rows* say it, one for each line.

    *alarm* is there if much of it would be refused. *dropped* is how many decisions fit no more.
    """

    plan: Plan
    dry: Imported
    rows: Sequence[tables.Table] = field(repr=False)
    alarm: Alarm | None = None
    dropped: int = 0

    @property
    def brings_something(self) -> bool:
        """Importing it would change the ledger, or what is known of its rows."""
        dry = self.dry
        return bool(dry.created or dry.existing or dry.joined or dry.held or dry.changed)

    def text(self, *, needs_account: bool) -> str:
        """What would become of the file, and how it was read."""
        so_far = ", as far as can be told before its account is said" if needs_account else ""
        waiting = WAITING if self.dry.held or self.dry.changed else ""
        rows = messages.number(self.dropped, "row")
        dropped = f"What you said of {rows} was dropped: read so, they are others." if self.dropped else ""
        said = (f"{counted(self.dry)}{so_far}. Nothing is written yet.", waiting, dropped)
        read = f"Read as {reading_of(self.plan)}."
        return " ".join(filter(None, (*said, read, *self.plan.reading.remarks)))


@dataclass(frozen=True)
class Asked:
    """The file leaves something open: what is wrong with which option, and what the first of them can be.

    *mapping* is what was found for the other columns, where one is asked for.
    """

    errors: tuple[FieldError, ...]
    choices: tuple[str, ...] = ()
    mapping: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, refused: InvalidInput) -> Asked:
        """The questions in a refusal to read."""
        if not isinstance(refused, StatementUnclear):
            return cls(refused.errors)
        found = {
            name: columns if name == "description" else columns[0]
            for name, columns in refused.mapping.items()
        }
        return cls(refused.errors, refused.choices, found)

    @property
    def text(self) -> str:
        """The questions in words."""
        return " ".join(f"{_named(field)} {why}." for field, why in self.errors)


Phase = Empty | Working | Proposed | Asked | Failed | Done


def _named(option: str) -> str:
    """An option by its name: The date, The date format; Line 12 for what was said of that."""
    within, _, name = option.rpartition(".")
    return f"Line {name}" if within == "decisions" else f"The {name.replace('_', ' ') or 'file'}"


def counted(done: Imported) -> str:
    """An import's numbers in words: 12 new, 3 there already."""
    numbers = vars(done)
    counts = [(numbers[what], label) for what, label in tables.COUNTS.items()]
    return ", ".join(f"{count:,} {label}" for count, label in counts if count) or "no payments"


def _accounts(plan: Plan) -> str:
    """The account of the rows, or the number of accounts, in words."""
    names = set(plan.rows.accounts) - {""}
    if len(names) > 1:
        return f"{len(names):,} accounts"
    return f"account {names.pop()}" if names else "no account named"


def reading_of(plan: Plan) -> str:
    """The detected format of the file in words."""
    reading = plan.reading
    parts = [
        reading.format.upper(),
        f"dates as {reading_options.day(reading.date_format)}" if reading.date_format else "",
        f"{'comma' if reading.decimal == ',' else 'point'} before the cents"
        if reading.format == "csv"
        else "",
        "money out has a minus" if reading.spending == "negative" else "money out has no sign",
        _accounts(plan),
        f"in {reading.encoding}",
    ]
    return ", ".join(part for part in parts if part)
