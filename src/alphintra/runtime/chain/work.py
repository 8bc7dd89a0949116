"""The audit logs of a home's services: their names, their keys, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.proofs import Bundle, prove_rows
from alphintra.dataplane.chain.session import log_session
from alphintra.dataplane.chain.standing import Standing, newest_note, standing_of
from alphintra.dataplane.chain.verify import UNSEALED_MAX, Fault, Finding, Verified, Witnessed, verify_log
from alphintra.dataplane.chain.witness import Recovery, Seen, Witness
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.audit_keys import log_keys
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.places import chosen

__all__ = [
    "LogStatus",
    "declare_recovery",
    "logs_of",
    "prove",
    "verify_logs",
]

_REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """How one log stands, what the witness saw of it, and what was lost."""

    origin: str
    standing: Standing
    seen: Seen | None
    recoveries: tuple[Recovery, ...]


async def verify_logs(
    home: Home,
    services: Sequence[str],
    witness: Witness,
    *,
    at: datetime,
    unsealed_max: timedelta = UNSEALED_MAX,
    tell: Callable[[str], None] = lambda _words: None,
) -> Mapping[str, Verified]:
    """Verify the audit logs of the services, or of all where none is named.

    Raises as `chosen`, TOPOLOGY_CONNECT, AUDIT_UNREACHABLE.
    """
    found = {}
    for server, placement in chosen(home, services):
        tell(placement.service)
        keys = log_keys(home, placement.service)
        witnessed, silence = _asked(witness, keys, at=at)  # before the log is looked at, which only grows
        async with log_session(server, placement, passwords=role_password(home)) as connection:
            each = await verify_log(
                connection,
                origin=keys.name,
                trusted=keys.trusted,
                witnessed=witnessed,
                unsealed_max=unsealed_max,
                service=placement.service,
            )
        if silence and each.leaves:
            each.findings.append(Finding(fault=Fault.WITNESS_BEHIND, detail=silence))
        found[placement.service] = each
    return found


async def logs_of(home: Home, services: Sequence[str], witness: Witness) -> Mapping[str, LogStatus]:
    """Return how the logs stand, without verifying them. Raises as `verify_logs`, WITNESS_UNREACHABLE."""
    found = {}
    for server, placement in chosen(home, services):
        name = log_keys(home, placement.service).name
        async with log_session(server, placement, passwords=role_password(home)) as connection:
            standing = await standing_of(connection)
        found[placement.service] = LogStatus(
            origin=name, standing=standing, seen=witness.seen(name), recoveries=witness.recoveries(name)
        )
    return found


async def prove(home: Home, subject: str, witness: Witness, *, at: datetime) -> Bundle:
    """Return all that the audit logs hold of a subject, with proofs.

    Raises AUDIT_UNKNOWN where no log holds a sealed row of it, and as `verify_logs`.
    """
    logs = []
    for server, placement in chosen(home, ()):
        keys = log_keys(home, placement.service)
        seen = witness.seen(keys.name)
        async with log_session(server, placement, passwords=role_password(home)) as connection:
            note = await newest_note(connection) if seen is None else seen.note
            if note is None:
                continue
            log = await prove_rows(
                connection,
                subject,
                service=placement.service,
                note=note,
                trusted=keys.trusted,
                witnesses=witness.keys.trusted,
            )
        if log.rows or log.waiting:
            logs.append(log)
    if not any(log.rows for log in logs):
        message = f"no audit log holds a sealed row about {subject[:60]!r}: write kind:id, or wait for it to be sealed"
        raise AlphintraError("AUDIT_UNKNOWN", message, kind=Kind.NOT_FOUND)
    return Bundle(subject=subject, made_at=at, logs=tuple(logs))


def declare_recovery(home: Home, service: str, witness: Witness, *, reason: str, by: str, at: datetime) -> Recovery:
    """Declare that what a service's log lost is known. Raises AUDIT_REASON, AUDIT_UNKNOWN, WITNESS_UNREACHABLE."""
    if not reason.strip() or not by.strip() or len(reason) + len(by) > _REASON_MAX or "\n" in reason + by:
        message = f"say why and who you are in at most {_REASON_MAX} characters on one line: it is kept for good"
        raise AlphintraError("AUDIT_REASON", message, pointer="--reason")
    return witness.declare(log_keys(home, service).name, reason=reason, by=by, at=at)


def _asked(witness: Witness, keys: NoteKeys, *, at: datetime) -> tuple[Witnessed | None, str]:
    """Return what the witness says of a log, or why it says nothing."""
    try:
        found = witness.witnessed(keys.name, keys.trusted, at=at)
    except AlphintraError as error:
        return None, error.detail
    return found, "" if found is not None else "the witness has never seen the log"
