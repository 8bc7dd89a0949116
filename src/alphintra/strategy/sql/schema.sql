-- What the migrations of strategy add up to. Generated from PostgreSQL's catalogue and compared with the database
-- at each start; written anew by ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/integration/dataplane/test_schema.py

-- function freeze_holds()
CREATE OR REPLACE FUNCTION freeze_holds()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path FROM CURRENT
 SET lock_timeout TO '5s'
AS $function$
begin
    lock table retention_holds in share mode;
end
$function$;

-- function queue_audit_seal()
CREATE OR REPLACE FUNCTION queue_audit_seal()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path FROM CURRENT
AS $function$
begin
    insert into audit_pending (audit_id) select a.audit_id from added as a;
    return null;
end
$function$;

-- function refuse_audit_change()
CREATE OR REPLACE FUNCTION refuse_audit_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path FROM CURRENT
AS $function$
begin
    raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end
$function$;

-- function retention_columns(text)
CREATE OR REPLACE FUNCTION retention_columns(text)
 RETURNS TABLE(name text, kind text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path FROM CURRENT
AS $function$
    select a.attname::text, format_type(a.atttypid, a.atttypmod)
    from pg_attribute as a
    where a.attrelid = to_regclass(quote_ident($1)) and a.attnum > 0 and not a.attisdropped
    order by a.attnum
$function$;

-- function retention_parts(text)
CREATE OR REPLACE FUNCTION retention_parts(text)
 RETURNS TABLE(part text, starts_at timestamp with time zone, ends_at timestamp with time zone, is_rest boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path FROM CURRENT
 SET "TimeZone" TO 'UTC'
AS $function$
    select p.relname::text, (regexp_match(b.bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz,
        (regexp_match(b.bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz, b.bound = 'DEFAULT'
    from pg_inherits as i
    join pg_class as p on p.oid = i.inhrelid
    cross join lateral (select pg_get_expr(p.relpartbound, p.oid) as bound) as b
    where i.inhparent = to_regclass(quote_ident($1))
    order by 3 nulls last
$function$;

-- function retire_part(uuid)
CREATE OR REPLACE FUNCTION retire_part(uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path FROM CURRENT
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '5s'
 SET statement_timeout TO '30min'
AS $function$
declare
    item record;
    month record;
    place text;
    moment text;
    found_rows bigint;
    found_sum numeric;
begin
    perform freeze_holds();
    select r.state, r.table_name, r.part, r.cutoff, r.rows_found, r.checksum into item
    from retention_items as r where r.item_id = $1 for update;
    if item.state is distinct from 'archived' or item.part = '' then
        raise exception 'item % is no archived part', $1 using errcode = 'object_not_in_prerequisite_state';
    end if;
    select p.starts_at, p.ends_at into month from retention_parts(item.table_name) as p where p.part = item.part;
    if month.ends_at is null or month.ends_at > now() - interval '90 days' or month.ends_at > item.cutoff then
        raise exception 'part % has not ended long ago', item.part using errcode = 'object_not_in_prerequisite_state';
    end if;
    if exists (
        select from retention_holds as h
        where h.lifted_at is null and h.kind = 'all' and coalesce(h.from_at < month.ends_at, true)
            and coalesce(h.to_at > month.starts_at, true)
    ) then
        raise exception 'part % is held', item.part using errcode = 'object_not_in_prerequisite_state';
    end if;
    select format('%I.%I', n.nspname, p.relname), quote_ident(a.attname) into place, moment
    from pg_inherits as i
    join pg_class as p on p.oid = i.inhrelid
    join pg_namespace as n on n.oid = p.relnamespace
    join pg_partitioned_table as t on t.partrelid = i.inhparent
    join pg_attribute as a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0]
    where i.inhparent = to_regclass(quote_ident(item.table_name)) and p.relname = item.part;
    execute format('LOCK TABLE %s IN SHARE MODE', place);
    execute format(
        'SELECT count(*), coalesce(sum(hash_record_extended(t, 0)::numeric), 0) FROM %I AS t '
        'WHERE t.tableoid = %L::regclass AND t.%s < %L', item.table_name, place, moment, month.ends_at
    ) into found_rows, found_sum;
    if found_rows <> item.rows_found or found_sum <> item.checksum then
        raise exception 'part % has changed since it was archived', item.part using errcode = 'serialization_failure';
    end if;
    execute format('DROP TABLE %s', place);
end
$function$;

-- table audit_checkpoints
CREATE TABLE audit_checkpoints (
    tree_size bigint NOT NULL,
    note text NOT NULL,
    frontier bytea NOT NULL,
    signed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (tree_size),
    CONSTRAINT audit_checkpoints_size_positive CHECK ((tree_size > 0))
);

-- table audit_events
CREATE TABLE audit_events (
    audit_id uuid NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    detail text NOT NULL,
    trace_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (audit_id)
);

-- table audit_leaves
CREATE TABLE audit_leaves (
    leaf_index bigint NOT NULL,
    audit_id uuid NOT NULL,
    leaf_hash bytea NOT NULL,
    sealed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT audit_leaves_audit_id_key UNIQUE (audit_id),
    CONSTRAINT audit_leaves_hash_whole CHECK ((octet_length(leaf_hash) = 32)),
    CONSTRAINT audit_leaves_index_not_negative CHECK ((leaf_index >= 0)),
    CONSTRAINT audit_leaves_pkey PRIMARY KEY (leaf_index)
);

-- table audit_pending
CREATE TABLE audit_pending (
    audit_id uuid NOT NULL,
    CONSTRAINT audit_pending_pkey PRIMARY KEY (audit_id)
);

-- table backtests
CREATE TABLE backtests (
    backtest_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    version_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    symbol text NOT NULL,
    graph text NOT NULL,
    settings text NOT NULL,
    start_ts timestamp with time zone,
    end_ts timestamp with time zone,
    status text NOT NULL,
    is_cancel_asked boolean DEFAULT false NOT NULL,
    progress double precision DEFAULT 0 NOT NULL,
    run_hash text DEFAULT ''::text NOT NULL,
    result_hash text DEFAULT ''::text NOT NULL,
    metrics text DEFAULT '{}'::text NOT NULL,
    result text DEFAULT ''::text NOT NULL,
    error_code text DEFAULT ''::text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    leased_until timestamp with time zone,
    limit_version bigint DEFAULT 0 NOT NULL,
    limit_hash text DEFAULT ''::text NOT NULL,
    workflow_id uuid,
    symbols text[] DEFAULT '{}'::text[] NOT NULL,
    dataset_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    thresholds text DEFAULT ''::text NOT NULL,
    template text DEFAULT ''::text NOT NULL,
    repeats uuid,
    CONSTRAINT backtests_pkey PRIMARY KEY (backtest_id),
    CONSTRAINT backtests_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double
        precision))),
    CONSTRAINT backtests_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'finished'::text,
        'failed'::text, 'canceled'::text])))
);

-- table bar_remarks
CREATE TABLE bar_remarks (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    open numeric(28,9),
    high numeric(28,9),
    low numeric(28,9),
    close numeric(28,9),
    volume numeric(28,9),
    noted_at timestamp with time zone NOT NULL,
    CONSTRAINT bar_remarks_close_check CHECK (((close > (0)::numeric) AND (close < 'Infinity'::numeric))),
    CONSTRAINT bar_remarks_high_check CHECK (((high > (0)::numeric) AND (high < 'Infinity'::numeric))),
    CONSTRAINT bar_remarks_kind_check CHECK ((kind = ANY (ARRAY['corrected'::text, 'late'::text,
        'invalid'::text]))),
    CONSTRAINT bar_remarks_low_check CHECK (((low > (0)::numeric) AND (low < 'Infinity'::numeric))),
    CONSTRAINT bar_remarks_open_check CHECK (((open > (0)::numeric) AND (open < 'Infinity'::numeric))),
    CONSTRAINT bar_remarks_pkey PRIMARY KEY (feed_id, symbol, closed_at, kind, detail),
    CONSTRAINT bar_remarks_symbol_check CHECK ((symbol <> ''::text)),
    CONSTRAINT bar_remarks_volume_check CHECK (((volume >= (0)::numeric) AND (volume < 'Infinity'::numeric)))
);

-- table capital_claims
CREATE TABLE capital_claims (
    deployment_id uuid NOT NULL,
    account_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT capital_claims_pkey PRIMARY KEY (deployment_id)
);

-- table datasets
CREATE TABLE datasets (
    dataset_id uuid NOT NULL,
    owner_id uuid,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    source text NOT NULL,
    row_count bigint NOT NULL,
    first_ts timestamp with time zone NOT NULL,
    last_ts timestamp with time zone NOT NULL,
    splits text[] NOT NULL,
    findings text[] NOT NULL,
    data_hash text NOT NULL,
    imported_at timestamp with time zone NOT NULL,
    dividends text[] DEFAULT '{}'::text[] NOT NULL,
    licence text DEFAULT ''::text NOT NULL,
    file_format text DEFAULT ''::text NOT NULL,
    file_hash text DEFAULT ''::text NOT NULL,
    zone text DEFAULT ''::text NOT NULL,
    stamps text DEFAULT 'open'::text NOT NULL,
    price_basis text DEFAULT 'raw'::text NOT NULL,
    issues text DEFAULT '[]'::text NOT NULL,
    CONSTRAINT datasets_content_key UNIQUE NULLS NOT DISTINCT (owner_id, symbol, timeframe, data_hash),
    CONSTRAINT datasets_pkey PRIMARY KEY (dataset_id),
    CONSTRAINT datasets_row_count_check CHECK ((row_count > 0))
);

-- table decisions
CREATE TABLE decisions (
    deployment_id uuid NOT NULL,
    seq bigint NOT NULL,
    bar_ts timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    node_values text NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (deployment_id, seq),
    CONSTRAINT decisions_seq_check CHECK ((seq > 0))
);

-- table deployment_fills
CREATE TABLE deployment_fills (
    account_id uuid NOT NULL,
    execution_id text NOT NULL,
    deployment_id uuid NOT NULL,
    order_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric(28,9) NOT NULL,
    price numeric(28,9) NOT NULL,
    fee numeric(28,9) NOT NULL,
    fee_qty numeric(28,9) NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    folded_seq bigint,
    CONSTRAINT deployment_fills_check CHECK (((fee_qty >= (0)::numeric) AND (fee_qty < qty))),
    CONSTRAINT deployment_fills_fee_check CHECK (((fee > '-Infinity'::numeric) AND (fee < 'Infinity'::numeric))),
    CONSTRAINT deployment_fills_pkey PRIMARY KEY (account_id, execution_id),
    CONSTRAINT deployment_fills_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT deployment_fills_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT deployment_fills_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
);

-- table deployments
CREATE TABLE deployments (
    deployment_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    version_id uuid NOT NULL,
    graph_hash text NOT NULL,
    graph text NOT NULL,
    account_id uuid NOT NULL,
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    capital numeric(28,9) NOT NULL,
    status text NOT NULL,
    last_seq bigint NOT NULL,
    executor_state text NOT NULL,
    cash numeric(28,9) NOT NULL,
    qty numeric(28,9) DEFAULT 0 NOT NULL,
    cost numeric(28,9) DEFAULT 0 NOT NULL,
    realized_pnl numeric(28,9) DEFAULT 0 NOT NULL,
    fees numeric(28,9) DEFAULT 0 NOT NULL,
    last_price numeric(28,9),
    intent_count bigint DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    bars_held bigint DEFAULT 0 NOT NULL,
    exit_owed text DEFAULT ''::text NOT NULL,
    symbols text[] DEFAULT '{}'::text[] NOT NULL,
    mode text DEFAULT 'paper'::text NOT NULL,
    entries bigint DEFAULT 0 NOT NULL,
    last_entry numeric(28,9) DEFAULT 0 NOT NULL,
    last_entry_order uuid,
    fills_since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deployments_bars_held_counted CHECK ((bars_held >= 0)),
    CONSTRAINT deployments_capital_check CHECK (((capital > (0)::numeric) AND (capital < 'Infinity'::numeric))),
    CONSTRAINT deployments_cash_check CHECK (((cash > '-Infinity'::numeric) AND (cash < 'Infinity'::numeric))),
    CONSTRAINT deployments_cost_check CHECK (((cost > '-Infinity'::numeric) AND (cost < 'Infinity'::numeric))),
    CONSTRAINT deployments_entries_counted CHECK (((entries >= 0) AND (last_entry >= (0)::numeric) AND (last_entry <
        'Infinity'::numeric))),
    CONSTRAINT deployments_fees_check CHECK (((fees > '-Infinity'::numeric) AND (fees < 'Infinity'::numeric))),
    CONSTRAINT deployments_intent_count_check CHECK ((intent_count >= 0)),
    CONSTRAINT deployments_last_price_check CHECK (((last_price > (0)::numeric) AND (last_price <
        'Infinity'::numeric))),
    CONSTRAINT deployments_last_seq_check CHECK ((last_seq >= 0)),
    CONSTRAINT deployments_pkey PRIMARY KEY (deployment_id),
    CONSTRAINT deployments_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT deployments_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric))),
    CONSTRAINT deployments_status_check CHECK ((status = ANY (ARRAY['active'::text, 'stopped'::text,
        'failed'::text])))
);

-- table downloads
CREATE TABLE downloads (
    download_id uuid NOT NULL,
    owner_id uuid,
    source text NOT NULL,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    start_ts timestamp with time zone NOT NULL,
    end_ts timestamp with time zone NOT NULL,
    licence text NOT NULL,
    status text NOT NULL,
    is_cancel_asked boolean DEFAULT false NOT NULL,
    progress double precision DEFAULT 0 NOT NULL,
    cursor_ts timestamp with time zone NOT NULL,
    staged_bytes bigint DEFAULT 0 NOT NULL,
    row_count bigint DEFAULT 0 NOT NULL,
    dataset_id uuid,
    error_code text DEFAULT ''::text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    CONSTRAINT downloads_pkey PRIMARY KEY (download_id),
    CONSTRAINT downloads_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double
        precision))),
    CONSTRAINT downloads_row_count_check CHECK ((row_count >= 0)),
    CONSTRAINT downloads_staged_bytes_check CHECK ((staged_bytes >= 0)),
    CONSTRAINT downloads_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'finished'::text,
        'failed'::text, 'canceled'::text])))
);

-- table drift_reports
CREATE TABLE drift_reports (
    report_id uuid NOT NULL,
    deployment_id uuid NOT NULL,
    made_at timestamp with time zone NOT NULL,
    is_over boolean NOT NULL,
    differences bigint NOT NULL,
    report text NOT NULL,
    CONSTRAINT drift_reports_differences_check CHECK ((differences >= 0)),
    CONSTRAINT drift_reports_pkey PRIMARY KEY (report_id)
);

-- table event_log
CREATE TABLE event_log (
    event_id uuid NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    subject text NOT NULL,
    aggregate_id uuid NOT NULL,
    payload text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT event_log_pkey PRIMARY KEY (event_id)
);

-- table feed_splits
CREATE TABLE feed_splits (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    after_seq bigint NOT NULL,
    new_shares bigint NOT NULL,
    old_shares bigint NOT NULL,
    reference text NOT NULL,
    CONSTRAINT feed_splits_after_seq_check CHECK ((after_seq >= 0)),
    CONSTRAINT feed_splits_new_shares_check CHECK ((new_shares > 0)),
    CONSTRAINT feed_splits_old_shares_check CHECK ((old_shares > 0)),
    CONSTRAINT feed_splits_pkey PRIMARY KEY (feed_id, symbol, reference),
    CONSTRAINT feed_splits_reference_check CHECK ((reference <> ''::text)),
    CONSTRAINT feed_splits_symbol_check CHECK ((symbol <> ''::text))
);

-- table feeds
CREATE TABLE feeds (
    feed_id uuid NOT NULL,
    owner_id uuid,
    name text NOT NULL,
    symbols text[] NOT NULL,
    dataset_ids uuid[] NOT NULL,
    start_ts timestamp with time zone,
    end_ts timestamp with time zone,
    status text NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    steps bigint DEFAULT 0 NOT NULL,
    interval_ms bigint NOT NULL,
    pause_at bigint,
    last_ts timestamp with time zone,
    error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    timeframe text DEFAULT ''::text NOT NULL,
    connection_id uuid,
    history bigint DEFAULT 0 NOT NULL,
    is_extended boolean DEFAULT false NOT NULL,
    is_expected boolean DEFAULT false NOT NULL,
    CONSTRAINT feeds_interval_ms_check CHECK ((interval_ms >= 0)),
    CONSTRAINT feeds_name_check CHECK ((name <> ''::text)),
    CONSTRAINT feeds_pkey PRIMARY KEY (feed_id),
    CONSTRAINT feeds_seq_check CHECK ((seq >= 0)),
    CONSTRAINT feeds_status_check CHECK ((status = ANY (ARRAY['preparing'::text, 'paused'::text, 'running'::text,
        'finished'::text, 'failed'::text]))),
    CONSTRAINT feeds_steps_check CHECK ((steps >= 0))
);

-- table holdings
CREATE TABLE holdings (
    deployment_id uuid NOT NULL,
    symbol text NOT NULL,
    place bigint NOT NULL,
    qty numeric(28,9) DEFAULT 0 NOT NULL,
    cost numeric(28,9) DEFAULT 0 NOT NULL,
    realized_pnl numeric(28,9) DEFAULT 0 NOT NULL,
    last_price numeric(28,9),
    bars_held bigint DEFAULT 0 NOT NULL,
    exit_owed text DEFAULT ''::text NOT NULL,
    entries bigint DEFAULT 0 NOT NULL,
    last_entry numeric(28,9) DEFAULT 0 NOT NULL,
    last_entry_order uuid,
    CONSTRAINT holdings_bars_held_check CHECK ((bars_held >= 0)),
    CONSTRAINT holdings_cost_check CHECK (((cost > '-Infinity'::numeric) AND (cost < 'Infinity'::numeric))),
    CONSTRAINT holdings_entries_counted CHECK (((entries >= 0) AND (last_entry >= (0)::numeric) AND (last_entry <
        'Infinity'::numeric))),
    CONSTRAINT holdings_last_price_check CHECK (((last_price > (0)::numeric) AND (last_price <
        'Infinity'::numeric))),
    CONSTRAINT holdings_pkey PRIMARY KEY (deployment_id, symbol),
    CONSTRAINT holdings_place_check CHECK ((place >= 0)),
    CONSTRAINT holdings_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT holdings_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric))),
    CONSTRAINT holdings_symbol_check CHECK ((symbol <> ''::text))
);

-- table holdout_unlocks
CREATE TABLE holdout_unlocks (
    backtest_id uuid NOT NULL,
    sweep_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT holdout_unlocks_pkey PRIMARY KEY (backtest_id)
);

-- table imports
CREATE TABLE imports (
    import_id uuid NOT NULL,
    owner_id uuid,
    upload_id uuid NOT NULL,
    file_name text NOT NULL,
    source text NOT NULL,
    symbol text,
    status text NOT NULL,
    progress double precision DEFAULT 0 NOT NULL,
    dataset_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    error_code text DEFAULT ''::text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    options text DEFAULT '{}'::text NOT NULL,
    CONSTRAINT imports_pkey PRIMARY KEY (import_id),
    CONSTRAINT imports_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double
        precision))),
    CONSTRAINT imports_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'finished'::text,
        'failed'::text])))
);

-- table inbox
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);

-- table intents
CREATE TABLE intents (
    client_order_id text NOT NULL,
    deployment_id uuid NOT NULL,
    seq bigint NOT NULL,
    intent_index bigint NOT NULL,
    side text NOT NULL,
    qty numeric(28,9) NOT NULL,
    type text NOT NULL,
    time_in_force text NOT NULL,
    tag text NOT NULL,
    status text NOT NULL,
    order_id uuid,
    order_code text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    take_profit numeric(28,9),
    stop_price numeric(28,9),
    trail_price numeric(28,9),
    trail_percent numeric(28,9),
    exit_leg text DEFAULT ''::text NOT NULL,
    symbol text DEFAULT ''::text NOT NULL,
    limit_price numeric(28,9),
    trigger_price numeric(28,9),
    bars_max bigint,
    works_until timestamp with time zone,
    is_withdrawn boolean DEFAULT false NOT NULL,
    entry_number bigint DEFAULT 1 NOT NULL,
    profit_factor numeric(38,18),
    profit_offset numeric(38,18),
    stop_factor numeric(38,18),
    stop_offset numeric(38,18),
    CONSTRAINT intents_exits_from_fill CHECK ((((profit_factor IS NULL) OR (take_profit IS NOT NULL)) AND
        ((stop_factor IS NULL) OR (stop_price IS NOT NULL)) AND (num_nonnulls(profit_factor, profit_offset) = ANY
        (ARRAY[0, 2])) AND COALESCE(((profit_factor > (0)::numeric) AND (profit_factor < 'Infinity'::numeric)),
        true) AND COALESCE(((profit_offset > '-Infinity'::numeric) AND (profit_offset < 'Infinity'::numeric)), true)
        AND (num_nonnulls(stop_factor, stop_offset) = ANY (ARRAY[0, 2])) AND COALESCE(((stop_factor > (0)::numeric)
        AND (stop_factor < 'Infinity'::numeric)), true) AND COALESCE(((stop_offset > '-Infinity'::numeric) AND
        (stop_offset < 'Infinity'::numeric)), true))),
    CONSTRAINT intents_exits_positive CHECK ((((take_profit IS NULL) OR ((take_profit > (0)::numeric) AND
        (take_profit < 'Infinity'::numeric))) AND ((stop_price IS NULL) OR ((stop_price > (0)::numeric) AND
        (stop_price < 'Infinity'::numeric))) AND ((trail_price IS NULL) OR ((trail_price > (0)::numeric) AND
        (trail_price < 'Infinity'::numeric))) AND ((trail_percent IS NULL) OR ((trail_percent > (0)::numeric) AND
        (trail_percent < (100)::numeric))))),
    CONSTRAINT intents_intent_index_check CHECK ((intent_index >= 0)),
    CONSTRAINT intents_once_key UNIQUE (deployment_id, seq, intent_index),
    CONSTRAINT intents_one_stop CHECK ((num_nonnulls(stop_price, trail_price, trail_percent) <= 1)),
    CONSTRAINT intents_pkey PRIMARY KEY (client_order_id),
    CONSTRAINT intents_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT intents_seq_check CHECK ((seq > 0)),
    CONSTRAINT intents_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT intents_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'working'::text,
        'closed'::text]))),
    CONSTRAINT intents_waiting_in_range CHECK ((((limit_price IS NULL) OR ((limit_price > (0)::numeric) AND
        (limit_price < 'Infinity'::numeric))) AND ((trigger_price IS NULL) OR ((trigger_price > (0)::numeric) AND
        (trigger_price < 'Infinity'::numeric))) AND ((bars_max IS NULL) OR (bars_max > 0)) AND (entry_number > 0)))
);

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table recorded_bars
CREATE TABLE recorded_bars (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    seq bigint NOT NULL,
    open numeric(28,9) NOT NULL,
    high numeric(28,9) NOT NULL,
    low numeric(28,9) NOT NULL,
    close numeric(28,9) NOT NULL,
    volume numeric(28,9) NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT recorded_bars_close_check CHECK (((close > (0)::numeric) AND (close < 'Infinity'::numeric))),
    CONSTRAINT recorded_bars_high_check CHECK (((high > (0)::numeric) AND (high < 'Infinity'::numeric))),
    CONSTRAINT recorded_bars_low_check CHECK (((low > (0)::numeric) AND (low < 'Infinity'::numeric))),
    CONSTRAINT recorded_bars_open_check CHECK (((open > (0)::numeric) AND (open < 'Infinity'::numeric))),
    CONSTRAINT recorded_bars_pkey PRIMARY KEY (feed_id, symbol, closed_at),
    CONSTRAINT recorded_bars_symbol_check CHECK ((symbol <> ''::text)),
    CONSTRAINT recorded_bars_volume_check CHECK (((volume >= (0)::numeric) AND (volume < 'Infinity'::numeric)))
);

-- table retention_holds
CREATE TABLE retention_holds (
    hold_id uuid NOT NULL,
    kind text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    from_at timestamp with time zone,
    to_at timestamp with time zone,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    lifted_by text,
    lifted_at timestamp with time zone,
    lift_reason text,
    CONSTRAINT retention_holds_kind_known CHECK ((kind = ANY (ARRAY['all'::text, 'user'::text, 'account'::text,
        'order'::text]))),
    CONSTRAINT retention_holds_lifted_with_reason CHECK ((((lifted_at IS NULL) = (lifted_by IS NULL)) AND
        ((lifted_at IS NULL) = (lift_reason IS NULL)) AND (lift_reason <> ''::text))),
    CONSTRAINT retention_holds_pkey PRIMARY KEY (hold_id),
    CONSTRAINT retention_holds_range_forward CHECK ((from_at < to_at)),
    CONSTRAINT retention_holds_reason_given CHECK (((reason <> ''::text) AND (set_by <> ''::text))),
    CONSTRAINT retention_holds_subject_iff_one CHECK (((kind = 'all'::text) = (subject = ''::text)))
);

-- table retention_items
CREATE TABLE retention_items (
    item_id uuid NOT NULL,
    run_id uuid NOT NULL,
    table_name text NOT NULL,
    part text DEFAULT ''::text NOT NULL,
    retention text NOT NULL,
    profile text NOT NULL,
    terms text NOT NULL,
    state text NOT NULL,
    cutoff timestamp with time zone NOT NULL,
    oldest_at timestamp with time zone,
    newest_at timestamp with time zone,
    rows_found bigint DEFAULT 0 NOT NULL,
    rows_removed bigint DEFAULT 0 NOT NULL,
    rows_left bigint DEFAULT 0 NOT NULL,
    checksum numeric(38,0) DEFAULT 0 NOT NULL,
    archive text DEFAULT ''::text NOT NULL,
    archive_sha256 text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT retention_items_archive_has_hash CHECK (((archive = ''::text) = (archive_sha256 = ''::text))),
    CONSTRAINT retention_items_counts_not_negative CHECK (((rows_found >= 0) AND (rows_removed >= 0) AND (rows_left
        >= 0))),
    CONSTRAINT retention_items_pkey PRIMARY KEY (item_id),
    CONSTRAINT retention_items_state_known CHECK ((state = ANY (ARRAY['open'::text, 'archived'::text, 'done'::text,
        'destroyed'::text, 'dropped'::text])))
);

-- table schema_migrations
CREATE TABLE schema_migrations (
    origin text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (origin, name)
);

-- table sweeps
CREATE TABLE sweeps (
    sweep_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    version_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    symbol text NOT NULL,
    kind text NOT NULL,
    graph text NOT NULL,
    settings text NOT NULL,
    plan text NOT NULL,
    start_ts timestamp with time zone,
    end_ts timestamp with time zone,
    holdout_ts timestamp with time zone,
    status text NOT NULL,
    is_cancel_asked boolean DEFAULT false NOT NULL,
    progress double precision DEFAULT 0 NOT NULL,
    result text DEFAULT ''::text NOT NULL,
    error_code text DEFAULT ''::text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    leased_until timestamp with time zone,
    symbols text[] DEFAULT '{}'::text[] NOT NULL,
    dataset_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT sweeps_kind_check CHECK ((kind = ANY (ARRAY['sweep'::text, 'walk_forward'::text]))),
    CONSTRAINT sweeps_pkey PRIMARY KEY (sweep_id),
    CONSTRAINT sweeps_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double
        precision))),
    CONSTRAINT sweeps_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'finished'::text,
        'failed'::text, 'canceled'::text])))
);

-- table trials
CREATE TABLE trials (
    run_id uuid NOT NULL,
    role text NOT NULL,
    segment bigint NOT NULL,
    number bigint NOT NULL,
    owner_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    symbol text NOT NULL,
    parameters text NOT NULL,
    start_ts timestamp with time zone,
    end_ts timestamp with time zone,
    run_hash text NOT NULL,
    result_hash text NOT NULL,
    score double precision,
    sharpe double precision,
    metrics text NOT NULL,
    returns bytea NOT NULL,
    error_code text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT trials_number_check CHECK ((number >= 0)),
    CONSTRAINT trials_pkey PRIMARY KEY (run_id, role, segment, number),
    CONSTRAINT trials_role_check CHECK ((role = ANY (ARRAY['backtest'::text, 'sweep'::text, 'train'::text,
        'test'::text]))),
    CONSTRAINT trials_score_check CHECK (((score > '-Infinity'::double precision) AND (score < 'Infinity'::double
        precision))),
    CONSTRAINT trials_segment_check CHECK ((segment >= 0)),
    CONSTRAINT trials_sharpe_check CHECK (((sharpe > '-Infinity'::double precision) AND (sharpe < 'Infinity'::double
        precision)))
);

-- table verdict_thresholds
CREATE TABLE verdict_thresholds (
    owner_id uuid NOT NULL,
    thresholds text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT verdict_thresholds_pkey PRIMARY KEY (owner_id)
);

-- foreign key backtests.backtests_dataset_id_fkey
ALTER TABLE backtests ADD CONSTRAINT backtests_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES
    datasets(dataset_id);

-- foreign key bar_remarks.bar_remarks_feed_id_fkey
ALTER TABLE bar_remarks ADD CONSTRAINT bar_remarks_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES feeds(feed_id);

-- foreign key decisions.decisions_deployment_id_fkey
ALTER TABLE decisions ADD CONSTRAINT decisions_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES
    deployments(deployment_id);

-- foreign key deployment_fills.deployment_fills_deployment_id_fkey
ALTER TABLE deployment_fills ADD CONSTRAINT deployment_fills_deployment_id_fkey FOREIGN KEY (deployment_id)
    REFERENCES deployments(deployment_id);

-- foreign key deployments.deployments_feed_id_fkey
ALTER TABLE deployments ADD CONSTRAINT deployments_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES feeds(feed_id);

-- foreign key drift_reports.drift_reports_deployment_id_fkey
ALTER TABLE drift_reports ADD CONSTRAINT drift_reports_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES
    deployments(deployment_id);

-- foreign key feed_splits.feed_splits_feed_id_fkey
ALTER TABLE feed_splits ADD CONSTRAINT feed_splits_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES feeds(feed_id);

-- foreign key holdings.holdings_deployment_id_fkey
ALTER TABLE holdings ADD CONSTRAINT holdings_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES
    deployments(deployment_id);

-- foreign key holdout_unlocks.holdout_unlocks_sweep_id_fkey
ALTER TABLE holdout_unlocks ADD CONSTRAINT holdout_unlocks_sweep_id_fkey FOREIGN KEY (sweep_id) REFERENCES
    sweeps(sweep_id);

-- foreign key intents.intents_deployment_id_fkey
ALTER TABLE intents ADD CONSTRAINT intents_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES
    deployments(deployment_id);

-- foreign key recorded_bars.recorded_bars_feed_id_fkey
ALTER TABLE recorded_bars ADD CONSTRAINT recorded_bars_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES feeds(feed_id);

-- foreign key sweeps.sweeps_dataset_id_fkey
ALTER TABLE sweeps ADD CONSTRAINT sweeps_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES datasets(dataset_id);

-- index backtests.backtests_open_idx
CREATE INDEX backtests_open_idx ON backtests USING btree (created_at) WHERE (status = ANY (ARRAY['queued'::text,
    'running'::text]));

-- index backtests.backtests_owner_idx
CREATE INDEX backtests_owner_idx ON backtests USING btree (owner_id, created_at DESC);

-- index deployment_fills.deployment_fills_deployment_idx
CREATE INDEX deployment_fills_deployment_idx ON deployment_fills USING btree (deployment_id, executed_at);

-- index deployment_fills.deployment_fills_order_idx
CREATE INDEX deployment_fills_order_idx ON deployment_fills USING btree (order_id);

-- index deployment_fills.deployment_fills_pending_idx
CREATE INDEX deployment_fills_pending_idx ON deployment_fills USING btree (deployment_id) WHERE (folded_seq IS
    NULL);

-- index deployments.deployments_feed_idx
CREATE INDEX deployments_feed_idx ON deployments USING btree (feed_id) WHERE (status = 'active'::text);

-- index deployments.deployments_owner_idx
CREATE INDEX deployments_owner_idx ON deployments USING btree (owner_id, created_at DESC);

-- index downloads.downloads_open_idx
CREATE INDEX downloads_open_idx ON downloads USING btree (created_at) WHERE (status = ANY (ARRAY['queued'::text,
    'running'::text]));

-- index drift_reports.drift_reports_newest_idx
CREATE INDEX drift_reports_newest_idx ON drift_reports USING btree (deployment_id, made_at DESC);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index holdout_unlocks.holdout_unlocks_family_idx
CREATE INDEX holdout_unlocks_family_idx ON holdout_unlocks USING btree (owner_id, workflow_id);

-- index imports.imports_open_idx
CREATE INDEX imports_open_idx ON imports USING btree (created_at) WHERE (status = ANY (ARRAY['queued'::text,
    'running'::text]));

-- index intents.intents_open_idx
CREATE INDEX intents_open_idx ON intents USING btree (deployment_id) WHERE (status <> 'closed'::text);

-- index recorded_bars.recorded_bars_seq_idx
CREATE INDEX recorded_bars_seq_idx ON recorded_bars USING btree (feed_id, seq);

-- index retention_items.retention_items_unfinished_idx
CREATE INDEX retention_items_unfinished_idx ON retention_items USING btree (started_at) WHERE (state = ANY
    (ARRAY['open'::text, 'archived'::text]));

-- index sweeps.sweeps_open_idx
CREATE INDEX sweeps_open_idx ON sweeps USING btree (created_at) WHERE (status = ANY (ARRAY['queued'::text,
    'running'::text]));

-- index sweeps.sweeps_owner_idx
CREATE INDEX sweeps_owner_idx ON sweeps USING btree (owner_id, created_at DESC);

-- index sweeps.sweeps_workflow_idx
CREATE INDEX sweeps_workflow_idx ON sweeps USING btree (owner_id, workflow_id, created_at DESC);

-- index trials.trials_family_idx
CREATE INDEX trials_family_idx ON trials USING btree (owner_id, workflow_id);

-- trigger audit_checkpoints.audit_checkpoints_refuse_row_change
CREATE TRIGGER audit_checkpoints_refuse_row_change BEFORE DELETE OR UPDATE ON audit_checkpoints FOR EACH ROW EXECUTE
    FUNCTION refuse_audit_change();
ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_refuse_row_change;

-- trigger audit_checkpoints.audit_checkpoints_refuse_truncate
CREATE TRIGGER audit_checkpoints_refuse_truncate BEFORE TRUNCATE ON audit_checkpoints FOR EACH STATEMENT EXECUTE
    FUNCTION refuse_audit_change();
ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_refuse_truncate;

-- trigger audit_events.audit_events_queue_seal
CREATE TRIGGER audit_events_queue_seal AFTER INSERT ON audit_events REFERENCING NEW TABLE AS added FOR EACH
    STATEMENT EXECUTE FUNCTION queue_audit_seal();
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_queue_seal;

-- trigger audit_events.audit_events_refuse_row_change
CREATE TRIGGER audit_events_refuse_row_change BEFORE DELETE OR UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION
    refuse_audit_change();
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_refuse_row_change;

-- trigger audit_events.audit_events_refuse_truncate
CREATE TRIGGER audit_events_refuse_truncate BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION
    refuse_audit_change();
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_refuse_truncate;

-- trigger audit_leaves.audit_leaves_refuse_row_change
CREATE TRIGGER audit_leaves_refuse_row_change BEFORE DELETE OR UPDATE ON audit_leaves FOR EACH ROW EXECUTE FUNCTION
    refuse_audit_change();
ALTER TABLE audit_leaves ENABLE ALWAYS TRIGGER audit_leaves_refuse_row_change;

-- trigger audit_leaves.audit_leaves_refuse_truncate
CREATE TRIGGER audit_leaves_refuse_truncate BEFORE TRUNCATE ON audit_leaves FOR EACH STATEMENT EXECUTE FUNCTION
    refuse_audit_change();
ALTER TABLE audit_leaves ENABLE ALWAYS TRIGGER audit_leaves_refuse_truncate;
