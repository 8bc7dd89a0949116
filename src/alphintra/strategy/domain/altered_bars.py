"""Bars that were not: with noise on their prices, or the same candles in another order. Float64, seeded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from alphintra.engine.bars import Bar, bar_from_floats

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Alteration", "Altered", "altered_bars"]


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
