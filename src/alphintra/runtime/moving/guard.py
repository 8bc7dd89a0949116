"""Ends a change-over for a mover that was killed in it: ``python -m alphintra.runtime.moving.guard HOME``.

Started by the mover, with its locks and gates open, it does nothing but wait for the mover's end. Where that was in the
midst of a change-over, it brings rights and gate to what the layout says, so that either the old side or the new one is
fully in charge within a moment; the rest is for ``--resume`` or ``--rollback``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import msgspec

from alphintra.dataplane.server import Server
from alphintra.infrastructure.gate import GateKeeper
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import gate_path
from alphintra.runtime.home import Home
from alphintra.runtime.moving.charge import HomeHands, follow_layout
from alphintra.runtime.moving.journal import UNDER_WAY, Journal, read_journal
from alphintra.runtime.moving.merging import settle_merge
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.units import inherited_environment

__all__ = ["guarded", "settle_all"]

_READY = b"ready\n"
_DONE = b"done\n"
_TRIES = 60
_REST_S = 1.0


class _Charge(msgspec.Struct):
    """What the guard has to know."""

    order: ProvisionOrder
    servers: dict[str, Server]


@contextmanager
def guarded(
    home: Home, order: ProvisionOrder, servers: dict[str, Server], *, descriptors: tuple[int, ...]
) -> Iterator[None]:
    """Have a guard who settles the moves of this home, should we be killed; it carries the locks on until it has."""
    argv = [sys.executable, "-m", "alphintra.runtime.moving.guard", str(home.path)]
    guard = Popen(  # noqa: S603 - our own program
        argv,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
        env=inherited_environment(),
    )
    told, heard = guard.stdin, guard.stdout
    if told is None or heard is None:
        raise AlphintraError("MIGRATE_GUARD", "the guard has no pipes", kind=Kind.BUG)
    try:
        told.write(msgspec.json.encode(_Charge(order, servers)) + b"\n")
        told.flush()
        if heard.readline() != _READY:
            message = f"the guard of the move did not start: see whether {sys.executable} runs"
            raise AlphintraError("MIGRATE_GUARD", message, kind=Kind.UNAVAILABLE)
        yield
    finally:
        left = read_journal(home)
        is_settled = left is None or not any(record.step in UNDER_WAY for record in left.records)
        if is_settled:
            with suppress(BrokenPipeError):
                told.write(_DONE)
                told.flush()
        with suppress(BrokenPipeError):
            told.close()
        heard.close()
        if is_settled:
            guard.wait()  # else it goes on without us, until the servers are there again


async def settle_all(home: Home, order: ProvisionOrder, servers: dict[str, Server]) -> tuple[str, ...]:
    """Bring the rights of services that were cut in a change-over to what the layout says; return which these were.

    Raises TOPOLOGY_CONNECT where a server is down.
    """
    journal = read_journal(home)
    if journal is None:
        return ()
    cut = tuple(record for record in journal.records if record.step in UNDER_WAY)
    if cut and journal.is_merge:
        await _settle_merge(home, order, servers, journal)
        return tuple(record.service for record in cut)
    for record in cut:
        gate = GateKeeper(gate_path(home, record.service))
        try:
            hands = HomeHands(
                home,
                journal,
                record,
                gate=gate,
                follow=lambda: follow_layout(home, order, servers),
                servers=servers,
            )
            await hands.settle()
        finally:
            gate.close()
    return tuple(record.service for record in cut)


async def _settle_merge(home: Home, order: ProvisionOrder, servers: dict[str, Server], journal: Journal) -> None:
    with ExitStack() as stack:
        gates = {record.service: GateKeeper(gate_path(home, record.service)) for record in journal.records}
        for gate in gates.values():
            stack.callback(gate.close)
        server = journal.records[0].move(servers).source.server
        await settle_merge(home, server, journal, gates=gates, follow=lambda: follow_layout(home, order, servers))


async def _settle_until_done(home: Home, charge: _Charge) -> int:
    for _ in range(_TRIES):
        try:
            await settle_all(home, charge.order, charge.servers)
        except AlphintraError:  # a server that is down too: it may come back
            await asyncio.sleep(_REST_S)
        else:
            return 0
    return 1


def main() -> int:
    """Wait for the mover's end, and end what it left if it did not say that it was done."""
    home = Home.existing(Path(sys.argv[1]))
    charge = msgspec.json.decode(sys.stdin.buffer.readline(), type=_Charge)
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    if sys.stdin.buffer.readline() == _DONE:
        return 0
    os.chdir("/")
    return asyncio.run(_settle_until_done(home, charge))


if __name__ == "__main__":
    sys.exit(main())
