"""The eight services and the edge as Deployments, each with its own account, Secret, pool and resources. Pure."""

from __future__ import annotations

from typing import Final

from alphintra.runtime.deploy.objects import (
    Manifest,
    container_security,
    disruption_budget,
    environment,
    labels,
    memory_folder,
    metadata,
    pod_security,
    resources,
    secret_volume,
    selector,
    service_account,
)
from alphintra.runtime.deploy.site import CA_FILE, DEPLOYMENTS, SECRETS_FOLDER, WORKER_POOL, ServiceSize, Site

__all__ = ["EDGE", "EDGE_SELECTOR", "PLATFORM_UID", "platform_container", "platform_pod", "service_manifests"]
__all__ += ["service_selector"]

EDGE: Final = "edge"
EDGE_SELECTOR: Final = selector(EDGE, EDGE)
PLATFORM_UID: Final = 10001
_HTTP_PORT: Final = 8400
_HEALTH_PORT: Final = 8401
_CATALOGUE: Final = "/var/lib/alphintra/catalogue"
_CATALOGUE_SIZE: Final = "10Gi"
_GRACE_S: Final = 30


def service_selector(service: str) -> dict[str, str]:
    """Return the labels that choose a service's pods."""
    return selector(DEPLOYMENTS[service], service)


def service_manifests(site: Site) -> list[Manifest]:
    """Return the services' objects in order of service, then the edge's."""
    found = [manifest for service in DEPLOYMENTS for manifest in _of_service(site, service)]
    return [*found, *_edge(site)]


def platform_container(site: Site, process: str, env: dict[str, str], size: Manifest) -> Manifest:
    """Return a container with one of the platform's own processes, without probes."""
    variables = {
        "ALPHINTRA_SECRETS": SECRETS_FOLDER,
        "NATS_URL": site.nats_url,
        "PYTHONDONTWRITEBYTECODE": "1",
        "SSL_CERT_FILE": CA_FILE,
        **env,
    }
    return {
        "name": process,
        "image": site.choice.image,
        "command": ["python", "-m", "alphintra.runtime.container", process],
        "env": environment(variables),
        "resources": size,
        "securityContext": container_security(),
        "volumeMounts": [
            {"name": "secrets", "mountPath": SECRETS_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
        ],
    }


def platform_pod(account: str, secret: str, containers: list[Manifest], volumes: list[Manifest]) -> Manifest:
    """Return a pod of the platform's own processes: no token, no root, no service variables, one Secret."""
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        # Kubernetes would add a variable for every Service: misleading, and ALPHINTRA_* are settings.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_S,
        "securityContext": pod_security(PLATFORM_UID),
        "containers": containers,
        "volumes": [secret_volume("secrets", secret), memory_folder("tmp", "64Mi"), *volumes],
    }


def _of_service(site: Site, service: str) -> list[Manifest]:
    name = DEPLOYMENTS[service]
    meta = metadata(site.choice.namespace, name, labels(name, service))
    size = site.sizes[service]
    containers = [_serving(site, service, size)]
    volumes: list[Manifest] = []
    extra: list[Manifest] = []
    if service == "strategy":
        containers.append(_worker(site))
        volumes.append({"name": "catalogue", "persistentVolumeClaim": {"claimName": "strategy-catalogue"}})
        extra.append(_catalogue(site, meta))
    return [
        service_account(meta),
        *extra,
        _deployment(meta, service_selector(service), size, platform_pod(name, name, containers, volumes)),
        disruption_budget(meta, service_selector(service), is_single=False),
    ]


def _deployment(meta: Manifest, chosen: dict[str, str], size: ServiceSize, pod: Manifest) -> Manifest:
    # The old pod goes first where two cannot hold one volume.
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    is_bound = any("persistentVolumeClaim" in volume for volume in pod["volumes"])
    if size.replicas > 1:
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": chosen},
            }
        ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": size.replicas,
            "selector": {"matchLabels": chosen},
            "strategy": {"type": "Recreate"} if is_bound else rolling,
            "template": {"metadata": {"labels": meta["labels"]}, "spec": pod},
        },
    }


def _serving(site: Site, service: str, size: ServiceSize) -> Manifest:
    env = {**_database(site, service), "ALPHINTRA_POOL": str(size.pool)}
    needed = resources(cpu=size.cpu, memory=size.memory)
    return _probed(site, service, env, needed)


def _worker(site: Site) -> Manifest:
    """Return strategy's heavy work, beside it because both hold the catalogue's volume."""
    env = {**_database(site, "strategy"), "ALPHINTRA_POOL": str(WORKER_POOL)}
    return _probed(site, "worker", env, resources(cpu="500m", memory="1Gi"))


def _database(site: Site, service: str) -> dict[str, str]:
    placement = site.placement_of(service)
    return {"DATABASE_URL": site.database_url(placement), "SCHEMA": placement.schema}


def _probed(site: Site, process: str, env: dict[str, str], needed: Manifest) -> Manifest:
    """Return a container that serves until it is stopped, with its health port and probes."""
    port = _HEALTH_PORT + (1 if process == "worker" else 0)  # the worker shares its pod's address
    env = {**env, "ALPHINTRA_HEALTH_PORT": str(port), "ALPHINTRA_LISTEN": "0.0.0.0"}  # noqa: S104 - a pod's own address
    has_catalogue = process in {"strategy", "worker"}
    if has_catalogue:
        env["ALPHINTRA_CATALOGUE"] = _CATALOGUE
    container = platform_container(site, process, env, needed)
    if has_catalogue:
        container["volumeMounts"].append({"name": "catalogue", "mountPath": _CATALOGUE})

    def asked(path: str) -> Manifest:
        return {"httpGet": {"path": path, "port": port}, "timeoutSeconds": 5}

    container["startupProbe"] = {**asked("/readyz"), "periodSeconds": 2, "failureThreshold": 60}
    container["readinessProbe"] = {**asked("/readyz"), "periodSeconds": 10, "failureThreshold": 3}
    container["livenessProbe"] = {**asked("/livez"), "periodSeconds": 10, "failureThreshold": 6}
    return container


def _catalogue(site: Site, meta: Manifest) -> Manifest:
    storage_class = site.choice.storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**meta, "name": "strategy-catalogue"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **({"storageClassName": storage_class} if storage_class else {}),
            "resources": {"requests": {"storage": _CATALOGUE_SIZE}},
        },
    }


def _edge(site: Site) -> list[Manifest]:
    namespace = site.choice.namespace
    meta = metadata(namespace, EDGE, labels(EDGE, EDGE))
    hosts = [EDGE, f"{EDGE}.{namespace}.svc.cluster.local", *([site.choice.host] if site.choice.host else [])]
    env = {"ALPHINTRA_HOSTS": ",".join(hosts), "ALPHINTRA_PORT": str(_HTTP_PORT)}
    container = _probed(site, EDGE, env, resources(cpu="250m", memory="256Mi"))
    container["ports"] = [{"name": "http", "containerPort": _HTTP_PORT, "protocol": "TCP"}]
    size = ServiceSize(replicas=1, pool=0, cpu="250m", memory="256Mi")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "type": "ClusterIP",
            "selector": EDGE_SELECTOR,
            "ports": [{"name": "http", "port": _HTTP_PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }
    return [
        service_account(meta),
        service,
        _deployment(meta, EDGE_SELECTOR, size, platform_pod(EDGE, EDGE, [container], [])),
        disruption_budget(meta, EDGE_SELECTOR, is_single=False),
        *([_ingress(site.choice.host, meta)] if site.choice.host else []),
    ]


def _ingress(host: str, meta: Manifest) -> Manifest:
    backend = {"service": {"name": EDGE, "port": {"name": "http"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta,
        "spec": {
            "tls": [{"hosts": [host], "secretName": "edge-tls"}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
    }
