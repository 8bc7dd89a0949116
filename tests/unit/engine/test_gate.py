"""Backtests under limits: what risk would refuse is denied, recorded with every code, and does not trade."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest, run_hash
from alphintra.engine.gate import binding
from alphintra.engine.graph import compile_plan
from alphintra.engine.pretrade.assessment import CONTROLS
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.pretrade.limits import LimitSet, default_limits, limit_hash
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import OrderStatus
from unit.engine.builders import day, flat_bars, node, threshold_graph

SIZE = node("size", "PercentEquity", percent="50")
PLAN = compile_plan(threshold_graph(size=SIZE))
# Above ten it enters, below it leaves: it buys 454 at 11 and sells them.
PRICES = [11, 11, 9, 9, 11, 11, 9, 9]


def under(limits: LimitSet, prices: list[int] | None = None, **terms: Any) -> BacktestResult:  # noqa: ANN401 - any term
    """Run the strategy with ten thousand under limits."""
    settings = BacktestSettings(initial_cash=Decimal(10_000), limits=limits, **terms)
    return run_backtest(PLAN, "TEST", bars=flat_bars(prices or PRICES), settings=settings)


def limited(**controls: Any) -> LimitSet:  # noqa: ANN401 - any further limit
    """Return the limits of a new account with some more."""
    return replace(default_limits(), controls=LimitControls(**controls))


def ends(result: BacktestResult) -> list[tuple[str, str]]:
    """Return how each order ended."""
    return [(record.status.value, record.code) for record in result.orders]


def test_under_the_limits_of_a_new_account_an_ordinary_strategy_trades_as_without_any() -> None:
    result = under(default_limits())
    assert {status for status, _ in ends(result)} == {"filled"}
    assert len(result.fills) == 4
    assert (result.denials, result.blocked.get("RISK_QTY_MAX")) == ((), None)


def test_a_denied_order_does_not_trade_and_every_code_is_recorded() -> None:
    result = under(replace(default_limits(), order_qty_max=Decimal(400), order_notional_max=Decimal(5000)))
    assert result.fills == ()
    assert ends(result) == [("denied", "RISK_QTY_MAX")] * len(result.orders)
    assert result.orders[0].status is OrderStatus.DENIED
    first = result.denials[0]
    assert (first.client_order_id, first.ts) == (result.orders[0].order.client_order_id, day(0))
    assert [found.code for found in first.findings] == ["RISK_QTY_MAX", "RISK_NOTIONAL_MAX"]
    assert first.findings[0].limit == "400"
    assert result.decisions[0].refused == ("RISK_QTY_MAX", "RISK_NOTIONAL_MAX")
    assert result.blocked["RISK_QTY_MAX"] == len(result.orders) == 4  # it asks again at each close: nothing works
    assert result.equity[-1].equity == Decimal(10_000)


def test_buying_with_all_the_cash_is_denied_as_in_paper_for_the_price_may_rise() -> None:
    size = node("size", "PercentEquity", percent="100")
    settings = BacktestSettings(initial_cash=Decimal(10_000))
    result = run_backtest(compile_plan(threshold_graph(size=size)), "TEST", bars=flat_bars(PRICES), settings=settings)
    assert set(ends(result)) == {("denied", "RISK_BUYING_POWER")}


@pytest.mark.parametrize(
    ("controls", "code"),
    [
        ({"symbols_allowed": ("MSFT",)}, "RISK_NO_PERMISSION"),
        ({"credit_max": Decimal(1000)}, "RISK_CREDIT"),
        ({"gross_exposure_max": Decimal(1000)}, "RISK_EXPOSURE"),
        ({"is_session_enforced": True}, "VENUE_CLOSED"),
        ({"message_burst": 1, "cancel_reserve": 0, "messages_per_s": Decimal("0.000001")}, "RISK_MSG_RATE"),
        ({"repeat_max": 1, "repeat_window_s": 1_000_000}, "RISK_REPEAT_LATCHED"),
        ({"daily_loss_max": Decimal(100)}, "RISK_LOSS_LIMIT"),
        ({"drawdown_halt_pct": Decimal(1)}, "KILL_ACTIVE"),
    ],
)
def test_each_limit_over_the_course_of_trading_denies(controls: dict[str, Any], code: str) -> None:
    result = under(limited(**controls), [11, 11, 9, 9, 11, 9, 11, 9])
    assert code in {found.code for denial in result.denials for found in denial.findings}
    assert len(result.fills) < 6


def test_a_loss_limit_lets_the_position_be_closed_and_nothing_be_opened_to_the_end() -> None:
    result = under(limited(daily_loss_max=Decimal(500)))
    assert [fill.side.value for fill in result.fills] == ["buy", "sell"]
    assert {denial.code for denial in result.denials} == {"RISK_LOSS_LIMIT"}
    assert result.position.qty == 0


def test_the_specification_of_the_symbol_is_held_against_each_order() -> None:
    result = under(default_limits(), instrument=Instrument(symbol="TEST", lot=Decimal(100)))
    assert set(ends(result)) == {("denied", "ORDER_LOT")}


def test_the_run_names_the_limits_it_was_held_against() -> None:
    wide, narrow = default_limits(), replace(default_limits(), order_qty_max=Decimal(5), version=7)
    honesty = under(narrow).honesty
    assert (honesty.limit_version, honesty.limit_hash) == (7, limit_hash(narrow))
    assert limit_hash(narrow) != limit_hash(wide)
    assert limit_hash(replace(wide, version=9, set_by="x", order_qty_max=Decimal("100000.00"))) == limit_hash(wide)
    names = {run_hash("g", "d", settings=BacktestSettings(limits=each), engine_version="1") for each in (wide, narrow)}
    assert len(names) == 2


def test_where_no_limit_asks_for_more_few_controls_run_and_none_that_could_bind_is_left_out() -> None:
    few = binding(default_limits())
    assert len(few) < len(CONTROLS) / 2
    assert [control.rule for control in few] == ["R16", "R21", "R23", "R22", "R02", "R03", "R12", "R13", "R20"]
