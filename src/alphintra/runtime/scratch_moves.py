"""Moves of services in a lab, by the mover that `alphintra db migrate` uses, in the home that the lab throws away."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alphintra.infrastructure.postgres import Database
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import service_credentials
from alphintra.runtime.layout import credentials_path, record_layout, recorded_layout
from alphintra.runtime.moving.charge import follow_layout
from alphintra.runtime.moving.history import ChangeOver, read_history
from alphintra.runtime.moving.journal import Journal, Record, read_journal
from alphintra.runtime.moving.planning import reach_of, require_own
from alphintra.runtime.moving.run import opened_moving
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.settings import ProcessLayout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server
    from alphintra.infrastructure.postgres import Queries
    from alphintra.runtime.home import Home

    class _Serving(Protocol):
        @property
        def server(self) -> Server: ...


__all__ = ["ScratchMover", "scratch_mover"]

_PROCESS = "core"
_IDENT_BYTES = 3


class ScratchMover:
    """Moves one service after the other; make it with `scratch_mover`."""

    def __init__(
        self,
        home: Home,
        order: ProvisionOrder,
        servers: dict[str, Server],
        open_another: Callable[[str], Awaitable[_Serving]],
    ) -> None:
        self._home = home
        self._order = order
        self._servers = servers
        self._open_another = open_another

    async def open(self, service: str, queries: Queries) -> Database:
        """Open a service's database through its gate, with the credentials of its process."""
        source = credentials_path(self._home, _PROCESS)
        found = service_credentials(source, service)
        return await Database.open(
            found.database_url,
            queries=queries,
            application="assess",
            connections_max=2,
            renewed=lambda: service_credentials(source, service).database_urls,
            gate=Path(found.gate),
        )

    async def go(self, target: Placement) -> ChangeOver:
        """Move a service; the way back stays open."""
        layout = recorded_layout(self._home)
        require_own(layout)
        source = next(item for item in layout if item.service == target.service)
        (done,) = await self._do("go_on", Journal(to="", records=[_record(source, target)]))
        return done

    async def back(self) -> ChangeOver:
        """Take the last move back and leave nothing of it."""
        (done,) = await self._do("go_back", None)
        return done

    async def reshape(self, targets: Sequence[Placement]) -> float:
        """Bring all services into one schema, or out of it; the way back stays open."""
        sources = {item.service: item for item in recorded_layout(self._home)}
        records = [_record(sources[target.service], target) for target in targets]
        return (await self._do("go_on", Journal(to="", records=records)))[0].pause_ms

    async def unshape(self) -> float:
        """Take that back and leave nothing of it."""
        return (await self._do("go_back", None))[0].pause_ms

    async def make_instance(self, name: str) -> str:
        """Start one more instance."""
        server = (await self._open_another(name)).server
        self._servers[name] = server
        return server.instance

    async def _do(self, what: str, begin: Journal | None) -> tuple[ChangeOver, ...]:
        async def find(_journal: Journal) -> dict[str, Server]:
            return self._servers

        before = len(read_history(self._home))
        expected = len((begin or read_journal(self._home) or Journal(to="", records=[])).records)
        reach = reach_of(self._home)
        async with opened_moving(self._home, self._order, find, reach=reach, begin=begin) as moving:
            await (moving.go_on() if what == "go_on" else moving.go_back())
        done = tuple(read_history(self._home)[before:])
        if len(done) != expected:
            message = f"{len(done)} change-overs were noted, not {expected}"
            raise AlphintraError("MIGRATE_HISTORY", message, kind=Kind.BUG)
        return done


def _record(source: Placement, target: Placement) -> Record:
    return Record(service=target.service, ident=secrets.token_hex(_IDENT_BYTES), source=source, target=target)


@asynccontextmanager
async def scratch_mover(
    home: Home,
    layout: Sequence[Placement],
    servers: dict[str, Server],
    open_another: Callable[[str], Awaitable[_Serving]],
) -> AsyncIterator[ScratchMover]:
    """Lend who moves the services of a layout, which the home is made to know as if it had been started with it."""
    record_layout(home, tuple(layout))
    order = ProvisionOrder(
        instances=tuple(servers.values()),
        layout=tuple(layout),
        nats_url="nats://127.0.0.1:1",
        port=1,
        processes=ProcessLayout.DEFAULT,
    )
    follow_layout(home, order, servers)
    yield ScratchMover(home, order, servers, open_another)
