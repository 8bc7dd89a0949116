"""The incremental executor: runs a plan bar by bar, identically in backtest, paper and live."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.plan import PLAN_SCHEMA
from alphintra.engine.graph.values import Moment, Signal, Sized, StateView, Value
from alphintra.engine.indicators import StateValue
from alphintra.engine.protection import Protection
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.values import Evaluator, Outputs

__all__ = ["CLIENT_ORDER_PREFIX", "Decision", "Executor", "Intent", "Outcome", "StateView", "client_order_id"]

CLIENT_ORDER_PREFIX = "alph-"
_HASH_CHARS = 26  # 130 bits; with the prefix 31 characters, within the 32 the narrowest venue accepts
SNAPSHOT_SCHEMA = 1


class Outcome(StrEnum):
    """What came of one evaluated bar; the closed list behind "a signal but no trade"."""

    WARMING_UP = "warming_up"
    NO_SIGNAL = "no_signal"
    INTENT = "intent"
    BLOCKED_IN_POSITION = "blocked_in_position"
    BLOCKED_NO_POSITION = "blocked_no_position"
    BLOCKED_ORDER_WORKING = "blocked_order_working"
    BLOCKED_ZERO_QUANTITY = "blocked_zero_quantity"
    BLOCKED_NO_PROTECTION = "blocked_no_protection"
    """An exit the entry must bring with it has no level yet: nothing is entered without it."""
    FAILED = "failed"
    """The bar could not be evaluated; kept where a deployment ends by it, never decided by an executor."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a strategy asks for at a close, before risk has seen it.

    Args:
        index: place among the intents of the same bar, from 0.
        node: Order node that asks.
        side: buy or sell.
        qty: whole shares, above zero.
        order_type: market in this version.
        time_in_force: day in this version.
        reason: ``entry`` or ``exit``.
        tag: label the user gave the entry or exit rule.
        protection: exits an entry brings with it.
    """

    index: int
    node: str
    side: Side
    qty: Decimal
    order_type: OrderType
    time_in_force: TimeInForce
    reason: str
    tag: str
    protection: Protection | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Record of one evaluated bar.

    Args:
        ts: close time of the bar.
        outcome: the first blocking code, ``intent`` where there is one, or why nothing happened.
        values: by node id what the node showed: a number, a truth, or None while its history is too short. Entry
            and exit rules show whether they fire, sizing rules the quantity they would order.
        intents: what is asked for, in order.
        refused: codes the controls refused what is asked for with, where the book is simulated.
    """

    ts: datetime
    outcome: Outcome
    values: dict[str, float | bool | None]
    intents: tuple[Intent, ...]
    refused: tuple[str, ...] = ()


class _Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    graph_hash: str
    bars_seen: int
    last_ts: datetime | None
    nodes: dict[str, dict[str, StateValue]]


class Executor:
    """Runs one plan over the closed bars of one symbol, oldest first.

    It keeps indicator state only; position, cash and working orders are told to it at every bar, so they can come
    from a simulation or from the trading service alike.

    Raises:
        AlphintraError: NODE_VERSION if the plan was compiled by an Alphintra with other nodes.
    """

    def __init__(self, plan: Plan) -> None:
        if plan.schema != PLAN_SCHEMA:
            raise AlphintraError("NODE_VERSION", f"plan schema {plan.schema} is not known: compile the graph again")
        self.plan = plan
        self._running = tuple((step, *_start(step)) for step in plan.steps)
        self._bars_seen = 0
        self._last_ts: datetime | None = None

    @property
    def bars_seen(self) -> int:
        """Bars evaluated so far; the plan may act once this exceeds its warm-up."""
        return self._bars_seen

    def on_bar(self, bar: Bar, view: StateView) -> Decision:
        """Evaluate the graph at the close of a bar.

        Args:
            bar: must close after the bar before it.
            view: the strategy's book at this close, fills of this bar included.

        Raises:
            AlphintraError: TIME_ORDER for a repeated or older bar, NODE_VALUE for a value that is no finite number.
        """
        if self._last_ts is not None and bar.ts <= self._last_ts:
            message = f"bar {bar.ts.isoformat()} is not after {self._last_ts.isoformat()}: it was evaluated already"
            raise AlphintraError("TIME_ORDER", message, kind=Kind.CONFLICT)
        moment = Moment(bar, view)
        outputs: dict[str, Outputs] = {}
        gathered: dict[str, dict[str, tuple[Value, ...]]] = {}
        shown: dict[str, float | bool | None] = {}
        for step, evaluator, shows in self._running:
            inputs = {port: tuple([outputs[node][out] for node, out in ends]) for port, ends in step.inputs.items()}
            gathered[step.node] = inputs
            outputs[step.node] = evaluator.evaluate(inputs, moment)
            if shows:
                shown[step.node] = _shown(step, outputs[step.node][shows], bar)
        self._bars_seen += 1
        self._last_ts = bar.ts
        if self._bars_seen <= self.plan.warm_up_bars:
            return Decision(bar.ts, Outcome.WARMING_UP, shown, ())
        outcome, intents = self._orders(gathered, view)
        return Decision(bar.ts, outcome, shown, intents)

    def snapshot(self) -> bytes:
        """Return the whole state as JSON; restoring it continues bit for bit."""
        nodes = {step.node: evaluator.snapshot() for step, evaluator, _ in self._running}
        state = _Snapshot(SNAPSHOT_SCHEMA, self.plan.graph_hash, self._bars_seen, self._last_ts, nodes)
        return msgspec.json.encode(state)

    def restore(self, raw: bytes) -> None:
        """Continue from a snapshot of the same plan. Raises SNAPSHOT_INVALID; the executor is then unusable."""
        try:
            state = msgspec.json.decode(raw, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise _bad_snapshot(f"cannot be read ({error})") from error
        if state.schema != SNAPSHOT_SCHEMA:
            raise _bad_snapshot(f"has schema {state.schema}")
        if state.graph_hash != self.plan.graph_hash:
            raise _bad_snapshot(f"belongs to strategy version {state.graph_hash[:12]}")
        if set(state.nodes) != {step.node for step in self.plan.steps} or state.bars_seen < 0:
            raise _bad_snapshot("does not hold exactly the nodes of the plan")
        for step, evaluator, _ in self._running:
            evaluator.restore(state.nodes[step.node])
        self._bars_seen = state.bars_seen
        self._last_ts = state.last_ts

    def _orders(
        self, gathered: Mapping[str, Mapping[str, tuple[Value, ...]]], view: StateView
    ) -> tuple[Outcome, tuple[Intent, ...]]:
        """Ask the Order nodes in turn until one acts: a strategy sends at most one order per bar."""
        outcome = Outcome.NO_SIGNAL
        for step in self.plan.steps:
            if step.type != "Order":
                continue
            answer = _ask(step, gathered[step.node], view)
            if isinstance(answer, Intent):
                return Outcome.INTENT, (answer,)
            if outcome is Outcome.NO_SIGNAL:
                outcome = answer
        return outcome, ()


def client_order_id(
    deployment_key: str, version_hash: str, *, bar_ts: datetime, symbol: str, intent_index: int, attempt: int
) -> str:
    """Return the id of the order an intent becomes: the same intent gives the same id, whoever computes it.

    ``alph-`` plus 26 base-32 characters of the sha-256 of all arguments, 31 characters of [a-z0-9-]. ``attempt``
    rises only after the order before it has ended for certain, because venues refuse an id they have seen.

    Raises:
        AlphintraError: TIME_NO_ZONE for a bar time that is not aware UTC.
    """
    moment = require_utc(bar_ts, pointer="/bar_ts").isoformat()
    key = msgspec.json.encode([deployment_key, version_hash, moment, symbol, intent_index, attempt])
    digest = base64.b32encode(hashlib.sha256(key).digest()).decode("ascii")
    return CLIENT_ORDER_PREFIX + digest[:_HASH_CHARS].lower()


def _ask(step: Step, inputs: Mapping[str, tuple[Value, ...]], view: StateView) -> Intent | Outcome:
    """Decide what one Order node does: exits before entries, one order at a time, entries only when flat."""
    exits = [value for value in inputs["exit"] if isinstance(value, Signal) and value.is_firing]
    sized = inputs["size"][0]
    entry = sized if isinstance(sized, Sized) and sized.signal.is_firing else None
    if exits and view.qty:
        return _leave(step, exits[0], view)
    if entry is not None:
        return _enter(step, entry, view)
    return Outcome.BLOCKED_NO_POSITION if exits else Outcome.NO_SIGNAL


def _leave(step: Step, signal: Signal, view: StateView) -> Intent | Outcome:
    if view.is_order_working:
        return Outcome.BLOCKED_ORDER_WORKING
    side = Side.SELL if view.qty > 0 else Side.BUY
    return _intent(step, side, abs(view.qty), reason="exit", tag=signal.tag)


def _enter(step: Step, sized: Sized, view: StateView) -> Intent | Outcome:
    if view.qty:
        return Outcome.BLOCKED_IN_POSITION
    if view.is_order_working:
        return Outcome.BLOCKED_ORDER_WORKING
    if sized.quantity <= 0:
        return Outcome.BLOCKED_ZERO_QUANTITY
    return _intent(step, Side.BUY, sized.quantity, reason="entry", tag=sized.signal.tag)


def _intent(step: Step, side: Side, qty: Decimal, *, reason: str, tag: str) -> Intent:
    return Intent(
        index=0,
        node=step.node,
        side=side,
        qty=qty,
        order_type=OrderType(str(step.params["type"])),
        time_in_force=TimeInForce(str(step.params["tif"])),
        reason=reason,
        tag=tag,
    )


def _start(step: Step) -> tuple[Evaluator, str]:
    definition = node_type(step.type, step.version)
    if definition is None:
        message = f"node {step.node}: {step.type} version {step.version} is not in this Alphintra: compile again"
        raise AlphintraError("NODE_VERSION", message)
    return definition.make(step.params), definition.shown


def _shown(step: Step, value: Value, bar: Bar) -> float | bool | None:
    if isinstance(value, Signal):
        return value.is_firing
    if isinstance(value, Sized):
        return float(value.quantity)
    if isinstance(value, float) and not math.isfinite(value):
        message = f"node {step.node} gave {value} at {bar.ts.isoformat()}: check its inputs at that bar"
        raise AlphintraError("NODE_VALUE", message)
    return value


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)
