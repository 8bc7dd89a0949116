-- squawk-ignore-file ban-drop-constraint
-- The exits an entry brings with it, why an order was asked for, and which exit closed what an entry opened.
-- A deployment counts the bars its position has met, and notes where it owes an exit whose order was refused.
ALTER TABLE intents
ADD COLUMN IF NOT EXISTS reason text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS take_profit numeric(28, 9),
ADD COLUMN IF NOT EXISTS stop_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trail_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trail_percent numeric(28, 9),
ADD COLUMN IF NOT EXISTS exit_leg text NOT NULL DEFAULT '',
DROP CONSTRAINT IF EXISTS intents_exits_positive,
ADD CONSTRAINT intents_exits_positive CHECK (
    (take_profit IS NULL OR (take_profit > 0 AND take_profit < 'Infinity'))
    AND (stop_price IS NULL OR (stop_price > 0 AND stop_price < 'Infinity'))
    AND (trail_price IS NULL OR (trail_price > 0 AND trail_price < 'Infinity'))
    AND (trail_percent IS NULL OR (trail_percent > 0 AND trail_percent < 100))
) NOT VALID,
DROP CONSTRAINT IF EXISTS intents_one_stop,
ADD CONSTRAINT intents_one_stop CHECK (num_nonnulls(stop_price, trail_price, trail_percent) <= 1) NOT VALID;

ALTER TABLE deployments
ADD COLUMN IF NOT EXISTS bars_held bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS exit_owed text NOT NULL DEFAULT '',
DROP CONSTRAINT IF EXISTS deployments_bars_held_counted,
ADD CONSTRAINT deployments_bars_held_counted CHECK (bars_held >= 0) NOT VALID;
