-- Less work for each change, the same promises.
--
-- The queue needs no foreign key: a row of it is only ever written by the statement that writes the event, and
-- event_log is append-only, so the key could refuse nothing; checking it locked each event's row anew, which costs
-- more than the insertion. An event_id without its event would be published by nobody: events.claim joins them.
-- squawk-ignore ban-drop-constraint
alter table outbox drop constraint if exists outbox_event_fkey;

-- The audit rows of one statement are queued for sealing by one insertion, not by one for each of them.
create or replace function queue_audit_seal() returns trigger
language plpgsql
security definer
set search_path from current
as $$
begin
    insert into audit_pending (audit_id) select a.audit_id from added as a;
    return null;
end
$$;

create or replace trigger audit_events_queue_seal
after insert on audit_events
referencing new table as added
for each statement execute function queue_audit_seal();

-- ALWAYS: session_replication_role = replica does not switch it off.
alter table audit_events enable always trigger audit_events_queue_seal;
