"""Prometheus metrics, where prometheus-client is installed.

prometheus-client is loaded after a process's first request is answered, since loading takes longer than the
answer. That request is counted together with the second, or when this process's metrics are read.

Where several processes serve one address, PROMETHEUS_MULTIPROC_DIR must name an empty folder of theirs, as
prometheus-client asks; without it, each process exposes its own counts only. With it, the first request is
counted at once.
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


class Observation(NamedTuple):
    """One request, as it is counted. *route* is the template of its path, empty if it has no route."""

    method: str
    route: str
    status: int
    seconds: float
    outcome: str | None


class _Instruments:
    """The counters and the histogram.

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

    def count(self, observed: Observation) -> None:
        requests, seconds = self.of(observed.method, observed.route, observed.status)
        requests.inc()
        seconds.observe(observed.seconds)
        if observed.outcome == "busy":
            self.busy.inc()
        elif (
            observed.route == "/expenses"
            and observed.method == "POST"
            and observed.outcome in self.by_outcome
        ):
            self.by_outcome[observed.outcome].inc()

    @functools.cache  # noqa: B019 - there is one of these in a process, and few routes
    def of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)


class _Meter:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.instruments: _Instruments | None = None
        self.missing = False
        self.held: list[Observation] = []

    def count(self, observed: Observation) -> None:
        if self.instruments is None:
            with self.lock:
                if self.instruments is None:
                    self.held.append(observed)
                    if len(self.held) > 1 or os.environ.get(FOLDER):
                        self.load()
                    return
        self.instruments.count(observed)

    def load(self) -> None:
        """Load prometheus-client and count what was held; drop it if prometheus-client is not installed."""
        held, self.held = self.held, []
        if self.instruments is None and not self.missing:
            try:
                self.instruments = _Instruments()
            except ModuleNotFoundError:
                self.missing = True
        if self.instruments is not None:
            for observed in held:
                self.instruments.count(observed)


_meter = _Meter()


def count(observed: Observation) -> None:
    """Count one request."""
    _meter.count(observed)


def exposition() -> tuple[bytes, str] | None:
    """The metrics in Prometheus' text format, and its media type; None without prometheus-client."""
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
