"""The parts of the OpenAPI document that belong to no single endpoint and that no model has, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.route import TEXT

# Of the parameters of queries, by name. A model's own Field(description=...) goes before it.
QUERY_PARAMETERS = {
    "category": "Of any of these categories, whatever their case. A single empty one means all.",
    "account": "Of any of these accounts, whatever their case; for a statement, the one that it is of.",
    "tag": "With any of these tags, whatever their case.",
    "date_from": "On this day or later.",
    "date_to": "On this day or earlier.",
    "amount_min": "Of this amount or more.",
    "amount_max": "Of this amount or less.",
    "q": "With this text in description, category or note, whatever its case.",
    "sort": "The order; expenses that are equal in it come by their ids, in the same direction.",
    "limit": "How many at most.",
    "by": "What to total by.",
    "since": "The number of the last line that is known already.",
    "before": "Only changes with a smaller number.",
    "generation": "As an answer's Ledger-Generation: refused if the number is of before a backup.",
    "mapping": 'Fields and the columns that they are in, as JSON: {"date": "Day", "amount": "Sum"}.',
    "spending": "negative where money out is written with a minus; found in the file if left out.",
    "credits": "What becomes of money that came in.",
    "default_category": "For payments that nothing else has a category for.",
    "date_format": "As strptime takes it; found in the file if left out.",
    "decimal": "What separates the fraction of amounts; found in the file if left out.",
    "encoding": "As Python names it; found in the file if left out.",
    "decisions": 'What rows are, as JSON by their lines: {"12": "new", "15": 33, "18": "skip"}.',
    "references": "Whether the bank's numbers tell its payments apart; proved in the file if left out.",
    "dry_run": "Write nothing, only say what would become of each row.",
    "filename": "What the import is listed by.",
    "layout": "That of the file which a client read itself, and sends as another.",
    "cursor": "Where the page begins: `next` of the page before, of the same filter and sort.",
}

# Of the headers of responses.
HEADERS = {
    "X-Request-Id": "The one that was sent, or a new one.",
    "ETag": "The expense's version and the ledger's generation, for If-Match and If-None-Match.",
    "Ledger-Generation": "Of which time ids, versions and numbers are: another after a return to a backup.",
    "Location": "Where the expense is.",
    "Content-Location": "Where the expense is that was there already.",
    "Idempotent-Replayed": "Nothing was added: this had been recorded before.",
    "Link": 'The next page, as `<...>; rel="next"`.',
    "Retry-After": "Seconds to wait before sending again.",
    "Allow": "The methods that this path takes.",
    "WWW-Authenticate": "How to send a token (RFC 6750).",
}
OPTIONAL_HEADERS = {"Link"}

_LUNCH = {"amount": "12.50", "category": "Food", "description": "Lunch", "date": "2026-11-22"}
_VALUES = _LUNCH | {"occurrence": 1, "refund": False, "account": "Giro", "note": "", "tags": ["work"]}
_EXPENSE = {
    "id": 1,
    **_VALUES,
    "dedup_key": "v1:23e6db85c73ddd0d1d3b2e7069cddb4423f1e9fa9c607acb676802a60d0ecb31",
    "version": 1,
    "created_at": "2026-11-22T09:12:00.000Z",
    "updated_at": "2026-11-22T09:12:00.000Z",
}

# Of bodies, by the name of their schema; one without is described without.
EXAMPLES: dict[str, Any] = {
    "NewExpense": _LUNCH,
    "ExpenseChanges": {"amount": "13.00"},
    "CategoryMove": {"category": "Food", "where": {"category": ["Fod"], "q": "lunch"}},
    "NewCategory": {"name": "Food"},
    "NewRule": {"text": "grocer", "category": "Food"},
    "Expense": _EXPENSE,
    "Recorded": _EXPENSE,
    "Replayed": _EXPENSE | {"differs": ["note"]},
    "Decision": {"same_as": 33},
    "Decided": {"number": 12},
    "Merging": {"into": 33},
    "NewParts": {
        "parts": [{"amount": "31.00", "category": "Food"}, {"amount": "9.99", "category": "Household"}]
    },
    "Undecided": {
        "id": 34,
        "kind": "row",
        "date": "2026-11-23",
        "amount": "12.50",
        "category": "Uncategorised",
        "description": "REWE SAGT DANKE",
        "account": "Giro",
        "candidates": [33],
        "why": "It may be a payment that is there already, told of in other words.",
    },
    "Page": {"items": [_EXPENSE], "count": 1, "total": "12.50", "currency": "USD", "next": None},
    "Overview": {
        "items": [_EXPENSE],
        "count": 1,
        "total": "12.50",
        "currency": "USD",
        "next": None,
        "first": "2026-11-22",
        "last": "2026-11-22",
        "categories": [{"name": "Food", "count": 1, "total": "12.50"}],
        "accounts": ["Giro"],
        "position": "1-5b0c1a2f",
    },
    "Position": {"position": "1-5b0c1a2f"},
    "Version": {
        "version": 1,
        "change": "created",
        "at": _EXPENSE["created_at"],
        "by": "",
        "before": None,
        "after": _VALUES,
    },
    "CategoryTotal": {"name": "Food", "count": 1, "total": "12.50"},
    "Renamed": {"name": "Food", "count": 1, "total": "12.50", "number": 2},
    "Recategorised": {"number": 2, "count": 1, "category": "Food"},
    "Summary": {
        "items": [{"month": "2026-11", "count": 1, "total": "12.50"}],
        "count": 1,
        "total": "12.50",
        "currency": "USD",
    },
    "Rule": {"id": 1, "text": "grocer", "category": "Food"},
    "Import": {
        "id": 1,
        "at": _EXPENSE["created_at"],
        "source": "november.csv",
        "account": "checking",
        "created": 1,
        "existing": 0,
        "joined": 0,
        "held": 0,
        "changed": 0,
        "deleted": 0,
        "skipped": 0,
        "bad": 0,
        "undone_at": None,
    },
    "Change": {
        "number": 2,
        "at": _EXPENSE["created_at"],
        "by": "",
        "change": "amended",
        "count": 1,
        "expense_id": 1,
        "before": _VALUES | {"category": "Fod"},
        "after": _VALUES,
    },
    "Undone": {"number": 2, "undone": [1], "kept": []},
    "Health": {
        "status": "ok",
        "readable": True,
        "writable": True,
        "busy": False,
        "currency": "USD",
        "journal_mode": "wal",
        "synchronous": "full",
    },
}

# By media type.
STATEMENT_BODY: Mapping[str, Any] = {
    "text/csv": {
        "schema": {**TEXT, "minLength": 1},
        "example": "Date,Amount,Description\n2026-11-22,12.50,Lunch\n",
    },
    "application/octet-stream": {"schema": {**TEXT, "minLength": 1}},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
            "required": ["file"],
        }
    },
}

_IMPORTED = {
    "id": {"type": ["integer", "null"]},
    "dry_run": {"type": "boolean"},
    **{
        name: {"type": "integer", "minimum": 0}
        for name in ("created", "existing", "joined", "held", "changed", "deleted", "skipped", "bad")
    },
    "verdicts": {"type": "array", "items": {"$ref": "#/components/schemas/Verdict"}},
    "bad_lines": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"line": {"type": "integer"}, "reason": TEXT},
            "required": ["line", "reason"],
        },
    },
    "reading": {
        "type": "object",
        "description": "The columns, the encoding, the form of dates, what was made of references and so on.",
    },
}
_PROBLEM = {
    "title": "Problem",
    "description": "Why something was refused (RFC 9457). Nothing of what was sent is in it.",
    "type": "object",
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "about:blank, or the kind of the problem, for machines.",
        },
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "errors": {
            "type": "array",
            "description": "Each field that can't be accepted, by a JSON pointer, and what is expected.",
            "items": {
                "type": "object",
                "properties": {"detail": TEXT, "pointer": TEXT},
                "required": ["detail", "pointer"],
            },
        },
        "expense_id": {"type": "integer", "description": "The expense that it is about."},
        "version": {"type": "integer", "description": "The version that it is at."},
        "restore": {"type": "string", "description": "Where to POST to have it back."},
        "fields": {
            "type": "array",
            "items": TEXT,
            "description": "Those that differ from what first came with the idempotency key.",
        },
        "choices": {"type": "array", "items": TEXT, "description": "What the first field can be."},
        "import_id": {"type": "integer", "description": "The import that is not there."},
        "rule_id": {"type": "integer", "description": "The rule that is not there."},
        "expense_ids": {"type": "array", "items": {"type": "integer"}},
        "number": {
            "type": "integer",
            "description": "The change that is not there, or is to be undone first.",
        },
        "later": {"type": "integer", "description": "The change that builds on it."},
        "into": {"type": "integer", "description": "The expense that it was found to be."},
        "request_id": {"type": "string", "description": "Names this failure in the handler's log."},
    },
    "required": ["type", "title", "status", "detail"],
}

# Written by hand: the body of a statement's response has more than the model, that of a refusal is of none.
SCHEMAS: dict[str, Any] = {
    "Imported": {"type": "object", "properties": _IMPORTED, "required": list(_IMPORTED)},
    "Problem": _PROBLEM,
}
