"""Starting, stopping and looking at the platform as a whole."""

# ruff: noqa: PLC0415 - every command loads what it alone needs: `alphintra --help` answers at once, `up` stays small

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.installation import existing_home, settings
from alphintra.cli.output import AS_JSON, moment, print_json, print_table
from alphintra.cli.schedules import print_schedules, schedules

if TYPE_CHECKING:
    from alphintra.runtime.control import PlatformStatus
    from alphintra.runtime.home import Home
    from alphintra.runtime.settings import RuntimeSettings

__all__ = ["COMMANDS"]

_LAYOUT = click.option(
    "--layout",
    type=click.Choice(["separate", "hybrid", "central", "consolidated"]),
    help="Which services share a database; a home keeps its first.",
)
_PLACEMENT = click.option(
    "--placement", type=click.Choice(["shared", "isolated"]), help="One PostgreSQL instance, or one for each database."
)
_NEVER_STARTED = "not running; it was never started in this home"
_KIB_PER_MIB = 1024


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="HTTP port on 127.0.0.1 instead of the configured one.")
@click.option(
    "--processes",
    type=click.Choice(["default", "risk-apart", "per-service"]),
    help="How the services are spread over processes.",
)
@_LAYOUT
@_PLACEMENT
@click.option("--sample", is_flag=True, help="Bring sample prices and a replayed feed where there are none yet.")
@click.option("--detach", is_flag=True, help="Return when the platform is ready, and leave it running.")
@click.option("--silent", is_flag=True, hidden=True, help="Tell no setup link: whoever started this does.")
def up(*, sample: bool, detach: bool, silent: bool, **chosen_here: str | int | None) -> int:
    """Start the platform and keep it running until Ctrl-C."""
    from alphintra.cli import starting

    chosen = _chosen(**chosen_here)
    if detach:
        return starting.start_detached(chosen, with_sample=sample)
    return starting.run_in_foreground(chosen, with_sample=sample, is_silent=silent)


@click.command()
def down() -> int:
    """Stop the platform in order and wait until it has stopped."""
    from alphintra.runtime import control
    from alphintra.runtime.lock import holder_of

    home = existing_home()
    if holder_of(home):
        click.echo("stopping", err=True)
    control.down(home)
    click.echo("stopped", err=True)
    return 0


@click.command()
@AS_JSON
def status(*, as_json: bool) -> int:
    """Show processes, services and ports.

    Exit status 1 unless all is well.
    """
    from alphintra.runtime import control

    home = existing_home()
    found = control.status(home)
    health = _health(home) if found.is_running else None
    jobs = schedules(home, settings())
    if as_json:
        print_json({**found.to_json(), "health": health, "schedules": jobs})
    else:
        _print_status(found, health)
        print_schedules(jobs)
    is_ready = found.state is not None and found.state.phase == "ready"
    is_well = health is not None and health["status"] == "ok" and not any(each["code"] for each in jobs)
    return 0 if found.is_running and is_ready and is_well else 1


@click.command()
@click.argument("name", default="supervisor")
@click.option("--follow", "-f", is_flag=True, help="Go on with new lines as they come, until Ctrl-C.")
@click.option("--lines", "-n", type=click.IntRange(0, 1_000_000), default=50, show_default=True, help="Last lines.")
def logs(*, name: str, follow: bool, lines: int) -> int:
    """Show the log of a process.

    By default the supervisor's; an unknown NAME lists those there are.
    """
    from alphintra.runtime.logfiles import logs as log_lines

    for line in log_lines(existing_home(), name, lines=lines, follow=follow):
        click.echo(line)
    return 0


@click.command()
@_LAYOUT
@_PLACEMENT
@AS_JSON
def demo(*, as_json: bool, **chosen_here: str | None) -> int:
    """Run the main job end to end and verify it.

    Exit status 0 only if every step was verified in the owning service's data.
    """
    from alphintra.cli.demo import demo as run_demo

    return run_demo(_chosen(**chosen_here), as_json=as_json)


def _chosen(**here: str | int | None) -> RuntimeSettings:
    """Return the settings with what the command line says in their place."""
    from dataclasses import replace

    from alphintra.dataplane.layouts import LayoutName
    from alphintra.runtime.settings import PlacementKind, ProcessLayout

    kinds: dict[str, Callable[[Any], Any]] = {
        "port": int,
        "processes": ProcessLayout,
        "layout": LayoutName,
        "placement": PlacementKind,
    }
    return replace(settings(), **{name: kinds[name](value) for name, value in here.items() if value is not None})


def _health(home: Home) -> dict[str, Any] | None:
    """Return what the edge says of the eight services, also if some are down; None if it does not answer."""
    from alphintra.cli.client import ApiClient, ApiError
    from alphintra.cli.installation import base_url
    from alphintra.kernel.errors import AlphintraError

    try:
        with ApiClient(base_url(home)) as api:
            found: dict[str, Any] = api.get("/health")
            return found
    except ApiError as error:
        return error.members if "services" in error.members else None
    except AlphintraError:
        return None


def _print_status(found: PlatformStatus, health: Mapping[str, Any] | None) -> None:
    state = found.state
    if not found.is_running or state is None:
        ended = "was killed; the next start clears up" if found.was_killed else "stopped in order"
        click.echo(_NEVER_STARTED if state is None else f"not running; it {ended}")
        return
    total = _mib(sum(found.memory_kib.values()))
    ports = ", ".join(f"{name} {port}" for name, port in state.ports.items())
    click.echo(f"{state.phase.value} since {moment(state.started_at.isoformat())} UTC, {total} MiB; ports: {ports}")
    rows: list[tuple[object, ...]] = [
        (each.name, each.pid, each.phase.value, each.restarts, _mib(found.memory_kib.get(each.name)))
        for each in state.processes
    ]
    rows.append(("supervisor", state.pid, state.phase.value, 0, _mib(found.memory_kib.get("supervisor"))))
    print_table(("process", "pid", "state", "restarts", "MiB"), rows)
    if health is None:
        click.echo("the edge does not answer: see `alphintra logs` and `alphintra logs worker`")
        return
    services = [
        (each["service"], each["status"], each.get("database"), each.get("role"), _millis(each), each.get("code"))
        for each in health["services"]
    ]
    print_table(("service", "health", "database", "role", "answer ms", "code"), services)


def _mib(kib: int | None) -> Decimal | None:
    return None if kib is None else (Decimal(kib) / _KIB_PER_MIB).quantize(Decimal("0.1"))


def _millis(service: Mapping[str, Any]) -> Decimal | None:
    latency = service.get("latency_ms")
    return None if latency is None else Decimal(str(latency)).quantize(Decimal("0.1"))


@click.group("bus")
def bus() -> None:
    """The message bus between the services."""


@bus.command("config")
def show_bus_configuration() -> int:
    """Print what a NATS server of your own needs.

    Users, public keys and rights, to be included in its configuration; no secret. Then set ALPHINTRA_NATS_URL.
    """
    from alphintra.runtime.home import Home
    from alphintra.runtime.platform import bus_configuration

    click.echo(bus_configuration(Home.open(settings().home)), nl=False)
    return 0


COMMANDS: tuple[click.Command, ...] = (up, down, status, logs, demo, bus)
