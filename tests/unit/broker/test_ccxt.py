"""What is read from ccxt, what it is asked for, and what its failures say."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from alphintra.broker.domain.links import Environment, KeyRights
from alphintra.broker.domain.reports import VenueState
from alphintra.broker.gateways import ccxt_library, ccxt_wire
from alphintra.broker.gateways.ccxt_errors import Said, answer_of, said_by
from alphintra.broker.gateways.ccxt_profiles import profile_of
from alphintra.broker.gateways.ccxt_rights import question_of
from alphintra.broker.gateways.ccxt_venue import CcxtVenue, exchange_capabilities
from alphintra.broker.gateways.vault import Credentials
from alphintra.broker.gateways.venue import Uncertain, VenueError
from alphintra.contracts.approval import OrderTerms
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderClass, OrderType, Side, TimeInForce
from unit.broker.exchange_trade import TRADE

if TYPE_CHECKING:
    from pathlib import Path

KEYS = Credentials({"key_id": "k-123456", "secret_key": "c2VjcmV0LTEyMzQ1Ng=="})
ORDER_ID = UUID("0199c5f8-1c1e-7a52-9c1f-0d8c8f2a6b11")
MARKET: dict[str, Any] = {
    "spot": True,
    "active": True,
    "quote": "USD",
    "precision": {"amount": Decimal("0.0001"), "price": Decimal("0.5")},
    "limits": {"amount": {"min": Decimal("0.001"), "max": Decimal(100)}, "cost": {"min": Decimal(5)}},
}


def terms(**changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
    fields: dict[str, Any] = {
        "order_id": ORDER_ID,
        "client_order_id": "mine",
        "account_id": UUID(int=1),
        "symbol": "BTC/USD",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "qty": Decimal("1.5"),
        "limit_price": Decimal("100.5"),
    }
    return OrderTerms(**{**fields, **changes})


def library_error(name: str, text: str) -> Exception:
    """Return an exception of the library, without loading more of it than the product does."""
    ccxt_library.exchange_class("kraken")
    error: Exception = getattr(sys.modules["ccxt.base.errors"], name)(text)
    return error


@pytest.mark.parametrize(
    ("changes", "market", "code"),
    [
        ({}, {}, ""),
        ({}, None, "ORDER_UNKNOWN_SYMBOL"),
        ({}, {"spot": False}, "ORDER_UNKNOWN_SYMBOL"),
        ({}, {"quote": "EUR"}, "SYMBOL_CURRENCY"),
        ({}, {"active": False}, "SYMBOL_CLOSED"),
        ({"qty": Decimal("1.00001")}, {}, "QTY_STEP"),
        ({"limit_price": Decimal("100.4")}, {}, "PRICE_STEP"),
        ({"stop_price": Decimal("99.9")}, {}, "PRICE_STEP"),
        ({"qty": Decimal("0.0001")}, {}, "QTY_TOO_SMALL"),
        ({"qty": Decimal("0.01")}, {}, "QTY_TOO_SMALL"),
        ({"qty": Decimal("0.01"), "limit_price": None}, {}, ""),
        ({"qty": Decimal(101)}, {}, "QTY_TOO_LARGE"),
    ],
)
def test_what_an_exchange_would_refuse_or_cut_is_refused_before_it_is_called(
    changes: dict[str, Any], market: dict[str, Any] | None, code: str
) -> None:
    known = None if market is None else {**MARKET, **market}
    refused = ccxt_wire.check_terms(terms(**changes), known, quote="USD")
    assert ("" if refused is None else refused.code) == code


def test_amounts_are_given_as_texts_and_the_order_id_is_the_exchanges_client_id() -> None:
    stop = terms(type=OrderType.STOP_LIMIT, stop_price=Decimal("1E-7"), time_in_force=TimeInForce.IOC)
    call = ccxt_wire.order_call(stop, {"stopLossPrice": True})
    assert (call["type"], call["side"], call["amount"], call["price"]) == ("limit", "buy", "1.5", "100.5")
    assert call["params"] == {"clientOrderId": ORDER_ID.hex, "timeInForce": "IOC", "stopLossPrice": "0.0000001"}
    assert ccxt_wire.order_call(stop, {})["params"]["triggerPrice"] == "0.0000001"
    trail = terms(type=OrderType.TRAILING_STOP, limit_price=None, trail_percent=Decimal("2.5"))
    assert ccxt_wire.order_call(trail, {})["params"]["trailingPercent"] == "2.5"


@pytest.mark.parametrize(
    ("fees", "charged", "kept", "foreign"),
    [
        ([{"cost": Decimal("0.1"), "currency": "USD"}], "0.1", "0", ""),
        ([{"cost": Decimal("0.001"), "currency": "BTC"}], "0", "0.001", ""),
        ([{"cost": Decimal("0.001"), "currency": "BTC"}, {"cost": "2", "currency": "USD"}], "2", "0.001", ""),
        ([{"cost": Decimal(1), "currency": "BNB"}], "0", "0", "BNB"),
        ([{"cost": Decimal(0), "currency": "BNB"}], "0", "0", ""),
        ([None], "0", "0", ""),
    ],
)
def test_a_fee_is_told_in_what_it_was_taken(fees: list[object], charged: str, kept: str, foreign: str) -> None:
    fill = ccxt_wire.fill_of({**TRADE, "fee": None, "fees": fees}, quote="USD")
    assert (fill.fee, fill.fee_qty, fill.foreign_fee) == (Decimal(charged), Decimal(kept), foreign)
    assert fill.executed_at == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "filled", "state"),
    [
        ("open", "0.1", VenueState.WORKING),
        ("closed", "2", VenueState.FILLED),
        ("closed", "1", VenueState.CANCELED),
        ("canceled", "0", VenueState.CANCELED),
        ("expired", "0", VenueState.EXPIRED),
        ("rejected", "0", VenueState.REJECTED),
        ("dreaming", "0", VenueState.UNCLEAR),
    ],
)
def test_each_word_for_a_state_is_known_or_unclear(word: str, filled: str, state: VenueState) -> None:
    data = {"id": "o1", "symbol": "BTC/USD", "status": word, "filled": filled, "amount": "2", "clientOrderId": None}
    assert ccxt_wire.order_of(data).state is state


@pytest.mark.parametrize(
    "change",
    [
        {"amount": None},
        {"amount": "NaN"},
        {"amount": Decimal(0)},
        {"price": "-1"},
        {"price": "1e400"},
        {"side": "both"},
        {"timestamp": None},
        {"timestamp": 10**20},
        {"order": None},
        {"id": 7},
    ],
)
def test_an_execution_that_cannot_be_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(VenueError, match="VENUE_PROTOCOL"):
        ccxt_wire.fill_of({**TRADE, **change}, quote="USD")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("RateLimitExceeded", "429", Said.BUSY),
        ("DDoSProtection", "418", Said.BUSY),
        ("InvalidNonce", "EAPI:Invalid nonce", Said.BUSY),
        ("OnMaintenance", "closed", Said.BUSY),
        ("AuthenticationError", "EAPI:Invalid key", Said.AUTH),
        ("PermissionDenied", "EGeneral:Permission denied", Said.REFUSED),
        ("InsufficientFunds", "EOrder:Insufficient funds", Said.REFUSED),
        ("InvalidOrder", "EOrder:Order minimum not met", Said.REFUSED),
        ("BadSymbol", "EQuery:Unknown asset pair", Said.REFUSED),
        ("OrderNotFound", "EOrder:Unknown order", Said.ABSENT),
        ("DuplicateOrderId", "again", Said.DUPLICATE),
        ("ExchangeError", 'kraken {"error":["EOrder:Positions limit exceeded"]}', Said.REFUSED),
        ("ExchangeError", 'kraken {"error":["EGeneral:Invalid arguments:cl_ord_id"]}', Said.DUPLICATE),
        ("ExchangeError", 'kraken {"error":["EService:Deadline elapsed"]}', Said.BUSY),
        ("ExchangeError", 'kraken {"error":["EWhatever:Else"]}', Said.SILENT),
        ("ExchangeNotAvailable", "502", Said.SILENT),
        ("RequestTimeout", "POST", Said.SILENT),
        ("NetworkError", "POST", Said.SILENT),
        ("BadResponse", "<html>", Said.GARBLED),
    ],
)
def test_each_failure_says_what_became_of_the_request(name: str, text: str, said: Said) -> None:
    assert said_by(library_error(name, text), profile_of("kraken")) is said


def test_what_the_library_stumbles_over_leaves_an_order_uncertain() -> None:
    assert isinstance(answer_of(TypeError("'NoneType'"), profile_of("kraken"), secrets=()), Uncertain)


def test_an_exchanges_words_are_shown_without_addresses_and_credentials() -> None:
    text = "kraken POST https://api.example/order?signature=abc says k-123456 may not"
    error = library_error("InvalidOrder", text)
    answer = answer_of(error, profile_of("kraken"), secrets=("k-123456",))
    assert "k-123456" not in str(answer)
    assert "signature" not in str(answer)
    assert "may not" in str(answer)


def test_what_an_exchange_can_do_is_taken_from_the_library_and_from_what_is_known_of_it() -> None:
    kraken, binance, coinbase = (exchange_capabilities(name) for name in ("kraken", "binance", "coinbase"))
    assert kraken is not None
    assert binance is not None
    assert coinbase is not None
    assert OrderType.TRAILING_STOP in kraken.types
    assert OrderType.TRAILING_STOP not in binance.types
    assert TimeInForce.DAY not in kraken.times_in_force | binance.times_in_force | coinbase.times_in_force
    assert kraken.request_life is not None
    assert kraken.visibility_delay > kraken.request_life
    assert (kraken.is_resending_harmless, coinbase.is_resending_harmless) == (True, False)
    assert OrderClass.BRACKET in kraken.order_classes
    assert binance.order_classes == coinbase.order_classes == {OrderClass.SIMPLE}
    assert (binance.finds_by_client_order_id, coinbase.finds_by_client_order_id) == (True, False)


@pytest.mark.parametrize(
    ("exchange", "environment", "code"),
    [
        ("nowhere", Environment.LIVE, "EXCHANGE_UNKNOWN"),
        ("", Environment.LIVE, "EXCHANGE_UNKNOWN"),
        ("../kraken", Environment.LIVE, "EXCHANGE_UNKNOWN"),
        ("kraken", Environment.PAPER, "ENVIRONMENT_UNKNOWN"),
        ("okx", Environment.PAPER, "CREDENTIALS_INCOMPLETE"),
    ],
)
async def test_a_connection_that_cannot_be_is_refused(exchange: str, environment: Environment, code: str) -> None:
    with pytest.raises(AlphintraError, match=code):
        CcxtVenue(KEYS, exchange, environment)
    assert exchange_capabilities("nowhere") is None


async def test_a_test_system_is_where_the_library_says_and_another_address_replaces_every_one() -> None:
    sandbox = CcxtVenue(KEYS, "binance", Environment.PAPER)
    moved = CcxtVenue(KEYS, "kraken", Environment.PAPER, base_url="http://127.0.0.1:1/")
    try:
        assert "test" in sandbox._client.urls["api"]["private"]
        assert moved._client.urls["api"]["private"] == "http://127.0.0.1:1"
        answer = await moved.place(terms())
    finally:
        await sandbox.close()
        await moved.close()
    assert type(answer).__name__ == "NotSent"
    assert getcontext().rounding == ROUND_HALF_EVEN


def test_without_the_extra_the_adapter_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PathFinder, "find_spec", lambda _name: None)
    with pytest.raises(AlphintraError, match="ADAPTER_NOT_INSTALLED") as refused:
        ccxt_library.require_exchange("kraken")
    assert "requirements/ccxt.txt" in refused.value.detail


async def test_an_exchange_is_loaded_once_in_a_thread_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real, began, may_end = ccxt_library._load, asyncio.Event(), threading.Event()
    loop, threads = asyncio.get_running_loop(), []

    def slow(name: str, folder: Path) -> object:
        threads.append(threading.get_ident())
        monkeypatch.setitem(sys.modules, "ccxt", ModuleType("ccxt"))  # as while the library is loaded
        loop.call_soon_threadsafe(began.set)
        assert may_end.wait(30)
        monkeypatch.delitem(sys.modules, "ccxt")
        return real(name, folder)

    monkeypatch.setattr(ccxt_library, "_load", slow)
    monkeypatch.setattr(ccxt_library, "_loaded", {})
    loading = [asyncio.create_task(ccxt_library.load_exchange("coinbase")) for _ in range(3)]
    async with asyncio.timeout(30):
        await began.wait()
        assert ccxt_library.require_exchange("kraken").is_dir()
        may_end.set()
        await asyncio.gather(*loading)
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert "ccxt" not in sys.modules


def test_the_class_with_streams_is_taken_where_the_library_has_one() -> None:
    assert ccxt_library.exchange_class("binanceus").__module__ == "ccxt.pro.binanceus"
    assert ccxt_library.exchange_class("btcmarkets").__module__ == "ccxt.async_support.btcmarkets"


def test_terms_are_not_changed_by_being_sent() -> None:
    wanted = terms()
    ccxt_wire.order_call(wanted, {})["params"]["extra"] = "1"
    assert msgspec.structs.asdict(wanted) == msgspec.structs.asdict(terms())


@pytest.mark.parametrize(
    ("exchange", "answer", "expected"),
    [
        ("binance", {"enableSpotAndMarginTrading": True, "enableWithdrawals": False}, (True, False)),
        ("binance", {"enableSpotAndMarginTrading": False, "enableWithdrawals": True}, (False, True)),
        ("binance", {"enableWithdrawals": "yes"}, (None, None)),
        ("coinbase", {"can_view": True, "can_trade": True, "can_transfer": True}, (True, True)),
        ("kraken", {"error": [], "result": {"permissions": ["query-funds", "withdraw-funds"]}}, (None, True)),
        ("kraken", {"error": [], "result": {"permissions": ["query-funds"]}}, (None, False)),
        ("kraken", {"error": [], "result": {"permissions": []}}, (None, None)),
        ("kraken", {"error": []}, (None, None)),
    ],
)
async def test_the_rights_of_a_key_are_what_the_exchange_says_plainly_and_nothing_else(
    exchange: str, answer: dict[str, Any], expected: tuple[bool | None, bool | None]
) -> None:
    venue = CcxtVenue(Credentials({"key_id": "k", "secret_key": "c2VjcmV0"}), exchange, Environment.LIVE)
    try:
        asked = question_of(exchange)
        assert asked is not None

        async def told() -> dict[str, Any]:
            return answer

        assert callable(getattr(venue._client, asked.method))  # the library has such a call
        setattr(venue._client, asked.method, told)
        assert await venue.rights() == KeyRights(may_trade=expected[0], may_withdraw=expected[1])
    finally:
        await venue.close()


async def test_where_an_exchange_refuses_to_tell_or_has_no_money_the_rights_are_not_known() -> None:
    secrets = Credentials({"key_id": "k", "secret_key": "c2VjcmV0"})
    venues = [CcxtVenue(secrets, "binance", each) for each in (Environment.PAPER, Environment.LIVE)]
    try:

        async def refuses() -> None:
            raise library_error("PermissionDenied", "not for you")

        venues[1]._client.sapi_get_account_apirestrictions = refuses
        assert [await venue.rights() for venue in venues] == [KeyRights(), KeyRights()]
    finally:
        for venue in venues:
            await venue.close()
