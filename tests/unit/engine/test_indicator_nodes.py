"""What holds for every node that computes: no trace of what is over, no dependence on where the data began."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.params import ParamKind
from alphintra.engine.graph.plan import Plan
from alphintra.engine.graph.tape import FIELDS, Tape
from alphintra.engine.kernels import (
    across,
    averages,
    candles,
    conditions,
    day,
    logic,
    memory,
    momentum,
    oscillators,
    pairs,
    pivots,
    timeframes,
    times,
    transforms,
    trend,
    volatility,
    volume,
    windows,
)
from alphintra.engine.kernels.kernel import Kernel
from unit.engine.every_node import NAMES, plan_around, random_tape

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODULES = (
    across,
    averages,
    candles,
    conditions,
    day,
    logic,
    memory,
    momentum,
    oscillators,
    pairs,
    pivots,
    timeframes,
    times,
    transforms,
    trend,
    volatility,
    volume,
    windows,
)
OF_THE_BOOK = {"Account", "Position"}  # what they show is no matter of the market
COMPUTING = sorted(
    name
    for name, definition in CATALOGUE.items()
    if definition.kernel is not None and definition.type not in OF_THE_BOOK
)
WITHIN_A_SESSION = {"session", "week", "month"}
# Running totals: only their changes mean something. Memories: they keep what happened, however long ago that was.
ENDLESS = {"OBV", "AD", "NVI", "PVI", "VPT"}
REMEMBERING = {
    "BarsSince",
    "Cooldown",
    "Counter",
    "ExtremeSince",
    "FillForward",
    "Hysteresis",
    "LastValueWhen",
    "Latch",
    "Overbought",
    "Oversold",
    "Pivots",
    "SupportResistance",
    "Toggle",
}


def kernels_of(module: ModuleType) -> Iterator[Kernel]:
    for value in vars(module).values():
        if isinstance(value, Kernel) and inspect.getmodule(value.interpreted) is module:
            yield value


def own_columns(plan: Plan, tape: Tape) -> list[NDArray[np.float64]]:
    """Return what the node in question computes for the first symbol, a row for each output."""
    columns = Evaluation(plan, symbols=NAMES[: tape.symbols]).advance(tape, is_compiled=False)
    return [column[0] for (node, _), column in columns.items() if node == "node"]


def is_of_the_past_alone(name: tuple[str, int]) -> bool:
    """Tell whether a node knows nothing but its last bars, so that its warm-up can be told in bars."""
    definition = CATALOGUE[name]
    return not (name[0] in ENDLESS | REMEMBERING or WITHIN_A_SESSION & set(definition.clock))


def scaled(tape: Tape, bars: slice, factor: float) -> Tape:
    """Return a tape with some prices multiplied."""

    def times(panel: NDArray[np.float64]) -> NDArray[np.float64]:
        changed = panel.copy()
        changed[:, bars] *= factor
        return changed

    return replace(tape, open=times(tape.open), high=times(tape.high), low=times(tape.low), close=times(tape.close))


def test_every_kernel_belongs_to_a_node() -> None:
    """Else no test of all nodes would try it."""
    used = {definition.kernel for definition in CATALOGUE.values()}
    used |= {other.kernel for entry in CATALOGUE.values() if (other := entry.instead({"timeframe": "1w"}))}
    unused = [kernel.name for module in MODULES for kernel in kernels_of(module) if kernel not in used]
    assert unused == []


@pytest.mark.parametrize("name", [name for name in COMPUTING if is_of_the_past_alone(name)], ids=str)
def test_after_its_warm_up_a_node_does_not_depend_on_where_the_data_began(name: tuple[str, int]) -> None:
    plan = plan_around(name)
    warm_up = CATALOGUE[name].warm_up(plan.steps[-1].params) + 1  # a bar for the conditions it may be fed with
    before, after = 60, 40
    tape = random_tape(21, before + warm_up + after)
    opened, high, low, close, traded = (np.ascontiguousarray(tape.field(name)[:, before:]) for name in FIELDS)
    late = Tape(tape.ts[before:], opened, high, low, close, traded, tape.calendars)
    for early_column, late_column in zip(own_columns(plan, tape), own_columns(plan, late), strict=True):
        expected, found = early_column[before + warm_up :], late_column[warm_up:]
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        known = early_column[np.isfinite(early_column)]
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4 * max(np.ptp(known), 1e-6))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in COMPUTING
        if is_of_the_past_alone(name)
        and CATALOGUE[name].warm_up(plan_around(name).steps[-1].params)
        == CATALOGUE[name].lookback(plan_around(name).steps[-1].params)
    ],
    ids=str,
)
@pytest.mark.parametrize("factor", [1e10, 1e-6])
def test_a_spike_that_has_left_the_window_leaves_no_trace(name: tuple[str, int], factor: float) -> None:
    plan = plan_around(name)
    window = CATALOGUE[name].lookback(plan.steps[-1].params) + 1
    tape = random_tape(22, 60 + 2 * window)
    spiked = scaled(tape, slice(20, 21), factor)
    for expected, found in zip(own_columns(plan, tape), own_columns(plan, spiked), strict=True):
        np.testing.assert_allclose(found[21 + window :], expected[21 + window :], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", COMPUTING, ids=str)
def test_prices_that_stand_still_give_no_infinity(name: tuple[str, int]) -> None:
    """Where ranges, moves and deviations are nothing, a node divides by none of them; numpy's warnings are errors."""
    tape = random_tape(23, 90)
    still = np.full_like(tape.close, 100.1)
    for traded in (tape.volume, np.zeros_like(tape.volume)):
        flat = Tape(tape.ts, still, still, still, still, traded, tape.calendars)
        columns = own_columns(plan_around(name), flat)
        assert columns
        assert not any(np.isinf(column).any() for column in columns)


@pytest.mark.parametrize("name", COMPUTING, ids=str)
def test_a_node_keeps_within_its_state_whatever_its_parameters(name: tuple[str, int]) -> None:
    """A kernel that reached beyond would raise an IndexError here and overwrite memory once compiled."""
    for step in (2, 5):
        windows_ = {
            spec.name: int(spec.minimum or 0) + step * (index + 1)
            for index, spec in enumerate(CATALOGUE[name].params)
            if spec.kind is ParamKind.INT
        }
        plan = plan_around(name, **windows_)
        kept = Evaluation(plan, symbols=NAMES[:1])
        kept.advance(random_tape(24, 130), is_compiled=False)
        assert kept.snapshot().keys() <= {each.node for each in plan.steps}
