"""Tables and figures of a report as HTML text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final

from alphintra.engine.metrics.documents import MetricDocument, metric_documents

__all__ = [
    "field_list",
    "figure_tables",
    "heat_map",
    "highlights",
    "months_table",
    "ratio",
    "score_map",
    "table",
    "written",
]

_HIGHLIGHTS: Final = ("total_return", "cagr", "sharpe", "max_drawdown", "trade_count", "profit_factor", "cost_total")
_GROUPS: Final = (
    ("Return and risk", "final_equity", "periods_per_year"),
    ("Against buying and holding", "benchmark_return", "tracking_error"),
    ("Exposure", "exposure", "capacity"),
    ("Trades", "trade_count", "longest_losses"),
    ("Cost ledger", "fees_total", "break_even_cost"),
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DEEPEST: Final = 70  # percent of the colour at the strongest month


def written(value: float | None, unit: str) -> str:
    """Return a figure as people read it."""
    if value is None:
        return "-"
    if unit.startswith(("fraction", "probability")):
        return f"{value:,.2%}"
    if unit in {"bars", "trades"} or (unit == "days" and value == int(value)):
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, texts: Sequence[int] = ()) -> str:
    """Return a table whose first column names the rows, every cell escaped; columns in ``texts`` stand to the left."""
    marks = [' class="text"' if place in texts else "" for place in range(len(columns))]
    head = "".join(f'<th scope="col"{mark}>{escape(name)}</th>' for name, mark in zip(columns, marks, strict=True))
    kinds = ['th scope="row"', *["td"] * (len(columns) - 1)]
    body = "".join(
        "<tr>"
        + "".join(
            f"<{kind}{mark}>{escape(str(cell))}</{kind[:2]}>"
            for cell, kind, mark in zip(row, kinds, marks, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def highlights(metrics: Mapping[str, float | None]) -> str:
    """Return the figures everybody asks for first."""
    documents = {document.name: document for document in metric_documents()}
    cards = []
    for name in _HIGHLIGHTS:
        document = documents[name]
        value = written(metrics.get(name), document.unit)
        cards.append(f'<div class="card">{_named(document)}<b>{escape(value)}</b></div>')
    return f'<div class="cards">{"".join(cards)}</div>'


def figure_tables(metrics: Mapping[str, float | None]) -> str:
    """Return every figure in groups, each with its formula where the pointer rests on it, and all formulas below."""
    documents = metric_documents()
    names = [document.name for document in documents]
    parts = []
    for title, first, last in _GROUPS:
        group = documents[names.index(first) : names.index(last) + 1]
        rows = "".join(
            f'<tr><th scope="row">{_named(each)}</th><td>{escape(written(metrics.get(each.name), each.unit))}</td></tr>'
            for each in group
        )
        parts.append(f"<div><h3>{title}</h3><table><tbody>{rows}</tbody></table></div>")
    formulas = [(d.label, d.formula, d.unit, d.source, d.meaning) for d in documents]
    columns = ("figure", "formula", "unit", "source", "in plain words")
    all_of_them = table(columns, formulas, texts=(1, 2, 3, 4))
    return f'<div class="flow">{"".join(parts)}</div><details><summary>All formulas</summary>{all_of_them}</details>'


def heat_map(months: Mapping[tuple[int, int], float], years: Mapping[int, float]) -> str:
    """Return a row for each year and a column for each month, green for gains and red for losses."""
    strongest = max((abs(value) for value in months.values()), default=0.0) or 1.0
    rows = []
    for year in sorted(years):
        cells = "".join(_heat(months.get((year, month)), strongest) for month in range(1, 13))
        rows.append(f'<tr><th scope="row">{year}</th>{cells}<td><b>{years[year]:+.1%}</b></td></tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", *_MONTHS, "Year"))
    body = "".join(rows)
    return f'<div class="wide"><table class="heat"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def score_map(
    rows: Sequence[str], columns: Sequence[str], scores: Mapping[tuple[int, int], float], best: tuple[int, int] | None
) -> str:
    """Return scores over two parameters, the best marked; a cell nothing was tried in is empty."""
    strongest = max((abs(value) for value in scores.values()), default=0.0) or 1.0
    body = []
    for row, name in enumerate(rows):
        cells = "".join(
            _heat(scores.get((row, column)), strongest, "{:.2f}".format, is_best=(row, column) == best)
            for column in range(len(columns))
        )
        body.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("", *columns))
    return (
        f'<div class="wide"><table class="heat"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody>'
        "</table></div>"
    )


def months_table(months: Mapping[tuple[int, int], float], ends: Mapping[tuple[int, int], float]) -> str:
    """Return the plots' values at the end of each month, for those who do not see them."""
    rows = [(f"{y}-{m:02}", f"{ends[y, m]:,.2f}", f"{value:+.2%}") for (y, m), value in months.items()]
    body = table(("month", "equity at its end", "return"), rows)
    return f'<details class="aside"><summary>As a table</summary>{body}</details>'


def ratio(value: float | None) -> str:
    """Return a ratio with two decimals, - where it is undefined."""
    return "-" if value is None else f"{value:.2f}"


def field_list(facts: Sequence[tuple[str, object]]) -> str:
    """Return names and what they are, a row each."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="text">{escape(str(value))}</td></tr>'
        for name, value in facts
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _named(document: MetricDocument) -> str:
    told = f"{document.formula} ({document.unit}; {document.source}). {document.meaning}"
    return f'<abbr title="{escape(told)}">{escape(document.label)}</abbr>'


def _heat(
    value: float | None,
    strongest: float,
    form: Callable[[float], str] = "{:+.1%}".format,
    *,
    is_best: bool = False,
) -> str:
    if value is None:
        return "<td></td>"
    colour, share = ("up" if value >= 0 else "down"), round(abs(value) / strongest * _DEEPEST)
    shade = f"background: color-mix(in srgb, var(--{colour}) {share}%, transparent)"
    mark = ' class="best"' if is_best else ""
    return f'<td{mark} style="{shade}">{escape(form(value))}</td>'
