CREATE TABLE IF NOT EXISTS feeds (
    feed_id uuid PRIMARY KEY,
    owner_id uuid,
    name text NOT NULL CHECK (name <> ''),
    symbols text[] NOT NULL,
    dataset_ids uuid[] NOT NULL,
    start_ts timestamptz,
    end_ts timestamptz,
    status text NOT NULL CHECK (status IN ('preparing', 'paused', 'running', 'finished', 'failed')),
    seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
    steps bigint NOT NULL DEFAULT 0 CHECK (steps >= 0),
    interval_ms bigint NOT NULL CHECK (interval_ms >= 0),
    pause_at bigint,
    last_ts timestamptz,
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS deployments (
    deployment_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    version_id uuid NOT NULL,
    graph_hash text NOT NULL,
    graph text NOT NULL,
    account_id uuid NOT NULL,
    feed_id uuid NOT NULL REFERENCES feeds (feed_id),
    symbol text NOT NULL,
    capital numeric(28, 9) NOT NULL CHECK (capital > 0 AND capital < 'Infinity'),
    status text NOT NULL CHECK (status IN ('active', 'stopped', 'failed')),
    last_seq bigint NOT NULL CHECK (last_seq >= 0),
    executor_state text NOT NULL,
    cash numeric(28, 9) NOT NULL CHECK (cash > '-Infinity' AND cash < 'Infinity'),
    qty numeric(28, 9) NOT NULL DEFAULT 0 CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    cost numeric(28, 9) NOT NULL DEFAULT 0 CHECK (cost > '-Infinity' AND cost < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL DEFAULT 0 CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    fees numeric(28, 9) NOT NULL DEFAULT 0 CHECK (fees > '-Infinity' AND fees < 'Infinity'),
    last_price numeric(28, 9) CHECK (last_price > 0 AND last_price < 'Infinity'),
    intent_count bigint NOT NULL DEFAULT 0 CHECK (intent_count >= 0),
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS deployments_feed_idx ON deployments (feed_id) WHERE status = 'active';

CREATE INDEX IF NOT EXISTS deployments_owner_idx ON deployments (owner_id, created_at DESC);

CREATE TABLE IF NOT EXISTS decisions (
    deployment_id uuid NOT NULL REFERENCES deployments (deployment_id),
    seq bigint NOT NULL CHECK (seq > 0),
    bar_ts timestamptz NOT NULL,
    outcome text NOT NULL,
    node_values text NOT NULL,
    PRIMARY KEY (deployment_id, seq)
);

CREATE TABLE IF NOT EXISTS intents (
    client_order_id text PRIMARY KEY,
    deployment_id uuid NOT NULL REFERENCES deployments (deployment_id),
    seq bigint NOT NULL CHECK (seq > 0),
    intent_index bigint NOT NULL CHECK (intent_index >= 0),
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    type text NOT NULL,
    time_in_force text NOT NULL,
    tag text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'working', 'closed')),
    order_id uuid,
    order_code text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    CONSTRAINT intents_once_key UNIQUE (deployment_id, seq, intent_index)
);

CREATE INDEX IF NOT EXISTS intents_open_idx ON intents (deployment_id) WHERE status <> 'closed';
