"""A strategy on a live account through the real trading, risk and broker, to a venue with Alpaca's or Kraken's words.

Strategy runs in a process of its own and is killed between an order and its fill; the venue fills while nobody listens.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import pytest_asyncio

import alphintra
from alphintra.broker.app import wire as wire_broker
from alphintra.contracts.broker import AddConnection, GetConnection
from alphintra.contracts.nocode import CreateWorkflow
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import SetKillState
from alphintra.contracts.strategy import (
    ControlFeed,
    CreateDeployment,
    CreateFeed,
    DeploymentView,
    GetDeployment,
    GetFeed,
    ListDecisions,
)
from alphintra.contracts.trading import (
    GetAccount,
    ListBooks,
    ListExecutions,
    ListOrders,
    ListPositions,
    OpenAccount,
    SubmitOrder,
)
from alphintra.engine.graph import canonical_json
from alphintra.infrastructure.signing import SigningKey
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from alphintra.nocode.app import wire as wire_nocode
from alphintra.risk.app import wire as wire_risk
from alphintra.trading.app import wire as wire_trading
from fixtures.bar_market import BarMarket, running_market
from fixtures.exchange import server as exchange_side
from fixtures.exchange.server import SimulatedExchange, running_exchange
from fixtures.services import operator_context, person_context
from fixtures.venue import server as venue_side
from fixtures.venue.server import SimulatedVenue, running_venue
from fixtures.waiting import until
from integration.broker.live_desk import KEYS
from integration.strategy.test_live_deployments import HOLD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from alphintra.kernel.messages import Command
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase
    from fixtures.services import RunningService, StartService

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OPEN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAIT_S = 120.0
SEED = base64.b64encode(bytes(range(32))).decode()


class Venue(Protocol):
    """A simulated venue, its symbol and the live bars of it."""

    symbol: str
    source: str

    @property
    def cash(self) -> Decimal:
        """The account's cash there."""
        ...

    def connection(self, account_id: Any) -> AddConnection:  # noqa: ANN401 - an id
        """Return what connects an account to it."""
        ...

    def orders(self) -> int:
        """How many orders it was sent."""
        ...

    async def fill(self, order: OrderView, qty: str, price: str) -> None:
        """Execute part of an order."""
        ...


@dataclass
class AtAlpaca:
    """The simulated Alpaca."""

    venue: SimulatedVenue
    symbol: str = "AAPL"
    source: str = "alpaca"

    @property
    def cash(self) -> Decimal:
        """The account's cash there."""
        return self.venue.market.cash

    def connection(self, account_id: Any) -> AddConnection:  # noqa: ANN401 - an id
        """Return what connects an account to it."""
        keys = {"key_id": venue_side.KEY_ID, "secret_key": venue_side.SECRET}
        return AddConnection(
            account_id=account_id, adapter="alpaca", environment="paper", credentials=keys, base_url=self.venue.url
        )

    def orders(self) -> int:
        """How many orders it was sent."""
        return len(self.venue.market.rows)

    async def fill(self, order: OrderView, qty: str, price: str) -> None:
        """Execute part of an order."""
        await self.venue.fill(order.client_order_id, qty, price)


@dataclass
class AtKraken:
    """The simulated Kraken, spoken to by ccxt."""

    exchange: SimulatedExchange
    symbol: str = "BTC/USD"
    source: str = "ccxt:kraken"

    @property
    def cash(self) -> Decimal:
        """The account's cash there."""
        return self.exchange.books.usd

    def connection(self, account_id: Any) -> AddConnection:  # noqa: ANN401 - an id
        """Return what connects an account to it."""
        return AddConnection(
            account_id=account_id,
            adapter="ccxt",
            exchange="kraken",
            environment="paper",
            credentials={"key_id": exchange_side.KEY_ID, "secret_key": exchange_side.SECRET},
            base_url=self.exchange.url,
        )

    def orders(self) -> int:
        """How many orders it was sent."""
        return len(self.exchange.books.orders)

    async def fill(self, order: OrderView, qty: str, price: str) -> None:
        """Execute part of an order."""
        (row,) = self.exchange.books.by_client_id(order.order_id.hex)
        self.exchange.fill(row, Decimal(qty), Decimal(price))


@dataclass
class Town:
    """The services, a venue, a market of bars, and a person with a live account."""

    trading: RunningService
    venue: Venue
    market: BarMarket
    folder: Path
    told: dict[str, Any]
    owner: Any = field(default_factory=lambda: person_context("trader", user_id=SystemIds().new()))
    process: asyncio.subprocess.Process | None = None
    minute: int = 0
    account_id: Any = None
    feed_id: Any = None
    deployment_id: Any = None

    async def ask(self, command: Command[Any]) -> Any:  # noqa: ANN401 - as the command says
        """Ask any service, as the edge does."""
        return await self.trading.ask(command, self.owner)

    async def until(self, command: Command[Any], is_so: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - as the command says
        """Ask until the answer is so; what is not there yet is waited for."""
        found: list[Any] = []

        async def holds() -> bool:
            try:
                found.append(await self.ask(command))
            except AlphintraError:
                return False
            return is_so(found[-1])

        await until(holds, seconds=WAIT_S)
        return found[-1]

    def pass_to(self, moment: datetime) -> None:
        """Let strategy's clock show a time."""
        clock = Path(self.told["clock"])
        fresh = clock.with_suffix(".new")
        fresh.write_text(moment.isoformat())
        fresh.replace(clock)

    async def start(self) -> None:
        """Start strategy's process."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        told = self.folder / "told.json"
        told.write_text(json.dumps(self.told | {"ready": str(ready)}))
        root = Path(__file__).parents[2]
        paths = (str(Path(alphintra.__file__).parent.parent), str(root))
        keys = {"APCA_API_KEY_ID": "k", "APCA_API_SECRET_KEY": "s"}
        with (self.folder / "strategy.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "integration.strategy.strategy_process", str(told)),
                env={**os.environ, **keys, "PYTHONPATH": ":".join(paths)},
                stdout=log,
                stderr=log,
            )
        await until(ready.exists, seconds=WAIT_S)

    async def kill(self) -> None:
        """End strategy as a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def bar(self, close: str) -> None:
        """Let the next minute's bar happen, and return when strategy has done its step."""
        self.market.happen(self.venue.symbol, OPEN + self.minute * MINUTE, close)
        self.minute += 1
        self.pass_to(OPEN + self.minute * MINUTE + timedelta(seconds=5))
        await self.until(GetFeed(feed_id=self.feed_id), lambda feed: feed.seq == self.minute)

    async def newest_order(self) -> OrderView:
        """Return the deployment's newest order once it works at the venue."""
        listed = ListOrders(account_id=self.account_id)

        def works(found: Any) -> bool:  # noqa: ANN401 - orders
            own = [order for order in found.orders if order.book_id == self.deployment_id]
            return bool(own) and own[0].status == "new"

        found = await self.until(listed, works)
        order: OrderView = next(each for each in found.orders if each.book_id == self.deployment_id)
        return order

    async def held(self) -> dict[Any, Decimal]:
        """Return what trading's books hold."""
        positions = (await self.ask(ListPositions(account_id=self.account_id))).positions
        return {position.book_id: position.qty for position in positions}

    async def deployment(self) -> DeploymentView:
        """Return the deployment."""
        found: DeploymentView = await self.ask(GetDeployment(deployment_id=self.deployment_id))
        return found

    async def begin(self) -> None:
        """Open the feed, the account and its connection."""
        self.pass_to(OPEN + timedelta(seconds=5))
        await self.start()
        wanted = CreateFeed(name="live", symbols=(self.venue.symbol,), source=self.venue.source, timeframe="1Min")
        self.feed_id = (await self.until(wanted, lambda made: made is not None)).feed_id
        await self.until(GetFeed(feed_id=self.feed_id), lambda feed: feed.status == "paused")
        await self.ask(ControlFeed(feed_id=self.feed_id, action="resume"))
        account = OpenAccount(
            name="main",
            starting_cash=self.venue.cash,
            feed_id=self.feed_id,
            mode=AccountMode.LIVE,
            confirm="main",
        )
        self.account_id = (await self.ask(account)).account_id
        await self.until(self.venue.connection(self.account_id), lambda made: made is not None)
        await self.until(GetConnection(account_id=self.account_id), lambda found: found.status == "open")
        await self.until(GetAccount(account_id=self.account_id), lambda found: found.status == "active")
        await self.bar("10")

    async def deploy(self) -> None:
        """Deploy the strategy that holds ten above eleven."""
        graph = canonical_json(HOLD).decode()
        version = await self.ask(CreateWorkflow(name="hold", graph=graph))
        command = CreateDeployment(
            version_id=version.version_id,
            account_id=self.account_id,
            symbol=self.venue.symbol,
            capital=Decimal(10_000),
            feed_id=self.feed_id,
            confirm="main",
        )
        self.deployment_id = (await self.ask(command)).deployment_id


@pytest_asyncio.fixture(params=["alpaca", "ccxt-kraken"])
async def town(
    request: pytest.FixtureRequest,
    start_service: StartService,
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    nats_server: NatsServer,
    tmp_path: Path,
) -> AsyncIterator[Town]:
    async with AsyncExitStack() as opened:
        venue: Venue
        if request.param == "alpaca":
            venue = AtAlpaca(await opened.enter_async_context(running_venue(SimulatedVenue())))
        else:
            venue = AtKraken(await opened.enter_async_context(running_exchange(SimulatedExchange())))
        market = await opened.enter_async_context(running_market())
        trading = await start_service("trading", wire_trading)
        await start_service("risk", wire_risk, secrets={"approval_seed": SEED})
        broker_secrets = {"approval_verify_key": SigningKey(SEED).public_text, "connection_keys": KEYS}
        await start_service("broker", wire_broker, secrets=broker_secrets)
        await start_service("nocode", wire_nocode)
        login = nats_server.login("strategy")
        told = {
            "database_url": (await service_database("strategy")).dsn(),
            "nats": {"url": login.url, "user": login.user, "seed": login.seed},
            "catalogue": str(tmp_path / "catalogue"),
            "clock": str(tmp_path / "clock"),
            "urls": {"alpaca": market.url, "ccxt:kraken": market.url},
        }
        made = Town(trading=trading, venue=venue, market=market, folder=tmp_path, told=told)
        try:
            yield made
        finally:
            if made.process is not None and made.process.returncode is None:
                await made.kill()


async def test_a_strategy_killed_between_its_order_and_the_fill_trades_on_with_what_it_holds(town: Town) -> None:
    await town.begin()
    # What the account holds otherwise is nobody's business: it is there before, and untouched after.
    by_hand = SubmitOrder(
        account_id=town.account_id,
        client_order_id="by-hand",
        symbol=town.venue.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        qty=Decimal(3),
        time_in_force=TimeInForce.GTC,
    )
    placed = await town.ask(by_hand)
    await until(lambda: town.venue.orders() == 1, seconds=WAIT_S)
    await town.venue.fill(placed, "3", "10")
    await town.until(ListPositions(account_id=town.account_id), lambda found: bool(found.positions))

    await town.deploy()
    await town.bar("12")
    entry = await town.newest_order()
    await town.kill()
    await town.venue.fill(entry, "4", "12.1")
    await town.venue.fill(entry, "6", "12.2")
    await town.until(ListExecutions(account_id=town.account_id), lambda found: len(found.executions) == 3)
    await town.start()
    await town.bar("12")
    await town.bar("13")
    assert (await town.deployment()).position_qty == Decimal(10)
    assert town.venue.orders() == 2  # it did not buy anew

    await town.bar("10")
    leaving = await town.newest_order()
    assert (leaving.side, leaving.qty) == (Side.SELL, Decimal(10))
    await town.kill()
    await town.venue.fill(leaving, "10", "9.9")
    await town.until(ListExecutions(account_id=town.account_id), lambda found: len(found.executions) == 4)
    await town.start()
    await town.bar("10")
    done = await town.deployment()
    books = {book.book_id: book for book in (await town.ask(ListBooks(account_id=town.account_id))).books}
    own = books[town.deployment_id]
    assert (done.position_qty, done.status, town.venue.orders()) == (Decimal(0), "active", 3)
    assert (done.cash, done.realized_pnl, done.fees) == (own.cash, own.realized_pnl, own.fees)
    assert await town.held() == {None: Decimal(3), town.deployment_id: Decimal(0)}

    blocked = SetKillState(scope="account", state="halted", reason="a test", account_id=town.account_id)
    await town.trading.ask(blocked, operator_context())
    await town.bar("12")
    decided = (await town.ask(ListDecisions(deployment_id=town.deployment_id, outcome="intent"))).decisions
    assert (decided[0].order_code, town.venue.orders()) == ("KILL_ACTIVE", 3)
