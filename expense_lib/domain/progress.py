"""How far something is that takes its time, told to whoever waits for it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # told how many rows are done, of how many


def no_progress(done: int, total: int) -> None:
    """Tell nobody how many rows are done, of how many."""
