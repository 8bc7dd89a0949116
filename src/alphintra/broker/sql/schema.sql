-- What the migrations of broker add up to. Generated from PostgreSQL's catalogue and compared with the database
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

-- table adoptions
CREATE TABLE adoptions (
    account_id uuid NOT NULL,
    execution_id text NOT NULL,
    order_id uuid NOT NULL,
    adopted_by text NOT NULL,
    reason text NOT NULL,
    adopted_at timestamp with time zone NOT NULL,
    CONSTRAINT adoptions_adopted_by_check CHECK ((adopted_by <> ''::text)),
    CONSTRAINT adoptions_pkey PRIMARY KEY (account_id, execution_id),
    CONSTRAINT adoptions_reason_check CHECK ((reason <> ''::text))
);

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

-- table breaks
CREATE TABLE breaks (
    break_id uuid NOT NULL,
    account_id uuid NOT NULL,
    code text NOT NULL,
    key text NOT NULL,
    symbol text NOT NULL,
    order_id uuid,
    detail text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    found_at timestamp with time zone NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by text DEFAULT ''::text NOT NULL,
    resolution text DEFAULT ''::text NOT NULL,
    CONSTRAINT breaks_finding_key UNIQUE (account_id, code, key),
    CONSTRAINT breaks_pkey PRIMARY KEY (break_id),
    CONSTRAINT breaks_resolved_by_somebody CHECK (((status = 'resolved'::text) = ((resolved_at IS NOT NULL) AND
        (resolved_by <> ''::text) AND (resolution <> ''::text)))),
    CONSTRAINT breaks_status_check CHECK ((status = ANY (ARRAY['open'::text, 'resolved'::text])))
);

-- table connections
CREATE TABLE connections (
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    adapter text NOT NULL,
    feed_id uuid,
    status text NOT NULL,
    slippage_bps numeric(28,9) DEFAULT 0 NOT NULL,
    commission_bps numeric(28,9) DEFAULT 0 NOT NULL,
    fee_per_share numeric(28,9) DEFAULT 0 NOT NULL,
    fee_minimum numeric(28,9) DEFAULT 0 NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    participation numeric(28,9),
    reject_bps numeric(28,9) DEFAULT 0 NOT NULL,
    latency_bars bigint DEFAULT 0 NOT NULL,
    CONSTRAINT connections_adapter_check CHECK ((adapter = 'paper'::text)),
    CONSTRAINT connections_commission_bps_check CHECK (((commission_bps >= (0)::numeric) AND (commission_bps <
        'Infinity'::numeric))),
    CONSTRAINT connections_fee_minimum_check CHECK (((fee_minimum >= (0)::numeric) AND (fee_minimum <
        'Infinity'::numeric))),
    CONSTRAINT connections_fee_per_share_check CHECK (((fee_per_share >= (0)::numeric) AND (fee_per_share <
        'Infinity'::numeric))),
    CONSTRAINT connections_paper_has_feed CHECK (((adapter <> 'paper'::text) OR (feed_id IS NOT NULL))),
    CONSTRAINT connections_paper_settings CHECK ((COALESCE(((participation > (0)::numeric) AND (participation <=
        (1)::numeric)), true) AND (reject_bps >= (0)::numeric) AND (reject_bps <= (10000)::numeric) AND
        (latency_bars >= 0) AND (latency_bars <= 100))),
    CONSTRAINT connections_pkey PRIMARY KEY (account_id),
    CONSTRAINT connections_slippage_bps_check CHECK (((slippage_bps >= (0)::numeric) AND (slippage_bps <=
        (1000)::numeric))),
    CONSTRAINT connections_status_check CHECK ((status = 'open'::text))
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

-- table inbox
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);

-- table kill_blocks
CREATE TABLE kill_blocks (
    scope text NOT NULL,
    epoch bigint NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT kill_blocks_pkey PRIMARY KEY (scope)
);

-- table link_credentials
CREATE TABLE link_credentials (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    kek_version bigint NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT link_credentials_kek_version_check CHECK ((kek_version > 0)),
    CONSTRAINT link_credentials_pkey PRIMARY KEY (account_id),
    CONSTRAINT link_credentials_version_check CHECK ((version > 0))
);

-- table links
CREATE TABLE links (
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    starting_cash numeric(28,9) NOT NULL,
    adapter text DEFAULT ''::text NOT NULL,
    exchange text DEFAULT ''::text NOT NULL,
    environment text DEFAULT 'paper'::text NOT NULL,
    base_url text DEFAULT ''::text NOT NULL,
    status text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    credentials_version bigint DEFAULT 0 NOT NULL,
    seen_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    key_hint text DEFAULT ''::text NOT NULL,
    reconciled_at timestamp with time zone,
    CONSTRAINT links_adapter_check CHECK ((adapter = ANY (ARRAY[''::text, 'alpaca'::text, 'ccxt'::text]))),
    CONSTRAINT links_adapter_unless_pending CHECK (((adapter <> ''::text) OR (status = ANY (ARRAY['pending'::text,
        'closed'::text])))),
    CONSTRAINT links_credentials_version_check CHECK ((credentials_version >= 0)),
    CONSTRAINT links_environment_check CHECK ((environment = ANY (ARRAY['paper'::text, 'live'::text]))),
    CONSTRAINT links_pkey PRIMARY KEY (account_id),
    CONSTRAINT links_starting_cash_check CHECK (((starting_cash >= (0)::numeric) AND (starting_cash <
        'Infinity'::numeric))),
    CONSTRAINT links_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'reconciling'::text, 'open'::text,
        'degraded'::text, 'expired'::text, 'closed'::text])))
);

-- table live_executions
CREATE TABLE live_executions (
    account_id uuid NOT NULL,
    execution_id text NOT NULL,
    order_id uuid,
    venue_order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric(28,9) NOT NULL,
    price numeric(28,9) NOT NULL,
    fee numeric(28,9) NOT NULL,
    cum_qty numeric(28,9),
    executed_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    fee_qty numeric(28,9) DEFAULT 0 NOT NULL,
    CONSTRAINT live_executions_cum_qty_check CHECK (((cum_qty > (0)::numeric) AND (cum_qty < 'Infinity'::numeric))),
    CONSTRAINT live_executions_fee_check CHECK (((fee > '-Infinity'::numeric) AND (fee < 'Infinity'::numeric))),
    CONSTRAINT live_executions_fee_qty_check CHECK (((fee_qty >= (0)::numeric) AND (fee_qty <
        'Infinity'::numeric))),
    CONSTRAINT live_executions_pkey PRIMARY KEY (account_id, execution_id),
    CONSTRAINT live_executions_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT live_executions_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT live_executions_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
);

-- table live_orders
CREATE TABLE live_orders (
    order_id uuid NOT NULL,
    account_id uuid NOT NULL,
    client_order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric(28,9),
    terms text NOT NULL,
    approval text NOT NULL,
    kill_epoch bigint NOT NULL,
    approved_until timestamp with time zone NOT NULL,
    replaces uuid,
    status text NOT NULL,
    venue_order_id text,
    filled_qty numeric(28,9) DEFAULT 0 NOT NULL,
    is_cancel_requested boolean DEFAULT false NOT NULL,
    cancel_after timestamp with time zone,
    attempts bigint DEFAULT 0 NOT NULL,
    misses bigint DEFAULT 0 NOT NULL,
    unknown_since timestamp with time zone,
    missed_at timestamp with time zone,
    queued_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    order_class text DEFAULT 'simple'::text NOT NULL,
    leg text DEFAULT 'entry'::text NOT NULL,
    group_id uuid,
    part_of uuid,
    prior_qty numeric(28,9) DEFAULT 0 NOT NULL,
    pair_id uuid,
    told_seq bigint DEFAULT 0 NOT NULL,
    CONSTRAINT live_orders_client_order_id_key UNIQUE (account_id, client_order_id),
    CONSTRAINT live_orders_filled_qty_check CHECK (((filled_qty >= (0)::numeric) AND (filled_qty <
        'Infinity'::numeric))),
    CONSTRAINT live_orders_held_only_legs CHECK ((((status <> 'held'::text) OR ((leg <> 'entry'::text) AND (part_of
        IS NULL))) AND ((part_of IS NULL) OR (group_id IS NOT NULL)))),
    CONSTRAINT live_orders_pairs_of_parts CHECK (((pair_id IS NULL) OR (part_of IS NOT NULL))),
    CONSTRAINT live_orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT live_orders_prior_finite CHECK (((prior_qty >= (0)::numeric) AND (prior_qty < 'Infinity'::numeric))),
    CONSTRAINT live_orders_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT live_orders_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT live_orders_words_known CHECK (((status = ANY (ARRAY['held'::text, 'queued'::text, 'sending'::text,
        'unknown'::text, 'review'::text, 'working'::text, 'filled'::text, 'canceled'::text, 'expired'::text,
        'rejected'::text, 'replaced'::text])) AND (order_class = ANY (ARRAY['simple'::text, 'oto'::text,
        'oco'::text, 'bracket'::text])) AND (leg = ANY (ARRAY['entry'::text, 'take_profit'::text,
        'stop_loss'::text]))))
);

-- table live_prices
CREATE TABLE live_prices (
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    is_wanted boolean NOT NULL,
    price numeric(28,9),
    bid numeric(28,9),
    ask numeric(28,9),
    priced_at timestamp with time zone,
    watched_at timestamp with time zone NOT NULL,
    is_stalled boolean DEFAULT false NOT NULL,
    CONSTRAINT live_prices_ask_check CHECK (((ask > (0)::numeric) AND (ask < 'Infinity'::numeric))),
    CONSTRAINT live_prices_bid_check CHECK (((bid > (0)::numeric) AND (bid < 'Infinity'::numeric))),
    CONSTRAINT live_prices_dated CHECK (((price IS NULL) = (priced_at IS NULL))),
    CONSTRAINT live_prices_pkey PRIMARY KEY (account_id, symbol),
    CONSTRAINT live_prices_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT live_prices_symbol_check CHECK ((symbol <> ''::text))
);

-- table markets
CREATE TABLE markets (
    feed_id uuid NOT NULL,
    last_seq bigint DEFAULT 0 NOT NULL,
    last_ts timestamp with time zone,
    working bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT markets_last_seq_check CHECK ((last_seq >= 0)),
    CONSTRAINT markets_pkey PRIMARY KEY (feed_id),
    CONSTRAINT markets_working_check CHECK ((working >= 0))
) WITH (fillfactor=50);

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table paper_positions
CREATE TABLE paper_positions (
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    qty numeric(28,9) NOT NULL,
    CONSTRAINT paper_positions_pkey PRIMARY KEY (account_id, symbol),
    CONSTRAINT paper_positions_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric)))
);

-- table protection_breaks
CREATE TABLE protection_breaks (
    group_id uuid NOT NULL,
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    qty numeric(28,9) NOT NULL,
    found_at timestamp with time zone NOT NULL,
    CONSTRAINT protection_breaks_pkey PRIMARY KEY (group_id),
    CONSTRAINT protection_breaks_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric)))
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

-- table venue_executions
CREATE TABLE venue_executions (
    execution_id text NOT NULL,
    feed_id uuid NOT NULL,
    seq bigint NOT NULL,
    order_id uuid NOT NULL,
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric(28,9) NOT NULL,
    price numeric(28,9) NOT NULL,
    fee numeric(28,9) NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    is_ambiguous boolean DEFAULT false NOT NULL,
    CONSTRAINT venue_executions_fee_check CHECK (((fee >= (0)::numeric) AND (fee < 'Infinity'::numeric))),
    CONSTRAINT venue_executions_pkey PRIMARY KEY (execution_id),
    CONSTRAINT venue_executions_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT venue_executions_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT venue_executions_seq_check CHECK ((seq > 0)),
    CONSTRAINT venue_executions_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT venue_executions_step_key UNIQUE (feed_id, seq, order_id)
);

-- table venue_orders
CREATE TABLE venue_orders (
    order_id uuid NOT NULL,
    client_order_id text NOT NULL,
    account_id uuid NOT NULL,
    feed_id uuid,
    symbol text NOT NULL,
    side text NOT NULL,
    type text NOT NULL,
    time_in_force text NOT NULL,
    qty numeric(28,9),
    limit_price numeric(28,9),
    filled_qty numeric(28,9) DEFAULT 0 NOT NULL,
    status text NOT NULL,
    venue_order_id text,
    accepted_seq bigint,
    known_ts timestamp with time zone,
    sent_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    closed_at timestamp with time zone,
    notional numeric(28,9),
    stop_price numeric(28,9),
    trail_price numeric(28,9),
    trail_percent numeric(28,9),
    expire_at timestamp with time zone,
    extended_hours boolean DEFAULT false NOT NULL,
    reduce_only boolean DEFAULT false NOT NULL,
    order_class text DEFAULT 'simple'::text NOT NULL,
    leg text DEFAULT 'entry'::text NOT NULL,
    group_id uuid,
    replaces uuid,
    prior_qty numeric(28,9) DEFAULT 0 NOT NULL,
    allowed_qty numeric(28,9),
    spent numeric(28,9) DEFAULT 0 NOT NULL,
    hwm numeric(28,9),
    triggered_at timestamp with time zone,
    works_until timestamp with time zone,
    fill_factor numeric(38,18),
    fill_offset numeric(38,18),
    fill_tick numeric(38,18),
    CONSTRAINT venue_orders_accepted_seq_check CHECK ((accepted_seq >= 0)),
    CONSTRAINT venue_orders_accepted_unless_sending CHECK (((status = 'sending'::text) = (accepted_at IS NULL))),
    CONSTRAINT venue_orders_closed_iff_done CHECK (((status = ANY (ARRAY['sending'::text, 'held'::text,
        'working'::text])) = (closed_at IS NULL))),
    CONSTRAINT venue_orders_filled_within_qty CHECK (((filled_qty >= (0)::numeric) AND (filled_qty <
        'Infinity'::numeric) AND (prior_qty >= (0)::numeric) AND COALESCE(((filled_qty + prior_qty) <= qty),
        true))),
    CONSTRAINT venue_orders_from_fill CHECK (((num_nonnulls(fill_factor, fill_offset) = ANY (ARRAY[0, 2])) AND
        ((fill_tick IS NULL) OR ((fill_factor IS NOT NULL) AND (fill_tick > (0)::numeric) AND (fill_tick <
        'Infinity'::numeric))) AND COALESCE(((fill_factor > (0)::numeric) AND (fill_factor < 'Infinity'::numeric)),
        true) AND COALESCE(((fill_offset > '-Infinity'::numeric) AND (fill_offset < 'Infinity'::numeric)), true) AND
        ((fill_factor IS NULL) OR ((leg <> 'entry'::text) AND (type = ANY (ARRAY['limit'::text, 'stop'::text])))))),
    CONSTRAINT venue_orders_grouped_unless_simple CHECK (((order_class = 'simple'::text) = (group_id IS NULL))),
    CONSTRAINT venue_orders_limit_price_check CHECK (((limit_price > (0)::numeric) AND (limit_price <
        'Infinity'::numeric))),
    CONSTRAINT venue_orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT venue_orders_prices_of_type CHECK ((((type = ANY (ARRAY['limit'::text, 'stop_limit'::text])) =
        (limit_price IS NOT NULL)) AND ((type = ANY (ARRAY['stop'::text, 'stop_limit'::text])) = (stop_price IS NOT
        NULL)) AND (num_nonnulls(trail_price, trail_percent) = ((type = 'trailing_stop'::text))::integer) AND
        ((time_in_force = 'gtd'::text) = (expire_at IS NOT NULL)))),
    CONSTRAINT venue_orders_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT venue_orders_qty_or_notional CHECK ((num_nonnulls(qty, notional) = 1)),
    CONSTRAINT venue_orders_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT venue_orders_terms_finite CHECK ((COALESCE(((notional > (0)::numeric) AND (notional <
        'Infinity'::numeric)), true) AND COALESCE(((stop_price > (0)::numeric) AND (stop_price <
        'Infinity'::numeric)), true) AND COALESCE(((trail_price > (0)::numeric) AND (trail_price <
        'Infinity'::numeric)), true) AND COALESCE(((trail_percent > (0)::numeric) AND (trail_percent <
        (100)::numeric)), true) AND COALESCE(((allowed_qty >= (0)::numeric) AND (allowed_qty <
        'Infinity'::numeric)), true) AND COALESCE(((hwm > (0)::numeric) AND (hwm < 'Infinity'::numeric)), true) AND
        (spent >= (0)::numeric) AND (spent < 'Infinity'::numeric))),
    CONSTRAINT venue_orders_words_known CHECK (((type = ANY (ARRAY['market'::text, 'limit'::text, 'stop'::text,
        'stop_limit'::text, 'trailing_stop'::text])) AND (time_in_force = ANY (ARRAY['day'::text, 'gtc'::text,
        'ioc'::text, 'fok'::text, 'opg'::text, 'cls'::text, 'gtd'::text])) AND (status = ANY (ARRAY['sending'::text,
        'held'::text, 'working'::text, 'filled'::text, 'canceled'::text, 'expired'::text, 'replaced'::text])) AND
        (order_class = ANY (ARRAY['simple'::text, 'oto'::text, 'oco'::text, 'bracket'::text])) AND (leg = ANY
        (ARRAY['entry'::text, 'take_profit'::text, 'stop_loss'::text]))))
);

-- table verdicts
CREATE TABLE verdicts (
    order_id uuid NOT NULL,
    is_sent boolean NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    book_id uuid,
    CONSTRAINT verdicts_code_iff_refused CHECK ((is_sent = (code = ''::text))),
    CONSTRAINT verdicts_pkey PRIMARY KEY (order_id)
);

-- foreign key adoptions.adoptions_account_id_fkey
ALTER TABLE adoptions ADD CONSTRAINT adoptions_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    links(account_id);

-- foreign key breaks.breaks_account_id_fkey
ALTER TABLE breaks ADD CONSTRAINT breaks_account_id_fkey FOREIGN KEY (account_id) REFERENCES links(account_id);

-- foreign key link_credentials.link_credentials_account_id_fkey
ALTER TABLE link_credentials ADD CONSTRAINT link_credentials_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    links(account_id);

-- foreign key live_executions.live_executions_account_id_fkey
ALTER TABLE live_executions ADD CONSTRAINT live_executions_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    links(account_id);

-- foreign key live_executions.live_executions_order_id_fkey
ALTER TABLE live_executions ADD CONSTRAINT live_executions_order_id_fkey FOREIGN KEY (order_id) REFERENCES
    live_orders(order_id);

-- foreign key live_orders.live_orders_account_id_fkey
ALTER TABLE live_orders ADD CONSTRAINT live_orders_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    links(account_id);

-- foreign key live_orders.live_orders_order_id_fkey
ALTER TABLE live_orders ADD CONSTRAINT live_orders_order_id_fkey FOREIGN KEY (order_id) REFERENCES
    verdicts(order_id);

-- foreign key live_prices.live_prices_account_id_fkey
ALTER TABLE live_prices ADD CONSTRAINT live_prices_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    links(account_id);

-- foreign key paper_positions.paper_positions_account_id_fkey
ALTER TABLE paper_positions ADD CONSTRAINT paper_positions_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    connections(account_id);

-- foreign key protection_breaks.protection_breaks_account_id_fkey
ALTER TABLE protection_breaks ADD CONSTRAINT protection_breaks_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    connections(account_id);

-- foreign key venue_executions.venue_executions_order_id_fkey
ALTER TABLE venue_executions ADD CONSTRAINT venue_executions_order_id_fkey FOREIGN KEY (order_id) REFERENCES
    venue_orders(order_id);

-- foreign key venue_orders.venue_orders_account_id_fkey
ALTER TABLE venue_orders ADD CONSTRAINT venue_orders_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    connections(account_id);

-- foreign key venue_orders.venue_orders_order_id_fkey
ALTER TABLE venue_orders ADD CONSTRAINT venue_orders_order_id_fkey FOREIGN KEY (order_id) REFERENCES
    verdicts(order_id);

-- index breaks.breaks_open_idx
CREATE INDEX breaks_open_idx ON breaks USING btree (account_id, code) WHERE (status = 'open'::text);

-- index connections.connections_owner_idx
CREATE INDEX connections_owner_idx ON connections USING btree (owner_id, opened_at, account_id);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index links.links_owner_idx
CREATE INDEX links_owner_idx ON links USING btree (owner_id, opened_at, account_id);

-- index live_executions.live_executions_order_idx
CREATE INDEX live_executions_order_idx ON live_executions USING btree (order_id) WHERE (order_id IS NOT NULL);

-- index live_orders.live_orders_active_idx
CREATE INDEX live_orders_active_idx ON live_orders USING btree (account_id, queued_at, order_id) WHERE (status = ANY
    (ARRAY['queued'::text, 'sending'::text, 'unknown'::text, 'review'::text, 'working'::text]));

-- index live_orders.live_orders_group_idx
CREATE INDEX live_orders_group_idx ON live_orders USING btree (group_id) WHERE (group_id IS NOT NULL);

-- index live_orders.live_orders_pair_idx
CREATE INDEX live_orders_pair_idx ON live_orders USING btree (account_id, pair_id) WHERE (pair_id IS NOT NULL);

-- index live_orders.live_orders_venue_order_id_idx
CREATE UNIQUE INDEX live_orders_venue_order_id_idx ON live_orders USING btree (account_id, venue_order_id) WHERE
    (venue_order_id IS NOT NULL);

-- index retention_items.retention_items_unfinished_idx
CREATE INDEX retention_items_unfinished_idx ON retention_items USING btree (started_at) WHERE (state = ANY
    (ARRAY['open'::text, 'archived'::text]));

-- index venue_orders.venue_orders_account_idx
CREATE INDEX venue_orders_account_idx ON venue_orders USING btree (account_id, sent_at DESC, order_id DESC);

-- index venue_orders.venue_orders_group_idx
CREATE INDEX venue_orders_group_idx ON venue_orders USING btree (group_id) WHERE (group_id IS NOT NULL);

-- index venue_orders.venue_orders_held_idx
CREATE INDEX venue_orders_held_idx ON venue_orders USING btree (account_id) WHERE (status = 'held'::text);

-- index venue_orders.venue_orders_until_idx
CREATE INDEX venue_orders_until_idx ON venue_orders USING btree (feed_id, works_until) WHERE ((status =
    'working'::text) AND (works_until IS NOT NULL));

-- index venue_orders.venue_orders_working_idx
CREATE INDEX venue_orders_working_idx ON venue_orders USING btree (feed_id, symbol) WHERE (status =
    'working'::text);

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
