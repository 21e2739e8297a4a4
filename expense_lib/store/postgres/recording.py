"""Recording in one round trip, where nothing has to be judged: the client's side of ``functions.RECORD``."""

from __future__ import annotations

import re

from expense_lib.domain.content import KEYS
from expense_lib.domain.rows import COLUMNS
from expense_lib.store import categories, claims
from expense_lib.store.addition import Addition
from expense_lib.store.claims import Claim
from expense_lib.store.postgres import session
from expense_lib.store.postgres.errors import NoLedger
from expense_lib.store.postgres.functions import RECORD

_PARAMETERS = re.findall(r"\bp_(\w+) \w+(?:\[\])?[,\s]", RECORD.partition("RETURNS")[0])
_CALL = f"""
    SELECT outcome, {", ".join(COLUMNS)}, request
      FROM record_expense_1({", ".join(f":{name}" for name in _PARAMETERS)})
"""


def record(con: session.Session, new: Addition, actor: str) -> tuple[Claim, bool] | None:
    """Add an expense, unless its key has an owner: whose the key is now, and whether it was added.

    None if the rules have to judge: then nothing was written.

    Raises:
        NoLedger: there is none, or another one by now.
    """
    content, (first, until) = new.content, new.near or (None, None)
    _, _, _, high, low = categories.one_more(content)
    values = {
        "ledger": con.ledger.number,
        "lock_timeout": session.LOCK_TIMEOUT,
        "uid": con.ledger.uid,
        "actor": actor,
        "key": new.key,
        "request": new.request,
        "dedup_keys": list(new.dedup_keys),
        "near_from": first,
        "near_until": until,
        **content._asdict(),
        **dict(zip(KEYS, content.keys(), strict=True)),
        "total_high": high,
        "total_low": low,
    }
    [(outcome, *columns)] = con.call(_CALL, values)
    match outcome:
        case "gone":
            raise NoLedger
        case "judged":
            return None
    return claims.claim(tuple(columns)), outcome == "created"
