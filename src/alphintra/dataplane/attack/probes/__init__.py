"""The catalogue: every probe, as data."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.attack.probes.activity import ACTIVITY, LOCKS, SIZES, STATISTICS, WAL
from alphintra.dataplane.attack.probes.code import CODE, OWN
from alphintra.dataplane.attack.probes.data import DATA, SCHEMA
from alphintra.dataplane.attack.probes.doors import BETWEEN_SESSIONS, DOORS
from alphintra.dataplane.attack.probes.names import CATALOG, NAMES
from alphintra.dataplane.attack.probes.roles import OTHERS, OWN_ROLE
from alphintra.dataplane.attack.probes.server import CONFIGURATION, FILES, REPLICATION

__all__ = ["CATALOGUE"]

CATALOGUE: Final = (
    *DOORS,
    *DATA,
    *SCHEMA,
    *OTHERS,
    *NAMES,
    *CATALOG,
    *ACTIVITY,
    *LOCKS,
    *STATISTICS,
    *SIZES,
    *WAL,
    *BETWEEN_SESSIONS,
    *OWN_ROLE,
    *FILES,
    *REPLICATION,
    *CONFIGURATION,
    *CODE,
    *OWN,
)
"""Every probe there is; order is order of trying, what could disturb others last."""
