"""Credentials open for the connection they were sealed for, and show nothing of themselves."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from alphintra.broker.gateways.vault import Credentials, Vault
from alphintra.infrastructure.envelope import parse_keys
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId

OLD = "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NEW = "2:OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg="
ACCOUNT, OTHER = AccountId(UUID(int=1)), AccountId(UUID(int=2))
CANARY = "canary-secret"
CREDENTIALS = Credentials({"key_id": "k", "secret_key": CANARY})


def vault(text: str = OLD) -> Vault:
    return Vault(parse_keys(text, of="broker's connections"))


def code_of(keys: Vault, sealed: object, account_id: AccountId = ACCOUNT) -> str:
    with pytest.raises(AlphintraError) as refused:
        keys.open(sealed, account_id)  # type: ignore[arg-type]
    return refused.value.code


def test_what_is_sealed_opens_and_shows_nothing() -> None:
    sealed = vault().seal(CREDENTIALS, ACCOUNT, version=1)
    assert vault().open(sealed, ACCOUNT)["secret_key"] == CANARY
    assert CANARY not in f"{sealed} {sealed!r} {CREDENTIALS} {CREDENTIALS!r}"


def test_a_row_of_another_account_or_version_or_altered_does_not_open() -> None:
    sealed = vault().seal(CREDENTIALS, ACCOUNT, version=1)
    torn = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    assert code_of(vault(), sealed, OTHER) == "CREDENTIALS_UNREADABLE"
    assert code_of(vault(), replace(sealed, version=2)) == "CREDENTIALS_UNREADABLE"
    assert code_of(vault(), replace(sealed, ciphertext=torn)) == "CREDENTIALS_UNREADABLE"
    assert code_of(vault(), replace(sealed, wrapped_key=b"")) == "CREDENTIALS_UNREADABLE"


def test_a_rewrapped_key_needs_the_older_one_no_more() -> None:
    sealed = vault().seal(CREDENTIALS, ACCOUNT, version=1)
    assert code_of(vault(NEW), sealed) == "CREDENTIALS_UNREADABLE"
    rewrapped = vault(f"{NEW},{OLD}").rewrap(sealed, ACCOUNT)
    assert vault(NEW).open(rewrapped, ACCOUNT)["secret_key"] == CANARY
    assert rewrapped.ciphertext == sealed.ciphertext


@pytest.mark.parametrize("text", ["", "1", "1:short", "x:MDEy", "1:c2hvcnQ="])
def test_keys_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        parse_keys(text, of="broker's connections")
    assert refused.value.code == ("KEYS_UNREADABLE" if text else "KEYS_MISSING")


def test_each_sealing_uses_a_key_of_its_own() -> None:
    one, other = (vault().seal(CREDENTIALS, ACCOUNT, version=1) for _ in range(2))
    assert one.ciphertext != other.ciphertext
    assert code_of(vault(), replace(one, wrapped_key=other.wrapped_key)) == "CREDENTIALS_UNREADABLE"
