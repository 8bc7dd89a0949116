-- What the migrations of notification add up to. Generated from PostgreSQL's catalogue and compared with the database
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

-- table account_owners
CREATE TABLE account_owners (
    account_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    CONSTRAINT account_owners_pkey PRIMARY KEY (account_id)
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

-- table audit_pending
CREATE TABLE audit_pending (
    audit_id uuid NOT NULL,
    CONSTRAINT audit_pending_pkey PRIMARY KEY (audit_id)
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

-- table schema_migrations
CREATE TABLE schema_migrations (
    origin text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (origin, name)
);

-- foreign key deliveries.deliveries_message_id_fkey
ALTER TABLE deliveries ADD CONSTRAINT deliveries_message_id_fkey FOREIGN KEY (message_id) REFERENCES
    messages(message_id);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index messages.messages_inbox_idx
CREATE INDEX messages_inbox_idx ON messages USING btree (user_id, created_at DESC, message_id DESC);

-- index messages.messages_unread_idx
CREATE INDEX messages_unread_idx ON messages USING btree (user_id, created_at DESC, message_id DESC) WHERE (read_at
    IS NULL);

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
