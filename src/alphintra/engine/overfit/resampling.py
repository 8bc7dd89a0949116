"""Monte Carlo: the same days, trades or candles in other orders, and how far the result lies from the usual."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "CandleVerdict",
    "Candles",
    "Fan",
    "bootstrap_indices",
    "default_block",
    "judge_candles",
    "noisy_candles",
    "resample_candles",
    "shuffle_trades",
    "simulate_returns",
    "skip_trades",
    "without_best_days",
]

PERCENTILES: Final = (5.0, 25.0, 50.0, 75.0, 95.0)
PATHS: Final = 1000
POINTS: Final = 200
SUSPECT_PERCENTILE: Final = 95.0
_AT_ONCE: Final = 250
_PATHS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Where the paths went.

    Attributes:
        days: day of each point, from 0 for the start.
        bands: worth as a multiple of the start, a row for each of 5, 25, 50, 75 and 95 %, a column for each point.
        ruin: share of the paths that fell to the ruinous worth or below at any time.
        drawdown_5: fall below the running peak that 5 % of the paths exceed.
        drawdown_50: the same of half of the paths.
        loss: share of the paths that ended below the start.
        paths: how many.
    """

    days: NDArray[np.int64]
    bands: NDArray[np.float64]
    ruin: float
    drawdown_5: float
    drawdown_50: float
    loss: float
    paths: int


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Bars of one symbol as arrays of one length."""

    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CandleVerdict:
    """How a result compares with those over resampled candles.

    Attributes:
        threshold: the 95th percentile of the others.
        share_below: share of the others that are lower.
        is_suspect: whether the original is above that percentile: it then lives from the exact order of the past.
    """

    threshold: float
    share_below: float
    is_suspect: bool


def default_block(count: int) -> int:
    """Return the mean length of blocks, the cube root of the number of days (Politis and White 2004), 1 at least."""
    return max(1, round(math.cbrt(count)))


def bootstrap_indices(
    count: int, length: int, *, paths: int, rng: np.random.Generator, is_stationary: bool = True
) -> NDArray[np.int64]:
    """Return for each path which of the original rows stands at each place.

    Stationary: blocks of geometrically distributed length, wrapped around the end (Politis and Romano 1994). Moving:
    blocks of exactly that length that do not cross the end (Kuensch 1989).

    Raises BOOTSTRAP_RANGE for lengths that cannot be.
    """
    if not 1 <= length <= count:
        raise AlphintraError("BOOTSTRAP_RANGE", f"blocks of {length} cannot be cut from {count} rows")
    places = np.arange(count)
    if is_stationary:
        begins = rng.random((paths, count)) < 1 / length
        begins[:, 0] = True
        starts = rng.integers(0, count, (paths, count))
    else:
        begins = np.broadcast_to(places % length == 0, (paths, count))
        starts = rng.integers(0, count - length + 1, (paths, count))
    began = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    found: NDArray[np.int64] = (np.take_along_axis(starts, began, axis=1) + places - began) % count
    return found


def simulate_returns(
    returns: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    paths: int = PATHS,
    block: int | None = None,
    ruin_at: float = 0.5,
    is_stationary: bool = True,
) -> Fan:
    """Return the fan of a block bootstrap of daily returns.

    Args:
        returns: per day, above -1.
        rng: source of chance.
        paths: 1 to 100000.
        block: mean length of a block; the cube root of the days by default.
        ruin_at: worth as a fraction of the start that counts as ruin.
        is_stationary: stationary bootstrap, else moving blocks.

    Raises:
        AlphintraError: BOOTSTRAP_RANGE.
    """
    if returns.size == 0 or not 1 <= paths <= _PATHS_MAX or (returns <= -1).any():
        message = f"{returns.size} returns and {paths} paths cannot be resampled: give days above -100 % and 1 path"
        raise AlphintraError("BOOTSTRAP_RANGE", message)
    length = default_block(returns.size) if block is None else block
    points = np.unique(np.linspace(0, returns.size, min(POINTS, returns.size + 1)).astype(np.int64))
    logs, seen, lowest, falls = np.log1p(returns), [], [], []
    for start in range(0, paths, _AT_ONCE):
        some = min(_AT_ONCE, paths - start)
        rows = bootstrap_indices(returns.size, length, paths=some, rng=rng, is_stationary=is_stationary)
        course = np.zeros((some, returns.size + 1))
        np.cumsum(logs[rows], axis=1, out=course[:, 1:])
        seen.append(course[:, points])
        lowest.append(course.min(axis=1))
        falls.append((np.maximum.accumulate(course, axis=1) - course).max(axis=1))
    worth, deepest = np.exp(np.concatenate(seen)), -np.expm1(-np.concatenate(falls))
    return Fan(
        days=points,
        bands=np.percentile(worth, PERCENTILES, axis=0),
        ruin=float((np.exp(np.concatenate(lowest)) <= ruin_at).mean()),
        drawdown_5=float(np.percentile(deepest, 95)),
        drawdown_50=float(np.percentile(deepest, 50)),
        loss=float((worth[:, -1] < 1).mean()),
        paths=paths,
    )


def shuffle_trades(
    nets: NDArray[np.float64], initial: float, *, rng: np.random.Generator, paths: int = PATHS
) -> NDArray[np.float64]:
    """Return the maximum drawdown of each of so many orders of the same trades, in rising order.

    The order of trades cannot change what they bring together, only how deep the account falls on the way: nothing
    else is to be read from this. A fall beyond the whole account counts as 1. Raises BOOTSTRAP_RANGE.
    """
    if initial <= 0 or not 1 <= paths <= _PATHS_MAX:
        raise AlphintraError("BOOTSTRAP_RANGE", f"{paths} orders of trades on {initial} cannot be drawn")
    found = np.zeros(paths)
    for path in range(paths):
        worth = initial + np.concatenate(([0.0], np.cumsum(rng.permutation(nets))))
        found[path] = min(float((1 - worth / np.maximum.accumulate(worth)).max()), 1.0)
    return np.sort(found)


def skip_trades(
    nets: NDArray[np.float64], initial: float, *, rng: np.random.Generator, share: float = 0.1, paths: int = PATHS
) -> float:
    """Return the total return that 5 % of the draws stay below in which a share of the trades was not made.

    Each trade is left out with that probability; the others keep their sizes. Raises BOOTSTRAP_RANGE.
    """
    if initial <= 0 or nets.size == 0 or not 0 <= share < 1 or not 1 <= paths <= _PATHS_MAX:
        message = f"a share of {share} of {nets.size} trades cannot be left out in {paths} draws"
        raise AlphintraError("BOOTSTRAP_RANGE", message)
    found = np.zeros(paths)
    for path in range(paths):
        found[path] = nets[rng.random(nets.size) >= share].sum() / initial
    return float(np.percentile(found, PERCENTILES[0]))


def without_best_days(returns: NDArray[np.float64], count: int) -> float:
    """Return the total return had the account stood still on so many of its best days."""
    if count <= 0 or returns.size == 0:
        return float(np.prod(1 + returns)) - 1
    return float(np.prod(1 + np.sort(returns)[: max(returns.size - count, 0)])) - 1


def noisy_candles(candles: Candles, *, rng: np.random.Generator, share: float) -> Candles:
    """Return candles whose four prices are each moved at random, by a share of the usual move from close to close.

    Moves are normal in the logarithm. High and low stay the outermost of the four.
    """
    moves = np.diff(np.log(candles.close))
    spread = share * float(moves.std()) if moves.size else 0.0
    drawn = np.exp(rng.normal(0.0, spread, (4, candles.close.size)))
    prices = np.stack((candles.open, candles.high, candles.low, candles.close)) * drawn
    return Candles(prices[0], prices.max(axis=0), prices.min(axis=0), prices[3], candles.volume)


def resample_candles(candles: Candles, *, rng: np.random.Generator, block: int | None = None) -> Candles:
    """Return candles of the same shapes and moves in an order drawn by blocks.

    Each bar is kept as it stood against the close before it, gap and range included, the first
    against the first open, so that a rule meets the same kinds of bars but not the same history.
    """
    count = candles.close.size
    before = np.concatenate(([candles.open[0]], candles.close[:-1]))
    rows = bootstrap_indices(count, default_block(count) if block is None else block, paths=1, rng=rng)[0]
    moves = np.log(candles.close / before)[rows]
    base = candles.open[0] * np.exp(np.concatenate(([0.0], np.cumsum(moves)[:-1])))
    drawn = {name: base * (getattr(candles, name) / before)[rows] for name in ("open", "high", "low", "close")}
    return Candles(**drawn, volume=candles.volume[rows])


def judge_candles(original: float, others: Sequence[float]) -> CandleVerdict:
    """Compare a result with those of the same rule over resampled candles; above their 95th percentile is suspect.

    Raises BOOTSTRAP_RANGE where there are none or one is not a number.
    """
    found = np.asarray(others, dtype=np.float64)
    if found.size == 0 or not np.isfinite(found).all() or not math.isfinite(original):
        raise AlphintraError("BOOTSTRAP_RANGE", "give the results of at least one resampled run, each a finite number")
    threshold = float(np.percentile(found, SUSPECT_PERCENTILE))
    return CandleVerdict(threshold, float((found < original).mean()), original > threshold)
