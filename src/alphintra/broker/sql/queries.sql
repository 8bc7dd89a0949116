-- connections.insert: store a new connection; one that is there stays as it is
INSERT INTO connections (account_id, owner_id, adapter, feed_id, status, opened_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id) DO NOTHING;

-- connections.get: read an account's connection
SELECT account_id, owner_id, adapter, feed_id, status, opened_at FROM connections WHERE account_id = $1;

-- connections.list: read a person's connections, oldest first
SELECT account_id, owner_id, adapter, feed_id, status, opened_at
FROM connections WHERE owner_id = $1 ORDER BY opened_at, account_id;

-- kill_blocks.raise: remember a blocking epoch of a scope, unless a newer one is known
INSERT INTO kill_blocks (scope, epoch, state, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (scope) DO UPDATE SET epoch = excluded.epoch, state = excluded.state, since = excluded.since
WHERE kill_blocks.epoch < excluded.epoch;

-- kill_blocks.gate: wait until no order is being sent and keep others out until the transaction ends
SELECT pg_advisory_xact_lock(731);

-- kill_blocks.pass: keep blocks as they are until the transaction ends
SELECT pg_advisory_xact_lock_shared(731);

-- connections.for_order: an account's connection, null where it has none, and the newest epoch in which any of the
-- scopes was blocked, 0 if there never was one
SELECT
    c.account_id, c.owner_id, c.adapter, c.feed_id, c.status, c.opened_at,
    (SELECT coalesce(max(k.epoch), 0) FROM kill_blocks AS k WHERE k.scope = ANY($2::text[])) AS blocking_epoch
FROM (VALUES (1)) AS one (row)
LEFT JOIN connections AS c ON c.account_id = $1;

-- connections.for_orders: the connections of accounts, each with the newest epoch in which the firm (scope $2) or the
-- account was blocked, 0 if there never was one; an account without connection has no row
SELECT
    c.account_id, c.owner_id, c.adapter, c.feed_id, c.status, c.opened_at,
    (
        SELECT coalesce(max(k.epoch), 0) FROM kill_blocks AS k WHERE k.scope IN ($2::text, c.account_id::text)
    ) AS blocking_epoch
FROM connections AS c WHERE c.account_id = ANY($1::uuid[]);

-- verdicts.insert_many: decide that orders are sent; those come back that were not decided on before
INSERT INTO verdicts (order_id, is_sent, code, reason, decided_at)
SELECT n.order_id, true, '', '', $2 FROM unnest($1::uuid[]) AS n (order_id)
ORDER BY n.order_id
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;

-- verdicts.insert: decide on an order; no row comes back if it was decided on before
INSERT INTO verdicts (order_id, is_sent, code, reason, decided_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;

-- verdicts.get: whether an order was sent; no row if nothing was decided on it
SELECT is_sent FROM verdicts WHERE order_id = $1;

-- markets.ensure: begin the market of a feed; one that is there stays as it is
INSERT INTO markets (feed_id, created_at) VALUES ($1, $2) ON CONFLICT (feed_id) DO NOTHING;

-- markets.lock: hold a feed's market until the transaction ends
SELECT last_seq, last_ts FROM markets WHERE feed_id = $1 FOR NO KEY UPDATE;

-- markets.lock_of_order: hold the market an order works in until the transaction ends
SELECT m.feed_id
FROM markets AS m
JOIN venue_orders AS o ON o.feed_id = m.feed_id
WHERE o.order_id = $1
FOR NO KEY UPDATE OF m;

-- markets.advance_idle: make the next step of a market without a working order; no row comes back in any other case
UPDATE markets SET last_seq = $2, last_ts = $4
WHERE feed_id = $1 AND last_seq = $2::bigint - 1 AND working = 0 AND (last_ts IS NULL OR last_ts < $3)
RETURNING last_seq;

-- markets.advance: make a step, of which a number of orders were closed
UPDATE markets SET last_seq = $2, last_ts = $3, working = working - $4 WHERE feed_id = $1;

-- orders.insert: store the intent to send an order, before the venue hears of it
INSERT INTO venue_orders (
    order_id, client_order_id, account_id, feed_id, symbol, side, type, time_in_force, qty, limit_price, status, sent_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'sending', $11);

-- orders.accept_many: store the intents of plain orders for the paper venue and let them work, each from the step after
-- the one its market has reached
WITH held AS MATERIALIZED (
    SELECT feed_id, last_seq, last_ts FROM markets WHERE feed_id = ANY($3::uuid[]) ORDER BY feed_id FOR NO KEY UPDATE
), counted AS (
    UPDATE markets AS m SET working = m.working + n.orders
    FROM (SELECT f.feed_id, count(*) AS orders FROM unnest($3::uuid[]) AS f (feed_id) GROUP BY f.feed_id) AS n
    WHERE m.feed_id = n.feed_id AND n.feed_id IN (SELECT feed_id FROM held)
)
INSERT INTO venue_orders (
    order_id, client_order_id, account_id, feed_id, symbol, side, type, time_in_force, qty, limit_price, status,
    venue_order_id, accepted_seq, known_ts, sent_at, accepted_at
)
SELECT
    n.order_id, n.client_order_id, n.account_id, n.feed_id, n.symbol, n.side, n.type, n.time_in_force, n.qty,
    n.limit_price, 'working', n.venue_order_id, h.last_seq, h.last_ts, $12, $12
FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::numeric[],
    $10::numeric[], $11::text[]
) AS n (
    order_id, account_id, feed_id, client_order_id, symbol, side, type, time_in_force, qty, limit_price, venue_order_id
)
JOIN held AS h ON h.feed_id = n.feed_id;

-- orders.accept: let an order work at the paper venue from the step after the one its market has reached
WITH market AS (
    UPDATE markets SET working = working + 1 WHERE feed_id = $2 RETURNING last_seq, last_ts
)
UPDATE venue_orders AS o
SET status = 'working', venue_order_id = $3, accepted_seq = m.last_seq, known_ts = m.last_ts, accepted_at = $4
FROM market AS m
WHERE o.order_id = $1 AND o.status = 'sending'
RETURNING o.accepted_seq;

-- orders.cancel: take a working order off the paper venue, its market being locked; no row if it was closed already
WITH canceled AS (
    UPDATE venue_orders SET status = 'canceled', closed_at = $2
    WHERE order_id = $1 AND status = 'working'
    RETURNING order_id, feed_id
)
UPDATE markets AS m SET working = m.working - 1 FROM canceled AS c WHERE m.feed_id = c.feed_id RETURNING c.order_id;

-- orders.working: orders a step may execute, with the costs of their connection
SELECT
    o.order_id, o.client_order_id, o.account_id, o.symbol, o.side, o.type, o.time_in_force, o.qty, o.limit_price,
    o.known_ts, c.slippage_bps, c.commission_bps, c.fee_per_share, c.fee_minimum
FROM venue_orders AS o
JOIN connections AS c ON c.account_id = o.account_id
WHERE o.feed_id = $1 AND o.status = 'working' AND o.symbol = ANY($2::text[]) AND o.accepted_seq < $3
ORDER BY o.order_id;

-- orders.working_in: ids of an account's working orders, of everybody's for null; markets in one order for all
SELECT order_id FROM venue_orders
WHERE status = 'working' AND ($1::uuid IS NULL OR account_id = $1)
ORDER BY feed_id, order_id;

-- orders.fill: mark orders as filled whole
UPDATE venue_orders SET status = 'filled', filled_qty = qty, closed_at = $2
WHERE order_id = ANY($1::uuid[]) AND status = 'working';

-- orders.expire: mark orders as expired
UPDATE venue_orders SET status = 'expired', closed_at = $2 WHERE order_id = ANY($1::uuid[]) AND status = 'working';

-- orders.list: what was sent for an account, newest first
SELECT
    order_id, account_id, symbol, side, type, time_in_force, qty, limit_price, filled_qty, status, accepted_at
FROM venue_orders
WHERE account_id = $1 AND accepted_at IS NOT NULL
ORDER BY sent_at DESC, order_id DESC
LIMIT $2;

-- executions.insert: store the executions of a step
INSERT INTO venue_executions (
    execution_id, feed_id, seq, order_id, account_id, symbol, side, qty, price, fee, executed_at, recorded_at
)
SELECT e.execution_id, $1, $2, e.order_id, e.account_id, e.symbol, e.side, e.qty, e.price, e.fee, e.executed_at, $3
FROM unnest(
    $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::numeric[], $10::numeric[], $11::numeric[],
    $12::timestamptz[]
) AS e (execution_id, order_id, account_id, symbol, side, qty, price, fee, executed_at);

-- executions.of_step: the executions a done step made
SELECT execution_id, order_id, account_id FROM venue_executions WHERE feed_id = $1 AND seq = $2 ORDER BY order_id;
