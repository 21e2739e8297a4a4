"""What each operation of the handler takes, answers and refuses: the table behind its OpenAPI document."""

from __future__ import annotations

from typing import Any, NamedTuple

from expense_lib.domain import errors
from expense_lib.domain.errors import ExpenseError
from handlers.requests import MAX_BODY_BYTES, MAX_STATEMENT_BYTES

Schema = dict[str, Any]

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Of the sender's choice, bare or quoted. One not seen before makes this another payment, however "
        "equal; keep it through the retries of one payment."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "example": "6f1d0b5c",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the expense as it was seen, or * for whatever it is now.",
    "schema": {"type": "string"},
    "example": '"1"',
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "An ETag that is known already: 304 if it is still that.",
    "schema": {"type": "string"},
}


class Refusal(NamedTuple):
    """When a status is answered, and the types that its problem may have; none is ``about:blank``."""

    when: str
    types: tuple[type[ExpenseError], ...] = ()
    headers: tuple[str, ...] = ()


EVERYWHERE = {
    400: Refusal("The path, the query or a header is malformed, or the host is not this one's."),
    401: Refusal("A token is needed, or it is none of this handler's.", headers=("WWW-Authenticate",)),
    500: Refusal("Something unexpected, named by its request id. Sending again is safe."),
}
_LEDGER = {
    503: Refusal(
        "The ledger is busy or can't be used. Nothing was acknowledged; sending again is safe.",
        (errors.LedgerBusy, errors.LedgerUnavailable, errors.CurrencyError),
        ("Retry-After",),
    ),
}
_CHANGING = {403: Refusal("A browser sent this for a page of another site.")}
_MALFORMED = "The body is not UTF-8, not JSON, not whole, or has a name twice; or a header is malformed."
_BODY = _CHANGING | {
    400: Refusal(_MALFORMED),
    411: Refusal("The body came without its length."),
    413: Refusal(f"The body has more than {MAX_BODY_BYTES} bytes."),
    415: Refusal("The body is not application/json, or is encoded."),
}
_STATEMENT = _CHANGING | {
    400: Refusal("The body is not whole, or it is a form that is none or has not one file."),
    411: Refusal("The body came without its length."),
    413: Refusal(f"The body has more than {MAX_STATEMENT_BYTES} bytes."),
    415: Refusal("The body has a type that no statement has, or is encoded."),
}
_NOT_FOUND = Refusal("There never was such an expense.", (errors.ExpenseNotFound,))
_DELETED = Refusal("The expense was deleted; it can be restored.", (errors.ExpenseDeleted,))
_STALE = Refusal("The expense was changed since it was seen.", (errors.StaleVersion,), ("ETag",))
_UNACCEPTABLE = (errors.InvalidInput, errors.AmountError)


class Answered(NamedTuple):
    """A status that is no refusal: what it means, the schema of its body, and its headers."""

    meaning: str
    body: Schema | None = None
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


class Operation(NamedTuple):
    """What one path does with one method."""

    name: str
    summary: str
    answers: dict[int, Answered]
    refusals: dict[int, Refusal]
    parameters: tuple[Schema, ...] = ()
    takes: str | None = None


def ref(name: str) -> Schema:
    """The schema of this name among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def _items(of: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": of}},
        "required": ["items"],
        "additionalProperties": False,
    }


_THE_EXPENSE = Answered("The expense.", ref("Expense"), ("ETag",))
TEXT = {"type": "string"}

# By the name of the function that does it.
OPERATIONS: dict[str, Operation] = {
    "record_expense": Operation(
        "recordExpense",
        "Have an expense in the ledger once",
        {
            201: Answered("It is recorded.", ref("Expense"), ("ETag", "Location")),
            200: Answered(
                "It was there already, and is as this says by now; differs names what was sent otherwise.",
                ref("Replayed"),
                ("ETag", "Content-Location", "Idempotent-Replayed"),
            ),
        },
        _BODY
        | _LEDGER
        | {
            400: Refusal(_MALFORMED, (errors.IdempotencyKeyError,)),
            409: Refusal("It was recorded, and deleted since.", (errors.RecordedThenDeleted,)),
            422: Refusal(
                "A field can't be accepted, or the idempotency key came with another body before.",
                (*_UNACCEPTABLE, errors.IdempotencyKeyReused),
            ),
        },
        (_IDEMPOTENCY_KEY,),
        "NewExpense",
    ),
    "list_expenses": Operation(
        "listExpenses",
        "A page of the expenses that match, with count and total of all that do",
        {200: Answered("The page.", ref("Page"), ("Link",))},
        _LEDGER
        | {422: Refusal("A part of the query can't be accepted.", (*_UNACCEPTABLE, errors.CursorError))},
    ),
    "overview": Operation(
        "overview",
        "The page of the expenses that match, with all categories and accounts, from one snapshot",
        {200: Answered("The page and what is beside it.", ref("Overview"))},
        _LEDGER
        | {422: Refusal("A part of the query can't be accepted.", (*_UNACCEPTABLE, errors.CursorError))},
    ),
    "position": Operation(
        "position",
        "Where the ledger is: another text as soon as anything in it is another",
        {200: Answered("The position.", ref("Position"))},
        _LEDGER,
    ),
    "recategorise": Operation(
        "recategorise",
        "Move the expenses of these ids, or all that match, to a category; one change",
        {200: Answered("How many were moved. The number undoes it.", ref("Recategorised"))},
        _BODY
        | _LEDGER
        | {
            404: Refusal("One of the ids never was. Nothing was moved.", (errors.ExpenseNotFound,)),
            422: Refusal("A field can't be accepted.", _UNACCEPTABLE),
        },
        takes="CategoryMove",
    ),
    "get_expense": Operation(
        "getExpense",
        "One expense",
        {200: _THE_EXPENSE, 304: Answered("It is as you know it.", None, ("ETag",))},
        _LEDGER | {404: _NOT_FOUND, 410: _DELETED},
        (_IF_NONE_MATCH,),
    ),
    "amend_expense": Operation(
        "amendExpense",
        "Change fields of an expense",
        {200: _THE_EXPENSE},
        _BODY
        | _LEDGER
        | {
            404: _NOT_FOUND,
            410: _DELETED,
            412: _STALE,
            422: Refusal("What it would become can't be accepted.", _UNACCEPTABLE),
            428: Refusal("If-Match is missing."),
        },
        (_IF_MATCH | {"required": True},),
        "ExpenseChanges",
    ),
    "delete_expense": Operation(
        "deleteExpense",
        "Delete an expense; it keeps its id and its history",
        {204: Answered("It is deleted, or was already.")},
        _CHANGING | _LEDGER | {404: _NOT_FOUND, 412: _STALE},
        (_IF_MATCH,),
    ),
    "restore_expense": Operation(
        "restoreExpense",
        "Bring a deleted expense back",
        {200: _THE_EXPENSE},
        _CHANGING | _LEDGER | {404: _NOT_FOUND},
    ),
    "get_history": Operation(
        "getHistory",
        "Every version of an expense, live or deleted, the first one first",
        {200: Answered("Its versions.", _items(ref("Version")))},
        _LEDGER | {404: _NOT_FOUND},
    ),
    "list_categories": Operation(
        "listCategories",
        "Every category that has expenses, by name",
        {200: Answered("The categories.", _items(ref("CategoryTotal")))},
        _LEDGER,
    ),
    "list_accounts": Operation(
        "listAccounts",
        "Every account that has expenses, by name",
        {200: Answered("The accounts.", _items(ref("CategoryTotal")))},
        _LEDGER,
    ),
    "rename_category": Operation(
        "renameCategory",
        "Rename a category, or merge it into the one of that name",
        {200: Answered("The category in which the expenses are now. The number undoes it.", ref("Renamed"))},
        _BODY
        | _LEDGER
        | {
            404: Refusal("No expense has this category.", (errors.CategoryNotFound,)),
            422: Refusal("The name can't be accepted.", (errors.InvalidInput,)),
        },
        takes="NewCategory",
    ),
    "summarise": Operation(
        "summarise",
        "The totals of the expenses that match, by month, category, account, tag, or two of them",
        {200: Answered("The totals.", ref("Summary"))},
        _LEDGER | {422: Refusal("A part of the query can't be accepted.", _UNACCEPTABLE)},
    ),
    "import_statement": Operation(
        "importStatement",
        "What becomes of each row of a bank's statement; with dry_run=false, import it",
        {200: Answered("What became of each row, or would.", ref("Imported"))},
        _STATEMENT
        | _LEDGER
        | {
            422: Refusal(
                "The file is no statement, leaves something open, or does not fit what was said.",
                (errors.NotAStatement, errors.StatementUnclear, errors.InvalidInput),
            )
        },
        takes="Statement",
    ),
    "list_imports": Operation(
        "listImports",
        "The statements that were imported, the latest first",
        {200: Answered("The imports.", _items(ref("Import")))},
        _LEDGER,
    ),
    "undo_import": Operation(
        "undoImport",
        "Take back what an import brought and nobody changed since",
        {200: Answered("What was taken back, and what was kept.", ref("Undone"))},
        _CHANGING | _LEDGER | {404: Refusal("There is no such import.", (errors.ImportNotFound,))},
    ),
    "list_rules": Operation(
        "listRules",
        "Which texts in a statement mean which category, in the order in which they are tried",
        {200: Answered("The rules.", _items(ref("Rule")))},
        _LEDGER,
    ),
    "add_rule": Operation(
        "addRule",
        "Have payments of statements with a text in a category; replaces the rule of the same text",
        {200: Answered("The rule.", ref("Rule"))},
        _BODY | _LEDGER | {422: Refusal("A field can't be accepted.", (errors.InvalidInput,))},
        takes="NewRule",
    ),
    "delete_rule": Operation(
        "deleteRule",
        "Delete a rule; what is in the ledger stays as it is",
        {204: Answered("It is deleted.")},
        _CHANGING | _LEDGER | {404: Refusal("There is no such rule.", (errors.RuleNotFound,))},
    ),
    "export_csv": Operation(
        "exportCsv",
        "All expenses that match, by date, as CSV; texts can't run as formulas, importing it adds nothing",
        {200: Answered("The file.", TEXT, media_type="text/csv")},
        _LEDGER | {422: Refusal("A part of the query can't be accepted.", _UNACCEPTABLE)},
    ),
    "export_history": Operation(
        "exportHistory",
        "Every expense there ever was, with its whole history",
        {200: Answered("A line of JSON for each.", TEXT, media_type="application/jsonl")},
        _LEDGER,
    ),
    "list_log": Operation(
        "listLog",
        "Every change after a line of the log, in order, for a copy of the ledger",
        {
            200: Answered(
                "A line of JSON for each, at most limit of them; none if there is nothing new.",
                TEXT,
                ("Link",),
                "application/jsonl",
            )
        },
        _LEDGER | {422: Refusal("A part of the query can't be accepted.", (errors.InvalidInput,))},
    ),
    "list_changes": Operation(
        "listChanges",
        "What was edited, deleted or restored, each change once with its first expense, the last first",
        {200: Answered("The changes.", _items(ref("Change")))},
        _LEDGER | {422: Refusal("A part of the query can't be accepted.", (errors.InvalidInput,))},
    ),
    "undo_change": Operation(
        "undoChange",
        "Put back what a change changed, wherever it was left alone since",
        {200: Answered("What was put back, and what was kept.", ref("Undone"))},
        _CHANGING
        | _LEDGER
        | {
            404: Refusal("There is no such change.", (errors.ChangeNotFound,)),
            409: Refusal("All of it was changed again since.", (errors.ChangedSince,)),
        },
    ),
    "check_ledger": Operation(
        "checkLedger",
        "What is wrong with the ledger, a sentence each; nothing if it is sound",
        {200: Answered("The sentences.", _items(TEXT))},
        _LEDGER,
    ),
    "back_up": Operation(
        "backUp",
        "A consistent copy of the whole ledger",
        {200: Answered("An SQLite file.", {}, media_type="application/vnd.sqlite3")},
        _LEDGER,
    ),
    "health": Operation(
        "health",
        "Whether the ledger can be read and written; needs no token",
        {200: Answered("It can be.", ref("Health"))},
        {
            503: Refusal(
                "It can't be read, or it can't be written.",
                (errors.LedgerUnavailable, errors.CurrencyError),
            )
        },
    ),
    "get_metrics": Operation(
        "metrics",
        "What was counted, in Prometheus' text format",
        {200: Answered("The metrics.", TEXT, media_type="text/plain")},
        {501: Refusal("prometheus-client is not installed.")},
    ),
    "get_openapi": Operation(
        "openapi", "This document", {200: Answered("OpenAPI 3.1.", {"type": "object"})}, {}
    ),
    "get_docs": Operation(
        "docs", "This document, to be read", {200: Answered("A page.", TEXT, media_type="text/html")}, {}
    ),
}
