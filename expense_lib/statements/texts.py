"""Texts of a statement in canonical form; banks write what a person would not."""

from __future__ import annotations

import unicodedata

from expense_lib.domain.content import join_tags
from expense_lib.domain.limits import (
    MAX_ACCOUNT_LENGTH,
    MAX_CATEGORY_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NOTE_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
)
from expense_lib.domain.text import canonical_text


def clean(given: str) -> str:
    """*given* as a canonical text; control characters and lone surrogates count as white space."""
    if given.isascii() and given.isalnum():
        return given
    if not given.isprintable():
        given = "".join(
            " " if unicodedata.category(character) in ("Cc", "Cs") else character for character in given
        )
    return canonical_text(given)


def description(given: str) -> str:
    """A description, cut where it is longer than an expense's may be."""
    return clean(given)[:MAX_DESCRIPTION_LENGTH].rstrip()


def category(given: str) -> str | None:
    """A category, cut in the same way; None if it is empty."""
    return clean(given)[:MAX_CATEGORY_LENGTH].rstrip() or None


def account(given: str) -> str:
    """An account's name, cut in the same way."""
    return clean(given)[:MAX_ACCOUNT_LENGTH].rstrip()


def note(given: str) -> str:
    """A note, cut in the same way."""
    return clean(given)[:MAX_NOTE_LENGTH].rstrip()


def tags(given: str) -> str:
    """Tags as ``Content`` has them, of a text that has spaces or commas between them; cut in the same way."""
    words = (word.lstrip("#")[:MAX_TAG_LENGTH] for word in clean(given).replace(",", " ").split())
    found = join_tags(tuple(word for word in words if word and "#" not in word))
    return " ".join(found.split(" ")[:MAX_TAGS])
