"""``alphintra db migrate``: services to another layout or server while they work, and back."""

# ruff: noqa: PLC0415 - drivers are loaded by the command that connects

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from alphintra.cli.output import AS_JSON, print_json, print_table
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alphintra.dataplane.server import Server
    from alphintra.runtime.home import Home
    from alphintra.runtime.moving.history import Expected
    from alphintra.runtime.moving.journal import Journal, Record
    from alphintra.runtime.moving.planning import Planned
    from alphintra.runtime.moving.run import Moving, Progress

__all__ = ["migrate"]

_LAYOUTS = ("separate", "hybrid", "central", "consolidated")
_STEPS = (
    "make roles, database, schema, tables and grants at the target; nobody may write there",
    "copy all rows as of one instant, then follow what changes",
    "let requests wait, take the right to write from the old place, wait for what is open",
    "carry over the last changes and the sequences, give the right to write at the new place, go on there",
    "compare every row of every table as both places were in that moment",
    "carry what is written at the new place back to the old one, until --finish or --rollback",
)

_STEPS_IN_PLACE = (
    "let the requests of all services wait",
    "change schema, name and owner of each table where it is, make roles and grants as declared; no row is copied",
    "see that every table is the one it was; go on with the new roles",
    "look whether everything is as declared",
)


@click.command("migrate")
@click.option("--to", type=click.Choice(_LAYOUTS), help="Layout to move to.")
@click.option("--services", default="", help="Only these, divided by commas; all if left out.")
@click.option("--instance", default="main", show_default=True, help="PostgreSQL instance to move to.")
@click.option("--new-instance", is_flag=True, help="Make that instance: one more PostgreSQL of the home's own.")
@click.option("--dry-run", is_flag=True, help="Look at everything and show the steps; change nothing.")
@click.option("--resume", is_flag=True, help="Go on with moves that were cut.")
@click.option("--rollback", is_flag=True, help="Bring back what was moved, with all that was written since.")
@click.option("--finish", is_flag=True, help="Give up the way back and drop what is left at the old places.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def migrate(  # noqa: PLR0913 - one parameter per option
    *,
    to: str | None,
    services: str,
    instance: str,
    new_instance: bool,
    dry_run: bool,
    resume: bool,
    rollback: bool,
    finish: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Move services to another layout or server while they work.

    Requests wait for a moment and do not fail. Until --finish everything can be taken back by --rollback.
    """
    chosen = [name for name, is_on in (("--resume", resume), ("--rollback", rollback), ("--finish", finish)) if is_on]
    if len(chosen) + bool(to) != 1 or (chosen and (services or dry_run or new_instance)):
        message = "say one of --to LAYOUT (with --services, --instance, --dry-run), --resume, --rollback and --finish"
        raise AlphintraError("MIGRATE_USAGE", message, pointer="--to")
    from alphintra.cli.installation import servers_home

    home = servers_home()
    named = tuple(filter(None, (word.strip() for word in services.split(","))))
    if to:
        planned = _plan(home, to=to, services=named, instance=instance, is_new=new_instance)
        if dry_run:
            _print_plan(planned, as_json=as_json)
            return 0
        return _begin(home, planned, to=to, as_json=as_json)
    return _go_on(home, chosen[0], is_confirmed=yes, as_json=as_json)


def _plan(home: Home, *, to: str, services: tuple[str, ...], instance: str, is_new: bool) -> tuple[Planned, ...]:
    from alphintra.cli.installation import settings
    from alphintra.dataplane.layouts import LayoutName
    from alphintra.runtime.inspection import provisioned_order
    from alphintra.runtime.moving.planning import Wish, plan_moves, servers_of

    wish = Wish(to=LayoutName(to), services=services, instance=instance, is_new=is_new)
    servers = servers_of(provisioned_order(home), settings())
    return asyncio.run(plan_moves(home, servers, wish, settings=settings()))


def _begin(home: Home, planned: Iterable[Planned], *, to: str, as_json: bool) -> int:
    from alphintra.cli.installation import settings
    from alphintra.runtime.moving.journal import Journal

    journal = Journal(to=to, records=[each.record for each in planned])
    records = asyncio.run(_run(home, journal, _advance))
    _print_records(records, as_json=as_json)
    click.echo("undo by `alphintra db migrate --rollback`; drop the old places by `--finish`", err=True)
    if settings().names_a_layout:
        click.echo("the settings name a layout: take that out, the home knows where its data is", err=True)
    return 0


def _go_on(home: Home, what: str, *, is_confirmed: bool, as_json: bool) -> int:
    from alphintra.cli.parameters import require_confirmed

    if what == "--finish":
        require_confirmed("Drop the moved services' data at the old places for good?", is_confirmed=is_confirmed)
    does = {"--resume": _advance, "--rollback": _go_back, "--finish": _finish}[what]
    records = asyncio.run(_run(home, None, does))
    if what == "--resume":
        _print_records(records, as_json=as_json)
        return 0
    if as_json:
        print_json({"services": [record.service for record in records], "done": what.removeprefix("--")})
    word = "moved for good" if what == "--finish" else "back at the old places"
    click.echo(f"{', '.join(record.service for record in records)}: {word}", err=True)
    return 0


async def _run(home: Home, journal: Journal | None, does: Callable[[Moving], Awaitable[None]]) -> tuple[Record, ...]:
    from alphintra.cli.installation import published_state, settings
    from alphintra.runtime.inspection import provisioned_order
    from alphintra.runtime.lock import holder_of
    from alphintra.runtime.moving.planning import await_servers, reach_of, servers_of
    from alphintra.runtime.moving.run import opened_moving

    order = provisioned_order(home)
    servers = servers_of(order, settings())
    tell = _Teller()

    async def find(moves: Journal) -> dict[str, Server]:
        return await await_servers(
            home, servers, moves, settings=settings(), state=lambda: published_state(home, holder_of(home) or 0)
        )

    async with opened_moving(home, order, find, reach=reach_of(home), begin=journal, on_progress=tell) as moving:
        records = tuple(moving.journal.records)
        try:
            await does(moving)
        finally:
            tell.end()
    return records


async def _advance(moving: Moving) -> None:
    await moving.go_on()


async def _go_back(moving: Moving) -> None:
    await moving.go_back()


async def _finish(moving: Moving) -> None:
    await moving.finish()


class _Teller:
    """Tells on standard error what is being done: a line for each step, one that changes where that is a terminal."""

    def __init__(self) -> None:
        self._last = ""
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        key = f"{progress.service} {progress.doing.split(' ')[0]}"
        line = f"{progress.service}: {_in_words(progress)}"
        if self._is_terminal:
            end = "\n" if self._last and key != self._last else ""
            click.echo(f"{end}\r\033[K{line}", nl=False, err=True)
        elif key != self._last:
            click.echo(line, err=True)
        self._last = key

    def end(self) -> None:
        """Leave the line that changes."""
        if self._is_terminal and self._last:
            click.echo("", err=True)


def _in_words(progress: Progress) -> str:
    parts = [progress.doing]
    if progress.rows:
        parts.append(f"{progress.rows:,} rows")
    if progress.bytes:
        parts.append(f"{progress.bytes / 1e6:,.1f} MB")
    if progress.share is not None:
        parts.append(f"{progress.share:.0%}")
    if progress.eta_s:
        parts.append(f"{progress.eta_s:.0f} s left")
    if progress.lag_bytes:
        parts.append(f"{progress.lag_bytes:,} bytes behind")
    return ", ".join(parts)


def _print_plan(planned: Sequence[Planned], *, as_json: bool) -> None:
    is_merge = any(each.record.source.merged_schema != each.record.target.merged_schema for each in planned)
    steps = _STEPS_IN_PLACE if is_merge else _STEPS
    if as_json:
        print_json(
            {
                "services": [
                    {
                        **_shown(each.record),
                        "tables": [
                            {"table": size.table, "rows": size.rows, "is_exact": size.is_exact, "bytes": size.bytes}
                            for size in each.tables
                        ],
                        "expected_pause": {
                            "samples": each.pause.samples,
                            "median_ms": each.pause.median_ms,
                            "worst_ms": each.pause.worst_ms,
                        },
                    }
                    for each in planned
                ],
                "steps": list(steps),
            }
        )
        return
    print_table(
        ("service", "from", "to", "tables", "rows", "MB", "pause"),
        [
            (
                each.record.service,
                _place(each.record.source.database, each.record.source.instance),
                _place(each.record.target.database, each.record.target.instance),
                len(each.tables),
                f"{'' if all(size.is_exact for size in each.tables) else '~'}{each.record.rows}",
                f"{each.record.bytes / 1e6:.1f}",
                _pause(each.pause),
            )
            for each in planned
        ],
    )
    click.echo("For all services at once:" if is_merge else "For each service:")
    for number, step in enumerate(steps, start=1):
        click.echo(f"  {number}. {step}")
    waits = "1 to 3" if is_merge else "3 and 4"
    click.echo(f"In steps {waits} requests wait, and none of them fails; for how long, by what was measured in this")
    click.echo("home, is the pause above (the worst one in brackets). Nothing has been changed.")


def _pause(expected: Expected) -> str:
    if expected.median_ms is None or expected.worst_ms is None:
        return "not measured yet"
    return f"{expected.median_ms:.0f} ms ({expected.worst_ms:.0f})"


def _print_records(records: Iterable[Record], *, as_json: bool) -> None:
    if as_json:
        print_json({"services": [_shown(record) for record in records]})
        return
    print_table(
        ("service", "from", "to", "rows copied", "pause ms", "state"),
        [
            (
                record.service,
                _place(record.source.database, record.source.instance),
                _place(record.target.database, record.target.instance),
                record.rows,
                f"{record.pause_ms:.0f}",
                record.step.value,
            )
            for record in records
        ],
    )


def _shown(record: Record) -> dict[str, object]:
    return {
        "service": record.service,
        "from": {"database": record.source.database, "instance": record.source.instance},
        "to": {"database": record.target.database, "instance": record.target.instance},
        "state": record.step.value,
        "rows": record.rows,
        "bytes": record.bytes,
        "pause_ms": record.pause_ms,
    }


def _place(database: str, instance: str) -> str:
    return database if instance == "main" else f"{database} on {instance}"
