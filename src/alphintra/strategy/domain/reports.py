"""The report of a backtest as text, never larger than one reply between services can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from alphintra.engine.backtest import BacktestResult
from alphintra.kernel.money import plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alphintra.engine.bars import Bar
    from alphintra.engine.book import Fill
    from alphintra.engine.gate import Denial
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.metrics.series import Curve, TradeTable
    from alphintra.engine.trades import Trade
    from alphintra.engine.universe_backtest import UniverseResult

__all__ = ["DAYS_MAX", "REPORT_BYTES_MAX", "course_across", "course_beside", "write_report"]

T = TypeVar("T")
# A reply holds 1 MB; the report travels in it as a string, which costs one more byte for each quotation mark.
REPORT_BYTES_MAX = 900_000
DAYS_MAX = 6000
_WEIGHED: Final = 50  # records that tell how large the others are
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


def write_report(
    result: BacktestResult | UniverseResult,
    *,
    beside: Mapping[str, object] | None = None,
    bytes_max: int = REPORT_BYTES_MAX,
) -> str:
    """Return orders, denials, fills, trades and equity as JSON text, thinned until it fits.

    Of a run over several symbols each names its own, and there are ``positions`` in the place of ``position``.
    ``beside`` is what `course_beside` found; all but its sums is left out where not even the rest fits.

    ``stride`` tells that only every so-maniest equity point is shown, the last one always; of the others
    the newest are kept, and ``left_out`` counts the others. Points and records are thinned apart, whichever take more
    room: a long run keeps its few trades. The run's digest covers everything.
    """
    more, records = dict(beside or {}), _lists(result)
    weights = (_weight(result.equity), sum(_weight(items) for items in records.values()))
    longest = max(len(items) for items in records.values())
    stride, cut = 1, 1
    while True:
        is_thinnest = stride > len(result.equity) and cut > longest
        if is_thinnest or weights[0] / stride + weights[1] / cut <= bytes_max:  # else it cannot fit: not even tried
            text = _report(result, stride, cut, more)
            if len(text) + text.count(b'"') <= bytes_max or (is_thinnest and "course" not in more):
                return text.decode()
            if is_thinnest:
                stride, cut, more = 1, 1, {name: more[name] for name in ("summary", "contributions") if name in more}
                continue
        if weights[0] / stride >= weights[1] / cut and stride <= len(result.equity):
            stride *= 2
        elif cut <= longest:
            cut *= 2
        else:
            stride *= 2


def _weight(items: Sequence[object]) -> float:
    """Return about how many bytes of a reply these take, as told from the newest of them."""
    newest = items[-_WEIGHED:]
    if not newest:
        return 0.0
    text = _encode(_told(newest))
    return (len(text) + text.count(b'"')) / len(newest) * len(items)


def course_beside(result: BacktestResult, bars: Sequence[Bar] | Tape) -> dict[str, object]:
    """Return what a report needs beside the records: its daily course, excursions of each trade, and sums of all.

    The course has the newest 6,000 days at most.
    """
    from alphintra.engine.metrics.results import curve_of, trades_of  # noqa: PLC0415 - loads numpy, as below

    curve, table = curve_of(result, bars), trades_of(result, bars)
    return _beside_of(result, curve, table)


def course_across(result: UniverseResult, bars: Mapping[str, Sequence[Bar]]) -> dict[str, object]:
    """Return what `course_beside` does, for a run over several symbols, with what each symbol contributed."""
    from alphintra.engine.metrics.across import (  # noqa: PLC0415 - loads numpy, which a start must not wait for
        contributions,
        curve_across,
        trades_across,
    )

    told = _beside_of(result, curve_across(result, bars), trades_across(result, bars))
    return {**told, "contributions": contributions(result, bars)}


def _beside_of(result: BacktestResult | UniverseResult, curve: Curve, table: TradeTable) -> dict[str, object]:
    from alphintra.engine.report.summary import ambiguity_of, groups_of  # noqa: PLC0415 - loads numpy, as above

    excursions = [[round(a, 5), round(b, 5)] for a, b in zip(table.mae.tolist(), table.mfe.tolist(), strict=True)]
    summary = {"groups": groups_of(table, curve.calendar), "ambiguous": ambiguity_of(result)}
    return {"course": _course(curve), "excursions": excursions, "summary": summary}


def _course(curve: Curve) -> dict[str, object]:
    import numpy as np  # noqa: PLC0415 - a start must not wait for it

    from alphintra.engine.metrics.days import daily_closes  # noqa: PLC0415 - as above

    def daily(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return daily_closes(curve.closes, values, curve.calendar).values[-DAYS_MAX:]

    equity, days = daily(curve.equity), daily_closes(curve.closes, curve.equity, curve.calendar).days
    worth = np.where(equity > 0, equity, np.inf)
    course: dict[str, object] = {
        "days": days[-DAYS_MAX:].tolist(),
        "equity": equity.round(2).tolist(),
        "exposure": (daily(curve.net) / worth).round(4).tolist(),
        "costs": {
            name: daily(np.cumsum(paid)).round(2).tolist()
            for name, paid in (("fees", curve.fees), ("slippage", curve.slippage), ("borrowing", curve.borrow))
            if paid.any()
        },
    }
    if not np.array_equal(curve.gross, np.abs(curve.net)):
        course["gross"] = (daily(curve.gross) / worth).round(4).tolist()
    if curve.benchmark is not None:
        course["benchmark"] = daily(curve.benchmark).round(6).tolist()
    return course


def _report(result: BacktestResult | UniverseResult, stride: int, cut: int, beside: Mapping[str, object]) -> bytes:
    excursions = beside.get("excursions", ())
    lists = _lists(result)
    kept = {name: _newest(items, cut) for name, items in lists.items()}
    one = {"position": result.position} if isinstance(result, BacktestResult) else {"positions": result.positions}
    more = {"contributions": beside["contributions"]} if "contributions" in beside else {}
    return _encode(
        {
            **{name: _told(items) for name, items in kept.items()},
            "equity": result.equity[(len(result.equity) - 1) % stride :: stride],
            "stride": stride,
            "course": beside.get("course", {}),
            "excursions": _newest(excursions, cut) if isinstance(excursions, Sequence) else (),
            "summary": beside.get("summary", {}),
            "left_out": {name: len(items) - len(kept[name]) for name, items in lists.items()},
            "blocked": result.blocked,
            "honesty": result.honesty,
            **{name: _told(value) for name, value in (one | more).items()},
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


def _lists(result: BacktestResult | UniverseResult) -> dict[str, Sequence[object]]:
    """Return what a run did, oldest first; over several symbols each with its own."""
    if isinstance(result, BacktestResult):
        return {"orders": result.orders, "denials": result.denials, "fills": result.fills, "trades": result.trades}
    return {
        "orders": result.orders,
        "denials": [_named(each.symbol, each.denial) for each in result.denials],
        "fills": [_named(each.symbol, each.fill) for each in result.fills],
        "trades": [_named(each.symbol, each.trade) for each in result.trades],
    }


def _named(symbol: str, told: Denial | Fill | Trade) -> dict[str, object]:
    return {"symbol": symbol} | {each.name: getattr(told, each.name) for each in fields(told)}


def _newest(items: Sequence[T], cut: int) -> Sequence[T]:
    return items[len(items) - len(items) // cut :]
