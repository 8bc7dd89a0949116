"""``alphintra maintenance``: upkeep of the services in their windows."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that connect

from __future__ import annotations

import asyncio

import click

from alphintra.cli.installation import servers_home, settings
from alphintra.cli.output import AS_JSON, print_answer, print_json, print_table
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_SERVICE = click.option("--service", required=True, help="Whose upkeep.")
_OPERATOR = "operator"


@click.group("maintenance")
def maintenance() -> None:
    """Upkeep of the services' tables, indexes and keys, in the window of each."""


@maintenance.command("windows")
@AS_JSON
def windows(*, as_json: bool) -> int:
    """Show when each service's upkeep may be done."""
    from alphintra.dataplane.maintenance.windows import windows_of
    from alphintra.infrastructure.system import SystemClock

    now = SystemClock().now()
    rows = [
        (service, window.text, window.contains(now), f"{window.opens_after(now):%Y-%m-%d %H:%M}")
        for service, window in windows_of(settings().maintenance_windows).items()
    ]
    if as_json:
        print_json([dict(zip(("service", "window", "is_open", "opens_at"), row, strict=True)) for row in rows])
    else:
        print_table(("service", "window", "open", "next opening, UTC"), rows)
    return 0


@maintenance.command("run")
@_SERVICE
@click.option(
    "--task",
    "tasks",
    multiple=True,
    type=click.Choice(["parts", "vacuum", "analyze", "reindex", "rotate"]),
    help="Only this one; may be given several times. All but rotate if left out.",
)
@click.option("--force", is_flag=True, help="Outside of the window too; asks for --reason.")
@click.option("--reason", default="", help="Why it is forced; it stays in the audit log.")
@AS_JSON
def run(*, service: str, tasks: tuple[str, ...], force: bool, reason: str, as_json: bool) -> int:
    """Do a service's upkeep now: refused outside of its window unless forced with a reason.

    Nothing is begun after the window has closed. Exit status 1 if something was not done.
    """
    if force != bool(reason.strip()):
        message = "--force and --reason belong together: say why upkeep cannot wait for its window"
        raise AlphintraError("MAINTENANCE_REASON", message, pointer="--reason")
    from alphintra.dataplane.maintenance.tasks import TASKS
    from alphintra.dataplane.maintenance.windows import windows_of
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.maintenance.work import Upkeep, maintain
    from alphintra.runtime.places import chosen, writer_of

    home = servers_home()
    (place,) = chosen(home, (service,))
    upkeep = Upkeep(
        tasks=tasks or TASKS, window=windows_of(settings().maintenance_windows)[service], reason=reason.strip()
    )
    writer = writer_of(_OPERATOR, at=SystemClock().now())
    done = asyncio.run(
        maintain(
            home, place, upkeep, writer=writer, clock=SystemClock().now, tell=lambda words: click.echo(words, err=True)
        )
    )
    rows = [(each.task, each.table, each.failure or "done") for each in done]
    if as_json:
        print_json([dict(zip(("task", "table", "outcome"), row, strict=True)) for row in rows])
    else:
        print_table(("task", "table", ""), rows)
    return 1 if any(each.failure for each in done) else 0


@maintenance.command("status")
@AS_JSON
def status(*, as_json: bool) -> int:
    """Show the upkeep that runs now, and how far PostgreSQL says it is."""
    from alphintra.dataplane.maintenance.tasks import find_progress
    from alphintra.runtime.inspection import provisioned_order

    rows = [
        (server.instance, each.doing, each.phase, f"{each.share:.0%}")
        for server in provisioned_order(servers_home()).instances
        for each in asyncio.run(find_progress(server))
    ]
    if as_json:
        print_json([dict(zip(("instance", "doing", "phase", "share"), row, strict=True)) for row in rows])
    else:
        print_table(("instance", "doing", "phase", "of this phase"), rows)
    return 0


@maintenance.command("cancel")
@_SERVICE
@AS_JSON
def cancel(*, service: str, as_json: bool) -> int:
    """End a service's upkeep: the statement that runs is cancelled, nothing after it is begun."""
    from alphintra.dataplane.maintenance.tasks import cancel_upkeep
    from alphintra.runtime.places import chosen

    ((server, _),) = chosen(servers_home(), (service,))
    count = asyncio.run(cancel_upkeep(server, service))
    print_answer(
        {"service": service, "cancelled": count},
        f"{service}: {count} statements of upkeep were cancelled",
        as_json=as_json,
    )
    return 0


COMMANDS: tuple[click.Command, ...] = (maintenance,)
