-- What was executed for deployments, as trading booked it, each execution once; folded_seq is the step of the feed
-- whose decision was the first to know it, null until it is in the deployment's books.
CREATE TABLE IF NOT EXISTS deployment_fills (
    account_id uuid NOT NULL,
    execution_id text NOT NULL,
    deployment_id uuid NOT NULL REFERENCES deployments (deployment_id),
    order_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    fee numeric(28, 9) NOT NULL CHECK (fee > '-Infinity' AND fee < 'Infinity'),
    fee_qty numeric(28, 9) NOT NULL CHECK (fee_qty >= 0 AND fee_qty < qty),
    executed_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    folded_seq bigint,
    PRIMARY KEY (account_id, execution_id)
);

CREATE INDEX IF NOT EXISTS deployment_fills_pending_idx ON deployment_fills (deployment_id) WHERE folded_seq IS NULL;
CREATE INDEX IF NOT EXISTS deployment_fills_order_idx ON deployment_fills (order_id);
CREATE INDEX IF NOT EXISTS deployment_fills_deployment_idx ON deployment_fills (deployment_id, executed_at);

-- Deployments of before have in their books what was booked before now; of new ones every execution is to be folded.
ALTER TABLE deployments ADD COLUMN IF NOT EXISTS fills_since timestamptz NOT NULL DEFAULT now();
