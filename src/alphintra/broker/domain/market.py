"""The paper venue: what it can work, and what a step of a feed executes there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from alphintra.broker.domain.approvals import NO_CONNECTION, Refusal
from alphintra.broker.domain.connections import PAPER, Connection
from alphintra.broker.domain.orders import Order
from alphintra.engine.bars import Bar
from alphintra.engine.matching import OrderTerms, match_bar
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, ExecutionId, FeedId, OrderId
from alphintra.kernel.money import PRICE_QUANTUM, require_finite, require_positive
from alphintra.kernel.vocabulary import Side, TimeInForce

__all__ = [
    "Execution",
    "Market",
    "Step",
    "StepOutcome",
    "WorkingOrder",
    "check_order",
    "first_step",
    "match_step",
    "matching_terms",
    "paper_order_id",
    "require_next",
    "step_of",
]

_BEFORE_ANY_BAR = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrder:
    """An order at the paper venue with the costs of its connection.

    Attributes:
        order: its terms.
        known_ts: close of the last bar its market had seen when it was accepted; None before the first bar.
        slippage_bps: of market orders.
        fees: fee model of its fills.
    """

    order: Order
    known_ts: datetime | None
    slippage_bps: Decimal
    fees: FeeModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution at the paper venue, dated with the close of the bar that filled it."""

    execution_id: ExecutionId
    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True)
class Market:
    """How far a feed has come: its last step and the latest bar close in it, None before the first step."""

    last_seq: int
    last_ts: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a feed: at most one bar for each symbol, and the times they span."""

    feed_id: FeedId
    seq: int
    bars: Mapping[str, Bar]
    first_ts: datetime
    last_ts: datetime


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a step did to the orders it met; the others go on working."""

    executions: tuple[Execution, ...]
    expired: tuple[OrderId, ...]


def check_order(order: Order, connection: Connection | None) -> Refusal | None:
    """Return why the venue could not work this order, None if it can."""
    if connection is None:
        return Refusal(NO_CONNECTION, "the account has no open connection to a venue")
    try:
        require_positive(order.qty, pointer="/qty")
        matching_terms(order, None)
    except AlphintraError as error:
        return Refusal(error.code, error.detail)
    return None


def paper_order_id(order_id: OrderId) -> str:
    """Return the id the paper venue gives an order."""
    return f"{PAPER}-{order_id.hex}"


def step_of(feed_id: FeedId, seq: int, bars: Iterable[tuple[str, Bar]]) -> Step:
    """Return the checked step of a feed.

    Raises MARKET_BARS for no bars, two of one symbol or a price below a millionth, FIELD_RANGE for a sequence below 1
    and NUMBER_* for amounts the books cannot hold.
    """
    if seq < 1:
        raise AlphintraError("FIELD_RANGE", f"step {seq} is below 1, the first of a feed", pointer="/seq")
    found: dict[str, Bar] = {}
    for index, (symbol, bar) in enumerate(bars):
        pointer = f"/bars/{index}"
        if symbol in found:
            raise AlphintraError("MARKET_BARS", f"{symbol} has two bars in one step: send one", pointer=pointer)
        for amount in (bar.open, bar.high, bar.low, bar.close, bar.volume):
            require_finite(amount, pointer=pointer)
        if bar.low < PRICE_QUANTUM:
            message = f"{symbol} trades at {bar.low}, below the smallest price, {PRICE_QUANTUM}"
            raise AlphintraError("MARKET_BARS", message, pointer=pointer)
        found[symbol] = bar
    if not found:
        raise AlphintraError("MARKET_BARS", "a step needs at least one bar", pointer="/bars")
    times = [bar.ts for bar in found.values()]
    return Step(feed_id=feed_id, seq=seq, bars=found, first_ts=min(times), last_ts=max(times))


def first_step() -> Market:
    """Return a market that no step has reached yet."""
    return Market(0, None)


def require_next(market: Market, step: Step) -> None:
    """Check that a step follows the last one. Raises MARKET_SEQ or TIME_ORDER."""
    if step.seq != market.last_seq + 1:
        message = f"the market is at step {market.last_seq}: send step {market.last_seq + 1}, not {step.seq}"
        raise AlphintraError("MARKET_SEQ", message, kind=Kind.CONFLICT, pointer="/seq")
    if market.last_ts is not None and step.first_ts <= market.last_ts:
        message = (
            f"a bar closes at {step.first_ts.isoformat()}, not after the last step ({market.last_ts.isoformat()}): "
            "send bars in order of time"
        )
        raise AlphintraError("TIME_ORDER", message, pointer="/bars")


def match_step(working: Sequence[WorkingOrder], step: Step) -> StepOutcome:
    """Let working orders meet the bars of their symbols, with the matching of the backtest.

    A filled order is filled whole. A day order the first bar of its symbol does not fill expires.
    """
    executions: list[Execution] = []
    expired: list[OrderId] = []
    for entry in working:
        order = entry.order
        bar = step.bars[order.symbol]
        price = match_bar(matching_terms(order, entry.known_ts), bar, slippage_bps=entry.slippage_bps)
        if price is not None:
            executions.append(_execution(entry, price, step))
        elif order.time_in_force is TimeInForce.DAY:
            expired.append(order.order_id)
    return StepOutcome(tuple(executions), tuple(expired))


def matching_terms(order: Order, known_ts: datetime | None) -> OrderTerms:
    """Return what the matching of the backtest needs to know of an order; ``known_ts`` as of a working order."""
    return OrderTerms(order.side, order.type, known_ts or _BEFORE_ANY_BAR, order.limit_price)


def _execution(entry: WorkingOrder, price: Decimal, step: Step) -> Execution:
    order = entry.order
    return Execution(
        execution_id=ExecutionId(f"{PAPER}-{step.feed_id.hex[:8]}-{step.seq}-{order.order_id.hex}"),
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        qty=order.qty,
        price=price,
        fee=entry.fees.fee(order.qty, price),
        executed_at=step.bars[order.symbol].ts,
    )
