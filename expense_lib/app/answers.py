"""What became of each message, by its id: a page that was reloaded, or another tab, may send it again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from expense_lib.app.entry import NotReached, Outcome

KEPT = 1000


@dataclass
class _Slot:
    outcome: Outcome | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Answers:
    """The outcomes of the latest messages, of all tabs. Whoever asks while one is worked out waits for it."""

    def __init__(self) -> None:
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, message_id: Hashable, act: Callable[[], Outcome]) -> Outcome:
        """The outcome of *act* for this message, which is done once; again if the ledger was not reached."""
        with self._lock:
            slot = self._slots.setdefault(message_id, _Slot())
            while len(self._slots) > KEPT:
                self._slots.popitem(last=False)
        with slot.lock:
            if slot.outcome is None or isinstance(slot.outcome, NotReached):
                slot.outcome = act()
            return slot.outcome


SHARED = Answers()  # by all tabs of this process
