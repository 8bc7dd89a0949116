"""Prices in whole ticks never become worse for their order."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.ticks import limit_on_tick, stop_on_tick, trail_on_tick
from alphintra.kernel.vocabulary import Side

D = Decimal
prices = st.decimals("0.000001", "10000", places=6)
ticks = st.sampled_from([D("0.01"), D("0.05"), D("0.000001"), D("0.25"), D(1), D("0.3")])


@given(prices, ticks)
def test_limits_wait_for_no_worse_a_price_and_stops_for_no_nearer_a_one(price: Decimal, tick: Decimal) -> None:
    buy, sell = limit_on_tick(price, tick, Side.BUY), limit_on_tick(price, tick, Side.SELL)
    assert buy <= max(price, tick)
    assert sell >= price
    rises, falls = stop_on_tick(price, tick, Side.BUY), stop_on_tick(price, tick, Side.SELL)
    assert rises >= price
    assert falls <= max(price, tick)
    assert trail_on_tick(price, tick) >= price
    for found in (buy, sell, rises, falls, trail_on_tick(price, tick)):
        assert found > 0
        assert found % tick == 0
        assert abs(found - price) < tick
