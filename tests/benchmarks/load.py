"""Post different expenses over kept connections: ``python load.py PORT CONNECTIONS REQUESTS SEED``.

Prints the requests answered in a second. Plain sockets, so that the client costs little beside the server.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time


def request(port: int, seed: int, n: int) -> bytes:
    expense = {
        "amount": f"{n % 9999 + 1}.25",
        "category": f"Category {n % 20}",
        "description": f"Thing {seed}-{n}",
        "date": "2026-11-22",
    }
    body = json.dumps(expense).encode()
    head = (
        f"POST /expenses HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(found) and len(body) >= int(length)


def main() -> None:
    port, connections, requests, seed = map(int, sys.argv[1:])
    waiting = [request(port, seed, n) for n in range(requests)]
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, (connection, bytearray()))
    begun = time.perf_counter()
    for key in selector.get_map().values():
        key.data[0].sendall(waiting.pop())
    answered = 0
    while answered < requests:
        for key, _ in selector.select():
            connection, answer = key.data
            answer += connection.recv(65536)
            if not is_whole(bytes(answer)):
                continue
            if not answer.startswith(b"HTTP/1.1 201"):
                sys.exit(f"refused: {bytes(answer)!r}")
            answered += 1
            answer.clear()
            if waiting:
                connection.sendall(waiting.pop())
    sys.stdout.write(f"{requests / (time.perf_counter() - begun)}\n")


if __name__ == "__main__":
    main()
