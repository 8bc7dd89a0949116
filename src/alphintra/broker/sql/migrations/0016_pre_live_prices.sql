-- What a venue elsewhere tells of prices: the newest of each symbol that is asked for.
CREATE TABLE IF NOT EXISTS live_prices (
    account_id uuid NOT NULL REFERENCES links (account_id),
    symbol text NOT NULL CHECK (symbol <> ''),
    is_wanted boolean NOT NULL,
    price numeric(28, 9) CHECK (price > 0 AND price < 'Infinity'),
    bid numeric(28, 9) CHECK (bid > 0 AND bid < 'Infinity'),
    ask numeric(28, 9) CHECK (ask > 0 AND ask < 'Infinity'),
    priced_at timestamptz,
    watched_at timestamptz NOT NULL,
    is_stalled boolean NOT NULL DEFAULT false,
    CONSTRAINT live_prices_pkey PRIMARY KEY (account_id, symbol),
    CONSTRAINT live_prices_dated CHECK ((price IS NULL) = (priced_at IS NULL))
);
