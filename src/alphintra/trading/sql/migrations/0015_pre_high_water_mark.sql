-- The best price a trailing stop has seen, as its venue tells it.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS hwm numeric(28, 9)
CONSTRAINT orders_hwm_check CHECK (hwm > 0 AND hwm < 'Infinity');
