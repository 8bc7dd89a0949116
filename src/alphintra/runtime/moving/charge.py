"""Who is in charge of a service that moves, and how the rights and the running service follow that.

The home's ``layout.json`` alone says it. It is replaced in one durable step, while the old side has no right to write
any more and the new one has none yet; everything else is derived from it, and can be derived again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.move.fence import fence_statements, free_statements
from alphintra.dataplane.move.sides import Move
from alphintra.dataplane.server import Server
from alphintra.infrastructure.gate import GateKeeper
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import record_layout, recorded_layout
from alphintra.runtime.moving.journal import Journal, Record, Step, write_journal
from alphintra.runtime.provision import CONTROL_FILE, ProvisionOrder, write_all_credentials

__all__ = ["HomeHands", "follow_layout", "place_in_charge"]

_SHUT_WAIT_S = 2.0


def place_in_charge(home: Home, service: str) -> Placement:
    """Return where a service lives."""
    return next(item for item in recorded_layout(home) if item.service == service)


def follow_layout(home: Home, order: ProvisionOrder, servers: Mapping[str, Server]) -> ProvisionOrder:
    """Write what commands and processes read from the layout as it is noted now; return it."""
    layout = recorded_layout(home)
    used = {placement.instance for placement in layout}
    known = {server.instance: server for server in order.instances} | dict(servers)
    order = msgspec.structs.replace(
        order, layout=layout, instances=tuple(server for name, server in known.items() if name in used)
    )
    write_all_credentials(home, order)
    write_atomically(home.run / CONTROL_FILE, msgspec.json.encode(order), durable=False)
    return order


class HomeHands:
    """`Hands` over one service of a running home, forth or back."""

    def __init__(
        self,
        home: Home,
        journal: Journal,
        record: Record,
        *,
        gate: GateKeeper,
        follow: Callable[[], object],
        servers: dict[str, Server],
    ) -> None:
        self._home = home
        self._journal = journal
        self._record = record
        self._gate = gate
        self._follow = follow
        self._servers = servers
        self._is_back = record.step in {Step.SWITCHED, Step.REVERSED, Step.VERIFIED, Step.RETURNING}

    async def shut(self) -> bool:
        """Let no request of the service at its database."""
        return await self._gate.shut(wait_s=_SHUT_WAIT_S)

    def begin(self) -> None:
        """Note that a change-over is under way."""
        self._note(Step.RETURNING if self._is_back else Step.SWITCHING)

    def take_over(self) -> None:
        """Let the other side be in charge."""
        place = self._record.source if self._is_back else self._record.target
        layout = [place if item.service == place.service else item for item in recorded_layout(self._home)]
        record_layout(self._home, layout)

    def open(self) -> None:
        """Tell the service where its database is, and let its requests through."""
        self._follow()
        self._gate.open(is_elsewhere=True)

    async def settle(self) -> None:
        """Bring the rights of both sides and the gate to what the layout says, and note where that leaves the move."""
        move = self._record.move(self._servers)
        if self._record.step in {Step.SWITCHING, Step.RETURNING}:
            is_there = place_in_charge(self._home, self._record.service) == self._record.target
            await _settle_rights(move, is_there=is_there)
            if self._record.step is Step.SWITCHING:
                self._note(Step.SWITCHED if is_there else Step.COPIED)
            else:
                self._note(Step.REVERSED if is_there else Step.RETURNED)
        self.open()

    def done(self) -> None:
        """Note that the change-over has succeeded."""
        self._note(Step.RETURNED if self._is_back else Step.SWITCHED)

    def _note(self, step: Step) -> None:
        self._record.step = step
        write_journal(self._home, self._journal)


async def _settle_rights(move: Move, *, is_there: bool) -> None:
    on, off = (move.target, move.source) if is_there else (move.source, move.target)
    async with off.administrator() as connection:
        await connection.execute(await fence_statements(connection, off))
    async with on.administrator() as connection:
        await connection.execute(free_statements(on))
