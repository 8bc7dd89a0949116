"""The report of a backtest as text, never larger than one reply between services can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from alphintra.kernel.money import plain

if TYPE_CHECKING:
    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.tape import Tape

__all__ = ["DAYS_MAX", "REPORT_BYTES_MAX", "course_beside", "write_report"]

T = TypeVar("T")
# A reply holds 1 MB; the report travels in it as a string, which costs one more byte for each quotation mark.
REPORT_BYTES_MAX = 900_000
DAYS_MAX = 6000
_POINT_BYTES_MIN: Final = 90  # no equity point takes less of a reply
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


def write_report(
    result: BacktestResult, *, beside: Mapping[str, object] | None = None, bytes_max: int = REPORT_BYTES_MAX
) -> str:
    """Return orders, denials, fills, trades and equity as JSON text, thinned until it fits.

    ``beside`` is what `course_beside` found; it is left out as a whole where not even the rest fits.

    ``stride`` tells that only every so-maniest equity point is shown, the last one always; of the others
    the newest are kept, and ``left_out`` counts the others. The run's digest covers everything.
    """
    stride, more = 1, beside or {}
    while len(result.equity) // stride * _POINT_BYTES_MIN > bytes_max:  # cannot fit: not even tried
        stride *= 2
    while True:
        text = _report(result, stride, more)
        if stride > len(result.equity) and more:
            stride, more = 1, {}
            continue
        if stride > len(result.equity) or len(text) + text.count(b'"') <= bytes_max:
            return text.decode()
        stride *= 2


def course_beside(result: BacktestResult, bars: Sequence[Bar] | Tape) -> dict[str, object]:
    """Return what plots need of a run: its daily course, and how far prices went against and for each trade.

    At most the newest 6,000 days.
    """
    from alphintra.engine.metrics.days import daily_closes  # noqa: PLC0415 - loads numpy, which a start must not wait for
    from alphintra.engine.metrics.results import curve_of, trades_of  # noqa: PLC0415 - as above

    curve, table = curve_of(result, bars), trades_of(result, bars)
    equity = daily_closes(curve.closes, curve.equity, curve.calendar)
    held = daily_closes(curve.closes, curve.net, curve.calendar).values
    course: dict[str, object] = {
        "days": equity.days[-DAYS_MAX:].tolist(),
        "equity": [round(value, 2) for value in equity.values[-DAYS_MAX:].tolist()],
        "exposure": [
            round(value / worth, 4) if worth > 0 else 0.0
            for value, worth in zip(held[-DAYS_MAX:].tolist(), equity.values[-DAYS_MAX:].tolist(), strict=True)
        ],
    }
    if curve.benchmark is not None:
        closes = daily_closes(curve.closes, curve.benchmark, curve.calendar).values[-DAYS_MAX:].tolist()
        course["benchmark"] = [round(value, 6) for value in closes]
    excursions = [[round(a, 5), round(b, 5)] for a, b in zip(table.mae.tolist(), table.mfe.tolist(), strict=True)]
    return {"course": course, "excursions": excursions}


def _report(result: BacktestResult, stride: int, beside: Mapping[str, object]) -> bytes:
    excursions = beside.get("excursions", ())
    return _encode(
        {
            "orders": _told(_newest(result.orders, stride)),
            "denials": _told(_newest(result.denials, stride)),
            "fills": _told(_newest(result.fills, stride)),
            "trades": _told(_newest(result.trades, stride)),
            "equity": result.equity[(len(result.equity) - 1) % stride :: stride],
            "stride": stride,
            "course": beside.get("course", {}),
            "excursions": _newest(excursions, stride) if isinstance(excursions, Sequence) else (),
            "left_out": {
                "orders": len(result.orders) - len(result.orders) // stride,
                "denials": len(result.denials) - len(result.denials) // stride,
                "fills": len(result.fills) - len(result.fills) // stride,
                "trades": len(result.trades) - len(result.trades) // stride,
            },
            "position": _told(result.position),
            "blocked": result.blocked,
            "honesty": result.honesty,
        }
    )


def _told(records: object) -> object:
    """Return records as plain values: amounts without trailing zeros, whatever they were computed from."""
    return _plain(msgspec.to_builtins(records, builtin_types=(datetime, Decimal)))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _newest(items: Sequence[T], stride: int) -> Sequence[T]:
    return items[len(items) - len(items) // stride :]
