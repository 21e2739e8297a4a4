"""One person at the app: what they look at, what they have in hand, and what becomes of what they do."""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expense_lib.answers import Expense, Part
from expense_lib.app import demo, figures, tables, words
from expense_lib.app.asking import Dialog
from expense_lib.app.changing import GONE, Done, Failed, undo_of, undo_of_import
from expense_lib.app.charts import Bar, category_bars, month_bars
from expense_lib.app.conversation import Conversation
from expense_lib.app.entry import Added
from expense_lib.app.figures import Comparison, compare
from expense_lib.app.looking import Seen, look
from expense_lib.app.recurring import Recurring, copies
from expense_lib.app.view import CUSTOM, View, last_day
from expense_lib.models import SummaryWanted
from expense_lib.settings import open_ledger

if TYPE_CHECKING:
    from expense_lib.client import RemoteLedger
    from expense_lib.ledger import Ledger

DEEDS = 50

Reply = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Tell:
    """Whom to tell of what is new; each is called with it.

    Attributes:
        seen: What there is to see.
        filters: What the filters are to say, when somebody else said so, or when their choices changed.
        picked: Which expenses of the page are picked.
        notice: What became of the last change.
        address: The view as the page's address keeps it.
    """

    seen: Callable[[Seen], object]
    filters: Callable[[View], object]
    picked: Callable[[tuple[Expense, ...]], object]
    notice: Callable[[Done | Failed | None], object]
    address: Callable[[dict[str, str]], object]


class Desk:
    """What one browser tab works with.

    The cells of the app lay it out and call it; it calls *tell* with what is new, and nothing else.

    Args:
        query: The page's address, as it was opened.
        tell: Whom to tell.
    """

    def __init__(self, query: Mapping[str, str | list[str]], tell: Tell) -> None:
        self._tell = tell
        self._cursors: tuple[str | None, ...] = (None,)
        self.is_demo = "demo" in query
        self.view = View.of_address(query)
        self.picked: tuple[Expense, ...] = ()
        self.notice: Done | Failed | None = None
        self.entry = Conversation(self.ledger, self.currency)
        self.dialog = Dialog(self.ledger, self.currency)
        self._following: int | None = None
        self._looking = threading.Lock()  # an import that ends looks from a thread of its own
        self.seen = self._look(None)

    def ledger(self) -> Ledger | RemoteLedger:
        """The ledger that the environment names, or the demo's."""
        return demo.ledger() if self.is_demo else open_ledger()

    def currency(self) -> str:
        """The ledger's currency, as far as it is known."""
        return self.seen.currency

    # What is looked at

    def look(self) -> None:
        """See whether there is anything new, and tell."""
        with self._looking:
            before, self.seen = self.seen, self._look(self.seen)
        if self.seen == before:
            return
        self._tell.seen(self.seen)
        self.pick([each.id for each in self.picked])
        if _names(before) != _names(self.seen):
            self._tell.filters(self.view)

    def show(self, **changes: Any) -> None:
        """Look at something else: the filters say so."""
        self.view = replace(self.view, **changes)
        self._cursors = (None,)
        self._tell.address(self._address())
        self.look()

    def choose(self, **changes: Any) -> None:
        """Look at something else: another part of the page says so, and the filters are to show it."""
        self.show(**changes)
        self._tell.filters(self.view)

    def choose_period(self, period: str) -> None:
        """Look at another period; a custom one has two fields more."""
        say = self.choose if CUSTOM in (period, self.view.period) else self.show
        say(period=period)

    def clear(self) -> None:
        """Look at everything again, in the same order."""
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

    def table(self) -> tables.Table:
        """The page as the table shows it."""
        return tables.expenses(self.seen, self.view.sort, newer=len(self._cursors) > 1)

    # What the charts say

    def month_bars(self) -> list[Bar]:
        """The months of what is looked at, whatever period the filters say: that one is marked."""
        return month_bars(self._parts("month", date_from=None, date_to=None), self._chosen_month())

    def category_bars(self) -> list[Bar]:
        """The categories of what is looked at, whichever of them the filters say: those are marked."""
        return category_bars(self._parts("category", category=()), self.seen.wanted.category)

    def choose_month(self, month: str | None) -> None:
        """A month's bar was clicked: look at it only, or at all time again if it was so already."""
        if month is None:
            return
        first = dt.date.fromisoformat(f"{month}-01")
        if month == self._chosen_month():
            self.choose(period="all", date_from="", date_to="")
        else:
            self.choose(period=CUSTOM, date_from=str(first), date_to=str(last_day(first)))

    def choose_category(self, name: str | None) -> None:
        """A category's bar was clicked: look at it only, or at all of them if it was so already."""
        if name in {each.name for each in self.seen.categories}:
            self.choose(categories=() if self.view.categories == (name,) else (name,))

    def _chosen_month(self) -> str:
        """The month that is looked at, if it is one: 2026-11."""
        first, last = self.seen.wanted.date_from, self.seen.wanted.date_to
        is_one = first is not None and first.day == 1 and last == last_day(first)
        return str(first)[:7] if is_one else ""

    def _parts(self, by: str, **changes: Any) -> tuple[Part, ...]:
        wanted = self.seen.wanted.model_dump() | changes | {"by": by}
        return self.ledger().summary(SummaryWanted.model_validate(wanted)).items

    def compare(self, *, whole: bool) -> Comparison:
        """This month beside the last and the same a year ago, of all expenses."""
        return compare(self.ledger(), _today(), whole=whole)

    def recurring(self) -> list[Recurring]:
        """What likely comes again, of all expenses."""
        return copies.recurring(self.ledger(), _today())

    def deeds(self, before: Sequence[int | None]) -> tables.Table:
        """A page of what was changed. *before*: the numbers below which it and those before begin."""
        found = self.ledger().deeds(before=before[-1], limit=DEEDS + 1)
        older = len(found) > DEEDS
        self._following = found[DEEDS - 1].number if older else None
        return tables.deeds(found[:DEEDS], self.currency(), newer=len(before) > 1, older=older)

    def turned(self, before: Sequence[int | None], to: str) -> tuple[int | None, ...]:
        """The same for the *newer* or the *older* page."""
        if to == "newer":
            return tuple(before[:-1]) or (None,)
        return tuple(before) if self._following in (None, before[-1]) else (*before, self._following)

    # What is asked

    def ask_to_edit(self, expense_id: int) -> dict[str, Any]:
        """An expense of the page is to be edited; what to tell the dialog."""
        items = self.seen.page.items if self.seen.page else ()
        found = next((each for each in items if each.id == expense_id), None)
        if found is None:  # the page changed just before the click
            self.did(Failed(GONE))
            return {"close": True}
        return self.dialog.edit(found)

    def ask_to_move_picked(self) -> dict[str, Any]:
        """The picked expenses are to go to another category; what to tell the dialog."""
        return self.dialog.recategorise(len(self.picked), ids=[each.id for each in self.picked])

    def ask_to_move_all(self) -> dict[str, Any]:
        """All that is looked at is to go to another category; what to tell the dialog."""
        count = self.seen.page.count if self.seen.page else 0
        return self.dialog.recategorise(count, where=self.seen.wanted)

    def ask_to_rename(self, at: int) -> dict[str, Any]:
        """The category at this place is to be renamed; what to tell the dialog."""
        return self.dialog.rename(self.seen.categories[at].name)

    def picked_in_words(self) -> str:
        """How many expenses are picked, and what they come to."""
        total = figures.total(each.amount for each in self.picked)
        return f"{len(self.picked):,} selected: {words.money(total, self.currency())}"

    # What is done

    def add(self, message: Mapping[str, Any], reply: Reply) -> None:
        """The form was sent: record it, reply, and then look at what became of the totals."""
        self._entered(self.entry.send(message), reply)

    def act(self, message: Mapping[str, Any], reply: Reply) -> None:
        """A button beside the form's outcome was clicked."""
        self._entered(self.entry.act(message["name"]), reply)

    def complete(self, message: Mapping[str, Any], reply: Reply) -> None:
        """A description is being typed."""
        reply({"offer": self.entry.complete(message["text"])})

    def answer(self, message: Mapping[str, Any], reply: Reply) -> None:
        """The dialog was sent."""
        self._asked(*self.dialog.send(message), reply)

    def delete(self, reply: Reply) -> None:
        """The expense in the dialog is to be deleted."""
        self._asked(*self.dialog.delete(), reply)

    def pick(self, ids: Sequence[int]) -> None:
        """These expenses of the page are picked."""
        items = self.seen.page.items if self.seen.page else ()
        picked = tuple(each for each in items if each.id in set(ids))
        if picked != self.picked:
            self.picked = picked
            self._tell.picked(picked)

    def did(self, done: Done | Failed | None) -> None:
        """Something was done, or failed: tell, and look again."""
        self.notice = done
        self._tell.notice(done)
        self.look()

    def undo(self) -> None:
        """Take back what the notice says, or try again to. A second click finds nothing to take back."""
        before, self.notice = self.notice, None
        undo = before.undo if isinstance(before, Done) else before.again if before else None
        if undo is None:
            self.notice = before
            return
        done = undo(self.ledger)
        self.did(replace(done, again=undo) if isinstance(done, Failed) else done)

    def undo_deed(self, number: int) -> None:
        """Take back the change of this number, whoever made it."""
        self.did(undo_of(number)(self.ledger))

    def undo_import(self, import_id: int) -> None:
        """Take back a statement's import."""
        self.did(undo_of_import(import_id)(self.ledger))

    def export(self) -> bytes:
        """The expenses that are looked at, as a CSV file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "expenses.csv"
            self.ledger().export_csv(path, self.seen.wanted)
            return path.read_bytes()

    def _entered(self, outcome: dict[str, Any], reply: Reply) -> None:
        reply({"outcome": outcome})
        if isinstance(self.entry.outcome, Added):
            self._cursors = (None,)
        self.look()

    def _asked(self, answer: dict[str, Any], done: Done | None, reply: Reply) -> None:
        reply(answer)
        if done:
            self.did(done)

    def _address(self) -> dict[str, str]:
        return self.view.address() | ({"demo": "1"} if self.is_demo else {})

    def _look(self, before: Seen | None) -> Seen:
        return look(self.ledger, self.view, self._cursors[-1], _today(), before)


def _names(seen: Seen) -> list[str]:
    return [each.name for each in seen.categories]


def _today() -> dt.date:
    return dt.date.today()  # noqa: DTZ011 - the day on the calendar of whoever runs the app
