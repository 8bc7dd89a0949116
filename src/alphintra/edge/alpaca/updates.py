"""Trade updates: what trading tells of orders, in Alpaca's shape, handed to those who listen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from alphintra.contracts.trading import FillBooked, OrderClosed, OrderUpdated
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.shapes import moment, money, order_shape
from alphintra.infrastructure.event_tap import EventTap
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Event
from alphintra.kernel.vocabulary import OrderStatus

__all__ = ["HEARD", "Listener", "Updates", "update_of"]

HEARD: Final[tuple[type[Event], ...]] = (FillBooked, OrderClosed, OrderUpdated)
WAITING_MAX: Final = 2048
LISTENERS_MAX: Final = 256
LISTENERS_OF_ACCOUNT_MAX: Final = 16

# How a new state is told; fills are told by their booking, hence not here.
_EVENT: Final[Mapping[OrderStatus, str]] = MappingProxyType(
    {
        OrderStatus.PENDING_NEW: "pending_new",
        OrderStatus.ACCEPTED: "accepted",
        OrderStatus.NEW: "new",
        OrderStatus.HELD: "held",
        OrderStatus.PENDING_CANCEL: "pending_cancel",
        OrderStatus.PENDING_REPLACE: "pending_replace",
        OrderStatus.SUSPENDED: "suspended",
        OrderStatus.DONE_FOR_DAY: "done_for_day",
        OrderStatus.UNKNOWN: "pending_review",
        OrderStatus.CANCELED: "canceled",
        OrderStatus.EXPIRED: "expired",
        OrderStatus.REJECTED: "rejected",
        OrderStatus.REPLACED: "replaced",
    }
)


def update_of(event: Event, event_id: UUID) -> tuple[UUID, dict[str, Any]] | None:
    """Return whose update an event is, by account, and its data; None for what is not told."""
    match event:
        case FillBooked(order=order, execution=execution) if order is not None:
            word = "fill" if order.status is OrderStatus.FILLED else "partial_fill"
            data = _data(word, order_shape(order, is_nested=False), execution.executed_at, event_id)
            data |= {
                "execution_id": _execution_id(execution.execution_id),
                "price": money(execution.price),
                "qty": money(execution.qty),
                "position_qty": money(event.account_qty),
            }
            return order.account_id, data
        case OrderUpdated(order=order) | OrderClosed(order=order) if order.status in _EVENT:
            shape = order_shape(order, is_nested=False)
            return order.account_id, _data(_EVENT[order.status], shape, order.updated_at, event_id)
        case _:
            return None


def _data(word: str, order: dict[str, Any], at: datetime, event_id: UUID) -> dict[str, Any]:
    return {"event": word, "event_id": event_id, "timestamp": moment(at), "at": moment(at), "order": order}


def _execution_id(text: str) -> UUID:
    """Return a venue's id of an execution as the UUID Alpaca's clients expect."""
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE_OID, f"alphintra/execution/{text}")


class Listener:
    """Someone who listens to one account: what waits for them, and whether they were too slow."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING_MAX)
        self.is_cut_off = asyncio.Event()
        self.has_missed = asyncio.Event()

    def put(self, data: dict[str, Any]) -> None:
        """Let an update wait for the listener; one who reads too slowly is cut off."""
        try:
            self.waiting.put_nowait(data)
        except asyncio.QueueFull:
            self.is_cut_off.set()


class Updates:
    """Hands updates to the listeners of their account; nothing is heard from the bus while nobody listens."""

    def __init__(self, tap: EventTap | None) -> None:
        self._tap = tap
        self._listeners: dict[UUID, set[Listener]] = {}

    async def attach(self, account_id: UUID) -> Listener:
        """Begin to listen; every update told from now on comes. Raises *_UNAVAILABLE or STREAM_LIMIT."""
        if self._tap is None:
            message = "events cannot be heard here: try another edge"
            raise refused("STREAM_UNAVAILABLE", message, kind=Kind.UNAVAILABLE)
        of_account = self._listeners.setdefault(account_id, set())
        total = sum(map(len, self._listeners.values()))
        if total >= LISTENERS_MAX or len(of_account) >= LISTENERS_OF_ACCOUNT_MAX:
            raise refused("STREAM_LIMIT", "connection limit exceeded", kind=Kind.LIMITED)
        listener = Listener(account_id)
        of_account.add(listener)
        try:
            await self._tap.open(self._hand_out, self._tell_gap)
        except AlphintraError:
            await self.detach(listener)
            raise
        return listener

    async def detach(self, listener: Listener) -> None:
        """Stop listening."""
        of_account = self._listeners.get(listener.account_id, set())
        of_account.discard(listener)
        if not of_account:
            self._listeners.pop(listener.account_id, None)
        if not self._listeners and self._tap is not None:
            await self._tap.close()

    def _hand_out(self, event: Event, event_id: UUID) -> None:
        told = update_of(event, event_id)
        if told is not None:
            for listener in self._listeners.get(told[0], ()):
                listener.put(told[1])

    def _tell_gap(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.has_missed.set()
