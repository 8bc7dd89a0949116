"""Keeping one connection: listening, sending, cancelling, asking for lost answers, reconciling; and all of them.

Each connection has tasks of its own, so that a venue which hangs holds up nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alphintra.broker.domain.capabilities import check_group, check_supported
from alphintra.broker.domain.links import LinkStatus, is_active, may_become, may_send
from alphintra.broker.domain.reports import CLOSED, Finding, LiveStatus, VenueFill, VenueOrder, VenueState
from alphintra.broker.domain.resolving import Verdict, miss
from alphintra.broker.gateways.pacing import Chance, Pace
from alphintra.broker.gateways.venue import (
    NotSent,
    PairingVenue,
    PricingVenue,
    Refused,
    Uncertain,
    VenueError,
)
from alphintra.broker.service import live_orders
from alphintra.broker.service.hearing import hear_fill, hear_order
from alphintra.broker.service.links import rights_of
from alphintra.broker.service.live_reconciling import reconcile, replay_executions, replay_orders
from alphintra.broker.service.pairing import align_pair, unpair
from alphintra.broker.service.pricing import PriceKeeping, keep_prices
from alphintra.broker.service.renewing import Renewing
from alphintra.broker.service.telling import Desk, open_breaks, turn_link, worker_context
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.broker.domain.approvals import Refusal
    from alphintra.broker.domain.links import Link
    from alphintra.broker.domain.reports import LiveOrder
    from alphintra.broker.gateways.approvals import Approvals
    from alphintra.broker.gateways.venue import Answer, RemoteVenue
    from alphintra.broker.repository.live import Live, Queued
    from alphintra.broker.service.links import Venues
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import AccountId, IdSource

__all__ = ["Keeping", "LinkKeeper", "LinkWorker"]

SEND_BATCH = 32
CANCEL_BATCH = 64
_REFUSED_KEYS = frozenset({"VENUE_AUTH", "KEY_MAY_WITHDRAW"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What a worker stands on.

    Attributes:
        live: what is kept about live accounts.
        venues: the ways to venues.
        approvals: renews approvals that died in the queue.
        clock: time of day.
        ids: of events and breaks.
        prices: what the keeping of prices stands on.
        chance: spreads the attempts of many connections.
        look: how often the queue is looked at without a wake.
        reconcile: how often venue and books are compared without a reason.
        cancel_again: how long the venue has for a cancellation before it is asked for again.
    """

    live: Live
    venues: Venues
    approvals: Approvals
    clock: Clock
    ids: IdSource
    prices: PriceKeeping
    chance: Chance
    look: timedelta = timedelta(seconds=1)
    reconcile: timedelta = timedelta(seconds=30)
    cancel_again: timedelta = timedelta(seconds=5)


class LinkWorker:
    """Keeps one connection until it is closed, expired or given other credentials."""

    def __init__(self, link: Link, keeping: Keeping) -> None:
        self.version = link.credentials_version
        self._link = link
        self._account_id: AccountId = link.account_id
        self._keep = keeping
        self._wakes = {name: asyncio.Event() for name in ("sender", "canceller", "reconciler")}
        self._is_caught_up = False
        self._is_behind = False
        self._pace = Pace(keeping.chance)

    def wake(self) -> None:
        """Look for orders now; must not block."""
        for event in self._wakes.values():
            event.set()

    async def run(self) -> None:
        """Keep the connection; returns when there is nothing to keep any more."""
        failures = 0
        while True:
            link = await self._current()
            if link is None or not is_active(link.status) or link.credentials_version != self.version:
                return
            started = _passed()
            try:
                await self._connected(link)
            except (VenueError, BaseExceptionGroup) as failure:
                error = _venue_error(failure)
                await self._note_protocol(error)
                is_refused = error.code in _REFUSED_KEYS
                await self._turn(LinkStatus.EXPIRED if is_refused else LinkStatus.DEGRADED, error.detail)
            failures = 1 if _passed() - started > self._keep.reconcile else failures + 1
            await asyncio.sleep(self._pace.retry_in(failures).total_seconds())

    async def _connected(self, link: Link) -> None:
        async with self._keep.live.reading() as rows:
            sealed = await rows.links.credentials(link.account_id)
        if sealed is None:
            raise VenueError("VENUE_AUTH", "the connection has no credentials: add them")
        await self._keep.venues.prepare(link)
        venue = self._keep.venues.connect(link, self._keep.venues.vault().open(sealed, link.account_id))
        self._is_caught_up = False
        try:
            await rights_of(venue)
        except AlphintraError as error:
            await venue.close()
            raise error if isinstance(error, VenueError) else VenueError(error.code, error.detail) from error
        self._pace.begin(venue.capabilities.requests_per_minute)
        await live_orders.forget_answers(self._account_id, live=self._keep.live, desk=self._desk(), at=self._now())
        listening = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                if venue.capabilities.has_stream:
                    tasks.create_task(self._listen(venue, listening))
                else:
                    listening.set()
                tasks.create_task(self._reconcile(venue, listening))
                tasks.create_task(self._loop("sender", lambda: self._send(venue)))
                tasks.create_task(self._loop("canceller", lambda: self._cancel(venue)))
                if isinstance(venue, PricingVenue):
                    tasks.create_task(keep_prices(venue, self._account_id, self._keep.prices, self._pace))
        finally:
            self._is_caught_up = False
            await venue.close()

    async def _listen(self, venue: RemoteVenue, listening: asyncio.Event) -> None:
        async for report in venue.stream():
            has_missed = listening.is_set() and venue.capabilities.is_asked_too
            if report is None:
                listening.set()
            else:
                has_missed = await self._hear(report, venue)
            if has_missed:
                self._is_behind = True
                self._wakes["reconciler"].set()

    async def _hear(self, report: VenueOrder | VenueFill, venue: RemoteVenue) -> bool:
        at, live, desk = self._now(), self._keep.live, self._desk()
        if isinstance(report, VenueFill):
            rebates = venue.capabilities.pays_rebates
            return await hear_fill(report, self._account_id, live=live, desk=desk, at=at, pays_rebates=rebates)
        return await hear_order(report, self._account_id, live=live, desk=desk, at=at)

    async def _loop(self, name: str, act: Callable[[], Awaitable[None]]) -> None:
        """Act at every wake, and once in a while without one; a failure of ours is logged and tried again."""
        failures = 0
        while True:
            try:
                await act()
                failures = 0
                pause = self._keep.look
            except VenueError as error:
                if error.code in {"VENUE_AUTH", "VENUE_PROTOCOL"}:
                    raise
                failures += 1
                pause = error.retry_after or self._pace.retry_in(failures)
                get_logger().info("venue.retry", account_id=str(self._account_id), code=error.code, pause=str(pause))
                self._pace.hold(pause)
            except AlphintraError as error:
                failures += 1
                pause = self._pace.retry_in(failures)
                get_logger().warning("link.retry", account_id=str(self._account_id), task=name, code=error.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._wakes[name].wait()
            self._wakes[name].clear()

    async def _reconcile(self, venue: RemoteVenue, listening: asyncio.Event) -> None:
        await listening.wait()
        keep, next_full, next_poll = self._keep, _passed(), _passed()

        async def act() -> None:
            nonlocal next_full, next_poll
            link = await self._current()
            asked = link is not None and link.status is not LinkStatus.OPEN
            now = _passed()
            if asked or now >= next_full:
                await self._pace.spend()
                if await reconcile(venue, self._account_id, live=keep.live, desk=self._desk(), clock=keep.clock):
                    next_full = now + keep.reconcile
                self._is_caught_up = True
                self._wakes["sender"].set()
            elif venue.capabilities.has_stream and not venue.capabilities.is_asked_too:
                await replay_executions(venue, self._account_id, live=keep.live, desk=self._desk(), clock=keep.clock)
            elif self._is_behind or now >= next_poll:
                self._is_behind = False
                await self._pace.spend()
                next_poll = now + venue.capabilities.poll_every
                account_id, desk = self._account_id, self._desk()
                await replay_orders(venue, account_id, live=keep.live, desk=desk, clock=keep.clock, has_settled=False)
            await self._resolve(venue)
            await self._settle_pairs(venue)

        await self._loop("reconciler", act)

    async def _send(self, venue: RemoteVenue) -> None:
        if not self._is_caught_up:
            return
        async with self._keep.live.reading() as rows:
            opposites = venue.capabilities.has_opposites
            queue = await rows.queue(self._account_id, limit=SEND_BATCH, with_opposites=opposites)
        keep = self._keep
        renewing = Renewing(queue, approvals=keep.approvals, live=keep.live, desk=self._desk())
        for queued in queue:
            link = await self._current()
            terms = live_orders.read_terms(queued)
            status = LinkStatus.CLOSED if link is None else link.status
            if may_send(status, is_caught_up=self._is_caught_up, reduces=terms.reduce_only):
                await self._send_one(venue, queued, renewing)
            renewing.passed(queued)
        if renewing.left_open is not None:
            raise renewing.left_open  # those that wait for risk are tried again

    async def _send_one(self, venue: RemoteVenue, queued: Queued, renewing: Renewing) -> None:
        live, desk = self._keep.live, self._desk()
        terms = live_orders.read_terms(queued)
        refusal = check_supported(terms, venue.capabilities) or await self._refuse_group(venue, queued)
        if refusal is not None:
            await live_orders.refuse_queued(queued, refusal, live=live, desk=desk, at=self._now())
            return
        await self._pace.spend()
        if not await renewing.is_live(queued):
            return
        pairs = venue.capabilities.has_pairs
        begun = await live_orders.begin_sending(
            queued.order_id, live=live, desk=desk, at=self._now(), has_pairs=pairs
        )  # fmt: skip
        if begun is None:
            return
        answer = await self._call(venue, begun)
        fault_point("broker.venue_answered")
        await live_orders.finish_sending(begun.order, answer, live=live, desk=desk, at=self._now())
        if isinstance(answer, NotSent):
            raise answer.error
        if isinstance(answer, Uncertain):
            self._wakes["reconciler"].set()

    async def _refuse_group(self, venue: RemoteVenue, queued: Queued) -> Refusal | None:
        """Return why the venue cannot work the exits of the group an order is to open, or is a part of."""
        if queued.group_id is None:
            return None
        async with self._keep.live.reading() as rows:
            texts = await rows.terms_of_legs(queued.group_id)
        return check_group(live_orders.read_group(texts), venue.capabilities)

    async def _call(self, venue: RemoteVenue, begun: live_orders.Sending) -> Answer:
        order, terms = begun.order, live_orders.read_terms(begun.queued)
        if begun.stop is not None and isinstance(venue, PairingVenue):
            return await venue.place_pair(terms, live_orders.read_terms(begun.stop))
        if order.replaces is None:
            return await venue.place(terms)
        async with self._keep.live.transaction() as tx:
            old = await tx.lock(order.replaces)
        if old is None or old.status is not LiveStatus.WORKING or old.venue_order_id is None:
            return Refused("ORDER_TERMINAL", "the order to be replaced does not work at the venue any more")
        return await venue.replace(old.venue_order_id, terms)

    async def _cancel(self, venue: RemoteVenue) -> None:
        live = self._keep.live
        async with live.reading() as rows:
            orders = await rows.cancels(self._account_id, limit=CANCEL_BATCH, at=self._now())
        for order in orders:
            await self._pace.spend(is_cancel=True)
            answer = await venue.cancel(order.venue_order_id or "", symbol=order.symbol)
            fault_point("broker.cancel_answered")
            async with live.transaction() as tx:
                await tx.hold_cancel(order.order_id, self._now() + self._keep.cancel_again)
            if isinstance(answer, Refused):
                await self._after_refused_cancel(venue, order, answer)
            elif isinstance(answer, NotSent):
                raise answer.error

    async def _after_refused_cancel(self, venue: RemoteVenue, order: LiveOrder, answer: Refused) -> None:
        """Look what became of an order the venue does not cancel: most often it was filled meanwhile."""
        found = await _find(venue, order)
        if found is not None and await self._hear(found, venue):
            self._wakes["reconciler"].set()
        await live_orders.refuse_cancel(order, answer, live=self._keep.live, desk=self._desk(), at=self._now())

    async def _resolve(self, venue: RemoteVenue) -> None:
        """Ask the venue for the orders whose answer was lost, and act on what it says."""
        keep, offered = self._keep, venue.capabilities
        async with keep.live.reading() as rows:
            lost = [order for order in await rows.active(self._account_id) if order.status is LiveStatus.UNKNOWN]
        for order in lost:
            if await self._is_swap_pending(venue, order) or await self._is_told_with_another(venue, order):
                continue
            await self._pace.spend()
            asked_at = self._now()  # what the venue shows since then it may still be hiding in this answer
            found = await _find(venue, order)
            if found is not None:
                if await self._hear(found, venue):
                    self._wakes["reconciler"].set()
                continue
            async with keep.live.transaction() as tx:
                now = await tx.lock(order.order_id)
                if now is None or now.status is not LiveStatus.UNKNOWN:
                    continue
                after, verdict = miss(
                    now,
                    visibility_delay=offered.visibility_delay,
                    rejects_duplicates=offered.is_resending_harmless,
                    at=asked_at,
                )
                await tx.store(after, at=self._now())
                reason = "the venue does not show it"
                await align_pair(tx, now.order_id, desk=self._desk(), at=asked_at, reason=reason, is_answered=False)
                if verdict is Verdict.REVIEW:
                    await open_breaks(tx, self._account_id, [_unresolved(now)], desk=self._desk(), at=self._now())
        if lost:
            self._wakes["sender"].set()

    async def _is_swap_pending(self, venue: RemoteVenue, order: LiveOrder) -> bool:
        """Ask what became of the order that another is to replace; tells whether the venue is still at it."""
        async with self._keep.live.transaction() as tx:
            old = None if order.replaces is None else await tx.lock(order.replaces)
        if old is None or old.status in CLOSED:
            return False
        found = await self._look_at(venue, old)
        return found is not None and found.state is VenueState.PENDING

    async def _is_told_with_another(self, venue: RemoteVenue, order: LiveOrder) -> bool:
        """Ask for the order that another was sent within, which the venue shows with it; False if it stands alone."""
        if order.pair_id is None or order.pair_id == order.order_id:
            return False
        async with self._keep.live.transaction() as tx:
            first = await tx.lock(order.pair_id)
        if first is not None and first.status is not LiveStatus.UNKNOWN:
            await self._look_at(venue, first)
        return True

    async def _settle_pairs(self, venue: RemoteVenue) -> None:
        """Ask what became of orders whose partner has ended: not every venue tells of both."""
        keep = self._keep
        async with keep.live.reading() as rows:
            halved = await rows.halved(self._account_id)
        for order in halved:
            before = self._now() - venue.capabilities.visibility_delay
            await self._look_at(venue, order)
            await unpair(order, live=keep.live, desk=self._desk(), at=self._now(), before=before)

    async def _look_at(self, venue: RemoteVenue, order: LiveOrder) -> VenueOrder | None:
        """Ask for an order and take in what the venue says of it."""
        await self._pace.spend()
        found = await _find(venue, order)
        if found is not None and await self._hear(found, venue):
            self._wakes["reconciler"].set()
        return found

    async def _turn(self, status: LinkStatus, reason: str) -> None:
        async with self._keep.live.transaction() as tx:
            link = await tx.links.lock(self._account_id)
            if link is not None and (link.status is status or may_become(link.status, status)):
                await turn_link(tx, link, status, reason=reason, desk=self._desk(), at=self._now())

    async def _note_protocol(self, error: VenueError) -> None:
        if error.code != "VENUE_PROTOCOL":
            return
        finding = Finding(code=error.code, key=error.detail, detail=error.detail)
        async with self._keep.live.transaction() as tx:
            await open_breaks(tx, self._account_id, [finding], desk=self._desk(), at=self._now())

    async def _current(self) -> Link | None:
        async with self._keep.live.reading() as rows:
            return await rows.links.get(self._account_id)

    def _desk(self) -> Desk:
        return Desk(self._keep.ids, worker_context())

    def _now(self) -> datetime:
        return self._keep.clock.now()


class LinkKeeper:
    """Keeps every connection that is to be kept."""

    def __init__(self, keeping: Keeping) -> None:
        self._keep = keeping
        self._workers: dict[AccountId, tuple[LinkWorker, asyncio.Task[None]]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for orders and connections now; must not block."""
        self._woken.set()
        for worker, _ in self._workers.values():
            worker.wake()

    async def run(self) -> None:
        """Start and end workers as connections come and go, until cancelled."""
        try:
            while True:
                try:
                    await self._match()
                except AlphintraError as error:  # connections that work are not given up for a look that failed
                    get_logger().warning("links.retry", code=error.code)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._keep.look.total_seconds()):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            tasks = [task for _, task in self._workers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._workers.clear()

    async def _match(self) -> None:
        async with self._keep.live.reading() as rows:
            wanted = {link.account_id: link for link in await rows.links.active()}
        for account_id, (worker, task) in list(self._workers.items()):
            link = wanted.get(account_id)
            if task.done() or link is None or link.credentials_version != worker.version:
                task.cancel()
                (outcome,) = await asyncio.gather(task, return_exceptions=True)
                if isinstance(outcome, Exception):
                    get_logger().error("link.failed", account_id=str(account_id), exc_info=outcome)
                del self._workers[account_id]
        for account_id, link in wanted.items():
            if account_id not in self._workers:
                worker = LinkWorker(link, self._keep)
                self._workers[account_id] = (worker, asyncio.create_task(worker.run()))


def _venue_error(failure: BaseException) -> VenueError:
    """Return the venue's failure that ended a connection's tasks; any other goes on."""
    if isinstance(failure, VenueError):
        return failure
    if isinstance(failure, BaseExceptionGroup):
        found, others = failure.split(VenueError)
        if found is not None and others is None:
            return _venue_error(found.exceptions[0])
    raise failure


async def _find(venue: RemoteVenue, order: LiveOrder) -> VenueOrder | None:
    return await venue.find(
        order.client_order_id, order_id=order.order_id, venue_order_id=order.venue_order_id, symbol=order.symbol
    )


def _passed() -> timedelta:
    """Return how much time has passed, whatever is done to the clock."""
    return timedelta(seconds=asyncio.get_running_loop().time())


def _unresolved(order: LiveOrder) -> Finding:
    return Finding(
        code="ORDER_UNRESOLVED",
        key=f"{order.order_id}:{order.attempts}",
        detail=(
            f"the answer to order {order.client_order_id} was lost and the venue, asked twice, does not show it: "
            "it would take a second one, so that a person has to look"
        ),
        symbol=order.symbol,
        order_id=order.order_id,
    )
