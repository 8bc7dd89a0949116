"""Entries that add to a position: paper counts, protects and leaves them as the backtest does."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from alphintra.contracts.trading import SubmitOrder
from alphintra.engine.graph.wire import Edge
from integration.strategy.test_exits import CAPITAL, EXITS, run_beside, simulated, strategy
from unit.engine.builders import bar, node

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.graph import Graph, Node
    from integration.strategy.stage import Stage

ADDS: Final = 3
LIMITED: Final[dict[str, Any]] = {"type": "limit", "tif": "gtc", "offset": "0.5", "bars": 2}


def adding(exits: list[Node], order: dict[str, Any], *, leaves_at: float = 104) -> Graph:
    """Return the strategy of the exits' tests that adds while it has gained, on either side."""
    asked = strategy(exits, "both", leaves_at=leaves_at)
    nodes = [
        msgspec.structs.replace(each, params={**order, "entries": ADDS}) if each.type == "Order" else each
        for each in asked.nodes
    ]
    more = [
        node("held", "Position"),
        node("enough", "Const", value=0.2),
        node("gains", "Compare", op="gt"),
    ]
    wires = [("held.gain", "gains.a"), ("enough.out", "gains.b"), ("gains.out", "order.add")]
    edges = (Edge(source=source, target=target) for source, target in wires)
    return msgspec.structs.replace(asked, nodes=(*nodes, *more), edges=(*asked.edges, *edges))


async def require_like(stage: Stage, deployment_id: UUID, result: BacktestResult) -> None:
    """A deployment did what the backtest did; what several exits of one bar filled has no order among them."""
    wanted = Counter((fill.ts.isoformat(), fill.side.value, fill.qty, fill.price) for fill in result.fills)
    assert Counter(stage.town.books(deployment_id)) == wanted
    decisions = await stage.decisions(deployment_id)
    assert [each.outcome for each in decisions] == [each.outcome for each in result.decisions]
    view, last = await stage.deployment(deployment_id), result.equity[-1]
    assert (view.cash, view.position_qty, view.equity) == (last.cash, last.qty, last.equity)
    rows = await stage.rows("select exit_leg from intents where deployment_id = $1 and exit_leg <> ''", deployment_id)
    assert Counter(row["exit_leg"] for row in rows) == Counter(fill.leg for fill in result.fills if fill.leg)


async def run_adds(stage: Stage, seed: int, count: int) -> list[BacktestResult]:
    orders: tuple[dict[str, Any], ...] = ({"type": "market", "tif": "day"}, LIMITED)
    kinds = ("rule", "stop", "bracket", "trail", "all")
    asked = [adding(EXITS[exits], order) for exits in kinds for order in orders]
    found = await run_beside(stage, seed, count, asked)
    for deployment_id, result in found.items():
        await require_like(stage, deployment_id, result)
    return list(found.values())


async def test_what_is_added_trades_on_paper_as_in_the_backtest(stage: Stage) -> None:
    results = await run_adds(stage, 3, 16)
    assert max(abs(point.qty) for result in results for point in result.equity) == 10 * ADDS


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4, 5])
async def test_adding_trades_alike_over_many_bars(stage: Stage, seed: int) -> None:
    results = await run_adds(stage, seed, 60)
    assert {fill.leg for result in results for fill in result.fills} == {"", "stop", "target", "trail"}


async def test_a_rule_leaves_all_entries_and_takes_all_their_exits_off(stage: Stage) -> None:
    shapes = ["100 101 100 101", "101 102 101 101.5", "101.5 102 101 102", "102 105 102 105", "105 105 105 105"]
    bars = [bar(index, prices) for index, prices in enumerate(shapes)]
    asked = adding([node("stop", "StopLoss", percent="9")], {"type": "market", "tif": "day"})
    feed_id = await stage.make_feed({"AAPL": bars})
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    await stage.run_out(feed_id)
    await require_like(stage, deployment_id, simulated(asked, "AAPL", bars))
    orders = [(order.side.value, order.qty) for order in stage.town.asked if isinstance(order, SubmitOrder)]
    assert orders[:4] == [(side, Decimal(qty)) for side, qty in (("buy", 10), ("buy", 10), ("buy", 10), ("sell", 30))]
    numbers = await stage.rows("select entry_number from intents where reason = 'entry' order by seq")
    assert [row["entry_number"] for row in numbers][:3] == [1, 2, 3]
