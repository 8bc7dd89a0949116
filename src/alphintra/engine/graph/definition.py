"""What a node type is: its ports, its parameters, and its one definition that every mode runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from alphintra.engine.graph.params import spec_of
from alphintra.engine.graph.values import PortKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alphintra.engine.graph.params import ParamSpec
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.graph.wire import ParamValue
    from alphintra.engine.kernels.kernel import Kernel

__all__ = ["NodeType", "Params", "Port", "Read", "outputs"]

Params: TypeAlias = "Mapping[str, ParamValue]"
Read: TypeAlias = "Callable[[Params, Tape], tuple[NDArray[np.float64], ...]]"


@dataclass(frozen=True, slots=True)
class Port:
    """One socket of a node.

    Args:
        name: unique among the node's ports of the same direction.
        kind: what it carries. An input of kind Bool also takes an Event (true on one bar only), never the reverse.
        is_required: whether an input must be wired; a kernel reads zeros from one that is not.
        is_many: whether an input takes several wires; a kernel reads them as one array, a row for each.
    """

    name: str
    kind: PortKind
    is_required: bool = True
    is_many: bool = False

    def accepts(self, kind: PortKind) -> bool:
        """Tell whether a wire of the given kind may end here."""
        return kind is self.kind or (self.kind is PortKind.BOOL and kind is PortKind.EVENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """The one definition of a node.

    A node has a ``kernel``, or reads market data (``read``), or is carried out by whoever holds the account: then it
    has neither, and its first input is what it shows.

    Args:
        type: name used in graphs.
        version: rises whenever the meaning changes.
        group: shelf in the palette.
        summary: one sentence for people.
        kernel: its arithmetic, called with ``numbers``, the state, the columns of ``clock``, the inputs and the outputs
            in order of the ports.
        clock: names of SESSION_COLUMNS, of the bars' FIELDS and of BOOK_COLUMNS the kernel reads.
        numbers: parameters as the kernel reads them.
        state: how many numbers the kernel keeps between bars; all are zero before the first.
        read: takes its outputs from the market data.
        is_across: whether the kernel sees all symbols at once, as [symbols, closes] arrays with NaN where one has no
            bar; any other kernel does not see the closes at which its symbol has none.
        is_scalar: whether its outputs are one series for all symbols; so are those of a node with such inputs alone.
        is_base: whether its outputs are of the base timeframe, whatever its inputs are.
        of_symbols: numbers the kernel reads after ``numbers``, by the symbols a run is over.
        instead: another definition for some values of the parameters.
        lookback: earlier bars needed for the first value.
        warm_up: earlier bars needed until the value no longer depends on where the data began.
        shown: port whose value stands for the node in decision records; empty for none.
        is_source: brings data in.
        is_sink: gives the graph a purpose; every node must lead to one.
        objection: what is wrong with parameters that are each within their range, empty if nothing is.
        is_open: whether it takes parameters beyond these, which who carries it out declares and checks.
        lookahead: later bars read; zero, always.
    """

    type: str
    group: str
    summary: str
    version: int = 1
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    params: tuple[ParamSpec, ...] = ()
    kernel: Kernel | None = None
    clock: tuple[str, ...] = ()
    numbers: Callable[[Params], tuple[float, ...]] = field(default=lambda _params: ())
    state: Callable[[Params], int] = field(default=lambda _params: 0)
    read: Read | None = None
    is_across: bool = False
    is_scalar: bool = False
    is_base: bool = False
    of_symbols: Callable[[Params, Sequence[str]], tuple[float, ...]] | None = None
    instead: Callable[[Params], NodeType | None] = field(default=lambda _params: None)
    lookback: Callable[[Params], int] = field(default=lambda _params: 0)
    warm_up: Callable[[Params], int] = field(default=lambda _params: 0)
    shown: str = "out"
    is_source: bool = False
    is_sink: bool = False
    objection: Callable[[Params], str] = field(default=lambda _params: "")
    is_open: bool = False
    lookahead: int = 0

    def specs(self, params: Params) -> tuple[ParamSpec, ...]:
        """Return the parameters a node of this type has: its own, and where it is open those it was given besides."""
        if not self.is_open:
            return self.params
        own = {spec.name for spec in self.params}
        return (*self.params, *(spec_of(name, params[name]) for name in sorted(set(params) - own)))


def outputs(kind: PortKind, *names: str) -> tuple[Port, ...]:
    """Return output ports of one kind; ``out`` if no name is given."""
    return tuple(Port(name, kind) for name in names or ("out",))
