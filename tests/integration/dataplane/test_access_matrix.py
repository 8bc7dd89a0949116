"""The 8 by 8 access matrices on a real PostgreSQL and a real NATS, and planted faults that must turn them red."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from alphintra.dataplane.bus_permissions import Rights, streams
from alphintra.dataplane.layouts import separate_layout
from alphintra.dataplane.matrix import Outcome
from alphintra.dataplane.provision import provision
from alphintra.dataplane.streams import bus_connection, ensure_streams
from alphintra.dataplane.verify import verify_databases
from alphintra.dataplane.verify_bus import verify_bus
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.matrix import AccessMatrix, Cell
    from alphintra.dataplane.server import Server
    from fixtures.nats import NatsServer

PAIRS = 64
SERVICES = 8
FOUR = tuple(item for item in separate_layout() if item.service in {"auth", "risk", "trading", "user"})


def cell_of(matrix: AccessMatrix, user: str, target: str) -> Cell:
    return next(cell for cell in matrix.cells if (cell.user, cell.target) == (user, target))


async def provisioned_server(
    private_postgres: Callable[..., Server], *, samerole: bool = False, layout: tuple[Placement, ...] = FOUR
) -> Server:
    server = private_postgres(samerole=samerole)
    await provision(server, layout=layout, passwords=password_of)
    return server


async def run_sql(server: Server, database: str, *statements: str) -> None:
    connection = await asyncpg.connect(server.admin_url, database=database)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_each_service_reaches_its_own_database_and_no_other(private_postgres: Callable[..., Server]) -> None:
    server = await provisioned_server(private_postgres, layout=separate_layout())
    matrix = await verify_databases((server,), layout=separate_layout(), passwords=password_of)
    assert matrix.faults == ()
    assert (len(matrix.cells), matrix.allowed_count, matrix.denied_count) == (PAIRS, SERVICES, PAIRS - SERVICES)
    assert matrix.is_isolated
    (refused,) = cell_of(matrix, "trading", "risk").probes
    assert refused.code == "42501"
    assert "permission denied for database" in refused.answer


async def test_the_servers_own_door_refuses_before_the_grants_do(private_postgres: Callable[..., Server]) -> None:
    server = await provisioned_server(private_postgres, samerole=True)
    matrix = await verify_databases((server,), layout=FOUR, passwords=password_of)
    assert matrix.is_isolated
    (refused,) = cell_of(matrix, "trading", "risk").probes
    assert refused.code == "28000"


async def test_a_planted_grant_turns_the_database_matrix_red(private_postgres: Callable[..., Server]) -> None:
    server = await provisioned_server(private_postgres)
    await run_sql(
        server,
        "alphintra_trading",
        "grant connect on database alphintra_trading to risk_service_user",
        "grant usage on schema trading_schema to risk_service_user",
        "grant select on trading_schema.orders to risk_service_user",
    )
    matrix = await verify_databases((server,), layout=FOUR, passwords=password_of)
    assert not matrix.is_isolated
    fault = cell_of(matrix, "risk", "trading")
    assert [probe.outcome for probe in fault.probes] == [Outcome.ALLOWED, Outcome.ALLOWED, Outcome.DENIED]
    assert (matrix.allowed_count, matrix.denied_count) == (len(FOUR) + 1, len(FOUR) ** 2 - len(FOUR) - 1)
    assert any("orders" in line and "REVOKE SELECT" in line for line in matrix.drift)


async def test_a_service_without_its_rights_or_its_password_turns_the_matrix_red(
    private_postgres: Callable[..., Server],
) -> None:
    server = await provisioned_server(private_postgres)
    await run_sql(server, "alphintra_user", "revoke insert on user_schema.inbox from user_service_user")
    await run_sql(server, "postgres", "alter role auth_service_user password 'changed by hand'")
    matrix = await verify_databases((server,), layout=FOUR, passwords=password_of)
    assert cell_of(matrix, "user", "user").probes[-1].outcome is Outcome.DENIED
    assert {probe.code for probe in cell_of(matrix, "auth", "risk").probes} == {"28P01"}
    assert not cell_of(matrix, "auth", "risk").is_as_declared, "a wrong password proves nothing about rights"
    assert not matrix.is_isolated


async def test_each_service_speaks_and_hears_on_the_bus_as_itself_only(nats_server: NatsServer) -> None:
    matrix = await verify_bus(nats_server.login)
    assert matrix.faults == ()
    assert (len(matrix.cells), matrix.allowed_count, matrix.denied_count) == (PAIRS, SERVICES, PAIRS - SERVICES)
    assert matrix.is_isolated
    forged = cell_of(matrix, "trading", "risk")
    assert "asks risk.assess_order" in forged.declared
    assert any(probe.name == "publish risk.cmd.set_limits" for probe in forged.probes)
    assert len(matrix.outsiders) == SERVICES
    assert not any(cell.is_allowed for cell in matrix.outsiders)


async def test_probing_leaves_nothing_in_the_streams(private_nats: Callable[..., NatsServer]) -> None:
    server = private_nats()
    await ensure_streams(server.login("deployer"))
    await verify_bus(server.login)
    async with bus_connection(server.login("deployer")) as deployer:
        kept = [(await deployer.jsm().stream_info(item.name)).state.messages for item in streams()]
    assert kept == [0] * SERVICES


async def test_planted_bus_rights_turn_the_matrix_red(private_nats: Callable[..., NatsServer]) -> None:
    forger = Rights(publish=("trading.evt.>",), subscribe=("auth.cmd.>",))
    server = private_nats(grant={"risk": forger})
    await ensure_streams(server.login("deployer"))
    matrix = await verify_bus(server.login)
    assert not matrix.is_isolated
    assert cell_of(matrix, "risk", "trading").is_allowed
    assert cell_of(matrix, "risk", "auth").is_allowed
    assert matrix.allowed_count == SERVICES + 2


async def test_an_unreachable_bus_is_no_proof_of_isolation(private_nats: Callable[..., NatsServer]) -> None:
    server = private_nats()
    server.process.terminate()
    server.process.wait(timeout=10)
    matrix = await verify_bus(server.login)
    assert not matrix.is_isolated
    assert matrix.denied_count == 0
