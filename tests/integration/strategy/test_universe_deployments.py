"""Deployments over several symbols trade what their backtest trades, whatever is killed or away meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from alphintra.contracts.books import BookQuantity
from alphintra.contracts.strategy import CreateDeployment, StopDeployment
from alphintra.contracts.trading import SplitApplied
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.bars import Bar
from alphintra.engine.graph import compile_plan
from alphintra.engine.pretrade.limits import default_limits
from alphintra.engine.templates import GALLERY
from alphintra.engine.universe import UniverseExecutor
from alphintra.engine.universe_backtest import UniverseResult, run_universe
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderStatus
from fixtures.single_service import delivery_of
from integration.strategy.power_cuts import run_out_through_cuts
from integration.strategy.test_exits import EXITS, strategy
from integration.strategy.town import FEES
from unit.engine.builders import flat_bars, graph, node
from unit.engine.shipped import shipped_bars
from unit.engine.test_funding import swapping
from unit.engine.test_universe import market

if TYPE_CHECKING:
    from alphintra.contracts.strategy import DeploymentView
    from alphintra.engine.graph import Graph
    from alphintra.kernel.ids import FeedId
    from integration.strategy.stage import Stage

NAMES = ("BBB", "AAA", "CCC")
POINTS = ("strategy.matched", "strategy.decided", "strategy.submitted", "strategy.settled", "strategy.placed")


def drawn(seed: int, count: int = 70, *, gaps: float = 0.0) -> dict[str, list[Bar]]:
    """Return bars with nine decimals, as the catalogue keeps them."""
    names = ("open", "high", "low", "close", "volume")
    return {
        symbol: [Bar(bar.ts, *(round(getattr(bar, name), 9) for name in names)) for bar in own]
        for symbol, own in market(seed, count, NAMES, gaps=gaps).items()
    }


async def deployed(
    stage: Stage, feed_id: FeedId, strategy: Graph, symbols: Sequence[str] = NAMES, *, capital: int = 100_000
) -> DeploymentView:
    """Deploy a strategy over several symbols, with all the cash of a new account unless less is said."""
    command = CreateDeployment(
        version_id=stage.town.write_workflow(stage.owner_id, strategy),
        account_id=stage.town.open_account(stage.owner_id, feed_id),
        symbols=tuple(symbols),
        capital=Decimal(capital),
    )
    return await stage.endpoints.create_deployment(command, stage.owner)


def simulated(strategy: Graph, bars: Mapping[str, Sequence[Bar]], *, cash: int = 100_000) -> UniverseResult:
    """Return the backtest under limits that let nothing but the cash stand in the way."""
    limits = replace(default_limits(), may_short=True)
    settings = BacktestSettings(initial_cash=Decimal(cash), fees=FEES, limits=limits)
    result = run_universe(compile_plan(strategy), bars, settings=settings)
    assert not result.refusals  # the paper venue fills what was approved
    return result


def deny_as(stage: Stage, wanted: UniverseResult) -> None:
    """Let risk in town refuse what the controls refuse in a backtest."""
    codes = {
        (each.symbol, each.order.intent.side, each.order.intent.qty): each.code
        for each in wanted.orders
        if each.status is OrderStatus.DENIED
    }
    stage.town.denies = lambda command: codes.get((command.symbol, command.side, command.qty or Decimal(0)), "")


def fills_of(result: UniverseResult) -> set[tuple[str, str, str, Decimal, Decimal]]:
    return {
        (each.symbol, each.fill.ts.isoformat(), each.fill.side.value, each.fill.qty, each.fill.price)
        for each in result.fills
    }


def booked(stage: Stage, deployment_id: UUID) -> set[tuple[str, str, str, Decimal, Decimal]]:
    return {
        (fill.symbol, fill.executed_at.isoformat(), fill.side.value, fill.qty, fill.price)
        for fill in stage.town.executions
        if fill.book_id == deployment_id
    }


@pytest.mark.parametrize(
    ("seed", "gaps"),
    [(4, 0.2), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((3, 0.0), (5, 0.0), (6, 0.3)))],
)
async def test_paper_trades_over_several_symbols_what_the_backtest_trades(stage: Stage, seed: int, gaps: float) -> None:
    strategy, bars = swapping(1 + seed % 2), drawn(seed, gaps=gaps)
    feed_id = await stage.make_feed(bars)
    deployment = await deployed(stage, feed_id, strategy)
    assert (deployment.symbol, deployment.symbols) == ("BBB,AAA,CCC", NAMES)
    stage.town.lag = seed % 3
    wanted = simulated(strategy, bars)
    deny_as(stage, wanted)
    await stage.run_out(feed_id)
    assert booked(stage, deployment.deployment_id) == fills_of(wanted)
    assert len(wanted.fills) >= 6
    asked = [(order.symbol, order.side, order.qty) for order in stage.town.placed(deployment.deployment_id)]
    assert asked == [(each.symbol, each.order.intent.side, each.order.intent.qty) for each in wanted.orders]
    view = await stage.deployment(deployment.deployment_id)
    assert (view.equity, view.cash) == (wanted.equity[-1].equity, wanted.equity[-1].cash)
    held = {each.symbol: each.qty for each in view.positions}
    assert held == {symbol: position.qty for symbol, position in wanted.positions.items()}
    told = [decision for decision in await stage.decisions(deployment.deployment_id) if decision.outcome == "intent"]
    assert {name for decision in told for name in decision.client_order_id.split(",")} == {
        order.client_order_id for order in stage.town.placed(deployment.deployment_id)
    }
    values: dict[str, Any] = json.loads(told[0].values)
    assert set(values) <= set(NAMES)
    assert all(set(each) == {"outcome", "values"} for each in values.values())
    assert "intent" in {each["outcome"] for each in values.values()}


async def state(stage: Stage, deployment_id: UUID) -> dict[str, Any]:
    held = await stage.rows("select * from holdings where deployment_id = $1 order by place", deployment_id)
    return await stage.state(deployment_id) | {"held": [dict(row) for row in held]}


async def test_after_any_power_cut_a_deployment_goes_on_as_if_there_had_been_none(stage: Stage) -> None:
    strategy, bars = swapping(1), drawn(3, 55)
    feed_id = await stage.make_feed(bars)
    whole, cut = [await deployed(stage, feed_id, strategy, capital=50_000) for _ in range(2)]
    chance = Random(5)  # noqa: S311 - repeatable cuts, no secret
    crashes: list[str] = []

    def crash_at(name: str) -> bool:
        is_due = name in POINTS and chance.random() < 0.25
        crashes.extend([name] if is_due else [])
        return is_due

    await run_out_through_cuts(stage, feed_id, crash_at)
    assert set(crashes) == set(POINTS)
    wanted = fills_of(simulated(strategy, bars, cash=50_000))
    assert booked(stage, whole.deployment_id) == booked(stage, cut.deployment_id) == wanted
    found = [await state(stage, each.deployment_id) for each in (whole, cut)]
    assert [row["qty"] for row in found[0]["held"]] == [row["qty"] for row in found[1]["held"]]
    assert len(found[0]["told"]) == len(set(found[0]["told"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["momentum_rotation", "pairs"])
async def test_ready_strategies_of_several_symbols_trade_on_paper_what_they_trade_in_backtests(
    stage: Stage, name: str
) -> None:
    symbols = ("IBM", "MSFT") if name == "pairs" else ("AAPL", "GOOG", "IBM", "MSFT")
    bars = {symbol: list(shipped_bars(symbol)[-330:]) for symbol in symbols}
    strategy = GALLERY[name].graph
    feed_id = await stage.make_feed(bars)
    deployment = await deployed(stage, feed_id, strategy, symbols)
    wanted = simulated(strategy, bars)
    deny_as(stage, wanted)
    await stage.run_out(feed_id)
    assert booked(stage, deployment.deployment_id) == fills_of(wanted)
    assert len({each.symbol for each in wanted.fills}) > 1


def guarded() -> Graph:
    """Enter each symbol above a level with a stop below it."""
    return graph(
        [
            node("bars", "Bars"),
            node("level", "Const", value=100.0),
            node("above", "CrossAbove"),
            node("entry", "Entry", hold=True),
            node("stop", "StopLoss", percent="5"),
            node("size", "PercentEquity", percent="20"),
            node("order", "Order", type="market", tif="day"),
        ],
        [
            ("bars.close", "above.a"),
            ("level.out", "above.b"),
            ("above.out", "entry.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
            ("stop.exit", "order.exit"),
        ],
    )


async def test_exits_come_with_the_entry_of_their_own_symbol(stage: Stage) -> None:
    closes = {
        "AAA": [99, 101, 101, 101, 90, 90, 99, 101, 101],
        "BBB": [99, 99, 101, 102, 103, 103, 103, 103, 103],
    }
    bars = {symbol: list(flat_bars(own)) for symbol, own in closes.items()}
    feed_id = await stage.make_feed(bars)
    deployment = await deployed(stage, feed_id, guarded(), tuple(bars))
    await stage.run_out(feed_id)
    assert booked(stage, deployment.deployment_id) == fills_of(simulated(guarded(), bars))
    held = {each.symbol: each.qty > 0 for each in (await stage.deployment(deployment.deployment_id)).positions}
    assert held == {"AAA": True, "BBB": True}


async def test_a_split_counts_the_position_and_the_bars_of_its_symbol_alone_in_new_shares(stage: Stage) -> None:
    strategy, bars = swapping(2), drawn(7, 60)
    feed_id = await stage.make_feed(bars)
    deployment = await deployed(stage, feed_id, strategy)
    await stage.step(feed_id, times=30)
    before = {each.symbol: each for each in (await stage.deployment(deployment.deployment_id)).positions}
    symbol = next(name for name, each in before.items() if each.qty)
    held = before[symbol].qty
    event = SplitApplied(
        owner_id=stage.owner_id,
        account_id=deployment.account_id,
        symbol=symbol,
        new_shares=2,
        old_shares=1,
        account_qty=held * 2,
        account_change=held,
        books=(BookQuantity(book_id=deployment.deployment_id, qty=held * 2, cost=Decimal(0), change=held),),
        feed_id=feed_id,
        after_seq=30,
        reference="two for one",
    )
    delivery = delivery_of(event, aggregate_id=deployment.account_id)
    for _ in range(2):
        await stage.endpoints.on_split_applied(delivery)
    after = {each.symbol: each for each in (await stage.deployment(deployment.deployment_id)).positions}
    assert after[symbol].qty == 2 * before[symbol].qty
    assert after[symbol].last_price == before[symbol].last_price / 2  # type: ignore[operator] # it has been seen
    assert [after[name] for name in after if name != symbol] == [before[name] for name in before if name != symbol]
    (row,) = await stage.rows("select executor_state from deployments")
    assert row["executor_state"] == ""
    await stage.step(feed_id)
    (row,) = await stage.rows("select executor_state from deployments")
    executor = UniverseExecutor(compile_plan(strategy), NAMES)
    executor.restore(row["executor_state"].encode())


async def test_a_stopped_deployment_is_told_of_the_fills_of_its_last_orders_and_decides_no_more(stage: Stage) -> None:
    strategy, bars = swapping(1), drawn(3, 55)
    feed_id = await stage.make_feed(bars)
    deployment = await deployed(stage, feed_id, strategy)
    stepper = await stage.stepper(feed_id)
    while not stage.town.placed(deployment.deployment_id):
        await stage.step(feed_id, stepper=stepper)
    await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment.deployment_id), stage.owner)
    await stage.step(feed_id, stepper=stepper, times=3)
    view = await stage.deployment(deployment.deployment_id)
    assert view.status == "stopped"
    assert sum(each.qty != 0 for each in view.positions) == 1
    assert len(stage.town.placed(deployment.deployment_id)) == 1


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"symbols": ("AAA", "ZZZ")}, "SYMBOL_UNKNOWN"),
        ({"symbols": ("AAA", "AAA")}, "SYMBOL_TWICE"),
        ({"symbols": ()}, "SYMBOLS_CHOICE"),
        ({"symbol": "AAA"}, "SYMBOLS_CHOICE"),
        ({"symbols": (), "symbol": "AAA"}, "GRAPH_UNIVERSE"),
    ],
)
async def test_what_cannot_be_deployed_is_refused_and_claims_nothing(
    stage: Stage, wishes: dict[str, Any], code: str
) -> None:
    feed_id = await stage.make_feed(drawn(3, 30))
    command: dict[str, Any] = {
        "version_id": stage.town.write_workflow(stage.owner_id, swapping(1)),
        "account_id": stage.town.open_account(stage.owner_id, feed_id),
        "symbols": NAMES,
        "capital": Decimal(1000),
    }
    with pytest.raises(AlphintraError) as refused:
        await stage.endpoints.create_deployment(CreateDeployment(**(command | wishes)), stage.owner)
    assert refused.value.code == code
    assert stage.town.claims == {}
    assert await stage.rows("select 1 from deployments") == []


async def test_strategies_of_one_account_are_kept_apart_in_each_symbol_they_share(stage: Stage) -> None:
    """One over several symbols beside one over one of them, either first; over other symbols they do not meet."""
    feed_id = await stage.make_feed({symbol: flat_bars([101, 101, 101]) for symbol in NAMES})
    weights, guarded = swapping(), strategy(EXITS["stop"], "short")

    async def refused(*deployed: tuple[Graph, tuple[str, ...]]) -> str:
        account_id = stage.town.open_account(stage.owner_id, feed_id)
        for drawn_, symbols in deployed:
            version_id = stage.town.write_workflow(stage.owner_id, drawn_)
            command = CreateDeployment(
                version_id=version_id, account_id=account_id, symbols=symbols, capital=Decimal(1000)
            )
            try:
                await stage.endpoints.create_deployment(command, stage.owner)
            except AlphintraError as error:
                return f"{error.code} {error.detail}"
        return ""

    both = (weights, ("AAA", "BBB"))
    for pair in ((both, (guarded, ("BBB",))), ((guarded, ("BBB",)), both)):
        said = await refused(*pair)
        assert said.startswith("BOOKS_OPPOSITE")
        assert "the other side of BBB," in said
    assert not await refused(both, (guarded, ("CCC",)))
    assert not await refused((guarded, ("BBB",)), (weights, ("AAA", "CCC")))
