"""The rules of importing a statement: which of its rows are known, and what becomes of the others.

Read in this order: ``payments`` (what each row is, whatever is in the ledger), ``deciding`` (what becomes of
it), ``telling`` (the verdicts), ``writing``.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, get_args

from expense_lib.domain.errors import FieldError, InvalidInput
from expense_lib.domain.money import Currency
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported, Similar
from expense_lib.rules.importing.matching import Decision
from expense_lib.rules.importing.payments import Payments
from expense_lib.rules.importing.verdicts import answer
from expense_lib.rules.importing.writing import write
from expense_lib.store import imports
from expense_lib.store.sqlite import transaction

if TYPE_CHECKING:
    from expense_lib.statements.plan import Plan

_ATTEMPTS = 3  # without holding the lock


def run(
    con: sqlite3.Connection,
    currency: Currency,
    plan: Plan,
    similar: Similar,
    progress: Progress,
    *,
    dry_run: bool,
) -> Imported:
    """Find out what becomes of each row, and write that unless it is a dry run.

    It is found out before the write lock is taken. What others write meanwhile mostly has nothing to do with
    it. If it does, it is found out anew; if that happens again and again, while the lock is held.
    """
    if similar not in get_args(Similar):
        raise InvalidInput([FieldError("similar", "must be 'import' or 'skip'")])
    payments = Payments(plan, currency, progress)
    skip = similar == "skip"
    for _ in range(_ATTEMPTS):
        with transaction(con, write=False):
            seen = imports.seen(con)
            decision = Decision(con, payments, skip_similar=skip)
        if dry_run:
            break
        with imports.in_bulk(con):
            now = imports.seen(con)
            if now == seen or (now.imports == seen.imports and decision.holds(con, seen.last_seq)):
                return _written(con, decision, progress)
    if not dry_run:
        with imports.in_bulk(con):
            return _written(con, Decision(con, payments, skip_similar=skip), progress)
    decision.settle_copies()
    progress(payments.size, payments.size)
    return answer(decision, None)


def _written(con: sqlite3.Connection, decision: Decision, progress: Progress) -> Imported:
    import_id = write(con, decision, progress)
    decision.settle_copies()
    progress(decision.payments.size, decision.payments.size)
    return answer(decision, import_id)
