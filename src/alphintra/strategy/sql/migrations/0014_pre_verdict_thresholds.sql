-- Where a person wants green and red of a verdict to begin, as JSON; and what was in force for each backtest.
CREATE TABLE IF NOT EXISTS verdict_thresholds (
    owner_id uuid PRIMARY KEY,
    thresholds text NOT NULL,
    changed_at timestamptz NOT NULL
);

ALTER TABLE backtests ADD COLUMN IF NOT EXISTS thresholds text NOT NULL DEFAULT '';
