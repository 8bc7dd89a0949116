"""PostgreSQL run by the CloudNativePG operator: a Cluster per instance, let in as the StatefulSets are. Pure.

The operator keeps the instances; roles, databases, tables and grants stay ours, made by the same Job with the same
client certificate. Both certificates are of the installation's own authority, so that services verify as they do
elsewhere. The rules end with a refusal: the operator's own last one would let any role with a password in anywhere.
"""

from __future__ import annotations

from typing import Final

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.deploy.objects import Manifest, labels, metadata, resources
from alphintra.runtime.deploy.site import Instance, Site

__all__ = ["CLUSTER_LABEL", "OPERATOR_NAMESPACE", "cluster_manifests"]

CLUSTER_LABEL: Final = "cnpg.io/cluster"
OPERATOR_NAMESPACE: Final = "cnpg-system"

_RULES: Final = (
    "hostssl all postgres all cert",
    "host all postgres all reject",
    "hostssl samerole all all scram-sha-256",
    "host all all all reject",
)
_BUILTIN_SINCE: Final = 17


def cluster_manifests(site: Site) -> list[Manifest]:
    """Return every instance's Cluster, in order of instance. Raises DEPLOY_IMAGE where none is named."""
    if not site.choice.postgres_image:
        message = "the operator runs images of its own: name the one it should use, with its digest at best"
        raise AlphintraError("DEPLOY_IMAGE", message, pointer="postgres_image")
    return [_cluster(site, instance) for instance in site.instances]


def _cluster(site: Site, instance: Instance) -> Manifest:
    choice = site.choice
    tls = f"{instance.workload}-tls"
    storage_class = choice.storage_class
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": metadata(instance.namespace, instance.workload, labels("postgresql", "database")),
        "spec": {
            "imageName": choice.postgres_image,
            "instances": choice.standbys + 1,
            "enableSuperuserAccess": False,
            "certificates": {
                "serverCASecret": tls,
                "serverTLSSecret": tls,
                "clientCASecret": f"{instance.workload}-replication",
                "replicationTLSSecret": f"{instance.workload}-replication",
            },
            "bootstrap": {"initdb": _bootstrap(choice.postgres_major)},
            "postgresql": {
                "enableAlterSystem": False,
                "parameters": _parameters(instance),
                "pg_hba": list(_RULES),
                # An acknowledged transaction is on two machines; without a standby there is nothing to wait for.
                **({"synchronous": {"method": "any", "number": 1}} if choice.standbys else {}),
            },
            "resources": resources(cpu="500m", memory=f"{instance.memory_mib}Mi"),
            "storage": {"size": choice.storage, **({"storageClass": storage_class} if storage_class else {})},
        },
    }


def _bootstrap(major: int) -> Manifest:
    builtin = {"localeProvider": "builtin", "builtinLocale": "C.UTF-8"} if major >= _BUILTIN_SINCE else {}
    return {
        "encoding": "UTF8",
        "localeCollate": "C",
        "localeCType": "C",
        **builtin,
        "dataChecksums": True,
        # The operator wants a database and a role of its own; no other role is of its name, so none gets in there.
        "database": "app",
        "owner": "app",
    }


def _parameters(instance: Instance) -> dict[str, str]:
    return {
        "authentication_timeout": "15s",
        "effective_cache_size": f"{instance.memory_mib // 2}MB",
        "log_connections": "on",
        "log_disconnections": "on",
        "log_lock_waits": "on",
        "max_connections": str(instance.connections_max),
        "max_slot_wal_keep_size": "2GB",
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{instance.memory_mib // 4}MB",
        "ssl_min_protocol_version": "TLSv1.3",
        "track_commit_timestamp": "on",
    }
