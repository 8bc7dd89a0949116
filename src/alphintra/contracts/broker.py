"""What broker answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.order_reports import (
    CancelRefused,
    ExecutionReported,
    ExternalOrderAdopted,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
    OrderSuspended,
    OrderTrailed,
    OrderTriggered,
    OrderUncertain,
)
from alphintra.contracts.venue_views import (
    VenueBarsView,
    VenueBarView,
    VenueOrdersView,
    VenueOrderView,
    WatchedPricesView,
    WatchedPriceView,
)
from alphintra.kernel.messages import Command, Event, Utc, View, hiding
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce

__all__ = [
    "AddConnection",
    "AdoptExecution",
    "AdvanceMarket",
    "BarView",
    "BreakFound",
    "BreakView",
    "BreaksView",
    "CancelRefused",
    "CapabilitiesView",
    "CheckConnection",
    "CloseConnection",
    "ConnectionChanged",
    "ConnectionCheckView",
    "ConnectionOpened",
    "ConnectionView",
    "ConnectionsView",
    "ExecutionReported",
    "ExternalOrderAdopted",
    "GetConnection",
    "KeysRotatedView",
    "ListBreaks",
    "ListConnections",
    "ListVenueBars",
    "ListVenueOrders",
    "ListWatchedPrices",
    "MarketAdvanced",
    "OrderAcknowledged",
    "OrderCanceled",
    "OrderExpired",
    "OrderRefused",
    "OrderReplaced",
    "OrderSuspended",
    "OrderTrailed",
    "OrderTriggered",
    "OrderUncertain",
    "PaperSettingsView",
    "PricesStalled",
    "ReconcileConnection",
    "ResolveBreak",
    "RotateConnectionKeys",
    "SetPaperSettings",
    "VenueBarView",
    "VenueBarsView",
    "VenueExecution",
    "VenueOrderView",
    "VenueOrdersView",
    "WatchPrices",
    "WatchedPriceView",
    "WatchedPricesView",
]


class PaperSettingsView(View, frozen=True):
    """How a paper account is traded.

    Attributes:
        preset: frictionless, realistic or harsh, where the settings are those of one; else custom.
        slippage_bps: of market orders and stops.
        commission_bps: of the amount traded, for each execution.
        fee_per_share: for each unit, for each execution.
        fee_minimum: least fee of an execution.
        participation: largest share of a bar's volume the account may take; None for no limit.
        reject_bps: how many of ten thousand orders the venue refuses.
        latency_bars: bars an order is on its way.
        not_modelled: what this venue leaves out, in sentences for people.
    """

    account_id: UUID
    preset: str
    slippage_bps: Decimal
    commission_bps: Decimal
    fee_per_share: Decimal
    fee_minimum: Decimal
    participation: Decimal | None
    reject_bps: Decimal
    latency_bars: int
    not_modelled: tuple[str, ...]


class CapabilitiesView(View, frozen=True):
    """What a venue can do; an order it cannot work is refused before it is sent."""

    types: tuple[OrderType, ...]
    times_in_force: tuple[TimeInForce, ...]
    order_classes: tuple[OrderClass, ...]
    has_notional: bool
    has_fractional: bool
    has_extended_hours: bool
    has_replace: bool
    has_stream: bool
    rejects_duplicates: bool
    visibility_delay_ms: int
    requests_per_minute: int
    finds_by_client_order_id: bool = True
    has_two_exits: bool = True


class ConnectionView(View, frozen=True):
    """How an account reaches its venue; the paper venue is driven by a price feed.

    Attributes:
        account_id: whose connection it is.
        adapter: paper, alpaca or ccxt; empty for a live account that has no credentials yet.
        feed_id: the feed of the paper venue.
        status: pending, reconciling, open, degraded, expired or closed.
        opened_at: when the account was opened.
        exchange: which exchange, of an adapter that serves several; empty otherwise.
        environment: the venue's test system (paper) or the one with money (live); empty for the paper venue.
        reason: why it is in this state.
        changed_at: since when.
        capabilities: what the venue can do, where an adapter is chosen.
        key_hint: the last characters of its key's id, empty where that is not known or it has none.
        credentials_version: how often it was given credentials.
        seen_at: execution time up to which the venue's executions are known.
        reconciled_at: when orders, executions, positions and cash were last compared with the venue to the end.
    """

    account_id: UUID
    adapter: str
    feed_id: UUID | None
    status: str
    opened_at: Utc
    paper: PaperSettingsView | None = None
    exchange: str = ""
    environment: str = ""
    reason: str = ""
    changed_at: Utc | None = None
    capabilities: CapabilitiesView | None = None
    key_hint: str = ""
    credentials_version: int = 0
    seen_at: Utc | None = None
    reconciled_at: Utc | None = None


class ConnectionCheckView(View, frozen=True):
    """What the venue answered to a question that changes nothing.

    ``latency_ms`` is the way there and back; ``clock_skew_ms`` how far its clock is ahead of ours, as far as the date
    of its answer, in whole seconds, tells. Both are null where it did not answer well. ``may_trade`` and
    ``may_withdraw`` are what it tells of the key, null where it does not tell; one that may withdraw is refused.
    """

    account_id: UUID
    is_ok: bool
    code: str
    detail: str
    cash: Decimal | None
    checked_at: Utc | None = None
    latency_ms: int | None = None
    clock_skew_ms: int | None = None
    may_trade: bool | None = None
    may_withdraw: bool | None = None


class BreakView(View, frozen=True):
    """A difference between the venue and us; open until a person says what it is."""

    break_id: UUID
    account_id: UUID
    code: str
    symbol: str
    order_id: UUID | None
    detail: str
    status: str
    found_at: Utc
    resolved_at: Utc | None
    resolved_by: str
    resolution: str


class BreaksView(View, frozen=True):
    """Breaks, newest first."""

    breaks: tuple[BreakView, ...]


class KeysRotatedView(View, frozen=True):
    """The version of the key that wraps every connection's data key now, and how many were wrapped anew."""

    version: int
    rewrapped: int


class ConnectionsView(View, frozen=True):
    """The acting user's connections."""

    connections: tuple[ConnectionView, ...]


class BarView(View, frozen=True):
    """One bar of a symbol, stamped at its close.

    A bar that is less than a whole session says when it began, and by which calendar its symbol trades: XNYS or 24/7.
    """

    symbol: str
    ts: Utc
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    opened_at: Utc | None = None
    calendar: str | None = None


class VenueExecution(View, frozen=True):
    """An execution at the paper venue."""

    execution_id: str
    order_id: UUID
    account_id: UUID


class MarketAdvanced(View, frozen=True):
    """What one step of a feed did at the paper venue; the same for every repetition of the step.

    Where there are more executions, ``after`` is what to send with the same step to get the next of them.
    """

    seq: int
    executions: tuple[VenueExecution, ...]
    after: UUID | None = None


class AdvanceMarket(Command[MarketAdvanced], tag="broker.advance_market.v1", frozen=True):
    """Drive the paper venue of a feed by one step; safe to repeat. Steps begin at 1 and cannot be skipped."""

    feed_id: UUID
    seq: int
    bars: tuple[BarView, ...]
    after: UUID | None = None


class GetConnection(Command[ConnectionView], tag="broker.get_connection.v1", frozen=True):
    """Fetch an account's connection."""

    account_id: UUID


class ListConnections(Command[ConnectionsView], tag="broker.list_connections.v1", frozen=True):
    """List the acting user's connections."""


class SetPaperSettings(Command[PaperSettingsView], tag="broker.set_paper_settings.v1", frozen=True):
    """Change how a paper account is traded, from its next step on; what is left out stays, or is the preset's."""

    account_id: UUID
    preset: str | None = None
    slippage_bps: Decimal | None = None
    commission_bps: Decimal | None = None
    fee_per_share: Decimal | None = None
    fee_minimum: Decimal | None = None
    participation: Decimal | None = None
    reject_bps: Decimal | None = None
    latency_bars: int | None = None


@hiding("credentials")
class AddConnection(Command[ConnectionView], tag="broker.add_connection.v1", frozen=True):
    """Give a live account its venue, or new credentials for it; orders go there once it is reconciled.

    Attributes:
        account_id: a live account; adapter, exchange and environment never change afterwards.
        adapter: alpaca or ccxt.
        environment: paper for the venue's test system, live for money.
        credentials: what the venue knows us by: key_id and secret_key; for ccxt also passphrase or uid where the
            exchange has one, and quote, the currency the account is kept in there, USD unless said.
        exchange: which exchange, of an adapter that serves several: ccxt's id of it; empty for alpaca.
        base_url: another address than the venue's own.
        confirm: the word ``live``, to be typed for the environment with money.
    """

    account_id: UUID
    adapter: str
    environment: str
    credentials: dict[str, str]
    exchange: str = ""
    base_url: str = ""
    confirm: str = ""


class CheckConnection(Command[ConnectionCheckView], tag="broker.check_connection.v1", frozen=True):
    """Ask the venue for the account's cash, which tells whether address and credentials hold."""

    account_id: UUID


class CloseConnection(Command[ConnectionView], tag="broker.close_connection.v1", frozen=True):
    """End a connection for good and forget its credentials. Refused while orders may work at the venue."""

    account_id: UUID


class ReconcileConnection(Command[ConnectionView], tag="broker.reconcile_connection.v1", frozen=True):
    """Compare orders, executions, positions and cash with the venue now."""

    account_id: UUID


class ListBreaks(Command[BreaksView], tag="broker.list_breaks.v1", frozen=True):
    """List an account's breaks, newest first; the open ones only, unless all are asked for."""

    account_id: UUID
    is_open: bool = True
    limit: int = 100


class ResolveBreak(Command[BreakView], tag="broker.resolve_break.v1", frozen=True):
    """Close a break with what a person found out about it.

    ``drop_order`` says that the person looked and the venue does not have the order, or is done with it: what of it is
    still open here ends.
    """

    break_id: UUID
    resolution: str
    drop_order: bool = False


class AdoptExecution(Command[BreakView], tag="broker.adopt_execution.v1", frozen=True):
    """Take an execution that we did not order into the account's books, and close the break that tells of it."""

    break_id: UUID
    reason: str


class RotateConnectionKeys(Command[KeysRotatedView], tag="broker.rotate_connection_keys.v1", frozen=True):
    """Wrap every connection's data key by the newest key of this installation."""


class WatchPrices(Command[WatchedPricesView], tag="broker.watch_prices.v1", frozen=True):
    """Say which prices a connection asks for at its venue, in place of what was said before.

    Symbols in which the account has open orders or a position go on until it has none.
    """

    account_id: UUID
    symbols: tuple[str, ...]


class ListWatchedPrices(Command[WatchedPricesView], tag="broker.list_watched_prices.v1", frozen=True):
    """List the prices a connection asks for, with the newest of each."""

    account_id: UUID


class ListVenueBars(Command[VenueBarsView], tag="broker.list_venue_bars.v1", frozen=True):
    """Ask the venue of a live account, with its credentials, for bars that opened in ``[start, end)``.

    Symbols are all stocks or all pairs; bars are ``minutes`` long, 1440 for days. ``data_feed`` is the venue's name of
    where its bars of stocks are from. A page is followed by that of its ``next_page_token``.
    """

    account_id: UUID
    symbols: tuple[str, ...]
    minutes: int
    start: Utc
    end: Utc
    data_feed: str = "iex"
    page_token: str = ""


class ListVenueOrders(Command[VenueOrdersView], tag="broker.list_venue_orders.v1", frozen=True):
    """List what was sent to the venue for an account, newest first; or one order of it."""

    account_id: UUID
    limit: int = 100
    order_id: UUID | None = None


class ConnectionOpened(Event, tag="broker.connection_opened.v1", frozen=True):
    """An account can reach its venue."""

    account_id: UUID
    adapter: str
    capabilities: CapabilitiesView | None = None


class BreakFound(Event, tag="broker.break_found.v1", frozen=True):
    """Reconciliation found a difference between the venue and us; it is reported and never silently mended.

    Attributes:
        break_id: the case.
        account_id: whose account it concerns.
        code: EXTERNAL_ORDER, EXEC_CONFLICT, EXEC_MISSING, OVERFILL, LATE_FILL, POSITION_DIFF, CASH_DIFF, FEE_SIGN,
            FEE_CURRENCY, TIME_SKEW, VENUE_ENUM_UNKNOWN, VENUE_PROTOCOL, ORDER_UNRESOLVED, or PROTECTION_MISSING where a
            group's position has no working stop.
        symbol: what it concerns, empty for the account as a whole.
        order_id: which order, where it is one of ours.
        detail: what the venue says and what we have, in one sentence.
    """

    break_id: UUID
    account_id: UUID
    code: str
    symbol: str
    order_id: UUID | None
    detail: str


class ConnectionChanged(Event, tag="broker.connection_changed.v1", frozen=True):
    """A connection's state changed: open, degraded, reconciling, expired or closed; and why."""

    account_id: UUID
    status: str
    reason: str


class PricesStalled(Event, tag="broker.prices_stalled.v1", frozen=True):
    """A symbol's prices stopped coming from the account's venue while its market is open, or come again."""

    account_id: UUID
    symbol: str
    is_stalled: bool
    priced_at: Utc | None
