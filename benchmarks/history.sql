WITH stored AS (
    INSERT INTO orders (order_id, client_order_id, account_id, owner_id, symbol, side, type, time_in_force, qty,
        limit_price, status, filled_qty, filled_amount, decision_id, version, created_at, updated_at)
    SELECT gen_random_uuid(), gen_random_uuid()::text, ($1::uuid[])[1 + n % cardinality($1::uuid[])],
        gen_random_uuid(), 'AAPL', 'buy', 'limit', 'gtc', 1, 101.25, 'filled', 1, 101.25, gen_random_uuid(), 3,
        now() - n * interval '1 second', now()
    FROM generate_series(1, $2::int) AS n
    RETURNING order_id, created_at
), happened AS (
    INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at)
    SELECT s.order_id, v.version, v.kind, v.status, '{}', s.created_at
    FROM stored AS s
    CROSS JOIN (VALUES (1, 'submitted', 'pending_new'), (2, 'acknowledged', 'new')) AS v (version, kind, status)
), told AS (
    INSERT INTO event_log (event_id, subject, aggregate_id, payload, occurred_at)
    SELECT gen_random_uuid(), 'trading.evt.order_submitted', s.order_id, repeat('x', 900), s.created_at
    FROM stored AS s
)
INSERT INTO audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
SELECT gen_random_uuid(), 'user:bench', 'order.submit', 'order:' || s.order_id, repeat('y', 400), repeat('0', 32),
    s.created_at
FROM stored AS s
