"""The gallery: every ready-made strategy under the name it is asked for with."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.engine.templates.crossover import crossover
from alphintra.engine.templates.reversion import rsi_reversion
from alphintra.engine.templates.trend import atr_trailing, bollinger_breakout, macd_cross, turtle

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["GALLERY", "Template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A ready strategy.

    Args:
        name: what it is asked for with.
        title: for people.
        description: what it does, in plain sentences with its numbers.
        graph: the strategy.
    """

    name: str
    title: str
    description: str
    graph: Graph


def _crossover(average: str, graph: Graph) -> Template:
    return Template(
        name=f"{average}_crossover",
        title=f"{average.upper()} crossover",
        description=(
            "Buys with 95 % of equity when the 20-bar average crosses above the 50-bar average of the close, "
            "and sells when it crosses below; market orders for the day, daily bars."
        ),
        graph=graph,
    )


_TEMPLATES = (
    _crossover("ema", crossover(average="ema")),
    _crossover("sma", crossover(average="sma")),
    Template(
        name="rsi_reversion",
        title="RSI mean reversion",
        description=(
            "Buys with 95 % of equity when the 14-day RSI falls below 30 while the close is above its 200-day average. "
            "Sells when the RSI is above 55, after 10 days, or at a stop 2 ATR below the close of the decision."
        ),
        graph=rsi_reversion(),
    ),
    Template(
        name="macd_cross",
        title="MACD crossover",
        description=(
            "Buys with 95 % of equity when the MACD line (12, 26) crosses above its 9-day signal while the histogram "
            "rises, and sells when it crosses below."
        ),
        graph=macd_cross(),
    ),
    Template(
        name="bollinger_breakout",
        title="Bollinger breakout",
        description=(
            "Buys with 95 % of equity when the close rises above the upper band (20, 2) while its width is among "
            "the least 20 % of the last 120 bars. Sells when the close falls below the middle, or at a stop on the "
            "lower band."
        ),
        graph=bollinger_breakout(),
    ),
    Template(
        name="turtle",
        title="Donchian breakout (turtle)",
        description=(
            "Buys when the close is above the highest high of the 55 days before, so many shares that a fall by 2 ATR "
            "costs 1 % of equity. Sells when the close is below the lowest low of 20 days, or at that stop."
        ),
        graph=turtle(),
    ),
    Template(
        name="atr_trailing",
        title="ATR trailing stop",
        description=(
            "Buys with 95 % of equity when SuperTrend (10, 3) turns up, and sells at a stop 3 ATR behind the best "
            "price since the entry; the stop only ever rises."
        ),
        graph=atr_trailing(),
    ),
)
GALLERY: Final = MappingProxyType({item.name: item for item in _TEMPLATES})
