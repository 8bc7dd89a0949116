"""Which side of a symbol a strategy may come to hold, and whether another one beside it can take its exits away.

Exits that come with an entry reduce the position of the whole account at the venue. Where one deployment holds what
another one of the same account is short of, the account holds nothing: its exits have nothing to close and are gone,
though the deployment needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["Stance", "hinders", "stance_of"]

_EXITS: Final = frozenset({"StopLoss", "TakeProfit", "TrailingStop", "Bracket"})


@dataclass(frozen=True, slots=True)
class Stance:
    """What a strategy may hold, and whether its entries bring exits to the venue."""

    may_long: bool
    may_short: bool
    has_exits: bool


def stance_of(graph: Graph) -> Stance:
    """Return what a strategy may hold; weights may have either sign."""
    kinds = {node.id: node.type for node in graph.nodes}
    wired = {edge.target for edge in graph.edges}
    entries = [name for name, kind in kinds.items() if kind == "Entry"]
    is_weighted = "RebalanceTo" in kinds.values()
    return Stance(
        may_long=is_weighted or any(f"{name}.when" in wired for name in entries),
        may_short=is_weighted or any(f"{name}.short" in wired for name in entries),
        has_exits=not _EXITS.isdisjoint(kinds.values()),
    )


def hinders(one: Stance, other: Stance) -> bool:
    """Tell whether two strategies of one account may hold opposite sides while one of them relies on exits."""
    is_opposite = (one.may_long and other.may_short) or (one.may_short and other.may_long)
    return is_opposite and (one.has_exits or other.has_exits)
