-- What the migrations of risk add up to. Generated from PostgreSQL's catalogue and compared with the database
-- at each start; written anew by ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/integration/dataplane/test_schema.py

-- function add_to_reservation_totals()
CREATE OR REPLACE FUNCTION add_to_reservation_totals()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path FROM CURRENT
AS $function$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO reservation_totals (
            account_id, symbol, open_orders, open_buy_qty, open_sell_qty, close_buy_qty, close_sell_qty, open_value,
            reserved_cash
        )
        SELECT DISTINCT a.account_id, a.symbol, 0, 0, 0, 0, 0, 0, 0
        FROM after_it AS a JOIN before_it AS b ON b.order_id = a.order_id
        WHERE a.open_qty > 0 AND b.open_qty = 0
        ON CONFLICT (account_id, symbol) DO NOTHING;

        UPDATE reservation_totals AS t
        SET
            open_orders = t.open_orders + d.orders, open_buy_qty = t.open_buy_qty + d.open_buy,
            open_sell_qty = t.open_sell_qty + d.open_sell, close_buy_qty = t.close_buy_qty + d.close_buy,
            close_sell_qty = t.close_sell_qty + d.close_sell, open_value = t.open_value + d.worth,
            reserved_cash = t.reserved_cash + d.cash
        FROM (
            SELECT
                c.account_id, c.symbol, sum(c.sign) AS orders,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'buy' AND NOT c.is_reducing), 0) AS open_buy,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'sell' AND NOT c.is_reducing), 0) AS open_sell,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'buy' AND c.is_reducing), 0) AS close_buy,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'sell' AND c.is_reducing), 0) AS close_sell,
                coalesce(sum(c.sign * c.qty * c.price) FILTER (WHERE NOT c.is_reducing), 0) AS worth,
                coalesce(sum(c.sign * c.cash) FILTER (WHERE c.side = 'buy'), 0) AS cash
            FROM (
                SELECT
                    1 AS sign, account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty) AS qty,
                    coalesce(counted_cash, open_qty * price) AS cash
                FROM after_it WHERE open_qty > 0
                UNION ALL
                SELECT
                    -1, account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty),
                    coalesce(counted_cash, open_qty * price)
                FROM before_it WHERE open_qty > 0
            ) AS c
            GROUP BY c.account_id, c.symbol
        ) AS d
        WHERE
            t.account_id = d.account_id AND t.symbol = d.symbol
            AND (d.orders, d.open_buy, d.open_sell, d.close_buy, d.close_sell, d.worth, d.cash)
            IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0);
    ELSE
        INSERT INTO reservation_totals AS t (
            account_id, symbol, open_orders, open_buy_qty, open_sell_qty, close_buy_qty, close_sell_qty, open_value,
            reserved_cash
        )
        SELECT
            c.account_id, c.symbol, count(*),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'buy' AND NOT c.is_reducing), 0),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'sell' AND NOT c.is_reducing), 0),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'buy' AND c.is_reducing), 0),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'sell' AND c.is_reducing), 0),
            coalesce(sum(c.qty * c.price) FILTER (WHERE NOT c.is_reducing), 0),
            coalesce(sum(c.cash) FILTER (WHERE c.side = 'buy'), 0)
        FROM (
            SELECT
                account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty) AS qty,
                coalesce(counted_cash, open_qty * price) AS cash
            FROM after_it WHERE open_qty > 0
        ) AS c
        GROUP BY c.account_id, c.symbol
        ON CONFLICT (account_id, symbol) DO UPDATE
        SET
            open_orders = t.open_orders + excluded.open_orders,
            open_buy_qty = t.open_buy_qty + excluded.open_buy_qty,
            open_sell_qty = t.open_sell_qty + excluded.open_sell_qty,
            close_buy_qty = t.close_buy_qty + excluded.close_buy_qty,
            close_sell_qty = t.close_sell_qty + excluded.close_sell_qty,
            open_value = t.open_value + excluded.open_value,
            reserved_cash = t.reserved_cash + excluded.reserved_cash;
    END IF;
    RETURN NULL;
END
$function$;

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

-- table alert_rules
CREATE TABLE alert_rules (
    rule text NOT NULL,
    version bigint NOT NULL,
    is_enabled boolean NOT NULL,
    severity text NOT NULL,
    threshold numeric(28,9) NOT NULL,
    repeat_after_s bigint NOT NULL,
    escalate_after_s bigint NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_rules_escalate_after_s_check CHECK ((escalate_after_s >= 0)),
    CONSTRAINT alert_rules_pkey PRIMARY KEY (rule, version),
    CONSTRAINT alert_rules_repeat_after_s_check CHECK ((repeat_after_s > 0)),
    CONSTRAINT alert_rules_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text,
        'critical'::text]))),
    CONSTRAINT alert_rules_threshold_check CHECK (((threshold >= (0)::numeric) AND (threshold <
        'Infinity'::numeric))),
    CONSTRAINT alert_rules_version_check CHECK ((version > 0))
);

-- table alerts
CREATE TABLE alerts (
    alert_id uuid NOT NULL,
    dedupe_key text NOT NULL,
    rule text NOT NULL,
    rule_version bigint NOT NULL,
    severity text NOT NULL,
    account_id uuid,
    owner_id uuid,
    subject text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    escalate_at timestamp with time zone,
    escalated_at timestamp with time zone,
    acknowledged_by text,
    acknowledged_at timestamp with time zone,
    note text DEFAULT ''::text NOT NULL,
    CONSTRAINT alerts_acknowledged_by_somebody CHECK (((acknowledged_at IS NULL) = (acknowledged_by IS NULL))),
    CONSTRAINT alerts_once_key UNIQUE (dedupe_key),
    CONSTRAINT alerts_pkey PRIMARY KEY (alert_id),
    CONSTRAINT alerts_rule_version_check CHECK ((rule_version >= 0)),
    CONSTRAINT alerts_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text,
        'critical'::text])))
);

-- table assessments
CREATE TABLE assessments (
    decision_id uuid NOT NULL,
    order_id uuid NOT NULL,
    attempt bigint NOT NULL,
    account_id uuid NOT NULL,
    approved boolean NOT NULL,
    findings jsonb NOT NULL,
    limit_version bigint NOT NULL,
    kill_epoch bigint NOT NULL,
    leaf bytea NOT NULL,
    inputs jsonb NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    inputs_hash bytea,
    CONSTRAINT assessments_approved_iff_no_finding CHECK ((approved = (findings = '[]'::jsonb))),
    CONSTRAINT assessments_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT assessments_kill_epoch_check CHECK ((kill_epoch >= 0)),
    CONSTRAINT assessments_limit_version_check CHECK ((limit_version >= 0)),
    CONSTRAINT assessments_order_attempt_key UNIQUE (order_id, attempt),
    CONSTRAINT assessments_pkey PRIMARY KEY (decision_id)
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

-- table balances
CREATE TABLE balances (
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    feed_id uuid,
    currency text NOT NULL,
    cash numeric(28,9) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    mode text DEFAULT 'paper'::text NOT NULL,
    venue text DEFAULT 'paper'::text NOT NULL,
    CONSTRAINT balances_cash_check CHECK (((cash > '-Infinity'::numeric) AND (cash < 'Infinity'::numeric))),
    CONSTRAINT balances_pkey PRIMARY KEY (account_id)
);

-- table book_exposures
CREATE TABLE book_exposures (
    account_id uuid NOT NULL,
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    position_qty numeric(28,9) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT book_exposures_pkey PRIMARY KEY (account_id, book_id, symbol),
    CONSTRAINT book_exposures_position_qty_check CHECK (((position_qty > '-Infinity'::numeric) AND (position_qty <
        'Infinity'::numeric)))
);

-- table booked_executions
CREATE TABLE booked_executions (
    execution_id text NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    CONSTRAINT booked_executions_pkey PRIMARY KEY (execution_id, account_id)
);

-- table case_steps
CREATE TABLE case_steps (
    case_id uuid NOT NULL,
    step bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT case_steps_pkey PRIMARY KEY (case_id, step),
    CONSTRAINT case_steps_step_check CHECK ((step > 0))
);

-- table dead_man_switches
CREATE TABLE dead_man_switches (
    account_id uuid NOT NULL,
    session_id text NOT NULL,
    timeout_s bigint NOT NULL,
    deadline timestamp with time zone NOT NULL,
    state text NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT dead_man_switches_pkey PRIMARY KEY (account_id, session_id),
    CONSTRAINT dead_man_switches_state_check CHECK ((state = ANY (ARRAY['armed'::text, 'lost'::text,
        'closed'::text]))),
    CONSTRAINT dead_man_switches_timeout_s_check CHECK ((timeout_s > 0))
);

-- table deployment_instances
CREATE TABLE deployment_instances (
    book_id uuid NOT NULL,
    instance text NOT NULL,
    build text NOT NULL,
    config_hash text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT deployment_instances_pkey PRIMARY KEY (book_id, instance)
);

-- table equity_days
CREATE TABLE equity_days (
    account_id uuid NOT NULL,
    slot bigint NOT NULL,
    day date NOT NULL,
    first_equity numeric(28,9) NOT NULL,
    last_equity numeric(28,9) NOT NULL,
    high_equity numeric(28,9) NOT NULL,
    low_equity numeric(28,9) NOT NULL,
    CONSTRAINT equity_days_first_equity_check CHECK (((first_equity > '-Infinity'::numeric) AND (first_equity <
        'Infinity'::numeric))),
    CONSTRAINT equity_days_high_equity_check CHECK (((high_equity > '-Infinity'::numeric) AND (high_equity <
        'Infinity'::numeric))),
    CONSTRAINT equity_days_last_equity_check CHECK (((last_equity > '-Infinity'::numeric) AND (last_equity <
        'Infinity'::numeric))),
    CONSTRAINT equity_days_low_equity_check CHECK (((low_equity > '-Infinity'::numeric) AND (low_equity <
        'Infinity'::numeric))),
    CONSTRAINT equity_days_pkey PRIMARY KEY (account_id, slot),
    CONSTRAINT equity_days_slot_check CHECK (((slot >= 0) AND (slot < 2048)))
);

-- table equity_marks
CREATE TABLE equity_marks (
    account_id uuid NOT NULL,
    day date NOT NULL,
    opening_equity numeric(56,18) NOT NULL,
    last_equity numeric(56,18) NOT NULL,
    peak_equity numeric(56,18) NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    CONSTRAINT equity_marks_last_equity_check CHECK (((last_equity > '-Infinity'::numeric) AND (last_equity <
        'Infinity'::numeric))),
    CONSTRAINT equity_marks_opening_equity_check CHECK (((opening_equity > '-Infinity'::numeric) AND (opening_equity
        < 'Infinity'::numeric))),
    CONSTRAINT equity_marks_peak_equity_check CHECK (((peak_equity > '-Infinity'::numeric) AND (peak_equity <
        'Infinity'::numeric))),
    CONSTRAINT equity_marks_pkey PRIMARY KEY (account_id)
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

-- table exposures
CREATE TABLE exposures (
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    position_qty numeric(28,9) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT exposures_pkey PRIMARY KEY (account_id, symbol),
    CONSTRAINT exposures_position_qty_check CHECK (((position_qty > '-Infinity'::numeric) AND (position_qty <
        'Infinity'::numeric)))
);

-- table feed_marks
CREATE TABLE feed_marks (
    feed_id uuid NOT NULL,
    seq bigint NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    CONSTRAINT feed_marks_pkey PRIMARY KEY (feed_id),
    CONSTRAINT feed_marks_seq_check CHECK ((seq >= 0))
);

-- table feed_watches
CREATE TABLE feed_watches (
    feed_id uuid NOT NULL,
    status text NOT NULL,
    interval_ms bigint NOT NULL,
    seq bigint DEFAULT '-1'::integer NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    is_silent boolean DEFAULT false NOT NULL,
    silences bigint DEFAULT 0 NOT NULL,
    CONSTRAINT feed_watches_interval_ms_check CHECK ((interval_ms >= 0)),
    CONSTRAINT feed_watches_pkey PRIMARY KEY (feed_id),
    CONSTRAINT feed_watches_silences_check CHECK ((silences >= 0))
);

-- table fleet
CREATE TABLE fleet (
    service text NOT NULL,
    instance text NOT NULL,
    build text NOT NULL,
    config_hash text NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT fleet_pkey PRIMARY KEY (service, instance)
);

-- table inbox
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);

-- table instruments
CREATE TABLE instruments (
    symbol text NOT NULL,
    version bigint NOT NULL,
    terms jsonb NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT instruments_pkey PRIMARY KEY (symbol, version),
    CONSTRAINT instruments_version_check CHECK ((version > 0))
);

-- table job_beats
CREATE TABLE job_beats (
    job text NOT NULL,
    beat_at timestamp with time zone NOT NULL,
    is_dead boolean DEFAULT false NOT NULL,
    deaths bigint DEFAULT 0 NOT NULL,
    CONSTRAINT job_beats_deaths_check CHECK ((deaths >= 0)),
    CONSTRAINT job_beats_pkey PRIMARY KEY (job)
);

-- table kill_states
CREATE TABLE kill_states (
    epoch bigint NOT NULL,
    scope text NOT NULL,
    account_id uuid,
    state text NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT kill_states_account_iff_scope CHECK (((scope = 'account'::text) = (account_id IS NOT NULL))),
    CONSTRAINT kill_states_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT kill_states_pkey PRIMARY KEY (epoch),
    CONSTRAINT kill_states_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT kill_states_scope_check CHECK ((scope = ANY (ARRAY['firm'::text, 'account'::text]))),
    CONSTRAINT kill_states_state_check CHECK ((state = ANY (ARRAY['normal'::text, 'reduce_only'::text,
        'cancel_only'::text, 'halted'::text])))
);

-- table latches
CREATE TABLE latches (
    latch_id uuid NOT NULL,
    account_id uuid NOT NULL,
    code text NOT NULL,
    symbol text,
    book_id uuid,
    reason text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    lifted_by text,
    lifted_at timestamp with time zone,
    lift_reason text,
    CONSTRAINT latches_pkey PRIMARY KEY (latch_id),
    CONSTRAINT latches_reason_check CHECK ((reason <> ''::text))
);

-- table limit_proposals
CREATE TABLE limit_proposals (
    proposal_id uuid NOT NULL,
    account_id uuid NOT NULL,
    wanted jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    is_approved boolean,
    CONSTRAINT limit_proposals_pkey PRIMARY KEY (proposal_id),
    CONSTRAINT limit_proposals_two_people CHECK (((is_approved IS NOT TRUE) OR (decided_by <> proposed_by)))
);

-- table limit_sets
CREATE TABLE limit_sets (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    order_qty_max numeric(28,9) NOT NULL,
    order_notional_max numeric(28,9) NOT NULL,
    position_qty_max numeric(28,9) NOT NULL,
    may_short boolean NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    controls jsonb DEFAULT '{}'::jsonb NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT limit_sets_order_notional_max_check CHECK (((order_notional_max > (0)::numeric) AND
        (order_notional_max < 'Infinity'::numeric))),
    CONSTRAINT limit_sets_order_qty_max_check CHECK (((order_qty_max > (0)::numeric) AND (order_qty_max <
        'Infinity'::numeric))),
    CONSTRAINT limit_sets_pkey PRIMARY KEY (account_id, version),
    CONSTRAINT limit_sets_position_qty_max_check CHECK (((position_qty_max > (0)::numeric) AND (position_qty_max <
        'Infinity'::numeric))),
    CONSTRAINT limit_sets_version_check CHECK ((version > 0))
);

-- table limit_warnings
CREATE TABLE limit_warnings (
    account_id uuid NOT NULL,
    what text NOT NULL,
    name text NOT NULL,
    crossing bigint NOT NULL,
    is_standing boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT limit_warnings_crossing_check CHECK ((crossing > 0)),
    CONSTRAINT limit_warnings_pkey PRIMARY KEY (account_id, what, name),
    CONSTRAINT limit_warnings_what_check CHECK ((what <> ''::text))
);

-- table message_buckets
CREATE TABLE message_buckets (
    account_id uuid NOT NULL,
    tokens numeric(28,9) NOT NULL,
    refilled_at timestamp with time zone NOT NULL,
    CONSTRAINT message_buckets_pkey PRIMARY KEY (account_id),
    CONSTRAINT message_buckets_tokens_check CHECK (((tokens >= (0)::numeric) AND (tokens < 'Infinity'::numeric)))
);

-- table order_stream
CREATE TABLE order_stream (
    event_id uuid NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    owner_id uuid NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    type text NOT NULL,
    qty numeric(28,9) NOT NULL,
    price numeric(28,9),
    reference numeric(28,9),
    reference_at timestamp with time zone,
    execution_id text NOT NULL,
    venue_at timestamp with time zone,
    is_seen boolean NOT NULL,
    CONSTRAINT order_stream_kind_check CHECK ((kind = ANY (ARRAY['new'::text, 'amend'::text, 'cancel'::text,
        'expire'::text, 'reject'::text, 'trade'::text, 'done'::text]))),
    CONSTRAINT order_stream_pkey PRIMARY KEY (event_id),
    CONSTRAINT order_stream_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT order_stream_qty_check CHECK (((qty >= (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT order_stream_reference_check CHECK (((reference > (0)::numeric) AND (reference <
        'Infinity'::numeric))),
    CONSTRAINT order_stream_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
);

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table overrides
CREATE TABLE overrides (
    override_id uuid NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    content text NOT NULL,
    codes text[] NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    approved_by text,
    approved_at timestamp with time zone,
    used_for uuid,
    used_at timestamp with time zone,
    CONSTRAINT overrides_pkey PRIMARY KEY (override_id),
    CONSTRAINT overrides_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT overrides_two_people CHECK (((approved_by IS NULL) OR (approved_by <> requested_by)))
);

-- table price_closes
CREATE TABLE price_closes (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    slot bigint NOT NULL,
    day date NOT NULL,
    close numeric(28,9) NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    CONSTRAINT price_closes_close_check CHECK (((close > (0)::numeric) AND (close < 'Infinity'::numeric))),
    CONSTRAINT price_closes_pkey PRIMARY KEY (feed_id, symbol, slot),
    CONSTRAINT price_closes_slot_check CHECK (((slot >= 0) AND (slot < 2048)))
);

-- table prices
CREATE TABLE prices (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    price numeric(28,9) NOT NULL,
    seq bigint NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    bid numeric(28,9),
    ask numeric(28,9),
    CONSTRAINT prices_pkey PRIMARY KEY (feed_id, symbol),
    CONSTRAINT prices_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT prices_seq_check CHECK ((seq >= 0))
);

-- table reservation_totals
CREATE TABLE reservation_totals (
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    open_orders bigint NOT NULL,
    open_buy_qty numeric(38,9) NOT NULL,
    open_sell_qty numeric(38,9) NOT NULL,
    close_buy_qty numeric(38,9) NOT NULL,
    close_sell_qty numeric(38,9) NOT NULL,
    open_value numeric(66,18) NOT NULL,
    reserved_cash numeric(66,18) NOT NULL,
    CONSTRAINT reservation_totals_close_buy_qty_check CHECK (((close_buy_qty >= (0)::numeric) AND (close_buy_qty <
        'Infinity'::numeric))),
    CONSTRAINT reservation_totals_close_sell_qty_check CHECK (((close_sell_qty >= (0)::numeric) AND (close_sell_qty
        < 'Infinity'::numeric))),
    CONSTRAINT reservation_totals_open_buy_qty_check CHECK (((open_buy_qty >= (0)::numeric) AND (open_buy_qty <
        'Infinity'::numeric))),
    CONSTRAINT reservation_totals_open_orders_check CHECK ((open_orders >= 0)),
    CONSTRAINT reservation_totals_open_sell_qty_check CHECK (((open_sell_qty >= (0)::numeric) AND (open_sell_qty <
        'Infinity'::numeric))),
    CONSTRAINT reservation_totals_open_value_check CHECK (((open_value >= (0)::numeric) AND (open_value <
        'Infinity'::numeric))),
    CONSTRAINT reservation_totals_pkey PRIMARY KEY (account_id, symbol),
    CONSTRAINT reservation_totals_reserved_cash_check CHECK (((reserved_cash >= (0)::numeric) AND (reserved_cash <
        'Infinity'::numeric)))
);

-- table reservations
CREATE TABLE reservations (
    order_id uuid NOT NULL,
    account_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    price numeric(28,9) NOT NULL,
    target_qty numeric(28,9) NOT NULL,
    filled_qty numeric(28,9) NOT NULL,
    open_qty numeric(28,9) NOT NULL,
    state text NOT NULL,
    held_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    is_reducing boolean DEFAULT false NOT NULL,
    leg text DEFAULT 'entry'::text NOT NULL,
    group_id uuid,
    replaces uuid,
    carried_qty numeric(28,9) DEFAULT 0 NOT NULL,
    notional numeric(28,9),
    spent numeric(56,18) DEFAULT 0 NOT NULL,
    counted_qty numeric(28,9),
    counted_cash numeric(56,18),
    limit_price numeric(28,9),
    book_id uuid,
    is_unknown boolean DEFAULT false NOT NULL,
    order_version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT reservations_amounts_are_finite CHECK (((carried_qty >= (0)::numeric) AND (carried_qty <
        'Infinity'::numeric) AND (spent >= (0)::numeric) AND (spent < 'Infinity'::numeric) AND ((notional IS NULL)
        OR ((notional > (0)::numeric) AND (notional < 'Infinity'::numeric))) AND ((counted_qty IS NULL) OR
        ((counted_qty >= (0)::numeric) AND (counted_qty < 'Infinity'::numeric))) AND ((counted_cash IS NULL) OR
        ((counted_cash >= (0)::numeric) AND (counted_cash < 'Infinity'::numeric))))),
    CONSTRAINT reservations_filled_qty_check CHECK (((filled_qty >= (0)::numeric) AND (filled_qty <
        'Infinity'::numeric))),
    CONSTRAINT reservations_open_is_the_rest CHECK ((open_qty =
CASE
    WHEN (state = ANY (ARRAY['lapsed'::text, 'released'::text])) THEN (0)::numeric
    ELSE GREATEST((target_qty - filled_qty), (0)::numeric)
END)),
    CONSTRAINT reservations_open_qty_check CHECK (((open_qty >= (0)::numeric) AND (open_qty <
        'Infinity'::numeric))),
    CONSTRAINT reservations_pkey PRIMARY KEY (order_id),
    CONSTRAINT reservations_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT reservations_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT reservations_state_check CHECK ((state = ANY (ARRAY['held'::text, 'confirmed'::text, 'lapsed'::text,
        'released'::text, 'closed'::text]))),
    CONSTRAINT reservations_target_qty_check CHECK (((target_qty >= (0)::numeric) AND (target_qty <
        'Infinity'::numeric)))
);

-- table restrictions
CREATE TABLE restrictions (
    restriction_id uuid NOT NULL,
    symbol text NOT NULL,
    account_id uuid,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    lifted_by text,
    lifted_at timestamp with time zone,
    CONSTRAINT restrictions_pkey PRIMARY KEY (restriction_id),
    CONSTRAINT restrictions_reason_check CHECK ((reason <> ''::text))
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

-- table risk_metrics
CREATE TABLE risk_metrics (
    metric_id uuid NOT NULL,
    account_id uuid NOT NULL,
    cause text NOT NULL,
    measured_at timestamp with time zone NOT NULL,
    equity numeric(28,9),
    gross numeric(28,9) NOT NULL,
    net numeric(28,9) NOT NULL,
    report jsonb NOT NULL,
    CONSTRAINT risk_metrics_cause_check CHECK ((cause = ANY (ARRAY['schedule'::text, 'request'::text]))),
    CONSTRAINT risk_metrics_equity_check CHECK (((equity > '-Infinity'::numeric) AND (equity <
        'Infinity'::numeric))),
    CONSTRAINT risk_metrics_gross_check CHECK (((gross >= (0)::numeric) AND (gross < 'Infinity'::numeric))),
    CONSTRAINT risk_metrics_net_check CHECK (((net > '-Infinity'::numeric) AND (net < 'Infinity'::numeric))),
    CONSTRAINT risk_metrics_pkey PRIMARY KEY (metric_id)
);

-- table schema_migrations
CREATE TABLE schema_migrations (
    origin text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (origin, name)
);

-- table scope_kills
CREATE TABLE scope_kills (
    epoch bigint NOT NULL,
    scope text NOT NULL,
    key text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT scope_kills_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT scope_kills_key_check CHECK ((key <> ''::text)),
    CONSTRAINT scope_kills_pkey PRIMARY KEY (epoch),
    CONSTRAINT scope_kills_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT scope_kills_scope_check CHECK ((scope = ANY (ARRAY['user'::text, 'strategy'::text, 'venue'::text,
        'symbol'::text]))),
    CONSTRAINT scope_kills_state_check CHECK ((state = ANY (ARRAY['normal'::text, 'reduce_only'::text,
        'cancel_only'::text, 'halted'::text])))
);

-- table shared_limits
CREATE TABLE shared_limits (
    scope text NOT NULL,
    owner_id uuid NOT NULL,
    version bigint NOT NULL,
    credit_max numeric(28,9),
    four_eyes_above numeric(28,9),
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    credit_warn_pct numeric(28,9) DEFAULT 80 NOT NULL,
    CONSTRAINT shared_limits_credit_max_check CHECK (((credit_max > (0)::numeric) AND (credit_max <
        'Infinity'::numeric))),
    CONSTRAINT shared_limits_four_eyes_above_check CHECK (((four_eyes_above >= (0)::numeric) AND (four_eyes_above <
        'Infinity'::numeric))),
    CONSTRAINT shared_limits_pkey PRIMARY KEY (scope, owner_id, version),
    CONSTRAINT shared_limits_scope_check CHECK ((scope = ANY (ARRAY['firm'::text, 'user'::text]))),
    CONSTRAINT shared_limits_version_check CHECK ((version > 0)),
    CONSTRAINT shared_limits_warn_check CHECK (((credit_warn_pct > (0)::numeric) AND (credit_warn_pct <=
        (100)::numeric)))
);

-- table surveillance_cases
CREATE TABLE surveillance_cases (
    case_id uuid NOT NULL,
    detector text NOT NULL,
    parameter_version bigint NOT NULL,
    anchor uuid NOT NULL,
    owner_id uuid NOT NULL,
    symbol text NOT NULL,
    summary text NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    evidence text NOT NULL,
    evidence_sha256 bytea NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    reviewer text,
    proposed_by text,
    outcome text,
    reason text NOT NULL,
    closed_by text,
    closed_at timestamp with time zone,
    version bigint NOT NULL,
    CONSTRAINT surveillance_cases_closed_by_two CHECK ((((state = 'closed'::text) = (closed_by IS NOT NULL)) AND
        ((closed_at IS NULL) = (closed_by IS NULL)) AND ((closed_by IS NULL) OR ((proposed_by IS NOT NULL) AND
        (outcome IS NOT NULL) AND (closed_by <> proposed_by))))),
    CONSTRAINT surveillance_cases_evidence_sha256_check CHECK ((octet_length(evidence_sha256) = 32)),
    CONSTRAINT surveillance_cases_once_key UNIQUE (detector, anchor),
    CONSTRAINT surveillance_cases_outcome_check CHECK ((outcome = ANY (ARRAY['false_positive'::text,
        'explained'::text, 'reported'::text]))),
    CONSTRAINT surveillance_cases_parameter_version_check CHECK ((parameter_version > 0)),
    CONSTRAINT surveillance_cases_pkey PRIMARY KEY (case_id),
    CONSTRAINT surveillance_cases_state_check CHECK ((state = ANY (ARRAY['open'::text, 'under_review'::text,
        'escalated'::text, 'closed'::text]))),
    CONSTRAINT surveillance_cases_version_check CHECK ((version > 0))
);

-- table surveillance_parameters
CREATE TABLE surveillance_parameters (
    detector text NOT NULL,
    version bigint NOT NULL,
    parameters jsonb NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    review_due date NOT NULL,
    CONSTRAINT surveillance_parameters_pkey PRIMARY KEY (detector, version),
    CONSTRAINT surveillance_parameters_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT surveillance_parameters_version_check CHECK ((version > 0))
);

-- foreign key book_exposures.book_exposures_account_id_fkey
ALTER TABLE book_exposures ADD CONSTRAINT book_exposures_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key case_steps.case_steps_case_id_fkey
ALTER TABLE case_steps ADD CONSTRAINT case_steps_case_id_fkey FOREIGN KEY (case_id) REFERENCES
    surveillance_cases(case_id);

-- foreign key dead_man_switches.dead_man_switches_account_id_fkey
ALTER TABLE dead_man_switches ADD CONSTRAINT dead_man_switches_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key equity_days.equity_days_account_id_fkey
ALTER TABLE equity_days ADD CONSTRAINT equity_days_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key equity_marks.equity_marks_account_id_fkey
ALTER TABLE equity_marks ADD CONSTRAINT equity_marks_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key exposures.exposures_account_id_fkey
ALTER TABLE exposures ADD CONSTRAINT exposures_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key kill_states.kill_states_account_id_fkey
ALTER TABLE kill_states ADD CONSTRAINT kill_states_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key latches.latches_account_id_fkey
ALTER TABLE latches ADD CONSTRAINT latches_account_id_fkey FOREIGN KEY (account_id) REFERENCES balances(account_id);

-- foreign key limit_proposals.limit_proposals_account_id_fkey
ALTER TABLE limit_proposals ADD CONSTRAINT limit_proposals_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key limit_sets.limit_sets_account_id_fkey
ALTER TABLE limit_sets ADD CONSTRAINT limit_sets_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key message_buckets.message_buckets_account_id_fkey
ALTER TABLE message_buckets ADD CONSTRAINT message_buckets_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key overrides.overrides_account_id_fkey
ALTER TABLE overrides ADD CONSTRAINT overrides_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key price_closes.price_closes_feed_id_fkey
ALTER TABLE price_closes ADD CONSTRAINT price_closes_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES
    feed_marks(feed_id);

-- foreign key prices.prices_feed_id_fkey
ALTER TABLE prices ADD CONSTRAINT prices_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES feed_marks(feed_id);

-- foreign key reservations.reservations_account_id_fkey
ALTER TABLE reservations ADD CONSTRAINT reservations_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- foreign key reservations.reservations_decision_id_fkey
ALTER TABLE reservations ADD CONSTRAINT reservations_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES
    assessments(decision_id);

-- foreign key risk_metrics.risk_metrics_account_id_fkey
ALTER TABLE risk_metrics ADD CONSTRAINT risk_metrics_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    balances(account_id);

-- index alerts.alerts_escalation_idx
CREATE INDEX alerts_escalation_idx ON alerts USING btree (escalate_at) WHERE ((acknowledged_at IS NULL) AND
    (escalated_at IS NULL));

-- index alerts.alerts_owner_idx
CREATE INDEX alerts_owner_idx ON alerts USING btree (owner_id, raised_at DESC, alert_id DESC);

-- index alerts.alerts_raised_idx
CREATE INDEX alerts_raised_idx ON alerts USING btree (raised_at DESC, alert_id DESC);

-- index assessments.assessments_account_idx
CREATE INDEX assessments_account_idx ON assessments USING btree (account_id, decided_at DESC);

-- index assessments.assessments_decided_range_idx
CREATE INDEX assessments_decided_range_idx ON assessments USING brin (decided_at) WITH (autosummarize='on');

-- index assessments.assessments_refused_idx
CREATE INDEX assessments_refused_idx ON assessments USING btree (decided_at) WHERE (NOT approved);

-- index balances.balances_feed_idx
CREATE INDEX balances_feed_idx ON balances USING btree (feed_id);

-- index balances.balances_owner_idx
CREATE INDEX balances_owner_idx ON balances USING btree (owner_id);

-- index booked_executions.booked_executions_account_idx
CREATE INDEX booked_executions_account_idx ON booked_executions USING btree (account_id, booked_at);

-- index dead_man_switches.dead_man_switches_deadline_idx
CREATE INDEX dead_man_switches_deadline_idx ON dead_man_switches USING btree (deadline) WHERE (state =
    'armed'::text);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index kill_states.kill_states_account_idx
CREATE INDEX kill_states_account_idx ON kill_states USING btree (account_id, epoch) WHERE (scope = 'account'::text);

-- index kill_states.kill_states_firm_idx
CREATE INDEX kill_states_firm_idx ON kill_states USING btree (epoch) WHERE (scope = 'firm'::text);

-- index latches.latches_account_idx
CREATE INDEX latches_account_idx ON latches USING btree (account_id) WHERE (lifted_at IS NULL);

-- index limit_warnings.limit_warnings_standing_idx
CREATE INDEX limit_warnings_standing_idx ON limit_warnings USING btree (account_id) WHERE is_standing;

-- index order_stream.order_stream_person_idx
CREATE INDEX order_stream_person_idx ON order_stream USING btree (owner_id, symbol, happened_at);

-- index order_stream.order_stream_time_idx
CREATE INDEX order_stream_time_idx ON order_stream USING btree (happened_at);

-- index order_stream.order_stream_unseen_idx
CREATE INDEX order_stream_unseen_idx ON order_stream USING btree (stored_at) WHERE (NOT is_seen);

-- index overrides.overrides_open_idx
CREATE INDEX overrides_open_idx ON overrides USING btree (account_id) WHERE ((approved_at IS NOT NULL) AND (used_at
    IS NULL));

-- index reservations.reservations_group_idx
CREATE INDEX reservations_group_idx ON reservations USING btree (group_id) WHERE (group_id IS NOT NULL);

-- index reservations.reservations_held_idx
CREATE INDEX reservations_held_idx ON reservations USING btree (held_at) WHERE (state = 'held'::text);

-- index reservations.reservations_replaces_idx
CREATE INDEX reservations_replaces_idx ON reservations USING btree (replaces) WHERE (replaces IS NOT NULL);

-- index reservations.reservations_resting_idx
CREATE INDEX reservations_resting_idx ON reservations USING btree (account_id, symbol, side, limit_price) WHERE
    (open_qty > (0)::numeric);

-- index reservations.reservations_unknown_idx
CREATE INDEX reservations_unknown_idx ON reservations USING btree (account_id, symbol) WHERE (is_unknown AND
    (open_qty > (0)::numeric));

-- index restrictions.restrictions_symbol_idx
CREATE INDEX restrictions_symbol_idx ON restrictions USING btree (symbol) WHERE (lifted_at IS NULL);

-- index retention_items.retention_items_unfinished_idx
CREATE INDEX retention_items_unfinished_idx ON retention_items USING btree (started_at) WHERE (state = ANY
    (ARRAY['open'::text, 'archived'::text]));

-- index risk_metrics.risk_metrics_account_idx
CREATE INDEX risk_metrics_account_idx ON risk_metrics USING btree (account_id, measured_at DESC);

-- index scope_kills.scope_kills_key_idx
CREATE INDEX scope_kills_key_idx ON scope_kills USING btree (scope, key, epoch);

-- index surveillance_cases.surveillance_cases_opened_idx
CREATE INDEX surveillance_cases_opened_idx ON surveillance_cases USING btree (opened_at DESC, case_id DESC);

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

-- trigger reservations.reservations_totals_of_changed
CREATE TRIGGER reservations_totals_of_changed AFTER UPDATE ON reservations REFERENCING OLD TABLE AS before_it NEW
    TABLE AS after_it FOR EACH STATEMENT EXECUTE FUNCTION add_to_reservation_totals();

-- trigger reservations.reservations_totals_of_new
CREATE TRIGGER reservations_totals_of_new AFTER INSERT ON reservations REFERENCING NEW TABLE AS after_it FOR EACH
    STATEMENT EXECUTE FUNCTION add_to_reservation_totals();
