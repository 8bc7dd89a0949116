"""One self-contained HTML page of a report: the comparison with numbers, plots, every verdict's evidence. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.charts import Bar, bars
from alphintra.dataplane.assess.figures import Word

if TYPE_CHECKING:
    from alphintra.dataplane.assess.figures import ClaimRow, Findings, Report, Verdict

__all__ = ["SHORT", "render_page"]

SHORT: Final = {Word.HOLDS: "holds", Word.FAILS: "no", Word.CONDITION: "if", Word.UNMEASURED: "not measured"}
"""Verdicts in a word, for tables."""
_CLASS: Final = {Word.HOLDS: "yes", Word.FAILS: "no", Word.CONDITION: "if", Word.UNMEASURED: "none"}

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6575;--line:#d8dde6;--back:#fff;--panel:#f5f7fa;
--yes:#146c43;--yesb:#e3f3ea;--no:#a02b2b;--nob:#fbe9e8;--if:#7a5200;--ifb:#fdf2d9;--none:#5b6575;--noneb:#eef1f5;
--c0:#2f6fb3;--c1:#d9822b;--c2:#6b8f3a}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ef;--soft:#9aa5b5;--line:#343c49;--back:#14181f;--panel:#1c222c;
--yes:#7fd6a6;--yesb:#16322a;--no:#f0a09a;--nob:#3b2023;--if:#eac472;--ifb:#352b16;--none:#9aa5b5;--noneb:#232a34;
--c0:#6ba6e6;--c1:#eda65c;--c2:#a3c46f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0 0 4px;line-height:1.25}h2{font-size:19px;margin:36px 0 10px}
h3{font-size:16px;margin:26px 0 4px}
p{margin:6px 0}.soft,small{color:var(--soft)}small{font-size:12.5px}
code{font:13px ui-monospace,Menlo,Consolas,monospace;background:var(--panel);padding:1px 5px;border-radius:4px}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:7px 10px}
tbody tr+tr>*{border-top:1px solid var(--line)}thead th{background:var(--panel);font-size:13px;position:sticky;top:0}
tbody th{font-weight:500;min-width:220px}td.number{color:var(--soft);text-align:right;width:34px}
.cell{min-width:118px;font-size:13.5px}.cell b{display:block;font-size:12.5px}.cell.yes b{color:var(--yes)}
.cell.no b{color:var(--no)}.cell.if b{color:var(--if)}.cell.none{color:var(--none)}.cell.none b{font-weight:400}
.chip{display:inline-block;font-size:12.5px;font-weight:600;border-radius:10px;padding:1px 9px;white-space:nowrap}
.chip.yes{color:var(--yes);background:var(--yesb)}.chip.no{color:var(--no);background:var(--nob)}
.chip.if{color:var(--if);background:var(--ifb)}.chip.none{color:var(--none);background:var(--noneb)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(520px,100%),1fr));gap:16px}
figure{margin:0;padding:12px 14px;border:1px solid var(--line);border-radius:8px}
figcaption{font-weight:600;margin-bottom:4px}
.key{white-space:nowrap;font-weight:400;font-size:12.5px;margin-left:10px}
.key i{display:inline-block;width:10px;height:10px;border-radius:2px;
margin-right:4px}i.c0{background:var(--c0)}i.c1{background:var(--c1)}i.c2{background:var(--c2)}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:12.5px;dominant-baseline:middle}
svg .label{fill:var(--soft)}rect.c0{fill:var(--c0)}rect.c1{fill:var(--c1)}rect.c2{fill:var(--c2)}
.spread{stroke:var(--ink);fill:none;stroke-width:1}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:8px 0}dt{color:var(--soft)}dd{margin:0}
.claim{border-top:1px solid var(--line);padding-top:2px}.claim table td{padding:4px 10px 4px 0;border:0!important}
.claim td:first-child{width:110px}.claim td:nth-child(2){width:190px}
@media(max-width:640px){.claim td{display:block;width:auto!important;padding:1px 0}
.claim tr{display:block;margin:8px 0}}
"""


def render_page(report: Report) -> str:
    """Return the page; it needs no network and follows the reader's light or dark scheme."""
    title = "Alphintra: what each database layout really gives"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{title}</h1>{_head(report)}"
        f"<h2>The comparison, measured</h2>{_table(report)}"
        f"<h2>Plots</h2><div class=plots>{_plots(report)}</div>"
        f"<h2>Every claim with its evidence</h2>{''.join(_claim(row) for row in report.claims)}"
        f"<h2>How it was measured</h2>{_facts(report)}"
        "</main></body></html>\n"
    )


def _head(report: Report) -> str:
    kind = "a quick run, with few rows and rounds: take its times as hints" if report.is_quick else "a full run"
    words = {word: sum(v.word is word for row in report.claims for v in row.verdicts.values()) for word in Word}
    counted = " ".join(f'<span class="chip {_CLASS[word]}">{words[word]} {escape(word.value)}</span>' for word in Word)
    return (
        f'<p class="soft">{escape(report.made_at)}, {kind}. Each claim of the architecture document was tried on a '
        f"scratch installation of every layout; a claim that was not tried says so. Green means that a "
        f"claim is true, be it praise or reproach; not that it is good news.</p><p>{counted}</p>"
    )


def _table(report: Report) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in report.layouts)
    rows = "".join(
        f'<tr><td class="number">{row.number}</td><th><a id="t{row.number}" href="#c{row.number}" '
        f'style="color:inherit">{escape(row.claim)}</a></th>'
        + "".join(_cell(row.verdicts[name]) for name in report.layouts)
        + "</tr>"
        for row in report.claims
    )
    head = f"<thead><tr><th>#</th><th>Claim</th>{heads}</tr></thead>"
    return f"<div class=scroll><table>{head}<tbody>{rows}</tbody></table></div>"


def _cell(verdict: Verdict) -> str:
    brief = "" if verdict.brief == "-" else escape(verdict.brief)
    title = escape(verdict.evidence, quote=True)
    return f'<td class="cell {_CLASS[verdict.word]}" title="{title}"><b>{SHORT[verdict.word]}</b>{brief}</td>'


def _claim(row: ClaimRow) -> str:
    lines = "".join(
        f'<tr><td>{escape(name)}</td><td><span class="chip {_CLASS[verdict.word]}">{verdict.word.value}</span></td>'
        f"<td>{escape(verdict.evidence)}"
        + (f"<br><small>Condition: {escape(verdict.condition)}.</small>" if verdict.condition else "")
        + "</td></tr>"
        for name, verdict in row.verdicts.items()
    )
    return (
        f'<section class=claim id="c{row.number}"><h3>{row.number}. {escape(row.claim)}</h3>'
        f'<p class="soft">Measured: {escape(row.measured)}. Rule: {escape(row.rule)}</p>'
        f"<table>{lines}</table></section>"
    )


def _plots(report: Report) -> str:
    found = report.findings
    return "".join(
        (
            _one(found, "pss_mib", "Memory under the same load", "MiB"),
            _one(found, "disk_mib", "Disk without the log", "MiB"),
            _one(found, "parts", "Parts to run: databases, instances, log-in roles, dump jobs", "parts"),
            _several(found, _FALLS, "Services that fall", "of 8 services"),
            _several(found, _REACH, "Rows in reach of a stolen credential", "% of rows", factor=100),
            _several(found, _P99, "Trading's p99 beside heavy work of strategy", "ms", is_log=True),
            _several(found, _ROLLED, "Other services rolled back when trading is restored", "services"),
            _several(found, _SECONDS, "Backing up everything", "s"),
        )
    )


_FALLS: Final = {"lost_with_instance": "one instance crashes", "lost_with_database": "one database closes"}
_REACH: Final = {
    "reach_share": "a service's: others' rows",
    "administrator_share": "an instance's administrator: all rows",
}
_P99: Final = {
    "p99_quiet_ms": "quiet",
    "p99_loaded_ms": "beside strategy",
    "pinned_p99_loaded_ms": "beside, own processor",
}
_ROLLED: Final = {"whole_rolled_back": "from a copy of its instance", "dump_rolled_back": "from a dump"}
_SECONDS: Final = {"whole_s": "copies of instances", "dump_s": "dumps of databases"}


def _one(found: tuple[Findings, ...], key: str, title: str, unit: str) -> str:
    shown = [_bar(each, key, unit=unit) for each in found if key in each.figures]
    return bars(shown, title=title, unit=unit)


def _several(
    found: tuple[Findings, ...], keys: dict[str, str], title: str, unit: str, *, factor: float = 1, is_log: bool = False
) -> str:
    shown = [
        _bar(each, key, unit=unit, series=name, factor=factor)
        for each in found
        for key, name in keys.items()
        if key in each.figures
    ]
    return bars(shown, title=title, unit=unit, is_log=is_log)


def _bar(found: Findings, key: str, *, unit: str, series: str = "", factor: float = 1) -> Bar:
    figure = found.figures[key]
    value = figure.value * factor
    text = f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"  # noqa: PLR2004 - three digits do
    return Bar(
        row=found.layout,
        series=series,
        value=value,
        text=text + ("%" if unit.startswith("%") else ""),
        low=None if figure.low is None else figure.low * factor,
        high=None if figure.high is None else figure.high * factor,
    )


def _facts(report: Report) -> str:
    machine = report.machine
    facts = {
        "Machine": f"{machine.cpus} processors ({machine.cpu_model}), {machine.memory_gib} GiB, {machine.system}",
        "Versions": f"Alphintra {machine.alphintra}, {machine.postgres}, Python {machine.python}",
        "Rows": f"{report.rows} orders in each layout, the other tables in proportion",
        "Optimised tables": f"{report.optimisation_rows} rows" if report.optimisation_rows else "not measured",
        "Took": f"{report.seconds:.0f} s",
        "Rounds": "times are medians over rounds; a thin line on a bar goes from the smallest to the largest round",
    }
    loads = [value for found in report.findings if (value := found.value("load_before")) is not None]
    facts |= {"Other work": f"a load of {loads[0]:.1f} when it began"} if loads else {}
    levels = sorted({level for found in report.findings for level in found.facts.get("hardening", ())})
    facts |= {"Hardening": ", ".join(levels)} if levels else {}
    lines = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    gaps = "".join(
        f"<li>{escape(found.layout)}: {escape(name)} ({escape(reason)})</li>"
        for found in report.findings
        for name, reason in found.gaps.items()
    )
    missing = f"<p>Steps that could not be measured:</p><ul>{gaps}</ul>" if gaps else ""
    return f"<dl>{lines}<dt>Again</dt><dd><code>{escape(report.reproduce)}</code></dd></dl>{missing}"
