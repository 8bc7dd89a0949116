"""The executor decides the same whatever interrupts it, and never from the future."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.executor import Executor
from alphintra.engine.graph import Plan, StateView, compile_plan
from alphintra.engine.intents import Decision, Outcome, client_order_id
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from unit.engine.builders import START, bar, day, flat_bar, flat_bars, graph, node, threshold_graph, view

series = st.lists(st.decimals(min_value=1, max_value=1000, places=2), min_size=8, max_size=40)


@cache
def plans() -> dict[str, Plan]:
    """Strategies with all kinds of rules."""
    shifted = graph(
        [
            node("bars", "Bars"),
            node("shift", "Shift", bars=2),
            node("sma", "SMA", period=3),
            node("more", "Compare", op="ge"),
            node("cross", "CrossAbove"),
            node("not", "Not"),
            node("and", "And"),
            node("entry", "Entry", tag="t"),
            node("leave", "ExitWhen"),
            node("size", "PercentEquity", percent="50"),
            node("order", "Order", type="market", tif="day"),
            node("plot", "Plot"),
        ],
        [
            ("bars.close", "shift.in"),
            ("bars.high", "sma.in"),
            ("bars.close", "more.a"),
            ("shift.out", "more.b"),
            ("shift.out", "cross.a"),
            ("sma.out", "cross.b"),
            ("cross.out", "not.in"),
            ("more.out", "and.a"),
            ("not.out", "and.b"),
            ("and.out", "entry.when"),
            ("cross.out", "leave.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
            ("leave.exit", "order.exit"),
            ("sma.out", "plot.value"),
        ],
    )
    return {
        "ema": compile_plan(crossover(2, 3)),
        "sma": compile_plan(crossover(3, 6, average="sma")),
        "threshold": compile_plan(threshold_graph()),
        "shifted": compile_plan(shifted),
    }


plan_names = st.sampled_from(sorted(plans()))


def view_at(index: int) -> StateView:
    """Alternate between flat and holding, so that entries and exits both happen."""
    return view("5" if index // 4 % 2 else "0", is_order_working=index % 7 == 0)


def run(executor: Executor, prices: list[Decimal], start: int = 0) -> list[Decision]:
    bars = flat_bars(prices)
    return [executor.on_bar(bars[index], view_at(index)) for index in range(start, len(bars))]


@given(plan_names, series, st.integers(min_value=0, max_value=40))
def test_a_restored_executor_continues_bit_for_bit(name: str, prices: list[Decimal], cut: int) -> None:
    whole, first, second = Executor(plans()[name]), Executor(plans()[name]), Executor(plans()[name])
    cut %= len(prices) + 1
    expected = run(whole, prices)
    run(first, prices[:cut])
    second.restore(first.snapshot())
    assert run(second, prices, start=len(prices[:cut])) == expected[cut:]
    assert second.snapshot() == whole.snapshot()


@given(plan_names, series, series, st.integers(min_value=0, max_value=40))
def test_noise_in_the_future_changes_nothing_before_it(
    name: str, prices: list[Decimal], noise: list[Decimal], cut: int
) -> None:
    known = prices[: cut % (len(prices) + 1)]
    assert (
        run(Executor(plans()[name]), prices)[: len(known)] == run(Executor(plans()[name]), known + noise)[: len(known)]
    )


@pytest.mark.parametrize("name", sorted(plans()))
def test_nothing_fires_before_the_warm_up_is_over(name: str) -> None:
    plan = plans()[name]
    prices = [Decimal(100 + (index * 37) % 50) for index in range(plan.warm_up_bars + 1)]
    outcomes = [decision.outcome for decision in run(Executor(plan), prices)]
    assert outcomes[:-1] == [Outcome.WARMING_UP] * plan.warm_up_bars
    assert outcomes[-1] is not Outcome.WARMING_UP


def test_every_value_exists_once_the_warm_up_is_over() -> None:
    plan = plans()["shifted"]
    decisions = run(Executor(plan), [Decimal(10 + index) for index in range(plan.warm_up_bars + 1)])
    assert decisions[0].values["sma"] is None
    assert None not in decisions[-1].values.values()
    assert decisions[-1].values["plot"] == decisions[-1].values["sma"]


def test_shift_gives_the_value_some_closes_ago() -> None:
    decisions = run(Executor(plans()["shifted"]), [Decimal(10 + index) for index in range(5)])
    assert [decision.values["shift"] for decision in decisions] == [None, None, 10.0, 11.0, 12.0]


@pytest.mark.parametrize(
    ("close", "book", "outcome"),
    [
        ("10", view(), Outcome.NO_SIGNAL),
        ("11", view(), Outcome.INTENT),
        ("11", view("3"), Outcome.BLOCKED_IN_POSITION),
        ("11", view(is_order_working=True), Outcome.BLOCKED_ORDER_WORKING),
        ("9", view("3"), Outcome.INTENT),
        ("9", view(), Outcome.BLOCKED_NO_POSITION),
        ("9", view("3", is_order_working=True), Outcome.BLOCKED_ORDER_WORKING),
    ],
)
def test_each_bar_says_what_came_of_it(close: str, book: StateView, outcome: Outcome) -> None:
    decision = Executor(plans()["threshold"]).on_bar(flat_bar(0, close), book)
    assert decision.outcome is outcome
    assert bool(decision.intents) == (outcome is Outcome.INTENT)


def test_an_entry_carries_side_quantity_type_and_tag() -> None:
    (intent,) = Executor(plans()["threshold"]).on_bar(flat_bar(0, "11"), view()).intents
    assert (intent.side, intent.qty, intent.reason, intent.tag) == (Side.BUY, Decimal(10), "entry", "in")
    assert (intent.order_type, intent.time_in_force) == (OrderType.MARKET, TimeInForce.DAY)


@pytest.mark.parametrize(("held", "side"), [("7", Side.SELL), ("-7", Side.BUY)])
def test_an_exit_closes_the_whole_position(held: str, side: Side) -> None:
    (intent,) = Executor(plans()["threshold"]).on_bar(flat_bar(0, "9"), view(held)).intents
    assert (intent.side, intent.qty, intent.reason, intent.tag) == (side, Decimal(7), "exit", "out")


def test_an_exit_comes_before_an_entry_of_the_same_bar() -> None:
    both = compile_plan(threshold_graph(entry_above=10, exit_below=20))
    assert Executor(both).on_bar(flat_bar(0, "15"), view("4")).intents[0].reason == "exit"
    assert Executor(both).on_bar(flat_bar(0, "15"), view()).intents[0].reason == "entry"


@pytest.mark.parametrize(
    ("equity", "qty"), [("1000", Decimal(86)), ("11.57", Decimal(0)), ("11.58", Decimal(1)), ("-5", Decimal(0))]
)
def test_percent_of_equity_buys_whole_shares_rounded_down(equity: str, qty: Decimal) -> None:
    plan = compile_plan(threshold_graph(size=node("size", "PercentEquity", percent="95")))
    decision = Executor(plan).on_bar(flat_bar(0, "11"), view(equity=equity))
    assert [intent.qty for intent in decision.intents] == ([qty] if qty else [])
    assert decision.outcome is (Outcome.INTENT if qty else Outcome.BLOCKED_ZERO_QUANTITY)


def test_a_cross_needs_both_sides_of_it() -> None:
    plan = compile_plan(
        graph(
            [
                node("bars", "Bars"),
                node("ten", "Const", value=10),
                node("up", "CrossAbove"),
                node("down", "CrossBelow"),
                node("entry", "Entry"),
                node("leave", "ExitWhen"),
                node("size", "FixedQty", quantity=1),
                node("order", "Order", type="market", tif="day"),
            ],
            [
                ("bars.close", "up.a"),
                ("ten.out", "up.b"),
                ("bars.close", "down.a"),
                ("ten.out", "down.b"),
                ("up.out", "entry.when"),
                ("down.out", "leave.when"),
                ("entry.signal", "size.signal"),
                ("size.size", "order.size"),
                ("leave.exit", "order.exit"),
            ],
        )
    )
    executor = Executor(plan)
    closes = ["11", "12", "10", "11", "9", "8", "10", "10", "12"]
    shown = [executor.on_bar(flat_bar(index, close), view()).values for index, close in enumerate(closes)]
    assert [values["up"] for values in shown] == [None, False, False, True, False, False, False, False, True]
    assert [values["down"] for values in shown] == [None, False, False, False, True, False, False, False, False]


def test_a_repeated_bar_is_refused() -> None:
    executor = Executor(plans()["ema"])
    executor.on_bar(flat_bar(1, "10"), view())
    with pytest.raises(AlphintraError, match="TIME_ORDER"):
        executor.on_bar(flat_bar(1, "10"), view())


def test_bars_show_their_close_in_the_record() -> None:
    decision = Executor(plans()["ema"]).on_bar(bar(0, "10 12 9 11"), view())
    assert decision.values["bars"] == 11.0


@pytest.mark.parametrize("raw", [b"", b"{}", b"not json", b'{"schema":2}'])
def test_a_snapshot_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(AlphintraError, match="SNAPSHOT_INVALID"):
        Executor(plans()["ema"]).restore(raw)


def test_a_snapshot_of_an_earlier_alphintra_is_told_from_one_that_is_broken() -> None:
    with pytest.raises(AlphintraError, match="SNAPSHOT_OLD"):
        Executor(plans()["ema"]).restore(b'{"schema":1,"graph_hash":"","bars_seen":3,"nodes":{"ema":{"window":[]}}}')


def test_a_snapshot_of_another_strategy_version_is_refused() -> None:
    with pytest.raises(AlphintraError, match="SNAPSHOT_INVALID"):
        Executor(plans()["ema"]).restore(Executor(plans()["sma"]).snapshot())


def order_id(
    key: str = "d1", version: str = "v1", ts: datetime = START, symbol: str = "AAPL", index: int = 0, attempt: int = 1
) -> str:
    return client_order_id(key, version, bar_ts=ts, symbol=symbol, intent_index=index, attempt=attempt)


def test_the_same_intent_gives_the_same_id_and_any_other_gives_another() -> None:
    ids = [
        order_id(),
        order_id(key="d2"),
        order_id(version="v2"),
        order_id(ts=day(1)),
        order_id(symbol="AAP"),
        order_id(index=1),
        order_id(attempt=2),
        order_id(key="d1v", version="1"),
    ]
    assert len(set(ids)) == len(ids)
    assert order_id() == ids[0]
    assert all(re.fullmatch(r"[A-Za-z0-9-]{31}", name) for name in ids)


def test_the_id_of_a_known_intent_never_changes() -> None:
    """A new release must resume the orders of the old one."""
    assert order_id() == "alph-k7ecrt7giutng2az6ocqp4edpl"
