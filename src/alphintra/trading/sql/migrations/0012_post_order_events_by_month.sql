-- The events of orders by month of their time, so that a month can be kept apart, backed up and put away whole. What
-- is there becomes one part that ends with this month; months to come are made by dataplane/months.py at each start,
-- and what no month holds goes to the part named `rest`. No service runs while this does: it may take its time.
SET LOCAL statement_timeout = '30min';
SET LOCAL timezone = 'UTC';

DO $$
BEGIN
    IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = 'order_events'::regclass) = 'p' THEN
        RETURN;
    END IF;
    ALTER TABLE order_events RENAME TO order_events_before;
    ALTER TABLE order_events_before DROP CONSTRAINT order_events_pkey;
    ALTER INDEX order_events_occurred_range_idx RENAME TO order_events_before_occurred_range_idx;
    CREATE TABLE order_events (LIKE order_events_before INCLUDING CONSTRAINTS) PARTITION BY RANGE (occurred_at);
    -- A key of a table in parts has to hold what cuts it. An order's events are numbered under the lock of its row.
    ALTER TABLE order_events ADD CONSTRAINT order_events_pkey PRIMARY KEY (order_id, version, occurred_at);
    ALTER TABLE order_events ADD CONSTRAINT order_events_order_id_fkey
    FOREIGN KEY (order_id) REFERENCES orders (order_id);
    CREATE INDEX order_events_occurred_range_idx ON order_events USING brin (occurred_at) WITH (autosummarize = on);
    CREATE TABLE order_events_rest PARTITION OF order_events DEFAULT;
    IF EXISTS (SELECT FROM order_events_before) THEN
        EXECUTE format(
            'ALTER TABLE order_events ATTACH PARTITION order_events_before FOR VALUES FROM (MINVALUE) TO (%L)',
            date_trunc('month', now()) + interval '1 month'
        );
    ELSE
        DROP TABLE order_events_before;
    END IF;
END
$$;
