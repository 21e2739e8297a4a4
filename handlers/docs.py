"""The OpenAPI document as one page of HTML: no script, and nothing from another host."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

from markupsafe import Markup

from handlers.responses import Answer

_STYLE = Markup("""
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; overflow-wrap: anywhere; }
h2 code, pre { background: color-mix(in srgb, currentColor 8%, transparent); border-radius: .3rem; }
h2 code { padding: 0 .4rem; }
pre { padding: .7rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent);
         padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { white-space: nowrap; width: 12rem; font-weight: 600; }
nav ul { columns: 2; padding-left: 1.2rem; }
@media (max-width: 40rem) { nav ul { columns: 1; } th { white-space: normal; width: 8rem; } }
""")
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"
    ),
}
_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary} JSON in and out; amounts go out as text. A refusal is a problem in JSON (RFC 9457).
The same as a machine reads it: <a href="{openapi}">openapi.json</a>.</p>
<nav aria-label="Paths"><ul>{contents}</ul></nav>
<main>{operations}</main>
<h2 id="schemas">Schemas</h2>
{schemas}
</body>
</html>
""")
_LINK = Markup('<li><a href="#{name}"><code>{method} {path}</code></a></li>\n')
_OPERATION = Markup("""<section>
<h2 id="{name}"><code>{method} {path}</code></h2>
<p>{summary}.</p>
{parameters}{body}{answers}
</section>
""")
_TABLE = Markup("<h3>{title}</h3>\n<table>{rows}</table>\n")
_ROW = Markup("<tr><th scope=row>{name}</th><td>{text}</td></tr>\n")
_EXAMPLE = Markup("<h3>{title}</h3>\n<pre>{example}</pre>\n")
_SCHEMA = Markup("<h3><code>{name}</code></h3>\n<p>{description}</p>\n<table>{rows}</table>\n")


def page(document: dict[str, Any]) -> Answer:
    """The response with *document* as a page."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    html = _PAGE.format(
        title=document["info"]["title"],
        summary=document["info"]["summary"],
        style=_STYLE,
        openapi=document["servers"][0]["url"].rstrip("/") + "/openapi.json",
        contents=_join(
            _LINK.format(name=operation["operationId"], method=method, path=path)
            for method, path, operation in operations
        ),
        operations=_join(_operation(*operation) for operation in operations),
        schemas=_join(_schema(*item) for item in document["components"]["schemas"].items()),
    )
    return Answer(200, html.encode(), _HEADERS)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Markup:
    taken = operation.get("requestBody", {}).get("content", {}).values()
    return _OPERATION.format(
        name=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        parameters=_table("Parameters", [(_name(p), _parameter_text(p)) for p in operation["parameters"]]),
        body=_example("Body", next((content["example"] for content in taken if "example" in content), None)),
        answers=_table(
            "Answers",
            [(status, _response_text(answer)) for status, answer in operation["responses"].items()],
        )
        + _join(
            _example(f"Body of {status}", content.get("example"))
            for status, answer in operation["responses"].items()
            for content in answer.get("content", {}).values()
            if int(status) < 300
        ),
    )


def _name(parameter: dict[str, Any]) -> str:
    needed = ", required" if parameter.get("required") else ""
    return f"{parameter['name']} ({parameter['in']}{needed})"


def _parameter_text(parameter: dict[str, Any]) -> str:
    kind = _type_text(parameter["schema"])
    return f"{parameter.get('description', '')} {kind[0].upper()}{kind[1:]}.".lstrip()


def _response_text(answer: dict[str, Any]) -> str:
    headers = ", ".join(name for name in answer["headers"] if name != "X-Request-Id")
    return f"{answer['description']} Headers: {headers}." if headers else str(answer["description"])


def _type_text(schema: dict[str, Any]) -> str:
    """The type of a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(map(_type_text, schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("format") or schema.get("type", "anything")
    words = [" or ".join(kind) if isinstance(kind, list) else kind]
    if "items" in schema:
        words.append(f"of {_type_text(schema['items'])}")
    limits = {
        "minimum": "at least",
        "maximum": "at most",
        "minLength": "length from",
        "maxLength": "length to",
    }
    words += [f"{said} {schema[limit]}" for limit, said in limits.items() if limit in schema]
    if schema.get("default") not in (None, "", []):
        words.append(f"default {schema['default']}")
    return ", ".join(words)


def _schema(name: str, schema: dict[str, Any]) -> Markup:
    needed = schema.get("required", [])
    rows = [
        (
            field,
            " ".join(
                filter(
                    None,
                    (_type_text(kind) + ("." if field in needed else ", optional."), kind.get("description")),
                )
            ),
        )
        for field, kind in schema["properties"].items()
    ]
    described = schema.get("description", "").partition("\n\n")[0]
    return _SCHEMA.format(name=name, description=described, rows=_rows(rows))


def _table(title: str, rows: list[tuple[str, str]]) -> Markup:
    return _TABLE.format(title=title, rows=_rows(rows)) if rows else Markup()


def _rows(rows: list[tuple[str, str]]) -> Markup:
    return _join(_ROW.format(name=name, text=text) for name, text in rows)


def _example(title: str, example: object) -> Markup:
    if example is None:
        return Markup()
    return _EXAMPLE.format(title=title, example=json.dumps(example, indent=2, ensure_ascii=False))


def _join(parts: Any) -> Markup:
    return Markup("").join(parts)
