"""`db assess` and `db advise`: the architecture's claims measured on scratch servers, and which layout to choose."""

# ruff: noqa: PLC0415 - servers and drivers are loaded by the commands that measure

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from alphintra.cli.installation import settings
from alphintra.cli.output import AS_JSON, console, print_json, print_rich
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.dataplane.assess.advise import Advice, Answers
    from alphintra.dataplane.assess.figures import ClaimRow, Report, Verdict
    from alphintra.dataplane.assess.runner import Told

__all__ = ["advise", "assess"]

_LAYOUTS: Final = ("separate", "hybrid", "central", "consolidated", "instances")
_FOLDER: Final = "assess"
# Option, what it sets of the extent, and its bounds.
_NUMBERS: Final = (("rows", "orders", 100, 5_000_000), ("table_rows", "optimised_rows", 1_000, 100_000_000))
_COLOURS: Final = {"holds": "green", "does not hold": "red", "holds under a condition": "yellow", "not measured": "dim"}
_MARKS: Final = {
    "holds": "holds",
    "does not hold": "no",
    "holds under a condition": "if",
    "not measured": "not measured",
}


@click.command("assess")
@click.option(
    "--layout", "layouts", multiple=True, metavar="NAME", help=f"One of {', '.join(_LAYOUTS)}; may be repeated."
)
@click.option("--all", "is_all", is_flag=True, help="All five layouts (the default).")
@click.option("--quick", "is_quick", is_flag=True, help="Fewer rows and rounds: about a minute for all layouts.")
@click.option("--rows", type=int, metavar="N", help="Orders in each layout; the other tables follow in proportion.")
@click.option("--table-rows", type=int, metavar="N", help="Rows of the tables of claims 17 to 19; 10 million in full.")
@click.option(
    "--tables-from",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take claims 17 to 19 from a saved report: the tables are the same in every layout, and take longest.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the report goes.")
@click.option("--from", "source", type=click.Path(path_type=Path), metavar="FILE", help="Judge a saved report again.")
@AS_JSON
def assess(*, out: Path | None, source: Path | None, as_json: bool, **asked: Any) -> int:  # noqa: ANN401 - options
    """Measure what each database layout really gives.

    Builds every layout on scratch servers of its own (the running platform is not touched), attacks, crashes, loads,
    backs up and restores it, and prints the claims of the architecture document with numbers in place of ticks and
    crosses. The report is saved as JSON and as one HTML page.
    """
    chosen = _chosen(asked["layouts"], is_all=asked["is_all"])
    folder = out or _report_folder()
    report = _measured(chosen, asked, folder=folder) if source is None else _judged_again(source)
    files = _save(report, folder)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(report))
    else:
        _print_report(report)
    for path in files:
        click.echo(f"saved {path}", err=True)
    return 0


@click.command("advise")
@click.option("--team-size", type=click.IntRange(1, 100_000), metavar="N", help="How many developers look after it.")
@click.option(
    "--financial/--no-financial", default=None, help="Keeps money, orders or other financial records of people."
)
@click.option("--prototype/--no-prototype", default=None, help="A prototype, without anybody's real data.")
@click.option("--extreme-cost-limits/--no-extreme-cost-limits", default=None, help="Each server counts.")
@click.option("--simple-crud/--no-simple-crud", default=None, help="Only stores and shows; no reports, no trading.")
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The assessment to weigh; the latest if not given.",
)
@click.option("--measure", "may_measure", is_flag=True, help="Make a quick assessment first.")
@AS_JSON
def advise(*, path: Path | None, may_measure: bool, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - the five answers
    """Recommend a layout, with reasons and figures.

    Takes the architecture document's five "consider central" questions, as options or asked on a terminal, and weighs
    them with the figures of the latest assessment.
    """
    import msgspec

    from alphintra.dataplane.assess.advise import advise as weigh
    from alphintra.dataplane.assess.report import read_report

    answers = _answers(given)
    if may_measure:
        folder = _report_folder()
        report = _measured(_LAYOUTS, {"is_quick": True}, folder=folder)
        _save(report, folder)
    else:
        report = read_report(path or _latest())
    advice = weigh(answers, report.findings)
    if as_json:
        document = {
            "advice": msgspec.to_builtins(advice),
            "report": {"made_at": report.made_at, "is_quick": report.is_quick},
        }
        print_json(document)
    else:
        _print_advice(advice, report)
    return 0


def _chosen(layouts: tuple[str, ...], *, is_all: bool) -> tuple[str, ...]:
    for name in layouts:
        if name not in _LAYOUTS:
            detail = f"there is no layout {name!r}: choose from {', '.join(_LAYOUTS)}"
            raise AlphintraError("LAYOUT_UNKNOWN", detail, pointer="--layout")
    if layouts and is_all:
        raise AlphintraError("LAYOUT_CHOICE", "say --layout or --all, not both", pointer="--layout")
    return tuple(name for name in _LAYOUTS if name in layouts) if layouts else _LAYOUTS


def _measured(layouts: tuple[str, ...], asked: Mapping[str, Any], *, folder: Path) -> Report:
    """Measure the layouts; everything that could refuse the run is asked before the first server is started."""
    import asyncio
    from dataclasses import replace

    from alphintra.dataplane.assess.report import read_report
    from alphintra.dataplane.assess.runner import FULL, QUICK
    from alphintra.runtime.assessment import require_room, run_assessment

    is_quick = bool(asked.get("is_quick"))
    extent = QUICK if is_quick else FULL
    options = ["--all"] if layouts == _LAYOUTS else [f"--layout {name}" for name in layouts]
    options += ["--quick"] * is_quick
    for option, setting, least, most in _NUMBERS:
        number = asked.get(option)
        if number is None:
            continue
        flag = f"--{option.replace('_', '-')}"
        if not least <= number <= most:
            raise AlphintraError("ROWS_RANGE", f"{flag} is {number}: use {least} to {most}", pointer=flag)
        extent = replace(extent, **{setting: number})
        options.append(f"{flag} {number}")
    tables = None
    if asked.get("tables_from") is not None:
        tables = read_report(asked["tables_from"]).findings[0]
        extent = replace(extent, optimised_rows=0)
        options.append("--tables-from assess.json")
    require_room(extent)
    _require_writable(folder)
    reproduce = f"alphintra db assess {' '.join(options)}"
    try:
        with _progress(layouts) as told:
            return asyncio.run(
                run_assessment(layouts, extent, is_quick=is_quick, told=told, reproduce=reproduce, tables=tables)
            )
    except asyncio.CancelledError as error:  # SIGTERM: ended in good order, as by Ctrl-C
        raise KeyboardInterrupt from error


def _judged_again(source: Path) -> Report:
    """Return a saved report with the verdicts of today's rules; nothing is measured."""
    import msgspec

    from alphintra.dataplane.assess.ledger import judge
    from alphintra.dataplane.assess.report import read_report

    report = read_report(source)
    return msgspec.structs.replace(report, claims=judge(report.findings))


def _require_writable(folder: Path) -> None:
    import os

    above = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        detail = f"the report cannot be written to {folder}: choose another folder with --out"
        raise AlphintraError("REPORT_FOLDER", detail, pointer="--out")


@contextmanager
def _progress(layouts: tuple[str, ...]) -> Iterator[Told]:
    """Show on standard error which step of which layout runs; a line for each step where that is no terminal."""
    from alphintra.dataplane.assess.runner import Told, steps_total

    shown = console(is_error=True)
    if not shown.is_terminal:
        yield Told(begins=lambda step: click.echo(step, err=True))
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<52}"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task("start", total=steps_total(layouts))
        yield Told(
            begins=lambda step: progress.update(task, description=step),
            done=lambda: progress.advance(task),
        )


def _save(report: Report, folder: Path) -> tuple[Path, ...]:
    from alphintra.dataplane.assess.markdown import render_markdown
    from alphintra.dataplane.assess.page import render_page
    from alphintra.dataplane.assess.report import write_files

    return write_files(report, folder, page=render_page(report), text=render_markdown(report))


def _report_folder() -> Path:
    """Return ``assess`` in the home where there is one, else in the working folder: a home is not made for a report."""
    from alphintra.runtime.home import Home

    home = Home.find(settings().home)
    return Path(_FOLDER) if home is None else home.path / _FOLDER


def _latest() -> Path:
    from alphintra.dataplane.assess.report import JSON_NAME

    return _report_folder() / JSON_NAME


def _answers(given: dict[str, Any]) -> Answers:
    """Take the five answers from options, and ask for those left out where somebody can answer."""
    import sys

    from alphintra.dataplane.assess.advise import QUESTIONS, Answers

    names = ("team_size", "financial", "prototype", "extreme_cost_limits", "simple_crud")
    for name, question in zip(names, QUESTIONS, strict=True):
        if given[name] is None:
            if not sys.stdin.isatty():
                option = f"--{name.replace('_', '-')}"
                how = f"{option} N" if name == "team_size" else f"{option} or --no-{option[2:]}"
                detail = f"{option} is missing and nobody can be asked here: say {how}"
                raise AlphintraError("ANSWER_MISSING", detail, pointer=option)
            is_number = name == "team_size"
            given[name] = (
                click.prompt(question, type=click.IntRange(1, 100_000), err=True)
                if is_number
                else click.confirm(question, default=None, err=True)
            )
    return Answers(
        team_size=given["team_size"],
        is_financial=given["financial"],
        is_prototype=given["prototype"],
        has_extreme_cost_limits=given["extreme_cost_limits"],
        is_simple_crud=given["simple_crud"],
    )


def _print_report(report: Report) -> None:
    from rich import box
    from rich.table import Table

    kind = "quick run: few rows and rounds" if report.is_quick else "full run"
    where = f"{kind}, {report.rows} orders, {report.machine.cpus} processors"
    title = f"The claims of the architecture document, measured ({where})"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("#", justify="right")
    table.add_column("claim", max_width=26, overflow="fold")
    for name in report.layouts:
        table.add_column(name, max_width=14 if len(report.layouts) > 1 else None, overflow="fold")
    for row in report.claims:
        table.add_row(str(row.number), row.claim, *(_cell(row.verdicts[name]) for name in report.layouts))
    print_rich(table)
    click.echo("")
    for row in report.claims:
        _print_claim(row)


def _cell(verdict: Verdict) -> Any:  # noqa: ANN401 - rich.text.Text, which is not imported up here
    from rich.text import Text

    text = Text(_MARKS[verdict.word.value], style=_COLOURS[verdict.word.value])
    return text if verdict.brief == "-" else text.append(f"\n{verdict.brief}", style="default")


def _print_claim(row: ClaimRow) -> None:
    click.echo(f"{row.number}. {row.claim}")
    click.echo(f"   measured: {row.measured}; rule: {row.rule}")
    for name, verdict in row.verdicts.items():
        condition = f"; condition: {verdict.condition}" if verdict.condition else ""
        click.echo(f"   {name:<13}{verdict.word.value}: {verdict.evidence}{condition}")


def _print_advice(advice: Advice, report: Report) -> None:
    click.echo(f"Recommended layout: {advice.layout}")
    for title, lines in (("Why", advice.reasons), ("What it costs", advice.costs), ("Instead", advice.instead)):
        if lines:
            click.echo(f"\n{title}:")
            for line in lines:
                click.echo(f"  {line[0].upper()}{line[1:]}")
    kind = "quick " if report.is_quick else ""
    click.echo(f"\nFigures: {kind}assessment of {report.made_at}")
