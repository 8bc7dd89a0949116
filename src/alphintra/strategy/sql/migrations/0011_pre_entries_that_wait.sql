-- squawk-ignore-file ban-drop-constraint
-- The price an entry waits for and for how long; whether a rule has asked to take it off before it was filled.
ALTER TABLE intents
ADD COLUMN IF NOT EXISTS limit_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trigger_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS bars_max bigint,
ADD COLUMN IF NOT EXISTS works_until timestamptz,
ADD COLUMN IF NOT EXISTS is_withdrawn boolean NOT NULL DEFAULT FALSE,
DROP CONSTRAINT IF EXISTS intents_prices_positive,
ADD CONSTRAINT intents_prices_positive CHECK (
    (limit_price IS NULL OR (limit_price > 0 AND limit_price < 'Infinity'))
    AND (trigger_price IS NULL OR (trigger_price > 0 AND trigger_price < 'Infinity'))
    AND (bars_max IS NULL OR bars_max > 0)
) NOT VALID;
