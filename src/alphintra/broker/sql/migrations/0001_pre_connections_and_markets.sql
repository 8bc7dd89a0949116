CREATE TABLE IF NOT EXISTS connections (
    account_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    adapter text NOT NULL CHECK (adapter IN ('paper')),
    feed_id uuid,
    status text NOT NULL CHECK (status IN ('open')),
    slippage_bps numeric(28, 9) NOT NULL DEFAULT 0 CHECK (slippage_bps >= 0 AND slippage_bps <= 1000),
    commission_bps numeric(28, 9) NOT NULL DEFAULT 0 CHECK (commission_bps >= 0 AND commission_bps < 'Infinity'),
    fee_per_share numeric(28, 9) NOT NULL DEFAULT 0 CHECK (fee_per_share >= 0 AND fee_per_share < 'Infinity'),
    fee_minimum numeric(28, 9) NOT NULL DEFAULT 0 CHECK (fee_minimum >= 0 AND fee_minimum < 'Infinity'),
    opened_at timestamptz NOT NULL,
    CONSTRAINT connections_paper_has_feed CHECK (adapter <> 'paper' OR feed_id IS NOT NULL)
);

CREATE INDEX IF NOT EXISTS connections_owner_idx ON connections (owner_id, opened_at, account_id);

-- How far a feed has driven the paper venue. `working` counts its open orders, so that a step with none is one
-- statement; every change of an order happens under the lock of its market's row. Updated at each bar, hence the room
-- left in the page for updates in place.
CREATE TABLE IF NOT EXISTS markets (
    feed_id uuid PRIMARY KEY,
    last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    last_ts timestamptz,
    working bigint NOT NULL DEFAULT 0 CHECK (working >= 0),
    created_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- The newest epoch in which risk blocked trading; approvals from before it are dead. The scope is `firm` or an account.
CREATE TABLE IF NOT EXISTS kill_blocks (
    scope text PRIMARY KEY,
    epoch bigint NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL
);
