"""A plan that an algorithm decides: the same bars, books and decisions as one that a graph decides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from alphintra.engine.algorithms import OWN_PARAMETERS, Moment
from alphintra.engine.executor import Executor
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.intents import Decision, Intent, Outcome
from alphintra.engine.protection import Level, LevelKind, Protection
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import plain
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from alphintra.engine.algorithms import Answer, MarketOrder
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.graph.values import StateView
    from alphintra.engine.graph.wire import ParamValue

__all__ = ["AlgorithmExecutor", "AlgorithmId", "Decider", "Host", "Hosted", "algorithm_of", "decider_of"]

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmId:
    """Which code decides: an entry point of a package, its version and the hash of its files; and its parameters."""

    algorithm: str
    package: str
    release: str
    content_hash: str
    params: dict[str, ParamValue]
    warm_up: int


class Hosted(Protocol):
    """An algorithm where its code runs, between two bars."""

    def on_bar(self, moment: Moment) -> Answer:
        """Show it a bar. Raises ALGORITHM_* where it fails, ends, takes too long or answers what cannot be used."""

    def state(self) -> str:
        """Return its state as JSON."""

    def restore(self, state: str) -> None:
        """Go on from a state. Raises ALGORITHM_*."""

    def close(self) -> None:
        """End it."""


class Host(Protocol):
    """Where algorithms run."""

    def __call__(self, algorithm: AlgorithmId, *, should_stop: Callable[[], bool] | None = None) -> Hosted:
        """Start an algorithm. Raises ALGORITHM_*; RUN_STOPPED as soon as ``should_stop`` says so."""


class Decider(Protocol):
    """Who decides at a close: a graph's executor or an algorithm's."""

    plan: Plan
    warm_up_bars: int

    @property
    def bars_seen(self) -> int:
        """Bars evaluated so far."""

    def on_bar(self, bar: Bar, view: StateView) -> Decision:
        """Decide at the close of a bar."""

    def prepare(self, bars: Sequence[Bar]) -> Tape:
        """Be told of all bars there will be; they are returned as columns."""

    def snapshot(self) -> bytes:
        """Return the whole state."""

    def restore(self, raw: bytes) -> None:
        """Go on from a snapshot of the same plan."""

    def close(self) -> None:
        """Let go of what was held outside of this process."""


class _Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    algorithm_schema: int
    graph_hash: str
    bars_seen: int
    last_ts: datetime | None
    is_guarded: bool
    state: str


def algorithm_of(plan: Plan) -> AlgorithmId | None:
    """Return the algorithm that decides a plan, None where a graph does."""
    step = next((step for step in plan.steps if step.type == "Algorithm"), None)
    if step is None:
        return None
    return AlgorithmId(
        algorithm=str(step.params["algorithm"]),
        package=str(step.params["package"]),
        release=str(step.params["release"]),
        content_hash=str(step.params["content_hash"]),
        params={name: value for name, value in step.params.items() if name not in OWN_PARAMETERS},
        warm_up=int(step.params["warm_up"]),
    )


def decider_of(
    plan: Plan,
    symbol: str,
    *,
    host: Host | None = None,
    should_stop: Callable[[], bool] | None = None,
    tick: Decimal | None = None,
) -> Decider:
    """Return who decides a plan over the bars of a symbol.

    Raises:
        AlphintraError: ALGORITHM_NO_HOST where a plan needs one, ALGORITHM_*, and what ``Executor`` raises.
    """
    algorithm = algorithm_of(plan)
    if algorithm is None:
        return Executor(plan, calendar_of(symbol), tick=tick)
    if host is None:
        message = f"the strategy is the algorithm {algorithm.algorithm}, and nothing here runs Python packages"
        raise AlphintraError("ALGORITHM_NO_HOST", message, kind=Kind.UNAVAILABLE)
    return AlgorithmExecutor(plan, symbol, host(algorithm, should_stop=should_stop))


class AlgorithmExecutor:
    """Decides with an algorithm, bar by bar, oldest first."""

    def __init__(self, plan: Plan, symbol: str, hosted: Hosted) -> None:
        self.plan = plan
        self.warm_up_bars = plan.warm_up_bars
        self._symbol = symbol
        self._hosted = hosted
        self._node, seed = next((step.node, step.params["seed"]) for step in plan.steps if step.type == "Algorithm")
        self._seed = int(seed)
        self._bars_seen = 0
        self._last_ts: datetime | None = None
        self._is_guarded = False

    @property
    def bars_seen(self) -> int:
        """Bars shown so far; it may act once this exceeds ``warm_up_bars``."""
        return self._bars_seen

    def prepare(self, bars: Sequence[Bar]) -> Tape:
        """Return the bars as columns; an algorithm is shown one after the other."""
        return tape_of(bars, calendar_of(self._symbol))

    def on_bar(self, bar: Bar, view: StateView) -> Decision:
        """Show the algorithm a bar and its book. Raises TIME_ORDER and ALGORITHM_*."""
        if self._last_ts is not None and bar.ts <= self._last_ts:
            message = f"bar {bar.ts.isoformat()} is not after {self._last_ts.isoformat()}: it was evaluated already"
            raise AlphintraError("TIME_ORDER", message, kind=Kind.CONFLICT)
        is_warming_up = self._bars_seen < self.warm_up_bars
        answer = self._hosted.on_bar(self._moment(bar, view, is_warming_up=is_warming_up))
        self._bars_seen += 1
        self._last_ts = bar.ts
        if not view.qty and not view.is_order_working:
            self._is_guarded = False
        if is_warming_up:
            return Decision(bar.ts, Outcome.WARMING_UP, answer.values, ())
        if answer.order is None:
            return Decision(bar.ts, Outcome.NO_SIGNAL, answer.values, ())
        blocked = self._blocked(answer.order, view)
        if blocked is not None:
            return Decision(bar.ts, blocked, answer.values, ())
        intent = self._intent(answer.order, view, bar.close)
        self._is_guarded = self._is_guarded or intent.protection is not None
        return Decision(bar.ts, Outcome.INTENT, answer.values, (intent,))

    def snapshot(self) -> bytes:
        """Return the whole state as JSON; restoring it continues exactly."""
        state = self._hosted.state()
        told = (self.plan.graph_hash, self._bars_seen, self._last_ts, self._is_guarded)
        return msgspec.json.encode(_Snapshot(_SCHEMA, *told, state))

    def restore(self, raw: bytes) -> None:
        """Continue from a snapshot of the same plan. Raises SNAPSHOT_INVALID or ALGORITHM_*."""
        try:
            found = msgspec.json.decode(raw, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise _bad_snapshot(f"cannot be read ({error})") from error
        if found.algorithm_schema != _SCHEMA or found.bars_seen < 0:
            raise _bad_snapshot(f"has schema {found.algorithm_schema} and has seen {found.bars_seen} bars")
        if found.graph_hash != self.plan.graph_hash:
            raise _bad_snapshot(f"belongs to strategy version {found.graph_hash[:12]}")
        self._hosted.restore(found.state)
        self._bars_seen, self._last_ts, self._is_guarded = found.bars_seen, found.last_ts, found.is_guarded

    def close(self) -> None:
        """End the algorithm."""
        self._hosted.close()

    def _moment(self, bar: Bar, view: StateView, *, is_warming_up: bool) -> Moment:
        drawn = hashlib.sha256(f"{self._seed}/{self._symbol}/{bar.ts.isoformat()}".encode()).digest()
        return Moment(
            symbol=self._symbol,
            ts=bar.ts,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            qty=view.qty,
            avg_price=view.avg_price,
            cash=view.cash,
            equity=view.equity,
            is_order_working=view.is_order_working,
            is_warming_up=is_warming_up,
            bars_seen=self._bars_seen,
            seed=int.from_bytes(drawn[:6]),
        )

    def _blocked(self, order: MarketOrder, view: StateView) -> Outcome | None:
        """Return why an order is not placed: another one works, or the position must be closed whole first."""
        if view.is_order_working:
            return Outcome.BLOCKED_ORDER_WORKING
        signed = order.qty if order.side is Side.BUY else -order.qty
        after = view.qty + signed
        turns = view.qty * after < 0
        if view.qty and (turns or order.has_exits or (self._is_guarded and after)):
            return Outcome.BLOCKED_IN_POSITION
        return None

    def _intent(self, order: MarketOrder, view: StateView, close: Decimal) -> Intent:
        is_closing = view.qty * (1 if order.side is Side.BUY else -1) < 0
        reason = "exit" if is_closing else "entry"
        return Intent(
            index=0,
            node=self._node,
            side=order.side,
            qty=order.qty,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            reason=reason,
            tag=order.tag or reason,
            protection=_protection(order, close) if order.has_exits else None,
        )


def _protection(order: MarketOrder, close: Decimal) -> Protection:
    sign = 1 if order.side is Side.BUY else -1
    for name, price, side in (("stop_price", order.stop_price, -1), ("take_profit", order.take_profit, 1)):
        if price is not None and (price - close) * sign * side <= 0:
            level = f"{name} {plain(price):f} of an order to {order.side}"
            message = f"{level} is on the wrong side of the close {plain(close):f}"
            raise AlphintraError("ALGORITHM_ANSWER", message)
    stop, target = order.stop_price, order.take_profit
    trail = order.trail_percent
    return Protection(
        stop=None if stop is None else Level(LevelKind.PRICE, stop),
        target=None if target is None else Level(LevelKind.PRICE, target),
        trail=None if trail is None else Level(LevelKind.PERCENT, trail),
    )


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)
