"""Limit sets: what an account's orders may not exceed; None is not limited."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from alphintra.kernel.ids import AccountId
from alphintra.kernel.limits import WARNINGS, LimitControls

__all__ = ["LIMIT_DOCS", "NO_ACCOUNT", "LimitSet", "default_limits", "limit_hash"]

NO_ACCOUNT: Final = AccountId(UUID(int=0))  # of limits that belong to no account
DEFAULT_ORDER_QTY_MAX: Final = Decimal(100_000)
DEFAULT_ORDER_NOTIONAL_MAX: Final = Decimal(1_000_000)
DEFAULT_POSITION_QTY_MAX: Final = Decimal(100_000)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    """One version of an account's limits; ``reason`` is why they were set."""

    account_id: AccountId
    version: int
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool
    set_by: str
    set_at: datetime
    controls: LimitControls = LimitControls()  # noqa: RUF009 - frozen, so sharing the default is safe
    reason: str = ""


def default_limits(account_id: AccountId = NO_ACCOUNT, *, set_by: str = "default", at: datetime = _NEVER) -> LimitSet:
    """Return the limit set an account starts with."""
    return LimitSet(
        account_id=account_id,
        version=1,
        order_qty_max=DEFAULT_ORDER_QTY_MAX,
        order_notional_max=DEFAULT_ORDER_NOTIONAL_MAX,
        position_qty_max=DEFAULT_POSITION_QTY_MAX,
        may_short=False,
        set_by=set_by,
        set_at=at,
    )


def limit_hash(limits: LimitSet) -> str:
    """Return what the limits allow as 64 hexadecimal digits: amounts by value, whoever set them for whom and when."""
    facts = asdict(limits)
    for name in ("account_id", "version", "set_by", "set_at"):
        del facts[name]
    controls = msgspec.structs.asdict(facts.pop("controls"))
    facts |= {name: value for name, value in controls.items() if name not in WARNINGS}
    plain = {name: f"{fact.normalize():f}" if isinstance(fact, Decimal) else fact for name, fact in facts.items()}
    return hashlib.sha256(_encode(plain)).hexdigest()


LIMIT_DOCS: Final = {
    "order_qty_max": ("R02", "most units of one order"),
    "order_notional_max": ("R03", "most money of one order, at its worst price"),
    "position_qty_max": ("R13", "most units held of one symbol, long or short, all open orders of a side filled"),
    "may_short": ("R20", "whether positions may be negative"),
    "price_collar_pct": ("R04", "how far a limit price may lie from the reference price, percent"),
    "price_collar_abs": ("R04", "the same in price units; where both are set, both hold"),
    "price_drift_pct": ("R05", "how far limit prices of a symbol and side may move within the window, percent"),
    "price_drift_window_s": ("R05", "length of that window, seconds"),
    "price_age_max_s": ("R06", "oldest reference price, seconds; by the feed's own time on paper, the clock's live"),
    "message_burst": ("R07", "size of the token bucket for new orders, replacements and cancels"),
    "messages_per_s": ("R07", "tokens that come back a second"),
    "cancel_reserve": ("R07", "tokens of the bucket that only cancels may use"),
    "open_orders_max": ("R07", "most orders working at once"),
    "repeat_max": ("R08", "most executions of one strategy within the window; one more latches it"),
    "repeat_window_s": ("R08", "length of that window, seconds"),
    "duplicate_window_s": ("R09", "seconds in which an order of the same content is refused"),
    "credit_max": ("R10", "most money at stake in positions and open orders"),
    "gross_exposure_max": ("R14", "most money in long and short positions together, open orders filled"),
    "net_exposure_max": ("R14", "most money in long less short positions, or the reverse"),
    "bucket_exposure_max": ("R14", "most money in one class of instruments (sector, kind)"),
    "daily_loss_max": ("R15", "loss of a day that leaves only orders that reduce a position"),
    "daily_loss_halt": ("R15", "loss of a day that halts trading"),
    "drawdown_max_pct": ("R15", "fall from the highest equity, percent, that leaves only orders that reduce"),
    "drawdown_halt_pct": ("R15", "fall from the highest equity, percent, that halts trading"),
    "fee_bps": ("R12", "fee a buy is assumed to pay, hundredths of a percent of its value"),
    "fee_per_unit": ("R12", "fee a buy is assumed to pay for each unit"),
    "fee_minimum": ("R12", "least fee a buy is assumed to pay"),
    "symbols_allowed": ("R17", "symbols that may be traded; null for all"),
    "strategies_allowed": (
        "R26",
        "books that may trade and the version hash each may run (empty: any); null for all",
    ),
    "is_self_match_refused": ("R24", "whether an order that crosses one of the same owner is refused"),
    "order_to_trade_max": (
        "R25",
        "most orders to an execution in the window; above it half of R07's burst is kept back",
    ),
    "order_to_trade_window_s": ("R25", "length of that window, seconds"),
    "is_session_enforced": ("R21", "whether orders are refused while the market is closed"),
    "exposure_warn_pct": (
        "R34",
        "share of a limit of position, exposure, credit or open orders that raises an alert when crossed, percent",
    ),
    "message_warn_pct": ("R34", "the same of the message bucket and of orders to an execution"),
    "loss_warn_pct": ("R34", "the same of both limits of a day's loss"),
    "drawdown_warn_pct": ("R34", "the same of both limits of the fall from the highest equity"),
}
