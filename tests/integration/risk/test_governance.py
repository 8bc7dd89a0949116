"""What people and the platform set, on real PostgreSQL: two people, latches, scopes, sessions, losses, credit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts import risk as messages
from alphintra.contracts.broker import BreakFound
from alphintra.contracts.risk import Assessment
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.messages import Context
from alphintra.kernel.vocabulary import Side
from alphintra.risk.endpoints import ControlEndpoints
from alphintra.risk.repository import RiskRecords
from alphintra.risk.service import watch
from fixtures.single_service import acting, delivery_of
from integration.risk.desk import Desk, codes_of, operator

BUY, SELL = Side.BUY, Side.SELL


def office(desk: Desk) -> ControlEndpoints:
    """Return the handlers of what is set."""
    return ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)


def second(desk: Desk) -> Context:
    """Return an owner who is not the operator."""
    return acting(desk.ids.new(), roles=("owner",))


async def code_of(answer: Awaitable[Any]) -> str:
    """Return the code a command was refused with."""
    with pytest.raises(AlphintraError) as refused:
        await answer
    return refused.value.code


async def limited(desk: Desk, account: UUID, **controls: Any) -> None:  # noqa: ANN401 - any further limit
    """Put further limits into force."""
    await desk.limit(account, controls=LimitControls(**controls))


async def test_a_further_limit_travels_is_stored_and_holds(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await limited(desk, account, price_collar_pct=Decimal(5), open_orders_max=1, symbols_allowed=("AAPL",))
    view = await desk.endpoints.get_limits(messages.GetLimits(account_id=account), desk.owner)
    assert view.controls == LimitControls(price_collar_pct=Decimal(5), open_orders_max=1, symbols_allowed=("AAPL",))
    first, far = await desk.assess(desk.order(account, BUY, "1", "105"), desk.order(account, BUY, "1", "106"))
    assert codes_of(first) == []
    assert codes_of(far) == ["RISK_PRICE_COLLAR", "RISK_OPEN_ORDERS_MAX"]
    (row,) = await desk.stored("assessments", "inputs, inputs_hash, limit_version", "not approved")
    assert row["limit_version"] == 2
    assert len(row["inputs_hash"]) == 32
    assert msgspec.json.decode(row["inputs"])["open_orders"] == 1


@pytest.mark.parametrize(
    ("controls", "code"),
    [
        ({"price_collar_pct": Decimal(0)}, "LIMIT_NOT_POSITIVE"),
        ({"credit_max": Decimal("NaN")}, "NUMBER_NOT_FINITE"),
        ({"message_burst": 5, "cancel_reserve": 5}, "LIMIT_RANGE"),
        ({"symbols_allowed": ("aapl",)}, "PRICE_SYMBOL"),
        ({"open_orders_max": 10**7}, "LIMIT_RANGE"),
    ],
)
async def test_a_further_limit_that_is_none_changes_nothing(desk: Desk, controls: dict[str, Any], code: str) -> None:
    account = await desk.open_account()
    assert await code_of(limited(desk, account, **controls)) == code
    assert len(await desk.stored("limit_sets", "version")) == 1


async def test_message_tokens_outlive_a_restart_and_come_back_with_time(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await limited(desk, account, message_burst=3, cancel_reserve=1)
    outcomes = await desk.assess(*(desk.order(account, BUY, "1", "100") for _ in range(4)))
    assert [codes_of(outcome) for outcome in outcomes] == [[], [], ["RISK_MSG_RATE"], ["RISK_MSG_RATE"]]
    (still,) = await desk.restarted().assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(still) == ["RISK_MSG_RATE"]
    desk.clock.pass_time(seconds=2)
    (later,) = await desk.restarted().assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(later) == []


async def test_the_same_content_within_the_window_is_a_duplicate_also_in_a_batch(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await limited(desk, account, duplicate_window_s=5)
    outcomes = await desk.assess(*(desk.order(account, BUY, "1", "100") for _ in range(2)))
    assert [codes_of(outcome) for outcome in outcomes] == [[], ["RISK_DUPLICATE"]]
    desk.clock.pass_time(seconds=4)
    (again,) = await desk.restarted().assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(again) == ["RISK_DUPLICATE"]
    desk.clock.pass_time(seconds=2)
    (late,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(late) == []


async def test_orders_of_two_accounts_of_an_owner_do_not_meet(desk: Desk) -> None:
    first, other = await desk.open_account(), await desk.open_account()
    await desk.mark(AAPL="100")
    await desk.approved(desk.order(first, BUY, "1", "100"))
    await limited(desk, other, is_self_match_refused=True)
    await desk.limit(other, may_short=True, controls=LimitControls(is_self_match_refused=True))
    meeting, apart = await desk.assess(desk.order(other, SELL, "1", "100"), desk.order(other, SELL, "1", "101"))
    assert codes_of(meeting) == ["RISK_SELF_MATCH"]
    assert codes_of(apart) == []


async def test_credit_of_a_user_holds_over_all_accounts_under_a_race(desk: Desk) -> None:
    accounts = [await desk.open_account() for _ in range(4)]
    await desk.mark(AAPL="100")
    command = messages.SetSharedLimit(scope="user", owner_id=desk.owner_id, credit_max=Decimal(1000))
    await office(desk).set_shared_limit(command, operator())
    orders = [desk.order(account, BUY, "1", "100") for account in accounts for _ in range(25)]
    answers = await asyncio.gather(*(desk.decided(order) for order in orders))
    assert sum(not codes_of(outcome) for outcome in answers) == 10
    assert {code for outcome in answers for code in codes_of(outcome)} == {"RISK_CREDIT"}


async def test_shared_limits_are_read_as_they_were_set_and_only_by_who_governs(desk: Desk) -> None:
    await desk.open_account()
    people = office(desk)
    asked = messages.GetSharedLimit(scope="user", owner_id=desk.owner_id)
    assert await code_of(people.get_shared_limit(asked, operator())) == "SHARED_LIMIT_NOT_FOUND"
    both = messages.SetSharedLimit(
        scope="user", owner_id=desk.owner_id, credit_max=Decimal(1000), four_eyes_above=Decimal(10)
    )
    await people.set_shared_limit(both, operator())
    lifted = await people.set_shared_limit(msgspec.structs.replace(both, credit_max=None), operator())
    found = await people.get_shared_limit(asked, operator())
    assert found == lifted
    assert (found.version, found.credit_max, found.four_eyes_above) == (2, None, Decimal(10))
    assert await code_of(people.get_shared_limit(asked, desk.owner)) == "RISK_ROLE"
    wrong = messages.GetSharedLimit(scope="user")
    assert await code_of(people.get_shared_limit(wrong, operator())) == "LIMIT_SCOPE"


async def test_of_two_people_who_set_shared_limits_the_second_hears_of_the_first(desk: Desk) -> None:
    people = office(desk)
    first = messages.SetSharedLimit(scope="firm", credit_max=Decimal(1000), base_version=0)
    second = msgspec.structs.replace(first, credit_max=Decimal(5000))
    answers = await asyncio.gather(
        *(people.set_shared_limit(each, operator()) for each in (first, second)), return_exceptions=True
    )
    (refused,) = [each for each in answers if isinstance(each, AlphintraError)]
    assert (refused.code, refused.pointer) == ("VERSION_CONFLICT", "/base_version")
    assert "version 1 is in force" in refused.detail
    held = await people.get_shared_limit(messages.GetSharedLimit(scope="firm"), operator())
    assert held.version == 1
    again = msgspec.structs.replace(first, credit_max=held.credit_max)
    assert await people.set_shared_limit(again, operator()) == held, "an answer that got lost is asked for again"
    later = msgspec.structs.replace(first, credit_max=None, base_version=1)
    assert (await people.set_shared_limit(later, operator())).version == 2


async def test_of_two_people_who_set_an_accounts_limits_the_second_hears_of_the_first(desk: Desk) -> None:
    account = await desk.open_account()
    first = await desk.limit(account, order_qty_max=Decimal(10))
    base = first.version - 1
    assert await code_of(desk.limit(account, order_qty_max=Decimal(20), base_version=base)) == "VERSION_CONFLICT"
    assert await desk.limit(account, order_qty_max=Decimal(10), base_version=base) == first
    wide = messages.ProposeLimits(
        account_id=account,
        order_qty_max=Decimal(30),
        order_notional_max=Decimal(30),
        position_qty_max=Decimal(30),
        base_version=base,
    )
    assert await code_of(office(desk).propose_limits(wide, operator())) == "VERSION_CONFLICT"
    assert (await desk.limit(account, order_qty_max=Decimal(20), base_version=first.version)).version == base + 2


async def test_wider_limits_above_the_threshold_take_two_people(desk: Desk) -> None:
    account = await desk.open_account()
    people, other = office(desk), second(desk)
    await people.set_shared_limit(messages.SetSharedLimit(scope="firm", four_eyes_above=Decimal(10)), operator())
    assert await code_of(desk.limit(account)) == "LIMITS_TWO_PEOPLE"
    wide = Decimal(10_000_000)
    wanted = messages.ProposeLimits(
        account_id=account, order_qty_max=wide, order_notional_max=wide, position_qty_max=wide
    )
    proposal = await people.propose_limits(wanted, operator())
    decide = messages.DecideLimits(proposal_id=proposal.proposal_id, is_approved=True)
    assert await code_of(people.decide_limits(decide, operator())) == "SOD_VIOLATION"
    assert await code_of(people.decide_limits(decide, desk.owner)) == "RISK_ROLE"
    done = await people.decide_limits(decide, other)
    assert (done.is_approved, done.decided_by) == (True, other.actor.id)
    assert (await desk.endpoints.get_limits(messages.GetLimits(account_id=account), desk.owner)).version == 2
    assert await code_of(people.decide_limits(decide, other)) == "PROPOSAL_DECIDED"


async def test_leave_for_a_soft_refusal_is_given_by_another_person_and_used_once(desk: Desk) -> None:
    account = await desk.open_account(cash="100000000")
    await desk.mark(AAPL="1")
    await desk.limit(account, order_qty_max=Decimal(5))
    refused = desk.order(account, BUY, "6", "1")
    (outcome,) = await desk.assess(refused)
    assert codes_of(outcome) == ["RISK_QTY_MAX"]
    people = office(desk)
    asked = await people.request_override(
        messages.RequestOverride(order_id=refused.order_id, reason="client order"), operator()
    )
    give = messages.ApproveOverride(override_id=asked.override_id)
    assert await code_of(people.approve_override(give, operator())) == "SOD_VIOLATION"
    await people.approve_override(give, second(desk))
    outcomes = await desk.restarted().assess(*(desk.order(account, BUY, "6", "1") for _ in range(2)))
    assert [codes_of(outcome) for outcome in outcomes] == [[], ["RISK_QTY_MAX"]]
    (third,) = await desk.assess(desk.order(account, BUY, "6", "1"))
    assert codes_of(third) == ["RISK_QTY_MAX"]
    poor = desk.order(account, BUY, "1", "100000001")
    await desk.assess(poor)
    hard = messages.RequestOverride(order_id=poor.order_id, reason="x")
    assert await code_of(people.request_override(hard, operator())) == "OVERRIDE_HARD"


async def test_repeated_executions_latch_until_a_named_person_lifts_it(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await limited(desk, account, repeat_max=2)
    order = desk.order(account, BUY, "10", "100")
    await desk.approved(order)
    for _ in range(3):
        await desk.fill(order, "1", "100")
    (blocked,) = await desk.restarted().assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(blocked) == ["RISK_REPEAT_LATCHED"]
    desk.clock.pass_time(seconds=3600)
    (still,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(still) == ["RISK_REPEAT_LATCHED"]
    (latch,) = (await office(desk).list_latches(messages.ListLatches(account_id=account), desk.owner)).latches
    lift = messages.LiftLatch(latch_id=latch.latch_id, reason="looked into")
    assert await code_of(office(desk).lift_latch(lift, desk.owner)) == "RISK_ROLE"
    await office(desk).lift_latch(lift, operator())
    (free,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(free) == []


async def test_an_overfill_blocks_the_symbol_for_the_account_once(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100", MSFT="100")
    found = BreakFound(
        break_id=desk.ids.new(), account_id=account, code="OVERFILL", symbol="AAPL", order_id=None, detail="11 of 10"
    )
    for _ in range(2):
        await office(desk).on_break_found(delivery_of(found, aggregate_id=account))
    outcomes = await desk.assess(desk.order(account, BUY, "1"), desk.order(account, BUY, "1", symbol="MSFT"))
    assert [codes_of(outcome) for outcome in outcomes] == [["OVERFILL"], []]
    assert len(await desk.stored("latches", "latch_id")) == 1


@pytest.mark.parametrize("scope", ["user", "venue", "strategy"])
async def test_a_kill_of_a_wider_scope_blocks_its_orders_and_tells_of_its_accounts(desk: Desk, scope: str) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    book = desk.ids.new()
    keys: dict[str, Any] = {"user": {"owner_id": desk.owner_id}, "venue": {"venue": "paper"}}
    command = messages.SetKillState(scope=scope, state="halted", reason="drill", **keys.get(scope, {"book_id": book}))
    view = await desk.endpoints.set_kill_state(command, operator())
    assert view.epoch == 1
    asked = messages.AssessOrder(terms=desk.order(account, BUY, "1"), book_id=book)
    (outcome,) = await desk.restarted().endpoints.assess_orders([(asked, desk.owner)])
    assert codes_of(outcome) == ["KILL_ACTIVE"]
    assert isinstance(outcome, Assessment)
    assert outcome.kill_epoch == 1
    told = await desk.events("kill_state_changed")
    assert len(told) == (scope != "strategy")
    if told:
        assert str(account) in told[0]
        assert '"scope":"account"' in told[0].replace(" ", "")
    assert (await desk.kill("reduce_only")).epoch == 2
    eased = msgspec.structs.replace(command, state="normal")
    assert await code_of(desk.endpoints.set_kill_state(eased, acting(None, roles=()))) in {"KILL_ROLE", "KILL_EASE"}
    assert (await desk.endpoints.set_kill_state(eased, operator())).epoch == 3


async def test_a_session_that_falls_silent_cancels_and_stays_so(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    keep = messages.KeepSession(account_id=account, session_id="algo-1", timeout_s=5)
    people = office(desk)
    await people.keep_session(keep, desk.owner)
    desk.clock.pass_time(seconds=4)
    await people.keep_session(keep, desk.owner)
    desk.clock.pass_time(seconds=4)
    assert await lost(desk) == 0
    desk.clock.pass_time(seconds=2)
    assert await lost(desk.restarted()) == 1
    (outcome,) = await desk.assess(desk.order(account, BUY, "1"))
    assert codes_of(outcome) == ["KILL_ACTIVE"]
    await people.keep_session(keep, desk.owner)
    (still,) = await desk.assess(desk.order(account, BUY, "1"))
    assert codes_of(still) == ["KILL_ACTIVE"]


async def lost(desk: Desk) -> int:
    """Look for lost sessions once."""
    return await watch.find_lost_sessions(records=RiskRecords(desk.database), ids=desk.ids, at=desk.clock.now())


async def test_a_days_loss_reduces_then_halts_and_better_prices_do_not_release(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    await limited(desk, account, daily_loss_max=Decimal(50), daily_loss_halt=Decimal(100))
    order = desk.order(account, BUY, "10", "100")
    await desk.approved(order)
    await desk.fill(order, "10", "100")
    await desk.mark(2, AAPL="100")
    await desk.mark(3, AAPL="95.01")
    (fine,) = await desk.assess(desk.order(account, SELL, "1", "95"))
    assert codes_of(fine) == []
    await desk.mark(4, AAPL="95")
    refused, exit_order = await desk.assess(desk.order(account, BUY, "0.1"), desk.order(account, SELL, "1"))
    assert codes_of(refused)[0] == "RISK_LOSS_LIMIT"
    assert codes_of(exit_order) == []
    await desk.mark(5, AAPL="120")
    (still,) = await desk.restarted().assess(desk.order(account, BUY, "0.1"))
    assert "RISK_LOSS_LIMIT" in codes_of(still)
    await desk.mark(6, AAPL="90")
    (halted,) = await desk.assess(desk.order(account, SELL, "1"))
    assert codes_of(halted)[:2] == ["KILL_ACTIVE", "RISK_LOSS_LIMIT"]


async def test_instruments_restrictions_and_the_fleet_are_read_at_the_next_order(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    people = office(desk)
    await people.set_instrument(messages.SetInstrument(symbol="AAPL", tick=Decimal("0.05")), operator())
    assert (await people.get_instrument(messages.GetInstrument(symbol="AAPL"), operator())).tick == Decimal("0.05")
    (off,) = await desk.assess(desk.order(account, BUY, "1", "99.99"))
    assert codes_of(off) == ["ORDER_TICK"]
    assert isinstance(off, Assessment)
    assert "99.95 or 100" in off.findings[0].detail
    listed = await people.restrict_symbol(messages.RestrictSymbol(symbol="AAPL", reason="list 7"), operator())
    (barred,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(barred) == ["RISK_RESTRICTED"]
    assert await code_of(people.list_restrictions(messages.ListRestrictions(), desk.owner)) == "RISK_ROLE"
    await people.lift_restriction(messages.LiftRestriction(restriction_id=listed.restriction_id), operator())
    for instance, build in (("a", "1"), ("b", "2")):
        told = messages.ReportInstance(service="broker", instance=instance, build=build, config_hash="c")
        seen = await people.report_instance(told, operator())
    assert seen.differing == ("broker",)
    (mixed,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(mixed) == ["FLEET_MISMATCH"]
    desk.clock.pass_time(seconds=61)
    (agreed,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(agreed) == []


async def test_what_an_order_was_decided_from_is_told_to_those_who_may_know(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    people = office(desk)
    restrict = messages.RestrictSymbol(symbol="AAPL", reason="insider list 7", account_id=account)
    await people.restrict_symbol(restrict, operator())
    terms = desk.order(account, BUY, "1")
    await desk.assess(terms)
    asked = messages.GetDecisions(order_id=terms.order_id)
    (own,) = (await people.get_decisions(asked, desk.owner)).decisions
    (all_,) = (await people.get_decisions(asked, operator())).decisions
    assert [finding.code for finding in own.findings] == ["RISK_RESTRICTED"]
    assert (own.is_intact, own.limit_version, own.attempt) == (True, 1, 1)
    assert "insider" not in own.inputs
    assert "insider list 7" in all_.inputs
    assert await code_of(people.get_decisions(asked, acting(desk.ids.new()))) == "ORDER_NOT_FOUND"
    nobody = messages.GetDecisions(order_id=desk.ids.new())
    assert await code_of(people.get_decisions(nobody, operator())) == "ORDER_NOT_FOUND"


async def test_versions_of_limits_and_what_waits_for_a_second_person_are_listed(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await desk.limit(account, order_qty_max=Decimal(5))
    people = office(desk)
    versions = (await people.list_limits(messages.ListLimits(account_id=account), desk.owner)).versions
    assert [(each.version, each.order_qty_max) for each in versions] == [(2, Decimal(5)), (1, Decimal(100_000))]
    wide = Decimal(10)
    wanted = messages.ProposeLimits(
        account_id=account, order_qty_max=wide, order_notional_max=wide, position_qty_max=Decimal(1000)
    )
    proposal = await people.propose_limits(wanted, operator())
    waiting = messages.ListProposals(account_id=account, open_only=True)
    assert (await people.list_proposals(waiting, desk.owner)).proposals == (proposal,)
    decide = messages.DecideLimits(proposal_id=proposal.proposal_id, is_approved=True)
    decided = await people.decide_limits(decide, second(desk))
    assert (await people.list_proposals(waiting, desk.owner)).proposals == ()
    assert (await people.list_proposals(messages.ListProposals(account_id=account), desk.owner)).proposals == (decided,)
    terms = desk.order(account, BUY, "11", "0.5")
    await desk.assess(terms)
    asked = await people.request_override(
        messages.RequestOverride(order_id=terms.order_id, reason="agreed"), desk.owner
    )
    open_leave = messages.ListOverrides(account_id=account, open_only=True)
    assert (await people.list_overrides(open_leave, desk.owner)).overrides == (asked,)
    desk.clock.pass_time(seconds=86_400)
    assert (await people.list_overrides(open_leave, desk.owner)).overrides == ()
    assert (await people.list_overrides(messages.ListOverrides(account_id=account), desk.owner)).overrides == (asked,)
    stranger = acting(desk.ids.new())
    assert await code_of(people.list_limits(messages.ListLimits(account_id=account), stranger)) == "ACCOUNT_NOT_FOUND"
    assert await code_of(people.list_proposals(waiting, stranger)) == "ACCOUNT_NOT_FOUND"
    assert await code_of(people.list_overrides(open_leave, stranger)) == "ACCOUNT_NOT_FOUND"


# limit, orders side by side that only together break it, and the code the second is refused with
RACES: list[tuple[str, dict[str, Any], str]] = [
    ("position", {"position_qty_max": Decimal(10)}, "RISK_POSITION_MAX"),
    ("cash", {}, "RISK_BUYING_POWER"),
    ("open orders", {"controls": LimitControls(open_orders_max=1)}, "RISK_OPEN_ORDERS_MAX"),
    ("credit", {"controls": LimitControls(credit_max=Decimal(1000))}, "RISK_CREDIT"),
    ("exposure", {"controls": LimitControls(gross_exposure_max=Decimal(1000))}, "RISK_EXPOSURE"),
    ("tokens", {"controls": LimitControls(message_burst=1)}, "RISK_MSG_RATE"),
    ("duplicates", {"controls": LimitControls(duplicate_window_s=60)}, "RISK_DUPLICATE"),
]


@pytest.mark.parametrize(("_limit", "limits", "code"), RACES, ids=[race[0] for race in RACES])
async def test_of_two_orders_that_together_break_a_limit_exactly_one_passes(
    desk: Desk, _limit: str, limits: dict[str, Any], code: str
) -> None:
    account = await desk.open_account(cash="1000" if code == "RISK_BUYING_POWER" else "100000")
    await desk.mark(AAPL="100")
    await desk.limit(account, **limits)
    other = desk.restarted()  # another process on the same database
    pair = [service.assess(service.order(account, BUY, "6", "100")) for service in (desk, other)]
    found = sorted(codes_of(outcome) for (outcome,) in await asyncio.gather(*pair))
    assert found == [[], [code]]
    # What was decided holds for a service that has just started, too.
    (late,) = await desk.restarted().assess(desk.order(account, BUY, "6", "100"))
    assert codes_of(late) == [code]
