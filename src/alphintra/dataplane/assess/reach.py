"""What a stolen credential reaches: rows and tables read with it, borders that hold, powers it should not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.dataplane.server import admin_connection
from alphintra.dataplane.verify import find_drift, verify_databases
from alphintra.dataplane.verify_bus import verify_bus
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.matrix import AccessMatrix

__all__ = [
    "note_audit",
    "note_bus",
    "note_matrix",
    "note_powers",
    "note_probes",
    "note_reach",
    "note_roles",
    "readable",
]

_REFUSED: Final = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)
_TIMEOUT_S: Final = 10.0


async def note_reach(bench: Bench, notes: Notes) -> None:
    """With each service's credential in turn, count the rows that can really be read, everywhere."""
    counts = await bench.row_counts()
    total = sum(counts.values())
    own = {
        placement.service: sum(n for (s, _), n in counts.items() if s == placement.service)
        for placement in bench.layout
    }
    shares: dict[str, float] = {}
    tables: dict[str, int] = {}
    user_rows = 0
    for thief in bench.layout:
        others = reached = 0
        for target in bench.layout:
            if target.service == thief.service:
                continue
            rows, names = await readable(bench, thief.service_role, target)
            others += rows
            reached += names
            if thief.service == "trading" and target.service in {"user", "auth"}:
                user_rows += rows
        shares[thief.service] = others / (total - own[thief.service])
        tables[thief.service] = reached
    by_instance: dict[str, int] = {}
    for placement in bench.layout:
        by_instance[placement.instance] = by_instance.get(placement.instance, 0) + own[placement.service]
    notes.put("rows", total, "rows")
    notes.put("reach_share", max(shares.values()), "share")
    notes.put("reach_tables", max(tables.values()), "tables")
    notes.put("tables", len(counts), "tables")
    notes.put("trading_reads_people", user_rows, "rows")
    notes.put("administrator_share", max(by_instance.values()) / total, "share")
    notes.facts["reach"] = tuple(
        f"{name}: {share:.0%} of the others' rows, {tables[name]} of their tables" for name, share in shares.items()
    )


async def _enter(bench: Bench, role: str, target: Placement) -> asyncpg.Connection | None:
    """Log in at a target's database with a role's credential; None where that is refused."""
    server = bench.instance_of(target).server
    try:
        return await asyncpg.connect(
            host=server.host, port=server.port, user=role, password=bench.lab.passwords(role),
            database=target.database, timeout=_TIMEOUT_S,
        )  # fmt: skip
    except (*_REFUSED, asyncpg.InvalidPasswordError):
        return None


async def readable(bench: Bench, role: str, target: Placement) -> tuple[int, int]:
    """Count the rows and tables of a target that a role's credential reads; refusals count nothing."""
    connection = await _enter(bench, role, target)
    if connection is None:
        return 0, 0
    rows = tables = 0
    try:
        for table in service_tables(target.spec):
            # By its own name, or by that of the view that shows it: either is enough.
            for place in dict.fromkeys((target.location(table.name), target.visible(table.name))):
                try:
                    rows += await connection.fetchval(f"select count(*) from {qualified(*place)}")  # noqa: S608 - quoted
                except _REFUSED:
                    continue
                tables += 1
                break
    finally:
        await connection.close(timeout=_TIMEOUT_S)
    return rows, tables


async def note_matrix(bench: Bench, notes: Notes) -> None:
    """Try to enter, read and write every service's tables as every service."""
    servers = [instance.server for instance in bench.instances.values()]
    matrix = await verify_databases(servers, layout=bench.layout, passwords=bench.lab.passwords)
    _note_matrix(matrix, notes, "sql")
    notes.put("drift", len(matrix.drift), "differences")


async def note_bus(bench: Bench, notes: Notes) -> None:
    """Try every service's subjects, inbox and stream as every service, on a bus with the manifest's rights."""
    matrix = await verify_bus(await bench.lab.open_bus())
    declared = sum(bool(cell.declared) and cell.user != cell.target for cell in matrix.cells)
    _note_matrix(matrix, notes, "bus")
    notes.put("bus_declared", declared, "pairs")


def _note_matrix(matrix: AccessMatrix, notes: Notes, kind: str) -> None:
    notes.put(f"{kind}_allow", matrix.allowed_count, "pairs")
    notes.put(f"{kind}_deny", matrix.denied_count, "pairs")
    tries = sum(len(cell.probes) for cell in (*matrix.cells, *matrix.outsiders))
    notes.put(f"{kind}_tries", tries, "tries")
    wrong = sum(not probe.is_as_declared for cell in (*matrix.cells, *matrix.outsiders) for probe in cell.probes)
    notes.put(f"{kind}_wrong", wrong, "tries")
    notes.facts[f"{kind}_matrix"] = tuple(
        f"{cell.user} {cell.target} {'allow' if cell.is_allowed else 'deny'}" for cell in matrix.cells
    )


async def note_probes(bench: Bench, notes: Notes, *, services: Sequence[str]) -> None:
    """Attack the named services from each other with every probe there is, and count what gets through.

    Probes of a service's own bounds count once: they are open wherever a role may log in at all.
    """
    layout = [placement for placement in bench.layout if placement.service in services]
    names = {placement.instance for placement in layout}
    servers = [instance.server for name, instance in bench.instances.items() if name in names]
    found = await attack_layout(servers, layout=layout, passwords=bench.lab.passwords)
    notes.put("probes", len(found.probes), "probes")
    notes.put("open_probes", len(found.findings), "probes")
    notes.put("open_unaccepted", len(found.unaccepted), "probes")
    notes.put("probe_errors", len(found.errors), "tries")
    notes.put("probe_tries", len(found.results), "tries")
    notes.facts["open_probes"] = tuple(finding.attack.name for finding in found.findings)


async def note_roles(bench: Bench, notes: Notes) -> None:
    """Count the roles inside a service, and try what each must not be able to do."""
    kinds = min(len({*item.login_roles, item.owner_role}) for item in bench.layout)
    own = len({role for item in bench.layout for role in (*item.login_roles, item.owner_role)})
    columns = sum(len(t.insert_columns) + len(t.update_columns) for p in bench.layout for t in service_tables(p.spec))
    refused: list[str] = []
    granted: list[str] = []
    for placement in bench.layout:
        for role, statement, what in _forbidden(placement):
            outcome = await _try(bench, placement, role, statement)
            (granted if outcome else refused).append(f"{placement.service}: {role} may {what}")
    notes.put("role_kinds", kinds, "roles")
    notes.put("roles_own", own, "roles")
    notes.put("column_grants", columns, "grants")
    notes.put("role_tries", len(refused) + len(granted), "tries")
    notes.put("role_refused", len(refused), "tries")
    notes.facts["role_granted"] = tuple(granted)


def _forbidden(placement: Placement) -> tuple[tuple[str, str, str], ...]:
    """Return role, statement and words for what no role of a service may do; no statement can change a row."""

    def where(table: str) -> str:
        return qualified(*placement.location(table))

    audit, inbox, log = where("audit_events"), where("inbox"), where("event_log")
    make = f"create table {qualified(placement.schema, 'planted')} (n bigint)"
    return (
        (placement.service_role, f"update {audit} set actor = '' where false", "rewrite the audit log"),  # noqa: S608 - quoted
        (placement.service_role, f"delete from {audit} where false", "delete from the audit log"),  # noqa: S608 - quoted
        (
            placement.service_role,
            f"insert into {log} (seq) overriding system value select 1 where false",
            "forge an order of events",
        ),
        (placement.service_role, make, "create a table"),
        (placement.service_role, f"set role {identifier(placement.owner_role)}", "become the owner"),
        (placement.reader_role, f"delete from {inbox} where false", "write as the reader"),  # noqa: S608 - quoted
        (placement.backup_role, f"delete from {inbox} where false", "write as the backup"),  # noqa: S608 - quoted
        (placement.sealer_role, f"select count(*) from {inbox}", "read business tables as the sealer"),  # noqa: S608 - quoted
    )


async def _try(bench: Bench, placement: Placement, role: str, statement: str) -> bool:
    """Tell whether a role got through; what it did is rolled back."""
    connection = await asyncpg.connect(bench.url(placement, role=role), timeout=_TIMEOUT_S)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except (*_REFUSED, asyncpg.ReadOnlySQLTransactionError):
        return False
    else:
        return True
    finally:
        await transaction.rollback()
        await connection.close(timeout=_TIMEOUT_S)


async def note_audit(bench: Bench, notes: Notes) -> None:
    """Count whose audit logs are their own: append-only for the service, closed to every other service."""
    kept = 0
    crossed: list[str] = []
    for placement in bench.layout:
        audit = qualified(*placement.visible("audit_events"))
        rewrites = await _try(bench, placement, placement.service_role, f"delete from {audit} where false")  # noqa: S608 - quoted
        readers = [
            thief.service
            for thief in bench.layout
            if thief != placement and await _reads(bench, thief, placement, audit)
        ]
        crossed += [f"{thief} reads the audit log of {placement.service}" for thief in readers]
        kept += not rewrites and not readers
    notes.put("audit_kept", kept, "services")
    notes.put("audit_crossed", len(crossed), "pairs")
    notes.facts["audit_crossed"] = tuple(crossed)


async def _reads(bench: Bench, thief: Placement, target: Placement, table: str) -> bool:
    connection = await _enter(bench, thief.service_role, target)
    if connection is None:
        return False
    try:
        await connection.execute(f"select from {table} limit 1")
    except _REFUSED:
        return False
    finally:
        await connection.close(timeout=_TIMEOUT_S)
    return True


_POWERS: Final = """
    select r.rolname || ': ' || p.power as found
    from pg_roles r
    cross join lateral (
        select 'is superuser' as power where r.rolsuper
        union all select 'makes roles' where r.rolcreaterole
        union all select 'makes databases' where r.rolcreatedb
        union all select 'replicates' where r.rolreplication
        union all select 'bypasses row security' where r.rolbypassrls
        union all select 'owns ' || c.relname from pg_class c where c.relowner = r.oid
        union all select 'owns schema ' || n.nspname from pg_namespace n where n.nspowner = r.oid
        union all select 'creates in schema ' || n.nspname from pg_namespace n
            where n.nspname not like 'pg\\_%' and has_schema_privilege(r.oid, n.oid, 'create')
        union all select 'creates in the database' where has_database_privilege(r.oid, current_database(), 'create')
        union all select 'may pass on rights to ' || c.relname from pg_class c, aclexplode(c.relacl) a
            where a.grantee = r.oid and a.is_grantable
    ) p
    where r.rolname = any($1)
"""


async def note_powers(bench: Bench, notes: Notes) -> None:
    """Look for powers no service role may have, and whether a grant made by hand is found."""
    found: set[str] = set()
    places = {(item.instance, item.database): item for item in bench.layout}
    roles = sorted({item.service_role for item in bench.layout})
    for placement in places.values():
        async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
            found |= {row["found"] for row in await connection.fetch(_POWERS, roles)}
    notes.put("powers", len(found), "powers")
    notes.facts["powers"] = tuple(sorted(found))
    victim = bench.placed("trading")
    table = qualified(*victim.location("orders"))
    notes.put("drift_planted", 1, "grants")
    servers = [bench.instance_of(victim).server]
    async with admin_connection(servers[0], database=victim.database) as connection:
        await connection.execute(f"grant truncate on {table} to {identifier(victim.reader_role)}")
        lines = await find_drift(servers, layout=bench.layout)
        await connection.execute(f"revoke truncate on {table} from {identifier(victim.reader_role)}")
    hits = [line for line in lines if "truncate" in line.lower()]
    notes.put("drift_found", min(len(hits), 1), "grants")
    notes.facts["drift_found"] = tuple(hits[:3])
