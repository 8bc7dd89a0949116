"""Orders of strategies through trading and risk, both as they run: versions, blocks, closing by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from alphintra.contracts import risk as from_risk
from alphintra.contracts.broker import OrderAcknowledged
from alphintra.contracts.orders import StopLoss, TakeProfit
from alphintra.contracts.trading import AccountOpened, OrderSubmitted, ReplaceOrder
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.messages import Actor, Context, Event
from alphintra.kernel.vocabulary import AccountMode, OrderClass, OrderStatus, OrderType
from alphintra.risk.endpoints import ControlEndpoints
from alphintra.risk.repository import RiskRecords
from alphintra.trading.service import reports
from fixtures.single_service import PowerCutError, delivery_of, opened
from integration.risk.desk import Desk as RiskDesk
from integration.risk.desk import operator, report
from integration.trading.desk import Desk, Risk, new_id, trading_desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from alphintra.contracts.orders import OrderView
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase

E = TypeVar("E", bound=Event)
BOOK, OTHER = UUID(int=71), UUID(int=72)


class Judge(Risk):
    """The risk service itself, on a database of its own; ``after`` happens once while its answer is on the way."""

    desk: RiskDesk
    after: Callable[[], Awaitable[None]] | None = None

    async def assess(self, requests: Sequence[tuple[from_risk.AssessOrder, Context]]) -> Sequence[Any]:
        """Answer a batch."""
        answers = await self.desk.endpoints.assess_orders(requests)
        after, self.after = self.after, None
        if after is not None:
            await after()
        return answers

    async def release(self, command: from_risk.ReleaseOrder, context: Context) -> from_risk.ReleasedView:
        """Take a reservation back."""
        return await self.desk.endpoints.release_order(command, context)


class Floor:
    """Trading and risk, and a strategy that asks for orders."""

    def __init__(self, desk: Desk, judge: Judge) -> None:
        self.desk = desk
        self.judge = judge
        self.risk = judge.desk
        self._delivered: set[UUID] = set()
        self.elsewhere = UUID(int=0)

    async def open(self) -> None:
        """Open an account in both, with AAPL at 100, and another one in risk."""
        self.desk.account_id = (await self.desk.open_account()).account_id
        self.risk.owner_id = self.desk.owner_id
        event = AccountOpened(
            account_id=self.desk.account_id,
            owner_id=self.desk.owner_id,
            mode=AccountMode.PAPER,
            currency="USD",
            starting_cash=Decimal(1_000_000),
            feed_id=self.risk.feed_id,
        )
        await self.risk.endpoints.on_account_opened(delivery_of(event, aggregate_id=self.desk.account_id))
        self.elsewhere = await self.risk.open_account()
        await self.risk.mark(AAPL="100", MSFT="100")

    async def place(self, name: str, book_id: UUID | None = BOOK, version: str = "v1", **wishes: Any) -> OrderView:  # noqa: ANN401 - those of SubmitOrder
        """Have a strategy ask for an order."""
        actor = Actor(id=f"deployment:{book_id}", user_id=self.desk.owner_id, roles=("trader",))
        command = self.desk.order(name, book_id=book_id, strategy_hash=version if book_id else "", **wishes)
        return await self.desk.ask(command, Context(trace_id="strategy", actor=actor))

    async def restrict(self, symbol: str, account_id: UUID | None = None) -> None:
        """Put a symbol on the restricted list."""
        office = ControlEndpoints(records=RiskRecords(self.risk.database), clock=self.risk.clock, ids=self.risk.ids)
        command = from_risk.RestrictSymbol(symbol=symbol, reason="list 7", account_id=account_id)
        await office.restrict_symbol(command, operator())

    async def accepted(self) -> None:
        """Let risk hear of the orders trading has accepted."""
        for row in await self.desk.rows("select event_id, payload from event_log where subject like '%submitted'"):
            if row["event_id"] not in self._delivered:
                self._delivered.add(row["event_id"])
                event = _event(OrderSubmitted, row["payload"])
                delivery = delivery_of(event, aggregate_id=event.terms.order_id)
                await self.risk.endpoints.on_order_submitted(delivery)

    async def barred(self, *, times: int = 1) -> int:
        """Let trading hear which orders have to go, each telling so many times; returns how many tellings were new."""
        rows = await self.risk.stored("event_log", "event_id, payload", "subject like '%orders_barred' order by seq")
        fresh = [row for row in rows if row["event_id"] not in self._delivered]
        for row in fresh:
            self._delivered.add(row["event_id"])
            delivery = delivery_of(_event(from_risk.OrdersBarred, row["payload"]), aggregate_id=new_id())
            for _ in range(times):
                await self.desk.hear(delivery)
        return len(fresh)

    async def kill(self, state: str) -> None:
        """Block the strategy, or release it."""
        command = from_risk.SetKillState(scope="strategy", state=state, reason="drill", book_id=BOOK)
        await self.risk.endpoints.set_kill_state(command, operator())


@pytest_asyncio.fixture
async def floor(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], nats_server: NatsServer
) -> AsyncIterator[Floor]:
    judge = Judge()
    async with (
        opened(await service_database("risk")) as database,
        trading_desk(await service_database("trading"), nats_server, risk=judge) as desk,
    ):
        judge.desk = RiskDesk(database, clock=desk.clock)
        floor = Floor(desk, judge)
        await floor.open()
        yield floor


def _event(kind: type[E], payload: str) -> E:
    """Return a stored event."""
    return msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(payload)["event"]), type=kind)


def limit_order(price: str = "99", **wishes: Any) -> dict[str, Any]:  # noqa: ANN401 - those of SubmitOrder
    """Return the wishes of a limit order."""
    return {"type": OrderType.LIMIT, "limit_price": Decimal(price), **wishes}


async def test_a_strategy_trades_in_its_approved_version_alone_and_its_orders_remember_it(floor: Floor) -> None:
    await floor.risk.limit(floor.desk.account_id, controls=LimitControls(strategies_allowed={str(BOOK): "v1"}))
    assert (await floor.place("a")).status is OrderStatus.PENDING_NEW
    for name, book_id, version in (("b", BOOK, "v2"), ("c", OTHER, "v1")):
        order = await floor.place(name, book_id, version)
        assert (order.status, order.reason_code) == (OrderStatus.DENIED, "STRATEGY_NOT_APPROVED")
    assert (await floor.place("d", None)).status is OrderStatus.PENDING_NEW
    rows = await floor.desk.rows("select client_order_id, book_id, strategy_hash from orders order by 1")
    assert [tuple(row) for row in rows] == [("a", BOOK, "v1"), ("b", BOOK, "v2"), ("c", OTHER, "v1"), ("d", None, "")]


async def test_every_leg_of_a_strategys_group_is_judged_and_kept_as_its_own(floor: Floor) -> None:
    await floor.kill("halted")
    bracket: dict[str, Any] = {
        "order_class": OrderClass.BRACKET,
        "take_profit": TakeProfit(limit_price=Decimal(120)),
        "stop_loss": StopLoss(stop_price=Decimal(80)),
    }
    refused = await floor.place("g", **bracket)
    assert (refused.status, refused.reason_code) == (OrderStatus.DENIED, "KILL_ACTIVE")
    await floor.kill("normal")
    await floor.place("h", **bracket)
    rows = await floor.desk.rows("select strategy_hash, book_id from orders where client_order_id like 'h%'")
    assert [tuple(row) for row in rows] == [("v1", BOOK)] * 3


async def test_a_blocked_strategy_places_nothing_and_others_go_on(floor: Floor) -> None:
    await floor.kill("halted")
    assert (await floor.place("a")).reason_code == "KILL_ACTIVE"
    assert (await floor.place("b", OTHER)).status is OrderStatus.PENDING_NEW
    assert (await floor.place("c", None)).status is OrderStatus.PENDING_NEW
    await floor.kill("normal")
    assert (await floor.place("d")).status is OrderStatus.PENDING_NEW


async def test_a_replacement_is_judged_as_an_order_of_the_strategy_whose_order_it_replaces(floor: Floor) -> None:
    order = await floor.place("a", **limit_order())
    await floor.desk.tell(OrderAcknowledged(order_id=order.order_id, venue_order_id="v"))
    await floor.kill("halted")
    wish = ReplaceOrder(order_id=order.order_id, client_order_id="a-2", limit_price=Decimal(98))
    replaced = await floor.desk.ask(wish)
    assert (replaced.status, replaced.reason_code) == (OrderStatus.DENIED, "KILL_ACTIVE")
    (row,) = await floor.desk.rows("select strategy_hash from orders where client_order_id = 'a-2'")
    assert row["strategy_hash"] == "v1"


async def test_while_two_instances_run_a_deployment_its_orders_are_denied(floor: Floor) -> None:
    for seconds, instance in ((0, "a"), (1, "b"), (2, "a")):
        floor.desk.clock.pass_time(seconds=seconds)
        await report(floor.risk, instance, BOOK)
    assert (await floor.place("a")).reason_code == "FLEET_MISMATCH"
    assert (await floor.place("b", OTHER)).status is OrderStatus.PENDING_NEW


async def test_blocking_a_strategy_has_its_working_orders_canceled_and_no_others(floor: Floor) -> None:
    await floor.place("mine", **limit_order())
    await floor.place("theirs", OTHER, **limit_order())
    await floor.place("by-hand", None, **limit_order())
    await floor.accepted()
    await floor.kill("reduce_only")
    assert await floor.barred() == 0
    await floor.kill("halted")
    assert await floor.barred(times=2) == 1
    assert await floor.desk.statuses() == {"mine": "pending_cancel", "theirs": "pending_new", "by-hand": "pending_new"}
    code = await floor.desk.value("select reason_code from orders where client_order_id = 'mine'")
    assert code == "KILL_SWITCH"
    assert (await floor.desk.told()).count("cancel_requested") == 1


async def test_an_order_in_flight_while_its_strategy_is_blocked_is_canceled_once_it_is_accepted(floor: Floor) -> None:
    async def block() -> None:
        await floor.kill("halted")
        assert await floor.barred() == 1  # trading has looked for orders, and this one is not there yet

    floor.judge.after = block
    order = await floor.place("late", **limit_order())
    assert order.status is OrderStatus.PENDING_NEW
    await floor.accepted()
    assert await floor.barred() == 1
    assert await floor.desk.statuses() == {"late": "pending_cancel"}


async def test_orders_in_a_restricted_symbol_are_canceled_those_in_flight_and_whole_groups_too(floor: Floor) -> None:
    bracket: dict[str, Any] = {
        "order_class": OrderClass.BRACKET,
        "take_profit": TakeProfit(limit_price=Decimal(120)),
        "stop_loss": StopLoss(stop_price=Decimal(80)),
    }
    await floor.place("apple", None, **limit_order(), **bracket)
    await floor.place("other", None, **limit_order(symbol="MSFT"))
    await floor.accepted()

    async def restrict() -> None:
        await floor.restrict("AAPL")
        await floor.barred()

    floor.judge.after = restrict
    await floor.place("late", None, **limit_order())
    await floor.accepted()
    await floor.barred()
    states = await floor.desk.statuses()
    assert states.pop("other") == "pending_new"
    assert set(states) == {"apple", "apple-tp", "apple-sl", "late"}
    assert set(states.values()) == {"pending_cancel"}


async def test_a_symbol_restricted_for_another_account_leaves_orders_alone_and_so_does_a_lifted_block(
    floor: Floor,
) -> None:
    await floor.place("apple", **limit_order())
    await floor.restrict("AAPL", floor.elsewhere)
    await floor.kill("halted")
    await floor.kill("normal")
    await floor.accepted()  # accepted only now, when nothing stands against it any more
    told = await floor.risk.stored("event_log", "payload", "subject like '%orders_barred'")
    assert [bool(_event(from_risk.OrdersBarred, row["payload"]).order_id) for row in told] == [False, False]


async def test_what_was_barred_while_trading_was_away_is_canceled_when_it_hears_of_it(floor: Floor) -> None:
    await floor.place("apple", **limit_order())
    await floor.accepted()
    await floor.kill("cancel_only")
    telling = await floor.risk.stored("event_log", "payload", "subject like '%orders_barred'")
    (event,) = (_event(from_risk.OrdersBarred, row["payload"]) for row in telling)
    delivery = delivery_of(event, aggregate_id=new_id())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "request_cancels", _power_cut)
        with pytest.raises(PowerCutError):
            await floor.desk.hear(delivery)
    assert await floor.desk.statuses() == {"apple": "pending_new"}
    await floor.desk.hear(delivery)
    assert await floor.desk.statuses() == {"apple": "pending_cancel"}


async def test_a_telling_that_names_nothing_cancels_nothing(floor: Floor) -> None:
    await floor.place("apple", **limit_order())
    await floor.desk.tell(from_risk.OrdersBarred(code="KILL_SWITCH"))
    assert await floor.desk.statuses() == {"apple": "pending_new"}


async def _power_cut(*_args: object, **_named: object) -> None:
    raise PowerCutError
