"""The endpoints of bank statements: import, undo an import, and the rules for rows.

Their models and the readers of files are imported when first needed: recording an expense starts sooner.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from expense_lib.domain.errors import (
    ImportNotFound,
    InvalidInput,
    NotAStatement,
    RuleNotFound,
    StatementUnclear,
)
from expense_lib.domain.results import Undone
from handlers import responses, settings
from handlers.inputs import Body, Statement
from handlers.responses import Answer, in_json
from handlers.route import Answered, Items, Refusal, Route

if TYPE_CHECKING:
    from expense_lib.domain.statement import ImportOptions, NewRule

MODELS = "expense_lib.domain.statement"


def import_statement(request: Request, sent: tuple[bytes, ImportOptions]) -> Answer:
    """Import a statement, or find out what importing it would do."""
    from expense_lib import statements  # noqa: PLC0415 - as said above

    file, options = sent
    given = options.model_dump(exclude={"decisions", "dry_run", "filename"})
    plan = statements.read(file, filename=options.filename, **given)
    done = settings.ledger().import_statement(plan, dry_run=options.dry_run, decisions=options.decisions)
    body = {
        **{field.name: getattr(done, field.name) for field in dataclasses.fields(done)},
        "verdicts": list(done.verdicts),
        "bad_lines": [line._asdict() for line in plan.bad],
        "reading": {**vars(plan.reading), "mapping": dict(plan.reading.mapping)},
    }
    return in_json(body, outcome=None if done.dry_run else "imported")


def list_imports(request: Request) -> Answer:
    """All imports, the latest first."""
    return in_json({"items": settings.ledger().imports()})


def undo_import(request: Request, import_id: int) -> Answer:
    """Delete what an import added, unless it was edited since."""
    return in_json(settings.ledger().undo_import(import_id))


def list_rules(request: Request) -> Answer:
    """All category rules, in the order in which they are tried."""
    return in_json({"items": settings.ledger().rules()})


def add_rule(request: Request, new: NewRule) -> Answer:
    """Add a category rule, or replace the one of the same text."""
    return in_json(settings.ledger().add_rule(new.text, new.category, skip=new.skip))


def delete_rule(request: Request, rule_id: int) -> Answer:
    """Delete a category rule."""
    settings.ledger().delete_rule(rule_id)
    return responses.empty()


ROUTES = (
    Route(
        "POST",
        "/statements",
        import_statement,
        "What becomes of each row of a bank's statement; with dry_run=false, import it",
        {200: Answered("What became of each row, or would.", f"{MODELS}:Imported")},
        takes=(Statement(f"{MODELS}:ImportOptions"),),
        refuses=(
            Refusal(
                "The file is no statement, leaves something open, or does not fit what was said.",
                (NotAStatement, StatementUnclear, InvalidInput),
            ),
        ),
    ),
    Route(
        "GET",
        "/imports",
        list_imports,
        "The statements that were imported, the latest first",
        {200: Answered("The imports.", Items(f"{MODELS}:Import"))},
    ),
    Route(
        "POST",
        "/imports/{import_id}/undo",
        undo_import,
        "Take back what an import brought and nobody changed since",
        {200: Answered("What was taken back, and what was kept.", Undone)},
        refuses=(Refusal("There is no such import.", (ImportNotFound,)),),
    ),
    Route(
        "GET",
        "/rules",
        list_rules,
        "Which texts in a statement mean which category, in the order in which they are tried",
        {200: Answered("The rules.", Items(f"{MODELS}:Rule"))},
    ),
    Route(
        "POST",
        "/rules",
        add_rule,
        "Have rows of statements with a text in a category, or left out; replaces the rule of the same text",
        {200: Answered("The rule.", f"{MODELS}:Rule")},
        takes=(Body(f"{MODELS}:NewRule"),),
    ),
    Route(
        "DELETE",
        "/rules/{rule_id}",
        delete_rule,
        "Delete a rule; what is in the ledger stays as it is",
        {204: Answered("It is deleted.")},
        refuses=(Refusal("There is no such rule.", (RuleNotFound,)),),
    ),
)
