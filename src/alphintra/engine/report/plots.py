"""Plots as SVG text: a title and a description for those who do not see them, colours from the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = [
    "Band",
    "Line",
    "Mark",
    "Plot",
    "band_plot",
    "bar_plot",
    "compact",
    "line_plot",
    "nice_ticks",
    "scatter_plot",
    "waterfall_plot",
]

WIDTH: Final = 760
HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 26, 18, 30  # margins
_POINTS_MAX: Final = 900
_TICKS: Final = 5
_GAP: Final = 0.15  # of a bar's room
_FLAT: Final = 1e-12
_LETTER: Final = 8.5  # width of a letter at the size of names

Text = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Line:
    """A course over the plot's places; ``style`` is a class of the page's style."""

    label: str
    values: Sequence[float | None]
    style: str = "a"


@dataclass(frozen=True, slots=True)
class Band:
    """Places of a plot, both included, that are named and shaded; ``kind`` is a class of the page's style."""

    kind: str
    label: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A triangle at a place and a value: ``is_up`` points upward; ``text`` is shown where the pointer rests on it."""

    place: int
    value: float
    is_up: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What every plot says of itself.

    Attributes:
        name: unique in the page, letters only.
        title: what is shown.
        text: what is to be seen in it, for those who do not see it.
        written: how a value is written at the axis.
        ticks: places along the bottom and what stands there.
        bands: zones along the bottom.
    """

    name: str
    title: str
    text: str
    written: Text
    ticks: Sequence[tuple[float, str]] = ()
    bands: Sequence[Band] = ()


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to places on the page; on a logarithmic one values are above zero."""

    low: float
    high: float
    begin: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.is_log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        share = (value - low) / (high - low) if high - low > _FLAT else 0.5
        return self.begin + share * (self.end - self.begin)


def compact(value: float) -> str:
    """Return an amount with at most four digits, as an axis has room for: 250k, 1.25M."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):,.4g}{letter}"
    return f"{value:,.4g}"


def line_plot(
    plot: Plot, lines: Sequence[Line], *, is_log: bool = False, fill: str = "", marks: Sequence[Mark] = ()
) -> str:
    """Return lines over common places, with marks on them; ``fill`` is the style of the room from zero to the first."""
    found = [value for line in lines for value in line.values if value is not None]
    if is_log:
        found = [value for value in found if value > 0]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if fill:
        low, high = min(low, 0.0), max(high, 0.0)
    x = _Scale(0, max(len(lines[0].values) - 1, 1), _LEFT, WIDTH - _RIGHT)
    y = _y_scale(low, high, is_log=is_log)
    parts = _shaded(plot.bands, x)
    if fill:
        parts.append(_area(lines[0].values, x, y, fill))
    parts += [f'<path class="line {line.style}" d="{_path(line.values, x, y)}"/>' for line in lines]
    parts += [_triangle(mark, x, y) for mark in marks if not is_log or mark.value > 0]
    return _framed(plot, x, y, parts) + _legend([(line.label, line.style) for line in lines])


def band_plot(plot: Plot, places: Sequence[float], bands: Sequence[Sequence[float]]) -> str:
    """Return the middle course with the outer and the inner band around it: five rows, the lowest first."""
    found = [value for band in bands for value in band if value > 0]
    x = _Scale(0, max(places[-1], 1), _LEFT, WIDTH - _RIGHT)
    y = _y_scale(min(found), max(found), is_log=True)
    parts = [_band(places, bands[0], bands[4], x, y, "outer"), _band(places, bands[1], bands[3], x, y, "inner")]
    middle = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in zip(places, bands[2], strict=True))
    parts.append(f'<polyline class="line a" points="{middle}"/>')
    return _framed(plot, x, y, parts)


def bar_plot(plot: Plot, bars: Sequence[tuple[str, float]], *, every: int = 1) -> str:
    """Return a bar for each value, from zero; every so-maniest is named below.

    A bar below zero, or named by a negative number, has the colour of losses.
    """
    values = [value for _, value in bars] or [0.0]
    x = _Scale(0, max(len(bars), 1), _LEFT, WIDTH - _RIGHT)
    y = _y_scale(min(*values, 0.0), max(*values, 0.0))
    parts = []
    for place, (label, value) in enumerate(bars):
        top, bottom = sorted((y(value), y(0.0)))
        left, right = x(place + _GAP), x(place + 1 - _GAP)
        style = "down" if value < 0 or label.startswith("-") else "up"
        shape = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{max(bottom - top, 0.5):.1f}"'
        parts.append(
            f'<rect class="{style}" {shape}><title>{escape(label)}: {escape(plot.written(value))}</title></rect>'
        )
    ticks = [(place + 0.5, label) for place, (label, _) in enumerate(bars) if place % every == 0]
    return _framed(plot, x, y, parts, ticks=ticks)


def scatter_plot(plot: Plot, points: Sequence[tuple[float, float, bool]], *, across: Text) -> str:
    """Return a dot for each (x, y, has it gained); ``across`` writes the values along the bottom."""
    xs, ys = [point[0] for point in points] or [0.0], [point[1] for point in points] or [0.0]
    bottom = nice_ticks(min(*xs, 0.0), max(*xs, 0.0))
    x = _Scale(min(bottom[0], *xs), max(bottom[-1], *xs), _LEFT, WIDTH - _RIGHT)
    y = _y_scale(min(*ys, 0.0), max(*ys, 0.0))
    parts = [
        f'<circle class="{"up" if gained else "down"} dot" cx="{x(a):.1f}" cy="{y(b):.1f}" r="3"/>'
        for a, b, gained in points
    ]
    return _framed(plot, x, y, parts, ticks=[(value, across(value)) for value in bottom])


def waterfall_plot(plot: Plot, steps: Sequence[tuple[str, float]]) -> str:
    """Return bars of which each begins where the one before it ended, and last the whole from zero."""
    levels = [0.0]
    for _, value in steps:
        levels.append(levels[-1] + value)
    x, y = _Scale(0, len(steps) + 1, _LEFT, WIDTH - _RIGHT), _y_scale(min(levels), max(levels))
    bars = [(*step, levels[n], levels[n + 1]) for n, step in enumerate(steps)]
    bars.append(("net", levels[-1], 0.0, levels[-1]))
    parts = []
    for place, (label, value, begun, ended) in enumerate(bars):
        top, bottom = sorted((y(begun), y(ended)))
        left, right = x(place + _GAP), x(place + 1 - _GAP)
        shape = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{max(bottom - top, 0.5):.1f}"'
        told = escape(f"{label}: {plot.written(value)}")
        parts.append(f'<rect class="{"down" if value < 0 else "up"}" {shape}><title>{told}</title></rect>')
    return _framed(plot, x, y, parts, ticks=[(place + 0.5, bar[0]) for place, bar in enumerate(bars)])


def nice_ticks(low: float, high: float) -> list[float]:
    """Return about five round values that span the range."""
    if high - low <= _FLAT:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / _TICKS
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _y_scale(low: float, high: float, *, is_log: bool = False) -> _Scale:
    if is_log:
        return _Scale(low * 0.98, high * 1.02, HEIGHT - _BOTTOM, _TOP, is_log=True)
    ticks = nice_ticks(low, high)
    return _Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP)


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round values on a logarithmic axis: of decades where it spans several, else as on a plain one."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
    inside = [value for value in found if low <= value <= high]
    return inside if len(inside) > 2 else [value for value in nice_ticks(low, high) if low <= value <= high]  # noqa: PLR2004 - two ticks say little


def _framed(
    plot: Plot, x: _Scale, y: _Scale, parts: Sequence[str], *, ticks: Sequence[tuple[float, str]] | None = None
) -> str:
    grid = []
    for value in _log_ticks(y.low, y.high) if y.is_log else nice_ticks(y.low, y.high):
        at = y(value)
        style = "zero" if value == 0 else "rule"
        grid.append(f'<path class="{style}" d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}"/>')
        text = escape(plot.written(value))
        grid.append(f'<text class="tick" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    for place, label in plot.ticks if ticks is None else ticks:
        at = x(place)
        grid.append(f'<text class="tick" x="{at:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>')
    name = plot.name
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(plot.title)}</title><desc id="{name}-d">{escape(plot.text)}</desc>'
        f"{''.join(grid)}{''.join(parts)}</svg>"
    )


def _shaded(bands: Sequence[Band], x: _Scale) -> list[str]:
    """Shade zones and name them above the bottom; a name that would meet the one before it stands a line higher."""
    parts, taken = [], [-math.inf, -math.inf, -math.inf]
    for band in bands:
        left, right = x(band.first), x(band.last)
        height = HEIGHT - _BOTTOM - _TOP
        parts.append(
            f'<rect class="zone {band.kind}" x="{left:.1f}" y="{_TOP}" width="{max(right - left, 1):.1f}" '
            f'height="{height}"/>'
        )
        row = next((n for n, end in enumerate(taken) if end <= left), 0)
        taken[row] = left + 4 + _LETTER * len(band.label)
        begin = min(left + 4, WIDTH - _RIGHT - _LETTER * len(band.label))
        parts.append(
            f'<text class="zonename" x="{begin:.1f}" y="{HEIGHT - _BOTTOM - 5 - 13 * row}">{escape(band.label)}</text>'
        )
    return parts


def _triangle(mark: Mark, x: _Scale, y: _Scale) -> str:
    at, up = (x(mark.place), y(mark.value)), 1 if mark.is_up else -1
    points = (
        f"{at[0]:.1f},{at[1] + up * 3:.1f} {at[0] - 4:.1f},{at[1] + up * 10:.1f} {at[0] + 4:.1f},{at[1] + up * 10:.1f}"
    )
    style = "up" if mark.is_up else "down"
    return f'<polygon class="{style}" points="{points}"><title>{escape(mark.text)}</title></polygon>'


def _path(values: Sequence[float | None], x: _Scale, y: _Scale) -> str:
    """Draw a course; broken where there is no value, thinned to its extremes where there are more than pixels."""
    written, is_pen_down = [], False
    for place in _shown(values):
        value = values[place]
        if value is None or (y.is_log and value <= 0):
            is_pen_down = False
            continue
        written.append(f"{'L' if is_pen_down else 'M'}{x(place):.1f} {y(value):.1f}")
        is_pen_down = True
    return "".join(written)


def _area(values: Sequence[float | None], x: _Scale, y: _Scale, style: str) -> str:
    shown = [(place, values[place] or 0.0) for place in _shown(values)]
    if not shown:
        return ""
    points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in shown)
    ends = f"{x(shown[-1][0]):.1f},{y(0):.1f} {x(shown[0][0]):.1f},{y(0):.1f}"
    return f'<polygon class="{style}" points="{points} {ends}"/>'


def _band(
    places: Sequence[float], low: Sequence[float], high: Sequence[float], x: _Scale, y: _Scale, style: str
) -> str:
    there = [f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, high, strict=True)]
    back = [f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, low, strict=True)][::-1]
    return f'<polygon class="{style}" points="{" ".join(there + back)}"/>'


def _shown(values: Sequence[float | None]) -> list[int]:
    """Return the places to draw: all, or of each of so many pieces its lowest and highest in their order."""
    if len(values) <= _POINTS_MAX:
        return list(range(len(values)))
    places = {0, len(values) - 1}
    pieces = _POINTS_MAX // 2
    for piece in range(pieces):
        inside = range(piece * len(values) // pieces, (piece + 1) * len(values) // pieces)
        known = [place for place in inside if values[place] is not None]
        if known:
            places |= {min(known, key=lambda p: values[p] or 0.0), max(known, key=lambda p: values[p] or 0.0)}
        else:
            places.add(inside[0])
    return sorted(places)


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    if len(entries) < 2:  # noqa: PLR2004 - one line is what the title says
        return ""
    keys = "".join(
        f'<span><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><path class="line {style}" d="M0 4h24"/></svg>'
        f"{escape(label)}</span>"
        for label, style in entries
    )
    return f'<p class="legend">{keys}</p>'
