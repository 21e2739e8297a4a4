"""The functions of the database. Their names carry a version: two releases may use one database at once."""

from __future__ import annotations

# Recording, as far as nothing has to be judged, in one statement and so in one round trip.
#
# One row: what came of it, and if that is 'known' or 'created', the request and the expense that the key has
# by then. 'judged': the rules have to look at it; 'gone': there is no such ledger. What is looked up after
# the lock was taken is seen as it is by then, as each statement in here has a snapshot of its own; where it
# has not, the rules do it.
RECORD = """
    CREATE FUNCTION record_expense_1(
        p_ledger bigint, p_lock_timeout text, p_uid text, p_actor text,
        p_key text, p_request text, p_dedup_keys text[], p_near_from text, p_near_until text,
        p_amount_minor bigint, p_category text, p_description text, p_date text, p_occurrence bigint,
        p_account text, p_note text, p_tags text,
        p_category_key text, p_description_key text, p_account_key text, p_note_key text, p_tags_key text,
        p_total_high bigint, p_total_low bigint
    )
    RETURNS TABLE (
        outcome text, request text,
        id bigint, amount_minor bigint, category text, description text, date text, occurrence bigint,
        account text, note text, tags text, dedup_key text, version bigint, created_at text, updated_at text,
        deleted_at text, last_seq bigint, state text, entered bigint, merged_into bigint, part_of bigint,
        whole_minor bigint, said_account_key text
    )
    LANGUAGE plpgsql
    AS $$
    #variable_conflict use_column
    DECLARE
        v_known boolean;
        v_category text;
        v_account text;
        v_dedup_key text;
        v_occurrence bigint := p_occurrence - 1;
        v_id bigint;
        v_seq bigint;
        v_at text;
    BEGIN
        PERFORM set_config('expenses.ledger', p_ledger::text, true),
                set_config('synchronous_commit', 'on', true),
                set_config('lock_timeout', p_lock_timeout, true);
        v_known := EXISTS (SELECT 1 FROM claim WHERE key = p_key);
        IF NOT v_known THEN
            PERFORM 1 FROM ledger WHERE uid = p_uid FOR NO KEY UPDATE;
            v_known := EXISTS (SELECT 1 FROM claim WHERE key = p_key);
        END IF;
        IF NOT EXISTS (SELECT 1 FROM ledger WHERE uid = p_uid) THEN
            outcome := 'gone';
        ELSIF v_known THEN
            outcome := 'known';
        ELSIF current_setting('transaction_isolation') <> 'read committed' OR EXISTS (
            SELECT 1
              FROM statement_row
             WHERE amount_minor = p_amount_minor AND date BETWEEN p_near_from AND p_near_until
        ) THEN
            outcome := 'judged';
        END IF;
        IF outcome = 'known' THEN
            RETURN QUERY
            SELECT 'known', claim.request, expense.id, amount_minor, category, description, date, occurrence,
                   account, note, tags, dedup_key, version, created_at, updated_at,
                   deleted_at, last_seq, state, entered, merged_into, part_of, whole_minor, said_account_key
              FROM claim
              JOIN expense ON expense.id = claim.expense_id
             WHERE claim.key = p_key;
            RETURN;
        ELSIF outcome IS NOT NULL THEN
            RETURN NEXT;
            RETURN;
        END IF;
        FOREACH v_dedup_key IN ARRAY p_dedup_keys LOOP
            v_occurrence := v_occurrence + 1;
            EXIT WHEN NOT EXISTS (SELECT 1 FROM claim WHERE key = v_dedup_key);
            v_dedup_key := NULL;
        END LOOP;
        IF v_dedup_key IS NULL THEN
            outcome := 'judged';
            RETURN NEXT;
            RETURN;
        END IF;
        v_at := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
        v_id := 1 + (SELECT COALESCE(MAX(expense.id), 0) FROM expense);
        v_seq := 1 + (SELECT COALESCE(MAX(seq), 0) FROM log_entry);
        v_category := COALESCE((SELECT name FROM category WHERE key = p_category_key), p_category);
        IF p_account IS NOT NULL THEN
            INSERT INTO account (key, name) VALUES (p_account_key, p_account)
            ON CONFLICT (ledger_id, key) DO NOTHING;
            v_account := (SELECT name FROM account WHERE key = p_account_key);
        END IF;
        INSERT INTO expense (
            id, amount_minor, category, description, date, occurrence, account, note, tags,
            category_key, description_key, account_key, note_key, tags_key,
            dedup_key, last_seq, created_at, updated_at, version, said_account_key
        )
        VALUES (
            v_id, p_amount_minor, v_category, p_description, p_date, v_occurrence, v_account, p_note, p_tags,
            p_category_key, p_description_key, p_account_key, p_note_key, p_tags_key,
            v_dedup_key, v_seq, v_at, v_at, 1, p_account_key
        );
        INSERT INTO claim (key, expense_id) VALUES (v_dedup_key, v_id);
        IF p_key <> v_dedup_key THEN
            INSERT INTO claim (key, expense_id, request) VALUES (p_key, v_id, p_request);
        END IF;
        INSERT INTO log_entry (
            seq, kind, at, actor, expense_id, version,
            amount_minor, category, description, date, occurrence, account, note, tags
        )
        VALUES (
            v_seq, 'created', v_at, p_actor, v_id, 1,
            p_amount_minor, v_category, p_description, p_date, v_occurrence, v_account, p_note, p_tags
        );
        INSERT INTO category (key, name, count, total_high, total_low)
        VALUES (p_category_key, v_category, 1, p_total_high, p_total_low)
        ON CONFLICT (ledger_id, key) DO UPDATE
           SET count = category.count + 1,
               total_high = category.total_high + excluded.total_high,
               total_low = category.total_low + excluded.total_low;
        RETURN QUERY
        SELECT 'created', NULL, id, amount_minor, category, description, date, occurrence,
               account, note, tags, dedup_key, version, created_at, updated_at,
               deleted_at, last_seq, state, entered, merged_into, part_of, whole_minor, said_account_key
          FROM expense
         WHERE id = v_id;
    END
    $$
"""
