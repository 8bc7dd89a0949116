"""Sections of a report about the course: equity and its zones, falls, months, rolling figures, prices with trades."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from alphintra.engine.report.course import (
    ROLLING_DAYS,
    Course,
    histogram,
    monthly,
    rolling,
    rolling_beta,
    ticks_of,
    yearly,
)
from alphintra.engine.report.plots import Band, Line, Mark, Plot, bar_plot, compact, line_plot
from alphintra.engine.report.stretches import Stretch, crises, deepest_falls, measured
from alphintra.engine.report.tables import heat_map, months_table, ratio, table

__all__ = ["course_section", "months_section", "price_section", "risk_section"]

MARKS_MAX: Final = 400
_BENCHMARK_NAME: Final = "buy and hold"
_STRETCH_COLUMNS: Final = ("", "from", "to", "return", "market", "fall", "Sharpe")
_CRISIS_COLUMNS: Final = (0, 1, 3, 4, 5)  # half a page has no room for more


def course_section(course: Course, metrics: Mapping[str, float | None], zones: Sequence[Band]) -> str:
    """Return equity on both axes with its zones, the falls, and how each zone went by itself."""
    if not course.days:
        return ""
    ticks, last = ticks_of(course.days), course.equity[-1]
    named = "".join(f" {_zone(band, course)}." for band in zones)
    told = f"From {course.equity[0]:,.0f} on {course.days[0]} to {last:,.0f} on {course.days[-1]}.{named}"
    lines = [Line("strategy", course.equity, "a")]
    if course.benchmark and course.benchmark[0] > 0:
        factor = course.equity[0] / course.benchmark[0]
        lines.append(Line(_BENCHMARK_NAME, [value * factor for value in course.benchmark], "b"))
    plain, log = (
        line_plot(
            Plot(
                name=f"equity{kind}",
                title=f"Equity, {kind} axis",
                text=told,
                written=compact,
                ticks=ticks,
                bands=zones,
            ),
            lines,
            is_log=kind == "log",
        )
        for kind in ("plain", "log")
    )
    deepest = metrics.get("max_drawdown") or 0.0
    under = Plot(
        name="under",
        title="Underwater",
        text=f"Distance below the highest equity so far; {deepest:.1%} at the deepest.",
        written="{:.0%}".format,
        ticks=ticks,
        bands=zones,
    )
    months = monthly(course)
    ends = {(day.year, day.month): value for day, value in zip(course.days, course.equity, strict=True)}
    below = line_plot(under, [Line("", course.falls, "c")], fill="area")
    return (
        '<h2>Course</h2><figure class="switch"><figcaption>Equity against buying and holding</figcaption>'
        '<input type="radio" name="axis" id="axis-plain" checked><label for="axis-plain">plain</label> '
        '<input type="radio" name="axis" id="axis-log"><label for="axis-log">logarithmic</label>'
        f'<div class="plain">{plain}</div><div class="log">{log}</div>{months_table(months, ends)}</figure>'
        f"<figure><figcaption>Underwater</figcaption>{below}</figure>{_stretches(course, metrics, zones)}"
    )


def months_section(course: Course) -> str:
    """Return the return by month, by year and by day."""
    if not course.days:
        return ""
    months, years = monthly(course), yearly(course)
    bars = [(str(year), value) for year, value in years.items()]
    text = ", ".join(f"{label}: {value:+.1%}" for label, value in bars)
    by_year = Plot(name="years", title="Return by year", text=text, written="{:.0%}".format)
    days = histogram(course.returns)
    worst, best = min(course.returns, default=0.0), max(course.returns, default=0.0)
    spread = Plot(
        name="days",
        title="Daily returns",
        text=f"Number of days by their return, from {worst:.2%} to {best:.2%}.",
        written="{:,.0f}".format,
    )
    return (
        f"<figure><figcaption>Return by month</figcaption>{heat_map(months, years)}</figure>"
        f'<div class="grid"><figure><figcaption>Return by year</figcaption>'
        f"{bar_plot(by_year, bars, every=-(-len(bars) // 10))}</figure>"
        f"<figure><figcaption>Daily returns: days by their return</figcaption>"
        f"{bar_plot(spread, days, every=10)}</figure></div>"
    )


def risk_section(course: Course, metrics: Mapping[str, float | None]) -> str:
    """Return rolling figures and how much was held."""
    ratios, spreads = rolling(course, int(metrics.get("periods_per_year") or 252))
    ticks = ticks_of(course.days)
    parts = []
    shown: tuple[tuple[str, str, Sequence[float | None], Any], ...] = (
        ("sharpe", f"Sharpe ratio over {ROLLING_DAYS} days", ratios, "{:.1f}".format),
        ("spread", f"Volatility over {ROLLING_DAYS} days", spreads, "{:.0%}".format),
        ("beta", f"Beta over {ROLLING_DAYS} days", rolling_beta(course), "{:.1f}".format),
        ("held", "Exposure: value held of equity", course.exposure, "{:.0%}".format),
        ("gross", "Leverage: value held without signs", course.gross, "{:.0%}".format),
    )
    for name, title, values, form in shown:
        known = [value for value in values if value is not None]
        if not known:
            continue
        text = f"From {form(min(known))} to {form(max(known))}, {form(known[-1])} at the end."
        plot = Plot(name=f"roll{name}", title=title, text=text, written=form, ticks=ticks)
        drawn = line_plot(plot, [Line(title, values)], fill="calm" if name in {"held", "gross"} else "")
        parts.append(f'<figure><figcaption>{title}</figcaption>{drawn}<p class="dim">{text}</p></figure>')
    return f'<div class="grid after">{"".join(parts)}</div>' if parts else ""


def price_section(course: Course, trades: Sequence[Mapping[str, Any]], symbol: str) -> str:
    """Return the closes of the symbol with where the newest trades began and ended."""
    if not course.benchmark or not trades:
        return ""
    marks = []
    for trade in trades[-MARKS_MAX // 2 :]:
        is_long = trade["side"] == "buy"
        for when, price, is_up, verb in (
            (trade["opened_ts"], trade["entry_price"], is_long, "opened"),
            (trade["closed_ts"], trade["exit_price"], not is_long, "closed"),
        ):
            place = bisect_left(course.days, date.fromisoformat(when[:10]))
            if place < len(course.days):
                marks.append(Mark(place, float(price), is_up, f"{verb} {when[:10]} at {float(price):,.4f}"))
    shown = len(marks) // 2
    plot = Plot(
        name="price",
        title=f"{symbol} with trades",
        text=f"Daily closes and the executions of {shown} trades; the list of trades has them as a table.",
        written=compact,
        ticks=ticks_of(course.days),
    )
    drawn = line_plot(plot, [Line(symbol, course.benchmark, "b solid")], marks=marks)
    caption = f"Price of the symbol: ▲ bought, ▼ sold (the newest {shown} trades)"
    return f'<figure class="after"><figcaption>{caption}</figcaption>{drawn}</figure>'


def _stretches(course: Course, metrics: Mapping[str, float | None], zones: Sequence[Band]) -> str:
    periods = int(metrics.get("periods_per_year") or 252)
    falls = [
        (f"{-fall.depth:.1%}", fall.peak, fall.lowest, fall.regained or "not yet", _length(fall.peak, fall.regained))
        for fall in deepest_falls(course)
    ]
    alone = ""
    if zones:
        rows = [_row(measured(course, band.label, (max(band.first - 1, 0), band.last), periods)) for band in zones]
        alone = f'<div class="card below"><h3>Zones</h3>{table(_STRETCH_COLUMNS, rows)}</div>'
    parts = []
    if falls:
        columns = ("depth", "peak", "lowest", "regained", "days")
        parts.append(f"<div><h3>Deepest falls</h3>{table(columns, falls)}</div>")
    through = [[_row(each)[place] for place in _CRISIS_COLUMNS] for each in crises(course, periods)]
    if through:
        body = table([_STRETCH_COLUMNS[place] for place in _CRISIS_COLUMNS], through)
        note = '<p class="dim">From the S&amp;P 500\'s high to its low; market: buying and holding the symbol.</p>'
        parts.append(f"<div><h3>In the markets' crises</h3>{body}{note}</div>")
    return alone + (f'<div class="grid below">{"".join(parts)}</div>' if parts else "")


def _row(stretch: Stretch) -> tuple[object, ...]:
    return (
        stretch.name,
        stretch.first,
        stretch.last,
        f"{stretch.growth:+.1%}",
        "-" if stretch.benchmark is None else f"{stretch.benchmark:+.1%}",
        f"{0.0 - stretch.depth:.1%}",
        ratio(stretch.sharpe),
    )


def _length(begun: date, ended: date | None) -> object:
    return "-" if ended is None else (ended - begun).days


def _zone(band: Band, course: Course) -> str:
    return f"{band.label.capitalize()} from {course.days[band.first]} to {course.days[band.last]}"
