-- What the migrations of auth add up to. Generated from PostgreSQL's catalogue and compared with the database
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

-- table api_keys
CREATE TABLE api_keys (
    key_id text NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    mode text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    account_id uuid,
    addresses cidr[] DEFAULT '{}'::cidr[] NOT NULL,
    CONSTRAINT api_keys_key_id_check CHECK ((key_id ~ '^AK[A-Z2-7]{18}$'::text)),
    CONSTRAINT api_keys_mode_check CHECK ((mode = ANY (ARRAY['paper'::text, 'live'::text]))),
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_scopes_check CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['read'::text,
        'trade'::text, 'admin'::text]))),
    CONSTRAINT api_keys_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
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

-- table login_failures
CREATE TABLE login_failures (
    bucket bytea NOT NULL,
    attempts bigint NOT NULL,
    last_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone NOT NULL,
    CONSTRAINT login_failures_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT login_failures_bucket_check CHECK ((octet_length(bucket) = 32)),
    CONSTRAINT login_failures_pkey PRIMARY KEY (bucket)
);

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table recovery_codes
CREATE TABLE recovery_codes (
    code_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT recovery_codes_hash_check CHECK ((octet_length(code_hash) = 32)),
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (code_hash)
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

-- table second_factors
CREATE TABLE second_factors (
    user_id uuid NOT NULL,
    sealed_seed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    CONSTRAINT second_factors_pkey PRIMARY KEY (user_id)
);

-- table sessions
CREATE TABLE sessions (
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    rotations bigint NOT NULL,
    signed_in_at timestamp with time zone NOT NULL,
    rotated_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    proven_at timestamp with time zone,
    address text DEFAULT ''::text NOT NULL,
    CONSTRAINT sessions_end_check CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT sessions_pkey PRIMARY KEY (session_id),
    CONSTRAINT sessions_rotations_check CHECK ((rotations >= 0)),
    CONSTRAINT sessions_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

-- table setup_tokens
CREATE TABLE setup_tokens (
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    replaced_at timestamp with time zone,
    CONSTRAINT setup_tokens_hash_check CHECK ((octet_length(token_hash) = 32)),
    CONSTRAINT setup_tokens_pkey PRIMARY KEY (token_hash)
);

-- table users
CREATE TABLE users (
    user_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT users_email_check CHECK ((email = lower(email))),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_password_hash_check CHECK ((password_hash ~~ '$argon2id$%'::text)),
    CONSTRAINT users_pkey PRIMARY KEY (user_id),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'operator'::text, 'trader'::text,
        'viewer'::text])))
);

-- foreign key api_keys.api_keys_user_fkey
ALTER TABLE api_keys ADD CONSTRAINT api_keys_user_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

-- foreign key recovery_codes.recovery_codes_user_fkey
ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_user_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

-- foreign key second_factors.second_factors_user_fkey
ALTER TABLE second_factors ADD CONSTRAINT second_factors_user_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

-- foreign key sessions.sessions_user_fkey
ALTER TABLE sessions ADD CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

-- index api_keys.api_keys_user_idx
CREATE INDEX api_keys_user_idx ON api_keys USING btree (user_id, created_at);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index login_failures.login_failures_last_at_idx
CREATE INDEX login_failures_last_at_idx ON login_failures USING btree (last_at);

-- index recovery_codes.recovery_codes_user_idx
CREATE INDEX recovery_codes_user_idx ON recovery_codes USING btree (user_id);

-- index retention_items.retention_items_unfinished_idx
CREATE INDEX retention_items_unfinished_idx ON retention_items USING btree (started_at) WHERE (state = ANY
    (ARRAY['open'::text, 'archived'::text]));

-- index sessions.sessions_user_idx
CREATE INDEX sessions_user_idx ON sessions USING btree (user_id);

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
