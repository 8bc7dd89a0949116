"""The whole installation: embedded or given servers, provisioning, and the processes of the chosen layout."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from alphintra.dataplane.bus_permissions import rights
from alphintra.dataplane.layouts import MAIN_INSTANCE, Placement, instances_of
from alphintra.infrastructure.clock_steps import CLOCK_FILE_VARIABLE
from alphintra.infrastructure.faults import CRASH_FILE_VARIABLE, CRASH_VARIABLE, armed_points
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.administrator import require_administrator
from alphintra.runtime.bell import Bell
from alphintra.runtime.embedded_nats import BusUser, EmbeddedNats, render_nats_accounts
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.layout import (
    ProcessPlan,
    credentials_path,
    instances_in_moves,
    process_plans,
    settled_layout,
)
from alphintra.runtime.lock import require_not_running
from alphintra.runtime.nats_keys import nats_public_key
from alphintra.runtime.policy import PlatformState, RestartPolicy
from alphintra.runtime.ports import LOOPBACK, require_answer, require_free_port
from alphintra.runtime.proc import processes_marked
from alphintra.runtime.settings import RuntimeSettings
from alphintra.runtime.supervisor import Supervisor, supervised_marker
from alphintra.runtime.units import ProcessSpec, ProcessUnit, ReadyWhen, Unit

__all__ = ["DETOUR_VARIABLE", "bus_configuration", "require_startable", "run_platform"]

STRATEGY_VARIABLES = (  # strategy alone downloads market data, runs packages and searches on a cluster
    "APCA_API_KEY_ID",
    "APCA_API_SECRET_KEY",
    "ALPHINTRA_STRATEGY_PACKAGES",
    "ALPHINTRA_STRATEGY_PATH",
    "ALPHINTRA_STRATEGY_RAY_ADDRESS",
    "RAY_AUTH_MODE",
    "RAY_AUTH_TOKEN",
)

BACKUP_VARIABLES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")  # of an S3-compatible backup target

DETOUR_VARIABLE: Final = "ALPHINTRA_DETOUR"
"""``postgres=PORT,nats=PORT``: where services find the servers in a chaos run, which stands in between."""

_POSTGRES_PORT: Final = 5432
_DEFAULT_PORTS: Final = {"nats": 4222, "tls": 4222}
_INSPECT_FIRST_S: Final = 300.0
_INSPECT_EVERY_S: Final = 3600.0
_STAGE_PROVISION: Final = 1
_STAGE_SERVICES: Final = 2
_STAGE_EDGE: Final = 3


def require_startable(settings: RuntimeSettings) -> None:
    """Refuse, before anything is written, a start that cannot succeed.

    Raises:
        AlphintraError: HOME_*, SECRET_MODE, ALREADY_RUNNING, PORT_IN_USE, SERVER_UNREACHABLE, TOPOLOGY_*, PG_VERSION,
            LAYOUT_*.
    """
    home = Home.find(settings.home)
    if home is not None:
        require_not_running(home)
    if home is None or not processes_marked(supervised_marker(home)):  # else a killed start may still have the ports
        for setting in ("port", "postgres_port", "nats_port"):
            if port := getattr(settings, setting):
                require_free_port(port, setting=setting)
    settled_layout(home, settings)
    if _wants_schedules(settings):
        from alphintra.runtime.backups.choices import backup_choices  # noqa: PLC0415 - most homes do without
        from alphintra.runtime.tables import service_schedules  # noqa: PLC0415 - as above

        backup_choices(settings)
        service_schedules(settings.retention_schedules, "retention_schedules")
    if settings.maintenance_windows:
        from alphintra.dataplane.maintenance.windows import windows_of  # noqa: PLC0415 - most homes do without

        windows_of(settings.maintenance_windows)
    given = {"database_admin_url": settings.database_admin_url, "nats_url": settings.nats_url}
    given |= {f"admin_urls.{name}": url for name, url in settings.admin_urls.items()}
    for setting, url in given.items():
        if url:
            require_answer(*_address(url), setting=setting)
            if setting != "nats_url":
                require_administrator(url, setting=setting)


def bus_configuration(home: Home) -> str:
    """Return what a NATS server that already runs needs to know of this installation: users, public keys, rights.

    To be included in its configuration, which also has to turn JetStream on; ``sync_interval: always`` there keeps
    acknowledged events over a power cut. Holds no secret; the users' keys are drawn at first use.
    """
    keys = {user: nats_public_key(home, user) for user in rights()}
    head = (
        "# Users of Alphintra and their rights, from its manifest: include this in the configuration of nats-server.\n"
    )
    return head + render_nats_accounts(keys=keys, users=_bus_users())


def _bus_users() -> dict[str, BusUser]:
    return {name: BusUser(publish=held.publish, subscribe=held.subscribe) for name, held in rights().items()}


async def run_platform(
    settings: RuntimeSettings,
    *,
    environ: dict[str, str],
    on_ready: Callable[[PlatformState], None] | None = None,
) -> None:
    """Start everything and run until stopped by a signal.

    Args:
        settings: of this installation.
        environ: the caller's environment, of which only crash-test hooks reach the processes, and those only the
            first start of each (see `infrastructure.faults`).
        on_ready: called once when every process is ready.

    Raises:
        AlphintraError: HOME_*, CRASH_AT, PORT_IN_USE, ALREADY_RUNNING, TOPOLOGY_*, MIGRATION_* or START_*, after
            everything that had been started is stopped again.
    """
    require_startable(settings)
    home = Home.open(settings.home)
    layout = settled_layout(home, settings)

    def wanted() -> tuple[EmbeddedPostgres, ...]:
        """Return the servers of our own for where services are, and where they are being moved to or from."""
        return tuple(
            EmbeddedPostgres(
                home,
                settings.postgres_port if instance == MAIN_INSTANCE else 0,
                instance=instance,
                is_archived=_wants_backups(settings),
            )
            for instance in sorted({*instances_of(layout), *instances_in_moves(home)})
            if not settings.admin_url(instance)
        )

    embedded = wanted()
    nats = None if settings.nats_url else EmbeddedNats(home, settings.nats_port, users=_bus_users())
    servers: list[Unit] = [*embedded, *([] if nats is None else [nats])]
    crash = {CRASH_VARIABLE: environ[CRASH_VARIABLE]} if armed_points(environ.get(CRASH_VARIABLE, "")) else {}
    armed = {name: environ[name] for name in (CRASH_FILE_VARIABLE, CLOCK_FILE_VARIABLE) if environ.get(name)}
    keys = {name: environ[name] for name in STRATEGY_VARIABLES if environ.get(name)}
    detour = _detour(environ.get(DETOUR_VARIABLE, ""))

    async def prepare() -> Sequence[ProcessSpec]:
        order = _provision_order(settings, layout, embedded, settings.nats_url if nats is None else nats.url)
        return (
            _provision_spec(home, json.dumps(order | {"detour": detour})),
            *(
                _process_spec(home, plan, armed | (keys if "strategy" in plan.services else {}), crash)
                for plan in process_plans(settings.processes)
            ),
            replace(_keeper_spec(home, "audit", "alphintra.runtime.chain.keeper", env=armed), env_once=crash),
            *([_schedules_spec(home, settings, environ)] if _wants_schedules(settings) else []),
            *([_maintenance_spec(home, settings)] if settings.maintenance_windows else []),
        )

    bell = Bell(home, first_after_s=_INSPECT_FIRST_S, every_s=_INSPECT_EVERY_S)

    def more() -> Sequence[Unit]:
        """Return the servers wanted, and the inspector where somebody asks for it or its hour has come."""
        inspector = [ProcessUnit(_inspector_spec(home, settings, environ), home)] if bell.is_rung() else []
        return (*wanted(), *inspector)

    def check() -> None:
        require_free_port(settings.port, setting="port")

    supervisor = Supervisor(home, clock=SystemClock(), servers=servers)
    await supervisor.run(prepare, ports={"http": settings.port}, check=check, more=more, on_ready=on_ready)


def _provision_order(
    settings: RuntimeSettings, layout: Sequence[Placement], embedded: Sequence[EmbeddedPostgres], nats_url: str
) -> dict[str, object]:
    # Written without msgspec: the supervisor stays light, and the reader checks it.
    return {
        "instances": [_server(settings, instance, embedded) for instance in instances_of(layout)],
        "layout": [asdict(placement) for placement in layout],
        "nats_url": nats_url,
        "port": settings.port,
        "processes": settings.processes,
        "rate_limit": settings.rate_limit,
        "witness": settings.witness,
        "outgoing": {
            "smtp_url": settings.smtp_url,
            "smtp_from": settings.smtp_from,
            "webhook_networks": settings.webhook_networks,
        },
    }


def _detour(text: str) -> dict[str, int]:
    """Read `DETOUR_VARIABLE`; a port for each server that is reached by one. Raises DETOUR."""
    found = dict(item.partition("=")[::2] for item in text.split(",") if item)
    if not set(found) <= {"postgres", "nats"} or not all(port.isdecimal() for port in found.values()):
        detail = f"{DETOUR_VARIABLE} is {text!r}: write it as postgres=PORT,nats=PORT"
        raise AlphintraError("DETOUR", detail, pointer=DETOUR_VARIABLE)
    return {name: int(port) for name, port in found.items()}


def _server(settings: RuntimeSettings, instance: str, embedded: Sequence[EmbeddedPostgres]) -> dict[str, object]:
    url = settings.admin_url(instance)
    common: dict[str, object] = {"instance": instance, "hardening": settings.hardening}
    if url:
        host, port = _address(url)
        return common | {"admin_url": url, "host": host, "port": port, "exclusive": False}
    ours = next(each for each in embedded if each.instance == instance)
    return common | {"admin_url": ours.admin_dsn(), "host": LOOPBACK, "port": ours.port, "exclusive": True}


def _address(url: str) -> tuple[str, int]:
    """Return where services log in; the administrator may use the Unix socket of the same server."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = parts.hostname or query.get("host", LOOPBACK)
    port = parts.port or int(query.get("port", _DEFAULT_PORTS.get(parts.scheme, _POSTGRES_PORT)))
    return LOOPBACK if host.startswith("/") else host, port


def _provision_spec(home: Home, order: str) -> ProcessSpec:
    spec = ProcessSpec.python(
        "provision",
        "alphintra.runtime.provision",
        str(home.path),
        env={"ALPHINTRA_PROVISION": order},
        stage=_STAGE_PROVISION,
    )
    return replace(spec, ready=ReadyWhen.FINISHED, ready_timeout_s=120.0)


def _wants_backups(settings: RuntimeSettings) -> bool:
    return bool(settings.backup or settings.backup_schedules)


def _wants_schedules(settings: RuntimeSettings) -> bool:
    return _wants_backups(settings) or bool(settings.retention_schedules)


def _schedules_spec(home: Home, settings: RuntimeSettings, environ: dict[str, str]) -> ProcessSpec:
    tables = ("backup", "backup_schedules", "backup_external", "retention_schedules")
    said: dict[str, object] = {name: dict(getattr(settings, name)) for name in tables}
    keys = {name: environ[name] for name in BACKUP_VARIABLES if environ.get(name)}
    env = {"ALPHINTRA_SCHEDULES": json.dumps(said | {"retention": settings.retention}), **keys}
    return _keeper_spec(home, "schedules", "alphintra.runtime.schedules.keeper", env=env)


def _maintenance_spec(home: Home, settings: RuntimeSettings) -> ProcessSpec:
    env = {"ALPHINTRA_MAINTENANCE": json.dumps(dict(settings.maintenance_windows))}
    return _keeper_spec(home, "maintenance", "alphintra.runtime.maintenance.keeper", env=env)


def _keeper_spec(home: Home, name: str, module: str, *, env: dict[str, str]) -> ProcessSpec:
    spec = ProcessSpec.python(name, module, str(home.path), env=env, stage=_STAGE_SERVICES)
    return replace(spec, stop_timeout_s=20.0)


def _inspector_spec(home: Home, settings: RuntimeSettings, environ: dict[str, str]) -> ProcessSpec:
    tables = ("backup", "backup_schedules", "backup_external", "maintenance_windows")
    said: dict[str, object] = {name: dict(getattr(settings, name)) for name in tables}
    keys = {name: environ[name] for name in BACKUP_VARIABLES if environ.get(name)}  # to list what a bucket holds
    spec = ProcessSpec.python(
        "inspector",
        "alphintra.runtime.inspector.keeper",
        str(home.path),
        env={"ALPHINTRA_INSPECTOR": json.dumps(said | {"retention": settings.retention}), **keys},
        stage=_STAGE_SERVICES,
    )
    return replace(spec, restart=RestartPolicy(rests_when_done=True))


def _process_spec(home: Home, plan: ProcessPlan, armed: dict[str, str], crash: dict[str, str]) -> ProcessSpec:
    stage = _STAGE_EDGE if plan.has_edge and not plan.services else _STAGE_SERVICES
    path = str(credentials_path(home, plan.name))
    spec = ProcessSpec.python(plan.name, "alphintra.runtime.process", path, env=armed, stage=stage)
    return replace(spec, env_once=crash)
