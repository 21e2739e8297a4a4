"""Serve the ledger over HTTP, by Granian: ``python -m handlers --port 8000``.

Without a token it serves this machine only, and only under this machine's own names.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing import parent_process
from multiprocessing.connection import wait

from expense_lib import ExpenseError, Ledger, addresses
from handlers import settings

LOOPBACK_NAMES = "127.0.0.1,localhost,::1"
END_TIMEOUT_S = 7  # for what is being answered; a busy ledger is given up after 5
THREADS = 4  # one is a tenth faster, but one client that reads or writes slowly would then hold up all others


def main() -> int:
    """Serve until interrupted. Returns the exit status: 1 if the ledger or the address can't be had."""
    parser = argparse.ArgumentParser(prog="python -m handlers", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=addresses.port,
        default=os.environ.get("PORT") or "8000",
        help="0 takes a free one (default: the variable PORT, else 8000)",
    )
    given = parser.parse_args()
    return serve(given.host, given.port)


def serve(host: str, port: int) -> int:
    """Serve until interrupted. Returns 0, or 1 after it wrote why it can't to standard error.

    Args:
        host: The address to listen on. Without a token it must be this machine's own.
        port: 0 stands for a free one.
    """
    try:
        from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415 - other servers need none of it
        from granian.log import LogLevels  # noqa: PLC0415
        from granian.server import Server  # noqa: PLC0415

        ledger, address, port = _prepared(host, port)
    except ModuleNotFoundError:
        sys.stderr.write("The server is not installed: install expense-ledger[server].\n")
        return 1
    except (ExpenseError, ValueError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    sys.stderr.write(f"The ledger {ledger.engine.where} is at {addresses.url(host, port)}. Ctrl-C ends.\n")
    server = Server(
        "handlers.wsgi:app",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=THREADS,
        websockets=False,
        workers_kill_timeout=END_TIMEOUT_S,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=_load)
    return 0


def _prepared(host: str, port: int) -> tuple[Ledger, str, int]:
    """The ledger to be served, and the IP address and the port that it can be served at.

    Raises:
        ExpenseError: the ledger can't be used.
        ValueError: a setting is wrong, or the address can't be had.
    """
    rules = settings.current()
    if complaints := rules.complaints():
        raise ValueError("\n".join(complaints))
    if not rules.tokens:
        if not addresses.is_loopback(host):
            raise ValueError(
                f"Without a token the ledger is served to this machine only, not on {host}: "
                "set EXPENSE_API_TOKEN to a secret."
            )
        if not os.environ.get("EXPENSE_ALLOWED_HOSTS"):
            os.environ["EXPENSE_ALLOWED_HOSTS"] = f"{LOOPBACK_NAMES},{host}"
    return settings.ledger(), *addresses.available(host, port)


def _load(_: str) -> Callable[..., Iterable[bytes]]:
    """The application, in a process of its own, which ends when the one that began it has ended."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from handlers.wsgi import app  # noqa: PLC0415 - the process that begins this one has no use for it

    return app


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_TIMEOUT_S)
        os._exit(1)  # it came too early to be heard, or somebody has sent half a request


if __name__ == "__main__":
    sys.exit(main())
