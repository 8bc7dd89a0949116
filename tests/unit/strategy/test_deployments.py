"""A deployment's book follows the fills trading booked, and its decisions are those of the backtest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.executor import Executor
from alphintra.engine.from_fill import working_price
from alphintra.engine.graph import canonical_json, compile_plan
from alphintra.engine.intents import Intent, Outcome
from alphintra.engine.portfolio import FLAT, cash_delta
from alphintra.engine.protection import Level, LevelKind, Protection, guarded
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, DeploymentId, FeedId, UserId, WorkflowVersionId
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from alphintra.strategy.domain.deployments import BookedFill, Deployment, Exits, evaluate, exits_of, fold_fills, warm_up
from alphintra.strategy.domain.requests import may_see, require_label, require_timeframe
from unit.engine.builders import START, flat_bars

LEAST = Decimal("0.000001")  # where an order lies of which no price is left: nothing reaches it
GRAPH = crossover(2, 4, average="sma", percent="50")
PLAN = compile_plan(GRAPH)
# Half of the equity still pays for the next open: a buy the cash does not cover is refused by risk, not by the book.
prices = st.lists(st.integers(60, 110), min_size=8, max_size=40)


def deployment(*, capital: str = "10000") -> Deployment:
    return Deployment(
        deployment_id=DeploymentId(UUID(int=1)),
        owner_id=UserId(UUID(int=2)),
        version_id=WorkflowVersionId(UUID(int=3)),
        graph_hash=PLAN.graph_hash,
        graph=canonical_json(GRAPH).decode(),
        account_id=AccountId(UUID(int=4)),
        feed_id=FeedId(UUID(int=5)),
        symbol="AAPL",
        capital=Decimal(capital),
        status="active",
        last_seq=0,
        executor_state="",
        cash=Decimal(capital),
        position=FLAT,
        fees=Decimal(0),
        last_price=None,
        intent_count=0,
        bars_held=0,
        exit_owed="",
        error="",
        created_at=START,
    )


def paper_fills(closes: list[int], *, restart_every: int) -> list[tuple[str, Decimal, Decimal]]:
    """Run a deployment over flat bars, each order filled at the next one; a new executor now and then."""
    running, executor, fills = deployment(), Executor(PLAN), []
    waiting: list[tuple[Side, Decimal]] = []
    for seq, bar in enumerate(flat_bars(closes), start=1):
        booked = [BookedFill(side, qty, bar.open, Decimal(0)) for side, qty in waiting]
        fills += [(side.value, qty, bar.open) for side, qty in waiting]
        if seq % restart_every == 0 and running.executor_state:
            executor = Executor(PLAN)
            executor.restore(running.executor_state.encode())
        running = fold_fills(running, booked)
        done = evaluate(running, executor, bar, seq=seq, is_order_working=False, at=START)
        running = done.deployment
        waiting = [(intent.side, intent.qty) for intent in done.intents]
    return fills


@given(prices, st.integers(1, 7))
def test_a_deployment_restarted_at_any_bar_fills_what_the_backtest_fills(closes: list[int], restart_every: int) -> None:
    settings = BacktestSettings(initial_cash=Decimal(10000))
    result = run_backtest(PLAN, "AAPL", bars=flat_bars(closes), settings=settings)
    wanted = [(fill.side.value, fill.qty, fill.price) for fill in result.fills]
    assert paper_fills(closes, restart_every=restart_every) == wanted


@given(prices, st.integers(4, 40))
def test_warming_leaves_the_executor_as_if_it_had_run_all_along(closes: list[int], cut: int) -> None:
    bars = flat_bars(closes)
    warmed, along = Executor(PLAN), Executor(PLAN)
    warm_up(warmed, bars[:cut], capital=Decimal(10000))
    running = deployment()
    for seq, bar in enumerate(bars[:cut], start=1):
        running = evaluate(running, along, bar, seq=seq, is_order_working=False, at=START).deployment
    assert warmed.snapshot() == along.snapshot() == running.executor_state.encode()


def test_nothing_is_asked_for_before_the_averages_are_ready() -> None:
    running, executor = deployment(), Executor(PLAN)
    for seq, bar in enumerate(flat_bars([10, 20, 30, 40, 50])[: PLAN.warm_up_bars], start=1):
        done = evaluate(running, executor, bar, seq=seq, is_order_working=False, at=START)
        assert (done.decision.outcome, done.intents) == (Outcome.WARMING_UP, ())
        running = done.deployment


fills = st.lists(
    st.builds(
        BookedFill,
        side=st.sampled_from(Side),
        qty=st.integers(1, 100).map(Decimal),
        price=st.decimals("0.01", "1000", places=6),
        fee=st.decimals("0", "5", places=6),
    ),
    max_size=12,
)


@given(fills, st.integers(0, 12))
def test_fills_fold_to_the_same_book_at_once_or_one_after_another(booked: list[BookedFill], cut: int) -> None:
    at_once = fold_fills(deployment(), booked)
    assert fold_fills(fold_fills(deployment(), booked[:cut]), booked[cut:]) == at_once
    flow = sum((cash_delta(f.side, f.qty, price=f.price, fee=f.fee) for f in booked), Decimal(0))
    assert at_once.cash == Decimal(10000) + flow
    assert at_once.position.qty == sum(f.qty if f.side is Side.BUY else -f.qty for f in booked)
    marked = replace(at_once, last_price=Decimal(7))
    profit = marked.position.realized + marked.position.unrealized(Decimal(7)) - marked.fees
    assert marked.equity == Decimal(10000) + profit


@given(st.lists(st.sampled_from([Decimal(-5), Decimal(0), Decimal(5)]), max_size=12))
def test_bars_are_counted_from_the_one_that_opened_a_position(goals: list[Decimal]) -> None:
    running, executor, held = deployment(), Executor(PLAN), 0
    for seq, (bar, goal) in enumerate(zip(flat_bars([10] * len(goals)), goals, strict=True), start=1):
        change = goal - running.position.qty
        side = Side.BUY if change > 0 else Side.SELL
        booked = [BookedFill(side, abs(change), bar.open, Decimal(0))] if change else []
        held = 0 if not goal else 1 if change else held + 1
        running = fold_fills(running, booked)
        running = evaluate(running, executor, bar, seq=seq, is_order_working=False, at=START).deployment
        assert running.bars_held == held


def test_an_owed_exit_is_asked_for_until_the_position_is_flat() -> None:
    holding = fold_fills(deployment(), [BookedFill(Side.SELL, Decimal(5), Decimal(10), Decimal(0))])
    owing, executor = replace(holding, exit_owed="out"), Executor(PLAN)
    first, second, third = flat_bars([10, 10, 10])
    waiting = evaluate(owing, executor, first, seq=1, is_order_working=True, at=START)
    assert waiting.intents == ()
    asked = evaluate(waiting.deployment, executor, second, seq=2, is_order_working=False, at=START)
    (intent,) = asked.intents
    assert (intent.side, intent.qty, intent.reason, intent.tag) == (Side.BUY, Decimal(5), "exit", "out")
    assert (asked.decision.outcome, asked.deployment.exit_owed) == (Outcome.INTENT, "out")
    flat = fold_fills(asked.deployment, [BookedFill(Side.BUY, Decimal(5), Decimal(10), Decimal(0))])
    assert evaluate(flat, executor, third, seq=3, is_order_working=False, at=START).intents == ()
    assert flat.exit_owed == ""


def entry(protection: Protection, side: Side = Side.BUY) -> Intent:
    """Return a market order that brings exits."""
    kind, day = OrderType.MARKET, TimeInForce.DAY
    return Intent(0, "order", side, Decimal(5), kind, day, "entry", "", protection=protection)


def test_exits_no_order_can_bring_are_refused() -> None:
    stop = Level(LevelKind.PRICE, Decimal(9))
    assert exits_of(entry(Protection(stop=stop)), Decimal(10)) == Exits(stop_price=Decimal(9))
    for wrong in (
        Protection(stop=stop, trail=Level(LevelKind.PERCENT, Decimal(2))),
        Protection(chandelier=Decimal(1)),
        Protection(stop=stop, break_even=Decimal(1)),
    ):
        with pytest.raises(AlphintraError, match="EXITS_UNSUPPORTED"):
            exits_of(entry(wrong), Decimal(10))


@given(
    st.sampled_from([LevelKind.DISTANCE, LevelKind.PERCENT, LevelKind.REWARD]),
    st.decimals("0.1", "4", places=3),
    st.decimals("20", "30", places=4),
    st.sampled_from(list(Side)),
)
def test_exits_follow_from_the_fill_as_in_the_book(kind: LevelKind, amount: Decimal, fill: Decimal, side: Side) -> None:
    """What a venue reckons of what an order says is what the book of a backtest has."""
    is_long = side is Side.BUY
    stop = Level(LevelKind.PRICE, Decimal(19 if is_long else 31)) if kind is LevelKind.REWARD else Level(kind, amount)
    protection = Protection(stop=stop, target=Level(kind, amount))
    exits = exits_of(entry(protection, side), Decimal(25))
    guard = guarded(protection, side, qty=Decimal(5), price=fill, order_id="one")
    expected = guarded(protection, side, qty=Decimal(5), price=Decimal(25), order_id="one")
    assert (exits.stop_price, exits.take_profit) == (expected.stop, expected.target)
    assert exits.profit_from_fill is not None
    assert working_price(exits.profit_from_fill, fill, guard.side, is_limit=True) == (guard.target or LEAST)
    if kind is LevelKind.REWARD:
        assert (exits.stop_from_fill, guard.stop) == (None, stop.amount)
    else:
        assert exits.stop_from_fill is not None
        assert working_price(exits.stop_from_fill, fill, guard.side, is_limit=False) == (guard.stop or LEAST)


def test_equity_is_cash_before_the_first_price() -> None:
    assert deployment(capital="123.45").equity == Decimal("123.45")


def test_a_bar_is_evaluated_once() -> None:
    executor, bar = Executor(PLAN), flat_bars([10])[0]
    evaluate(deployment(), executor, bar, seq=1, is_order_working=False, at=START)
    with pytest.raises(AlphintraError, match="TIME_ORDER"):
        evaluate(deployment(), executor, bar, seq=1, is_order_working=False, at=START + timedelta(1))


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "FIELD_LENGTH"), ("x" * 9, "FIELD_LENGTH"), ("a\0", "FIELD_CHARS"), ("a\u202e", "FIELD_CHARS")],
)
def test_a_label_nobody_can_read_is_refused(text: str, code: str) -> None:
    with pytest.raises(AlphintraError, match=code) as caught:
        require_label(text, "name", length_max=8)
    assert caught.value.pointer == "/name"


def test_bars_of_another_interval_are_refused() -> None:
    require_timeframe("1d", "1d", symbol="AAPL")
    with pytest.raises(AlphintraError, match="TIMEFRAME_MISMATCH"):
        require_timeframe("1d", "5m", symbol="AAPL")


def test_owners_operator_and_services_see_a_persons_things() -> None:
    owner = UUID(int=7)

    def context(name: str, user_id: UUID | None = None) -> Context:
        return Context(trace_id="0" * 32, actor=Actor(id=name, user_id=user_id))

    assert may_see(owner, context("user:7", owner))
    assert may_see(None, context("operator"))
    assert may_see(owner, context("service:strategy"))
    assert not may_see(owner, context("user:8", UUID(int=8)))
    assert not may_see(None, context("somebody"))
