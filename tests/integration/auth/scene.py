"""A running auth service, its clock, and people registered in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from alphintra.contracts.auth import LogIn, RegisterUser, TokensView
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Command, Context
from fixtures.services import RunningService, operator_context, person_context
from fixtures.single_service import SettableClock

__all__ = ["ANONYMOUS", "PASSWORD", "SEED", "Auth", "Person", "code_of"]

R = TypeVar("R")

SEED = base64.b64encode(b"\x05" * 32).decode()
PASSWORD = "a quiet harbour at dawn"
ANONYMOUS = Context(trace_id="0" * 32, actor=Actor(id="anonymous"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody registered."""

    user_id: UUID
    email: str
    role: str

    @property
    def context(self) -> Context:
        """Acting through a session."""
        return person_context(self.role, user_id=self.user_id)

    def with_key(self, *scopes: str) -> Context:
        """Acting through an API key."""
        return person_context(self.role, user_id=self.user_id, scopes=scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """The running service and its clock."""

    service: RunningService
    clock: SettableClock

    async def ask(self, command: Command[R], context: Context = ANONYMOUS) -> R:
        return await self.service.ask(command, context)

    async def query(self, sql: str, *values: object) -> list[Mapping[str, Any]]:
        return await self.service.query(sql, *values)

    def wait(self, **duration: float) -> None:
        self.clock.at += timedelta(**duration)

    async def register(self, name: str, role: str = "trader") -> Person:
        command = RegisterUser(email=f"{name}@example.org", password=PASSWORD, role=role)
        view = await self.ask(command, operator_context())
        return Person(user_id=view.user_id, email=view.email, role=view.role)

    async def log_in(self, person: Person, *, password: str = PASSWORD, address: str = "192.0.2.1") -> TokensView:
        return await self.ask(LogIn(email=person.email, password=password, address=address))

    async def audited(self, *actions: str) -> list[Mapping[str, Any]]:
        """Return the audit rows of these actions, oldest first."""
        return await self.query(
            "select actor, action, object, detail from audit_events where action = any($1) order by recorded_at",
            list(actions),
        )

    async def events(self, name: str) -> list[Mapping[str, Any]]:
        """Return the stored events of this name, oldest first."""
        return await self.query(
            "select aggregate_id, payload::jsonb -> 'event' as event from event_log where subject = $1 order by seq",
            f"auth.evt.{name}",
        )


async def code_of(auth: Auth, command: Command[Any], context: Context = ANONYMOUS) -> str:
    """Send a command and return the code of its refusal, ``ok`` if there was none."""
    try:
        await auth.ask(command, context)
    except AlphintraError as error:
        return error.code
    return "ok"
