"""The verdicts of an import, one for each row, each made when it is first read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import overload

from expense_lib.domain.statement import Imported, Verdict, What
from expense_lib.rules.importing.decision import (
    BACK,
    CHANGED,
    DELETED,
    EXISTING,
    HELD,
    HELD_BACK,
    JOINED,
    LEFT,
    NEW,
    SKIPPED,
    STILL_HELD,
    Decision,
)

_WHAT: dict[int, What] = {
    NEW: "created",
    BACK: "created",
    EXISTING: "existing",
    JOINED: "joined",
    HELD: "held",
    HELD_BACK: "held",
    STILL_HELD: "held",
    LEFT: "skipped",
    CHANGED: "changed",
    DELETED: "deleted",
    SKIPPED: "skipped",
}
_WHY = {
    EXISTING: "It was imported before.",
    DELETED: "It was imported before and then deleted; it stays deleted.",
}


class Verdicts(Sequence[Verdict]):
    """One verdict for each row, in the order of the file."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    def __len__(self) -> int:
        return self._decision.payments.size

    @overload
    def __getitem__(self, at: int) -> Verdict: ...
    @overload
    def __getitem__(self, at: slice) -> list[Verdict]: ...
    def __getitem__(self, at: int | slice) -> Verdict | list[Verdict]:
        if isinstance(at, slice):
            return [self._verdict(position) for position in range(*at.indices(len(self)))]
        return self._verdict(range(len(self))[at])

    def __iter__(self) -> Iterator[Verdict]:
        return map(self._verdict, range(len(self)))

    def __repr__(self) -> str:
        return f"<{len(self)} verdicts>"

    def _verdict(self, position: int) -> Verdict:
        decision = self._decision
        what = decision.what[position]
        source = decision.sources[position]
        why = decision.whys.get(position) or _WHY.get(what) or f"It is new. {source.why}"
        return Verdict(
            line=decision.payments.rows.lines[position],
            what=_WHAT[what],
            why=why,
            expense_id=decision.expense_ids[position] or None,
            category=decision.categories[position],
            category_from=source.category_from,
            candidates=tuple(decision.candidates.get(position, ())),
        )


def numbers(decision: Decision) -> dict[str, int]:
    """The number of rows of each verdict, and of lines that were not understood."""
    found: dict[str, int] = dict.fromkeys(_WHAT.values(), 0)
    for what, count in Counter(decision.what).items():
        found[_WHAT[what]] += count
    return {**found, "bad": len(decision.payments.plan.bad)}


def answer(decision: Decision, import_id: int | None) -> Imported:
    """The result of an import; a dry run has no id."""
    told = numbers(decision)
    return Imported(id=import_id, dry_run=import_id is None, verdicts=Verdicts(decision), **told)
