"""What is deployed where: an operator's choice, checked, with every name that the manifests use. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from alphintra import __version__
from alphintra.dataplane.declaration import declare
from alphintra.dataplane.hardening import Hardening
from alphintra.dataplane.layouts import (
    MAIN_INSTANCE,
    LayoutChoice,
    Placement,
    choose_layout,
    instances_of,
    login_roles,
    placements_of,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES

__all__ = [
    "CA_FILE",
    "DEFAULT_IMAGE",
    "DEFAULT_NATS_IMAGE",
    "DEPLOYMENTS",
    "SECRETS_FOLDER",
    "WORKER_POOL",
    "DeployChoice",
    "Instance",
    "ServiceSize",
    "Site",
    "Target",
    "plan_site",
]

SECRETS_FOLDER: Final = "/etc/alphintra/secrets"
DEFAULT_IMAGE: Final = f"alphintra:{__version__}"
DEFAULT_NATS_IMAGE: Final = "nats:2.12"
CA_FILE: Final = f"{SECRETS_FOLDER}/ca.crt"

DEPLOYMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {service: f"{'no-code' if service == 'nocode' else service}-service" for service in SERVICES}
)
"""Names of the services' Deployments and Secrets; no database name follows from them, so ``nocode`` may differ."""

_RESERVED_CONNECTIONS: Final = 10  # the superuser's, replication's and a person's who looks
_POOL: Final = 8
WORKER_POOL: Final = 2
_REPLICAS_MAX: Final = 8
_STANDBYS_MAX: Final = 8
_SINGLE: Final = frozenset({"strategy"})
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+")
_IMAGE: Final = re.compile(r"[a-z0-9][a-zA-Z0-9._/:-]{0,200}(@sha256:[0-9a-f]{64})?")
_QUANTITY: Final = re.compile(r"[1-9][0-9]{0,5}(Mi|Gi|Ti)")
_INSTANCE_LENGTH_MAX: Final = 30
_MAJORS: Final = (15, 16, 17, 18)


class Target(StrEnum):
    """What runs PostgreSQL: a StatefulSet of ours, or an operator."""

    STATEFULSET = "statefulset"
    CLOUDNATIVEPG = "cloudnativepg"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSize:
    """How much one service gets.

    Attributes:
        replicas: pods.
        pool: database connections of each of its pods.
        cpu: requested; no limit, so that an idle machine may be used.
        memory: requested and limited to.
    """

    replicas: int
    pool: int
    cpu: str
    memory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployChoice:
    """What an operator chooses about a deployment.

    Attributes:
        layout: where each service lives.
        target: what runs PostgreSQL.
        namespace: Kubernetes namespace.
        image: of the platform's own processes.
        postgres_image: of PostgreSQL; empty for the official one of ``postgres_major``.
        postgres_major: its major version, since settings differ; 15 to 18.
        nats_image: of the NATS server.
        storage: of each PostgreSQL instance.
        storage_class: of every volume; empty for the cluster's default.
        replicas: pods of a service, by service.
        pools: database connections of each pod, by service.
        host: name people reach the edge at; empty for no Ingress.
        standbys: of each PostgreSQL instance, where an operator runs it.
        hardening: how far PostgreSQL's own catalogue is closed to the services' roles.
    """

    layout: LayoutChoice = field(default_factory=LayoutChoice)
    target: Target = Target.STATEFULSET
    namespace: str = "alphintra"
    image: str = DEFAULT_IMAGE
    postgres_image: str = ""
    postgres_major: int = 18
    nats_image: str = DEFAULT_NATS_IMAGE
    storage: str = "20Gi"
    storage_class: str = ""
    replicas: Mapping[str, int] = field(default_factory=dict)
    pools: Mapping[str, int] = field(default_factory=dict)
    host: str = ""
    standbys: int = 2
    hardening: Hardening = Hardening.STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One PostgreSQL instance.

    Attributes:
        name: in the layout.
        namespace: it runs in.
        placements: the services on it.
        connections_max: sum of what its roles may open, and some for the administrator.
        memory_mib: requested and limited to; a quarter of it is PostgreSQL's shared memory.
        target: what runs it.
    """

    name: str
    namespace: str
    placements: tuple[Placement, ...]
    connections_max: int
    memory_mib: int
    target: Target = Target.STATEFULSET

    @property
    def workload(self) -> str:
        """Name of its StatefulSet (or Cluster), ConfigMap and headless Service; ``postgresql`` for the one of all."""
        return "postgresql" if self.name == MAIN_INSTANCE else f"postgresql-{self.name.replace('_', '-')}"

    @property
    def service(self) -> str:
        """Name of the Service its clients use: the seed's ``postgresql-primary`` for the one instance of all."""
        return f"{self.workload}-rw" if self.target is Target.CLOUDNATIVEPG else f"{self.workload}-primary"

    @property
    def host(self) -> str:
        """Full name of that Service."""
        return f"{self.service}.{self.namespace}.svc.cluster.local"

    @property
    def services(self) -> tuple[str, ...]:
        """The services on it, in order."""
        return tuple(placement.service for placement in self.placements)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that log in to it, in order."""
        return tuple(sorted(login_roles(self.placements)))

    @property
    def databases(self) -> tuple[str, ...]:
        """Its databases, in order."""
        return tuple(sorted({placement.database for placement in self.placements}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A checked choice."""

    choice: DeployChoice
    layout: tuple[Placement, ...]
    instances: tuple[Instance, ...]
    sizes: Mapping[str, ServiceSize]

    @property
    def postgres_image(self) -> str:
        """Image of PostgreSQL."""
        return self.choice.postgres_image or f"postgres:{self.choice.postgres_major}"

    @property
    def nats_url(self) -> str:
        """Where the bus is."""
        return f"tls://nats.{self.choice.namespace}.svc.cluster.local:4222"

    def instance_of(self, placement: Placement) -> Instance:
        """Return the instance a service's database lies on."""
        return next(instance for instance in self.instances if instance.name == placement.instance)

    def placement_of(self, service: str) -> Placement:
        """Return where a service lives."""
        return next(placement for placement in self.layout if placement.service == service)

    def is_role_shared(self, placement: Placement) -> bool:
        """Tell whether another service logs in as the same role."""
        others = (item for item in self.layout if item.service != placement.service)
        return any(item.service_role == placement.service_role for item in others)

    def database_url(self, placement: Placement) -> str:
        """Return a service's ``DATABASE_URL``, which holds no password: that is a mounted file."""
        where = f"{self.instance_of(placement).host}:5432/{placement.database}"
        query = f"sslmode=verify-full&sslrootcert={CA_FILE}"
        if self.is_role_shared(placement):
            query += f"&search_path={quote(', '.join(placement.search_path), safe='')}"
        return f"postgresql://{placement.service_role}@{where}?{query}"


# A process at rest holds some 55 MiB; trading and risk are on the order path, strategy replays prices.
_CPU: Final[Mapping[str, str]] = MappingProxyType({"trading": "250m", "risk": "250m", "strategy": "250m"})
_MEMORY: Final[Mapping[str, str]] = MappingProxyType({"strategy": "384Mi"})


def plan_site(choice: DeployChoice) -> Site:
    """Return what is deployed where.

    Raises what `choose_layout` raises; DEPLOY_NAME, DEPLOY_IMAGE, DEPLOY_SIZE for what Kubernetes or PostgreSQL would
    refuse, and DEPLOY_POOL for pods that could open more connections than their service's role may.
    """
    layout = choose_layout(choice.layout)
    _require_sound(choice)
    instances = tuple(_instance(name, layout, choice) for name in instances_of(layout))
    names = [name for instance in instances for name in {instance.workload, instance.service}]
    if len(set(names)) < len(names):
        message = f"two instances would share a name in Kubernetes ({', '.join(sorted(names))}): rename one"
        raise AlphintraError("DEPLOY_NAME", message, pointer="name.instances")
    sizes = {service: _size(service, choice) for service in SERVICES}
    return Site(choice=choice, layout=layout, instances=instances, sizes=sizes)


def _instance(name: str, layout: tuple[Placement, ...], choice: DeployChoice) -> Instance:
    if len(name) > _INSTANCE_LENGTH_MAX:
        message = f"the instance name {name!r} is too long for a StatefulSet: use at most {_INSTANCE_LENGTH_MAX}"
        raise AlphintraError("DEPLOY_NAME", message, pointer="name.instances")
    placements = placements_of(layout, name)
    limits = (role.connection_limit for role in declare(placements).roles.values())
    connections = sum(limit for limit in limits if limit > 0) + _RESERVED_CONNECTIONS
    return Instance(
        name=name,
        namespace=choice.namespace,
        placements=placements,
        connections_max=connections,
        memory_mib=512 + 192 * len(placements),
        target=choice.target,
    )


def _size(service: str, choice: DeployChoice) -> ServiceSize:
    replicas = choice.replicas.get(service, 1)
    if not 1 <= replicas <= (1 if service in _SINGLE else _REPLICAS_MAX):
        most = "1: its price catalogue lies on a volume of one node" if service in _SINGLE else str(_REPLICAS_MAX)
        message = f"{replicas} replicas of {service}: choose 1 to {most}"
        raise AlphintraError("DEPLOY_SIZE", message, pointer=f"replicas.{service}")
    allowed = SERVICES[service].connections_max - (WORKER_POOL if service == "strategy" else 0)
    # A rollout runs one pod more than replicas for a while.
    pods = replicas if service in _SINGLE else replicas + 1
    pool = choice.pools.get(service, min(_POOL, allowed // pods))
    if pool < 1 or pool * pods > allowed:
        message = (
            f"{pods} pods of {service} (one more during a rollout) with {pool} connections each exceed the "
            f"{allowed} its role may open: choose a smaller pool or fewer replicas"
        )
        raise AlphintraError("DEPLOY_POOL", message, pointer=f"pool.{service}")
    return ServiceSize(
        replicas=replicas, pool=pool, cpu=_CPU.get(service, "100m"), memory=_MEMORY.get(service, "256Mi")
    )


def _require_sound(choice: DeployChoice) -> None:
    _require_names(choice)
    for what in ("image", "postgres_image", "nats_image"):
        image = getattr(choice, what)
        if not _IMAGE.fullmatch(image or "postgres") or image.endswith(":latest"):
            message = f"{image!r} is no image reference with a version, such as postgres:18 or name@sha256:digest"
            raise AlphintraError("DEPLOY_IMAGE", message, pointer=what)
    if choice.postgres_major not in _MAJORS:
        message = f"PostgreSQL {choice.postgres_major} is not supported: choose {_MAJORS[0]} to {_MAJORS[-1]}"
        raise AlphintraError("DEPLOY_IMAGE", message, pointer="postgres_version")
    if not 0 <= choice.standbys <= _STANDBYS_MAX:
        message = f"{choice.standbys} standbys: choose 0 to {_STANDBYS_MAX}"
        raise AlphintraError("DEPLOY_SIZE", message, pointer="standbys")
    if not _QUANTITY.fullmatch(choice.storage):
        message = f"the storage {choice.storage!r} is no size such as 20Gi"
        raise AlphintraError("DEPLOY_SIZE", message, pointer="storage")


def _require_names(choice: DeployChoice) -> None:
    if not _NAMESPACE.fullmatch(choice.namespace):
        message = f"the namespace {choice.namespace!r} is none: use lower-case letters, digits and dashes, at most 63"
        raise AlphintraError("DEPLOY_NAME", message, pointer="namespace")
    if choice.host and not _HOST.fullmatch(choice.host):
        message = f"the host {choice.host!r} is no name such as alphintra.example.com"
        raise AlphintraError("DEPLOY_NAME", message, pointer="host")
    if choice.storage_class and not _NAMESPACE.fullmatch(choice.storage_class):
        message = f"the storage class {choice.storage_class!r} is no name"
        raise AlphintraError("DEPLOY_NAME", message, pointer="storage_class")
    for what, chosen in (("replicas", choice.replicas), ("pool", choice.pools)):
        for service in chosen.keys() - SERVICES.keys():
            message = f"there is no service {service!r}: known are {', '.join(SERVICES)}"
            raise AlphintraError("DEPLOY_NAME", message, pointer=f"{what}.{service}")
