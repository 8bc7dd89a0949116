"""Moves services of a running home, one after the other; goes on where an earlier run was cut, goes back, finishes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from alphintra.dataplane.apply import apply
from alphintra.dataplane.failures import explained
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.move.checksums import Difference, Sum
from alphintra.dataplane.move.copying import Copied, copy_rows
from alphintra.dataplane.move.fence import fence_statements
from alphintra.dataplane.move.preparing import clear_side, is_there, prepare_target, require_same_schema
from alphintra.dataplane.move.sides import Move, Side
from alphintra.dataplane.move.streams import (
    create_slot,
    drop_publication,
    drop_slot,
    drop_subscription,
    move_up,
    subscribe,
)
from alphintra.dataplane.move.switching import Direction, Switched, compare_again, switch
from alphintra.dataplane.server import Server
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.gate import GateKeeper
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import gate_path, role_password
from alphintra.runtime.home import Home
from alphintra.runtime.layout import recorded_layout
from alphintra.runtime.moving.charge import HomeHands, follow_layout
from alphintra.runtime.moving.guard import guarded, settle_all
from alphintra.runtime.moving.history import ChangeOver, note_change_over
from alphintra.runtime.moving.journal import Journal, Record, Step, moves_lock, read_journal, write_journal
from alphintra.runtime.moving.merging import Merging
from alphintra.runtime.moving.told import Progress, telling
from alphintra.runtime.moving.visits import dismiss_visitors, let_in
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.visitors import readmit_visitors

if TYPE_CHECKING:
    from alphintra.dataplane.move.sides import Reach

__all__ = ["Moving", "Progress", "opened_moving"]

_WORKERS = 2
_LAG_WAIT_S = 600.0
_TELLING_SHARE = 0.02  # of the copy: before that nobody knows how long it takes
_HALF_WAY = frozenset({Step.PLANNED, Step.COPIED})


@dataclass(slots=True, kw_only=True)
class Moving:
    """The moves of one home while the lock on them is held; see `opened_moving`."""

    home: Home
    order: ProvisionOrder
    servers: dict[str, Server]
    reach: Reach
    journal: Journal
    on_progress: Callable[[Progress], None] = field(default=lambda _progress: None)
    gates: dict[str, GateKeeper] = field(default_factory=dict)

    async def go_on(self) -> None:
        """Bring every service to its target, as far as it is not there.

        Raises MIGRATE_DIFFERS, after that service has been taken back, and what the steps raise.
        """
        if self.journal.is_merge:
            await self._merging().go_on()
            return
        for record in self.journal.records:
            if record.step in {Step.RETURNED, Step.FINISHING}:
                continue
            move = record.move(self.servers)
            with _explained(record.service):
                if record.step is Step.PLANNED:
                    await self._fill(record, move)
                if record.step is Step.COPIED:
                    await self._switch(record, move)
                else:
                    await self._verify_again(record, move)

    async def go_back(self) -> None:
        """Bring every service back to where it was, with all that was written since, and leave nothing of the move.

        Raises MIGRATE_FINISHING where that has been given up.
        """
        if self.journal.is_merge:
            await self._merging().go_back()
            return
        if any(record.step is Step.FINISHING for record in self.journal.records):
            message = "the way back has been given up by --finish, which was cut: use --finish again"
            raise AlphintraError("MIGRATE_FINISHING", message, kind=Kind.CONFLICT)
        for record in reversed(self.journal.records):
            if record.step is Step.PLANNED and record.target.instance not in self.servers:
                continue  # a server that never came up: nothing was made there
            move = record.move(self.servers)
            with _explained(record.service):
                if record.step is Step.SWITCHED:
                    await self._open_way_back(record, move)
                if record.step in {Step.REVERSED, Step.VERIFIED}:
                    was_sound = record.step is Step.VERIFIED
                    odd = await self._return(record, move)
                    if odd and was_sound:
                        raise _differing(record, move, odd)
                if record.step in _HALF_WAY:
                    self._note(record, Step.PLANNED)  # what was copied goes: should we be cut, it is begun anew
                await self._forget(record, move, drop=move.target)
        await self._end()

    async def finish(self) -> None:
        """Give up the way back and remove what is left at the old places. Raises MIGRATE_UNFINISHED."""
        if self.journal.is_merge:
            await self._merging().finish()
            return
        for record in self.journal.records:
            if record.step not in {Step.VERIFIED, Step.FINISHING}:
                message = f"{record.service} is not moved yet ({record.step.value}): use --resume, or --rollback"
                raise AlphintraError("MIGRATE_UNFINISHED", message, kind=Kind.CONFLICT)
        for record in list(self.journal.records):
            move = record.move(self.servers)
            with _explained(record.service):
                self._note(record, Step.FINISHING)
                fault_point("migrate.finishing")
                await self._forget(record, move, drop=move.source)
        await self._end()

    async def _fill(self, record: Record, move: Move) -> None:
        self._tell(record, "making the target")
        async with move.source.administrator() as source:
            await drop_slot(source, move.forward)
        fault_point("migrate.planned")
        await prepare_target(move, layout=recorded_layout(self.home), passwords=role_password(self.home))
        await readmit_visitors(self.home, self.servers.values())
        fault_point("migrate.prepared")
        copied = await self._copy(record, move)
        record.rows, record.bytes = copied.rows, copied.bytes
        self._note(record, Step.COPIED)
        fault_point("migrate.copied")

    async def _copy(self, record: Record, move: Move) -> Copied:
        began = perf_counter()
        total = max(record.bytes, 1)

        def tell(done: Copied) -> None:
            share = min(done.bytes / total, 1.0)
            left = (perf_counter() - began) * (1 - share) / share if share > _TELLING_SHARE else None
            self.on_progress(
                Progress(
                    service=record.service, doing="copying", rows=done.rows, bytes=done.bytes, share=share, eta_s=left
                )
            )

        return await copy_rows(move, workers=_WORKERS, on_progress=tell)

    async def _switch(self, record: Record, move: Move) -> None:
        async with move.source.administrator() as source, move.target.administrator() as target:
            await create_slot(target, move.back)
            version = source.get_server_version().major * 10000
            words = await let_in(move, move.source, by=move.target, reach=self.reach)
            await subscribe(target, move.forward, words=words, origin_version=version)
        fault_point("migrate.streaming")
        await require_same_schema(move)
        direction = Direction(old=move.source, new=move.target, stream=move.forward, parked=move.back)
        done = await self._change_over(record, direction)
        record.pause_ms = done.pause_ms
        await self._open_way_back(record, move)
        await self._judge(record, move, done.differences)

    async def _change_over(self, record: Record, direction: Direction) -> Switched:
        hands = self._hands(record)
        self._tell(record, "catching up")
        done = await switch(
            direction,
            hands,
            lag_wait_s=_LAG_WAIT_S,
            on_lag=lambda lag: self._tell(record, "catching up", lag_bytes=lag),
            on_table=lambda table, found: self._tell(record, f"comparing {table}", rows=found.rows),
        )
        hands.done()
        self._keep(record, direction, done)
        fault_point("migrate.switched")
        return done

    def _keep(self, record: Record, direction: Direction, done: Switched) -> None:
        note_change_over(
            self.home,
            ChangeOver(
                at=SystemClock().now().isoformat(timespec="milliseconds"),
                service=record.service,
                source=direction.old.label,
                target=direction.new.label,
                versions=done.versions,
                is_back=not direction.parked,
                rows=done.rows,
                differences=len(done.differences),
                pause_ms=done.pause_ms,
                fence_ms=done.fence_ms,
                phases_ms=done.phases_ms,
            ),
        )

    async def _open_way_back(self, record: Record, move: Move) -> None:
        """Let what is written at the target go back to the source."""
        async with move.source.administrator() as source, move.target.administrator() as target:
            await drop_subscription(target, move.forward)
            await drop_slot(source, move.forward)
            fault_point("migrate.unfollowed")
            await move_up(target, move.back)
            version = target.get_server_version().major * 10000
            words = await let_in(move, move.target, by=move.source, reach=self.reach)
            await subscribe(source, move.back, words=words, origin_version=version)
        self._note(record, Step.REVERSED)
        fault_point("migrate.reversed")

    async def _verify_again(self, record: Record, move: Move) -> None:
        """Do what is left of a change-over that was cut after it."""
        if record.step is Step.SWITCHED:
            await self._open_way_back(record, move)
        if record.step is Step.REVERSED:
            direction = Direction(old=move.target, new=move.source, stream=move.back)

            def tell(table: str, found: Sum) -> None:
                self._tell(record, f"comparing {table}", rows=found.rows)

            await self._judge(record, move, await compare_again(direction, self._hands(record), on_table=tell))

    async def _judge(self, record: Record, move: Move, differences: Iterable[Difference]) -> None:
        """Note that the rows are the same, or take the service back. Raises MIGRATE_DIFFERS."""
        odd = tuple(differences)
        if not odd:
            self._note(record, Step.VERIFIED)
            fault_point("migrate.verified")
            return
        await self._return(record, move)
        raise _differing(record, move, odd)

    async def _return(self, record: Record, move: Move) -> tuple[Difference, ...]:
        """Put the source in charge again, with all that was written since; return what was not the same by then."""
        passwords = role_password(self.home)
        await apply(
            move.source.server,
            layout=(*recorded_layout(self.home), move.source.placement),
            passwords=passwords,
        )
        await readmit_visitors(self.home, self.servers.values())
        async with move.source.administrator() as source:
            await source.execute(await fence_statements(source, move.source))
        done = await self._change_over(record, Direction(old=move.target, new=move.source, stream=move.back))
        record.pause_ms = done.pause_ms
        self._note(record, Step.RETURNED)
        return done.differences

    async def _forget(self, record: Record, move: Move, *, drop: Side) -> None:
        """Leave nothing of a move, nor of the side the service does not live on."""
        self._tell(record, "clearing up")
        async with move.source.administrator() as source:
            await drop_subscription(source, move.back)
            if await is_there(move.target):
                async with move.target.administrator() as target:
                    await drop_subscription(target, move.forward)
                    await drop_slot(target, move.back)
                    await drop_publication(target, move.back)
            await drop_slot(source, move.forward)
            await drop_publication(source, move.forward)
        await dismiss_visitors(move)
        fault_point("migrate.forgotten")
        await clear_side(drop, layout=(*recorded_layout(self.home), *self._held(record)))
        fault_point("migrate.cleared")
        self.journal.records.remove(record)
        write_journal(self.home, self.journal)

    def _merging(self) -> Merging:
        first = self.journal.records[0]
        return Merging(
            home=self.home,
            server=first.move(self.servers).source.server,
            journal=self.journal,
            gates=self.gates,
            follow=lambda: follow_layout(self.home, self.order, self.servers),
            tell=lambda doing: self._tell(first, doing),
        )

    def _held(self, record: Record) -> list[Placement]:
        """Return the places that other moves still need."""
        return [
            place for other in self.journal.records if other is not record for place in (other.source, other.target)
        ]

    async def _end(self) -> None:
        layout = recorded_layout(self.home)
        used = {placement.instance for placement in layout}
        for name, server in self.servers.items():
            if name in used:
                await apply(server, layout=layout, passwords=role_password(self.home))
        write_journal(self.home, None)

    def _hands(self, record: Record) -> HomeHands:
        return HomeHands(
            self.home,
            self.journal,
            record,
            gate=self.gates[record.service],
            follow=lambda: follow_layout(self.home, self.order, self.servers),
            servers=self.servers,
        )

    def _note(self, record: Record, step: Step) -> None:
        record.step = step
        write_journal(self.home, self.journal)

    def _tell(self, record: Record, doing: str, *, rows: int = 0, lag_bytes: int | None = None) -> None:
        self.on_progress(Progress(service=record.service, doing=doing, rows=rows, lag_bytes=lag_bytes))


def _explained(service: str) -> AbstractContextManager[None]:
    return explained(
        "MIGRATE_FAILED", lambda reason: f"moving {service} broke off ({reason}): use --resume, or --rollback"
    )


def _differing(record: Record, move: Move, differences: Iterable[Difference]) -> AlphintraError:
    odd = ", ".join(f"{each.table} ({each.source.rows} rows, then {each.target.rows})" for each in differences)
    message = (
        f"rows of {record.service} were not the same on both sides: {odd}; it is back at {move.source.label}, with all "
        "that was written since: find out who wrote past the service, then clear up by --rollback"
    )
    return AlphintraError("MIGRATE_DIFFERS", message, kind=Kind.CONFLICT)


@asynccontextmanager
async def opened_moving(
    home: Home,
    order: ProvisionOrder,
    find_servers: Callable[[Journal], Awaitable[dict[str, Server]]],
    *,
    reach: Reach,
    begin: Journal | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> AsyncIterator[Moving]:
    """Hold the right to move services of a home, with a guard behind us, and settle what an earlier run left first.

    ``begin`` are new moves, without which those under way are lent; ``find_servers`` gives the servers they need, once
    these run.

    Raises ALREADY_RUNNING, MIGRATE_OPEN for new moves beside others, MIGRATE_NONE where there are none.
    """
    async with AsyncExitStack() as stack:
        lock = stack.enter_context(moves_lock(home))
        journal = read_journal(home)
        if journal is not None and begin is not None:
            message = "services of this home are already being moved: use --resume, --rollback or --finish first"
            raise AlphintraError("MIGRATE_OPEN", message, kind=Kind.CONFLICT)
        if journal is None and begin is None:
            message = "no service of this home is being moved: begin with --to"
            raise AlphintraError("MIGRATE_NONE", message, kind=Kind.CONFLICT)
        if begin is not None:
            write_journal(home, begin)
        current = read_journal(home) or Journal(to="", records=[])
        servers = await find_servers(current)
        await settle_all(home, order, servers)
        await readmit_visitors(home, servers.values())
        current = read_journal(home) or Journal(to="", records=[])
        gates = {record.service: GateKeeper(gate_path(home, record.service)) for record in current.records}
        for gate in gates.values():
            stack.callback(gate.close)
        descriptors = (lock, *(gate.descriptor for gate in gates.values()))
        stack.enter_context(guarded(home, order, servers, descriptors=descriptors))
        yield Moving(
            home=home,
            order=order,
            servers=servers,
            reach=reach,
            journal=current,
            on_progress=stack.enter_context(telling(home, on_progress)),
            gates=gates,
        )
