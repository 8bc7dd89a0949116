"""Which Secrets the manifests refer to, and with which keys; never their values. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from alphintra.runtime.container import DATABASE_PASSWORD, FURTHER_SECRETS, NATS_SEED, OPERATOR_TOKEN_HASH
from alphintra.runtime.deploy.bus import BUS_USER_KEYS
from alphintra.runtime.deploy.provisioning import provision_name
from alphintra.runtime.deploy.services import EDGE
from alphintra.runtime.deploy.site import DEPLOYMENTS, Site, Target

__all__ = ["CERTIFICATE_KEYS", "SecretSpec", "required_secrets"]

CERTIFICATE_KEYS = ("ca.crt", "tls.crt", "tls.key")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """A Secret that has to be there.

    Attributes:
        name: of the Secret.
        keys: its keys, in order.
        purpose: who reads it, and what for.
    """

    name: str
    keys: tuple[str, ...]
    purpose: str


def required_secrets(site: Site) -> tuple[SecretSpec, ...]:
    """Return the Secrets of a site in order of name; `alphintra deploy secrets` makes them."""
    found = [
        SecretSpec(name="nats-tls", keys=CERTIFICATE_KEYS, purpose="certificate of the bus"),
        SecretSpec(name="nats-users", keys=tuple(sorted(BUS_USER_KEYS.values())), purpose="public keys of its users"),
        SecretSpec(name="streams", keys=("ca.crt", NATS_SEED), purpose="the Job that makes the event streams"),
        SecretSpec(name=EDGE, keys=("ca.crt", NATS_SEED, OPERATOR_TOKEN_HASH), purpose="the edge"),
    ]
    for service, name in DEPLOYMENTS.items():
        keys = {"ca.crt", DATABASE_PASSWORD, NATS_SEED, *FURTHER_SECRETS.get(service, ())}
        found.append(SecretSpec(name=name, keys=tuple(sorted(keys)), purpose=f"{service} alone"))
    for instance in site.instances:
        roles = tuple(sorted({*instance.roles, *CERTIFICATE_KEYS}))
        purpose = f"the Job that makes {instance.workload} ready: administrator's certificate, every role's password"
        found.append(SecretSpec(name=provision_name(instance), keys=roles, purpose=purpose))
        purpose = f"certificate of {instance.workload}"
        found.append(SecretSpec(name=f"{instance.workload}-tls", keys=CERTIFICATE_KEYS, purpose=purpose))
        if site.choice.target is Target.CLOUDNATIVEPG:
            purpose = f"certificate by which the standbys of {instance.workload} follow it"
            found.append(SecretSpec(name=f"{instance.workload}-replication", keys=CERTIFICATE_KEYS, purpose=purpose))
    return tuple(sorted(found, key=lambda spec: spec.name))
