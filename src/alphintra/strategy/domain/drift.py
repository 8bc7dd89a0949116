"""Drift: what a deployment did, held against its bars run through the backtest of the same version.

Both sides name orders alike, so that decision is compared with decision, order with order, and fill with fill. Each
difference has a reason from a closed list; one that only follows from an earlier one says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from alphintra.engine.algorithm_runs import Decider
from alphintra.engine.bars import Bar
from alphintra.engine.book import Book
from alphintra.engine.costs import Costs
from alphintra.engine.step import Origin, StepResult, step
from alphintra.kernel.money import PRICE_QUANTUM
from alphintra.kernel.vocabulary import OrderStatus, Side
from alphintra.strategy.domain.deployments import warm_up

__all__ = ["Actual", "Difference", "Drift", "Happened", "Ordered", "Reason", "compare", "replay"]

EQUITY_BPS_MAX: Final = Decimal(50)
_BPS: Final = Decimal(10_000)
_PLACES: Final = Decimal("0.01")
_BY_RULE: Final = frozenset({"EXIT_NOT_NEEDED"})
_GONE: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED})


class Reason(StrEnum):
    """Why a deployment did otherwise than its backtest."""

    MISSING_BAR = "missing_bar"
    LATE_BAR = "late_bar"
    EXTRA_BAR = "extra_bar"
    PRICE_DIFFERED = "price_differed"
    VALUES_DIFFERED = "values_differed"
    REFUSED_BY_RISK = "refused_by_risk"
    REFUSED_BY_VENUE = "refused_by_venue"
    NOT_PLACED = "not_placed"
    CANCELED = "canceled"
    EXIT_BY_HAND = "exit_by_hand"
    PARTIAL_FILL = "partial_fill"
    NOT_FILLED = "not_filled"
    FILL_PRICE = "fill_price"
    FOLLOWS = "follows"
    UNEXPLAINED = "unexplained"


_IN_ORDER: Final = frozenset({Reason.FOLLOWS, Reason.FILL_PRICE})


@dataclass(frozen=True, slots=True)
class Actual:
    """What a deployment decided on a bar: outcome, and by node what it saw."""

    outcome: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What a deployment asked for and what became of it; exits are those that came with it."""

    client_order_id: str
    ts: datetime
    side: Side
    qty: Decimal
    code: str
    status: OrderStatus | None
    filled_qty: Decimal
    price: Decimal | None
    is_exit_canceled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """All that a deployment did, with its worth at the end.

    Attributes:
        decisions: by the close of the bar.
        orders: what it asked for.
        equity: cash and position at the last price it saw.
        late: closes of bars that came when it was past them.
        corrected: closes of bars that came otherwise later.
        qty: what it holds.
    """

    decisions: Mapping[datetime, Actual]
    orders: Sequence[Ordered]
    equity: Decimal
    qty: Decimal
    late: frozenset[datetime] = frozenset()
    corrected: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differed: ``kind`` is decision, order, fill or position."""

    ts: datetime
    kind: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What came of a comparison.

    Attributes:
        decisions: how many were compared, and orders and fills alike.
        differences: all of them, by time.
        equity: of the deployment.
        replayed_equity: of the backtest.
        equity_bps: the difference, in bps of the capital.
        slippage_bps: how much worse fills were than those of the backtest on average, weighted by amount.
    """

    bars: int
    decisions: int
    orders: int
    fills: int
    differences: tuple[Difference, ...]
    equity: Decimal
    replayed_equity: Decimal
    equity_bps: Decimal
    slippage_bps: Decimal

    @property
    def reasons(self) -> dict[str, int]:
        """Count the differences by reason."""
        return dict(sorted(Counter(each.reason.value for each in self.differences).items()))

    @property
    def is_over(self) -> bool:
        """Tell whether somebody has to look: worth apart by more than 50 bps, or anything but prices of fills."""
        return abs(self.equity_bps) > EQUITY_BPS_MAX or any(each.reason not in _IN_ORDER for each in self.differences)


def replay(
    executor: Decider, before: Sequence[Bar], bars: Sequence[Bar], *, origin: Origin, capital: Decimal, costs: Costs
) -> tuple[StepResult, ...]:
    """Run the backtest of a deployment: warmed up on the bars before it, then bar by bar.

    Raises NODE_VALUE, and ALGORITHM_* where an algorithm decides.
    """
    warm_up(executor, before, capital=capital)
    book, results = Book(cash=capital), []
    for bar in bars:
        result = step(executor, book, bar, costs=costs, origin=origin)
        book = result.book
        results.append(result)
    return tuple(results)


@dataclass(slots=True)
class _Comparison:
    """Differences so far; after the first root cause the rest may follow from it."""

    found: list[Difference] = field(default_factory=list)
    slipped: list[tuple[Decimal, Decimal]] = field(default_factory=list)  # amounts, and by how many bps worse
    cause_ts: datetime | None = None

    def note(self, ts: datetime, kind: str, reason: Reason, detail: str) -> None:
        if self.cause_ts is not None and self.cause_ts <= ts and reason in _FOLLOWING:
            reason, detail = Reason.FOLLOWS, f"{detail} (after {self.cause_ts:%Y-%m-%d %H:%M}Z)"
        elif self.cause_ts is None:
            self.cause_ts = ts
        self.found.append(Difference(ts, kind, reason, detail))


_FOLLOWING: Final = frozenset({Reason.UNEXPLAINED, Reason.VALUES_DIFFERED, Reason.NOT_PLACED})


def compare(
    happened: Happened,
    replayed: Sequence[StepResult],
    bars: Sequence[Bar],
    *,
    sources: frozenset[str],
    capital: Decimal,
) -> Drift:
    """Hold what happened against the backtest of the same bars.

    Args:
        happened: what the deployment did.
        replayed: its backtest.
        bars: of the backtest, one for each of its results; as they are known now.
        sources: ids of the nodes that show prices themselves.
        capital: of the deployment.
    """
    comparison, executed = _Comparison(), _executed(replayed)
    asked: dict[datetime, dict[str, Ordered]] = {}
    for each in happened.orders:
        asked.setdefault(each.ts, {})[each.client_order_id] = each
    for result in replayed:
        _compare_decision(comparison, happened, result, sources)
        is_last = result is replayed[-1]
        _compare_orders(comparison, asked.get(result.decision.ts, {}), result, None if is_last else executed)
    known = {bar.ts for bar in bars}
    for ts in sorted(set(happened.decisions) - known):
        comparison.note(ts, "decision", Reason.EXTRA_BAR, "it decided on a bar there is none of now")
    return _drift(comparison, happened, replayed, bars, capital=capital, fills=len(executed.fills))


@dataclass(frozen=True, slots=True)
class _Executed:
    """What a backtest executed, by order: quantities with prices; and the orders that an exit of theirs ended."""

    fills: Mapping[str, Sequence[tuple[Decimal, Decimal]]]
    exited: frozenset[str]


def _executed(replayed: Sequence[StepResult]) -> _Executed:
    fills: dict[str, list[tuple[Decimal, Decimal]]] = {}
    exited = set()
    for fill in (fill for result in replayed for fill in result.fills):
        if fill.leg:
            exited.add(fill.client_order_id)
        else:
            fills.setdefault(fill.client_order_id, []).append((fill.qty, fill.price))
    return _Executed(fills, frozenset(exited))


def _compare_orders(
    comparison: _Comparison, asked: dict[str, Ordered], result: StepResult, executed: _Executed | None
) -> None:
    """Compare what was asked for at a close; fills too, unless it is the last, whose orders met no bar yet."""
    ts = result.decision.ts
    for order in result.orders:
        intent, one = order.intent, asked.pop(order.client_order_id, None)
        if one is None:
            comparison.note(ts, "order", Reason.NOT_PLACED, f"{intent.side} {intent.qty:f} was not asked for")
        elif (one.side, one.qty) != (intent.side, intent.qty):
            text = f"{one.side} {one.qty:f} was asked for, {intent.side} {intent.qty:f} by the backtest"
            comparison.note(ts, "order", Reason.UNEXPLAINED, text)
        elif executed is not None:
            _compare_fills(comparison, one, executed)
    for one in asked.values():
        text = f"{one.side} {one.qty:f} was asked for, nothing by the backtest"
        comparison.note(ts, "order", Reason.UNEXPLAINED, text)


def _compare_decision(comparison: _Comparison, happened: Happened, result: StepResult, sources: frozenset[str]) -> None:
    ts, decision = result.decision.ts, result.decision
    actual = happened.decisions.get(ts)
    if actual is None:
        is_late = ts in happened.late
        reason = Reason.LATE_BAR if is_late else Reason.MISSING_BAR
        comparison.note(ts, "decision", reason, "the bar came too late" if is_late else "it never saw the bar")
        return
    differing = sorted(name for name, value in decision.values.items() if actual.values.get(name) != value)
    if differing:
        is_price = ts in happened.corrected or not sources.isdisjoint(differing)
        reason = Reason.PRICE_DIFFERED if is_price else Reason.VALUES_DIFFERED
        name = next((name for name in differing if name in sources), differing[0])
        text = f"it saw {name} = {actual.values.get(name)}, the bars give {decision.values[name]} now"
        comparison.note(ts, "decision", reason, text)
    elif ts in happened.corrected:
        comparison.note(ts, "decision", Reason.PRICE_DIFFERED, "the bar came otherwise later")
    if actual.outcome != decision.outcome:
        text = f"it decided {actual.outcome}, the backtest {decision.outcome}"
        comparison.note(ts, "decision", Reason.UNEXPLAINED, text)


def _compare_fills(comparison: _Comparison, one: Ordered, executed: _Executed) -> None:
    wanted = executed.fills.get(one.client_order_id, ())
    qty = sum((each for each, _price in wanted), Decimal(0))
    if one.filled_qty == 0:
        if qty:
            text = f"nothing was executed of {qty:f}: {one.code or one.status}"
            comparison.note(one.ts, "fill", _unfilled(one), text)
        return
    if one.filled_qty < qty:
        comparison.note(one.ts, "fill", Reason.PARTIAL_FILL, f"{one.filled_qty:f} of {qty:f} were executed")
    elif one.filled_qty > qty:
        text = f"{one.filled_qty:f} were executed, {qty:f} by the backtest"
        comparison.note(one.ts, "fill", Reason.UNEXPLAINED, text)
    if one.is_exit_canceled and one.client_order_id in executed.exited:
        text = "its exits were canceled, the backtest left by one"
        comparison.note(one.ts, "fill", Reason.EXIT_BY_HAND, text)
    if qty and one.price is not None:
        _compare_price(comparison, one, sum((each * price for each, price in wanted), Decimal(0)) / qty)


def _compare_price(comparison: _Comparison, one: Ordered, price: Decimal) -> None:
    actual = one.price or price
    worse = (actual - price) * (1 if one.side is Side.BUY else -1)
    comparison.slipped.append((one.filled_qty * price, worse / price * _BPS))
    if actual.quantize(PRICE_QUANTUM) != price.quantize(PRICE_QUANTUM):
        text = f"executed at {actual.normalize():f}, {price.quantize(PRICE_QUANTUM).normalize():f} by the backtest"
        comparison.note(one.ts, "fill", Reason.FILL_PRICE, text)


def _unfilled(one: Ordered) -> Reason:
    """Return why an order that the backtest filled was not."""
    if one.code == "BAR_LATE":
        return Reason.LATE_BAR
    if one.status is OrderStatus.DENIED:
        return Reason.REFUSED_BY_RISK
    if one.status is OrderStatus.REJECTED:
        return Reason.REFUSED_BY_VENUE
    if one.status in _GONE:
        return Reason.CANCELED
    if one.code in _BY_RULE:
        return Reason.EXIT_BY_HAND
    return Reason.NOT_PLACED if one.status is None else Reason.NOT_FILLED


def _drift(
    comparison: _Comparison,
    happened: Happened,
    replayed: Sequence[StepResult],
    bars: Sequence[Bar],
    *,
    capital: Decimal,
    fills: int,
) -> Drift:
    worth = capital
    if replayed:
        book = replayed[-1].book
        worth = book.cash + book.position.market_value(bars[-1].close)
        if book.position.qty != happened.qty:
            text = f"it holds {happened.qty:f}, the backtest {book.position.qty:f}"
            comparison.note(bars[-1].ts, "position", Reason.UNEXPLAINED, text)
    weight = sum((amount for amount, _bps in comparison.slipped), Decimal(0))
    slippage = sum((amount * bps for amount, bps in comparison.slipped), Decimal(0)) / weight if weight else Decimal(0)
    return Drift(
        bars=len(bars),
        decisions=len(replayed),
        orders=sum(len(result.orders) for result in replayed),
        fills=fills,
        differences=tuple(sorted(comparison.found, key=lambda each: (each.ts, each.kind, each.reason))),
        equity=happened.equity,
        replayed_equity=worth,
        equity_bps=((happened.equity - worth) / capital * _BPS).quantize(_PLACES),
        slippage_bps=slippage.quantize(_PLACES),
    )
