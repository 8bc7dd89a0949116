CREATE TABLE IF NOT EXISTS downloads (
    download_id uuid PRIMARY KEY,
    owner_id uuid,
    source text NOT NULL,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    start_ts timestamptz NOT NULL,
    end_ts timestamptz NOT NULL,
    licence text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'failed', 'canceled')),
    is_cancel_asked boolean NOT NULL DEFAULT false,
    progress double precision NOT NULL DEFAULT 0 CHECK (progress >= 0 AND progress <= 1),
    cursor_ts timestamptz NOT NULL,
    staged_bytes bigint NOT NULL DEFAULT 0 CHECK (staged_bytes >= 0),
    row_count bigint NOT NULL DEFAULT 0 CHECK (row_count >= 0),
    dataset_id uuid,
    error_code text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    leased_until timestamptz
);

CREATE INDEX IF NOT EXISTS downloads_open_idx ON downloads (created_at) WHERE status IN ('queued', 'running');
