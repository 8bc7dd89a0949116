"""People, sessions, keys and attempts in the auth database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.auth.domain import (
    SESSION_IDLE_MAX,
    ApiKey,
    Attempts,
    EndReason,
    Factor,
    Holdings,
    Role,
    Session,
    SetupToken,
    User,
)
from alphintra.infrastructure.postgres import ConstraintError
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.vocabulary import AccountMode

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Record
    from alphintra.infrastructure.postgres import Session as DatabaseSession

__all__ = ["Credentials", "CredentialsTransaction"]


class CredentialsTransaction:
    """Changes to credentials inside one transaction."""

    def __init__(self, session: DatabaseSession) -> None:
        self.session = session

    async def add_user(self, user: User) -> None:
        """Store a person. Raises EMAIL_TAKEN if another one has the address."""
        try:
            await self.session.execute(
                "users.insert", user.user_id, user.email, user.role, user.password_hash, user.created_at
            )
        except ConstraintError as error:
            if error.constraint != "users_email_key":
                raise
            message = "a person with this e-mail address is registered already"
            raise AlphintraError("EMAIL_TAKEN", message, kind=Kind.CONFLICT, pointer="/email") from error

    async def lock_user(self, user_id: UserId) -> User | None:
        """Read a person and hold the row until the transaction ends."""
        row = await self.session.row("users.lock", user_id)
        return None if row is None else _user(row)

    async def get_user(self, user_id: UserId) -> User | None:
        """Read a person within the transaction."""
        row = await self.session.row("users.get", user_id)
        return None if row is None else _user(row)

    async def rehash(self, user: User, password_hash: str) -> None:
        """Store a hash of the same password under newer parameters."""
        await self.session.execute("users.rehash", user.user_id, user.password_hash, password_hash)

    async def disable_user(self, user_id: UserId, *, at: datetime) -> None:
        """Keep a person out."""
        await self.session.execute("users.disable", user_id, at)

    async def enable_user(self, user_id: UserId) -> None:
        """Let a person in again."""
        await self.session.execute("users.enable", user_id)

    async def has_other_owner(self, user_id: UserId) -> bool:
        """Tell whether an owner other than this person can sign in."""
        return bool(await self.session.value("users.other_owner", user_id))

    async def open_sessions(self, user_id: UserId, *, at: datetime) -> tuple[Session, ...]:
        """Read a person's sessions that can be gone on with, newest first."""
        rows = await self.session.rows("sessions.open", user_id, at, at - SESSION_IDLE_MAX)
        return tuple(Session(**row) for row in rows)

    async def list_keys(self, user_id: UserId) -> tuple[ApiKey, ...]:
        """Read a person's keys, oldest first."""
        return tuple(_key(row) for row in await self.session.rows("keys.list", user_id))

    async def lock_setup(self) -> None:
        """Let no other transaction decide about the first owner until this one ends."""
        await self.session.execute("setup.lock")

    async def has_owner(self) -> bool:
        """Tell whether an owner is registered."""
        return bool(await self.session.value("users.owner_exists"))

    async def get_setup_token(self, token_hash: bytes) -> SetupToken | None:
        """Read a one-time token."""
        row = await self.session.row("setup.get", token_hash)
        return None if row is None else SetupToken(**row)

    async def replace_setup_token(self, token_hash: bytes, *, at: datetime, expires_at: datetime) -> None:
        """Store a one-time token; those not used so far die."""
        await self.session.execute("setup.replace", at)
        await self.session.execute("setup.insert", token_hash, at, expires_at)

    async def use_setup_token(self, token_hash: bytes, *, at: datetime) -> None:
        """Mark a one-time token as used."""
        await self.session.execute("setup.use", token_hash, at)

    async def lock_attempts(self, bucket: bytes, *, at: datetime) -> Attempts | None:
        """Read how often a log-in was tried and hold the count, None if never; others wait until we are done."""
        await self.session.execute("attempts.open", bucket, at)
        row = await self.session.row("attempts.lock", bucket)
        if row is None or row["attempts"] == 0:
            return None
        return Attempts(count=row["attempts"], last_at=row["last_at"], blocked_until=row["blocked_until"])

    async def save_attempts(self, bucket: bytes, attempts: Attempts) -> None:
        """Store the count of attempts."""
        await self.session.execute("attempts.save", bucket, attempts.count, attempts.last_at, attempts.blocked_until)

    async def clear_attempts(self, bucket: bytes) -> None:
        """Start over after a log-in that succeeded."""
        await self.session.execute("attempts.clear", bucket)

    async def forget_attempts(self, *, before: datetime) -> None:
        """Drop a batch of counts nobody added to since then."""
        await self.session.execute("attempts.forget", before)

    async def add_session(self, session: Session) -> None:
        """Store the session of a log-in."""
        await self.session.execute(
            "sessions.insert",
            session.session_id,
            session.user_id,
            session.token_hash,
            session.rotations,
            session.signed_in_at,
            session.rotated_at,
            session.expires_at,
            session.address,
        )

    async def lock_session(self, session_id: UUID) -> Session | None:
        """Read a session and hold it until the transaction ends."""
        row = await self.session.row("sessions.lock", session_id)
        return None if row is None else Session(**row)

    async def rotate_session(self, session: Session) -> None:
        """Store the hash of the refresh token that is valid from now on."""
        await self.session.execute(
            "sessions.rotate", session.session_id, session.token_hash, session.rotations, session.rotated_at
        )

    async def prove_session(self, session_id: UUID, *, at: datetime) -> None:
        """Note that whoever has the session proved to be its person."""
        await self.session.execute("sessions.prove", session_id, at)

    async def lock_factor(self, user_id: UserId) -> Factor | None:
        """Read a person's second factor and hold it until the transaction ends."""
        row = await self.session.row("factors.lock", user_id)
        return None if row is None else Factor(**row)

    async def offer_factor(self, factor: Factor) -> bool:
        """Store a factor that waits for its first code; False if one is confirmed already."""
        made = await self.session.row("factors.offer", factor.user_id, factor.sealed_seed, factor.created_at)
        return made is not None

    async def confirm_factor(self, user_id: UserId, *, step: int, at: datetime) -> None:
        """Let the factor be asked for from now on."""
        await self.session.execute("factors.confirm", user_id, at, step)

    async def use_step(self, user_id: UserId, step: int) -> None:
        """Mark the codes up to this half minute as used."""
        await self.session.execute("factors.use", user_id, step)

    async def remove_factor(self, user_id: UserId) -> None:
        """Drop a person's second factor and their recovery codes."""
        await self.session.execute("recovery.remove", user_id)
        await self.session.execute("factors.remove", user_id)

    async def add_recovery_code(self, user_id: UserId, code_hash: bytes, *, at: datetime) -> None:
        """Store a recovery code."""
        await self.session.execute("recovery.insert", code_hash, user_id, at)

    async def use_recovery_code(self, user_id: UserId, code_hash: bytes, *, at: datetime) -> bool:
        """Use a code of this person; False if they have none such, or used it before."""
        return await self.session.row("recovery.use", code_hash, user_id, at) is not None

    async def end_session(self, session: Session, reason: EndReason, *, at: datetime) -> None:
        """End a session before its time."""
        await self.session.execute("sessions.end", session.session_id, at, reason)

    async def add_key(self, key: ApiKey) -> None:
        """Store a new API key."""
        await self.session.execute(
            "keys.insert",
            key.key_id,
            key.user_id,
            key.name,
            key.secret_hash,
            list(key.scopes),
            key.mode,
            key.created_at,
            key.account_id,
            list(key.addresses),
        )

    async def count_keys(self, user_id: UserId) -> int:
        """Return how many keys of a person are not revoked."""
        return int(await self.session.value("keys.count", user_id))

    async def lock_key(self, key_id: str) -> ApiKey | None:
        """Read a key, whosever, and hold it."""
        row = await self.session.row("keys.lock", key_id)
        return None if row is None else _key(row)

    async def revoke_key(self, key: ApiKey, *, at: datetime) -> None:
        """Mark a key as revoked."""
        await self.session.execute("keys.revoke", key.key_id, at)


class Credentials:
    """Reads of credentials, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[CredentialsTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield CredentialsTransaction(session)

    async def find_user(self, email: str) -> User | None:
        """Read the person with this normalised address."""
        async with self._database.session() as session:
            row = await session.row("users.by_email", email)
            return None if row is None else _user(row)

    async def find_factor(self, user_id: UserId) -> tuple[Factor, int] | None:
        """Read a person's second factor, and how many recovery codes are left."""
        async with self._database.session() as session:
            row = await session.row("factors.get", user_id)
            return None if row is None else (Factor(**row), int(await session.value("recovery.left", user_id)))

    async def list_users(self, *, at: datetime) -> tuple[tuple[User, Holdings], ...]:
        """Read everybody, oldest first, each with what they have to sign in with."""
        async with self._database.session() as session:
            rows = await session.rows("users.list", at, at - SESSION_IDLE_MAX)
        return tuple(
            (
                _user(row),
                Holdings(has_second_factor=row["has_second_factor"], sessions=row["sessions"], keys=row["keys"]),
            )
            for row in rows
        )

    async def list_ended_sessions(self, *, since: datetime) -> tuple[UUID, ...]:
        """Read which sessions were ended before their time since then, oldest first."""
        async with self._database.session() as session:
            return tuple(row["session_id"] for row in await session.rows("sessions.ended_since", since))

    async def list_keys(self, user_id: UserId) -> tuple[ApiKey, ...]:
        """Read a person's keys, oldest first."""
        async with self._database.session() as session:
            return tuple(_key(row) for row in await session.rows("keys.list", user_id))

    async def find_key(self, key_id: str) -> tuple[ApiKey, Role] | None:
        """Read a key and the role its person has now."""
        async with self._database.session() as session:
            row = await session.row("keys.with_role", key_id)
            return None if row is None else (_key(row), Role(row["role"]))


def _user(row: Record) -> User:
    return User(
        user_id=UserId(row["user_id"]),
        email=row["email"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )


def _key(row: Record) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        user_id=UserId(row["user_id"]),
        name=row["name"],
        secret_hash=row["secret_hash"],
        scopes=tuple(row["scopes"]),
        mode=AccountMode(row["mode"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        account_id=None if row["account_id"] is None else AccountId(row["account_id"]),
        addresses=tuple(row["addresses"]),
    )
