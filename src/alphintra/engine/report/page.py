"""A report as one page: verdict, figures, plots, costs, and what a reader must know before trusting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from alphintra.engine.honesty import INTRABAR_TOLD
from alphintra.engine.report.contributions import contribution_section
from alphintra.engine.report.course import Course, course_of
from alphintra.engine.report.courses import course_section, months_section, price_section, risk_section
from alphintra.engine.report.dealings import costs_section, trade_list, trades_section
from alphintra.engine.report.evidence import overfit_section
from alphintra.engine.report.stretches import zones_of
from alphintra.engine.report.style import STYLE
from alphintra.engine.report.tables import field_list, figure_tables, highlights, table
from alphintra.kernel.vocabulary import Intrabar

__all__ = ["page_of", "report_page"]

# Nothing is fetched from anywhere and nothing runs: the styles of this very file are all a browser may use.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report_page(
    backtest: Mapping[str, Any],
    verdict: Mapping[str, Any] | None,
    *,
    title: str,
    executions: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the report of a finished backtest as an HTML document.

    Args:
        backtest: as the API answers it, result included.
        verdict: as the API answers it, None where there is none.
        title: what the strategy is called.
        executions: of its workflow, as the API answers them: where it traded on paper or live is a zone of the course.
    """
    result = backtest["result"]
    course = course_of(result.get("course") or {})
    metrics = backtest["metrics"]
    told = result.get("contributions") or ()
    evidence = (verdict or {}).get("evidence") or {}
    holdout = (evidence.get("sweep") or {}).get("holdout_ts")
    zones = zones_of(course, holdout, executions, symbol=backtest["symbol"])
    body = [
        _head(backtest, course, title),
        _verdict(verdict),
        highlights(metrics),
        course_section(course, metrics, zones),
        months_section(course),
        risk_section(course, metrics),
        "" if told else price_section(course, result["trades"], backtest["symbol"]),
        contribution_section(told),
        "<h2>Figures</h2>",
        figure_tables(metrics),
        trades_section(result),
        costs_section(course, metrics, _initial(metrics)),
        overfit_section(evidence),
        _honesty(backtest, result, verdict),
        trade_list(result),
    ]
    return page_of(title, body)


def page_of(title: str, body: Sequence[str]) -> str:
    """Return a whole document around the sections of a page."""
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


def _honesty(backtest: Mapping[str, Any], result: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> str:
    told = result["honesty"]
    fees = told["fees"]
    intrabar = Intrabar(told.get("intrabar", Intrabar.CHRONOLOGICAL))  # reports of before have none
    left_out = {name: count for name, count in result.get("left_out", {}).items() if count}
    facts: list[tuple[str, object]] = [
        ("Fills", told["fill_model"]),
        ("Stops and targets", f"{intrabar}: {INTRABAR_TOLD[intrabar]}"),
        ("Fees", f"{fees['commission_bps']} bps, {fees['per_share']} a share, {fees['minimum']} at least"),
        ("Slippage", f"{told['slippage_bps']} bps"),
        ("Data", f"{told['bars']} bars, {told['first_ts'][:10]} to {told['last_ts'][:10]}"),
        ("Largest gap", f"{told['largest_gap_days']:.1f} days"),
        ("Warm-up", f"{told['warm_up_bars']} bars on which nothing could trade"),
        ("At the end", _ending(told)),
        ("Bars that could have filled two ways", _ambiguous(result)),
        ("Signals that did not trade", _counted(result["blocked"])),
        ("Limits", f"version {told['limit_version']}, {told['limit_hash'][:16]}"),
        ("Left out of this report", _counted(left_out)),
        ("Run", f"{backtest['run_hash']} gave {backtest['result_hash']}"),
    ]
    if verdict is not None:
        facts.append(("Trials so far", f"{verdict['trials']} different runs of this strategy"))
        facts.append(("Locked bars opened", f"{verdict['unlocks']} time(s)"))
    said = [(each["message"], each["fix"]) for each in told.get("cautions") or ()]
    cautions = f"<h3>Cautions</h3>{table(('what is doubtful', 'what to do'), said, texts=(0, 1))}" if said else ""
    return f'<h2>What to know before trusting this</h2><div class="card">{field_list(facts)}{cautions}</div>'


def _initial(metrics: Mapping[str, float | None]) -> float | None:
    """Return the worth before the first bar, from the worth at the end and the total return."""
    final, growth = metrics.get("final_equity"), metrics.get("total_return")
    return None if final is None or growth is None or growth <= -1 else final / (1 + growth)


def _ambiguous(result: Mapping[str, Any]) -> str:
    """Tell how many exits could have been another, and the most that the order of prices within those bars is worth."""
    told = (result.get("summary") or {}).get("ambiguous")
    if told is None:
        return "not counted"
    if not told["count"]:
        return f"none of {told['exits']} stops and targets"
    return (
        f"{told['count']} of {told['exits']} stops and targets: the bar held both prices, and the stop was taken. Had "
        f"the target come first each time, the trades would have brought {told['gain']:,.2f} more"
    )


def _ending(told: Mapping[str, Any]) -> str:
    parts = []
    if told["is_position_open"]:
        parts.append("a position was open, valued at the last close")
    if told["is_order_working"]:
        parts.append("an order of the last bar met no bar any more")
    return "; ".join(parts) or "flat, no order waiting"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"
