"""Serve the ledger over HTTP, by Granian: ``python -m handlers --port 8000``.

Without a token it serves this machine only, and only under this machine's own names.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing import parent_process
from multiprocessing.connection import wait

from expense_lib import ExpenseError, Ledger
from handlers import settings

LOOPBACK_NAMES = "127.0.0.1,localhost,::1"
MAX_PORT = 65_535
END_TIMEOUT_S = 7  # for what is being answered; a busy ledger is given up after 5
THREADS = 4  # one is a tenth faster, but one client that reads or writes slowly would then hold up all others


def main() -> int:
    """Serve until interrupted. Returns the exit status: 1 if the ledger or the address can't be had."""
    parser = argparse.ArgumentParser(prog="python -m handlers", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("PORT") or "8000",
        help="0 takes a free one (default: the variable PORT, else 8000)",
    )
    given = parser.parse_args()
    try:
        from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415 - other servers need none of it
        from granian.log import LogLevels  # noqa: PLC0415
        from granian.server import Server  # noqa: PLC0415

        ledger, address, port = _prepared(given.host, given.port)
    except ModuleNotFoundError:
        sys.stderr.write("The server is not installed: install expense-ledger[server].\n")
        return 1
    except (ExpenseError, ValueError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    where = f"[{given.host}]" if ":" in given.host else given.host
    sys.stderr.write(f"The ledger {ledger.path} is at http://{where}:{port}. Ctrl-C ends.\n")
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
        if not _is_loopback(host):
            raise ValueError(
                f"Without a token the ledger is served to this machine only, not on {host}: "
                "set EXPENSE_API_TOKEN to a secret."
            )
        if not os.environ.get("EXPENSE_ALLOWED_HOSTS"):
            os.environ["EXPENSE_ALLOWED_HOSTS"] = f"{LOOPBACK_NAMES},{host}"
    ledger = settings.ledger()
    try:
        return ledger, *_free(host, port)
    except OSError as error:
        raise ValueError(f"Port {port} of {host} can't be had: {error.strerror}.") from None


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


def _free(host: str, port: int) -> tuple[str, int]:
    """The IP address of *host*, and *port* or a free one for 0, after a look whether they can be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        address = probe.getsockname()
        return str(address[0]), int(address[1])


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= MAX_PORT:
        raise ValueError
    return port


if __name__ == "__main__":
    sys.exit(main())
