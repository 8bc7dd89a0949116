"""What a reader of a backtest is warned of, and what is no reason to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import Edge, Graph, compile_plan
from alphintra.engine.portfolio import FeeModel
from unit.engine.builders import bar, flat_bars, graph, node, threshold_graph

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar


def protected(percent: str) -> Graph:
    """Return a strategy whose entries bring a stop with them."""
    drawn = threshold_graph(entry_above=99, exit_below=1)
    stop = node("stop", "StopLoss", percent=percent)
    edges = (*drawn.edges, Edge(source="stop.exit", target="order.exit"))
    return Graph(name="x", timeframe="1d", nodes=(*drawn.nodes, stop), edges=edges)


def told(drawn: Graph, bars: list[Bar], fees: FeeModel | None = None) -> dict[str, str]:
    """Return the nodes of a run's cautions by code."""
    settings = BacktestSettings(fees=fees or FeeModel())
    found = run_backtest(compile_plan(drawn), "TEST", bars=bars, settings=settings).honesty.cautions
    assert all(caution.message and caution.fix for caution in found)
    return {caution.code: caution.node for caution in found}


@pytest.mark.parametrize(("percent", "is_told"), [("1.9", True), ("2.1", False)])
def test_a_stop_within_the_range_of_a_usual_bar_is_named(percent: str, is_told: bool) -> None:  # noqa: FBT001 - a table
    bars = [bar(index, "100 101 99 100") for index in range(9)]
    assert told(protected(percent), bars).get("EXIT_WITHIN_BAR", "") == ("stop" if is_told else "")


def test_few_trades_are_held_against_the_numbers_that_can_be_chosen() -> None:
    """The threshold strategy has two: 60 trades are enough, 59 are not."""
    for trades, is_told in ((59, True), (60, False)):
        bars = flat_bars([9, 11, 9] * (trades + 1))
        drawn = threshold_graph()
        result = run_backtest(compile_plan(drawn), "TEST", bars=bars[: 3 * trades + 1], settings=BacktestSettings())
        assert len(result.trades) == trades
        assert any(caution.code == "FEW_TRADES" for caution in result.honesty.cautions) is is_told


def test_fees_that_take_all_that_was_gained_are_named() -> None:
    rising = flat_bars([9, 11, 11, 9, 20, 20])
    for per_share, is_told in (("0.1", False), ("9", True)):
        found = told(threshold_graph(), rising, FeeModel(per_share=Decimal(per_share)))
        assert ("COSTS_EXCEED_EDGE" in found) is is_told


@pytest.mark.parametrize(("missing", "is_told"), [(6, False), (7, True)])
def test_a_week_without_bars_is_named(missing: int, is_told: bool) -> None:  # noqa: FBT001 - a table
    bars = flat_bars([10] * 30)
    del bars[10 : 10 + missing - 1]
    assert ("DATA_GAP" in told(threshold_graph(), bars)) is is_told


def test_a_graph_that_only_plots_is_not_short_of_trades() -> None:
    drawn = graph([node("bars", "Bars"), node("plot", "Plot")], [("bars.close", "plot.value")])
    assert told(drawn, flat_bars([10] * 5)) == {}


def test_a_stop_in_percent_that_no_wire_places_lies_below_the_close_of_the_decision() -> None:
    bars = [bar(0, "100 100 100 100"), bar(1, "100 101 99 100"), bar(2, "100 101 94 99")]
    result = run_backtest(compile_plan(protected("5")), "TEST", bars=bars, settings=BacktestSettings())
    assert [(fill.leg, fill.price) for fill in result.fills] == [("", Decimal(100)), ("stop", Decimal(95))]
