"""The spelling of accounts: the first one of each is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable

from expense_lib.domain.content import folded
from expense_lib.store.transaction import Transaction

_NAMES = "SELECT key, name FROM account WHERE key IN (SELECT value FROM json_each(:keys))"
_ALL_NAMES = "SELECT name FROM account ORDER BY key"
_ALL = "SELECT key, name FROM account"
_ADD = "INSERT INTO account (key, name) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"


def spelled(tx: Transaction, accounts: Iterable[str | None]) -> dict[str | None, str | None]:
    """The ledger's spelling of each of these accounts; of a new one, the first spelling that is given."""
    wanted = dict.fromkeys(account for account in accounts if account is not None)
    if not wanted:
        return {None: None}
    known = dict(tx.execute(_NAMES, {"keys": json.dumps(_keys(wanted))}))
    return {None: None, **{account: known.setdefault(folded(account), account) for account in wanted}}


def announce(tx: Transaction, accounts: Iterable[str | None]) -> None:
    """Announce that these will be ``spelled``."""
    if keys := _keys(accounts):
        tx.ahead(_NAMES, {"keys": json.dumps(keys)})


def announce_names(tx: Transaction) -> None:
    """Announce that ``names`` will be asked."""
    tx.ahead(_ALL_NAMES)


def names(tx: Transaction) -> list[str]:
    """Every account that there ever was, by name."""
    return [name for (name,) in tx.execute(_ALL_NAMES)]


def by_key(tx: Transaction) -> dict[str, str]:
    """The spelling of every account, by its key."""
    return dict(tx.execute(_ALL))


def add(tx: Transaction, accounts: Iterable[str | None]) -> None:
    """Keep the spelling of those that are new."""
    new = {folded(account): account for account in sorted(filter(None, accounts))}
    if new:
        tx.executemany(_ADD, new.items())


def _keys(accounts: Iterable[str | None]) -> list[str]:
    return [*dict.fromkeys(folded(account) for account in accounts if account is not None)]
