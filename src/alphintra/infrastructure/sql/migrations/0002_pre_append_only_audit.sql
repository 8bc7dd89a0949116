-- The audit log is append-only even for its owner, and every row of it is queued for sealing.
-- "set search_path from current" pins the schema the migrator works in, so that no caller can redirect the functions.

create or replace function refuse_audit_change() returns trigger
language plpgsql
set search_path from current
as $$
begin
    raise exception 'audit_events is append-only: % is refused', tg_op using errcode = 'restrict_violation';
end
$$;

create or replace function queue_audit_seal() returns trigger
language plpgsql
security definer
set search_path from current
as $$
begin
    insert into audit_pending (audit_id) values (new.audit_id);
    return null;
end
$$;

create or replace trigger audit_events_refuse_row_change
before update or delete on audit_events
for each row execute function refuse_audit_change();

create or replace trigger audit_events_refuse_truncate
before truncate on audit_events
for each statement execute function refuse_audit_change();

create or replace trigger audit_events_queue_seal
after insert on audit_events
for each row execute function queue_audit_seal();

-- ALWAYS: session_replication_role = replica does not switch them off.
alter table audit_events enable always trigger audit_events_refuse_row_change;

alter table audit_events enable always trigger audit_events_refuse_truncate;

alter table audit_events enable always trigger audit_events_queue_seal;
