"""Who is let in: people disabled and enabled, sessions looked at and ended, keys of others."""

from __future__ import annotations

import json
from uuid import UUID

from alphintra.contracts.auth import (
    CreateApiKey,
    DisableUser,
    EnableUser,
    ListApiKeys,
    ListSessions,
    ListUsers,
    LogIn,
    RefreshSession,
    RevokeApiKey,
    RevokeSession,
    VerifyApiKey,
)
from fixtures.services import operator_context, person_context
from integration.auth.scene import PASSWORD, Auth, Person, code_of

SOMEBODY = UUID(int=9)


def disable(person: Person, reason: str = "has left the firm") -> DisableUser:
    return DisableUser(user_id=person.user_id, reason=reason)


async def test_whoever_is_disabled_has_no_session_no_sign_in_and_no_key(auth: Auth) -> None:
    ada, bob = await auth.register("ada", "owner"), await auth.register("bob")
    sessions = [await auth.log_in(bob), await auth.log_in(bob)]
    key = await auth.ask(CreateApiKey(name="bot", scopes=("read",)), bob.context)
    done = await auth.ask(disable(bob), ada.context)
    assert set(done.session_ids) == {one.session_id for one in sessions}
    assert done.key_ids == (key.key_id,)
    assert done.user.disabled_at == auth.clock.at
    for session in sessions:
        assert await code_of(auth, RefreshSession(refresh_token=session.refresh_token)) == "SESSION_ENDED"
    assert await code_of(auth, LogIn(email=bob.email, password=PASSWORD)) == "USER_DISABLED"
    assert await code_of(auth, LogIn(email=bob.email, password="not it at all")) == "LOGIN_FAILED"
    assert await code_of(auth, VerifyApiKey(key_id=key.key_id, secret=key.secret)) == "KEY_INVALID"
    create = CreateApiKey(name="another", scopes=("read",), user_id=bob.user_id)
    assert await code_of(auth, create, ada.context) == "USER_DISABLED"
    assert len(await auth.events("session_revoked")) == len(sessions)
    (row,) = await auth.audited("user.disable")
    assert (row["actor"], row["object"]) == (f"user:{ada.user_id}", f"user:{bob.user_id}")
    assert json.loads(row["detail"]) == {"reason": "has left the firm", "sessions": 2, "keys": 1}
    await auth.ask(disable(bob), ada.context)
    assert len(await auth.audited("user.disable")) == 1


async def test_whoever_is_enabled_again_signs_in_anew_and_their_keys_are_taken(auth: Auth) -> None:
    ada, bob = await auth.register("ada", "owner"), await auth.register("bob")
    before = await auth.log_in(bob)
    key = await auth.ask(CreateApiKey(name="bot", scopes=("read",)), bob.context)
    await auth.ask(disable(bob), ada.context)
    enabled = await auth.ask(EnableUser(user_id=bob.user_id, reason="is back"), ada.context)
    assert enabled.disabled_at is None
    assert await code_of(auth, RefreshSession(refresh_token=before.refresh_token)) == "SESSION_ENDED"
    await auth.log_in(bob)
    await auth.ask(VerifyApiKey(key_id=key.key_id, secret=key.secret))
    await auth.ask(EnableUser(user_id=bob.user_id, reason="once more"), ada.context)
    assert [json.loads(row["detail"]) for row in await auth.audited("user.enable")] == [{"reason": "is back"}]


async def test_who_may_disable_whom(auth: Auth) -> None:
    ada, olga = await auth.register("ada", "owner"), await auth.register("olga", "operator")
    bob = await auth.register("bob")
    for command, context, code in (
        (disable(olga), bob.context, "ROLE_REQUIRED"),
        (disable(bob), bob.context, "ROLE_REQUIRED"),
        (disable(ada), olga.context, "ROLE_REQUIRED"),
        (disable(ada), ada.context, "USER_SELF"),
        (disable(ada), operator_context(), "OWNER_LAST"),
        (disable(bob), ada.with_key("read", "trade"), "AUTH_SCOPE"),
        (disable(bob, "   "), ada.context, "REASON_FORMAT"),
        (disable(Person(user_id=SOMEBODY, email="", role="trader")), ada.context, "USER_NOT_FOUND"),
        (EnableUser(user_id=ada.user_id, reason="x"), olga.context, "ROLE_REQUIRED"),
        (EnableUser(user_id=bob.user_id, reason="x"), bob.context, "ROLE_REQUIRED"),
        (disable(bob), olga.context, "ok"),
    ):
        assert await code_of(auth, command, context) == code, (command, context)
    second = await auth.register("eve", "owner")
    assert await code_of(auth, disable(ada), second.context) == "ok"
    assert await code_of(auth, disable(second), operator_context()) == "OWNER_LAST"


async def test_sessions_are_listed_and_ended_by_their_person_and_by_those_above(auth: Auth) -> None:
    ada, olga = await auth.register("ada", "owner"), await auth.register("olga", "operator")
    bob, eve = await auth.register("bob"), await auth.register("eve")
    first = await auth.log_in(bob, address="192.0.2.7")
    auth.wait(minutes=5)
    second = await auth.log_in(bob, address="192.0.2.8")
    listed = (await auth.ask(ListSessions(), bob.context)).sessions
    assert [(one.session_id, one.address) for one in listed] == [
        (second.session_id, "192.0.2.8"),
        (first.session_id, "192.0.2.7"),
    ]
    for context, code in ((eve.context, "ROLE_REQUIRED"), (olga.context, "ok"), (ada.context, "ok")):
        assert await code_of(auth, ListSessions(user_id=bob.user_id), context) == code
    end = RevokeSession(session_id=first.session_id)
    assert await code_of(auth, end, eve.context) == "SESSION_NOT_FOUND"
    assert await code_of(auth, RevokeSession(session_id=SOMEBODY), ada.context) == "SESSION_NOT_FOUND"
    assert await code_of(auth, end, bob.context) == "ok"
    assert await code_of(auth, RefreshSession(refresh_token=first.refresh_token)) == "SESSION_ENDED"
    assert await code_of(auth, RevokeSession(session_id=second.session_id), olga.context) == "ok"
    assert (await auth.ask(ListSessions(), bob.context)).sessions == ()
    owners = await auth.log_in(ada)
    assert await code_of(auth, RevokeSession(session_id=owners.session_id), olga.context) == "ROLE_REQUIRED"
    assert len(await auth.audited("session.revoke")) == 2


async def test_sessions_nobody_can_go_on_with_are_not_listed(auth: Auth) -> None:
    bob = await auth.register("bob")
    await auth.log_in(bob)
    auth.wait(minutes=30, seconds=1)
    assert (await auth.ask(ListSessions(), bob.context)).sessions == ()


async def test_keys_of_others_are_listed_and_revoked_by_those_above_alone(auth: Auth) -> None:
    ada, olga = await auth.register("ada", "owner"), await auth.register("olga", "operator")
    bob, eve = await auth.register("bob"), await auth.register("eve")
    key = await auth.ask(CreateApiKey(name="bot", scopes=("read",)), bob.context)
    assert [one.key_id for one in (await auth.ask(ListApiKeys(user_id=bob.user_id), ada.context)).keys] == [key.key_id]
    assert await code_of(auth, ListApiKeys(user_id=bob.user_id), eve.context) == "ROLE_REQUIRED"
    assert await code_of(auth, ListApiKeys(user_id=ada.user_id), olga.context) == "ROLE_REQUIRED"
    assert await code_of(auth, RevokeApiKey(key_id=key.key_id), eve.context) == "KEY_NOT_FOUND"
    assert await code_of(auth, RevokeApiKey(key_id=key.key_id), olga.context) == "ok"
    assert await code_of(auth, VerifyApiKey(key_id=key.key_id, secret=key.secret)) == "KEY_INVALID"
    (event,) = await auth.events("api_key_revoked")
    assert json.loads(event["event"])["user_id"] == str(bob.user_id)


async def test_the_list_of_people_tells_what_each_can_sign_in_with(auth: Auth) -> None:
    ada, bob = await auth.register("ada", "owner"), await auth.register("bob")
    await auth.log_in(bob)
    kept = await auth.ask(CreateApiKey(name="one", scopes=("read",)), bob.context)
    await auth.ask(CreateApiKey(name="two", scopes=("read",)), bob.context)
    await auth.ask(RevokeApiKey(key_id=kept.key_id), bob.context)
    _, found = (await auth.ask(ListUsers(), ada.context)).users
    assert (found.sessions, found.keys, found.has_second_factor, found.disabled_at) == (1, 1, False, None)
    await auth.ask(disable(bob), person_context("owner", user_id=ada.user_id))
    _, found = (await auth.ask(ListUsers(), ada.context)).users
    assert (found.sessions, found.disabled_at) == (0, auth.clock.at)
