"""What a strategy knows of its own book: as of the close it decides at, the same bar by bar as over all bars."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.book import Book
from alphintra.engine.costs import Costs
from alphintra.engine.executor import Executor
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.evaluation import book_nodes
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Outcome
from alphintra.engine.kernels import positions
from alphintra.engine.plan_runs import run_plan
from alphintra.engine.sessions import calendar_of
from alphintra.engine.step import Origin, step
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import bar, flat_bar, flat_bars, graph, node
from unit.engine.kernels.running import column

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph import Graph
    from alphintra.engine.intents import Decision

WAVE = [100 + 12 * math.sin(index / 3) + 5 * math.sin(index / 1.3) for index in range(160)]


def strategy() -> Graph:
    """Enter above the mean while there is money; leave after five bars, or once four percent are lost."""
    return graph(
        [
            node("bars", "Bars"),
            node("mean", "SMA", period=5),
            node("above", "Compare", op="gt"),
            node("account", "Account"),
            node("poor", "Const", value=9000.0),
            node("rich", "Compare", op="gt"),
            node("both", "And"),
            node("entry", "Entry"),
            node("position", "Position"),
            node("four", "Const", value=-4.0),
            node("lost", "Compare", op="lt"),
            node("five", "Const", value=5.0),
            node("late", "Compare", op="ge"),
            node("leave_late", "ExitWhen"),
            node("leave_lost", "ExitWhen"),
            node("size", "PercentEquity", percent="50"),
            node("order", "Order", type="market", tif="day"),
        ],
        [
            ("bars.close", "mean.in"),
            ("bars.close", "above.a"),
            ("mean.out", "above.b"),
            ("account.equity", "rich.a"),
            ("poor.out", "rich.b"),
            ("above.out", "both.a"),
            ("rich.out", "both.b"),
            ("both.out", "entry.when"),
            ("position.bars", "late.a"),
            ("five.out", "late.b"),
            ("late.out", "leave_late.when"),
            ("lost.out", "leave_lost.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
            ("leave_late.exit", "order.exit"),
            ("leave_lost.exit", "order.exit"),
            ("position.gain", "lost.a"),
            ("four.out", "lost.b"),
        ],
    )


def bars_of_a_wave() -> list[Bar]:
    """Return bars that open where the one before closed."""
    closes = [Decimal(f"{price:.2f}") for price in WAVE]
    before = [closes[0], *closes]
    return [
        bar(index, f"{was} {max(was, now) + 1} {min(was, now) - 1} {now}")
        for index, (was, now) in enumerate(zip(before, closes, strict=False))
    ]


def bar_by_bar(executor: Executor, book: Book, bars: list[Bar]) -> tuple[list[Decision], Book]:
    """Advance a book without preparing the bars."""
    decisions = []
    for each in bars:
        result = step(executor, book, each, costs=Costs(), origin=Origin("backtest", "TEST"))
        book = result.book
        decisions.append(result.decision)
    return decisions, book


def test_prepared_bars_give_the_decisions_of_bar_by_bar() -> None:
    plan, bars = compile_plan(strategy()), bars_of_a_wave()
    settings = BacktestSettings(initial_cash=Decimal(10_000))
    result = run_backtest(plan, "TEST", bars=bars, settings=settings)
    decisions, _ = bar_by_bar(Executor(plan, calendar_of("TEST")), Book(Decimal(10_000)), bars)
    assert list(result.decisions) == decisions
    assert len(result.trades) > 5
    in_a_row, longest = 0, 0
    for point in result.equity:
        in_a_row = in_a_row + 1 if point.qty else 0
        longest = max(longest, in_a_row)
    assert longest == 5


def test_a_plan_that_reads_its_book_is_left_to_the_reference() -> None:
    tape = tape_of(bars_of_a_wave(), calendar_of("TEST"))
    assert run_plan(compile_plan(strategy()), "TEST", tape=tape, settings=BacktestSettings()) is None


def test_a_restored_executor_knows_how_long_the_position_is_held() -> None:
    plan, bars = compile_plan(strategy()), bars_of_a_wave()
    along = Executor(plan)
    _, book = bar_by_bar(along, Book(Decimal(10_000)), bars[:60])
    again = Executor(plan)
    again.restore(along.snapshot())
    assert bar_by_bar(again, book, bars[60:]) == bar_by_bar(along, book, bars[60:])


def test_only_what_depends_on_the_book_waits_for_it() -> None:
    booked = book_nodes(compile_plan(strategy()))
    assert {"account", "rich", "both", "entry", "size", "order", "position", "late", "leave_late"} <= booked
    assert not booked & {"bars", "mean", "above", "poor", "four", "five"}


def test_the_book_is_read_as_of_this_close() -> None:
    """The loss that a bar's own close shows is acted on at that close, not one bar later."""
    executor = Executor(compile_plan(strategy()))
    flat = StateView(Decimal(0), Decimal(0), Decimal(10_000), Decimal(10_000))
    for index in range(6):
        executor.on_bar(flat_bar(index, "100"), flat)
    held = StateView(Decimal(10), Decimal(100), Decimal(9000), Decimal(10_000))
    assert executor.on_bar(flat_bar(6, "97"), held).outcome is not Outcome.INTENT
    (intent,) = executor.on_bar(flat_bar(7, "95"), held).intents
    assert intent.reason == "exit"


def test_bars_are_counted_from_the_entry_and_anew_when_the_side_changes() -> None:
    qty = column([0, 5, 5, 9, -2, -2, 0])
    high, low = column([10, 12, 11, 15, 9, 8, 20]), column([9, 8, 7, 9, 5, 6, 1])
    close, price = column([10, 11, 10, 12, 6, 8, 9]), column([0, 10, 10, 10, 8, 8, 0])
    entries, last = column([0, 1, 1, 2, 1, 1, 0]), column([0, 10, 10, 12, 8, 8, 0])
    outs = [column([0] * 7) for _ in range(8)]
    told = (high, low, close, qty, price, entries, last)
    positions.position.interpreted(column([]), column([0] * 4), *told, *outs)
    assert outs[6].tolist() == entries.tolist()
    assert outs[7][1:6].tolist() == last[1:6].tolist()
    _, _, bars, gain, top, bottom = (out.tolist() for out in outs[:6])
    assert bars == [0, 1, 2, 3, 1, 2, 0]
    assert gain[1:6] == pytest.approx([10, 0, 20, 25, 0])
    assert top[1:6] == [12, 12, 15, 9, 9]
    assert bottom[1:6] == [8, 7, 7, 5, 5]
    assert all(math.isnan(values[index]) for values in (gain, top, bottom) for index in (0, 6))


def test_prepared_bars_come_in_order_and_keep_no_state_half_way() -> None:
    bars = flat_bars(range(10, 20))
    executor = Executor(compile_plan(strategy()))
    flat = StateView(Decimal(0), Decimal(0), Decimal(10_000), Decimal(10_000))
    executor.prepare(bars)
    executor.on_bar(bars[0], flat)
    with pytest.raises(AlphintraError, match="not the next"):
        executor.on_bar(bars[2], flat)
    with pytest.raises(AlphintraError, match="keeps no state"):
        executor.snapshot()
