"""A submission: what somebody sends to be recorded, and how it is known again."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from expense_lib.domain import keys
from expense_lib.domain.content import ANNOTATIONS, Content
from expense_lib.domain.errors import IdempotencyKeyReused
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.keys import check_idempotency_key
from expense_lib.domain.money import Currency
from expense_lib.rules.claims import keys_from
from expense_lib.rules.pairing import AFTER_DAYS, BEFORE_DAYS
from expense_lib.store.addition import Addition
from expense_lib.store.claims import request_text

_AHEAD = 8  # occurrences of which the first free one is looked for in one round trip


class Submission:
    """A submission to be recorded.

    *dedup_key* is that of the occurrence it names, or of the first. *key* is that by which it is found again
    if it is sent again without an idempotency key.
    """

    def __init__(self, new: NewExpense, currency: Currency, idempotency_key: str | None) -> None:
        check_idempotency_key(idempotency_key)
        self.new = new
        self.content = new.content(currency)
        self.idempotency_key = idempotency_key
        self.dedup_key = self.content.dedup_key()
        self.key = self.dedup_key if new.category is not None else self.uncategorised()

    def uncategorised(self, occurrence: int | None = None) -> str:
        """The key of this occurrence, or of its own, without a category."""
        now = self.content
        return keys.uncategorised(now.amount_minor, now.description, now.date, occurrence or now.occurrence)

    def take_category(self, category: str) -> None:
        """Have a category that the sender did not say."""
        self.content = self.content._replace(category=category)
        self.dedup_key = self.content.dedup_key()

    def request(self) -> dict[str, Any]:
        """The submitted fields in the canonical form in which the bodies of one idempotency key are compared.

        What was not sent is null: so are the fields that a request stored by an older version lacks.
        """
        sent = self.content.folded()
        return {
            "amount": sent.amount_minor,
            "category": None if self.new.category is None else sent.category,
            "description": sent.description,
            "date": sent.date,
            "occurrence": self.new.occurrence,
            **{name: getattr(sent, name) or None for name in ANNOTATIONS},
        }

    def differs(self, now: Content) -> tuple[str, ...]:
        """The fields in which the expense is not what was sent, by the sender's names."""
        if self.content == now:
            return ()
        sent = self.new.model_fields_set
        unsaid = {name for name in ANNOTATIONS if name not in sent}
        if self.new.category is None:
            unsaid.add("category")
        names = [name for name in self.content.folded().differences(now.folded()) if name != "occurrence"]
        if self.new.occurrence is not None and self.new.occurrence != now.occurrence:
            names.append("occurrence")
        return tuple("amount" if name == "amount_minor" else name for name in names if name not in unsaid)

    @property
    def is_another(self) -> bool:
        """Whether it is another payment than those that are there, whatever they say."""
        return self.idempotency_key is not None and self.new.occurrence is None

    def days_near(self) -> tuple[str, str]:
        """The first and the last day on which a bank may tell of it."""
        return _days_near(self.new.date)

    def addition(self) -> Addition:
        """What an engine has to know to record it at once; its category is said."""
        first, ahead = self.content.occurrence, _AHEAD if self.is_another else 1
        return Addition(
            key=self.dedup_key if self.idempotency_key is None else self.name,
            request=None if self.idempotency_key is None else request_text(self.request()),
            content=self.content,
            dedup_keys=keys_from(self.content.identity, first, ahead),
            near=self.days_near() if self.new.occurrence in (None, 1) else None,
        )

    @property
    def name(self) -> str:
        """The idempotency key's name among the claims, where it can't be taken for a dedup key."""
        return f"sent:{self.idempotency_key}"

    def refuse_another_body(self, first: dict[str, Any]) -> None:
        """Refuse it if it is not what was *first* sent with its idempotency key.

        Raises:
            IdempotencyKeyReused: it is so.
        """
        again = self.request()
        differing = [field for field in again if again[field] != first.get(field)]
        if differing:
            raise IdempotencyKeyReused(differing)


@lru_cache(4096)
def _days_near(date: dt.date) -> tuple[str, str]:
    day, last = date.toordinal(), dt.date.max.toordinal()
    days = (max(day - AFTER_DAYS, 1), min(day + BEFORE_DAYS, last))
    return dt.date.fromordinal(days[0]).isoformat(), dt.date.fromordinal(days[1]).isoformat()
