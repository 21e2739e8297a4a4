"""The endpoints that answer a file: exports and the backup."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from werkzeug.wrappers import Request

from expense_lib import Filter, LedgerUnavailable
from handlers import settings
from handlers.inputs import Query
from handlers.responses import Answer
from handlers.route import TEXT, UNACCEPTABLE, Answered, Refusal, Route

CHUNK_BYTES = 256 * 1024


def export_csv(request: Request, wanted: Filter) -> Answer:
    """The expenses that match, as CSV."""
    return _file(
        lambda path: settings.ledger().export_csv(path, wanted), "expenses.csv", "text/csv; charset=utf-8"
    )


def export_history(request: Request) -> Answer:
    """All expenses with all their versions, as lines of JSON."""
    return _file(settings.ledger().export_history, "expenses.jsonl", "application/jsonl")


def back_up(request: Request) -> Answer:
    """A copy of the ledger that can be opened in its place."""
    return _file(settings.ledger().backup, "expenses.db", "application/vnd.sqlite3")


def _file(write: Callable[[Path], None], name: str, media_type: str) -> Answer:
    """A download of what *write* writes to the path that it gets, from one snapshot of the ledger.

    The file is complete before the response starts: its length is known, a failure is answered as a problem,
    and a client that reads slowly holds no snapshot open.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="expense-sending-"))
    except OSError as error:
        raise LedgerUnavailable(f"The copy has no place: {error}.") from None
    try:
        write(folder / "copy")
        size = (folder / "copy").stat().st_size
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    headers = {
        "Content-Type": media_type,
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Answer(200, _Chunks(folder), headers)


class _Chunks:
    """The chunks of the file in *folder*. ``close`` deletes the folder, whether or not all were read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = self._read()

    def __iter__(self) -> Iterator[bytes]:
        return self.parts

    def _read(self) -> Iterator[bytes]:
        with (self.folder / "copy").open("rb") as copy:
            while part := copy.read(CHUNK_BYTES):
                yield part

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


ROUTES = (
    Route(
        "GET",
        "/expenses.csv",
        export_csv,
        "All expenses that match, by date, as CSV; texts can't run as formulas, importing it adds nothing",
        {200: Answered("The file.", TEXT, media_type="text/csv")},
        takes=(Query(Filter),),
        refuses=(Refusal("A part of the query can't be accepted.", UNACCEPTABLE),),
    ),
    Route(
        "GET",
        "/expenses.jsonl",
        export_history,
        "Every expense there ever was, with its whole history",
        {200: Answered("A line of JSON for each.", TEXT, media_type="application/jsonl")},
    ),
    Route(
        "GET",
        "/backup",
        back_up,
        "A consistent copy of the whole ledger",
        {200: Answered("An SQLite file.", {}, media_type="application/vnd.sqlite3")},
    ),
)
