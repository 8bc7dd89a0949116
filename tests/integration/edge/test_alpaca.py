"""The routes below /alpaca over answering services: scopes, shapes, and failures as Alpaca tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts.auth import ApiKeyPrincipal, VerifyApiKey
from alphintra.contracts.books import PositionsView, PositionView, SummaryView
from alphintra.contracts.orders import AccountsView, AccountView, OrdersView, OrderView
from alphintra.contracts.risk import (
    ExposureView,
    GetRiskState,
    RiskStateView,
)
from alphintra.contracts.strategy import DatasetsView, DatasetView, ListDatasets
from alphintra.contracts.trading import (
    CancelOrder,
    GetAccount,
    GetOrder,
    GetSummary,
    ListAccounts,
    ListOrders,
    ListPositions,
    SubmitOrder,
)
from alphintra.edge.alpaca.app import ENDPOINTS
from alphintra.edge.alpaca.shapes import asset_id_of
from alphintra.edge.guards import Scope
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import (
    TERMINAL,
    WORKING,
    AccountMode,
    OrderClass,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)
from fixtures.edge import KEY_HEADERS, SOME_ID, USER_ID, Gateway, sample

ACCOUNT: Final = UUID("0190aaaa-0000-7000-8000-00000000000a")
ORDER: Final = UUID("0190aaaa-0000-7000-8000-00000000000b")
BODY: Final = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": 10}
V2: Final = "/alpaca/v2"


def account(mode: AccountMode = AccountMode.PAPER, account_id: UUID = ACCOUNT) -> AccountView:
    shown: AccountView = sample(AccountView)
    return msgspec.structs.replace(shown, account_id=account_id, mode=mode, cash=Decimal("900.5"), status="active")


def order(**changes: Any) -> OrderView:  # noqa: ANN401 - any field
    plain = {
        "order_id": ORDER,
        "account_id": ACCOUNT,
        "symbol": "AAPL",
        "status": OrderStatus.NEW,
        "time_in_force": TimeInForce.DAY,
        "order_class": OrderClass.SIMPLE,
        "legs": (),
    }
    shown: OrderView = sample(OrderView)
    return msgspec.structs.replace(shown, **{**plain, **changes})


def position(symbol: str, qty: str, price: str, *, book: UUID | None = None) -> PositionView:
    return PositionView(
        account_id=ACCOUNT,
        book_id=book,
        symbol=symbol,
        qty=Decimal(qty),
        avg_price=Decimal(price),
        realized_pnl=Decimal(0),
        fees=Decimal(0),
    )


def exposure(symbol: str, price: str | None, *, reserved_sell: str = "0") -> ExposureView:
    return ExposureView(
        symbol=symbol,
        position_qty=Decimal(0),
        reserved_buy_qty=Decimal(0),
        reserved_sell_qty=Decimal(reserved_sell),
        last_price=None if price is None else Decimal(price),
    )


@pytest.fixture(autouse=True)
def trader(gateway: Gateway) -> None:
    """A trader's paper key, one account, prices of two symbols."""
    replies = gateway.services.replies
    principal = ApiKeyPrincipal(user_id=USER_ID, role="trader", key_id="key1", scopes=("trade",), mode="paper")
    replies[VerifyApiKey] = principal
    replies[ListAccounts] = AccountsView(accounts=(account(AccountMode.LIVE, SOME_ID), account()))
    replies[GetAccount] = account()
    replies[GetOrder] = order()
    replies[SubmitOrder] = order()
    replies[CancelOrder] = order(status=OrderStatus.PENDING_CANCEL)
    replies[ListOrders] = OrdersView(orders=())
    replies[ListPositions] = PositionsView(positions=())
    replies[GetRiskState] = RiskStateView(
        account_id=ACCOUNT,
        cash=Decimal("900.5"),
        reserved_cash=Decimal("100.25"),
        exposures=(exposure("AAPL", "12", reserved_sell="1"), exposure("BTC/USD", "50"), exposure("NEW", None)),
        kill_states=(),
    )
    datasets = tuple(
        msgspec.structs.replace(sample(DatasetView), symbol=symbol, splits=()) for symbol in ("AAPL", "BTC/USD")
    )
    replies[ListDatasets] = DatasetsView(datasets=datasets)


async def call(gateway: Gateway, method: str, path: str, **options: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
    answer = await gateway.client.request(method, f"{V2}{path}", headers=KEY_HEADERS, **options)
    return answer.status_code, answer.json() if answer.content else None


def asked(gateway: Gateway, wanted: type) -> Any:  # noqa: ANN401 - a command
    (command,) = gateway.services.commands(wanted)
    return command


@pytest.mark.parametrize("route", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
async def test_every_route_wants_credentials_and_its_scope(gateway: Gateway, route: Any) -> None:  # noqa: ANN401
    path = f"/alpaca{route.path}".replace("{order_id}", str(ORDER)).replace("{symbol:path}", "AAPL")
    path = path.replace("{watchlist_id}", str(ORDER)).replace("by_name", "by_name?name=x")
    path = path.replace("{activity_type}", "FILL").replace("{announcement_id}", str(ORDER))
    nobody = await gateway.client.request(route.method, path)
    assert (nobody.status_code, nobody.json()["code"]) == (401, 40110000)
    reader = ApiKeyPrincipal(user_id=USER_ID, role="trader", key_id="key1", scopes=("read",), mode="paper")
    gateway.services.replies[VerifyApiKey] = reader
    body: object = None if route.method in {"GET", "DELETE"} else {}
    answer = await gateway.client.request(route.method, path, headers=KEY_HEADERS, json=body)
    assert (answer.status_code == 403) is (route.scope is Scope.TRADE)
    assert answer.status_code < 500


async def test_a_wrong_key_is_told_as_alpaca_tells_it(gateway: Gateway) -> None:
    gateway.services.replies[VerifyApiKey] = AlphintraError("KEY_INVALID", "no such key", kind=Kind.UNAUTHENTICATED)
    assert await call(gateway, "GET", "/account") == (
        401,
        {"code": 40110000, "message": "no such key", "reason_code": "KEY_INVALID"},
    )


async def test_a_paper_key_trades_the_oldest_paper_account_and_no_other(gateway: Gateway) -> None:
    status, _ = await call(gateway, "POST", "/orders", json=BODY)
    assert status == 200
    assert asked(gateway, SubmitOrder).account_id == ACCOUNT
    gateway.services.replies[GetOrder] = order(account_id=SOME_ID)
    for method in ("GET", "DELETE"):
        status, body = await call(gateway, method, f"/orders/{ORDER}")
        assert (status, body["code"]) == (404, 40410000)
    assert gateway.services.commands(CancelOrder) == []


async def test_a_person_without_such_an_account_is_told_how_to_open_one(gateway: Gateway) -> None:
    gateway.services.replies[ListAccounts] = AccountsView(accounts=(account(AccountMode.LIVE),))
    status, body = await call(gateway, "GET", "/account")
    assert (status, body["code"], body["reason_code"]) == (403, 40310000, "ACCOUNT_MISSING")


async def test_account_is_worth_what_trading_says_and_may_spend_what_is_not_reserved(gateway: Gateway) -> None:
    worth: SummaryView = sample(SummaryView)
    gateway.services.replies[GetSummary] = msgspec.structs.replace(
        worth,
        cash=Decimal("900.5"),
        equity=Decimal("967.50"),
        last_equity=Decimal(950),
        long_market_value=Decimal(67),
        short_market_value=Decimal(0),
        buying_power=Decimal("900.5"),
    )
    status, body = await call(gateway, "GET", "/account")
    assert status == 200
    names = ("cash", "equity", "portfolio_value", "last_equity", "long_market_value", "buying_power", "status")
    assert [body[name] for name in names] == ["900.5", "967.5", "967.5", "950", "67", "800.25", "ACTIVE"]


async def test_an_order_reaches_trading_with_everything_alpaca_can_say(gateway: Gateway) -> None:
    body = {
        **BODY,
        "qty": None,
        "notional": "12.5",
        "type": "stop_limit",
        "limit_price": 100.15,
        "stop_price": "99.95",
        "extended_hours": False,
        "order_class": "bracket",
        "client_order_id": "mine-1",
        "position_intent": "buy_to_open",
        "take_profit": {"limit_price": 120},
        "stop_loss": {"stop_price": 90.5, "limit_price": "90"},
        "a_field_of_tomorrow": 1,
    }
    status, told = await call(gateway, "POST", "/orders", json=body)
    assert status == 200
    assert told["id"] == str(ORDER)
    command = asked(gateway, SubmitOrder)
    assert (command.client_order_id, command.symbol, command.side) == ("mine-1", "AAPL", Side.BUY)
    assert (command.type, command.time_in_force) == (OrderType.STOP_LIMIT, TimeInForce.DAY)
    assert (command.qty, command.notional) == (None, Decimal("12.5"))
    assert (command.limit_price, command.stop_price) == (Decimal("100.15"), Decimal("99.95"))
    assert (command.order_class, command.position_intent) == (OrderClass.BRACKET, PositionIntent.BUY_TO_OPEN)
    assert command.take_profit.limit_price == Decimal(120)
    assert (command.stop_loss.stop_price, command.stop_loss.limit_price) == (Decimal("90.5"), Decimal(90))


@pytest.mark.parametrize(
    ("changes", "status", "code", "word"),
    [
        ({"symbol": None}, 422, 42210000, "symbol"),
        ({"symbol": "A PL"}, 422, 42210000, "asset"),
        ({"side": "long"}, 422, 42210000, "side"),
        ({"type": "pegged"}, 422, 42210000, "type"),
        ({"time_in_force": None}, 422, 42210000, "time_in_force"),
        ({"qty": "1e3"}, 422, 42210000, "qty"),
        ({"qty": True}, 422, 42210000, "qty"),
        ({"limit_price": "nan"}, 422, 42210000, "limit_price"),
        ({"limit_price": [1]}, 422, 42210000, "limit_price"),
        ({"extended_hours": "perhaps"}, 422, 42210000, "extended_hours"),
        ({"take_profit": {}}, 422, 42210000, "take_profit.limit_price"),
        ({"stop_loss": "90"}, 422, 42210000, "stop_loss"),
        ({"legs": [{"symbol": "AAPL"}]}, 422, 42210000, "options"),
        ({"order_class": "mleg"}, 422, 42210000, "order_class"),
        ({"client_order_id": 7}, 422, 42210000, "client_order_id"),
    ],
)
async def test_a_wrong_field_is_refused_by_name_and_nothing_is_placed(
    gateway: Gateway, changes: dict[str, Any], status: int, code: int, word: str
) -> None:
    answered, body = await call(gateway, "POST", "/orders", json={**BODY, **changes})
    assert (answered, body["code"]) == (status, code)
    assert word in body["message"]
    assert gateway.services.commands(SubmitOrder) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"{}{}", b'{"qty":1,"qty":2}'])
async def test_a_body_that_is_no_object_is_a_bad_request(gateway: Gateway, content: bytes) -> None:
    headers = {**KEY_HEADERS, "Content-Type": "application/json"}
    answer = await gateway.client.post(f"{V2}/orders", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 40010000)


async def test_a_client_order_id_names_one_order(gateway: Gateway) -> None:
    gateway.services.replies[ListOrders] = OrdersView(orders=(order(),))
    status, body = await call(gateway, "POST", "/orders", json={**BODY, "client_order_id": "mine-1"})
    assert (status, body["code"], body["message"]) == (422, 40010001, "client_order_id must be unique")
    assert asked(gateway, ListOrders).client_order_id == "mine-1"
    assert gateway.services.commands(SubmitOrder) == []


async def test_a_refusal_by_risk_is_forbidden_with_its_reason(gateway: Gateway) -> None:
    denied = order(status=OrderStatus.DENIED, reason_code="RISK_CREDIT", reason="not enough cash")
    gateway.services.replies[SubmitOrder] = denied
    status, body = await call(gateway, "POST", "/orders", json=BODY)
    assert (status, body["code"], body["message"]) == (403, 40310000, "not enough cash")
    assert (body["reason_code"], body["order_id"]) == ("RISK_CREDIT", str(ORDER))


async def test_orders_are_listed_as_asked(gateway: Gateway) -> None:
    path = (
        "/orders?status=closed&limit=500&after=2026-01-01&until=2026-01-02T03:04:05-05:00&direction=asc&nested=True"
        "&side=sell&symbols=aapl,btc/usd&symbols=MSFT&unknown=1"
    )
    assert await call(gateway, "GET", path) == (200, [])
    command = asked(gateway, ListOrders)
    assert set(command.statuses) == TERMINAL
    assert (command.after, command.until) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, 8, 4, 5, tzinfo=UTC),
    )
    assert (command.limit, command.oldest_first, command.side) == (500, True, Side.SELL)
    assert command.symbols == ("AAPL", "BTC/USD", "MSFT")


async def test_open_orders_newest_first_are_listed_unless_asked_otherwise(gateway: Gateway) -> None:
    await call(gateway, "GET", "/orders")
    command = asked(gateway, ListOrders)
    assert set(command.statuses) == WORKING
    assert (command.limit, command.oldest_first, command.symbols) == (50, False, None)


@pytest.mark.parametrize(
    "query",
    ["limit=501", "limit=0", "limit=x", "status=new", "direction=up", "after=yesterday", "after=2026-01-01T00:00:00"],
)
async def test_a_wrong_query_is_refused(gateway: Gateway, query: str) -> None:
    status, body = await call(gateway, "GET", f"/orders?{query}")
    assert (status, body["code"]) == (422, 42210000)


async def test_legs_are_shown_below_their_order_where_nested_and_beside_it_where_not(gateway: Gateway) -> None:
    leg = order(order_id=SOME_ID)
    first = order(order_class=OrderClass.BRACKET, legs=(leg,))
    gateway.services.replies[ListOrders] = OrdersView(orders=(first, leg))
    _, nested = await call(gateway, "GET", "/orders?nested=true")
    assert [(one["id"], [each["id"] for each in one["legs"]]) for one in nested] == [(str(ORDER), [str(SOME_ID)])]
    _, flat = await call(gateway, "GET", "/orders")
    assert [(one["id"], one["legs"]) for one in flat] == [(str(ORDER), None), (str(SOME_ID), None)]


async def test_an_order_is_shown_in_alpacas_shape(gateway: Gateway) -> None:
    gateway.services.replies[GetOrder] = order(
        qty=Decimal("1.50"), status=OrderStatus.UNKNOWN, time_in_force=TimeInForce.GTD, filled_avg_price=Decimal("1E-7")
    )
    _, shown = await call(gateway, "GET", f"/orders/{ORDER}")
    assert (shown["qty"], shown["filled_avg_price"]) == ("1.5", "0.0000001")
    assert (shown["status"], shown["time_in_force"], shown["order_class"]) == ("pending_review", "gtc", "")
    assert shown["asset_id"] == str(asset_id_of("AAPL"))
    assert shown["created_at"].endswith("Z")


async def test_an_order_is_found_by_its_client_order_id(gateway: Gateway) -> None:
    gateway.services.replies[ListOrders] = OrdersView(orders=(order(),))
    status, shown = await call(gateway, "GET", "/orders:by_client_order_id?client_order_id=mine-1")
    assert (status, shown["id"]) == (200, str(ORDER))
    gateway.services.replies[ListOrders] = OrdersView(orders=())
    status, body = await call(gateway, "GET", "/orders:by_client_order_id?client_order_id=mine-2")
    assert (status, body["code"]) == (404, 40410000)


@pytest.mark.parametrize(
    ("status", "answered"),
    [(OrderStatus.PENDING_CANCEL, 204), (OrderStatus.CANCELED, 204), (OrderStatus.FILLED, 422)],
)
async def test_a_cancel_is_taken_unless_the_order_has_ended_otherwise(
    gateway: Gateway, status: OrderStatus, answered: int
) -> None:
    gateway.services.replies[CancelOrder] = order(status=status)
    code, body = await call(gateway, "DELETE", f"/orders/{ORDER}")
    assert code == answered
    assert body is None or (body["code"], body["message"]) == (42210000, 'order is already in "filled" state')


async def test_all_open_orders_are_cancelled_and_each_is_told(gateway: Gateway) -> None:
    orders = tuple(order(order_id=UUID(int=number)) for number in range(70))
    gateway.services.replies[ListOrders] = OrdersView(orders=orders)
    status, told = await call(gateway, "DELETE", "/orders")
    assert status == 207
    assert sorted((one["id"], one["status"]) for one in told) == [(str(one.order_id), 200) for one in orders]
    assert len(gateway.services.commands(CancelOrder)) == 70


async def test_positions_are_net_over_books_with_profit_at_the_last_price(gateway: Gateway) -> None:
    held = (
        position("AAPL", "3", "10", book=SOME_ID),
        position("AAPL", "2", "15"),
        position("BTC/USD", "-0.5", "40"),
        position("MSFT", "1", "5", book=SOME_ID),
        position("MSFT", "-1", "5"),
    )
    gateway.services.replies[ListPositions] = PositionsView(positions=held)
    status, (aapl, btc) = await call(gateway, "GET", "/positions")
    assert status == 200
    names = ("symbol", "qty", "qty_available", "avg_entry_price", "side", "market_value", "cost_basis", "unrealized_pl")
    assert [aapl[name] for name in names] == ["AAPL", "5", "4", "12", "long", "60", "60", "0"]
    assert [btc[name] for name in names] == ["BTC/USD", "-0.5", "0.5", "40", "short", "-25", "-20", "-5"]
    assert btc["unrealized_plpc"] == "-0.25"


@pytest.mark.parametrize("name", ["BTC/USD", "BTC%2FUSD", "btcusd", str(asset_id_of("BTC/USD"))])
async def test_a_position_is_found_by_any_of_its_names(gateway: Gateway, name: str) -> None:
    gateway.services.replies[ListPositions] = PositionsView(positions=(position("BTC/USD", "2", "40"),))
    status, shown = await call(gateway, "GET", f"/positions/{name}")
    assert (status, shown["symbol"]) == (200, "BTC/USD")
    status, body = await call(gateway, "GET", "/positions/ETHUSD")
    assert (status, body["code"], body["message"]) == (404, 40410000, "position does not exist: ETHUSD")


@pytest.mark.parametrize(
    ("held", "query", "side", "qty"),
    [
        ("10", "", Side.SELL, "10"),
        ("-10", "", Side.BUY, "10"),
        ("10", "?qty=2.5", Side.SELL, "2.5"),
        ("10", "?percentage=33.333", Side.SELL, "3.3333"),
        ("0.000000003", "?percentage=50", Side.SELL, "0.000000001"),
    ],
)
async def test_a_position_is_closed_by_a_market_order_that_only_reduces(
    gateway: Gateway, held: str, query: str, side: Side, qty: str
) -> None:
    gateway.services.replies[ListPositions] = PositionsView(positions=(position("AAPL", held, "40"),))
    status, _ = await call(gateway, "DELETE", f"/positions/AAPL{query}")
    assert status == 200
    command = asked(gateway, SubmitOrder)
    assert (command.side, command.qty, command.type) == (side, Decimal(qty), OrderType.MARKET)
    assert command.reduce_only


@pytest.mark.parametrize("query", ["qty=1&percentage=5", "qty=11", "qty=0", "percentage=101", "percentage=0"])
async def test_a_part_of_a_position_that_cannot_be_is_refused(gateway: Gateway, query: str) -> None:
    gateway.services.replies[ListPositions] = PositionsView(positions=(position("AAPL", "10", "40"),))
    status, body = await call(gateway, "DELETE", f"/positions/AAPL?{query}")
    assert (status, body["code"]) in {(422, 42210000), (403, 40310000)}
    assert gateway.services.commands(SubmitOrder) == []


async def test_all_positions_are_closed_after_their_orders(gateway: Gateway) -> None:
    held = (position("AAPL", "10", "40"), position("BTC/USD", "1", "40"))
    gateway.services.replies[ListPositions] = PositionsView(positions=held)
    gateway.services.replies[ListOrders] = OrdersView(orders=(order(),))
    status, told = await call(gateway, "DELETE", "/positions?cancel_orders=True")
    assert status == 207
    assert [(one["symbol"], one["status"]) for one in told] == [("AAPL", 200), ("BTC/USD", 200)]
    kinds = [type(command) for command, _ in gateway.services.asked]
    assert kinds.index(CancelOrder) < kinds.index(SubmitOrder)
    assert kinds.count(SubmitOrder) == 2


async def test_assets_are_what_the_catalogue_has_prices_of(gateway: Gateway) -> None:
    _, assets = await call(gateway, "GET", "/assets")
    assert [(one["symbol"], one["class"], one["exchange"], one["tradable"]) for one in assets] == [
        ("AAPL", "us_equity", "", True),
        ("BTC/USD", "crypto", "CRYPTO", True),
    ]
    for query, symbols in (("asset_class=crypto", ["BTC/USD"]), ("status=inactive", []), ("exchange=NYSE", [])):
        _, found = await call(gateway, "GET", f"/assets?{query}")
        assert [one["symbol"] for one in found] == symbols
    for name in ("aapl", str(asset_id_of("AAPL"))):
        status, found = await call(gateway, "GET", f"/assets/{name}")
        assert (status, found["symbol"]) == (200, "AAPL")
    status, body = await call(gateway, "GET", "/assets/NONE")
    assert (status, body["code"]) == (404, 40410000)


async def test_the_clock_tells_new_yorks_time_and_hours(gateway: Gateway) -> None:
    gateway.clock.pass_time(seconds=(datetime(2026, 11, 27, 18, 0, tzinfo=UTC) - gateway.clock.now()).total_seconds())
    assert await call(gateway, "GET", "/clock") == (
        200,
        {
            "timestamp": "2026-11-27T13:00:00-05:00",
            "is_open": False,
            "next_open": "2026-11-30T09:30:00-05:00",
            "next_close": "2026-11-30T16:00:00-05:00",
        },
    )


async def test_the_calendar_has_half_days_and_no_holidays(gateway: Gateway) -> None:
    _, days = await call(gateway, "GET", "/calendar?start=2026-11-25&end=2026-11-28T00:00:00Z")
    assert [(day["date"], day["close"], day["session_close"], day["settlement_date"]) for day in days] == [
        ("2026-11-25", "16:00", "2000", "2026-11-27"),
        ("2026-11-27", "13:00", "1700", "2026-11-30"),
    ]
    assert days[0]["open"] == "09:30"
    _, every = await call(gateway, "GET", "/calendar")
    assert (every[0]["date"], every[0]["settlement_date"], every[-1]["date"]) == ("1970-01-02", None, "2040-12-31")
    status, body = await call(gateway, "GET", "/calendar?start=soon")
    assert (status, body["code"]) == (422, 42210000)


async def test_what_is_not_there_and_what_is_too_large_is_told_as_alpaca_tells_it(gateway: Gateway) -> None:
    status, body = await call(gateway, "GET", "/options/contracts")
    assert (status, body["code"]) == (404, 40410000)
    status, body = await call(gateway, "PUT", "/account")
    assert (status, body["code"]) == (405, 40510000)
    headers = {**KEY_HEADERS, "Content-Type": "application/json"}
    large = await gateway.client.post(f"{V2}/orders", content=b" " * 600_000, headers=headers)
    assert (large.status_code, large.json()["code"]) == (413, 40010000)
    wrong = await gateway.client.post(f"{V2}/orders", content=b"a=1", headers={**KEY_HEADERS, "Content-Type": "a/b"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, 40010000)


@pytest.mark.parametrize(
    ("kind", "answered"),
    [
        (Kind.LIMITED, (429, 42910000)),
        (Kind.UNAVAILABLE, (503, 50310000)),
        (Kind.CONFLICT, (422, 42210000)),
        (Kind.INVALID, (422, 42210000)),
    ],
)
async def test_failures_of_a_service_keep_their_kind(gateway: Gateway, kind: Kind, answered: tuple[int, int]) -> None:
    gateway.services.replies[SubmitOrder] = AlphintraError("SOME_CODE", "a sentence", kind=kind)
    status, body = await call(gateway, "POST", "/orders", json=BODY)
    assert (status, body["code"]) == answered
    assert (body["message"], body["reason_code"]) == ("a sentence", "SOME_CODE")


async def test_the_account_is_asked_for_once(gateway: Gateway) -> None:
    for _ in range(3):
        await call(gateway, "GET", "/orders")
        gateway.clock.pass_time(seconds=timedelta(hours=1).total_seconds())
    assert len(gateway.services.commands(ListAccounts)) == 1
