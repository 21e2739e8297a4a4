"""Who owns which dedup key, and which occurrence of a payment is the next free one: looked up in sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count

from expense_lib.domain.errors import FieldError, InvalidInput
from expense_lib.domain.keys import MAX_OCCURRENCE, Identity
from expense_lib.store import claims
from expense_lib.store.transaction import Transaction

_FIRST_LOOK = 4  # occurrences looked up at once; then twice as many, and so on


def keys_from(identity: Identity, occurrence: int, number: int) -> tuple[str, ...]:
    """The dedup keys of up to *number* occurrences of a payment, from one on."""
    return tuple(map(identity.dedup_key, range(occurrence, min(occurrence + number, MAX_OCCURRENCE + 1))))


def _first_keys(identities: Iterable[Identity]) -> Iterator[str]:
    return chain.from_iterable(keys_from(identity, 1, _FIRST_LOOK) for identity in identities)


class Claims:
    """The owners of dedup keys as far as they were looked up, and what is claimed but not written yet."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._owners: dict[str, int | None] = {}
        self._taken: dict[Identity, int] = {}  # all its occurrences up to this one have an owner
        self.new: dict[str, int] = {}

    def look_up(self, keys: Iterable[str]) -> None:
        """Find the owners of these keys, in a few statements however many they are."""
        unknown = sorted({key for key in keys if key not in self._owners})
        self._owners.update(dict.fromkeys(unknown))
        self._owners.update(claims.owners(self._tx, unknown))

    def announce(self, keys: Iterable[str]) -> None:
        """Announce that the owners of these will be looked up."""
        claims.announce(self._tx, sorted({key for key in keys if key not in self._owners}))

    def owner(self, key: str) -> int | None:
        """The id of the expense that owns *key*; None if nobody does."""
        if key not in self._owners:
            self.look_up([key])
        return self._owners[key]

    def claim(self, key: str, expense_id: int) -> None:
        """Give *key* to an expense; it is written with the change."""
        self._owners[key] = self.new[key] = expense_id

    def look_for_free(self, identities: Iterable[Identity]) -> None:
        """Look up the first occurrences of payments of which ``next_free`` will be asked."""
        self.look_up(_first_keys(identities))

    def announce_free(self, identities: Iterable[Identity]) -> None:
        """Announce that ``look_for_free`` will be asked."""
        self.announce(_first_keys(identities))

    def next_free(self, identity: Identity, after: int = 0) -> int:
        """The smallest occurrence, larger than *after*, whose key nobody owns, not even the deleted.

        Raises:
            InvalidInput: all are taken.
        """
        look = _FIRST_LOOK
        for occurrence in count(max(after, self._taken.get(identity, 0)) + 1):
            if occurrence > MAX_OCCURRENCE:
                raise InvalidInput([FieldError("occurrence", f"has none left: {MAX_OCCURRENCE} are taken")])
            key = identity.dedup_key(occurrence)
            if key not in self._owners:
                self.look_up(keys_from(identity, occurrence, look))
                look *= 2
            if self._owners[key] is None:
                break
        self._taken[identity] = occurrence - 1
        return occurrence
