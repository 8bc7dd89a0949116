"""What the paper venue knows of an order, how it is set, and what it can take, swap and give up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from alphintra.broker.domain.approvals import NO_CONNECTION, Refusal
from alphintra.broker.domain.connections import PAPER, Connection
from alphintra.broker.domain.orders import Order, VenueOrderStatus
from alphintra.engine import groups
from alphintra.engine.groups import Group, Member, MemberState
from alphintra.engine.matching import UNTOUCHED, OrderTerms, Watch, require_slippage
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import OrderId
from alphintra.kernel.money import require_finite, require_positive
from alphintra.kernel.vocabulary import Leg, OrderClass

__all__ = [
    "ALIVE",
    "NOT_MODELLED",
    "PRESETS",
    "PaperOrder",
    "PaperSettings",
    "check_order",
    "given_up",
    "group_of",
    "is_rejected",
    "matching_terms",
    "paper_order_id",
    "preset_named",
    "preset_of",
    "refuse_strangers",
    "refuse_swap",
]

ALIVE = frozenset({VenueOrderStatus.HELD, VenueOrderStatus.WORKING})
REJECTED = "PAPER_REJECTED"
REPLACE_TOO_LATE = "REPLACE_TOO_LATE"
REJECT_BPS_MAX = Decimal(10_000)
LATENCY_BARS_MAX = 100
NOT_MODELLED = (
    "A bar's prices are touched by everybody at once: there is no queue at a price, and an order moves no price.",
    "Between the prices of a bar nothing is known: of a stop and a target inside one bar the stop is taken.",
    "A share of a bar's volume is offered to each account alone; accounts do not compete.",
    "Short positions cost no borrow, and every share can be borrowed; there are no margin calls.",
    "Dividends, interest and funding are not paid; corporate actions are in the prices, which are adjusted.",
    "Halts, limit-up and limit-down bands and auction imbalances do not exist.",
    "An opening or closing auction trades at the first or last price of the session's bars.",
)
_BEFORE_ANY_BAR = datetime.min.replace(tzinfo=UTC)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSettings:
    """How a paper account is traded; what is not set costs nothing and is filled whole.

    Args:
        slippage_bps: of market orders and stops, 0 to 1000.
        fees: fee model of every execution.
        participation: largest share of a bar's volume the account may take, above 0 to 1; None for no limit.
        reject_bps: how many of ten thousand orders the venue refuses; which ones follows from their ids.
        latency_bars: bars an order is on its way, 0 to 100; it cannot execute in them.

    Raises:
        AlphintraError: FIELD_RANGE, FEE_SIGN or NUMBER_* with a pointer.
    """

    slippage_bps: Decimal = _ZERO
    fees: FeeModel = field(default_factory=FeeModel)
    participation: Decimal | None = None
    reject_bps: Decimal = _ZERO
    latency_bars: int = 0

    def __post_init__(self) -> None:
        require_slippage(self.slippage_bps)
        if self.participation is not None and not 0 < require_finite(self.participation, pointer="/participation") <= 1:
            message = f"a participation of {self.participation} is no share: write more than 0 and at most 1"
            raise AlphintraError("FIELD_RANGE", message, pointer="/participation")
        if not 0 <= require_finite(self.reject_bps, pointer="/reject_bps") <= REJECT_BPS_MAX:
            message = f"reject_bps {self.reject_bps} lies outside 0 to {REJECT_BPS_MAX}"
            raise AlphintraError("FIELD_RANGE", message, pointer="/reject_bps")
        if not 0 <= self.latency_bars <= LATENCY_BARS_MAX:
            message = f"latency_bars {self.latency_bars} lies outside 0 to {LATENCY_BARS_MAX}"
            raise AlphintraError("FIELD_RANGE", message, pointer="/latency_bars")


PRESETS = {
    "frictionless": PaperSettings(),
    "realistic": PaperSettings(
        slippage_bps=Decimal(5),
        fees=FeeModel(commission_bps=Decimal(1)),
        participation=Decimal("0.1"),
    ),
    "harsh": PaperSettings(
        slippage_bps=Decimal(25),
        fees=FeeModel(commission_bps=Decimal(10), minimum=Decimal(1)),
        participation=Decimal("0.01"),
        reject_bps=Decimal(100),
        latency_bars=1,
    ),
}


def preset_of(settings: PaperSettings) -> str:
    """Return the name of the preset these settings are, or custom."""
    return next((name for name, preset in PRESETS.items() if preset == settings), "custom")


def preset_named(name: str) -> PaperSettings:
    """Return a preset. Raises FIELD_CHOICE."""
    if name not in PRESETS:
        message = f"there is no preset {name[:40]!r}: choose {', '.join(PRESETS)}"
        raise AlphintraError("FIELD_CHOICE", message, pointer="/preset")
    return PRESETS[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """An order as it stands at the paper venue.

    Attributes:
        order: its terms.
        settings: those of its account.
        status: where it is.
        accepted_seq: step its market had reached when it was accepted; None while it is held.
        known_ts: close of the last bar its market had seen by then; None before the first bar.
        filled: what it has filled.
        prior: what the orders it replaced had filled.
        allowed: what its group lets it fill in all; None where nothing but its terms limits it.
        spent: money an order for an amount of money has spent.
        watch: how far its stop has come.
        triggered_at: close of the bar in which its stop fired.
        works_until: moment from which on it does not work any more, known once it has met a bar.
    """

    order: Order
    settings: PaperSettings
    status: VenueOrderStatus
    accepted_seq: int | None = None
    known_ts: datetime | None = None
    filled: Decimal = _ZERO
    prior: Decimal = _ZERO
    allowed: Decimal | None = None
    spent: Decimal = _ZERO
    watch: Watch = UNTOUCHED
    triggered_at: datetime | None = None
    works_until: datetime | None = None

    @property
    def own_qty(self) -> Decimal | None:
        """Return what the order is to fill itself; None for an order for an amount of money."""
        return None if self.order.qty is None else self.order.qty - self.prior


def check_order(order: Order, connection: Connection | None) -> Refusal | None:
    """Return why the venue could not work this order, None if it can."""
    if connection is None:
        return Refusal(NO_CONNECTION, "the account has no open connection to a venue")
    amount = order.notional if order.qty is None else order.qty
    if amount is None or (order.qty is not None and order.notional is not None):
        return Refusal("ORDER_FIELD_REQUIRED", "an order is either for a quantity or for an amount of money")
    try:
        require_positive(amount, pointer="/qty")
        matching_terms(order, None)
    except AlphintraError as error:
        return Refusal(error.code, error.detail)
    return None


def is_rejected(order_id: OrderId, settings: PaperSettings) -> bool:
    """Tell whether the venue refuses an order by chance; the same order always meets the same fate."""
    drawn = int.from_bytes(hashlib.sha256(order_id.bytes).digest()[:8]) % int(REJECT_BPS_MAX)
    return drawn < settings.reject_bps


def refuse_swap(old: PaperOrder | None, new: Order) -> Refusal | None:
    """Return why an order cannot take the place of another, None if it can."""
    if old is None or old.order.account_id != new.account_id or old.status not in ALIVE:
        return Refusal(REPLACE_TOO_LATE, "the order to be replaced does not work any more")
    if new.qty is not None and new.qty <= old.prior + old.filled:
        reason = f"{old.prior + old.filled:f} is filled already, which leaves nothing of {new.qty:f}"
        return Refusal(REPLACE_TOO_LATE, reason)
    if new.leg is Leg.ENTRY and new.group_id is not None and (new.qty or _ZERO) > (old.order.qty or _ZERO):
        return Refusal("ORDER_UNSUPPORTED", "the exits of the group are for the quantity there was: it may only fall")
    same = ("symbol", "side", "type", "leg", "order_class", "group_id", "reduce_only")
    if any(getattr(old.order, name) != getattr(new, name) for name in same):
        return Refusal("ORDER_UNSUPPORTED", "a replacement may change quantity, prices and time in force alone")
    return None


def refuse_strangers(orders: Sequence[Order]) -> Refusal | None:
    """Return why orders do not make up one group, None if they do; a single order does."""
    first = orders[0]
    for order in orders[1:]:
        same = ("account_id", "symbol", "order_class", "group_id")
        if first.group_id != first.order_id or any(getattr(order, name) != getattr(first, name) for name in same):
            return Refusal("ORDER_UNSUPPORTED", "the legs of an order are of one group, account and symbol with it")
        if order.leg is Leg.ENTRY or not order.reduce_only:
            return Refusal("ORDER_UNSUPPORTED", "the legs of an order only close, they may not open a position")
    if first.order_class is not OrderClass.SIMPLE and first.replaces is None and len(orders) == 1:
        return Refusal("ORDER_UNSUPPORTED", f"an {first.order_class} order came without the legs of its group")
    return None


def group_of(orders: Iterable[PaperOrder]) -> Group:
    """Return the group that these orders make up, without those that were replaced."""
    return Group(tuple(_member(entry) for entry in orders if entry.status is not VenueOrderStatus.REPLACED))


def given_up(orders: Sequence[PaperOrder], order_id: OrderId) -> tuple[OrderId, ...]:
    """Return what leaves the venue when an order is canceled: itself, and what its group then has no use for.

    Of a pair (oco) both go; with an entry that has not filled its exits go. A target that is canceled leaves the stop
    where it is.
    """
    canceled = next((entry for entry in orders if entry.order.order_id == order_id), None)
    if canceled is None or canceled.status not in ALIVE:
        return ()
    group = groups.ended(group_of(orders), order_id)
    if canceled.order.order_class is OrderClass.OCO:
        group = groups.released(group)
    others = (action.order_id for action in groups.plan(group) if isinstance(action, groups.Withdraw))
    return (order_id, *(OrderId(other) for other in others))


def paper_order_id(order_id: OrderId) -> str:
    """Return the id the paper venue gives an order."""
    return f"{PAPER}-{order_id.hex}"


def matching_terms(order: Order, known_ts: datetime | None) -> OrderTerms:
    """Return what the matching of the backtest needs to know of an order; ``known_ts`` as of a working order."""
    return OrderTerms(
        order.side,
        order.type,
        known_ts or _BEFORE_ANY_BAR,
        order.limit_price,
        order.stop_price,
        order.trail_price,
        order.trail_percent,
        order.time_in_force,
        order.extended_hours,
    )


def _member(entry: PaperOrder) -> Member:
    order = entry.order
    state = {
        VenueOrderStatus.SENDING: MemberState.HELD,
        VenueOrderStatus.HELD: MemberState.HELD,
        VenueOrderStatus.WORKING: MemberState.WORKING,
    }.get(entry.status, MemberState.ENDED)
    qty = order.qty or _ZERO
    limit = qty - entry.prior if order.leg is Leg.ENTRY else _ZERO
    return Member(
        order_id=order.order_id,
        leg=order.leg,
        qty=qty,
        state=state,
        filled=entry.filled,
        prior=entry.prior,
        allowed=limit if entry.allowed is None else entry.allowed,
    )
