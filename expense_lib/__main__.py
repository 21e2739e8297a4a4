"""The ledger's command line: ``expenses app|serve|add|import|undecided|decide|merge|split|rules|export|...``.

It works on the ledger that the environment names (EXPENSE_API_URL, else EXPENSE_LEDGER, else expenses.db in
the working directory), or on ``--ledger``. What was done is told on standard output, everything else on
standard error. Exit codes:

    0  done; an expense that was there already counts as done
    1  done, but lines of the statement were not understood; or the check found something
    2  refused or failed
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from expense_lib import (
    ExpenseError,
    Filter,
    InvalidInput,
    Ledger,
    NewExpense,
    RecordedThenDeleted,
    open_ledger,
    restore_backup,
)
from expense_lib.app import messages
from expense_lib.arguments import parser
from expense_lib.domain.content import ANNOTATIONS
from expense_lib.settings import default_target, is_url, use_ledger
from expense_lib.store.engine import engine_of, is_address

if TYPE_CHECKING:
    from expense_lib.api import LedgerAPI
    from expense_lib.domain.statement import Imported, Verdict
    from expense_lib.statements import Plan

DONE, NOT_ALL, FAILED = 0, 1, 2
SHOWN = 20  # of lines and rows that want a look

Run = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say. Returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    given = parser(_about()).parse_args(arguments)
    try:
        code = _RUN[given.command](given)
        sys.stdout.flush()
        return code
    except ValidationError as refused:
        return _fail(InvalidInput.from_pydantic(refused))
    except ExpenseError as error:
        return _fail(error)
    except OSError:  # whoever reads what is told has gone, or has no place for it
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return _fail("Interrupted. What is sent again is not added twice.")


def _on_ledger(work: Callable[[argparse.Namespace, LedgerAPI], int]) -> Run:
    """A command that works on the ledger which was chosen."""

    def run(given: argparse.Namespace) -> int:
        with open_ledger(given.ledger) as ledger:
            return work(given, ledger)

    return run


def _app(given: argparse.Namespace) -> int:
    from expense_lib.app import server  # noqa: PLC0415 - the other commands need none of it

    if given.ledger is not None:
        use_ledger(given.ledger)
    names = ("session_ttl", "base_url", "proxy")
    asked = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    try:
        return server.serve(
            given.host,
            given.port,
            headless=given.headless,
            password_file=given.token_password_file,
            options=[part for name, value in asked.items() for part in (_option(name), str(value))],
        )
    except ValueError as refused:
        return _fail(refused)


def _serve(given: argparse.Namespace) -> int:
    if given.ledger is not None:
        if is_url(given.ledger):
            return _fail("--ledger must be a file here: a handler does not serve another handler's ledger")
        use_ledger(given.ledger)
    from handlers.__main__ import serve  # noqa: PLC0415 - the handlers stand above this library

    return FAILED if serve(given.host, given.port) else DONE


def _add(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    amount = given.amount
    if given.refund and not amount.startswith("-"):
        amount = f"-{amount}"
    if amount.startswith("-") and not given.refund:
        return _fail("amount is negative: --refund says that money came back")
    try:
        new = NewExpense(
            amount=amount,
            category=given.category or None,
            description=given.description,
            date=given.date or dt.date.today(),  # noqa: DTZ011 - the day of whoever types this
            occurrence=given.occurrence,
            refund=given.refund,
            **{name: getattr(given, name) for name in ANNOTATIONS if getattr(given, name) is not None},
        )
        receipt = ledger.record(new, idempotency_key=uuid.uuid4().hex if given.another else None)
    except ValidationError as refused:
        return _fail(_of_arguments(InvalidInput.from_pydantic(refused)))
    except InvalidInput as refused:
        return _fail(_of_arguments(refused))
    except RecordedThenDeleted as deleted:
        return _fail(
            f"This is expense {deleted.expense_id}, which was deleted. --another adds one more; "
            "the app restores the deleted one, under Changes."
        )
    expense = receipt.expense
    currency = ledger.currency.code if isinstance(ledger, Ledger) else ""  # a handler's receipt names none
    named = messages.expense(expense, currency)
    if receipt.created:
        print(f"Added #{expense.id}: {named}")
        if receipt.looks_like is not None:
            print(f"The bank's #{receipt.looks_like} may be the same, and waits: expenses undecided")
    elif receipt.joined:
        print(f"The bank told of it already: #{expense.id} {named}")
    else:
        hint = "" if given.another else "; --another adds one more"
        if receipt.differs:
            hint = f"; its {' and '.join(receipt.differs)} is not what you gave{hint}"
        print(
            f"There already: #{expense.id} {named}, recorded at {messages.moment(expense.created_at)}{hint}"
        )
    return DONE


def _of_arguments(refused: InvalidInput) -> str:
    """The refusal with each field named as the argument that it came in."""
    names = ("date", "occurrence", "refund", *ANNOTATIONS, "date_format", "decimal", "encoding")
    options = {name: _option(name) for name in names} | {"tags": "--tag", "default_category": "--category"}
    return "; ".join(
        f"{options.get(field, field.replace('mapping.', '--map '))} {message}"
        for field, message in refused.errors
    )


def _import(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    from expense_lib import statements  # noqa: PLC0415 - the other commands read no file

    try:
        with _bar("Reading") as told:
            plan = statements.read(
                given.file,
                account=given.account,
                mapping=_mapping(given.map),
                spending=given.spending,
                credits=given.credits,
                default_category=given.category,
                date_format=given.date_format,
                decimal=given.decimal,
                encoding=given.encoding,
                references=given.references,
                progress=lambda rows: told(rows, None),
            )
    except InvalidInput as refused:
        return _fail(_of_arguments(refused))
    with _bar("Importing") as told:
        done = ledger.import_statement(
            plan, dry_run=given.dry_run, decisions=dict(given.decide), progress=told
        )
    _tell_reading(plan)
    _tell_outcome(done)
    for bad in plan.bad[:SHOWN]:
        print(f"line {bad.line}: {bad.reason}", file=sys.stderr)
    if len(plan.bad) > SHOWN:
        print(f"and {len(plan.bad) - SHOWN} more lines that were not understood", file=sys.stderr)
    return NOT_ALL if plan.bad else DONE


def _tell_reading(plan: Plan) -> None:
    """How the file was read, which is worth a look the first time."""
    reading = plan.reading
    columns = ", ".join(
        f"{field} from {column if isinstance(column, str) else ' + '.join(column)}"
        for field, column in reading.mapping.items()
    )
    parts = (
        reading.format,
        reading.encoding,
        columns,
        reading.date_format,
        f"spending is {reading.spending}",
    )
    print(f"{plan.source}: {'; '.join(filter(None, parts))}", file=sys.stderr)
    for remark in reading.remarks:
        print(remark, file=sys.stderr)


def _tell_outcome(done: Imported) -> None:
    """The numbers, and the rows that want a look."""
    what = "would be created" if done.dry_run else "created"
    where = "Dry run" if done.dry_run else f"Import {done.id}"
    numbers = f"{done.created} {what}, {done.existing} existing, {done.joined} joined, {done.held} held"
    more = f"{done.changed} changed, {done.deleted} deleted, {done.skipped} skipped"
    print(f"{where}: {numbers}, {more}, {done.bad} lines not understood")
    reasons = Counter(verdict.why for verdict in done.verdicts if verdict.what == "skipped")
    for why, count in reasons.most_common():
        print(f"  {count} skipped: {why}")
    for number, verdict in enumerate(filter(_wants_a_look, done.verdicts)):
        if number == SHOWN:
            print("  and more")
            break
        may_be = " It may be " + _named(verdict.candidates) if verdict.candidates else ""
        print(f"  line {verdict.line}: {verdict.what}. {verdict.why}{may_be}")
    if done.held or done.changed:
        print("  Held rows count nowhere until they are decided: expenses undecided, expenses decide")


def _wants_a_look(verdict: Verdict) -> bool:
    return verdict.what in ("joined", "held", "changed", "deleted")


def _named(expense_ids: Sequence[int]) -> str:
    return " or ".join(f"#{each}" for each in expense_ids)


def _undecided(_: argparse.Namespace, ledger: LedgerAPI) -> int:
    found = ledger.undecided()
    for each in found:
        what = "waits" if each.kind == "row" else "counts"
        account = f", {each.account}" if each.account else ""
        print(
            f"#{each.id} {each.date} {each.amount} {each.description}{account}: {what}; "
            f"may be {_named(each.candidates) or 'new'}. {each.why}"
        )
    print("expenses decide ID new|skip|OTHER_ID" if found else "There is nothing to decide.")
    return DONE


def _decide(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    number = ledger.decide(given.id, given.what, keep_amount=given.keep_amount)
    print(f"Decided; change {number}." if number is not None else "It was so before.")
    return DONE


def _merge(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    expense = ledger.merge(given.id, given.into)
    print(f"#{given.id} is the same payment as #{expense.id} from now on.")
    return DONE


def _split(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    for part in ledger.split(given.id, given.parts):
        print(f"#{part.id} {part.amount} {part.category}")
    return DONE


def _rules(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    if given.delete is not None:
        ledger.delete_rule(given.delete)
        print(f"Deleted rule {given.delete}.")
    elif given.text is not None:
        rule = ledger.add_rule(given.text, given.category, skip=given.skip)
        print(f"{rule.id}: {rule.text}: {'left out' if rule.skip else rule.category}")
    else:
        for rule in ledger.rules():
            print(f"{rule.id}: {rule.text}: {'left out' if rule.skip else rule.category}")
    return DONE


def _export(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    wanted = Filter(
        category=given.category,
        account=given.account,
        tag=given.tag,
        date_from=given.date_from,
        date_to=given.date_to,
        amount_min=given.amount_min,
        amount_max=given.amount_max,
        q=given.q,
    )
    suffix = Path(given.file).suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        return _fail("An export's name ends in .csv, or in .jsonl for everything with its history.")
    if suffix == ".jsonl" and wanted != Filter():
        return _fail("An export in .jsonl is of everything; filters are for .csv.")
    with _bar("Exporting") as told:
        if suffix == ".csv":
            ledger.export_csv(given.file, wanted, progress=told)
        else:
            ledger.export_history(given.file, progress=told)
    print(f"Written: {given.file}")
    return DONE


def _check(_: argparse.Namespace, ledger: LedgerAPI) -> int:
    findings = ledger.check()
    for finding in findings:
        print(finding)
    if not findings:
        print("The ledger is sound.")
    return NOT_ALL if findings else DONE


def _backup(given: argparse.Namespace, ledger: LedgerAPI) -> int:
    ledger.backup(given.file)
    print(f"Written: {given.file}")
    return DONE


def _migrate(given: argparse.Namespace) -> int:
    target = given.ledger or os.environ.get("EXPENSE_API_URL", "").strip() or default_target()
    if is_url(target):
        return _fail("A handler's ledger is migrated where it is: name a file, or an address in PostgreSQL.")
    before, after = engine_of(target).migrate()
    print(
        f"Migrated: from version {before} to {after}." if before < after else f"Up to date: version {after}."
    )
    return DONE


def _copy(given: argparse.Namespace) -> int:
    if any(map(is_url, (given.source, given.target))):
        return _fail("A handler's ledger is copied where it is: name files, or addresses in PostgreSQL.")
    if not is_address(given.source) and not Path(given.source).exists():
        return _fail(f"There is no ledger: {given.source}.")
    with Ledger(given.source) as ledger, _bar("Copying") as progress:
        ledger.copy_to(given.target, progress)
    with Ledger(given.target) as copied:
        count = copied.overview().count
        print(f"Copied: {count} expenses, and all that belongs to them.")
        return _check(given, copied)


def _restore(given: argparse.Namespace) -> int:
    copied = restore_backup(given.file, given.ledger)
    if copied is not None:
        print(f"What was there is in {copied}")
    print(f"The ledger is as {given.file} has it.")
    return DONE


def _fail(why: object) -> int:
    print(f"expenses: {why}", file=sys.stderr)
    return FAILED


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on standard error, where that is a terminal. Yields what to tell rows done and total."""
    from tqdm import tqdm  # noqa: PLC0415 - most commands show none

    with tqdm(desc=what, unit=" rows", unit_scale=True, leave=False, disable=None) as bar:

        def tell(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell


def _mapping(given: list[tuple[str, str | None]]) -> dict[str, object] | None:
    """The columns by field; several for a field that is given several times."""
    columns: dict[str, list[str | None]] = {}
    for field, column in given:
        columns.setdefault(field, []).append(column)
    return {field: parts[0] if len(parts) == 1 else parts for field, parts in columns.items()} or None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _about() -> str:
    """What the help says last: this module's docstring without its first line."""
    about = (__doc__ or "").replace("``", "").partition("\n\n")[2]
    return f"{about}\nexpenses COMMAND --help tells more of each."


_RUN: dict[str, Run] = {
    "app": _app,
    "serve": _serve,
    "add": _on_ledger(_add),
    "import": _on_ledger(_import),
    "undecided": _on_ledger(_undecided),
    "decide": _on_ledger(_decide),
    "merge": _on_ledger(_merge),
    "split": _on_ledger(_split),
    "rules": _on_ledger(_rules),
    "export": _on_ledger(_export),
    "check": _on_ledger(_check),
    "backup": _on_ledger(_backup),
    "migrate": _migrate,
    "copy": _copy,
    "restore": _restore,
}


if __name__ == "__main__":
    sys.exit(main())
