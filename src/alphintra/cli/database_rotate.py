"""``alphintra db rotate``: new passwords for the database roles while the platform runs."""

# ruff: noqa: PLC0415 - drivers are loaded by the command that connects

from __future__ import annotations

import click

from alphintra.cli.output import AS_JSON, print_json, print_table, progress_bar

__all__ = ["rotate"]

_ALL = "all"


@click.command("rotate")
@click.option("--service", "services", multiple=True, help="Only this service's roles; may be given several times.")
@click.option(
    "--role-kind",
    type=click.Choice(["service", "migrator", "reader", "backup", "sealer", "retainer", "reporter", _ALL]),
    default=_ALL,
    show_default=True,
    help="Which of a service's roles.",
)
@AS_JSON
def rotate(*, services: tuple[str, ...], role_kind: str, as_json: bool) -> int:
    """Give database roles new passwords, without downtime.

    Running services go on; the old passwords are refused afterwards. A run that was cut is finished by the next.
    """
    import asyncio

    from alphintra.cli.installation import servers_home
    from alphintra.runtime.inspection import provisioned_order
    from alphintra.runtime.rotation import KINDS, choose_roles
    from alphintra.runtime.rotation import rotate as rotate_roles

    home = servers_home()
    order = provisioned_order(home)
    kinds = KINDS if role_kind == _ALL else (role_kind,)
    roles = choose_roles(order.layout, services=services, kinds=kinds)
    with progress_bar(f"rotating {len(roles)} passwords") as progress:
        done = asyncio.run(rotate_roles(home, order, roles, on_step=progress))
    if as_json:
        rows = [
            {"role": item.role, "kind": item.kind, "services": list(item.services), "instance": item.instance}
            for item in done.rotated
        ]
        print_json({"rotated": rows, "resumed": list(done.resumed)})
        return 0
    print_table(
        ("role", "kind", "services", "instance"),
        [(item.role, item.kind, item.services, item.instance) for item in done.rotated],
    )
    if done.resumed:
        click.echo(f"finished an earlier run that was cut: {', '.join(done.resumed)}", err=True)
    click.echo(f"{len(done.rotated)} new passwords hold, the old ones are refused", err=True)
    return 0
