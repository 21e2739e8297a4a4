"""Every path, and what answers it."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pydantic_core import to_json
from werkzeug import exceptions
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.wrappers import Request

from expense_lib import CategoryMove, ExpenseDeleted, LedgerUnavailable, NewCategory, NewExpense
from expense_lib.domain.results import Position, Replayed
from handlers import metrics, requests, responses, settings
from handlers.responses import Answer, in_json

Leaf = Callable[..., Answer]

CHUNK_BYTES = 256 * 1024


def record_expense(request: Request) -> Answer:
    """POST /expenses."""
    new = NewExpense.model_validate(requests.json_body(request))
    receipt = settings.ledger().record(new, requests.idempotency_key(request))
    where = f"{quote(request.root_path)}/expenses/{receipt.expense.id}"
    if receipt.created:
        return responses.expense(receipt.expense, 201, {"Location": where}, "created")
    replayed = {"Content-Location": where, "Idempotent-Replayed": "true"}
    found = receipt.expense
    if receipt.differs:
        found = Replayed.model_validate(found.model_dump() | {"differs": receipt.differs})
    return responses.expense(found, 200, replayed, "exists")


def list_expenses(request: Request) -> Answer:
    """GET /expenses."""
    page = settings.ledger().search(requests.query(request))
    headers = {}
    if page.next_cursor is not None:
        query = urlencode([*_without_cursor(request), ("cursor", page.next_cursor)])
        headers["Link"] = f'<{quote(request.root_path)}/expenses?{query}>; rel="next"'
    return in_json(page, headers=headers)


def overview(request: Request) -> Answer:
    """GET /overview."""
    return in_json(settings.ledger().overview(requests.query(request)))


def position(request: Request) -> Answer:
    """GET /position."""
    return in_json(Position(position=settings.ledger().position()))


def recategorise(request: Request) -> Answer:
    """PATCH /expenses."""
    move = CategoryMove.model_validate(requests.json_body(request))
    return in_json(settings.ledger().recategorise(move.category, ids=move.ids, where=move.where))


def get_expense(request: Request, expense_id: int) -> Answer:
    """GET /expenses/{id}."""
    expense = settings.ledger().get(expense_id)
    if request.if_none_match.contains_weak(str(expense.version)):
        return responses.empty(304, {"ETag": f'"{expense.version}"', "Cache-Control": responses.CACHING})
    return responses.expense(expense)


def amend_expense(request: Request, expense_id: int) -> Answer:
    """PATCH /expenses/{id}."""
    versions = requests.if_match(request)
    changes = requests.json_body(request)
    version = _matching(expense_id, versions)
    return responses.expense(settings.ledger().amend(expense_id, changes, version))


def delete_expense(request: Request, expense_id: int) -> Answer:
    """DELETE /expenses/{id}."""
    settings.ledger().delete(expense_id, _matching(expense_id, requests.if_match_or_any(request)))
    return responses.empty()


def restore_expense(request: Request, expense_id: int) -> Answer:
    """POST /expenses/{id}/restore."""
    return responses.expense(settings.ledger().restore(expense_id))


def get_history(request: Request, expense_id: int) -> Answer:
    """GET /expenses/{id}/history."""
    return in_json({"items": settings.ledger().history(expense_id)})


def list_categories(request: Request) -> Answer:
    """GET /categories."""
    return in_json({"items": settings.ledger().categories()})


def list_accounts(request: Request) -> Answer:
    """GET /accounts."""
    return in_json({"items": settings.ledger().accounts()})


def rename_category(request: Request, name: str) -> Answer:
    """PATCH /categories/{name}."""
    new = NewCategory.model_validate(requests.json_body(request))
    return in_json(settings.ledger().rename_category(name, new.name))


def import_statement(request: Request) -> Answer:
    """POST /statements."""
    from expense_lib import statements  # noqa: PLC0415 - whoever records an expense needs no CSV

    file, wanted = requests.statement(request)
    given = wanted.model_dump(exclude={"similar", "dry_run", "filename"})
    plan = statements.read(file, filename=wanted.filename, **given)
    done = settings.ledger().import_statement(plan, dry_run=wanted.dry_run, similar=wanted.similar)
    told = {
        **{name.name: getattr(done, name.name) for name in dataclasses.fields(done)},
        "verdicts": list(done.verdicts),
        "bad_lines": [line._asdict() for line in plan.bad],
        "reading": {**vars(plan.reading), "mapping": dict(plan.reading.mapping)},
    }
    return in_json(told, outcome=None if done.dry_run else "imported")


def list_imports(request: Request) -> Answer:
    """GET /imports."""
    return in_json({"items": settings.ledger().imports()})


def undo_import(request: Request, import_id: int) -> Answer:
    """POST /imports/{import_id}/undo."""
    return in_json(settings.ledger().undo_import(import_id))


def list_rules(request: Request) -> Answer:
    """GET /rules."""
    return in_json({"items": settings.ledger().rules()})


def add_rule(request: Request) -> Answer:
    """POST /rules."""
    from expense_lib.domain.statement import NewRule  # noqa: PLC0415 - as above

    new = NewRule.model_validate(requests.json_body(request))
    return in_json(settings.ledger().add_rule(new.text, new.category))


def delete_rule(request: Request, rule_id: int) -> Answer:
    """DELETE /rules/{rule_id}."""
    settings.ledger().delete_rule(rule_id)
    return responses.empty()


def export_csv(request: Request) -> Answer:
    """GET /expenses.csv."""
    wanted = requests.export_filter(request)
    return _file(
        lambda path: settings.ledger().export_csv(path, wanted), "expenses.csv", "text/csv; charset=utf-8"
    )


def export_history(request: Request) -> Answer:
    """GET /expenses.jsonl."""
    return _file(settings.ledger().export_history, "expenses.jsonl", "application/jsonl")


def summarise(request: Request) -> Answer:
    """GET /summary."""
    return in_json(settings.ledger().summary(requests.summary_query(request)))


def list_log(request: Request) -> Answer:
    """GET /log: one line of JSON for each line of the log."""
    wanted = requests.log_query(request)
    lines = settings.ledger().log(wanted.since, wanted.limit)
    headers = {"Content-Type": "application/jsonl", "Cache-Control": responses.CACHING}
    if len(lines) == wanted.limit:
        where = f"{quote(request.root_path)}/log?since={lines[-1].seq}&limit={wanted.limit}"
        headers["Link"] = f'<{where}>; rel="next"'
    return Answer(200, b"".join(to_json(line) + b"\n" for line in lines), headers)


def list_changes(request: Request) -> Answer:
    """GET /changes."""
    wanted = requests.changes_query(request)
    return in_json({"items": settings.ledger().changes(wanted.before, wanted.limit)})


def undo_change(request: Request, number: int) -> Answer:
    """POST /changes/{number}/undo."""
    return in_json(settings.ledger().undo(number))


def check_ledger(request: Request) -> Answer:
    """GET /check."""
    return in_json({"items": settings.ledger().check()})


def back_up(request: Request) -> Answer:
    """GET /backup."""
    return _file(settings.ledger().backup, "expenses.db", "application/vnd.sqlite3")


def health(request: Request) -> Answer:
    """GET /health."""
    found = settings.ledger().health()
    if not found.writable:
        raise exceptions.ServiceUnavailable("The ledger can be read, but not written.")
    return in_json(found, headers={"Cache-Control": "no-store"})


def get_metrics(request: Request) -> Answer:
    """GET /metrics."""
    counted = metrics.exposition()
    if counted is None:
        raise exceptions.NotImplemented("Metrics need prometheus-client: install expense-ledger[metrics].")
    body, media_type = counted
    return Answer(200, body, {"Content-Type": media_type, "Cache-Control": "no-store"})


def get_openapi(request: Request) -> Answer:
    """GET /openapi.json."""
    from handlers import openapi  # noqa: PLC0415 - whoever records an expense needs no document

    return in_json(openapi.document(PATHS, OPEN, request.root_path, with_tokens=_wants_tokens()))


def get_docs(request: Request) -> Answer:
    """GET /docs."""
    from handlers import docs, openapi  # noqa: PLC0415 - as above

    return docs.page(openapi.document(PATHS, OPEN, request.root_path, with_tokens=_wants_tokens()))


# In the templates of OpenAPI: {name} is any text, all others are positive integers.
PATHS: tuple[tuple[str, str, Leaf], ...] = (
    ("POST", "/expenses", record_expense),
    ("GET", "/expenses", list_expenses),
    ("PATCH", "/expenses", recategorise),
    ("GET", "/overview", overview),
    ("GET", "/position", position),
    ("GET", "/expenses/{id}", get_expense),
    ("PATCH", "/expenses/{id}", amend_expense),
    ("DELETE", "/expenses/{id}", delete_expense),
    ("POST", "/expenses/{id}/restore", restore_expense),
    ("GET", "/expenses/{id}/history", get_history),
    ("GET", "/categories", list_categories),
    ("PATCH", "/categories/{name}", rename_category),
    ("GET", "/accounts", list_accounts),
    ("GET", "/summary", summarise),
    ("POST", "/statements", import_statement),
    ("GET", "/imports", list_imports),
    ("POST", "/imports/{import_id}/undo", undo_import),
    ("GET", "/rules", list_rules),
    ("POST", "/rules", add_rule),
    ("DELETE", "/rules/{rule_id}", delete_rule),
    ("GET", "/expenses.csv", export_csv),
    ("GET", "/expenses.jsonl", export_history),
    ("GET", "/log", list_log),
    ("GET", "/changes", list_changes),
    ("POST", "/changes/{number}/undo", undo_change),
    ("GET", "/check", check_ledger),
    ("GET", "/backup", back_up),
    ("GET", "/health", health),
    ("GET", "/metrics", get_metrics),
    ("GET", "/openapi.json", get_openapi),
    ("GET", "/docs", get_docs),
)
OPEN = frozenset({"/health"})  # need no token


class Found(NamedTuple):
    """What a request is for: the function that answers it, its path's template, and what that names.

    *allowed*, the path's methods, is told to OPTIONS only. *template* is empty where nothing is found.
    """

    leaf: Leaf
    template: str
    arguments: Mapping[str, Any]
    allowed: str = ""


def find(request: Request) -> Found:
    """What *request* is for. Where there is no such path or method, what it finds is the refusal."""
    fixed = _FIXED.get((request.method, request.path))
    if fixed is not None:
        return fixed
    urls = _rules().bind("", path_info=request.path, default_method=request.method)
    try:
        (leaf, template), arguments = urls.match()
    except exceptions.HTTPException as miss:
        return Found(functools.partial(_refuse, miss), "", {})
    allowed = ", ".join(sorted(urls.allowed_methods())) if request.method == "OPTIONS" else ""
    return Found(leaf, template, arguments, allowed)


class _Id(BaseConverter):
    """A number as the ledger writes it, in ASCII digits; any other path is not found."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        return int(value)


class _Name(BaseConverter):
    """A category's name, which may have slashes anywhere."""

    regex = r"[\s\S]+"
    part_isolating = False


_PARTS = {
    "{id}": "<id:expense_id>",
    "{import_id}": "<id:import_id>",
    "{rule_id}": "<id:rule_id>",
    "{number}": "<id:number>",
    "{name}": "<name:name>",
}


def _rule(method: str, template: str, leaf: Leaf) -> Rule:
    rule = template
    for part, converter in _PARTS.items():
        rule = rule.replace(part, converter)
    return Rule(rule, methods=[method, "OPTIONS"], endpoint=(leaf, template))


@functools.cache
def _rules() -> Map:
    """The rules of all paths, made when the first path with a part in it is asked for."""
    return Map([_rule(*path) for path in PATHS], converters={"id": _Id, "name": _Name}, merge_slashes=False)


_FIXED = {  # a shorter way to the commonest
    (method, template): Found(leaf, template, {}) for method, template, leaf in PATHS if "{" not in template
}


def _refuse(miss: exceptions.HTTPException, _: Request) -> Answer:
    raise miss


def _file(write: Callable[[Path], None], name: str, media_type: str) -> Answer:
    """What *write* writes to a file, from one snapshot of the ledger, and then sent part by part.

    It is whole before the answer begins, so its length is known, what fails is answered as a problem, and
    who reads slowly holds no snapshot of the ledger.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="expense-sending-"))
    except OSError as error:
        raise LedgerUnavailable(f"The copy has no place: {error}.") from None
    try:
        write(folder / "copy")
        size = (folder / "copy").stat().st_size
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    headers = {
        "Content-Type": media_type,
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Answer(200, _Sending(folder), headers)


class _Sending:
    """A file, part by part; its folder is gone once it is sent, or given up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = self._read()

    def __iter__(self) -> Iterator[bytes]:
        return self.parts

    def _read(self) -> Iterator[bytes]:
        with (self.folder / "copy").open("rb") as copy:
            while part := copy.read(CHUNK_BYTES):
                yield part

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _wants_tokens() -> bool:
    return bool(settings.current().tokens)


def _matching(expense_id: int, versions: list[int] | None) -> int | None:
    """The one of *versions* that the expense is at, if any; None if any version will do."""
    if versions is None or len(versions) == 1:
        return versions[0] if versions else None
    with suppress(ExpenseDeleted):
        version = settings.ledger().get(expense_id).version
        if version in versions:
            return version
    return versions[-1]


def _without_cursor(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
