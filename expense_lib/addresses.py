"""Addresses that a server on this machine listens on: the handler's and the app's."""

from __future__ import annotations

import argparse
import ipaddress
import os

MAX_PORT = 65_535


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on *host*. Of names, only localhost is known to."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def available(host: str, port: int) -> tuple[str, int]:
    """The IP address of *host*, and *port*, or a free one for 0, after a look whether they can be had.

    Raises:
        ValueError: they can't be had; its text is the reason, as a sentence.
    """
    import socket  # noqa: PLC0415 - only what serves needs it

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            bound = probe.getsockname()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no address"
        raise ValueError(f"Port {port} of {host} can't be had: {reason}.") from None
    return str(bound[0]), int(bound[1])


def url(host: str, port: int) -> str:
    """The URL of what listens there, an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def port(text: str) -> int:
    """A port as a command's argument; 0 stands for a free one."""
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {MAX_PORT}")
    return int(text)
