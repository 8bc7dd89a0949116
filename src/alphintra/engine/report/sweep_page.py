"""The report of a sweep or a walk-forward as one page: scores over the parameters, what luck shows, every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations
from typing import Any, Final

from alphintra.engine.report.evidence import overfit_section
from alphintra.engine.report.page import page_of
from alphintra.engine.report.plots import Line, Plot, line_plot
from alphintra.engine.report.tables import field_list, score_map, table

__all__ = ["sweep_page"]

_CELLS_MAX: Final = 60  # values of a parameter that a map has room for
_FIGURES: Final = (
    ("total_return", "{:+.1%}"),
    ("sharpe", "{:.2f}"),
    ("max_drawdown", "{:.1%}"),
    ("trade_count", "{:.0f}"),
)


def sweep_page(sweep: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], *, title: str) -> str:
    """Return the report of a finished sweep or walk-forward as an HTML document.

    Args:
        sweep: as the API answers it, its result read.
        trials: as the API answers them, the best first; at most as many as one answer has.
        title: what the strategy is called.
    """
    result = sweep["result"]
    kind = "Walk-forward" if result.get("windows") else "Sweep"
    evidence = {"walk_forward": result} if result.get("windows") else {"sweep": result}
    of_what = f"{escape(sweep['symbol'])}, <code>{escape(sweep['sweep_id'])}</code>"
    body = [
        f'<header><h1>{kind}: {escape(title)}</h1><p class="dim">{of_what}</p></header>',
        _chosen(sweep, result),
        _surface(result.get("surface") or {}, str(result.get("objective", "score"))),
        _stability(result.get("stability") or {}),
        overfit_section(evidence),
        _ledger(sweep, trials),
    ]
    return page_of(f"{kind}: {title}", body)


def _chosen(sweep: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    best = result.get("best") or {}
    plateau = (result.get("surface") or {}).get("plateau") or {}
    refused = result.get("refused")
    facts: list[tuple[str, object]] = [
        ("Trials", f"{sweep['trials']} in the ledger"),
        ("Failed", result.get("failed", "-")),
        ("Refused by constraints", "not counted" if refused is None else f"{refused} points were never tried"),
        ("Locked away", f"bars from {sweep['holdout_ts'][:10]} on" if sweep.get("holdout_ts") else "nothing"),
        ("Holdout opened", f"{sweep['unlocks']} time(s)"),
        ("Best parameters", _point(best.get("parameters") or {}) or "no trial has a score"),
        (f"Best {result.get('objective', 'score')}", _number(best.get("score"))),
    ]
    if plateau:
        steadiest = plateau["steadiest"]
        around = _number(plateau["steadiest_median"])
        told = f"{_point(steadiest['parameters'])}: {_number(steadiest['score'])}, the median around it {around}"
        facts += [("Plateau", _plateau(plateau)), ("Steadiest", told)]
    return f'<h2>What was chosen</h2><div class="card">{field_list(facts)}</div>'


def _plateau(plateau: Mapping[str, Any]) -> str:
    if not plateau["neighbours"]:
        return "no trial lies beside the best"
    share = "" if plateau["share"] is None else f", {plateau['share']:.0%} of the best"
    return (
        f"{plateau['neighbours']} trials within a step or a tenth of each range of the best have a median of "
        f"{_number(plateau['median'])}{share}; {plateau['positive']:.0%} of them are above zero"
    )


def _surface(surface: Mapping[str, Any], objective: str) -> str:
    values: Mapping[str, Sequence[str]] = surface.get("values") or {}
    rows = [row for row in surface.get("rows") or () if row[-1] is not None]
    if not rows:
        return ""
    names = [name for name, several in values.items() if len(several) > 1]
    places = list(values)
    if len(names) == 1:
        return _curve(values[names[0]], places.index(names[0]), rows, (names[0], objective))
    parts = []
    for first, second in combinations(names, 2):
        if max(len(values[first]), len(values[second])) > _CELLS_MAX:
            continue
        a, b = places.index(first), places.index(second)
        scores: dict[tuple[int, int], float] = {}
        for row in rows:
            cell = (row[a], row[b])
            scores[cell] = max(row[-1], scores.get(cell, row[-1]))
        top = max(scores, key=lambda cell: scores[cell])
        others = "" if len(names) == 2 else ", the best over the others"  # noqa: PLR2004 - a map has two sides
        caption = f"{objective} by {first} (down) and {second} (across){others}"
        drawn = score_map(values[first], values[second], scores, top)
        parts.append(f"<figure><figcaption>{escape(caption)}</figcaption>{drawn}</figure>")
    return f"<h2>Scores over the parameters</h2>{''.join(parts)}" if parts else ""


def _curve(values: Sequence[str], place: int, rows: Sequence[Sequence[Any]], named: tuple[str, str]) -> str:
    name, objective = named
    scores: list[float | None] = [None] * len(values)
    for row in rows:
        scores[row[place]] = row[-1]
    known = [score for score in scores if score is not None]
    every = -(-len(values) // 8)
    plot = Plot(
        name="curve",
        title=f"{objective} by {name}",
        text=f"From {min(known):.2f} to {max(known):.2f} over {len(known)} values.",
        written="{:.2f}".format,
        ticks=[(float(n), value) for n, value in enumerate(values) if n % every == 0],
    )
    drawn = line_plot(plot, [Line(objective, scores)])
    return f"<h2>Scores over the parameters</h2><figure><figcaption>{escape(plot.title)}</figcaption>{drawn}</figure>"


def _stability(stability: Mapping[str, float]) -> str:
    if not stability:
        return ""
    rows = [(name, f"{share:.0%}") for name, share in stability.items()]
    body = table(("parameter", "windows that chose its most frequent value"), rows)
    return f'<h2>Stability of the choices</h2><div class="card">{body}</div>'


def _ledger(sweep: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> str:
    if not trials:
        return ""
    columns = (
        "trial",
        "role",
        "parameters",
        "score",
        *(name.replace("_", " ") for name, _ in _FIGURES),
        "result",
        "error",
    )
    rows = [
        (
            f"{t['segment']}.{t['number']}",
            t["role"],
            _point(t["parameters"]),
            _number(t["score"]),
            *("-" if t["metrics"].get(name) is None else form.format(t["metrics"][name]) for name, form in _FIGURES),
            t["result_hash"][:12],
            t["error_code"],
        )
        for t in trials
    ]
    said = f"The best {len(rows)} of {sweep['trials']}." if len(rows) < sweep["trials"] else f"All {len(rows)}."
    note = "Each can be repeated with backtest run --set to the same result hash."
    return f'<h2>Trials</h2><p class="dim">{said} {note}</p>{table(columns, rows, texts=(1, 2, 8, 9))}'


def _point(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3f}"
