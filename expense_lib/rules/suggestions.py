"""The category of a payment that is told without one: by a rule, else as the ledger has it for its text.

Nothing is learnt: the latest expenses are looked at whenever somebody asks. Where they do not agree by half,
nothing is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import chain, islice
from typing import NamedTuple

from expense_lib.domain.likeness import words
from expense_lib.domain.statement import CategoryFrom
from expense_lib.domain.text import fold
from expense_lib.store import categories, category_rules
from expense_lib.store.transaction import Transaction

LAST = 5  # expenses of one text that are looked at
_NOMINATED = 200  # texts that are compared with one that is asked for

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
    """What the latest expenses tell of texts, by the words that count in them."""

    def __init__(self, latest: Iterable[tuple[str, str]]) -> None:
        self._categories: dict[Words, list[str]] = {}
        for key, category in latest:
            last = self._categories.setdefault(words(key), [])
            if len(last) < LAST:
                last.append(category)
        self._having: defaultdict[str, list[Words]] = defaultdict(list)
        for text in self._categories:
            for word in text:
                self._having[word].append(text)

    def category(self, asked: Words) -> str | None:
        """The category of the texts that are most alike: which have at least half of all words in common."""
        best, most = 1, []
        total = self._weight(asked)
        for text in islice(self._nominated(asked), _NOMINATED):
            shared = self._weight(word for word in text if word in asked)
            likeness = 2_000 * shared // (total + self._weight(text))
            if likeness > best:
                best, most = likeness, []
            if likeness == best:
                most.append(text)
        if best < 500:
            return None
        return _agreed(chain.from_iterable(self._categories[text] for text in most))

    def _nominated(self, asked: Words) -> Iterator[Words]:
        """Texts that share a word, each once: those with the rarest first, and of these the latest."""
        rarest = sorted((word for word in asked if word in self._having), key=self._commonness)
        return iter(
            dict.fromkeys(chain.from_iterable(islice(self._having[word], _NOMINATED) for word in rarest))
        )

    def _commonness(self, word: str) -> int:
        return len(self._having[word])

    def _weight(self, counted: Iterable[str]) -> int:
        """The sum of the words' weights: a rare word says more than one that stands in many texts."""
        many, having = len(self._categories), self._having
        return sum((many // len(having.get(word, (word,)))).bit_length() for word in counted)


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
