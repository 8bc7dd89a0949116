"""What each symbol of a run over several added to the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alphintra.engine.report.plots import Plot, bar_plot
from alphintra.engine.report.tables import table

__all__ = ["contribution_section"]


def contribution_section(told: Sequence[Mapping[str, Any]]) -> str:
    """Return a plot and a table of what each symbol added; nothing for a run of one symbol."""
    if not told:
        return ""
    bars = [(each["symbol"], float(each["net"])) for each in told]
    text = ", ".join(f"{symbol}: {net:+,.2f}" for symbol, net in bars)
    plot = Plot(name="symbols", title="Contribution by symbol", text=text, written="{:,.0f}".format)
    columns = ("symbol", "contributed", "fees", "fills", "trades", "held at the end", "worth")
    rows = [
        (
            each["symbol"],
            f"{float(each['net']):,.2f}",
            f"{float(each['fees']):,.2f}",
            each["fills"],
            each["trades"],
            each["qty"],
            f"{float(each['worth']):,.2f}",
        )
        for each in told
    ]
    return (
        f"<h2>Contribution by symbol</h2><figure>{bar_plot(plot, bars, every=-(-len(bars) // 12))}</figure>"
        f"{table(columns, rows)}"
    )
