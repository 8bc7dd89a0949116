"""Parameters of the detectors: versions never change, each has a date by which it is reviewed, a year later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import require_positive

__all__ = ["BUILT_IN", "LOOKBACK", "REVIEWED_EVERY", "Parameters", "next_parameters", "require_detector"]

REVIEWED_EVERY: Final = timedelta(days=365)
LOOKBACK: Final = timedelta(hours=24)  # no detector looks further back from the action it is run for
_SECONDS_MAX: Final = Decimal(86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One version of a detector's parameters; names are those of the built-in version."""

    detector: str
    version: int
    values: Mapping[str, Decimal]
    reason: str
    set_by: str
    set_at: datetime
    review_due: date


def _values(**values: str) -> Mapping[str, Decimal]:
    return MappingProxyType({name: Decimal(value) for name, value in values.items()})


# Names end in their unit. docs/surveillance.md says of each detector what it looks for and what these mean.
BUILT_IN: Final[Mapping[str, Mapping[str, Decimal]]] = MappingProxyType(
    {
        "wash_trade": _values(window_s="60", price_bps="10", qty_share="0.8", pairs_same_account="3"),
        "self_cross": _values(qty_min="0.000000001"),
        "layering": _values(window_s="60", orders_min="3", size_ratio="3", single_ratio="10", filled_share="0.2"),
        "quote_stuffing": _values(window_s="1", messages_min="100", trade_share="0.05"),
        "marking_close": _values(window_s="300", trades_min="2", volume_share="0.5", side_share="0.8", move_bps="50"),
        "ramping": _values(window_s="600", trades_min="5", move_bps="100", side_share="0.9"),
    }
)


def require_detector(name: str) -> str:
    """Return the name if there is a detector of it. Raises DETECTOR_NOT_FOUND."""
    if name not in BUILT_IN:
        message = f"there is no detector {name[:40]!r}: the detectors are {', '.join(BUILT_IN)}"
        raise AlphintraError("DETECTOR_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/detector")
    return name


def next_parameters(
    current: Parameters, values: Mapping[str, Decimal], *, reason: str, set_by: str, at: datetime
) -> Parameters:
    """Return the next version, with what is not named as it was; equal values are a review and a version too.

    Raises PARAMETER_UNKNOWN, PARAMETER_RANGE, REASON_REQUIRED, QTY_NOT_POSITIVE and NUMBER_*.
    """
    if not reason.strip():
        raise AlphintraError("REASON_REQUIRED", "say why the parameters are set: it stays with them", pointer="/reason")
    for name, value in values.items():
        if name not in current.values:
            message = f"{current.detector} has no parameter {name[:40]!r}: it has {', '.join(current.values)}"
            raise AlphintraError("PARAMETER_UNKNOWN", message, pointer=f"/values/{name[:40]}")
        require_positive(value, pointer=f"/values/{name}")
        if name.endswith("_s") and value > _SECONDS_MAX:
            message = f"a detector looks back {_SECONDS_MAX} seconds at most"
            raise AlphintraError("PARAMETER_RANGE", message, pointer=f"/values/{name}")
    return Parameters(
        detector=current.detector,
        version=current.version + 1,
        values={**current.values, **values},
        reason=reason.strip(),
        set_by=set_by,
        set_at=at,
        review_due=(at + REVIEWED_EVERY).date(),
    )
