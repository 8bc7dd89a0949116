-- Which limits a backtest's orders were held against: the version of the set and the hash of what it allows.
ALTER TABLE backtests
ADD COLUMN IF NOT EXISTS limit_version bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS limit_hash text NOT NULL DEFAULT '';
