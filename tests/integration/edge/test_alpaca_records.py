"""Replacing orders, activities, worth over time and announcements below /alpaca, over answering services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts.auth import ApiKeyPrincipal, VerifyApiKey
from alphintra.contracts.books import ActivitiesView, ActivityView, PortfolioHistoryView, SummaryView
from alphintra.contracts.orders import AccountsView, AccountView, OrdersView, OrderView
from alphintra.contracts.strategy import DatasetsView, DatasetView, ListDatasets
from alphintra.contracts.trading import (
    GetOrder,
    GetPortfolioHistory,
    GetSummary,
    ListAccounts,
    ListActivities,
    ListOrders,
    ReplaceOrder,
)
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, Side, TimeInForce
from fixtures.edge import KEY_HEADERS, SOME_ID, USER_ID, Gateway, sample

ACCOUNT: Final = UUID("0190aaaa-0000-7000-8000-00000000000a")
ORDER: Final = UUID("0190aaaa-0000-7000-8000-00000000000b")
V2: Final = "/alpaca/v2"
CLOSE: Final = datetime(2024, 3, 1, 21, 0, tzinfo=UTC)  # of a Friday in New York
HISTORY: Final = "/account/portfolio/history"
ACTIVITIES: Final = "/account/activities"
SPLITS: Final = "/corporate_actions/announcements"


def order(**changes: Any) -> OrderView:  # noqa: ANN401 - any field
    shown: OrderView = sample(OrderView)
    plain = {"order_id": ORDER, "account_id": ACCOUNT, "legs": (), "trail_percent": None, "status": OrderStatus.NEW}
    return msgspec.structs.replace(shown, **{**plain, **changes})


def activity(**changes: Any) -> ActivityView:  # noqa: ANN401 - any field
    shown: ActivityView = sample(ActivityView)
    return msgspec.structs.replace(shown, **{"account_id": ACCOUNT, **changes})


@pytest.fixture(autouse=True)
def trader(gateway: Gateway) -> None:
    """A trader's paper key and one account."""
    replies = gateway.services.replies
    replies[VerifyApiKey] = ApiKeyPrincipal(
        user_id=USER_ID, role="trader", key_id="key1", scopes=("trade",), mode="paper"
    )
    account: AccountView = msgspec.structs.replace(sample(AccountView), account_id=ACCOUNT, mode=AccountMode.PAPER)
    replies[ListAccounts] = AccountsView(accounts=(account,))
    replies[GetOrder] = order()
    replies[ListOrders] = OrdersView(orders=())
    replies[GetSummary] = msgspec.structs.replace(sample(SummaryView), marked_at=CLOSE)


async def call(gateway: Gateway, method: str, path: str, **options: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
    answer = await gateway.client.request(method, f"{V2}{path}", headers=KEY_HEADERS, **options)
    return answer.status_code, answer.json()


def asked(gateway: Gateway, wanted: type) -> Any:  # noqa: ANN401 - a command
    return gateway.services.commands(wanted)[-1]


async def test_a_replacement_reaches_trading_with_what_is_to_change_alone(gateway: Gateway) -> None:
    gateway.services.replies[ReplaceOrder] = order(order_id=SOME_ID, replaces=ORDER)
    body = {"qty": "7", "limit_price": 101.5, "time_in_force": "gtc", "client_order_id": "mine-2"}
    status, told = await call(gateway, "PATCH", f"/orders/{ORDER}", json=body)
    assert (status, told["id"], told["replaces"]) == (200, str(SOME_ID), str(ORDER))
    assert asked(gateway, ReplaceOrder) == ReplaceOrder(
        order_id=ORDER,
        client_order_id="mine-2",
        qty=Decimal(7),
        limit_price=Decimal("101.5"),
        time_in_force=TimeInForce.GTC,
    )
    await call(gateway, "PATCH", f"/orders/{ORDER}", json={"qty": "7"})
    await call(gateway, "PATCH", f"/orders/{ORDER}", json={"qty": "7"})
    named = {one.client_order_id for one in gateway.services.commands(ReplaceOrder)}  # type: ignore[attr-defined]
    assert len(named) == 3


@pytest.mark.parametrize(("percent", "expected"), [(None, (Decimal(3), None)), (Decimal(2), (None, Decimal(3)))])
async def test_a_new_trail_is_of_the_kind_the_order_has(
    gateway: Gateway, percent: Decimal | None, expected: tuple[Decimal | None, Decimal | None]
) -> None:
    gateway.services.replies[GetOrder] = order(trail_percent=percent)
    await call(gateway, "PATCH", f"/orders/{ORDER}", json={"trail": 3})
    command = asked(gateway, ReplaceOrder)
    assert (command.trail_price, command.trail_percent) == expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ORDER_TERMINAL", Kind.CONFLICT), ("AMEND_BELOW_FILLED", Kind.INVALID), ("ORDER_PENDING", Kind.CONFLICT)],
)
async def test_what_cannot_be_replaced_is_unprocessable(gateway: Gateway, code: str, kind: Kind) -> None:
    gateway.services.replies[ReplaceOrder] = AlphintraError(code, "why", kind=kind)
    status, body = await call(gateway, "PATCH", f"/orders/{ORDER}", json={"qty": "7"})
    assert (status, body["code"], body["reason_code"]) == (422, 42210000, code)


async def test_a_replacement_that_risk_refuses_or_of_anothers_order_is_told_as_any_order(gateway: Gateway) -> None:
    denied = order(status=OrderStatus.DENIED, reason_code="RISK_CREDIT", reason="not enough cash")
    gateway.services.replies[ReplaceOrder] = denied
    status, body = await call(gateway, "PATCH", f"/orders/{ORDER}", json={"qty": "7"})
    assert (status, body["code"], body["reason_code"]) == (403, 40310000, "RISK_CREDIT")
    gateway.services.replies[ListOrders] = OrdersView(orders=(order(),))
    status, body = await call(gateway, "PATCH", f"/orders/{ORDER}", json={"qty": "7", "client_order_id": "taken"})
    assert (status, body["code"]) == (422, 40010001)
    gateway.services.replies[GetOrder] = order(account_id=SOME_ID)
    status, body = await call(gateway, "PATCH", f"/orders/{ORDER}", json={"qty": "7"})
    assert (status, body["code"]) == (404, 40410000)
    assert len(gateway.services.commands(ReplaceOrder)) == 1


async def test_an_order_shows_its_legs_where_nested(gateway: Gateway) -> None:
    gateway.services.replies[GetOrder] = order(legs=(order(order_id=SOME_ID),))
    _, nested = await call(gateway, "GET", f"/orders/{ORDER}?nested=true")
    assert [leg["id"] for leg in nested["legs"]] == [str(SOME_ID)]
    _, flat = await call(gateway, "GET", f"/orders/{ORDER}")
    assert flat["legs"] is None


async def test_executions_and_other_activities_are_shown_in_alpacas_shapes(gateway: Gateway) -> None:
    gateway.services.replies[GetOrder] = order(status=OrderStatus.PARTIALLY_FILLED)
    part = activity(
        activity_id="20240301210000000001::e-1",
        kind="fill",
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(4),
        price=Decimal("10.50"),
        order_id=ORDER,
        executed_at=CLOSE,
        cum_qty=Decimal(6),
        leaves_qty=Decimal(1),
    )
    paid = activity(kind="dividend", symbol="AAPL", net_amount=Decimal("3.2"), order_id=None, booked_at=CLOSE)
    gateway.services.replies[ListActivities] = ActivitiesView(activities=(part, paid), next_page_token=None)
    status, (fill, dividend) = await call(gateway, "GET", ACTIVITIES)
    assert status == 200
    assert fill == {
        "id": "20240301210000000001::e-1",
        "activity_type": "FILL",
        "transaction_time": "2024-03-01T21:00:00Z",
        "type": "partial_fill",
        "price": "10.5",
        "qty": "4",
        "side": "buy",
        "symbol": "AAPL",
        "leaves_qty": "1",
        "cum_qty": "6",
        "order_id": str(ORDER),
        "order_status": "partially_filled",
    }
    assert (dividend["activity_type"], dividend["net_amount"], dividend["date"]) == ("DIV", "3.2", "2024-03-01")
    last = msgspec.structs.replace(part, leaves_qty=Decimal(0))
    gateway.services.replies[ListActivities] = ActivitiesView(activities=(last,), next_page_token=None)
    assert (await call(gateway, "GET", ACTIVITIES))[1][0]["type"] == "fill"


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        (ACTIVITIES, None),
        (f"{ACTIVITIES}/FILL", ("fill",)),
        (f"{ACTIVITIES}?activity_types=DIV,csd&activity_types=FILL", ("dividend", "deposit", "fill")),
        (f"{ACTIVITIES}?activity_types=TRANS", ("deposit", "withdrawal")),
        (f"{ACTIVITIES}?activity_types=DIV,SPIN", ("dividend",)),
        (f"{ACTIVITIES}?category=trade_activity", ("fill",)),
    ],
)
async def test_activities_are_asked_for_by_type(gateway: Gateway, path: str, kinds: tuple[str, ...] | None) -> None:
    status, _ = await call(gateway, "GET", path)
    assert status == 200
    assert asked(gateway, ListActivities).kinds == kinds


async def test_types_nothing_here_is_of_are_an_empty_list_and_unknown_ones_refused(gateway: Gateway) -> None:
    assert await call(gateway, "GET", f"{ACTIVITIES}/SPIN") == (200, [])
    for path in (f"{ACTIVITIES}/FFFFF", f"{ACTIVITIES}?activity_types=FILL,NONSENSE"):
        status, body = await call(gateway, "GET", path)
        assert (status, body["code"], body["reason_code"]) == (422, 40010001, "ACTIVITY_TYPE_UNKNOWN")
    assert gateway.services.commands(ListActivities) == []


async def test_activities_are_paged_and_bounded_by_time(gateway: Gateway) -> None:
    token = "20240301210000000001::e-1"
    await call(gateway, "GET", f"{ACTIVITIES}?page_size=7&page_token={token}&direction=asc&after=2024-03-01")
    command = asked(gateway, ListActivities)
    assert (command.limit, command.page_token, command.oldest_first) == (7, token, True)
    assert (command.after, command.until) == (datetime(2024, 3, 1, tzinfo=UTC), None)
    await call(gateway, "GET", f"{ACTIVITIES}?date=2024-03-01")
    command = asked(gateway, ListActivities)
    day = datetime(2024, 3, 1, 5, tzinfo=UTC)
    assert (command.after, command.until) == (day - timedelta(microseconds=1), day + timedelta(days=1))


@pytest.mark.parametrize(
    "query",
    [
        "page_size=101",
        "page_size=0",
        "direction=up",
        "date=soon",
        "date=2024-03-01&after=2024-03-01",
        "category=trade_activity&activity_types=FILL",
        "category=other",
        "date=9999-12-31",
    ],
)
async def test_a_wrong_question_about_activities_is_refused(gateway: Gateway, query: str) -> None:
    status, body = await call(gateway, "GET", f"{ACTIVITIES}?{query}")
    assert (status, body["code"]) == (422, 42210000)
    assert gateway.services.commands(ListActivities) == []


def history(*points: tuple[datetime, int]) -> PortfolioHistoryView:
    """Return a history that begins with a worth of 100."""
    return PortfolioHistoryView(
        account_id=ACCOUNT,
        timeframe="15Min",
        base_value=Decimal(100),
        timestamps=tuple(at for at, _ in points),
        equity=tuple(Decimal(equity) for _, equity in points),
        profit_loss=tuple(Decimal(equity - 100) for _, equity in points),
        profit_loss_pct=tuple(Decimal(equity - 100) / 100 for _, equity in points),
    )


@pytest.mark.parametrize(
    ("query", "start", "end", "timeframe"),
    [
        ("", "2024-02-01T05:00", "2024-03-01T21:00:00.000001", "15Min"),
        ("period=1D", "2024-03-01T05:00", "2024-03-01T21:00:00.000001", "1Min"),
        ("period=2D&date_end=2024-02-20", "2024-02-16T05:00", "2024-02-21T05:00", "1Min"),
        ("period=1W&date_end=2024-03-01", "2024-02-23T05:00", "2024-03-02T05:00", "15Min"),
        ("period=3M&date_end=2024-05-31", "2024-02-29T05:00", "2024-06-01T04:00", "1D"),
        ("period=1A&timeframe=1d&date_end=2024-02-29", "2023-02-28T05:00", "2024-03-01T05:00", "1D"),
        ("start=2024-01-02&end=2024-01-05", "2024-01-02T00:00", "2024-01-05T00:00", "1Min"),
        ("start=2024-01-02T05:00:00Z&period=1M", "2024-01-02T05:00", "2024-02-02T05:00", "1D"),
        ("period=1D&timeframe=5min", "2024-03-01T05:00", "2024-03-01T21:00:00.000001", "5Min"),
    ],
)
async def test_a_period_ends_with_the_newest_price_unless_it_says_when(
    gateway: Gateway, query: str, start: str, end: str, timeframe: str
) -> None:
    gateway.services.replies[GetPortfolioHistory] = history()
    status, _ = await call(gateway, "GET", f"{HISTORY}?{query}")
    assert status == 200
    command = asked(gateway, GetPortfolioHistory)
    assert (command.start.isoformat(), command.end.isoformat()) == (
        datetime.fromisoformat(start).replace(tzinfo=UTC).isoformat(),
        datetime.fromisoformat(end).replace(tzinfo=UTC).isoformat(),
    )
    assert command.timeframe == timeframe


MORNING: Final = datetime(2024, 2, 29, 14, 30, tzinfo=UTC)
POINTS: Final = (
    (MORNING - timedelta(hours=2), 105),
    (MORNING, 110),
    (MORNING.replace(hour=21, minute=0), 120),
    (MORNING + timedelta(days=1), 90),
)


@pytest.mark.parametrize(
    ("query", "profits", "ratios"),
    [
        ("", [10, 20, -30], [0.1, 0.2, -0.25]),
        ("&extended_hours=true", [5, 10, 20, -30], [0.05, 0.1, 0.2, -0.25]),
        ("&pnl_reset=no_reset", [10, 20, -10], [0.1, 0.2, -0.1]),
        ("&intraday_reporting=continuous&pnl_reset=no_reset", [5, 10, 20, -10], [0.05, 0.1, 0.2, -0.1]),
    ],
)
async def test_profit_begins_anew_each_day_and_market_hours_are_shown_unless_asked_otherwise(
    gateway: Gateway, query: str, profits: list[int], ratios: list[float]
) -> None:
    gateway.services.replies[GetPortfolioHistory] = history(*POINTS)
    _, body = await call(gateway, "GET", f"{HISTORY}?period=2D&timeframe=15Min{query}")
    assert (body["profit_loss"], body["profit_loss_pct"]) == (profits, ratios)
    assert body["timestamp"][-1] == int(POINTS[-1][0].timestamp())
    assert (body["equity"][-1], body["base_value"], body["timeframe"]) == (90.0, 100.0, "15Min")


@pytest.mark.parametrize(
    "query",
    [
        "period=1X",
        "period=0D",
        "period=9999A",
        "period=9999D",
        "timeframe=2Min",
        "period=1A&timeframe=1H",
        "start=2024-01-01&end=2024-02-01&period=1D",
        "end=2024-02-01&date_end=2024-02-01",
        "start=2024-02-01&end=2024-01-01",
        "pnl_reset=never",
        "intraday_reporting=sometimes",
        "cashflow_types=ALL",
        "end=0001-01-01",
        "date_end=9999-12-31",
    ],
)
async def test_a_wrong_question_about_worth_is_refused(gateway: Gateway, query: str) -> None:
    status, body = await call(gateway, "GET", f"{HISTORY}?{query}")
    assert (status, body["code"]) == (422, 42210000)
    assert gateway.services.commands(GetPortfolioHistory) == []


@pytest.fixture
def splits(gateway: Gateway) -> None:
    """A catalogue with a split of two for one, and with a reverse one."""
    plain: DatasetView = sample(DatasetView)
    datasets = (
        msgspec.structs.replace(plain, symbol="AAPL", splits=("2005-02-28T21:00:00+00:00 2/1",)),
        msgspec.structs.replace(plain, symbol="CITI", splits=("2011-05-09T20:00:00+00:00 1/10",)),
    )
    gateway.services.replies[ListDatasets] = DatasetsView(datasets=datasets)


@pytest.mark.usefixtures("splits")
async def test_splits_of_the_catalogue_are_announced_by_their_ex_date(gateway: Gateway) -> None:
    _, (found,) = await call(gateway, "GET", f"{SPLITS}?ca_types=split,dividend&since=2005-01-01&until=2005-03-01")
    assert (found["initiating_symbol"], found["ex_date"], found["ca_sub_type"]) == ("AAPL", "2005-02-28", "stock_split")
    assert (found["new_rate"], found["old_rate"]) == ("2", "1")
    assert await call(gateway, "GET", f"{SPLITS}/{found['id']}") == (200, found)
    _, (reverse,) = await call(gateway, "GET", f"{SPLITS}?ca_types=split&since=2011-05-09&until=2011-05-09&symbol=citi")
    assert (reverse["ca_sub_type"], reverse["new_rate"], reverse["old_rate"]) == ("reverse_split", "1", "10")
    for query in (
        "ca_types=dividend&since=2005-01-01&until=2005-03-01",
        "ca_types=split&since=2005-01-01&until=2005-03-01&symbol=CITI",
        "ca_types=split&since=2005-01-01&until=2005-03-01&date_type=record_date",
        "ca_types=split&since=2005-03-01&until=2005-03-01",
    ):
        assert await call(gateway, "GET", f"{SPLITS}?{query}") == (200, [])
    status, body = await call(gateway, "GET", f"{SPLITS}/{SOME_ID}")
    assert (status, body["code"]) == (404, 40410000)


@pytest.mark.parametrize(
    "query",
    [
        "since=2005-01-01&until=2005-03-01",
        "ca_types=gift&since=2005-01-01&until=2005-03-01",
        "ca_types=split&since=2005-01-01",
        "ca_types=split&since=2005-01-01&until=2006-01-01",
        "ca_types=split&since=2005-03-01&until=2005-01-01",
        "ca_types=split&since=9999-12-31&until=9999-12-31&symbol=A%20B",
    ],
)
async def test_a_wrong_question_about_announcements_is_refused(gateway: Gateway, query: str) -> None:
    status, body = await call(gateway, "GET", f"{SPLITS}?{query}")
    assert (status, body["code"]) == (422, 42210000)
