"""The ledger's file: how it is made, recognised and brought up to date.

MIGRATIONS is append-only: a landed entry never changes, and a file's ``user_version`` counts those it had.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from expense_lib.domain.errors import (
    CurrencyError,
    LedgerBusy,
    LedgerTooNew,
    LedgerUnavailable,
    LedgerUnsafe,
    NotALedger,
)
from expense_lib.domain.money import Currency
from expense_lib.domain.text import fold
from expense_lib.store import blueprint, companions

APPLICATION_ID = 0x45585042  # "EXPB" in the file's header: says that this SQLite file is an expense ledger
BUSY_TIMEOUT_MS = 5_000
DEFAULT_CURRENCY = "USD"
OLDEST_SQLITE = (3, 39)  # the first with STRICT tables and FULL JOIN

HALF = 1_000_000_000  # as categories.HALF; a landed migration never changes
_COUNT_NEW = f"""
            INSERT INTO category (key, name, count, total_high, total_low)
            VALUES (NEW.category_key, NEW.category, 1, NEW.amount_minor / {HALF}, NEW.amount_minor % {HALF})
            ON CONFLICT (key) DO UPDATE
               SET count = count + 1,
                   total_high = total_high + excluded.total_high,
                   total_low = total_low + excluded.total_low;
"""

MIGRATIONS = (
    (
        # The one row says what all amounts of the file are counted in.
        """
        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            currency TEXT NOT NULL,
            exponent INTEGER NOT NULL CHECK (exponent BETWEEN 0 AND 4)
        ) STRICT
        """,
        # One row for each payment there ever was. The texts with _key are case-folded, to compare and search.
        # dedup_key: the one it was recorded with. last_seq: its last line in the log.
        # Times are UTC, RFC 3339; date has no time zone.
        """
        CREATE TABLE expense (
            id INTEGER PRIMARY KEY,
            amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
            category TEXT NOT NULL,
            category_key TEXT NOT NULL,
            description TEXT NOT NULL,
            description_key TEXT NOT NULL,
            date TEXT NOT NULL CHECK (date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
            occurrence INTEGER NOT NULL CHECK (occurrence BETWEEN 1 AND 1000000),
            dedup_key TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            deleted_at TEXT,
            last_seq INTEGER NOT NULL
        ) STRICT
        """,
        # The whole of what a filter may ask, in the order of the list: a scan of it reads no other page.
        """
        CREATE INDEX live_by_date ON expense (date, id, amount_minor, category_key, description_key)
        WHERE deleted_at IS NULL
        """,
        """
        CREATE INDEX live_by_category ON expense (category_key, date, id, amount_minor)
        WHERE deleted_at IS NULL
        """,
        # Everything that identifies an expense: dedup keys as they are, idempotency keys behind "sent:".
        # request: for the latter, the JSON object of what was first sent with it. Never deleted.
        """
        CREATE TABLE claim (
            key TEXT PRIMARY KEY,
            expense_id INTEGER NOT NULL REFERENCES expense (id),
            request TEXT
        ) STRICT, WITHOUT ROWID
        """,
        # The log: one row for each version of each expense, with its content then. Only ever added to.
        # previous: the row of the version before. part_of: the first row of the same deed, for the others:
        # renaming a category changes many expenses at once.
        """
        CREATE TABLE change (
            seq INTEGER PRIMARY KEY,
            previous INTEGER REFERENCES change (seq),
            part_of INTEGER REFERENCES change (seq),
            kind TEXT NOT NULL CHECK (kind IN ('created', 'amended', 'deleted', 'restored')),
            at TEXT NOT NULL,
            expense_id INTEGER NOT NULL REFERENCES expense (id),
            version INTEGER NOT NULL,
            amount_minor INTEGER NOT NULL,
            category TEXT NOT NULL,
            description TEXT NOT NULL,
            date TEXT NOT NULL,
            occurrence INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX change_by_deed ON change (part_of) WHERE part_of IS NOT NULL",
        # The categories of live expenses, kept by the triggers below. name: the spelling first seen.
        # The sum of minor units is total_high * 10^9 + total_low: in one integer it could overflow.
        """
        CREATE TABLE category (
            key TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            count INTEGER NOT NULL CHECK (count >= 0),
            total_high INTEGER NOT NULL,
            total_low INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        # No expense is in the file without its key, its line in the log and its place in a total.
        f"""
        CREATE TRIGGER expense_is_new AFTER INSERT ON expense BEGIN
            INSERT INTO claim (key, expense_id) VALUES (NEW.dedup_key, NEW.id);
            INSERT INTO change (
                seq, kind, at, expense_id, version, amount_minor, category, description, date, occurrence
            )
            VALUES (
                NEW.last_seq, 'created', NEW.created_at, NEW.id, NEW.version,
                NEW.amount_minor, NEW.category, NEW.description, NEW.date, NEW.occurrence
            );
            {_COUNT_NEW}
        END
        """,
        f"""
        CREATE TRIGGER expense_was AFTER UPDATE OF amount_minor, category_key, deleted_at ON expense
        WHEN OLD.deleted_at IS NULL BEGIN
            UPDATE category
               SET count = count - 1,
                   total_high = total_high - OLD.amount_minor / {HALF},
                   total_low = total_low - OLD.amount_minor % {HALF}
             WHERE key = OLD.category_key;
            DELETE FROM category WHERE key = OLD.category_key AND count = 0;
        END
        """,
        f"""
        CREATE TRIGGER expense_is AFTER UPDATE OF amount_minor, category_key, deleted_at ON expense
        WHEN NEW.deleted_at IS NULL BEGIN
            {_COUNT_NEW}
        END
        """,
    ),
    (
        # One row for each statement that was imported. Its lines in the log are first_seq to last_seq, none
        # if that is less. The counts are of the statement's rows. undone_by: the first line of its undo.
        """
        CREATE TABLE import (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            source TEXT NOT NULL,
            account TEXT NOT NULL,
            first_seq INTEGER NOT NULL,
            last_seq INTEGER NOT NULL,
            created INTEGER NOT NULL,
            existing INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            deleted INTEGER NOT NULL,
            skipped INTEGER NOT NULL,
            bad INTEGER NOT NULL,
            undone_at TEXT,
            undone_by INTEGER REFERENCES change (seq)
        ) STRICT
        """,
        # Which import gave the expense its row identity; NULL: it has none.
        "ALTER TABLE expense ADD COLUMN import_id INTEGER REFERENCES import (id)",
        # Row identities, SHA-256. undone_seq: the line of the log by which undoing the import deleted the
        # expense. As long as that is its last line, the identity is nobody's.
        """
        CREATE TABLE statement_row (
            identity BLOB PRIMARY KEY CHECK (length(identity) = 32),
            expense_id INTEGER NOT NULL REFERENCES expense (id),
            import_id INTEGER NOT NULL REFERENCES import (id),
            undone_seq INTEGER
        ) STRICT, WITHOUT ROWID
        """,
        # A payment whose description has the text is of the category. text_key is case-folded.
        """
        CREATE TABLE category_rule (
            id INTEGER PRIMARY KEY,
            text TEXT NOT NULL,
            text_key TEXT NOT NULL UNIQUE,
            category TEXT NOT NULL
        ) STRICT
        """,
    ),
    (
        # The first line of each deed that changed what was there, however many expenses were created since.
        "CREATE INDEX deed ON change (seq) WHERE part_of IS NULL AND kind <> 'created'",
    ),
    (
        # Keys, the log and totals are written with the expenses by ``expenses.add`` and ``revise``, in sets.
        "DROP TRIGGER expense_is_new",
        "DROP TRIGGER expense_was",
        "DROP TRIGGER expense_is",
        # The log. actor: who made the change; empty where nobody is told apart.
        "ALTER TABLE change RENAME TO log_entry",
        "ALTER TABLE log_entry ADD COLUMN actor TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE import ADD COLUMN actor TEXT NOT NULL DEFAULT ''",
        "DROP INDEX change_by_deed",
        "DROP INDEX deed",
        "CREATE INDEX entry_by_change ON log_entry (part_of) WHERE part_of IS NOT NULL",
        "CREATE INDEX first_entry ON log_entry (seq) WHERE part_of IS NULL AND kind <> 'created'",
        # Annotations. account: NULL where it is not known. tags: joined by spaces, in the order of their
        # folded texts; tags_key has a space before and after each. An expense that an import brought has its
        # account.
        *(f"ALTER TABLE {table} ADD COLUMN account TEXT" for table in ("expense", "log_entry")),
        *(
            f"ALTER TABLE {table} ADD COLUMN note TEXT NOT NULL DEFAULT ''"
            for table in ("expense", "log_entry")
        ),
        *(
            f"ALTER TABLE {table} ADD COLUMN tags TEXT NOT NULL DEFAULT ''"
            for table in ("expense", "log_entry")
        ),
        "ALTER TABLE expense ADD COLUMN account_key TEXT",
        "ALTER TABLE expense ADD COLUMN note_key TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE expense ADD COLUMN tags_key TEXT NOT NULL DEFAULT ''",
        # How each account is spelled, as it was first. key is case-folded.
        "CREATE TABLE account (key TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID",
        """
        INSERT INTO account (key, name)
        SELECT fold(rtrim(substr(account, 1, 100))), rtrim(substr(account, 1, 100))
          FROM import
         WHERE account <> ''
         ORDER BY id
        ON CONFLICT (key) DO NOTHING
        """,
        """
        UPDATE expense
           SET account = account.name, account_key = account.key
          FROM import
          JOIN account ON account.key = fold(rtrim(substr(import.account, 1, 100)))
         WHERE import.id = expense.import_id
        """,
        """
        UPDATE log_entry
           SET account = expense.account
          FROM expense
         WHERE expense.id = log_entry.expense_id AND expense.account IS NOT NULL
        """,
        "DROP INDEX live_by_date",
        """
        CREATE INDEX live_by_date ON expense (
            date, id, amount_minor, category_key, description_key, account_key, tags_key
        )
        WHERE deleted_at IS NULL
        """,
        "CREATE INDEX noted ON expense (id) WHERE deleted_at IS NULL AND note_key <> ''",
    ),
    (
        # A ledger has a random id, by which its exports name it.
        "ALTER TABLE ledger ADD COLUMN uid TEXT NOT NULL DEFAULT ''",
        "UPDATE ledger SET uid = lower(hex(randomblob(16)))",
        # The log with more kinds; the commonest is compared first, since a list costs a microsecond. kind
        # 'rule' or 'import': of no expense; a rule was changed, or an import undone that brought nothing.
        """
        CREATE TABLE new_log_entry (
            seq INTEGER PRIMARY KEY,
            previous INTEGER REFERENCES log_entry (seq),
            part_of INTEGER REFERENCES log_entry (seq),
            kind TEXT NOT NULL CHECK (kind = 'created' OR kind IN (
                'amended', 'deleted', 'restored', 'merged', 'split', 'held', 'joined', 'rule', 'import'
            )),
            at TEXT NOT NULL,
            actor TEXT NOT NULL DEFAULT '',
            expense_id INTEGER REFERENCES expense (id),
            version INTEGER NOT NULL,
            amount_minor INTEGER,
            category TEXT,
            description TEXT,
            date TEXT,
            occurrence INTEGER,
            account TEXT,
            note TEXT,
            tags TEXT,
            CHECK ((kind = 'rule' OR kind = 'import') = (expense_id IS NULL))
        ) STRICT
        """,
        """
        INSERT INTO new_log_entry
        SELECT seq, previous, part_of, kind, at, actor, expense_id, version, amount_minor, category,
               description, date, occurrence, account, note, tags
          FROM log_entry
         ORDER BY seq
        """,
        "DROP TABLE log_entry",
        "ALTER TABLE new_log_entry RENAME TO log_entry",
        "CREATE INDEX entry_by_change ON log_entry (part_of) WHERE part_of IS NOT NULL",
        "CREATE INDEX first_entry ON log_entry (seq) WHERE part_of IS NULL AND version <> 1",
        # What a change did beside the versions in the log, as JSON before and after, by what it did it to.
        """
        CREATE TABLE effect (
            number INTEGER NOT NULL REFERENCES log_entry (seq),
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            before TEXT,
            after TEXT,
            PRIMARY KEY (number, kind, key)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX effect_by_key ON effect (kind, key, number)",
        # state: deleted_at is null if it is live, else since when it is not. held: a bank's payment that
        # waits for somebody to say what it is. skipped: one that somebody left out. entered: a person told of
        # it. merged_into: the expense that it was found to be. part_of: the first part of the payment of
        # which this is another. whole_minor: for the first part, what all come to.
        """
        ALTER TABLE expense ADD COLUMN state TEXT NOT NULL DEFAULT 'live'
            CHECK (state = 'live' OR state IN ('deleted', 'held', 'merged', 'skipped'))
        """,
        "UPDATE expense SET state = 'deleted' WHERE deleted_at IS NOT NULL",
        "ALTER TABLE expense ADD COLUMN entered INTEGER NOT NULL DEFAULT 1",
        """
        UPDATE expense
           SET entered = 0
         WHERE id IN (
               SELECT expense_id
                 FROM import
                 JOIN log_entry ON log_entry.seq BETWEEN import.first_seq AND import.last_seq
                WHERE log_entry.version = 1
         )
        """,
        "ALTER TABLE expense ADD COLUMN merged_into INTEGER REFERENCES expense (id)",
        "ALTER TABLE expense ADD COLUMN part_of INTEGER REFERENCES expense (id)",
        "ALTER TABLE expense ADD COLUMN whole_minor INTEGER",
        """
        CREATE INDEX entered_by_amount ON expense (COALESCE(whole_minor, amount_minor), date)
        WHERE entered = 1 AND part_of IS NULL AND deleted_at IS NULL
        """,
        """
        CREATE INDEX entered_and_edited ON expense (date)
        WHERE entered = 1 AND part_of IS NULL AND deleted_at IS NULL AND version > 1
        """,
        "CREATE INDEX waiting ON expense (id) WHERE state = 'held'",
        "CREATE INDEX part ON expense (part_of) WHERE part_of IS NOT NULL",
        # layout: a fingerprint of the file's format and columns; null where it is not known.
        "ALTER TABLE import ADD COLUMN layout TEXT",
        "ALTER TABLE import ADD COLUMN joined INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE import ADD COLUMN held INTEGER NOT NULL DEFAULT 0",
        # Each line of a statement as the bank told of it, and whose it is. account_key: null where it is not
        # known. reference: the bank's, if it is trusted. decided: somebody said whose it is.
        "ALTER TABLE statement_row RENAME TO old_statement_row",
        """
        CREATE TABLE statement_row (
            id INTEGER PRIMARY KEY,
            expense_id INTEGER NOT NULL REFERENCES expense (id),
            import_id INTEGER NOT NULL REFERENCES import (id),
            account_key TEXT,
            date TEXT NOT NULL,
            amount_minor INTEGER NOT NULL,
            text TEXT NOT NULL,
            reference TEXT,
            decided INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """,
        # The digests of rows that were imported before rows were kept: of an account and a reference, or of
        # an account, amount, text, day and count.
        """
        CREATE TABLE row_digest (
            digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
            row_id INTEGER NOT NULL REFERENCES statement_row (id)
        ) STRICT, WITHOUT ROWID
        """,
        # Rows as the version of their expense has them that was there when they were imported.
        """
        INSERT INTO statement_row (id, expense_id, import_id, account_key, date, amount_minor, text)
        SELECT row_number() OVER (ORDER BY told.seq, told.identity), told.expense_id, told.import_id,
               CASE WHEN import.account = '' THEN NULL ELSE fold(rtrim(substr(import.account, 1, 100))) END,
               entry.date, entry.amount_minor, entry.description
          FROM (
               SELECT old.identity, old.expense_id, old.import_id, MAX(seen.seq) AS seq
                 FROM old_statement_row AS old
                 JOIN import AS first ON first.id = old.import_id
                 JOIN log_entry AS seen
                   ON seen.expense_id = old.expense_id
                  AND seen.seq <= MAX(first.last_seq, first.first_seq - 1)
                GROUP BY old.identity
          ) AS told
          JOIN import ON import.id = told.import_id
          JOIN log_entry AS entry ON entry.seq = told.seq
        """,
        """
        INSERT INTO row_digest (digest, row_id)
        SELECT identity, row_number() OVER (ORDER BY seq, identity)
          FROM (
               SELECT old.identity, MAX(seen.seq) AS seq
                 FROM old_statement_row AS old
                 JOIN import AS first ON first.id = old.import_id
                 JOIN log_entry AS seen
                   ON seen.expense_id = old.expense_id
                  AND seen.seq <= MAX(first.last_seq, first.first_seq - 1)
                GROUP BY old.identity
          )
        """,
        "DROP TABLE old_statement_row",
        "CREATE INDEX row_by_amount ON statement_row (amount_minor, date)",
        "CREATE INDEX row_by_expense ON statement_row (expense_id)",
        "CREATE INDEX row_by_reference ON statement_row (reference) WHERE reference IS NOT NULL",
        "ALTER TABLE expense DROP COLUMN import_id",
        # The imports that listed a row which an earlier one told of.
        """
        CREATE TABLE witness (
            row_id INTEGER NOT NULL REFERENCES statement_row (id),
            import_id INTEGER NOT NULL REFERENCES import (id),
            PRIMARY KEY (row_id, import_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX witness_by_import ON witness (import_id)",
        # Rows with whether an import that was not undone tells of them.
        """
        CREATE VIEW told_row AS
        SELECT statement_row.*, import.layout,
               import.undone_at IS NULL OR EXISTS (
                   SELECT 1
                     FROM witness
                     JOIN import AS other ON other.id = witness.import_id
                    WHERE witness.row_id = statement_row.id AND other.undone_at IS NULL
               ) AS alive
          FROM statement_row
          JOIN import ON import.id = statement_row.import_id
        """,
        # What a held expense may be, and by which rule, where only its statement could tell.
        """
        CREATE TABLE candidate (
            expense_id INTEGER NOT NULL REFERENCES expense (id),
            candidate_id INTEGER NOT NULL REFERENCES expense (id),
            PRIMARY KEY (expense_id, candidate_id)
        ) STRICT, WITHOUT ROWID
        """,
        # Expenses of which somebody said that they are two payments, the smaller id first; and texts of which
        # somebody said that they are of one.
        """
        CREATE TABLE apart (
            expense_id INTEGER NOT NULL REFERENCES expense (id),
            other_id INTEGER NOT NULL REFERENCES expense (id),
            PRIMARY KEY (expense_id, other_id)
        ) STRICT, WITHOUT ROWID
        """,
        # The changes that are undone at present.
        "CREATE TABLE undone (number INTEGER PRIMARY KEY REFERENCES log_entry (seq)) STRICT",
        "CREATE TABLE alike (text TEXT, other TEXT, PRIMARY KEY (text, other)) STRICT, WITHOUT ROWID",
        # Rules keep their ids, deleted ones too; skip: such rows are left out, and there is no category.
        """
        CREATE TABLE new_category_rule (
            id INTEGER PRIMARY KEY,
            text TEXT NOT NULL,
            text_key TEXT NOT NULL UNIQUE,
            category TEXT,
            skip INTEGER NOT NULL DEFAULT 0,
            deleted INTEGER NOT NULL DEFAULT 0,
            CHECK ((skip = 1) = (category IS NULL))
        ) STRICT
        """,
        """
        INSERT INTO new_category_rule (id, text, text_key, category)
        SELECT id, text, text_key, category FROM category_rule
        """,
        "DROP TABLE category_rule",
        "ALTER TABLE new_category_rule RENAME TO category_rule",
    ),
    (
        # said_account_key: the account as persons said it, folded; null where only a statement told of one.
        "ALTER TABLE expense ADD COLUMN said_account_key TEXT",
        """
        UPDATE expense
           SET said_account_key = account_key
         WHERE entered = 1 AND account_key IS NOT NULL
           AND id NOT IN (SELECT expense_id FROM log_entry WHERE kind = 'joined')
        """,
        # Of what was joined: the last account before, unless a statement told of it first.
        """
        UPDATE expense
           SET said_account_key = fold(said.account)
          FROM (
               SELECT expense_id, account, MAX(seq)
                 FROM log_entry
                WHERE kind <> 'joined'
                  AND expense_id IN (SELECT expense_id FROM log_entry WHERE kind = 'joined')
                GROUP BY expense_id
          ) AS said
         WHERE said.expense_id = expense.id AND said.account IS NOT NULL AND expense.entered = 1
           AND expense.id NOT IN (
               SELECT expense_id
                 FROM import
                 JOIN log_entry ON log_entry.seq BETWEEN import.first_seq AND import.last_seq
                WHERE log_entry.version = 1
           )
        """,
    ),
    (
        # What persons told of is looked for by day: an index of its own would cost each record one more page.
        "DROP INDEX entered_by_amount",
        "DROP INDEX live_by_date",
        """
        CREATE INDEX live_by_date ON expense (
            date, id, amount_minor, category_key, description_key, account_key, tags_key, entered
        ) WHERE deleted_at IS NULL
        """,
        "CREATE INDEX split_payment ON expense (whole_minor) WHERE whole_minor IS NOT NULL",
    ),
    (
        # The ledger's generation: random, made with it, and anew in each copy and whenever it goes back to
        # one. Ids, versions and positions of another generation are of another time.
        "ALTER TABLE ledger ADD COLUMN generation TEXT NOT NULL DEFAULT ''",
        "UPDATE ledger SET generation = lower(hex(randomblob(8)))",
    ),
)


def connect(path: Path, currency: str | None = None, *, make: bool) -> sqlite3.Connection:
    """A connection to the ledger at *path*, in WAL mode, where a commit returns once it is on disk.

    A file that is absent or empty becomes a ledger in *currency* if *make* is true, in one transaction,
    however many processes try at once. An older ledger is brought up to date. Another file is left as it is.

    Raises:
        NotALedger, LedgerTooNew: the file is something else, or newer than this code.
        LedgerBusy: others kept it locked for longer than BUSY_TIMEOUT_MS.
        LedgerUnsafe: it would have to be made or brought up to date, and what is written could get lost.
        LedgerUnavailable: there is no such file, or it can't be opened.
        CurrencyError: *currency* is given, and the ledger is kept in another one or can't be made in it.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LedgerUnavailable(
            f"The ledger needs SQLite {'.'.join(map(str, OLDEST_SQLITE))} or later; "
            f"this Python has {sqlite3.sqlite_version}."
        )
    try:
        folder, missing = path.is_dir(), not path.exists()
    except OSError as error:
        raise LedgerUnavailable(f"The ledger can't be opened or made: {error.strerror}.") from None
    if folder:
        raise LedgerUnavailable(f"The ledger can't be a folder: {path}.")
    if make and missing:
        Currency.of(currency or DEFAULT_CURRENCY)  # a refused currency leaves no file behind
    try:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?mode={'rwc' if make else 'rw'}",
            uri=True,
            timeout=BUSY_TIMEOUT_MS // 1000,
            isolation_level=None,  # transactions begin and end where the code says so
            check_same_thread=False,
        )
    except sqlite3.OperationalError:
        raise LedgerUnavailable(f"The ledger can't be opened or made: {path}.") from None
    try:
        version = version_of(connection, path)  # the first to read the file
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        if version == 0 and not make:
            raise LedgerUnavailable(f"There is no ledger any more: {path}.")
        if version < len(MIGRATIONS):
            why = unsafe(connection, os.fspath(path), version)
            if why is not None:
                raise LedgerUnsafe(why)
            _switch_to_wal(connection)
            _migrate(connection, path, currency or DEFAULT_CURRENCY)
        _refuse_other_currency(connection, currency)
    except BaseException:
        connection.close()
        raise
    return connection


def version(path: Path) -> int:
    """The number of migrations that were applied to the ledger at *path*, which stays as it is."""
    try:
        with closing(sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=rw", uri=True)) as connection:
            return version_of(connection, path)
    except sqlite3.OperationalError:
        raise LedgerUnavailable(f"There is no ledger, or it can't be opened: {path}.") from None


def unsafe(connection: sqlite3.Connection, path: str, version: int | None = None) -> str | None:
    """Why what is written to the file that *connection* has open could get lost, in words; None: it can't.

    *version* counts the migrations that the file had, all of them if it is left out.
    """
    why = companions.unsafe(path)
    if why is not None:
        return why
    different = ", ".join(blueprint.differences(connection, MIGRATIONS[:version]))
    return f"its tables are not as they were made ({different}); go back to a backup" if different else None


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The number of migrations applied to the file; 0 if it is empty.

    Raises:
        NotALedger, LedgerTooNew: the file is something else, or newer than this code.
    """
    try:
        application_id, version, objects = connection.execute(
            """
            SELECT (SELECT application_id FROM pragma_application_id),
                   (SELECT user_version FROM pragma_user_version),
                   (SELECT COUNT(*) FROM sqlite_schema)
            """
        ).fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise NotALedger(f"This file is no ledger: {path}.") from None
        raise
    if application_id != APPLICATION_ID and (application_id, version, objects) != (0, 0, 0):
        raise NotALedger(f"This file is an SQLite database, but no ledger: {path}.")
    if version > len(MIGRATIONS):
        raise LedgerTooNew(f"This ledger was written by a newer version, which can open it: {path}.")
    return int(version)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Turn write-ahead logging on, which stays with the file.

    SQLite answers at once with "locked" while another process does the same, whatever the time-out says.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise LedgerBusy from None
            time.sleep(0.005)
        else:
            break
    if mode != "wal":
        raise LedgerUnavailable("The ledger must be on a local disk: this one can't keep a write-ahead log.")


def _migrate(connection: sqlite3.Connection, path: Path, currency: str) -> None:
    """Bring the file up to date in one transaction. Another process may have done so meanwhile."""
    made_in = Currency.of(currency)
    connection.create_function("fold", 1, fold, deterministic=True)
    connection.execute("PRAGMA foreign_keys = OFF")  # a table that others refer to is made anew
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection, path)
        for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
            connection.execute(statement)
        if version == 0:
            connection.execute(
                """
                INSERT INTO ledger (id, currency, exponent, uid, generation)
                VALUES (1, ?, ?, lower(hex(randomblob(16))), lower(hex(randomblob(8))))
                """,
                (made_in.code, made_in.exponent),
            )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def currency(connection: sqlite3.Connection) -> Currency:
    """The ledger's currency."""
    return Currency(*connection.execute("SELECT currency, exponent FROM ledger").fetchone())


def generation(connection: sqlite3.Connection) -> str:
    """The ledger's generation."""
    return str(connection.execute("SELECT generation FROM ledger").fetchone()[0])


def _refuse_other_currency(connection: sqlite3.Connection, currency: str | None) -> None:
    (kept_in,) = connection.execute("SELECT currency FROM ledger").fetchone()
    if currency not in (None, kept_in):
        raise CurrencyError(f"This ledger is kept in {kept_in}, not in {currency}.")
