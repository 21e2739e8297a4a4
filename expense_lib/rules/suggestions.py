"""The category of a payment that is told without one: by a rule, else as the ledger has it for its text.

Nothing is learnt: the latest expenses are looked at whenever somebody asks. Where they do not agree by half,
nothing is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import chain, islice
from typing import NamedTuple

from expense_lib.domain.likeness import words
from expense_lib.domain.statement import CategoryFrom
from expense_lib.domain.text import fold
from expense_lib.store import categories, category_rules
from expense_lib.store.transaction import Transaction

LAST = 5  # expenses of one text that are looked at
_ALIKE = 500  # thousandths of the weight of two texts' words, which they share
_NOMINATED = 50  # texts that are compared with one that is asked for

Latest = Callable[[], Iterable[tuple[str, str]]]  # description's and category's key, the latest expense first
Words = tuple[str, ...]


class Suggestion(NamedTuple):
    """A category for a text, from where, and the same in a sentence."""

    category: str
    category_from: CategoryFrom
    why: str


def known(tx: Transaction, texts: Set[str], names: Mapping[str, str]) -> dict[str, Suggestion]:
    """The categories of those texts for which the ledger knows one; *names* as ``suggest`` takes them."""
    if not texts:
        return {}
    rules = [(rule.text, rule.category) for rule in category_rules.listed(tx) if rule.category is not None]
    return suggest(texts, rules, names, lambda: categories.latest(tx))


def suggest(
    texts: Set[str], rules: Iterable[tuple[str, str]], names: Mapping[str, str], latest: Latest
) -> dict[str, Suggestion]:
    """The categories of those texts for which one is known.

    Args:
        texts: Descriptions, in canonical form.
        rules: Text and category of each, in the order in which they are tried.
        names: How each category that has expenses is spelled, by its key.
        latest: Reads the latest expenses; called once for texts that no rule has, once more for texts alike.
    """
    found = _by_rule(texts, rules, names)
    keys = {text: key for text in texts if text not in found and (key := fold(text))}
    before = _before(set(keys.values()), latest) if keys else {}
    for text, key in keys.items():
        category = _agreed(before.get(key, ()))
        if category is not None:
            found[text] = Suggestion(
                names[category], "before", "Its category is as this description had before."
            )
    unknown = {text: asked for text, key in keys.items() if key not in before and (asked := words(text))}
    if unknown:
        texts_alike = _Known(latest())
        for text, asked in unknown.items():
            category = texts_alike.category(asked)
            if category is not None:
                found[text] = Suggestion(
                    names[category], "alike", "Its category is as descriptions like it had before."
                )
    return found


class _Known:
    """What the latest expenses tell of texts, by the words that count in them.

    A rare word weighs more than one that stands in many texts.
    """

    def __init__(self, latest: Iterable[tuple[str, str]]) -> None:
        by_key: dict[str, list[str]] = {}
        for key, category in latest:
            last = by_key.setdefault(key, [])
            if len(last) < LAST:
                last.append(category)
        self._categories: dict[Words, list[str]] = {}
        for key, last in by_key.items():
            self._categories.setdefault(words(key), []).extend(last)
        self._having: defaultdict[str, list[Words]] = defaultdict(list)
        for text in self._categories:
            for word in text:
                self._having[word].append(text)
        many = len(self._categories)
        self._weights = {word: (many // len(texts)).bit_length() for word, texts in self._having.items()}
        self._unknown = many.bit_length()

    def category(self, asked: Words) -> str | None:
        """The category of the texts that are most alike: which have at least half of all words in common."""
        weights = {word: self._weights.get(word, self._unknown) for word in asked}
        total, best, most = sum(weights.values()), _ALIKE, list[Words]()
        for text in self._nominated(weights):
            shared = sum([weight for word, weight in weights.items() if word in text])
            likeness = 2_000 * shared // (total + sum(map(self._weights.__getitem__, text)))
            if likeness > best:
                best, most = likeness, []
            if likeness == best:
                most.append(text)
        return _agreed(chain.from_iterable(self._categories[text][:LAST] for text in most))

    def _nominated(self, weights: Mapping[str, int]) -> Iterable[Words]:
        """Texts that share a word, each once: those with the rarest first, and of these the latest."""
        rarest = sorted(weights.keys() & self._having.keys(), key=lambda word: (-weights[word], word))
        having = (islice(self._having[word], _NOMINATED) for word in rarest)
        return dict.fromkeys(islice(chain.from_iterable(having), _NOMINATED))


def _by_rule(
    texts: Iterable[str], rules: Iterable[tuple[str, str]], names: Mapping[str, str]
) -> dict[str, Suggestion]:
    """The categories of texts in which the text of a rule stands."""
    tried = [
        (
            fold(text),
            Suggestion(names.get(fold(to), to), "rule", f"Its category is by the rule for {text!r}."),
        )
        for text, to in rules
    ]
    if not tried:
        return {}
    folded = ((text, fold(text)) for text in texts)
    found = ((text, next((said for part, said in tried if part in key), None)) for text, key in folded)
    return {text: said for text, said in found if said is not None}


def _before(keys: Set[str], latest: Latest) -> dict[str, list[str]]:
    """The categories of the last expenses of each text, the latest first; of those texts that have any."""
    found: dict[str, list[str]] = {}
    waiting = set(keys)
    for key, category in latest():
        if key in waiting:
            last = found.setdefault(key, [])
            last.append(category)
            if len(last) == LAST:
                waiting.remove(key)
                if not waiting:
                    break
    return found


def _agreed(categories: Iterable[str]) -> str | None:
    """The commonest of these, the first of equals; None if it is not half of them."""
    counted = Counter(categories)
    if not counted:
        return None
    ((category, count),) = counted.most_common(1)
    return category if 2 * count >= counted.total() else None
