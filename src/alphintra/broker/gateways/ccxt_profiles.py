"""What is known of exchanges beside what ccxt says of them, and what an exchange can do by both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from alphintra.broker.domain.capabilities import Capabilities
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce

__all__ = ["Finding", "Profile", "capabilities_of", "offered_streams", "profile_of"]

_STREAMS: Final = {"watchMyTrades": "watch_my_trades", "watchOrders": "watch_orders"}
_MINUTE_MS = 60_000
_REQUESTS_MAX = 600
_SEEN_AFTER = timedelta(seconds=2)
_GAP = timedelta(seconds=2)


class Finding(StrEnum):
    """How an exchange is asked for an order by its client order id.

    ``lists``: its lists of open and of closed orders may be narrowed to one. ``order``: a question for one order takes
    it. ``scan``: not at all; recent orders are looked through, so that not finding one proves nothing.
    """

    LISTS = "lists"
    ORDER = "order"
    SCAN = "scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What ccxt does not say of an exchange.

    Attributes:
        finding: how an order is found by its client order id.
        request_life: how long a request for an order may be under way before the exchange refuses it, where it can be
            told so: an order that is not there after that never will be.
        order_params: what every order is sent with, from the moment of sending in milliseconds.
        page_param: the parameter that skips executions, of an exchange that lists the newest first.
        poll_every: how often it is asked for executions.
        is_serial: whether requests have to arrive in the order in which they are numbered.
        refusals: beginnings of error texts that are decisions on an order.
        not_taken: parts of error texts which say that nothing was taken.
        unknown_keys: parts of error texts which say that the credentials are not known, where the library reads them
            otherwise.
        tells_executions: whether its streams tell executions under the ids and with the amounts it lists them with, and
            orders under our id. Where nobody looked, what a stream tells is a reason to ask at once.
        options: how the library is to call it.
        duplicates: parts of error texts which say that the client order id was seen before.
        has_fees_in_money: whether fees are certain to be taken in the account's currency. Where they may be taken of
            what was bought there is less to sell than was bought, so that an exit for all of it would be refused.
    """

    finding: Finding = Finding.SCAN
    request_life: timedelta | None = None
    order_params: Callable[[int], Mapping[str, object]] = field(default=lambda _at: {})
    page_param: str = ""
    poll_every: timedelta = timedelta(seconds=5)
    is_serial: bool = False
    refusals: tuple[str, ...] = ()
    not_taken: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    unknown_keys: tuple[str, ...] = ()
    tells_executions: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    has_fees_in_money: bool = False


_KRAKEN_LIFE: Final = timedelta(seconds=5)
_BINANCE_LIFE: Final = timedelta(seconds=5)


def _kraken_order(at_ms: int) -> Mapping[str, object]:
    """Return what Kraken is told with each order: fees in the quote currency, and the end of the request's life."""
    until = datetime.fromtimestamp(at_ms / 1000, UTC) + _KRAKEN_LIFE
    return {"oflags": "fciq", "deadline": until.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def _binance_order(_at_ms: int) -> Mapping[str, object]:
    """Return what Binance is told with each order: for how long after its time stamp it may be taken."""
    return {"recvWindow": round(_BINANCE_LIFE.total_seconds() * 1000)}


_BINANCE: Final = Profile(
    finding=Finding.ORDER,
    request_life=_BINANCE_LIFE,
    order_params=_binance_order,
    duplicates=("Duplicate order sent",),
    unknown_keys=('"code":-2015', '"code":-2014'),
    tells_executions=True,
    options={
        "fetchMarkets": {"types": ["spot"]},
        "fetchMargins": False,
        "fetchCurrencies": False,
        "warnOnFetchOpenOrdersWithoutSymbol": False,  # a warning there is an error
    },
)
_PROFILES: Final = {
    "kraken": Profile(
        finding=Finding.LISTS,
        request_life=_KRAKEN_LIFE,
        order_params=_kraken_order,
        page_param="ofs",
        poll_every=timedelta(seconds=10),
        is_serial=True,
        refusals=("EOrder:", "EGeneral:Invalid arguments", "EQuery:", "EFunding:", "EAccount:", "ETrade:"),
        not_taken=("EService:Deadline elapsed",),
        duplicates=("cl_ord_id",),
        tells_executions=True,
        has_fees_in_money=True,
    ),
    "binance": _BINANCE,
    "binanceus": _BINANCE,
}


def profile_of(exchange: str) -> Profile:
    """Return what is known of an exchange; little of one that nobody looked at."""
    return _PROFILES.get(exchange, Profile())


def offered_streams(client: Any) -> tuple[str, ...]:  # noqa: ANN401 - the library's classes are not typed
    """Return the calls for the streams of an exchange that tell of an account's executions and orders."""
    return tuple(method for name, method in _STREAMS.items() if client.has.get(name) is True)


def capabilities_of(client: Any, profile: Profile) -> Capabilities:  # noqa: ANN401 - the library's classes are not typed
    """Return what an exchange can do, by ccxt's description of it and its profile."""
    has = client.has
    spot = (client.features or {}).get("spot") or {}
    offered = spot.get("createOrder") or {}
    times = offered.get("timeInForce") or {}
    has_stop = bool(offered.get("stopLossPrice") or offered.get("triggerPrice"))
    types = {
        OrderType.MARKET: has.get("createMarketOrder") is not False,
        OrderType.LIMIT: has.get("createLimitOrder") is not False,
        OrderType.STOP: has_stop and bool(has.get("createStopMarketOrder")),
        OrderType.STOP_LIMIT: has_stop and bool(has.get("createStopLimitOrder")),
        OrderType.TRAILING_STOP: bool(offered.get("trailing") and has.get("createTrailingAmountOrder")),
    }
    wanted = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
    return Capabilities(
        types=frozenset(kind for kind, is_there in types.items() if is_there),
        times_in_force=frozenset({TimeInForce.GTC} | {kind for kind, name in wanted.items() if times.get(name)}),
        order_classes=frozenset(OrderClass) if profile.has_fees_in_money else frozenset({OrderClass.SIMPLE}),
        request_life=profile.request_life,
        visibility_delay=_SEEN_AFTER if profile.request_life is None else profile.request_life + _GAP,
        finds_by_client_order_id=profile.finding is not Finding.SCAN,
        has_stream=bool(offered_streams(client)),
        is_asked_too=True,
        poll_every=profile.poll_every,
        requests_per_minute=max(1, min(_REQUESTS_MAX, round(_MINUTE_MS / float(client.rateLimit)))),
    )
