"""Measures what stays open in every layout at every level, and writes it into ``docs/isolation.md``.

Run from the root of a checkout: ``.venv/bin/python benchmarks/isolation.py``; with ``--print`` the page is printed and
the file left alone. Takes some minutes: each layout is set up on embedded servers of its own, three times.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from alphintra.dataplane.attack.accepted import FOREIGN, LEFT_OPEN, ONE_ROLE, REFUSALS, UNAVOIDABLE, UNPRIVILEGED
from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.attack.findings import Assessment, reach_of
from alphintra.dataplane.attack.model import Effect, Level
from alphintra.dataplane.attack.probes import CATALOGUE
from alphintra.dataplane.hardening import Hardening
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, instances_of
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import admin_connection
from alphintra.dataplane.usual_setup import set_up_usual
from alphintra.runtime.scratch import ScratchInstance, ScratchLab, scratch_lab

_PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "isolation.md"
_BEGIN: Final = "<!-- begin: written by benchmarks/isolation.py -->"
_END: Final = "<!-- end: written by benchmarks/isolation.py -->"
_ANY_DATABASE: Final = (
    "local all postgres peer map=ctl\nhost all postgres all reject\nhost all all 127.0.0.1/32 scram-sha-256\n"
)
_MARKS: Final = {Level.USUAL: "u", Level.HARDENED: "h", Level.STRICT: "s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One layout as a column of the tables; columns of one role for all services stand in the first table alone."""

    name: str
    choice: LayoutChoice
    shares_role: bool = False


CASES: Final = (
    Case(name="separate", choice=LayoutChoice()),
    Case(name="hybrid", choice=LayoutChoice(name=LayoutName.HYBRID)),
    Case(name="central", choice=LayoutChoice(name=LayoutName.CENTRAL)),
    Case(name="isolated", choice=LayoutChoice(is_isolated=True)),
    Case(
        name="central, one role",
        choice=LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
        shares_role=True,
    ),
    Case(
        name="consolidated",
        choice=LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
        shares_role=True,
    ),
)

_COUNTS: Final = (
    "Distinct probes that get through for any pair: all (of them access + leaks). `beyond the list` names what is not "
    "accepted at one of the levels, `inconclusive` what answered neither yes nor no."
)
_LEVELS: Final = (
    "`u` open as usually set up, `h` hardened, `s` strict; probes that are closed everywhere, even as usually set up, "
    "are left out."
)

Measured = Mapping[tuple[str, Level], Assessment]


async def measure() -> Measured:
    """Attack every layout at every level, on servers that are thrown away."""
    found: dict[tuple[str, Level], Assessment] = {}
    async with scratch_lab() as lab:
        for case in CASES:
            for level in Level:
                found[case.name, level] = await _measure(lab, case, level)
                sys.stderr.write(f"{case.name}, {level.value}: {len(found[case.name, level].findings)} open\n")
    return found


async def _measure(lab: ScratchLab, case: Case, level: Level) -> Assessment:
    layout = choose_layout(case.choice)
    instances = await lab.open_instances(instances_of(layout))
    servers = [item.server for item in instances]
    if level is Level.USUAL:
        for instance in instances:
            await _open_doors(instance)
            await set_up_usual(instance.server, layout=layout, passwords=lab.passwords)
    else:
        servers = [replace(server, hardening=Hardening(level.value)) for server in servers]
        for server in servers:
            await provision(server, layout=layout, passwords=lab.passwords)
    return await attack_layout(servers, layout=layout, passwords=lab.passwords, level=level)


async def _open_doors(instance: ScratchInstance) -> None:
    """Let every role as far as the grants, as usual servers do."""
    (instance.folder / "pg_hba.conf").write_text(_ANY_DATABASE, encoding="utf-8")
    async with admin_connection(instance.server) as connection:
        await connection.execute("select pg_reload_conf()")


def page(found: Measured) -> str:
    """Return the measured part of the page."""
    version = _version(found)
    return "\n".join([version, "", *_counts(found), "", *_strict(found), "", *_levels(found), "", *_catalogue()])


def _version(found: Measured) -> str:
    tries = len(found["separate", Level.STRICT].results)
    return f"{len(CATALOGUE)} probes, {tries} tries for the 64 pairs of a layout."


def _counts(found: Measured) -> list[str]:
    lines = [
        "### How many are open",
        "",
        _COUNTS,
        "",
        "| layout | usual | hardened | strict | beyond the list | inconclusive |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for case in CASES:
        cells = [_count(found[case.name, level]) for level in Level]
        beyond = {item.attack.name for level in Level for item in found[case.name, level].unaccepted}
        errors = {item.attack.name for level in Level for item in found[case.name, level].errors}
        lines.append(f"| {case.name} | {' | '.join(cells)} | {_names(beyond)} | {_names(errors)} |")
    return lines


def _count(found: Assessment) -> str:
    return f"{len(found.findings)} ({found.count(Effect.ACCESS)} + {found.count(Effect.LEAK)})"


def _strict(found: Measured) -> list[str]:
    cases = [case.name for case in CASES if not case.shares_role]
    opened = {name: _open(found[name, Level.STRICT]) for name in cases}
    names = [attack.name for attack in CATALOGUE if any(attack.name in probes for probes in opened.values())]
    means = {attack.name: attack.means for attack in CATALOGUE}
    lines = [
        "### Open under strict, and why each stays",
        "",
        f"| probe | {' | '.join(cases)} | what it means | why it stays |",
        f"| --- |{' --- |' * len(cases)} --- | --- |",
    ]
    for name in names:
        cells = " | ".join("open" if name in opened[case] else "-" for case in cases)
        lines.append(f"| `{name}` | {cells} | {means[name]} | {UNAVOIDABLE.get(name) or REFUSALS.get(name, '')} |")
    return lines


def _levels(found: Measured) -> list[str]:
    cases = [case.name for case in CASES if not case.shares_role]
    lines = [
        "### Open at which level",
        "",
        _LEVELS,
        "",
        f"| probe | {' | '.join(cases)} |",
        f"| --- |{' --- |' * len(cases)}",
    ]
    for attack in CATALOGUE:
        cells = [
            "".join(_MARKS[level] for level in Level if attack.name in _open(found[case, level])) for case in cases
        ]
        if any(cells):
            lines.append(f"| `{attack.name}` | {' | '.join(cell or '-' for cell in cells)} |")
    return lines


def _catalogue() -> list[str]:
    rows = [
        f"| `{attack.name}` | {attack.effect.value} | {reach_of(attack)} | {attack.means} | {attack.close} |"
        for attack in CATALOGUE
    ]
    return [
        "### Every probe",
        "",
        "| probe | gives | concerns | what it means when open | how to close it |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        "### Accepted beside these",
        "",
        *(f"- level `{level.value}`: {reason}." for level, reason in LEFT_OPEN.items()),
        f"- one role for several services: {ONE_ROLE}.",
        f"- {_names(FOREIGN)}: {next(iter(FOREIGN.values()))}.",
        *(f"- `{name}`: {reason}." for name, reason in REFUSALS.items()),
        f"- all that `strict` closes, and `code.do_block`: {UNPRIVILEGED}.",
    ]


def _open(found: Assessment) -> set[str]:
    return {finding.attack.name for finding in found.findings}


def _names(names: Sequence[str] | set[str] | Mapping[str, str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "-"


def main() -> int:
    """Measure and write the page, or print what would be written."""
    measured = page(asyncio.run(measure()))
    if "--print" in sys.argv[1:]:
        sys.stdout.write(f"{measured}\n")
        return 0
    before, _, rest = _PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _PAGE.write_text(f"{before}{_BEGIN}\n{measured}\n{_END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
