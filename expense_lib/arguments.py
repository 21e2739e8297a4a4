"""The arguments of each of the ``expenses`` commands, and their help."""

from __future__ import annotations

import argparse
import os

from expense_lib import __version__, addresses
from expense_lib.domain.limits import DEFAULT_CATEGORY

COLUMN_FIELDS = (
    "date, amount, debit, credit, type, description, category, reference, currency, account, note, tags"
)


APP = """\
Needs expense-ledger[app]. It listens to this machine only. To open it to a network, put a password in a file:

    expenses app --host 0.0.0.0 --token-password-file password.txt --session-ttl 3600

Whoever has the password may do everything. Without a server before it that speaks TLS, the password and the
expenses go over the network readable."""

SERVE = """\
Needs expense-ledger[server]. It listens to this machine only, unless EXPENSE_API_TOKEN holds a secret:

    EXPENSE_API_TOKEN=... expenses serve --host 0.0.0.0 --port 8000

Its /docs shows every path. EXPENSE_API_URL is not used: a handler does not serve another handler's ledger."""

ADD = """\
examples:
    expenses add 12.50 Food Lunch
    expenses add 12.50 Food Lunch                  # there already: a second run adds nothing
    expenses add 12.50 Food Lunch --another        # a second lunch, at the same price on the same day
    expenses add 9.80 "" Lunch                     # in the category that Lunch had before
    expenses add 900 Rent --date 2026-11-01
    expenses add 3.00 Food "Bottle deposit" --refund"""

IMPORT = """\
How dates, amounts and signs are written, and which column is what, is found in the file and told on standard
error; --map, --spending, --date-format, --decimal, --encoding and --references say it where that is wrong.

examples:
    expenses import november.csv --account Giro --dry-run
    expenses import card.csv --map reference=TransNo --map reference="Seq No"    # a batch and its lines
    expenses import odd.csv --map date="Booking Date" --map amount=Betrag --map reference="""

EXPORT = """\
A name that ends in .csv gets the expenses that match, by date; importing that file again adds nothing. One
that ends in .jsonl gets every expense with its whole history, a line of JSON each.

examples:
    expenses export food.csv --category Food --date-from 2026-01-01
    expenses export everything.jsonl"""

RESTORE = """\
What the backup has becomes what the ledger has, in one transaction. What was there before is copied beside
it, and the name of the copy is told: go back to that to undo it."""

CHECK = "It prints what is wrong, a line each, and exits with 1; or that the ledger is sound."


MIGRATE = """\
In PostgreSQL it makes the tables that are absent too, and is for their owner: whoever else uses the ledgers
need not own them. Run it before a new version is started; the version before it goes on meanwhile. A file is
also brought up to date whenever it is opened."""

COPY = """\
All of it is copied, with its ids and its history, and compared before it is kept. Let nobody write to the
ledger meanwhile: what is written after the copy has begun is not in it.
"""


def parser(epilog: str) -> argparse.ArgumentParser:
    """The parser of all commands. What it parses has the name of the chosen one in *command*."""
    parser = argparse.ArgumentParser(
        "expenses",
        description="Keep a ledger of expenses in which each payment is there once.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    where = "the ledger: a file, made on first use, or the URL of a handler"
    parser.add_argument("--ledger", help=where)
    common = argparse.ArgumentParser(add_help=False)  # before the command or after it, as one likes
    common.add_argument("--ledger", default=argparse.SUPPRESS, help=where)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for name, does, add_arguments, more in (
        ("app", "run the app, and open it in the browser", _add_app, APP),
        ("serve", "serve the ledger over HTTP, as JSON", _add_serve, SERVE),
        ("add", "record one expense, once", _add_add, ADD),
        ("import", "import a bank's statement, each payment once", _add_import, IMPORT),
        ("undecided", "list payments that may be one with another", _add_nothing, ""),
        ("decide", "say what an undecided payment is", _add_decide, ""),
        ("merge", "make two expenses one payment", _add_merge, ""),
        ("split", "split a payment into parts of several categories", _add_split, ""),
        ("rules", "list, add or delete the rules of imports", _add_rules, ""),
        ("export", "write expenses to a new file", _add_export, EXPORT),
        ("check", "look for damage in the ledger", _add_nothing, CHECK),
        ("backup", "write a consistent copy of the ledger to a new file", _add_backup, ""),
        ("migrate", "bring the ledger's tables up to date", _add_nothing, MIGRATE),
        ("copy", "copy a ledger to an empty one, in a file or in PostgreSQL", _add_copy, COPY),
        ("restore", "go back to a backup, while others have the ledger open", _add_restore, RESTORE),
    ):
        command = commands.add_parser(
            name,
            parents=[common],
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_arguments(command)
    return parser


def _add_host(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)"
    )


def _add_app(command: argparse.ArgumentParser) -> None:
    _add_host(command)
    command.add_argument(
        "--port",
        type=addresses.port,
        help="0 takes any free one (default: 2718, or the first free one above)",
    )
    command.add_argument("--headless", action="store_true", help="open no browser")
    command.add_argument(
        "--token-password-file",
        metavar="FILE",
        help="ask for the password in this file, - being standard input; opens no browser, whose address "
        "would hold the password",
    )
    command.add_argument(
        "--session-ttl",
        type=int,
        metavar="SECONDS",
        help="how long a page that lost its connection can take it up again (default: 120)",
    )
    command.add_argument(
        "--base-url", metavar="PATH", help="the path under which a server before it has the app"
    )
    command.add_argument("--proxy", metavar="URL", help="the address of the server before it")


def _add_serve(command: argparse.ArgumentParser) -> None:
    _add_host(command)
    command.add_argument(
        "--port",
        type=addresses.port,
        default=os.environ.get("PORT") or "8000",
        help="0 takes any free one (default: the variable PORT, else 8000)",
    )


def _add_add(command: argparse.ArgumentParser) -> None:
    command.add_argument("amount", help="a plain decimal, such as 12.50")
    command.add_argument(
        "category",
        nargs="?",
        help='such as Food; "" or none: by a rule, or as this description had before',
    )
    command.add_argument("description", nargs="?", default="", help="what it was; may be left out")
    command.add_argument("--date", metavar="YYYY-MM-DD", help="the day it was paid (default: today)")
    command.add_argument("--refund", action="store_true", help="money came back")
    command.add_argument("--account", metavar="NAME", help="where the money left: a bank, a card, Cash")
    command.add_argument("--note", metavar="TEXT", help="what else there is to say of it")
    command.add_argument("--tag", action="append", dest="tags", metavar="TAG", help="a word; repeatable")
    command.add_argument(
        "--another",
        action="store_true",
        help="it is one more, though an equal one may be there: each run adds one",
    )
    command.add_argument(
        "--occurrence",
        type=int,
        metavar="N",
        help="which of the equal payments of that day it is: 2 for the second, however often this is run",
    )


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="CSV, OFX, QFX or QIF")
    command.add_argument(
        "--dry-run", action="store_true", help="write nothing, and say what would become of each row"
    )
    command.add_argument("--account", default="", metavar="NAME", help="which account the statement is of")
    command.add_argument(
        "--map",
        action="append",
        default=[],
        type=_mapped,
        metavar="FIELD=COLUMN",
        help="which column is what, by name or by number from 1; repeatable, also for a description or a "
        f"reference in several columns; nothing after = for none. FIELD is one of {COLUMN_FIELDS}",
    )
    command.add_argument(
        "--spending", choices=("positive", "negative"), help="the sign of money that was spent"
    )
    command.add_argument(
        "--credits",
        choices=("skip", "refund"),
        default="skip",
        help="what becomes of money that came in (default: %(default)s)",
    )
    command.add_argument(
        "--category",
        default=DEFAULT_CATEGORY,
        metavar="NAME",
        help="the category of rows for which nothing else says one (default: %(default)s)",
    )
    command.add_argument("--date-format", metavar="FORMAT", help="as strptime takes it: %%d/%%m/%%Y")
    command.add_argument("--decimal", choices=(".", ","), help="what separates an amount's fraction")
    command.add_argument("--encoding", metavar="NAME", help="such as cp1252")
    command.add_argument(
        "--references",
        action=argparse.BooleanOptionalAction,
        help="whether the bank gives each payment a number of its own (default: the file proves it)",
    )
    command.add_argument(
        "--decide",
        action="append",
        default=[],
        type=_decided,
        metavar="LINE=WHAT",
        help="what a row is that is not known: new, skip, or the id of the expense that it is; repeatable",
    )


def _add_decide(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", type=_id, help="as expenses undecided lists it")
    command.add_argument("what", type=_what, help="new, skip, or the id of the expense that it is")
    command.add_argument(
        "--keep-amount", action="store_true", help="that expense keeps its amount, not the bank's"
    )


def _add_merge(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", type=_id, help="the expense that is to go")
    command.add_argument("into", type=_id, help="the one that it is the same payment as")


def _add_split(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", type=_id, help="the payment")
    command.add_argument(
        "parts", nargs="+", type=_part, metavar="AMOUNT=CATEGORY", help="they add up to the payment"
    )


def _add_rules(command: argparse.ArgumentParser) -> None:
    command.add_argument("text", nargs="?", help="add a rule for rows with this text; without, list all")
    command.add_argument("category", nargs="?", help="which category they are of")
    command.add_argument("--skip", action="store_true", help="they are left out")
    command.add_argument("--delete", type=_id, metavar="ID", help="delete the rule of this id")


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="the new file's name, in .csv or .jsonl")
    command.add_argument(
        "--category", action="append", default=[], metavar="NAME", help="expenses of this one; repeatable"
    )
    command.add_argument(
        "--account", action="append", default=[], metavar="NAME", help="of this account; repeatable"
    )
    command.add_argument(
        "--tag", action="append", default=[], metavar="TAG", help="with this tag; repeatable"
    )
    command.add_argument(
        "--q", default="", metavar="TEXT", help="with this text in description, category or note"
    )
    command.add_argument("--date-from", metavar="YYYY-MM-DD", help="of this day or later")
    command.add_argument("--date-to", metavar="YYYY-MM-DD", help="of this day or earlier")
    command.add_argument("--amount-min", metavar="AMOUNT", help="of at least this amount")
    command.add_argument("--amount-max", metavar="AMOUNT", help="of at most this amount")


def _add_nothing(_: argparse.ArgumentParser) -> None:
    pass


def _add_backup(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="the copy's name; a file that is there is not overwritten")


def _add_copy(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="FROM", help="the ledger: a file, or postgresql://…?ledger=NAME")
    command.add_argument("target", metavar="TO", help="where it is copied to; made if it is not there")


def _add_restore(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", help="the backup, which is left as it is")


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError("must be an id, such as 12")
    return int(text)


def _what(text: str) -> int | str:
    if text in ("new", "skip"):
        return text
    try:
        return _id(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError("must be new, skip, or the id of an expense") from None


def _decided(text: str) -> tuple[int, int | str]:
    """``12=new``, ``12=skip`` or ``12=33``."""
    line, _, what = text.partition("=")
    return _id(line), _what(what)


def _part(text: str) -> tuple[str, str]:
    """``31.00=Food``."""
    amount, equals, category = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be AMOUNT=CATEGORY")
    return amount, category


def _mapped(text: str) -> tuple[str, str | None]:
    """``date=Booking Date``, or ``reference=`` for none."""
    from expense_lib.statements.columns import FIELDS  # noqa: PLC0415 - it takes a fifth of a start

    field, equals, column = text.partition("=")
    if not equals or field not in FIELDS:
        raise argparse.ArgumentTypeError(f"must be FIELD=COLUMN, where FIELD is one of {', '.join(FIELDS)}")
    return field, column or None
