"""The dedup keys of a statement's new rows: equal payments get the occurrences that are free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from expense_lib.domain.keys import KEY_PREFIX
from expense_lib.domain.keys import digest as key_digest
from expense_lib.rules.claims import Claims
from expense_lib.rules.importing.payments import (
    DIGEST_BYTES,
    TELL_EVERY,
    Payments,
    entry,
    position_of,
    repeats,
    split,
)
from expense_lib.store import claims
from expense_lib.store.transaction import Transaction


def of_new(
    tx: Transaction, payments: Payments, made: Sequence[int], category_key: Callable[[int], str]
) -> tuple[list[bytes], dict[int, int]]:
    """The keys of new rows, each at the next free occurrence, and the occurrences that are not 1.

    Args:
        tx: The transaction.
        payments: The rows.
        made: The positions of those that are new, in the order in which they get their occurrences.
        category_key: The folded category of the row at a position.

    Returns:
        The keys' digests, each followed by its position (``payments.entry``), sorted; and the occurrences by
        position.
    """
    rows = payments.rows
    keys = [
        entry(
            key_digest(
                payments.minor[position],
                category_key(position),
                rows.descriptions[position],
                payments.date(position),
                1,
            ),
            position,
        )
        for position in made
    ]
    keys.sort()
    taken = {key for key, _ in claims.owners(tx, map(as_key, keys))}
    later = {at for at, _ in repeats(keys)}
    if taken:
        later.update(at for at, key in enumerate(keys) if as_key(key) in taken)
    occurrences: dict[int, int] = {}
    last: dict[bytes, int] = {}
    changed: list[tuple[int, bytes]] = []
    ordered = sorted(later)  # equal rows are neighbours
    for begin in range(0, len(ordered), TELL_EVERY):
        batch = ordered[begin : begin + TELL_EVERY]
        free = Claims(tx)  # anew for each batch: a statement may have very many equal rows
        free.look_for_free(
            payments.identity(position, category_key(position))
            for position in (position_of(keys[at]) for at in batch)
        )
        for at in batch:
            digest, position = split(keys[at])
            identity = payments.identity(position, category_key(position))
            after = last.get(digest, 0 if as_key(keys[at]) in taken else 1)
            occurrence = last[digest] = occurrences[position] = free.next_free(identity, after)
            key = identity.dedup_key(occurrence).removeprefix(KEY_PREFIX)
            changed.append((at, entry(bytes.fromhex(key), position)))
    for at, key_entry in changed:
        keys[at] = key_entry
    keys.sort()
    return keys, occurrences


def as_key(together: bytes) -> str:
    """The dedup key that an entry begins with."""
    return KEY_PREFIX + together[:DIGEST_BYTES].hex()
