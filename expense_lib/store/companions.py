"""The ledger's file and its companion, the log beside it (``-wal``), seen from outside.

Nothing here opens the ledger's file: closing it again would drop this process's locks on it.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

LOG = "-wal"
POLL_S = 0.01

_MOUNTS = Path("/proc/self/mountinfo")  # where there is none, as outside of Linux, less can be told
_LOCKS = Path("/proc/locks")
_FIRST_LOCK = 0x40000000  # the first of the bytes of a file by which SQLite locks it
_OCTAL = re.compile(r"\\([0-7]{3})")


# The file and its log, as a look at the disk finds them: device and inode of the file, how many names (hard
# links) it has, and device and inode of the log.
Companions = tuple[int, int, int, int, int]
NOTHING: Companions = (0, 0, 0, 0, 0)

# What is cheap enough to be asked at every use: the same of the file, and when a name in the folder changed.
# Nothing is asked of the log, which since Linux 6.13 would cost each commit a fifth of its time.
Glance = tuple[int, int, int, int]
Folder = int | str  # a descriptor, or its path
_TICK_NS = 20_000_000  # of the coarsest clock by which folders are dated


def log_of(path: str) -> str:
    """Where SQLite keeps the log of the ledger at *path*: beside the file itself, not beside a link to it."""
    return os.path.realpath(path) + LOG


def look(path: str, log: str) -> Companions:
    """What is at *path* and at *log* now; zeros where nothing is."""
    try:
        file = os.stat(path)  # noqa: PTH116
    except OSError:
        return NOTHING
    try:
        beside = os.stat(log)  # noqa: PTH116
    except OSError:
        return file.st_dev, file.st_ino, file.st_nlink, 0, 0
    return file.st_dev, file.st_ino, file.st_nlink, beside.st_dev, beside.st_ino


def opened(folder: str) -> Folder:
    """*folder* to be asked again and again, by a descriptor where there is such: that takes half as long."""
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError:
        return folder


def glance(path: str, folder: Folder) -> Glance | None:
    """The file at *path* and the *folder* of its log, as they are now; None if one of them is not there."""
    try:
        _, inode, device, names, *_ = os.stat(path)  # noqa: PTH116 - Path.stat takes twice as long
        return device, inode, names, os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None


def changed_at(folder: Folder) -> int | None:
    """When a name in *folder* changed last; None if it is not there."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None


def is_settled(seen: Glance) -> bool:
    """Whether the folder's next change will be dated otherwise than its last one."""
    return time.time_ns() - seen[3] > _TICK_NS


def file_at(path: str) -> tuple[int, int] | None:
    """Device and inode of what is at *path*, None if nothing is."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino


def unsafe(path: str) -> str | None:
    """Why what is written to the file at *path* could get lost, as far as is seen from outside; else None."""
    if look(path, "")[2] > 1:
        return (
            "its file has another name (a hard link), under which a log of its own is kept; remove the others"
        )
    if is_mounted_alone(path):
        return "its file is mounted without its folder, where the log beside it is kept; mount the folder"
    return None


def is_mounted_alone(path: str) -> bool:
    """Whether the file at *path* is a mount of its own, so that its log is not kept where the file is."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    places = (line.split(" ", 5)[4] for line in mounts.splitlines())
    return os.path.realpath(path) in {
        _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), place) for place in places
    }


def is_in_use(path: str) -> bool | None:
    """Whether any process that this one can see, itself included, has SQLite's locks on it; None: unknown."""
    try:
        inode = os.stat(path).st_ino  # noqa: PTH116
        locks = _LOCKS.read_text(encoding="ascii")
    except OSError:
        return None
    for line in locks.splitlines():
        _, _, of_file = line.partition(f":{inode} ")
        first = of_file.partition(" ")[0]
        if first.isdigit() and int(first) >= _FIRST_LOCK:
            return True
    return False


def is_in_use_without_log(path: str, timeout_s: float) -> bool:
    """Whether somebody goes on using a log that is not beside the file any more.

    Somebody who is just opening it has no log for a moment; that is waited for, *timeout_s* at most.
    """
    deadline, log = time.monotonic() + timeout_s, Path(log_of(path))
    while not log.exists() and is_in_use(path):
        if unsafe(path) is not None:  # the log is beside the file's other name
            return False
        if time.monotonic() > deadline:
            return True
        time.sleep(POLL_S)
    return False


def has_older_log(path: str) -> bool:
    """Whether a log lies beside the file, which was put there or written after the log, and nobody uses it.

    It was so left by a process that was killed after it had moved its log into the file; or the file is
    another one by now, and the log is not its own.
    """
    try:
        file, log = os.stat(path), os.stat(log_of(path))  # noqa: PTH116
    except OSError:
        return False
    return bool(log.st_size) and file.st_ctime_ns > log.st_mtime_ns and is_in_use(path) is False
