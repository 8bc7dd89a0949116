"""The first owner gets in with a one-time token, once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from uuid import UUID

from alphintra.contracts.auth import CreateSetupToken, ListUsers, SetUpOwner
from alphintra.kernel.messages import Actor, Context
from fixtures.services import operator_context, person_context
from integration.auth.scene import ANONYMOUS, PASSWORD, Auth, code_of


async def token_of(auth: Auth) -> str:
    token = (await auth.ask(CreateSetupToken(), operator_context())).token
    assert token is not None
    return token


def owner(token: str, name: str = "ada", *, password: str = PASSWORD) -> SetUpOwner:
    return SetUpOwner(token=token, email=f"{name}@example.org", password=password)


async def test_the_token_makes_an_owner_and_tells_it(auth: Auth) -> None:
    view = await auth.ask(owner(await token_of(auth)))
    assert (view.email, view.role, view.created_at) == ("ada@example.org", "owner", auth.clock.at)
    (event,) = await auth.events("user_registered")
    assert event["aggregate_id"] == view.user_id
    told = json.loads(event["event"])
    assert (told["email"], told["role"], told["user_id"]) == ("ada@example.org", "owner", str(view.user_id))
    (row,) = await auth.audited("user.set_up_owner")
    assert (row["actor"], row["object"]) == (f"user:{view.user_id}", f"user:{view.user_id}")


async def test_of_many_who_set_up_at_once_exactly_one_becomes_owner(auth: Auth) -> None:
    token = await token_of(auth)
    codes = await asyncio.gather(*(code_of(auth, owner(token, f"someone{n}")) for n in range(12)))
    assert Counter(codes) == {"ok": 1, "SETUP_TOKEN_INVALID": 11}
    assert len(await auth.query("select user_id from users")) == 1
    assert len(await auth.events("user_registered")) == 1


async def test_a_token_is_used_once_and_none_is_made_once_there_is_an_owner(auth: Auth) -> None:
    token = await token_of(auth)
    assert await code_of(auth, owner(token)) == "ok"
    assert await code_of(auth, owner(token, "eve")) == "SETUP_TOKEN_INVALID"
    view = await auth.ask(CreateSetupToken(), operator_context())
    assert (view.token, view.expires_at) == (None, None)


async def test_an_owner_registered_meanwhile_ends_the_setup(auth: Auth) -> None:
    token = await token_of(auth)
    await auth.register("grace", "owner")
    assert await code_of(auth, owner(token)) == "SETUP_DONE"


async def test_a_newer_token_replaces_the_older(auth: Auth) -> None:
    older, newer = await token_of(auth), await token_of(auth)
    assert await code_of(auth, owner(older)) == "SETUP_TOKEN_INVALID"
    assert await code_of(auth, owner(newer)) == "ok"


async def test_a_token_expires_after_a_day(auth: Auth) -> None:
    token = await token_of(auth)
    auth.wait(hours=24)
    assert await code_of(auth, owner(token)) == "SETUP_TOKEN_INVALID"
    assert await auth.query("select user_id from users") == []


async def test_bad_input_does_not_use_the_token_up(auth: Auth) -> None:
    token = await token_of(auth)
    assert await code_of(auth, owner(token, password="short")) == "PASSWORD_TOO_SHORT"
    assert await code_of(auth, SetUpOwner(token=token, email="nobody", password=PASSWORD)) == "EMAIL_FORMAT"
    assert await code_of(auth, owner("", "ada")) == "SETUP_TOKEN_INVALID"
    assert await code_of(auth, owner(token)) == "ok"


async def test_nobody_but_the_operator_at_the_machine_makes_a_token(auth: Auth) -> None:
    for context in (
        ANONYMOUS,
        Context(trace_id="0" * 32, actor=Actor(id="operator")),
        Context(trace_id="0" * 32, actor=Actor(id="service:trading", roles=("operator",))),
        person_context("owner", user_id=UUID(int=1)),
        person_context("operator", user_id=UUID(int=1)),
    ):
        assert await code_of(auth, CreateSetupToken(), context) == "ROLE_REQUIRED"
    assert await auth.query("select token_hash from setup_tokens") == []


async def test_the_token_is_not_stored(auth: Auth) -> None:
    token = await token_of(auth)
    (row,) = await auth.query("select token_hash from setup_tokens")
    assert token.encode() not in row["token_hash"]
    assert len(row["token_hash"]) == 32
    assert (await auth.ask(ListUsers(), operator_context())).users == ()
