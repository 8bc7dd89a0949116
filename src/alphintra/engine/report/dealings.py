"""Sections of a report about dealings: trades and what they were made of, where the gain came from, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alphintra.engine.report.course import Course, ticks_of
from alphintra.engine.report.plots import Line, Plot, compact, line_plot, scatter_plot, waterfall_plot
from alphintra.engine.report.summary import GROUPS
from alphintra.engine.report.tables import table

__all__ = ["costs_section", "trade_list", "trades_section"]

_TRADES_SHOWN: Final = 500
_DOTS_MAX: Final = 3000
_STYLES: Final = ("a", "b", "c")


def trades_section(result: Mapping[str, Any]) -> str:
    """Return the trades by excursion and length, and where the gain came from by symbol, side, rule and weekday."""
    trades, excursions = result["trades"], result.get("excursions") or []
    groups = (result.get("summary") or {}).get("groups") or {}
    if not trades and not any(groups.values()):
        return "<h2>Trades</h2><p>No trade was closed.</p>"
    nets = [float(trade["net"]) for trade in trades]
    told = f"{sum(net > 0 for net in nets)} of {len(nets)} trades gained."
    length = ("bars", "Result against bars held", "{:,.0f}".format)
    shown = [(*length, [float(trade["bars"]) for trade in trades])]
    if trades and len(excursions) == len(nets):
        against = ("mae", "Result against adverse excursion", "{:.0%}".format, [each[0] for each in excursions])
        favour = ("mfe", "Result against favourable excursion", "{:.0%}".format, [each[1] for each in excursions])
        shown = [against, favour, *shown]
    parts = []
    for name, title, form, values in shown:
        plot = Plot(name=name, title=title, text=told, written=compact)
        points = [(value, net, net > 0) for value, net in zip(values, nets, strict=True)][-_DOTS_MAX:]
        if points:
            parts.append(f"<figure><figcaption>{title}</figcaption>{scatter_plot(plot, points, across=form)}</figure>")
    return f'<h2>Trades</h2><div class="grid">{"".join(parts)}</div>{_groups(groups)}'


def costs_section(course: Course, metrics: Mapping[str, float | None], initial: float | None) -> str:
    """Return what was earned before costs, what took it, and how costs grew over time."""
    total = metrics.get("cost_total")
    final = metrics.get("final_equity")
    if not total or final is None or initial is None:
        return ""
    paid = [
        (label, metrics.get(name) or 0.0)
        for name, label in (("fees_total", "fees"), ("slippage_total", "slippage"), ("borrow_total", "borrowing"))
    ]
    earned = final - initial + total
    steps = [("before costs", earned), *((label, -value) for label, value in paid if value)]
    text = ", ".join(f"{label} {value:+,.0f}" for label, value in steps) + f"; net {final - initial:+,.0f}."
    fall = Plot(name="waterfall", title="From the gain before costs to the net", text=text, written=compact)
    drawn, said = waterfall_plot(fall, steps), f"{text[0].upper()}{text[1:]}"
    parts = [f'<figure><figcaption>{fall.title}</figcaption>{drawn}<p class="dim">{said}</p></figure>']
    if course.costs:
        ends = ", ".join(f"{name} {values[-1]:,.2f}" for name, values in course.costs.items() if values)
        over = Plot(
            name="paid",
            title="Costs paid so far",
            text=f"At the end: {ends}.",
            written=compact,
            ticks=ticks_of(course.days),
        )
        lines = [Line(name, values, _STYLES[n % 3]) for n, (name, values) in enumerate(course.costs.items())]
        drawn = line_plot(over, lines)
        parts.append(f'<figure><figcaption>{over.title}</figcaption>{drawn}<p class="dim">{over.text}</p></figure>')
    return f'<h2>Costs</h2><div class="grid">{"".join(parts)}</div>'


def trade_list(result: Mapping[str, Any]) -> str:
    """Return the newest trades, a row each."""
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
    left_out = (result.get("left_out") or {}).get("trades", 0)
    whole = len(result["trades"]) + left_out
    shown = f"the newest {len(trades)} of {whole}" if len(trades) < whole else f"all {len(trades)}"
    body = table(columns, rows, texts=[place + len(symbol) for place in (1, 2, 9, 10)])
    return f"<h2>Trade list</h2><details open><summary>{shown}, newest first</summary>{body}</details>"


def _groups(groups: Mapping[str, Sequence[Sequence[Any]]]) -> str:
    parts = []
    for name, title in GROUPS:
        rows = groups.get(name) or []
        whole = sum(abs(row[3]) for row in rows)
        written = [
            (group, f"{trades:,}", f"{won / trades:.0%}", f"{net:,.0f}", _share(net, whole), f"{fees:,.2f}")
            for group, trades, won, net, fees in rows
        ]
        if not written:
            continue
        columns = (name, "trades", "won", "net", "share", "fees")
        # Symbols may be many and are what most is asked of: they have the width of the page.
        width = len(columns) if name == "symbol" else len(columns) - 1
        body = table(columns[:width], [row[:width] for row in written])
        style = ' class="card below"' if name == "symbol" else ""
        parts.append(f"<div{style}><h3>{title}</h3>{body}</div>")
    if not parts:
        return ""
    note = '<p class="dim">Share: net of the group over the sum of all groups\' nets without their signs.</p>'
    first = parts.pop(0) if groups.get("symbol") else ""
    return f'<h3 class="over">Where it came from</h3>{first}<div class="grid thirds">{"".join(parts)}</div>{note}'


def _share(net: float, whole: float) -> str:
    return f"{net / whole:+.0%}" if whole else "-"
