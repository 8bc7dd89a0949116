"""The unmodified alpaca-py against a running platform: what a script written for Alpaca does, and what it is told."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.alpaca.conftest import BARS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    from alpaca.common.exceptions import APIError
    from alpaca.data.requests import (
        StockBarsRequest,
        StockLatestBarRequest,
        StockLatestQuoteRequest,
        StockLatestTradeRequest,
        StockQuotesRequest,
        StockSnapshotRequest,
        StockTradesRequest,
    )
    from alpaca.data.timeframe import TimeFrame
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
    from alpaca.trading.requests import (
        ClosePositionRequest,
        CreateWatchlistRequest,
        GetCalendarRequest,
        GetOrdersRequest,
        LimitOrderRequest,
        MarketOrderRequest,
        UpdateWatchlistRequest,
    )

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.alpaca.desk import Desk
    from fixtures.platform import Platform

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_account_market_and_calendar_are_read(desk: Desk) -> None:
    account = desk.trading.get_account()
    assert (str(account.id), account.cash, account.equity, account.buying_power) == (
        desk.account_id,
        "100000",
        "100000",
        "100000",
    )
    assert desk.trading.get_account_configurations().max_margin_multiplier == "1"
    clock = desk.trading.get_clock()
    assert clock.next_close > clock.timestamp
    days = desk.trading.get_calendar(GetCalendarRequest(start=date(2026, 11, 25), end=date(2026, 11, 28)))
    assert [(day.date, day.close.hour) for day in days] == [(date(2026, 11, 25), 16), (date(2026, 11, 27), 13)]
    assert desk.symbol in {asset.symbol for asset in desk.trading.get_all_assets()}
    asset = desk.trading.get_asset(desk.symbol)
    assert (asset.tradable, asset.fractionable, asset.asset_class.value) == (True, True, "us_equity")
    assert desk.trading.get_asset(str(asset.id)).symbol == desk.symbol


def test_orders_are_placed_listed_cancelled_and_filled(desk: Desk, stream: list[Any]) -> None:
    asked = MarketOrderRequest(
        symbol=desk.symbol, qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, client_order_id="mine-1"
    )
    bought = desk.trading.submit_order(asked)
    resting = desk.trading.submit_order(
        LimitOrderRequest(
            symbol=desk.symbol, qty=1.5, limit_price=50.25, side=OrderSide.BUY, time_in_force=TimeInForce.GTC
        )
    )
    assert (resting.qty, resting.limit_price) == ("1.5", "50.25")
    assert desk.trading.get_order_by_client_id("mine-1").id == bought.id
    with pytest.raises(APIError) as twice:
        desk.trading.submit_order(asked)
    assert (twice.value.status_code, twice.value.code) == (422, 40010001)
    desk.order(resting.id, OrderStatus.NEW)
    opened = desk.trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN, symbols=[desk.symbol]))
    assert {order.id for order in opened} == {bought.id, resting.id}
    desk.step(2)
    filled = desk.order(bought.id, OrderStatus.FILLED)
    assert (filled.filled_qty, filled.filled_avg_price) == ("10", "101")
    position = desk.trading.get_open_position(desk.symbol)
    assert (position.qty, position.avg_entry_price, position.side.value) == ("10", "101", "long")
    assert [one.symbol for one in desk.trading.get_all_positions()] == [desk.symbol]
    desk.trading.cancel_order_by_id(resting.id)
    desk.order(resting.id, OrderStatus.CANCELED)
    with pytest.raises(APIError) as ended:
        desk.trading.cancel_order_by_id(bought.id)
    assert (ended.value.status_code, ended.value.code) == (422, 42210000)
    told = desk.told(("canceled", resting.id), ("fill", bought.id))
    assert told.index(("new", bought.id)) < told.index(("fill", bought.id))
    fill = next(one for one in stream if one.event == "fill")
    assert (fill.price, fill.qty, fill.position_qty) == (101.0, 10.0, 10.0)


def test_positions_are_closed_in_part_and_all_at_once(desk: Desk) -> None:
    for client_order_id in ("a", "b"):
        desk.trading.submit_order(
            MarketOrderRequest(
                symbol=desk.symbol,
                qty=4,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.DAY,
                client_order_id=client_order_id,
            )
        )
    desk.step(2)
    desk.until(desk.trading.get_all_positions, lambda found: [one.qty for one in found] == ["8"])
    half = desk.trading.close_position(desk.symbol, ClosePositionRequest(percentage="50"))
    desk.step(3)
    desk.order(half.id, OrderStatus.FILLED)
    desk.until(desk.trading.get_all_positions, lambda found: [one.qty for one in found] == ["4"])
    closed = desk.trading.close_all_positions(cancel_orders=True)
    assert [(one.symbol, one.status) for one in closed] == [(desk.symbol, 200)]
    desk.step(4)
    desk.until(desk.trading.get_all_positions, lambda found: found == [])
    with pytest.raises(APIError) as missing:
        desk.trading.get_open_position(desk.symbol)
    assert (missing.value.status_code, missing.value.code) == (404, 40410000)


def test_all_orders_are_cancelled_at_once(desk: Desk) -> None:
    asked = LimitOrderRequest(
        symbol=desk.symbol, qty=1, limit_price=10, side=OrderSide.BUY, time_in_force=TimeInForce.GTC
    )
    orders = [desk.trading.submit_order(asked) for _ in range(5)]
    told = desk.trading.cancel_orders()
    assert {one.id for one in told} == {order.id for order in orders}
    assert {one.status for one in told} == {200}
    for order in orders:
        desk.order(order.id, OrderStatus.CANCELED)
    assert desk.trading.get_orders() == []


def test_watchlists_are_kept(desk: Desk) -> None:
    made = desk.trading.create_watchlist(CreateWatchlistRequest(name="Tech", symbols=[desk.symbol]))
    assert [asset.symbol for asset in made.assets] == [desk.symbol]
    with pytest.raises(APIError) as taken:
        desk.trading.create_watchlist(CreateWatchlistRequest(name="Tech", symbols=[]))
    assert taken.value.status_code == 422
    grown = desk.trading.add_asset_to_watchlist_by_id(made.id, "BTC/USD")
    assert [asset.symbol for asset in grown.assets] == [desk.symbol, "BTC/USD"]
    less = desk.trading.remove_asset_from_watchlist_by_id(made.id, desk.symbol)
    assert [asset.symbol for asset in less.assets] == ["BTC/USD"]
    renamed = desk.trading.update_watchlist_by_id(made.id, UpdateWatchlistRequest(name="Coins"))
    assert [(one.id, one.name) for one in desk.trading.get_watchlists()] == [(made.id, renamed.name)]
    assert desk.trading.get_watchlist_by_id(made.id).name == "Coins"
    desk.trading.delete_watchlist_by_id(made.id)
    assert desk.trading.get_watchlists() == []


def test_bars_are_read_day_by_day_and_week_by_week(desk: Desk) -> None:
    days = desk.data.get_stock_bars(
        StockBarsRequest(
            symbol_or_symbols=desk.symbol,
            timeframe=TimeFrame.Day,
            start=datetime(2024, 1, 2, tzinfo=UTC),
            end=datetime(2024, 1, 6, tzinfo=UTC),
        )
    )[desk.symbol]
    assert [(bar.timestamp, bar.open) for bar in days] == [
        (datetime(2024, 1, day, 5, tzinfo=UTC), 98.0 + day) for day in (2, 3, 4, 5)
    ]
    weeks = desk.data.get_stock_bars(
        StockBarsRequest(symbol_or_symbols=[desk.symbol, "NONE"], timeframe=TimeFrame.Week, limit=2)
    )
    (first, second) = weeks[desk.symbol]
    assert (first.timestamp, first.open, first.high, first.close, first.volume) == (
        datetime(2024, 1, 1, 5, tzinfo=UTC), 100.0, 105.0, 104.0, 400000.0,
    )  # fmt: skip
    assert (second.open, second.close) == (104.0, 109.0)
    latest = desk.data.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols=desk.symbol))[desk.symbol]
    assert latest.open == 99.0 + BARS
    with pytest.raises(APIError) as finer:
        desk.data.get_stock_bars(StockBarsRequest(symbol_or_symbols=desk.symbol, timeframe=TimeFrame.Minute))
    assert (finer.value.status_code, finer.value.code) == (422, 42210000)
    one: dict[str, Any] = {"symbol_or_symbols": desk.symbol}
    questions: tuple[Callable[[], object], ...] = (
        lambda: desk.data.get_stock_latest_quote(StockLatestQuoteRequest(**one)),
        lambda: desk.data.get_stock_quotes(StockQuotesRequest(**one, start=datetime(2024, 1, 2, tzinfo=UTC))),
        lambda: desk.data.get_stock_latest_trade(StockLatestTradeRequest(**one)),
        lambda: desk.data.get_stock_trades(StockTradesRequest(**one, start=datetime(2024, 1, 2, tzinfo=UTC))),
        lambda: desk.data.get_stock_snapshot(StockSnapshotRequest(**one)),
    )
    for ask in questions:
        with pytest.raises(APIError) as quotes:
            ask()
        assert (quotes.value.status_code, quotes.value.code) == (422, 42210000)


def test_refusals_carry_alpacas_numbers(desk: Desk, platform: Platform) -> None:
    with pytest.raises(APIError) as unknown:
        desk.trading.get_order_by_id("0190aaaa-0000-7000-8000-000000000003")
    assert (unknown.value.status_code, unknown.value.code) == (404, 40410000)
    with pytest.raises(APIError) as poor:
        desk.trading.submit_order(
            LimitOrderRequest(
                symbol=desk.symbol, qty=9999, limit_price=100, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
        )
    assert (poor.value.status_code, poor.value.code) == (403, 40310000)
    stranger = TradingClient("AKNONE", "none", url_override=f"{platform.base_url}/alpaca")
    with pytest.raises(APIError) as nobody:
        stranger.get_account()
    assert (nobody.value.status_code, nobody.value.code) == (401, 40110000)
