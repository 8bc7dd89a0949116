"""Bars, graphs and views for engine tests, with defaults that a test overrides where it matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.bars import Bar
from alphintra.engine.graph import Edge, Graph, Node, StateView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alphintra.engine.graph.wire import ParamValue

START = datetime(2024, 1, 1, 21, tzinfo=UTC)


def day(index: int) -> datetime:
    """Return the close time of bar ``index``."""
    return START + timedelta(days=index)


def bar(index: int, prices: str) -> Bar:
    """Build bar ``index`` from "open high low close"."""
    opened, high, low, close = (Decimal(price) for price in prices.split())
    return Bar(day(index), opened, high, low, close, Decimal(1000))


def flat_bar(index: int, price: str | Decimal) -> Bar:
    """Build a bar whose four prices are equal."""
    amount = Decimal(price)
    return Bar(day(index), amount, amount, amount, amount, Decimal(1000))


def flat_bars(prices: Iterable[str | Decimal | int]) -> list[Bar]:
    """Build flat bars from closes."""
    return [flat_bar(index, Decimal(price)) for index, price in enumerate(prices)]


def view(qty: str = "0", *, equity: str = "10000", is_order_working: bool = False) -> StateView:
    """Build what a strategy knows of its book."""
    return StateView(Decimal(qty), Decimal(0), Decimal(equity), Decimal(equity), is_order_working)


def node(name: str, kind: str, **params: ParamValue) -> Node:
    """Build a node of version 1."""
    return Node(id=name, type=kind, params=params)


def graph(nodes: Sequence[Node], wires: Sequence[tuple[str, str]]) -> Graph:
    """Build a daily graph."""
    edges = tuple(Edge(source=source, target=target) for source, target in wires)
    return Graph(name="test", timeframe="1d", nodes=tuple(nodes), edges=edges)


def threshold_graph(*, entry_above: float = 10.0, exit_below: float = 10.0, size: Node | None = None) -> Graph:
    """Enter while the close is above one level, leave while it is below another; no warm-up."""
    return graph(
        [
            node("bars", "Bars"),
            node("high", "Const", value=entry_above),
            node("low", "Const", value=exit_below),
            node("above", "Compare", op="gt"),
            node("below", "Compare", op="lt"),
            node("entry", "Entry", tag="in"),
            node("leave", "ExitWhen", tag="out"),
            size or node("size", "FixedQty", quantity=10),
            node("order", "Order", type="market", tif="day"),
        ],
        [
            ("bars.close", "above.a"),
            ("high.out", "above.b"),
            ("bars.close", "below.a"),
            ("low.out", "below.b"),
            ("above.out", "entry.when"),
            ("below.out", "leave.when"),
            ("entry.signal", "size.signal"),
            ("size.size", "order.size"),
            ("leave.exit", "order.exit"),
        ],
    )
