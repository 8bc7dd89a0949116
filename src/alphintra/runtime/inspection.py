"""Looks at a running installation from outside its services: who gets at what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.attack.findings import Assessment
from alphintra.dataplane.matrix import AccessMatrix
from alphintra.dataplane.streams import BusLogin
from alphintra.dataplane.verify import verify_databases
from alphintra.dataplane.verify_bus import verify_bus
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.nats_keys import nats_seed
from alphintra.runtime.provision import CONTROL_FILE, ProvisionOrder

__all__ = ["attack_databases", "probe_access", "provisioned_order"]


async def probe_access(home: Home) -> tuple[AccessMatrix, AccessMatrix]:
    """Try every service's credential on every service's database and subjects; return both matrices.

    Raises NOT_PROVISIONED before the first start, TOPOLOGY_CONNECT if the servers are down.
    """
    order = provisioned_order(home)

    def login(user: str) -> BusLogin:
        return BusLogin(url=order.nats_url, user=user, seed=nats_seed(home, user))

    databases, bus = await asyncio.gather(
        verify_databases(order.instances, layout=order.layout, passwords=role_password(home)),
        verify_bus(login),
    )
    return databases, bus


async def attack_databases(home: Home, *, progress: Callable[[float], None] | None = None) -> Assessment:
    """Run every attack probe of every service against every other; safe on a live platform, seconds long.

    Raises NOT_PROVISIONED before the first start, TOPOLOGY_CONNECT if the servers are down.
    """
    order = provisioned_order(home)
    return await attack_layout(order.instances, layout=order.layout, passwords=role_password(home), progress=progress)


def provisioned_order(home: Home) -> ProvisionOrder:
    """Return what the last start provisioned: servers, layout, processes. Raises NOT_PROVISIONED."""
    try:
        return msgspec.json.decode((home.run / CONTROL_FILE).read_bytes(), type=ProvisionOrder)
    except (OSError, msgspec.DecodeError) as error:
        message = "this home was never started: start it with `alphintra up`"
        raise AlphintraError("NOT_PROVISIONED", message, kind=Kind.UNAVAILABLE) from error
