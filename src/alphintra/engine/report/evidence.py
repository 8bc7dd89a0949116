"""What was found against overfitting: resampled courses, stress, entries against chance, and walk-forward tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alphintra.engine.report.plots import Line, Plot, band_plot, line_plot
from alphintra.engine.report.tables import ratio, table

__all__ = ["overfit_section"]


def overfit_section(evidence: Mapping[str, Any]) -> str:
    """Return what the newest sweep and walk-forward found; empty where there is neither."""
    found = _sweep(evidence.get("sweep") or {}) + _walk_forward(evidence.get("walk_forward") or {})
    return f"<h2>Against overfitting</h2>{found}" if found else ""


def _sweep(sweep: Mapping[str, Any]) -> str:
    parts = []
    fan = sweep.get("monte_carlo")
    if fan:
        last = [row[-1] for row in fan["bands"]]
        plot = Plot(
            name="fan",
            title="Monte Carlo",
            text=f"{fan['paths']} orders of the days: {last[0]:.2f} to {last[4]:.2f} times the start for nine in ten.",
            written="{:.2f}".format,
            ticks=[(day, str(day)) for day in fan["days"][:: max(1, len(fan["days"]) // 6)]],
        )
        said = f"Ruin (half lost): {fan['ruin']:.1%} of the paths. Drawdown that 5 % exceed: {fan['drawdown_5']:.1%}."
        parts.append(
            f"<figure><figcaption>Best trial, days in other orders (5, 25, 50, 75, 95 %)</figcaption>"
            f'{band_plot(plot, fan["days"], fan["bands"])}<p class="dim">{said}</p></figure>'
        )
    stress = sweep.get("stress")
    if stress:
        rows: list[tuple[str, str]] = [
            (name, "-" if value is None else f"{value:+.1%}") for name, value in stress["outcomes"].items()
        ]
        rows += [(name, f"not run: {why}") for name, why in stress["left_out"].items()]
        variants = table(("variant", "total return"), rows, texts=(1,))
        parts.append(f"<div><h3>Stress of the best trial</h3>{variants}</div>")
    return f'<div class="grid">{"".join(parts)}</div>' if parts else ""


def _walk_forward(walk: Mapping[str, Any]) -> str:
    if not walk.get("windows"):
        return ""
    rows = [
        (
            window["number"],
            f"{(window['test'][0] or '')[:10]}",
            ", ".join(f"{name} {value}" for name, value in window["parameters"].items()),
            ratio(window["in_sample"].get("sharpe")),
            ratio(window["out_of_sample"].get("sharpe")),
        )
        for window in walk["windows"]
    ]
    columns = ("window", "tested from", "chosen", "in-sample Sharpe", "out-of-sample Sharpe")
    course = [1.0, *walk["course"]]
    plot = Plot(
        name="walk",
        title="Walk-forward",
        text=f"Tests joined: {course[-1]:.3f} times the start after {len(course) - 1} days.",
        written="{:.2f}".format,
    )
    joined = walk["stitched"]
    said = (
        f"Sharpe {ratio(joined['sharpe'])}, t {ratio(joined['t'])}, {joined['profitable']:.0%} of the windows gained."
    )
    return (
        f'<div class="grid" style="margin-top:1rem"><figure><figcaption>Walk-forward tests, joined</figcaption>'
        f'{line_plot(plot, [Line("tests", course)])}<p class="dim">{said}</p></figure>'
        f"<div><h3>Windows</h3>{table(columns, rows, texts=(2,))}</div></div>"
    )
