-- Orders in order of time, whoever's they are: what is newest, what a day brought, what a report reads.
CREATE INDEX IF NOT EXISTS orders_created_idx ON orders (created_at DESC, order_id DESC);

-- The fills of one order.
CREATE INDEX IF NOT EXISTS executions_order_idx ON executions (order_id);

-- Rows that are written in order of time: a few bytes a megabyte say which part of the table a day lies in.
CREATE INDEX IF NOT EXISTS executions_booked_range_idx ON executions USING brin (booked_at) WITH (autosummarize = on);

CREATE INDEX IF NOT EXISTS order_events_occurred_range_idx ON order_events USING brin (occurred_at)
WITH (autosummarize = on);
