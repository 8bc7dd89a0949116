"""Draws what the Secrets hold: passwords, keys and certificates; what was drawn before is kept."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

import nkeys  # type: ignore[import-untyped]

from alphintra.infrastructure.signing import SigningKey
from alphintra.runtime.container import DATABASE_PASSWORD, NATS_SEED, OPERATOR_TOKEN_HASH
from alphintra.runtime.credentials import OPERATOR_TOKEN_PREFIX
from alphintra.runtime.deploy.bus import BUS_USER_KEYS
from alphintra.runtime.deploy.certificates import Authority, Issued, is_fresh, new_authority
from alphintra.runtime.deploy.objects import Manifest, labels, metadata
from alphintra.runtime.deploy.provisioning import provision_name
from alphintra.runtime.deploy.secret_names import CERTIFICATE_KEYS, required_secrets
from alphintra.runtime.deploy.services import EDGE
from alphintra.runtime.deploy.site import DEPLOYMENTS, Instance, Site, Target

__all__ = ["Vault", "secret_manifests", "server_names"]

_BYTES: Final = 32
_ADMINISTRATOR: Final = "postgres"


class Vault:
    """Values by name; one that is missing is drawn and kept.

    Names: ``pg-<role>``, ``nats-<user>``, ``jwt-seed``, ``approval-seed``, ``connection-keys``, ``channel-keys``,
    ``operator-token``, and ``ca``, ``<name>``
    with ``.crt`` and ``.key`` for certificates.
    """

    def __init__(self, values: Mapping[str, str], *, at: datetime) -> None:
        """Start from what was drawn before.

        Args:
            values: by name.
            at: now; certificates that end soon after are issued anew.
        """
        self.values = dict(values)
        self._at = at

    def password(self, role: str) -> str:
        """Return a database role's password."""
        return self._drawn(f"pg-{role}", lambda: secrets.token_urlsafe(_BYTES))

    def bus_seed(self, user: str) -> str:
        """Return the nkey seed of a user of the bus."""
        return self._drawn(
            f"nats-{user}", lambda: str(nkeys.encode_seed(os.urandom(_BYTES), nkeys.PREFIX_BYTE_USER).decode("ascii"))
        )

    def bus_key(self, user: str) -> str:
        """Return the public nkey of a user of the bus."""
        return str(nkeys.from_seed(self.bus_seed(user).encode("ascii")).public_key.decode("ascii"))

    def seed(self, name: str) -> str:
        """Return a signing seed."""
        return self._drawn(name, lambda: base64.b64encode(os.urandom(_BYTES)).decode("ascii"))

    def wrapping_keys(self, name: str) -> str:
        """Return the keys that wrap the data keys of stored secrets, ``version:base64`` each; one is drawn first."""
        return self._drawn(name, lambda: f"1:{base64.b64encode(os.urandom(_BYTES)).decode('ascii')}")

    @property
    def operator_token(self) -> str:
        """The operator's token; the edge gets its hash alone."""
        return self._drawn("operator-token", lambda: OPERATOR_TOKEN_PREFIX + secrets.token_urlsafe(_BYTES))

    @property
    def authority(self) -> Authority:
        """The installation's own authority; its key goes into no Secret."""
        if "ca.crt" not in self.values:
            made = new_authority("Alphintra", at=self._at)
            self.values |= {"ca.crt": made.certificate, "ca.key": made.key}
        return Authority(certificate=self.values["ca.crt"], key=self.values["ca.key"])

    def server_certificate(self, name: str, hosts: tuple[str, ...]) -> Issued:
        """Return a server's certificate for its host names."""
        return self._issued(name, hosts, lambda: self.authority.issue_server(hosts, at=self._at))

    def client_certificate(self, name: str, role: str) -> Issued:
        """Return the certificate of a database role."""
        return self._issued(name, (), lambda: self.authority.issue_client(role, at=self._at))

    def _issued(self, name: str, hosts: tuple[str, ...], issue: Callable[[], Issued]) -> Issued:
        kept = self.values.get(f"{name}.crt")
        if kept is None or not is_fresh(kept, hosts, at=self._at):
            made = issue()
            self.values |= {f"{name}.crt": made.certificate, f"{name}.key": made.key}
        return Issued(certificate=self.values[f"{name}.crt"], key=self.values[f"{name}.key"])

    def _drawn(self, name: str, draw: Callable[[], str]) -> str:
        if name not in self.values:
            self.values[name] = draw()
        return self.values[name]


def server_names(service: str, namespace: str) -> tuple[str, ...]:
    """Return the names a Service is reached by, the full one first."""
    full = f"{service}.{namespace}.svc.cluster.local"
    return (full, f"{service}.{namespace}.svc", f"{service}.{namespace}", service)


def secret_manifests(site: Site, vault: Vault) -> list[Manifest]:
    """Return every Secret the manifests name, with its values, in order of name."""
    contents = _contents(site, vault)
    namespace = site.choice.namespace
    found = []
    for spec in required_secrets(site):
        data = {key: contents[spec.name][key] for key in spec.keys}
        # An operator reads a Secret again only if it is told that it may change.
        more = {"cnpg.io/reload": "true"} if site.choice.target is Target.CLOUDNATIVEPG else {}
        meta = metadata(namespace, spec.name, labels(spec.name, "secret", more))
        kind = "kubernetes.io/tls" if spec.keys == CERTIFICATE_KEYS else "Opaque"
        found.append({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "stringData": data})
    return found


def _contents(site: Site, vault: Vault) -> dict[str, dict[str, str]]:
    namespace = site.choice.namespace
    authority = {"ca.crt": vault.authority.certificate}
    approval = vault.seed("approval-seed")
    bus_names = (*server_names("nats", namespace), f"nats-0.nats.{namespace}.svc.cluster.local")
    contents = {
        "nats-tls": {**authority, **_pair(vault.server_certificate("nats-tls", bus_names))},
        "nats-users": {BUS_USER_KEYS[user]: vault.bus_key(user) for user in BUS_USER_KEYS},
        "streams": {**authority, NATS_SEED: vault.bus_seed("deployer")},
        EDGE: {
            **authority,
            NATS_SEED: vault.bus_seed("edge"),
            OPERATOR_TOKEN_HASH: sha256(vault.operator_token.encode()).hexdigest(),
        },
    }
    for service, name in DEPLOYMENTS.items():
        contents[name] = {
            **authority,
            DATABASE_PASSWORD: vault.password(site.placement_of(service).service_role),
            NATS_SEED: vault.bus_seed(service),
        }
    contents[DEPLOYMENTS["auth"]]["jwt-seed"] = vault.seed("jwt-seed")
    contents[DEPLOYMENTS["risk"]]["approval-seed"] = approval
    contents[DEPLOYMENTS["broker"]] |= {
        "approval-verify-key": SigningKey(approval).public_text,
        "connection-keys": vault.wrapping_keys("connection-keys"),
    }
    contents[DEPLOYMENTS["notification"]]["channel-keys"] = vault.wrapping_keys("channel-keys")
    for instance in site.instances:
        contents |= _instance_contents(instance, vault, authority)
    return contents


def _instance_contents(instance: Instance, vault: Vault, authority: dict[str, str]) -> dict[str, dict[str, str]]:
    name = provision_name(instance)
    administrator = vault.client_certificate(name, _ADMINISTRATOR)
    found = {name: {**authority, **_pair(administrator), **{role: vault.password(role) for role in instance.roles}}}
    tls = f"{instance.workload}-tls"
    hosts = server_names(instance.service, instance.namespace)
    if instance.target is Target.CLOUDNATIVEPG:
        for suffix in ("r", "ro"):
            hosts += server_names(f"{instance.workload}-{suffix}", instance.namespace)
        replication = f"{instance.workload}-replication"
        found[replication] = {**authority, **_pair(vault.client_certificate(replication, "streaming_replica"))}
    # Two targets have two names for one instance: each keeps its own certificate.
    kept_as = tls if instance.target is Target.STATEFULSET else f"{tls}-{instance.target.value}"
    found[tls] = {**authority, **_pair(vault.server_certificate(kept_as, hosts))}
    return found


def _pair(issued: Issued) -> dict[str, str]:
    return {"tls.crt": issued.certificate, "tls.key": issued.key}
