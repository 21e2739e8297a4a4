"""What of an import takes its time: done beside everything else, one thing after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from expense_lib.app import messages
from expense_lib.app.edits import Failed
from expense_lib.app.import_phases import Asked, Empty, Phase, Working
from expense_lib.domain.errors import ExpenseError, InvalidInput
from expense_lib.domain.progress import Progress

TELL_EVERY_S = 0.2

_log = logging.getLogger(__name__)


class Work:
    """Pieces of work, each of which has a number and leads to a phase. The latest overtakes those before.

    Args:
        start: Runs one, in a thread say.
        tell: Called with each phase, also from what *start* runs.
    """

    def __init__(
        self, start: Callable[[Callable[[], None]], object], tell: Callable[[Phase], object]
    ) -> None:
        self._start = start
        self._tell = tell
        self._latest = 0
        self._changing = threading.Lock()
        self.phase: Phase = Empty()

    def run(self, act: Callable[[int], None], what: str = "") -> None:
        """Start *act*, and say *what* it is. What goes wrong in it is the phase that follows."""
        self._latest += 1
        number = self._latest

        def run() -> None:
            try:
                act(number)
            except _Overtaken:
                pass
            except InvalidInput as refused:
                self.now(number, Asked.of(refused))
            except ExpenseError as failed:
                self.now(number, Failed(str(failed)))
            except Exception:  # noqa: BLE001 - what a thread raises would reach nobody but the log
                _log.exception("a statement failed")
                self.now(number, Failed(messages.UNEXPECTED))

        if what:
            self.now(number, Working(what))
        self._start(run)

    def end(self) -> None:
        """Be as at the beginning. What is being done is overtaken."""
        self._latest += 1
        self.now(self._latest, Empty())

    def now(self, number: int, phase: Phase) -> None:
        """Be in *phase*, unless the piece of work that leads to it was overtaken."""
        with self._changing:
            if number != self._latest:
                return
            self.phase = phase
        self._tell(phase)

    def tell_again(self) -> None:
        """Call with the phase, of which something else is to be seen now."""
        self._tell(self.phase)

    def progress(self, number: int, what: str = "") -> Progress:
        """Progress that is told now and then, if it has a name, and ends work that was overtaken."""
        last = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal last
            if number != self._latest:
                raise _Overtaken
            if what and time.monotonic() - last >= TELL_EVERY_S:
                last = time.monotonic()
                self.now(number, Working(what, done, total))

        return tell

    @contextmanager
    def if_still(self, number: int) -> Iterator[None]:
        """A block that puts down what was found; it ends work that was overtaken."""
        with self._changing:
            if number != self._latest:
                raise _Overtaken
            yield


class _Overtaken(Exception):
    """The file is read anew meanwhile, with other options."""
