"""One self-contained HTML page of a chaos run: what was broken when, what traders met, which invariants hold. Pure."""

from __future__ import annotations

from html import escape
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from alphintra.cli.chaos.plan import STATIONS, crashes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.cli.chaos.load import Operation

__all__ = ["render_page"]

_WIDTH: Final = 1080
_HEIGHT: Final = 220
_LEFT: Final = 48
_BASE: Final = 190
_SECONDS_MAX: Final = 30.0
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6575;--line:#d8dde6;--back:#fff;--yes:#146c43;--no:#a02b2b;
--mark:#d9822b;--dot:#2f6fb3}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ef;--soft:#9aa5b5;--line:#343c49;--back:#14181f;--yes:#7fd6a6;
--no:#f0a09a;--mark:#eda65c;--dot:#6ba6e6}}
body{margin:0 auto;max-width:1140px;padding:28px 20px 60px;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:26px;margin:0}h2{font-size:19px;margin:32px 0 8px}.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:5px 10px 5px 0}
tr+tr>*{border-top:1px solid var(--line)}.yes{color:var(--yes)}.no{color:var(--no);font-weight:600}
svg{width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}circle{fill:var(--dot);fill-opacity:.55}
circle.unknown{fill:var(--no)}line.fault{stroke:var(--mark)}line.axis{stroke:var(--line)}
"""


def render_page(document: Mapping[str, Any], operations: Sequence[Operation]) -> str:
    """Return the page; it needs no network and follows the reader's light or dark scheme."""
    held = sum(each["is_held"] for each in document["findings"])
    verdict = "every invariant holds" if document["is_ok"] else "NOT every invariant holds"
    title = f"Alphintra: chaos run, seed {document['seed']}"
    counts = ", ".join(f"{count} {name}" for name, count in sorted(document["operations"].items()))
    skipped = f" Not possible on this machine: {escape(', '.join(document['skipped']))}." if document["skipped"] else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="{"yes" if document["is_ok"] else "no"}">{verdict}: {held} of {len(document["findings"])}.</p>'
        f'<p class="soft">{document["minutes"]:g} minutes, {len(document["faults"])} faults, '
        f"{len(document['points_hit'])} kill points hit. Operations: {escape(counts)}.{skipped} Again: "
        f"<code>alphintra chaos run --seed {document['seed']} --minutes {document['minutes']:g} "
        f"--processes {escape(document['processes'])}</code></p>"
        f"<h2>What traders met</h2>{_timeline(document, operations)}"
        f"<h2>Invariants</h2>{_findings(document)}<h2>Faults</h2>{_faults(document)}"
        f"<h2>Where processes ended</h2>{_points(document)}</body></html>\n"
    )


def _timeline(document: Mapping[str, Any], operations: Sequence[Operation]) -> str:
    """Draw each operation as a dot, its time to the answer upwards on a square-root scale, faults as lines."""
    end = max([each.at_s for each in operations] + [fault["at_s"] for fault in document["faults"]] + [1.0])

    def x(at_s: float) -> float:
        return _LEFT + at_s / float(end) * (_WIDTH - _LEFT - 8)

    def y(took_s: float) -> float:
        return _BASE - sqrt(min(took_s, _SECONDS_MAX) / _SECONDS_MAX) * (_BASE - 12)

    parts = [
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{y(s):.0f}" y2="{y(s):.0f}"/>'
        f'<text x="4" y="{y(s) + 4:.0f}">{s:g} s</text>'
        for s in (0.0, 0.1, 1.0, 5.0, _SECONDS_MAX)
    ]
    parts += [
        f'<line class="fault" x1="{x(f["at_s"]):.1f}" x2="{x(f["at_s"]):.1f}" y1="10" y2="{_BASE}">'
        f"<title>{escape(f['kind'])} {escape(f['target'])}</title></line>"
        for f in document["faults"]
    ]
    parts += [
        f'<circle class="{each.outcome}" cx="{x(each.at_s):.1f}" cy="{y(each.took_s):.1f}" r="2.2"/>'
        for each in operations
    ]
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 12}">0 s</text>')
    parts.append(f'<text x="{_WIDTH - 50}" y="{_HEIGHT - 12}">{end:.0f} s</text>')
    label = "Seconds until the answer of each operation; faults as lines; red: no answer"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
        f'<p class="soft">{label}.</p>'
    )


def _findings(document: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{each['invariant']}</td><td>{escape(each['what'])}</td>"
        f'<td class="{"yes" if each["is_held"] else "no"}">{"holds" if each["is_held"] else "broken"}</td>'
        f"<td>{'<br>'.join(escape(text) for text in each['broken'][:20])}</td></tr>"
        for each in document["findings"]
    )
    return f"<table>{rows}</table>"


def _points(document: Mapping[str, Any]) -> str:
    """Return how often a process ended at each point of the order path in this run."""
    hit = crashes(document["faults"])
    rows = "".join(
        f"<tr><td>{station}</td><td>{'<br>'.join(points)}</td>"
        f"<td>{'<br>'.join(str(hit[point]) for point in points)}</td></tr>"
        for station, points in STATIONS.items()
    )
    return f"<table><tr><th>on the path</th><th>point</th><th>times</th></tr>{rows}</table>"


def _faults(document: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{each['at_s']:.1f} s</td><td>{escape(each['kind'])}</td><td>{escape(each['target'])}</td>"
        f"<td>{each['lasts_s'] or ''}</td><td>{escape(each['outcome'])}</td>"
        f"<td>{each['healthy_after_s']:.1f} s</td></tr>"
        for each in document["faults"]
    )
    head = "<tr><th>at</th><th>fault</th><th>target</th><th>for s</th><th>outcome</th><th>healthy after</th></tr>"
    return f"<table>{head}{rows}</table>"
