"""A backtest through the compiled account is the reference's: the same record, digest, figures and report."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.compiled_backtest import run_compiled
from alphintra.engine.course import as_floats, nano, whole
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.metrics.results import measure
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.templates import GALLERY
from alphintra.engine.templates.drawing import Drawing
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Intrabar
from alphintra.strategy.domain.reports import course_beside, write_report
from unit.engine.builders import day, flat_bars, threshold_graph
from unit.engine.shipped import shipped_bars
from unit.engine.test_gallery import ALONE, INTRADAY, bars_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.wire import ParamValue

D = Decimal
SIZES: dict[str, dict[str, ParamValue]] = {
    "FixedQty": {"quantity": 10},
    "PercentEquity": {"percent": "60", "lot": "0.001"},
    "FixedNotional": {"amount": "700", "lot": "0.01"},
}
EXITS: dict[str, dict[str, ParamValue]] = {
    "StopLoss": {"percent": "3"},
    "TakeProfit": {"percent": "4"},
    "TrailingStop": {"percent": "2.5"},
    "TimeStop": {"bars": 3},
}


def assert_same(found: BacktestResult, wanted: BacktestResult, bars: Sequence[Bar]) -> None:
    """Hold everything a job keeps of a run against the reference's."""
    for name in ("orders", "fills", "trades", "equity"):
        assert list(getattr(found, name)) == list(getattr(wanted, name)), name
    for name in ("symbol", "graph_hash", "settings", "position", "blocked", "denials", "honesty", "digest"):
        assert getattr(found, name) == getattr(wanted, name), name
    assert found.course == wanted.course
    tape = tape_of(bars)
    assert measure(found, tape) == measure(wanted, bars)
    assert write_report(found, beside=course_beside(found, tape)) == write_report(
        wanted, beside=course_beside(wanted, bars)
    )


def compared(plan: Plan, bars: Sequence[Bar], terms: BacktestSettings, *, symbol: str = "TEST") -> bool:
    """Run both ways; tell whether the compiled account decided."""
    wanted = run_backtest(plan, symbol, bars=bars, settings=terms)
    found = run_compiled(plan, symbol, tape=tape_of(bars), settings=terms)
    if found is None:
        return False
    assert_same(found, wanted, bars)
    return True


def plan_of(size: str, exits: Sequence[str], above: int, below: int) -> Plan:
    """Return a plan that enters above one price, leaves below another or above a third, with exits of its own."""
    drawing = Drawing("drawn", timeframe="1d")
    drawing.add("bars", "Bars")
    for name, level, op in (("in", above, "gt"), ("out", below, "lt"), ("far", 115, "gt")):
        drawing.add(f"{name}_level", "Const", value=level / 10)
        drawing.add(f"{name}_when", "Compare", {"a": "bars.close", "b": f"{name}_level.out"}, op=op)
    drawing.add("entry", "Entry", {"when": "in_when.out"}, tag="risen")
    drawing.add("out", "ExitWhen", {"when": "out_when.out"}, tag="fallen")
    drawing.add("far", "ExitWhen", {"when": "far_when.out"}, tag="far enough")
    leaving = ["far.exit", "out.exit"]
    for kind in exits:
        drawing.add(kind.lower(), kind, {}, **EXITS[kind])
        leaving.append(f"{kind.lower()}.exit")
    drawing.add("size", size, {"signal": "entry.signal"}, **SIZES[size])
    drawing.add("order", "Order", {"size": "size.size", "exit": ",".join(leaving)}, type="market", tif="day")
    return compile_plan(drawing.graph())


shapes = st.tuples(st.integers(900, 1200), st.integers(0, 60), st.integers(0, 60), st.integers(0, 100)).map(
    lambda told: (
        told[0],
        told[0] + told[1],
        told[0] - told[2],
        told[0] - told[2] + (told[1] + told[2]) * told[3] // 100,
    )
)
plans = st.builds(
    plan_of,
    st.sampled_from(sorted(SIZES)),
    st.tuples(
        st.sampled_from(["", "StopLoss", "TrailingStop"]),
        st.sampled_from(["", "TakeProfit"]),
        st.sampled_from(["", "TimeStop"]),
    ).map(lambda kinds: tuple(kind for kind in kinds if kind)),
    st.integers(95, 108),
    st.integers(92, 106),
)
terms = st.builds(
    BacktestSettings,
    initial_cash=st.sampled_from([D(250), D(1000), D(100_000)]),
    fees=st.builds(FeeModel, st.sampled_from([D(0), D("12.5")]), st.sampled_from([D(0), D("0.0035")])),
    slippage_bps=st.sampled_from([D(0), D(7)]),
    intrabar=st.sampled_from(Intrabar),
)


@settings(max_examples=60, deadline=None)
@given(plans, st.lists(shapes, min_size=2, max_size=40), terms)
def test_random_plans_over_random_bars(
    plan: Plan, cents: list[tuple[int, int, int, int]], terms: BacktestSettings
) -> None:
    bars = []
    for index, prices in enumerate(cents):
        opened, high, low, close = (D(amount) / 100 for amount in prices)
        bars.append(Bar(day(index), opened, high, low, close, D(index)))
    is_denied = bool(run_backtest(plan, "TEST", bars=bars, settings=terms).denials)
    event(f"denied: {is_denied}")
    assert compared(plan, bars, terms) != is_denied


@pytest.mark.parametrize("name", [*ALONE, *INTRADAY])
def test_templates_over_prices_that_were_paid(name: str) -> None:
    costs = BacktestSettings(fees=FeeModel(D(5), D("0.005")), slippage_bps=D(2))
    is_left_to_the_reference = name in {"grid", "dollar_cost_averaging", "turtle"}
    assert compared(compile_plan(GALLERY[name].graph), bars_for(name), costs, symbol="MSFT") != is_left_to_the_reference


def test_a_plan_that_reads_its_book_and_a_denied_order_are_left_to_the_reference() -> None:
    bars = flat_bars([9, 11, 12, 9, 11, 12])
    plan = compile_plan(threshold_graph())
    assert compared(plan, bars, BacktestSettings())
    limits = replace(BacktestSettings().limits, order_qty_max=D(5))
    assert not compared(plan, bars, BacktestSettings(limits=limits))


def test_entries_that_rest_at_a_price_are_left_to_the_reference() -> None:
    graph = threshold_graph()
    order = next(each for each in graph.nodes if each.type == "Order")
    resting = msgspec.structs.replace(order, params={"type": "limit", "tif": "gtc", "offset": "1"})
    nodes = tuple(resting if each.id == resting.id else each for each in graph.nodes)
    drawn = msgspec.structs.replace(graph, nodes=nodes)
    assert not compared(compile_plan(drawn), flat_bars([9, 11, 12, 9, 11, 12]), BacktestSettings())


def test_bars_the_reference_refuses_are_left_to_it() -> None:
    plan, bars = compile_plan(GALLERY["sma_crossover"].graph), shipped_bars("AAPL")[:40]
    assert run_compiled(plan, "AAPL", tape=tape_of(bars[:3]), settings=BacktestSettings()) is None
    assert run_compiled(plan, "AAPL", tape=tape_of(bars[::-1]), settings=BacktestSettings()) is None
    assert run_compiled(plan, "AAPL", tape=tape_of([]), settings=BacktestSettings()) is None


def test_a_run_is_stopped_half_way_and_tells_how_far_it_is() -> None:
    plan, tape = compile_plan(threshold_graph()), tape_of(flat_bars([9, 11, 12] * 10))
    told: list[tuple[int, int]] = []
    assert run_compiled(plan, "TEST", tape=tape, settings=BacktestSettings(), progress=lambda *at: told.append(at))
    assert (told[0], told[-1]) == ((0, 30), (30, 30))
    with pytest.raises(AlphintraError) as caught:
        run_compiled(plan, "TEST", tape=tape, settings=BacktestSettings(), should_stop=lambda: len(told) > 0)
    assert caught.value.code == "RUN_STOPPED"


@given(st.lists(st.integers(-(10**21), 10**21)))
def test_whole_numbers_are_the_floats_of_their_amounts(units: list[int]) -> None:
    wanted = [float(D(value).scaleb(-9)) for value in units]
    assert as_floats(whole(units)).tolist() == wanted
    assert [nano(D(value).scaleb(-9)) for value in units] == units
