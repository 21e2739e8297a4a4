"""An expense ledger that cannot double-enter and cannot lose a cent.

The folders are layers, and imports point up this list only. Read in this order:

    domain/      what is true whatever the store, without I/O: ``errors``, ``money``, ``text``, ``keys`` (the
                 dedup key), ``content`` (the one list of an expense's fields), ``expense``, ``filters`` and
                 ``results`` (the models that go in and come out), ``statement`` (those of imports)
    store/       the SQLite file and all SQL on it
    statements/  a bank's file, read into rows; it knows no ledger
    rules/       what may be written: recording, editing, undoing, importing
    ledger       all that can be done with one file; ``exports``, ``presenting`` and ``files`` help it
    client       the same over HTTP, on ``transport``; ``api`` is the Protocol that both keep
    settings     ``open_ledger``: which of both the environment names; ``restore_backup``
    analytics/   a copy in DuckDB
    app/         what the web app knows and does, and its notebook
    __main__     the command ``expenses``, whose parser is ``arguments``

``analytics``, ``app`` and ``statements`` are imported by themselves: recording needs none of them.
"""

from expense_lib.domain.errors import (
    AmountError,
    AnalyticsUnavailable,
    BuiltUpon,
    CategoryNotFound,
    ChangedSince,
    ChangeNotFound,
    CurrencyError,
    CursorError,
    ExpenseDeleted,
    ExpenseError,
    ExpenseHeld,
    ExpenseMerged,
    ExpenseNotFound,
    FieldError,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    ImportNotFound,
    InvalidInput,
    LedgerBusy,
    LedgerDamaged,
    LedgerLogForeign,
    LedgerLogMoved,
    LedgerMoved,
    LedgerRestored,
    LedgerTooNew,
    LedgerUnavailable,
    LedgerUnsafe,
    NotALedger,
    NotAStatement,
    NotUndecided,
    RecordedThenDeleted,
    RuleNotFound,
    StaleVersion,
    StatementUnclear,
)
from expense_lib.domain.expense import NewCategory, NewExpense
from expense_lib.domain.filters import (
    CategoryMove,
    ChangesQuery,
    ExpenseFilter,
    Filter,
    LogQuery,
    SummaryQuery,
)
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    Health,
    LogEntry,
    Overview,
    Page,
    Part,
    Recategorised,
    Receipt,
    Renamed,
    Summary,
    Undecided,
    Undone,
    Values,
    Version,
)
from expense_lib.ledger import Ledger
from expense_lib.settings import open_ledger, restore_backup

__version__ = "0.1.0"  # the one place: a build reads it here

__all__ = [
    "AmountError",
    "AnalyticsUnavailable",
    "BuiltUpon",
    "CategoryMove",
    "CategoryNotFound",
    "CategoryTotal",
    "Change",
    "ChangeNotFound",
    "ChangedSince",
    "ChangesQuery",
    "CurrencyError",
    "CursorError",
    "Expense",
    "ExpenseDeleted",
    "ExpenseError",
    "ExpenseFilter",
    "ExpenseHeld",
    "ExpenseMerged",
    "ExpenseNotFound",
    "FieldError",
    "Filter",
    "Health",
    "IdempotencyKeyError",
    "IdempotencyKeyReused",
    "ImportNotFound",
    "InvalidInput",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "LedgerLogForeign",
    "LedgerLogMoved",
    "LedgerMoved",
    "LedgerRestored",
    "LedgerTooNew",
    "LedgerUnavailable",
    "LedgerUnsafe",
    "LogEntry",
    "LogQuery",
    "NewCategory",
    "NewExpense",
    "NotALedger",
    "NotAStatement",
    "NotUndecided",
    "Overview",
    "Page",
    "Part",
    "Recategorised",
    "Receipt",
    "RecordedThenDeleted",
    "Renamed",
    "RuleNotFound",
    "StaleVersion",
    "StatementUnclear",
    "Summary",
    "SummaryQuery",
    "Undecided",
    "Undone",
    "Values",
    "Version",
    "__version__",
    "open_ledger",
    "restore_backup",
]
