"""Previews over the catalogue's bars: the newest ones, of one's own symbol, within limits."""

from __future__ import annotations

import msgspec
import pytest

from alphintra.contracts.previews import GraphPreviewView, PreviewGraph
from alphintra.engine.graph import Edge, Graph, Node
from alphintra.kernel.errors import AlphintraError
from integration.strategy.stage import Stage
from unit.engine.builders import day, flat_bars

GRAPH = Graph(
    name="drawing",
    timeframe="1d",
    nodes=(
        Node(id="bars", type="Bars"),
        Node(id="mean", type="SMA", params={"period": 3}),
        Node(id="lost", type="SMA"),
    ),
    edges=(Edge(source="bars.close", target="mean.in"),),
)


async def preview(
    stage: Stage, *, symbol: str = "AAPL", bars: int = 20, nodes: tuple[str, ...] = ()
) -> GraphPreviewView:
    command = PreviewGraph(graph=msgspec.json.encode(GRAPH).decode(), symbol=symbol, bars=bars, nodes=nodes)
    return await stage.endpoints.preview_graph(command, stage.owner)


async def test_the_newest_bars_are_shown_oldest_first_and_the_unfinished_node_says_why(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars([str(10 + place) for place in range(40)]))
    found = await preview(stage)
    assert found.times == tuple(day(place) for place in range(20, 40))
    series = {(one.node, one.port): one.values for one in found.series}
    assert series["bars", "close"] == tuple(float(place + 10) for place in range(20, 40))
    assert series["mean", "out"] == tuple(float(place + 9) for place in range(20, 40))
    assert [one.node for one in found.left_out] == ["lost"]
    assert {one.node for one in (await preview(stage, nodes=("mean",))).series} == {"mean"}


async def test_a_symbol_that_is_not_there_and_too_many_bars_are_refused(stage: Stage) -> None:
    with pytest.raises(AlphintraError, match="no 'NONE'") as unknown:
        await preview(stage, symbol="NONE")
    assert unknown.value.code == "SYMBOL_UNKNOWN"
    with pytest.raises(AlphintraError, match="20 to 500"):
        await preview(stage, bars=501)
