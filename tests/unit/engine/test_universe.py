"""Several symbols, one cash: a symbol without a bar does nothing, exits come first, and nothing depends on the mode."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alphintra.engine.account.weights import Rebalances, WeightRules, hold_reference
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.costs import Costs
from alphintra.engine.executor import Executor
from alphintra.engine.graph import Graph, Plan, compile_plan
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.tape import tape_across
from alphintra.engine.graph.values import StateView
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.sessions import calendar_of
from alphintra.engine.templates.portfolios import pairs
from alphintra.engine.universe import UniverseExecutor, union_of
from alphintra.engine.universe_backtest import UniverseResult, run_universe
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from unit.engine.builders import bar, flat_bars, graph, node, threshold_graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.bars import Bar

NAMES = ("AAA", "BBB", "CCC", "DDD")


def rotation(count: int = 2, band: str = "0") -> Graph:
    """Hold the strongest symbols in equal parts, brought there on the first close of each week."""
    return graph(
        [
            node("bars", "Bars"),
            node("roc", "ROC", period=5),
            node("top", "TopN", count=count),
            node("weights", "EqualWeights"),
            node("clock", "Clock"),
            node("hold", "RebalanceTo", type="market", tif="day", band=band),
        ],
        [
            ("bars.close", "roc.in"),
            ("roc.out", "top.in"),
            ("top.out", "weights.chosen"),
            ("weights.weights", "hold.weights"),
            ("clock.week", "hold.when"),
        ],
    )


def market(seed: int, count: int, symbols: Sequence[str] = NAMES, gaps: float = 0.0) -> dict[str, list[Bar]]:
    """Return random daily bars of several symbols; a share of them is missing."""
    random = np.random.default_rng(seed)
    found: dict[str, list[Bar]] = {}
    for symbol in symbols:
        price, own = 100.0, []
        for index in range(count):
            opened = round(price * math.exp(random.normal(0, 0.01)), 2)
            price = round(opened * math.exp(random.normal(0, 0.02)), 2)
            high, low = max(opened, price) + 0.5, min(opened, price) - 0.5
            if random.random() >= gaps:
                own.append(bar(index, f"{opened} {high:.2f} {low:.2f} {price}"))
        found[symbol] = own
    return found


def settings(fees: FeeModel | None = None, slippage_bps: int = 0) -> BacktestSettings:
    return BacktestSettings(fees=fees or FeeModel(), slippage_bps=Decimal(slippage_bps))


def freely(plan: Plan, bars: Mapping[str, Sequence[Bar]], terms: BacktestSettings | None = None) -> UniverseResult:
    """Run without the controls of risk, which see a purchase before the sale that pays for it."""
    return run_universe(plan, bars, settings=terms or settings(), is_controlled=False)


def fills_of(result: UniverseResult) -> list[tuple[str, Side, Decimal, Decimal]]:
    return [(each.symbol, each.fill.side, each.fill.qty, each.fill.price) for each in result.fills]


@pytest.mark.parametrize(("gaps", "band"), [(0.0, "0"), (0.2, "0"), (0.2, "5")])
def test_a_rotation_gives_what_the_account_of_weights_gives(gaps: float, band: str) -> None:
    bars = market(3, 120, gaps=gaps)
    fees = FeeModel(commission_bps=Decimal(3))
    result = freely(compile_plan(rotation(band=band)), bars, settings(fees, 2))
    closes = union_of(bars)
    rows = [[close.bars.get(symbol) for close in closes] for symbol in NAMES]
    tape = tape_across([close.ts for close in closes], rows, [calendar_of(symbol) for symbol in NAMES])
    columns = Evaluation(compile_plan(rotation(band=band)), symbols=NAMES).advance(tape)
    seen = np.cumsum(~np.isnan(tape.close), axis=1)
    is_told = (columns["clock", "week"] > 0) & (seen > compile_plan(rotation()).warm_up_bars)
    weights = np.where(is_told, columns["weights", "weights"], np.nan)
    asked = np.flatnonzero(~np.isnan(weights).all(axis=0))
    told = Rebalances(asked, np.ascontiguousarray(weights[:, asked]))
    rules = WeightRules(costs=Costs(fees, Decimal(2)), band=Decimal(band))
    equity, fills = hold_reference(rules, (tape.open, tape.close), told)
    assert fills_of(result) == [(NAMES[fill.symbol], fill.side, fill.qty, fill.price) for fill in fills]
    assert [point.equity for point in result.equity] == equity
    assert len(fills) > 15


def test_a_universe_of_one_gives_what_a_backtest_of_it_gives() -> None:
    plan, bars = compile_plan(threshold_graph(entry_above=101, exit_below=99)), market(5, 150, ("AAA",))
    one = run_backtest(plan, "AAA", bars=bars["AAA"], settings=settings())
    many = run_universe(plan, bars, settings=settings())
    assert [each.fill for each in many.fills] == list(one.fills)
    ends = [(record.order, record.status, record.code) for record in one.orders]
    assert [(each.order, each.status, each.code) for each in many.orders] == ends
    assert [point.equity for point in many.equity] == [point.equity for point in one.equity]
    assert [each.trade for each in many.trades] == list(one.trades)
    assert len(one.trades) > 3


def test_symbols_that_do_not_compete_for_cash_trade_as_if_alone() -> None:
    plan, bars = compile_plan(threshold_graph(entry_above=101, exit_below=99)), market(6, 100, gaps=0.2)
    together = run_universe(plan, bars, settings=settings())
    for symbol, own in bars.items():
        alone = run_backtest(plan, symbol, bars=own, settings=settings())
        found = [each.fill for each in together.fills if each.symbol == symbol]
        assert [(fill.ts, fill.side, fill.qty, fill.price) for fill in found] == [
            (fill.ts, fill.side, fill.qty, fill.price) for fill in alone.fills
        ]


def test_a_symbol_without_a_bar_neither_decides_nor_fills() -> None:
    plan = compile_plan(threshold_graph(entry_above=10, exit_below=5))
    bars = {"AAA": flat_bars([9, 11, 11, 11, 11]), "BBB": flat_bars([9, 11, 11, 20, 11])}
    del bars["BBB"][2]
    result = run_universe(plan, bars, settings=settings())
    assert [set(close.decisions) for close in result.decisions] == [{"AAA", "BBB"}] * 2 + [{"AAA"}] + [
        {"AAA", "BBB"}
    ] * 2
    assert [(each.symbol, each.fill.ts.day) for each in result.fills] == [("AAA", 3), ("BBB", 4)]
    assert result.equity[2].equity == result.equity[1].equity


def test_a_position_without_a_bar_is_worth_its_last_close() -> None:
    plan = compile_plan(threshold_graph(entry_above=10, exit_below=5))
    bars = {"AAA": flat_bars([11, 11, 12, 30, 13]), "BBB": flat_bars([1, 1, 1, 1, 1])}
    del bars["AAA"][3]
    result = run_universe(plan, bars, settings=settings())
    assert [point.equity - 100_000 for point in result.equity] == [0, 0, 10, 10, 20]


def test_exits_come_before_entries_and_pay_for_them() -> None:
    sized = threshold_graph(entry_above=10, exit_below=10, size=node("size", "PercentEquity", percent="90"))
    bars = {"AAA": flat_bars([9, 9, 11, 11, 11]), "BBB": flat_bars([11, 11, 9, 9, 9])}
    result = freely(compile_plan(sized), bars)
    assert [(each.symbol, each.fill.side) for each in result.fills] == [
        ("BBB", Side.BUY),
        ("BBB", Side.SELL),
        ("AAA", Side.BUY),
    ]
    assert not result.refusals


def test_what_the_shared_cash_does_not_pay_is_refused_in_the_order_of_the_symbols() -> None:
    sized = threshold_graph(entry_above=10, exit_below=5, size=node("size", "PercentEquity", percent="60"))
    bars = {symbol: flat_bars([11, 11, 11]) for symbol in ("BBB", "AAA")}
    result = freely(compile_plan(sized), bars)
    assert [each.symbol for each in result.fills][:1] == ["BBB"]
    assert result.refusals[0].symbol == "AAA"
    assert result.blocked["EXCEEDS_FREE_BALANCE"] >= 1


def views(symbols: Sequence[str]) -> dict[str, StateView]:
    flat = StateView(Decimal(0), Decimal(0), Decimal(100_000), Decimal(100_000))
    return dict.fromkeys(symbols, flat)


def test_close_by_close_and_restored_gives_what_prepared_gives() -> None:
    plan, closes = compile_plan(rotation()), union_of(market(8, 60, gaps=0.2))
    prepared, along = UniverseExecutor(plan, NAMES), UniverseExecutor(plan, NAMES)
    prepared.prepare(closes)
    whole = [prepared.on_close(close, views(NAMES)) for close in closes]
    assert [along.on_close(close, views(NAMES)) for close in closes[:30]] == whole[:30]
    again = UniverseExecutor(plan, NAMES)
    again.restore(along.snapshot())
    assert [again.on_close(close, views(NAMES)) for close in closes[30:]] == whole[30:]
    assert any(decision.asks for decision in whole[30:])


def test_noise_in_the_future_changes_no_decision_before_it() -> None:
    plan, bars, noise = compile_plan(rotation()), market(9, 80, gaps=0.1), market(10, 80, gaps=0.1)
    cut = 50
    known = union_of(bars)
    at = known[cut].ts
    mixed = {
        symbol: [each for each in own if each.ts < at] + [each for each in noise[symbol] if each.ts >= at]
        for symbol, own in bars.items()
    }
    found = run_universe(plan, mixed, settings=settings())
    expected = run_universe(plan, bars, settings=settings())
    assert found.decisions[:cut] == expected.decisions[:cut]
    assert found.equity[:cut] == expected.equity[:cut]


def regime() -> Graph:
    """Enter while one symbol, picked for all, is above a level."""
    return graph(
        [
            node("bars", "Bars"),
            node("pick", "Pick", symbol="BBB"),
            node("level", "Const", value=100.0),
            node("above", "Compare", op="gt"),
            node("entry", "Entry", hold=True),
            node("size", "FixedQty", quantity=1),
            node("order", "Order", type="market", tif="day"),
        ],
        [
            ("bars.close", "pick.in"),
            ("pick.out", "above.a"),
            ("level.out", "above.b"),
            ("above.out", "entry.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
        ],
    )


def test_a_picked_symbol_speaks_for_all() -> None:
    bars = {"AAA": flat_bars([1, 1, 1, 1]), "BBB": flat_bars([99, 101, 99, 99])}
    result = run_universe(compile_plan(regime()), bars, settings=settings())
    assert [(each.symbol, each.order.created_ts.day) for each in result.orders] == [("AAA", 2), ("BBB", 2)]


@pytest.mark.parametrize(
    ("drawn", "symbols", "reason"),
    [
        (rotation(), ("AAA",), "at least two"),
        (regime(), ("AAA", "CCC"), "BBB is picked"),
        (regime(), (), "1 to 1000"),
        (regime(), ("BBB", "BBB"), "different"),
        (pairs("AAA", "BBB"), ("AAA", "BBB", "CCC"), "of the pair AAA and BBB: give exactly these"),
    ],
)
def test_a_universe_the_graph_cannot_run_over_is_refused(drawn: Graph, symbols: Sequence[str], reason: str) -> None:
    with pytest.raises(AlphintraError, match=reason) as raised:
        UniverseExecutor(compile_plan(drawn), symbols)
    assert raised.value.code == "GRAPH_UNIVERSE"


@pytest.mark.parametrize("drawn", [rotation(), regime()])
def test_a_strategy_of_several_symbols_does_not_run_on_one(drawn: Graph) -> None:
    with pytest.raises(AlphintraError, match="several symbols") as raised:
        Executor(compile_plan(drawn))
    assert raised.value.code == "GRAPH_UNIVERSE"


def test_too_short_a_history_of_every_symbol_is_refused() -> None:
    bars: Mapping[str, Sequence[Bar]] = market(1, 5)
    with pytest.raises(AlphintraError, match="roc") as raised:
        run_universe(compile_plan(rotation()), bars, settings=settings())
    assert raised.value.code == "WARM_UP_SHORT"
