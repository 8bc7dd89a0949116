"""The live account of a world: its venue, and the worker of its connection, moved step by step by the world's hand."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from alphintra.broker.domain.links import LinkStatus, is_active
from alphintra.broker.domain.reports import LiveStatus, VenueFill
from alphintra.broker.gateways.approvals import Approvals
from alphintra.broker.gateways.marks import Marks
from alphintra.broker.gateways.venue import VenueError
from alphintra.broker.repository.live import Live
from alphintra.broker.service import live_orders
from alphintra.broker.service.link_worker import Keeping, LinkWorker
from alphintra.broker.service.live_reconciling import reconcile
from alphintra.broker.service.pricing import PriceKeeping
from alphintra.contracts.broker import AddConnection, ListBreaks, ResolveBreak
from alphintra.infrastructure.signing import VerifyKey
from alphintra.kernel.ids import AccountId
from simulation.venue import OPEN
from simulation.world import CANARY, VERIFY_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from uuid import UUID

    from alphintra.kernel.messages import Context
    from simulation.venue import MischievousVenue
    from simulation.world import World

__all__ = ["LiveSide"]

_WAITING: Final = frozenset({LiveStatus.QUEUED, LiveStatus.SENDING, LiveStatus.UNKNOWN, LiveStatus.REVIEW})
_TRADES: Final = 0.25
_FREELY: Final = 60_000_000


class LiveSide:
    """What the keeper of connections does for one account, one step at a time, with power cuts in between."""

    def __init__(self, world: World, account_id: UUID, owner: Context, venue: MischievousVenue) -> None:
        self.account_id = AccountId(account_id)
        self.venue = venue
        self._world = world
        self._owner = owner
        self._worker: LinkWorker | None = None
        self._epoch = -1
        self._booked: list[str] = []

    async def connect(self) -> None:
        """Give the account its credentials."""
        secrets = {"key_id": "PK1234567890", "secret_key": CANARY}
        wanted = AddConnection(
            account_id=self.account_id, adapter="alpaca", environment="paper", credentials=secrets, base_url=""
        )
        await self._world.ask(wanted, self._owner)

    async def act(self) -> None:
        """Do one thing that a connection does."""
        acts: tuple[tuple[int, Callable[[LinkWorker], Coroutine[Any, Any, None]]], ...] = (
            (6, self._send),
            (3, self._cancel),
            (4, self._reconcile),
            (10, self._hear),
            (1, self._alter),
            (1, self._disconnect),
        )
        (act,) = self._world.rng.choices([act for _weight, act in acts], [weight for weight, _act in acts])
        if act == self._send and (self._worker is None or not self._worker._is_caught_up):
            act = self._reconcile  # as the keeper of connections does first
        traded = self.venue.trade() if self._world.rng.random() < _TRADES else ""
        self._world.note("live", traded, act.__name__)
        await self._do(act)

    async def exchange(self) -> None:
        """Ask the venue for what waits to be asked, and hear what it tells next."""
        for act in (self._send, self._cancel, self._hear):
            is_behind = act == self._send and (self._worker is None or not self._worker._is_caught_up)
            await self._do(self._reconcile if is_behind else act)

    async def settle(self) -> bool:
        """Take a sound venue's words, answer every question; True once nothing waits any more."""
        self.venue.behaves = True
        self.venue.finish_swaps()
        for act in (self._hear_all, self._reconcile, self._send, self._cancel, self._hear_all, self._reconcile):
            await self._do(act)
        await self.resolve_breaks()
        async with self._live().reading() as rows:
            active = await rows.active(self.account_id)
            link = await rows.links.get(self.account_id)
        is_quiet = not any(order.status in _WAITING or order.is_cancel_requested for order in active)
        return is_quiet and link is not None and link.status is LinkStatus.OPEN and not self.venue.told

    async def _do(self, act: Callable[[LinkWorker], Coroutine[Any, Any, None]]) -> None:
        worker = await self._world.run(self._connected())
        if worker is None:
            return
        try:
            await self._world.run(act(worker))
        except VenueError as error:
            self._world.note("venue", error.code)
            await self._disconnect(worker)

    async def _connected(self) -> LinkWorker | None:
        """Return the worker, a new one after a power cut or a lost connection; None while there is nothing to keep."""
        async with self._live().reading() as rows:
            link = await rows.links.get(self.account_id)
        if link is None or not is_active(link.status):
            return None
        if self._worker is None or self._epoch != self._world.cuts:
            self._worker, self._epoch = LinkWorker(link, self._keeping()), self._world.cuts
            self._worker._pace.begin(_FREELY)
            desk, at = self._worker._desk(), self._world.clock.now()
            await live_orders.forget_answers(link.account_id, live=self._live(), desk=desk, at=at)
        return self._worker

    async def _send(self, worker: LinkWorker) -> None:
        with suppress(VenueError):  # not sent: it goes on waiting
            await worker._send(self.venue)

    async def _cancel(self, worker: LinkWorker) -> None:
        with suppress(VenueError):
            await worker._cancel(self.venue)

    async def _reconcile(self, worker: LinkWorker) -> None:
        live, desk, clock = self._live(), worker._desk(), self._world.clock
        await reconcile(self.venue, self.account_id, live=live, desk=desk, clock=clock)
        worker._is_caught_up = True
        await worker._resolve(self.venue)

    async def _hear(self, worker: LinkWorker) -> None:
        report = self.venue.hear()
        if report is None:
            return
        is_behind = await worker._hear(report, self.venue)
        if isinstance(report, VenueFill) and not is_behind:
            self._booked.append(report.execution_id)

    async def _hear_all(self, worker: LinkWorker) -> None:
        while self.venue.told:
            await worker._hear(self.venue.told.popleft(), self.venue)

    async def _alter(self, worker: LinkWorker) -> None:
        """Tell an execution that is booked once more, with another quantity."""
        report = self.venue.altered(self._booked)
        if report is not None:
            await worker._hear(report, self.venue)

    async def _disconnect(self, worker: LinkWorker) -> None:
        """Lose the connection, with what was about to be told."""
        self.venue.told.clear()
        self._worker = None
        await self._world.run(worker._turn(LinkStatus.DEGRADED, "lost"))

    async def resolve_breaks(self) -> None:
        """Say of every difference what a person who looked would say."""
        found = await self._world.ask(ListBreaks(account_id=self.account_id, is_open=True), self._owner)
        at_venue = {row.client_order_id for row in self.venue.rows if row.state in OPEN}
        async with self._live().reading() as rows:
            orders = await rows.active(self.account_id)
        for item in found.breaks:
            asked = [order for order in orders if item.order_id in {order.order_id, order.part_of}]
            is_lost = item.code in {"EXEC_MISSING", "ORDER_UNRESOLVED"}
            drops = is_lost and not any(order.client_order_id in at_venue for order in asked)
            said = ResolveBreak(break_id=item.break_id, resolution="looked at the venue", drop_order=drops)
            self._world.note("break", item.code)
            await self._world.ask(said, self._owner)

    def _live(self) -> Live:
        return Live(self._world.stores["broker"])

    def _keeping(self) -> Keeping:
        world = self._world
        return Keeping(
            live=self._live(),
            venues=None,  # type: ignore[arg-type] # the venue is handed in
            approvals=Approvals(world.bus("broker"), verify_key=VerifyKey.from_text(VERIFY_KEY), clock=world.clock),
            prices=PriceKeeping(live=self._live(), marks=Marks(world.bus("broker")), clock=world.clock, ids=world.ids),
            clock=world.clock,
            ids=world.ids,
            chance=lambda: 0.0,
            cancel_again=timedelta(seconds=1),
        )
