"""The account and what it is allowed, in Alpaca's terms: a cash account without margin."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.books import SummaryView
from alphintra.contracts.orders import AccountView
from alphintra.contracts.risk import GetLimits, LimitsView, RiskStateView, SetKillState, SetLimits
from alphintra.contracts.trading import GetAccount, GetSummary
from alphintra.edge.alpaca.desk import Desk, desk_of
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.reading import Fields, body_of
from alphintra.edge.alpaca.shapes import json_response, moment, money
from alphintra.edge.guards import Scope, gate_of
from alphintra.kernel.errors import Kind
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["change_configurations", "get_account", "get_configurations"]

NUMBER_CHARACTERS: Final = 12
NORMAL: Final = "normal"


async def get_account(request: Request) -> Response:
    """Fetch the account: cash, equity at the newest prices, and whether it may trade."""
    desk = await desk_of(request, Scope.READ)
    account, limits, worth, risk = await asyncio.gather(
        desk.caller.ask(GetAccount(account_id=desk.account_id)),
        desk.caller.ask(GetLimits(account_id=desk.account_id)),
        desk.caller.ask(GetSummary(account_id=desk.account_id)),
        desk.risk(),
    )
    return json_response(_shape(account, limits, worth, risk))


def _shape(account: AccountView, limits: LimitsView, worth: SummaryView, risk: RiskStateView) -> dict[str, object]:
    long_value, short_value = worth.long_market_value, worth.short_market_value
    buying_power = money(max(worth.buying_power - risk.reserved_cash, Decimal(0)))
    is_blocked = any(state.state != NORMAL for state in risk.kill_states)
    prefix = "PA" if account.mode is AccountMode.PAPER else ""
    return {
        "id": account.account_id,
        "account_number": prefix + account.account_id.hex[-NUMBER_CHARACTERS:].upper(),
        "status": "ACTIVE" if account.status == "active" else "ONBOARDING",
        "crypto_status": "ACTIVE" if account.status == "active" else "ONBOARDING",
        "currency": account.currency,
        "cash": money(worth.cash),
        "buying_power": buying_power,
        "regt_buying_power": buying_power,
        "daytrading_buying_power": "0",
        "non_marginable_buying_power": buying_power,
        "options_buying_power": "0",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "portfolio_value": money(worth.equity),
        "equity": money(worth.equity),
        "last_equity": money(worth.last_equity),
        "long_market_value": money(long_value),
        "short_market_value": money(short_value),
        "initial_margin": money(long_value - short_value),
        "maintenance_margin": money(long_value - short_value),
        "last_maintenance_margin": None,
        "sma": "0",
        "multiplier": "1",
        "daytrade_count": 0,
        "pattern_day_trader": False,
        "shorting_enabled": limits.may_short,
        "trading_blocked": is_blocked,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": is_blocked,
        "created_at": moment(account.created_at),
    }


async def get_configurations(request: Request) -> Response:
    """Fetch what the account is allowed."""
    return json_response(_configurations(*await _allowed(await desk_of(request, Scope.READ))))


async def change_configurations(request: Request) -> Response:
    """Change what has a meaning here: ``no_shorting``, a limit, and ``suspend_trade``, a block of the account.

    Values that equal the present ones are taken over. Raises CONFIGURATION_FIXED for what cannot be changed,
    CONFIGURATION_TOGETHER for both at once, which could end half done, AUTH_SCOPE for a key that may trade alone, and
    what risk refuses: limits that take two people, a block that the caller may not lift.
    """
    desk = await desk_of(request, Scope.TRADE)
    body = await body_of(request)
    limits, risk = await _allowed(desk)
    present = _configurations(limits, risk)
    changed = [name for name, value in present.items() if _differs(body, name, value)]
    for name in changed:
        if name not in _RIGHTS or _is_blocked_elsewhere(name, risk):
            message = f"{name} cannot be changed here: see `alphintra risk`"
            raise refused("CONFIGURATION_FIXED", message, kind=Kind.FORBIDDEN, pointer=f"/{name}")
    if len(changed) > 1:
        message = f"change {' and '.join(changed)} one after the other"
        raise refused("CONFIGURATION_TOGETHER", message, pointer=f"/{changed[1]}")
    for name in changed:
        await gate_of(request).admit(request, _RIGHTS[name])
        await desk.caller.ask(_command(name, desk, limits, is_set=body.flag(name) is True))
    return json_response(_configurations(*await _allowed(desk)) if changed else present)


_RIGHTS: Final = {"no_shorting": Scope.ADMIN, "suspend_trade": Scope.HALT}  # those of the platform's own routes


def _is_blocked_elsewhere(name: str, risk: RiskStateView) -> bool:
    """Tell whether trading is blocked by what the account cannot lift: the firm, its user, a strategy or a venue."""
    blocks = {state.scope for state in risk.kill_states if state.state != NORMAL}
    return name == "suspend_trade" and bool(blocks - {"account"})


def _command(name: str, desk: Desk, limits: LimitsView, *, is_set: bool) -> SetKillState | SetLimits:
    if name == "suspend_trade":
        state = "cancel_only" if is_set else NORMAL
        reason = f"suspend_trade was set {'on' if is_set else 'off'} in the configurations of the account"
        return SetKillState(scope="account", state=state, reason=reason, account_id=desk.account_id)
    return SetLimits(
        account_id=desk.account_id,
        order_qty_max=limits.order_qty_max,
        order_notional_max=limits.order_notional_max,
        position_qty_max=limits.position_qty_max,
        may_short=not is_set,
        controls=limits.controls,
        base_version=limits.version,  # what was read above: limits set meanwhile are not undone
    )


def _differs(body: Fields, name: str, value: object) -> bool:
    if not body.has(name):
        return False
    if isinstance(value, bool):
        return body.flag(name) is (not value)
    if isinstance(value, int) or name == "max_margin_multiplier":
        return body.amount(name) != Decimal(str(value))
    return body.text(name) != value


async def _allowed(desk: Desk) -> tuple[LimitsView, RiskStateView]:
    return await asyncio.gather(desk.caller.ask(GetLimits(account_id=desk.account_id)), desk.risk())


def _configurations(limits: LimitsView, risk: RiskStateView) -> dict[str, object]:
    return {
        "dtbp_check": "both",
        "fractional_trading": True,
        "max_margin_multiplier": "1",
        "max_options_trading_level": 0,
        "no_shorting": not limits.may_short,
        "pdt_check": "entry",
        "ptp_no_exception_entry": False,
        "suspend_trade": any(state.state != NORMAL for state in risk.kill_states),
        "trade_confirm_email": "none",
    }
