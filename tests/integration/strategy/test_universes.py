"""Backtests over several symbols: one job, one cash, every refusal before anything is queued."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.bars import Bar
from alphintra.engine.graph import compile_plan
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.universe_backtest import run_universe
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from alphintra.strategy.service import backtests
from fixtures.single_service import PowerCutError, stop_at
from integration.strategy.job_desk import LEASE_OVER_S, backtest, cancel, start
from integration.strategy.test_backtest_limits import ACCOUNT, in_force
from unit.engine.builders import flat_bars
from unit.engine.test_universe import market, rotation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.strategy.stage import Stage

NAMES = ("BBB", "AAA", "CCC")
ROTATION = rotation()


async def shelved(stage: Stage, symbols: Sequence[str] = NAMES) -> dict[str, list[Bar]]:
    """Enter the bars of several symbols into the catalogue: ragged, with gaps, nine decimals as it keeps them."""
    drawn = market(4, 90, symbols, gaps=0.1)
    drawn[symbols[-1]] = drawn[symbols[-1]][20:]
    names = ("open", "high", "low", "close", "volume")
    bars = {
        symbol: [Bar(bar.ts, *(round(getattr(bar, name), 9) for name in names)) for bar in own]
        for symbol, own in drawn.items()
    }
    for symbol, own in bars.items():
        await stage.shelve(symbol, own)
    return bars


def rotating(stage: Stage, **wishes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the command
    """Return the terms of a backtest of the rotation."""
    workflow = stage.town.write_workflow(stage.owner_id, ROTATION)
    return {"version_id": workflow, "symbol": "", "symbols": NAMES, "initial_cash": Decimal(50_000)} | wishes


async def test_a_job_over_several_symbols_gives_what_the_engine_gives(stage: Stage) -> None:
    bars = await shelved(stage)
    queued = await start(stage, **rotating(stage, fee_bps=Decimal(3), slippage_bps=Decimal(2)))
    assert (queued.symbol, queued.symbols, queued.status) == ("BBB,AAA,CCC", NAMES, "queued")
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    terms = BacktestSettings(
        initial_cash=Decimal(50_000), fees=FeeModel(commission_bps=Decimal(3)), slippage_bps=Decimal(2)
    )
    wanted = run_universe(compile_plan(ROTATION), bars, settings=terms)
    assert (done.status, done.result_hash) == ("finished", wanted.digest)
    told = json.loads(done.result)
    assert [(fill["symbol"], fill["qty"]) for fill in told["fills"]] == [
        (each.symbol, str(each.fill.qty)) for each in wanted.fills
    ]
    gained = wanted.equity[-1].equity - Decimal(50_000)
    assert sum(Decimal(each["net"]) for each in told["contributions"]) == gained
    assert [each["symbol"] for each in told["contributions"]] == list(NAMES)
    assert done.metrics["total_return"] == pytest.approx(float(gained / 50_000))
    assert {each["code"] for each in told["honesty"]["cautions"]} >= {"HISTORY_BEGINS_LATE"}
    (event,) = await stage.told("backtest_finished")
    assert event["symbol"] == "BBB,AAA,CCC"


async def test_the_same_run_again_has_the_same_hashes_and_another_order_of_symbols_is_another_run(
    stage: Stage,
) -> None:
    await shelved(stage)
    first = await start(stage, **rotating(stage))
    again = await start(stage, **rotating(stage))
    turned = await start(stage, **rotating(stage, symbols=NAMES[::-1]))
    await stage.work()
    ended = [await backtest(stage, each.backtest_id) for each in (first, again)]
    assert ended[0].run_hash == ended[1].run_hash != turned.run_hash
    assert ended[0].result_hash == ended[1].result_hash != ""


async def test_a_run_whose_worker_was_killed_is_carried_out_again_to_the_same_result(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelved(stage)
    whole = await start(stage, **rotating(stage))
    await stage.work()
    queued = await start(stage, **rotating(stage))
    with monkeypatch.context() as crashing:
        stop_at(crashing, backtests, "strategy.backtest_computed")
        with pytest.raises(PowerCutError):
            await stage.work()
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await stage.work()
    ended = [await backtest(stage, each.backtest_id) for each in (whole, queued)]
    assert [each.status for each in ended] == ["finished", "finished"]
    assert ended[0].result_hash == ended[1].result_hash


async def test_a_queued_run_is_canceled(stage: Stage) -> None:
    await shelved(stage)
    queued = await start(stage, **rotating(stage))
    assert (await cancel(stage, queued.backtest_id)).status == "canceled"


@pytest.mark.parametrize(
    ("wishes", "code", "reason"),
    [
        ({"symbols": ("BBB", "ZZZ")}, "SYMBOL_UNKNOWN", "no 'ZZZ'; it has AAA, BBB, CCC"),
        ({"symbol": "AAA"}, "SYMBOLS_CHOICE", "one of the two"),
        ({"symbols": ()}, "SYMBOLS_CHOICE", "one of the two"),
        ({"symbols": ("AAA", "BBB", "AAA")}, "SYMBOL_TWICE", "'AAA' is named twice"),
        ({"symbols": tuple(f"S{number}" for number in range(51))}, "FIELD_LENGTH", "51 symbols"),
        ({"symbols": ("AAA",)}, "GRAPH_UNIVERSE", "several symbols"),
    ],
)
async def test_what_cannot_be_run_is_refused_before_it_is_queued(
    stage: Stage, wishes: dict[str, Any], code: str, reason: str
) -> None:
    await shelved(stage)
    with pytest.raises(AlphintraError, match=reason) as refused:
        await start(stage, **rotating(stage, **wishes))
    assert refused.value.code == code
    assert await stage.rows("select 1 from backtests") == []


async def test_symbols_of_different_intervals_are_refused_by_name(stage: Stage) -> None:
    await shelved(stage)
    stage.clock.pass_time(seconds=60)
    await stage.shelve("AAA", flat_bars(range(1, 30)), timeframe="1h")
    with pytest.raises(AlphintraError, match="AAA has bars of 1h") as refused:
        await start(stage, **rotating(stage))
    assert refused.value.code == "TIMEFRAME_MISMATCH"


async def test_a_symbol_without_a_bar_in_the_range_fails_the_run_and_is_named(stage: Stage) -> None:
    bars = await shelved(stage)
    end = bars["CCC"][0].ts
    queued = await start(stage, **rotating(stage, end=end))
    await stage.work()
    failed = await backtest(stage, queued.backtest_id)
    assert (failed.status, failed.error_code) == ("failed", "RANGE")
    assert failed.error.startswith("CCC: no bar lies in the range")


async def test_the_limits_of_an_account_hold_over_all_symbols(stage: Stage) -> None:
    await shelved(stage)
    stage.town.limits[ACCOUNT] = msgspec.structs.replace(
        in_force(2), controls=LimitControls(gross_exposure_max=Decimal(30_000))
    )
    queued = await start(stage, **rotating(stage, account_id=ACCOUNT))
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    told = json.loads(done.result)
    assert done.limit_version == 2
    assert told["blocked"]["RISK_EXPOSURE"] > 0
    assert {fill["symbol"] for fill in told["fills"]} <= set(NAMES)
    assert "RISK_EXPOSURE" in {found["code"] for denial in told["denials"] for found in denial["findings"]}
