"""Files of manifests from a site: the same bytes for the same choice. Pure, but for the YAML library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alphintra import __version__
from alphintra.runtime.deploy.bus import bus_manifests
from alphintra.runtime.deploy.cloudnativepg import cluster_manifests
from alphintra.runtime.deploy.network import network_manifests
from alphintra.runtime.deploy.objects import Manifest, labels
from alphintra.runtime.deploy.postgresql import postgresql_manifests
from alphintra.runtime.deploy.provisioning import provisioning_manifests
from alphintra.runtime.deploy.services import service_manifests
from alphintra.runtime.deploy.site import DeployChoice, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.runtime.deploy.site import Site

__all__ = ["HEADER_START", "manifests_of", "render_files", "render_stream", "yaml_text"]

HEADER_START: Final = "# Made by `alphintra deploy render"
_WIDTH: Final = 120
_PLAIN_OPTIONS: Final = (
    ("namespace", "namespace"),
    ("image", "image"),
    ("postgres-image", "postgres_image"),
    ("postgres-version", "postgres_major"),
    ("nats-image", "nats_image"),
    ("storage", "storage"),
    ("storage-class", "storage_class"),
    ("host", "host"),
    ("standbys", "standbys"),
    ("hardening", "hardening"),
)


def manifests_of(site: Site) -> dict[str, list[Manifest]]:
    """Return the objects by file; applied in this order they find what they need."""
    return {
        "namespace.yaml": [_namespace(site)],
        "network-policies.yaml": network_manifests(site),
        **_postgresql(site),
        "nats-statefulset.yaml": bus_manifests(site),
        "provisioning.yaml": provisioning_manifests(site),
        "services.yaml": service_manifests(site),
    }


def _postgresql(site: Site) -> dict[str, list[Manifest]]:
    match site.choice.target:
        case Target.STATEFULSET:
            return {"postgresql-statefulset.yaml": postgresql_manifests(site)}
        case Target.CLOUDNATIVEPG:
            return {"postgresql-clusters.yaml": cluster_manifests(site)}


def render_files(site: Site) -> dict[str, str]:
    """Return every file's text by name, ``kustomization.yaml`` with them."""
    files = manifests_of(site)
    header = _header(site)
    texts = {name: header + yaml_text(manifests) for name, manifests in files.items()}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    return {**texts, "kustomization.yaml": header + yaml_text([kustomization])}


def render_stream(site: Site) -> str:
    """Return all objects as one text for `kubectl apply -f -`."""
    found = [manifest for manifests in manifests_of(site).values() for manifest in manifests]
    return _header(site) + yaml_text(found)


def yaml_text(manifests: Sequence[Mapping[str, Any]]) -> str:
    """Return YAML documents: keys in the order given, files as blocks, no anchors."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - loaded by this command alone

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # the library has no types
        def ignore_aliases(self, data: object) -> bool:
            del data
            return True

    def represent_text(dumper: Any, text: str) -> Any:  # noqa: ANN401 - as above
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    Dumper.add_representer(str, represent_text)
    text: str = yaml.dump_all(
        manifests, Dumper=Dumper, sort_keys=False, width=_WIDTH, explicit_start=True, allow_unicode=True
    )
    return text


def _header(site: Site) -> str:
    return (
        f"{HEADER_START} {' '.join(_words(site.choice))}`,\n"
        f"# version {__version__}: render again, do not edit. Holds no secret: `alphintra deploy secrets` makes the\n"
        "# Secrets that are named here. See docs/deployment.md.\n"
    )


def _words(choice: DeployChoice) -> list[str]:
    """Return the options that make the same files again, those with their usual value left out."""
    layout, usual = choice.layout, DeployChoice()
    words = [f"--target {choice.target.value}", f"--layout {layout.name.value}"]
    words += ["--placement isolated"] if layout.is_isolated else []
    words += ["--shared-role"] if layout.has_shared_role else []
    words += ["--accept-consolidated"] if layout.accepts_consolidated else []
    for kind in ("databases", "schemas", "roles", "instances"):
        words += [f"--name {kind}.{key}={name}" for key, name in sorted(getattr(layout, kind).items())]
    for option, name in _PLAIN_OPTIONS:
        value = getattr(choice, name)
        words += [f"--{option} {value}"] if value != getattr(usual, name) else []
    words += [f"--replicas {service}={count}" for service, count in sorted(choice.replicas.items())]
    words += [f"--pool {service}={count}" for service, count in sorted(choice.pools.items())]
    return words


def _namespace(site: Site) -> Manifest:
    """Return the namespace; Kubernetes itself refuses a pod in it that asks for more than these."""
    marks = {
        **labels("alphintra", "namespace"),
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.choice.namespace, "labels": marks}}
