-- squawk-ignore-file ban-drop-constraint
-- How the prices of an entry's exits follow from that at which it fills: a factor of it and an offset.
ALTER TABLE intents
ADD COLUMN IF NOT EXISTS profit_factor numeric(38, 18),
ADD COLUMN IF NOT EXISTS profit_offset numeric(38, 18),
ADD COLUMN IF NOT EXISTS stop_factor numeric(38, 18),
ADD COLUMN IF NOT EXISTS stop_offset numeric(38, 18),
DROP CONSTRAINT IF EXISTS intents_exits_from_fill,
ADD CONSTRAINT intents_exits_from_fill CHECK (
    (profit_factor IS NULL OR take_profit IS NOT NULL)
    AND (stop_factor IS NULL OR stop_price IS NOT NULL)
    AND num_nonnulls(profit_factor, profit_offset) IN (0, 2)
    AND coalesce(profit_factor > 0 AND profit_factor < 'Infinity', true)
    AND coalesce(profit_offset > '-Infinity' AND profit_offset < 'Infinity', true)
    AND num_nonnulls(stop_factor, stop_offset) IN (0, 2)
    AND coalesce(stop_factor > 0 AND stop_factor < 'Infinity', true)
    AND coalesce(stop_offset > '-Infinity' AND stop_offset < 'Infinity', true)
) NOT VALID;
