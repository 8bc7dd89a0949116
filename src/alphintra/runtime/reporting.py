"""Cross-service reporting of one installation: on or off in its home, its roles' secrets, the reports themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.matrix import Cell
from alphintra.dataplane.reporting.orders import OrderLine, OrderQuery, read_orders
from alphintra.dataplane.reporting.probes import probe_reporting
from alphintra.dataplane.reporting.switch import (
    ReportingRole,
    disable_reporting,
    enable_reporting,
    reporting_roles,
    require_switchable,
    switched,
)
from alphintra.dataplane.reporting_grants import reporter_roles
from alphintra.runtime.credentials import role_password, role_secret
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import carry_reporting, record_layout
from alphintra.runtime.passwords import passwords_lock
from alphintra.runtime.provision import CONTROL_FILE, ProvisionOrder

__all__ = ["ReportingStatus", "orders_report", "probe_reports", "reporting_status", "set_reporting"]

_LOCK_WAIT_S = 5.0


class ReportingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether reporting is on in the home, and the roles as the servers have them."""

    is_on: bool
    roles: tuple[ReportingRole, ...]

    @property
    def is_as_recorded(self) -> bool:
        """Whether each role exists exactly if reporting is on."""
        return all(role.exists is self.is_on for role in self.roles)


async def reporting_status(home: Home) -> ReportingStatus:
    """Return whether reporting is on. Raises NOT_PROVISIONED, TOPOLOGY_CONNECT."""
    order = provisioned_order(home)
    roles = await reporting_roles(order.instances, layout=order.layout)
    return ReportingStatus(is_on=_is_on(order), roles=roles)


async def set_reporting(home: Home, *, on: bool) -> ReportingStatus:
    """Turn reporting on or off, now and for every later start. Safe to repeat and to kill.

    The home's record says "on" from before the first role exists until after the last is gone: a start in between
    makes what a killed run left whole. Raises NOT_PROVISIONED, PASSWORDS_BUSY and what `enable_reporting`
    and `disable_reporting` do.
    """
    with passwords_lock(home, wait_s=_LOCK_WAIT_S):
        order = provisioned_order(home)
        await (_turn_on(home, order) if on else _turn_off(home, order))
    return await reporting_status(home)


async def orders_report(home: Home, query: OrderQuery) -> AsyncIterator[tuple[OrderLine, ...]]:
    """Yield the report on orders in pages. Raises NOT_PROVISIONED, REPORTING_OFF, REPORT_LIMIT, TOPOLOGY_CONNECT."""
    order = provisioned_order(home)
    async for page in read_orders(order.instances, layout=order.layout, passwords=role_password(home), query=query):
        yield page


async def probe_reports(home: Home) -> tuple[Cell, ...]:
    """Attack the reporting roles and with them. Raises NOT_PROVISIONED, REPORTING_OFF, TOPOLOGY_CONNECT."""
    order = provisioned_order(home)
    return await probe_reporting(order.instances, layout=order.layout, passwords=role_password(home))


async def _turn_on(home: Home, order: ProvisionOrder) -> None:
    await require_switchable(order.instances, layout=carry_reporting(home, order.layout))
    layout = switched(order.layout, on=True)
    record_layout(home, layout)
    await enable_reporting(order.instances, layout=layout, passwords=role_password(home))
    _remember(home, order, layout)


async def _turn_off(home: Home, order: ProvisionOrder) -> None:
    layout = await disable_reporting(order.instances, layout=order.layout, passwords=role_password(home))
    record_layout(home, layout)
    _remember(home, order, layout)
    for role in reporter_roles(layout):
        home.secret_path(role_secret(role)).unlink(missing_ok=True)


def _remember(home: Home, order: ProvisionOrder, layout: tuple[Placement, ...]) -> None:
    write_atomically(home.run / CONTROL_FILE, msgspec.json.encode(msgspec.structs.replace(order, layout=layout)))


def _is_on(order: ProvisionOrder) -> bool:
    return any(placement.is_reported for placement in order.layout)
