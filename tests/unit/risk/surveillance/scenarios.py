"""Labelled days of trading, made from a seed: what abuse looks like, and honest trading that resembles it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.surveillance.stream import Action, ActionKind

OPEN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)  # of New York, half past nine; it closes at 21:00 UTC
CLOSE = datetime(2026, 3, 2, 21, tzinfo=UTC)
A, B = UUID(int=0xA), UUID(int=0xB)
SEEDS = range(20)


@dataclass(slots=True)
class Day:
    """A person's day of trading under construction."""

    random: Random
    owner_id: UUID
    at: datetime = OPEN
    actions: list[Action] = field(default_factory=list)
    count: int = 0

    def new_id(self) -> UUID:
        self.count += 1
        return UUID(int=self.owner_id.int * 1_000_000 + self.count)

    def wait(self, seconds: float) -> None:
        self.at += timedelta(microseconds=int(seconds * 1_000_000))

    def note(self, kind: ActionKind, side: Side, qty: str, price: str | None, **more: object) -> Action:
        fields: dict[str, object] = {
            "event_id": self.new_id(),
            "happened_at": self.at,
            "kind": kind,
            "owner_id": self.owner_id,
            "account_id": A,
            "order_id": self.new_id(),
            "symbol": "AAPL",
            "side": side,
            "type": OrderType.LIMIT,
            "qty": Decimal(qty),
            "price": None if price is None else Decimal(price),
            **more,
        }
        self.actions.append(Action(**fields))  # type: ignore[arg-type] # any field of an action
        return self.actions[-1]

    def order(self, side: Side, qty: str, price: str, account_id: UUID = A) -> Action:
        return self.note(ActionKind.NEW, side, qty, price, account_id=account_id)

    def end(self, order: Action, kind: ActionKind = ActionKind.CANCEL) -> None:
        more = {"order_id": order.order_id, "account_id": order.account_id}
        self.note(kind, order.side, str(order.qty), None, **more)

    def trade(self, side: Side, qty: str, price: str, account_id: UUID = A) -> None:
        """Trade with an order that is filled at once."""
        order = self.note(ActionKind.NEW, side, qty, None, account_id=account_id, type=OrderType.MARKET)
        self.wait(0.002)
        more: dict[str, object] = {"order_id": order.order_id, "account_id": account_id, "venue_at": self.at}
        self.note(ActionKind.TRADE, side, qty, price, **more)
        self.end(order, ActionKind.DONE)

    def price(self, low: int, high: int) -> str:
        return f"{self.random.uniform(low, high):.2f}"


def wash_between_accounts(day: Day) -> None:
    price = day.price(90, 110)
    day.trade(Side.BUY, "100", price, A)
    day.wait(day.random.uniform(0.001, 50))
    day.trade(Side.SELL, str(day.random.randint(85, 100)), price, B)


def wash_in_one_account(day: Day) -> None:
    price = day.price(90, 110)
    for _ in range(day.random.randint(3, 6)):
        day.trade(Side.BUY, "50", price)
        day.wait(day.random.uniform(0.1, 3))
        day.trade(Side.SELL, "50", price)
        day.wait(day.random.uniform(0.1, 3))


def crossing_orders(day: Day) -> None:
    day.order(Side.SELL, "10", "100.00", A)
    day.wait(day.random.uniform(1, 3000))
    day.order(Side.BUY, "10", day.random.choice(["100.00", "101.00"]), B)


def layers(day: Day) -> None:
    placed = []
    for step in range(day.random.randint(3, 8)):
        placed.append(day.order(Side.BUY, "200", f"{100 - step * 0.01:.2f}"))
        day.wait(day.random.uniform(0.05, 1))
    day.trade(Side.SELL, "100", "100.05")
    for order in placed:
        day.wait(day.random.uniform(0.01, 1))
        day.end(order)


def patient_layers(day: Day) -> None:
    """Cancel layers so late that some are beyond the window: what a detector with a window can miss."""
    placed = [day.order(Side.SELL, "300", f"{100.5 + step * 0.01:.2f}") for step in range(3)]
    day.wait(5)
    day.trade(Side.BUY, "100", "100.00")
    day.wait(day.random.uniform(20, 75))
    for order in placed:
        day.end(order)


def one_large_spoof(day: Day) -> None:
    bait = day.order(Side.SELL, "5000", "100.10")
    day.wait(day.random.uniform(0.05, 5))
    day.trade(Side.BUY, "100", "100.00")
    day.wait(day.random.uniform(0.01, 5))
    day.end(bait)


def stuffing(day: Day) -> None:
    for _ in range(day.random.randint(120, 300)):
        day.end(day.order(Side.BUY, "1", "90.00"))
        day.wait(0.002)


def marked_close(day: Day) -> None:
    day.trade(Side.BUY, "10", "100.00")
    day.at = CLOSE - timedelta(seconds=day.random.randint(60, 290))
    for step in range(day.random.randint(2, 5)):
        day.trade(Side.BUY, "100", f"{101 + step * 0.2:.2f}")
        day.wait(5)


def ramp(day: Day) -> None:
    price = 100.0
    side = day.random.choice([Side.BUY, Side.SELL])
    for _ in range(day.random.randint(5, 12)):
        day.trade(side, "100", f"{price:.2f}")
        price += (0.3 if side is Side.BUY else -0.3) + (0.05 if side is Side.BUY else -0.05) * day.random.random()
        day.wait(day.random.uniform(5, 40))


def slow_wash(day: Day) -> None:
    """Sell to the other account around the edge of window and price tolerance."""
    day.trade(Side.BUY, "100", "100.00", A)
    day.wait(day.random.uniform(30, 65))
    day.trade(Side.SELL, "100", f"{100 + day.random.uniform(0, 0.11):.3f}", B)


def investor(day: Day) -> None:
    """Buy a few times over the day, at the market."""
    for _ in range(day.random.randint(2, 6)):
        day.trade(Side.BUY, "100", day.price(99, 101))
        day.wait(day.random.uniform(1000, 3500))


def market_maker(day: Day) -> None:
    """Quote both sides, move the quotes every few seconds, trade with some of them."""
    for _ in range(60):
        middle = day.random.uniform(99.5, 100.5)
        bid, ask = (
            day.order(Side.BUY, "100", f"{middle - 0.05:.2f}"),
            day.order(Side.SELL, "100", f"{middle + 0.05:.2f}"),
        )
        day.wait(day.random.uniform(1, 4))
        hit, left = day.random.choice([(bid, ask), (ask, bid)])
        if day.random.random() < 0.3:
            more: dict[str, object] = {"order_id": hit.order_id, "venue_at": day.at}
            day.note(ActionKind.TRADE, hit.side, "100", str(hit.price), **more)
            day.end(hit, ActionKind.DONE)
        else:
            day.end(hit)
        day.end(left)
        day.wait(day.random.uniform(5, 20))


def round_trips(day: Day) -> None:
    """Take small profits: buy, sell dearer a while later."""
    for _ in range(5):
        day.trade(Side.BUY, "100", "100.00")
        day.wait(day.random.uniform(5, 50))
        day.trade(Side.SELL, "100", day.price(101, 102))
        day.wait(day.random.uniform(100, 600))


def stop_moved(day: Day) -> None:
    """Protect a position, and cancel the protection once it is sold."""
    day.trade(Side.BUY, "100", "100.00")
    protection = day.order(Side.SELL, "100", "95.00")
    day.wait(day.random.uniform(60, 600))
    day.end(protection)
    day.wait(1)
    day.trade(Side.SELL, "100", "103.00")


def closing_rebalance(day: Day) -> None:
    """Trade most of the day's volume at the close, both ways and without moving the price."""
    day.trade(Side.BUY, "10", "100.00")
    day.at = CLOSE - timedelta(seconds=200)
    for _ in range(4):
        day.trade(day.random.choice([Side.BUY, Side.SELL]), "100", day.random.choice(["99.90", "100.00", "100.10"]))
        day.wait(10)


def sliced_purchase(day: Day) -> None:
    """Buy in slices while the price wanders."""
    for price in ("100.00", "100.10", "99.95", "100.05", "100.02", "100.12"):
        day.trade(Side.BUY, "50", price)
        day.wait(day.random.uniform(60, 90))


def mind_changed(day: Day) -> None:
    """Bid in three places, then sell a part of what is held on bad news and take the bids away: honest, and alike."""
    bids = [day.order(Side.BUY, str(day.random.randint(20, 60)), f"{99 - step * 0.5:.2f}") for step in range(3)]
    day.wait(day.random.uniform(1, 100))
    day.order(Side.SELL, "50", "100.00")
    offered = day.actions[-1]
    more: dict[str, object] = {"order_id": offered.order_id, "venue_at": day.at}
    day.note(ActionKind.TRADE, Side.SELL, "50", "100.00", **more)
    day.end(offered, ActionKind.DONE)
    for bid in bids:
        day.wait(2)
        day.end(bid)


def repriced_purchase(day: Day) -> None:
    """Follow the market with one order, canceled and placed anew, until it is filled."""
    for step in range(8):
        order = day.order(Side.BUY, "100", f"{99 + step * 0.1:.2f}")
        day.wait(day.random.uniform(2, 5))
        day.end(order)
    day.trade(Side.BUY, "100", "100.00")


# A market order among own orders on the other side meets them too: such days are those of two detectors.
ABUSIVE: dict[Callable[[Day], None], frozenset[str]] = {
    wash_between_accounts: frozenset({"wash_trade"}),
    wash_in_one_account: frozenset({"wash_trade"}),
    slow_wash: frozenset({"wash_trade"}),
    crossing_orders: frozenset({"self_cross"}),
    layers: frozenset({"layering", "self_cross"}),
    patient_layers: frozenset({"layering", "self_cross"}),
    one_large_spoof: frozenset({"layering", "self_cross"}),
    stuffing: frozenset({"quote_stuffing"}),
    marked_close: frozenset({"marking_close"}),
    ramp: frozenset({"ramping"}),
}
HONEST = (
    investor,
    market_maker,
    round_trips,
    stop_moved,
    closing_rebalance,
    sliced_purchase,
    mind_changed,
    repriced_purchase,
)


def labelled() -> Iterator[tuple[frozenset[str], list[Action]]]:
    """Yield of every day the detectors that are to find it, none for an honest one, and its actions."""
    makers = [*ABUSIVE.items(), *((maker, frozenset[str]()) for maker in HONEST)]
    for place, (maker, labels) in enumerate(makers):
        for seed in SEEDS:
            day = Day(Random(seed), UUID(int=place * 1000 + seed + 1))  # noqa: S311 - made-up trading
            maker(day)
            yield labels, day.actions
