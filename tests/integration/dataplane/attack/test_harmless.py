"""The whole catalogue leaves a platform as it was: rows, numbering, roles, grants, settings, objects, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.attack.probes import CATALOGUE
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.matrix import Outcome
from alphintra.dataplane.provision import provision
from alphintra.dataplane.quoting import qualified
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.attack.findings import Assessment
    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

# What moves by itself: statistics, and how far transaction numbers are frozen.
_INSTANCE = {
    "roles": "select a::text from pg_authid a",
    "members": "select a::text from pg_auth_members a",
    "databases": "select datname, datdba, datacl::text, datconnlimit, datallowconn, oid from pg_database",
    "settings": "select s::text from pg_db_role_setting s",
    "tablespaces": "select t::text from pg_tablespace t",
    "slots": "select slot_name from pg_replication_slots",
    "origins": "select o::text from pg_replication_origin o",
    "prepared": "select gid from pg_prepared_xacts",
    "subscriptions": "select s::text from pg_subscription s",
    "parameters": "select p::text from pg_parameter_acl p",
    "comments": "select d::text from pg_shdescription d",
    "configuration": "select name, setting, error, applied from pg_file_settings",
    "sessions": "select count(*)::text from pg_stat_activity where application_name like 'decoy%'",
}
_DATABASE = {
    "relations": "select oid, relname, relnamespace, relowner, relacl::text, relfilenode, relhastriggers from pg_class",
    **{
        catalogue: f"select c::text from {catalogue} c"  # noqa: S608 - names of ours
        for catalogue in (
            "pg_namespace", "pg_proc", "pg_type", "pg_attribute", "pg_constraint", "pg_trigger", "pg_extension",
            "pg_default_acl", "pg_language", "pg_publication", "pg_event_trigger", "pg_foreign_server", "pg_policy",
            "pg_largeobject_metadata", "pg_description", "pg_collation", "pg_operator", "pg_cast", "pg_user_mappings",
        )
    },
}  # fmt: skip
# There is nothing to use (no such extension, server, other database), or the server refuses even superusers.
_BEYOND_A_SUPERUSER = frozenset(
    {
        "activity.pg_stat_statements", "activity.pg_stat_statements_traffic", "catalog.schema_to_xml",
        "code.dblink_call", "code.foreign_server", "code.language", "code.use_foreign_server", "connect.as_victim",
        "connect.exhaustion", "connect.other_databases", "connect.refusal_tells", "connect.replication",
        "data.call_definer", "names.pg_database", "own.audit_truncate", "own_role.rename",
        "replication.prepared_transaction", "sizes.database", "statistics.pg_stat_database", "statistics.values",
        "wal.last_commit",
    }
)  # fmt: skip
_TABLES = """
    select schemaname, relname from pg_stat_user_tables order by 1, 2
"""
_SEQUENCES = "select schemaname, sequencename from pg_sequences order by 1, 2"


async def picture(server: Server, layout: Sequence[Placement]) -> dict[str, list[str]]:
    """Return everything that must stay, as sorted text."""
    shown: dict[str, list[str]] = {}
    connection = await asyncpg.connect(server.admin_url)
    for name, query in _INSTANCE.items():
        shown[name] = sorted(str(tuple(row)) for row in await connection.fetch(query))
    databases = sorted(
        row["datname"] for row in await connection.fetch("select datname from pg_database where datallowconn")
    )
    await connection.close()
    assert {item.database for item in layout} <= set(databases)
    for database in databases:
        connection = await asyncpg.connect(server.admin_url, database=database)
        for name, query in _DATABASE.items():
            shown[f"{database} {name}"] = sorted(str(tuple(row)) for row in await connection.fetch(query))
        for schema, table in await connection.fetch(_TABLES):
            query = f"select t::text from {qualified(schema, table)} t"  # noqa: S608 - quoted
            shown[f"{database} {schema}.{table}"] = sorted(row[0] for row in await connection.fetch(query))
        for schema, sequence in await connection.fetch(_SEQUENCES):
            query = f"select last_value, is_called from {qualified(schema, sequence)}"  # noqa: S608 - quoted
            shown[f"{database} {schema}.{sequence}"] = [str(tuple(await connection.fetchrow(query)))]
        await connection.close()
    return shown


async def fill(server: Server, layout: Sequence[Placement]) -> None:
    """Put rows into tables every service has, and number something."""
    for placement in layout:
        connection = await asyncpg.connect(server.admin_url, database=placement.database)
        schema, inbox = placement.location("inbox")
        await connection.execute(
            f"insert into {qualified(schema, inbox)} (consumer, event_id) "  # noqa: S608 - quoted
            "select 'fill', gen_random_uuid() from generate_series(1, 20)"
        )
        sequence = qualified(placement.schema, "numbered")
        await connection.execute(f"create sequence {sequence}; select nextval('{sequence}')")
        await connection.close()


async def compare(server: Server, layout: Sequence[Placement]) -> Assessment:
    """Attack, and require that nothing is otherwise than before."""
    await fill(server, layout)
    before = await picture(server, layout)
    found = await attack_layout((server,), layout=layout, passwords=password_of)
    after = await picture(server, layout)
    changed = {name: (before.get(name), rows) for name, rows in after.items() if before.get(name) != rows}
    assert changed == {}
    assert before.keys() == after.keys()
    return found


def layout_of(name: LayoutName, *services: str) -> tuple[Placement, ...]:
    placements = choose_layout(LayoutChoice(name=name, accepts_consolidated=True))
    return tuple(item for item in placements if not services or item.service in services)


async def test_attacks_leave_two_services_as_they_were_and_are_all_tried(
    private_postgres: Callable[..., Server],
) -> None:
    server = private_postgres()
    layout = layout_of(LayoutName.CENTRAL, "risk", "trading")
    await provision(server, layout=layout, passwords=password_of)
    found = await compare(server, layout)
    assert found.errors == ()
    assert found.unaccepted == ()
    assert {result.attack.name for result in found.results} == {attack.name for attack in CATALOGUE}
    assert all(result.answer.text for result in found.results), "PostgreSQL's own answer, every time"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [LayoutName.SEPARATE, LayoutName.CONSOLIDATED])
async def test_attacks_leave_a_whole_platform_as_it_was(
    private_postgres: Callable[..., Server], name: LayoutName
) -> None:
    server = private_postgres()
    layout = layout_of(name)
    await provision(server, layout=layout, passwords=password_of)
    found = await compare(server, layout)
    assert found.errors == ()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_attacks_of_a_superuser_get_through_and_change_nothing(private_postgres: Callable[..., Server]) -> None:
    """The worst case: nothing is refused, so that every statement of the catalogue really runs."""
    server = private_postgres(samerole=False)
    layout = layout_of(LayoutName.CENTRAL, "risk", "trading", "user")
    await provision(server, layout=layout, passwords=password_of)
    connection = await asyncpg.connect(server.admin_url)
    await connection.execute("alter role trading_service_user superuser")
    await connection.close()
    found = await compare(server, layout)
    mine = [result for result in found.results if result.attacker == "trading"]
    refused = {result.attack.name for result in mine if result.answer.outcome is Outcome.DENIED}
    opened = {result.attack.name for result in mine if result.is_open}
    assert len(opened) > 270
    assert refused - opened <= _BEYOND_A_SUPERUSER
    assert found.errors == ()
