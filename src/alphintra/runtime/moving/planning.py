"""Which services a command moves, from where to where, by which servers; and whether that can succeed."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alphintra.dataplane.audit.run import server_of
from alphintra.dataplane.layouts import MAIN_INSTANCE, LayoutChoice, LayoutName, Placement, choose_layout
from alphintra.dataplane.move.preflight import TableSize, check, check_in_place, needed_bytes
from alphintra.dataplane.server import Server
from alphintra.infrastructure.gate import keeper_lock_path
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import gate_path
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.layout import recorded_layout, restore_file
from alphintra.runtime.moving.history import Expected, expected_pause, read_history
from alphintra.runtime.moving.journal import Journal, Record, moves_lock, read_journal
from alphintra.runtime.moving.visits import require_reach
from alphintra.runtime.policy import Phase, PlatformState
from alphintra.runtime.ports import LOOPBACK
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from alphintra.dataplane.move.sides import Reach

__all__ = ["Planned", "Wish", "await_servers", "plan_moves", "reach_of", "require_own", "servers_of"]

_IDENT_BYTES = 3
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_START_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One service's move before it begins, with what it will copy and for how long its requests will wait."""

    record: Record
    tables: tuple[TableSize, ...]
    pause: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for.

    Attributes:
        to: layout whose databases the services are to live in.
        services: which; all if none is named.
        instance: PostgreSQL instance they are to live on.
        is_new: whether that is one more server of the home's own, to be made.
    """

    to: LayoutName
    services: tuple[str, ...] = ()
    instance: str = MAIN_INSTANCE
    is_new: bool = False


async def plan_moves(
    home: Home, servers: dict[str, Server], wish: Wish, *, settings: RuntimeSettings
) -> tuple[Planned, ...]:
    """Return the moves that a wish comes to, having looked at each; changes nothing.

    Raises SERVICE_UNKNOWN, MIGRATE_LAYOUT, MIGRATE_NOTHING, MIGRATE_OPEN, RESTORE_OPEN, INSTANCE_UNKNOWN,
    INSTANCE_NAME, INSTANCE_TAKEN, MIGRATE_REACH, and what `check` raises.
    """
    if read_journal(home) is not None:
        message = "services of this home are already being moved: use --resume, --rollback or --finish first"
        raise AlphintraError("MIGRATE_OPEN", message, kind=Kind.CONFLICT)
    if restore_file(home).exists():
        message = (
            "a service of this home was brought back: end that by `alphintra backup restore --finish` or --rollback"
        )
        raise AlphintraError("RESTORE_OPEN", message, kind=Kind.CONFLICT)
    if keeper_lock_path(gate_path(home, "any")).exists():
        with moves_lock(home):
            pass  # raises while another command moves
    layout = recorded_layout(home)
    records = [
        Record(service=source.service, ident=secrets.token_hex(_IDENT_BYTES), source=source, target=target)
        for source, target in _places(layout, wish, settings)
        if source != target
    ]
    if not records:
        message = f"every service named lives where {wish.to.value} on {wish.instance} has it: there is nothing to move"
        raise AlphintraError("MIGRATE_NOTHING", message, kind=Kind.CONFLICT)
    if Journal(to=wish.to.value, records=records).is_merge:
        return await _plan_merge(home, servers, records)
    if wish.is_new:
        servers = servers | {wish.instance: _coming(wish.instance, servers)}
    planned = []
    promised = 0  # of the same disk to the services before: the old places go only when all is finished
    history = read_history(home)
    for record in records:
        move = record.move(servers)
        space = shutil.disk_usage(home.path).free - promised if move.target.server.exclusive else None
        tables = await check(move, together=len(records), is_new=wish.is_new, space_bytes=space)
        await require_reach(move, reach_of(home), is_new=wish.is_new)
        record.rows, record.bytes = sum(each.rows for each in tables), sum(each.bytes for each in tables)
        promised += needed_bytes(tables)
        planned.append(Planned(record=record, tables=tables, pause=expected_pause(history, record.service)))
    return tuple(planned)


def servers_of(order: ProvisionOrder, settings: RuntimeSettings) -> dict[str, Server]:
    """Return the servers that run, and those that the settings name, by instance."""
    servers = {
        name: replace(server_of(url), instance=name, hardening=settings.hardening)
        for name, url in settings.admin_urls.items()
    }
    return servers | {server.instance: server for server in order.instances}


async def await_servers(
    home: Home,
    servers: dict[str, Server],
    journal: Journal,
    *,
    settings: RuntimeSettings,
    state: Callable[[], PlatformState | None],
) -> dict[str, Server]:
    """Return the servers with those of our own that the moves need, once the running platform has started them.

    ``state`` reads what the platform published. One that does not come up in a minute is left out.
    """
    deadline = asyncio.get_running_loop().time() + _START_S
    servers = dict(servers)
    for record in journal.records:
        for placement in (record.source, record.target):
            while placement.instance not in servers and asyncio.get_running_loop().time() < deadline:
                if (server := _started(home, placement.instance, state(), settings)) is not None:
                    servers[placement.instance] = server
                else:
                    await asyncio.sleep(_LOOK_EVERY_S)
    return servers


def _started(home: Home, instance: str, state: PlatformState | None, settings: RuntimeSettings) -> Server | None:
    if state is None:
        return None
    unit = EmbeddedPostgres(home, instance=instance)
    is_ready = any(each.name == unit.name and each.phase is Phase.READY for each in state.processes)
    if not is_ready or unit.name not in state.ports:
        return None
    port = state.ports[unit.name]
    url = unit.admin_dsn(port=port)
    return Server(admin_url=url, host=LOOPBACK, port=port, instance=instance, hardening=settings.hardening)


def reach_of(home: Home) -> Reach:
    """Return how one server finds another: those of this home by the private socket, as seen from their own folder.

    Their account has no way through the folders above the home.
    """

    def reach(server: Server, seen_from: Server) -> str:
        if not server.exclusive:
            return ""
        folder = EmbeddedPostgres(home, instance=server.instance).socket_folder
        if not folder.is_relative_to(home.postgres):
            return str(folder)
        data = EmbeddedPostgres(home, instance=seen_from.instance).data
        return f"/proc/self/cwd/{os.path.relpath(folder, data)}"

    return reach


def _places(layout: Sequence[Placement], wish: Wish, settings: RuntimeSettings) -> list[tuple[Placement, Placement]]:
    known = {placement.service: placement for placement in layout}
    for service in wish.services:
        if service not in known:
            message = f"there is no service {service[:40]!r}: known are {', '.join(sorted(known))}"
            raise AlphintraError("SERVICE_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="--services")
    if wish.to is LayoutName.CONSOLIDATED or any(placement.merged_schema for placement in layout):
        return merged_places(layout, wish, settings)
    require_own(layout)
    names = settings.databases if settings.layout is wish.to else {}
    wanted = {item.service: item for item in choose_layout(LayoutChoice(name=wish.to, databases=names))}
    chosen = wish.services or tuple(known)
    return [
        (known[service], replace(known[service], database=wanted[service].database, instance=wish.instance))
        for service in chosen
    ]


async def _plan_merge(home: Home, servers: dict[str, Server], records: list[Record]) -> tuple[Planned, ...]:
    history = read_history(home)
    planned = []
    for record in records:
        tables = await check_in_place(record.move(servers))
        record.rows, record.bytes = sum(each.rows for each in tables), sum(each.bytes for each in tables)
        planned.append(Planned(record=record, tables=tables, pause=expected_pause(history, record.service)))
    return tuple(planned)


def merged_places(
    layout: Sequence[Placement], wish: Wish, settings: RuntimeSettings
) -> list[tuple[Placement, Placement]]:
    """Return what becomes of all services that come into one schema or leave it: they stay in their database.

    Raises LAYOUT_NOT_ACCEPTED, and MIGRATE_LAYOUT for anything else than central to consolidated or back.
    """
    is_merged = any(placement.merged_schema for placement in layout)
    here = {(placement.instance, placement.database) for placement in layout}
    if wish.services or wish.is_new or {wish.instance} != {instance for instance, _ in here} or len(here) != 1:
        message = (
            "all services come into one schema together, from one database, and leave it so: leave --services and "
            "--new-instance out, name their --instance, and move to central first if they are elsewhere"
        )
        raise AlphintraError("MIGRATE_LAYOUT", message, pointer="--to")
    if is_merged and wish.to not in {LayoutName.CENTRAL, LayoutName.CONSOLIDATED}:
        message = "the services share one schema: move to central first, from there they can go anywhere"
        raise AlphintraError("MIGRATE_LAYOUT", message, pointer="--to")
    if not is_merged:
        require_own(layout)
    choice = LayoutChoice(name=wish.to, accepts_consolidated=settings.accept_consolidated)
    return [(before, _in_place(before, wanted)) for before, wanted in zip(layout, choose_layout(choice), strict=True)]


def _in_place(before: Placement, wanted: Placement) -> Placement:
    return replace(
        wanted,
        database=before.database,
        instance=before.instance,
        schema_name=before.schema_name,
        is_reported=before.is_reported,
    )


def require_own(layout: Sequence[Placement]) -> None:
    """Raise MIGRATE_LAYOUT where services share a role or a schema."""
    for placement in layout:
        shares = any(placement.service_role == item.service_role for item in layout if item != placement)
        if placement.merged_schema or shares:
            message = f"{placement.service} shares its role or schema with others: only services of their own can move"
            raise AlphintraError("MIGRATE_LAYOUT", message, pointer="--to")


def _coming(instance: str, servers: dict[str, Server]) -> Server:
    """Return what is known of a server that is still to be made. Raises INSTANCE_NAME, INSTANCE_TAKEN."""
    if not _NAME.fullmatch(instance):
        message = f"{instance[:40]!r} cannot be an instance: use lower-case letters, digits and underscores"
        raise AlphintraError("INSTANCE_NAME", message, pointer="--instance")
    if instance in servers:
        message = f"there is an instance {instance} already: leave --new-instance out"
        raise AlphintraError("INSTANCE_TAKEN", message, kind=Kind.CONFLICT, pointer="--instance")
    return Server(admin_url="", host=LOOPBACK, port=0, instance=instance)
