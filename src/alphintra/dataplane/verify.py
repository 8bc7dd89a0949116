"""The live 8 by 8 access matrix of the databases: every service's own credential against every service's data."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.declaration import declare_on
from alphintra.dataplane.inspect import inspect
from alphintra.dataplane.matrix import AccessMatrix, Cell, Outcome, Probe
from alphintra.dataplane.plan import plan, unexpected
from alphintra.dataplane.quoting import qualified
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.model import State
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["find_drift", "verify_databases"]

_REFUSALS: Final = frozenset({"42501", "28000"})  # no privilege; no entry in pg_hba. Not 28P01: a wrong password
_WRONG_PASSWORD: Final = "28P01"  # noqa: S105 - an SQLSTATE
_PROBES_AT_ONCE: Final = 8
_CONNECT_TIMEOUT_S: Final = 5.0
_BOUNDS: Final = {"statement_timeout": "2s", "lock_timeout": "500ms"}


async def verify_databases(
    servers: Sequence[Server], *, layout: Sequence[Placement], passwords: Passwords
) -> AccessMatrix:
    """Try to enter, read and write every service's database as every service, and compare the grants.

    Writes are rolled back, or cannot match a row. Where two services share a database, only reading and writing
    count as getting through. Raises TOPOLOGY_CONNECT and PG_VERSION for the administrator's own connections alone:
    a service that cannot reach its own database is a cell, not an exception.
    """
    gate = asyncio.Semaphore(_PROBES_AT_ONCE)
    by_name = {server.instance: server for server in servers}

    async def cell(user: Placement, target: Placement) -> Cell:
        async with gate:
            return await _probe(by_name[target.instance], user, target, password=passwords(user.service_role))

    cells = await asyncio.gather(*(cell(user, target) for user in layout for target in layout))
    compared = await asyncio.gather(*(_compare(server, layout, passwords) for server in servers))
    drift = tuple(
        line
        for server, (declared, observed) in zip(servers, compared, strict=True)
        for line in _drift(server, declared, observed)
    )
    limits = tuple(limit for _, observed in compared for limit in observed.limits)
    return AccessMatrix(kind="database", cells=tuple(cells), drift=drift, limits=limits)


async def find_drift(
    servers: Sequence[Server], *, layout: Sequence[Placement], passwords: Passwords | None = None
) -> tuple[str, ...]:
    """Return what differs from the declaration: the statements that would mend it, and what none can mend.

    Changed passwords are noticed where ``passwords`` gives the true ones.
    """
    found = await asyncio.gather(*(_compare(server, layout, passwords) for server in servers))
    return tuple(line for server, pair in zip(servers, found, strict=True) for line in _drift(server, *pair))


async def _compare(server: Server, layout: Sequence[Placement], passwords: Passwords | None) -> tuple[State, State]:
    declared = declare_on(server, layout)
    return declared, await inspect(server, declared, passwords=passwords)


def _drift(server: Server, declared: State, observed: State) -> tuple[str, ...]:
    statements = (f"{action.database or server.instance}: {action.sql}" for action in plan(declared, observed))
    return (*statements, *unexpected(declared, observed, instance=server.instance))


async def _probe(server: Server, user: Placement, target: Placement, *, password: str) -> Cell:
    is_own = user.shares_role_with(target)
    shares_database = (user.instance, user.database) == (target.instance, target.database)
    try:
        connection = await asyncpg.connect(
            host=server.host,
            port=server.port,
            user=user.service_role,
            password=password,
            database=target.database,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_CONNECT_TIMEOUT_S,
            server_settings=_BOUNDS,
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        refused = _answered(f"connect {target.database}", error, may=shares_database)
        if user.instance != target.instance and refused.code == _WRONG_PASSWORD:
            refused = replace(refused, outcome=Outcome.DENIED)  # an instance that does not know the role says just this
        return Cell(user=user.service, target=target.service, probes=(refused,))
    try:
        probes = [await _read(connection, target, may=is_own), await _write(connection, target, may=is_own)]
    finally:
        await connection.close(timeout=_CONNECT_TIMEOUT_S)
    if is_own or not shares_database:
        entered = Probe(name=f"connect {target.database}", may=is_own, outcome=Outcome.ALLOWED, answer="connected")
        probes.insert(0, entered)
    return Cell(user=user.service, target=target.service, probes=tuple(probes))


async def _read(connection: asyncpg.Connection, target: Placement, *, may: bool) -> Probe:
    """Read every declared table; one that answers is enough to call it allowed."""
    name = f"read {target.schema}"
    readable = 0
    refusal: Exception | None = None
    tables = [table for table in service_tables(target.spec) if not may or "select" in table.grants]
    for table in tables:
        try:
            await connection.execute(f"select from {qualified(*target.visible(table.name))} limit 1")
            readable += 1
        except (TimeoutError, asyncpg.PostgresError) as error:
            refusal = error
    if may and refusal is not None:
        return _answered(name, refusal, may=may)
    if readable or refusal is None:
        return Probe(name=name, may=may, outcome=Outcome.ALLOWED, answer=f"read {readable} of {len(tables)} tables")
    return _answered(name, refusal, may=may)


async def _write(connection: asyncpg.Connection, target: Placement, *, may: bool) -> Probe:
    """Insert what is rolled back into a table every service writes; elsewhere also delete where no row can match."""
    name = f"write {target.schema}"
    inbox = qualified(*target.visible("inbox"))
    statements = [f"insert into {inbox} (consumer, event_id) values ('access probe', gen_random_uuid())"]  # noqa: S608 - quoted
    if not may:
        tables = [qualified(*target.visible(table.name)) for table in service_tables(target.spec)]
        statements += [f"delete from {table} where false" for table in tables]  # noqa: S608 - quoted
        statements += [f"insert into {table} default values" for table in tables]
    refusal: Exception | None = None
    for statement in statements:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(statement)
        except (TimeoutError, asyncpg.PostgresError) as error:
            refusal = error
            if getattr(error, "sqlstate", "") not in _REFUSALS:
                break  # refused for another reason than rights: a constraint, say, which comes after them
        else:
            return Probe(name=name, may=may, outcome=Outcome.ALLOWED, answer="wrote, and rolled back")
        finally:
            await transaction.rollback()
    if refusal is None:
        return Probe(name=name, may=may, outcome=Outcome.ERROR, answer="nothing was tried")
    return _answered(name, refusal, may=may)


def _answered(name: str, error: Exception, *, may: bool) -> Probe:
    code = getattr(error, "sqlstate", None) or ""
    outcome = Outcome.DENIED if code in _REFUSALS else Outcome.ERROR
    answer = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Probe(name=name, may=may, outcome=outcome, code=code, answer=answer)
