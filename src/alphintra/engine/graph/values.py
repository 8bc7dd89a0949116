"""What flows along the wires of a graph, and what a node may see while it computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.indicators import State, StateValue

__all__ = ["Evaluator", "Inputs", "Moment", "Outputs", "PortKind", "Signal", "Sized", "StateView", "Value"]


class PortKind(StrEnum):
    """Kind of value a port carries, at the graph's timeframe and for its one symbol."""

    NUM = "Num"
    BOOL = "Bool"
    EVENT = "Event"
    SIGNAL = "Signal"
    EXIT = "Exit"
    SIZE = "Size"


@dataclass(frozen=True, slots=True)
class Signal:
    """Whether an entry or exit rule asks to act at this close, with the tag given by the user."""

    is_firing: bool
    tag: str


@dataclass(frozen=True, slots=True)
class Sized:
    """An entry signal with the quantity its sizing rule gives it: whole shares, zero or more."""

    signal: Signal
    quantity: Decimal


Value: TypeAlias = "float | bool | Signal | Sized | None"
Inputs: TypeAlias = Mapping[str, tuple[Value, ...]]
Outputs: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class StateView:
    """What the strategy may know of its own book, as of the close being evaluated.

    Args:
        qty: signed position.
        avg_price: weighted-average entry price, zero when flat.
        cash: free cash.
        equity: cash plus position at this close.
        is_order_working: whether an order of this strategy still waits at the venue.
    """

    qty: Decimal
    avg_price: Decimal
    cash: Decimal
    equity: Decimal
    is_order_working: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """The bar that has just closed and the book at its close: all a node may ever see."""

    bar: Bar
    view: StateView


class Evaluator(Protocol):
    """One running node: turns the inputs of one close into outputs, and can be saved and restored."""

    def evaluate(self, inputs: Inputs, moment: Moment) -> Outputs:
        """Return the outputs by port; None while history is too short. Called once per bar, in order of time."""
        ...

    def snapshot(self) -> State:
        """Return the state as JSON-able data."""
        ...

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Continue from a snapshot. Raises SNAPSHOT_INVALID."""
        ...
