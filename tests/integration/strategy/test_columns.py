"""Arrays for compiled code hold what float makes of each exact amount, whatever splits lie between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import SIMPLE_RATIOS, Split
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.gateways.catalogue import Catalogue, write_split
from alphintra.strategy.gateways.columns import Factors, write_dividend
from unit.engine.builders import day, flat_bars

DATASET = DatasetId(UUID(int=7))
FIELDS = ("open", "high", "low", "close", "volume")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path)


prices = st.decimals("0.000000001", "99999999", places=9)
volumes = st.decimals("0", "999999999999.999999999", places=9)


@st.composite
def series(draw: st.DrawFn) -> tuple[list[Bar], list[Split]]:
    bars: list[Bar] = []
    for index in range(draw(st.integers(1, 12))):
        low, inner, outer, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
        bars.append(Bar(day(index), inner, high, low, outer, draw(volumes)))
    places = draw(st.lists(st.integers(0, len(bars) - 1), max_size=3, unique=True))
    hours = st.sampled_from([0, 0, -12, 12])  # most splits are told at a bar, some between two
    times = [bars[place].ts + timedelta(hours=draw(hours)) for place in sorted(places)]
    return bars, [Split(0, ts, draw(st.sampled_from(SIMPLE_RATIOS))) for ts in times]


@given(found=series())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_value_is_the_float_of_the_exact_adjusted_amount(
    catalogue: Catalogue, found: tuple[list[Bar], list[Split]]
) -> None:
    bars, splits = found
    texts = [write_split(split) for split in splits]
    try:
        catalogue.write(DATASET, bars)
        wanted = catalogue.read(DATASET, texts)
    except AlphintraError:
        return  # a reverse split takes the price beyond the largest amount
    columns = catalogue.columns(DATASET, Factors(splits=texts))
    for name in FIELDS:
        array = getattr(columns, name)
        assert array.dtype == np.float64
        assert array.flags["C_CONTIGUOUS"]
        assert array.tolist() == [float(getattr(bar, name)) for bar in wanted]
    assert columns.ts.dtype == np.int64
    assert columns.ts.tolist() == [(bar.ts - EPOCH) // timedelta(microseconds=1) * 1000 for bar in bars]


def test_halves_of_a_millionth_go_to_the_even_neighbour(catalogue: Catalogue) -> None:
    bars = [*flat_bars(["0.000003", "0.000005", "0.000007"]), *flat_bars(["1"] * 4)[3:]]
    split = write_split(Split(3, bars[3].ts, Fraction(2)))
    catalogue.write(DATASET, bars)
    assert catalogue.columns(DATASET, Factors(splits=[split])).close.tolist() == [0.000002, 0.000002, 0.000004, 1.0]


def test_a_volume_beyond_two_to_the_53rd_billionths_is_rounded_once(catalogue: Catalogue) -> None:
    (bar,) = flat_bars(["1"])
    amounts = [Decimal(f"{9_007_199 + index}.254740{index:03d}") for index in range(1, 200)]
    bars = [Bar(day(i), bar.open, bar.high, bar.low, bar.close, amount) for i, amount in enumerate(amounts)]
    catalogue.write(DATASET, bars)
    assert catalogue.columns(DATASET, Factors()).volume.tolist() == [float(amount) for amount in amounts]
    assert [float(int(amount * 10**9)) / 1e9 for amount in amounts] != [float(amount) for amount in amounts]


def test_a_range_takes_its_start_and_leaves_its_end_and_later_splits_still_count(catalogue: Catalogue) -> None:
    bars = flat_bars(["100"] * 4 + ["50"] * 4)
    split = write_split(Split(4, bars[4].ts, Fraction(2)))
    catalogue.write(DATASET, bars)
    found = catalogue.columns(DATASET, Factors(splits=[split]), start=bars[1].ts, end=bars[3].ts)
    assert found.close.tolist() == [50.0, 50.0]
    assert len(catalogue.columns(DATASET, Factors(), start=day(100))) == 0
    with pytest.raises(AlphintraError, match="RANGE"):
        catalogue.columns(DATASET, Factors(), start=bars[3].ts, end=bars[3].ts)


def test_a_dividend_divides_the_prices_before_its_day_and_no_volume(catalogue: Catalogue) -> None:
    bars = flat_bars(["100"] * 4)
    dividend = write_dividend(bars[2].ts, Decimal("2.5"), 1.025)
    catalogue.write(DATASET, bars)
    found = catalogue.columns(DATASET, Factors(dividends=[dividend]))
    assert found.close.tolist() == [100 / 1.025, 100 / 1.025, 100.0, 100.0]
    assert found.volume.tolist() == [1000.0] * 4


def test_bars_whose_file_is_gone_are_named(catalogue: Catalogue) -> None:
    with pytest.raises(AlphintraError, match="DATASET_MISSING"):
        catalogue.columns(DATASET, Factors())
