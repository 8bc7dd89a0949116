"""The report of a backtest as text, never larger than one reply between services can carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from alphintra.engine.backtest import BacktestResult

__all__ = ["REPORT_BYTES_MAX", "write_report"]

T = TypeVar("T")
# A reply holds 1 MB; the report travels in it as a string, which costs one more byte for each quotation mark.
REPORT_BYTES_MAX = 900_000
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


def write_report(result: BacktestResult, *, bytes_max: int = REPORT_BYTES_MAX) -> str:
    """Return orders, denials, fills, trades and equity as JSON text, thinned until it fits.

    ``stride`` tells that only every so-maniest equity point is shown, the last one always; of the others
    the newest are kept, and ``left_out`` counts the others. The run's digest covers everything.
    """
    stride = 1
    while True:
        text = _report(result, stride)
        if stride > len(result.equity) or len(text) + text.count(b'"') <= bytes_max:
            return text.decode()
        stride *= 2


def _report(result: BacktestResult, stride: int) -> bytes:
    return _encode(
        {
            "orders": _newest(result.orders, stride),
            "denials": _newest(result.denials, stride),
            "fills": _newest(result.fills, stride),
            "trades": _newest(result.trades, stride),
            "equity": result.equity[::-1][::stride][::-1],
            "stride": stride,
            "left_out": {
                "orders": len(result.orders) - len(_newest(result.orders, stride)),
                "denials": len(result.denials) - len(_newest(result.denials, stride)),
                "fills": len(result.fills) - len(_newest(result.fills, stride)),
                "trades": len(result.trades) - len(_newest(result.trades, stride)),
            },
            "position": result.position,
            "blocked": result.blocked,
            "honesty": result.honesty,
        }
    )


def _newest(items: Sequence[T], stride: int) -> Sequence[T]:
    return items[len(items) - len(items) // stride :]
