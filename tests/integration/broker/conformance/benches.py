"""What the suite asks of every adapter, said once: a bench puts an adapter to work and speaks for its venue."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pytest

from alphintra.broker.service import sending, sending_many
from alphintra.contracts.broker import SetPaperSettings
from alphintra.kernel.vocabulary import TimeInForce
from fixtures.single_service import PowerCutError, acting, stop_at
from fixtures.waiting import until
from integration.broker.desk import bar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from uuid import UUID

    from alphintra.contracts.approval import Approval, OrderTerms
    from integration.broker.desk import Desk

__all__ = ["Bench", "PaperBench", "executed", "reaches", "told"]


class Bench(Protocol):
    """An adapter at work for one account, with trading, risk and the venue spoken for by the test."""

    crash_points: tuple[str, ...]

    def terms(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Return a limit order to buy ten at 100, until it is canceled."""
        ...

    def unsupported(self) -> OrderTerms:
        """Return an order the adapter's venue cannot work."""
        ...

    def keeping(self) -> AbstractAsyncContextManager[object]:
        """Keep the adapter at work meanwhile."""
        ...

    async def submit(self, terms: OrderTerms, approval: Approval | None = None) -> None:
        """Let broker hear of an order, approved by risk unless another approval is given."""
        ...

    async def cancel(self, order_id: UUID) -> None:
        """Let broker hear of a cancellation."""
        ...

    async def halt(self, epoch: int) -> None:
        """Let broker hear that trading on the account is halted."""
        ...

    async def crash(self, terms: OrderTerms, point: str, cutting: pytest.MonkeyPatch) -> None:
        """End the process at a point on the order's way, and deliver what was not confirmed again."""
        ...

    async def fill(self, terms: OrderTerms, qty: str, price: str = "100") -> None:
        """Let the venue execute part of an order."""
        ...

    async def status(self, order_id: UUID) -> str:
        """Return an order's state, empty where nothing was ever to be sent."""
        ...

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every event told of orders: its name and fields, oldest first."""
        ...

    async def at_venue(self) -> Counter[UUID]:
        """Return how many orders the venue has under each of our order ids."""
        ...


async def reaches(bench: Bench, order_id: UUID, *statuses: str, seconds: float = 45.0) -> None:
    """Wait until an order is in one of the states."""

    async def is_so() -> bool:
        return await bench.status(order_id) in statuses

    await until(is_so, seconds=seconds)


async def told(bench: Bench, order_id: UUID) -> list[str]:
    """Return the names of the events of one order."""
    return [name for name, event in await bench.events() if event.get("order_id") == str(order_id)]


async def executed(bench: Bench, order_id: UUID) -> list[Decimal]:
    """Return the quantities that were told to be executed for one order."""
    mine = [event for name, event in await bench.events() if name == "execution_reported"]
    return [Decimal(event["qty"]) for event in mine if event["order_id"] == str(order_id)]


class PaperBench:
    """The paper venue, which lives in broker's database and meets the bars of a feed."""

    crash_points: tuple[str, ...] = (
        "broker.intent_stored",
        "broker.venue_answered",
        "broker.answer_stored",
        "broker.answer_committed",
    )

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seq = 0

    async def prepare(self) -> None:
        """Let a bar execute no more than its volume."""
        wanted = SetPaperSettings(account_id=self._desk.account_id, participation=Decimal(1))
        await self._desk.endpoints.set_paper_settings(wanted, acting(self._desk.owner_id))

    def terms(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Return a limit order."""
        return msgspec.structs.replace(self._desk.terms(limit="100", tif=TimeInForce.GTC), **changes)

    def unsupported(self) -> OrderTerms:
        """Return an order without quantity."""
        return self.terms(qty=None)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Do nothing: the paper venue is driven by its feed."""
        yield

    async def submit(self, terms: OrderTerms, approval: Approval | None = None) -> None:
        """Let broker hear of an order."""
        await self._desk.endpoints.on_order_submitted(self._desk.submitted(terms, approval))

    async def cancel(self, order_id: UUID) -> None:
        """Let broker hear of a cancellation."""
        await self._desk.endpoints.on_cancel_requested(self._desk.cancel_requested(order_id))

    async def halt(self, epoch: int) -> None:
        """Let broker hear of a halt."""
        await self._desk.endpoints.on_kill_state_changed(
            self._desk.kill_changed(epoch, account_id=self._desk.account_id)
        )

    async def crash(self, terms: OrderTerms, point: str, cutting: pytest.MonkeyPatch) -> None:
        """End the process while the order is placed, and deliver the order again."""
        delivery = self._desk.submitted(terms)
        with cutting.context() as armed:
            for module in (sending, sending_many):
                stop_at(armed, module, point)
            with pytest.raises(PowerCutError):
                await self._desk.endpoints.on_order_submitted(delivery)
        await self._desk.endpoints.on_order_submitted(delivery)

    async def fill(self, terms: OrderTerms, qty: str, price: str = "100") -> None:
        """Step the feed by a bar of that volume, all of it at one price."""
        self._seq += 1
        step = msgspec.structs.replace(bar(self._seq, f"{price} {price} {price} {price}"), volume=Decimal(qty))
        await self._desk.step(self._seq, msgspec.structs.replace(step, symbol=terms.symbol))

    async def status(self, order_id: UUID) -> str:
        """Return an order's state."""
        return (await self._desk.statuses()).get(order_id, "")

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was told of orders."""
        return [(name, event) for name, event in await self._desk.events() if not name.startswith("connection_")]

    async def at_venue(self) -> Counter[UUID]:
        """Return the orders of the paper venue."""
        return Counter((await self._desk.statuses()).keys())
