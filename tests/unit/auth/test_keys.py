"""API keys: what they may be given, and who holds one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from alphintra.auth.domain import ApiKey, NewApiKey, Role, User, effective_scopes, is_key_secret, new_api_key
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import UserId

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
SECRET = "s" * 43


def a_user(role: Role = Role.TRADER) -> User:
    return User(
        user_id=UserId(UUID(int=1)), email="ada@example.org", role=role, password_hash="$argon2id$x", created_at=AT
    )


def a_key(
    *, role: Role = Role.TRADER, name: str = "bot", scopes: tuple[str, ...] = ("read",), mode: str = "paper"
) -> ApiKey:
    wanted = NewApiKey(name=name, scopes=scopes, mode=mode)
    return new_api_key(a_user(role), wanted, key_id="AK" + "A" * 18, secret=SECRET, at=AT)


def refusal(**wanted: object) -> str:
    with pytest.raises(AlphintraError) as caught:
        a_key(**wanted)  # type: ignore[arg-type] # the point is what is wrong
    return caught.value.code


def test_scopes_are_sorted_and_named_once() -> None:
    assert a_key(scopes=("trade", "read", "trade")).scopes == ("read", "trade")


@pytest.mark.parametrize("scopes", [(), ("",), ("write",), ("read", "READ"), ("read", "*")])
def test_an_unknown_or_missing_scope_is_refused(scopes: tuple[str, ...]) -> None:
    assert refusal(role=Role.OWNER, scopes=scopes) == "KEY_SCOPE"


@pytest.mark.parametrize(
    ("role", "scopes"), [(Role.VIEWER, ("trade",)), (Role.VIEWER, ("admin",)), (Role.TRADER, ("read", "admin"))]
)
def test_a_key_never_has_more_than_its_person(role: Role, scopes: tuple[str, ...]) -> None:
    assert refusal(role=role, scopes=scopes) == "KEY_SCOPE"


@pytest.mark.parametrize("role", [Role.OWNER, Role.OPERATOR])
def test_who_runs_the_installation_may_have_every_scope(role: Role) -> None:
    assert a_key(role=role, scopes=("read", "trade", "admin")).scopes == ("admin", "read", "trade")


def test_a_key_loses_what_its_person_loses() -> None:
    key = a_key(role=Role.OWNER, scopes=("read", "trade", "admin"))
    assert effective_scopes(key, Role.OWNER) == ("admin", "read", "trade")
    assert effective_scopes(key, Role.TRADER) == ("read", "trade")
    assert effective_scopes(key, Role.VIEWER) == ("read",)


@pytest.mark.parametrize("mode", ["", "Paper", "demo"])
def test_a_mode_that_is_neither_paper_nor_live_is_refused(mode: str) -> None:
    assert refusal(mode=mode) == "KEY_MODE"


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "FIELD_LENGTH"), ("  ", "FIELD_LENGTH"), ("n" * 81, "FIELD_LENGTH"), ("a\0b", "FIELD_CHARS")]
    + [(f"a{hidden}b", "FIELD_CHARS") for hidden in ("\n", "\x1b", "\u202e", "\u200b", "\u2028", "\ud800")],
)
def test_a_name_is_short_and_visible(name: str, code: str) -> None:
    assert refusal(name=name) == code


def test_the_secret_is_kept_as_a_hash_that_is_not_shown() -> None:
    key = a_key()
    assert SECRET.encode() not in key.secret_hash
    assert repr(key.secret_hash) not in repr(key)
    assert "password_hash" not in repr(a_user())


def test_only_the_secret_of_a_living_key_is_accepted() -> None:
    key = a_key()
    assert is_key_secret(key, SECRET)
    assert not is_key_secret(key, SECRET[:-1])
    assert not is_key_secret(key, SECRET + "s")
    assert not is_key_secret(key, "")
    assert not is_key_secret(key, "\ud800")
    assert not is_key_secret(replace(key, revoked_at=AT), SECRET)
    assert not is_key_secret(None, SECRET)
