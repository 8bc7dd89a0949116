"""A deployment over several symbols, advanced close by close: one cash, a position in each symbol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.account.asking import leaving
from alphintra.engine.book import Order
from alphintra.engine.funding import Ask
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Decision, Outcome, client_order_id
from alphintra.engine.step import works_until
from alphintra.engine.universe import Close, UniverseDecision, UniverseExecutor, union_of
from alphintra.strategy.domain.deployments import BookedFill, Deployment, StoredIntent, fold_fills, intent_of
from alphintra.strategy.domain.replay import FeedSplit, Step, bars_until

if TYPE_CHECKING:
    from alphintra.engine.graph.plan import Plan
    from alphintra.strategy.domain.holdings import Holding

__all__ = [
    "AcrossEvaluation",
    "close_of",
    "closes_before",
    "evaluate_across",
    "fold_across",
    "is_anew",
    "marked",
    "warm_up_across",
]

_BOOKED: Final = ("position", "bars_held", "exit_owed", "entries", "last_entry", "last_entry_order")
_CALM: Final = frozenset({Outcome.NO_SIGNAL, Outcome.WARMING_UP})


@dataclass(frozen=True, slots=True)
class AcrossEvaluation:
    """What one close made of a deployment; ``outcome`` is that of all symbols together."""

    deployment: Deployment
    decision: UniverseDecision
    outcome: Outcome
    intents: tuple[StoredIntent, ...]

    @property
    def values(self) -> dict[str, dict[str, object]]:
        """What was decided on each symbol that has a bar, and the values it was decided on."""
        return {
            symbol: {"outcome": decision.outcome, "values": decision.values}
            for symbol, decision in self.decision.decisions.items()
        }


def close_of(step: Step, symbols: Collection[str]) -> Close | None:
    """Return what closed at a step of these symbols; None where nothing of them did."""
    bars = {symbol: bar for symbol, bar in step.bars if symbol in symbols}
    return Close(step.ts, bars) if bars else None


def closes_before(
    steps: Sequence[Step], step: Step, symbols: Sequence[str], *, splits: Sequence[FeedSplit]
) -> tuple[Close, ...]:
    """Return the closes before a step, the bars of each symbol in shares of that step."""
    bars = {symbol: bars_until(steps, step.seq, symbol, splits=splits) for symbol in symbols}
    return tuple(close for close in union_of(bars) if close.ts < step.ts)


def is_anew(steps: Sequence[Step], step: Step, symbols: Collection[str], *, splits: Sequence[FeedSplit]) -> bool:
    """Tell whether a step brings the first bar of one of these symbols since its split."""
    for split in splits:
        if split.symbol not in symbols or split.symbol not in dict(step.bars):
            continue
        seen = (each.seq for each in reversed(steps) if each.seq < step.seq and split.symbol in dict(each.bars))
        if next(seen, 0) <= split.after_seq < step.seq:
            return True
    return False


def warm_up_across(executor: UniverseExecutor, closes: Sequence[Close], *, capital: Decimal) -> None:
    """Show an executor the closes that were over before its deployment; nothing is ordered on them."""
    flat = StateView(qty=Decimal(0), avg_price=Decimal(0), cash=capital, equity=capital, is_order_working=False)
    views = dict.fromkeys(executor.symbols, flat)
    for close in closes:
        executor.on_close(close, views)


def fold_across(deployment: Deployment, fills: Iterable[tuple[str, BookedFill]]) -> Deployment:
    """Return the deployment's books after executions of its orders, each with its symbol, in order of time."""
    holdings = {holding.symbol: holding for holding in deployment.holdings}
    for symbol, fill in fills:
        before = {name: getattr(holdings[symbol], name) for name in _BOOKED}
        after = fold_fills(replace(deployment, **before), [fill])
        holdings[symbol] = replace(holdings[symbol], **{name: getattr(after, name) for name in _BOOKED})
        deployment = replace(deployment, cash=after.cash, fees=after.fees)
    return replace(deployment, holdings=tuple(holdings.values()))


def marked(deployment: Deployment, close: Close) -> Deployment:
    """Return the deployment with the prices of a close, and its positions a bar older."""
    return replace(deployment, holdings=tuple(_met(holding, close) for holding in deployment.holdings))


def evaluate_across(
    deployment: Deployment,
    executor: UniverseExecutor,
    close: Close,
    *,
    seq: int,
    working: Mapping[str, Collection[bool]],
    at: datetime,
) -> AcrossEvaluation:
    """Evaluate a deployment at a close; its books must hold the fills of that close's bars already.

    Args:
        deployment: before the close.
        executor: as of the close before.
        close: the bars of those of its symbols that have one.
        seq: step of the feed.
        working: by symbol, of each order that works whether it is to leave.
        at: now.
    """
    deployment = marked(deployment, close)
    views = _views(deployment, working)
    decision = executor.on_close(close, views)
    decision = _with_owed(decision, deployment, views)
    orders = tuple((ask.symbol, _order(ask, decision.ts, deployment, executor.plan)) for ask in decision.asks)
    moved = replace(
        deployment,
        last_seq=seq,
        executor_state=executor.snapshot().decode(),
        intent_count=deployment.intent_count + len(orders),
    )
    closes = {symbol: bar.close for symbol, bar in close.bars.items()}  # without a bar there is no entry, and no exit
    intents = tuple(
        replace(intent_of(moved, order, close=closes.get(symbol, Decimal(0)), seq=seq, at=at), symbol=symbol)
        for symbol, order in orders
    )
    return AcrossEvaluation(moved, decision, _outcome(decision), intents)


def _met(holding: Holding, close: Close) -> Holding:
    bar = close.bars.get(holding.symbol)
    if bar is None:
        return holding
    return replace(holding, last_price=bar.close, bars_held=holding.bars_held + 1 if holding.position.qty else 0)


def _views(deployment: Deployment, working: Mapping[str, Collection[bool]]) -> dict[str, StateView]:
    equity = deployment.equity
    return {
        holding.symbol: StateView(
            qty=holding.position.qty,
            avg_price=holding.position.avg_price,
            cash=deployment.cash,
            equity=equity,
            is_order_working=holding.symbol in working,
            bars_held=holding.bars_held,
            is_entry_working=False in working.get(holding.symbol, ()),
            entries=holding.entries,
            last_entry=holding.last_entry,
        )
        for holding in deployment.holdings
    }


def _with_owed(decision: UniverseDecision, deployment: Deployment, views: Mapping[str, StateView]) -> UniverseDecision:
    """Add what leaves positions whose exits are gone, before all else, where nothing is asked for of their symbol."""
    asked = {ask.symbol for ask in decision.asks}
    owed = [
        Ask(holding.symbol, leaving(views[holding.symbol], "exit", tag=holding.exit_owed), (0, Decimal(0), place))
        for place, holding in enumerate(deployment.holdings)
        if holding.exit_owed
        and holding.symbol in decision.decisions
        and holding.symbol not in asked
        and not views[holding.symbol].is_order_working
    ]
    if not owed:
        return decision
    asks = tuple(
        replace(ask, intent=replace(ask.intent, index=place)) for place, ask in enumerate((*owed, *decision.asks))
    )
    told: dict[str, Decision] = {}
    for symbol, own in decision.decisions.items():
        intents = tuple(ask.intent for ask in asks if ask.symbol == symbol)
        told[symbol] = replace(own, outcome=Outcome.INTENT if intents else own.outcome, intents=intents)
    return replace(decision, decisions=told, asks=asks)


def _order(ask: Ask, ts: datetime, deployment: Deployment, plan: Plan) -> Order:
    name = client_order_id(
        str(deployment.deployment_id),
        deployment.graph_hash,
        bar_ts=ts,
        symbol=ask.symbol,
        intent_index=ask.intent.index,
        attempt=1,
    )
    return Order(name, ts, ask.intent, works_until(plan, ask.intent, ts, ask.symbol))


def _outcome(decision: UniverseDecision) -> Outcome:
    """Return an intent where there is one, else what stood in the way, else why nothing happened."""
    if decision.asks:
        return Outcome.INTENT
    found = [own.outcome for own in decision.decisions.values()]
    return next((outcome for outcome in found if outcome not in _CALM), min(found, default=Outcome.NO_SIGNAL))
