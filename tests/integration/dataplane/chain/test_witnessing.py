"""A log and its witness: growth is proven, going back and forks are found, bundles stand by themselves."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.dataplane.chain import witness as witnessing
from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.proofs import Bundle, check_bundle, prove_rows
from alphintra.dataplane.chain.sealer import Sealer
from alphintra.dataplane.chain.verify import Fault, Witnessed
from alphintra.dataplane.chain.witness import Witness
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.chain.keeper import LogKeeper
from alphintra.runtime.home import Home
from integration.dataplane.chain.audited import ORIGIN, OTHER_SEED, Log

if TYPE_CHECKING:
    from pathlib import Path

OWN = NoteKeys("0123456789ab.alphintra/witness", [base64.b64encode(b"w" * 32).decode()])
SUBJECT = "order:2"


class PowerCutError(Exception):
    """What a fault point does here in place of ending the process."""


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "elsewhere", OWN)


@pytest.fixture
def keeper(witness: Witness, tmp_path: Path) -> LogKeeper:
    return LogKeeper(home=Home.open(tmp_path / "home"), service="user", witness=witness, stop=asyncio.Event())


async def show(keeper: LogKeeper, log: Log, work: Sealer | None = None) -> None:
    async with log.session("sealer") as connection:
        await keeper.show(work or log.sealer, connection)


def word(witness: Witness, log: Log, *, later_s: float = 0.0) -> Witnessed | None:
    return witness.witnessed(ORIGIN, log.keys.trusted, at=SystemClock().now() + timedelta(seconds=later_s))


async def test_a_log_is_witnessed_as_it_grows_and_while_it_rests(log: Log, witness: Witness, keeper: LogKeeper) -> None:
    await show(keeper, log)
    assert witness.seen(ORIGIN) is None, "there is nothing to see of an empty log"
    for count in (3, 1, 4, 12):
        await log.grow(count)
        await show(keeper, log)
        await show(keeper, log)
    found = await log.verify(witnessed=word(witness, log))
    assert (found.status, found.leaves) == (0, 20)
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert (seen.size, seen.root) == (20, found.root)
    assert (witness.path.parent / "checkpoints" / "user.txt").read_text() == seen.note


async def test_growth_is_proven_also_where_the_checkpoint_the_witness_saw_is_gone(
    log: Log, witness: Witness, keeper: LogKeeper
) -> None:
    await log.grow(5)
    await show(keeper, log)
    await log.grow(6)
    await log.tamper("delete from audit_checkpoints where tree_size = 5")
    await show(keeper, log)
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert seen.size == 11


async def test_an_old_snapshot_is_refused_and_found(log: Log, witness: Witness, keeper: LogKeeper) -> None:
    await log.grow(4, 4)
    await show(keeper, log)
    await log.tamper(
        "delete from audit_events where audit_id in (select audit_id from audit_leaves where leaf_index >= 4)",
        "delete from audit_leaves where leaf_index >= 4",
        "delete from audit_checkpoints where tree_size > 4",
    )
    assert (await log.verify()).status == 0, "nothing inside the database tells"
    assert (await log.verify(witnessed=word(witness, log))).status == Fault.TRUNCATED
    with pytest.raises(AlphintraError, match="AUDIT_ROLLBACK"):
        await show(keeper, log, Sealer(log.keys))


async def test_a_fork_by_whoever_has_the_key_is_refused_and_found(
    log: Log, witness: Witness, keeper: LogKeeper
) -> None:
    await log.grow(4, 4)
    await show(keeper, log)
    await log.tamper(
        "delete from audit_leaves where leaf_index >= 4",
        "delete from audit_checkpoints where tree_size > 4",
        "update audit_events set actor = 'somebody else' where audit_id not in (select audit_id from audit_leaves)",
        "insert into audit_pending select audit_id from audit_events "
        "where audit_id not in (select audit_id from audit_leaves)",
    )
    forger = Sealer(log.keys)
    await log.seal(sealer=forger)
    assert (await log.verify()).status == 0, "with the key, all in the database fits again"
    found = await log.verify(witnessed=word(witness, log))
    assert (found.status, found.findings[0].leaf) == (Fault.FORK, None)
    with pytest.raises(AlphintraError, match="AUDIT_FORK"):
        await show(keeper, log, forger)
    await log.write(3)
    await log.seal(sealer=forger)
    with pytest.raises(AlphintraError, match="AUDIT_FORK"):
        await show(keeper, log, forger)


async def test_a_witness_that_was_not_shown_the_log_for_long_is_told(
    log: Log, witness: Witness, keeper: LogKeeper
) -> None:
    await log.grow(2)
    await show(keeper, log)
    assert (await log.verify(witnessed=word(witness, log, later_s=20))).status == 0
    assert (await log.verify(witnessed=word(witness, log, later_s=40))).status == Fault.WITNESS_BEHIND


@pytest.mark.parametrize("point", ["audit.shown", "audit.witnessed"])
async def test_a_keeper_killed_at_the_witness_goes_on(
    log: Log, witness: Witness, keeper: LogKeeper, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await log.grow(3)
    await show(keeper, log)
    await log.grow(3)

    def cut(name: str) -> None:
        if name == point:
            raise PowerCutError

    monkeypatch.setattr(witnessing, "fault_point", cut)
    with pytest.raises(PowerCutError):
        await show(keeper, log)
    monkeypatch.undo()
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert seen.size == (6 if point == "audit.witnessed" else 3)
    await log.grow(1)
    await show(keeper, log, Sealer(log.keys))
    assert (await log.verify(witnessed=word(witness, log))).status == 0


async def test_an_absent_witness_stops_nothing(log: Log, tmp_path: Path, keeper: LogKeeper) -> None:
    (tmp_path / "gone").write_text("")
    keeper.witness = Witness(tmp_path / "gone" / "folder", OWN)
    await log.grow(3)
    await show(keeper, log)
    assert (await log.verify()).status == 0


async def bundle_of(log: Log, witness: Witness, keeper: LogKeeper) -> bytes:
    await log.grow(3, 4)
    await show(keeper, log)
    await log.write(2)
    await log.seal()
    seen = witness.seen(ORIGIN)
    assert seen is not None
    async with log.session("reader") as connection:
        proof = await prove_rows(
            connection,
            SUBJECT,
            service="user",
            note=seen.note,
            trusted=log.keys.trusted,
            witnesses=OWN.trusted,
        )
    assert (len(proof.rows), proof.waiting) == (2, 1)
    return msgspec.json.encode(Bundle(subject=SUBJECT, made_at=SystemClock().now(), logs=(proof,)))


async def test_a_bundle_proves_its_rows_by_itself(log: Log, witness: Witness, keeper: LogKeeper) -> None:
    data = await bundle_of(log, witness, keeper)
    for trusted in ((), (*log.keys.trusted, *OWN.trusted)):
        bundle, (checked,) = check_bundle(data, trusted=trusted)
        assert bundle.subject == SUBJECT
        assert ([row.object for row in checked.rows], checked.size, len(checked.seen_at)) == ([SUBJECT, SUBJECT], 7, 1)
    with pytest.raises(AlphintraError, match="AUDIT_SIGNATURE"):
        check_bundle(data, trusted=NoteKeys(ORIGIN, [OTHER_SEED]).trusted)


async def test_a_bundle_that_was_changed_proves_nothing(log: Log, witness: Witness, keeper: LogKeeper) -> None:
    data = await bundle_of(log, witness, keeper)
    whole = msgspec.json.decode(data)
    row = whole["logs"][0]["rows"][0]
    forged = [
        (row["row"] | {"actor": "somebody"}, row["leaf_index"], row["path"], "BUNDLE_FORGED"),
        (row["row"] | {"object": "order:3"}, row["leaf_index"], row["path"], "BUNDLE_FORGED"),
        (row["row"], row["leaf_index"] + 1, row["path"], "BUNDLE_FORGED"),
        (row["row"], row["leaf_index"], row["path"][:-1], "BUNDLE_FORGED"),
        (row["row"], row["leaf_index"], ["nonsense"], "BUNDLE_FORGED"),
        (row["row"], row["leaf_index"], 7, "BUNDLE_UNREADABLE"),
    ]
    for what, place, path, code in forged:
        changed = msgspec.json.decode(data)
        changed["logs"][0]["rows"][0] = {"row": what, "leaf_index": place, "path": path}
        with pytest.raises(AlphintraError, match=code):
            check_bundle(msgspec.json.encode(changed), trusted=log.keys.trusted)
    changed = msgspec.json.decode(data)
    changed["logs"][0]["checkpoint"] = changed["logs"][0]["checkpoint"].replace("\n7\n", "\n8\n")
    with pytest.raises(AlphintraError, match="AUDIT_SIGNATURE"):
        check_bundle(msgspec.json.encode(changed), trusted=log.keys.trusted)
    for nonsense in (b"", b"{}", b"[]", data.replace(b"bundle-v1", b"bundle-v2")):
        with pytest.raises(AlphintraError, match="BUNDLE_UNREADABLE"):
            check_bundle(nonsense)
