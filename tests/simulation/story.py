"""What happens in a world: orders, cancels, prices, kills, crashes, drawn from the seed; then the healing."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from alphintra.cli.chaos.plan import KILL_POINTS
from alphintra.contracts.broker import AdvanceMarket, BarView
from alphintra.contracts.risk import MarkPrice, MarkPrices, SetKillState, SetLimits
from alphintra.contracts.trading import CancelOrder, OpenAccount, SubmitOrder
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from simulation.world import SERVICES_SIMULATED, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from alphintra.kernel.messages import Context

__all__ = ["POINTS", "STARTING_CASH", "Story", "tell"]

POINTS: Final = tuple(
    point for point in KILL_POINTS if point.split(".")[0] in {*SERVICES_SIMULATED, "relay", "consumer"}
)
STARTING_CASH: Final = Decimal(100_000)
_SYMBOLS: Final = ("AAA", "BBB")
_ROUNDS_MAX: Final = 200
_ARMS: Final = 0.1
_HOLD_S: Final = 61  # after which an approval that trading never took gives its reservation back


@dataclass(slots=True)
class Story:
    """One run: who asked for what, and what they know of it."""

    world: World
    feed_id: UUID
    owner: Context
    operator: Context
    accounts: list[UUID] = field(default_factory=list)
    asked: dict[str, SubmitOrder] = field(default_factory=dict)
    known: dict[str, UUID] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    seq: int = 0
    step: AdvanceMarket | None = None
    prices: dict[str, Decimal] = field(default_factory=lambda: {symbol: Decimal(50) for symbol in _SYMBOLS})
    killed: set[UUID] = field(default_factory=set)
    fills: int = 0
    points: tuple[str, ...] = POINTS

    async def open(self, count: int) -> None:
        """Open accounts and wait until they may trade and have prices."""
        for number in range(count):
            command = OpenAccount(
                name=f"sim {self.feed_id} {number}", starting_cash=STARTING_CASH, feed_id=self.feed_id
            )
            self.accounts.append((await self.world.ask(command, self.owner)).account_id)
        await self.heal()
        for account_id in self.accounts:
            limits = SetLimits(
                account_id=account_id,
                order_qty_max=Decimal(1000),
                order_notional_max=Decimal(50_000),
                position_qty_max=Decimal(2000),
                may_short=True,
            )
            await self.world.ask(limits, self.operator)
        await self.market()

    async def act(self) -> None:
        """Do one thing."""
        rng, world = self.world.rng, self.world
        acts: tuple[tuple[int, Callable[[], Awaitable[Any]]], ...] = (
            (20, self.submit),
            (5, self.cancel),
            (4, self.ask_again),
            (8, self.market),
            (16, lambda: world.relay(rng.choice(SERVICES_SIMULATED))),
            (24, lambda: world.deliver(rng.choice(tuple(world.pending)))),
            (1, self.kill),
        )
        (act,) = rng.choices([act for _weight, act in acts], [weight for weight, _act in acts])
        if rng.random() < _ARMS:
            world.arm(rng.choice(self.points), rng.randint(1, 3))
        world.pass_time(rng.choice((0.001, 0.05, 0.4, 3.0)))
        try:
            await act()
        except AlphintraError as error:
            world.note("failed", error.code)
            if error.kind not in {Kind.UNAVAILABLE, Kind.CONFLICT, Kind.LIMITED}:
                raise

    async def submit(self) -> None:
        """Place an order of any kind; where no answer comes its fate is unknown."""
        rng = self.world.rng
        name = f"s{len(self.asked)}"
        kind = rng.choice((OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, *OrderType))
        price = self.prices[(symbol := rng.choice(_SYMBOLS))] * rng.choice((90, 97, 100, 103, 110)) / 100
        has_limit = kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}
        has_stop = kind in {OrderType.STOP, OrderType.STOP_LIMIT}
        self.asked[name] = SubmitOrder(
            account_id=rng.choice(self.accounts),
            client_order_id=f"{self.feed_id.hex[:8]}-{name}",
            symbol=symbol,
            side=rng.choice(tuple(Side)),
            qty=Decimal(rng.randint(1, 30)),
            type=kind,
            time_in_force=rng.choice((TimeInForce.DAY, TimeInForce.GTC)),
            limit_price=round(price, 2) if has_limit else None,
            stop_price=round(price, 2) if has_stop else None,
            trail_percent=Decimal(2) if kind is OrderType.TRAILING_STOP else None,
        )
        await self._place(name)

    async def _place(self, name: str) -> None:
        if name in self.unknown:
            self.unknown.remove(name)
        try:
            order = await self.world.ask(self.asked[name], self.owner)
        except AlphintraError as error:
            self.world.note(name, error.code)
            if error.kind in {Kind.UNAVAILABLE, Kind.LIMITED}:
                self.unknown.append(name)
            else:
                self.refused[name] = error.code
            return
        self.world.note(name, order.status)
        if self.known.setdefault(name, order.order_id) != order.order_id:
            message = f"{name} was answered as two orders"
            raise AssertionError(message)

    async def ask_again(self) -> None:
        """Repeat an order: one nobody answered, else any."""
        names = self.unknown or list(self.asked)
        if names:
            await self._place(self.world.rng.choice(names))

    async def cancel(self) -> None:
        """Cancel any known order."""
        if self.known:
            order_id = self.known[self.world.rng.choice(list(self.known))]
            order = await self.world.ask(CancelOrder(order_id=order_id), self.owner)
            self.world.note("cancel", order.status)

    async def kill(self) -> None:
        """Halt an account, or let a halted one trade again."""
        account_id = self.world.rng.choice(self.accounts)
        state = "normal" if account_id in self.killed else self.world.rng.choice(("cancel_only", "halted"))
        command = SetKillState(scope="account", account_id=account_id, state=state, reason="story")
        await self.world.ask(command, self.operator)
        (self.killed.discard if state == "normal" else self.killed.add)(account_id)
        self.world.note("kill", state)

    async def market(self) -> None:
        """Drive the market by one step; a step nobody answered is repeated as it was."""
        if self.step is None:
            self.step = self._next_step()
        service = self.world.service("strategy")
        advanced = await self.world.ask(self.step, service, as_service="strategy")
        self.world.note("step", advanced.seq, len(advanced.executions))
        self.fills += len(advanced.executions)
        marks = tuple(MarkPrice(symbol=bar.symbol, price=bar.close) for bar in self.step.bars)
        at = self.step.bars[0].ts
        command = MarkPrices(feed_id=self.feed_id, seq=self.step.seq, at=at, prices=marks)
        await self.world.ask(command, service, as_service="strategy")
        self.seq, self.step = self.step.seq, None

    def _next_step(self) -> AdvanceMarket:
        rng = self.world.rng
        self.world.pass_time(60)
        bars = []
        for symbol, before in self.prices.items():
            close = round(before * Decimal(rng.randint(9600, 10400)) / 10_000, 2)
            high, low = max(before, close) * Decimal("1.01"), min(before, close) * Decimal("0.99")
            self.prices[symbol] = close
            bars.append(
                BarView(
                    symbol=symbol,
                    ts=self.world.clock.at,
                    open=before,
                    high=round(high, 2),
                    low=round(low, 2),
                    close=close,
                    volume=Decimal(1000),
                )
            )
        return AdvanceMarket(feed_id=self.feed_id, seq=self.seq + 1, bars=tuple(bars))

    async def heal(self) -> None:
        """Let everything be answered and told. Raises AssertionError where it does not come to rest."""
        world = self.world
        world.disarm()
        for _round in range(_ROUNDS_MAX):
            for name in list(self.unknown):
                await self._place(name)
            if self.step is not None:
                await self.market()
            for service in SERVICES_SIMULATED:
                await world.relay(service)
            for way in world.pending:
                await world.deliver(way, in_order=True)
            world.pass_time(0.05)
            if not self.unknown and self.step is None and not await world.waiting():
                world.pass_time(_HOLD_S)
                await world.sweep()
                return
        stuck = {way: [message.subject for message in waiting] for way, waiting in world.pending.items() if waiting}
        message = f"the world does not come to rest: {stuck}, unanswered {self.unknown}"
        raise AssertionError(message)


async def tell(world: World, *, actions: int, points: tuple[str, ...] = POINTS) -> Story:
    """Play a story of so many actions, with power cuts at some of the points, and heal."""
    feed_id, owner_id = world.ids.new(), world.ids.new()
    story = Story(world, feed_id, world.person(owner_id, "trader"), world.person(world.ids.new(), "owner", "operator"))
    story.points = points
    await story.open(2)
    for _ in range(actions):
        await story.act()
    await story.heal()
    return story
