"""Has operators told of jobs that fail, and of those that work again, by the inboxes of notification."""

from __future__ import annotations

from typing import Final

import msgspec

from alphintra.contracts.notification import ReportJob
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context, subject_of
from alphintra.manifest import SCHEDULER
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.nats_keys import nats_seed
from alphintra.runtime.schedules.notes import Done, noted, write_note

__all__ = ["tell_operators"]

_ACTOR: Final = f"service:{SCHEDULER}"


async def tell_operators(home: Home) -> int:
    """Tell what has not been told: that a job fails, or works again; return how many. What was told is noted.

    Raises NOTIFICATION_UNAVAILABLE, BUS_UNAVAILABLE, and OPERATORS_NONE while there is nobody to be told; said again
    later it makes no second message.
    """
    news = {name: done for name, done in noted(home).items() if done.failing_since != done.told}
    if not news:
        return 0
    url = provisioned_order(home).nats_url
    nats = await connect_nats(NatsCredentials(url=url, user=SCHEDULER, seed=nats_seed(home, SCHEDULER)))
    bus = Bus(name=SCHEDULER, asks=frozenset({subject_of(ReportJob)}), local=LocalDirectory(), nats=nats)
    try:
        for name, done in news.items():
            context = Context(trace_id=SystemIds().new().hex, actor=Actor(id=_ACTOR))
            if not (await bus.ask(_report(name, done), context)).people:
                message = f"there is neither owner nor operator to be told of {name}: set one up"
                raise AlphintraError("OPERATORS_NONE", message, kind=Kind.UNAVAILABLE)
            current = noted(home)
            told = msgspec.structs.replace(current[name], told=done.failing_since)
            write_note(home, current | {name: told})
    finally:
        await bus.close()
    return len(news)


def _report(name: str, done: Done) -> ReportJob:
    kind, _, of = name.partition(":")
    since = done.failing_since or done.told
    if since is None:
        raise ValueError(name)
    is_failing = done.failing_since is not None
    return ReportJob(
        kind=kind,
        of=of,
        failing_since=since,
        is_failing=is_failing,
        code=done.code if is_failing else "",
        detail=done.detail if is_failing else "",
    )
