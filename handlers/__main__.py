"""Serve the ledger over HTTP on this machine: ``python -m handlers --port 8000``."""

from __future__ import annotations

import argparse
import logging
import sys

import waitress

from expense_lib import ExpenseError
from expense_lib.settings import open_file
from handlers.wsgi import app

LOOPBACK = "127.0.0.1"
THREADS = 8
MAX_PORT = 65_535


def main() -> int:
    """Serve until interrupted. Returns the exit status: 1 if the ledger or the port can't be had."""
    parser = argparse.ArgumentParser(prog="python -m handlers", description=__doc__)
    parser.add_argument(
        "--port",
        type=_port,
        default=8000,
        help="on this machine only; 0 takes a free one (default: %(default)s)",
    )
    port = parser.parse_args().port
    logging.basicConfig(format="%(message)s")
    try:
        ledger = open_file()
    except ExpenseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        server = waitress.create_server(app, host=LOOPBACK, port=port, threads=THREADS)
    except OSError as error:
        sys.stderr.write(f"Port {port} can't be had: {error.strerror}.\n")
        return 1
    sys.stderr.write(
        f"The ledger {ledger.path} is at http://{LOOPBACK}:{server.effective_port}. Ctrl-C ends.\n"
    )
    server.run()
    return 0


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= MAX_PORT:
        raise ValueError
    return port


if __name__ == "__main__":
    sys.exit(main())
