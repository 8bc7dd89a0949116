"""The change-over: from the moment when one side stops being written to until the other one may be.

Who is in charge is one durable fact outside of PostgreSQL, changed by `Hands.take_over`. Before it, everything here is
undone by giving the rights back where they were; after it, only forward. The other side never has the right to write.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from alphintra.dataplane.move.checksums import compare, pin, tables_of
from alphintra.dataplane.move.fence import drained, fence_statements, free_statements
from alphintra.dataplane.move.streams import applied, mark, move_up, note_beginning, require_published, wait_until_close
from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from alphintra.dataplane.move.checksums import Difference, Sum
    from alphintra.dataplane.move.sides import Side

__all__ = ["Direction", "Hands", "Switched", "compare_again", "switch"]

_DRAIN_S: Final = 2.0
_APPLY_S: Final = 10.0
_TRIES: Final = 5
_REST_S: Final = 0.5
_FENCED: Final = ("drain", "sequences", "pin", "make durable", "take over", "free")
_SEQUENCES: Final = """
    select relname::text from pg_class where relnamespace = $1::regnamespace and relkind = 'S' order by 1
"""


class Hands(Protocol):
    """What is done around the databases: the gate before the service, and the note of who is in charge."""

    async def shut(self) -> bool:
        """Let no request of the service at its database; False, and open again, if one would not end."""
        ...

    def begin(self) -> None:
        """Note durably that a change-over is under way."""
        ...

    def take_over(self) -> None:
        """Note durably that the other side is in charge from now on."""
        ...

    def open(self) -> None:
        """Tell the service where its database is now, and let its requests through; all rights are in order."""
        ...

    async def settle(self) -> None:
        """Give the side in charge its rights, take the other's, open the gate; from whatever point things broke off."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """From where to where, by which stream.

    Attributes:
        old: side in charge before.
        new: side in charge afterwards.
        stream: name of publication and slot at ``old`` and of the subscription at ``new``.
        parked: slot at ``new`` for the stream back, moved up to the change-over; empty for none.
    """

    old: Side
    new: Side
    stream: str
    parked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """What a change-over came to.

    Attributes:
        pause_ms: from the shutting of the gate to its opening.
        fence_ms: from the revoking on the old side to the granting on the new one.
        phases_ms: by what was done.
        rows: rows compared.
        differences: tables that were not the same when nobody wrote.
        versions: major versions of PostgreSQL at the side that was left and at the other one.
    """

    pause_ms: float
    fence_ms: float
    phases_ms: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    differences: tuple[Difference, ...] = ()
    versions: tuple[int, int] = (0, 0)


class _Watch:
    """Times of the phases."""

    def __init__(self) -> None:
        self.began = self._last = perf_counter()
        self.phases: dict[str, float] = {}

    def lap(self, phase: str) -> None:
        now = perf_counter()
        self.phases[phase] = round((now - self._last) * 1000, 2)
        self._last = now


async def switch(
    direction: Direction,
    hands: Hands,
    *,
    lag_wait_s: float,
    on_lag: Callable[[int | None], None] = lambda _lag: None,
    on_table: Callable[[str, Sum], None] = lambda _table, _sum: None,
) -> Switched:
    """Change over, then compare every row of both sides as they were when nobody wrote.

    Raises MIGRATE_LAG, MIGRATE_BUSY_SERVICE, MIGRATE_DRAIN, MIGRATE_STREAM: with the old side in charge as before.
    """
    async with AsyncExitStack() as stack:
        old, old_pin = [await stack.enter_async_context(direction.old.administrator()) for _ in range(2)]
        new, new_pin = [await stack.enter_async_context(direction.new.administrator()) for _ in range(2)]
        await wait_until_close(old, new, direction.stream, wait_s=lag_wait_s, on_lag=on_lag)
        await require_published(old, direction.stream, direction.old.schema)
        if direction.parked:
            await require_published(new, direction.parked, direction.new.schema)
        fence = await fence_statements(old, direction.old)
        free = free_statements(direction.new)
        sequences = [row["relname"] for row in await old.fetch(_SEQUENCES, identifier(direction.old.schema))]
        tables = await tables_of(old, direction.old.schema)
        await _begin_here(new, direction)
        hands.begin()
        fault_point("migrate.begun")
        try:
            watch = await _shut(hands)
            fault_point("migrate.shut")
            await old.execute(fence)
            fault_point("migrate.fenced")
            watch.lap("fence")
            await _drain(old, new, direction, ours=[_pid(each) for each in (old, old_pin)])
            fault_point("migrate.drained")
            watch.lap("drain")
            await _copy_sequences(old, new, direction.old.schema, sequences)
            watch.lap("sequences")
            await asyncio.gather(pin(old_pin), pin(new_pin))
            fault_point("migrate.pinned")
            watch.lap("pin")
            await _begin_here(new, direction)
            watch.lap("make durable")
            hands.take_over()
            fault_point("migrate.taken")
            watch.lap("take over")
            await new.execute(free)
            fault_point("migrate.freed")
            watch.lap("free")
            hands.open()
            watch.lap("open")
        except BaseException:
            await hands.settle()
            raise
        pause = (perf_counter() - watch.began) * 1000
        rows = 0

        def seen(table: str, found: Sum) -> None:
            nonlocal rows
            rows += found.rows
            on_table(table, found)

        differences = await compare(old_pin, new_pin, direction.old.schema, tables, on_table=seen)
    return Switched(
        pause_ms=round(pause, 2),
        fence_ms=round(sum(watch.phases[phase] for phase in _FENCED), 2),
        phases_ms=watch.phases,
        rows=rows,
        differences=differences,
        versions=(old.get_server_version().major, new.get_server_version().major),
    )


async def compare_again(
    direction: Direction, hands: Hands, *, on_table: Callable[[str, Sum], None] = lambda _table, _sum: None
) -> tuple[Difference, ...]:
    """Compare both sides as of one more short pause, after a change-over whose own comparison was cut.

    ``direction`` is that of the stream that runs now. Raises MIGRATE_BUSY_SERVICE, MIGRATE_STREAM.
    """
    async with AsyncExitStack() as stack:
        old, old_pin = [await stack.enter_async_context(direction.old.administrator()) for _ in range(2)]
        new, new_pin = [await stack.enter_async_context(direction.new.administrator()) for _ in range(2)]
        await wait_until_close(old, new, direction.stream, wait_s=_APPLY_S, on_lag=lambda _lag: None)
        tables = await tables_of(old, direction.old.schema)
        try:
            await _shut(hands)
            await _drain(old, new, direction, ours=[_pid(each) for each in (old, old_pin)])
            await asyncio.gather(pin(old_pin), pin(new_pin))
        finally:
            hands.open()
        return await compare(old_pin, new_pin, direction.old.schema, tables, on_table=on_table)


async def _shut(hands: Hands) -> _Watch:
    for _ in range(_TRIES):
        watch = _Watch()
        if await hands.shut():
            watch.lap("shut")
            return watch
        await asyncio.sleep(_REST_S)
    message = "requests of the service stay at its database for too long: use --resume when it has less to do"
    raise AlphintraError("MIGRATE_BUSY_SERVICE", message, kind=Kind.UNAVAILABLE)


async def _drain(old: asyncpg.Connection, new: asyncpg.Connection, direction: Direction, *, ours: list[int]) -> None:
    """Wait for what strangers had open, then for all of it to arrive. Raises MIGRATE_DRAIN, MIGRATE_STREAM."""
    if not await drained(old, direction.old, ours=ours, wait_s=_DRAIN_S):
        message = f"a transaction that writes to {direction.old.label} does not end: end it and use --resume"
        raise AlphintraError("MIGRATE_DRAIN", message, kind=Kind.CONFLICT)
    if not await applied(new, direction.stream, await mark(old, direction.stream), wait_s=_APPLY_S):
        message = f"the last changes did not arrive at {direction.new.label} within {_APPLY_S:g} s: use --resume"
        raise AlphintraError("MIGRATE_STREAM", message, kind=Kind.UNAVAILABLE)


async def _copy_sequences(old: asyncpg.Connection, new: asyncpg.Connection, schema: str, names: list[str]) -> None:
    if not names:
        return
    each = (
        f"select {literal(qualified(schema, name))} as name, last_value, is_called from {qualified(schema, name)}"  # noqa: S608 - quoted
        for name in names
    )
    rows = await old.fetch(" union all ".join(each))
    calls = (
        f"setval({literal(row['name'])}, {row['last_value']}, {'true' if row['is_called'] else 'false'})"
        for row in rows
    )
    await new.execute(f"select {', '.join(calls)}")


async def _begin_here(new: asyncpg.Connection, direction: Direction) -> None:
    """Make durable at the new side what has arrived there; the way back begins after it."""
    await note_beginning(new, direction.parked or direction.stream)
    if direction.parked:
        await move_up(new, direction.parked)


def _pid(connection: asyncpg.Connection) -> int:
    return int(connection.get_server_pid())
