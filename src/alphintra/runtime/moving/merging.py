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

from alphintra.dataplane.apply import plan_server
from alphintra.dataplane.layouts import Placement, login_roles
from alphintra.dataplane.move.in_place import drop_roles, files_of, require_same_tables, reshape
from alphintra.dataplane.server import Server, admin_connection
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.gate import GateKeeper
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.layout import record_layout, recorded_layout
from alphintra.runtime.moving.history import ChangeOver, note_change_over
from alphintra.runtime.moving.journal import UNDER_WAY, Journal, Step, write_journal

__all__ = ["Merging", "settle_merge"]

_SHUT_WAIT_S = 2.0


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
            before = await files_of(self.server, old)
            self.tell("changing schemas, names and owners")
            await reshape(self.server, old=old, new=new, passwords=role_password(self.home))
            require_same_tables(before, await files_of(self.server, new))
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
        await drop_roles(
            self.server,
            sorted(_roles(places) - _roles(layout)),
            database=layout[0].database,
            heir=layout[0].owner_role,
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
        await reshape(server, old=old, new=new, passwords=role_password(home))
        nowhere = Step.PLANNED if step is Step.SWITCHING else Step.RETURNED
        _note(home, journal, Step.SWITCHED if is_there else nowhere)
    follow()
    for gate in gates.values():
        gate.open(is_elsewhere=True)


def _roles(places: Iterable[Placement]) -> set[str]:
    placed = tuple(places)
    return {*login_roles(placed), *(place.owner_role for place in placed)}


def _label(place: Placement) -> str:
    return f"{place.database}.{place.merged_schema or place.schema} on {place.instance}"


def _note(home: Home, journal: Journal, step: Step) -> None:
    for record in journal.records:
        record.step = step
    write_journal(home, journal)
