"""One process of the platform in a container: ``python -m alphintra.runtime.container PROCESS``.

What the supervisor writes into a credentials file at home comes from the container's environment and from mounted
files here. ``PROCESS`` is a process of the per-service layout (``trading``, ``worker``, ``edge``, ...), or one that
ends: ``provision`` makes one PostgreSQL instance ready, ``streams`` the message bus. `runtime.deploy` renders both
sides of this contract: the variables and, as names alone, the files.

Variables:
    DATABASE_URL: the service's database; without a password it is read from the file ``database-password``.
    SCHEMA: schema of the service, put on the search path where the URL sets none.
    NATS_URL: the bus; ``tls://`` verifies it against the authorities in SSL_CERT_FILE.
    ALPHINTRA_SECRETS: folder of the mounted secret files, one value each.
    ALPHINTRA_POOL: database connections of each service in this process.
    ALPHINTRA_LISTEN: address the edge and the health port listen on; loopback unless it is set.
    ALPHINTRA_HEALTH_PORT: port of ``/livez`` and ``/readyz``; none is opened unless it is set.
    ALPHINTRA_PORT, ALPHINTRA_HOSTS: HTTP port of the edge, and further names (by comma) it answers to.
    ALPHINTRA_CATALOGUE: folder of imported prices (strategy and its worker).
    ALPHINTRA_SMTP_FROM, ALPHINTRA_WEBHOOK_NETWORKS: as the settings of those names (notification); the mail server with
        its password is the optional secret file ``smtp-url``.
    ALPHINTRA_PLACEMENTS, ALPHINTRA_INSTANCE: file with the layout, and the instance ``provision`` makes ready.
    ALPHINTRA_HARDENING: how far ``provision`` closes PostgreSQL's own catalogue; strict unless it is set.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, quote, urlsplit, urlunsplit

import msgspec
import uvloop

from alphintra.dataplane.hardening import Hardening
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server
from alphintra.dataplane.streams import BusLogin, ensure_streams
from alphintra.infrastructure.host import ServiceCredentials
from alphintra.infrastructure.nats_link import NatsCredentials
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime import process
from alphintra.runtime.credentials import EdgeCredentials, ProcessCredentials
from alphintra.runtime.health_port import HealthPort
from alphintra.runtime.layout import ProcessPlan, process_plans
from alphintra.runtime.ports import LOOPBACK
from alphintra.runtime.settings import ProcessLayout

__all__ = ["DATABASE_PASSWORD", "FURTHER_SECRETS", "NATS_SEED", "OPERATOR_TOKEN_HASH", "container_credentials", "main"]

DATABASE_PASSWORD: Final = "database-password"  # noqa: S105 - the name of a file
NATS_SEED: Final = "nats-seed"
SMTP_URL: Final = "smtp-url"
OPERATOR_TOKEN_HASH: Final = "operator-token-sha256"  # noqa: S105 - the name of a file
FURTHER_SECRETS: Final[Mapping[str, tuple[str, ...]]] = {
    "auth": ("jwt-seed",),
    "risk": ("approval-seed",),
    "broker": ("approval-verify-key", "connection-keys"),
    "notification": ("channel-keys",),
}
"""The further secrets of a service, by the names of their files; it knows each under that name with ``_``."""

_SECRETS: Final = "/etc/alphintra/secrets"
_BYTES_MAX: Final = 65_536
_PORT_MAX: Final = 65_535
_POSTGRES_PORT: Final = 5432
_EXIT_FAILED: Final = 1
_EXIT_USAGE: Final = 2


class _Environment:
    """The variables of the container and the files they point to; what is missing is told by its name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._folder = Path(environ.get("ALPHINTRA_SECRETS") or _SECRETS)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environ.get(name) or default
        if value is None:
            detail = f"{name} is not set: start the container as `alphintra deploy render` writes it"
            raise AlphintraError("CONTAINER_SETTING", detail, pointer=name)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        text = self.text(name, None if default is None else str(default))
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= _PORT_MAX):
            detail = f"{name} is {text[:40]!r}: write a whole number from 1 to {_PORT_MAX}"
            raise AlphintraError("CONTAINER_SETTING", detail, pointer=name)
        return int(text)

    def has_secret(self, name: str) -> bool:
        return (self._folder / name).is_file()

    def secret(self, name: str) -> str:
        path = self._folder / name
        try:
            value = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            detail = f"the secret {path} cannot be read: mount it there (`alphintra deploy secrets` makes it)"
            raise AlphintraError("CREDENTIALS_MISSING", detail, kind=Kind.UNAVAILABLE) from error
        if not value:
            raise AlphintraError("CREDENTIALS_MISSING", f"the secret {path} is empty", kind=Kind.UNAVAILABLE)
        return value


def container_credentials(name: str, environ: Mapping[str, str]) -> ProcessCredentials:
    """Return what one process may know, from its variables and its mounted files.

    Raises PROCESS_UNKNOWN, CONTAINER_SETTING, CREDENTIALS_MISSING.
    """
    around = _Environment(environ)
    plan = _plan_of(name)
    pool = around.number("ALPHINTRA_POOL", plan.connections_max)
    edge = None
    if plan.has_edge:
        hosts = around.text("ALPHINTRA_HOSTS", "")
        edge = EdgeCredentials(
            host=around.text("ALPHINTRA_LISTEN", LOOPBACK),
            port=around.number("ALPHINTRA_PORT", 8400),
            nats=_nats(around, "edge"),
            operator_token_sha256=around.secret(OPERATOR_TOKEN_HASH),
            rate_limit=around.number("ALPHINTRA_RATE_LIMIT", 200),
            allowed_hosts=tuple(host for host in hosts.split(",") if host),
        )
    return ProcessCredentials(
        name=plan.name,
        parts=plan.parts,
        connections_max=pool,
        services=tuple(_service(around, service, plan) for service in plan.services),
        edge=edge,
    )


def _plan_of(name: str) -> ProcessPlan:
    plans = {plan.name: plan for plan in process_plans(ProcessLayout.PER_SERVICE)}
    if name not in plans:
        known = ", ".join([*plans, "provision", "streams"])
        raise AlphintraError("PROCESS_UNKNOWN", f"there is no process {name!r}: known are {known}")
    return plans[name]


def _service(around: _Environment, service: str, plan: ProcessPlan) -> ServiceCredentials:
    secrets: dict[str, str] = {}
    options: dict[str, str] = {}
    for name in FURTHER_SECRETS.get(service, ()):
        secrets[name.replace("-", "_")] = around.secret(name)
    if service == "strategy":
        options["catalogue"] = around.text("ALPHINTRA_CATALOGUE")
    if service == "notification":
        secrets["smtp_url"] = around.secret(SMTP_URL) if around.has_secret(SMTP_URL) else ""
        options["smtp_from"] = around.text("ALPHINTRA_SMTP_FROM", "")
        options["webhook_networks"] = around.text("ALPHINTRA_WEBHOOK_NETWORKS", "")
    return ServiceCredentials(
        service=plan.services[0],
        database_url=_database_url(around),
        nats=_nats(around, service),
        secrets=secrets,
        options=options,
    )


def _nats(around: _Environment, user: str) -> NatsCredentials:
    return NatsCredentials(url=around.text("NATS_URL"), user=user, seed=around.secret(NATS_SEED))


def _database_url(around: _Environment) -> str:
    parts = _url_parts(around)
    if not parts.password:
        password = quote(around.secret(DATABASE_PASSWORD), safe="")
        user, _, where = parts.netloc.rpartition("@")
        parts = parts._replace(netloc=f"{user.partition(':')[0]}:{password}@{where}")
    schema = around.text("SCHEMA", "")
    if schema and "search_path" not in parse_qs(parts.query):
        path = f"search_path={quote(f'{schema}, pg_temp', safe='')}"
        parts = parts._replace(query=f"{parts.query}&{path}" if parts.query else path)
    return urlunsplit(parts)


def _url_parts(around: _Environment) -> SplitResult:
    text = around.text("DATABASE_URL")
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in {"postgresql", "postgres"} and parts.username and parts.hostname and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound:  # it may hold a password: it is not shown
        detail = "DATABASE_URL is not of the form postgresql://role@host:port/database: correct it"
        raise AlphintraError("CONTAINER_SETTING", detail, pointer="DATABASE_URL")
    return parts


async def _serve(credentials: ProcessCredentials, around: _Environment) -> None:
    """Run the process with its health port, which says when it is ready."""
    port = around.text("ALPHINTRA_HEALTH_PORT", "")
    if not port:
        await process.run(credentials)
        return
    host = around.text("ALPHINTRA_LISTEN", LOOPBACK)
    async with HealthPort(host, around.number("ALPHINTRA_HEALTH_PORT")):
        await process.run(credentials)


async def _provision(around: _Environment) -> None:
    """Make one instance ready: roles, databases, migrations, grants; nothing to do where it is."""
    instance = around.text("ALPHINTRA_INSTANCE")
    layout = _layout(around)
    parts = _url_parts(around)
    level = around.text("ALPHINTRA_HARDENING", Hardening.STRICT.value)
    if level not in set(Hardening):
        detail = f"ALPHINTRA_HARDENING is {level[:40]!r}: choose {' or '.join(each.value for each in Hardening)}"
        raise AlphintraError("CONTAINER_SETTING", detail, pointer="ALPHINTRA_HARDENING")
    server = Server(
        admin_url=around.text("DATABASE_URL"),
        host=parts.hostname or "",
        port=parts.port or _POSTGRES_PORT,
        instance=instance,
        hardening=Hardening(level),
    )
    done = await provision(server, layout=layout, passwords=around.secret)
    applied = sum(map(len, done.migrations.values()))
    get_logger().info("provision.done", instance=instance, changes=len(done.actions), migrations=applied)


def _layout(around: _Environment) -> tuple[Placement, ...]:
    path = Path(around.text("ALPHINTRA_PLACEMENTS"))
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_BYTES_MAX), type=tuple[Placement, ...])
    except (OSError, msgspec.DecodeError) as error:
        detail = f"the layout in {path} cannot be read ({error}): mount it as `alphintra deploy render` writes it"
        raise AlphintraError("CONTAINER_SETTING", detail, pointer="ALPHINTRA_PLACEMENTS") from error


async def _ensure_streams(around: _Environment) -> None:
    """Make the event streams and their consumers; nothing to do where they are."""
    login = BusLogin(url=around.text("NATS_URL"), user="deployer", seed=around.secret(NATS_SEED))
    get_logger().info("streams.done", changed=list(await ensure_streams(login)))


def main() -> int:
    """Run the process named on the command line; one line on standard error and status 1 if it cannot."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and one word
        sys.stderr.write("usage: python -m alphintra.runtime.container PROCESS\n")
        return _EXIT_USAGE
    name = sys.argv[1]
    around = _Environment(os.environ)
    configure_logs(name)
    try:
        match name:
            case "provision":
                asyncio.run(_provision(around))
            case "streams":
                asyncio.run(_ensure_streams(around))
            case _:
                uvloop.run(_serve(container_credentials(name, os.environ), around))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return _EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
