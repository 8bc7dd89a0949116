-- The book of an account as risk sees it. Its row is the lock under which the account's orders are decided.
CREATE TABLE IF NOT EXISTS balances (
    account_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    feed_id uuid,
    currency text NOT NULL,
    cash numeric(28, 9) NOT NULL CHECK (cash > '-Infinity' AND cash < 'Infinity'),
    updated_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS exposures (
    account_id uuid NOT NULL REFERENCES balances (account_id),
    symbol text NOT NULL,
    position_qty numeric(28, 9) NOT NULL CHECK (position_qty > '-Infinity' AND position_qty < 'Infinity'),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, symbol)
);

-- Executions already moved from reservation to exposure: none is ever counted twice.
CREATE TABLE IF NOT EXISTS booked_executions (
    execution_id text NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    booked_at timestamptz NOT NULL,
    PRIMARY KEY (execution_id, account_id)
);

CREATE TABLE IF NOT EXISTS limit_sets (
    account_id uuid NOT NULL REFERENCES balances (account_id),
    version bigint NOT NULL CHECK (version > 0),
    order_qty_max numeric(28, 9) NOT NULL CHECK (order_qty_max > 0 AND order_qty_max < 'Infinity'),
    order_notional_max numeric(28, 9) NOT NULL CHECK (order_notional_max > 0 AND order_notional_max < 'Infinity'),
    position_qty_max numeric(28, 9) NOT NULL CHECK (position_qty_max > 0 AND position_qty_max < 'Infinity'),
    may_short boolean NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, version)
);

CREATE TABLE IF NOT EXISTS kill_states (
    epoch bigint PRIMARY KEY CHECK (epoch > 0),
    scope text NOT NULL CHECK (scope IN ('firm', 'account')),
    account_id uuid REFERENCES balances (account_id),
    state text NOT NULL CHECK (state IN ('normal', 'reduce_only', 'cancel_only', 'halted')),
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    CONSTRAINT kill_states_account_iff_scope CHECK ((scope = 'account') = (account_id IS NOT NULL))
);

CREATE INDEX IF NOT EXISTS kill_states_firm_idx ON kill_states (epoch) WHERE scope = 'firm';

CREATE INDEX IF NOT EXISTS kill_states_account_idx ON kill_states (account_id, epoch) WHERE scope = 'account';

-- Every decision ever made. An order is decided again only where its reservation had lapsed: `attempt` counts.
CREATE TABLE IF NOT EXISTS assessments (
    decision_id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    attempt bigint NOT NULL CHECK (attempt > 0),
    account_id uuid NOT NULL,
    approved boolean NOT NULL,
    findings jsonb NOT NULL,
    limit_version bigint NOT NULL CHECK (limit_version >= 0),
    kill_epoch bigint NOT NULL CHECK (kill_epoch >= 0),
    leaf bytea NOT NULL,
    inputs jsonb NOT NULL,
    decided_at timestamptz NOT NULL,
    CONSTRAINT assessments_order_attempt_key UNIQUE (order_id, attempt),
    CONSTRAINT assessments_approved_iff_no_finding CHECK (approved = (findings = '[]'))
);

CREATE INDEX IF NOT EXISTS assessments_account_idx ON assessments (account_id, decided_at DESC);

-- What an approved order may still do. `open_qty` is target less filled while the order lives, else zero.
CREATE TABLE IF NOT EXISTS reservations (
    order_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES balances (account_id),
    decision_id uuid NOT NULL REFERENCES assessments (decision_id),
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    target_qty numeric(28, 9) NOT NULL CHECK (target_qty >= 0 AND target_qty < 'Infinity'),
    filled_qty numeric(28, 9) NOT NULL CHECK (filled_qty >= 0 AND filled_qty < 'Infinity'),
    open_qty numeric(28, 9) NOT NULL CHECK (open_qty >= 0 AND open_qty < 'Infinity'),
    state text NOT NULL CHECK (state IN ('held', 'confirmed', 'lapsed', 'released', 'closed')),
    held_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT reservations_open_is_the_rest CHECK (
        open_qty = CASE WHEN state IN ('lapsed', 'released') THEN 0 ELSE greatest(target_qty - filled_qty, 0) END
    )
);

CREATE INDEX IF NOT EXISTS reservations_open_idx ON reservations (account_id, symbol) WHERE open_qty > 0;

CREATE INDEX IF NOT EXISTS reservations_held_idx ON reservations (held_at) WHERE state = 'held';

CREATE TABLE IF NOT EXISTS feed_marks (
    feed_id uuid PRIMARY KEY,
    seq bigint NOT NULL CHECK (seq >= 0),
    marked_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS prices (
    feed_id uuid NOT NULL REFERENCES feed_marks (feed_id),
    symbol text NOT NULL,
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    seq bigint NOT NULL CHECK (seq >= 0),
    marked_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, symbol)
);
