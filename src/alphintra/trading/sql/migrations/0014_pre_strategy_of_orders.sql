-- Which version of a strategy asked for an order, as the hash of its graph; empty for orders by hand.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS strategy_hash text NOT NULL DEFAULT '';
