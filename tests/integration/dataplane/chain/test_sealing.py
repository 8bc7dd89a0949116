"""Sealing on a real PostgreSQL: everything that was committed and nothing else, once, by one, whatever is cut."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.chain import sealer as sealing
from alphintra.dataplane.chain.notes import NoteKeys, checkpoint_of
from alphintra.dataplane.chain.sealer import Sealer
from alphintra.kernel.errors import AlphintraError
from integration.dataplane.chain.audited import ORIGIN, OTHER_SEED, SEED, WRITE

if TYPE_CHECKING:
    from integration.dataplane.chain.audited import Log

WRITERS = 16


class PowerCutError(Exception):
    """What a fault point does here in place of ending the process."""


async def test_sixteen_writers_of_whom_some_give_up_leave_the_committed_rows_sealed(log: Log) -> None:
    is_done = asyncio.Event()

    async def write(seed: int) -> int:
        draw = random.Random(seed)  # noqa: S311 - a test's own chance
        kept = 0
        async with log.session("service") as connection:
            for _ in range(25):
                count = draw.randint(1, 4)
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute(WRITE, count)
                await asyncio.sleep(draw.random() / 200)  # so that commits come in another order than rows
                if draw.random() < 0.1:
                    await transaction.rollback()
                else:
                    await transaction.commit()
                    kept += count
        return kept

    async def seal() -> None:
        passes = 0
        while not is_done.is_set():
            passes += 1
            await log.seal(is_signed=passes % 3 == 0)

    sealing_task = asyncio.create_task(seal())
    kept = await asyncio.gather(*(write(seed) for seed in range(WRITERS)))
    is_done.set()
    await sealing_task
    await log.seal()
    found = await log.verify()
    assert found.status == 0, found.findings
    assert (found.leaves, found.pending) == (sum(kept), 0)


async def test_a_second_sealer_is_told_that_there_is_one(log: Log) -> None:
    await log.write(1)
    async with log.session("sealer") as held, held.transaction():
        first = Sealer(log.keys)
        await held.fetchval("select pg_try_advisory_xact_lock($1)", first._lock)
        with pytest.raises(AlphintraError, match="SEALER_BUSY"):
            await log.seal(sealer=Sealer(log.keys))
    assert (await log.seal()).count == 1


async def test_two_sealers_that_take_turns_make_one_log(log: Log) -> None:
    one, other = Sealer(log.keys), Sealer(log.keys)
    for turn in range(6):
        await log.write(3)
        await log.seal(sealer=(one, other)[turn % 2], is_signed=turn % 3 == 0)
    await log.seal(sealer=one)
    found = await log.verify()
    assert (found.status, found.leaves) == (0, 18)


@pytest.mark.parametrize("point", ["audit.taken", "audit.sealed", "audit.committed"])
@pytest.mark.parametrize("is_signed", [True, False])
async def test_a_sealer_killed_anywhere_loses_and_doubles_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch, point: str, *, is_signed: bool
) -> None:
    await log.grow(4)
    await log.write(5)

    def cut(name: str) -> None:
        if name == point:
            raise PowerCutError

    monkeypatch.setattr(sealing, "fault_point", cut)
    with pytest.raises(PowerCutError):
        await log.seal(is_signed=is_signed)
    monkeypatch.undo()
    is_kept = point == "audit.committed"
    assert await log.value("select count(*) from audit_leaves") == (9 if is_kept else 4)
    assert await log.value("select count(*) from audit_pending") == (0 if is_kept else 5)
    for sealer in (Sealer(log.keys), log.sealer):  # one that begins anew, and the one that was cut
        await log.seal(sealer=sealer)
        await log.write(1)
    await log.seal()
    found = await log.verify()
    assert (found.status, found.leaves) == (0, 11)


async def test_more_rows_than_one_batch_are_sealed_by_several(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "SEAL_BATCH", 10)
    await log.write(25)
    assert [(await log.seal()).is_more for _ in range(3)] == [True, True, False]
    assert (await log.verify()).leaves == 25


async def test_a_new_key_signs_from_then_on_and_the_old_one_is_still_believed(log: Log) -> None:
    await log.grow(3)
    log.keys = NoteKeys(ORIGIN, [OTHER_SEED, SEED])
    log.sealer = Sealer(log.keys)
    await log.grow(3)
    note = await log.value("select note from audit_checkpoints where tree_size = 6")
    assert checkpoint_of(note, log.keys.trusted[:1]).size == 6
    assert (await log.verify()).status == 0
    log.keys = NoteKeys(ORIGIN, [OTHER_SEED])
    assert (await log.verify()).status == 2, "a key that is not known any more proves nothing"


@pytest.mark.parametrize(
    "changes",
    [
        ("update audit_checkpoints set frontier = decode(repeat('00', 32), 'hex') where tree_size = 4",),
        ("update audit_checkpoints set note = replace(note, E'\\n4\\n', E'\\n5\\n') where tree_size = 4",),
        ("delete from audit_leaves where leaf_index >= 3",),
        ("delete from audit_leaves where leaf_index = 4",),
    ],
    ids=["edge", "note", "signed leaves", "leaf"],
)
async def test_a_sealer_does_not_go_on_with_what_is_not_its_own(log: Log, changes: tuple[str, ...]) -> None:
    await log.grow(4)
    await log.write(2)
    await log.seal(is_signed=False)
    await log.tamper(*changes)
    await log.write(1)
    with pytest.raises(AlphintraError, match="AUDIT_ALTERED"):
        await log.seal(sealer=Sealer(log.keys))
