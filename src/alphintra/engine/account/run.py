"""Runs of the account kernel, and what they brought about: as arrays at once, as the reference's records on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account import kernel as k
from alphintra.engine.account import levels
from alphintra.engine.account.asking import order_at
from alphintra.engine.account.columns import NOTHING, Columns
from alphintra.engine.account.course import COURSE
from alphintra.engine.account.lots import SIZE_KIND, SIZE_MOST, SIZE_NUMBER
from alphintra.engine.account.reference import Account
from alphintra.engine.account.rules import AccountRules, Bound, Pricing, Size
from alphintra.engine.account.stretches import Signals
from alphintra.engine.account.waiting import AT_LIMIT, AT_STOP
from alphintra.engine.book import EXCEEDS_FREE_BALANCE, ORDER_CANCELED, ORDER_EXPIRED, Fill, Order, Refusal
from alphintra.engine.intents import Outcome
from alphintra.engine.kernels import amounts
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import CASH_QUANTUM, PRICE_QUANTUM, round_cash
from alphintra.kernel.vocabulary import Intrabar, OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from alphintra.engine.bars import Bar
    from alphintra.engine.kernels.kernel import Vector

__all__ = [
    "ENDS",
    "OUTCOMES",
    "AccountRun",
    "Simulation",
    "Trades",
    "account_of",
    "params_of",
    "require_columns",
    "simulate",
]

OUTCOMES: Final = (
    Outcome.WARMING_UP,
    Outcome.NO_SIGNAL,
    Outcome.INTENT,
    Outcome.BLOCKED_IN_POSITION,
    Outcome.BLOCKED_NO_POSITION,
    Outcome.BLOCKED_ZERO_QUANTITY,
    Outcome.BLOCKED_NO_PROTECTION,
    Outcome.BLOCKED_ORDER_WORKING,
    Outcome.BLOCKED_NO_PRICE,
    Outcome.ENTRY_CANCELED,
    Outcome.BLOCKED_EXIT_SIDE,
)
COMPILED_BARS_MIN: Final = 2_000  # below, interpreting takes less than loading the compiler's cache
_MILLION: Final = Decimal(1_000_000)
_BILLION: Final = Decimal(1_000_000_000)
_LEGS: Final = {k.BY_STOP: "stop", k.BY_TARGET: "target", k.BY_TRAIL: "trail"}
ENDS: Final = {
    k.REJECTED: EXCEEDS_FREE_BALANCE,
    k.EXPIRED: ORDER_EXPIRED,
    k.CANCELED: ORDER_CANCELED,
}
_FIELDS: Final = ("size", "stop", "target", "trail", "chandelier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Closed round trips, one value each; ``qty`` is negative for short ones.

    ``reason`` is what closed it: 2 an exit rule, 3 time, 4 the stop, 5 the target, 6 the trail.
    """

    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    qty: Vector
    entry_price: Vector
    exit_price: Vector
    gross: Vector
    fees: Vector
    net: Vector
    reason: NDArray[np.int8]


@dataclass(frozen=True)
class AccountRun:
    """What a compiled run brought about; amounts in currency units as floats, quantities signed.

    Args:
        scale: millionths in a unit, or one.
        lot: units in a lot.
        units: equity at each close, in millionths or units.
        outcomes: index into ``OUTCOMES`` at each close.
        orders: bar, signed lots, reason, status, bar of its end, what the leave column said, price waited for.
        fills: bar, signed lots, price, fee, realized, reason, bar the order was created at, ambiguous, cash after.
        carry: what borrowing cost in all.
        cash: at the start.
        is_exact: whether every amount is the reference's to the last digit; if not, the reference decides.
        pricing: how entries were priced.
        course: what ``course`` folded the equity into meanwhile, None where that is still to be done.
    """

    scale: float
    lot: float
    units: Vector
    outcomes: NDArray[np.int8]
    orders: NDArray[np.float64]
    fills: NDArray[np.float64]
    carry: float
    cash: float
    is_exact: bool
    pricing: Pricing = field(default_factory=Pricing)
    course: Vector | None = None

    @cached_property
    def equity(self) -> Vector:
        """Equity at each close."""
        return self.units / self.scale if self.scale != 1.0 else self.units

    @cached_property
    def qty(self) -> Vector:
        """Signed quantity at each close."""
        held = np.concatenate(([0.0], np.cumsum(self.fills[:, 1])))
        if self.scale != 1.0 or not self.fills.size:
            return np.repeat(held, self._stretches()) * self.lot
        # Unrounded quantities would leave dust in a sum: every other fill leaves nothing.
        held[2::2] = 0.0
        held[1::2] = self.fills[::2, 1]
        return np.repeat(held, self._stretches())

    @cached_property
    def trades(self) -> Trades:
        """Every closed round trip, oldest first."""
        closed = len(self.fills) // 2 * 2
        opened, left = self.fills[0:closed:2], self.fills[1:closed:2]
        fees, gross = opened[:, 3] + left[:, 3], left[:, 4]
        return Trades(
            opened=opened[:, 0].astype(np.int64),
            closed=left[:, 0].astype(np.int64),
            qty=opened[:, 1] * self.lot,
            entry_price=opened[:, 2] / self.scale,
            exit_price=left[:, 2] / self.scale,
            gross=gross / self.scale,
            fees=fees / self.scale,
            net=(gross - fees) / self.scale,
            reason=left[:, 5].astype(np.int8),
        )

    @property
    def ambiguous(self) -> int:
        """Exits that executed in a bar which held the price of the other exit too."""
        return int(self.fills[:, 7].sum())

    @property
    def blocked(self) -> dict[str, int]:
        """Signals that did not trade, counted by code."""
        counts = np.bincount(self.outcomes, minlength=len(OUTCOMES))
        found = {
            outcome.value: int(count)
            for outcome, count in zip(OUTCOMES, counts, strict=True)
            if count and outcome.value.startswith("blocked_")
        }
        ended = {code: int((self.orders[:, 3] == status).sum()) for status, code in ENDS.items()}
        return dict(sorted((found | {code: count for code, count in ended.items() if count}).items()))

    def _stretches(self) -> NDArray[np.int64]:
        """Return for how many bars each state between two fills stood at a close."""
        bars = self.fills[:, 0].astype(np.int64)
        return np.diff(np.concatenate(([0], bars, [self.units.size])))


class Simulation:
    """An account being run over portions of bars, oldest first, of ``count`` in all.

    Args:
        rules: of the account.
        count: bars there will be.
        is_compiled: None compiles for long runs only, so that a short one need not load the compiler.

    Raises:
        AlphintraError: ORDER_UNSUPPORTED for entries that fire and then wait: the reference alone knows those.
    """

    def __init__(self, rules: AccountRules, count: int, *, is_compiled: bool | None = None) -> None:
        if rules.pricing.kind not in _PRICINGS:
            message = f"{rules.pricing.kind} entries are not compiled: let the reference run"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/pricing")
        self._rules = rules
        self._p, self._is_exact = params_of(rules)
        self._s = s = np.zeros(k.STATE)
        s[k.CASH] = float(round_cash(rules.initial_cash) * (_MILLION if rules.is_rounded else 1))
        s[k.STOP : k.BEST + 1] = np.nan
        self._units, self._outcomes = np.empty(count), np.full(count, k.NO_SIGNAL, np.int8)
        self._orders, self._fills = np.empty((0, k.ORDER_WIDTH)), np.empty((0, k.FILL_WIDTH))
        wants = (count >= COMPILED_BARS_MIN or k.account.is_loaded) if is_compiled is None else is_compiled
        self._run = k.account.compiled if wants else k.account.interpreted
        self._signals = Signals(is_compiled=wants)
        self._course = np.zeros(COURSE) if wants else None

    def advance(self, columns: Columns) -> NDArray[np.float64]:
        """Run over the next bars and return what was ordered at their closes: bar, signed lots and reason, a row each.

        Raises COLUMN_MISSING for a column the rules ask for, COLUMN_LENGTH.
        """
        require_columns(self._rules, columns)
        seen = int(self._s[k.SEEN])
        part = slice(seen, seen + columns.bars)
        prices = tuple(_read(column) for column in (columns.open, columns.high, columns.low, columns.close))
        rates = _rates(self._rules, columns)
        told = tuple(
            _read(column)
            for column in (
                columns.entry,
                columns.leave,
                *(getattr(columns, name) for name in _FIELDS),
                rates,
                columns.limit if self._rules.pricing.has_limit else columns.trigger,
            )
        )
        ordered = int(self._s[k.ORDERS])
        self._make_room(columns.bars)
        sums = NOTHING if self._course is None else self._course
        out = (self._units[part], self._outcomes[part], self._orders, self._fills, sums)
        self._run(self._p, self._s, prices, told, self._signals.room(told[0], told[1]), out)
        return self._orders[ordered : int(self._s[k.ORDERS]), :3]

    def run(self) -> AccountRun:
        """Return what the bars so far brought about."""
        s, seen = self._s, int(self._s[k.SEEN])
        scale, lot = (1e6, float(self._rules.lot)) if self._rules.is_rounded else (1.0, 1.0)
        return AccountRun(
            scale=scale,
            lot=lot,
            units=self._units[:seen],
            outcomes=self._outcomes[:seen],
            orders=self._orders[: int(s[k.ORDERS])],
            fills=self._fills[: int(s[k.FILLS])],
            carry=float(s[k.CARRY]) / scale,
            cash=float(self._rules.initial_cash),
            is_exact=self._is_exact and not s[amounts.INEXACT],
            course=self._course,
            pricing=self._rules.pricing,
        )

    def _make_room(self, bars: int) -> None:
        """Have room for what so many bars may order and fill; of memory only what is written to is used."""
        self._orders = _with_room(self._orders, int(self._s[k.ORDERS]), bars)
        self._fills = _with_room(self._fills, int(self._s[k.FILLS]), 2 * bars)


def _with_room(rows: NDArray[np.float64], used: int, more: int) -> NDArray[np.float64]:
    """Return rows with room for more; twice as many as are asked for, so that few portions copy what there is."""
    if used + more <= rows.shape[0]:
        return rows
    grown = np.empty((2 * (used + more), rows.shape[1]))
    grown[:used] = rows[:used]
    return grown


def simulate(rules: AccountRules, columns: Columns, *, is_compiled: bool | None = None) -> AccountRun:
    """Run an account over columns at once. Raises COLUMN_MISSING, COLUMN_LENGTH."""
    simulation = Simulation(rules, columns.bars, is_compiled=is_compiled)
    simulation.advance(columns)
    return simulation.run()


def account_of(
    run: AccountRun,
    rules: AccountRules,
    columns: Columns,
    bars: Sequence[Bar],
    *,
    name: Callable[[int], str] = "o{}".format,
) -> Account:
    """Return an exact run as the records of the reference, in decimals.

    Raises:
        AlphintraError: ORDER_UNSUPPORTED for a run that is not exact.
    """
    if not run.is_exact or not rules.is_rounded:
        raise AlphintraError("ORDER_UNSUPPORTED", "an inexact run has no exact records: let the reference run")
    account = Account(outcomes=[OUTCOMES[code] for code in run.outcomes])
    for created, lots, reason, status, ended, *_ in run.orders.tolist():
        bar, qty = int(created), _qty(lots, rules)
        order = Order(name(bar), bars[bar].ts, order_at(rules, columns, bar, qty=qty, reason=int(reason)))
        account.orders.append(order)
        if status in ENDS:
            account.refusals.append(Refusal(order.client_order_id, bars[int(ended)].ts, ENDS[status], ""))
    held = [Decimal(0)]
    for bar, lots, price, fee, realized, reason, created, ambiguous, _ in run.fills.tolist():
        fill = Fill(
            name(int(created)),
            bars[int(bar)].ts,
            Side.BUY if lots > 0 else Side.SELL,
            abs(_qty(lots, rules)),
            int(price) * PRICE_QUANTUM,
            int(fee) * CASH_QUANTUM,
            int(realized) * CASH_QUANTUM,
            _LEGS.get(reason, ""),
            bool(ambiguous),
        )
        account.fills.append((int(bar), fill))
        held.append(held[-1] + _qty(lots, rules))
    account.equity = [int(units) * CASH_QUANTUM for units in run.units.tolist()]
    account.qty = [qty for qty, bars_held in zip(held, run._stretches(), strict=True) for _ in range(bars_held)]  # noqa: SLF001
    return account


def _read(column: Vector) -> Vector:
    """Return a column to be read only, as all are: machine code is made for one kind of array."""
    seen = column.view() if column.flags.c_contiguous else np.ascontiguousarray(column)
    seen.flags.writeable = False
    return seen


def _qty(lots: float, rules: AccountRules) -> Decimal:
    return int(lots) * rules.lot


def params_of(rules: AccountRules) -> tuple[Vector, bool]:
    """Return the kernel's parameters, and whether they hold the rules to the last digit."""
    p, costs = np.zeros(k.PARAMS), rules.costs
    is_rounded, lot_nano = rules.is_rounded, rules.lot * _BILLION
    amount = _MILLION if is_rounded else Decimal(1)
    fees = costs.fees
    sizing, least = rules.sizing, fees.minimum * amount
    number = sizing.number
    if sizing.kind is Size.FIXED_QTY:
        number = number // rules.lot if is_rounded else number
    elif sizing.kind is Size.FIXED_NOTIONAL:
        number = number * amount
    elif sizing.kind is not Size.VOLATILITY:
        number = number * _BILLION
    p[amounts.SCALE], p[amounts.IS_EXACT] = float(amount), float(is_rounded)
    is_whole = rules.lot == rules.lot.to_integral_value()
    p[amounts.UNIT] = 1.0 if not is_rounded else float(rules.lot) if is_whole else 0.0
    p[amounts.LOT_NANO] = float(lot_nano) if is_rounded else 1e9
    p[amounts.SLIP], p[amounts.FEE_BPS] = float(costs.slippage_bps * _BILLION), float(fees.commission_bps * _BILLION)
    p[amounts.FEE_UNIT], p[amounts.FEE_MIN] = float(fees.per_share * _BILLION), float(least)
    p[SIZE_KIND], p[SIZE_NUMBER] = float(sizing.kind), float(number)
    p[SIZE_MOST] = 0.0 if sizing.most is None else float(sizing.most * _BILLION)
    p[levels.STOP_KIND], p[levels.STOP_NUMBER] = _bound(rules.stop)
    p[levels.TARGET_KIND], p[levels.TARGET_NUMBER] = _bound(rules.target)
    p[k.TRAIL_KIND], p[k.TRAIL_NUMBER] = _bound(rules.trail)
    p[k.HAS_CHANDELIER] = float(rules.has_chandelier)
    p[k.BREAK_EVEN] = 0.0 if rules.break_even is None else float(rules.break_even * _BILLION)
    p[k.BARS_MAX], p[k.IS_GUARDED] = float(rules.bars_max or 0), float(rules.is_guarded)
    p[k.WARM_UP], p[k.MODE] = float(rules.warm_up), float(_INTRABARS.index(rules.intrabar))
    p[k.BORROWS] = float(costs.borrow_bps > 0)
    p[k.PRICING] = _PRICINGS[rules.pricing.kind]
    p[k.WAIT_BARS] = float(rules.pricing.bars or 0)
    is_whole_number = sizing.kind is not Size.FIXED_NOTIONAL or number == number.to_integral_value()
    exits = (bound.number for bound in (rules.stop, rules.target, rules.trail) if bound and not bound.has_column)
    fine = [*exits, rules.break_even or Decimal(0)]
    is_whole_number = is_whole_number and all(nano == nano.to_integral_value() for nano in (x * _BILLION for x in fine))
    return p, is_rounded and is_whole_number and least == least.to_integral_value()


_INTRABARS: Final = (Intrabar.CHRONOLOGICAL, Intrabar.VECTORBT, Intrabar.BACKTRADER)  # as the kernel counts them
_PRICINGS: Final = {OrderType.MARKET: 0.0, OrderType.LIMIT: AT_LIMIT, OrderType.STOP: AT_STOP}


def _bound(bound: Bound | None) -> tuple[float, float]:
    if bound is None:
        return 0.0, 0.0
    return float(bound.kind), 0.0 if bound.has_column else float(bound.number * _BILLION)


def _rates(rules: AccountRules, columns: Columns) -> Vector:
    """Return what borrowing costs over each bar, in billionths of a bps; few lengths of time are ever different."""
    if not rules.costs.borrow_bps:
        return NOTHING
    lengths, places = np.unique(columns.seconds, return_inverse=True)
    rates = [float(rules.costs.borrow_rate(int(length)) * _BILLION) for length in lengths.tolist()]
    return np.array(rates)[places]


def require_columns(rules: AccountRules, columns: Columns) -> None:
    """Raise COLUMN_MISSING for a column the rules ask for, COLUMN_LENGTH for one of another length."""
    asked = {
        "open": True,
        "high": rules.is_guarded or not rules.pricing.is_market,
        "low": rules.is_guarded or not rules.pricing.is_market,
        "limit": rules.pricing.has_limit,
        "trigger": rules.pricing.has_trigger,
        "entry": True,
        "leave": True,
        "size": rules.sizing.kind in {Size.RISK, Size.VOLATILITY},
        "chandelier": rules.has_chandelier,
        "seconds": bool(rules.costs.borrow_bps),
    }
    for name, bound in (("stop", rules.stop), ("target", rules.target), ("trail", rules.trail)):
        asked[name] = bound is not None and bound.has_column
    for name, is_asked in asked.items():
        column: Vector = getattr(columns, name)
        if is_asked and not column.size and columns.bars:
            raise AlphintraError("COLUMN_MISSING", f"the rules ask for column {name}", pointer=f"/{name}")
        if column.size not in {0, columns.bars}:
            message = f"column {name} has {column.size} values and there are {columns.bars} bars: one value a bar"
            raise AlphintraError("COLUMN_LENGTH", message, pointer=f"/{name}")
