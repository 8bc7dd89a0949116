"""A trader with an account over prices of their own, and the clients of the unmodified alpaca-py a script makes."""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alphintra.cli.client import wait_for

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    from alpaca.trading.enums import OrderStatus
    from alpaca.trading.requests import GetOrderByIdRequest

if TYPE_CHECKING:
    from fixtures.platform import Person

__all__ = ["Desk"]

DEADLINE_S = 120.0
ON_THE_WAY = {OrderStatus.ACCEPTED, OrderStatus.PENDING_NEW, OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE}


@dataclass(slots=True)
class Desk:
    """A trader with an account over prices of their own, and the clients a script makes."""

    person: Person
    symbol: str
    split_symbol: str
    feed_id: str
    account_id: str
    trading: Any
    data: Any
    updates: list[Any] = field(default_factory=list)

    def step(self, to: int) -> None:
        """Play the feed up to a step, once the open orders work at the venue: a later one would miss its prices."""
        self.until(self.trading.get_orders, lambda found: not {order.status for order in found} & ON_THE_WAY)
        self.person.api.post(f"/feeds/{self.feed_id}/resume", {"pause_at": to})
        path = f"/feeds/{self.feed_id}"
        wait_for("the feed", lambda: self.person.api.get(path), lambda found: found["seq"] >= to)

    def order(self, order_id: Any, status: OrderStatus) -> Any:  # noqa: ANN401 - of the library
        """Wait until an order has the status; return it with its legs."""
        nested = GetOrderByIdRequest(nested=True)
        return self.until(lambda: self.trading.get_order_by_id(order_id, nested), lambda order: order.status is status)

    def told(self, *expected: tuple[str, Any]) -> list[tuple[str, Any]]:
        """Wait until the stream has told events of orders; return all it has told so far, in their order."""
        return self.until(  # type: ignore[no-any-return] # of the library
            lambda: [(str(getattr(one.event, "value", one.event)), one.order.id) for one in list(self.updates)],
            lambda told: set(expected) <= set(told),
        )

    def until(self, fetch: Any, is_so: Any) -> Any:  # noqa: ANN401 - of the library
        """Fetch until it is so."""
        deadline = time.monotonic() + DEADLINE_S
        found = fetch()
        while not is_so(found):
            assert time.monotonic() < deadline, found
            threading.Event().wait(0.02)
            found = fetch()
        return found
