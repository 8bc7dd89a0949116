"""Parameters that node types of several shelves have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.params import ParamKind, ParamSpec

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import Params

__all__ = ["ANY_NUMBER", "PERIOD_MAX", "TAG", "integer", "number", "period"]

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
