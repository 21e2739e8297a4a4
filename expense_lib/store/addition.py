"""An addition: a submission as an engine can record it at once, where nothing has to be judged."""

from __future__ import annotations

from typing import NamedTuple

from expense_lib.domain.content import Content


class Addition(NamedTuple):
    """A submission, with all that has to be known of it beforehand.

    Attributes:
        key: The key by which it is known if it is a repeat.
        request: What is kept with *key*, if that is an idempotency key.
        content: What is added, if it is none.
        dedup_keys: The keys of its occurrence and of those after it: it gets the first that is free.
        near: The days on which no bank may have told of its amount; None if that does not matter.
    """

    key: str
    request: str | None
    content: Content
    dedup_keys: tuple[str, ...]
    near: tuple[str, str] | None
