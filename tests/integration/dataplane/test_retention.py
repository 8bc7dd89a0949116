"""Retention on a real PostgreSQL: archived, proven, then taken away; what is held stays, nobody else's is touched."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import polars as pl
import pyarrow.parquet as pq
import pytest

from alphintra.dataplane.retention import run as runs
from alphintra.dataplane.retention.archive import verify_archive
from alphintra.dataplane.retention.holds import Writer, lift_hold, list_holds, set_hold
from alphintra.dataplane.retention.journal import items
from alphintra.dataplane.retention.run import Archives, Outcome, RetentionRun, find_due
from alphintra.dataplane.retention.seal import SealKeys, seal_path
from alphintra.dataplane.retention.session import Connection, retainer_connection
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.holds import Hold
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from fixtures.postgres import ServiceDatabase

    CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]

IDS = SystemIds()
KEYS = SealKeys([base64.b64encode(b"k" * 32).decode()])
NOW = datetime(2023, 3, 15, 12, tzinfo=UTC)
OLD = datetime(2020, 1, 15, 12, 30, 1, 123456, tzinfo=UTC)
ACCOUNT = """
insert into accounts (account_id, owner_id, name, mode, currency, starting_cash, cash, created_at)
values ($1, $2, 'A', 'paper', 'USD', 1, 1, now())
"""
ORDER = """
insert into orders (order_id, client_order_id, account_id, owner_id, symbol, side, type, time_in_force, qty, status,
    version, created_at, updated_at)
values ($1::uuid, $1::uuid::text, $2, $2, 'S', 'buy', 'market', 'day', 1, $3, 1, now(), now())
"""
EVENT = """
insert into order_events (order_id, version, kind, status, detail, occurred_at) values ($1, $2, 'k', 'new', '{}', $3)
"""
MONTH = """
create table order_events_p{year}_{month:02} partition of order_events
for values from ('{year}-{month:02}-01') to ('{next_year}-{next_month:02}-01')
"""


@dataclass(frozen=True)
class Stage:
    """One service's database with an archive folder."""

    database: ServiceDatabase
    root: Path

    async def run(self, *, at: datetime = NOW, keys: SealKeys = KEYS, profile: str = "default") -> tuple[Outcome, ...]:
        async with self.retainer() as connection:
            return await RetentionRun(
                connection,
                self.database.placement.service,
                archives=Archives(root=self.root, keys=keys),
                writer=writer(at),
                profile=profile,
            ).run()

    @asynccontextmanager
    async def retainer(self) -> AsyncIterator[Connection]:
        placement = self.database.placement
        async with retainer_connection(
            self.database.server, placement, password=password_of(placement.retainer_role)
        ) as connection:
            yield connection

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Connection]:
        """Yield a superuser's session in the service's schema: to plant rows and to look."""
        async with admin_connection(self.database.server, database=self.database.name) as connection:
            await connection.execute(f"set search_path = {self.database.placement.schema}; set timezone = 'UTC'")
            yield connection

    async def value(self, sql: str, *values: object) -> Any:  # noqa: ANN401 - whatever the query gives
        async with self.owner() as connection:
            return await connection.fetchval(sql, *values)

    async def hold(self, kind: str = "all", subject: str = "", **bounds: datetime) -> UUID:
        hold = Hold(
            hold_id=IDS.new(),
            kind=kind,
            subject=subject,
            from_at=bounds.get("from_at"),
            to_at=bounds.get("to_at"),
        )
        async with self.retainer() as connection:
            await set_hold(connection, self.database.placement.service, hold, reason="case 7", writer=writer(NOW))
        return hold.hold_id


def raw_retainer(stage: Stage) -> AbstractAsyncContextManager[Connection]:
    """Return a session whose errors are the server's own."""
    placement = stage.database.placement
    role = placement.retainer_role
    return role_connection(stage.database.server, role=role, password=password_of(role), database=placement.database)


def found(stage: Stage, pattern: str) -> list[Path]:
    return sorted(stage.root.rglob(pattern))


def writer(at: datetime) -> Writer:
    return Writer(actor="operator", at=at, trace_id="0" * 32, ids=IDS)


@pytest.fixture
async def trading(service_database: CloneDatabase, tmp_path: Path) -> Stage:
    stage = Stage(await service_database("trading"), tmp_path)
    async with stage.owner() as connection:
        await connection.execute("set role trading_owner")
        for year, month in ((2020, 1), (2020, 2), (2022, 12)):
            after = (year, month + 1) if month < 12 else (year + 1, 1)
            await connection.execute(MONTH.format(year=year, month=month, next_year=after[0], next_month=after[1]))
    return stage


async def plant_order(stage: Stage, *times: datetime, status: str = "filled") -> UUID:
    """Plant an account with one order and its events."""
    order_id = IDS.new()
    async with stage.owner() as connection:
        await connection.execute(ACCOUNT, order_id, order_id)
        await connection.execute(ORDER, order_id, order_id, status)
        for version, at in enumerate(times, start=1):
            await connection.execute(EVENT, order_id, version, at)
    return order_id


def months(outcomes: tuple[Outcome, ...], what: str) -> list[str]:
    return [each.part for each in outcomes if each.table == "order_events" and each.what == what]


async def test_a_month_is_archived_sealed_and_dropped_and_the_young_one_stays(trading: Stage) -> None:
    order_id = await plant_order(trading, OLD, OLD + timedelta(days=1))
    await plant_order(trading, datetime(2022, 12, 1, tzinfo=UTC))
    outcomes = await trading.run()
    assert months(outcomes, "archived") == ["order_events_p2020_01", "order_events_p2020_02"]
    done = next(each for each in outcomes if each.part == "order_events_p2020_01")
    assert done.rows == 2
    assert await trading.value("select to_regclass('order_events_p2020_01')") is None
    assert await trading.value("select count(*) from order_events") == 1
    # readers that know nothing of us give back what the database held
    path = trading.root / done.archive
    rows = pl.read_parquet(path).sort("version").to_dicts()
    assert [(row["order_id"], row["version"], row["occurred_at"]) for row in rows] == [
        (str(order_id), 1, OLD),
        (str(order_id), 2, OLD + timedelta(days=1)),
    ]
    assert pq.read_table(path).num_rows == 2
    manifest = verify_archive(path, KEYS.trusted)
    assert (manifest.rows, manifest.part, manifest.retention) == (2, "order_events_p2020_01", "order")
    actions = await trading.value("select array_agg(action order by audit_id) from audit_events")
    assert [each for each in actions if each != "retention.run"][:2] == ["retention.archive", "retention.remove"]
    detail = json.loads(
        await trading.value(
            "select detail from audit_events where action = 'retention.remove' and object = $1",
            "table:order_events/order_events_p2020_01",
        )
    )
    assert (detail["removed"], detail["sha256"]) == (2, manifest.sha256)


async def test_a_month_stays_while_an_order_of_it_works_or_its_history_goes_on(trading: Stage) -> None:
    await plant_order(trading, OLD, OLD + timedelta(days=30))  # January and February
    await plant_order(trading, OLD + timedelta(days=31), status="new")  # February: works still
    outcomes = await trading.run()
    assert months(outcomes, "archived") == []
    kept = {each.part: each.reason for each in outcomes if each.what == "kept" and each.part}
    assert kept == {
        "order_events_p2020_01": "some of its histories reach into what stays",
        "order_events_p2020_02": "1 rows are not at rest",
    }
    assert await trading.value("select count(*) from order_events") == 3


@pytest.mark.parametrize("kind", ["all", "user", "account", "order"])
async def test_a_hold_keeps_what_it_covers_until_it_is_lifted(trading: Stage, kind: str) -> None:
    order_id = await plant_order(trading, OLD)
    await plant_order(trading, OLD + timedelta(days=31))
    subject = "" if kind == "all" else str(order_id)
    bounds = {"from_at": OLD - timedelta(days=1), "to_at": OLD + timedelta(microseconds=1)} if kind == "all" else {}
    hold_id = await trading.hold(kind, subject, **bounds)
    outcomes = await trading.run()
    assert months(outcomes, "kept") == ["order_events_p2020_01"]
    assert months(outcomes, "archived") == ["order_events_p2020_02"]
    async with trading.retainer() as connection:
        await lift_hold(connection, "trading", hold_id, reason="closed", writer=writer(NOW))
        (record,) = await list_holds(connection)
    assert (record.reason, record.lift_reason, record.lifted_by) == ("case 7", "closed", "operator")
    assert months(await trading.run(), "archived") == ["order_events_p2020_01"]
    assert await trading.value("select count(*) from outbox join event_log using (event_id)") == 2


async def test_a_hold_set_between_archive_and_drop_wins(trading: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await plant_order(trading, OLD)
    cut_at(monkeypatch, "retention.archived")
    with pytest.raises(CutError):
        await trading.run()
    hold_id = await trading.hold()
    monkeypatch.undo()
    outcomes = await trading.run()
    assert months(outcomes, "archived") == []
    assert await trading.value("select count(*) from order_events") == 1
    async with trading.retainer() as connection:
        await lift_hold(connection, "trading", hold_id, reason="closed", writer=writer(NOW))
    assert "order_events_p2020_01" in months(await trading.run(), "archived")


class CutError(Exception):
    """Stands for the end of the process."""


def cut_at(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    def pass_point(name: str) -> None:
        if name == point:
            raise CutError(name)

    monkeypatch.setattr(runs, "fault_point", pass_point)
    monkeypatch.setattr("alphintra.dataplane.retention.batches.fault_point", pass_point)


@pytest.mark.parametrize(
    "point",
    [
        "retention.begun",
        "retention.written",
        "retention.archived",
        "retention.dropping",
        "retention.dropped",
    ],
)
async def test_a_run_that_is_cut_anywhere_is_ended_by_the_next(
    trading: Stage, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await plant_order(trading, OLD)
    cut_at(monkeypatch, point)
    with pytest.raises(CutError):
        await trading.run()
    monkeypatch.undo()
    await trading.run()
    assert await trading.value("select count(*) from order_events") == 0
    async with trading.retainer() as connection:
        known = [each for each in await items(connection) if each.part == "order_events_p2020_01"]
    assert [each.state for each in known][-1] == "done"
    assert all(each.state in {"dropped", "done"} for each in known)
    archives = {str(path.relative_to(trading.root)) for path in found(trading, "*.parquet")}
    assert archives == {each.archive for each in await all_items(trading) if each.state == "done"} - {""}
    assert sum(each.rows_removed for each in known) == 1


async def all_items(stage: Stage) -> tuple[Any, ...]:
    async with stage.retainer() as connection:
        return await items(connection)


@pytest.mark.parametrize("fault", ["flipped", "cut", "missing", "forged", "seal"])
async def test_nothing_is_dropped_after_an_archive_that_proves_nothing(
    trading: Stage, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    await plant_order(trading, OLD)
    cut_at(monkeypatch, "retention.archived")
    with pytest.raises(CutError):
        await trading.run()
    monkeypatch.undo()
    (path,) = found(trading, "order_events_p2020_01*.parquet")
    keys = KEYS
    if fault == "flipped":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif fault == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    elif fault == "missing":
        path.unlink()
    elif fault == "forged":
        keys = SealKeys([base64.b64encode(b"other" + b"x" * 27).decode()])
    else:
        seal = seal_path(path)
        seal.write_bytes(seal.read_bytes().replace(b'"rows":1', b'"rows":2'))
    with pytest.raises(AlphintraError) as refused:
        await trading.run(keys=keys)
    codes = {"flipped": "ARCHIVE_CORRUPT", "cut": "ARCHIVE_CORRUPT", "missing": "ARCHIVE_UNREADABLE"}
    assert refused.value.code == codes.get(fault, "ARCHIVE_FORGED")
    assert await trading.value("select count(*) from order_events") == 1


async def test_a_month_that_changed_since_it_was_archived_is_archived_anew(
    trading: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await plant_order(trading, OLD)
    cut_at(monkeypatch, "retention.archived")
    with pytest.raises(CutError):
        await trading.run()
    monkeypatch.undo()
    async with trading.owner() as connection:
        await connection.execute(EVENT, order_id, 2, OLD + timedelta(microseconds=1))
    outcomes = await trading.run()
    first, second = (each for each in outcomes if each.part == "order_events_p2020_01")
    assert (first.what, first.reason) == ("kept", "part order_events_p2020_01 has changed since it was archived")
    assert (second.what, second.rows) == ("archived", 2)
    (path,) = found(trading, "order_events_p2020_01*.parquet")
    assert pl.read_parquet(path).height == 2


async def test_rows_leave_in_batches_and_those_that_changed_or_are_held_stay(
    service_database: CloneDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(await service_database("risk"), tmp_path)
    monkeypatch.setattr("alphintra.dataplane.retention.batches._BATCH", 2)
    accounts = [IDS.new() for _ in range(2)]
    async with stage.owner() as connection:
        for account in accounts:
            await connection.execute("alter table risk_metrics drop constraint if exists risk_metrics_account_id_fkey")
            for hour in range(5):
                await connection.execute(
                    "insert into risk_metrics (metric_id, account_id, cause, measured_at, gross, net, report) "
                    "values ($1, $2, 'schedule', $3, 1.5, -0.000000001, '{\"a\": 1e3}')",
                    IDS.new(),
                    account,
                    OLD + timedelta(hours=hour),
                )
    await stage.hold("account", str(accounts[1]))
    cut_at(monkeypatch, "retention.batch")
    with pytest.raises(CutError):
        await stage.run()
    monkeypatch.undo()
    async with stage.owner() as connection:
        changed = await connection.fetchval(
            "update risk_metrics set net = 2 where metric_id = (select metric_id from risk_metrics "
            "where account_id = $1 order by measured_at desc limit 1) returning metric_id",
            accounts[0],
        )
    outcomes = [each for each in await stage.run() if each.table == "risk_metrics"]
    first = outcomes[0]
    assert (first.what, first.rows) == ("archived", 4)
    assert first.reason.startswith("1 rows were archived and stay")
    assert [each.rows for each in outcomes if each.what == "archived"] == [
        4,
        1,
    ]  # as it is now, in an archive of its own
    left = await stage.value("select array_agg(distinct account_id) from risk_metrics")
    assert left == [accounts[1]]
    frames = pl.concat([pl.read_parquet(path) for path in found(stage, "risk_metrics*.parquet")])
    assert frames.height == 6
    assert sorted(map(str, frames["net"].to_list())) == ["-1E-9"] * 5 + ["2.000000000"]
    assert str(changed) in frames["metric_id"].to_list()
    assert set(frames["report"].to_list()) == {'{"a": 1000}'}


async def test_no_other_service_is_touched_and_the_retainer_may_do_no_more_than_its_work(
    service_database: CloneDatabase, tmp_path: Path
) -> None:
    stage = Stage(await service_database("trading"), tmp_path)
    other = Stage(await service_database("notification"), tmp_path)
    at = OLD
    for each in (stage, other):
        async with each.owner() as connection:
            await connection.execute(
                "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at, recorded_at) "
                "values (gen_random_uuid(), 's', gen_random_uuid(), '{}', $1, $1)",
                at,
            )
    sums = "select sum(hash_record_extended(t, 0)::numeric) from event_log as t"
    before = await other.value(sums)
    outcomes = await stage.run()
    assert [(each.table, each.rows) for each in outcomes if each.what == "archived"] == [("event_log", 1)]
    assert await other.value(sums) == before
    for sql in (
        "delete from orders",
        "update order_events set kind = ''",
        "delete from audit_events",
        "drop table order_events_rest",
        "select from positions",
        "delete from retention_items",
        "update retention_holds set reason = 'x'",
    ):
        async with raw_retainer(stage) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(sql)


async def test_an_archive_is_destroyed_when_its_time_is_up_unless_it_is_held(trading: Stage) -> None:
    await plant_order(trading, OLD)
    seven_years = OLD.replace(year=2027)
    done = [each for each in await trading.run(at=datetime(2023, 6, 1, tzinfo=UTC)) if each.rows]
    path = trading.root / done[0].archive
    hold_id = await trading.hold("order", str(IDS.new()))
    await trading.run(at=seven_years + timedelta(days=1))
    assert path.exists()
    async with trading.retainer() as connection:
        await lift_hold(connection, "trading", hold_id, reason="closed", writer=writer(NOW))
    await trading.run(at=seven_years)
    assert path.exists()
    outcomes = await trading.run(at=seven_years + timedelta(microseconds=1))
    assert [each.part for each in outcomes if each.what == "destroyed"] == ["order_events_p2020_01"]
    assert not path.exists()
    assert seal_path(path).exists()


async def test_a_plan_counts_and_changes_nothing(trading: Stage) -> None:
    await plant_order(trading, OLD)
    async with trading.retainer() as connection:
        counted = {due.table.name: each for due, each in await find_due(connection, "trading", profile="us", at=NOW)}
    assert counted["order_events"].due == 1
    assert [month.part for month in counted["order_events"].months] == [
        "order_events_p2020_01",
        "order_events_p2020_02",
    ]
    assert await trading.value("select count(*) from order_events") == 1
    assert await trading.value("select count(*) from retention_items") == 0
    assert not list(trading.root.iterdir())
