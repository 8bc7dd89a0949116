-- Which workflow a backtest belongs to: its trials are counted together. Backtests of before have none.
ALTER TABLE backtests
ADD COLUMN IF NOT EXISTS workflow_id uuid;
-- Searches for parameters: over a range at once, or by windows of a walk-forward. Bars from holdout_ts on are locked.
CREATE TABLE IF NOT EXISTS sweeps (
    sweep_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    version_id uuid NOT NULL,
    dataset_id uuid NOT NULL REFERENCES datasets (dataset_id),
    symbol text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sweep', 'walk_forward')),
    graph text NOT NULL,
    settings text NOT NULL,
    plan text NOT NULL,
    start_ts timestamptz,
    end_ts timestamptz,
    holdout_ts timestamptz,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'finished', 'failed', 'canceled')),
    is_cancel_asked boolean NOT NULL DEFAULT false,
    progress double precision NOT NULL DEFAULT 0 CHECK (progress >= 0 AND progress <= 1),
    result text NOT NULL DEFAULT '',
    error_code text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    leased_until timestamptz
);

CREATE INDEX IF NOT EXISTS sweeps_owner_idx ON sweeps (owner_id, created_at DESC);

CREATE INDEX IF NOT EXISTS sweeps_open_idx ON sweeps (created_at) WHERE status IN ('queued', 'running');

CREATE INDEX IF NOT EXISTS sweeps_workflow_idx ON sweeps (owner_id, workflow_id, created_at DESC);
-- The ledger of trials: every run of a workflow, once, with what the best of them must be held against. Only grows.
CREATE TABLE IF NOT EXISTS trials (
    run_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('backtest', 'sweep', 'train', 'test')),
    segment bigint NOT NULL CHECK (segment >= 0),
    number bigint NOT NULL CHECK (number >= 0),
    owner_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    symbol text NOT NULL,
    parameters text NOT NULL,
    start_ts timestamptz,
    end_ts timestamptz,
    run_hash text NOT NULL,
    result_hash text NOT NULL,
    score double precision CHECK (score > '-Infinity' AND score < 'Infinity'),
    sharpe double precision CHECK (sharpe > '-Infinity' AND sharpe < 'Infinity'),
    metrics text NOT NULL,
    returns bytea NOT NULL,
    error_code text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, role, segment, number)
);

CREATE INDEX IF NOT EXISTS trials_family_idx ON trials (owner_id, workflow_id);
-- Each time somebody looked at bars that a sweep had locked away. Only grows.
CREATE TABLE IF NOT EXISTS holdout_unlocks (
    backtest_id uuid PRIMARY KEY,
    sweep_id uuid NOT NULL REFERENCES sweeps (sweep_id),
    owner_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS holdout_unlocks_family_idx ON holdout_unlocks (owner_id, workflow_id);
