"""The import of a statement, step by step: read, checked, corrected, written when a person says so."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from expense_lib import statements
from expense_lib.app import messages, reading_options, tables
from expense_lib.app.edits import Done, Failed, undo_of_import
from expense_lib.app.import_alarm import Alarm, alarm
from expense_lib.app.import_phases import WAITING, Asked, Empty, Phase, Proposed, Working, counted
from expense_lib.app.reading_options import MAPPING, Choice, Options
from expense_lib.app.row_decisions import Saids
from expense_lib.app.statement_account import Accounts, is_missing
from expense_lib.domain.errors import ExpenseError, InvalidInput
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported
from expense_lib.statements import Plan

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

MAX_FILE_BYTES = 100 * 1024 * 1024
TELL_EVERY_S = 0.2

_log = logging.getLogger(__name__)


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
        self.rows = Saids(ledger)
        self.accounts = Accounts()
        self._head: list[list[str]] = []  # the cells of the file's first lines
        self.only = ""  # the verdict that is shown
        self._first = 0  # the line that the page begins with

    def take(self, content: bytes, name: str) -> None:
        """A file was given: read it. What was said about the one before does not count for it."""
        if self.is_landing:
            return
        self._forget()
        self._content, self.name = content, name
        self._read()

    def drop(self) -> None:
        """Forget the file."""
        if self.is_landing:
            return
        self._forget()
        self._turn += 1
        self._now(self._turn, Empty())

    def _forget(self) -> None:
        self._content, self.name, self.options, self.plan = None, "", Options(), None
        self._head = []
        self.rows.forget()

    def say(self, **options: Any) -> None:
        """Say something about the file, and read it again."""
        if self.is_landing:
            return
        self.options = replace(self.options, **options)
        if self._content is not None:
            self._read()

    def set(self, option: str, value: Any) -> None:
        """Say what an option is; that of a field's column is named ``mapping.date``, say."""
        name = option.removeprefix(MAPPING)
        if name != option:
            self.map(name, value)
        else:
            self.say(**{option: value})

    def choice(self, option: str) -> Choice:
        """What an option can be, and what it is."""
        name = option.removeprefix(MAPPING)
        if name == option:
            return Choice.of(option, getattr(self.options, option))
        value = self.mapping().get(name)
        return Choice.of_column(
            name,
            reading_options.labelled(self.columns(), self._head),
            tuple(value) if isinstance(value, list) else value,
        )

    def say_account(self, name: str) -> None:
        """Say which account the file is of, as the ledger spells it; a blank name is no answer."""
        if account := self.accounts.spelled(name):
            self.say(account=account)

    def pick_account(self, name: str | None) -> None:
        """Say which account the file is of, as it was picked; empty is "not known", None is no answer."""
        if name is not None:
            self.say(account=name)

    def account_choices(self) -> dict[str, str]:
        """The accounts that may be picked, by what they are called."""
        return self.accounts.choices(self.plan, self.options.account)

    @property
    def proposed_account(self) -> str | None:
        """The account that was said of the last file of this layout."""
        return self.accounts.proposed(self.plan)

    @property
    def asks_account(self) -> bool:
        """The account is asked for, or was, and can be changed."""
        return self.is_at_rest and (self.needs_account or self.options.account is not None)

    @property
    def is_at_rest(self) -> bool:
        """There is a file, and nothing is being done with it that takes its time."""
        return self.has_file and not isinstance(self.phase, Working)

    @property
    def alarm(self) -> Alarm | None:
        """The warning about what is proposed, if there is need for one."""
        return self.phase.alarm if isinstance(self.phase, Proposed) else None

    @property
    def needs_account(self) -> bool:
        """The file names no account for some of its rows, and nobody has said which it is."""
        return is_missing(self.plan, self.options.account)

    def map(self, name: str, column: object) -> None:
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
            self.set(self.phase.errors[0].field, choice)

    def answers(self) -> dict[str, str]:
        """What the first question can be answered with, by what it is called."""
        if not isinstance(self.phase, Asked) or not self.phase.choices:
            return {}
        if self.phase.errors[0].field == "date_format":
            return {reading_options.day(each): each for each in self.phase.choices}
        return reading_options.labelled(self.phase.choices, self._head)

    @property
    def has_file(self) -> bool:
        """A file was given, and is not imported yet."""
        return self._content is not None

    def columns(self) -> tuple[str, ...]:
        """The columns of the file, as far as it has any: those of its first lines if it can't be read."""
        if self.plan:
            return self.plan.reading.columns
        if isinstance(self.phase, Asked) and self.phase.errors[0].field.startswith(MAPPING):
            return self.phase.choices
        return reading_options.names_of(self._head) if isinstance(self.phase, Failed) else ()

    def column_of(self, name: str) -> str | None:
        """The column of a field, the first if it has several; None if it has none."""
        column = self.mapping().get(name)
        if isinstance(column, str):
            return column
        return str(column[0]) if isinstance(column, list | tuple) and column else None

    def deed(self) -> str:
        """What importing would do, in words."""
        count = self.phase.dry.created if isinstance(self.phase, Proposed) else 0
        return f"Import {messages.number(count, 'expense')}" if count else "Import without a new expense"

    @property
    def can_land(self) -> bool:
        """The file can be imported as it is proposed."""
        return isinstance(self.phase, Proposed) and self.phase.brings_something and not self.needs_account

    def decide(self, position: int, said: str) -> None:
        """Say of a row what it is: an expense's id, "new", "skip", or "later"; and see what follows."""
        if self.is_landing or self.needs_account or not isinstance(self.phase, Proposed):
            return
        plan = self.phase.plan
        if self.rows.decide(plan.rows[position], self.phase.dry.verdicts[position], said):
            self._look(plan)

    def undecide(self) -> None:
        """Forget what was said of single rows."""
        if not self.is_landing:
            self.rows.forget()
            self.say()

    def again(self) -> None:
        """Read the file once more: what failed may be over."""
        self.say()

    def told(self) -> str:
        """The message about the file at this moment."""
        match self.phase:
            case Proposed():
                return f"{self.name}: {self.phase.text(needs_account=self.needs_account)}"
            case Failed(text=text) if self._head and self.plan is None:
                return f"{self.name}: {text} If it is one, say below how it is written."
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
        """A page of the lines, and what would become of each, with what a person may say of it."""
        if not isinstance(self.phase, Proposed):
            return tables.EMPTY
        phase = self.phase
        shown = [row for row in phase.rows if row["what"] == self.only] if self.only else phase.rows
        page = tables.verdicts(shown, self._first)
        if not self.needs_account:
            page["rows"] = [row | self._choosing(phase, row) for row in page["rows"]]
        return page

    def _choosing(self, phase: Proposed, row: tables.Table) -> tables.Table:
        """What may be said of a line, if anything may."""
        position = row["id"]
        if position < 0:
            return {}
        said, choices = self.rows.choices(phase.plan.rows[position], phase.dry.verdicts[position])
        return tables.choosing(row, said, choices) if choices else {}

    def land(self) -> None:
        """Import what is proposed."""
        if not isinstance(self.phase, Proposed) or not self.can_land:
            return
        plan = self.phase.plan
        what = f"Importing {self.name}"
        self.is_landing = True

        def work(turn: int) -> None:
            try:
                done = self._import(plan, self._telling(turn, what))
                self._content, self.plan = None, None
                self.rows.forget()
            finally:
                self.is_landing = False
            text = f"Imported {self.name or 'the statement'}: {counted(done)}."
            if done.held or done.changed:
                text = f"{text} {WAITING}"
            brought = done.created or done.joined or done.held
            landed = Done(text, undo_of_import(done.id) if done.id and brought else None)
            self._now(turn, landed)
            self._landed(landed)

        try:
            self._run(work, what)
        except Exception:
            self.is_landing = False  # it did not even begin
            raise

    def _read(self) -> None:
        content, options, name = self._content or b"", self.options, self.name

        def work(turn: int) -> None:
            telling = self._telling(turn, f"Reading {name}")
            head = reading_options.head(content, options.encoding)
            with self._if_still(turn):
                self._head = head
            plan = statements.read(
                content, **options.arguments(), filename=name, progress=lambda rows: telling(rows, 0)
            )
            with self._if_still(turn):
                self.plan = plan
                self.rows.fit(plan.rows)
                self.accounts.remember(plan, options.account)
            self.accounts.look(self._ledger())
            self._propose(turn, plan, "Looking for what is there already")

        self.only, self._first = "", 0
        self._run(work, f"Reading {name}")

    def _look(self, plan: Plan) -> None:
        """See what would become of the rows now. The page stays as it is meanwhile."""

        def work(turn: int) -> None:
            self._propose(turn, plan)

        self._run(work)

    def _propose(self, turn: int, plan: Plan, what: str = "") -> None:
        dry = self._import(plan, self._telling(turn, what), dry_run=True)
        rows = tables.lines(plan, dry)
        warning = alarm(rows, self.rows.decisions)
        self._now(turn, Proposed(plan, dry, rows, warning, self.rows.dropped))

    def _import(self, plan: Plan, progress: Progress, *, dry_run: bool = False) -> Imported:
        """Import a file, with what was said of its rows, if anything was."""
        said = self.rows.decisions or None
        return self._ledger().import_statement(plan, dry_run=dry_run, decisions=said, progress=progress)

    def _run(self, work: Callable[[int], None], what: str = "") -> None:
        """Start *work*, and say *what* it is. What goes wrong in it is the phase that follows."""
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

        if what:
            self._now(turn, Working(what))
        self._start(run)

    def _telling(self, turn: int, what: str = "") -> Progress:
        """Progress that is told now and then, if it has a name, and ends work that was overtaken."""
        last = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal last
            if turn != self._turn:
                raise _Overtaken
            if what and time.monotonic() - last >= TELL_EVERY_S:
                last = time.monotonic()
                self._now(turn, Working(what, done, total))

        return tell

    def _now(self, turn: int, phase: Phase) -> None:
        with self._changing:
            if turn != self._turn:
                return
            self.phase = phase
        self._tell(phase)

    @contextmanager
    def _if_still(self, turn: int) -> Iterator[None]:
        """What is put down of work that was not overtaken."""
        with self._changing:
            if turn != self._turn:
                raise _Overtaken
            yield


class _Overtaken(Exception):
    """The file is read anew meanwhile, with other options."""
