"""``alphintra db plan`` and ``db apply``: what differs from the declaration, and mending it."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that connect

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.installation import servers_home, settings
from alphintra.cli.output import AS_JSON, print_json, print_rich, progress_bar
from alphintra.cli.parameters import require_confirmed

if TYPE_CHECKING:
    from alphintra.dataplane.plan import Action
    from alphintra.dataplane.survey import Survey
    from alphintra.runtime.planning import PlanTarget

__all__ = ["apply", "plan"]

_SHOWN_PER_GROUP = 5
_WIDTH_MAX = 92
_LAYOUT = click.option(
    "--layout", type=click.Choice(["separate", "hybrid", "central", "consolidated"]), help="Instead of the home's own."
)
_URL = click.option("--url", help="A PostgreSQL of your own: postgresql://admin@host/db. The home keeps the secrets.")
_FULL = click.option("--full", is_flag=True, help="Print every statement.")


@click.command("plan")
@_LAYOUT
@_URL
@_FULL
@AS_JSON
def plan(*, layout: str | None, url: str | None, full: bool, as_json: bool) -> int:
    """Show what differs from the declaration.

    By instance, database and purpose; steps that take something away are marked with !. Exit status 1 if anything
    differs. Nothing is changed.
    """
    import asyncio

    from alphintra.runtime.planning import find_plan

    with _named_by_caller(url):
        surveys = asyncio.run(find_plan(_target(layout, url, is_free=True)))
    if as_json:
        print_json(_document(surveys))
    else:
        _print(surveys, is_full=full)
    return 1 if _differences(surveys) else 0


@click.command("apply")
@_LAYOUT
@_URL
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--allow-destructive", is_flag=True, help="Also take away what the plan marks with !.")
@_FULL
@AS_JSON
def apply(*, layout: str | None, url: str | None, yes: bool, allow_destructive: bool, **shown: bool) -> int:
    """Show the plan and carry it out.

    Safe to repeat, to run twice at once and to cut. Refuses steps that take something away without --allow-destructive.
    """
    import asyncio

    from alphintra.runtime.planning import apply_plan, find_plan

    as_json = shown["as_json"]
    with _named_by_caller(url):
        target = _target(layout, url)
        before = asyncio.run(find_plan(target))
    steps = sum(len(survey.actions) + len(survey.pending) for survey in before)
    if not as_json:
        _print(before, is_full=shown["full"])
    if steps:
        _refuse_destructive(before, is_allowed=allow_destructive)
        require_confirmed(f"Carry out {steps} steps?", is_confirmed=yes)
        done = 0
        with progress_bar(f"applying {steps} steps") as progress:

            def count(_action: Action) -> None:
                nonlocal done
                done += 1
                progress(min(1.0, done / steps))  # grants on new tables join while it runs

            asyncio.run(apply_plan(_with_home(target), allows_destructive=allow_destructive, on_action=count))
    after = asyncio.run(find_plan(_with_home(target) if steps else target))
    if as_json:
        print_json({"steps": steps, "before": _document(before), "after": _document(after)})
    else:
        click.echo(f"{steps} steps carried out; {_summary(after)}" if steps else "nothing to do", err=True)
    return 1 if any(survey.actions or survey.pending for survey in after) else 0


@contextmanager
def _named_by_caller(url: str | None) -> Iterator[None]:
    """Make a server that does not answer bad input where the caller named it."""
    from alphintra.kernel.errors import AlphintraError

    try:
        yield
    except AlphintraError as error:
        if url is None or error.code != "TOPOLOGY_CONNECT":
            raise
        raise AlphintraError(error.code, error.detail, pointer="--url") from error


def _target(layout: str | None, url: str | None, *, is_free: bool = False) -> PlanTarget:
    from alphintra.dataplane.layouts import LayoutName
    from alphintra.runtime.home import Home
    from alphintra.runtime.planning import given_target, started_target

    chosen = settings()
    if layout is not None:
        chosen = replace(chosen, layout=LayoutName(layout))
    if url is not None:
        return given_target(url, chosen, home=Home.find(chosen.home))
    return started_target(servers_home(), chosen, is_free=is_free)


def _with_home(target: PlanTarget) -> PlanTarget:
    """Make the home where there is none yet: new roles need secrets."""
    from alphintra.runtime.home import Home

    return target if target.home is not None else replace(target, home=Home.open(settings().home))


def _refuse_destructive(surveys: Sequence[Survey], *, is_allowed: bool) -> None:
    from alphintra.kernel.errors import AlphintraError, Kind

    count = sum(len(survey.destructive) for survey in surveys)
    if count and not is_allowed:
        detail = f"{count} steps take something away (marked with !): nothing was changed; add --allow-destructive"
        raise AlphintraError("PLAN_DESTRUCTIVE", detail, kind=Kind.CONFLICT, pointer="--allow-destructive")


def _differences(surveys: Sequence[Survey]) -> int:
    return sum(survey.differences for survey in surveys)


def _summary(surveys: Sequence[Survey]) -> str:
    if not _differences(surveys):
        return "no difference from the declaration"
    actions = sum(len(survey.actions) for survey in surveys)
    destructive = sum(len(survey.destructive) for survey in surveys)
    pending = sum(len(survey.pending) for survey in surveys)
    unmanaged = sum(len(survey.unmanaged) for survey in surveys)
    return (
        f"{_differences(surveys)} differences: {actions} statements ({destructive} destructive), "
        f"{pending} migrations, {unmanaged} unmanaged"
    )


def _document(surveys: Sequence[Survey]) -> dict[str, Any]:
    return {
        "differences": _differences(surveys),
        "destructive": sum(len(survey.destructive) for survey in surveys),
        "instances": [
            {
                "instance": survey.instance,
                "steps": [
                    {
                        "database": action.database,
                        "purpose": action.purpose,
                        "destructive": action.destructive,
                        "sql": action.sql,
                    }
                    for action in survey.actions
                ],
                "migrations": list(survey.pending),
                "unmanaged": list(survey.unmanaged),
                "limits": list(survey.limits),
            }
            for survey in surveys
        ],
    }


def _print(surveys: Sequence[Survey], *, is_full: bool) -> None:
    from rich.text import Text

    for survey in surveys:
        if not survey.differences:
            continue
        lines = [Text(f"instance {survey.instance}", style="bold")]
        for (database, purpose), group in groupby(survey.actions, key=lambda item: (item.database, item.purpose)):
            lines += _group(database, purpose, list(group), is_full=is_full)
        for title, names in (("migrations to apply", survey.pending), ("not managed, left alone", survey.unmanaged)):
            if names:
                lines.append(Text(f"  {title} ({len(names)})", style="cyan"))
                shown = names if is_full else names[: _SHOWN_PER_GROUP * 4]
                lines += [Text(f"      {name}") for name in shown]
                if len(shown) < len(names):
                    lines.append(Text(f"      and {len(names) - len(shown)} more: --full shows them"))
        lines += [Text(f"  not possible here: {limit}", style="dim") for limit in survey.limits]
        print_rich(*lines)
    click.echo(_summary(surveys))


def _group(database: str, purpose: str, actions: list[Action], *, is_full: bool) -> list[Any]:
    from rich.text import Text

    where = f"database {database}: " if database else ""
    lines = [Text(f"  {where}{purpose or 'other'} ({len(actions)})", style="cyan")]
    # What takes something away is always shown.
    shown = [item for index, item in enumerate(actions) if is_full or item.destructive or index < _SHOWN_PER_GROUP]
    for action in shown:
        sql = action.sql if is_full or len(action.sql) <= _WIDTH_MAX else f"{action.sql[: _WIDTH_MAX - 3]}..."
        mark, style = ("!", "bold red") if action.destructive else (" ", "")
        lines.append(Text(f"    {mark} {sql}", style=style))
    if len(shown) < len(actions):
        lines.append(Text(f"      and {len(actions) - len(shown)} more: --full shows them"))
    return lines
