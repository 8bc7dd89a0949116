"""A second factor: asked for once confirmed, each code good once, the way back in without it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import struct
from collections import Counter
from datetime import datetime

from alphintra.contracts.auth import (
    ConfirmSecondFactor,
    FactorConfirmed,
    GetSecondFactor,
    GetSigningKeys,
    LogIn,
    LogOut,
    OfferSecondFactor,
    RemoveSecondFactor,
    StepUp,
)
from alphintra.infrastructure.access_token import AccessTokens
from fixtures.services import operator_context
from integration.auth.scene import PASSWORD, Auth, Person, code_of


def code(secret: str, at: datetime, *, steps: int = 0) -> str:
    """Return what an app shows: RFC 4226 over RFC 6238's counter, written down apart from the product."""
    counter = struct.pack(">Q", int(at.timestamp()) // 30 + steps)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def log_in(person: Person, given: str = "", *, address: str = "192.0.2.1") -> LogIn:
    return LogIn(email=person.email, password=PASSWORD, address=address, code=given)


async def protected(auth: Auth, person: Person) -> tuple[str, FactorConfirmed]:
    """Give somebody a second factor and wait until its next code."""
    secret = (await auth.ask(OfferSecondFactor(), person.context)).secret
    confirmed = await auth.ask(ConfirmSecondFactor(code=code(secret, auth.clock.at)), person.context)
    auth.wait(seconds=30)
    return secret, confirmed


async def test_who_confirmed_a_factor_is_asked_for_it(auth: Auth) -> None:
    ada = await auth.register("ada")
    secret = (await auth.ask(OfferSecondFactor(), ada.context)).secret
    assert await code_of(auth, log_in(ada)) == "ok", "what was never confirmed is not asked for"
    assert await code_of(auth, ConfirmSecondFactor(code="000000"), ada.context) == "OTP_INVALID"
    await auth.ask(ConfirmSecondFactor(code=code(secret, auth.clock.at)), ada.context)
    auth.wait(seconds=30)
    assert await code_of(auth, log_in(ada)) == "OTP_REQUIRED"
    assert await code_of(auth, log_in(ada, "000000")) == "OTP_INVALID"
    assert await code_of(auth, log_in(ada, code(secret, auth.clock.at))) == "ok"
    wrong = LogIn(email=ada.email, password="wrong password", code=code(secret, auth.clock.at, steps=1))
    assert await code_of(auth, wrong) == "LOGIN_FAILED", "a right code says nothing about a wrong password"


async def test_a_code_is_good_once_however_many_use_it_at_once(auth: Auth) -> None:
    ada = await auth.register("ada")
    secret, _ = await protected(auth, ada)
    now = code(secret, auth.clock.at)
    codes = await asyncio.gather(*(code_of(auth, log_in(ada, now, address=f"192.0.2.{n}")) for n in range(4)))
    assert Counter(codes) == {"ok": 1, "OTP_USED": 3}
    before = code(secret, auth.clock.at, steps=-1)
    assert await code_of(auth, log_in(ada, before)) == "OTP_USED", "nor is an older one good after it"
    auth.wait(seconds=30)
    assert await code_of(auth, log_in(ada, code(secret, auth.clock.at))) == "ok"


async def test_a_recovery_code_lets_in_once(auth: Auth) -> None:
    ada, eve = await auth.register("ada"), await auth.register("eve")
    _, confirmed = await protected(auth, ada)
    await protected(auth, eve)
    assert len(set(confirmed.recovery_codes)) == 10
    first, second = confirmed.recovery_codes[:2]
    assert await code_of(auth, log_in(eve, first)) == "OTP_INVALID", "it is Ada's"
    codes = await asyncio.gather(*(code_of(auth, log_in(ada, first, address=f"192.0.2.{n}")) for n in range(3)))
    assert Counter(codes) == {"ok": 1, "OTP_INVALID": 2}
    assert await code_of(auth, log_in(ada, second.lower())) == "ok"
    assert (await auth.ask(GetSecondFactor(), ada.context)).recovery_codes_left == 8


async def test_guessing_codes_is_slowed_down_from_everywhere_at_once(auth: Auth) -> None:
    ada = await auth.register("ada")
    secret, _ = await protected(auth, ada)
    codes = [await code_of(auth, log_in(ada, f"{n:06d}", address=f"192.0.2.{n}")) for n in range(10)]
    assert codes[0] == "OTP_INVALID"
    assert codes[-1] == "AUTH_THROTTLED"
    right = code(secret, auth.clock.at)
    assert await code_of(auth, log_in(ada, right, address="192.0.2.99")) == "AUTH_THROTTLED"
    auth.wait(minutes=1)
    assert await code_of(auth, log_in(ada, code(secret, auth.clock.at))) == "ok"


async def test_nothing_of_it_can_be_read_from_the_database(auth: Auth) -> None:
    ada = await auth.register("ada")
    secret, confirmed = await protected(auth, ada)
    raw = base64.b32decode(secret)
    (row,) = await auth.query("select sealed_seed from second_factors")
    assert raw not in row["sealed_seed"]
    shown = str(await auth.query("select * from second_factors"))
    shown += str(await auth.query("select * from recovery_codes"))
    shown += str(await auth.query("select * from audit_events")) + str(await auth.query("select * from event_log"))
    assert secret not in shown
    assert not any(text in shown or text.replace("-", "") in shown for text in confirmed.recovery_codes)
    actions = [row["action"] for row in await auth.audited("second_factor.offer", "second_factor.confirm")]
    assert actions == ["second_factor.offer", "second_factor.confirm"]


async def test_a_factor_moved_to_another_person_opens_nothing(auth: Auth) -> None:
    ada, eve = await auth.register("ada"), await auth.register("eve")
    secret, _ = await protected(auth, ada)
    await protected(auth, eve)
    await auth.query(
        "update second_factors set sealed_seed = (select sealed_seed from second_factors where user_id = $1) "
        "where user_id = $2",
        ada.user_id,
        eve.user_id,
    )
    assert await code_of(auth, log_in(eve, code(secret, auth.clock.at))) == "FACTOR_UNREADABLE"


async def test_a_factor_is_removed_by_its_codes_or_by_the_operator_alone(auth: Auth) -> None:
    ada, owner = await auth.register("ada"), await auth.register("bob", "owner")
    secret, _ = await protected(auth, ada)
    assert await code_of(auth, OfferSecondFactor(), ada.context) == "FACTOR_EXISTS"
    assert await code_of(auth, RemoveSecondFactor(), ada.context) == "OTP_INVALID"
    assert await code_of(auth, RemoveSecondFactor(user_id=ada.user_id), owner.context) == "ROLE_REQUIRED"
    assert await code_of(auth, RemoveSecondFactor(code=code(secret, auth.clock.at)), ada.context) == "ok"
    assert await code_of(auth, log_in(ada)) == "ok"
    await protected(auth, ada)
    assert await code_of(auth, RemoveSecondFactor(user_id=ada.user_id), operator_context()) == "ok"
    assert await code_of(auth, log_in(ada)) == "ok"
    assert await auth.query("select code_hash from recovery_codes") == []
    assert len(await auth.audited("second_factor.remove")) == 2


async def test_no_key_turns_a_factor_on_or_off_or_proves_who_it_is(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    tokens = await auth.log_in(ada)
    for command in (
        OfferSecondFactor(),
        ConfirmSecondFactor(code="000000"),
        RemoveSecondFactor(),
        StepUp(session_id=tokens.session_id, password=PASSWORD),
    ):
        assert await code_of(auth, command, ada.with_key("admin")) == "SESSION_REQUIRED"


async def test_who_proves_again_who_they_are_gets_a_token_that_says_when(auth: Auth) -> None:
    ada, eve = await auth.register("ada"), await auth.register("eve")
    tokens = await auth.log_in(ada)
    signed_in_at = auth.clock.at
    auth.wait(minutes=10)
    step = StepUp(session_id=tokens.session_id, password=PASSWORD)
    assert await code_of(auth, StepUp(session_id=tokens.session_id, password="wrong password"), ada.context) == (
        "LOGIN_FAILED"
    )
    assert await code_of(auth, step, eve.context) == "SESSION_NOT_FOUND"
    proven = await auth.ask(step, ada.context)
    jwks = (await auth.ask(GetSigningKeys())).jwks
    verifier = AccessTokens()
    assert verifier.verify(tokens.access_token, jwks, at=auth.clock.at).signed_in_at == signed_in_at
    assert verifier.verify(proven.access_token, jwks, at=auth.clock.at).signed_in_at == auth.clock.at
    await auth.ask(LogOut(session_id=tokens.session_id), ada.context)
    assert await code_of(auth, step, ada.context) == "SESSION_NOT_FOUND"


async def test_where_there_is_a_factor_the_password_proves_nothing(auth: Auth) -> None:
    ada = await auth.register("ada")
    tokens = await auth.log_in(ada)
    secret, _ = await protected(auth, ada)
    by_password = StepUp(session_id=tokens.session_id, password=PASSWORD)
    assert await code_of(auth, by_password, ada.context) == "OTP_REQUIRED"
    by_code = StepUp(session_id=tokens.session_id, code=code(secret, auth.clock.at))
    assert await code_of(auth, by_code, ada.context) == "ok"
    assert await code_of(auth, by_code, ada.context) == "OTP_USED"
