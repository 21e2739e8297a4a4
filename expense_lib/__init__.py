"""An expense ledger that cannot double-enter and cannot lose a cent.

Read in this order: ``money`` and ``text`` (what is exact, what is equal), ``dedup`` (the key), ``models``
(what goes in and out), ``schema`` and ``connections`` (the file), ``store`` (its SQL), ``ledger`` (the
rules); on top ``client`` (the same over HTTP), ``settings`` (which of both) and ``entry`` (a form's fate).
"""

from expense_lib.errors import (
    AmountError,
    CurrencyError,
    CursorError,
    ExpenseError,
    ExpenseNotFound,
    FieldError,
    IdempotencyKeyError,
    IdempotencyKeyReused,
    InvalidInput,
    LedgerBusy,
    LedgerTooNew,
    LedgerUnavailable,
    NotALedger,
)
from expense_lib.ledger import Ledger
from expense_lib.models import CategoryTotal, Expense, ExpenseFilter, NewExpense, Page, Receipt
from expense_lib.settings import open_ledger

__all__ = [
    "AmountError",
    "CategoryTotal",
    "CurrencyError",
    "CursorError",
    "Expense",
    "ExpenseError",
    "ExpenseFilter",
    "ExpenseNotFound",
    "FieldError",
    "IdempotencyKeyError",
    "IdempotencyKeyReused",
    "InvalidInput",
    "Ledger",
    "LedgerBusy",
    "LedgerTooNew",
    "LedgerUnavailable",
    "NewExpense",
    "NotALedger",
    "Page",
    "Receipt",
    "open_ledger",
]
