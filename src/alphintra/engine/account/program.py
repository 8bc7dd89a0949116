"""What a plan asks of an account: each Order node as rules and the columns they are asked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.columns import NOTHING, AddingColumns, Columns
from alphintra.engine.account.rules import AccountRules, Bound, Pricing, Size, Sizing
from alphintra.engine.graph.wire import MINUTES
from alphintra.engine.protection import LevelKind
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import OrderType, TimeInForce

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import Params
    from alphintra.engine.graph.evaluation import Columns as Computed
    from alphintra.engine.graph.evaluation import End
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["OrderProgram", "on_tick", "order_programs"]

_HUNDRED: Final = Decimal(100)
MANY: Final = 2


@dataclass(frozen=True, slots=True)
class OrderProgram:
    """One Order node.

    Args:
        step: the Order node.
        tag: label of the rule that asks for a position.
        rules: what its account does with the columns; cash, costs and warm-up are for the run to say.
        signal: column that asks for a position: 1 long, -1 short.
        exits: columns that ask to leave, in the order in which they are asked, with their labels.
        size_node: the sizing node.
        size: column the sizing rule reads, None where it reads none.
        guards: nodes of the exits that come with the entry, by the column they fill.
        cancels: columns that take off an entry that waits.
        add: column that asks for one more entry of the position, None without any.
        is_compiled: whether the account kernel knows all of its rules; if not, the reference decides.
    """

    step: Step
    tag: str
    rules: AccountRules
    signal: End
    exits: tuple[tuple[End, str], ...]
    size_node: str
    size: End | None
    guards: tuple[tuple[str, Step], ...]
    cancels: tuple[End, ...] = ()
    add: End | None = None
    is_compiled: bool = True

    @property
    def ends(self) -> frozenset[End]:
        """The outputs it reads."""
        wired = {end for _, step in self.guards for ends in step.inputs.values() for end in ends}
        sizes = {end for end in (self.size, self.add) if end is not None}
        priced = {end for port in _PRICE_PORTS for end in self.step.inputs.get(port, ())}
        return frozenset({self.signal, *(end for end, _ in self.exits), *self.cancels, *wired, *sizes, *priced})

    def columns(self, computed: Computed, tape: Tape, row: int = 0) -> Columns:
        """Return what the rules are asked with, for one symbol."""
        close, entry = tape.close[row], computed[self.signal][row]
        leave = _any(computed, [end for end, _ in self.exits], row)
        found = Columns(
            open=tape.open[row],
            high=tape.high[row],
            low=tape.low[row],
            close=close,
            entry=entry,
            leave=np.zeros(close.shape) if leave is None else leave,
            cancel=NOTHING if (cancel := _any(computed, self.cancels, row)) is None else cancel,
            size=NOTHING if self.size is None else computed[self.size][row],
            **{name: _column(step, computed, row, name=name) for name, step in self.guards},
            **self._prices(computed, close, entry, row),
        )
        if self.add is None:
            return found
        sides = [
            replace(found, entry=side, **self._prices(computed, close, side, row))
            for side in (np.ones(close.shape), -np.ones(close.shape))
        ]
        told = {field.name: getattr(found, field.name) for field in fields(found)}
        return AddingColumns(**told | {"add": computed[self.add][row]}, long=sides[0], short=sides[1])

    def _prices(self, computed: Computed, close: Vector, entry: Vector, row: int) -> dict[str, Vector]:
        """Return the prices entries wait for, by the column they fill."""
        pricing, step = self.rules.pricing, self.step
        if pricing.is_market:
            return {}
        direction = np.sign(entry)
        wired = {port: computed[step.inputs[port][0]][row] for port in _PRICE_PORTS if step.inputs.get(port)}
        offset = float(_decimal(step.params, "offset"))
        if "distance" in wired:
            away = offset * wired["distance"]
        else:
            away = np.full(close.shape, offset) if step.params["unit"] == "amount" else close * (offset / 100.0)
        if not pricing.has_trigger:
            return {"limit": wired["limit"] if "limit" in wired else close - direction * away}
        trigger = wired["stop"] if "stop" in wired else close + direction * away
        if not pricing.has_limit:
            return {"trigger": trigger}
        through = float(_decimal(step.params, "through")) / 100.0
        limit = wired["limit"] if "limit" in wired else trigger + direction * (trigger * through)
        return {"trigger": trigger, "limit": limit}

    def exit_tag(self, computed: Computed, index: int, row: int = 0) -> str:
        """Return the label of the first exit rule that fires at a close."""
        return next((tag for end, tag in self.exits if computed[end][row, index] > 0), "")


def _any(computed: Computed, ends: Sequence[End], row: int) -> Vector | None:
    """Return a column that is above zero where one of several is; None without any."""
    fired = [computed[end][row] for end in ends]
    if len(fired) < MANY:
        return fired[0] if fired else None
    joined: Vector = np.fmax.reduce(fired)
    return joined


def on_tick(programs: Sequence[OrderProgram], tick: Decimal | None) -> tuple[OrderProgram, ...]:
    """Return programs whose orders have prices of whole ticks."""
    return tuple(replace(program, rules=replace(program.rules, tick=tick)) for program in programs)


def order_programs(plan: Plan) -> tuple[OrderProgram, ...]:
    """Return the programs of all Order nodes, in the order in which they are asked."""
    steps = {step.node: step for step in plan.steps}
    is_daily = MINUTES[plan.timeframe] >= MINUTES["1d"]
    return tuple(_program(step, steps, is_daily=is_daily) for step in plan.steps if step.type == "Order")


def _program(order: Step, steps: dict[str, Step], *, is_daily: bool) -> OrderProgram:
    size_step = steps[order.inputs["size"][0][0]]
    make = _SIZINGS.get(size_step.type)
    if make is None:
        message = (
            f"node {size_step.node} of type {size_step.type} sizes nothing: the plan was not built by compile_plan"
        )
        raise AlphintraError("NODE_VALUE", message, kind=Kind.BUG)
    leaving = [steps[node] for node, _ in order.inputs["exit"]]
    guards = {name: step for step in leaving for name in _GUARDS.get(step.type, ())}
    closes = [step for step in steps.values() if step.type == "Close"]
    bounds = {name: _bound(guards.get(name), name=name) for name in ("stop", "target", "trail")}
    bars_max = next((int(step.params["bars"]) for step in leaving if step.type == "TimeStop"), None)
    signal = size_step.inputs["signal"][0]
    pricing = _pricing(order.params, is_daily=is_daily)
    rules = AccountRules(
        pricing=pricing,
        sizing=make(size_step.params),
        lot=_decimal(size_step.params, "lot") if "lot" in size_step.params else Decimal(1),
        stop=bounds["stop"],
        target=bounds["target"],
        trail=bounds["trail"],
        bars_max=bars_max,
        entries_max=int(order.params["entries"]),
    )
    tag = _tag(signal[0], steps)
    add = next(iter(order.inputs.get("add", ())), None)
    cancels = tuple(
        step.inputs["when"][0]
        for step in steps.values()
        if step.type == "CancelTagged" and str(step.params["tag"]) == tag and not pricing.is_market
    )
    return OrderProgram(
        step=order,
        tag=tag,
        rules=rules,
        signal=signal,
        exits=tuple((s.inputs["when"][0], str(s.params["tag"])) for s in (*leaving, *closes) if s.type in _LEAVING),
        size_node=size_step.node,
        size=next((size_step.inputs[port][0] for port in _SIZE_PORTS if port in size_step.inputs), None),
        guards=tuple((name, step) for name, step in sorted(guards.items()) if _has_column(bounds[name])),
        cancels=cancels,
        add=add,
        is_compiled=not cancels and add is None and _is_compiled(pricing, is_daily=is_daily),
    )


def _pricing(params: Params, *, is_daily: bool) -> Pricing:
    """Return how entries are priced; an order of the day waits for one bar where a bar is a day."""
    kind, time_in_force = OrderType(str(params["type"])), TimeInForce(str(params["tif"]))
    bars = int(params["bars"]) or None
    if is_daily and kind is not OrderType.MARKET and time_in_force is TimeInForce.DAY:
        bars = 1
    return Pricing(kind, time_in_force, bars)


def _is_compiled(pricing: Pricing, *, is_daily: bool) -> bool:
    """Tell whether the kernel knows it: not what fires and then waits, nor what ends with a session."""
    ends_with_bars = is_daily or pricing.time_in_force is TimeInForce.GTC
    return pricing.is_market or (pricing.kind is not OrderType.STOP_LIMIT and ends_with_bars)


def _column(step: Step, computed: Computed, row: int, *, name: str) -> Vector:
    """Return the price of a stop or target, or how far from the entry's fill it or a trailing stop lies."""
    price = step.inputs.get("price")
    if price:
        stated: Vector = computed[price[0]][row]
        return stated
    distance: Vector = computed[step.inputs["distance"][0]][row]
    multiple = float(_decimal(step.params, "multiple"))
    if step.type == "Bracket" and name == "target":
        multiple *= float(_decimal(step.params, "reward"))
    return distance if multiple == 1.0 else multiple * distance


def _bound(step: Step | None, *, name: str) -> Bound | None:
    """Return where an exit of an entry lies; a Bracket's target so many times as far as its stop."""
    if step is None:
        return None
    reward = _decimal(step.params, "reward") if step.type == "Bracket" and name == "target" else None
    if step.inputs.get("price"):
        return Bound(LevelKind.PRICE) if reward is None else Bound(LevelKind.REWARD, reward)
    if _is_wired(step):
        return Bound(LevelKind.DISTANCE)
    return Bound(LevelKind.PERCENT, _decimal(step.params, "percent") * (reward or 1))


def _has_column(bound: Bound | None) -> bool:
    return bound is not None and bound.has_column


def _is_wired(step: Step) -> bool:
    """Tell whether the distance of an exit is wired; without it, it is a percentage."""
    return bool(step.inputs.get("distance"))


def _tag(node: str, steps: dict[str, Step]) -> str:
    """Return the label of the nearest rule a signal comes from."""
    step = steps[node]
    while "tag" not in step.params:
        step = steps[next(ends[0][0] for ends in step.inputs.values() if ends)]
    return str(step.params["tag"])


def _decimal(params: Params, name: str) -> Decimal:
    return Decimal(str(params[name]))


def _kelly(params: Params) -> Sizing:
    win, payoff = _decimal(params, "win_rate") / _HUNDRED, _decimal(params, "payoff")
    share = (win - (1 - win) / payoff) * _decimal(params, "fraction")
    return Sizing(Size.PERCENT_EQUITY, round(min(share, _HUNDRED), 9))


_LEAVING: Final = frozenset({"ExitWhen", "Close"})
_GUARDS: Final = {
    "StopLoss": ("stop",),
    "TakeProfit": ("target",),
    "TrailingStop": ("trail",),
    "Bracket": ("stop", "target"),
}
_PRICE_PORTS: Final = ("limit", "stop", "distance")
_SIZE_PORTS: Final = ("distance", "volatility")
_SIZINGS: Final[dict[str, Callable[[Params], Sizing]]] = {
    "PercentEquity": lambda params: Sizing(Size.PERCENT_EQUITY, _decimal(params, "percent")),
    "FixedQty": lambda params: Sizing(Size.FIXED_QTY, _decimal(params, "quantity")),
    "FixedNotional": lambda params: Sizing(Size.FIXED_NOTIONAL, _decimal(params, "amount")),
    "RiskPerTrade": lambda params: Sizing(Size.RISK, _decimal(params, "percent"), _decimal(params, "most")),
    "VolTarget": lambda params: Sizing(Size.VOLATILITY, _decimal(params, "percent"), _decimal(params, "most")),
    "EqualWeight": lambda params: Sizing(Size.PERCENT_EQUITY, round(_HUNDRED / _decimal(params, "parts"), 9)),
    "Kelly": _kelly,
}
