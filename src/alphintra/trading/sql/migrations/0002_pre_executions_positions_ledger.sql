CREATE TABLE IF NOT EXISTS executions (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    execution_id text NOT NULL CHECK (execution_id <> ''),
    order_id uuid NOT NULL REFERENCES orders (order_id),
    book_id uuid,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    fee numeric(28, 9) NOT NULL CHECK (fee > '-Infinity' AND fee < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    executed_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    transaction_id uuid NOT NULL,
    PRIMARY KEY (account_id, execution_id)
);

CREATE INDEX IF NOT EXISTS executions_account_booked_idx ON executions (account_id, booked_at, execution_id);

CREATE TABLE IF NOT EXISTS positions (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    qty numeric(28, 9) NOT NULL CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    cost numeric(28, 9) NOT NULL CHECK (cost > '-Infinity' AND cost < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    fees numeric(28, 9) NOT NULL CHECK (fees > '-Infinity' AND fees < 'Infinity'),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, book_id, symbol)
);

CREATE TABLE IF NOT EXISTS ledger_entries (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    ledger_account text NOT NULL CHECK (ledger_account <> ''),
    amount numeric(28, 9) NOT NULL CHECK (amount > '-Infinity' AND amount < 'Infinity'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    booked_at timestamptz NOT NULL,
    CONSTRAINT ledger_entries_once_key UNIQUE (transaction_id, ledger_account)
);

CREATE INDEX IF NOT EXISTS ledger_entries_account_idx ON ledger_entries (account_id, entry_id);

CREATE OR REPLACE FUNCTION refuse_unbalanced_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM inserted GROUP BY transaction_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a transaction must add up to zero' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ledger_entries_balanced';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries();
