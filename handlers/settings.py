"""The handler's settings: environment variables, read again for every request."""

from __future__ import annotations

import functools
import os
import re
import tempfile
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from expense_lib import Ledger, LedgerUnavailable
from expense_lib.settings import DEFAULT_PATH, open_file
from expense_lib.store.engine import is_address
from handlers.log import DEFAULT_LEVEL, LEVELS, Log

_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")  # RFC 6454, 6.1

# Platforms whose instances lose their disk, by the variable that each sets.
_EPHEMERAL = {"AWS_LAMBDA_FUNCTION_NAME": "AWS Lambda", "VERCEL": "Vercel", "K_SERVICE": "Cloud Run"}


class EphemeralLedger(LedgerUnavailable):
    """The ledger's file would be on an ephemeral disk: lost with the instance, and one for each instance."""

    def __init__(self, platform: str) -> None:
        super().__init__(
            f"On {platform} this disk ends with the instance, and every instance has its own: expenses would "
            "be lost and recorded twice. Let EXPENSE_LEDGER name one in PostgreSQL, or a file on a mounted "
            "volume, used by one instance at a time; or set EXPENSE_ALLOW_EPHEMERAL=1 to try the handler out."
        )


class Settings(NamedTuple):
    """The settings but for the ledger.

    Attributes:
        tokens: The bearer tokens. Empty: no token is needed. A setting without any token in it gives one
            empty token, which nobody can send, so that it locks out rather than opens.
        hosts: The accepted names of the Host header. Empty: any; an empty name as for *tokens*.
        origins: The origins whose pages may read responses (CORS).
        log_level: A key of ``LEVELS``, or what was set in its place.
        log: The log at that level.
    """

    tokens: tuple[bytes, ...]
    hosts: frozenset[str]
    origins: frozenset[str]
    log_level: str
    log: Log

    def complaints(self) -> list[str]:
        """The settings that are invalid, a sentence each."""
        found = []
        if not all(map(_TOKEN.fullmatch, self.tokens)):
            found.append("EXPENSE_API_TOKEN: a token is letters, digits and ._~+/- with = at its end.")
        if not all(map(_HOST.fullmatch, self.hosts)):
            found.append("EXPENSE_ALLOWED_HOSTS: a host is a name or an address, without port or brackets.")
        if not all(map(_ORIGIN.fullmatch, self.origins)):
            found.append("EXPENSE_CORS_ORIGINS: an origin is written https://host or https://host:port.")
        if self.log_level not in LEVELS:
            found.append(f"EXPENSE_LOG_LEVEL is one of {', '.join(LEVELS)}.")
        return found


def current() -> Settings:
    """The settings as the environment has them now."""
    setting = os.environ.get
    return _settings(
        setting("EXPENSE_API_TOKEN", ""),
        setting("EXPENSE_ALLOWED_HOSTS", ""),
        setting("EXPENSE_CORS_ORIGINS", ""),
        setting("EXPENSE_LOG_LEVEL", ""),
    )


# In which generation of the ledger the ids in this request were seen, if it says so.
seen_in: ContextVar[str | None] = ContextVar("seen_in", default=None)


def ledger(generation: str | None = None) -> Ledger:
    """The ledger that the environment names now, made if it is not there.

    What changes it by ids raises LedgerRestored where they were seen in another *generation*, that of the
    request if it is left out.

    Raises:
        EphemeralLedger: its file would be on an ephemeral disk.
        LedgerUnavailable, CurrencyError: as ``expense_lib.open_ledger``.
    """
    setting = os.environ.get
    found = _ledger(setting("EXPENSE_LEDGER"), setting("EXPENSE_CURRENCY"))
    generation = generation or seen_in.get()
    return found.of(generation) if generation else found


@functools.lru_cache
def _settings(tokens: str, hosts: str, origins: str, log_level: str) -> Settings:
    return Settings(
        tuple(map(os.fsencode, _listed(tokens))) or (b"",) * bool(tokens),
        frozenset(host.lower() for host in _listed(hosts) or [""] * bool(hosts)),
        frozenset(_listed(origins)),
        level := log_level.strip().lower() or DEFAULT_LEVEL,
        Log(level),
    )


def _listed(setting: str) -> list[str]:
    return [part.strip() for part in setting.split(",") if part.strip()]


@functools.lru_cache
def _ledger(path: str | None, currency: str | None) -> Ledger:
    """The ledger of these settings. Connections are kept by the library, one for each thread."""
    is_file = path is None or not is_address(path)
    if is_file and os.environ.get("EXPENSE_ALLOW_EPHEMERAL") != "1":
        _refuse_ephemeral(Path(path or DEFAULT_PATH))
    return open_file(path, currency).of(None)


def _refuse_ephemeral(path: Path) -> None:
    """Refuse a path on the platform's own ephemeral disk; a mounted volume is accepted."""
    platform = next((name for variable, name in _EPHEMERAL.items() if os.environ.get(variable)), None)
    if platform is None:
        return
    lost = {_volume(Path(place)) for place in ("/", tempfile.gettempdir(), __file__)}
    try:
        volume = _volume(path.expanduser())
    except (OSError, RuntimeError):
        return  # it can't be located; opening it will say why
    if platform == "Vercel" or volume in lost:
        raise EphemeralLedger(platform)


def _volume(path: Path) -> Path:
    """The mount point of the file system that has *path*."""
    path = path.resolve()
    return next(place for place in (path, *path.parents) if place.is_mount())
