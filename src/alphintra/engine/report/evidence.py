"""What was found against overfitting: resampled courses, stress, entries against chance, and walk-forward tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alphintra.engine.report.plots import Line, Plot, band_plot, line_plot
from alphintra.engine.report.tables import field_list, ratio, table

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
    facts = _facts(sweep)
    if facts:
        parts.append(f"<div><h3>Luck or not</h3>{field_list(facts)}</div>")
    stress = sweep.get("stress")
    if stress:
        rows: list[tuple[str, str]] = [
            (name, "-" if value is None else f"{value:+.1%}") for name, value in stress["outcomes"].items()
        ]
        rows += [(name, f"not run: {why}") for name, why in stress["left_out"].items()]
        variants = table(("variant", "total return"), rows, texts=(1,))
        parts.append(f"<div><h3>Stress of the best trial</h3>{variants}</div>")
    return f'<div class="grid">{"".join(parts)}</div>' if parts else ""


def _facts(sweep: Mapping[str, Any]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    chosen, entries, candles = (sweep.get(name) or {} for name in ("pbo", "entries", "candles"))
    if chosen:
        told = f"{chosen['pbo']:.2f} over {chosen['splits']:,} splits of {chosen['trials']} trials"
        found.append(("Probability of overfitting", told))
    if entries:
        told = f"p = {entries['p_value']:.3f}: {entries['observed']:+.3%} a trade against {entries['random_mean']:+.3%}"
        found.append(("Entries against random ones", f"{told} in {entries['draws']:,} draws"))
    if candles:
        verdict = "suspect: it lives from the very order of the past" if candles["is_suspect"] else "not suspect"
        above = f"{candles['share_below']:.0%} of {candles['count']} runs"
        told = f"{candles['objective']} {candles['original']:.2f}, above {above}"
        limit = f"their 95th percentile is {candles['threshold']:.2f}"
        found.append(("Against candles in other orders", f"{told}; {limit}: {verdict}"))
    if sweep.get("drawdown_by_order_5") is not None:
        found.append(("Drawdown that 5 % of the orders of its trades exceed", f"{sweep['drawdown_by_order_5']:.1%}"))
    return found


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
