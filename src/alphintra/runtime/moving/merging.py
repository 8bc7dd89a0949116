"""All services put into one schema under one role (``consolidated``), and back: in place, in one pause for all.

No row is copied: tables change their schema, name and owner where they are. Who is in charge is told by the home's
layout here too: until it is replaced, a run that was cut is undone, and afterwards brought to its end, both by making
the database what the layout says. That can be repeated, and be cut again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from alphintra.dataplane.apply import apply, plan_server
from alphintra.dataplane.failures import explained
from alphintra.dataplane.layouts import Placement, login_roles
from alphintra.dataplane.merge import follow_search_path, merge_tables, split_tables
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.dataplane.server import Server, admin_connection
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.gate import GateKeeper
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.layout import record_layout, recorded_layout
from alphintra.runtime.moving.history import ChangeOver, note_change_over
from alphintra.runtime.moving.journal import UNDER_WAY, Journal, Step, write_journal

if TYPE_CHECKING:
    import asyncpg

__all__ = ["Merging", "settle_merge"]

_SHUT_WAIT_S = 2.0
_LEAVES = """
    select c.oid::bigint, coalesce(pg_relation_filenode(c.oid), 0)::bigint
    from pg_partition_tree(to_regclass($1)) t join pg_class c on c.oid = t.relid
    union all
    select c.oid::bigint, pg_relation_filenode(c.oid)::bigint from pg_class c
    where c.oid = to_regclass($1) and c.relkind = 'r' and not c.relispartition order by 1
"""


@dataclass(slots=True, kw_only=True)
class Merging:
    """The services of one home on their way into one schema or out of it, while the lock on moves is held."""

    home: Home
    server: Server
    journal: Journal
    gates: Mapping[str, GateKeeper]
    follow: Callable[[], object]
    tell: Callable[[str], None]

    async def go_on(self) -> None:
        """Bring all services to the target, as far as they are not there.

        Raises MIGRATE_BUSY_SERVICE, MIGRATE_FAILED, APPLY_FAILED: with the services where they were.
        """
        if self._step is Step.PLANNED:
            await self._change_over(Step.SWITCHING)
        if self._step is Step.SWITCHED:
            await self._verify()

    async def go_back(self) -> None:
        """Bring all services back to where they were, with all that was written since. Raises MIGRATE_FINISHING."""
        if self._step is Step.FINISHING:
            message = "the way back has been given up by --finish, which was cut: use --finish again"
            raise AlphintraError("MIGRATE_FINISHING", message, kind=Kind.CONFLICT)
        if self._step in {Step.SWITCHED, Step.VERIFIED}:
            await self._change_over(Step.RETURNING)
        await self._forget([record.target for record in self.journal.records])

    async def finish(self) -> None:
        """Give up the way back, and the roles that went with the old places. Raises MIGRATE_UNFINISHED."""
        if self._step not in {Step.VERIFIED, Step.FINISHING}:
            message = f"the services are not moved yet ({self._step.value}): use --resume, or --rollback"
            raise AlphintraError("MIGRATE_UNFINISHED", message, kind=Kind.CONFLICT)
        _note(self.home, self.journal, Step.FINISHING)
        fault_point("migrate.finishing")
        await self._forget([record.source for record in self.journal.records])

    @property
    def _step(self) -> Step:
        return self.journal.records[0].step

    async def _change_over(self, under_way: Step) -> None:
        """Let requests wait, reshape the database, and put the other places in charge."""
        self.tell("letting requests wait")
        is_back = under_way is Step.RETURNING
        sides = [(record.target, record.source) for record in self.journal.records]
        old, new = zip(*(sides if is_back else [(there, here) for here, there in sides]), strict=True)
        began = perf_counter()
        _note(self.home, self.journal, under_way)
        fault_point("migrate.begun")
        try:
            await self._shut()
            shut = perf_counter()
            fault_point("migrate.shut")
            before = await _files(self.server, old)
            self.tell("changing schemas, names and owners")
            await _reshape(self.home, self.server, old=old, new=new)
            _require_same(before, await _files(self.server, new))
            fault_point("migrate.reshaped")
            record_layout(self.home, new)
            fault_point("migrate.charged")
            _note(self.home, self.journal, Step.RETURNED if is_back else Step.SWITCHED)
            self._open()
        except BaseException:
            await settle_merge(self.home, self.server, self.journal, gates=self.gates, follow=self.follow)
            raise
        pauses = {"shut": (shut - began) * 1000, "reshape": (perf_counter() - shut) * 1000}
        await self._keep(old, new, is_back=is_back, phases_ms=pauses)
        fault_point("migrate.switched")

    async def _shut(self) -> None:
        """Shut every gate, all at once: one service waits for another only while it is inside no gate."""
        shut = await asyncio.gather(*(gate.shut(wait_s=_SHUT_WAIT_S) for gate in self.gates.values()))
        if not all(shut):
            busy = ", ".join(name for name, is_shut in zip(self.gates, shut, strict=True) if not is_shut)
            message = f"a request of {busy} did not end within {_SHUT_WAIT_S:g} s: nothing was changed, try again"
            raise AlphintraError("MIGRATE_BUSY_SERVICE", message, kind=Kind.UNAVAILABLE)

    def _open(self) -> None:
        self.follow()
        for gate in self.gates.values():
            gate.open(is_elsewhere=True)

    async def _keep(
        self, old: Sequence[Placement], new: Sequence[Placement], *, is_back: bool, phases_ms: dict[str, float]
    ) -> None:
        async with admin_connection(self.server) as connection:
            version = connection.get_server_version().major
        pause_ms = round(sum(phases_ms.values()), 2)
        for record, left, place in zip(self.journal.records, old, new, strict=True):
            record.pause_ms = pause_ms
            note_change_over(
                self.home,
                ChangeOver(
                    at=SystemClock().now().isoformat(timespec="milliseconds"),
                    service=record.service,
                    source=_label(left),
                    target=_label(place),
                    versions=(version, version),
                    is_back=is_back,
                    rows=record.rows,
                    differences=0,
                    pause_ms=pause_ms,
                    fence_ms=round(phases_ms["reshape"], 2),
                    phases_ms={name: round(value, 2) for name, value in phases_ms.items()},
                ),
            )

    async def _verify(self) -> None:
        """Find nothing left to do in the database. Raises MIGRATE_DIFFERS."""
        self.tell("looking whether all is as declared")
        left = await plan_server(self.server, layout=recorded_layout(self.home))
        if left:
            message = f"the database is not as declared, first by {left[0].sql}: use `db apply`, or --rollback"
            raise AlphintraError("MIGRATE_DIFFERS", message, kind=Kind.CONFLICT)
        _note(self.home, self.journal, Step.VERIFIED)
        fault_point("migrate.verified")

    async def _forget(self, places: Sequence[Placement]) -> None:
        """Remove the roles of places that are not used any more, and the note of the moves."""
        self.tell("clearing up")
        layout = recorded_layout(self.home)
        gone = sorted(_roles(places) - _roles(layout))
        with explained("MIGRATE_FAILED", lambda reason: f"clearing up broke off ({reason}): use the command again"):
            async with admin_connection(self.server, database=layout[0].database) as connection:
                for role in await _existing(connection, gone):
                    # What somebody made in its name stays; what it was granted by default goes.
                    owner = identifier(layout[0].owner_role)
                    await connection.execute(
                        f"reassign owned by {role} to {owner}; drop owned by {role}; drop role {role}"
                    )
        fault_point("migrate.forgotten")
        write_journal(self.home, None)


async def settle_merge(
    home: Home, server: Server, journal: Journal, *, gates: Mapping[str, GateKeeper], follow: Callable[[], object]
) -> None:
    """Make the database what the layout says, where a change-over was cut, and let the requests through.

    Raises APPLY_FAILED, TOPOLOGY_CONNECT: the step stays under way, then, and this is to be tried again.
    """
    step = journal.records[0].step
    if step in UNDER_WAY:
        layout = recorded_layout(home)
        sides = [(record.source, record.target) for record in journal.records]
        is_there = all(target in layout for _, target in sides)
        old, new = zip(*(sides if is_there else [(target, source) for source, target in sides]), strict=True)
        await _reshape(home, server, old=old, new=new)
        nowhere = Step.PLANNED if step is Step.SWITCHING else Step.RETURNED
        _note(home, journal, Step.SWITCHED if is_there else nowhere)
    follow()
    for gate in gates.values():
        gate.open(is_elsewhere=True)


async def _reshape(home: Home, server: Server, *, old: Iterable[Placement], new: Sequence[Placement]) -> None:
    """Make the database of the old places that of the new ones; as far as it is not, so it can be repeated."""
    with explained("MIGRATE_FAILED", lambda reason: f"reshaping broke off ({reason}): use --resume, or --rollback"):
        async with admin_connection(server, database=new[0].database) as connection:
            for place in old:
                await split_tables(connection, place)
            for schema in {place.merged_schema for place in old if place.merged_schema}:
                await connection.execute(f"drop schema if exists {identifier(schema)}")
            for place in new:
                await follow_search_path(connection, place)
        await apply(server, layout=new, passwords=role_password(home))
        if any(place.merged_schema for place in new):
            async with admin_connection(server, database=new[0].database) as connection:
                for place in new:
                    await merge_tables(connection, place)
            await apply(server, layout=new, passwords=role_password(home))


def _require_same(before: Mapping[str, tuple[int, ...]], after: Mapping[str, tuple[int, ...]]) -> None:
    if odd := sorted(name for name in before if before[name] != after.get(name) or not before[name]):
        message = f"{', '.join(odd)} are not the tables they were: the services stay where they are"
        raise AlphintraError("MIGRATE_DIFFERS", message, kind=Kind.CONFLICT)


async def _files(server: Server, places: Iterable[Placement]) -> dict[str, tuple[int, ...]]:
    """Return which relation and file each table is, by service and name: the same ones hold the same rows."""
    found: dict[str, tuple[int, ...]] = {}
    with explained("MIGRATE_FAILED", lambda reason: f"looking at the tables broke off ({reason})"):
        for place in places:
            async with admin_connection(server, database=place.database) as connection:
                for table in service_tables(place.spec):
                    rows = await connection.fetch(_LEAVES, qualified(*place.location(table.name)))
                    found[f"{place.service}.{table.name}"] = tuple(number for row in rows for number in row)
    return found


async def _existing(connection: asyncpg.Connection, roles: Iterable[str]) -> list[str]:
    found = await connection.fetch("select quote_ident(rolname) from pg_roles where rolname = any($1)", list(roles))
    return [row[0] for row in found]


def _roles(places: Iterable[Placement]) -> set[str]:
    placed = tuple(places)
    return {*login_roles(placed), *(place.owner_role for place in placed)}


def _label(place: Placement) -> str:
    return f"{place.database}.{place.merged_schema or place.schema} on {place.instance}"


def _note(home: Home, journal: Journal, step: Step) -> None:
    for record in journal.records:
        record.step = step
    write_journal(home, journal)
