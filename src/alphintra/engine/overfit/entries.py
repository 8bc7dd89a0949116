"""Whether entries were better than chance: the same number of trades, held as long, begun at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Significance", "entry_significance"]

DRAWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Significance:
    """How the mean return of the trades compares with that of random entries.

    Attributes:
        observed: mean return of a trade, before costs, from open to open.
        random_mean: mean of the same over the draws.
        p_value: (1 + draws at least as good) / (1 + draws).
        draws: how many.
    """

    observed: float
    random_mean: float
    p_value: float
    draws: int


def entry_significance(  # noqa: PLR0913 - the trades, the prices they met and how they are drawn
    prices: NDArray[np.float64],
    entries: NDArray[np.int64],
    held: NDArray[np.int64],
    side: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    first: int = 0,
) -> Significance:
    """Return the probability that random entries would have done as well.

    A draw keeps every trade's length and side, and puts the trades in a random order with random pauses between them,
    so that they overlap as little as the real ones. Trades that overlap, as of several positions at once, are each
    begun anywhere instead.

    Args:
        prices: price at which a fill at each bar is made: its open.
        entries: bar of each entry.
        held: bars from entry to exit, taken as 1 at least.
        side: 1 for long, -1 for short.
        rng: source of chance.
        draws: 1 or more.
        first: earliest bar at which the strategy could enter, after its warm-up.

    Raises:
        AlphintraError: ENTRIES_RANGE without a trade or for trades beyond the prices.
    """
    lengths = np.maximum(held, 1)
    room = prices.size - 1 - first
    if entries.size == 0 or draws < 1 or lengths.max() > room or entries.min() < first:
        message = f"{entries.size} trades do not lie within the {room} bars they could be drawn from"
        raise AlphintraError("ENTRIES_RANGE", message)
    ends = np.minimum(entries + lengths, prices.size - 1)
    observed = float((side * (prices[ends] / prices[entries] - 1)).mean())
    found = np.zeros(draws)
    spare = room - int(lengths.sum())
    for draw in range(draws):
        order = rng.permutation(lengths.size)
        spans = lengths[order]
        if spare >= 0:
            pauses = np.sort(rng.integers(0, spare + 1, lengths.size))
            begun = first + pauses + np.concatenate(([0], np.cumsum(spans)[:-1]))
        else:
            begun = first + rng.integers(0, room - spans + 1)
        found[draw] = (side[order] * (prices[begun + spans] / prices[begun] - 1)).mean()
    # A draw that repeats the observed trades differs from them by rounding alone and counts as equal.
    as_good = int((found >= observed - 1e-12 * max(1.0, abs(observed))).sum())
    return Significance(observed, float(found.mean()), (1 + as_good) / (1 + draws), draws)
