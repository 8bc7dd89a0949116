"""Codes of authenticator apps against RFC 6238, and recovery codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from alphintra.auth.domain import is_code_form, matching_step, new_recovery_code, otpauth_uri, recovery_hash, seed_text

SEED = b"12345678901234567890"  # RFC 6238, appendix B; its eight digits end in the six that apps show


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert matching_step(SEED, code, at=at) == seconds // 30
    assert matching_step(SEED, f"{code[:3]} {code[3:]}", at=at) == seconds // 30


def test_a_code_is_taken_half_a_minute_early_and_late_and_no_more() -> None:
    at = datetime.fromtimestamp(1111111110, UTC)
    step = 1111111109 // 30
    taken = {
        seconds: matching_step(SEED, "081804", at=at + timedelta(seconds=seconds))
        for seconds in (-61, -31, -1, 29, 30, 60)
    }
    assert taken == {-61: None, -31: step, -1: step, 29: step, 30: None, 60: None}


@pytest.mark.parametrize("text", ["", "28708", "2870820", "28708a", "\u0662\u0668\u0667\u0660\u0668\u0662", "287 08"])
def test_what_has_not_the_form_of_a_code_is_none(text: str) -> None:
    assert not is_code_form(text)
    assert matching_step(SEED, text, at=datetime.fromtimestamp(59, UTC)) is None


def test_an_app_reads_the_same_secret_from_the_uri_as_people_type() -> None:
    uri = urlsplit(otpauth_uri(SEED, email="ada+x@example.org"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Alphintra:ada%2Bx%40example.org")
    assert parse_qs(uri.query)["secret"] == [seed_text(SEED)] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]


def test_a_recovery_code_is_read_however_it_is_typed() -> None:
    text, stored = new_recovery_code(bytes(range(10)))
    assert text == "AAAQ-EAYE-AUDA-OCAJ"
    assert recovery_hash(text) == recovery_hash(text.lower().replace("-", " ")) == stored
    assert recovery_hash("AAAQ-EAYE-AUDA-OCAK") != stored
    assert recovery_hash("AAAQ-EAYE-AUDA") is recovery_hash("") is recovery_hash("123456") is None
