"""What is sealed comes back as it was, or not at all."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.backup.sealing import Key, Sealer, unseal
from alphintra.kernel.errors import AlphintraError

KEY = Key(b"k" * 32)
LARGE = bytes(itertools.islice(itertools.cycle(range(251)), 700_000))


def sealed(plain: list[bytes], key: Key = KEY, about: str = "home/service-risk/b1/schema.dump") -> tuple[bytes, Sealer]:
    sealer = Sealer(key, about)
    return b"".join(sealer.seal(plain)), sealer


def opened(
    stored: bytes, *, step: int = 70_000, key: Key = KEY, about: str = "home/service-risk/b1/schema.dump"
) -> bytes:
    pieces = (stored[at : at + step] for at in range(0, len(stored), step))
    return b"".join(unseal(pieces, key=key, about=about, name="schema.dump"))


def noise(size: int) -> bytes:
    """Bytes that cannot be compressed, so that a file takes several frames."""
    return b"".join(number.to_bytes(8, "big") for number in (pow(3, at, 2**61 - 1) for at in range(size // 8)))


NOISE = noise(2_500_000)


@given(st.lists(st.binary(max_size=3000), max_size=6), st.integers(1, 5000))
def test_what_is_sealed_comes_back_however_it_is_cut(pieces: list[bytes], step: int) -> None:
    stored, sealer = sealed(pieces)
    assert opened(stored, step=step) == b"".join(pieces)
    assert sealer.measured is not None
    assert (sealer.measured.bytes, sealer.measured.stored_bytes) == (sum(map(len, pieces)), len(stored))


def test_files_of_many_frames_come_back() -> None:
    stored, _sealer = sealed([NOISE, LARGE])
    assert len(stored) > 2_000_000
    assert opened(stored) == NOISE + LARGE


@given(st.data())
def test_a_changed_byte_is_found_wherever_it_is(data: st.DataObject) -> None:
    stored = bytearray(SEALED)
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AlphintraError, match="BACKUP_CHECKSUM"):
        opened(bytes(stored))


@given(st.integers(0, 2_600_000))
def test_a_file_that_was_cut_off_is_found(end: int) -> None:
    with pytest.raises(AlphintraError, match="BACKUP_CHECKSUM"):
        opened(SEALED[: min(end, len(SEALED) - 1)])


def test_a_frame_left_out_is_found() -> None:
    head, frame = 24, 1_048_576 + 16
    with pytest.raises(AlphintraError, match="BACKUP_CHECKSUM"):
        opened(SEALED[:head] + SEALED[head + frame :])


def test_another_key_another_file_and_another_service_open_nothing() -> None:
    for key, about in ((Key(b"x" * 32), "home/service-risk/b1/schema.dump"), (KEY, "home/service-auth/b1/schema.dump")):
        with pytest.raises(AlphintraError, match="BACKUP_CHECKSUM"):
            opened(SEALED, key=key, about=about)


def test_the_same_file_sealed_twice_is_stored_differently() -> None:
    assert sealed([LARGE])[0] != sealed([LARGE])[0]


def test_nothing_of_what_is_sealed_shows() -> None:
    stored, _sealer = sealed([b"the password is canary-81f3" * 400])
    assert b"canary" not in stored


SEALED = sealed([NOISE])[0]
