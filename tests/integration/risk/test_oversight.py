"""What those who watch risk are shown: use of every limit, kill states of every scope, why limits were set."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.contracts import oversight
from alphintra.contracts import risk as messages
from alphintra.contracts.assessments import LimitsView
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.messages import Context
from alphintra.kernel.vocabulary import Side
from alphintra.risk.endpoints import ControlEndpoints
from alphintra.risk.repository import RiskRecords
from fixtures.single_service import acting
from integration.risk.desk import Desk, operator

if TYPE_CHECKING:
    from uuid import UUID

BUY = Side.BUY


def office(desk: Desk) -> ControlEndpoints:
    return ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)


async def used(desk: Desk, account: UUID, context: Context | None = None) -> dict[str, tuple[str, Decimal, Decimal]]:
    """Return rule, use and limit by what the limit is of."""
    view = await office(desk).get_limit_use(oversight.GetLimitUse(account_id=account), context or desk.owner)
    return {f"{one.what} {one.name}".strip(): (one.rule, one.used, one.most) for one in view.uses}


async def test_every_limit_that_is_set_is_shown_with_its_use_the_unused_ones_too(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(AAPL="100")
    assert await used(desk, account) == {"position": ("R13", Decimal(0), Decimal(100_000))}
    controls = LimitControls(
        gross_exposure_max=Decimal(10_000), open_orders_max=4, message_burst=10, cancel_reserve=2,
        daily_loss_max=Decimal(500), drawdown_max_pct=Decimal(10),
    )  # fmt: skip
    await desk.limit(account, position_qty_max=Decimal(100), controls=controls)
    terms = desk.order(account, BUY, "80", "100")
    await desk.confirm(terms, await desk.approved(terms))
    found = await used(desk, account)
    assert found == {
        "messages": ("R07", Decimal(1), Decimal(8)),
        "open orders": ("R07", Decimal(1), Decimal(4)),
        "position AAPL": ("R13", Decimal(80), Decimal(100)),
        "gross exposure": ("R14", Decimal(8000), Decimal(10_000)),
        "daily loss": ("R15", Decimal(0), Decimal(500)),
        "drawdown": ("R15", Decimal(0), Decimal(10)),
    }
    assert list(found) == sorted(found, key=lambda what: int(found[what][0][1:]))
    desk.clock.pass_time(seconds=1)  # one token comes back
    assert (await used(desk, account))["messages"][1] == 0


async def test_a_loss_is_shown_as_last_marked(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(1, AAPL="100")
    await desk.limit(account, controls=LimitControls(daily_loss_max=Decimal(500), drawdown_max_pct=Decimal(10)))
    terms = desk.order(account, BUY, "10", "100")
    await desk.confirm(terms, await desk.approved(terms))
    await desk.fill(terms, "10", "100")
    await desk.mark(2, AAPL="100")
    await desk.mark(3, AAPL="80")
    found = await used(desk, account)
    assert found["daily loss"] == ("R15", Decimal(200), Decimal(500))
    assert round(found["drawdown"][1], 4) == Decimal("0.0200")


async def test_the_credit_others_share_is_told_to_those_who_govern_alone(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(AAPL="100")
    command = messages.SetSharedLimit(scope="firm", credit_max=Decimal(50_000))
    await office(desk).set_shared_limit(command, operator())
    terms = desk.order(account, BUY, "10", "100")
    await desk.confirm(terms, await desk.approved(terms))
    assert (await used(desk, account, operator()))["shared credit"] == ("R10", Decimal(1000), Decimal(50_000))
    assert "shared credit" not in await used(desk, account)


async def test_nobody_sees_the_use_of_anothers_limits(desk: Desk) -> None:
    account = await desk.open_account()
    with pytest.raises(AlphintraError, match="ACCOUNT_NOT_FOUND"):
        await used(desk, account, acting(desk.ids.new(), roles=("trader",)))


async def test_kill_states_of_every_scope_are_listed_to_those_they_concern(desk: Desk) -> None:
    account, stranger = await desk.open_account(), acting(desk.ids.new(), roles=("trader",))
    await desk.kill("halted", account)
    await desk.kill("reduce_only")
    await desk.kill("normal")
    scoped = messages.SetKillState(scope="symbol", state="cancel_only", reason="news", symbol="AAPL")
    await desk.endpoints.set_kill_state(scoped, operator())
    of_user = messages.SetKillState(scope="user", state="halted", reason="drill", owner_id=desk.owner_id)
    await desk.endpoints.set_kill_state(of_user, operator())
    ask = oversight.ListKillStates()
    found = await office(desk).list_kill_states(ask, operator())
    assert [(one.scope, one.state) for one in found.current] == [
        ("user", "halted"),
        ("symbol", "cancel_only"),
        ("account", "halted"),
    ]
    assert [one.epoch for one in found.history] == [5, 4, 3, 2, 1]
    own = await office(desk).list_kill_states(ask, desk.owner)
    assert [one.scope for one in own.current] == ["user", "symbol", "account"]
    others = await office(desk).list_kill_states(ask, stranger)
    assert [one.scope for one in others.current] == ["symbol"]
    assert [one.scope for one in others.history] == ["symbol", "firm", "firm"]
    with pytest.raises(AlphintraError, match="LIMIT_RANGE"):
        await office(desk).list_kill_states(oversight.ListKillStates(limit=0), operator())


async def test_the_reason_of_limits_is_kept_with_their_version_and_in_the_audit_trail(desk: Desk) -> None:
    account = await desk.open_account()
    view = await desk.limit(account, order_qty_max=Decimal(50), reason=" smaller after the outage ")
    assert view.reason == "smaller after the outage"
    again = await desk.limit(account, order_qty_max=Decimal(50), reason="the same once more")
    assert (again.version, again.reason) == (view.version, view.reason)
    versions = await office(desk).list_limits(messages.ListLimits(account_id=account), desk.owner)
    assert [one.reason for one in versions.versions] == ["smaller after the outage", ""]
    (row,) = await desk.stored("audit_events", "detail", "action = 'limits.set' order by recorded_at desc limit 1")
    assert msgspec.json.decode(row["detail"])["reason"] == "smaller after the outage"
    with pytest.raises(AlphintraError, match="KILL_REASON"):
        await desk.limit(account, order_qty_max=Decimal(60), reason="a\x00b")


async def test_a_proposal_shows_what_is_wanted_and_why(desk: Desk) -> None:
    account = await desk.open_account()
    command = messages.ProposeLimits(
        account_id=account, order_qty_max=Decimal(7), order_notional_max=Decimal(8), position_qty_max=Decimal(9),
        reason="a new desk",
    )  # fmt: skip
    await office(desk).propose_limits(command, operator())
    (found,) = (await office(desk).list_proposals(messages.ListProposals(account_id=account), desk.owner)).proposals
    assert isinstance(found.wanted, LimitsView)
    assert (found.wanted.order_qty_max, found.wanted.version, found.reason) == (Decimal(7), 1, "a new desk")
    decide = messages.DecideLimits(proposal_id=found.proposal_id, is_approved=True)
    await office(desk).decide_limits(decide, acting(desk.ids.new(), roles=("owner",)))
    limits = await desk.endpoints.get_limits(messages.GetLimits(account_id=account), desk.owner)
    assert (limits.version, limits.reason) == (2, "a new desk")


async def test_refused_orders_alone_are_listed_where_asked_for(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(AAPL="100")
    await desk.limit(account, order_qty_max=Decimal(5))
    await desk.decided(desk.order(account, BUY, "1", "100"))
    refused = desk.order(account, BUY, "6", "100")
    await desk.decided(refused)
    await desk.decided(desk.order(account, BUY, "2", "100"))
    ask = messages.ListAssessments(account_id=account, refused_only=True)
    (only,) = (await desk.endpoints.list_assessments(ask, desk.owner)).assessments
    assert (only.order_id, only.findings[0].code) == (refused.order_id, "RISK_QTY_MAX")
    both = await desk.endpoints.list_assessments(messages.ListAssessments(account_id=account), desk.owner)
    assert len(both.assessments) == 3


async def test_the_catalogue_names_every_rule_and_limit_once(desk: Desk) -> None:
    found = await office(desk).list_controls(oversight.ListControls(), desk.owner)
    assert {"R01", "R02", "R30"} <= {one.rule for one in found.controls}
    names = [one.limit for one in found.limits]
    assert len(names) == len(set(names)) == 4 + len(LimitControls.__struct_fields__)
