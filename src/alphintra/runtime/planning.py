"""What `db plan` and `db apply` are about: the servers of a started home, or one that the caller names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from alphintra.dataplane.audit.run import server_of
from alphintra.dataplane.layouts import MAIN_INSTANCE, Placement, instances_of
from alphintra.dataplane.months import Part
from alphintra.dataplane.plan import Action
from alphintra.dataplane.provision import Provisioned, look_at_months, provision
from alphintra.dataplane.server import Passwords, Server
from alphintra.dataplane.survey import Survey, survey_servers
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import carry_reporting, record_layout, settled_layout
from alphintra.runtime.passwords import passwords_lock
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["PlanTarget", "apply_plan", "find_months", "find_plan", "given_target", "started_target"]

_LOCK_WAIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTarget:
    """Servers, what lives on them, and the home that keeps the secrets (None where there is none yet)."""

    servers: tuple[Server, ...]
    layout: tuple[Placement, ...]
    home: Home | None

    @property
    def passwords(self) -> Passwords | None:
        """The secrets of the home."""
        return None if self.home is None else role_password(self.home)


def started_target(home: Home, settings: RuntimeSettings, *, is_free: bool = False) -> PlanTarget:
    """Return the servers of a started installation.

    Args:
        home: of the installation.
        settings: its settings, with the layout the caller asks about.
        is_free: whether that layout may be another than the home's: to look, not to apply.

    Raises NOT_PROVISIONED, LAYOUT_CHANGED, LAYOUT_INSTANCE.
    """
    order = provisioned_order(home)
    layout = order.layout
    if settings.names_a_layout:
        layout = settings.placements() if is_free else settled_layout(home, settings)
        layout = carry_reporting(home, layout)
    servers = tuple(replace(server, hardening=settings.hardening) for server in order.instances)
    _require_instances(layout, servers)
    return PlanTarget(servers=servers, layout=layout, home=home)


def given_target(url: str, settings: RuntimeSettings, *, home: Home | None) -> PlanTarget:
    """Return the one server an administrator's URL names. Raises AUDIT_URL, LAYOUT_CHANGED, LAYOUT_INSTANCE."""
    server = replace(server_of(url), instance=MAIN_INSTANCE, hardening=settings.hardening)
    layout = settled_layout(home, settings)
    if home is not None:
        layout = carry_reporting(home, layout)
    _require_instances(layout, (server,))
    return PlanTarget(servers=(server,), layout=layout, home=home)


async def find_plan(target: PlanTarget) -> tuple[Survey, ...]:
    """Return what differs on each server. Raises TOPOLOGY_CONNECT, PG_VERSION."""
    return await survey_servers(target.servers, layout=target.layout, passwords=target.passwords)


async def apply_plan(
    target: PlanTarget, *, allows_destructive: bool, on_action: Callable[[Action], None] | None = None
) -> tuple[Provisioned, ...]:
    """Bring the servers to the declaration and migrate, with the home's secrets, and record the layout in the home.

    Raises PLAN_DESTRUCTIVE before the first statement of a round that takes something away, unless allowed;
    PASSWORDS_BUSY, and what `provision` raises.
    """
    if target.home is None:
        raise AlphintraError("HOME_MISSING", "applying needs a home that keeps the secrets", kind=Kind.BUG)

    def approve(actions: Sequence[Action]) -> None:
        refused = [action for action in actions if action.destructive]
        if refused and not allows_destructive:
            raise _destructive(refused)

    with passwords_lock(target.home, wait_s=_LOCK_WAIT_S):
        done = await asyncio.gather(
            *(
                provision(
                    server,
                    layout=target.layout,
                    passwords=role_password(target.home),
                    approve=approve,
                    on_action=on_action,
                )
                for server in target.servers
            ),
            return_exceptions=True,
        )
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    record_layout(target.home, target.layout)
    return tuple(outcome for outcome in done if isinstance(outcome, Provisioned))


async def find_months(home: Home, *, is_kept: bool) -> Mapping[str, tuple[Part, ...]]:
    """Return the parts of tables that are cut by month, by service; with ``is_kept`` make the months that lack.

    Raises NOT_PROVISIONED, MIGRATION_BUSY, TOPOLOGY_CONNECT.
    """
    order = provisioned_order(home)
    found: dict[str, tuple[Part, ...]] = {}
    for server in order.instances:
        passwords = role_password(home)
        found |= await look_at_months(server, layout=order.layout, passwords=passwords, is_kept=is_kept)
    return found


def _destructive(refused: Sequence[Action]) -> AlphintraError:
    detail = (
        f"{len(refused)} steps take something away, first {refused[0].sql[:160]}: nothing was changed; "
        "read `alphintra db plan`, then add --allow-destructive"
    )
    return AlphintraError("PLAN_DESTRUCTIVE", detail, kind=Kind.CONFLICT, pointer="--allow-destructive")


def _require_instances(layout: Sequence[Placement], servers: Sequence[Server]) -> None:
    known = {server.instance for server in servers}
    missing = [instance for instance in instances_of(layout) if instance not in known]
    if missing:
        detail = (
            f"the layout lies on {len(instances_of(layout))} instances, of which {', '.join(missing[:3])} is not known "
            "here: one URL is one instance, name the others as admin_urls in alphintra.toml and start the platform"
        )
        raise AlphintraError("LAYOUT_INSTANCE", detail, pointer="--url")
