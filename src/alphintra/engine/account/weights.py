"""An account that holds many symbols at target weights: compiled, and in exact decimals as the reference of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account import panels as k
from alphintra.engine.costs import Costs
from alphintra.engine.portfolio import FLAT, Position, apply_fill, cash_delta, notional
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import PRICE_QUANTUM, require_positive, round_cash, round_price
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Panel = NDArray[np.float64]

__all__ = ["PanelFill", "PanelRun", "Rebalances", "WeightRules", "hold", "hold_reference"]

COMPILED_BARS_MIN: Final = 20_000  # symbols times bars; below, interpreting takes less than loading the compiler
_WIDE: Final = Context(prec=60)
_MILLION: Final = Decimal(1_000_000)
_BILLION: Final = Decimal(1_000_000_000)
_BPS: Final = Decimal(10_000)
_SHARES: Final = 1e11


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRules:
    """Terms of an account that is rebalanced to weights.

    Args:
        initial_cash: above zero.
        lot: smallest quantity; targets are rounded down to it.
        costs: fees and slippage.
        band: percent of equity by which a holding must be off its target to be traded; a target of none always is.
        is_rounded: whether quantities are whole lots and amounts millionths.
        is_sized_at_fill: whether quantities are reckoned with the prices they fill at, as other engines have it.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE, FIELD_RANGE, ORDER_UNSUPPORTED.
    """

    initial_cash: Decimal = Decimal(100_000)
    lot: Decimal = Decimal(1)
    costs: Costs = field(default_factory=Costs)
    band: Decimal = Decimal(0)
    is_rounded: bool = True
    is_sized_at_fill: bool = False

    def __post_init__(self) -> None:
        require_positive(self.initial_cash, pointer="/initial_cash")
        require_positive(self.lot, pointer="/lot")
        if not 0 <= self.band < 100:  # noqa: PLR2004 - percent
            raise AlphintraError("FIELD_RANGE", f"a band of {self.band} percent is no share: 0 to 100", pointer="/band")
        if self.is_sized_at_fill and self.is_rounded:
            message = "quantities reckoned with the prices they fill at are a rule of unrounded runs"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/is_sized_at_fill")


@dataclass(frozen=True, slots=True)
class Rebalances:
    """Bars at whose closes weights are asked for, rising, and the weights: [symbols, rebalances], NaN for no wish."""

    bars: NDArray[np.int64]
    weights: Panel


@dataclass(frozen=True, slots=True)
class PanelFill:
    """One execution of the reference."""

    bar: int
    symbol: int
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realized: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRun:
    """What a run brought about: equity at each close, fills as rows of the kernel, buys the cash did not pay."""

    units: NDArray[np.float64]
    fills: NDArray[np.float64]
    refused: int
    scale: float
    is_exact: bool

    @property
    def equity(self) -> NDArray[np.float64]:
        """Equity at each close in currency units."""
        return self.units / self.scale


def hold(
    rules: WeightRules, panels: tuple[Panel, Panel], told: Rebalances, *, is_compiled: bool | None = None
) -> PanelRun:
    """Run an account over opens and closes, [symbols, bars], NaN where a symbol has no bar.

    Weights are asked for at the close of their bar and filled from each symbol's next bar on: sells first, then buys
    by weight and symbol.

    Raises:
        AlphintraError: COLUMN_LENGTH.
    """
    symbols, count = panels[1].shape
    is_panel = all(panel.shape == (symbols, count) and panel.flags.c_contiguous for panel in panels)
    if not is_panel or told.weights.shape != (symbols, told.bars.size) or not told.weights.flags.c_contiguous:
        message = "opens and closes are [symbols, bars], weights [symbols, rebalances], all C-contiguous"
        raise AlphintraError("COLUMN_LENGTH", message)
    p, s, kept = _params(rules), np.zeros(k.STATE), np.zeros((k.ROWS, symbols))
    s[k.CASH] = float(round_cash(rules.initial_cash) * (_MILLION if rules.is_rounded else 1))
    kept[k.ASKED] = math.nan
    out = (np.empty(count), np.empty((told.weights.size, k.FILL_WIDTH)), np.zeros(symbols, np.int64))
    wants = panels[1].size >= COMPILED_BARS_MIN if is_compiled is None else is_compiled
    run = k.holdings.compiled if wants else k.holdings.interpreted
    run(p, s, kept, panels, (told.bars, told.weights), out)
    least = rules.costs.fees.minimum * _MILLION
    return PanelRun(
        units=out[0],
        fills=out[1][: int(s[k.FILLS])],
        refused=int(s[k.REFUSED]),
        scale=float(p[k.SCALE]),
        is_exact=rules.is_rounded and not s[k.INEXACT] and least == least.to_integral_value(),
    )


def hold_reference(
    rules: WeightRules, panels: tuple[Panel, Panel], told: Rebalances
) -> tuple[list[Decimal], list[PanelFill]]:
    """Return equity at each close and the fills of a rounded run, in exact decimals."""
    opens, closes = panels
    turns = {int(bar): turn for turn, bar in enumerate(told.bars)}
    book = _PanelBook(rules, closes.shape[0])
    equity = []
    for bar in range(closes.shape[1]):
        book.trade(bar, opens[:, bar])
        equity.append(book.close(closes[:, bar]))
        if bar in turns:
            book.ask(told.weights[:, turns[bar]], closes[:, bar], equity[-1])
    return equity, book.fills


class _PanelBook:
    """Cash, positions and what is wanted of each symbol."""

    def __init__(self, rules: WeightRules, symbols: int) -> None:
        self._rules = rules
        self._cash = round_cash(rules.initial_cash)
        self._held: list[Position] = [FLAT] * symbols
        self._last = [Decimal(0)] * symbols
        self._wanted: dict[int, tuple[Decimal, Decimal]] = {}  # by symbol: weight in percent, signed quantity
        self.fills: list[PanelFill] = []

    def trade(self, bar: int, opens: Panel) -> None:
        """Fill what is wanted of the symbols that have a bar."""
        due = {symbol: told for symbol, told in self._wanted.items() if opens[symbol] > 0}
        sells = [symbol for symbol in sorted(due) if due[symbol][1] < 0]
        buys = sorted((symbol for symbol in due if due[symbol][1] > 0), key=lambda symbol: (-due[symbol][0], symbol))
        for symbol in (*sells, *buys):
            self._fill(bar, symbol, due[symbol][1], _price(opens[symbol]))
        for symbol in due:
            del self._wanted[symbol]

    def close(self, closes: Panel) -> Decimal:
        """Mark the book at the closes there are; return its equity."""
        for symbol, price in enumerate(closes):
            if price > 0:
                self._last[symbol] = _price(price)
        worth = (position.market_value(mark) for position, mark in zip(self._held, self._last, strict=True))
        return self._cash + sum(worth, Decimal(0))

    def ask(self, weights: Panel, closes: Panel, equity: Decimal) -> None:
        """Note what a rebalance wants of each symbol that has a bar."""
        for symbol, weight in enumerate(weights):
            if math.isnan(weight) or not closes[symbol] > 0:
                continue
            percent = Decimal(round(weight * _SHARES)).scaleb(-9)
            price, lot = self._last[symbol], self._rules.lot
            budget = _WIDE.divide(_WIDE.multiply(max(equity, Decimal(0)), abs(percent)), 100)
            lots = _WIDE.divide(budget, _WIDE.multiply(price, lot)).to_integral_value(rounding=ROUND_FLOOR)
            change = lots * lot * (1 if percent > 0 else -1) - self._held[symbol].qty
            room = _WIDE.divide(_WIDE.multiply(max(equity, Decimal(0)), self._rules.band), 100)
            is_near = percent and notional(abs(change), price) < room
            self._wanted.pop(symbol, None)
            if change and not is_near:
                self._wanted[symbol] = (percent, change)

    def _fill(self, bar: int, symbol: int, change: Decimal, opened: Decimal) -> None:
        costs, qty = self._rules.costs, abs(change)
        side = Side.BUY if change > 0 else Side.SELL
        price = round_price(opened * (1 + (1 if change > 0 else -1) * costs.slippage_bps / _BPS))
        fee = costs.fees.fee(qty, price)
        delta = cash_delta(side, qty, price=price, fee=fee)
        held = self._held[symbol]
        if side is Side.BUY and held.qty >= 0 and self._cash + delta < 0:
            return
        self._held[symbol], realized = apply_fill(held, side, qty=qty, price=price)
        self._cash += delta
        self.fills.append(PanelFill(bar, symbol, side, qty, price, fee, realized))


def _price(value: float) -> Decimal:
    return round(float(value) * float(_MILLION)) * PRICE_QUANTUM


def _params(rules: WeightRules) -> NDArray[np.float64]:
    p, costs, fees = np.zeros(k.PARAMS), rules.costs, rules.costs.fees
    amount = _MILLION if rules.is_rounded else Decimal(1)
    is_whole = rules.lot == rules.lot.to_integral_value()
    p[k.SCALE], p[k.IS_EXACT] = float(amount), float(rules.is_rounded)
    p[k.UNIT] = 1.0 if not rules.is_rounded else float(rules.lot) if is_whole else 0.0
    p[k.LOT_NANO] = float(rules.lot * _BILLION) if rules.is_rounded else 1e9
    p[k.SLIP], p[k.FEE_BPS] = float(costs.slippage_bps * _BILLION), float(fees.commission_bps * _BILLION)
    p[k.FEE_UNIT], p[k.FEE_MIN] = float(fees.per_share * _BILLION), float(fees.minimum * amount)
    p[k.BAND], p[k.AT_FILL] = float(rules.band * _BILLION), float(rules.is_sized_at_fill)
    return p
