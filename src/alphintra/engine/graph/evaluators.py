"""How each node computes: one incremental evaluator per node type, the same in every mode."""

from __future__ import annotations

import operator
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from alphintra.engine.graph.values import Signal, Sized
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import round_quantity_down

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alphintra.engine.graph.values import Inputs, Moment, Outputs, Value
    from alphintra.engine.indicators import State, StateValue

__all__ = [
    "COMPARISONS",
    "Cross",
    "Indicator",
    "IndicatorNode",
    "Shift",
    "Stateless",
    "both_hold",
    "compare",
    "fixed_quantity",
    "not_held",
    "number",
    "percent_of_equity",
    "truth",
]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_HUNDRED = Decimal(100)


class Indicator(Protocol):
    """An incremental series transform such as Sma."""

    def update(self, x: float) -> float | None:
        """Take the next value; return the result, or None while warming."""
        ...

    def snapshot(self) -> State:
        """Return the state as JSON-able data."""
        ...

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Continue from a snapshot."""
        ...


class Stateless:
    """A node whose output depends on this close alone."""

    def __init__(self, compute: Callable[[Inputs, Moment], Outputs]) -> None:
        self._compute = compute

    def evaluate(self, inputs: Inputs, moment: Moment) -> Outputs:
        """Apply the function."""
        return self._compute(inputs, moment)

    def snapshot(self) -> State:
        """Return nothing: there is no state."""
        return {}

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Accept only the empty state. Raises SNAPSHOT_INVALID."""
        if state:
            raise _bad_state("a node without memory")


class IndicatorNode:
    """An indicator over the ``in`` port, result on ``out``."""

    def __init__(self, indicator: Indicator) -> None:
        self._indicator = indicator

    def evaluate(self, inputs: Inputs, moment: Moment) -> Outputs:
        """Feed the input once it exists."""
        del moment
        x = number(inputs, "in")
        return {"out": None if x is None else self._indicator.update(x)}

    def snapshot(self) -> State:
        """Return the indicator's state."""
        return self._indicator.snapshot()

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Restore the indicator's state."""
        self._indicator.restore(state)


class Cross:
    """Event on the bar where ``a`` passes ``b``: strictly beyond now, not beyond on the bar before.

    A tie counts as "not beyond", as in TradingView's ``ta.crossover``: leaving a tie upwards is a cross above.
    """

    def __init__(self, is_beyond: Callable[[float, float], bool]) -> None:
        self._is_beyond = is_beyond
        self._was_beyond: bool | None = None

    def evaluate(self, inputs: Inputs, moment: Moment) -> Outputs:
        """Compare this close with the one before."""
        del moment
        a, b = number(inputs, "a"), number(inputs, "b")
        if a is None or b is None:
            return {"out": None}
        is_beyond = self._is_beyond(a, b)
        was_beyond, self._was_beyond = self._was_beyond, is_beyond
        return {"out": None if was_beyond is None else is_beyond and not was_beyond}

    def snapshot(self) -> State:
        """Return whether a was beyond b at the last close, None before the first."""
        return {"was_beyond": self._was_beyond}

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Continue from a snapshot. Raises SNAPSHOT_INVALID."""
        was_beyond = state.get("was_beyond")
        if was_beyond is not None and not isinstance(was_beyond, bool):
            raise _bad_state("was_beyond")
        self._was_beyond = was_beyond


class Shift:
    """The value ``bars`` closes ago; never a later one."""

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._past: deque[float] = deque(maxlen=bars + 1)

    def evaluate(self, inputs: Inputs, moment: Moment) -> Outputs:
        """Push the current value, return the oldest kept."""
        del moment
        x = number(inputs, "in")
        if x is None:
            return {"out": None}
        self._past.append(x)
        return {"out": self._past[0] if len(self._past) > self._bars else None}

    def snapshot(self) -> State:
        """Return the kept values, oldest first."""
        return {"past": list(self._past)}

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Continue from a snapshot. Raises SNAPSHOT_INVALID."""
        past = state.get("past")
        if not isinstance(past, list) or len(past) > self._bars + 1:
            raise _bad_state("past")
        self._past = deque((float(value) for value in past), maxlen=self._bars + 1)


def number(inputs: Inputs, port: str) -> float | None:
    """Return the single Num at a port. Raises NODE_VALUE if the wire carries something else."""
    value = inputs[port][0]
    if value is None or (isinstance(value, float) and not isinstance(value, bool)):
        return value
    raise _wrong_value(port, value)


def truth(inputs: Inputs, port: str) -> bool | None:
    """Return the single Bool at a port. Raises NODE_VALUE if the wire carries something else."""
    value = inputs[port][0]
    if value is None or isinstance(value, bool):
        return value
    raise _wrong_value(port, value)


def compare(op: str) -> Callable[[Inputs, Moment], Outputs]:
    """Return the comparison of ``a`` with ``b``."""
    holds = COMPARISONS[op]

    def compute(inputs: Inputs, moment: Moment) -> Outputs:
        del moment
        a, b = number(inputs, "a"), number(inputs, "b")
        return {"out": None if a is None or b is None else holds(a, b)}

    return compute


def both_hold(inputs: Inputs, moment: Moment) -> Outputs:
    """Return a and b; None while either is unknown."""
    del moment
    a, b = truth(inputs, "a"), truth(inputs, "b")
    return {"out": None if a is None or b is None else a and b}


def not_held(inputs: Inputs, moment: Moment) -> Outputs:
    """Return not in; None while it is unknown."""
    del moment
    held = truth(inputs, "in")
    return {"out": None if held is None else not held}


def percent_of_equity(percent: Decimal) -> Callable[[Inputs, Moment], Outputs]:
    """Return the sizing rule: whole shares worth ``percent`` of equity at this close, rounded down."""

    def compute(inputs: Inputs, moment: Moment) -> Outputs:
        signal = _signal(inputs)
        budget = max(moment.view.equity, Decimal(0)) * percent / _HUNDRED
        quantity = round_quantity_down(budget / moment.bar.close)
        return {"size": None if signal is None else Sized(signal, quantity)}

    return compute


def fixed_quantity(quantity: Decimal) -> Callable[[Inputs, Moment], Outputs]:
    """Return the sizing rule: always ``quantity`` shares."""

    def compute(inputs: Inputs, moment: Moment) -> Outputs:
        del moment
        signal = _signal(inputs)
        return {"size": None if signal is None else Sized(signal, quantity)}

    return compute


def _signal(inputs: Inputs) -> Signal | None:
    value = inputs["signal"][0]
    if value is None or isinstance(value, Signal):
        return value
    raise _wrong_value("signal", value)


def _wrong_value(port: str, value: Value) -> AlphintraError:
    message = f"port {port} received a {type(value).__name__}: the plan was not built by compile_plan"
    return AlphintraError("NODE_VALUE", message, kind=Kind.BUG)


def _bad_state(name: str) -> AlphintraError:
    message = f"the saved state of {name} does not belong to this node: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)
