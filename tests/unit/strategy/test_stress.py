"""Stress changes one thing at a time: costs, ticks, a bar's delay, prices; and says what it cannot change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import numpy as np
import pytest

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.graph import Graph, compile_plan
from alphintra.engine.graph.tape import Tape
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.templates import GALLERY
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.altered_bars import Alteration, Altered, altered_bars
from alphintra.strategy.domain.stress import candle_trials, entries_late, stress_trials
from alphintra.strategy.domain.trials import Part, Trial, run_trial, simulate
from unit.engine.builders import bar, flat_bars, graph, node, threshold_graph

BARS = flat_bars([Decimal(9 + (n * 7) % 5) for n in range(120)])
CLOSES = [each.ts for each in BARS]

ENCODE = msgspec.json.Encoder(decimal_format="string").encode


def trial(drawn: Graph | None = None, settings: BacktestSettings | None = None, symbol: str = "TEST") -> Trial:
    return Trial(
        segment=0,
        number=0,
        parts=(Part(symbol, UUID(int=1)),),
        graph=msgspec.json.encode(drawn or threshold_graph()).decode(),
        settings=ENCODE(settings or BacktestSettings()).decode(),
    )


def settings_of(changed: Trial) -> BacktestSettings:
    return msgspec.json.decode(changed.settings, type=BacktestSettings)


def test_entries_a_bar_late_are_those_of_before_a_bar_later() -> None:
    plain = run_backtest(compile_plan(threshold_graph()), "TEST", bars=BARS, settings=BacktestSettings())
    late = run_backtest(compile_plan(entries_late(threshold_graph())), "TEST", bars=BARS, settings=BacktestSettings())
    places = {each.ts: place for place, each in enumerate(BARS)}
    above = [each.close > 10 for each in BARS]
    entries = [places[t.opened_ts] for t in plain.trades]
    assert entries
    assert all(above[place - 1] for place in entries)
    delayed = [places[t.opened_ts] for t in late.trades]
    assert delayed
    assert all(above[place - 2] for place in delayed)
    assert min(delayed) == min(entries) + 1


def test_each_shipped_strategy_can_enter_late() -> None:
    for template in GALLERY.values():
        late = compile_plan(entries_late(template.graph))
        assert late.graph_hash != compile_plan(template.graph).graph_hash


def test_a_graph_that_asks_for_nothing_cannot_enter_late() -> None:
    with pytest.raises(AlphintraError) as caught:
        entries_late(graph([node("bars", "Bars")], []))
    assert caught.value.code == "STRESS_ENTRIES"


def test_a_tick_takes_a_tick_of_cash_for_each_unit_traded() -> None:
    before = trial(settings=BacktestSettings(fees=FeeModel(per_share=Decimal("0.05"))))
    runnable, left_out = stress_trials(before, CLOSES, [])
    worse = settings_of(runnable["every fill a tick worse"])
    assert worse.fees.per_share == Decimal("0.06")
    plain, ticked = (simulate(each, BARS).result for each in (before, runnable["every fill a tick worse"]))
    assert isinstance(plain, BacktestResult)
    assert isinstance(ticked, BacktestResult)
    assert [(f.ts, f.qty, f.price) for f in plain.fills] == [(f.ts, f.qty, f.price) for f in ticked.fills]
    traded = sum(fill.qty for fill in plain.fills)
    assert plain.equity[-1].equity - ticked.equity[-1].equity == traded * Decimal("0.01")
    assert left_out == {}


def test_a_tick_is_the_symbol_s_own_and_unknown_where_nobody_said_it() -> None:
    pair = stress_trials(trial(symbol="BTC/USD"), CLOSES, [])[1]
    assert "specification" in pair["every fill a tick worse"]
    told = Instrument(symbol="BTC/USD", tick=Decimal("0.5"))
    runnable, _ = stress_trials(trial(settings=BacktestSettings(instrument=told), symbol="BTC/USD"), CLOSES, [])
    assert settings_of(runnable["every fill a tick worse"]).fees.per_share == Decimal("0.5")
    least = BacktestSettings(fees=FeeModel(minimum=Decimal(1)))
    assert "least fee" in stress_trials(trial(settings=least), CLOSES, [])[1]["every fill a tick worse"]
    assert "no costs" in stress_trials(trial(), CLOSES, [])[1]["costs twice as high"]


def test_every_other_variant_changes_one_thing() -> None:
    before = trial(settings=BacktestSettings(slippage_bps=Decimal(3)))
    runnable, left_out = stress_trials(before, CLOSES[:50], ["high.value"])
    assert settings_of(runnable["costs twice as high"]).slippage_bps == 6
    assert runnable["started 21 bars later"] == replace(before, start=BARS[21].ts)
    assert left_out == {"started 63 bars later": "the range is too short"}
    noisy = [each for name, each in runnable.items() if "noise" in name]
    assert len({each.altered for each in noisy}) == len(noisy) == 3
    changed = [each for name, each in runnable.items() if name.startswith("high.value")]
    assert [replace(each, graph=before.graph) for each in changed] == [before, before]
    for each in runnable.values():
        assert run_trial(each, BARS[:50]).error_code == ""


def test_noise_moves_prices_a_little_and_leaves_times_and_volume() -> None:
    walk = flat_bars([round(Decimal(100 + (n * 37) % 11), 2) for n in range(400)])
    noisy = altered_bars(walk, Altered(kind=Alteration.NOISE, seed=3, share=0.1))
    assert [(a.ts, a.volume) for a in noisy] == [(b.ts, b.volume) for b in walk]
    moves = np.diff(np.log([float(each.close) for each in walk]))
    drawn = np.log([float(a.close / b.close) for a, b in zip(noisy, walk, strict=True)])
    assert drawn.std() == pytest.approx(0.1 * moves.std(), rel=0.15)
    assert noisy == altered_bars(walk, Altered(kind=Alteration.NOISE, seed=3, share=0.1))
    assert noisy != altered_bars(walk, Altered(kind=Alteration.NOISE, seed=4, share=0.1))
    assert altered_bars(walk, Altered(kind=Alteration.NOISE, seed=4)) == tuple(walk)


def test_candles_in_another_order_have_the_moves_of_the_old_ones() -> None:
    bars = [bar(n, f"{100 + n} {103 + n} {98 + n} {101 + n}") for n in range(60)]
    drawn = altered_bars(bars, Altered(kind=Alteration.ORDER, seed=1))
    assert [each.ts for each in drawn] == [each.ts for each in bars]
    ranges = {round(float((each.high - each.low) / each.open), 3) for each in bars}
    assert {round(float((each.high - each.low) / each.open), 3) for each in drawn} <= ranges
    assert drawn != tuple(bars)


@pytest.mark.parametrize(("bars", "runs"), [(100, 40), (10_000, 20), (20_000, 10), (20_001, 0)])
def test_runs_over_other_orders_are_as_many_as_their_bars_allow(bars: int, runs: int) -> None:
    found = candle_trials(trial(), bars, seed=7)
    assert len({each.altered for each in found.values()}) == len(found) == runs


def test_a_trial_reads_the_bars_it_is_told_to() -> None:
    altered = replace(trial(), altered=Altered(kind=Alteration.ORDER, seed=1), start=BARS[3].ts - timedelta(hours=1))
    used = simulate(altered, BARS).used
    assert isinstance(used, Tape)
    assert used.closes == len(BARS) - 3
    assert used.close[0].tolist() != [float(each.close) for each in BARS[3:]]
