-- accounts.lock: hold the books of accounts, and every kill state as it is, until the transaction ends
WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(730) AS passed)
SELECT b.account_id
FROM balances AS b CROSS JOIN gate
WHERE b.account_id = ANY($1::uuid[])
ORDER BY b.account_id
FOR NO KEY UPDATE OF b;

-- accounts.open: start the book of an account; nothing happens if it exists
INSERT INTO balances (account_id, owner_id, feed_id, currency, cash, updated_at, mode)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (account_id) DO NOTHING;

-- accounts.set_venue: note where an account trades
UPDATE balances SET venue = $2 WHERE account_id = $1;

-- accounts.get: read an account
SELECT account_id, owner_id, feed_id, cash, coalesce(mode, 'paper') AS mode FROM balances WHERE account_id = $1;

-- accounts.move_cash: add an execution's change of cash and return what there is now
UPDATE balances SET cash = cash + $2, updated_at = $3 WHERE account_id = $1 RETURNING cash;

-- books.list: cash, reservations, limits, kill states and blocks for each account asked, known or not
SELECT
    w.account_id, b.owner_id, b.cash, coalesce(b.mode, 'paper') AS mode, coalesce(b.venue, 'paper') AS venue,
    coalesce(r.reserved_cash, 0) AS reserved_cash, coalesce(r.open_orders, 0) AS open_orders,
    l.version, l.order_qty_max, l.order_notional_max, l.position_qty_max, l.may_short, l.controls, l.set_by, l.set_at,
    l.reason,
    (SELECT state FROM kill_states WHERE scope = 'firm' ORDER BY epoch DESC LIMIT 1) AS firm_kill,
    k.state AS account_kill, coalesce(k.reason, '') AS kill_reason,
    (
        SELECT u.state FROM scope_kills AS u
        WHERE u.scope = 'user' AND u.key = b.owner_id::text ORDER BY u.epoch DESC LIMIT 1
    ) AS user_kill,
    (
        SELECT v.state FROM scope_kills AS v
        WHERE v.scope = 'venue' AND v.key = b.venue ORDER BY v.epoch DESC LIMIT 1
    ) AS venue_kill,
    greatest(
        (SELECT coalesce(max(epoch), 0) FROM kill_states), (SELECT coalesce(max(epoch), 0) FROM scope_kills)
    ) AS epoch,
    (SELECT f.marked_at FROM feed_marks AS f WHERE f.feed_id = b.feed_id) AS feed_at,
    (
        SELECT jsonb_agg(
            jsonb_build_object('code', t.code, 'reason', t.reason, 'symbol', t.symbol, 'book_id', t.book_id)
        )
        FROM latches AS t WHERE t.account_id = w.account_id AND t.lifted_at IS NULL
    ) AS latches,
    (
        SELECT jsonb_agg(jsonb_build_object('override_id', o.override_id, 'content', o.content, 'codes', o.codes))
        FROM overrides AS o
        WHERE o.account_id = w.account_id AND o.approved_at IS NOT NULL AND o.used_at IS NULL AND o.expires_at > $2
    ) AS overrides,
    (
        SELECT string_agg(d.service, ', ' ORDER BY d.service) FROM (
            SELECT n.service FROM fleet AS n WHERE n.seen_at > $3
            GROUP BY n.service HAVING count(DISTINCT n.build || ' ' || n.config_hash) > 1
        ) AS d
    ) AS fleet,
    (
        SELECT s.credit_max FROM shared_limits AS s
        WHERE s.scope = 'user' AND s.owner_id = b.owner_id ORDER BY s.version DESC LIMIT 1
    ) AS user_credit,
    (SELECT s.credit_max FROM shared_limits AS s WHERE s.scope = 'firm' ORDER BY s.version DESC LIMIT 1) AS firm_credit
FROM unnest($1::uuid[]) AS w (account_id)
LEFT JOIN balances AS b ON b.account_id = w.account_id
LEFT JOIN LATERAL (
    SELECT
        s.version, s.order_qty_max, s.order_notional_max, s.position_qty_max, s.may_short, s.controls, s.set_by,
        s.set_at, s.reason
    FROM limit_sets AS s WHERE s.account_id = w.account_id ORDER BY s.version DESC LIMIT 1
) AS l ON true
LEFT JOIN LATERAL (
    SELECT a.state, a.reason FROM kill_states AS a
    WHERE a.scope = 'account' AND a.account_id = w.account_id ORDER BY a.epoch DESC LIMIT 1
) AS k ON true
LEFT JOIN LATERAL (
    SELECT sum(o.reserved_cash) AS reserved_cash, sum(o.open_orders)::bigint AS open_orders
    FROM reservation_totals AS o WHERE o.account_id = w.account_id
) AS r ON true;

-- books.account: the account a strategy has open orders in, or ever had a position; no row for none
SELECT b.account_id, b.owner_id, b.feed_id, b.cash, coalesce(b.mode, 'paper') AS mode
FROM (
    SELECT r.account_id FROM reservations AS r WHERE r.book_id = $1 AND r.open_qty > 0
    UNION ALL
    SELECT x.account_id FROM book_exposures AS x WHERE x.book_id = $1
    LIMIT 1
) AS w JOIN balances AS b ON b.account_id = w.account_id;

-- books.symbols: every symbol the accounts hold, held or have open orders in
SELECT account_id, symbol FROM exposures WHERE account_id = ANY($1::uuid[])
UNION
SELECT account_id, symbol FROM reservation_totals WHERE account_id = ANY($1::uuid[]) AND open_orders > 0
ORDER BY account_id, symbol;

-- books.strategies: kill states of strategies, and which of them two instances run that have heard of one another
SELECT
    w.book_id,
    (
        SELECT s.state FROM scope_kills AS s
        WHERE s.scope = 'strategy' AND s.key = w.book_id::text ORDER BY s.epoch DESC LIMIT 1
    ) AS state,
    EXISTS (
        SELECT 1 FROM deployment_instances AS a JOIN deployment_instances AS b ON b.book_id = a.book_id
        WHERE a.book_id = w.book_id AND a.instance < b.instance AND a.seen_at > $2 AND b.seen_at > $2
            AND a.seen_at > b.first_seen_at AND b.seen_at > a.first_seen_at
    ) AS is_doubled
FROM unnest($1::uuid[]) AS w (book_id);

-- books.recent: orders approved lately, oldest first
SELECT account_id, decided_at, inputs ->> 'content' AS content, inputs #>> '{terms,symbol}' AS symbol,
    inputs #>> '{terms,side}' AS side, (inputs #>> '{terms,limit_price}')::numeric AS limit_price
FROM assessments
WHERE account_id = ANY($1::uuid[]) AND decided_at > $2 AND approved
ORDER BY decided_at, decision_id LIMIT 10000;

-- books.ratio: how many orders and executions an account had lately
SELECT
    (SELECT count(*) FROM assessments AS a WHERE a.account_id = $1 AND a.decided_at > $2) AS orders,
    (SELECT count(*) FROM booked_executions AS e WHERE e.account_id = $1 AND e.booked_at > $2) AS executions;

-- books.resting: the best prices at which an owner's limit orders rest, in all accounts of the owner
SELECT
    w.account_id, w.symbol, max(buy.limit_price) AS resting_buy, min(sell.limit_price) AS resting_sell
FROM unnest($1::uuid[], $2::text[]) AS w (account_id, symbol)
JOIN balances AS b ON b.account_id = w.account_id
JOIN balances AS a ON a.owner_id = b.owner_id
LEFT JOIN LATERAL (
    SELECT r.limit_price FROM reservations AS r
    WHERE
        r.account_id = a.account_id AND r.symbol = w.symbol AND r.side = 'buy' AND r.open_qty > 0
        AND r.limit_price IS NOT NULL AND r.counted_qty > 0 AND r.state IN ('held', 'confirmed')
    ORDER BY r.limit_price DESC LIMIT 1
) AS buy ON true
LEFT JOIN LATERAL (
    SELECT r.limit_price FROM reservations AS r
    WHERE
        r.account_id = a.account_id AND r.symbol = w.symbol AND r.side = 'sell' AND r.open_qty > 0
        AND r.limit_price IS NOT NULL AND r.counted_qty > 0 AND r.state IN ('held', 'confirmed')
    ORDER BY r.limit_price LIMIT 1
) AS sell ON true
WHERE buy.limit_price IS NOT NULL OR sell.limit_price IS NOT NULL
GROUP BY w.account_id, w.symbol;

-- credit.lock: hold credit shared by accounts until the transaction ends, owners first, the firm last
SELECT pg_advisory_xact_lock(731000000000 + w.lock) FROM unnest($1::bigint[]) AS w (lock);

-- credit.used: money at stake in positions and open orders of each owner's accounts; of all for the nil uuid
SELECT w.owner_id, coalesce(sum(u.used), 0) AS used
FROM unnest($1::uuid[]) AS w (owner_id)
LEFT JOIN balances AS b ON b.owner_id = w.owner_id OR w.owner_id = '00000000-0000-0000-0000-000000000000'
LEFT JOIN LATERAL (
    SELECT sum(abs(x.position_qty) * p.price) AS used
    FROM exposures AS x JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = x.symbol
    WHERE x.account_id = b.account_id
    UNION ALL
    SELECT sum(coalesce((o.open_buy_qty + o.open_sell_qty) * p.price, o.open_value))
    FROM reservation_totals AS o LEFT JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = o.symbol
    WHERE o.account_id = b.account_id
) AS u ON true
GROUP BY w.owner_id;

-- buckets.list: what is left of the message buckets of accounts
SELECT account_id, tokens, refilled_at FROM message_buckets WHERE account_id = ANY($1::uuid[]);

-- buckets.save: store what is left of message buckets
INSERT INTO message_buckets (account_id, tokens, refilled_at)
SELECT n.account_id, n.tokens, $3 FROM unnest($1::uuid[], $2::numeric[]) AS n (account_id, tokens)
ON CONFLICT (account_id) DO UPDATE SET tokens = excluded.tokens, refilled_at = excluded.refilled_at;

-- buckets.spend: take tokens for messages that pass whatever is left
UPDATE message_buckets AS b SET tokens = greatest(b.tokens - n.count, 0)
FROM unnest($1::uuid[], $2::bigint[]) AS n (account_id, count) WHERE b.account_id = n.account_id;

-- overrides.use: spend overrides on the orders they were for
UPDATE overrides AS o SET used_for = n.order_id, used_at = $3
FROM unnest($1::uuid[], $2::uuid[]) AS n (override_id, order_id)
WHERE o.override_id = n.override_id AND o.used_at IS NULL;

-- exposures.list: position, open quantities, price, specification and restriction for each pair asked
SELECT
    w.account_id, w.symbol, coalesce(x.position_qty, 0) AS position_qty,
    coalesce(r.open_buy_qty, 0) AS open_buy_qty, coalesce(r.open_sell_qty, 0) AS open_sell_qty,
    coalesce(r.close_buy_qty, 0) AS close_buy_qty, coalesce(r.close_sell_qty, 0) AS close_sell_qty,
    p.price AS last_price, p.marked_at AS priced_at, p.bid, p.ask,
    EXISTS (
        SELECT 1 FROM reservations AS o
        WHERE o.account_id = w.account_id AND o.symbol = w.symbol AND o.is_unknown AND o.open_qty > 0
    ) AS is_order_unknown,
    i.version AS instrument_version, i.terms AS instrument,
    (
        SELECT t.reason FROM restrictions AS t
        WHERE t.symbol = w.symbol AND t.lifted_at IS NULL AND (t.account_id IS NULL OR t.account_id = w.account_id)
        ORDER BY t.set_at LIMIT 1
    ) AS restriction,
    (
        SELECT k.state FROM scope_kills AS k
        WHERE k.scope = 'symbol' AND k.key = w.symbol ORDER BY k.epoch DESC LIMIT 1
    ) AS symbol_kill
FROM unnest($1::uuid[], $2::text[]) AS w (account_id, symbol)
LEFT JOIN balances AS b ON b.account_id = w.account_id
LEFT JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = w.symbol
LEFT JOIN exposures AS x ON x.account_id = w.account_id AND x.symbol = w.symbol
LEFT JOIN LATERAL (
    SELECT n.version, n.terms FROM instruments AS n WHERE n.symbol = w.symbol ORDER BY n.version DESC LIMIT 1
) AS i ON true
LEFT JOIN reservation_totals AS r ON r.account_id = w.account_id AND r.symbol = w.symbol;

-- exposures.move: add an execution to a position
INSERT INTO exposures (account_id, symbol, position_qty, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, symbol) DO UPDATE
SET position_qty = exposures.position_qty + excluded.position_qty, updated_at = excluded.updated_at;

-- prices.symbols: some of the symbols the accounts' feeds have, for a refusal to name
SELECT b.account_id, p.symbol
FROM balances AS b
CROSS JOIN LATERAL (SELECT symbol FROM prices WHERE feed_id = b.feed_id ORDER BY symbol LIMIT $2) AS p
WHERE b.account_id = ANY($1::uuid[])
ORDER BY b.account_id, p.symbol;

-- prices.mark: take a step's prices unless the feed has come as far already
WITH advanced AS (
    INSERT INTO feed_marks (feed_id, seq, marked_at) VALUES ($1, $2, $3)
    ON CONFLICT (feed_id) DO UPDATE SET seq = excluded.seq, marked_at = excluded.marked_at
    WHERE feed_marks.seq < excluded.seq
    RETURNING feed_id, seq, marked_at
), closed AS (
    INSERT INTO price_closes (feed_id, symbol, slot, day, close, marked_at)
    SELECT a.feed_id, n.symbol, (d.day - DATE '1970-01-01') % 2048, d.day, n.price, a.marked_at
    FROM advanced AS a
    CROSS JOIN LATERAL (SELECT (a.marked_at AT TIME ZONE 'UTC')::date AS day) AS d
    CROSS JOIN unnest($4::text[], $5::numeric[]) AS n (symbol, price)
    ON CONFLICT (feed_id, symbol, slot) DO UPDATE
    SET day = excluded.day, close = excluded.close, marked_at = excluded.marked_at
)
INSERT INTO prices (feed_id, symbol, price, bid, ask, seq, marked_at)
SELECT a.feed_id, n.symbol, n.price, n.bid, n.ask, a.seq, a.marked_at
FROM advanced AS a
CROSS JOIN unnest($4::text[], $5::numeric[], $6::numeric[], $7::numeric[]) AS n (symbol, price, bid, ask)
ON CONFLICT (feed_id, symbol) DO UPDATE
SET price = excluded.price, bid = excluded.bid, ask = excluded.ask, seq = excluded.seq,
    marked_at = excluded.marked_at;

-- prices.seq: how far a feed has come
SELECT seq FROM feed_marks WHERE feed_id = $1;

-- decisions.known: the newest decision on each order asked, with where its reservation stands
SELECT DISTINCT ON (a.order_id)
    a.order_id, a.decision_id, a.attempt, a.findings, a.limit_version, a.kill_epoch, a.leaf,
    r.order_id IS NOT NULL AS is_held
FROM assessments AS a
LEFT JOIN reservations AS r ON r.order_id = a.order_id AND r.decision_id = a.decision_id
WHERE a.order_id = ANY($1::uuid[])
ORDER BY a.order_id, a.attempt DESC;

-- decisions.insert: store a batch of decisions and what those that approve reserve; returns how many reservations
-- What had lapsed or was released is held anew; an open reservation is never replaced, and not counted.
WITH decided AS (
    INSERT INTO assessments (
        decision_id, order_id, attempt, account_id, approved, findings, limit_version, kill_epoch, leaf, inputs,
        inputs_hash, decided_at
    )
    SELECT
        n.decision_id, n.order_id, n.attempt, n.account_id, n.approved, n.findings::jsonb, n.limit_version,
        n.kill_epoch, n.leaf, n.inputs::jsonb, n.inputs_hash, $12
    FROM unnest(
        $1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::boolean[], $6::text[], $7::bigint[], $8::bigint[],
        $9::bytea[], $10::text[], $11::bytea[]
    ) AS n (
        decision_id, order_id, attempt, account_id, approved, findings, limit_version, kill_epoch, leaf, inputs,
        inputs_hash
    )
), held AS (
    INSERT INTO reservations (
        order_id, account_id, decision_id, symbol, side, price, target_qty, filled_qty, open_qty, state, is_reducing,
        leg, group_id, replaces, carried_qty, notional, counted_qty, counted_cash, limit_price, book_id, held_at,
        updated_at
    )
    SELECT
        n.order_id, n.account_id, n.decision_id, n.symbol, n.side, n.price, n.qty, 0, n.qty, 'held', n.is_reducing,
        n.leg, n.group_id, n.replaces, n.carried_qty, n.notional, n.counted_qty, n.counted_cash, n.limit_price,
        n.book_id, $12, $12
    FROM unnest(
        $13::uuid[], $14::uuid[], $15::uuid[], $16::text[], $17::text[], $18::numeric[], $19::numeric[],
        $20::boolean[], $21::text[], $22::uuid[], $23::uuid[], $24::numeric[], $25::numeric[], $26::numeric[],
        $27::numeric[], $28::numeric[], $29::uuid[]
    ) AS n (
        order_id, account_id, decision_id, symbol, side, price, qty, is_reducing, leg, group_id, replaces,
        carried_qty, notional, counted_qty, counted_cash, limit_price, book_id
    )
    ON CONFLICT (order_id) DO UPDATE
    SET
        decision_id = excluded.decision_id, price = excluded.price, target_qty = excluded.target_qty,
        open_qty = excluded.open_qty, state = 'held', carried_qty = excluded.carried_qty,
        counted_qty = excluded.counted_qty, counted_cash = excluded.counted_cash, held_at = excluded.held_at,
        updated_at = excluded.updated_at
    WHERE reservations.state IN ('lapsed', 'released')
    RETURNING 1
)
SELECT count(*) FROM held;

-- decisions.of_order: every decision on an order with what it was made from, newest first
SELECT
    decision_id, order_id, account_id, attempt, approved, findings, limit_version, kill_epoch, decided_at, inputs,
    inputs_hash
FROM assessments WHERE order_id = $1
ORDER BY attempt DESC LIMIT $2;

-- decisions.list: an account's decisions, newest first
SELECT decision_id, order_id, account_id, approved, findings, limit_version, kill_epoch, decided_at
FROM assessments WHERE account_id = $1 AND NOT (approved AND $3)
ORDER BY decided_at DESC, decision_id DESC LIMIT $2;

-- reservations.family: the reservations of orders, of those they replace, of all that replace them, and of their groups
WITH RECURSIVE asked AS (SELECT order_id, replaces, group_id FROM reservations WHERE order_id = ANY($1::uuid[])),
groups AS (
    SELECT group_id FROM asked WHERE group_id IS NOT NULL
    UNION
    SELECT g.group_id FROM unnest($2::uuid[]) AS g (group_id)
),
heirs AS (
    SELECT order_id FROM asked
    UNION
    SELECT r.order_id FROM heirs AS h JOIN reservations AS r ON r.replaces = h.order_id
),
ids AS (
    SELECT order_id FROM heirs
    UNION
    SELECT replaces FROM asked WHERE replaces IS NOT NULL
    UNION
    SELECT r.order_id FROM reservations AS r JOIN groups AS g ON r.group_id = g.group_id
)
SELECT
    r.order_id, r.account_id, r.symbol, r.side, r.price, r.target_qty, r.filled_qty, r.state, r.is_reducing, r.leg,
    r.group_id, r.replaces, r.carried_qty, r.notional, r.spent, r.limit_price, r.book_id,
    coalesce(r.counted_qty, r.open_qty) AS counted_qty,
    coalesce(r.counted_cash, CASE WHEN r.side = 'buy' THEN r.open_qty * r.price ELSE 0 END) AS counted_cash
FROM ids AS i JOIN reservations AS r ON r.order_id = i.order_id
ORDER BY r.order_id;

-- reservations.confirm: keep what is held for accepted orders, which counts as before; returns whose it was
UPDATE reservations SET state = 'confirmed', updated_at = $2
WHERE order_id = ANY($1::uuid[]) AND state = 'held'
RETURNING order_id;

-- reservations.save: store changed reservations
UPDATE reservations AS r
SET
    target_qty = n.target_qty, filled_qty = n.filled_qty, open_qty = n.open_qty, state = n.state,
    carried_qty = n.carried_qty, spent = n.spent, counted_qty = n.counted_qty, counted_cash = n.counted_cash,
    updated_at = $10
FROM unnest(
    $1::uuid[], $2::numeric[], $3::numeric[], $4::numeric[], $5::text[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[]
) AS n (order_id, target_qty, filled_qty, open_qty, state, carried_qty, spent, counted_qty, counted_cash)
WHERE r.order_id = n.order_id;

-- reservations.open_scopes: in which symbols and for which strategies orders of an account are open
SELECT DISTINCT symbol, book_id FROM reservations
WHERE account_id = $1 AND open_qty > 0 AND state IN ('held', 'confirmed')
ORDER BY symbol, book_id;

-- reservations.barred: which orders, accepted only now, a block, a restriction or a lost permission stands against
SELECT
    w.order_id,
    CASE
        WHEN k.state IN ('cancel_only', 'halted') OR y.state IN ('cancel_only', 'halted') THEN 'KILL_SWITCH'
        WHEN p.is_restricted THEN 'RISK_RESTRICTED'
        WHEN p.is_symbol_revoked THEN 'RISK_NO_PERMISSION'
        ELSE 'STRATEGY_NOT_APPROVED'
    END AS code
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS w (order_id, account_id, book_id, symbol)
LEFT JOIN LATERAL (
    SELECT s.state FROM scope_kills AS s
    WHERE s.scope = 'strategy' AND s.key = w.book_id::text ORDER BY s.epoch DESC LIMIT 1
) AS k ON true
LEFT JOIN LATERAL (
    SELECT s.state FROM scope_kills AS s
    WHERE s.scope = 'symbol' AND s.key = w.symbol ORDER BY s.epoch DESC LIMIT 1
) AS y ON true
LEFT JOIN LATERAL (
    SELECT s.controls FROM limit_sets AS s WHERE s.account_id = w.account_id ORDER BY s.version DESC LIMIT 1
) AS l ON true
CROSS JOIN LATERAL (
    SELECT
        EXISTS (
            SELECT 1 FROM restrictions AS r
            WHERE
                r.symbol = w.symbol AND r.lifted_at IS NULL
                AND (r.account_id IS NULL OR r.account_id = w.account_id)
        ) AS is_restricted,
        coalesce(
            jsonb_typeof(l.controls -> 'symbols_allowed') = 'array'
            AND NOT (l.controls -> 'symbols_allowed') ? w.symbol, false
        ) AS is_symbol_revoked,
        coalesce(
            jsonb_typeof(l.controls -> 'strategies_allowed') = 'object'
            AND NOT (l.controls -> 'strategies_allowed') ? w.book_id::text
            -- What a person closes by hand needs no approved strategy.
            AND EXISTS (SELECT 1 FROM reservations AS v WHERE v.order_id = w.order_id AND NOT v.is_reducing), false
        ) AS is_strategy_revoked
) AS p
WHERE
    k.state IN ('cancel_only', 'halted') OR y.state IN ('cancel_only', 'halted') OR p.is_restricted
    OR p.is_symbol_revoked OR p.is_strategy_revoked;

-- reservations.still_open: which of the orders hold something reserved
SELECT order_id FROM reservations WHERE order_id = ANY($1::uuid[]) AND open_qty > 0 ORDER BY order_id;

-- reservations.account: whose reservation it is
SELECT account_id FROM reservations WHERE order_id = $1;

-- reservations.touch: let the time to confirm start anew for orders approved once more
UPDATE reservations SET held_at = $2, updated_at = $2 WHERE order_id = ANY($1::uuid[]) AND state = 'held';

-- reservations.late: some accounts with reservations nobody confirmed in time
SELECT DISTINCT account_id FROM reservations WHERE state = 'held' AND held_at < $1 LIMIT $2;

-- reservations.due: what nobody confirmed in time, of accounts whose books are held
SELECT order_id FROM reservations
WHERE state = 'held' AND held_at < $1 AND account_id = ANY($2::uuid[])
ORDER BY order_id;

-- executions.book: remember an execution as counted; no row comes back if it was
INSERT INTO booked_executions (execution_id, account_id, order_id, booked_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (execution_id, account_id) DO NOTHING
RETURNING execution_id;

-- executions.missing: which of the executions are not counted, in the order asked
SELECT w.execution_id
FROM unnest($1::text[]) WITH ORDINALITY AS w (execution_id, place)
WHERE NOT EXISTS (SELECT 1 FROM booked_executions AS e WHERE e.execution_id = w.execution_id)
ORDER BY w.place;

-- limits.current: the limit set in force for an account
SELECT account_id, version, order_qty_max, order_notional_max, position_qty_max, may_short, controls, set_by, set_at,
    reason
FROM limit_sets WHERE account_id = $1
ORDER BY version DESC LIMIT 1;

-- limits.versions: the limit sets an account had, newest first
SELECT account_id, version, order_qty_max, order_notional_max, position_qty_max, may_short, controls, set_by, set_at,
    reason
FROM limit_sets WHERE account_id = $1
ORDER BY version DESC LIMIT $2;

-- limits.insert: store a version of an account's limit set
INSERT INTO limit_sets (
    account_id, version, order_qty_max, order_notional_max, position_qty_max, may_short, set_by, set_at, controls,
    reason
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10);

-- kills.gate: wait until no decision is under way and keep others out until the transaction ends
SELECT pg_advisory_xact_lock(730);

-- kills.current: the kill state of the firm and of an account, whichever were ever set
(
    SELECT scope, account_id, state, epoch, reason, set_by, set_at
    FROM kill_states WHERE scope = 'firm' ORDER BY epoch DESC LIMIT 1
)
UNION ALL
(
    SELECT scope, account_id, state, epoch, reason, set_by, set_at
    FROM kill_states WHERE scope = 'account' AND account_id = $1 ORDER BY epoch DESC LIMIT 1
);

-- kills.insert: start a new epoch of the firm or an account
INSERT INTO kill_states (epoch, scope, account_id, state, reason, set_by, set_at)
SELECT greatest(
    (SELECT coalesce(max(k.epoch), 0) FROM kill_states AS k), (SELECT coalesce(max(s.epoch), 0) FROM scope_kills AS s)
) + 1, $1::text, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz
RETURNING epoch;

-- kills.insert_scope: start a new epoch of a user, strategy or venue
INSERT INTO scope_kills (epoch, scope, key, state, reason, set_by, set_at)
SELECT greatest(
    (SELECT coalesce(max(k.epoch), 0) FROM kill_states AS k), (SELECT coalesce(max(s.epoch), 0) FROM scope_kills AS s)
) + 1, $1::text, $2::text, $3::text, $4::text, $5::text, $6::timestamptz
RETURNING epoch;

-- kills.current_scope: the kill state of a user, strategy or venue
SELECT epoch, scope, key, state, reason, set_by, set_at FROM scope_kills
WHERE scope = $1 AND key = $2 ORDER BY epoch DESC LIMIT 1;

-- kills.of_accounts: kill states of accounts, and of the user and venue each falls under
SELECT
    b.account_id,
    (
        SELECT a.state FROM kill_states AS a
        WHERE a.scope = 'account' AND a.account_id = b.account_id ORDER BY a.epoch DESC LIMIT 1
    ) AS account_kill,
    (
        SELECT u.state FROM scope_kills AS u
        WHERE u.scope = 'user' AND u.key = b.owner_id::text ORDER BY u.epoch DESC LIMIT 1
    ) AS user_kill,
    (
        SELECT v.state FROM scope_kills AS v
        WHERE v.scope = 'venue' AND v.key = b.venue ORDER BY v.epoch DESC LIMIT 1
    ) AS venue_kill
FROM balances AS b
WHERE b.account_id = $1 OR b.owner_id = $2 OR b.venue = $3
ORDER BY b.account_id;

-- kills.history: the newest kill states of every scope, a strategy's with its account, newest first
SELECT k.scope, k.account_id, k.key, k.state, k.epoch, k.reason, k.set_by, k.set_at, b.owner_id
FROM (
    SELECT scope, account_id, '' AS key, state, epoch, reason, set_by, set_at FROM kill_states
    UNION ALL
    SELECT
        s.scope,
        CASE
            WHEN s.scope = 'strategy' THEN coalesce(
                (SELECT x.account_id FROM book_exposures AS x WHERE x.book_id::text = s.key LIMIT 1),
                (SELECT r.account_id FROM reservations AS r WHERE r.book_id::text = s.key AND r.open_qty > 0 LIMIT 1)
            )
        END,
        s.key, s.state, s.epoch, s.reason, s.set_by, s.set_at
    FROM scope_kills AS s
) AS k
LEFT JOIN balances AS b ON b.account_id = k.account_id
ORDER BY k.epoch DESC LIMIT $1;

-- kills.standing: the kill state in force of every scope that lets less than everything pass, newest first
SELECT k.scope, k.account_id, k.key, k.state, k.epoch, k.reason, k.set_by, k.set_at, b.owner_id
FROM (
    (
        SELECT DISTINCT ON (scope, account_id) scope, account_id, '' AS key, state, epoch, reason, set_by, set_at
        FROM kill_states ORDER BY scope, account_id, epoch DESC
    )
    UNION ALL
    (
        SELECT DISTINCT ON (s.scope, s.key)
            s.scope,
            CASE
                WHEN s.scope = 'strategy' THEN coalesce(
                    (SELECT x.account_id FROM book_exposures AS x WHERE x.book_id::text = s.key LIMIT 1),
                    (
                        SELECT r.account_id FROM reservations AS r
                        WHERE r.book_id::text = s.key AND r.open_qty > 0 LIMIT 1
                    )
                )
            END,
            s.key, s.state, s.epoch, s.reason, s.set_by, s.set_at
        FROM scope_kills AS s ORDER BY s.scope, s.key, s.epoch DESC
    )
) AS k
LEFT JOIN balances AS b ON b.account_id = k.account_id
WHERE k.state <> 'normal'
ORDER BY k.epoch DESC LIMIT $1;

-- equity.mark: an account's equity as last marked
SELECT day, opening_equity, last_equity, peak_equity FROM equity_marks WHERE account_id = $1;

-- closes.list: the closes kept for some symbols of a feed, oldest first
SELECT symbol, day, close FROM price_closes WHERE feed_id = $1 AND symbol = ANY($2::text[])
ORDER BY symbol, day;

-- equity.note: take the equity of a feed's accounts into their day; not where a held symbol has no price
WITH valued AS (
    SELECT
        b.account_id, (m.marked_at AT TIME ZONE 'UTC')::date AS day,
        b.cash + coalesce(sum(x.position_qty * p.price), 0) AS equity
    FROM feed_marks AS m
    INNER JOIN balances AS b ON b.feed_id = m.feed_id
    LEFT JOIN exposures AS x ON x.account_id = b.account_id AND x.position_qty <> 0
    LEFT JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = x.symbol
    WHERE m.feed_id = $1
    GROUP BY b.account_id, m.marked_at
    HAVING count(x.symbol) = count(p.price)
)
INSERT INTO equity_days (account_id, slot, day, first_equity, last_equity, high_equity, low_equity)
SELECT account_id, (day - DATE '1970-01-01') % 2048, day, equity, equity, equity, equity FROM valued
ON CONFLICT (account_id, slot) DO UPDATE
SET
    first_equity = CASE
        WHEN equity_days.day = excluded.day THEN equity_days.first_equity
        ELSE excluded.first_equity
    END,
    high_equity = CASE
        WHEN equity_days.day = excluded.day THEN greatest(equity_days.high_equity, excluded.high_equity)
        ELSE excluded.high_equity
    END,
    low_equity = CASE
        WHEN equity_days.day = excluded.day THEN least(equity_days.low_equity, excluded.low_equity)
        ELSE excluded.low_equity
    END,
    last_equity = excluded.last_equity, day = excluded.day
RETURNING account_id, day, first_equity, last_equity;

-- equity.list: an account's equity by day, oldest first
SELECT day, first_equity, last_equity, high_equity, low_equity FROM equity_days WHERE account_id = $1
ORDER BY day;

-- book_exposures.move: add an execution to what a book holds
INSERT INTO book_exposures (account_id, book_id, symbol, position_qty, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, book_id, symbol) DO UPDATE
SET position_qty = book_exposures.position_qty + excluded.position_qty, updated_at = excluded.updated_at;

-- book_exposures.list: what each book of an account holds
SELECT book_id, symbol, position_qty FROM book_exposures WHERE account_id = $1 AND position_qty <> 0
ORDER BY book_id, symbol;

-- holdings.list: an account's positions that are not flat, with their newest marks
SELECT x.symbol, x.position_qty, p.price, p.marked_at
FROM exposures AS x
INNER JOIN balances AS b ON b.account_id = x.account_id
LEFT JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = x.symbol
WHERE x.account_id = $1 AND x.position_qty <> 0
ORDER BY x.symbol;

-- metrics.insert: keep a report
INSERT INTO risk_metrics (metric_id, account_id, cause, measured_at, equity, gross, net, report)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- metrics.list: an account's kept reports, newest first
SELECT metric_id, account_id, cause, measured_at, equity, gross, net, report
FROM risk_metrics WHERE account_id = $1
ORDER BY measured_at DESC, metric_id DESC LIMIT $2;

-- metrics.due: some accounts that hold something and have no report since a time
SELECT b.account_id
FROM balances AS b
WHERE
    EXISTS (SELECT 1 FROM exposures AS x WHERE x.account_id = b.account_id AND x.position_qty <> 0)
    AND NOT EXISTS (SELECT 1 FROM risk_metrics AS r WHERE r.account_id = b.account_id AND r.measured_at > $1)
ORDER BY b.account_id LIMIT $2;

-- alert_rules.current: the newest stored version of each rule
SELECT DISTINCT ON (rule)
    rule, version, is_enabled, severity, threshold, repeat_after_s, escalate_after_s, set_by, set_at
FROM alert_rules ORDER BY rule, version DESC;

-- alert_rules.insert: store a version of a rule
INSERT INTO alert_rules (
    rule, version, is_enabled, severity, threshold, repeat_after_s, escalate_after_s, set_by, set_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- alerts.raise: store the alerts that are not there yet, each with whose account it is about; returns those
INSERT INTO alerts (
    alert_id, dedupe_key, rule, rule_version, severity, account_id, owner_id, subject, title, detail, happened_at,
    raised_at, escalate_at
)
SELECT
    n.alert_id, n.dedupe_key, n.rule, n.rule_version, n.severity, n.account_id, b.owner_id, n.subject, n.title,
    n.detail, n.happened_at, $12, n.escalate_at
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[]
) AS n (
    alert_id, dedupe_key, rule, rule_version, severity, account_id, subject, title, detail, happened_at, escalate_at
)
LEFT JOIN balances AS b ON b.account_id = n.account_id
ON CONFLICT (dedupe_key) DO NOTHING
RETURNING
    alert_id, dedupe_key, rule, severity, account_id, owner_id, subject, title, detail, happened_at, raised_at,
    escalated_at, acknowledged_by, acknowledged_at, note;

-- alerts.list: alerts, newest first: all, or those about one person's accounts
SELECT
    alert_id, dedupe_key, rule, severity, account_id, owner_id, subject, title, detail, happened_at, raised_at,
    escalated_at, acknowledged_by, acknowledged_at, note
FROM alerts
WHERE ($1::uuid IS NULL OR owner_id = $1) AND (NOT $2 OR acknowledged_at IS NULL)
ORDER BY raised_at DESC, alert_id DESC LIMIT $3;

-- alerts.lock: read an alert to change it
SELECT
    alert_id, dedupe_key, rule, severity, account_id, owner_id, subject, title, detail, happened_at, raised_at,
    escalated_at, acknowledged_by, acknowledged_at, note
FROM alerts WHERE alert_id = $1 FOR NO KEY UPDATE;

-- alerts.acknowledge: note who has taken an alert up
UPDATE alerts SET acknowledged_by = $2, acknowledged_at = $3, note = $4 WHERE alert_id = $1;

-- alerts.escalate: mark the alerts nobody acknowledged in time, and return them
UPDATE alerts SET escalated_at = $1
WHERE alert_id IN (
    SELECT alert_id FROM alerts
    WHERE acknowledged_at IS NULL AND escalated_at IS NULL AND escalate_at <= $1
    ORDER BY escalate_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING
    alert_id, dedupe_key, rule, severity, account_id, owner_id, subject, title, detail, happened_at, raised_at,
    escalated_at, acknowledged_by, acknowledged_at, note;

-- alerts.refusals: what controls refused since a time, by account and code, with the newest refusal of each
SELECT
    r.account_id, r.code, count(*) AS count, max(r.decided_at) AS happened_at,
    (array_agg(r.detail ORDER BY r.decided_at DESC))[1] AS detail
FROM (
    SELECT a.account_id, a.decided_at, f.finding ->> 'code' AS code, f.finding ->> 'detail' AS detail
    FROM assessments AS a CROSS JOIN LATERAL jsonb_array_elements(a.findings) AS f (finding)
    WHERE NOT a.approved AND a.decided_at > $1
) AS r
GROUP BY r.account_id, r.code;

-- alerts.kills: the kill states of every scope set since a time, a strategy's with the account it trades in
SELECT scope, account_id, '' AS key, state, epoch, reason, set_by, set_at FROM kill_states WHERE set_at > $1
UNION ALL
SELECT
    s.scope,
    CASE
        WHEN s.scope = 'strategy' THEN coalesce(
            (SELECT x.account_id FROM book_exposures AS x WHERE x.book_id::text = s.key LIMIT 1),
            (SELECT r.account_id FROM reservations AS r WHERE r.book_id::text = s.key AND r.open_qty > 0 LIMIT 1)
        )
    END,
    s.key, s.state, s.epoch, s.reason, s.set_by, s.set_at
FROM scope_kills AS s WHERE s.set_at > $1
ORDER BY epoch;

-- warnings.uses: what accounts come to with all working orders filled, the worse way, beside each limit in force
WITH held AS (
    SELECT
        s.account_id, s.symbol, sum(s.position_qty) AS position_qty, sum(s.open_buy_qty) AS open_buy_qty,
        sum(s.open_sell_qty) AS open_sell_qty
    FROM (
        SELECT account_id, symbol, position_qty, 0 AS open_buy_qty, 0 AS open_sell_qty
        FROM exposures WHERE account_id = ANY($1::uuid[])
        UNION ALL
        SELECT account_id, symbol, 0, open_buy_qty, open_sell_qty
        FROM reservation_totals WHERE account_id = ANY($1::uuid[])
    ) AS s
    GROUP BY s.account_id, s.symbol
), money AS (
    SELECT
        h.account_id,
        sum(greatest(abs(h.position_qty + h.open_buy_qty), abs(h.position_qty - h.open_sell_qty)) * p.price) AS gross,
        greatest(
            sum((h.position_qty + h.open_buy_qty) * p.price), -sum((h.position_qty - h.open_sell_qty) * p.price)
        ) AS net
    FROM held AS h
    JOIN balances AS b ON b.account_id = h.account_id
    JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = h.symbol
    GROUP BY h.account_id
), counted AS (
    SELECT account_id, sum(open_orders) AS orders FROM reservation_totals
    WHERE account_id = ANY($1::uuid[]) GROUP BY account_id
), in_force AS (
    SELECT DISTINCT ON (account_id) account_id, version, position_qty_max, controls FROM limit_sets
    WHERE account_id = ANY($1::uuid[]) ORDER BY account_id, version DESC
), uses AS (
    SELECT
        h.account_id, 'position' AS what, h.symbol AS name,
        greatest(abs(h.position_qty + h.open_buy_qty), abs(h.position_qty - h.open_sell_qty)) AS used,
        l.position_qty_max AS most, l.version, l.controls
    FROM held AS h JOIN in_force AS l ON l.account_id = h.account_id
    UNION ALL
    SELECT m.account_id, k.what, '', k.used, (l.controls ->> k.name)::numeric, l.version, l.controls
    FROM money AS m
    JOIN in_force AS l ON l.account_id = m.account_id
    CROSS JOIN LATERAL (
        VALUES
        ('gross exposure', 'gross_exposure_max', m.gross), ('net exposure', 'net_exposure_max', m.net),
        ('credit', 'credit_max', m.gross)
    ) AS k (what, name, used)
    UNION ALL
    SELECT c.account_id, 'open orders', '', c.orders, (l.controls ->> 'open_orders_max')::numeric, l.version, l.controls
    FROM counted AS c JOIN in_force AS l ON l.account_id = c.account_id
)
SELECT
    u.account_id, u.what, u.name, u.used, u.most, u.version AS limit_version,
    coalesce((u.controls ->> 'exposure_warn_pct')::numeric, 80) AS warn_pct
FROM uses AS u WHERE u.most IS NOT NULL AND u.used > 0;

-- warnings.marks: how far feeds have come
SELECT feed_id, seq FROM feed_marks;

-- warnings.accounts: who has a warning, and who holds something or has open orders on a feed that moved and limits
-- money; with $2 whoever holds something or has open orders
SELECT w.account_id FROM limit_warnings AS w WHERE w.is_standing
UNION
SELECT b.account_id
FROM balances AS b
CROSS JOIN LATERAL (
    SELECT s.controls FROM limit_sets AS s WHERE s.account_id = b.account_id ORDER BY s.version DESC LIMIT 1
) AS l
WHERE
    ($2::boolean OR (
        b.feed_id = ANY($1::uuid[]) AND (
            l.controls ->> 'gross_exposure_max' IS NOT NULL OR l.controls ->> 'net_exposure_max' IS NOT NULL
            OR l.controls ->> 'credit_max' IS NOT NULL OR l.controls ->> 'bucket_exposure_max' IS NOT NULL
        )
    ))
    AND (
        EXISTS (SELECT 1 FROM exposures AS x WHERE x.account_id = b.account_id AND x.position_qty <> 0)
        OR EXISTS (SELECT 1 FROM reservation_totals AS r WHERE r.account_id = b.account_id AND r.open_orders > 0)
    );

-- warnings.further: limits of accounts that limit classes of instruments, messages or orders to an execution
SELECT w.account_id, l.version, l.controls
FROM unnest($1::uuid[]) AS w (account_id)
CROSS JOIN LATERAL (
    SELECT s.version, s.controls FROM limit_sets AS s WHERE s.account_id = w.account_id ORDER BY s.version DESC LIMIT 1
) AS l
WHERE
    l.controls ->> 'bucket_exposure_max' IS NOT NULL OR l.controls ->> 'message_burst' IS NOT NULL
    OR l.controls ->> 'order_to_trade_max' IS NOT NULL
ORDER BY w.account_id;

-- warnings.known: the warnings there ever were of some limits of accounts
SELECT account_id, what, name, crossing, is_standing, changed_at FROM limit_warnings
WHERE account_id = ANY($1::uuid[]) AND what = ANY($2::text[]);

-- warnings.shared: the credit that users, and under the nil uuid the firm, are limited to
SELECT s.owner_id, s.version, s.credit_max, s.credit_warn_pct
FROM (
    SELECT DISTINCT ON (scope, owner_id) owner_id, version, credit_max, credit_warn_pct FROM shared_limits
    ORDER BY scope, owner_id, version DESC
) AS s
WHERE s.credit_max IS NOT NULL;

-- warnings.known_of: the warnings there ever were of one kind of limit, whosever
SELECT account_id, what, name, crossing, is_standing, changed_at FROM limit_warnings WHERE what = $1;

-- warnings.save: store how warnings stand
INSERT INTO limit_warnings (account_id, what, name, crossing, is_standing, changed_at)
SELECT n.account_id, n.what, n.name, n.crossing, n.is_standing, n.changed_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::timestamptz[]) AS n (
    account_id, what, name, crossing, is_standing, changed_at
)
ON CONFLICT (account_id, what, name) DO UPDATE
SET crossing = excluded.crossing, is_standing = excluded.is_standing, changed_at = excluded.changed_at;

-- feed_watches.expect: note what a feed is to do from now on; it counts as heard of
INSERT INTO feed_watches (feed_id, status, interval_ms, moved_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (feed_id) DO UPDATE
SET status = excluded.status, interval_ms = excluded.interval_ms, moved_at = excluded.moved_at;

-- feed_watches.move: note which of the feeds moved on since the last look
UPDATE feed_watches AS w SET seq = m.seq, moved_at = $1
FROM feed_marks AS m WHERE m.feed_id = w.feed_id AND m.seq <> w.seq;

-- feed_watches.list: the feeds that run, and those told to be silent
SELECT feed_id, status, interval_ms, moved_at, is_silent, silences FROM feed_watches
WHERE status = 'running' OR is_silent ORDER BY feed_id;

-- feed_watches.tell: store what was told of feeds
UPDATE feed_watches AS w SET is_silent = n.is_silent, silences = n.silences
FROM unnest($1::uuid[], $2::boolean[], $3::bigint[]) AS n (feed_id, is_silent, silences)
WHERE w.feed_id = n.feed_id;

-- job_beats.note: note that a background job came round
INSERT INTO job_beats (job, beat_at) VALUES ($1, $2)
ON CONFLICT (job) DO UPDATE SET beat_at = greatest(job_beats.beat_at, excluded.beat_at);

-- job_beats.lock: when each job last came round, to tell of it
SELECT job, beat_at, is_dead, deaths FROM job_beats ORDER BY job FOR NO KEY UPDATE;

-- job_beats.tell: store what was told of jobs
INSERT INTO job_beats (job, beat_at, is_dead, deaths)
SELECT n.job, n.beat_at, n.is_dead, n.deaths
FROM unnest($1::text[], $2::timestamptz[], $3::boolean[], $4::bigint[]) AS n (job, beat_at, is_dead, deaths)
ON CONFLICT (job) DO UPDATE SET is_dead = excluded.is_dead, deaths = excluded.deaths;

-- stream.insert: copy actions, each with the newest price risk holds of its symbol
INSERT INTO order_stream (
    event_id, happened_at, stored_at, kind, owner_id, account_id, order_id, symbol, side, type, qty, price, reference,
    reference_at, execution_id, venue_at, is_seen
)
SELECT
    n.event_id, n.happened_at, $14, n.kind, n.owner_id, n.account_id, n.order_id, n.symbol, n.side, n.type, n.qty,
    n.price, p.price, p.marked_at, n.execution_id, n.venue_at, false
FROM unnest(
    $1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[],
    $10::numeric[], $11::numeric[], $12::text[], $13::timestamptz[]
) AS n (
    event_id, happened_at, kind, owner_id, account_id, order_id, symbol, side, type, qty, price, execution_id, venue_at
)
LEFT JOIN balances AS b ON b.account_id = n.account_id
LEFT JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = n.symbol
ON CONFLICT (event_id) DO NOTHING;

-- stream.take: mark some actions as seen, and return whose they are and how late their copies came
UPDATE order_stream SET is_seen = true
WHERE event_id IN (
    SELECT event_id FROM order_stream WHERE NOT is_seen ORDER BY stored_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING owner_id, account_id, symbol, kind, execution_id, happened_at, stored_at;

-- stream.of_people: the actions of some people in some symbols within a time, in order
SELECT
    s.event_id, s.happened_at, s.kind, s.owner_id, s.account_id, s.order_id, s.symbol, s.side, s.type, s.qty, s.price,
    s.reference, s.reference_at, s.execution_id, s.venue_at
FROM unnest($1::uuid[], $2::text[]) AS w (owner_id, symbol)
INNER JOIN order_stream AS s ON s.owner_id = w.owner_id AND s.symbol = w.symbol
WHERE s.happened_at BETWEEN $3 AND $4
ORDER BY s.happened_at DESC, s.event_id DESC LIMIT $5;

-- stream.of_time: everybody's actions within a time, in order
SELECT
    event_id, happened_at, kind, owner_id, account_id, order_id, symbol, side, type, qty, price, reference,
    reference_at, execution_id, venue_at
FROM order_stream WHERE happened_at BETWEEN $1 AND $2
ORDER BY happened_at, event_id LIMIT $3;

-- stream.ratios: messages and trades of accounts in symbols since a time
SELECT
    s.account_id, s.symbol, count(*) FILTER (WHERE s.kind IN ('new', 'amend', 'cancel')) AS messages,
    count(*) FILTER (WHERE s.kind = 'trade') AS trades
FROM unnest($1::uuid[], $2::text[]) AS w (owner_id, symbol)
INNER JOIN order_stream AS s ON s.owner_id = w.owner_id AND s.symbol = w.symbol
WHERE s.happened_at > $3
GROUP BY s.account_id, s.symbol;

-- parameters.current: the newest parameters of each detector
SELECT DISTINCT ON (detector) detector, version, parameters, reason, set_by, set_at, review_due
FROM surveillance_parameters ORDER BY detector, version DESC;

-- parameters.insert: store a version of a detector's parameters; nothing happens if it exists
INSERT INTO surveillance_parameters (detector, version, parameters, reason, set_by, set_at, review_due)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (detector, version) DO NOTHING;

-- cases.open: open a case, unless there is one of the same detector and anchor; no row comes back then
INSERT INTO surveillance_cases (
    case_id, detector, parameter_version, anchor, owner_id, symbol, summary, first_at, last_at, evidence,
    evidence_sha256, opened_at, state, reason, version
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', '', 1)
ON CONFLICT (detector, anchor) DO NOTHING
RETURNING case_id;

-- cases.known: the cases of a detector by what they are anchored at
SELECT anchor, case_id FROM surveillance_cases WHERE detector = $1 AND anchor = ANY($2::uuid[]);

-- cases.list: cases, newest first, but none about one person
SELECT
    case_id, detector, parameter_version, owner_id, symbol, summary, first_at, last_at, state, opened_at, reviewer,
    proposed_by, outcome, reason, closed_by, closed_at, version
FROM surveillance_cases
WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR owner_id <> $2)
ORDER BY opened_at DESC, case_id DESC LIMIT $3;

-- cases.lock: read a case to change it
SELECT
    case_id, detector, parameter_version, owner_id, symbol, summary, first_at, last_at, state, opened_at, reviewer,
    proposed_by, outcome, reason, closed_by, closed_at, version
FROM surveillance_cases WHERE case_id = $1 FOR NO KEY UPDATE;

-- cases.evidence: what a case rests on
SELECT evidence, evidence_sha256 FROM surveillance_cases WHERE case_id = $1;

-- cases.save: store a changed case
UPDATE surveillance_cases
SET
    state = $2, reviewer = $3, proposed_by = $4, outcome = $5, reason = $6, closed_by = $7, closed_at = $8, version = $9
WHERE case_id = $1;

-- case_steps.insert: note what was done to a case
INSERT INTO case_steps (case_id, step, at, actor, action, state, reason) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- case_steps.list: what was done to a case, in order
SELECT step, at, actor, action, state, reason FROM case_steps WHERE case_id = $1 ORDER BY step;

-- instruments.current: the specification of a symbol in force
SELECT symbol, version, terms FROM instruments WHERE symbol = $1 ORDER BY version DESC LIMIT 1;

-- instruments.insert: store a version of a symbol's specification; no row comes back if it exists
INSERT INTO instruments (symbol, version, terms, set_by, set_at) VALUES ($1, $2, $3::jsonb, $4, $5)
ON CONFLICT (symbol, version) DO NOTHING
RETURNING version;

-- restrictions.insert: put a symbol on the restricted list
INSERT INTO restrictions (restriction_id, symbol, account_id, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6);

-- restrictions.lift: take a restriction off the list
UPDATE restrictions SET lifted_by = $2, lifted_at = $3 WHERE restriction_id = $1 AND lifted_at IS NULL
RETURNING restriction_id, symbol, account_id, reason, set_by, set_at, lifted_by;

-- restrictions.list: restrictions in force
SELECT restriction_id, symbol, account_id, reason, set_by, set_at, lifted_by FROM restrictions
WHERE lifted_at IS NULL ORDER BY set_at, restriction_id LIMIT 10000;

-- latches.set: block an account, a symbol or a book of it; no row comes back if it is blocked so already
INSERT INTO latches (latch_id, account_id, code, symbol, book_id, reason, set_at)
SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::uuid, $6::text, $7::timestamptz
WHERE NOT EXISTS (
    SELECT 1 FROM latches AS t
    WHERE t.account_id = $2 AND t.code = $3 AND t.symbol IS NOT DISTINCT FROM $4
    AND t.book_id IS NOT DISTINCT FROM $5 AND t.lifted_at IS NULL
)
RETURNING latch_id;

-- latches.list: blocks in force for an account
SELECT latch_id, account_id, code, symbol, book_id, reason, set_at, lifted_by FROM latches
WHERE account_id = $1 AND lifted_at IS NULL ORDER BY set_at, latch_id;

-- latches.get: read a block
SELECT latch_id, account_id, code, symbol, book_id, reason, set_at, lifted_by FROM latches WHERE latch_id = $1;

-- latches.lift: lift a block
UPDATE latches SET lifted_by = $2, lifted_at = $3, lift_reason = $4 WHERE latch_id = $1 AND lifted_at IS NULL
RETURNING latch_id, account_id, code, symbol, book_id, reason, set_at, lifted_by;

-- latches.repeats: how many executions a book had lately, where the account limits them
SELECT
    (l.controls ->> 'repeat_max')::bigint AS repeat_max, (l.controls ->> 'repeat_window_s')::bigint AS window_s,
    (
        SELECT count(*) FROM booked_executions AS e JOIN reservations AS r ON r.order_id = e.order_id
        WHERE e.account_id = $1 AND r.book_id IS NOT DISTINCT FROM $2
        AND e.booked_at > $3::timestamptz - make_interval(secs => (l.controls ->> 'repeat_window_s')::float8)
    ) AS executions
FROM (SELECT s.controls FROM limit_sets AS s WHERE s.account_id = $1 ORDER BY s.version DESC LIMIT 1) AS l
WHERE l.controls ->> 'repeat_max' IS NOT NULL;

-- shared.current: the limits shared by a user's accounts, or by all
SELECT scope, owner_id, version, credit_max, four_eyes_above, credit_warn_pct, set_by, set_at FROM shared_limits
WHERE scope = $1 AND owner_id = $2 ORDER BY version DESC LIMIT 1;

-- shared.insert: store a version of shared limits
INSERT INTO shared_limits (scope, owner_id, version, credit_max, four_eyes_above, credit_warn_pct, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- proposals.insert: keep limits that wait for a second person
INSERT INTO limit_proposals (proposal_id, account_id, wanted, proposed_by, proposed_at)
VALUES ($1, $2, $3::jsonb, $4, $5);

-- proposals.list: proposed limits of an account, newest first
SELECT proposal_id, account_id, wanted, proposed_by, proposed_at, decided_by, is_approved FROM limit_proposals
WHERE account_id = $1 AND (NOT $2 OR is_approved IS NULL)
ORDER BY proposed_at DESC, proposal_id DESC LIMIT $3;

-- proposals.lock: read a proposal to decide on it
SELECT proposal_id, account_id, wanted, proposed_by, proposed_at, decided_by, is_approved FROM limit_proposals
WHERE proposal_id = $1 FOR UPDATE;

-- proposals.decide: store what was decided
UPDATE limit_proposals SET decided_by = $2, decided_at = $3, is_approved = $4 WHERE proposal_id = $1;

-- overrides.source: the newest decision on an order, for leave to be asked of
SELECT account_id, approved, findings, inputs ->> 'content' AS content FROM assessments
WHERE order_id = $1 ORDER BY attempt DESC LIMIT 1;

-- overrides.insert: keep a request for leave
INSERT INTO overrides (
    override_id, account_id, order_id, content, codes, reason, requested_by, requested_at, expires_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- overrides.list: leave asked for on an account, newest first; or what still waits for a second person
SELECT override_id, account_id, order_id, codes, reason, requested_by, expires_at, approved_by FROM overrides
WHERE account_id = $1 AND (NOT $2 OR (approved_by IS NULL AND expires_at > $3))
ORDER BY requested_at DESC, override_id DESC LIMIT $4;

-- overrides.lock: read a request to decide on it
SELECT override_id, account_id, order_id, codes, reason, requested_by, expires_at, approved_by FROM overrides
WHERE override_id = $1 FOR UPDATE;

-- overrides.approve: give leave
UPDATE overrides SET approved_by = $2, approved_at = $3 WHERE override_id = $1;

-- sessions.keep: arm the switch of a session anew; a lost one stays lost
INSERT INTO dead_man_switches (account_id, session_id, timeout_s, deadline, state, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, session_id) DO UPDATE
SET timeout_s = excluded.timeout_s, deadline = excluded.deadline, state = excluded.state,
    updated_at = excluded.updated_at
RETURNING account_id, session_id, state, deadline;

-- sessions.lost: mark switches whose deadline passed as lost; returns whose they were
UPDATE dead_man_switches SET state = 'lost', updated_at = $1
WHERE state = 'armed' AND deadline <= $1
RETURNING account_id, session_id;

-- fleet.report: note what an instance runs
INSERT INTO fleet (service, instance, build, config_hash, seen_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (service, instance) DO UPDATE
SET build = excluded.build, config_hash = excluded.config_hash, seen_at = excluded.seen_at;

-- fleet.report_deployments: note which deployments an instance runs; after a pause it counts as new
INSERT INTO deployment_instances AS d (book_id, instance, build, config_hash, first_seen_at, seen_at)
SELECT w.book_id, $2, $3, $4, $5, $5 FROM unnest($1::uuid[]) AS w (book_id)
ORDER BY w.book_id
ON CONFLICT (book_id, instance) DO UPDATE SET
    build = excluded.build, config_hash = excluded.config_hash, seen_at = excluded.seen_at,
    first_seen_at = CASE WHEN d.seen_at > $6 THEN d.first_seen_at ELSE excluded.first_seen_at END;

-- fleet.differing: services whose instances differ
SELECT service FROM fleet WHERE seen_at > $1
GROUP BY service HAVING count(DISTINCT build || ' ' || config_hash) > 1 ORDER BY service;

-- equity.losers: accounts of a feed with limits of loss, or a warning: their equity now and as it was marked before
SELECT
    b.account_id, l.version, l.controls, e.day, e.opening_equity, e.last_equity, e.peak_equity,
    b.cash + coalesce(h.worth, 0) AS equity, coalesce(h.unpriced, 0) AS unpriced, h.oldest
FROM balances AS b
CROSS JOIN LATERAL (
    SELECT s.version, s.controls FROM limit_sets AS s WHERE s.account_id = b.account_id ORDER BY s.version DESC LIMIT 1
) AS l
LEFT JOIN equity_marks AS e ON e.account_id = b.account_id
LEFT JOIN LATERAL (
    SELECT
        sum(x.position_qty * p.price) AS worth, count(*) FILTER (WHERE p.price IS NULL) AS unpriced,
        min(p.marked_at) AS oldest
    FROM exposures AS x LEFT JOIN prices AS p ON p.feed_id = b.feed_id AND p.symbol = x.symbol
    WHERE x.account_id = b.account_id AND x.position_qty <> 0
) AS h ON true
WHERE b.feed_id = $1 AND (
    l.controls ->> 'daily_loss_max' IS NOT NULL OR l.controls ->> 'daily_loss_halt' IS NOT NULL
    OR l.controls ->> 'drawdown_max_pct' IS NOT NULL OR l.controls ->> 'drawdown_halt_pct' IS NOT NULL
    OR EXISTS (SELECT 1 FROM limit_warnings AS w WHERE w.account_id = b.account_id AND w.is_standing)
)
ORDER BY b.account_id;

-- equity.save: store the equity of an account
INSERT INTO equity_marks (account_id, day, opening_equity, last_equity, peak_equity, marked_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id) DO UPDATE
SET day = excluded.day, opening_equity = excluded.opening_equity, last_equity = excluded.last_equity,
    peak_equity = excluded.peak_equity, marked_at = excluded.marked_at;

-- orders.note_unknown: note whether outcomes of orders are unknown; older news change nothing
UPDATE reservations AS r SET is_unknown = n.is_unknown, order_version = n.version
FROM unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS n (order_id, version, is_unknown)
WHERE r.order_id = n.order_id AND r.order_version < n.version;
