CREATE TABLE IF NOT EXISTS watchlists (
    watchlist_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    symbols text [] NOT NULL CHECK (cardinality(symbols) <= 500),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT watchlists_name_once UNIQUE (user_id, account_id, name)
);
