"""The risk of one account's book as of its newest marks: what can be said, and by name what cannot and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.measures import moments, tails
from alphintra.engine.measures.backtests import Backtest, backtest_historical
from alphintra.engine.measures.stress import SCENARIOS
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import plain, round_cash

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CONFIDENCES",
    "Holding",
    "Inputs",
    "Missing",
    "RiskReport",
    "SymbolExposure",
    "TailFigure",
    "asset_class",
    "measure_book",
]

CONFIDENCES: Final = (0.95, 0.99)
RETURNS_MIN: Final = 60  # below this even a standard deviation is a guess
RETURNS_MAX: Final = 500  # two years: older days say little of the present
BACKTEST_WINDOW: Final = 250
BACKTEST_CONFIDENCE: Final = 0.99
SIMULATIONS: Final = 20_000
JUMP: Final = 0.5  # a day's move beyond this is a split or an error more often than a market
_FRACTION: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position and its newest mark; ``price`` is None where no mark has come."""

    symbol: str
    qty: Decimal
    price: Decimal | None
    marked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a report is made of.

    Attributes:
        cash: of the account.
        holdings: positions that are not flat.
        books: position by book and symbol; a book is None for orders without one.
        closes: daily closes by symbol, oldest first; the benchmark's too.
        equity: the account's equity over time, oldest first, the present one last.
        benchmark: symbol that beta is taken against.
        seed: of the simulation.
    """

    cash: Decimal
    holdings: Sequence[Holding]
    closes: Mapping[str, Sequence[tuple[date, Decimal]]]
    books: Mapping[tuple[str | None, str], Decimal] = field(default_factory=dict)
    equity: Sequence[Decimal] = ()
    benchmark: str = ""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that could not be measured: a stable code, and a sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class SymbolExposure:
    """One position: signed value at the newest mark, and its share of the gross exposure."""

    symbol: str
    asset_class: str
    qty: Decimal
    price: Decimal | None
    value: Decimal | None
    share: Decimal | None
    marked_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupExposure:
    """Gross and net value of an asset class or a book."""

    name: str
    gross: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class TailFigure:
    """One-day value at risk and expected shortfall by one method, in the account's currency; a loss is positive."""

    method: str
    confidence: Decimal
    var: Decimal
    es: Decimal


@dataclass(frozen=True, slots=True)
class StressFigure:
    """What a scenario would do to the book; ``share`` is of equity, None where that is not positive."""

    name: str
    pnl: Decimal
    share: Decimal | None
    source: str


@dataclass(frozen=True, slots=True)
class DrawdownFigure:
    """Falls of the account's equity below its running peak, as fractions, over the equity risk has kept."""

    deepest: Decimal
    current: Decimal
    peak: Decimal


@dataclass(frozen=True, slots=True)
class BacktestFigure:
    """How the 99 % historical VaR of this very book would have done; p-values below 0.05 reject it."""

    days: int
    exceptions: int
    expected: Decimal
    kupiec_p: Decimal
    christoffersen_p: Decimal
    is_rejected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """All measures of a book; what could not be measured is None or absent, and named in ``missing``."""

    equity: Decimal | None
    gross: Decimal
    net: Decimal
    leverage: Decimal | None
    symbols: tuple[SymbolExposure, ...]
    classes: tuple[GroupExposure, ...]
    books: tuple[GroupExposure, ...]
    history_days: int
    tails: tuple[TailFigure, ...]
    drawdown: DrawdownFigure | None
    concentration: Decimal | None
    effective_positions: Decimal | None
    benchmark: str
    beta: Decimal | None
    stress: tuple[StressFigure, ...]
    backtest: BacktestFigure | None
    missing: tuple[Missing, ...]


def asset_class(symbol: str) -> str:
    """Return ``crypto`` for a pair such as BTC/USD, else ``equity``."""
    return "crypto" if "/" in symbol else "equity"


def measure_book(inputs: Inputs) -> RiskReport:
    """Measure a book. Exposure is exact; figures of returns are float64, rounded to a millionth at the end.

    Value at risk holds the present positions constant over the past returns of their symbols on the days all of them
    have a close. A number that would rest on too little is left out and named in ``missing`` with its reason.
    """
    missing: list[Missing] = []
    symbols, gross, net = _exposures(inputs, missing)
    equity = None if any(one.value is None for one in symbols) else inputs.cash + net
    if equity is not None and equity <= 0:
        missing.append(Missing("EQUITY_NOT_POSITIVE", f"equity is {plain(equity):f}: shares of it have no meaning"))
    base = equity if equity is not None and equity > 0 else None
    values = {one.symbol: float(one.value) for one in symbols if one.value is not None}
    is_priced = gross > 0 and len(values) == len(symbols)
    returns = _returns(inputs, sorted(values), missing) if is_priced else np.empty((0, 0))
    held = np.array([values[symbol] for symbol in sorted(values)])
    drawn = moments.drawdown([float(amount) for amount in inputs.equity])
    hhi = moments.concentration(held) if is_priced else None
    return RiskReport(
        equity=equity,
        gross=gross,
        net=net,
        leverage=None if base is None else _fraction(gross / base),
        symbols=symbols,
        classes=_groups([(one.asset_class, one.value) for one in symbols]),
        books=_books(inputs),
        history_days=int(returns.shape[0]),
        tails=_tails(returns, held, inputs.seed, missing),
        drawdown=None if drawn is None else _drawdown(drawn),
        concentration=None if hhi is None else _fraction(hhi),
        effective_positions=None if hhi is None else _fraction(1 / hhi),
        benchmark=inputs.benchmark,
        beta=_beta(inputs, sorted(values), held, missing) if is_priced else None,
        stress=_stress(symbols, base) if is_priced else (),
        backtest=_backtest(inputs, sorted(values), held, missing) if is_priced else None,
        missing=tuple(dict.fromkeys(missing)),
    )


def _exposures(inputs: Inputs, missing: list[Missing]) -> tuple[tuple[SymbolExposure, ...], Decimal, Decimal]:
    valued = [(one, None if one.price is None else round_cash(one.qty * one.price)) for one in inputs.holdings]
    gross = sum((abs(value) for _one, value in valued if value is not None), Decimal(0))
    net = sum((value for _one, value in valued if value is not None), Decimal(0))
    if not valued:
        missing.append(Missing("NO_POSITION", "the account holds nothing: there is no risk of prices to measure"))
    found = []
    for one, value in sorted(valued, key=lambda pair: pair[0].symbol):
        if value is None:
            message = f"{one.symbol} has no price yet: equity, value at risk and stress wait for its first mark"
            missing.append(Missing("PRICE_MISSING", message))
        share = None if value is None or not gross else _fraction(abs(value) / gross)
        found.append(
            SymbolExposure(one.symbol, asset_class(one.symbol), one.qty, one.price, value, share, one.marked_at)
        )
    return tuple(found), gross, net


def _groups(items: Sequence[tuple[str, Decimal | None]]) -> tuple[GroupExposure, ...]:
    names = sorted({name for name, _value in items})
    found = []
    for name in names:
        values = [value for other, value in items if other == name and value is not None]
        found.append(GroupExposure(name, sum(map(abs, values), Decimal(0)), sum(values, Decimal(0))))
    return tuple(found)


def _books(inputs: Inputs) -> tuple[GroupExposure, ...]:
    prices = {one.symbol: one.price for one in inputs.holdings}
    items: list[tuple[str, Decimal | None]] = []
    for (book, symbol), qty in inputs.books.items():
        price = prices.get(symbol)
        items.append((book or "unassigned", None if price is None or not qty else round_cash(qty * price)))
    return _groups([item for item in items if item[1] is not None])


def _aligned(inputs: Inputs, symbols: Sequence[str]) -> NDArray[np.float64]:
    """Return simple returns, one row a day on which all symbols have a close, one column a symbol."""
    by_day = [dict(inputs.closes.get(symbol, ())) for symbol in symbols]
    days = sorted(set.intersection(*map(set, by_day))) if by_day else []
    prices = np.array([[float(closes[day]) for closes in by_day] for day in days])
    return prices[1:] / prices[:-1] - 1 if len(days) > 1 else np.empty((0, len(symbols)))


def _returns(inputs: Inputs, symbols: Sequence[str], missing: list[Missing]) -> NDArray[np.float64]:
    """Return the newest returns, none where there are too few."""
    returns = _aligned(inputs, symbols)
    if len(returns) < RETURNS_MIN:
        shortest = min(symbols, key=lambda symbol: len(inputs.closes.get(symbol, ())))
        message = (
            f"{len(returns)} daily returns of all held symbols together, at least {RETURNS_MIN} are needed for value "
            f"at risk; {shortest} has the fewest closes, {len(inputs.closes.get(shortest, ()))}"
        )
        missing.append(Missing("HISTORY_TOO_SHORT", message))
        return np.empty((0, len(symbols)))
    for symbol in symbols:
        for (_before, old), (day, new) in pairwise(inputs.closes[symbol]):
            if abs(float(new / old) - 1) > JUMP:
                message = f"{symbol} moved by {float(new / old) - 1:+.0%} to {day}: a split makes the figures too large"
                missing.append(Missing("PRICE_JUMP", message))
    return returns[-RETURNS_MAX:]


def _tails(
    returns: NDArray[np.float64], held: NDArray[np.float64], seed: int, missing: list[Missing]
) -> tuple[TailFigure, ...]:
    if not returns.size:
        return ()
    pnl = returns @ held
    covariance = moments.shrunk_covariance(returns).matrix
    mean, deviation = float(pnl.mean()), math.sqrt(max(float(held @ covariance @ held), 0.0))
    skew, kurtosis = moments.shape(pnl)
    logs = np.log1p(returns)
    drawn = _drawn(held, logs, seed, missing)
    found = []
    for confidence in CONFIDENCES:
        if len(pnl) * (1 - confidence) >= 1 - 1e-9:
            found.append(_figure("historical", confidence, tails.historical_tail(pnl, confidence)))
        else:
            message = f"{len(pnl)} returns have none beyond the {confidence:.0%} quantile: no historical figure for it"
            missing.append(Missing("HISTORY_TOO_SHORT", message))
        found.append(_figure("parametric", confidence, tails.normal_tail(mean, deviation, confidence)))
        try:
            tail = tails.cornish_fisher_tail(mean, deviation, confidence, skew=skew, excess_kurtosis=kurtosis)
            found.append(_figure("cornish_fisher", confidence, tail))
        except AlphintraError as error:
            missing.append(Missing(error.code, f"no Cornish-Fisher figure: {error.detail}"))
        if drawn is not None:
            found.append(_figure("monte_carlo", confidence, tails.historical_tail(drawn, confidence)))
    return tuple(found)


def _drawn(
    held: NDArray[np.float64], logs: NDArray[np.float64], seed: int, missing: list[Missing]
) -> NDArray[np.float64] | None:
    try:
        covariance = moments.shrunk_covariance(logs).matrix
        return tails.simulated_pnl(held, logs.mean(axis=0), covariance, count=SIMULATIONS, seed=seed)
    except np.linalg.LinAlgError:
        missing.append(Missing("PRICES_CONSTANT", "no held symbol has moved: there is nothing to simulate"))
        return None


def _figure(method: str, confidence: float, tail: tails.Tail) -> TailFigure:
    return TailFigure(method, Decimal(str(confidence)), _money(tail.var), _money(tail.es))


def _beta(inputs: Inputs, symbols: Sequence[str], held: NDArray[np.float64], missing: list[Missing]) -> Decimal | None:
    """Beta of the book's return on its gross exposure against the benchmark's."""
    if not inputs.benchmark:
        missing.append(Missing("BENCHMARK_MISSING", "no benchmark was named: say which symbol beta is taken against"))
        return None
    returns = _aligned(inputs, [*symbols, inputs.benchmark])
    if len(returns) < RETURNS_MIN:
        message = f"{len(returns)} daily returns together with {inputs.benchmark}, {RETURNS_MIN} are needed for beta"
        missing.append(Missing("BENCHMARK_MISSING", message))
        return None
    returns = returns[-RETURNS_MAX:]
    found = moments.beta(returns[:, :-1] @ held / np.abs(held).sum(), returns[:, -1])
    return None if found is None else _fraction(found)


def _stress(symbols: Sequence[SymbolExposure], base: Decimal | None) -> tuple[StressFigure, ...]:
    found = []
    for scenario in SCENARIOS:
        moves = {name: Decimal(str(move)) for name, move in scenario.moves.items()}
        pnl = sum((moves.get(one.asset_class, Decimal(0)) * (one.value or 0) for one in symbols), Decimal(0))
        share = None if base is None else _fraction(pnl / base)
        found.append(StressFigure(scenario.name, round_cash(pnl), share, scenario.source))
    return tuple(found)


def _backtest(
    inputs: Inputs, symbols: Sequence[str], held: NDArray[np.float64], missing: list[Missing]
) -> BacktestFigure | None:
    pnl = _aligned(inputs, symbols) @ held
    found = backtest_historical(pnl, confidence=BACKTEST_CONFIDENCE, window=BACKTEST_WINDOW)
    if found is None or found.days < BACKTEST_WINDOW:
        message = f"{len(pnl)} daily returns; the VaR is tried on {BACKTEST_WINDOW} days after {BACKTEST_WINDOW} others"
        missing.append(Missing("BACKTEST_TOO_SHORT", message))
        return None
    return _tried(found)


def _tried(found: Backtest) -> BacktestFigure:
    return BacktestFigure(
        days=found.days,
        exceptions=found.exceptions,
        expected=_fraction(found.expected),
        kupiec_p=_fraction(found.coverage.p_value),
        christoffersen_p=_fraction(found.conditional.p_value),
        is_rejected=found.coverage.is_rejected or found.conditional.is_rejected,
    )


def _drawdown(found: moments.Drawdown) -> DrawdownFigure:
    return DrawdownFigure(_fraction(found.deepest), _fraction(found.current), _money(found.peak))


def _money(value: float) -> Decimal:
    return round_cash(Decimal(repr(float(value))))


def _fraction(value: Decimal | float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_FRACTION)
