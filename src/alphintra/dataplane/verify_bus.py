"""The live 8 by 8 access matrix of the bus: every service's own key against every service's subjects.

Nothing that is tried can do harm where it gets through: payloads decode to nothing, event probes name a stream
that does not exist, and requests to JetStream carry a body it refuses.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from nats.errors import Error as NatsError

from alphintra.dataplane.bus_permissions import inbox_of, producers_heard_by
from alphintra.dataplane.matrix import AccessMatrix, Cell, Outcome, Probe
from alphintra.dataplane.streams import bus_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import EDGE_ASKS, EDGE_HEARS, SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.client import Client

    from alphintra.dataplane.streams import BusLogin

__all__ = ["verify_bus"]

_PAYLOAD: Final = b"access probe"
_HEADERS: Final = {"Nats-Expected-Stream": "ACCESS_PROBE"}  # JetStream stores no message that expects another stream
_ANSWER_TIMEOUT_S: Final = 5
_VIOLATION: Final = "permissions violation"
_STREAM_VERBS: Final = ("DELETE", "PURGE", "UPDATE", "MSG.GET", "MSG.DELETE")

_Try = tuple[str, str, bool]
"""Verb (publish, subscribe), subject, and whether the manifest allows it."""


async def verify_bus(login: Callable[[str], BusLogin]) -> AccessMatrix:
    """Try every service's subjects, inbox and stream as every service, and as the edge.

    A denied publish shows itself only as an error message of the server, which comes before its answer to the
    ping that follows: each try is therefore settled within two round trips, at most 10 s.

    Args:
        login: gives address and key of a user of the bus.

    An unreachable server, or a key it does not know, is an ``error`` in every cell of that user.
    """
    rows = await asyncio.gather(*(_row(login(user), user) for user in (*SERVICES, "edge")))
    cells = tuple(cell for row in rows for cell in row)
    return AccessMatrix(
        kind="bus",
        cells=tuple(cell for cell in cells if cell.user in SERVICES),
        outsiders=tuple(cell for cell in cells if cell.user not in SERVICES),
    )


async def _row(login: BusLogin, user: str) -> list[Cell]:
    heard: list[str] = []

    async def on_error(error: Exception) -> None:
        heard.append(str(error))

    try:
        async with bus_connection(login, on_error=on_error) as client:
            return [
                Cell(
                    user=user,
                    target=target,
                    probes=await _try_all(client, _tries(user, target), heard=heard),
                    declared=_declared(user, target),
                )
                for target in SERVICES
            ]
    except AlphintraError as error:
        failed = Probe(name="connect", may=True, outcome=Outcome.ERROR, answer=error.detail)
        return [Cell(user=user, target=target, probes=(failed,)) for target in SERVICES]


def _tries(user: str, target: str) -> list[_Try]:
    is_own = user == target
    stream = SERVICES[target].event_stream
    asks = EDGE_ASKS if user == "edge" else SERVICES[user].asks
    tries: list[_Try] = [
        ("publish", f"{target}.evt.access_probe", is_own),
        ("subscribe", f"{target}.cmd.>", is_own),
        ("subscribe", f"{inbox_of(target)}.>", is_own),
        ("subscribe", f"{target}.evt.>", False),
    ]
    heard = EDGE_HEARS if user == "edge" else ()
    tries += [
        ("subscribe", f"{target}.evt.{event}", False)
        for event in SERVICES[target].events
        if f"{target}.{event}" not in heard
    ]
    tries += [("publish", f"{target}.evt.{event}", False) for event in SERVICES[target].events if not is_own]
    tries += [
        ("publish", f"{target}.cmd.{command}", False)
        for command in SERVICES[target].commands
        if f"{target}.{command}" not in asks
    ]
    durables = [
        name for name in SERVICES if name != user or user not in SERVICES or target not in producers_heard_by(user)
    ]
    tries += [("publish", f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", False) for durable in durables]
    tries += [("publish", f"$JS.API.STREAM.{verb}.{stream}", False) for verb in _STREAM_VERBS]
    tries += [
        ("publish", f"$JS.API.CONSUMER.CREATE.{stream}.spy", False),
        ("publish", f"$JS.API.DIRECT.GET.{stream}", False),
    ]
    if is_own:
        tries.append(("subscribe", ">", False))
    return tries


def _declared(user: str, target: str) -> tuple[str, ...]:
    asks = EDGE_ASKS if user == "edge" else SERVICES[user].asks
    hears = EDGE_HEARS if user == "edge" else SERVICES[user].hears
    commands = tuple(f"asks {name}" for name in asks if name.startswith(f"{target}."))
    return commands + tuple(f"hears {name}" for name in hears if name.startswith(f"{target}."))


async def _try_all(client: Client, tries: Sequence[_Try], *, heard: list[str]) -> tuple[Probe, ...]:
    heard.clear()
    subscriptions = []
    try:
        for verb, subject, _ in tries:
            if verb == "publish":
                headers = dict(_HEADERS) if ".evt." in subject else None
                await client.publish(subject, _PAYLOAD, headers=headers)
            else:
                subscriptions.append(await client.subscribe(subject))
        # Twice: the client writes its first ping before what it has buffered, so only the second one comes after it.
        await client.flush(timeout=_ANSWER_TIMEOUT_S)
        await client.flush(timeout=_ANSWER_TIMEOUT_S)
        for subscription in subscriptions:
            await subscription.unsubscribe()
    except (NatsError, OSError, TimeoutError) as error:
        answer = str(error) or type(error).__name__
        return tuple(
            Probe(name=f"{verb} {subject}", may=may, outcome=Outcome.ERROR, answer=answer)
            for verb, subject, may in tries
        )
    return tuple(_settled(verb, subject, may=may, heard=heard) for verb, subject, may in tries)


def _settled(verb: str, subject: str, *, may: bool, heard: Sequence[str]) -> Probe:
    # The client lowers the case of what the server says.
    wanted = f'for {"publish" if verb == "publish" else "subscription"} to "{subject}"'.lower()
    answer = next((text for text in heard if _VIOLATION in text.lower() and wanted in text.lower()), "")
    outcome = Outcome.DENIED if answer else Outcome.ALLOWED
    return Probe(name=f"{verb} {subject}", may=may, outcome=outcome, answer=answer)
