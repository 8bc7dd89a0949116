"""One call: attack every pair of services of a layout, and say what it comes to."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from alphintra.dataplane.attack.accepted import Standing
from alphintra.dataplane.attack.findings import Assessment, assess_results
from alphintra.dataplane.attack.model import Attack, Level
from alphintra.dataplane.attack.probes import CATALOGUE
from alphintra.dataplane.attack.raid import raid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.attack.ground import Ground
    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["attack_layout"]

_TOKEN_BYTES = 6


async def attack_layout(
    servers: Sequence[Server],
    *,
    layout: Sequence[Placement],
    passwords: Passwords,
    catalogue: Sequence[Attack] = CATALOGUE,
    level: Level | None = None,
    progress: Callable[[float], None] | None = None,
) -> Assessment:
    """Run the catalogue against every pair of services and gather what got through; safe on a live platform.

    Args:
        servers: one per instance of the layout.
        layout: where each service lives.
        passwords: gives a role's own secret.
        catalogue: what to try, all of it unless told.
        level: what the instances are held to, if not their own level of hardening.
        progress: told the share that is done, from 0 to 1.

    Raises TOPOLOGY_CONNECT and PG_VERSION for the administrator's own connections alone.
    """
    token = f"probe_{secrets.token_hex(_TOKEN_BYTES)}"
    results, grounds = await raid(
        servers, layout=layout, passwords=passwords, catalogue=catalogue, token=token, progress=progress
    )
    return assess_results(
        results,
        layout=layout,
        levels={server.instance: level or Level(server.hardening.value) for server in servers},
        standings={name: _standing(ground) for name, ground in grounds.items()},
    )


def _standing(ground: Ground) -> Standing:
    if not ground.has_superuser:
        return Standing.UNPRIVILEGED
    return Standing.OURS if ground.server.exclusive else Standing.FOREIGN
