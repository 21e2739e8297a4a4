"""From a request to its route."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.wrappers import Request

from handlers.responses import Answer
from handlers.route import Route

TEXT_PARTS = frozenset({"name"})  # every other part of a path is a positive integer

_PART = re.compile(r"{(\w+)}")


def parts_of(template: str) -> tuple[str, ...]:
    """The names of the parts of a path's template, in order."""
    return tuple(_PART.findall(template))


class Found(NamedTuple):
    """The route of a request, and the values of its path's parts in the order of the template.

    *allowed* is empty, but for OPTIONS: then it is all that there is to answer, the path's methods.
    """

    route: Route
    path: tuple[Any, ...] = ()
    allowed: str = ""


class Router:
    """Finds the route of a request among *routes*. No path and method may be of two."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._fixed = {  # a shorter way to paths without parts, POST /expenses among them
            (route.method, route.template): Found(route) for route in routes if "{" not in route.template
        }

    def find(self, request: Request) -> Found:
        """The route of *request*; where there is none, one that answers 404 or 405 and has no template."""
        fixed = self._fixed.get((request.method, request.path))
        if fixed is not None:
            return fixed
        urls = self._map.bind("", path_info=request.path, default_method=request.method)
        try:
            (route, names), parts = urls.match()
        except HTTPException as miss:
            return Found(_refusing(miss))
        allowed = ", ".join(sorted(urls.allowed_methods())) if request.method == "OPTIONS" else ""
        return Found(route, tuple([parts[name] for name in names]), allowed)

    @functools.cached_property
    def _map(self) -> Map:
        """The rules of all routes, made when one is first looked for that is not in ``_fixed``."""
        rules = [
            Rule(
                _PART.sub(_converter, route.template),
                methods=[route.method, "OPTIONS"],
                endpoint=(route, parts_of(route.template)),
            )
            for route in self.routes
        ]
        return Map(rules, converters={"id": _Id, "text": _Text}, merge_slashes=False)


def _refusing(miss: HTTPException) -> Route:
    """A route that refuses, but needs a token first: without one, nobody learns which paths there are."""

    def refuse(_: Request) -> Answer:
        raise miss

    return Route("", "", refuse, "", {})


def _converter(part: re.Match[str]) -> str:
    return f"<{'text' if part[1] in TEXT_PARTS else 'id'}:{part[1]}>"


class _Id(BaseConverter):
    """A number as the ledger writes it, in ASCII digits; any other path is not found."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        return int(value)


class _Text(BaseConverter):
    """A text that is not empty, which may have slashes anywhere."""

    regex = r"[\s\S]+"
    part_isolating = False
