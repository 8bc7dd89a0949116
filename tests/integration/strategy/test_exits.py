"""Exits that come with an entry, and short sides: paper trades them as the backtest does, whatever is cut."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from alphintra.contracts.trading import CancelOrder, SubmitOrder
from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.pretrade.limits import default_limits
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce
from integration.strategy.power_cuts import require_cuts_change_nothing
from integration.strategy.town import FEES
from unit.engine.builders import bar, flat_bars, graph, node

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from uuid import UUID

    from alphintra.contracts.strategy import DeploymentView
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph import Graph, Node
    from fixtures.postgres import ServiceDatabase
    from integration.strategy.stage import Stage

EXITS: Final = {
    "rule": [],
    "stop": [node("stop", "StopLoss", percent="2")],
    "target": [node("target", "TakeProfit", percent="3")],
    "trail": [node("trail", "TrailingStop", percent="2")],
    "bracket": [node("stop", "StopLoss", percent="2"), node("target", "TakeProfit", percent="3")],
    "trailed bracket": [node("trail", "TrailingStop", percent="3"), node("target", "TakeProfit", percent="2")],
    "time": [node("time", "TimeStop", bars=3)],
    "all": [
        node("stop", "StopLoss", percent="3"),
        node("target", "TakeProfit", percent="4"),
        node("time", "TimeStop", bars=2),
    ],
}
SIDES: Final = ("long", "short", "both")
CAPITAL: Final = "4000"
SETTINGS: Final = BacktestSettings(
    initial_cash=Decimal(CAPITAL), fees=FEES, limits=replace(default_limits(), may_short=True)
)


def strategy(exits: list[Node], side: str, *, leaves_at: float = 103) -> Graph:
    """Hold ten shares: long above 100, short below it; leave by rule beyond a price on either side."""
    nodes = [
        node("bars", "Bars"),
        node("level", "Const", value=100),
        node("far", "Const", value=leaves_at),
        node("near", "Const", value=200 - leaves_at),
        *([node("above", "Compare", op="gt")] if side != "short" else []),
        *([node("below", "Compare", op="lt")] if side != "long" else []),
        node("high", "Compare", op="gt"),
        node("low", "Compare", op="lt"),
        node("beyond", "Any"),
        node("entry", "Entry", tag="in"),
        node("leave", "ExitWhen", tag="out"),
        node("size", "FixedQty", quantity=10),
        node("order", "Order", type="market", tif="day"),
        *exits,
    ]
    wires = [
        ("bars.close", "high.a"),
        ("far.out", "high.b"),
        ("bars.close", "low.a"),
        ("near.out", "low.b"),
        ("high.out", "beyond.in"),
        ("low.out", "beyond.in"),
        ("beyond.out", "leave.when"),
        ("entry.signal", "size.signal"),
        ("size.size", "order.size"),
        ("leave.exit", "order.exit"),
        *((f"{each.id}.exit", "order.exit") for each in exits),
    ]
    for name, port, is_asked in (("above", "when", side != "short"), ("below", "short", side != "long")):
        asked = [("bars.close", f"{name}.a"), ("level.out", f"{name}.b"), (f"{name}.out", f"entry.{port}")]
        wires += asked if is_asked else []
    return graph(nodes, wires)


def wild_bars(chance: Random, count: int) -> list[Bar]:
    """Return bars around 100 with gaps, and wide enough to touch a stop, a target or both."""
    bars, last = [], Decimal(100)
    for index in range(count):
        opened = last + Decimal(chance.randint(-300, 300)) / 100 * chance.choice([0, 1])
        closed = opened + Decimal(chance.randint(-350, 350)) / 100
        reach = chance.choice([0, 100, 400])
        high = max(opened, closed) + Decimal(chance.randint(0, reach)) / 100
        low = min(opened, closed) - Decimal(chance.randint(0, reach)) / 100
        bars.append(bar(index, f"{opened} {high} {low} {closed}"))
        last = closed + (100 - closed) / 4
        last = round(last, 2)
    return bars


def simulated(strategy: Graph, symbol: str, bars: list[Bar]) -> BacktestResult:
    return run_backtest(compile_plan(strategy), symbol, bars=bars, settings=SETTINGS)


async def require_like(stage: Stage, deployment_id: Any, result: BacktestResult) -> None:  # noqa: ANN401 - an id
    """A deployment did what the backtest did: every fill, decision, label and amount."""
    wanted = [(fill.ts.isoformat(), fill.side.value, fill.qty, fill.price) for fill in result.fills]
    assert stage.town.books(deployment_id) == wanted
    decisions = await stage.decisions(deployment_id)
    assert [each.outcome for each in decisions] == [each.outcome for each in result.decisions]
    assert [each.bar_ts for each in decisions] == [each.ts for each in result.decisions]
    last = result.equity[-1]
    view = await stage.deployment(deployment_id)
    assert (view.cash, view.position_qty, view.equity) == (last.cash, last.qty, last.equity)
    rows = await stage.rows(
        "select exit_leg from intents where deployment_id = $1 and exit_leg <> '' order by seq", deployment_id
    )
    assert [row["exit_leg"] for row in rows] == [fill.leg for fill in result.fills if fill.leg]


async def run_beside(stage: Stage, seed: int, count: int, graphs: Sequence[Graph]) -> dict[UUID, BacktestResult]:
    """Run deployments side by side, each on a symbol of its own; return by their ids what the backtests give."""
    chance = Random(seed)  # noqa: S311 - a repeatable market, no secret
    bars = {f"S{number:02}": wild_bars(chance, count) for number in range(len(graphs))}
    feed_id = await stage.make_feed(bars)
    found = {}
    for symbol, asked in zip(bars, graphs, strict=True):
        deployment = await stage.deploy(feed_id, asked, symbol=symbol, capital=CAPITAL)
        found[deployment.deployment_id] = simulated(asked, symbol, bars[symbol])
    stage.town.lag = seed % 2
    await stage.run_out(feed_id)
    return found


async def run_exits(stage: Stage, seed: int, count: int, sides: tuple[str, ...]) -> list[BacktestResult]:
    """Run every kind of exit on some sides, and hold each against its backtest."""
    found = await run_beside(stage, seed, count, [strategy(EXITS[exits], side) for exits in EXITS for side in sides])
    for deployment_id, result in found.items():
        await require_like(stage, deployment_id, result)
    return list(found.values())


async def test_every_exit_on_every_side_trades_on_paper_as_in_the_backtest(stage: Stage) -> None:
    results = await run_exits(stage, 1, 12, ("both",))
    assert {fill.leg for result in results for fill in result.fills} == {"", "stop", "target", "trail"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
async def test_exits_trade_alike_over_many_bars(stage: Stage, seed: int) -> None:
    results = await run_exits(stage, seed, 60, SIDES)
    assert any(fill.is_ambiguous for result in results for fill in result.fills)


GAP_OVER_THE_STOP = ["100 101 100 101", "101 101 101 101", "95 96 94 95", "95 95 95 95"]
BOTH_IN_ONE_BAR = ["100 101 100 101", "101 101 101 101", "101 105 98 101", "101 101 101 101"]
ENTRY_BAR_TOUCHES_STOP = ["100 101 100 101", "101 102 98 101", "101 101 101 101", "101 101 101 101"]
GAP_OVER_THE_TARGET = ["100 101 100 101", "101 101 101 101", "108 109 107 108", "101 101 101 101"]


@pytest.mark.parametrize(
    ("shape", "leg", "price"),
    [
        (GAP_OVER_THE_STOP, "stop", "95"),
        (BOTH_IN_ONE_BAR, "stop", "98.98"),
        (ENTRY_BAR_TOUCHES_STOP, "stop", "98.98"),
        (GAP_OVER_THE_TARGET, "target", "108"),
    ],
    ids=["gap over the stop", "stop and target in one bar", "the entry's bar touches the stop", "gap over the target"],
)
async def test_a_bar_of_an_awkward_shape_fills_alike(stage: Stage, shape: list[str], leg: str, price: str) -> None:
    bars = [bar(index, prices) for index, prices in enumerate(shape)]
    asked = strategy(EXITS["bracket"], "long", leaves_at=150)
    feed_id = await stage.make_feed({"AAPL": bars})
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    await stage.run_out(feed_id)
    result = simulated(asked, "AAPL", bars)
    await require_like(stage, deployment_id, result)
    assert (result.fills[1].leg, result.fills[1].price) == (leg, Decimal(price))


LEFT_BY_RULE = [101, 101, 101, 104, 104, 99, 101, 101, 104, 104]


async def test_an_entry_brings_its_exits_as_one_group_that_works_until_cancelled(stage: Stage) -> None:
    feed_id = await stage.make_feed([101, 101, 101])
    deployment_id = (await stage.deploy(feed_id, strategy(EXITS["bracket"], "long"))).deployment_id
    await stage.step(feed_id)
    (entry,) = [order for order in stage.town.asked if isinstance(order, SubmitOrder)]
    assert (entry.order_class, entry.time_in_force) == (OrderClass.BRACKET, TimeInForce.GTC)
    assert entry.take_profit is not None
    assert entry.stop_loss is not None
    assert (entry.take_profit.limit_price, entry.stop_loss.stop_price) == (Decimal("104.03"), Decimal("98.98"))
    kinds = {order.type for order in stage.town.placed(deployment_id)}
    assert kinds == {OrderType.MARKET, OrderType.LIMIT, OrderType.STOP}


async def test_a_rule_that_leaves_takes_the_exits_off_before(stage: Stage) -> None:
    stage.town.lag = 2
    asked, bars = strategy(EXITS["stop"], "both"), flat_bars(LEFT_BY_RULE)
    feed_id = await stage.make_feed({"AAPL": bars})
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    await stage.run_out(feed_id)
    await require_like(stage, deployment_id, simulated(asked, "AAPL", bars))
    assert stage.town.asked_for(CancelOrder) >= 2


async def test_a_run_cut_at_every_point_of_taking_exits_off_is_the_run_that_never_was(
    stage: Stage, service_database: Callable[[str], Awaitable[ServiceDatabase]], tmp_path: Path
) -> None:
    async def deployed(on: Stage) -> DeploymentView:
        chance = Random(9)  # noqa: S311 - a repeatable market, no secret
        feed_id = await on.make_feed({"AAPL": wild_bars(chance, 40)})
        return await on.deploy(feed_id, strategy(EXITS["all"], "both"))

    database = await service_database("strategy")
    passed = await require_cuts_change_nothing(stage, database, tmp_path / "other", deployed)
    assert {"strategy.exit_withdrawn", "strategy.exits_gone", "strategy.submitted"} <= passed


async def test_a_refused_exit_is_told_once_and_tried_again_at_every_bar(stage: Stage) -> None:
    refused = {"n": 2}

    def deny(command: SubmitOrder) -> str:
        if command.side == "buy" or not refused["n"]:
            return ""
        refused["n"] -= 1
        return "RISK_RATE"

    stage.town.denies = deny
    closes = [101, 101, 104, 101, 101, 99, 99]
    feed_id = await stage.make_feed(closes)
    deployment_id = (await stage.deploy(feed_id, strategy(EXITS["stop"], "long"))).deployment_id
    await stage.run_out(feed_id)
    decisions = await stage.decisions(deployment_id)
    assert [each.order_code for each in decisions if each.order_code] == ["RISK_RATE", "RISK_RATE"]
    assert [each.seq for each in decisions if each.order_code] == [3, 4]
    (told,) = await stage.told("protection_lost")
    assert (told["code"], told["deployment_id"]) == ("RISK_RATE", str(deployment_id))
    assert await stage.audited("deployment.protection_lost") == [f"deployment:{deployment_id}"]
    sides = [(side, qty) for _, side, qty, _ in stage.town.books(deployment_id)]
    assert sides == [("buy", Decimal(10)), ("sell", Decimal(10))]
    ((owed,),) = await stage.rows("select exit_owed from deployments")
    assert owed == ""


async def test_a_position_whose_exits_somebody_cancels_is_told_of_and_left(stage: Stage) -> None:
    feed_id = await stage.make_feed([101, 101, 101, 101, 99, 99])
    deployment_id = (await stage.deploy(feed_id, strategy(EXITS["stop"], "long"))).deployment_id
    await stage.step(feed_id, times=2)
    (leg,) = [order for order in stage.town.placed(deployment_id) if order.type is OrderType.STOP]
    stage.town.cancel_at_venue(leg.order_id)
    await stage.step(feed_id, times=3)
    (told,) = await stage.told("protection_lost")
    assert told["code"] == "EXITS_GONE"
    assert (await stage.deployment(deployment_id)).position_qty == 0


async def test_a_stopped_deployment_keeps_its_exits_and_books_what_they_fill(stage: Stage) -> None:
    feed_id = await stage.make_feed([101, 101, 101, 95, 95])
    deployment_id = (await stage.deploy(feed_id, strategy(EXITS["stop"], "long"))).deployment_id
    await stage.step(feed_id, times=2)
    async with stage.desk.transaction() as tx:
        await tx.execute("deployments.stop", deployment_id, "stopped", "")
    await stage.run_out(feed_id)
    view = await stage.deployment(deployment_id)
    assert (view.status, view.position_qty) == ("stopped", Decimal(0))
    assert {row["status"] for row in await stage.rows("select status from intents")} == {"closed"}


async def test_a_short_sale_the_account_may_not_make_is_refused_with_its_reason(stage: Stage) -> None:
    stage.town.denies = lambda command: "RISK_SHORT_LOCATE" if command.side == "sell" else ""
    feed_id = await stage.make_feed([99, 99, 99])
    deployment_id = (await stage.deploy(feed_id, strategy(EXITS["stop"], "short"))).deployment_id
    await stage.run_out(feed_id)
    codes = {each.order_code for each in await stage.decisions(deployment_id)}
    assert codes == {"RISK_SHORT_LOCATE"}
    assert not await stage.told("protection_lost")


async def test_two_strategies_of_one_account_that_could_take_each_other_s_exits_away_are_refused(stage: Stage) -> None:
    feed_id = await stage.make_feed([101, 101, 101])
    account_id = stage.town.open_account(stage.owner_id, feed_id)
    first = await stage.deploy(feed_id, strategy(EXITS["stop"], "long"), account_id=account_id)
    with pytest.raises(AlphintraError, match="another account") as refused:
        await stage.deploy(feed_id, strategy(EXITS["rule"], "short"), account_id=account_id)
    assert (refused.value.code, refused.value.pointer) == ("BOOKS_OPPOSITE", "/account_id")
    assert set(stage.town.claims) == {first.deployment_id}, "what was claimed for it is given back"
    await stage.deploy(feed_id, strategy(EXITS["stop"], "long"), account_id=account_id)
    await stage.deploy(feed_id, strategy(EXITS["stop"], "short"))
