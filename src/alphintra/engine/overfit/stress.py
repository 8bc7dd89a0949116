"""Stress: the runs that a strategy should survive, as variants of its backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Survival", "Variant", "judge_stress", "stress_plan"]

COST_FACTOR: Final = 2.0
NUDGE: Final = 0.1
START_SHIFTS: Final = (21, 63)  # a month and a quarter of sessions
NOISE: Final = 0.1
NOISE_DRAWS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One run that differs from the backtest in one thing.

    Attributes:
        name: what is different, in words.
        kind: costs, tick, delay, noise, parameter, start or symbol.
        cost_factor: by which fees and slippage are multiplied.
        extra_ticks: by which every fill is worse.
        entry_delay_bars: bars by which entries come later.
        noise: by which share of the usual move of a bar its prices are moved at random.
        seed: of the noise.
        parameters: values that replace the strategy's, by ``node.param``.
        start_shift_bars: bars left out at the beginning.
        without_symbol: symbol left out, empty for none.
    """

    name: str
    kind: str
    cost_factor: float = 1.0
    extra_ticks: int = 0
    entry_delay_bars: int = 0
    noise: float = 0.0
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    start_shift_bars: int = 0
    without_symbol: str = ""


@dataclass(frozen=True, slots=True)
class Survival:
    """How the variants ended: the share of them that still gained, and those that did not, worst first."""

    share: float
    failed: tuple[tuple[str, float | None], ...]
    count: int


def stress_plan(parameters: Mapping[str, float], symbols: Sequence[str]) -> tuple[Variant, ...]:
    """Return the variants to run.

    Costs twice as high, every fill a tick worse, entries a bar late, prices with noise of a tenth of their usual move,
    each number 10 % lower and higher (a whole number by 1 at least), the start shifted by a month and a quarter, and,
    of several symbols, each left out once.

    Args:
        parameters: present value of each number, by ``node.param``; a zero cannot be nudged by a share and stays.
        symbols: what the backtest traded.
    """
    plan = [
        Variant(name="costs twice as high", kind="costs", cost_factor=COST_FACTOR),
        Variant(name="every fill a tick worse", kind="tick", extra_ticks=1),
        Variant(name="entries a bar late", kind="delay", entry_delay_bars=1),
    ]
    plan += [
        Variant(name=f"prices with {NOISE:.0%} noise, draw {draw}", kind="noise", noise=NOISE, seed=draw)
        for draw in range(1, NOISE_DRAWS + 1)
    ]
    for name, value in sorted(parameters.items()):
        plan += [
            Variant(name=f"{name} {changed:g} instead of {value:g}", kind="parameter", parameters={name: changed})
            for changed in _nudged(value)
        ]
    plan += [Variant(name=f"started {bars} bars later", kind="start", start_shift_bars=bars) for bars in START_SHIFTS]
    if len(symbols) > 1:
        plan += [Variant(name=f"without {symbol}", kind="symbol", without_symbol=symbol) for symbol in symbols]
    return tuple(plan)


def judge_stress(outcomes: Mapping[str, float | None]) -> Survival:
    """Return which variants still gained; one without a return, or that could not run, has not.

    Args:
        outcomes: total return by the variant's name.
    """
    failed = [(name, value) for name, value in outcomes.items() if value is None or value <= 0]
    failed.sort(key=lambda item: (item[1] is not None, item[1] or 0.0, item[0]))
    count = len(outcomes)
    return Survival((count - len(failed)) / count if count else 0.0, tuple(failed), count)


def _nudged(value: float) -> tuple[float, ...]:
    if isinstance(value, bool) or not value:
        return ()
    if isinstance(value, int):
        move = max(1, round(abs(value) * NUDGE))
        return tuple(changed for changed in (value - move, value + move) if changed)
    return (value * (1 - NUDGE), value * (1 + NUDGE))
