-- What the migrations of user add up to. Generated from PostgreSQL's catalogue and compared with the database
-- at each start; written anew by ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/integration/dataplane/test_schema.py

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
    raise exception 'audit_events is append-only: % is refused', tg_op using errcode = 'restrict_violation';
end
$function$;

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

-- table outbox
CREATE TABLE outbox (
    event_id uuid NOT NULL,
    enqueued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (event_id)
);

-- table preferences
CREATE TABLE preferences (
    user_id uuid NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT preferences_pkey PRIMARY KEY (user_id, name)
);

-- table profiles
CREATE TABLE profiles (
    user_id uuid NOT NULL,
    email text NOT NULL,
    display_name text NOT NULL,
    locale text NOT NULL,
    time_zone text NOT NULL,
    version bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT profiles_pkey PRIMARY KEY (user_id),
    CONSTRAINT profiles_version_check CHECK ((version > 0))
);

-- table schema_migrations
CREATE TABLE schema_migrations (
    origin text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (origin, name)
);

-- table watchlists
CREATE TABLE watchlists (
    watchlist_id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text NOT NULL,
    symbols text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT watchlists_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT watchlists_name_once UNIQUE (user_id, account_id, name),
    CONSTRAINT watchlists_pkey PRIMARY KEY (watchlist_id),
    CONSTRAINT watchlists_symbols_check CHECK ((cardinality(symbols) <= 500))
);

-- foreign key preferences.preferences_user_id_fkey
ALTER TABLE preferences ADD CONSTRAINT preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES profiles(user_id);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

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
