"""Which columns of a statement are which field, as they were found or said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from expense_lib.app import reading_options
from expense_lib.app.edits import Failed
from expense_lib.app.import_phases import Asked, Phase
from expense_lib.app.reading_options import FIELDS, FURTHER, MAPPING, Choice
from expense_lib.statements import Plan
from expense_lib.statements.columns import OF_SEVERAL

_EITHER = {"amount": ("debit", "credit"), "debit": ("amount",), "credit": ("amount",)}


@dataclass(frozen=True)
class StatementColumns:
    """The columns of a file.

    Attributes:
        names: All of them, as far as it has any: those of its first lines if it can't be read.
        mapping: The column of each field, by its name; several together are a tuple or a list.
        head: The cells of the file's first lines.
    """

    names: tuple[str, ...]
    mapping: Mapping[str, object]
    head: Sequence[Sequence[str]]

    @classmethod
    def of(
        cls,
        said: Mapping[str, object] | None,
        plan: Plan | None,
        phase: Phase,
        head: Sequence[Sequence[str]],
    ) -> StatementColumns:
        """Those of a file in a *phase*, read as *plan*, if it could be, with what was *said* of them."""
        if said is None:
            said = phase.mapping if isinstance(phase, Asked) else plan.reading.mapping if plan else {}
        if plan:
            names = plan.reading.columns
        elif isinstance(phase, Asked) and phase.errors[0].field.startswith(MAPPING):
            names = phase.choices
        else:
            names = reading_options.names_of(head) if isinstance(phase, Asked | Failed) else ()
        return cls(names, said, head)

    def of_field(self, field: str) -> tuple[str, ...]:
        """The columns of a field."""
        return _each(self.mapping.get(field))

    def choice(self, field: str) -> Choice:
        """What the column of a field can be, and what it is."""
        of_it = self.of_field(field)
        value = of_it if len(of_it) > 1 else of_it[0] if of_it else None
        return Choice.of_column(field, reading_options.labelled(self.names, self.head), value)

    def options(self) -> list[str]:
        """The options that say which column a field is in, and in which further one, if it may be."""
        found = []
        for field in FIELDS:
            found.append(f"{MAPPING}{field}")
            if field in OF_SEVERAL and 0 < len(self.of_field(field)) < len(self.names):
                found.append(f"{FURTHER}{field}")
        return found

    def further(self, field: str) -> Choice:
        """What may be a field together with the columns that are it."""
        others = [name for name in self.names if name not in self.of_field(field)]
        return Choice.of_further(field, reading_options.labelled(others, self.head))

    def extended(self, field: str, column: str | None) -> tuple[str, ...]:
        """The columns of a field with one more, if any is given."""
        return (*self.of_field(field), *_each(column))

    def moved(self, field: str, to: object) -> dict[str, object]:
        """The mapping with a field in this column, in several together, or, if it is None, in none.

        All others stay as they are, but an amount is in one column, or in one for each direction, and no
        column is two fields.
        """
        taken = _each(to)
        kept = {}
        for other, columns in self.mapping.items():
            left = tuple(each for each in _each(columns) if each not in taken)
            if not taken or len(left) == len(_each(columns)):
                kept[other] = columns
            elif left:
                kept[other] = left
        gone = _EITHER.get(field, ()) if taken else ()
        return {name: columns for name, columns in kept.items() if name not in gone} | {field: to or None}


def _each(columns: object) -> tuple[str, ...]:
    if isinstance(columns, list | tuple):
        return tuple(map(str, columns))
    return () if columns in (None, "") else (str(columns),)
