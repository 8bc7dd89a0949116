"""A backtest for other programs: its trades or its daily course as CSV text."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from alphintra.engine.report.course import course_of

__all__ = ["course_csv", "trades_csv"]

_TRADE: Final = (
    "opened_ts",
    "closed_ts",
    "bars",
    "side",
    "qty",
    "entry_price",
    "exit_price",
    "gross",
    "fees",
    "net",
    "entry_tag",
    "exit_tag",
)
_FORMULA: Final = ("=", "+", "@", "\t", "\r")


def trades_csv(result: Mapping[str, Any]) -> str:
    """Return the closed trades, oldest first, with how far prices went against and for each."""
    excursions = result.get("excursions") or []
    known = len(excursions) == len(result["trades"])
    symbol = ("symbol",) if any("symbol" in trade for trade in result["trades"]) else ()
    rows: list[list[object]] = [[*symbol, *_TRADE, "mae", "mfe"]]
    for place, trade in enumerate(result["trades"]):
        rows.append(
            [*(_plain(trade[name]) for name in (*symbol, *_TRADE)), *(excursions[place] if known else ("", ""))]
        )
    return _text(rows)


def course_csv(result: Mapping[str, Any]) -> str:
    """Return equity, benchmark and exposure at the close of each day."""
    course = course_of(result.get("course") or {})
    rows: list[list[object]] = [["day", "equity", "benchmark", "exposure"]]
    benchmark: list[object] = [*course.benchmark] or [""] * len(course.days)
    rows += [list(row) for row in zip(course.days, course.equity, benchmark, course.exposure, strict=True)]
    return _text(rows)


def _plain(value: object) -> object:
    """Return a text that no spreadsheet takes for a formula: tags are what people wrote."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _text(rows: list[list[object]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()
