"""Cross-service reports on real servers: the same rows wherever the data lies, and nobody else's way to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, instances_of
from alphintra.dataplane.provision import provision
from alphintra.dataplane.reporting.orders import OrderQuery, read_orders
from alphintra.dataplane.reporting.probes import probe_reporting
from alphintra.dataplane.reporting.switch import disable_reporting, enable_reporting, reporting_roles
from alphintra.dataplane.reporting.timing import fill_report, time_report
from alphintra.dataplane.reporting_grants import reported
from alphintra.dataplane.verify import find_drift
from alphintra.kernel.errors import AlphintraError
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.reporting.orders import OrderLine
    from alphintra.dataplane.server import Server

ORDERS = 240
SEPARATE = LayoutChoice()
CENTRAL = LayoutChoice(name=LayoutName.CENTRAL)
ELSEWHERE = {
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "shared": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
    "isolated": LayoutChoice(is_isolated=True),
}
ROLES = "select rolname, rolcanlogin from pg_roles where rolname like '%reporter'"
PAIR = frozenset({"trading", "risk"})


class Installation:
    """Servers with a layout on them, reporting on or off."""

    def __init__(self, servers: tuple[Server, ...], layout: tuple[Placement, ...]) -> None:
        self.servers = servers
        self.layout = layout

    async def enable(self) -> None:
        self.layout = await enable_reporting(self.servers, layout=self.layout, passwords=password_of)

    async def disable(self) -> None:
        self.layout = await disable_reporting(self.servers, layout=self.layout, passwords=password_of)

    async def report(self, query: OrderQuery | None = None) -> list[OrderLine]:
        pages = read_orders(self.servers, layout=self.layout, passwords=password_of, query=query or OrderQuery())
        return [line async for page in pages for line in page]

    async def faults(self) -> list[str]:
        cells = await probe_reporting(self.servers, layout=self.layout, passwords=password_of)
        assert cells
        return [f"{cell.user}: {probe.name}" for cell in cells for probe in cell.probes if not probe.is_as_declared]

    async def drift(self) -> tuple[str, ...]:
        return await find_drift(self.servers, layout=self.layout)

    async def sql(self, database: str, statement: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.servers[0].admin_url, database=database)
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement)
            return found
        finally:
            await connection.close()


async def installed(
    private_postgres: Callable[..., Server], choice: LayoutChoice, *, services: frozenset[str] = frozenset()
) -> Installation:
    """Provision the services that reports read, or those named."""
    layout = tuple(item for item in reported(choose_layout(choice)) if not services or item.service in services)
    servers = tuple(replace(private_postgres(), instance=instance) for instance in instances_of(layout))
    for server in servers:
        await provision(server, layout=layout, passwords=password_of)
    return Installation(servers, layout)


async def filled(private_postgres: Callable[..., Server], choice: LayoutChoice) -> Installation:
    made = await installed(private_postgres, choice)
    await fill_report(made.servers, layout=made.layout, orders=ORDERS)
    await made.enable()
    return made


@pytest.mark.slow
async def test_the_report_is_the_same_in_one_database_and_in_five(private_postgres: Callable[..., Server]) -> None:
    separate = await filled(private_postgres, SEPARATE)
    central = await filled(private_postgres, CENTRAL)
    rows = await separate.report()
    assert await central.report() == rows
    assert len(rows) == ORDERS
    assert [row.created_at for row in rows] == sorted((row.created_at for row in rows), reverse=True)
    denied = next(row for row in rows if row.status == "denied")
    assert (denied.approved, denied.findings, denied.fills) == (False, ("RISK_QTY_MAX",), 0)
    assert denied.notified_kind == "order_denied"
    bought = next(row for row in rows if row.status == "filled" and row.deployment_id and row.workflow)
    assert (bought.approved, bought.fills, bought.notified_kind, bought.workflow_version) == (True, 1, "fill_booked", 1)
    assert {row.attempt for row in rows} == {1, 2}, "the last assessment of an order, not the first"
    assert any(row.position_qty for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ELSEWHERE)
async def test_the_report_is_the_same_elsewhere_and_probes_hold(
    private_postgres: Callable[..., Server], name: str
) -> None:
    there = await filled(private_postgres, ELSEWHERE[name])
    assert await there.report() == await (await filled(private_postgres, SEPARATE)).report()
    assert await there.faults() == []
    assert await there.drift() == ()
    await there.disable()
    assert await there.drift() == ()


async def test_the_path_gives_the_rows_of_a_plain_join_bounded_by_time_account_and_number(
    private_postgres: Callable[..., Server],
) -> None:
    there = await filled(private_postgres, CENTRAL)
    timing = await time_report(there.servers, layout=there.layout, passwords=password_of, rounds=1)
    assert timing.is_equal
    rows = await there.report()
    assert len(rows) == timing.orders == ORDERS
    middle = rows[ORDERS // 2].created_at
    later = await there.report(OrderQuery(since=middle))
    earlier = await there.report(OrderQuery(until=middle))
    assert later + earlier == rows
    assert later[-1].created_at == middle
    assert await there.report(OrderQuery(limit=7)) == rows[:7]
    account = rows[3].account_id
    assert await there.report(OrderQuery(account_id=account)) == [row for row in rows if row.account_id == account]
    with pytest.raises(AlphintraError, match="REPORT_LIMIT"):
        await there.report(OrderQuery(limit=0))


async def test_off_there_is_nothing_on_it_is_declared_and_off_again_nothing_is_left(
    private_postgres: Callable[..., Server],
) -> None:
    there = await installed(private_postgres, SEPARATE, services=PAIR)
    with pytest.raises(AlphintraError, match="REPORTING_OFF"):
        await there.report()
    await there.sql("postgres", "create role alphintra_risk_reporter nologin")
    with pytest.raises(AlphintraError, match="REPORTING_ROLE_TAKEN"):
        await there.enable()
    assert await there.sql("postgres", ROLES) == [("alphintra_risk_reporter", False)], "somebody else's, and left alone"
    await there.sql("postgres", "drop role alphintra_risk_reporter")
    await there.enable()
    await there.enable()
    assert await there.drift() == ()
    assert all(role.exists for role in await reporting_roles(there.servers, layout=there.layout))
    session = await asyncpg.connect(
        host=there.servers[0].host, port=there.servers[0].port, user="alphintra_trading_reporter",
        password=password_of("alphintra_trading_reporter"), database="alphintra_trading",
    )  # fmt: skip
    await there.disable()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await session.fetchval("select 1")
    assert await there.sql("postgres", ROLES) == []
    assert await there.drift() == ()
    left = await there.sql(
        "alphintra_trading", "select attname from pg_attribute where attacl::text like '%reporter%' or attacl = '{}'"
    )
    assert left == []
    await there.disable()


async def test_an_attack_that_gets_through_and_a_grant_too_many_are_found(
    private_postgres: Callable[..., Server],
) -> None:
    there = await installed(private_postgres, CENTRAL, services=PAIR)
    await there.enable()
    assert await there.faults() == []
    await there.sql("alphintra_central", "grant alphintra_central_reporter to trading_service_user")
    await there.sql("alphintra_central", "grant select on trading_schema.ledger_entries to alphintra_central_reporter")
    faults = await there.faults()
    assert "trading: become the role" in faults
    assert "alphintra_central_reporter: read all of trading.ledger_entries" in faults
    drift = "\n".join(await there.drift())
    assert 'REVOKE "alphintra_central_reporter" FROM "trading_service_user"' in drift
    assert 'REVOKE SELECT ON TABLE "trading_schema"."ledger_entries" FROM "alphintra_central_reporter"' in drift
