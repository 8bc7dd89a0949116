"""Makes the event streams and their durable consumers on a NATS server; only the deployer's key may."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import nats
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from alphintra.dataplane.bus_permissions import consumers, inbox_of, streams
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from nats.aio.client import Client
    from nats.js import JetStreamManager

    from alphintra.dataplane.bus_permissions import ConsumerSpec, StreamSpec

__all__ = ["BusLogin", "ConsumerLag", "bus_connection", "consumer_lags", "ensure_streams"]

_CONNECT_TIMEOUT_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BusLogin:
    """Where NATS is, and which user we are there."""

    url: str
    user: str
    seed: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerLag:
    """How far a durable consumer is.

    Attributes:
        stream: it reads.
        durable: the consuming service.
        waiting: messages it was not given yet.
        unacknowledged: given, not acknowledged yet.
        redelivered: of those, given more than once.
        heard_at: when it last acknowledged one, None if it has not since the server was started.
    """

    stream: str
    durable: str
    waiting: int
    unacknowledged: int
    redelivered: int
    heard_at: datetime | None


@asynccontextmanager
async def bus_connection(
    login: BusLogin, *, on_error: Callable[[Exception], Awaitable[None]] | None = None
) -> AsyncIterator[Client]:
    """Connect once, without reconnecting. Raises TOPOLOGY_CONNECT naming user and address."""

    async def ignore(_error: Exception) -> None:
        """Errors of the connection itself reach the caller as exceptions of its calls."""

    try:
        client = await nats.connect(
            login.url,
            name=f"{login.user}-dataplane",
            nkeys_seed_str=login.seed,
            inbox_prefix=inbox_of(login.user).encode(),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_CONNECT_TIMEOUT_S,
            error_cb=on_error or ignore,
        )
    except (NatsError, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        message = f"cannot connect to NATS at {login.url} as user {login.user}: {reason}"
        raise AlphintraError("TOPOLOGY_CONNECT", message, kind=Kind.UNAVAILABLE) from error
    try:
        yield client
    finally:
        await client.close()


async def ensure_streams(deployer: BusLogin) -> tuple[str, ...]:
    """Create what is missing and correct what differs; return the names changed, none on a system that was ready.

    Safe to repeat; never deletes a stream, a consumer or a message. Raises TOPOLOGY_CONNECT, STREAM_FAILED.
    """
    changed: list[str] = []
    denials: list[str] = []

    async def remember(error: Exception) -> None:
        """A denied request shows itself only here; its caller merely waits in vain."""
        denials.append(str(error))

    async with bus_connection(deployer, on_error=remember) as client:
        manager = client.jsm()
        try:
            changed += [item.name for item in streams() if await _ensure_stream(manager, item)]
            changed += [
                f"{item.stream}.{item.durable}" for item in consumers() if await _ensure_consumer(manager, item)
            ]
        except (NatsError, TimeoutError) as error:
            reason = ", ".join(denials) or str(error) or type(error).__name__
            message = f"the event streams at {deployer.url} could not be set up: {reason}"
            raise AlphintraError("STREAM_FAILED", message, kind=Kind.UNAVAILABLE) from error
    return tuple(changed)


async def consumer_lags(deployer: BusLogin) -> tuple[ConsumerLag, ...]:
    """Return how far every consumer is. Raises TOPOLOGY_CONNECT, STREAM_FAILED."""
    async with bus_connection(deployer) as client:
        manager = client.jsm()
        try:
            return tuple([await _lag(manager, item) for item in consumers()])
        except (NatsError, TimeoutError) as error:
            message = f"the consumers at {deployer.url} cannot be asked: {str(error) or type(error).__name__}"
            raise AlphintraError("STREAM_FAILED", message, kind=Kind.UNAVAILABLE) from error


async def _lag(manager: JetStreamManager, spec: ConsumerSpec) -> ConsumerLag:
    found = await manager.consumer_info(spec.stream, spec.durable)
    return ConsumerLag(
        stream=spec.stream,
        durable=spec.durable,
        waiting=found.num_pending or 0,
        unacknowledged=found.num_ack_pending or 0,
        redelivered=found.num_redelivered or 0,
        heard_at=None if found.ack_floor is None else found.ack_floor.last_active,
    )


async def _ensure_stream(manager: JetStreamManager, spec: StreamSpec) -> bool:
    wanted = StreamConfig(
        name=spec.name,
        subjects=list(spec.subjects),
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        max_age=spec.age_max_s,
        duplicate_window=spec.duplicate_window_s,
        max_msg_size=spec.message_bytes_max,
    )
    try:
        found = (await manager.stream_info(spec.name)).config
    except NotFoundError:
        await manager.add_stream(wanted)
        return True
    compared = ("subjects", "storage", "max_age", "duplicate_window", "max_msg_size")
    if all(getattr(found, name) == getattr(wanted, name) for name in compared):
        return False
    await manager.update_stream(wanted)
    return True


async def _ensure_consumer(manager: JetStreamManager, spec: ConsumerSpec) -> bool:
    wanted = ConsumerConfig(
        durable_name=spec.durable,
        filter_subjects=list(spec.filter_subjects),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=spec.ack_wait_s,
        max_ack_pending=spec.ack_pending_max,
        deliver_policy=DeliverPolicy.ALL,
    )
    try:
        found = (await manager.consumer_info(spec.stream, spec.durable)).config
    except NotFoundError:
        await manager.add_consumer(spec.stream, wanted)
        return True
    same = all(getattr(found, name) == getattr(wanted, name) for name in ("ack_policy", "ack_wait", "max_ack_pending"))
    subjects = found.filter_subjects or [found.filter_subject]
    if same and sorted(subjects) == sorted(wanted.filter_subjects or []):
        return False
    await manager.add_consumer(spec.stream, wanted)
    return True
