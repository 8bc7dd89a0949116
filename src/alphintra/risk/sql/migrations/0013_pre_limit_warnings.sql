-- Which limits are nearly used up, or were: told once when the share that is warned at is crossed, once when there is
-- room again. Survives restarts, so that nothing is told twice.
CREATE TABLE IF NOT EXISTS limit_warnings (
    account_id uuid NOT NULL,
    what text NOT NULL CHECK (what <> ''),
    name text NOT NULL,
    crossing bigint NOT NULL CHECK (crossing > 0),
    is_standing boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, what, name)
);

CREATE INDEX IF NOT EXISTS limit_warnings_standing_idx ON limit_warnings (account_id) WHERE is_standing;
