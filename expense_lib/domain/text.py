"""Texts in their one canonical form, which is what is compared, hashed and stored."""

from __future__ import annotations

import unicodedata


def canonical_text(given: str) -> str:
    """*given* in Unicode's NFC, stripped, with every run of white space (``str.isspace``) as one space.

    Raises:
        ValueError: it holds a control character that is no white space (NUL, say) or a lone surrogate.
    """
    text = " ".join(unicodedata.normalize("NFC", given).split())
    if not text.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("must not hold control characters or lone surrogates")
    return text


def fold(text: str) -> str:
    """The case-folded form of a text, in NFC, by which texts are compared: "FOOD" and "Food" are both "food".

    Args:
        text: A canonical text.
    """
    return unicodedata.normalize("NFC", text.casefold())
