"""A report as one page: verdict, figures, plots, costs, and what a reader must know before trusting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from alphintra.engine.report.contributions import contribution_table
from alphintra.engine.report.course import (
    ROLLING_DAYS,
    Course,
    course_of,
    histogram,
    monthly,
    rolling,
    ticks_of,
    yearly,
)
from alphintra.engine.report.plots import Line, Plot, band_plot, bar_plot, line_plot, scatter_plot
from alphintra.engine.report.style import STYLE
from alphintra.engine.report.tables import (
    field_list,
    figure_tables,
    heat_map,
    highlights,
    months_table,
    table,
    trade_groups,
)

__all__ = ["report_page"]

# Nothing is fetched from anywhere and nothing runs: the styles of this very file are all a browser may use.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_TRADES_SHOWN: Final = 500
_BENCHMARK_NAME: Final = "buy and hold"


def report_page(backtest: Mapping[str, Any], verdict: Mapping[str, Any] | None, *, title: str) -> str:
    """Return the report of a finished backtest as an HTML document.

    Args:
        backtest: as the API answers it, result included.
        verdict: as the API answers it, None where there is none.
        title: what the strategy is called.
    """
    result = backtest["result"]
    course = course_of(result.get("course") or {})
    metrics = backtest["metrics"]
    evidence = (verdict or {}).get("evidence") or {}
    body = [
        _head(backtest, course, title),
        _verdict(verdict),
        highlights(metrics),
        _equity(course, metrics),
        _periods(course),
        _risk(course, metrics),
        "<h2>Figures</h2>",
        figure_tables(metrics),
        contribution_table(result),
        _trades(result),
        _overfit(evidence),
        _honesty(backtest, result, verdict),
        _trade_list(result),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(backtest: Mapping[str, Any], course: Course, title: str) -> str:
    span = f"{course.days[0]} to {course.days[-1]}" if course.days else "no days"
    return (
        f'<header><h1>{escape(title)}</h1><p class="dim">{escape(backtest["symbol"])}, {span}, backtest '
        f"<code>{escape(backtest['backtest_id'])}</code></p></header>"
    )


def _verdict(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    lines = "".join(
        f'<li><span class="mark {escape(r["colour"])}">{escape(r["colour"])}</span> {escape(r["text"])}</li>'
        for r in verdict["reasons"]
    )
    colour = escape(verdict["colour"])
    said = {
        "green": "The evidence speaks for it.",
        "amber": "Not proven: see what is missing or doubtful.",
        "red": "The evidence speaks against it.",
    }[verdict["colour"]]
    return (
        f'<section class="verdict {colour}" aria-label="Verdict"><h2 style="margin:0">Verdict: '
        f'<span class="mark {colour}" style="font-size:1em">{colour}</span></h2><p>{said}</p><ul>{lines}</ul></section>'
    )


def _equity(course: Course, metrics: Mapping[str, float | None]) -> str:
    if not course.days:
        return ""
    ticks, last = ticks_of(course.days), course.equity[-1]
    told = f"From {course.equity[0]:,.0f} on {course.days[0]} to {last:,.0f} on {course.days[-1]}."
    lines = [Line("strategy", course.equity, "a")]
    if course.benchmark and course.benchmark[0] > 0:
        factor = course.equity[0] / course.benchmark[0]
        lines.append(Line(_BENCHMARK_NAME, [value * factor for value in course.benchmark], "b"))
    plain, log = (
        line_plot(
            Plot(name=f"equity{kind}", title=f"Equity, {kind} axis", text=told, written="{:,.0f}".format, ticks=ticks),
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
    )
    months = monthly(course)
    ends = {(day.year, day.month): value for day, value in zip(course.days, course.equity, strict=True)}
    below = line_plot(under, [Line("", course.falls, "c")], fill=True)
    return (
        '<h2>Course</h2><figure class="switch"><figcaption>Equity against buying and holding</figcaption>'
        '<input type="radio" name="axis" id="axis-plain" checked><label for="axis-plain">plain</label> '
        '<input type="radio" name="axis" id="axis-log"><label for="axis-log">logarithmic</label>'
        f'<div class="plain">{plain}</div><div class="log">{log}</div>{months_table(months, ends)}</figure>'
        f"<figure><figcaption>Underwater</figcaption>{below}</figure>"
    )


def _periods(course: Course) -> str:
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
        f"<figure><figcaption>Daily returns</figcaption>{bar_plot(spread, days, every=10)}</figure></div>"
    )


def _risk(course: Course, metrics: Mapping[str, float | None]) -> str:
    ratios, spreads = rolling(course, int(metrics.get("periods_per_year") or 252))
    ticks = ticks_of(course.days)
    parts = []
    shown = (
        ("sharpe", f"Sharpe ratio over {ROLLING_DAYS} days", ratios, "{:.1f}".format),
        ("spread", f"Volatility over {ROLLING_DAYS} days", spreads, "{:.0%}".format),
        ("held", "Exposure: value held of equity", course.exposure, "{:.0%}".format),
    )
    for name, title, values, form in shown:
        known = [value for value in values if value is not None]
        if not known:
            continue
        text = f"From {form(min(known))} to {form(max(known))}, {form(known[-1])} at the end."
        plot = Plot(name=f"roll{name}", title=title, text=text, written=form, ticks=ticks)
        parts.append(f"<figure><figcaption>{title}</figcaption>{line_plot(plot, [Line(title, values)])}</figure>")
    return f'<div class="grid" style="margin-top:1rem">{"".join(parts)}</div>' if parts else ""


def _trades(result: Mapping[str, Any]) -> str:
    trades, excursions = result["trades"], result.get("excursions") or []
    if not trades:
        return "<h2>Trades</h2><p>No trade was closed.</p>"
    nets = [float(trade["net"]) for trade in trades]
    pairs = list(zip(excursions, nets, strict=False)) if len(excursions) == len(nets) else []
    told = f"{sum(net > 0 for net in nets)} of {len(nets)} trades gained."
    parts = []
    for name, place, title in (("mae", 0, "Result against adverse excursion"), ("mfe", 1, "… favourable excursion")):
        plot = Plot(name=name, title=title, text=told, written="{:,.0f}".format)
        points = [(each[place], net, net > 0) for each, net in pairs]
        if points:
            dots = scatter_plot(plot, points, across="{:.0%}".format)
            parts.append(f"<figure><figcaption>{title}</figcaption>{dots}</figure>")
    return (
        f'<h2>Trades</h2><div class="grid">{"".join(parts)}</div><div style="height:1rem"></div>{trade_groups(trades)}'
    )


def _overfit(evidence: Mapping[str, Any]) -> str:
    parts = [_sweep(evidence.get("sweep") or {}), _walk_forward(evidence.get("walk_forward") or {})]
    found = "".join(parts)
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
            _ratio(window["in_sample"].get("sharpe")),
            _ratio(window["out_of_sample"].get("sharpe")),
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
        f"Sharpe {_ratio(joined['sharpe'])}, t {_ratio(joined['t'])}, {joined['profitable']:.0%} of the windows gained."
    )
    return (
        f'<div class="grid" style="margin-top:1rem"><figure><figcaption>Walk-forward tests, joined</figcaption>'
        f'{line_plot(plot, [Line("tests", course)])}<p class="dim">{said}</p></figure>'
        f"<div><h3>Windows</h3>{table(columns, rows, texts=(2,))}</div></div>"
    )


def _honesty(backtest: Mapping[str, Any], result: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> str:
    told = result["honesty"]
    fees = told["fees"]
    left_out = {name: count for name, count in result.get("left_out", {}).items() if count}
    facts: list[tuple[str, object]] = [
        ("Fills", told["fill_model"]),
        ("Fees", f"{fees['commission_bps']} bps, {fees['per_share']} a share, {fees['minimum']} at least"),
        ("Slippage", f"{told['slippage_bps']} bps"),
        ("Data", f"{told['bars']} bars, {told['first_ts'][:10]} to {told['last_ts'][:10]}"),
        ("Largest gap", f"{told['largest_gap_days']:.1f} days"),
        ("Warm-up", f"{told['warm_up_bars']} bars on which nothing could trade"),
        ("At the end", _ending(told)),
        ("Bars that could have filled two ways", told.get("ambiguous_bars", "not counted by this engine")),
        ("Signals that did not trade", _counted(result["blocked"])),
        ("Limits", f"version {told['limit_version']}, {told['limit_hash'][:16]}"),
        ("Left out of this report", _counted(left_out)),
        ("Run", f"{backtest['run_hash']} gave {backtest['result_hash']}"),
    ]
    if verdict is not None:
        facts.append(("Trials so far", f"{verdict['trials']} different runs of this strategy"))
        facts.append(("Locked bars opened", f"{verdict['unlocks']} time(s)"))
    return f'<h2>What to know before trusting this</h2><div class="card">{field_list(facts)}</div>'


def _trade_list(result: Mapping[str, Any]) -> str:
    trades: Sequence[Mapping[str, Any]] = result["trades"][-_TRADES_SHOWN:]
    if not trades:
        return ""
    symbol = ("symbol",) if "symbol" in trades[0] else ()
    columns = (
        *symbol,
        "opened",
        "closed",
        "side",
        "qty",
        "entry",
        "exit",
        "net",
        "fees",
        "bars",
        "opened by",
        "closed by",
    )
    rows = [
        (
            *(t[name] for name in symbol),
            t["opened_ts"][:16].replace("T", " "),
            t["closed_ts"][:16].replace("T", " "),
            t["side"],
            t["qty"],
            f"{float(t['entry_price']):,.4f}",
            f"{float(t['exit_price']):,.4f}",
            f"{float(t['net']):,.2f}",
            f"{float(t['fees']):,.2f}",
            t["bars"],
            t["entry_tag"],
            t["exit_tag"],
        )
        for t in reversed(trades)
    ]
    shown = f"the newest {len(trades)}" if len(trades) < len(result["trades"]) else f"all {len(trades)}"
    body = table(columns, rows, texts=[place + len(symbol) for place in (1, 2, 9, 10)])
    return f"<h2>Trade list</h2><details open><summary>{shown}, newest first</summary>{body}</details>"


def _ending(told: Mapping[str, Any]) -> str:
    parts = []
    if told["is_position_open"]:
        parts.append("a position was open, valued at the last close")
    if told["is_order_working"]:
        parts.append("an order of the last bar met no bar any more")
    return "; ".join(parts) or "flat, no order waiting"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
