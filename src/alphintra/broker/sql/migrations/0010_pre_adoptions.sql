-- Executions that we did not order and a person took into the books, each under an order of its own.
CREATE TABLE IF NOT EXISTS adoptions (
    account_id uuid NOT NULL REFERENCES links (account_id),
    execution_id text NOT NULL,
    order_id uuid NOT NULL,
    adopted_by text NOT NULL CHECK (adopted_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    adopted_at timestamptz NOT NULL,
    CONSTRAINT adoptions_pkey PRIMARY KEY (account_id, execution_id)
);
