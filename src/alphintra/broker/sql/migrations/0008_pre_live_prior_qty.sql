-- squawk-ignore-file ban-drop-constraint
-- What the orders that an order took the place of had filled: it counts towards its quantity.
ALTER TABLE live_orders
ADD COLUMN IF NOT EXISTS prior_qty numeric(28, 9) NOT NULL DEFAULT 0,
DROP CONSTRAINT IF EXISTS live_orders_prior_finite,
ADD CONSTRAINT live_orders_prior_finite CHECK (prior_qty >= 0 AND prior_qty < 'Infinity') NOT VALID;
