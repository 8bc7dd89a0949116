-- Legal holds, and what retention did: written by the role that retires records, by no service.

create table if not exists retention_holds (
    hold_id uuid not null,
    kind text not null,
    subject text not null default '',
    from_at timestamptz,
    to_at timestamptz,
    reason text not null,
    set_by text not null,
    set_at timestamptz not null,
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text,
    constraint retention_holds_pkey primary key (hold_id),
    constraint retention_holds_kind_known check (kind in ('all', 'user', 'account', 'order')),
    constraint retention_holds_subject_iff_one check ((kind = 'all') = (subject = '')),
    constraint retention_holds_reason_given check (reason <> '' and set_by <> ''),
    constraint retention_holds_range_forward check (from_at < to_at),
    constraint retention_holds_lifted_with_reason check (
        (lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null) and lift_reason <> ''
    )
);

create table if not exists retention_items (
    item_id uuid not null,
    run_id uuid not null,
    table_name text not null,
    part text not null default '',
    retention text not null,
    profile text not null,
    terms text not null,
    state text not null,
    cutoff timestamptz not null,
    oldest_at timestamptz,
    newest_at timestamptz,
    rows_found bigint not null default 0,
    rows_removed bigint not null default 0,
    rows_left bigint not null default 0,
    checksum numeric(38, 0) not null default 0,
    archive text not null default '',
    archive_sha256 text not null default '',
    actor text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    constraint retention_items_pkey primary key (item_id),
    constraint retention_items_state_known check (state in ('open', 'archived', 'done', 'destroyed', 'dropped')),
    constraint retention_items_counts_not_negative check (rows_found >= 0 and rows_removed >= 0 and rows_left >= 0),
    constraint retention_items_archive_has_hash check ((archive = '') = (archive_sha256 = ''))
);

create index if not exists retention_items_unfinished_idx on retention_items (started_at)
where state in ('open', 'archived');

-- No hold is set or lifted until the caller's transaction ends: it asks whether there is one, and then takes away.
create or replace function freeze_holds() returns void
language plpgsql volatile security definer
set search_path from current
set lock_timeout = '5s'
as $$
begin
    lock table retention_holds in share mode;
end
$$;

-- What columns of a table are, for its archive.
create or replace function retention_columns(text) returns table (name text, kind text)
language sql stable security definer
set search_path from current
as $$
    select a.attname::text, format_type(a.atttypid, a.atttypmod)
    from pg_attribute as a
    where a.attrelid = to_regclass(quote_ident($1)) and a.attnum > 0 and not a.attisdropped
    order by a.attnum
$$;

-- The months a table is cut into; the first may begin at no time, the rest does not end.
create or replace function retention_parts(text)
returns table (part text, starts_at timestamptz, ends_at timestamptz, is_rest boolean)
language sql stable security definer
set search_path from current
set timezone = 'UTC'
as $$
    select p.relname::text, (regexp_match(b.bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz,
        (regexp_match(b.bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz, b.bound = 'DEFAULT'
    from pg_inherits as i
    join pg_class as p on p.oid = i.inhrelid
    cross join lateral (select pg_get_expr(p.relpartbound, p.oid) as bound) as b
    where i.inhparent = to_regclass(quote_ident($1))
    order by 3 nulls last
$$;

-- Drops the month that an item says is archived: only one that ended long ago, that still holds exactly the rows which
-- were archived, and that no hold on everything covers. Holds on a subject are the caller's to look for, under the
-- same lock, in the same transaction.
create or replace function retire_part(uuid) returns void
language plpgsql volatile security definer
set search_path from current
set timezone = 'UTC'
set lock_timeout = '5s'
set statement_timeout = '30min'
as $$
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
$$;
