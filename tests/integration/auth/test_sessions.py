"""Logging in, staying in, getting out."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import argon2
import pytest

from alphintra.auth.app import wire
from alphintra.auth.service import sessions
from alphintra.contracts.auth import GetSigningKeys, LogIn, LogOut, RefreshSession, TokensView
from alphintra.infrastructure.access_token import AccessTokens
from alphintra.infrastructure.host import Parts
from alphintra.kernel.errors import AlphintraError, Kind
from fixtures.services import StartService, operator_context
from fixtures.single_service import stop_at
from integration.auth.scene import PASSWORD, SEED, Auth, code_of


def log_in(email: str = "ada@example.org", *, password: str = PASSWORD, address: str = "192.0.2.1") -> LogIn:
    return LogIn(email=email, password=password, address=address)


def refresh(tokens: TokensView) -> RefreshSession:
    return RefreshSession(refresh_token=tokens.refresh_token)


async def test_verifiers_are_told_which_sessions_ended_while_their_tokens_live(auth: Auth) -> None:
    ada = await auth.register("ada")
    tokens, _other = await auth.log_in(ada), await auth.log_in(ada)
    assert (await auth.ask(GetSigningKeys())).ended_sessions == ()
    await auth.ask(LogOut(session_id=tokens.session_id), ada.context)
    assert (await auth.ask(GetSigningKeys())).ended_sessions == (tokens.session_id,)
    auth.wait(minutes=16)
    assert (await auth.ask(GetSigningKeys())).ended_sessions == ()


async def test_the_access_token_of_a_log_in_verifies_with_the_published_keys(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    tokens = await auth.log_in(ada)
    jwks = (await auth.ask(GetSigningKeys())).jwks
    found = AccessTokens().verify(tokens.access_token, jwks, at=auth.clock.at)
    assert (found.user_id, found.role, found.session_id) == (ada.user_id, "owner", tokens.session_id)
    assert found.expires_at == tokens.expires_at == auth.clock.at + timedelta(minutes=15)


async def test_unknown_person_and_wrong_password_get_the_same_answer(auth: Auth) -> None:
    await auth.register("ada")
    answers = []
    for command in (log_in(password="wrong password"), log_in("eve@example.org")):
        with pytest.raises(AlphintraError) as caught:
            await auth.ask(command)
        answers.append((caught.value.code, caught.value.detail, caught.value.kind, caught.value.pointer))
    assert answers[0] == answers[1]
    assert answers[0][0] == "LOGIN_FAILED"
    assert answers[0][2] is Kind.UNAUTHENTICATED


async def test_unknown_person_and_wrong_password_cost_the_same_work(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    await auth.register("ada")
    hashes: list[tuple[int, int]] = []

    def counted(name: str) -> Callable[..., Any]:
        original = getattr(argon2.PasswordHasher, name)

        def count(hasher: argon2.PasswordHasher, *values: str) -> object:
            hashes.append((hasher.time_cost, hasher.memory_cost))
            return original(hasher, *values)

        return count

    for name in ("hash", "verify"):
        monkeypatch.setattr(argon2.PasswordHasher, name, counted(name))
    assert await code_of(auth, log_in(password="wrong password")) == "LOGIN_FAILED"
    known, hashes[:] = list(hashes), []
    assert await code_of(auth, log_in("eve@example.org")) == "LOGIN_FAILED"
    assert known == hashes == [(1, 46 * 1024)]


async def test_what_cannot_be_an_account_is_refused_before_any_work(auth: Auth) -> None:
    assert await code_of(auth, log_in("nobody")) == "EMAIL_FORMAT"
    assert await code_of(auth, log_in(password="x" * 1025)) == "PASSWORD_TOO_LONG"
    assert await auth.query("select bucket from login_failures") == []


async def test_success_and_failure_are_audited_without_what_was_typed(auth: Auth) -> None:
    ada = await auth.register("ada")
    tokens = await auth.log_in(ada, address="192.0.2.7\x1b[31m")
    await code_of(auth, log_in(password="wrong password"))
    await code_of(auth, log_in("mypassword@example.org"))
    rows = await auth.audited("session.log_in", "session.log_in_failed")
    assert [(row["action"], row["object"]) for row in rows] == [
        ("session.log_in", f"user:{ada.user_id}"),
        ("session.log_in_failed", f"user:{ada.user_id}"),
        ("session.log_in_failed", "user:unknown"),
    ]
    assert json.loads(rows[0]["detail"]) == {"address": "192.0.2.7[31m", "session_id": str(tokens.session_id)}
    assert json.loads(rows[2]["detail"]) == {"address": "192.0.2.1"}


async def test_guessing_is_slowed_down_and_the_right_password_waits_too(auth: Auth) -> None:
    ada = await auth.register("ada")
    guesses = [await code_of(auth, log_in(password=f"wrong password {n}")) for n in range(7)]
    assert guesses == ["LOGIN_FAILED"] * 5 + ["AUTH_THROTTLED"] * 2
    with pytest.raises(AlphintraError, match=r"AUTH_THROTTLED: .* try again in 1 s") as caught:
        await auth.log_in(ada)
    assert caught.value.kind is Kind.LIMITED
    assert await code_of(auth, log_in(address="192.0.2.99")) == "ok"
    auth.wait(seconds=1)
    await auth.log_in(ada)
    assert await code_of(auth, log_in(password="wrong password")) == "LOGIN_FAILED"


async def test_unknown_accounts_are_throttled_like_known_ones(auth: Auth) -> None:
    guesses = [await code_of(auth, log_in("eve@example.org")) for _ in range(6)]
    assert guesses == ["LOGIN_FAILED"] * 5 + ["AUTH_THROTTLED"]


async def test_guesses_made_at_once_are_not_all_looked_at(auth: Auth) -> None:
    await auth.register("ada")
    guesses = (code_of(auth, log_in(password=f"wrong password {n}")) for n in range(30))
    assert Counter(await asyncio.gather(*guesses)) == {"LOGIN_FAILED": 5, "AUTH_THROTTLED": 25}


async def test_the_wait_survives_a_restart(auth: Auth, start_service: StartService) -> None:
    await auth.register("ada")
    for n in range(5):
        await code_of(auth, log_in(password=f"wrong password {n}"))
    await auth.service.host.close()
    again = await start_service(
        "auth",
        wire,
        secrets={"jwt_seed": SEED},
        clock=auth.clock,
        parts=Parts(background=False),
        database=auth.service.database,
    )
    assert await code_of(Auth(service=again, clock=auth.clock), log_in()) == "AUTH_THROTTLED"


async def test_counts_of_old_attempts_are_dropped(auth: Auth) -> None:
    await code_of(auth, log_in("eve@example.org"))
    auth.wait(hours=24, seconds=1)
    await code_of(auth, log_in("mallory@example.org"))
    assert len(await auth.query("select bucket from login_failures")) == 1


async def test_log_ins_past_the_queue_are_turned_away_and_counted_nowhere(auth: Auth) -> None:
    asked = (code_of(auth, log_in(f"user{n}@example.org")) for n in range(80))
    codes = Counter(await asyncio.gather(*asked))
    assert set(codes) == {"LOGIN_FAILED", "AUTH_BUSY"}
    assert len(await auth.query("select bucket from login_failures")) == codes["LOGIN_FAILED"]


async def test_a_hash_under_older_parameters_is_renewed_at_log_in(auth: Auth) -> None:
    ada = await auth.register("ada")
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await auth.query("update users set password_hash = $1", old)
    assert await code_of(auth, log_in(password="wrong password")) == "LOGIN_FAILED"
    assert (await auth.query("select password_hash from users"))[0]["password_hash"] == old
    await auth.log_in(ada)
    (row,) = await auth.query("select password_hash from users")
    assert row["password_hash"].startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    await auth.log_in(ada)
    assert await auth.query("select password_hash from users") == [row]


async def test_fifty_refreshes_at_once_yield_one_successor_and_the_session_lives(auth: Auth) -> None:
    tokens = await auth.log_in(await auth.register("ada"))
    views = await asyncio.gather(*(auth.ask(refresh(tokens)) for _ in range(50)))
    (successor,) = {view.refresh_token for view in views}
    assert successor != tokens.refresh_token
    assert len({view.access_token for view in views}) == 50
    (row,) = await auth.query("select rotations, ended_at from sessions")
    assert (row["rotations"], row["ended_at"]) == (1, None)
    assert await code_of(auth, RefreshSession(refresh_token=successor)) == "ok"


async def test_a_refreshed_access_token_carries_the_role_the_person_has_now(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    tokens = await auth.log_in(ada)
    await auth.query("update users set role = 'viewer'")
    auth.wait(minutes=10)
    view = await auth.ask(refresh(tokens))
    found = AccessTokens().verify(view.access_token, (await auth.ask(GetSigningKeys())).jwks, at=auth.clock.at)
    assert (found.role, view.role) == ("viewer", "viewer")
    assert found.signed_in_at == auth.clock.at - timedelta(minutes=10)


async def test_a_reused_refresh_token_ends_the_session_and_tells_it(auth: Auth) -> None:
    ada = await auth.register("ada")
    tokens = await auth.log_in(ada)
    other = await auth.log_in(ada)
    successor = await auth.ask(refresh(tokens))
    auth.wait(seconds=11)
    assert await code_of(auth, refresh(tokens)) == "TOKEN_REUSED"
    assert await code_of(auth, refresh(successor)) == "SESSION_ENDED"
    assert await code_of(auth, refresh(tokens)) == "SESSION_ENDED"
    (event,) = await auth.events("session_revoked")
    told = json.loads(event["event"])
    assert event["aggregate_id"] == tokens.session_id
    assert (told["session_id"], told["user_id"]) == (str(tokens.session_id), str(ada.user_id))
    assert told["reason"] == "refresh_token_reused"
    assert len(await auth.audited("session.revoke")) == 1
    assert await code_of(auth, refresh(other)) == "ok"


async def test_within_ten_seconds_a_lost_answer_is_given_again(auth: Auth) -> None:
    tokens = await auth.log_in(await auth.register("ada"))
    first = await auth.ask(refresh(tokens))
    auth.wait(seconds=10)
    assert (await auth.ask(refresh(tokens))).refresh_token == first.refresh_token
    assert await auth.events("session_revoked") == []


async def test_a_power_cut_between_exchange_and_answer_costs_nobody_the_session(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await auth.log_in(await auth.register("ada"))
    with monkeypatch.context() as cut:
        stop_at(cut, sessions, "auth.refresh_committed")
        assert await code_of(auth, refresh(tokens)) == "INTERNAL"
    (row,) = await auth.query("select rotations from sessions")
    assert row["rotations"] == 1
    successor = await auth.ask(refresh(tokens))
    assert await code_of(auth, refresh(successor)) == "ok"


async def test_a_made_up_refresh_token_does_no_harm(auth: Auth) -> None:
    tokens = await auth.log_in(await auth.register("ada"))
    made_up = tokens.refresh_token[:26] + "A" * 42
    assert made_up[:26] == tokens.refresh_token[:26]
    for text in (made_up, "alr_" + "A" * 64, "", tokens.access_token, tokens.refresh_token + "A"):
        assert await code_of(auth, RefreshSession(refresh_token=text)) == "TOKEN_INVALID"
    assert await code_of(auth, refresh(tokens)) == "ok"


async def test_an_idle_session_expires(auth: Auth) -> None:
    tokens = await auth.log_in(await auth.register("ada"))
    auth.wait(minutes=29)
    tokens = await auth.ask(refresh(tokens))
    auth.wait(minutes=30, seconds=1)
    assert await code_of(auth, refresh(tokens)) == "SESSION_EXPIRED"


async def test_logging_out_ends_a_session_once_however_often_it_is_asked(auth: Auth) -> None:
    ada = await auth.register("ada")
    log_ins = [await auth.log_in(ada) for _ in range(6)]
    for tokens in log_ins:  # several, because the first finds no connections open and so little at once
        command = LogOut(session_id=tokens.session_id)
        await asyncio.gather(*(auth.ask(command, ada.context) for _ in range(10)))
        assert await code_of(auth, refresh(tokens)) == "SESSION_ENDED"
    told = [json.loads(event["event"]) for event in await auth.events("session_revoked")]
    assert [event["session_id"] for event in told] == [str(tokens.session_id) for tokens in log_ins]
    assert {event["reason"] for event in told} == {"log_out"}
    assert len(await auth.audited("session.log_out")) == len(log_ins)


async def test_nobody_logs_another_out(auth: Auth) -> None:
    ada, eve = await auth.register("ada"), await auth.register("eve", "owner")
    tokens = await auth.log_in(ada)
    assert await code_of(auth, LogOut(session_id=tokens.session_id), eve.context) == "SESSION_NOT_FOUND"
    assert await code_of(auth, LogOut(session_id=UUID(int=1)), eve.context) == "SESSION_NOT_FOUND"
    assert await code_of(auth, LogOut(session_id=tokens.session_id), operator_context()) == "USER_REQUIRED"
    assert await code_of(auth, LogOut(session_id=tokens.session_id), ada.with_key("trade")) == "AUTH_SCOPE"
    assert await code_of(auth, refresh(tokens)) == "ok"


async def test_no_token_or_password_is_stored_in_the_clear(auth: Auth) -> None:
    ada = await auth.register("ada")
    tokens = await auth.log_in(ada)
    successor = await auth.ask(refresh(tokens))
    await auth.ask(LogOut(session_id=tokens.session_id), ada.context)
    tables = [
        row["table_name"]
        for row in await auth.query(
            "select table_name from information_schema.tables where table_schema = 'auth_schema'"
        )
    ]
    assert "sessions" in tables
    stored = ""
    for table in tables:
        stored += str(await auth.query(f"select t::text from {table} as t"))  # noqa: S608 - names from the catalogue
    assert ada.email in stored
    for secret in (PASSWORD, tokens.access_token, tokens.refresh_token, successor.refresh_token, SEED):
        assert secret not in stored
