"""What each process may know: written by provisioning, one private file per process, read by that process alone."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import msgspec

from alphintra.dataplane.layouts import Placement
from alphintra.infrastructure.gate import make_gate
from alphintra.infrastructure.host import ServiceCredentials
from alphintra.infrastructure.nats_link import NatsCredentials
from alphintra.infrastructure.parts import Parts
from alphintra.infrastructure.signing import SigningKey
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.bell import bell_path
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import ProcessPlan, credentials_path
from alphintra.runtime.nats_keys import nats_seed

__all__ = [
    "Address",
    "EdgeCredentials",
    "Outgoing",
    "ProcessCredentials",
    "Servers",
    "gate_path",
    "next_secret",
    "operator_token",
    "read_credentials",
    "role_password",
    "role_secret",
    "sealing_seeds",
    "service_credentials",
    "wrapping_keys",
    "write_credentials",
]

OPERATOR_TOKEN_PREFIX = "alp_op_"  # noqa: S105 - a prefix, not a token
_OPERATOR_TOKEN = "operator-token"  # noqa: S105 - the name of a file
_WRAPPING_KEYS = {"broker": "broker-connections.keys", "notification": "notification-channels.keys"}
_SEED_BYTES = 32
_NEXT = ".next"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where roles log in to one PostgreSQL instance."""

    host: str
    port: int


class Servers(msgspec.Struct, frozen=True, kw_only=True):
    """Where services reach PostgreSQL, by instance, and NATS; and where each of them lives."""

    instances: dict[str, Address]
    nats_url: str
    layout: tuple[Placement, ...]


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator lets notification reach: a mail server, and networks of their own for webhooks."""

    smtp_url: str = ""
    smtp_from: str = ""
    webhook_networks: str = ""


class EdgeCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge needs to start."""

    port: int
    nats: NatsCredentials
    operator_token_sha256: str
    host: str = "127.0.0.1"
    rate_limit: int = 200
    allowed_hosts: tuple[str, ...] = ()
    inspector_bell: str = ""


class ProcessCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """All one process needs: its services' credentials, the edge's where it serves HTTP, and nothing else."""

    name: str
    parts: Parts
    connections_max: int
    services: tuple[ServiceCredentials, ...]
    edge: EdgeCredentials | None = None


def role_password(home: Home) -> Callable[[str], str]:
    """Return the function that gives a database role's password, drawn at first use."""
    return lambda role: home.secret(role_secret(role))


def role_secret(role: str) -> str:
    """Return the name of the secret that is a database role's password."""
    return f"pg-{role}"


def next_secret(role: str) -> str:
    """Return the name of the secret that is about to become a role's password; there is one only meanwhile."""
    return f"pg-{role}{_NEXT}"


def operator_token(home: Home) -> str:
    """Return the token the command line shows to the edge, drawn at first use."""
    return OPERATOR_TOKEN_PREFIX + home.secret(_OPERATOR_TOKEN)


def write_credentials(
    home: Home, plan: ProcessPlan, servers: Servers, *, port: int, rate_limit: int, outgoing: Outgoing
) -> None:
    """Write a process's credentials, readable by our account alone, and make its services' gates if there are none."""
    for service in plan.services:
        make_gate(gate_path(home, service))
    edge = None
    if plan.has_edge:
        token_hash = sha256(operator_token(home).encode()).hexdigest()
        edge = EdgeCredentials(
            port=port,
            nats=_nats(home, "edge", servers),
            operator_token_sha256=token_hash,
            rate_limit=rate_limit,
            inspector_bell=str(bell_path(home)),
        )
    credentials = ProcessCredentials(
        name=plan.name,
        parts=plan.parts,
        connections_max=plan.connections_max,
        services=tuple(_service(home, service, servers, outgoing) for service in plan.services),
        edge=edge,
    )
    write_atomically(credentials_path(home, plan.name), msgspec.json.encode(credentials), durable=False)


def read_credentials(path: Path) -> ProcessCredentials:
    """Read a process's credentials. Raises CREDENTIALS_MISSING."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProcessCredentials)
    except (OSError, msgspec.DecodeError) as error:
        message = f"{path.name} cannot be read: start the platform with `alphintra up`"
        raise AlphintraError("CREDENTIALS_MISSING", message, kind=Kind.UNAVAILABLE) from error


def service_credentials(path: Path, service: str) -> ServiceCredentials:
    """Read one service's credentials of a process's file as it is now. Raises CREDENTIALS_MISSING."""
    for found in read_credentials(path).services:
        if found.service == service:
            return found
    message = f"{path.name} no longer holds {service}: start the platform anew"
    raise AlphintraError("CREDENTIALS_MISSING", message, kind=Kind.UNAVAILABLE)


def wrapping_keys(home: Home, service: str, *, with_new: bool = False) -> str:
    """Return the keys that wrap the data keys of a service's stored secrets, ``version:base64`` each, newest first.

    Broker keeps credentials of connections so, notification the secrets of channels.

    The first is drawn at first use; ``with_new`` draws another before those that are there, which stay for what they
    still wrap.
    """
    name = _WRAPPING_KEYS[service]
    kept = home.read_secret(name)
    if kept is not None and not with_new:
        return kept
    version = 1 if kept is None else int(kept.partition(":")[0]) + 1
    drawn = f"{version}:{base64.b64encode(os.urandom(_SEED_BYTES)).decode()}"
    keys = drawn if kept is None else f"{drawn},{kept}"
    home.write_secret(name, keys)
    return keys


def sealing_seeds(home: Home, service: str, *, with_new: bool = False) -> tuple[str, ...]:
    """Return the seeds of the Ed25519 keys that seal a service's archives, base64, newest first.

    The first is drawn at first use and signs; ``with_new`` draws another before it. Those before stay: what they sealed
    is to be proven for as long as it is kept.
    """
    name = f"sealer-{service}.seeds"
    kept = home.read_secret(name)
    if kept is not None and not with_new:
        return tuple(kept.split(","))
    drawn = base64.b64encode(os.urandom(_SEED_BYTES)).decode()
    seeds = drawn if kept is None else f"{drawn},{kept}"
    home.write_secret(name, seeds)
    return tuple(seeds.split(","))


def gate_path(home: Home, service: str) -> Path:
    """Return where the gate before a service's database is."""
    return home.run / "gates" / service


def _service(home: Home, service: str, servers: Servers, outgoing: Outgoing) -> ServiceCredentials:
    placement = next(item for item in servers.layout if item.service == service)
    coming = home.read_secret(next_secret(placement.service_role))
    secrets: dict[str, str] = {}
    options: dict[str, str] = {}
    match service:
        case "auth":
            secrets["jwt_seed"] = _seed(home, "auth-jwt.seed")
        case "risk":
            secrets["approval_seed"] = _seed(home, "risk-approval.seed")
        case "broker":
            secrets["approval_verify_key"] = SigningKey(_seed(home, "risk-approval.seed")).public_text
            secrets["connection_keys"] = wrapping_keys(home, service)
        case "notification":
            secrets["channel_keys"] = wrapping_keys(home, service)
            secrets["smtp_url"] = outgoing.smtp_url
            options["smtp_from"] = outgoing.smtp_from
            options["webhook_networks"] = outgoing.webhook_networks
        case "strategy":
            options["catalogue"] = str(home.catalogue)
        case _:
            pass  # the others need no further secret
    return ServiceCredentials(
        service=service,
        database_url=_database_url(role_password(home)(placement.service_role), placement, servers),
        next_database_url="" if coming is None else _database_url(coming, placement, servers),
        nats=_nats(home, service, servers),
        secrets=secrets,
        options=options,
        gate=str(gate_path(home, service)),
    )


def _database_url(password: str, placement: Placement, servers: Servers) -> str:
    role = placement.service_role
    address = servers.instances[placement.instance]
    url = f"postgresql://{role}:{quote(password, safe='')}@{address.host}:{address.port}/{placement.database}"
    if all(item.service_role != role for item in servers.layout if item.service != placement.service):
        return url
    # A role that several services share has no search path of its own: each service's address says where it looks.
    return f"{url}?search_path={quote(', '.join(placement.search_path), safe='')}"


def _nats(home: Home, user: str, servers: Servers) -> NatsCredentials:
    return NatsCredentials(url=servers.nats_url, user=user, seed=nats_seed(home, user))


def _seed(home: Home, name: str) -> str:
    seed = home.read_secret(name)
    if seed is None:
        seed = base64.b64encode(os.urandom(_SEED_BYTES)).decode()
        home.write_secret(name, seed)
    return seed
