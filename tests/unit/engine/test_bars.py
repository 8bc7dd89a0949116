"""Bars refuse prices that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from alphintra.engine.bars import Bar, bar_from_floats, require_ordered
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import day, flat_bars

GOOD = {"open": "10", "high": "12", "low": "9", "close": "11", "volume": "0"}


def build(**changes: str) -> Bar:
    prices = {name: Decimal(text) for name, text in (GOOD | changes).items()}
    return Bar(ts=day(0), **prices)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"high": "10.5"}, "BAR_INVALID", "/high"),
        ({"high": "9.5", "close": "9.2"}, "BAR_INVALID", "/high"),
        ({"low": "10.5"}, "BAR_INVALID", "/low"),
        ({"low": "0"}, "BAR_INVALID", "/low"),
        ({"low": "-1"}, "BAR_INVALID", "/low"),
        ({"volume": "-1"}, "BAR_INVALID", "/volume"),
        ({"high": "Infinity"}, "BAR_INVALID", "/high"),
        ({"close": "NaN"}, "PRICE_MISSING", "/close"),
        ({"volume": "sNaN"}, "PRICE_MISSING", "/volume"),
    ],
)
def test_contradicting_prices_are_refused_naming_the_field(changes: dict[str, str], code: str, pointer: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        build(**changes)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_equal_prices_and_no_volume_are_a_bar() -> None:
    assert build(open="9", high="9", low="9", close="9").field_as_float("close") == 9.0


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(AlphintraError, match="TIME_NO_ZONE"):
        Bar(datetime(2024, 1, 1), *[Decimal(1)] * 5)  # noqa: DTZ001 - the naive time is the point


def test_floats_are_rounded_once_to_a_millionth() -> None:
    built = bar_from_floats(datetime(2024, 1, 1, tzinfo=UTC), [0.1 + 0.2, 1.0, 0.1, 0.30000049, 5.0])
    assert (built.open, built.close, built.volume) == (Decimal("0.300000"), Decimal("0.300000"), Decimal(5))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([1.0, 1.0, None, 1.0, 1.0], "PRICE_MISSING"),
        ([float("nan"), 1.0, 1.0, 1.0, 1.0], "PRICE_MISSING"),
        ([1.0, float("inf"), 1.0, 1.0, 1.0], "BAR_INVALID"),
        ([1.0, 1.0, 1.0, 1.0], "BAR_INVALID"),
    ],
)
def test_floats_that_are_no_prices_are_refused(values: list[float | None], code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        bar_from_floats(day(0), values)
    assert caught.value.code == code


def test_the_first_bar_out_of_order_is_named() -> None:
    bars = flat_bars([1, 2, 3])
    require_ordered(bars)
    with pytest.raises(AlphintraError) as caught:
        require_ordered([bars[0], bars[2], bars[2]])
    assert (caught.value.code, caught.value.pointer) == ("TIME_ORDER", "/2/ts")
