"""A purchase of a rebalance waits for the sales that pay for it, and only for them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.funding import REBALANCE, Ask, Funding
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Intent, Outcome
from alphintra.engine.metrics.across import contributions, curve_across, measure_across, trades_across
from alphintra.engine.metrics.results import measure
from alphintra.engine.pretrade.limits import default_limits
from alphintra.engine.templates import GALLERY
from alphintra.engine.universe import ORPHAN, UniverseExecutor, union_of
from alphintra.engine.universe_backtest import run_universe
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side, TimeInForce
from unit.engine.builders import graph, node, threshold_graph
from unit.engine.shipped import shipped_bars
from unit.engine.test_universe import NAMES, market, rotation

if TYPE_CHECKING:
    from alphintra.engine.graph import Graph
    from alphintra.engine.universe import Close

PRICES = dict.fromkeys("ABC", Decimal(100))


def asked(symbol: str, side: Side, qty: int, reason: str = REBALANCE) -> Ask:
    terms = (OrderType.MARKET, TimeInForce.DAY)
    intent = Intent(0, "hold", side, Decimal(qty), *terms, reason=reason, tag=reason)
    return Ask(symbol, intent, (0 if side is Side.SELL else 1, Decimal(-qty), "ABC".index(symbol)))


def book(cash: int, working: str = "", **held: int) -> dict[str, StateView]:
    return {
        symbol: StateView(
            Decimal(held.get(symbol, 0)),
            Decimal(100),
            Decimal(cash),
            Decimal(10_000),
            is_order_working=symbol in working,
        )
        for symbol in "ABC"
    }


def names(asks: tuple[Ask, ...]) -> list[tuple[str, str, int]]:
    return [(ask.symbol, ask.intent.side.value, ask.intent.index) for ask in asks]


def test_what_the_cash_does_not_cover_waits_until_the_sale_is_filled_and_keeps_its_quantity() -> None:
    funding = Funding()
    now, waits = funding.turn([asked("A", Side.SELL, 50), asked("B", Side.BUY, 40)], book(500, A=50), PRICES)
    assert (names(now), sorted(waits)) == ([("A", "sell", 0)], ["B"])
    now, waits = funding.turn([], book(500, working="A", A=50), PRICES)  # the sale has met no bar yet
    assert (names(now), sorted(waits)) == ([], [])
    now, waits = funding.turn([], book(5500), PRICES)
    assert (names(now), int(now[0].intent.qty), sorted(waits)) == ([("B", "buy", 0)], 40, [])
    assert funding.turn([], book(5500, working="B"), PRICES) == ((), frozenset())


def test_what_the_cash_covers_does_not_wait() -> None:
    now, waits = Funding().turn([asked("A", Side.SELL, 50), asked("B", Side.BUY, 40)], book(4200, A=50), PRICES)
    assert (names(now), sorted(waits)) == ([("A", "sell", 0), ("B", "buy", 1)], [])
    assert names(
        Funding().turn([asked("A", Side.SELL, 50), asked("B", Side.BUY, 40)], book(4199, A=50), PRICES)[0]
    ) == [("A", "sell", 0)]


def test_without_a_sale_under_way_nothing_waits_for_risk_says_why_it_is_refused() -> None:
    now, waits = Funding().turn([asked("B", Side.BUY, 40)], book(10), PRICES)
    assert (names(now), sorted(waits)) == ([("B", "buy", 0)], [])


def test_an_entry_is_of_its_moment_and_never_waits() -> None:
    now, _ = Funding().turn([asked("A", Side.SELL, 50), asked("B", Side.BUY, 40, "entry")], book(10, A=50), PRICES)
    assert names(now) == [("A", "sell", 0), ("B", "buy", 1)]


def test_what_is_asked_for_anew_takes_the_place_of_what_waits() -> None:
    funding = Funding()
    funding.turn([asked("A", Side.SELL, 50), asked("B", Side.BUY, 40), asked("C", Side.BUY, 9)], book(0, A=50), PRICES)
    now, _ = funding.turn([asked("B", Side.BUY, 20)], book(5000), PRICES)
    assert [(ask.symbol, int(ask.intent.qty)) for ask in now] == [("B", 20), ("C", 9)]


def test_a_symbol_without_a_bar_goes_on_waiting() -> None:
    funding = Funding()
    funding.turn([asked("A", Side.SELL, 50), asked("B", Side.BUY, 40)], book(0, A=50), PRICES)
    assert names(funding.turn([], book(5000), {"A": Decimal(100)})[0]) == []
    assert names(funding.turn([], book(5000), PRICES)[0]) == [("B", "buy", 0)]


def test_a_working_purchase_holds_its_cash() -> None:
    funding = Funding()
    funding.turn([asked("A", Side.BUY, 40)], book(10_000), PRICES)
    now, waits = funding.turn(
        [asked("C", Side.SELL, 10), asked("B", Side.BUY, 60)], book(10_000, working="A", C=10), PRICES
    )
    assert (names(now), sorted(waits)) == ([("C", "sell", 0)], ["B"])


def swapping(count: int = 1) -> Graph:
    """Hold nine tenths of the account in the strongest symbols, looked at every week."""
    drawn = rotation(count=count)
    nodes = [*drawn.nodes, node("capped", "CapWeights", most=str(0.9 / count), gross="0.9", net="0.9")]
    edges = [(edge.source, edge.target) for edge in drawn.edges if edge.target != "hold.weights"]
    edges += [("weights.weights", "capped.weights"), ("capped.weights", "hold.weights")]
    return graph(nodes, edges)


def test_a_rotation_under_the_limits_of_a_new_account_buys_a_bar_after_it_has_sold() -> None:
    bars = market(3, 120)
    result = run_universe(compile_plan(swapping()), bars, settings=BacktestSettings())
    sold = {each.fill.ts for each in result.fills if each.fill.side is Side.SELL}
    bought = {each.fill.ts for each in result.fills if each.fill.side is Side.BUY and each.fill.qty > 100}
    assert result.blocked["blocked_awaiting_sales"] >= 3
    assert sold
    assert not sold & bought
    waiting = [
        close
        for close in result.decisions
        if any(own.outcome is Outcome.BLOCKED_AWAITING_SALES for own in close.decisions.values())
    ]
    assert all(ask.intent.side is Side.SELL for close in waiting for ask in close.asks)


def test_what_waits_survives_a_restart() -> None:
    plan, closes = compile_plan(swapping()), union_of(market(3, 120))
    flat = StateView(Decimal(0), Decimal(0), Decimal(100_000), Decimal(100_000))
    views = dict.fromkeys(NAMES, flat)
    first = UniverseExecutor(plan, NAMES)
    found: list[Close] = []
    for close in closes:
        held = {symbol: replace(flat, qty=Decimal(900), cash=Decimal(10)) for symbol in NAMES} if not found else views
        if any(own.outcome is Outcome.BLOCKED_AWAITING_SALES for own in first.on_close(close, held).decisions.values()):
            found.append(close)
            break
    rest = closes[closes.index(found[0]) + 1 :]
    again = UniverseExecutor(plan, NAMES)
    again.restore(first.snapshot())
    expected = [first.on_close(close, views) for close in rest]
    assert [again.on_close(close, views) for close in rest] == expected
    assert expected[0].asks[0].intent.side is Side.BUY


def test_controls_of_the_whole_count_all_symbols() -> None:
    limits = replace(default_limits(), controls=LimitControls(gross_exposure_max=Decimal(60_000)))
    result = run_universe(compile_plan(swapping(2)), market(3, 60), settings=BacktestSettings(limits=limits))
    denied = [each for each in result.orders if each.status is OrderStatus.DENIED]
    assert {each.code for each in denied} == {"RISK_EXPOSURE"}
    assert [each.denial.client_order_id for each in result.denials] == [each.order.client_order_id for each in denied]
    gross = curve_across(result, market(3, 60)).gross
    assert 0 < gross.max() < 75_000  # one of two halves; the limit counts at the last price, not at the next open


def test_contributions_add_up_to_what_the_account_gained_and_the_course_is_that_of_its_points() -> None:
    bars = market(7, 150, gaps=0.2)
    settings = BacktestSettings(slippage_bps=Decimal(5))
    result = run_universe(compile_plan(rotation()), bars, settings=settings, is_controlled=False)
    told = contributions(result, bars)
    assert sum(each.net for each in told) == result.equity[-1].equity - 100_000
    assert [each.symbol for each in told] == list(NAMES)
    curve = curve_across(result, bars)
    cash = np.array([float(point.cash) for point in result.equity])
    assert curve.net + cash == pytest.approx(curve.equity)
    assert curve.slippage.sum() == pytest.approx(curve.traded.sum() * 0.0005, rel=0.01)
    assert curve.benchmark is not None
    assert curve.benchmark[0] == 1
    ends = [float(own[-1].close / own[0].close) for own in bars.values()]
    assert curve.benchmark[-1] == pytest.approx(sum(ends) / len(ends))
    table = trades_across(result, bars)
    assert len(table) == len(result.trades)
    assert (table.mae >= 0).all()
    assert (table.mfe >= 0).all()
    assert measure_across(result, bars)["final_equity"] == float(result.equity[-1].equity)


def test_a_run_of_one_symbol_has_the_figures_of_a_backtest_of_it() -> None:
    plan, bars = compile_plan(threshold_graph(entry_above=101, exit_below=99)), market(5, 150, ("AAA",))
    settings = BacktestSettings(slippage_bps=Decimal(5))
    many = measure_across(run_universe(plan, bars, settings=settings), bars)
    one = measure(run_backtest(plan, "AAA", bars=bars["AAA"], settings=settings), bars["AAA"])
    assert many == pytest.approx(one, nan_ok=True)


def test_late_and_early_ends_are_told() -> None:
    bars = market(3, 60, ("AAA", "BBB"))
    bars["BBB"] = bars["BBB"][20:40]
    result = run_universe(compile_plan(rotation(count=1)), bars, settings=BacktestSettings())
    found = {(each.code, each.message[:3]) for each in result.honesty.cautions}
    assert found >= {("HISTORY_BEGINS_LATE", "BBB"), ("HISTORY_ENDS_EARLY", "BBB")}


def test_a_leg_of_a_pair_whose_other_leg_is_refused_is_left_at_the_next_close() -> None:
    bars = {symbol: shipped_bars(symbol)[-900:] for symbol in ("IBM", "MSFT")}
    plan = compile_plan(GALLERY["pairs"].graph)
    refused = run_universe(plan, bars, settings=BacktestSettings())
    bought = [each.fill.ts for each in refused.fills if each.fill.side is Side.BUY]
    orphans = [each for each in refused.orders if each.order.intent.tag == ORPHAN]
    assert refused.blocked["RISK_SHORT_LOCATE"] == len(bought) == len(orphans) > 3
    assert {each.trade.bars for each in refused.trades} == {1}  # bought at one open, sold at the next
    limits = replace(default_limits(), may_short=True)
    whole = run_universe(plan, bars, settings=BacktestSettings(limits=limits))
    assert not [each for each in whole.orders if each.order.intent.tag == ORPHAN]
    assert whole.trades
