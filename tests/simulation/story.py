"""What happens in a world: orders, cancels, prices, kills, crashes, drawn from the seed; then the healing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from alphintra.cli.chaos.plan import KILL_POINTS
from alphintra.contracts.broker import AdvanceMarket, BarView
from alphintra.contracts.risk import LiftLatch, ListLatches, MarkPrice, MarkPrices, SetKillState, SetLimits
from alphintra.contracts.trading import CancelOrder, GetOrder, OpenAccount, ReplaceOrder, SubmitOrder
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, OrderType, Side, TimeInForce
from simulation.drawing import drawn_amendment, drawn_order
from simulation.live import LiveSide
from simulation.venue import MischievousVenue
from simulation.world import SERVICES_SIMULATED, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from alphintra.contracts.orders import OrderView
    from alphintra.kernel.messages import Context

__all__ = ["POINTS", "STARTING_CASH", "Story", "next_orders_fail", "tell"]

_AT_HALTS: Final = ("risk.before_kill_commit", "broker.kill_stored", "broker.kill_committed")
POINTS: Final = tuple(
    point for point in KILL_POINTS + _AT_HALTS if point.split(".")[0] in {*SERVICES_SIMULATED, "relay", "consumer"}
)
AT_LIVE_DESKS: Final = (
    "broker.sending_stored",
    "broker.sending_committed",
    "broker.answer_kept",
    "broker.answer_kept_committed",
    "broker.cancel_answered",
    "broker.report_stored",
    "broker.fill_stored",
    "broker.fill_committed",
    "broker.group_planned",
)
STARTING_CASH: Final = Decimal(100_000)
_SYMBOLS: Final = ("AAA", "BBB")
_ROUNDS_MAX: Final = 200
_ARMS: Final = 0.1
_BLOCKING: Final = frozenset({"cancel_only", "halted"})
_LIVE: Final = 0.6
_AT_LIVE_DESK: Final = 0.85
_WORKING: Final = frozenset({"new", "partially_filled"})
_KNOWS_IDS: Final = 0.6
# After which an approval that trading never took gives its reservation back, also by a clock that was set back an hour.
_HOLD_S: Final = 3700


@dataclass(slots=True)
class Story:
    """One run: who asked for what, and what they know of it."""

    world: World
    feed_id: UUID
    owner: Context
    operator: Context
    accounts: list[UUID] = field(default_factory=list)
    asked: dict[str, SubmitOrder | ReplaceOrder] = field(default_factory=dict)
    known: dict[str, UUID] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    seq: int = 0
    step: AdvanceMarket | None = None
    prices: dict[str, Decimal] = field(default_factory=lambda: {symbol: Decimal(50) for symbol in _SYMBOLS})
    blocked: dict[UUID, str] = field(default_factory=dict)
    market_at: datetime = field(init=False)
    fills: int = 0
    is_ahead: bool = False
    live: LiveSide | None = None
    has_live: bool = True
    is_live_desk: bool = False
    points: tuple[str, ...] = POINTS

    def __post_init__(self) -> None:
        """Begin the market's own time, which no clock steps."""
        self.market_at = self.world.clock.at

    async def open(self, count: int) -> None:
        """Open accounts and wait until they may trade and have prices."""
        for number in range(count):
            command = OpenAccount(
                name=f"sim {self.feed_id} {number}", starting_cash=STARTING_CASH, feed_id=self.feed_id
            )
            self.accounts.append((await self.world.ask(command, self.owner)).account_id)
        if self.is_live_desk or (self.has_live and self.world.rng.random() < _LIVE):
            await self._open_live()
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
        if self.live is not None:
            self.live.venue.behaves = False  # the healing above had it behave

    async def _open_live(self) -> None:
        """Open an account at a venue elsewhere."""
        rng, name = self.world.rng, f"live {self.feed_id}"
        command = OpenAccount(
            name=name, starting_cash=STARTING_CASH, feed_id=self.feed_id, mode=AccountMode.LIVE, confirm=name
        )
        account_id = (await self.world.ask(command, self.owner)).account_id
        knows_ids, counts_prior = rng.random() < _KNOWS_IDS, rng.random() < 0.5
        venue = MischievousVenue(
            rng, cash=STARTING_CASH, at=self.market_at, knows_ids=knows_ids, counts_prior=counts_prior
        )
        self.accounts.append(account_id)
        await self.heal()
        self.live = LiveSide(self.world, account_id, self.owner, venue)
        await self.live.connect()

    async def act(self) -> None:
        """Do one thing."""
        rng, world = self.world.rng, self.world
        acts: tuple[tuple[int, Callable[[], Awaitable[Any]]], ...] = (
            (20, self.submit),
            (5, self.cancel),
            (5, self.replace),
            (4, self.ask_again),
            (12, self.market),
            (16, lambda: world.relay(rng.choice(SERVICES_SIMULATED))),
            (24, lambda: world.deliver(rng.choice(tuple(world.pending)))),
            (1, self.block),
            (4, self.release),
            (1, self.step_clock),
            *self._acts_of_live(),
        )
        (act,) = rng.choices([act for _weight, act in acts], [weight for weight, _act in acts])
        if rng.random() < _ARMS:
            world.arm(rng.choice(self.points), rng.randint(1, 3))
        self.pass_time(rng.choice((0.001, 0.05, 0.4, 3.0)))
        try:
            await act()
        except AlphintraError as error:
            world.note("failed", error.code)
            if error.kind not in {Kind.UNAVAILABLE, Kind.CONFLICT, Kind.LIMITED}:
                raise

    def _acts_of_live(self) -> tuple[tuple[int, Callable[[], Awaitable[Any]]], ...]:
        if self.live is None:
            return ()
        if not self.is_live_desk:
            return ((24, self.live.act),)
        return (
            (40, self.live.act),
            (24, self.replace),
            (40, self._hand_on),
            (2, self.live.resolve_breaks),
            (2, lambda: self.lift_latches(self.world.rng.choice(self.accounts))),
        )

    async def _hand_on(self) -> None:
        """Let what trading asks reach the venue, and what the venue tells reach trading, if nothing goes wrong."""
        if self.live is not None:
            for teller, hearer in (("trading", "broker"), ("broker", "trading")):
                await self.world.relay(teller)
                await self.world.deliver((hearer, teller))
                await self.live.exchange()

    def pass_time(self, seconds: float) -> None:
        """Let time go by, for the services as for those who stand outside."""
        self.world.pass_time(seconds)
        self.market_at += timedelta(seconds=seconds)
        if self.live is not None:
            self.live.venue.at = self.market_at

    async def submit(self) -> None:
        """Place an order of any kind; where no answer comes its fate is unknown."""
        name = f"s{len(self.asked)}"
        account_id = self._drawn_account()
        self.asked[name] = drawn_order(
            self.world.rng, account_id, self._client_id(name), self.prices, at=self.world.clock.at
        )
        await self.place(name)

    def _drawn_account(self) -> UUID:
        if self.live is not None and self.is_live_desk and self.world.rng.random() < _AT_LIVE_DESK:
            return self.live.account_id
        return self.world.rng.choice(self.accounts)

    async def replace(self) -> None:
        """Ask for another order in the place of a known one."""
        if not self.known:
            return
        old = await self._drawn_order()
        name = f"r{len(self.asked)}"
        price = self.prices[old.symbol]
        self.asked[name] = drawn_amendment(self.world.rng, old, self._client_id(name), price)
        await self.place(name)

    async def _drawn_order(self) -> OrderView:
        """Return a known order: one that works, if one is drawn soon."""
        for _ in range(6):
            order_id = self.known[self.world.rng.choice(list(self.known)[-12:])]
            order = await self.world.ask(GetOrder(order_id=order_id), self.owner)
            if order.status in _WORKING:
                break
        return order

    async def place(self, name: str) -> None:
        """Ask for an order of ours, for the first time or again."""
        is_new = name not in self.tried
        self.tried.add(name)
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
        if is_new and self.blocked.get(order.account_id) in _BLOCKING and order.status != "denied":
            message = f"I7: {name} was taken though its account is {self.blocked[order.account_id]}"
            raise AssertionError(message)
        if self.known.setdefault(name, order.order_id) != order.order_id:
            message = f"{name} was answered as two orders"
            raise AssertionError(message)

    def _client_id(self, name: str) -> str:
        return f"{self.feed_id.hex[:8]}-{name}"

    async def ask_again(self) -> None:
        """Repeat an order: one nobody answered, else any."""
        names = self.unknown or list(self.asked)
        if names:
            await self.place(self.world.rng.choice(names))

    async def cancel(self) -> None:
        """Cancel any known order."""
        if self.known:
            order_id = self.known[self.world.rng.choice(list(self.known))]
            order = await self.world.ask(CancelOrder(order_id=order_id), self.owner)
            self.world.note("cancel", order.status)

    async def block(self) -> None:
        """Let an account only reduce, only cancel, or do nothing."""
        await self._set_state(
            self.world.rng.choice(self.accounts), self.world.rng.choice(("reduce_only", "cancel_only", "halted"))
        )

    async def release(self) -> None:
        """Let a blocked account trade again."""
        if self.blocked:
            await self._set_state(self.world.rng.choice(list(self.blocked)), "normal")

    async def _set_state(self, account_id: UUID, state: str) -> None:
        command = SetKillState(scope="account", account_id=account_id, state=state, reason="story")
        await self.world.ask(command, self.operator)
        if state == "normal":
            self.blocked.pop(account_id, None)
        else:
            self.blocked[account_id] = state
        self.world.note("kill", state)

    async def _missed(self, names: Mapping[str, UUID], wanted: OrderStatus) -> list[str]:
        """Have the orders stand like this, by a cancellation if need be; return what does not."""
        missed = []
        for name in names:
            order_id = self.known.get(name)
            if order_id is not None and wanted is OrderStatus.CANCELED:
                await self.world.ask(CancelOrder(order_id=order_id), self.owner)
        await self.heal()
        for name, account_id in names.items():
            order_id = self.known.get(name)
            order = None if order_id is None else await self.world.ask(GetOrder(order_id=order_id), self.owner)
            if order is None or order.status is not wanted:
                stands = self.refused.get(name) if order is None else f"{order.status} {order.reason_code}"
                missed.append(f"I13: the next order of account {account_id} is {stands} instead of {wanted}")
        return missed

    async def lift_latches(self, account_id: UUID) -> None:
        """Let symbols trade again that were blocked because more was executed than was ordered."""
        for latch in (await self.world.ask(ListLatches(account_id=account_id), self.operator)).latches:
            await self.world.ask(LiftLatch(latch_id=latch.latch_id, reason="story"), self.operator)
            self.world.note("lifted", latch.code)

    async def step_clock(self) -> None:
        """Set the clock of all services an hour on, or back to the hour it was set on by before."""
        seconds = -3600.0 if self.is_ahead else 3600.0
        self.is_ahead = not self.is_ahead
        self.world.pass_time(seconds)
        self.world.note("clock", seconds)

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
        self.pass_time(60)
        bars = []
        for symbol, before in self.prices.items():
            close = round(before * Decimal(rng.randint(9600, 10400)) / 10_000, 2)
            high, low = max(before, close) * Decimal("1.01"), min(before, close) * Decimal("0.99")
            self.prices[symbol] = close
            bars.append(
                BarView(
                    symbol=symbol,
                    ts=self.market_at,
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
                await self.place(name)
            if self.step is not None:
                await self.market()
            for service in SERVICES_SIMULATED:
                await world.relay(service)
            for way in world.pending:
                await world.deliver(way, in_order=True)
            self.pass_time(0.05 if self.live is None else 1.0)
            is_settled = self.live is None or await self.live.settle()
            if is_settled and not self.unknown and self.step is None and not await world.waiting():
                world.pass_time(_HOLD_S)
                await world.sweep()
                return
        stuck = {way: [message.subject for message in waiting] for way, waiting in world.pending.items() if waiting}
        message = f"the world does not come to rest: {stuck}, unanswered {self.unknown}"
        raise AssertionError(message)


async def next_orders_fail(story: Story) -> list[str]:
    """I13: once everything is released each account's next order works, and comes off again when it is canceled."""
    for account_id in list(story.blocked):
        await story._set_state(account_id, "normal")
    for account_id in story.accounts:
        await story.lift_latches(account_id)
    names = {f"alive{number}": account_id for number, account_id in enumerate(story.accounts)}
    for name, account_id in names.items():
        story.asked[name] = SubmitOrder(
            account_id=account_id,
            client_order_id=story._client_id(name),
            symbol="AAA",
            side=Side.BUY,
            qty=Decimal(1),
            type=OrderType.LIMIT,
            limit_price=round(story.prices["AAA"] * Decimal("0.8"), 2),
            time_in_force=TimeInForce.GTC,
        )
        await story.place(name)
    return [*await story._missed(names, OrderStatus.NEW), *await story._missed(names, OrderStatus.CANCELED)]


async def tell(world: World, *, actions: int, points: tuple[str, ...] = (), is_live_desk: bool = False) -> Story:
    """Play a story of so many actions, with power cuts at some of the points, and heal.

    Args:
        world: where it is played.
        actions: how many things happen before the healing.
        points: where the power may be cut; anywhere on the path of orders, unless named.
        is_live_desk: whether nearly everything happens at the account of a venue elsewhere.
    """
    feed_id, owner_id = world.ids.new(), world.ids.new()
    story = Story(world, feed_id, world.person(owner_id, "trader"), world.person(world.ids.new(), "owner", "operator"))
    story.points = points or (POINTS + AT_LIVE_DESKS if is_live_desk else POINTS)
    story.is_live_desk = is_live_desk
    await story.open(1 if is_live_desk else 2)
    for _ in range(actions):
        await story.act()
    await story.heal()
    return story
