"""The kill switch of symbols, and what an API key of one mode or one account may block, release or set."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts import risk as messages
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import AccountMode, Side
from alphintra.risk.endpoints import ControlEndpoints, SurveillanceEndpoints
from alphintra.risk.repository import RiskRecords, SurveillanceRecords
from integration.risk.desk import Desk, codes_of, operator

if TYPE_CHECKING:
    from collections.abc import Awaitable

BUY, SELL = Side.BUY, Side.SELL
PAPER, LIVE = AccountMode.PAPER, AccountMode.LIVE


def key(desk: Desk, mode: AccountMode, account_id: UUID | None = None) -> Context:
    """Return what the owner of the accounts asks through an admin key."""
    actor = Actor(id="key:K", user_id=desk.owner_id, roles=("owner",), mode=mode, account_id=account_id)
    return Context(trace_id="0" * 32, actor=actor)


def kill(**wanted: Any) -> messages.SetKillState:  # noqa: ANN401 - a scope and its key
    """Return the command that halts a scope."""
    return messages.SetKillState(**{"state": "halted", "reason": "drill", **wanted})


async def code_of(answer: Awaitable[Any]) -> str:
    """Return the code a command was refused with, empty if it was not."""
    try:
        await answer
    except AlphintraError as error:
        return error.code
    return ""


async def test_a_block_of_a_symbol_holds_for_all_its_orders_and_no_others_after_a_restart(desk: Desk) -> None:
    accounts = [await desk.open_account() for _ in range(2)]
    await desk.mark(AAPL="100", MSFT="100")
    await desk.endpoints.set_kill_state(kill(scope="symbol", symbol="AAPL"), operator())
    orders = [desk.order(account, BUY, "1", symbol=symbol) for account in accounts for symbol in ("AAPL", "MSFT")]
    outcomes = await desk.restarted().assess(*orders)
    assert [codes_of(outcome) for outcome in outcomes] == [["KILL_ACTIVE"], []] * 2
    (told,) = await desk.events("kill_scope_changed")
    assert (msgspec.json.decode(told)["event"]["kill"]["symbol"], await desk.events("kill_state_changed")) == (
        "AAPL",
        [],
    )
    (barred,) = await desk.events("orders_barred")
    assert msgspec.json.decode(barred)["event"]["symbols"] == ["AAPL"]
    await desk.endpoints.set_kill_state(kill(scope="symbol", symbol="AAPL", state="reduce_only"), operator())
    assert codes_of((await desk.assess(desk.order(accounts[0], BUY, "1")))[0]) == ["RISK_REDUCE_ONLY"]
    await desk.endpoints.set_kill_state(kill(scope="symbol", symbol="AAPL", state="normal"), operator())
    assert codes_of((await desk.assess(desk.order(accounts[0], BUY, "1")))[0]) == []
    assert len(await desk.events("orders_barred")) == 1


async def test_an_order_accepted_after_the_block_of_its_symbol_has_to_go_again(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    terms = desk.order(account, BUY, "1")
    approval = await desk.approved(terms)
    await desk.endpoints.set_kill_state(kill(scope="symbol", symbol="AAPL"), operator())
    await desk.confirm(terms, approval)
    barred = [msgspec.json.decode(event)["event"] for event in await desk.events("orders_barred")]
    assert [event["order_id"] for event in barred if event["order_id"]] == [str(terms.order_id)]
    assert codes_of(await desk.renew(terms)) == ["KILL_ACTIVE"]


@pytest.mark.parametrize("named", [{"symbol": ""}, {"symbol": "aapl"}, {"symbol": "AAPL", "venue": "paper"}, {}])
async def test_a_symbol_that_is_none_is_not_blocked(desk: Desk, named: dict[str, Any]) -> None:
    assert await code_of(desk.endpoints.set_kill_state(kill(scope="symbol", **named), operator())) == "KILL_SCOPE"
    assert await desk.stored("scope_kills", "key") == []


@pytest.mark.parametrize("scope", ["user", "venue", "strategy", "symbol"])
async def test_a_block_of_any_scope_raises_an_alert_once_and_so_does_its_release(desk: Desk, scope: str) -> None:
    account, book = await desk.open_account(), desk.ids.new()
    await desk.mark(AAPL="100")
    asked = messages.AssessOrder(terms=desk.order(account, BUY, "1"), book_id=book)
    await desk.endpoints.assess_orders([(asked, desk.owner)])
    keys: dict[str, Any] = {
        "user": {"owner_id": desk.owner_id},
        "venue": {"venue": "paper"},
        "strategy": {"book_id": book},
        "symbol": {"symbol": "AAPL"},
    }
    named = keys[scope]
    for state in ("halted", "normal"):
        await desk.endpoints.set_kill_state(kill(scope=scope, state=state, **named), operator())
    for risk in (desk, desk, desk.restarted()):
        await risk.alerts.look(since=desk.clock.now() - timedelta(minutes=1))
    (key,) = named.values()
    raised = await desk.stored("alerts", "severity, subject, account_id, dedupe_key", "rule = 'kill_changed'")
    assert sorted((row["severity"], row["subject"], row["dedupe_key"]) for row in raised) == [
        ("critical", f"{scope}:{key}", f"kill_state:{scope}:{key}:1"),
        ("info", f"{scope}:{key}", f"kill_state:{scope}:{key}:2"),
    ]
    assert {row["account_id"] for row in raised} == {account if scope == "strategy" else None}


@pytest.mark.parametrize("mode", [PAPER, LIVE])
async def test_a_key_blocks_and_releases_no_more_than_it_reaches(desk: Desk, mode: AccountMode) -> None:
    account, other = await desk.open_account(), await desk.open_account()
    book = desk.ids.new()
    for scope, named in (
        ("firm", {}),
        ("user", {"owner_id": desk.owner_id}),
        ("symbol", {"symbol": "AAPL"}),
        ("strategy", {"book_id": book}),
        ("venue", {"venue": "alpaca"}),
    ):
        for state in ("halted", "normal"):
            command = kill(scope=scope, state=state, **named)
            for context in (key(desk, mode), key(desk, mode, account)):
                assert await code_of(desk.endpoints.set_kill_state(command, context)) == "AUTH_SCOPE", scope
    refused = desk.endpoints.set_kill_state(kill(scope="account", account_id=other), key(desk, mode, account))
    assert await code_of(refused) == "AUTH_SCOPE"
    assert await desk.stored("scope_kills", "key") == await desk.stored("kill_states", "scope") == []
    mine = await code_of(desk.endpoints.set_kill_state(kill(scope="account", account_id=account), key(desk, mode)))
    paper = await code_of(desk.endpoints.set_kill_state(kill(scope="venue", venue="paper"), key(desk, mode)))
    assert (mine, paper) == (("", "") if mode is PAPER else ("AUTH_SCOPE", "AUTH_SCOPE"))


async def test_a_key_blocks_a_strategy_that_trades_in_its_account(desk: Desk) -> None:
    account, other, book = await desk.open_account(), await desk.open_account(), desk.ids.new()
    await desk.mark(AAPL="100")
    asked = messages.AssessOrder(terms=desk.order(account, BUY, "1"), book_id=book)
    await desk.endpoints.assess_orders([(asked, desk.owner)])
    command = kill(scope="strategy", book_id=book)
    for context in (key(desk, LIVE), key(desk, PAPER, other)):
        assert await code_of(desk.endpoints.set_kill_state(command, context)) == "AUTH_SCOPE"
    assert await code_of(desk.endpoints.set_kill_state(command, key(desk, PAPER, account))) == ""


async def test_a_key_restricts_and_lifts_in_its_accounts_alone(desk: Desk) -> None:
    people = ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)
    account, other = await desk.open_account(), await desk.open_account()
    for_all = messages.RestrictSymbol(symbol="AAPL", reason="list 7")
    for_one = msgspec.structs.replace(for_all, account_id=account)
    for command, context in (
        (for_all, key(desk, PAPER)),
        (for_all, key(desk, PAPER, account)),
        (for_one, key(desk, PAPER, other)),
        (for_one, key(desk, LIVE)),
    ):
        assert await code_of(people.restrict_symbol(command, context)) == "AUTH_SCOPE"
    wide = await people.restrict_symbol(for_all, operator())
    narrow = await people.restrict_symbol(for_one, key(desk, PAPER, account))
    for view, context in (
        (wide, key(desk, PAPER)),
        (wide, key(desk, PAPER, account)),
        (narrow, key(desk, PAPER, other)),
        (narrow, key(desk, LIVE)),
    ):
        lift = messages.LiftRestriction(restriction_id=view.restriction_id)
        assert await code_of(people.lift_restriction(lift, context)) == "AUTH_SCOPE"
    assert len((await people.list_restrictions(messages.ListRestrictions(), operator())).restrictions) == 2
    shared = messages.SetSharedLimit(scope="firm", credit_max=None)
    assert await code_of(people.set_shared_limit(shared, key(desk, PAPER))) == "AUTH_SCOPE"
    assert await code_of(people.set_instrument(messages.SetInstrument(symbol="AAPL"), key(desk, PAPER))) == "AUTH_SCOPE"


async def test_a_key_sets_no_rule_of_alerts_and_no_detector_that_hold_for_all(desk: Desk) -> None:
    account = await desk.open_account()
    surveillance = SurveillanceEndpoints(records=SurveillanceRecords(desk.database), clock=desk.clock, ids=desk.ids)
    rule = messages.SetAlertRule(
        rule="loss", is_enabled=False, severity="info", threshold=Decimal(1), repeat_after_s=1, escalate_after_s=0
    )
    detector = messages.SetDetector(detector="wash_trade", values={}, reason="reviewed")
    since = desk.clock.now()
    replay = messages.ReplayDetector(detector="wash_trade", since=since, until=since + timedelta(hours=1))
    for context in (key(desk, PAPER), key(desk, LIVE), key(desk, PAPER, account)):
        assert await code_of(desk.alerts.set_alert_rule(rule, context)) == "AUTH_SCOPE"
        assert await code_of(surveillance.set_detector(detector, context)) == "AUTH_SCOPE"
        assert await code_of(surveillance.replay_detector(replay, context)) == "AUTH_SCOPE"
    assert await desk.stored("alert_rules", "rule", "true") == []
    assert await code_of(desk.alerts.set_alert_rule(rule, operator())) == ""
