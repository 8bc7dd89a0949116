"""``alphintra backup``: backups of whole instances and of single services, and what becomes of them."""

# ruff: noqa: PLC0415 - drivers and codecs are loaded by the command that needs them

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.backup_opening import opened, watched
from alphintra.cli.backup_restore import restore
from alphintra.cli.output import AS_JSON, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.dataplane.backup.model import Manifest
    from alphintra.dataplane.backup.programs import Task
    from alphintra.runtime.backups.verifying import Evidence
    from alphintra.runtime.backups.work import Backups

__all__ = ["COMMANDS", "backup"]

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


@backup.command("verify")
@click.argument("ident", default="")
@AS_JSON
def verify(ident: str, *, as_json: bool) -> int:
    """Restore a backup for real into an instance of its own, and write down what came of it.

    Without a name the newest one of each service and instance. Exit status 1 if one is not sound.
    """
    backups = opened(needs_servers=False)
    found = [find(backups, ident)] if ident else [newest[-1] for newest in _newest(backups) if newest]

    async def restore_all(task: Task) -> list[Evidence]:
        from alphintra.runtime.backups.verifying import verify as restored

        return [
            await restored(backups, manifest, task=task, tell=lambda doing: click.echo(doing, err=True))
            for manifest in found
        ]

    evidence = watched("verifying", restore_all)
    if as_json:
        import msgspec

        print_json({"evidence": [msgspec.to_builtins(each) for each in evidence]})
    else:
        print_table(
            ("backup", "of", "sound", "tables", "rows", "seconds", "what is wrong"),
            [
                (
                    each.backup,
                    each.scope,
                    each.is_sound,
                    each.tables,
                    each.rows,
                    f"{each.seconds:.1f}",
                    f"{each.code} {each.detail}".strip(),
                )
                for each in evidence
            ],
        )
    return 0 if evidence and all(each.is_sound for each in evidence) else 1


@backup.command("external")
@click.argument("instance")
@click.option("--at", default="MOMENT", help="Moment that the recipe is to name.")
def external(instance: str, *, at: str) -> int:
    """Ask pgBackRest or Barman about an instance that you run.

    Whether its log arrives, which backups there are, and how a side instance of a moment is made.
    """
    backups = opened(needs_servers=True)
    tool = backups.external(instance)
    if tool is None:
        message = f"instance {instance} is the home's own: `alphintra backup list --instance {instance}`"
        raise AlphintraError("BACKUP_EXTERNAL", message, pointer="INSTANCE")

    async def ask(_task: Task) -> str:
        from alphintra.runtime.backups.outside import check_outside, show_outside

        await check_outside(tool)
        return await show_outside(tool)

    from alphintra.runtime.backups.outside import recipe_of

    click.echo(watched(f"asking {tool.tool}", ask))
    click.echo("\n".join(("", "A side instance of a moment:", *recipe_of(tool, at))))
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


def _newest(backups: Backups) -> list[tuple[Manifest, ...]]:
    return [backups.catalogue(scope).backups() for scope in backups.scopes()]


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


backup.add_command(restore)

COMMANDS: tuple[click.Command, ...] = (backup,)
