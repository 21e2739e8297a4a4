"""Files of the caller's: where they are, and writing a new one whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from expense_lib.domain.errors import LedgerUnavailable


def absolute(path: str | Path) -> Path:
    """*path* as it is from any working directory, ``~`` spelled out."""
    try:
        os.fsencode(path).index(b"\0")
    except ValueError:
        pass
    else:
        raise LedgerUnavailable("A path can't hold a NUL.")
    try:
        return Path(path).expanduser().absolute()
    except (OSError, RuntimeError):
        raise LedgerUnavailable(f"The ledger's folder can't be found: {path}.") from None


def write(target: Path, pieces: Iterable[bytes]) -> None:
    """Write *pieces* to a new file, which is there once it is whole.

    Raises:
        LedgerUnavailable: there is a file at *target* already, or it can't be written.
    """
    with new_file(target) as part, part.open("wb") as file:
        file.writelines(pieces)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A path beside *target* to write to, which becomes *target* at the end; nothing is left if it fails.

    Raises:
        LedgerUnavailable: there is a file at *target* already, or it can't be written.
    """
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        _refuse_existing(target)
        yield part
        _refuse_existing(target)
        part.rename(target)
    except OSError as error:
        if isinstance(error, LedgerUnavailable):
            raise
        raise LedgerUnavailable(f"The file can't be written: {target}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise LedgerUnavailable(f"There is a file already: {target}. Take a new name.")
