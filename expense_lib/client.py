"""A ledger behind an HTTP handler, with the methods and the errors of a local one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel, RootModel

from expense_lib import files
from expense_lib.domain import errors
from expense_lib.domain.expense import (
    NewExpense,
    changes_in_json,
    read_category,
    read_changes,
    read_parts,
)
from expense_lib.domain.filters import ExpenseFilter, Filter, SummaryQuery, read_move
from expense_lib.domain.keys import check_idempotency_key
from expense_lib.domain.limits import MAX_ID, MAX_LOG_ENTRIES, MAX_PAGE
from expense_lib.domain.progress import Progress, no_progress
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    Health,
    LogEntry,
    Overview,
    Page,
    Position,
    Recategorised,
    Receipt,
    Recorded,
    Renamed,
    Replayed,
    Summary,
    Undecided,
    Undone,
    Version,
)
from expense_lib.domain.statement import (
    Decided,
    Import,
    Imported,
    Rule,
    Said,
    not_a_row,
    read_decisions,
    read_rule,
    read_said,
)
from expense_lib.transport import GENERATION, PATIENT_TIMEOUT_S, READ_TIMEOUT_S, Transport

CHUNK_BYTES = 256 * 1024

if TYPE_CHECKING:
    from expense_lib.statements.plan import Plan

Shape = TypeVar("Shape", bound=BaseModel)


Item = TypeVar("Item", bound=BaseModel)


class _Items(BaseModel, Generic[Item]):
    items: tuple[Item, ...]


class _Submitted(Recorded, Replayed):
    """What was sent, recorded or there already."""


class _Done(RootModel[Imported]):
    """What an import did, as its body says."""


class _Sentences(BaseModel):
    items: list[str]


class _Nothing(BaseModel):
    """No body (204), read as an empty object."""


class RemoteLedger:
    """The ledger of the handler at *url*. Nothing is asked of it before the first call.

    A request that gets no answer, or half of one, or 502, 503 or 504 is retried a few times, with back-off.
    That is safe, since recording is idempotent: what was committed before its answer got lost is found again.
    What renames or moves expenses, imports, undoes an import or deletes a rule is not, and is sent once.

    As with ``Ledger``, where the ledger went back to a backup since it was first asked, what would change
    something by its id raises LedgerRestored, once.

    It keeps connections open, which all threads share. ``close``, or ``with`` around its use, closes them; if
    it is used again, it opens others.

    Every method raises LedgerUnavailable while the handler can't be reached, or does not take the *token*.

    Args:
        url: Where the handler is, http or https.
        token: What it asks for (RFC 6750), if it does.

    Raises:
        LedgerUnavailable: *url* is not http or https, or *token* can't be one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._transport = Transport(url, token)
        self.url = self._transport.url

    def __reduce__(self) -> tuple[type[RemoteLedger], tuple[str, str | None]]:
        return RemoteLedger, (self.url, self._transport.token)

    def __repr__(self) -> str:
        return f"RemoteLedger({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the handler. A call that another thread is in the middle of goes on."""
        self._transport.close()

    def of(self, generation: str | None) -> Self:
        """As ``Ledger.of``."""
        other = copy(self)
        other._transport = self._transport.of(generation)
        return other

    def generation(self) -> str:
        """As ``Ledger.generation``; empty if the handler is older than that."""
        return self._transport.send("GET", "/position").headers.get(GENERATION, "")

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """As ``Ledger.record``."""
        check_idempotency_key(idempotency_key)
        status, found = self._ask(
            _Submitted,
            "POST",
            "/expenses",
            json=new.model_dump(mode="json", exclude_unset=True),
            headers={} if idempotency_key is None else {"Idempotency-Key": _quoted(idempotency_key)},
        )
        more = {name: getattr(found, name) for name in ("differs", "joined", "looks_like")}
        expense = Expense.model_validate(found.model_dump(exclude=set(more)))
        return Receipt(created=status == 201, expense=expense, **more)

    def get(self, expense_id: int) -> Expense:
        """As ``Ledger.get``."""
        return self._ask(Expense, "GET", _where(expense_id))[1]

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """As ``Ledger.search``."""
        query = (wanted or ExpenseFilter()).model_dump(mode="json", exclude_none=True)
        return self._ask(Page, "GET", "/expenses", params=query)[1]

    def overview(self, wanted: ExpenseFilter | None = None) -> Overview:
        """As ``Ledger.overview``."""
        query = (wanted or ExpenseFilter()).model_dump(mode="json", exclude_none=True)
        return self._ask(Overview, "GET", "/overview", params=query)[1]

    def position(self) -> str:
        """As ``Ledger.position``."""
        return self._ask(Position, "GET", "/position")[1].position

    def amend(self, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Expense:
        """As ``Ledger.amend``."""
        given = read_changes(changes)
        body = changes_in_json(given)
        headers = _if_match(version) or {"If-Match": "*"}
        return self._ask(Expense, "PATCH", _where(expense_id), json=body, headers=headers)[1]

    def delete(self, expense_id: int, version: int | None = None) -> None:
        """As ``Ledger.delete``."""
        self._ask(_Nothing, "DELETE", _where(expense_id), headers=_if_match(version))

    def restore(self, expense_id: int) -> Expense:
        """As ``Ledger.restore``."""
        return self._ask(Expense, "POST", _where(expense_id) + "/restore")[1]

    def history(self, expense_id: int) -> list[Version]:
        """As ``Ledger.history``."""
        return list(self._ask(_Items[Version], "GET", _where(expense_id) + "/history")[1].items)

    def categories(self) -> list[CategoryTotal]:
        """As ``Ledger.categories``."""
        return list(self._ask(_Items[CategoryTotal], "GET", "/categories")[1].items)

    def accounts(self) -> list[CategoryTotal]:
        """As ``Ledger.accounts``."""
        return list(self._ask(_Items[CategoryTotal], "GET", "/accounts")[1].items)

    def summary(self, wanted: SummaryQuery | None = None) -> Summary:
        """As ``Ledger.summary``."""
        given = wanted or SummaryQuery()
        query = given.model_dump(mode="json", exclude_none=True) | {"by": ",".join(given.by)}
        return self._ask(Summary, "GET", "/summary", params=query)[1]

    def recategorise(
        self, category: str, *, ids: Sequence[int] | None = None, where: Filter | None = None
    ) -> Recategorised:
        """As ``Ledger.recategorise``, but not idempotent, so never retried once a connection was made.

        When it raises LedgerUnavailable it may have been done; ``changes`` shows it.
        """
        body = read_move(category, ids, where).model_dump(mode="json", exclude_none=True)
        return self._ask(Recategorised, "PATCH", "/expenses", timeout_s=PATIENT_TIMEOUT_S, json=body)[1]

    def rename_category(self, old: str, new: str) -> Renamed:
        """As ``Ledger.rename_category``, but not idempotent, so never retried once a connection was made.

        When it raises LedgerUnavailable it may have been done; ``categories`` shows it.
        """
        name = {"name": read_category(new)}
        try:
            where = f"/categories/{quote(old, safe='')}"
        except UnicodeEncodeError:
            raise errors.CategoryNotFound from None
        if not old:
            raise errors.CategoryNotFound
        return self._ask(Renamed, "PATCH", where, timeout_s=PATIENT_TIMEOUT_S, json=name)[1]

    def log(self, since: int = 0, limit: int = MAX_LOG_ENTRIES) -> list[LogEntry]:
        """As ``Ledger.log``."""
        if limit < 1:
            return []
        lines, _ = self._log(max(since, 0), min(limit, MAX_LOG_ENTRIES))
        try:
            return [LogEntry.model_validate_json(line) for line in lines.splitlines()]
        except ValueError:
            raise self._transport.no_handler() from None

    def copy_log(self, file: Path, since: int, generation: str = "") -> tuple[int, str]:
        """Append every log entry after position *since* of a generation to *file*, as lines of JSON.

        Returns:
            The last seq, and the generation; an older handler has none.

        Raises:
            CursorError: the ledger is of another generation by now.
        """
        with file.open("ab") as opened:
            while True:
                lines, generation = self._log(since, MAX_LOG_ENTRIES, generation)
                if not lines:
                    return since, generation
                opened.write(lines)
                try:
                    seq = json.loads(lines.splitlines()[-1])["seq"]
                except (ValueError, TypeError, KeyError, RecursionError):
                    seq = None
                if not isinstance(seq, int) or not since < seq <= MAX_ID:
                    raise self._transport.no_handler()
                since = seq

    def _log(self, since: int, limit: int, generation: str = "") -> tuple[bytes, str]:
        of = f"&generation={generation}" if generation else ""
        where = f"/log?since={min(since, MAX_ID)}&limit={limit}{of}"
        answer = self._transport.send("GET", where, timeout_s=PATIENT_TIMEOUT_S)
        if answer.headers.get("Content-Type") != "application/jsonl":
            raise self._transport.refusal(answer)
        return answer.content, answer.headers.get(GENERATION, "")

    def import_statement(
        self,
        plan: Plan,
        *,
        dry_run: bool = False,
        decisions: Mapping[int, Said] | None = None,
        progress: Progress = no_progress,
    ) -> Imported:
        """As ``Ledger.import_statement``; the rows that were read here are sent, once.

        When it raises LedgerUnavailable it may have been done; ``imports`` shows it, and importing again
        adds nothing twice.
        """
        from expense_lib.statements import upload  # noqa: PLC0415 - whoever imports nothing needs no CSV

        progress(0, len(plan.rows))
        lines = upload.lines(plan)
        said = read_decisions(decisions or {})
        unknown = [line for line in said if line not in lines]
        if unknown:
            raise errors.InvalidInput([not_a_row(line) for line in unknown])
        query = upload.query(plan) | {
            "dry_run": str(dry_run).lower(),
            "decisions": json.dumps({str(lines[line]): each for line, each in said.items()}),
        }
        try:
            done = self._ask(
                _Done,
                "POST",
                "/statements",
                timeout_s=PATIENT_TIMEOUT_S,
                data=query,  # in a form: there may be more decisions than an address has place for
                files={"file": ("rows.csv", upload.body(plan), "text/csv")},
            )[1].root
        except errors.InvalidInput as refused:
            there = {f"decisions.{sent}": f"decisions.{line}" for line, sent in lines.items()}
            named = [errors.FieldError(there.get(field, field), told) for field, told in refused.errors]
            raise type(refused)(named) from None
        if len(done.verdicts) != len(plan.rows):
            raise self._transport.no_handler(": it answered for other rows")
        verdicts = [
            verdict.model_copy(update={"line": line})
            for verdict, line in zip(done.verdicts, plan.rows.lines, strict=True)
        ]
        progress(len(plan.rows), len(plan.rows))
        return dataclasses.replace(done, verdicts=verdicts)

    def imports(self) -> list[Import]:
        """As ``Ledger.imports``."""
        return list(self._ask(_Items[Import], "GET", "/imports")[1].items)

    def undo_import(self, import_id: int) -> Undone:
        """As ``Ledger.undo_import``."""
        if not 1 <= import_id <= MAX_ID:
            raise errors.ImportNotFound(import_id)
        where = f"/imports/{import_id}/undo"
        return self._ask(Undone, "POST", where, timeout_s=PATIENT_TIMEOUT_S)[1]

    def rules(self) -> list[Rule]:
        """As ``Ledger.rules``."""
        return list(self._ask(_Items[Rule], "GET", "/rules")[1].items)

    def undecided(self) -> list[Undecided]:
        """As ``Ledger.undecided``."""
        found = self._ask(_Items[Undecided], "GET", "/undecided", timeout_s=PATIENT_TIMEOUT_S)
        return list(found[1].items)

    def decide(self, expense_id: int, same_as: Said, *, keep_amount: bool = False) -> int | None:
        """As ``Ledger.decide``."""
        body = {"same_as": read_said(same_as, "same_as"), "keep_amount": keep_amount}
        where = _where(expense_id).replace("/expenses/", "/undecided/")
        return self._ask(Decided, "POST", where, json=body)[1].number

    def merge(self, expense_id: int, into: int) -> Expense:
        """As ``Ledger.merge``."""
        if not 1 <= into <= MAX_ID:
            self.get(expense_id)  # which is looked for first
            raise errors.ExpenseNotFound(into)
        return self._ask(Expense, "POST", f"{_where(expense_id)}/merge", json={"into": into})[1]

    def split(
        self, expense_id: int, parts: Sequence[tuple[Any, str]], version: int | None = None
    ) -> list[Expense]:
        """As ``Ledger.split``."""
        body = read_parts(parts).model_dump(mode="json")
        headers = {"If-Match": "*" if version is None else f'"{version}"'}
        where = f"{_where(expense_id)}/parts"
        return list(self._ask(_Items[Expense], "POST", where, json=body, headers=headers)[1].items)

    def add_rule(self, text: str, category: str | None = None, *, skip: bool = False) -> Rule:
        """As ``Ledger.add_rule``."""
        body = read_rule(text, category, skip).model_dump(exclude_none=True)
        return self._ask(Rule, "POST", "/rules", json=body)[1]

    def delete_rule(self, rule_id: int) -> None:
        """As ``Ledger.delete_rule``."""
        if not 1 <= rule_id <= MAX_ID:
            raise errors.RuleNotFound(rule_id)
        self._ask(_Nothing, "DELETE", f"/rules/{rule_id}")

    def changes(self, before: int | None = None, limit: int = 50) -> list[Change]:
        """As ``Ledger.changes``."""
        if limit < 1 or (before is not None and before < 1):
            return []
        query = {"before": before and min(before, MAX_ID), "limit": min(limit, MAX_PAGE)}
        return list(self._ask(_Items[Change], "GET", "/changes", params=query)[1].items)

    def undo(self, number: int) -> Undone:
        """As ``Ledger.undo``."""
        if not 1 <= number <= MAX_ID:
            raise errors.ChangeNotFound(number)
        where = f"/changes/{number}/undo"
        return self._ask(Undone, "POST", where, timeout_s=PATIENT_TIMEOUT_S)[1]

    def check(self) -> list[str]:
        """As ``Ledger.check``."""
        return self._ask(_Sentences, "GET", "/check", timeout_s=PATIENT_TIMEOUT_S)[1].items

    def health(self) -> Health:
        """As ``Ledger.health``."""
        return self._ask(Health, "GET", "/health")[1]

    def backup(self, path: str | Path) -> None:
        """As ``Ledger.backup``, to a file here."""
        self._download("/backup", "application/vnd.sqlite3", path)

    def export_csv(
        self, path: str | Path, wanted: Filter | None = None, progress: Progress = no_progress
    ) -> None:
        """As ``Ledger.export_csv``, to a file here. How many rows there will be is not known."""
        query = (wanted or Filter()).model_dump(mode="json", exclude_none=True)
        named = {name: query[name] for name in Filter.model_fields if name in query}
        rows = self._download("/expenses.csv", "text/csv", path, params=named)
        progress(max(rows - 1, 0), max(rows - 1, 0))

    def export_history(self, path: str | Path, progress: Progress = no_progress) -> None:
        """As ``Ledger.export_history``, to a file here. How many rows there will be is not known."""
        rows = self._download("/expenses.jsonl", "application/jsonl", path)
        progress(rows, rows)

    def _download(self, where: str, media_type: str, path: str | Path, **parts: Any) -> int:
        """Write what is at *where* to a new file. Returns how many lines it has."""
        lines = 0

        def copy_body(answer: requests.Response) -> None:
            nonlocal lines
            if not _is(answer, media_type):
                _ = answer.content  # a problem, which is kept to be raised
                return
            lines = 0
            opened.seek(0)
            opened.truncate()  # what an answer that was cut off brought
            for piece in answer.iter_content(CHUNK_BYTES):
                opened.write(piece)
                lines += piece.count(b"\n")

        with files.new_file(files.absolute(path)) as part, part.open("wb") as opened:
            answer = self._transport.send("GET", where, timeout_s=PATIENT_TIMEOUT_S, read=copy_body, **parts)
            if not _is(answer, media_type):
                raise self._transport.refusal(answer)
        return lines

    def _ask(
        self, shape: type[Shape], method: str, path: str, timeout_s: int = READ_TIMEOUT_S, **parts: Any
    ) -> tuple[int, Shape]:
        """Send one request. Returns the status of the answer and its body as *shape*."""
        answer = self._transport.send(method, path, timeout_s=timeout_s, **parts)
        if answer.status_code in (200, 201, 204):
            with suppress(ValueError):
                return answer.status_code, shape.model_validate_json(answer.content or b"{}")
        raise self._transport.refusal(answer)


def _is(answer: requests.Response, media_type: str) -> bool:
    return bool(answer.headers.get("Content-Type", "").partition(";")[0] == media_type)


def _where(expense_id: int) -> str:
    if not 1 <= expense_id <= MAX_ID:
        raise errors.ExpenseNotFound(expense_id)
    return f"/expenses/{expense_id}"


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _quoted(idempotency_key: str) -> str:
    """A key as a header's quoted string (RFC 8941, section 3.3.3)."""
    escaped = idempotency_key.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
