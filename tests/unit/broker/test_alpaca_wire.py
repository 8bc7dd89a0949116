"""Alpaca's words are read strictly, and orders are written as it expects them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from alphintra.broker.domain.approvals import Refusal
from alphintra.broker.domain.capabilities import ALPACA, Capabilities, check_supported
from alphintra.broker.domain.reports import VenueFill, VenueState
from alphintra.broker.gateways import alpaca_wire as wire
from alphintra.broker.gateways.venue import VenueError
from alphintra.contracts.approval import OrderTerms
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

ORDER: dict[str, Any] = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4",
    "created_at": "2026-03-16T18:38:01.942282Z",
    "symbol": "AAPL",
    "asset_class": "us_equity",
    "notional": None,
    "qty": "10",
    "filled_qty": "4",
    "filled_avg_price": "179.08",
    "type": "limit",
    "side": "buy",
    "time_in_force": "day",
    "limit_price": "180",
    "status": "partially_filled",
    "legs": None,
}
UPDATE: dict[str, Any] = {
    "event": "partial_fill",
    "execution_id": "2f63ea93-423d-4169-b3f6-3fdafc10c418",
    "order": ORDER,
    "position_qty": "4",
    "price": "179.08",
    "qty": "4",
    "timestamp": "2026-03-16T18:38:01.937734123Z",
}
TERMS = OrderTerms(
    order_id=UUID(int=1),
    client_order_id="c-1",
    account_id=UUID(int=2),
    symbol="AAPL",
    side=Side.BUY,
    type=OrderType.TRAILING_STOP,
    time_in_force=TimeInForce.GTC,
    qty=Decimal("10.000000000"),
    trail_percent=Decimal("1.50"),
)


def test_a_trade_update_tells_its_execution_and_its_order() -> None:
    fill, order = wire.reports_of(UPDATE)
    assert isinstance(fill, VenueFill)
    assert (fill.execution_id, fill.qty, fill.price) == (UPDATE["execution_id"], Decimal(4), Decimal("179.08"))
    assert fill.executed_at == datetime(2026, 3, 16, 18, 38, 1, 937734, tzinfo=UTC)
    assert (fill.cum_qty, fill.is_final) == (Decimal(4), False)
    assert not isinstance(order, VenueFill)
    assert order.state is VenueState.WORKING


def test_an_activity_and_its_trade_update_are_one_execution() -> None:
    activity = {
        "activity_type": "FILL",
        "id": f"20260316183801937::{UPDATE['execution_id']}",
        "cum_qty": "4",
        "price": "179.08",
        "qty": "4",
        "side": "buy",
        "symbol": "AAPL",
        "transaction_time": "2026-03-16T18:38:01.937734Z",
        "order_id": ORDER["id"],
        "type": "partial_fill",
    }
    told = wire.reports_of(UPDATE)[0]
    assert isinstance(told, VenueFill)
    assert wire.fill_of_activity(activity) == replace(told, client_order_id="")


def test_a_status_nobody_knows_is_unclear_and_keeps_its_word() -> None:
    order = wire.order_of({**ORDER, "status": "under_water"})
    assert (order.state, order.word) == (VenueState.UNCLEAR, "under_water")


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "NaN"},
        {"price": "1e999999"},
        {"price": "0"},
        {"qty": "-4"},
        {"qty": None},
        {"qty": "ten"},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-03-16T18:38:01"},
        {"order": None},
        {"order": {**ORDER, "side": "both"}},
        {"event": 7},
    ],
)
def test_what_cannot_be_is_refused_whole(changes: dict[str, Any]) -> None:
    with pytest.raises(VenueError) as refused:
        wire.reports_of({**UPDATE, **changes})
    assert refused.value.code == "VENUE_PROTOCOL"


@pytest.mark.parametrize("body", [b"<html>", b'{"id": "61e6', b"", b"\xff\xfe"])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(VenueError) as refused:
        wire.parse(body)
    assert refused.value.code == "VENUE_PROTOCOL"


def test_an_order_is_written_with_what_it_has_and_nothing_else() -> None:
    assert wire.order_body(TERMS) == {
        "symbol": "AAPL",
        "side": "buy",
        "type": "trailing_stop",
        "time_in_force": "gtc",
        "client_order_id": "c-1",
        "extended_hours": False,
        "qty": "10",
        "trail_percent": "1.5",
    }
    assert wire.replace_body(TERMS) == {
        "qty": "10",
        "time_in_force": "gtc",
        "client_order_id": "c-1",
        "trail": "1.5",
    }


PLAIN = Capabilities(types=frozenset({OrderType.MARKET}), times_in_force=frozenset({TimeInForce.DAY}))


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("tif", TimeInForce)
@pytest.mark.parametrize("offered", [ALPACA, PLAIN], ids=["alpaca", "plain"])
def test_every_type_and_time_in_force_is_taken_where_it_is_offered(
    kind: OrderType, tif: TimeInForce, offered: Capabilities
) -> None:
    wanted = msgspec.structs.replace(TERMS, type=kind, time_in_force=tif)
    refusal = check_supported(wanted, offered)
    if kind in offered.types and tif in offered.times_in_force:
        assert refusal is None
    else:
        assert isinstance(refusal, Refusal)
        assert refusal.code == "ORDER_UNSUPPORTED"


@pytest.mark.parametrize(
    "changes",
    [
        {"qty": None, "notional": Decimal(100)},
        {"extended_hours": True},
        {"replaces": UUID(int=3)},
    ],
)
def test_what_a_plain_venue_lacks_is_named(changes: dict[str, Any]) -> None:
    wanted = msgspec.structs.replace(TERMS, type=OrderType.MARKET, time_in_force=TimeInForce.DAY, **changes)
    refusal = check_supported(wanted, PLAIN)
    assert refusal is not None
    assert refusal.code == "ORDER_UNSUPPORTED"
