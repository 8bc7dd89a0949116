"""What of Alpaca's configurations can be changed below /alpaca, and by whom, over answering services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts.auth import ApiKeyPrincipal, VerifyApiKey
from alphintra.contracts.orders import AccountsView, AccountView
from alphintra.contracts.risk import (
    GetLimits,
    GetRiskState,
    KillStateView,
    LimitsView,
    RiskStateView,
    SetKillState,
    SetLimits,
)
from alphintra.contracts.trading import ListAccounts
from alphintra.kernel.vocabulary import AccountMode
from fixtures.edge import KEY_HEADERS, USER_ID, Gateway, sample

ACCOUNT: Final = UUID("0190aaaa-0000-7000-8000-00000000000a")


@pytest.fixture(autouse=True)
def trader(gateway: Gateway) -> None:
    """A trader's paper key and one account that is not blocked."""
    replies = gateway.services.replies
    replies[VerifyApiKey] = ApiKeyPrincipal(
        user_id=USER_ID, role="trader", key_id="key1", scopes=("trade",), mode="paper"
    )
    account: AccountView = msgspec.structs.replace(sample(AccountView), account_id=ACCOUNT, mode=AccountMode.PAPER)
    replies[ListAccounts] = AccountsView(accounts=(account,))
    replies[GetRiskState] = blocked("account", "normal")


async def call(gateway: Gateway, method: str, path: str, **options: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
    answer = await gateway.client.request(method, f"/alpaca/v2{path}", headers=KEY_HEADERS, **options)
    return answer.status_code, answer.json()


def asked(gateway: Gateway, wanted: type) -> Any:  # noqa: ANN401 - a command
    (command,) = gateway.services.commands(wanted)
    return command


def blocked(scope: str, state: str = "cancel_only") -> RiskStateView:
    kill = msgspec.structs.replace(sample(KillStateView), scope=scope, state=state)
    return RiskStateView(
        account_id=ACCOUNT, cash=Decimal(0), reserved_cash=Decimal(0), exposures=(), kill_states=(kill,)
    )


def administrator(gateway: Gateway) -> None:
    gateway.services.replies[VerifyApiKey] = ApiKeyPrincipal(
        user_id=USER_ID, role="owner", key_id="key1", scopes=("trade", "admin"), mode="paper"
    )


async def test_configurations_that_equal_the_present_ones_are_taken_and_others_refused(gateway: Gateway) -> None:
    administrator(gateway)
    _, present = await call(gateway, "GET", "/account/configurations")
    assert await call(gateway, "PATCH", "/account/configurations", json=present) == (200, present)
    for change in ({"max_margin_multiplier": "4"}, {"fractional_trading": False}, {"pdt_check": "exit"}):
        status, body = await call(gateway, "PATCH", "/account/configurations", json={**change, "no_shorting": True})
        assert (status, body["code"], body["reason_code"]) == (403, 40310000, "CONFIGURATION_FIXED")
    both = {"no_shorting": not present["no_shorting"], "suspend_trade": True}
    status, body = await call(gateway, "PATCH", "/account/configurations", json=both)
    assert (status, body["reason_code"]) == (422, "CONFIGURATION_TOGETHER")
    assert gateway.services.commands(SetLimits) == gateway.services.commands(SetKillState) == []


async def test_no_shorting_is_a_limit_and_leaves_the_others_as_they_are(gateway: Gateway) -> None:
    administrator(gateway)
    limits = msgspec.structs.replace(sample(LimitsView), may_short=True)
    gateway.services.replies[GetLimits] = limits
    status, _ = await call(gateway, "PATCH", "/account/configurations", json={"no_shorting": True})
    command = asked(gateway, SetLimits)
    assert status == 200
    names = ("order_qty_max", "order_notional_max", "position_qty_max", "controls")
    assert [getattr(command, name) for name in names] == [getattr(limits, name) for name in names]
    assert (command.account_id, command.may_short) == (ACCOUNT, False)
    assert command.base_version == limits.version  # limits that others set meanwhile are not undone


async def test_suspending_trade_blocks_the_account_and_the_other_way_round(gateway: Gateway) -> None:
    administrator(gateway)
    status, _ = await call(gateway, "PATCH", "/account/configurations", json={"suspend_trade": True})
    command = asked(gateway, SetKillState)
    assert (status, command.scope, command.state, command.account_id) == (200, "account", "cancel_only", ACCOUNT)
    gateway.services.replies[GetRiskState] = blocked("account")
    assert (await call(gateway, "PATCH", "/account/configurations", json={"suspend_trade": False}))[0] == 200
    states = [getattr(each, "state", "") for each in gateway.services.commands(SetKillState)]
    assert states == ["cancel_only", "normal"]
    gateway.services.replies[GetRiskState] = blocked("firm", "halted")
    status, body = await call(gateway, "PATCH", "/account/configurations", json={"suspend_trade": False})
    assert (status, body["reason_code"]) == (403, "CONFIGURATION_FIXED")


@pytest.mark.parametrize("change", [{"no_shorting": False}, {"suspend_trade": True}])
async def test_a_key_that_may_trade_alone_changes_no_configuration(gateway: Gateway, change: dict[str, bool]) -> None:
    gateway.services.replies[GetLimits] = msgspec.structs.replace(sample(LimitsView), may_short=False)
    status, body = await call(gateway, "PATCH", "/account/configurations", json=change)
    assert (status, body["code"]) == (403, 40310000)
    assert gateway.services.commands(SetLimits) == gateway.services.commands(SetKillState) == []
