"""A backtest computed by hand, to the cent, and the promises every run keeps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest, run_hash
from alphintra.engine.book import Book, Fill, Order, fill_working
from alphintra.engine.costs import Costs
from alphintra.engine.executor import Executor
from alphintra.engine.graph import compile_plan
from alphintra.engine.portfolio import FLAT, FeeModel
from alphintra.engine.step import Origin, decide, step
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderStatus, Side
from unit.engine.builders import bar, day, flat_bars, node, threshold_graph

FIXED = compile_plan(threshold_graph())
TERMS = BacktestSettings(
    initial_cash=Decimal(1000),
    fees=FeeModel(commission_bps=Decimal(10), minimum=Decimal(1)),
    slippage_bps=Decimal(100),
)
SHAPES = ["9 9 9 9", "10 12 10 11", "12 13 11 12", "11 11 8 9", "8 10 8 9.5"]


def by_hand() -> BacktestResult:
    bars = [bar(index, shape) for index, shape in enumerate(SHAPES)]
    return run_backtest(FIXED, "TEST", bars=bars, settings=TERMS)


def test_fills_cash_and_equity_are_those_computed_by_hand() -> None:
    """Buy 10 at 12 + 1 % = 12.12, sell at 8 - 1 % = 7.92, one currency unit of fee each."""
    result = by_hand()
    assert [(fill.ts, fill.side, fill.qty, fill.price, fill.fee) for fill in result.fills] == [
        (day(2), Side.BUY, Decimal(10), Decimal("12.12"), Decimal(1)),
        (day(4), Side.SELL, Decimal(10), Decimal("7.92"), Decimal(1)),
    ]
    expected = ["1000", "1000", "997.8", "967.8", "956"]
    assert [point.equity for point in result.equity] == [Decimal(amount) for amount in expected]
    (trade,) = result.trades
    assert (trade.gross, trade.fees, trade.net, trade.bars) == (Decimal(-42), Decimal(2), Decimal(-44), 2)
    assert (trade.entry_tag, trade.exit_tag) == ("in", "out")
    assert result.position == replace(FLAT, realized=Decimal(-42))


def test_each_signal_without_trade_is_counted_by_code() -> None:
    assert by_hand().blocked == {"blocked_in_position": 1, "blocked_no_position": 2}


def test_a_buy_beyond_the_free_cash_is_refused_and_counted() -> None:
    bars = [bar(0, "11 11 11 11"), bar(1, "200 200 9 10"), bar(2, "10 10 10 10")]
    result = run_backtest(FIXED, "TEST", bars=bars, settings=TERMS)
    assert result.fills == ()
    assert [(record.status, record.code) for record in result.orders] == [
        (OrderStatus.REJECTED, "EXCEEDS_FREE_BALANCE")
    ]
    assert result.blocked == {"EXCEEDS_FREE_BALANCE": 1}
    assert result.equity[-1].equity == Decimal(1000)


def test_an_open_position_is_valued_and_an_order_of_the_last_bar_stays_new() -> None:
    held = run_backtest(FIXED, "TEST", bars=flat_bars([11, 11, 12]), settings=TERMS)
    assert (held.position.qty, held.trades, held.honesty.is_position_open) == (Decimal(10), (), True)
    assert held.equity[-1].equity == Decimal(1000) - Decimal("111.1") - 1 + 120
    late = run_backtest(FIXED, "TEST", bars=flat_bars([10, 11]), settings=TERMS)
    assert [record.status for record in late.orders] == [OrderStatus.NEW]
    assert late.honesty.is_order_working


def test_the_honesty_block_tells_coverage_and_warm_up() -> None:
    bars = flat_bars([10, 11, 12, 13, 14, 15])
    plan = compile_plan(crossover(2, 3, average="sma"))
    honesty = run_backtest(plan, "TEST", bars=[*bars[:3], *bars[4:]], settings=TERMS).honesty
    assert (honesty.bars, honesty.warm_up_bars, honesty.largest_gap_days) == (5, 3, 2.0)
    assert (honesty.first_ts, honesty.last_ts, honesty.slippage_bps) == (day(0), day(5), Decimal(100))


def test_too_short_a_range_is_refused_naming_the_slow_node() -> None:
    plan = compile_plan(crossover(2, 3, average="sma"))
    with pytest.raises(AlphintraError, match=r"WARM_UP_SHORT.*needs 3 bars.*node slow \(SMA\); 3 bars"):
        run_backtest(plan, "TEST", bars=flat_bars([1, 2, 3]), settings=TERMS)


def test_bars_out_of_order_are_refused() -> None:
    with pytest.raises(AlphintraError, match="TIME_ORDER"):
        run_backtest(FIXED, "TEST", bars=flat_bars([1, 2])[::-1], settings=TERMS)


def test_progress_reaches_the_end_and_a_stop_ends_the_run() -> None:
    bars = flat_bars([10] * 600)
    told: list[tuple[int, int]] = []
    run_backtest(FIXED, "TEST", bars=bars, settings=TERMS, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 600), (256, 600), (512, 600), (600, 600)]
    answers = iter([False, True])
    with pytest.raises(AlphintraError, match=r"RUN_STOPPED.*after 256 of 600"):
        run_backtest(FIXED, "TEST", bars=bars, settings=TERMS, should_stop=lambda: next(answers))


walks = st.lists(st.integers(500, 1500).map(lambda cents: Decimal(cents) / 100), min_size=8, max_size=40)


@settings(max_examples=30)
@given(walks)
def test_a_second_run_gives_the_same_digest_and_equity_always_balances(prices: list[Decimal]) -> None:
    bars = flat_bars(prices)
    first = run_backtest(FIXED, "TEST", bars=bars, settings=TERMS)
    assert run_backtest(FIXED, "TEST", bars=bars, settings=TERMS) == first
    fees = sum((fill.fee for fill in first.fills), Decimal(0))
    last = first.equity[-1]
    gained = first.position.realized + first.position.unrealized(last.close) - fees
    assert last.equity == TERMS.initial_cash + gained


@settings(max_examples=30)
@given(walks, walks, st.integers(0, 40))
def test_noise_in_the_future_changes_no_fill_and_no_equity_before_it(
    prices: list[Decimal], noise: list[Decimal], cut: int
) -> None:
    size = node("size", "PercentEquity", percent="80")
    plan = compile_plan(threshold_graph(size=size))
    cut %= len(prices) + 1
    known = prices[:cut]
    runs = [
        run_backtest(plan, "TEST", bars=flat_bars([*known, *rest]), settings=TERMS)
        for rest in (prices[cut:], noise)
        if known + rest
    ]
    seen = [
        (run.equity[: len(known)], [fill for fill in run.fills if known and fill.ts <= day(len(known) - 1)])
        for run in runs
    ]
    assert all(item == seen[0] for item in seen)


def test_bars_met_one_by_one_give_the_orders_of_the_backtest() -> None:
    """What a paper deployment does, with the executor restarted from its snapshot at every bar."""
    bars = [bar(index, shape) for index, shape in enumerate(SHAPES)]
    costs, origin = Costs(TERMS.fees, TERMS.slippage_bps), Origin("backtest", "TEST")
    book = Book(TERMS.initial_cash)
    orders: list[Order] = []
    fills: list[Fill] = []
    saved = Executor(FIXED).snapshot()
    for item in bars:
        executor = Executor(FIXED)
        executor.restore(saved)
        book, filled, _ = fill_working(book, item, costs=costs)
        _, placed = decide(executor, item, book.view(item.close), origin=origin)
        book = replace(book, working=book.working + placed)
        orders += placed
        fills += filled
        saved = executor.snapshot()
    result = by_hand()
    assert [record.order for record in result.orders] == orders
    assert list(result.fills) == fills


def test_a_step_is_its_two_halves() -> None:
    item = bar(0, "11 11 11 11")
    got = step(Executor(FIXED), Book(Decimal(1000)), item, costs=Costs(), origin=Origin("d", "TEST"))
    assert [order.client_order_id for order in got.book.working] == [order.client_order_id for order in got.orders]
    assert len(got.orders) == 1


def test_the_records_of_a_result_are_json_able() -> None:
    result = by_hand()
    document = msgspec.json.decode(msgspec.json.encode([result.equity[-1:], result.orders]))
    assert document[0][-1]["equity"] == "956"
    assert document[1][0]["order"]["intent"]["side"] == "buy"


def test_the_run_hash_follows_every_input_and_counts_decimals_by_value() -> None:
    def of(settings: BacktestSettings = TERMS, *, graph: str = "g", data: str = "d", engine: str = "1") -> str:
        return run_hash(graph, data, settings=settings, engine_version=engine)

    fees = FeeModel(per_share=Decimal("0.01"))
    others = [
        of(graph="h"),
        of(data="e"),
        of(engine="2"),
        of(replace(TERMS, seed=1)),
        of(replace(TERMS, slippage_bps=Decimal(1))),
        of(replace(TERMS, initial_cash=Decimal(1))),
        of(replace(TERMS, fees=fees)),
    ]
    assert len({of(), *others}) == len(others) + 1
    assert of(replace(TERMS, initial_cash=Decimal("1000.00"))) == of()


@pytest.mark.parametrize(("cash", "slippage"), [("0", "0"), ("-1", "0"), ("NaN", "0"), ("1", "-1"), ("1", "1001")])
def test_impossible_settings_are_refused(cash: str, slippage: str) -> None:
    with pytest.raises(AlphintraError):
        BacktestSettings(initial_cash=Decimal(cash), slippage_bps=Decimal(slippage))
