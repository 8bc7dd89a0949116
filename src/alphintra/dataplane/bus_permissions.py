"""Who may publish and subscribe what, and which streams and consumers exist; all from the manifest. Pure.

Nobody gets ``allow_responses``: with it a caller's reply subject would decide where a responder publishes. A
responder may instead answer into the inboxes of the callers the manifest declares, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alphintra.manifest import EDGE_ASKS, EDGE_HEARS, INSPECTOR, SCHEDULER, SCHEDULER_ASKS, SERVICES

__all__ = [
    "BUS_USERS",
    "ConsumerSpec",
    "Rights",
    "StreamSpec",
    "allows",
    "callers_of",
    "consumers",
    "inbox_of",
    "producers_heard_by",
    "rights",
    "streams",
]

BUS_USERS: Final = (*SERVICES, "edge", "deployer", INSPECTOR, SCHEDULER)
"""Every user of the bus.

The eight services, the edge, the deployer that makes streams and consumers, the inspector and the scheduler.
"""

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Subjects one user may publish on and subscribe to; anything else is denied."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """A service's event stream, stored in files.

    Attributes:
        name: ``EVT_<SERVICE>``.
        subjects: what it stores.
        age_max_s: oldest event kept; the record itself stays in the service's event log.
        duplicate_window_s: how long a repeated event id is dropped; the inbox is what makes repeats harmless.
        message_bytes_max: largest event.
    """

    name: str
    subjects: tuple[str, ...]
    age_max_s: int = 7 * _DAY_S
    duplicate_window_s: int = 120
    message_bytes_max: int = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSpec:
    """A durable pull consumer, acknowledged message by message and delivered again without end.

    Attributes:
        stream: stream it reads.
        durable: the consuming service.
        filter_subjects: the events heard.
        ack_wait_s: silence after which an event is delivered again; what a killed consumer held waits this long.
        ack_pending_max: events delivered and not acknowledged at once.
    """

    stream: str
    durable: str
    filter_subjects: tuple[str, ...]
    ack_wait_s: int = 5
    ack_pending_max: int = 256


def inbox_of(user: str) -> str:
    """Return the prefix of a user's reply subjects, to be given to its NATS client."""
    return f"_INBOX_{user}"


def callers_of(service: str) -> tuple[str, ...]:
    """Return who may send commands to a service: the services that ask it, the edge, the scheduler."""
    asking = {spec.name for spec in SERVICES.values() for target in spec.asks if target.split(".")[0] == service}
    if any(target.split(".")[0] == service for target in EDGE_ASKS):
        asking.add("edge")
    if any(target.split(".")[0] == service for target in SCHEDULER_ASKS):
        asking.add(SCHEDULER)
    return tuple(sorted(asking))


def producers_heard_by(service: str) -> tuple[str, ...]:
    """Return the services whose events a service consumes."""
    return tuple(sorted({event.split(".")[0] for event in SERVICES[service].hears}))


def rights() -> dict[str, Rights]:
    """Return the rights of every bus user."""
    return {
        **{name: _service_rights(name) for name in SERVICES},
        "edge": _edge_rights(),
        "deployer": _deployer_rights(),
        INSPECTOR: _inspector_rights(),
        SCHEDULER: _scheduler_rights(),
    }


def streams() -> tuple[StreamSpec, ...]:
    """Return the event streams: one per service."""
    return tuple(StreamSpec(name=spec.event_stream, subjects=(f"{spec.name}.evt.>",)) for spec in SERVICES.values())


def consumers() -> tuple[ConsumerSpec, ...]:
    """Return the durable consumers: one per producer and service that hears it."""
    return tuple(
        ConsumerSpec(
            stream=SERVICES[producer].event_stream,
            durable=spec.name,
            filter_subjects=tuple(
                _subject(event, "evt") for event in sorted(spec.hears) if event.startswith(f"{producer}.")
            ),
        )
        for spec in SERVICES.values()
        for producer in producers_heard_by(spec.name)
    )


def allows(patterns: tuple[str, ...], subject: str) -> bool:
    """Tell whether one of the patterns covers the subject, wildcards in the subject included (as NATS does)."""
    return any(_covers(pattern.split("."), subject.split(".")) for pattern in patterns)


def _service_rights(service: str) -> Rights:
    spec = SERVICES[service]
    publish = [f"{service}.evt.>", f"{service}.wake"]
    publish += [_subject(target, "cmd") for target in sorted(spec.asks)]
    publish += [f"{inbox_of(caller)}.>" for caller in callers_of(service)]
    for producer in producers_heard_by(service):
        stream = SERVICES[producer].event_stream
        publish += [f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{service}", f"$JS.ACK.{stream}.{service}.>"]
    subscribe = (f"{service}.cmd.>", f"{inbox_of(service)}.>", f"{service}.wake")
    return Rights(publish=tuple(publish), subscribe=subscribe)


def _edge_rights() -> Rights:
    commands = tuple(_subject(target, "cmd") for target in sorted(EDGE_ASKS))
    events = tuple(_subject(event, "evt") for event in EDGE_HEARS)
    return Rights(publish=commands, subscribe=(f"{inbox_of('edge')}.>", *events))


def _deployer_rights() -> Rights:
    publish = [
        f"$JS.API.STREAM.{verb}.{spec.event_stream}"
        for spec in SERVICES.values()
        for verb in ("CREATE", "UPDATE", "INFO")
    ]
    for item in consumers():
        publish.append(f"$JS.API.CONSUMER.INFO.{item.stream}.{item.durable}")
        publish.append(f"$JS.API.CONSUMER.DURABLE.CREATE.{item.stream}.{item.durable}")
        publish.append(f"$JS.API.CONSUMER.CREATE.{item.stream}.{item.durable}")
        publish.append(f"$JS.API.CONSUMER.CREATE.{item.stream}.{item.durable}.>")
    return Rights(publish=tuple(publish), subscribe=(f"{inbox_of('deployer')}.>",))


def _inspector_rights() -> Rights:
    """Answer the edge and nobody else: it sends no command, publishes no event, hears none."""
    return Rights(publish=(f"{inbox_of('edge')}.>",), subscribe=(f"{INSPECTOR}.cmd.>", f"{inbox_of(INSPECTOR)}.>"))


def _scheduler_rights() -> Rights:
    """Report its jobs and nothing else: it answers nobody, publishes no event, hears none."""
    publish = tuple(_subject(target, "cmd") for target in SCHEDULER_ASKS)
    return Rights(publish=publish, subscribe=(f"{inbox_of(SCHEDULER)}.>",))


def _subject(name: str, kind: str) -> str:
    service, _, word = name.partition(".")
    return f"{service}.{kind}.{word}"


def _covers(pattern: list[str], subject: list[str]) -> bool:
    for position, word in enumerate(pattern):
        if word == ">":
            return len(subject) > position
        if position >= len(subject) or subject[position] == ">":
            return False
        if word not in {"*", subject[position]}:
            return False
    return len(pattern) == len(subject)
