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
WHERE account_id = $1
RETURNING cash;

-- orders.accept_batch: store decided orders with their first event, the event to publish and the audit row
WITH stored AS (
    INSERT INTO orders (order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force,
        qty, limit_price, status, reason_code, reason, decision_id, version, created_at, updated_at)
    SELECT o.order_id, o.client_order_id, o.account_id, o.owner_id, o.book_id, o.symbol, o.side, o.type,
        o.time_in_force, o.qty, o.limit_price, o.status, o.reason_code, o.reason, o.decision_id, 1, $16, $16
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::numeric[], $11::numeric[], $12::text[], $13::text[], $14::text[], $15::uuid[])
        AS o (order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty,
            limit_price, status, reason_code, reason, decision_id)
    ORDER BY o.order_id -- two batches that share orders insert them in the same order: no deadlock
    RETURNING order_id
), first_events AS (
    -- Out of what was stored: PostgreSQL would else insert these first, and name their key in a conflict of orders.
    INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at)
    SELECT s.order_id, 1, e.kind, e.status, e.detail, $16
    FROM stored AS s
    JOIN unnest($1::uuid[], $17::text[], $12::text[], $18::text[]) AS e (order_id, kind, status, detail)
        ON e.order_id = s.order_id
), told AS (
    INSERT INTO event_log (event_id, subject, aggregate_id, payload, occurred_at)
    SELECT t.event_id, t.subject, t.aggregate_id, t.payload, $16
    FROM unnest($19::uuid[], $20::text[], $1::uuid[], $21::text[]) AS t (event_id, subject, aggregate_id, payload)
    RETURNING event_id
), queued AS (
    INSERT INTO outbox (event_id) SELECT told.event_id FROM told
)
INSERT INTO audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
SELECT a.audit_id, a.actor, 'order.submit', a.object, a.detail, a.trace_id, $16
FROM unnest($22::uuid[], $23::text[], $24::text[], $18::text[], $25::text[])
    AS a (audit_id, actor, object, detail, trace_id);

-- orders.by_client_ids: find the orders a batch repeats
SELECT o.order_id, o.client_order_id, o.account_id, o.owner_id, o.book_id, o.symbol, o.side, o.type, o.time_in_force,
    o.qty, o.limit_price, o.status, o.filled_qty, o.filled_amount, o.reason_code, o.reason, o.decision_id, o.version,
    o.created_at, o.updated_at
FROM orders AS o
JOIN unnest($1::uuid[], $2::text[]) AS k (account_id, client_order_id)
    ON k.account_id = o.account_id AND k.client_order_id = o.client_order_id;

-- orders.get: read one order
SELECT order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, limit_price,
    status, filled_qty, filled_amount, reason_code, reason, decision_id, version, created_at, updated_at
FROM orders WHERE order_id = $1;

-- orders.lock: read one order to change it
SELECT order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, limit_price,
    status, filled_qty, filled_amount, reason_code, reason, decision_id, version, created_at, updated_at
FROM orders WHERE order_id = $1 FOR UPDATE;

-- orders.lock_many: read several orders to change them, in the order in which all hold several
SELECT order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, limit_price,
    status, filled_qty, filled_amount, reason_code, reason, decision_id, version, created_at, updated_at
FROM orders
WHERE order_id = ANY($1::uuid[])
ORDER BY created_at, order_id
FOR UPDATE;

-- orders.list: read an account's orders, newest first, narrowed by the filters that are given
SELECT order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, limit_price,
    status, filled_qty, filled_amount, reason_code, reason, decision_id, version, created_at, updated_at
FROM orders
WHERE account_id = $1
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND created_at > coalesce($3, '-infinity'::timestamptz)
    AND created_at < coalesce($4, 'infinity'::timestamptz)
    AND ($5::text IS NULL OR side = $5)
    AND ($6::text[] IS NULL OR symbol = ANY($6))
ORDER BY created_at DESC, order_id DESC
LIMIT $7;

-- orders.list_oldest: the same, oldest first
SELECT order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, limit_price,
    status, filled_qty, filled_amount, reason_code, reason, decision_id, version, created_at, updated_at
FROM orders
WHERE account_id = $1
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND created_at > coalesce($3, '-infinity'::timestamptz)
    AND created_at < coalesce($4, 'infinity'::timestamptz)
    AND ($5::text IS NULL OR side = $5)
    AND ($6::text[] IS NULL OR symbol = ANY($6))
ORDER BY created_at, order_id
LIMIT $7;

-- orders.lock_working: read an account's working orders, or everybody's, to change them
SELECT order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, limit_price,
    status, filled_qty, filled_amount, reason_code, reason, decision_id, version, created_at, updated_at
FROM orders
WHERE status IN ('pending_new', 'new', 'partially_filled', 'pending_cancel', 'unknown')
    AND ($1::uuid IS NULL OR account_id = $1)
ORDER BY created_at, order_id
FOR UPDATE;

-- orders.update: store an order's new state
UPDATE orders SET status = $2, filled_qty = $3, filled_amount = $4, reason_code = $5, reason = $6, version = $7,
    updated_at = $8
WHERE order_id = $1 AND version = $7 - 1;

-- orders.update_many: store the new states of orders
UPDATE orders AS o SET status = n.status, filled_qty = n.filled_qty, filled_amount = n.filled_amount,
    reason_code = n.reason_code, reason = n.reason, version = n.version, updated_at = n.updated_at
FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::numeric[], $5::text[], $6::text[], $7::bigint[],
    $8::timestamptz[], $9::bigint[])
    AS n (order_id, status, filled_qty, filled_amount, reason_code, reason, version, updated_at, version_before)
WHERE o.order_id = n.order_id AND o.version = n.version_before;

-- orders.events: append events to orders
INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at)
SELECT n.order_id, n.version, n.kind, n.status, n.detail, n.occurred_at
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS n (order_id, version, kind, status, detail, occurred_at);

-- orders.event: append an event to an order
INSERT INTO order_events (order_id, version, kind, status, detail, occurred_at) VALUES ($1, $2, $3, $4, $5, $6);

-- executions.insert: book an execution, once
INSERT INTO executions (account_id, execution_id, order_id, book_id, symbol, side, qty, price, fee, realized_pnl,
    executed_at, booked_at, transaction_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- executions.known: read what is booked under an execution id
SELECT execution_id, order_id, qty, price, fee, executed_at FROM executions WHERE account_id = $1 AND execution_id = $2;

-- executions.list: read an account's executions, oldest first
SELECT execution_id, order_id, account_id, book_id, symbol, side, qty, price, fee, realized_pnl, executed_at, booked_at
FROM executions
WHERE account_id = $1 AND ($2::uuid IS NULL OR book_id = $2) AND ($3::text[] IS NULL OR execution_id = ANY($3))
ORDER BY booked_at, execution_id
LIMIT $4;

-- positions.lock: read one position to change it
SELECT qty, cost, realized_pnl AS realized FROM positions
WHERE account_id = $1 AND book_id = $2 AND symbol = $3
FOR UPDATE;

-- positions.put: store a position
INSERT INTO positions (account_id, book_id, symbol, qty, cost, realized_pnl, fees, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (account_id, book_id, symbol) DO UPDATE
SET qty = excluded.qty, cost = excluded.cost, realized_pnl = excluded.realized_pnl,
    fees = positions.fees + excluded.fees, updated_at = excluded.updated_at;

-- positions.account_qty: net quantity of a symbol over all books of an account
SELECT coalesce(sum(qty), 0) FROM positions WHERE account_id = $1 AND symbol = $2;

-- positions.list: read an account's positions
SELECT account_id, book_id, symbol, qty, cost, realized_pnl, fees FROM positions
WHERE account_id = $1 ORDER BY symbol, book_id;

-- ledger.insert: store the balanced lines of one transaction
INSERT INTO ledger_entries (transaction_id, account_id, ledger_account, amount, currency, booked_at)
SELECT $1, $2, line.ledger_account, line.amount, $5, $6
FROM unnest($3::text[], $4::numeric[]) AS line (ledger_account, amount);

-- ledger.list: read an account's entries, oldest first
SELECT transaction_id, account_id, ledger_account, amount, currency, booked_at FROM ledger_entries
WHERE account_id = $1 ORDER BY entry_id LIMIT $2;

-- ledger.total: sum over all entries of an account; zero
SELECT coalesce(sum(amount), 0) FROM ledger_entries WHERE account_id = $1;
