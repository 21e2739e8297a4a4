"""Progress callbacks for long-running operations."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # called with the number of rows done, and of all rows


def no_progress(done: int, total: int) -> None:
    """A progress callback that does nothing."""
