-- What the migrations of notification add up to. Generated from PostgreSQL's catalogue and compared with the database
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

-- table account_owners
CREATE TABLE account_owners (
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    CONSTRAINT account_owners_pkey PRIMARY KEY (account_id)
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

-- table channel_secrets
CREATE TABLE channel_secrets (
    channel_id uuid NOT NULL,
    version bigint NOT NULL,
    kek_version bigint NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT channel_secrets_kek_version_check CHECK ((kek_version > 0)),
    CONSTRAINT channel_secrets_pkey PRIMARY KEY (channel_id, version),
    CONSTRAINT channel_secrets_version_check CHECK ((version > 0))
);

-- table channels
CREATE TABLE channels (
    channel_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    status text NOT NULL,
    secret_version bigint NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    tries bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT channels_failures_check CHECK ((failures >= 0)),
    CONSTRAINT channels_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'webhook'::text]))),
    CONSTRAINT channels_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT channels_pkey PRIMARY KEY (channel_id),
    CONSTRAINT channels_removed_without_address CHECK (((status = 'removed'::text) = (address = ''::text))),
    CONSTRAINT channels_secret_version_check CHECK ((secret_version > 0)),
    CONSTRAINT channels_status_check CHECK ((status = ANY (ARRAY['unconfirmed'::text, 'active'::text,
        'resting'::text, 'removed'::text]))),
    CONSTRAINT channels_tries_check CHECK ((tries >= 0))
);

-- table deliveries
CREATE TABLE deliveries (
    message_id uuid NOT NULL,
    channel text NOT NULL,
    delivered_at timestamp with time zone NOT NULL,
    CONSTRAINT deliveries_channel_check CHECK ((channel = 'in_app'::text)),
    CONSTRAINT deliveries_pkey PRIMARY KEY (message_id, channel)
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

-- table messages
CREATE TABLE messages (
    message_id uuid NOT NULL,
    user_id uuid NOT NULL,
    dedupe_key text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    subject text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    CONSTRAINT messages_once_key UNIQUE (user_id, dedupe_key),
    CONSTRAINT messages_pkey PRIMARY KEY (message_id),
    CONSTRAINT messages_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text,
        'critical'::text])))
);

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table recipients
CREATE TABLE recipients (
    user_id uuid NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    role text DEFAULT ''::text NOT NULL,
    CONSTRAINT recipients_pkey PRIMARY KEY (user_id)
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

-- table rules
CREATE TABLE rules (
    channel_id uuid NOT NULL,
    topic text NOT NULL,
    severity text NOT NULL,
    CONSTRAINT rules_pkey PRIMARY KEY (channel_id, topic),
    CONSTRAINT rules_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text,
        'off'::text])))
);

-- table schedules
CREATE TABLE schedules (
    user_id uuid NOT NULL,
    time_zone text NOT NULL,
    quiet_from text NOT NULL,
    quiet_to text NOT NULL,
    muted_until timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT schedules_hours_whole CHECK (((quiet_from = ''::text) = (quiet_to = ''::text))),
    CONSTRAINT schedules_pkey PRIMARY KEY (user_id),
    CONSTRAINT schedules_quiet_from_check CHECK (((quiet_from = ''::text) OR (quiet_from ~
        '^([01][0-9]|2[0-3]):[0-5][0-9]$'::text))),
    CONSTRAINT schedules_quiet_to_check CHECK (((quiet_to = ''::text) OR (quiet_to ~
        '^([01][0-9]|2[0-3]):[0-5][0-9]$'::text)))
);

-- table schema_migrations
CREATE TABLE schema_migrations (
    origin text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (origin, name)
);

-- table sendings
CREATE TABLE sendings (
    sending_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    message_id uuid,
    severity text NOT NULL,
    state text NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    code text DEFAULT ''::text NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    CONSTRAINT sendings_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT sendings_ended_iff_not_due CHECK (((ended_at IS NULL) = (state = 'due'::text))),
    CONSTRAINT sendings_of_message CHECK (((message_id IS NULL) = (purpose <> 'message'::text))),
    CONSTRAINT sendings_once UNIQUE (message_id, channel_id),
    CONSTRAINT sendings_pkey PRIMARY KEY (sending_id),
    CONSTRAINT sendings_purpose_check CHECK ((purpose = ANY (ARRAY['message'::text, 'test'::text, 'code'::text]))),
    CONSTRAINT sendings_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text,
        'critical'::text]))),
    CONSTRAINT sendings_state_check CHECK ((state = ANY (ARRAY['due'::text, 'delivered'::text, 'given_up'::text,
        'withdrawn'::text])))
);

-- foreign key channel_secrets.channel_secrets_channel_id_fkey
ALTER TABLE channel_secrets ADD CONSTRAINT channel_secrets_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES
    channels(channel_id);

-- foreign key deliveries.deliveries_message_id_fkey
ALTER TABLE deliveries ADD CONSTRAINT deliveries_message_id_fkey FOREIGN KEY (message_id) REFERENCES
    messages(message_id);

-- foreign key rules.rules_channel_id_fkey
ALTER TABLE rules ADD CONSTRAINT rules_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels(channel_id);

-- foreign key sendings.sendings_channel_id_fkey
ALTER TABLE sendings ADD CONSTRAINT sendings_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES
    channels(channel_id);

-- foreign key sendings.sendings_message_id_fkey
ALTER TABLE sendings ADD CONSTRAINT sendings_message_id_fkey FOREIGN KEY (message_id) REFERENCES
    messages(message_id);

-- index channels.channels_name_once
CREATE UNIQUE INDEX channels_name_once ON channels USING btree (user_id, name) WHERE (status <> 'removed'::text);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index messages.messages_inbox_idx
CREATE INDEX messages_inbox_idx ON messages USING btree (user_id, created_at DESC, message_id DESC);

-- index messages.messages_unread_idx
CREATE INDEX messages_unread_idx ON messages USING btree (user_id, created_at DESC, message_id DESC) WHERE (read_at
    IS NULL);

-- index retention_items.retention_items_unfinished_idx
CREATE INDEX retention_items_unfinished_idx ON retention_items USING btree (started_at) WHERE (state = ANY
    (ARRAY['open'::text, 'archived'::text]));

-- index sendings.sendings_due_idx
CREATE INDEX sendings_due_idx ON sendings USING btree (channel_id, created_at, sending_id) WHERE (state =
    'due'::text);

-- index sendings.sendings_log_idx
CREATE INDEX sendings_log_idx ON sendings USING btree (user_id, created_at DESC, sending_id DESC);

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
