"""The audit logs of a home's services: their names, their keys, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.session import log_session
from alphintra.dataplane.chain.verify import UNSEALED_MAX, Verified, verify_log
from alphintra.runtime.credentials import role_password, sealing_seeds
from alphintra.runtime.home import Home
from alphintra.runtime.retention import chosen

__all__ = ["log_keys", "origin_of", "verify_logs"]


def origin_of(home: Home, service: str) -> str:
    """Return the name of a service's audit log, of which there is one in the world."""
    return f"{home.ident}.alphintra/{service}"


def log_keys(home: Home, service: str) -> NoteKeys:
    """Return the keys that sign a service's checkpoints: those that seal its archives."""
    return NoteKeys(origin_of(home, service), sealing_seeds(home, service))


async def verify_logs(
    home: Home,
    services: Sequence[str],
    *,
    unsealed_max: timedelta = UNSEALED_MAX,
    tell: Callable[[str], None] = lambda _words: None,
) -> Mapping[str, Verified]:
    """Verify the audit logs of the services, or of all where none is named. Raises as `chosen`, TOPOLOGY_CONNECT."""
    found = {}
    for server, placement in chosen(home, services):
        tell(placement.service)
        keys = log_keys(home, placement.service)
        async with log_session(server, placement, passwords=role_password(home)) as connection:
            found[placement.service] = await verify_log(
                connection, origin=keys.name, trusted=keys.trusted, unsealed_max=unsealed_max
            )
    return found
