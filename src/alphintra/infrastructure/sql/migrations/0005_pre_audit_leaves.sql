-- The sealed audit log: a leaf for each audit row, in the order of sealing, and signed statements of how far it goes.
-- Only the sealer writes here; nobody changes or takes out a row, the owner included.

create or replace function refuse_audit_change() returns trigger
language plpgsql
set search_path from current
as $$
begin
    raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end
$$;

create table if not exists audit_leaves (
    leaf_index bigint not null,
    audit_id uuid not null,
    leaf_hash bytea not null,
    sealed_at timestamptz not null default clock_timestamp(),
    constraint audit_leaves_pkey primary key (leaf_index),
    constraint audit_leaves_audit_id_key unique (audit_id),
    constraint audit_leaves_index_not_negative check (leaf_index >= 0),
    constraint audit_leaves_hash_whole check (octet_length(leaf_hash) = 32)
);

-- `frontier` are the roots of the full subtrees, largest first: all the sealer needs to go on.
create table if not exists audit_checkpoints (
    tree_size bigint not null,
    note text not null,
    frontier bytea not null,
    signed_at timestamptz not null default clock_timestamp(),
    constraint audit_checkpoints_pkey primary key (tree_size),
    constraint audit_checkpoints_size_positive check (tree_size > 0)
);

create or replace trigger audit_leaves_refuse_row_change
before update or delete on audit_leaves
for each row execute function refuse_audit_change();

create or replace trigger audit_leaves_refuse_truncate
before truncate on audit_leaves
for each statement execute function refuse_audit_change();

create or replace trigger audit_checkpoints_refuse_row_change
before update or delete on audit_checkpoints
for each row execute function refuse_audit_change();

create or replace trigger audit_checkpoints_refuse_truncate
before truncate on audit_checkpoints
for each statement execute function refuse_audit_change();

-- ALWAYS: session_replication_role = replica does not switch them off.
alter table audit_leaves enable always trigger audit_leaves_refuse_row_change;

alter table audit_leaves enable always trigger audit_leaves_refuse_truncate;

alter table audit_checkpoints enable always trigger audit_checkpoints_refuse_row_change;

alter table audit_checkpoints enable always trigger audit_checkpoints_refuse_truncate;
