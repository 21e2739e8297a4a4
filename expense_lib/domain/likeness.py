"""Likeness of two descriptions of one payment: a person's words beside a bank's.

Texts are *alike* if they share a word of four letters or more, or if all words of the shorter one stand in
the longer one. What tells payments apart but not payees counts for nothing: accents, digits, punctuation, and
the words that banks put around every name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LEARNT = 1_001  # the likeness of texts that somebody said are of one payment
_WORD = re.compile(r"[^\W\d_]+")
_LONG = 4  # letters of a word that makes two texts alike by itself, or that may be the beginning of another
_FUZZY = 5  # letters of a word in which one may be wrong

NOISE = frozenset(
    """
    a ab ach achat and at atm auftrag authorised auth bank bei betaling bill bis buchung by card cards carte
    cb charge checkcard co com comp compra contactless corp credit crd cr ct cte danke dat date debit deb
    debito direct dr ec echtzeit eft einkauf einzug end ended entgelt epos eur ev faster fee for fpi from gbp
    geldautomat gmbh gutschrift iban inc international internet intl kartenzahlung karte kauf kd kg kunde
    lastschrift limited llc ltd mandat mastercard mc merchant mobile nfc no nr number of ohne om online onl
    pagamento pago paiement payment payments paypal pending point pos post posted prelevement purch purchase
    ref reference referenz sa sagt sale sarl sas sepa so spa squ sq srl sumup tap the to tpe tpv trans
    transaction transfer trx tst uberweisung ueberweisung und usa usd used vielen virement visa vom von www xx
    xxx xxxx your zahlung zettle zum zur
    """.split()  # noqa: SIM905 - a list is read word by word
)


@lru_cache(65_536)
def words(text: str) -> tuple[str, ...]:
    """The words of a text that count, each once, in order: folded letters, without accents and noise."""
    return tuple(dict.fromkeys(word for word in _all_words(text) if word not in NOISE))


def is_spelled_otherwise(one: str, other: str) -> bool:
    """Whether two texts differ in more than the numbers that both have."""
    has_numbers = [any(map(str.isdigit, text)) for text in (one, other)]
    return has_numbers[0] is not has_numbers[1] or _all_words(one) != _all_words(other)


def _all_words(text: str) -> list[str]:
    folded = text.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(each for each in decomposed if not unicodedata.combining(each))
    return _WORD.findall(folded)


def likeness(one: str, other: str) -> int:
    """By how much two texts are alike, in thousandths of their letters: 0 is not at all."""
    shorter, longer = sorted((words(one), words(other)), key=len)
    if not shorter:
        return 1_000 if one and one.casefold() == other.casefold() else 0
    shared = [word for word in shorter if any(_is_shared(word, each) for each in longer)]
    if not (len(shared) == len(shorter) or any(len(word) >= _LONG for word in shared)):
        return 0
    back = [word for word in longer if any(_is_shared(word, each) for each in shorter)]
    return max(1, 1_000 * sum(map(len, (*shared, *back))) // sum(map(len, (*shorter, *longer))))


@lru_cache(65_536)
def _is_shared(one: str, other: str) -> bool:
    """Two words are the same, or one begins the other, or they differ by one letter or by one swap."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= _LONG and longer.startswith(shorter):
        return True
    return len(shorter) >= _FUZZY and _is_one_slip(shorter, longer)


def _is_one_slip(shorter: str, longer: str) -> bool:
    """One letter is another, or is missing, or two neighbours are swapped."""
    at = next(
        (at for at, (one, other) in enumerate(zip(shorter, longer, strict=False)) if one != other), None
    )
    if at is None:
        return len(longer) - len(shorter) == 1
    if len(longer) == len(shorter) + 1:
        return shorter[at:] == longer[at + 1 :]
    if len(longer) != len(shorter):
        return False
    return shorter[at + 1 :] == longer[at + 1 :] or (
        shorter[at : at + 2] == longer[at : at + 2][::-1] and shorter[at + 2 :] == longer[at + 2 :]
    )
