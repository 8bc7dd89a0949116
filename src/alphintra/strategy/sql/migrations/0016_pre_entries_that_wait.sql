-- squawk-ignore-file ban-drop-constraint
-- The price an entry waits for and for how long; whether a rule has asked to take it off before it was filled; which
-- entry of its position it is. A deployment counts the entries its position is made of, and knows the last one's price.
ALTER TABLE intents
ADD COLUMN IF NOT EXISTS limit_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trigger_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS bars_max bigint,
ADD COLUMN IF NOT EXISTS works_until timestamptz,
ADD COLUMN IF NOT EXISTS is_withdrawn boolean NOT NULL DEFAULT FALSE,
ADD COLUMN IF NOT EXISTS entry_number bigint NOT NULL DEFAULT 1,
DROP CONSTRAINT IF EXISTS intents_waiting_in_range,
ADD CONSTRAINT intents_waiting_in_range CHECK (
    (limit_price IS NULL OR (limit_price > 0 AND limit_price < 'Infinity'))
    AND (trigger_price IS NULL OR (trigger_price > 0 AND trigger_price < 'Infinity'))
    AND (bars_max IS NULL OR bars_max > 0)
    AND entry_number > 0
) NOT VALID;

ALTER TABLE deployments
ADD COLUMN IF NOT EXISTS entries bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS last_entry numeric(28, 9) NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS last_entry_order uuid,
DROP CONSTRAINT IF EXISTS deployments_entries_counted,
ADD CONSTRAINT deployments_entries_counted CHECK (
    entries >= 0 AND last_entry >= 0 AND last_entry < 'Infinity'
) NOT VALID;
