"""Bars that were not: with noise on their prices, or the same candles in another order. Float64, seeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alphintra.engine.bars import Bar, bar_from_floats

__all__ = ["Alteration", "Altered", "altered_across", "altered_bars", "shared_bars"]

_APART: Final = 1_000_003  # between the seeds of two symbols: no two draws of a run have the same


class Alteration(StrEnum):
    """What is done to bars."""

    NOISE = "noise"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """How bars are changed; ``share`` is that of the usual move by which noise moves prices."""

    kind: Alteration
    seed: int
    share: float = 0.0


def altered_bars(bars: Sequence[Bar], terms: Altered) -> tuple[Bar, ...]:
    """Return the bars changed, at the same times. Raises BAR_INVALID where a price falls to nothing."""
    import numpy as np  # noqa: PLC0415 - a service's start must not wait for it

    from alphintra.engine.overfit.resampling import Candles, noisy_candles, resample_candles  # noqa: PLC0415 - as above

    columns = [
        np.array([bar.field_as_float(name) for bar in bars]) for name in ("open", "high", "low", "close", "volume")
    ]
    rng, candles = np.random.default_rng(terms.seed), Candles(*columns)
    if terms.kind is Alteration.NOISE:
        found = noisy_candles(candles, rng=rng, share=terms.share)
    else:
        found = resample_candles(candles, rng=rng)
    rows = zip(found.open, found.high, found.low, found.close, found.volume, strict=True)
    return tuple(bar_from_floats(bar.ts, [float(value) for value in row]) for bar, row in zip(bars, rows, strict=True))


def altered_across(bars: Mapping[str, Sequence[Bar]], terms: Altered) -> dict[str, tuple[Bar, ...]]:
    """Return the bars of several symbols changed: noise is each symbol's own, another order is the same for all.

    So what symbols did together on a day they do together still; closes at which one of them has no bar are left out
    of another order.
    """
    if terms.kind is Alteration.NOISE:
        return {
            symbol: altered_bars(own, replace(terms, seed=terms.seed + _APART * place))
            for place, (symbol, own) in enumerate(bars.items())
        }
    return {symbol: altered_bars(own, terms) for symbol, own in shared_bars(bars).items()}


def shared_bars(bars: Mapping[str, Sequence[Bar]]) -> dict[str, tuple[Bar, ...]]:
    """Return of each symbol the bars at closes at which all of them have one."""
    shared = set.intersection(*({bar.ts for bar in own} for own in bars.values()))
    return {symbol: tuple(bar for bar in own if bar.ts in shared) for symbol, own in bars.items()}
