-- Which feeds are to bring prices, when each last did, and whether it was told that one fell silent.
CREATE TABLE IF NOT EXISTS feed_watches (
    feed_id uuid PRIMARY KEY,
    status text NOT NULL,
    interval_ms bigint NOT NULL CHECK (interval_ms >= 0),
    seq bigint NOT NULL DEFAULT -1,
    moved_at timestamptz NOT NULL,
    is_silent boolean NOT NULL DEFAULT false,
    silences bigint NOT NULL DEFAULT 0 CHECK (silences >= 0)
);

-- When each background job of risk last came round, and whether it was told that one stopped.
CREATE TABLE IF NOT EXISTS job_beats (
    job text PRIMARY KEY,
    beat_at timestamptz NOT NULL,
    is_dead boolean NOT NULL DEFAULT false,
    deaths bigint NOT NULL DEFAULT 0 CHECK (deaths >= 0)
);
