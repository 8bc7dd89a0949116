"""SCRAM verifiers: the published example, and whose password they are."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.scram import fits, verifier_of
from alphintra.kernel.errors import AlphintraError

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def test_the_keys_are_those_of_the_published_exchange() -> None:
    # RFC 7677 section 3: user, pencil, this salt, 4096 rounds; the keys follow from its client proof and signature.
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    verifier = verifier_of("pencil", salt=salt, iterations=4096)
    stored, server = verifier.rsplit("$", 1)[1].split(":")
    assert stored == "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    assert server == "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="


@given(password=PRINTABLE, other=PRINTABLE, salt=st.binary(min_size=16, max_size=16))
def test_a_verifier_fits_its_password_alone(password: str, other: str, salt: bytes) -> None:
    verifier = verifier_of(password, salt=salt, iterations=2)
    assert fits(password, verifier)
    assert fits(other, verifier) == (other == password)


@pytest.mark.parametrize(
    "stored", [None, "", "md5d41d8cd98f00b204e9800998ecf8427e", "SCRAM-SHA-256$4096:!$a:b", "SCRAM-SHA-256$1:a$a:b"]
)
def test_anything_else_stored_fits_nothing(stored: str | None) -> None:
    assert not fits("secret", stored)


@pytest.mark.parametrize("password", ["", "pässword", "tab\there", "null\x00"])
def test_a_password_that_clients_could_read_differently_is_refused(password: str) -> None:
    with pytest.raises(AlphintraError, match="PASSWORD_FORMAT"):
        verifier_of(password, salt=b"0" * 16)
