-- What the migrations of trading add up to. Generated from PostgreSQL's catalogue and compared with the database
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

-- function keep_months(timestamp with time zone)
CREATE OR REPLACE FUNCTION keep_months(timestamp with time zone)
 RETURNS TABLE(part text, failure text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path FROM CURRENT
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '2s'
AS $function$
DECLARE
    ahead timestamptz := greatest(now(), least($1, now() + interval '40 days'));
    last_month timestamptz := date_trunc('month', ahead) + interval '3 months';
    cut record;
    month timestamptz;
    rest text;
    made text;
    within text;
    is_filled boolean;
    reader text;
BEGIN
    FOR cut IN
        SELECT n.nspname AS place, c.relname AS name, a.attname AS moment, (
                SELECT string_agg(quote_ident(f.attname), ', ' ORDER BY f.attnum)
                FROM pg_attribute AS f WHERE f.attrelid = c.oid AND f.attnum > 0 AND NOT f.attisdropped
            ) AS columns
        FROM pg_partitioned_table AS t
        JOIN pg_class AS c ON c.oid = t.partrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = t.partattrs[0]
        WHERE n.nspname = ANY (current_schemas(false)) AND pg_get_userbyid(c.relowner) = current_user
        ORDER BY n.nspname, c.relname
    LOOP
        rest := format('%I.%I', cut.place, cut.name || '_rest');
        SELECT greatest(date_trunc('month', now()), k.kept_until) INTO month
        FROM months_kept() AS k WHERE k.whole = format('%I.%I', cut.place, cut.name);
        CONTINUE WHEN month > last_month;
        BEGIN
            -- One at a time, and nobody who reads or writes waits for it. Another may have made the month meanwhile.
            EXECUTE format('LOCK TABLE %I.%I IN SHARE UPDATE EXCLUSIVE MODE', cut.place, cut.name);
            SELECT greatest(date_trunc('month', now()), k.kept_until) INTO month
            FROM months_kept() AS k WHERE k.whole = format('%I.%I', cut.place, cut.name);
        EXCEPTION WHEN lock_not_available THEN
            part := cut.name;
            failure := SQLERRM;
            RETURN NEXT;
            CONTINUE;
        END;
        WHILE month <= last_month LOOP
            part := cut.name || to_char(month, '"_p"YYYY_MM');
            failure := '';
            made := format('%I.%I', cut.place, part);
            within := format('%1$I >= %2$L AND %1$I < %3$L', cut.moment, month, month + interval '1 month');
            BEGIN
                EXECUTE format('CREATE TABLE %s (LIKE %I.%I INCLUDING ALL)', made, cut.place, cut.name);
                EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s)', rest, within) INTO is_filled;
                IF is_filled THEN
                    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', rest);
                    EXECUTE format(
                        'WITH moved AS (DELETE FROM %1$s WHERE %2$s RETURNING %4$s) '
                        'INSERT INTO %3$s (%4$s) SELECT %4$s FROM moved',
                        rest, within, made, cut.columns
                    );
                END IF;
                EXECUTE format(
                    'ALTER TABLE %I.%I ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                    cut.place, cut.name, made, month, month + interval '1 month'
                );
                FOR reader IN
                    SELECT pg_get_userbyid(x.grantee)
                    FROM pg_class AS c, aclexplode(c.relacl) AS x
                    WHERE c.oid = rest::regclass AND x.privilege_type = 'SELECT' AND x.grantee <> c.relowner
                LOOP
                    EXECUTE format('GRANT SELECT ON %s TO %I', made, reader);
                END LOOP;
            EXCEPTION WHEN OTHERS THEN
                failure := SQLERRM;
            END;
            RETURN NEXT;
            EXIT WHEN failure <> ''; -- a month after it would hide that this one is missing
            month := month + interval '1 month';
        END LOOP;
    END LOOP;
END
$function$;

-- function months_kept()
CREATE OR REPLACE FUNCTION months_kept()
 RETURNS TABLE(whole text, kept_until timestamp with time zone, has_rest boolean)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path FROM CURRENT
 SET "TimeZone" TO 'UTC'
AS $function$
DECLARE
    cut record;
BEGIN
    FOR cut IN
        SELECT n.nspname AS place, c.relname AS name,
            max((regexp_match(pg_get_expr(p.relpartbound, p.oid), ' TO \(''([^'']+)''\)'))[1]::timestamptz) AS ends_at
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_inherits AS i ON i.inhparent = c.oid
        JOIN pg_class AS p ON p.oid = i.inhrelid
        WHERE c.relkind = 'p' AND n.nspname = ANY (current_schemas(false))
            AND pg_get_userbyid(c.relowner) = current_user
        GROUP BY n.nspname, c.relname
        ORDER BY n.nspname, c.relname
    LOOP
        whole := format('%I.%I', cut.place, cut.name);
        kept_until := cut.ends_at;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', cut.place, cut.name || '_rest') INTO has_rest;
        RETURN NEXT;
    END LOOP;
END
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

-- function refuse_unbalanced_entries()
CREATE OR REPLACE FUNCTION refuse_unbalanced_entries()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path FROM CURRENT
AS $function$
BEGIN
    IF EXISTS (SELECT 1 FROM inserted GROUP BY transaction_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a transaction must add up to zero' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ledger_entries_balanced';
    END IF;
    RETURN NULL;
END
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

-- table accounts
CREATE TABLE accounts (
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    currency text NOT NULL,
    feed_id uuid,
    is_risk_ready boolean DEFAULT false NOT NULL,
    is_venue_ready boolean DEFAULT false NOT NULL,
    starting_cash numeric(28,9) NOT NULL,
    cash numeric(28,9) NOT NULL,
    realized_pnl numeric(28,9) DEFAULT 0 NOT NULL,
    fees numeric(28,9) DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    net_flows numeric(28,9) DEFAULT 0 NOT NULL,
    CONSTRAINT accounts_cash_check CHECK (((cash > '-Infinity'::numeric) AND (cash < 'Infinity'::numeric))),
    CONSTRAINT accounts_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT accounts_fees_check CHECK (((fees > '-Infinity'::numeric) AND (fees < 'Infinity'::numeric))),
    CONSTRAINT accounts_mode_check CHECK ((mode = ANY (ARRAY['paper'::text, 'live'::text]))),
    CONSTRAINT accounts_name_check CHECK ((name <> ''::text)),
    CONSTRAINT accounts_owner_name_key UNIQUE (owner_id, name),
    CONSTRAINT accounts_pkey PRIMARY KEY (account_id),
    CONSTRAINT accounts_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric))),
    CONSTRAINT accounts_starting_cash_check CHECK (((starting_cash >= (0)::numeric) AND (starting_cash <
        'Infinity'::numeric)))
);

-- table activities
CREATE TABLE activities (
    activity_id uuid NOT NULL,
    account_id uuid NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    symbol text DEFAULT ''::text NOT NULL,
    qty numeric(28,9) DEFAULT 0 NOT NULL,
    net_amount numeric(28,9) NOT NULL,
    currency text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    request text NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    CONSTRAINT activities_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT activities_kind_check CHECK ((kind <> ''::text)),
    CONSTRAINT activities_net_amount_check CHECK (((net_amount > '-Infinity'::numeric) AND (net_amount <
        'Infinity'::numeric))),
    CONSTRAINT activities_pkey PRIMARY KEY (activity_id),
    CONSTRAINT activities_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT activities_reference_check CHECK ((reference <> ''::text)),
    CONSTRAINT activities_reference_key UNIQUE (account_id, reference)
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

-- table booking_breaks
CREATE TABLE booking_breaks (
    break_id uuid NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    execution_id text NOT NULL,
    symbol text NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    report text NOT NULL,
    is_booked boolean NOT NULL,
    found_at timestamp with time zone NOT NULL,
    CONSTRAINT booking_breaks_code_check CHECK ((code <> ''::text)),
    CONSTRAINT booking_breaks_pkey PRIMARY KEY (break_id)
);

-- table books
CREATE TABLE books (
    account_id uuid NOT NULL,
    book_id uuid NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    capital numeric(28,9) DEFAULT 0 NOT NULL,
    cash numeric(28,9) DEFAULT 0 NOT NULL,
    realized_pnl numeric(28,9) DEFAULT 0 NOT NULL,
    fees numeric(28,9) DEFAULT 0 NOT NULL,
    opened_at timestamp with time zone,
    CONSTRAINT books_capital_check CHECK (((capital >= (0)::numeric) AND (capital < 'Infinity'::numeric))),
    CONSTRAINT books_cash_check CHECK (((cash > '-Infinity'::numeric) AND (cash < 'Infinity'::numeric))),
    CONSTRAINT books_fees_check CHECK (((fees > '-Infinity'::numeric) AND (fees < 'Infinity'::numeric))),
    CONSTRAINT books_not_the_rest CHECK ((book_id <> '00000000-0000-0000-0000-000000000000'::uuid)),
    CONSTRAINT books_pkey PRIMARY KEY (account_id, book_id),
    CONSTRAINT books_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric))),
    CONSTRAINT books_status_check CHECK ((status = ANY (ARRAY['open'::text, 'released'::text])))
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

-- table executions
CREATE TABLE executions (
    account_id uuid NOT NULL,
    execution_id text NOT NULL,
    order_id uuid NOT NULL,
    book_id uuid,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric(28,9) NOT NULL,
    price numeric(28,9) NOT NULL,
    fee numeric(28,9) NOT NULL,
    realized_pnl numeric(28,9) NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    transaction_id uuid NOT NULL,
    fee_qty numeric(28,9) DEFAULT 0 NOT NULL,
    CONSTRAINT executions_execution_id_check CHECK ((execution_id <> ''::text)),
    CONSTRAINT executions_fee_check CHECK (((fee > '-Infinity'::numeric) AND (fee < 'Infinity'::numeric))),
    CONSTRAINT executions_fee_qty_check CHECK (((fee_qty >= (0)::numeric) AND (fee_qty < 'Infinity'::numeric))),
    CONSTRAINT executions_pkey PRIMARY KEY (account_id, execution_id),
    CONSTRAINT executions_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT executions_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT executions_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric))),
    CONSTRAINT executions_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
);

-- table inbox
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id)
);

-- table ledger_entries
CREATE TABLE ledger_entries (
    transaction_id uuid NOT NULL,
    account_id uuid NOT NULL,
    ledger_account text NOT NULL,
    amount numeric(28,9) NOT NULL,
    currency text NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    book_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    CONSTRAINT ledger_entries_amount_check CHECK (((amount > '-Infinity'::numeric) AND (amount <
        'Infinity'::numeric))),
    CONSTRAINT ledger_entries_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT ledger_entries_ledger_account_check CHECK ((ledger_account <> ''::text)),
    CONSTRAINT ledger_entries_pkey PRIMARY KEY (transaction_id, book_id, ledger_account, booked_at)
) PARTITION BY RANGE (booked_at);

-- table lot_closes
CREATE TABLE lot_closes (
    account_id uuid NOT NULL,
    execution_id text NOT NULL,
    book_id uuid NOT NULL,
    lot_no bigint NOT NULL,
    symbol text NOT NULL,
    qty numeric(28,9) NOT NULL,
    cost numeric(28,9) NOT NULL,
    proceeds numeric(28,9) NOT NULL,
    realized_pnl numeric(28,9) NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    CONSTRAINT lot_closes_cost_check CHECK (((cost > '-Infinity'::numeric) AND (cost < 'Infinity'::numeric))),
    CONSTRAINT lot_closes_execution_id_check CHECK ((execution_id <> ''::text)),
    CONSTRAINT lot_closes_lot_no_check CHECK ((lot_no > 0)),
    CONSTRAINT lot_closes_pkey PRIMARY KEY (account_id, execution_id, book_id, lot_no),
    CONSTRAINT lot_closes_proceeds_check CHECK (((proceeds > '-Infinity'::numeric) AND (proceeds <
        'Infinity'::numeric))),
    CONSTRAINT lot_closes_profit CHECK ((realized_pnl = (proceeds - cost))),
    CONSTRAINT lot_closes_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT lot_closes_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric)))
);

-- table lots
CREATE TABLE lots (
    account_id uuid NOT NULL,
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    lot_no bigint NOT NULL,
    qty numeric(28,9) NOT NULL,
    cost numeric(28,9) NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    execution_id text NOT NULL,
    CONSTRAINT lots_cost_check CHECK (((cost > '-Infinity'::numeric) AND (cost < 'Infinity'::numeric))),
    CONSTRAINT lots_lot_no_check CHECK ((lot_no > 0)),
    CONSTRAINT lots_pkey PRIMARY KEY (account_id, book_id, symbol, lot_no),
    CONSTRAINT lots_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric)))
);

-- table marks
CREATE TABLE marks (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    price numeric(28,9) NOT NULL,
    seq bigint NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    CONSTRAINT marks_pkey PRIMARY KEY (feed_id, symbol),
    CONSTRAINT marks_price_check CHECK (((price > (0)::numeric) AND (price < 'Infinity'::numeric))),
    CONSTRAINT marks_seq_check CHECK ((seq >= 0))
);

-- table order_events
CREATE TABLE order_events (
    order_id uuid NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    detail text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT order_events_pkey PRIMARY KEY (order_id, version, occurred_at),
    CONSTRAINT order_events_version_check CHECK ((version > 0))
) PARTITION BY RANGE (occurred_at);

-- table orders
CREATE TABLE orders (
    order_id uuid NOT NULL,
    client_order_id text NOT NULL,
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    book_id uuid,
    symbol text NOT NULL,
    side text NOT NULL,
    type text NOT NULL,
    time_in_force text NOT NULL,
    qty numeric(28,9),
    limit_price numeric(28,9),
    status text NOT NULL,
    filled_qty numeric(28,9) DEFAULT 0 NOT NULL,
    filled_amount numeric(28,9) DEFAULT 0 NOT NULL,
    reason_code text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    decision_id uuid,
    version bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    notional numeric(28,9),
    stop_price numeric(28,9),
    trail_price numeric(28,9),
    trail_percent numeric(28,9),
    expire_at timestamp with time zone,
    extended_hours boolean DEFAULT false NOT NULL,
    reduce_only boolean DEFAULT false NOT NULL,
    position_intent text,
    order_class text DEFAULT 'simple'::text NOT NULL,
    leg text DEFAULT 'entry'::text NOT NULL,
    group_id uuid,
    replaces uuid,
    replaced_by uuid,
    resumes text,
    final_qty numeric(28,9),
    carried_qty numeric(28,9) DEFAULT 0 NOT NULL,
    submitted_at timestamp with time zone,
    triggered_at timestamp with time zone,
    filled_at timestamp with time zone,
    canceled_at timestamp with time zone,
    expired_at timestamp with time zone,
    failed_at timestamp with time zone,
    replaced_at timestamp with time zone,
    strategy_hash text DEFAULT ''::text NOT NULL,
    hwm numeric(28,9),
    report_seq bigint DEFAULT 0 NOT NULL,
    fill_factor numeric(38,18),
    fill_offset numeric(38,18),
    fill_tick numeric(38,18),
    CONSTRAINT orders_account_client_order_id_key UNIQUE (account_id, client_order_id),
    CONSTRAINT orders_client_order_id_check CHECK ((client_order_id ~ '^[A-Za-z0-9._:-]{1,128}$'::text)),
    CONSTRAINT orders_filled_amount_check CHECK (((filled_amount >= (0)::numeric) AND (filled_amount <
        'Infinity'::numeric))),
    CONSTRAINT orders_filled_qty_check CHECK (((filled_qty >= (0)::numeric) AND (filled_qty <
        'Infinity'::numeric))),
    CONSTRAINT orders_from_fill CHECK (((num_nonnulls(fill_factor, fill_offset) = ANY (ARRAY[0, 2])) AND ((fill_tick
        IS NULL) OR ((fill_factor IS NOT NULL) AND (fill_tick > (0)::numeric) AND (fill_tick <
        'Infinity'::numeric))) AND COALESCE(((fill_factor > (0)::numeric) AND (fill_factor < 'Infinity'::numeric)),
        true) AND COALESCE(((fill_offset > '-Infinity'::numeric) AND (fill_offset < 'Infinity'::numeric)), true) AND
        ((fill_factor IS NULL) OR ((leg <> 'entry'::text) AND (type = ANY (ARRAY['limit'::text, 'stop'::text])))))),
    CONSTRAINT orders_hwm_check CHECK (((hwm > (0)::numeric) AND (hwm < 'Infinity'::numeric))),
    CONSTRAINT orders_limit_price_check CHECK (((limit_price > (0)::numeric) AND (limit_price <
        'Infinity'::numeric))),
    CONSTRAINT orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT orders_prices_of_type CHECK ((((type = ANY (ARRAY['limit'::text, 'stop_limit'::text])) = (limit_price
        IS NOT NULL)) AND ((type = ANY (ARRAY['stop'::text, 'stop_limit'::text])) = (stop_price IS NOT NULL)) AND
        (num_nonnulls(trail_price, trail_percent) = ((type = 'trailing_stop'::text))::integer) AND ((time_in_force =
        'gtd'::text) = (expire_at IS NOT NULL)))),
    CONSTRAINT orders_qty_check CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT orders_qty_or_notional CHECK ((num_nonnulls(qty, notional) = 1)),
    CONSTRAINT orders_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT orders_status_known CHECK ((status = ANY (ARRAY['denied'::text, 'held'::text, 'pending_new'::text,
        'accepted'::text, 'new'::text, 'partially_filled'::text, 'pending_cancel'::text, 'pending_replace'::text,
        'suspended'::text, 'done_for_day'::text, 'filled'::text, 'canceled'::text, 'expired'::text,
        'rejected'::text, 'replaced'::text, 'unknown'::text]))),
    CONSTRAINT orders_terms_finite CHECK ((COALESCE(((notional > (0)::numeric) AND (notional <
        'Infinity'::numeric)), true) AND COALESCE(((stop_price > (0)::numeric) AND (stop_price <
        'Infinity'::numeric)), true) AND COALESCE(((trail_price > (0)::numeric) AND (trail_price <
        'Infinity'::numeric)), true) AND COALESCE(((trail_percent > (0)::numeric) AND (trail_percent <
        (100)::numeric)), true) AND COALESCE(((final_qty >= (0)::numeric) AND (final_qty < 'Infinity'::numeric)),
        true) AND (carried_qty >= (0)::numeric) AND (carried_qty < 'Infinity'::numeric))),
    CONSTRAINT orders_version_check CHECK ((version > 0)),
    CONSTRAINT orders_words_known CHECK (((type = ANY (ARRAY['market'::text, 'limit'::text, 'stop'::text,
        'stop_limit'::text, 'trailing_stop'::text])) AND (time_in_force = ANY (ARRAY['day'::text, 'gtc'::text,
        'ioc'::text, 'fok'::text, 'opg'::text, 'cls'::text, 'gtd'::text])) AND (order_class = ANY
        (ARRAY['simple'::text, 'oto'::text, 'oco'::text, 'bracket'::text])) AND (leg = ANY (ARRAY['entry'::text,
        'take_profit'::text, 'stop_loss'::text]))))
);

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table portfolio_points
CREATE TABLE portfolio_points (
    account_id uuid NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    equity numeric(28,9) NOT NULL,
    cash numeric(28,9) NOT NULL,
    net_flows numeric(28,9) NOT NULL,
    CONSTRAINT portfolio_points_cash_check CHECK (((cash > '-Infinity'::numeric) AND (cash < 'Infinity'::numeric))),
    CONSTRAINT portfolio_points_equity_check CHECK (((equity > '-Infinity'::numeric) AND (equity <
        'Infinity'::numeric))),
    CONSTRAINT portfolio_points_net_flows_check CHECK (((net_flows > '-Infinity'::numeric) AND (net_flows <
        'Infinity'::numeric))),
    CONSTRAINT portfolio_points_pkey PRIMARY KEY (account_id, marked_at)
);

-- table positions
CREATE TABLE positions (
    account_id uuid NOT NULL,
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    qty numeric(28,9) NOT NULL,
    cost numeric(28,9) NOT NULL,
    realized_pnl numeric(28,9) NOT NULL,
    fees numeric(28,9) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    lots_opened bigint DEFAULT 0 NOT NULL,
    trades_opened bigint DEFAULT 0 NOT NULL,
    CONSTRAINT positions_cost_check CHECK (((cost > '-Infinity'::numeric) AND (cost < 'Infinity'::numeric))),
    CONSTRAINT positions_fees_check CHECK (((fees > '-Infinity'::numeric) AND (fees < 'Infinity'::numeric))),
    CONSTRAINT positions_pkey PRIMARY KEY (account_id, book_id, symbol),
    CONSTRAINT positions_qty_check CHECK (((qty > '-Infinity'::numeric) AND (qty < 'Infinity'::numeric))),
    CONSTRAINT positions_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric)))
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

-- table splits_of_feeds
CREATE TABLE splits_of_feeds (
    feed_id uuid NOT NULL,
    symbol text NOT NULL,
    reference text NOT NULL,
    new_shares bigint NOT NULL,
    old_shares bigint NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    CONSTRAINT splits_of_feeds_new_shares_check CHECK ((new_shares > 0)),
    CONSTRAINT splits_of_feeds_old_shares_check CHECK ((old_shares > 0)),
    CONSTRAINT splits_of_feeds_pkey PRIMARY KEY (feed_id, symbol, reference),
    CONSTRAINT splits_of_feeds_reference_check CHECK ((reference <> ''::text)),
    CONSTRAINT splits_of_feeds_symbol_check CHECK ((symbol <> ''::text))
);

-- table trades
CREATE TABLE trades (
    account_id uuid NOT NULL,
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    trade_no bigint NOT NULL,
    side text NOT NULL,
    entry_qty numeric(28,9) NOT NULL,
    entry_amount numeric(28,9) NOT NULL,
    exit_amount numeric(28,9) NOT NULL,
    realized_pnl numeric(28,9) NOT NULL,
    fees numeric(28,9) NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT trades_check CHECK ((closed_at >= opened_at)),
    CONSTRAINT trades_entry_amount_check CHECK (((entry_amount > '-Infinity'::numeric) AND (entry_amount <
        'Infinity'::numeric))),
    CONSTRAINT trades_entry_qty_check CHECK (((entry_qty >= (0)::numeric) AND (entry_qty < 'Infinity'::numeric))),
    CONSTRAINT trades_exit_amount_check CHECK (((exit_amount > '-Infinity'::numeric) AND (exit_amount <
        'Infinity'::numeric))),
    CONSTRAINT trades_fees_check CHECK (((fees > '-Infinity'::numeric) AND (fees < 'Infinity'::numeric))),
    CONSTRAINT trades_pkey PRIMARY KEY (account_id, book_id, symbol, trade_no),
    CONSTRAINT trades_realized_pnl_check CHECK (((realized_pnl > '-Infinity'::numeric) AND (realized_pnl <
        'Infinity'::numeric))),
    CONSTRAINT trades_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT trades_trade_no_check CHECK ((trade_no > 0))
);

-- table unclaimed_reports
CREATE TABLE unclaimed_reports (
    event_id uuid NOT NULL,
    order_id uuid NOT NULL,
    kind text NOT NULL,
    report text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    kept_at timestamp with time zone NOT NULL,
    claimed_at timestamp with time zone,
    CONSTRAINT unclaimed_reports_kind_check CHECK ((kind <> ''::text)),
    CONSTRAINT unclaimed_reports_pkey PRIMARY KEY (event_id)
);

-- foreign key activities.activities_account_id_fkey
ALTER TABLE activities ADD CONSTRAINT activities_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    accounts(account_id);

-- foreign key books.books_account_id_fkey
ALTER TABLE books ADD CONSTRAINT books_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(account_id);

-- foreign key executions.executions_account_id_fkey
ALTER TABLE executions ADD CONSTRAINT executions_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    accounts(account_id);

-- foreign key executions.executions_order_id_fkey
ALTER TABLE executions ADD CONSTRAINT executions_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(order_id);

-- foreign key ledger_entries.ledger_entries_account_id_fkey
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    accounts(account_id);

-- foreign key lot_closes.lot_closes_account_id_fkey
ALTER TABLE lot_closes ADD CONSTRAINT lot_closes_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    accounts(account_id);

-- foreign key lots.lots_account_id_fkey
ALTER TABLE lots ADD CONSTRAINT lots_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(account_id);

-- foreign key order_events.order_events_order_id_fkey
ALTER TABLE order_events ADD CONSTRAINT order_events_order_id_fkey FOREIGN KEY (order_id) REFERENCES
    orders(order_id);

-- foreign key orders.orders_account_id_fkey
ALTER TABLE orders ADD CONSTRAINT orders_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(account_id);

-- foreign key portfolio_points.portfolio_points_account_id_fkey
ALTER TABLE portfolio_points ADD CONSTRAINT portfolio_points_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    accounts(account_id);

-- foreign key positions.positions_account_id_fkey
ALTER TABLE positions ADD CONSTRAINT positions_account_id_fkey FOREIGN KEY (account_id) REFERENCES
    accounts(account_id);

-- foreign key trades.trades_account_id_fkey
ALTER TABLE trades ADD CONSTRAINT trades_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(account_id);

-- index accounts.accounts_feed_idx
CREATE INDEX accounts_feed_idx ON accounts USING btree (feed_id);

-- index activities.activities_account_booked_idx
CREATE INDEX activities_account_booked_idx ON activities USING btree (account_id, booked_at, activity_id);

-- index booking_breaks.booking_breaks_account_idx
CREATE INDEX booking_breaks_account_idx ON booking_breaks USING btree (account_id, found_at DESC, break_id);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index executions.executions_account_booked_idx
CREATE INDEX executions_account_booked_idx ON executions USING btree (account_id, booked_at, execution_id);

-- index executions.executions_booked_range_idx
CREATE INDEX executions_booked_range_idx ON executions USING brin (booked_at) WITH (autosummarize='on');

-- index executions.executions_order_idx
CREATE INDEX executions_order_idx ON executions USING btree (order_id);

-- index ledger_entries.ledger_entries_account_idx
CREATE INDEX ledger_entries_account_idx ON ledger_entries USING btree (account_id, booked_at, transaction_id);

-- index lot_closes.lot_closes_account_closed_idx
CREATE INDEX lot_closes_account_closed_idx ON lot_closes USING btree (account_id, closed_at, execution_id);

-- index lots.lots_open_idx
CREATE INDEX lots_open_idx ON lots USING btree (account_id, book_id, symbol, lot_no) WHERE (qty <> (0)::numeric);

-- index order_events.order_events_occurred_range_idx
CREATE INDEX order_events_occurred_range_idx ON order_events USING brin (occurred_at) WITH (autosummarize='on');

-- index orders.orders_account_page_idx
CREATE INDEX orders_account_page_idx ON orders USING btree (account_id, created_at, order_id);

-- index orders.orders_created_idx
CREATE INDEX orders_created_idx ON orders USING btree (created_at DESC, order_id DESC);

-- index orders.orders_group_idx
CREATE INDEX orders_group_idx ON orders USING btree (group_id) WHERE (group_id IS NOT NULL);

-- index orders.orders_open_page_idx
CREATE INDEX orders_open_page_idx ON orders USING btree (account_id, created_at, order_id) WHERE (status = ANY
    (ARRAY['held'::text, 'pending_new'::text, 'accepted'::text, 'new'::text, 'partially_filled'::text,
    'pending_cancel'::text, 'pending_replace'::text, 'suspended'::text, 'done_for_day'::text, 'unknown'::text]));

-- index retention_items.retention_items_unfinished_idx
CREATE INDEX retention_items_unfinished_idx ON retention_items USING btree (started_at) WHERE (state = ANY
    (ARRAY['open'::text, 'archived'::text]));

-- index trades.trades_account_opened_idx
CREATE INDEX trades_account_opened_idx ON trades USING btree (account_id, opened_at DESC, symbol, trade_no);

-- index unclaimed_reports.unclaimed_reports_kept_idx
CREATE INDEX unclaimed_reports_kept_idx ON unclaimed_reports USING btree (kept_at DESC, event_id);

-- index unclaimed_reports.unclaimed_reports_waiting_idx
CREATE INDEX unclaimed_reports_waiting_idx ON unclaimed_reports USING btree (order_id) WHERE (claimed_at IS NULL);

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

-- trigger ledger_entries.ledger_entries_balanced
CREATE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS inserted FOR EACH
    STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries();
