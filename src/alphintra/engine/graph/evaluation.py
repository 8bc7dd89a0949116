"""Evaluation of a plan over columns: one bar at a time in paper and live, all bars at once in a backtest.

Both go the same way through the same kernels, which carry their state from one portion of bars to the next; a
backtest's kernels are compiled, that is the only difference.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.values import PortKind
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["Columns", "End", "Evaluation", "is_number", "shown_end"]

End: TypeAlias = "tuple[str, str]"
Columns: TypeAlias = "dict[End, NDArray[np.float64]]"
INTERPRETED_MAX = 200_000  # values of nodes: interpreting them takes about as long as numba takes to start


@dataclass(frozen=True, slots=True)
class _Running:
    """A step with its arithmetic, its numbers and the state of each symbol, a row each (one row if it sees all)."""

    step: Step
    definition: NodeType
    numbers: Vector
    states: NDArray[np.float64]


class Evaluation:
    """A plan being computed over the closed bars of its symbols, oldest first.

    Raises:
        AlphintraError: NODE_VERSION if the plan was compiled by an Alphintra with other nodes.
    """

    def __init__(self, plan: Plan, *, symbols: int = 1) -> None:
        self.plan = plan
        self._symbols = symbols
        self._running = tuple(_start(step, symbols) for step in plan.steps)
        self._clock = frozenset(name for running in self._running for name in running.definition.clock)

    def advance(self, tape: Tape, *, keep: Collection[End] | None = None, is_compiled: bool | None = None) -> Columns:
        """Compute the next bars and return the outputs by (node, port), each [symbols, closes].

        A node without outputs gives its first input under the port's name.

        Args:
            tape: bars after those computed before.
            keep: outputs that are returned, all by default; others are let go as soon as no node needs them.
            is_compiled: whether kernels run as machine code; by default where that is sooner.
        """
        if is_compiled is None:
            is_compiled = tape.symbols * tape.closes * len(self._running) > INTERPRETED_MAX
        clock = tape.clock(self._clock)
        uses = self._uses(keep)
        columns: Columns = {}
        for running in self._running:
            self._compute(running, tape, columns, clock=clock, is_compiled=is_compiled)
            for end in [end for ends in running.step.inputs.values() for end in ends]:
                uses[end] -= 1
                if not uses[end]:
                    del columns[end]
            for end in [end for end in _ends(running) if not uses.get(end)]:
                columns.pop(end, None)
        return columns

    def snapshot(self) -> dict[str, str]:
        """Return the state by node as base64 of little-endian float64; nodes without one are left out."""
        return {
            running.step.node: base64.b64encode(running.states.astype("<f8").tobytes()).decode("ascii")
            for running in self._running
            if running.states.size
        }

    def restore(self, states: Mapping[str, str]) -> None:
        """Continue from a snapshot of the same plan. Raises SNAPSHOT_INVALID; nothing is restored then."""
        with_state = {running.step.node: running for running in self._running if running.states.size}
        if set(states) != set(with_state):
            raise _bad_snapshot("does not hold exactly the nodes of the plan")
        found = {node: _decoded(node, text, with_state[node].states.shape) for node, text in states.items()}
        for node, values in found.items():
            with_state[node].states[:] = values

    def _uses(self, keep: Collection[End] | None) -> dict[End, int]:
        """Count for each output how often it is needed, once more for those that are kept."""
        uses: dict[End, int] = {}
        for running in self._running:
            for end in [end for ends in running.step.inputs.values() for end in ends]:
                uses[end] = uses.get(end, 0) + 1
            for end in _ends(running):
                if keep is None or end in keep:
                    uses[end] = uses.get(end, 0) + 1
        return uses

    def _compute(
        self,
        running: _Running,
        tape: Tape,
        columns: Columns,
        *,
        clock: Mapping[str, NDArray[np.float64]],
        is_compiled: bool,
    ) -> None:
        step, definition = running.step, running.definition
        ends = _ends(running)
        if definition.read is not None:
            columns.update(zip(ends, definition.read(step.params, tape), strict=True))
            return
        shape = (self._symbols, tape.closes)
        inputs = [clock[name] for name in definition.clock]
        inputs += [_input(columns, step.inputs[port.name], shape, is_many=port.is_many) for port in definition.inputs]
        if definition.kernel is None:
            columns.update(dict.fromkeys(ends, inputs[0] if inputs else np.zeros(shape)))
            return
        outputs = [np.empty(shape) for _ in ends]
        run = definition.kernel.compiled if is_compiled else definition.kernel.interpreted
        if definition.is_across:
            run(running.numbers, running.states[0], *inputs, *outputs)
        else:
            for row in range(self._symbols):
                run(
                    running.numbers,
                    running.states[row],
                    *(column[row] for column in inputs),
                    *(column[row] for column in outputs),
                )
        columns.update(zip(ends, outputs, strict=True))


def shown_end(step: Step) -> End | None:
    """Return the output that stands for a node in decision records, None if it shows nothing."""
    shown = _definition(step).shown
    return (step.node, shown) if shown else None


def is_number(step: Step) -> bool:
    """Tell whether what a node shows is a number, not a condition."""
    definition = _definition(step)
    ports = (*definition.outputs, *definition.inputs)
    return next(port.kind is PortKind.NUM for port in ports if port.name == definition.shown)


def _ends(running: _Running) -> tuple[End, ...]:
    ports = running.definition.outputs or running.definition.inputs[:1]
    return tuple((running.step.node, port.name) for port in ports)


def _input(columns: Columns, ends: tuple[End, ...], shape: tuple[int, int], *, is_many: bool) -> NDArray[np.float64]:
    """Return what a port reads: [symbols, closes], or [symbols, wires, closes] for a port of many wires."""
    if is_many:
        return np.stack([columns[end] for end in ends], axis=1) if ends else np.zeros((shape[0], 0, shape[1]))
    return columns[ends[0]] if ends else np.zeros(shape)


def _start(step: Step, symbols: int) -> _Running:
    definition = _definition(step)
    numbers = np.array(definition.numbers(step.params), dtype=np.float64)
    rows = 1 if definition.is_across else symbols
    return _Running(step, definition, numbers, np.zeros((rows, definition.state(step.params))))


def _definition(step: Step) -> NodeType:
    definition = node_type(step.type, step.version)
    if definition is None:
        message = f"node {step.node}: {step.type} version {step.version} is not in this Alphintra: compile again"
        raise AlphintraError("NODE_VERSION", message)
    return definition


def _decoded(node: str, text: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8")
        return values.reshape(shape)
    except (ValueError, binascii.Error) as error:
        raise _bad_snapshot(f"does not fit node {node}") from error


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)
