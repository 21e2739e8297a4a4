"""A world of true payments, the ways in which persons and banks tell of them, and an oracle that knows it all."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from expense_lib import ChangedSince, ExpenseFilter, Ledger, NewExpense, Undecided
from expense_lib.statements import Plan
from tests.statement_files import Line, a_csv, an_ofx, november

Words = Literal["first", "stub", "typo", "own"]
References = Literal["none", "own", "from 1"]


class Payee(NamedTuple):
    """How a payee is called by a bank's CSV, its OFX, as long as it is pending, and by persons."""

    csv: str
    ofx: str
    pending: str
    first: str
    stub: str
    typo: str
    own: str


PAYEES = (
    Payee(
        "STARBUCKS BERLIN MITTE",
        "Starbucks Filiale",
        "PENDING STARBUCKS",
        "Starbucks",
        "Starb",
        "Starbuks",
        "Latte",
    ),
    Payee("EDEKA SAGT DANKE", "Edeka Markt", "EDEKA", "Edeka", "Edek", "Edkea", "Fruit"),
    Payee(
        "KAUFLAND HAMBURG",
        "Kaufland Warenhaus",
        "RESERVED KAUFLAND",
        "Kaufland",
        "Kauf",
        "Kaufalnd",
        "Shopping",
    ),
)
PAYEE_OF = {text: at for at, payee in enumerate(PAYEES) for text in payee[:3]}
SOURCES = ("csv", "ofx", "pending")


@dataclass(frozen=True)
class Payment:
    """One true payment: *day* is when it was made, *booked* when the bank posts it.

    *words* and *says_account* are how a person tells of it, if one does.
    """

    cents: int
    day: int
    booked: int
    payee: int
    account: str
    words: Words | None = None
    says_account: bool = False
    pending_days: int = 0

    @property
    def is_card(self) -> bool:
        return self.account != "Cash"

    @property
    def amount(self) -> str:
        return str(Decimal(self.cents) / 100)

    @property
    def kind(self) -> tuple[int, int, int, str]:
        """What the bank's rows of it have in common with those of an equal payment."""
        return self.cents, self.booked, self.payee, self.account


class Typed(NamedTuple):
    """A person enters payment *at*, and sends that *times* times, with an idempotency key or not."""

    at: int
    has_key: bool
    times: int = 1


class File(NamedTuple):
    """A statement of the payments that are booked from one day to another, downloaded *times* times."""

    source: Literal["csv", "ofx"]
    account: str
    first: int
    last: int
    references: References
    seed: int = 0
    times: int = 1


class Undo(NamedTuple):
    """The import before the last *back* is undone, and made again: by undoing that, or from its file."""

    back: int
    by_undo: bool


class Touch(NamedTuple):
    """Somebody edits the text or the note of the live expense that is number *at*."""

    at: int
    field: Literal["description", "note"]


Act = Typed | File | Undo | Touch


@dataclass(frozen=True)
class World:
    payments: tuple[Payment, ...]
    acts: tuple[Act, ...]


def lines(world: World, file: File) -> list[Line]:
    """The rows of a statement, pending payments among those of a CSV."""
    found: list[tuple[int, int, str]] = []
    for number, each in enumerate(world.payments):
        if each.account != file.account:
            continue
        pending = each.booked - each.pending_days
        if file.first <= each.booked <= file.last:
            found.append((each.booked, number, getattr(PAYEES[each.payee], file.source)))
        elif file.source == "csv" and each.booked > file.last and file.first <= pending <= file.last:
            found.append((pending, number, PAYEES[each.payee].pending))
    random.Random(file.seed).shuffle(found)  # noqa: S311 - an order, no secret
    rows = []
    for at, (day, number, text) in enumerate(found, 1):
        names = {"own": f"{file.source}-{number}-{text[:4]}", "from 1": str(at)}
        reference = [names[file.references]] if file.references in names else []
        rows.append(november(day, text, world.payments[number].amount, *reference))
    return rows


def a_statement(world: World, file: File) -> Plan | None:
    rows = lines(world, file)
    if not rows:
        return None
    build = a_csv if file.source == "csv" else an_ofx
    trusted = None if file.references == "from 1" else True
    return build(*rows, account=file.account, references=trusted)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "expenses.db"
        with Ledger(path) as ledger:
            ledger.search()
        return path.read_bytes()


@contextmanager
def a_telling(world: World) -> Iterator[Told]:
    """A new ledger, in which nothing of the world is yet."""
    folder = tempfile.mkdtemp()
    path = Path(folder) / "expenses.db"
    path.write_bytes(_empty())
    with Ledger(path) as ledger:
        yield Told(world, ledger)
    shutil.rmtree(folder)


@dataclass
class Told:
    """A ledger, and what it was told of a world."""

    world: World
    ledger: Ledger
    typed: dict[int, int] = field(default_factory=dict)  # the expense that each payment was entered as
    plans: list[tuple[int, Plan]] = field(default_factory=list)  # with the ids of their imports
    said_joined: int = 0
    asked: int = 0

    def tell(self, acts: Sequence[Act]) -> None:
        for act in acts:
            match act:
                case Typed():
                    self._enter(act)
                case File():
                    self._bring(act)
                case Undo():
                    self._undo(act)
                case Touch():
                    self._touch(act)
            assert self.ledger.check() == [], act

    def _enter(self, act: Typed) -> None:
        each = self.world.payments[act.at]
        assert each.words is not None
        equal = [
            at
            for at, other in enumerate(self.world.payments[: act.at])
            if other.words and self._said(other) == self._said(each)
        ]
        new = NewExpense.model_validate(
            {**self._said(each), "account": each.account if each.says_account else None}
        )
        key = f"key-{act.at}" if act.has_key or equal or self._is_repeated(act.at) else None
        for _ in range(act.times):
            receipt = self.ledger.record(new, idempotency_key=key)
            self.said_joined += receipt.joined
            self.typed[act.at] = receipt.expense.id

    def _said(self, each: Payment) -> dict[str, str]:
        return {
            "amount": each.amount,
            "category": "Food",
            "description": getattr(PAYEES[each.payee], each.words or "first"),
            "date": f"2026-11-{each.day:02}",
        }

    def _is_repeated(self, at: int) -> bool:
        each = self.world.payments[at]
        later = self.world.payments[at + 1 :]
        return any(other.words and self._said(other) == self._said(each) for other in later)

    def _bring(self, act: File) -> None:
        plan = a_statement(self.world, act)
        for _ in range(act.times if plan else 0):
            assert plan is not None
            dry = self.ledger.import_statement(plan, dry_run=True)
            done = self.ledger.import_statement(plan)
            assert [each.what for each in dry.verdicts] == [each.what for each in done.verdicts]
            self.said_joined += done.joined
            self.plans.append((done.id or 0, plan))

    def _undo(self, act: Undo) -> None:
        if not self.plans:
            return
        at = len(self.plans) - 1 - act.back % len(self.plans)
        import_id, plan = self.plans[at]
        number = self.ledger.undo_import(import_id).number
        assert self.ledger.check() == []
        if act.by_undo and number is not None:
            with suppress(ChangedSince):
                if not self.ledger.undo(number).kept:
                    return
        done = self.ledger.import_statement(plan)
        self.said_joined += done.joined
        self.plans[at] = done.id or 0, plan

    def _touch(self, act: Touch) -> None:
        items = sorted(self.ledger.search(ExpenseFilter(limit=500)).items, key=lambda each: each.id)
        if items:
            chosen = items[act.at % len(items)]
            self.ledger.amend(chosen.id, {act.field: f"Touched {chosen.id}"}, chosen.version)

    # What is so

    def truth(self) -> Counter[int]:
        """How many payments of each amount the ledger was told of."""
        told = set(self.typed)
        found = Counter(self.world.payments[at].cents for at in told)
        told_kinds = {kind for rows in self._rows().values() for kind, _ in rows}
        for at, each in enumerate(self.world.payments):
            if at not in told and each.kind in told_kinds:
                found[each.cents] += 1
        return found

    def live(self) -> Counter[int]:
        page = self.ledger.search(ExpenseFilter(limit=500))
        found = Counter(int(each.amount * 100) for each in page.items)
        assert page.total * 100 == sum(cents * count for cents, count in found.items())
        return found

    def accounts(self) -> Counter[tuple[int, str | None]]:
        items = self.ledger.search(ExpenseFilter(limit=500)).items
        return Counter((int(each.amount * 100), each.account) for each in items)

    def waiting(self) -> Counter[int]:
        return Counter(int(each.amount * 100) for each in self.ledger.undecided() if each.kind == "row")

    def _rows(self) -> dict[int, list[tuple[tuple[int, int, int, str], str]]]:
        """The kinds of payments of the living rows that each expense has, with the source."""
        by_row: dict[tuple[str, int, str, str], tuple[int, int, int, str]] = {}
        for each in self.world.payments:
            payee = PAYEES[each.payee]
            for text, day in (
                (payee.csv, each.booked),
                (payee.ofx, each.booked),
                (payee.pending, each.booked - each.pending_days),
            ):
                by_row[f"2026-11-{day:02}", each.cents, text, each.account.casefold()] = each.kind
        found: defaultdict[int, list[tuple[tuple[int, int, int, str], str]]] = defaultdict(list)
        with closing(sqlite3.connect(self.ledger.path)) as con:
            for expense_id, *row in con.execute(
                "SELECT expense_id, date, amount_minor, text, account_key FROM told_row WHERE alive"
            ):
                found[expense_id].append((by_row[tuple(row)], row[2]))
        return found

    def _kinds(self) -> dict[int, set[tuple[int, int, int, str]]]:
        """The kinds of payments that each expense is, by what persons and banks told."""
        with closing(sqlite3.connect(self.ledger.path)) as con:
            into = dict(con.execute("SELECT id, merged_into FROM expense WHERE merged_into IS NOT NULL"))
        found: defaultdict[int, set[tuple[int, int, int, str]]] = defaultdict(set)
        for expense_id, rows in self._rows().items():
            found[expense_id] |= {kind for kind, _ in rows}
        for at, owner in self.typed.items():
            while owner in into:
                owner = into[owner]  # noqa: PLW2901 - the expense that it is by now
            found[owner].add(self.world.payments[at].kind)
        return found

    def answer(self) -> None:
        """Say the truth about all that is undecided."""
        for _ in range(4 * len(self.world.payments) + 4):
            undecided = self.ledger.undecided()
            if not undecided:
                return
            self.asked += 1
            each = undecided[0]
            said = self._what_is(each)
            before = self._merged()
            self.ledger.decide(each.id, same_as=said)
            self.said_joined += self._merged() - before - (said != "new")
            assert self.ledger.check() == []
        raise AssertionError(f"it is never decided: {self.ledger.undecided()}")

    def _merged(self) -> int:
        with closing(sqlite3.connect(self.ledger.path)) as con:
            return int(con.execute("SELECT COUNT(*) FROM expense WHERE state = 'merged'").fetchone()[0])

    def _what_is(self, each: Undecided) -> int | Literal["new"]:
        kinds, cents = self._kinds(), int(each.amount * 100)
        same = [other for other in each.candidates if kinds[other] & kinds[each.id]]
        if same:
            return same[0]
        extra = 1 if each.kind == "pair" else 0
        is_there = self.live()[cents] - extra >= self.truth()[cents]
        return each.candidates[0] if is_there and each.candidates else "new"

    def undo_all(self) -> None:
        """Undo one act after the other, the latest first, and delete what was entered."""
        with closing(sqlite3.connect(self.ledger.path)) as con:
            imports = con.execute("SELECT id, first_seq, last_seq FROM import").fetchall()
            numbers = con.execute(
                "SELECT COALESCE(part_of, seq), kind, expense_id, version FROM log_entry ORDER BY seq"
            ).fetchall()
        acts: dict[tuple[int, int, int], tuple[str, int]] = {}
        for import_id, first, last in imports:  # one that logged nothing comes before what is logged next
            acts[first, int(first <= last), import_id] = "import", import_id
        for number, kind, expense_id, version in numbers:
            if any(first <= number <= last for _, first, last in imports):
                continue
            is_entered = kind == "created" and version == 1
            acts.setdefault((number, 1, 0), ("delete", expense_id) if is_entered else ("undo", number))
        for _, (what, at) in sorted(acts.items(), reverse=True):
            if what == "import":
                self.ledger.undo_import(at)
            elif what == "delete":
                self.ledger.delete(at)
            else:
                self.ledger.undo(at)
            assert self.ledger.check() == [], (what, at)
