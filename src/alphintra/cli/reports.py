"""Reports of backtests as files: one page for people, CSV and JSON for programs."""

# ruff: noqa: PLC0415 - the client and the report are loaded by the commands that need them

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.cli.client import ApiClient

__all__ = ["KINDS", "SWEEP_KINDS", "report", "require_kind", "write_report", "write_sweep"]

KINDS = (".html", ".csv", ".json")
SWEEP_KINDS = (".html", ".json")
_TRIALS_MAX = 200


@click.command("report")
@click.argument("backtest")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="report.html, trades.csv or report.json.")
@click.option("--daily", is_flag=True, help="CSV of the daily course instead of the trades.")
def report(*, backtest: str, out: Path, daily: bool) -> int:
    """Write a finished BACKTEST to a file: a page with plots, CSV or JSON, by the file's ending."""
    from alphintra.cli import naming, session

    require_kind(out)
    ident = naming.as_uuid(backtest, pointer="BACKTEST")
    with session.person() as api:
        write_report(api, api.get(f"/backtests/{ident}"), out, is_daily=daily)
    click.echo(str(out), err=True)
    return 0


def require_kind(out: Path, kinds: tuple[str, ...] = KINDS) -> None:
    """Check a file's ending before anything is computed. Raises FILE_KIND."""
    if out.suffix.lower() not in kinds:
        detail = f"--out: {out.name[:60]!r} ends in none of {', '.join(kinds)}"
        raise AlphintraError("FILE_KIND", detail, pointer="--out")


def write_report(api: ApiClient, found: Mapping[str, Any], out: Path, *, is_daily: bool = False) -> None:
    """Write a finished backtest to a file. Raises BACKTEST_NOT_FINISHED or FILE_UNWRITABLE."""
    if found["status"] != "finished":
        detail = f"the backtest is {found['status']}: only a finished one has a report"
        raise AlphintraError("BACKTEST_NOT_FINISHED", detail, pointer="BACKTEST")
    kind, backtest_id = out.suffix.lower(), found["backtest_id"]
    if kind == ".json":
        verdict = api.get(f"/backtests/{backtest_id}/verdict")
        text = json.dumps({"backtest": found, "verdict": verdict}, indent=2, ensure_ascii=False) + "\n"
    else:
        wanted = "html" if kind == ".html" else "course" if is_daily else "trades"
        text = api.get(f"/backtests/{backtest_id}/report", kind=wanted)["text"]
    _write(out, text)


def write_sweep(api: ApiClient, found: Mapping[str, Any], out: Path) -> None:
    """Write a finished sweep or walk-forward to a file. Raises SWEEP_NOT_FINISHED or FILE_UNWRITABLE."""
    from alphintra.engine.report.sweep_page import sweep_page

    if found["status"] != "finished":
        detail = f"the sweep is {found['status']}: only a finished one has a report"
        raise AlphintraError("SWEEP_NOT_FINISHED", detail, pointer="SWEEP")
    told = found["result"]
    whole = {**found, "result": told if isinstance(told, dict) else json.loads(told)}
    trials = api.get(f"/sweeps/{found['sweep_id']}/trials", limit=_TRIALS_MAX)["trials"]
    if out.suffix.lower() == ".json":
        text = json.dumps({"sweep": whole, "trials": trials}, indent=2, ensure_ascii=False) + "\n"
    else:
        text = sweep_page(whole, trials, title=_title(api, found))
    _write(out, text)


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        detail = f"{out} cannot be written ({error.strerror}): choose another folder"
        raise AlphintraError("FILE_UNWRITABLE", detail, pointer="--out") from error


def _title(api: ApiClient, found: Mapping[str, Any]) -> str:
    names = {each["workflow_id"]: each["name"] for each in api.get("/workflows")["workflows"]}
    of_template = f"Template {found['template']}" if found.get("template") else f"Backtest of {found['symbol']}"
    return str(names.get(found.get("workflow_id"), of_template))
