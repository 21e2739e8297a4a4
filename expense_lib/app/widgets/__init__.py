"""The app's widgets, which marimo lacks, such as a form with completion and a table that the ledger sorts.

Each is a script that marimo sends with the page; nothing is asked of another host. What a person does
arrives as messages and not as a value: marimo hands on every message, also those sent while it is busy, and
of several values only the last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import marimo as mo
import traitlets

from expense_lib.app import messages
from expense_lib.app.widgets.scripts import joined

_log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], None]


_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")


class _Talking(anywidget.AnyWidget):
    """A widget whose script sends messages: objects that say what to *do*.

    Args:
        handlers: What to do on each message, by the name of what it asks for.
        failed: Called when a handler raised what it should not.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler] | None = None,
        failed: Callable[[], object] | None = None,
        **traits: Any,
    ) -> None:
        super().__init__(**traits)
        self._handlers = handlers or {}
        self._failed = failed
        self.on_msg(self._hear)

    def shown(self) -> mo.Html:
        """The widget as a cell shows it."""
        return mo.ui.anywidget(self)

    def _hear(self, _: object, message: Any, __: object) -> None:
        handler = self._handlers.get(str(message.get("do"))) if isinstance(message, dict) else None
        if handler is None:
            return
        try:
            handler(message)
        except Exception:  # noqa: BLE001 - what a handler raises would reach nobody but the log
            _log.exception("a widget's message failed")
            if "id" in message and message["do"] == "send":
                outcome = {"id": message["id"], "kind": "danger", "text": messages.UNEXPECTED}
                self.send({"outcome": outcome})
            elif self._failed:
                self._failed()


class ExpenseForm(_Talking):
    """The fields of an expense, on the page or in a dialog, which shows some of them.

    ``form/form.js`` says which messages it sends and takes.

    Args:
        fields: The names of ``entry.FIELDS``, in the order in which they stand.
        more: Those that a button "More" shows and hides.
        label: What the form is called.
        submit: What its button says.
        dialog: Whether it is one, closed until it is asked to open.
        acts: Further buttons of a dialog, each with a *name* and a *label*; ``cancel`` closes it.
        undecided: What the ledger asks, as ``tray.items`` has it: in the tray below the form.
        beyond: How much more it asks.
        ledger: Its id, by which the browser keeps what is typed; empty as long as it was not reached.
    """

    _esm = joined(_FOLDER / "form" / "form.js")
    _css = _STYLE

    fields = traitlets.List(traitlets.Unicode()).tag(sync=True)
    more = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    submit = traitlets.Unicode().tag(sync=True)
    dialog = traitlets.Bool(default_value=False).tag(sync=True)
    acts = traitlets.List(traitlets.Dict()).tag(sync=True)
    categories = traitlets.List(traitlets.Unicode()).tag(sync=True)
    accounts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    undecided = traitlets.List(traitlets.Dict()).tag(sync=True)
    beyond = traitlets.Int().tag(sync=True)
    ledger = traitlets.Unicode().tag(sync=True)


class Table(_Talking):
    """One page of rows. *page* is what it shows, as ``table.js`` has it and ``tables`` makes it."""

    _esm = joined(_FOLDER / "table.js")
    _css = _STYLE

    page = traitlets.Dict().tag(sync=True)


class Notice(_Talking):
    """The outcome of the last change, with buttons. *told* is as ``notice.js`` has it."""

    _esm = joined(_FOLDER / "notice.js")
    _css = _STYLE

    told = traitlets.Dict().tag(sync=True)


class Sections(_Talking):
    """The parts of the page, of which one is seen: *names*, and the *chosen* one."""

    _esm = joined(_FOLDER / "sections.js")
    _css = _STYLE

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
