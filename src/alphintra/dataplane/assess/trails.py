"""Evidence of each service by itself: its audit log sealed, proven in a bundle, altered; and what its reader reads."""

from __future__ import annotations

import base64
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.dataplane.assess.reach import readable
from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.proofs import Bundle, check_bundle, prove_rows
from alphintra.dataplane.chain.sealer import Sealer
from alphintra.dataplane.chain.session import log_session
from alphintra.dataplane.chain.verify import verify_log
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.layouts import Placement

__all__ = ["note_readers", "note_trails"]

_SUBJECT: Final = "order:1"
_SEED_BYTES: Final = 32


async def note_trails(bench: Bench, notes: Notes) -> None:
    """Seal each audit log, prove a row of it to somebody without a server, and alter a row as the administrator."""
    proven = refused = shown = sound = 0
    for placement in bench.layout:
        keys = NoteKeys(f"assessment/{placement.service}", [base64.b64encode(os.urandom(_SEED_BYTES)).decode()])
        data = await _bundle(bench, placement, keys)
        _, checked = check_bundle(data, trusted=keys.trusted)
        rows = [(each.service, row.object) for each in checked for row in each.rows]
        proven += bool(rows) and set(rows) == {(placement.service, _SUBJECT)}
        refused += _is_refused(data, keys)
        sound += not await _faults(bench, placement, keys)
        shown += await _is_shown(bench, placement, keys)
    notes.put("bundles_proven", proven, "services")
    notes.put("bundles_refused", refused, "services")
    notes.put("trails_sound", sound, "services")
    notes.put("trails_shown", shown, "services")


async def note_readers(bench: Bench, notes: Notes) -> None:
    """Read every service's tables with each service's reader."""
    own = crossed = 0
    for reader in bench.layout:
        for target in bench.layout:
            _, tables = await readable(bench, reader.reader_role, target)
            if target == reader:
                own += tables == len(service_tables(target.spec))
            else:
                crossed += tables > 0
    notes.put("readers_own", own, "services")
    notes.put("readers_crossed", crossed, "pairs")


async def _bundle(bench: Bench, placement: Placement, keys: NoteKeys) -> bytes:
    """Seal a service's log as its sealer, and prove what it holds of a subject as its reader."""
    server, passwords = bench.instance_of(placement).server, bench.lab.passwords
    async with log_session(server, placement, passwords=passwords, is_sealing=True) as connection:
        sealer = Sealer(keys)
        while (await sealer.seal(connection, is_signed=True)).is_more:
            pass
        note, _ = await sealer.head(connection)
    async with log_session(server, placement, passwords=passwords) as connection:
        proof = await prove_rows(
            connection, _SUBJECT, service=placement.service, note=note, trusted=keys.trusted, witnesses=()
        )
    return msgspec.json.encode(Bundle(subject=_SUBJECT, made_at=SystemClock().now(), logs=(proof,)))


def _is_refused(data: bytes, keys: NoteKeys) -> bool:
    """Tell whether a bundle is refused once the actor of its row is another one."""
    bundle = msgspec.json.decode(data, type=Bundle)
    (log,) = bundle.logs
    rows = tuple(
        msgspec.structs.replace(proof, row=msgspec.structs.replace(proof.row, actor="somebody else"))
        for proof in log.rows
    )
    forged = msgspec.structs.replace(bundle, logs=(msgspec.structs.replace(log, rows=rows),))
    with suppress(AlphintraError):
        check_bundle(msgspec.json.encode(forged), trusted=keys.trusted)
        return False
    return True


async def _is_shown(bench: Bench, placement: Placement, keys: NoteKeys) -> bool:
    """Tell whether a row that the administrator alters is found out; it is put right again."""
    table = qualified(*placement.location("audit_events"))
    server = bench.instance_of(placement).server
    change = f"update {table} set actor = reverse(actor) where object = '{_SUBJECT}'"  # noqa: S608 - quoted
    altering = f"alter table {table} disable trigger user; {change}; alter table {table} enable trigger user"
    async with admin_connection(server, database=placement.database) as connection:
        await connection.execute(altering)
    found = await _faults(bench, placement, keys)
    async with admin_connection(server, database=placement.database) as connection:
        await connection.execute(altering)
    return found > 0


async def _faults(bench: Bench, placement: Placement, keys: NoteKeys) -> int:
    server = bench.instance_of(placement).server
    async with log_session(server, placement, passwords=bench.lab.passwords) as connection:
        found = await verify_log(connection, origin=keys.name, trusted=keys.trusted)
    return len(found.findings)
