"""The state of one browser tab: the filters, the page, what is picked, and the last outcome."""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expense_lib.app import answers, demo, figures, messages, tables, tray
from expense_lib.app.charts import Bar, category_bars, month_bars
from expense_lib.app.edit_dialog import Dialog
from expense_lib.app.edits import GONE, Done, Failed, undo_of, undo_of_import
from expense_lib.app.entry import Added, NotReached, NotTakenBack, Outcome
from expense_lib.app.entry_form import EntryForm
from expense_lib.app.figures import Comparison, compare
from expense_lib.app.filters import CUSTOM, View, last_day
from expense_lib.app.recurring import Recurring, copies
from expense_lib.app.remarks import remarks
from expense_lib.app.snapshot import READ_ONLY, Snapshot, load
from expense_lib.domain.errors import ExpenseError, LedgerMoved
from expense_lib.domain.filters import SummaryQuery
from expense_lib.domain.results import Expense, Part
from expense_lib.ledger import Ledger
from expense_lib.settings import open_ledger
from expense_lib.store.file import File

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

CHANGES = 50
TRAY = 30  # undecided payments shown at once

Reply = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Tell:
    """The callbacks of a session; each is called with what changed.

    Attributes:
        seen: The snapshot that the page shows.
        filters: The filters, when another part of the page set them, or when their choices changed.
        picked: Which expenses of the page are picked.
        notice: The outcome of the last change.
        address: The view as the page's address keeps it.
    """

    seen: Callable[[Snapshot], object]
    filters: Callable[[View], object]
    picked: Callable[[tuple[Expense, ...]], object]
    notice: Callable[[Done | Failed | None], object]
    address: Callable[[dict[str, str]], object]


class Session:
    """The state of one browser tab (the app's view model). Cells call it; it notifies them through *tell*.

    Args:
        query: The query of the page's address, as it was opened.
        tell: The callbacks.
    """

    def __init__(self, query: Mapping[str, str | list[str]], tell: Tell) -> None:
        self._tell = tell
        self._ledger: AnyLedger | None = None  # opened once
        self._file: tuple[Path, object] | None = None  # the ledger's file, and which one it is
        self._cursors: tuple[str | None, ...] = (None,)
        self.is_demo = "demo" in query
        self.view = View.of_address(query)
        self.picked: tuple[Expense, ...] = ()
        self.notice: Done | Failed | None = None
        self.entry = EntryForm(self.ledger, self.currency, answers.SHARED)
        self.dialog = Dialog(self.ledger, self.currency)
        self.notices = 0  # how many there were, so that a button of an earlier one does nothing
        self._changes: tuple[int | None, ...] = (None,)  # below which number each page so far begins
        self._earlier: int | None = None
        # An import calls from a thread of its own when it ends.
        self._looking = threading.Lock()
        self._changing = threading.Lock()
        self._day = dt.date.min  # of the last look
        self._undecided: list[dict[str, Any]] = []
        self._undecided_at = ""  # the position of the ledger at that time
        self.seen = self._load(None)

    def ledger(self) -> AnyLedger:
        """The ledger that the environment names, opened once, or the demo's.

        Raises:
            LedgerMoved: its file was replaced or removed: until ``retry`` none is made or used.
        """
        if self.is_demo:
            return demo.ledger()
        if self._file is not None and _identity(self._file[0]) != self._file[1]:
            raise LedgerMoved
        if self._ledger is None:
            self._ledger = open_ledger()
            if isinstance(self._ledger, Ledger) and isinstance(self._ledger.engine, File):
                self._file = (self._ledger.path, _identity(self._ledger.path))
        return self._ledger

    def currency(self) -> str:
        """The ledger's currency, as far as it is known."""
        return self.seen.currency

    # View

    def retry(self) -> None:
        """Open the ledger anew and look, since a person asks for it."""
        self._ledger = self._file = None
        with suppress(ExpenseError):  # which the connection to the old file answers with, once
            self.ledger().position()
        self.look(check=True)

    def poll(self) -> None:
        """Look if there may be anything new: one cheap question to the ledger where there is not.

        There may be after a failure, on another day (periods such as "this month" move), and when the
        ledger's position is another.
        """
        if not self._is_current():
            self.look()

    def look(self, *, check: bool = False) -> None:
        """Ask the ledger for what the view shows, and notify if it is another than before.

        Args:
            check: Ask again whether the ledger can be written.
        """
        with self._looking:
            before = self.seen
            self.seen = self._load(replace(before, writable=False) if check else before)
        if self.seen == before:
            return
        self._tell.seen(self.seen)
        self.pick([each.id for each in self.picked])
        if _choices(before) != _choices(self.seen):
            self._tell.filters(self.view)

    def show(self, **changes: Any) -> None:
        """Change the view, as the filters ask, from its first page on."""
        self.view = replace(self.view, **changes)
        self._cursors = (None,)
        self._tell.address(self.view.address())
        self.look()

    def choose(self, **changes: Any) -> None:
        """Change the view, as another part of the page asks, and have the filters show it."""
        self.show(**changes)
        self._tell.filters(self.view)

    def choose_period(self, period: str) -> None:
        """Change the period. A custom one has two more fields, so the filters are laid out anew."""
        say = self.choose if CUSTOM in (period, self.view.period) else self.show
        say(period=period)

    def clear(self) -> None:
        """Reset the filters, but for the order."""
        self.choose(**vars(View(sort=self.view.sort)))

    def turn(self, to: str) -> None:
        """Turn to the *newer* or *older* page."""
        before, following = self._cursors, self.seen.page.next_cursor if self.seen.page else None
        if to == "newer":
            self._cursors = before[:-1] or (None,)
        elif following:
            self._cursors = (*before, following)
        self.look()
        if self.seen.trouble:  # this is still the page before
            self._cursors = before

    def category_names(self) -> list[str]:
        """The categories to choose from: the ledger's, and those that are chosen already."""
        return list(dict.fromkeys([*(each.name for each in self.seen.categories), *self.view.categories]))

    def account_names(self) -> list[str]:
        """The accounts to choose from: the ledger's, and those that are chosen already."""
        return list(dict.fromkeys([*self.seen.accounts, *self.view.accounts]))

    def table(self) -> tables.Table:
        """The page as the table shows it."""
        return tables.expenses(self.seen, newer=len(self._cursors) > 1)

    # Charts and insights

    def month_bars(self) -> list[Bar]:
        """The totals by month under all filters but the period, whose month is marked."""
        return month_bars(self._parts("month", date_from=None, date_to=None), self._chosen_month())

    def category_bars(self) -> list[Bar]:
        """The totals by category under all filters but the categories, which are marked."""
        return category_bars(self._parts("category", category=()), self.seen.wanted.category)

    def choose_month(self, month: str | None) -> None:
        """Toggle the filter on a month, whose bar was clicked."""
        if month is None:
            return
        first = dt.date.fromisoformat(f"{month}-01")
        if month == self._chosen_month():
            self.choose(period="all", date_from="", date_to="")
        else:
            self.choose(period=CUSTOM, date_from=str(first), date_to=str(last_day(first)))

    def choose_category(self, name: str | None) -> None:
        """Toggle the filter on a category, whose bar was clicked."""
        if name in {each.name for each in self.seen.categories}:
            self.choose(categories=() if self.view.categories == (name,) else (name,))

    def _chosen_month(self) -> str:
        """The month that the view is limited to, as 2026-11; empty if it is limited to none."""
        first, last = self.seen.wanted.date_from, self.seen.wanted.date_to
        is_one = first is not None and first.day == 1 and last == last_day(first)
        return str(first)[:7] if is_one else ""

    def _parts(self, by: str, **changes: Any) -> tuple[Part, ...]:
        wanted = self.seen.wanted.model_dump() | changes | {"by": by}
        return self.ledger().summary(SummaryQuery.model_validate(wanted)).items

    def compare(self, *, whole: bool) -> Comparison:
        """Compare this month with the last and with the same a year ago, over all expenses."""
        return compare(self.ledger(), _today(), whole=whole)

    def recurring(self) -> list[Recurring]:
        """Payments that likely come again, from all expenses."""
        return copies.recurring(self.ledger(), _today())

    def changes(self) -> tables.Table:
        """A page of changes, the latest first."""
        found = self.ledger().changes(before=self._changes[-1], limit=CHANGES + 1)
        self._earlier = found[CHANGES - 1].number if len(found) > CHANGES else None
        newer, older = len(self._changes) > 1, self._earlier is not None
        return tables.changes(found[:CHANGES], self.currency(), newer=newer, older=older)

    def turn_changes(self, to: str) -> None:
        """Turn to the *newer* or *older* page of changes. A double click turns one page."""
        if to == "newer":
            self._changes = self._changes[:-1] or (None,)
        elif self._earlier is not None:
            self._changes, self._earlier = (*self._changes, self._earlier), None
        self._tell.notice(self.notice)

    # Dialogs

    def ask_to_edit(self, expense_id: int) -> dict[str, Any]:
        """The message that opens the dialog to edit an expense of the page."""
        items = self.seen.page.items if self.seen.page else ()
        found = next((each for each in items if each.id == expense_id), None)
        if found is None:  # the page changed just before the click
            self.did(Failed(GONE))
            return {"close": True}
        return self.dialog.edit(found)

    def ask_to_move_picked(self) -> dict[str, Any]:
        """The message that opens the dialog to move the picked expenses to a category."""
        return self.dialog.recategorise(len(self.picked), ids=[each.id for each in self.picked])

    def ask_to_move_all(self) -> dict[str, Any]:
        """The message that opens the dialog to move all matching expenses to a category."""
        count = self.seen.page.count if self.seen.page else 0
        return self.dialog.recategorise(count, where=self.seen.wanted)

    def ask_to_rename(self, category: str) -> dict[str, Any]:
        """The message that opens the dialog to rename a category."""
        return self.dialog.rename(category)

    def picked_in_words(self) -> str:
        """The number of picked expenses and their total."""
        total = figures.total(each.amount for each in self.picked)
        return f"{len(self.picked):,} selected: {messages.money(total, self.currency())}"

    # Writes

    def add(self, message: Mapping[str, Any], reply: Reply) -> None:
        """Record what the form sent and reply; only then look, so that the answer does not wait.

        What looks like a slip in it is asked about last.
        """
        answer, outcome = self.entry.send(message)
        self._entered(answer, outcome, reply)
        if isinstance(outcome, Added) and message.get("as") != "restore":
            with suppress(ExpenseError):
                found = remarks(
                    self.ledger(), outcome.expense, self.seen.categories, _today(), self.currency()
                )
                if found:
                    reply({"remarks": found})

    def act(self, message: Mapping[str, Any], reply: Reply) -> None:
        """Do what the clicked button beside the form's outcome says."""
        answer = self.entry.act(message)
        self._entered(answer, self.entry.outcome, reply)

    def undecided(self) -> list[dict[str, Any]]:
        """The payments of which the ledger asks what they are, as ``tray.items`` takes them."""
        at = self.seen.position
        if at and at != self._undecided_at:
            try:
                self._undecided = [each.model_dump() for each in self.ledger().undecided()]
                self._undecided_at = at
            except ExpenseError:  # what the page shows says so
                self._undecided_at = ""
        return self._undecided

    def tray(self) -> list[dict[str, Any]]:
        """What is undecided, as the tray shows it; the first of it, if it is much."""
        rows = self.undecided()[:TRAY]
        names: dict[int, str] = {}
        for each in {each for row in rows for each in row["candidates"]}:
            with suppress(ExpenseError):  # it was deleted meanwhile
                names[each] = messages.expense(self.ledger().get(each), self.currency())
        return tray.items(rows, names, self.currency())

    def decide(self, row: int, says: int | str) -> None:
        """Answer an undecided payment: it is the expense of this id, "new", or to be left out ("skip")."""
        try:
            number = self.ledger().decide(row, says)  # type: ignore[arg-type] # what the tray says is one of these
        except ExpenseError as failed:
            self.did(Failed(str(failed)))
            return
        said = {"new": "It is another payment.", "skip": "It is left out."}
        text = said.get(str(says), f"It is the same payment as #{says}.")
        self.did(Done(text, None if number is None else undo_of(number)))

    def complete(self, message: Mapping[str, Any], reply: Reply) -> None:
        """Reply with descriptions that complete the typed one."""
        reply({"offer": self.entry.complete(message["text"])})

    def answer(self, message: Mapping[str, Any], reply: Reply) -> None:
        """Do what the dialog sent, and reply."""
        self._asked(*self.dialog.send(message), reply)

    def delete(self, reply: Reply) -> None:
        """Delete the expense in the dialog, and reply."""
        self._asked(*self.dialog.delete(), reply)

    def pick(self, ids: Sequence[int]) -> None:
        """Set which expenses of the page are picked."""
        items = self.seen.page.items if self.seen.page else ()
        picked = tuple(each for each in items if each.id in set(ids))
        if picked != self.picked:
            self.picked = picked
            self._tell.picked(picked)

    def did(self, done: Done | Failed | None) -> None:
        """Notify of what was done, or failed, and look again."""
        with self._changing:
            self.notice = done
            self.notices += 1
        self._tell.notice(done)
        self.look(check=isinstance(done, Failed))

    def failed(self) -> None:
        """Notify of an unexpected exception, which is in the log."""
        self.did(Failed(messages.UNEXPECTED))

    def undo(self, of: int) -> None:
        """Undo, or try again, what notice number *of* says, unless another notice has replaced it."""
        with self._changing:
            before = self.notice if of == self.notices else None
            undo = before.undo if isinstance(before, Done) else before.again if before else None
            if undo is None:
                return
            self.notice, self.notices = None, self.notices + 1
        done = undo(self.ledger)
        self.did(replace(done, again=undo) if isinstance(done, Failed) else done)

    def told(self) -> dict[str, Any]:
        """The notice, as the page shows it."""
        match self.notice:
            case Done(text, undo):
                acts = [{"name": "undo", "label": "Undo"}] if undo else []
                return {"kind": "added", "text": text, "acts": acts, "of": self.notices}
            case Failed(text, again=again):
                acts = [{"name": "undo", "label": "Try again"}] if again else []
                return {"kind": "danger", "text": text, "acts": acts, "of": self.notices}
        return {}

    def undo_change(self, number: int) -> None:
        """Undo the change of this number, whoever made it."""
        self.did(undo_of(number)(self.ledger))

    def undo_import(self, import_id: int) -> None:
        """Undo a statement's import."""
        self.did(undo_of_import(import_id)(self.ledger))

    def export(self) -> bytes:
        """The matching expenses as a CSV file."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "expenses.csv"
                self.ledger().export_csv(path, self.seen.wanted)
                return path.read_bytes()
        except ExpenseError as failed:
            self.did(Failed(str(failed)))
            raise

    def _entered(self, answer: dict[str, Any], outcome: Outcome, reply: Reply) -> None:
        reply({"outcome": answer})
        if isinstance(outcome, Added):
            self._cursors = (None,)
        self.look(check=isinstance(outcome, NotReached | NotTakenBack))

    def _asked(self, answer: dict[str, Any], done: Done | None, reply: Reply) -> None:
        reply(answer)
        if done:
            self.did(done)
        elif (
            "outcome" in answer and not answer["outcome"]["errors"]
        ):  # the ledger refused, not what was typed
            self.look(check=True)

    def _is_current(self) -> bool:
        """Whether a look would show the same as the last one."""
        if self.seen.trouble not in ("", READ_ONLY) or self._day != _today():
            return False
        try:
            return self.ledger().position() == self.seen.position
        except ExpenseError:
            return False

    def _load(self, before: Snapshot | None) -> Snapshot:
        self._day = _today()
        return load(self.ledger, self.view, self._cursors[-1], self._day, before)


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at *path*; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _choices(seen: Snapshot) -> tuple[list[str], tuple[str, ...]]:
    """The categories and accounts that the filters offer."""
    return [each.name for each in seen.categories], seen.accounts


def _today() -> dt.date:
    return dt.date.today()  # noqa: DTZ011 - the day on the calendar of whoever runs the app
