"""Orders and trades are copied and examined once; cases are closed by two people and shown to nobody they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts import risk as messages
from alphintra.contracts.trading import OrderClosed, OrderSubmitted
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from alphintra.risk.endpoints import SurveillanceEndpoints
from alphintra.risk.repository import SurveillanceRecords
from fixtures.single_service import acting, delivery_of
from integration.risk.desk import operator

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.surveillance import CaseView, DetectorView
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.messages import Context
    from integration.risk.desk import Desk


@dataclass(slots=True)
class Watch:
    """A desk whose orders are watched."""

    desk: Desk
    endpoints: SurveillanceEndpoints

    async def hear(self, *deliveries: Delivery[Any]) -> None:
        await self.endpoints.copy_actions(deliveries)

    async def submitted(self, terms: OrderTerms) -> Delivery[OrderSubmitted]:
        approval = await self.desk.approved(terms)
        event = OrderSubmitted(owner_id=self.desk.owner_id, book_id=None, terms=terms, approval=approval)
        return delivery_of(event, aggregate_id=terms.order_id, at=self.desk.clock.now())

    async def trade(self, account_id: UUID, side: Side, qty: str = "10") -> list[Delivery[Any]]:
        """Return what is told of an order that is filled at once."""
        self.desk.clock.pass_time(seconds=1)
        terms = self.desk.order(account_id, side, qty)
        submitted = await self.submitted(terms)
        fill = self.desk.fill_event(terms, qty, "100")
        return [submitted, delivery_of(fill, aggregate_id=terms.order_id, at=self.desk.clock.now())]

    async def wash(self) -> UUID:
        """Buy in one account and sell in another of the same person; returns the case."""
        one, other = await self.desk.open_account(), await self.desk.open_account()
        for account_id in (one, other):
            await self.desk.limit(account_id, may_short=True)
        await self.desk.mark(AAPL="100")
        await self.hear(*await self.trade(one, Side.BUY), *await self.trade(other, Side.SELL))
        assert await self.endpoints.examine_once() == 1
        (case,) = await self.cases()
        return case.case_id

    async def cases(self, context: Context | None = None, **more: Any) -> tuple[CaseView, ...]:  # noqa: ANN401 - any field
        return (await self.endpoints.list_cases(messages.ListCases(**more), context or operator())).cases

    async def case(self, case_id: UUID, context: Context | None = None) -> CaseView:
        return await self.endpoints.get_case(messages.GetCase(case_id=case_id), context or operator())

    async def step(self, case_id: UUID, action: str, by: Context, outcome: str | None = None) -> CaseView:
        command = messages.MoveCase(case_id=case_id, action=action, reason="seen", outcome=outcome)
        return await self.endpoints.move_case(command, by)

    async def detector(self, name: str) -> DetectorView:
        found = await self.endpoints.list_detectors(messages.ListDetectors(), operator())
        return next(one for one in found.detectors if one.detector == name)


@pytest.fixture
def watch(desk: Desk) -> Watch:
    records = SurveillanceRecords(desk.database)
    return Watch(desk, SurveillanceEndpoints(records=records, clock=desk.clock, ids=desk.ids))


def owner_of_the_firm(desk: Desk) -> Context:
    return acting(desk.ids.new(), roles=("owner",))


async def test_an_event_is_copied_once_with_the_price_risk_held(watch: Watch) -> None:
    account_id = await watch.desk.open_account()
    await watch.desk.mark(AAPL="99")
    told = await watch.trade(account_id, Side.BUY)
    await watch.hear(*told)
    await watch.hear(*told)
    rows = await watch.desk.stored("order_stream", "kind, qty, price, reference", "true order by happened_at, event_id")
    assert [tuple(row) for row in rows] == [
        ("new", Decimal(10), None, Decimal(99)),
        ("trade", Decimal(10), Decimal(100), Decimal(99)),
    ]


async def test_a_finding_opens_one_case_with_its_evidence_however_often_is_looked(watch: Watch) -> None:
    case_id = await watch.wash()
    assert await watch.endpoints.examine_once() == 0
    await watch.desk.stored("order_stream", "event_id")
    async with watch.desk.database._acquired() as connection:
        await connection.execute("update order_stream set is_seen = false")
    assert await watch.endpoints.examine_once() == 0
    case = await watch.case(case_id)
    assert (case.detector, case.state, case.parameter_version) == ("wash_trade", "open", 1)
    assert [one.side for one in case.evidence] == ["buy", "sell"]
    assert len(await watch.desk.events("case_opened")) == 1


async def test_two_people_close_a_case_and_every_step_is_kept(watch: Watch) -> None:
    case_id, ada, bob = await watch.wash(), owner_of_the_firm(watch.desk), owner_of_the_firm(watch.desk)
    await watch.step(case_id, "review", ada)
    await watch.step(case_id, "propose_closure", ada, "explained")
    with pytest.raises(AlphintraError) as refused:
        await watch.step(case_id, "confirm_closure", ada)
    assert refused.value.code == "CASE_FOUR_EYES"
    closed = await watch.step(case_id, "confirm_closure", bob)
    assert (closed.state, closed.outcome, len(closed.steps)) == ("closed", "explained", 3)
    assert [one.case_id for one in await watch.cases(state="closed")] == [case_id]
    assert len(await watch.desk.stored("audit_events", "action", "action like 'case.%'")) == 4
    with pytest.raises(AlphintraError) as refused:
        await watch.step(case_id, "review", bob)
    assert refused.value.code == "CASE_CLOSED"


async def test_a_key_of_the_same_person_is_no_second_pair_of_eyes(watch: Watch) -> None:
    case_id, ada = await watch.wash(), owner_of_the_firm(watch.desk)
    assert ada.actor.user_id is not None
    key = acting(ada.actor.user_id, roles=("owner",))
    await watch.step(case_id, "escalate", ada)
    await watch.step(case_id, "propose_closure", ada, "reported")
    with pytest.raises(AlphintraError) as refused:
        await watch.step(case_id, "confirm_closure", key)
    assert refused.value.code == "CASE_FOUR_EYES"


async def test_nobody_sees_a_case_about_themselves_and_traders_see_none(watch: Watch) -> None:
    case_id = await watch.wash()
    oneself = acting(watch.desk.owner_id, roles=("owner",))
    assert await watch.cases(oneself) == ()
    for attempt in (watch.case(case_id, oneself), watch.step(case_id, "review", oneself)):
        with pytest.raises(AlphintraError) as refused:
            await attempt
        assert refused.value.code == "CASE_NOT_FOUND"
    for attempt in (watch.case(case_id, watch.desk.owner), watch.step(case_id, "review", watch.desk.owner)):
        with pytest.raises(AlphintraError) as refused:
            await attempt
        assert refused.value.code == "SURVEILLANCE_ROLE"
    assert (await watch.case(case_id)).state == "open"


async def test_evidence_that_was_changed_is_not_shown_as_evidence(watch: Watch) -> None:
    case_id = await watch.wash()
    with pytest.raises(Exception, match="permission denied"):
        async with watch.desk.database._acquired() as connection:
            await connection.execute("update surveillance_cases set evidence = '[]'")
    assert len((await watch.case(case_id)).evidence) == 2


async def test_a_replay_finds_what_is_stored_with_the_parameters_in_force_and_opens_nothing(watch: Watch) -> None:
    case_id, now = await watch.wash(), watch.desk.clock.now()

    async def replayed(**changes: Any) -> messages.ReplayDetector:  # noqa: ANN401 - any field
        fields = {"detector": "wash_trade", "since": now - timedelta(hours=1), "until": now, **changes}
        return messages.ReplayDetector(**fields)

    found = await watch.endpoints.replay_detector(await replayed(), operator())
    assert [(one.case_id, one.actions) for one in found.findings] == [(case_id, 2)]
    strict = messages.SetDetector(detector="wash_trade", values={"window_s": Decimal("0.5")}, reason="review")
    assert (await watch.endpoints.set_detector(strict, operator())).version == 2
    found = await watch.endpoints.replay_detector(await replayed(), operator())
    assert (found.parameter_version, found.findings, found.actions) == (2, (), 4)
    assert len(await watch.cases()) == 1
    with pytest.raises(AlphintraError) as refused:
        await watch.endpoints.replay_detector(await replayed(until=now - timedelta(hours=2)), operator())
    assert refused.value.code == "RANGE"


async def test_parameters_are_due_for_review_after_a_year_and_an_alert_says_so(watch: Watch) -> None:
    before = await watch.detector("ramping")
    assert (before.version, before.is_overdue) == (1, False)
    watch.desk.clock.pass_time(seconds=86_400 * 367)
    assert (await watch.detector("ramping")).is_overdue
    await watch.endpoints.examine_once()
    rules = [row["rule"] for row in await watch.desk.stored("alerts", "rule")]
    assert set(rules) == {"review_due"}
    reviewed = messages.SetDetector(detector="ramping", values={}, reason="yearly review")
    assert not (await watch.endpoints.set_detector(reviewed, operator())).is_overdue


async def test_many_messages_for_no_trade_raise_an_alert(watch: Watch) -> None:
    account_id = await watch.desk.open_account()
    await watch.desk.mark(AAPL="100")
    terms = watch.desk.order(account_id, Side.BUY, "1", "90")
    submitted = await watch.submitted(terms)
    again = [
        delivery_of(submitted.event, aggregate_id=terms.order_id, at=watch.desk.clock.now() + timedelta(seconds=place))
        for place in range(100)
    ]
    await watch.hear(*again)
    await watch.endpoints.examine_once()
    assert [row["rule"] for row in await watch.desk.stored("alerts", "rule")] == ["order_to_trade"]


async def test_a_copy_that_comes_late_raises_an_alert(watch: Watch) -> None:
    account_id = await watch.desk.open_account()
    await watch.desk.mark(AAPL="100")
    told = await watch.trade(account_id, Side.BUY)
    watch.desk.clock.pass_time(seconds=6)
    await watch.hear(*told)
    await watch.endpoints.examine_once()
    assert [row["rule"] for row in await watch.desk.stored("alerts", "rule")] == ["copy_lag"]


async def test_a_closed_order_is_copied_by_how_it_ended(watch: Watch) -> None:
    account_id = await watch.desk.open_account()
    await watch.desk.mark(AAPL="100")
    terms = watch.desk.order(account_id, Side.BUY, "1", "90")
    heard: list[Delivery[OrderClosed]] = []

    async def keep(delivery: Delivery[OrderClosed]) -> None:
        heard.append(delivery)

    watch.desk.endpoints.on_order_closed = keep  # type: ignore[method-assign] # only its event is wanted
    await watch.desk.close(terms)
    await watch.hear(*heard)
    assert [row["kind"] for row in await watch.desk.stored("order_stream", "kind")] == ["cancel"]
