"""The store's SQL as PostgreSQL takes it: the store has one text of each statement, and here is what differs.

- Parameters: ``:name`` and ``?`` become ``%(name)s`` and ``%s``; a literal ``%`` is doubled.
- ``IN (SELECT value FROM json_each(:name))`` becomes ``= ANY (%(name)s)``: the JSON that is bound is read
  into a list, which PostgreSQL looks up key by key in an index. Elsewhere ``json_each`` becomes ``unnest``,
  of texts.
- ``instr`` is ``strpos``; days are added to a ``date`` by arithmetic; ``INDEXED BY``, which PostgreSQL does
  not have, is left out.
- Every unique key begins with the ledger's, so a conflict's target does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"'(?:[^']|'')*'|::|:([a-z_]\w*)|\?|%")
_ANY_OF = re.compile(r"IN \(SELECT value FROM json_each\(:(\w+)\)\)")
_EACH_OF = re.compile(r"json_each\(:(\w+)\)")
_DAYS_FROM = re.compile(r"\bdate\(([\w.]+), '([+-]\d+) days?'\)")
_HINT = re.compile(r" INDEXED BY \{?\w+\}?")
_TARGET = re.compile(r"ON CONFLICT \(")
_PLAIN_INSERT = re.compile(r"\s*INSERT INTO (\w+) \(([\w,\s]+)\)\s+VALUES \([?,\s]+\)\s*")
_PLAIN_UPDATE = re.compile(r"\s*UPDATE (\w+) SET (\w+ = \?(?:, \w+ = \?)*) WHERE (\w+) = \?\s*")
_READS = re.compile(r"\s*(SELECT|WITH)\b|.*\bRETURNING\b", re.DOTALL)
_WRITTEN = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
_VIEWS = {"told_row"}  # of several tables
_NAMED = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")


class Text(NamedTuple):
    """A statement of the store's for PostgreSQL.

    *lists* are the parameters that are bound as JSON and read into lists. *answers*: it has rows to give.
    *copy* does the same as a plain INSERT for many rows, *update* as a plain UPDATE, its rows put in for
    ``{rows}``. *reads* are the tables and views that it reads, *writes* the one that it writes, if it does.
    """

    sql: str
    lists: tuple[str, ...]
    answers: bool
    copy: str | None
    update: str | None
    reads: frozenset[str]
    writes: str | None

    def depends_on(self, table: str) -> bool:
        """Whether what it gives may be other after *table* was written."""
        return table in self.reads or not self.reads.isdisjoint(_VIEWS)


@lru_cache(1024)
def text(sql: str) -> Text:
    """What *sql* is for PostgreSQL."""
    lists = tuple(dict.fromkeys(_EACH_OF.findall(sql)))
    converted = _ANY_OF.sub(r"= ANY (:\1)", sql)
    converted = _EACH_OF.sub(r"unnest(CAST(:\1 AS text[])) AS each(value)", converted)
    converted = _DAYS_FROM.sub(r"to_char(CAST(\1 AS date) + (\2), 'YYYY-MM-DD')", converted)
    converted = _HINT.sub("", converted)
    converted = _TARGET.sub("ON CONFLICT (ledger_id, ", converted)
    converted = re.sub(r"\binstr\(", "strpos(", converted)
    plain, written = _PLAIN_INSERT.fullmatch(sql), _WRITTEN.match(sql)
    return Text(
        _TOKEN.sub(_parameter, converted),
        lists,
        _READS.match(sql) is not None,
        f"COPY all_{plain[1]} ({plain[2]}) FROM STDIN" if plain else None,
        _update_of_many(sql),
        frozenset(_NAMED.findall(sql)),
        None if written is None else written[1],
    )


def _update_of_many(sql: str) -> str | None:
    """A plain UPDATE as one statement for many rows, typed as the columns are by an empty first part."""
    plain = _PLAIN_UPDATE.fullmatch(sql)
    if plain is None:
        return None
    table, assigned, key = plain.groups()
    names = re.findall(r"\w+", assigned)
    return f"""
        UPDATE {table} SET {", ".join(f"{name} = new.{name}" for name in names)}
          FROM (SELECT {", ".join((*names, key))} FROM {table} WHERE FALSE UNION ALL VALUES {{rows}}) AS new
         WHERE {table}.{key} = new.{key}
    """


def _parameter(token: re.Match[str]) -> str:
    if token[1]:
        return f"%({token[1]})s"
    return "%s" if token[0] == "?" else token[0].replace("%", "%%")
