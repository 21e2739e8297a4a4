"""The tables of the ledgers in a PostgreSQL database, made on first use and brought up to date.

Several ledgers live in one database, apart by ``ledger_id``, which leads every key and every index. The
tables are named ``all_expense`` and so on; the store's SQL names views of the same columns, ``expense`` and
so on, that show the ledger of the transaction alone. Which one that is stands in a setting of the
transaction, from where new rows take it too.

In a view the setting is asked for by a subquery: so the planner does not look up in its statistics how many
rows this ledger has, of which they may know nothing yet, but takes each to be as large as the largest.

MIGRATIONS is append-only, as that of the file's schema is: a landed entry never changes. While one is rolled
out, releases of before it use the database too. So an entry only adds; one that takes away what an older
release needs sets ``oldest`` in the table ``expense_schema``, the number of entries that code must know.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import psycopg

from expense_lib.domain.errors import CurrencyError, LedgerBusy, LedgerTooNew, LedgerUnavailable
from expense_lib.domain.money import Currency
from expense_lib.store.postgres.functions import RECORD
from expense_lib.store.schema import DEFAULT_CURRENCY

SETTING = "expenses.ledger"  # the ledger of a transaction, by its number in the database

_LOCK = 0x45585042  # of making tables and ledgers; as the file's APPLICATION_ID
_PATIENCE_MS = range(250, 4_000, 250)  # of a migration for a table that is in use, each time it begins anew

T = TypeVar("T")

# Texts are compared byte by byte, as SQLite does it: no language's order, and none that an update changes.
_TEXT = 'text COLLATE "C"'
_CURRENT = f"current_setting('{SETTING}')::bigint"

# By table: its columns, in the order of the file's schema, and its keys, before which stands the ledger's.
# What they mean stands there.
_CONTENT = f"""
    amount_minor bigint, category {_TEXT}, description {_TEXT}, date {_TEXT}, occurrence bigint,
    account {_TEXT}, note {_TEXT}, tags {_TEXT}
"""
_TABLES = {
    "expense": (
        f"""
        id bigint NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
        category {_TEXT} NOT NULL,
        category_key {_TEXT} NOT NULL,
        description {_TEXT} NOT NULL,
        description_key {_TEXT} NOT NULL,
        date {_TEXT} NOT NULL CHECK (date ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$'),
        occurrence bigint NOT NULL CHECK (occurrence BETWEEN 1 AND 1000000),
        dedup_key {_TEXT} NOT NULL,
        version bigint NOT NULL CHECK (version >= 1),
        created_at {_TEXT} NOT NULL,
        updated_at {_TEXT} NOT NULL,
        deleted_at {_TEXT},
        last_seq bigint NOT NULL,
        account {_TEXT},
        note {_TEXT} NOT NULL DEFAULT '',
        tags {_TEXT} NOT NULL DEFAULT '',
        account_key {_TEXT},
        note_key {_TEXT} NOT NULL DEFAULT '',
        tags_key {_TEXT} NOT NULL DEFAULT '',
        state {_TEXT} NOT NULL DEFAULT 'live'
            CHECK (state IN ('live', 'deleted', 'held', 'merged', 'skipped')),
        entered bigint NOT NULL DEFAULT 1,
        merged_into bigint,
        part_of bigint,
        whole_minor bigint,
        said_account_key {_TEXT}
        """,
        "id",
    ),
    "claim": (f"key {_TEXT} NOT NULL, expense_id bigint NOT NULL, request {_TEXT}", "key"),
    "log_entry": (
        f"""
        seq bigint NOT NULL,
        previous bigint,
        part_of bigint,
        kind {_TEXT} NOT NULL CHECK (kind IN (
            'created', 'amended', 'deleted', 'restored', 'merged', 'split', 'held', 'joined', 'rule', 'import'
        )),
        at {_TEXT} NOT NULL,
        actor {_TEXT} NOT NULL DEFAULT '',
        expense_id bigint,
        version bigint NOT NULL,
        {_CONTENT},
        CHECK ((kind IN ('rule', 'import')) = (expense_id IS NULL))
        """,
        "seq",
    ),
    "category": (
        f"""
        key {_TEXT} NOT NULL,
        name {_TEXT} NOT NULL,
        count bigint NOT NULL CHECK (count >= 0),
        total_high bigint NOT NULL,
        total_low bigint NOT NULL
        """,
        "key",
    ),
    "account": (f"key {_TEXT} NOT NULL, name {_TEXT} NOT NULL", "key"),
    "effect": (
        f"""
        number bigint NOT NULL, kind {_TEXT} NOT NULL, key {_TEXT} NOT NULL, before {_TEXT}, after {_TEXT}
        """,
        "kind, key, number",
    ),
    "import": (
        f"""
        id bigint NOT NULL,
        at {_TEXT} NOT NULL,
        source {_TEXT} NOT NULL,
        account {_TEXT} NOT NULL,
        first_seq bigint NOT NULL,
        last_seq bigint NOT NULL,
        created bigint NOT NULL,
        existing bigint NOT NULL,
        changed bigint NOT NULL,
        deleted bigint NOT NULL,
        skipped bigint NOT NULL,
        bad bigint NOT NULL,
        undone_at {_TEXT},
        undone_by bigint,
        actor {_TEXT} NOT NULL DEFAULT '',
        layout {_TEXT},
        joined bigint NOT NULL DEFAULT 0,
        held bigint NOT NULL DEFAULT 0
        """,
        "id",
    ),
    "statement_row": (
        f"""
        id bigint NOT NULL,
        expense_id bigint NOT NULL,
        import_id bigint NOT NULL,
        account_key {_TEXT},
        date {_TEXT} NOT NULL,
        amount_minor bigint NOT NULL,
        text {_TEXT} NOT NULL,
        reference {_TEXT},
        decided bigint NOT NULL DEFAULT 0
        """,
        "id",
    ),
    "row_digest": ("digest bytea NOT NULL CHECK (length(digest) = 32), row_id bigint NOT NULL", "digest"),
    "witness": ("row_id bigint NOT NULL, import_id bigint NOT NULL", "row_id, import_id"),
    "candidate": ("expense_id bigint NOT NULL, candidate_id bigint NOT NULL", "expense_id, candidate_id"),
    "apart": ("expense_id bigint NOT NULL, other_id bigint NOT NULL", "expense_id, other_id"),
    "undone": ("number bigint NOT NULL", "number"),
    "alike": (f"text {_TEXT} NOT NULL, other {_TEXT} NOT NULL", "text, other"),
    "category_rule": (
        f"""
        id bigint NOT NULL,
        text {_TEXT} NOT NULL,
        text_key {_TEXT} NOT NULL,
        category {_TEXT},
        skip bigint NOT NULL DEFAULT 0,
        deleted bigint NOT NULL DEFAULT 0,
        CHECK ((skip = 1) = (category IS NULL))
        """,
        "id",
    ),
}

# By name: table, what the index has after the ledger, and of which rows.
_LIVE = "deleted_at IS NULL"
_ENTERED = f"entered = 1 AND part_of IS NULL AND {_LIVE}"
_INDEXES = {
    "live_by_date": ("expense", "date, id) INCLUDE (amount_minor", _LIVE),
    "live_by_category": ("expense", "category_key, date, id) INCLUDE (amount_minor", _LIVE),
    "live_by_amount": ("expense", "amount_minor, id", _LIVE),
    "noted": ("expense", "id", f"{_LIVE} AND note_key <> ''"),
    "entered_by_amount": ("expense", "(COALESCE(whole_minor, amount_minor)), date", _ENTERED),
    "entered_and_edited": ("expense", "date", f"{_ENTERED} AND version > 1"),
    "waiting": ("expense", "id", "state = 'held'"),
    "part": ("expense", "part_of", "part_of IS NOT NULL"),
    "entry_by_change": ("log_entry", "part_of", "part_of IS NOT NULL"),
    "first_entry": ("log_entry", "seq", "part_of IS NULL AND version <> 1"),
    "effect_by_number": ("effect", "number", "TRUE"),
    "row_by_amount": ("statement_row", "amount_minor, date", "TRUE"),
    "row_by_expense": ("statement_row", "expense_id", "TRUE"),
    "row_by_reference": ("statement_row", "reference", "reference IS NOT NULL"),
    "witness_by_import": ("witness", "import_id", "TRUE"),
}

# Rows with whether an import that was not undone tells of them.
_TOLD_ROW = """
    CREATE VIEW told_row AS
    SELECT statement_row.*, import.layout,
           CASE WHEN import.undone_at IS NULL OR EXISTS (
               SELECT 1
                 FROM witness
                 JOIN import AS other ON other.id = witness.import_id
                WHERE witness.row_id = statement_row.id AND other.undone_at IS NULL
           ) THEN 1 ELSE 0 END AS alive
      FROM statement_row
      JOIN import ON import.id = statement_row.import_id
"""


def _table(name: str, columns: str, key: str) -> tuple[str, ...]:
    """The statements that make a table and its view."""
    return (
        f"""
        CREATE TABLE all_{name} (
            ledger_id bigint NOT NULL DEFAULT {_CURRENT},
            {columns},
            PRIMARY KEY (ledger_id, {key})
        )
        """,
        # whatever a value's ledgers are: each is taken to be as large as the largest
        f"ALTER TABLE all_{name} ALTER COLUMN ledger_id SET (n_distinct = 1)",
        f"CREATE VIEW {name} AS SELECT * FROM all_{name} WHERE ledger_id = (SELECT {_CURRENT})",
    )


def _index(name: str, table: str, columns: str, rows: str) -> str:
    where = "" if rows == "TRUE" else f" WHERE {rows}"
    return f"CREATE INDEX {name} ON all_{table} (ledger_id, {columns}){where}"


MIGRATIONS = (
    (
        # The ledgers. id leads all their rows; uid is random, by which exports name the ledger.
        f"""
        CREATE TABLE all_ledger (
            id bigint PRIMARY KEY,
            name {_TEXT} NOT NULL UNIQUE,
            uid {_TEXT} NOT NULL,
            currency {_TEXT} NOT NULL,
            exponent integer NOT NULL CHECK (exponent BETWEEN 0 AND 4)
        ) WITH (fillfactor = 50)
        """,
        f"CREATE VIEW ledger AS SELECT * FROM all_ledger WHERE id = (SELECT {_CURRENT})",
        *(statement for name, parts in _TABLES.items() for statement in _table(name, *parts)),
        *(_index(name, *parts) for name, parts in _INDEXES.items()),
        "CREATE UNIQUE INDEX rule_by_text ON all_category_rule (ledger_id, text_key)",
        _TOLD_ROW,
    ),
    (
        # What persons told of is looked for by day: an index of its own would cost each record more.
        "DROP INDEX entered_by_amount",
        "DROP INDEX live_by_date",
        _index("live_by_date", "expense", "date, id) INCLUDE (amount_minor, entered", _LIVE),
        _index("split_payment", "expense", "whole_minor", "whole_minor IS NOT NULL"),
        RECORD,
    ),
    (
        # The ledgers' generations, random as their ids are: which time the ids of expenses are of.
        f"ALTER TABLE all_ledger ADD COLUMN generation {_TEXT} NOT NULL DEFAULT ''",
        "UPDATE all_ledger SET generation = left(md5(uid || random()::text), 16)",
        f"CREATE OR REPLACE VIEW ledger AS SELECT * FROM all_ledger WHERE id = (SELECT {_CURRENT})",
    ),
    ("ALTER TABLE expense_schema ADD COLUMN oldest bigint NOT NULL DEFAULT 1",),
)

# One row: how many migrations were applied, and how many code must know. Tables of before there was such a
# number are anybody's.
_VERSION = """
    SELECT version, COALESCE((to_jsonb(expense_schema) ->> 'oldest')::bigint, 1)
      FROM expense_schema
"""
_BEGIN_ALONE = "SELECT pg_advisory_xact_lock(%s), set_config('lock_timeout', %s, true)"
_NOT_OURS = (
    "The database's tables are absent or older than this version needs, and its user may not make them: "
    "let their owner run `expenses migrate`."
)
_FIND = "SELECT id, uid, generation, currency, exponent FROM all_ledger WHERE name = %s"
_ADD = """
    INSERT INTO all_ledger (id, name, uid, generation, currency, exponent)
    SELECT COALESCE(MAX(id), 0) + 1, %s, %s, %s, %s, %s
      FROM all_ledger
    RETURNING id, uid, generation, currency, exponent
"""


class Found(NamedTuple):
    """A ledger of a database: its number there, its random id and generation, and its currency."""

    number: int
    uid: str
    generation: str
    currency: Currency


def ledger(con: psycopg.Connection[Any], name: str, currency: str | None) -> Found:
    """The ledger *name*, made in *currency* if it is not there, the tables too, however many try at once.

    Raises:
        LedgerTooNew: the tables are newer than this code can use.
        LedgerUnavailable: they are absent or older, and the user may not make them.
        CurrencyError: *currency* is given, and the ledger is kept in another one or can't be made in it.
    """
    found = find(con, name) if _version(con) >= len(MIGRATIONS) else None
    if found is None:
        made_in = Currency.of(currency or DEFAULT_CURRENCY)

        def find_or_make() -> Found:
            _migrate(con)
            return find(con, name) or _made(con, name, made_in)

        found = _alone(con, find_or_make)
    kept_in = found.currency.code
    if currency not in (None, kept_in):
        raise CurrencyError(f"This ledger is kept in {kept_in}, not in {currency}.")
    return found


def migrate(con: psycopg.Connection[Any]) -> tuple[int, int]:
    """Bring the tables up to date, as their owner: the numbers of migrations that they had, and have."""
    return _alone(con, lambda: _migrate(con))


def _alone(con: psycopg.Connection[Any], make: Callable[[], T]) -> T:
    """What *make* gives, in a transaction in which nobody else makes tables or ledgers.

    It does not wait long for a table in use, as whoever comes later waits behind it, but begins anew, and
    waits longer then.
    """
    for patience_ms in _PATIENCE_MS:
        try:
            with con.transaction():
                con.execute(_BEGIN_ALONE, (_LOCK, f"{patience_ms}ms"))
                return make()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            pass
    raise LedgerBusy


def _version(con: psycopg.Connection[Any]) -> int:
    """The number of migrations that were applied; 0 if there is no table yet."""
    row = con.execute("SELECT to_regclass('expense_schema') IS NOT NULL").fetchone()
    if row != (True,):
        return 0
    version, oldest = con.execute(_VERSION).fetchone() or (0, 0)
    if oldest > len(MIGRATIONS):
        raise LedgerTooNew("This database was made by a newer version, which can open its ledgers.")
    return int(version)


def _migrate(con: psycopg.Connection[Any]) -> tuple[int, int]:
    """Bring the tables up to date, in the caller's transaction; another process may have done so."""
    version = _version(con)
    if version >= len(MIGRATIONS):
        return version, version
    try:
        if version == 0:
            con.execute("CREATE TABLE expense_schema (version bigint NOT NULL)")
            con.execute("INSERT INTO expense_schema (version) VALUES (0)")
        for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
            con.execute(statement.encode())
        con.execute("UPDATE expense_schema SET version = %s", (len(MIGRATIONS),))
    except psycopg.errors.InsufficientPrivilege as error:
        raise LedgerUnavailable(_NOT_OURS) from error
    return version, len(MIGRATIONS)


def find(con: psycopg.Connection[Any], name: str) -> Found | None:
    """The ledger *name*, if it is there."""
    row = con.execute(_FIND, (name,)).fetchone()
    return None if row is None else _found(row)


def _made(con: psycopg.Connection[Any], name: str, currency: Currency) -> Found:
    values = (name, secrets.token_hex(16), secrets.token_hex(8), currency.code, currency.exponent)
    row = con.execute(_ADD, values).fetchone()
    if row is None:
        raise LedgerUnavailable("The database made no ledger.")
    return _found(row)


def _found(row: tuple[Any, ...]) -> Found:
    number, uid, generation, code, exponent = row
    return Found(number, uid, generation, Currency(code, exponent))
