"""The compiled account equals the reference in exact decimals: same orders, fills, outcomes and equity."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alphintra.engine.account.columns import Columns, prices_of, seconds_of
from alphintra.engine.account.reference import run_reference
from alphintra.engine.account.rules import AccountRules, Bound, Pricing, Size, Sizing
from alphintra.engine.account.run import Simulation, account_of, simulate
from alphintra.engine.bars import Bar
from alphintra.engine.costs import Costs
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.protection import LevelKind
from alphintra.kernel.vocabulary import Intrabar, OrderType, TimeInForce
from unit.engine.builders import day

D = Decimal


def columns_of(bars: list[Bar], **columns: list[float]) -> Columns:
    """Build columns over bars; entry and leave are all zero unless given."""
    opens, highs, lows, closes = prices_of(bars)
    given = {"entry": [0.0] * len(bars), "leave": [0.0] * len(bars)} | columns
    arrays = {name: np.array(values, dtype=np.float64) for name, values in given.items()}
    return Columns(open=opens, high=highs, low=lows, close=closes, seconds=seconds_of(bars), **arrays)


def amounts(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places)


@st.composite
def markets(draw: st.DrawFn) -> tuple[list[Bar], Columns]:
    """Draw bars of wild shapes at prices with up to six decimals, and columns that are sometimes unknown."""
    count = draw(st.integers(3, 24))
    places = draw(st.sampled_from([0, 2, 6]))
    bars = []
    for index in range(count):
        prices = sorted(draw(amounts("8", "13", places)) for _ in range(4))
        opened, closed = draw(st.permutations(prices[1:3]))
        volume = D(1000)
        bars.append(Bar(day(index + (index > count // 2)), opened, prices[3], prices[0], closed, volume))
    floats = st.one_of(st.just(float("nan")), st.floats(0.01, 4), st.sampled_from([0.0, -1.0, 0.5, 1.0]))
    levels = st.one_of(st.just(float("nan")), st.floats(6, 15), st.integers(8, 13).map(float))
    signals = st.sampled_from([0.0, 0.0, 1.0, 1.0, -1.0, float("nan")])
    column = {
        "entry": draw(st.lists(signals, min_size=count, max_size=count)),
        "leave": draw(st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, float("nan")]), min_size=count, max_size=count)),
    }
    for name in ("size", "trail", "chandelier"):
        column[name] = draw(st.lists(floats, min_size=count, max_size=count))
    for name in ("stop", "target", "limit", "trigger"):
        column[name] = draw(st.lists(draw(st.sampled_from([floats, levels])), min_size=count, max_size=count))
    return bars, columns_of(bars, **column)


bounds = st.one_of(
    st.none(),
    st.builds(Bound, st.sampled_from([LevelKind.PRICE, LevelKind.DISTANCE])),
    st.builds(Bound, st.just(LevelKind.PERCENT), amounts("0.5", "40", 3)),
)
trails = bounds.filter(lambda bound: bound is None or bound.kind is not LevelKind.PRICE)
costs = st.builds(
    Costs,
    st.builds(FeeModel, amounts("0", "50", 3), amounts("0", "0.2", 4), amounts("0", "2", 2)),
    st.one_of(st.just(D(0)), amounts("0", "300", 3)),
    st.one_of(st.just(D(0)), amounts("0", "5000", 2)),
)
sizings = st.one_of(
    st.builds(Sizing, st.just(Size.FIXED_QTY), amounts("0.5", "40", 3)),
    st.builds(Sizing, st.just(Size.FIXED_NOTIONAL), amounts("1", "2000", 2)),
    st.builds(Sizing, st.just(Size.PERCENT_EQUITY), amounts("1", "120", 2)),
    st.builds(Sizing, st.just(Size.RISK), amounts("0.1", "5", 2), st.one_of(st.none(), amounts("10", "200", 1))),
    st.builds(Sizing, st.just(Size.VOLATILITY), amounts("0.05", "2", 2), st.one_of(st.none(), amounts("10", "200", 1))),
)
pricings = st.one_of(
    st.just(Pricing()),
    st.builds(
        Pricing,
        st.sampled_from([OrderType.LIMIT, OrderType.STOP]),
        st.just(TimeInForce.GTC),
        st.one_of(st.none(), st.integers(1, 4)),
    ),
)
rewards = st.builds(Bound, st.just(LevelKind.REWARD), amounts("0.1", "4", 4))
exits = st.one_of(
    st.tuples(bounds, bounds),
    st.tuples(st.just(Bound(LevelKind.PRICE)), rewards),
)
rules_without_exits = st.builds(
    AccountRules,
    initial_cash=amounts("10", "100000", 6),
    sizing=sizings,
    lot=st.sampled_from([D(1), D(10), D("0.001"), D("0.000000001"), D("0.25")]),
    pricing=pricings,
    costs=costs,
    trail=trails,
    has_chandelier=st.booleans(),
    break_even=st.one_of(st.none(), amounts("0.5", "10", 2)),
    bars_max=st.one_of(st.none(), st.integers(1, 6)),
    warm_up=st.integers(0, 3),
)
all_rules = st.builds(lambda rules, pair: replace(rules, stop=pair[0], target=pair[1]), rules_without_exits, exits)


@settings(max_examples=100, deadline=None)
@given(markets(), all_rules)
def test_the_kernel_equals_the_reference_to_the_last_digit(
    market: tuple[list[Bar], Columns], rules: AccountRules
) -> None:
    check_equal(market, rules)


def check_equal(market: tuple[list[Bar], Columns], rules: AccountRules) -> None:
    """Run both over a market."""
    bars, columns = market
    run = simulate(rules, columns, is_compiled=False)
    assume(run.is_exact)
    expected, found = run_reference(rules, columns, bars), account_of(run, rules, columns, bars)
    assert found.fills == expected.fills
    assert found.orders == expected.orders
    assert [(each.client_order_id, each.ts, each.code) for each in found.refusals] == [
        (each.client_order_id, each.ts, each.code) for each in expected.refusals
    ]
    assert found.outcomes == expected.outcomes
    assert found.equity == expected.equity
    assert found.qty == expected.qty


def market_of(count: int, seed: int) -> Columns:
    """Make bars of a random walk in cents, with signals and levels."""
    draw = np.random.default_rng(seed)
    closes = np.round(100 * np.exp(np.cumsum(draw.normal(0, 0.01, count))), 2)
    opens = np.round(closes * np.exp(draw.normal(0, 0.004, count)), 2)
    return Columns(
        open=opens,
        high=np.round(np.maximum(opens, closes) * 1.004, 2),
        low=np.round(np.minimum(opens, closes) * 0.996, 2),
        close=closes,
        entry=draw.choice([0.0, 0.0, 1.0, -1.0, np.nan], count),
        leave=draw.choice([0.0] * 9 + [1.0], count),
        trail=draw.uniform(0.5, 3, count),
        seconds=np.full(count, 86_400.0),
    )


BUSY = AccountRules(
    sizing=Sizing(Size.PERCENT_EQUITY, D("33.3")),
    lot=D("0.001"),
    costs=Costs(FeeModel(D("7.3"), D("0.011"), D("0.5")), D("2.5"), D(180)),
    stop=Bound(LevelKind.PERCENT, D("1.7")),
    target=Bound(LevelKind.PERCENT, D("2.9")),
    trail=Bound(LevelKind.DISTANCE),
    break_even=D("1.1"),
    bars_max=9,
)
PLAIN = AccountRules(lot=D("0.001"))
WATCHED = AccountRules(trail=Bound(LevelKind.PERCENT, D("1.5")), target=Bound(LevelKind.PERCENT, D("2.2")))
UNROUNDED: dict[str, Any] = {"is_rounded": False, "sizing": Sizing(Size.ALL_CASH), "costs": Costs(FeeModel(D(3)))}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 7, 17, 5_000])
@pytest.mark.parametrize(
    "rules",
    [
        BUSY,
        PLAIN,
        WATCHED,
        replace(WATCHED, bars_max=5),
        replace(PLAIN, **UNROUNDED),
        replace(WATCHED, **UNROUNDED, trail=Bound(LevelKind.DISTANCE)),
    ],
)
def test_compiled_and_interpreted_agree_to_the_last_bit(rules: AccountRules, count: int) -> None:
    columns = market_of(count, 7)
    one, other = (simulate(rules, columns, is_compiled=is_compiled) for is_compiled in (False, True))
    assert one.is_exact is rules.is_rounded is other.is_exact
    assert len(one.fills) >= count // 20 - 1
    for name in ("units", "outcomes", "orders", "fills"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("rules", [BUSY, PLAIN, WATCHED])
@pytest.mark.parametrize("cut", [1, 7, 90])
def test_portions_of_bars_come_to_what_all_at_once_come_to(rules: AccountRules, cut: int) -> None:
    columns = market_of(200, 3)
    whole, simulation = simulate(rules, columns, is_compiled=False), Simulation(rules, 200, is_compiled=False)
    told = 0
    for start in range(0, 200, cut):
        taken = {each.name: getattr(columns, each.name)[start : start + cut] for each in fields(columns)}
        told += len(simulation.advance(Columns(**taken)))
    found = simulation.run()
    assert told == len(found.orders) > 20
    for name in ("units", "outcomes", "orders", "fills"):
        assert np.array_equal(getattr(whole, name), getattr(found, name)), name


def test_what_floats_cannot_hold_is_left_to_the_reference() -> None:
    """Beyond nine billion, and between millionths, whole numbers of millionths end."""
    rules = AccountRules(initial_cash=D(100_000_000_000), sizing=Sizing(Size.PERCENT_EQUITY, D(90)))
    columns = market_of(50, 1)
    assert not simulate(rules, columns).is_exact
    fine = AccountRules(costs=Costs(FeeModel(minimum=D("0.0000005"))))
    assert not simulate(fine, columns).is_exact
    columns.close[20] += 1e-7
    assert not simulate(AccountRules(), columns).is_exact


@settings(max_examples=150, deadline=None)
@given(markets(), all_rules, pricings.filter(lambda pricing: not pricing.is_market))
def test_entries_that_wait_for_a_price_equal_the_reference(
    market: tuple[list[Bar], Columns], rules: AccountRules, pricing: Pricing
) -> None:
    """Fills at the open and within the bar, exits in what is left of it, expiry, and what takes an entry off."""
    check_equal(market, replace(rules, pricing=pricing))


@settings(max_examples=150, deadline=None)
@given(markets(), all_rules, st.sampled_from([Intrabar.VECTORBT, Intrabar.BACKTRADER]))
def test_the_orders_of_other_engines_equal_the_reference(
    market: tuple[list[Bar], Columns], rules: AccountRules, intrabar: Intrabar
) -> None:
    """The same exits, gaps and cancellations in both, entries that wait for a price included."""
    check_equal(market, replace(rules, intrabar=intrabar))
