"""Who may talk to whom: nobody, but for what the layout and the manifest need. Pure."""

from __future__ import annotations

from typing import Final

from alphintra.runtime.deploy.bus import BUS_SELECTOR
from alphintra.runtime.deploy.cloudnativepg import OPERATOR_NAMESPACE
from alphintra.runtime.deploy.objects import Manifest, labels, metadata
from alphintra.runtime.deploy.postgresql import postgresql_selector
from alphintra.runtime.deploy.provisioning import STREAMS_SELECTOR, provision_selector
from alphintra.runtime.deploy.services import EDGE_SELECTOR, service_selector
from alphintra.runtime.deploy.site import DEPLOYMENTS, Instance, Site, Target

__all__ = ["EDGE_ACCESS_LABEL", "network_manifests"]

EDGE_ACCESS_LABEL: Final = "alphintra/edge-access"
"""Label of namespaces whose pods may reach the edge, such as that of an Ingress controller."""

_DNS: Final = 53
_POSTGRES: Final = 5432
_NATS: Final = 4222
_HTTP: Final = 8400
_HTTPS: Final = 443
_CHANNELS: Final = (_HTTPS, 465, 587, 8443)  # webhooks, and mail servers that encrypt
_INTERNET: Final = (
    ("0.0.0.0/0", ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")),
    ("::/0", ("::1/128", "fc00::/7", "fe80::/10")),
)
"""All addresses but those of a cluster, its nodes and what they ask for their own credentials."""
_OPERATED: Final = 8000  # where the operator asks an instance how it is


def network_manifests(site: Site) -> list[Manifest]:
    """Return the network policies.

    Everything is denied in both directions first. Then an instance hears the services whose databases lie on it and
    its own provisioning, the bus its users, the edge namespaces that bear a label; each of them may speak to those.
    Broker and notification alone reach addresses outside of the cluster: venues, and webhooks and mail servers.
    """
    found = [_deny_all(site), _names(site)]
    for instance in site.instances:
        speakers = [service_selector(service) for service in instance.services]
        speakers.append(provision_selector(instance))
        found.append(_hears(site, instance.workload, postgresql_selector(instance), speakers, _POSTGRES))
        if instance.target is Target.CLOUDNATIVEPG:
            found.append(_operated(site, instance))
    users = [*(service_selector(service) for service in DEPLOYMENTS), EDGE_SELECTOR, STREAMS_SELECTOR]
    found.append(_hears(site, "nats", BUS_SELECTOR, users, _NATS))
    found.append(_edge_hears(site))
    for placement in site.layout:
        instance = site.instance_of(placement)
        found.append(
            _speaks(site, DEPLOYMENTS[placement.service], service_selector(placement.service), _servers(instance))
        )
    found.append(_reaches(site, "broker", "venues", (_HTTPS,)))
    found.append(_reaches(site, "notification", "channels", _CHANNELS))
    found.append(_speaks(site, "edge", EDGE_SELECTOR, [(BUS_SELECTOR, _NATS)]))
    for instance in site.instances:
        target = [(postgresql_selector(instance), _POSTGRES)]
        found.append(_speaks(site, f"{instance.workload}-provision", provision_selector(instance), target))
    found.append(_speaks(site, "streams", STREAMS_SELECTOR, [(BUS_SELECTOR, _NATS)]))
    return found


def _servers(instance: Instance) -> list[tuple[dict[str, str], int]]:
    return [(postgresql_selector(instance), _POSTGRES), (BUS_SELECTOR, _NATS)]


def _policy(site: Site, name: str, chosen: dict[str, str], spec: Manifest) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(site.choice.namespace, name, labels(name, "network")),
        "spec": {"podSelector": {"matchLabels": chosen} if chosen else {}, **spec},
    }


def _deny_all(site: Site) -> Manifest:
    return _policy(site, "deny-all", {}, {"policyTypes": ["Ingress", "Egress"]})


def _names(site: Site) -> Manifest:
    """Let every pod look names up."""
    chosen = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    ports = [{"port": _DNS, "protocol": protocol} for protocol in ("UDP", "TCP")]
    rule = {"to": [{"namespaceSelector": chosen}], "ports": ports}
    return _policy(site, "look-up-names", {}, {"policyTypes": ["Egress"], "egress": [rule]})


def _hears(site: Site, name: str, chosen: dict[str, str], speakers: list[dict[str, str]], port: int) -> Manifest:
    sources = [{"podSelector": {"matchLabels": each}} for each in speakers]
    rule = {"from": sources, "ports": [{"port": port, "protocol": "TCP"}]}
    return _policy(site, f"{name}-hears", chosen, {"policyTypes": ["Ingress"], "ingress": [rule]})


def _operated(site: Site, instance: Instance) -> Manifest:
    """Let the operator and an instance's pods talk to each other, and its pods to Kubernetes, which has no label."""
    itself = {"podSelector": {"matchLabels": postgresql_selector(instance)}}
    operator = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OPERATOR_NAMESPACE}}}
    ports = [{"port": port, "protocol": "TCP"} for port in (_POSTGRES, _OPERATED)]
    kubernetes = [{"port": port, "protocol": "TCP"} for port in (443, 6443)]
    spec = {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [itself, operator], "ports": ports}],
        "egress": [{"to": [itself], "ports": ports}, {"ports": kubernetes}],
    }
    return _policy(site, f"{instance.workload}-operated", postgresql_selector(instance), spec)


def _edge_hears(site: Site) -> Manifest:
    sources = [{"namespaceSelector": {"matchLabels": {EDGE_ACCESS_LABEL: "true"}}}]
    rule = {"from": sources, "ports": [{"port": _HTTP, "protocol": "TCP"}]}
    return _policy(site, "edge-hears", EDGE_SELECTOR, {"policyTypes": ["Ingress"], "ingress": [rule]})


def _speaks(site: Site, name: str, chosen: dict[str, str], targets: list[tuple[dict[str, str], int]]) -> Manifest:
    rules = [
        {"to": [{"podSelector": {"matchLabels": each}}], "ports": [{"port": port, "protocol": "TCP"}]}
        for each, port in targets
    ]
    return _policy(site, f"{name}-speaks", chosen, {"policyTypes": ["Egress"], "egress": rules})


def _reaches(site: Site, service: str, what: str, ports: tuple[int, ...]) -> Manifest:
    """Let a service call out: broker its venues, notification webhooks and a mail server, wherever they are."""
    rule = {
        "to": [{"ipBlock": {"cidr": cidr, "except": list(apart)}} for cidr, apart in _INTERNET],
        "ports": [{"port": port, "protocol": "TCP"} for port in ports],
    }
    return _policy(
        site, f"{service}-reaches-{what}", service_selector(service), {"policyTypes": ["Egress"], "egress": [rule]}
    )
