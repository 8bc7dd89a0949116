-- A feed of live bars names where they come from, how long they are, and whose connection lends its keys; a replay has
-- no source. history counts the bars before its begin, connection_id is an account.
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS source text NOT NULL DEFAULT '';
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS timeframe text NOT NULL DEFAULT '';
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS connection_id uuid;
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS history bigint NOT NULL DEFAULT 0;
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS is_extended boolean NOT NULL DEFAULT false;
ALTER TABLE feeds ADD COLUMN IF NOT EXISTS is_expected boolean NOT NULL DEFAULT false;

-- Live bars as they were published, by the step that carried them: up to step 0 those before the feed's begin.
CREATE TABLE IF NOT EXISTS recorded_bars (
    feed_id uuid NOT NULL REFERENCES feeds (feed_id),
    symbol text NOT NULL CHECK (symbol <> ''),
    closed_at timestamptz NOT NULL,
    seq bigint NOT NULL,
    open numeric(28, 9) NOT NULL CHECK (open > 0 AND open < 'Infinity'),
    high numeric(28, 9) NOT NULL CHECK (high > 0 AND high < 'Infinity'),
    low numeric(28, 9) NOT NULL CHECK (low > 0 AND low < 'Infinity'),
    close numeric(28, 9) NOT NULL CHECK (close > 0 AND close < 'Infinity'),
    volume numeric(28, 9) NOT NULL CHECK (volume >= 0 AND volume < 'Infinity'),
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, symbol, closed_at)
);

CREATE INDEX IF NOT EXISTS recorded_bars_seq_idx ON recorded_bars (feed_id, seq);

-- What a source told of bars that was not published: corrections, bars that came late, bars that are none.
CREATE TABLE IF NOT EXISTS bar_remarks (
    feed_id uuid NOT NULL REFERENCES feeds (feed_id),
    symbol text NOT NULL CHECK (symbol <> ''),
    closed_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('corrected', 'late', 'invalid')),
    detail text NOT NULL,
    open numeric(28, 9) CHECK (open > 0 AND open < 'Infinity'),
    high numeric(28, 9) CHECK (high > 0 AND high < 'Infinity'),
    low numeric(28, 9) CHECK (low > 0 AND low < 'Infinity'),
    close numeric(28, 9) CHECK (close > 0 AND close < 'Infinity'),
    volume numeric(28, 9) CHECK (volume >= 0 AND volume < 'Infinity'),
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, symbol, closed_at, kind, detail)
);
