"""The base of every message between services: commands with a typed reply, events, and who is asking.

A message's tag, ``<service>.<name>.v<version>``, is its wire type; subjects are derived from it:
commands travel on ``<service>.cmd.<name>``, events on ``<service>.evt.<name>``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar, cast, get_args
from uuid import UUID

import msgspec

from alphintra.kernel.money import plain
from alphintra.kernel.vocabulary import AccountMode

__all__ = [
    "Actor",
    "Command",
    "Context",
    "Event",
    "EventEnvelope",
    "ReplyT",
    "Utc",
    "View",
    "hiding",
    "reply_type",
    "subject_of",
]

Utc = Annotated[datetime, msgspec.Meta(tz=True)]
StructT = TypeVar("StructT", bound=msgspec.Struct)
ReplyT = TypeVar("ReplyT", covariant=True)  # noqa: PLC0105 - reads as the type of the reply


def hiding(*secrets: str) -> Callable[[type[StructT]], type[StructT]]:
    """Keep these fields out of what logs, tracebacks and consoles show of a message."""

    def shown(message: msgspec.Struct) -> list[tuple[str, object]]:
        fields = ((name, getattr(message, name)) for name in message.__struct_fields__)
        return [(name, "…" if name in secrets and value is not None else value) for name, value in fields]

    def text(message: msgspec.Struct) -> str:
        return f"{type(message).__name__}({', '.join(f'{name}={value!r}' for name, value in shown(message))})"

    def hide(message: type[StructT]) -> type[StructT]:
        message.__repr__ = text  # type: ignore[assignment,method-assign] # of instances of this class alone
        message.__rich_repr__ = shown  # type: ignore[method-assign] # what rich tracebacks and consoles ask for
        return message

    return hide


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the read-only values that replies carry; amounts are shown plainly, without the scale of a column."""

    def __post_init__(self) -> None:
        """Give amounts their plain form."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                msgspec.structs.force_setattr(self, name, plain(value))


class Command(
    msgspec.Struct, Generic[ReplyT], frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="message"
):
    """Base of what one service asks of another; the type parameter is the reply."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="message"):
    """Base of what a service tells has happened; readers tolerate fields they do not know."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """On whose authority a command runs.

    Attributes:
        id: ``user:<uuid>``, ``key:<key id>``, ``service:<name>`` or ``operator``.
        user_id: the person behind it, None for services and the operator.
        roles: out of owner, operator, trader, viewer.
        scopes: what an API key was limited to; empty for a session, which has all of its roles' scopes.
        mode: whether an API key is for paper or for live accounts; None for whatever is no key.
        account_id: the one account an API key is for; None where it is for all of its mode.
    """

    id: str
    user_id: UUID | None = None
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    mode: AccountMode | None = None
    account_id: UUID | None = None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What travels beside every message: whose it is, and the trace it belongs to."""

    trace_id: str
    actor: Actor


class EventEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is stored and published."""

    event_id: UUID
    aggregate_id: UUID
    occurred_at: Utc
    context: Context
    event: msgspec.Raw


def tag_of(message: type[msgspec.Struct]) -> str:
    """Return the wire type of a message class, e.g. ``trading.submit_order.v1``."""
    return str(message.__struct_config__.tag)


def subject_of(message: type[msgspec.Struct]) -> str:
    """Return the subject a message class travels on."""
    service, name, _version = tag_of(message).split(".")
    return f"{service}.{'evt' if issubclass(message, Event) else 'cmd'}.{name}"


def reply_type(command: type[Command[ReplyT]]) -> type[ReplyT]:
    """Return the class a command is answered with, as declared in its base ``Command[Reply]``."""
    (base,) = command.__orig_bases__  # type: ignore[attr-defined] # set by typing.Generic on each subclass
    return cast("type[ReplyT]", get_args(base)[0])
