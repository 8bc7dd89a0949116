-- Splits that were applied to the accounts of a feed while it ran: bars up to after_seq are in old shares.
CREATE TABLE IF NOT EXISTS feed_splits (
    feed_id uuid NOT NULL REFERENCES feeds (feed_id),
    symbol text NOT NULL CHECK (symbol <> ''),
    after_seq bigint NOT NULL CHECK (after_seq >= 0),
    new_shares bigint NOT NULL CHECK (new_shares > 0),
    old_shares bigint NOT NULL CHECK (old_shares > 0),
    reference text NOT NULL CHECK (reference <> ''),
    PRIMARY KEY (feed_id, symbol, reference)
);
