-- Splits by feed, whether an account is there or not: each is applied once, to the accounts the feed has then.
CREATE TABLE IF NOT EXISTS splits_of_feeds (
    feed_id uuid NOT NULL,
    symbol text NOT NULL CHECK (symbol <> ''),
    reference text NOT NULL CHECK (reference <> ''),
    new_shares bigint NOT NULL CHECK (new_shares > 0),
    old_shares bigint NOT NULL CHECK (old_shares > 0),
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, symbol, reference)
);

INSERT INTO splits_of_feeds (feed_id, symbol, reference, new_shares, old_shares, applied_at)
SELECT
    (a.request::jsonb ->> 'feed_id')::uuid, a.symbol, a.reference, (a.request::jsonb ->> 'new_shares')::bigint,
    (a.request::jsonb ->> 'old_shares')::bigint, a.booked_at
FROM activities AS a
WHERE a.kind = 'split'
ORDER BY a.booked_at
ON CONFLICT (feed_id, symbol, reference) DO NOTHING;
