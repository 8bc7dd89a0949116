"""The message bus as a StatefulSet: JetStream, TLS, every user by public key with the rights of the manifest. Pure."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.bus_permissions import BUS_USERS, rights
from alphintra.manifest import INSPECTOR, SCHEDULER
from alphintra.runtime.deploy.objects import (
    CONFIG_HASH,
    Manifest,
    config_map,
    container_security,
    digest_of,
    disruption_budget,
    labels,
    metadata,
    pod_security,
    resources,
    secret_volume,
    selector,
    service_account,
    template_labels,
)
from alphintra.runtime.deploy.site import Site
from alphintra.runtime.embedded_nats import BusUser, render_nats_accounts

__all__ = ["BUS_SELECTOR", "BUS_USER_KEYS", "bus_configuration", "bus_manifests"]

BUS_SELECTOR: Final = selector("nats", "bus")
BUS_USER_KEYS: Final = {
    user: f"NKEY_{user.upper()}" for user in sorted(BUS_USERS) if user not in {INSPECTOR, SCHEDULER}
}
"""Variable, and key of the Secret ``nats-users``, with each user's public key; who works on a home is not here."""

CONFIG_FOLDER: Final = "/etc/alphintra/nats"
TLS_FOLDER: Final = "/etc/alphintra/tls"
DATA_FOLDER: Final = "/data"
_UID: Final = 1000
_PORT: Final = 4222
_MONITOR_PORT: Final = 8222
_STORAGE: Final = "5Gi"

_CONFIG: Final = """\
listen: "0.0.0.0:4222"
http: "0.0.0.0:8222"
server_name: "nats-0"
max_payload: 1MB
max_connections: 256
logtime_utc: true
jetstream {{
  store_dir: "{data}"
  sync_interval: always
  max_memory_store: 16MB
  max_file_store: 4GB
}}
tls {{
  cert_file: "{tls}/tls.crt"
  key_file: "{tls}/tls.key"
  min_version: "1.3"
}}
{accounts}"""


def bus_configuration() -> str:
    """Return ``nats.conf``; the users' public keys come from the server's environment."""
    users = {
        name: BusUser(publish=each.publish, subscribe=each.subscribe)
        for name, each in rights().items()
        if name in BUS_USER_KEYS
    }
    keys = {user: f"${variable}" for user, variable in BUS_USER_KEYS.items()}
    return _CONFIG.format(data=DATA_FOLDER, tls=TLS_FOLDER, accounts=render_nats_accounts(keys=keys, users=users))


def bus_manifests(site: Site) -> list[Manifest]:
    """Return the bus's objects."""
    meta = metadata(site.choice.namespace, "nats", labels("nats", "bus"))
    config = bus_configuration()
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "selector": BUS_SELECTOR,
            "ports": [{"name": "nats", "port": _PORT, "targetPort": "nats", "protocol": "TCP"}],
        },
    }
    return [
        service_account(meta),
        config_map(meta, {"nats.conf": config}),
        service,
        _stateful_set(site, meta, config_hash=digest_of((config,))),
        disruption_budget(meta, BUS_SELECTOR, is_single=True),
    ]


def _stateful_set(site: Site, meta: Manifest, *, config_hash: str) -> Manifest:
    storage_class = site.choice.storage_class
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "serviceName": "nats",
            "selector": {"matchLabels": BUS_SELECTOR},
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": {
                "metadata": {"labels": template_labels(BUS_SELECTOR), "annotations": {CONFIG_HASH: config_hash}},
                "spec": _pod(site),
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data", "labels": BUS_SELECTOR},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        **({"storageClassName": storage_class} if storage_class else {}),
                        "resources": {"requests": {"storage": _STORAGE}},
                    },
                }
            ],
        },
    }


def _pod(site: Site) -> Manifest:
    keys = [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": "nats-users", "key": variable}}}
        for variable in BUS_USER_KEYS.values()
    ]
    return {
        "serviceAccountName": "nats",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": pod_security(_UID),
        "containers": [
            {
                "name": "nats",
                "image": site.choice.nats_image,
                "args": ["--config", f"{CONFIG_FOLDER}/nats.conf"],
                "env": [*keys, {"name": "GOMEMLIMIT", "value": "200MiB"}],
                "ports": [{"name": "nats", "containerPort": _PORT, "protocol": "TCP"}],
                **_probes(),
                "resources": resources(cpu="250m", memory="256Mi"),
                "securityContext": container_security(),
                "volumeMounts": [
                    {"name": "data", "mountPath": DATA_FOLDER},
                    {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
                    {"name": "tls", "mountPath": TLS_FOLDER, "readOnly": True},
                ],
            }
        ],
        "volumes": [{"name": "config", "configMap": {"name": "nats"}}, secret_volume("tls", "nats-tls")],
    }


def _probes() -> Manifest:
    """Ask the monitoring port, which the network policy keeps from every pod; the node's own probes pass."""

    def asked(path: str) -> Manifest:
        return {"httpGet": {"path": path, "port": _MONITOR_PORT}, "periodSeconds": 10, "timeoutSeconds": 5}

    return {
        "startupProbe": {**asked("/healthz?js-enabled-only=true"), "failureThreshold": 60},
        "readinessProbe": {**asked("/healthz?js-enabled-only=true"), "failureThreshold": 3},
        "livenessProbe": {**asked("/healthz?js-server-only=true"), "failureThreshold": 6},
    }
