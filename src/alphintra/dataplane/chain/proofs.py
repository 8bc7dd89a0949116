"""Proofs about a log: that it has only grown, and that rows are in it, as a file that anybody can check by itself."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.dataplane.chain.leaves import AUDIT_COLUMNS, AuditRow, canonical, row_of
from alphintra.dataplane.chain.notes import checkpoint_of, cosignatures_of, public_key
from alphintra.dataplane.chain.sealer import edge_at
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.merkle import Frontier, consistency_path, inclusion_path, is_included, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from alphintra.dataplane.chain.notes import NoteKey

__all__ = ["Bundle", "Checked", "LogProof", "RowProof", "check_bundle", "proof_of_growth", "prove_rows"]

FORMAT: Final = "alphintra-audit-bundle-v1"
_EDGE: Final = "select frontier from audit_checkpoints where tree_size = $1"
_HASHES: Final = """
    select leaf_hash from audit_leaves where leaf_index >= $1 and leaf_index < $2 order by leaf_index
"""
_ROWS: Final = f"""
    select l.leaf_index, {AUDIT_COLUMNS}
    from audit_events as e join audit_leaves as l on l.audit_id = e.audit_id
    where e.object = $1 and l.leaf_index < $2 order by l.leaf_index
"""  # noqa: S608 - a constant
_WAITING: Final = """
    select count(*) from audit_events as e where e.object = $1
        and not exists (select from audit_leaves as l where l.audit_id = e.audit_id and l.leaf_index < $2)
"""


class RowProof(msgspec.Struct, frozen=True, kw_only=True):
    """A row, its place, and the hashes that lead from it to the root, in base64."""

    leaf_index: int
    row: AuditRow
    path: tuple[str, ...]


class LogProof(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one log under one checkpoint; ``waiting`` rows of the subject are newer than it."""

    service: str
    checkpoint: str
    keys: tuple[str, ...]
    witness_keys: tuple[str, ...]
    rows: tuple[RowProof, ...]
    waiting: int = 0


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """All that the audit logs hold of one subject, with what proves it."""

    subject: str
    made_at: datetime
    logs: tuple[LogProof, ...]
    format: str = FORMAT


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle was found to prove of one log: rows in order, and when witnesses saw the checkpoint."""

    service: str
    origin: str
    size: int
    rows: tuple[AuditRow, ...]
    seen_at: tuple[datetime, ...]


async def proof_of_growth(connection: asyncpg.Connection, *, old_size: int, edge: Frontier, origin: str) -> list[bytes]:
    """Return the proof that a log of this edge begins with its first ``old_size`` leaves; empty where none is due.

    Raises AUDIT_ALTERED where leaves are missing.
    """
    if not 0 < old_size < edge.size:
        return []
    kept = await connection.fetchval(_EDGE, old_size)
    old = await edge_at(connection, old_size, origin=origin) if kept is None else Frontier.from_bytes(old_size, kept)
    added = await connection.fetch(_HASHES, old_size, edge.size)
    return list(consistency_path(old, [row["leaf_hash"] for row in added]))


async def prove_rows(
    connection: asyncpg.Connection,
    subject: str,
    *,
    service: str,
    note: str,
    trusted: Sequence[NoteKey],
    witnesses: Sequence[NoteKey],
) -> LogProof:
    """Prove the rows about a subject under a checkpoint. Raises AUDIT_SIGNATURE, AUDIT_ALTERED."""
    checkpoint = checkpoint_of(note, trusted)
    rows = await connection.fetch(_ROWS, subject, checkpoint.size)
    hashes = [row["leaf_hash"] for row in await connection.fetch(_HASHES, 0, checkpoint.size)] if rows else []
    proven = []
    for row in rows:
        found, place = row_of(row), row["leaf_index"]
        path = inclusion_path(hashes, place)
        if not is_included(
            leaf_hash(canonical(found)), index=place, size=checkpoint.size, path=path, root=checkpoint.root
        ):
            message = f"leaf {place} of {checkpoint.origin} cannot be proven: see `alphintra audit verify`"
            raise AlphintraError("AUDIT_ALTERED", message, kind=Kind.CONFLICT)
        proven.append(
            RowProof(leaf_index=place, row=found, path=tuple(base64.b64encode(each).decode() for each in path))
        )
    return LogProof(
        service=service,
        checkpoint=note,
        keys=tuple(key.text for key in trusted),
        witness_keys=tuple(key.text for key in witnesses),
        rows=tuple(proven),
        waiting=await connection.fetchval(_WAITING, subject, checkpoint.size),
    )


def check_bundle(data: bytes, *, trusted: Sequence[NoteKey] = ()) -> tuple[Bundle, tuple[Checked, ...]]:
    """Check a bundle by itself, and return what it proves, log by log.

    Args:
        data: the file.
        trusted: public keys of logs and witnesses from elsewhere; without any, those the bundle names are taken, which
            proves that it is whole and not whose it is.

    Raises BUNDLE_UNREADABLE, BUNDLE_FORGED, AUDIT_SIGNATURE, AUDIT_NOTE.
    """
    try:
        bundle = msgspec.json.decode(data, type=Bundle)
    except msgspec.DecodeError as error:
        message = f"this is no bundle of `alphintra audit prove`: {error}"
        raise AlphintraError("BUNDLE_UNREADABLE", message) from error
    if bundle.format != FORMAT:
        raise AlphintraError("BUNDLE_UNREADABLE", f"the bundle's format is {bundle.format[:40]!r}, not {FORMAT}")
    return bundle, tuple(_checked(bundle, log, trusted) for log in bundle.logs)


def _checked(bundle: Bundle, log: LogProof, trusted: Sequence[NoteKey]) -> Checked:
    keys = trusted or [public_key(text) for text in log.keys]
    witnesses = trusted or [public_key(text) for text in log.witness_keys]
    checkpoint = checkpoint_of(log.checkpoint, keys)
    for proof in log.rows:
        try:
            path = [base64.b64decode(each, validate=True) for each in proof.path]
        except ValueError:
            path = []
        leaf = leaf_hash(canonical(proof.row))
        is_in = is_included(leaf, index=proof.leaf_index, size=checkpoint.size, path=path, root=checkpoint.root)
        if not is_in or proof.row.object != bundle.subject:
            place = f"leaf {proof.leaf_index} of {checkpoint.origin}"
            message = (
                f"row {proof.row.audit_id} about {proof.row.object[:60]} is not {place} about {bundle.subject[:60]}"
            )
            raise AlphintraError("BUNDLE_FORGED", message, kind=Kind.CONFLICT)
    return Checked(
        service=log.service,
        origin=checkpoint.origin,
        size=checkpoint.size,
        rows=tuple(proof.row for proof in log.rows),
        seen_at=tuple(each.at for each in cosignatures_of(log.checkpoint, witnesses)),
    )
