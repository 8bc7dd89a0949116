-- The number of the last word told of an order, so that whoever hears it late knows what is older.
ALTER TABLE live_orders ADD COLUMN IF NOT EXISTS told_seq bigint NOT NULL DEFAULT 0;
