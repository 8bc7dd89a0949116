"""What a bar does to stops and targets is a term of a stored backtest."""

from __future__ import annotations

import json

from alphintra.contracts.courses import GetBacktestTerms
from alphintra.contracts.samples import RepeatBacktest
from alphintra.kernel.vocabulary import Intrabar
from integration.strategy.job_desk import backtest, start
from integration.strategy.stage import WAVE, Stage
from unit.engine.builders import flat_bars


async def test_another_engines_order_of_events_is_kept_with_the_run_and_repeated(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    plain, queued = await start(stage), await start(stage, intrabar=Intrabar.BACKTRADER)
    await stage.work()
    again = await stage.endpoints.repeat_backtest(RepeatBacktest(backtest_id=queued.backtest_id), stage.owner)
    await stage.work()
    done, repeated = await backtest(stage, queued.backtest_id), await backtest(stage, again.backtest_id)
    assert (repeated.status, repeated.run_hash, repeated.result_hash) == ("finished", done.run_hash, done.result_hash)
    assert plain.run_hash != done.run_hash
    assert [json.loads(run.result)["honesty"]["intrabar"] for run in (done, repeated)] == ["backtrader"] * 2
    terms = await stage.endpoints.get_backtest_terms(GetBacktestTerms(backtest_id=again.backtest_id), stage.owner)
    assert terms.intrabar is Intrabar.BACKTRADER
