-- What the controls look at beyond cash, position and price.
ALTER TABLE limit_sets ADD COLUMN IF NOT EXISTS controls jsonb NOT NULL DEFAULT '{}';

ALTER TABLE balances ADD COLUMN IF NOT EXISTS mode text NOT NULL DEFAULT 'paper';

ALTER TABLE balances ADD COLUMN IF NOT EXISTS venue text NOT NULL DEFAULT 'paper';

ALTER TABLE assessments ADD COLUMN IF NOT EXISTS inputs_hash bytea;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS limit_price numeric(28, 9);

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS book_id uuid;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS is_unknown boolean NOT NULL DEFAULT false;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS order_version bigint NOT NULL DEFAULT 0;

ALTER TABLE prices ADD COLUMN IF NOT EXISTS bid numeric(28, 9);

ALTER TABLE prices ADD COLUMN IF NOT EXISTS ask numeric(28, 9);

-- Kill states of users, strategies and venues; epochs count on over these and those of firm and accounts.
CREATE TABLE IF NOT EXISTS scope_kills (
    epoch bigint PRIMARY KEY CHECK (epoch > 0),
    scope text NOT NULL CHECK (scope IN ('user', 'strategy', 'venue')),
    key text NOT NULL CHECK (key <> ''),
    state text NOT NULL CHECK (state IN ('normal', 'reduce_only', 'cancel_only', 'halted')),
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS scope_kills_key_idx ON scope_kills (scope, key, epoch);

CREATE INDEX IF NOT EXISTS balances_owner_idx ON balances (owner_id);

CREATE INDEX IF NOT EXISTS balances_feed_idx ON balances (feed_id);

CREATE INDEX IF NOT EXISTS booked_executions_account_idx ON booked_executions (account_id, booked_at);

-- Specifications of instruments; the newest version holds.
CREATE TABLE IF NOT EXISTS instruments (
    symbol text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    terms jsonb NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (symbol, version)
);

-- The restricted list: for all accounts, or for one. What was lifted stays on record.
CREATE TABLE IF NOT EXISTS restrictions (
    restriction_id uuid PRIMARY KEY,
    symbol text NOT NULL,
    account_id uuid,
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    lifted_by text,
    lifted_at timestamptz
);

CREATE INDEX IF NOT EXISTS restrictions_symbol_idx ON restrictions (symbol) WHERE lifted_at IS NULL;

-- Blocks that outlive restarts and clocks: only a named person with a reason lifts one.
CREATE TABLE IF NOT EXISTS latches (
    latch_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES balances (account_id),
    code text NOT NULL,
    symbol text,
    book_id uuid,
    reason text NOT NULL CHECK (reason <> ''),
    set_at timestamptz NOT NULL,
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text
);

CREATE INDEX IF NOT EXISTS latches_account_idx ON latches (account_id) WHERE lifted_at IS NULL;

-- Credit over all accounts of an owner, or of the firm (the owner of which is the nil uuid); its row is the lock.
CREATE TABLE IF NOT EXISTS shared_limits (
    scope text NOT NULL CHECK (scope IN ('firm', 'user')),
    owner_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    credit_max numeric(28, 9) CHECK (credit_max > 0 AND credit_max < 'Infinity'),
    four_eyes_above numeric(28, 9) CHECK (four_eyes_above >= 0 AND four_eyes_above < 'Infinity'),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (scope, owner_id, version)
);

CREATE TABLE IF NOT EXISTS limit_proposals (
    proposal_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES balances (account_id),
    wanted jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    is_approved boolean,
    CONSTRAINT limit_proposals_two_people CHECK (is_approved IS NOT TRUE OR decided_by <> proposed_by)
);

-- Leave for one order of one content to pass soft controls, once; given by another person than asked for it.
CREATE TABLE IF NOT EXISTS overrides (
    override_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES balances (account_id),
    order_id uuid NOT NULL,
    content text NOT NULL,
    codes text[] NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    used_for uuid,
    used_at timestamptz,
    CONSTRAINT overrides_two_people CHECK (approved_by IS NULL OR approved_by <> requested_by)
);

CREATE INDEX IF NOT EXISTS overrides_open_idx ON overrides (account_id)
WHERE approved_at IS NOT NULL AND used_at IS NULL;

CREATE TABLE IF NOT EXISTS message_buckets (
    account_id uuid PRIMARY KEY REFERENCES balances (account_id),
    tokens numeric(28, 9) NOT NULL CHECK (tokens >= 0 AND tokens < 'Infinity'),
    refilled_at timestamptz NOT NULL
);

-- Sessions that promised to be heard of; where one is lost its account's orders are cancelled.
CREATE TABLE IF NOT EXISTS dead_man_switches (
    account_id uuid NOT NULL REFERENCES balances (account_id),
    session_id text NOT NULL,
    timeout_s bigint NOT NULL CHECK (timeout_s > 0),
    deadline timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('armed', 'lost', 'closed')),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, session_id)
);

CREATE INDEX IF NOT EXISTS dead_man_switches_deadline_idx ON dead_man_switches (deadline) WHERE state = 'armed';

CREATE TABLE IF NOT EXISTS fleet (
    service text NOT NULL,
    instance text NOT NULL,
    build text NOT NULL,
    config_hash text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (service, instance)
);

CREATE TABLE IF NOT EXISTS equity_marks (
    account_id uuid PRIMARY KEY REFERENCES balances (account_id),
    day date NOT NULL,
    opening_equity numeric(56, 18) NOT NULL CHECK (opening_equity > '-Infinity' AND opening_equity < 'Infinity'),
    last_equity numeric(56, 18) NOT NULL CHECK (last_equity > '-Infinity' AND last_equity < 'Infinity'),
    peak_equity numeric(56, 18) NOT NULL CHECK (peak_equity > '-Infinity' AND peak_equity < 'Infinity'),
    marked_at timestamptz NOT NULL
);
