"""Whether entries were better than chance: the same number of trades, held as long, begun at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Entered", "Significance", "entry_significance"]

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


@dataclass(frozen=True, slots=True, eq=False)
class Entered:
    """The trades of one symbol and the prices they met.

    Args:
        prices: price at which a fill at each bar is made: its open.
        entries: bar of each entry.
        held: bars from entry to exit, taken as 1 at least.
        side: 1 for long, -1 for short.
        first: earliest bar at which the strategy could enter, after its warm-up.
    """

    prices: NDArray[np.float64]
    entries: NDArray[np.int64]
    held: NDArray[np.int64]
    side: NDArray[np.int64]
    first: int = 0

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bars from entry to exit, 1 at least."""
        return np.maximum(self.held, 1)

    @property
    def room(self) -> int:
        """Bars that trades can be drawn from."""
        return self.prices.size - 1 - self.first

    def observed(self) -> NDArray[np.float64]:
        """Return what each trade returned, from open to open."""
        ends = np.minimum(self.entries + self.lengths, self.prices.size - 1)
        found: NDArray[np.float64] = self.side * (self.prices[ends] / self.prices[self.entries] - 1)
        return found

    def drawn(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return what trades of the same lengths and sides return that are begun at random."""
        lengths = self.lengths
        order = rng.permutation(lengths.size)
        spans, spare = lengths[order], self.room - int(lengths.sum())
        if spare >= 0:
            pauses = np.sort(rng.integers(0, spare + 1, lengths.size))
            begun = self.first + pauses + np.concatenate(([0], np.cumsum(spans)[:-1]))
        else:
            begun = self.first + rng.integers(0, self.room - spans + 1)
        found: NDArray[np.float64] = self.side[order] * (self.prices[begun + spans] / self.prices[begun] - 1)
        return found


def entry_significance(traded: Sequence[Entered], *, rng: np.random.Generator, draws: int = DRAWS) -> Significance:
    """Return the probability that random entries would have done as well.

    A draw keeps every trade's length and side, and puts the trades of a symbol in a random order with random pauses
    between them, so that they overlap as little as the real ones. Trades that overlap, as of several positions at once,
    are each begun anywhere instead.

    Args:
        traded: the trades, by symbol.
        rng: source of chance.
        draws: 1 or more.

    Raises:
        AlphintraError: ENTRIES_RANGE without a trade or for trades beyond the prices.
    """
    for each in traded:
        if each.entries.size == 0 or each.lengths.max() > each.room or each.entries.min() < each.first:
            message = f"{each.entries.size} trades do not lie within the {each.room} bars they could be drawn from"
            raise AlphintraError("ENTRIES_RANGE", message)
    if not traded or draws < 1:
        raise AlphintraError("ENTRIES_RANGE", f"{draws} draws of {len(traded)} symbols' trades cannot be made")
    observed = float(np.concatenate([each.observed() for each in traded]).mean())
    found = np.zeros(draws)
    for draw in range(draws):
        found[draw] = np.concatenate([each.drawn(rng) for each in traded]).mean()
    # A draw that repeats the observed trades differs from them by rounding alone and counts as equal.
    as_good = int((found >= observed - 1e-12 * max(1.0, abs(observed))).sum())
    return Significance(observed, float(found.mean()), (1 + as_good) / (1 + draws), draws)
