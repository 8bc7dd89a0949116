"""Price series that kernels are tried on: seeded ones with prices in hundredths, and real ones."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from importlib import resources
from itertools import islice

import numpy as np
from numpy.typing import NDArray

__all__ = ["PRICES", "Columns", "random_bars", "real_bars"]

PRICES = ("open", "high", "low", "close", "volume")
Columns = dict[str, NDArray[np.float64]]


def random_bars(seed: int, bars: int) -> Columns:
    """Return bars of a random walk around 100; some are flat, some repeat the close before."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.01, bars) * (random.random(bars) > 0.1))), 2)
    opening = np.round(close * np.exp(random.normal(0, 0.005, bars)), 2)
    above, below = np.exp(np.abs(random.normal(0, 0.003, (2, bars))))
    top, bottom = np.maximum(close, opening), np.minimum(close, opening)
    high, low = np.maximum(np.round(top * above, 2), top), np.minimum(np.round(bottom / below, 2), bottom)
    volume = random.integers(100, 10_000, bars).astype(np.float64)
    return dict(zip(PRICES, (opening, high, low, close, volume), strict=True))


@cache
def real_bars() -> Columns:
    """Return the first 700 daily bars of the stock that comes first in the shipped sample, as traded."""
    sample = resources.files("alphintra.data") / "us-stocks-daily-2000-2013.csv.gz"
    with sample.open("rb") as packed, gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
        rows = list(islice(csv.DictReader(file), 700))
    assert len({row["Ticker"] for row in rows}) == 1
    return {name: np.array([float(row[name.title()]) for row in rows]) for name in PRICES}
