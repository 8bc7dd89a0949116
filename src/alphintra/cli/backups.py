"""``alphintra backup``: backups of whole instances and of single services, and what becomes of them."""

# ruff: noqa: PLC0415 - drivers and codecs are loaded by the command that needs them

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alphintra.cli.output import AS_JSON, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.dataplane.backup.model import Manifest
    from alphintra.dataplane.backup.programs import Task
    from alphintra.runtime.backups.work import Backups

__all__ = ["COMMANDS", "backup", "opened", "shown", "watched"]

T = TypeVar("T")
_MB = 1e6


@click.group()
def backup() -> None:
    """Backups: made, listed, checked, restored."""


@backup.command("run")
@click.option("--service", "services", multiple=True, help="Dump this service; may be repeated.")
@click.option("--instance", "instances", multiple=True, help="Back up this whole PostgreSQL instance; may be repeated.")
@click.option("--full", is_flag=True, help="In full: not only what changed since the instance's last backup.")
@AS_JSON
def run(*, services: tuple[str, ...], instances: tuple[str, ...], full: bool, as_json: bool) -> int:
    """Back up now: what is named, or every instance and every service.

    An instance's backup and its log, which is archived all the time, bring it to any second since; a dump brings one
    service to the moment it was made.
    """
    backups = opened(needs_servers=True)
    if not services and not instances:
        services = tuple(placement.service for placement in backups.layout)
        instances = tuple(sorted({placement.instance for placement in backups.layout}))
        instances = tuple(name for name in instances if backups.server(name).exclusive)

    async def make(task: Task) -> list[Manifest]:
        from alphintra.runtime.backups.outside import back_up_outside

        made = []
        for instance in instances:
            external = backups.external(instance)
            if external is not None:
                await back_up_outside(external, is_full=full)
                click.echo(f"{instance}: {external.tool} has made a backup of {external.name}", err=True)
            else:
                made.append(await backups.back_up_instance(instance, is_full=full, task=task))
        made += [await backups.back_up_service(service, task=task) for service in services]
        return made

    _print(watched("backing up", make), as_json=as_json)
    return 0


@backup.command("list")
@click.option("--service", default="", help="Only of this service.")
@click.option("--instance", default="", help="Only of this instance.")
@AS_JSON
def list_(*, service: str, instance: str, as_json: bool) -> int:
    """List backups as they lie at the target; the platform need not run."""
    backups = opened()
    found = [
        manifest for scope in _scopes(backups, service, instance) for manifest in backups.catalogue(scope).backups()
    ]
    _print(sorted(found, key=lambda manifest: manifest.ident), as_json=as_json)
    return 0


@backup.command("show")
@click.argument("ident")
@AS_JSON
def show(ident: str, *, as_json: bool) -> int:
    """Show one backup: what is in it, what it builds on, up to when it can be brought."""
    backups = opened()
    manifest = find(backups, ident)
    catalogue = backups.catalogue(manifest.scope)
    chain = catalogue.chain(manifest)
    fields: dict[str, Any] = shown(manifest) | {"builds_on": [each.ident for each in chain[:-1]]}
    if manifest.log is not None:
        archive = backups.archive(manifest.scope.removeprefix("instance-"))
        last = archive.until(manifest.log, archive.files())
        fields["log_until"] = None if last is None else last.at.isoformat()
    fields["files"] = [f"{entry.name} {entry.stored_sha256}" for entry in manifest.files]
    if as_json:
        print_json(fields)
    else:
        print_fields(fields)
    return 0


@backup.command("prune")
@click.option("--service", default="", help="Only of this service.")
@click.option("--instance", default="", help="Only of this instance.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def prune(*, service: str, instance: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Remove backups that nothing keeps: neither keep_last, keep_days nor keep_months, nor a later one."""
    from alphintra.cli.parameters import require_confirmed

    backups = opened()
    scopes = _scopes(backups, service, instance)
    if not dry_run:
        require_confirmed("Remove backups that are older than is kept?", is_confirmed=yes)

    async def clear(_task: Task) -> list[Manifest]:
        return [each for scope in scopes for each in await backups.prune(scope, is_dry=dry_run)]

    _print(watched("pruning", clear), as_json=as_json)
    return 0


def opened(*, needs_servers: bool = False) -> Backups:
    """Return the backups of the home. Raises BACKUP_NOT_CONFIGURED, NOT_RUNNING, CONFIG_*, HOME_*."""
    from alphintra.cli.installation import existing_home, servers_home, settings
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.backups.choices import backup_choices
    from alphintra.runtime.backups.work import open_backups
    from alphintra.runtime.inspection import provisioned_order

    choices = backup_choices(settings())
    home = servers_home() if needs_servers and choices.target else existing_home()
    order = provisioned_order(home) if needs_servers and choices.target else None
    return open_backups(home, choices, order=order, clock=SystemClock(), environ=os.environ)


def find(backups: Backups, ident: str) -> Manifest:
    """Return a backup by its name, whatever it is of. Raises BACKUP_UNKNOWN and what `Catalogue.find` raises."""
    for scope in backups.scopes():
        catalogue = backups.catalogue(scope)
        if any(manifest.ident == ident for manifest in catalogue.backups()):
            return catalogue.find(ident)
    from alphintra.kernel.errors import Kind

    message = (
        f"there is no backup {ident[:60]!r} at {backups.target.label}: `alphintra backup list` shows those there are"
    )
    raise AlphintraError("BACKUP_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="IDENT")


def watched(what: str, does: Callable[[Task], Awaitable[T]]) -> T:
    """Do something long, telling how far it is on a terminal; Ctrl-C ends it in order, with nothing half left."""
    from alphintra.dataplane.backup.programs import Task

    is_terminal = sys.stderr.isatty()

    def tell(done: int) -> None:
        if is_terminal:
            click.echo(f"\r\033[K{what}: {done / _MB:,.1f} MB", nl=False, err=True)

    task = Task(on_bytes=tell)

    async def work() -> T:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancelled.set)
        return await does(task)

    try:
        return asyncio.run(work())
    finally:
        if is_terminal:
            click.echo("\r\033[K", nl=False, err=True)


def shown(manifest: Manifest) -> dict[str, Any]:
    """Return a backup as plain values."""
    return {
        "id": manifest.ident,
        "of": manifest.scope,
        "kind": manifest.kind.value,
        "began_at": manifest.began_at.isoformat(),
        "ended_at": manifest.ended_at.isoformat(),
        "bytes": manifest.bytes,
        "stored_bytes": manifest.stored_bytes,
        "postgresql": manifest.server_version // 10_000,
        "key": manifest.key,
        "services": sorted(service for services in manifest.databases.values() for service in services),
    }


def _scopes(backups: Backups, service: str, instance: str) -> list[str]:
    from alphintra.runtime.backups.work import instance_scope, service_scope

    named = [service_scope(service)] if service else []
    named += [instance_scope(instance)] if instance else []
    return named or list(backups.scopes())


def _print(manifests: Iterable[Manifest], *, as_json: bool) -> None:
    found = [shown(manifest) for manifest in manifests]
    if as_json:
        print_json({"backups": found})
        return
    print_table(
        ("id", "of", "kind", "until", "MB", "MB stored"),
        [
            (
                each["id"],
                each["of"],
                each["kind"],
                each["ended_at"][:19].replace("T", " "),
                f"{each['bytes'] / _MB:.1f}",
                f"{each['stored_bytes'] / _MB:.1f}",
            )
            for each in found
        ],
    )


COMMANDS: tuple[click.Command, ...] = (backup,)
