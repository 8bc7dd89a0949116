-- accounts.insert: store a new account
INSERT INTO accounts (account_id, owner_id, name, mode, currency, feed_id, starting_cash, cash, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- accounts.get: read one account
SELECT account_id, owner_id, name, mode, currency, feed_id, is_risk_ready, is_venue_ready, starting_cash, cash,
    realized_pnl, fees, created_at
FROM accounts WHERE account_id = $1;

-- accounts.lock: read one account and hold it, so that its positions and cash are changed one fill at a time
SELECT account_id, owner_id, name, mode, currency, feed_id, is_risk_ready, is_venue_ready, starting_cash, cash,
    realized_pnl, fees, created_at
FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE;

-- accounts.mode: whether an account is paper or live
SELECT mode FROM accounts WHERE account_id = $1;

-- accounts.by_ids: read the accounts of a batch of orders
SELECT account_id, owner_id, name, mode, currency, feed_id, is_risk_ready, is_venue_ready, starting_cash, cash,
    realized_pnl, fees, created_at
FROM accounts WHERE account_id = ANY($1::uuid[]);

-- accounts.of_owner: read a person's accounts, oldest first
SELECT account_id, owner_id, name, mode, currency, feed_id, is_risk_ready, is_venue_ready, starting_cash, cash,
    realized_pnl, fees, created_at
FROM accounts WHERE owner_id = $1 ORDER BY created_at, account_id;

-- accounts.risk_ready: risk has set limits
UPDATE accounts SET is_risk_ready = true WHERE account_id = $1;

-- accounts.venue_ready: broker has opened the connection
UPDATE accounts SET is_venue_ready = true WHERE account_id = $1;

-- accounts.book: change cash, profit and fees by the amounts of one execution
UPDATE accounts SET cash = cash + $2, realized_pnl = realized_pnl + $3, fees = fees + $4
WHERE account_id = $1;

-- orders.accept_batch: store decided orders with their first events, the events to publish and the audit rows
WITH stored AS (
    INSERT INTO orders (order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side,
        type, time_in_force, qty, notional, limit_price, stop_price, trail_price, trail_percent, expire_at,
        extended_hours, reduce_only, position_intent, order_class, leg, group_id, replaces, status, carried_qty,
        reason_code, reason, decision_id, version, created_at, updated_at, submitted_at, failed_at, fill_factor,
        fill_offset, fill_tick)
    SELECT o.order_id, o.client_order_id, o.account_id, o.owner_id, o.book_id, o.strategy_hash, o.symbol, o.side,
        o.type, o.time_in_force, o.qty, o.notional, o.limit_price, o.stop_price, o.trail_price, o.trail_percent,
        o.expire_at, o.extended_hours, o.reduce_only, o.position_intent, o.order_class, o.leg, o.group_id,
        o.replaces, o.status, o.carried_qty, o.reason_code, o.reason, o.decision_id, 1, $29, $29,
        CASE o.status WHEN 'pending_new' THEN $29::timestamptz END,
        CASE o.status WHEN 'denied' THEN $29::timestamptz END, o.fill_factor, o.fill_offset, o.fill_tick
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[], $14::numeric[],
        $15::numeric[], $16::timestamptz[], $17::boolean[], $18::boolean[], $19::text[], $20::text[], $21::text[],
        $22::uuid[], $23::uuid[], $24::text[], $25::numeric[], $26::text[], $27::text[], $28::uuid[], $40::text[],
        $41::numeric[], $42::numeric[], $43::numeric[])
        AS o (order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty,
            notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
            position_intent, order_class, leg, group_id, replaces, status, carried_qty, reason_code, reason,
            decision_id, strategy_hash, fill_factor, fill_offset, fill_tick)
    ORDER BY o.order_id -- two batches that share orders insert them in the same order: no deadlock
    RETURNING order_id
), first_events AS (
    -- Out of what was stored: PostgreSQL would else insert these first, and name their key in a conflict of orders.
    INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at)
    SELECT s.order_id, 1, e.kind, e.status, e.detail, $29
    FROM stored AS s
    JOIN unnest($1::uuid[], $30::text[], $24::text[], $31::text[]) AS e (order_id, kind, status, detail)
        ON e.order_id = s.order_id
), told AS (
    INSERT INTO event_log (event_id, subject, aggregate_id, payload, occurred_at)
    SELECT t.event_id, t.subject, t.aggregate_id, t.payload, $29
    FROM unnest($32::uuid[], $33::text[], $34::uuid[], $35::text[])
        AS t (event_id, subject, aggregate_id, payload)
    RETURNING event_id
), queued AS (
    INSERT INTO outbox (event_id) SELECT told.event_id FROM told
)
INSERT INTO audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
SELECT a.audit_id, a.actor, 'order.submit', a.object, a.detail, a.trace_id, $29
FROM unnest($36::uuid[], $37::text[], $38::text[], $31::text[], $39::text[])
    AS a (audit_id, actor, object, detail, trace_id);

-- orders.by_client_ids: find the orders a batch repeats
SELECT o.order_id, o.client_order_id, o.account_id, o.owner_id, o.book_id, o.strategy_hash, o.symbol, o.side, o.type,
    o.time_in_force, o.qty, o.notional, o.limit_price, o.stop_price, o.trail_price, o.trail_percent, o.expire_at,
    o.extended_hours, o.reduce_only, o.position_intent, o.order_class, o.leg, o.group_id, o.replaces, o.replaced_by,
    o.status, o.resumes, o.filled_qty, o.filled_amount, o.final_qty, o.carried_qty, o.reason_code, o.reason,
    o.decision_id, o.version, o.created_at, o.updated_at, o.submitted_at, o.triggered_at, o.filled_at, o.canceled_at,
    o.expired_at, o.failed_at, o.replaced_at, o.hwm, o.report_seq, o.fill_factor, o.fill_offset, o.fill_tick
FROM orders AS o
JOIN unnest($1::uuid[], $2::text[]) AS k (account_id, client_order_id)
    ON k.account_id = o.account_id AND k.client_order_id = o.client_order_id;

-- orders.get: read one order
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders WHERE order_id = $1;

-- orders.of_groups: read the orders of groups, in the order they were asked for
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders WHERE group_id = ANY($1::uuid[]) ORDER BY created_at, leg DESC, order_id;

-- orders.lock: read one order to change it
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders WHERE order_id = $1 FOR NO KEY UPDATE;

-- orders.lock_many: read several orders to change them, in the order in which all hold several
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders WHERE order_id = ANY($1::uuid[])
ORDER BY created_at, order_id
FOR NO KEY UPDATE;

-- orders.list_newest: read a page of an account's orders, newest first
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders
WHERE account_id = $1
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND ($3::text[] IS NULL OR symbol = ANY($3))
    AND ($4::text IS NULL OR side = $4)
    AND ($5::timestamptz IS NULL OR created_at > $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::timestamptz IS NULL OR (created_at <= $7 AND (created_at, order_id) < ($7, $8)))
    AND (NOT $9 OR group_id IS NULL OR group_id = order_id)
ORDER BY created_at DESC, order_id DESC
LIMIT $10;

-- orders.list_oldest: read a page of an account's orders, oldest first
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders
WHERE account_id = $1
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND ($3::text[] IS NULL OR symbol = ANY($3))
    AND ($4::text IS NULL OR side = $4)
    AND ($5::timestamptz IS NULL OR created_at > $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::timestamptz IS NULL OR (created_at >= $7 AND (created_at, order_id) > ($7, $8)))
    AND (NOT $9 OR group_id IS NULL OR group_id = order_id)
ORDER BY created_at, order_id
LIMIT $10;

-- orders.list_open_newest: read a page of an account's open orders, newest first
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders
WHERE account_id = $1
    AND status IN ('held', 'pending_new', 'accepted', 'new', 'partially_filled', 'pending_cancel',
    'pending_replace', 'suspended', 'done_for_day', 'unknown')
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND ($3::text[] IS NULL OR symbol = ANY($3))
    AND ($4::text IS NULL OR side = $4)
    AND ($5::timestamptz IS NULL OR created_at > $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::timestamptz IS NULL OR (created_at <= $7 AND (created_at, order_id) < ($7, $8)))
    AND (NOT $9 OR group_id IS NULL OR group_id = order_id)
ORDER BY created_at DESC, order_id DESC
LIMIT $10;

-- orders.list_open_oldest: read a page of an account's open orders, oldest first
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders
WHERE account_id = $1
    AND status IN ('held', 'pending_new', 'accepted', 'new', 'partially_filled', 'pending_cancel',
    'pending_replace', 'suspended', 'done_for_day', 'unknown')
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND ($3::text[] IS NULL OR symbol = ANY($3))
    AND ($4::text IS NULL OR side = $4)
    AND ($5::timestamptz IS NULL OR created_at > $5)
    AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::timestamptz IS NULL OR (created_at >= $7 AND (created_at, order_id) > ($7, $8)))
    AND (NOT $9 OR group_id IS NULL OR group_id = order_id)
ORDER BY created_at, order_id
LIMIT $10;

-- orders.lock_open: read the open orders of an account, or of everybody, to change them
SELECT order_id, client_order_id, account_id, owner_id, book_id, strategy_hash, symbol, side, type, time_in_force, qty,
    notional, limit_price, stop_price, trail_price, trail_percent, expire_at, extended_hours, reduce_only,
    position_intent, order_class, leg, group_id, replaces, replaced_by, status, resumes, filled_qty, filled_amount,
    final_qty, carried_qty, reason_code, reason, decision_id, version, created_at, updated_at, submitted_at,
    triggered_at, filled_at, canceled_at, expired_at, failed_at, replaced_at, hwm, report_seq, fill_factor,
    fill_offset, fill_tick
FROM orders
WHERE status IN ('held', 'pending_new', 'accepted', 'new', 'partially_filled', 'pending_cancel',
    'pending_replace', 'suspended', 'done_for_day', 'unknown')
    AND ($1::uuid IS NULL OR account_id = $1)
    AND ($2::text[] IS NULL OR symbol = ANY($2))
    AND ($3::uuid IS NULL OR book_id = $3)
ORDER BY created_at, order_id
FOR NO KEY UPDATE;

-- orders.update: store an order's new state
UPDATE orders SET status = $2, resumes = $3, filled_qty = $4, filled_amount = $5, final_qty = $6,
    carried_qty = $7, replaced_by = $8, reason_code = $9, reason = $10, version = $11, updated_at = $12,
    submitted_at = $13, triggered_at = $14, filled_at = $15, canceled_at = $16, expired_at = $17, failed_at = $18,
    replaced_at = $19, hwm = $20, report_seq = $21, limit_price = $22, stop_price = $23
WHERE order_id = $1 AND version = $11 - 1;

-- orders.update_many: store the new states of orders
UPDATE orders AS o SET status = n.status, resumes = n.resumes, filled_qty = n.filled_qty,
    filled_amount = n.filled_amount, final_qty = n.final_qty, carried_qty = n.carried_qty,
    replaced_by = n.replaced_by, reason_code = n.reason_code, reason = n.reason, version = n.version,
    updated_at = n.updated_at, submitted_at = n.submitted_at, triggered_at = n.triggered_at,
    filled_at = n.filled_at, canceled_at = n.canceled_at, expired_at = n.expired_at, failed_at = n.failed_at,
    replaced_at = n.replaced_at, hwm = n.hwm, report_seq = n.report_seq, limit_price = n.limit_price,
    stop_price = n.stop_price
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[],
    $8::uuid[], $9::text[], $10::text[], $11::bigint[], $12::timestamptz[], $13::timestamptz[],
    $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[],
    $19::timestamptz[], $20::numeric[], $21::bigint[], $22::numeric[], $23::numeric[], $24::bigint[])
    AS n (order_id, status, resumes, filled_qty, filled_amount, final_qty, carried_qty, replaced_by, reason_code,
        reason, version, updated_at, submitted_at, triggered_at, filled_at, canceled_at, expired_at, failed_at,
        replaced_at, hwm, report_seq, limit_price, stop_price, version_before)
WHERE o.order_id = n.order_id AND o.version = n.version_before;

-- orders.events: append events to orders
INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at)
SELECT n.order_id, n.version, n.kind, n.status, n.detail, n.occurred_at
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS n (order_id, version, kind, status, detail, occurred_at);

-- orders.event: append an event to an order
INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at) VALUES ($1, $2, $3, $4, $5, $6);

-- orders.predecessors: find which orders some orders are to replace
SELECT replaces FROM orders WHERE order_id = ANY($1::uuid[]) AND replaces IS NOT NULL;

-- orders.history: read what happened to an order, oldest first
SELECT version, kind, status, detail, occurred_at FROM order_events WHERE order_id = $1 ORDER BY version LIMIT $2;

-- months.kept: until when the tables that are cut by month have their months, and whether rows lie outside of them
SELECT whole, kept_until, has_rest FROM months_kept();

-- months.keep: make the months that are missing, by the right of the schema's owner
SELECT part, failure FROM keep_months($1);

-- executions.insert: book an execution, once
INSERT INTO executions (account_id, execution_id, order_id, book_id, symbol, side, qty, price, fee, realized_pnl,
    executed_at, booked_at, transaction_id, fee_qty)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- executions.list: read an account's executions, oldest first
SELECT execution_id, order_id, account_id, book_id, symbol, side, qty, price, fee, realized_pnl, executed_at, booked_at,
    fee_qty
FROM executions
WHERE account_id = $1 AND ($2::uuid IS NULL OR book_id = $2) AND ($3::text[] IS NULL OR execution_id = ANY($3))
ORDER BY booked_at, execution_id
LIMIT $4;

-- positions.list: read an account's positions with the newest prices of its feed
SELECT p.account_id, p.book_id, p.symbol, p.qty, p.cost, p.realized_pnl, p.fees, m.price, m.marked_at
FROM positions AS p
JOIN accounts AS a ON a.account_id = p.account_id
LEFT JOIN marks AS m ON m.feed_id = a.feed_id AND m.symbol = p.symbol
WHERE p.account_id = $1
ORDER BY p.symbol, p.book_id;

-- ledger.insert: store the balanced lines of one transaction
INSERT INTO ledger_entries (transaction_id, account_id, ledger_account, amount, book_id, currency, booked_at)
SELECT $1, $2, line.ledger_account, line.amount, line.book_id, $6, $7
FROM unnest($3::text[], $4::numeric[], $5::uuid[]) AS line (ledger_account, amount, book_id);

-- ledger.list: read an account's entries, oldest first
SELECT transaction_id, account_id, ledger_account, amount, book_id, currency, booked_at FROM ledger_entries
WHERE account_id = $1 ORDER BY booked_at, transaction_id, ledger_account, book_id LIMIT $2;

-- ledger.total: sum over all entries of an account; zero
SELECT coalesce(sum(amount), 0) FROM ledger_entries WHERE account_id = $1;

-- accounts.lock_many: read the accounts of a batch of executions and hold them, so that each is booked by one at a time
SELECT account_id, owner_id, name, mode, currency, feed_id, is_risk_ready, is_venue_ready, starting_cash, cash,
    realized_pnl, fees, created_at
FROM accounts WHERE account_id = ANY($1::uuid[])
ORDER BY account_id
FOR NO KEY UPDATE;

-- executions.known: read what is booked under execution ids
SELECT x.account_id, x.execution_id, x.order_id, x.symbol, x.side, x.qty, x.price, x.fee, x.executed_at,
    x.fee_qty
FROM executions AS x
JOIN unnest($1::uuid[], $2::text[]) AS k (account_id, execution_id)
    ON k.account_id = x.account_id AND k.execution_id = x.execution_id;

-- positions.held: read positions with the trade that is under way; the caller holds their accounts
SELECT p.account_id, p.book_id, p.symbol, p.qty, p.cost, p.realized_pnl, p.fees, p.lots_opened, p.trades_opened,
    t.side AS trade_side, t.opened_at AS trade_opened_at, t.entry_qty AS trade_entry_qty,
    t.entry_amount AS trade_entry_amount, t.exit_amount AS trade_exit_amount, t.realized_pnl AS trade_realized,
    t.fees AS trade_fees
FROM positions AS p
JOIN unnest($1::uuid[], $2::uuid[], $3::text[]) AS k (account_id, book_id, symbol)
    ON k.account_id = p.account_id AND k.book_id = p.book_id AND k.symbol = p.symbol
LEFT JOIN trades AS t
    ON t.account_id = p.account_id AND t.book_id = p.book_id AND t.symbol = p.symbol AND t.trade_no = p.trades_opened
    AND t.closed_at IS NULL;

-- positions.put: store a position
INSERT INTO positions (account_id, book_id, symbol, qty, cost, realized_pnl, fees, lots_opened, trades_opened,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (account_id, book_id, symbol) DO UPDATE
SET qty = excluded.qty, cost = excluded.cost, realized_pnl = excluded.realized_pnl, fees = excluded.fees,
    lots_opened = excluded.lots_opened, trades_opened = excluded.trades_opened, updated_at = excluded.updated_at;

-- positions.account_qty: net quantities of symbols over all books of their accounts
SELECT p.account_id, p.symbol, sum(p.qty) AS qty
FROM positions AS p
JOIN unnest($1::uuid[], $2::text[]) AS k (account_id, symbol) ON k.account_id = p.account_id AND k.symbol = p.symbol
GROUP BY p.account_id, p.symbol;

-- lots.oldest: read the open lots of holdings from which a quantity may be taken, oldest first
SELECT o.account_id, o.book_id, o.symbol, o.lot_no, o.qty, o.cost, o.opened_at, o.execution_id
FROM (
    SELECT l.account_id, l.book_id, l.symbol, l.lot_no, l.qty, l.cost, l.opened_at, l.execution_id, k.wanted,
        sum(abs(l.qty)) OVER (PARTITION BY l.account_id, l.book_id, l.symbol ORDER BY l.lot_no) - abs(l.qty) AS older
    FROM lots AS l
    JOIN unnest($1::uuid[], $2::uuid[], $3::text[], $4::numeric[]) AS k (account_id, book_id, symbol, wanted)
        ON k.account_id = l.account_id AND k.book_id = l.book_id AND k.symbol = l.symbol
    WHERE l.qty <> 0
) AS o
WHERE o.older < o.wanted
ORDER BY o.account_id, o.book_id, o.symbol, o.lot_no;

-- lots.put: store a lot
INSERT INTO lots (account_id, book_id, symbol, lot_no, qty, cost, opened_at, execution_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (account_id, book_id, symbol, lot_no) DO UPDATE SET qty = excluded.qty, cost = excluded.cost;

-- lots.list: read an account's open lots, oldest first
SELECT account_id, book_id, symbol, lot_no, qty, cost, opened_at, execution_id FROM lots
WHERE account_id = $1 AND qty <> 0 AND ($2::text IS NULL OR symbol = $2)
ORDER BY symbol, book_id, lot_no
LIMIT $3;

-- lot_closes.insert: store the part of a lot that an execution closed
INSERT INTO lot_closes (account_id, execution_id, book_id, lot_no, symbol, qty, cost, proceeds, realized_pnl,
    opened_at, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- lot_closes.list: read what an account's executions closed, oldest first, from an instant on and before another
SELECT account_id, execution_id, book_id, lot_no, symbol, qty, cost, proceeds, realized_pnl, opened_at, closed_at
FROM lot_closes
WHERE account_id = $1 AND ($2::timestamptz IS NULL OR closed_at >= $2) AND ($3::timestamptz IS NULL OR closed_at < $3)
ORDER BY closed_at, execution_id, lot_no
LIMIT $4;

-- trades.put: store a trade, under way or closed
INSERT INTO trades (account_id, book_id, symbol, trade_no, side, entry_qty, entry_amount, exit_amount, realized_pnl,
    fees, opened_at, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (account_id, book_id, symbol, trade_no) DO UPDATE
SET entry_qty = excluded.entry_qty, entry_amount = excluded.entry_amount, exit_amount = excluded.exit_amount,
    realized_pnl = excluded.realized_pnl, fees = excluded.fees, closed_at = excluded.closed_at;

-- trades.list: read an account's trades, newest first
SELECT t.account_id, t.book_id, t.symbol, t.trade_no, t.side, t.entry_qty, t.entry_amount, t.exit_amount,
    t.realized_pnl, t.fees, t.opened_at, t.closed_at,
    CASE WHEN t.closed_at IS NULL THEN abs(p.qty) ELSE 0 END AS open_qty
FROM trades AS t
JOIN positions AS p ON p.account_id = t.account_id AND p.book_id = t.book_id AND p.symbol = t.symbol
WHERE t.account_id = $1 AND ($2::uuid IS NULL OR t.book_id = $2)
ORDER BY t.opened_at DESC, t.symbol, t.trade_no DESC
LIMIT $3;

-- booking_breaks.insert: keep a report of an execution with something wrong about it
INSERT INTO booking_breaks (break_id, account_id, order_id, execution_id, symbol, code, detail, report, is_booked,
    found_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- booking_breaks.list: read what was wrong with reports for an account, newest first
SELECT break_id, account_id, order_id, execution_id, symbol, code, detail, is_booked, found_at FROM booking_breaks
WHERE account_id = $1 ORDER BY found_at DESC, break_id LIMIT $2;

-- unclaimed_reports.insert: keep reports on orders that are not known; the same event once
INSERT INTO unclaimed_reports (event_id, order_id, kind, report, occurred_at, kept_at)
SELECT n.event_id, n.order_id, n.kind, n.report, n.occurred_at, $6
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    AS n (event_id, order_id, kind, report, occurred_at)
ON CONFLICT (event_id) DO NOTHING;

-- unclaimed_reports.claim: take up reports whose order is known meanwhile, oldest first, but those another takes up
WITH chosen AS MATERIALIZED (
    SELECT u.event_id FROM unclaimed_reports AS u
    WHERE
        u.claimed_at IS NULL AND (u.kind = 'execution_reported') = $3::boolean
        AND EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = u.order_id)
    ORDER BY u.occurred_at, u.event_id
    LIMIT $2
    FOR UPDATE OF u SKIP LOCKED
), claimed AS (
    UPDATE unclaimed_reports AS u SET claimed_at = $1 FROM chosen AS c WHERE u.event_id = c.event_id
    RETURNING u.event_id, u.report, u.occurred_at
)
SELECT report FROM claimed ORDER BY occurred_at, event_id;

-- unclaimed_reports.list: read reports on orders that were not known, newest first
SELECT event_id, order_id, kind, occurred_at, kept_at, claimed_at FROM unclaimed_reports
WHERE NOT $1::boolean OR claimed_at IS NULL
ORDER BY kept_at DESC, event_id LIMIT $2;

-- unclaimed_reports.waiting: how many reports wait for their order
SELECT count(*) AS waiting FROM unclaimed_reports WHERE claimed_at IS NULL;

-- books.book: change a book's cash, profit and fees by the amounts of executions; a book nobody opened has no capital
INSERT INTO books (account_id, book_id, cash, realized_pnl, fees)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, book_id) DO UPDATE
SET cash = books.cash + excluded.cash, realized_pnl = books.realized_pnl + excluded.realized_pnl,
    fees = books.fees + excluded.fees;

-- books.open: claim capital for a new book; nothing comes back where the book is open already
INSERT INTO books (account_id, book_id, name, capital, cash, opened_at)
VALUES ($1, $2, $3, $4, $4, $5)
ON CONFLICT (account_id, book_id) DO NOTHING
RETURNING book_id;

-- books.get: read one book of an account
SELECT account_id, book_id, name, status, capital, cash, realized_pnl, fees, opened_at FROM books
WHERE account_id = $1 AND book_id = $2;

-- books.of_account: read the books of an account, oldest first
SELECT account_id, book_id, name, status, capital, cash, realized_pnl, fees, opened_at FROM books
WHERE account_id = $1 ORDER BY opened_at NULLS FIRST, book_id;

-- books.cash: how much of an account's cash is in books
SELECT coalesce(sum(cash), 0) FROM books WHERE account_id = $1;

-- books.release: end a book; its capital is its own no more
UPDATE books SET status = 'released', capital = 0, cash = cash - $3 WHERE account_id = $1 AND book_id = $2;

-- accounts.flow: change cash, what was paid in, and fees
UPDATE accounts SET cash = cash + $2, net_flows = net_flows + $3, fees = fees + $4 WHERE account_id = $1;

-- accounts.net_flows: what was paid in and taken out since an account was opened
SELECT net_flows FROM accounts WHERE account_id = $1;

-- activities.insert: keep what happened to an account beside its executions
INSERT INTO activities (activity_id, account_id, reference, kind, symbol, qty, net_amount, currency, description,
    request, booked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- activities.by_reference: read what is booked under a caller's reference
SELECT activity_id, account_id, reference, kind, symbol, qty, net_amount, currency, description, request, booked_at
FROM activities WHERE account_id = $1 AND reference = $2;

-- activities.newest: read an account's activities, executions among them, newest first, before a place in the list
SELECT f.booked_at, f.id, f.kind, f.symbol, f.side, f.qty, f.price, f.fee, f.fee_qty, f.net_amount, f.order_id,
    f.description, f.executed_at, f.cum_qty, o.status AS order_status, o.filled_qty AS order_filled_qty,
    coalesce(o.qty - o.carried_qty, o.final_qty) AS order_fillable_qty
FROM (
    (SELECT x.booked_at, x.execution_id AS id, 'fill' AS kind, x.symbol, x.side, x.qty, x.price,
        x.fee, x.fee_qty, NULL::numeric AS net_amount, x.order_id, '' AS description, x.executed_at,
        (SELECT sum(y.qty) FROM executions AS y
        WHERE y.order_id = x.order_id AND (y.booked_at, y.execution_id) <= (x.booked_at, x.execution_id)) AS cum_qty
    FROM executions AS x
    WHERE x.account_id = $1 AND ($2::text[] IS NULL OR 'fill' = ANY($2))
        AND ($3::timestamptz IS NULL OR x.booked_at > $3) AND ($4::timestamptz IS NULL OR x.booked_at < $4)
        AND ($5::timestamptz IS NULL OR (x.booked_at, x.execution_id) < ($5, $6))
    ORDER BY x.booked_at DESC, x.execution_id DESC
    LIMIT $7)
    UNION ALL
    (SELECT a.booked_at, a.activity_id::text, a.kind, a.symbol, NULL, a.qty, NULL, NULL, NULL, a.net_amount, NULL,
        a.description, NULL, NULL
    FROM activities AS a
    WHERE a.account_id = $1 AND ($2::text[] IS NULL OR a.kind = ANY($2))
        AND ($3::timestamptz IS NULL OR a.booked_at > $3) AND ($4::timestamptz IS NULL OR a.booked_at < $4)
        AND ($5::timestamptz IS NULL OR (a.booked_at, a.activity_id::text) < ($5, $6))
    ORDER BY a.booked_at DESC, a.activity_id::text DESC
    LIMIT $7)
) AS f
LEFT JOIN orders AS o ON o.order_id = f.order_id
ORDER BY f.booked_at DESC, f.id DESC
LIMIT $7;

-- activities.oldest: read an account's activities, executions among them, oldest first, after a place in the list
SELECT f.booked_at, f.id, f.kind, f.symbol, f.side, f.qty, f.price, f.fee, f.fee_qty, f.net_amount, f.order_id,
    f.description, f.executed_at, f.cum_qty, o.status AS order_status, o.filled_qty AS order_filled_qty,
    coalesce(o.qty - o.carried_qty, o.final_qty) AS order_fillable_qty
FROM (
    (SELECT x.booked_at, x.execution_id AS id, 'fill' AS kind, x.symbol, x.side, x.qty, x.price,
        x.fee, x.fee_qty, NULL::numeric AS net_amount, x.order_id, '' AS description, x.executed_at,
        (SELECT sum(y.qty) FROM executions AS y
        WHERE y.order_id = x.order_id AND (y.booked_at, y.execution_id) <= (x.booked_at, x.execution_id)) AS cum_qty
    FROM executions AS x
    WHERE x.account_id = $1 AND ($2::text[] IS NULL OR 'fill' = ANY($2))
        AND ($3::timestamptz IS NULL OR x.booked_at > $3) AND ($4::timestamptz IS NULL OR x.booked_at < $4)
        AND ($5::timestamptz IS NULL OR (x.booked_at, x.execution_id) > ($5, $6))
    ORDER BY x.booked_at, x.execution_id
    LIMIT $7)
    UNION ALL
    (SELECT a.booked_at, a.activity_id::text, a.kind, a.symbol, NULL, a.qty, NULL, NULL, NULL, a.net_amount, NULL,
        a.description, NULL, NULL
    FROM activities AS a
    WHERE a.account_id = $1 AND ($2::text[] IS NULL OR a.kind = ANY($2))
        AND ($3::timestamptz IS NULL OR a.booked_at > $3) AND ($4::timestamptz IS NULL OR a.booked_at < $4)
        AND ($5::timestamptz IS NULL OR (a.booked_at, a.activity_id::text) > ($5, $6))
    ORDER BY a.booked_at, a.activity_id::text
    LIMIT $7)
) AS f
LEFT JOIN orders AS o ON o.order_id = f.order_id
ORDER BY f.booked_at, f.id
LIMIT $7;

-- marks.put: take the newest prices of a feed; one that is not newer than what is kept changes nothing
INSERT INTO marks (feed_id, symbol, price, seq, marked_at)
SELECT $1, m.symbol, m.price, $4, $5 FROM unnest($2::text[], $3::numeric[]) AS m (symbol, price)
ORDER BY m.symbol
ON CONFLICT (feed_id, symbol) DO UPDATE
SET price = excluded.price, seq = excluded.seq, marked_at = excluded.marked_at
WHERE marks.seq < excluded.seq
RETURNING symbol;

-- marks.seq: up to which step of a feed a symbol has its prices, held so that none comes meanwhile
SELECT seq FROM marks WHERE feed_id = $1 AND symbol = $2 FOR UPDATE;

-- splits_of_feeds.note: note that a symbol of a feed was split; no row comes back if that was noted before
INSERT INTO splits_of_feeds (feed_id, symbol, reference, new_shares, old_shares, applied_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (feed_id, symbol, reference) DO NOTHING
RETURNING reference;

-- splits_of_feeds.ratio: by how much a symbol of a feed was split under a reference
SELECT new_shares, old_shares FROM splits_of_feeds WHERE feed_id = $1 AND symbol = $2 AND reference = $3;

-- marks.newest: the newest prices of some symbols on some feeds
SELECT feed_id, symbol, price, seq, marked_at FROM marks
WHERE feed_id = ANY($1::uuid[]) AND symbol = ANY($2::text[])
ORDER BY feed_id, symbol;

-- marks.split: express the newest price of a feed in shares after a split
UPDATE marks SET price = round(price * $4::numeric / $3::numeric, 9) WHERE feed_id = $1 AND symbol = $2;

-- marks.times: how far the markets of feeds have come
SELECT feed_id, max(marked_at) AS at FROM marks WHERE feed_id = ANY($1::uuid[]) GROUP BY feed_id;

-- holdings.on_feed: what every account of a feed holds, with its cash and the newest prices, at one instant
SELECT a.account_id, a.cash, a.starting_cash, a.net_flows, p.symbol, p.qty, p.cost, m.price
FROM accounts AS a
LEFT JOIN positions AS p ON p.account_id = a.account_id AND p.qty <> 0
LEFT JOIN marks AS m ON m.feed_id = a.feed_id AND m.symbol = p.symbol
WHERE a.feed_id = $1
ORDER BY a.account_id;

-- holdings.of_account: what an account holds by book, with the newest prices, at one instant
SELECT p.book_id, p.symbol, p.qty, p.cost, p.realized_pnl, p.fees, m.price, m.marked_at
FROM positions AS p
JOIN accounts AS a ON a.account_id = p.account_id
LEFT JOIN marks AS m ON m.feed_id = a.feed_id AND m.symbol = p.symbol
WHERE p.account_id = $1
ORDER BY p.symbol, p.book_id;

-- portfolio.put: keep what accounts were worth at a mark
INSERT INTO portfolio_points (account_id, marked_at, equity, cash, net_flows)
SELECT p.account_id, $2, p.equity, p.cash, p.net_flows
FROM unnest($1::uuid[], $3::numeric[], $4::numeric[], $5::numeric[]) AS p (account_id, equity, cash, net_flows)
ON CONFLICT (account_id, marked_at) DO UPDATE
SET equity = excluded.equity, cash = excluded.cash, net_flows = excluded.net_flows;

-- portfolio.history: what an account was worth at the end of each interval, newest intervals first
SELECT DISTINCT ON (date_bin($2, p.marked_at, 'epoch'))
    date_bin($2, p.marked_at, 'epoch') AS bucket, p.equity, p.net_flows
FROM portfolio_points AS p
WHERE p.account_id = $1 AND ($3::timestamptz IS NULL OR p.marked_at >= $3)
    AND ($4::timestamptz IS NULL OR p.marked_at < $4)
ORDER BY bucket DESC, p.marked_at DESC
LIMIT $5;

-- portfolio.last_before: what an account was worth at the last mark before an instant
SELECT equity, net_flows, marked_at FROM portfolio_points WHERE account_id = $1 AND marked_at < $2
ORDER BY marked_at DESC LIMIT 1;

-- portfolio.newest: the newest mark of an account
SELECT marked_at FROM portfolio_points WHERE account_id = $1 ORDER BY marked_at DESC LIMIT 1;

-- accounts.on_feed: which accounts trade on a feed
SELECT account_id FROM accounts WHERE feed_id = $1 ORDER BY account_id;

-- positions.of_symbol: in which books an account holds a symbol
SELECT book_id FROM positions WHERE account_id = $1 AND symbol = $2 ORDER BY book_id;
