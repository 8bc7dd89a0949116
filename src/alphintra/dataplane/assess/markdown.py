"""The report as a page of the documentation: the comparison and every verdict's evidence, in Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.figures import Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.assess.figures import ClaimRow, Report, Verdict

__all__ = ["render_markdown"]

_SHORT: Final = {
    Word.HOLDS: "**holds**",
    Word.FAILS: "**no**",
    Word.CONDITION: "**if**",
    Word.UNMEASURED: "not measured",
}

_INTRODUCTION: Final = """\
# The claims of the architecture document, measured

The architecture document makes thirty claims about eight services and the databases they live in.
`alphintra db assess` tries each of them on scratch servers, once for every layout, and judges what it measured by a
stated rule. This page is made by it, from the run described at the end; nothing here is written by hand.

**holds**: the figures bear the claim out, be it praise or reproach. **no**: they do not. **if**: only under the
condition named below. *not measured*: nothing was tried, and nothing is claimed. `instances` is `separate` with a
PostgreSQL instance for each service; the document does not have it.
"""


def render_markdown(report: Report) -> str:
    """Return the page."""
    names = report.layouts
    lines = [
        _INTRODUCTION,
        "## The comparison",
        "",
        _row(["#", "claim", *names]),
        _row(["---:", "---", *("---" for _ in names)]),
        *(_row([str(row.number), row.claim, *(_cell(row.verdicts[name]) for name in names)]) for row in report.claims),
        "",
        "## Every claim with its evidence",
        "",
    ]
    for row in report.claims:
        lines += _claim(row)
    return "\n".join([*lines, *_facts(report)]) + "\n"


def _cell(verdict: Verdict) -> str:
    return _SHORT[verdict.word] if verdict.brief == "-" else f"{_SHORT[verdict.word]}<br>{verdict.brief}"


def _claim(row: ClaimRow) -> list[str]:
    """Return a claim's section; layouts with the very same answer share a line."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name, verdict in row.verdicts.items():
        groups.setdefault((verdict.word.value, verdict.evidence, verdict.condition), []).append(name)
    lines = [f"### {row.number}. {row.claim}", "", f"Measured: {row.measured}.", f"Rule: {row.rule}", ""]
    for (word, evidence, condition), names in groups.items():
        said = "all layouts" if len(names) == len(row.verdicts) > 1 else ", ".join(names)
        lines.append(f"- *{said}*: **{word}**. {evidence[:1].upper()}{evidence[1:]}.")
        if condition:
            lines.append(f"  Condition: {condition}.")
    return [*lines, ""]


def _facts(report: Report) -> list[str]:
    machine = report.machine
    kind = "quick" if report.is_quick else "full"
    tables = f"{report.optimisation_rows} rows in the tables of claims 17 to 19"
    versions = f"Alphintra {machine.alphintra}, {machine.postgres}, Python {machine.python}"
    hardening = sorted({level for found in report.findings for level in found.facts.get("hardening", ())})
    lines = [
        "## The run",
        "",
        f"- {report.made_at}, {kind}, {report.seconds:.0f} s; {report.rows} orders in each layout, {tables}.",
        f"- {machine.cpus} processors ({machine.cpu_model}), {machine.memory_gib} GiB, {machine.system}; {versions}.",
        f"- Again: `{report.reproduce}`; it saves `assess.json`, `assess.html` and this page as `assess.md`.",
        f"- Times are medians over rounds.{_load(report)}",
    ]
    gaps = [
        f"- Not measured in {found.layout}: {name} ({why})."
        for found in report.findings
        for name, why in found.gaps.items()
    ]
    return [*lines, *(f"- Hardening of the servers: {level}." for level in hardening), *gaps]


def _load(report: Report) -> str:
    load = next((value for found in report.findings if (value := found.value("load_before")) is not None), None)
    if load is None:
        return ""
    return f" Other work loaded the machine with {load:.1f} when it began: trust counts and ratios more than times."


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
