"""API keys: shown once, limited, revoked by their person alone."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from uuid import UUID

from alphintra.auth.domain import Role
from alphintra.contracts.auth import (
    ApiKeyCreated,
    CreateApiKey,
    ListApiKeys,
    RevokeApiKey,
    VerifyApiKey,
)
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import AccountMode
from fixtures.services import operator_context
from integration.auth.scene import Auth, Person, code_of


def create(*scopes: str, name: str = "bot", mode: str = "paper", user_id: UUID | None = None) -> CreateApiKey:
    return CreateApiKey(name=name, scopes=scopes or ("read",), mode=mode, user_id=user_id)


def from_addresses(*addresses: str) -> CreateApiKey:
    return CreateApiKey(name="bot", scopes=("read",), addresses=addresses)


def verify(key: ApiKeyCreated, *, secret: str | None = None) -> VerifyApiKey:
    return VerifyApiKey(key_id=key.key_id, secret=key.secret if secret is None else secret)


async def test_a_key_stands_for_its_person_with_its_scopes_and_mode(auth: Auth) -> None:
    ada = await auth.register("ada")
    key = await auth.ask(create("trade", "read", mode="live"), ada.context)
    assert re.fullmatch(r"AK[A-Z2-7]{18}", key.key_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key.secret)
    principal = await auth.ask(verify(key))
    assert (principal.user_id, principal.role, principal.key_id) == (ada.user_id, "trader", key.key_id)
    assert (principal.scopes, principal.mode) == (("read", "trade"), "live")


async def test_the_secret_is_shown_once_and_stored_nowhere(auth: Auth) -> None:
    ada = await auth.register("ada")
    key = await auth.ask(create(), ada.context)
    stored = str(await auth.query("select k::text from api_keys as k")) + str(await auth.audited("api_key.create"))
    assert key.key_id in stored
    assert key.secret not in stored + repr(key) + repr(verify(key))
    (listed,) = (await auth.ask(ListApiKeys(), ada.context)).keys
    assert (listed.key_id, listed.name, listed.created_at) == (key.key_id, "bot", auth.clock.at)


async def test_wrong_secret_unknown_key_and_revoked_key_get_the_same_answer(auth: Auth) -> None:
    ada = await auth.register("ada")
    key, revoked = await auth.ask(create(), ada.context), await auth.ask(create(), ada.context)
    await auth.ask(RevokeApiKey(key_id=revoked.key_id), ada.context)
    bad = (
        verify(key, secret=revoked.secret),
        verify(key, secret=""),
        verify(revoked),
        VerifyApiKey(key_id="AK" + "A" * 18, secret=key.secret),
        VerifyApiKey(key_id="AK\0", secret=key.secret),
        VerifyApiKey(key_id=key.key_id.lower(), secret=key.secret),
    )
    assert {await code_of(auth, command) for command in bad} == {"KEY_INVALID"}
    assert await code_of(auth, verify(key)) == "ok"


async def test_nobody_revokes_or_sees_the_key_of_another(auth: Auth) -> None:
    ada, eve = await auth.register("ada"), await auth.register("eve")
    key = await auth.ask(create(), ada.context)
    assert await code_of(auth, RevokeApiKey(key_id=key.key_id), eve.context) == "KEY_NOT_FOUND"
    assert await code_of(auth, RevokeApiKey(key_id="AK" + "A" * 18), eve.context) == "KEY_NOT_FOUND"
    assert await code_of(auth, RevokeApiKey(key_id="\0"), eve.context) == "KEY_NOT_FOUND"
    assert (await auth.ask(ListApiKeys(), eve.context)).keys == ()
    assert await code_of(auth, verify(key)) == "ok"
    assert await auth.events("api_key_revoked") == []


async def test_a_key_is_revoked_once_however_often_it_is_asked(auth: Auth) -> None:
    ada = await auth.register("ada")
    key = await auth.ask(create(), ada.context)
    revoked_at = auth.clock.at
    views = await asyncio.gather(*(auth.ask(RevokeApiKey(key_id=key.key_id), ada.context) for _ in range(8)))
    auth.wait(minutes=1)
    views.append(await auth.ask(RevokeApiKey(key_id=key.key_id), ada.context))
    assert {view.revoked_at for view in views} == {revoked_at}
    (event,) = await auth.events("api_key_revoked")
    assert event["aggregate_id"] == ada.user_id
    assert json.loads(event["event"])["key_id"] == key.key_id
    assert [row["object"] for row in await auth.audited("api_key.revoke")] == [f"api_key:{key.key_id}"]


async def test_a_key_follows_the_role_of_its_person(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    key = await auth.ask(create("read", "trade", "admin"), ada.context)
    await auth.query("update users set role = 'viewer'")
    principal = await auth.ask(verify(key))
    assert (principal.role, principal.scopes) == ("viewer", ("read",))


async def test_the_operator_at_the_machine_makes_a_key_for_somebody(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    key = await auth.ask(create("admin", user_id=ada.user_id), operator_context())
    assert (await auth.ask(verify(key))).user_id == ada.user_id
    (row,) = await auth.audited("api_key.create")
    assert row["actor"] == "operator"
    assert json.loads(row["detail"]) == {
        "mode": "paper",
        "scopes": ["admin"],
        "user_id": str(ada.user_id),
        "account_id": None,
        "addresses": [],
    }
    assert await code_of(auth, create(user_id=UUID(int=1)), operator_context()) == "USER_NOT_FOUND"
    assert await code_of(auth, create(), operator_context()) == "USER_REQUIRED"


async def test_who_may_make_a_key_for_another(auth: Auth) -> None:
    people = {(role, n): await auth.register(f"{role}{n}", role) for role in Role for n in range(2)}
    allowed = {("owner", role) for role in Role} | {("operator", role) for role in Role if role != "owner"}
    for actor in Role:
        for target in Role:
            command = create(user_id=people[target, 1].user_id)
            refused = "ROLE_REQUIRED" if actor == "operator" else "USER_NOT_FOUND"
            code = "ok" if (actor, target) in allowed else refused
            assert await code_of(auth, command, people[actor, 0].context) == code, (actor, target)
    assert len(await auth.query("select key_id from api_keys")) == len(allowed)


async def test_a_key_that_cannot_be_is_not_stored(auth: Auth) -> None:
    ada = await auth.register("ada")
    for command, code in (
        (create("write"), "KEY_SCOPE"),
        (create("admin"), "KEY_SCOPE"),
        (CreateApiKey(name="bot", scopes=()), "KEY_SCOPE"),
        (create(mode="demo"), "KEY_MODE"),
        (from_addresses("office"), "KEY_ADDRESS"),
        (from_addresses("203.0.113.7/24"), "KEY_ADDRESS"),  # a host and a network at once
        (from_addresses(*(f"203.0.113.{each}" for each in range(51))), "KEY_ADDRESS"),
        (create(name=""), "FIELD_LENGTH"),
        (create(name="bot\n"), "FIELD_CHARS"),
    ):
        assert await code_of(auth, command, ada.context) == code
    assert await auth.query("select key_id from api_keys") == []


async def test_a_lesser_key_does_not_make_or_revoke_keys(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    key = await auth.ask(create("admin"), ada.with_key("admin"))
    lesser = ada.with_key("read", "trade")
    assert await code_of(auth, create("admin"), lesser) == "AUTH_SCOPE"
    assert await code_of(auth, RevokeApiKey(key_id=key.key_id), lesser) == "AUTH_SCOPE"


async def test_keys_of_a_person_are_bounded_also_when_made_at_once(auth: Auth) -> None:
    ada = await auth.register("ada")
    codes = await asyncio.gather(*(code_of(auth, create(), ada.context) for _ in range(55)))
    assert Counter(codes) == {"ok": 50, "KEY_LIMIT": 5}
    await _revoke_one(auth, ada)
    assert await code_of(auth, create(), ada.context) == "ok"


async def _revoke_one(auth: Auth, person: Person) -> None:
    first = (await auth.ask(ListApiKeys(), person.context)).keys[0]
    await auth.ask(RevokeApiKey(key_id=first.key_id), person.context)


async def test_a_key_is_for_the_addresses_it_was_made_for(auth: Auth) -> None:
    ada = await auth.register("ada")
    key = await auth.ask(from_addresses("203.0.113.7", "2001:db8::/48", "203.0.113.7"), ada.context)
    assert key.addresses == ("203.0.113.7/32", "2001:db8::/48")
    assert (await auth.ask(verify(key))).addresses == key.addresses
    (listed,) = (await auth.ask(ListApiKeys(), ada.context)).keys
    assert listed.addresses == key.addresses
    (row,) = await auth.audited("api_key.create")
    assert json.loads(row["detail"])["addresses"] == list(key.addresses)


async def test_a_key_of_some_addresses_makes_none_for_others(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    wanted = CreateApiKey(name="bot", scopes=("admin",), addresses=("203.0.113.0/24",))
    maker = await auth.ask(wanted, ada.context)
    actor = Actor(
        id=f"key:{maker.key_id}", user_id=ada.user_id, roles=("owner",), scopes=("admin",), mode=AccountMode.PAPER
    )
    context = Context(trace_id="t", actor=actor)
    assert await code_of(auth, from_addresses(), context) == "AUTH_SCOPE"
    assert await code_of(auth, from_addresses("203.0.113.0/25", "198.51.100.1"), context) == "AUTH_SCOPE"
    assert await code_of(auth, from_addresses("2001:db8::/48"), context) == "AUTH_SCOPE"
    assert await code_of(auth, from_addresses("203.0.113.0/25"), context) == "ok"
