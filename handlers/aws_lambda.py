"""The ledger on AWS Lambda: ``handlers.aws_lambda.handler``.

For API Gateway's REST (v1) and HTTP APIs (v2), function URLs and load balancers. The name of a stage, which
an HTTP API puts before the path and a REST API leaves out of it, becomes the prefix of the application
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
    stage = f"/{context.get('stage')}"
    if "http" in context and environ["PATH_INFO"].startswith(f"{stage}/"):
        environ["SCRIPT_NAME"] = stage
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(stage)
    elif str(context.get("path", "")).startswith(f"{stage}/"):
        environ["SCRIPT_NAME"] = stage
    return app(environ, start_response)


def _is_utf8(path: str) -> bool:
    try:
        path.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


handler = make_lambda_handler(_as_wsgi_has_it, binary_support=True)
