-- What the migrations of nocode add up to. Generated from PostgreSQL's catalogue and compared with the database
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

-- table people
CREATE TABLE people (
    user_id uuid NOT NULL,
    email text NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    CONSTRAINT people_email_check CHECK ((email <> ''::text)),
    CONSTRAINT people_pkey PRIMARY KEY (user_id)
);

-- table schema_migrations
CREATE TABLE schema_migrations (
    origin text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (origin, name)
);

-- table workflow_grants
CREATE TABLE workflow_grants (
    grant_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    grantee text NOT NULL,
    permission text NOT NULL,
    granted_by uuid NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_by uuid,
    CONSTRAINT workflow_grants_check CHECK ((expires_at > granted_at)),
    CONSTRAINT workflow_grants_grantee_check CHECK ((grantee ~ '^(user:[0-9a-f-]{36}|role:[a-z]+)$'::text)),
    CONSTRAINT workflow_grants_permission_check CHECK ((permission = ANY (ARRAY['view'::text, 'edit'::text,
        'execute'::text]))),
    CONSTRAINT workflow_grants_pkey PRIMARY KEY (grant_id),
    CONSTRAINT workflow_grants_revoked_check CHECK (((revoked_at IS NULL) = (revoked_by IS NULL)))
);

-- table workflow_versions
CREATE TABLE workflow_versions (
    version_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    version bigint NOT NULL,
    graph text NOT NULL,
    graph_hash text NOT NULL,
    warmup_bars bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by uuid,
    note text DEFAULT ''::text NOT NULL,
    origin_version_id uuid,
    CONSTRAINT workflow_versions_graph_hash_check CHECK ((graph_hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT workflow_versions_pkey PRIMARY KEY (version_id),
    CONSTRAINT workflow_versions_version_check CHECK ((version > 0)),
    CONSTRAINT workflow_versions_warmup_bars_check CHECK ((warmup_bars >= 0)),
    CONSTRAINT workflow_versions_workflow_version_key UNIQUE (workflow_id, version)
);

-- table workflows
CREATE TABLE workflows (
    workflow_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    layout text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT workflows_name_check CHECK ((name <> ''::text)),
    CONSTRAINT workflows_owner_name_key UNIQUE (owner_id, name),
    CONSTRAINT workflows_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflows_version_check CHECK ((version > 0))
);

-- foreign key workflow_grants.workflow_grants_workflow_id_fkey
ALTER TABLE workflow_grants ADD CONSTRAINT workflow_grants_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES
    workflows(workflow_id);

-- foreign key workflow_versions.workflow_versions_workflow_id_fkey
ALTER TABLE workflow_versions ADD CONSTRAINT workflow_versions_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES
    workflows(workflow_id);

-- index event_log.event_log_aggregate_idx
CREATE INDEX event_log_aggregate_idx ON event_log USING btree (aggregate_id, seq);

-- index people.people_email_idx
CREATE UNIQUE INDEX people_email_idx ON people USING btree (email);

-- index workflow_grants.workflow_grants_grantee_idx
CREATE INDEX workflow_grants_grantee_idx ON workflow_grants USING btree (grantee) WHERE (revoked_at IS NULL);

-- index workflow_grants.workflow_grants_standing_idx
CREATE UNIQUE INDEX workflow_grants_standing_idx ON workflow_grants USING btree (workflow_id, grantee, permission)
    WHERE (revoked_at IS NULL);

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
