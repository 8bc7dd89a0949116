"""Parts that many Kubernetes objects share: names and labels, and the closed security settings of every container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from alphintra import __version__

__all__ = [
    "CONFIG_HASH",
    "INSTANCE_LABEL",
    "Manifest",
    "config_map",
    "container_security",
    "digest_of",
    "disruption_budget",
    "environment",
    "labels",
    "memory_folder",
    "metadata",
    "pod_security",
    "resources",
    "secret_volume",
    "selector",
    "service_account",
    "template_labels",
]

Manifest = dict[str, Any]

INSTANCE_LABEL: Final = "alphintra/postgresql-instance"
CONFIG_HASH: Final = "alphintra/config-hash"
_SECRET_MODE: Final = 0o440


def labels(name: str, component: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an object's labels."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "alphintra",
        "app.kubernetes.io/managed-by": "alphintra-deploy",
        "app.kubernetes.io/version": __version__,
        **(more or {}),
    }


def selector(name: str, component: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the labels that choose an object's pods: those that never change."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component, **(more or {})}


def template_labels(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a server's pods: without our version, which would start the server anew for nothing."""
    return {**chosen, "app.kubernetes.io/part-of": "alphintra"}


def metadata(namespace: str, name: str, marks: Mapping[str, str]) -> Manifest:
    """Return an object's metadata."""
    return {"name": name, "namespace": namespace, "labels": dict(marks)}


def pod_security(uid: int) -> Manifest:
    """Return what all containers of a pod run as; volumes belong to the same group."""
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        # Once is enough, and a later recursion would open PostgreSQL's folder to the group, which it refuses.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Manifest:
    """Return what every container is denied."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def resources(*, cpu: str, memory: str) -> Manifest:
    """Return requests, and a limit of memory alone: idle processors may be used."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}


def environment(values: Mapping[str, str]) -> list[Manifest]:
    """Return environment variables in order of name; none of them is a secret."""
    return [{"name": name, "value": value} for name, value in sorted(values.items())]


def secret_volume(name: str, secret: str) -> Manifest:
    """Return a volume with a Secret's values as files, readable to the pod's group."""
    return {"name": name, "secret": {"secretName": secret, "defaultMode": _SECRET_MODE}}


def memory_folder(name: str, size: str) -> Manifest:
    """Return a volume in memory."""
    return {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": size}}


def config_map(meta: Manifest, files: Mapping[str, str]) -> Manifest:
    """Return files as a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(files)}


def service_account(meta: Manifest) -> Manifest:
    """Return an account without a token: no process here talks to Kubernetes."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False}


def disruption_budget(meta: Manifest, chosen: Mapping[str, str], *, is_single: bool) -> Manifest:
    """Return how many pods maintenance may take away: of a server that exists once none, until somebody decides so."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {
            **({"minAvailable": 1} if is_single else {"maxUnavailable": 1}),
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": dict(chosen)},
        },
    }


def digest_of(texts: Sequence[str]) -> str:
    """Return a short name for texts; begins with a letter, so that no reader of YAML takes it for a number."""
    return f"h{sha256(chr(0).join(texts).encode()).hexdigest()[:12]}"
