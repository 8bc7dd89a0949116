"""Checkpoints as signed notes: the published formats, and every way to forge one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.dataplane.chain.notes import (
    Checkpoint,
    NoteKeys,
    checkpoint_of,
    cosignatures_of,
    public_key,
)
from alphintra.kernel.errors import AlphintraError

SEED = base64.b64encode(b"1" * 32).decode()
KEYS = NoteKeys("example.org/log", [SEED])
WITNESS = NoteKeys("example.org/witness", [base64.b64encode(b"2" * 32).decode()])
CHECKPOINT = Checkpoint(origin="example.org/log", size=20852163, root=sha256(b"root").digest())
AT = datetime(2026, 3, 1, 12, 30, 1, 500000, tzinfo=UTC)


def test_a_note_is_written_as_c2sp_has_it() -> None:
    """By hand, from the text of the formats: signed-note and tlog-checkpoint."""
    key = Ed25519PrivateKey.from_private_bytes(b"1" * 32)
    raw = key.public_key().public_bytes_raw()
    body = f"example.org/log\n20852163\n{base64.b64encode(sha256(b'root').digest()).decode()}\n"
    ident = sha256(b"example.org/log\n\x01" + raw).digest()[:4]
    line = f"\u2014 example.org/log {base64.b64encode(ident + key.sign(body.encode())).decode()}\n"
    assert KEYS.sign(CHECKPOINT) == f"{body}\n{line}"
    assert KEYS.trusted[0].text == f"example.org/log+{ident.hex()}+{base64.b64encode(bytes([1]) + raw).decode()}"


def test_a_cosignature_is_written_as_c2sp_has_it() -> None:
    note = WITNESS.cosign(KEYS.sign(CHECKPOINT), at=AT)
    key = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
    ident = sha256(b"example.org/witness\n\x04" + key.public_key().public_bytes_raw()).digest()[:4]
    seconds = int(AT.timestamp())
    signed = key.sign(f"cosignature/v1\ntime {seconds}\n{CHECKPOINT.text}".encode())
    packed = base64.b64encode(ident + seconds.to_bytes(8, "big") + signed).decode()
    assert note.endswith(f"\u2014 example.org/witness {packed}\n")
    assert cosignatures_of(note, WITNESS.trusted)[0].at == AT.replace(microsecond=0)
    assert checkpoint_of(note, KEYS.trusted) == CHECKPOINT, "the log's own signature stays what it was"


def test_a_key_is_read_as_it_was_written() -> None:
    assert public_key(KEYS.trusted[0].text) == KEYS.trusted[0]
    for broken in ("", "name", "name+00000000+!!", KEYS.trusted[0].text[:-8], "+00000000+" + "A" * 44):
        with pytest.raises(AlphintraError, match="AUDIT_NOTE"):
            public_key(broken)


def test_an_old_key_is_believed_as_long_as_it_is_trusted() -> None:
    newer = NoteKeys("example.org/log", [base64.b64encode(b"3" * 32).decode(), SEED])
    assert checkpoint_of(KEYS.sign(CHECKPOINT), newer.trusted) == CHECKPOINT
    with pytest.raises(AlphintraError, match="AUDIT_SIGNATURE"):
        checkpoint_of(newer.sign(CHECKPOINT), KEYS.trusted)


def test_a_key_of_another_name_proves_nothing() -> None:
    other = NoteKeys("example.org/other", [SEED])
    with pytest.raises(AlphintraError, match="AUDIT_SIGNATURE"):
        checkpoint_of(other.sign(CHECKPOINT), [*KEYS.trusted, *other.trusted])


@settings(deadline=None)
@given(st.data())
def test_no_note_that_differs_by_a_character_is_believed(data: st.DataObject) -> None:
    note = WITNESS.cosign(KEYS.sign(CHECKPOINT), at=AT)
    place = data.draw(st.integers(0, len(note) - 1))
    put = data.draw(st.characters(min_codepoint=10, max_codepoint=0x2014, exclude_categories=["Cs"]))
    changed = note[:place] + put + note[place + 1 :]
    if changed == note:
        return
    try:
        found = checkpoint_of(changed, KEYS.trusted)
        signed = cosignatures_of(changed, WITNESS.trusted)
    except AlphintraError:
        return
    # What is left untouched by a change is what it was: one signature may be broken while the other one holds.
    assert found == CHECKPOINT
    assert all(each.at == AT.replace(microsecond=0) for each in signed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n1\n\n",
        "a\n-1\nAAAA\n\n\u2014 a AAAA\n",
        "a\n01\nAAAA\n\n\u2014 a AAAA\n",
        "a\n1\nAAAA\nmore\n\n\u2014 a AA==\n",
    ],
)
def test_what_is_no_checkpoint_is_told(text: str) -> None:
    with pytest.raises(AlphintraError, match="AUDIT_NOTE"):
        checkpoint_of(text, KEYS.trusted)
