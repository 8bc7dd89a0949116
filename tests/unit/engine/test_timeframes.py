"""Bars of longer timeframes: what is known of them at each close of the base, and how they meet the base."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.executor import Executor
from alphintra.engine.graph import Graph, compile_plan, graph_hash, validate
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.tape import FIELDS, Tape, epoch_ns, tape_of
from alphintra.engine.plan_runs import run_plan
from alphintra.engine.sessions import NEW_YORK, Calendar, calendar_of
from unit.engine.builders import graph, node
from unit.engine.every_node import plan_around

EXCHANGE, ALWAYS = calendar_of("AAPL"), calendar_of("BTC/USD")
MINUTES = {"15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}


def closes_of(calendar: Calendar, first: str, last: str, minutes: int = 5) -> list[datetime]:
    """Return the closes of all base bars of the regular sessions of some days."""
    days = calendar.sessions(datetime.fromisoformat(first).date(), datetime.fromisoformat(last).date())
    found = []
    for session in days:
        count = (session.close - session.open) // timedelta(minutes=minutes)
        found += [session.open + timedelta(minutes=minutes * (index + 1)) for index in range(count)]
    return found


def tape(calendar: Calendar, closes: list[datetime], seed: int = 1) -> Tape:
    """Return random bars closing at these times."""
    random = np.random.default_rng(seed)
    opened, close = np.round(100 + random.normal(0, 3, (2, 1, len(closes))), 2)
    high, low = np.maximum(opened, close) + 1, np.minimum(opened, close) - 1
    volume = np.asarray(random.integers(1, 99, (1, len(closes))), dtype=np.float64)
    ts = np.array([epoch_ns(at) for at in closes], dtype=np.int64)
    return Tape(ts, opened, high, low, close, volume, (calendar,))


def expected(bars: Tape, calendar: Calendar, closes: list[datetime], timeframe: str) -> list[tuple[int, list[float]]]:
    """Return (base close, bar) of all longer bars but the first: at the base bar that ends one, else at the next."""
    minutes = timedelta(minutes=MINUTES[timeframe])

    def end(at: datetime) -> datetime:
        session = calendar.session_at(at - timedelta(microseconds=1))
        if timeframe == "1d":
            return session.close
        return min(session.open - minutes * ((session.open - at) // minutes), session.close)

    found: list[tuple[int, list[float]]] = []
    waiting: list[list[float]] = []
    groups = [list(members) for _, members in groupby(range(len(closes)), key=lambda index: end(closes[index]))]
    for group in groups[1:]:
        values = [bars.field(name)[0, group] for name in FIELDS]
        bar = [float(values[0][0]), values[1].max(), values[2].min(), float(values[3][-1]), values[4].sum()]
        told = group[0] if waiting else None
        if waiting:
            found.append((group[0], waiting.pop()))
        if closes[group[-1]] == end(closes[group[-1]]) and told != group[-1]:
            found.append((group[-1], bar))
        else:
            waiting.append(bar)
    return found


def computed(bars: Tape, timeframe: str) -> list[tuple[int, list[float]]]:
    """Return (base close, bar) where one is known."""
    columns = Evaluation(plan_around(("Bars", 1), timeframe=timeframe)).advance(bars, is_compiled=False)
    found = np.stack([columns["node", name][0] for name in FIELDS])
    return [(int(index), found[:, index].tolist()) for index in np.flatnonzero(~np.isnan(found[0]))]


@pytest.mark.parametrize("timeframe", MINUTES)
@pytest.mark.parametrize(
    ("calendar", "first", "last"),
    [
        (EXCHANGE, "2024-03-07", "2024-03-13"),  # clocks go forward
        (EXCHANGE, "2024-10-31", "2024-11-05"),  # clocks go back
        (EXCHANGE, "2024-07-02", "2024-07-08"),  # half day, holiday, weekend
        (ALWAYS, "2024-03-09", "2024-03-11"),
    ],
)
def test_a_longer_bar_is_known_at_the_base_bar_that_ends_it(
    calendar: Calendar, first: str, last: str, timeframe: str
) -> None:
    closes = closes_of(calendar, first, last)
    bars = tape(calendar, closes)
    got = computed(bars, timeframe)
    assert got == expected(bars, calendar, closes, timeframe)
    assert len(got) > 1


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(MINUTES)), st.sets(st.integers(0, 233), min_size=20, max_size=200))
def test_missing_bars_delay_a_longer_bar_but_lose_none(timeframe: str, kept: set[int]) -> None:
    closes = [at for index, at in enumerate(closes_of(EXCHANGE, "2024-07-02", "2024-07-05")) if index in kept]
    bars = tape(EXCHANGE, closes)
    assert computed(bars, timeframe) == expected(bars, EXCHANGE, closes, timeframe)


def test_hours_end_with_the_session_and_start_at_its_opening() -> None:
    closes = closes_of(EXCHANGE, "2024-07-02", "2024-07-03", 30)
    known = [closes[index].astimezone(NEW_YORK) for index, _ in computed(tape(EXCHANGE, closes), "1h")]
    assert [f"{at:%d %H%M}" for at in known] == [
        *("02 1130", "02 1230", "02 1330", "02 1430", "02 1530", "02 1600"),
        *("03 1030", "03 1130", "03 1230", "03 1300"),
    ]


def test_a_day_is_the_regular_session_alone() -> None:
    times = ["08 15:55", "08 16:00", "09 08:00", "09 09:35", "09 16:00", "09 18:00", "10 09:00", "10 09:40"]
    closes = [datetime.fromisoformat(f"2024-07-{at}").replace(tzinfo=NEW_YORK).astimezone(UTC) for at in times]
    bars = tape(EXCHANGE, closes)
    ((index, bar),) = computed(bars, "1d")
    assert index == 4
    assert bar[0] == bars.open[0, 3]
    assert bar[4] == bars.volume[0, 3:5].sum()


def two_timeframes(align: str = "Align") -> Graph:
    """Enter where the close is above the mean of the last three hours."""
    drawn = graph(
        [
            node("bars", "Bars"),
            node("hours", "Bars", timeframe="1h"),
            node("mean", "SMA", period=3),
            node("held", align),
            node("above", "Compare", op="gt"),
            node("entry", "Entry", hold=True),
            node("size", "FixedQty", quantity=10),
            node("order", "Order", type="market", tif="day"),
        ],
        [
            ("hours.close", "mean.in"),
            ("mean.out", "held.in"),
            ("bars.close", "above.a"),
            ("held.out", "above.b"),
            ("above.out", "entry.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
        ],
    )
    return msgspec.structs.replace(drawn, timeframe="5m")


def rewired(drawn: Graph, source: str, target: str) -> Graph:
    """Return the graph with another wire into a port."""
    edges = tuple(
        msgspec.structs.replace(edge, source=source) if edge.target == target else edge for edge in drawn.edges
    )
    return msgspec.structs.replace(drawn, edges=edges)


def test_what_is_aligned_is_the_last_closed_bar() -> None:
    closes = closes_of(EXCHANGE, "2024-07-02", "2024-07-02")
    bars = tape(EXCHANGE, closes)
    columns = Evaluation(compile_plan(two_timeframes())).advance(bars, is_compiled=False)
    hours = columns["hours", "close"][0]
    known = np.flatnonzero(~np.isnan(hours))
    mean = columns["held", "out"][0]
    assert np.isnan(mean[: known[2]]).all()
    for index in range(known[2], len(closes)):
        last = known[known <= index][-3:]
        assert mean[index] == pytest.approx(hours[last].mean())


def test_warm_up_counts_base_bars_of_the_market() -> None:
    """An hour begun, then three whole ones; on daily bars a day of the exchange is shorter than one of pairs."""
    plan = compile_plan(two_timeframes())
    assert plan.warm_up_bars == (2 + 2) * 12
    assert {step.node: step.timeframe for step in plan.steps}["mean"] == "1h"
    daily = msgspec.structs.replace(
        two_timeframes(),
        nodes=tuple(
            node("hours", "Bars", timeframe="1d") if each.id == "hours" else each for each in two_timeframes().nodes
        ),
    )
    plan = compile_plan(daily)
    assert plan.warm_up_bars == Executor(plan, ALWAYS).warm_up_bars == (2 + 2) * 288
    assert Executor(plan, EXCHANGE).warm_up_bars == (2 + 2) * 78


def test_a_graph_of_before_keeps_its_hash_and_the_own_timeframe_is_the_base() -> None:
    plain, named = graph([node("bars", "Bars")], []), graph([node("bars", "Bars", timeframe="base")], [])
    assert graph_hash(plain) == graph_hash(named)
    own = msgspec.structs.replace(two_timeframes(), timeframe="1h")
    assert {step.timeframe for step in compile_plan(own).steps} == {"base"}


@pytest.mark.parametrize(
    ("drawn", "node_id", "port", "fix"),
    [
        (rewired(two_timeframes(), "mean.out", "above.b"), "above", "b", "put Align between"),
        (rewired(two_timeframes(), "hours.close", "above.a"), "above", "a", "put Align between"),
        (msgspec.structs.replace(two_timeframes(), timeframe="4h"), "hours", "timeframe", "4h, 1d"),
    ],
)
def test_timeframes_meet_only_through_align(drawn: Graph, node_id: str, port: str, fix: str) -> None:
    (problem,) = [found for found in validate(drawn) if found.code == "GRAPH_TIMEFRAME"]
    assert (problem.node, problem.port) == (node_id, port)
    assert fix in problem.fix


def test_what_orders_is_computed_on_the_graphs_own_bars() -> None:
    drawn = rewired(rewired(two_timeframes(), "hours.close", "above.a"), "mean.out", "above.b")
    (problem,) = [found for found in validate(drawn) if found.code == "GRAPH_TIMEFRAME"]
    assert (problem.node, problem.port, problem.pointer) == ("entry", "when", "/edges/4")
    assert "AlignCondition" in problem.fix


def test_noise_in_the_future_changes_no_aligned_value() -> None:
    closes = closes_of(EXCHANGE, "2024-07-02", "2024-07-05")
    known, noise = tape(EXCHANGE, closes, 1), tape(EXCHANGE, closes, 2)
    plan = compile_plan(two_timeframes())
    for cut in range(100, 130):
        opened, high, low, close, volume = (
            np.concatenate([known.field(name)[:, :cut], noise.field(name)[:, cut:]], axis=1) for name in FIELDS
        )
        mixed = Tape(known.ts, opened, high, low, close, volume, known.calendars)
        got, want = Evaluation(plan).advance(mixed), Evaluation(plan).advance(known)
        for end, column in want.items():
            np.testing.assert_array_equal(got[end][:, :cut], column[:, :cut])


def test_an_aligned_event_happens_once() -> None:
    drawn = msgspec.structs.replace(
        graph(
            [
                node("hours", "Bars", timeframe="1h"),
                node("rise", "CrossAbove"),
                node("once", "AlignEvent"),
                node("entry", "Entry", hold=True),
                node("size", "FixedQty", quantity=10),
                node("order", "Order", type="market", tif="day"),
            ],
            [
                ("hours.close", "rise.a"),
                ("hours.open", "rise.b"),
                ("rise.out", "once.in"),
                ("once.out", "entry.when"),
                ("entry.signal", "size.signal"),
                ("size.size", "order.size"),
            ],
        ),
        timeframe="5m",
    )
    bars = tape(EXCHANGE, closes_of(EXCHANGE, "2024-07-02", "2024-07-12"))
    columns = Evaluation(compile_plan(drawn)).advance(bars)
    rise, once = columns["rise", "out"][0], columns["once", "out"][0]
    first = int(np.flatnonzero(~np.isnan(rise))[0])
    np.testing.assert_array_equal(once[first:], np.nan_to_num(rise[first:]))
    assert 0 < once[first:].sum() < np.isfinite(rise).sum()


def test_the_compiled_account_warms_up_as_long_as_the_reference() -> None:
    """On a market of half a day the bound of one that never closes would leave out the first orders."""
    daily = tuple(
        node("hours", "Bars", timeframe="1d") if each.id == "hours" else each for each in two_timeframes().nodes
    )
    plan = compile_plan(msgspec.structs.replace(two_timeframes(), nodes=daily))
    closes = closes_of(EXCHANGE, "2024-06-03", "2024-06-28")
    told = tape(EXCHANGE, closes)
    exact = [[Decimal(f"{told.field(name)[0, index]:.2f}") for name in FIELDS] for index in range(len(closes))]
    bars = [Bar(at, *amounts) for at, amounts in zip(closes, exact, strict=True)]
    terms = BacktestSettings()
    found = run_plan(plan, "AAPL", tape=tape_of(bars, EXCHANGE), settings=terms)
    expected = run_backtest(plan, "AAPL", bars=bars, settings=terms)
    assert found is not None
    assert found.rules.warm_up == expected.honesty.warm_up_bars == 4 * 78
    assert len(found.run.fills) == len(expected.fills) > 0


@pytest.mark.slow
@pytest.mark.parametrize("timeframe", MINUTES)
def test_machine_code_makes_the_same_longer_bars(timeframe: str) -> None:
    bars = tape(EXCHANGE, closes_of(EXCHANGE, "2024-07-02", "2024-07-12"))
    plan = plan_around(("Bars", 1), timeframe=timeframe)
    compiled = Evaluation(plan).advance(bars, is_compiled=True)
    for end, column in Evaluation(plan).advance(bars, is_compiled=False).items():
        np.testing.assert_array_equal(compiled[end], column)
