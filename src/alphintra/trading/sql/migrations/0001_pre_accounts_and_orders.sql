CREATE TABLE IF NOT EXISTS accounts (
    account_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    mode text NOT NULL CHECK (mode IN ('paper', 'live')),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    feed_id uuid,
    is_risk_ready boolean NOT NULL DEFAULT false,
    is_venue_ready boolean NOT NULL DEFAULT false,
    starting_cash numeric(28, 9) NOT NULL CHECK (starting_cash >= 0 AND starting_cash < 'Infinity'),
    cash numeric(28, 9) NOT NULL CHECK (cash > '-Infinity' AND cash < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL DEFAULT 0 CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    fees numeric(28, 9) NOT NULL DEFAULT 0 CHECK (fees > '-Infinity' AND fees < 'Infinity'),
    created_at timestamptz NOT NULL,
    CONSTRAINT accounts_owner_name_key UNIQUE (owner_id, name)
);

CREATE TABLE IF NOT EXISTS orders (
    order_id uuid PRIMARY KEY,
    client_order_id text NOT NULL CHECK (client_order_id ~ '^[A-Za-z0-9._:-]{1,128}$'),
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    owner_id uuid NOT NULL,
    book_id uuid,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    type text NOT NULL CHECK (type IN ('market', 'limit')),
    time_in_force text NOT NULL CHECK (time_in_force IN ('day', 'gtc')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    limit_price numeric(28, 9) CHECK (limit_price > 0 AND limit_price < 'Infinity'),
    status text NOT NULL,
    filled_qty numeric(28, 9) NOT NULL DEFAULT 0 CHECK (filled_qty >= 0 AND filled_qty < 'Infinity'),
    filled_amount numeric(28, 9) NOT NULL DEFAULT 0 CHECK (filled_amount >= 0 AND filled_amount < 'Infinity'),
    reason_code text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    decision_id uuid,
    version bigint NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT orders_account_client_order_id_key UNIQUE (account_id, client_order_id),
    CONSTRAINT orders_limit_price_iff_limit CHECK ((type = 'limit') = (limit_price IS NOT NULL))
);

CREATE INDEX IF NOT EXISTS orders_account_created_idx ON orders (account_id, created_at DESC, order_id);

CREATE INDEX IF NOT EXISTS orders_working_idx ON orders (account_id)
WHERE status IN ('pending_new', 'new', 'partially_filled', 'pending_cancel', 'unknown');

CREATE TABLE IF NOT EXISTS order_events (
    order_id uuid NOT NULL REFERENCES orders (order_id),
    version bigint NOT NULL CHECK (version > 0),
    kind text NOT NULL,
    status text NOT NULL,
    detail text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, version)
);
