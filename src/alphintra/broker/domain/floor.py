"""What a step of a feed does to the orders at the paper venue.

The orders of one account and symbol meet a bar on a floor of their own. What the bar brings about is done in order of
time within it (open, within, close), and at one moment exits before entries and stops before targets, so that of a stop
and a target inside one bar it is the stop that executes; such an execution is counted as ambiguous. An execution moves
the position, sizes the group's other orders, and may bring exits to work, which then meet what surely is left of the
same bar.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from alphintra.broker.domain.connections import PAPER
from alphintra.broker.domain.market import Step, end_of_day, phase_of
from alphintra.broker.domain.orders import Order, VenueOrderStatus
from alphintra.broker.domain.paper import ALIVE, PaperOrder, group_of, matching_terms
from alphintra.engine import groups
from alphintra.engine.bars import Bar
from alphintra.engine.from_fill import working_price
from alphintra.engine.groups import Group
from alphintra.engine.matching import QTY_QUANTUM, Met, Moment, executable, is_stale, meet, rest_of
from alphintra.engine.portfolio import notional
from alphintra.kernel.ids import AccountId, ExecutionId, OrderId
from alphintra.kernel.money import round_price, round_quantity_down
from alphintra.kernel.vocabulary import Leg, Side, TimeInForce

__all__ = [
    "Activated",
    "Canceled",
    "Execution",
    "Expired",
    "Exposed",
    "Happening",
    "Repriced",
    "StepOutcome",
    "Triggered",
    "run_step",
]

_ZERO = Decimal(0)
_RANK = {Leg.STOP_LOSS: 0, Leg.TAKE_PROFIT: 1, Leg.ENTRY: 2}
_WORKING = VenueOrderStatus.WORKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution at the paper venue, dated with the close of the bar that filled it.

    ``final_qty`` is what an order for an amount of money fills in all, once that is known; ``is_ambiguous`` tells that
    the bar also held the price of the other exit of its group.
    """

    execution_id: ExecutionId
    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: datetime
    final_qty: Decimal | None = None
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Activated:
    """A held order works now; where its price follows from its entry's fill, at this limit or stop price."""

    order_id: OrderId
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Repriced:
    """An exit that works lies elsewhere now: more of its entry filled, at another price."""

    order_id: OrderId
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Triggered:
    """An order's stop fired."""

    order_id: OrderId
    stop_price: Decimal


@dataclass(frozen=True, slots=True)
class Trailed:
    """A trailing stop saw a better price and works on."""

    order_id: OrderId
    hwm: Decimal


@dataclass(frozen=True, slots=True)
class Canceled:
    """The venue took an order off."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class Expired:
    """An order's time in force ended."""

    order_id: OrderId


@dataclass(frozen=True, slots=True)
class Exposed:
    """A group has something open that no stop of it covers."""

    group_id: OrderId
    account_id: AccountId
    symbol: str
    qty: Decimal


Happening = Execution | Activated | Repriced | Triggered | Trailed | Canceled | Expired | Exposed


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a step did: what is told, in order of time for each account and symbol, and the orders it changed."""

    happenings: tuple[Happening, ...] = ()
    changed: tuple[PaperOrder, ...] = ()

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Return the executions among what happened."""
        return tuple(happening for happening in self.happenings if isinstance(happening, Execution))


def run_step(
    orders: Iterable[PaperOrder], step: Step, *, positions: Mapping[tuple[AccountId, str], Decimal]
) -> StepOutcome:
    """Let orders meet the bars of their symbols.

    Args:
        orders: every working order the step may touch, and every order of their groups, closed ones included.
        step: the bars.
        positions: what the accounts hold at this venue; nothing where it is silent.
    """
    floors: dict[tuple[AccountId, str], list[PaperOrder]] = {}
    for entry in orders:
        floors.setdefault((entry.order.account_id, entry.order.symbol), []).append(entry)
    happenings: list[Happening] = []
    changed: list[PaperOrder] = []
    for place in sorted(floors):
        floor = _Floor(floors[place], step, place, positions.get(place, _ZERO))
        floor.run()
        happenings += floor.happenings
        changed += floor.changed()
    return StepOutcome(tuple(happenings), tuple(changed))


class _Floor:
    """One account's orders for one symbol during one step."""

    def __init__(
        self, orders: Sequence[PaperOrder], step: Step, place: tuple[AccountId, str], position: Decimal
    ) -> None:
        self._before = {entry.order.order_id: entry for entry in orders}
        self._orders = dict(self._before)
        self._step = step
        self._account_id, self._symbol = place
        self._bar = step.bars.get(self._symbol)
        self._hours = step.hours.get(self._symbol)
        self._position = position
        self._taken = _ZERO
        self._met: dict[OrderId, tuple[Met, Bar]] = {}
        self._due: list[tuple[Moment, int, int, OrderId]] = []
        self._groups = _groups(orders)
        self._entered: dict[OrderId, Decimal] = {}
        self.happenings: list[Happening] = []

    def changed(self) -> list[PaperOrder]:
        """Return the orders that are not what they were."""
        return [entry for order_id, entry in self._orders.items() if entry is not self._before[order_id]]

    def run(self) -> None:
        """Do what the bar brings about."""
        working = sorted(order_id for order_id, entry in self._orders.items() if entry.status is _WORKING)
        if self._bar is not None:
            for order_id in working:
                self._arrive(order_id, self._bar)
            while self._due:
                moment, depth, _, order_id = heapq.heappop(self._due)
                self._act(order_id, moment, depth)
            self._reprice()
        self._expire()
        self._look_after_groups()

    def _arrive(self, order_id: OrderId, bar: Bar) -> None:
        """Let an order meet the bar, unless it is on its way still, or its time was over before the bar closed."""
        entry = self._orders[order_id]
        if self._is_on_its_way(entry):
            return
        if entry.works_until is None and (until := self._deadline(entry, bar)) is not None:
            self._orders[order_id] = entry = replace(entry, works_until=until)
        is_late = entry.works_until is not None and bar.ts > entry.works_until
        interval = None if self._hours is None else bar.ts - self._hours.opened_at
        if not is_late and not is_stale(bar, now=self._step.last_ts, interval=interval):
            self._present(order_id, bar, depth=0, since=Moment.OPEN)

    def _is_on_its_way(self, entry: PaperOrder) -> bool:
        """Tell whether an order has not reached the market yet; the exits of an entry lie there already."""
        if entry.accepted_seq is None or (entry.order.leg is not Leg.ENTRY and self._has_entry(entry.order)):
            return False
        return entry.accepted_seq + entry.settings.latency_bars >= self._step.seq

    def _has_entry(self, order: Order) -> bool:
        return order.group_id is not None and bool(self._groups[order.group_id].entries)

    def _deadline(self, entry: PaperOrder, bar: Bar) -> datetime | None:
        order = entry.order
        if order.time_in_force is TimeInForce.GTD:
            return order.expire_at
        if order.time_in_force is not TimeInForce.DAY:
            return None
        return end_of_day(bar, self._hours, known_ts=entry.known_ts, extended_hours=order.extended_hours)

    def _present(self, order_id: OrderId, bar: Bar, *, depth: int, since: Moment) -> None:
        """Have an order meet a bar, or what is left of it, and enter what comes of that."""
        entry = self._orders[order_id]
        met = meet(
            matching_terms(entry.order, None if depth else entry.known_ts),
            bar,
            watch=entry.watch,
            slippage_bps=entry.settings.slippage_bps,
            phase=phase_of(bar, self._hours),
        )
        if met.price is None and met.triggered_at is None and not met.is_over:
            if met.watch != entry.watch:
                self._orders[order_id] = replace(entry, watch=met.watch)
            if met.watch.hwm is not None and met.watch.hwm != entry.watch.hwm:
                self.happenings.append(Trailed(order_id, met.watch.hwm))
            return
        self._met[order_id] = (met, bar)
        heapq.heappush(self._due, (max(since, met.moment), depth, _RANK[entry.order.leg], order_id))

    def _act(self, order_id: OrderId, moment: Moment, depth: int) -> None:
        """Do what came of an order and the bar, if the order still works by then."""
        entry = self._orders[order_id]
        if entry.status is not _WORKING:
            return
        met, seen = self._met[order_id]
        if met.triggered_at is not None and not entry.watch.is_triggered:
            self.happenings.append(Triggered(order_id, met.triggered_at))
            self._orders[order_id] = entry = replace(entry, watch=met.watch, triggered_at=seen.ts)
        if met.price is not None and self._wanted(entry, met.price):
            self._execute(entry, met.price, moment=moment)
            self._follow(entry.order.group_id, left=rest_of(seen, met), depth=depth + 1, since=moment)
        if met.is_over and self._orders[order_id].status is _WORKING:
            self._leave(order_id, VenueOrderStatus.CANCELED)

    def _wanted(self, entry: PaperOrder, price: Decimal) -> Decimal:
        """Return how much of an order may execute at a price, before the bar's volume limits it."""
        order = entry.order
        if order.notional is not None:
            wanted = round_quantity_down((order.notional - entry.spent) / price, lot=QTY_QUANTUM)
            if not wanted:
                self._leave(order.order_id, VenueOrderStatus.CANCELED)
        else:
            wanted = (entry.own_qty or _ZERO) - entry.filled
        if entry.allowed is not None:
            wanted = min(wanted, entry.allowed - entry.filled)
        if order.reduce_only and wanted > 0:
            wanted = min(wanted, self._closable(order.side))
            if wanted <= 0:
                self._leave(order.order_id, VenueOrderStatus.CANCELED)
        return max(_ZERO, wanted)

    def _closable(self, side: Side) -> Decimal:
        return max(_ZERO, -self._position if side is Side.BUY else self._position)

    def _execute(self, entry: PaperOrder, price: Decimal, *, moment: Moment) -> None:
        order, bar = entry.order, self._met[entry.order.order_id][1]
        wanted = self._wanted(entry, price)
        qty = executable(
            wanted,
            time_in_force=order.time_in_force,
            volume=bar.volume,
            participation=entry.settings.participation,
            taken=self._taken,
        )
        if not qty:
            return
        filled = entry.filled + qty
        is_whole = qty == wanted if order.notional is not None else filled == entry.own_qty
        self.happenings.append(
            Execution(
                execution_id=ExecutionId(f"{PAPER}-{self._step.feed_id.hex[:8]}-{self._step.seq}-{order.order_id.hex}"),
                order_id=order.order_id,
                account_id=order.account_id,
                symbol=order.symbol,
                side=order.side,
                qty=qty,
                price=price,
                fee=entry.settings.fees.fee(qty, price),
                executed_at=bar.ts,
                final_qty=filled if is_whole and order.notional is not None else None,
                is_ambiguous=moment is Moment.WITHIN and self._is_torn(order),
            )
        )
        self._taken += qty
        self._position += qty if order.side is Side.BUY else -qty
        self._orders[order.order_id] = replace(
            entry,
            filled=filled,
            spent=entry.spent + notional(qty, price),
            status=VenueOrderStatus.FILLED if is_whole else _WORKING,
        )
        if order.group_id is not None:
            if order.leg is Leg.ENTRY:
                self._entered[order.group_id] = self._average(order.group_id, price, is_first=not entry.filled)
            group = groups.filled(self._groups[order.group_id], order.order_id, qty)
            self._groups[order.group_id] = groups.ended(group, order.order_id) if is_whole else group

    def _is_torn(self, order: Order) -> bool:
        """Tell whether the other exit of the group would have executed within the same bar."""
        if order.leg is Leg.ENTRY or order.group_id is None:
            return False
        others = (member.order_id for member in self._groups[order.group_id].exits)
        met = (self._met[OrderId(other)][0] for other in others if other != order.order_id and other in self._met)
        return any(other.price is not None and other.moment is Moment.WITHIN for other in met)

    def _follow(self, group_id: OrderId | None, *, left: Bar | None, depth: int, since: Moment) -> None:
        """Bring a group to where it ought to stand; exits that come to work meet what is left of the bar."""
        if group_id is None:
            return
        while actions := groups.plan(self._groups[group_id]):
            for action in actions:
                order_id = OrderId(action.order_id)
                match action:
                    case groups.Work():
                        self._work(order_id, action.allowed)
                        if left is not None:
                            self._present(order_id, left, depth=depth, since=since)
                    case groups.Resize():
                        self._allow(order_id, action.allowed)
                    case groups.Withdraw():
                        self._end(order_id, VenueOrderStatus.CANCELED)

    def _work(self, order_id: OrderId, allowed: Decimal) -> None:
        self._allow(order_id, allowed)
        entry = self._orders[order_id]
        order = self._lying(entry.order)
        self._orders[order_id] = replace(
            entry, order=order, status=_WORKING, accepted_seq=self._step.seq - 1, known_ts=self._step.last_ts
        )
        is_moved = order.from_fill is not None
        prices = (order.limit_price, order.stop_price) if is_moved else (None, None)
        self.happenings.append(Activated(order_id, *prices))

    def _average(self, group_id: OrderId, price: Decimal, *, is_first: bool) -> Decimal:
        """Return the average price of what a group's entry has filled, this execution included."""
        entries = [entry for entry in self._orders.values() if entry.order.group_id == group_id]
        entries = [entry for entry in entries if entry.order.leg is Leg.ENTRY and entry.filled]
        if is_first and len(entries) == 1:
            return price
        return round_price(sum((e.spent for e in entries), _ZERO) / sum((e.filled for e in entries), _ZERO))

    def _lying(self, order: Order) -> Order:
        """Return an exit where it lies by what its entry has filled in this step."""
        entered = None if order.group_id is None else self._entered.get(order.group_id)
        if order.from_fill is None or entered is None:
            return order
        is_limit = order.leg is Leg.TAKE_PROFIT
        price = working_price(order.from_fill, entered, order.side, is_limit=is_limit)
        return replace(order, limit_price=price) if is_limit else replace(order, stop_price=price)

    def _reprice(self) -> None:
        """Move exits that worked before the bar to where the entry's average price puts them: from the next bar on."""
        for order_id, entry in self._orders.items():
            moved = self._lying(entry.order)
            if entry.status is _WORKING and moved != entry.order and not entry.watch.is_triggered:
                self._orders[order_id] = replace(entry, order=moved)
                self.happenings.append(Repriced(order_id, moved.limit_price, moved.stop_price))

    def _allow(self, order_id: OrderId, allowed: Decimal) -> None:
        entry = self._orders[order_id]
        self._orders[order_id] = replace(entry, allowed=allowed)
        if entry.order.group_id is not None:
            group = self._groups[entry.order.group_id]
            self._groups[entry.order.group_id] = groups.worked(group, order_id, allowed)

    def _leave(self, order_id: OrderId, status: VenueOrderStatus) -> None:
        """Take an order off, and what its group then has no use for."""
        self._end(order_id, status)
        self._follow(self._orders[order_id].order.group_id, left=None, depth=0, since=Moment.CLOSE)

    def _end(self, order_id: OrderId, status: VenueOrderStatus) -> None:
        entry = self._orders[order_id]
        if entry.status not in ALIVE:
            return
        self._orders[order_id] = replace(entry, status=status)
        ended = Expired(order_id) if status is VenueOrderStatus.EXPIRED else Canceled(order_id)
        self.happenings.append(ended)
        if entry.order.group_id is not None:
            group = self._groups[entry.order.group_id]
            self._groups[entry.order.group_id] = groups.ended(group, order_id)

    def _expire(self) -> None:
        """End the orders whose time is over by now."""
        now = self._step.last_ts if self._bar is None else self._bar.ts
        for order_id, entry in list(self._orders.items()):
            current = self._orders[order_id]
            if current.status is _WORKING and current.works_until is not None and current.works_until <= now:
                self._leave(entry.order.order_id, VenueOrderStatus.EXPIRED)

    def _look_after_groups(self) -> None:
        """Let no exit outlive its position, and tell what is open without a stop."""
        for group_id, group in self._groups.items():
            if not any(member.is_alive or member.order_id in self._met for member in group.members):
                continue
            closable = self._closable(_side(self._orders, group))
            if not closable and not any(member.is_alive for member in group.entries):
                self._groups[group_id] = groups.released(group)
                self._follow(group_id, left=None, depth=0, since=Moment.CLOSE)
            elif missing := min(closable, groups.unprotected(group)):
                self.happenings.append(Exposed(group_id, self._account_id, self._symbol, missing))


def _side(orders: Mapping[OrderId, PaperOrder], group: Group) -> Side:
    """Return the side on which a group closes."""
    return next(orders[OrderId(member.order_id)].order.side for member in group.exits)


def _groups(orders: Iterable[PaperOrder]) -> dict[OrderId, Group]:
    members: dict[OrderId, list[PaperOrder]] = {}
    for entry in orders:
        if entry.order.group_id is not None:
            members.setdefault(entry.order.group_id, []).append(entry)
    return {group_id: group_of(found) for group_id, found in members.items()}
