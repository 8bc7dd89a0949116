"""Paper trading step by step: the backtest's fills, once each, whatever is killed or away meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.broker import AdvanceMarket
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import MarkPrices
from alphintra.contracts.strategy import DecisionView, StopDeployment
from alphintra.contracts.trading import GetOrder, ListExecutions, SubmitOrder
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.executor import Executor
from alphintra.engine.graph import compile_plan
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Command
from alphintra.strategy.domain.deployments import evaluate
from alphintra.strategy.service import placing, stepping
from fixtures.single_service import PowerCutError, opened, stop_at
from integration.strategy.power_cuts import run_out_through_cuts
from integration.strategy.stage import WAVE, Stage
from integration.strategy.town import FEES
from unit.engine.builders import flat_bars, graph, node, view

if TYPE_CHECKING:
    from alphintra.engine.graph import Graph
    from fixtures.postgres import ServiceDatabase

_WAVES = crossover(2, 4, average="sma", percent="50")
_FLAT = view()
POINTS = ("strategy.matched", "strategy.decided", "strategy.submitted", "strategy.settled", "strategy.placed")


def _values(decision: DecisionView) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(decision.values)
    return values


def walk(chance: Random, length: int) -> list[Decimal]:
    """Return random closes of which none is more than a fifth above the one before."""
    closes = [Decimal(100)]
    while len(closes) < length:
        closes.append(max(Decimal(5), round(closes[-1] * Decimal(chance.randint(85, 118)) / 100, 2)))
    return closes


def simulated(strategy: Graph, closes: list[Decimal]) -> list[tuple[str, str, Decimal, Decimal]]:
    settings = BacktestSettings(initial_cash=Decimal(10000), fees=FEES)
    result = run_backtest(compile_plan(strategy), "AAPL", bars=flat_bars(closes), settings=settings)
    return [(fill.ts.isoformat(), fill.side.value, fill.qty, fill.price) for fill in result.fills]


@asynccontextmanager
async def another(database: ServiceDatabase, folder: Path) -> AsyncIterator[Stage]:
    async with opened(database) as connected:
        yield await Stage.over(database, connected, folder)


@pytest.mark.parametrize("seed", range(12))
async def test_paper_trading_fills_what_the_backtest_fills(stage: Stage, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - a repeatable market, no secret
    fast = chance.randint(2, 4)
    slow = fast + chance.randint(1, 6)
    strategy = crossover(fast, slow, average="ema" if seed % 2 else "sma", percent="60")
    closes = walk(chance, 85)
    feed_id = await stage.make_feed(closes)
    deployment = await stage.deploy(feed_id, strategy)
    stage.town.lag = seed % 3
    await stage.run_out(feed_id)
    wanted = simulated(strategy, closes)
    assert stage.town.books(deployment.deployment_id) == wanted
    assert wanted
    view = await stage.deployment(deployment.deployment_id)
    last = run_backtest(
        compile_plan(strategy),
        "AAPL",
        bars=flat_bars(closes),
        settings=BacktestSettings(initial_cash=Decimal(10000), fees=FEES),
    ).equity[-1]
    assert (view.equity, view.cash, view.position_qty) == (last.equity, last.cash, last.qty)


async def uninterrupted(stage: Stage, closes: list[Decimal], strategy: Graph) -> dict[str, Any]:
    feed_id = await stage.make_feed(closes)
    deployment = await stage.deploy(feed_id, strategy)
    await stage.run_out(feed_id)
    return await stage.state(deployment.deployment_id)


async def interrupted(
    stage: Stage, closes: list[Decimal], strategy: Graph, crash_at: Callable[[str], bool]
) -> tuple[dict[str, Any], int]:
    """Run with power cuts where ``crash_at`` says so, each followed by a runner that remembers nothing."""
    feed_id = await stage.make_feed(closes)
    deployment = await stage.deploy(feed_id, strategy)
    crashes = await run_out_through_cuts(stage, feed_id, crash_at)
    return await stage.state(deployment.deployment_id), crashes


@pytest.mark.parametrize("seed", range(8))
async def test_a_run_cut_off_anywhere_is_the_run_that_never_was(
    stage: Stage, service_database: Callable[[str], Awaitable[ServiceDatabase]], tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - a repeatable market, no secret
    closes, strategy = walk(chance, 40), crossover(2, 3, average="sma", percent="60")
    stage.town.lag = 2
    whole = await uninterrupted(stage, closes, strategy)
    assert len(whole["fills"]) > 2
    async with another(await service_database("strategy"), tmp_path / "other") as other:
        other.town.lag = 2
        cut, crashes = await interrupted(other, closes, strategy, lambda _name: chance.random() < 0.25)
    assert crashes > 5
    assert cut == whole


@pytest.mark.parametrize("point", POINTS)
async def test_a_cut_at_one_point_of_every_step_changes_nothing(
    stage: Stage, service_database: Callable[[str], Awaitable[ServiceDatabase]], tmp_path: Path, point: str
) -> None:
    closes, strategy = [Decimal(price) for price in WAVE], crossover(2, 4, average="sma", percent="50")
    stage.town.lag = 1
    whole = await uninterrupted(stage, closes, strategy)
    is_due = dict.fromkeys(POINTS, True)

    def every_other_time(name: str) -> bool:
        if name != point:
            return False
        is_due[name] = not is_due[name]
        return not is_due[name]

    async with another(await service_database("strategy"), tmp_path / "other") as other:
        other.town.lag = 1
        cut, crashes = await interrupted(other, closes, strategy, every_other_time)
    assert crashes >= 3
    assert cut == whole


async def test_a_step_killed_while_its_order_was_on_the_way_waits_for_it_when_repeated(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()
    deployment = await stage.deploy(feed_id)
    stage.town.lag = 3
    with monkeypatch.context() as crashing:
        stop_at(crashing, placing, "strategy.settled")
        with pytest.raises(PowerCutError):
            await stage.run_out(feed_id)
    (order,) = stage.town.placed(deployment.deployment_id)
    assert order.status == "pending_new"
    before = (await stage.feed(feed_id)).seq
    await stage.step(feed_id)
    (order,) = stage.town.placed(deployment.deployment_id)
    assert (order.status, (await stage.feed(feed_id)).seq) == ("new", before + 1)


async def stepped_until_order_works(stage: Stage, feed_id: Any, deployment_id: Any) -> None:  # noqa: ANN401 - ids
    stepper = await stage.stepper(feed_id)
    while not [order for order in stage.town.placed(deployment_id) if order.status == "new"]:
        await stage.step(feed_id, stepper=stepper)


async def test_a_deployment_stopped_while_its_order_works_still_books_the_fill(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stepped_until_order_works(stage, feed_id, deployment_id)
    stopped = await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    assert (stopped.status, stopped.position_qty) == ("stopped", Decimal(0))
    await stage.step(feed_id)
    ((_, side, qty, _price),) = stage.town.books(deployment_id)
    after = await stage.deployment(deployment_id)
    assert (side, after.position_qty, after.status) == ("buy", qty, "stopped")
    assert after.cash < Decimal(10000)
    decided = len(await stage.decisions(deployment_id))
    await stage.run_out(feed_id)
    last = await stage.deployment(deployment_id)
    assert (last.position_qty, last.intents, last.last_seq) == (qty, 1, after.last_seq)
    assert len(await stage.decisions(deployment_id)) == decided
    assert await stage.audited("deployment.stop") == [f"deployment:{deployment_id}"]


async def test_a_stopped_deployment_whose_step_is_killed_books_its_fill_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stepped_until_order_works(stage, feed_id, deployment_id)
    await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    for point in ("strategy.matched", "strategy.decided", "strategy.placed"):
        with monkeypatch.context() as crashing:
            stop_at(crashing, stepping, point)
            with pytest.raises(PowerCutError):
                await stage.step(feed_id)
    await stage.step(feed_id)
    ((_, _side, qty, _price),) = stage.town.books(deployment_id)
    assert (await stage.deployment(deployment_id)).position_qty == qty


@pytest.mark.parametrize("kind", [AdvanceMarket, ListExecutions, MarkPrices, SubmitOrder, GetOrder])
async def test_a_step_is_done_when_the_service_that_was_away_is_back(stage: Stage, kind: type[Command[Any]]) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    failures = 0
    while (await stage.feed(feed_id)).status != "finished":
        stage.town.fail(kind, times=2)
        for _ in range(3):
            try:
                await stage.step(feed_id)
            except AlphintraError as error:
                assert error.kind is Kind.UNAVAILABLE  # noqa: PT017 - not every step asks
                failures += 1
            else:
                break
    assert failures >= 4
    assert stage.town.books(deployment_id) == simulated(_WAVES, [Decimal(price) for price in WAVE])
    assert stage.town.marks[feed_id] == sorted(stage.town.marks[feed_id])


async def test_a_step_that_is_not_booked_in_time_is_given_up_for_now(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "SETTLE_TIMEOUT_S", 0.05)
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stepped_until_order_works(stage, feed_id, deployment_id)
    before = await stage.feed(feed_id)
    stage.town.lag = 1000
    with pytest.raises(AlphintraError, match="STEP_WAITS") as caught:
        await stage.step(feed_id)
    assert caught.value.kind is Kind.UNAVAILABLE
    assert await stage.feed(feed_id) == before


async def test_an_order_risk_denies_is_closed_and_shown_in_its_decision(stage: Stage) -> None:
    stage.town.denies = lambda _command: "LIMIT_POSITION"
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stage.run_out(feed_id)
    shown = [(item.outcome, item.order_code) for item in await stage.decisions(deployment_id) if item.client_order_id]
    assert shown == [("intent", "LIMIT_POSITION")] * 3
    statuses = {row["status"] for row in await stage.rows("select status from intents")}
    assert (statuses, (await stage.deployment(deployment_id)).status) == ({"closed"}, "active")


async def test_an_order_the_venue_refuses_is_closed_with_its_code(stage: Stage) -> None:
    def refuse(order: OrderView) -> str:
        return "KILL_ACTIVE" if order.side == "buy" else ""

    stage.town.refuses = refuse
    stage.town.lag = 1
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stage.run_out(feed_id)
    codes = {item.order_code for item in await stage.decisions(deployment_id, outcome="intent")}
    assert (codes, stage.town.executions) == ({"KILL_ACTIVE"}, [])


async def test_an_order_trading_cannot_place_is_closed_with_its_code_and_the_feed_goes_on(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.fail(SubmitOrder, times=1, code="ORDER_LOT", kind=Kind.INVALID)
    await stage.run_out(feed_id)
    codes = [item.order_code for item in await stage.decisions(deployment_id, outcome="intent")]
    assert codes[0] == "ORDER_LOT"
    assert set(codes[1:]) == {""}


async def test_an_order_another_runner_is_placing_is_placed_again_not_given_up(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.fail(SubmitOrder, times=1, code="ORDER_CONFLICT", kind=Kind.CONFLICT)
    with pytest.raises(AlphintraError, match="ORDER_CONFLICT"):
        await stage.run_out(feed_id)
    await stage.run_out(feed_id)
    assert stage.town.books(deployment_id) == simulated(_WAVES, [Decimal(price) for price in WAVE])


async def test_of_two_runners_at_a_step_one_does_it_and_the_late_one_is_told(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    first, second = await stage.stepper(feed_id), await stage.stepper(feed_id)
    moved = 0
    for step in first.steps:
        await first.advance(step, "0" * 32)
        with pytest.raises(AlphintraError, match="FEED_MOVED") as caught:
            await second.advance(step, "0" * 32)
        assert caught.value.kind is Kind.CONFLICT
        first, second, moved = second, first, moved + 1
    assert moved == len(WAVE)
    assert stage.town.books(deployment_id) == simulated(_WAVES, [Decimal(price) for price in WAVE])
    assert len(await stage.decisions(deployment_id)) == len(WAVE)


async def test_nothing_is_ordered_while_averages_warm_up_whatever_prices_do(stage: Stage) -> None:
    strategy = crossover(2, 20, average="sma", percent="50")
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id, strategy)).deployment_id
    await stage.step(feed_id, times=compile_plan(strategy).warm_up_bars)
    decisions = await stage.decisions(deployment_id)
    assert {item.outcome for item in decisions} == {"warming_up"}
    assert stage.town.asked_for(SubmitOrder) == 0


async def test_a_deployment_made_mid_feed_is_warmed_on_the_bars_before_and_orders_nothing_on_them(stage: Stage) -> None:
    strategy, closes = crossover(2, 4, average="sma", percent="50"), [Decimal(price) for price in WAVE]
    feed_id = await stage.make_feed()
    await stage.step(feed_id, times=9)
    deployment = await stage.deploy(feed_id, strategy)
    assert deployment.last_seq == 9
    await stage.run_out(feed_id)
    decisions = await stage.decisions(deployment.deployment_id)
    assert [item.seq for item in decisions] == list(range(10, len(WAVE) + 1))
    assert "warming_up" not in {item.outcome for item in decisions}
    executor = Executor(compile_plan(strategy))
    values = [executor.on_bar(bar, _FLAT).values["slow"] for bar in flat_bars(closes)][9:]
    assert [_values(item)["slow"] for item in decisions] == values


async def test_a_deployment_made_while_a_step_is_under_way_misses_no_bar(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()
    await stage.step(feed_id, times=5)
    with monkeypatch.context() as crashing:
        stop_at(crashing, stepping, "strategy.placed")
        stepper = await stage.stepper(feed_id)
        with pytest.raises(PowerCutError):
            await stage.step(feed_id, stepper=stepper)
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    async with stage.desk.transaction() as tx:
        await tx.advance_feed(feed_id, seq=6, ts=stepper.steps[5].ts)
    await stage.step(feed_id)
    ((kept,),) = await stage.rows("select executor_state from deployments")
    along = Executor(compile_plan(_WAVES))
    for bar in flat_bars(WAVE[:7]):
        along.on_bar(bar, _FLAT)
    assert kept.encode() == along.snapshot()
    assert [item.seq for item in await stage.decisions(deployment_id)] == [7]


async def test_two_deployments_in_one_account_keep_separate_books(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    account_id = stage.town.open_account(stage.owner_id, feed_id)
    strategies = (crossover(2, 4, average="sma", percent="50"), crossover(2, 3, average="ema", percent="30"))
    found = [await stage.deploy(feed_id, strategy, account_id=account_id) for strategy in strategies]
    await stage.run_out(feed_id)
    closes = [Decimal(price) for price in WAVE]
    for deployment, strategy in zip(found, strategies, strict=True):
        assert stage.town.books(deployment.deployment_id) == simulated(strategy, closes)
    views = [await stage.deployment(deployment.deployment_id) for deployment in found]
    spent = sum(Decimal(10000) - view.cash for view in views)
    assert Decimal(100000) - stage.town.accounts[account_id].cash == spent
    held = sum(position.qty for position in stage.town.positions.values())
    assert held == sum(view.position_qty for view in views)
    assert len({view.cash for view in views}) == 2


async def test_deployments_on_different_symbols_see_their_own_bars_only(stage: Stage) -> None:
    mixed = {"AAPL": flat_bars(WAVE), "MSFT": flat_bars(WAVE[::-1])[3:20]}
    feed_id = await stage.make_feed(mixed)
    apple, soft = await stage.deploy(feed_id), await stage.deploy(feed_id, symbol="MSFT")
    await stage.run_out(feed_id)
    assert [item.seq for item in await stage.decisions(soft.deployment_id)] == list(range(4, 21))
    assert len(await stage.decisions(apple.deployment_id)) == len(WAVE)
    settings = BacktestSettings(initial_cash=Decimal(10000), fees=FEES)
    for deployment, symbol in ((apple, "AAPL"), (soft, "MSFT")):
        result = run_backtest(compile_plan(_WAVES), symbol, bars=mixed[symbol], settings=settings)
        wanted = [(fill.ts.isoformat(), fill.side.value, fill.qty, fill.price) for fill in result.fills]
        assert stage.town.books(deployment.deployment_id) == wanted


@pytest.mark.parametrize("is_bug", [False, True], ids=["named failure", "bug"])
async def test_a_strategy_that_fails_is_stopped_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *, is_bug: bool
) -> None:
    feed_id = await stage.make_feed()
    good, bad = await stage.deploy(feed_id), await stage.deploy(feed_id)

    def failing(deployment: Any, *rest: Any, seq: int, **named: Any) -> Any:  # noqa: ANN401 - passed on
        if deployment.deployment_id == bad.deployment_id and seq == 12:
            raise ArithmeticError if is_bug else AlphintraError("NODE_VALUE", "node x gave inf")
        return evaluate(deployment, *rest, seq=seq, **named)

    monkeypatch.setattr(stepping, "evaluate", failing)
    await stage.run_out(feed_id)
    failed = await stage.deployment(bad.deployment_id)
    error = "INTERNAL: ArithmeticError" if is_bug else "NODE_VALUE: node x gave inf"
    assert (failed.status, failed.error) == ("failed", error)
    *before, last = await stage.decisions(bad.deployment_id)
    assert [each.seq for each in before] == list(range(1, 12))
    assert {each.reason for each in before} == {""}
    assert (last.seq, last.outcome, last.reason, last.values) == (12, "failed", error, "{}")
    assert await stage.decisions(bad.deployment_id, outcome="failed") == [last]
    assert stage.town.books(good.deployment_id) == simulated(_WAVES, [Decimal(price) for price in WAVE])
    assert await stage.audited("deployment.fail") == [f"deployment:{bad.deployment_id}"]


def above_eleven() -> Graph:
    """Return a strategy that holds ten shares while the close is above eleven."""
    return graph(
        [
            node("bars", "Bars"),
            node("level", "Const", value=11),
            node("above", "Compare", op="gt"),
            node("entry", "Entry", tag="in"),
            node("leave", "ExitWhen", tag="out"),
            node("below", "Compare", op="lt"),
            node("size", "FixedQty", quantity=10),
            node("order", "Order", type="market", tif="day"),
        ],
        [
            ("bars.close", "above.a"),
            ("level.out", "above.b"),
            ("bars.close", "below.a"),
            ("level.out", "below.b"),
            ("above.out", "entry.when"),
            ("below.out", "leave.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
            ("leave.exit", "order.exit"),
        ],
    )


async def test_every_decision_tells_its_node_values(stage: Stage) -> None:
    feed_id = await stage.make_feed([10, 12, 12, 12, 10, 10])
    deployment_id = (await stage.deploy(feed_id, above_eleven())).deployment_id
    await stage.run_out(feed_id)
    decisions = await stage.decisions(deployment_id)
    outcomes = [item.outcome for item in decisions]
    wanted = ["blocked_no_position", "intent", "blocked_in_position", "blocked_in_position", "intent"]
    assert outcomes == [*wanted, "blocked_no_position"]
    assert [_values(item)["above"] for item in decisions] == [False, True, True, True, False, False]
    assert [bool(item.client_order_id) for item in decisions] == [outcome == "intent" for outcome in outcomes]


async def test_while_an_order_works_unfilled_no_other_is_asked_for(stage: Stage) -> None:
    stage.town.is_venue_idle = True
    feed_id = await stage.make_feed([10, 12, 12, 12])
    deployment_id = (await stage.deploy(feed_id, above_eleven())).deployment_id
    await stage.step(feed_id, times=3)
    outcomes = [item.outcome for item in await stage.decisions(deployment_id)]
    assert outcomes == ["blocked_no_position", "intent", "blocked_order_working"]
    stage.town.is_venue_idle = False
    await stage.step(feed_id)
    assert (await stage.deployment(deployment_id)).position_qty == Decimal(10)
    assert len(stage.town.orders) == 1
