"""The ledger of one browser tab: which file it is, and that it stays that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from expense_lib.app import demo
from expense_lib.domain.errors import LedgerMoved
from expense_lib.ledger import Ledger
from expense_lib.settings import open_ledger
from expense_lib.store.file import File

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger


class OpenedLedger:
    """Called, it is the ledger that the environment names, opened once, or the demo's."""

    def __init__(self, *, is_demo: bool) -> None:
        self._is_demo = is_demo
        self._ledger: AnyLedger | None = None
        self._file: tuple[Path, object] | None = None  # the ledger's file, and which one it is

    def __call__(self) -> AnyLedger:
        """The ledger.

        Raises:
            LedgerMoved: its file was replaced or removed: until ``forget`` none is made or used.
        """
        if self._is_demo:
            return demo.ledger()
        if self._file is not None and _identity(self._file[0]) != self._file[1]:
            raise LedgerMoved
        if self._ledger is None:
            self._ledger = open_ledger()
            if isinstance(self._ledger, Ledger) and isinstance(self._ledger.engine, File):
                self._file = (self._ledger.path, _identity(self._ledger.path))
        return self._ledger

    def forget(self) -> None:
        """Open it anew the next time, whichever it is then."""
        self._ledger = self._file = None


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at *path*; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
