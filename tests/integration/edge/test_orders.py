"""Placing orders: what reaches trading, and how its answers are told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import httpx
import msgspec
import pytest

from alphintra.contracts.assessments import Finding, OrderDecisionsView, OrderDecisionView
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import GetDecisions
from alphintra.contracts.trading import CancelOrder, SubmitOrder
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side, TimeInForce
from fixtures.edge import KEY_HEADERS, SOME_ID, USER_ID, Gateway, sample

ORDER: Final[dict[str, Any]] = {
    "account_id": str(SOME_ID),
    "symbol": "AAPL",
    "side": "sell",
    "qty": "0.100000001",
    "type": "limit",
    "limit_price": "99.95",
    "time_in_force": "gtc",
}


async def place(gateway: Gateway, *, key: str = "", content: bytes | None = None, **changes: object) -> httpx.Response:
    headers = {**gateway.bearer(), "Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    body = msgspec.json.encode({**ORDER, **changes}) if content is None else content
    return await gateway.client.post("/api/v1/orders", content=body, headers=headers)


def submitted(gateway: Gateway) -> SubmitOrder:
    command = gateway.services.last()
    assert isinstance(command, SubmitOrder)
    return command


async def test_an_order_reaches_trading_as_it_was_written(gateway: Gateway) -> None:
    answer = await place(gateway, client_order_id="mine-1")
    assert answer.status_code == 201
    assert submitted(gateway) == SubmitOrder(
        account_id=SOME_ID,
        client_order_id="mine-1",
        symbol="AAPL",
        side=Side.SELL,
        qty=Decimal("0.100000001"),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        limit_price=Decimal("99.95"),
    )


async def test_an_accepted_order_is_answered_with_decimals_as_text_and_where_it_is(gateway: Gateway) -> None:
    answer = await place(gateway, client_order_id="mine-1")
    order = answer.json()
    assert order["qty"] == "12.25"
    assert answer.headers["location"] == f"/api/v1/orders/{order['order_id']}"


async def test_a_number_is_taken_digit_by_digit(gateway: Gateway) -> None:
    text = msgspec.json.encode({**ORDER, "client_order_id": "a"}).replace(b'"0.100000001"', b"123456789012.123456789")
    assert (await place(gateway, content=text)).status_code == 201
    assert submitted(gateway).qty == Decimal("123456789012.123456789")


async def test_the_idempotency_key_stands_for_a_missing_client_order_id(gateway: Gateway) -> None:
    assert (await place(gateway, key="retry-7")).status_code == 201
    assert submitted(gateway).client_order_id == "retry-7"


async def test_a_key_with_characters_no_order_id_has_becomes_the_same_id_each_time(gateway: Gateway) -> None:
    for key in ("a/b+c=", "a/b+c=", "a/b+c!"):
        assert (await place(gateway, key=key)).status_code == 201
    first, again, other = (one for one in gateway.services.commands(SubmitOrder) if isinstance(one, SubmitOrder))
    assert first.client_order_id == again.client_order_id != other.client_order_id
    assert len(first.client_order_id) <= 128


@pytest.mark.parametrize("key", ["two words", "k" * 129, "k" * 10_000, "caf\u00e9"])
async def test_a_key_that_is_none_is_refused(gateway: Gateway, key: str) -> None:
    headers = {**gateway.bearer(), "Idempotency-Key": key.encode("latin-1").decode("latin-1")}
    answer = await gateway.client.post("/api/v1/orders", json=ORDER, headers=httpx.Headers(headers, encoding="latin-1"))
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_FORMAT")


async def test_a_key_and_another_client_order_id_are_one_too_many(gateway: Gateway) -> None:
    answer = await place(gateway, key="one", client_order_id="two")
    assert answer.json()["code"] == "IDEMPOTENCY_AMBIGUOUS"
    assert (await place(gateway, key="one", client_order_id="one")).status_code == 201


@pytest.mark.parametrize(
    ("failure", "code", "retry_after"),
    [
        ("ORDER_ID_REUSED", "IDEMPOTENCY_MISMATCH", None),
        ("ORDER_CONFLICT", "IN_PROGRESS", "1"),
    ],
)
async def test_what_is_wrong_with_an_id_is_told_of_the_key_that_stands_for_it(
    gateway: Gateway, failure: str, code: str, retry_after: str | None
) -> None:
    gateway.services.replies[SubmitOrder] = AlphintraError(failure, "taken", kind=Kind.CONFLICT)
    answer = await place(gateway, key="retry-7")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["pointer"]) == (409, code, "Idempotency-Key")
    assert answer.headers.get("retry-after") == retry_after
    own = await place(gateway, client_order_id="mine-1")
    assert (own.status_code, own.json()["code"]) == (409, failure)


async def test_a_denied_order_is_a_problem_with_the_reason_and_the_order(gateway: Gateway) -> None:
    denied = msgspec.structs.replace(
        sample(OrderView), status=OrderStatus.DENIED, reason_code="RISK_QTY_MAX", reason="at most 5 at once"
    )
    gateway.services.replies[SubmitOrder] = denied
    found = msgspec.structs.replace(sample(Finding), code="RISK_QTY_MAX", field="/terms/qty")
    decision = msgspec.structs.replace(
        sample(OrderDecisionView), decision_id=denied.decision_id, findings=(found, sample(Finding))
    )
    earlier = msgspec.structs.replace(decision, decision_id=USER_ID, findings=())
    gateway.services.replies[GetDecisions] = OrderDecisionsView(decisions=(earlier, decision))
    answer = await place(gateway, client_order_id="mine-1")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["detail"]) == (422, "RISK_QTY_MAX", "at most 5 at once")
    assert problem["pointer"] == "/qty"
    assert [one["code"] for one in problem["findings"]] == ["RISK_QTY_MAX", "text"]
    assert problem["order_id"] == str(denied.order_id)
    assert problem["decision_id"] == str(denied.decision_id)
    assert problem["order"]["qty"] == "12.25"
    assert (await place(gateway, client_order_id="mine-1")).json()["order"] == problem["order"]


async def test_a_denied_order_is_answered_without_its_place_where_risk_cannot_be_asked(gateway: Gateway) -> None:
    gateway.services.replies[SubmitOrder] = msgspec.structs.replace(sample(OrderView), status=OrderStatus.DENIED)
    gateway.services.replies[GetDecisions] = AlphintraError("RISK_UNAVAILABLE", "risk is away", kind=Kind.UNAVAILABLE)
    answer = await place(gateway, client_order_id="mine-1")
    assert (answer.status_code, answer.json()["pointer"], answer.json()["findings"]) == (422, "", [])


async def test_an_order_is_placed_in_the_name_of_the_keys_owner(gateway: Gateway) -> None:
    answer = await gateway.client.post("/api/v1/orders", json={**ORDER, "client_order_id": "a"}, headers=KEY_HEADERS)
    assert answer.status_code == 201
    _, context = gateway.services.asked[-1]
    assert (context.actor.id, context.actor.user_id) == ("key:key1", USER_ID)
    assert context.actor.scopes == ("read", "trade", "admin")


async def test_canceling_goes_to_trading(gateway: Gateway) -> None:
    answer = await gateway.client.delete(f"/api/v1/orders/{SOME_ID}", headers=gateway.bearer())
    assert answer.status_code == 200
    assert gateway.services.last() == CancelOrder(order_id=SOME_ID)
