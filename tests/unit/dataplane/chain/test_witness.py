"""A witness signs what only ever grew."""

from __future__ import annotations

import base64
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.chain.notes import Checkpoint, NoteKeys, cosignatures_of
from alphintra.dataplane.chain.witness import Witness
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.merkle import Frontier, consistency_path, leaf_hash

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "0123.alphintra/user"
KEYS = NoteKeys(ORIGIN, [base64.b64encode(b"l" * 32).decode()])
OWN = NoteKeys("0123.alphintra/witness", [base64.b64encode(b"w" * 32).decode()])
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(seconds=10)
LEAVES = [leaf_hash(bytes([each])) for each in range(20)]
OTHERS = [leaf_hash(bytes([each, 1])) for each in range(20)]


def edge_of(leaves: list[bytes]) -> Frontier:
    edge = Frontier()
    edge.extend(leaves)
    return edge


def note_of(leaves: list[bytes]) -> str:
    return KEYS.sign(Checkpoint(origin=ORIGIN, size=len(leaves), root=edge_of(leaves).root()))


def proof_of(leaves: list[bytes], old_size: int) -> tuple[bytes, ...]:
    return consistency_path(edge_of(leaves[:old_size]), leaves[old_size:])


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "witness", OWN)


def shown(witness: Witness, leaves: list[bytes], old_size: int = 0, at: datetime = AT) -> str:
    proof = proof_of(leaves, old_size) if 0 < old_size < len(leaves) else ()
    return witness.show(note_of(leaves), proof, trusted=KEYS.trusted, at=at)


def test_a_log_that_grew_is_signed_with_the_time(witness: Witness) -> None:
    assert witness.seen(ORIGIN) is None
    shown(witness, LEAVES[:7])
    signed = shown(witness, LEAVES, 7, LATER)
    assert [each.at for each in cosignatures_of(signed, OWN.trusted)] == [LATER]
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert (seen.size, seen.note, seen.at) == (20, signed, LATER)
    assert witness.path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_did_not_grow_is_signed_again(witness: Witness) -> None:
    shown(witness, LEAVES)
    shown(witness, LEAVES, at=LATER)
    found = witness.witnessed(ORIGIN, KEYS.trusted, at=LATER + timedelta(seconds=3))
    assert found is not None
    assert (found.checkpoint.size, found.age) == (20, timedelta(seconds=3))


@pytest.mark.parametrize(
    ("leaves", "proof", "code"),
    [
        (LEAVES[:9], (), "AUDIT_ROLLBACK"),
        ([], (), "AUDIT_ROLLBACK"),
        (LEAVES[:11] + OTHERS[11:12], (), "AUDIT_FORK"),
        (OTHERS, proof_of(OTHERS, 12), "AUDIT_FORK"),
        (LEAVES, proof_of(LEAVES, 11), "AUDIT_FORK"),
        (LEAVES, (), "AUDIT_FORK"),
        (LEAVES[:12], proof_of(LEAVES, 12), "AUDIT_FORK"),
    ],
    ids=["smaller", "emptied", "same size", "other tree", "other proof", "no proof", "proof of nothing"],
)
def test_a_log_that_went_back_or_is_another_is_refused(
    witness: Witness, leaves: list[bytes], proof: tuple[bytes, ...], code: str
) -> None:
    before = shown(witness, LEAVES[:12])
    with pytest.raises(AlphintraError, match=code):
        witness.show(note_of(leaves), proof, trusted=KEYS.trusted, at=LATER)
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert (seen.size, seen.note, seen.at) == (12, before, AT)


def test_a_checkpoint_that_the_log_has_not_signed_is_refused(witness: Witness) -> None:
    stranger = NoteKeys(ORIGIN, [base64.b64encode(b"x" * 32).decode()])
    note = stranger.sign(Checkpoint(origin=ORIGIN, size=1, root=LEAVES[0]))
    with pytest.raises(AlphintraError, match="AUDIT_SIGNATURE"):
        witness.show(note, (), trusted=KEYS.trusted, at=AT)
    assert witness.seen(ORIGIN) is None


def test_a_declared_loss_is_taken_once_and_kept(witness: Witness) -> None:
    shown(witness, LEAVES[:12])
    loss = witness.declare(ORIGIN, reason="disk lost", by="anna", at=AT)
    assert (loss.lost_size, loss.size) == (12, None)
    shown(witness, OTHERS[:5], at=LATER)
    (kept,) = witness.recoveries(ORIGIN)
    assert (kept.lost_root, kept.size, kept.reason) == (edge_of(LEAVES[:12]).root(), 5, "disk lost")
    with pytest.raises(AlphintraError, match="AUDIT_ROLLBACK"):
        shown(witness, OTHERS[:4])
    shown(witness, OTHERS, 5)


def test_a_loss_declared_of_a_log_that_lost_nothing_opens_no_door(witness: Witness) -> None:
    shown(witness, LEAVES[:12])
    witness.declare(ORIGIN, reason="by mistake", by="anna", at=AT)
    shown(witness, LEAVES, 12)
    with pytest.raises(AlphintraError, match="AUDIT_ROLLBACK"):
        shown(witness, LEAVES[:3])


def test_a_log_that_lost_all_begins_anew(witness: Witness) -> None:
    shown(witness, LEAVES[:12])
    witness.declare(ORIGIN, reason="disk lost", by="anna", at=AT)
    shown(witness, [])
    shown(witness, OTHERS[:3])
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert seen.size == 3


def test_a_loss_of_what_was_never_seen_cannot_be_declared(witness: Witness) -> None:
    with pytest.raises(AlphintraError, match="AUDIT_UNKNOWN"):
        witness.declare(ORIGIN, reason="r", by="b", at=AT)


@pytest.mark.parametrize(
    "change",
    [
        "update logs set size = 3",
        "update logs set root = x'00'",
        "update logs set note = replace(note, '12', '11')",
    ],
)
def test_a_store_that_somebody_else_wrote_is_not_believed(witness: Witness, change: str) -> None:
    shown(witness, LEAVES[:12])
    with sqlite3.connect(witness.path) as store:
        store.execute(change)
    with pytest.raises(AlphintraError, match="AUDIT_SIGNATURE"):
        witness.witnessed(ORIGIN, KEYS.trusted, at=AT)


def test_a_store_that_is_not_there_or_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(AlphintraError, match="WITNESS_UNREACHABLE"):
        shown(Witness(tmp_path / "taken" / "inside", OWN), LEAVES)
    (tmp_path / "witness.db").write_text("no database at all" * 100)
    with pytest.raises(AlphintraError, match="WITNESS_UNREACHABLE"):
        shown(Witness(tmp_path, OWN), LEAVES)
