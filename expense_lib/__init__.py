"""An expense ledger that cannot double-enter and cannot lose a cent.

Read in this order: ``money`` and ``text`` (what is exact, what is equal), ``dedup`` (the key), ``models``
and ``answers`` (what goes in and out), ``store`` (the file and its SQL), ``recording``, ``editing`` and
``undoing`` (the rules), ``ledger`` (all of it); on top ``client`` (the same over HTTP), ``settings`` (which
of both), ``entry`` (what becomes of a form) and ``analytics`` (a copy in DuckDB, imported by itself).
"""

from expense_lib.answers import (
    CategoryTotal,
    Change,
    Expense,
    Health,
    Page,
    Part,
    Receipt,
    Snapshot,
    Summary,
    Undone,
    Version,
)
from expense_lib.errors import (
    AmountError,
    AnalyticsUnavailable,
    CategoryNotFound,
    ChangedSince,
    ChangeNotFound,
    CurrencyError,
    CursorError,
    ExpenseDeleted,
    ExpenseError,
    ExpenseNotFound,
    FieldError,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    InvalidInput,
    LedgerBusy,
    LedgerDamaged,
    LedgerMoved,
    LedgerTooNew,
    LedgerUnavailable,
    NotALedger,
    RecordedThenDeleted,
    StaleVersion,
)
from expense_lib.ledger import Ledger
from expense_lib.models import (
    ChangesWanted,
    ExpenseChanges,
    ExpenseFilter,
    NewCategory,
    NewExpense,
    SummaryWanted,
)
from expense_lib.settings import open_ledger

__all__ = [
    "AmountError",
    "AnalyticsUnavailable",
    "CategoryNotFound",
    "CategoryTotal",
    "Change",
    "ChangeNotFound",
    "ChangedSince",
    "ChangesWanted",
    "CurrencyError",
    "CursorError",
    "Expense",
    "ExpenseChanges",
    "ExpenseDeleted",
    "ExpenseError",
    "ExpenseFilter",
    "ExpenseNotFound",
    "FieldError",
    "Health",
    "IdempotencyKeyError",
    "IdempotencyKeyReused",
    "InvalidInput",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "LedgerMoved",
    "LedgerTooNew",
    "LedgerUnavailable",
    "NewCategory",
    "NewExpense",
    "NotALedger",
    "Page",
    "Part",
    "Receipt",
    "RecordedThenDeleted",
    "Snapshot",
    "StaleVersion",
    "Summary",
    "SummaryWanted",
    "Undone",
    "Version",
    "open_ledger",
]
