"""The app as a web server: marimo, on the notebook beside this module.

In a checkout ``notebooks/expenses.py`` is a symbolic link to that notebook, so that ``marimo run`` and
``marimo edit`` find it where notebooks are looked for. Where git makes no symbolic links, as on Windows
without developer mode, the link is a line of text that marimo refuses; ``expenses app`` works there too.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path

from expense_lib import addresses

NOTEBOOK = Path(__file__).with_name("notebook.py")
FIRST_PORT = 2718  # marimo's own, or the first free one above
PORTS_TRIED = 100

_NEEDED = ("altair", "anywidget", "marimo")


def serve(
    host: str,
    port: int | None,
    *,
    headless: bool = False,
    password_file: str | None = None,
    options: Iterable[str] = (),
) -> int:
    """Serve the app until interrupted. Returns marimo's exit status.

    Args:
        host: The address to listen on.
        port: 0 stands for a free one, None for FIRST_PORT or the first free one above it.
        headless: Open no browser. None is opened either where there is a password, since marimo would hand
            it over in the address, which other users of this machine can read.
        password_file: A file that holds the password, or ``-`` for standard input.
        options: More of ``marimo run``'s options.

    Raises:
        ValueError: the app is not installed, the address can't be had, or a network would reach it without a
            password.
    """
    if not all(map(find_spec, _NEEDED)):
        raise ValueError("The app is not installed: install expense-ledger[app].")
    if password_file is None and not addresses.is_loopback(host):
        raise ValueError(
            f"Without a password the app is served to this machine only, not on {host}: "
            "put one in a file, and name that with --token-password-file."
        )
    if password_file not in (None, "-"):
        _check_password(Path(password_file))
    port = first_free(host) if port is None else addresses.available(host, port)[1]
    command = ["run", str(NOTEBOOK), "--no-sandbox", "--host", host, "--port", str(port), *options]
    command += (
        ["--no-token"] if password_file is None else ["--token", "--token-password-file", password_file]
    )
    if headless or password_file is not None:
        command.append("--headless")
    sys.stderr.write(f"The app is at {addresses.url(host, port)}. Ctrl-C ends.\n")
    sys.stderr.flush()
    # marimo puts a notebook's folder before all others, unless it is there already; at the end none of the
    # app's modules can be taken for a library's: tables, filters.
    sys.path.append(str(NOTEBOOK.parent))
    sys.argv = ["marimo", "--yes", *command]
    # marimo prints its address with the password in it. With --quiet it ends twice on Ctrl-C: a traceback.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        try:
            runpy.run_module("marimo", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def first_free(host: str) -> int:
    """The port that the app takes on *host* where none is asked for."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED - 1):
        try:
            return addresses.available(host, port)[1]
        except ValueError:
            continue
    return addresses.available(host, FIRST_PORT + PORTS_TRIED - 1)[1]


def _check_password(file: Path) -> None:
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"The password can't be read from {file}: {reason}.") from None
    if not password:
        raise ValueError(f"There is no password in {file}.")
