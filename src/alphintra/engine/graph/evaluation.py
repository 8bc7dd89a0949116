"""Evaluation of a plan over columns: one bar at a time in paper and live, all bars at once in a backtest.

Both go the same way through the same kernels, which carry their state from one portion of bars to the next; a
backtest's kernels are compiled, that is the only difference.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.expression import PART_MARK
from alphintra.engine.graph.tape import BOOK_COLUMNS, FIELDS, Tape
from alphintra.engine.graph.values import PortKind
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["Columns", "End", "Evaluation", "book_nodes", "is_number", "needed_steps", "shown_end"]

End: TypeAlias = "tuple[str, str]"
Columns: TypeAlias = "dict[End, NDArray[np.float64]]"
INTERPRETED_MAX = 200_000  # values of nodes: interpreting them takes about as long as numba takes to start


@dataclass(frozen=True, slots=True)
class _Running:
    """A step with its arithmetic, its numbers and the state of each symbol, a row each (one row if it sees all).

    ``is_scalar``: its outputs are one series for all symbols; ``ends``: its outputs; ``wired``: what it reads.
    """

    step: Step
    definition: NodeType
    numbers: Vector
    states: NDArray[np.float64]
    is_scalar: bool
    ends: tuple[End, ...]
    wired: tuple[End, ...]

    @property
    def rows(self) -> int:
        """How many series it computes."""
        return int(self.states.shape[0])


@dataclass(frozen=True, slots=True)
class _Portion:
    """Bars that are computed together; ``present`` tells for each symbol where it has bars, None for everywhere."""

    tape: Tape
    clock: Mapping[str, NDArray[np.float64]]
    present: tuple[NDArray[np.bool_] | None, ...]
    is_compiled: bool


class Evaluation:
    """A plan being computed over the closed bars of its symbols, oldest first.

    Args:
        plan: what is computed.
        symbols: how many there are, or their names, which nodes that pick one need.
        only: outputs that are asked for; nodes that none of them needs are left out. All by default.

    Raises:
        AlphintraError: NODE_VERSION if the plan was compiled by an Alphintra with other nodes.
    """

    def __init__(self, plan: Plan, *, symbols: int | Sequence[str] = 1, only: Collection[End] | None = None) -> None:
        self.plan = plan
        names = ("",) * symbols if isinstance(symbols, int) else tuple(symbols)
        self._symbols = len(names)
        scalars = _scalars(plan.steps, len(names))
        steps = plan.steps if only is None else needed_steps(plan, only)
        self._running = tuple(_start(step, names, is_scalar=step.node in scalars) for step in steps)
        booked = book_nodes(plan)
        self._market = tuple(running for running in self._running if running.step.node not in booked)
        self._booked = tuple(running for running in self._running if running.step.node in booked)
        self._rooms: Columns | None = None
        self._again: _Portion | None = None
        self._nothing = np.zeros((0, 0))
        self._let_go: dict[tuple[int, frozenset[End]], tuple[tuple[End, ...], ...]] = {}

    @property
    def reads_book(self) -> bool:
        """Tell whether nodes read the position or the account, so that bars must be decided on one by one."""
        return bool(self._booked)

    @property
    def reads_sessions(self) -> bool:
        """Tell whether nodes read where a close lies in its session, which is told of all bars at once."""
        names = {name for running in self._running for name in running.definition.clock}
        return not names <= {*FIELDS, *BOOK_COLUMNS}

    def advance(self, tape: Tape, *, keep: Collection[End] | None = None, is_compiled: bool | None = None) -> Columns:
        """Compute the next bars and return the outputs by (node, port), each [symbols, closes].

        A node without outputs gives its first input under the port's name.

        Args:
            tape: bars after those computed before.
            keep: outputs that are returned, all by default; others are let go as soon as no node needs them.
            is_compiled: whether kernels run as machine code; by default where that is sooner.
        """
        return self._computed(self._running, tape, {}, keep=keep, is_compiled=is_compiled)

    def lay_out(self, closes: int) -> None:
        """Have memory for all outputs over so many closes in one piece, which comes sooner than as many small ones.

        Later calls write over what earlier ones returned.
        """
        ends = [end for running in self._running if running.definition.kernel is not None for end in running.ends]
        block = np.empty((len(ends), self._symbols, closes))
        self._rooms = dict(zip(ends, block, strict=True))

    def anew(self, tape: Tape, given: Columns, *, keep: Collection[End]) -> Columns:
        """Forget what was seen and compute bars by machine code; what the last call returned is written over.

        Args:
            tape: from its first bar on.
            given: outputs that steps of this plan read and other plans computed.
            keep: outputs that are returned.
        """
        if self._rooms is None or self._again is None or self._again.tape is not tape:
            names = {name for running in self._running for name in running.definition.clock}
            self._rooms, self._again = {}, _Portion(tape, tape.clock(names), _present(tape), is_compiled=True)
        columns = dict(given)
        for running in self._running:
            running.states[:] = 0.0
            self._compute(running, self._again, columns)
        return {end: columns[end] for end in keep}

    def advance_to(
        self, tape: Tape, when: End, ends: Collection[End], *, is_compiled: bool | None = None
    ) -> tuple[NDArray[np.int64], Columns]:
        """Compute the next bars as ``advance`` does, some outputs only for closes at which a condition holds.

        Nodes that keep nothing between closes and serve those outputs alone are computed for these closes alone.

        Args:
            tape: bars after those computed before.
            when: the condition's output; a close counts where it holds for one symbol.
            ends: what is asked for at these closes.
            is_compiled: as for ``advance``.

        Returns:
            The places of the closes, and ``when`` and ``ends`` as [symbols, those closes].
        """
        if is_compiled is None:
            is_compiled = _is_compiled(self._running, tape)
        late = _late(self._running, when)
        early = tuple(running for running in self._running if running.step.node not in late)
        given = {end for running in early for end in running.ends}
        asked = {end for running in self._running if running.step.node in late for end in running.wired}
        keep = ((asked | set(ends)) & given) | {when}
        columns = self._computed(early, tape, {}, keep=keep, is_compiled=is_compiled)
        told = columns[when]
        told = columns[when] = told[:1] if told.strides[0] == 0 else told  # one series for all symbols
        places = np.flatnonzero((told > 0.0).any(axis=0))
        some = {end: np.take(column, places, axis=1) for end, column in columns.items()}
        steps = tuple(running for running in self._running if running.step.node in late)
        close = np.take(tape.close, places, axis=1)  # the nodes left read no bars: only where there are any
        chosen = Tape(tape.ts[places], close, close, close, close, close)
        found = self._computed(steps, chosen, some, keep=None, is_compiled=is_compiled)
        return places, {end: found[end] for end in (when, *ends)}

    def market(self, tape: Tape, *, is_compiled: bool | None = None) -> Columns:
        """Compute the nodes that need no book over the next bars, as ``advance`` does; ``booked`` gives the others."""
        return self._computed(self._market, tape, {}, keep=None, is_compiled=is_compiled)

    def booked(self, tape: Tape, market: Columns) -> Columns:
        """Compute the nodes that read the position or the account, over bars that come with their book.

        Args:
            tape: the next bars these nodes have not seen; one in a backtest, where each decision changes the book.
            market: what ``market`` gave for these bars.
        """
        return self._computed(self._booked, tape, dict(market), keep=None, is_compiled=False)

    def _computed(
        self,
        steps: Sequence[_Running],
        tape: Tape,
        columns: Columns,
        *,
        keep: Collection[End] | None,
        is_compiled: bool | None,
    ) -> Columns:
        if is_compiled is None:
            is_compiled = _is_compiled(steps, tape)
        names = {name for running in steps for name in running.definition.clock}
        portion = _Portion(tape, tape.clock(names) if names else {}, _present(tape), is_compiled)
        if keep is None:
            for running in steps:
                self._compute(running, portion, columns)
        else:
            for running, ends in zip(
                steps, self._idle_after(steps, keep if isinstance(keep, frozenset) else frozenset(keep)), strict=True
            ):
                self._compute(running, portion, columns)
                for end in ends:
                    del columns[end]
        shape = (tape.symbols, tape.closes)
        return {
            end: column if column.shape == shape else np.broadcast_to(column, shape) for end, column in columns.items()
        }

    def _zeros(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return what a port without a wire reads."""
        if self._nothing.shape != shape:
            self._nothing = np.zeros(shape)
        return self._nothing

    def _room(self, ends: tuple[End, ...], shape: tuple[int, int]) -> list[NDArray[np.float64]]:
        """Return memory for outputs; that of the last time where ``anew`` says that nobody looks at it any more."""
        if self._rooms is None:
            return [np.empty(shape) for _ in ends]
        for end in ends:
            if end not in self._rooms or self._rooms[end].shape != shape:
                self._rooms[end] = np.empty(shape)
        return [self._rooms[end] for end in ends]

    def _idle_after(self, steps: Sequence[_Running], keep: frozenset[End]) -> tuple[tuple[End, ...], ...]:
        """Return for each step the outputs that nothing needs once it is computed."""
        found = self._let_go.get((len(steps), keep))
        if found is None:
            lasts = {end: place for place, running in enumerate(steps) for end in (*running.ends, *running.wired)}
            gone: list[list[End]] = [[] for _ in steps]
            for end, place in lasts.items():
                if end not in keep:
                    gone[place].append(end)
            found = self._let_go[len(steps), keep] = tuple(tuple(ends) for ends in gone)
        return found

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

    def _compute(self, running: _Running, portion: _Portion, columns: Columns) -> None:
        step, definition, ends = running.step, running.definition, running.ends
        if definition.read is not None:
            columns.update(zip(ends, definition.read(step.params, portion.tape), strict=True))
            return
        shape = (self._symbols if definition.is_across else running.rows, portion.tape.closes)
        inputs = [portion.clock[name] for name in definition.clock]
        for port in definition.inputs:
            wires = step.inputs[port.name]
            if port.is_many:
                inputs.append(_many(columns, wires, shape))
            else:
                inputs.append(columns[wires[0]] if wires else self._zeros(shape))
        if definition.kernel is None:
            columns.update(dict.fromkeys(ends, inputs[0] if inputs else np.zeros(shape)))
            return
        run = definition.kernel.compiled if portion.is_compiled else definition.kernel.interpreted
        if definition.is_across:
            outputs = [np.empty(shape) for _ in ends]
            run(running.numbers, running.states[0], *(_spread(column, shape) for column in inputs), *outputs)
            outputs = [column[:1] for column in outputs] if running.is_scalar else outputs
        else:
            # A kernel fills every output where its symbol has bars.
            is_whole = running.is_scalar or not any(row is not None for row in portion.present)
            outputs = self._room(ends, shape) if is_whole else [np.full(shape, np.nan) for _ in ends]
            for row in range(running.rows):
                present = None if running.is_scalar else portion.present[row]
                _run_row(run, running, row, inputs, outputs, present=present)
        columns.update(zip(ends, outputs, strict=True))


def _run_row(
    run: Callable[..., None],
    running: _Running,
    row: int,
    inputs: Sequence[NDArray[np.float64]],
    outputs: Sequence[NDArray[np.float64]],
    *,
    present: NDArray[np.bool_] | None,
) -> None:
    """Run a kernel over one symbol; closes at which it has no bar are passed over and stay unknown."""
    taken = [column[row if column.shape[0] > 1 else 0] for column in inputs]
    given = [column[row] for column in outputs]
    if present is None:
        run(running.numbers, running.states[row], *taken, *given)
    elif present.any():
        parts = [np.empty(int(present.sum())) for _ in given]
        cut = (np.ascontiguousarray(column[..., present]) for column in taken)
        run(running.numbers, running.states[row], *cut, *parts)
        for column, part in zip(given, parts, strict=True):
            column[present] = part


def _is_compiled(steps: Sequence[_Running], tape: Tape) -> bool:
    """Tell whether machine code gives the next bars sooner."""
    kernels = [running.definition.kernel for running in steps]
    is_at_hand = all(kernel is None or kernel.is_loaded for kernel in kernels)
    return is_at_hand or tape.symbols * tape.closes * len(steps) > INTERPRETED_MAX


def _late(steps: Sequence[_Running], when: End) -> frozenset[str]:
    """Return the nodes whose values at a close come from that close alone, and that nothing needs at every close."""
    early = {when[0]}
    for running in reversed(steps):
        definition, node = running.definition, running.step.node
        if node in early or running.states.size or definition.clock or definition.read is not None:
            early |= {node, *(parent for parent, _ in running.wired)}
    return frozenset(running.step.node for running in steps) - early


def needed_steps(plan: Plan, ends: Collection[End]) -> tuple[Step, ...]:
    """Return the steps that some outputs come from, in the order of the plan."""
    needed = {node for node, _ in ends}
    found = []
    for step in reversed(plan.steps):
        if step.node in needed:
            needed |= {node for wired in step.inputs.values() for node, _ in wired}
            found.append(step)
    return tuple(reversed(found))


def book_nodes(plan: Plan) -> frozenset[str]:
    """Return the nodes that read the position or the account, and all that depend on them."""
    found: set[str] = set()
    for step in plan.steps:
        parents = {node for ends in step.inputs.values() for node, _ in ends}
        if parents & found or not set(BOOK_COLUMNS).isdisjoint(_definition(step).clock):
            found.add(step.node)
    return frozenset(found)


def _present(tape: Tape) -> tuple[NDArray[np.bool_] | None, ...]:
    if not tape.closes or not np.isnan(tape.close.min()):  # the least is unknown where any is
        return (None,) * tape.symbols
    there = ~np.isnan(tape.close)
    return tuple(None if row.all() else row for row in there)


def shown_end(step: Step) -> End | None:
    """Return the output that stands for a node in decision records, None if it shows nothing."""
    shown = _definition(step).shown
    is_part = PART_MARK in step.node  # of a formula, which shows its value alone
    return (step.node, shown) if shown and not is_part else None


def is_number(step: Step) -> bool:
    """Tell whether what a node shows is a number, not a condition."""
    definition = _definition(step)
    ports = (*definition.outputs, *definition.inputs)
    return next(port.kind in {PortKind.NUM, PortKind.WEIGHTS} for port in ports if port.name == definition.shown)


def _ends(step: Step, definition: NodeType) -> tuple[End, ...]:
    ports = definition.outputs or definition.inputs[:1]
    return tuple((step.node, port.name) for port in ports)


def _many(columns: Columns, ends: tuple[End, ...], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return what a port of many wires reads, [rows, wires, closes]."""
    if not ends:
        return np.zeros((shape[0], 0, shape[1]))
    return np.stack([np.broadcast_to(columns[end], shape) for end in ends], axis=1)


def _spread(column: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a series of all symbols as a row for each."""
    shape = (shape[0], *column.shape[1:])
    return np.ascontiguousarray(np.broadcast_to(column, shape))


def _start(step: Step, symbols: Sequence[str], *, is_scalar: bool) -> _Running:
    definition = _definition(step)
    of_symbols = () if definition.of_symbols is None else definition.of_symbols(step.params, symbols)
    numbers = np.array((*definition.numbers(step.params), *of_symbols), dtype=np.float64)
    rows = 1 if is_scalar or definition.is_across else len(symbols)
    wired = tuple(end for ends in step.inputs.values() for end in ends)
    states = np.zeros((rows, definition.state(step.params)))
    return _Running(step, definition, numbers, states, is_scalar, _ends(step, definition), wired)


def _scalars(steps: Sequence[Step], symbols: int) -> frozenset[str]:
    """Return the nodes whose outputs are one series for all symbols, however many there are."""
    found: set[str] = set()
    for step in steps:
        definition = _definition(step)
        parents = {node for ends in step.inputs.values() for node, _ in ends}
        is_reader = bool(definition.clock) or definition.read is not None or definition.is_across
        if definition.is_scalar or (parents and parents <= found and not is_reader):
            found.add(step.node)
    return frozenset(found if symbols > 1 else ())


def _definition(step: Step) -> NodeType:
    definition = node_type(step.type, step.version)
    if definition is None:
        message = f"node {step.node}: {step.type} version {step.version} is not in this Alphintra: compile again"
        raise AlphintraError("NODE_VERSION", message)
    return definition.instead(step.params) or definition


def _decoded(node: str, text: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8")
        return values.reshape(shape)
    except (ValueError, binascii.Error) as error:
        raise _bad_snapshot(f"does not fit node {node}") from error


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)
