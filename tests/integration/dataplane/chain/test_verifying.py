"""What somebody who owns the database can do to an audit log, and what verification says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.chain.verify import Fault
from integration.dataplane.chain.audited import Log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fixtures.postgres import ServiceDatabase

    CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]

LEAVES = 14  # 5, 4 and 5, each with a checkpoint

ROW = "(select audit_id from audit_leaves where leaf_index = 6)"
BYTES = {
    "actor": "update audit_events set actor = 'persom' where audit_id = {row}",
    "action": "update audit_events set action = 'order.submiu' where audit_id = {row}",
    "object": "update audit_events set object = object || '0' where audit_id = {row}",
    "detail": "update audit_events set detail = replace(detail, 'é', 'e') where audit_id = {row}",
    "white space in detail": "update audit_events set detail = replace(detail, ':', ': ') where audit_id = {row}",
    "trace": "update audit_events set trace_id = 'tracf' where audit_id = {row}",
    "occurred": "update audit_events set occurred_at = occurred_at + interval '1 microsecond' where audit_id = {row}",
    "recorded": "update audit_events set recorded_at = recorded_at - interval '1 microsecond' where audit_id = {row}",
    "row": "delete from audit_events where audit_id = {row}",
    "leaf": "update audit_leaves set leaf_hash = sha256(leaf_hash) where leaf_index = 6",
    "leaf of another row": "update audit_leaves set audit_id = gen_random_uuid() where leaf_index = 6",
    "leaf taken out": "delete from audit_leaves where leaf_index = 6",
}


@pytest.fixture
async def grown(log: Log) -> Log:
    await log.grow(5, 4, 5)
    return log


async def test_a_log_that_nobody_touched_is_sound(grown: Log) -> None:
    found = await grown.verify()
    assert (found.status, found.leaves, found.checkpoints, found.pending) == (0, LEAVES, 3, 0)


@pytest.mark.parametrize("what", BYTES)
async def test_each_part_of_a_row_or_leaf_that_is_altered_is_named_by_its_leaf(grown: Log, what: str) -> None:
    await grown.tamper(BYTES[what].format(row=ROW))
    found = await grown.verify()
    assert found.status == Fault.ALTERED
    assert found.findings[0].leaf == 6, found.findings


@pytest.mark.parametrize(
    "moved",
    [
        # Rows and leaves that fit each other, in another order: only the signed roots tell.
        "l.leaf_index in (6, 8) and o.leaf_index = 14 - l.leaf_index",
        "l.leaf_index between 5 and 8 and o.leaf_index = 13 - l.leaf_index",
    ],
    ids=["swapped", "reordered"],
)
async def test_leaves_in_another_order_are_found_between_two_checkpoints(grown: Log, moved: str) -> None:
    await grown.tamper(
        "alter table audit_leaves drop constraint audit_leaves_audit_id_key",
        "update audit_leaves as l set audit_id = o.audit_id, leaf_hash = o.leaf_hash from audit_leaves as o "  # noqa: S608 - constants
        f"where {moved}",
    )
    found = await grown.verify()
    assert found.status == Fault.ALTERED
    assert (found.findings[0].leaf, "of leaves 5 to 8" in found.findings[0].detail) == (5, True)


async def test_a_row_that_is_put_in_twice_is_found(grown: Log) -> None:
    await grown.tamper(
        "alter table audit_leaves drop constraint audit_leaves_audit_id_key",
        "update audit_leaves set leaf_index = leaf_index + 100 where leaf_index > 6",
        "insert into audit_leaves select 7, audit_id, leaf_hash from audit_leaves where leaf_index = 6",
        "update audit_leaves set leaf_index = leaf_index - 99 where leaf_index > 100",
    )
    found = await grown.verify()
    assert (found.status, found.findings[0].leaf) == (Fault.ALTERED, 5)


@pytest.mark.parametrize(
    "also", ["", "delete from audit_events where audit_id not in (select audit_id from audit_leaves)"]
)
async def test_a_tail_that_is_cut_off_is_found(grown: Log, also: str) -> None:
    await grown.tamper("delete from audit_leaves where leaf_index >= 11", *filter(None, [also]))
    found = await grown.verify()
    assert (found.status, found.findings[0].leaf) == (Fault.TRUNCATED, 11)


async def test_a_log_emptied_together_with_its_rows_is_cut_short(grown: Log) -> None:
    await grown.tamper("delete from audit_leaves", "delete from audit_events")
    assert (await grown.verify()).status == Fault.TRUNCATED


async def test_a_row_nobody_queued_is_found(grown: Log) -> None:
    await grown.write(1)
    await grown.tamper("delete from audit_pending")
    found = await grown.verify()
    assert (found.status, "neither sealed" in found.findings[0].detail) == (Fault.ALTERED, True)


async def test_a_row_removed_before_it_was_sealed_is_found_and_stops_the_sealer(grown: Log) -> None:
    await grown.write(2)
    await grown.tamper("delete from audit_events where audit_id = (select audit_id from audit_pending limit 1)")
    found = await grown.verify()
    assert (found.status, "it was removed" in found.findings[0].detail) == (Fault.ALTERED, True)
    with pytest.raises(Exception, match="AUDIT_ALTERED"):
        await grown.seal()
    assert await grown.value("select count(*) from audit_leaves") == LEAVES


async def test_rows_that_wait_for_too_long_are_told(grown: Log) -> None:
    await grown.write(3)
    assert (await grown.verify()).status == 0
    found = await grown.verify(unsealed_s=0.0)
    assert (found.status, found.pending) == (Fault.UNSEALED, 3)


@pytest.mark.parametrize(
    "forged",
    [
        "update audit_checkpoints set note = replace(note, E'\\n9\\n', E'\\n8\\n') where tree_size = 9",
        "update audit_checkpoints set note = (select note from audit_checkpoints where tree_size = 5)",
        "update audit_checkpoints set frontier = sha256(frontier) || sha256('x') where tree_size = 9",
        "update audit_checkpoints set note = 'nonsense' where tree_size = 9",
    ],
    ids=["size", "another", "edge", "nonsense"],
)
async def test_a_checkpoint_that_is_not_ours_is_found(grown: Log, forged: str) -> None:
    await grown.tamper(forged)
    assert (await grown.verify()).status == Fault.ALTERED


async def test_whoever_hashes_all_anew_lacks_the_key(grown: Log) -> None:
    """All hashes told anew in the database, of altered rows: the signed roots still say otherwise."""
    await grown.tamper(BYTES["detail"].format(row=ROW))
    assert (await grown.verify()).findings[0].leaf == 6
    await grown.tamper(
        "update audit_leaves as l set leaf_hash = sha256('\\x00'::bytea || convert_to("
        '\'{"action":\' || to_json(action) || \',"actor":\' || to_json(actor) || \',"audit_id":"\' || e.audit_id '
        '|| \'","detail":\' || to_json(detail) || \',"object":\' || to_json(object) || \',"occurred_at":"\' '
        '|| to_char(occurred_at at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') || \'","recorded_at":"\' '
        '|| to_char(recorded_at at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') || \'","trace_id":\' '
        "|| to_json(trace_id) || '}', 'UTF8')) from audit_events as e where e.audit_id = l.audit_id"
    )
    found = await grown.verify()
    assert (found.status, found.findings[0].leaf, len(found.findings)) == (Fault.ALTERED, 5, 1), found.findings


ORDER = """
    insert into orders (order_id, client_order_id, account_id, owner_id, symbol, side, type, time_in_force, qty, status,
        version, created_at, updated_at)
    select a.account_id, 'c', a.account_id, a.account_id, 'S', 'buy', 'market', 'day', 1, 'new', 1, now(), now()
    from accounts as a
"""
ACCOUNT = """
    insert into accounts (account_id, owner_id, name, mode, currency, starting_cash, cash, created_at)
    select gen_random_uuid(), gen_random_uuid(), 'A', 'paper', 'USD', 1, 1, now()
"""
SUBMIT = """
    insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
    select gen_random_uuid(), 'person', 'order.submit', 'order:' || order_id, '{}', 'trace', now() from orders
"""


async def test_an_order_that_nobody_audited_is_found(service_database: CloneDatabase) -> None:
    log = Log(await service_database("trading"))
    await log.tamper(ACCOUNT, ORDER)
    found = await log.verify(service="trading")
    assert (found.status, "without its audit row order.submit" in found.findings[0].detail) == (Fault.ALTERED, True)
    async with log.session("service") as connection:
        await connection.execute(SUBMIT)
    await log.seal()
    assert (await log.verify(service="trading")).status == 0
