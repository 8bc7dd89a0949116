"""Imports and backtests are carried out once, survive their worker, end with a code, and repeat to the last digit."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.strategy import (
    CancelBacktest,
    GetBacktest,
    GetDataset,
    ImportDataset,
    ListBacktests,
    ListDatasets,
    StageUpload,
)
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.templates import crossover
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy import endpoints
from alphintra.strategy.service import backtests, imports, jobs
from fixtures.single_service import PowerCutError, acting, stop_at
from fixtures.waiting import holds_for
from integration.strategy.stage import WAVE, Stage, eventually
from unit.engine.builders import day, flat_bars
from unit.strategy.market_csv import HEADER, days, file_of

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID


from integration.strategy.job_desk import FILE, LEASE_OVER_S, WIDE, Gate, backtest, cancel, simulated, start, working

# --- imports ---------------------------------------------------------------------------------------------------------


async def test_the_shipped_file_is_imported_whole_and_can_be_read_back(stage: Stage) -> None:
    data = (resources.files("alphintra") / "data" / "us-stocks-daily-2000-2013.csv.gz").read_bytes()
    queued = await stage.import_file(data)
    assert (queued.status, queued.progress) == ("queued", 0)
    await stage.work()
    done = await stage.imported(queued.import_id)
    assert (done.status, done.progress, len(done.dataset_ids)) == ("finished", 1, 5)
    listed = {item.symbol: item for item in (await stage.endpoints.list_datasets(ListDatasets(), stage.owner)).datasets}
    rows = {symbol: item.rows for symbol, item in listed.items()}
    assert rows == {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
    assert listed["AAPL"].splits == ("2000-06-21T20:00:00+00:00 2/1", "2005-02-28T21:00:00+00:00 2/1")
    bars = stage.catalogue.read(listed["AAPL"].dataset_id, listed["AAPL"].splits)  # type: ignore[arg-type] # an id
    assert (len(bars), bars[0].ts, bars[-1].ts) == (3270, listed["AAPL"].first_ts, listed["AAPL"].last_ts)
    assert bars[0].close == Decimal("32.5775")
    assert await stage.audited("dataset.enter") == [f"import:{done.import_id}"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE_EMPTY"),
        (HEADER.encode(), "FILE_EMPTY"),
        (FILE.replace(b"11", b"\xe9"), "ENCODING"),
        (FILE.replace(b",", b"~"), "CSV_DIALECT"),
        (gzip.compress(FILE)[:-9], "FILE_TRUNCATED"),
        (gzip.compress("".join(file_of(*WIDE, header=f"{HEADER},note")).encode()), "ARCHIVE_UNSAFE"),
        (FILE + FILE, "TIME_UNIT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_bad_file_fails_its_import_with_a_code_and_leaves_nothing(stage: Stage, data: bytes, code: str) -> None:
    queued = await stage.import_file(data, symbol="AAPL")
    await stage.work()
    failed = await stage.imported(queued.import_id)
    assert (failed.status, failed.error_code, failed.dataset_ids) == ("failed", code, ())
    assert failed.error
    assert (await stage.endpoints.list_datasets(ListDatasets(), stage.owner)).datasets == ()
    assert files_of(stage) == []


def files_of(stage: Stage) -> list[Path]:
    return [path for path in stage.catalogue.folder.rglob("*") if path.is_file()]


async def test_one_bad_symbol_keeps_all_of_a_file_out(stage: Stage) -> None:
    rows = [f"A,{row}" for row in days(5)] + [f"B,{row}" for row in days(3, values="10,9,9,10,1")]
    queued = await stage.import_file("".join(file_of(*rows, header=f"symbol,{HEADER}")).encode())
    await stage.work()
    assert (await stage.imported(queued.import_id)).error_code == "BAR_INVALID"
    assert files_of(stage) == []


async def test_the_same_content_again_keeps_its_dataset_and_one_file(stage: Stage) -> None:
    first = await stage.import_file(FILE, symbol="AAPL")
    await stage.work()
    stage.clock.pass_time(seconds=60)
    second = await stage.import_file(FILE.replace(b",10,", b",10.000,"), symbol="AAPL")
    await stage.work()
    (dataset_id,) = (await stage.imported(first.import_id)).dataset_ids
    assert (await stage.imported(second.import_id)).dataset_ids == (dataset_id,)
    assert len(files_of(stage)) == 1
    (row,) = await stage.rows("select imported_at from datasets")
    assert row["imported_at"] == stage.clock.now()


async def test_a_lost_catalogue_file_comes_back_with_its_import(stage: Stage) -> None:
    await stage.import_file(FILE, symbol="AAPL")
    await stage.work()
    for path in files_of(stage):
        path.unlink()
    await stage.import_file(FILE, symbol="AAPL")
    await stage.work()
    found = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    assert len(stage.catalogue.read(found.dataset_id, found.splits)) == 30  # type: ignore[arg-type] # an id


async def test_the_newest_import_of_a_symbol_is_the_one_used(stage: Stage) -> None:
    for count in (10, 20, 10):
        stage.clock.pass_time(seconds=1)
        await stage.import_file("".join(file_of(*days(count))).encode(), symbol="AAPL")
        await stage.work()
    assert (await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)).rows == 10
    with pytest.raises(AlphintraError, match="it has AAPL") as caught:
        await stage.endpoints.get_dataset(GetDataset(symbol="MSFT"), stage.owner)
    assert (caught.value.code, caught.value.kind) == ("SYMBOL_UNKNOWN", Kind.NOT_FOUND)


@pytest.mark.parametrize("point", ["strategy.import_written", "strategy.import_stored"])
async def test_an_import_whose_worker_was_killed_is_taken_over_when_its_lease_is_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    queued = await stage.import_file(FILE, symbol="AAPL")
    with monkeypatch.context() as crashing:
        stop_at(crashing, imports, point)
        with pytest.raises(PowerCutError):
            await stage.work()
    is_stored = point == "strategy.import_stored"
    assert (await stage.imported(queued.import_id)).status == ("finished" if is_stored else "running")
    await stage.work()
    assert (await stage.imported(queued.import_id)).status == ("finished" if is_stored else "running")
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await stage.work()
    done = await stage.imported(queued.import_id)
    assert (done.status, len(done.dataset_ids)) == ("finished", 1)
    assert len(await stage.audited("dataset.enter")) == 1


async def test_of_two_imports_of_one_upload_the_second_says_it_is_gone(stage: Stage) -> None:
    upload_id = await stage.upload(FILE)
    command = ImportDataset(upload_id=upload_id, file_name="f", source="s", symbol="AAPL")
    first, second = [await stage.endpoints.import_dataset(command, stage.owner) for _ in range(2)]
    await stage.work()
    assert (await stage.imported(first.import_id)).status == "finished"
    assert (await stage.imported(second.import_id)).error_code == "UPLOAD_NOT_FOUND"


async def test_a_bug_in_an_import_fails_it_and_the_worker_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError

    queued = await stage.import_file(FILE, symbol="AAPL")
    with monkeypatch.context() as patch:
        patch.setattr(imports, "tables_of", broken)
        await stage.work()
    assert (await stage.imported(queued.import_id)).error_code == "INTERNAL"
    again = await stage.import_file(FILE, symbol="AAPL")
    await stage.work()
    assert (await stage.imported(again.import_id)).status == "finished"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"upload_id": SystemIds().new()}, "UPLOAD_NOT_FOUND"),
        ({"file_name": ""}, "FIELD_LENGTH"),
        ({"file_name": "x" * 201}, "FIELD_LENGTH"),
        ({"file_name": "a\0b"}, "FIELD_CHARS"),
        ({"source": "a\nb"}, "FIELD_CHARS"),
        ({"symbol": "a\0"}, "SYMBOL_FORMAT"),
        ({"symbol": ""}, "SYMBOL_FORMAT"),
    ],
)
async def test_an_import_that_cannot_be_is_refused_at_once(stage: Stage, change: dict[str, Any], code: str) -> None:
    wishes: dict[str, Any] = {"upload_id": await stage.upload(FILE), "file_name": "f", "source": "s"} | change
    with pytest.raises(AlphintraError) as caught:
        await stage.endpoints.import_dataset(ImportDataset(**wishes), stage.owner)
    assert caught.value.code == code
    assert await stage.rows("select 1 from imports") == []


async def test_staging_tells_how_much_has_arrived(stage: Stage) -> None:
    upload_id = SystemIds().new()
    for offset, data, received in ((0, b"abc", 3), (3, b"de", 5), (0, b"abc", 5)):
        piece = StageUpload(upload_id=upload_id, offset=offset, data=data)
        assert (await stage.endpoints.stage_upload(piece, stage.owner)).received == received


# --- backtests -------------------------------------------------------------------------------------------------------


async def test_a_backtest_is_what_the_engine_computes_and_stays(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(
        stage, initial_cash=Decimal(5000), fee_bps=Decimal(3), fee_per_share=Decimal("0.01"), slippage_bps=Decimal(5)
    )
    assert (queued.status, queued.result, queued.result_hash) == ("queued", "", "")
    await stage.work()
    settings = BacktestSettings(
        initial_cash=Decimal(5000),
        fees=FeeModel(commission_bps=Decimal(3), per_share=Decimal("0.01")),
        slippage_bps=Decimal(5),
    )
    wanted = simulated(settings)
    done = await backtest(stage, queued.backtest_id)
    assert (done.status, done.result_hash, done.run_hash) == ("finished", wanted.digest, queued.run_hash)
    report = json.loads(done.result)
    fills = [(fill["side"], Decimal(fill["qty"]), Decimal(fill["price"])) for fill in report["fills"]]
    assert fills == [(fill.side.value, fill.qty, fill.price) for fill in wanted.fills]
    assert Decimal(report["equity"][-1]["equity"]) == wanted.equity[-1].equity
    assert done.metrics["total_return"] == pytest.approx(float(wanted.equity[-1].equity / 5000 - 1))
    ((told, status),) = [(event["backtest_id"], event["status"]) for event in await stage.told("backtest_finished")]
    assert (told, status) == (str(queued.backtest_id), "finished")
    (listed,) = (await stage.endpoints.list_backtests(ListBacktests(), stage.owner)).backtests
    assert (listed.result, listed.metrics) == ("", done.metrics)


async def test_the_same_run_again_has_the_same_hashes_and_another_has_not(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    await stage.shelve("MSFT", flat_bars(WAVE))
    two = timezone(timedelta(hours=2))
    runs = [
        await start(stage, start=day(0), initial_cash=Decimal(1000)),
        await start(stage, start=day(0).astimezone(two), initial_cash=Decimal("1000.00")),
        await start(stage, start=day(1), initial_cash=Decimal(1000)),
        await start(stage, initial_cash=Decimal(2000)),
        await start(stage, symbol="MSFT", start=day(0), initial_cash=Decimal(1000)),
    ]
    await stage.work()
    done = [await backtest(stage, run.backtest_id) for run in runs]
    assert {run.status for run in done} == {"finished"}
    assert (done[0].run_hash, done[0].result_hash) == (done[1].run_hash, done[1].result_hash)
    assert done[0].result == done[1].result
    assert len({run.run_hash for run in done}) == 4


async def test_a_backtest_keeps_the_data_it_was_started_on(stage: Stage) -> None:
    old = await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    stage.clock.pass_time(seconds=1)
    await stage.shelve("AAPL", flat_bars(WAVE[::-1]))
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    wanted = simulated(BacktestSettings())
    assert (done.dataset_id, done.result_hash) == (old, wanted.digest)


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"end": day(3)}, "WARM_UP_SHORT"),
        ({"start": day(500)}, "RANGE"),
        ({"end": day(0)}, "RANGE"),
    ],
)
async def test_a_backtest_without_enough_bars_fails_with_a_code(
    stage: Stage, wishes: dict[str, Any], code: str
) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage, **wishes)
    await stage.work()
    failed = await backtest(stage, queued.backtest_id)
    assert (failed.status, failed.error_code, failed.result_hash) == ("failed", code, "")
    assert failed.finished_at == stage.clock.now()
    (event,) = await stage.told("backtest_finished")
    assert (event["status"], event["total_return"]) == ("failed", None)


async def test_a_backtest_on_a_lost_file_fails_with_a_code(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    for path in files_of(stage):
        path.unlink()
    queued = await start(stage)
    await stage.work()
    assert (await backtest(stage, queued.backtest_id)).error_code == "DATASET_MISSING"


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"symbol": "TSLA"}, "SYMBOL_UNKNOWN"),
        ({"symbol": "BTC"}, "TIMEFRAME_MISMATCH"),
        ({"start": day(5), "end": day(5)}, "RANGE"),
        ({"initial_cash": Decimal(0)}, "QTY_NOT_POSITIVE"),
        ({"initial_cash": Decimal("Infinity")}, "NUMBER_NOT_FINITE"),
        ({"fee_bps": Decimal(-1)}, "FEE_SIGN"),
        ({"slippage_bps": Decimal(1001)}, "FIELD_RANGE"),
        ({"version_id": SystemIds().new()}, "WORKFLOW_NOT_FOUND"),
    ],
)
async def test_a_backtest_that_cannot_be_is_refused_at_once(stage: Stage, wishes: dict[str, Any], code: str) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    await stage.shelve("BTC", flat_bars(WAVE), timeframe="5m")
    with pytest.raises(AlphintraError) as caught:
        await start(stage, **wishes)
    assert caught.value.code == code
    assert await stage.rows("select 1 from backtests") == []


async def test_other_peoples_backtests_are_not_there(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    stranger = acting(SystemIds().new())
    for ask in (
        stage.endpoints.get_backtest(GetBacktest(backtest_id=queued.backtest_id), stranger),
        stage.endpoints.cancel_backtest(CancelBacktest(backtest_id=queued.backtest_id), stranger),
    ):
        with pytest.raises(AlphintraError, match="BACKTEST_NOT_FOUND") as caught:
            await ask
        assert caught.value.kind is Kind.NOT_FOUND
    assert (await stage.endpoints.list_backtests(ListBacktests(), stranger)).backtests == ()
    assert (await backtest(stage, queued.backtest_id)).status == "queued"
    with pytest.raises(AlphintraError, match="PAGE_LIMIT"):
        await stage.endpoints.list_backtests(ListBacktests(limit=201), stage.owner)


async def test_a_waiting_backtest_is_canceled_at_once_and_told_once(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    for _ in range(2):
        canceled = await cancel(stage, queued.backtest_id)
        assert (canceled.status, canceled.finished_at) == ("canceled", stage.clock.now())
    await stage.work()
    assert (await backtest(stage, queued.backtest_id)).result_hash == ""
    assert [event["status"] for event in await stage.told("backtest_finished")] == ["canceled"]
    assert await stage.audited("backtest.cancel") == [f"backtest:{queued.backtest_id}"]


async def test_a_running_backtest_is_canceled_and_a_finished_one_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "HEARTBEAT_S", 0.01)
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    with monkeypatch.context() as patch:
        gate = Gate(patch, backtests, "run_over")
        async with working(stage) as task:
            await gate.reached()
            assert (await cancel(stage, queued.backtest_id)).status == "running"

            async def runs_on() -> bool:
                return (await backtest(stage, queued.backtest_id)).status == "running"

            await holds_for(0.1, runs_on)  # long enough for the worker to see the wish at its next look
            gate.opened.set()
            await task
    canceled = await backtest(stage, queued.backtest_id)
    assert (canceled.status, canceled.error_code, canceled.result) == ("canceled", "RUN_STOPPED", "")
    assert [event["status"] for event in await stage.told("backtest_finished")] == ["canceled"]
    done = await start(stage)
    await stage.work()
    assert (await cancel(stage, done.backtest_id)).status == "finished"


@pytest.mark.parametrize("point", ["strategy.backtest_computed", "strategy.backtest_stored"])
async def test_a_backtest_whose_worker_was_killed_is_taken_over_with_the_same_result(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    with monkeypatch.context() as crashing:
        stop_at(crashing, backtests, point)
        with pytest.raises(PowerCutError):
            await stage.work()
    is_stored = point == "strategy.backtest_stored"
    await stage.work()
    assert (await backtest(stage, queued.backtest_id)).status == ("finished" if is_stored else "running")
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    wanted = simulated(BacktestSettings())
    assert (done.status, done.result_hash) == ("finished", wanted.digest)
    assert len(await stage.told("backtest_finished")) == 1


async def test_a_backtest_canceled_while_its_worker_was_dead_is_not_computed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    with monkeypatch.context() as crashing:
        stop_at(crashing, backtests, "strategy.backtest_computed")
        with pytest.raises(PowerCutError):
            await stage.work()
    await cancel(stage, queued.backtest_id)
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await stage.work()
    assert (await backtest(stage, queued.backtest_id)).status == "canceled"


async def test_a_long_run_keeps_its_lease_and_is_not_taken_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "HEARTBEAT_S", 0.01)
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    gate = Gate(monkeypatch, backtests, "run_over")
    async with working(stage) as task:
        await gate.reached()
        for _ in range(4):
            await asyncio.sleep(0.1)
            stage.clock.pass_time(seconds=LEASE_OVER_S / 2)
            assert not await stage.worker().do_next()
        gate.opened.set()
        await task
    assert gate.entries == 1
    assert (await backtest(stage, queued.backtest_id)).status == "finished"


async def test_two_workers_never_do_the_same_job(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    runs = [await start(stage) for _ in range(12)]
    computed: list[UUID] = []
    compute = backtests._compute

    def noted(row: Any, *rest: Any) -> Any:  # noqa: ANN401 - passed on
        computed.append(row["backtest_id"])
        return compute(row, *rest)

    monkeypatch.setattr(backtests, "_compute", noted)
    await asyncio.gather(*(stage.work() for _ in range(4)))
    assert sorted(computed) == sorted(run.backtest_id for run in runs)
    assert {(await backtest(stage, run.backtest_id)).status for run in runs} == {"finished"}


async def test_a_worker_that_stops_leaves_its_job_to_the_next_and_no_thread_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    with monkeypatch.context() as patch:
        gate = Gate(patch, backtests, "run_over")
        async with working(stage) as task:
            await gate.reached()
            task.cancel()
            await asyncio.sleep(0)
            gate.opened.set()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert (await backtest(stage, queued.backtest_id)).status == "running"
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await stage.work()
    assert (await backtest(stage, queued.backtest_id)).status == "finished"


async def test_a_worker_wakes_for_new_jobs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "IDLE_S", 3600.0)  # it would find nothing by itself in the time of this test
    await stage.shelve("AAPL", flat_bars(WAVE))
    worker = stage.worker()
    stage.connected.wake_with(worker.wake)
    task = asyncio.create_task(worker.run())
    try:

        async def is_idle() -> bool:
            return not task.done()

        await holds_for(0.05, is_idle)
        queued = await start(stage)

        async def is_done() -> bool:
            return (await backtest(stage, queued.backtest_id)).status == "finished"

        await eventually(is_done, timeout_s=30)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_backtest_of_thousands_of_bars_fits_a_reply(stage: Stage) -> None:
    wave = [Decimal(10 + (index * 7) % 11) for index in range(6000)]
    await stage.shelve("AAPL", flat_bars(wave))
    small = crossover(2, 4, average="sma", percent="1")  # with more the money would outgrow all numbers
    queued = await start(stage, version_id=stage.town.write_workflow(stage.owner_id, small))
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    assert (done.status, done.error) == ("finished", "")
    assert len(json.dumps(done.result)) < 1024 * 1024 - 64 * 1024
    assert json.loads(done.result)["stride"] > 1
    assert done.created_at == datetime(2026, 3, 2, 12, tzinfo=UTC)
