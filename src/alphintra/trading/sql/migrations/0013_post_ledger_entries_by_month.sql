-- The ledger by month of booking, as the events of orders are. Its lines are told apart by their transaction, and
-- listed in the order of booking: the running number, its sequence and its index are needed no more.
SET LOCAL statement_timeout = '30min';
SET LOCAL timezone = 'UTC';

DO $$
BEGIN
    IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = 'ledger_entries'::regclass) = 'p' THEN
        RETURN;
    END IF;
    ALTER TABLE ledger_entries RENAME TO ledger_entries_before;
    DROP TRIGGER ledger_entries_balanced ON ledger_entries_before;
    ALTER TABLE ledger_entries_before DROP COLUMN entry_id; -- and with it its key and the index of listing
    DROP INDEX ledger_entries_line_key;
    CREATE TABLE ledger_entries (LIKE ledger_entries_before INCLUDING CONSTRAINTS INCLUDING DEFAULTS)
    PARTITION BY RANGE (booked_at);
    ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_pkey
    PRIMARY KEY (transaction_id, book_id, ledger_account, booked_at);
    ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_account_id_fkey
    FOREIGN KEY (account_id) REFERENCES accounts (account_id);
    CREATE INDEX ledger_entries_account_idx ON ledger_entries (account_id, booked_at, transaction_id);
    CREATE TABLE ledger_entries_rest PARTITION OF ledger_entries DEFAULT;
    IF EXISTS (SELECT FROM ledger_entries_before) THEN
        EXECUTE format(
            'ALTER TABLE ledger_entries ATTACH PARTITION ledger_entries_before FOR VALUES FROM (MINVALUE) TO (%L)',
            date_trunc('month', now()) + interval '1 month'
        );
    ELSE
        DROP TABLE ledger_entries_before;
    END IF;
    CREATE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries();
END
$$;
