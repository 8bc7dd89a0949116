"""Across symbols at one close, as [symbols, closes]: only symbols whose value is known take part, others get unknown.

None of them remembers anything; ties go to the symbol that stands first.
"""

from __future__ import annotations

import math

import numpy as np

from alphintra.engine.kernels.kernel import Vector, kernel, part

__all__ = [
    "cap_weights",
    "demean",
    "equal_weight",
    "inverse_weight",
    "mean_across",
    "percentile_across",
    "rank",
    "score_across",
    "top",
]

NAN = math.nan


@part
def _place_of(values: Vector, row: int, i: int, side: float) -> float:
    """Return how many symbols come before one, the greatest first for side 1, the least for -1."""
    own, before = values[row, i], 0.0
    for other in range(values.shape[0]):
        value = values[other, i]
        if math.isfinite(value) and (side * (value - own) > 0.0 or (value == own and other < row)):
            before += 1.0
    return before


@part
def _mean_of(values: Vector, i: int) -> tuple[float, float]:
    """Return the mean of the known values at a close and their number."""
    count, mean = 0.0, 0.0
    for row in range(values.shape[0]):
        if math.isfinite(values[row, i]):
            count += 1.0
            mean += (values[row, i] - mean) / count
    return mean, count


@kernel
def rank(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Place among the symbols, 1 for the greatest (p[0] = 0) or for the least (1)."""
    side = 1.0 if p[0] == 0.0 else -1.0
    for i in range(x.shape[1]):
        for row in range(x.shape[0]):
            out[row, i] = _place_of(x, row, i, side) + 1.0 if math.isfinite(x[row, i]) else NAN


@kernel
def top(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Whether a symbol is among the p[0] greatest (p[1] = 0) or least (1)."""
    side = 1.0 if p[1] == 0.0 else -1.0
    most, values = min(int(p[0]), x.shape[0]), np.empty(x.shape[0])
    for i in range(x.shape[1]):
        for row in range(x.shape[0]):
            is_known = math.isfinite(x[row, i])
            values[row] = side * x[row, i] if is_known else NAN
            out[row, i] = 0.0 if is_known else NAN
        for _ in range(most):
            chosen, greatest = -1, 0.0
            for row in range(values.size):
                if values[row] > greatest or (chosen < 0 and not math.isnan(values[row])):
                    chosen, greatest = row, values[row]
            if chosen >= 0:
                out[chosen, i] = 1.0
                values[chosen] = NAN


@kernel
def percentile_across(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Share of the other symbols that lie below, in percent, ties half; 50 for a symbol alone."""
    for i in range(x.shape[1]):
        for row in range(x.shape[0]):
            out[row, i] = NAN
            if not math.isfinite(x[row, i]):
                continue
            below, others = 0.0, 0.0
            for other in range(x.shape[0]):
                if other != row and math.isfinite(x[other, i]):
                    others += 1.0
                    below += 1.0 if x[other, i] < x[row, i] else (0.5 if x[other, i] == x[row, i] else 0.0)
            out[row, i] = 100.0 * below / others if others > 0.0 else 50.0


@kernel
def mean_across(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Mean of the known values, at every symbol that has one."""
    for i in range(x.shape[1]):
        mean, _ = _mean_of(x, i)
        for row in range(x.shape[0]):
            out[row, i] = mean if math.isfinite(x[row, i]) else NAN


@kernel
def demean(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Distance from the mean of the known values."""
    for i in range(x.shape[1]):
        mean, _ = _mean_of(x, i)
        for row in range(x.shape[0]):
            out[row, i] = x[row, i] - mean if math.isfinite(x[row, i]) else NAN


@kernel
def score_across(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Distance from the mean of the known values in their population deviations; 0 where all are equal."""
    for i in range(x.shape[1]):
        mean, count = _mean_of(x, i)
        squares = 0.0
        for row in range(x.shape[0]):
            away = x[row, i] - mean if math.isfinite(x[row, i]) else 0.0
            squares += away * away
        wide = math.sqrt(squares / count) if count > 0.0 else 0.0
        for row in range(x.shape[0]):
            if math.isfinite(x[row, i]):
                out[row, i] = (x[row, i] - mean) / wide if wide > 0.0 else 0.0
            else:
                out[row, i] = NAN


@kernel
def equal_weight(p: Vector, s: Vector, chosen: Vector, out: Vector) -> None:
    """p[0] shared evenly among the chosen symbols; 0 for the others, unknown where the choice is."""
    for i in range(chosen.shape[1]):
        count = 0.0
        for row in range(chosen.shape[0]):
            count += 1.0 if chosen[row, i] > 0.0 else 0.0
        for row in range(chosen.shape[0]):
            share = p[0] / count if chosen[row, i] > 0.0 and count > 0.0 else 0.0
            out[row, i] = NAN if math.isnan(chosen[row, i]) else share


@kernel
def inverse_weight(p: Vector, s: Vector, chosen: Vector, risk: Vector, out: Vector) -> None:
    """p[0] shared among the chosen symbols in inverse proportion to their risk; 0 for the others.

    A chosen symbol whose risk is not known and above zero is unknown and takes no share.
    """
    for i in range(chosen.shape[1]):
        total = 0.0
        for row in range(chosen.shape[0]):
            if chosen[row, i] > 0.0 and math.isfinite(risk[row, i]) and risk[row, i] > 0.0:
                total += 1.0 / risk[row, i]
        for row in range(chosen.shape[0]):
            if math.isnan(chosen[row, i]):
                out[row, i] = NAN
            elif chosen[row, i] <= 0.0:
                out[row, i] = 0.0
            elif math.isfinite(risk[row, i]) and risk[row, i] > 0.0:
                out[row, i] = p[0] / risk[row, i] / total
            else:
                out[row, i] = NAN


@kernel
def cap_weights(p: Vector, s: Vector, weights: Vector, out: Vector) -> None:
    """Weights cut to at most p[0] each way, then scaled down so that sizes add to at most p[1] and the sum to p[2].

    Nothing is scaled up: what is cut off stays in cash.
    """
    for i in range(weights.shape[1]):
        long, short = 0.0, 0.0
        for row in range(weights.shape[0]):
            value = weights[row, i]
            if not math.isfinite(value):
                out[row, i] = NAN
                continue
            out[row, i] = p[0] if value > p[0] else (-p[0] if value < -p[0] else value)
            long += out[row, i] if out[row, i] > 0.0 else 0.0
            short -= out[row, i] if out[row, i] < 0.0 else 0.0
        # The larger side is brought down first, so that the net fits; then both, so that the gross does.
        up = (short + p[2]) / long if long - short > p[2] else 1.0
        down = (long + p[2]) / short if short - long > p[2] else 1.0
        gross = long * up + short * down
        both = p[1] / gross if gross > p[1] else 1.0
        for row in range(weights.shape[0]):
            if math.isfinite(out[row, i]):
                out[row, i] *= (up if out[row, i] > 0.0 else down) * both
