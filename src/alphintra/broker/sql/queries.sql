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

-- kill_blocks.epochs: the newest epochs in which any of the scopes was blocked
SELECT scope, epoch FROM kill_blocks WHERE scope = ANY($1::text[]);

-- connections.for_orders: the connections of accounts, each with the newest epoch in which the firm (scope $2) or the
-- account was blocked, 0 if there never was one, and those of the further scopes asked ($3); no row for an account
-- without connection or with refusals by chance
SELECT
    c.account_id, c.owner_id, c.adapter, c.feed_id, c.status, c.opened_at,
    (
        SELECT coalesce(max(k.epoch), 0) FROM kill_blocks AS k WHERE k.scope IN ($2::text, c.account_id::text)
    ) AS blocking_epoch,
    (SELECT jsonb_object_agg(n.scope, n.epoch) FROM kill_blocks AS n WHERE n.scope = ANY($3::text[])) AS narrow_epochs
FROM connections AS c WHERE c.account_id = ANY($1::uuid[]) AND c.reject_bps = 0;

-- verdicts.insert_many: decide that orders are sent; those come back that were not decided on before
INSERT INTO verdicts (order_id, is_sent, code, reason, decided_at, book_id)
SELECT n.order_id, true, '', '', $2, n.book_id FROM unnest($1::uuid[], $3::uuid[]) AS n (order_id, book_id)
ORDER BY n.order_id
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;

-- verdicts.insert: decide on an order; no row comes back if it was decided on before
INSERT INTO verdicts (order_id, is_sent, code, reason, decided_at, book_id) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;

-- verdicts.known: which of the orders were sent or refused
SELECT order_id FROM verdicts WHERE order_id = ANY($1::uuid[]);

-- verdicts.get: whether an order was sent; no row if nothing was decided on it
SELECT is_sent FROM verdicts WHERE order_id = $1;

-- markets.ensure: begin the market of a feed; one that is there stays as it is
INSERT INTO markets (feed_id, created_at) VALUES ($1, $2) ON CONFLICT (feed_id) DO NOTHING;

-- markets.lock: hold a feed's market until the transaction ends
SELECT last_seq, last_ts FROM markets WHERE feed_id = $1 FOR NO KEY UPDATE;

-- markets.lock_of_orders: hold the markets these orders work in until the transaction ends; in one order for all
SELECT m.feed_id, m.last_seq, m.last_ts
FROM markets AS m
WHERE m.feed_id IN (SELECT o.feed_id FROM venue_orders AS o WHERE o.order_id = ANY($1::uuid[]))
ORDER BY m.feed_id
FOR NO KEY UPDATE OF m;

-- markets.advance_idle: make the next step of a market without a working order; no row comes back in any other case
UPDATE markets SET last_seq = $2, last_ts = $4
WHERE feed_id = $1 AND last_seq = $2::bigint - 1 AND working = 0 AND (last_ts IS NULL OR last_ts < $3)
RETURNING last_seq;

-- markets.advance: make a step that left fewer orders working, by a number
UPDATE markets SET last_seq = $2, last_ts = $3, working = working - $4 WHERE feed_id = $1;

-- orders.insert: store the intent to send an order, before the venue hears of it
INSERT INTO venue_orders (
    order_id, client_order_id, account_id, feed_id, symbol, side, type, time_in_force, qty, notional, limit_price,
    stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only, order_class, leg, group_id,
    replaces, prior_qty, allowed_qty, hwm, triggered_at, status, sent_at, fill_factor, fill_offset, fill_tick
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    'sending', $26, $27, $28, $29
);

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

-- orders.hold: let an order wait for the entry of its group
UPDATE venue_orders SET status = 'held', venue_order_id = $2, accepted_at = $3
WHERE order_id = $1 AND status = 'sending'
RETURNING order_id;

-- orders.simple_of: which of the orders work at the paper venue and belong to no group
SELECT order_id FROM venue_orders WHERE order_id = ANY($1::uuid[]) AND feed_id IS NOT NULL AND group_id IS NULL;

-- orders.end: take orders off the paper venue, their markets being locked; those that were closed already stay as they
-- are and do not come back
WITH found AS (
    SELECT order_id, feed_id, status = 'working' AS was_working
    FROM venue_orders
    WHERE order_id = ANY($1::uuid[]) AND status IN ('held', 'working')
),
counted AS (
    SELECT feed_id, count(*) AS working FROM found WHERE was_working GROUP BY feed_id
),
moved AS (
    UPDATE markets AS m SET working = m.working - n.working FROM counted AS n WHERE m.feed_id = n.feed_id
)
UPDATE venue_orders AS o SET status = $2, closed_at = $3
FROM found AS f
WHERE o.order_id = f.order_id
RETURNING o.order_id;

-- orders.allow: what groups let their orders fill
UPDATE venue_orders AS o SET allowed_qty = s.allowed_qty
FROM unnest($1::uuid[], $2::numeric[]) AS s (order_id, allowed_qty)
WHERE o.order_id = s.order_id;

-- orders.get: an order with the settings of its account
SELECT
    o.order_id, o.client_order_id, o.account_id, o.symbol, o.side, o.type, o.time_in_force, o.qty, o.notional,
    o.limit_price, o.stop_price, o.trail_price, o.trail_percent, o.expire_at, o.extended_hours, o.reduce_only,
    o.order_class, o.leg, o.group_id, o.replaces, o.fill_factor, o.fill_offset, o.fill_tick, o.status,
    o.accepted_seq, o.known_ts, o.filled_qty, o.prior_qty,
    o.allowed_qty, o.spent, o.hwm, o.triggered_at, o.works_until, c.slippage_bps, c.commission_bps, c.fee_per_share,
    c.fee_minimum, c.participation, c.reject_bps, c.latency_bars
FROM venue_orders AS o
JOIN connections AS c ON c.account_id = o.account_id
WHERE o.order_id = $1;

-- orders.of_groups: every order of these groups
SELECT
    o.order_id, o.client_order_id, o.account_id, o.symbol, o.side, o.type, o.time_in_force, o.qty, o.notional,
    o.limit_price, o.stop_price, o.trail_price, o.trail_percent, o.expire_at, o.extended_hours, o.reduce_only,
    o.order_class, o.leg, o.group_id, o.replaces, o.fill_factor, o.fill_offset, o.fill_tick, o.status,
    o.accepted_seq, o.known_ts, o.filled_qty, o.prior_qty,
    o.allowed_qty, o.spent, o.hwm, o.triggered_at, o.works_until, c.slippage_bps, c.commission_bps, c.fee_per_share,
    c.fee_minimum, c.participation, c.reject_bps, c.latency_bars
FROM venue_orders AS o
JOIN connections AS c ON c.account_id = o.account_id
WHERE o.group_id = ANY($1::uuid[]);

-- orders.working: orders a step may touch: those of its symbols, and those whose time is over
SELECT
    o.order_id, o.client_order_id, o.account_id, o.symbol, o.side, o.type, o.time_in_force, o.qty, o.notional,
    o.limit_price, o.stop_price, o.trail_price, o.trail_percent, o.expire_at, o.extended_hours, o.reduce_only,
    o.order_class, o.leg, o.group_id, o.replaces, o.fill_factor, o.fill_offset, o.fill_tick, o.status,
    o.accepted_seq, o.known_ts, o.filled_qty, o.prior_qty,
    o.allowed_qty, o.spent, o.hwm, o.triggered_at, o.works_until, c.slippage_bps, c.commission_bps, c.fee_per_share,
    c.fee_minimum, c.participation, c.reject_bps, c.latency_bars
FROM venue_orders AS o
JOIN connections AS c ON c.account_id = o.account_id
WHERE o.feed_id = $1 AND o.status = 'working' AND (o.symbol = ANY($2::text[]) OR o.works_until <= $3);

-- orders.alive_in: ids of an account's working and held orders, of everybody's for null; in a symbol, if one is given
SELECT order_id FROM venue_orders
WHERE status = 'working' AND ($1::uuid IS NULL OR account_id = $1) AND ($2::text IS NULL OR symbol = $2)
UNION ALL
SELECT order_id FROM venue_orders
WHERE status = 'held' AND ($1::uuid IS NULL OR account_id = $1) AND ($2::text IS NULL OR symbol = $2);

-- orders.alive_of_book: ids of the working and held orders of a strategy
SELECT o.order_id FROM venue_orders AS o JOIN verdicts AS v ON v.order_id = o.order_id
WHERE o.status = 'working' AND v.book_id = $1
UNION ALL
SELECT o.order_id FROM venue_orders AS o JOIN verdicts AS v ON v.order_id = o.order_id
WHERE o.status = 'held' AND v.book_id = $1;

-- orders.step: what a step made of the orders it changed
UPDATE venue_orders AS o
SET
    status = s.status, filled_qty = s.filled_qty, allowed_qty = s.allowed_qty, spent = s.spent, hwm = s.hwm,
    triggered_at = s.triggered_at, works_until = s.works_until, accepted_seq = s.accepted_seq, known_ts = s.known_ts,
    limit_price = s.limit_price, stop_price = s.stop_price,
    closed_at = CASE WHEN s.status IN ('held', 'working') THEN NULL ELSE $1::timestamptz END
FROM unnest(
    $2::uuid[], $3::text[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::timestamptz[],
    $9::timestamptz[], $10::bigint[], $11::timestamptz[], $12::numeric[], $13::numeric[]
) AS s (
    order_id, status, filled_qty, allowed_qty, spent, hwm, triggered_at, works_until, accepted_seq, known_ts,
    limit_price, stop_price
)
WHERE o.order_id = s.order_id;

-- orders.list: what was sent for an account, newest first; or one order of it
SELECT
    order_id, client_order_id, account_id, symbol, side, type, time_in_force, qty, notional, limit_price, stop_price,
    trail_price, trail_percent, expire_at, extended_hours, reduce_only, order_class, leg, group_id, replaces,
    fill_factor, fill_offset, fill_tick, filled_qty, prior_qty, allowed_qty, hwm, triggered_at, status, accepted_at,
    venue_order_id
FROM venue_orders
WHERE account_id = $1 AND accepted_at IS NOT NULL AND ($3::uuid IS NULL OR order_id = $3)
ORDER BY sent_at DESC, order_id DESC
LIMIT $2;

-- executions.insert: store the executions of a step
INSERT INTO venue_executions (
    execution_id, feed_id, seq, order_id, account_id, symbol, side, qty, price, fee, executed_at, is_ambiguous,
    recorded_at
)
SELECT
    e.execution_id, $1, $2, e.order_id, e.account_id, e.symbol, e.side, e.qty, e.price, e.fee, e.executed_at,
    e.is_ambiguous, $3
FROM unnest(
    $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::numeric[], $10::numeric[], $11::numeric[],
    $12::timestamptz[], $13::boolean[]
) AS e (execution_id, order_id, account_id, symbol, side, qty, price, fee, executed_at, is_ambiguous);

-- executions.of_step: the executions a done step made, by order, from after an order on
SELECT execution_id, order_id, account_id FROM venue_executions
WHERE feed_id = $1 AND seq = $2 AND ($3::uuid IS NULL OR order_id > $3)
ORDER BY order_id
LIMIT $4;

-- positions.of: what accounts hold of symbols at the paper venue
SELECT account_id, symbol, qty FROM paper_positions WHERE account_id = ANY($1::uuid[]) AND symbol = ANY($2::text[]);

-- positions.move: add what executions bought and take what they sold
INSERT INTO paper_positions AS p (account_id, symbol, qty)
SELECT e.account_id, e.symbol, sum(e.qty)
FROM unnest($1::uuid[], $2::text[], $3::numeric[]) AS e (account_id, symbol, qty)
GROUP BY e.account_id, e.symbol
ON CONFLICT (account_id, symbol) DO UPDATE SET qty = p.qty + excluded.qty;

-- positions.clear: an account was set back to nothing
UPDATE paper_positions SET qty = 0 WHERE account_id = $1;

-- positions.split: add the shares a split gave, or take those it took
UPDATE paper_positions SET qty = qty + $3 WHERE account_id = $1 AND symbol = $2;

-- protection_breaks.insert: remember that a group is unprotected; no row comes back if that was told before
INSERT INTO protection_breaks (group_id, account_id, symbol, qty, found_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (group_id) DO NOTHING
RETURNING group_id;

-- connections.settings: how a paper account is traded
SELECT slippage_bps, commission_bps, fee_per_share, fee_minimum, participation, reject_bps, latency_bars
FROM connections WHERE account_id = $1;

-- connections.settings_of_owner: how a person's paper accounts are traded
SELECT account_id, slippage_bps, commission_bps, fee_per_share, fee_minimum, participation, reject_bps, latency_bars
FROM connections WHERE owner_id = $1 ORDER BY account_id;

-- connections.set: change how a paper account is traded
UPDATE connections
SET
    slippage_bps = $2, commission_bps = $3, fee_per_share = $4, fee_minimum = $5, participation = $6, reject_bps = $7,
    latency_bars = $8
WHERE account_id = $1;

-- links.insert: store the way of a new live account, without credentials yet; one that is there stays as it is
INSERT INTO links (account_id, owner_id, starting_cash, status, changed_at, opened_at)
VALUES ($1, $2, $3, 'pending', $4, $4)
ON CONFLICT (account_id) DO NOTHING;

-- links.get: read the connection of a live account
SELECT
    account_id, owner_id, starting_cash, adapter, exchange, environment, base_url, status, reason, credentials_version,
    seen_at, changed_at, opened_at, key_hint, reconciled_at
FROM links WHERE account_id = $1;

-- links.lock: read the connection of a live account and hold it until the transaction ends
SELECT
    account_id, owner_id, starting_cash, adapter, exchange, environment, base_url, status, reason, credentials_version,
    seen_at, changed_at, opened_at, key_hint, reconciled_at
FROM links WHERE account_id = $1 FOR NO KEY UPDATE;

-- links.list: a person's connections of live accounts, oldest first; everybody's for null
SELECT
    account_id, owner_id, starting_cash, adapter, exchange, environment, base_url, status, reason, credentials_version,
    seen_at, changed_at, opened_at, key_hint, reconciled_at
FROM links WHERE $1::uuid IS NULL OR owner_id = $1 ORDER BY opened_at, account_id;

-- links.active: connections whose venue is to be spoken to
SELECT
    account_id, owner_id, starting_cash, adapter, exchange, environment, base_url, status, reason, credentials_version,
    seen_at, changed_at, opened_at, key_hint, reconciled_at
FROM links WHERE status IN ('reconciling', 'open', 'degraded') ORDER BY account_id;

-- links.address: say where a connection leads and with which credentials
UPDATE links
SET adapter = $2, exchange = $3, environment = $4, base_url = $5, credentials_version = $6, key_hint = $7
WHERE account_id = $1;

-- links.turn: store a connection's new state
UPDATE links SET status = $2, reason = $3, changed_at = $4 WHERE account_id = $1;

-- links.seen: remember up to which execution time a venue's executions are known; never goes back
UPDATE links SET seen_at = $2 WHERE account_id = $1 AND (seen_at IS NULL OR seen_at < $2);

-- links.reconciled: remember when venue and books were last compared to the end
UPDATE links SET reconciled_at = $2 WHERE account_id = $1;

-- link_credentials.put: store encrypted credentials in place of earlier ones
INSERT INTO link_credentials (account_id, version, kek_version, wrapped_key, ciphertext, sealed_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id) DO UPDATE SET
    version = excluded.version, kek_version = excluded.kek_version, wrapped_key = excluded.wrapped_key,
    ciphertext = excluded.ciphertext, sealed_at = excluded.sealed_at;

-- link_credentials.get: read encrypted credentials
SELECT version, kek_version, wrapped_key, ciphertext FROM link_credentials WHERE account_id = $1;

-- link_credentials.under_older: credentials whose data key is not wrapped by the key of this version, held
SELECT account_id, version, kek_version, wrapped_key, ciphertext
FROM link_credentials WHERE kek_version <> $1 ORDER BY account_id FOR UPDATE;

-- link_credentials.delete: forget the credentials of a closed connection
DELETE FROM link_credentials WHERE account_id = $1;

-- live_orders.insert: store an order for a venue elsewhere, before anything is sent
INSERT INTO live_orders (
    order_id, account_id, client_order_id, symbol, side, qty, terms, approval, kill_epoch, approved_until, replaces,
    status, order_class, leg, group_id, part_of, queued_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17);

-- live_orders.hold_group: hold the group of an order, or the order alone, before any row of it is read to be changed
SELECT h.order_id FROM live_orders AS h
WHERE h.order_id = (SELECT coalesce(o.group_id, o.order_id) FROM live_orders AS o WHERE o.order_id = $1)
FOR NO KEY UPDATE;

-- live_orders.hold_reported: hold the group of the order a venue reports on, before any row of it is read
SELECT h.order_id FROM live_orders AS h
WHERE
    h.order_id = (
        SELECT coalesce(o.group_id, o.order_id) FROM live_orders AS o
        WHERE o.account_id = $1 AND (o.client_order_id = $2 OR o.venue_order_id = $3)
        ORDER BY (o.client_order_id = $2) DESC LIMIT 1
    )
FOR NO KEY UPDATE;

-- live_orders.of_group: the orders of a group, which is held, and what works for its exits at the venue
SELECT
    order_id, account_id, client_order_id, symbol, side, qty, status, venue_order_id, filled_qty, replaces,
    is_cancel_requested, attempts, misses, unknown_since, missed_at, updated_at, order_class, leg, group_id, part_of,
    prior_qty, pair_id
FROM live_orders WHERE group_id = $1 ORDER BY queued_at, order_id;

-- live_orders.terms_of_legs: terms of the exits of a group, without those that others took the place of
SELECT terms FROM live_orders
WHERE group_id = $1 AND leg <> 'entry' AND part_of IS NULL AND status <> 'replaced'
ORDER BY leg, order_id;

-- live_orders.entered_at: the average price at which the entry of a group has filled, and those before it
SELECT sum(e.qty * e.price) / sum(e.qty) AS price
FROM live_orders AS o
JOIN live_executions AS e ON e.order_id = o.order_id
WHERE o.group_id = $1 AND o.leg = 'entry' AND o.part_of IS NULL;

-- live_orders.carry: what the orders that an order replaced have filled in all
UPDATE live_orders SET prior_qty = $2 WHERE order_id = $1;

-- live_orders.grow: let an order that was not sent yet be for more
UPDATE live_orders SET qty = $2, terms = $3, updated_at = $4 WHERE order_id = $1;

-- live_orders.get: read an order and hold it until the transaction ends
SELECT
    order_id, account_id, client_order_id, symbol, side, qty, status, venue_order_id, filled_qty, replaces,
    is_cancel_requested, attempts, misses, unknown_since, missed_at, updated_at, order_class, leg, group_id, part_of,
    prior_qty, pair_id
FROM live_orders WHERE order_id = $1 FOR NO KEY UPDATE;

-- live_orders.of_report: the order a venue reports on, by our id or its own, held until the transaction ends
SELECT
    order_id, account_id, client_order_id, symbol, side, qty, status, venue_order_id, filled_qty, replaces,
    is_cancel_requested, attempts, misses, unknown_since, missed_at, updated_at, order_class, leg, group_id, part_of,
    prior_qty, pair_id
FROM live_orders
WHERE account_id = $1 AND (client_order_id = $2 OR venue_order_id = $3)
ORDER BY (client_order_id = $2) DESC LIMIT 1 FOR NO KEY UPDATE;

-- live_orders.named: the client order id of an order of an account
SELECT client_order_id FROM live_orders WHERE account_id = $1 AND order_id = $2;

-- live_orders.replacing: the order that takes the place of another
SELECT order_id FROM live_orders WHERE replaces = $1 AND account_id = $2;

-- live_orders.active: an account's orders that are not closed, oldest first
SELECT
    order_id, account_id, client_order_id, symbol, side, qty, status, venue_order_id, filled_qty, replaces,
    is_cancel_requested, attempts, misses, unknown_since, missed_at, updated_at, order_class, leg, group_id, part_of,
    prior_qty, pair_id
FROM live_orders
WHERE account_id = $1 AND status IN ('queued', 'sending', 'unknown', 'review', 'working')
ORDER BY queued_at, order_id;

-- live_orders.queue: orders to be sent, oldest first, with what allows it; without what has to wait for its entry
SELECT o.order_id, o.terms, o.approval, o.kill_epoch, o.approved_until, o.group_id, o.part_of
FROM live_orders AS o
WHERE
    o.account_id = $1 AND o.status = 'queued'
    AND (
        $3::boolean OR o.part_of IS NULL OR NOT EXISTS (
            SELECT 1 FROM live_orders AS e
            WHERE
                e.group_id = o.group_id AND e.leg = 'entry'
                AND e.status IN ('queued', 'sending', 'unknown', 'review', 'working')
        )
    )
ORDER BY o.queued_at, o.order_id LIMIT $2;

-- live_orders.unanswered: symbols of orders that were sent and of which the venue has told nothing yet
SELECT DISTINCT symbol FROM live_orders
WHERE account_id = $1 AND (status IN ('sending', 'unknown', 'review') OR (status = 'queued' AND attempts > 0))
ORDER BY symbol;

-- live_orders.pair: note that orders were sent as one, or for null that the venue keeps them as such no longer
UPDATE live_orders SET pair_id = $2 WHERE order_id = ANY($1::uuid[]);

-- live_orders.awaited_legs: symbols of orders that were sent within another and whose ids at the venue are not known
SELECT DISTINCT symbol FROM live_orders
WHERE
    account_id = $1 AND pair_id <> order_id AND venue_order_id IS NULL
    AND status IN ('queued', 'sending', 'unknown', 'review', 'working')
ORDER BY symbol;

-- live_orders.halved: orders that work and were sent as one with another that has ended
SELECT
    o.order_id, o.account_id, o.client_order_id, o.symbol, o.side, o.qty, o.status, o.venue_order_id, o.filled_qty,
    o.replaces, o.is_cancel_requested, o.attempts, o.misses, o.unknown_since, o.missed_at, o.updated_at, o.order_class,
    o.leg, o.group_id, o.part_of, o.prior_qty, o.pair_id
FROM live_orders AS o
WHERE
    o.account_id = $1 AND o.pair_id IS NOT NULL AND o.status = 'working' AND NOT o.is_cancel_requested
    AND NOT EXISTS (
        SELECT 1 FROM live_orders AS p
        WHERE
            p.group_id = o.group_id AND p.pair_id = o.pair_id AND p.part_of <> o.part_of
            AND p.status IN ('queued', 'sending', 'unknown', 'review', 'working')
    )
ORDER BY o.queued_at, o.order_id;

-- live_orders.queued: an order with what allows it to be sent
SELECT order_id, terms, approval, kill_epoch, approved_until, group_id, part_of FROM live_orders WHERE order_id = $1;

-- live_orders.cancels: orders whose cancellation the venue is to be asked for; a hold of an hour is of a clock set back
SELECT
    order_id, account_id, client_order_id, symbol, side, qty, status, venue_order_id, filled_qty, replaces,
    is_cancel_requested, attempts, misses, unknown_since, missed_at, updated_at, order_class, leg, group_id, part_of,
    prior_qty, pair_id
FROM live_orders
WHERE
    account_id = $1 AND status = 'working' AND is_cancel_requested AND venue_order_id IS NOT NULL
    AND (cancel_after IS NULL OR cancel_after <= $2 OR cancel_after > $2::timestamptz + interval '1 minute')
ORDER BY queued_at, order_id LIMIT $3;

-- live_orders.store: write how an order stands
UPDATE live_orders SET
    status = $2, venue_order_id = $3, filled_qty = $4, is_cancel_requested = $5, attempts = $6, misses = $7,
    unknown_since = $8, missed_at = $9, updated_at = $10
WHERE order_id = $1;

-- live_orders.number: number what is told of an order, which is held; no lower than a moment
UPDATE live_orders SET told_seq = greatest(told_seq, $2) + $3 WHERE order_id = $1 RETURNING told_seq;

-- live_orders.scopes: what an order falls under: its account, its symbol, its strategy; no row if it is not there
SELECT o.account_id, o.symbol, v.book_id
FROM live_orders AS o LEFT JOIN verdicts AS v ON v.order_id = o.order_id
WHERE o.order_id = $1;

-- live_orders.approve: put a newer approval in the place of an order's own
UPDATE live_orders SET kill_epoch = $2, approved_until = $3 WHERE order_id = $1;

-- live_orders.hold_cancel: leave an order's cancellation alone until a moment; the venue was asked
UPDATE live_orders SET cancel_after = $2 WHERE order_id = $1;

-- live_orders.open_in: ids of an account's orders that are not closed, of everybody's for null; in a symbol, if given
SELECT order_id FROM live_orders
WHERE
    status IN ('queued', 'sending', 'unknown', 'review', 'working', 'held') AND part_of IS NULL
    AND ($1::uuid IS NULL OR account_id = $1) AND ($2::text IS NULL OR symbol = $2)
ORDER BY account_id, order_id;

-- live_orders.open_of_book: ids of a strategy's orders that are not closed
SELECT o.order_id FROM live_orders AS o JOIN verdicts AS v ON v.order_id = o.order_id
WHERE
    o.status IN ('queued', 'sending', 'unknown', 'review', 'working', 'held') AND o.part_of IS NULL
    AND v.book_id = $1
ORDER BY o.account_id, o.order_id;

-- live_orders.list: an account's orders, newest first; or one of them
SELECT order_id, account_id, terms, filled_qty, status, venue_order_id, queued_at
FROM live_orders
WHERE account_id = $1 AND (order_id = $3 OR ($3::uuid IS NULL AND part_of IS NULL))
ORDER BY queued_at DESC, order_id DESC
LIMIT $2;

-- live_executions.find: an execution by the venue's id of it, or by what the order had filled in all by then
SELECT
    execution_id, order_id, venue_order_id, symbol, side, qty, price, fee, cum_qty, executed_at, fee_qty
FROM live_executions
WHERE
    account_id = $1 AND (
        execution_id = $2
        OR (order_id = $3::uuid AND cum_qty = $4::numeric AND qty = $5::numeric AND price = $6::numeric)
    )
ORDER BY (execution_id = $2) DESC LIMIT 1;

-- live_executions.insert: store an execution; no row comes back if it was there
INSERT INTO live_executions (
    account_id, execution_id, order_id, venue_order_id, symbol, side, qty, price, fee, cum_qty, executed_at,
    recorded_at, fee_qty
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (account_id, execution_id) DO NOTHING
RETURNING execution_id;

-- live_executions.external: an execution that we did not order
SELECT
    execution_id, order_id, venue_order_id, symbol, side, qty, price, fee, cum_qty, executed_at, fee_qty
FROM live_executions WHERE account_id = $1 AND execution_id = $2 AND order_id IS NULL;

-- live_executions.positions: what the booked executions of an account add up to, by symbol, without fees in kind
SELECT e.symbol, sum(CASE e.side WHEN 'buy' THEN e.qty ELSE -e.qty END - e.fee_qty) AS qty
FROM live_executions AS e
LEFT JOIN adoptions AS a ON a.account_id = e.account_id AND a.execution_id = e.execution_id
WHERE e.account_id = $1 AND (e.order_id IS NOT NULL OR a.order_id IS NOT NULL)
GROUP BY e.symbol;

-- live_executions.cash_flow: the money the booked executions of an account brought, fees taken off
SELECT coalesce(sum(CASE e.side WHEN 'buy' THEN -e.qty * e.price ELSE e.qty * e.price END - e.fee), 0) AS flow
FROM live_executions AS e
LEFT JOIN adoptions AS a ON a.account_id = e.account_id AND a.execution_id = e.execution_id
WHERE e.account_id = $1 AND (e.order_id IS NOT NULL OR a.order_id IS NOT NULL);

-- adoptions.insert: take an execution into the books; no row comes back if it is there
INSERT INTO adoptions (account_id, execution_id, order_id, adopted_by, reason, adopted_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, execution_id) DO NOTHING
RETURNING order_id;

-- breaks.insert: open a break; no row comes back if it was found before
INSERT INTO breaks (break_id, account_id, code, key, symbol, order_id, detail, found_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (account_id, code, key) DO NOTHING
RETURNING break_id;

-- breaks.list: the breaks of an account, newest first; only the open ones where asked for
SELECT
    break_id, account_id, code, key, symbol, order_id, detail, status, found_at, resolved_at, resolved_by, resolution
FROM breaks WHERE account_id = $1 AND (status = 'open' OR NOT $2::boolean)
ORDER BY found_at DESC, break_id DESC LIMIT $3;

-- breaks.get: read a break and hold it until the transaction ends
SELECT
    break_id, account_id, code, key, symbol, order_id, detail, status, found_at, resolved_at, resolved_by, resolution
FROM breaks WHERE break_id = $1 FOR UPDATE;

-- breaks.resolve: close a break with what a person says about it
UPDATE breaks SET status = 'resolved', resolved_at = $2, resolved_by = $3, resolution = $4 WHERE break_id = $1;

-- breaks.open_codes: codes of an account's open breaks
SELECT DISTINCT code FROM breaks WHERE account_id = $1 AND status = 'open' ORDER BY code;

-- live_prices.unwant: leave only these symbols asked for
UPDATE live_prices SET is_wanted = false WHERE account_id = $1 AND is_wanted AND NOT symbol = ANY($2::text[]);

-- live_prices.want: ask for the prices of symbols
INSERT INTO live_prices (account_id, symbol, is_wanted, watched_at)
SELECT $1, w.symbol, true, $3 FROM unnest($2::text[]) AS w (symbol)
ON CONFLICT (account_id, symbol) DO UPDATE
SET
    is_wanted = true,
    watched_at = CASE WHEN live_prices.is_wanted THEN live_prices.watched_at ELSE excluded.watched_at END;

-- live_prices.wanted: the symbols that were asked for, with the newest price of each
SELECT symbol, price, bid, ask, priced_at, watched_at, is_stalled
FROM live_prices WHERE account_id = $1 AND is_wanted ORDER BY symbol;

-- live_prices.watched: the same, and those an account still has an order or a position in
SELECT p.symbol, p.price, p.bid, p.ask, p.priced_at, p.watched_at, p.is_stalled
FROM live_prices AS p
WHERE
    p.account_id = $1 AND (
        p.is_wanted
        OR EXISTS (
            SELECT 1 FROM live_orders AS o
            WHERE
                o.account_id = p.account_id AND o.symbol = p.symbol
                AND o.status IN ('queued', 'sending', 'unknown', 'review', 'working')
        )
        OR (
            SELECT sum(CASE e.side WHEN 'buy' THEN e.qty ELSE -e.qty END) FROM live_executions AS e
            WHERE e.account_id = p.account_id AND e.symbol = p.symbol
        ) <> 0
    )
ORDER BY p.symbol;

-- live_prices.store: keep newer prices
UPDATE live_prices AS p SET price = q.price, bid = q.bid, ask = q.ask, priced_at = q.priced_at
FROM unnest($2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::timestamptz[])
AS q (symbol, price, bid, ask, priced_at)
WHERE p.account_id = $1 AND p.symbol = q.symbol AND (p.priced_at IS NULL OR p.priced_at < q.priced_at);

-- live_prices.turn: note that a symbol's prices stopped coming or come again; no row comes back if that was known
UPDATE live_prices SET is_stalled = $3 WHERE account_id = $1 AND symbol = $2 AND is_stalled <> $3 RETURNING symbol;
