"""What PostgreSQL's errors are to whoever uses a ledger. No message repeats an address or a password."""

from __future__ import annotations

from psycopg import DatabaseError, Error, InterfaceError, OperationalError, errors

from expense_lib.domain.errors import LedgerBusy, LedgerUnavailable
from expense_lib.store.claims import KeyTaken

_BUSY = (
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.SerializationFailure,
    errors.DeadlockDetected,
)
_READ_ONLY = "The database takes no writes: it is a read-only replica, or was set so. Nothing was written."
_REFUSED = "The database refuses this user or this password."
_LOST = "The connection to the database was lost. Sending again is safe."
_UNTRUSTED = "The database's certificate is not one that the address trusts. Nothing was sent."
_NO_TLS = "The database speaks no TLS, which the address asks for. Nothing was sent."
_UNREACHED = "The database can't be reached. Nothing was written."
_WHY = {  # by what libpq says, which has no codes for it
    "authentication": _REFUSED,
    "no pg_hba.conf entry": _REFUSED,
    "no password supplied": _REFUSED,
    "certificate": _UNTRUSTED,
    "server does not support SSL": _NO_TLS,
}
_DENIED = "The database's user may not do this. Nothing was written."


class NoLedger(Exception):
    """The ledger was removed from the database, or another, or one of another time, was put in its place."""


def gone() -> LedgerUnavailable:
    """What is raised for NoLedger."""
    return LedgerUnavailable(
        "There is no ledger of this name in the database, or another one by now. Try again."
    )


def unreached(error: Error) -> LedgerUnavailable:
    """Why a connection can't be opened."""
    text = str(error)
    for said, why in _WHY.items():
        if said in text:
            return LedgerUnavailable(why)
    return LedgerUnavailable(_UNREACHED)


def raise_as_ours(error: BaseException) -> None:
    """Raise *error*, if it is PostgreSQL's and about the ledger, as the error of this library that it is.

    A violated constraint, but for a key that was taken meanwhile, would be a mistake of this library.
    """
    match error:
        case errors.UniqueViolation() if error.diag.table_name == "all_claim":
            raise KeyTaken from error
        case errors.ReadOnlySqlTransaction():
            raise LedgerUnavailable(_READ_ONLY) from error
        case errors.InsufficientPrivilege():
            raise LedgerUnavailable(_DENIED) from error
    if isinstance(error, _BUSY):
        raise LedgerBusy from error
    if isinstance(error, OperationalError | InterfaceError | errors.IdleInTransactionSessionTimeout):
        raise LedgerUnavailable(_LOST) from error
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        raise LedgerUnavailable("The database's tables are not this version's.") from error
    if isinstance(error, DatabaseError) and error.sqlstate in ("53100", "53200", "53300"):
        raise LedgerUnavailable(
            "The database has no room or no connection left. Nothing was written."
        ) from error
