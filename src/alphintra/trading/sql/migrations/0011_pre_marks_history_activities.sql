-- What was paid in and taken out since the account was opened: no profit.
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS net_flows numeric(28, 9) NOT NULL DEFAULT 0;

CREATE INDEX IF NOT EXISTS accounts_feed_idx ON accounts (feed_id);

-- Newest prices of a feed, as its steps or its venue tell them; seq keeps an older one from coming later.
CREATE TABLE IF NOT EXISTS marks (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    price numeric(28, 9) NOT NULL CHECK (price > 0 AND price < 'Infinity'),
    seq bigint NOT NULL CHECK (seq >= 0),
    marked_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, symbol)
);

-- What an account was worth at each mark, in the time of the market.
CREATE TABLE IF NOT EXISTS portfolio_points (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    marked_at timestamptz NOT NULL,
    equity numeric(28, 9) NOT NULL CHECK (equity > '-Infinity' AND equity < 'Infinity'),
    cash numeric(28, 9) NOT NULL CHECK (cash > '-Infinity' AND cash < 'Infinity'),
    net_flows numeric(28, 9) NOT NULL CHECK (net_flows > '-Infinity' AND net_flows < 'Infinity'),
    PRIMARY KEY (account_id, marked_at)
);

-- What happened to an account beside its executions; the reference is the caller's, and makes a repetition safe.
CREATE TABLE IF NOT EXISTS activities (
    activity_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    reference text NOT NULL CHECK (reference <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    symbol text NOT NULL DEFAULT '',
    qty numeric(28, 9) NOT NULL DEFAULT 0 CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    net_amount numeric(28, 9) NOT NULL CHECK (net_amount > '-Infinity' AND net_amount < 'Infinity'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    description text NOT NULL DEFAULT '',
    request text NOT NULL,
    booked_at timestamptz NOT NULL,
    CONSTRAINT activities_reference_key UNIQUE (account_id, reference)
);

CREATE INDEX IF NOT EXISTS activities_account_booked_idx ON activities (account_id, booked_at, activity_id);
