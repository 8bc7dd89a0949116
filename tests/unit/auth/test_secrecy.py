"""What a message shows of itself holds no secret, and what travels does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from rich.pretty import pretty_repr

from alphintra.contracts import auth

SECRET_FIELDS = {"password", "secret", "token", "access_token", "refresh_token"}
SECRET = "hush-hush"


def secret_messages() -> Iterator[type[msgspec.Struct]]:
    for name in auth.__all__:
        message = getattr(auth, name)
        if SECRET_FIELDS & set(message.__struct_fields__):
            yield message


def filled(message: type[msgspec.Struct]) -> msgspec.Struct:
    """Return a message whose secret fields hold the secret, and its other texts something else."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(message):
        if field.name in SECRET_FIELDS:
            values[field.name] = SECRET
        elif field.type is str:
            values[field.name] = "shown"
        elif field.type is UUID:
            values[field.name] = UUID(int=1)
        elif "datetime" in str(field.type):
            values[field.name] = datetime(2026, 3, 2, tzinfo=UTC)
        else:
            values[field.name] = ()
    return message(**values)


@pytest.mark.parametrize("message", list(secret_messages()), ids=lambda message: message.__name__)
def test_a_secret_is_shown_neither_by_repr_nor_by_a_rich_traceback(message: type[msgspec.Struct]) -> None:
    value = filled(message)
    assert SECRET in msgspec.json.encode(value).decode()
    for text in (repr(value), pretty_repr(value), str(value)):
        assert SECRET not in text
        assert message.__name__ in text


def test_the_messages_with_secrets_are_found_and_the_rest_is_shown() -> None:
    assert {message.__name__ for message in secret_messages()} >= {"LogIn", "TokensView", "ApiKeyCreated", "SetUpOwner"}
    assert repr(auth.LogIn(email="ada@example.org", password=SECRET)) == (
        "LogIn(email='ada@example.org', password='…', address='', code='…')"
    )
    assert repr(auth.SetupTokenView(token=None, expires_at=None)) == "SetupTokenView(token=None, expires_at=None)"
