"""`chaos run` and `chaos plan`."""

# ruff: noqa: PLC0415 - what starts servers is loaded by the command that needs it

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from alphintra.cli.output import AS_JSON, print_json, print_table
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMANDS"]

_SEED_MAX: Final = 2**31
_MINUTES: Final = click.FloatRange(0.1, 240)
_SEED = click.option(
    "--seed", type=click.IntRange(0, _SEED_MAX), help="Of plan and traders; drawn and told if left out."
)
_MINUTES_OPTION = click.option("--minutes", type=_MINUTES, default=2.0, show_default=True, help="How long to break.")
_LAYOUTS: Final = ("default", "risk-apart", "per-service")
_PROCESSES = click.option("--processes", type=click.Choice(_LAYOUTS), default="default", show_default=True)


@click.group()
def chaos() -> None:
    """Break a platform of its own under load, and check what is left."""


@chaos.command("run")
@_SEED
@_MINUTES_OPTION
@_PROCESSES
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=None, help="Folder of the report.")
@AS_JSON
def run(*, seed: int | None, minutes: float, processes: str, out: Path | None, as_json: bool) -> int:
    """Run traders, break things by plan, heal, check the invariants.

    The running platform is not touched: everything happens in a temporary folder. Exit status 0 only if every
    invariant holds; the report says what was broken and what it did.
    """
    from alphintra.cli.chaos.report import render_page
    from alphintra.cli.chaos.run import run_chaos

    chosen = secrets.randbelow(_SEED_MAX) if seed is None else seed
    outcome = run_chaos(
        seed=chosen, minutes=minutes, processes=processes, tell=lambda line: click.echo(f"  {line}", err=True)
    )
    document = outcome.document()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        outcome.history.save(out / "history.jsonl")
        (out / "chaos.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (out / "chaos.html").write_text(render_page(document, outcome.history.operations), encoding="utf-8")
        click.echo(f"saved {out / 'chaos.html'}", err=True)
    if as_json:
        print_json(document)
    else:
        _print(document)
    return 0 if outcome.is_ok else 1


@chaos.command("plan")
@_SEED
@_MINUTES_OPTION
@_PROCESSES
@AS_JSON
def plan(*, seed: int | None, minutes: float, processes: str, as_json: bool) -> int:
    """Show what a seed would break when, without doing it."""
    from random import Random

    from alphintra.cli.chaos.plan import FaultKind, plan_faults
    from alphintra.runtime.layout import process_plans
    from alphintra.runtime.settings import ProcessLayout

    chosen = secrets.randbelow(_SEED_MAX) if seed is None else seed
    names = sorted(each.name for each in process_plans(ProcessLayout(processes)))
    faults = plan_faults(Random(chosen), minutes=minutes, processes=names, kinds=list(FaultKind))  # noqa: S311 - chance
    if as_json:
        print_json([{"at_s": f.at_s, "kind": f.kind.value, "target": f.target, "lasts_s": f.lasts_s} for f in faults])
        return 0
    rows = [(f"{f.at_s:.1f}", f.kind.value, f.target, f"{f.lasts_s:g}" if f.lasts_s else "") for f in faults]
    print_table(("at s", "fault", "target", "for s"), rows, title=f"seed {chosen}, {minutes:g} minutes")
    return 0


@chaos.command("points")
@click.argument("reports", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def points(*, reports: tuple[Path, ...]) -> int:
    """Tell how often a process ended at each point of the order path in runs, by their chaos.json."""
    from alphintra.cli.chaos.plan import STATIONS, crashes

    runs = [crashes(_faults_of(path)) for path in reports]
    click.echo(f"| on the path | point | times in {len(runs)} runs | in how many of them |\n|---|---|---|---|")
    for station, names in STATIONS.items():
        for name in names:
            times, where = sum(run[name] for run in runs), sum(bool(run[name]) for run in runs)
            click.echo(f"| {station} | `{name}` | {times} | {where} |")
    return 0


def _faults_of(path: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["faults"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is no report of a chaos run: name the chaos.json that `chaos run --out` saved"
        raise AlphintraError("CHAOS_REPORT", message, pointer="reports") from error
    return found


def _print(document: Mapping[str, Any]) -> None:
    rows = [
        (each["invariant"], each["what"], "holds" if each["is_held"] else "BROKEN", "; ".join(each["broken"][:3]))
        for each in document["findings"]
    ]
    print_table(("", "invariant", "", "broken by"), rows)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(document["operations"].items()))
    click.echo(f"{len(document['faults'])} faults, {len(document['points_hit'])} kill points hit; {counts}")
    verdict = "every invariant holds" if document["is_ok"] else "NOT every invariant holds"
    click.echo(f"{verdict} (seed {document['seed']})")


COMMANDS = (chaos,)
