"""Other engines' orders of events within a bar: what they come to on bars that everyone has, and on bars by hand."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from alphintra.engine.account.columns import Columns, prices_of
from alphintra.engine.account.reference import run_reference
from alphintra.engine.account.rules import AccountRules, Bound, Size, Sizing
from alphintra.engine.account.run import account_of, simulate
from alphintra.engine.bars import Bar
from alphintra.engine.costs import Costs
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.protection import LevelKind
from alphintra.kernel.vocabulary import Intrabar
from unit.engine.builders import day

D = Decimal
Fills = list[tuple[int, float]]
FAST, SLOW = 10, 30


def rules_of(mode: Intrabar, *, trail: str | None, target: str | None, cash: int = 1000, bps: int = 0) -> AccountRules:
    return AccountRules(
        initial_cash=D(cash),
        sizing=Sizing(Size.ALL_CASH),
        costs=Costs(FeeModel(D(bps))),
        trail=None if trail is None else Bound(LevelKind.PERCENT, D(trail)),
        target=None if target is None else Bound(LevelKind.PERCENT, D(target)),
        intrabar=mode,
        is_rounded=False,
    )


def left_at(mode: Intrabar, bars: list[tuple[float, float, float, float]], *, leave: int | None = None) -> Fills:
    """Enter at the open of the second bar, trail of 10 %, target of 20 %; return when and at what it ends."""
    opened, high, low, close = (np.array(column) for column in zip(*bars, strict=True))
    asked, left = np.zeros(len(bars)), np.zeros(len(bars))
    asked[0] = 1.0
    if leave is not None:
        left[leave] = 1.0
    columns = Columns(open=opened, high=high, low=low, close=close, entry=asked, leave=left)
    run = simulate(rules_of(mode, trail="10", target="20"), columns, is_compiled=False)
    return [(int(row[0]), float(row[2])) for row in run.fills[1:]]


def exits_of(rules: AccountRules, bars: list[Bar], *, leave: int | None = None) -> list[tuple[int, str, str, bool]]:
    """Enter at the open of the second bar; return bar, leg, price and ambiguity of what left, the same in both."""
    asked, left = np.zeros(len(bars)), np.zeros(len(bars))
    asked[0] = 1.0
    if leave is not None:
        left[leave] = 1.0
    opened, high, low, close = prices_of(bars)
    columns = Columns(open=opened, high=high, low=low, close=close, entry=asked, leave=left)
    expected = run_reference(rules, columns, bars)
    run = account_of(simulate(rules, columns, is_compiled=False), rules, columns, bars)
    assert (run.fills, run.refusals and run.refusals[0].code) == (
        expected.fills,
        expected.refusals and expected.refusals[0].code,
    )
    return [(bar, fill.leg, f"{fill.price.normalize():f}", fill.is_ambiguous) for bar, fill in expected.fills[1:]]


@pytest.mark.parametrize(
    ("intrabar", "expected"),
    [
        (Intrabar.CHRONOLOGICAL, [(1, "trail", "90", False)]),
        (Intrabar.VECTORBT, [(3, "trail", "108.9", False)]),
        (Intrabar.BACKTRADER, [(2, "target", "120", False)]),
    ],
)
def test_the_example_of_the_manual(intrabar: Intrabar, expected: list[tuple[int, str, str, bool]]) -> None:
    shapes = ["100 100 100 100", "100 105 85 105", "105 121 103 121", "121 122 100 101"]
    rules = AccountRules(
        trail=Bound(LevelKind.PERCENT, D(10)), target=Bound(LevelKind.PERCENT, D(20)), intrabar=intrabar
    )
    assert exits_of(rules, bars_of(shapes)) == expected


@pytest.mark.parametrize(
    ("intrabar", "beyond"),
    [
        (Intrabar.CHRONOLOGICAL, ("target", "111")),
        (Intrabar.VECTORBT, ("stop", "95")),
        (Intrabar.BACKTRADER, ("stop", "95")),
    ],
)
def test_gaps_and_bars_that_hold_both_exits(intrabar: Intrabar, beyond: tuple[str, str]) -> None:
    """A gap fills at the open; a bar with stop 95 and target 110 at the stop; an open beyond the target differs."""
    rules = AccountRules(stop=Bound(LevelKind.PERCENT, D(5)), target=Bound(LevelKind.PERCENT, D(10)), intrabar=intrabar)
    flat = ["100 100 100 100"] * 2
    assert exits_of(rules, bars_of([*flat, "93 94 92 93"])) == [(2, "stop", "93", False)]
    assert exits_of(rules, bars_of([*flat, "100 112 90 100"])) == [(2, "stop", "95", True)]
    ((_, *left, _),) = exits_of(rules, bars_of([*flat, "111 112 90 100"]))
    assert tuple(left) == beyond


def test_an_order_that_lost_against_an_exit_is_canceled() -> None:
    rules = AccountRules(stop=Bound(LevelKind.PERCENT, D(5)), intrabar=Intrabar.VECTORBT)
    shapes = ["100 100 100 100"] * 3
    assert exits_of(rules, bars_of([*shapes, "97 97 80 85"]), leave=2) == [(3, "stop", "95", False)]
    assert exits_of(rules, bars_of([*shapes, "97 97 96 97"]), leave=2) == [(3, "", "97", False)]


def bars_of(shapes: list[str]) -> list[Bar]:
    """Return daily bars from lines of open, high, low and close."""
    prices = [[D(price) for price in shape.split()] for shape in shapes]
    return [Bar(day(place), opened, high, low, close, D(1)) for place, (opened, high, low, close) in enumerate(prices)]


FLAT = (100.0, 100.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("mode", "expected"), [(Intrabar.CHRONOLOGICAL, [(1, 90.0)]), (Intrabar.VECTORBT, []), (Intrabar.BACKTRADER, [])]
)
def test_the_bar_of_the_entry_counts_or_does_not(mode: Intrabar, expected: Fills) -> None:
    assert left_at(mode, [FLAT, (100.0, 100.0, 85.0, 100.0), FLAT]) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(Intrabar.CHRONOLOGICAL, [(2, 120.0)]), (Intrabar.VECTORBT, [(3, 126.0)]), (Intrabar.BACKTRADER, [(2, 120.0)])],
)
def test_a_target_lies_beyond_the_fill_or_beyond_the_close(mode: Intrabar, expected: Fills) -> None:
    bars = [FLAT, (100.0, 105.0, 100.0, 105.0), (105.0, 121.0, 105.0, 121.0), (121.0, 130.0, 121.0, 130.0)]
    assert left_at(mode, bars) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (Intrabar.CHRONOLOGICAL, [(2, 104.0)]),
        (Intrabar.VECTORBT, [(3, pytest.approx(104.4))]),
        (Intrabar.BACKTRADER, [(3, pytest.approx(93.6))]),
    ],
)
def test_a_trail_follows_highs_or_closes(mode: Intrabar, expected: Fills) -> None:
    """A bar rises to 116 and closes at 104, 10 % below its high; the next one falls to 90."""
    bars = [FLAT, FLAT, (100.0, 116.0, 100.0, 104.0), (105.0, 105.0, 90.0, 95.0)]
    assert left_at(mode, bars) == expected


@pytest.mark.parametrize(
    ("mode", "expected"), [(Intrabar.CHRONOLOGICAL, 97.0), (Intrabar.VECTORBT, 90.0), (Intrabar.BACKTRADER, 97.0)]
)
def test_an_exit_comes_before_the_order_of_the_same_bar_or_after_it(mode: Intrabar, expected: float) -> None:
    bars = [FLAT, FLAT, FLAT, (97.0, 97.0, 80.0, 85.0)]
    assert left_at(mode, bars, leave=2) == [(3, expected)]


@pytest.mark.parametrize("is_compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("mode", "trail", "target", "equity"),
    [
        (Intrabar.VECTORBT, "5", "10", 2_114_575_198.2968347),  # vectorbt 1.2.0, numba and rust
        (Intrabar.VECTORBT, "5", None, 2_448_038_677.7387476),
        (Intrabar.VECTORBT, None, "10", 2_708_417_208.9308367),
        (Intrabar.BACKTRADER, "5", "10", 1_925_429_009.8745692),  # backtrader 1.9.78
        (Intrabar.BACKTRADER, "5", None, 2_396_471_670.6587396),
        (Intrabar.BACKTRADER, None, "10", 2_716_120_354.52485),
        (Intrabar.CHRONOLOGICAL, None, None, 5_461_123_708.225306),  # all of them
    ],
)
def test_the_other_engines_come_to_the_same_on_their_own_bars(
    mode: Intrabar, trail: str | None, target: str | None, equity: float, *, is_compiled: bool
) -> None:
    """The crossover of two averages over the daily bars of GOOG that backtesting.py ships."""
    shipped = pytest.importorskip("backtesting.test", reason="backtesting ships the bars: pip install alphintra[bench]")
    prices = {name: np.ascontiguousarray(shipped.GOOG[name.title()].to_numpy(float)) for name in _FIELDS}
    fast, slow = (np.convolve(prices["close"], np.ones(length) / length)[: -length + 1] for length in (FAST, SLOW))
    above = fast > slow
    rises, falls = np.zeros(above.size), np.zeros(above.size)
    rises[SLOW:], falls[SLOW:] = above[SLOW:] & ~above[SLOW - 1 : -1], ~above[SLOW:] & above[SLOW - 1 : -1]
    run = simulate(
        rules_of(mode, trail=trail, target=target, cash=10**9, bps=10),
        Columns(**prices, entry=rises, leave=falls),
        is_compiled=is_compiled,
    )
    assert float(run.equity[-1]) == pytest.approx(equity, rel=1e-9)


_FIELDS = ("open", "high", "low", "close")
