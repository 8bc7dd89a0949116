"""Incremental indicators in float64: one value in, one value out, state that survives a restart bit for bit."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STABLE_EPSILON", "Ema", "Sma", "State", "StateValue", "recursive_warm_up"]

StateValue: TypeAlias = "bool | int | float | list[float] | None"
State: TypeAlias = "dict[str, StateValue]"

STABLE_EPSILON = 1e-4  # weight the seed may still carry once a recursive indicator counts as ready


def recursive_warm_up(alpha: float) -> int:
    """Return ceil(ln eps / ln(1 - alpha)): updates until the seed's weight is below STABLE_EPSILON.

    ``alpha`` is the smoothing factor, in (0, 1]; about 4.6 n updates for an EMA over n.
    """
    if alpha >= 1:
        return 0
    return math.ceil(math.log(STABLE_EPSILON) / math.log(1 - alpha))


class Sma:
    """Simple moving average over ``period`` values.

    The window is summed exactly and rounded once (Shewchuk 1997, ``math.fsum``): the value depends on the window
    alone, never on when the series began, and equal averages compare equal.
    """

    def __init__(self, period: int) -> None:
        _require_period(period)
        self.period = period
        self._window: deque[float] = deque(maxlen=period)

    @property
    def lookback(self) -> int:
        """Earlier values needed before the first result."""
        return self.period - 1

    @property
    def warm_up(self) -> int:
        """Earlier values needed before results no longer depend on where the series began."""
        return self.lookback

    def update(self, x: float) -> float | None:
        """Take the next value; return the average, or None while the window is filling. Raises NODE_VALUE."""
        self._window.append(_require_number(x))
        if len(self._window) < self.period:
            return None
        return math.fsum(self._window) / self.period

    def snapshot(self) -> State:
        """Return the state as JSON-able data."""
        return {"window": list(self._window)}

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Continue from a snapshot of an average over the same period. Raises SNAPSHOT_INVALID."""
        self._window = deque(_state_window(state, self.period), maxlen=self.period)


class Ema:
    """Exponential moving average, alpha = 2 / (period + 1), seeded with the mean of the first ``period`` values.

    Source: TA-Lib ``TA_EMA`` in its default (classic) compatibility mode.
    """

    def __init__(self, period: int) -> None:
        _require_period(period)
        self.period = period
        self.alpha = 2.0 / (period + 1)
        self._seed: list[float] = []
        self._value: float | None = None

    @property
    def lookback(self) -> int:
        """Earlier values needed before the first result."""
        return self.period - 1

    @property
    def warm_up(self) -> int:
        """Earlier values needed until the seed carries less than STABLE_EPSILON of the weight."""
        return self.lookback + recursive_warm_up(self.alpha)

    def update(self, x: float) -> float | None:
        """Take the next value; return the average, or None while the seed is being collected. Raises NODE_VALUE."""
        _require_number(x)
        if self._value is not None:
            self._value = (x - self._value) * self.alpha + self._value
            return self._value
        self._seed.append(x)
        if len(self._seed) == self.period:
            self._value = math.fsum(self._seed) / self.period
            self._seed = []
        return self._value

    def snapshot(self) -> State:
        """Return the state as JSON-able data."""
        return {"window": list(self._seed), "value": self._value}

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Continue from a snapshot of an average over the same period. Raises SNAPSHOT_INVALID."""
        value = state.get("value")
        if value is not None and (isinstance(value, (bool, list)) or not math.isfinite(value)):
            raise _bad_state("value")
        self._seed = _state_window(state, self.period)
        self._value = None if value is None else float(value)


def _require_period(period: int) -> None:
    if period < 1:
        raise AlphintraError("FIELD_RANGE", f"period {period} is below 1", pointer="/period")


def _require_number(x: float) -> float:
    if not math.isfinite(x):
        raise AlphintraError("NODE_VALUE", f"{x} is not a finite number and would poison the average for good")
    return x


def _state_window(state: Mapping[str, StateValue], limit: int) -> list[float]:
    window = state.get("window")
    if not isinstance(window, list) or len(window) > limit:
        raise _bad_state("window")
    return [float(value) for value in window]


def _bad_state(name: str) -> AlphintraError:
    message = f"the saved {name} does not belong to this indicator: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT, pointer=f"/{name}")
