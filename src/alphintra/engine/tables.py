"""What a run traded, as columns of whole numbers, and the digest over them: the same however the run was computed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from alphintra.engine.course import Whole, nano, whole
from alphintra.engine.graph.tape import epoch_ns
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.book import Fill
    from alphintra.engine.course import Course
    from alphintra.engine.intents import Intent
    from alphintra.engine.protection import Level
    from alphintra.engine.trades import Trade
    from alphintra.kernel.vocabulary import OrderStatus

__all__ = ["ClosedTable", "FillTable", "OrderTable", "closed_table", "digest_of", "fill_table", "label_of", "levels_of"]

_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderTable:
    """Orders, a row each, in the order in which they were made.

    Attributes:
        created: time of the close they were born at, nanoseconds since 1970 UTC.
        qty: billionths, negative where something is sold.
        levels: six columns; stop, target, trail and chandelier an entry brings, limit and stop price it waits for,
            in billionths, 0 where there is none.
        labels: all else there is to an order, and how it ended (``label_of``).
    """

    created: NDArray[np.int64]
    qty: Whole
    levels: tuple[Whole, ...]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FillTable:
    """Executions, a row each, oldest first.

    Attributes:
        ts: time of the bar that filled, nanoseconds since 1970 UTC.
        created: birth of the order that was filled, or that brought the exit.
        qty: billionths, negative where something was sold.
        price: billionths of a unit, as all amounts.
        fee: of the fill.
        realized: profit it booked before fees.
        legs: stop, target or trail where an exit executed that came with the entry, else nothing.
        is_ambiguous: whether the bar held the price of another exit too.
        is_slipping: whether the slippage moved its price.
    """

    ts: NDArray[np.int64]
    created: NDArray[np.int64]
    qty: Whole
    price: Whole
    fee: Whole
    realized: Whole
    legs: Sequence[str]
    is_ambiguous: NDArray[np.bool_]
    is_slipping: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosedTable:
    """Closed trades, a row each, in the order in which they closed; amounts in billionths, quantities signed."""

    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    qty: Whole
    entry_price: Whole
    exit_price: Whole
    gross: Whole
    fees: Whole
    entry_tags: Sequence[str]
    exit_tags: Sequence[str]


def label_of(intent: Intent, status: OrderStatus, code: str) -> str:
    """Return what an order is besides its time, its quantity and the levels it brings, and how it ended."""
    limit, trigger = (None if price is None else _NOTHING for price in (intent.limit_price, intent.stop_price))
    bare = replace(intent, qty=_NOTHING, limit_price=limit, stop_price=trigger)
    if intent.protection is not None:
        exits = intent.protection
        chandelier = None if exits.chandelier is None else _NOTHING
        stop, target, trail = (_bare(level) for level in (exits.stop, exits.target, exits.trail))
        bare = replace(bare, protection=replace(exits, stop=stop, target=target, trail=trail, chandelier=chandelier))
    return msgspec.json.encode([bare, status, code], order="sorted").decode()


def levels_of(intent: Intent) -> tuple[int, ...]:
    """Return stop, target, trail, chandelier, limit and stop price of an order in billionths, 0 where there is none."""
    exits, waits = intent.protection, (nano(intent.limit_price or _NOTHING), nano(intent.stop_price or _NOTHING))
    if exits is None:
        return (0, 0, 0, 0, *waits)
    bounds = (exits.stop, exits.target, exits.trail)
    amounts = [_NOTHING if bound is None else bound.amount for bound in bounds]
    return (*(nano(amount) for amount in (*amounts, exits.chandelier or _NOTHING)), *waits)


def fill_table(fills: Sequence[Fill], created: dict[str, int], *, unmoved: frozenset[str]) -> FillTable:
    """Return executions as a table.

    Args:
        fills: oldest first.
        created: birth of each order by its client order id.
        unmoved: ids of orders whose price no slippage moves.
    """
    slips = [fill.leg != "target" if fill.leg else fill.client_order_id not in unmoved for fill in fills]
    return FillTable(
        ts=np.array([epoch_ns(fill.ts) for fill in fills], dtype=np.int64),
        created=np.array([created[fill.client_order_id] for fill in fills], dtype=np.int64),
        qty=whole(nano(fill.qty) if fill.side is Side.BUY else -nano(fill.qty) for fill in fills),
        price=whole(nano(fill.price) for fill in fills),
        fee=whole(nano(fill.fee) for fill in fills),
        realized=whole(nano(fill.realized) for fill in fills),
        legs=[fill.leg for fill in fills],
        is_ambiguous=np.array([fill.is_ambiguous for fill in fills], dtype=bool),
        is_slipping=np.array(slips, dtype=bool),
    )


def closed_table(trades: Sequence[Trade]) -> ClosedTable:
    """Return closed trades as a table."""
    return ClosedTable(
        opened=np.array([epoch_ns(trade.opened_ts) for trade in trades], dtype=np.int64),
        closed=np.array([epoch_ns(trade.closed_ts) for trade in trades], dtype=np.int64),
        qty=whole(nano(trade.qty) if trade.side is Side.BUY else -nano(trade.qty) for trade in trades),
        entry_price=whole(nano(trade.entry_price) for trade in trades),
        exit_price=whole(nano(trade.exit_price) for trade in trades),
        gross=whole(nano(trade.gross) for trade in trades),
        fees=whole(nano(trade.fees) for trade in trades),
        entry_tags=[trade.entry_tag for trade in trades],
        exit_tags=[trade.exit_tag for trade in trades],
    )


def digest_of(orders: OrderTable, fills: FillTable, course: Course) -> str:
    """Return sha-256 over orders, fills and equity as 64 hexadecimal digits; amounts count by value."""
    digest = hashlib.sha256()
    for table in (orders, fills, course):
        digest.update(type(table).__name__.encode())
        for field in fields(table):
            if field.name == "is_slipping":
                continue  # told by the order and the leg
            column = getattr(table, field.name)
            for part in column if field.name == "levels" else (column,):
                digest.update(_bytes(part))
    return digest.hexdigest()


def _bytes(column: Whole | Sequence[str]) -> bytes:
    if not isinstance(column, np.ndarray):
        return b"t%d:" % len(column) + "\n".join(column).encode()
    if column.dtype == object:
        return b"n%d:" % len(column) + ",".join(map(str, column.tolist())).encode()
    return b"i%d:" % len(column) + column.astype("<i8").tobytes()


def _bare(level: Level | None) -> Level | None:
    return None if level is None else replace(level, amount=_NOTHING)
