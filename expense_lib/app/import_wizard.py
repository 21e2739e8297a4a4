"""The import of a statement, step by step: read, checked, corrected, written when a person says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from expense_lib import statements
from expense_lib.app import messages, reading_options, statement_lines, tables
from expense_lib.app.edits import Done, Failed, undo_of_import
from expense_lib.app.import_alarm import Alarm, alarm
from expense_lib.app.import_phases import WAITING, Asked, Phase, Proposed, Working, counted
from expense_lib.app.import_work import Work
from expense_lib.app.reading_options import Choice, Options
from expense_lib.app.row_decisions import Saids
from expense_lib.app.statement_account import Accounts, is_missing
from expense_lib.app.statement_columns import StatementColumns
from expense_lib.app.statement_lines import Lines
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported
from expense_lib.statements import Plan

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

MAX_FILE_BYTES = 100 * 1024 * 1024


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
        self._work = Work(start, tell)
        self._landed = landed
        self._content: bytes | None = None
        self.name = ""
        self.options = Options()
        self.plan: Plan | None = None  # the file as it was read last, also where a correction can't be
        self.is_landing = False
        self.rows = Saids(ledger)
        self.accounts = Accounts()
        self._head: list[list[str]] = []  # the cells of the file's first lines
        self._lines = Lines()

    @property
    def phase(self) -> Phase:
        """What became of the file so far."""
        return self._work.phase

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
        self._work.end()

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
        """Say what an option is; that of a field's column is named ``mapping.date``, say.

        ``further.description`` is one more column of that field.
        """
        group, _, field = option.rpartition(".")
        match f"{group}.":
            case reading_options.MAPPING:
                self.map(field, value)
            case reading_options.FURTHER:
                self.map(field, self._columns.extended(field, value))
            case _:
                self.say(**{option: value})

    def choice(self, option: str) -> Choice:
        """What an option can be, and what it is."""
        group, _, field = option.rpartition(".")
        match f"{group}.":
            case reading_options.MAPPING:
                return self._columns.choice(field)
            case reading_options.FURTHER:
                return self._columns.further(field)
        return Choice.of(option, getattr(self.options, option))

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

    def alarms_about(self, option: str) -> bool:
        """Whether there is a warning, which has this option beside it."""
        return self.alarm is not None and self.alarm.option == option

    @property
    def needs_account(self) -> bool:
        """The file names no account for some of its rows, and nobody has said which it is."""
        return is_missing(self.plan, self.options.account)

    def map(self, field: str, column: object) -> None:
        """Say which column a field is in, or several together; None: in none."""
        self.say(mapping=self._columns.moved(field, column))

    @property
    def _columns(self) -> StatementColumns:
        return StatementColumns.of(self.options.mapping, self.plan, self.phase, self._head)

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
        return self._columns.names

    def column_options(self) -> list[str]:
        """The options that say which column is what."""
        return self._columns.options() if self.columns() else []

    def mapping(self) -> dict[str, object]:
        """The columns by field, as they were set or detected."""
        return dict(self._columns.mapping)

    def column_of(self, field: str) -> str | None:
        """The column of a field, the first if it has several; None if it has none."""
        return next(iter(self._columns.of_field(field)), None)

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
        self._lines = self._lines.turned(to)
        self._work.tell_again()

    def show_only(self, what: str) -> None:
        """Show the lines with this verdict only; all of them, if it is empty."""
        self._lines = Lines(what)
        self._work.tell_again()

    @property
    def only(self) -> str:
        """The verdict that is shown; empty if all are."""
        return self._lines.only

    def kinds(self) -> dict[str, str]:
        """The choices of which lines to show, by label."""
        return statement_lines.kinds(self.phase.rows if isinstance(self.phase, Proposed) else ())

    def table(self) -> tables.Table:
        """A page of the lines, and what would become of each, with what a person may say of it."""
        if not isinstance(self.phase, Proposed):
            return tables.EMPTY
        return self._lines.table(self.phase, None if self.needs_account else self.rows)

    def land(self) -> None:
        """Import what is proposed."""
        if not isinstance(self.phase, Proposed) or not self.can_land:
            return
        plan = self.phase.plan
        what = f"Importing {self.name}"
        self.is_landing = True

        def work(turn: int) -> None:
            try:
                done = self._import(plan, self._work.progress(turn, what))
                self._content, self.plan = None, None
                self.rows.forget()
            finally:
                self.is_landing = False
            text = f"Imported {self.name or 'the statement'}: {counted(done)}."
            if done.held or done.changed:
                text = f"{text} {WAITING}"
            brought = done.created or done.joined or done.held
            landed = Done(text, undo_of_import(done.id) if done.id and brought else None)
            self._work.now(turn, landed)
            self._landed(landed)

        try:
            self._work.run(work, what)
        except Exception:
            self.is_landing = False  # it did not even begin
            raise

    def _read(self) -> None:
        content, options, name = self._content or b"", self.options, self.name

        def work(turn: int) -> None:
            telling = self._work.progress(turn, f"Reading {name}")
            head = reading_options.head(content, options.encoding)
            with self._work.if_still(turn):
                self._head = head
            plan = statements.read(
                content, **options.arguments(), filename=name, progress=lambda rows: telling(rows, 0)
            )
            with self._work.if_still(turn):
                self.plan = plan
                self.rows.fit(plan.rows)
                self.accounts.remember(plan, options.account)
            self.accounts.look(self._ledger())
            self._propose(turn, plan, "Looking for what is there already")

        self._lines = Lines()
        self._work.run(work, f"Reading {name}")

    def _look(self, plan: Plan) -> None:
        """See what would become of the rows now. The page stays as it is meanwhile."""

        def work(turn: int) -> None:
            self._propose(turn, plan)

        self._work.run(work)

    def _propose(self, turn: int, plan: Plan, what: str = "") -> None:
        dry = self._import(plan, self._work.progress(turn, what), dry_run=True)
        rows = statement_lines.lines(plan, dry)
        warning = alarm(rows, self.rows.decisions)
        self._work.now(turn, Proposed(plan, dry, rows, warning, self.rows.dropped))

    def _import(self, plan: Plan, progress: Progress, *, dry_run: bool = False) -> Imported:
        """Import a file, with what was said of its rows, if anything was."""
        said = self.rows.decisions or None
        return self._ledger().import_statement(plan, dry_run=dry_run, decisions=said, progress=progress)
