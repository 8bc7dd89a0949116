-- Daily closes by mark, one ring of 2048 days for each symbol of a feed: a day takes the place of the one 2048 before.
CREATE TABLE IF NOT EXISTS price_closes (
    feed_id uuid NOT NULL REFERENCES feed_marks (feed_id),
    symbol text NOT NULL,
    slot bigint NOT NULL CHECK (slot >= 0 AND slot < 2048),
    day date NOT NULL,
    close numeric(28, 9) NOT NULL CHECK (close > 0 AND close < 'Infinity'),
    marked_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, symbol, slot)
);

-- Equity of an account by day of its feed, the same ring: drawdown and the loss of the day are taken from here.
CREATE TABLE IF NOT EXISTS equity_days (
    account_id uuid NOT NULL REFERENCES balances (account_id),
    slot bigint NOT NULL CHECK (slot >= 0 AND slot < 2048),
    day date NOT NULL,
    first_equity numeric(28, 9) NOT NULL CHECK (first_equity > '-Infinity' AND first_equity < 'Infinity'),
    last_equity numeric(28, 9) NOT NULL CHECK (last_equity > '-Infinity' AND last_equity < 'Infinity'),
    high_equity numeric(28, 9) NOT NULL CHECK (high_equity > '-Infinity' AND high_equity < 'Infinity'),
    low_equity numeric(28, 9) NOT NULL CHECK (low_equity > '-Infinity' AND low_equity < 'Infinity'),
    PRIMARY KEY (account_id, slot)
);

-- The part of an account's position that each book made; orders without a book stand under the zero id.
CREATE TABLE IF NOT EXISTS book_exposures (
    account_id uuid NOT NULL REFERENCES balances (account_id),
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    position_qty numeric(28, 9) NOT NULL CHECK (position_qty > '-Infinity' AND position_qty < 'Infinity'),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, book_id, symbol)
);

-- Reports as they were made: on a schedule, or because somebody asked to have one kept.
CREATE TABLE IF NOT EXISTS risk_metrics (
    metric_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES balances (account_id),
    cause text NOT NULL CHECK (cause IN ('schedule', 'request')),
    measured_at timestamptz NOT NULL,
    equity numeric(28, 9) CHECK (equity > '-Infinity' AND equity < 'Infinity'),
    gross numeric(28, 9) NOT NULL CHECK (gross >= 0 AND gross < 'Infinity'),
    net numeric(28, 9) NOT NULL CHECK (net > '-Infinity' AND net < 'Infinity'),
    report jsonb NOT NULL
);

CREATE INDEX IF NOT EXISTS risk_metrics_account_idx ON risk_metrics (account_id, measured_at DESC);
