"""Why a bar traded or did not: the sentence names what stood against it, with the values that decided."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.explanation import Seen, Sentence, explain, values_at
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.intents import Outcome
from alphintra.engine.sessions import calendar_of
from alphintra.engine.templates import GALLERY, crossover
from alphintra.engine.templates.drawing import Drawing
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph import Graph, Plan

WAVE = flat_bars([10, 10, 10, 10, 12, 14, 16, 14, 11, 9, 8, 9, 12, 15, 17, 15, 12, 9, 8, 8, 10, 13, 16, 18])


def told(plan: Plan, result: BacktestResult, bars: Sequence[Bar], place: int) -> tuple[Sentence, ...]:
    decision, point = result.decisions[place], result.equity[place]
    seen = Seen(
        outcome=decision.outcome.value,
        bars_seen=place + 1,
        warm_up_bars=result.honesty.warm_up_bars,
        qty=point.qty,
        equity=point.equity,
        bar=bars[place],
        values=decision.values,
    )
    return explain(plan, seen, values_at(plan, bars[: place + 1], calendar=calendar_of("AAPL")))


def why(graph: Graph, place: int, bars: Sequence[Bar] = WAVE) -> tuple[Sentence, ...]:
    plan = compile_plan(graph)
    return told(plan, run_backtest(plan, "AAPL", bars=bars, settings=BacktestSettings()), bars, place)


def ruled() -> Graph:
    """Buy while the close is above 13 and not above 15.5; leave below 12."""
    drawing = Drawing("ruled", timeframe="1d")
    drawing.add("bars", "Bars")
    for name, level in (("thirteen", 13.0), ("high", 15.5), ("twelve", 12.0)):
        drawing.add(name, "Const", value=level)
    drawing.add("above", "Compare", {"a": "bars.close", "b": "thirteen.out"}, op="gt")
    drawing.add("too_high", "Compare", {"a": "bars.close", "b": "high.out"}, op="gt")
    drawing.add("not_too_high", "Not", {"in": "too_high.out"})
    drawing.add("both", "And", {"a": "above.out", "b": "not_too_high.out"})
    drawing.add("entry", "Entry", {"when": "both.out"})
    drawing.add("below", "Compare", {"a": "bars.close", "b": "twelve.out"}, op="lt")
    drawing.add("leave", "ExitWhen", {"when": "below.out"})
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="50")
    drawing.add("order", "Order", {"size": "size.size", "exit": "leave.exit"}, type="market", tif="day")
    return drawing.graph()


def texts(sentences: Sequence[Sentence]) -> list[str]:
    return [sentence.text for sentence in sentences]


def test_a_bar_of_the_warm_up_says_how_many_are_left() -> None:
    first, slow = why(crossover(2, 4, average="sma", percent="50"), 1)
    assert first.text == "No order: in warm-up, bar 2 of 4; 2 more may bring none."
    assert slow.node == "slow"


def test_a_condition_that_is_not_true_says_its_numbers() -> None:
    lines = texts(why(ruled(), 4))
    assert lines[0] == "No order: no entry signal (nothing held)."
    assert "above: bars.close 12 is not above thirteen 13." in lines


def test_of_a_conjunction_only_what_was_not_true_is_told() -> None:
    lines = why(ruled(), 2, flat_bars([10, 12, 16, 16]))
    assert "too_high: bars.close 16 is above high 15.5." in texts(lines)
    assert all(line.node != "above" for line in lines)
    deepest = max(lines, key=lambda line: line.depth)
    assert (deepest.node, deepest.value) == ("too_high", True)


def test_a_position_that_is_held_asks_its_exits() -> None:
    lines = texts(why(ruled(), 7))
    assert lines[0].startswith(("No order: no exit rule fired", "No order: it would enter, but a position is held"))
    assert "below: bars.close 14 is not below twelve 12." in lines


def test_a_crossing_says_both_numbers_and_those_before() -> None:
    lines = texts(why(crossover(2, 4, average="sma", percent="50"), 10))
    said = next(line for line in lines if "cross" in line)
    assert "fast SMA(2) 8.5" in said
    assert "slow SMA(4) 10.5" in said
    assert "(before: 10 and 12.5)" in said


def test_a_size_of_nothing_is_told_with_equity_and_close() -> None:
    plan = compile_plan(crossover(2, 4, average="sma", percent="50"))
    settings = BacktestSettings(initial_cash=Decimal(10))
    result = run_backtest(plan, "AAPL", bars=WAVE, settings=settings)
    place = next(i for i, each in enumerate(result.decisions) if each.outcome is Outcome.BLOCKED_ZERO_QUANTITY)
    lines = told(plan, result, WAVE, place)
    assert (
        lines[0].text == f"No order: its size rounded down to zero, with equity 10.00 at the close {WAVE[place].close}."
    )
    assert any(line.node == "size" for line in lines)


@pytest.mark.parametrize("name", sorted(set(GALLERY) - {"momentum_rotation", "pairs"}))
def test_every_bar_of_every_template_is_explained_by_the_values_that_decided(name: str) -> None:
    """The values of an explanation are those of the decision, and of what blocked an entry something is told."""
    plan = compile_plan(GALLERY[name].graph)
    prices = [100 + 10 * math.sin(i / 5) + (i % 7) / 3 for i in range(plan.warm_up_bars + 40)]
    bars = flat_bars([f"{price:.2f}" for price in prices])
    several = {step.node for step in plan.steps if len(CATALOGUE[step.type, step.version].outputs) > 1}
    result = run_backtest(plan, "AAPL", bars=bars, settings=BacktestSettings())
    for place in (0, plan.warm_up_bars, *range(len(bars) - 6, len(bars))):
        lines, values = told(plan, result, bars, place), result.decisions[place].values
        assert lines[0].depth == 0
        assert len(lines) > 1
        for line in lines[1:]:
            kept = values.get(line.node)
            if kept is not None and line.value is not None and line.node not in several:
                assert line.value == kept, (place, line)
