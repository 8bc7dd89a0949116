-- What was decided on each order heard of, once and for good: the key makes a replayed order harmless. Refused orders
-- leave nothing else behind, because what they ask for may be forged.
CREATE TABLE IF NOT EXISTS verdicts (
    order_id uuid PRIMARY KEY,
    is_sent boolean NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    decided_at timestamptz NOT NULL,
    CONSTRAINT verdicts_code_iff_refused CHECK (is_sent = (code = ''))
);

CREATE TABLE IF NOT EXISTS venue_orders (
    order_id uuid PRIMARY KEY REFERENCES verdicts (order_id),
    client_order_id text NOT NULL,
    account_id uuid NOT NULL REFERENCES connections (account_id),
    feed_id uuid,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    type text NOT NULL CHECK (type IN ('market', 'limit')),
    time_in_force text NOT NULL CHECK (time_in_force IN ('day', 'gtc')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    limit_price numeric(28, 9) CHECK (limit_price > 0 AND limit_price < 'Infinity'),
    filled_qty numeric(28, 9) NOT NULL DEFAULT 0 CHECK (filled_qty >= 0 AND filled_qty <= qty),
    status text NOT NULL CHECK (status IN ('sending', 'working', 'filled', 'canceled', 'expired')),
    venue_order_id text,
    accepted_seq bigint CHECK (accepted_seq >= 0),
    known_ts timestamptz,
    sent_at timestamptz NOT NULL,
    accepted_at timestamptz,
    closed_at timestamptz,
    CONSTRAINT venue_orders_limit_price_iff_limit CHECK ((type = 'limit') = (limit_price IS NOT NULL)),
    CONSTRAINT venue_orders_accepted_unless_sending CHECK ((status = 'sending') = (accepted_at IS NULL)),
    CONSTRAINT venue_orders_closed_iff_done CHECK ((status IN ('sending', 'working')) = (closed_at IS NULL))
);

CREATE INDEX IF NOT EXISTS venue_orders_working_idx ON venue_orders (feed_id, symbol) WHERE status = 'working';

CREATE INDEX IF NOT EXISTS venue_orders_account_idx ON venue_orders (account_id, sent_at DESC, order_id DESC);

CREATE TABLE IF NOT EXISTS venue_executions (
    execution_id text PRIMARY KEY,
    feed_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    order_id uuid NOT NULL REFERENCES venue_orders (order_id),
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    fee numeric(28, 9) NOT NULL CHECK (fee >= 0 AND fee < 'Infinity'),
    executed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT venue_executions_step_key UNIQUE (feed_id, seq, order_id)
);
