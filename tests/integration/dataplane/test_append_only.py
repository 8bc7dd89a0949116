"""The tables every service has: append-only audit, rows nobody can forge, roles that can do no more than theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fixtures.postgres import ServiceDatabase

    CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]

ID: Final = "01890000-0000-7000-8000-000000000001"
AUDIT: Final = (
    "insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)"  # noqa: S608 - constants
    f" values ('{ID}', 'person', 'order.submit', 'order:1', '{{}}', 'trace', '2026-01-31T09:30:00Z')"
)
EVENT: Final = (
    "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at)"  # noqa: S608 - constants
    f" values ('{ID}', 'user.evt.x', '{ID}', '{{}}', '2026-01-31T09:30:00Z')"
)
LEAF: Final = (
    "insert into audit_leaves (leaf_index, audit_id, leaf_hash)"
    " values (0, gen_random_uuid(), decode(repeat('00', 32), 'hex'))"
)
CHECKPOINT: Final = "insert into audit_checkpoints (tree_size, note, frontier) values (1, 'a note', '')"
QUEUE: Final = f"insert into outbox (event_id) values ('{ID}')"  # noqa: S608 - a constant
REMEMBER: Final = f"insert into inbox (consumer, event_id) values ('user', '{ID}')"  # noqa: S608 - a constant


async def run_as(dsn: str, *statements: str) -> str:
    """Run statements in one session and return the SQLSTATE that stopped it, empty if none did."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    finally:
        await connection.close()
    return ""


async def value_as(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


SEALED_CHANGES: Final = (
    "update audit_leaves set leaf_hash = leaf_hash",
    "delete from audit_leaves",
    "truncate audit_leaves",
    "update audit_checkpoints set note = 'forged'",
    "delete from audit_checkpoints",
    "truncate audit_checkpoints",
)
CHANGES: Final = (
    "update audit_events set detail = 'forged'",
    "delete from audit_events",
    "truncate audit_events",
    "truncate audit_events cascade",
)


@pytest.mark.parametrize("change", CHANGES)
async def test_the_service_has_no_right_to_change_the_audit_log(service_database: CloneDatabase, change: str) -> None:
    database = await service_database("user")
    assert await run_as(database.dsn(), AUDIT) == ""
    assert await run_as(database.dsn(), change) == "42501"


@pytest.mark.parametrize("change", CHANGES)
async def test_the_owner_is_stopped_by_the_trigger(service_database: CloneDatabase, change: str) -> None:
    database = await service_database("user")
    assert await run_as(database.dsn(), AUDIT) == ""
    assert await value_as(database.dsn("migrator"), "select current_user") == "user_owner"
    assert await run_as(database.dsn("migrator"), change) == "23001"
    assert await value_as(database.dsn(), "select detail from audit_events") == "{}"


@pytest.mark.parametrize("change", CHANGES)
async def test_a_superuser_is_stopped_even_where_triggers_are_off(service_database: CloneDatabase, change: str) -> None:
    database = await service_database("user")
    assert await run_as(database.dsn(), AUDIT) == ""
    prepared = ("set search_path = user_schema", "set session_replication_role = replica")
    assert await run_as(database.admin_dsn, *prepared, change) == "23001"


@pytest.mark.parametrize("change", SEALED_CHANGES)
async def test_a_superuser_is_stopped_from_changing_what_was_sealed(
    service_database: CloneDatabase, change: str
) -> None:
    database = await service_database("user")
    assert await run_as(database.dsn("sealer"), LEAF, CHECKPOINT) == ""
    prepared = ("set search_path = user_schema", "set session_replication_role = replica")
    assert await run_as(database.admin_dsn, *prepared, change) == "23001"


async def test_every_audit_row_is_queued_for_sealing(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    assert await run_as(database.dsn(), AUDIT) == ""
    assert str(await value_as(database.dsn("sealer"), "select audit_id from audit_pending")) == ID
    assert await run_as(database.dsn(), "begin", AUDIT.replace(ID, ID[:-1] + "2"), "rollback") == ""
    assert await value_as(database.dsn("sealer"), "select count(*) from audit_pending") == 1


@pytest.mark.parametrize(
    "forgery",
    [
        "insert into audit_pending values (gen_random_uuid())",
        "delete from audit_pending",
        "select from audit_pending",
        "select from audit_leaves",
        LEAF,
        CHECKPOINT,
        "insert into schema_migrations values ('common', 'x', 'y')",
        EVENT.replace("occurred_at)", "occurred_at, recorded_at)").replace("Z')", "Z', '2000-01-01')"),
        EVENT.replace("occurred_at)", "occurred_at, seq) overriding system value").replace("Z')", "Z', 7)"),
        AUDIT.replace("occurred_at)", "occurred_at, recorded_at)").replace("Z')", "Z', '2000-01-01')"),
        "update event_log set payload = 'forged'",
        "delete from event_log",
        "delete from inbox",
        "select nextval('event_log_seq_seq')",
        "create table mine (id int)",
        "create temporary table audit_pending (audit_id uuid)",
        "create function mine() returns int language sql as 'select 1'",
        "create schema mine",
        "set role user_owner",
        "set role user_migrator",
        "alter table audit_events disable trigger all",
        "set session_replication_role = replica",
    ],
)
async def test_the_service_can_forge_nothing(service_database: CloneDatabase, forgery: str) -> None:
    database = await service_database("user")
    assert await run_as(database.dsn(), forgery) == "42501"


async def test_the_service_writes_events_outbox_and_inbox(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    work = (
        EVENT,
        QUEUE,
        "update outbox set attempts = attempts + 1",
        "delete from outbox",
        REMEMBER,
    )
    assert await run_as(database.dsn(), *work) == ""
    assert await run_as(database.dsn(), work[-1]) == "23505", "an event is remembered once"


@pytest.mark.parametrize(
    ("kind", "allowed", "refused"),
    [
        ("reader", "select from profiles", "delete from inbox"),
        ("reader", "select from audit_pending", "insert into inbox values ('user', gen_random_uuid())"),
        ("backup", "select last_value from event_log_seq_seq", "select setval('event_log_seq_seq', 1)"),
        ("backup", "select from audit_events", "truncate inbox"),
        ("sealer", "delete from audit_pending", "insert into audit_pending values (gen_random_uuid())"),
        ("sealer", "select from audit_events", "insert into audit_events (audit_id) values (gen_random_uuid())"),
        ("sealer", "select from audit_pending", "select from event_log"),
        ("sealer", LEAF, "update audit_leaves set leaf_hash = leaf_hash"),
        ("sealer", LEAF, "delete from audit_leaves"),
        ("sealer", LEAF, LEAF.replace("leaf_hash)", "leaf_hash, sealed_at)").replace("'hex'))", "'hex'), now())")),
        ("sealer", CHECKPOINT, "delete from audit_checkpoints"),
        ("retainer", "select from retention_holds", "select from audit_leaves"),
    ],
)
async def test_each_helper_role_does_its_work_and_no_more(
    service_database: CloneDatabase, kind: str, allowed: str, refused: str
) -> None:
    database = await service_database("user")
    writable = "set default_transaction_read_only = off"  # a setting is no fence: only the grants are
    assert await run_as(database.dsn(kind), writable, allowed) == ""
    assert await run_as(database.dsn(kind), writable, refused) == "42501"


async def test_a_session_starts_with_the_bounds_of_its_role(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    assert await value_as(database.dsn(), "show search_path") == "user_schema, pg_temp"
    assert await value_as(database.dsn(), "show statement_timeout") == "15s"
    assert await value_as(database.dsn("reader"), "show default_transaction_read_only") == "on"
    assert await value_as(database.dsn("migrator"), "show lock_timeout") == "2s"
