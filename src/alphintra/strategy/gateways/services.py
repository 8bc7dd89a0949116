"""The services strategy asks: nocode for graphs, trading for orders, broker and risk for the replayed market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from alphintra import __version__
from alphintra.contracts.books import ExecutionView, PriceMark
from alphintra.contracts.broker import AdvanceMarket, BarView, GetConnection, ListWatchedPrices, MarketAdvanced
from alphintra.contracts.nocode import UseWorkflowVersion, WorkflowVersionView
from alphintra.contracts.orders import AccountView, OrderView, StopLoss, TakeProfit
from alphintra.contracts.risk import (
    GetInstrument,
    GetLimits,
    MarkedView,
    MarkPrice,
    MarkPrices,
    ReportedView,
    ReportInstance,
)
from alphintra.contracts.trading import (
    CancelOrder,
    ClaimCapital,
    GetAccount,
    GetOrder,
    ListExecutions,
    ListOrderEvents,
    ListPositions,
    MarkPortfolios,
    ReleaseBook,
    SubmitOrder,
)
from alphintra.engine.costs import Costs
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.pretrade.limits import LimitSet
from alphintra.engine.ticks import limit_on_tick, stop_on_tick
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import OrderClass, PositionIntent, Side, TimeInForce
from alphintra.strategy.domain.venue_fit import worked_for

if TYPE_CHECKING:
    from alphintra.contracts.broker import ConnectionView, WatchedPriceView
    from alphintra.engine.bars import Bar
    from alphintra.infrastructure.bus import Bus
    from alphintra.kernel.ids import FeedId
    from alphintra.strategy.domain.deployments import Exits, OpenIntent
    from alphintra.strategy.domain.replay import Hours, Step

__all__ = [
    "Fleet",
    "Limits",
    "Market",
    "Orders",
    "Workflows",
    "acting_context",
    "order_of",
    "owner_context",
    "service_context",
]

MARKET_TIMEOUT_S = 10.0
PAGE = 1000
EXECUTIONS_AT_ONCE = 500  # one page of trading, and well within one message


def service_context(trace_id: str) -> Context:
    """Return the context of what strategy does on its own account."""
    return Context(trace_id=trace_id, actor=Actor(id="service:strategy"))


class Workflows:
    """nocode, asked with the person's own rights."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def version(self, version_id: UUID, context: Context) -> WorkflowVersionView:
        """Fetch a workflow version to run it.

        Raises WORKFLOW_NOT_FOUND, also for other people's, WORKFLOW_PERMISSION for those who may only see it, and
        WORKFLOW_ARCHIVED.
        """
        return await self._bus.ask(UseWorkflowVersion(version_id=version_id), context)


class Limits:
    """Risk, asked what it holds an account's orders against, with the person's own rights."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def of_account(self, account_id: UUID, context: Context) -> LimitSet:
        """Fetch the limit set in force. Raises ACCOUNT_NOT_FOUND, also for other people's, and RISK_UNAVAILABLE."""
        view = await self._bus.ask(GetLimits(account_id=account_id), context)
        return LimitSet(**msgspec.structs.asdict(view))

    async def instrument(self, symbol: str, context: Context) -> Instrument | None:
        """Fetch the specification of a symbol, None if it has none. Raises RISK_UNAVAILABLE."""
        try:
            view = await self._bus.ask(GetInstrument(symbol=symbol), context)
        except AlphintraError as error:
            if error.code == "INSTRUMENT_NOT_FOUND":
                return None
            raise
        return Instrument(**msgspec.structs.asdict(view))


class Fleet:
    """Risk, told which instance runs which deployments: two at once must not trade."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def report(self, instance: str, running: Mapping[UUID, str], context: Context) -> ReportedView:
        """Tell that an instance runs deployments, each in a version; the reply names those another one runs too."""
        versions = "".join(f"{deployment_id} {version}\n" for deployment_id, version in sorted(running.items()))
        command = ReportInstance(
            service="strategy",
            instance=instance,
            build=__version__,
            config_hash=sha256(versions.encode()).hexdigest(),
            deployments=tuple(running),
        )
        return await self._bus.ask(command, context)


class Market:
    """The replayed market: broker matches bars, risk takes prices."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def advance(
        self, feed_id: FeedId, step: Step, context: Context, *, hours: Mapping[str, Hours]
    ) -> MarketAdvanced:
        """Let the paper venue meet the bars of a step; the same again for a repetition."""
        bars = tuple(_bar(symbol, bar, hours.get(symbol)) for symbol, bar in step.bars)
        command = AdvanceMarket(feed_id=feed_id, seq=step.seq, bars=bars)
        done = await self._bus.ask(command, context, timeout_s=MARKET_TIMEOUT_S)
        executions = [*done.executions]
        while done.after is not None:
            following = msgspec.structs.replace(command, after=done.after)
            done = await self._bus.ask(following, context, timeout_s=MARKET_TIMEOUT_S)
            executions += done.executions
        return MarketAdvanced(seq=step.seq, executions=tuple(executions))

    async def mark(
        self,
        feed_id: FeedId,
        step: Step,
        context: Context,
        *,
        await_executions: Sequence[str] = (),
        await_closed: Sequence[UUID] = (),
    ) -> MarkedView:
        """Give risk the closes of a step; the reply names executions risk has not heard of yet.

        Trading, which has booked the step's executions, first keeps what the feed's accounts are worth at these closes.
        """
        marks = tuple(PriceMark(symbol=symbol, price=bar.close) for symbol, bar in step.bars)
        worth = MarkPortfolios(feed_id=feed_id, seq=step.seq, at=step.ts, prices=marks)
        await self._bus.ask(worth, context, timeout_s=MARKET_TIMEOUT_S)
        command = MarkPrices(
            feed_id=feed_id,
            seq=step.seq,
            at=step.ts,
            prices=tuple(MarkPrice(symbol=symbol, price=bar.close) for symbol, bar in step.bars),
            await_executions=tuple(await_executions),
            await_closed=tuple(await_closed),
        )
        return await self._bus.ask(command, context, timeout_s=MARKET_TIMEOUT_S)


class Orders:
    """trading, asked with the rights of the deployment's owner."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def account(self, account_id: UUID, context: Context) -> AccountView:
        """Fetch an account. Raises ACCOUNT_NOT_FOUND, also for other people's."""
        return await self._bus.ask(GetAccount(account_id=account_id), context)

    async def claim(self, account_id: UUID, book_id: UUID, capital: Decimal, context: Context) -> None:
        """Open a book with a part of an account's free cash; safe to repeat. Raises CAPITAL_EXCEEDS_CASH."""
        await self._bus.ask(ClaimCapital(account_id=account_id, book_id=book_id, capital=capital), context)

    async def release(self, account_id: UUID, book_id: UUID, context: Context) -> None:
        """Give a book's cash back to its account; safe to repeat."""
        await self._bus.ask(ReleaseBook(account_id=account_id, book_id=book_id), context)

    async def submit(
        self, item: OpenIntent, context: Context, *, qty: Decimal | None = None, reduce_only: bool = False
    ) -> OrderView:
        """Place the order of an intent, with the exits it brings; safe to repeat: the intent's id is the order's.

        Exits work until they are cancelled, and as long as their entry's time in force where that ends with the day:
        an entry that brings exits is therefore good till cancelled, and cancelled when its own time is over.

        Args:
            item: the intent.
            context: of its owner.
            qty: what to order where it is not what the intent says.
            reduce_only: whether it may only bring the account's position closer to zero.
        """
        intent, exits = item.intent, item.intent.exits
        limit, trigger = intent.limit_price, intent.trigger_price
        if (exits or intent.is_waiting) and (tick := await self.tick(item.symbol, context)) is not None:
            exits = exits.on_ticks(tick, intent.side)
            limit = None if limit is None else limit_on_tick(limit, tick, intent.side)
            trigger = None if trigger is None else stop_on_tick(trigger, tick, intent.side)
        order_class = OrderClass.SIMPLE
        if exits:
            order_class = OrderClass.BRACKET if exits.has_stop and exits.take_profit is not None else OrderClass.OTO
        stop = StopLoss(
            stop_price=exits.stop_price,
            trail_price=exits.trail_price,
            trail_percent=exits.trail_percent,
            from_fill=exits.stop_from_fill,
        )
        is_short = intent.side is Side.SELL and intent.reason == "entry"
        command = SubmitOrder(
            account_id=item.account_id,
            client_order_id=intent.client_order_id,
            symbol=item.symbol,
            side=intent.side,
            qty=intent.qty if qty is None else qty,
            type=intent.type,
            time_in_force=_time_in_force(item),
            limit_price=limit,
            stop_price=trigger,
            reduce_only=reduce_only,
            position_intent=PositionIntent.SELL_TO_OPEN if is_short else None,
            order_class=order_class,
            take_profit=_take_profit(exits),
            stop_loss=stop if exits.has_stop else None,
            book_id=intent.deployment_id,
            strategy_hash=item.graph_hash,
        )
        return await self._bus.ask(command, context)

    async def tick(self, symbol: str, context: Context) -> Decimal | None:
        """Fetch what prices of a symbol are whole multiples of, None where nothing says. Raises RISK_UNAVAILABLE."""
        instrument = await Limits(self._bus).instrument(symbol, context)
        return None if instrument is None else instrument.tick

    async def cancel(self, order_id: UUID, context: Context) -> OrderView:
        """Ask for an order to be canceled; one that is closed is answered as it is."""
        return await self._bus.ask(CancelOrder(order_id=order_id), context)

    async def connection(self, account_id: UUID, context: Context) -> ConnectionView:
        """Fetch how an account reaches its venue. Raises CONNECTION_NOT_FOUND."""
        return await self._bus.ask(GetConnection(account_id=account_id), context)

    async def watched(self, account_id: UUID, context: Context) -> tuple[WatchedPriceView, ...]:
        """Fetch the prices a live account's connection asks its venue for."""
        return (await self._bus.ask(ListWatchedPrices(account_id=account_id), context)).prices

    async def holdings(self, account_id: UUID, context: Context) -> dict[str, Decimal]:
        """Fetch what an account holds of each symbol in all its books."""
        found: dict[str, Decimal] = {}
        for position in (await self._bus.ask(ListPositions(account_id=account_id), context)).positions:
            found[position.symbol] = found.get(position.symbol, Decimal(0)) + position.qty
        return found

    async def held(self, item: OpenIntent, context: Context) -> tuple[Decimal, Decimal]:
        """Fetch what the deployment of an intent holds of its symbol, and what its account does in all."""
        positions = (await self._bus.ask(ListPositions(account_id=item.account_id), context)).positions
        here = [position for position in positions if position.symbol == item.symbol]
        own = (position.qty for position in here if position.book_id == item.intent.deployment_id)
        return sum(own, Decimal(0)), sum((position.qty for position in here), Decimal(0))

    async def costs(self, account_id: UUID, context: Context) -> Costs:
        """Fetch what an account's paper venue takes for trading; nothing is assumed of a live one."""
        view = await self._bus.ask(GetConnection(account_id=account_id), context)
        if view.paper is None:
            return Costs()
        fees = FeeModel(
            commission_bps=view.paper.commission_bps,
            per_share=view.paper.fee_per_share,
            minimum=view.paper.fee_minimum,
        )
        return Costs(fees=fees, slippage_bps=view.paper.slippage_bps)

    async def order(self, order_id: UUID, context: Context) -> OrderView:
        """Fetch an order."""
        return await self._bus.ask(GetOrder(order_id=order_id), context)

    async def executed(self, account_id: UUID, order_id: UUID, context: Context) -> tuple[ExecutionView, ...]:
        """Fetch all executions of an order, as many as its history tells of."""
        told = (await self._bus.ask(ListOrderEvents(order_id=order_id), context)).events
        execution_ids = [event.execution_id for event in told if event.execution_id]
        return await self.executions(account_id, execution_ids, context) if execution_ids else ()

    async def executions(
        self, account_id: UUID, execution_ids: Sequence[str], context: Context
    ) -> tuple[ExecutionView, ...]:
        """Fetch those of the executions that trading has booked, oldest first."""
        found: list[ExecutionView] = []
        for start in range(0, len(execution_ids), EXECUTIONS_AT_ONCE):
            wanted = tuple(execution_ids[start : start + EXECUTIONS_AT_ONCE])
            command = ListExecutions(account_id=account_id, execution_ids=wanted, limit=len(wanted))
            found += (await self._bus.ask(command, context)).executions
        return tuple(sorted(found, key=lambda execution: (execution.booked_at, execution.execution_id)))

    async def of_book(self, account_id: UUID, book_id: UUID, context: Context) -> tuple[ExecutionView, ...] | None:
        """Fetch the executions of a book, oldest first; None where there are more than one page of them."""
        command = ListExecutions(account_id=account_id, book_id=book_id, limit=PAGE)
        found = (await self._bus.ask(command, context)).executions
        return found if len(found) < PAGE else None


def _take_profit(exits: Exits) -> TakeProfit | None:
    if exits.take_profit is None:
        return None
    return TakeProfit(limit_price=exits.take_profit, from_fill=exits.profit_from_fill)


def _time_in_force(item: OpenIntent) -> TimeInForce:
    """Return how long the order of an intent works; what brings exits, as long as they do."""
    asked = item.intent.time_in_force
    if item.intent.exits:
        return TimeInForce.GTC
    return worked_for(item.symbol, asked) if item.is_live else asked


def _bar(symbol: str, bar: Bar, hours: Hours | None) -> BarView:
    return BarView(
        symbol=symbol,
        ts=bar.ts,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        opened_at=None if hours is None else bar.ts - hours.interval,
        calendar=None if hours is None else hours.calendar,
    )


def order_of(item: OpenIntent) -> UUID:
    """Return the id of an intent's order, as trading derives it from account and name."""
    return uuid5(NAMESPACE_OID, f"{item.account_id}/{item.intent.client_order_id}")


def owner_context(item: OpenIntent, trace_id: str) -> Context:
    """Return the context of the deployment of an intent acting for its owner."""
    return acting_context(item.intent.deployment_id, item.owner_id, trace_id)


def acting_context(deployment_id: UUID, owner_id: UUID, trace_id: str) -> Context:
    """Return the context of a deployment acting for its owner."""
    return Context(
        trace_id=trace_id, actor=Actor(id=f"deployment:{deployment_id}", user_id=owner_id, roles=("trader",))
    )
