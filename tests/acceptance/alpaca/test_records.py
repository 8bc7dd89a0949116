"""Activities, worth over time and announcements through the unmodified alpaca-py."""

from __future__ import annotations

import warnings
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    from alpaca.common.exceptions import APIError
    from alpaca.trading.enums import CorporateActionType, OrderSide, OrderStatus, TimeInForce
    from alpaca.trading.models import NonTradeActivity, TradeActivity
    from alpaca.trading.requests import (
        GetCorporateAnnouncementsRequest,
        GetPortfolioHistoryRequest,
        LimitOrderRequest,
        MarketOrderRequest,
    )

if TYPE_CHECKING:
    from acceptance.alpaca.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_activities_tell_of_executions_and_cash_page_by_page(desk: Desk) -> None:
    orders = [
        desk.trading.submit_order(
            MarketOrderRequest(symbol=desk.symbol, qty=qty, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        )
        for qty in (3, 4)
    ]
    flow = {"kind": "deposit", "amount": "250.5", "reference": "d-1", "description": "from savings"}
    desk.person.api.post(f"/accounts/{desk.account_id}/cash-flows", flow)
    desk.step(2)
    for order in orders:
        desk.order(order.id, OrderStatus.FILLED)
    whole = desk.trading.get("/account/activities", {"direction": "asc"})
    assert [one["activity_type"] for one in whole] == ["CSD", "FILL", "FILL"]
    paid = NonTradeActivity(**whole[0], account_id=UUID(desk.account_id))
    assert (paid.net_amount, paid.description) == (250.5, "from savings")
    fills = [TradeActivity(**one, account_id=UUID(desk.account_id)) for one in whole[1:]]
    assert {(one.order_id, one.qty, one.cum_qty, one.leaves_qty, one.price) for one in fills} == {
        (order.id, qty, qty, 0.0, 101.0) for order, qty in zip(orders, (3.0, 4.0), strict=True)
    }
    assert {(one.type.value, one.order_status) for one in fills} == {("fill", OrderStatus.FILLED)}
    paged = []
    token: dict[str, str] = {}
    while page := desk.trading.get("/account/activities", {"direction": "asc", "page_size": "1", **token}):
        paged += page
        token = {"page_token": page[-1]["id"]}
    assert paged == whole
    assert [one["id"] for one in desk.trading.get("/account/activities/FILL")] == [one["id"] for one in whole[:0:-1]]
    assert desk.trading.get("/account/activities", {"activity_types": "CSD,DIV"}) == whole[:1]
    assert desk.trading.get("/account/activities", {"date": "1999-01-04"}) == []
    with pytest.raises(APIError) as unknown:
        desk.trading.get("/account/activities/FFFFF")
    assert (unknown.value.status_code, unknown.value.code) == (422, 40010001)


def test_worth_over_time_begins_with_the_cash_and_follows_the_prices(desk: Desk) -> None:
    desk.trading.submit_order(
        MarketOrderRequest(symbol=desk.symbol, qty=100, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    )
    desk.step(4)  # bought at 101; the closes are 102, 103 and 104
    whole = GetPortfolioHistoryRequest(period="1M", timeframe="1D")
    history = desk.until(
        lambda: desk.trading.get_portfolio_history(whole), lambda found: found.equity[-1:] == [100_300.0]
    )
    assert (history.base_value, history.timeframe) == (100_000.0, "1D")
    assert history.profit_loss[-3:] == [100.0, 200.0, 300.0]
    assert history.profit_loss_pct[-1] == 0.003
    until_the_second = GetPortfolioHistoryRequest(period="1M", timeframe="1D", date_end=date(2024, 1, 4))
    assert desk.trading.get_portfolio_history(until_the_second).equity[-1] == 100_200.0
    daily = GetPortfolioHistoryRequest(period="2D", timeframe="1H", extended_hours=False)
    assert desk.trading.get_portfolio_history(daily).profit_loss == [100.0, 100.0]
    account = desk.trading.get_account()
    assert (account.equity, account.last_equity, account.cash) == ("100300", "100200", "89900")


def test_buying_power_is_what_resting_orders_leave(desk: Desk) -> None:
    resting = desk.trading.submit_order(
        LimitOrderRequest(
            symbol=desk.symbol, qty=100, limit_price=50, side=OrderSide.BUY, time_in_force=TimeInForce.GTC
        )
    )
    desk.order(resting.id, OrderStatus.NEW)
    account = desk.trading.get_account()
    assert (account.cash, account.equity) == ("100000", "100000")
    assert float(account.buying_power) <= 95_000


def test_splits_of_the_catalogue_are_announced(desk: Desk) -> None:
    wanted = GetCorporateAnnouncementsRequest(
        ca_types=[CorporateActionType.SPLIT, CorporateActionType.DIVIDEND],
        since=date(2024, 1, 1),
        until=date(2024, 3, 1),
        symbol=desk.split_symbol,
    )
    (split,) = desk.trading.get_corporate_announcements(wanted)
    assert (split.initiating_symbol, split.ex_date) == (desk.split_symbol, date(2024, 1, 4))
    assert (split.new_rate, split.old_rate, split.ca_sub_type.value) == (2.0, 1.0, "stock_split")
    assert desk.trading.get_corporate_announcement_by_id(split.id) == split
