-- imports.insert: queue an import
INSERT INTO imports (import_id, owner_id, upload_id, file_name, source, symbol, options, status, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $8, 'queued', $7);

-- imports.get: read an import
SELECT import_id, owner_id, status, progress, dataset_ids, error_code, error FROM imports WHERE import_id = $1;

-- imports.lease: take the oldest import that waits or whose worker went silent
UPDATE imports SET status = 'running', leased_until = $2
WHERE import_id = (
    SELECT import_id FROM imports
    WHERE status = 'queued' OR (status = 'running' AND leased_until < $1)
    ORDER BY created_at LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING import_id, owner_id, upload_id, file_name, source, symbol, options;

-- imports.progress: keep an import's lease and tell how far it is
UPDATE imports SET progress = $2, leased_until = $3 WHERE import_id = $1 AND status = 'running';

-- imports.finish: store how an import ended
UPDATE imports SET status = $2, progress = $3, dataset_ids = $4, error_code = $5, error = $6, leased_until = NULL
WHERE import_id = $1 AND status = 'running';

-- datasets.put: enter bars into the catalogue; the same content again only becomes the newest
INSERT INTO datasets (dataset_id, symbol, timeframe, source, row_count, first_ts, last_ts, splits, findings, data_hash,
    imported_at, owner_id, dividends, licence, file_format, file_hash, zone, stamps, price_basis, issues)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT ON CONSTRAINT datasets_content_key DO UPDATE SET
    imported_at = excluded.imported_at, source = excluded.source, findings = excluded.findings,
    licence = excluded.licence, file_format = excluded.file_format, file_hash = excluded.file_hash,
    zone = excluded.zone, stamps = excluded.stamps, price_basis = excluded.price_basis, issues = excluded.issues
RETURNING dataset_id;

-- datasets.newest: each symbol's newest dataset, a person's own before the operator's, recorded live bars last of all
SELECT DISTINCT ON (symbol) dataset_id, symbol, timeframe, source, row_count, first_ts, last_ts, splits, findings,
    data_hash, imported_at, owner_id, dividends, licence, file_format, file_hash, zone, stamps, price_basis, issues
FROM datasets
WHERE owner_id IS NULL OR owner_id = $1
ORDER BY symbol, (file_format = 'recorded'), (owner_id IS NULL), imported_at DESC, dataset_id;

-- datasets.by_ids: read datasets
SELECT dataset_id, symbol, timeframe, source, row_count, first_ts, last_ts, splits, findings, data_hash, imported_at,
    owner_id, dividends, licence, file_format, file_hash, zone, stamps, price_basis, issues
FROM datasets WHERE dataset_id = ANY($1::uuid[]);

-- backtests.insert: queue a backtest
INSERT INTO backtests (backtest_id, owner_id, version_id, dataset_id, symbol, graph, settings, start_ts, end_ts,
    status, run_hash, created_at, limit_version, limit_hash, workflow_id, symbols, dataset_ids, thresholds, template,
    repeats)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- backtests.of_templates: read the backtests of the ready strategies, the newest finished one of each first
SELECT backtest_id, template, symbol, symbols, status, run_hash, result_hash, metrics, error_code, created_at,
    finished_at
FROM backtests WHERE template <> '' ORDER BY template, (status = 'finished') DESC, created_at DESC, backtest_id;

-- backtests.thresholds: read what a verdict on a backtest is held against, empty for one made before they were kept
SELECT thresholds FROM backtests WHERE backtest_id = $1;

-- thresholds.get: read where a person wants a verdict's colours to begin
SELECT thresholds, changed_at FROM verdict_thresholds WHERE owner_id = $1;

-- thresholds.put: store where a person wants a verdict's colours to begin
INSERT INTO verdict_thresholds (owner_id, thresholds, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (owner_id) DO UPDATE SET thresholds = excluded.thresholds, changed_at = excluded.changed_at;

-- backtests.get: read a backtest with its result
SELECT backtest_id, owner_id, version_id, dataset_id, symbol, status, progress, run_hash, result_hash, metrics, result,
    error_code, error, created_at, finished_at, limit_version, limit_hash, workflow_id, symbols, template, repeats
FROM backtests WHERE backtest_id = $1;

-- backtests.inputs: read what a backtest was computed from
SELECT owner_id, symbol, status, graph, settings, dataset_id, dataset_ids, start_ts, end_ts, version_id, workflow_id,
    symbols, thresholds, template
FROM backtests WHERE backtest_id = $1;

-- backtests.list: read a person's backtests without results, newest first
SELECT backtest_id, owner_id, version_id, dataset_id, symbol, status, progress, run_hash, result_hash, metrics,
    '' AS result, error_code, error, created_at, finished_at, limit_version, limit_hash, workflow_id, symbols, template,
    repeats
FROM backtests WHERE owner_id = $1 ORDER BY created_at DESC, backtest_id LIMIT $2;

-- backtests.lease: take the oldest backtest that waits or whose worker went silent, a person's before a template's
UPDATE backtests SET status = 'running', leased_until = $2
WHERE backtest_id = (
    SELECT backtest_id FROM backtests
    WHERE status = 'queued' OR (status = 'running' AND leased_until < $1)
    ORDER BY (template <> ''), created_at LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING backtest_id, owner_id, version_id, dataset_id, symbol, graph, settings, start_ts, end_ts, created_at,
    workflow_id, run_hash, symbols, dataset_ids, template;

-- backtests.progress: keep a backtest's lease, tell how far it is, and learn whether to stop
UPDATE backtests SET progress = $2, leased_until = $3 WHERE backtest_id = $1 AND status = 'running'
RETURNING is_cancel_asked;

-- backtests.finish: store how a backtest ended
UPDATE backtests SET status = $2, progress = $3, result_hash = $4, metrics = $5, result = $6, error_code = $7,
    error = $8, finished_at = $9, leased_until = NULL
WHERE backtest_id = $1 AND status = 'running';

-- backtests.cancel: ask a running backtest to stop, stop a waiting one at once
UPDATE backtests SET is_cancel_asked = true,
    status = CASE WHEN status = 'queued' THEN 'canceled' ELSE status END,
    finished_at = CASE WHEN status = 'queued' THEN $2 ELSE finished_at END
WHERE backtest_id = $1 AND status IN ('queued', 'running')
RETURNING backtest_id, owner_id, version_id, symbol, status, created_at;

-- sweeps.insert: queue a sweep
INSERT INTO sweeps (sweep_id, owner_id, workflow_id, version_id, dataset_id, symbol, kind, graph, settings, plan,
    start_ts, end_ts, status, created_at, symbols, dataset_ids)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', $13, $14, $15);

-- sweeps.get: read a sweep with its result, its trials and how often its workflow's holdout was opened
SELECT s.sweep_id, s.owner_id, s.workflow_id, s.version_id, s.dataset_id, s.symbol, s.kind, s.graph, s.settings,
    s.plan, s.start_ts, s.end_ts, s.holdout_ts, s.status, s.progress, s.result, s.error_code, s.error, s.created_at,
    s.finished_at, s.symbols,
    (SELECT count(*) FROM trials AS t WHERE t.run_id = s.sweep_id) AS trials,
    (SELECT count(*) FROM holdout_unlocks AS u WHERE u.owner_id = s.owner_id AND u.workflow_id = s.workflow_id)
        AS unlocks
FROM sweeps AS s WHERE s.sweep_id = $1;

-- sweeps.inputs: read what the trials of a sweep are run from
SELECT owner_id, version_id, workflow_id, symbol, symbols, graph, settings, dataset_id, dataset_ids
FROM sweeps WHERE sweep_id = $1;

-- sweeps.list: read a person's sweeps without results, newest first
SELECT s.sweep_id, s.owner_id, s.workflow_id, s.version_id, s.dataset_id, s.symbol, s.kind, s.holdout_ts, s.status,
    s.progress, '' AS result, s.error_code, s.error, s.created_at, s.finished_at, s.symbols,
    (SELECT count(*) FROM trials AS t WHERE t.run_id = s.sweep_id) AS trials,
    (SELECT count(*) FROM holdout_unlocks AS u WHERE u.owner_id = s.owner_id AND u.workflow_id = s.workflow_id)
        AS unlocks
FROM sweeps AS s WHERE s.owner_id = $1 ORDER BY s.created_at DESC, s.sweep_id LIMIT $2;

-- sweeps.lease: take the oldest sweep that waits or whose worker went silent
UPDATE sweeps SET status = 'running', leased_until = $2
WHERE sweep_id = (
    SELECT sweep_id FROM sweeps
    WHERE status = 'queued' OR (status = 'running' AND leased_until < $1)
    ORDER BY created_at LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING sweep_id, owner_id, workflow_id, dataset_id, symbol, kind, graph, settings, plan, start_ts, end_ts,
    dataset_ids;

-- sweeps.lock_away: store from when on the bars are locked
UPDATE sweeps SET holdout_ts = $2 WHERE sweep_id = $1;

-- sweeps.progress: keep a sweep's lease, tell how far it is, and learn whether to stop
UPDATE sweeps SET progress = $2, leased_until = $3 WHERE sweep_id = $1 AND status = 'running'
RETURNING is_cancel_asked;

-- sweeps.finish: store how a sweep ended
UPDATE sweeps SET status = $2, progress = 1, result = $3, error_code = $4, error = $5, finished_at = $6,
    leased_until = NULL
WHERE sweep_id = $1 AND status = 'running';

-- sweeps.cancel: ask a running sweep to stop, stop a waiting one at once
UPDATE sweeps SET is_cancel_asked = true,
    status = CASE WHEN status = 'queued' THEN 'canceled' ELSE status END,
    finished_at = CASE WHEN status = 'queued' THEN $2 ELSE finished_at END
WHERE sweep_id = $1 AND status IN ('queued', 'running')
RETURNING owner_id, status;

-- sweeps.newest: read the result of a workflow's newest finished sweep of a kind
SELECT sweep_id, result FROM sweeps
WHERE owner_id = $1 AND workflow_id = $2 AND kind = $3 AND status = 'finished'
ORDER BY created_at DESC, sweep_id LIMIT 1;

-- trials.insert: enter a trial into the ledger, once
INSERT INTO trials (run_id, role, segment, number, owner_id, workflow_id, symbol, parameters, start_ts, end_ts,
    run_hash, result_hash, score, sharpe, metrics, returns, error_code, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (run_id, role, segment, number) DO NOTHING;

-- trials.done: read what was tried in a segment of a sweep, with returns
SELECT number, parameters, start_ts, end_ts, score, sharpe, metrics, returns, error_code FROM trials
WHERE run_id = $1 AND role = $2 AND segment = $3 ORDER BY number;

-- trials.list: read a sweep's trials, the best first
SELECT role, segment, number, parameters, start_ts, end_ts, run_hash, result_hash, score, metrics, error_code
FROM trials WHERE run_id = $1 ORDER BY score DESC NULLS LAST, role, segment, number LIMIT $2;

-- trials.get: read what one trial was run with
SELECT parameters, start_ts, end_ts FROM trials WHERE run_id = $1 AND role = $2 AND segment = $3 AND number = $4;

-- trials.family: count a workflow's different runs and tell how far their Sharpe ratios spread; tests choose nothing,
-- and training windows lie in different years, so that they give the spread only where there is nothing else
SELECT count(*) AS trials,
    coalesce(var_samp(sharpe) FILTER (WHERE role <> 'train'), var_samp(sharpe), 0) AS variance
FROM (
    SELECT DISTINCT ON (run_hash) sharpe, role FROM trials
    WHERE owner_id = $1 AND workflow_id = $2 AND role <> 'test' AND sharpe IS NOT NULL
    ORDER BY run_hash, created_at
) AS different;

-- holdout.note: note a backtest of a workflow that reads bars of a symbol which one of its sweeps had locked away
INSERT INTO holdout_unlocks (backtest_id, sweep_id, owner_id, workflow_id, created_at)
SELECT $1, sweep_id, owner_id, workflow_id, $5 FROM sweeps
WHERE owner_id = $2 AND workflow_id = $3 AND holdout_ts IS NOT NULL
    AND (symbols && $4::text[] OR symbol = any($4::text[]))
    AND ($6::timestamptz IS NULL OR $6 > holdout_ts)
ORDER BY created_at DESC, sweep_id LIMIT 1
ON CONFLICT (backtest_id) DO NOTHING;

-- holdout.unlocks: count how often a workflow's holdout was opened
SELECT count(*) FROM holdout_unlocks WHERE owner_id = $1 AND workflow_id = $2;

-- feeds.insert: store a feed whose runner is to read its bars first
INSERT INTO feeds (feed_id, owner_id, name, symbols, dataset_ids, start_ts, end_ts, status, interval_ms, created_at,
    source, timeframe, connection_id, history, is_extended)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'preparing', $8, $9, $10, $11, $12, $13, $14);

-- feeds.prepared: store how many steps a feed has; it may now run
UPDATE feeds SET steps = $2, status = 'paused' WHERE feed_id = $1 AND status = 'preparing';

-- feeds.get: read a feed
SELECT feed_id, owner_id, name, symbols, dataset_ids, start_ts, end_ts, status, seq, steps, interval_ms, pause_at,
    last_ts, error, source, timeframe, connection_id, history, is_extended, is_expected
FROM feeds WHERE feed_id = $1;

-- feeds.list: read all feeds, oldest first
SELECT feed_id, owner_id, name, symbols, dataset_ids, start_ts, end_ts, status, seq, steps, interval_ms, pause_at,
    last_ts, error, source, timeframe, connection_id, history, is_extended, is_expected
FROM feeds ORDER BY created_at, feed_id;

-- feeds.busy: ids of the feeds that run or are to be prepared
SELECT feed_id FROM feeds WHERE status IN ('preparing', 'running') ORDER BY created_at, feed_id;

-- feeds.lock: read a feed to change it
SELECT feed_id, owner_id, name, symbols, dataset_ids, start_ts, end_ts, status, seq, steps, interval_ms, pause_at,
    last_ts, error, source, timeframe, connection_id, history, is_extended, is_expected
FROM feeds WHERE feed_id = $1 FOR UPDATE;

-- feeds.control: store a feed's state and pace
UPDATE feeds SET status = $2, interval_ms = $3, pause_at = $4, is_expected = ($2 = 'running'),
    error = CASE WHEN $2 = 'failed' THEN error ELSE '' END
WHERE feed_id = $1;

-- feeds.advance: store that a step is done; a feed paused meanwhile stays paused
UPDATE feeds SET seq = $2, last_ts = $3,
    status = CASE WHEN $2 >= steps AND source = '' THEN 'finished' WHEN $2 >= pause_at THEN 'paused' ELSE status END
WHERE feed_id = $1 AND seq = $2 - 1
RETURNING status;

-- feeds.fail: stop a feed and say why
UPDATE feeds SET status = 'failed', error = $2 WHERE feed_id = $1 AND status <> 'finished'
RETURNING owner_id, interval_ms;

-- feeds.begun: a live feed has its bars of before and may run; bars that closed until then are none of its own
UPDATE feeds SET status = 'paused', start_ts = $2, last_ts = $2 WHERE feed_id = $1 AND status = 'preparing';

-- feeds.recorded: a live feed has so many steps
UPDATE feeds SET steps = $2 WHERE feed_id = $1;

-- feeds.troubled: say why no bars come, empty when they come again
UPDATE feeds SET error = $2 WHERE feed_id = $1 AND status = 'running' AND error <> $2;

-- feeds.expected: note whether prices of a live feed are due, as it was told
UPDATE feeds SET is_expected = $2 WHERE feed_id = $1 AND is_expected <> $2;

-- bars.record: keep the bars of a step
INSERT INTO recorded_bars (feed_id, symbol, closed_at, seq, open, high, low, close, volume, recorded_at)
SELECT $1, n.symbol, n.closed_at, n.seq, n.open, n.high, n.low, n.close, n.volume, $10
FROM unnest($2::text[], $3::timestamptz[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[]) AS n (symbol, closed_at, seq, open, high, low, close, volume);

-- bars.last: when the newest recorded bar of a feed closed, else when the feed began
SELECT coalesce((SELECT max(closed_at) FROM recorded_bars WHERE feed_id = $1), start_ts) AS last_ts
FROM feeds WHERE feed_id = $1;

-- bars.since: the recorded bars of a feed that closed after a moment
SELECT symbol, closed_at, open, high, low, close, volume FROM recorded_bars WHERE feed_id = $1 AND closed_at > $2;

-- bars.steps: the recorded bars of a feed from a step on, in order
SELECT seq, symbol, closed_at, open, high, low, close, volume FROM recorded_bars
WHERE feed_id = $1 AND seq >= $2 ORDER BY seq, symbol;

-- bars.of_symbol: every recorded bar of a symbol, oldest first
SELECT closed_at, open, high, low, close, volume FROM recorded_bars
WHERE feed_id = $1 AND symbol = $2 ORDER BY closed_at;

-- remarks.add: keep once what a source told of a bar that was not published
INSERT INTO bar_remarks (feed_id, symbol, closed_at, kind, detail, open, high, low, close, volume, noted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (feed_id, symbol, closed_at, kind, detail) DO NOTHING;

-- remarks.of_symbol: what a source told of a symbol's bars that was not published, as it came
SELECT closed_at, kind, open, high, low, close, volume FROM bar_remarks
WHERE feed_id = $1 AND symbol = $2 ORDER BY closed_at, noted_at, kind;

-- decisions.all: everything a deployment decided, oldest first
SELECT seq, bar_ts, outcome, node_values FROM decisions WHERE deployment_id = $1 ORDER BY seq;

-- intents.all: what a deployment asked for, oldest first
SELECT i.client_order_id, i.side, i.qty, i.order_id, i.order_code, d.bar_ts
FROM intents AS i
JOIN decisions AS d ON d.deployment_id = i.deployment_id AND d.seq = i.seq
WHERE i.deployment_id = $1
ORDER BY i.seq, i.intent_index LIMIT $2;

-- drift.insert: keep a report on a deployment's drift
INSERT INTO drift_reports (report_id, deployment_id, made_at, is_over, differences, report)
VALUES ($1, $2, $3, $4, $5, $6);

-- drift.newest: the newest report on a deployment's drift
SELECT report FROM drift_reports WHERE deployment_id = $1 ORDER BY made_at DESC, report_id LIMIT 1;

-- drift.due: an active deployment of before today that decided since, and whose drift was not measured today
SELECT d.deployment_id, d.owner_id FROM deployments AS d
WHERE d.status = 'active' AND d.created_at < $1 AND d.deployment_id <> ALL ($2::uuid[])
    AND EXISTS (SELECT 1 FROM decisions AS c WHERE c.deployment_id = d.deployment_id)
    AND NOT EXISTS (SELECT 1 FROM drift_reports AS r WHERE r.deployment_id = d.deployment_id AND r.made_at >= $1)
ORDER BY d.created_at, d.deployment_id LIMIT 1;

-- deployments.insert: store a deployment
INSERT INTO deployments (deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id, symbol, capital,
    status, last_seq, executor_state, cash, last_price, created_at, symbols, fills_since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, $11, $12, $13, $14, $15, '-infinity');

-- deployments.get: read a deployment
SELECT deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id, symbol, capital, status, last_seq,
    executor_state, cash, qty, cost, realized_pnl, fees, last_price, intent_count, bars_held, exit_owed, entries,
    last_entry, last_entry_order, error, created_at, symbols
FROM deployments WHERE deployment_id = $1;

-- deployments.list: read a person's deployments, newest first
SELECT deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id, symbol, capital, status, last_seq,
    executor_state, cash, qty, cost, realized_pnl, fees, last_price, intent_count, bars_held, exit_owed, entries,
    last_entry, last_entry_order, error, created_at, symbols
FROM deployments WHERE owner_id = $1 ORDER BY created_at DESC, deployment_id LIMIT $2;

-- deployments.beside: deployments of an account that trade one of some symbols, or hold it still; with that symbol
SELECT d.deployment_id, d.graph, min(own.symbol) AS symbol
FROM deployments AS d
JOIN unnest($2::text[]) AS own (symbol) ON own.symbol = d.symbol OR own.symbol = ANY(d.symbols)
LEFT JOIN holdings AS h ON h.deployment_id = d.deployment_id AND h.symbol = own.symbol
WHERE d.account_id = $1 AND (d.status = 'active' OR d.qty <> 0 OR h.qty <> 0)
GROUP BY d.deployment_id, d.graph, d.created_at
ORDER BY d.created_at, d.deployment_id;

-- deployments.running: the active deployments of feeds that run, with the version each runs
SELECT d.deployment_id, d.graph_hash FROM deployments AS d
JOIN feeds AS f ON f.feed_id = d.feed_id
WHERE d.status = 'active' AND f.status = 'running'
ORDER BY d.deployment_id;

-- deployments.behind: read the deployments of a feed that have not seen a step: active ones, stopped ones with orders
SELECT deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id, symbol, capital, status, last_seq,
    executor_state, cash, qty, cost, realized_pnl, fees, last_price, intent_count, bars_held, exit_owed, entries,
    last_entry, last_entry_order, error, created_at, symbols
FROM deployments AS d
WHERE d.feed_id = $1 AND d.last_seq < $2 AND (
    d.status = 'active'
    OR EXISTS (SELECT 1 FROM intents AS i WHERE i.deployment_id = d.deployment_id AND i.status <> 'closed')
)
ORDER BY d.deployment_id
FOR UPDATE OF d;

-- deployments.advance: store what a bar made of a deployment
UPDATE deployments SET last_seq = $2, executor_state = $3, cash = $4, qty = $5, cost = $6, realized_pnl = $7,
    fees = $8, last_price = $9, intent_count = $10, bars_held = $11, exit_owed = $12, entries = $13, last_entry = $14,
    last_entry_order = $15
WHERE deployment_id = $1 AND last_seq < $2;

-- deployments.book: store what executions made of a deployment's books
UPDATE deployments SET cash = $2, qty = $3, cost = $4, realized_pnl = $5, fees = $6, bars_held = $7, exit_owed = $8,
    entries = $9, last_entry = $10, last_entry_order = $11
WHERE deployment_id = $1;

-- deployments.held: read deployments and hold them
SELECT deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id, symbol, capital, status, last_seq,
    executor_state, cash, qty, cost, realized_pnl, fees, last_price, intent_count, bars_held, exit_owed, entries,
    last_entry, last_entry_order, error, created_at, symbols
FROM deployments WHERE deployment_id = ANY($1::uuid[])
ORDER BY deployment_id
FOR UPDATE;

-- deployments.mark_mode: store whether a deployment trades on paper or live
UPDATE deployments SET mode = $2 WHERE deployment_id = $1;

-- deployments.mode: read whether a deployment trades on paper or live
SELECT mode FROM deployments WHERE deployment_id = $1;

-- deployments.modes: read which of a person's deployments trade on paper and which live
SELECT deployment_id, mode FROM deployments WHERE owner_id = $1;

-- deployments.stop: end a deployment
UPDATE deployments SET status = $2, error = $3 WHERE deployment_id = $1 AND status = 'active';

-- deployments.split: what a deployment of one symbol holds is counted in new shares
UPDATE deployments SET qty = qty + $2 WHERE deployment_id = $1 AND symbol = $3;

-- deployments.split_prices: what the deployments of a feed have seen of a symbol is in old shares: to be seen anew
UPDATE deployments SET executor_state = '',
    last_price = CASE WHEN last_seq <= $3 THEN round(last_price * $5::numeric / $4::numeric, 9) ELSE last_price END,
    last_entry = CASE WHEN last_seq <= $3 THEN round(last_entry * $5::numeric / $4::numeric, 9) ELSE last_entry END
WHERE feed_id = $1 AND (symbol = $2 OR $2 = ANY(symbols));

-- holdings.insert: what a deployment of several symbols holds of one: nothing at first
INSERT INTO holdings (deployment_id, symbol, place) VALUES ($1, $2, $3);

-- holdings.of: read what deployments hold of each of their symbols, in the order of the symbols
SELECT deployment_id, symbol, qty, cost, realized_pnl, last_price, bars_held, exit_owed, entries, last_entry,
    last_entry_order
FROM holdings
WHERE deployment_id = ANY($1::uuid[]) ORDER BY deployment_id, place;

-- holdings.advance: store what a step made of what a deployment holds of a symbol
UPDATE holdings SET qty = $3, cost = $4, realized_pnl = $5, last_price = $6, bars_held = $7, exit_owed = $8,
    entries = $9, last_entry = $10, last_entry_order = $11
WHERE deployment_id = $1 AND symbol = $2;

-- holdings.book: store what executions made of what a deployment holds of a symbol
UPDATE holdings SET qty = $3, cost = $4, realized_pnl = $5, bars_held = $6, exit_owed = $7, entries = $8,
    last_entry = $9, last_entry_order = $10
WHERE deployment_id = $1 AND symbol = $2;

-- holdings.split: what a deployment holds of a symbol is counted in new shares
UPDATE holdings SET qty = qty + $2 WHERE deployment_id = $1 AND symbol = $3;

-- holdings.split_prices: the last price seen of a symbol before its split is in old shares
UPDATE holdings AS h SET last_price = round(h.last_price * $5::numeric / $4::numeric, 9),
    last_entry = round(h.last_entry * $5::numeric / $4::numeric, 9)
FROM deployments AS d
WHERE d.deployment_id = h.deployment_id AND d.feed_id = $1 AND h.symbol = $2 AND d.last_seq <= $3;

-- feeds.split: note once that the bars of a feed up to a step are in old shares
INSERT INTO feed_splits (feed_id, symbol, after_seq, new_shares, old_shares, reference)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (feed_id, symbol, reference) DO NOTHING;

-- feeds.splits: read the splits that were applied while a feed ran, in their order
SELECT symbol, after_seq, new_shares, old_shares FROM feed_splits WHERE feed_id = $1 ORDER BY after_seq, reference;

-- fills.note: keep executions of deployments' orders, each once; those that are in their books already as such
INSERT INTO deployment_fills (account_id, execution_id, deployment_id, order_id, symbol, side, qty, price, fee, fee_qty,
    executed_at, booked_at, folded_seq)
SELECT n.account_id, n.execution_id, d.deployment_id, n.order_id, n.symbol, n.side, n.qty, n.price, n.fee, n.fee_qty,
    n.executed_at, n.booked_at, CASE WHEN n.booked_at < d.fills_since THEN d.last_seq END
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::numeric[], $8::numeric[],
    $9::numeric[], $10::numeric[], $11::timestamptz[], $12::timestamptz[]) AS n (account_id, execution_id, book_id,
    order_id, symbol, side, qty, price, fee, fee_qty, executed_at, booked_at)
INNER JOIN deployments AS d ON d.deployment_id = n.book_id AND d.account_id = n.account_id
ORDER BY n.account_id, n.execution_id
ON CONFLICT (account_id, execution_id) DO NOTHING;

-- fills.of_orders: how much of each of these orders is known to be executed, and how much of that is in the books
SELECT order_id, sum(qty) AS qty, coalesce(sum(qty) FILTER (WHERE folded_seq IS NOT NULL), 0) AS folded_qty
FROM deployment_fills WHERE order_id = ANY($1::uuid[]) GROUP BY order_id;

-- fills.pending: executions of a feed's deployments that are not in their books yet
SELECT f.account_id, f.execution_id, f.deployment_id, f.order_id, f.symbol, f.side, f.qty, f.price, f.fee, f.fee_qty,
    f.executed_at
FROM deployment_fills AS f
INNER JOIN deployments AS d ON d.deployment_id = f.deployment_id
WHERE d.feed_id = $1 AND f.folded_seq IS NULL
ORDER BY f.executed_at, f.booked_at, f.execution_id;

-- fills.pending_of: executions of these deployments that are not in their books yet
SELECT account_id, execution_id, deployment_id, order_id, symbol, side, qty, price, fee, fee_qty, executed_at
FROM deployment_fills
WHERE deployment_id = ANY($1::uuid[]) AND folded_seq IS NULL
ORDER BY executed_at, booked_at, execution_id;

-- fills.folded: note that executions are in the books from a step on
UPDATE deployment_fills AS f SET folded_seq = $3
FROM unnest($1::uuid[], $2::text[]) AS n (account_id, execution_id)
WHERE f.account_id = n.account_id AND f.execution_id = n.execution_id AND f.folded_seq IS NULL;

-- fills.known_at: what was in a deployment's books when it decided at a step, oldest first; nothing of before its fills
SELECT f.side, f.qty, f.price, f.fee, f.fee_qty FROM deployment_fills AS f
INNER JOIN deployments AS d ON d.deployment_id = f.deployment_id
WHERE f.deployment_id = $1 AND f.folded_seq <= $2
ORDER BY f.executed_at, f.booked_at, f.execution_id;

-- fills.is_complete: whether every execution of a deployment is kept, which is not so of one of before they were
SELECT fills_since = '-infinity' AS is_complete FROM deployments WHERE deployment_id = $1;

-- intents.reopen: look again at the orders of intents, which were executed after they had been settled
UPDATE intents SET status = 'working'
WHERE deployment_id = ANY($1::uuid[]) AND order_id = ANY($2::uuid[]) AND status = 'closed';

-- claims.note: a book is to be released when it is due
INSERT INTO capital_claims (deployment_id, account_id, due_at) VALUES ($1, $2, $3)
ON CONFLICT (deployment_id) DO UPDATE SET due_at = excluded.due_at;

-- claims.strike_out: a book is not to be released, or is
DELETE FROM capital_claims WHERE deployment_id = $1;

-- claims.due: the books to be released
SELECT deployment_id, account_id FROM capital_claims WHERE due_at <= $1 ORDER BY due_at LIMIT $2;

-- decisions.insert: store what was decided on a bar
INSERT INTO decisions (deployment_id, seq, bar_ts, outcome, node_values) VALUES ($1, $2, $3, $4, $5);

-- decisions.list: read a deployment's decisions with the orders they led to, newest first; it fails once at most
SELECT d.seq, d.bar_ts, d.outcome, d.node_values AS values, coalesce(i.names, '') AS client_order_id,
    coalesce(i.codes, '') AS order_code, CASE WHEN d.outcome = 'failed' THEN p.error ELSE '' END AS reason
FROM decisions AS d
INNER JOIN deployments AS p ON p.deployment_id = d.deployment_id
LEFT JOIN LATERAL (
    SELECT string_agg(a.client_order_id, ',' ORDER BY a.intent_index) AS names,
        string_agg(DISTINCT nullif(a.order_code, ''), ',') AS codes
    FROM intents AS a WHERE a.deployment_id = d.deployment_id AND a.seq = d.seq
) AS i ON TRUE
WHERE d.deployment_id = $1 AND ($2::text IS NULL OR d.outcome = $2)
ORDER BY d.seq DESC
LIMIT $3;

-- decisions.at: read a deployment's first decision on a bar that closed at a time or later, with what it asked for
SELECT d.seq, d.bar_ts, d.outcome, d.node_values, i.side, i.qty, i.tag, i.reason, i.order_id, i.order_code
FROM decisions AS d
LEFT JOIN intents AS i ON i.deployment_id = d.deployment_id AND i.seq = d.seq AND i.intent_index = 0
WHERE d.deployment_id = $1 AND d.bar_ts >= $2
ORDER BY d.seq
LIMIT 1;

-- intents.insert: store what a deployment asks for, before trading is asked
INSERT INTO intents (client_order_id, deployment_id, seq, intent_index, side, qty, type, time_in_force, reason, tag,
    take_profit, stop_price, trail_price, trail_percent, status, created_at, limit_price, trigger_price, bars_max,
    works_until, entry_number, symbol, profit_factor, profit_offset, stop_factor, stop_offset)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'pending', $15, $16, $17, $18, $19, $20, $21, $22,
    $23, $24, $25);

-- intents.open: read the intents of a feed that are not closed, oldest first
SELECT i.client_order_id, i.deployment_id, i.seq, i.intent_index, i.side, i.qty, i.type, i.time_in_force, i.tag,
    i.reason, i.take_profit, i.stop_price, i.trail_price, i.trail_percent, i.status, i.order_id, i.order_code,
    i.created_at, i.limit_price, i.trigger_price, i.bars_max, i.works_until, i.is_withdrawn, i.entry_number,
    i.profit_factor, i.profit_offset, i.stop_factor, i.stop_offset, d.owner_id, d.account_id,
    coalesce(nullif(i.symbol, ''), d.symbol) AS symbol, d.graph_hash, d.mode
FROM intents AS i
JOIN deployments AS d ON d.deployment_id = i.deployment_id
WHERE d.feed_id = $1 AND i.status <> 'closed'
ORDER BY i.deployment_id, i.seq, i.intent_index;

-- intents.settle: store what became of an intent
UPDATE intents SET status = $2, order_id = $3, order_code = $4, exit_leg = $5
WHERE client_order_id = $1 AND status <> 'closed';

-- intents.withdraw: note that what a deployment still waits to enter a symbol with is to be taken off
UPDATE intents SET is_withdrawn = TRUE
WHERE deployment_id = $1 AND symbol IN ('', $2) AND reason = 'entry' AND status <> 'closed';

-- intents.withhold: note that entries of a deployment that were not placed yet never are
UPDATE intents SET is_withdrawn = TRUE
WHERE deployment_id = $1 AND reason = 'entry' AND order_id IS NULL AND status <> 'closed';

-- intents.stopped_entries: read the orders of entries a stopped deployment has left, and whose they are
SELECT i.order_id, d.owner_id FROM intents AS i
JOIN deployments AS d ON d.deployment_id = i.deployment_id
WHERE i.deployment_id = $1 AND d.status = 'stopped' AND i.reason = 'entry' AND i.order_id IS NOT NULL
    AND i.status <> 'closed'
ORDER BY i.seq, i.intent_index;

-- intents.guarded_entries: orders of a deployment's last entries in a symbol that brought exits or may still fill
SELECT order_id FROM intents
WHERE deployment_id = $1 AND symbol IN ('', $2) AND reason = 'entry' AND order_id IS NOT NULL
    AND (num_nonnulls(take_profit, stop_price, trail_price, trail_percent) > 0 OR status <> 'closed')
    AND seq >= (
        SELECT max(seq) FROM intents
        WHERE deployment_id = $1 AND symbol IN ('', $2) AND reason = 'entry' AND entry_number = 1
            AND order_id IS NOT NULL
    )
ORDER BY seq;

-- deployments.owe_exit: note that a position is to be left whose exits are gone; nothing where that is under way
UPDATE deployments AS d SET exit_owed = $2
WHERE d.deployment_id = $1 AND d.symbol = $3 AND d.qty <> 0 AND d.exit_owed = ''
    AND EXISTS (
        SELECT 1 FROM intents AS e
        WHERE e.deployment_id = $1 AND num_nonnulls(e.take_profit, e.stop_price, e.trail_price, e.trail_percent) > 0
            AND e.seq = (SELECT max(seq) FROM intents WHERE deployment_id = $1 AND reason = 'entry')
    )
    AND NOT EXISTS (
        SELECT 1 FROM intents AS i
        WHERE i.deployment_id = $1 AND i.reason IN ('exit', 'time') AND i.status <> 'closed'
    )
RETURNING d.owner_id, d.account_id, d.symbol, d.qty;

-- holdings.owe_exit: the same for one of several symbols of a deployment
UPDATE holdings AS h SET exit_owed = $2
FROM deployments AS d
WHERE d.deployment_id = $1 AND h.deployment_id = $1 AND h.symbol = $3 AND h.qty <> 0 AND h.exit_owed = ''
    AND EXISTS (
        SELECT 1 FROM intents AS e
        WHERE e.deployment_id = $1 AND e.symbol = $3
            AND num_nonnulls(e.take_profit, e.stop_price, e.trail_price, e.trail_percent) > 0
            AND e.seq = (
                SELECT max(l.seq) FROM intents AS l
                WHERE l.deployment_id = $1 AND l.symbol = $3 AND l.reason = 'entry'
            )
    )
    AND NOT EXISTS (
        SELECT 1 FROM intents AS i
        WHERE i.deployment_id = $1 AND i.symbol = $3 AND i.reason IN ('exit', 'time') AND i.status <> 'closed'
    )
RETURNING d.owner_id, d.account_id, h.symbol, h.qty;

-- downloads.insert: queue a download
INSERT INTO downloads (download_id, owner_id, source, symbol, timeframe, start_ts, end_ts, licence, status, cursor_ts,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $6, $9);

-- downloads.get: read a download
SELECT download_id, owner_id, source, symbol, timeframe, start_ts, end_ts, status, progress, cursor_ts, row_count,
    dataset_id, error_code, error, created_at
FROM downloads WHERE download_id = $1;

-- downloads.list: read a person's downloads and the operator's, newest first
SELECT download_id, owner_id, source, symbol, timeframe, start_ts, end_ts, status, progress, cursor_ts, row_count,
    dataset_id, error_code, error, created_at
FROM downloads WHERE owner_id IS NULL OR owner_id = $1 ORDER BY created_at DESC, download_id LIMIT $2;

-- downloads.lease: take the oldest download that waits or whose worker went silent
UPDATE downloads SET status = 'running', leased_until = $2
WHERE download_id = (
    SELECT download_id FROM downloads
    WHERE status = 'queued' OR (status = 'running' AND leased_until < $1)
    ORDER BY created_at LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING download_id, owner_id, source, symbol, timeframe, start_ts, end_ts, licence, cursor_ts, staged_bytes,
    row_count;

-- downloads.progress: keep a download's lease, tell what has come, and learn whether to stop
UPDATE downloads SET progress = $2, leased_until = $3, cursor_ts = $4, staged_bytes = $5, row_count = $6
WHERE download_id = $1 AND status = 'running'
RETURNING is_cancel_asked;

-- downloads.finish: store how a download ended
UPDATE downloads SET status = $2, progress = $3, dataset_id = $4, error_code = $5, error = $6, leased_until = NULL
WHERE download_id = $1 AND status = 'running';

-- downloads.cancel: ask a running download to stop, stop a waiting one at once
UPDATE downloads SET is_cancel_asked = true, status = CASE WHEN status = 'queued' THEN 'canceled' ELSE status END
WHERE download_id = $1 AND status IN ('queued', 'running');
