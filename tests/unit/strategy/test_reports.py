"""A report always fits into a reply, and says what it leaves out."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from alphintra.contracts.strategy import BacktestView
from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.strategy.domain.reports import REPORT_BYTES_MAX, write_report
from unit.engine.builders import flat_bars, threshold_graph

NATS_PAYLOAD_MAX = 1024 * 1024


def result_of(bars: int) -> BacktestResult:
    prices = [Decimal(9 + index % 3) for index in range(bars)]
    return run_backtest(compile_plan(threshold_graph()), "AAPL", bars=flat_bars(prices), settings=BacktestSettings())


def test_a_small_report_is_whole() -> None:
    result = result_of(50)
    report = json.loads(write_report(result))
    assert (len(report["equity"]), len(report["fills"]), len(report["orders"])) == (50, 32, len(result.orders))
    assert report["stride"] == 1
    assert set(report["left_out"].values()) == {0}
    assert report["equity"][-1]["equity"] == str(result.equity[-1].equity)


@pytest.mark.parametrize("bars", [3000, 8000])
def test_a_large_report_is_thinned_until_a_reply_carries_it(bars: int) -> None:
    result = result_of(bars)
    text = write_report(result)
    assert len(msgspec.json.encode(text)) <= REPORT_BYTES_MAX + 2 < NATS_PAYLOAD_MAX
    report = json.loads(text)
    assert report["left_out"]["orders"] > 0
    assert report["equity"][-1]["ts"] == result.equity[-1].ts.isoformat().replace("+00:00", "Z")
    for name in ("orders", "fills", "trades"):
        whole = getattr(result, name)
        assert report["left_out"][name] == len(whole) - len(report[name])
    assert report["fills"][-1]["client_order_id"] == result.fills[-1].client_order_id


def test_a_long_run_with_few_trades_keeps_them_all() -> None:
    prices = [Decimal(11 if 100 <= index % 2000 < 120 else 9) for index in range(12_000)]
    terms = BacktestSettings()
    result = run_backtest(compile_plan(threshold_graph()), "AAPL", bars=flat_bars(prices), settings=terms)
    report = json.loads(write_report(result))
    assert report["stride"] > 1
    assert len(report["trades"]) == len(result.trades) >= 5
    assert set(report["left_out"].values()) == {0}


def test_a_short_run_of_many_trades_keeps_its_course() -> None:
    report = json.loads(write_report(result_of(400), bytes_max=120_000))
    assert report["stride"] == 1
    assert report["left_out"]["orders"] > 0


def test_even_nothing_but_the_frame_is_a_report() -> None:
    report = json.loads(write_report(result_of(10), bytes_max=1))
    assert report["fills"] == []


def test_the_reply_that_carries_a_report_has_room_for_the_rest() -> None:
    fields = [info for info in msgspec.structs.fields(BacktestView) if info.name not in {"result", "metrics", "error"}]
    assert 1024 * len(fields) < NATS_PAYLOAD_MAX - REPORT_BYTES_MAX
