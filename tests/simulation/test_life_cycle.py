"""The life cycle of orders as a state machine that Hypothesis drives through the real services and shrinks.

Beside the services stands a model so simple that it cannot be wrong: what was answered under which name, and how much
cash and what positions the executions that trading shows make. It is held against the rows after every rule, whatever
state the world is in; once it has healed, everything `invariants` knows is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from decimal import Decimal
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from alphintra.contracts.trading import CancelOrder, ReplaceOrder, SubmitOrder
from alphintra.engine.portfolio import cash_delta
from alphintra.infrastructure import faults
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import TERMINAL, OrderType, Side, TimeInForce
from simulation.invariants import broken
from simulation.story import POINTS, STARTING_CASH, Story
from simulation.world import SERVICES_SIMULATED, PowerCutError, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from uuid import UUID

    from fixtures.postgres import ServiceDatabase

SYMBOLS: Final = ("AAA", "BBB")
FEW: Final = settings(max_examples=3, stateful_step_count=16, deadline=None, suppress_health_check=list(HealthCheck))
MANY: Final = settings(FEW, max_examples=40, stateful_step_count=50)
_numbers = count()


def cut_power() -> bool:
    raise PowerCutError


class LifeCycle(RuleBasedStateMachine):
    """One world, moved by rules; ``databases`` and ``statements`` are set by the test that runs it."""

    databases: Mapping[str, ServiceDatabase]
    statements: Mapping[str, str] | None = None
    healed: list[UUID]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world: World | None = None
        self.answered: dict[UUID, Any] = {}

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it gives
        """Do it; what may fail in a world like this fails."""
        try:
            return self.loop.run_until_complete(work)
        except AlphintraError:
            return None

    @initialize()
    def begin(self) -> None:
        """Open a world with two accounts."""
        number = next(_numbers)
        world = World(Random(f"world {number}"), self.databases, statements=self.statements)  # noqa: S311 - chance
        self.loop.run_until_complete(world.__aenter__())
        self.world = world
        owner, operator = world.person(world.ids.new(), "trader"), world.person(world.ids.new(), "owner", "operator")
        self.story = Story(world, world.ids.new(), owner, operator, has_live=False)
        self.loop.run_until_complete(self.story.open(2))
        self.trading = self.loop.run_until_complete(asyncpg.connect(self.databases["trading"].admin_dsn))
        self.do(self.trading.execute(f"set search_path to {self.databases['trading'].placement.schema}"))

    @rule(
        side=st.sampled_from(Side),
        symbol=st.sampled_from(SYMBOLS),
        qty=st.integers(1, 30),
        percent=st.sampled_from((None, 90, 100, 110)),
        lasts=st.sampled_from((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC)),
        account=st.integers(0, 1),
        reduces=st.booleans(),
    )
    def submit(  # noqa: PLR0913 - an order has these parts
        self, *, side: Side, symbol: str, qty: int, percent: int | None, lasts: TimeInForce, account: int, reduces: bool
    ) -> None:
        """Place an order at a share of the newest price, or at any price."""
        name = f"s{len(self.story.asked)}"
        price = None if percent is None else round(self.story.prices[symbol] * percent / 100, 2)
        self.story.asked[name] = SubmitOrder(
            account_id=self.story.accounts[account],
            client_order_id=f"{self.story.feed_id.hex[:8]}-{name}",
            symbol=symbol,
            side=side,
            qty=Decimal(qty),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            limit_price=price,
            time_in_force=lasts,
            reduce_only=reduces,
        )
        self.do(self.story.place(name))

    @precondition(lambda self: self.world is not None and self.story.known)
    @rule(pick=st.integers(0, 999), qty=st.integers(1, 30))
    def replace(self, *, pick: int, qty: int) -> None:
        """Ask for another quantity of an order that was answered."""
        known = list(self.story.known.values())
        name = f"r{len(self.story.asked)}"
        client_order_id = f"{self.story.feed_id.hex[:8]}-{name}"
        wish = ReplaceOrder(order_id=known[pick % len(known)], client_order_id=client_order_id, qty=Decimal(qty))
        self.story.asked[name] = wish
        self.do(self.story.place(name))

    @precondition(lambda self: self.world is not None and self.story.known)
    @rule(pick=st.integers(0, 999))
    def cancel(self, *, pick: int) -> None:
        """Cancel an order that was answered."""
        known = list(self.story.known.values())
        self.do(self.story.world.ask(CancelOrder(order_id=known[pick % len(known)]), self.story.owner))

    @rule()
    def ask_again(self) -> None:
        """Repeat an order."""
        self.do(self.story.ask_again())

    @rule(steps=st.integers(1, 3))
    def tick(self, *, steps: int) -> None:
        """Let the market move."""
        for _ in range(steps):
            self.do(self.story.market())

    @rule(service=st.sampled_from(SERVICES_SIMULATED))
    def publish(self, *, service: str) -> None:
        """Put what a service has to tell on its way."""
        self.do(self.story.world.relay(service))

    @rule(pick=st.integers(0, 99), in_order=st.booleans())
    def deliver(self, *, pick: int, in_order: bool) -> None:
        """Hand on some of what is on its way."""
        ways = tuple(self.story.world.pending)
        self.do(self.story.world.deliver(ways[pick % len(ways)], in_order=in_order))

    @rule(point=st.sampled_from(POINTS), passes=st.integers(1, 2))
    def arm(self, *, point: str, passes: int) -> None:
        """Have the power cut at a point of the path."""
        self.story.world.arm(point, passes)

    @rule()
    def step_clock(self) -> None:
        """Set the clock an hour on, or back to where it was."""
        self.do(self.story.step_clock())

    @rule(is_block=st.booleans())
    def block(self, *, is_block: bool) -> None:
        """Block an account, or let one trade again."""
        self.do(self.story.block() if is_block else self.story.release())

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        """Hold the rows against the model."""
        if self.world is not None:
            self.loop.run_until_complete(self._compare())

    async def _compare(self) -> None:
        accounts = self.story.accounts
        orders = {row["order_id"]: row for row in await self._rows("orders")}
        executions = await self._rows("executions")
        for name, order_id in self.story.known.items():
            assert order_id in orders, f"{name} was answered and is not there"
            before = self.answered.get(order_id)
            now = orders[order_id]
            assert before is None or now["version"] >= before["version"], f"{name} went back"
            assert before is None or now["filled_qty"] >= before["filled_qty"], f"{name} lost a fill"
            assert before is None or before["status"] not in TERMINAL or now["status"] == before["status"], f"{name}"
            self.answered[order_id] = now
        cash = dict.fromkeys(accounts, STARTING_CASH)
        held: dict[Any, Decimal] = defaultdict(Decimal)
        filled: dict[Any, Decimal] = defaultdict(Decimal)
        for row in executions:
            side = Side(row["side"])
            cash[row["account_id"]] += cash_delta(side, row["qty"], price=row["price"], fee=row["fee"])
            held[row["account_id"], row["symbol"]] += row["qty"] if side is Side.BUY else -row["qty"]
            filled[row["order_id"]] += row["qty"]
        assert {row["account_id"]: row["cash"] for row in await self._rows("accounts")} == cash
        found = {(row["account_id"], row["symbol"]): row["qty"] for row in await self._rows("positions")}
        assert {place: qty for place, qty in found.items() if qty} == {place: q for place, q in held.items() if q}
        assert all(row["filled_qty"] == filled[order_id] for order_id, row in orders.items())
        assert all(row["filled_qty"] <= row["qty"] for row in orders.values())

    async def _rows(self, table: str) -> list[Any]:
        asked = f"select * from {table} where account_id = any($1)"  # noqa: S608 - our own tables
        rows: list[Any] = await self.trading.fetch(asked, self.story.accounts)
        return rows

    def teardown(self) -> None:
        """Heal, and ask for everything."""
        try:
            if self.world is not None:
                self.loop.run_until_complete(self.trading.close())
                self.loop.run_until_complete(self.story.heal())
                assert self.loop.run_until_complete(broken(self.story)) == []
                self.healed.append(self.story.feed_id)
        finally:
            if self.world is not None:
                self.loop.run_until_complete(self.world.__aexit__())
            self.loop.close()


@pytest.fixture
def machine(
    service_databases: Mapping[str, ServiceDatabase], monkeypatch: pytest.MonkeyPatch
) -> type[LifeCycle]:  # fmt: skip
    monkeypatch.setattr(faults, "_is_ours", cut_power)
    return type("LifeCycleHere", (LifeCycle,), {"databases": service_databases, "healed": []})


@pytest.fixture
async def service_databases(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> Mapping[str, ServiceDatabase]:
    return {service: await service_database(service) for service in SERVICES_SIMULATED}


@pytest.mark.timeout(1200)
def test_orders_live_as_the_model_says(machine: type[LifeCycle]) -> None:
    run_state_machine_as_test(machine, settings=FEW)
    assert len(machine.healed) >= FEW.max_examples, "hardly a world was played to its end"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_orders_live_as_the_model_says_in_long_stories(machine: type[LifeCycle]) -> None:
    run_state_machine_as_test(machine, settings=MANY)
    assert len(machine.healed) >= MANY.max_examples, "hardly a world was played to its end"
