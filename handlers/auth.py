"""Access: bearer tokens (RFC 6750), CORS, and protection from forged requests (CSRF, DNS rebinding)."""

from __future__ import annotations

import hmac
import re

from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized
from werkzeug.wrappers import Request

from handlers.settings import Settings

REALM = "expense-ledger"

_HOST = re.compile(r"(?:(?P<name>[a-z0-9._-]+)|\[(?P<address>[0-9a-f:.]+)\])(?::[0-9]{1,5})?")
_PREFLIGHT = {
    "Access-Control-Allow-Headers": ", ".join(
        (
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Ledger-Generation",
            "X-Request-Id",
        )
    ),
    "Access-Control-Max-Age": "600",
}
_READABLE = "Content-Location, ETag, Idempotent-Replayed, Ledger-Generation, Link, Location, Retry-After"
_EXPOSED = ("Access-Control-Expose-Headers", f"{_READABLE}, X-Request-Id")


def authorise(request: Request, settings: Settings) -> None:
    """Let a request pass that has one of the tokens, or any where no token is set.

    Raises:
        werkzeug.exceptions.HTTPException: 401, naming the scheme; 403 for a forged request of another site's
            page (CSRF), where no token is set; 400 for a Host that is not in the settings, as a page sends
            whose own name was made to point here (DNS rebinding).
    """
    if settings.hosts and _host_of(request) not in settings.hosts:
        raise BadRequest("This server does not answer to that Host; EXPENSE_ALLOWED_HOSTS names its own.")
    if settings.tokens:
        scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenNeeded("Send a token: Authorization: Bearer, then the token.")
        given = token.strip().encode("utf-8", "replace")
        known = [hmac.compare_digest(given, token) for token in settings.tokens if token]
        if not any(known):  # after all were compared: in constant time
            raise TokenNeeded("The token is not one of this handler's.", error="invalid_token")
    elif _is_forged(request, settings):
        raise Forbidden(
            "Pages of other sites may not change this ledger; EXPENSE_CORS_ORIGINS names those that may."
        )


class TokenNeeded(Unauthorized):
    """The request has no token, or none of this handler's."""

    def __init__(self, detail: str, **parts: str) -> None:
        super().__init__(detail)
        named = {"realm": REALM, **parts}
        self.challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in named.items())

    def get_headers(self, *_: object, **__: object) -> list[tuple[str, str]]:
        """The challenge (RFC 6750, section 3), its values quoted."""
        return [("WWW-Authenticate", self.challenge)]


def _is_forged(request: Request, settings: Settings) -> bool:
    """Whether a page of another site made a browser send this, in a form that needs no preflight."""
    if request.method in ("GET", "HEAD") or request.mimetype == "application/json":
        return False
    origin = request.headers.get("Origin")
    if origin in settings.origins:
        return False
    of_another = origin is not None and origin.partition("://")[2] != request.environ.get("HTTP_HOST")
    return of_another or request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def cors(request: Request, settings: Settings) -> list[tuple[str, str]]:
    """The headers that let pages of the origins in the settings read the response; none by default."""
    if not settings.origins:
        return []
    origin = request.headers.get("Origin", "")
    if origin not in settings.origins:
        return [("Vary", "Origin")]
    return [("Vary", "Origin"), ("Access-Control-Allow-Origin", origin), _EXPOSED]


def preflight(request: Request, settings: Settings, allowed: str) -> dict[str, str]:
    """The headers of a response to OPTIONS: *allowed*, and for origins in the settings what they may send."""
    if request.headers.get("Origin") not in settings.origins:
        return {"Allow": allowed}
    return {"Allow": allowed, "Access-Control-Allow-Methods": allowed, **_PREFLIGHT}


def _host_of(request: Request) -> str | None:
    """The name in the Host header without its port; an IPv6 address without brackets."""
    given = _HOST.fullmatch(request.environ.get("HTTP_HOST", "").lower())
    return given and (given["name"] or given["address"])
