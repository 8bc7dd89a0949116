"""New passwords for the roles of a running installation, without a request that notices.

In this order, so that at each moment one of the passwords a process knows is the one that holds, and so that a run that
is killed anywhere is finished by the next one, or by the next start:

1. the coming secret is written beside the one that holds;
2. the processes' credentials name both: a process whose password is refused reads them again and tries the other;
3. the server gets the new verifier, all roles of an instance in one transaction; open sessions stay;
4. the coming secret takes the other's place, by a rename;
5. the processes' credentials name the new one alone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.reporting_grants import reported, reporter_role
from alphintra.dataplane.rotate import accepts_password, set_passwords
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import next_secret, role_password, role_secret
from alphintra.runtime.home import Home
from alphintra.runtime.passwords import passwords_lock
from alphintra.runtime.provision import ProvisionOrder, write_all_credentials

__all__ = ["KINDS", "Rotated", "Rotation", "choose_roles", "rotate"]

KINDS: Final = ("service", "migrator", "reader", "backup", "sealer", "retainer", "reporter")
_PASSWORD_BYTES = 32
_LOCK_WAIT_S = 5.0
_LOGINS_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rotated:
    """One role: whose, of what kind, where; several services may share it."""

    role: str
    kind: str
    services: tuple[str, ...]
    instance: str
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a run did: the roles it gave new passwords, and those whose earlier, killed rotation it finished first."""

    rotated: tuple[Rotated, ...]
    resumed: tuple[str, ...]


def choose_roles(layout: Sequence[Placement], *, services: Sequence[str], kinds: Sequence[str]) -> tuple[Rotated, ...]:
    """Return the roles of the named services (all if none) and kinds. Raises SERVICE_UNKNOWN."""
    known = {placement.service for placement in layout}
    for service in services:
        if service not in known:
            message = f"there is no service {service[:40]!r}: known are {', '.join(sorted(known))}"
            raise AlphintraError("SERVICE_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="--service")
    chosen: dict[tuple[str, str], Rotated] = {}
    for placement in layout:
        for kind in kinds:
            role = _role_of(placement, kind)
            sharing = tuple(item.service for item in layout if _role_of(item, kind) == role)
            if role and (not services or set(services) & set(sharing)):
                chosen[role, placement.instance] = Rotated(
                    role=role,
                    kind=kind,
                    services=sharing,
                    instance=placement.instance,
                    database=placement.database,
                )
    return tuple(sorted(chosen.values()))


def _role_of(placement: Placement, kind: str) -> str:
    """Return a service's role of a kind; none to read reports where reporting is off."""
    if kind == "reporter":
        return reporter_role(placement) if placement.is_reported and reported((placement,)) else ""
    return str(getattr(placement, f"{kind}_role"))


async def rotate(
    home: Home,
    order: ProvisionOrder,
    roles: Sequence[Rotated],
    *,
    on_step: Callable[[float], None] = lambda _share: None,
) -> Rotation:
    """Give roles new passwords, finish what a killed run left, and prove that the new ones hold and the old do not.

    Raises PASSWORDS_BUSY while another command sets passwords, TOPOLOGY_CONNECT, ROTATE_FAILED, ROTATE_UNPROVEN.
    """
    with passwords_lock(home, wait_s=_LOCK_WAIT_S):
        every = choose_roles(order.layout, services=(), kinds=KINDS)
        resumed = tuple(item for item in every if home.read_secret(next_secret(item.role)) is not None)
        if resumed:
            await _carry_through(home, order, resumed)
        else:
            write_all_credentials(home, order)  # a run killed before its last step left both passwords there
        on_step(0.2)
        held = role_password(home)
        before = {item.role: held(item.role) for item in roles}
        for role in before:
            home.write_secret(next_secret(role), secrets.token_urlsafe(_PASSWORD_BYTES))
        fault_point("rotate.drawn")
        on_step(0.4)
        await _carry_through(home, order, roles)
        on_step(0.8)
        await _prove(order, roles, before=before, after={role: held(role) for role in before})
        on_step(1.0)
    return Rotation(rotated=tuple(roles), resumed=tuple(item.role for item in resumed))


async def _carry_through(home: Home, order: ProvisionOrder, roles: Sequence[Rotated]) -> None:
    """Do all but the first step for roles whose coming secret is written."""
    write_all_credentials(home, order)
    fault_point("rotate.offered")
    for server in order.instances:
        coming = {item.role: home.read_secret(next_secret(item.role)) for item in roles}
        of_instance = {item.role for item in roles if item.instance == server.instance}
        await set_passwords(
            server, {role: value for role, value in coming.items() if role in of_instance and value is not None}
        )
        fault_point("rotate.set")
    for role in dict.fromkeys(item.role for item in roles):
        home.replace_secret(role_secret(role), by=next_secret(role))
        fault_point("rotate.kept")
    write_all_credentials(home, order)
    fault_point("rotate.done")


async def _prove(
    order: ProvisionOrder, roles: Sequence[Rotated], *, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Raise ROTATE_UNPROVEN for a role whose new password is refused, or whose old one is still taken."""
    servers = {server.instance: server for server in order.instances}
    gate = asyncio.Semaphore(_LOGINS_AT_ONCE)

    async def accepts(item: Rotated, password: str) -> bool:
        async with gate:
            return await accepts_password(
                servers[item.instance], role=item.role, password=password, database=item.database
            )

    new, old = await asyncio.gather(
        asyncio.gather(*(accepts(item, after[item.role]) for item in roles)),
        asyncio.gather(*(accepts(item, before[item.role]) for item in roles)),
    )
    for item, is_taken, is_old_taken in zip(roles, new, old, strict=True):
        if not is_taken or is_old_taken:
            what = "the old password still opens" if is_old_taken else "the new password does not open"
            message = f"{what} {item.role} on instance {item.instance}: see whether pg_hba.conf asks for scram-sha-256"
            raise AlphintraError("ROTATE_UNPROVEN", message, kind=Kind.UNAVAILABLE)
