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

from alphintra.engine.graph.evaluation import Columns, End, Evaluation, is_number, shown_end
from alphintra.engine.graph.plan import PLAN_SCHEMA
from alphintra.engine.graph.rules import order_rules, sizing_of
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.graph.values import StateView
from alphintra.engine.protection import Protection
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.rules import OrderRule
    from alphintra.engine.sessions import Calendar

    Values = Mapping[End, float]

__all__ = ["CLIENT_ORDER_PREFIX", "Decision", "Executor", "Intent", "Outcome", "StateView", "client_order_id"]

CLIENT_ORDER_PREFIX = "alph-"
_HASH_CHARS = 26  # 130 bits; with the prefix 31 characters, within the 32 the narrowest venue accepts
SNAPSHOT_SCHEMA = 2
_ASKING = (1.0, -1.0)


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
    nodes: dict[str, str]


class Executor:
    """Runs one plan over the closed bars of one symbol, oldest first.

    It keeps indicator state only; position, cash and working orders are told to it at every bar, so they can come
    from a simulation or from the trading service alike.

    Args:
        plan: what is computed.
        calendar: of the symbol; without it a plan whose nodes ask for the time of a session cannot run.

    Raises:
        AlphintraError: NODE_VERSION if the plan was compiled by an Alphintra with other nodes.
    """

    def __init__(self, plan: Plan, calendar: Calendar | None = None) -> None:
        if plan.schema != PLAN_SCHEMA:
            raise AlphintraError("NODE_VERSION", f"plan schema {plan.schema} is not known: compile the graph again")
        self.plan = plan
        self._calendar = calendar
        self._evaluation = Evaluation(plan)
        self._rules = order_rules(plan)
        self._shown = tuple(_Shown(step, end) for step in plan.steps if (end := shown_end(step)) is not None)
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
        columns = self._evaluation.advance(tape_of([bar], self._calendar), is_compiled=False)
        return self._decided(columns, 0, bar, view)

    def over(self, bars: Sequence[Bar]) -> Columns:
        """Evaluate the graph over bars that nothing was evaluated of yet, for ``decide_at`` to decide on one by one."""
        return self._evaluation.advance(tape_of(bars, self._calendar))

    def decide_at(self, columns: Columns, index: int, bar: Bar, view: StateView) -> Decision:
        """Decide at the close of one of the bars that ``over`` has evaluated; they are asked for in order of time."""
        return self._decided(columns, index, bar, view)

    def _decided(self, columns: Columns, index: int, bar: Bar, view: StateView) -> Decision:
        values = {end: float(column[0, index]) for end, column in columns.items()}
        shown = {one.node: one.value(values, bar, view) for one in self._shown}
        self._bars_seen += 1
        self._last_ts = bar.ts
        if self._bars_seen <= self.plan.warm_up_bars:
            return Decision(bar.ts, Outcome.WARMING_UP, shown, ())
        outcome, intents = self._orders(values, bar, view)
        return Decision(bar.ts, outcome, shown, intents)

    def snapshot(self) -> bytes:
        """Return the whole state as JSON; restoring it continues bit for bit."""
        state = _Snapshot(
            SNAPSHOT_SCHEMA, self.plan.graph_hash, self._bars_seen, self._last_ts, self._evaluation.snapshot()
        )
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
        if state.bars_seen < 0:
            raise _bad_snapshot(f"has seen {state.bars_seen} bars")
        self._evaluation.restore(state.nodes)
        self._bars_seen = state.bars_seen
        self._last_ts = state.last_ts

    def _orders(self, values: Values, bar: Bar, view: StateView) -> tuple[Outcome, tuple[Intent, ...]]:
        """Ask the Order nodes in turn until one acts: a strategy sends at most one order per bar."""
        outcome = Outcome.NO_SIGNAL
        for rule in self._rules:
            answer = _ask(rule, values, bar, view)
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


def _ask(rule: OrderRule, values: Values, bar: Bar, view: StateView) -> Intent | Outcome:
    """Decide what one Order node does: exits before entries, one order at a time, entries only when flat."""
    fired = next((way for way in rule.exits if values[way.when] > 0), None)
    if fired is not None and view.qty:
        return _leave(rule, fired.tag, view)
    if values[rule.signal] in _ASKING:
        return _enter(rule, values[rule.signal], bar, view)
    return Outcome.NO_SIGNAL if fired is None else Outcome.BLOCKED_NO_POSITION


def _leave(rule: OrderRule, tag: str, view: StateView) -> Intent | Outcome:
    if view.is_order_working:
        return Outcome.BLOCKED_ORDER_WORKING
    side = Side.SELL if view.qty > 0 else Side.BUY
    return _intent(rule, side, abs(view.qty), reason="exit", tag=tag)


def _enter(rule: OrderRule, direction: float, bar: Bar, view: StateView) -> Intent | Outcome:
    if view.qty:
        return Outcome.BLOCKED_IN_POSITION
    if view.is_order_working:
        return Outcome.BLOCKED_ORDER_WORKING
    quantity = rule.size(view, bar.close)
    if quantity <= 0:
        return Outcome.BLOCKED_ZERO_QUANTITY
    return _intent(rule, Side.BUY if direction > 0 else Side.SELL, quantity, reason="entry", tag=rule.tag)


def _intent(rule: OrderRule, side: Side, qty: Decimal, *, reason: str, tag: str) -> Intent:
    return Intent(
        index=0,
        node=rule.step.node,
        side=side,
        qty=qty,
        order_type=OrderType(str(rule.step.params["type"])),
        time_in_force=TimeInForce(str(rule.step.params["tif"])),
        reason=reason,
        tag=tag,
    )


class _Shown:
    """What a node shows in decision records: a number, a truth, the quantity of a sizing rule, or None for unknown."""

    def __init__(self, step: Step, end: End) -> None:
        self.node = step.node
        self._end = end
        self._sizing = sizing_of(step)
        self._is_number = is_number(step)

    def value(self, values: Values, bar: Bar, view: StateView) -> float | bool | None:
        value = values[self._end]
        if not math.isfinite(value):
            return None
        if self._sizing is not None:
            return float(self._sizing(view, bar.close))
        return value if self._is_number else value != 0


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)
