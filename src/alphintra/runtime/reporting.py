"""Cross-service reporting of one installation: on or off in its home, its roles' secrets, the reports themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from alphintra.dataplane.matrix import Cell
from alphintra.dataplane.reporting import (
    ReportingRole,
    disable_reporting,
    enable_reporting,
    reporting_roles,
    require_switchable,
    switched,
)
from alphintra.dataplane.reporting_grants import reporter_roles
from alphintra.dataplane.reporting_orders import OrderLine, OrderQuery, read_orders
from alphintra.dataplane.reporting_probes import probe_reporting
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import record_layout
from alphintra.runtime.provision import CONTROL_FILE, ProvisionOrder

__all__ = ["ReportingStatus", "orders_report", "probe_reports", "reporting_status", "set_reporting"]


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
    order = _order(home)
    roles = await reporting_roles(order.instances, layout=order.layout)
    return ReportingStatus(is_on=_is_on(order), roles=roles)


async def set_reporting(home: Home, *, on: bool) -> ReportingStatus:
    """Turn reporting on or off, now and for every later start. Safe to repeat and to kill.

    The home's record says "on" from before the first role exists until after the last is gone: a start in between
    makes what a killed run left whole. Raises NOT_PROVISIONED and what `enable_reporting` and `disable_reporting` do.
    """
    order = _order(home)
    passwords = role_password(home)
    if on:
        await require_switchable(order.instances, layout=order.layout)
        record_layout(home, switched(order.layout, on=True))
        layout = await enable_reporting(order.instances, layout=switched(order.layout, on=True), passwords=passwords)
    else:
        layout = await disable_reporting(order.instances, layout=order.layout, passwords=passwords)
        record_layout(home, layout)
    write_atomically(home.run / CONTROL_FILE, msgspec.json.encode(msgspec.structs.replace(order, layout=layout)))
    if not on:
        for role in reporter_roles(layout):
            home.secret_path(f"pg-{role}").unlink(missing_ok=True)
    return await reporting_status(home)


async def orders_report(home: Home, query: OrderQuery) -> AsyncIterator[tuple[OrderLine, ...]]:
    """Yield the report on orders in pages. Raises NOT_PROVISIONED, REPORTING_OFF, REPORT_LIMIT, TOPOLOGY_CONNECT."""
    order = _order(home)
    async for page in read_orders(order.instances, layout=order.layout, passwords=role_password(home), query=query):
        yield page


async def probe_reports(home: Home) -> tuple[Cell, ...]:
    """Attack the reporting roles and with them. Raises NOT_PROVISIONED, REPORTING_OFF, TOPOLOGY_CONNECT."""
    order = _order(home)
    return await probe_reporting(order.instances, layout=order.layout, passwords=role_password(home))


def _is_on(order: ProvisionOrder) -> bool:
    return any(placement.is_reported for placement in order.layout)


def _order(home: Home) -> ProvisionOrder:
    try:
        return msgspec.json.decode((home.run / CONTROL_FILE).read_bytes(), type=ProvisionOrder)
    except (OSError, msgspec.DecodeError) as error:
        message = "this home was never started: start it with `alphintra up`"
        raise AlphintraError("NOT_PROVISIONED", message, kind=Kind.UNAVAILABLE) from error
