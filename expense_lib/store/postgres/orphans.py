"""Rows that belong to a row that is not there: in SQLite its foreign keys keep them out, and find them."""

from __future__ import annotations

from collections.abc import Iterator

from expense_lib.store.transaction import Transaction

# Table, its column, and the table and column that it refers to.
_REFERENCES = (
    ("claim", "expense_id", "expense", "id"),
    ("expense", "merged_into", "expense", "id"),
    ("expense", "part_of", "expense", "id"),
    ("expense", "last_seq", "log_entry", "seq"),
    ("log_entry", "previous", "log_entry", "seq"),
    ("log_entry", "part_of", "log_entry", "seq"),
    ("log_entry", "expense_id", "expense", "id"),
    ("effect", "number", "log_entry", "seq"),
    ("import", "undone_by", "log_entry", "seq"),
    ("statement_row", "expense_id", "expense", "id"),
    ("statement_row", "import_id", "import", "id"),
    ("row_digest", "row_id", "statement_row", "id"),
    ("witness", "row_id", "statement_row", "id"),
    ("witness", "import_id", "import", "id"),
    ("candidate", "expense_id", "expense", "id"),
    ("candidate", "candidate_id", "expense", "id"),
    ("apart", "expense_id", "expense", "id"),
    ("apart", "other_id", "expense", "id"),
    ("undone", "number", "log_entry", "seq"),
)

# Rows: what a row refers to that is not there.
_ORPHANS = """
    SELECT DISTINCT row.{column}
      FROM {table} AS row
     WHERE row.{column} IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM {other} AS other WHERE other.{key} = row.{column})
"""


def findings(tx: Transaction) -> Iterator[str]:
    """A sentence for each row that is missing."""
    for table, column, other, key in _REFERENCES:
        sql = _ORPHANS.format(table=table, column=column, other=other, key=key)
        for (missing,) in tx.execute(sql):
            yield f"A row of {table} belongs to row {missing} of {other}, which is not there."
