"""What the handler counts, in Prometheus' text format, where prometheus-client is installed.

A process's first request is answered before prometheus-client is loaded, which takes longer than the answer;
it is counted with the second, or with a look at this process's metrics.

Where several processes serve one address, PROMETHEUS_MULTIPROC_DIR must name an empty folder of theirs, as
prometheus-client asks; else each process tells what it has counted itself. Then the first is not put off.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Seen(NamedTuple):
    """One request, as it is counted. *route* is the path with its parts unnamed, empty if there is none."""

    method: str
    route: str
    status: int
    seconds: float
    outcome: str | None


class _Instruments:
    """The counters themselves.

    Raises:
        ModuleNotFoundError: prometheus-client is not installed.
    """

    def __init__(self) -> None:
        if not os.environ.get(FOLDER):
            os.environ.pop(FOLDER, None)  # empty, it would stand for the working folder
        from prometheus_client import CollectorRegistry, Counter, Histogram  # noqa: PLC0415 - as said above

        self.registry = CollectorRegistry()
        self.requests = Counter(
            "expense_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "expense_http_request_duration_seconds",
            "From a request's arrival in the application to its answer",
            ["method", "route"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.recordings = Counter(
            "expense_recordings",
            "Expenses sent to be recorded, by what became of them",
            ["outcome"],
            registry=self.registry,
        )
        self.busy = Counter(
            "expense_ledger_busy",
            "Requests given up because another writer held the ledger",
            registry=self.registry,
        )
        self.by_outcome = {
            outcome: self.recordings.labels(label)
            for outcome, label in (("created", "created"), ("exists", "replayed"), ("refused", "refused"))
        }

    def count(self, seen: Seen) -> None:
        requests, seconds = self.of(seen.method, seen.route, seen.status)
        requests.inc()
        seconds.observe(seen.seconds)
        if seen.outcome == "busy":
            self.busy.inc()
        elif seen.route == "/expenses" and seen.method == "POST" and seen.outcome in self.by_outcome:
            self.by_outcome[seen.outcome].inc()

    @functools.cache  # noqa: B019 - there is one of these in a process, and few routes
    def of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)


class _Meter:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.instruments: _Instruments | None = None
        self.missing = False
        self.held: list[Seen] = []

    def count(self, seen: Seen) -> None:
        if self.instruments is None:
            with self.lock:
                if self.instruments is None:
                    self.held.append(seen)
                    if len(self.held) > 1 or os.environ.get(FOLDER):
                        self.load()
                    return
        self.instruments.count(seen)

    def load(self) -> None:
        """Count what was held, if it can be counted; it is forgotten if not."""
        held, self.held = self.held, []
        if self.instruments is None and not self.missing:
            try:
                self.instruments = _Instruments()
            except ModuleNotFoundError:
                self.missing = True
        if self.instruments is not None:
            for seen in held:
                self.instruments.count(seen)


_meter = _Meter()


def count(seen: Seen) -> None:
    """Count one request."""
    _meter.count(seen)


def exposition() -> tuple[bytes, str] | None:
    """What was counted, in Prometheus' text format, and its media type; None without prometheus-client."""
    with _meter.lock:
        _meter.load()
    if _meter.instruments is None:
        return None
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = _meter.instruments.registry
    if os.environ.get(FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
