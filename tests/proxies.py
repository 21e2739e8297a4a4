"""What stands between a client and a PostgreSQL server: a long way, a network that breaks, TLS."""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

_CHUNK = 256 * 1024
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # what a client may ask first; S is yes
_COMMITS = re.compile(rb"\bCOMMIT\b|\brecord_expense_\d+\(")  # a request of the library's that commits
_READY = b"Z\x00\x00\x00\x05I"  # how the server's answer ends, outside of a transaction

Serve = Callable[[socket.socket, socket.socket], None]  # a client, and the server


@contextmanager
def delaying(url: str, ms: float) -> Iterator[str]:
    """The server at *url*, to which and from which everything takes so long; a round trip takes twice that.

    What follows closely is not held up by what goes before: the way is long, not narrow. Yields its URL.
    """

    def serve(client: socket.socket, server: socket.socket) -> None:
        _relay(
            client,
            server,
            lambda: _forward(client, server, ms / 1_000),
            lambda: _forward(server, client, ms / 1_000),
        )

    with _listening(url, serve) as address:
        yield address


@dataclass
class Cut:
    """A server behind a network that breaks when it is told to; *cuts* is how often it did."""

    url: str = ""
    cuts: int = 0
    armed: threading.Event = field(default_factory=threading.Event)

    def next_commit(self) -> None:
        """Let the server do what the next request that commits asks for, and break in place of its answer."""
        self.armed.set()


@contextmanager
def cutting(url: str) -> Iterator[Cut]:
    """The server at *url*, behind a network that breaks when it is told to."""
    cut = Cut()

    def serve(client: socket.socket, server: socket.socket) -> None:
        lost = threading.Event()

        def ask() -> None:
            while data := client.recv(_CHUNK):
                if cut.armed.is_set() and _COMMITS.search(data):
                    cut.armed.clear()
                    lost.set()
                server.sendall(data)

        def answer() -> None:
            end = b""
            while data := server.recv(_CHUNK):
                end = (end + data)[-len(_READY) :]
                if not lost.is_set():
                    client.sendall(data)
                elif end == _READY:
                    cut.cuts += 1
                    return

        _relay(client, server, ask, answer)

    with _listening(url, serve) as cut.url:
        yield cut


@contextmanager
def speaking_tls(url: str, context: ssl.SSLContext) -> Iterator[str]:
    """The server at *url*, behind TLS. Yields its URL, without what the client is to ask of TLS."""

    def serve(client: socket.socket, server: socket.socket) -> None:
        if client.recv(len(_SSL_REQUEST), socket.MSG_WAITALL) != _SSL_REQUEST:
            return
        client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as private:
            while True:  # in one thread: two must not use one TLS connection at once
                ready = [private] if private.pending() else select.select([private, server], [], [])[0]
                for source in ready:
                    data = source.recv(_CHUNK)
                    if not data:
                        return
                    (server if source is private else private).sendall(data)

    with _listening(url, serve, sslmode=None) as address:
        yield address


@contextmanager
def _listening(url: str, serve: Serve, sslmode: str | None = "disable") -> Iterator[str]:
    """Serve each connection to a port of this machine, with one to the server at *url*. Yields its address."""
    options = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    ends: list[socket.socket] = []

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):  # it was shut down
            while True:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ends.append(client)
                threading.Thread(target=begin, args=(client,), daemon=True).start()

    def begin(client: socket.socket) -> None:
        with client, suppress(OSError), _connected(options) as server:
            ends.append(server)
            serve(client, server)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, args=(listener,), daemon=True)
        accepting.start()
        try:
            yield _address(options, listener.getsockname()[1], sslmode)
        finally:
            for end in (listener, *ends):
                _end(end)
            accepting.join()


def _address(options: dict[str, str], port: int, sslmode: str | None) -> str:
    password = f":{quote(options['password'], safe='')}" if "password" in options else ""
    asked = {"gssencmode": "disable"} | ({} if sslmode is None else {"sslmode": sslmode})
    user, database = options["user"], options["dbname"]
    return f"postgresql://{user}{password}@127.0.0.1:{port}/{database}?{urlencode(asked)}"


def _connected(options: dict[str, str]) -> socket.socket:
    """A connection to the server, which listens at a port of a host or at a socket in a folder."""
    host, port = options.get("host", "localhost"), options.get("port", "5432")
    if not host.startswith("/"):
        server = socket.create_connection((host, int(port)))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


def _relay(one: socket.socket, other: socket.socket, *ways: Callable[[], None]) -> None:
    """Go both ways at once, until one of them ends; then the other ends too."""

    def go(way: Callable[[], None]) -> None:
        with suppress(OSError):
            way()
        _end(one)
        _end(other)

    threads = [threading.Thread(target=go, args=(way,), daemon=True) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _forward(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Forward what *source* says, each piece so much later, until it says no more."""
    pieces: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

    def deliver() -> None:
        with suppress(OSError):
            while (piece := pieces.get())[1]:
                due, data = piece
                time.sleep(max(0.0, due - time.monotonic()))
                target.sendall(data)
        _end(source)

    delivering = threading.Thread(target=deliver, daemon=True)
    delivering.start()
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            pieces.put((time.monotonic() + seconds, data))
    pieces.put((0.0, b""))
    delivering.join()


def _end(end: socket.socket) -> None:
    """Have nobody wait any longer for it or for what it says."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
