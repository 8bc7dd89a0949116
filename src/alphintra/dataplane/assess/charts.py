"""Small plots as inline SVG: horizontal bars, one or two to a row, with the spread of the rounds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import log10
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bar", "bars"]

_WIDTH: Final = 640
_LABEL: Final = 112
_VALUE: Final = 120
_BAR: Final = 15
_GAP: Final = 4
_ROW_GAP: Final = 11
_TOP: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Attributes:
        row: label of the row; bars that follow each other with the same label share it.
        series: name in the legend, which also chooses the colour; empty where there is but one.
        value: length.
        text: what stands behind it.
        low: smallest round, drawn as a thin line to ``high``; None for no line.
        high: largest round.
    """

    row: str
    value: float
    text: str
    series: str = ""
    low: float | None = None
    high: float | None = None


def bars(shown: Sequence[Bar], *, title: str, unit: str, is_log: bool = False) -> str:
    """Return an SVG figure of bars, readable without colour and by a screen reader.

    Args:
        shown: the bars, top to bottom; lengths of a logarithmic axis must be above 0.
        title: what is compared.
        unit: of the lengths.
        is_log: whether lengths are drawn as their logarithm, from a tenth of the smallest.
    """
    if not shown:
        return ""
    most = max(max(bar.value, bar.high or 0) for bar in shown) or 1
    least = min(min(bar.value, bar.low if bar.low is not None else bar.value) for bar in shown) / 2 if is_log else 0.0
    series = list(dict.fromkeys(bar.series for bar in shown))
    parts: list[str] = []
    y = _TOP
    before = ""
    for bar in shown:
        is_new = bar.row != before
        if is_new and before:
            y += _ROW_GAP
        parts += _drawn(
            bar, y, has_label=is_new, colour=series.index(bar.series), scale=_Scale(least, most, is_log=is_log)
        )
        before = bar.row
        y += _BAR + _GAP
    said = "; ".join(f"{bar.row}{f' {bar.series}' if bar.series else ''} {bar.text}" for bar in shown)
    legend = "".join(
        f'<span class="key"><i class="c{index}"></i>{escape(name)}</span>' for index, name in enumerate(series) if name
    )
    note = f"{unit}, logarithmic" if is_log else unit
    return (
        f"<figure><figcaption>{escape(title)} <small>({escape(note)})</small> {legend}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {y + _TOP}" role="img" aria-label="{escape(f"{title}: {said}", quote=True)}">'
        f"{''.join(parts)}</svg></figure>"
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    least: float
    most: float
    is_log: bool

    def at(self, value: float) -> float:
        """Return the length in pixels."""
        room = _WIDTH - _LABEL - _VALUE
        if not self.is_log:
            return room * value / self.most
        return room * log10(max(value, self.least) / self.least) / (log10(self.most / self.least) or 1)


def _drawn(bar: Bar, y: int, *, has_label: bool, colour: int, scale: _Scale) -> list[str]:
    middle = y + _BAR / 2
    length = scale.at(bar.value)
    parts = [f'<rect class="c{colour}" x="{_LABEL}" y="{y}" width="{max(length, 1):.1f}" height="{_BAR}" rx="2"/>']
    if has_label:
        parts.append(
            f'<text class="label" x="{_LABEL - 8}" y="{middle:.1f}" text-anchor="end">{escape(bar.row)}</text>'
        )
    end = length
    if bar.low is not None and bar.high is not None and bar.high > bar.low:
        left, right = _LABEL + scale.at(bar.low), _LABEL + scale.at(bar.high)
        parts.append(
            f'<path class="spread" d="M{left:.1f} {middle}H{right:.1f}M{left:.1f} {y + 4}v7M{right:.1f} {y + 4}v7"/>'
        )
        end = max(length, right - _LABEL)
    parts.append(f'<text x="{_LABEL + end + 6:.1f}" y="{middle:.1f}">{escape(bar.text)}</text>')
    return parts
