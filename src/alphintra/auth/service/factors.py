"""Use cases about second factors, and about proving again who one is."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.auth import domain
from alphintra.auth.service.attempts import count_attempt, printable
from alphintra.auth.service.authority import acting_user, require_local_operator
from alphintra.auth.service.tokens import NONCE_BYTES
from alphintra.contracts.auth import (
    ConfirmSecondFactor,
    FactorConfirmed,
    FactorOffered,
    FactorView,
    ProvenView,
    RemoveSecondFactor,
    StepUp,
)
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.kernel.messages import Context

if TYPE_CHECKING:
    from alphintra.auth.repository import CredentialsTransaction
    from alphintra.auth.service.resources import Resources

__all__ = [
    "confirm_second_factor",
    "get_second_factor",
    "has_factor",
    "offer_second_factor",
    "remove_second_factor",
    "require_code",
    "step_up",
]


async def offer_second_factor(context: Context, *, resources: Resources, at: datetime) -> FactorOffered:
    """Make the secret of an app; a later offer replaces one that was never confirmed.

    Raises USER_REQUIRED, SESSION_REQUIRED or FACTOR_EXISTS.
    """
    user_id = _person_at_the_keys(context)
    seed = secrets.token_bytes(domain.SEED_BYTES)
    sealed = resources.tokens.seal(seed, user_id=user_id, nonce=secrets.token_bytes(NONCE_BYTES))
    async with resources.credentials.transaction() as tx:
        user = await tx.get_user(user_id)
        if user is None:
            raise AlphintraError("USER_MISSING", "the session belongs to nobody", kind=Kind.BUG)
        if not await tx.offer_factor(domain.Factor(user_id=user_id, sealed_seed=sealed, created_at=at)):
            message = "you have a second factor already: remove it first"
            raise AlphintraError("FACTOR_EXISTS", message, kind=Kind.CONFLICT)
        await _audit(tx, "second_factor.offer", user_id, resources=resources, context=context, at=at)
    return FactorOffered(secret=domain.seed_text(seed), uri=domain.otpauth_uri(seed, email=user.email))


async def confirm_second_factor(
    command: ConfirmSecondFactor, context: Context, *, resources: Resources, at: datetime
) -> FactorConfirmed:
    """Take the app's first code, and hand out recovery codes.

    Raises FACTOR_MISSING, FACTOR_EXISTS, OTP_INVALID, AUTH_THROTTLED, USER_REQUIRED or SESSION_REQUIRED.
    """
    user_id = _person_at_the_keys(context)
    await count_attempt(domain.code_bucket(user_id), resources=resources, at=at)
    codes = [
        domain.new_recovery_code(secrets.token_bytes(domain.RECOVERY_CODE_BYTES)) for _ in range(domain.RECOVERY_CODES)
    ]
    async with resources.credentials.transaction() as tx:
        factor = await tx.lock_factor(user_id)
        if factor is None:
            message = "no second factor was offered: ask for one first"
            raise AlphintraError("FACTOR_MISSING", message, kind=Kind.CONFLICT)
        if factor.confirmed_at is not None:
            raise AlphintraError("FACTOR_EXISTS", "the second factor is confirmed already", kind=Kind.CONFLICT)
        step = domain.matching_step(resources.tokens.open(factor.sealed_seed, user_id=user_id), command.code, at=at)
        if step is None:
            raise _wrong_code()
        await tx.confirm_factor(user_id, step=step, at=at)
        for _, code_hash in codes:
            await tx.add_recovery_code(user_id, code_hash, at=at)
        await tx.clear_attempts(domain.code_bucket(user_id))
        await _audit(tx, "second_factor.confirm", user_id, resources=resources, context=context, at=at)
    return FactorConfirmed(recovery_codes=tuple(text for text, _ in codes))


async def remove_second_factor(
    command: RemoveSecondFactor, context: Context, *, resources: Resources, at: datetime
) -> FactorView:
    """Ask for no second factor any more; where there is none, nothing changes.

    A person gives one of its codes; who lost both app and recovery codes is helped by the operator at the machine.

    Raises OTP_INVALID, OTP_USED, AUTH_THROTTLED, USER_REQUIRED, SESSION_REQUIRED, ROLE_REQUIRED or USER_NOT_FOUND.
    """
    if command.user_id is not None and command.user_id != context.actor.user_id:
        require_local_operator(context)
        user_id = UserId(command.user_id)
    else:
        user_id = _person_at_the_keys(context)
        await count_attempt(domain.code_bucket(user_id), resources=resources, at=at)
    async with resources.credentials.transaction() as tx:
        if await tx.get_user(user_id) is None:
            raise AlphintraError("USER_NOT_FOUND", "there is no such person", kind=Kind.NOT_FOUND, pointer="/user_id")
        factor = await tx.lock_factor(user_id)
        if factor is not None and factor.confirmed_at is not None and user_id == context.actor.user_id:
            await _use_code(tx, factor, command.code, resources=resources, at=at)
        if factor is not None:
            await tx.remove_factor(user_id)
            await _audit(tx, "second_factor.remove", user_id, resources=resources, context=context, at=at)
        await tx.clear_attempts(domain.code_bucket(user_id))
    return FactorView(confirmed_at=None, recovery_codes_left=0)


async def get_second_factor(context: Context, *, resources: Resources) -> FactorView:
    """Tell whether the acting user has a second factor. Raises USER_REQUIRED."""
    found = await resources.credentials.find_factor(acting_user(context))
    if found is None or found[0].confirmed_at is None:
        return FactorView(confirmed_at=None, recovery_codes_left=0)
    factor, left = found
    return FactorView(confirmed_at=factor.confirmed_at, recovery_codes_left=left)


async def step_up(command: StepUp, context: Context, *, resources: Resources, at: datetime) -> ProvenView:
    """Prove again to be the person of a session: by a code where they have a second factor, else by the password.

    Raises SESSION_NOT_FOUND, OTP_REQUIRED, OTP_INVALID, OTP_USED, LOGIN_FAILED, AUTH_THROTTLED, AUTH_BUSY or
    PASSWORD_TOO_LONG.
    """
    user_id = _person_at_the_keys(context)
    domain.check_password_size(command.password)
    await count_attempt(domain.code_bucket(user_id), resources=resources, at=at)
    if not (
        await has_factor(user_id, resources=resources)
        or await _is_password(user_id, command.password, resources=resources)
    ):
        get_logger().warning("step_up.failed", user_id=str(user_id), address=printable(command.address))
        raise AlphintraError("LOGIN_FAILED", "the password is wrong", kind=Kind.UNAUTHENTICATED, pointer="/password")
    async with resources.credentials.transaction() as tx:
        session = await tx.lock_session(command.session_id)
        user = await tx.get_user(user_id)
        if session is None or user is None or session.user_id != user_id or session.ended_at is not None:
            raise AlphintraError("SESSION_NOT_FOUND", "there is no such session", kind=Kind.NOT_FOUND)
        await require_code(tx, user_id, command.code, resources=resources, at=at)
        await tx.prove_session(session.session_id, at=at)
        await tx.clear_attempts(domain.code_bucket(user_id))
        await _audit(tx, "session.step_up", user_id, resources=resources, context=context, at=at)
    proven = domain.proven(session, at=at)
    token, expires_at = resources.tokens.issue(user, proven, token_id=resources.ids.new(), at=at)
    return ProvenView(access_token=token, expires_at=expires_at)


async def has_factor(user_id: UserId, *, resources: Resources) -> bool:
    """Tell whether a person is asked for a second factor."""
    found = await resources.credentials.find_factor(user_id)
    return found is not None and found[0].confirmed_at is not None


async def require_code(
    tx: CredentialsTransaction, user_id: UserId, code: str, *, resources: Resources, at: datetime
) -> None:
    """Use up a code of a person who has a second factor; let one who has none pass.

    Raises OTP_REQUIRED, OTP_INVALID or OTP_USED.
    """
    factor = await tx.lock_factor(user_id)
    if factor is None or factor.confirmed_at is None:
        return
    if not code.strip():
        message = "there is a second factor: send the code of the authenticator app, or a recovery code, as code"
        raise AlphintraError("OTP_REQUIRED", message, kind=Kind.UNAUTHENTICATED, pointer="/code")
    await _use_code(tx, factor, code, resources=resources, at=at)


async def _use_code(
    tx: CredentialsTransaction, factor: domain.Factor, code: str, *, resources: Resources, at: datetime
) -> None:
    if not domain.is_code_form(code):
        code_hash = domain.recovery_hash(code)
        if code_hash is None or not await tx.use_recovery_code(factor.user_id, code_hash, at=at):
            raise _wrong_code()
        return
    step = domain.matching_step(resources.tokens.open(factor.sealed_seed, user_id=factor.user_id), code, at=at)
    if step is None:
        raise _wrong_code()
    if step <= factor.last_step:
        message = "this code was used before: wait for the next one"
        raise AlphintraError("OTP_USED", message, kind=Kind.UNAUTHENTICATED, pointer="/code")
    await tx.use_step(factor.user_id, step)


async def _is_password(user_id: UserId, password: str, *, resources: Resources) -> bool:
    async with resources.credentials.transaction() as tx:
        user = await tx.get_user(user_id)
    with resources.passwords.admitted():
        return await resources.passwords.verify(password, None if user is None else user.password_hash)


def _person_at_the_keys(context: Context) -> UserId:
    """Return the person of a session. Raises USER_REQUIRED, or SESSION_REQUIRED for what acts for a person."""
    user_id = acting_user(context)
    if context.actor.scopes or not context.actor.id.startswith("user:"):
        message = "a person does this, signed in: no API key can"
        raise AlphintraError("SESSION_REQUIRED", message, kind=Kind.FORBIDDEN)
    return user_id


def _wrong_code() -> AlphintraError:
    message = "the code is wrong: look at the app again, or use a recovery code that was not used before"
    return AlphintraError("OTP_INVALID", message, kind=Kind.UNAUTHENTICATED, pointer="/code")


async def _audit(
    tx: CredentialsTransaction, action: str, user_id: UserId, *, resources: Resources, context: Context, at: datetime
) -> None:
    await append_audit(tx.session, action, f"user:{user_id}", {}, ids=resources.ids, context=context, at=at)
