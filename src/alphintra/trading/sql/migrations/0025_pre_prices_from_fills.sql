-- squawk-ignore-file ban-drop-constraint
-- How the price of an exit follows from that at which its entry fills: a factor of it and an offset, in whole ticks.
ALTER TABLE orders
ADD COLUMN IF NOT EXISTS fill_factor numeric(38, 18),
ADD COLUMN IF NOT EXISTS fill_offset numeric(38, 18),
ADD COLUMN IF NOT EXISTS fill_tick numeric(38, 18),
DROP CONSTRAINT IF EXISTS orders_from_fill,
ADD CONSTRAINT orders_from_fill CHECK (
    num_nonnulls(fill_factor, fill_offset) IN (0, 2)
    AND (fill_tick IS NULL OR (fill_factor IS NOT NULL AND fill_tick > 0 AND fill_tick < 'Infinity'))
    AND coalesce(fill_factor > 0 AND fill_factor < 'Infinity', true)
    AND coalesce(fill_offset > '-Infinity' AND fill_offset < 'Infinity', true)
    AND (fill_factor IS NULL OR (leg <> 'entry' AND type IN ('limit', 'stop')))
) NOT VALID;
