"""The gallery: every ready-made strategy under the name it is asked for with."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.engine.templates.crossover import crossover

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
)
GALLERY: Final = MappingProxyType({item.name: item for item in _TEMPLATES})
