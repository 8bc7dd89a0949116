"""The names and keys of a home's audit logs and of its witness, and whether a log went back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.session import log_session
from alphintra.dataplane.chain.standing import standing_of
from alphintra.dataplane.chain.witness import Witness
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import role_password, sealing_seeds
from alphintra.runtime.home import Home

__all__ = ["log_keys", "require_no_rollback", "witness_of"]

_WITNESS: Final = "witness"


def log_keys(home: Home, service: str) -> NoteKeys:
    """Return the keys that sign a service's checkpoints: those that seal its archives.

    Their name is the log's, of which there is one in the world.
    """
    return NoteKeys(f"{home.ident}.alphintra/{service}", sealing_seeds(home, service))


def witness_of(home: Home, folder: str = "") -> Witness:
    """Return the home's witness; its file is in the home unless a folder is chosen."""
    return Witness(Path(folder) if folder else home.path / _WITNESS, log_keys(home, _WITNESS))


async def require_no_rollback(home: Home, places: Iterable[tuple[Server, Placement]], witness: Witness) -> None:
    """Raise AUDIT_ROLLBACK where a log has fewer leaves than the witness has seen, and nobody has declared it."""
    for server, placement in places:
        name = log_keys(home, placement.service).name
        seen = witness.seen(name)
        if seen is None or any(each.size is None for each in witness.recoveries(name)):
            continue
        async with log_session(server, placement, passwords=role_password(home)) as connection:
            size = (await standing_of(connection)).leaves
        if size < seen.size:
            message = (
                f"{placement.service} has {size} sealed audit rows, and the witness has seen {seen.size}: its database "
                f"went back. If that is meant, run `alphintra audit recover --service {placement.service} --reason …`"
            )
            raise AlphintraError("AUDIT_ROLLBACK", message, kind=Kind.CONFLICT)
