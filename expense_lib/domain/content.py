"""The one list of an expense's fields: everything that somebody says of a payment.

Rows, log entries, the columns of every SQL statement, exports and the analysis copy are made from
``Content``. A new annotation is one line here, a migration, and its place in ``NewExpense`` and ``Values``,
which say what may be sent and what is answered; a test holds these together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from expense_lib.domain.keys import KEY_PREFIX, Identity, digest
from expense_lib.domain.text import fold

folded = lru_cache(65_536)(fold)  # for the many texts of a ledger that come again and again


class Content(NamedTuple):
    """The content of one version of an expense. Texts are canonical.

    *date* is ISO. *account* is None where it is not known. *tags* are joined by spaces, which none has, in
    the order of their folded texts. The fields after *occurrence* are annotations: no part of the identity.
    """

    amount_minor: int
    category: str
    description: str
    date: str
    occurrence: int
    account: str | None = None
    note: str = ""
    tags: str = ""

    @property
    def category_key(self) -> str:
        """By which categories are compared."""
        return folded(self.category)

    @property
    def identity(self) -> Identity:
        """The part of the content that the dedup key is made of, without the occurrence."""
        return Identity(self.amount_minor, folded(self.category), self.description, self.date)

    def has_identity_of(self, other: Content) -> bool:
        """Whether *other* has the same identity; faster than comparing them."""
        return (self.amount_minor, self.description, self.date) == (
            other.amount_minor,
            other.description,
            other.date,
        ) and _same(self.category, other.category)

    def has_account_of(self, other: Content) -> bool:
        """Whether *other* has the same account, whatever its case."""
        return _same(self.account, other.account)

    def dedup_key(self) -> str:
        """The key of this content."""
        return (
            KEY_PREFIX
            + digest(
                self.amount_minor, folded(self.category), self.description, self.date, self.occurrence
            ).hex()
        )

    def keys(self) -> tuple[str, str, str | None, str, str]:
        """The folded texts by which expenses are compared and searched, in the order of KEYS."""
        return (
            folded(self.category),
            folded(self.description),
            None if self.account is None else folded(self.account),
            fold(self.note) if self.note else "",
            tags_key(self.tags),
        )

    def equals(self, other: Content) -> bool:
        """Whether *other* says the same, but for its occurrence and for spelling that does not count."""
        return (
            (self.amount_minor, self.description, self.date, self.note)
            == (other.amount_minor, other.description, other.date, other.note)
            and _same(self.category, other.category)
            and _same(self.account, other.account)
            and _same(self.tags, other.tags)
        )

    def folded(self) -> Content:
        """The same without the spelling that does not count."""
        account = None if self.account is None else folded(self.account)
        return self._replace(category=folded(self.category), account=account, tags=folded(self.tags))

    def differences(self, other: Content) -> tuple[str, ...]:
        """The names of the fields in which *other* differs, spelling included."""
        return tuple([name for name, one, two in zip(FIELDS, self, other, strict=True) if one != two])


FIELDS = Content._fields
ANNOTATIONS = FIELDS[FIELDS.index("occurrence") + 1 :]
KEYS = ("category_key", "description_key", "account_key", "note_key", "tags_key")


def tags_key(tags: str) -> str:
    """By which tags are compared: folded, a space before and after each, so that one can be looked for."""
    return f" {folded(tags)} " if tags else ""


def join_tags(tags: tuple[str, ...]) -> str:
    """Tags as Content has them: each once, whatever its case, in the order of their folded texts."""
    if not tags:
        return ""
    return " ".join(text for _, text in sorted({fold(tag): tag for tag in reversed(tags)}.items()))


def _same(one: str | None, other: str | None) -> bool:
    """Two texts that are compared whatever their case."""
    if one == other or one is None or other is None:
        return one == other
    return folded(one) == folded(other)
