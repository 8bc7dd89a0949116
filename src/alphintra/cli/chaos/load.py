"""Traders at work while things break: what they asked for, what they were answered, and what they never learned."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alphintra.cli.client import ApiClient, ApiError
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from random import Random

__all__ = ["ORDERS_MAX", "History", "Operation", "Trader", "legs_of", "place"]

ORDERS_MAX: Final = 900  # of one account: what one page of the API can show
_REST_S: Final = (0.02, 0.3)
_OPEN_MAX: Final = 40
_CANCELS: Final = 0.25
_REPLACES: Final = 0.12
_LIMITS: Final = 0.5
_BRACKETS: Final = 0.15


_SHORT_EXITS: Final = {"take_profit": {"limit_price": "3"}, "stop_loss": {"stop_price": "900"}}


@dataclass(slots=True, kw_only=True)
class Operation:
    """Something a trader asked for.

    Attributes:
        at_s: when, in seconds after the load began.
        kind: place, replace or cancel.
        account_id: whose.
        body: the order, or what is to be different about another.
        outcome: ok, refused (a clear no), or unknown (no answer, or one that says nothing of the order).
        order_id: of the order, where it was told.
        replaces: the order whose place it is to take.
        code: of a refusal or failure.
        took_s: until the answer.
    """

    at_s: float
    kind: str
    account_id: str
    body: dict[str, Any]
    outcome: str = "unknown"
    order_id: str = ""
    replaces: str = ""
    code: str = ""
    took_s: float = 0.0


@dataclass(slots=True)
class History:
    """All that was asked for, by whomever, in order of the answers."""

    started: float = field(default_factory=time.monotonic)
    operations: list[Operation] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now_s(self) -> float:
        """Return the seconds since the load began."""
        return time.monotonic() - self.started

    def add(self, operation: Operation) -> None:
        """Remember an operation with its outcome."""
        with self.lock:
            self.operations.append(operation)

    def unknown(self) -> list[Operation]:
        """Return the orders whose trader never learned what became of them."""
        with self.lock:
            return [each for each in self.operations if each.kind != "cancel" and each.outcome == "unknown"]

    def counts(self) -> Counter[str]:
        """Return how many operations of a kind had which outcome."""
        with self.lock:
            return Counter(f"{each.kind} {each.outcome}" for each in self.operations)

    def save(self, path: Path) -> None:
        """Write the history as one JSON object a line."""
        with self.lock:
            lines = [json.dumps(asdict(each)) for each in self.operations]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Trader(threading.Thread):
    """Places and cancels orders of one account until told to stop; never gives up."""

    def __init__(
        self,
        api: ApiClient,
        account_id: str,
        *,
        rng: Random,
        history: History,
        stop: threading.Event,
        rest_s: tuple[float, float] = _REST_S,
    ) -> None:
        """Trade by chance; ``rest_s`` is the least and the most between two operations."""
        super().__init__(name=f"trader-{account_id[:8]}", daemon=True)
        self._api = api
        self._account_id = account_id
        self._rng = rng
        self._history = history
        self._stop_asked = stop
        self._rest_s = rest_s
        self._open: list[str] = []
        self._placed = 0
        self.has_finished = False

    def run(self) -> None:
        """Trade; ``has_finished`` tells afterwards whether nothing unforeseen ended it."""
        self._trade()
        self.has_finished = True

    def _trade(self) -> None:
        while not self._stop_asked.wait(self._rng.uniform(*self._rest_s)):
            if self._open and (self._rng.random() < _CANCELS or len(self._open) > _OPEN_MAX):
                self._cancel(self._open.pop(self._rng.randrange(len(self._open))))
            elif self._open and self._placed < ORDERS_MAX and self._rng.random() < _REPLACES:
                self._replace(self._open.pop(self._rng.randrange(len(self._open))))
            elif self._placed < ORDERS_MAX:
                self._place()

    def _place(self) -> None:
        body = self._order()
        self._placed += 1 + len(legs_of(body))
        operation = Operation(at_s=self._history.now_s(), kind="place", account_id=self._account_id, body=body)
        place(self._api, operation)
        self._history.add(operation)
        if operation.outcome == "ok":
            self._open.append(operation.order_id)

    def _order(self) -> dict[str, Any]:
        side = self._rng.choice(("buy", "buy", "sell"))
        order: dict[str, Any] = {
            "account_id": self._account_id,
            "client_order_id": self._client_order_id(),
            "symbol": self._rng.choice(("AAPL", "MSFT")),
            "side": side,
            "qty": str(self._rng.randint(1, 5)),
            "type": "market",
            "time_in_force": "gtc",
        }
        if self._rng.random() < _LIMITS:
            # Far enough for some to go on working, near enough for most to be filled some time.
            price = Decimal(self._rng.randint(20, 60) if side == "buy" else self._rng.randint(20, 400))
            order |= {"type": "limit", "limit_price": str(price)}
        elif self._rng.random() < _BRACKETS:
            # Far exits on both sides of any price: they wait at the venue until they are canceled, or one is reached.
            high, low = {"limit_price": "900"}, {"stop_price": "3"}
            exits = {"take_profit": high, "stop_loss": low} if side == "buy" else _SHORT_EXITS
            order |= {"order_class": "bracket", **exits}
        return order

    def _client_order_id(self) -> str:
        return f"chaos-{self._account_id[:8]}-{self._placed}"

    def _replace(self, order_id: str) -> None:
        """Ask for another quantity of an order that was placed before; what is closed by now is refused."""
        body = {"client_order_id": self._client_order_id(), "qty": str(self._rng.randint(1, 9))}
        self._placed += 1
        operation = Operation(
            at_s=self._history.now_s(), kind="replace", account_id=self._account_id, body=body, replaces=order_id
        )
        place(self._api, operation)
        self._history.add(operation)
        self._open.append(operation.order_id if operation.outcome == "ok" else order_id)

    def _cancel(self, order_id: str) -> None:
        operation = Operation(
            at_s=self._history.now_s(), kind="cancel", account_id=self._account_id, body={}, order_id=order_id
        )
        began = time.monotonic()
        try:
            self._api.delete(f"/orders/{order_id}")
            operation.outcome = "ok"
        except AlphintraError as error:
            operation.outcome, operation.code = _outcome(error), error.code
        operation.took_s = time.monotonic() - began
        self._history.add(operation)


def legs_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the client order ids of the orders that a group makes beside its first."""
    name = body["client_order_id"]
    return (f"{name}-tp", f"{name}-sl") if body.get("order_class") == "bracket" else ()


def place(api: ApiClient, operation: Operation) -> None:
    """Place or replace an order, or do it again under the same id, and note what was answered."""
    began, key = time.monotonic(), operation.body["client_order_id"]
    try:
        order: Mapping[str, Any] = (
            api.replace_order(operation.replaces, operation.body, key=key)
            if operation.replaces
            else api.place(operation.body, key=key)
        )
        operation.outcome, operation.order_id = "ok", order["order_id"]
    except ApiError as error:
        operation.outcome, operation.code = _outcome(error), error.code
        operation.order_id = str(error.members.get("order_id", ""))
    except AlphintraError as error:
        operation.outcome, operation.code = _outcome(error), error.code
    operation.took_s = time.monotonic() - began


def _outcome(error: AlphintraError) -> str:
    return "unknown" if error.kind in {Kind.UNAVAILABLE, Kind.LIMITED, Kind.BUG} else "refused"
