"""The import of a statement, step by step: read, checked, corrected, written when a person says so."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from expense_lib import statements
from expense_lib.app import messages, tables
from expense_lib.app.edits import Done, Failed, undo_of_import
from expense_lib.domain.content import ANNOTATIONS
from expense_lib.domain.errors import ExpenseError, FieldError, InvalidInput, StatementUnclear
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported
from expense_lib.statements import Credits, Plan, Spending

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

FIELDS = ("date", "amount", "debit", "credit", "description", "category", "reference", *ANNOTATIONS)
MONEY_IN: dict[str, Credits] = {"left out": "skip", "as refunds": "refund"}
MONEY_OUT: dict[str, Spending | None] = {
    "as it was found": None,
    "with a minus": "negative",
    "without a sign": "positive",
}
MAX_FILE_BYTES = 100 * 1024 * 1024
TELL_EVERY_S = 0.2


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """The options of ``statements.read`` that a person set; those left out are detected."""

    account: str = ""
    mapping: Mapping[str, object] | None = None
    spending: Spending | None = None
    credits: Credits = "skip"
    default_category: str = "Uncategorised"
    date_format: str | None = None
    decimal: str | None = None
    encoding: str | None = None


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
    """The file was read. *dry* says what would become of each row; *rows* say it, one for each line."""

    plan: Plan
    dry: Imported
    rows: Sequence[tables.Table] = field(repr=False)

    @property
    def brings_something(self) -> bool:
        """Importing it would change the ledger, or what is known of its rows."""
        return bool(self.dry.created or self.dry.existing)


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


class ImportWizard:
    """One statement at a time, for one person.

    Args:
        ledger: Opens the ledger.
        start: Runs what takes its time, beside everything else.
        tell: Called with each phase, also from what *start* runs.
        landed: Called with what an import came to.
    """

    def __init__(
        self,
        ledger: Callable[[], AnyLedger],
        start: Callable[[Callable[[], None]], object],
        tell: Callable[[Phase], object],
        landed: Callable[[Done], object],
    ) -> None:
        self._ledger = ledger
        self._start = start
        self._tell = tell
        self._landed = landed
        self._content: bytes | None = None
        self._turn = 0
        self._changing = threading.Lock()
        self.name = ""
        self.options = Options()
        self.plan: Plan | None = None  # the file as it was read last, also where a correction can't be
        self.phase: Phase = Empty()
        self.is_landing = False
        self.only = ""  # the verdict that is shown
        self._first = 0  # the line that the page begins with

    def take(self, content: bytes, name: str) -> None:
        """A file was given: read it, with what was said about the account."""
        if self.is_landing:
            return
        self._content, self.name, self.plan = content, name, None
        self.options = Options(account=self.options.account, credits=self.options.credits)
        self._read()

    def drop(self) -> None:
        """Forget the file."""
        if self.is_landing:
            return
        self._content, self.name, self.options, self.plan = None, "", Options(), None
        self._turn += 1
        self._now(self._turn, Empty())

    def say(self, **options: Any) -> None:
        """Say something about the file, and read it again."""
        if self.is_landing:
            return
        self.options = replace(self.options, **options)
        if self._content is not None:
            self._read()

    def map(self, name: str, column: str | None) -> None:
        """Say which column a field is in; None: in none. All others stay as they were read.

        An amount is in one column, or in one for each direction, and no column is two fields.
        """
        others = {"amount": ("debit", "credit"), "debit": ("amount",), "credit": ("amount",)}.get(name, ())
        kept = {
            field: columns
            for field, columns in self.mapping().items()
            if not (column and (field in others or columns == column))
        }
        self.say(mapping={**kept, name: column or None})

    def mapping(self) -> dict[str, object]:
        """The columns by field, as they were set or detected."""
        if self.options.mapping is not None:
            return dict(self.options.mapping)
        if isinstance(self.phase, Asked):
            return dict(self.phase.mapping)
        return dict(self.plan.reading.mapping) if self.plan else {}

    def answer(self, choice: str) -> None:
        """Answer the first question with *choice*."""
        if isinstance(self.phase, Asked):
            option, _, name = self.phase.errors[0].field.partition(".")
            self.map(name, choice) if name else self.say(**{option: choice})

    @property
    def has_file(self) -> bool:
        """A file was given, and is not imported yet."""
        return self._content is not None

    def columns(self) -> tuple[str, ...]:
        """The columns of the file, as far as it has any and could be read."""
        return self.plan.reading.columns if self.plan else ()

    def column_of(self, name: str) -> str | None:
        """The column of a field, the first if it has several; None if it has none."""
        column = self.mapping().get(name)
        if isinstance(column, str):
            return column
        return str(column[0]) if isinstance(column, list | tuple) and column else None

    def count_in_words(self) -> str:
        """The number of expenses that the file would add."""
        return messages.number(self.phase.dry.created if isinstance(self.phase, Proposed) else 0, "expense")

    def again(self) -> None:
        """Read the file once more: what failed may be over."""
        self.say()

    def told(self) -> str:
        """The message about the file at this moment."""
        match self.phase:
            case Proposed(plan=plan, dry=dry):
                told = f"{counted(dry)}. Nothing is written yet. Read as {reading_of(plan)}."
                return " ".join((f"{self.name}: {told}", *plan.reading.remarks))
            case Asked(text=text) | Failed(text=text):
                return f"{self.name}: {text}"
        return ""

    def turn(self, to: str) -> None:
        """Turn to the *newer* or *older* page of the lines, which is to say the one before or after."""
        self._first = max(0, self._first + (tables.LINES if to == "older" else -tables.LINES))
        self._tell(self.phase)

    def show_only(self, what: str) -> None:
        """Show the lines with this verdict only; all of them, if it is empty."""
        self.only, self._first = what, 0
        self._tell(self.phase)

    def kinds(self) -> dict[str, str]:
        """The choices of which lines to show, by label."""
        rows = self.phase.rows if isinstance(self.phase, Proposed) else ()
        counted = Counter(row["what"] for row in rows)
        return {f"all {len(rows):,}": ""} | {f"{what} ({count:,})": what for what, count in counted.items()}

    def table(self) -> tables.Table:
        """A page of the lines, and what would become of each."""
        rows = self.phase.rows if isinstance(self.phase, Proposed) else ()
        shown = [row for row in rows if row["what"] == self.only] if self.only else rows
        return tables.verdicts(shown, self._first)

    def land(self) -> None:
        """Import what is proposed."""
        if not isinstance(self.phase, Proposed):
            return
        plan = self.phase.plan
        what = f"Importing {self.name}"
        self.is_landing = True

        def work(turn: int) -> None:
            try:
                done = self._ledger().import_statement(plan, progress=self._telling(turn, what))
                self._content, self.plan = None, None
            finally:
                self.is_landing = False
            text = f"Imported {self.name or 'the statement'}: {counted(done)}."
            landed = Done(text, undo_of_import(done.id) if done.id and done.created else None)
            self._now(turn, landed)
            self._landed(landed)

        try:
            self._run(what, work)
        except Exception:
            self.is_landing = False  # it did not even begin
            raise

    def _read(self) -> None:
        content, options, name = self._content or b"", self.options, self.name

        def work(turn: int) -> None:
            telling = self._telling(turn, f"Reading {name}")
            plan = statements.read(
                content, **vars(options), filename=name, progress=lambda rows: telling(rows, 0)
            )
            self._read_as(turn, plan)
            looking = self._telling(turn, "Looking for what is there already")
            dry = self._ledger().import_statement(plan, dry_run=True, progress=looking)
            self._now(turn, Proposed(plan, dry, tables.lines(plan, dry)))

        self._run(f"Reading {name}", work)

    def _run(self, what: str, work: Callable[[int], None]) -> None:
        """Start *work*. What goes wrong in it is the phase that follows."""
        self._turn += 1
        turn = self._turn

        def run() -> None:
            try:
                work(turn)
            except _Overtaken:
                pass
            except InvalidInput as refused:
                self._now(turn, Asked.of(refused))
            except ExpenseError as failed:
                self._now(turn, Failed(str(failed)))
            except Exception:  # noqa: BLE001 - what a thread raises would reach nobody but the log
                _log.exception("a statement failed")
                self._now(turn, Failed(messages.UNEXPECTED))

        self.only, self._first = "", 0
        self._now(turn, Working(what))
        self._start(run)

    def _telling(self, turn: int, what: str) -> Progress:
        """Progress that is told now and then, and ends work that was overtaken."""
        last = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal last
            if turn != self._turn:
                raise _Overtaken
            if time.monotonic() - last >= TELL_EVERY_S:
                last = time.monotonic()
                self._now(turn, Working(what, done, total))

        return tell

    def _now(self, turn: int, phase: Phase) -> None:
        with self._changing:
            if turn != self._turn:
                return
            self.phase = phase
        self._tell(phase)

    def _read_as(self, turn: int, plan: Plan) -> None:
        with self._changing:
            if turn == self._turn:
                self.plan = plan


class _Overtaken(Exception):
    """The file is read anew meanwhile, with other options."""


def _named(option: str) -> str:
    """An option by its name: The date, The date format."""
    return f"The {option.rpartition('.')[2].replace('_', ' ') or 'file'}"


def counted(done: Imported) -> str:
    """An import's numbers in words: 12 new, 3 there already."""
    counts = [(getattr(done, what), label) for what, label in tables.VERDICTS.items()]
    counts.append((done.bad, tables.NOT_READ))
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
        f"dates as {reading.date_format}" if reading.date_format else "",
        f"{'comma' if reading.decimal == ',' else 'point'} before the cents"
        if reading.format == "csv"
        else "",
        "money out has a minus" if reading.spending == "negative" else "money out has no sign",
        _accounts(plan),
        f"in {reading.encoding}",
    ]
    return ", ".join(part for part in parts if part)
