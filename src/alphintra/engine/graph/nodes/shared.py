"""Parameters that node types of several shelves have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.graph.warm_up import recursive_warm_up
from alphintra.kernel.vocabulary import OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.engine.graph.definition import Params
    from alphintra.engine.graph.wire import ParamValue
    from alphintra.engine.kernels.kernel import Kernel

__all__ = [
    "ANY_NUMBER",
    "PERIOD_MAX",
    "TAG",
    "Shelf",
    "choice",
    "conditions",
    "decimal",
    "fades",
    "fades_slowly",
    "flag",
    "integer",
    "number",
    "order_terms",
    "period",
    "series",
]

PERIOD_MAX: Final = Decimal(5000)
ANY_NUMBER: Final = Decimal(10) ** 15

TAG: Final = ParamSpec(name="tag", kind=ParamKind.TEXT, summary="Label written on orders and trades.", default="")


def period(
    default: int = 20, *, name: str = "period", summary: str = "Bars in the window.", least: int = 1
) -> ParamSpec:
    """Return the parameter of a window's length in bars."""
    return ParamSpec(
        name=name,
        kind=ParamKind.INT,
        summary=summary,
        default=default,
        minimum=Decimal(least),
        maximum=PERIOD_MAX,
    )


def integer(params: Params, name: str = "period") -> int:
    """Return a whole-number parameter."""
    return int(params[name])


def number(params: Params, name: str) -> float:
    """Return a parameter as float64, decimals included."""
    return float(params[name])


def series(*names: str) -> tuple[Port, ...]:
    """Return input ports that take a number each; ``in`` if no name is given."""
    return tuple(Port(name, PortKind.NUM) for name in names or ("in",))


def decimal(name: str, default: str, summary: str, *, least: str = "0", most: str = "1000") -> ParamSpec:
    """Return a parameter that is a decimal number between two others, both included."""
    return ParamSpec(
        name=name,
        kind=ParamKind.DECIMAL,
        summary=summary,
        default=default,
        minimum=Decimal(least),
        maximum=Decimal(most),
    )


def choice(name: str, summary: str, *choices: str) -> ParamSpec:
    """Return the parameter of a choice among words, the first by default."""
    return ParamSpec(name=name, kind=ParamKind.CHOICE, summary=summary, choices=choices, default=choices[0])


def flag(name: str, summary: str, *, default: bool = False) -> ParamSpec:
    """Return a parameter that is true or false."""
    return ParamSpec(name=name, kind=ParamKind.FLAG, summary=summary, default=default)


def conditions(*names: str) -> tuple[Port, ...]:
    """Return input ports that take a condition each; ``in`` if no name is given."""
    return tuple(Port(name, PortKind.BOOL) for name in names or ("in",))


def fades(*periods: float) -> int:
    """Return how many bars exponential averages over these periods, one after another, remember their seeds."""
    return sum(recursive_warm_up(2.0 / (period + 1)) for period in periods)


def fades_slowly(*periods: float) -> int:
    """Return how many bars Wilder's averages over these periods, one after another, remember their seeds."""
    return sum(recursive_warm_up(1.0 / period) for period in periods)


def _nothing(*_numbers: float) -> int:
    return 0


class Shelf:
    """A shelf of the palette, on which every node reads its parameters as numbers in the order they are declared in.

    Args:
        group: the shelf's name.
    """

    def __init__(self, group: str) -> None:
        self.group = group

    def node(  # noqa: PLR0913 - what an indicator consists of
        self,
        type_: str,
        summary: str,
        kernel: Kernel,
        *,
        inputs: tuple[Port, ...] = (),
        outs: tuple[Port, ...] = (),
        params: tuple[ParamSpec, ...] = (),
        state: Callable[..., float] = _nothing,
        lookback: Callable[..., float] = _nothing,
        fading: Callable[..., float] = _nothing,
        clock: tuple[str, ...] = (),
        fixed: tuple[float, ...] = (),
        is_across: bool = False,
    ) -> NodeType:
        """Return a node type whose kernel's numbers are its parameters.

        Args:
            type_: name used in graphs.
            summary: one sentence for people.
            kernel: its arithmetic.
            inputs: the sockets it reads, one number ``in`` by default.
            outs: the sockets it fills, one number ``out`` by default; the first is shown.
            params: its parameters; a choice is read as its place among the choices, a flag as 1 or 0.
            state: how many numbers the kernel keeps, from its numbers.
            lookback: earlier bars needed for the first value of every output, from its numbers.
            fading: bars beyond these until it no longer matters where the data began, from its numbers.
            clock: columns of the calendar it reads before its inputs; a node that reads some needs no input.
            fixed: numbers the kernel reads after those of the parameters, the same for every node of the type.
            is_across: whether it sees all symbols at once.
        """
        ends = outs or outputs(PortKind.NUM)

        def numbers(given: Params) -> tuple[float, ...]:
            return tuple(_as_number(spec, given[spec.name]) for spec in params)

        return NodeType(
            type=type_,
            group=self.group,
            summary=summary,
            kernel=kernel,
            inputs=inputs or (() if clock else series()),
            clock=clock,
            is_across=is_across,
            outputs=ends,
            params=params,
            numbers=lambda given: (*numbers(given), *fixed),
            state=lambda given: int(state(*numbers(given))),
            lookback=lambda given: int(lookback(*numbers(given))),
            warm_up=lambda given: int(lookback(*numbers(given)) + fading(*numbers(given))),
            objection=_fast_is_slow,
            shown=ends[0].name,
        )


def _fast_is_slow(params: Params) -> str:
    if {"fast", "slow"} <= params.keys() and integer(params, "fast") >= integer(params, "slow"):
        return f"fast, {params['fast']} bars, is not below slow, {params['slow']} bars"
    return ""


def _as_number(spec: ParamSpec, value: ParamValue) -> float:
    return float(spec.choices.index(str(value))) if spec.kind is ParamKind.CHOICE else float(value)


def order_terms(
    priced: str,
    works: str,
    *,
    types: tuple[str, ...] = ("market",),
    times: tuple[str, ...] = ("day",),
) -> tuple[ParamSpec, ...]:
    """Return the parameters of what orders: how they are priced and how long they work; neither has a default."""
    return (
        ParamSpec(
            name="type",
            kind=ParamKind.CHOICE,
            summary=priced,
            choices=types,
            unsupported=tuple(name for name in OrderType if name not in types),
        ),
        ParamSpec(
            name="tif",
            kind=ParamKind.CHOICE,
            summary=works,
            choices=times,
            unsupported=tuple(name for name in TimeInForce if name not in times),
        ),
    )
