"""The probe of the borders between the services' databases: run with their own credentials, kept, audited."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

import msgspec

from alphintra.contracts.inspector import AccessCellView, AccessView, Reach, TryView
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.matrix import AccessMatrix, Cell, Outcome
from alphintra.dataplane.retention.holds import append_audit
from alphintra.dataplane.retention.session import retainer_connection
from alphintra.dataplane.standing import find_grants
from alphintra.dataplane.verify import verify_databases
from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.moving.journal import read_journal
from alphintra.runtime.places import chosen, writer_of

__all__ = ["PROBE_EVERY", "AccessProbe", "reach_of"]

PROBE_EVERY: Final = timedelta(hours=1)
"""How often the borders are probed without being asked."""

_REST: Final = timedelta(seconds=5)
_FILE: Final = "access-probe.json"


class AccessProbe:
    """The last probe of a home, and the way to the next one; one at a time."""

    def __init__(self, home: Home, *, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._kept = self._read()
        self._problem = ""
        self._tried_at: datetime | None = None
        self._lock = asyncio.Lock()

    def view(self) -> AccessView:
        """Return what was found last, for the places services live in now; other cells were not probed.

        Raises NOT_PROVISIONED.
        """
        layout = provisioned_order(self._home).layout
        kept = {} if self._kept is None else {(cell.user, cell.target): cell for cell in self._kept.cells}
        cells = tuple(
            _still(kept.get((user.service, target.service)), user, target) for user in layout for target in layout
        )
        return AccessView(
            at=None if self._kept is None else self._kept.at,
            asked_by="" if self._kept is None else self._kept.asked_by,
            took_s=0.0 if self._kept is None else self._kept.took_s,
            next_at=self.next_at,
            breaches=sum(cell.reach is Reach.REACHABLE for cell in cells),
            cells=cells,
            drift=() if self._kept is None else self._kept.drift,
            limits=() if self._kept is None else self._kept.limits,
            problem=self._problem,
        )

    @property
    def next_at(self) -> datetime | None:
        """When it is due without being asked, an hour after the last; None where there was none yet: at once."""
        last = self._tried_at or (None if self._kept is None else self._kept.at)
        return None if last is None else last + PROBE_EVERY

    @property
    def is_due(self) -> bool:
        """Whether it is to be probed by itself now: not while services move, whose rights change as they go."""
        next_at = self.next_at
        return (next_at is None or self._clock.now() >= next_at) and read_journal(self._home) is None

    async def probe(self, asked_by: str) -> AccessView:
        """Try every credential on every database, keep what came of it and put it on record in every audit log.

        Raises PROBE_RUNNING, PROBE_TOO_SOON, NOT_PROVISIONED, TOPOLOGY_CONNECT and what else keeps it from being done;
        what was found last stands then.
        """
        if self._lock.locked():
            raise AlphintraError("PROBE_RUNNING", "a probe is at work: wait for it to end", kind=Kind.CONFLICT)
        if self._tried_at is not None and self._clock.now() - self._tried_at < _REST:
            message = f"the last probe began less than {_REST.seconds} seconds ago: wait a moment"
            raise AlphintraError("PROBE_TOO_SOON", message, kind=Kind.LIMITED)
        async with self._lock:
            self._tried_at = self._clock.now()
            try:
                self._kept = await self._probe(asked_by, at=self._tried_at)
            except AlphintraError as error:
                self._problem = f"{error.code}: {error.detail}"
                raise
            self._problem = ""
            write_atomically(self._home.path / _FILE, msgspec.json.encode(self._kept))
            await self._record(self._kept)
        return self.view()

    async def _probe(self, asked_by: str, *, at: datetime) -> AccessView:
        began = perf_counter()
        order = provisioned_order(self._home)
        matrix, grants = await asyncio.gather(
            verify_databases(order.instances, layout=order.layout, passwords=role_password(self._home)),
            find_grants(order.instances, order.layout),
        )
        cells = _cells(matrix, order.layout, grants)
        return AccessView(
            at=at,
            asked_by=asked_by,
            took_s=round(perf_counter() - began, 2),
            next_at=None,
            breaches=sum(cell.reach is Reach.REACHABLE for cell in cells),
            cells=cells,
            drift=matrix.drift,
            limits=matrix.limits,
        )

    async def _record(self, found: AccessView) -> None:
        """Put on record in each service's own audit log that it was tried, and what came of it."""
        writer = writer_of(found.asked_by, at=found.at or self._clock.now())
        for server, placement in chosen(self._home, ()):
            others = [cell for cell in found.cells if cell.target == placement.service != cell.user]
            detail: dict[str, object] = {
                "reached_by": [cell.user for cell in others if cell.reach is Reach.REACHABLE],
                "denied": sum(cell.reach is Reach.DENIED for cell in others),
                "unproven": [cell.user for cell in others if cell.reach is Reach.UNPROVEN],
            }
            password = role_password(self._home)(placement.retainer_role)
            async with retainer_connection(server, placement, password=password) as connection:
                await append_audit(connection, "access.probe", f"service:{placement.service}", detail, writer=writer)

    def _read(self) -> AccessView | None:
        try:
            return msgspec.json.decode((self._home.path / _FILE).read_bytes(), type=AccessView)
        except (FileNotFoundError, msgspec.DecodeError):
            return None  # none yet; the next probe writes it anew


def _cells(
    matrix: AccessMatrix, layout: tuple[Placement, ...], grants: dict[tuple[str, str], tuple[str, ...]]
) -> tuple[AccessCellView, ...]:
    places = {placement.service: placement for placement in layout}
    return tuple(
        _cell(
            places[cell.user],
            places[cell.target],
            reach=reach_of(cell, places[cell.user], places[cell.target]),
            tries=tuple(
                TryView(
                    name=probe.name,
                    is_declared=probe.may,
                    outcome=probe.outcome.value,
                    code=probe.code,
                    answer=probe.answer,
                )
                for probe in cell.probes
            ),
            grants=grants.get((cell.user, cell.target), ()),
        )
        for cell in matrix.cells
    )


def reach_of(cell: Cell, user: Placement, target: Placement) -> Reach:
    """Return what a cell says: getting through undeclared outweighs all, and what is not as declared proves nothing."""
    if any(probe.outcome is Outcome.ALLOWED and not probe.may for probe in cell.probes):
        return Reach.REACHABLE
    if not cell.is_as_declared:
        return Reach.UNPROVEN
    if cell.user == cell.target:
        return Reach.OWN
    return Reach.SHARED if user.shares_role_with(target) else Reach.DENIED


def _still(kept: AccessCellView | None, user: Placement, target: Placement) -> AccessCellView:
    """Return the cell that was kept if it is of this role and this place, else one that was not probed."""
    fresh = _cell(user, target)
    if kept is None:
        return fresh
    is_same = (kept.role, kept.instance, kept.database) == (fresh.role, fresh.instance, fresh.database)
    return kept if is_same else fresh


def _cell(
    user: Placement,
    target: Placement,
    *,
    reach: Reach = Reach.UNPROBED,
    tries: tuple[TryView, ...] = (),
    grants: tuple[str, ...] = (),
) -> AccessCellView:
    return AccessCellView(
        user=user.service,
        target=target.service,
        role=user.service_role,
        instance=target.instance,
        database=target.database,
        reach=reach,
        tries=tries,
        grants=grants,
    )
