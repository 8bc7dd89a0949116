"""What a strategy decides at a close, and what it asks for: intents, before risk has seen them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from alphintra.engine.protection import Protection
from alphintra.kernel.clock import require_utc
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

__all__ = ["CLIENT_ORDER_PREFIX", "LEAVING", "Decision", "Intent", "Outcome", "client_order_id"]

CLIENT_ORDER_PREFIX = "alph-"
LEAVING = frozenset({"exit", "time"})
"""Reasons of orders that close a position."""
_HASH_CHARS = 26  # 130 bits; with the prefix 31 characters, within the 32 the narrowest venue accepts


class Outcome(StrEnum):
    """What came of one evaluated bar; the closed list behind "a signal but no trade"."""

    WARMING_UP = "warming_up"
    NO_SIGNAL = "no_signal"
    INTENT = "intent"
    BLOCKED_IN_POSITION = "blocked_in_position"
    BLOCKED_NO_POSITION = "blocked_no_position"
    BLOCKED_ORDER_WORKING = "blocked_order_working"
    BLOCKED_ZERO_QUANTITY = "blocked_zero_quantity"
    BLOCKED_NO_PROTECTION = "blocked_no_protection"
    """An exit the entry must bring with it has no level yet: nothing is entered without it."""
    BLOCKED_NO_PRICE = "blocked_no_price"
    """The price an entry waits for is not known yet, or is none."""
    BLOCKED_EXIT_SIDE = "blocked_exit_side"
    """An exit lies on the wrong side of the other one or of the entry's limit: it would act at once."""
    ENTRY_CANCELED = "entry_canceled"
    """A rule asked to leave while the entry still waited for its price: it is taken off."""
    BLOCKED_AWAITING_SALES = "blocked_awaiting_sales"
    """What a rebalance buys is asked for once the sales that pay for it are filled."""
    FAILED = "failed"
    """The bar could not be evaluated; kept where a deployment ends by it, never decided by an executor."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a strategy asks for at a close, before risk has seen it.

    Args:
        index: place among the intents of the same bar, from 0.
        node: Order node that asks.
        side: buy or sell.
        qty: whole shares, above zero.
        order_type: how it is priced; what leaves a position is always market.
        time_in_force: day or gtc.
        reason: ``entry`` or ``exit``.
        tag: label the user gave the entry or exit rule.
        protection: exits an entry brings with it.
        limit_price: of a limit or stop_limit order.
        stop_price: of a stop or stop_limit order.
        bars_max: after so many bars without a fill it is canceled; None for as long as its time in force.
    """

    index: int
    node: str
    side: Side
    qty: Decimal
    order_type: OrderType
    time_in_force: TimeInForce
    reason: str
    tag: str
    protection: Protection | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    bars_max: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Record of one evaluated bar.

    Args:
        ts: close time of the bar.
        outcome: the first blocking code, ``intent`` where there is one, or why nothing happened.
        values: by node id what the node showed: a number, a truth, or None while its history is too short. Entry
            and exit rules show whether they fire, sizing rules the quantity they would order.
        intents: what is asked for, in order.
        refused: codes the controls refused what is asked for with, where the book is simulated.
    """

    ts: datetime
    outcome: Outcome
    values: dict[str, float | bool | None]
    intents: tuple[Intent, ...]
    refused: tuple[str, ...] = ()


def client_order_id(
    deployment_key: str, version_hash: str, *, bar_ts: datetime, symbol: str, intent_index: int, attempt: int
) -> str:
    """Return the id of the order an intent becomes: the same intent gives the same id, whoever computes it.

    ``alph-`` plus 26 base-32 characters of the sha-256 of all arguments, 31 characters of [a-z0-9-]. ``attempt``
    rises only after the order before it has ended for certain, because venues refuse an id they have seen.

    Raises:
        AlphintraError: TIME_NO_ZONE for a bar time that is not aware UTC.
    """
    moment = require_utc(bar_ts, pointer="/bar_ts").isoformat()
    key = msgspec.json.encode([deployment_key, version_hash, moment, symbol, intent_index, attempt])
    digest = base64.b32encode(hashlib.sha256(key).digest()).decode("ascii")
    return CLIENT_ORDER_PREFIX + digest[:_HASH_CHARS].lower()
