"""Starting, stopping and looking at the platform as a whole."""

# ruff: noqa: PLC0415 - every command loads what it alone needs: `alphintra --help` answers at once, `up` stays small

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alphintra.cli.installation import existing_home, settings
from alphintra.cli.output import AS_JSON, print_json

if TYPE_CHECKING:
    from alphintra.runtime.control import PlatformStatus

__all__ = ["COMMANDS"]


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="HTTP port on 127.0.0.1 instead of the configured one.")
@click.option(
    "--processes", type=click.Choice(["default", "per-service"]), help="How the services are spread over processes."
)
@click.option("--sample", is_flag=True, help="Bring sample prices and a replayed feed where there are none yet.")
@click.option("--detach", is_flag=True, help="Return when the platform is healthy and leave it running.")
@click.option("--silent", is_flag=True, hidden=True, help="Say nothing of a setup link: another process does.")
def up(*, port: int | None, processes: str | None, sample: bool, detach: bool, silent: bool) -> int:
    """Start the platform and keep it running until Ctrl-C."""
    from dataclasses import replace

    from alphintra.cli import starting
    from alphintra.runtime.settings import ProcessLayout

    chosen = settings()
    if port is not None:
        chosen = replace(chosen, port=port)
    if processes is not None:
        chosen = replace(chosen, processes=ProcessLayout(processes))
    if detach:
        return starting.start_detached(chosen, with_sample=sample)
    return starting.run_in_foreground(chosen, with_sample=sample, is_silent=silent)


@click.command()
def down() -> int:
    """Stop the platform in order."""
    from alphintra.runtime import control

    home = existing_home()
    click.echo("stopping", err=True)
    control.down(home)
    click.echo("stopped", err=True)
    return 0


@click.command()
@AS_JSON
def status(*, as_json: bool) -> int:
    """Show processes, services and ports; exit status 1 unless all is well."""
    from alphintra.runtime import control

    found = control.status(existing_home())
    if as_json:
        print_json(found.to_json())
    return 0 if _is_well(found) else 1


@click.command()
@AS_JSON
def demo(*, as_json: bool) -> int:
    """Run the main job from prices to fills and verify every step."""
    from alphintra.cli.demo import demo as run_demo

    return run_demo(settings(), as_json=as_json)


def _is_well(found: PlatformStatus) -> bool:
    return found.is_running and found.state is not None and found.state.phase == "ready"


COMMANDS: tuple[click.Command, ...] = (up, down, status, demo)
