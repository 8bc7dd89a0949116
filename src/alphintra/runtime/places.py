"""Where the services of a home live, and on whose authority something is written there."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.retention.holds import Writer
from alphintra.dataplane.server import Server
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order

__all__ = ["chosen", "writer_of"]

_TRACE_BYTES: Final = 16


def chosen(home: Home, services: Sequence[str]) -> tuple[tuple[Server, Placement], ...]:
    """Return where the named services live, or all where none is named. Raises SERVICE_UNKNOWN, NOT_PROVISIONED."""
    order = provisioned_order(home)
    known = {placement.service: placement for placement in order.layout}
    for service in services:
        if service not in known:
            message = f"there is no service {service[:40]!r}: known are {', '.join(sorted(known))}"
            raise AlphintraError("SERVICE_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="--service")
    servers = {server.instance: server for server in order.instances}
    return tuple(
        (servers[placement.instance], placement)
        for service, placement in sorted(known.items())
        if not services or service in services
    )


def writer_of(actor: str, *, at: datetime) -> Writer:
    """Return on whose authority the following is written, under a trace of its own."""
    return Writer(actor=actor, at=at, trace_id=secrets.token_hex(_TRACE_BYTES), ids=SystemIds())
