CREATE TABLE IF NOT EXISTS imports (
    import_id uuid PRIMARY KEY,
    owner_id uuid,
    upload_id uuid NOT NULL,
    file_name text NOT NULL,
    source text NOT NULL,
    symbol text,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'failed')),
    progress double precision NOT NULL DEFAULT 0 CHECK (progress >= 0 AND progress <= 1),
    dataset_ids uuid[] NOT NULL DEFAULT '{}',
    error_code text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    leased_until timestamptz
);

CREATE INDEX IF NOT EXISTS imports_open_idx ON imports (created_at) WHERE status IN ('queued', 'running');

CREATE TABLE IF NOT EXISTS datasets (
    dataset_id uuid PRIMARY KEY,
    owner_id uuid,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    source text NOT NULL,
    row_count bigint NOT NULL CHECK (row_count > 0),
    first_ts timestamptz NOT NULL,
    last_ts timestamptz NOT NULL,
    splits text[] NOT NULL,
    findings text[] NOT NULL,
    data_hash text NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT datasets_content_key UNIQUE NULLS NOT DISTINCT (owner_id, symbol, timeframe, data_hash)
);

CREATE TABLE IF NOT EXISTS backtests (
    backtest_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    version_id uuid NOT NULL,
    dataset_id uuid NOT NULL REFERENCES datasets (dataset_id),
    symbol text NOT NULL,
    graph text NOT NULL,
    settings text NOT NULL,
    start_ts timestamptz,
    end_ts timestamptz,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'failed', 'canceled')),
    is_cancel_asked boolean NOT NULL DEFAULT false,
    progress double precision NOT NULL DEFAULT 0 CHECK (progress >= 0 AND progress <= 1),
    run_hash text NOT NULL DEFAULT '',
    result_hash text NOT NULL DEFAULT '',
    metrics text NOT NULL DEFAULT '{}',
    result text NOT NULL DEFAULT '',
    error_code text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    leased_until timestamptz
);

CREATE INDEX IF NOT EXISTS backtests_owner_idx ON backtests (owner_id, created_at DESC);

CREATE INDEX IF NOT EXISTS backtests_open_idx ON backtests (created_at) WHERE status IN ('queued', 'running');
