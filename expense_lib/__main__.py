"""The ledger's command line: ``python -m expense_lib import|export|check|backup``.

It works on the ledger that the environment names, a handler elsewhere included, or on ``--ledger``. What was
done is told on standard output, everything else on standard error. Exit codes:

    0  done
    1  done, but lines of the statement were not understood; or the check found something
    2  refused or failed
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from tqdm import tqdm

from expense_lib import ExpenseError, Filter, InvalidInput, open_ledger, statements
from expense_lib.domain.statement import Imported, Verdict
from expense_lib.ledger import Ledger
from expense_lib.statements.columns import FIELDS

if TYPE_CHECKING:
    from expense_lib.client import RemoteLedger

DONE, NOT_ALL, FAILED = 0, 1, 2
SHOWN = 20  # of lines and rows that want a look

Run = Callable[[argparse.Namespace, "Ledger | RemoteLedger"], int]


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say. Returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    run: Run = given.run
    try:
        with open_ledger(given.ledger) as ledger:
            code = run(given, ledger)
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
        return _fail("Interrupted. Importing again adds nothing twice.")


def _import(given: argparse.Namespace, ledger: Ledger | RemoteLedger) -> int:
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
            progress=lambda rows: told(rows, None),
        )
    with _bar("Importing") as told:
        done = ledger.import_statement(plan, dry_run=given.dry_run, similar=given.similar, progress=told)
    _tell_reading(plan)
    _tell_outcome(done)
    for bad in plan.bad[:SHOWN]:
        print(f"line {bad.line}: {bad.reason}", file=sys.stderr)
    if len(plan.bad) > SHOWN:
        print(f"and {len(plan.bad) - SHOWN} more lines that were not understood", file=sys.stderr)
    return NOT_ALL if plan.bad else DONE


def _tell_reading(plan: statements.Plan) -> None:
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


def _tell_outcome(done: Imported) -> None:
    """The numbers, and the rows that want a look."""
    what = "would be created" if done.dry_run else "created"
    where = "Dry run" if done.dry_run else f"Import {done.id}"
    numbers = f"{done.created} {what}, {done.existing} existing, {done.skipped} skipped"
    more = f", {done.changed} changed, {done.deleted} deleted, {done.bad} lines not understood"
    print(f"{where}: {numbers}{more}")
    reasons = Counter(verdict.why for verdict in done.verdicts if verdict.what == "skipped")
    for why, count in reasons.most_common():
        print(f"  {count} skipped: {why}")
    for number, verdict in enumerate(filter(_wants_a_look, done.verdicts)):
        if number == SHOWN:
            print("  and more")
            break
        print(f"  line {verdict.line}: {verdict.what}. {verdict.why}")


def _wants_a_look(verdict: Verdict) -> bool:
    return verdict.what in ("changed", "deleted") or verdict.looks_like is not None


def _export(given: argparse.Namespace, ledger: Ledger | RemoteLedger) -> int:
    wanted = Filter(
        category=given.category,
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


def _check(_: argparse.Namespace, ledger: Ledger | RemoteLedger) -> int:
    findings = ledger.check()
    for finding in findings:
        print(finding)
    if not findings:
        print("The ledger is sound.")
    return NOT_ALL if findings else DONE


def _backup(given: argparse.Namespace, ledger: Ledger | RemoteLedger) -> int:
    ledger.backup(given.file)
    print(f"Written: {given.file}")
    return DONE


def _fail(why: object) -> int:
    print(f"expense_lib: {why}", file=sys.stderr)
    return FAILED


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on standard error, where that is a terminal. Yields what to tell rows done and total."""
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


def _mapped(text: str) -> tuple[str, str | None]:
    """``date=Booking Date``, or ``reference=`` for none."""
    field, equals, column = text.partition("=")
    if not equals or field not in FIELDS:
        raise argparse.ArgumentTypeError(f"must be FIELD=COLUMN, where FIELD is one of {', '.join(FIELDS)}")
    return field, column or None


def _parser() -> argparse.ArgumentParser:
    about = (__doc__ or "").replace("``", "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m expense_lib",
        description=about[0],
        epilog=about[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ledger", help="its file, or the URL of a handler")
    commands = parser.add_subparsers(required=True, metavar="import|export|check|backup")

    importing = commands.add_parser(
        "import", help="have each payment of a bank's statement in the ledger once"
    )
    importing.set_defaults(run=_import)
    importing.add_argument("file", help="CSV, OFX, QFX or QIF")
    importing.add_argument("--dry-run", action="store_true", help="say what would become of each row")
    importing.add_argument("--account", default="", help="which account the statement is of")
    importing.add_argument(
        "--map", action="append", default=[], type=_mapped, metavar="FIELD=COLUMN", help=", ".join(FIELDS)
    )
    importing.add_argument("--spending", choices=("positive", "negative"), help="the sign of money out")
    importing.add_argument("--credits", choices=("skip", "refund"), default="skip", help="money in")
    importing.add_argument("--category", default="Uncategorised", help="where nothing else says one")
    importing.add_argument("--date-format", help="as strptime takes it: %%d/%%m/%%Y")
    importing.add_argument("--decimal", choices=(".", ","))
    importing.add_argument("--encoding")
    importing.add_argument(
        "--similar", choices=("import", "skip"), default="import", help="rows that look like an expense"
    )

    exporting = commands.add_parser("export", help="write expenses to a new file")
    exporting.set_defaults(run=_export)
    exporting.add_argument("file", help="what ends in .csv, or .jsonl for everything with its history")
    exporting.add_argument("--category", action="append", default=[])
    exporting.add_argument("--q", default="", help="text in description or category")
    for name in ("date-from", "date-to", "amount-min", "amount-max"):
        exporting.add_argument(f"--{name}")

    commands.add_parser("check", help="say what is wrong with the ledger").set_defaults(run=_check)
    backing_up = commands.add_parser("backup", help="write a consistent copy to a new file")
    backing_up.set_defaults(run=_backup)
    backing_up.add_argument("file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
