"""Who may ask: bearer tokens (RFC 6750), web pages of other origins (CORS), and forged requests of theirs."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized
from werkzeug.wrappers import Request

from handlers.settings import Settings

REALM = "expense-ledger"

_PREFLIGHT = {
    "Access-Control-Allow-Headers": ", ".join(
        ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-Id")
    ),
    "Access-Control-Max-Age": "600",
}
_EXPOSED = (
    "Access-Control-Expose-Headers",
    "Content-Location, ETag, Idempotent-Replayed, Link, Location, Retry-After, X-Request-Id",
)


def authorise(request: Request, settings: Settings) -> None:
    """Let through who has one of the tokens, or anybody where none is set.

    Raises:
        werkzeug.exceptions.HTTPException: 401, naming the scheme; 403 for what another site's page made a
            browser send without anybody's doing; 400 for a host that is none of this one's names, as a page
            sends whose own name was turned to point here (DNS rebinding).
    """
    if settings.hosts and _host_of(request) not in settings.hosts:
        raise BadRequest("This server does not answer to that Host; EXPENSE_ALLOWED_HOSTS names its own.")
    if settings.tokens:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorised("Send a token: Authorization: Bearer, then the token.")
        given = token.strip().encode("utf-8", "replace")
        known = [hmac.compare_digest(given, token) for token in settings.tokens if token]
        if not any(known):  # after all were compared: how long it takes tells nothing
            raise _unauthorised("The token is not one of this handler's.", error="invalid_token")
    elif (
        request.method not in ("GET", "HEAD")
        and request.headers.get("Sec-Fetch-Site") == "cross-site"
        and request.headers.get("Origin") not in settings.origins
    ):
        raise Forbidden(
            "Pages of other sites may not change this ledger; EXPENSE_CORS_ORIGINS names those that may."
        )


def cors(request: Request, settings: Settings) -> list[tuple[str, str]]:
    """The headers that let a page of an origin named in the settings read the answer; none by default."""
    if not settings.origins:
        return []
    origin = request.headers.get("Origin", "")
    if origin not in settings.origins:
        return [("Vary", "Origin")]
    return [("Vary", "Origin"), ("Access-Control-Allow-Origin", origin), _EXPOSED]


def preflight(request: Request, settings: Settings, allowed: str) -> dict[str, str]:
    """The headers for OPTIONS: what *allowed* says, and to a page of a named origin what it may send."""
    if request.headers.get("Origin") not in settings.origins:
        return {"Allow": allowed}
    return {"Allow": allowed, "Access-Control-Allow-Methods": allowed, **_PREFLIGHT}


def _host_of(request: Request) -> str | None:
    """The host that was asked for, without its port; an IPv6 address without brackets."""
    try:
        return urlsplit(f"//{request.environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return None


def _unauthorised(detail: str, **parts: str | None) -> Unauthorized:
    return Unauthorized(detail, www_authenticate=WWWAuthenticate("bearer", {"realm": REALM, **parts}))
