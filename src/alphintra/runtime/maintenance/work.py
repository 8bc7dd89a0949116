"""One service's upkeep: inside its window or forced with a reason, one at a time on an instance, audited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.maintenance.tasks import TASKS, Done, run_tasks
from alphintra.dataplane.maintenance.windows import require_open
from alphintra.dataplane.retention.holds import Writer, append_audit
from alphintra.dataplane.retention.session import retainer_connection
from alphintra.dataplane.schedule import Window
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password, sealing_seeds
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.lock import alone
from alphintra.runtime.moving.journal import read_journal
from alphintra.runtime.rotation import KINDS, choose_roles, rotate

__all__ = ["ALL_TASKS", "Upkeep", "maintain"]

ALL_TASKS: Final = (*TASKS, "rotate")
"""``rotate``: new passwords for the service's roles, and a new key to seal its archives with."""

_REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What is to be done.

    Attributes:
        tasks: out of `ALL_TASKS`.
        window: the service's.
        reason: why it is done outside of the window; empty where it may be done inside alone.
    """

    tasks: Sequence[str]
    window: Window
    reason: str = ""


async def maintain(
    home: Home,
    place: tuple[Server, Placement],
    upkeep: Upkeep,
    *,
    writer: Writer,
    clock: Callable[[], datetime],
    tell: Callable[[str], None] = lambda _words: None,
) -> tuple[Done, ...]:
    """Do a service's upkeep and put it on record in its audit log.

    Nothing is begun after the window has closed, unless the whole was forced. Raises MAINTENANCE_WINDOW,
    MAINTENANCE_REASON, MAINTENANCE_MOVING while services move, MAINTENANCE_BUSY while another upkeep works on the
    instance, and what `run_tasks` and `rotate` raise.
    """
    server, placement = place
    if len(upkeep.reason) > _REASON_MAX:
        message = f"say why in at most {_REASON_MAX} characters: it stays in the audit log"
        raise AlphintraError("MAINTENANCE_REASON", message, pointer="--reason")
    if not upkeep.reason:
        require_open(placement.service, upkeep.window, at=clock())
    if read_journal(home) is not None:
        message = "services move to another place: end that with `alphintra db migrate --finish` or --rollback"
        raise AlphintraError("MAINTENANCE_MOVING", message, kind=Kind.CONFLICT)
    password = role_password(home)
    with _alone(home, server.instance):
        done = await run_tasks(
            server,
            placement,
            upkeep.tasks,
            password=password(placement.migrator_role),
            may_go_on=lambda: bool(upkeep.reason) or upkeep.window.contains(clock()),
            tell=tell,
        )
        if "rotate" in upkeep.tasks:
            done += (await _rotate(home, placement.service, tell=tell),)
        detail: dict[str, object] = {
            "window": upkeep.window.text,
            "forced": upkeep.reason,
            "done": [f"{each.task} {each.table}".rstrip() for each in done if not each.failure],
            "not_done": [f"{each.task} {each.table}: {each.failure}" for each in done if each.failure],
        }
        secret = password(placement.retainer_role)
        async with retainer_connection(server, placement, password=secret) as connection, connection.transaction():
            action = "maintenance.force" if upkeep.reason else "maintenance.run"
            await append_audit(connection, action, f"service:{placement.service}", detail, writer=writer)
    return done


async def _rotate(home: Home, service: str, *, tell: Callable[[str], None]) -> Done:
    tell(f"{service}: new passwords and a new sealing key")
    order = provisioned_order(home)
    await rotate(home, order, choose_roles(order.layout, services=(service,), kinds=KINDS))
    sealing_seeds(home, service, with_new=True)
    return Done(task="rotate", table="")


def _alone(home: Home, instance: str) -> AbstractContextManager[None]:
    """Be the only upkeep on an instance. Raises MAINTENANCE_BUSY."""
    message = f"another upkeep works on instance {instance}: see `alphintra maintenance status`"
    path = home.run / f"maintenance-{instance}.lock"
    return alone(path, lambda _: AlphintraError("MAINTENANCE_BUSY", message, kind=Kind.CONFLICT))
