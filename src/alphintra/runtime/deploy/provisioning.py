"""The Jobs that make servers ready: one per PostgreSQL instance, one for the bus's streams. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from alphintra import __version__
from alphintra.runtime.deploy.objects import (
    INSTANCE_LABEL,
    Manifest,
    config_map,
    digest_of,
    labels,
    metadata,
    resources,
    selector,
    service_account,
)
from alphintra.runtime.deploy.services import platform_container, platform_pod
from alphintra.runtime.deploy.site import CA_FILE, SECRETS_FOLDER, Instance, Site

__all__ = ["STREAMS_SELECTOR", "provision_name", "provision_selector", "provisioning_manifests"]

STREAMS_SELECTOR: Final = selector("streams", "provisioning")
_PLACEMENTS_FOLDER: Final = "/etc/alphintra/layout"
_LAYOUT: Final = "alphintra-layout"
_TTL_S: Final = 86_400
_DEADLINE_S: Final = 1800
_TRIES_MAX: Final = 10


def provision_name(instance: Instance) -> str:
    """Return the name of an instance's provisioning: account, Secret and start of the Job's name."""
    return f"{instance.workload}-provision"


def provision_selector(instance: Instance) -> dict[str, str]:
    """Return the labels that choose the pods of an instance's Job."""
    return selector("provision", "provisioning", {INSTANCE_LABEL: instance.name})


def provisioning_manifests(site: Site) -> list[Manifest]:
    """Return the layout as a file, and the Jobs that bring the servers to it; each is safe to repeat.

    A Job's name holds a digest of what it does, since Jobs cannot be changed: a new layout or version is a new Job.
    """
    namespace = site.choice.namespace
    placements = json.dumps([asdict(placement) for placement in site.layout], indent=2) + "\n"
    meta = metadata(namespace, _LAYOUT, labels(_LAYOUT, "provisioning"))
    found: list[Manifest] = [config_map(meta, {"placements.json": placements})]
    for instance in site.instances:
        name = provision_name(instance)
        meta = metadata(namespace, name, labels("provision", "provisioning", {INSTANCE_LABEL: instance.name}))
        found += [service_account(meta), _job(site, meta, placements, pod=_provision_pod(site, instance))]
    meta = metadata(namespace, "streams", labels("streams", "provisioning"))
    container = platform_container(site, "streams", {}, resources(cpu="100m", memory="128Mi"))
    found += [service_account(meta), _job(site, meta, "", pod=platform_pod("streams", "streams", [container], []))]
    return found


def _provision_pod(site: Site, instance: Instance) -> Manifest:
    name = provision_name(instance)
    # The administrator is known by its certificate, the migrators by password; both verify whom they talk to.
    url = (
        f"postgresql://postgres@{instance.host}:5432/postgres?sslmode=verify-full&sslrootcert={CA_FILE}"
        f"&sslcert={SECRETS_FOLDER}/tls.crt&sslkey={SECRETS_FOLDER}/tls.key"
    )
    env = {
        "ALPHINTRA_HARDENING": site.choice.hardening.value,
        "ALPHINTRA_INSTANCE": instance.name,
        "ALPHINTRA_PLACEMENTS": f"{_PLACEMENTS_FOLDER}/placements.json",
        "DATABASE_URL": url,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": CA_FILE,
    }
    container = platform_container(site, "provision", env, resources(cpu="100m", memory="192Mi"))
    container["volumeMounts"].append({"name": "layout", "mountPath": _PLACEMENTS_FOLDER, "readOnly": True})
    return platform_pod(name, name, [container], [{"name": "layout", "configMap": {"name": _LAYOUT}}])


def _job(site: Site, meta: Manifest, placements: str, *, pod: Manifest) -> Manifest:
    digest = digest_of((placements, site.choice.image, __version__, json.dumps(pod, sort_keys=True)))
    pod["restartPolicy"] = "OnFailure"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**meta, "name": f"{meta['name']}-{digest}"},
        "spec": {
            "backoffLimit": _TRIES_MAX,
            "activeDeadlineSeconds": _DEADLINE_S,
            "ttlSecondsAfterFinished": _TTL_S,
            "template": {"metadata": {"labels": meta["labels"]}, "spec": pod},
        },
    }
