-- The number of the newest word broker told on where an order stands: what is older and comes later is old news.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS report_seq bigint NOT NULL DEFAULT 0;
