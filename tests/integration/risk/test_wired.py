"""Risk as it runs: wired, on NATS, asked by trading and strategy under their own keys, hearing trading's events."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.contracts import risk as messages
from alphintra.contracts.approval import OrderTerms, is_covered, seal_bytes
from alphintra.contracts.broker import BreakFound
from alphintra.contracts.trading import AccountOpened, OrderSubmitted
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.signing import SigningKey
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.messages import Event, subject_of
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from alphintra.manifest import SERVICES
from alphintra.risk.app import wire
from fixtures.services import StartService, operator_context, person_context
from fixtures.single_service import NOON

if TYPE_CHECKING:
    from uuid import UUID

    from nats.aio.client import Client

    from fixtures.nats import NatsServer
    from fixtures.services import RunningService

SEED = base64.b64encode(bytes(range(32))).decode()
IDS = SystemIds()
OWNER = IDS.new()
CONTEXT = person_context("trader", user_id=OWNER)
DEADLINE_S = 120


@asynccontextmanager
async def peer(nats_server: NatsServer, service: str) -> AsyncIterator[tuple[Bus, Client]]:
    """Connect as another service, with what that service may ask."""
    login = nats_server.login(service)
    link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
    asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in SERVICES[service].asks)
    bus = Bus(name=service, asks=asks, local=LocalDirectory(), nats=link)
    try:
        yield bus, link
    finally:
        await bus.close()


async def publish(link: Client, event: Event, aggregate_id: UUID, *, at: datetime = NOON) -> None:
    """Publish an event as its service's relay does."""
    text = encode_event(event, event_id=IDS.new(), aggregate_id=aggregate_id, context=CONTEXT, at=at)
    await link.jetstream().publish(subject_of(type(event)), text.encode())


async def until(risk: RunningService, query: str, wanted: list[str], *values: object) -> None:
    """Wait until a query's first column is as wanted, in a row each.

    The bus keeps what other tests published: a query names its own account.
    """
    async with asyncio.timeout(DEADLINE_S):
        while [str(next(iter(row.values()))) for row in await risk.query(query, *values)] != wanted:  # noqa: ASYNC110 - a database wakes no one
            await asyncio.sleep(0.02)


async def test_an_order_is_assessed_confirmed_and_blocked_over_the_bus(
    start_service: StartService, nats_server: NatsServer
) -> None:
    account_id, feed_id = IDS.new(), IDS.new()
    risk = await start_service("risk", wire, secrets={"approval_seed": SEED})
    async with peer(nats_server, "trading") as (trading, events), peer(nats_server, "strategy") as (strategy, _link):
        opened = AccountOpened(
            account_id=account_id,
            owner_id=OWNER,
            mode=AccountMode.PAPER,
            currency="USD",
            starting_cash=Decimal(1000),
            feed_id=feed_id,
        )
        await publish(events, opened, account_id)
        await until(risk, "select account_id from balances where account_id = $1", [str(account_id)], account_id)
        prices = (messages.MarkPrice(symbol="AAPL", price=Decimal(100)),)
        mark = messages.MarkPrices(feed_id=feed_id, seq=1, at=datetime(2026, 3, 2, tzinfo=UTC), prices=prices)
        assert (await strategy.ask(mark, CONTEXT)).seq == 1

        terms = OrderTerms(
            order_id=IDS.new(),
            client_order_id="one",
            account_id=account_id,
            symbol="AAPL",
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            qty=Decimal(4),
            limit_price=Decimal(100),
        )
        assessment = await trading.ask(messages.AssessOrder(terms=terms), CONTEXT)
        approval = assessment.approval
        assert approval is not None
        assert SigningKey(SEED).verify_key.is_signed(seal_bytes(approval.seal), approval.signature)
        assert is_covered(terms, approval)
        await publish(
            events, OrderSubmitted(owner_id=OWNER, book_id=None, terms=terms, approval=approval), terms.order_id
        )
        await until(risk, "select state from reservations", ["confirmed"])

        kill = messages.SetKillState(scope="account", state="halted", reason="drill", account_id=account_id)
        assert (await risk.ask(kill, operator_context())).epoch == 1
        again = await start_service("risk", wire, secrets={"approval_seed": SEED}, database=risk.database)
        refused = await trading.ask(messages.AssessOrder(terms=terms), CONTEXT)
        assert [finding.code for finding in refused.findings] == ["KILL_ACTIVE"]
        state = await again.ask(messages.GetRiskState(account_id=account_id), CONTEXT)
        assert state.reserved_cash == 400
        assert [kill_state.state for kill_state in state.kill_states] == ["halted"]
        await until(again, "select event_id from outbox", [])


async def test_alerts_are_stored_and_told_within_five_seconds_of_what_happened(
    start_service: StartService, nats_server: NatsServer
) -> None:
    account_id, feed_id = IDS.new(), IDS.new()
    risk = await start_service("risk", wire, secrets={"approval_seed": SEED})
    async with (
        peer(nats_server, "trading") as (trading, events),
        peer(nats_server, "broker") as (_broker, venue),
        peer(nats_server, "strategy") as (strategy, _link),
    ):
        opened = AccountOpened(
            account_id=account_id,
            owner_id=OWNER,
            mode=AccountMode.PAPER,
            currency="USD",
            starting_cash=Decimal(1000),
            feed_id=feed_id,
        )
        await publish(events, opened, account_id)
        await until(risk, "select account_id from balances where account_id = $1", [str(account_id)], account_id)
        prices = (messages.MarkPrice(symbol="AAPL", price=Decimal(100)),)
        mark = messages.MarkPrices(feed_id=feed_id, seq=1, at=datetime(2026, 3, 2, tzinfo=UTC), prices=prices)
        await strategy.ask(mark, CONTEXT)
        for _ in range(20):
            terms = OrderTerms(
                order_id=IDS.new(),
                client_order_id=f"c-{IDS.new()}",
                account_id=account_id,
                symbol="AAPL",
                side=Side.BUY,
                type=OrderType.LIMIT,
                time_in_force=TimeInForce.DAY,
                qty=Decimal(1_000_000),
                limit_price=Decimal(100),
            )
            assert (await trading.ask(messages.AssessOrder(terms=terms), CONTEXT)).findings
        found = BreakFound(
            break_id=IDS.new(), account_id=account_id, code="OVERFILL", symbol="AAPL", order_id=None, detail="11 of 10"
        )
        await publish(venue, found, account_id, at=datetime.now(UTC))  # noqa: TID251 - the clock of the service
        kill = messages.SetKillState(scope="account", state="halted", reason="drill", account_id=account_id)
        await risk.ask(kill, operator_context())
        told = "select distinct rule from alerts where account_id = $1 and rule <> 'feed_stale' order by 1"
        await until(risk, told, ["break_found", "kill_changed", "limit_breached"], account_id)
        await until(risk, "select event_id from outbox", [])
    lags = "select extract(epoch from max(raised_at - happened_at)) from alerts where account_id = $1"
    (row,) = await risk.query(lags, account_id)
    slowest = next(iter(row.values()))
    assert 0 <= slowest < 5
