"""The report of a backtest as text, never larger than one reply between services can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import msgspec

from alphintra.engine.backtest import BacktestResult

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.book import Fill
    from alphintra.engine.gate import Denial
    from alphintra.engine.metrics.series import Curve, TradeTable
    from alphintra.engine.trades import Trade
    from alphintra.engine.universe_backtest import UniverseResult

__all__ = ["DAYS_MAX", "REPORT_BYTES_MAX", "course_across", "course_beside", "write_report"]

T = TypeVar("T")
# A reply holds 1 MB; the report travels in it as a string, which costs one more byte for each quotation mark.
REPORT_BYTES_MAX = 900_000
DAYS_MAX = 6000
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


def write_report(
    result: BacktestResult | UniverseResult,
    *,
    beside: Mapping[str, object] | None = None,
    bytes_max: int = REPORT_BYTES_MAX,
) -> str:
    """Return orders, denials, fills, trades and equity as JSON text, thinned until it fits.

    Of a run over several symbols each names its own, and there are ``positions`` in the place of ``position``.
    ``beside`` is what `course_beside` found; it is left out as a whole where not even the rest fits.

    ``stride`` tells that only every so-maniest equity point is shown, the last one always; of the others
    the newest are kept, and ``left_out`` counts the others. The run's digest covers everything.
    """
    stride, more = 1, beside or {}
    while True:
        text = _report(result, stride, more)
        if stride > len(result.equity) and more:
            stride, more = 1, {}
            continue
        if stride > len(result.equity) or len(text) + text.count(b'"') <= bytes_max:
            return text.decode()
        stride *= 2


def course_beside(result: BacktestResult, bars: Sequence[Bar]) -> dict[str, object]:
    """Return what plots need of a run: its daily course, and how far prices went against and for each trade.

    At most the newest 6,000 days.
    """
    from alphintra.engine.metrics.results import curve_of, trades_of  # noqa: PLC0415 - loads numpy, as below

    return _course(curve_of(result, bars), trades_of(result, bars))


def course_across(result: UniverseResult, bars: Mapping[str, Sequence[Bar]]) -> dict[str, object]:
    """Return what `course_beside` does, for a run over several symbols, with what each symbol contributed."""
    from alphintra.engine.metrics.across import (  # noqa: PLC0415 - loads numpy, which a start must not wait for
        contributions,
        curve_across,
        trades_across,
    )

    told = _course(curve_across(result, bars), trades_across(result, bars))
    return {**told, "contributions": contributions(result, bars)}


def _course(curve: Curve, table: TradeTable) -> dict[str, object]:
    from alphintra.engine.metrics.days import daily_closes  # noqa: PLC0415 - loads numpy, which a start must not wait for

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


def _report(result: BacktestResult | UniverseResult, stride: int, beside: Mapping[str, object]) -> bytes:
    excursions = beside.get("excursions", ())
    lists = _lists(result)
    kept = {name: _newest(items, stride) for name, items in lists.items()}
    one = {"position": result.position} if isinstance(result, BacktestResult) else {"positions": result.positions}
    more = {"contributions": beside["contributions"]} if "contributions" in beside else {}
    return _encode(
        {
            **kept,
            "equity": result.equity[::-1][::stride][::-1],
            "stride": stride,
            "course": beside.get("course", {}),
            "excursions": _newest(excursions, stride) if isinstance(excursions, Sequence) else (),
            "left_out": {name: len(items) - len(kept[name]) for name, items in lists.items()},
            "blocked": result.blocked,
            "honesty": result.honesty,
            **one,
            **more,
        }
    )


def _lists(result: BacktestResult | UniverseResult) -> dict[str, Sequence[object]]:
    """Return what a run did, oldest first; over several symbols each with its own."""
    if isinstance(result, BacktestResult):
        return {"orders": result.orders, "denials": result.denials, "fills": result.fills, "trades": result.trades}
    return {
        "orders": result.orders,
        "denials": [_beside(each.symbol, each.denial) for each in result.denials],
        "fills": [_beside(each.symbol, each.fill) for each in result.fills],
        "trades": [_beside(each.symbol, each.trade) for each in result.trades],
    }


def _beside(symbol: str, told: Denial | Fill | Trade) -> dict[str, object]:
    return {"symbol": symbol} | {each.name: getattr(told, each.name) for each in fields(told)}


def _newest(items: Sequence[T], stride: int) -> Sequence[T]:
    return items[len(items) - len(items) // stride :]
