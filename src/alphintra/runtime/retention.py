"""Retention of a home's services: one run at a time, service by service, each as its own retainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.retention.archive import verify_archive
from alphintra.dataplane.retention.find import Found
from alphintra.dataplane.retention.holds import HoldRecord, Writer, lift_hold, list_holds, set_hold
from alphintra.dataplane.retention.journal import Item, items
from alphintra.dataplane.retention.rules import Due
from alphintra.dataplane.retention.run import Archives, Outcome, RetentionRun, find_due
from alphintra.dataplane.retention.seal import SealKeys
from alphintra.dataplane.retention.session import Connection, retainer_connection
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.holds import Hold
from alphintra.runtime.credentials import role_password, sealing_seeds
from alphintra.runtime.home import Home
from alphintra.runtime.lock import alone
from alphintra.runtime.moving.journal import moves_lock, read_journal
from alphintra.runtime.places import chosen

__all__ = [
    "HoldTerms",
    "evidence_of",
    "find_all_due",
    "holds_of",
    "lift",
    "put_under_hold",
    "run_retention",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTerms:
    """What a hold is to cover, in the words of whoever sets it."""

    kind: str
    subject: str
    from_at: datetime | None
    to_at: datetime | None
    reason: str


async def find_all_due(
    home: Home, services: Sequence[str], *, profile: str, at: datetime
) -> Mapping[str, tuple[tuple[Due, Found], ...]]:
    """Return how each rule of the services stands; changes nothing. Raises as `chosen`, TOPOLOGY_CONNECT."""
    found = {}
    for server, placement in chosen(home, services):
        async with _retainer(home, server, placement) as connection:
            found[placement.service] = await find_due(connection, placement.service, profile=profile, at=at)
    return found


async def run_retention(
    home: Home,
    services: Sequence[str],
    *,
    profile: str,
    writer: Writer,
    tell: Callable[[str], None] = lambda _words: None,
) -> tuple[Mapping[str, tuple[Outcome, ...]], Mapping[str, AlphintraError]]:
    """Run retention of the services, one after another; return what was done, and what failed, by service.

    One service's failure does not keep the others from their turn. Raises RETENTION_BUSY while another run works,
    ALREADY_RUNNING and RETENTION_MOVING while services move, and as `chosen`.
    """
    done: dict[str, tuple[Outcome, ...]] = {}
    failed: dict[str, AlphintraError] = {}
    with _alone(home), moves_lock(home):
        if read_journal(home) is not None:
            message = "services move to another place: end that with `alphintra db migrate --finish` or --rollback"
            raise AlphintraError("RETENTION_MOVING", message, kind=Kind.CONFLICT)
        for server, placement in chosen(home, services):
            try:
                async with _retainer(home, server, placement) as connection:
                    run = RetentionRun(
                        connection,
                        placement.service,
                        archives=_archives(home, placement.service),
                        writer=writer,
                        profile=profile,
                        tell=tell,
                    )
                    done[placement.service] = await run.run()
            except AlphintraError as error:
                failed[placement.service] = error
    return done, failed


async def holds_of(home: Home, services: Sequence[str]) -> Mapping[str, tuple[HoldRecord, ...]]:
    """Return the holds of the services, lifted ones too. Raises as `chosen`, TOPOLOGY_CONNECT."""
    found = {}
    for server, placement in chosen(home, services):
        async with _retainer(home, server, placement) as connection:
            found[placement.service] = await list_holds(connection)
    return found


async def put_under_hold(
    home: Home, services: Sequence[str], terms: HoldTerms, *, writer: Writer
) -> Mapping[str, UUID]:
    """Put records of the services under a hold, one of the same terms in each; return its id by service.

    Raises HOLD_SUBJECT, HOLD_RANGE, HOLD_REASON before any is set, and as `chosen`, TOPOLOGY_CONNECT.
    """
    made = {}
    for server, placement in chosen(home, services):
        hold = Hold(
            hold_id=writer.ids.new(),
            kind=terms.kind,
            subject=terms.subject,
            from_at=terms.from_at,
            to_at=terms.to_at,
        )
        async with _retainer(home, server, placement) as connection:
            await set_hold(connection, placement.service, hold, reason=terms.reason, writer=writer)
        made[placement.service] = hold.hold_id
    return made


async def lift(home: Home, service: str, hold_id: UUID, *, reason: str, writer: Writer) -> Hold:
    """Lift one service's hold. Raises HOLD_NOT_FOUND, HOLD_REASON, and as `chosen`, TOPOLOGY_CONNECT."""
    ((server, placement),) = chosen(home, (service,))
    async with _retainer(home, server, placement) as connection:
        return await lift_hold(connection, service, hold_id, reason=reason, writer=writer)


async def evidence_of(
    home: Home, services: Sequence[str], *, is_verified: bool
) -> Mapping[str, tuple[tuple[Item, str], ...]]:
    """Return what retention did, with what is wrong with its archives: nothing where they prove what they hold.

    With ``is_verified`` archives are read back whole, otherwise ``unverified`` stands there. Raises as `chosen`.
    """
    found = {}
    for server, placement in chosen(home, services):
        async with _retainer(home, server, placement) as connection:
            known = await items(connection)
        archives = _archives(home, placement.service)
        found[placement.service] = tuple(
            (item, _proof(item, archives) if is_verified else "unverified") for item in known
        )
    return found


def _proof(item: Item, archives: Archives) -> str:
    if not item.archive or item.state == "destroyed":
        return ""
    try:
        manifest = verify_archive(archives.root / item.archive, archives.keys.trusted)
    except AlphintraError as error:
        return f"{error.code}: {error}"
    if (manifest.item_id, manifest.sha256) != (str(item.item_id), item.archive_sha256):
        return f"ARCHIVE_FORGED: {item.archive} is another archive than was noted"
    return ""


def _archives(home: Home, service: str) -> Archives:
    return Archives(root=home.archives, keys=SealKeys(sealing_seeds(home, service)))


def _retainer(home: Home, server: Server, placement: Placement) -> AbstractAsyncContextManager[Connection]:
    return retainer_connection(server, placement, password=role_password(home)(placement.retainer_role))


def _alone(home: Home) -> AbstractContextManager[None]:
    """Be the only retention run of this home. Raises RETENTION_BUSY."""
    message = "another retention run of this home works: wait for it to end"
    return alone(home.run / "retention.lock", lambda _: AlphintraError("RETENTION_BUSY", message, kind=Kind.CONFLICT))
