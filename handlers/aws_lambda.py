"""The ledger on AWS Lambda: ``handlers.aws_lambda.handler``.

For API Gateway's REST (v1) and HTTP APIs (v2), function URLs and load balancers. An HTTP API puts the name of
its stage, unless that is ``$default``, before the path; here it becomes the prefix of the application
(SCRIPT_NAME). A REST API may send a path that is decoded already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from apig_wsgi import make_lambda_handler

from handlers.wsgi import app


def _as_wsgi_has_it(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if not environ["PATH_INFO"].isascii() and not _is_utf8(environ["PATH_INFO"]):
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
    context = environ.get("apig_wsgi.request_context") or {}
    prefix = f"/{context.get('stage')}"
    if context.get("stage") and environ["PATH_INFO"].startswith(f"{prefix}/"):
        environ["SCRIPT_NAME"] += prefix
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(prefix)
    return app(environ, start_response)


def _is_utf8(path: str) -> bool:
    try:
        path.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


handler = make_lambda_handler(_as_wsgi_has_it)
