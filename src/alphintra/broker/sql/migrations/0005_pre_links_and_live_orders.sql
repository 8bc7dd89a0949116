-- How a live account reaches its venue. Apart from the paper venue's connections, so that nothing of a paper account
-- can lead to credentials or to an adapter that calls a venue.
CREATE TABLE IF NOT EXISTS links (
    account_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    starting_cash numeric(28, 9) NOT NULL CHECK (starting_cash >= 0 AND starting_cash < 'Infinity'),
    adapter text NOT NULL DEFAULT '' CHECK (adapter IN ('', 'alpaca', 'ccxt')),
    exchange text NOT NULL DEFAULT '',
    environment text NOT NULL DEFAULT 'paper' CHECK (environment IN ('paper', 'live')),
    base_url text NOT NULL DEFAULT '',
    status text NOT NULL CHECK (status IN ('pending', 'reconciling', 'open', 'degraded', 'expired', 'closed')),
    reason text NOT NULL DEFAULT '',
    credentials_version bigint NOT NULL DEFAULT 0 CHECK (credentials_version >= 0),
    seen_at timestamptz,
    changed_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT links_adapter_unless_pending CHECK (adapter <> '' OR status IN ('pending', 'closed'))
);

CREATE INDEX IF NOT EXISTS links_owner_idx ON links (owner_id, opened_at, account_id);

-- Credentials as they are encrypted; the key that wraps their data keys is no part of the database.
CREATE TABLE IF NOT EXISTS link_credentials (
    account_id uuid PRIMARY KEY REFERENCES links (account_id),
    version bigint NOT NULL CHECK (version > 0),
    kek_version bigint NOT NULL CHECK (kek_version > 0),
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    sealed_at timestamptz NOT NULL
);

-- Orders for venues elsewhere: stored as `sending` before the venue is called, `unknown` while its answer is missing.
-- Terms and approval are kept whole, since what is sent later is checked again.
CREATE TABLE IF NOT EXISTS live_orders (
    order_id uuid PRIMARY KEY REFERENCES verdicts (order_id),
    account_id uuid NOT NULL REFERENCES links (account_id),
    client_order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    qty numeric(28, 9) CHECK (qty > 0 AND qty < 'Infinity'),
    terms text NOT NULL,
    approval text NOT NULL,
    kill_epoch bigint NOT NULL,
    approved_until timestamptz NOT NULL,
    replaces uuid,
    status text NOT NULL CHECK (
        status IN (
            'queued', 'sending', 'unknown', 'review', 'working', 'filled', 'canceled', 'expired', 'rejected', 'replaced'
        )
    ),
    venue_order_id text,
    filled_qty numeric(28, 9) NOT NULL DEFAULT 0 CHECK (filled_qty >= 0 AND filled_qty < 'Infinity'),
    is_cancel_requested boolean NOT NULL DEFAULT false,
    cancel_after timestamptz,
    attempts bigint NOT NULL DEFAULT 0,
    misses bigint NOT NULL DEFAULT 0,
    unknown_since timestamptz,
    missed_at timestamptz,
    queued_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT live_orders_client_order_id_key UNIQUE (account_id, client_order_id)
);

CREATE INDEX IF NOT EXISTS live_orders_active_idx ON live_orders (account_id, queued_at, order_id)
WHERE status IN ('queued', 'sending', 'unknown', 'review', 'working');

CREATE UNIQUE INDEX IF NOT EXISTS live_orders_venue_order_id_idx ON live_orders (account_id, venue_order_id)
WHERE venue_order_id IS NOT NULL;

-- What venues executed, once for each execution id; also that of orders which are none of ours, without an order id.
CREATE TABLE IF NOT EXISTS live_executions (
    account_id uuid NOT NULL REFERENCES links (account_id),
    execution_id text NOT NULL,
    order_id uuid REFERENCES live_orders (order_id),
    venue_order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    fee numeric(28, 9) NOT NULL CHECK (fee > '-Infinity' AND fee < 'Infinity'),
    cum_qty numeric(28, 9) CHECK (cum_qty > 0 AND cum_qty < 'Infinity'),
    executed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT live_executions_pkey PRIMARY KEY (account_id, execution_id)
);

CREATE INDEX IF NOT EXISTS live_executions_order_idx ON live_executions (order_id) WHERE order_id IS NOT NULL;

-- Differences between venues and us, each found once; only a person resolves one.
CREATE TABLE IF NOT EXISTS breaks (
    break_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES links (account_id),
    code text NOT NULL,
    key text NOT NULL,
    symbol text NOT NULL,
    order_id uuid,
    detail text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved')),
    found_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text NOT NULL DEFAULT '',
    resolution text NOT NULL DEFAULT '',
    CONSTRAINT breaks_finding_key UNIQUE (account_id, code, key),
    CONSTRAINT breaks_resolved_by_somebody CHECK (
        (status = 'resolved') = (resolved_at IS NOT NULL AND resolved_by <> '' AND resolution <> '')
    )
);

CREATE INDEX IF NOT EXISTS breaks_open_idx ON breaks (account_id, code) WHERE status = 'open';
