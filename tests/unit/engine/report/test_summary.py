"""Sums of trades are those of all trades, and what a bar leaves open is counted with what it is worth at most."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.graph import Edge, Graph, compile_plan
from alphintra.engine.metrics.results import measure, trades_of
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.report.course import course_of
from alphintra.engine.report.dealings import costs_section, trade_list, trades_section
from alphintra.engine.report.plots import Plot, compact, waterfall_plot
from alphintra.engine.report.summary import ambiguity_of, groups_of
from alphintra.strategy.domain.reports import course_beside
from unit.engine.builders import bar, flat_bars, node, threshold_graph

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar


FREE = BacktestSettings()


def run(drawn: Graph, bars: list[Bar], settings: BacktestSettings = FREE) -> BacktestResult:
    return run_backtest(compile_plan(drawn), "TEST", bars=bars, settings=settings)


def bracket() -> Graph:
    """Return entries above 10 with a stop and a target ten percent away."""
    drawn = threshold_graph(entry_above=10, exit_below=0.1, size=node("size", "FixedQty", quantity=10))
    exits = (node("stop", "StopLoss", percent="10"), node("target", "TakeProfit", percent="10"))
    edges = (
        *drawn.edges,
        Edge(source="stop.exit", target="order.exit"),
        Edge(source="target.exit", target="order.exit"),
    )
    return Graph(name="x", timeframe="1d", nodes=(*drawn.nodes, *exits), edges=edges)


def test_a_bar_that_holds_stop_and_target_is_counted_with_what_the_target_would_have_brought() -> None:
    bars = [bar(0, "20 20 20 20"), bar(1, "20 20 20 20"), bar(2, "20 23 9 9"), bar(3, "9 9 9 9")]
    told = ambiguity_of(run(bracket(), bars))
    assert told == {"count": 1, "exits": 1, "gain": 10 * (22 - 18)}
    clear = [bar(0, "20 20 20 20"), bar(1, "20 20 20 20"), bar(2, "20 21 9 9"), bar(3, "9 9 9 9")]
    assert ambiguity_of(run(bracket(), clear)) == {"count": 0, "exits": 1, "gain": 0.0}


def test_groups_hold_every_trade_once_with_its_net_and_its_fees() -> None:
    result = run(
        threshold_graph(), flat_bars([9, 11, 9] * 70), BacktestSettings(fees=FeeModel(commission_bps=Decimal(5)))
    )
    table = trades_of(result)
    groups = groups_of(table, "24/7")
    for name in ("symbol", "side", "entry", "exit", "weekday"):
        rows = groups[name]
        assert sum(row[1] for row in rows) == len(result.trades) == 69
        assert sum(row[3] for row in rows) == pytest.approx(float(sum(t.net for t in result.trades)), abs=0.05)
        assert sum(row[4] for row in rows) == pytest.approx(float(sum(t.fees for t in result.trades)), abs=0.05)
    assert [row[:3] for row in groups["symbol"]] == [["TEST", 69, sum(t.net > 0 for t in result.trades)]]
    weekdays = {row[0]: row[1] for row in groups["weekday"]}
    # Bars close at midnight and belong to the day that ended then.
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    opened = [names[(t.opened_ts.weekday() - (t.opened_ts.hour == 0)) % 7] for t in result.trades]
    assert weekdays == {name: opened.count(name) for name in set(opened)}


def test_costs_lead_from_the_gain_before_them_to_the_net_and_grow_to_their_sum() -> None:
    terms = BacktestSettings(fees=FeeModel(commission_bps=Decimal(5)), slippage_bps=Decimal(3))
    bars = flat_bars([9, 11, 9] * 70)
    result = run(threshold_graph(), bars, terms)
    metrics = measure(result, bars)
    course = course_of(course_beside(result, bars)["course"])  # type: ignore[arg-type]
    assert set(course.costs) == {"fees", "slippage"}
    for name, values in course.costs.items():
        assert values == sorted(values)
        assert values[-1] == pytest.approx(metrics[f"{name}_total"], abs=0.01)
    page = costs_section(course, metrics, 100_000.0)
    assert page.count('role="img"') == 2
    net = metrics["final_equity"] - 100_000  # type: ignore[operator]
    assert f"net {net:+,.0f}." in page
    free = run(threshold_graph(), bars)
    assert costs_section(course_of({}), measure(free, bars), 100_000.0) == ""


def test_a_waterfall_ends_where_its_steps_lead() -> None:
    drawn = waterfall_plot(Plot(name="w", title="t", text="d", written=compact), [("up", 10.0), ("down", -4.0)])
    tops = {
        label: (float(y), float(h))
        for y, h, label in re.findall(r'<rect[^>]* y="([\d.]+)"[^>]*?height="([\d.]+)".*?<title>(\w+)', drawn)
    }
    assert tops["up"][1] > tops["net"][1] > tops["down"][1]
    assert tops["down"][0] == pytest.approx(tops["up"][0], abs=0.11)
    assert tops["net"][0] == pytest.approx(tops["down"][0] + tops["down"][1], abs=0.11)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1250.0, "1,250"), (-34_207.0, "-34.21k"), (1_250_000.0, "1.25M"), (2e9, "2B"), (0.00125, "0.00125")],
)
def test_an_axis_writes_amounts_short(value: float, text: str) -> None:
    assert compact(value) == text


def test_a_list_cut_to_a_reply_says_how_many_trades_there_were() -> None:
    trade: dict[str, Any] = {
        "opened_ts": "2024-01-01T00:00",
        "closed_ts": "2024-01-02T00:00",
        "side": "buy",
        "qty": "1",
    }
    trade |= {
        "entry_price": "1",
        "exit_price": "2",
        "net": "1",
        "fees": "0",
        "bars": 1,
        "entry_tag": "",
        "exit_tag": "",
    }
    result = {
        "trades": [trade],
        "left_out": {"trades": 9},
        "summary": {"groups": {"side": [["long", 10, 4, 5.0, 0.0]]}},
    }
    assert "the newest 1 of 10" in trade_list(result)
    assert ">10<" in trades_section(result)
    assert trade_list({"trades": []}) == ""
