"""Nodes that remember; what they keep survives a restart."""

from __future__ import annotations

from alphintra.engine.graph.definition import Port, outputs
from alphintra.engine.graph.nodes.shared import Shelf, choice, conditions
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import memory

__all__ = ["NODES"]

_SHELF = Shelf("state")
_BOOL = outputs(PortKind.BOOL)
_EVENT_AND_NUMBER = (Port("event", PortKind.BOOL), Port("in", PortKind.NUM))

NODES = (
    _SHELF.node(
        "Latch",
        "True from where set is true until reset is.",
        memory.latch,
        inputs=conditions("set", "reset"),
        outs=_BOOL,
        params=(choice("both", "Which wins where both are true.", "reset", "set"),),
        state=lambda _: 1,
    ),
    _SHELF.node(
        "Toggle",
        "Changes between true and false at each event.",
        memory.toggle,
        inputs=conditions("event"),
        outs=_BOOL,
        state=lambda: 1,
    ),
    _SHELF.node(
        "Counter",
        "How often increase was true since reset last was.",
        memory.counter,
        inputs=(*conditions("increase"), Port("reset", PortKind.BOOL, is_required=False)),
        state=lambda: 1,
    ),
    _SHELF.node(
        "EntryCount",
        "How often an event has happened in this session, this bar included.",
        memory.count_in_session,
        clock=("session",),
        inputs=conditions("event"),
        state=lambda: 3,
    ),
    _SHELF.node(
        "LastValueWhen",
        "The number as it was when an event last happened.",
        memory.last_value_when,
        inputs=_EVENT_AND_NUMBER,
        state=lambda: 2,
    ),
    _SHELF.node(
        "BarsSince",
        "Bars since an event last happened, 0 on its own bar.",
        memory.bars_since,
        inputs=conditions("event"),
        state=lambda: 2,
    ),
    _SHELF.node(
        "ExtremeSince",
        "The highest, or lowest, value since an event last happened.",
        memory.extreme_since,
        inputs=_EVENT_AND_NUMBER,
        params=(choice("which", "Which extreme.", "highest", "lowest"),),
        state=lambda _: 2,
    ),
)
