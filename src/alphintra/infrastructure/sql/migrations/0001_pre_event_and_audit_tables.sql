-- Tables every service has, whatever it does. Unqualified on purpose: the migrator's search_path names the schema.

create table if not exists schema_migrations (
    origin text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    constraint schema_migrations_pkey primary key (origin, name)
);

-- What happened, forever. `seq` tells the order of insertion, not of commit: it is never a cursor for reading.
create table if not exists event_log (
    event_id uuid not null,
    seq bigint generated always as identity,
    subject text not null,
    aggregate_id uuid not null,
    payload text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    constraint event_log_pkey primary key (event_id)
);

create index if not exists event_log_aggregate_idx on event_log (aggregate_id, seq);

-- What is still to be published: a row is written with the event and deleted when the bus has it.
create table if not exists outbox (
    event_id uuid not null,
    enqueued_at timestamptz not null default clock_timestamp(),
    attempts bigint not null default 0,
    constraint outbox_pkey primary key (event_id),
    constraint outbox_event_fkey foreign key (event_id) references event_log (event_id)
);

-- What was heard: the key makes a repeated delivery a no-op.
create table if not exists inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null default clock_timestamp(),
    constraint inbox_pkey primary key (consumer, event_id)
);

create table if not exists audit_events (
    audit_id uuid not null,
    actor text not null,
    action text not null,
    object text not null,
    detail text not null,
    trace_id text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    constraint audit_events_pkey primary key (audit_id)
);

-- Audit rows not sealed yet; only the trigger below writes it, only the sealer empties it.
create table if not exists audit_pending (
    audit_id uuid not null,
    constraint audit_pending_pkey primary key (audit_id)
);
