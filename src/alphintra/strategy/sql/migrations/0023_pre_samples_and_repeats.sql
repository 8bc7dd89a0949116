-- Which ready strategy a backtest is the sample of (everybody may read it), and which backtest it is made again of.
ALTER TABLE backtests
ADD COLUMN IF NOT EXISTS template text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS repeats uuid;
