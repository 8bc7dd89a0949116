"""PostgreSQL as StatefulSets: the seed's ``postgresql-statefulset.yaml``, one instance or several. Pure."""

from __future__ import annotations

from typing import Final

from alphintra.runtime.deploy import postgresql_files
from alphintra.runtime.deploy.cloudnativepg import CLUSTER_LABEL
from alphintra.runtime.deploy.objects import (
    CONFIG_HASH,
    INSTANCE_LABEL,
    Manifest,
    config_map,
    container_security,
    digest_of,
    disruption_budget,
    labels,
    memory_folder,
    metadata,
    pod_security,
    resources,
    secret_volume,
    selector,
    service_account,
    template_labels,
)
from alphintra.runtime.deploy.site import Instance, Site, Target

__all__ = ["postgresql_manifests", "postgresql_selector"]

_UID: Final = 999  # postgres in the official image
_PORT: Final = 5432
_GRACE_S: Final = 120
_SHARED_MEMORY: Final = "256Mi"
_CONNECTIONS_LOG_PROBE_S: Final = 10


def postgresql_manifests(site: Site) -> list[Manifest]:
    """Return every instance's objects, in order of instance."""
    return [manifest for instance in site.instances for manifest in _of_instance(site, instance)]


def postgresql_selector(instance: Instance) -> dict[str, str]:
    """Return the labels that choose an instance's pods."""
    if instance.target is Target.CLOUDNATIVEPG:
        return {CLUSTER_LABEL: instance.workload}
    return selector("postgresql", "database", {INSTANCE_LABEL: instance.name})


def _of_instance(site: Site, instance: Instance) -> list[Manifest]:
    marks = labels("postgresql", "database", {INSTANCE_LABEL: instance.name})
    meta = metadata(instance.namespace, instance.workload, marks)
    files = {
        "pg_hba.conf": postgresql_files.access_rules(),
        "pg_ident.conf": postgresql_files.user_map(),
        "postgresql.conf": postgresql_files.settings(
            connections_max=instance.connections_max,
            memory_mib=instance.memory_mib,
            major=site.choice.postgres_major,
        ),
    }
    return [
        service_account(meta),
        config_map(meta, files),
        _service(instance, meta, is_headless=True),
        _service(instance, {**meta, "name": instance.service}, is_headless=False),
        _stateful_set(site, instance, meta, config_hash=digest_of(tuple(files.values()))),
        disruption_budget(meta, postgresql_selector(instance), is_single=True),
    ]


def _service(instance: Instance, meta: Manifest, *, is_headless: bool) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "type": "ClusterIP",
            **({"clusterIP": "None"} if is_headless else {}),
            "selector": postgresql_selector(instance),
            "ports": [{"name": "postgresql", "port": _PORT, "targetPort": "postgresql", "protocol": "TCP"}],
        },
    }


def _stateful_set(site: Site, instance: Instance, meta: Manifest, *, config_hash: str) -> Manifest:
    chosen = postgresql_selector(instance)
    storage_class = site.choice.storage_class
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "serviceName": instance.workload,
            "selector": {"matchLabels": chosen},
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": {
                "metadata": {"labels": template_labels(chosen), "annotations": {CONFIG_HASH: config_hash}},
                "spec": _pod(site, instance),
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data", "labels": chosen},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        **({"storageClassName": storage_class} if storage_class else {}),
                        "resources": {"requests": {"storage": site.choice.storage}},
                    },
                }
            ],
        },
    }


def _pod(site: Site, instance: Instance) -> Manifest:
    data = {"name": "data", "mountPath": postgresql_files.VOLUME}
    temporary = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - a volume of the pod's own
    needed = resources(cpu="500m", memory=f"{instance.memory_mib}Mi")
    return {
        "serviceAccountName": instance.workload,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # Sessions are ended and everything is written: a fast shutdown, and time for its checkpoint.
        "terminationGracePeriodSeconds": _GRACE_S,
        "securityContext": pod_security(_UID),
        "initContainers": [
            {
                "name": "initdb",
                "image": site.postgres_image,
                "command": ["sh", "-c", postgresql_files.init_script(site.choice.postgres_major)],
                "resources": needed,
                "securityContext": container_security(),
                "volumeMounts": [data, temporary],
            }
        ],
        "containers": [
            {
                "name": "postgresql",
                "image": site.postgres_image,
                "command": [
                    "postgres",
                    "-D",
                    postgresql_files.DATA_FOLDER,
                    "-c",
                    f"config_file={postgresql_files.CONFIG_FOLDER}/postgresql.conf",
                ],
                "ports": [{"name": "postgresql", "containerPort": _PORT, "protocol": "TCP"}],
                **_probes(),
                "lifecycle": {"preStop": {"exec": {"command": _stop_command()}}},
                "resources": needed,
                "securityContext": container_security(),
                "volumeMounts": [
                    data,
                    temporary,
                    {"name": "config", "mountPath": postgresql_files.CONFIG_FOLDER, "readOnly": True},
                    {"name": "tls", "mountPath": postgresql_files.TLS_FOLDER, "readOnly": True},
                    {"name": "socket", "mountPath": postgresql_files.SOCKET_FOLDER},
                    {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108 - a volume of the pod's own
                ],
            }
        ],
        "volumes": [
            {"name": "config", "configMap": {"name": instance.workload}},
            secret_volume("tls", f"{instance.workload}-tls"),
            memory_folder("socket", "1Mi"),
            # A container has 64 MiB of it by itself, which a parallel query can exceed.
            memory_folder("shared-memory", _SHARED_MEMORY),
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


def _stop_command() -> list[str]:
    """Ask for a fast shutdown and return: the signal Kubernetes sends next would wait for every session to end."""
    return ["pg_ctl", "stop", "-D", postgresql_files.DATA_FOLDER, "-m", "fast", "-W"]


def _probes() -> Manifest:
    """Probe over the socket. Alive is whoever answers, also that it recovers or shuts down: killing it starts over."""
    asked = ["pg_isready", "-q", "-h", postgresql_files.SOCKET_FOLDER, "-p", str(_PORT), "-U", "postgres"]
    is_alive = ["sh", "-c", f"{' '.join(asked)} || [ $? -eq 1 ]"]
    often = {"periodSeconds": _CONNECTIONS_LOG_PROBE_S, "timeoutSeconds": 5}
    return {
        # Recovery after a crash reads the log since the last checkpoint: half an hour at most.
        "startupProbe": {"exec": {"command": asked}, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 360},
        "readinessProbe": {"exec": {"command": asked}, **often, "failureThreshold": 3},
        "livenessProbe": {"exec": {"command": is_alive}, **often, "failureThreshold": 6},
    }
