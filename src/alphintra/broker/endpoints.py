"""Ways into broker: commands and events; each decoded, one use case, encoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alphintra.broker.service import (
    adjusting,
    adopting,
    cancelling,
    connections,
    links,
    market,
    paper_settings,
    pricing,
    reading,
    sending,
    sending_many,
    vetting,
)
from alphintra.contracts.broker import (
    AddConnection,
    AdoptExecution,
    AdvanceMarket,
    BreaksView,
    BreakView,
    CheckConnection,
    CloseConnection,
    ConnectionCheckView,
    ConnectionsView,
    ConnectionView,
    GetConnection,
    KeysRotatedView,
    ListBreaks,
    ListConnections,
    ListVenueBars,
    ListVenueOrders,
    ListWatchedPrices,
    MarketAdvanced,
    PaperSettingsView,
    ReconcileConnection,
    ResolveBreak,
    RotateConnectionKeys,
    SetPaperSettings,
    VenueBarsView,
    VenueOrdersView,
    WatchedPricesView,
    WatchPrices,
)

if TYPE_CHECKING:
    from alphintra.broker.gateways.approvals import Approvals
    from alphintra.broker.repository.live import Live
    from alphintra.broker.repository.records import Records
    from alphintra.broker.service.links import Venues
    from alphintra.contracts.risk import KillScopeChanged, KillStateChanged
    from alphintra.contracts.trading import AccountOpened, CancelRequested, CashBooked, OrderSubmitted, SplitApplied
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context

__all__ = ["Endpoints", "LinkEndpoints"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(
        self, *, records: Records, live: Live, venues: Venues, approvals: Approvals, clock: Clock, ids: IdSource
    ) -> None:
        self._records = records
        self._live = live
        self._venues = venues
        self._approvals = approvals
        self._clock = clock
        self._ids = ids

    async def advance_market(self, command: AdvanceMarket, context: Context) -> MarketAdvanced:
        """Answer ``broker.advance_market``."""
        at = self._clock.now()
        return await market.advance_market(command, context, records=self._records, ids=self._ids, at=at)

    async def get_connection(self, command: GetConnection, context: Context) -> ConnectionView:
        """Answer ``broker.get_connection``."""
        return await connections.get_connection(
            command, context, records=self._records, live=self._live, venues=self._venues
        )

    async def list_connections(self, _command: ListConnections, context: Context) -> ConnectionsView:
        """Answer ``broker.list_connections``."""
        return await connections.list_connections(context, records=self._records, live=self._live, venues=self._venues)

    async def set_paper_settings(self, command: SetPaperSettings, context: Context) -> PaperSettingsView:
        """Answer ``broker.set_paper_settings``."""
        at = self._clock.now()
        return await paper_settings.set_paper_settings(command, context, records=self._records, ids=self._ids, at=at)

    async def list_venue_orders(self, command: ListVenueOrders, context: Context) -> VenueOrdersView:
        """Answer ``broker.list_venue_orders``."""
        return await reading.list_venue_orders(command, context, records=self._records, live=self._live)

    async def on_account_opened(self, delivery: Delivery[AccountOpened]) -> None:
        """Hear ``trading.account_opened``."""
        await connections.open_connection(delivery, records=self._records, ids=self._ids, at=self._clock.now())

    async def on_cash_booked(self, delivery: Delivery[CashBooked]) -> None:
        """Hear ``trading.cash_booked``."""
        await adjusting.note_cash(delivery, records=self._records)

    async def on_split_applied(self, delivery: Delivery[SplitApplied]) -> None:
        """Hear ``trading.split_applied``."""
        await adjusting.note_split(delivery, records=self._records)

    async def on_order_submitted(self, delivery: Delivery[OrderSubmitted]) -> None:
        """Hear ``trading.order_submitted``."""
        await self.on_orders_submitted([delivery])

    async def on_orders_submitted(self, deliveries: Sequence[Delivery[OrderSubmitted]]) -> None:
        """Hear many of ``trading.order_submitted``: the plain ones go together, the others one by one.

        Approvals that died of age are renewed together first. What risk cannot be asked about holds up no other.
        """
        records, approvals, ids = self._records, self._approvals, self._ids
        vetted = await vetting.vet(deliveries, records=records, approvals=approvals)
        at = self._clock.now()
        others = await sending_many.send_plain_orders(deliveries, vetted, records=records, ids=ids, at=at)
        failures = []
        for delivery in others:
            now = await vetting.vet_again(delivery, vetted[delivery.event_id], records=records, approvals=approvals)
            if now.failure is not None:
                failures.append(now.failure)
                continue
            await sending.send_order(delivery, now, records=records, ids=ids, at=self._clock.now())
        if failures:
            raise failures[0]

    async def on_cancel_requested(self, delivery: Delivery[CancelRequested]) -> None:
        """Hear ``trading.cancel_requested``."""
        await self.on_cancels_requested([delivery])

    async def on_cancels_requested(self, deliveries: Sequence[Delivery[CancelRequested]]) -> None:
        """Hear many of ``trading.cancel_requested``: those in no group go together, the others one by one."""
        records, ids = self._records, self._ids
        at = self._clock.now()
        others = await cancelling.cancel_simple_orders(deliveries, records=records, ids=ids, at=at)
        for delivery in others:
            await cancelling.cancel_order(delivery, records=records, ids=ids, at=self._clock.now())

    async def on_kill_state_changed(self, delivery: Delivery[KillStateChanged]) -> None:
        """Hear ``risk.kill_state_changed``."""
        await cancelling.note_kill_state(delivery, records=self._records, ids=self._ids, at=self._clock.now())

    async def on_kill_scope_changed(self, delivery: Delivery[KillScopeChanged]) -> None:
        """Hear ``risk.kill_scope_changed``."""
        await cancelling.note_kill_state(delivery, records=self._records, ids=self._ids, at=self._clock.now())


class LinkEndpoints:
    """Handlers of what concerns connections of live accounts."""

    def __init__(self, *, live: Live, venues: Venues, clock: Clock, ids: IdSource) -> None:
        self._live = live
        self._venues = venues
        self._clock = clock
        self._ids = ids

    async def add_connection(self, command: AddConnection, context: Context) -> ConnectionView:
        """Answer ``broker.add_connection``."""
        at = self._clock.now()
        return await links.add_connection(command, context, live=self._live, venues=self._venues, ids=self._ids, at=at)

    async def check_connection(self, command: CheckConnection, context: Context) -> ConnectionCheckView:
        """Answer ``broker.check_connection``."""
        return await links.check_connection(command, context, live=self._live, venues=self._venues, clock=self._clock)

    async def close_connection(self, command: CloseConnection, context: Context) -> ConnectionView:
        """Answer ``broker.close_connection``."""
        at = self._clock.now()
        return await links.close_connection(
            command, context, live=self._live, venues=self._venues, ids=self._ids, at=at
        )

    async def reconcile_connection(self, command: ReconcileConnection, context: Context) -> ConnectionView:
        """Answer ``broker.reconcile_connection``."""
        at = self._clock.now()
        return await links.reconcile_connection(
            command, context, live=self._live, venues=self._venues, ids=self._ids, at=at
        )

    async def list_breaks(self, command: ListBreaks, context: Context) -> BreaksView:
        """Answer ``broker.list_breaks``."""
        return await links.list_breaks(command, context, live=self._live)

    async def resolve_break(self, command: ResolveBreak, context: Context) -> BreakView:
        """Answer ``broker.resolve_break``."""
        return await links.resolve_break(command, context, live=self._live, ids=self._ids, at=self._clock.now())

    async def adopt_execution(self, command: AdoptExecution, context: Context) -> BreakView:
        """Answer ``broker.adopt_execution``."""
        at = self._clock.now()
        return await adopting.adopt_execution(command, context, live=self._live, ids=self._ids, at=at)

    async def rotate_keys(self, _command: RotateConnectionKeys, context: Context) -> KeysRotatedView:
        """Answer ``broker.rotate_connection_keys``."""
        at = self._clock.now()
        return await links.rotate_keys(context, live=self._live, venues=self._venues, ids=self._ids, at=at)

    async def watch_prices(self, command: WatchPrices, context: Context) -> WatchedPricesView:
        """Answer ``broker.watch_prices``."""
        return await pricing.watch_prices(command, context, live=self._live, ids=self._ids, at=self._clock.now())

    async def list_venue_bars(self, command: ListVenueBars, context: Context) -> VenueBarsView:
        """Answer ``broker.list_venue_bars``."""
        return await pricing.list_bars(command, context, live=self._live, venues=self._venues)

    async def list_watched_prices(self, command: ListWatchedPrices, context: Context) -> WatchedPricesView:
        """Answer ``broker.list_watched_prices``."""
        return await pricing.list_watched(command, context, live=self._live)
