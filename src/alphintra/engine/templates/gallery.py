"""The gallery: every ready-made strategy under the name it is asked for with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.engine.templates.crossover import crossover
from alphintra.engine.templates.intraday import opening_range, vwap_reversion
from alphintra.engine.templates.portfolios import dollar_cost_averaging, grid, momentum_rotation, pairs
from alphintra.engine.templates.ranges import searchable
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
        graph: the strategy, with the parameters a search may turn.
        symbols: what its sample runs over.
        may_short: whether it needs an account that may sell short.
    """

    name: str
    title: str
    description: str
    graph: Graph
    symbols: tuple[str, ...] = ("AAPL",)
    may_short: bool = False


def _crossover(average: str, graph: Graph) -> Template:
    return Template(
        name=f"{average}_crossover",
        title=f"{average.upper()} crossover",
        description=(
            "Buys with 95 % of equity when the 20-bar average crosses above the 50-bar average of the close, and "
            "sells when it crosses below; market orders for the day, daily bars."
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
            "Buys with 95 % of equity when the 14-day RSI falls below 30 while the close is above its 200-day "
            "average. Sells when the RSI is above 55, after 10 days, or at a stop 2 ATR below the close of the "
            "decision."
        ),
        graph=rsi_reversion(),
    ),
    Template(
        name="macd_cross",
        title="MACD crossover",
        description=(
            "Buys with 95 % of equity when the MACD line (12, 26) crosses above its 9-day signal while the "
            "histogram rises, and sells when it crosses below."
        ),
        graph=macd_cross(),
    ),
    Template(
        name="bollinger_breakout",
        title="Bollinger breakout",
        description=(
            "Buys with 95 % of equity when the close rises above the upper band (20, 2) while its width is among "
            "the least 20 % of the last 120 bars. Sells when the close falls below the middle, or at a stop on "
            "the lower band."
        ),
        graph=bollinger_breakout(),
    ),
    Template(
        name="turtle",
        title="Donchian breakout (turtle)",
        description=(
            "Buys when the close is above the highest high of the 55 days before, so many shares that a fall by 2 "
            "ATR costs 1 % of equity, and again at each half ATR in its favour, four times at most. Sells all when "
            "the close is below the lowest low of 20 days, and each part at its own stop."
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
    Template(
        name="vwap_reversion",
        title="VWAP reversion",
        description=(
            "On 5-minute bars, buys with 95 % of equity when the close lies 2 standard deviations (20 bars) of "
            "its distance below the session's volume-weighted average price, between 10:00 and 15:00 of the "
            "exchange. Sells back at that average, or 10 minutes before the close."
        ),
        graph=vwap_reversion(),
    ),
    Template(
        name="opening_range",
        title="Opening-range breakout",
        description=(
            "On 5-minute bars, buys with 95 % of equity when the close first rises above the range of the first "
            "15 minutes on more volume than the average of 20 bars, once a session. Stop at the low of the range, "
            "target at 2 times that risk; flat 10 minutes before the close."
        ),
        graph=opening_range(),
    ),
    Template(
        name="momentum_rotation",
        title="Momentum rotation",
        description=(
            "Each month holds the 3 symbols that rose most over 126 days, if they rose, with larger shares for "
            "those that swing less (60 days): at most 0.4 of equity each and 0.95 in all. Holdings within 5 % of "
            "their target are left alone. For several symbols."
        ),
        graph=momentum_rotation(),
        symbols=("AAPL", "FB", "GOOG", "IBM", "MSFT"),
    ),
    Template(
        name="pairs",
        title="Pair of two symbols",
        description=(
            "Watches the spread of IBM and MSFT, hedged by least squares over 120 days. When it is 2 standard "
            "deviations (60 days) off, goes long the cheap and short the dear one with 0.45 of equity each; "
            "closes both within 0.5, or beyond 4. For these symbols; others are set in the graph."
        ),
        graph=pairs(),
        symbols=("IBM", "MSFT"),
        may_short=True,
    ),
    Template(
        name="grid",
        title="Grid",
        description=(
            "Cuts 0.95 of equity into 20 parts with levels between the lowest low and the highest high of the 100 "
            "bars before, equally far apart in ratio. Buys a part at a close at or below its level, sells it one "
            "level higher, acts only while the ADX (14) is below 20, and sells everything below the range."
        ),
        graph=grid(),
    ),
    Template(
        name="dollar_cost_averaging",
        title="Dollar cost averaging",
        description=(
            "Buys for 100 each week, and for 100 more when the close falls below 0.95 of the average price paid; "
            "holds, up to 0.95 of equity."
        ),
        graph=dollar_cost_averaging(),
    ),
)
GALLERY: Final = MappingProxyType(
    {item.name: replace(item, graph=searchable(item.name, item.graph)) for item in _TEMPLATES}
)
